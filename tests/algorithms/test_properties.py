"""On random graphs, methods that share no code must agree."""

from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from methods import ALGORITHMS
from random_graphs import equation_graphs, weighted_dags

import cgraph as cg


@given(equation_graphs())
def test_all_methods_agree_on_graphs_of_equations(G):
    L = cg.linearize(G)
    for check in cg.check_derivatives(L).checks:
        assert check.ok, check
        assert check.derivative == pytest.approx(check.numerical, rel=1e-10, abs=1e-12), check
    for s in L.inputs:
        for t in L.outputs:
            expected = cg.sensitivity(L, s, t)
            for name, algorithm in ALGORITHMS.items():
                if name != "top_paths" or cg.count_paths(L, s, t) <= 100:
                    assert algorithm(L, s, t) == pytest.approx(expected, rel=1e-10, abs=1e-12), name


@given(weighted_dags(st.fractions(max_denominator=50)), st.data())
def test_fractions_stay_exact(G, data):
    s, t = (data.draw(st.sampled_from(sorted(G))) for _ in range(2))
    exact = cg.path_sum(G, s, t)
    assert cg.sensitivity(G, s, t) == cg.sensitivities(G, t)[s] == cg.sensitivities_from(G, s)[t] == exact
    assert cg.jacobian(G, [s], [t])[0, 0] == exact
    assert sum(cg.effects(G, s, t)[:2]) == cg.effects(G, s, t).total == exact
    assert isinstance(exact, Fraction) or exact in {0, 1}


@given(weighted_dags(st.complex_numbers(max_magnitude=10, allow_subnormal=False)), st.data())
def test_complex_derivatives(G, data):
    s, t = (data.draw(st.sampled_from(sorted(G))) for _ in range(2))
    assert cg.sensitivity(G, s, t) == pytest.approx(complex(cg.path_sum(G, s, t)), rel=1e-9, abs=1e-6)


@given(weighted_dags(st.integers(-3, 3).map(float)), st.data())
def test_paths_are_what_networkx_finds(G, data):
    s, t = (data.draw(st.sampled_from(sorted(G))) for _ in range(2))
    ours = dict(cg.paths(G, s, t))
    theirs = {tuple(path) for path in nx.all_simple_paths(G, s, t)} if s != t else {(s,)}
    assert set(ours) == theirs
    assert cg.count_paths(G, s, t) == len(theirs)
    for path, product in ours.items():
        assert product == np.prod([G.edges[e]["derivative"] for e in nx.utils.pairwise(path)])


@given(weighted_dags(st.sampled_from([0.0, 0.5, -0.5, 2.0, -3.0])), st.data())
def test_top_paths_are_the_first_of_all_paths(G, data):
    s, t = (data.draw(st.sampled_from(sorted(G))) for _ in range(2))
    every = dict(cg.paths(G, s, t))
    k = data.draw(st.integers(0, 12))
    top = cg.top_paths(G, s, t, k)
    assert len(top) == min(k, len(every))
    assert len({path for path, _ in top}) == len(top)
    assert all(every[path] == product for path, product in top)
    assert [abs(p) for _, p in top] == sorted(map(abs, every.values()), reverse=True)[:k]


@given(weighted_dags(st.integers(-3, 3).map(float)), st.data())
def test_every_cut_carries_the_whole_sensitivity(G, data):
    s, t = (data.draw(st.sampled_from(sorted(G))) for _ in range(2))
    flow = cg.edge_sensitivities(G, s, t)
    assert list(flow) == list(G.edges)
    order = list(nx.topological_sort(G))
    if order.index(s) < order.index(t):
        cut = set(order[: data.draw(st.integers(order.index(s) + 1, order.index(t)))])
        assert sum(z for (i, j), z in flow.items() if i in cut and j not in cut) == cg.sensitivity(G, s, t)
    by_path = dict.fromkeys(G.edges, 0.0)
    for path, product in cg.paths(G, s, t):
        for edge in nx.utils.pairwise(path):
            by_path[edge] += product
    assert flow == by_path
