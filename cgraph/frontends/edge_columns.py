"""Edge lists as CSV and Parquet: a column for each end, one for the derivative, others are attributes."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cgraph.frontends.edge_table import MAX_EDGES, EdgeTable, numbered, without_collector
from cgraph.model.errors import ArchiveError, CGraphError, ExtraMissingError, Problem, SpecError, nearest, shorten
from cgraph.model.optional import optional_library

__all__ = ["DERIVATIVES", "read_csv_attributes", "read_csv_edges", "read_parquet_attributes", "read_parquet_edges"]

SOURCES = ("source", "from", "tail")
TARGETS = ("target", "to", "head")
DERIVATIVES = ("derivative", "weight")
NODES = ("node", "id", "name")
DELIMITERS = ",;\t|"
MAX_PROBLEMS = 100
MAX_CELL = 10_000  # characters


class Columns(NamedTuple):
    """Which columns hold the ends and the derivative, as positions in the header."""

    source: int
    target: int
    derivative: int


def read_csv_edges(path: Path, derivative: str | None, *, attributes: bool) -> EdgeTable:
    """Read a CSV file with a header; with pyarrow where it is installed, and otherwise, or to find mistakes, without.

    Raises
    ------
    SpecError
        With line and column of every mistake, up to a hundred.
    """
    header, delimiter = _header(path, SOURCES)
    try:
        columns = _find(header, derivative)
    except CGraphError as error:
        raise SpecError(str(path), [Problem(1, 1, str(error), source=delimiter.join(header))]) from None
    others = [(p, name) for p, name in enumerate(header) if p not in columns] if attributes else []
    with without_collector():
        table = (
            _csv_by_arrow(path, header, delimiter, columns, [name for _, name in others])
            or _csv_at_once(path, header, delimiter, columns, others)
            or _csv_by_rows(path, header, delimiter, columns, others)
        )
    table.mistake = _mistake_in(path, delimiter, columns)
    return table


def read_csv_attributes(path: Path) -> dict[str, dict[str, Any]]:
    """Read a CSV file of nodes: ``{node: attributes}``."""
    header, delimiter = _header(path, NODES)
    k = _position(header, NODES, "node")
    rows = [cells for _, cells, _ in _rows(path, delimiter) if len(cells) == len(header)]
    columns = {name: _typed([cells[p] for cells in rows]) for p, name in enumerate(header) if p != k}
    return _by_node([cells[k] for cells in rows], columns)


def read_parquet_edges(path: Path, derivative: str | None, *, attributes: bool) -> EdgeTable:
    """Read a Parquet file of edges.

    Raises
    ------
    ArchiveError
        If it is damaged or too large, or lacks a column, or holds something else in it.
    """
    header = _parquet_columns(path)
    try:
        columns = _find(header, derivative)
        table = _parquet(path, header if attributes else [header[k] for k in columns])
        z = _real_column(table, header[columns.derivative])
        nodes, tails, heads = _encoded(table.column(header[columns.source]), table.column(header[columns.target]))
    except CGraphError as error:
        raise ArchiveError(f"{str(path)!r}: {error}") from None
    others = [name for p, name in enumerate(header) if p not in columns] if attributes else []
    return EdgeTable(
        nodes, tails, heads, z, {name: table.column(name).to_pylist() for name in others},
        mistake=lambda e, message: ArchiveError(f"{str(path)!r}: row {e + 1}: {message}"),
    )  # fmt: skip


def read_parquet_attributes(path: Path) -> dict[str, dict[str, Any]]:
    """Read a Parquet file of nodes: ``{node: attributes}``."""
    header = _parquet_columns(path)
    k = _position(header, NODES, "node")
    columns = _parquet(path, header).to_pydict()
    return _by_node(list(map(str, columns.pop(header[k]))), columns)


def _by_node(names: Sequence[str], columns: Mapping[str, Sequence[Any]]) -> dict[str, dict[str, Any]]:
    rows = zip(*columns.values(), strict=True) if columns else ((),) * len(names)
    return {
        i: {name: value for name, value in zip(columns, row, strict=True) if value is not None}
        for i, row in zip(names, rows, strict=True)
    }


def _find(header: Sequence[str], derivative: str | None) -> Columns:
    return Columns(
        _position(header, SOURCES, "source"),
        _position(header, TARGETS, "target"),
        _position(header, DERIVATIVES if derivative is None else (derivative,), "derivative"),
    )


def _position(header: Sequence[str], names: Sequence[str], what: str) -> int:
    for name in names:
        if header.count(name) > 1:
            raise CGraphError(f"two columns are called {name!r}")
        if name in header:
            return header.index(name)
    hint = nearest(names[0], header)
    wanted = " or ".join(map(repr, names))
    raise CGraphError(
        f"there is no column {wanted} for the {what}; the columns are {shorten(', '.join(header))}"
        + (f"; did you mean {hint!r}?" if hint else "")
    )


# CSV


def _header(path: Path, first: Sequence[str]) -> tuple[list[str], str]:
    """Return the names of the columns and the delimiter, by which the first line falls into most parts."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            line = file.readline(1_000_000).rstrip("\r\n")
    except UnicodeDecodeError:
        raise SpecError(str(path), [Problem(1, 1, "not UTF-8 text")]) from None
    if not line.strip():
        hint = f"such as {first[0]},..."
        raise SpecError(str(path), [Problem(1, 1, "the first line names the columns, and it is empty", hint)])
    delimiter = max(DELIMITERS, key=line.count)
    return [name.strip() for name in next(csv.reader([line], delimiter=delimiter))], delimiter


def _csv_by_arrow(
    path: Path, header: list[str], delimiter: str, columns: Columns, others: list[str]
) -> EdgeTable | None:
    """Return the table, or None without pyarrow or where anything is unusual."""
    try:
        pa, pa_csv = optional_library("pyarrow", "scale"), optional_library("pyarrow.csv", "scale")
    except ExtraMissingError:
        return None
    if len(set(header)) < len(header):
        return None
    z = header[columns.derivative]
    wanted = [*(header[k] for k in columns), *others]
    try:
        table = pa_csv.read_csv(
            path,
            read_options=pa_csv.ReadOptions(column_names=header, skip_rows=1),
            parse_options=pa_csv.ParseOptions(delimiter=delimiter),
            convert_options=pa_csv.ConvertOptions(
                column_types={name: pa.float64() if name == z else pa.string() for name in wanted},
                include_columns=wanted, null_values=[""], strings_can_be_null=True,
            ),
        )  # fmt: skip
        derivatives = _real_column(table, z)
        nodes, tails, heads = _encoded(table.column(header[columns.source]), table.column(header[columns.target]))
    except (pa.ArrowException, CGraphError):
        return None
    if any(i != i.strip() for i in nodes):
        return None
    return EdgeTable(nodes, tails, heads, derivatives, {name: _typed_column(pa, table.column(name)) for name in others})


def _csv_at_once(
    path: Path, header: list[str], delimiter: str, columns: Columns, others: list[tuple[int, str]]
) -> EdgeTable | None:
    """Return the table, a column at a time, or None where anything is unusual."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            _, *rows = csv.reader(file, delimiter=delimiter)
        by_column = list(zip(*rows, strict=True))
        if len(by_column) != len(header):
            return None
        z = np.array(by_column[columns.derivative], np.float64)
    except (ValueError, csv.Error):
        return None
    nodes, tails, heads = numbered(by_column[columns.source], by_column[columns.target])
    if not np.isfinite(z).all() or any(not i or i != i.strip() or len(i) > MAX_CELL for i in nodes):
        return None
    if "_" in "".join(by_column[columns.derivative]):  # which Python allows between digits
        return None
    return EdgeTable(nodes, tails, heads, z, {name: _typed(by_column[p]) for p, name in others})


def _csv_by_rows(
    path: Path, header: list[str], delimiter: str, columns: Columns, others: list[tuple[int, str]]
) -> EdgeTable:
    """Return the table, a row at a time, or raise `SpecError` with the place of every mistake."""
    problems: list[Problem] = []
    rows: list[list[str]] = []
    for line, cells, source in _rows(path, delimiter):
        mistakes = list(_mistakes(cells, header, columns))
        for k, message in mistakes:
            problems.append(Problem(line, _column_of(source, k, delimiter), message, source=source.rstrip("\r\n")))
        if len(problems) >= MAX_PROBLEMS:
            break
        if not mistakes:
            rows.append(cells)
    if problems:
        raise SpecError(str(path), problems)
    by_column = list(zip(*rows, strict=True)) or [()] * len(header)
    nodes, tails, heads = numbered(*([cell.strip() for cell in by_column[k]] for k in columns[:2]))
    return EdgeTable(
        nodes, tails, heads, np.array(by_column[columns.derivative], np.float64),
        {name: _typed(by_column[p]) for p, name in others},
    )  # fmt: skip


def _rows(path: Path, delimiter: str) -> Iterator[tuple[int, list[str], str]]:
    """Iterate over the rows below the header: line number, cells, and the text of the line."""
    source = ""

    def lines(file: Any) -> Iterator[str]:
        nonlocal source
        for line in file:
            source = line
            yield line

    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(lines(file), delimiter=delimiter)
            next(reader)
            for cells in reader:
                if cells:
                    yield reader.line_num, cells, source
    except UnicodeDecodeError as error:
        problem = Problem(reader.line_num + 1, 1, f"not UTF-8 text: byte {error.object[error.start]:#x}")
        raise SpecError(str(path), [problem]) from None
    except csv.Error as error:
        raise SpecError(str(path), [Problem(reader.line_num + 1, 1, str(error), source=source)]) from None


def _mistakes(cells: list[str], header: list[str], columns: Columns) -> Iterator[tuple[int, str]]:
    """Iterate over what is wrong in a row: in which cell, and what."""
    if len(cells) != len(header):
        yield min(len(cells), len(header)) - 1, f"{len(cells)} cells, where the header names {len(header)} columns"
        return
    for k in columns[:2]:
        if not cells[k].strip():
            yield k, f"the {header[k]} of the edge is empty"
        elif len(cells[k]) > MAX_CELL:
            yield k, f"a name of {len(cells[k]):,} characters; the limit is {MAX_CELL:,}"
    text = cells[columns.derivative].strip()
    try:
        is_finite = math.isfinite(float(text)) and "_" not in text
    except ValueError:
        is_finite = False
    if not is_finite:
        found = f"{shorten(text)!r} is not a finite number" if text else "it is empty"
        yield columns.derivative, f"the {header[columns.derivative]} of the edge is needed, and {found}"


def _column_of(line: str, k: int, delimiter: str) -> int:
    """Return where cell `k` begins in a line, from 1."""
    cells = re.finditer(rf'("(?:[^"]|"")*"|[^{re.escape(delimiter)}]*)({re.escape(delimiter)}|$)', line)
    return next((cell.start() + 1 for p, cell in enumerate(cells) if p == k), 1)


def _mistake_in(path: Path, delimiter: str, columns: Columns) -> Callable[[int, str], CGraphError]:
    def mistake(e: int, message: str) -> CGraphError:
        for k, (line, _, source) in enumerate(_rows(path, delimiter)):
            if k == e:
                column = _column_of(source, columns.source, delimiter)
                return SpecError(str(path), [Problem(line, column, message, source=source.rstrip("\r\n"))])
        return ArchiveError(message)

    return mistake


def _typed(cells: Sequence[str]) -> list[Any]:
    """Return the cells of a column as whole numbers or floats where all of them are, else as text; None for empty ones."""
    for number in (int, float):
        try:
            return [number(cell) if cell else None for cell in cells]
        except ValueError:
            continue
    return [cell or None for cell in cells]


# Arrow


def _typed_column(pa: Any, column: Any) -> list[Any]:
    for number in (pa.int64(), pa.float64()):
        try:
            return list(column.cast(number).to_pylist())
        except pa.ArrowInvalid:
            continue
    return list(column.to_pylist())


def _real_column(table: Any, name: str) -> NDArray[np.float64]:
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


def _encoded(tails: Any, heads: Any) -> tuple[list[str], NDArray[np.intp], NDArray[np.intp]]:
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


def _parquet_columns(path: Path) -> list[str]:
    """Return the names of the columns of a Parquet file, whose sizes are judged before anything is read."""
    pa, parquet = optional_library("pyarrow", "scale"), optional_library("pyarrow.parquet", "scale")
    try:
        about = parquet.read_metadata(path)
        size = sum(about.row_group(k).total_byte_size for k in range(about.num_row_groups))
    except (pa.ArrowException, OSError) as error:
        raise ArchiveError(f"{str(path)!r} is no Parquet file, or it is damaged: {shorten(str(error))}") from None
    if about.num_rows > MAX_EDGES or size > MAX_EDGES * 100:
        raise ArchiveError(f"{str(path)!r} has {about.num_rows:,} rows of {size:,} bytes, more than are read")
    return list(about.schema.to_arrow_schema().names)


def _parquet(path: Path, columns: Sequence[str]) -> Any:
    pa, parquet = optional_library("pyarrow", "scale"), optional_library("pyarrow.parquet", "scale")
    try:
        return parquet.read_table(path, columns=list(columns))
    except (pa.ArrowException, OSError) as error:
        raise ArchiveError(f"{str(path)!r} is damaged: {shorten(str(error))}") from None
