"""Answers in a file: YAML, JSON, TOML or CSV."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import IO, Any

from cgraph.model.errors import SpecError, nearest, shorten
from cgraph.specs.documents import problem_at
from cgraph.specs.formats import format_of, parse_document, read_text
from cgraph.specs.node_values import kind_of

__all__ = ["Answers", "cell_of", "no_name", "read_answers"]

MAX_TEXT = 200_000  # characters; YAML takes a second for some of them
MAX_NAME = 100
WHOLE = "answers"  # the key under which answers may stand, beside the student's name under the other
STUDENT = "student"


@dataclass(frozen=True)
class Answers:
    """What one student handed in.

    Attributes
    ----------
    student : str
        As the file says, or else the file's name.
    answers : dict
        ``{id: answer}``.
    named : bool
        Whether the file says who the student is.
    """

    student: str
    answers: Mapping[str, Any]
    named: bool = field(default=False, compare=False)


def read_answers(source: str | os.PathLike[str] | IO[Any]) -> Answers:
    r"""Read answers from a file or a stream.

    Parameters
    ----------
    source : path or stream
        A mapping from ids to answers in YAML, JSON or TOML, perhaps under ``answers`` beside ``student``; or CSV
        with a row for each answer, ``id,answer``. Lists in a cell of CSV are written as in JSON.

    Returns
    -------
    Answers
        The student and the answers as they were written; `grade` says which of them are no numbers.

    Raises
    ------
    SpecError
        If the file is no such mapping, with the place of the mistake.
    OSError
        If it cannot be opened.

    Examples
    --------
    >>> import io
    >>> read_answers(io.StringIO("student: ada\nanswers: {a: 1/3, b: [1, 2]}")).answers
    {'a': '1/3', 'b': [1, 2]}
    """
    path = FilePath(source) if isinstance(source, str | os.PathLike) else FilePath()
    name, suffix = path.stem, path.suffix.lower()
    name_of_file, text = read_text(source)
    if len(text) > MAX_TEXT:
        raise SpecError(name_of_file, [problem_at([], 0, 0, f"the answers are longer than {MAX_TEXT:,} characters")])
    if suffix == ".csv":
        return Answers(name, _read_csv(name_of_file, text))
    document = parse_document(text, format_of(suffix, None), name_of_file)
    data, named = document.data, False
    if isinstance(data, dict) and isinstance(data.get(WHOLE), dict):
        for key in (key for key in data if key not in {WHOLE, STUDENT}):
            hint = f"did you mean {STUDENT!r}?" if nearest(key, [STUDENT]) else f"answers stand under {WHOLE!r}"
            document.report((key,), f"unknown key {key!r} beside {WHOLE!r}", hint, at_key=True)
        student, data = data.get(STUDENT), data[WHOLE]
        given = _text_of(student)
        if given and (reason := no_name(given)):
            document.report((STUDENT,), reason)
        name = given or name
        named = bool(given)
    if not isinstance(data, dict):
        document.report((), f"answers must be a mapping from ids, not {kind_of(data)}", "write a: 1.5")
    document.raise_problems()
    return Answers(name, data, named)


def _text_of(student: Any) -> str:
    """Return the name that stands in a file; of what is neither text nor a number, what no name can be."""
    if isinstance(student, str):
        return student
    if not student and student != 0:
        return ""
    if type(student) is float or (type(student) is int and abs(student) < 10**MAX_NAME):
        return str(student)
    return f"<{kind_of(student)}>" + " " * MAX_NAME


def no_name(student: Any) -> str:
    """Return why `student` cannot stand for a student, or ""."""
    if isinstance(student, str) and student.isprintable() and 0 < len(student) <= MAX_NAME:
        return ""
    return f"{shorten(repr(student))} is no name of a student; 1 to {MAX_NAME} printable characters are"


def _read_csv(name: str, text: str) -> dict[str, Any]:
    lines = text.splitlines()
    answers: dict[str, Any] = {}
    problems = []
    try:
        # Excel writes semicolons where the comma is the decimal sign.
        separator = ";" if ";" in (lines[0] if lines else "") else ","
        reader = csv.reader(io.StringIO(text), delimiter=separator)
        for row in reader:
            cells = [cell.strip() for cell in row]
            line = reader.line_num - 1
            if not any(cells) or (line == 0 and cells[:2] == ["id", "answer"]):
                continue
            if len(cells) != 2:
                hint = "put an answer with a comma in quotes"
                problems.append(problem_at(lines, line, 0, f"{len(cells)} cells; a row is id{separator}answer", hint))
            elif cells[0] in answers:
                problems.append(problem_at(lines, line, 0, f"{cells[0]!r} is answered twice"))
            else:
                answers[cells[0]] = cell_of(cells[1])
    except csv.Error as error:
        problems.append(problem_at(lines, 0, 0, f"not CSV: {error}"))
    if problems:
        raise SpecError(name, problems)
    return answers


def cell_of(text: str) -> Any:
    """Return a cell, a list or mapping if it is written as one."""
    if text[:1] in {"[", "{"}:
        try:
            return parse_document(text, "json", "cell").data
        except SpecError:
            return text
    return text
