"""A check of derivatives in a pool of workers is the same report."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from unittest import mock

import pytest
from hypothesis import given
from random_graphs import equation_graphs

import cgraph as cg
from cgraph.algorithms import checks

THREADS = ThreadPoolExecutor(3)


def graph():
    G = cg.from_equations("A = W @ x; p = sum(A * A)", x=[1.0, -2.0], W=[[1.0, 0.5], [0.25, 2.0]])
    G.add_weight("w", 2.0)
    G.add_neuron("h", activation="tanh", weights={"p": 0.1}, bias=0.2)
    G.add_neuron("o", activation="sigmoid", weights={"h": -0.4, "p": 0.01}, bias=0.1)
    G.add_equation("J", "w * log(o) + abs(h)")
    return G


@pytest.mark.parametrize("together", [1, 8, 10**6])
def test_workers_report_what_one_process_does(together, pool):
    L = cg.linearize(graph())
    L.edges["h", "o"]["derivative"] *= 1.01  # planted
    alone = cg.check_derivatives(L)
    assert next((c.kind, c.tail, c.head) for c in alone.failures) == ("edge", "h", "o")
    assert {c.kind for c in alone.checks} == {"edge", "pair", "weight"}
    with mock.patch.object(checks, "_TOGETHER", together):
        assert cg.check_derivatives(L, executor=pool) == alone


@pytest.fixture(scope="module")
def pool():
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        yield pool


@given(equation_graphs())
def test_threads_report_it_of_any_graph(G):
    with mock.patch.object(checks, "_TOGETHER", 1):
        assert cg.check_derivatives(G, executor=THREADS) == cg.check_derivatives(G)


def test_errors_of_workers_name_the_edge(pool):
    L = cg.linearize(graph())
    L.edges["h", "o"]["derivative"] = float("nan")
    with pytest.raises(cg.DerivativeError, match="edge 'h' -> 'o' holds nan"):
        cg.check_derivatives(L, executor=pool)
