"""Tasks come back in order whoever does them, and what goes wrong with a pool is an error of ours."""

import operator
import os
import tempfile
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from types import SimpleNamespace

import pytest

import cgraph as cg
from cgraph.model.limits import limits_in_force
from cgraph.model.tasks import in_order


class Large:
    """What is told by the number of times that it was written to a file."""

    written = 0

    def __init__(self, number):
        self.number = number

    def __reduce__(self):
        Large.written += 1
        return Large, (self.number,)

    def plus(self, x):
        return self.number + x


@pytest.fixture(scope="module")
def pool():
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        yield pool


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_large_object_is_written_once_and_removed(pool, temporary):
    Large.written = 0
    found = in_order(pool, Large.plus, ((k,) for k in range(200)), about=Large(7))
    assert next(found) == 7
    (file,) = temporary.iterdir()
    assert file.stat().st_mode & 0o077 == 0
    assert list(found) == [7 + k for k in range(1, 200)]
    assert Large.written == 1
    assert not list(temporary.iterdir())


def test_threads_share_it(temporary):
    Large.written = 0
    with ThreadPoolExecutor(3) as threads:
        found = list(in_order(threads, Large.plus, ((k,) for k in range(50)), about=Large(1)))
    assert found == list(in_order(None, Large.plus, ((k,) for k in range(50)), about=Large(1))) == list(range(1, 51))
    assert Large.written == 0
    assert not list(temporary.iterdir())


def test_a_question_that_is_given_up_leaves_no_file(pool, temporary):
    found = in_order(pool, Large.plus, ((k,) for k in range(200)), about=Large(7))
    next(found)
    found.close()
    assert not list(temporary.iterdir())


class Counting(Executor):
    """Counts the tasks that are not yet done: none of them is, before somebody waits."""

    def __init__(self):
        self.waiting = self.most = 0

    def submit(self, function, /, *args, **options):
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        future = Future()

        def result():
            self.waiting -= 1
            return function(*args, **options)

        future.result = result
        return future


def test_what_is_in_flight_is_bounded():
    counting, drawn = Counting(), []
    tasks = ((drawn.append(k) or k, 1) for k in range(1000))
    found = in_order(counting, operator.add, tasks)
    assert next(found) == 1
    assert len(drawn) == counting.most == 64
    assert list(found) == list(range(2, 1001))
    assert counting.most == 64


def entries_allowed(_):
    return limits_in_force().entries


def test_limits_and_registered_operations_hold_in_workers(pool):
    with cg.limits(entries=17):
        assert list(in_order(pool, entries_allowed, [(0,)])) == [17]
    with ThreadPoolExecutor(1) as threads, cg.limits(entries=18):
        assert list(in_order(threads, entries_allowed, [(0,)])) == [18]
    cg.register_operation("twice_for_tasks", "x + x")
    G = cg.from_equations("y = twice_for_tasks(x)", x=2.0)
    assert list(in_order(pool, cg.evaluate, [()], about=G)) == [{"x": 2.0, "y": 4.0}]


def test_errors_of_ours_come_back_as_they_are(pool):
    G = cg.from_equations("y = log(x)", x=-2.0)
    with pytest.raises(cg.EvaluationError, match=r"node 'y': log\(-2") as caught:
        list(in_order(pool, cg.evaluate, [()], about=G))
    assert caught.value.node == "y"


@pytest.mark.usefixtures("temporary")
def test_a_worker_that_dies():
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        pytest.raises(cg.CGraphError, match="workers ended before their tasks were done"),
    ):
        list(in_order(pool, os._exit, [(3,)] * 5, about=None))


def test_a_pool_that_is_closed():
    with ThreadPoolExecutor(1) as threads:
        pass
    with pytest.raises(cg.CGraphError, match="takes no tasks"):
        list(in_order(threads, abs, [(1,)]))


def test_what_is_no_pool_is_said():
    with pytest.raises(cg.CGraphError, match=r"takes a pool such as .*, not 2"):
        list(in_order(2, abs, [(1,)]))


class Lonely:
    """A client of Dask whose scheduler has no workers."""

    status = "running"

    def scatter(self, *_, **__):
        raise TimeoutError("No valid workers found")

    def submit(self, *_, **__):
        raise AssertionError


def test_a_cluster_without_workers_is_said():
    executor = SimpleNamespace(_client=Lonely(), _kwargs={}, submit=None)
    executor.submit = executor._client.submit
    with pytest.raises(cg.CGraphError, match="No valid workers found"):
        list(in_order(executor, Large.plus, [(1,)], about=Large(7)))


def test_what_cannot_be_sent_is_said(pool):
    with pytest.raises(cg.CGraphError, match="cannot be sent to other processes"):
        list(in_order(pool, str, [()], about=lambda: 0))


def test_a_worker_that_does_not_see_the_file_says_what_to_do(pool, monkeypatch):
    monkeypatch.setattr("cgraph.model.tasks._written", lambda _: "/nowhere/cgraph-1")
    monkeypatch.setattr("cgraph.model.tasks._Shared.close", lambda _: None)
    with pytest.raises(cg.CGraphError, match=r"cannot read '/nowhere/cgraph-1'.*TMPDIR"):
        list(in_order(pool, Large.plus, [(1,)], about=Large(7)))
