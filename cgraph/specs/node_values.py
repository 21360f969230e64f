"""The value of a node in a spec: a number, nested lists, or an array in a file."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cgraph.model.errors import CGraphError, shorten
from cgraph.specs.advice import instead_of_key, instead_of_text
from cgraph.specs.documents import Path

if TYPE_CHECKING:
    from cgraph.specs.array_files import ArrayFiles

__all__ = ["Report", "Values", "check_keys", "kind_of"]

MAX_AXES = 32  # what every NumPy takes
FILE_KEYS = ["file", "name"]

Report = Callable[..., None]


class Values:
    """Makes parts of a document into numbers and arrays, and reports those that are neither.

    Parameters
    ----------
    report : callable
        `Document.report`.
    folder : Path
        Where the files lie that the document names.
    """

    def __init__(self, report: Report, folder: FilePath) -> None:
        self.report = report
        self.folder = folder

    @cached_property
    def files(self) -> ArrayFiles:
        """The files of numbers that the spec names."""
        from cgraph.specs.array_files import ArrayFiles

        return ArrayFiles(self.folder)

    def number(self, value: object, path: Path, what: str, needed: str = "a number") -> float | None:
        """Return a number as a float, or report what is wrong with it."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            hint = instead_of_text(value) if isinstance(value, str) else ""
            self.report(path, f"{what} is {kind_of(value)}; {needed} is needed", hint)
        elif not math.isfinite(number := _to_float(value)):
            self.report(path, f"{what} is {number}; a finite number is needed")
        else:
            return number
        return None

    def value(self, value: object, path: Path, what: str) -> float | NDArray[np.float64] | None:
        """Return a number as a float, nested lists or the content of a file as an array, or report what is wrong."""
        if isinstance(value, list):
            return self._array(value, path, what)
        if isinstance(value, dict) and "file" in value:
            return self._from_file(value, path, what)
        needed = "a number, a list or {file: ...}" if isinstance(value, dict) else "a number"
        return self.number(value, path, what, needed)

    def _array(self, rows: list[Any], path: Path, what: str) -> NDArray[np.float64] | None:
        """Return nested lists as an array, looking at them level by level; the entries come last."""
        shape: list[int] = []
        level: list[Any] = [rows]
        while isinstance(level[0], list):
            length = len(level[0])
            for k, part in enumerate(level):
                if not isinstance(part, list) or len(part) != length or not length or len(shape) == MAX_AXES:
                    place = _place(k, shape)
                    self.report((*path, *place), _unevenness(what, place, part, length, len(shape)))
                    return None
            shape.append(length)
            level = list(chain.from_iterable(level))
        wrong = [
            k for k, entry in enumerate(level) if type(entry) not in {int, float} or not math.isfinite(_to_float(entry))
        ]
        for k in wrong:
            place = _place(k, shape)
            self.number(level[k], (*path, *place), f"entry {list(place)} of {what}")
        return None if wrong else np.array(level, dtype=np.float64).reshape(shape)

    def _from_file(self, content: dict[str, Any], path: Path, what: str) -> float | NDArray[np.float64] | None:
        check_keys(content, FILE_KEYS, path, self.report)
        for key in FILE_KEYS:
            if not isinstance(found := content.get(key), str | None) or (key == "file" and not found):
                self.report(
                    (*path, key), f"{what}: {key!r} must be text, not {kind_of(found)}", "write {file: weights.npy}"
                )
                return None
        try:
            array = self.files.read(content["file"], content.get("name"))
        except CGraphError as error:
            self.report((*path, "name" if "name" in content else "file"), f"{what}: {error}")
            return None
        if not array.size:
            self.report((*path, "file"), f"{what}: {content['file']!r} is empty")
            return None
        return array if array.ndim else float(array)


def check_keys(data: Mapping[str, Any], keys: list[str], path: Path, report: Report) -> None:
    """Report the keys of a mapping that are not known."""
    for key in data:
        if key not in keys:
            report((*path, key), f"unknown key {key!r}", instead_of_key(key, keys), at_key=True)


def kind_of(value: object) -> str:
    """Return what a user would call `value`: "the text 'abc'", "a list", ..."""
    match value:
        case None:
            return "empty"
        case bool():
            return str(value).lower()
        case str():
            return f"the text {shorten(value)!r}"
        case dict() | list():
            return ("a mapping" if isinstance(value, dict) else "a list") if value else "empty"
        case int() | float():
            return f"the number {_to_float(value):g}"
    return f"a {type(value).__name__}"


def _place(k: int, shape: Sequence[int]) -> tuple[int, ...]:
    """Return the indices of the part that comes `k`-th in an array of this shape."""
    return tuple(int(index) for index in np.unravel_index(k, tuple(shape)))


def _unevenness(what: str, place: Path, part: object, length: int, axes: int) -> str:
    """Return what is wrong with a part of nested lists that is not like the first of its level."""
    of_what = f"entry {list(place)} of {what}" if place else what
    if not isinstance(part, list):
        return f"{of_what} is {kind_of(part)}; a list is needed, as at the first"
    if axes == MAX_AXES:
        return f"{what} has more than {MAX_AXES} axes"
    if not part:
        return f"{of_what} is empty; a number is needed"
    first = [0] * len(place)
    return f"{what} is ragged: the length of {list(place)} is {len(part)}, that of {first} is {length}"


def _to_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf
