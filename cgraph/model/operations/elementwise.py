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
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cgraph.model.operations.arrays import ARRAY_OPERATIONS, ArrayOperation
from cgraph.model.values import exact_power

__all__ = [
    "ACTIVATIONS", "ALIASES", "CONSTANTS", "FUNCTIONS", "LISTED", "OF_ONE_ARRAY", "OPERATIONS", "Operation", "row_of",
]  # fmt: skip

# Operands are floats, complex numbers or Fractions, or arrays of them; the table does not tell them apart.
Number = Any

# What a neuron may do with its weighted sum.
ACTIVATIONS = (
    "identity", "sigmoid", "tanh", "relu", "hard_tanh", "softplus", "leaky_relu", "elu", "gelu", "silu",
)  # fmt: skip
CONSTANTS = {"pi": math.pi, "e": math.e}
ALIASES = {"ln": "log"}
OF_ONE_ARRAY = {"max": "largest", "min": "smallest"}  # what they stand for with a single operand
LISTED = {"reshape": "shape", "transpose": "axes"}  # the option that may be listed: reshape(x, 2, 3)


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


def _where(condition: Any, a: Number, b: Number) -> Number:
    if isinstance(condition, np.ndarray):
        return np.where(condition, a, b)
    return a if condition else b


def _choose(condition: Any, a: Number, b: Number) -> Number:
    chosen: Any = np.where(np.real(condition) != 0, a, b)
    return chosen[()]  # in the shape that all three have together; of numbers a number


def _power(a: Number, b: Number) -> Number:
    # A complex power goes through the logarithm, whose branch cut would spoil a complex step at a < 0;
    # an integer exponent multiplies instead.
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


def _power_by_base(y: Number, a: Number, b: Number) -> Number:
    return b * _power(a, _where(b == 0, 1, b - 1))  # a^0 is the constant 1, at a = 0 too


def _power_by_exponent(y: Number, a: Number, b: Number) -> Number:
    return y * np.log(_where((a == 0) & (b > 0), 1, a))  # 0^b is the constant 0 for b > 0


def _sign(x: Number) -> Number:
    return np.sign(np.real(x))


def _sigmoid(x: Number) -> Number:
    t = np.exp(_where(np.real(x) < 0, x, -x))  # at most 1, so neither end overflows
    return _where(np.real(x) < 0, t, 1) / (1 + t)


def _softplus(x: Number) -> Number:
    return _where(np.real(x) < 0, 0.0, x) + np.log1p(np.exp(_where(np.real(x) < 0, x, -x)))


def _erf(x: Number) -> Number:
    if np.ndim(x):
        return _erfs(x)
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


def _erfs(x: NDArray[Any]) -> NDArray[Any]:
    return np.array([_erf(entry) for entry in x.ravel().tolist()]).reshape(x.shape)


def _normal_cdf(x: Number) -> Number:
    if np.iscomplexobj(x):
        return (1 + _erf(x / math.sqrt(2))) / 2
    # The complementary function keeps its digits far to the left.
    if np.ndim(x):
        return np.array([math.erfc(-entry / math.sqrt(2)) / 2 for entry in x.ravel().tolist()]).reshape(x.shape)
    return math.erfc(-x / math.sqrt(2)) / 2


def _normal_pdf(x: Number) -> Number:
    return np.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def _cross_entropy(p: Number, y: Number) -> Number:
    # 0 log 0 is 0: an outcome that is certain not to be costs nothing. Where p is 0 the domain says that y is, too.
    return -y * np.log(_where(np.real(p) == 0, 1, p)) - (1 - y) * np.log(_where(np.real(p) == 1, 1, 1 - p))


def _cross_entropy_by_p(y: Number, p: Number, t: Number) -> Number:
    return (1 - t) / _where(t == 1, 1, 1 - p) - t / _where(t == 0, 1, p)


def _holds(condition: Any) -> Number:
    return condition * 1.0


_FLAT = (lambda y, a, b: 0, lambda y, a, b: 0)
_POSITIVE = (lambda x: x > 0, "a positive operand")
_UNIT = (lambda x: (x >= -1) & (x <= 1), "an operand in [-1, 1]")
_PROBABILITY = (
    lambda p, y: ((p > 0) | (y == 0)) & ((p < 1) | (y == 1)) & (p >= 0) & (p <= 1),
    "a probability in (0, 1), or one that the label leaves possible",
)
_POWER = (
    lambda a, b: (a > 0) | ((a == 0) & (b >= 0)) | ((a < 0) & (b % 1 == 0)),
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
                       domain=(lambda x: (x > -1) & (x < 1), "an operand between -1 and 1, ends excluded")),
    "erf": Operation(_erf, (lambda y, x: 2 / math.sqrt(math.pi) * np.exp(-x * x),),
                     r"\operatorname{{erf}}({0})"),
    # activations
    "identity": Operation(lambda x: x, (lambda y, x: 1,), "{0}"),
    "sigmoid": Operation(_sigmoid, (lambda y, x: y * (1 - y),), r"\sigma({0})"),
    "tanh": Operation(np.tanh, (lambda y, x: 1 - y * y,), r"\tanh({0})"),
    "relu": Operation(lambda x: _where(np.real(x) > 0, x, 0.0), (lambda y, x: _where(y > 0, 1, 0),), r"\operatorname{{relu}}({0})"),
    "hard_tanh": Operation(lambda x: _where(abs(np.real(x)) <= 1, x, _sign(x)),
                           (lambda y, x: _where(abs(x) <= 1, 1, 0),), r"\operatorname{{hardtanh}}({0})"),
    "softplus": Operation(_softplus, (lambda y, x: _sigmoid(x),), r"\operatorname{{softplus}}({0})"),
    "leaky_relu": Operation(lambda x: _where(np.real(x) > 0, x, 0.01 * x),
                            (lambda y, x: _where(x > 0, 1, 0.01),), r"\operatorname{{lrelu}}({0})"),
    "elu": Operation(lambda x: _where(np.real(x) > 0, x, np.expm1(_where(np.real(x) > 0, 0, x))),
                     (lambda y, x: _where(x > 0, 1, y + 1),), r"\operatorname{{elu}}({0})"),
    "gelu": Operation(lambda x: x * _normal_cdf(x), (lambda y, x: _normal_cdf(x) + x * _normal_pdf(x),),
                      r"\operatorname{{gelu}}({0})"),
    "silu": Operation(lambda x: x * _sigmoid(x), (lambda y, x: _sigmoid(x) + y * _sigmoid(-x),),
                      r"\operatorname{{silu}}({0})"),
    # piecewise
    "abs": Operation(lambda x: _sign(x) * x, (lambda y, x: _sign(x),), r"\left|{0}\right|"),
    "sign": Operation(_sign, (lambda y, x: 0,), r"\operatorname{{sign}}({0})"),
    "max": Operation(lambda a, b: _where(np.real(a) >= np.real(b), a, b),
                     (lambda y, a, b: _where(a >= b, 1, 0), lambda y, a, b: _where(a >= b, 0, 1)), r"\max({0}, {1})"),
    "min": Operation(lambda a, b: _where(np.real(a) <= np.real(b), a, b),
                     (lambda y, a, b: _where(a <= b, 1, 0), lambda y, a, b: _where(a <= b, 0, 1)), r"\min({0}, {1})"),
    "where": Operation(_choose,
                       (lambda y, c, a, b: 0, lambda y, c, a, b: _where(c != 0, 1, 0), lambda y, c, a, b: _where(c != 0, 0, 1)),
                       r"\operatorname{{where}}({0}, {1}, {2})"),
    # comparisons: 1 where it holds, 0 elsewhere
    "greater": Operation(lambda a, b: _holds(np.real(a) > np.real(b)), _FLAT, "{0} > {1}", infix=">", precedence=0),
    "less": Operation(lambda a, b: _holds(np.real(a) < np.real(b)), _FLAT, "{0} < {1}", infix="<", precedence=0),
    "greater_equal": Operation(lambda a, b: _holds(np.real(a) >= np.real(b)), _FLAT, r"{0} \ge {1}", infix=">=", precedence=0),
    "less_equal": Operation(lambda a, b: _holds(np.real(a) <= np.real(b)), _FLAT, r"{0} \le {1}", infix="<=", precedence=0),
    # losses
    "binary_cross_entropy": Operation(
        _cross_entropy,
        (_cross_entropy_by_p, lambda y, p, t: np.log((1 - p) / p)),
        r"\operatorname{{bce}}({0}, {1})", domain=_PROBABILITY),
}
# fmt: on

# What is called by name in an equation; an index is written in brackets.
_UNNAMED = {"index", *OF_ONE_ARRAY.values()}
FUNCTIONS = {name for name, row in (OPERATIONS | ARRAY_OPERATIONS).items() if not row.infix} - _UNNAMED | set(ALIASES)


def row_of(operation: str) -> Operation | ArrayOperation:
    """Return the row of an operation, from the table of elementary ones or of those on arrays."""
    return OPERATIONS[operation] if operation in OPERATIONS else ARRAY_OPERATIONS[operation]
