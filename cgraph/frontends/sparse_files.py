"""Matrices that scipy.sparse wrote, read without it: nothing in an .npz file but arrays of numbers."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cgraph.frontends.edge_table import MAX_EDGES, EdgeTable
from cgraph.model.errors import ArchiveError, shorten

__all__ = ["read_sparse", "write_sparse"]

# What the readers of zip files and of arrays raise at bytes that make no sense to them.
_DAMAGE = (
    ValueError, KeyError, EOFError, OSError, RuntimeError, NotImplementedError, MemoryError, SyntaxError, TypeError,
    OverflowError, IndexError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def read_sparse(path: Path) -> EdgeTable:
    """Read a square matrix in the formats csr, csc, coo and its entries as edges.

    Raises
    ------
    ArchiveError
        If it is no such file, is damaged or too large, or holds something else than finite numbers.
    """
    try:
        arrays = _arrays(path)
        tails, heads, n = _ends(arrays)
        z = np.asarray(arrays["data"])
        if z.dtype.kind not in "iuf" or z.ndim != 1 or not len(z) == len(tails) == len(heads):
            raise ValueError("its entries are no real numbers, or not one for each index")
    except _DAMAGE as error:
        reason = getattr(error, "strerror", None) or shorten(str(error))
        raise ArchiveError(f"{str(path)!r} is no matrix of scipy.sparse, or it is damaged: {reason}") from None
    if tails.size and (min(tails.min(), heads.min()) < 0 or max(tails.max(), heads.max()) >= n):
        raise ArchiveError(f"{str(path)!r} is damaged: an index lies outside the matrix of {n} rows")
    if not np.isfinite(z).all():
        e = int(np.flatnonzero(~np.isfinite(z))[0])
        raise ArchiveError(f"{str(path)!r}: entry ({tails[e]}, {heads[e]}) is {z[e]}, which is not finite")
    return EdgeTable(list(map(str, range(n))), tails.astype(np.intp), heads.astype(np.intp), z.astype(np.float64))


def write_sparse(n: int, tails: NDArray[Any], heads: NDArray[Any], z: NDArray[np.float64]) -> bytes:
    """Return the bytes of a matrix of n x n with entries (tail, head), as `scipy.sparse.load_npz` reads it."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer, row=tails.astype(np.int32), col=heads.astype(np.int32), format=np.array(b"coo"),
        shape=np.array([n, n]), data=z,
    )  # fmt: skip
    return buffer.getvalue()


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of an .npz file; a few compressed bytes may stand for no more than is declared, and judged."""
    with path.open("rb") as file, zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if sum(member.file_size for member in members) > MAX_EDGES * 16:
            raise ValueError(f"it holds more than {MAX_EDGES:,} entries")
        return {
            member.filename.removesuffix(".npy"): np.load(io.BytesIO(archive.read(member)), allow_pickle=False)
            for member in members
        }


def _ends(arrays: dict[str, NDArray[Any]]) -> tuple[NDArray[Any], NDArray[Any], int]:
    """Return the rows and the columns of the entries, and the number of nodes."""
    rows, columns = arrays["shape"].tolist()
    if rows != columns or not 0 <= rows <= MAX_EDGES:
        raise ValueError(f"it has {rows} rows and {columns} columns; a graph's matrix is square")
    if "row" in arrays:
        ends = (arrays["row"], arrays["col"])
    else:
        kind = arrays["format"].item()
        if kind not in {b"csr", b"csc"}:
            raise ValueError(f"its format is {kind!r}; csr, csc and coo are read")
        indptr = arrays["indptr"]
        if indptr.dtype.kind not in "iu" or len(indptr) != rows + 1 or indptr[0] != 0 or (np.diff(indptr) < 0).any():
            raise ValueError("its rows do not begin one after the other")
        along = np.repeat(np.arange(rows), np.diff(indptr))
        ends = (along, arrays["indices"]) if kind == b"csr" else (arrays["indices"], along)
    if any(end.dtype.kind not in "iu" or end.ndim != 1 for end in ends):
        raise ValueError("its indices are no whole numbers")
    return *ends, rows
