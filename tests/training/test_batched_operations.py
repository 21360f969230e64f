"""The form of every operation over many examples: random shapes, against the mean of single evaluations."""

import numpy as np
import pytest
from operation_shapes import case

import cgraph as cg
from cgraph.model.operations.arrays import ARRAY_OPERATIONS
from cgraph.model.operations.elementwise import OPERATIONS

CASES = 40  # of each operation
ONE_SERVES_ALL = {"conv", "conv_transpose", "take"}  # as their second operand
NO_FORM = {"det", "inv", "solve", "logdet", "cholesky", "batch_norm"}


@pytest.mark.parametrize("operation", sorted({*OPERATIONS, *ARRAY_OPERATIONS} - NO_FORM))
def test_a_batch_is_its_examples_one_by_one(operation):
    rng = np.random.default_rng(list(operation.encode()))
    for _ in range(CASES):
        equation, shapes = case(rng, operation)
        names = "abc"[: len(shapes)]
        free = [i for i in names if i != "b" or operation not in ONE_SERVES_ALL]
        varying = [i for i in free if rng.random() < 0.6] or [str(rng.choice(free))]
        n = int(rng.integers(1, 4))  # as long as an axis, now and then
        G = cg.ComputationalGraph()
        for i, shape in zip(names, shapes, strict=True):
            add = G.add_input if i in varying else G.add_weight
            add(i, rng.uniform(0.2, 0.9, size=shape)[()])
        G.add_equation("y", equation)
        G.add_equation("J", "sum(tanh(y)) * exp(sum(y) / 10)")
        data = {i: rng.uniform(0.2, 0.9, size=(n, *shapes[names.index(i)])) for i in varying}
        singles = [cg.linearize(G, {i: data[i][k] for i in varying}) for k in range(n)]
        L = cg.linearize(cg.minibatch(G, data))
        what = f"{equation} at {shapes}, {varying} of {n} examples: {L.nodes['y']['equation']}"
        y = np.stack([single.nodes["y"]["value"] for single in singles])
        np.testing.assert_allclose(L.nodes["y"]["value"], y, rtol=1e-12, err_msg=what)
        assert L.nodes["J"]["value"] == pytest.approx(np.mean([single.nodes["J"]["value"] for single in singles])), what
        gradients = [cg.weight_gradients(single, "J") for single in singles]
        for w, gradient in cg.weight_gradients(L, "J").items():
            mean = np.mean([single[w] for single in gradients], axis=0)
            np.testing.assert_allclose(gradient, mean, rtol=1e-10, atol=1e-14, err_msg=what)


def test_a_stack_of_matrices_by_hand():
    G = cg.from_equations("J = sum(W @ x)", W=np.arange(8.0).reshape(2, 2, 2), x=[0.0, 0.0])
    # the columns of W sum to 12 and 16: 12 + 32, and 36 - 64
    assert cg.evaluate(cg.minibatch(G, {"x": [[1, 2], [3, -4]]}))["J"] == (44 - 28) / 2


def test_the_squared_error_of_a_number_and_a_vector_by_hand():
    G = cg.from_equations("J = squared_error(k, x)", k=0.0, x=[1.0, 4.0])
    # k = 1: 0 + 9; k = 2: 1 + 4
    assert cg.evaluate(cg.minibatch(G, {"k": [1.0, 2.0]}))["J"] == 7.0


def test_words_of_each_example_are_looked_up_in_one_table():
    G = cg.from_equations("J = sum(take(W, words))", W=[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], words=[0.0, 0.0])
    # rows 0 and 2 are 3 and 11, row 1 twice is 14
    assert cg.evaluate(cg.minibatch(G, {"words": [[0, 2], [1, -2]]}))["J"] == (14 + 14) / 2


@pytest.mark.parametrize(
    ("equation", "varying"),
    [("conv(a, b)", "b"), ("conv_transpose(a, b)", "ab"), ("take(a[0], floor(b[0, 0]))", "ab"),
     ("take(a, floor(b[0, 0]), axis=1)", "b"), ("layer_norm(a, b[0, 0, 0])", "b"), ("batch_norm(a, 1)", "a")],
)  # fmt: skip
def test_what_has_no_form_for_many_examples_says_so(equation, varying):
    values = {"a": np.ones((2, 3)), "b": np.ones((2, 2, 2))}
    G = cg.from_equations(f"y = {equation}", **{i: values[i] for i in "ab" if i in equation.replace("take", "")})
    with pytest.raises(cg.CGraphError, match="^node 'y': .* no form for many examples"):
        cg.minibatch(G, {i: np.ones((4, *values[i].shape)) for i in varying})


def neuron_of_a_number_and_a_vector():
    G = cg.ComputationalGraph()
    G.add_input("x", 0.0)
    G.add_input("v", [1.0, 2.0])
    G.add_neuron("h", activation="identity", weights={"x": 2.0, "v": 0.5})
    G.add_equation("J", "squared_norm(h)")
    return G


def test_a_neuron_of_a_number_and_a_vector_is_refused():
    with pytest.raises(
        cg.CGraphError, match="^neuron 'h' reads 'x', a number, beside a vector of 2: this sum has no form"
    ):
        cg.minibatch(neuron_of_a_number_and_a_vector(), {"x": [1.0, 2.0]})


def test_a_neuron_of_arrays_of_one_rank_takes_a_batch():
    G = neuron_of_a_number_and_a_vector()
    # x = 1: h = (2.5, 2.5), then (3, 2)
    B = cg.minibatch(G, {"v": [[1.0, 1.0], [2.0, 0.0]]})
    assert cg.evaluate(B, {"x": 1.0})["J"] == (12.5 + 13.0) / 2


def test_an_output_that_feeds_another_has_no_mean():
    G = cg.from_equations("l = x^2; J = l^2", x=1.0)
    G.graph["outputs"] = ["l", "J"]
    with pytest.raises(cg.CGraphError, match="^'l' becomes the mean over the examples, but 'J' reads it"):
        cg.minibatch(G, {"x": [1.0, 2.0]})
