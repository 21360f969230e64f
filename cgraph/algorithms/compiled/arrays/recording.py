"""The equations and neurons of a graph as steps, and the reverse sweep over them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from cgraph.algorithms.compiled.arrays.array_steps import reverse_of_array_operation, value_of_array_operation
from cgraph.algorithms.compiled.arrays.elementwise_steps import apply_row, gradient_of_operand
from cgraph.algorithms.compiled.arrays.steps import Shape, Steps
from cgraph.model.evaluation import is_computed, steps_of, value_of, weights_into
from cgraph.model.graph import ComputationalGraph, topological_order
from cgraph.model.language.expressions import Apply, Expression, Name, Number
from cgraph.model.limits import require_entries
from cgraph.model.operations.elementwise import OPERATIONS

__all__ = ["Recorder"]

_COPY = "copy"


class _Operation(NamedTuple):
    """An operation on variables: which one, what it gives, what it takes."""

    operation: str
    options: tuple[tuple[str, Any], ...]
    y: int
    x: tuple[int, ...]


class Recorder:
    """Writes down the steps of all nodes of a graph; a variable for each value that a sweep tells from others.

    Parameters
    ----------
    G : ComputationalGraph
        Acyclic.
    given : dict
        What is given, ``{node or (i, j): value}``: of sources, and of weights on edges.

    Attributes
    ----------
    steps : Steps
        All that can be computed; what nobody needs is left out later.
    nodes : dict
        The variable of each node and of each weight on an edge.
    """

    def __init__(self, G: ComputationalGraph, given: Mapping[Any, Any]) -> None:
        self.steps = Steps()
        self.nodes: dict[Any, int] = {}
        self._graph = G
        self._given = given
        self._samples: dict[str, Any] | None = None
        self._values: list[int] = []  # the step of each variable
        self._operations: list[_Operation] = []
        for key, value in given.items():
            self.nodes[key] = self._variable(self.steps.given(np.shape(value)))
        for j in topological_order(G):
            if "expression" in G.nodes[j]:
                self.nodes[j] = self._equation(j, G.nodes[j]["expression"])
            elif "activation" in G.nodes[j]:
                self.nodes[j] = self._neuron(j)

    def value(self, node: Any) -> int:
        """Return the step that is the value of a node."""
        return self._values[self.nodes[node]]

    def reverse(self, t: str, wanted: Iterable[Any], lead: Shape = ()) -> dict[Any, int]:
        """Append the reverse sweep from `t` to the wanted nodes, and return the step of each S.

        `lead` is the number of entries of t, if its Jacobian is asked for, and () for a number t.
        """
        wanted = list(wanted)
        leads_on = self._downstream({self.nodes[i] for i in wanted})
        shape = self.steps.shape(self.value(t))
        S = {self.nodes[t]: self._identity(lead, shape) if lead else self.steps.number(1.0)}
        for operation in reversed(self._operations):
            if operation.y not in S:
                continue
            for k, x in enumerate(operation.x):
                if x in leads_on:
                    share = self._share(operation, k, S[operation.y], lead)
                    S[x] = self.steps.ufunc("add", S[x], share) if x in S else share
        zero = self.steps.number(0.0)
        return {i: S.get(self.nodes[i], zero) for i in wanted}

    def _share(self, operation: _Operation, k: int, S: int, lead: Shape) -> int:
        """Append what an operation passes back to its operand `k`."""
        y, x = self._values[operation.y], [self._values[o] for o in operation.x]
        if operation.operation == _COPY:
            return S
        if operation.operation in OPERATIONS:
            return gradient_of_operand(self.steps, OPERATIONS[operation.operation], k, S, y, x, lead)
        options = dict(operation.options)
        return reverse_of_array_operation(self.steps, operation.operation, k, S, y, x, options, lead)

    def _identity(self, lead: Shape, shape: Shape) -> int:
        require_entries(lead[0] ** 2, f"a Jacobian of {lead[0]:,} x {lead[0]:,}")
        identity = np.eye(lead[0]).reshape(*lead, *shape)
        return self.steps.call(lambda: identity, (), identity.shape)

    def _downstream(self, sources: set[int]) -> set[int]:
        """Return the variables that depend on some of these."""
        found = set(sources)
        for operation in self._operations:
            if not found.isdisjoint(operation.x):
                found.add(operation.y)
        return found

    def _variable(self, step: int) -> int:
        self._values.append(step)
        return len(self._values) - 1

    def _equation(self, j: str, expression: Expression) -> int:
        v: list[int] = []
        for k, step in enumerate(expression.steps):
            match step:
                case Name(name):
                    v.append(self.nodes[name])
                case Number(value):
                    v.append(self._variable(self.steps.number(value)))
                case Apply(operation, operands, options):
                    v.append(self._apply(operation, options, [v[o] for o in operands], (j, expression, k)))
        return v[-1] if isinstance(expression.steps[-1], Apply) else self._copy(v[-1])

    def _neuron(self, j: str) -> int:
        terms = [self._apply("mul", (), [self.nodes[i, j], self.nodes[i]]) for i, _ in weights_into(self._graph, j)]
        s = terms[0] if terms else self._variable(self.steps.number(0.0))
        for term in terms[1:]:
            s = self._apply("add", (), [s, term])
        return self._apply(self._graph.nodes[j]["activation"], (), [s])

    def _copy(self, x: int) -> int:
        y = self._variable(self._values[x])
        self._operations.append(_Operation(_COPY, (), y, (x,)))
        return y

    def _apply(
        self, operation: str, options: Any, x: list[int], where: tuple[str, Expression, int] | None = None
    ) -> int:
        operands = [self._values[o] for o in x]
        if where is None or operation in OPERATIONS:
            step = apply_row(self.steps, OPERATIONS[operation], operands)
        else:
            step = value_of_array_operation(
                self.steps, operation, operands, dict(options), lambda: self._sample(*where)
            )
        y = self._variable(step)
        self._operations.append(_Operation(operation, options, y, tuple(x)))
        return y

    def _sample(self, j: str, expression: Expression, k: int) -> Any:
        """Return the value of a step at the values that are given: the interpreter tells its shape."""
        if self._samples is None:
            self._samples = {i: value for i, value in self._given.items() if isinstance(i, str)}
        for i in topological_order(self._graph):
            if i == j:
                break
            if i not in self._samples and is_computed(self._graph, i):
                self._samples[i] = value_of(self._graph, i, self._samples)
        return steps_of(expression, self._samples, j)[k]
