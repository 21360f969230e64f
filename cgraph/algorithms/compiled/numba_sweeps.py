"""The loops of a compiled graph, one pass over its rows each; numba turns them into machine code.

Row i of a graph holds the edges that leave node i: ``heads[k]`` and ``z[k]`` for k from ``indptr[i]`` to
``indptr[i + 1]``. Rows stand in topological order, so every head lies below its row. All numbers of nodes and
edges are unsigned: a negative index means "from the end" to NumPy, and testing every index for its sign would
double the time of a sweep.

The functions are plain Python and run as such, slowly; `cgraph.algorithms.compiled.jit` compiles them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np

from cgraph.algorithms.compiled.edge_arrays import Floats, Index, has_finite_sum, whole_lines
from cgraph.algorithms.compiled.jit import compiled
from cgraph.algorithms.compiled.simd import WIDTH, load, store

__all__ = ["LOOPS", "Loops", "follow_ways"]


def sort_rows(tails: Index, indptr: Index, slots: Index) -> None:
    """Fill ``slots[k]``, the edge that stands k-th when edges are sorted by tail, and where each row begins."""
    one = np.uint64(1)
    for i in tails:
        indptr[i + one] += one
    for i in range(1, len(indptr)):
        indptr[i] += indptr[i - 1]
    free = indptr.copy()
    for e in range(len(tails)):
        i = tails[e]
        slots[free[i]] = e
        free[i] += one


def topological_order(indptr: Index, heads: Index, order: Index) -> int:
    """Fill `order` with the nodes, in topological order, and return how many could be placed.

    Kahn's algorithm. First in, first out keeps together what is read together: on shuffled graphs the sweeps
    are 1.5 times as fast as with a stack.
    """
    one = np.uint64(1)
    waits_for = np.zeros(len(order), np.uint32)
    for j in heads:
        waits_for[j] += np.uint32(1)
    placed = 0
    for i in range(len(order)):
        if waits_for[i] == 0:
            order[placed] = i
            placed += 1
    done = 0
    while done < placed:
        i = order[done]
        done += 1
        for k in range(indptr[i], indptr[i + one]):
            j = heads[k]
            waits_for[j] -= np.uint32(1)
            if waits_for[j] == 0:
                order[placed] = j
                placed += 1
    return placed


def reverse_sweep(indptr: Index, heads: Index, z: Floats, t: int, S: Floats) -> float:
    """Fill S(i,t), zero before: S(t,t) = 1, S(i,t) = sum over edges (i,j) of S(j,t) z(i,j).

    Return the sum of all S, which is finite only if all of them are.
    """
    one = np.uint64(1)
    nearest = np.uint64(t)
    S[nearest] = S_nearest = total = 1.0
    while nearest > 0:
        i = nearest - one
        S_i = 0.0
        for k in range(indptr[i], indptr[nearest]):
            j = heads[k]
            # S(i+1) is still in a register; reading it back from memory would double the time of a chain.
            S_i += (S_nearest if j == nearest else S[j]) * z[k]
        S[i] = S_i
        total += S_i
        nearest, S_nearest = i, S_i
    return total


def forward_sweep(indptr: Index, heads: Index, z: Floats, s: int, S: Floats) -> float:
    """Fill S(s,j), zero before: S(s,s) = 1, and each edge (i,j) adds z(i,j) S(s,i) to S(s,j).

    Return the sum of all S, as `reverse_sweep`.
    """
    one = np.uint64(1)
    total = 0.0
    S[s] = 1.0
    for i in range(np.uint64(s), np.uint64(len(S))):
        S_i = S[i]
        total += S_i
        if S_i != 0:
            for k in range(indptr[i], indptr[i + one]):
                S[heads[k]] += z[k] * S_i
    return total


def reverse_sweeps(indptr: Index, heads: Index, z: Floats, last: int, S: Floats) -> None:
    """Fill the columns S(i,t) of several targets, none after `last`, at each of which S is 1 before."""
    one = np.uint64(1)
    i = np.uint64(last)
    while i > 0:
        i -= one
        S_i = load(S, i)
        for k in range(indptr[i], indptr[i + one]):
            S_i = S_i + load(S, heads[k]) * z[k]
        store(S, i, S_i)


def forward_sweeps(indptr: Index, heads: Index, z: Floats, first: int, S: Floats) -> None:
    """Fill the columns S(s,j) of several sources, none before `first`, at each of which S is 1 before."""
    one = np.uint64(1)
    for i in range(np.uint64(first), np.uint64(len(S))):
        S_i = load(S, i)
        for k in range(indptr[i], indptr[i + one]):
            store(S, heads[k], load(S, heads[k]) + S_i * z[k])


def strongest_sweep(indptr: Index, heads: Index, log_z: Floats, t: int, best: Floats, way: Index) -> None:
    """Fill the largest sum of `log_z` over the paths from i to t, and the first slot of that path.

    `best` is -inf before, and where is no path.
    """
    one = np.uint64(1)
    i = np.uint64(t)
    best[i] = 0.0
    while i > 0:
        i -= one
        for k in range(indptr[i], indptr[i + one]):
            to_t = log_z[k] + best[heads[k]]
            if to_t > best[i]:
                best[i] = to_t
                way[i] = k


def follow_ways(way: Index, heads: Index, i: int, t: int, slots: Index) -> int:
    """Fill the slots of the path from `i` to `t` that takes ``way[j]`` from every node j; return their number."""
    n = 0
    while i != t:
        slots[n] = way[i]
        i = heads[way[i]]
        n += 1
    return n


LOOPS = (
    sort_rows,
    topological_order,
    reverse_sweep,
    forward_sweep,
    reverse_sweeps,
    forward_sweeps,
    strongest_sweep,
    follow_ways,
)


@final
@dataclass(frozen=True, eq=False)
class Loops:
    """The rows of a graph, swept by compiled loops.

    Attributes
    ----------
    indptr : ndarray, shape (nodes + 1,)
        Where each row begins.
    heads : ndarray of uint32, shape (edges,)
        The heads of the edges, row after row.
    """

    indptr: Index
    heads: Index

    @staticmethod
    def sort_rows(tails: Index, indptr: Index, slots: Index) -> None:
        """As the loop of this name."""
        compiled(LOOPS)["sort_rows"](tails, indptr, slots)

    @staticmethod
    def topological_order(indptr: Index, heads: Index) -> Index:
        """Return the nodes, in topological order; those that a cycle holds up are left out."""
        order = np.empty(len(indptr) - 1, np.uint32)
        return order[: compiled(LOOPS)["topological_order"](indptr, heads, order)]

    def reverse(self, z: Floats, targets: Index) -> tuple[Floats, bool]:
        """Return S(i,t), shape (nodes, targets), and whether all of it is known to be finite."""
        if len(targets) == 1:
            S = np.zeros(len(self.indptr) - 1)
            total = compiled(LOOPS)["reverse_sweep"](self.indptr, self.heads, z, targets[0], S)
            return S[:, np.newaxis], math.isfinite(total)
        S = self._columns(targets)
        compiled(LOOPS)["reverse_sweeps"](self.indptr, self.heads, z, targets.max(), S)
        return S[:, : len(targets)], has_finite_sum(S)

    def forward(self, z: Floats, sources: Index) -> tuple[Floats, bool]:
        """Return S(s,i), shape (nodes, sources), and whether all of it is known to be finite."""
        if len(sources) == 1:
            S = np.zeros(len(self.indptr) - 1)
            total = compiled(LOOPS)["forward_sweep"](self.indptr, self.heads, z, sources[0], S)
            return S[:, np.newaxis], math.isfinite(total)
        S = self._columns(sources)
        compiled(LOOPS)["forward_sweeps"](self.indptr, self.heads, z, sources.min(), S)
        return S[:, : len(sources)], has_finite_sum(S)

    def _columns(self, nodes: Index) -> Floats:
        """Return a row of lanes for each node, zero but for a 1 at each of `nodes` in a lane of its own."""
        S = whole_lines(len(self.indptr) - 1, WIDTH)
        S.fill(0.0)
        S[nodes, np.arange(len(nodes))] = 1.0
        return S

    def strongest(self, log_z: Floats, t: int) -> tuple[Floats, Index]:
        """Return, for every node, the largest sum of `log_z` on a path to `t`, or -inf; and the first slot of it."""
        best = np.full(len(self.indptr) - 1, -np.inf)
        way = np.zeros(len(best), self.indptr.dtype)
        compiled(LOOPS)["strongest_sweep"](self.indptr, self.heads, log_z, t, best, way)
        return best, way

    def follow(self, way: Index, i: int, t: int) -> Index:
        """Return the slots from `i` to `t`, ``way[j]`` from every node j."""
        slots = np.empty(t - i, np.intp)
        return slots[: compiled(LOOPS)["follow_ways"](way, self.heads, np.uint64(i), np.uint64(t), slots)]
