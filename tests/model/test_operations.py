"""Every row of the table against derivatives that know nothing of it."""

import math

import numpy as np
import pytest
from operation_values import VALUES

import cgraph as cg
from cgraph.model.language.parsing import parse
from cgraph.model.operations.elementwise import ALIASES, FUNCTIONS, OPERATIONS, Operation, row_of

# For every row: points inside its domain, both sides of every kink, and far out.
REAL = [(-2.7,), (-1.0,), (-0.3,), (0.0,), (0.4,), (1.0,), (2.2,), (9.0,)]
POSITIVE = [(1e-3,), (0.4,), (1.0,), (7.0,), (1e6,)]
INNER = [(-0.8,), (-0.2,), (0.0,), (0.5,), (0.8,)]
PAIRS = [(2.0, 3.0), (-1.5, 0.7), (0.3, -4.0), (-2.0, -5.0), (1e3, 1e-3)]
POINTS = {
    "add": PAIRS, "sub": PAIRS, "mul": PAIRS, "div": PAIRS, "max": PAIRS, "min": PAIRS,
    "pow": [(2.0, 3.0), (0.5, -1.5), (3.0, 0.0), (1e-2, 2.5), (2.0, -3.0)],
    "reciprocal": [(-3.0,), (0.2,), (5.0,)],
    "log": POSITIVE, "log2": POSITIVE, "log10": POSITIVE, "sqrt": POSITIVE,
    "asin": INNER, "acos": INNER, "atanh": INNER, "acosh": [(1.3,), (2.0,), (50.0,)],
    "sign": [(-2.0,), (0.5,)], "softsign": [(-2.0,), (0.5,), (90.0,)], "abs": [(-2.0,), (0.5,)],
    "relu": [(-2.0,), (0.5,)], "elu": [(-2.0,), (0.5,)], "leaky_relu": [(-2.0,), (0.5,)],
    "log1p": [(-0.9,), (-1e-3,), (0.0,), (3.0,)], "atan2": PAIRS, "hypot": PAIRS, "floor": [(-1.5,), (0.5,), (7.2,)],
    "clip": [(0.5, -1.0, 2.0), (-1.5, -1.0, 2.0), (2.5, -1.0, 2.0), (0.5, 2.0, 1.0)],
    "hard_tanh": [(-2.0,), (-0.5,), (0.5,), (1.5,)],
    "where": [(1.0, 2.0, 3.0), (0.5, -1.5, 0.7), (-2.0, 0.3, -4.0)],
    "greater": PAIRS, "less": PAIRS, "greater_equal": PAIRS, "less_equal": PAIRS,
    "binary_cross_entropy": [(0.3, 1.0), (0.8, 0.0), (0.5, 0.5), (0.02, 0.9), (0.99, 1.0)],
}  # fmt: skip


def written(name, operands):
    row = OPERATIONS[name]
    if not row.infix:
        return f"{name}({', '.join(operands)})"
    return row.infix.join(operands) if len(operands) == 2 else row.infix + operands[0]


def graph_of(name, point):
    inputs = dict(zip("abc", point, strict=False))
    G = cg.ComputationalGraph()
    for i, value in inputs.items():
        G.add_input(i, value)
    G.add_equation("y", written(name, list(inputs)))
    return G


def central_difference(f, x):
    """Two central differences and one Richardson step: O(h^4)."""
    h = 1e-3 * max(abs(x), 1e-2)
    wide, narrow = ((f(x + d) - f(x - d)) / (2 * d) for d in (h, h / 2))
    return (4 * narrow - wide) / 3


@pytest.mark.parametrize(("name", "point"), [(n, p) for n in OPERATIONS for p in POINTS.get(n, REAL)])
def test_every_row_agrees_with_central_differences(name, point):
    G = graph_of(name, point)
    L = cg.linearize(G)
    for i, x in zip("abc", point, strict=False):
        numerical = central_difference(lambda v, i=i: cg.evaluate(G, {i: v})["y"], x)
        assert L.edges[i, "y"]["derivative"] == pytest.approx(numerical, rel=1e-8, abs=1e-8)


@pytest.mark.parametrize(("name", "point"), [(n, p) for n in OPERATIONS for p in POINTS.get(n, REAL)])
def test_every_row_takes_a_complex_step(name, point):
    G = graph_of(name, point)
    for check in cg.check_derivatives(G).checks:
        assert check.ok, check
        assert check.derivative == pytest.approx(check.numerical, rel=1e-13, abs=1e-13), check


def test_the_values_cover_the_table():
    assert {name for name, _, _ in VALUES} == set(OPERATIONS)


@pytest.mark.parametrize(("name", "point", "value"), VALUES)
def test_values(name, point, value):
    assert cg.evaluate(graph_of(name, point))["y"] == pytest.approx(value, rel=1e-15)


# A naive form overflows, or loses all digits, at these points.
@pytest.mark.parametrize(
    ("equation", "value", "slope"),
    [
        ("sigmoid(x)", {-800: 0.0, 800: 1.0, -40: math.exp(-40)}, {-800: 0.0, 800: 0.0, -40: math.exp(-40)}),
        ("softplus(x)", {-800: 0.0, 800: 800.0, -40: math.exp(-40)}, {-800: 0.0, 800: 1.0, -40: math.exp(-40)}),
        ("tanh(x)", {-400: -1.0, 400: 1.0}, {-400: 0.0, 400: 0.0}),
        ("silu(x)", {-800: 0.0, 800: 800.0}, {-800: 0.0, 800: 1.0}),
        ("gelu(x)", {-400: 0.0, 400: 400.0}, {-400: 0.0, 400: 1.0}),
        ("elu(x)", {-800: -1.0, 800: 800.0}, {-800: 0.0, 800: 1.0}),
    ],
)
def test_far_out(equation, value, slope):
    for x, y in value.items():
        L = cg.linearize(cg.from_equations(f"y = {equation}", x=x))
        assert L.nodes["y"]["value"] == pytest.approx(y, rel=1e-14)
        assert L.edges["x", "y"]["derivative"] == pytest.approx(slope[x], rel=1e-14)


@pytest.mark.parametrize(
    ("equation", "x", "slope"),
    [
        ("relu(x)", 0.0, 0.0), ("abs(x)", 0.0, 0.0), ("hard_tanh(x)", 1.0, 1.0), ("hard_tanh(x)", -1.0, 1.0),
        ("leaky_relu(x)", 0.0, 0.01), ("elu(x)", 0.0, 1.0), ("sign(x)", 0.0, 0.0), ("max(x, 2)", 2.0, 1.0),
        ("max(2, x)", 2.0, 0.0), ("min(x, 2)", 2.0, 1.0), ("min(2, x)", 2.0, 0.0), ("max(1, 2, x, 3)", 3.0, 1.0),
        ("x^0", 0.0, 0.0), ("x^1", 0.0, 1.0), ("x^2", 0.0, 0.0), ("x^3", -2.0, 12.0), ("x^(-2)", -2.0, 0.25),
        ("0^x", 2.0, 0.0), ("where(x, 2*x, 0)", 0.0, 0.0), ("where(x >= 0, 2*x, 3*x)", 0.0, 2.0),
        ("where(x > 0, 2*x, 3*x)", 0.0, 3.0), ("(x > 0)*x", 0.0, 0.0), ("(x >= 0)*x", 0.0, 1.0),
        ("(x <= 0)*x", 0.0, 1.0), ("(x < 0)*x", 0.0, 0.0), ("binary_cross_entropy(x, 1)", 1.0, -1.0),
        ("binary_cross_entropy(x, 0)", 0.0, 1.0),
    ],
)  # fmt: skip
def test_conventions_at_kinks_and_ends(equation, x, slope):
    L = cg.linearize(cg.from_equations(f"y = {equation}", x=x))
    assert L.edges["x", "y"]["derivative"] == slope
    assert cg.check_derivatives(L).ok


@pytest.mark.parametrize(
    ("equation", "x"),
    [("log(x)", 0), ("log2(x)", -1), ("log10(x)", 0), ("sqrt(x)", -1), ("asin(x)", 1.1), ("acos(x)", -1.1),
     ("acosh(x)", 0.9), ("atanh(x)", 1), ("1/x", 0), ("reciprocal(x)", 0), ("x^0.5", -1), ("x^(-1)", 0),
     ("(-2)^x", 0.5), ("binary_cross_entropy(x, 1)", 0), ("binary_cross_entropy(x, 0)", 1),
     ("binary_cross_entropy(x, 0.5)", 0), ("binary_cross_entropy(x, 0)", -0.1), ("binary_cross_entropy(x, 1)", 1.1)],
)  # fmt: skip
def test_outside_the_domain(equation, x):
    G = cg.from_equations(f"y = {equation}", x=x)
    with pytest.raises(cg.EvaluationError, match=r"^node 'y': .* is undefined; \w+ takes a"):
        cg.evaluate(G)


@pytest.mark.parametrize("equation", ["exp(x)", "x*x*1e306", "cosh(x)", "10^x", "1e308 + x*1e306", "-x*1e306 - 1e308"])
def test_overflow(equation):
    with pytest.raises(cg.EvaluationError, match=r"^node 'y': .* overflows$"):
        cg.evaluate(cg.from_equations(f"y = {equation}", x=1000))


@pytest.mark.parametrize(
    ("equation", "x"), [("sqrt(x)", 0), ("asin(x)", 1), ("acos(x)", -1), ("acosh(x)", 1), ("x^0.5", 0), ("(-2)^x", 2)]
)
def test_a_derivative_that_is_not_finite(equation, x):
    G = cg.from_equations(f"y = {equation}", x=x)
    assert np.isfinite(cg.evaluate(G)["y"])
    with pytest.raises(cg.EvaluationError, match=r"^node 'y': the derivative of .* is not finite$"):
        cg.linearize(G)


def test_a_total_derivative_that_overflows():
    G = cg.from_equations("y = 1e200*sin(1e200*x)", x=0.0)
    with pytest.raises(cg.EvaluationError, match=r"^edge 'x' -> 'y': the derivative of the equation overflows$"):
        cg.linearize(G)


def test_functions_and_aliases_can_be_written():
    assert set(ALIASES.values()) <= set(OPERATIONS)
    for name in FUNCTIONS:
        row = row_of(ALIASES.get(name, name))
        arity = len(row.derivatives) if isinstance(row, Operation) else row.operands or 2
        first = ['"i,i->i"'] if name == "einsum" else []
        options = ["2"] if name == "reshape" else []
        assert parse(f"{name}({', '.join([*first, *'xyz'[:arity], *options])})").operands
