"""Numbers with an exponent of their own, for products that leave the range of floats.

A product of derivatives along a path may pass below 2e-308 or above 1.8e308 and come back. `ExtendedNumber` holds a
mantissa and an exponent apart, entry by entry where it is an array, so that a sweep over it loses nothing on the way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from cgraph.model.operations.structured_jacobians import Jacobian

__all__ = ["ExtendedNumber", "extended", "in_floats"]

_BAND = 64  # entries whose exponents differ by less are multiplied by a matrix together
_OF_ZERO = -(2**60)  # the exponent of 0, below that of any product
_LOST = -2000  # shifted by so many bits, nothing of a float remains


@dataclass(frozen=True)
class ExtendedNumber:
    """The number mantissa * 2^exponent, with a mantissa between 1/2 and 1, or 0.

    Of an array both are arrays of one shape. A `Jacobian` is held as it is, to be multiplied by.
    """

    mantissa: Any
    exponent: Any = 0

    def __mul__(self, other: Any) -> ExtendedNumber:
        other = extended(other)
        if isinstance(other.mantissa, Jacobian):
            return _times_matrix(self, other.mantissa)
        return _normalized(self.mantissa * other.mantissa, self.exponent + other.exponent)

    def __add__(self, other: Any) -> ExtendedNumber:
        if type(other) is int and other == 0:  # what a sum starts from
            return self
        other = extended(other)
        if np.ndim(self.mantissa) or np.ndim(other.mantissa):
            exponent = np.maximum(self.exponent, other.exponent)
            first, second = (np.ldexp(n.mantissa, np.maximum(n.exponent - exponent, _LOST)) for n in (self, other))
            return _normalized(first + second, exponent)
        large, small = (self, other) if self.exponent >= other.exponent else (other, self)
        shifted = math.ldexp(small.mantissa, max(small.exponent - large.exponent, _LOST))
        return _normalized(large.mantissa + shifted, large.exponent)

    def __neg__(self) -> ExtendedNumber:
        return ExtendedNumber(-self.mantissa, self.exponent)

    # A sweep starts from the integers 0 and 1, and every product of numbers commutes.
    __radd__, __rmul__ = __add__, __mul__

    def entries(self) -> list[ExtendedNumber]:
        """Return the entries of an array, or the number itself."""
        pairs = zip(np.ravel(self.mantissa).tolist(), np.ravel(self.exponent).tolist(), strict=True)
        return [ExtendedNumber(mantissa, exponent) for mantissa, exponent in pairs]

    def __float__(self) -> float:
        """Return the nearest float; beyond the limits of floats 0.0, or infinity."""
        return (
            math.ldexp(self.mantissa, self.exponent)
            if self.exponent <= 1024
            else math.copysign(math.inf, self.mantissa)
        )

    def log(self) -> float:
        """Return the logarithm of the absolute value, minus infinity of 0."""
        return math.log(abs(self.mantissa)) + self.exponent * math.log(2) if self.mantissa else -math.inf


def extended(value: Any) -> ExtendedNumber:
    """Return a number or an array with an exponent of its own; a `Jacobian` as a factor."""
    if isinstance(value, ExtendedNumber):
        return value
    return ExtendedNumber(value) if isinstance(value, Jacobian) else _normalized(value, 0)


def in_floats(value: Any) -> Any:
    """Return the nearest float of an `ExtendedNumber`, and any other value as it is."""
    return float(value) if isinstance(value, ExtendedNumber) else value


def _normalized(mantissa: Any, exponent: Any) -> ExtendedNumber:
    """Return mantissa * 2^exponent with a mantissa between 1/2 and 1 in every entry."""
    if not isinstance(mantissa, np.ndarray):
        fraction, shift = math.frexp(mantissa)
        return ExtendedNumber(fraction, exponent + shift if fraction else _OF_ZERO)
    fractions, shifts = np.frexp(mantissa)
    return ExtendedNumber(fractions, np.where(fractions == 0, _OF_ZERO, exponent + shifts.astype(np.int64)))


def _times_matrix(rows: ExtendedNumber, J: Jacobian) -> ExtendedNumber:
    """Return rows @ J, a product for each band of exponents among the rows, so that small entries are not lost."""
    mantissa, exponent = np.atleast_2d(rows.mantissa), np.atleast_2d(rows.exponent)
    total = _normalized(np.zeros((len(mantissa), J.shape[1])), 0)
    remaining = mantissa != 0
    while remaining.any():
        top = exponent[remaining].max()
        band = remaining & (exponent > top - _BAND)
        part = np.zeros(mantissa.shape)
        part[band] = np.ldexp(mantissa[band], exponent[band] - top)
        total = total + _normalized(part @ J, top)
        remaining &= ~band
    return total
