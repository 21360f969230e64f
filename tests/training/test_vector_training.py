"""Arrays that are trained: checks of derivatives, mini-batches, descent."""

import numpy as np
import pytest

import cgraph as cg

RNG = np.random.default_rng(0)


def graph(equations, inputs, weights):
    G = cg.ComputationalGraph()
    for i, value in inputs.items():
        G.add_input(i, value)
    for w, value in weights.items():
        G.add_weight(w, value)
    for j, equation in equations.items():
        G.add_equation(j, equation)
    return G


def classifier(classes=3, features=4):
    """Return DD2424's graph: linear scores, softmax, cross-entropy, and lambda times the sum of squares."""
    return graph(
        {"s": "W @ x + b", "p": "softmax(s)", "l": "cross_entropy(p, y)", "r": "sum(W^2)", "J": "l + 0.1 * r"},
        {"x": RNG.normal(size=features), "y": np.eye(classes)[0]},
        {"W": RNG.normal(size=(classes, features)), "b": RNG.normal(size=classes)},
    )


# A graph of one example, and how its inputs are made for any number of them.
BATCHED = {
    "a classifier": (
        classifier(),
        {"x": lambda n: RNG.normal(size=(n, 4)), "y": lambda n: np.eye(3)[RNG.integers(3, size=n)]},
    ),
    "products and parts": (
        graph(
            {
                "h": "tanh(x @ A.T + b)",
                "o": "h[0] * h[1:] + max(h)",
                "q": "outer(o, x) @ c",
                "l": "squared_error(t, sum(q)) + norm(q) + trace(outer(x, x)) + dot(h[:3], x) + x @ c + c @ x + min(h)",
                "J": "l * k",
            },
            {"x": np.zeros(3), "t": 0.0, "k": 1.0},
            {"A": RNG.normal(size=(4, 3)), "b": RNG.normal(size=4), "c": RNG.normal(size=3)},
        ),
        {"x": lambda n: RNG.normal(size=(n, 3)), "t": RNG.normal, "k": RNG.normal},
    ),
    "axes": (
        graph(
            {
                "M": "reshape(x, 2, 3) @ c",
                "T": "transpose(reshape(x, 2, 3))",
                "S": "stack(M, T[0], M * u)",
                "K": "concatenate(M, T[:, 0])",
                "z": "mean(S) + min(K) + sum(S, axis=0) @ M + logsumexp(K) + squared_norm(T)",
                "v": "mean(max(S, axis=0)) + sum(softmax(S, axis=0)[1]) + sum(T[[0, 2], 1]) + hinge(K, g) + log_softmax(K)[0]",
                "J": "z + v + binary_cross_entropy(sigmoid(K[0]), 1) + where(x[0] > 0, x[1], u) + mean(T @ T.T)",
            },
            {"x": np.zeros(6), "g": [0, 1, 0, 0, 0]},
            {"c": RNG.normal(size=3), "u": 2.0},
        ),
        {"x": lambda n: RNG.normal(size=(n, 6))},
    ),
    "transposed by axes": (
        graph({"J": "sum(transpose(reshape(x, 1, 2, 3), 2, 0, 1)[1] * w)"}, {"x": np.zeros(6)}, {"w": [[1.0, 2.0]]}),
        {"x": lambda n: RNG.normal(size=(n, 6))},
    ),
}


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize(("G", "columns"), BATCHED.values(), ids=BATCHED)
def test_one_sweep_over_a_batch_is_the_mean_of_single_sweeps(G, columns, n):
    data = {i: column(n) if i in {"x", "y"} else column(size=n) for i, column in columns.items()}
    B = cg.minibatch(G, data)
    examples = [{i: data[i][k] for i in data} for k in range(n)]
    singles = [cg.weight_gradients(cg.linearize(G, example), "J") for example in examples]
    gradient = cg.weight_gradients(cg.linearize(B), "J")
    for w, found in gradient.items():
        np.testing.assert_allclose(found, np.mean([single[w] for single in singles], axis=0), rtol=1e-10, atol=1e-12)
    assert cg.evaluate(B)["J"] == pytest.approx(np.mean([cg.evaluate(G, example)["J"] for example in examples]))
    for j in G:
        value = cg.evaluate(B)[j]
        depends = j in data or any(i in data for i in cg.model.graph.nx.ancestors(G, j))
        if j != "J" and depends:
            np.testing.assert_allclose(value, [cg.evaluate(G, example)[j] for example in examples], rtol=1e-10)


def test_neurons_take_a_batch_entry_by_entry():
    G = cg.ComputationalGraph()
    G.add_input("x1", 0.0)
    G.add_input("x2", 0.0)
    G.add_neuron("h", activation="tanh", weights={"x1": 0.5, "x2": 0.3}, bias=0.2)
    G.add_neuron("o", activation="sigmoid", weights={"h": 1.2}, bias=0.1)
    G.add_equation("J", "-ln(o)")
    data = {"x1": RNG.normal(size=7), "x2": RNG.normal(size=7)}
    gradient = cg.weight_gradients(cg.linearize(cg.minibatch(G, data)), "J")
    singles = [cg.weight_gradients(cg.linearize(G, {i: data[i][k] for i in data}), "J") for k in range(7)]
    assert gradient == {w: pytest.approx(np.mean([single[w] for single in singles])) for w in gradient}


def test_a_hand_computed_batch():
    G = graph({"J": "(w @ x)^2 + 0.5 * squared_norm(w)"}, {"x": [0, 0]}, {"w": [3.0, 1.0]})
    B = cg.minibatch(G, {"x": [[1, 2], [0, 1]]})
    # (25 + 1) / 2 + 5, and (10 (1, 2) + 2 (0, 1)) / 2 + w: the regulariser counts once
    assert cg.evaluate(B)["J"] == 18.0
    assert cg.weight_gradients(cg.linearize(B), "J")["w"].tolist() == [8.0, 12.0]


def test_a_batch_in_a_file(tmp_path):
    (tmp_path / "batch.csv").write_text("x,z\n1,2\n3,4\n", encoding="utf-8")
    B = cg.minibatch(cg.from_equations("J = x * z", x=0.0, z=0.0), tmp_path / "batch.csv")
    assert cg.evaluate(B)["J"] == 7.0  # (2 + 12) / 2


@pytest.mark.parametrize(
    ("equation", "message"),
    [
        ("det(outer(x, x) + W)", "^node 'J': det has no form for many examples"),
        ("sum(inv(outer(x, x) + W))", "^node 'J': inv has no form for many examples"),
        ("sum(reshape(x, 1, 2, 1)[[0], :, [0]])", "^node 'J': an index with lists apart"),
    ],
)
def test_what_has_no_form_for_many_examples_is_named(equation, message):
    G = graph({"J": equation}, {"x": [1.0, 2.0]}, {"W": np.eye(2)})
    with pytest.raises(cg.CGraphError, match=message):
        cg.minibatch(G, {"x": [[1, 2], [3, 4]]})


def mixed_neuron():
    """Return a neuron that reads a number and a vector, and a loss."""
    G = cg.ComputationalGraph()
    G.add_input("x", [1.0, 2.0])
    G.add_input("z", 1.0)
    G.add_neuron("h", activation="tanh", weights={"x": 0.5, "z": -0.3}, bias=0.1)
    G.add_equation("J", "sum(h^2)")
    return G


@pytest.mark.parametrize(
    ("G", "weights"),
    [
        (graph({"J": "det(outer(x, x) + W)"}, {"x": [1.0, 2.0]}, {"W": np.eye(2)}), ["W"]),
        (graph({"J": "sum(inv(outer(x, x) + W))"}, {"x": [1.0, 2.0]}, {"W": np.eye(2)}), ["W"]),
        (mixed_neuron(), [("x", "h"), ("z", "h")]),
    ],
    ids=["det", "inv", "neuron"],
)
def test_descent_where_an_operation_has_no_form_for_many_examples(G, weights):
    data = {"x": [[1, 2], [3, 4], [0.5, -1]]} | ({"z": [1, 2, -1]} if "z" in G else {})
    with pytest.raises(cg.CGraphError, match="for many examples"):
        cg.minibatch(G, data)
    examples = [{i: np.array(column[k], float) for i, column in data.items()} for k in range(3)]
    singles = [cg.linearize(G, example) for example in examples]
    result = cg.gradient_descent(G, "J", rate=0.25, steps=1, data=data)
    assert result.history[0] == pytest.approx(np.mean([L.nodes["J"]["value"] for L in singles]))
    for w in weights:
        step = 0.25 * np.mean([cg.weight_gradients(L, "J")[w] for L in singles], axis=0)
        before, after = ((H.edges if isinstance(w, tuple) else H.nodes)[w] for H in (G, result.graph))
        key = "weight" if isinstance(w, tuple) else "value"
        assert after[key] == pytest.approx(before[key] - step)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"x": [[1, 2], [3]]}, "^column 'x', row 2 holds a vector of 1, row 1 a vector of 2; all need one shape"),
        ({"x": [[1, 2], "ab"]}, "^column 'x', row 2 holds 'ab', which is not a number"),
        ({"x": [[1, np.nan]]}, r"^column 'x', row 1 holds \[1, nan\]; a finite number is needed"),
        ({"x": [[1, 2, 3]]}, "^node 'J': w @ x does not fit: w is a vector of 2, x is a vector of 3"),
        ({"w": [[1, 2]]}, "^the data have a column 'w', which is no input"),
        (3.0, "^the data are a mapping from inputs to columns, or the path of a CSV file, not 3.0"),
        ({"x": 3.0}, "column .x. is 3.0; a list with a value for each row is needed"),
        ({"x": []}, "^the columns of the data need one length, and at least one row"),
    ],
)
def test_data_that_do_not_fit(data, message):
    G = graph({"J": "w @ x"}, {"x": [1.0, 2.0]}, {"w": [1.0, 1.0]})
    with pytest.raises(cg.CGraphError, match=message):
        cg.minibatch(G, data)
    with pytest.raises(cg.CGraphError, match=message):
        cg.gradient_descent(G, "J", rate=0.1, steps=1, data=data)


def test_descent_by_hand():
    G = graph({"J": "squared_norm(w)"}, {}, {"w": [3.0, 4.0]})
    result = cg.gradient_descent(G, "J", rate=0.25, steps=2)  # w <- w/2
    assert result.history == [25.0, 6.25, 1.5625]
    assert result.graph.nodes["w"]["value"].tolist() == [0.75, 1.0]
    assert G.nodes["w"]["value"].tolist() == [3.0, 4.0]


def test_descent_takes_batches_in_one_sweep_and_ends_where_single_sweeps_do():
    G = classifier()
    X, Y = RNG.normal(size=(10, 4)), np.eye(3)[RNG.integers(3, size=10)]
    result = cg.gradient_descent(G, "J", rate=0.1, steps=2, data={"x": X, "y": Y}, batch=4)
    weights = {w: G.nodes[w]["value"] for w in "Wb"}
    for _ in range(2):
        for start in (0, 4, 8):
            rows = range(start, min(start + 4, 10))
            g = [cg.weight_gradients(cg.linearize(G, {"x": X[k], "y": Y[k], **weights}), "J") for k in rows]
            weights = {w: value - 0.1 * np.mean([single[w] for single in g], axis=0) for w, value in weights.items()}
    for w, value in weights.items():
        np.testing.assert_allclose(result.graph.nodes[w]["value"], value, rtol=1e-12)
    assert result.history[-1] < result.history[0]


def test_descent_of_a_scalar_network_on_arrays():
    G = cg.ComputationalGraph()
    G.add_input("x", [1.0, 2.0])
    G.add_neuron("h", activation="identity", weights={"x": 3.0})
    G.add_equation("J", "sum(h)")
    result = cg.gradient_descent(G, "J", rate=0.1, steps=1)  # dJ/dw = 1 + 2
    assert result.graph.edges["x", "h"]["weight"] == pytest.approx(2.7)


def test_a_loss_that_is_no_number_is_refused():
    G = graph({"s": "w * x"}, {"x": [1.0, 2.0]}, {"w": [1.0, 1.0]})
    with pytest.raises(cg.CGraphError, match="^the loss 's' is a vector of 2; a loss is one number"):
        cg.gradient_descent(G, "s", rate=0.1, steps=1)
    with pytest.raises(cg.DerivativeError, match="^the loss 's' is a vector of 2; a loss is one number"):
        cg.weight_gradients(cg.linearize(G), "s")


def test_descent_that_leaves_the_numbers_keeps_the_last_good_weights():
    G = graph({"J": "sum(w^4)"}, {}, {"w": [10.0, 1.0]})
    result = cg.gradient_descent(G, "J", rate=1.0, steps=50)
    assert result.stopped.startswith("stopped in step")
    assert np.isfinite(result.graph.nodes["w"]["value"]).all()


def test_a_planted_entry_is_found():
    L = cg.linearize(classifier())
    assert cg.check_derivatives(L)
    z = np.array(L.edges["s", "p"]["derivative"])
    z[1, 2] += 0.5
    L.edges["s", "p"]["derivative"] = z
    edge = next(c for c in cg.check_derivatives(L).failures if c.kind == "edge")
    assert (edge.tail, edge.head) == ("s[2]", "p[1]")
    assert edge.derivative - edge.numerical == pytest.approx(0.5)


def test_large_arrays_are_checked_along_random_directions():
    G = graph({"s": "W @ x", "J": "squared_norm(s)"}, {"x": RNG.normal(size=30)}, {"W": RNG.normal(size=(4, 30))})
    report = cg.check_derivatives(G)
    assert report.ok
    assert "W[*]" in {c.tail for c in report.checks}
    L = cg.linearize(G)
    z = np.array(L.edges["W", "s"]["derivative"])
    z[2, 117] += 1e-3
    L.edges["W", "s"]["derivative"] = z
    assert {(c.tail, c.head) for c in cg.check_derivatives(L).failures} == {("W[*]", "s[2]"), ("W[*]", "J")}


def test_jacobians_too_large_to_write_out_are_checked_all_the_same():
    G = graph(
        {"s": "tanh(W @ x)", "J": "mean(s)"}, {"x": RNG.normal(size=400)}, {"W": RNG.normal(size=(300, 400)) / 20}
    )
    assert cg.check_derivatives(G)


def test_neurons_on_arrays_are_checked():
    G = cg.ComputationalGraph()
    G.add_input("x", [1.0, -2.0, 0.5])
    G.add_neuron("h", activation="tanh", weights={"x": 0.7}, bias=0.1)
    G.add_equation("J", "sum(h^2)")
    report = cg.check_derivatives(G)
    assert report.ok
    assert [(c.tail, c.head) for c in report.checks if c.kind == "weight"] == [("x -> h", "J"), ("+1 -> h", "J")]
