"""Products and sorted entries along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from cgraph.model.operations.structured_jacobians import Broadcast, Diagonal, Jacobian, Selection, chain

__all__ = ["prod", "prod_jacobian", "sort", "sort_jacobian"]

Array = Any  # an ndarray of floats, or of complex numbers


def prod(x: Array, axis: int | None = None) -> Any:
    """Return the product of all entries, or of those along an axis."""
    if np.ndim(x) == 0:
        raise ValueError("of one operand, an array is needed")
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
