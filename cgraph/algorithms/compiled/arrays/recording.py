"""The equations and neurons of a graph as steps, and the sweeps over them in both directions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from cgraph.algorithms.compiled.arrays.array_steps import (
    forward_of_array_operation,
    reverse_of_array_operation,
    value_of_array_operation,
)
from cgraph.algorithms.compiled.arrays.elementwise_steps import apply_row, change_by_operand, gradient_of_operand
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
    apart : bool
        Whether each edge is a variable of its own, so that a sweep tells what passes through it.

    Attributes
    ----------
    steps : Steps
        All that can be computed; what nobody needs is left out later.
    nodes : dict
        The variable of each node and of each weight on an edge.
    """

    def __init__(self, G: ComputationalGraph, given: Mapping[Any, Any], *, apart: bool = False) -> None:
        self.steps = Steps()
        self.nodes: dict[Any, int] = {}
        self._graph = G
        self._given = given
        self._apart = apart
        self._edges: dict[tuple[str, str], int] = {}
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

    def size(self, node: Any) -> int:
        """Return how many entries a node has; 1 of one without a value."""
        return math.prod(self.steps.shape(self.value(node))) if node in self.nodes else 1

    def is_number(self, node: Any) -> bool:
        """Return whether a node is a number, or has no value."""
        return node not in self.nodes or self.steps.shape(self.value(node)) == ()

    def edge(self, i: str, j: str) -> int:
        """Return the variable through which node j reads node i, of a recorder that keeps edges apart."""
        return self._edges[i, j]

    # --- sweeps ---------------------------------------------------------------------------------------------------------

    def reverse(self, seeds: Mapping[int, int], wanted: Sequence[int], lead: Shape = ()) -> list[int]:
        """Append the reverse sweep from seeds, and return the steps of the S of the wanted variables.

        Parameters
        ----------
        seeds : dict
            ``{variable: step}``, of the shape of the variable behind the leading axis.
        wanted : sequence of int
            Variables.
        lead : tuple of int
            The number of rows that are swept together; () for one row, of a number.
        """
        leads_on = self._downstream(set(wanted))
        S = dict(seeds)
        for operation in reversed(self._operations):
            if operation.y not in S:
                continue
            # The last operand first: in x @ W and in a convolution, no later step reads x after the gradient of W.
            for k, x in reversed([*enumerate(operation.x)]):
                if x in leads_on:
                    share = self._share(operation, k, S[operation.y], lead)
                    S[x] = self.steps.ufunc("add", S[x], share) if x in S else share
        return self._whole(S, wanted, lead)

    def forward(self, seeds: Mapping[int, int], wanted: Sequence[int], lead: Shape = ()) -> list[int]:
        """Append the forward sweep from seeds; arguments and result are as of `reverse`, with columns for rows."""
        leads_on = self._upstream(set(wanted))
        S = dict(seeds)
        for operation in self._operations:
            if operation.y not in leads_on:
                continue
            for k, x in enumerate(operation.x):
                if x in S:
                    share = self._change(operation, k, S[x], lead)
                    S[operation.y] = self.steps.ufunc("add", S[operation.y], share) if operation.y in S else share
        return self._whole(S, wanted, lead)

    def identity(self, variables: Sequence[int]) -> tuple[dict[int, int], Shape]:
        """Append the seeds of a sweep from variables, a row for each of their entries, and return them with the leading axis."""
        shapes = [self.steps.shape(self._values[x]) for x in variables]
        sizes = [math.prod(shape) for shape in shapes]
        if sum(sizes) == 1:
            one = self.steps.number(1.0)
            return {
                x: self.steps.broadcast(one, shape)
                for x, shape in zip(variables, shapes, strict=True)
                if 0 not in shape
            }, ()
        rows = sum(sizes)
        require_entries(rows * max(sizes, default=0), f"a Jacobian of {rows:,} x {max(sizes, default=0):,}")
        starts = [sum(sizes[:k]) for k in range(len(sizes))]
        return {
            x: self._rows_of_identity(rows, start, shape)
            for x, start, shape in zip(variables, starts, shapes, strict=True)
        }, (rows,)

    def _rows_of_identity(self, rows: int, start: int, shape: Shape) -> int:
        block = np.eye(rows, math.prod(shape), -start).reshape(rows, *shape)
        return self.steps.call(lambda: block, (), block.shape)

    def _whole(self, S: Mapping[int, int], variables: Sequence[int], lead: Shape) -> list[int]:
        """Return the steps of the S of variables in their shape: 0 where no path leads."""
        shapes = [(*lead, *self.steps.shape(self._values[x])) for x in variables]
        return [
            self.steps.broadcast(S[x], shape) if x in S else self.steps.zeros(shape)
            for x, shape in zip(variables, shapes, strict=True)
        ]

    def _share(self, operation: _Operation, k: int, S: int, lead: Shape) -> int:
        """Append what an operation passes back to its operand `k`."""
        return self._passed(operation, k, S, lead, gradient_of_operand, reverse_of_array_operation)

    def _change(self, operation: _Operation, k: int, S: int, lead: Shape) -> int:
        """Append what an operation passes on from its operand `k`."""
        return self._passed(operation, k, S, lead, change_by_operand, forward_of_array_operation)

    def _passed(
        self,
        operation: _Operation,
        k: int,
        S: int,
        lead: Shape,
        of_numbers: Callable[..., int],
        of_arrays: Callable[..., int],
    ) -> int:
        """Append the product of `S` with the derivative with respect to operand `k`, in one of the two directions."""
        y, x = self._values[operation.y], [self._values[o] for o in operation.x]
        if operation.operation == _COPY:
            return S
        if operation.operation in OPERATIONS:
            return of_numbers(self.steps, OPERATIONS[operation.operation], k, S, y, x, lead)
        return of_arrays(self.steps, operation.operation, k, S, y, x, dict(operation.options), lead)

    def _downstream(self, sources: set[int]) -> set[int]:
        """Return the variables that depend on some of these."""
        found = set(sources)
        for operation in self._operations:
            if not found.isdisjoint(operation.x):
                found.add(operation.y)
        return found

    def _upstream(self, targets: set[int]) -> set[int]:
        """Return the variables that some of these depend on."""
        found = set(targets)
        for operation in reversed(self._operations):
            if operation.y in found:
                found.update(operation.x)
        return found

    # --- values ---------------------------------------------------------------------------------------------------------

    def _variable(self, step: int) -> int:
        self._values.append(step)
        return len(self._values) - 1

    def _equation(self, j: str, expression: Expression) -> int:
        v: list[int] = []
        for k, step in enumerate(expression.steps):
            match step:
                case Name(name):
                    v.append(self._operand(name, j))
                case Number(value):
                    v.append(self._variable(self.steps.number(value)))
                case Apply(operation, operands, options):
                    v.append(self._apply(operation, options, [v[o] for o in operands], (j, expression, k)))
        return v[-1] if isinstance(expression.steps[-1], Apply) else self._copy(v[-1])

    def _neuron(self, j: str) -> int:
        terms = [
            self._apply("mul", (), [self.nodes[i, j], self._operand(i, j)]) for i, _ in weights_into(self._graph, j)
        ]
        s = terms[0] if terms else self._variable(self.steps.number(0.0))
        for term in terms[1:]:
            s = self._apply("add", (), [s, term])
        return self._apply(self._graph.nodes[j]["activation"], (), [s])

    def _operand(self, i: str, j: str) -> int:
        """Return the variable through which node j reads node i."""
        if not self._apart:
            return self.nodes[i]
        if (i, j) not in self._edges:
            self._edges[i, j] = self._copy(self.nodes[i])
        return self._edges[i, j]

    def _copy(self, x: int) -> int:
        y = self._variable(self._values[x])
        self._operations.append(_Operation(_COPY, (), y, (x,)))
        return y

    def _apply(
        self, operation: str, options: Any, x: list[int], where: tuple[str, Expression, int] | None = None
    ) -> int:
        if (composed := self._composed(operation, x)) is not None:
            return composed
        operands = [self._values[o] for o in x]
        if operation in OPERATIONS:
            step = apply_row(self.steps, OPERATIONS[operation], operands)
        else:
            sample = partial(self._sample, *where) if where is not None else None
            step = value_of_array_operation(self.steps, operation, operands, dict(options), sample)
        y = self._variable(step)
        self._operations.append(_Operation(operation, options, y, tuple(x)))
        return y

    def _composed(self, operation: str, x: list[int]) -> int | None:
        """Return an operation that is written in others, so that value and sweeps follow from theirs; None of one that is not."""
        shapes = [self.steps.shape(self._values[o]) for o in x]
        ranks = [len(shape) for shape in shapes]
        match operation, ranks:
            case "squared_norm", _:
                return self._apply("sum", (), [self._apply("square", (), x)])
            case "squared_error", _:
                difference = self._apply("sub", (), x)
                axis = (("axis", -1),) if any(ranks) else ()
                square = self._apply("square", (), [difference])
                return self._apply("sum", axis, [square]) if any(ranks) else square
            case "dot", [1, 1]:
                return self._apply("matmul", (), x)
            case "outer", [1, 1]:
                columns = (("shape", (shapes[0][0], 1)),)
                return self._apply("mul", (), [self._apply("reshape", columns, x[:1]), x[1]])
        return None

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
