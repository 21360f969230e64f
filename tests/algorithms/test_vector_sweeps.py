"""What the sweeps over arrays do not do: copy, keep, or sweep more than they need."""

import weakref

import numpy as np
import pytest

import cgraph as cg


def network():
    G = cg.ComputationalGraph()
    G.add_input("X", [[1.0, 2.0], [0.5, -1.0], [2.0, 0.0]])
    G.add_weight("A", [[0.1, 0.2], [0.3, -0.4]])
    G.add_weight("b", [0.5, -0.5])
    G.add_equation("h", "tanh(X @ A + b)")
    G.add_equation("J", "squared_norm(h)")
    return G


def test_a_graph_is_freed_with_its_last_reference():
    L = cg.linearize(network())
    cg.weight_gradients(L, "J")
    cg.sensitivities(L, "J")
    list(L.edges(data=True)), list(L.in_edges), list(L.out_edges), dict(L.degree), dict(L.in_degree), dict(L.out_degree)
    reference = weakref.ref(L)
    del L
    assert reference() is None


def test_the_views_are_those_of_networkx():
    L = cg.linearize(network())
    assert list(L.edges) == list(L.out_edges) == [("X", "h"), ("A", "h"), ("b", "h"), ("h", "J")]
    assert sorted(L.in_edges) == sorted(L.edges)
    assert (dict(L.degree), dict(L.in_degree), dict(L.out_degree)) == (
        {"X": 1, "A": 1, "b": 1, "h": 4, "J": 1},
        {"X": 0, "A": 0, "b": 0, "h": 3, "J": 1},
        {"X": 1, "A": 1, "b": 1, "h": 1, "J": 0},
    )


def test_weight_gradients_need_no_edge_that_no_weight_leads_to():
    L = cg.linearize(network())
    expected = cg.weight_gradients(L, "J")
    del L.edges["X", "h"]["derivative"]
    found = cg.weight_gradients(L, "J")
    assert all(np.array_equal(found[w], expected[w]) for w in ("A", "b"))
    del L.edges["A", "h"]["derivative"]
    with pytest.raises(cg.MissingDerivativeError, match="edge 'A' -> 'h' has no 'derivative'"):
        cg.weight_gradients(L, "J")


@pytest.mark.parametrize(("s", "t"), [("x", "u"), ("v", "u"), ("u", "u"), ("x", "J"), ("n", "u"), ("w", "x")])
def test_jacobians_need_nothing_that_lies_beside_them(s, t):
    """In both directions: S(W, u), which would have 160,000 entries, is not written out, nor is its edge asked for."""
    G = cg.from_equations(
        "v = W @ x; u = tanh(v) * n; J = sum(u * u * w)", x=np.ones(400), n=0.5, W=np.ones((20, 400)), w=np.ones(20)
    )
    L = cg.linearize(G)
    expected = cg.sensitivity(L, s, t)
    del L.edges["W", "v"]["derivative"]
    with cg.limits(entries=9_000):
        found = cg.jacobian(L, [s], [t])
        several = cg.jacobian(L, [s, "n"], [t, "u"])
    np.testing.assert_allclose(found, np.reshape(expected, found.shape), rtol=1e-14)
    np.testing.assert_allclose(several[: len(found), : found.shape[1]], found, rtol=1e-14)
    with pytest.raises(cg.MissingDerivativeError, match="edge 'W' -> 'v' has no 'derivative'"):
        cg.jacobian(L, ["W"], ["v"])


def test_gradients_are_the_callers_own():
    G = cg.ComputationalGraph()
    G.add_weight("a", [1.0, 2.0])
    G.add_weight("b", [3.0, 4.0])
    G.add_equation("J", "sum(a + b)")
    gradient = cg.weight_gradients(cg.linearize(G), "J")
    gradient["a"] *= 10
    assert gradient["a"].tolist() == [10.0, 10.0]
    assert gradient["b"].tolist() == [1.0, 1.0]


def test_values_cannot_be_written_to_and_are_not_copied():
    G = network()
    X = np.array([[1.0, 2.0]])
    X.setflags(write=False)
    L = cg.linearize(G, {"X": X})
    assert L.nodes["X"]["value"] is X
    assert not any(L.nodes[i]["value"].flags.writeable for i in ("X", "A", "h"))
    assert not cg.evaluate(G)["h"].flags.writeable
    given = np.array([[1.0, 2.0]])
    L = cg.linearize(G, {"X": given})
    given[0, 0] = 7.0
    assert L.nodes["X"]["value"].tolist() == [[1.0, 2.0]]
    assert given.flags.writeable


def test_an_array_put_on_a_node_by_hand_stays_the_callers():
    G = cg.from_equations("y = identity(x); z = reshape(x, 2, 1)", x=[1.0, 2.0])
    G.nodes["x"]["value"] = given = np.array([3.0, 4.0])
    y, L = cg.evaluate(G), cg.linearize(G)
    given[0] = 7.0
    assert y["x"].tolist() == y["y"].tolist() == L.nodes["y"]["value"].tolist() == [3.0, 4.0]
    assert L.nodes["z"]["value"].tolist() == [[3.0], [4.0]]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_entry_that_is_not_finite_is_found(bad):
    X = np.ones((3, 2))
    X[2, 1] = bad
    with pytest.raises(cg.EvaluationError, match="not finite"):
        cg.linearize(network(), {"X": X})


def test_the_size_of_a_node_is_agreed_upon():
    L = cg.linearize(network())
    L.edges["h", "J"]["derivative"] = np.ones((1, 5))
    with pytest.raises(cg.DerivativeError, match="1 x 5 Jacobian, but 'h' has 6 entries by"):
        cg.weight_gradients(L, "J")


def test_what_no_machine_should_write_out_is_refused():
    L = cg.linearize(cg.from_equations("y = 2*x; u = exp(y); v = 3*w", x=np.ones(30_000), w=np.ones(30_000)))
    for question in (cg.sensitivities, cg.sensitivities_from):
        with pytest.raises(cg.LimitError, match="a Jacobian of 30,000 x 30,000 is too large to be written out"):
            question(L, "u")
    for s, t in (("x", "u"), ("x", "v")):
        with pytest.raises(cg.LimitError, match="differentiate a number"):
            cg.sensitivity(L, s, t)
