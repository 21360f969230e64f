"""The steps of a plan: what is given, views of it, and calls of NumPy that write into an array.

A step is numbered when it is written down; the same step is written down once. Nothing is computed here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cgraph.model.operations.elementwise import OPERATIONS, Operation

__all__ = ["COMPUTED", "GIVEN", "NUMBER", "REPEATED", "VIEW", "Shape", "Step", "Steps"]

Shape = tuple[int, ...]
OPERATION_OF = {function: name for name, row in OPERATIONS.items() for function in row.numpy}
GIVEN, NUMBER, VIEW, COMPUTED = "given", "number", "view", "computed"
REPEATED = "broadcast_to"  # what a view begins with that repeats entries


@dataclass(frozen=True)
class Step:
    """One step of a plan.

    Parameters
    ----------
    kind : str
        Given by the caller, a number, a view of another step, or computed into an array.
    shape : tuple of int
        Of the result.
    text : str
        Of a view an expression, of what is computed statements; ``{0}``, ``{1}`` stand for the operands, ``{y}`` for the
        array that is written to.
    operands : tuple of int
        The steps that are read.
    is_contiguous : bool
        Whether the entries follow each other in memory, so that another shape is a view.
    in_place : bool
        Whether the result may stand where an operand stood that nobody reads again.
    operation : str
        The elementary operation that it is of its first operands, entry by entry, or "".
    far : Operation or None
        Of a derivative that has another form where the operand is far from 0: the operation that it is the derivative of.
        The last two operands are the output and the operand of that.
    """

    kind: str
    shape: Shape
    text: str = ""
    operands: tuple[int, ...] = ()
    is_contiguous: bool = True
    in_place: bool = False
    operation: str = ""
    far: Operation | None = None


class Steps:
    """Steps, each with its number, in an order in which they can be computed."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.functions: dict[str, Callable[..., Any]] = {}
        self._names: dict[Callable[..., Any], str] = {}
        self._places: dict[Any, int] = {}

    def shape(self, x: int) -> Shape:
        """Return the shape of a step."""
        return self.steps[x].shape

    def value(self, x: int) -> float | None:
        """Return the number that a step is, or None."""
        step = self.steps[x]
        return float(step.text) if step.kind == NUMBER else None

    def is_zero(self, x: int) -> bool:
        """Return whether a step is the number 0, in whatever shape."""
        step = self.steps[x]
        return self.value(x) == 0.0 or (step.kind == VIEW and self.is_zero(step.operands[0]))

    def given(self, shape: Shape) -> int:
        """Append what the caller gives."""
        self.steps.append(Step(GIVEN, shape))
        return len(self.steps) - 1

    def number(self, value: float) -> int:
        """Append a number."""
        return self._append(Step(NUMBER, (), repr(float(value))))

    def view(self, x: int, text: str, shape: Shape, *, is_contiguous: bool = False) -> int:
        """Append a view."""
        return self._append(Step(VIEW, shape, text, (x,), is_contiguous))

    def compute(
        self, text: str, operands: Sequence[int], shape: Shape, *, in_place: bool = False, operation: str = ""
    ) -> int:
        """Append what is computed."""
        return self._append(Step(COMPUTED, shape, text, tuple(operands), True, in_place, operation))

    def call(self, function: Callable[..., Any], operands: Sequence[int], shape: Shape) -> int:
        """Append the result of a function that returns a new array."""
        places = ", ".join(f"{{{k}}}" for k in range(len(operands)))
        return self.compute(f"copyto({{y}}, {self.named(function)}({places}))", operands, shape)

    def named(self, function: Callable[..., Any]) -> str:
        """Return the name by which a step calls a function."""
        if function not in self._names:
            self._names[function] = f"f{len(self._names)}"
            self.functions[self._names[function]] = function
        return self._names[function]

    def then(self, x: int, statement: str, operands: Sequence[int], far: Operation | None = None) -> int:
        """Append a step that mends by a statement what another has computed; its ``{0}``, ``{1}`` are these operands.

        If it puts the other form of a derivative in its place, `far` is the operation that is differentiated.
        """
        step = self.steps[x]
        places = [f"{{{len(step.operands) + k}}}" for k in range(len(operands))]
        text = f"{step.text}\n{statement.format(*places, y='{y}')}"
        operation = step.operation if far is not None and step.far is None else ""
        return self._append(
            replace(step, text=text, operands=(*step.operands, *operands), in_place=False, operation=operation, far=far)
        )

    # --- what most rules are made of ---------------------------------------------------------------------------------

    def ufunc(self, name: str, *x: int) -> int:
        """Append a function of NumPy that works entry by entry; of numbers alone it is computed here."""
        numbers = [self.value(k) for k in x]
        if all(value is not None for value in numbers):
            with np.errstate(all="ignore"):
                return self.number(float(getattr(np, name)(*numbers)))
        shape = np.broadcast_shapes(*map(self.shape, x))
        places = ", ".join(f"{{{k}}}" for k in range(len(x)))
        operation = OPERATION_OF.get(name, "")
        return self.compute(f"{name}({places}, out={{y}})", x, shape, in_place=True, operation=operation)

    def multiply(self, a: int, b: int) -> int:
        """Append a product; one with 1 or -1 is none."""
        for x, other in ((a, b), (b, a)):
            if (value := self.value(x)) in {1.0, -1.0}:
                return other if value == 1.0 else self.ufunc("negative", other)
        return self.ufunc("multiply", a, b)

    def reshape(self, x: int, shape: Shape) -> int:
        """Append the same entries in another shape: a view where that is one, else a copy."""
        step = self.steps[x]
        if step.shape == shape:
            return x
        if self.is_zero(x):
            return self.zeros(shape)
        if step.is_contiguous:
            return self.view(x, f"{{0}}.reshape({shape})", shape, is_contiguous=True)
        return self.compute(f"copyto({{y}}.reshape({step.shape}), {{0}})", (x,), shape)

    def swap(self, x: int) -> int:
        """Append a matrix, or a stack of them, with rows and columns exchanged."""
        *stack, p, q = self.shape(x)
        if self.is_zero(x):
            return self.zeros((*stack, q, p))
        return self.view(x, "{0}.swapaxes(-1, -2)", (*stack, q, p), is_contiguous=1 in {p, q} and self._flat(x))

    def broadcast(self, x: int, shape: Shape) -> int:
        """Append a view that repeats entries to fill a shape."""
        return x if self.shape(x) == shape else self.view(x, f"{REPEATED}({{0}}, {shape})", shape)

    def zeros(self, shape: Shape) -> int:
        """Append zeros, of which one is kept."""
        return self.broadcast(self.number(0.0), shape)

    def aligned(self, x: int, lead: Shape, rank: int) -> int:
        """Append a view with axes of length 1 behind the leading ones, until `rank` axes stand behind these."""
        shape = self.shape(x)[len(lead) :]
        return self.reshape(x, (*lead, *(1,) * (rank - len(shape)), *shape)) if lead else x

    def total(self, x: int, axes: tuple[int, ...], *, keepdims: bool = False) -> int:
        """Append a sum over axes."""
        shape = self.shape(x)
        if not axes:
            return x
        kept = tuple(1 if a in axes else n for a, n in enumerate(shape))
        left = tuple(n for a, n in enumerate(shape) if a not in axes)
        if all(shape[a] == 1 for a in axes):
            return self.reshape(x, kept if keepdims else left)
        over = axes[0] if len(axes) == 1 else axes
        y = self.compute(f"add_reduce({{0}}, axis={over}, out={{y}})", (x,), left)
        return self.reshape(y, kept) if keepdims else y

    def unbroadcast(self, x: int, shape: Shape, lead: Shape = ()) -> int:
        """Append the sum over what was broadcast from `shape`, behind the leading axes."""
        found, start = self.shape(x), len(lead)
        wanted = (1,) * (len(found) - start - len(shape)) + shape
        axes = tuple(a + start for a, n in enumerate(wanted) if n != found[a + start])
        return self.reshape(self.total(x, axes, keepdims=True), (*lead, *shape))

    def matmul(self, a: int, b: int) -> int:
        """Append a product of matrices, or of stacks of them."""
        (*stack, p, q), (*other, _, r) = self.shape(a), self.shape(b)
        if self.shape(b)[-2] != q:
            raise ValueError("matrices do not fit")
        shape = (*np.broadcast_shapes(tuple(stack), tuple(other)), p, r)
        if stack and not other and self._flat(a):  # one product instead of many
            y = self.matmul(self.reshape(a, (math.prod(stack) * p, q)), b)
            return self.reshape(y, shape)
        if q == 1:  # a column and a row, which broadcasting multiplies faster
            return self.ufunc("multiply", a, b)
        return self.compute("matmul({0}, {1}, out={y})", (a, b), shape)

    def _flat(self, x: int) -> bool:
        return self.steps[x].is_contiguous

    def _append(self, step: Step) -> int:
        if step not in self._places:
            self._places[step] = len(self.steps)
            self.steps.append(step)
        return self._places[step]
