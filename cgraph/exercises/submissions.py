"""What a class has handed in: a folder with a file for each student, or one table of all students."""

from __future__ import annotations

import csv
import io
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath

from cgraph.exercises.answers import MAX_TEXT, Answers, cell_of, no_name
from cgraph.exercises.results import printable
from cgraph.model.errors import SpecError
from cgraph.specs.documents import problem_at
from cgraph.specs.formats import read_text

__all__ = ["SUFFIXES", "Submission", "natural", "read_class", "submissions"]

SUFFIXES = (".csv", ".json", ".toml", ".yaml", ".yml")
MOST_TEXT_OF_CLASS = 50 * MAX_TEXT
_KINDS = {
    stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
}  # fmt: skip


@dataclass(frozen=True)
class Submission:
    """A file that was handed in; `error` says why it is not opened, or is ""."""

    path: FilePath
    error: str = ""

    @property
    def name(self) -> str:
        """The name of the file without its ending, free of characters that cannot be printed."""
        return printable(self.path.stem)


def submissions(folder: FilePath) -> tuple[list[Submission], list[str]]:
    """Return the files of answers in a folder, and the names of the other files in it.

    Hidden files and folders are passed over. A link that leaves the folder is not followed: it could earn the points of
    another file, or show the content of a file that its author cannot read.
    """
    found, others = [], []
    for path in sorted(folder.iterdir(), key=lambda path: natural(path.name)):
        if path.name.startswith(".") or (path.is_dir() and not path.is_symlink()):
            continue
        if path.suffix.lower() in SUFFIXES:
            found.append(Submission(path, _not_opened(path, folder.resolve())))
        else:
            others.append(printable(path.name))
    return found, others


def _not_opened(path: FilePath, folder: FilePath) -> str:
    """Return why a file is not opened, or ""."""
    try:
        target = path.resolve(strict=path.is_symlink())
        if not target.is_relative_to(folder):
            return "a link that leaves the folder; it is not followed"
        kind = stat.S_IFMT(target.stat().st_mode)
    except (OSError, RuntimeError):  # RuntimeError: a circle of links, in Python 3.11
        return "a link to nothing"
    return "" if kind == stat.S_IFREG else f"{_KINDS.get(kind, 'no regular file')}, not a file of answers"


def natural(name: str) -> list[tuple[bool, int, str]]:
    """Return the key that sorts numbers within names by their size.

    Examples
    --------
    >>> sorted(["s10", "s9", "ada"], key=natural)
    ['ada', 's9', 's10']
    """
    parts = re.split(r"([0-9]{1,18})", name)
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part.casefold()) for part in parts if part]


def read_class(path: FilePath) -> list[Answers] | None:
    """Return the answers of a class from CSV with the header ``student,ID,...``; None if it is no such table.

    Raises
    ------
    SpecError
        If a row has another number of cells, or a student no name or two rows, with the line.
    OSError
        If the file cannot be opened.
    """
    if path.suffix.lower() != ".csv":
        return None
    name, text = read_text(path)
    lines = text.splitlines()
    first = lines[0] if lines else ""
    separator = ";" if ";" in first else ","
    if not re.match(r'"?student"?[,;]', first, re.IGNORECASE):
        return None
    if len(text) > MOST_TEXT_OF_CLASS:
        raise SpecError(name, [problem_at([], 0, 0, f"the table is longer than {MOST_TEXT_OF_CLASS:,} characters")])
    try:
        reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
        rows = [(reader.line_num - 1, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as error:
        raise SpecError(name, [problem_at(lines, 0, 0, f"not CSV: {error}")]) from None
    (_, head), *rest = rows
    problems = [problem_at(lines, line, 0, reason) for line, row in rest if (reason := _wrong_row(row, head))]
    seen: dict[str, int] = {}
    for line, row in rest:
        if row and seen.setdefault(row[0], line) != line:
            reason = f"{row[0]!r} has two rows, in lines {seen[row[0]] + 1} and {line + 1}"
            problems.append(problem_at(lines, line, 0, reason))
    if len(set(head)) < len(head):
        problems.append(problem_at(lines, 0, 0, "two columns have the same name"))
    if problems:
        raise SpecError(name, problems)
    return [Answers(row[0], _answers(head, row), named=True) for _, row in rest if any(row)]


def _wrong_row(row: Sequence[str], head: Sequence[str]) -> str:
    if not any(row):
        return ""
    if len(row) != len(head):
        return f"{len(row)} cells; the header has {len(head)}"
    return no_name(row[0])


def _answers(head: Sequence[str], row: Sequence[str]) -> dict[str, object]:
    """Return {id: answer} of one row; an empty cell is no answer."""
    return {id: cell_of(cell) for id, cell in zip(head[1:], row[1:], strict=True) if cell}
