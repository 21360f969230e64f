"""Elasticities: the logarithmic derivative, split by edges and by paths; what if nodes are held."""

import math

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cgraph as cg

G = cg.from_equations("a = x^2 * z; b = a + 3*x; y = b / z", x=2.0, z=4.0)  # y = x^2 + 3x/z: 4 + 1.5


def test_by_hand():
    L = cg.linearize(G)
    assert cg.elasticity(L, "x", "y") == pytest.approx((2 * 2 + 3 / 4) * 2 / 5.5)
    assert cg.elasticity(L, "z", "y") == pytest.approx(-(3 * 2 / 16) * 4 / 5.5)
    assert cg.elasticity(L, "y", "x") == 0.0
    assert cg.elasticity(L, "y", "y") == 1.0


@given(st.floats(0.1, 10), st.floats(0.1, 10))
def test_a_small_change_in_per_cent_agrees(x, z):
    L, step = cg.linearize(G, {"x": x, "z": z}), 1e-6
    for i in ("x", "z"):
        at = {"x": x, "z": z}
        moved = cg.evaluate(G, at | {i: at[i] * (1 + step)})["y"]
        moved_back = cg.evaluate(G, at | {i: at[i] / (1 + step)})["y"]
        assert cg.elasticity(L, i, "y") == pytest.approx(
            math.log(moved / moved_back) / (2 * math.log1p(step)), abs=1e-6
        )


def test_all_of_them_at_once_and_their_parts_agree():
    L = cg.linearize(G)
    to_y, from_x = cg.elasticities(L, "y"), cg.elasticities_from(L, "x")
    assert to_y == {i: pytest.approx(cg.elasticity(L, i, "y")) for i in L}
    assert from_x == {i: pytest.approx(cg.elasticity(L, "x", i)) for i in L}
    assert sum(z for _, z in cg.path_elasticities(L, "x", "y")) == pytest.approx(to_y["x"])
    flows = cg.edge_elasticities(L, "x", "y")
    assert flows["b", "y"] == pytest.approx(to_y["x"])
    assert sum(z for (i, _), z in flows.items() if i == "x") == pytest.approx(to_y["x"])
    assert [path for path, _ in cg.path_elasticities(L, "x", "y", k=1)] == [("x", "a", "b", "y")]


def test_arrays_have_an_entry_for_each_pair_of_entries():
    L = cg.linearize(cg.from_equations("y = W @ x", W=[[1.0, 2.0], [3.0, 4.0]], x=[1.0, 2.0]))
    np.testing.assert_allclose(cg.elasticity(L, "x", "y"), [[1 / 5, 4 / 5], [3 / 11, 8 / 11]])


def test_another_attribute():
    D = nx.DiGraph()
    D.add_edge("x", "y", slope=3.0)
    D.nodes["x"]["value"], D.nodes["y"]["value"] = 2.0, 4.0
    assert cg.elasticity(D, "x", "y", derivative="slope") == 1.5


def test_what_has_no_elasticity_is_named():
    L = cg.linearize(cg.from_equations("y = x - 2; z = y + 1", x=2.0))
    with pytest.raises(cg.EvaluationError, match="node 'y' is 0"):
        cg.elasticity(L, "x", "y")
    assert cg.elasticities_from(L, "x") == {"x": 1.0, "z": 2.0}
    D = nx.DiGraph()
    D.add_edge("x", "y", derivative=3.0)
    with pytest.raises(cg.MissingValueError, match="node 'x' has no value, and an elasticity needs it"):
        cg.elasticity(D, "x", "y")


class TestHold:
    def test_the_rest_follows(self):
        assert cg.evaluate(G, hold={"a": 10.0}) == {"x": 2.0, "z": 4.0, "a": 10.0, "b": 16.0, "y": 4.0}
        assert cg.evaluate(G, {"x": 1.0}, hold={"b": 8.0})["y"] == 2.0
        assert G.nodes["a"]["role"] == "operation"

    def test_no_edge_leads_into_a_held_node(self):
        L = cg.linearize(G, hold={"a": 10.0})
        assert not L.pred["a"]
        assert cg.sensitivity(L, "x", "y") == 3 / 4  # through b alone
        assert cg.sensitivity(L, "a", "y") == 1 / 4
        assert cg.check_derivatives(L).ok

    def test_a_neuron_and_an_array(self):
        N = cg.ComputationalGraph()
        N.add_input("x", 1.0)
        N.add_neuron("h", activation="tanh", weights={"x": 2.0}, bias=0.5)
        N.add_equation("y", "3 * h")
        L = cg.linearize(N, hold={"h": 0.25})
        assert L.nodes["y"]["value"] == 0.75
        assert "gate" not in L.nodes["h"]
        V = cg.from_equations("v = 2*x; s = sum(v)", x=[1.0, 2.0])
        assert cg.evaluate(V, hold={"v": [1, 1, 1]})["s"] == 3.0

    def test_compiled(self):
        C = cg.compile_graph(G, hold={"a": 10.0})
        assert C.value_and_gradient("y", {}, nodes=["a"])[0] == 4.0
        with pytest.raises(cg.CGraphError, match="linearize that takes hold"):
            cg.compile_graph(cg.linearize(G), hold={"a": 10.0})

    @pytest.mark.parametrize(
        ("hold", "error", "message"),
        [
            ({"x": 1.0}, cg.InvalidNodeError, "node 'x' cannot be held: it is no computed node but an input"),
            ({"q": 1.0}, cg.NodeNotFound, "no node 'q'"),
            ({"a": "b"}, cg.InvalidNodeError, "cannot be held at 'b', which is not a number"),
            ({"a": math.inf}, cg.InvalidNodeError, "cannot be held at inf, which is not finite"),
        ],
    )
    def test_refused(self, hold, error, message):
        with pytest.raises(error, match=message):
            cg.linearize(G, hold=hold)
