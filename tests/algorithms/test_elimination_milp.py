"""The least cost of all orders of vertices: integer programming, the exact search and all orders agree."""

from itertools import permutations

import networkx as nx
import numpy as np
import pytest
from elimination_graphs import COSTS, read

import cgraph as cg

pytest.importorskip("scipy")
from in_milp import Program


def drawn_graph(vertices, seed):
    """Return a graph of two or three inputs, so many vertices between, and two outputs, with edges drawn at random."""
    chance = np.random.default_rng(seed)
    inputs = [f"x{k}" for k in range(2 + seed % 2)]
    names = [*inputs, *(f"v{k}" for k in range(vertices)), "y0", "y1"]
    L = nx.DiGraph()
    L.add_nodes_from(names)
    for j in range(len(inputs), len(names)):
        before = names[: min(j, len(inputs) + vertices)]
        for i in chance.choice(before, size=min(len(before), 2 + int(chance.integers(2))), replace=False):
            L.add_edge(str(i), names[j], derivative=2.0)
    ends = {"inputs": inputs, "outputs": ["y0", "y1"]}
    return cg.drop_useless(L, **ends), ends


@pytest.mark.parametrize("seed", range(12))
def test_the_integer_program_the_exact_search_and_all_orders_agree(seed):
    L, ends = drawn_graph(5 + seed % 4, seed)
    vertices = cg.intermediates(L, **ends)
    proven, found = Program(L, **ends).solve()
    least = cg.elimination_cost(L, cg.elimination_order(L, method="optimal", **ends), **ends)
    assert proven == found == least
    if len(vertices) <= 6:
        assert least == min(cg.elimination_cost(L, order, **ends) for order in permutations(vertices))


@pytest.mark.parametrize("name", ["Simple", "Lighthouse", "Hole"])
def test_the_integer_program_proves_benchmark_graphs(name):
    L, ends, _ = read(name)
    assert Program(L, **ends).solve(60) == (COSTS[name][3], COSTS[name][3])
