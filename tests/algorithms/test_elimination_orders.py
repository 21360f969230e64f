"""Orders: the published costs, what annealing reaches, and what is proven."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import pairwise, permutations
from multiprocessing import get_context

import networkx as nx
import numpy as np
import pytest
from cases import digraph
from elimination_graphs import COSTS, OURS, matrix, read
from hypothesis import example, given, settings
from hypothesis import strategies as st
from random_graphs import linearized_graphs

import cgraph as cg
from cgraph.algorithms.compiled.jit import is_at_hand
from cgraph.algorithms.elimination import edge_search
from cgraph.algorithms.elimination.elimination_graph import EliminationGraph
from cgraph.algorithms.elimination.greedy import reverse
from cgraph.algorithms.elimination.patterns import Task
from cgraph.algorithms.elimination.search import Budget, Chances, Share, anneal_in_machine_code, anneal_slowly, shuffled

SEEDS = {"RoeFlux_1d": 0, "random_g": 0}
METHODS = ("forward", "reverse", "markowitz", "relative_markowitz", "minimum_fill", "anneal", "optimal")


@pytest.mark.parametrize("name", COSTS)
def test_the_published_costs_come_out_exactly(name):
    L, ends, _ = read(name)
    orders = [cg.elimination_order(L, method=method, **ends) for method in ("forward", "reverse", "markowitz")]
    assert tuple(cg.elimination_cost(L, order, **ends) for order in orders) == COSTS[name][:3]


@settings(max_examples=60)
@given(linearized_graphs(), st.sampled_from(["standard", "unit"]), st.integers(0, 5), st.integers(1, 400))
def test_machine_code_finds_the_order_that_python_finds(drawn, cost, seed, budget):
    pytest.importorskip("numba")
    L, ends, _ = drawn
    task = Task(EliminationGraph(L, **ends, cost=cost, unit="unit", derivative="derivative"), seed=seed)
    start = reverse(task)
    if len(start) > 1 and task.cost(start):
        found, expected = (annealed(run, task, start, budget) for run in (anneal_in_machine_code, anneal_slowly))
        assert found == expected


def annealed(run, task, start, budget):
    """Return the order that an annealing finds, and the state of its random numbers then."""
    chances, share = Chances(task.seed), Share(Budget(2 * budget), 0.5)
    order = run(task, start, chances, share, (2.0, 0.1))
    assert share.spent == budget
    return order, chances.state


@settings(max_examples=60)
@given(linearized_graphs(), st.sampled_from(["standard", "unit"]), st.integers(0, 5))
def test_what_hangs_together_is_put_together_at_the_same_cost(drawn, cost, seed):
    L, ends, order = drawn
    task = Task(EliminationGraph(L, **ends, cost=cost, unit="unit", derivative="derivative"))
    start = [task.number[v] for v in np.random.default_rng(seed).permutation(np.array(order, object))]
    pattern = task.pattern.copy()
    costs = [pattern.eliminate(v) for v in start]
    found, each = shuffled(task.pattern, start, costs, Chances(seed))
    pattern = task.pattern.copy()
    assert sorted(found) == sorted(start)
    assert each == [pattern.eliminate(v) for v in found]


@pytest.mark.parametrize(("name", "cost"), [("RoeFlux_1d", "unit"), ("random_g", "standard")])
def test_machine_code_and_python_agree_on_large_graphs(name, cost):
    pytest.importorskip("numba")
    L, ends, _ = read(name)
    task = Task(EliminationGraph(L, **ends, cost=cost, unit="unit", derivative="derivative"), seed=3)
    start = reverse(task)
    found = annealed(anneal_in_machine_code, task, start, 2_000)
    assert found == annealed(anneal_slowly, task, start, 2_000)
    assert task.cost(found[0]) < task.cost(start)


@pytest.mark.parametrize("name", ["RoeFlux_1d", "random_g"])
def test_every_seed_finds_the_best_order_known(name):
    pytest.importorskip("numba")
    L, ends, _ = read(name)
    for seed in range(3):
        order = cg.elimination_order(L, method="anneal", seed=seed, budget=150_000, **ends)
        assert cg.elimination_cost(L, order, **ends) == COSTS[name][3]


@pytest.mark.parametrize("name", OURS)
def test_every_seed_undercuts_the_rules_by_far_on_our_graphs(name):
    pytest.importorskip("numba")
    L, ends, reference = read(name)
    for seed in range(2):
        order = cg.elimination_order(L, method="anneal", seed=seed, **ends)
        assert cg.elimination_cost(L, order, **ends) <= OURS[name]
    np.testing.assert_allclose(matrix(cg.eliminate(L, order, **ends), **ends), reference, rtol=1e-11, atol=1e-12)


def test_restarts_return_the_best_of_their_seeds_wherever_they_run():
    L, ends, _ = read("Helmholtz")
    single = [cg.elimination_order(L, method="anneal", seed=seed, budget=20, **ends) for seed in range(3, 7)]
    best = min(single, key=lambda order: cg.elimination_cost(L, order, **ends))
    assert cg.elimination_order(L, method="anneal", seed=3, budget=20, restarts=4, **ends) == best
    for pool in (ThreadPoolExecutor(2), ProcessPoolExecutor(1, mp_context=get_context("spawn"))):
        with pool:
            found = cg.elimination_order(L, method="anneal", seed=3, budget=20, restarts=4, executor=pool, **ends)
        assert found == best
    with pytest.raises(cg.CGraphError, match="restarts=0 is no number of searches"):
        cg.elimination_order(L, method="anneal", restarts=0, **ends)


@pytest.mark.parametrize("name", ["RoeFlux_1d", "random_g"])
def test_annealing_undercuts_the_best_published_cost(name):
    L, ends, reference = read(name)
    order = cg.elimination_order(L, method="anneal", seed=SEEDS[name], budget=60_000, **ends)
    assert cg.elimination_cost(L, order, **ends) <= COSTS[name][3]
    result = cg.eliminate(L, order, **ends)
    assert result.multiplications == cg.elimination_cost(L, order, **ends)
    np.testing.assert_allclose(matrix(result, **ends), reference, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", ["HumanHeartDipole", "PropaneCombustion", "Helmholtz", "Hole", "Lighthouse", "Simple"])
def test_the_least_cost_is_proven(name):
    L, ends, reference = read(name)
    order = cg.elimination_order(L, method="optimal", **ends)
    assert cg.elimination_cost(L, order, **ends) == COSTS[name][3]
    np.testing.assert_allclose(matrix(cg.eliminate(L, order, **ends), **ends), reference, rtol=1e-12, atol=1e-15)


def test_the_least_cost_is_proven_for_the_robot_arm():
    L, ends, reference = read("RobotArm_6DOF")
    order = cg.elimination_order(L, method="anneal", budget=30_000, **ends)
    assert cg.elimination_cost(L, order, **ends) == cg.elimination_bound(L, **ends) == 221
    np.testing.assert_allclose(matrix(cg.eliminate(L, order, **ends), **ends), reference, rtol=1e-12, atol=1e-12)


def test_reverse_mode_is_optimal_for_the_perceptron():
    L, ends, _ = read("Perceptron")
    assert cg.elimination_bound(L, **ends) == 308


@pytest.mark.parametrize(
    ("name", "cost", "group", "bound"),
    [
        ("RoeFlux_1d", "standard", 1, 223),  # Menger's bound of each vertex
        ("random_g", "standard", 1, 262),
        ("random_g", "standard", 3, 329),
        ("HumanHeartDipole", "unit", 1, 32),
        ("HumanHeartDipole", "unit", 3, 48),  # what an order costs
        ("Lighthouse", "standard", 3, 14),
    ],
)
def test_groups_of_vertices_raise_the_bound(name, cost, group, bound):
    L, ends, _ = read(name)
    assert cg.elimination_bound(L, cost=cost, group=group, **ends) == bound


def test_a_bound_is_found_within_a_budget():
    L, ends, _ = read("Lighthouse")
    assert cg.elimination_bound(L, budget=1, **ends) == cg.elimination_bound(L, group=1, **ends)
    with pytest.raises(cg.CGraphError, match="group=0 is no number of nodes"):
        cg.elimination_bound(L, group=0, **ends)


def test_what_two_vertices_cost_whatever_comes_first():
    # Two inputs meet in a, two more in b; b follows a and leads to three outputs. a: 2*1 before b, or 2*3 after it;
    # b: 3*3 after a, as x and z stand for a, or 3*3 ... by hand: a first 2*1 + 4*3 = 14, b first 3*3 + 2*3 = 15.
    L = digraph(
        ("x", "a", 2.0), ("z", "a", 2.0), ("v", "b", 2.0), ("w", "b", 2.0), ("a", "b", 2.0),
        ("b", "p", 2.0), ("b", "q", 2.0), ("b", "r", 2.0),
    )  # fmt: skip
    assert cg.elimination_bound(L, group=1) == 2 * 1 + 3 * 3
    assert cg.elimination_bound(L) == 14


def test_what_is_too_large_says_so_and_gives_what_it_has():
    L, ends, _ = read("RoeFlux_1d")
    with pytest.raises(cg.SearchLimitError, match=r"between 285 and .*; take method='anneal'") as caught:
        cg.elimination_order(L, method="optimal", budget=1, **ends)
    assert cg.elimination_cost(L, caught.value.order, **ends) == caught.value.upper


@settings(max_examples=60)
@given(linearized_graphs(), st.sampled_from(["standard", "unit"]))
def test_optimal_is_the_least_of_all_orders_and_no_method_goes_below(drawn, cost):
    L, ends, order = drawn
    if len(order) > 6:
        return
    least = min(cg.elimination_cost(L, p, cost=cost, **ends) for p in permutations(order))
    bounds = [cg.elimination_bound(L, cost=cost, group=group, **ends) for group in (1, 2, 3, 6)]
    assert max(bounds) <= least
    assert bounds[0] == min(bounds)
    for method in METHODS:
        found = cg.elimination_order(L, method=method, cost=cost, budget=300, **ends)
        assert sorted(found) == sorted(order)
        assert cg.elimination_cost(L, found, cost=cost, **ends) >= least
    assert cg.elimination_cost(L, found, cost=cost, **ends) == least


@example([1, 1, 2, 3, 2])
@given(st.lists(st.integers(1, 6), min_size=3, max_size=7))
def test_the_chain_recurrence_is_optimal(sizes):
    L = digraph(*((k, k + 1, np.ones((n, m))) for k, (m, n) in enumerate(pairwise(sizes))))
    chain, optimal = (cg.elimination_order(L, method=method) for method in ("chain", "optimal"))
    assert cg.elimination_cost(L, chain) == cg.elimination_cost(L, optimal)
    least = min(cg.elimination_cost(L, p) for p in permutations(cg.intermediates(L)))
    assert cg.elimination_cost(L, chain) == least


def test_the_textbook_chain():
    # 30x35, 35x15, 15x5, 5x10, 10x20, 20x25 take 15,125 multiplications at best: the example of the algorithm book by
    # Cormen, Leiserson, Rivest and Stein, read from the right.
    sizes = [30, 35, 15, 5, 10, 20, 25][::-1]
    L = digraph(*((k, k + 1, np.ones((n, m))) for k, (m, n) in enumerate(pairwise(sizes))))
    assert cg.elimination_cost(L, cg.elimination_order(L, method="chain")) == 15_125


def test_several_chains_and_direct_edges_are_ordered_together():
    L = digraph((0, 1, 2.0), (1, 2, 3.0), (0, 3, 2.0), (3, 2, 1.0), (0, 2, 1.0))
    assert sorted(cg.elimination_order(L, method="chain")) == [1, 3]


def test_the_same_seed_and_evaluations_give_the_same_order():
    L, ends, _ = read("Helmholtz")
    first, second = (cg.elimination_order(L, method="anneal", seed=5, budget=500, **ends) for _ in range(2))
    assert first == second


def test_a_time_is_a_budget():
    L, ends, _ = read("Hole")
    order = cg.elimination_order(L, method="anneal", budget="50ms", **ends)
    assert cg.elimination_cost(L, order, **ends) <= 24


def test_an_order_serves_other_numbers_of_the_same_structure():
    L, ends, _ = read("Helmholtz")
    order = cg.elimination_order(L, method="optimal", **ends)
    for i, j in L.edges:
        L.edges[i, j]["derivative"] = 1.0 + len(i) / (2 + len(j))
    np.testing.assert_allclose(cg.jacobian(L, *ends.values(), order=order), cg.jacobian(L, *ends.values()), rtol=1e-12)


def test_graphs_with_nothing_between():
    for L in (nx.DiGraph(), digraph(("x", "y", 2.0))):
        for method in (*METHODS, "chain"):
            assert cg.elimination_order(L, method=method) == []
        assert cg.elimination_bound(L) == 0


@settings(max_examples=40)
@given(linearized_graphs(), st.sampled_from(["standard", "unit"]), st.integers(0, 3))
def test_orders_of_edges_are_right_and_cost_no_more(drawn, cost, seed):
    L, ends, _ = drawn
    steps = cg.edge_elimination_order(L, cost=cost, seed=seed, budget=100, **ends)
    order = cg.elimination_order(L, method="anneal", cost=cost, seed=seed, budget=100, **ends)
    result = cg.eliminate_edges(L, steps, cost=cost, **ends)
    cg.check_elimination(L, result)
    assert result.multiplications <= cg.elimination_cost(L, order, cost=cost, **ends)


@pytest.mark.parametrize(("cost", "vertices"), [("standard", 409), ("unit", 276)])
def test_edges_undercut_the_best_order_of_vertices(cost, vertices):
    pytest.importorskip("numba")
    L, ends, _ = read("random_g")
    found = [
        cg.eliminate_edges(
            L, cg.edge_elimination_order(L, cost=cost, budget=30_000, **ends, **options), cost=cost, **ends
        )
        for options in ({"seed": 0}, {"seed": 0, "restarts": 2})
    ]
    assert found[1].multiplications <= found[0].multiplications < vertices
    cg.check_elimination(L, found[0])


def test_the_loops_over_edges_run_without_machine_code():
    L, ends, _ = read("Helmholtz")
    task = Task(EliminationGraph(L, **ends, cost="unit", unit="unit", derivative="derivative"), seed=1, budget=60)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(edge_search, "machine_code_pays", lambda *_: False)
        slow = edge_search.anneal_edges(task)
    assert slow[0] <= 20  # by Markowitz
    if is_at_hand():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(edge_search, "machine_code_pays", lambda *_: True)
            assert edge_search.anneal_edges(task) == slow
