"""Blocks of points on several cores: the same bits, the same errors, and an interrupt, as on one."""

import gc
import signal
import threading

import numpy as np
import pytest
from engines import using

import cgraph as cg
from cgraph.algorithms.compiled.tape import batching
from cgraph.algorithms.compiled.threads import cores, for_each


@pytest.fixture(params=[1, 4])
def threads(request, monkeypatch):
    """Any batch is large enough for as many threads."""
    monkeypatch.setattr(batching, "MANY", 0)
    monkeypatch.setattr(batching, "cores", lambda: request.param)
    return request.param


def network(n=30):
    rng = np.random.default_rng(0)
    G = cg.ComputationalGraph()
    for name in ("x", "z"):
        G.add_input(name, 1.0)
    names = ["x", "z"]
    for k in range(n):
        below = [str(i) for i in rng.choice(names, 2, replace=False)]
        G.add_neuron(f"h{k}", activation="tanh", weights={i: rng.normal() for i in below}, bias=rng.normal())
        G.add_equation(f"v{k}", f"sin(h{k})*{below[0]} + exp(-{below[1]}^2)")
        names += [f"h{k}", f"v{k}"]
    G.add_equation("J", " + ".join(names))
    return G


def everything(points):
    C = cg.compile_graph(network())
    rng = np.random.default_rng(1)
    inputs = {"x": rng.normal(size=points), "z": rng.normal(size=points)}
    found = [C.evaluate(inputs), C.gradient("J"), C.weight_gradients("J"), C.gradient("h3")]
    return [*found, *C.value_and_gradient("J", inputs)]


@pytest.mark.parametrize("points", [1, 8, 9, 64, 67])
def test_many_threads_give_the_bits_of_one(points, monkeypatch):
    pytest.importorskip("numba", reason="numba is an extra")
    alone = everything(points)
    monkeypatch.setattr(batching, "MANY", 0)
    monkeypatch.setattr(batching, "cores", lambda: 4)
    used = set()
    run = batching.Blocks.fill

    def run_and_note(self, *arguments):
        used.add(threading.get_ident())
        return run(self, *arguments)

    monkeypatch.setattr(batching.Blocks, "fill", run_and_note)
    for _ in range(5):  # whatever thread comes first
        for one, many in zip(alone, everything(points), strict=True):
            assert one.tobytes() == many.tobytes()
    assert (used == {threading.get_ident()}) == (points <= 8)  # one block stays in the thread that asks


@pytest.mark.parametrize("engine", ["numba", "loops"])
@pytest.mark.parametrize("wrong", [[0], [70, 79], [8, 30, 79]])
@pytest.mark.usefixtures("threads")
def test_the_first_point_that_is_wrong_is_named(engine, wrong):
    x = np.linspace(1.0, 2.0, 80)
    with using(engine):
        C = cg.compile_graph(cg.from_equations("a = sqrt(x); y = 2*a", x=1.0))
        for k, point in enumerate(wrong):
            x[point] = -1.0 - k
        with pytest.raises(cg.EvaluationError, match=r"node 'a': sqrt\(-1\) is undefined"):
            C.evaluate({"x": x})
        with pytest.raises(cg.EvaluationError, match="call evaluate before gradient"):
            C.gradient("y")
        x[wrong] = 0.0
        C.evaluate({"x": x})
        with pytest.raises(cg.EvaluationError, match=r"node 'a': the derivative of sqrt\(0\) is not finite"):
            C.gradient("y")
        C.evaluate({"x": np.abs(x) + 1})
        np.testing.assert_allclose(C.gradient("y")[0], 1 / np.sqrt(np.abs(x) + 1))


@pytest.mark.usefixtures("threads")
def test_an_interrupt_leaves_the_graph_whole(monkeypatch):
    pytest.importorskip("numba", reason="numba is an extra")
    C = cg.compile_graph(network())
    inputs = {"x": np.linspace(-1, 1, 800)}
    y, S = C.evaluate(inputs), C.gradient("J")
    run, runs = batching.Blocks.copy, []
    before = threading.active_count()

    def interrupted(self, *arguments):
        runs.append(arguments)
        if len(runs) >= 5:
            raise KeyboardInterrupt
        return run(self, *arguments)

    for ask in (lambda: C.gradient("J"), lambda: C.evaluate(inputs)):
        assert C.gradient("J").tobytes() == S.tobytes()
        with monkeypatch.context() as patched:
            patched.setattr(batching.Blocks, "copy", interrupted)
            runs.clear()
            with pytest.raises(KeyboardInterrupt):
                ask()
        assert len(runs) < 200  # of 100 blocks, two each
    assert threading.active_count() == before
    with pytest.raises(cg.EvaluationError, match="call evaluate before gradient"):
        C.gradient("J")
    assert C.evaluate(inputs).tobytes() == y.tobytes()
    assert C.gradient("J").tobytes() == S.tobytes()


@pytest.fixture
def interruptible():
    """Ctrl-C interrupts: a shell has it ignored in what it starts in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.collect()
    gc.disable()  # an interrupt that arrives while something is collected is lost
    yield
    gc.enable()
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_of_the_thread_that_waits():
    """Ctrl-C arrives there: parts that have begun end, others do not begin."""
    begun, ended = [], []
    before = threading.active_count()

    def work(k):
        begun.append(k)
        if k == 6:  # all threads run by then
            signal.raise_signal(signal.SIGINT)
        threading.Event().wait(0.02)
        ended.append(k)

    with pytest.raises(KeyboardInterrupt):
        for_each(work, [(k,) for k in range(200)], 2)
    assert sorted(begun) == sorted(ended)
    assert len(begun) < 50
    assert threading.active_count() == before


def test_a_small_batch_stays_on_one_core(monkeypatch):
    asked = []
    monkeypatch.setattr(
        batching, "for_each", lambda work, parts, threads: (asked.append(threads), for_each(work, parts, 1))
    )
    monkeypatch.setattr(batching, "cores", lambda: 3)
    C = cg.compile_graph(cg.from_equations("y = x^2", x=1.0))
    for points, expected in ((16, 1), (batching.MANY, 3)):
        C.evaluate({"x": np.ones(points)})
        assert asked.pop() == expected
    assert cores() >= 1
