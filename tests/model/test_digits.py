"""No operation loses digits, near 0 or far out: every row beside 400 digits of mpmath, which knows its value alone."""

import pytest
from in_mpmath import exact, mp

import cgraph as cg
from cgraph.model.operations.elementwise import OPERATIONS, row_of

POINTS = [sign * x for x in (1e-9, 0.37, 3.3, 12.7, 31.7, 296.3) for sign in (1, -1)]
OTHER = 0.61  # the other operands


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
