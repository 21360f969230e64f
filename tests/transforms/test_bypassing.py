"""Nodes taken out of a linearized graph: every S between the others stays."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_graphs import weighted_dags

import cgraph as cg


@given(G=weighted_dags(st.fractions(-3, 3, max_denominator=5)), data=st.data())
def test_every_sensitivity_between_the_others_stays(G, data):
    between = [i for i in G if G.pred[i] and G.succ[i]]
    gone = data.draw(st.lists(st.sampled_from(between), unique=True)) if between else []
    before = {edge: dict(G.edges[edge]) for edge in G.edges}
    H = cg.bypass(G, gone)
    assert {edge: dict(G.edges[edge]) for edge in G.edges} == before
    assert set(H) == set(G) - set(gone)
    for t in H:
        S, kept = cg.sensitivities(G, t), cg.sensitivities(H, t)
        assert kept == {i: S[i] for i in H}


def test_arrays_are_composed_without_being_multiplied_out():
    G = cg.from_equations("a = 2*v; s = sum(a * a); u = W @ a; y = s + sum(u) + sum(v)", v=[1, 2], W=[[1, 2], [3, 4]])
    L = cg.linearize(G)
    H = cg.bypass(L, ["a", "u", "s"])
    assert set(H.edges) == {("v", "y"), ("W", "y")}
    for i in ("v", "W"):
        assert cg.sensitivity(H, i, "y") == pytest.approx(cg.sensitivity(L, i, "y"))
    assert np.shape(H.edges["v", "y"]["derivative"]) == (1, 2)


def test_constants_go():
    G = cg.ComputationalGraph()
    G.add_input("x", 3.0)
    G.add_constant("c", 2.0)
    G.add_equation("a", "c * x")
    G.add_equation("y", "a^2 + c")
    H = cg.bypass(cg.linearize(G), ["c", "a"])
    assert list(H.edges(data="derivative")) == [("x", "y", 24.0)]


@pytest.mark.parametrize(
    ("nodes", "words"),
    [(["x"], "'x' is an input"), (["y"], "'y' is an output"), (["b"], "no node 'b'"), ("a", r"write \['a'\]")],
)
def test_mistakes(nodes, words):
    L = cg.linearize(cg.from_equations("a = 2*x; y = a^2", x=1.0))
    L.graph["outputs"] = ["y"]
    with pytest.raises(cg.CGraphError, match=words):
        cg.bypass(L, nodes)
    G = nx.DiGraph([("x", "a"), ("a", "y")])
    with pytest.raises(cg.MissingDerivativeError):
        cg.bypass(G, ["a"])
