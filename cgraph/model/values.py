"""The value of a node: a number or an array."""

from __future__ import annotations

import cmath
from numbers import Real
from typing import Any

import numpy as np

__all__ = ["as_value", "is_finite", "show_shape", "show_value"]

MOST_SHOWN = 6


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
    if isinstance(value, Real | np.bool_) and not isinstance(value, bool | np.bool_):
        try:
            return float(value)
        except OverflowError:
            raise ValueError("is not finite") from None
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError("is ragged: its rows differ in length") from None
    if array.dtype.kind not in "iuf" or array.size == 0:
        raise ValueError("is empty" if array.size == 0 else "is not a number")
    if array.ndim == 0:
        return float(array)
    # A view may be of an array that somebody writes to.
    if array.dtype == np.float64 and not array.flags.writeable and array.base is None:
        return array
    array = array.astype(np.float64, order="C")
    array.setflags(write=False)
    return array


def is_finite(value: Any) -> bool:
    """Whether a number, or every entry of an array, is finite."""
    return bool(np.isfinite(value).all()) if isinstance(value, np.ndarray) else cmath.isfinite(value)


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
        return f"{np.real(value):.6g}"
    entries = [show_value(entry) for entry in value[:MOST_SHOWN]]
    return f"[{', '.join([*entries, *['...'] * (len(value) > MOST_SHOWN)])}]"
