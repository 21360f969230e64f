"""The shape of the result of an operation that may have more entries than its operands, known before it is computed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cgraph.model.operations.moved_entries import each_axis
from cgraph.model.operations.windows import Layout, conv_layout, conv_transpose_layout

__all__ = [
    "columns_of_conv",
    "columns_of_conv_transpose",
    "concatenated",
    "indexed",
    "outer",
    "padded",
    "padded_for_pool",
    "product",
    "repeated",
    "stacked",
    "taken_at",
]

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


def columns_of_conv(x: Shape, w: Shape, **options: Any) -> Shape:
    """Return the shape of the largest of a padded image, its columns and the result of their convolution."""
    layout, shape = conv_layout(x, w, **options)
    return max(shape, *_of_columns(layout), key=math.prod)


def columns_of_conv_transpose(x: Shape, w: Shape, **options: Any) -> Shape:
    """Return the shape of the largest of the columns of a transposed convolution and its result, padded."""
    layout, shape = conv_transpose_layout(x, w, **options)
    return max(shape, *_of_columns(layout), key=math.prod)


def _of_columns(layout: Layout) -> tuple[Shape, Shape]:
    """Return the shapes of an image with its padding, and of its columns."""
    columns = (layout.image[0], layout.image[1] * math.prod(layout.windows.kernel), *layout.counts)
    return layout.windows.padded_shape(layout.image), columns


def padded(shape: Shape, before: Any = 0, after: Any = 0) -> Shape:
    """Return the shape of a padded array."""
    widths = [each_axis(option, len(shape), "", 0) for option in (before, after)]
    return tuple(p + n + q for p, n, q in zip(widths[0], shape, widths[1], strict=True))


def padded_for_pool(shape: Shape, size: Any = 2, padding: Any = 0, **_: Any) -> Shape:
    """Return the shape of the padded array, which has at least as many entries as the result."""
    axes = len(size) if isinstance(size, tuple) else 1
    widths = (*(0,) * (len(shape) - axes), *each_axis(padding, axes, "", 0))
    return padded(shape, widths, widths)


def repeated(shape: Shape, repeats: Any = 2, axis: int | None = None) -> Shape:
    """Return the shape of an array whose entries are repeated."""
    lengths = (math.prod(shape),) if axis is None else shape
    k = (axis or 0) % len(lengths)
    longer = sum(repeats) if isinstance(repeats, tuple) else lengths[k] * repeats
    return (*lengths[:k], longer, *lengths[k + 1 :])


def taken_at(shape: Shape, places: Shape, axis: int = 0) -> Shape:
    """Return the shape of the entries at some places along an axis."""
    axis %= len(shape)
    return (*shape[:axis], *places, *shape[axis + 1 :])
