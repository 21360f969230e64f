"""No operation loses digits, near 0 or far out: every row beside 400 digits of mpmath, which knows its value alone."""

import operator

import pytest

import cgraph as cg
from cgraph.model.language.expressions import Apply, Name
from cgraph.model.language.parsing import parse
from cgraph.model.operations.elementwise import CHOICE, OPERATIONS, row_of

mp = pytest.importorskip("mpmath", reason="mpmath is an optional oracle: pip install mpmath")

POINTS = [sign * x for x in (1e-9, 0.37, 3.3, 12.7, 31.7, 296.3) for sign in (1, -1)]
OTHER = 0.61  # the other operands
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


@pytest.mark.parametrize("name", [name for name, row in OPERATIONS.items() if not row.infix])
def test_value_and_derivatives_keep_their_digits(name):
    row, compared = row_of(name), 0
    equation = f"y = {name}({', '.join(row.names)})"
    with mp.workdps(400):
        for k, varied in enumerate(row.names):
            for x in POINTS:
                operands = dict.fromkeys(row.names, OTHER) | {varied: x}
                G = cg.from_equations(equation, **operands)
                try:
                    L = cg.linearize(G)
                except cg.EvaluationError:  # out of its domain, or out of the floats
                    continue
                given = [mp.mpf(value) for value in operands.values()]
                value = exact(name, given)
                slope = mp.diff(lambda z, k=k, given=given: exact(name, [*given[:k], z, *given[k + 1 :]]), given[k])
                for found, expected in ((L.nodes["y"]["value"], value), (L.edges[varied, "y"]["derivative"], slope)):
                    if not 0 < abs(expected) < 1e-290:
                        assert found == pytest.approx(float(expected), rel=1e-12, abs=1e-200), (varied, x)
                        compared += 1
    assert compared >= 4
