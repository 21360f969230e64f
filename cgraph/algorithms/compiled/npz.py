"""Arrays in an .npz file: written whole or not at all, and checked when they are read, as the file may be hostile."""

from __future__ import annotations

import json
import os
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cgraph.model.errors import ArchiveError
from cgraph.model.files import write_whole

__all__ = ["array_of_names", "names_of_array", "read_arrays", "write_arrays"]

# What the readers of zip files, of headers and of arrays raise at bytes that make no sense to them.
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, tokenize.TokenError, SyntaxError, ValueError, TypeError, KeyError,
    EOFError, OSError, OverflowError, MemoryError, RecursionError, NotImplementedError, RuntimeError,
)  # fmt: skip


def write_arrays(path: str | os.PathLike[str], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write `arrays` as an uncompressed ``.npz``; whatever goes wrong, `path` is as before or complete."""
    write_whole(path, lambda file: np.savez(file, **dict(arrays)))  # type: ignore[arg-type]  # its options have no such names


def read_arrays(path: str | os.PathLike[str], names: set[str]) -> dict[str, NDArray[Any]]:
    """Return the arrays of a file that `write_arrays` wrote.

    Raises
    ------
    ArchiveError
        If the file does not hold exactly `names`, uncompressed and undamaged. Nothing in it is executed, and no
        array is larger than the file.
    OSError
        If the file cannot be opened.
    """
    with Path(path).open("rb") as file:
        try:
            return _arrays(zipfile.ZipFile(file), names)
        except _DAMAGE as error:
            raise ArchiveError(f"{os.fspath(path)!r} is not a saved graph, or it is damaged: {error}") from error


def _arrays(archive: zipfile.ZipFile, names: set[str]) -> dict[str, NDArray[Any]]:
    members = archive.infolist()
    # A few compressed bytes can stand for any number of zeros; what is stored takes its room in the file.
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise ValueError("it is compressed")
    if sorted(member.filename for member in members) != sorted(f"{name}.npy" for name in names):
        raise ValueError("it holds other arrays")
    return {name: _read(archive, f"{name}.npy") for name in names}


def array_of_names(nodes: Sequence[Any]) -> NDArray[Any]:
    """Return the names of nodes as an array: the numbers of a range, or the bytes of a JSON list.

    Raises
    ------
    ArchiveError
        If a name is neither text nor a whole number.
    """
    if isinstance(nodes, range):
        return np.arange(len(nodes), dtype=np.uint32)
    for node in nodes:
        if type(node) not in {str, int}:
            raise ArchiveError(f"node {node!r} cannot be saved: names in a file are text or whole numbers")
    return np.frombuffer(json.dumps(nodes).encode(), np.uint8)


def names_of_array(array: NDArray[Any]) -> Sequence[Any]:
    """Return the names that `array_of_names` wrote down, or raise `ArchiveError`."""
    if array.dtype == np.uint32:
        return range(len(array))
    try:
        nodes = json.loads(array.tobytes())
    except (ValueError, RecursionError) as error:
        raise ArchiveError(f"the names of the nodes cannot be read: {error}") from None
    if not isinstance(nodes, list) or not {type(node) for node in nodes} <= {str, int}:
        raise ArchiveError("the names of the nodes are not a list of text and whole numbers")
    return nodes


def _read(archive: zipfile.ZipFile, member: str) -> NDArray[Any]:
    with archive.open(member) as file:
        array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
        if file.read(1):
            raise ValueError("more bytes than the array has")
        return array
