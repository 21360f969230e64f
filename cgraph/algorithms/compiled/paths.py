"""Paths in compiled graphs: exact counts, and the strongest ones."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cgraph.algorithms.compiled.arrays import Floats, Index
from cgraph.algorithms.compiled.levels import Levels
from cgraph.algorithms.compiled.loops import Loops
from cgraph.algorithms.paths import LOG_OF_ZERO, Way, strongest_first

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


def strongest_paths(sweeps: Loops | Levels, z: Floats, s: int, t: int, k: int) -> list[list[int]]:
    """Return the `k` paths from s to t with the largest ``|product|``, each as the slots of its edges."""
    log_z = np.full(len(z), LOG_OF_ZERO)
    np.log(np.abs(z), out=log_z, where=z != 0)
    best = sweeps.strongest(log_z, t)
    if best[s] == -np.inf:
        return []
    indptr, heads = sweeps.indptr, sweeps.heads

    # A path is told by the slots of its edges, so that parallel edges are different ways; -1 stands for s.
    @cache
    def ways_from(slot: int) -> list[Way]:
        i = s if slot < 0 else heads[slot]
        row = slice(indptr[i], indptr[i + 1])
        best_i, to_t = best[i].item(), (log_z[row] + best[heads[row]]).tolist()
        ways = (Way(best_i - log, e) for e, log in enumerate(to_t, int(row.start)) if log > -math.inf)
        return sorted(ways, key=lambda way: way.loss)

    return [slots for _, *slots in strongest_first(-1, k, ways_from)]
