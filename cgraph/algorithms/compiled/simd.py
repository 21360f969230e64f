"""Rows of numbers that are computed side by side, so that a loop over rows reads as one over numbers.

Row k of an array is ``y[k]``: a number where `y` has one axis, and `WIDTH` numbers where it has two, one for each
lane (a point, or a column of a Jacobian). In machine code these are a vector of the processor, with the
arithmetic that `cgraph.algorithms.compiled.simd_numba` gives it; a compiler left alone with a loop over the lanes
cannot know that row i and row k do not overlap, and takes them one number at a time.

Without numba a row of two axes is a view: what is added to it is written ``s = s + ...``, which makes a new one.
"""

from __future__ import annotations

from typing import Any, SupportsIndex

from cgraph.algorithms.compiled.edge_arrays import Floats

__all__ = ["WIDTH", "entry", "load", "put", "store"]

WIDTH = 8  # a row is a cache line


def entry(x: Any, k: int) -> float:
    """Return entry k of an array, which nobody writes to while the loop runs; in machine code a float64.

    The compiler is told so, and then takes several entries at once.
    """
    return float(x[k])


def put(y: Any, k: int, value: float) -> None:
    """Set entry k of an array, rounded to its type."""
    y[k] = value


def load(y: Floats, k: SupportsIndex) -> Any:
    """Return row k of `y`, from 0; of two axes, the second is `WIDTH`."""
    return y[k]


def store(y: Floats, k: SupportsIndex, row: Any) -> None:
    """Set row k of `y`."""
    y[k] = row
