"""The record of a worked solution: what the forward pass, the sweep and the paths computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from cgraph.algorithms.checks import Check
from cgraph.algorithms.gradients import GradientFactors
from cgraph.model.graph import ComputationalGraph
from cgraph.reports.tables import Formula
from cgraph.uncertainty.budget import UncertaintyBudget

__all__ = ["Half", "Increment", "LocalDerivative", "PathProduct", "Record", "Step"]


class LocalDerivative(NamedTuple):
    """z(i,j), and how it is computed; the formula is None where there is none to show."""

    tail: str
    head: str
    formula: Formula | None
    value: Any


class Step(NamedTuple):
    """A step of the reverse sweep, version A: S(i,t) is the sum of the terms S(j,t) z(i,j)."""

    node: str
    terms: dict[str, Any]
    total: Any


class Increment(NamedTuple):
    """A step by increments: while node j is visited, S(i,t) grows by S(j,t) z(i,j)."""

    visited: str
    node: str
    term: Any
    total: Any


class PathProduct(NamedTuple):
    """A path, the z along it from s to t, and their product."""

    path: tuple[str, ...]
    factors: tuple[Any, ...]
    product: Any


class Half(NamedTuple):
    """A decoupled neuron j: S(j-,t) = S(j+,t) Phi'(s(j))."""

    linear: str
    activation: str
    downstream: Any
    gate: Any
    total: Any


@dataclass(frozen=True)
class Record:
    """What was computed on the way to S(s,t).

    Attributes
    ----------
    graph : ComputationalGraph
        Linearized: the values of the forward pass stand on its nodes, the local derivatives on its edges.
    s, t : node
        The ends; s is None for the sensitivity to every node.
    order : tuple of nodes
        The nodes that t is computed from, in topological order.
    local : tuple of LocalDerivative
        z(i,j) for every edge that the sweep uses.
    steps : tuple of Step
        The reverse sweep, from t on.
    increments : tuple of Increment
        The same by increments, which 10-301/601, lecture 13, calls version B.
    path_count : int
        How many paths lead from s to t.
    paths : tuple of PathProduct
        All of them, or the strongest twenty.
    gradients : dict
        ``{(i, j): GradientFactors}`` of the weighted edges that t depends on.
    halves : tuple of Half
        The decoupled neurons that t depends on.
    check : Check or None
        S(s,t) beside its numerical value; None where there is nothing to compare with.
    formulas : dict
        ``{i: S(i,t)}`` as formulas of sympy in the nodes, if they were asked for.
    formula : object
        S(s,t) as a formula in the inputs and weights, if it was asked for.
    budget : UncertaintyBudget or None
        Of t, where the graph states uncertainties.
    """

    graph: ComputationalGraph
    s: str | None
    t: str
    order: tuple[str, ...]
    local: tuple[LocalDerivative, ...]
    steps: tuple[Step, ...]
    increments: tuple[Increment, ...]
    path_count: int
    paths: tuple[PathProduct, ...]
    gradients: dict[tuple[str, str], GradientFactors]
    halves: tuple[Half, ...]
    check: Check | None
    formulas: dict[str, Any]
    formula: Any = None
    budget: UncertaintyBudget | None = None

    @property
    def sensitivities(self) -> dict[str, Any]:
        """{i: S(i,t)} for the nodes of the sweep."""
        return {step.node: step.total for step in self.steps}

    @property
    def value(self) -> Any:
        """S(s,t); 0.0 if no path leads from s to t, None without an s."""
        return None if self.s is None else self.sensitivities.get(self.s, 0.0)
