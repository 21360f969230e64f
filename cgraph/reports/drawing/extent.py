"""How much of a graph is drawn: all of it, some paths, what lies between s and t, or a node for each band of layers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import Any, NamedTuple

import networkx as nx

from cgraph.model.errors import DrawingError, show_count
from cgraph.model.graph import Node, topological_order
from cgraph.model.linearized import nodes_between

__all__ = ["MAX_BANDS", "MAX_EDGES", "MAX_NODES", "Band", "Extent", "bands_of", "extent_of", "fits"]

MAX_NODES, MAX_EDGES = 200, 400  # what an eye takes in
MAX_SPAN = 1000  # layers crossed by all edges together, which is what Graphviz takes its time for: seconds, here
MAX_BANDS = 8
SHORTEST_RUN = 4  # nodes


class Extent(NamedTuple):
    """The nodes and edges that are drawn, in the order of the graph, and what is said of those left out.

    Each of `runs` is drawn as one node: nodes one after the other, with one edge in and one edge out.
    """

    nodes: list[Any]
    edges: list[tuple[Any, Any]]
    notes: list[str]
    runs: Sequence[Sequence[Any]] = ()

    def place(self) -> dict[Any, Any]:
        """Return the node in whose place each node is drawn: itself, or the first of its run."""
        return {i: i for i in self.nodes} | {i: run[0] for run in self.runs for i in run}


class Band(NamedTuple):
    """All nodes of consecutive layers: the first and the last layer, and how many nodes they hold."""

    first: int
    last: int
    nodes: int


def extent_of(
    G: nx.DiGraph[Any], s: Node | None, t: Node | None, paths: Sequence[tuple[Node, ...]] | None = None
) -> Extent | None:
    """Return what is drawn one by one, of a large graph `paths` alone if they are given; or None if it is too much."""
    if fits(G):
        return Extent(list(G), list(G.edges), [])
    if s is None or t is None:
        return None
    if paths:
        return _of_paths(G, s, t, paths)
    between = {*nodes_between(G, s, t), s, t}
    if len(between) > MAX_NODES or not fits(G.subgraph(between)):
        return None
    nodes = [i for i in G if i in between]
    edges = [(i, j) for i in nodes for j in G.successors(i) if j in between]
    return Extent(nodes, edges, [f"{len(nodes)} of {show_count(len(G))} nodes: those on paths from {s} to {t}"])


def _of_paths(G: nx.DiGraph[Any], s: Node, t: Node, paths: Sequence[tuple[Node, ...]]) -> Extent:
    on_paths, along = {i for path in paths for i in path}, {edge for path in paths for edge in pairwise(path)}
    nodes = [i for i in G if i in on_paths]
    edges = [(i, j) for i in nodes for j in G.successors(i) if (i, j) in along]
    these = f"the {len(paths)} strongest paths" if len(paths) > 1 else "the strongest path"
    note = f"{len(nodes)} of {show_count(len(G))} nodes: those on {these} from {s} to {t}"
    if fits(nx.DiGraph(edges)):
        return Extent(nodes, edges, [note])
    extent = Extent(
        nodes, edges, [note, "a grey box: nodes one after the other, with no other way in or out"], _runs(edges)
    )
    place = extent.place()
    drawn = {(place[i], place[j]) for i, j in edges if place[i] != place[j]}
    if not fits(nx.DiGraph(drawn)):
        raise DrawingError(
            f"{these} from {s!r} to {t!r} have {len(nodes):,} nodes and {len(edges):,} edges, and {len(drawn)} edges even if "
            f"nodes one after the other are drawn as one; a picture shows at most {MAX_EDGES}, less if edges cross many "
            "layers: ask for fewer paths"
        )
    return extent


def _runs(edges: Sequence[tuple[Any, Any]]) -> list[list[Any]]:
    """Return the longest sequences of nodes, each with one edge in and one out, that are worth a node of their own."""
    P: nx.DiGraph[Any] = nx.DiGraph(edges)
    inner = {i for i in P if P.in_degree(i) == P.out_degree(i) == 1}
    runs = []
    for first in (i for i in P if i in inner and next(P.predecessors(i)) not in inner):
        run = [first]
        while (following := next(P.successors(run[-1]))) in inner:
            run.append(following)
        if len(run) >= SHORTEST_RUN:
            runs.append(run)
    return runs


def fits(G: nx.DiGraph[Any]) -> bool:
    """Whether a graph is small enough to be drawn node by node."""
    if len(G) > MAX_NODES or G.number_of_edges() > MAX_EDGES:
        return False
    layer = _layers(G)
    return sum(layer[j] - layer[i] for i, j in G.edges) <= MAX_SPAN


def bands_of(G: nx.DiGraph[Any]) -> tuple[list[Band], dict[tuple[int, int], int]]:
    """Return the bands of layers, at most `MAX_BANDS`, and ``{(band, band): number of edges between them}``."""
    layer = _layers(G)
    thickness = -(-(max(layer.values()) + 1) // MAX_BANDS)
    bands = []
    for _, group in groupby(sorted(layer.values()), key=lambda k: k // thickness):
        layers = list(group)
        bands.append(Band(layers[0], layers[-1], len(layers)))
    between: dict[tuple[int, int], int] = {}
    for i, j in G.edges:
        ends = layer[i] // thickness, layer[j] // thickness
        if ends[0] != ends[1]:
            between[ends] = between.get(ends, 0) + 1
    return bands, between


def _layers(G: nx.DiGraph[Any]) -> dict[Any, int]:
    """Return the layer of every node, its longest distance from a node that no edge enters."""
    layer: dict[Any, int] = {}
    for j in topological_order(G):
        layer[j] = max((layer[i] + 1 for i in G.predecessors(j)), default=0)
    return layer
