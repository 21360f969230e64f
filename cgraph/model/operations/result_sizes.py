"""The shape of the result of an operation that may have more entries than its operands, known before it is computed."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["concatenated", "indexed", "outer", "product", "stacked"]

Shape = tuple[int, ...]


def product(a: Shape, b: Shape) -> Shape:
    """Return the shape of a @ b.

    Examples
    --------
    >>> product((2, 3), (3, 4)), product((3,), (3, 4)), product((5, 2, 3), (3,))
    ((2, 4), (4,), (5, 2))
    """
    A, B = (a if len(a) > 1 else (1, *a)), (b if len(b) > 1 else (*b, 1))
    stack = np.broadcast_shapes(A[:-2], B[:-2])
    return (*stack, *A[-2:-1][: len(a) > 1], *B[-1:][: len(b) > 1])


def concatenated(*shapes: Shape, axis: int = 0) -> Shape:
    """Return the shape of arrays one behind the other.

    Examples
    --------
    >>> concatenated((2, 3), (2, 4), axis=1)
    (2, 7)
    """
    first = shapes[0]
    joined = sum(shape[axis] for shape in shapes)
    return (*first[: axis % len(first)], joined, *first[axis % len(first) + 1 :])


def stacked(*shapes: Shape, axis: int = 0) -> Shape:  # noqa: ARG001 - wherever the new axis stands
    """Return a shape of as many entries as arrays beside each other.

    Examples
    --------
    >>> stacked((2, 3), (2, 3))
    (2, 2, 3)
    """
    return (len(shapes), *shapes[0])


def indexed(shape: Shape, key: tuple[Any, ...]) -> Shape:
    """Return the shape of x[key]; lists of places are taken together.

    Examples
    --------
    >>> indexed((4, 5), ((0, 2, 2),))
    (3, 5)
    """
    kept: list[int] = []
    listed = 0
    for part, n in zip(key, shape, strict=False):
        if hasattr(part, "start"):
            kept.append(len(range(*slice(*part).indices(n))))
        elif isinstance(part, tuple):
            listed = max(listed, len(part))
    return (*((listed,) if listed else ()), *kept, *shape[len(key) :])


def outer(a: Shape, b: Shape) -> Shape:
    """Return the shape of the products of every entry of a and of b.

    Examples
    --------
    >>> outer((2,), (3,))
    (2, 3)
    """
    return (*a, *b)
