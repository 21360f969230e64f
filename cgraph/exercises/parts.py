"""The numbers that an exercise can ask for.

A `Part` is one of them: a function of a linearized graph. Whatever the graph is, the engine's own or one in which a
mistake was made, the number follows from it by the same algorithms.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from cgraph.algorithms.gradients import gradient_factors
from cgraph.algorithms.paths import count_paths
from cgraph.algorithms.sweeps import sensitivity
from cgraph.model.evaluation import is_computed
from cgraph.model.extended_range import in_floats
from cgraph.model.graph import ComputationalGraph
from cgraph.model.linearized import compose, nodes_between
from cgraph.reports.latex import latex_name
from cgraph.reports.tables import Formula
from cgraph.uncertainty.budget import uncertainty_budget

__all__ = [
    "BeforeActivation",
    "EdgeDerivative",
    "Entry",
    "Gate",
    "GradientStep",
    "Part",
    "PathCount",
    "PathProduct",
    "Phrase",
    "Sensitivity",
    "StandardUncertainty",
    "UncertaintyComponent",
    "ValueOf",
    "WeightGradient",
    "node_formula",
    "path_formula",
]

Edge = tuple[str, str]
Phrase = tuple[str | Formula, ...]  # words, and formulas between them


class Part(ABC):
    """One number, or one array, that can be asked for.

    Attributes
    ----------
    is_count : bool
        Whether it counts something: answers are whole numbers, and no digits of it can be lost.
    """

    is_count: ClassVar[bool] = False

    @abstractmethod
    def of(self, L: ComputationalGraph) -> Any:
        """Return the number in a linearized graph."""

    @property
    @abstractmethod
    def symbol(self) -> Formula:
        """What it is called in a formula."""

    @property
    def request(self) -> Phrase:
        """What asks for it, as a sentence without its end."""
        return ("Compute ", self.symbol)

    @property
    def ends(self) -> Edge | None:
        """The nodes between which the sweep for it runs."""
        return None

    def edges(self, L: ComputationalGraph) -> list[Edge]:
        """Return the edges whose derivatives go into the number."""
        inside = set(self.nodes(L))
        return [(i, j) for i, j in L.edges if i in inside and j in inside]

    def nodes(self, L: ComputationalGraph) -> list[str]:
        """Return the nodes on the way, in topological order."""
        return nodes_between(L, *self.ends) if self.ends else []

    def heads(self, L: ComputationalGraph) -> list[str]:
        """Return the computed nodes whose local derivatives go into the number."""
        return [j for j in dict.fromkeys(j for _, j in self.edges(L)) if is_computed(L, j)]


@dataclass(frozen=True)
class ValueOf(Part):
    """y(j), the value of a node."""

    node: str

    def of(self, L: ComputationalGraph) -> Any:
        return L.nodes[self.node]["value"]

    def __str__(self) -> str:
        return f"y({self.node})"

    @property
    def symbol(self) -> Formula:
        return node_formula(self.node)

    @property
    def request(self) -> Phrase:
        return ("Compute the value ", self.symbol)


@dataclass(frozen=True)
class Sensitivity(Part):
    """S(s,t) = dy(t)/dy(s)."""

    s: str
    t: str

    def of(self, L: ComputationalGraph) -> Any:
        return _shaped(L, self.s, self.t, sensitivity(L, self.s, self.t))

    def __str__(self) -> str:
        return f"d{_typed(self.t)}/d{_typed(self.s)}"

    @property
    def symbol(self) -> Formula:
        return Formula(str(self), _quotient(self.t, latex_name(self.s)))

    @property
    def ends(self) -> Edge:
        return self.s, self.t

    @property
    def variable(self) -> Formula:
        """What a step of descent would change."""
        return node_formula(self.s)


@dataclass(frozen=True)
class BeforeActivation(Part):
    """dy(t)/ds(j) = S(j,t) Phi'(s(j)): the delta of textbooks, before the activation of neuron `j`."""

    j: str
    t: str

    def of(self, L: ComputationalGraph) -> Any:
        gate = L.nodes[self.j]["gate"]
        by_column = np.ravel(gate) if np.ndim(gate) else gate
        return _shaped(L, self.j, self.t, sensitivity(L, self.j, self.t) * by_column)

    def __str__(self) -> str:
        return f"d{_typed(self.t)}/ds({self.j})"

    @property
    def symbol(self) -> Formula:
        return Formula(str(self), _quotient(self.t, f"s_{{{latex_name(self.j)}}}"))

    @property
    def request(self) -> Phrase:
        return ("Compute ", self.symbol, ", the derivative with respect to the weighted sum of ", node_formula(self.j))

    @property
    def ends(self) -> Edge:
        return self.j, self.t

    def heads(self, L: ComputationalGraph) -> list[str]:
        return list(dict.fromkeys([self.j, *super().heads(L)]))


@dataclass(frozen=True)
class WeightGradient(Part):
    """dy(t)/dw_ij for the weight of the edge (i, j) into a neuron."""

    i: str
    j: str
    t: str

    def of(self, L: ComputationalGraph) -> Any:
        return float(gradient_factors(L, self.t)[self.i, self.j].product)

    def __str__(self) -> str:
        return f"d{_typed(self.t)}/dw({self.i},{self.j})"

    @property
    def symbol(self) -> Formula:
        return Formula(str(self), _quotient(self.t, self.variable.latex))

    @property
    def request(self) -> Phrase:
        edge = path_formula((self.i, self.j))
        return ("Compute ", self.symbol, ", the derivative with respect to the weight of the edge ", edge)

    @property
    def ends(self) -> Edge:
        return self.j, self.t

    def heads(self, L: ComputationalGraph) -> list[str]:
        return list(dict.fromkeys([self.j, *super().heads(L)]))

    @property
    def variable(self) -> Formula:
        """What a step of descent would change."""
        return Formula(f"w({self.i},{self.j})", f"w({latex_name(self.i)}, {latex_name(self.j)})")


@dataclass(frozen=True)
class EdgeDerivative(Part):
    """z(i,j) = dy(j)/dy(i) along the edge alone."""

    i: str
    j: str

    def of(self, L: ComputationalGraph) -> Any:
        return _shaped(L, self.i, self.j, in_floats(L.edges[self.i, self.j]["derivative"]))

    def __str__(self) -> str:
        return f"z({self.i},{self.j})"

    @property
    def symbol(self) -> Formula:
        return Formula(str(self), f"z({latex_name(self.i)}, {latex_name(self.j)})")

    @property
    def request(self) -> Phrase:
        return ("Compute the local derivative ", self.symbol, " of the edge ", path_formula((self.i, self.j)), " alone")

    def nodes(self, L: ComputationalGraph) -> list[str]:
        return [self.i, self.j]

    def edges(self, L: ComputationalGraph) -> list[Edge]:
        return [(self.i, self.j)]


@dataclass(frozen=True)
class Gate(Part):
    """Phi'(s(j)) of a neuron."""

    node: str

    def of(self, L: ComputationalGraph) -> Any:
        return L.nodes[self.node]["gate"]

    def __str__(self) -> str:
        return f"gate({self.node})"

    @property
    def symbol(self) -> Formula:
        return Formula(f"Phi'(s({self.node}))", rf"\Phi'(s_{{{latex_name(self.node)}}})")

    @property
    def request(self) -> Phrase:
        return ("Compute ", self.symbol, ", the derivative of the activation of ", node_formula(self.node))

    def heads(self, L: ComputationalGraph) -> list[str]:
        return [self.node]


@dataclass(frozen=True)
class StandardUncertainty(Part):
    """u(t) of a result, by the uncertainties that the spec states."""

    t: str

    def of(self, L: ComputationalGraph) -> Any:
        return uncertainty_budget(L, [self.t]).standard[self.t]

    def __str__(self) -> str:
        return f"u({self.t})"

    @property
    def symbol(self) -> Formula:
        return Formula(str(self), f"u({latex_name(self.t)})")

    @property
    def request(self) -> Phrase:
        return ("Compute the standard uncertainty ", self.symbol, " of ", node_formula(self.t))


@dataclass(frozen=True)
class UncertaintyComponent(Part):
    """S(i,t) u(i): what the uncertainty of an input makes of a result."""

    t: str
    i: str

    def of(self, L: ComputationalGraph) -> Any:
        return uncertainty_budget(L, [self.t]).components[self.t][self.i]

    def __str__(self) -> str:
        return f"the component of {self.i} in u({self.t})"

    @property
    def symbol(self) -> Formula:
        i, t = latex_name(self.i), latex_name(self.t)
        return Formula(f"S({self.i},{self.t}) u({self.i})", rf"S({i}, {t})\, u({i})")

    @property
    def request(self) -> Phrase:
        i, t = node_formula(self.i), node_formula(self.t)
        return ("Compute the component ", self.symbol, " that the uncertainty of ", i, " makes of that of ", t)


@dataclass(frozen=True)
class PathCount(Part):
    """The number of paths from s to t."""

    is_count = True
    s: str
    t: str

    def of(self, L: ComputationalGraph) -> Any:
        return count_paths(L, self.s, self.t)

    def __str__(self) -> str:
        return f"the number of paths from {self.s} to {self.t}"

    @property
    def symbol(self) -> Formula:
        return Formula("number of paths", r"\text{number of paths}")

    @property
    def request(self) -> Phrase:
        return ("Compute the number of paths from ", node_formula(self.s), " to ", node_formula(self.t))


@dataclass(frozen=True)
class PathProduct(Part):
    """The product of the z along one path."""

    path: tuple[str, ...]

    def of(self, L: ComputationalGraph) -> Any:
        later = [L.edges[edge]["derivative"] for edge in reversed(self.edges(L))]  # the one nearest to s on the right
        return _shaped(L, self.path[0], self.path[-1], in_floats(reduce(compose, later)))

    def __str__(self) -> str:
        return f"the product along {' -> '.join(self.path)}"

    @property
    def symbol(self) -> Formula:
        return Formula("product", rf"\text{{product along }} {path_formula(self.path).latex}")

    @property
    def request(self) -> Phrase:
        return ("Compute the product of the derivatives along the path ", path_formula(self.path))

    def nodes(self, L: ComputationalGraph) -> list[str]:
        return list(self.path)

    def edges(self, L: ComputationalGraph) -> list[Edge]:
        return list(pairwise(self.path))


@dataclass(frozen=True)
class GradientStep(Part):
    """A weight after one step of gradient descent: w - rate dJ/dw."""

    gradient: Sensitivity | WeightGradient
    rate: float

    def of(self, L: ComputationalGraph) -> Any:
        return self.weight(L) - self.rate * self.gradient.of(L)

    def weight(self, L: ComputationalGraph) -> Any:
        """Return the weight before the step."""
        if isinstance(self.gradient, Sensitivity):
            return L.nodes[self.gradient.s]["value"]
        return float(L.edges[self.gradient.i, self.gradient.j]["weight"])

    def __str__(self) -> str:
        return f"{self.gradient.variable.text} after a step of rate {self.rate:g}"

    @property
    def symbol(self) -> Formula:
        old = self.gradient.variable
        return Formula(f"new {old.text}", rf"{old.latex}^{{\mathrm{{new}}}}")

    @property
    def request(self) -> Phrase:
        step = f" after one step of gradient descent with the rate {self.rate:g}, downhill in "
        return ("Compute the value of ", self.gradient.variable, step, node_formula(self.gradient.t))


@dataclass(frozen=True)
class Entry(Part):
    """One entry of a part that is an array."""

    whole: Part
    index: tuple[int, ...]

    def of(self, L: ComputationalGraph) -> Any:
        return float(self.whole.of(L)[self.index])

    def __str__(self) -> str:
        return f"{self.whole}[{', '.join(map(str, self.index))}]"

    @property
    def symbol(self) -> Formula:
        of, place = self.whole.symbol, ", ".join(str(k + 1) for k in self.index)
        return Formula(f"{of.text}[{place}]", rf"\left({of.latex}\right)_{{{place}}}")


def path_formula(path: tuple[str, ...]) -> Formula:
    r"""Return a path as it stands in a formula.

    Examples
    --------
    >>> path_formula(("x", "h1"))
    Formula(text='x -> h1', latex='x \\to h_{1}')
    """
    return Formula(" -> ".join(path), r" \to ".join(map(latex_name, path)))


def node_formula(j: str) -> Formula:
    """Return the name of a node as it stands in a formula."""
    return Formula(j, latex_name(j))


def _quotient(t: str, below: str) -> str:
    return rf"\frac{{\partial {latex_name(t)}}}{{\partial {below}}}"


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
