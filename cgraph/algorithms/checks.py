"""Derivatives checked by numbers alone: every edge, and every pair of input and output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import networkx as nx
import numpy as np

from cgraph.algorithms.gradients import weight_gradients
from cgraph.algorithms.linearized import edge_derivative
from cgraph.algorithms.sweeps import sensitivities_from
from cgraph.model.errors import EvaluationError
from cgraph.model.evaluation import forward, is_computed, linearize, source_values, value_of
from cgraph.model.graph import ComputationalGraph

__all__ = ["Check", "CheckReport", "check_derivatives"]

# A kind of check, what is varied, the derivatives of the heads, their values after a complex step, and the sums of
# the absolute products that the derivatives are made of.
_Measured = tuple[str, str, Mapping[str, float], Mapping[str, Any], Mapping[str, float]]

_STEP = 1e-30
# Below this share of 1, or of the terms if they are larger, errors are not relative any more: of numbers that
# cancel, as two paths do or 1 - y^2 where y is nearly 1, remains rounding.
_FLOOR = 1e-8


@dataclass(frozen=True)
class Check:
    """One derivative beside its numerical value.

    Attributes
    ----------
    kind : str
        ``"edge"`` for z(i,j), ``"pair"`` for S(i,j), ``"weight"`` for the derivative of j by a weight on an edge.
    tail, head : str
        What is varied, the node i or the edge "i -> k", and the node j that answers.
    derivative, numerical : float
        What the graph says, and what the numbers say.
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
    inputs: Mapping[str, float] | None = None,
    *,
    derivative: str = "derivative",
    tolerance: float = 1e-6,
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
        As `linearize`.

    Notes
    -----
    A complex step Im f(x + ih) / h, exact to rounding [1]_. One evaluation of the graph for each input and weight,
    one of its node for each edge. At a kink both sides of the comparison follow the same convention.

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
    computed = [j for j in G if is_computed(G, j)]
    if not computed:
        raise EvaluationError("nothing to check: the graph gives derivatives but no equations to compare them with")
    given = all(derivative in G.edges[i, j] for j in computed for i in G.predecessors(j))
    L = G if given and inputs is None else linearize(G, inputs)
    y = forward(L, source_values(L))

    outputs = [j for j in L.outputs if is_computed(L, j)]
    measured = chain(
        _edges(L, y, computed, derivative), _pairs(L, y, outputs, derivative), _weights(L, outputs, derivative)
    )
    return CheckReport(tuple(chain.from_iterable(_compare(*found, tolerance) for found in measured)), tolerance)


def _edges(L: ComputationalGraph, y: Mapping[str, Any], computed: list[str], derivative: str) -> Iterator[_Measured]:
    for j in computed:
        for i in L.predecessors(j):
            moved = {k: _step(y[k]) if k == i else y[k] for k in L.predecessors(j)}
            with np.errstate(all="ignore"):
                yield "edge", i, {j: L.edges[i, j][derivative]}, {j: value_of(L, j, moved)}, {}


def _pairs(L: ComputationalGraph, y: Mapping[str, Any], outputs: list[str], derivative: str) -> Iterator[_Measured]:
    terms = _absolute(L, derivative)
    for i in [*L.inputs, *L.weights]:
        if i in y:
            S = sensitivities_from(L, i, derivative=derivative)
            moved = forward(L, {**source_values(L), i: _step(y[i])})
            yield "pair", i, {j: S[j] for j in outputs}, moved, sensitivities_from(terms, i)


def _weights(L: ComputationalGraph, outputs: list[str], derivative: str) -> Iterator[_Measured]:
    gradients = {t: weight_gradients(L, t, derivative=derivative) for t in outputs}
    terms = _absolute(L, derivative)
    H = L.copy()
    for i, j in [(i, j) for i, j in L.edges if "activation" in L.nodes[j]]:
        H.edges[i, j]["weight"] = _step(L.edges[i, j]["weight"])
        size = abs(L.nodes[j]["gate"] * L.nodes[i]["value"])
        scales = {t: size * S for t, S in sensitivities_from(terms, j).items()}
        yield "weight", f"{i} -> {j}", {t: gradients[t][i, j] for t in outputs}, forward(H, source_values(H)), scales
        H.edges[i, j]["weight"] = L.edges[i, j]["weight"]


def _absolute(L: ComputationalGraph, derivative: str) -> nx.DiGraph[Any]:
    z = edge_derivative(L, derivative)
    A: nx.DiGraph[Any] = nx.DiGraph()
    A.add_nodes_from(L)
    A.add_edges_from((i, j, {"derivative": abs(z(i, j))}) for i, j in L.edges)
    return A


def _step(x: float) -> complex:
    return complex(x, _STEP)


def _compare(
    kind: str,
    tail: str,
    derivatives: Mapping[str, float],
    moved: Mapping[str, Any],
    scales: Mapping[str, float],
    tolerance: float,
) -> Iterator[Check]:
    """Yield the checks of several heads, whose values at a complex step of the tail are those in `moved`."""
    for head, z in derivatives.items():
        numerical = float(np.imag(moved[head])) / _STEP
        error = abs(z - numerical) / max(abs(numerical), _FLOOR * max(1.0, scales.get(head, 1.0)))
        yield Check(kind, tail, head, z, numerical, error, error <= tolerance)
