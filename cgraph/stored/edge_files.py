"""Files of edges of any size (extra ``scale``), read a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cgraph.frontends.edge_columns import find_columns, real_column
from cgraph.model.errors import ArchiveError, CGraphError, FormatError, shorten
from cgraph.model.optional import optional_library

__all__ = ["edges_of_files"]

_FORMATS = {".parquet": "parquet", ".arrow": "ipc", ".feather": "ipc", ".csv": "csv"}
_DAMAGE = (OSError, ValueError, TypeError, OverflowError, MemoryError)


def edges_of_files(path: Path) -> tuple[Iterator[tuple[Any, Any, Any]], list[str]]:
    """Return the edges of a file or a folder, and the list of names, which fills while they are read.

    The list stays empty if the ends of the edges are numbers.
    """
    files = sorted(entry for entry in path.iterdir() if entry.suffix in _FORMATS) if path.is_dir() else [path]
    if not files or any(file.suffix not in _FORMATS for file in files):
        raise FormatError(
            f"{str(path)!r} is no file of edges, nor a folder of them; the endings are {', '.join(_FORMATS)}"
        )
    names: dict[str, int] = {}
    met: list[str] = []
    return _edges(files, names, met), met


def _edges(files: list[Path], names: dict[str, int], met: list[str]) -> Iterator[tuple[Any, Any, Any]]:
    pa, dataset = optional_library("pyarrow", "scale"), optional_library("pyarrow.dataset", "scale")
    for file in files:
        try:
            source = dataset.dataset(file, format=_FORMATS[file.suffix])
            header = source.schema.names
            columns = [header[k] for k in find_columns(header, None)]
            for batch in source.to_batches(columns=columns):
                batch.validate(full=True)  # that no text reaches past its bytes, for one
                table = pa.Table.from_batches([batch])
                tails, heads = (_numbers(table.column(name), names, met) for name in columns[:2])
                yield tails, heads, real_column(table, columns[2])
        except CGraphError as error:
            raise ArchiveError(f"{str(file)!r}: {error}") from None
        except (pa.ArrowException, *_DAMAGE) as error:
            raise ArchiveError(f"{str(file)!r} is damaged: {shorten(str(error))}") from None


def _numbers(column: Any, names: dict[str, int], met: list[str]) -> NDArray[Any]:
    """Return the ends of edges as numbers: as they are, or in the order in which their names are met."""
    pa = optional_library("pyarrow", "scale")
    if column.null_count:
        raise CGraphError(
            f"row {column.is_null().index(pa.scalar(value=True)).as_py() + 1} of a batch: an end of the edge is empty"
        )
    if pa.types.is_integer(column.type):
        if met:
            raise CGraphError("some ends of edges are names, and others numbers")
        return np.asarray(column.to_numpy())
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        raise CGraphError(f"the ends of edges hold {column.type}; names or whole numbers are needed")
    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    of_batch = []
    for name in encoded.dictionary.to_pylist():
        if name not in names:
            names[name] = len(met)
            met.append(name)
        of_batch.append(names[name])
    ends: NDArray[Any] = np.array(of_batch, np.int64)[encoded.indices.to_numpy()]
    return ends
