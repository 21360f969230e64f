"""S(s,t) = dy(t)/dy(s) by dynamic programming: one sweep, linear in nodes and edges.

Backward from t:   S(t,t) = 1,  S(i,t) = sum over edges (i,j) of S(j,t) z(i,j)
Forward from s:    S(s,s) = 1,  S(s,j) = sum over edges (i,j) of z(i,j) S(s,i)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import networkx as nx

from cgraph.algorithms.compiled import compile_if_it_pays
from cgraph.algorithms.linearized import edge_derivative, finite, nodes_between
from cgraph.model.graph import Node, require_node, topological_order

__all__ = ["edge_sensitivities", "sensitivities", "sensitivities_from", "sensitivity"]


def sensitivities(G: nx.DiGraph[Any], t: Node, *, derivative: str = "derivative") -> dict[Any, Any]:
    """Return S(i,t) = dy(t)/dy(i) for every node i: one reverse sweep.

    Parameters
    ----------
    G : networkx.DiGraph
        Acyclic; edge (i, j) holds z(i,j) = dy(j)/dy(i). Not modified.
    t : node
        The node whose value is differentiated.
    derivative : str, default "derivative"
        The edge attribute that holds z.

    Returns
    -------
    dict
        ``{i: S(i,t)}`` in the order of `G`; floats, or whatever number type the edges hold. 0.0 where no path
        leads to `t`.

    Raises
    ------
    NodeNotFound
        If `t` is not in `G`.
    MissingDerivativeError, DerivativeError
        If an edge holds no derivative, or one that is not a finite number.
    CycleError
        If `G` has a cycle.
    EvaluationError
        If a sensitivity overflows.

    See Also
    --------
    sensitivities_from : the other direction, from one node to all.
    sensitivity : one pair.

    Notes
    -----
    O(V + E), by way of `compile_graph` where that is faster. The recursion is Lemma 14 of MATH 565, lecture 27;
    10-301/601, lecture 13, calls this order of
    the sum version A.

    Examples
    --------
    >>> G = nx.DiGraph()
    >>> G.add_weighted_edges_from([("x", "a", 2.0), ("a", "y", 5.0), ("x", "y", 3.0)], "derivative")
    >>> sensitivities(G, "y")  # S(x,y) = 5*2 along x-a-y, plus 3 along x-y
    {'x': 13.0, 'a': 5.0, 'y': 1.0}
    """
    z = edge_derivative(G, derivative)
    require_node(G, t)
    if (C := compile_if_it_pays(G, 1, derivative)) is not None:
        return dict(zip(G, C.sensitivities(t).tolist(), strict=True))
    S = reverse_sweep(G, topological_order(G), {t: 1}, z)
    return dict(zip(G, finite({(i, t): S[i] for i in G}), strict=True))


def sensitivities_from(G: nx.DiGraph[Any], s: Node, *, derivative: str = "derivative") -> dict[Any, Any]:
    """Return S(s,i) = dy(i)/dy(s) for every node i: one forward sweep.

    Parameters
    ----------
    G, derivative
        As in `sensitivities`.
    s : node
        The node that is varied.

    Returns
    -------
    dict
        ``{i: S(s,i)}`` in the order of `G`; 0.0 where no path leads from `s`.

    Raises
    ------
    CGraphError
        As `sensitivities`.

    Notes
    -----
    O(V + E); the recursion of Lemma 14 (MATH 565, lecture 27), read from the tail of each path instead of its
    head.

    Examples
    --------
    >>> G = nx.DiGraph()
    >>> G.add_weighted_edges_from([("x", "a", 2.0), ("a", "y", 5.0), ("x", "y", 3.0)], "derivative")
    >>> sensitivities_from(G, "x")
    {'x': 1.0, 'a': 2.0, 'y': 13.0}
    """
    z = edge_derivative(G, derivative)
    require_node(G, s)
    if (C := compile_if_it_pays(G, 1, derivative)) is not None:
        return dict(zip(G, C.sensitivities_from(s).tolist(), strict=True))
    S = forward_sweep(G, topological_order(G), s, z)
    return dict(zip(G, finite({(s, i): S[i] for i in G}), strict=True))


def sensitivity(G: nx.DiGraph[Any], s: Node, t: Node, *, derivative: str = "derivative") -> Any:
    """Return S(s,t) = dy(t)/dy(s).

    Parameters
    ----------
    G, derivative
        As in `sensitivities`; only the part of `G` that leads to `t` is looked at, and only edges on paths from
        `s` to `t` need a derivative.
    s, t : node
        The node that is varied and the node whose value is differentiated.

    Returns
    -------
    float
        Or the number type that the edges hold. 0.0 if no path leads from `s` to `t`.

    Raises
    ------
    CGraphError
        As `sensitivities`; a cycle is an error only between `s` and `t`.

    Notes
    -----
    O(V + E) of the part that leads to `t` (MATH 565, lectures 26 and 27).

    Examples
    --------
    >>> G = nx.DiGraph()
    >>> G.add_weighted_edges_from([("x", "a", 2.0), ("a", "y", 5.0), ("x", "y", 3.0)], "derivative")
    >>> sensitivity(G, "x", "y"), sensitivity(G, "y", "x")
    (13.0, 0.0)
    """
    z = edge_derivative(G, derivative)
    require_node(G, s, t)
    S = reverse_sweep(G, nodes_between(G, s, t), {t: 1}, z)
    return finite({(s, t): S.get(s, 0)})[0]


def edge_sensitivities(
    G: nx.DiGraph[Any], s: Node, t: Node, *, derivative: str = "derivative"
) -> dict[tuple[Any, Any], Any]:
    """Return what flows from `s` to `t` through each edge: S(s,i) z(i,j) S(j,t).

    Parameters
    ----------
    G, s, t, derivative
        As in `sensitivity`.

    Returns
    -------
    dict
        ``{(i, j): S(j,t) z(i,j) S(s,i)}`` for every edge of `G`, in its order: the sum of the products of all
        paths through that edge, 0.0 off every path.

    Raises
    ------
    CGraphError
        As `sensitivity`.

    Notes
    -----
    One sweep from each end, O(V + E). The edges of any cut between `s` and `t` add up to S(s,t).

    Examples
    --------
    >>> G = nx.DiGraph()
    >>> G.add_weighted_edges_from([("x", "a", 2.0), ("a", "y", 5.0), ("x", "y", 3.0)], "derivative")
    >>> edge_sensitivities(G, "x", "y")
    {('x', 'a'): 10.0, ('x', 'y'): 3.0, ('a', 'y'): 10.0}
    """
    z = edge_derivative(G, derivative)
    require_node(G, s, t)
    between = nodes_between(G, s, t)
    to_t = reverse_sweep(G, between, {t: 1}, z)
    from_s = forward_sweep(G, between, s, z)
    flow = {(i, j): to_t[j] * z(i, j) * from_s[i] if i in from_s and j in to_t else 0 for i, j in G.edges}
    return dict(zip(G.edges, finite(flow, "flow"), strict=True))


def reverse_sweep(
    G: nx.DiGraph[Any], order: Sequence[Any], seeds: Mapping[Any, Any], z: Callable[..., Any]
) -> dict[Any, Any]:
    """Return {i: sum over t of seeds[t] S(i,t)} for the nodes of `order`, which stand tails before heads."""
    S: dict[Any, Any] = {}
    for i in reversed(order):
        S[i] = seeds.get(i, 0) + sum(S[j] * z(i, j) for j in G.successors(i) if j in S)
    return S


def forward_sweep(G: nx.DiGraph[Any], order: Sequence[Any], s: Node, z: Callable[..., Any]) -> dict[Any, Any]:
    """Return {j: S(s,j)} for the nodes of `order`, which stand tails before heads."""
    S: dict[Any, Any] = {}
    for j in order:
        S[j] = int(j == s) + sum(z(i, j) * S[i] for i in G.predecessors(j) if i in S)
    return S
