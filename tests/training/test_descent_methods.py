"""Momentum and Adam: by hand, and beside PyTorch."""

import numpy as np
import pytest

import cgraph as cg
from cgraph.training.trainers import trainer_of

RATE, STEPS = 0.05, 100


def weight(result, w="w"):
    return result.graph.nodes[w]["value"]


def descend(method, steps):
    G = cg.ComputationalGraph()
    G.add_weight("w", 3.0)
    G.add_equation("J", "w^2")
    return cg.gradient_descent(G, "J", rate=0.25, steps=steps, method=method)


def test_momentum_by_hand():
    # g = 6, v = 6, w = 1.5; g = 3, v = 0.9*6 + 3 = 8.4, w = 1.5 - 2.1
    assert weight(descend("momentum", 1)) == 1.5
    assert weight(descend("momentum", 2)) == pytest.approx(-0.6, rel=1e-15)


def test_the_first_step_of_adam_is_the_rate():
    # mean and scale of one gradient are g and |g|
    assert weight(descend("adam", 1)) == pytest.approx(3 - 0.25, rel=1e-8)


def test_a_method_is_known():
    with pytest.raises(cg.CGraphError, match="one of sgd, momentum, adam"):
        descend("newton", 1)


def network():
    rng = np.random.default_rng(0)
    G = cg.ComputationalGraph()
    G.add_input("x", np.zeros(4))
    G.add_input("y", np.zeros(3))
    for name, shape in (("A", (4, 5)), ("b", (5,)), ("B", (5, 3))):
        G.add_weight(name, rng.normal(size=shape))
    G.add_equation("h", "tanh(x @ A + b)")
    G.add_equation("J", "softmax_cross_entropy(h @ B, y)")
    data = {"x": rng.normal(size=(12, 4)), "y": np.eye(3)[rng.integers(0, 3, 12)]}
    return G, data


@pytest.mark.parametrize("method", ["sgd", "momentum", "adam"])
def test_a_hundred_steps_are_those_of_pytorch(method):
    torch = pytest.importorskip("torch")
    G, data = network()
    weights = {w: torch.tensor(np.array(G.nodes[w]["value"]), requires_grad=True) for w in G.weights}
    given = list(weights.values())
    optimizer = {
        "sgd": lambda: torch.optim.SGD(given, lr=RATE),
        "momentum": lambda: torch.optim.SGD(given, lr=RATE, momentum=0.9),
        "adam": lambda: torch.optim.Adam(given, lr=RATE),
    }[method]()
    x, y = (torch.tensor(data[i]) for i in "xy")
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        scores = torch.tanh(x @ weights["A"] + weights["b"]) @ weights["B"]
        J = torch.nn.functional.cross_entropy(scores, y)
        J.backward()
        losses.append(J.item())
        optimizer.step()
    columns = {i: list(column) for i, column in data.items()}
    result = cg.gradient_descent(G, "J", rate=RATE, steps=STEPS, method=method, data=columns)
    np.testing.assert_allclose(result.history[:STEPS], losses, rtol=1e-10)
    for w, tensor in weights.items():
        np.testing.assert_allclose(weight(result, w), tensor.detach().numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("method", ["momentum", "adam"])
def test_numbers_on_a_tape_and_over_dicts_descend_alike(method, monkeypatch):
    pytest.importorskip("numba")
    G = cg.ComputationalGraph()
    G.add_input("x", 0.5)
    G.add_neuron("h", activation="tanh", weights={"x": 0.4}, bias=0.1)
    G.add_equation("J", "(h - 1)^2")
    data = {"x": [0.5, -1.0, 2.0]}
    found = []
    for pays in (True, False):
        monkeypatch.setattr("cgraph.training.trainers.compiling_pays", lambda _, pays=pays: pays)
        found.append(cg.gradient_descent(G, "J", rate=0.1, steps=20, method=method, data=data).history)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)


@pytest.mark.parametrize(("sweeps", "loaded", "trainer"), [
    (1, True, "DictTrainer"), (100, True, "TapeTrainer"), (100, False, "DictTrainer"), (500_000, False, "TapeTrainer"),
])  # fmt: skip
def test_what_trains_a_graph_of_numbers(monkeypatch, sweeps, loaded, trainer):
    pytest.importorskip("numba", reason="numba is an extra, and without it there is no tape by itself")
    monkeypatch.setattr("cgraph.algorithms.engines.is_loaded", lambda: loaded)
    G = cg.from_equations("J = w^2", w=1.0)
    assert type(trainer_of(G, "J", {}, sweeps)).__name__ == trainer


def test_what_trains_a_graph_of_arrays():
    G = cg.from_equations("J = squared_norm(x)", x=[1.0, 2.0])
    assert type(trainer_of(G, "J", {}, 1)).__name__ == "ArrayTrainer"
