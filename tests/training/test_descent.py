"""Gradient descent against arithmetic, an independent loop in NumPy, and bad data."""

import math
import re
from unittest import mock

import networkx as nx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from networks import SMOOTH, networks

import cgraph as cg
from cgraph.training import trainers
from cgraph.training.columns import read_table


@pytest.fixture(autouse=True, params=["dicts", "tape"])
def way(request, monkeypatch):
    """Every test below, over dicts and on a tape."""
    if request.param == "tape":
        pytest.importorskip("numba", reason="numba is an extra")
    monkeypatch.setattr(trainers, "compiling_pays", lambda _: request.param == "tape")


def logistic(n=2):
    G = cg.ComputationalGraph()
    for k in range(n):
        G.add_input(f"x{k}", 0.0)
    G.add_input("target", 0.0)
    G.add_neuron("y", activation="sigmoid", weights={f"x{k}": 0.1 * k for k in range(n)}, bias=0.0)
    G.add_equation("J", "-target*log(y) - (1 - target)*log(1 - y)")
    return G


def table(rows=40, n=2, seed=3):
    """Two overlapping clouds of points."""
    rng = np.random.default_rng(seed)
    target = rng.integers(0, 2, rows).astype(float)
    X = rng.normal(size=(rows, n)) + target[:, None]
    return {**{f"x{k}": X[:, k] for k in range(n)}, "target": target}


def in_numpy(data, rate, steps, batch):
    """The same descent, written with arrays."""
    X = np.column_stack([data["x0"], data["x1"], np.ones_like(data["x0"])])
    target, w = data["target"], np.array([0.0, 0.1, 0.0])

    def loss(w):
        y = 1 / (1 + np.exp(-X @ w))
        return -np.mean(target * np.log(y) + (1 - target) * np.log(1 - y))

    history = [loss(w)]
    for _ in range(steps):
        for start in range(0, len(X), batch):
            rows = slice(start, start + batch)
            y = 1 / (1 + np.exp(-X[rows] @ w))
            w = w - rate * (y - target[rows]) @ X[rows] / len(y)
        history.append(loss(w))
    return history, w


def weights(G):
    return [G.edges[i, "y"]["weight"] for i in ("x0", "x1", "+1")]


@pytest.mark.parametrize("batch", [None, 1, 7, 40, 1000])
def test_the_same_descent_as_in_numpy(batch):
    data = table()
    result = cg.gradient_descent(logistic(), "J", 0.5, 12, data=data, batch=batch)
    history, w = in_numpy(data, 0.5, 12, batch or 40)
    assert result.history == pytest.approx(history, rel=1e-12)
    assert weights(result.graph) == pytest.approx(w, rel=1e-12)
    assert result.history[-1] < result.history[0]
    assert result.stopped == ""


def test_one_example_by_hand():
    G = cg.ComputationalGraph()
    G.add_input("x", 2.0)
    G.add_weight("w", 1.0)
    G.add_neuron("y", activation="identity", weights={"x": 1.0})
    G.add_equation("J", "(w + y - 6)^2")
    # dJ/dw = 2 (1 + 2 - 6) = -6, dJ/dv = -6 * 2
    result = cg.gradient_descent(G, "J", rate=0.1, steps=1)
    assert result.graph.nodes["w"]["value"] == pytest.approx(1.6)
    assert result.graph.edges["x", "y"]["weight"] == pytest.approx(2.2)
    assert result.history == [9.0, pytest.approx(0.0)]
    assert (G.nodes["w"]["value"], G.edges["x", "y"]["weight"]) == (1.0, 1.0)


def test_a_seed_gives_the_same_weights_again():
    runs = [cg.gradient_descent(logistic(), "J", 0.5, 3, data=table(), batch=4, seed=seed) for seed in (7, 7, 8, None)]
    assert weights(runs[0].graph) == weights(runs[1].graph)
    assert weights(runs[0].graph) != weights(runs[2].graph)
    assert weights(runs[0].graph) != weights(runs[3].graph)


def test_held_out_data_and_progress():
    seen = []
    result = cg.gradient_descent(
        logistic(), "J", 0.5, 5, data=table(), validation=table(seed=4), progress=lambda *step: seen.append(step)
    )
    assert len(result.validation) == 6
    assert result.validation[-1] < result.validation[0]
    assert result.validation[-1] != result.history[-1]
    assert seen == list(enumerate(result.history))[1:]


def test_a_negative_rate_climbs():
    G = cg.ComputationalGraph()
    G.add_weight("w", 1.0)
    G.add_equation("J", "-(w - 3)^2")
    result = cg.gradient_descent(G, "J", rate=-0.1, steps=200)
    assert result.graph.nodes["w"]["value"] == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("equation", "why"), [("w^4", "overflows"), ("exp(w^2)", "overflows"), ("(w - 1)^2 - log(w + 3)", "is undefined")]
)
def test_a_loss_out_of_range_stops_with_the_last_good_weights(equation, why):
    G = cg.ComputationalGraph()
    G.add_weight("w", 2.0)
    G.add_equation("J", equation)
    result = cg.gradient_descent(G, "J", rate=4.0, steps=100)
    assert result.stopped.startswith(f"stopped in step {len(result.history)}: node 'J': ")
    assert why in result.stopped
    assert cg.evaluate(result.graph)["J"] == result.history[-1]
    assert all(map(math.isfinite, result.history))


def test_a_linearized_graph_comes_back_without_stale_numbers():
    L = cg.linearize(logistic(), {"x0": 1.0, "x1": 2.0, "target": 1.0})
    trained = cg.gradient_descent(L, "J", 0.5, 1).graph
    assert not any("derivative" in d for _, _, d in trained.edges(data=True))
    assert "value" not in trained.nodes["y"]
    assert L.nodes["y"]["value"]


@given(G=networks(SMOOTH), rate=st.floats(-0.5, 0.5), batch=st.integers(1, 7), rows=st.integers(1, 7), data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_ways_lead_to_the_same_weights(G, rate, batch, rows, data):
    columns = {i: [data.draw(st.floats(-2, 2)) for _ in range(rows)] for i in G.inputs}

    def outcome(*, pays):
        with mock.patch.multiple(trainers, compiling_pays=lambda _: pays, MOST_NUMBERS=3 * len(G)):
            return cg.gradient_descent(G, list(G)[-1], rate, 2, data=columns, batch=batch, validation=columns)

    try:
        expected = outcome(pays=False)
    except cg.EvaluationError as error:
        with pytest.raises(cg.EvaluationError, match=re.escape(str(error))):
            outcome(pays=True)
        return
    found = outcome(pays=True)
    assert found.history == pytest.approx(expected.history, rel=1e-7, abs=1e-12)
    assert found.validation == found.history
    assert found.stopped == expected.stopped
    for i, j, w in expected.graph.edges(data="weight"):
        assert w is None or found.graph.edges[i, j]["weight"] == pytest.approx(w, rel=1e-6, abs=1e-9)


def test_an_interrupt_leaves_the_graph_as_it_was():
    G = logistic()

    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cg.gradient_descent(G, "J", 0.5, 5, data=table(), progress=interrupt)
    assert weights(G) == [0.0, 0.1, 0.0]


class TestBadInput:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"rate": math.nan}, "rate = nan, steps = 1, batch = None: a finite rate"),
            ({"steps": -1}, "steps = -1"), ({"batch": 0}, "batch = 0"),
            ({"rate": "0.1"}, "rate = '0.1', steps = 1, batch = None: a finite rate and positive whole numbers"),
            ({"rate": 1j}, "rate = 1j"), ({"steps": 1.5}, "steps = 1.5"), ({"steps": "2"}, "steps = '2'"),
            ({"batch": 1.5}, "batch = 1.5"), ({"seed": "a"}, "seed = 'a': a whole number is needed"),
            ({"loss": "q"}, "no node 'q' in the graph"),
            ({"data": {"x_0": [1.0]}}, "the data have a column 'x_0', which is no input; did you mean 'x0'?"),
            ({"data": {"y": [1.0]}}, "column 'y', which is no input; the inputs are x0, x1, target"),
            ({"data": {"x0": [1.0, 2.0], "x1": [1.0]}}, "the columns of the data need one length, and at least one row ('x0': 2, 'x1': 1)"),
            ({"data": [1.0, 2.0]}, "the data are a mapping from inputs to columns, or the path of a CSV file, not [1.0, 2.0]"),
            ({"data": {"x0": []}}, "at least one row ('x0': 0)"), ({"data": {}}, "at least one row (no columns)"),
            ({"data": {"x0": [1.0, math.inf]}}, "column 'x0', row 2 holds inf; a finite number is needed"),
        ],
    )  # fmt: skip
    def test_arguments(self, arguments, message):
        with pytest.raises(cg.CGraphError) as error:
            cg.gradient_descent(logistic(), **{"loss": "J", "rate": 0.1, "steps": 1, **arguments})
        assert message in str(error.value)

    @pytest.mark.parametrize("G", [None, "network.yaml", nx.Graph([("x0", "J")])])
    def test_what_is_no_graph(self, G):
        with pytest.raises(cg.CGraphError, match=r"^a networkx.DiGraph is needed, not"):
            cg.gradient_descent(G, "J", 0.1, 1)

    def test_numbers_of_numpy(self):
        plan = {"steps": np.int64(2), "batch": np.int64(1), "data": table()}
        found = cg.gradient_descent(logistic(), "J", np.float64(0.1), seed=np.int64(3), **plan)
        assert found.history == cg.gradient_descent(logistic(), "J", 0.1, seed=3, **plan).history

    def test_a_loss_that_is_given_by_derivatives(self):
        G = cg.ComputationalGraph([("w", "J", {"derivative": 2.0})])
        with pytest.raises(cg.CGraphError, match="^node 'J' has neither an equation nor weights"):
            cg.gradient_descent(G, "J", 0.1, 1)

    def test_an_input_without_column_and_value(self):
        G = cg.ComputationalGraph()
        G.add_input("x")
        G.add_weight("w", 1.0)
        G.add_equation("J", "w*x")
        with pytest.raises(cg.MissingValueError, match="^node 'x' has no value"):
            cg.gradient_descent(G, "J", 0.1, 1)
        assert cg.gradient_descent(G, "J", 0.1, 1, data={"x": [1.0, 3.0]}).graph.nodes["w"]["value"] == 0.8

    def test_a_csv_file(self, tmp_path):
        path = tmp_path / "data.csv"
        data = table()
        rows = zip(data["x0"], data["x1"], data["target"], strict=True)
        path.write_text("x0, x1,target\n" + "\n".join(",".join(map(repr, map(float, row))) for row in rows) + "\n\n")
        result = cg.gradient_descent(logistic(), "J", 0.5, 3, data=path, validation=str(path))
        assert result.history == result.validation == cg.gradient_descent(logistic(), "J", 0.5, 3, data=data).history

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "data.csv: no rows below the header"), (b"x,x\n1,2\n", "data.csv:1: the header needs a different name"),
            (b"x,\n1,2\n", "data.csv:1: the header"), (b"x,y\n", "data.csv: no rows below the header"),
            (b"x,y\n1,2\n3\n", "data.csv:3: 1 cells in the row, 2 in the header"),
            (b"x;y\n1;2\n", "data.csv:2: column 'x;y' holds '1;2'; a finite number is needed; commas separate the columns"),
            (b"x,y\n1,2\n3,abc\n", "data.csv:3: column 'y' holds 'abc'; a finite number is needed"),
            (b"x,y\n1,nan\n", "data.csv:2: column 'y' holds 'nan'"), (b"x,y\n1,\n", "column 'y' holds ''"),
            (b"x\n\xff\n", "data.csv: not UTF-8 text: byte 3"),
        ],
    )  # fmt: skip
    def test_files(self, content, message, tmp_path):
        path = tmp_path / "data.csv"
        path.write_bytes(content)
        with pytest.raises(cg.CGraphError) as error:
            read_table(path)
        assert message in str(error.value)
        with pytest.raises(FileNotFoundError):
            read_table(tmp_path / "none.csv")
