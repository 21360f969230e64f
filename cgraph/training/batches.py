"""An equation over many examples at once: the same operations, with the examples along a leading axis.

Every value has its shape for one example; one that depends on the data has an axis of examples before it. Elementwise
operations align the axes behind that one, reductions and indices move by one axis, and a matrix that serves all
examples multiplies their vectors as rows. The equation that comes out is an equation like any other.

Source: DD2424, lecture 3 (gradient computations for a mini-batch).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from cgraph.model.errors import CGraphError
from cgraph.model.evaluation import is_computed, source_values, steps_of, unlinearized, value_of
from cgraph.model.graph import ComputationalGraph, topological_order
from cgraph.model.language.expressions import Apply, Expression, Name, Number, written
from cgraph.model.language.parsing import parse
from cgraph.model.operations.arrays import ARRAY_OPERATIONS, Slice
from cgraph.model.operations.elementwise import OPERATIONS
from cgraph.model.operations.structured_jacobians import Shape
from cgraph.model.values import show_shape

__all__ = ["over_examples"]

ALL = Slice(None, None, None)
LOSSES = {"cross_entropy", "softmax_cross_entropy", "squared_error", "hinge"}


def over_examples(G: ComputationalGraph, example: Mapping[str, Any], losses: Collection[str]) -> ComputationalGraph:
    """Return `G` with its equations over many examples; the values of the inputs that vary are left to be set.

    Parameters
    ----------
    G : ComputationalGraph
        Not modified.
    example : dict
        The inputs that differ from example to example, with the values of one of them.
    losses : collection of nodes
        Those that are one number for each example become the mean over the examples. Neurons work entry by entry and
        stay as they are.

    Raises
    ------
    CGraphError
        If an operation has no form for many examples (det, inv), naming node and operation.

    Notes
    -----
    O(V + E) and the length of the equations.
    """
    y = source_values(G, example)
    varies = dict.fromkeys(example, True)
    H = unlinearized(G)
    with np.errstate(all="ignore"):
        for j in topological_order(G):
            varies[j] = varies.get(j, False) or any(varies[i] for i in G.predecessors(j))
            if not is_computed(G, j):
                continue
            if not varies[j] or "activation" in G.nodes[j]:
                y[j] = value_of(G, j, y)
                _require_aligned(G, j, y, varies)
                continue
            v = steps_of(G.nodes[j]["expression"], y, j)
            y[j] = v[-1]
            equation = _Writer(j, G.nodes[j]["expression"], v, varies).equation()
            if j in losses and not np.ndim(y[j]):
                equation = f"mean({equation}, axis=0)"
                _require_last(G, j)
            expression = parse(equation, G.functions)
            H.nodes[j].update(equation=equation, expression=expression, operands=expression.operands)
    return H


def _require_aligned(G: ComputationalGraph, j: str, y: Mapping[str, Any], varies: Mapping[str, bool]) -> None:
    """Raise `CGraphError` if neuron `j` adds a number of each example to an array: a weighted sum cannot move axes."""
    if "activation" not in G.nodes[j]:
        return
    for i in G.predecessors(j):
        if varies[i] and np.ndim(y[i]) < np.ndim(y[j]):
            raise CGraphError(
                f"neuron {j!r} reads {i!r}, {show_shape(y[i])}, beside {show_shape(y[j])}: this sum has no form for many "
                f"examples; give its inputs one shape, or compute one at a time"
            )


def _require_last(G: ComputationalGraph, j: str) -> None:
    """Raise `CGraphError` if the mean loss `j` feeds another node, which needs the loss of each example."""
    for k in G.successors(j):
        raise CGraphError(
            f"{j!r} becomes the mean over the examples, but {k!r} reads it, and would need it of each example; declare "
            f"only the last of them as an output, or compute one at a time"
        )


class _Writer:
    """Writes one equation anew, step by step; what stands in `steps` is the new equation."""

    def __init__(self, node: str, expression: Expression, v: list[Any], varies: Mapping[str, bool]) -> None:
        self.node = node
        self.expression = expression
        self.shapes = [np.shape(value) for value in v]  # for one example
        self.varies = [isinstance(step, Name) and varies[step.name] for step in expression.steps]
        self.steps: list[Name | Number | Apply] = []

    def equation(self) -> str:
        new: list[int] = []  # where the results of the old steps stand
        for k, step in enumerate(self.expression.steps):
            if not isinstance(step, Apply):
                self.steps.append(step)
                new.append(len(self.steps) - 1)
                continue
            self.varies[k] = any(self.varies[o] for o in step.operands)
            x = [new[o] for o in step.operands]
            kept = not self.varies[k]
            new.append(
                self.emit(step.operation, *x, **dict(step.options)) if kept else self.batched(step, x, self.shapes[k])
            )
        return written(Expression(tuple(self.steps)))[-1]

    def emit(self, operation: str, *operands: int, **options: Any) -> int:
        """Append a step and return its place."""
        self.steps.append(Apply(operation, operands, tuple(sorted(options.items()))))
        return len(self.steps) - 1

    def batched(self, step: Apply, x: list[int], y: Shape) -> int:
        """Append what `step` is over many examples: its operands stand at `x`, its result has shape `y` for each."""
        operation, options = step.operation, dict(step.options)
        o = step.operands[0]
        match operation:
            case "squared_error" if not any(self.shapes[o] for o in step.operands):
                return self.emit("square", self.emit("sub", *x))
            case _ if operation in OPERATIONS or operation in LOSSES:
                return self.emit(operation, *self.aligned(step, x))
            case "outer":
                return self.emit("mul", self.as_matrix(x[0], o, 1), self.as_matrix(x[1], step.operands[1], 0))
            case "matmul" | "dot":
                return self.product(step, x, y)
            case "sum" | "mean" | "squared_norm" | "norm":
                return self.reduction(operation, o, x[0], options.get("axis"))
            case "largest" | "smallest" | "prod" if options.get("axis") is None:
                return self.emit(operation, self.with_axes(x[0], o, (math.prod(self.shapes[o]),)), axis=1)
            case _ if "axis" in ARRAY_OPERATIONS[operation].options:
                axis = options.get("axis", ARRAY_OPERATIONS[operation].options["axis"])
                operands = self.repeated(step, x)
                return self.emit(operation, *operands, **options | ({"axis": axis + 1} if axis >= 0 else {}))
            case "transpose" | "reshape" | "index" | "trace":
                return self.part(operation, o, x[0], y, **options)
        raise CGraphError(f"node {self.node!r}: {operation} has no form for many examples; compute one at a time")

    def aligned(self, step: Apply, x: list[int]) -> list[int]:
        """Return the operands of an elementwise operation, with axes of length 1 where examples have fewer axes."""
        rank = max(len(self.shapes[o]) for o in step.operands)
        shapes = [(1,) * (rank - len(self.shapes[o])) + self.shapes[o] for o in step.operands]
        return [self.with_axes(*operand) for operand in zip(x, step.operands, shapes, strict=True)]

    def with_axes(self, position: int, o: int, shape: Shape) -> int:
        """Return an operand that has `shape` for each example, reshaped if need be."""
        if not self.varies[o] or shape == self.shapes[o]:
            return position
        return self.emit("reshape", position, shape=(-1, *shape))

    def repeated(self, step: Apply, x: list[int]) -> list[int]:
        """Return the operands of `step`; one that serves all examples is repeated: 0 for each example, plus the operand."""
        if all(self.varies[o] for o in step.operands):
            return x
        zero = self.zero_of_each(*next((p, o) for p, o in zip(x, step.operands, strict=True) if self.varies[o]))
        return [
            position
            if self.varies[o]
            else self.emit("add", self.emit("reshape", zero, shape=(-1, *(1,) * len(self.shapes[o]))), position)
            for position, o in zip(x, step.operands, strict=True)
        ]

    def zero_of_each(self, position: int, o: int) -> int:
        """Append a 0 for each example, made from the first entry of an operand that varies."""
        self.steps.append(Number(0.0, "0"))
        zero = len(self.steps) - 1
        key = (ALL, *(0,) * len(self.shapes[o]))
        return self.emit("mul", zero, self.emit("index", position, key=key) if self.shapes[o] else position)

    def product(self, step: Apply, x: list[int], y: Shape) -> int:
        (a, b), (p, q) = step.operands, x
        ranks = len(self.shapes[a]), len(self.shapes[b])
        if ranks[0] == 1 and ranks[1] <= 2 and not self.varies[b]:
            return self.emit("matmul", p, q)
        if ranks == (2, 1) and not self.varies[a]:
            return self.emit("matmul", q, self.emit("transpose", p))  # A x for every x, as rows: X A^T
        if ranks == (1, 1):
            return self.emit("sum", self.emit("mul", p, q), axis=-1) if self.varies[a] else self.emit("matmul", q, p)
        rank = max(2, *ranks)  # stacks of matrices are aligned behind the examples, as elementwise operands are
        product = self.emit("matmul", self.as_matrix(p, a, 0, rank), self.as_matrix(q, b, 1, rank))
        return self.emit("reshape", product, shape=(-1, *y)) if 1 in ranks else product

    def as_matrix(self, position: int, o: int, axis: int, rank: int = 2) -> int:
        """Return a vector as a matrix of one row (`axis` 0) or column (1), and a stack of `rank` axes for each example."""
        shape = self.shapes[o]
        if len(shape) == 1:
            shape = (*shape, 1) if axis else (1, *shape)
        if self.varies[o]:
            return self.with_axes(position, o, (1,) * (rank - len(shape)) + shape)
        return position if shape == self.shapes[o] else self.emit("reshape", position, shape=shape)

    def reduction(self, operation: str, o: int, position: int, axis: Any) -> int:
        """Append a reduction over some axes of every example, or over all of them."""
        rank = len(self.shapes[o])
        if operation in {"norm", "squared_norm"}:
            total = self.reduction("sum", o, self.emit("square", position), None)
            return self.emit("sqrt", total) if operation == "norm" else total
        axes = range(rank) if axis is None else [a % rank for a in np.atleast_1d(axis).tolist()]
        return self.emit(operation, position, axis=tuple(a + 1 for a in axes)) if rank else position

    def part(self, operation: str, o: int, position: int, y: Shape, **options: Any) -> int:
        """Append an operation that only moves or takes entries."""
        if operation == "reshape":
            return self.emit("reshape", position, shape=(-1, *y))
        if operation == "transpose":
            axes = options.get("axes") or range(len(y))[::-1]
            return self.emit("transpose", position, axes=(0, *(axis % len(y) + 1 for axis in axes)))
        if operation == "trace":
            diagonal = tuple(range(self.shapes[o][0]))
            return self.emit("sum", self.emit("index", position, key=(ALL, diagonal, diagonal)), axis=-1)
        key = options["key"]
        listed = [k for k, part in enumerate(key) if not isinstance(part, Slice)]
        if any(type(part) is tuple for part in key) and listed != list(range(listed[0], listed[-1] + 1)):
            raise CGraphError(f"node {self.node!r}: an index with lists apart has no form for many examples")
        return self.emit("index", position, key=(ALL, *key))
