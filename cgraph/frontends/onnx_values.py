"""What the operators of ONNX share: what they refuse, and the whole numbers and channels that they read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cgraph.model.errors import CGraphError
from cgraph.model.operations.arrays import ARRAY_OPERATIONS
from cgraph.model.tracing.traced_arrays import TracedArray, apply

__all__ = [
    "LEAST",
    "Operator",
    "UnsupportedError",
    "channels_of",
    "integers",
    "is_masked",
    "masked",
    "plain_value",
    "row_operator",
    "variadic",
]

LEAST = -1e300  # what stands for minus infinity, which masks add: no number beside it is seen

Operator = Callable[..., Any]


class UnsupportedError(CGraphError):
    """An operator, or a use of one, that has no form in the language of equations."""


def integers(x: Any, what: str) -> list[int]:
    """Return whole numbers that the model holds, such as axes; traced ones would change with the inputs."""
    if isinstance(x, TracedArray):
        raise UnsupportedError(f"it takes its {what} from values of the inputs")
    return [int(k) for k in np.asarray(x).ravel()]


def variadic(function: Operator) -> Operator:
    """Return the function of any number of operands that takes them one after the other by `function` of two."""

    def operator(*x: Any) -> Any:
        result = x[0]
        for operand in x[1:]:
            result = function(result, operand)
        return result

    return operator


def plain_value(x: Any) -> Any:
    """Return the value of a traced array: for what cancels, as the largest entry in a softmax does."""
    return x.value if isinstance(x, TracedArray) else np.asarray(x)


def channels_of(a: Any, x: Any) -> Any:
    """Return a vector with an entry for each channel, axis 1, in a shape that meets `x`."""
    return np.reshape(a, (-1,) + (1,) * (np.ndim(x) - 2))


def masked(x: Any) -> Any:
    """Return a plain array with `LEAST` for minus infinity."""
    if isinstance(x, TracedArray) or np.asarray(x).dtype.kind != "f":
        return x
    return np.where(np.isneginf(x), LEAST, x)


def is_masked(x: Any) -> Any:
    """Whether entries are what a mask made of them: a condition, traced if `x` is."""
    return np.less(x, LEAST / 2)


def row_operator(name: str) -> Operator:
    """Return an operation on arrays of the tables, on traced and on plain arrays."""

    def operation(*x: Any, **options: Any) -> Any:
        if any(isinstance(operand, TracedArray) for operand in x):
            return apply(name, *x, **options)
        return ARRAY_OPERATIONS[name].value(*(np.asarray(operand, float) for operand in x), **options)

    return operation
