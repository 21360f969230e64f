"""A student edition of an exercise: without answers, but with hashes by which an answer can be checked."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from fractions import Fraction
from math import ceil, floor
from typing import IO, Any

from cgraph.exercises.exercise import Exercise
from cgraph.exercises.questions import Choice, Question
from cgraph.exercises.reading import exercise_of, with_graph
from cgraph.exercises.tolerances import FLOOR, Tolerance, exponent_of
from cgraph.model.errors import CGraphError
from cgraph.specs.reading import read_document

__all__ = ["opens", "rounded_answer", "seal"]

MOST_HASHES = 2000  # of one number
DIGITS = 12  # that a hashed answer has at most; more would be the rounding of floats


def seal(source: str | os.PathLike[str] | IO[Any], *, format: str | None = None) -> dict[str, Any]:
    r"""Return an exercise without its answers, which `grade` can still mark.

    Parameters
    ----------
    source : path or stream
        An exercise.
    format : {"yaml", "json", "toml"}, optional
        By default what the file's suffix says, else YAML.

    Returns
    -------
    dict
        The exercise as plain data, which `to_yaml` and `to_json` of ``cgraph.specs.writing`` write. Every number and
        choice has under ``seal`` the hashes of the answers that are right, and ``sealed`` holds their salt.

    Raises
    ------
    SpecError
        With every mistake of the file.
    CGraphError
        If the exercise is sealed already, or a tolerance is so wide that more than 2,000 rounded answers are right.
    OSError
        If a file cannot be opened.

    Notes
    -----
    This is no secret: the graph is in the file, so that its numbers can be computed, and a letter is found by trying
    all. An answer is rounded to one digit more than the tolerance asks for, and hashed with the salt, the id and its
    label (SHA-256, 16 digits of it). Nothing that is right is refused by that; what is beyond the end of the tolerance
    by less than half a unit of that digit may be accepted.

    Examples
    --------
    >>> import io
    >>> text = "inputs: {x: 2.0}\nnodes: {y: x^2}\nask: [{id: a, d: y/x, answer: 4, tolerance: integer}]"
    >>> seal(io.StringIO(text))["ask"]
    [{'id': 'a', 'd': 'y/x', 'tolerance': 'integer', 'seal': 'cc694a1436697b0f'}]
    """
    document = read_document(source, format=format)
    exercise = exercise_of(document, source)
    if exercise.sealed:
        raise CGraphError("the exercise is sealed already")
    data = with_graph(document.data, source)
    salt = _hash(str(data.get("salt", "")), "\n".join(line.rstrip() for line in document.lines))
    dropped = {"vary", "magnitude", "salt", "ask"}
    sealed = {key: part for key, part in data.items() if key not in dropped}
    pairs = zip(data["ask"], exercise.questions, strict=True)
    return sealed | {"sealed": salt, "ask": [_sealed(entry, q, exercise, salt) for entry, q in pairs]}


def opens(q: Question, label: str, salt: str, answer: str) -> bool:
    """Whether an answer, rounded, has one of the hashes of a part of a sealed question."""
    return _hash(salt, q.id, label, answer) in q.seals.get(label, ())


def rounded_answer(tolerance: Tolerance, value: Fraction) -> str:
    """Return a number as it is hashed: with one digit more than the tolerance asks for, and at most twelve."""
    if tolerance.kind == "integer":
        return str(value)
    if tolerance.kind not in {"dp", "abs"} and abs(value) <= FLOOR:
        return "0"
    unit = _unit(tolerance, value)
    return str(floor(value / unit + Fraction(1, 2)) * unit)


def _unit(tolerance: Tolerance, value: Fraction) -> Fraction:
    """Return the unit of the last digit that is kept, which follows from the tolerance and the number itself."""
    leading = exponent_of(value) if value else -DIGITS
    finest = leading - DIGITS + 1
    match tolerance.kind:
        case "sf":
            wanted = leading - int(tolerance.size)
        case "dp":
            wanted = -int(tolerance.size) - 1
        case "rel":
            wanted = leading + exponent_of(tolerance.size) - 1
        case "abs":
            wanted = exponent_of(tolerance.size) - 1
        case _:
            wanted = finest
    return Fraction(10) ** max(wanted, finest)


def _right(q: Question, truth: Fraction, *, computed: bool) -> Iterator[str]:
    """Yield every rounded answer that is right."""
    if q.tolerance.kind == "integer":
        yield str(Fraction(round(truth)))
        return
    low, high = q.tolerance.interval(truth, computed=computed)
    unit = min(_unit(q.tolerance, low), _unit(q.tolerance, high))
    count = floor(high / unit) - ceil(low / unit) + 1
    if count > MOST_HASHES:
        raise CGraphError(
            f"question {q.id!r}: with the tolerance {q.tolerance} too many answers are right to be sealed"
        )
    between = (k * unit for k in range(ceil(low / unit), floor(high / unit) + 1))
    yield from (rounded_answer(q.tolerance, value) for value in (low, *between, high))


def _sealed(entry: dict[str, Any], q: Question, exercise: Exercise, salt: str) -> dict[str, Any]:
    """Return a question with hashes in place of its answer."""
    right: dict[str, set[str]] = {}
    if isinstance(q.special, Choice):
        right = {"": {q.special.right}}
    for label, truth in exercise.truths[q.id].items():
        right[label] = set(_right(q, truth, computed=label not in q.answers))
    # In the order of the hashes, which says nothing of that of the numbers.
    seals = {
        label: " ".join(sorted(_hash(salt, q.id, label, text) for text in texts)) for label, texts in right.items()
    }
    bare = {key: part for key, part in entry.items() if key != "answer"}
    return bare | ({"seal": seals.get("", seals)} if seals else {})


def _hash(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
