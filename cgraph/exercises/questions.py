"""What an exercise can ask: a number of the graph, several of them, a formula, or a choice.

A `Part` is one number: a function of a linearized graph. Whatever the graph is, the engine's own or one in which a
slip was made, the number follows from it by the same algorithms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np

from cgraph.algorithms.gradients import gradient_factors
from cgraph.algorithms.paths import count_paths
from cgraph.algorithms.sweeps import sensitivity
from cgraph.exercises.tolerances import Tolerance
from cgraph.model.extended_range import in_floats
from cgraph.model.graph import ComputationalGraph
from cgraph.model.linearized import compose
from cgraph.uncertainty.budget import uncertainty_budget

__all__ = [
    "BeforeActivation",
    "Choice",
    "EdgeDerivative",
    "Entry",
    "FormulaAnswer",
    "Gate",
    "GradientStep",
    "Part",
    "PathCount",
    "PathProduct",
    "Question",
    "Sensitivity",
    "StandardUncertainty",
    "UncertaintyComponent",
    "ValueOf",
    "WeightGradient",
]


@dataclass(frozen=True)
class ValueOf:
    """y(j), the value of a node."""

    node: str

    def of(self, L: ComputationalGraph) -> Any:
        """Return the number in a linearized graph."""
        return L.nodes[self.node]["value"]

    def __str__(self) -> str:
        return f"y({self.node})"


@dataclass(frozen=True)
class Sensitivity:
    """S(s,t) = dy(t)/dy(s)."""

    s: str
    t: str

    def of(self, L: ComputationalGraph) -> Any:
        """Return the number in a linearized graph."""
        return _shaped(L, self.s, self.t, sensitivity(L, self.s, self.t))

    def __str__(self) -> str:
        return f"d{_typed(self.t)}/d{_typed(self.s)}"


@dataclass(frozen=True)
class BeforeActivation:
    """dy(t)/ds(j) = S(j,t) Phi'(s(j)): the delta of textbooks, before the activation of neuron `j`."""

    j: str
    t: str

    def of(self, L: ComputationalGraph) -> Any:
        """Return the number in a linearized graph."""
        gate = L.nodes[self.j]["gate"]
        by_column = np.ravel(gate) if np.ndim(gate) else gate
        return _shaped(L, self.j, self.t, sensitivity(L, self.j, self.t) * by_column)

    def __str__(self) -> str:
        return f"d{_typed(self.t)}/ds({self.j})"


@dataclass(frozen=True)
class WeightGradient:
    """dy(t)/dw_ij for the weight of the edge (i, j) into a neuron."""

    i: str
    j: str
    t: str

    def of(self, L: ComputationalGraph) -> Any:
        """Return the number in a linearized graph."""
        return float(gradient_factors(L, self.t)[self.i, self.j].product)

    def __str__(self) -> str:
        return f"d{_typed(self.t)}/dw({self.i},{self.j})"


@dataclass(frozen=True)
class EdgeDerivative:
    """z(i,j) = dy(j)/dy(i) along the edge alone."""

    i: str
    j: str

    def of(self, L: ComputationalGraph) -> Any:
        """Return the number in a linearized graph."""
        return _shaped(L, self.i, self.j, in_floats(L.edges[self.i, self.j]["derivative"]))

    def __str__(self) -> str:
        return f"z({self.i},{self.j})"


@dataclass(frozen=True)
class Gate:
    """Phi'(s(j)) of a neuron."""

    node: str

    def of(self, L: ComputationalGraph) -> Any:
        """Return the number in a linearized graph."""
        return L.nodes[self.node]["gate"]

    def __str__(self) -> str:
        return f"gate({self.node})"


@dataclass(frozen=True)
class StandardUncertainty:
    """u(t) of a result, by the uncertainties that the spec states."""

    t: str

    def of(self, L: ComputationalGraph) -> Any:
        """Return the number in a linearized graph."""
        return uncertainty_budget(L, [self.t]).standard[self.t]

    def __str__(self) -> str:
        return f"u({self.t})"


@dataclass(frozen=True)
class UncertaintyComponent:
    """S(i,t) u(i): what the uncertainty of an input makes of a result."""

    t: str
    i: str

    def of(self, L: ComputationalGraph) -> Any:
        """Return the number in a linearized graph."""
        return uncertainty_budget(L, [self.t]).components[self.t][self.i]

    def __str__(self) -> str:
        return f"the component of {self.i} in u({self.t})"


@dataclass(frozen=True)
class PathCount:
    """The number of paths from s to t."""

    s: str
    t: str

    def of(self, L: ComputationalGraph) -> Any:
        """Return the number in a linearized graph."""
        return count_paths(L, self.s, self.t)

    def __str__(self) -> str:
        return f"the number of paths from {self.s} to {self.t}"


@dataclass(frozen=True)
class PathProduct:
    """The product of the z along one path."""

    path: tuple[str, ...]

    def of(self, L: ComputationalGraph) -> Any:
        """Return the number in a linearized graph."""
        later = [L.edges[edge]["derivative"] for edge in reversed(self.edges)]  # the one nearest to s on the right
        return _shaped(L, self.path[0], self.path[-1], in_floats(reduce(compose, later)))

    @property
    def edges(self) -> list[tuple[str, str]]:
        """The edges of the path."""
        return list(pairwise(self.path))

    def __str__(self) -> str:
        return f"the product along {' -> '.join(self.path)}"


@dataclass(frozen=True)
class GradientStep:
    """A weight after one step of gradient descent: w - rate dJ/dw."""

    gradient: Sensitivity | WeightGradient
    rate: float

    def of(self, L: ComputationalGraph) -> Any:
        """Return the number in a linearized graph."""
        return self.weight(L) - self.rate * self.gradient.of(L)

    def weight(self, L: ComputationalGraph) -> Any:
        """Return the weight before the step."""
        if isinstance(self.gradient, Sensitivity):
            return L.nodes[self.gradient.s]["value"]
        return float(L.edges[self.gradient.i, self.gradient.j]["weight"])

    def __str__(self) -> str:
        g = self.gradient
        name = g.s if isinstance(g, Sensitivity) else f"w({g.i},{g.j})"
        return f"{name} after a step of rate {self.rate:g}"


@dataclass(frozen=True)
class Entry:
    """One entry of a part that is an array."""

    whole: Part
    index: tuple[int, ...]

    def of(self, L: ComputationalGraph) -> Any:
        """Return the number in a linearized graph."""
        return float(self.whole.of(L)[self.index])

    def __str__(self) -> str:
        return f"{self.whole}[{', '.join(map(str, self.index))}]"


Part = (
    ValueOf
    | Sensitivity
    | BeforeActivation
    | WeightGradient
    | EdgeDerivative
    | Gate
    | PathCount
    | PathProduct
    | GradientStep
    | StandardUncertainty
    | UncertaintyComponent
    | Entry
)


def _typed(node: str) -> str:
    """Return a node's name as it stands in a derivative: of node 9, y(9)."""
    return f"y({node})" if node.isdecimal() else node


def _shaped(L: ComputationalGraph, s: str, t: str, S: Any) -> Any:
    """Return a derivative as it is asked for: of a number in the shape of y(s), by a number in that of y(t)."""
    if isinstance(S, int | float):
        return float(S)
    matrix = np.asarray(S)
    if np.ndim(L.nodes[t].get("value", 0.0)) == 0:
        return matrix.reshape(np.shape(L.nodes[s].get("value", 0.0)))
    return matrix.reshape(np.shape(L.nodes[t]["value"])) if np.ndim(L.nodes[s].get("value", 0.0)) == 0 else matrix


@dataclass(frozen=True)
class FormulaAnswer:
    """S(s,t) as a formula, compared at random points of the domains of the inputs and weights."""

    part: Sensitivity
    domains: Mapping[str, tuple[float, float]] = field(hash=False)

    def __str__(self) -> str:
        return f"a formula for {self.part}"


@dataclass(frozen=True)
class Choice:
    """One of several texts; `right` is its letter."""

    options: tuple[str, ...]
    right: str

    def __str__(self) -> str:
        return "a choice"


@dataclass(frozen=True)
class Question:
    """One item of an exercise.

    Attributes
    ----------
    id : str
        Under which answers are given.
    parts : dict
        The numbers that are asked for, under their labels; a single one has the label "".
    special : FormulaAnswer, Choice or None
        What is asked for instead of numbers.
    shape : tuple of int
        Of an array; () for a number, a table, a formula or a choice.
    tolerance : Tolerance
        How near each number must come.
    points : Fraction
        What a right answer earns; each right part of several earns its share.
    answers : dict
        The truths that the author gave, under the labels of the parts; empty for the engine's own.
    text, hint : str
        The author's words for the question, and for whoever is stuck.
    seals : dict
        In a sealed exercise, the hashes of right answers under the labels of the parts.
    """

    id: str
    parts: Mapping[str, Part]
    tolerance: Tolerance
    special: FormulaAnswer | Choice | None = None
    shape: tuple[int, ...] = ()
    points: Fraction = Fraction(1)
    answers: Mapping[str, Fraction] = field(default_factory=dict)
    text: str = ""
    hint: str = ""
    seals: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def asks(self) -> str:
        """What is asked for, in short."""
        if self.special is not None:
            return str(self.special)
        if set(self.parts) == {""}:
            return str(self.parts[""])
        first, *others = self.parts.values()
        if isinstance(first, Entry):
            return f"{first.whole}, {' x '.join(map(str, self.shape))}"
        return f"{first} to {others[-1]}" if others else str(first)
