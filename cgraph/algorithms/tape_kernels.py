"""The loops over a tape: one branch for each operation, in its value and again in its derivatives.

Row k of a tape holds the values of one step at all points, ``v[k]``; ``opcodes[k]`` says what was done, and
``first[k]`` and ``second[k]`` on which earlier rows. The formulas are those of `cgraph.model.operations`, which
machine code cannot read from there; a test compares them row by row.

Plain Python, compiled by `cgraph.algorithms.kernels.compiled`. `np.exp` and its like stand for `math.exp`
because they return inf or nan where the latter raises.
"""

from __future__ import annotations

import math

import numpy as np

from cgraph.algorithms.kernels import Floats, Index

__all__ = ["OPCODES", "TAPE_LOOPS", "differentiate_tape", "run_tape"]

# What is used most stands first: the branches are tried in this order. Up to _LAST_BINARY there are two operands.
OPCODES = {name: code for code, name in enumerate((
    "given", "add", "mul", "sub", "div", "pow", "max", "min",
    "identity", "neg", "square", "reciprocal", "exp", "log", "log2", "log10", "sqrt",
    "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh", "erf",
    "sigmoid", "tanh", "relu", "hard_tanh", "softplus", "leaky_relu", "elu", "gelu", "silu", "abs", "sign",
))}  # fmt: skip
(
    _GIVEN, _ADD, _MUL, _SUB, _DIV, _POW, _MAX, _MIN,
    _IDENTITY, _NEG, _SQUARE, _RECIPROCAL, _EXP, _LOG, _LOG2, _LOG10, _SQRT,
    _SIN, _COS, _TAN, _ASIN, _ACOS, _ATAN, _SINH, _COSH, _ASINH, _ACOSH, _ATANH, _ERF,
    _SIGMOID, _TANH, _RELU, _HARD_TANH, _SOFTPLUS, _LEAKY_RELU, _ELU, _GELU, _SILU, _ABS, _SIGN,
) = range(len(OPCODES))  # fmt: skip
_LAST_BINARY = _MIN


def run_tape(opcodes: Index, first: Index, second: Index, v: Floats) -> int:  # noqa: C901, PLR0912, PLR0915 - a branch for each operation
    """Fill the rows of `v` that are not given; return the first that is not finite, -1 if all are."""
    for k in range(len(opcodes)):
        code = opcodes[k]
        if code == _GIVEN:
            continue
        for p in range(v.shape[1]):
            x, b = v[first[k], p], v[second[k], p]
            if code == _ADD:
                y = x + b
            elif code == _MUL:
                y = x * b
            elif code == _SUB:
                y = x - b
            elif code == _DIV:
                y = x / b
            elif code == _POW:
                y = x**b
            elif code == _MAX:
                y = max(x, b)
            elif code == _MIN:
                y = min(x, b)
            elif code == _IDENTITY:
                y = x
            elif code == _NEG:
                y = -x
            elif code == _SQUARE:
                y = x * x
            elif code == _RECIPROCAL:
                y = 1 / x
            elif code == _EXP:
                y = np.exp(x)
            elif code == _LOG:
                y = np.log(x)
            elif code == _LOG2:
                y = np.log2(x)
            elif code == _LOG10:
                y = np.log10(x)
            elif code == _SQRT:
                y = np.sqrt(x)
            elif code == _SIN:
                y = np.sin(x)
            elif code == _COS:
                y = np.cos(x)
            elif code == _TAN:
                y = np.tan(x)
            elif code == _ASIN:
                y = np.arcsin(x)
            elif code == _ACOS:
                y = np.arccos(x)
            elif code == _ATAN:
                y = np.arctan(x)
            elif code == _SINH:
                y = np.sinh(x)
            elif code == _COSH:
                y = np.cosh(x)
            elif code == _ASINH:
                y = np.arcsinh(x)
            elif code == _ACOSH:
                y = np.arccosh(x)
            elif code == _ATANH:
                y = np.arctanh(x)
            elif code == _ERF:
                y = math.erf(x)
            elif code == _SIGMOID:
                e = np.exp(-abs(x))  # at most 1, so neither end overflows
                y = (1.0 if x >= 0 else e) / (1 + e)
            elif code == _TANH:
                y = np.tanh(x)
            elif code == _RELU:
                y = x if x > 0 else 0.0
            elif code == _HARD_TANH:
                y = min(max(x, -1.0), 1.0)
            elif code == _SOFTPLUS:
                y = max(x, 0.0) + np.log1p(np.exp(-abs(x)))
            elif code == _LEAKY_RELU:
                y = x if x > 0 else 0.01 * x
            elif code == _ELU:
                y = x if x > 0 else np.expm1(x)
            elif code == _GELU:
                y = x * math.erfc(-x / math.sqrt(2)) / 2
            elif code == _SILU:
                e = np.exp(-abs(x))
                y = x * (1.0 if x >= 0 else e) / (1 + e)
            elif code == _ABS:
                y = abs(x)
            else:  # _SIGN
                y = np.sign(x)
            v[k, p] = y
            if not abs(y) < np.inf:
                return k
    return -1


def differentiate_tape(  # noqa: C901, PLR0912, PLR0915 - as above
    opcodes: Index, first: Index, second: Index, varies: Index, v: Floats, S: Floats
) -> None:
    """Fill S, the derivatives of one row by all rows, which is 1 at that row and 0 elsewhere before.

    A row that does not vary is a number; its derivative is nobody's business: that of x^2 by its exponent does
    not exist at x < 0.
    """
    for k in range(len(opcodes) - 1, -1, -1):
        code = opcodes[k]
        if code == _GIVEN:
            continue
        i, j = first[k], second[k]
        for p in range(v.shape[1]):
            x, b, y = v[i, p], v[j, p], v[k, p]
            z = z_b = 1.0  # dy/dx, dy/db, as they stay for a sum and for the identity
            if code == _MUL:
                z, z_b = b, x
            elif code == _SUB:
                z_b = -1.0
            elif code == _DIV:
                z, z_b = 1 / b, -y / b
            elif code == _POW:
                z = b * x ** (b - 1) if b != 0 else 0.0  # x^0 is the constant 1, at x = 0 too
                z_b = y * np.log(x) if varies[j] and not (x == 0 and b > 0) else 0.0  # 0^b is the constant 0
            elif code == _MAX:
                z, z_b = (1.0, 0.0) if x >= b else (0.0, 1.0)
            elif code == _MIN:
                z, z_b = (1.0, 0.0) if x <= b else (0.0, 1.0)
            elif code == _NEG:
                z = -1.0
            elif code == _SQUARE:
                z = 2 * x
            elif code == _RECIPROCAL:
                z = -y * y
            elif code == _EXP:
                z = y
            elif code == _LOG:
                z = 1 / x
            elif code == _LOG2:
                z = 1 / (x * math.log(2))
            elif code == _LOG10:
                z = 1 / (x * math.log(10))
            elif code == _SQRT:
                z = 1 / (2 * y)
            elif code == _SIN:
                z = np.cos(x)
            elif code == _COS:
                z = -np.sin(x)
            elif code == _TAN:
                z = 1 + y * y
            elif code == _ASIN:
                z = 1 / np.sqrt((1 - x) * (1 + x))
            elif code == _ACOS:
                z = -1 / np.sqrt((1 - x) * (1 + x))
            elif code == _ATAN:
                z = 1 / (1 + x * x)
            elif code == _SINH:
                z = np.cosh(x)
            elif code == _COSH:
                z = np.sinh(x)
            elif code == _ASINH:
                z = 1 / np.hypot(x, 1.0)
            elif code == _ACOSH:
                z = 1 / (np.sqrt(x - 1) * np.sqrt(x + 1))
            elif code == _ATANH:
                z = 1 / ((1 - x) * (1 + x))
            elif code == _ERF:
                z = 2 / math.sqrt(math.pi) * np.exp(-x * x)
            elif code == _SIGMOID:
                z = y * (1 - y)
            elif code == _TANH:
                z = 1 - y * y
            elif code == _RELU:
                z = 1.0 if y > 0 else 0.0
            elif code == _HARD_TANH:
                z = 1.0 if -1 <= x <= 1 else 0.0
            elif code == _SOFTPLUS:
                e = np.exp(-abs(x))
                z = (1.0 if x >= 0 else e) / (1 + e)
            elif code == _LEAKY_RELU:
                z = 1.0 if x > 0 else 0.01
            elif code == _ELU:
                z = 1.0 if x > 0 else y + 1
            elif code == _GELU:
                z = math.erfc(-x / math.sqrt(2)) / 2 + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
            elif code == _SILU:
                e = np.exp(-abs(x))
                sigmoid = (1.0 if x >= 0 else e) / (1 + e)
                z = sigmoid + y * (e if x >= 0 else 1.0) / (1 + e)
            elif code == _ABS:
                z = np.sign(x)
            elif code == _SIGN:
                z = 0.0
            if varies[i]:
                S[i, p] += S[k, p] * z
            if code <= _LAST_BINARY and varies[j]:
                S[j, p] += S[k, p] * z_b


TAPE_LOOPS = (run_tape, differentiate_tape)
