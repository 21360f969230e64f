"""From edges to the folder of a stored graph.

Edges that come sorted by tail, and lead to larger numbers, go straight into blocks. With the first edge that does not, what
was written goes back into a spool, which holds the edges as they come; at the end it is sorted by tail and cut into blocks.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cgraph.algorithms.compiled.compiled_graph import CompiledGraph
from cgraph.algorithms.compiled.csr import rows_of, sorted_by_tail
from cgraph.algorithms.compiled.edge_arrays import (
    Floats,
    Index,
    node_names,
    real_numbers,
    require_ends,
    require_finite,
    whole_numbers,
)
from cgraph.model.errors import CGraphError
from cgraph.stored.edge_files import edges_of_files
from cgraph.stored.folder import Part, new_part, read_meta, sweep_parts
from cgraph.stored.stored_graph import StoredGraph, open_graph

__all__ = ["store_graph"]

_KINDS = "<u4", "<u4", "<f8"
_MOST_NODES = 2**32 - 1
_MOST_ROWS = 1_000_000  # of a block, or as many as it has edges: nodes without edges count too
_CHUNK = 1 << 20  # edges that are held at a time, beside those of one block


class _Edges(NamedTuple):
    """Some edges, in 16 bytes each."""

    tails: Index
    heads: Index
    z: Floats

    def some(self, chosen: Any) -> _Edges:
        """Return the edges of a slice, or at an array of places."""
        return _Edges(*(column[chosen] for column in self))


def store_graph(
    folder: str | os.PathLike[str],
    edges: CompiledGraph | str | os.PathLike[str] | Iterable[tuple[ArrayLike, ArrayLike, ArrayLike]],
    nodes: Sequence[Any] | None = None,
    *,
    block: int = 10_000_000,
) -> StoredGraph:
    """Write a linearized graph to a folder, for graphs larger than memory.

    Parameters
    ----------
    folder : path-like
        Where. A stored graph that is there is replaced when the new one is complete; a run that fails or is killed
        leaves the old one.
    edges : iterable of (sources, targets, derivatives), path-like or CompiledGraph
        Blocks of arrays, as `CompiledGraph.from_edges` takes them; or a file of edges in Parquet, Arrow or CSV, or a folder
        of them (extra ``scale``), with columns as `read_graph` finds them; or a compiled graph.
    nodes : sequence of str or int, optional
        The names of the nodes; without it, the numbers 0 to the largest that occurs, or the names in the file.
    block : int, default 10,000,000
        How many edges a block has, about: a node's edges stay together.

    Returns
    -------
    StoredGraph
        The graph, opened.

    Raises
    ------
    CGraphError
        If the arrays differ in length, or hold something else than whole numbers from 0 and real numbers.
    DerivativeError
        If a derivative is not finite; the edge is named.
    InvalidNodeError
        If an edge ends where there is no node, or two nodes have one name.
    CycleError
        If there is a cycle.
    ArchiveError
        If `folder` holds other files, or a file of edges cannot be read.
    OSError
        If the disk is full, or the folder cannot be written.

    Notes
    -----
    O(E), and 12 bytes for each edge and 8 for each node on disk. Edges that come sorted by tail, each to a larger number, are
    written once, and take one block in memory. Others are written three times: the disk holds up to 32 bytes for each edge
    meanwhile, and memory one block and 8 bytes for each node. Where an edge leads from a larger number to a smaller one, all
    nodes are renumbered, which takes up to 16 bytes for each edge in memory.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     D = store_graph(folder, [([0, 0], [1, 2], [2.0, 3.0]), ([1], [2], [5.0])])
    ...     D.sensitivities(2)
    array([13.,  5.,  1.])
    """
    if block < 1:
        raise CGraphError(f"a block must have at least one edge, not {block}")
    target = Path(folder)
    met: Sequence[Any] = ()
    if isinstance(edges, CompiledGraph):
        met, edges = edges.nodes, [edges.edge_arrays()]
    elif isinstance(edges, str | os.PathLike):
        edges, met = edges_of_files(Path(edges))  # the names are met while the edges are read
    with new_part(target) as part:
        stored = _taken_in(part, edges, None if nodes is None else len(nodes), block)
        names = node_names(nodes if nodes is not None else met or None, stored.nodes)
        firsts, counts = stored.finish(names)
        part.write_names(names)
        replaced = read_meta(target).part if (target / "meta.json").exists() else None
        part.become_graph(target, len(names), firsts, counts)
    sweep_parts(target, part.path.name, replaced)
    return open_graph(target)


def _taken_in(part: Part, edges: Iterable[Any], n: int | None, block: int) -> _Blocks | _Spool:
    """Write the edges as they come: into blocks, as long as they come in the order of the blocks."""
    blocks, spool = _Blocks(part, block), None
    for some in _chunks(edges, n):
        if spool is None and not blocks.go_on_with(some):
            spool = _Spool(part, block)
            for earlier in blocks.taken_back():
                spool.add(earlier)
        (spool or blocks).add(some)
    stored = spool or blocks
    if n is not None:
        stored.nodes = n
    return stored


def _chunks(edges: Iterable[Any], n: int | None) -> Iterator[_Edges]:
    """Yield the edges in arrays of one length, and refuse those that are none."""
    chunk, held = _empty(_CHUNK), 0
    for sources, targets, derivatives in edges:
        tails, heads = whole_numbers(sources, "sources"), whole_numbers(targets, "targets")
        z = real_numbers(derivatives, "derivatives")
        if not len(tails) == len(heads) == len(z):
            found = f"{len(tails)} sources, {len(heads)} targets and {len(z)} derivatives"
            raise CGraphError(f"{found} were given; an edge has one of each")
        if not len(z):
            continue
        require_ends(tails, heads, _MOST_NODES if n is None else n)
        require_finite(z, lambda e, tails=tails, heads=heads: (int(tails[e]), int(heads[e])))  # type: ignore[misc]  # mypy does not infer what a default binds
        given = _Edges(tails, heads, z)
        while len(given.z):
            room = slice(held, held + len(given.z))
            for column, values in zip(chunk.some(room), given, strict=True):
                column[:] = values[: len(column)]
            taken = len(chunk.z[room])
            given, held = given.some(slice(taken, None)), held + taken
            if held == _CHUNK:
                yield chunk
                chunk, held = _empty(_CHUNK), 0
    if held:
        yield chunk.some(slice(held))


@final
class _Blocks:
    """The edges in blocks of consecutive tails, as far as they came; those of the last block are held.

    Attributes
    ----------
    nodes : int
        One more than the largest number that came.
    """

    def __init__(self, part: Part, block: int) -> None:
        self._part, self._block = part, block
        self.nodes = 0
        self._firsts, self._counts = [0], [0]
        self._end = self._most_rows  # of the rows of the last block, as far as is known
        self._held: list[_Edges] = []

    @property
    def _most_rows(self) -> int:
        return self._firsts[-1] + max(self._block, _MOST_ROWS)

    def go_on_with(self, edges: _Edges) -> bool:
        """Return whether these edges may follow those that came."""
        tails, heads, _ = edges
        last = self._held[-1].tails[-1] if self._held else self._firsts[-1]
        return bool(tails[0] >= last and (tails[1:] >= tails[:-1]).all() and (tails < heads).all())

    def add(self, edges: _Edges) -> None:
        """Hold the edges, and write the blocks that they complete."""
        self.nodes = max(self.nodes, int(edges.heads.max()) + 1)
        while len(edges.z):
            if self._counts[-1] < self._block <= self._counts[-1] + len(edges.z):
                # The block is full with the row of this edge.
                self._end = min(self._end, int(edges.tails[self._block - self._counts[-1] - 1]) + 1)
            here = int(np.searchsorted(edges.tails, np.uint32(min(self._end, _MOST_NODES))))
            self._hold(edges.some(slice(here)))
            edges = edges.some(slice(here, None))
            if len(edges.z):
                self._write(self._end)

    def finish(self, names: Sequence[Any]) -> tuple[list[int], list[int]]:
        """Write the blocks that are left; return the first row of each, and the number of rows, and their edges."""
        while self._firsts[-1] < len(names):
            self._write(min(self._end, len(names)))
        return self._firsts, self._counts[:-1]

    def taken_back(self) -> Iterator[_Edges]:
        """Yield the edges in the order in which they came, and remove the files that they were in."""
        for b, (first, end) in enumerate(pairwise(self._firsts)):
            indptr, heads, z = (self._part.take_back(f"{name}-{b}") for name in ("indptr", "heads", "derivatives"))
            tails = np.repeat(np.arange(first, end, dtype=_KINDS[0]), np.diff(indptr).astype(np.int64))
            for k in range(0, len(z), _CHUNK):
                some = _Edges(tails, heads, z).some(slice(k, k + _CHUNK))
                yield some._replace(heads=some.heads + np.uint32(first))
        yield from self._held

    def _hold(self, edges: _Edges) -> None:
        if len(edges.z):
            self._held.append(edges)
            self._counts[-1] += len(edges.z)

    def _write(self, end: int) -> None:
        """Write the edges that are held as a block of the rows up to `end`, and begin the next one."""
        first = self._firsts[-1]
        degrees = np.zeros(end - first, np.int64)
        for edges in self._held:
            _count(edges.tails, degrees, first)
        _write_block(self._part, len(self._firsts) - 1, first, _indptr(degrees), self._held or [_empty(0)])
        self._held = []
        self._firsts.append(end)
        self._counts.append(0)
        self._end = self._most_rows


@final
class _Spool:
    """The edges in files, in the order in which they came.

    Attributes
    ----------
    nodes : int
        One more than the largest number that came.
    """

    def __init__(self, part: Part, block: int) -> None:
        self._part, self._block = part, block
        self.nodes = 0
        self._file = _EdgeFile(part.path / "spool")
        self._leads_on = True
        self._degrees = np.zeros(0, np.int64)

    def add(self, edges: _Edges) -> None:
        """Append edges to the files, and count how many leave each node."""
        self.nodes = max(self.nodes, int(edges.tails.max()) + 1, int(edges.heads.max()) + 1)
        self._leads_on = self._leads_on and bool((edges.tails < edges.heads).all())
        if self.nodes > len(self._degrees):
            self._degrees = np.pad(self._degrees, (0, max(self.nodes, 2 * len(self._degrees)) - len(self._degrees)))
        _count(edges.tails, self._degrees)
        self._file.append(edges)

    def finish(self, names: Sequence[Any]) -> tuple[list[int], list[int]]:
        """Sort the edges into blocks, as `_Blocks.finish`."""
        degrees = np.pad(self._degrees[: len(names)], (0, max(0, len(names) - len(self._degrees))))
        rank = None
        if not self._leads_on:
            rank = rows_of(names, *self._file.ends()).rank
        if rank is not None:
            self._part.write("rank", rank)
            of_nodes, degrees = degrees, np.empty_like(degrees)
            degrees[rank] = of_nodes
        firsts, counts = _firsts(degrees, self._block), []
        for b, edges in enumerate(self._buckets(firsts, rank)):
            first, end = firsts[b : b + 2]
            indptr, order = sorted_by_tail(end - first, edges.tails - np.uint32(first))
            _write_block(self._part, b, first, indptr, [edges if order is None else edges.some(order)])
            counts.append(len(edges.z))
        return firsts, counts

    def _buckets(self, firsts: list[int], rank: Index | None) -> Iterator[_Edges]:
        """Yield the edges of each block, after a pass that sorts them into files for each."""
        buckets = [_EdgeFile(self._part.path / f"bucket-{b}") for b in range(len(firsts) - 1)]
        for given in self._file.chunks():
            edges = given if rank is None else _Edges(rank[given.tails], rank[given.heads], given.z)
            of_block = np.searchsorted(firsts, edges.tails, side="right") - 1
            ends = np.cumsum(np.bincount(of_block, minlength=len(buckets)))
            ordered = edges.some(np.argsort(of_block, kind="stable"))
            for b in np.unique(of_block).tolist():
                buckets[b].append(ordered.some(slice(ends[b - 1] if b else 0, ends[b])))
        self._file.remove()
        for bucket in buckets:
            yield bucket.read()
            bucket.remove()


class _EdgeFile:
    """Edges in three files, one for each column."""

    def __init__(self, path: Path) -> None:
        self._paths = [path.with_name(f"{path.name}-{column}") for column in _Edges._fields]

    def append(self, edges: _Edges) -> None:
        for path, column in zip(self._paths, edges, strict=True):
            with path.open("ab") as file:
                file.write(np.ascontiguousarray(column).view(np.uint8).data)

    def read(self) -> _Edges:
        if not self._paths[0].exists():
            return _empty(0)
        return _Edges(*(np.fromfile(path, kind) for path, kind in zip(self._paths, _KINDS, strict=True)))

    def ends(self) -> tuple[Index, Index]:
        tails, heads = (np.fromfile(path, kind) for path, kind in zip(self._paths[:2], _KINDS[:2], strict=True))
        return tails, heads

    def chunks(self) -> Iterator[_Edges]:
        tails, heads, z = self._paths
        with tails.open("rb") as of_tails, heads.open("rb") as of_heads, z.open("rb") as of_z:
            columns = list(zip((of_tails, of_heads, of_z), _KINDS, strict=True))
            while len((edges := _Edges(*(np.fromfile(file, kind, _CHUNK) for file, kind in columns))).z):
                yield edges

    def remove(self) -> None:
        for path in self._paths:
            path.unlink(missing_ok=True)


def _empty(size: int) -> _Edges:
    return _Edges(*(np.empty(size, kind) for kind in _KINDS))


def _count(tails: Index, degrees: NDArray[np.int64], first: int = 0) -> None:
    """Add to ``degrees[i - first]`` how often i is among the tails."""
    low, high = int(tails.min()), int(tails.max())
    if high - low < 8 * len(tails):  # else counting would take as long as the graph has nodes
        degrees[low - first : high - first + 1] += np.bincount(tails - np.uint32(low))
    else:
        np.add.at(degrees, tails - np.uint32(first), 1)


def _indptr(degrees: NDArray[np.int64]) -> Index:
    return np.concatenate([[0], np.cumsum(degrees)])


def _write_block(part: Part, b: int, first: int, indptr: Index, edges: Sequence[_Edges]) -> None:
    part.write(f"indptr-{b}", indptr.astype("<u8"))
    part.write(f"heads-{b}", *(some.heads - np.uint32(first) for some in edges))
    part.write(f"derivatives-{b}", *(some.z for some in edges))


def _firsts(degrees: NDArray[np.int64], block: int) -> list[int]:
    """Return the first row of each block, and the number of rows at the end."""
    n, firsts, ends = len(degrees), [0], np.cumsum(degrees)
    while firsts[-1] < n:
        done = int(ends[firsts[-1] - 1]) if firsts[-1] else 0
        full = int(np.searchsorted(ends, done + block)) + 1  # after the row with which the block is full
        firsts.append(min(full, firsts[-1] + max(block, _MOST_ROWS), n))
    return firsts
