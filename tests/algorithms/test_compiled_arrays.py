"""Compiled graphs of arrays: the plan and the interpreted sweeps find the same, in float64 and float32, from threads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from vectors import ROWS, elementwise_equation, entries, one_example, vector_graphs

import cgraph as cg
from cgraph.algorithms.compiled.arrays import CompiledArrays, network_steps
from cgraph.model.operations.elementwise import OPERATIONS

EQUATIONS = [case for cases in ROWS.values() for case in cases]


def close(found, expected, digits=1e-12):
    scale = max(1.0, float(np.max(np.abs(expected))))
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_allclose(found, expected, rtol=digits, atol=digits * scale)


def of_equation(equation, *shapes):
    """Return a graph of one equation in a and b, and the sum of its entries."""
    G = cg.ComputationalGraph()
    for k, (name, shape) in enumerate(zip("ab", shapes, strict=False)):
        G.add_input(name, entries(shape, k))
    G.add_equation("y", equation)
    G.add_equation("J", "sum(y * y * 0.3)")
    return G


def agrees(G, t, digits=1e-12, **options):
    C = CompiledArrays(G, **options)
    y, L = cg.evaluate(G), cg.linearize(G)
    for i, value in C.evaluate().items():
        close(value, y[i], digits)
    if np.ndim(y[t]) == 0:
        value, gradient = C.value_and_gradient(t)
        close(value, y[t], digits)
        for i, S in cg.loss_sensitivities(L, t).items():
            close(gradient[i], S, digits)
    return C, L


@pytest.mark.parametrize(("equation", "a", "b"), EQUATIONS)
def test_every_array_operation_agrees_with_the_interpreter(equation, a, b):
    C, L = agrees(of_equation(equation, a, b), "J")
    for t in ("y", "J"):
        S = C.sensitivities(t)
        for i, expected in cg.sensitivities(L, t).items():
            close(S[i], expected)


def has_the_jacobians(C, L, s, t, digits=1e-12):
    """Compare every question about Jacobians with the interpreter; the plan answers all, or the test fails."""
    C._linearized = None
    for found, expected in (
        (C.sensitivities(t), cg.sensitivities(L, t)),
        (C.sensitivities_from(s), cg.sensitivities_from(L, s)),
        (C.edge_sensitivities(s, t), cg.edge_sensitivities(L, s, t)),
        ({0: C.sensitivity(s, t)}, {0: cg.sensitivity(L, s, t)}),
        ({0: C.jacobian([s], [t])}, {0: cg.jacobian(L, [s], [t])}),
    ):
        assert list(found) == list(expected)
        for key, value in expected.items():
            assert type(found[key]) is type(value)
            close(found[key], value, digits)


@pytest.mark.parametrize(("equation", "a", "b"), EQUATIONS)
def test_jacobians_of_every_array_operation(equation, a, b):
    G = of_equation(equation, a, b)
    G.add_input("c", 0.7)
    G.add_equation("z", "y * c + c * c")
    L = cg.linearize(G)
    for s in ("a", "c", *("b" for i in G if i == "b")):
        for t in ("y", "z", "J"):
            has_the_jacobians(CompiledArrays(G), L, s, t)


@pytest.mark.parametrize(
    "numbers", [1, 300, 400]
)  # of 128 for an example: blocks of one, and of some that do not divide five
def test_convolutions_in_blocks_of_examples(monkeypatch, numbers):
    monkeypatch.setattr(network_steps, "BLOCK", numbers)
    G = of_equation("conv(a, b, stride=(1, 2), padding=1, groups=2)", (5, 4, 3, 3), (4, 2, 2, 2))
    C, L = agrees(G, "J")
    for s in "ab":
        has_the_jacobians(C, L, s, "y")


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_elementary_operation_agrees_with_the_interpreter(name):
    operands = ["a", "b", "a * b"][: len(OPERATIONS[name].names)]
    for shapes in (((2, 3), (3,)), ((), (2,)), ((2, 1), (3,))):
        C, L = agrees(of_equation(f"{elementwise_equation(name, operands)} + 0 * a + 0 * b", *shapes), "J")
        for s in "ab":
            has_the_jacobians(C, L, s, "y")


@given(vector_graphs())
def test_random_graphs_agree_with_the_interpreter(G):
    t = list(G)[-1]
    C, L = agrees(G, t, 1e-10)
    for s in G.inputs:
        has_the_jacobians(C, L, s, t, 1e-10)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_choices_between_many_entries(dtype):
    G = cg.from_equations("y = where(x > v, x / v, v[0]) + where(x > 0.5, 2, x) + where(x > 0.6, 2, 3) + where(k, x, v); J = sum(y * y)",
                          x=entries((40, 50), 1), v=entries((50,), 2), k=1.0)  # fmt: skip
    agrees(G, "J", 1e-12 if dtype == "float64" else 1e-4, dtype=dtype)


def network(batch=4, seed=0):
    """Return h = tanh(X A + b), S = h B, J = mean cross-entropy."""
    rng = np.random.default_rng(seed)
    G = cg.ComputationalGraph()
    G.add_input("X", rng.normal(size=(batch, 5)))
    G.add_input("Y", np.eye(3)[rng.integers(0, 3, batch)])
    G.add_weight("A", rng.normal(size=(5, 6)))
    G.add_weight("b", rng.normal(size=6))
    G.add_weight("B", rng.normal(size=(6, 3)))
    G.add_equation("h", "tanh(X @ A + b)")
    G.add_equation("S", "h @ B")
    G.add_equation("J", "mean(softmax_cross_entropy(S, Y))")
    return G


def expected(G, inputs):
    L = cg.linearize(G, inputs)
    return L.nodes["J"]["value"], cg.weight_gradients(L, "J")


def test_compile_graph_takes_arrays_and_new_weights_and_batches():
    G = network()
    C = cg.compile_graph(G)
    assert C.weights == ("A", "b", "B")
    for batch in (4, 7, 1, 4):
        other = network(batch, seed=batch)
        inputs = {i: other.nodes[i]["value"] for i in ("X", "Y")}
        weights = {w: 2 * other.nodes[w]["value"] for w in C.weights}
        J, gradient = C.value_and_gradient("J", inputs, weights=weights, nodes=C.weights)
        J_expected, gradient_expected = expected(G, inputs | weights)
        close(J, J_expected)
        for w in C.weights:
            close(gradient[w], gradient_expected[w])
        C.evaluate(inputs, weights=weights, nodes=["J"])
        for w, found in C.weight_gradients("J").items():
            close(found, gradient_expected[w])


def test_results_are_the_callers_and_out_is_written_into():
    C = cg.compile_graph(network())
    first = C.evaluate()
    kept = {i: np.array(value) for i, value in first.items()}
    _, gradient = C.value_and_gradient("J", nodes=["A"])
    A = np.array(gradient["A"])
    out = {"A": np.full((5, 6), np.nan)}
    _, again = C.value_and_gradient("J", {"X": np.ones((4, 5))}, nodes=["A", "b"], out=out)
    assert again["A"] is out["A"]
    assert not np.array_equal(out["A"], A)
    np.testing.assert_array_equal(gradient["A"], A)
    for i, value in first.items():
        np.testing.assert_array_equal(value, kept[i])
    for wrong in (np.empty((6, 5)), np.empty((5, 6), np.float32), np.empty((6, 5)).T, [1.0]):
        with pytest.raises(cg.CGraphError, match="out needs contiguous arrays"):
            C.value_and_gradient("J", nodes=["A"], out={"A": wrong})


def test_out_is_not_what_is_given():
    C = cg.compile_graph(network())
    A = np.ones((5, 6))
    with pytest.raises(cg.CGraphError, match="shares its memory with what is given for 'A'"):
        C.value_and_gradient("J", weights={"A": A}, nodes=["A"], out={"A": A})
    _, gradient = C.value_and_gradient("J", weights={"A": A}, nodes=["A", "Y"], out={"A": np.empty((5, 6))})
    close(gradient["A"], expected(network(), {"A": A})[1]["A"])


def test_zeros_are_written_into_out():
    C = cg.compile_graph(cg.from_equations("J = sum(x * x); K = sum(y)", x=[1.0], y=[2.0]))
    out = {"y": np.array([7.0])}
    assert C.value_and_gradient("J", nodes=["y"], out=out)[1]["y"].tolist() == [0.0]


def test_single_precision():
    G = network()
    C = cg.compile_graph(G, dtype="float32")
    J, gradient = C.value_and_gradient("J", nodes=C.weights)
    J_expected, gradient_expected = expected(G, {})
    close(J, J_expected, 1e-4)
    for w in C.weights:
        assert gradient[w].dtype == np.float32
        close(gradient[w], gradient_expected[w], 1e-4)
    with pytest.raises(cg.CGraphError, match="float64 or float32"):
        cg.compile_graph(G, dtype="float16")


def test_threads_do_not_meet():
    G = network()
    C = cg.compile_graph(G)
    points = [{"X": network(4, seed).nodes["X"]["value"]} for seed in range(40)]

    def ask(inputs):
        return C.value_and_gradient("J", inputs, nodes=C.weights)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ask, points))
    for inputs, (J, gradient) in zip(points, found, strict=True):
        J_expected, gradient_expected = expected(G, inputs)
        close(J, J_expected)
        for w in C.weights:
            close(gradient[w], gradient_expected[w])


def of_one_example():
    """Return the loss of one example with a regulariser, as minibatch takes it."""
    return one_example(3, l="(v @ h - t)^2 + norm(x - x[0])", J="l + c * sum(A * A)")


@pytest.mark.parametrize("count", [1, 5])
def test_many_points_are_a_leading_axis(count):
    G = of_one_example()
    C = cg.compile_graph(G)
    rng = np.random.default_rng(count)
    data = {"x": rng.normal(size=(count, 4)), "t": rng.normal(size=count)}
    for c in (0.1, 0.7):
        weights = {"A": c * rng.normal(size=(3, 4))}
        found = C.evaluate(data | {"c": c}, weights=weights, points=["x", "t"])
        J, gradient = C.value_and_gradient(
            "J", data | {"c": c}, weights=weights, points=["x", "t"], nodes=["A", "v", "c", "x", "h", "l"]
        )
        B = cg.minibatch(G, data)
        L = cg.linearize(B, weights | {"c": c})
        close(J, L.nodes["J"]["value"])
        for i, S in cg.loss_sensitivities(L, "J").items():
            if i in gradient:
                close(gradient[i], S)
        for k in range(count):
            one = cg.evaluate(G, {"x": data["x"][k], "t": data["t"][k], "c": c} | weights)
            for i in ("x", "t", "h", "l", "J"):
                close(found[i][k], one[i])
        for i in ("A", "v", "c"):
            close(found[i], one[i])


def test_what_many_points_need():
    C = cg.compile_graph(of_one_example())
    for inputs, points in (
        ({"x": np.ones((2, 4)), "t": np.ones(3)}, ["x", "t"]),
        ({"x": np.ones((2, 4)), "t": 1.0}, ["x", "t"]),
        ({}, []),
    ):
        with pytest.raises(cg.CGraphError, match="a leading axis of one length"):
            C.evaluate(inputs, points=points)
    with pytest.raises(cg.NodeNotFound):
        C.evaluate({"q": [1.0]}, points=["q"])
    with pytest.raises(cg.InvalidNodeError, match="'x' cannot be set to None"):
        C.evaluate({}, points=["x"])
    with pytest.raises(cg.CGraphError, match="'l' becomes the mean over the examples, but 'J' reads it"):
        C.value_and_gradient("l", {"x": np.ones((2, 4))}, points=["x"])
    with pytest.raises(cg.DerivativeError, match="a loss is one number"):
        C.value_and_gradient("h", {"x": np.ones((2, 4))}, points=["x"])
    with pytest.raises(cg.EvaluationError, match="node 'h': A @ x"):
        C.evaluate({"x": np.ones((2, 5))}, points=["x"])
    C = cg.compile_graph(cg.from_equations("y = log(x)", x=1.0, u=[1.0]))
    with pytest.raises(cg.EvaluationError, match=r"node 'y': .*log"):
        C.evaluate({"x": [1.0, -1.0]}, points=["x"])


def test_which_inputs_have_many_points_may_change():
    C = cg.compile_graph(cg.from_equations("b = sum(u * u); y = x + b", x=1.0, u=[1.0, 2.0]))
    both = C.evaluate({"x": [1.0, 2.0], "u": [[1.0, 2.0], [3.0, 0.0]]}, points=["x", "u"])
    assert both["y"].tolist() == [6.0, 11.0]
    assert C.evaluate({"x": [1.0, 2.0]}, points=["x"])["y"].tolist() == [6.0, 7.0]
    assert C.evaluate({"u": [[1.0, 2.0], [3.0, 0.0]]}, points=["u"])["y"].tolist() == [6.0, 10.0]


def test_many_points_leave_the_last_one_as_it_is():
    C = cg.compile_graph(of_one_example())
    before = C.weight_gradients("J")
    C.evaluate({"x": np.ones((2, 4))}, points=["x"])
    for w, gradient in C.weight_gradients("J").items():
        close(gradient, before[w])


def test_neurons_on_arrays_have_weights_on_edges():
    G = cg.ComputationalGraph()
    G.add_input("x", [0.5, -1.0])
    G.add_neuron("h", activation="sigmoid", weights={"x": 0.2}, bias=0.1)
    G.add_neuron("o", activation="tanh", weights={"h": 1.5, "x": -0.3})
    G.add_equation("J", "sum(o * o)")
    C, L = agrees(G, "J")
    assert set(C.weights) == set(cg.weight_gradients(L, "J"))
    for w, gradient in cg.weight_gradients(L, "J").items():
        close(C.weight_gradients("J")[w], gradient)
    L.edges["x", "h"]["weight"] = 0.7
    J, gradient = C.value_and_gradient("J", weights={("x", "h"): 0.7}, nodes=C.weights)
    L = cg.linearize(L)
    close(J, L.nodes["J"]["value"])
    for w, value in cg.weight_gradients(L, "J").items():
        close(gradient[w], value)


def test_equal_nodes_and_copies_stay_apart():
    G = cg.from_equations("a = x * 2; b = x * 2; c = a; J = sum(a * b + c + x)", x=[1.0, 2.0])
    agrees(G, "J")


@pytest.mark.parametrize(
    ("equations", "x"),
    [
        ("y = log(x); J = sum(y)", [1.0, -1.0]),
        ("y = exp(-1 / x); J = sum(y)", [1.0, 0.0]),
        ("y = exp(1000 * x); J = sum(1 / y)", [1.0, 2.0]),
        ("y = sqrt(x); J = sum(y)", [1.0, 0.0]),
        ("y = x[0] * x; J = y @ z", [1.0, 2.0]),
        ("y = binary_cross_entropy(x, 1); J = sum(y)", [0.5, 1.5]),
    ],
)
def test_what_goes_wrong_is_said_by_the_interpreter(equations, x):
    G = cg.from_equations(equations, x=x, z=[1.0, 2.0, 3.0])
    with pytest.raises(cg.EvaluationError) as by_interpreter:
        cg.linearize(G)
    with pytest.raises(cg.EvaluationError) as by_plan:
        cg.compile_graph(G).value_and_gradient("J", nodes=["x"])
    assert str(by_plan.value) == str(by_interpreter.value)


def test_sure_probabilities_keep_their_digits():
    G = cg.from_equations("p = softmax(s); J = softmax_cross_entropy(s, t) + sum(tanh(s) * p)", s=[40.0, 1.0, 2.0],
                          t=[1.0, 0.0, 0.0])  # fmt: skip
    found = cg.compile_graph(G).gradient("J", nodes=["s"])["s"]
    np.testing.assert_allclose(found, cg.loss_sensitivities(cg.linearize(G), "J")["s"], rtol=1e-12)


def test_a_loss_is_a_number_and_inputs_are_checked():
    C = cg.compile_graph(network())
    with pytest.raises(cg.DerivativeError, match="a loss is one number"):
        C.value_and_gradient("S")
    with pytest.raises(cg.EvaluationError, match="not finite"):
        C.evaluate({"X": np.full((4, 5), np.inf)})
    with pytest.raises(cg.InvalidNodeError, match="cannot be set"):
        C.evaluate({"h": np.ones((4, 6))})
    with pytest.raises(cg.NodeNotFound):
        C.evaluate(nodes=["q"])
    with pytest.raises(cg.EvaluationError, match="does not fit"):
        C.evaluate({"X": np.ones((4, 6))})


def test_jacobians_and_what_flows_through_edges():
    G = network()
    C, L = cg.compile_graph(G), cg.linearize(G)
    sources, targets = ["A", "b", "h", "b"], ["S", "J", "h"]
    close(C.jacobian(sources, targets), cg.jacobian(L, sources, targets))  # forward: b twice, h from A and b
    close(C.jacobian(["X", "A"], ["J", "S"]), cg.jacobian(L, ["X", "A"], ["J", "S"]))  # reverse
    has_the_jacobians(C, L, "b", "J")
    has_the_jacobians(C, L, "J", "b")  # no path
    other = {"X": network(4, seed=9).nodes["X"]["value"]}
    C.evaluate(other, nodes=["J"])
    has_the_jacobians(C, cg.linearize(G, other), "b", "S")


def test_flow_from_a_matrix_of_weights_keeps_its_structure():
    G = network()
    L, C = cg.linearize(G), cg.compile_graph(G)
    C._linearized = None
    with cg.limits(entries=200):  # S(A,A) would have 900
        found = C.edge_sensitivities("A", "J")
    for edge, S in cg.edge_sensitivities(L, "A", "J").items():
        close(found[edge], S)


def test_where_a_plan_has_no_room_structured_jacobians_answer():
    G = network()
    C, L = cg.compile_graph(G), cg.linearize(G)
    with cg.limits(total=1000):  # of the Jacobians 1,476 entries, of computed values 37
        found = C.sensitivities("S")
    assert not C._programs
    for i, S in cg.sensitivities(L, "S").items():
        close(found[i], S)
    with cg.limits(total=30), pytest.raises(cg.LimitError):
        C.sensitivities("S")


def test_where_evaluate_was_last_is_kept_from_what_the_caller_writes():
    C = cg.compile_graph(cg.from_equations("J = sum(x * x)", x=[1.0, 2.0]))
    x = np.array([3.0, 4.0])
    C.evaluate({"x": x})
    x[:] = 0
    assert C.gradient("J", nodes=["x"])["x"].tolist() == [6.0, 8.0]


def test_what_single_precision_cannot_hold_is_an_error():
    C = cg.compile_graph(cg.from_equations("y = x * x", x=[1e30]), dtype="float32")
    with pytest.raises(cg.EvaluationError, match="beyond the range of float32"):
        C.evaluate()


def test_nodes_without_a_value_have_no_derivative():
    G = cg.from_equations("y = x * x", x=[1.0, 2.0])
    G.add_input("u")
    C, L = cg.compile_graph(G), cg.linearize(G)
    has_the_jacobians(C, L, "x", "y")
    C = cg.compile_graph(G)
    assert C.sensitivity("u", "y").tolist() == cg.sensitivity(L, "u", "y").tolist() == [[0.0], [0.0]]


def test_a_dense_network_agrees_with_jax():
    jax = pytest.importorskip("jax")
    G = network(3, seed=8)
    values = {i: np.array(G.nodes[i]["value"]) for i in ("X", "Y", "A", "b", "B")}

    def loss(v):
        scores = jax.numpy.tanh(v["X"] @ v["A"] + v["b"]) @ v["B"]
        return -jax.numpy.mean(jax.numpy.sum(v["Y"] * jax.nn.log_softmax(scores), axis=1))

    with jax.enable_x64(True):
        J_expected, gradient = jax.value_and_grad(loss)(values)
    J, found = cg.compile_graph(G).value_and_gradient("J", nodes=list(values))
    close(J, float(J_expected), 1e-9)
    for i, S in found.items():
        close(S, np.asarray(gradient[i]), 1e-9)
