"""Compressed sparse rows: edges sorted by tail, nodes in topological order, and the loops that sweep them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from cgraph.algorithms.compiled.edge_arrays import Index
from cgraph.algorithms.compiled.jit import is_at_hand
from cgraph.algorithms.compiled.numba_sweeps import Loops
from cgraph.algorithms.compiled.numpy_sweeps import Levels
from cgraph.model.errors import CycleError

__all__ = ["Rows", "rows_of", "sorted_by_tail"]


class Rows(NamedTuple):
    """The edges of a graph in rows, a node's row below the rows of all that it depends on.

    Attributes
    ----------
    rank : ndarray of uint32, shape (nodes,), or None
        The row of each node; None if nodes and rows have the same numbers.
    slots : ndarray of uint32 or uint64, shape (edges,), or None
        The edges in the order of the rows; None if they were given in it.
    sweeps : Loops or Levels
        The rows themselves, and what sweeps over them: compiled loops, or NumPy where numba is missing.
    """

    rank: Index | None
    slots: Index | None
    sweeps: Loops | Levels


def rows_of(nodes: Sequence[Any], tails: Index, heads: Index) -> Rows:
    """Sort edges, given by the positions of their ends in `nodes`, into rows.

    Raises
    ------
    CycleError
        If there is no order.

    Notes
    -----
    O(V + E): Kahn's algorithm, unless every edge leads from a smaller number to a larger one already, and
    sorting by counting, unless the edges are sorted already.
    """
    engine = _engine()
    rank = None if bool((tails < heads).all()) else _ranks(engine, nodes, tails, heads)
    if rank is not None:
        tails, heads = rank[tails], rank[heads]
    indptr, slots = _sorted(engine, len(nodes), tails)
    return Rows(rank, slots, engine(indptr, heads if slots is None else heads[slots]))


def sorted_by_tail(n: int, tails: Index) -> tuple[Index, Index | None]:
    """Return where each of `n` rows begins, and the edges in the order of their tails; None if they stand in it."""
    return _sorted(_engine(), n, tails)


def _engine() -> type[Loops | Levels]:
    return Loops if is_at_hand() else Levels


def _ranks(engine: type[Loops | Levels], nodes: Sequence[Any], tails: Index, heads: Index) -> Index:
    indptr, slots = _sorted(engine, len(nodes), tails)
    order = engine.topological_order(indptr, heads if slots is None else heads[slots])
    if len(order) < len(nodes):
        raise CycleError([nodes[i] for i in _cycle(len(nodes), order, tails, heads)])
    rank = np.empty(len(nodes), np.uint32)
    rank[order] = np.arange(len(nodes), dtype=np.uint32)
    return rank


def _sorted(engine: type[Loops | Levels], n: int, tails: Index) -> tuple[Index, Index | None]:
    """Return where each of `n` rows begins, and the edges in the order of their tails."""
    dtype = np.uint32 if len(tails) < 2**32 else np.uint64
    indptr = np.zeros(n + 1, dtype)
    if bool((tails[1:] >= tails[:-1]).all()):
        np.cumsum(np.bincount(tails, minlength=n), out=indptr[1:])
        return indptr, None
    slots = np.empty(len(tails), dtype)
    engine.sort_rows(tails, indptr, slots)
    return indptr, slots


def _cycle(n: int, order: Index, tails: Index, heads: Index) -> list[int]:
    """Return the nodes of a cycle, the first again at the end, among those that `order` leaves out."""
    left_out = np.ones(n, bool)
    left_out[order] = False
    held_up = left_out[tails]
    predecessor = np.empty(n, np.intp)
    predecessor[heads[held_up]] = tails[held_up]
    # Every node left out waits for another one, so that walking backwards comes round.
    walk = [int(np.flatnonzero(left_out)[0])]
    met: dict[int, int] = {}
    while walk[-1] not in met:
        met[walk[-1]] = len(walk) - 1
        walk.append(int(predecessor[walk[-1]]))
    return walk[met[walk[-1]] :][::-1]
