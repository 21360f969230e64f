"""Elasticities: by how many per cent y(t) changes when y(s) changes by one per cent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import networkx as nx
import numpy as np

from cgraph.algorithms.paths import paths, top_paths
from cgraph.algorithms.sweeps import edge_sensitivities, sensitivities, sensitivities_from, sensitivity
from cgraph.model.errors import EvaluationError, MissingValueError
from cgraph.model.graph import Node, require_node

__all__ = ["edge_elasticities", "elasticities", "elasticities_from", "elasticity", "path_elasticities"]


def elasticity(L: nx.DiGraph[Any], s: Node, t: Node, *, derivative: str = "derivative") -> Any:
    """Return the elasticity of y(t) with respect to y(s): S(s,t) y(s) / y(t).

    Parameters
    ----------
    L : networkx.DiGraph
        Acyclic and linearized: a ``value`` on `s` and `t`, dy(j)/dy(i) on every edge (i, j). Not modified.
    s, t : node
        The node that is varied, and the one that follows.
    derivative : str, default "derivative"
        The edge attribute that holds dy(j)/dy(i).

    Returns
    -------
    float or ndarray
        0.0 if there is no path. For arrays of shape (size of y(t), size of y(s)): entry k, l is the elasticity of entry k
        of y(t) with respect to entry l of y(s).

    Raises
    ------
    EvaluationError
        If y(t), or an entry of it, is 0.
    MissingValueError
        If `s` or `t` has no value.
    CGraphError
        As `sensitivity`.

    Notes
    -----
    One sweep. The logarithmic derivative d log y(t) / d log y(s), as economists use it.

    Examples
    --------
    >>> from cgraph import from_equations, linearize
    >>> elasticity(linearize(from_equations("y = 5 * x^3", x=2.0)), "x", "y")  # the exponent, wherever x is
    3.0
    """
    return relative(L, s, t, sensitivity(L, s, t, derivative=derivative))


def elasticities(L: nx.DiGraph[Any], t: Node, *, derivative: str = "derivative") -> dict[Any, Any]:
    """Return the elasticity of y(t) with respect to every node that has a value: ``{i: S(i,t) y(i) / y(t)}``.

    Parameters, errors and shapes as in `elasticity`; one reverse sweep.

    Examples
    --------
    >>> from cgraph import from_equations, linearize
    >>> elasticities(linearize(from_equations("a = x^2; y = a * z", x=3.0, z=2.0)), "y")
    {'x': 2.0, 'z': 1.0, 'a': 1.0, 'y': 1.0}
    """
    S = sensitivities(L, t, derivative=derivative)
    return {i: relative(L, i, t, S[i]) for i in S if L.nodes[i].get("value") is not None}


def elasticities_from(L: nx.DiGraph[Any], s: Node, *, derivative: str = "derivative") -> dict[Any, Any]:
    """Return the elasticity of every node that has a value with respect to y(s): ``{i: S(s,i) y(s) / y(i)}``.

    Parameters, errors and shapes as in `elasticity`; a node of value 0 is left out. One forward sweep.
    """
    S = sensitivities_from(L, s, derivative=derivative)
    known = (i for i in S if L.nodes[i].get("value") is not None and np.all(L.nodes[i]["value"]))
    return {i: relative(L, s, i, S[i]) for i in known}


def edge_elasticities(
    L: nx.DiGraph[Any], s: Node, t: Node, *, derivative: str = "derivative"
) -> dict[tuple[Any, Any], Any]:
    """Return how much of the elasticity of y(t) with respect to y(s) flows through each edge.

    ``{(i, j): S(s,i) z(i,j) S(j,t) y(s) / y(t)}``, 0.0 for an edge on no path from `s` to `t`. Parameters, errors and shapes as
    in `elasticity`; two sweeps.
    """
    flows = edge_sensitivities(L, s, t, derivative=derivative)
    return {edge: relative(L, s, t, flow) for edge, flow in flows.items()}


def path_elasticities(
    L: nx.DiGraph[Any], s: Node, t: Node, k: int | None = None, *, derivative: str = "derivative"
) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Iterate over paths and the elasticity along each, as `paths` and `top_paths` do over products.

    Parameters
    ----------
    L, s, t, derivative
        As in `elasticity`.
    k : int, optional
        Only the `k` strongest paths, the strongest first; by default all of them.

    Examples
    --------
    >>> from cgraph import from_equations, linearize
    >>> L = linearize(from_equations("a = x^2; y = a + x", x=2.0))
    >>> dict(path_elasticities(L, "x", "y", k=1))  # 4 * 2 / 6
    {('x', 'a', 'y'): 1.3333333333333333}
    """
    found = paths(L, s, t, derivative=derivative) if k is None else iter(top_paths(L, s, t, k, derivative=derivative))
    return ((path, relative(L, s, t, product)) for path, product in found)


def relative(L: nx.DiGraph[Any], s: Node, t: Node, part: Any) -> Any:
    """Return a part of S(s,t), what flows through an edge or along a path, times y(s) / y(t)."""
    above, below = _value(L, s), _value(L, t)
    if not np.all(below):
        raise EvaluationError(f"node {t!r} is 0, or has an entry of 0, and no change of it can be given in per cent")
    if np.ndim(part) == 0:
        return float(part * above / below)
    return np.asarray(part) * np.reshape(above, (1, -1)) / np.reshape(below, (-1, 1))


def _value(L: nx.DiGraph[Any], i: Node) -> Any:
    require_node(L, i)
    value = L.nodes[i].get("value")
    if value is None:
        raise MissingValueError(f"node {i!r} has no value, and an elasticity needs it; give it one")
    return value
