"""What each edge would change: against patching edge by edge."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_graphs import equation_graphs, weighted_dags

import cgraph as cg


def run(G, values, patched=None):
    """Evaluate a linear graph; over the edge `patched` goes another value."""
    edge, other = patched or (None, 0.0)
    y = {}
    for j in nx.topological_sort(G):
        messages = ((other if (i, j) == edge else y[i], G.edges[i, j]["derivative"]) for i in G.predecessors(j))
        y[j] = values.get(j, 0.0) + sum(value * z for value, z in messages)
    return y


@given(G=weighted_dags(st.floats(-2, 2)), seed=st.integers(0, 1000))
def test_on_a_linear_graph_the_effect_is_that_of_patching_the_edge(G, seed):
    rng = np.random.default_rng(seed)
    clean, corrupted = (run(G, dict(zip(G, rng.normal(size=len(G)), strict=True))) for _ in range(2))
    sources = {j: y - sum(G.edges[i, j]["derivative"] * clean[i] for i in G.predecessors(j)) for j, y in clean.items()}
    t = list(nx.topological_sort(G))[-1]
    nx.set_node_attributes(G, clean, "value")
    effects = cg.edge_attributions(G, t, corrupted)
    assert list(effects) == list(G.edges)
    for (i, j), effect in effects.items():
        patched = run(G, sources, ((i, j), corrupted[i]))
        assert effect == pytest.approx(patched[t] - clean[t], abs=1e-9)


@given(G=equation_graphs(), shift=st.floats(0.1, 1.0))
def test_the_mean_over_the_line_adds_up_to_the_change(G, shift):
    other = {i: G.nodes[i]["value"] + shift for i in G.inputs}
    t = list(G)[-1]
    # Of the graph as one function of its inputs, the edges out of an input carry the gradient times the change.
    effects = cg.edge_attributions(cg.linearize(G), t, other, steps=200)
    from_inputs = sum(effect for (i, _), effect in effects.items() if i in G.inputs)
    assert from_inputs == pytest.approx(cg.evaluate(G, other)[t] - cg.evaluate(G)[t], abs=1e-2)


def test_effects_between_arrays():
    G = cg.from_equations("s = W @ x; y = sum(s * s)", W=[[1.0, 2.0], [0.0, 1.0]], x=[1.0, 1.0])
    L = cg.linearize(G)
    effects = cg.edge_attributions(L, "y", cg.linearize(G, {"x": [2.0, 1.0]}))
    # s = (3, 1), S(s,y) = (6, 2); x changes by (1, 0), s by (1, 0).
    assert effects == {("W", "s"): 0.0, ("x", "s"): 6.0, ("s", "y"): 6.0}
    assert cg.edge_attributions(L, "y", {"s": [4.0, 1.0]})["s", "y"] == 6.0


def test_an_edge_that_does_not_lead_to_t_has_no_effect():
    L = cg.linearize(cg.from_equations("a = 2*x; y = 3*x", x=1.0))
    assert cg.edge_attributions(L, "y", {"x": 2.0}) == {("x", "a"): 0.0, ("x", "y"): 3.0}


def linear():
    return cg.linearize(cg.from_equations("y = 2 * sum(v)", v=[1.0, 2.0]))


def given_edges():
    G = nx.DiGraph()
    G.add_edge("x", "y", derivative=1.0)
    return G


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: cg.edge_attributions(linear(), "v", {"v": [2.0, 2.0]}), "node 'v' is an array"),
        (lambda: cg.edge_attributions(linear(), "y", {"v": [2.0]}), "node 'v' is a vector of 2"),
        (lambda: cg.edge_attributions(linear(), "y", {"v": "two"}), "cannot be changed to 'two'"),
        (lambda: cg.edge_attributions(linear(), "y", {"w": 1.0}), "no node 'w'"),
        (lambda: cg.edge_attributions(linear(), "y", 2.0), "the other run must be a mapping"),
        (
            lambda: cg.edge_attributions(linear(), "y", {"v": [2.0, 2.0]}, steps=0),
            "steps must be a positive whole number",
        ),
        (lambda: cg.edge_attributions(given_edges(), "y", {"x": 2.0}), "node 'x' has no value"),
        (
            lambda: cg.edge_attributions(given_edges(), "y", {"x": 2.0}, steps=2),
            "every computed node needs an equation",
        ),
    ],
)
def test_mistakes(call, words):
    with pytest.raises(cg.CGraphError, match=words):
        call()
