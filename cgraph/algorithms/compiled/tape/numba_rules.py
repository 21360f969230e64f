"""The operations on a tape: each once for its value, once for its derivatives.

The rules are those of `cgraph.model.operations.elementwise`, which machine code cannot read from there; a test compares them
row by row. They branch on no number, and so serve NumPy, which hands them arrays, as well as machine code, which
hands them single numbers and takes the functions of `cgraph.algorithms.compiled.tape.elementary_functions` for those of NumPy.
A value that does not exist comes out as inf or nan.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["GIVEN", "OPCODES", "WEIGHTED_SUM", "derivatives", "is_binary", "value"]

# From "add" to "min" there are two operands.
OPCODES = {name: code for code, name in enumerate((
    "given", "weighted_sum", "add", "mul", "sub", "div", "pow", "max", "min",
    "identity", "neg", "square", "reciprocal", "exp", "log", "log2", "log10", "sqrt",
    "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh", "erf",
    "sigmoid", "tanh", "relu", "hard_tanh", "softplus", "leaky_relu", "elu", "gelu", "silu", "abs", "sign",
))}  # fmt: skip
(
    GIVEN, WEIGHTED_SUM, ADD, MUL, SUB, DIV, POW, MAX, MIN,
    IDENTITY, NEG, SQUARE, RECIPROCAL, EXP, LOG, LOG2, LOG10, SQRT,
    SIN, COS, TAN, ASIN, ACOS, ATAN, SINH, COSH, ASINH, ACOSH, ATANH, ERF,
    SIGMOID, TANH, RELU, HARD_TANH, SOFTPLUS, LEAKY_RELU, ELU, GELU, SILU, ABS, SIGN,
) = range(len(OPCODES))  # fmt: skip

exp, log, sin, cos, tanh = np.exp, np.log, np.sin, np.cos, np.tanh
erf, erfc = np.vectorize(math.erf, otypes=[float]), np.vectorize(math.erfc, otypes=[float])


def is_binary(code: int) -> bool:
    """Return whether the operation has two operands."""
    return ADD <= code <= MIN


# fmt: off
def value(code: int, x: Any, b: Any) -> Any:  # noqa: C901, PLR0912 - a row for each operation
    """Return the value of an operation on x, or on x and b."""
    if code == ADD: return x + b
    if code == MUL: return x * b
    if code == SUB: return x - b
    if code == DIV: return x / b
    if code == POW: return x**b
    if code == MAX: return np.maximum(x, b)
    if code == MIN: return np.minimum(x, b)
    if code == IDENTITY: return x
    if code == NEG: return -x
    if code == SQUARE: return x * x
    if code == RECIPROCAL: return 1 / x
    if code == EXP: return exp(x)
    if code == LOG: return log(x)
    if code == LOG2: return np.log2(x)
    if code == LOG10: return np.log10(x)
    if code == SQRT: return np.sqrt(x)
    if code == SIN: return sin(x)
    if code == COS: return cos(x)
    if code == TAN: return np.tan(x)
    if code == ASIN: return np.arcsin(x)
    if code == ACOS: return np.arccos(x)
    if code == ATAN: return np.arctan(x)
    if code == SINH: return np.sinh(x)
    if code == COSH: return np.cosh(x)
    if code == ASINH: return np.arcsinh(x)
    if code == ACOSH: return np.arccosh(x)
    if code == ATANH: return np.arctanh(x)
    if code == ERF: return erf(x)
    if code == SIGMOID: return 1 / (1 + exp(-x))  # exp may overflow: 1 / inf is 0
    if code == TANH: return tanh(x)
    if code == RELU: return np.maximum(x, 0.0)
    if code == HARD_TANH: return np.minimum(np.maximum(x, -1.0), 1.0)
    if code == SOFTPLUS: return np.maximum(x, 0.0) + np.log1p(exp(-np.abs(x)))
    if code == LEAKY_RELU: return np.maximum(x, 0.01 * x)
    if code == ELU: return np.maximum(x, 0.0) + np.expm1(np.minimum(x, 0.0))
    if code == GELU: return x * erfc(-x / math.sqrt(2)) / 2
    if code == SILU: return x / (1 + exp(-x))
    if code == ABS: return np.abs(x)
    return np.sign(x)


def derivatives(code: int, x: Any, b: Any, y: Any) -> tuple[Any, Any]:  # noqa: C901, PLR0912 - as above
    """Return dy/dx and dy/db of ``y = value(code, x, b)``; a condition counts as 1 where it holds, 0 elsewhere.

    That of x^b by b does not exist at x < 0 and is nan, which the rule of a number's derivative makes nobody's
    business: no row reads S of a number.
    """
    if code == ADD: return 1.0, 1.0
    if code == MUL: return b, x
    if code == SUB: return 1.0, -1.0
    if code == DIV: return 1 / b, -y / b
    # x^0 is the constant 1, at x = 0 too; 0^b is the constant 0 for b > 0.
    if code == POW: return b * x ** (b - (b != 0)), y * log(x + (x == 0) * (b > 0))
    if code == MAX: return 1.0 * (x >= b), 1.0 * (x < b)
    if code == MIN: return 1.0 * (x <= b), 1.0 * (x > b)
    if code == IDENTITY: return 1.0, 0.0
    if code == NEG: return -1.0, 0.0
    if code == SQUARE: return 2 * x, 0.0
    if code == RECIPROCAL: return -y * y, 0.0
    if code == EXP: return y, 0.0
    if code == LOG: return 1 / x, 0.0
    if code == LOG2: return 1 / (x * math.log(2)), 0.0
    if code == LOG10: return 1 / (x * math.log(10)), 0.0
    if code == SQRT: return 1 / (2 * y), 0.0
    if code == SIN: return cos(x), 0.0
    if code == COS: return -sin(x), 0.0
    if code == TAN: return 1 + y * y, 0.0
    if code == ASIN: return 1 / np.sqrt((1 - x) * (1 + x)), 0.0
    if code == ACOS: return -1 / np.sqrt((1 - x) * (1 + x)), 0.0
    if code == ATAN: return 1 / (1 + x * x), 0.0
    if code == SINH: return np.cosh(x), 0.0
    if code == COSH: return np.sinh(x), 0.0
    if code == ASINH: return 1 / np.hypot(x, 1.0), 0.0
    if code == ACOSH: return 1 / (np.sqrt(x - 1) * np.sqrt(x + 1)), 0.0
    if code == ATANH: return 1 / ((1 - x) * (1 + x)), 0.0
    if code == ERF: return 2 / math.sqrt(math.pi) * exp(-x * x), 0.0
    if code == SIGMOID: return y * (1 - y), 0.0
    if code == TANH: return 1 - y * y, 0.0
    if code == RELU: return 1.0 * (y > 0), 0.0
    if code == HARD_TANH: return 1.0 * (np.abs(x) <= 1), 0.0
    if code == SOFTPLUS: return 1 / (1 + exp(-x)), 0.0
    if code == LEAKY_RELU: return 0.01 + 0.99 * (x > 0), 0.0
    if code == ELU: return 1 + np.minimum(y, 0.0), 0.0
    if code == GELU: return erfc(-x / math.sqrt(2)) / 2 + x * exp(-x * x / 2) / math.sqrt(2 * math.pi), 0.0
    if code == SILU: return 1 / (1 + exp(-x)) + y / (1 + exp(x)), 0.0
    if code == ABS: return np.sign(x), 0.0
    return 0.0, 0.0
# fmt: on
