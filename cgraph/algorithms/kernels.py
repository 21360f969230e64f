"""The loops of a compiled graph, one pass over its rows each; numba turns them into machine code.

Row i of a graph holds the edges that leave node i: ``heads[k]`` and ``z[k]`` for k from ``indptr[i]`` to
``indptr[i + 1]``. Rows stand in topological order, so every head lies below its row. All numbers of nodes and
edges are unsigned: a negative index means "from the end" to NumPy, and testing every index for its sign would
double the time of a sweep.

The functions are plain Python and run as such, slowly. `compiled` compiles them once per machine (numba keeps
the machine code on disk); numba is imported there, and nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import FunctionType
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Loops", "compiled", "has_finite_sum", "is_loaded"]

Floats = NDArray[np.float64]
Index = NDArray[Any]  # uint32, or uint64 where edges are more than that can number

# S of so many nodes at a time: enough to read each edge once for all of them, few enough to stay in the cache.
COLUMNS = 16

# What NumPy lacks stands in machine code for the functions of arrays of the same name.
FUNCTIONS_OF_NUMBERS = {"erf": math.erf, "erfc": math.erfc}


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
    """Fill `order` with the nodes, tails before heads, and return how many could be placed.

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
        for k in range(indptr[i], indptr[i + one]):
            for column in range(S.shape[1]):
                S[i, column] += S[heads[k], column] * z[k]


def forward_sweeps(indptr: Index, heads: Index, z: Floats, first: int, S: Floats) -> None:
    """Fill the columns S(s,j) of several sources, none before `first`, at each of which S is 1 before."""
    one = np.uint64(1)
    for i in range(np.uint64(first), np.uint64(len(S))):
        for k in range(indptr[i], indptr[i + one]):
            for column in range(S.shape[1]):
                S[heads[k], column] += z[k] * S[i, column]


def strongest_sweep(indptr: Index, heads: Index, log_z: Floats, t: int, best: Floats) -> None:
    """Fill the largest sum of `log_z` over the paths from i to t; `best` is -inf before, and where is no path."""
    one = np.uint64(1)
    i = np.uint64(t)
    best[i] = 0.0
    while i > 0:
        i -= one
        for k in range(indptr[i], indptr[i + one]):
            best[i] = max(best[i], log_z[k] + best[heads[k]])


LOOPS = (
    sort_rows,
    topological_order,
    reverse_sweep,
    forward_sweep,
    reverse_sweeps,
    forward_sweeps,
    strongest_sweep,
)


@cache
def compiled(
    loops: tuple[Callable[..., Any], ...] = LOOPS, calls: tuple[Callable[..., Any], ...] = ()
) -> Mapping[str, Callable[..., Any]]:
    """Return loops as machine code, by name.

    Parameters
    ----------
    loops : tuple of functions
        The loops. Their machine code is kept on disk, until the module that they stand in changes.
    calls : tuple of functions, optional
        What they call, and what that calls before it, all in the same module.

    Raises
    ------
    ImportError
        If numba is not installed, or does not work with this NumPy.
    """
    njit = import_module("numba").njit
    options = {"nogil": True, "error_model": "numpy"}  # 1 / 0 is inf, and reported as every other overflow is
    known: dict[str, Callable[..., Any]] = dict(FUNCTIONS_OF_NUMBERS)
    for call in calls:
        known[call.__name__] = njit(**options)(_knowing(known, call))
    linked = [_knowing(known, loop) for loop in loops]
    try:
        return {loop.__name__: njit(cache=True, **options)(loop) for loop in linked}
    except RuntimeError:  # nowhere on disk to keep them
        return {loop.__name__: njit(**options)(loop) for loop in linked}


def _knowing(known: Mapping[str, Callable[..., Any]], function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function with `known` in place of what it finds under these names."""
    return FunctionType(function.__code__, {**function.__globals__, **known}, function.__name__)


def is_loaded() -> bool:
    """Return whether the loops are compiled already."""
    return compiled.cache_info().currsize > 0


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
        compiled()["sort_rows"](tails, indptr, slots)

    @staticmethod
    def topological_order(indptr: Index, heads: Index) -> Index:
        """Return the nodes, tails before heads; those that a cycle holds up are left out."""
        order = np.empty(len(indptr) - 1, np.uint32)
        return order[: compiled()["topological_order"](indptr, heads, order)]

    def reverse(self, z: Floats, targets: Index) -> tuple[Floats, bool]:
        """Return S(i,t), shape (nodes, targets), and whether all of it is known to be finite."""
        S = np.zeros((len(self.indptr) - 1, len(targets)))
        if len(targets) == 1:
            total = compiled()["reverse_sweep"](self.indptr, self.heads, z, targets[0], S[:, 0])
            return S, math.isfinite(total)
        S[targets, np.arange(len(targets))] = 1.0
        compiled()["reverse_sweeps"](self.indptr, self.heads, z, targets.max(), S)
        return S, has_finite_sum(S)

    def forward(self, z: Floats, sources: Index) -> tuple[Floats, bool]:
        """Return S(s,i), shape (nodes, sources), and whether all of it is known to be finite."""
        S = np.zeros((len(self.indptr) - 1, len(sources)))
        if len(sources) == 1:
            total = compiled()["forward_sweep"](self.indptr, self.heads, z, sources[0], S[:, 0])
            return S, math.isfinite(total)
        S[sources, np.arange(len(sources))] = 1.0
        compiled()["forward_sweeps"](self.indptr, self.heads, z, sources.min(), S)
        return S, has_finite_sum(S)

    def strongest(self, log_z: Floats, t: int) -> Floats:
        """Return, for every node, the largest sum of `log_z` along a path to `t`; -inf without a path."""
        best = np.full(len(self.indptr) - 1, -np.inf)
        compiled()["strongest_sweep"](self.indptr, self.heads, log_z, t, best)
        return best


def has_finite_sum(S: Floats) -> bool:
    """Return whether the sum of `S` is finite, which shows in one pass that all of `S` is."""
    with np.errstate(all="ignore"):
        return math.isfinite(S.sum())
