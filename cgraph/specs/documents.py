"""A file as plain data, with the line and column of every part of it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from cgraph.model.errors import Problem, SpecError, SpecWarning

__all__ = ["Document", "Path", "Places", "problem_at"]

# A part of a document is found by the keys and indices that lead to it.
Path = tuple[str | int, ...]


@dataclass
class Places:
    """Line and column, from 0, of the keys and values of a document."""

    keys: dict[Path, tuple[int, int]] = field(default_factory=dict)
    values: dict[Path, tuple[int, int]] = field(default_factory=dict)


class Document:
    """What a file says, and where it says it.

    Attributes
    ----------
    name : str
        The file's name, for messages.
    lines : list of str
        The lines of the file.
    data : dict, list, str, int, float, bool or None
        The content; every key of a mapping is the text that stands in the file.
    problems : list of Problem
        What is wrong so far.
    warnings : list of Problem
        What may be meant otherwise.
    defined : dict
        ``{node: path}``, where each node of the graph is defined.
    """

    def __init__(self, name: str, lines: list[str], data: Any, find_places: Callable[[], Places]) -> None:
        self.name, self.lines, self.data, self._find_places = name, lines, data, find_places
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.defined: dict[str, Path] = {}

    @cached_property
    def places(self) -> Places:
        """Where everything stands; worked out when the first mistake is found."""
        return self._find_places()

    def report(
        self,
        path: Path,
        message: str,
        hint: str = "",
        *,
        at_key: bool = False,
        inside: tuple[str, int] = ("", 0),
        cyclic: bool = False,
    ) -> None:
        """Record a problem with the part at `path`; `inside` is a text that stands there and a column of it."""
        line, column = self._place(path, at_key, inside)
        self.problems.append(replace(problem_at(self.lines, line, column, message, hint), cyclic=cyclic))

    def warn(self, path: Path, message: str, hint: str = "", *, inside: tuple[str, int] = ("", 0)) -> None:
        """Record what may be meant otherwise, as `report` does a mistake."""
        line, column = self._place(path, False, inside)
        self.warnings.append(problem_at(self.lines, line, column, message, hint))

    def _place(self, path: Path, at_key: bool, inside: tuple[str, int]) -> tuple[int, int]:
        table = self.places.keys if at_key else self.places.values
        while path and path not in table:
            path = path[:-1]
        return self._inside(*table.get(path, (0, 0)), *inside)

    def raise_problems(self) -> None:
        """Raise `SpecError` if there are any; else warn of what may be meant otherwise."""
        if self.problems:
            raise SpecError(self.name, self.problems)
        for problem in self.warnings:
            warnings.warn(problem.report(self.name, "warning"), SpecWarning, stacklevel=3)

    def _inside(self, line: int, column: int, text: str, offset: int) -> tuple[int, int]:
        """Return the place of character `offset` of a scalar that begins at `line` and `column`."""
        row = text.count("\n", 0, offset)
        fragment = text.split("\n")[row]
        offset -= sum(len(part) + 1 for part in text.split("\n")[:row])
        # A block scalar begins on the line after its indicator; quotes stand before the text.
        for k in range(line, min(line + row + 2, len(self.lines))):
            found = self.lines[k].find(fragment, column if k == line else 0)
            if fragment and found >= 0:
                return k, found + offset
        return line, column


def problem_at(lines: list[str], line: int, column: int, message: str, hint: str = "") -> Problem:
    """Return the problem at a line and column that count from 0."""
    return Problem(line + 1, column + 1, message, hint, lines[line] if line < len(lines) else "")
