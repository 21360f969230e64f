"""Attribution graphs, and what is asked of them: signed paths, influence, groups, and pruning with a proven bound."""

import json
from fractions import Fraction
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_graphs import weighted_dags

import cgraph as cg

# The 12-node example of circuit-tracer's own tests (tests/test_graph.py, test_small_graph): every edge has the
# contribution 10, and node 11 is the logit.
INTO = {11: [1, 3, 6, 8], 3: [0, 1, 6], 1: [9, 10], 0: [9]}
INFLUENCE = ["1/12", "1/3", "0", "1/4", "0", "0", "1/3", "0", "1/4", "1/4", "1/6"]


@pytest.fixture
def write(tmp_path):
    def write(nodes, links, **rest):
        path = tmp_path / "graph.json"
        links = [{"source": i, "target": j, "weight": c} for i, j, c in links]
        path.write_text(json.dumps({"metadata": {"slug": "test"}, "nodes": nodes, "links": links, **rest}))
        return path

    return write


def test_the_example_of_circuit_tracer(write):
    nodes = [{"node_id": str(i), "feature_type": "logit" if i == 11 else "cross layer transcoder"} for i in range(12)]
    links = [(str(i), str(j), 10.0) for j, tails in INTO.items() for i in tails]
    L = cg.read_attribution_graph(write(nodes, links), edges="share")
    influence = cg.sensitivities(L, "11")
    assert [influence[str(i)] for i in range(11)] == pytest.approx([float(Fraction(f)) for f in INFLUENCE], abs=1e-15)
    assert L.outputs == ["11"]
    # The same in exact fractions: 10 / (10 + ... + 10).
    for i, j in L.edges:
        L.edges[i, j]["derivative"] = Fraction(1, len(INTO[int(j)]))
    exact = cg.sensitivities(L, "11")
    assert [exact[str(i)] for i in range(11)] == list(map(Fraction, INFLUENCE))


NODES = [
    {"node_id": "E_1_0", "feature_type": "embedding", "layer": "E", "ctx_idx": 0, "clerp": "Dallas"},
    {"node_id": "5_17_1", "feature_type": "cross layer transcoder", "layer": 5, "activation": 8.0, "influence": 0.4},
    {"node_id": "7_2_1", "feature_type": "cross layer transcoder", "layer": 7, "activation": -2.0},
    {"node_id": "L_1", "feature_type": "logit", "clerp": "Austin"},
]
LINKS = [
    ("E_1_0", "5_17_1", 6.0),
    ("E_1_0", "7_2_1", -4.0),
    ("5_17_1", "7_2_1", 4.0),
    ("5_17_1", "L_1", 3.0),
    ("7_2_1", "L_1", -1.0),
]


def derivatives(L):
    return {(i, j): z for i, j, z in L.edges(data="derivative")}


def test_contributions_become_what_is_asked_for(write):
    path = write(NODES, LINKS)
    contributions = {(i, j): c for i, j, c in LINKS}
    assert derivatives(cg.read_attribution_graph(path, "contribution")) == contributions
    # Shares of the absolute values into each head: 6/6, -4/8, 4/8, 3/4, -1/4.
    L = cg.read_attribution_graph(path)
    assert list(derivatives(L).values()) == [1.0, -0.5, 0.5, 0.75, -0.25]
    assert {(i, j): c for i, j, c in L.edges(data="contribution")} == contributions
    # Divided by the activation of the tail, 8 and -2; a token counts as 1.
    assert list(derivatives(cg.read_attribution_graph(path, "derivative")).values()) == [6.0, -4.0, 0.5, 3 / 8, 0.5]


def test_shares_of_signed_totals_add_up_to_one(write):
    path = write(NODES, [*LINKS[:2], ("5_17_1", "7_2_1", 5.0), *LINKS[3:]])
    L = cg.read_attribution_graph(path, signed_total=True)
    for j in ("7_2_1", "L_1"):
        assert sum(L.edges[i, j]["derivative"] for i in L.predecessors(j)) == pytest.approx(1.0)
    with pytest.raises(cg.CGraphError, match="contributions into '7_2_1' add up to zero"):
        cg.read_attribution_graph(write(NODES, LINKS), signed_total=True)


def test_attributes_and_groups_are_kept(write):
    groups = [["places", "5_17_1", "7_2_1", "not there"], ["none"], 7]
    L = cg.read_attribution_graph(write(NODES, LINKS, qParams={"supernodes": groups}))
    assert L.nodes["E_1_0"]["clerp"] == "Dallas"
    assert L.nodes["5_17_1"]["influence"] == 0.4
    assert L.nodes["5_17_1"]["value"] == 8.0
    assert list(cg.linearize(L).edges) == list(L.edges)
    assert L.graph["metadata"] == {"slug": "test"}
    assert L.graph["supernodes"] == {"places": ["5_17_1", "7_2_1"], "none": []}
    L = cg.read_attribution_graph(write(NODES, LINKS, qParams={"supernodes": json.dumps(groups)}))
    assert L.graph["supernodes"]["places"] == ["5_17_1", "7_2_1"]
    assert "supernodes" not in cg.read_attribution_graph(write(NODES, LINKS, qParams={"supernodes": "[[["})).graph


def test_signed_paths_and_the_share_that_they_explain(write):
    L = cg.read_attribution_graph(write(NODES, LINKS))
    # 1*3/4 along 5_17_1; -1/2 * -1/4 directly to 7_2_1; 1 * 1/2 * -1/4 by both: in all 3/4.
    rows = cg.path_shares(L, "E_1_0", "L_1", k=3)
    assert rows[0] == (("E_1_0", "5_17_1", "L_1"), 0.75, 1.0, 1.0)
    assert sorted(row.product for row in rows[1:]) == [-0.125, 0.125]
    assert rows[-1].explained == pytest.approx(1.0)
    assert cg.path_shares(cg.compile_graph(L), "E_1_0", "L_1", k=1) == rows[:1]


def test_shares_of_zero_are_refused():
    G = nx.DiGraph()
    G.add_weighted_edges_from([("x", "a", 1.0), ("a", "y", 1.0), ("x", "y", -1.0)], "derivative")
    with pytest.raises(cg.DerivativeError, match="is zero, and of zero there are no shares"):
        cg.path_shares(G, "x", "y")
    assert cg.path_shares(G, "y", "x") == []
    L = cg.linearize(cg.from_equations("y = 2 * v", v=[1.0, 2.0]))
    with pytest.raises(cg.DerivativeError, match="is a matrix"):
        cg.path_shares(L, "v", "y")


@pytest.mark.parametrize(
    ("change", "edges", "words"),
    [
        ({}, "weights", "edges are 'contribution', 'share', 'derivative', not 'weights'"),
        ({"activation": 0.0}, "derivative", "node '5_17_1' has the activation 0.0"),
        ({"activation": None}, "derivative", "node '5_17_1' has the activation None"),
        ({"activation": "high"}, "derivative", "node '5_17_1' has the activation 'high'"),
    ],
)
def test_what_cannot_be_made_a_derivative_is_refused(write, change, edges, words):
    nodes = [node | change if node["node_id"] == "5_17_1" else node for node in NODES]
    with pytest.raises(cg.CGraphError, match=words):
        cg.read_attribution_graph(write(nodes, LINKS), edges)


def all_paths(G, s, t):
    for path in nx.all_simple_paths(G, s, t):
        yield path, np.prod([G.edges[edge]["derivative"] for edge in pairwise(path)])


NUMBERS = st.floats(-2, 2).map(lambda z: round(z, 3))


@given(G=weighted_dags(NUMBERS), group=st.sets(st.integers(0, 1)))
def test_what_a_group_carries_is_the_sum_over_the_paths_that_meet_it(G, group):
    nodes = list(nx.topological_sort(G))
    s, t = nodes[0], nodes[-1]
    expected = sum(product for path, product in all_paths(G, s, t) if set(path) & set(group))
    assert cg.flow_through(G, s, t, group) == pytest.approx(expected, abs=1e-9)
    assert cg.flow_through(G, s, t, nodes) == pytest.approx(cg.sensitivity(G, s, t), abs=1e-9)


def test_what_a_group_of_arrays_carries():
    L = cg.linearize(cg.from_equations("a = 2*v; b = 3*v; y = sum(a) + sum(b)", v=[1.0, 2.0]))
    assert cg.flow_through(L, "v", "y", ["a"]).tolist() == [[2.0, 2.0]]
    assert cg.flow_through(L, "v", "y", []).tolist() == [[0.0, 0.0]]


@given(G=weighted_dags(NUMBERS), keep=st.sampled_from([0.3, 0.7, 0.9, 0.99, 1.0]))
def test_the_error_of_pruning_is_within_its_bound(G, keep):
    nodes = list(nx.topological_sort(G))
    s, t = nodes[0], nodes[-1]
    products = {tuple(pairwise(path)): product for path, product in all_paths(G, s, t)}
    whole = sum(map(abs, products.values()))
    if not whole:
        with pytest.raises(cg.CGraphError, match="no path leads"):
            cg.prune(G, s, t, keep=keep)
        return
    pruned = cg.prune(G, s, t, keep=keep)
    edges = set(pruned.graph.edges)
    # The bound is what the lost paths carry, and the error is no larger.
    lost = sum(abs(product) for path, product in products.items() if not edges.issuperset(path))
    assert pruned.error_bound == pytest.approx(lost, abs=1e-12 * whole)
    assert abs(cg.sensitivity(G, s, t) - pruned.sensitivity) <= pruned.error_bound + 1e-12 * whole
    assert pruned.sensitivity == pytest.approx(cg.sensitivity(pruned.graph, s, t), abs=1e-12)
    assert pruned.kept == pytest.approx(1 - lost / whole)
    assert pruned.kept >= keep - 1e-12
    # It is the smallest: to cut one of the weakest edges that are left, too, would keep too little.
    flow = {edge: sum(abs(p) for path, p in products.items() if edge in path) for edge in edges}
    weakest = [edge for edge in edges if flow[edge] <= min(flow.values()) * (1 + 1e-9)]
    rest = [sum(abs(p) for path, p in products.items() if edges - {edge} >= set(path)) for edge in weakest]
    assert min(rest) < keep * whole * (1 + 1e-9)
    assert all(any(edge in path and edges.issuperset(path) for path in products) for edge in edges)


def test_pruning_a_compiled_graph_gives_one():
    C = cg.CompiledGraph.from_edges([0, 1, 0, 3], [1, 2, 2, 2], [2.0, 5.0, -0.25, 7.0], nodes=["x", "a", "y", "b"])
    pruned = cg.prune(C, "x", "y", keep=0.9)
    assert pruned.graph.nodes == ("x", "a", "y")
    assert (pruned.sensitivity, pruned.error_bound) == (10.0, 0.25)
    assert pruned.graph.sensitivity("x", "y") == 10.0


@pytest.mark.parametrize("keep", [0.0, 1.5, -1.0, float("nan")])
def test_what_is_kept_is_a_share(keep):
    G = nx.DiGraph()
    G.add_edge("x", "y", derivative=1.0)
    with pytest.raises(cg.CGraphError, match="keep must be above 0"):
        cg.prune(G, "x", "y", keep=keep)


def test_pruning_to_the_same_node():
    G = nx.DiGraph()
    G.add_edge("x", "y", derivative=1.0)
    pruned = cg.prune(G, "x", "x")
    assert (list(pruned.graph), pruned.sensitivity, pruned.error_bound) == (["x"], 1.0, 0.0)
