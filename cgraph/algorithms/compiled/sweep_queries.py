"""Questions about the derivatives on the edges: sensitivities, Jacobians, flows, paths."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cgraph.algorithms.compiled.edge_arrays import Floats, Index, has_finite_sum, real_numbers, require_finite
from cgraph.algorithms.compiled.ordering import Layout
from cgraph.algorithms.compiled.simd import WIDTH
from cgraph.algorithms.compiled.strongest_paths import count_paths, lie_between, strongest_paths
from cgraph.algorithms.elimination.plans import JacobianPlan
from cgraph.algorithms.paths import require_count
from cgraph.model.errors import CGraphError, MissingDerivativeError
from cgraph.model.graph import Node, list_of_nodes
from cgraph.model.linearized import compose, finished, overflow
from cgraph.model.tasks import in_order

__all__ = ["EdgeDerivatives"]

_TOGETHER = 2**25  # nodes and edges that the passes of one task go over: about a tenth of a second


class EdgeDerivatives:
    """The derivatives on the edges of a compiled graph, and the questions that they answer.

    Parameters
    ----------
    layout : Layout
        The nodes and the edges.
    derivatives : ndarray of float64, shape (edges,), or None
        The z of each edge, if they are known.
    """

    def __init__(self, layout: Layout, derivatives: Floats | None) -> None:
        if derivatives is not None:
            require_finite(derivatives, layout.edge)
        self._layout = layout
        self._derivatives = None if derivatives is None else layout.in_rows(derivatives)
        self._plans: dict[tuple[Any, ...], JacobianPlan] = {}

    @property
    def nodes(self) -> Sequence[Any]:
        """The names of the nodes, in the order of every array that is aligned with them."""
        return self._layout.nodes

    @property
    def number_of_edges(self) -> int:
        """How many edges there are."""
        return len(self._layout.sweeps.heads)

    def edge_arrays(self) -> tuple[Index, Index, Floats]:
        """Return the edges as arrays: tails, heads and derivatives.

        Returns
        -------
        tails, heads : ndarray of int, shape (edges,)
            Positions in `nodes`.
        derivatives : ndarray of float64, shape (edges,)
            The z of each edge. All three as `CompiledGraph.from_edges` takes them, aligned with the edges as given.

        Raises
        ------
        MissingDerivativeError
            If the edges hold no derivatives, because the graph is one of equations.

        Notes
        -----
        O(E).

        Examples
        --------
        >>> from cgraph import CompiledGraph
        >>> CompiledGraph.from_edges([0, 1], [1, 2], [2.0, 5.0]).edge_arrays()[2]
        array([2., 5.])
        """
        tails, heads = self._layout.ends()
        return tails, heads, self._layout.as_given(self._z).copy()

    def update(self, derivatives: ArrayLike) -> None:
        """Put new derivatives on the edges; the structure stays.

        Parameters
        ----------
        derivatives : array_like of float, shape (edges,)
            Aligned with the edges as they were given, or with ``L.edges``.

        Raises
        ------
        CGraphError
            If there are more or fewer than edges, or not real numbers; the graph stays as it was.
        DerivativeError
            If a derivative is not finite; the edge is named, and the graph stays as it was.

        Notes
        -----
        O(E), without the search for an order that `compile_graph` and `from_edges` make.

        Examples
        --------
        >>> from cgraph import CompiledGraph
        >>> C = CompiledGraph.from_edges([0, 1], [1, 2], [2.0, 5.0])
        >>> C.update([3.0, 5.0])
        >>> C.sensitivity(0, 2)
        15.0
        """
        z = real_numbers(derivatives, "derivatives")
        if len(z) != self.number_of_edges:
            raise CGraphError(f"{len(z)} derivatives were given for {self.number_of_edges} edges; give one for each")
        require_finite(z, self._layout.edge)
        self._derivatives = self._layout.in_rows(z)

    def sensitivities(self, t: Node) -> Floats:
        """Return S(i,t) for every node i: one reverse sweep.

        Parameters
        ----------
        t : node
            The node whose value is differentiated.

        Returns
        -------
        ndarray of float64, shape (nodes,)
            Aligned with `nodes`; 0.0 where no path leads to `t`.

        Raises
        ------
        NodeNotFound
            If `t` is not in the graph.
        EvaluationError
            If a sensitivity overflows.

        Notes
        -----
        O(V + E), limited by how fast the edges come from memory.

        Examples
        --------
        >>> from cgraph import CompiledGraph
        >>> CompiledGraph.from_edges([0, 1, 0], [1, 2, 2], [2.0, 5.0, 3.0]).sensitivities(1)
        array([2., 1., 0.])
        """
        return self._reverse([t])[:, 0]

    def sensitivities_from(self, s: Node) -> Floats:
        """Return S(s,i) for every node i: one forward sweep.

        Parameters
        ----------
        s : node
            The node that is varied.

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
        O(V + E).

        Examples
        --------
        >>> from cgraph import CompiledGraph
        >>> CompiledGraph.from_edges([0, 1, 0], [1, 2, 2], [2.0, 5.0, 3.0]).sensitivities_from(0)
        array([ 1.,  2., 13.])
        """
        return self._forward([s])[:, 0]

    def sensitivity(self, s: Node, t: Node) -> float:
        """Return S(s,t) = dy(t)/dy(s).

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

        Notes
        -----
        One reverse sweep, O(V + E).

        Examples
        --------
        >>> from cgraph import CompiledGraph
        >>> CompiledGraph.from_edges([0, 1, 0], [1, 2, 2], [2.0, 5.0, 3.0]).sensitivity(0, 2)
        13.0
        """
        row_s, row_t = self._layout.rows(s), self._layout.rows(t)
        # What overflows off the paths from s to t does not reach S(s,t), and is no error here.
        S, _ = self._layout.sweeps.reverse(self._z, row_t)
        S_st: float = S[row_s, 0].item()
        if not math.isfinite(S_st):
            raise overflow((s, t))
        return S_st

    def jacobian(
        self,
        sources: Sequence[Node],
        targets: Sequence[Node],
        *,
        order: str | Sequence[Node] | None = None,
        executor: Executor | None = None,
    ) -> Floats:
        """Return the matrix of S(s,t), a row for each target and a column for each source.

        Parameters
        ----------
        sources, targets : sequence of nodes
            The nodes that are varied, and the nodes whose values are differentiated.
        order : str or sequence of nodes, optional
            By elimination instead of sweeps: a method of `elimination_order`, or an order that it found before. What
            it costs to find and to record the order is paid once: after `update`, the same question takes the
            multiplications and additions alone.
        executor : concurrent.futures.Executor, optional
            Who sweeps, without `order`: the graph is sent to the workers once, a task is a group of targets or sources. The
            numbers do not depend on it.

        Returns
        -------
        ndarray of float64, shape (len(targets), len(sources))
            Numerator layout: row t is the gradient of y(t).

        Raises
        ------
        CGraphError
            As `sensitivities`; if workers end before their tasks are done, or both `order` and `executor` are given.

        Notes
        -----
        Forward if there are fewer sources, in reverse otherwise; each pass over the edges serves eight of them, and
        takes 64 bytes for each node.

        Examples
        --------
        >>> from cgraph import CompiledGraph
        >>> C = CompiledGraph.from_edges([0, 0, 1], [2, 3, 3], [3.0, 2.0, 7.0])
        >>> C.jacobian([0, 1], [2, 3])
        array([[3., 0.],
               [2., 7.]])
        """
        sources, targets = list_of_nodes(sources), list_of_nodes(targets)
        columns, rows = self._layout.positions(sources), self._layout.positions(targets)
        if order is not None:
            if executor is not None:
                raise CGraphError("an elimination is one task, and sweeps are many: give order or executor, not both")
            return self._plan(sources, targets, order).jacobian(self._layout.as_given(self._z))
        J = np.empty((len(targets), len(sources)))
        is_forward = len(sources) < len(targets)
        S, begins, ends = (J, sources, rows) if is_forward else (J.T, targets, columns)
        blocks = _blocks(len(begins), WIDTH * max(1, _TOGETHER // (len(self.nodes) + self.number_of_edges + 1)))
        tasks = ((begins[block], ends, is_forward) for block in blocks)
        for block, part in zip(blocks, in_order(executor, _columns, tasks, about=self), strict=True):
            S[:, block] = part
        return J

    def edge_sensitivities(self, s: Node, t: Node) -> Floats:
        """Return what flows from `s` to `t` through each edge: S(s,i) z(i,j) S(j,t).

        Parameters
        ----------
        s, t : node
            Both ends.

        Returns
        -------
        ndarray of float64, shape (edges,)
            Aligned with the edges as they were given; 0.0 off every path.

        Raises
        ------
        CGraphError
            As `sensitivities`.

        Notes
        -----
        A sweep from each end, and two more for what lies between: O(V + E).

        Examples
        --------
        >>> from cgraph import CompiledGraph
        >>> CompiledGraph.from_edges([0, 1, 0], [1, 2, 2], [2.0, 5.0, 3.0]).edge_sensitivities(0, 2)
        array([10., 10.,  3.])
        """
        row_s, row_t = self._layout.rows(s), self._layout.rows(t)
        between = lie_between(self._layout.sweeps, row_s, row_t)
        from_s = np.where(between, self._layout.sweeps.forward(self._z, row_s)[0][:, 0], 0.0)
        to_t = np.where(between, self._layout.sweeps.reverse(self._z, row_t)[0][:, 0], 0.0)
        with np.errstate(over="ignore", invalid="ignore"):  # checked below
            flow = to_t[self._layout.sweeps.heads]
            flow *= self._z
            flow *= np.repeat(from_s, np.diff(self._layout.sweeps.indptr))
        flow = self._layout.as_given(flow)
        if not has_finite_sum(flow):
            _refuse_overflow(flow, lambda e: ("flow", self._layout.edge(e)))
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
        The reverse sweep with every z = 1, in floats: whole numbers below 2^53 and their sums are exact there. A
        larger number is counted again in integers of its length.

        Examples
        --------
        >>> from cgraph import CompiledGraph
        >>> CompiledGraph.from_edges([0, 1, 0], [1, 2, 2], [2.0, 5.0, 3.0]).count_paths(0, 2)
        2
        """
        row_s, row_t = self._layout.rows(s), self._layout.rows(t)
        return count_paths(self._layout.sweeps, row_s, row_t)

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
            As `top_paths` of the graph.

        Raises
        ------
        CGraphError
            As `sensitivities`, or if `k` is negative.

        Notes
        -----
        One sweep of maxima over the arrays, then the search of `top_paths`, which looks at the edges along the
        paths that it finds.

        Examples
        --------
        >>> from cgraph import CompiledGraph
        >>> CompiledGraph.from_edges([0, 1, 0], [1, 2, 2], [2.0, -5.0, 3.0]).top_paths(0, 2, k=1)
        [((0, 1, 2), -10.0)]
        """
        require_count(k)
        layout, z = self._layout, self._z
        row_s, row_t = layout.rows(s, t).tolist()
        paths = []
        for slots in strongest_paths(layout.sweeps, z, row_s, row_t, k):
            path = (s, *layout.names(layout.sweeps.heads[slots]))
            product = reduce(compose, z[slots].tolist(), 1.0)
            paths.append((path, finished({path: product}, "product")[0]))
        return paths

    @property
    def _z(self) -> Floats:
        """The derivatives in the order of the rows."""
        if self._derivatives is None:
            raise MissingDerivativeError(
                "the edges hold no derivatives: the graph was compiled from its equations; compile linearize(G), "
                "or ask for gradient()"
            )
        return self._derivatives

    def _plan(self, sources: list[Node], targets: list[Node], order: str | Sequence[Node]) -> JacobianPlan:
        """Return the recorded elimination, which depends on the structure alone and so outlives `update`."""
        key = (tuple(sources), tuple(targets), order if isinstance(order, str) else tuple(order))
        if key not in self._plans:
            tails, heads = ([self.nodes[i] for i in ends.tolist()] for ends in self._layout.ends())
            self._plans[key] = JacobianPlan(list(zip(tails, heads, strict=True)), sources, targets, order, self.nodes)
        return self._plans[key]

    def _reverse(self, targets: Sequence[Node]) -> Floats:
        """Return S(i,t), shape (nodes, targets), aligned with the nodes."""
        S, is_finite = self._layout.sweeps.reverse(self._z, self._layout.rows(*targets))
        S = self._layout.by_nodes(S)
        if not is_finite:
            _refuse_overflow(S, lambda k, column: ("S", (self.nodes[k], targets[column])))
        return S

    def _forward(self, sources: Sequence[Node]) -> Floats:
        """Return S(s,i), shape (nodes, sources), aligned with the nodes."""
        S, is_finite = self._layout.sweeps.forward(self._z, self._layout.rows(*sources))
        S = self._layout.by_nodes(S)
        if not is_finite:
            _refuse_overflow(S, lambda k, column: ("S", (sources[column], self.nodes[k])))
        return S


def _refuse_overflow(S: Floats, place: Callable[..., tuple[str, tuple[Any, ...]]]) -> None:
    """Raise `EvaluationError` if any of `S` is not finite; ``place(*index)`` says what it is, and its nodes."""
    wrong = np.argwhere(~np.isfinite(S))
    if len(wrong):  # none, if only the sum overflowed
        what, nodes = place(*wrong[0].tolist())
        raise overflow(nodes, what)


def _columns(graph: EdgeDerivatives, begins: list[Node], ends: Index, is_forward: bool) -> Floats:
    """Return S at the positions `ends`, a column for each of the nodes where sweeps begin: a part of a Jacobian."""
    sweep = graph._forward if is_forward else graph._reverse  # noqa: SLF001 - of the class above
    return np.concatenate([sweep(begins[group])[ends] for group in _blocks(len(begins), WIDTH)], axis=1)


def _blocks(n: int, size: int) -> list[slice]:
    return [slice(k, k + size) for k in range(0, n, size)]
