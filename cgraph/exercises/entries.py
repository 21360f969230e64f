"""Several numbers in one answer: the entries of an array, or the rows of a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cgraph.exercises.numbers import UnreadableError
from cgraph.exercises.questions import Part

__all__ = ["entries_of"]


def entries_of(given: Any, parts: Mapping[str, Part], shape: tuple[int, ...]) -> dict[str, Any]:
    """Return {label: entry} of an array or a table, None where there is nothing.

    Raises
    ------
    UnreadableError
        If it is no array of that shape, or no mapping from the labels.
    """
    if shape:
        if hasattr(given, "tolist"):
            given = given.tolist()
        try:
            return dict(zip(parts, _flat(given, shape), strict=True))
        except _MisshapenError as error:
            shown = " x ".join(map(str, shape))
            raise UnreadableError(f"an array of shape {shown} is asked for; {error}") from None
    if not isinstance(given, Mapping):
        raise UnreadableError("a table is answered by a mapping from its nodes to numbers")
    if unknown := [str(label) for label in given if str(label) not in parts]:
        raise UnreadableError(f"the table has no row {unknown[0]!r}; its rows are {', '.join(parts)}")
    return dict.fromkeys(parts) | {str(label): value for label, value in given.items()}


class _MisshapenError(Exception):
    pass


def _flat(given: Any, shape: tuple[int, ...]) -> Iterator[Any]:
    if not isinstance(given, list | tuple):
        raise _MisshapenError(f"{'a text' if isinstance(given, str) else 'a number'} stands where a list should")
    if len(given) != shape[0]:
        raise _MisshapenError(f"{len(given)} entries stand where {shape[0]} should")
    for entry in given:
        yield from _flat(entry, shape[1:]) if shape[1:] else (entry,)
