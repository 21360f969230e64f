"""Products, running sums and sorted entries along an axis."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from cgraph.model.operations.structured_jacobians import Broadcast, Diagonal, Jacobian, Selection, Shape, chain

__all__ = [
    "cumsum", "cumsum_jacobian", "prod", "prod_jacobian", "sort", "sort_jacobian", "topk", "topk_jacobian",
]  # fmt: skip

Array = Any  # an ndarray of floats, or of complex numbers


def prod(x: Array, axis: int | None = None) -> Any:
    """Return the product of all entries, or of those along an axis."""
    if np.ndim(x) == 0:
        raise ValueError("with one operand, it must be an array")
    if isinstance(axis, tuple):
        raise TypeError("one axis is needed")
    return np.prod(x, axis)


def prod_jacobian(_: int, __: Any, x: Array, axis: int | None = None) -> Jacobian:
    """Return the Jacobian of a product: the product of the other entries, also where some are 0."""
    lines = x.reshape(1, -1) if axis is None else np.moveaxis(x, axis, -1)
    ones = np.ones((*lines.shape[:-1], 1))
    before = np.cumprod(np.concatenate([ones, lines[..., :-1]], axis=-1), axis=-1)
    after = np.cumprod(np.concatenate([ones, lines[..., :0:-1]], axis=-1), axis=-1)[..., ::-1]
    others = before * after if axis is None else np.moveaxis(before * after, -1, axis)
    kept = np.sum(x, axis=axis, keepdims=True).shape
    return chain(Broadcast(kept, x.shape).T, Diagonal(others.ravel()))


def cumsum(x: Array, axis: int | None = None) -> Array:
    """Return running sums of the flattened array, or along an axis."""
    if np.ndim(x) == 0:
        raise ValueError("a number has no axes")
    if isinstance(axis, tuple):
        raise TypeError("one axis is needed")
    return np.cumsum(x, axis)


def cumsum_jacobian(_: int, y: Array, __: Array, axis: int | None = None) -> Jacobian:
    """Return the Jacobian of running sums."""
    return RunningSums(y.shape, (axis or 0) % y.ndim)


@final
@dataclass(frozen=True, eq=False)
class RunningSums(Jacobian):
    """The triangular matrix of ones that adds up entries from the first on, for each line along an axis."""

    lines: Shape
    axis: int

    @property
    def shape(self) -> tuple[int, int]:
        size = math.prod(self.lines)
        return size, size

    def vjp(self, rows: Array) -> Array:
        R = rows.reshape(len(rows), *self.lines)
        from_last = np.cumsum(np.flip(R, self.axis + 1), self.axis + 1)
        return np.flip(from_last, self.axis + 1).reshape(rows.shape)

    def jvp(self, columns: Array) -> Array:
        X = columns.T.reshape(-1, *self.lines)
        return np.cumsum(X, self.axis + 1).reshape(len(X), -1).T


def _places(x: Array, axis: int) -> Array:
    """Return the place in the flattened `x` of each entry of the sorted array; equal ones keep their order."""
    places = np.arange(x.size).reshape(x.shape)
    return np.take_along_axis(places, np.argsort(np.real(x), axis=axis, kind="stable"), axis)


def sort(x: Array, axis: int = -1) -> Array:
    """Return the entries along an axis in rising order."""
    if np.ndim(x) == 0:
        raise ValueError("a number has no axes")
    if not isinstance(axis, int):
        raise TypeError("one axis is needed")
    return np.ravel(x)[_places(np.asarray(x), axis)]


def sort_jacobian(_: int, __: Array, x: Array, axis: int = -1) -> Jacobian:
    """Return the selection that sorts."""
    return Selection(_places(x, axis).ravel(), x.size)


def _largest_places(x: Array, k: int, axis: int) -> Array:
    """Return the places in the flattened `x` of the k largest entries of each line, the first of equal ones first."""
    if np.ndim(x) == 0:
        raise ValueError("a number has no axes")
    if not isinstance(axis, int) or not isinstance(k, int):
        raise TypeError("k and axis must be one whole number each")
    if not 1 <= k <= np.shape(x)[axis]:
        raise ValueError(f"there are {np.shape(x)[axis]} entries along this axis")
    order = np.argsort(-np.real(x), axis=axis, kind="stable")
    places = np.arange(x.size).reshape(x.shape)
    return np.take_along_axis(places, np.take(order, range(k), axis), axis)


def topk(x: Array, k: int = 1, axis: int = -1) -> Array:
    """Return the k largest entries along an axis, the largest first."""
    return np.ravel(x)[_largest_places(np.asarray(x), k, axis)]


def topk_jacobian(_: int, __: Array, x: Array, k: int = 1, axis: int = -1) -> Jacobian:
    """Return the selection of the largest entries."""
    return Selection(_largest_places(x, k, axis).ravel(), x.size)
