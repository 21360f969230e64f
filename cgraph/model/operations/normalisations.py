"""Normalised arrays: groups of entries with mean 0 and variance 1, or with mean square 1.

Source: J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer normalization", 2016; S. Ioffe, C. Szegedy, "Batch normalization",
2015; Y. Wu, K. He, "Group normalization", 2018; B. Zhang, R. Sennrich, "Root mean square layer normalization", 2019.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np

from cgraph.model.operations.structured_jacobians import Dense, Jacobian, Shape

__all__ = ["BATCH", "GROUPS", "LAYER", "MEAN_SQUARE", "POSITIVE_EPSILON", "Normalisation"]

Array = Any  # an ndarray of floats, or of complex numbers


class Groups(NamedTuple):
    """Which entries are normalised together: those along some axes, once the array has a shape."""

    shape: Shape
    axes: tuple[int, ...]


def _along(shape: Shape, axis: Any = -1) -> Groups:
    """Return the groups of entries along one axis, or along several."""
    rank = len(shape)
    axes = axis if isinstance(axis, tuple) else (axis,)
    if not axes or any(not -rank <= a < rank for a in axes) or len({a % rank for a in axes}) < len(axes):
        raise ValueError(f"axis {axis} is none of its {rank} axes")
    return Groups(shape, tuple(a % rank for a in axes))


def _of_channels(shape: Shape) -> Groups:
    """Return the groups of entries with the same place along axis 1: one for each channel, over all examples."""
    if len(shape) < 2:
        raise ValueError("examples stand along axis 0 and channels along axis 1")
    return Groups(shape, (0, *range(2, len(shape))))


def _of_neighbours(shape: Shape, groups: int = 1) -> Groups:
    """Return for each example the groups of entries of channels beside each other."""
    if len(shape) < 2:
        raise ValueError("examples stand along axis 0 and channels along axis 1")
    n, channels, *space = shape
    if not isinstance(groups, int) or groups < 1 or channels % groups:
        raise ValueError(f"{channels} channels make no {groups} groups of one size")
    return Groups((n, groups, channels // groups, *space), tuple(range(2, len(space) + 3)))


class Normalisation:
    """An operation that normalises groups of entries: y = (x - mean) / sqrt(variance + epsilon).

    Parameters
    ----------
    groups : callable
        ``groups(shape, **options)`` says which entries go together.
    is_centred : bool
        Whether the mean is taken off; without it, y = x / sqrt(mean(x^2) + epsilon).
    """

    def __init__(self, groups: Callable[..., Groups], *, is_centred: bool = True) -> None:
        self.groups = groups
        self.is_centred = is_centred

    def value(self, x: Array, epsilon: Any, **options: Any) -> Array:
        """Return the normalised array."""
        X, axes = self._grouped(x, epsilon, options)
        centred = X - X.mean(axes, keepdims=True) if self.is_centred else X
        scale = np.sqrt((centred * centred).mean(axes, keepdims=True) + epsilon)
        return (centred / scale).reshape(np.shape(x))

    def jacobian(self, k: int, y: Array, x: Array, epsilon: Any, **options: Any) -> Jacobian:
        """Return the Jacobian with respect to the array, or to the number that is added to the variance."""
        X, axes = self._grouped(x, epsilon, options)
        moments = X.var(axes, keepdims=True) if self.is_centred else (X * X).mean(axes, keepdims=True)
        scale = np.sqrt(moments + epsilon)
        Y = y.reshape(X.shape)
        if k == 1:
            return Dense((-0.5 * Y / (scale * scale)).reshape(-1, 1))
        return NormalisedGroups(Y, scale, axes, self.is_centred)

    def entries(self, x: Any, epsilon: Any, **options: Any) -> Any:
        """Return it entry by entry; what several entries read becomes a node."""
        X, axes = self._grouped(x, epsilon, options)
        centred = _shared(X - _shared(X.mean(axes, keepdims=True))) if self.is_centred else X
        scale = _shared(np.sqrt((centred * centred).mean(axes, keepdims=True) + epsilon))
        return (centred / scale).reshape(np.shape(x))

    def _grouped(self, x: Array, epsilon: Any, options: dict[str, Any]) -> tuple[Array, tuple[int, ...]]:
        if np.ndim(epsilon):
            raise ValueError("the second operand, added to the variance, must be a number")
        if np.ndim(x) == 0:
            raise ValueError("a number has no axes")
        shape, axes = self.groups(np.shape(x), **options)
        return np.reshape(x, shape), axes


_shared = np.frompyfunc(lambda entry: entry.shared(), 1, 1)


@final
@dataclass(frozen=True, eq=False)
class NormalisedGroups(Jacobian):
    """The Jacobian of normalised groups y of n entries each: (I - 1 1^T/n - y y^T/n) / s, which is symmetric.

    Without the mean taken off, (I - y y^T/n) / s. The scale s is the root of variance plus epsilon.
    """

    y: Array
    scale: Array
    axes: tuple[int, ...]
    is_centred: bool

    @property
    def shape(self) -> tuple[int, int]:
        return self.y.size, self.y.size

    def vjp(self, rows: Array) -> Array:
        R = rows.reshape(len(rows), *self.y.shape)
        axes = tuple(a + 1 for a in self.axes)
        product = R - self.y * (R * self.y).mean(axes, keepdims=True)
        if self.is_centred:
            product -= R.mean(axes, keepdims=True)
        return (product / self.scale).reshape(rows.shape)

    def jvp(self, columns: Array) -> Array:
        return self.vjp(columns.T).T

    @property
    def T(self) -> Jacobian:  # noqa: N802 - as NumPy calls it
        return self


LAYER, BATCH = Normalisation(_along), Normalisation(_of_channels)
GROUPS, MEAN_SQUARE = Normalisation(_of_neighbours), Normalisation(_along, is_centred=False)
POSITIVE_EPSILON = (lambda _, epsilon: np.all(epsilon > 0), "a positive number as its second operand")
