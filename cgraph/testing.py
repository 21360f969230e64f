"""For test suites and example scripts: numbers beside what they should be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

import cgraph as cg
from cgraph.exercises.grade_reports import explain
from cgraph.exercises.numbers import show_fraction
from cgraph.exercises.parts import Sensitivity
from cgraph.exercises.questions import Question
from cgraph.exercises.tolerances import parse_tolerance
from cgraph.model.evaluation import source_values
from cgraph.model.values import show_shape
from cgraph.reports.tables import Table, to_text

__all__ = ["assert_sensitivity", "compare"]


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


def assert_sensitivity(
    G: cg.ComputationalGraph,
    s: str,
    t: str,
    expected: Any,
    *,
    tolerance: str = "3sf",
    inputs: Mapping[str, float] | None = None,
) -> None:
    """Assert that S(s,t) is what is expected, for test suites.

    Parameters
    ----------
    G : ComputationalGraph
        Not modified.
    s, t : node
        The node that is varied and the node that is differentiated.
    expected : number or str
        As in an answer to an exercise: 1.44, "1/3", "2^5 * ln(2)".
    tolerance : str, default "3sf"
        As in an exercise: ``3sf``, ``2dp``, ``rel 1e-3``, ``abs 1e-6``, ``exact``, ``integer``.
    inputs : dict, optional
        As in `evaluate`.

    Raises
    ------
    AssertionError
        If it is not; with what is accepted, and the mistake that would explain the number.
    CGraphError
        As `linearize`, or if `expected` is no number.

    Examples
    --------
    >>> G = cg.from_equations("a = x*z; y = a + x", x=2.0, z=3.0)
    >>> assert_sensitivity(G, "x", "y", 4)
    >>> assert_sensitivity(G, "x", "y", -4)
    Traceback (most recent call last):
        ...
    AssertionError: S(x, y) = 4, not -4 (3sf accepts 3.995 to 4.005): the sign is wrong
    """
    question = Question("S", {"": Sensitivity(s, t)}, parse_tolerance(tolerance))
    H = G if inputs is None else _at(G, inputs)
    (result,) = cg.grade(cg.Exercise(H, (question,)), {"S": expected}).items[0].parts
    if result.status == "unreadable":
        raise cg.CGraphError(result.note)
    if result.status != "right":
        found = f": {explain(result.mistakes)}" if result.mistakes else ""
        raise AssertionError(
            f"S({s}, {t}) = {show_fraction(result.expected or 0)}, not {result.given} ({tolerance} accepts "
            f"{result.accepted}){found}"
        )


def _at(G: cg.ComputationalGraph, inputs: Mapping[str, float]) -> cg.ComputationalGraph:
    H = G.copy()
    for i, value in source_values(G, inputs).items():
        H.nodes[i]["value"] = value
    return H
