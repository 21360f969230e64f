"""A file of answers to be filled in: for one student, or a table for a class."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from cgraph.exercises.exercise import Exercise
from cgraph.exercises.questions import Question
from cgraph.exercises.sheets.wording import exactness
from cgraph.reports.tables import to_csv

__all__ = ["BLANK", "blank_answers", "blank_class"]

BLANK = ("yaml", "csv")  # the formats
NOTHING = "?"  # what is read as no answer
NO_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}  # to some reader of YAML


def blank_answers(exercise: Exercise, *, student: str = "", format: str = "yaml") -> str:
    r"""Return a file of answers with nothing filled in.

    Parameters
    ----------
    exercise : Exercise
        The exercise whose questions are to be answered.
    student : str, optional
        The student who fills it in.
    format : {"yaml", "csv"}, default "yaml"
        YAML says beside each question what is asked for. CSV is one row for each question, and has no place for the
        student: there the name of the file tells.

    Returns
    -------
    str
        What `read_answers` reads; as it is, every answer is missing.

    Raises
    ------
    ValueError
        If the format is another one.

    Examples
    --------
    >>> import io
    >>> from cgraph import read_exercise
    >>> text = "inputs: {x: 3.0}\nnodes: {y: x^2}\nask: [{id: a, d: y/x}, {id: b, table: forward}]"
    >>> print(blank_answers(read_exercise(io.StringIO(text)), student="ada"))
    student: ada
    answers:
      a:  # dy/dx, to 3 significant figures
      b:  # y(y), to 3 significant figures
        "y":
    <BLANKLINE>
    """
    if format == "yaml":
        return "".join(f"{line}\n" for line in _yaml(exercise, student))
    if format == "csv":
        return to_csv(("id", "answer"), [{"id": q.id, "answer": _cell(q)} for q in exercise.questions]) + "\n"
    raise ValueError(f"a blank file is written as {' or '.join(BLANK)}, not {format!r}")


def blank_class(exercise: Exercise, students: Sequence[str]) -> str:
    r"""Return a table of CSV for the answers of a class: a row for each student, a column for each question.

    Examples
    --------
    >>> import io
    >>> from cgraph import read_exercise
    >>> text = "inputs: {x: 3.0}\nnodes: {y: x^2}\nask: [{id: a, d: y/x}, {id: b, y: y}]"
    >>> print(blank_class(read_exercise(io.StringIO(text)), ["ada", "ben"]), end="")
    student,a,b
    ada,,
    ben,,
    """
    return to_csv(("student", *(q.id for q in exercise.questions)), [{"student": one} for one in students]) + "\n"


def _yaml(exercise: Exercise, student: str) -> Iterator[str]:
    yield f"student: {_key(student)}".rstrip()
    yield "answers:"
    for q in exercise.questions:
        about = ", ".join(filter(None, (" ".join(q.asks.split()), exactness(q))))
        blank = _blank(q)
        given = "" if blank is None or isinstance(blank, dict) else f" {json.dumps(blank)}"
        yield f"  {_key(q.id)}:{given}  # {about}"
        if isinstance(blank, dict):
            yield from (f"    {_key(label)}:" for label in blank)


def _blank(q: Question) -> Any:
    """Return nothing, in the form that the answer has."""
    if q.shape:
        blank: Any = NOTHING
        for n in reversed(q.shape):
            blank = [blank] * n
        return blank
    return dict.fromkeys(q.parts) if len(q.parts) > 1 or (q.parts and set(q.parts) != {""}) else None


def _cell(q: Question) -> str:
    blank = _blank(q)
    if isinstance(blank, dict):
        return json.dumps(dict.fromkeys(blank, NOTHING), ensure_ascii=False)
    return "" if blank is None else json.dumps(blank)


def _key(text: str) -> str:
    """Return a text as it stands in YAML: in quotes, unless it can be nothing but a word."""
    is_word = re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", text) and text.lower() not in NO_WORDS
    return text if is_word or not text else json.dumps(text, ensure_ascii=False)
