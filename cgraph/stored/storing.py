"""From edges to the folder of a stored graph: spooled to disk, numbered, sorted by tail, cut into blocks."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cgraph.algorithms.compiled.compiled_graph import CompiledGraph
from cgraph.algorithms.compiled.csr import rows_of
from cgraph.algorithms.compiled.edge_arrays import (
    Index,
    node_names,
    real_numbers,
    require_ends,
    require_finite,
    whole_numbers,
)
from cgraph.model.errors import CGraphError
from cgraph.stored.edge_files import edges_of_files
from cgraph.stored.folder import Meta, new_part, read_meta, sweep_parts, write_array, write_names
from cgraph.stored.stored_graph import StoredGraph, open_graph

__all__ = ["store_graph"]

_EDGE = np.dtype([("tail", "<u4"), ("head", "<u4"), ("z", "<f8")])
_MOST_NODES = 2**32 - 1
_CHUNK = 1 << 20  # edges that are held at a time, beside those of one block


class _Spool(NamedTuple):
    """The edges in a file, in the order in which they came."""

    path: Path
    edges: int
    nodes: int
    is_sorted: bool  # by tail
    leads_on: bool  # every edge to a larger number


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
    O(E), and 12 bytes for each edge and 8 for each node in the end; while it is written 28 for each edge, or 32 if the
    edges do not come sorted by tail. In memory, one block and 8 bytes for each node; where an edge leads from a larger
    number to a smaller one, all nodes are renumbered, which takes up to 16 bytes for each edge in memory.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     D = store_graph(folder, [([0, 0], [1, 2], [2.0, 3.0]), ([1], [2], [5.0])])
    ...     D.sensitivities(2)
    array([13.,  5.,  1.])
    """
    if block < 1:
        raise CGraphError(f"a block has at least one edge, not {block}")
    target = Path(folder)
    met: Sequence[Any] = ()
    if isinstance(edges, CompiledGraph):
        met, edges = edges.nodes, [edges.edge_arrays()]
    elif isinstance(edges, str | os.PathLike):
        edges, met = edges_of_files(Path(edges))  # the names are met while the edges are read
    with new_part(target) as part:
        spool = _spooled(part / "spool", edges, None if nodes is None else len(nodes))
        names = node_names(nodes if nodes is not None else met or None, spool.nodes)
        meta = _stored(part, spool, names, block)
        replaced = read_meta(target).part if (target / "meta.json").exists() else None
        meta.write(target)
    sweep_parts(target, part.name, replaced)
    return open_graph(target)


def _spooled(path: Path, edges: Iterable[Any], n: int | None) -> _Spool:
    """Write the edges to one file as they come, and look at what they are."""
    count, most, last, is_sorted, leads_on = 0, -1, 0, True, True
    with path.open("xb") as file:
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
            is_sorted = is_sorted and int(tails[0]) >= last and bool((tails[1:] >= tails[:-1]).all())
            leads_on = leads_on and bool((tails < heads).all())
            count, most, last = count + len(z), max(most, int(tails.max()), int(heads.max())), int(tails[-1])
            for k in range(0, len(z), _CHUNK):
                part = slice(k, k + _CHUNK)
                file.write(_together(tails[part], heads[part], z[part]).tobytes())
    return _Spool(path, count, most + 1 if n is None else n, is_sorted, leads_on)


def _stored(part: Path, spool: _Spool, nodes: Sequence[Any], block: int) -> Meta:
    """Write the arrays of the graph, and return what there is to say about them."""
    checksums: dict[str, int] = {}
    write_names(part, nodes, checksums)
    rank = None
    if not spool.leads_on:
        edges = _mapped(spool.path)
        rank = rows_of(nodes, np.array(edges["tail"]), np.array(edges["head"])).rank
        del edges
    if rank is not None:
        write_array(part, "rank", rank, checksums)
    out_degrees = np.zeros(len(nodes), np.int64)
    for edges in _chunks(spool.path, rank):
        low = int(edges["tail"].min())  # sorted edges touch few nodes at a time
        found = np.bincount(edges["tail"] - np.uint32(low))
        out_degrees[low : low + len(found)] += found
    firsts = _firsts(out_degrees, block)
    is_sorted = spool.is_sorted and rank is None
    counts: list[int] = []
    for b, rows in enumerate(
        _slices(spool.path, firsts, out_degrees) if is_sorted else _buckets(part, spool.path, firsts, rank)
    ):
        order = np.argsort(rows["tail"], kind="stable")
        indptr = np.concatenate([[0], np.cumsum(out_degrees[firsts[b] : firsts[b + 1]])]).astype("<u8")
        write_array(part, f"indptr-{b}", indptr, checksums)
        write_array(part, f"heads-{b}", rows["head"][order] - np.uint32(firsts[b]), checksums)
        write_array(part, f"derivatives-{b}", rows["z"][order], checksums)
        counts.append(len(rows))
    spool.path.unlink(missing_ok=True)
    return Meta(part.name, len(nodes), spool.edges, firsts, counts, checksums)


def _firsts(out_degrees: NDArray[np.int64], block: int) -> list[int]:
    """Return the first row of each block, and the number of rows at the end."""
    n, firsts, ends = len(out_degrees), [0], np.cumsum(out_degrees)
    while firsts[-1] < n:
        done = int(ends[firsts[-1] - 1]) if firsts[-1] else 0
        # The row with which the block is full; nodes without edges count as well, so that no block is all of them.
        full = int(np.searchsorted(ends, done + block)) + 1
        firsts.append(min(full, firsts[-1] + max(block, 1_000_000), n))
    return firsts


def _slices(path: Path, firsts: list[int], out_degrees: NDArray[np.int64]) -> Iterator[NDArray[Any]]:
    """Yield the edges of each block out of a file that is sorted by tail."""
    with path.open("rb") as file:
        for first, end in pairwise(firsts):
            yield np.fromfile(file, _EDGE, int(out_degrees[first:end].sum()))


def _buckets(part: Path, path: Path, firsts: list[int], rank: Index | None) -> Iterator[NDArray[Any]]:
    """Yield the edges of each block, after a pass that sorts them into a file for each."""
    paths = [part / f"bucket-{b}" for b in range(len(firsts) - 1)]
    for edges in _chunks(path, rank):
        of_block = np.searchsorted(firsts, edges["tail"], side="right") - 1
        order = np.argsort(of_block, kind="stable")
        ends = np.cumsum(np.bincount(of_block, minlength=len(paths)))
        for b, rows in enumerate(np.split(edges[order], ends[:-1])):
            if len(rows):
                with paths[b].open("ab") as file:
                    file.write(rows.tobytes())
    path.unlink()
    for bucket in paths:
        yield np.fromfile(bucket, _EDGE) if bucket.exists() else np.empty(0, _EDGE)
        bucket.unlink(missing_ok=True)


def _chunks(path: Path, rank: Index | None) -> Iterator[NDArray[Any]]:
    """Yield the edges of a file, a part at a time, with the rows of their ends."""
    with path.open("rb") as file:
        while len(edges := np.fromfile(file, _EDGE, _CHUNK)):
            yield edges if rank is None else _together(rank[edges["tail"]], rank[edges["head"]], edges["z"])


def _together(tails: NDArray[Any], heads: NDArray[Any], z: NDArray[Any]) -> NDArray[Any]:
    edges = np.empty(len(z), _EDGE)
    edges["tail"], edges["head"], edges["z"] = tails, heads, z
    return edges


def _mapped(path: Path) -> NDArray[Any]:
    return np.memmap(path, _EDGE, "r") if path.stat().st_size else np.empty(0, _EDGE)
