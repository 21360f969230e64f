"""The transforms on graphs of arrays: every S stays as it was."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from surviving import SURVIVORS
from vectors import vector_graphs

import cgraph as cg

KEPT = {transform: name for transform, name in SURVIVORS.items() if transform is not cg.scalarize}


def assert_same(S, expected):
    np.testing.assert_allclose(S, expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("transform", KEPT, ids=lambda f: f.__name__)
@settings(max_examples=15, deadline=None)
@given(vector_graphs())
def test_sensitivities_are_preserved(transform, G):
    L = cg.linearize(G)
    H, name = transform(L), KEPT[transform]
    survivors = {i: name(H, i) for i in L if name(H, i) in H}
    assert survivors.keys() >= {i for i in L if L.nodes[i]["role"] in {"input", "weight"}}
    for t, u in survivors.items():
        before, after = cg.sensitivities(L, t), cg.sensitivities(H, u)
        for i, j in survivors.items():
            assert_same(after[j], before[i])


@settings(max_examples=15, deadline=None)
@given(vector_graphs())
def test_inverses(G):
    for there, back in ((cg.decouple, cg.couple), (cg.split_nodes, cg.merge_nodes)):
        H = back(there(G))
        assert dict(H.nodes(data="equation")) == dict(G.nodes(data="equation"))
        assert set(H.edges) == set(G.edges)


@settings(max_examples=25, deadline=None)
@given(vector_graphs(), st.booleans())
def test_expanded_equations_are_elementary(G, share):
    H = cg.expand(G, share=share)
    for _, data in H.nodes(data=True):
        if "expression" in data:
            assert sum(data["expression"].varies) - len(data["operands"]) <= 1
    L, M = cg.linearize(G), cg.linearize(H)
    before, after = cg.sensitivities(L, "J"), cg.sensitivities(M, "J")
    for i in G:
        assert_same(after[i], before[i])


@settings(max_examples=15, deadline=None)
@given(vector_graphs())
def test_restrict(G):
    L = cg.linearize(G)
    S = cg.sensitivities(L, "J")
    for s in G:
        if s != "J" and np.any(S[s]):
            assert_same(cg.sensitivity(cg.restrict(L, s, "J"), s, "J"), S[s])


def test_options_tell_operations_apart():
    G = cg.from_equations(
        "y = sum(sum(A, axis=0)) + sum(sum(A, axis=1)) + A[0, 1] + A[1, 0]", A=[[1.0, 2.0], [3.0, 4.0]]
    )
    H = cg.expand(G, share=True)
    assert [e for _, e in H.nodes(data="equation") if e and e.startswith(("sum(A", "A"))] == [
        "sum(A, axis=0)", "sum(A, axis=1)", "A[0, 1]", "A[1, 0]",
    ]  # fmt: skip
    assert cg.evaluate(H)["y"] == 25.0


def test_a_jacobian_of_zeros_is_no_edge():
    L = cg.linearize(cg.from_equations("y = relu(x); u = relu(z); J = sum(y) + sum(u)", x=[-1.0, -2.0], z=[-1.0, 2.0]))
    H = cg.drop_zero_edges(L)
    assert set(H.edges) == {("z", "u"), ("y", "J"), ("u", "J")}
    assert cg.sensitivity(H, "z", "J").tolist() == [[0.0, 1.0]]
