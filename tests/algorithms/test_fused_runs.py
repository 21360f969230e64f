"""Runs of elementary operations in compiled graphs of arrays: one pass over their entries finds what NumPy finds."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from engines import fused_by_python
from hypothesis import given
from vectors import elementwise_equation, entries, vector_graphs

import cgraph as cg
from cgraph.algorithms.compiled.arrays import CompiledArrays, fused_loops, programs
from cgraph.algorithms.compiled.jit import is_at_hand
from cgraph.model.operations.elementwise import OPERATIONS

needs_numba = pytest.mark.skipif(not is_at_hand(), reason="machine code needs numba")


@pytest.fixture
def _at_once(monkeypatch):
    """Let programs fuse what they can in their first call."""
    monkeypatch.setattr(programs, "FEWEST_TO_FUSE", 0)


def close(found, expected, digits=1e-12):
    scale = max(1.0, float(np.max(np.abs(expected))))
    np.testing.assert_allclose(found, expected, rtol=digits, atol=digits * scale)


def loops_of(C):
    """Return the texts of all loops of a compiled graph."""
    return [source for program, _ in C._programs.values() for source in program._code._machine]


def agrees(G, t, digits=1e-12, **options):
    """Compare values, gradients and Jacobians with the interpreter; the plan answers all."""
    C, L = CompiledArrays(G, **options), cg.linearize(G)
    C._interpreted = None
    for i, value in C.evaluate().items():
        close(value, L.nodes[i]["value"], digits)
    if np.ndim(L.nodes[t]["value"]) == 0:
        value, gradient = C.value_and_gradient(t)
        close(value, L.nodes[t]["value"], digits)
        for i, S in cg.loss_sensitivities(L, t).items():
            close(gradient[i], S, digits)
    for i, S in cg.sensitivities(L, t).items():
        close(C.sensitivities(t)[i], S, digits)
    return C


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_elementary_operation(name):
    operands = ["a", "b", "a * b"][: len(OPERATIONS[name].names)]
    for shapes in (((2, 3), (3,)), ((), (2,)), ((2, 1), (3,)), ((2, 1, 3), (4, 1)), ((3, 2), (3, 2))):
        G = cg.ComputationalGraph()
        G.add_input("a", entries(shapes[0], 0))
        G.add_input("b", entries(shapes[1], 1))
        G.add_equation("y", f"2 * {elementwise_equation(name, operands)} - 0 * a + 0 * b")
        G.add_equation("J", "sum(y * y * 0.3)")
        with fused_by_python():
            assert loops_of(agrees(G, "J"))


@given(vector_graphs())
def test_random_graphs(G):
    with fused_by_python():
        agrees(G, list(G)[-1], 1e-10)


def mixed(rows=60, columns=50, scale=1.0):
    """Return a graph of many operations on arrays of several shapes, some of them views."""
    rng = np.random.default_rng(0)
    G = cg.ComputationalGraph()
    G.add_input("X", scale * rng.normal(size=(rows, columns)))
    G.add_input("Z", rng.normal(size=(columns, rows)))
    G.add_weight("b", rng.normal(size=columns))
    G.add_weight("c", rng.normal(size=(rows, 1)))
    G.add_weight("k", 0.7)
    G.add_equation("h", "tanh(X + b) * c + gelu_tanh(transpose(Z)) * k")
    G.add_equation("g", "softplus(h) + sqrt(abs(h) + 1) - max(h, c) * relu(b - h)")
    G.add_equation("p", "where(h > k, sigmoid(3 * g), cos(g) * exp(-abs(g))) + log(g * g + 1) / (c^2 + 1)")
    G.add_equation("m", "mean(p, axis=1)")
    G.add_equation("q", f"(p - reshape(m, {rows}, 1)) * elu(p[::-1])")
    G.add_equation("J", "sum(q * q) + sum(h)")
    return G


@needs_numba
@pytest.mark.usefixtures("_at_once")
class TestMachineCode:
    def test_many_operations(self):
        G = mixed()
        C, L = CompiledArrays(G), cg.linearize(G)
        C._interpreted = None
        for _ in range(2):
            J, gradient = C.value_and_gradient("J")
            close(J, L.nodes["J"]["value"])
            for i, S in cg.loss_sensitivities(L, "J").items():
                close(gradient[i], S)
        assert len(loops_of(C)) > 2

    def test_single_precision(self):
        G = mixed()
        C, L = CompiledArrays(G, dtype="float32"), cg.linearize(G)
        C._interpreted = None
        J, gradient = C.value_and_gradient("J", nodes=["X", "b"])
        close(J, L.nodes["J"]["value"], 1e-4)
        for i in ("X", "b"):
            assert gradient[i].dtype == np.float32
            close(gradient[i], cg.loss_sensitivities(L, "J")[i], 1e-4)

    def test_operands_far_from_0_keep_their_digits(self):
        """Some tanh are 1 to the last digit, some cosines have operands beyond the quick reduction."""
        G = mixed(scale=12.0)
        G.nodes["X"]["value"] = np.where(np.arange(50) == 7, 1e6 * np.ones((60, 50)), G.nodes["X"]["value"])
        G.add_equation("s", "tanh(X) * 2 + sin(X) * cos(3 * X)")
        G.add_equation("K", "sum(s * b)")
        C, L = CompiledArrays(G), cg.linearize(G)
        C._interpreted = None
        for t in ("J", "K"):
            found = C.value_and_gradient(t, nodes=["X", "b"])[1]
            for i, S in found.items():
                np.testing.assert_allclose(S, cg.loss_sensitivities(L, t)[i], rtol=1e-9, atol=1e-30)

    def test_from_threads_and_batches(self):
        G = mixed()
        C = CompiledArrays(G)
        rng = np.random.default_rng(1)
        points = [{"X": rng.normal(size=(60, 50))} for _ in range(12)]
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda inputs: C.value_and_gradient("J", inputs, nodes=["b"]), points))
        for inputs, (J, gradient) in zip(points, found, strict=True):
            L = cg.linearize(G, inputs)
            close(J, L.nodes["J"]["value"])
            close(gradient["b"], cg.loss_sensitivities(L, "J")["b"])

    @pytest.mark.parametrize(
        "equation",
        ["1 / (1 + exp(x * k))", "where(log(x) > 0, x, 1) + 0 * x", "tanh(x / (k - k)) + x", "exp(-(x / (k - 400)) - 1 / (x - x)) + x"],
    )  # fmt: skip
    def test_what_is_not_finite_on_the_way_is_found(self, equation):
        x = np.linspace(-3, 5, 3001)
        G = cg.from_equations(f"y = {equation}", x=x, k=400.0)
        with pytest.raises(cg.EvaluationError) as by_interpreter:
            cg.evaluate(G)
        with pytest.raises(cg.EvaluationError) as by_loop:
            cg.compile_graph(G).evaluate()
        assert str(by_loop.value) == str(by_interpreter.value)

    def test_what_numba_cannot_compile_is_computed_by_numpy(self, monkeypatch):
        """The warning names the reason, once; no call fails."""

        def not_for_numba(*_):
            return {}

        monkeypatch.setattr(fused_loops, "_function", lambda _: not_for_numba)
        G = mixed()
        C, L = CompiledArrays(G), cg.linearize(G)
        C._interpreted = None
        with pytest.warns(RuntimeWarning, match="and NumPy computes them: [A-Z][A-Za-z]+: .*") as warnings:
            J, gradient = C.value_and_gradient("J")
        assert len(warnings) == 1
        assert C.value_and_gradient("J")[0] == J == pytest.approx(L.nodes["J"]["value"], rel=1e-12)
        for i, S in cg.loss_sensitivities(L, "J").items():
            close(gradient[i], S)
        assert not loops_of(C)

    def test_a_network_agrees_with_jax(self):
        jax = pytest.importorskip("jax")
        rng = np.random.default_rng(2)
        v = {"X": rng.normal(size=(64, 40)), "A": rng.normal(size=(40, 50)) / 6, "b": rng.normal(size=50)}
        G = cg.from_equations("h = gelu_tanh(X @ A + b) - sigmoid(X @ A); J = mean(softplus(h * h))", **v)

        def loss(v):
            h = jax.nn.gelu(v["X"] @ v["A"] + v["b"]) - jax.nn.sigmoid(v["X"] @ v["A"])
            return jax.numpy.mean(jax.nn.softplus(h * h))

        with jax.enable_x64(True):
            J_expected, expected = jax.value_and_grad(loss)(v)
        C = cg.compile_graph(G)
        J, gradient = C.value_and_gradient("J", nodes=list(v))
        assert loops_of(C)
        close(J, float(J_expected), 1e-9)
        for i, S in gradient.items():
            close(S, np.asarray(expected[i]), 1e-9)


def test_without_numba_and_before_it_pays_there_are_no_loops(monkeypatch):
    G = mixed()
    C = CompiledArrays(G)
    C.evaluate()
    assert not loops_of(C)
    monkeypatch.setattr(programs, "FEWEST_TO_FUSE", 0)
    monkeypatch.setattr(programs, "is_at_hand", lambda: False)
    for i, value in C.evaluate().items():
        close(value, cg.evaluate(G)[i])
    assert not loops_of(C)
