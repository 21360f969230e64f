"""The columns of a picture: nodes and the slots of edges and labels, and Graphviz's choice of their order and heights.

Every edge is cut into steps from one column to the next. Where it passes a column it has a slot there, a small box of
its own, so that it meets no node; its label stands in such a slot, in a column between those of the nodes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import networkx as nx

from cgraph.model.graph import topological_order
from cgraph.reports.extras import drawing_library

__all__ = ["Columns", "Link", "Slot", "columns_of", "heights"]

INCH = 72.0  # in which Graphviz measures sizes
NODE_DISTANCE, COLUMN_DISTANCE = "0.18", "0.3"  # inches; the distance of columns has no influence on heights
# How much it matters that a step is straight: between slots, and at the ends of an edge without a slot, with one, or with
# more, first at the end whose node has fewer edges. The other end bends: were both alike, an edge could bend at both.
BETWEEN_SLOTS, AT_ENDS = 8, ((4, 4), (5, 4), (2, 1))


class Link(NamedTuple):
    """An edge to be routed: its ends, and whether it has a label."""

    tail: Hashable
    head: Hashable
    label: bool


class Slot(NamedTuple):
    """The place of a link in one column that it passes."""

    link: int
    column: int


class Columns(NamedTuple):
    """What stands where.

    Parameters
    ----------
    members : dict
        ``{column: nodes and slots}``. Nodes have even columns; the labels between them have odd ones.
    chains : list of list
        For each link, its tail, its slots and its head.
    labels : dict
        ``{link: column of its label}``.
    place : dict
        ``{node: its column}``.
    """

    members: Mapping[int, list[Any]]
    chains: list[list[Any]]
    labels: Mapping[int, int]
    place: Mapping[Any, int]

    def labelled(self, column: int) -> list[int]:
        """Return the links whose labels stand in a column."""
        return [k for k, c in self.labels.items() if c == column]

    def touched(self, link: int) -> list[int]:
        """Return the columns of a link, from its tail to its head."""
        tail, *slots, head = self.chains[link]
        return [self.place[tail], *(slot.column for slot in slots), self.place[head]]


def columns_of(nodes: Sequence[Hashable], links: Sequence[Link], first: Sequence[Hashable]) -> Columns:
    """Return the columns of nodes and slots; those of `first` stand in the first column."""
    layer = _layers(nodes, links, set(first))
    labels: dict[int, int] = {}
    load: dict[int, int] = {}
    by_length = sorted(range(len(links)), key=lambda k: layer[links[k].head] - layer[links[k].tail])
    for k in by_length:
        if links[k].label:  # in the gap that has the fewest labels so far; the last of these
            gaps = range(2 * layer[links[k].head] - 1, 2 * layer[links[k].tail], -2)
            labels[k] = min(gaps, key=lambda gap: load.get(gap, 0))
            load[labels[k]] = load.get(labels[k], 0) + 1
    members: dict[int, list[Any]] = {}
    for i in nodes:
        members.setdefault(2 * layer[i], []).append(i)
    chains = []
    for k, (tail, head, _) in enumerate(links):
        slots = [Slot(k, c) for c in range(2 * layer[tail] + 1, 2 * layer[head]) if c % 2 == 0 or c in load]
        for slot in slots:
            members.setdefault(slot.column, []).append(slot)
        chains.append([tail, *slots, head])
    return Columns(dict(sorted(members.items())), chains, labels, {i: 2 * layer[i] for i in nodes})


def _layers(nodes: Sequence[Hashable], links: Sequence[Link], first: set[Hashable]) -> dict[Hashable, int]:
    """Return the layer of every node: its longest distance from a source, or just before its heads if these are more."""
    U: nx.DiGraph[Any] = nx.DiGraph()
    U.add_nodes_from(nodes)
    U.add_edges_from((link.tail, link.head) for link in links)
    order = topological_order(U)
    layer: dict[Hashable, int] = {}
    for j in order:
        layer[j] = max((layer[i] + 1 for i in U.pred[j]), default=0)
    for i in reversed(order):
        if i not in first and len(U.succ[i]) > len(U.pred[i]):
            layer[i] = min(layer[j] for j in U.succ[i]) - 1
    return layer


def heights(
    columns: Columns, size: Mapping[Any, float], first: Sequence[Hashable], alike: Sequence[Sequence[Hashable]]
) -> dict[Any, float]:
    """Return the height at which the middle of every node and slot stands, by the dot program of Graphviz.

    Parameters
    ----------
    columns : Columns
        What stands where.
    size : mapping
        How high each node and slot is.
    first, alike : sequence
        Nodes of one column, whose order is given.
    """
    A = drawing_library("pygraphviz").AGraph(directed=True, strict=True)
    A.graph_attr.update(rankdir="LR", nodesep=NODE_DISTANCE, ranksep=COLUMN_DISTANCE)
    A.node_attr.update(shape="box", fixedsize="true", label="", width="0.2")
    key = {member: f"n{k}" for k, member in enumerate(m for column in columns.members.values() for m in column)}
    for member, name in key.items():
        A.add_node(name, height=f"{size[member] / INCH:.4f}")
    for column in columns.members.values():
        A.add_subgraph([key[member] for member in column], rank="same")
    for (a, b), weight in _weights(columns.chains):
        A.add_edge(key[a], key[b], weight=weight)
    for group in (first, *alike):  # only neighbours are tied: with more edges within a column Graphviz has crashed
        for i, j in pairwise(group):
            A.add_edge(key[i], key[j], style="invis")
    # Graphviz loses the order of nodes that no edge holds: an unused input gets an edge that is not seen.
    used = {chain[0] for chain in columns.chains}
    if (second := next((column for c, column in columns.members.items() if c), None)) is not None:
        for i in first:
            if i not in used:
                A.add_edge(key[i], key[second[0]], style="invis")
    A.layout("dot")
    return {member: -float(A.get_node(name).attr["pos"].split(",")[1]) for member, name in key.items()}


def _weights(chains: Sequence[Sequence[Any]]) -> Iterator[tuple[tuple[Any, Any], int]]:
    """Iterate over the steps of all links, each with how much it matters that it is straight."""
    leaving, coming = Counter(chain[0] for chain in chains), Counter(chain[-1] for chain in chains)
    for chain in chains:
        more, less = AT_ENDS[min(len(chain) - 2, 2)]
        at_tail, at_head = (more, less) if leaving[chain[0]] <= coming[chain[-1]] else (less, more)
        for a, b in pairwise(chain):
            yield (a, b), at_tail if a == chain[0] else at_head if b == chain[-1] else BETWEEN_SLOTS
