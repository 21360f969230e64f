"""A linearized graph frozen into arrays, for graphs of millions of edges.

The nodes are numbered in topological order and the edges sorted by tail (compressed sparse rows), so that

    S(t,t) = 1,      S(i,t) = sum over edges (i,j) of S(j,t) z(i,j)

is one pass over two arrays, from the row of t upwards. The sweeps over dicts stay the reference; their numbers
and these are the same to rounding.
"""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property
from numbers import Real
from typing import Any, Self, final

import networkx as nx
import numpy as np
from numpy.typing import ArrayLike, NDArray

from cgraph.algorithms.archives import array_of_names, names_of_array, read_arrays, write_arrays
from cgraph.algorithms.arrays import node_names, real_numbers, require_ends, require_finite, whole_numbers
from cgraph.algorithms.elimination.plans import JacobianPlan
from cgraph.algorithms.kernels import COLUMNS, Floats, Index, compiled, has_finite_sum, is_loaded
from cgraph.algorithms.linearized import edge_derivative, finite, require_digraph
from cgraph.algorithms.paths import LOG_OF_ZERO, Way, require_count, strongest_first
from cgraph.algorithms.rows import rows_of
from cgraph.algorithms.tape import Tape, holds_equations
from cgraph.model.errors import (
    ArchiveError,
    CGraphError,
    DerivativeError,
    EvaluationError,
    MissingDerivativeError,
    NodeNotFound,
)
from cgraph.model.graph import ComputationalGraph, Node

__all__ = ["CompiledGraph", "compile_graph", "compile_if_it_pays"]

_FORMAT = 1
# From how many edges compiling pays, if numba is loaded; and how many edges times sweeps pay for loading it.
FEWEST_EDGES = 1000
FEWEST_TO_LOAD = 5_000_000
_EXACT = 2.0**53  # sums of whole numbers below it are exact in floats


def compile_graph(L: nx.DiGraph[Any], *, derivative: str = "derivative") -> CompiledGraph:
    """Freeze a linearized graph, or the equations and neurons of one that is not, into arrays.

    Parameters
    ----------
    L : networkx.DiGraph
        Acyclic; edge (i, j) holds z(i,j) = dy(j)/dy(i), a real number. Or a ComputationalGraph of equations and
        neurons, whose edges hold no derivatives yet. Not modified, and not referred to later.
    derivative : str, default "derivative"
        The edge attribute that holds z.

    Returns
    -------
    CompiledGraph
        Its nodes and edges stand in the order of ``L.nodes`` and ``L.edges``. If the edges hold derivatives it
        answers what the linearized graph does; made of equations and neurons it has
        `CompiledGraph.evaluate`, `CompiledGraph.gradient` and `CompiledGraph.weight_gradients`.

    Raises
    ------
    MissingDerivativeError, DerivativeError
        If an edge holds no derivative, or one that is not a finite real number.
    CycleError
        If `L` has a cycle.

    See Also
    --------
    CompiledGraph.from_edges : the same from arrays, without networkx.

    Notes
    -----
    O(V + E), one walk over the adjacency; less than one of the sweeps over dicts.

    Examples
    --------
    >>> G = nx.DiGraph()
    >>> G.add_weighted_edges_from([("x", "a", 2.0), ("a", "y", 5.0), ("x", "y", 3.0)], "derivative")
    >>> C = compile_graph(G)
    >>> C.nodes, C.sensitivities("y")  # S(x,y) = 5*2 along x-a-y, plus 3 along x-y
    (('x', 'a', 'y'), array([13.,  5.,  1.]))
    """
    require_digraph(L)
    degrees, heads, values = _edges(L, derivative)
    if isinstance(L, ComputationalGraph) and all(z is None for z in values) and holds_equations(L):
        return _frozen(tuple(L), degrees, heads, None, Tape(L))
    if not _are_floats(values):
        z = edge_derivative(L, derivative)
        values = [_real(z(i, j), i, j, derivative) for i, j in L.edges]
    return _frozen(tuple(L), degrees, heads, values)


def compile_if_it_pays(G: nx.DiGraph[Any], sweeps: int, derivative: str) -> CompiledGraph | None:
    """Return `G` compiled if so many sweeps take less time that way and give the same; otherwise None.

    The sweeps over dicts take 300 to 1500 ns for each edge, compiling takes 110 to 370; the first use of numba
    takes a second. Numbers that are not floats would not stay what they are; and what is wrong with a graph,
    the sweeps over dicts say.
    """
    edges = G.number_of_edges()
    if edges < FEWEST_EDGES or (edges * sweeps < FEWEST_TO_LOAD and not is_loaded()):
        return None
    degrees, heads, values = _edges(G, derivative)
    try:
        compiled()
        return _frozen(tuple(G), degrees, heads, values) if _are_floats(values) else None
    except (ImportError, CGraphError):
        return None


@final
class CompiledGraph:
    """The arrays of a linearized graph and the questions they answer.

    `compile_graph`, `from_edges` and `load` make one. What is one number for each node comes as an array aligned
    with `nodes`, what is one number for each edge as an array aligned with the edges as they were given.

    Parameters
    ----------
    nodes : sequence of hashable
        The names of the nodes.
    tails, heads : ndarray of uint32, shape (edges,)
        The ends of the edges, as positions in `nodes`.
    derivatives : ndarray of float64, shape (edges,), or None
        The z of each edge, if they are known.
    tape : Tape, optional
        The equations, if there are any.

    Notes
    -----
    16 bytes for each edge at most (12 if the edges come sorted by tail), and 4 to 12 for each node. The sweeps
    are loops compiled by numba, if that is installed (extra ``fast``), and else NumPy operations on one level of
    the graph at a time, which are slow where a graph is deep.
    """

    def __init__(
        self,
        nodes: Sequence[Any],
        tails: Index,
        heads: Index,
        derivatives: Floats | None,
        tape: Tape | None = None,
    ) -> None:
        if derivatives is not None:
            require_finite(derivatives, lambda e: (nodes[tails[e]], nodes[heads[e]]))
        self._nodes = nodes
        # No dict for plain numbers, which are their own positions.
        self._positions: dict[Any, int] | None = None
        if not isinstance(nodes, range):
            self._positions = dict(zip(nodes, range(len(nodes)), strict=True))
        self._rank, self._slots, self._sweeps = rows_of(nodes, tails, heads)
        self._derivatives = None if derivatives is None else self._in_rows(derivatives)
        self._tape = tape
        self._plans: dict[tuple[Any, ...], JacobianPlan] = {}

    @classmethod
    def from_edges(
        cls, sources: ArrayLike, targets: ArrayLike, derivatives: ArrayLike, *, nodes: Sequence[Any] | None = None
    ) -> Self:
        """Make a compiled graph from three arrays.

        Parameters
        ----------
        sources, targets : array_like of int, shape (edges,)
            The tail and the head of each edge: positions in `nodes`.
        derivatives : array_like of float, shape (edges,)
            The derivative z of each edge.
        nodes : sequence of hashable, optional
            The names of the nodes; without it, the numbers 0 to the largest that occurs.

        Returns
        -------
        CompiledGraph
            Parallel edges stay apart: in S they add up, and paths are told apart by the edges they take.

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

        Notes
        -----
        O(V + E). If every edge leads from a smaller number to a larger one, the nodes keep their numbers.

        Examples
        --------
        >>> C = CompiledGraph.from_edges([0, 1, 0], [1, 2, 2], [2.0, 5.0, 3.0])
        >>> C.sensitivities(2)
        array([13.,  5.,  1.])
        >>> CompiledGraph.from_edges([0, 1], [2, 2], [4.0, 5.0], nodes=["x", "z", "y"]).sensitivity("z", "y")
        5.0
        """
        tails, heads = whole_numbers(sources, "sources"), whole_numbers(targets, "targets")
        z = real_numbers(derivatives, "derivatives")
        if not len(tails) == len(heads) == len(z):
            found = f"{len(tails)} sources, {len(heads)} targets and {len(z)} derivatives"
            raise CGraphError(f"{found} were given; an edge has one of each")
        names = node_names(nodes, 1 + max(int(ends.max()) if ends.size else -1 for ends in (tails, heads)))
        require_ends(tails, heads, len(names))
        return cls(names, tails.astype(np.uint32), heads.astype(np.uint32), z)

    @property
    def nodes(self) -> Sequence[Any]:
        """The names of the nodes, in the order of every array that is aligned with them."""
        return self._nodes

    @property
    def number_of_edges(self) -> int:
        """How many edges there are."""
        return len(self._sweeps.heads)

    def __len__(self) -> int:
        return len(self._nodes)

    def __repr__(self) -> str:
        return f"<CompiledGraph of {len(self):,} nodes and {self.number_of_edges:,} edges>"

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
        >>> C = CompiledGraph.from_edges([0, 1], [1, 2], [2.0, 5.0])
        >>> C.update([3.0, 5.0])
        >>> C.sensitivity(0, 2)
        15.0
        """
        z = real_numbers(derivatives, "derivatives")
        if len(z) != self.number_of_edges:
            raise CGraphError(f"{len(z)} derivatives were given for {self.number_of_edges} edges; give one for each")
        require_finite(z, self._edge)
        self._derivatives = self._in_rows(z)

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
        >>> CompiledGraph.from_edges([0, 1, 0], [1, 2, 2], [2.0, 5.0, 3.0]).sensitivity(0, 2)
        13.0
        """
        row_s, row_t = self._rows_of([s]), self._rows_of([t])
        # What overflows off the paths from s to t does not reach S(s,t), and is no error here.
        S, _ = self._sweeps.reverse(self._z, row_t)
        return float(finite({(s, t): S[row_s, 0].item()})[0])

    def jacobian(
        self, sources: Sequence[Node], targets: Sequence[Node], *, order: str | Sequence[Node] | None = None
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

        Returns
        -------
        ndarray of float64, shape (len(targets), len(sources))
            Numerator layout: row t is the gradient of y(t).

        Raises
        ------
        CGraphError
            As `sensitivities`.

        Notes
        -----
        Forward if there are fewer sources, in reverse otherwise; each pass over the edges serves 16 of them, and
        takes 128 bytes for each node.

        Examples
        --------
        >>> C = CompiledGraph.from_edges([0, 0, 1], [2, 3, 3], [3.0, 2.0, 7.0])
        >>> C.jacobian([0, 1], [2, 3])
        array([[3., 0.],
               [2., 7.]])
        """
        sources, targets = list(sources), list(targets)
        columns, rows = self._positions_of(sources), self._positions_of(targets)
        if order is not None:
            return self._plan(sources, targets, order).jacobian(self._as_given(self._z))
        J = np.zeros((len(targets), len(sources)))
        if len(sources) < len(targets):
            for block in _blocks(len(sources)):
                J[:, block] = self._forward(sources[block])[rows]
        else:
            for block in _blocks(len(targets)):
                J[block] = self._reverse(targets[block])[columns].T
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
        >>> CompiledGraph.from_edges([0, 1, 0], [1, 2, 2], [2.0, 5.0, 3.0]).edge_sensitivities(0, 2)
        array([10., 10.,  3.])
        """
        row_s, row_t = self._rows_of([s]), self._rows_of([t])
        between = self._between(row_s, row_t)
        from_s = np.where(between, self._sweeps.forward(self._z, row_s)[0][:, 0], 0.0)
        to_t = np.where(between, self._sweeps.reverse(self._z, row_t)[0][:, 0], 0.0)
        with np.errstate(over="ignore", invalid="ignore"):  # checked below
            flow = to_t[self._sweeps.heads]
            flow *= self._z
            flow *= np.repeat(from_s, np.diff(self._sweeps.indptr))
        flow = self._as_given(flow)
        if not has_finite_sum(flow):
            _refuse_overflow(flow, lambda e: ("flow", *self._edge(e)))
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
        >>> CompiledGraph.from_edges([0, 1, 0], [1, 2, 2], [2.0, 5.0, 3.0]).count_paths(0, 2)
        2
        """
        row_s, row_t = self._rows_of([s]), self._rows_of([t])
        paths_from, _ = self._sweeps.reverse(np.ones(self.number_of_edges), row_t)
        number = paths_from[row_s, 0].item()
        return int(number) if number < _EXACT else self._count_exactly(row_s, row_t)

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
        >>> CompiledGraph.from_edges([0, 1, 0], [1, 2, 2], [2.0, -5.0, 3.0]).top_paths(0, 2, k=1)
        [((0, 1, 2), -10.0)]
        """
        row_s, row_t = self._rows_of([s, t]).tolist()
        require_count(k)
        log_z = np.full(self.number_of_edges, LOG_OF_ZERO)
        np.log(np.abs(self._z), out=log_z, where=self._z != 0)
        best = self._sweeps.strongest(log_z, row_t)
        if best[row_s] == -np.inf:
            return []
        indptr, heads, z = self._sweeps.indptr, self._sweeps.heads, self._z

        # A path is told by the slots of its edges, so that parallel edges are different ways; -1 stands for s.
        @cache
        def ways_from(slot: int) -> list[Way]:
            i = row_s if slot < 0 else heads[slot]
            row = slice(indptr[i], indptr[i + 1])
            best_i, to_t = best[i].item(), (log_z[row] + best[heads[row]]).tolist()
            ways = (Way(best_i - log, e) for e, log in enumerate(to_t, int(row.start)) if log > -math.inf)
            return sorted(ways, key=lambda way: way.loss)

        found = strongest_first(-1, k, ways_from)
        paths = []
        for _, *slots in found:
            path = (s, *map(self._nodes.__getitem__, self._order[heads[slots]].tolist()))
            product = math.prod(z[slots].tolist(), start=1.0)
            paths.append((path, float(finite({path: product}, "product")[0])))
        return paths

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the graph to a file, whole or not at all.

        Parameters
        ----------
        path : path-like
            Where; ``.npz`` is the usual ending. A file that is there is replaced when the new one is complete.

        Raises
        ------
        ArchiveError
            If a node is named by something else than text or a whole number, which the file could not hold.
        OSError
            If the file cannot be written.

        Notes
        -----
        An uncompressed ``.npz`` of the edges as they were given, 16 bytes each, and the names of the nodes.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> C = CompiledGraph.from_edges([0, 1], [1, 2], [2.0, 5.0])
        >>> with TemporaryDirectory() as folder:
        ...     C.save(f"{folder}/chain.npz")
        ...     CompiledGraph.load(f"{folder}/chain.npz").sensitivity(0, 2)
        10.0
        """
        tails, heads = self._ends()
        write_arrays(
            path,
            {
                "format": np.array([_FORMAT]),
                "nodes": array_of_names(self._nodes),
                "sources": tails,
                "targets": heads,
                "derivatives": self._as_given(self._z),
            },
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a graph that `save` wrote.

        Parameters
        ----------
        path : path-like
            The file. It is untrusted: nothing in it is executed, and nothing is taken from it unchecked.

        Returns
        -------
        CompiledGraph
            Made of the edges in the file as `from_edges` makes it.

        Raises
        ------
        ArchiveError
            If the file is damaged, or is no saved graph; the message says what was found.
        OSError
            If the file cannot be opened.

        Notes
        -----
        O(V + E).
        """
        arrays = read_arrays(path, {"format", "nodes", "sources", "targets", "derivatives"})
        try:
            if arrays["format"].tolist() != [_FORMAT]:
                raise ArchiveError(f"its format is {arrays['format'].tolist()!r}, not [{_FORMAT}]")
            nodes = names_of_array(arrays["nodes"])
            return cls.from_edges(arrays["sources"], arrays["targets"], arrays["derivatives"], nodes=nodes)
        except CGraphError as error:
            raise ArchiveError(f"{os.fspath(path)!r} is not a saved graph, or it is damaged: {error}") from error

    @property
    def weights(self) -> tuple[Any, ...]:
        """The weights, named as by `cgraph.weight_gradients`: ``(i, j)`` on an edge, ``w`` in a node."""
        return self._equations().weights

    def evaluate(self, inputs: Mapping[str, ArrayLike] | None = None, *, weights: ArrayLike | None = None) -> Floats:
        """Return the value of every node: the forward pass, at one point or at many.

        Parameters
        ----------
        inputs : dict, optional
            Values for inputs and weights, in place of those that the graph held when it was compiled; arrays of
            one length for as many points, beside which a number holds at all of them.
        weights : array_like of float, shape (weights,), optional
            Aligned with `weights`; the same at all points.

        Returns
        -------
        ndarray of float64, shape (nodes,) or (nodes, points)
            Aligned with `nodes`; NaN for a source without a value that no equation reads.

        Raises
        ------
        EvaluationError
            As `cgraph.evaluate`, or if the graph was not compiled from equations.
        CGraphError
            As `cgraph.evaluate`.

        Notes
        -----
        One sweep over all steps of all equations. The derivatives on the edges, which the other questions are
        about, stay as they are.

        Examples
        --------
        >>> from cgraph import from_equations
        >>> C = compile_graph(from_equations("a = x*z; y = a + x", x=2.0, z=3.0))
        >>> C.nodes, C.evaluate()
        (('x', 'z', 'a', 'y'), array([2., 3., 6., 8.]))
        >>> C.evaluate({"x": [1.0, 2.0]})[3]
        array([4., 8.])
        """
        return self._equations().evaluate(inputs, weights)

    def gradient(self, loss: str) -> Floats:
        """Return the derivatives of `loss` by every node, inputs and weights among them, where `evaluate` was last.

        Parameters
        ----------
        loss : node
            The node that is differentiated.

        Returns
        -------
        ndarray of float64, shape (nodes,) or (nodes, points)
            S(i,loss), aligned with `nodes`.

        Raises
        ------
        NodeNotFound
            If `loss` is not in the graph.
        EvaluationError
            If nothing has been evaluated, or a derivative is not finite.

        See Also
        --------
        CompiledGraph.weight_gradients : the derivatives by the weights, those on edges too.

        Notes
        -----
        One sweep back over all steps of all equations; no derivative of an edge is formed.

        Examples
        --------
        >>> from cgraph import from_equations
        >>> C = compile_graph(from_equations("a = x*z; y = a + x", x=2.0, z=3.0))
        >>> y = C.evaluate()
        >>> C.gradient("y")  # y = xz + x: z + 1, x, 1, 1
        array([4., 2., 1., 1.])
        """
        self._position(loss)
        return self._equations().gradient(loss)

    def weight_gradients(self, loss: str) -> Floats:
        """Return the derivatives of `loss` by the weights, on edges and in nodes, where `evaluate` was last.

        Parameters
        ----------
        loss : node
            The node that is differentiated.

        Returns
        -------
        ndarray of float64, shape (weights,) or (weights, points)
            Aligned with `weights`: ``dict(zip(C.weights, C.weight_gradients(loss)))`` is what
            `cgraph.weight_gradients` returns.

        Raises
        ------
        CGraphError
            As `gradient`.

        Notes
        -----
        One sweep back, as `gradient`, and dJ/dw_ij = Delta_s(j) y(i) for each edge, with Delta_s(j) = dJ/ds(j).

        Examples
        --------
        >>> G = ComputationalGraph()
        >>> G.add_input("x", 2.0)
        >>> G.add_neuron("h", activation="identity", weights={"x": 3.0}, bias=1.0)
        >>> G.add_equation("J", "h^2")
        >>> C = compile_graph(G)
        >>> y = C.evaluate()
        >>> C.weights, C.weight_gradients("J")  # h = 7: dJ/dw = 2*7 * x, 2*7 * 1
        ((('x', 'h'), ('+1', 'h')), array([28., 14.]))
        """
        self._position(loss)
        return self._equations().weight_gradients(loss)

    def _equations(self) -> Tape:
        if self._tape is None:
            raise EvaluationError("no equations were compiled; compile the graph of equations, before linearize")
        return self._tape

    @property
    def _z(self) -> Floats:
        """The derivatives in the order of the rows."""
        if self._derivatives is None:
            raise MissingDerivativeError(
                "the edges hold no derivatives: the graph was compiled from its equations; compile linearize(G), "
                "or ask for gradient()"
            )
        return self._derivatives

    def _positions_of(self, nodes: Sequence[Node]) -> NDArray[np.intp]:
        """Return where `nodes` stand among the nodes."""
        return np.array([self._position(node) for node in nodes], np.intp)

    def _position(self, node: Node) -> int:
        try:
            if self._positions is not None:
                return self._positions[node]
            k = operator.index(node)  # type: ignore[arg-type]  # a TypeError, caught, if it is no number
        except (KeyError, TypeError):
            raise NodeNotFound(node, self._nodes) from None
        if not 0 <= k < len(self._nodes):
            raise NodeNotFound(node, self._nodes)
        return k

    def _rows_of(self, nodes: Sequence[Node]) -> NDArray[np.intp]:
        """Return the rows of `nodes`."""
        positions = self._positions_of(nodes)
        return positions if self._rank is None else self._rank[positions].astype(np.intp)

    @cached_property
    def _order(self) -> Index:
        """The node of each row, the inverse of _rank."""
        order = np.arange(len(self), dtype=np.uint32)
        if self._rank is not None:
            order[self._rank] = order.copy()
        return order

    def _node_of_row(self, row: int) -> Any:
        return self._nodes[int(self._order[row])]

    def _edge(self, e: int) -> tuple[Any, Any]:
        """Return tail and head of the edge given as the e-th."""
        slot = e if self._slots is None else int(np.flatnonzero(self._slots == e)[0])
        tail = np.searchsorted(self._sweeps.indptr, slot, side="right") - 1
        return self._node_of_row(int(tail)), self._node_of_row(self._sweeps.heads[slot])

    def _in_rows(self, of_edges: NDArray[Any]) -> NDArray[Any]:
        """Return a copy of what is aligned with the edges as given, aligned with the rows."""
        return of_edges.copy() if self._slots is None else of_edges[self._slots]

    def _as_given(self, of_slots: NDArray[Any]) -> NDArray[Any]:
        """Return what is aligned with the rows, aligned with the edges as given."""
        if self._slots is None:
            return of_slots
        of_edges = np.empty_like(of_slots)
        of_edges[self._slots] = of_slots
        return of_edges

    def _plan(self, sources: list[Node], targets: list[Node], order: str | Sequence[Node]) -> JacobianPlan:
        """Return the recorded elimination, which depends on the structure alone and so outlives `update`."""
        key = (tuple(sources), tuple(targets), order if isinstance(order, str) else tuple(order))
        if key not in self._plans:
            tails, heads = ([self._nodes[i] for i in ends.tolist()] for ends in self._ends())
            self._plans[key] = JacobianPlan(list(zip(tails, heads, strict=True)), sources, targets, order)
        return self._plans[key]

    def _ends(self) -> tuple[Index, Index]:
        """Return the positions of the tails and the heads, of the edges as they were given."""
        tails = np.repeat(self._order, np.diff(self._sweeps.indptr))
        return self._as_given(tails), self._as_given(self._order[self._sweeps.heads])

    def _reverse(self, targets: Sequence[Node]) -> Floats:
        """Return S(i,t), shape (nodes, targets), aligned with the nodes."""
        S, is_finite = self._sweeps.reverse(self._z, self._rows_of(targets))
        S = S if self._rank is None else S[self._rank]
        if not is_finite:
            _refuse_overflow(S, lambda k, column: ("S", self._nodes[k], targets[column]))
        return S

    def _forward(self, sources: Sequence[Node]) -> Floats:
        """Return S(s,i), shape (nodes, sources), aligned with the nodes."""
        S, is_finite = self._sweeps.forward(self._z, self._rows_of(sources))
        S = S if self._rank is None else S[self._rank]
        if not is_finite:
            _refuse_overflow(S, lambda k, column: ("S", sources[column], self._nodes[k]))
        return S

    def _between(self, row_s: Index, row_t: Index) -> NDArray[np.bool_]:
        """Return whether each row lies on a path from s to t: whether paths lead to it, and on."""
        ones = np.ones(self.number_of_edges)
        paths_to, _ = self._sweeps.forward(ones, row_s)
        paths_from, _ = self._sweeps.reverse(ones, row_t)
        return (paths_to[:, 0] > 0) & (paths_from[:, 0] > 0)

    def _count_exactly(self, row_s: Index, row_t: Index) -> int:
        indptr, heads = self._sweeps.indptr, self._sweeps.heads
        between = self._between(row_s, row_t)
        s, t = row_s.item(), row_t.item()
        paths_to = {s: 1}
        for i in np.flatnonzero(between[:t]).tolist():
            paths_to_i = paths_to.pop(i)  # these integers grow large: one is kept only until its node is done
            row = heads[indptr[i] : indptr[i + 1]]
            for j in row[between[row]].tolist():
                paths_to[j] = paths_to.get(j, 0) + paths_to_i
        return paths_to[t]


def _refuse_overflow(S: Floats, place: Callable[..., tuple[Any, ...]]) -> None:
    """Raise `EvaluationError` if any of `S` is not finite; ``place(*index)`` says what it is, and its nodes."""
    for index in np.argwhere(~np.isfinite(S)).tolist():  # none, if only the sum overflowed
        what, *nodes = place(*index)
        finite({tuple(nodes): S[tuple(index)].item()}, what)


def _edges(L: nx.DiGraph[Any], derivative: str) -> tuple[list[int], list[Any], list[Any]]:
    """Return how many edges leave each node, their heads, and what they hold: one walk over the adjacency."""
    degrees: list[int] = []
    heads: list[Any] = []
    data: list[dict[str, Any]] = []
    for _, row in L.adjacency():
        degrees.append(len(row))
        heads += row
        data += row.values()
    return degrees, heads, [attributes.get(derivative) for attributes in data]


def _are_floats(values: list[Any]) -> bool:
    return set(map(type, values)) <= {float}


def _frozen(
    nodes: tuple[Any, ...], degrees: list[int], heads: list[Any], values: list[float] | None, tape: Tape | None = None
) -> CompiledGraph:
    position = dict(zip(nodes, range(len(nodes)), strict=True))
    return CompiledGraph(
        nodes,
        np.repeat(np.arange(len(nodes), dtype=np.uint32), degrees),
        np.fromiter(map(position.__getitem__, heads), np.uint32, len(heads)),
        None if values is None else np.array(values, np.float64),
        tape,
    )


def _real(value: Any, i: Node, j: Node, derivative: str) -> float:
    try:
        if isinstance(value, Real):  # a Fraction, for one
            return float(value)
    except OverflowError:
        pass
    raise DerivativeError(
        f"edge {i!r} -> {j!r} holds {value!r} as {derivative!r}; a compiled graph holds floats, "
        f"sensitivities(G, t) takes numbers of other types"
    )


def _blocks(n: int) -> list[slice]:
    return [slice(k, k + COLUMNS) for k in range(0, n, COLUMNS)]
