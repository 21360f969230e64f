"""How large the result of an operation is, from the shapes of its operands: known before it is computed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from cgraph.model.operations.index_sums import einsum_size
from cgraph.model.operations.moved_entries import each_axis
from cgraph.model.operations.windows import conv_layout, conv_transpose_layout

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


def _columns(x: Shape, w: Shape, **options: Any) -> Shape:
    """Return the shape of the columns of a convolution, or that of its result if it is larger."""
    layout, shape = conv_layout(x, w, **options)
    columns = (layout.image[0], layout.image[1] * math.prod(layout.windows.kernel), *layout.counts)
    return max(columns, shape, key=math.prod)


def _spread(x: Shape, w: Shape, **options: Any) -> Shape:
    """Return the shape of the columns of a transposed convolution, or that of its result if it is larger."""
    layout, shape = conv_transpose_layout(x, w, **options)
    columns = (layout.image[0], layout.image[1] * math.prod(layout.windows.kernel), *layout.counts)
    return max(columns, shape, key=math.prod)


def _pad(shape: Shape, before: Any = 0, after: Any = 0) -> Shape:
    widths = [each_axis(option, len(shape), "", 0) for option in (before, after)]
    return tuple(p + n + q for p, n, q in zip(widths[0], shape, widths[1], strict=True))


def _pool(shape: Shape, size: Any = 2, padding: Any = 0, **_: Any) -> Shape:
    """Return the shape of the padded array, which has at least as many entries as the result."""
    axes = len(size) if isinstance(size, tuple) else 1
    widths = (*(0,) * (len(shape) - axes), *each_axis(padding, axes, "", 0))
    return _pad(shape, widths, widths)


def _repeat(shape: Shape, repeats: Any = 2, axis: int | None = None) -> Shape:
    lengths = (math.prod(shape),) if axis is None else shape
    k = (axis or 0) % len(lengths)
    longer = sum(repeats) if isinstance(repeats, tuple) else lengths[k] * repeats
    return (*lengths[:k], longer, *lengths[k + 1 :])


def _take(shape: Shape, places: Shape, axis: int = 0) -> Shape:
    axis %= len(shape)
    return (*shape[:axis], *places, *shape[axis + 1 :])


def _broadcast(*shapes: Shape) -> Shape:
    return np.broadcast_shapes(*shapes)


# What may have more entries than its largest operand; other operations on arrays have at most as many.
GROWING: Mapping[str, Callable[..., Shape]] = {
    "matmul": _matmul,
    "einsum": einsum_size,
    "outer": lambda a, b: (*a, *b),
    "concatenate": _concatenate,
    "stack": _stack,
    "index": _index,
    "repeat": _repeat,
    "take": _take,
    "pad": _pad,
    "conv": _columns,
    "conv_transpose": _spread,
    "max_pool": _pool,
    "avg_pool": _pool,
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
