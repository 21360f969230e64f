"""A possible mistake: another graph, another number computed from it, or both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from cgraph.exercises.parts import (
    Part,
)
from cgraph.model.errors import CGraphError
from cgraph.model.evaluation import derivatives_of_steps, steps_of
from cgraph.model.graph import ComputationalGraph
from cgraph.model.language.expressions import Apply, Expression
from cgraph.model.operations.elementwise import OPERATIONS
from cgraph.model.operations.structured_jacobians import elementwise
from cgraph.model.rules.generate import functions_of

__all__ = [
    "Applied",
    "Change",
    "Edge",
    "PossibleMistake",
    "applied",
    "finite_or_none",
    "with_derivatives",
    "with_gates",
    "without_edges",
]

Change = Callable[[ComputationalGraph], ComputationalGraph]
Edge = tuple[str, str]


class PossibleMistake(NamedTuple):
    """One mistake that could have been made.

    `where` names the place and `what` the mistake. `change` turns the linearized graph into that of a student who made the
    mistake; `read` computes the answer from a graph, if the student computed something else than was asked for.
    """

    kind: str
    where: str
    what: str
    change: Change | None = None
    read: Callable[[ComputationalGraph], Any] | None = None

    def answer(self, part: Part, L: ComputationalGraph) -> Any:
        """Return the number or array that the mistake leads to."""
        return (self.read or part.of)(self.change(L) if self.change else L)


def finite_or_none(compute: Callable[[], Any]) -> Any:
    """Return a number or an array, or None where there is none."""
    try:
        with np.errstate(all="ignore"):
            value = compute()
    except (CGraphError, ArithmeticError, ValueError, TypeError):
        return None
    return (value if np.ndim(value) else float(value)) if np.all(np.isfinite(value)) else None


def with_derivatives(functions: Mapping[Edge, Callable[[Any], Any]]) -> Change:
    """Return the change of some z(i,j) by functions of what they are."""

    def changed(L: ComputationalGraph) -> ComputationalGraph:
        H = L.copy()
        for edge, function in functions.items():
            H.edges[edge]["derivative"] = function(H.edges[edge]["derivative"])
        return H

    return changed


def without_edges(edges: Iterable[Edge]) -> Change:
    """Return the change that leaves edges out."""
    removed = list(edges)

    def changed(L: ComputationalGraph) -> ComputationalGraph:
        H = L.copy()
        H.remove_edges_from(removed)
        return H

    return changed


def with_gates(gates: Mapping[str, float]) -> Change:
    """Return the change of some gates, and of the z(i,j) that they are factors of."""

    def changed(L: ComputationalGraph) -> ComputationalGraph:
        H = L.copy()
        for j, gate in gates.items():
            H.nodes[j]["gate"] = gate
            for i in H.predecessors(j):
                H.edges[i, j]["derivative"] = gate * H.edges[i, j]["weight"]
        return H

    return changed


class Applied(NamedTuple):
    """An operation in the equation of a node: the values `v` of the equation's steps, and which step it is."""

    node: str
    expression: Expression
    v: list[Any]
    k: int
    operation: str
    operands: tuple[int, ...]

    @property
    def value(self) -> Any:
        """What the operation comes to."""
        return self.v[self.k]

    @property
    def x(self) -> list[Any]:
        """The operands."""
        return [self.v[o] for o in self.operands]

    @property
    def varies(self) -> list[bool]:
        """Whether each operand depends on a node."""
        return [self.expression.varies[o] for o in self.operands]

    @property
    def where(self) -> str:
        """Where to look."""
        return f"the derivative of node {self.node}"

    def rule(self, p: int) -> Any:
        """Return the partial derivative of an elementwise operation with respect to the operand at position `p`."""
        return functions_of(OPERATIONS[self.operation]).derivatives[p](self.value, *self.x)

    def differentiated(self, partials: Mapping[int, Any]) -> Change:
        """Return the change in which the partial derivatives by some operands are others."""
        return self.with_local({(self.k, p): self.derivative(p, partial) for p, partial in partials.items()})

    def derivative(self, p: int, partial: Any) -> Any:
        """Return the derivative with respect to operand `p`, a number or a Jacobian, from the partial derivative."""
        return elementwise(partial, np.shape(self.x[p]), np.shape(self.value))

    def with_local(self, derivatives: Mapping[tuple[int, int], Any]) -> Change:
        """Return the change in which the derivatives {(k, p): number or Jacobian} of steps by operands are others."""
        try:
            z = derivatives_of_steps(self.expression, self.v, self.node, derivatives)
        except (CGraphError, ValueError):  # shapes that do not fit: nobody mistakes this way
            z = {}

        def changed(L: ComputationalGraph) -> ComputationalGraph:
            if not z:
                raise ValueError("no such derivative")
            H = L.copy()
            for i, derivative in z.items():
                H.edges[i, self.node]["derivative"] = derivative
            return H

        return changed

    def inner(self) -> list[Applied]:
        """Return the operations that the first operand is made of."""
        found, todo = [], [self.operands[0]]
        while todo:
            k = todo.pop()
            step = self.expression.steps[k]
            if isinstance(step, Apply):
                found.append(self._replace(k=k, operation=step.operation, operands=step.operands))
                todo += step.operands
        return found


def applied(part: Part, L: ComputationalGraph) -> Iterator[Applied]:
    """Iterate over the operations that vary in the equations on the way."""
    y = {i: data["value"] for i, data in L.nodes(data=True) if data.get("value") is not None}
    for j in part.heads(L):
        expression: Expression | None = L.nodes[j].get("expression")
        if expression is not None:
            v = steps_of(expression, y, j)
            for k, step in enumerate(expression.steps):
                if isinstance(step, Apply) and expression.varies[k]:
                    yield Applied(j, expression, v, k, step.operation, step.operands)
