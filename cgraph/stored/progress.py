"""How far a question has come whose answer is written to a file, so that another run can go on."""

from __future__ import annotations

import json
from collections.abc import Container
from pathlib import Path
from typing import Any, final

import numpy as np

from cgraph.algorithms.compiled.edge_arrays import Floats
from cgraph.model.errors import ArchiveError, CGraphError
from cgraph.model.files import write_whole

__all__ = ["Answer", "new_array"]

_LINE = 4096  # bytes of what is said before the numbers


@final
class Answer:
    """A ``.npy`` file that is filled bit by bit, and a note beside it that says how far.

    Parameters
    ----------
    path : Path
        The file.
    shape : tuple of int
        Of the array of float64 in it.
    question : dict
        What is asked, as JSON holds it: a note on another question is none.
    places : container of int
        Where a run can go on.
    resume : bool
        Whether to go on where a run with the same question has noted to be; else the file is new, and zero.

    Attributes
    ----------
    numbers : ndarray
        Mapped to the file.
    place : int or None
        What `note` was told last; None if the file is new.
    pending : ndarray
        Likewise.
    """

    def __init__(
        self, path: Path, shape: tuple[int, ...], question: dict[str, Any], places: Container[int], *, resume: bool
    ) -> None:
        self._note, self._question = path.with_name(f"{path.name}.progress"), question
        self.place, self.pending = self._noted(places, shape[0]) if resume and path.is_file() else (None, np.empty(0))
        if self.place is None:
            self.numbers = new_array(path, shape)
        else:
            self.numbers = _opened(path, shape)

    def note(self, place: int, pending: Floats | None = None) -> None:
        """Note that all up to `place` is in the file, and numbers that are not."""
        self.numbers.flush()  # type: ignore[attr-defined]  # of a memmap
        line = json.dumps(self._question | {"place": place}).encode() + b"\n"
        write_whole(self._note, lambda file: file.writelines([line, *([] if pending is None else [pending.data])]))

    def finish(self) -> Floats:
        """Return the numbers, all of which are in the file."""
        self._note.unlink(missing_ok=True)
        return self.numbers

    def _noted(self, places: Container[int], end: int) -> tuple[int | None, Floats]:
        nothing = None, np.empty(0)
        try:
            with self._note.open("rb") as file:
                found = json.loads(file.readline(_LINE))
                pending = np.fromfile(file)
        except (OSError, ValueError, RecursionError):
            return nothing
        place: Any = found.pop("place", None) if isinstance(found, dict) else None
        is_sound = found == self._question and type(place) is int and place in places
        return (place, pending) if is_sound and (len(pending) == 0 or place + len(pending) <= end) else nothing


def new_array(path: Path, shape: tuple[int, ...]) -> Floats:
    """Return zeros in a new ``.npy`` file."""
    if path.exists() and not path.is_file():
        raise CGraphError(f"{str(path)!r} is no file, and numbers in place of memory need one")
    path.unlink(missing_ok=True)  # whoever has the old file open keeps it
    return np.lib.format.open_memmap(path, "w+", np.float64, shape)


def _opened(path: Path, shape: tuple[int, ...]) -> Floats:
    try:
        numbers: Floats = np.load(path, mmap_mode="r+", allow_pickle=False)
    except (ValueError, EOFError, SyntaxError, TypeError) as error:
        raise ArchiveError(f"{str(path)!r} is damaged: {error}; ask again, without resume=True") from None
    if numbers.shape != shape or numbers.dtype != np.float64:
        raise ArchiveError(f"{str(path)!r} holds no answer to this question; ask again, without resume=True")
    return numbers
