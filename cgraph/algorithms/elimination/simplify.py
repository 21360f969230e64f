"""Smaller graphs with the same Jacobian: steps to take before an order is sought, as `drop_zero_edges` is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import networkx as nx

from cgraph.algorithms.elimination.elimination_graph import EliminationGraph, given_ends
from cgraph.model.graph import Node

__all__ = ["drop_useless", "merge_copies"]


def drop_useless(
    L: nx.DiGraph[Any], *, inputs: Iterable[Node] | None = None, outputs: Iterable[Node] | None = None
) -> nx.DiGraph[Any]:
    """Return `L` without the nodes that no input reaches or that reach no output.

    Parameters
    ----------
    L, inputs, outputs
        As in `eliminate`.

    Returns
    -------
    networkx.DiGraph
        What lies on paths from inputs to outputs, and the inputs and outputs themselves.

    Raises
    ------
    NodeNotFound
        If an input or output is not in `L`.

    Notes
    -----
    O(V + E).

    Examples
    --------
    >>> L = nx.DiGraph([("x", "a"), ("a", "y"), ("c", "a"), ("a", "dead")])
    >>> list(drop_useless(L, inputs=["x"], outputs=["y"]))
    ['x', 'a', 'y']
    """
    sources, sinks = given_ends(L, inputs, outputs)
    useful = _reached(L.succ, sources) & _reached(L.pred, sinks)
    return nx.DiGraph(L.subgraph([i for i in L if i in useful or i in sources or i in sinks]))


def merge_copies(
    L: nx.DiGraph[Any],
    *,
    inputs: Iterable[Node] | None = None,
    outputs: Iterable[Node] | None = None,
    unit: str = "unit",
    derivative: str = "derivative",
) -> nx.DiGraph[Any]:
    """Return `L` with every copy of a node merged into that node.

    A copy is a node with a single edge into it, marked as unit, of derivative +1: it has the same derivatives as its
    predecessor. Its edges then leave the predecessor, and parallel ones add.

    Parameters
    ----------
    L, inputs, outputs, unit, derivative
        As in `eliminate`; an input or output is kept, even if it is a copy.

    Returns
    -------
    networkx.DiGraph
        With fewer nodes and the same Jacobian. Merging takes a decision away from the search: an order of the larger
        graph can be cheaper.

    Raises
    ------
    CGraphError
        As `eliminate`.

    Notes
    -----
    O(V + E).

    Examples
    --------
    >>> L = nx.DiGraph()
    >>> L.add_weighted_edges_from([("x", "a", 2.0), ("a", "b", 1.0), ("b", "y", 5.0), ("a", "y", 3.0)], "derivative")
    >>> L.edges["a", "b"]["unit"] = True
    >>> list(merge_copies(L).edges(data="derivative"))
    [('x', 'a', 2.0), ('a', 'y', 8.0)]
    """
    E = EliminationGraph(L, inputs, outputs, cost="unit", unit=unit, derivative=derivative)
    kept = {*E.inputs.values(), *E.outputs.values()}
    copies = [j for j in E.topological if j not in kept and _is_copy(E, j)]
    for j in copies:
        (i,) = E.pred[j]
        for k in E.succ[j]:
            E.bypass(i, j, k)
        E.remove_node(j)
    merged: nx.DiGraph[Any] = nx.DiGraph()
    merged.add_nodes_from((i, data) for i, data in L.nodes(data=True) if i not in set(copies))
    for i in merged:
        for j, partial in E.succ[i].items():
            if j in merged:
                merged.add_edge(i, j, **{**L.get_edge_data(i, j, {}), derivative: partial.value, unit: partial.free})
    return merged


def _is_copy(E: EliminationGraph, j: Node) -> bool:
    return len(E.pred[j]) == 1 and all(partial.free and partial.value == 1 for partial in E.pred[j].values())


def _reached(adjacent: Any, ends: Iterable[Node]) -> set[Any]:
    reached, new = set(ends), list(ends)
    while new:
        found = [j for j in adjacent[new.pop()] if j not in reached]
        reached.update(found)
        new += found
    return reached
