"""Disjoint paths beside the maximum flow of networkx."""

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

from cgraph.algorithms.elimination.disjoint_paths import DisjointPaths


def by_networkx(heads, sizes, ends, first):
    N = nx.DiGraph()
    N.add_nodes_from(["start", "end"])
    for i, size in enumerate(sizes):
        N.add_edge((i, "in"), (i, "out"), capacity=size)
        N.add_edges_from(((i, "out"), (j, "in")) for j in heads[i])
    N.add_edges_from(((i, "out"), "end") for i in ends)
    N.add_edges_from(("start", (i, "in")) for i in first)
    return nx.maximum_flow_value(N, "start", "end")


@settings(max_examples=300)
@given(st.data())
def test_as_many_as_the_flow(data):
    n = data.draw(st.integers(2, 12))
    nodes = st.lists(st.integers(0, n - 1), min_size=1, max_size=4, unique=True)
    heads = [[j for j in range(i + 1, n) if data.draw(st.booleans())] for i in range(n)]
    sizes = data.draw(st.lists(st.sampled_from([1, 1, 1, 2, 5]), min_size=n, max_size=n))
    ends, first = data.draw(nodes), data.draw(nodes)
    paths = DisjointPaths(heads, sizes, ends)
    assert paths.count(first) == by_networkx(heads, sizes, ends, first)
    more = data.draw(nodes)
    assert paths.count(first, more) == by_networkx(heads, sizes, {*ends, *more}, first)
    assert paths.count(first) == by_networkx(heads, sizes, ends, first)  # nothing is left of the counts before


def test_a_path_is_led_elsewhere():
    """0 -> 2 -> 4 is the shortest, and has to give way for two paths to exist."""
    heads = [[2, 3], [2], [4, 5], [4], [], []]
    assert DisjointPaths(heads, [1] * 6, [4, 5]).count([0, 1]) == 2
