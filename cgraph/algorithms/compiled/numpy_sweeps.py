"""The sweeps of a compiled graph without numba: NumPy, one level of the graph at a time.

The nodes of a level have no edges among themselves, so all of them are computed at once. That pays on shallow
graphs; on a chain every node is a level, at some microseconds each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from cgraph.algorithms.compiled.edge_arrays import Floats, Index, has_finite_sum
from cgraph.algorithms.compiled.numba_sweeps import follow_ways

__all__ = ["Levels", "slots_of"]


@final
@dataclass(frozen=True, eq=False)
class Levels:
    """The rows of a graph, swept level by level; the same as `cgraph.algorithms.compiled.numba_sweeps.Loops`.

    Attributes
    ----------
    indptr, heads
        As there.
    """

    indptr: Index
    heads: Index

    @staticmethod
    def sort_rows(tails: Index, indptr: Index, slots: Index) -> None:
        """Fill ``slots[k]``, the edge that stands k-th when edges are sorted by tail, and where each row begins."""
        np.cumsum(np.bincount(tails, minlength=len(indptr) - 1), out=indptr[1:], dtype=indptr.dtype)
        slots[:] = np.argsort(tails, kind="stable")

    @staticmethod
    def topological_order(indptr: Index, heads: Index) -> Index:
        """Return the nodes, level after level; those that a cycle holds up are left out.

        Kahn's algorithm, a whole level in one step.
        """
        waits_for = np.bincount(heads, minlength=len(indptr) - 1)
        level = np.flatnonzero(waits_for == 0)
        levels = [level]
        while level.size:
            below = heads[slots_of(indptr, level)[0]]
            np.subtract.at(waits_for, below, 1)
            level = np.unique(below[waits_for[below] == 0])
            levels.append(level)
        return np.concatenate(levels).astype(np.uint32)

    def reverse(self, z: Floats, targets: Index) -> tuple[Floats, bool]:
        """Return S(i,t), shape (nodes, targets), and whether all of it is known to be finite."""
        S = np.zeros((len(self.indptr) - 1, len(targets)))
        S[targets, np.arange(len(targets))] = 1.0
        with np.errstate(over="ignore", invalid="ignore"):  # the caller looks for overflow
            for rows, slots, starts in reversed(self._levels):
                S[rows] += np.add.reduceat(S[self.heads[slots]] * z[slots, None], starts)
        return S, has_finite_sum(S)

    def forward(self, z: Floats, sources: Index) -> tuple[Floats, bool]:
        """Return S(s,i), shape (nodes, sources), and whether all of it is known to be finite."""
        S = np.zeros((len(self.indptr) - 1, len(sources)))
        S[sources, np.arange(len(sources))] = 1.0
        with np.errstate(over="ignore", invalid="ignore"):  # as above
            for rows, slots, starts in self._levels:
                tails = np.repeat(rows, np.diff(starts, append=slots.stop - slots.start))
                np.add.at(S, self.heads[slots], z[slots, None] * S[tails])
        return S, has_finite_sum(S)

    def strongest(self, log_z: Floats, t: int) -> tuple[Floats, Index]:
        """Return, for every node, the largest sum of `log_z` on a path to `t`, or -inf; and the first slot of it."""
        best = np.full(len(self.indptr) - 1, -np.inf)
        best[t] = 0.0
        way = np.zeros(len(best), self.indptr.dtype)
        for rows, slots, starts in reversed(self._levels):
            to_t = log_z[slots] + best[self.heads[slots]]
            largest = np.maximum.reduceat(to_t, starts)
            is_largest = to_t == np.repeat(largest, np.diff(starts, append=len(to_t)))
            way[rows] = slots.start + np.minimum.reduceat(np.where(is_largest, np.arange(len(to_t)), len(to_t)), starts)
            best[rows] = np.maximum(best[rows], largest)
        return best, way

    def follow(self, way: Index, i: int, t: int) -> Index:
        """Return the slots from `i` to `t`, ``way[j]`` from every node j."""
        slots = np.empty(t - i, np.intp)
        return slots[: follow_ways(way, self.heads, i, t, slots)]

    @cached_property
    def _levels(self) -> list[tuple[NDArray[Any], slice, NDArray[Any]]]:
        """Of every level, the rows that hold edges, the slots of these, and where in them each row starts."""
        filled = np.flatnonzero(np.diff(self.indptr))
        levels = []
        for begin, end in self._bounds():
            rows = filled[np.searchsorted(filled, begin) : np.searchsorted(filled, end)]
            slots = slice(int(self.indptr[begin]), int(self.indptr[end]))
            if rows.size:
                levels.append((rows, slots, self.indptr[rows].astype(np.intp) - slots.start))
        return levels

    def _bounds(self) -> Iterator[tuple[int, int]]:
        """Iterate over the longest runs of consecutive nodes without an edge from one to another."""
        n = len(self.indptr) - 1
        last_tail = np.full(n, -1)
        # Of several edges into one head the last assignment stays, and tails ascend.
        last_tail[self.heads] = np.repeat(np.arange(n), np.diff(self.indptr))
        last_tail = np.maximum.accumulate(last_tail)
        begin = 0
        while begin < n:
            end = int(np.searchsorted(last_tail, begin))
            yield begin, end
            begin = end


def slots_of(indptr: Index, rows: Index) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the slots of all edges in `rows`, row after row, and where in them each row begins."""
    starts = indptr[rows].astype(np.intp)
    counts = indptr[rows + 1].astype(np.intp) - starts
    ends = np.cumsum(counts)
    return np.repeat(starts - ends + counts, counts) + np.arange(ends[-1] if ends.size else 0), ends - counts
