"""The part of a graph that carries most of what flows from s to t.

What all paths carry together, without regard to sign, is A(s,t), the sum over paths of |product|: the same sweeps
with |z| on the edges. A path is lost if one of its edges is cut, and it is counted where it meets the first:

    error <= sum over cut edges (i,j) of A'(s,i) |z(i,j)| A(j,t)

where A' sums over the paths that are kept.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import networkx as nx
import numpy as np

from cgraph.algorithms.compiled import CompiledGraph, compile_graph
from cgraph.algorithms.compiled.edge_arrays import Floats, Index
from cgraph.algorithms.sweeps import sensitivity
from cgraph.model.errors import CGraphError
from cgraph.model.graph import Node

__all__ = ["Pruned", "prune"]


class Pruned(NamedTuple):
    """A pruned graph, and what is proven of it."""

    graph: Any  # the kept edges and their nodes, of the kind that was given
    sensitivity: float  # S(s,t) of it
    error_bound: float  # |S(s,t) of the whole - sensitivity| is at most this
    kept: float  # the share of A(s,t), what all paths carry without regard to sign, that it keeps


def prune(
    L: nx.DiGraph[Any] | CompiledGraph, s: Node, t: Node, *, keep: float = 0.99, derivative: str = "derivative"
) -> Pruned:
    """Return the smallest part of a graph, by flow, that keeps a share of what flows from `s` to `t`.

    Parameters
    ----------
    L : networkx.DiGraph or CompiledGraph
        Linearized, with real numbers on its edges. Not modified.
    s, t : node
        The source and the target of what flows.
    keep : float, default 0.99
        The share of A(s,t) to keep, above 0 and at most 1, where A(s,t) is the sum of |product| over all paths.
    derivative : str, default "derivative"
        The edge attribute that holds z.

    Returns
    -------
    Pruned
        ``.graph``, the edges that carry most, with their nodes and attributes; ``.sensitivity``, its S(s,t);
        ``.error_bound``, an upper bound of the difference to S(s,t) of the whole graph; ``.kept``, the share of A(s,t)
        that it keeps, at least `keep`. Of a compiled graph it is compiled again, with `s` and `t` always among its nodes.

    Raises
    ------
    CGraphError
        If `keep` is not in (0, 1], or no path leads from `s` to `t`.
    DerivativeError
        If an edge holds something else than a finite real number.

    See Also
    --------
    edge_sensitivities : what flows through each edge.
    flow_through : what a group of nodes carries.

    Notes
    -----
    Edges are ranked by the sum of |product| of the paths through them, and the weakest are cut as long as the share is
    kept: no smaller graph is reached by cutting edges in that order. How many may go is found by bisection, a sweep for
    each step: O((V + E) log E). The bound is the sum of |product| over the paths that were cut, each counted at the first
    edge that is missing, not a difference of two sums; rounding is some 1e-16 of it.

    Examples
    --------
    >>> G = nx.DiGraph()
    >>> G.add_weighted_edges_from([("x", "a", 2.0), ("a", "y", 5.0), ("x", "y", -0.25)], "derivative")
    >>> pruned = prune(G, "x", "y", keep=0.9)
    >>> list(pruned.graph.edges), pruned.sensitivity, pruned.error_bound
    ([('x', 'a'), ('a', 'y')], 10.0, 0.25)
    """
    if not 0 < keep <= 1:
        raise CGraphError(f"keep must be above 0 and at most 1, not {keep!r}")
    C = L if isinstance(L, CompiledGraph) else compile_graph(L, derivative=derivative)
    paths = _Paths(C, s, t)
    if paths.whole == 0:
        raise CGraphError(f"no path leads from {s!r} to {t!r} whose product is not zero")
    cut = paths.most_to_cut(keep)
    bound = paths.lost(cut)
    edges = np.flatnonzero(paths.flow_without(cut) > 0)
    graph = _part(L, C, paths, edges)
    S = graph.sensitivity(s, t) if L is C else sensitivity(graph, s, t, derivative=derivative)
    return Pruned(graph, float(S), bound, 1 - bound / paths.whole)


class _Paths:
    """The paths of `C` from `s` to `t`, with |z| on the edges, of which some may be cut."""

    def __init__(self, C: CompiledGraph, s: Node, t: Node) -> None:
        self.tails, self.heads, z = C.edge_arrays()
        self.size, self.s, self.t = np.abs(z), s, t
        self._work = CompiledGraph.from_edges(self.tails, self.heads, self.size, nodes=C.nodes)
        self.whole = self._work.sensitivity(s, t)

    def most_to_cut(self, keep: float) -> Index:
        """Return the weakest edges, as many as may be cut if a share `keep` is to flow on."""
        flow = self._work.edge_sensitivities(self.s, self.t)
        weakest_first = np.argsort(flow, kind="stable")
        low, high = int(np.count_nonzero(flow == 0)), len(flow)
        while high - low > 1:
            middle = (low + high) // 2
            self._cut(weakest_first[:middle])
            flows_on = self._work.sensitivity(self.s, self.t) >= keep * self.whole
            low, high = (middle, high) if flows_on else (low, middle)
        return weakest_first[:low]

    def lost(self, cut: Index) -> float:
        """Return what the paths through the edges `cut` carry, each counted at the first of them that it meets."""
        self._cut(cut[:0])
        to_t = self._work.sensitivities(self.t)
        self._cut(cut)
        from_s = self._work.sensitivities_from(self.s)
        return math.fsum((from_s[self.tails[cut]] * self.size[cut] * to_t[self.heads[cut]]).tolist())

    def flow_without(self, cut: Index) -> Floats:
        """Return what still flows through each edge: nothing through some whose neighbours are cut."""
        self._cut(cut)
        return self._work.edge_sensitivities(self.s, self.t)

    def _cut(self, edges: Index) -> None:
        rest = self.size.copy()
        rest[edges] = 0.0
        self._work.update(rest)


def _part(L: Any, C: CompiledGraph, paths: _Paths, edges: Index) -> Any:
    """Return the part of `L` that the numbered edges make up."""
    tails, heads = paths.tails[edges], paths.heads[edges]
    if L is not C:
        kept = zip((C.nodes[i] for i in tails.tolist()), (C.nodes[j] for j in heads.tolist()), strict=True)
        H = L.edge_subgraph(kept).copy()
        H.add_nodes_from((i, L.nodes[i]) for i in (paths.s, paths.t))  # the same node, with no edge
        return H
    used = np.unique(np.concatenate([tails, heads, [C.nodes.index(paths.s)]])).astype(np.intp)
    position = np.zeros(len(C), np.intp)
    position[used] = np.arange(len(used))
    z = C.edge_arrays()[2][edges]
    return CompiledGraph.from_edges(position[tails], position[heads], z, nodes=[C.nodes[k] for k in used.tolist()])
