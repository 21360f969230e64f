"""Paths from s to t: how many there are, what each contributes, and which contribute most.

The path-sum formula: S(s,t) is the sum, over all paths from s to t, of the product of the z along the path
(MATH 565, lecture 26). There may be exponentially many paths; what needs them all says so before it starts.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count, pairwise
from numbers import Integral
from typing import Any, NamedTuple

import networkx as nx
import numpy as np

from cgraph.algorithms.path_counts import count_in_order
from cgraph.model.errors import CGraphError, TooManyPathsError
from cgraph.model.graph import Node, require_node
from cgraph.model.linearized import (
    as_result,
    compose,
    edge_derivative,
    finished,
    identity,
    node_sizes,
    nodes_between,
    require_digraph,
)
from cgraph.model.operations.structured_jacobians import Jacobian

__all__ = ["PATH_LIMIT", "count_paths", "path_sum", "paths", "top_paths"]

PATH_LIMIT = 1_000_000
# What a departure loses against the strongest path, a number that keeps the heap from comparing nodes, a path to
# follow up to a position, the position, and the rank of the edge to take from there.
_Departure = tuple[float, int, list[Any], int, int]
LOG_OF_ZERO = -1e15  # below the logarithm of any product, and finite, so that differences exist


def count_paths(G: nx.DiGraph[Any], s: Node, t: Node) -> int:
    """Return the number of paths from `s` to `t`, exactly.

    Parameters
    ----------
    G : networkx.DiGraph
        Acyclic between `s` and `t`; the edges need hold nothing. Not modified.
    s, t : node
        Both ends. From a node to itself there is one path, of no edges.

    Returns
    -------
    int
        Of any size.

    Raises
    ------
    NodeNotFound
        If `s` or `t` is not in `G`.
    CycleError
        If there is a cycle between them.

    Notes
    -----
    The forward sweep with every z = 1: O(V + E) additions of integers with at most as many digits as the answer. Where
    the paths pass through at most eight nodes at a time, the counts before and after these are multiplied as matrices, so
    that the integers that are added stay short.

    Examples
    --------
    >>> G = nx.DiGraph([("x", "a"), ("a", "y"), ("x", "y")])
    >>> count_paths(G, "x", "y"), count_paths(G, "y", "x"), count_paths(G, "x", "x")
    (2, 0, 1)
    """
    require_digraph(G)
    require_node(G, s, t)
    order = nodes_between(G, s, t)
    inside = set(order)
    if not order:
        return 0
    return count_in_order(s, t, order, lambda i: [j for j in G.successors(i) if j in inside])


def paths(
    G: nx.DiGraph[Any], s: Node, t: Node, *, limit: int | None = PATH_LIMIT, derivative: str = "derivative"
) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Iterate over all paths from `s` to `t`, each with the product of the z along it.

    Parameters
    ----------
    G, s, t, derivative
        As in `sensitivity`.
    limit : int or None, default 1,000,000
        The most paths to iterate over; None for no limit.

    Yields
    ------
    path : tuple of nodes
        From `s` to `t`, in the order of a depth-first search.
    product : float or ndarray
        z(v_{k-1},t) ... z(v_1,v_2) z(s,v_1), the term nearest to `s` on the right; 1.0 for the path of no edges. Between
        arrays a matrix of shape (size of y(t), size of y(s)).

    Raises
    ------
    TooManyPathsError
        At the call, before anything is enumerated, with the exact count.
    CGraphError
        As `sensitivity`.

    Notes
    -----
    Paths share the products of their common beginnings, and only nodes between `s` and `t` are visited, so the
    time is at most proportional to the total length of the paths (MATH 565, lecture 26).

    Examples
    --------
    >>> G = nx.DiGraph()
    >>> G.add_weighted_edges_from([("x", "a", 2.0), ("a", "y", 5.0), ("x", "y", 3.0)], "derivative")
    >>> list(paths(G, "x", "y"))
    [(('x', 'a', 'y'), 10.0), (('x', 'y'), 3.0)]
    """
    z = edge_derivative(G, derivative)
    number = count_paths(G, s, t)
    if limit is not None and number > limit:
        raise TooManyPathsError(s, t, number, limit)
    return _walk(G, s, t, z, derivative)


def path_sum(
    G: nx.DiGraph[Any], s: Node, t: Node, *, limit: int | None = PATH_LIMIT, derivative: str = "derivative"
) -> Any:
    """Return S(s,t) as the sum over all paths, which are listed one by one.

    Parameters
    ----------
    G, s, t, limit, derivative
        As in `paths`.

    Returns
    -------
    float or ndarray
        The sum of the products of all paths. It equals `sensitivity`, which takes exponentially less work.

    Raises
    ------
    CGraphError
        As `paths`.

    Notes
    -----
    As `paths` (MATH 565, lecture 26).

    Examples
    --------
    >>> G = nx.DiGraph()
    >>> G.add_weighted_edges_from([("x", "a", 2.0), ("a", "y", 5.0), ("x", "y", 3.0)], "derivative")
    >>> path_sum(G, "x", "y")
    13.0
    """
    total = sum(product for _, product in paths(G, s, t, limit=limit, derivative=derivative))
    return finished({(s, t): as_result(total, node_sizes(G, derivative), s, t)})[0]


def top_paths(
    G: nx.DiGraph[Any], s: Node, t: Node, k: int = 5, *, derivative: str = "derivative"
) -> list[tuple[tuple[Any, ...], Any]]:
    """Return the `k` paths from `s` to `t` with the largest ``|product|``, the largest first.

    Between arrays ``|product|`` is the Frobenius norm of the matrix.

    Parameters
    ----------
    G, s, t, derivative
        As in `sensitivity`; the derivatives are numbers, not symbols.
    k : int, default 5
        How many; fewer are returned if there are fewer. Of more than a million paths, not more than a million can be
        asked for.

    Returns
    -------
    list of (path, product)
        As `paths` yields them. Products too small for a float are ranked rightly and shown as 0.0.

    Raises
    ------
    CGraphError
        As `sensitivity`, or if `k` is negative.

    Notes
    -----
    The strongest way from every node to `t` comes from one sweep of maxima. Every other path leaves the
    strongest one somewhere for a second-best edge; the next best of those departures are taken from a heap
    [1]_. O(V + E) for the sweep, then O(L log kL) and the edges at the L nodes for each path of length L,
    however many paths there are. The norm of a product of matrices is not the product of norms: where a derivative
    is a Jacobian, all paths are compared, and more than a million are refused.

    References
    ----------
    .. [1] E. L. Lawler, "A procedure for computing the K best solutions to discrete optimization problems and
       its application to the shortest path problem", Management Science 18(7), 1972.

    Examples
    --------
    >>> G = nx.DiGraph()
    >>> G.add_weighted_edges_from([("x", "a", 2.0), ("a", "y", -5.0), ("x", "y", 3.0)], "derivative")
    >>> top_paths(G, "x", "y", k=1)
    [(('x', 'a', 'y'), -10.0)]
    """
    z = edge_derivative(G, derivative)
    require_node(G, s, t)
    require_count(k)
    order = nodes_between(G, s, t)
    if not order:
        return []
    if k > PATH_LIMIT and (number := count_paths(G, s, t)) > PATH_LIMIT:
        raise TooManyPathsError(s, t, number, PATH_LIMIT)
    if _holds_jacobians(G, order, derivative):
        return heapq.nlargest(
            k, paths(G, s, t, derivative=derivative), key=lambda found: float(np.linalg.norm(found[1]))
        )
    found = strongest_first(s, k, _ways(G, order, t, z))
    products = finished({tuple(path): _product(path, z) for path in found}, "product")
    return list(zip(map(tuple, found), products, strict=True))


def require_count(k: Any) -> None:
    """Raise `CGraphError` unless `k` paths can be asked for."""
    if not isinstance(k, Integral) or k < 0:
        raise CGraphError(f"k = {k!r} paths were asked for; k counts paths: a whole number, and not a negative one")


def strongest_first(start: Any, k: int, ways_from: Callable[[Any], list[Way]]) -> list[list[Any]]:
    """Return the first `k` paths from `start` to where no way leads on, those that lose the least first.

    ``ways_from(i)`` lists the ways from i, the strongest first; a path is the list of `start` and the heads.
    """
    found: list[list[Any]] = []
    number = count()
    departures: list[_Departure] = [(0.0, next(number), [start], 0, 0)]
    while departures and len(found) < k:
        loss, _, followed, p, rank = heapq.heappop(departures)
        path = followed[: p + 1]
        while ways := ways_from(path[-1]):
            path.append(ways[rank if len(path) == p + 1 else 0].head)
        found.append(path)
        # Of the departures from one path, no more than the paths still wanted can ever be taken.
        for departure in heapq.nsmallest(k - len(found), _departures(path, p, rank, loss, ways_from, number)):
            heapq.heappush(departures, departure)
    return found


def _departures(
    path: list[Any], p: int, rank: int, loss: float, ways_from: Callable[[Any], list[Way]], number: Iterator[int]
) -> Iterator[_Departure]:
    """Iterate over the next best ways off `path`, which itself left another at position `p` by the way `rank`."""
    for q in range(p, len(path) - 1):
        ways = ways_from(path[q])
        taken = rank if q == p else 0
        if taken + 1 < len(ways):
            yield loss - ways[taken].loss + ways[taken + 1].loss, next(number), path, q, taken + 1


class Way(NamedTuple):
    """An edge to `head`, and what log |product| loses on it against the strongest way to t."""

    loss: float
    head: Any


def _ways(G: nx.DiGraph[Any], order: list[Any], t: Node, z: Callable[..., Any]) -> Callable[[Node], list[Way]]:
    """Return the function that lists the ways from a node towards `t`, the strongest first."""

    def log_abs(i: Node, j: Node) -> float:
        size = abs(z(i, j))
        return math.log(size) if size else LOG_OF_ZERO

    best = {t: 0.0}
    for i in reversed(order):
        if i != t:
            best[i] = max(log_abs(i, j) + best[j] for j in G.successors(i) if j in best)

    @cache
    def ways_from(i: Node) -> list[Way]:
        ways = (Way(best[i] - (log_abs(i, j) + best[j]), j) for j in G.successors(i) if j in best)
        return sorted(ways, key=lambda way: way.loss)

    return ways_from


def _walk(
    G: nx.DiGraph[Any], s: Node, t: Node, z: Callable[..., Any], derivative: str
) -> Iterator[tuple[tuple[Any, ...], Any]]:
    inside = set(nodes_between(G, s, t))
    if not inside:
        return
    size = node_sizes(G, derivative)
    one = identity(size(s))
    path, products = [s], [one]
    branch = [iter(G.successors(s))]
    if s == t:
        yield (s,), finished({(s,): as_result(one, size, s, t)})[0]
        return
    while branch:
        for j in branch[-1]:
            if j in inside:
                product = compose(z(path[-1], j), products[-1])
                if j == t:
                    yield (*path, t), finished({(*path, t): as_result(product, size, s, t)}, "product")[0]
                    continue
                path.append(j)
                products.append(product)
                branch.append(iter(G.successors(j)))
                break
        else:
            branch.pop()
            path.pop()
            products.pop()


def _holds_jacobians(G: nx.DiGraph[Any], nodes: list[Any], derivative: str) -> bool:
    return any(isinstance(data.get(derivative), Jacobian | np.ndarray) for _, _, data in G.out_edges(nodes, data=True))


def _product(path: list[Any], z: Callable[..., Any]) -> Any:
    product: Any = 1
    for i, j in pairwise(path):
        product = compose(z(i, j), product)
    return product
