"""For test suites and example scripts: numbers beside what they should be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from cgraph.model.values import show_shape
from cgraph.reports.tables import Table, to_text

__all__ = ["compare"]


def compare(rows: Iterable[tuple[str, Any, Any]], *, tolerance: float = 1e-12) -> int:
    """Print expected, obtained and error for each row, and return the exit status for a script.

    Parameters
    ----------
    rows : iterable of (name, expected, obtained)
        What is compared: numbers, or arrays and Jacobians of one shape. Of an array the line shows the entry with the
        largest error, the largest entry among equals.
    tolerance : float, default 1e-12
        The largest error, relative to the expected number or to 1 if that is larger.

    Returns
    -------
    int
        0 if every error is within the tolerance, else 1; also 1 if there was nothing to compare, or shapes differ.

    Examples
    --------
    >>> compare([("2 + 2", 4.0, 2.0 + 2.0), ("0.1 + 0.2", 0.4, 0.1 + 0.2)])
      quantity   expected  obtained  error
      2 + 2             4         4  0
      0.1 + 0.2       0.4       0.3  0.1 <- miss
    1
    >>> compare([("x", [2.0, 4.0], np.array([2.0, 4.5]))])
      quantity                 expected  obtained  error
      x, [1] of a vector of 2         4       4.5  0.125 <- miss
    1
    """
    compared = [_compared(name, np.asarray(e, dtype=float), np.asarray(o, dtype=float)) for name, e, o in rows]
    misses = [not error <= tolerance for *_, error in compared]  # NaN is a miss
    table = [(*row[:3], f"{row[3]:.3g}" + " <- miss" * miss) for row, miss in zip(compared, misses, strict=True)]
    print(to_text(Table(("quantity", "expected", "obtained", "error"), table)))  # noqa: T201 - what it is for
    return int(any(misses) or not compared)


def _compared(name: str, expected: Any, obtained: Any) -> tuple[str, Any, Any, float]:
    """Return the row of two numbers, or of the entry where two arrays differ most."""
    if expected.shape != obtained.shape:
        return name, show_shape(expected), show_shape(obtained), np.inf
    error = np.abs(expected - obtained) / np.maximum(1.0, np.abs(expected))
    worst = np.lexsort((np.abs(expected).ravel(), error.ravel()))[-1]  # NaN comes last
    at = np.unravel_index(worst, error.shape)
    if at:
        name = f"{name}, [{', '.join(map(str, at))}] of {show_shape(expected)}"
    return name, float(expected[at]), float(obtained[at]), float(error[at])
