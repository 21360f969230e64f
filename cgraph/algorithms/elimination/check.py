"""A Jacobian by elimination beside the sweeps."""

from __future__ import annotations

from typing import Any

import networkx as nx

from cgraph.algorithms.elimination.eliminations import Elimination
from cgraph.algorithms.sweeps import sensitivities_from
from cgraph.model.errors import EvaluationError

__all__ = ["check_elimination"]


def check_elimination(
    L: nx.DiGraph[Any], result: Elimination, *, tolerance: float = 1e-9, derivative: str = "derivative"
) -> float:
    """Compare every S(i,o) of an elimination with the one that a sweep finds, and return the largest difference.

    Every order gives the same sums of products, but not in the same order of rounding: where large terms cancel, a
    bad order loses digits that the sweeps keep, or the other way round.

    Parameters
    ----------
    L : networkx.DiGraph
        What was eliminated, with numbers on its edges. Not modified.
    result : Elimination
        Of `eliminate`, `eliminate_edges` or `eliminate_faces`.
    tolerance : float, default 1e-9
        The largest difference allowed, relative to the larger of the two numbers.
    derivative : str, default "derivative"
        The edge attribute that holds z.

    Returns
    -------
    float
        The largest relative difference.

    Raises
    ------
    EvaluationError
        If it exceeds `tolerance`: the message names the worst pair.
    CGraphError
        As `sensitivities`; matrices on edges are not checked.

    Notes
    -----
    One forward sweep for each input, O(V + E).

    Examples
    --------
    >>> from cgraph import eliminate
    >>> L = nx.DiGraph()
    >>> L.add_weighted_edges_from([("x", "a", 2.0), ("a", "y", 5.0), ("x", "y", 3.0)], "derivative")
    >>> check_elimination(L, eliminate(L, ["a"]))
    0.0
    """
    worst, message = 0.0, ""
    sources = [i for i in result.graph if result.graph.succ[i]]
    for i in sources:
        by_sweep = sensitivities_from(L, i, derivative=derivative)
        for o, data in result.graph.succ[i].items():
            a, b = data[derivative], by_sweep[o]
            difference = float(abs(a - b) / max(abs(a), abs(b))) if a != b else 0.0
            if difference > worst:
                worst, message = difference, f"S({i}, {o}) is {a!r} by elimination and {b!r} by a sweep"
    if worst > tolerance:
        raise EvaluationError(f"{message}: large terms cancel; take another order, or Fractions for the derivatives")
    return worst
