"""Paths in compiled graphs: exact counts, and the strongest ones."""

from __future__ import annotations

import heapq
from itertools import count

import numpy as np
from numpy.typing import NDArray

from cgraph.algorithms.compiled.arrays import Floats, Index
from cgraph.algorithms.compiled.levels import Levels, slots_of
from cgraph.algorithms.compiled.loops import Loops
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
    s, t = row_s.item(), row_t.item()
    paths_to = {s: 1}
    for i in np.flatnonzero(between[:t]).tolist():
        paths_to_i = paths_to.pop(i)  # these integers grow large: one is kept only until its node is done
        row = heads[indptr[i] : indptr[i + 1]]
        for j in row[between[row]].tolist():
            paths_to[j] = paths_to.get(j, 0) + paths_to_i
    return paths_to[t]


def strongest_paths(sweeps: Loops | Levels, z: Floats, s: int, t: int, k: int) -> list[Index]:
    """Return the `k` paths from s to t with the largest ``|product|``, each as the slots of its edges.

    Notes
    -----
    The search of `cgraph.top_paths`, a path at a time in arrays: after it has left another path at some position,
    a path takes the strongest way from every node, and may itself be left at each for the second-best.
    """
    log_z = np.full(len(z), LOG_OF_ZERO)
    np.log(np.abs(z), out=log_z, where=z != 0)
    best, way = sweeps.strongest(log_z, t)
    if best[s] == -np.inf:
        return []
    indptr, heads = sweeps.indptr, sweeps.heads

    def losses(rows: Index) -> tuple[Index, Floats, Index]:
        """Return the slots of `rows`, what log |product| loses on each against the best, and where rows begin."""
        slots, starts = slots_of(indptr, rows)
        counts = np.diff(starts, append=len(slots))
        return slots, np.repeat(best[rows], counts) - (log_z[slots] + best[heads[slots]]), starts

    second = np.full(len(best), np.nan)  # what the second-best way of a row loses, once it is known

    def second_losses(rows: Index) -> Floats:
        new = rows[np.isnan(second[rows])]
        if new.size:
            slots, lost, starts = losses(new)
            lost[np.searchsorted(slots, way[new])] = np.inf
            second[new] = np.minimum.reduceat(lost, starts)
        return second[rows]

    found: list[Index] = []
    number = count()  # keeps the heap from comparing paths
    departures = [(0.0, next(number), np.empty(0, np.intp), 0, 0)]
    while departures and len(found) < k:
        loss, _, followed, p, rank = heapq.heappop(departures)
        row = int(heads[followed[p - 1]]) if p else s
        path = followed[:p]
        if row != t:
            slots, lost, _ = losses(np.array([row]))
            ways = np.argsort(lost, kind="stable")
            if rank + 1 < len(ways) and lost[ways[rank + 1]] < np.inf:
                next_loss = float(loss - lost[ways[rank]] + lost[ways[rank + 1]])
                heapq.heappush(departures, (next_loss, next(number), followed, p, rank + 1))
            taken = slots[ways[rank]]
            path = np.concatenate([path, [taken], sweeps.follow(way, int(heads[taken]), t)])
        found.append(path)
        # Of the departures from one path, no more than the paths still wanted can ever be taken.
        lost = second_losses(heads[path[p:-1]])
        wanted = min(k - len(found), len(lost))
        for q in np.argpartition(lost, wanted - 1)[:wanted].tolist() if wanted else ():
            if lost[q] < np.inf:
                heapq.heappush(departures, (loss + float(lost[q]), next(number), path, p + 1 + q, 1))
    return found
