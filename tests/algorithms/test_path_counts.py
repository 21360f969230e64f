"""Counts of paths with thousands of digits: the same by matrices, by additions, and by closed forms."""

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cgraph as cg
from cgraph.algorithms import path_counts


def ladder(n, width):
    """Every node leads to the next `width` nodes."""
    return nx.DiGraph([(i, j) for i in range(n) for j in range(i + 1, min(i + width, n) + 1)])


def by_additions(G, s, t):
    paths_to = dict.fromkeys(G, 0) | {s: 1}
    for i in nx.topological_sort(G):
        for j in G.successors(i):
            paths_to[j] += paths_to[i]
    return paths_to[t]


def test_fibonacci():
    a, b = 1, 1
    for _ in range(20_000 - 1):
        a, b = b, a + b
    G = ladder(20_000, 2)
    assert cg.count_paths(G, 0, 20_000) == b
    assert cg.compile_graph(nx.DiGraph((i, j, {"derivative": 1.0}) for i, j in G.edges)).count_paths(0, 20_000) == b


@pytest.mark.parametrize("width", [1, 2, 3, 7, 8, 9, 12])
def test_cuts_of_every_width(width, monkeypatch):
    monkeypatch.setattr(path_counts, "LONG", 20)
    G = ladder(300, width)
    assert cg.count_paths(G, 0, 300) == by_additions(G, 0, 300)


@settings(max_examples=200)
@given(st.data())
def test_random_graphs(data):
    n = data.draw(st.integers(2, 40))
    reach = data.draw(st.integers(1, 6))
    edges = [(i, j) for i in range(n) for j in range(i + 1, min(i + reach, n - 1) + 1) if data.draw(st.booleans())]
    G = nx.DiGraph(edges)
    G.add_nodes_from(range(n))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(path_counts, "LONG", data.draw(st.integers(0, 6)))
        assert cg.count_paths(G, 0, n - 1) == by_additions(G, 0, n - 1)
