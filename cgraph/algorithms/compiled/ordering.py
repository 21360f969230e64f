"""Which row of a compiled graph belongs to which node, and which slot in the rows to which edge."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from cgraph.algorithms.compiled.csr import rows_of
from cgraph.algorithms.compiled.edge_arrays import Index
from cgraph.model.errors import NodeNotFound
from cgraph.model.graph import Node

__all__ = ["Layout"]


@final
class Layout:
    """The order in which nodes and edges were given, beside that of the rows.

    Parameters
    ----------
    nodes : sequence of hashable
        The names of the nodes.
    tails, heads : ndarray of uint32, shape (edges,)
        The ends of the edges, as positions in `nodes`.

    Attributes
    ----------
    nodes
        As given.
    rank : ndarray of uint32, shape (nodes,), or None
        The row of each node; None if nodes and rows have the same numbers.
    sweeps : Loops or Levels
        The rows, and what sweeps over them.
    """

    def __init__(self, nodes: Sequence[Any], tails: Index, heads: Index) -> None:
        self.nodes = nodes
        # No dict for plain numbers, which are their own positions.
        self._positions: dict[Any, int] | None = None
        if not isinstance(nodes, range):
            self._positions = dict(zip(nodes, range(len(nodes)), strict=True))
        self.rank, self._slots, self.sweeps = rows_of(nodes, tails, heads)

    def position(self, node: Node) -> int:
        """Return where `node` stands among the nodes, or raise `NodeNotFound`."""
        try:
            if self._positions is not None:
                return self._positions[node]
            k = operator.index(node)  # type: ignore[arg-type]  # a TypeError, caught, if it is no number
        except (KeyError, TypeError):
            raise NodeNotFound(node, self.nodes) from None
        if not 0 <= k < len(self.nodes):
            raise NodeNotFound(node, self.nodes)
        return k

    def positions(self, nodes: Sequence[Node]) -> NDArray[np.intp]:
        """Return where `nodes` stand among the nodes."""
        return np.array([self.position(node) for node in nodes], np.intp)

    def rows(self, *nodes: Node) -> NDArray[np.intp]:
        """Return the rows of `nodes`."""
        positions = self.positions(nodes)
        return positions if self.rank is None else self.rank[positions].astype(np.intp)

    @cached_property
    def order(self) -> Index:
        """The node of each row, the inverse of `rank`."""
        order = np.arange(len(self.nodes), dtype=np.uint32)
        if self.rank is not None:
            order[self.rank] = order.copy()
        return order

    def names(self, rows: Index) -> list[Any]:
        """Return the names of the nodes of `rows`."""
        positions = self.order[rows].tolist()
        return positions if isinstance(self.nodes, range) else [self.nodes[k] for k in positions]

    def by_nodes(self, of_rows: NDArray[Any]) -> NDArray[Any]:
        """Return what is aligned with the rows, aligned with the nodes."""
        return of_rows if self.rank is None else of_rows[self.rank]

    def in_rows(self, of_edges: NDArray[Any]) -> NDArray[Any]:
        """Return a copy of what is aligned with the edges as given, aligned with the slots."""
        return of_edges.copy() if self._slots is None else of_edges[self._slots]

    def as_given(self, of_slots: NDArray[Any]) -> NDArray[Any]:
        """Return what is aligned with the slots, aligned with the edges as given."""
        if self._slots is None:
            return of_slots
        of_edges = np.empty_like(of_slots)
        of_edges[self._slots] = of_slots
        return of_edges

    def ends(self) -> tuple[Index, Index]:
        """Return the positions of the tails and the heads, of the edges as they were given."""
        tails = np.repeat(self.order, np.diff(self.sweeps.indptr))
        return self.as_given(tails), self.as_given(self.order[self.sweeps.heads])

    def edge(self, e: int) -> tuple[Any, Any]:
        """Return tail and head of the edge given as the e-th."""
        slot = e if self._slots is None else int(np.flatnonzero(self._slots == e)[0])
        tail = np.searchsorted(self.sweeps.indptr, slot, side="right") - 1
        return self._node(int(tail)), self._node(self.sweeps.heads[slot])

    def _node(self, row: int) -> Any:
        return self.nodes[int(self.order[row])]
