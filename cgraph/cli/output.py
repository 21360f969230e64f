"""What the commands print: one result in any of the formats."""

from __future__ import annotations

import argparse
import math
import shutil
import sys
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import numpy as np

from cgraph.cli.graph_source import UsageError, written
from cgraph.model.errors import show_count
from cgraph.model.files import write_whole
from cgraph.reports.latex import is_long, latex_array, latex_name, latex_number
from cgraph.reports.tables import Formula, Table, show_number, to_csv, to_latex, to_markdown, to_text
from cgraph.specs.writing import to_json

__all__ = [
    "counted",
    "name_cell",
    "print_result",
    "records_table",
    "replaces_result",
    "sensitivity_title",
    "sorted_records",
    "width_of",
    "write_output",
]

ABBREVIATED = "Long arrays are shown by their ends; --format json prints them whole."
VERSION = 1  # of the JSON that is printed

# The columns of a command's CSV, and the keys of its records.
COLUMNS = {
    "show": ("node", "role", "equation", "value"),
    "eval": ("node", "value"),
    "sensitivity": ("from", "to", "sensitivity"),
    "paths": ("from", "to", "path", "product"),
    "edges": ("source", "target", "from", "to", "flow"),
    "effects": ("from", "to", "direct", "indirect", "total"),
    "gradient": ("weight", "value", "gradient", "downstream", "gate", "upstream"),
    "gates": ("neuron", "gate"),
    "descend": ("step", "loss", "held_out"),
    "eliminate": ("from", "to", "sensitivity"),
    "budget": ("to",),
    "screen": ("input",),
    "check": ("what", "from", "to", "derivative", "numerical", "error", "verdict"),
}


def print_result(
    arguments: argparse.Namespace,
    data: dict[str, Any],
    records: Sequence[dict[str, Any]],
    tables: Sequence[Table],
) -> None:
    """Print `data` as JSON, `records` as CSV, or else `tables`, as ``--format`` has it."""
    if arguments.format == "json":
        print(to_json({"cgraph": VERSION, **_finite(data)}))
    elif arguments.format == "csv":
        columns = COLUMNS[arguments.command]
        print(to_csv([*columns, *(key for key in (records[0] if records else ()) if key not in columns)], records))
    else:
        cells = chain(*(record.values() for record in records), *(row for table in tables for row in table.rows))
        if any(isinstance(cell, np.ndarray) and is_long(cell) for cell in cells):
            tables = [*tables, Table((), [], ABBREVIATED)]
        width = width_of(arguments)
        render: dict[str, Callable[[Table], str]] = {
            "text": lambda table: to_text(table, width=width),
            "markdown": to_markdown,
            "latex": to_latex,
        }
        print("\n\n".join(render[arguments.format](table) for table in tables))


def width_of(arguments: argparse.Namespace) -> int | None:
    """Return the columns of ``--width``, or else of the terminal; none where the output goes elsewhere."""
    given: int | None = arguments.width
    return given or (shutil.get_terminal_size().columns if sys.stdout and sys.stdout.isatty() else None)


def write_output(output: str, text: str) -> None:
    """Write `text` to the file of ``-o``, whole or not at all; "-" is standard output."""
    if output == "-":
        print(text, end="")
    else:
        written(output, write_whole, output, text)


def replaces_result(arguments: argparse.Namespace) -> bool:
    """Whether what ``-o`` writes goes to standard output, where the result would be in its way."""
    if arguments.output != "-":
        return False
    if arguments.format != "text":
        raise UsageError(f"-o - takes the place of what --format {arguments.format} prints; give a file with -o")
    return True


def records_table(records: Sequence[dict[str, Any]], title: str | Formula = "") -> Table:
    """Return the table with a column for each key, its nodes set as names; empty columns are left out."""
    keys = [key for key in (records[0] if records else []) if any(r[key] is not None for r in records)]
    rows = [[name_cell(r[key]) if key in {"node", "from", "to"} else r[key] for key in keys] for r in records]
    return Table(keys, rows, title)


def name_cell(i: str) -> Formula:
    """Return the name of a node, to be set as mathematics."""
    return Formula(i, latex_name(i))


def sensitivity_title(s: str, t: str, S: Any, remark: str = "") -> Formula:
    """Return ``S(s, t) = number``, or a matrix, and a remark."""
    number = show_number(S)
    latex = (
        f"S({latex_name(s)}, {latex_name(t)}) = {latex_array(S) if isinstance(S, np.ndarray) else latex_number(number)}"
    )
    return Formula(f"S({s}, {t}) = {number}{remark}", latex + (rf" \text{{{remark}}}" if remark else ""))


def sorted_records(records: list[dict[str, Any]], key: str, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the records as ``--sort`` and ``--top`` say, by the number or array under `key`."""
    if arguments.top is not None:
        kept = sorted(range(len(records)), key=lambda k: -np.max(np.abs(records[k][key])))[: arguments.top]
        records = [records[k] for k in sorted(kept)]
    match arguments.sort:
        case "abs":
            return sorted(records, key=lambda r: -np.max(np.abs(r[key])))
        case "flow":
            return sorted(records, key=lambda r: -np.max(r[key]))
        case "name":
            return sorted(records, key=lambda r: (r["from"], r["to"]))
    return records


def counted(count: int, what: str) -> str:
    """Return a number of things, the word in the plural where it should be."""
    return f"{show_count(count)} {what}{'s' * (count != 1)}"


def _finite(data: Any) -> Any:
    """Return `data` with arrays as nested lists, NaN, which JSON does not have, as None, and long integers as text."""
    if isinstance(data, np.ndarray):
        return data.tolist() if np.isfinite(data).all() else _finite(data.tolist())
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_finite(value) for value in data]
    if isinstance(data, int) and data >= 10**1000:
        return show_count(data)
    return None if isinstance(data, float) and not math.isfinite(data) else data
