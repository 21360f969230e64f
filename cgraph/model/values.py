"""The value of a node: a number or an array."""

from __future__ import annotations

import cmath
import math
from fractions import Fraction
from numbers import Real
from typing import Any

import numpy as np

__all__ = [
    "TooLongError",
    "as_computed",
    "as_value",
    "exact_power",
    "holds",
    "is_finite",
    "is_masked",
    "require_short",
    "shape_of",
    "show_shape",
    "show_value",
]

MOST_SHOWN = 6
MOST_DIGITS = 4000  # of a Fraction, above and below; Python writes few more
_MOST_BITS = int(MOST_DIGITS * math.log2(10))


def as_value(value: Any) -> Any:
    """Return a number as a float, and an array or nested lists as an array of floats that cannot be written to.

    Raises
    ------
    ValueError
        If it is neither; the message goes on after "which".

    Examples
    --------
    >>> as_value(2), as_value([[1, 2], [3, 4]]).shape
    (2.0, (2, 2))
    """
    if isinstance(value, float):  # as most are
        return float(value)
    if _is_ours(value):
        return value
    if isinstance(value, Real | np.bool_) and not isinstance(value, bool | np.bool_):
        try:
            return float(value)
        except OverflowError:
            raise ValueError("is not finite") from None
    if is_masked(value):
        raise ValueError("is a masked array; fill it, as by value.filled(0.0)")
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError("is ragged: its rows differ in length") from None
    if array.dtype.kind not in "iuf" or array.size == 0:
        raise ValueError("is empty" if array.size == 0 else "is not a number")
    if array.ndim == 0:
        return float(array)
    array = array.astype(np.float64, order="C")
    array.setflags(write=False)
    return array


def is_masked(value: Any) -> bool:
    """Whether some entries of an array are masked, which NumPy forgets when it makes a plain array of it."""
    return hasattr(value, "mask") and bool(np.ma.is_masked(value))


def _is_ours(value: Any) -> bool:
    """Whether a value is an array as nodes hold them; no view, as somebody may write to the array that it shows."""
    return (
        type(value) is np.ndarray
        and value.ndim > 0
        and value.size > 0
        and value.dtype == np.float64
        and not value.flags.writeable
        and value.base is None
    )


def as_computed(value: Any) -> Any:
    """Return the outcome of an operation as `as_value` does, but without a copy: nobody else holds it."""
    if not shape_of(value):
        return float(value)
    if value.dtype != np.float64:
        return as_value(value)
    value.setflags(write=False)
    return value


def shape_of(value: Any) -> tuple[int, ...]:
    """Return the shape of an array, and () of a number, as `np.shape` does: that makes an array of each number first."""
    shape: tuple[int, ...] = getattr(value, "shape", ())
    return shape


def holds(condition: Any) -> bool:
    """Whether a condition holds: for a number, or for every entry of an array."""
    return bool(condition.all() if isinstance(condition, np.ndarray) else condition)


def is_finite(value: Any) -> bool:
    """Whether a number, or every entry of an array, is finite."""
    if isinstance(value, np.ndarray):
        return bool(
            np.count_nonzero(np.isfinite(value)) == value.size
        )  # quicker than all(), which counts for small arrays
    try:
        return cmath.isfinite(value)
    except OverflowError:  # of a Fraction past the floats
        return False


class TooLongError(OverflowError):
    """A Fraction of more than `MOST_DIGITS` digits."""

    def __str__(self) -> str:
        return f"has more than {MOST_DIGITS:,} digits as a fraction"


def require_short(value: Any) -> None:
    """Raise `TooLongError` for a Fraction of too many digits."""
    if isinstance(value, Fraction) and max(map(int.bit_length, value.as_integer_ratio())) > _MOST_BITS:
        raise TooLongError


def exact_power(a: Fraction, b: Any) -> Any:
    """Return a^b; raise `OverflowError` if it is past the floats, `TooLongError` rather than compute what is too long."""
    above, below = (math.log2(abs(part) or 1) for part in a.as_integer_ratio())
    if (above - below) * float(b) > 1024:
        raise OverflowError
    if max(above, below) * abs(b) > _MOST_BITS:
        raise TooLongError
    return a**b


def show_shape(value: Any) -> str:
    """Return the shape of a value in words.

    Examples
    --------
    >>> show_shape(2.0), show_shape(np.zeros(3)), show_shape(np.zeros((3, 4)))
    ('a number', 'a vector of 3', '3 x 4')
    """
    shape = np.shape(value)
    return {0: "a number", 1: f"a vector of {shape[0] if shape else 0}"}.get(len(shape), " x ".join(map(str, shape)))


def show_value(value: Any) -> str:
    """Return a value in few characters: a number with 6 digits, an array with its first entries.

    Examples
    --------
    >>> show_value(1 / 3), show_value(np.arange(3.0))
    ('0.333333', '[0, 1, 2]')
    """
    if np.ndim(value) == 0:
        return f"{float(np.real(value)):.6g}"  # a Fraction, too
    entries = [show_value(entry) for entry in value[:MOST_SHOWN]]
    return f"[{', '.join([*entries, *['...'] * (len(value) > MOST_SHOWN)])}]"
