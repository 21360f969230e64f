"""S between some rows of a stored graph, eight columns at a time, in memory for the rows that a sweep still needs."""

from __future__ import annotations

from typing import final

import numpy as np

from cgraph.algorithms.compiled.edge_arrays import Floats, Index, whole_lines
from cgraph.algorithms.compiled.simd import WIDTH
from cgraph.model.errors import ArchiveError
from cgraph.stored.block_sweeps import loops
from cgraph.stored.blocks import Blocks, opened_blocks

__all__ = ["columns_between", "columns_by_a_worker"]


def columns_by_a_worker(
    folder: str, part: str, known: Index, begins: list[int], ends: Index, is_forward: bool
) -> Floats:
    """Return `columns_between` of a graph that is named by its folder; `known` is what the caller has checked."""
    blocks = opened_blocks(folder, part)
    blocks.believe(known)
    return columns_between(blocks, begins, ends, is_forward)


def columns_between(blocks: Blocks, begins: list[int], ends: Index, is_forward: bool) -> Floats:
    """Return S between the rows `begins`, where sweeps begin, and `ends`; shape (ends, begins)."""
    groups = (begins[k : k + WIDTH] for k in range(0, len(begins), WIDTH))
    return np.concatenate([_swept(blocks, group, ends, is_forward) for group in groups], axis=1)


def _swept(blocks: Blocks, group: list[int], ends: Index, is_forward: bool) -> Floats:
    """Return S between the rows of `group`, at most eight, and `ends`: one sweep over the blocks between them."""
    found, firsts = np.zeros((len(ends), WIDTH)), blocks.meta.firsts
    lowest, highest = (min(group), ends.max(initial=-1)) if is_forward else (ends.min(initial=firsts[-1]), max(group))
    numbers = range(blocks.of_row(lowest), blocks.of_row(highest) + 1) if lowest <= highest else range(0)
    tops = _tops(blocks, numbers)
    window = _Window(_rows_needed(firsts, numbers, tops), is_forward=is_forward)
    sweep = loops()["forward_block" if is_forward else "reverse_block"]
    for b, block in blocks.in_turn(numbers if is_forward else numbers[::-1]):
        first, end = firsts[b : b + 2]
        if blocks.known[b, 1] > tops[b]:
            raise ArchiveError(f"block {b} of {str(blocks.folder)!r} was changed while it was swept; ask again")
        S = window.rows(first, tops[b])
        for lane, row in enumerate(group):
            if first <= row < end:
                S[row - first, lane] = 1.0
        with np.errstate(over="ignore", invalid="ignore"):  # the caller looks for overflow
            sweep(block.indptr, block.heads, block.derivatives, S)
        here = np.flatnonzero((ends >= first) & (ends < end))
        found[here] = S[ends[here] - first]
    return found[:, : len(group)]


def _tops(blocks: Blocks, numbers: range) -> dict[int, int]:
    """Return for each block the end of the rows that it and those below it, among these, have or lead to."""
    tops: dict[int, int] = {}
    top = 0
    for b in numbers:
        top = tops[b] = max(top, blocks.meta.firsts[b + 1], blocks.reach(b))
    return tops


def _rows_needed(firsts: list[int], numbers: range, tops: dict[int, int]) -> int:
    """Return how many rows a window has: those of the largest block, and room to move what it leaves behind."""
    if not numbers:
        return 0
    largest = max(tops[b] - firsts[b] for b in numbers)
    left = max(tops[b] - firsts[b + 1] for b in numbers)
    return min(largest + left, tops[numbers[-1]] - firsts[numbers[0]])


@final
class _Window:
    """A window of rows that moves down or up through S, a block at a time.

    Parameters
    ----------
    capacity : int
        Rows that there is memory for.
    is_forward : bool
        Whether the window moves to larger numbers.
    """

    def __init__(self, capacity: int, *, is_forward: bool) -> None:
        self._lines = whole_lines(capacity, WIDTH)
        self._is_forward = is_forward
        self._first = self._end = self._place = 0  # the rows in the window, and the line of the first of them

    def rows(self, first: int, end: int) -> Floats:
        """Return S of the rows from `first` to `end`: those that were in the window before as they are, others zero."""
        low, high = max(first, self._first), min(end, self._end)
        if low >= high:
            low = high = first
        kept = self._lines[self._place + low - self._first : self._place + high - self._first]
        place = self._place + first - self._first
        if low == high or not 0 <= place <= len(self._lines) - (end - first):
            place = 0 if self._is_forward else len(self._lines) - (end - first)
        S = self._lines[place : place + end - first]
        S[low - first : high - first] = kept  # where both overlap, NumPy copies
        S[: low - first] = 0.0
        S[high - first :] = 0.0
        self._first, self._end, self._place = first, end, place
        return S
