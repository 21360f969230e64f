"""Graphs whose attributes are numbers, text and lists alone, as other programs read them."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np

from cgraph.model.graph import require_digraph
from cgraph.model.operations.structured_jacobians import Jacobian

__all__ = ["to_networkx"]

PLAIN = (bool, int, float, str)


def to_networkx(G: nx.DiGraph[Any]) -> nx.DiGraph[Any]:
    """Return a copy of `G` that holds plain data, for other programs and libraries.

    Parameters
    ----------
    G : networkx.DiGraph
        Linearized or not. Not modified.

    Returns
    -------
    networkx.DiGraph
        The same nodes and edges. Numbers, text and flags stay as they are; arrays become nested lists, and so do
        Jacobians, written out; what has no plain form, such as a parsed equation beside its text, is left out.

    Raises
    ------
    EvaluationError
        If a Jacobian is too large to be written out.

    Examples
    --------
    >>> from cgraph import from_equations, linearize
    >>> L = linearize(from_equations("y = sum(v^2)", v=[1.0, 3.0]))
    >>> N = to_networkx(L)
    >>> N.nodes["v"], N.edges["v", "y"]
    ({'role': 'input', 'value': [1.0, 3.0]}, {'derivative': [[2.0, 6.0]]})
    >>> type(N).__name__, sorted(N.nodes["y"])
    ('DiGraph', ['equation', 'role', 'value'])
    """
    require_digraph(G)
    N: nx.DiGraph[Any] = nx.DiGraph(**_plain(G.graph))
    N.add_nodes_from((i, _plain(data)) for i, data in G.nodes(data=True))
    N.add_edges_from((i, j, _plain(data)) for i, j, data in G.edges(data=True))
    return N


def _plain(attributes: dict[str, Any]) -> dict[str, Any]:
    # The operands of an equation, as often as it names them, are its edges.
    found = {str(name): _as_plain(value) for name, value in attributes.items() if name != "operands"}
    return {name: value for name, value in found.items() if value is not None}


def _as_plain(value: Any) -> Any:
    """Return numbers, text, lists and dicts of them; None for what has no plain form."""
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, Jacobian):
        return value.dense().tolist()
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, list | tuple):
        parts = [_as_plain(part) for part in value]
        return parts if all(part is not None for part in parts) else None
    if isinstance(value, dict):
        return _plain(value)
    try:
        return float(value)  # a Fraction
    except (TypeError, ValueError, OverflowError):
        return None
