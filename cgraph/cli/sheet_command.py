"""The command that writes sheets: for one reader, for a class in one document, or a file for each student."""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from cgraph.cli.graph_source import UsageError, read_named
from cgraph.cli.output import write_output
from cgraph.exercises.answers import no_name
from cgraph.exercises.class_marking import ClassMarker
from cgraph.exercises.exercise import Exercise
from cgraph.exercises.sheets.blank_answers import BLANK, blank_answers, blank_class
from cgraph.exercises.sheets.contents import sheet_of
from cgraph.exercises.sheets.rendering import RENDERED
from cgraph.model.files import write_whole
from cgraph.specs.formats import read_text

__all__ = ["sheet"]

DONE = 0
ENDINGS = {"text": "txt", "markdown": "md", "latex": "tex"}
MOST_TEXT = 1_000_000  # characters of a list of students


def sheet(arguments: argparse.Namespace) -> int:
    """Write sheets of an exercise."""
    marker = read_named(ClassMarker.read, arguments.exercise)
    _check(arguments, marker.exercise)
    students = [*arguments.student, *(_students(arguments.roll) if arguments.roll is not None else ())]
    _check_students(students)
    if _is_folder(arguments.output):
        return _write_folder(arguments, marker, students)
    write_output(arguments.output, _document(arguments, marker, students))
    return DONE


def _check(arguments: argparse.Namespace, exercise: Exercise) -> None:
    """Refuse options that do not go together."""
    is_blank = arguments.format in BLANK
    if arguments.picture and (is_blank or arguments.format == "text"):
        raise UsageError(f"{arguments.format} has no picture; take html, latex or markdown")
    if arguments.readers == "answers" and is_blank:
        raise UsageError(f"{arguments.format} is a file to be filled in; the solution is text, markdown, html or latex")
    if arguments.readers == "answers" and exercise.sealed:
        raise UsageError("a sealed exercise holds no answers; take the exercise itself")


def _check_students(students: Sequence[str]) -> None:
    for student in students:
        if reason := no_name(student):
            raise UsageError(reason)
    if twice := next((one for k, one in enumerate(students) if one in students[:k]), None):
        raise UsageError(f"the student {twice!r} is named twice")


def _students(name: str) -> list[str]:
    """Return the names of a list: a name in each line, or the column `student` of CSV."""
    _, text = read_named(read_text, name)
    if len(text) > MOST_TEXT:
        raise UsageError(f"the list of students is longer than {MOST_TEXT:,} characters")
    separator = ";" if ";" in text.partition("\n")[0] else ","
    rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), delimiter=separator) if any(row)]
    column = next((k for k, head in enumerate(rows[0]) if head.casefold() == "student"), None) if rows else None
    if column is None:
        if any(len(row) > 1 for row in rows):
            raise UsageError(f"{name!r} has no column 'student'; or write a name in each line")
        return [row[0] for row in rows]
    return [row[column] for row in rows[1:] if len(row) > column and row[column]]


def _is_folder(output: str) -> bool:
    return output != "-" and (output.endswith("/") or Path(output).is_dir())


def _write_folder(arguments: argparse.Namespace, marker: ClassMarker, students: Sequence[str]) -> int:
    """Write a file for each student, named after the student."""
    if not students:
        raise UsageError("a folder takes a file for each student; name them with --student or --class")
    ending = ENDINGS.get(arguments.format, arguments.format)
    names = [_file_name(student, ending) for student in students]
    folder = Path(arguments.output)
    documents = [_document(arguments, marker, [student]) for student in students]  # all of them, before any is written
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, document in zip(names, documents, strict=True):
            write_whole(folder / name, document)
    except OSError as error:
        raise UsageError(f"cannot write into {arguments.output!r}: {error.strerror or error}") from None
    return DONE


def _file_name(student: str, ending: str) -> str:
    """Return the name of a student's file; `grade` takes the student from it."""
    if student.startswith(".") or set(student) & set('/\\:*?"<>|'):
        raise UsageError(f"the student {student!r} cannot name a file; write one document with -o FILE")
    return f"{student}.{ending}"


def _document(arguments: argparse.Namespace, marker: ClassMarker, students: Sequence[str]) -> str:
    """Return one document for all students, or one without a name."""
    exercises = list(_exercises(marker, students))
    if arguments.format in BLANK:
        if len(students) > 1:
            if arguments.format != "csv":
                raise UsageError("answers of several students stand in one CSV; or write a folder of YAML files")
            return blank_class(marker.exercise, students)
        (exercise,) = exercises
        return blank_answers(exercise, student="".join(students), format=arguments.format)
    sheets = [
        sheet_of(exercise, answers=arguments.readers == "answers", student=student, date=arguments.date)
        for exercise, student in zip(exercises, students or [""], strict=True)
    ]
    return RENDERED[arguments.format](sheets, picture=arguments.picture, paper=arguments.paper)


def _exercises(marker: ClassMarker, students: Sequence[str]) -> Iterator[Exercise]:
    """Yield the exercise of each student: the variant where the exercise varies."""
    for student in students:
        yield marker.exercise if marker.variants is None else marker.variants.exercise_of(student)
    if not students:
        yield marker.exercise
