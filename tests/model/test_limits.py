"""Limits: sizes known before values are made, time, and what the messages name."""

import contextlib
import contextvars
import math
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cgraph as cg
from cgraph.model.evaluation import result_shape
from cgraph.model.language.expressions import Apply
from cgraph.model.limits import limits_in_force, require_time


@pytest.mark.parametrize(
    ("equation", "operands", "shape"),
    [
        ("concatenate(a, a)", {"a": [1.0, 2.0]}, (4,)),
        ("concatenate(a, a, axis=1)", {"a": [[1.0, 2.0]]}, (1, 4)),
        ("stack(a, a, a)", {"a": [1.0, 2.0]}, (3, 2)),
        ("outer(a, b)", {"a": [1.0, 2.0], "b": [1.0, 2.0, 3.0]}, (2, 3)),
        ("a @ b", {"a": [[1.0], [2.0]], "b": [[1.0, 2.0, 3.0]]}, (2, 3)),
        ("a + b", {"a": [[1.0], [2.0]], "b": [1.0, 2.0, 3.0]}, (2, 3)),
        ("where(a > b, a, b)", {"a": [[1.0], [2.0]], "b": [1.0, 2.0, 3.0]}, (2, 3)),
        ("a[[0, 0, 0, 0]]", {"a": [1.0, 2.0]}, (4,)),
        ("a[[0, 0, 0], 0:2]", {"a": [[1.0, 2.0, 3.0]]}, (3, 2)),
        ("reshape(a, 3, 1) * a", {"a": [1.0, 2.0, 3.0]}, (3, 3)),
    ],
)  # fmt: skip
def test_one_value(equation, operands, shape):
    G = cg.from_equations(f"y = {equation}", **operands)
    count = math.prod(shape)
    with cg.limits(entries=count):
        assert np.shape(cg.evaluate(G)["y"]) == shape
    with (
        cg.limits(entries=count - 1),
        pytest.raises(cg.LimitError, match=rf"^node 'y': .* has the shape .*, {count} ") as e,
    ):
        cg.evaluate(G)
    assert e.value.limit == "entries"
    with cg.limits(entries=count - 1), pytest.raises(cg.LimitError):
        cg.linearize(G)


def test_all_values_together():
    G = cg.from_equations("a = 2*x; b = 3*a; c = a + b", x=np.ones(10))
    with cg.limits(total=30):
        cg.evaluate(G)
    with (
        cg.limits(total=29),
        pytest.raises(cg.LimitError, match="30 entries with the values before it, more than .* 29"),
    ):
        cg.evaluate(G)
    with cg.limits(total=30):  # each evaluation begins at 0
        cg.evaluate(G)
        cg.evaluate(G)


def test_steps_within_an_equation_are_not_kept():
    G = cg.from_equations("y = ((((x + 1) + 1) + 1) + 1); z = y + 1", x=np.ones(10))
    with cg.limits(total=40):
        cg.evaluate(G)


def test_a_jacobian_that_is_written_out():
    L = cg.linearize(cg.from_equations("p = softmax(s)", s=np.arange(10.0)))
    with (
        cg.limits(entries=99),
        pytest.raises(cg.LimitError, match="a Jacobian of 10 x 10 is too large to be written out"),
    ):
        cg.sensitivity(L, "s", "p")


def test_time():
    def endless():
        with cg.limits(seconds=0.2):
            while True:
                math.factorial(1000)

    start = time.monotonic()
    with pytest.raises(cg.LimitError, match=r"^it takes longer than 0.2 seconds"):
        endless()
    assert time.monotonic() - start < 5
    with cg.limits(seconds=100):
        require_time()
    with cg.limits(seconds=100) as now:
        now.deadline = 0.0
        with pytest.raises(cg.LimitError):
            require_time()


@pytest.mark.parametrize(
    "equation", ["reshape(x, 3, 1) + x", "outer(x, x)", "concatenate(x, x, x)", "reshape(x, 3, 1) @ reshape(x, 1, 3)"]
)
def test_compiled_graphs_of_arrays(equation):
    G = cg.from_equations(f"y = {equation}; J = sum(y)", x=[1.0, 2.0, 3.0])
    for ask in (
        lambda C: C.evaluate(),
        lambda C: C.value_and_gradient("J"),
        lambda C: C.sensitivities("J"),
        lambda C: C.sensitivities_from("x"),
    ):
        with (
            cg.limits(entries=8),
            pytest.raises(cg.LimitError, match=r"^node 'y': .* 9 entries, more than the limit of 8"),
        ):
            ask(cg.compile_graph(G))
    assert cg.compile_graph(G).value_and_gradient("J")[0] == pytest.approx(float(np.sum(cg.evaluate(G)["y"])))


def test_a_plan_that_takes_more_than_the_values():
    G = cg.from_equations("y = sin(x); z = exp(y)", x=np.ones(10))
    with cg.limits(entries=50), pytest.raises(cg.LimitError, match="a Jacobian of 10 x 10 is too large"):
        cg.compile_graph(G).sensitivities("z")
    with cg.limits(total=25), pytest.raises(cg.LimitError, match="30 entries with the values before it"):
        cg.compile_graph(cg.from_equations("a = sin(x); b = cos(x); c = a * b", x=np.ones(10))).evaluate()


def test_a_block_within_a_block():
    def sleeps_within_and_after():
        with cg.limits(seconds=5):
            time.sleep(0.01)
        time.sleep(5)

    with pytest.raises(cg.LimitError, match="longer than 0.3 seconds"), cg.limits(seconds=0.3):
        sleeps_within_and_after()
    with pytest.raises(cg.LimitError, match="longer than 0.2 seconds"), cg.limits(seconds=0.2), cg.limits(seconds=5):
        time.sleep(5)
    with cg.limits(seconds=5):
        with pytest.raises(cg.LimitError, match="longer than 0.1 seconds"), cg.limits(seconds=0.1):
            time.sleep(5)
        time.sleep(0.2)
        require_time()
    with cg.limits(seconds=math.inf):
        time.sleep(0.01)
    time.sleep(0.2)  # no timer is left


def test_what_ran_before_counts_for_nobody():
    x = np.ones(20_000)
    G = cg.from_equations("y = sort(x) * 2; J = sum(y)", x=x)
    with cg.limits(total=200_000):
        for _ in range(20):
            cg.trace(lambda x: np.exp(x) + x, x)
            cg.minibatch(G, {"x": np.ones((2, 20_000))})
            cg.compile_graph(G).value_and_gradient("J")
        assert limits_in_force().spent == 0


def test_evaluations_in_threads_count_their_own_entries():
    G = cg.from_equations("a = x + 1; b = a + 1; c = b + 1; J = sum(c)", x=np.ones(30_000))

    def evaluated(_):
        return [cg.evaluate(G)["J"] for _ in range(20)]

    with cg.limits(total=150_000):
        contexts = [contextvars.copy_context() for _ in range(4)]  # a thread has the limits that it is given
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda context: context.run(evaluated, 0), contexts))
    assert found == [[120_000.0] * 20] * 4


def test_a_number_that_is_repeated_too_often():
    with pytest.raises(
        cg.LimitError,
        match=r"^node 'y': repeat\(x, repeats=1000000000\) has the shape \(1000000000,\), 1,000,000,000 entries",
    ):
        cg.evaluate(cg.from_equations("y = repeat(x, repeats=1000000000)", x=2.0))


def test_limits_end_with_their_block():
    before = limits_in_force()
    with cg.limits(entries=5, total=7), cg.limits(total=6):
        assert (limits_in_force().entries, limits_in_force().total) == (5, 6)
    assert limits_in_force() is before


@pytest.mark.parametrize("value", [0, -1, "many", True, math.nan])
def test_what_is_no_limit(value):
    with pytest.raises(cg.CGraphError, match="the limit entries must be a positive number"), cg.limits(entries=value):
        pass


@given(st.data())
def test_the_shape_of_sums_and_products_is_numpys(data):
    a, b = (tuple(data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))) for _ in range(2))
    for operation, function in (("add", np.add), ("matmul", np.matmul)):
        try:
            expected = function(np.ones(a), np.ones(b)).shape
        except ValueError:
            continue
        assert result_shape(Apply(operation, (0, 1)), [a, b]) == expected


class Late:
    """What is still at work when the time is up, where Python ignores what is raised."""

    def __del__(self):
        time.sleep(0.1)


def work_that_hides_the_end():
    late = Late()
    del late
    time.sleep(5)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no timer on this system")
def test_the_end_of_the_time_is_not_missed():
    with pytest.raises(cg.LimitError, match="it takes longer than"), cg.limits(seconds=0.02):
        work_that_hides_the_end()
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


@contextlib.contextmanager
def cleaning(cleaned):
    try:
        yield
    finally:
        with contextlib.suppress(ZeroDivisionError):
            cleaned.append(1 / 0)
        time.sleep(0.2)
        cleaned.append(1)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no timer on this system")
def test_what_cleans_up_has_the_time_that_it_needs():
    cleaned = []
    with pytest.raises(cg.LimitError), cg.limits(seconds=0.02), cleaning(cleaned):
        time.sleep(5)
    assert cleaned == [1]


class LateName:
    def __set_name__(self, owner, name):
        time.sleep(1)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no timer on this system")
def test_what_python_makes_another_error_of():
    with pytest.raises(cg.LimitError, match=r"longer than 0\.02 seconds"), cg.limits(seconds=0.02):
        type("Named", (), {"name": LateName()})


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no timer on this system")
def test_the_time_that_was_up_first_is_named():
    with (
        pytest.raises(cg.LimitError, match=r"longer than 0\.02 seconds"),
        cg.limits(seconds=20),
        cg.limits(seconds=0.02),
    ):
        time.sleep(1)
