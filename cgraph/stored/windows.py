"""The rows of S that a sweep still needs, in memory that is no larger."""

from __future__ import annotations

from typing import final

from cgraph.algorithms.compiled.edge_arrays import Floats, whole_lines
from cgraph.algorithms.compiled.simd import WIDTH

__all__ = ["Window"]


@final
class Window:
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
        self._first = self._end = self._place = 0  # rows that are held, and where the first of them stands

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
