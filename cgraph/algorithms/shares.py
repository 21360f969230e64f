"""What paths and groups of nodes carry of S(s,t)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import networkx as nx

from cgraph.algorithms.compiled import CompiledGraph
from cgraph.algorithms.paths import top_paths
from cgraph.algorithms.sweeps import forward_sweep, reverse_sweep, sensitivity
from cgraph.model.errors import DerivativeError
from cgraph.model.graph import Node, list_of_nodes, require_node
from cgraph.model.linearized import (
    as_result,
    compose,
    edge_derivative,
    finished,
    identity,
    node_sizes,
    nodes_between,
    size_of,
)

__all__ = ["PathShare", "flow_through", "path_shares"]


class PathShare(NamedTuple):
    """A path and what it carries."""

    path: tuple[Any, ...]
    product: Any  # of the z along it, with its sign
    share: Any  # product / S(s,t); the shares of all paths add up to 1
    explained: Any  # S(s,t) of the paths down to this one, divided by S(s,t) of all


def path_shares(
    L: nx.DiGraph[Any] | CompiledGraph, s: Node, t: Node, k: int = 5, *, derivative: str = "derivative"
) -> list[PathShare]:
    """Return the `k` strongest paths from `s` to `t` with their signs, and the share of S(s,t) that they explain.

    Parameters
    ----------
    L : networkx.DiGraph or CompiledGraph
        Linearized, with numbers on its edges. Not modified.
    s, t : node
        Both ends.
    k : int, default 5
        How many.
    derivative : str, default "derivative"
        The edge attribute that holds z; a compiled graph has one only.

    Returns
    -------
    list of PathShare
        ``(path, product, share, explained)``, the largest ``|product|`` first. Where paths of both signs meet, shares may be
        negative or exceed 1; ``explained`` is the sum of the shares so far.

    Raises
    ------
    DerivativeError
        If S(s,t) is zero, of which there are no shares, or a Jacobian.
    CGraphError
        As `top_paths`.

    Notes
    -----
    As `top_paths`, and one sweep.

    Examples
    --------
    >>> G = nx.DiGraph()
    >>> G.add_weighted_edges_from([("x", "a", 2.0), ("a", "y", 5.0), ("x", "y", -2.0)], "derivative")
    >>> for row in path_shares(G, "x", "y"):
    ...     print(row.path, row.product, row.share, row.explained)
    ('x', 'a', 'y') 10.0 1.25 1.25
    ('x', 'y') -2.0 -0.25 1.0
    """
    if isinstance(L, CompiledGraph):
        S, found = L.sensitivity(s, t), L.top_paths(s, t, k)
    else:
        S, found = sensitivity(L, s, t, derivative=derivative), top_paths(L, s, t, k, derivative=derivative)
    if getattr(S, "ndim", 0):
        raise DerivativeError(f"S({s}, {t}) is a matrix; shares are parts of a number, such as a sum or an entry")
    if found and S == 0:
        raise DerivativeError(f"S({s}, {t}) is zero, and of zero there are no shares; top_paths() gives the products")
    rows: list[PathShare] = []
    so_far: Any = 0
    for path, product in found:
        so_far = so_far + product
        rows.append(PathShare(path, product, product / S, so_far / S))
    return rows


def flow_through(L: nx.DiGraph[Any], s: Node, t: Node, nodes: Iterable[Node], *, derivative: str = "derivative") -> Any:
    """Return what a group of nodes carries from `s` to `t`: the sum of the products of all paths that meet it.

    Parameters
    ----------
    L : networkx.DiGraph
        Linearized. Not modified.
    s, t : node
        Both ends.
    nodes : iterable of nodes
        The group, such as a supernode of an attribution graph. A path that meets several of them counts once.
    derivative : str, default "derivative"
        The edge attribute that holds z.

    Returns
    -------
    float or ndarray
        The part of S(s,t) that would be missing without them, in the same form as S(s,t).

    Raises
    ------
    CGraphError
        As `sensitivity`.

    Notes
    -----
    A path is counted at the first node of the group that it meets: the sum over g in the group of S(g,t) F(s,g), where
    F sums over the paths from s that meet no other before g. One sweep from each end, O(V + E).

    Examples
    --------
    >>> G = nx.DiGraph()
    >>> G.add_weighted_edges_from([("x", "a", 2.0), ("a", "b", 5.0), ("b", "y", 1.0), ("x", "y", 3.0)], "derivative")
    >>> flow_through(G, "x", "y", ["a", "b"]), flow_through(G, "x", "y", ["x"])
    (10.0, 13.0)
    """
    z = edge_derivative(L, derivative)
    group = list_of_nodes(nodes)
    require_node(L, s, t, *group)
    between = nodes_between(L, s, t)
    met = set(group) & set(between)
    to_t = reverse_sweep(L, between, {t: identity(size_of(L, t, derivative))}, z)
    # Nothing flows on from a node of the group, so that no path comes to a second one.
    cut = nx.subgraph_view(L, filter_edge=lambda i, _: i not in met)
    from_s = forward_sweep(cut, between, {s: identity(size_of(L, s, derivative))}, z)
    carried = sum(compose(to_t[g], from_s[g]) for g in between if g in met)
    return finished({(s, t): as_result(carried, node_sizes(L, derivative), s, t)})[0]
