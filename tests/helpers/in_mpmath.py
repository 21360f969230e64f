"""The value of every operation by mpmath, which has as many digits as it is told, and knows no derivative of a row."""

import operator

import pytest

from cgraph.model.language.expressions import Apply, Name
from cgraph.model.language.parsing import parse
from cgraph.model.operations.elementwise import CHOICE, OPERATIONS

mp = pytest.importorskip("mpmath", reason="mpmath is an optional oracle: pip install mpmath")

SIGNS = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "^": operator.pow,
    ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le,
}  # fmt: skip
# What mpmath calls otherwise.
PRIMITIVES = {"log2": lambda x: mp.log(x, 2), "hypot": mp.hypot, "arctan2": mp.atan2}


def exact(name, x):
    """The value of an operation, put together from primitives of mpmath."""
    row = OPERATIONS[name]
    if row.infix:
        return SIGNS[row.infix](*x) if len(x) > 1 else -x[0]
    if row is CHOICE:
        return x[1] if x[0] else x[2]
    if row.plain or row.value:
        return run(parse(row.plain or row.value), dict(zip(row.names, x, strict=True)))
    return PRIMITIVES.get(name, getattr(mp, name, None))(*x)


def run(expression, operands):
    v = []
    for step in expression.steps:
        if isinstance(step, Name):
            v.append(operands[step.name])
        elif isinstance(step, Apply):
            v.append(exact(step.operation, [v[k] for k in step.operands]))
        else:
            v.append({"pi": mp.pi, "e": mp.e}.get(step.text) or mp.mpf(step.text))
    return v[-1]
