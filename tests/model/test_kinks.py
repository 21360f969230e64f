"""Kinks, norms, axes: where numerical differentiation and the rules have to follow the same convention."""

import numpy as np
import pytest

import cgraph as cg

KINKS = [
    "abs({})",
    "relu({})",
    "hard_tanh({} + 1)",
    "leaky_relu({})",
    "max({}, 0)",
    "min(0, {})",
    "elu({})",
    "sign({}) + {}",
]
ZERO_AT_0 = [
    "x",
    "gelu(x)",
    "x*exp(x)",
    "x*exp(-x)",
    "sin(x)",
    "x*cos(x)*3",
    "tanh(x)/(1 + x)",
    "silu(x)",
    "x^3 - 7*x",
    "x*1e9",
]


@pytest.mark.parametrize("kink", KINKS)
@pytest.mark.parametrize("inner", ZERO_AT_0)
def test_a_kink_raises_no_alarm(kink, inner):
    report = cg.check_derivatives(cg.from_equations(f"y = {kink.format(*[inner] * kink.count('{}'))}", x=0.0))
    assert report.ok, report.failures


@pytest.mark.parametrize("scale", [1.0, 1e200, 1e-200, 1e154, 1e-154, 1e300])
def test_a_norm_of_any_size(scale):
    L = cg.linearize(cg.from_equations("y = norm(x)", x=np.array([[3.0], [-4.0]]) * scale))
    assert L.nodes["y"]["value"] == pytest.approx(5.0 * scale, rel=1e-15)
    assert L.edges["x", "y"]["derivative"].dense() == pytest.approx(np.array([[0.6, -0.8]]), rel=1e-15)
    assert cg.check_derivatives(L).ok


def test_the_norm_of_three_and_four_is_five():
    assert cg.evaluate(cg.from_equations("y = norm(x)", x=[3.0, 4.0]))["y"] == 5.0


AXES = ["sum", "mean", "max", "min", "softmax", "log_softmax", "logsumexp"]


@pytest.mark.parametrize("operation", AXES)
def test_one_axis_in_brackets_is_that_axis(operation):
    x = [[1.0, 2.0], [3.0, 5.0]]
    one, same = (cg.from_equations(f"y = {operation}(x, axis={axis})", x=x) for axis in ("1", " (1,)"))
    np.testing.assert_array_equal(cg.evaluate(one)["y"], cg.evaluate(same)["y"])
    assert same.nodes["y"]["expression"] == one.nodes["y"]["expression"]


@pytest.mark.parametrize("operation", ["max", "min"])
def test_an_extreme_takes_one_axis(operation):
    with pytest.raises(cg.EvaluationError, match="x is 2 x 2; one axis is needed$"):
        cg.evaluate(cg.from_equations(f"y = {operation}(x, axis=(0, 1))", x=[[1.0, 2.0], [3.0, 5.0]]))


@pytest.mark.parametrize("equation", ["max(x,)", "(x,)", "sum(x, axis=(,))", "sum(x, axis=(0,)"])
def test_a_comma_before_a_bracket_is_a_missing_operand_elsewhere(equation):
    with pytest.raises(cg.EquationError):
        cg.from_equations(f"y = {equation}", x=[1.0])


def test_an_operand_near_the_smallest_number():
    G = cg.from_equations("a = x * z; y = tanh(a) + sin(z)", x=1e-300, z=1.5)
    assert cg.check_derivatives(G).ok
    assert cg.check_derivatives(cg.from_equations("y = x + z", x=5e-324, z=1.0)).ok
