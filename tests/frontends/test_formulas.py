"""Graphs from sympy and CasADi, and graphs as formulas and as source for NumPy."""

import math

import numpy as np
import pytest
from hypothesis import given
from random_graphs import equation_graphs

import cgraph as cg
from cgraph.model.operations.elementwise import ACTIVATIONS, OPERATIONS

sympy = pytest.importorskip("sympy", reason="the extra symbolic")


def run(source, name="value_and_gradient"):
    namespace = {}
    exec(source, namespace)
    return namespace[name]


# NumPy


@given(G=equation_graphs())
def test_the_source_gives_the_values_and_gradients_of_the_graph(G):
    t = list(G)[-1]
    value, gradient = run(cg.to_numpy(G, t))()
    assert value == pytest.approx(cg.evaluate(G)[t], rel=1e-12)
    S = cg.sensitivities(cg.linearize(G), t)
    assert gradient == pytest.approx({i: S[i] for i in gradient}, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_has_its_source(operation):
    operands = "abc"[: len(OPERATIONS[operation].names)]
    row = OPERATIONS[operation]
    equation = f" {row.infix} ".join(operands) if row.infix and len(operands) > 1 else None
    equation = equation or f"{row.infix or operation}({', '.join(operands)})"
    G = cg.from_equations(f"y = {equation}", **dict(zip(operands, (0.3, 0.7, 0.6), strict=False)))
    if operation == "acosh":
        G.nodes["a"]["value"] = 1.3
    value, gradient = run(cg.to_numpy(G))()
    L = cg.linearize(G)
    assert value == pytest.approx(L.nodes["y"]["value"], rel=1e-12)
    assert gradient == pytest.approx({i: cg.sensitivity(L, i, "y") for i in operands}, rel=1e-12)


def test_the_source_reads_as_one_would_write_it():
    G = cg.from_equations("a = x*z; y = exp(a) + a/log(x) + x^2", x=2.0, z=3.0)
    assert cg.to_numpy(G) == (
        """import numpy as np


def value_and_gradient(x=2.0, z=3.0):
    # the forward pass
    y_2 = np.log(x)
    y_5 = x * x
    a = x * z
    y_1 = np.exp(a)
    y_3 = a / y_2
    y_4 = y_1 + y_3
    y = y_4 + y_5
    # the reverse sweep: S_i = dy/di
    S_y = 1.0
    S_y_4 = S_y
    S_y_3 = S_y_4
    S_y_1 = S_y_4
    S_a = S_y_3 * (1 / y_2) + S_y_1 * y_1
    S_y_5 = S_y
    S_y_2 = S_y_3 * (-y_3 / y_2)
    S_z = S_a * x
    S_x = S_a * z + S_y_5 * (2 * x) + S_y_2 * (1 / x)
    return y, {"x": S_x, "z": S_z}
"""
    )


def test_the_source_takes_many_points_at_once():
    G = cg.from_equations("y = sin(x) * w + relu(x)", x=0.5, w=2.0)
    x = np.array([-1.0, 0.5, 2.0])
    value, gradient = run(cg.to_numpy(G))(x=x)
    points = [cg.linearize(G, {"x": point}) for point in x]
    assert value == pytest.approx([L.nodes["y"]["value"] for L in points])
    assert gradient["x"] == pytest.approx([cg.sensitivity(L, "x", "y") for L in points])


def test_powers_of_whole_numbers():
    value, gradient = run(cg.to_numpy(cg.from_equations("y = x^-2 + 2^x + x^1.0", x=2.0)))(3)
    assert value == pytest.approx(1 / 9 + 8 + 3)
    assert gradient["x"] == pytest.approx(-2 / 27 + 8 * math.log(2) + 1)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_neurons_have_their_source(activation):
    G = cg.ComputationalGraph()
    G.add_input("x 1", 0.7)
    G.add_input("np", 0.4)  # a name that the source uses itself
    G.add_neuron("h", activation=activation, weights={"x 1": 1.5, "np": -0.5}, bias=0.25)
    G.add_neuron("o", activation="tanh", weights={"h": 0.8, "np": 0.1})
    value, gradient = run(cg.to_numpy(G))()
    L = cg.linearize(G)
    assert value == pytest.approx(L.nodes["o"]["value"], rel=1e-12)
    assert gradient == pytest.approx({i: cg.sensitivity(L, i, "o") for i in ("x 1", "np")}, rel=1e-12)


def test_arguments_without_values_have_no_defaults():
    G = cg.ComputationalGraph()
    G.add_input("x")
    G.add_weight("w", 2.0)
    G.add_constant("c", 5.0)
    G.add_equation("y", "w * x + c")
    assert run(cg.to_numpy(G, name="line"), "line")(3.0, 2.0) == (11.0, {"x": 2.0, "w": 3.0})


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: cg.to_numpy(cg.from_equations("y = sum(v)", v=[1.0, 2.0])), "node 'v' is an array"),
        (lambda: cg.to_numpy(cg.from_equations("a = x; b = x", x=1.0)), "there are 2 outputs"),
        (lambda: cg.to_numpy(cg.from_equations("a = x", x=1.0), name="not a name"), "a function cannot be called"),
        (lambda: cg.to_numpy(cg.from_equations("a = x", x=1.0), "b"), "no node 'b'"),
        (lambda: cg.to_numpy(given_edge()), "node 'y' has no equation"),
    ],
)
def test_what_has_no_source(call, words):
    with pytest.raises(cg.CGraphError, match=words):
        call()


def given_edge():
    G = cg.ComputationalGraph()
    G.add_input("x", 1.0)
    G.add_edge("x", "y", derivative=2.0)
    return G


# sympy


@given(G=equation_graphs())
def test_to_sympy_and_back_gives_the_same_graph(G):
    formulas = cg.to_sympy(G)
    read = {symbol.name for formula in formulas.values() for symbol in formula.free_symbols}
    H = cg.from_sympy(formulas, **{i: G.nodes[i]["value"] for i in G.inputs if i in read})
    y = cg.evaluate(G)
    assert cg.evaluate(H) == pytest.approx({i: y[i] for i in H}, rel=1e-12, abs=1e-12)


def test_common_subexpressions_are_shared_on_request():
    x, z = sympy.symbols("x z")
    formulas = {"y": sympy.exp(x * z) + sympy.sin(x * z), "u": (x * z) ** 2}
    plain, shared = cg.from_sympy(formulas, x=0.5, z=2.0), cg.from_sympy(formulas, cse=True, x=0.5, z=2.0)
    assert set(plain) == {"x", "z", "y", "u"}
    assert set(shared) == {"x", "z", "y", "u", "t0"}
    assert cg.evaluate(shared)["y"] == cg.evaluate(plain)["y"] == pytest.approx(math.e + math.sin(1))


def test_formulas_of_all_kinds():
    x, a, odd = sympy.symbols("x a j-")
    formula = sympy.Piecewise((sympy.sqrt(x), x > 1), (sympy.Abs(x) ** sympy.Rational(1, 3), x < -1), (a, True))
    formula += sympy.pi * sympy.E * sympy.Float("0.1") * sympy.Max(x, a, 2) + sympy.atan2(odd, x)
    values = {"x": 2.5, "a": 0.5, "j-": 0.7}
    G = cg.from_sympy({"y": formula}, **values)
    expected = formula.subs({x: 2.5, a: 0.5, odd: 0.7}).evalf()
    assert cg.evaluate(G)["y"] == pytest.approx(float(expected), rel=1e-14)
    slope = formula.diff(odd).subs({x: 2.5, a: 0.5, odd: 0.7}).evalf()
    assert cg.sensitivity(cg.linearize(G), "j-", "y") == pytest.approx(float(slope), rel=1e-12)


def test_weights_of_neurons_stand_in_the_formula_as_numbers():
    G = cg.ComputationalGraph()
    G.add_input("x", 2.0)
    G.add_neuron("h", activation="sigmoid", weights={"x": 0.5}, bias=-1.0)
    (formula,) = cg.to_sympy(G).values()
    assert {symbol.name for symbol in formula.free_symbols} == {"x"}
    assert float(formula.subs(dict.fromkeys(formula.free_symbols, 2.0))) == pytest.approx(0.5)


x = sympy.Symbol("x")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: cg.from_sympy({"y": sympy.zeta(x)}), "the formula of 'y' cannot be written: equations have no zeta"),
        (lambda: cg.from_sympy({"y": sympy.Integral(sympy.sin(x) / x, (x, 0, 1))}), "there is no function 'Integral'"),
        (lambda: cg.from_sympy({"y": x * sympy.I}), "equations have no I, as in I\\*x"),
        (lambda: cg.from_sympy({"y": sympy.Piecewise((x, x > 0))}), "has no value outside its pieces"),
        (lambda: cg.from_sympy({"y": x}, z=2.0), "no formula reads 'z'; the inputs are x"),
        (lambda: cg.from_sympy({"y": sympy.Symbol("z"), "z": sympy.Symbol("y")}), "cycle"),
    ],
)
def test_what_is_no_equation_is_named(call, words):
    with pytest.raises(cg.CGraphError, match=words):
        call()


# CasADi


def test_a_function_of_casadi():
    ca = pytest.importorskip("casadi", reason="the extra casadi")
    x, A = ca.SX.sym("x", 2), ca.SX.sym("A", ca.Sparsity.upper(2))
    y = ca.mtimes(A, ca.sin(x)) + ca.fmax(x[0], 0.2) * ca.if_else(x[1] > 0, x[1] ** 3, 1 / (1 + ca.exp(x[1])))
    f = ca.Function("f", [x, A], [y, ca.sumsqr(x)], ["x", "A"], ["y", "r"])
    at = [0.4, -0.7], [[1.5, -0.5], [0.0, 2.0]]
    G = cg.from_casadi(f, *at)
    assert G.inputs == ["x[0]", "x[1]", "A[0]", "A[1]", "A[2]"]
    assert G.outputs == ["y[0]", "y[1]", "r"]
    found = cg.evaluate(G)
    expected = f(*map(ca.DM, at))
    assert [found["y[0]"], found["y[1]"]] == pytest.approx(np.ravel(expected[0].full()), rel=1e-14)
    assert found["r"] == pytest.approx(0.65)
    J = cg.jacobian(cg.linearize(G), ["x[0]", "x[1]"], ["y[0]", "y[1]"])
    assert pytest.approx(ca.Function("J", [x, A], [ca.jacobian(y, x)])(*map(ca.DM, at)).full(), rel=1e-13) == J
    assert cg.from_casadi(f).nodes["x[0]"]["value"] is None


def test_what_of_casadi_is_refused():
    ca = pytest.importorskip("casadi", reason="the extra casadi")
    x, m = ca.SX.sym("x"), ca.MX.sym("m")
    f = ca.Function("f", [x], [ca.fmod(x, 2)], ["x"], ["y"])
    with pytest.raises(cg.CGraphError, match="OP_FMOD has no equation"):
        cg.from_casadi(f)
    with pytest.raises(cg.CGraphError, match="a casadi.Function of SX is needed"):
        cg.from_casadi(ca.Function("g", [m], [m * 2]))
    f = ca.Function("f", [x], [x * 2], ["x"], ["y"])
    with pytest.raises(cg.CGraphError, match="2 values were given for 1 arguments"):
        cg.from_casadi(f, 1.0, 2.0)
    with pytest.raises(cg.CGraphError, match="'x' has 1 entries, and 3 were given"):
        cg.from_casadi(f, [1.0, 2.0, 3.0])
