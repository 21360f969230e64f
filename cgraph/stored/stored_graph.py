"""A graph on disk and the questions it answers, a block of edges at a time."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from functools import cached_property
from pathlib import Path
from time import monotonic
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike

from cgraph.algorithms.compiled.compiled_graph import CompiledGraph
from cgraph.algorithms.compiled.edge_arrays import (
    Floats,
    Index,
    has_finite_sum,
    real_numbers,
    require_finite,
)
from cgraph.algorithms.compiled.simd import WIDTH
from cgraph.model.errors import CGraphError, NodeNotFound
from cgraph.model.graph import Node, list_of_nodes
from cgraph.model.linearized import overflow
from cgraph.model.tasks import in_order
from cgraph.stored.block_sweeps import loops
from cgraph.stored.blocks import BYTES_OF_EDGE, Blocks
from cgraph.stored.folder import Block, Meta, new_part, read_meta, read_names, read_rank, sweep_parts
from cgraph.stored.progress import Answer, new_array
from cgraph.stored.windows import columns_between, columns_by_a_worker

__all__ = ["StoredGraph", "open_graph"]

_TOGETHER = 100_000_000  # nodes and edges that the sweeps of one task go over: a tenth of a second
_NODES = 2**20  # whose S is put in order at a time
_SECONDS = 1.0  # between notes on how far a Jacobian has come


def open_graph(folder: str | os.PathLike[str]) -> StoredGraph:
    """Open a graph that `store_graph` wrote.

    Parameters
    ----------
    folder : path-like
        The folder. It is untrusted: nothing in it is executed, and every block is checked when it is first read.

    Returns
    -------
    StoredGraph

    Raises
    ------
    ArchiveError
        If the folder is damaged or of another version; the message names the file.
    OSError
        If there is no stored graph.

    Notes
    -----
    Reads the names and numbers of the nodes; the edges stay on disk.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from cgraph import store_graph
    >>> with TemporaryDirectory() as folder:
    ...     _ = store_graph(folder, [([0, 1], [1, 2], [2.0, 5.0])])
    ...     open_graph(folder).sensitivity(0, 2)
    10.0
    """
    path = Path(folder)
    return StoredGraph(path, read_meta(path))


@final
class StoredGraph:
    """A linearized graph in a folder; `store_graph` and `open_graph` make one.

    Parameters
    ----------
    folder : Path
        The folder.
    meta : Meta
        What its ``meta.json`` says.

    Notes
    -----
    In memory stand 8 bytes for each node, and what the system keeps of the files. The next block is read while one is
    swept. Every block is checked when it is read for the first time, and after its files were changed.
    """

    def __init__(self, folder: Path, meta: Meta) -> None:
        self.folder, self._meta = folder, meta
        self.nodes: Sequence[Any] = read_names(folder, meta)
        self._rank = read_rank(folder, meta)
        self._positions = None if isinstance(self.nodes, range) else {name: k for k, name in enumerate(self.nodes)}
        self._blocks = Blocks(folder, meta)

    def __len__(self) -> int:
        return self._meta.nodes

    def __repr__(self) -> str:
        return f"<StoredGraph of {len(self):,} nodes and {self.number_of_edges:,} edges in {str(self.folder)!r}>"

    @property
    def number_of_edges(self) -> int:
        """How many edges there are."""
        return self._meta.edges

    @property
    def number_of_blocks(self) -> int:
        """How many blocks of consecutive rows the edges are in."""
        return len(self._meta.counts)

    def sensitivities(
        self,
        t: Node,
        *,
        out: str | os.PathLike[str] | None = None,
        resume: bool = False,
        progress: Callable[[int, int], object] | None = None,
    ) -> Floats:
        """Return S(i,t) for every node i: one reverse sweep over the blocks.

        Parameters
        ----------
        t : node
            The node whose value is differentiated.
        out : path-like, optional
            A ``.npy`` file for S, in place of memory: for graphs whose nodes do not fit there. It is written as the sweep
            goes on, and whole when the call returns. If nodes were renumbered when the graph was stored, S is first swept in
            another file beside it, whose name ends in ``.rows``; it is removed when `out` is whole.
        resume : bool, default False
            Go on after the last block that a killed run with the same `out` has finished. Without such a run, begin.
        progress : function, optional
            Called after each block with the number of edges that were swept and the number of all edges.

        Returns
        -------
        ndarray of float64, shape (nodes,)
            Aligned with `nodes`; 0.0 where no path leads to `t`. With `out`, mapped to the file.

        Raises
        ------
        NodeNotFound
            If `t` is not in the graph.
        EvaluationError
            If a sensitivity overflows.
        ArchiveError
            If a block is damaged; the file is named.
        CGraphError
            If `resume` is asked for without `out`.

        Notes
        -----
        O(V + E): the time to read the files.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> from cgraph import store_graph
        >>> with TemporaryDirectory() as folder:
        ...     store_graph(folder, [([0, 1, 0], [1, 2, 2], [2.0, 5.0, 3.0])]).sensitivities(1)
        array([2., 1., 0.])
        """
        row_t = self._row(t)
        if out is None:
            _refuse_resume(resume=resume)
            S = np.zeros(len(self))
            S[row_t] = 1.0
            self._reverse(S, row_t, progress=progress)
            S = self._by_nodes(S)
        else:
            S = self._in_file(self._reverse_to_file, Path(out), row_t, resume=resume, progress=progress)
        self._refuse_overflow(S, lambda i: (i, t))
        return S

    def sensitivities_from(
        self,
        s: Node,
        *,
        out: str | os.PathLike[str] | None = None,
        resume: bool = False,
        progress: Callable[[int, int], object] | None = None,
    ) -> Floats:
        """Return S(s,i) for every node i: one forward sweep over the blocks.

        Parameters
        ----------
        s : node
            The node that is varied.
        out, resume, progress : optional
            As in `sensitivities`.

        Returns
        -------
        ndarray of float64, shape (nodes,)
            Aligned with `nodes`; 0.0 where no path leads from `s`.

        Raises
        ------
        CGraphError
            As `sensitivities`.

        Notes
        -----
        O(V + E). With `out`, the sweep records which blocks are done and what they have added to S of later nodes.
        Where this record would be larger than what was read, it is written after further blocks.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> from cgraph import store_graph
        >>> with TemporaryDirectory() as folder:
        ...     store_graph(folder, [([0, 1, 0], [1, 2, 2], [2.0, 5.0, 3.0])]).sensitivities_from(0)
        array([ 1.,  2., 13.])
        """
        row_s = self._row(s)
        if out is None:
            _refuse_resume(resume=resume)
            S = np.zeros(len(self))
            S[row_s] = 1.0
            self._forward(S, row_s, progress=progress)
            S = self._by_nodes(S)
        else:
            S = self._in_file(self._forward_to_file, Path(out), row_s, resume=resume, progress=progress)
        self._refuse_overflow(S, lambda i: (s, i))
        return S

    def sensitivity(self, s: Node, t: Node) -> float:
        """Return S(s,t) = dy(t)/dy(s); only the blocks from s to t are read.

        Parameters
        ----------
        s, t : node
            The node that is varied and the node whose value is differentiated.

        Returns
        -------
        float
            0.0 if no path leads from `s` to `t`.

        Raises
        ------
        CGraphError
            As `sensitivities`.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> from cgraph import store_graph
        >>> with TemporaryDirectory() as folder:
        ...     store_graph(folder, [([0, 1, 0], [1, 2, 2], [2.0, 5.0, 3.0])]).sensitivity(0, 2)
        13.0
        """
        row_s, row_t = self._row(s), self._row(t)
        if row_s > row_t:
            return 0.0
        S = np.zeros(len(self))
        S[row_t] = 1.0
        self._reverse(S, row_t, down_to=row_s)
        S_st = float(S[row_s])
        if not np.isfinite(S_st):
            raise overflow((s, t))
        return S_st

    def jacobian(
        self,
        sources: Sequence[Node],
        targets: Sequence[Node],
        *,
        executor: Executor | None = None,
        out: str | os.PathLike[str] | None = None,
        resume: bool = False,
    ) -> Floats:
        """Return the matrix of S(s,t), a row for each target and a column for each source.

        Parameters
        ----------
        sources, targets : sequence of nodes
            The nodes that are varied, and the nodes whose values are differentiated.
        executor : concurrent.futures.Executor, optional
            Where the sweeps run: a ``ProcessPoolExecutor``, or ``dask.distributed.Client(...).get_executor()`` where the folder has the
            same path on every machine. A task names the folder and eight nodes, or more of a small graph. The numbers do not
            depend on it.
        out : path-like, optional
            A ``.npy`` file for the matrix, in place of memory. It is written as groups are done.
        resume : bool, default False
            Go on after the last groups that a killed run with the same question and `out` has noted, about once a second.

        Returns
        -------
        ndarray of float64, shape (len(targets), len(sources))
            Numerator layout: row t is the gradient of y(t). With `out`, mapped to the file.

        Raises
        ------
        CGraphError
            As `sensitivities`, or if workers end before their tasks are done.

        Notes
        -----
        Forward if there are fewer sources, in reverse otherwise; each pass over the edges serves eight of them. It takes 64
        bytes for each node of a block and of those after it that edges up to there lead to; at most 64 for each node.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> from cgraph import store_graph
        >>> with TemporaryDirectory() as folder:
        ...     D = store_graph(folder, [([0, 0, 1], [2, 3, 3], [3.0, 2.0, 7.0])])
        ...     D.jacobian([0, 1], [2, 3])
        array([[3., 0.],
               [2., 7.]])
        """
        sources, targets = list_of_nodes(sources), list_of_nodes(targets)
        columns, rows = [self._row(s) for s in sources], [self._row(t) for t in targets]
        is_forward = len(sources) < len(targets)
        begins, ends = (columns, np.array(rows, np.intp)) if is_forward else (rows, np.array(columns, np.intp))
        shape = len(targets), len(sources)
        if out is None:
            _refuse_resume(resume=resume)
            J = np.empty(shape)
            for _ in self._fill_by_groups(J, begins, ends, 0, executor, is_forward=is_forward):
                pass
        else:
            asked = hashlib.sha256(json.dumps([columns, rows]).encode()).hexdigest()
            question = {"part": self._meta.part, "jacobian": asked}
            answer = Answer(Path(out), shape, question, range(len(begins) + 1), resume=resume)
            J, noted = answer.numbers, monotonic()
            for done in self._fill_by_groups(J, begins, ends, answer.place or 0, executor, is_forward=is_forward):
                if monotonic() - noted > _SECONDS:
                    answer.note(done)
                    noted = monotonic()
            J = answer.finish()
        if not has_finite_sum(J):
            for k, i in np.argwhere(~np.isfinite(J)).tolist():
                raise overflow((sources[i], targets[k]))
        return J

    def edge_sensitivities(self, s: Node, t: Node, *, out: str | os.PathLike[str] | None = None) -> Floats:
        """Return what flows from `s` to `t` through each edge: S(s,i) z(i,j) S(j,t).

        Parameters
        ----------
        s, t : node
            Both ends.
        out : path-like, optional
            A ``.npy`` file for the flows, in place of memory; it is whole when the call returns.

        Returns
        -------
        ndarray of float64, shape (edges,)
            Aligned with the edges of `edge_blocks`; 0.0 off every path.

        Raises
        ------
        CGraphError
            As `sensitivities`.

        Notes
        -----
        A sweep from each end, two more for what lies between, and a pass over the edges: O(V + E).

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> from cgraph import store_graph
        >>> with TemporaryDirectory() as folder:
        ...     store_graph(folder, [([0, 0, 1], [1, 2, 2], [2.0, 3.0, 5.0])]).edge_sensitivities(0, 2)
        array([10.,  3., 10.])
        """
        row_s, row_t = self._row(s), self._row(t)
        between = self._between(row_s, row_t)
        from_s, to_t = np.zeros(len(self)), np.zeros(len(self))
        from_s[row_s] = to_t[row_t] = 1.0
        self._forward(from_s, row_s)
        self._reverse(to_t, row_t)
        from_s[~between] = to_t[~between] = 0.0
        flow = np.zeros(self.number_of_edges) if out is None else new_array(Path(out), (self.number_of_edges,))
        begin = 0
        for b, block in self._blocks.in_turn(range(len(self._blocks))):
            first, end = self._meta.firsts[b : b + 2]
            part = flow[begin : begin + len(block.heads)]
            with np.errstate(over="ignore", invalid="ignore"):  # checked below
                np.multiply(to_t[first:][block.heads], block.derivatives, out=part)
                part *= np.repeat(from_s[first:end], np.diff(block.indptr).astype(np.int64))
            if not has_finite_sum(part):
                for e in np.flatnonzero(~np.isfinite(part)).tolist():
                    tail = int(np.searchsorted(block.indptr, e, side="right")) - 1
                    raise overflow((self._name(first + tail), self._name(first + int(block.heads[e]))), "flow")
            begin += len(block.heads)
        return flow

    def count_paths(self, s: Node, t: Node) -> int:
        """Return the number of paths from `s` to `t`, exactly.

        Parameters
        ----------
        s, t : node
            Both ends. From a node to itself there is one path, of no edges.

        Returns
        -------
        int
            Of any size.

        Raises
        ------
        NodeNotFound
            If `s` or `t` is not in the graph.

        Notes
        -----
        In floats as long as they are exact; past 2^53, the edges between both ends are taken into memory, 16 bytes each.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> from cgraph import store_graph
        >>> with TemporaryDirectory() as folder:
        ...     store_graph(folder, [([0, 1, 0], [1, 2, 2], [2.0, 5.0, 3.0])]).count_paths(0, 2)
        2
        """
        row_s, row_t = self._row(s), self._row(t)
        if row_s > row_t:
            return 0
        paths = np.zeros(len(self))
        paths[row_t] = 1.0
        self._reverse(paths, row_t, down_to=row_s, ones=True)
        if paths[row_s] < 2.0**53:  # sums of whole numbers below it are exact in floats
            return int(paths[row_s])
        return self._graph_between(row_s, row_t).count_paths(row_s, row_t)

    def top_paths(self, s: Node, t: Node, k: int = 5) -> list[tuple[tuple[Any, ...], float]]:
        """Return the `k` paths from `s` to `t` with the largest ``|product|``, the largest first.

        Parameters
        ----------
        s, t : node
            Both ends.
        k : int, default 5
            How many; fewer are returned if there are fewer.

        Returns
        -------
        list of (path, product)
            As `top_paths` of a graph in memory.

        Raises
        ------
        CGraphError
            As `sensitivities`, or if `k` is negative.

        Notes
        -----
        The edges between both ends are taken into memory, 32 bytes each.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> from cgraph import store_graph
        >>> with TemporaryDirectory() as folder:
        ...     store_graph(folder, [([0, 1, 0], [1, 2, 2], [2.0, -5.0, 3.0])]).top_paths(0, 2, k=1)
        [((0, 1, 2), -10.0)]
        """
        row_s, row_t = self._row(s), self._row(t)
        found = self._graph_between(row_s, row_t).top_paths(row_s, row_t, k)
        return [(tuple(self._name(row) for row in path), product) for path, product in found]

    def edge_blocks(self) -> Iterator[tuple[Index, Index, Floats]]:
        """Yield the edges, a block at a time: tails, heads and derivatives, as `store_graph` takes them.

        Yields
        ------
        tails, heads : ndarray of int
            Positions in `nodes`. The edges are sorted by the row of their tail; edges of one tail stand as given.
        derivatives : ndarray of float64
            The z of each edge.

        Raises
        ------
        ArchiveError
            If a block is damaged; the file is named.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> from cgraph import store_graph
        >>> with TemporaryDirectory() as folder:
        ...     D = store_graph(folder, [([1, 0], [2, 1], [5.0, 2.0])])
        ...     [z.tolist() for _, _, z in D.edge_blocks()]
        [[2.0, 5.0]]
        """
        order = self._order
        for b, block in self._blocks.in_turn(range(len(self._blocks))):
            tails, heads = self._ends(b, block)
            yield (
                (tails, heads, np.array(block.derivatives))
                if order is None
                else (order[tails], order[heads], np.array(block.derivatives))
            )

    def update(self, derivatives: Iterable[ArrayLike]) -> StoredGraph:
        """Store the graph with new derivatives; the structure stays.

        Parameters
        ----------
        derivatives : iterable of array_like of float
            Arrays of any lengths, one after the other aligned with the edges of `edge_blocks`.

        Returns
        -------
        StoredGraph
            The graph, opened again; this object can no longer be used.

        Raises
        ------
        CGraphError
            If there are more or fewer than edges, or not real numbers; the folder stays as it was.
        DerivativeError
            If a derivative is not finite; the edge is named, and the folder stays as it was.

        Notes
        -----
        O(E): 8 bytes for each edge are written.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> from cgraph import store_graph
        >>> with TemporaryDirectory() as folder:
        ...     D = store_graph(folder, [([0, 1], [1, 2], [2.0, 5.0])])
        ...     D.update([[3.0, 5.0]]).sensitivity(0, 2)
        15.0
        """
        meta, old = self._meta, self.folder / self._meta.part
        given = _regrouped(derivatives, meta.counts)
        with new_part(self.folder) as part:
            for b, z in enumerate(given):
                require_finite(z, lambda e, b=b: self._edge(b, e))  # type: ignore[misc]  # mypy does not infer what a default binds
                part.write(f"derivatives-{b}", z)
            for name, checksum in meta.checksums.items():
                if not name.startswith("derivatives-"):
                    part.take_over(old, name, checksum)
            part.become_graph(self.folder, meta.nodes, meta.firsts, meta.counts)
        self._blocks.mapped.clear()
        sweep_parts(self.folder, part.path.name, meta.part)
        return open_graph(self.folder)

    def _fill_by_groups(
        self, J: Floats, begins: list[int], ends: Index, done: int, executor: Executor | None, *, is_forward: bool
    ) -> Iterator[int]:
        """Fill the rows or columns of J that are not done, and yield how many are; some groups of eight are one task."""
        S = J if is_forward else J.T
        size = WIDTH
        sweep: Callable[..., Floats] = columns_between
        graph: tuple[Any, ...] = (self._blocks,)
        if executor is not None:
            sweep = columns_by_a_worker
            graph = str(self.folder.resolve()), self._meta.part, self._blocks.known
            size *= max(1, _TOGETHER // (len(self) + self.number_of_edges + 1))
        parts = range(done, len(begins), size)
        found = in_order(executor, sweep, ((*graph, begins[k : k + size], ends, is_forward) for k in parts))
        for k, part in zip(parts, found, strict=True):
            S[:, k : k + size] = part
            yield min(k + size, len(begins))

    def _reverse(
        self, S: Floats, last: int, *, down_to: int = 0, ones: bool = False,
        progress: Callable[[int, int], object] | None = None, done: Callable[[int], None] | None = None, top: int | None = None,
    ) -> None:  # fmt: skip
        """Sweep the blocks that hold the rows from `down_to` to `last`, the last first; `done` is told each."""
        highest = self._blocks.of_row(last) if top is None else top
        sweep, swept = loops()["reverse_block"], 0
        for b, block in self._blocks.in_turn(range(highest, self._blocks.of_row(down_to) - 1, -1)):
            z = np.ones(len(block.heads)) if ones else block.derivatives
            with np.errstate(over="ignore", invalid="ignore"):  # the caller looks for overflow
                sweep(block.indptr, block.heads, z, S[self._meta.firsts[b] :])
            if done is not None:
                done(b)
            swept += len(block.heads)
            if progress is not None:
                progress(swept, sum(self._meta.counts[: highest + 1]))

    def _forward(
        self, S: Floats, first: int, *, ones: bool = False, progress: Callable[[int, int], object] | None = None,
        done: Callable[[int, Block], None] | None = None,
    ) -> None:  # fmt: skip
        """Sweep the blocks from that of the row `first` to the last; `done` is told each."""
        sweep, swept, begin = loops()["forward_block"], 0, self._blocks.of_row(first)
        for b, block in self._blocks.in_turn(range(begin, len(self._meta.counts))):
            z = np.ones(len(block.heads)) if ones else block.derivatives
            with np.errstate(over="ignore", invalid="ignore"):
                sweep(block.indptr, block.heads, z, S[self._meta.firsts[b] :])
            if done is not None:
                done(b, block)
            swept += len(block.heads)
            if progress is not None:
                progress(swept, sum(self._meta.counts[begin:]))

    def _in_file(
        self,
        sweep: Callable[..., Answer],
        out: Path,
        row: int,
        *,
        resume: bool,
        progress: Callable[[int, int], object] | None,
    ) -> Floats:
        """Return S, aligned with the nodes, in a file; if they were renumbered, the rows are swept in another one before."""
        if self._rank is None:
            return sweep(out, row, resume=resume, progress=progress).finish()
        rows = out.with_name(f"{out.name}.rows")
        answer = sweep(rows, row, resume=resume, progress=progress)
        S = new_array(out, (len(self),))
        for k in range(0, len(S), _NODES):
            S[k : k + _NODES] = answer.numbers[self._rank[k : k + _NODES]]
        answer.finish()
        rows.unlink()
        return S

    def _reverse_to_file(
        self, out: Path, row_t: int, *, resume: bool, progress: Callable[[int, int], object] | None
    ) -> Answer:
        """Sweep the rows of S in a file, and note beside it which blocks are left."""
        question = {"part": self._meta.part, "to": row_t}
        answer = Answer(out, (len(self),), question, range(len(self._meta.firsts)), resume=resume)
        S, left = answer.numbers, answer.place
        if left is None:
            left = self._blocks.of_row(row_t) + 1
        else:
            S[: self._meta.firsts[left]] = 0.0  # the block that was left half done is swept again
        if row_t < self._meta.firsts[left]:
            S[row_t] = 1.0
        if left:
            self._reverse(S, row_t, progress=progress, done=answer.note, top=left - 1)
        return answer

    def _forward_to_file(
        self, out: Path, row_s: int, *, resume: bool, progress: Callable[[int, int], object] | None
    ) -> Answer:
        """Sweep the rows of S in a file, and note beside it which rows are done, and what they have added to later ones."""
        question = {"part": self._meta.part, "from": row_s}
        answer = Answer(out, (len(self),), question, self._meta.firsts, resume=resume)
        S = answer.numbers
        if answer.place is None:
            first, reach = row_s, row_s + 1
            S[row_s] = 1.0
        else:
            first, reach = answer.place, answer.place + len(answer.pending)
            S[first:reach] = answer.pending
            S[reach:] = 0.0
        unnoted = 0

        def done(b: int, block: Block) -> None:
            nonlocal reach, unnoted
            begin, end = self._meta.firsts[b : b + 2]
            reach = max(reach, end, begin + 1 + int(block.heads.max(initial=0)))
            unnoted += len(block.heads)
            if BYTES_OF_EDGE * unnoted >= S.itemsize * (reach - end):
                answer.note(end, S[end:reach])
                unnoted = 0

        if first < len(self):
            self._forward(S, first, progress=progress, done=done)
        return answer

    def _between(self, row_s: int, row_t: int) -> Any:
        """Return whether each row lies on a path from s to t."""
        paths_to, paths_from = np.zeros(len(self)), np.zeros(len(self))
        paths_to[row_s] = paths_from[row_t] = 1.0
        self._forward(paths_to, row_s, ones=True)
        self._reverse(paths_from, row_t, ones=True)
        return (paths_to > 0) & (paths_from > 0)

    def _graph_between(self, row_s: int, row_t: int) -> CompiledGraph:
        """Return the edges on paths from s to t in memory, the nodes named by their rows."""
        between = self._between(row_s, row_t)
        kept: list[tuple[Any, ...]] = []
        for b, block in self._blocks.in_turn(range(self._blocks.of_row(row_s), self._blocks.of_row(row_t) + 1)):
            tails, heads = self._ends(b, block)
            inside = between[tails] & between[heads]
            kept.append((tails[inside], heads[inside], block.derivatives[inside]))
        rows = np.unique(np.concatenate([np.flatnonzero(between), [row_s, row_t]]))
        tails, heads, z = (
            (np.concatenate(parts) for parts in zip(*kept, strict=True)) if kept else (np.empty(0, int),) * 3
        )
        return CompiledGraph.from_edges(
            np.searchsorted(rows, tails), np.searchsorted(rows, heads), z, nodes=rows.tolist()
        )

    def _ends(self, b: int, block: Block) -> tuple[Index, Index]:
        """Return the rows of the tails and heads of a block."""
        first, end = self._meta.firsts[b : b + 2]
        tails = np.repeat(np.arange(first, end), np.diff(block.indptr).astype(np.int64))
        return tails, block.heads.astype(np.int64) + first

    def _edge(self, b: int, e: int) -> tuple[Any, Any]:
        tails, heads = self._ends(b, self._blocks[b])
        return self._name(int(tails[e])), self._name(int(heads[e]))

    @cached_property
    def _order(self) -> Index | None:
        """The node of each row; None if they have the same numbers."""
        return None if self._rank is None else np.argsort(self._rank)

    def _name(self, row: int) -> Any:
        return self.nodes[row if self._order is None else int(self._order[row])]

    def _row(self, node: Node) -> int:
        """Return the row of `node`, or raise `NodeNotFound`."""
        k = node if self._positions is None else self._positions.get(node)
        if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 0 <= k < len(self):
            raise NodeNotFound(node, self.nodes)
        return int(k) if self._rank is None else int(self._rank[k])

    def _by_nodes(self, S: Floats) -> Floats:
        return S if self._rank is None else S[self._rank]

    def _refuse_overflow(self, S: Floats, ends: Callable[[Any], tuple[Any, Any]]) -> None:
        if not has_finite_sum(S):
            for k in np.flatnonzero(~np.isfinite(S)).tolist():
                raise overflow(ends(self.nodes[k]))


def _refuse_resume(*, resume: bool) -> None:
    """Raise if there is no file to go on from."""
    if resume:
        raise CGraphError("what is resumed goes on from its file; give out=, the same as before")


def _regrouped(derivatives: Iterable[ArrayLike], counts: list[int]) -> Iterator[Floats]:
    """Yield the numbers of arrays of any lengths in arrays of these lengths."""
    held, length = [], 0
    arrays = iter(derivatives)
    for count in counts:
        while length < count:
            try:
                held.append(real_numbers(next(arrays), "derivatives"))
            except StopIteration:
                raise CGraphError(
                    f"fewer derivatives were given than the {sum(counts)} edges; give one for each"
                ) from None
            length += len(held[-1])
        together = np.concatenate(held) if held else np.empty(0)
        yield together[:count]
        held, length = [together[count:]], length - count
    if length or any(np.size(rest) for rest in arrays):
        raise CGraphError(f"more derivatives were given than the {sum(counts)} edges; give one for each")
