"""Paths in compiled graphs: exact counts, and the strongest ones."""

from __future__ import annotations

import heapq
from itertools import count

import numpy as np
from numpy.typing import NDArray

from cgraph.algorithms.compiled.edge_arrays import Floats, Index
from cgraph.algorithms.compiled.numba_sweeps import Loops
from cgraph.algorithms.compiled.numpy_sweeps import Levels, slots_of
from cgraph.algorithms.path_counts import count_in_order
from cgraph.algorithms.paths import LOG_OF_ZERO

__all__ = ["count_paths", "lie_between", "strongest_paths"]

_EXACT = 2.0**53  # sums of whole numbers below it are exact in floats


def lie_between(sweeps: Loops | Levels, row_s: Index, row_t: Index) -> NDArray[np.bool_]:
    """Return whether each row lies on a path from s to t: whether paths lead to it, and on."""
    ones = np.ones(len(sweeps.heads))
    paths_to, _ = sweeps.forward(ones, row_s)
    paths_from, _ = sweeps.reverse(ones, row_t)
    return (paths_to[:, 0] > 0) & (paths_from[:, 0] > 0)


def count_paths(sweeps: Loops | Levels, row_s: Index, row_t: Index) -> int:
    """Return the number of paths from s to t: in floats as long as they are exact, then in integers."""
    paths_from, _ = sweeps.reverse(np.ones(len(sweeps.heads)), row_t)
    number = paths_from[row_s, 0].item()
    return int(number) if number < _EXACT else _count_exactly(sweeps, row_s, row_t)


def _count_exactly(sweeps: Loops | Levels, row_s: Index, row_t: Index) -> int:
    indptr, heads = sweeps.indptr, sweeps.heads
    between = lie_between(sweeps, row_s, row_t)

    kept = between[heads]
    first = np.concatenate([[0], np.cumsum(kept)])[
        indptr
    ].tolist()  # of the heads of each row among those that are kept
    inside: list[int] = heads[kept].tolist()
    t = row_t.item()
    order = [*np.flatnonzero(between[:t]).tolist(), t]
    return count_in_order(row_s.item(), t, order, lambda i: inside[first[i] : first[i + 1]])


def strongest_paths(sweeps: Loops | Levels, z: Floats, s: int, t: int, k: int) -> list[Index]:
    """Return the `k` paths from s to t with the largest ``|product|``, each as the slots of its edges.

    Notes
    -----
    The search of `cgraph.top_paths`, a path at a time in arrays: after it has left another path at some position,
    a path takes the strongest way from every node, and may itself be left at each of them for the second-best.
    """
    ways = _Ways(sweeps, z, t)
    found: list[Index] = []
    number = count()  # keeps the heap from comparing paths
    # What a departure loses, a path, the position in it where another way is taken, and the rank of that way.
    departures = [(0.0, next(number), np.empty(0, np.intp), 0, 0)] if ways.lead_from(s) else []
    while departures and len(found) < k:
        loss, _, followed, p, rank = heapq.heappop(departures)
        path = followed[:p]
        row = int(sweeps.heads[path[-1]]) if p else s
        if row != t:
            slots, losses = ways.ranked(row)
            path = np.concatenate([path, slots[rank : rank + 1], ways.strongest(int(sweeps.heads[slots[rank]]))])
            for lost in losses[rank + 1 : rank + 2].tolist():
                heapq.heappush(departures, (loss - float(losses[rank]) + lost, next(number), followed, p, rank + 1))
        found.append(path)
        second = ways.second_losses(sweeps.heads[path[p:-1]])
        # Of the departures from one path, no more than the paths still wanted can ever be taken.
        wanted = min(k - len(found), len(second))
        for q in np.argpartition(second, wanted - 1)[:wanted].tolist() if wanted else []:
            if second[q] < np.inf:
                heapq.heappush(departures, (loss + float(second[q]), next(number), path, p + 1 + q, 1))
    return found


class _Ways:
    """The edges that lead to t, and what log |product| loses on each against the strongest way."""

    def __init__(self, sweeps: Loops | Levels, z: Floats, t: int) -> None:
        self._sweeps, self._t = sweeps, t
        self._log_z = np.full(len(z), LOG_OF_ZERO)
        np.log(np.abs(z), out=self._log_z, where=z != 0)
        self._best, self._way = sweeps.strongest(self._log_z, t)
        self._second = np.full(len(self._best), np.nan)  # what the second-best way loses, where it is known

    def lead_from(self, row: int) -> bool:
        """Return whether a way leads from `row` to t."""
        return bool(self._best[row] > -np.inf)

    def strongest(self, row: int) -> Index:
        """Return the slots of the strongest path from `row`."""
        return self._sweeps.follow(self._way, row, self._t)

    def ranked(self, row: int) -> tuple[Index, Floats]:
        """Return the ways from `row` and their losses, the strongest first."""
        slots, losses, _ = self._losses(np.array([row]))
        order = np.argsort(losses, kind="stable")[: np.count_nonzero(losses < np.inf)]
        return slots[order], losses[order]

    def second_losses(self, rows: Index) -> Floats:
        """Return what the second-best way from each of `rows` loses, which ascend; inf where there is none."""
        new = rows[np.isnan(self._second[rows])]
        if new.size:
            slots, losses, starts = self._losses(new)
            losses[np.searchsorted(slots, self._way[new])] = np.inf
            self._second[new] = np.minimum.reduceat(losses, starts)
        return self._second[rows]

    def _losses(self, rows: Index) -> tuple[Index, Floats, Index]:
        """Return the slots of `rows`, their losses, and where each row begins among them."""
        slots, starts = slots_of(self._sweeps.indptr, rows)
        to_t = self._log_z[slots] + self._best[self._sweeps.heads[slots]]
        return slots, np.repeat(self._best[rows], np.diff(starts, append=len(slots))) - to_t, starts
