"""Tables as text for a terminal, Markdown, LaTeX and CSV."""

from __future__ import annotations

import csv
import html
import io
import math
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np

from cgraph.reports.latex import EDGE, is_long, latex_array, latex_number, latex_text

__all__ = [
    "Formula",
    "Table",
    "escape_markdown",
    "show_number",
    "to_csv",
    "to_html",
    "to_latex",
    "to_markdown",
    "to_text",
]


NARROWEST = 12  # characters of a wrapped column
DIGITS, FEWER_DIGITS = 10, 6


class Formula(NamedTuple):
    """A cell that is mathematics: as text, and as LaTeX for math mode."""

    text: str
    latex: str


@dataclass(frozen=True)
class Table:
    """Rows under column heads.

    Parameters
    ----------
    columns : sequence of str
        The heads.
    rows : sequence of sequences
        Cells: text, numbers, arrays, `Formula`, or None for nothing.
    title : str or Formula
        What stands above.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    title: str | Formula = ""


def show_number(value: Any, digits: int = DIGITS) -> str:
    """Return a number with ten significant digits or as many as are asked for, or an array with six, a long one by its ends and its shape.

    Examples
    --------
    >>> show_number(1 / 3), show_number(2.0), show_number(-0.0)
    ('0.3333333333', '2', '0')
    >>> show_number(np.array([[1, 0.5], [1 / 3, 2]])), show_number(np.arange(100.0))
    ('[[1, 0.5], [0.333333, 2]]', '[0, 1, ..., 98, 99] (100)')
    """
    if isinstance(value, np.ndarray):
        entries = np.array2string(value, threshold=0 if is_long(value) else value.size, edgeitems=EDGE, separator=", ",
                                  formatter={"float_kind": lambda x: format(x + 0.0, ".6g")})  # fmt: skip
        shape = f" ({' x '.join(map(str, value.shape))})" if is_long(value) else ""
        return " ".join(entries.split()) + shape
    return format(value + 0.0, f".{digits}g") if isinstance(value, float) else str(value)  # -0.0 + 0.0 is 0.0


def to_text(table: Table, *, width: int | None = None) -> str:
    """Return the table with aligned columns, numbers to the right.

    With a `width`, title, heads and texts are broken into lines so that nothing is wider; where that is not enough, numbers
    have six digits instead of ten.

    Examples
    --------
    >>> print(to_text(Table(("path", "product"), [("x -> a -> b -> y", 2.5)]), width=24))
      path         product
      x -> a -> b      2.5
      -> y
    """
    to_the_right = [_is_numeric(column) for column in _columns(table)]
    lines = [_plain(table.title)] if table.title else []
    heads = [list(table.columns)]
    cells = [[_plain(cell) for cell in row] for row in table.rows]
    if width is not None:
        lines = [part for line in lines for part in _broken(line, width)]
        rooms = _rooms(table.columns, cells, to_the_right, width)
        if sum(rooms) + 2 * len(rooms) > width:
            cells = [[_plain(cell, FEWER_DIGITS) for cell in row] for row in table.rows]
            rooms = _rooms(table.columns, cells, to_the_right, width)
        heads, cells = _wrapped(rooms, heads), _wrapped(rooms, cells)
    widths = [max(map(len, column)) for column in zip(*heads, *cells, strict=True)]
    for row in [*heads, *cells] if table.columns else []:
        padded = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, to_the_right, strict=True)
        ]
        lines.append("  " + "  ".join(padded).rstrip())
    return "\n".join(lines)


def _rooms(
    columns: Sequence[str], cells: Sequence[Sequence[str]], fixed: Sequence[bool], width: int
) -> list[int]:  # fmt: skip
    """Return how wide each column may be, the widest made narrower until all fit; no word of a head, no number is broken."""
    rooms = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    texts = [max(map(len, column), default=0) for column in zip(*cells, strict=True)] or [0] * len(columns)
    least = [max(*map(len, head.split()), text if stays else min(text, NARROWEST), 0)
             for head, text, stays in zip(columns, texts, fixed, strict=True)]  # fmt: skip
    while (excess := sum(rooms) + 2 * len(rooms) - width) > 0:
        wide = sorted((k for k, room in enumerate(rooms) if room > least[k]), key=lambda k: -rooms[k])
        if not wide:
            break
        rival = rooms[wide[1]] if len(wide) > 1 else 0
        rooms[wide[0]] = max(least[wide[0]], rooms[wide[0]] - excess, min(rival, rooms[wide[0]] - 1))
    return rooms


def _wrapped(rooms: Sequence[int], cells: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return the cells with long ones broken into rows."""
    broken = ([_broken(cell, room) for cell, room in zip(row, rooms, strict=True)] for row in cells)
    return [list(line) for row in broken for line in zip_longest(*row, fillvalue="")]


def _broken(text: str, width: int) -> list[str]:
    """Return text in lines of at most that width, broken at spaces if there are any."""
    return [text] if len(text) <= width else textwrap.wrap(text, width, break_on_hyphens=False)


def to_markdown(table: Table) -> str:
    """Return the table in GitHub's Markdown."""
    heads = [escape_markdown(column) for column in table.columns]
    rules = ["---:" if _is_numeric(column) else "---" for column in _columns(table)]
    rows = [[escape_markdown(_plain(cell)) for cell in row] for row in table.rows]
    lines = [f"{escape_markdown(_plain(table.title))}", ""] if table.title else []
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in [heads, rules, *rows] if row)])


def to_html(table: Table) -> str:
    """Return the table in HTML."""
    right = [' align="right"' * _is_numeric(column) for column in _columns(table)]
    rows = [[html.escape(_plain(cell)) for cell in row] for row in table.rows]
    lines = ["<table>", f"<caption>{html.escape(_plain(table.title))}</caption>" if table.title else ""]
    lines.append("<tr>" + "".join(f"<th>{html.escape(head)}</th>" for head in table.columns) + "</tr>")
    for row in rows:
        cells = (f"<td{side}>{cell}</td>" for cell, side in zip(row, right, strict=True))
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return "\n".join([*filter(None, lines), "</table>"])


def to_latex(table: Table) -> str:
    """Return the table as a `tabular` with three rules, by plain LaTeX."""
    layout = "".join("r" if _is_numeric(column) else "l" for column in _columns(table))
    rows = [" & ".join(_latex(cell) for cell in row) + r" \\" for row in table.rows]
    lines = [rf"\noindent {_latex(table.title)}\par"] if table.title else []
    if table.columns:
        heads = " & ".join(latex_text(column) for column in table.columns) + r" \\ \hline"
        lines += [rf"\begin{{tabular}}{{{layout}}}", r"\hline", heads, *rows, r"\hline", r"\end{tabular}", ""]
    return "\n".join(lines)


def to_csv(columns: Sequence[str], records: Sequence[dict[str, Any]]) -> str:
    """Return records as CSV with a header, which stands there even if there are none; numbers in full.

    Where there are arrays, each of their entries has a row of its own, and a column `index` says which entry it is.
    """
    stream = io.StringIO()
    arrays = [k for k, key in enumerate(columns) if any(isinstance(r.get(key), np.ndarray) for r in records)]
    heads = [*columns[: arrays[0]], "index", *columns[arrays[0] :]] if arrays else columns
    writer = csv.DictWriter(stream, fieldnames=heads, lineterminator="\n")
    writer.writeheader()
    for record in records:
        rows = _by_entry(record) if arrays else [record]
        writer.writerows({key: _csv_cell(value) for key, value in row.items()} for row in rows)
    return stream.getvalue().rstrip("\n")


def _by_entry(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Iterate over the entries of the arrays of a record, what is no array standing beside each."""
    keys = [key for key, value in record.items() if isinstance(value, np.ndarray)]
    arrays = np.broadcast_arrays(*(record[key] for key in keys))
    for index in np.ndindex(arrays[0].shape if keys else ()):
        entries = {key: float(array[index]) for key, array in zip(keys, arrays, strict=True)}
        yield {**record, "index": " ".join(map(str, index)), **entries}


def _columns(table: Table) -> list[list[Any]]:
    return [[row[k] for row in table.rows] for k in range(len(table.columns))]


def _is_numeric(column: Sequence[Any]) -> bool:
    return any(isinstance(cell, int | float) for cell in column) and not any(isinstance(c, np.ndarray) for c in column)


def _plain(cell: Any, digits: int = DIGITS) -> str:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    # A line break inside a cell, as an equation may have, would tear the table; and what students hand in must not
    # move a terminal's cursor.
    text = " ".join(cell.text.split()) if isinstance(cell, Formula) else re.sub(r"\s+", " ", show_number(cell, digits))
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", "\ufffd", text)


def _csv_cell(value: Any) -> Any:
    if isinstance(value, list):
        return (" -> " if value and isinstance(value[0], str) else " x ").join(map(str, value))
    return value


def _latex(cell: Any) -> str:
    if isinstance(cell, Formula):
        return f"${cell.latex}$"
    if isinstance(cell, np.ndarray):
        return f"${latex_array(cell)}$"
    if isinstance(cell, int | float) and _plain(cell):
        return f"${latex_number(_plain(cell))}$"
    return latex_text(_plain(cell))


def escape_markdown(text: str) -> str:
    """Return text with the characters escaped that Markdown would act upon."""
    return re.sub(r"([\\|*_`<>\[\]$])", r"\\\1", text)
