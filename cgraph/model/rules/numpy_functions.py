"""Primitives that NumPy lacks, or has for real numbers only: for floats, Fractions, arrays and a complex step."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from cgraph.model.values import exact_power

__all__ = ["PRIMITIVES"]

# Operands are floats, complex numbers or Fractions, or arrays of them; the rules do not tell them apart.
Number = Any

FARTHEST = 2.0  # from there on the continued fraction converges faster than the series


def where(condition: Any, a: Number, b: Number) -> Number:
    """Return a where the condition holds, else b, in the shape that all three have together."""
    if isinstance(condition, np.ndarray) or isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.where(condition, a, b)
    return a if condition else b


def anywhere(condition: Any) -> Any:
    """Return whether the condition holds, for an array in any entry."""
    return condition.any() if isinstance(condition, np.ndarray) else condition


def power(a: Number, b: Number) -> Number:
    """Return a^b.

    A complex power goes through the logarithm, whose branch cut would spoil a complex step at a < 0; an integer
    exponent multiplies instead.
    """
    if np.iscomplexobj(a) or np.iscomplexobj(b):
        return _complex_powers(a, b) if np.ndim(a) or np.ndim(b) else _complex_power(a, b)
    return exact_power(a, b) if isinstance(a, Fraction) else a**b


def _complex_power(a: complex, b: complex) -> complex:
    if a == 0 and isinstance(b, complex) and b.imag:
        return 0.0
    if not np.imag(b) and float(np.real(b)).is_integer():
        return a ** int(np.real(b))
    return a**b


_complex_powers = np.vectorize(_complex_power, otypes=[complex])


def floor(x: Number) -> Number:
    """Return the largest whole number that is not above x."""
    if isinstance(x, float | Fraction):
        return type(x)(math.floor(x))
    return np.floor(x.real)


def arctan2(a: Number, b: Number) -> Number:
    """Return the angle of the point (b, a)."""
    if not (np.iscomplexobj(a) or np.iscomplexobj(b)):
        return np.arctan2(a, b)
    # What the real parts give, turned by the angle between: small, as a perturbation is.
    turned = (a * b.real - b * a.real) / (b * b.real + a * a.real)
    return np.arctan2(a.real, b.real) + np.arctan(turned)


def hypot(a: Number, b: Number) -> Number:
    """Return sqrt(a^2 + b^2), for real numbers without overflow."""
    if not (np.iscomplexobj(a) or np.iscomplexobj(b)):
        return np.hypot(a, b)
    return np.sqrt(a * a + b * b)


def _erf_of_one(x: Any) -> Any:
    if not isinstance(x, complex):
        return math.erf(x)
    return _series(x) if abs(x.real) < FARTHEST else 1 - _erfc_of_one(x)


def _erfc_of_one(x: Any) -> Any:
    if not isinstance(x, complex):
        return math.erfc(x)  # keeps its digits far to the right, where 1 - erf(x) has none
    if abs(x.real) < FARTHEST:
        return 1 - _series(x)
    sign = math.copysign(1.0, x.real)
    fraction = x * sign  # Abramowitz and Stegun 7.1.14, the continued fraction, from the inside
    for n in range(60, 0, -1):
        fraction = x * sign + n / 2 / fraction
    tail = np.exp(-x * x) / (math.sqrt(math.pi) * fraction)
    return tail if sign > 0 else 2 - tail


def _series(x: complex) -> Any:
    """Return erf(x) by Abramowitz and Stegun 7.1.6: all terms have one sign."""
    term = total = x
    for n in range(1, 60):
        term *= 2 * x * x / (2 * n + 1)
        total += term
    return 2 / math.sqrt(math.pi) * np.exp(-x * x) * total


def _by_entry(of_one: Callable[[Any], Any]) -> Callable[[Number], Number]:
    def function(x: Number) -> Number:
        if np.ndim(x):
            return np.array([of_one(entry) for entry in x.ravel().tolist()]).reshape(x.shape)
        return of_one(x)

    return function


PRIMITIVES: dict[str, Any] = {
    "np": np, "where": where, "anywhere": anywhere, "power": power, "floor": floor, "arctan2": arctan2, "hypot": hypot,
    "erf": _by_entry(_erf_of_one), "erfc": _by_entry(_erfc_of_one),
}  # fmt: skip
