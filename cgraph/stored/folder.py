"""The folder of a stored graph: what stands in it, how it is written, and how it is read without being trusted.

``meta.json`` names the part of the folder that holds the blocks. A new graph is written into a part of its own, and
becomes the graph when ``meta.json`` is replaced: a reader finds the old graph or the new one.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import secrets
import shutil
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from cgraph.algorithms.compiled.edge_arrays import Floats, Index
from cgraph.algorithms.compiled.npz import array_of_names, names_of_array
from cgraph.model.errors import ArchiveError
from cgraph.model.files import is_running, write_whole

__all__ = [
    "Block",
    "Meta",
    "Part",
    "identity_of_block",
    "new_part",
    "read_block",
    "read_meta",
    "read_names",
    "read_rank",
]

FORMAT, VERSION = "cgraph stored graph", 1
_KINDS = {"indptr": "<u8", "heads": "<u4", "derivatives": "<f8"}
_PART = re.compile(r"part-(\d{1,9})-[0-9a-f]{8}")
_MOST_META = 1 << 28  # bytes; 100 for each block
_CHUNK = 1 << 22  # bytes that a checksum takes at a time
_ROWS = 2**14  # that are checked at a time, so that what is computed of them stays in the cache
_FILES = 16  # that wait until they are on the disk


class Block(NamedTuple):
    """The edges of consecutive rows; heads are counted from the first row."""

    indptr: Index
    heads: Index
    derivatives: Floats


@dataclass
class Meta:
    """What ``meta.json`` says.

    Attributes
    ----------
    part : str
        The folder within the folder that holds the arrays.
    nodes, edges : int
        How many.
    firsts : list of int
        The first row of each block, and the number of nodes at the end.
    counts : list of int
        The edges of each block.
    checksums : dict
        CRC-32 of every file, by name.
    """

    part: str
    nodes: int
    edges: int
    firsts: list[int]
    counts: list[int]
    checksums: dict[str, int]


@final
class Part:
    """A new part of the folder, while it is written.

    Parameters
    ----------
    path : Path
        The empty folder.
    disk : Executor
        A thread that waits for the disk, file after file, while the next arrays are computed.
    """

    def __init__(self, path: Path, disk: Executor) -> None:
        self.path = path
        self._checksums: dict[str, int] = {}
        self._disk = disk
        self._waiting: deque[Future[None]] = deque()

    def write(self, name: str, *pieces: NDArray[Any]) -> None:
        """Write an array, of which at least one piece is given; its checksum is that of the bytes that are written."""
        file_name = f"{name}.npy"
        file = (self.path / file_name).open("xb", buffering=0)
        try:
            checksum = 0
            for piece in (_header(pieces), *pieces):
                data = np.ascontiguousarray(piece).view(np.uint8).data
                checksum = zlib.crc32(data, checksum)
                while data:  # the system may take a part
                    data = data[file.write(data) :]
        except BaseException:
            file.close()
            raise
        self._checksums[file_name] = checksum
        self._waiting.append(self._disk.submit(_onto_disk, file))
        while len(self._waiting) > _FILES:
            self._waiting.popleft().result()

    def write_names(self, nodes: Sequence[Any]) -> None:
        """Write the names of the nodes, unless they are numbers."""
        if not isinstance(nodes, range):
            self.write("names", array_of_names(nodes))

    def take_over(self, old: Path, name: str, checksum: int) -> None:
        """Give a file of another part, which stays the same, a second name here, so that it takes no room twice."""
        try:
            os.link(old / name, self.path / name)
        except OSError:  # a file system without such names
            shutil.copyfile(old / name, self.path / name)
        self._checksums[name] = checksum

    def take_back(self, name: str) -> NDArray[Any]:
        """Return an array that was written, mapped into memory; its file has no name any more."""
        path = self.path / f"{name}.npy"
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        path.unlink()
        del self._checksums[path.name]
        return array

    def become_graph(self, folder: Path, nodes: int, firsts: list[int], counts: list[int]) -> None:
        """Make this the graph of the folder, once all of it is on the disk."""
        while self._waiting:
            self._waiting.popleft().result()
        meta = Meta(self.path.name, nodes, sum(counts), firsts, counts, self._checksums)
        write_whole(folder / "meta.json", json.dumps({"format": FORMAT, "version": VERSION} | asdict(meta)))


def _header(pieces: Sequence[NDArray[Any]]) -> NDArray[np.uint8]:
    """Return what a ``.npy`` file of these pieces begins with."""
    begin = io.BytesIO()
    descr = np.lib.format.dtype_to_descr(pieces[0].dtype)
    shape = (sum(map(len, pieces)),)
    np.lib.format.write_array_header_1_0(begin, {"descr": descr, "fortran_order": False, "shape": shape})
    return np.frombuffer(begin.getvalue(), np.uint8)


def _onto_disk(file: io.FileIO) -> None:
    with file:
        os.fsync(file.fileno())


@contextmanager
def new_part(folder: Path) -> Iterator[Part]:
    """Yield a new part of the folder to write into; it is removed if anything goes wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "meta.json").exists() and any(not _PART.fullmatch(entry.name) for entry in folder.iterdir()):
        raise ArchiveError(f"{str(folder)!r} holds other files; name a new folder, or one with a stored graph")
    part = folder / f"part-{os.getpid()}-{secrets.token_hex(4)}"
    part.mkdir()
    try:
        with ThreadPoolExecutor(1) as disk:
            yield Part(part, disk)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def sweep_parts(folder: Path, kept: str, replaced: str | None) -> None:
    """Remove the part that was replaced, and those that killed processes left behind."""
    for entry in folder.iterdir():
        found = _PART.fullmatch(entry.name)
        if found and entry.name != kept and (entry.name == replaced or not is_running(int(found[1]))):
            shutil.rmtree(entry, ignore_errors=True)


def read_meta(folder: Path) -> Meta:
    """Return what ``meta.json`` says, or raise `ArchiveError`; OSError if there is none."""
    path = folder / "meta.json"
    if path.stat().st_size > _MOST_META:
        raise ArchiveError(f"{str(path)!r} is larger than that of any stored graph")
    try:
        data = json.loads(path.read_bytes())
        form, version = data.pop("format"), data.pop("version")
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise ArchiveError(f"{str(path)!r} does not describe a stored graph, or it is damaged: {error}") from None
    if form != FORMAT:
        raise ArchiveError(f"{str(path)!r} does not describe a stored graph: its format is {form!r}")
    if version != VERSION:
        raise ArchiveError(
            f"{str(folder)!r} is of version {version!r}, and this cgraph reads version {VERSION}; store the graph again"
        )
    try:
        meta = Meta(**data)
        _require_sound(meta)
    except (ValueError, TypeError) as error:
        raise ArchiveError(f"{str(path)!r} is damaged: {error}") from None
    return meta


def _require_sound(meta: Meta) -> None:
    """Raise ValueError or TypeError unless the numbers of `meta` fit together."""
    if not isinstance(meta.part, str) or not _PART.fullmatch(meta.part):
        raise ValueError("its 'part' is not the name of a part")
    if not all(
        type(k) is int and 0 <= k < 2**63
        for k in [meta.nodes, meta.edges, *meta.firsts, *meta.counts, *meta.checksums.values()]
    ):
        raise ValueError("a number is none")
    if (
        meta.firsts[:1] != [0]
        or meta.firsts[-1] != meta.nodes
        or meta.nodes >= 2**32
        or sorted(meta.firsts) != meta.firsts
    ):
        raise ValueError("the blocks do not hold the nodes from first to last")
    if len(meta.firsts) != len(meta.counts) + 1 or sum(meta.counts) != meta.edges:
        raise ValueError("the blocks do not hold the edges")


def read_block(folder: Path, meta: Meta, b: int, *, check: bool) -> Block:
    """Return block `b`, mapped into memory; with `check`, after every byte and number of it was looked at.

    Raises
    ------
    ArchiveError
        If a file is missing, has another size or checksum, or holds what the loops must not see.
    """
    rows, count = meta.firsts[b + 1] - meta.firsts[b], meta.counts[b]
    sizes = {"indptr": rows + 1, "heads": count, "derivatives": count}
    arrays = [_read(folder, meta, f"{name}-{b}.npy", _KINDS[name], sizes[name], check=check) for name in sizes]
    block = Block(*arrays)
    if check:
        _require_rows(folder / meta.part / f"heads-{b}.npy", block, meta.nodes - meta.firsts[b])
    return block


def identity_of_block(folder: Path, meta: Meta, b: int) -> int:
    """Return a number, not 0, that changes when one of the files of block `b` does: it saves another check."""
    found = [FORMAT]
    for name in _KINDS:
        path = folder / meta.part / f"{name}-{b}.npy"
        try:
            status = path.stat()
        except FileNotFoundError:
            raise _missing(path) from None
        times = status.st_mtime_ns, status.st_ctime_ns
        found.append(f"{status.st_dev} {status.st_ino} {status.st_size} {times}")
    digest = hashlib.blake2b("\n".join(found).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True) or 1


def _require_rows(path: Path, block: Block, most: int) -> None:
    """Raise `ArchiveError` unless the loops can run over the block: they test no index."""
    indptr, heads, z = block
    if int(indptr[0]) != 0 or int(indptr[-1]) != len(heads) or bool((indptr[1:] < indptr[:-1]).any()):
        raise ArchiveError(f"{str(path)!r}: its rows do not follow one another")
    for row in range(0, len(indptr) - 1, _ROWS):
        ends = indptr[row : row + _ROWS + 1]
        edges = slice(int(ends[0]), int(ends[-1]))
        tails = np.repeat(np.arange(row, row + len(ends) - 1, dtype=np.uint32), np.diff(ends).astype(np.int64))
        if bool((heads[edges] <= tails).any()) or int(heads[edges].max(initial=0)) >= most:
            raise ArchiveError(f"{str(path)!r}: an edge does not lead to a later node of the graph")
        if not np.isfinite(z[edges]).all():
            raise ArchiveError(f"{str(path)!r}: the derivative of an edge is not finite")


def read_rank(folder: Path, meta: Meta) -> Index | None:
    """Return the row of each node; None if nodes and rows have the same numbers."""
    if "rank.npy" not in meta.checksums:
        return None
    rank = _read(folder, meta, "rank.npy", "<u4", meta.nodes, check=True)
    is_taken = np.zeros(meta.nodes, bool)
    if int(rank.max(initial=0)) < meta.nodes:
        is_taken[rank] = True
    if not is_taken.all():
        raise ArchiveError(f"{str(folder / meta.part / 'rank.npy')!r}: two nodes have one row")
    return rank


def read_names(folder: Path, meta: Meta) -> Sequence[Any]:
    """Return the names of the nodes."""
    if "names.npy" not in meta.checksums:
        return range(meta.nodes)
    names = names_of_array(_read(folder, meta, "names.npy", "|u1", None, check=True))
    if len(names) != meta.nodes or len(set(names)) != len(names):
        raise ArchiveError(f"{str(folder)!r}: the names are not one for each node")
    return names


def _read(folder: Path, meta: Meta, name: str, kind: str, size: int | None, *, check: bool) -> NDArray[Any]:
    path = folder / meta.part / name
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise _missing(path) from None
    except (OSError, ValueError, EOFError, SyntaxError, TypeError) as error:
        raise ArchiveError(f"{str(path)!r} is damaged: {error}") from None
    if array.dtype != np.dtype(kind) or array.ndim != 1 or (size is not None and len(array) != size):
        raise ArchiveError(
            f"{str(path)!r} holds an array of {array.dtype} of the shape {array.shape}, not what meta.json says"
        )
    if check and (found := _checksum(path)) != meta.checksums.get(name):
        raise ArchiveError(
            f"{str(path)!r} is damaged: its checksum is {found}, not {meta.checksums.get(name)}; store the graph again"
        )
    return array


def _missing(path: Path) -> ArchiveError:
    return ArchiveError(f"{str(path)!r} is missing; if the graph was stored anew since, open it again")


def _checksum(path: Path) -> int:
    found = 0
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            found = zlib.crc32(chunk, found)
    return found
