"""Elementary operations as calls of NumPy: their equations in the table, down to functions that NumPy has."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache, partial
from typing import Any

import numpy as np

from cgraph.algorithms.compiled.arrays.steps import COMPUTED, Shape, Steps
from cgraph.model.language.expressions import Apply, Expression, Name, Number
from cgraph.model.language.parsing import parse
from cgraph.model.operations.elementwise import CHOICE, OPERATIONS, POWER, PRODUCT, Operation
from cgraph.model.rules.differentiation import rules_of
from cgraph.model.rules.generate import Functions, functions_of

__all__ = ["apply_row", "change_by_operand", "gradient_of_operand"]

FEWEST_BY_BITS = 1000  # entries; fewer are copied with a mask in less time


def apply_row(steps: Steps, row: Operation, x: list[int]) -> int:
    """Append the value of an elementary operation; the domain of one that hides what is outside is checked."""
    if row is POWER and steps.value(x[1]) == 2.0:
        row, x = PRODUCT, [x[0], x[0]]
    if row is CHOICE:
        shape = np.broadcast_shapes(*map(steps.shape, x))
        if math.prod(shape) < FEWEST_BY_BITS:
            return steps.compute("copyto({y}, {2})\ncopyto({y}, {1}, where={0} != 0)", x, shape, operation="where")
        return steps.compute(f"{steps.named(_choose)}({{y}}, {{0}}, {{1}}, {{2}})", x, shape, operation="where")
    if row.numpy and not (row.value and row.domain):
        return steps.ufunc(row.numpy[0], *x)
    if row.value:
        y = _expand(steps, parse(row.value), dict(zip(row.names, x, strict=True)))
        if row.domain is None or steps.steps[y].kind != COMPUTED:
            return y
        places = ", ".join(f"{{{k}}}" for k in range(len(x)))
        return steps.then(y, f"{steps.named(partial(_require_inside, functions_of(row)))}({places})", x)
    return steps.call(functions_of(row).value, x, np.broadcast_shapes(*map(steps.shape, x)))


def _choose(y: Any, condition: Any, a: Any, b: Any) -> None:
    """Write `a` where the condition is not 0 and `b` elsewhere, by bits: a branch is guessed wrong where signs are random."""
    whole = y.view(f"i{y.itemsize}")
    a, b = (np.asarray(x, y.dtype).view(whole.dtype) for x in (a, b))
    every_bit = np.asarray(condition != 0).view(np.int8)
    np.negative(every_bit, out=every_bit)  # or none; it takes an eighth of the memory of the result
    if a.ndim == b.ndim == 0:
        np.copyto(whole, every_bit)
        np.bitwise_and(whole, a ^ b, out=whole)
    else:
        np.bitwise_xor(a, b, out=whole)
        np.bitwise_and(whole, every_bit, out=whole)
    np.bitwise_xor(whole, b, out=whole)


def _require_inside(rule: Functions, *x: Any) -> None:
    """Raise `FloatingPointError` where an operand is outside the domain, as NumPy does of its own functions."""
    if not np.all(rule.inside(*x)):
        raise FloatingPointError("an operand is outside the domain")


def _expand(steps: Steps, equation: Expression, names: Mapping[str, int]) -> int:
    """Append the steps of an equation whose names are these steps, and return the last."""
    v: list[int] = []
    for step in equation.steps:
        match step:
            case Name(name):
                v.append(names[name])
            case Number(value):
                v.append(steps.number(value))
            case Apply(operation, operands):
                v.append(_apply_in_rule(steps, OPERATIONS[operation], [v[k] for k in operands]))
    return v[-1]


def _apply_in_rule(steps: Steps, row: Operation, x: list[int]) -> int:
    if row is PRODUCT:
        return steps.multiply(*x)
    if row is POWER and steps.value(x[1]) == 1.0:
        return x[0]
    if row is CHOICE and (condition := steps.value(x[0])) is not None:
        return x[1] if condition else x[2]
    return apply_row(steps, row, x)


def _partial(steps: Steps, row: Operation, k: int, y: int, x: list[int]) -> int:
    """Append dy/dx_k; where the form by the output has lost its digits, the other one takes its place."""
    z = _expand(steps, rules_of(row)[k], dict(zip(row.names, x, strict=True)) | {"y": y})
    if row.far is None or steps.steps[z].kind != COMPUTED:
        return z
    return steps.then(z, f"{steps.named(_mending(row, row.far[0]))}({{y}}, {{0}}, {{1}})", (y, x[0]), far=row)


@cache
def _mending(row: Operation, condition: str) -> Any:
    """Return a function that puts the form for far operands where it is needed, into an array of derivatives."""
    rule = functions_of(row).derivatives[0]
    far = functions_of(Operation(row.operands, condition, (), "")).value

    def mend(z: Any, y: Any, x: Any) -> None:
        is_far = np.asarray(far(x)) != 0
        if is_far.any():
            z[...] = np.where(is_far, rule(y, x), z)

    return mend


def gradient_of_operand(steps: Steps, row: Operation, k: int, S: int, y: int, x: list[int], lead: Shape) -> int:
    """Append the share of operand `k` in a reverse sweep: S dy/dx_k, summed over what was broadcast."""
    product = steps.multiply(S, _partial(steps, row, k, y, x))
    whole = (*lead, *steps.shape(y))
    return steps.unbroadcast(steps.broadcast(product, whole), steps.shape(x[k]), lead)


def change_by_operand(steps: Steps, row: Operation, k: int, S: int, y: int, x: list[int], lead: Shape) -> int:
    """Append the share of operand `k` in a forward sweep: dy/dx_k S, repeated where the operand is broadcast."""
    S = steps.aligned(S, lead, len(steps.shape(y)))
    return steps.broadcast(steps.multiply(S, _partial(steps, row, k, y, x)), (*lead, *steps.shape(y)))
