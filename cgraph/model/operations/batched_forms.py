"""Operations on arrays over many examples, which stand along a leading axis.

A form is called as ``form(operation, x, y, **options)``. The operands `x` have a `shape` for one example and say whether
they differ from example to example (`varies`); ``x.apply(operation, *others, **options)`` and ``x.reshaped(shape)`` write
down what is done to them. `y` is the shape of the result for one example.

Source: DD2424, lecture 3 (gradient computations for a mini-batch).
"""

from __future__ import annotations

import math
import string
from typing import Any

import numpy as np

from cgraph.model.errors import CGraphError
from cgraph.model.operations.index_sums import terms_of
from cgraph.model.operations.slices import Slice
from cgraph.model.operations.structured_jacobians import Shape

__all__ = [
    "along_axis", "einsum", "elementwise", "extreme", "group_norm", "index", "joined", "norm", "normalised", "outer", "pad", "product",
    "reduction", "reshape", "squared_error", "squared_norm", "take", "trace", "transpose", "windows",
]  # fmt: skip

ALL = Slice(None, None, None)

Operand = Any  # a value over many examples


def elementwise(operation: str, x: list[Operand], y: Shape) -> Operand:
    """Return the same operation; operands with fewer axes get axes of length 1 behind that of the examples."""
    rank = max(len(operand.shape) for operand in x)
    first, *others = [_with_axes(operand, (1,) * (rank - len(operand.shape)) + operand.shape) for operand in x]
    return first.apply(operation, *others)


def squared_error(operation: str, x: list[Operand], y: Shape) -> Operand:
    """Return the squared error of each example; of numbers there is no axis to sum over."""
    if any(operand.shape for operand in x):
        return elementwise(operation, x, y)
    return x[0].apply("sub", x[1]).apply("square")


def product(operation: str, x: list[Operand], y: Shape) -> Operand:
    """Return a product of vectors, matrices or stacks; a matrix that serves all examples multiplies vectors as rows."""
    a, b = x
    ranks = len(a.shape), len(b.shape)
    if ranks[0] == 1 and ranks[1] <= 2 and not b.varies:
        return a.apply("matmul", b)
    if ranks == (2, 1) and not a.varies:
        return b.apply("matmul", a.apply("transpose"))  # A x for every x, as rows: X A^T
    if ranks == (1, 1):
        return a.apply("mul", b).apply("sum", axis=-1) if a.varies else b.apply("matmul", a)
    rank = max(2, *ranks)  # stacks of matrices are aligned behind the examples, as elementwise operands are
    found = _as_matrix(a, 0, rank).apply("matmul", _as_matrix(b, 1, rank))
    return found.reshaped(y) if 1 in ranks else found


def einsum(operation: str, x: list[Operand], y: Shape, subscripts: str) -> Operand:
    """Return the same sum with a letter more, for the examples, in what differs from example to example."""
    inputs, output = terms_of(subscripts)
    letter = next(c for c in string.ascii_letters if c not in subscripts)
    left = [letter + term if operand.varies else term for operand, term in zip(x, inputs, strict=True)]
    return x[0].apply(operation, *x[1:], subscripts=f"{','.join(left)}->{letter}{output}")


def outer(operation: str, x: list[Operand], y: Shape) -> Operand:
    """Return a column times a row for each example."""
    return _as_matrix(x[0], 1).apply("mul", _as_matrix(x[1], 0))


def reduction(operation: str, x: list[Operand], y: Shape, axis: Any = None) -> Operand:
    """Return a reduction over some axes of every example, or over all of them."""
    rank = len(x[0].shape)
    axes = range(rank) if axis is None else [a % rank for a in np.atleast_1d(axis).tolist()]
    return x[0].apply(operation, axis=tuple(a + 1 for a in axes)) if rank else x[0]


def squared_norm(operation: str, x: list[Operand], y: Shape) -> Operand:
    """Return the sum of squares of each example."""
    return reduction("sum", [x[0].apply("square")], y)


def norm(operation: str, x: list[Operand], y: Shape) -> Operand:
    """Return the root of the sum of squares of each example."""
    return squared_norm(operation, x, y).apply("sqrt")


def along_axis(operation: str, x: list[Operand], y: Shape, **options: Any) -> Operand:
    """Return what works along one axis, by default the last: an axis that is counted from the front moves by one."""
    axis = options.get("axis", -1)
    return x[0].apply(operation, **options | ({"axis": axis + 1} if axis >= 0 else {}))


def extreme(operation: str, x: list[Operand], y: Shape, axis: Any = None, **options: Any) -> Operand:
    """Return what works along one axis, or over all entries of each example as one line."""
    if axis is None:
        return _with_axes(x[0], (math.prod(x[0].shape),)).apply(operation, axis=1, **options)
    return along_axis(operation, x, y, axis=axis, **options)


def normalised(operation: str, x: list[Operand], y: Shape, axis: Any = -1) -> Operand:
    """Return each example normalised along axes: those that are counted from the front move by one."""
    _require_one(operation, x[1])
    axes = tuple(a + 1 if a >= 0 else a for a in (axis if isinstance(axis, tuple) else (axis,)))
    return x[0].apply(operation, x[1], axis=axes if len(axes) > 1 else axes[0])


def group_norm(operation: str, x: list[Operand], y: Shape, **options: Any) -> Operand:
    """Return each example normalised in groups: all are below each other along the first axis."""
    _require_one(operation, x[1])
    below = _with_axes(x[0], y[1:])
    return below.apply(operation, x[1], **options).reshaped(y)


def windows(operation: str, x: list[Operand], y: Shape, **options: Any) -> Operand:
    """Return the same operation: what moves over the last axes leaves those before as they are."""
    if any(operand.varies for operand in x[1:]):
        raise CGraphError(f"{operation} by a kernel of each example has no form for many examples")
    return x[0].apply(operation, *x[1:], **options)


def take(operation: str, x: list[Operand], y: Shape, axis: int = 0) -> Operand:
    """Return entries at the places of each example, of an array that serves all: places count from the front."""
    if x[0].varies and x[1].varies:
        raise CGraphError("take at places of each example, in arrays of each example, has no form for many examples")
    if x[0].varies:
        return x[0].apply(operation, x[1], axis=axis + 1 if axis >= 0 else axis)
    if axis not in {0, -len(x[0].shape)}:
        raise CGraphError("take at places of each example along an axis other than 0 has no form for many examples")
    return x[0].apply(operation, x[1], axis=0)


def pad(operation: str, x: list[Operand], y: Shape, before: Any = 0, after: Any = 0) -> Operand:
    """Return each example between zeros: none along the axis of the examples."""
    rank = len(y)
    widths = [option if isinstance(option, tuple) else (option,) * rank for option in (before, after)]
    return x[0].apply(operation, before=(0, *widths[0]), after=(0, *widths[1])) if rank else x[0]


def joined(operation: str, x: list[Operand], y: Shape, axis: int = 0) -> Operand:
    """Return operands joined for each example; one that serves all examples is repeated."""
    first, *others = _repeated(x)
    return first.apply(operation, *others, axis=axis + 1 if axis >= 0 else axis)


def reshape(operation: str, x: list[Operand], y: Shape, **_: Any) -> Operand:
    """Return each example in its new shape, as its row says it."""
    return x[0].reshaped(y)


def transpose(operation: str, x: list[Operand], y: Shape, axes: Any = None) -> Operand:
    """Return the axes of each example in another order."""
    order = axes or range(len(y))[::-1]
    return x[0].apply("transpose", axes=(0, *(axis % len(y) + 1 for axis in order)))


def trace(operation: str, x: list[Operand], y: Shape) -> Operand:
    """Return the sum of the diagonal of each example."""
    diagonal = tuple(range(x[0].shape[0]))
    return x[0].apply("index", key=(ALL, diagonal, diagonal)).apply("sum", axis=-1)


def index(operation: str, x: list[Operand], y: Shape, key: tuple[Any, ...]) -> Operand:
    """Return a part of each example."""
    listed = [k for k, part in enumerate(key) if not isinstance(part, Slice)]
    if any(type(part) is tuple for part in key) and listed != list(range(listed[0], listed[-1] + 1)):
        raise CGraphError("an index with lists apart has no form for many examples")
    return x[0].apply("index", key=(ALL, *key))


def _require_one(operation: str, epsilon: Operand) -> None:
    if epsilon.varies:
        raise CGraphError(f"{operation} with a second operand of each example has no form for many examples")


def _with_axes(x: Operand, shape: Shape) -> Operand:
    """Return an operand that has `shape` for each example, reshaped if need be."""
    return x if not x.varies or shape == x.shape else x.reshaped(shape)


def _as_matrix(x: Operand, axis: int, rank: int = 2) -> Operand:
    """Return a vector as a matrix of one row (`axis` 0) or column (1), and a stack of `rank` axes for each example."""
    shape = x.shape
    if len(shape) == 1:
        shape = (*shape, 1) if axis else (1, *shape)
    if x.varies:
        return _with_axes(x, (1,) * (rank - len(shape)) + shape)
    return x if shape == x.shape else x.apply("reshape", shape=shape)


def _repeated(x: list[Operand]) -> list[Operand]:
    """Return the operands; one that serves all examples is repeated: 0 for each example, plus the operand."""
    varied = next(operand for operand in x if operand.varies)
    if all(operand.varies for operand in x):
        return x
    entry = varied.apply("index", key=(ALL, *(0,) * len(varied.shape))) if varied.shape else varied
    zero = entry.number(0).apply("mul", entry)
    return [
        operand if operand.varies else zero.reshaped((1,) * len(operand.shape)).apply("add", operand) for operand in x
    ]
