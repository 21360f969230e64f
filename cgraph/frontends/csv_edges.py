"""Edge lists as CSV: read by pyarrow where it is installed, and the place of every mistake found without."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cgraph.frontends.edge_columns import (
    NODES,
    SOURCES,
    Columns,
    by_node,
    encoded_ends,
    find_columns,
    position_of,
    real_column,
)  # fmt: skip
from cgraph.frontends.edge_table import EdgeTable, numbered, without_collector
from cgraph.model.errors import ArchiveError, CGraphError, ExtraMissingError, Problem, SpecError, shorten
from cgraph.model.optional import optional_library

__all__ = ["read_csv_attributes", "read_csv_edges"]

DELIMITERS = ",;\t|"
MAX_PROBLEMS = 100
MAX_CELL = 10_000  # characters


def read_csv_edges(path: Path, derivative: str | None, *, attributes: bool) -> EdgeTable:
    """Read a CSV file with a header; with pyarrow where it is installed, and otherwise, or to find mistakes, without.

    Raises
    ------
    SpecError
        With line and column of every mistake, up to a hundred.
    """
    header, delimiter = _header(path, SOURCES)
    try:
        columns = find_columns(header, derivative)
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
    try:
        k = position_of(header, NODES, "node")
    except CGraphError as error:
        raise SpecError(str(path), [Problem(1, 1, str(error), source=delimiter.join(header))]) from None
    rows = []
    for line, cells, source in _rows(path, delimiter):
        if len(cells) != len(header):
            message = f"{len(cells)} cells, where the header names {len(header)} columns"
            raise SpecError(str(path), [Problem(line, 1, message, source=source.rstrip("\r\n"))])
        rows.append(cells)
    columns = {name: _typed([cells[p] for cells in rows]) for p, name in enumerate(header) if p != k}
    return by_node([cells[k].strip() for cells in rows], columns)


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
        derivatives = real_column(table, z)
        nodes, tails, heads = encoded_ends(table.column(header[columns.source]), table.column(header[columns.target]))
    except (pa.ArrowException, CGraphError):
        return None
    if any(i != i.strip() for i in nodes):
        return None
    return EdgeTable(nodes, tails, heads, derivatives, {name: _typed_column(pa, table.column(name)) for name in others})


def _typed_column(pa: Any, column: Any) -> list[Any]:
    for number in (pa.int64(), pa.float64()):
        try:
            return list(column.cast(number).to_pylist())
        except pa.ArrowInvalid:
            continue
    return list(column.to_pylist())


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
        if re.fullmatch(r"[-+]?\d+,\d+", text):
            found += "; the decimal sign is a point"
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
