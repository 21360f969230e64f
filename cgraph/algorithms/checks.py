"""Derivatives checked by numbers alone: every edge, and every pair of input and output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from cgraph.algorithms.sweeps import sensitivities_from
from cgraph.model.errors import EvaluationError
from cgraph.model.evaluation import forward, is_computed, linearize, source_values, value_of
from cgraph.model.expressions import Apply
from cgraph.model.graph import ComputationalGraph
from cgraph.model.operations import OPERATIONS

__all__ = ["Check", "CheckReport", "check_derivatives"]

_COMPLEX_STEP = 1e-30
# The step of a central difference with one extrapolation, whose error is O(h^4) + O(eps/h).
_REAL_STEP = float(np.finfo(float).eps) ** 0.2


@dataclass(frozen=True)
class Check:
    """One derivative beside its numerical value.

    Attributes
    ----------
    kind : str
        ``"edge"`` for z(i,j), ``"pair"`` for S(i,j).
    tail, head : str
        The node i that is varied and the node j that answers.
    derivative, numerical : float
        What the graph says, and what the numbers say; NaN if they say nothing (see `method`).
    error : float
        ``|derivative - numerical| / max(1, |numerical|)``.
    method : str
        ``"complex step"``, ``"central difference"``, or ``"none"``, where the point is too near the end of a
        domain to step to both sides.
    ok : bool
        Whether `error` is within the tolerance; true where there was nothing to compare with.
    """

    kind: str
    tail: str
    head: str
    derivative: float
    numerical: float
    error: float
    method: str
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
        The largest error, relative to the derivative or to 1 if that is larger.

    Returns
    -------
    CheckReport
        ``.checks``, ``.failures``, ``.ok``; one check for each edge into a computed node, and one for each pair of an
        input or weight and an output.

    Raises
    ------
    EvaluationError
        If `G` has no equations to compare with.
    CGraphError
        As `linearize`.

    Notes
    -----
    A complex step Im f(x + ih) / h, exact to rounding [1]_; where an operation takes no complex numbers (erf,
    gelu), a central difference with one Richardson extrapolation. One evaluation of the graph for each input,
    one of its equation for each edge. At a kink both sides of the comparison follow the same convention.

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

    def check(kind: str, i: str, z: dict[str, float], f: Callable[[Any], list[Any]], analytic: bool) -> list[Check]:
        """Compare dy(j)/dy(i) for several j, whose values are those of `f`."""
        found, method = _differentiate(f, y[i], analytic)
        errors = [abs(z[j] - n) / max(1.0, abs(n)) for j, n in zip(z, found, strict=True)]
        return [
            Check(kind, i, j, z[j], n, error, method, method == "none" or error <= tolerance)
            for j, n, error in zip(z, found, errors, strict=True)
        ]

    edges = [
        check("edge", i, {j: L.edges[i, j][derivative]}, _node_of(L, y, i, j), _is_analytic(L, j))
        for j in computed
        for i in L.predecessors(j)
    ]
    analytic = all(_is_analytic(L, j) for j in computed)
    sources = [i for i in [*L.inputs, *L.weights] if i in y]
    outputs = [j for j in L.outputs if is_computed(L, j)]
    pairs = []
    for i in sources:
        S = sensitivities_from(L, i, derivative=derivative)
        pairs.append(check("pair", i, {j: S[j] for j in outputs}, _graph_of(L, i, outputs), analytic))
    return CheckReport(tuple(chain(*edges, *pairs)), tolerance)


def _node_of(L: ComputationalGraph, y: Mapping[str, Any], i: str, j: str) -> Callable[[Any], list[Any]]:
    return lambda value: [value_of(L, j, {**{k: y[k] for k in L.predecessors(j)}, i: value})]


def _graph_of(L: ComputationalGraph, i: str, outputs: list[str]) -> Callable[[Any], list[Any]]:
    def values(value: Any) -> list[Any]:
        y = forward(L, {**source_values(L), i: value})
        return [y[j] for j in outputs]

    return values


def _is_analytic(L: ComputationalGraph, j: str) -> bool:
    if "activation" in L.nodes[j]:
        return OPERATIONS[L.nodes[j]["activation"]].analytic
    return all(OPERATIONS[s.operation].analytic for s in L.nodes[j]["expression"].steps if isinstance(s, Apply))


def _differentiate(f: Callable[[Any], list[Any]], x: float, analytic: bool) -> tuple[list[float], str]:
    """Return f'(x) by numbers, and the method: a complex step if `f` is analytic, else differences."""
    with np.errstate(all="ignore"):
        try:
            if analytic:
                return [float(np.imag(v)) / _COMPLEX_STEP for v in f(complex(x, _COMPLEX_STEP))], "complex step"
            h = _REAL_STEP * max(1.0, abs(x))
            wide, narrow = ((np.array(f(x + d)) - np.array(f(x - d))) / (2 * d) for d in (h, h / 2))
            return ((4 * narrow - wide) / 3).tolist(), "central difference"
        except EvaluationError:
            return [float("nan")] * len(f(x)), "none"
