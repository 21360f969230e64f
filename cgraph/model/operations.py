"""The table of operations: one row gives the value, the local derivatives, the domain and how it is written.

A derivative is a function of the output y and the operands: for the activations of the notes the output alone
is enough (sigmoid: y(1 - y), tanh: 1 - y^2). Every value also takes complex numbers whose imaginary part is a small
perturbation, which is what a complex step needs. Piecewise rows therefore branch on the real part.

Sources: MATH 565, lecture 27 (activations and their derivatives in terms of the output); at kinks the
conventions of the design hold: relu'(0) = abs'(0) = 0, hard tanh' = 1 at both ends, ties go to the first.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["ACTIVATIONS", "ALIASES", "CONSTANTS", "FUNCTIONS", "OPERATIONS", "Operation"]

# Operands are floats, complex numbers or Fractions; the table does not tell them apart.
Number = Any

# What a neuron may do with its weighted sum.
ACTIVATIONS = (
    "identity", "sigmoid", "tanh", "relu", "hard_tanh", "softplus", "leaky_relu", "elu", "gelu", "silu",
)  # fmt: skip
CONSTANTS = {"pi": math.pi, "e": math.e}
ALIASES = {"ln": "log"}


@dataclass(frozen=True)
class Operation:
    """One elementary operation.

    Parameters
    ----------
    value : callable
        ``value(*x)`` is the output y.
    derivatives : tuple of callables
        One for each operand: ``d(y, *x)`` is dy/dx_k at the output y and the operands x.
    latex : str
        How it is typeset; ``{0}``, ``{1}`` stand for the operands.
    domain : (callable, str), optional
        ``inside(*x)`` says whether the operands are allowed, and the words say which ones are.
    infix : str, optional
        The operator between the operands (before a single one); a function is written by its name.
    precedence : int
        How tightly the operator binds; a function binds tightest.
    """

    value: Callable[..., Number]
    derivatives: tuple[Callable[..., Number], ...]
    latex: str
    domain: tuple[Callable[..., bool], str] | None = None
    infix: str = ""
    precedence: int = 9


def _power(a: Number, b: Number) -> Number:
    # A complex power goes through the logarithm, whose branch cut would spoil a complex step at a < 0;
    # an integer exponent multiplies instead.
    if a == 0 and isinstance(b, complex):
        return 0.0
    if isinstance(a, complex) and not np.imag(b) and float(np.real(b)).is_integer():
        return a ** int(np.real(b))
    return a**b


def _power_by_base(y: Number, a: Number, b: Number) -> Number:
    return 0 if b == 0 else b * _power(a, b - 1)  # a^0 is the constant 1, at a = 0 too


def _power_by_exponent(y: Number, a: Number, b: Number) -> Number:
    return 0 if a == 0 and b > 0 else y * np.log(a)  # 0^b is the constant 0 for b > 0


def _sign(x: Number) -> Number:
    return np.sign(np.real(x))


def _sigmoid(x: Number) -> Number:
    t = np.exp(x if np.real(x) < 0 else -x)  # at most 1, so neither end overflows
    return (t if np.real(x) < 0 else 1) / (1 + t)


def _softplus(x: Number) -> Number:
    return np.log1p(np.exp(x)) if np.real(x) < 0 else x + np.log1p(np.exp(-x))


def _erf(x: Number) -> Number:
    if not isinstance(x, complex):
        return math.erf(x)
    if abs(x.real) < 2:  # Abramowitz and Stegun 7.1.6: all terms have one sign
        term = total = x
        for n in range(1, 60):
            term *= 2 * x * x / (2 * n + 1)
            total += term
        return 2 / math.sqrt(math.pi) * np.exp(-x * x) * total
    sign = _sign(x)
    fraction = x * sign  # 7.1.14, the continued fraction, from the inside
    for n in range(60, 0, -1):
        fraction = x * sign + n / 2 / fraction
    return sign * (1 - np.exp(-x * x) / (math.sqrt(math.pi) * fraction))


def _normal_cdf(x: Number) -> Number:
    # The complementary function keeps its digits far to the left.
    return (1 + _erf(x / math.sqrt(2))) / 2 if isinstance(x, complex) else math.erfc(-x / math.sqrt(2)) / 2


def _normal_pdf(x: float) -> Number:
    return np.exp(-x * x / 2) / math.sqrt(2 * math.pi)


_POSITIVE = (lambda x: x > 0, "a positive operand")
_UNIT = (lambda x: -1 <= x <= 1, "an operand in [-1, 1]")
_POWER = (
    lambda a, b: a > 0 or (a == 0 and b >= 0) or (a < 0 and float(b).is_integer()),
    "a positive base, 0 to a power of at least 0, or a negative base to an integer power",
)

# fmt: off
OPERATIONS: dict[str, Operation] = {
    # arithmetic
    "add": Operation(operator.add, (lambda y, a, b: 1, lambda y, a, b: 1), "{0} + {1}", infix="+", precedence=1),
    "sub": Operation(operator.sub, (lambda y, a, b: 1, lambda y, a, b: -1), "{0} - {1}", infix="-", precedence=1),
    "mul": Operation(operator.mul, (lambda y, a, b: b, lambda y, a, b: a), r"{0} \cdot {1}", infix="*", precedence=2),
    "div": Operation(operator.truediv, (lambda y, a, b: 1 / b, lambda y, a, b: -y / b), r"\frac{{{0}}}{{{1}}}",
                     domain=(lambda a, b: b != 0, "a divisor other than 0"), infix="/", precedence=2),
    "neg": Operation(operator.neg, (lambda y, x: -1,), "-{0}", infix="-", precedence=3),
    "pow": Operation(_power, (_power_by_base, _power_by_exponent), "{0}^{{{1}}}", infix="^", precedence=4,
                     domain=_POWER),
    "square": Operation(lambda x: x * x, (lambda y, x: 2 * x,), "{0}^2"),
    "reciprocal": Operation(lambda x: 1 / x, (lambda y, x: -y * y,), r"\frac{{1}}{{{0}}}", domain=(lambda x: x != 0, "an operand other than 0")),
    # exponentials and logarithms
    "exp": Operation(np.exp, (lambda y, x: y,), "e^{{{0}}}"),
    "log": Operation(np.log, (lambda y, x: 1 / x,), r"\ln({0})", domain=_POSITIVE),
    "log2": Operation(np.log2, (lambda y, x: 1 / (x * math.log(2)),), r"\log_2({0})", domain=_POSITIVE),
    "log10": Operation(np.log10, (lambda y, x: 1 / (x * math.log(10)),), r"\log_{{10}}({0})", domain=_POSITIVE),
    "sqrt": Operation(np.sqrt, (lambda y, x: 1 / (2 * y),), r"\sqrt{{{0}}}",
                      domain=(lambda x: x >= 0, "an operand of at least 0")),
    # trigonometric and hyperbolic functions and their inverses
    "sin": Operation(np.sin, (lambda y, x: np.cos(x),), r"\sin({0})"),
    "cos": Operation(np.cos, (lambda y, x: -np.sin(x),), r"\cos({0})"),
    "tan": Operation(np.tan, (lambda y, x: 1 + y * y,), r"\tan({0})"),
    "asin": Operation(np.arcsin, (lambda y, x: 1 / np.sqrt((1 - x) * (1 + x)),), r"\arcsin({0})", domain=_UNIT),
    "acos": Operation(np.arccos, (lambda y, x: -1 / np.sqrt((1 - x) * (1 + x)),), r"\arccos({0})", domain=_UNIT),
    "atan": Operation(np.arctan, (lambda y, x: 1 / (1 + x * x),), r"\arctan({0})"),
    "sinh": Operation(np.sinh, (lambda y, x: np.cosh(x),), r"\sinh({0})"),
    "cosh": Operation(np.cosh, (lambda y, x: np.sinh(x),), r"\cosh({0})"),
    "asinh": Operation(np.arcsinh, (lambda y, x: 1 / np.hypot(x, 1),), r"\operatorname{{arsinh}}({0})"),
    "acosh": Operation(np.arccosh, (lambda y, x: 1 / (np.sqrt(x - 1) * np.sqrt(x + 1)),),
                       r"\operatorname{{arcosh}}({0})", domain=(lambda x: x >= 1, "an operand of at least 1")),
    "atanh": Operation(np.arctanh, (lambda y, x: 1 / ((1 - x) * (1 + x)),), r"\operatorname{{artanh}}({0})",
                       domain=(lambda x: -1 < x < 1, "an operand between -1 and 1, ends excluded")),
    "erf": Operation(_erf, (lambda y, x: 2 / math.sqrt(math.pi) * np.exp(-x * x),),
                     r"\operatorname{{erf}}({0})"),
    # activations
    "identity": Operation(lambda x: x, (lambda y, x: 1,), "{0}"),
    "sigmoid": Operation(_sigmoid, (lambda y, x: y * (1 - y),), r"\sigma({0})"),
    "tanh": Operation(np.tanh, (lambda y, x: 1 - y * y,), r"\tanh({0})"),
    "relu": Operation(lambda x: x if np.real(x) > 0 else 0.0, (lambda y, x: 1 if y > 0 else 0,), r"\operatorname{{relu}}({0})"),
    "hard_tanh": Operation(lambda x: x if -1 <= np.real(x) <= 1 else _sign(x),
                           (lambda y, x: 1 if -1 <= x <= 1 else 0,), r"\operatorname{{hardtanh}}({0})"),
    "softplus": Operation(_softplus, (lambda y, x: _sigmoid(x),), r"\operatorname{{softplus}}({0})"),
    "leaky_relu": Operation(lambda x: x if np.real(x) > 0 else 0.01 * x,
                            (lambda y, x: 1 if x > 0 else 0.01,), r"\operatorname{{lrelu}}({0})"),
    "elu": Operation(lambda x: x if np.real(x) > 0 else np.expm1(x),
                     (lambda y, x: 1 if x > 0 else y + 1,), r"\operatorname{{elu}}({0})"),
    "gelu": Operation(lambda x: x * _normal_cdf(x), (lambda y, x: _normal_cdf(x) + x * _normal_pdf(x),),
                      r"\operatorname{{gelu}}({0})"),
    "silu": Operation(lambda x: x * _sigmoid(x), (lambda y, x: _sigmoid(x) + y * _sigmoid(-x),),
                      r"\operatorname{{silu}}({0})"),
    # piecewise
    "abs": Operation(lambda x: _sign(x) * x, (lambda y, x: _sign(x),), r"\left|{0}\right|"),
    "sign": Operation(_sign, (lambda y, x: 0,), r"\operatorname{{sign}}({0})"),
    "max": Operation(lambda a, b: a if np.real(a) >= np.real(b) else b,
                     (lambda y, a, b: 1 if a >= b else 0, lambda y, a, b: 0 if a >= b else 1), r"\max({0}, {1})"),
    "min": Operation(lambda a, b: a if np.real(a) <= np.real(b) else b,
                     (lambda y, a, b: 1 if a <= b else 0, lambda y, a, b: 0 if a <= b else 1), r"\min({0}, {1})"),
}
# fmt: on

# What is called by name in an equation.
FUNCTIONS = {name for name, row in OPERATIONS.items() if not row.infix} | set(ALIASES)
