"""Arrays from files beside a spec: .npy, .npz and .csv.

The files are as untrusted as the spec. They lie in its folder, what they hold is numbers, never a pickle, and how
large an array is its header says before anything of it is read.
"""

from __future__ import annotations

import lzma
import math
import warnings
import zipfile
import zlib
from pathlib import Path, PurePosixPath, PureWindowsPath
from tokenize import TokenError
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from cgraph.model.errors import CGraphError, LimitError, nearest, shorten
from cgraph.model.limits import limits_in_force, require_entries
from cgraph.training.columns import read_matrix

__all__ = ["ArrayFiles"]

MAX_CSV_BYTES = 100_000_000
MAX_NAMES = 8  # that a message lists
_OUTSIDE = "a file lies in the folder of the spec, and is named relative to it"
_DAMAGE = (
    ValueError, EOFError, OSError, RuntimeError, NotImplementedError, MemoryError, zipfile.BadZipFile, zlib.error,
    lzma.LZMAError,
)  # fmt: skip
_KINDS = {
    "O": "Python objects, which would be pickled",
    "c": "complex numbers",
    "U": "text",
    "S": "text",
    "b": "booleans",
}
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


class ArrayFiles:
    """Reads the files that one spec names, up to a number of entries in all.

    Parameters
    ----------
    folder : Path
        Of the spec.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.room = limits_in_force().total

    def read(self, file: str, name: str | None = None) -> NDArray[np.float64]:
        """Return the array in `file`, in an .npz file the one called `name`.

        Raises
        ------
        CGraphError
            If there is no such file or array, it lies outside the folder, is too large or damaged, or does not hold
            real numbers; the message goes on after what the array is for.
        """
        path = self._find(file)
        suffix = path.suffix.lower()
        if name is not None and suffix != ".npz":
            raise CGraphError(f"{file!r} holds one array, which has no name; only those in .npz files have")
        try:
            match suffix:
                case ".csv":
                    array = self._csv(path, file)
                case ".npy":
                    with path.open("rb") as stream:
                        array = self._array(stream, file)
                case ".npz":
                    with zipfile.ZipFile(path) as archive, archive.open(_member(archive, file, name)) as stream:
                        array = self._array(stream, file)
                case _:
                    raise CGraphError(f"{file!r} is no file of numbers; its name must end in .npy, .npz or .csv")
        except LimitError:
            raise
        except _DAMAGE as error:
            reason = getattr(error, "strerror", None) or shorten(str(error)) or type(error).__name__
            raise CGraphError(f"{file!r} cannot be read: {reason}") from None
        self.room -= array.size
        return array

    def _find(self, file: str) -> Path:
        for pure in (PurePosixPath(file), PureWindowsPath(file)):
            if pure.is_absolute() or pure.drive or pure.root or ".." in pure.parts:
                raise CGraphError(f"{file!r} is not allowed: {_OUTSIDE}")
        try:
            path = (self.folder / file).resolve()
            if not path.is_relative_to(self.folder.resolve()):
                raise CGraphError(f"{file!r} leads elsewhere: {_OUTSIDE}")
            if not path.exists():
                raise CGraphError(f"there is no file {file!r} in the folder of the spec")
            if not path.is_file():
                raise CGraphError(f"{file!r} is no file")
        except (OSError, ValueError, RuntimeError) as error:  # too long, a null character, a circle of links
            raise CGraphError(
                f"{shorten(file)!r} cannot be read: {getattr(error, 'strerror', None) or error}"
            ) from None
        return path

    def _array(self, stream: IO[bytes], file: str) -> NDArray[np.float64]:
        """Return the array of an .npy file, whose header is read, and judged, first."""
        with warnings.catch_warnings(action="ignore"):  # of headers that Python 2 wrote
            try:
                version = npy.read_magic(stream)
            except ValueError:
                raise ValueError("it does not begin as .npy files do") from None
            if version not in _HEADERS:  # 3.0 is only written where names of columns are not Latin
                raise ValueError(
                    "it holds a table with named columns"
                    if version == (3, 0)
                    else f"its version {version} is not known"
                )
            try:
                shape, by_columns, dtype = _HEADERS[version](stream)
            except (SyntaxError, TokenError, TypeError, OverflowError):  # NumPy reads it as Python's literals
                raise ValueError("its header is damaged") from None
        if dtype.kind not in "iuf":
            raise CGraphError(f"{file!r} holds {_KINDS.get(dtype.kind, dtype)}; real numbers are needed")
        if any(type(length) is not int or length < 0 for length in shape):  # True is a whole number to NumPy
            raise ValueError("its header is damaged")
        count = math.prod(shape)
        self._require_room(count, file)
        raw = stream.read(count * dtype.itemsize + 1)
        if len(raw) != count * dtype.itemsize:
            raise ValueError(f"it is damaged; its header says {count:,} entries")
        entries = np.frombuffer(raw, dtype).reshape(shape, order="F" if by_columns else "C")
        return _finite(entries, file)

    def _csv(self, path: Path, file: str) -> NDArray[np.float64]:
        if path.stat().st_size > MAX_CSV_BYTES:
            raise CGraphError(f"{file!r} is larger than {MAX_CSV_BYTES // 10**6} MB; an .npy file may hold more")
        rows = read_matrix(path)
        self._require_room(rows.size, file)
        return rows[:, 0] if rows.shape[1] == 1 else rows

    def _require_room(self, count: int, file: str) -> None:
        if count > self.room:
            most = limits_in_force().total
            raise LimitError(f"{file!r} is too large: the files of a spec hold no more than {most:,} entries", "total")
        require_entries(count, f"{file!r} is too large")


def _member(archive: zipfile.ZipFile, file: str, name: str | None) -> zipfile.ZipInfo:
    """Return the part of an .npz file that holds the array called `name`, or the only one."""
    members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    holds = f"it holds {', '.join(list(members)[:MAX_NAMES])}{', ...' * (len(members) > MAX_NAMES)}"
    if name is None and len(members) != 1:
        advice = f"; write name: with one of them; {holds}" if members else ""
        raise CGraphError(f"{file!r} holds {len(members) or 'no'} arrays{advice}")
    if name is not None and name not in members:
        close = nearest(name, members)
        raise CGraphError(f"{file!r} holds no array {name!r}; {f'did you mean {close!r}?' if close else holds}")
    return members[name] if name is not None else next(iter(members.values()))


def _finite(entries: NDArray[Any], file: str) -> NDArray[np.float64]:
    with np.errstate(over="ignore"):
        array = entries.astype(np.float64)
    wrong = np.argwhere(~np.isfinite(array))
    if wrong.size:
        at = tuple(wrong[0].tolist())
        raise CGraphError(f"entry {list(at)} of {file!r} is {array[at]}; a finite number is needed")
    return array
