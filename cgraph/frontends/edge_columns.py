"""Which columns of a table of edges hold what, and columns of Arrow as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cgraph.model.errors import CGraphError, nearest, shorten
from cgraph.model.optional import optional_library

__all__ = [
    "DERIVATIVES", "NODES", "SOURCES", "TARGETS", "Columns", "by_node", "encoded_ends", "find_columns", "position_of", "real_column",
]  # fmt: skip

SOURCES = ("source", "from", "tail")
TARGETS = ("target", "to", "head")
DERIVATIVES = ("derivative", "weight")
NODES = ("node", "id", "name")


class Columns(NamedTuple):
    """Which columns hold the ends and the derivative, as positions in the header."""

    source: int
    target: int
    derivative: int


def find_columns(header: Sequence[str], derivative: str | None) -> Columns:
    """Return the columns of the ends and of the derivative, or raise `CGraphError`."""
    return Columns(
        position_of(header, SOURCES, "sources of the edges"),
        position_of(header, TARGETS, "targets of the edges"),
        position_of(header, DERIVATIVES if derivative is None else (derivative,), "derivative"),
    )


def position_of(header: Sequence[str], names: Sequence[str], what: str) -> int:
    """Return the position of the first of `names` that the header has, or raise `CGraphError`."""
    for name in names:
        if header.count(name) > 1:
            raise CGraphError(f"two columns are called {name!r}")
        if name in header:
            return header.index(name)
    hint = nearest(names[0], header)
    wanted = " or ".join(map(repr, names))
    raise CGraphError(
        f"there is no column {wanted} for the {what}; the columns are {shorten(', '.join(header))}"
        + (
            f"; did you mean {hint!r}?"
            if hint
            else "; name the right one with derivative="
            if what == "derivative"
            else "; rename the column that holds it"
        )
    )


def by_node(names: Sequence[str], columns: Mapping[str, Sequence[Any]]) -> dict[str, dict[str, Any]]:
    """Return {node: attributes} from columns; what is None is left out."""
    rows = zip(*columns.values(), strict=True) if columns else ((),) * len(names)
    return {
        i: {name: value for name, value in zip(columns, row, strict=True) if value is not None}
        for i, row in zip(names, rows, strict=True)
    }


def real_column(table: Any, name: str) -> NDArray[np.float64]:
    """Return a column of numbers, or raise `CGraphError`."""
    pa = optional_library("pyarrow", "scale")
    column = table.column(name)
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        raise CGraphError(f"column {name!r} holds {column.type}; numbers are needed")
    numbers: NDArray[np.float64] = np.asarray(column.cast(pa.float64()).to_numpy())
    if not np.isfinite(numbers).all():  # an empty cell comes as NaN
        e = int(np.flatnonzero(~np.isfinite(numbers))[0])
        raise CGraphError(f"row {e + 1}: {name!r} is needed, and {column[e].as_py()!r} is not a finite number")
    return numbers


def encoded_ends(tails: Any, heads: Any) -> tuple[list[str], NDArray[np.intp], NDArray[np.intp]]:
    """Return the names among the ends of edges, and the ends as positions among them."""
    pa = optional_library("pyarrow", "scale")
    if tails.type != heads.type:
        tails, heads = tails.cast(pa.string()), heads.cast(pa.string())
    if tails.null_count or heads.null_count:
        column = tails if tails.null_count else heads
        e = column.is_null().index(pa.scalar(value=True)).as_py()
        raise CGraphError(f"row {e + 1}: an end of the edge is empty")
    if not (pa.types.is_integer(tails.type) or pa.types.is_string(tails.type) or pa.types.is_large_string(tails.type)):
        raise CGraphError(f"the ends of edges hold {tails.type}; names or whole numbers are needed")
    both = pa.chunked_array([*tails.chunks, *heads.chunks], type=tails.type).dictionary_encode().combine_chunks()
    if isinstance(both, pa.ChunkedArray):  # of no rows
        return [], np.empty(0, np.intp), np.empty(0, np.intp)
    positions = both.indices.to_numpy().astype(np.intp)
    return list(map(str, both.dictionary.to_pylist())), positions[: len(tails)], positions[len(tails) :]
