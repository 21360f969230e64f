"""How large the result of an operation is, from the shapes of its operands: known before it is computed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["result_shape"]

Shape = tuple[int, ...]


def _matmul(a: Shape, b: Shape) -> Shape:
    A, B = (a if len(a) > 1 else (1, *a)), (b if len(b) > 1 else (*b, 1))
    stack = np.broadcast_shapes(A[:-2], B[:-2])
    return (*stack, *A[-2:-1][: len(a) > 1], *B[-1:][: len(b) > 1])


def _concatenate(*shapes: Shape, axis: int = 0) -> Shape:
    first = shapes[0]
    joined = sum(shape[axis] for shape in shapes)
    return (*first[: axis % len(first)], joined, *first[axis % len(first) + 1 :])


def _stack(*shapes: Shape, axis: int = 0) -> Shape:  # noqa: ARG001 - wherever the new axis stands
    return (len(shapes), *shapes[0])


def _index(shape: Shape, key: tuple[Any, ...]) -> Shape:
    """Return the shape of x[key]; lists of places are taken together."""
    kept: list[int] = []
    listed = 0
    for part, n in zip(key, shape, strict=False):
        if hasattr(part, "start"):
            kept.append(len(range(*slice(*part).indices(n))))
        elif isinstance(part, tuple):
            listed = max(listed, len(part))
    return (*((listed,) if listed else ()), *kept, *shape[len(key) :])


def _broadcast(*shapes: Shape) -> Shape:
    return np.broadcast_shapes(*shapes)


# What may have more entries than its largest operand; other operations on arrays have at most as many.
GROWING: Mapping[str, Callable[..., Shape]] = {
    "matmul": _matmul,
    "outer": lambda a, b: (*a, *b),
    "concatenate": _concatenate,
    "stack": _stack,
    "index": _index,
    "squared_error": _broadcast,
    "cross_entropy": _broadcast,
    "softmax_cross_entropy": _broadcast,
    "hinge": _broadcast,
}


def result_shape(operation: str, shapes: Sequence[Shape], options: Mapping[str, Any]) -> Shape:
    """Return the shape of a result, or of the largest array on the way to it.

    Shapes that do not fit give (): the operation itself says what does not fit.

    Examples
    --------
    >>> result_shape("matmul", [(2, 3), (3, 4)], {}), result_shape("add", [(3, 1), (4,)], {})
    ((2, 4), (3, 4))
    """
    from_table = GROWING.get(operation)
    try:
        if from_table is not None:
            return from_table(*shapes, **options)
        return np.broadcast_shapes(*shapes) if len(shapes) > 1 else shapes[0]
    except (ValueError, IndexError, TypeError, ZeroDivisionError):
        return max(shapes, key=math.prod)
