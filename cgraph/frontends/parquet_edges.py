"""Edge lists as Parquet (extra ``scale``), whose size is judged before anything is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cgraph.frontends.edge_columns import NODES, by_node, encoded_ends, find_columns, position_of, real_column
from cgraph.frontends.edge_table import MAX_EDGES, EdgeTable
from cgraph.model.errors import ArchiveError, CGraphError, shorten
from cgraph.model.optional import optional_library

__all__ = ["read_parquet_attributes", "read_parquet_edges"]

# What pyarrow raises, beside errors of its own, at bytes that make no sense to it.
_DAMAGE = (OSError, ValueError, TypeError, OverflowError, MemoryError)


def read_parquet_edges(path: Path, derivative: str | None, *, attributes: bool) -> EdgeTable:
    """Read a Parquet file of edges.

    Raises
    ------
    ArchiveError
        If it is damaged or too large, or lacks a column, or holds something else in it.
    """
    with _reading(path):
        header = _parquet_columns(path)
        columns = find_columns(header, derivative)
        table = _parquet(path, header if attributes else [header[k] for k in columns])
        z = real_column(table, header[columns.derivative])
        nodes, tails, heads = encoded_ends(table.column(header[columns.source]), table.column(header[columns.target]))
        others = [name for p, name in enumerate(header) if p not in columns] if attributes else []
        values = {name: table.column(name).to_pylist() for name in others}
    return EdgeTable(
        nodes, tails, heads, z, values,
        mistake=lambda e, message: ArchiveError(f"{str(path)!r}: row {e + 1}: {message}"),
    )  # fmt: skip


def read_parquet_attributes(path: Path) -> dict[str, dict[str, Any]]:
    """Read a Parquet file of nodes: ``{node: attributes}``."""
    with _reading(path):
        header = _parquet_columns(path)
        k = position_of(header, NODES, "node")
        columns = _parquet(path, header).to_pydict()
    return by_node(list(map(str, columns.pop(header[k]))), columns)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Say of what goes wrong which file it is in."""
    pa = optional_library("pyarrow", "scale")
    try:
        yield
    except CGraphError as error:
        raise ArchiveError(f"{str(path)!r}: {error}") from None
    except (pa.ArrowException, *_DAMAGE) as error:
        raise ArchiveError(f"{str(path)!r} is no Parquet file, or it is damaged: {shorten(str(error))}") from None


def _parquet_columns(path: Path) -> list[str]:
    """Return the names of the columns of a Parquet file, whose sizes are judged before anything is read."""
    about = optional_library("pyarrow.parquet", "scale").read_metadata(path)
    size = sum(about.row_group(k).total_byte_size for k in range(about.num_row_groups))
    if about.num_rows > MAX_EDGES or size > MAX_EDGES * 100:
        raise ArchiveError(f"{about.num_rows:,} rows of {size:,} bytes are more than are read")
    return list(about.schema.to_arrow_schema().names)


def _parquet(path: Path, columns: Sequence[str]) -> Any:
    table = optional_library("pyarrow.parquet", "scale").read_table(path, columns=list(columns))
    table.validate(full=True)  # that text is UTF-8, for one
    return table
