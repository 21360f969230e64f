"""Sweeps over dict-based graphs: `python -m pytest benchmarks`. No time decides a test.

Each row of the table is one graph; divide by its number of edges, shown as `edges` in the extra information, to see
that the cost for each edge stays the same.
"""

import networkx as nx
import numpy as np
import pytest

import cgraph as cg


def random_dag(edges, window=50, degree=4, seed=1):
    """Return a graph in which every node feeds `degree` of the next `window` nodes."""
    rng = np.random.default_rng(seed)
    n = edges // degree
    tails = np.repeat(np.arange(n), degree)
    heads = tails + rng.integers(1, window, size=tails.size)
    derivatives = rng.uniform(-0.5, 0.5, size=tails.size)
    G = nx.DiGraph()
    G.add_weighted_edges_from(zip(tails.tolist(), heads.tolist(), derivatives.tolist(), strict=True), "derivative")
    return G, n - 1


@pytest.mark.parametrize("edges", [10**3, 10**4, 10**5, 10**6])
@pytest.mark.parametrize("function", [cg.sensitivities, cg.sensitivities_from], ids=lambda f: f.__name__)
def test_a_sweep(benchmark, function, edges):
    G, t = random_dag(edges)
    benchmark.extra_info["edges"] = G.number_of_edges()
    node = t if function is cg.sensitivities else 0
    benchmark.pedantic(function, args=(G, node), rounds=3, iterations=1)
    per_edge = 1e6 * benchmark.stats.stats.median / G.number_of_edges()
    print(f"\n{function.__name__}, {G.number_of_edges():,} edges: {per_edge:.2f} microseconds for each edge")


def test_the_five_strongest_paths(benchmark):
    G, t = random_dag(10**5)
    print(f"\n{G.number_of_edges():,} edges, a number of paths with {len(str(cg.count_paths(G, 0, t) >> 3)):,} digits")
    assert len(benchmark.pedantic(cg.top_paths, args=(G, 0, t, 5), rounds=3, iterations=1)) == 5


def test_counting_the_paths(benchmark):
    G, t = random_dag(10**5)
    benchmark.pedantic(cg.count_paths, args=(G, 0, t), rounds=3, iterations=1)
