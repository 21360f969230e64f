"""How much of a graph is drawn: all of it, the part between s and t, or one node for each band of layers."""

from __future__ import annotations

from itertools import groupby
from typing import Any, NamedTuple

import networkx as nx

from cgraph.algorithms.linearized import nodes_between
from cgraph.model.errors import show_count
from cgraph.model.graph import Node, topological_order

__all__ = ["MAX_BANDS", "MAX_EDGES", "MAX_NODES", "Band", "Extent", "bands_of", "extent_of"]

MAX_NODES, MAX_EDGES = 200, 400  # what Graphviz lays out in a few seconds, and an eye takes in
MAX_BANDS = 24


class Extent(NamedTuple):
    """The nodes and edges that are drawn, in the order of the graph, and what is said of those left out."""

    nodes: list[Any]
    edges: list[tuple[Any, Any]]
    notes: list[str]


class Band(NamedTuple):
    """All nodes of consecutive layers: the first and the last layer, and how many nodes they hold."""

    first: int
    last: int
    nodes: int


def extent_of(G: nx.DiGraph[Any], s: Node | None, t: Node | None) -> Extent | None:
    """Return what is drawn one by one, or None if that would be too much."""
    if _fits(len(G), G.number_of_edges()):
        return Extent(list(G), list(G.edges), [])
    if s is None or t is None:
        return None
    between = {*nodes_between(G, s, t), s, t}
    edges = [(i, j) for i, j in G.edges(between) if j in between] if len(between) <= MAX_NODES else []
    if not _fits(len(between), len(edges)):
        return None
    nodes = [i for i in G if i in between]
    return Extent(nodes, edges, [f"{len(nodes)} of {show_count(len(G))} nodes: those on paths from {s} to {t}"])


def bands_of(G: nx.DiGraph[Any]) -> tuple[list[Band], dict[tuple[int, int], int]]:
    """Return the bands of layers, at most `MAX_BANDS`, and ``{(band, band): number of edges between them}``.

    A node's layer is its longest distance from a node that no edge enters.
    """
    layer: dict[Any, int] = {}
    for j in topological_order(G):
        layer[j] = max((layer[i] + 1 for i in G.predecessors(j)), default=0)
    thickness = -(-(max(layer.values()) + 1) // MAX_BANDS)
    band = {i: k // thickness for i, k in layer.items()}
    bands = []
    for _, group in groupby(sorted(layer.values()), key=lambda k: k // thickness):
        layers = list(group)
        bands.append(Band(layers[0], layers[-1], len(layers)))
    between: dict[tuple[int, int], int] = {}
    for i, j in G.edges:
        if band[i] != band[j]:
            between[band[i], band[j]] = between.get((band[i], band[j]), 0) + 1
    return bands, between


def _fits(nodes: int, edges: int) -> bool:
    return nodes <= MAX_NODES and edges <= MAX_EDGES
