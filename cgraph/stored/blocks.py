"""The blocks of a stored graph, as sweeps read them: checked once, mapped, the next one read ahead."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import final

import numpy as np

from cgraph.algorithms.compiled.edge_arrays import Index
from cgraph.model.errors import ArchiveError
from cgraph.stored.folder import Block, Meta, identity_of_block, read_block, read_meta

__all__ = ["BYTES_OF_EDGE", "Blocks", "opened_blocks"]

BYTES_OF_EDGE = 12
_MOST_MAPPED = 128  # blocks that stay mapped, each of three open files
_CHUNK = 2**22  # bytes that are read at a time


@final
class Blocks:
    """The blocks of edges in the folder of a stored graph.

    Parameters
    ----------
    folder : Path
        The folder.
    meta : Meta
        What its ``meta.json`` says.

    Attributes
    ----------
    known : ndarray of int, shape (blocks, 2)
        Of each block that was checked, the identity of its files, and the row after the last that its edges lead to; 0
        of others.
    mapped : dict
        The blocks that stay mapped into memory.
    """

    def __init__(self, folder: Path, meta: Meta) -> None:
        self.folder, self.meta = folder, meta
        self.known = np.zeros((len(meta.counts), 2), np.int64)
        self.mapped: dict[int, Block] = {}
        self._stay_mapped = BYTES_OF_EDGE * meta.edges + 8 * meta.nodes <= _memory() * 2 // 3

    def __len__(self) -> int:
        return len(self.meta.counts)

    def __getitem__(self, b: int) -> Block:
        """Return block `b`, mapped into memory, after a check of what has not been checked."""
        was_known = self.check(b)
        if (mapped := self.mapped.get(b)) is not None:
            return mapped
        block = read_block(self.folder, self.meta, b, check=False)
        for name in ("heads", "derivatives") if was_known else ():  # otherwise the check has just read them
            _read_ahead(self.folder / self.meta.part / f"{name}-{b}.npy")
        if self._stay_mapped and len(self.mapped) < _MOST_MAPPED:
            self.mapped[b] = block
        return block

    def in_turn(self, numbers: Sequence[int]) -> Iterator[tuple[int, Block]]:
        """Yield the blocks of these numbers; one that is not mapped is read while the caller works on the one before."""
        with ThreadPoolExecutor(1) as reader:

            def ahead(k: int) -> Future[Block] | None:
                needs_no_reading = k >= len(numbers) or numbers[k] in self.mapped
                return None if needs_no_reading else reader.submit(self.__getitem__, numbers[k])

            reading = ahead(0)
            for k, b in enumerate(numbers):
                block = self[b] if reading is None else reading.result()
                reading = ahead(k + 1)
                yield b, block

    def check(self, b: int) -> bool:
        """Check block `b`, if it has not been checked since its files were changed; return whether it was known."""
        try:
            identity = identity_of_block(self.folder, self.meta, b)
            if self.known[b, 0] == identity:
                return True
            self.mapped.pop(b, None)
            block = read_block(self.folder, self.meta, b, check=True)
        except ArchiveError:
            self.mapped.clear()  # files that others removed take room on the disk as long as they are mapped
            raise
        self.known[b, 1] = self.meta.firsts[b] + 1 + int(block.heads.max(initial=0))
        self.known[b, 0] = identity
        return False

    def reach(self, b: int) -> int:
        """Return the row after the last that an edge of block `b` leads to."""
        self.check(b)
        return int(self.known[b, 1])

    def believe(self, known: Index) -> None:
        """Take over what another process has checked: of files that are the same, on the same machine."""
        new = (self.known[:, 0] == 0) & (known[:, 0] != 0)
        self.known[new] = known[new]

    def of_row(self, row: int) -> int:
        """Return the block that holds a row; after the last row, the number of blocks."""
        return int(np.searchsorted(self.meta.firsts, row, side="right")) - 1


@lru_cache(maxsize=4)
def opened_blocks(folder: str, part: str) -> Blocks:
    """Return the blocks that a worker has opened before, so that each is checked once in a process.

    Raises
    ------
    ArchiveError
        If the folder holds another graph by now.
    """
    meta = read_meta(Path(folder))
    if meta.part != part:
        raise ArchiveError(f"another graph was stored in {folder!r} while this one was swept; open it again")
    return Blocks(Path(folder), meta)


def _memory() -> int:
    """Return the bytes of memory of this machine; 0 if the system does not say."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0


def _read_ahead(path: Path) -> None:
    """Read a file, so that the system holds it when the sweep comes to it.

    Advice (`posix_fadvise`, and the faults of a mapped file) leaves a cold sweep at half the speed of these reads.
    """
    buffer = bytearray(_CHUNK)
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass
