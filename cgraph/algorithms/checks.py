"""Derivatives checked by numbers alone: every edge, and every pair of input and output."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

import networkx as nx
import numpy as np

from cgraph.algorithms.gradients import weight_gradients
from cgraph.algorithms.sweeps import sensitivities
from cgraph.model.errors import EvaluationError
from cgraph.model.evaluation import forward, is_computed, linearize, source_values, value_of
from cgraph.model.graph import ComputationalGraph, require_digraph
from cgraph.model.linearized import edge_derivative, nodes_between
from cgraph.model.tasks import in_order
from cgraph.model.values import as_value

__all__ = ["Check", "CheckReport", "check_derivatives"]

# An ndarray of floats.
Array = Any

# The exponents of a complex step, a power of two, by which nothing is rounded. It is so small that its square vanishes
# beside any number, 0 too: a kink is met exactly. Beside a large or a tiny number it is as large or as small, but never
# so small that what follows from it would vanish.
_STEP, _RELATIVE, _SMALLEST = -600, -100, -900
# An array of at most so many entries is varied entry by entry, a larger one along so many random directions.
MOST_ENTRIES = 64
DIRECTIONS = 8
MOST_TERMS = 100_000  # the entries of a Jacobian whose absolute values are written out
# Below this share of 1, or of the terms if they are larger, errors are not relative any more: of numbers that
# cancel, as two paths do or 1 - y^2 where y is nearly 1, remains rounding.
_FLOOR = 1e-8
_TOGETHER = 20_000  # nodes that a task evaluates, about: some tenths of a second


@dataclass(frozen=True)
class Check:
    """One derivative beside its numerical value.

    Attributes
    ----------
    kind : str
        ``"edge"`` for z(i,j), ``"pair"`` for S(i,j), ``"weight"`` for the derivative of j with respect to a weight on an edge.
    tail, head : str
        What is varied, the node i or the edge "i -> k", and the node j that is differentiated. Of arrays, the entry
        where the error is largest, such as "W[0, 2]"; "W[*]" stands for a random direction, along which large arrays
        are varied.
    derivative, numerical : float
        The derivative on the graph, and its numerical value.
    error : float
        ``|derivative - numerical|``, relative to the numerical value, or, where that is nearly 0, to 1e-8 of 1 or of
        the sum of the absolute products along the paths.
    ok : bool
        Whether `error` is within the tolerance.
    """

    kind: str
    tail: str
    head: str
    derivative: float
    numerical: float
    error: float
    ok: bool


@dataclass(frozen=True)
class CheckReport:
    """The outcome of `check_derivatives`; true if nothing failed."""

    checks: tuple[Check, ...]
    tolerance: float

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks whose error exceeds the tolerance, the largest error first."""
        return tuple(sorted((c for c in self.checks if not c.ok), key=lambda c: -c.error))

    @property
    def ok(self) -> bool:
        """Whether there are no failures."""
        return not self.failures

    def __bool__(self) -> bool:
        return self.ok


def check_derivatives(
    G: ComputationalGraph,
    inputs: Mapping[str, Any] | None = None,
    *,
    derivative: str = "derivative",
    tolerance: float = 1e-6,
    executor: Executor | None = None,
) -> CheckReport:
    """Compare every edge derivative, and S of every input and output, with numerical differentiation.

    Parameters
    ----------
    G : ComputationalGraph
        If it is linearized and `inputs` is not given, the derivatives that stand on its edges are checked; else
        those of ``linearize(G, inputs)``. Not modified.
    inputs : dict, optional
        As in `evaluate`.
    derivative : str, default "derivative"
        The edge attribute that holds z.
    tolerance : float, default 1e-6
        The largest error, relative to the derivative.
    executor : concurrent.futures.Executor, optional
        A pool of workers: the graph is sent to them once, and each task is a number of nodes or edges. The report does
        not depend on it.

    Returns
    -------
    CheckReport
        ``.checks``, ``.failures``, ``.ok``; one check for each edge into a computed node, for each pair of an
        input or weight and an output, and for each pair of a weight on an edge and an output.

    Raises
    ------
    EvaluationError
        If `G` has no equations to compare with.
    CGraphError
        As `linearize`, or if workers end before their tasks are done.

    Notes
    -----
    A complex step Im f(x + ih) / h, exact to rounding [1]_. One evaluation of the graph for each input and weight,
    one of its node for each edge; of an array, one for each of its entries, or for each of 8 random directions if it
    has more than 64. At a kink both sides of the comparison follow the same convention.

    References
    ----------
    .. [1] W. Squire, G. Trapp, "Using complex variables to estimate derivatives of real functions", SIAM
       Review 40(1), 1998.

    Examples
    --------
    >>> from cgraph import from_equations, linearize
    >>> L = linearize(from_equations("y = x^2", x=3.0))
    >>> check_derivatives(L).ok
    True
    >>> L.edges["x", "y"]["derivative"] = 7.0  # planted: it is 6
    >>> [(c.kind, c.derivative, round(c.numerical, 9)) for c in check_derivatives(L).failures]
    [('edge', 7.0, 6.0), ('pair', 7.0, 6.0)]
    """
    require_digraph(G)
    computed = [j for j in G if is_computed(G, j)]
    if not computed:
        raise EvaluationError("nothing to check: the graph gives derivatives but no equations to compare them with")
    given = all(derivative in G.edges[i, j] for j in computed for i in G.predecessors(j))
    L = _completed(G) if given and inputs is None else linearize(G, inputs)
    y = forward(L, source_values(L))

    outputs = [j for j in L.outputs if is_computed(L, j)]
    varied = {
        "edges": computed,
        "pairs": [i for i in [*L.inputs, *L.weights] if i in y],
        "weights": [(i, j) for i, j in L.edges if "activation" in L.nodes[j]],
    }
    size = max(1, _TOGETHER // len(L)) if executor else len(L) + L.number_of_edges()
    tasks = (
        (kind, of_kind[k : k + size], tolerance)
        for kind, of_kind in varied.items()
        for k in range(0, len(of_kind), size)
    )
    parts = in_order(executor, _checks, tasks, about=_Comparison(L, y, outputs, derivative))
    return CheckReport(tuple(chain.from_iterable(parts)), tolerance)


def _completed(G: ComputationalGraph) -> ComputationalGraph:
    """Return `G` as it is, with the values and gates of `linearize` where it has none of its own."""
    L = linearize(G)
    for i, data in G.nodes(data=True):
        L.nodes[i].update(data)
    for i, j, data in G.edges(data=True):
        L.edges[i, j].update(data)
    return L


@dataclass(frozen=True)
class _Measured:
    """The derivatives of `head` by `tail` along some directions, beside what a complex step says of them.

    All arrays are of shape (entries of the head, directions); `terms` are the sums of the absolute products that the
    derivatives are made of.
    """

    kind: str
    tail: str
    head: str
    derivatives: Array
    numerical: Array
    terms: Array
    shapes: tuple[tuple[int, ...], tuple[int, ...]]  # of head and tail

    def name(self, which: int, entry: int) -> str:
        """Return the name of the head (0) or the tail (1), with the entry that is meant."""
        node, shape = (self.head, self.tail)[which], self.shapes[which]
        if not shape:
            return node
        if which == 1 and math.prod(shape) > MOST_ENTRIES:
            return f"{node}[*]"
        return f"{node}[{', '.join(str(int(k)) for k in np.unravel_index(entry, shape))}]"


def numerical_check(L: ComputationalGraph, s: str, t: str, S: Any, tolerance: float = 1e-6) -> Check:
    """Compare `S` = S(s,t) with a complex step of node `s`, which may be computed itself; of arrays, the worst entry."""
    y = {i: as_value(data["value"]) for i, data in L.nodes(data=True) if data.get("value") is not None}
    order = nodes_between(L, s, t)[1:]
    V = _directions(y[s])
    moved = []
    for x in _moved(y[s], V):
        at = {**y, s: x}
        with np.errstate(all="ignore"):
            for j in order:
                at[j] = value_of(L, j, at)
        moved.append(at[t])
    found = np.asarray(S, dtype=float) @ V if np.ndim(S) else float(S)
    terms = float(np.sum(_absolute(L, [t], "derivative")[t][s]))
    return _compared(_measured("pair", s, t, found, moved, terms, y[s]), tolerance)


@dataclass(frozen=True)
class _Comparison:
    """The derivatives of a graph, each to be compared with what its values show."""

    L: ComputationalGraph
    y: Mapping[str, Any]
    outputs: list[str]
    derivative: str

    def edges(self, computed: list[str]) -> Iterator[_Measured]:
        """Compare z on all edges into computed nodes."""
        L, y, z = self.L, self.y, edge_derivative(self.L, self.derivative)
        for j in computed:
            operands = {k: y[k] for k in L.predecessors(j)}
            for i in operands:
                V = _directions(y[i])
                with np.errstate(all="ignore"):
                    moved = [value_of(L, j, operands | {i: x}) for x in _moved(y[i], V)]
                found = z(i, j) @ V if np.ndim(y[i]) or np.ndim(y[j]) else z(i, j)
                yield _measured("edge", i, j, found, moved, 1.0, y[i])

    def pairs(self, sources: list[str]) -> Iterator[_Measured]:
        """Compare S of inputs and weights in nodes, and all outputs."""
        L, y, S, terms = self.L, self.y, self._sensitivities, self._terms
        values = source_values(L)
        for i in sources:
            V = _directions(y[i])
            moved = [forward(L, {**values, i: x}) for x in _moved(y[i], V)]
            for t in self.outputs:
                size = np.atleast_2d(terms[t][i]) @ np.abs(V)
                yield _measured("pair", i, t, np.atleast_2d(S[t][i]) @ V, [m[t] for m in moved], size, y[i])

    def weights(self, on_edges: list[tuple[str, str]]) -> Iterator[_Measured]:
        """Compare the gradients of the outputs that are numbers with respect to weights on edges."""
        L, terms = self.L, self._terms
        numbers = [t for t in self.outputs if not np.ndim(L.nodes[t]["value"])]
        gradients = {t: weight_gradients(L, t, derivative=self.derivative) for t in numbers}
        H = L.copy()
        for i, j in on_edges:
            w = L.edges[i, j]["weight"]
            H.edges[i, j]["weight"] = complex(w, _step(w))
            moved = forward(H, source_values(H))
            H.edges[i, j]["weight"] = w
            size = np.max(np.abs(L.nodes[j]["gate"] * L.nodes[i]["value"]))
            for t in numbers:
                found = np.array([[gradients[t][i, j]]])
                yield _measured("weight", f"{i} -> {j}", t, found, [moved[t]], size * np.sum(terms[t][j]), w)

    @cached_property
    def _sensitivities(self) -> dict[str, dict[str, Any]]:
        return {t: sensitivities(self.L, t, derivative=self.derivative) for t in self.outputs}

    @cached_property
    def _terms(self) -> dict[str, dict[str, Any]]:
        return _absolute(self.L, self.outputs, self.derivative)


def _checks(comparison: _Comparison, kind: str, varied: list[Any], tolerance: float) -> list[Check]:
    """Return the checks of some nodes or edges: what a task does, wherever it runs."""
    return [_compared(found, tolerance) for found in getattr(comparison, kind)(varied)]


def _directions(x: Any) -> Array:
    """Return the columns along which x is varied: one for each entry, or a few random ones."""
    n = np.size(x)
    return np.eye(n) if n <= MOST_ENTRIES else np.random.default_rng(0).choice([-1.0, 1.0], size=(n, DIRECTIONS))


def _moved(x: Any, V: Array) -> Iterator[Any]:
    """Iterate over `x` after a complex step along each column of `V`."""
    h = _step(x)
    return (x + 1j * h * v.reshape(np.shape(x)) if np.ndim(x) else complex(x, h) for v in V.T)


def _step(x: Any) -> float:
    """Return the step by which a number, or every entry of an array, is varied."""
    exponent = math.frexp(float(np.max(np.abs(x))))[1]
    return math.ldexp(1.0, max(_SMALLEST, min(_STEP + max(exponent, 0), _RELATIVE + exponent)))


def _measured(kind: str, tail: str, head: str, derivatives: Any, moved: list[Any], terms: Any, x: Any) -> _Measured:
    """Return the derivatives of `head` beside what its values show, `moved` by a complex step of `x`."""
    numerical = np.stack([np.ravel(np.imag(y)) / _step(x) for y in moved], axis=1)
    found = np.reshape(derivatives, numerical.shape)
    return _Measured(
        kind, tail, head, found, numerical, np.broadcast_to(terms, found.shape), (np.shape(moved[0]), np.shape(x))
    )


def _absolute(L: ComputationalGraph, outputs: list[str], derivative: str) -> dict[str, dict[str, Any]]:
    """Return, for every output and node, the sum of the absolute products along the paths between them.

    Where a Jacobian is too large to be written out, the absolute value of what the products add up to stands for it.
    """
    z = edge_derivative(L, derivative)
    if any(math.prod(np.shape(z(i, j))) > MOST_TERMS for i, j in L.edges):
        return {t: {i: np.abs(S) for i, S in sensitivities(L, t, derivative=derivative).items()} for t in outputs}
    A: nx.DiGraph[Any] = nx.DiGraph()
    A.add_nodes_from((i, {"value": data.get("value")}) for i, data in L.nodes(data=True))
    A.add_edges_from((i, j, {"derivative": _magnitude(z(i, j))}) for i, j in L.edges)
    return {t: sensitivities(A, t) for t in outputs}


def _magnitude(z: Any) -> Any:
    return np.abs(np.asarray(z)) if np.ndim(z) else abs(z)


def _compared(found: _Measured, tolerance: float) -> Check:
    """Return the check of the entry whose error is largest."""
    floor = _FLOOR * np.maximum(1.0, found.terms)
    errors = np.abs(found.derivatives - found.numerical) / np.maximum(np.abs(found.numerical), floor)
    row, column = np.unravel_index(np.argmax(errors), errors.shape)
    derivative, numerical, error = (float(a[row, column]) for a in (found.derivatives, found.numerical, errors))
    tail, head = found.name(1, int(column)), found.name(0, int(row))
    return Check(found.kind, tail, head, derivative, numerical, error, error <= tolerance)
