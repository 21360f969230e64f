"""Tables of data: a column of values for each input that varies from example to example."""

from __future__ import annotations

import csv
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from cgraph.model.errors import CGraphError, InvalidNodeError, LimitError, nearest, shorten
from cgraph.model.graph import ComputationalGraph
from cgraph.model.values import as_value, is_finite, show_shape, show_value

__all__ = ["Example", "Table", "examples_of", "read_matrix", "read_table"]

MAX_LINE = 1_000_000  # characters
MAX_CHARACTERS = 500_000_000
Table = Mapping[str, Sequence[Any]]  # of numbers, or of arrays of one shape
Example = dict[str, Any]


def read_table(path: str | os.PathLike[str]) -> dict[str, list[float]]:
    """Read a CSV file with a header line into columns of numbers.

    Raises
    ------
    CGraphError
        If a cell is not a finite number, a row has too few or too many cells, a name stands twice in the
        header, or the file is empty or not UTF-8; with line and column.
    OSError
        If the file cannot be read.
    """
    name = Path(path).name
    with _reader(path) as reader:
        header = [cell.strip() for cell in next(reader, [])]
        if len(set(header)) < len(header) or not all(header):
            raise CGraphError(f"{name}:1: the header needs a different name over every column")
        rows = [_row(row, header, name, reader.line_num) for row in reader if row]
    if not rows:
        raise CGraphError(f"{name}: no rows below the header")
    return {column: [row[k] for row in rows] for k, column in enumerate(header)}


def read_matrix(path: str | os.PathLike[str]) -> NDArray[np.float64]:
    """Read a CSV file as a matrix; a first line that is not all numbers is a header, and left out.

    Raises
    ------
    CGraphError, OSError
        As `read_table`.
    """
    name = Path(path).name
    rows: list[NDArray[np.float64]] = []  # each packed as soon as it is read
    with _reader(path) as reader:
        header: list[str] = []
        for cells in reader:
            is_header = not header and not all(map(_is_number, cells))
            header = header or (cells if is_header else [str(k + 1) for k in range(len(cells))])
            if cells and not is_header:
                rows.append(np.array(_row(cells, header, name, reader.line_num)))
    if not rows:
        raise CGraphError(f"{name}: no rows of numbers")
    return np.stack(rows)


def examples_of(G: ComputationalGraph, data: Table | str | os.PathLike[str]) -> list[Example]:
    """Return the rows of the data, each with the values of the inputs that it binds."""
    if not isinstance(data, Mapping | str | os.PathLike):
        what = "a mapping from inputs to columns, or the path of a CSV file"
        raise InvalidNodeError(f"the data are {what}, not {shorten(repr(data))}")
    table = data if isinstance(data, Mapping) else read_table(data)
    for column in table:
        if G.nodes.get(column, {}).get("role") != "input":
            hint = nearest(str(column), G.inputs)
            raise InvalidNodeError(
                f"the data have a column {column!r}, which is no input; "
                + (f"did you mean {hint!r}?" if hint else f"the inputs are {', '.join(map(str, G.inputs))}")
            )
    for column, values in table.items():
        if not isinstance(values, Iterable):
            raise InvalidNodeError(
                f"column {column!r} is {shorten(repr(values))}; a list with a value for each row is needed"
            )
    columns = {column: [_entry(column, k, value) for k, value in enumerate(values)] for column, values in table.items()}
    lengths = {column: len(values) for column, values in columns.items()}
    if len(set(lengths.values())) != 1 or not all(lengths.values()):
        shown = ", ".join(f"{column!r}: {length}" for column, length in lengths.items()) or "no columns"
        raise CGraphError(f"the columns of the data need one length, and at least one row ({shown})")
    for column, values in columns.items():
        for row, value in enumerate(values):
            if np.shape(value) != np.shape(values[0]):
                shapes = f"{show_shape(value)}, row 1 {show_shape(values[0])}"
                raise InvalidNodeError(f"column {column!r}, row {row + 1} holds {shapes}; all need one shape")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _entry(column: str, row: int, value: Any) -> Any:
    try:
        entry = as_value(value)
    except (TypeError, ValueError) as error:
        raise InvalidNodeError(
            f"column {column!r}, row {row + 1} holds {shorten(repr(value))}, which {error}"
        ) from None
    if not is_finite(entry):
        raise InvalidNodeError(f"column {column!r}, row {row + 1} holds {show_value(entry)}; a finite number is needed")
    return entry


def _lines(file: IO[str], name: str) -> Iterator[str]:
    """Iterate over the lines of a file, which may be a device that never ends."""
    number = room = 0
    while line := file.readline(MAX_LINE):
        number += 1
        room += len(line)
        if len(line) == MAX_LINE and not line.endswith("\n"):
            raise CGraphError(f"{name}:{number}: a line of more than {MAX_LINE:,} characters")
        if room > MAX_CHARACTERS:
            raise LimitError(f"{name}: more than {MAX_CHARACTERS // 10**6} million characters")
        yield line


@contextmanager
def _reader(path: str | os.PathLike[str]) -> Iterator[Any]:
    """Open a CSV file; what is wrong with the file itself is said with its name."""
    name = Path(path).name
    with Path(path).open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(_lines(file, name))
        try:
            yield reader
        except UnicodeDecodeError as error:
            raise CGraphError(f"{name}: not UTF-8 text: byte {error.start + 1}") from None
        except csv.Error as error:
            raise CGraphError(f"{name}:{reader.line_num}: {error}") from None


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _row(cells: list[str], header: list[str], name: str, line: int) -> list[float]:
    if len(cells) != len(header):
        raise CGraphError(f"{name}:{line}: {len(cells)} cells in the row, {len(header)} in the header")
    numbers = []
    for column, cell in zip(header, cells, strict=True):
        try:
            number = float(cell)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            hint = "; commas separate the columns" if re.search(r"[;\t]", column) else ""
            raise CGraphError(f"{name}:{line}: column {column!r} holds {cell!r}; a finite number is needed{hint}")
        numbers.append(number)
    return numbers
