"""Operations that move, leave out, repeat and join the entries of arrays; their Jacobians are selections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cgraph.model.operations.slices import Slice
from cgraph.model.operations.structured_jacobians import Dense, Jacobian, Product, Selection

__all__ = [
    "each_axis", "index", "pad", "pad_jacobian", "placed", "repeat", "reshape", "split", "squeeze", "take", "take_jacobian", "taken",
]  # fmt: skip

Array = Any  # an ndarray of floats, or of complex numbers


def reshape(x: Array, shape: Any) -> Array:
    """Return the same entries in another shape."""
    return np.reshape(x, shape)


def squeeze(x: Array, axis: Any = None) -> Any:
    """Return an array without axes of length 1: all of them, or those that are named."""
    return np.squeeze(x, axis)[()]


def index(x: Array, key: tuple[Any, ...]) -> Array:
    """Return ``x[key]``."""
    if np.ndim(x) == 0:
        raise ValueError("a number has no entries")
    return x[tuple(slice(*part) if isinstance(part, Slice) else list(part) if isinstance(part, tuple) else part
                   for part in key)]  # fmt: skip


def split(x: Array, parts: int = 2, part: int = 0, axis: int = 0) -> Array:
    """Return one of several equal parts along an axis, counted from 0."""
    if not all(isinstance(option, int) for option in (parts, part, axis)):
        raise TypeError("parts, part and axis must be one whole number each")
    if parts < 1 or not 0 <= part < parts:
        raise ValueError(f"there is no part {part} of {parts}, counted from 0")
    if np.ndim(x) == 0:
        raise ValueError("a number has no axes")
    return np.split(x, parts, axis)[part]


def repeat(x: Array, repeats: Any = 2, axis: int | None = None) -> Array:
    """Return each entry several times, of the flattened array or along an axis."""
    if isinstance(axis, tuple):
        raise TypeError("one axis is needed")
    return np.repeat(x, repeats, axis)


def taken(x: Array, take: Callable[[Array], Array]) -> Jacobian:
    """Return the Jacobian of a function that only moves entries: do the same to their numbers."""
    return Selection(np.asarray(take(np.arange(x.size).reshape(x.shape))).ravel(), x.size)


# --- entries at places that another operand holds ---------------------------------------------------------------------


def _whole(x: Array, places: Array, axis: int) -> Any:
    """Return places as whole numbers, once they are seen to be places along an axis of `x`."""
    n = np.shape(x)[axis]
    real = np.real(places)
    whole = np.asarray(real).astype(np.intp)
    if np.any(whole != real) or np.any((whole < -n) | (whole >= n)):
        raise ValueError(f"places along this axis must be whole numbers from {-n} to {n - 1}")
    return whole


def take(x: Array, places: Array, axis: int = 0) -> Any:
    """Return the entries, rows or slices of `x` at places along an axis, as an embedding looks up words."""
    if np.ndim(x) == 0:
        raise ValueError("a number has no axes")
    if not isinstance(axis, int):
        raise TypeError("one axis is needed")
    return np.take(x, _whole(x, places, axis), axis)


def take_jacobian(k: int, y: Any, x: Array, places: Array, axis: int = 0) -> Jacobian:
    """Return a selection; by the places, which move by whole steps, all derivatives are 0."""
    if k == 1:
        return Product((Dense(np.zeros((np.size(y), 1))), Dense(np.zeros((1, places.size)))))
    return taken(x, lambda numbers: np.take(numbers, _whole(x, places, axis), axis))


# --- joined, and put among zeros --------------------------------------------------------------------------------------


def placed(k: int, xs: tuple[Array, ...], join: Callable[[list[Array]], Array]) -> Jacobian:
    """Return the Jacobian of a concatenation with respect to operand `k`: the entries of x_k are some entries of y."""
    marks = [np.full(np.shape(x), -1) for x in xs]
    marks[k] = np.arange(marks[k].size).reshape(marks[k].shape)
    joined = join(marks).ravel()
    places = np.flatnonzero(joined >= 0)
    order = np.empty(places.size, np.intp)
    order[joined[places]] = places
    return Selection(order, joined.size).T


def each_axis(option: Any, axes: int, name: str, least: int) -> tuple[int, ...]:
    """Return an option that is one whole number for all axes, or one for each of them."""
    numbers: tuple[int, ...] = option if isinstance(option, tuple) else (option,) * axes
    if len(numbers) != axes or min(numbers, default=least) < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, or {axes} of them")
    return numbers


def _within(x: Array, before: Any, after: Any) -> tuple[tuple[int, ...], tuple[slice, ...]]:
    """Return the shape of the padded array, and where `x` stands in it."""
    n = np.ndim(x)
    front, behind = each_axis(before, n, "before", 0), each_axis(after, n, "after", 0)
    space: tuple[int, ...] = np.shape(x)
    shape = tuple(p + length + q for p, length, q in zip(front, space, behind, strict=True))
    return shape, tuple(slice(p, p + length) for p, length in zip(front, space, strict=True))


def pad(x: Array, before: Any = 0, after: Any = 0) -> Array:
    """Return an array with zeros before and after its entries, as many along all axes or along each."""
    shape, inside = _within(x, before, after)
    y = np.zeros(shape, np.asarray(x).dtype)
    y[inside] = x
    return y[()]


def pad_jacobian(_: int, y: Array, x: Array, before: Any = 0, after: Any = 0) -> Jacobian:
    """Return the transpose of the selection that cuts the padding off."""
    inside = _within(x, before, after)[1]
    return Selection(np.arange(np.size(y)).reshape(np.shape(y))[inside].ravel(), np.size(y)).T
