"""For test suites and example scripts: numbers beside what they should be."""

from __future__ import annotations

from collections.abc import Iterable

from cgraph.reports.tables import Table, to_text

__all__ = ["compare"]


def compare(rows: Iterable[tuple[str, float, float]], *, tolerance: float = 1e-12) -> int:
    """Print expected, obtained and error for each row, and return the exit status for a script.

    Parameters
    ----------
    rows : iterable of (name, expected, obtained)
        What is compared.
    tolerance : float, default 1e-12
        The largest error, relative to the expected number or to 1 if that is larger.

    Returns
    -------
    int
        0 if every error is within the tolerance, else 1; also 1 if there was nothing to compare.

    Examples
    --------
    >>> compare([("2 + 2", 4.0, 2.0 + 2.0), ("0.1 + 0.2", 0.4, 0.1 + 0.2)])
      quantity   expected  obtained  error
      2 + 2             4         4  0
      0.1 + 0.2       0.4       0.3  0.1 <- miss
    1
    """
    compared = [(name, float(e), float(o), abs(e - o) / max(1.0, abs(e))) for name, e, o in rows]
    misses = [not error <= tolerance for *_, error in compared]  # NaN is a miss
    table = [(*row[:3], f"{row[3]:.3g}" + " <- miss" * miss) for row, miss in zip(compared, misses, strict=True)]
    print(to_text(Table(("quantity", "expected", "obtained", "error"), table)))  # noqa: T201 - what it is for
    return int(any(misses) or not compared)
