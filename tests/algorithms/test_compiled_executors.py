"""Compiled graphs answer in a pool of workers as they answer alone, to the last bit."""

import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vectors import one_example

import cgraph as cg
from cgraph.algorithms.compiled import sweep_queries
from cgraph.algorithms.compiled.arrays import value_queries
from cgraph.algorithms.compiled.tape import tape
from cgraph.algorithms.compiled.tape.numba_rules import OPCODES
from cgraph.model.operations.elementwise import OPERATIONS

THREADS = ThreadPoolExecutor(3)


def random_graph(nodes=300, edges=2500, seed=0):
    rng = np.random.default_rng(seed)
    tails = rng.integers(0, nodes - 1, edges)
    heads = tails + 1 + (rng.random(edges) * (nodes - 1 - tails)).astype(int)
    number = rng.permutation(nodes)
    return cg.CompiledGraph.from_edges(number[tails], number[heads], rng.normal(size=edges) * 0.3)


def network():
    return cg.from_equations("a = x*z; h = tanh(a)*exp(-z)/(1 + x^2); y = sin(h) + log(2 + a)", x=0.5, z=0.25)


@pytest.fixture(scope="module", params=[1, 3])
def pool(request):
    with ProcessPoolExecutor(request.param, mp_context=get_context("spawn")) as pool:
        yield pool


@pytest.fixture
def small_tasks(monkeypatch):
    monkeypatch.setattr(sweep_queries, "_TOGETHER", 1)
    monkeypatch.setattr(tape, "_TOGETHER", 1)


@pytest.mark.usefixtures("small_tasks")
@pytest.mark.parametrize("ends", [(range(40), range(250, 300)), (range(50), range(280, 289))])
def test_a_jacobian_by_groups(pool, ends):
    C = random_graph()
    J = C.jacobian(*ends, executor=pool)
    assert J.tobytes() == C.jacobian(*ends).tobytes()
    assert J.flags.c_contiguous
    with mock.patch.object(sweep_queries, "_TOGETHER", 10_000):  # other groups, and what the reference sweep says
        assert C.jacobian(*ends).tobytes() == J.tobytes()
    t = ends[1][3]
    np.testing.assert_allclose(J[3], C.sensitivities(t)[list(ends[0])], rtol=1e-12)


@pytest.mark.usefixtures("small_tasks")
def test_points_by_parts(pool):
    C = cg.compile_graph(network())
    x = np.linspace(-2, 2, 77)
    at = {"x": x, "z": 0.3}
    alone = C.evaluate(at)
    gradient, of_weights = C.gradient("y"), C.weight_gradients("y")
    value, by_all = C.value_and_gradient("y", at)
    shared = C.evaluate(at, executor=pool)
    assert shared.tobytes() == alone.tobytes()
    assert shared.strides == alone.strides
    assert C.weight_gradients("y", executor=pool).tobytes() == of_weights.tobytes()
    C.evaluate(at, executor=pool)
    assert C.gradient("y", executor=pool).tobytes() == gradient.tobytes()
    one = C.gradient("y", nodes=["h"], executor=pool)
    assert one.tobytes() == gradient[[C.nodes.index("h")]].tobytes()
    assert C.gradient("y").tobytes() == gradient.tobytes()  # the values that no worker kept are computed again
    assert C.weight_gradients("y", executor=pool).tobytes() == of_weights.tobytes()
    shared_value, shared_by_all = C.value_and_gradient("y", at, executor=pool)
    assert (shared_value.tobytes(), shared_by_all.tobytes()) == (value.tobytes(), by_all.tobytes())
    assert C.evaluate(at, nodes=["h"], executor=pool).tobytes() == alone[[C.nodes.index("h")]].tobytes()


@pytest.mark.usefixtures("small_tasks")
@settings(max_examples=30)
@given(st.integers(1, 40), st.booleans())
def test_threads_give_the_same_for_any_number_of_points(points, with_weights):
    G = cg.ComputationalGraph()
    G.add_input("x", 0.2)
    G.add_weight("w", 2.0)
    G.add_neuron("h", activation="tanh", weights={"x": 3.0}, bias=1.0)
    G.add_equation("J", "h^2 * w + x")
    C = cg.compile_graph(G)
    at, w = {"x": np.linspace(-1, 1, points)}, ([0.5, -0.5, 3.0] if with_weights else None)
    values, of_weights = C.evaluate(at, weights=w), C.weight_gradients("J")
    both = C.value_and_gradient("J", at, weights=w, nodes=["x", "w"])
    assert C.evaluate(at, weights=w, executor=THREADS).tobytes() == values.tobytes()
    assert C.weight_gradients("J", executor=THREADS).tobytes() == of_weights.tobytes()
    shared = C.value_and_gradient("J", at, weights=w, nodes=["x", "w"], executor=THREADS)
    assert [part.tobytes() for part in shared] == [part.tobytes() for part in both]


def arrays_at_points(points=23):
    rng = np.random.default_rng(4)
    G = one_example(4, r="c * sum(A * A)", J="log((v @ h - t)^2 + norm(x - x[0])) + r")
    at = {"x": rng.normal(size=(points, 4)), "t": rng.normal(size=points), "c": 0.3}
    return cg.compile_graph(G), at, {"v": rng.normal(size=3)}


def close_in_every_node(found, wanted):
    assert list(found) == list(wanted)
    for i, value in wanted.items():
        assert np.shape(found[i]) == np.shape(value)
        np.testing.assert_allclose(found[i], value, rtol=1e-12, atol=1e-14, err_msg=i)


@pytest.mark.parametrize("size", [1, 7, 10**6])
def test_arrays_at_points_by_parts(pool, monkeypatch, size):
    C, at, weights = arrays_at_points()
    monkeypatch.setattr(value_queries, "_TOGETHER", size * (len(C.nodes) + 4 + 1 + 1 + 12 + 3))
    given = {"weights": weights, "points": ["x", "t"]}
    alone = C.evaluate(at, **given)
    found = C.evaluate(at, **given, executor=pool)
    close_in_every_node(found, alone)
    assert C.evaluate(at, **given, nodes=["r", "h"], executor=pool)["h"].tobytes() == found["h"].tobytes()
    out = {"h": np.empty((23, 3))}
    assert C.evaluate(at, **given, nodes=["h"], out=out, executor=pool)["h"] is out["h"]
    assert out["h"].tobytes() == found["h"].tobytes()
    for nodes in (None, ["A", "x", "J"], []):
        J, gradient = C.value_and_gradient("J", at, **given, nodes=nodes)
        mean, of_parts = C.value_and_gradient("J", at, **given, nodes=nodes, executor=pool)
        assert type(mean) is float
        assert mean == pytest.approx(J, rel=1e-13)
        close_in_every_node(of_parts, gradient)
        again = C.value_and_gradient("J", at, **given, nodes=nodes, executor=THREADS)
        assert (again[0], *map(np.array_equal, again[1].values(), of_parts.values())) == (mean, *[True] * len(of_parts))
    before = C.weight_gradients("J")
    close_in_every_node(C.weight_gradients("J"), before)


def test_errors_of_arrays_are_those_of_a_single_process(pool, monkeypatch):
    monkeypatch.setattr(value_queries, "_TOGETHER", 1)
    C = cg.compile_graph(cg.from_equations("a = log(x); b = sum(1 / u); y = a + b", x=1.0, u=[1.0, 2.0]))
    at = {"x": np.array([1.0, 2.0, -1.0]), "u": np.array([[1.0, 1.0], [1.0, 0.0], [1.0, 1.0]])}
    for ask in (C.evaluate, lambda at, **options: C.value_and_gradient("y", at, **options)):
        with pytest.raises(cg.EvaluationError) as alone:
            ask(at, points=["x", "u"])
        with pytest.raises(cg.EvaluationError) as shared:
            ask(at, points=["x", "u"], executor=pool)
        assert str(shared.value) == str(alone.value)
    with pytest.raises(cg.CGraphError, match="leading axis of one length"):
        C.evaluate({"x": np.ones(2), "u": np.ones((3, 2))}, points=["x", "u"], executor=pool)
    with pytest.raises(cg.CGraphError, match="out needs contiguous arrays"):
        C.evaluate({"x": np.ones(3)}, points=["x"], nodes=["a"], out={"a": np.ones(2)}, executor=pool)


def test_one_point_is_no_task():
    C = cg.compile_graph(network())
    assert C.evaluate({"x": 1.5}, executor=THREADS).tolist() == C.evaluate({"x": 1.5}).tolist()
    assert C.evaluate({"x": [1.5]}, executor=THREADS).shape == (5, 1)


@pytest.mark.usefixtures("small_tasks")
def test_errors_name_node_and_operation(pool):
    C = cg.compile_graph(cg.from_equations("a = x - 20; y = log(a)", x=30.0))
    at = {"x": np.arange(60.0, 0.0, -1.0)}
    for ask in (lambda: C.evaluate(at, executor=pool), lambda: C.value_and_gradient("y", at, executor=pool)):
        with pytest.raises(cg.EvaluationError, match=r"node 'y': log\(0\) is undefined"):
            ask()
    with pytest.raises(cg.EvaluationError, match="nothing has been evaluated"):
        C.weight_gradients("y", executor=pool)
    with pytest.raises(cg.InvalidNodeError, match="it is computed"):
        C.evaluate({"x": [1.0, 2.0], "a": [1.0]}, executor=pool)
    D = cg.CompiledGraph.from_edges([0, 1], [1, 2], [1e200, 1e200], nodes=["s", "a", "t"])
    with pytest.raises(cg.EvaluationError, match=r"S\(s, t\) overflows"):
        D.jacobian(["s", "a"], ["a", "t"], executor=pool)
    with pytest.raises(cg.NodeNotFound, match="'nobody'"):
        D.jacobian(["nobody"], ["t"], executor=pool)


def test_operations_that_were_registered_are_known_to_workers(pool):
    if "shifted_log" not in OPERATIONS:
        cg.register_operation("shifted_log", "log(u - 20)")
    C = cg.compile_graph(cg.from_equations("y = shifted_log(x) + x", x=30.0))
    at = {"x": np.linspace(60.0, 30.0, 50)}
    with mock.patch.object(tape, "_TOGETHER", 1):
        assert C.evaluate(at, executor=pool).tobytes() == C.evaluate(at).tobytes()
        with pytest.raises(cg.EvaluationError, match=r"shifted_log\(20\)"):
            C.evaluate({"x": np.arange(60.0, 0.0, -1.0)}, executor=pool)


def test_programs_mean_the_same_in_every_process():
    code = (
        "import cgraph as cg; cg.register_operation('early', 'u * u'); "
        "from cgraph.algorithms.compiled.tape.numba_rules import OPCODES; print(*OPCODES)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.split() == list(OPCODES)


def test_an_elimination_is_one_task():
    with pytest.raises(cg.CGraphError, match="order or executor"):
        random_graph().jacobian([0], [1], order="markowitz", executor=THREADS)


def test_no_task_is_a_single_point():
    for points in range(1, 60):
        parts = tape._parts(points, 10**9)
        assert [k for part in parts for k in range(points)[part]] == list(range(points))
        assert points == 1 or all(part.stop - part.start > 1 and part.start % 8 == 0 for part in parts)
