"""S(s,t) = dy(t)/dy(s) by dynamic programming: one sweep, linear in nodes and edges.

Backward from t:   S(t,t) = 1,  S(i,t) = sum over edges (i,j) of S(j,t) z(i,j)
Forward from s:    S(s,s) = 1,  S(s,j) = sum over edges (i,j) of z(i,j) S(s,i)

Between arrays z(i,j) is a Jacobian, 1 the identity and the product that of matrices, the later derivative on the left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import networkx as nx

from cgraph.model.errors import CGraphError
from cgraph.model.graph import Node, require_node, topological_order
from cgraph.model.linearized import (
    as_result,
    compose,
    edge_derivative,
    finished,
    identity,
    node_sizes,
    nodes_between,
    require_digraph,
    size_of,
)

__all__ = ["cheaper_direction", "edge_sensitivities", "sensitivities", "sensitivities_from", "sensitivity"]

DIRECTIONS = ("reverse", "forward")


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
        ``{i: S(i,t)}`` in the order of `G`: floats, or whatever number type the edges hold; where y(i) or y(t) is an
        array, the Jacobian, an ndarray of shape (size of y(t), size of y(i)). 0.0, or zeros, where no path leads to `t`.

    Raises
    ------
    NodeNotFound
        If `t` is not in `G`.
    MissingDerivativeError, DerivativeError
        If an edge holds no derivative, or one that is neither a finite number nor a matrix that fits y(i) and y(j).
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
    O(V + E); between arrays a row for each entry of y(t) goes through every edge. A large graph of floats is compiled for
    the sweep, as by `compile_graph`, where that is faster. The recursion is Lemma 14 of MATH 565, lecture 27; 10-301/601, lecture 13, calls this order of the sum
    version A.

    Examples
    --------
    >>> G = nx.DiGraph()
    >>> G.add_weighted_edges_from([("x", "a", 2.0), ("a", "y", 5.0), ("x", "y", 3.0)], "derivative")
    >>> sensitivities(G, "y")  # S(x,y) = 5*2 along x-a-y, plus 3 along x-y
    {'x': 13.0, 'a': 5.0, 'y': 1.0}
    """
    z = edge_derivative(G, derivative)
    require_node(G, t)
    size = node_sizes(G, derivative)
    S = reverse_sweep(G, topological_order(G), {t: identity(size(t))}, z)
    return dict(zip(G, finished({(i, t): as_result(S[i], size, i, t) for i in G}), strict=True))


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
        ``{i: S(s,i)}`` in the order of `G`, as in `sensitivities`; 0.0, or zeros, where no path leads from `s`.

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
    size = node_sizes(G, derivative)
    S = forward_sweep(G, topological_order(G), {s: identity(size(s))}, z)
    return dict(zip(G, finished({(s, i): as_result(S[i], size, s, i) for i in G}), strict=True))


def sensitivity(
    G: nx.DiGraph[Any], s: Node, t: Node, *, direction: str | None = None, derivative: str = "derivative"
) -> Any:
    """Return S(s,t) = dy(t)/dy(s).

    Parameters
    ----------
    G, derivative
        As in `sensitivities`; only the part of `G` that leads to `t` is looked at, and only edges on paths from
        `s` to `t` need a derivative.
    s, t : node
        The node that is varied and the node whose value is differentiated.
    direction : {"reverse", "forward"}, optional
        Which sweep; by default the one that `cheaper_direction` names.

    Returns
    -------
    float or ndarray, shape (size of y(t), size of y(s))
        A number between numbers, of the number type that the edges hold; else the Jacobian, arrays being flattened
        by rows. 0.0, or zeros, if no path leads from `s` to `t`.

    Raises
    ------
    CGraphError
        As `sensitivities`, or if there is no such direction; a cycle is an error only between `s` and `t`.

    Notes
    -----
    O(V + E) of the part that leads to `t` (MATH 565, lectures 26 and 27). Between arrays of m and n entries the sweep
    carries min(m, n) rows or columns through every edge; of a number t it is one row, and no Jacobian is written out.

    Examples
    --------
    >>> G = nx.DiGraph()
    >>> G.add_weighted_edges_from([("x", "a", 2.0), ("a", "y", 5.0), ("x", "y", 3.0)], "derivative")
    >>> sensitivity(G, "x", "y"), sensitivity(G, "y", "x")
    (13.0, 0.0)
    >>> from cgraph import from_equations, linearize
    >>> L = linearize(from_equations("s = W @ x; y = squared_norm(s)", W=[[1, 2], [0, 1]], x=[1, 1]))
    >>> sensitivity(L, "x", "y")  # 2 s^T W with s = (3, 1)
    array([[ 6., 14.]])
    """
    z = edge_derivative(G, derivative)
    require_node(G, s, t)
    if direction not in {None, *DIRECTIONS}:
        raise CGraphError(f"there is no direction {direction!r}; the directions are {' and '.join(DIRECTIONS)}")
    size = node_sizes(G, derivative)
    between = nodes_between(G, s, t)
    if (direction or cheaper_direction(G, s, t, derivative=derivative)) == "reverse":
        S = reverse_sweep(G, between, {t: identity(size(t))}, z).get(s, 0)
    else:
        S = forward_sweep(G, between, {s: identity(size(s))}, z).get(t, 0)
    return finished({(s, t): as_result(S, size, s, t)})[0]


def cheaper_direction(G: nx.DiGraph[Any], s: Node, t: Node, *, derivative: str = "derivative") -> str:
    """Return which sweep finds S(s,t) with less work: "reverse", or "forward" where y(s) has fewer entries than y(t).

    Parameters
    ----------
    G, s, t, derivative
        As in `sensitivity`.

    Returns
    -------
    str
        "reverse" carries a row for each entry of y(t), "forward" a column for each entry of y(s).

    Raises
    ------
    CGraphError
        As `sensitivity`.

    Notes
    -----
    O(1) and the edges at `s` and `t` (CSE463, (5.53): the order of multiplication is free).

    Examples
    --------
    >>> from cgraph import from_equations, linearize
    >>> L = linearize(from_equations("y = t * v; J = squared_norm(y)", t=2.0, v=[1, 2, 3]))
    >>> cheaper_direction(L, "t", "y"), cheaper_direction(L, "v", "J")
    ('forward', 'reverse')
    """
    require_digraph(G)
    require_node(G, s, t)
    rows, columns = size_of(G, t, derivative) or 1, size_of(G, s, derivative) or 1
    return "forward" if columns < rows else "reverse"


def edge_sensitivities(
    G: nx.DiGraph[Any], s: Node, t: Node, *, derivative: str = "derivative"
) -> dict[tuple[Any, Any], Any]:
    """Return what flows from `s` to `t` through each edge: S(j,t) z(i,j) S(s,i).

    Parameters
    ----------
    G, s, t, derivative
        As in `sensitivity`.

    Returns
    -------
    dict
        ``{(i, j): S(j,t) z(i,j) S(s,i)}`` for every edge of `G`, in its order: the sum of the products of all
        paths through that edge, 0.0 off every path; between arrays matrices, all of the shape of S(s,t).

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
    z, size = edge_derivative(G, derivative), node_sizes(G, derivative)
    require_node(G, s, t)
    between = nodes_between(G, s, t)
    to_t = reverse_sweep(G, between, {t: identity(size(t))}, z)
    from_s = forward_sweep(G, between, {s: identity(size(s))}, z)
    flow = {
        (i, j): compose(compose(to_t[j], z(i, j)), from_s[i]) if i in from_s and j in to_t else 0 for i, j in G.edges
    }
    return dict(
        zip(G.edges, finished({edge: as_result(S, size, s, t) for edge, S in flow.items()}, "flow"), strict=True)
    )


# --- the recurrences --------------------------------------------------------------------------------------------------


def reverse_sweep(
    G: nx.DiGraph[Any], order: Sequence[Any], seeds: Mapping[Any, Any], z: Callable[..., Any]
) -> dict[Any, Any]:
    """Return {i: sum over t of seeds[t] S(i,t)} for the nodes of `order`, which is topological."""
    return {i: S for i, _, S in reverse_steps(G, order, seeds, z)}


def reverse_steps(
    G: nx.DiGraph[Any], order: Sequence[Any], seeds: Mapping[Any, Any], z: Callable[..., Any]
) -> Iterator[tuple[Any, dict[Any, Any], Any]]:
    """Iterate over the steps of the sweep: a node i, the terms {j: S(j,t) z(i,j)}, and S(i,t) (version A)."""
    S: dict[Any, Any] = {}
    for i in reversed(order):
        terms = {j: compose(S[j], z(i, j)) for j in G.successors(i) if j in S}
        S[i] = sum(terms.values(), seeds.get(i, 0))
        yield i, terms, S[i]


def increments(
    G: nx.DiGraph[Any], order: Sequence[Any], seeds: Mapping[Any, Any], z: Callable[..., Any]
) -> Iterator[tuple[Any, Any, Any, Any]]:
    """Iterate over the steps by increments: visit j, add S(j,t) z(i,j) to S(i,t); yield j, i, that term, the sum."""
    S: dict[Any, Any] = dict.fromkeys(order, 0) | dict(seeds)
    for j in reversed(order):
        for i in G.predecessors(j):
            if i in S:
                term = compose(S[j], z(i, j))
                S[i] = S[i] + term
                yield j, i, term, S[i]


def forward_sweep(
    G: nx.DiGraph[Any], order: Sequence[Any], seeds: Mapping[Any, Any], z: Callable[..., Any]
) -> dict[Any, Any]:
    """Return {j: sum over s of S(s,j) seeds[s]} for the nodes of `order`, which is topological."""
    S: dict[Any, Any] = {}
    for j in order:
        S[j] = sum((compose(z(i, j), S[i]) for i in G.predecessors(j) if i in S), seeds.get(j, 0))
    return S
