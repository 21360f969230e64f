"""The edges of a graph as columns: what every file is read into, and what becomes a graph."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cgraph.algorithms import CompiledGraph
from cgraph.model.errors import ArchiveError, CGraphError
from cgraph.model.graph import ComputationalGraph

__all__ = ["MAX_EDGES", "EdgeTable", "Positions", "node_attributes", "numbered", "without_collector"]

MAX_EDGES = 200_000_000  # of a compiled graph, 16 bytes each
MAX_DICT_EDGES = 20_000_000  # of a graph of dicts, some 400 bytes each

# What the library itself writes on nodes and edges; an attribute of a file that is called so gets an underscore.
NODE_WORDS = ("activation", "equation", "expression", "gate", "operands", "preactivation")
EDGE_WORDS = ("weight", "derivative")
SOURCE_ROLES = ("input", "weight", "constant")

Positions = NDArray[np.intp]


@dataclass
class EdgeTable:
    """A row for each edge.

    Attributes
    ----------
    nodes : list of str
        The names of the nodes.
    tails, heads : ndarray of int, shape (edges,)
        The ends of the edges, as positions in `nodes`.
    derivatives : ndarray of float, shape (edges,)
        z(i,j) of each edge; finite.
    columns : dict
        The other attributes of edges, a sequence each; None where an edge lacks one.
    node_attributes, graph_attributes : dict
        ``{node: attributes}`` for the nodes that have any, and those of the graph.
    mistake : callable
        ``mistake(e, message)`` is the error for edge number e, with its place in the file.
    """

    nodes: Sequence[str]
    tails: Positions
    heads: Positions
    derivatives: NDArray[np.float64]
    columns: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    node_attributes: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    graph_attributes: Mapping[str, Any] = field(default_factory=dict)
    mistake: Callable[[int, str], CGraphError] = lambda e, message: ArchiveError(f"edge {e + 1}: {message}")

    def as_compiled(self) -> CompiledGraph:
        """Return the edges as a compiled graph; attributes are left behind, parallel edges stay apart."""
        return CompiledGraph.from_edges(self.tails, self.heads, self.derivatives, nodes=self.nodes)

    def as_graph(self) -> ComputationalGraph:
        """Return the graph, with z as ``derivative`` and all other attributes under their own names."""
        if len(self.tails) > MAX_DICT_EDGES:
            raise ArchiveError(
                f"{len(self.tails):,} edges are too many for a graph of dicts, the limit is {MAX_DICT_EDGES:,}; "
                f"read_graph(..., compiled=True) holds them in arrays"
            )
        self._refuse_parallel_edges()
        with without_collector():
            G = ComputationalGraph()
            G.graph.update(self.graph_attributes)
            G.add_nodes_from((i, node_attributes(self.node_attributes.get(i, {}))) for i in self.nodes)
            data = self._edge_attributes()
            # What add_edges_from would build edge by edge, a row at a time: half the time for a million edges.
            rows: Any = G
            rows._adj.update(_adjacency(self.nodes, self.tails, self.heads, data))  # noqa: SLF001 - see above
            rows._pred.update(_adjacency(self.nodes, self.heads, self.tails, data))  # noqa: SLF001 - see above
        return G

    def _edge_attributes(self) -> list[dict[str, Any]]:
        data: list[dict[str, Any]] = [{"derivative": z} for z in self.derivatives.tolist()]
        for given, column in self.columns.items():
            name = f"{given}_" if given in EDGE_WORDS else given
            for attributes, value in zip(data, column, strict=True):
                if value is not None:
                    attributes[name] = value
        return data

    def _refuse_parallel_edges(self) -> None:
        order = np.lexsort((self.heads, self.tails))
        again = (np.diff(self.tails[order]) == 0) & (np.diff(self.heads[order]) == 0)
        if again.any():
            k = int(np.flatnonzero(again)[0])
            e = int(order[k + 1])
            i, j = self.nodes[self.tails[e]], self.nodes[self.heads[e]]
            raise self.mistake(
                e,
                f"edge {i!r} -> {j!r} stands twice; add the derivatives of parallel edges up, "
                f"or read them with compiled=True, where they stay apart",
            )


def node_attributes(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes of a node of a file, renamed where the library would take them for its own.

    Examples
    --------
    >>> node_attributes({"layer": 3, "activation": 0.5, "role": "hub", "value": 2.0})
    {'layer': 3, 'activation_': 0.5, 'role_': 'hub', 'value': 2.0}
    """
    return {f"{name}_" if _is_ours(name, value) else name: value for name, value in given.items()}


def _is_ours(name: str, value: Any) -> bool:
    if name == "value":
        return isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value)
    return name in NODE_WORDS or (name == "role" and value not in SOURCE_ROLES)


def numbered(tails: Sequence[str], heads: Sequence[str]) -> tuple[list[str], Positions, Positions]:
    """Return the names among the ends of edges, those of tails first, and the ends as positions among them.

    Examples
    --------
    >>> numbered(["x", "a"], ["a", "y"])
    (['x', 'a', 'y'], array([0, 1]), array([1, 2]))
    """
    names = dict.fromkeys(tails) | dict.fromkeys(heads)
    position = dict(zip(names, range(len(names)), strict=True)).__getitem__
    return (
        list(names),
        np.fromiter(map(position, tails), np.intp, len(tails)),
        np.fromiter(map(position, heads), np.intp, len(heads)),
    )


def _adjacency(
    nodes: Sequence[str], rows: Positions, ends: Positions, data: list[dict[str, Any]]
) -> Iterator[tuple[str, dict[str, dict[str, Any]]]]:
    """Iterate over the nodes and ``{other end: attributes}`` of their edges."""
    order = np.argsort(rows, kind="stable")
    starts = np.searchsorted(rows[order], np.arange(len(nodes) + 1)).tolist()
    others = [nodes[k] for k in ends[order].tolist()]
    sorted_data = [data[e] for e in order.tolist()]
    for i, start, stop in zip(nodes, starts, starts[1:], strict=False):
        yield i, dict(zip(others[start:stop], sorted_data[start:stop], strict=True))


@contextmanager
def without_collector() -> Iterator[None]:
    """Keep the garbage collector from walking over millions of new objects, none of which is garbage."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
