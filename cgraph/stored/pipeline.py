"""Many targets of one stored graph on Dask: a task is one block for eight targets, and S of the cut below it travels on."""

# ruff: noqa: SLF001 - a part of StoredGraph that few need

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from cgraph.algorithms.compiled.edge_arrays import Floats, Index, has_finite_sum, whole_lines
from cgraph.algorithms.compiled.simd import WIDTH
from cgraph.model.errors import CGraphError
from cgraph.model.graph import Node, list_of_nodes
from cgraph.model.linearized import overflow
from cgraph.model.optional import optional_library
from cgraph.model.tasks import losses_named
from cgraph.stored.block_sweeps import loops
from cgraph.stored.blocks import opened_blocks
from cgraph.stored.stored_graph import StoredGraph, open_graph

__all__ = ["dask_jacobian"]

_GROUPS = 32  # of eight targets, that are swept at a time


def dask_jacobian(
    D: StoredGraph,
    sources: Sequence[Node],
    targets: Sequence[Node],
    client: Any,
    *,
    workers: Sequence[str | Sequence[str]] | None = None,
    as_dask: bool = False,
) -> Any:
    """Return the matrix of S(s,t) of a stored graph, block by block on a cluster of Dask.

    Parameters
    ----------
    D : StoredGraph
        The graph. Its folder has the same path on every machine; the files of a block are needed only where it is
        swept.
    sources, targets : sequence of nodes
        The nodes that are varied, and the nodes whose values are differentiated.
    client : dask.distributed.Client
        The cluster.
    workers : sequence of str or of sequences of str, optional
        For each block the address of the worker that has it, or the addresses of several; without it, all workers have
        all blocks.
    as_dask : bool, default False
        Return a ``dask.array`` whose rows stay on the workers, eight targets to a chunk.

    Returns
    -------
    ndarray or dask.array of float64, shape (len(targets), len(sources))
        To the last bit what `StoredGraph.jacobian` returns, if there are at least as many sources as targets.

    Raises
    ------
    NodeNotFound
        If a node is not in the graph.
    EvaluationError
        If a sensitivity overflows; with `as_dask`, when it is computed.
    CGraphError
        If `workers` is not one entry for each block, or the workers end before their tasks are done.
    ExtraMissingError
        If Dask is not installed (extra ``scale``).

    See Also
    --------
    StoredGraph.jacobian : on any pool of workers; a task goes over all blocks.

    Notes
    -----
    Always in reverse. While one group of eight targets goes through a block, the next one goes through the block above. From
    block to block travel 64 bytes for each row that edges of blocks below lead to: few, if edges are short. Without `as_dask`, 32
    groups are swept at a time. Before all, the heads of all edges are read once.

    ``workers=["tcp://a:4000", "tcp://b:4000"]`` computes block 0 on the first machine and block 1 on the second, where their
    files are.
    """
    sources, targets = list_of_nodes(sources), list_of_nodes(targets)
    columns, rows = [D._row(s) for s in sources], [D._row(t) for t in targets]
    places = _places(D, workers)
    groups = [slice(k, k + WIDTH) for k in range(0, len(rows), WIDTH)]
    with losses_named():
        cuts = _cuts(D, client, places)
        parts = (_submitted(D, client, rows[group], columns, cuts, places) for group in groups)
        if as_dask:
            return _array(list(parts), [len(rows[group]) for group in groups], len(columns))
        J = np.empty((len(rows), len(columns)))
        for group, part in zip(groups, _some_at_a_time(parts), strict=True):
            J[group] = part.result()
    return J


def _places(D: StoredGraph, workers: Sequence[str | Sequence[str]] | None) -> list[list[str] | None]:
    """Return the workers that may sweep each block; None if all may."""
    blocks = D.number_of_blocks
    if workers is None:
        return [None] * blocks
    if isinstance(workers, str) or len(workers) != blocks:
        found = "one name" if isinstance(workers, str) else f"{len(workers)}"
        raise CGraphError(f"workers= has {found}, and the graph {blocks} blocks; name the workers of each block")
    return [[one] if isinstance(one, str) else list(one) for one in workers]


def _place(D: StoredGraph) -> tuple[str, str]:
    """Return what tasks name in place of the graph."""
    return str(D.folder.resolve()), D._meta.part


def _cuts(D: StoredGraph, client: Any, places: list[list[str] | None]) -> list[int]:
    """Return for each block, and for the end, the row up to which edges of blocks below it lead."""
    place = _place(D)
    ends = [client.submit(_end_of, *place, b, workers=places[b], pure=False) for b in range(len(places))]
    return list(accumulate([0, *(end.result() for end in ends)], max))


def _end_of(folder: str, part: str, b: int) -> int:
    """Return the row after the last one that an edge of a block leads to."""
    return opened_blocks(folder, part).reach(b)


class _Cut(NamedTuple):
    """What a block hands on: S of the rows after it that edges below lead to, and S at the sources so far."""

    S: Floats
    found: Floats


def _submitted(
    D: StoredGraph, client: Any, group: list[int], columns: list[int], cuts: list[int], places: list[list[str] | None]
) -> Any:
    """Return the future of the rows of a few targets: a chain of tasks, from the block of the last target to the first source."""
    place, firsts = _place(D), D._meta.firsts
    top, bottom = D._blocks.of_row(max(group)), D._blocks.of_row(min(columns, default=len(D)))
    cut: Any = _Cut(np.empty((0, WIDTH)), np.zeros((len(columns), WIDTH)))
    for b in range(top, bottom - 1, -1):
        here = [(k, s - firsts[b]) for k, s in enumerate(columns) if firsts[b] <= s < firsts[b + 1]]
        cut = client.submit(_swept, *place, b, cuts[b : b + 2], cut, group, here, workers=places[b], pure=False)
    return client.submit(_rows, *place, cut, group, np.array(columns, np.intp), pure=False)


def _swept(
    folder: str, part: str, b: int, cuts: list[int], above: _Cut, group: list[int], here: list[tuple[int, int]]
) -> _Cut:
    """Sweep one block for a few targets; `here` are the sources in it, each with its row in the block."""
    blocks = opened_blocks(folder, part)
    block = blocks[b]
    first, end = blocks.meta.firsts[b : b + 2]
    S = whole_lines(max(end, cuts[1]) - first, WIDTH)
    S.fill(0.0)
    S[end - first : end - first + len(above.S)] = above.S
    for lane, t in enumerate(group):
        if first <= t < end:
            S[t - first, lane] = 1.0
    with np.errstate(over="ignore", invalid="ignore"):  # looked for in the end
        loops()["reverse_block"](block.indptr, block.heads, block.derivatives, S)
    found = above.found.copy()
    for k, row in here:
        found[k] = S[row]
    return _Cut(S[: max(cuts[0] - first, 0)].copy(), found)


def _rows(folder: str, part: str, cut: _Cut, group: list[int], columns: Index) -> Floats:
    """Return the rows of the Jacobian, or raise where one of its entries overflows."""
    J = np.ascontiguousarray(cut.found[:, : len(group)].T)
    if not has_finite_sum(J):
        opened_blocks(folder, part)  # raises if the folder holds another graph by now
        D = open_graph(folder)
        for k, i in np.argwhere(~np.isfinite(J)).tolist():
            raise overflow((D._name(columns[i]), D._name(group[k])))
    return J


def _some_at_a_time(parts: Iterator[Any]) -> Iterator[Any]:
    """Yield futures in order, a few of which run."""
    waiting: deque[Any] = deque()
    for part in parts:
        waiting.append(part)
        if len(waiting) >= _GROUPS:
            yield waiting.popleft()
    yield from waiting


def _array(parts: list[Any], heights: list[int], width: int) -> Any:
    """Return the rows that futures stand for as one array of Dask."""
    da = optional_library("dask.array", "scale")
    if not parts:
        return da.zeros((0, width))
    of_parts = zip(parts, heights, strict=True)
    return da.concatenate([da.from_delayed(part, (height, width), np.float64) for part, height in of_parts])
