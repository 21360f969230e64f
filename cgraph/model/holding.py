"""Computed nodes that are held at a value, for what-if questions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cgraph.model.errors import InvalidNodeError, shorten
from cgraph.model.graph import ComputationalGraph, require_node
from cgraph.model.values import as_value, is_finite

__all__ = ["held"]

_COMPUTED = ("equation", "operands", "expression", "activation", "preactivation", "gate")


def held(G: ComputationalGraph, values: Mapping[str, Any]) -> ComputationalGraph:
    """Return a copy of `G` in which some computed nodes are inputs of a given value, with no edges into them.

    Raises
    ------
    NodeNotFound
        If there is no such node.
    InvalidNodeError
        If a node is given already, or a value is no finite number or array.

    Examples
    --------
    >>> from cgraph import from_equations
    >>> H = held(from_equations("a = 2*x; y = a + x", x=1.0), {"a": 5.0})
    >>> list(H.edges), H.inputs
    ([('x', 'y'), ('a', 'y')], ['x', 'a'])
    """
    H = G.copy()
    for i, value in values.items():
        require_node(H, i)
        if not H.pred[i] and "expression" not in H.nodes[i]:
            role = H.nodes[i].get("role", "input")
            raise InvalidNodeError(f"node {i!r} cannot be held: it is no computed node but an {role}")
        try:
            found = as_value(value)
        except (TypeError, ValueError) as error:
            raise InvalidNodeError(f"node {i!r} cannot be held at {shorten(repr(value))}, which {error}") from None
        if not is_finite(found):
            raise InvalidNodeError(f"node {i!r} cannot be held at {shorten(repr(value))}, which is not finite")
        H.remove_edges_from(list(H.in_edges(i)))
        for key in _COMPUTED:
            H.nodes[i].pop(key, None)
        H.nodes[i].update(role="input", value=found)
    return H
