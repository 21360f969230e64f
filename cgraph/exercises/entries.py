"""Several numbers in one answer: the entries of an array, or the rows of a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cgraph.exercises.numbers import UnreadableError
from cgraph.exercises.parts import Part

__all__ = ["as_written", "entries_of"]


def entries_of(given: Any, parts: Mapping[str, Part], shape: tuple[int, ...]) -> dict[str, Any]:
    """Return {label: entry} of an array or a table, None where there is nothing.

    Raises
    ------
    UnreadableError
        If it is no array of that shape, or no mapping from the labels.
    """
    if shape:
        given = as_written(given)
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


def as_written(given: Any) -> Any:
    """Return the lists that a text is: ``[1 0 -1]``, ``(1, 0)``, ``[[1, 2], [3, 4]]^T``; anything else as it is.

    Examples
    --------
    >>> as_written("(1/2, 0)"), as_written("[[1 2], [3 4]]^T"), as_written(["1 0 -1"])
    (['1/2', '0'], [['1', '3'], ['2', '4']], ['1', '0', '-1'])
    """
    if isinstance(given, list) and len(given) == 1 and isinstance(given[0], str) and len(given[0].split()) > 1:
        return given[0].split()
    if not isinstance(given, str):
        return given
    text = given.strip()
    transposed = text.endswith("^T")
    found = _lists(text.removesuffix("^T").strip())
    rows = found if isinstance(found, list) and all(isinstance(row, list) for row in found) else []
    if transposed and len(set(map(len, rows))) == 1:
        return [list(column) for column in zip(*rows, strict=True)]
    return given if transposed else found


def _lists(text: str, depth: int = 0) -> Any:
    """Return the list that a text in brackets is, to the depth of a matrix."""
    if depth == 2 or text[:1] + text[-1:] not in {"[]", "()"}:
        return text
    inside = text[1:-1].strip()
    parts = _split(inside, ",;") if set(inside) & set(",;") else _split(inside, " ")
    return [_lists(part, depth + 1) for part in parts]


def _split(text: str, separators: str) -> list[str]:
    """Return the parts of a text between separators that stand in no brackets."""
    parts, depth = [""], 0
    for c in text:
        depth += (c in "[(") - (c in "])")
        if depth == 0 and c in separators:
            parts.append("")
        else:
            parts[-1] += c
    return [part.strip() for part in parts if part.strip()]


class _MisshapenError(Exception):
    pass


def _flat(given: Any, shape: tuple[int, ...]) -> Iterator[Any]:
    if not isinstance(given, list | tuple):
        raise _MisshapenError(f"{'a text' if isinstance(given, str) else 'a number'} stands where a list should")
    if len(given) != shape[0]:
        raise _MisshapenError(f"{len(given)} entries stand where {shape[0]} should")
    if len(shape) == 1 and all(isinstance(entry, list | tuple) for entry in given):
        raise _MisshapenError("a column stands where a list of numbers should")
    for entry in given:
        yield from _flat(entry, shape[1:]) if shape[1:] else (entry,)
