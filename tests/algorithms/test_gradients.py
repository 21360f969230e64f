"""Loss-to-weight gradients, by four ways of the notes, by numbers, and by JAX."""

import math

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import SMOOTH, networks
from oracles import jax_gradients

import cgraph as cg


def numerical_gradient(G, edge):
    """A complex step through the weight of an edge."""
    H = G.copy()
    H.edges[edge]["weight"] = complex(G.edges[edge]["weight"], 1e-30)
    y = cg.model.evaluation.forward(H, cg.model.evaluation.source_values(H))
    return np.imag(y["J"]) / 1e-30


@settings(max_examples=25)
@given(networks())
def test_gradients_agree_with_jax(G):
    ours, theirs = cg.weight_gradients(cg.linearize(G), "J"), jax_gradients(G)
    assert ours.keys() == theirs.keys()
    assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-12)


@given(networks(SMOOTH))
def test_gradients_agree_with_a_complex_step(G):
    gradients = cg.weight_gradients(cg.linearize(G), "J")
    for w, g in gradients.items():
        if w != "scale":
            assert g == pytest.approx(numerical_gradient(G, w), rel=1e-10, abs=1e-12)


@given(networks())
def test_four_ways_to_the_same_gradient(G):
    L = cg.linearize(G)
    gradients = cg.weight_gradients(L, "J")
    factors = {edge: f.product for edge, f in cg.gradient_factors(L, "J").items()}
    S = cg.sensitivities(cg.linearize(cg.weights_as_nodes(G)), "J")
    decoupled = cg.weight_gradients(cg.linearize(cg.decouple(G)), "J")
    halves = {i: f"{i}+" if f"{i}-" in cg.decouple(G) else i for i in G}
    for w, g in gradients.items():
        if isinstance(w, tuple):
            i, j = w
            node = f"b_{j}" if i == "+1" else f"w_{i}_{j}"
            assert S[node] == pytest.approx(g, rel=1e-12, abs=1e-15)
            assert decoupled[halves[i], f"{j}-"] == pytest.approx(g, rel=1e-12, abs=1e-15)
            assert factors[w] == pytest.approx(g, rel=1e-12, abs=1e-15)
        else:
            assert [S[w], decoupled[w]] == pytest.approx([g, g], rel=1e-12, abs=1e-15)


@given(networks(loss=False), st.data())
def test_seeds_stand_for_the_loss(G, data):
    outputs = G.outputs
    seeds = {t: data.draw(st.floats(-2, 2)) for t in outputs}
    L = cg.linearize(G)
    H = cg.linearize(cg.append_loss(G, " + ".join(f"({seed!r})*{t}" for t, seed in seeds.items())))
    assert cg.loss_sensitivities(L, seeds) == pytest.approx(
        {i: S for i, S in cg.sensitivities(H, "J").items() if i != "J"}, rel=1e-10, abs=1e-12
    )
    assert cg.weight_gradients(L, seeds) == pytest.approx(cg.weight_gradients(H, "J"), rel=1e-10, abs=1e-12)


def test_an_output_that_feeds_another():
    G = nx.DiGraph()
    G.add_weighted_edges_from([("x", "o1", 2.0), ("o1", "o2", 3.0)], "derivative")
    # J = J(o1, o2): Delta(o1) = dJ/do1 + dJ/do2 * 3
    assert cg.loss_sensitivities(G, {"o1": 0.5, "o2": -1.0}) == {"x": -5.0, "o1": -2.5, "o2": -1.0}


class TestByHand:
    """x = 2; h = sigmoid(w x + b) with w = 0.5, b = -1, so s = 0 and h = 1/2; J = (h - 1)^2."""

    def network(self):
        G = cg.ComputationalGraph()
        G.add_input("x", 2.0)
        G.add_neuron("h", activation="sigmoid", weights={"x": 0.5}, bias=-1.0)
        G.add_equation("J", "(h - 1)^2")
        return cg.linearize(G)

    def test_the_record_of_the_forward_pass(self):
        L = self.network()
        assert {k: L.nodes["h"][k] for k in ("value", "preactivation", "gate")} == {
            "value": 0.5, "preactivation": 0.0, "gate": 0.25,
        }  # fmt: skip
        assert L.edges["x", "h"]["derivative"] == 0.125

    def test_the_three_factors(self):
        factors = cg.gradient_factors(self.network(), "J")
        assert factors == {("x", "h"): (-1.0, 0.25, 2.0), ("+1", "h"): (-1.0, 0.25, 1.0)}
        assert {edge: f.product for edge, f in factors.items()} == {("x", "h"): -0.5, ("+1", "h"): -0.25}
        assert cg.weight_gradients(self.network(), "J") == {("x", "h"): -0.5, ("+1", "h"): -0.25}
        assert cg.weight_gradients(self.network(), {"h": 4.0}) == {("x", "h"): 2.0, ("+1", "h"): 1.0}

    def test_gates(self):
        assert cg.gates(self.network()) == {"h": 0.25}
        assert cg.gates(cg.linearize(cg.from_equations("a = 3*x; y = relu(a)", x=-1.0))) == {"y": 0.0}


class TestDeepNetworks:
    def chain(self, n, derivative):
        G = nx.DiGraph()
        G.add_weighted_edges_from(((k, k + 1, derivative) for k in range(n)), "derivative")
        return G

    def test_logarithms_do_not_underflow_or_overflow(self):
        for z in (-0.25, 10.0):
            S = cg.log_sensitivities(self.chain(5000, z), 5000)
            assert S[0] == (1.0, pytest.approx(5000 * math.log(abs(z)), rel=1e-12))
            assert S[1].sign == math.copysign(1.0, z)
            assert S[5000] == (1.0, 0.0)
        G = self.chain(5000, 0.25)
        G.add_node("apart")
        assert cg.log_sensitivities(G, 5000)["apart"] == (0.0, -math.inf)

    def test_sums_of_very_different_sizes(self):
        G = self.chain(2000, 0.1)
        G.add_edge(0, 2000, derivative=-3.0)
        assert cg.log_sensitivities(G, 2000)[0] == (-1.0, pytest.approx(math.log(3)))
        G = nx.DiGraph()
        G.add_weighted_edges_from([("x", "a", 5.0), ("a", "y", 1.0), ("x", "y", -5.0)], "derivative")
        assert cg.log_sensitivities(G, "y")["x"] == (0.0, -math.inf)

    @given(networks(SMOOTH))
    def test_logarithms_agree_with_the_sweep(self, G):
        L = cg.linearize(G)
        S, logs = cg.sensitivities(L, "J"), cg.log_sensitivities(L, "J")
        for i in G:
            assert logs[i].sign * math.exp(logs[i].log) == pytest.approx(S[i], rel=1e-9, abs=1e-14)

    def test_the_layer_where_the_gradient_dies(self):
        G = cg.ComputationalGraph()
        G.add_input("h0", 1.0)
        for k in range(1, 7):
            weight = 20.0 if k == 4 else 1.0  # saturates the fourth layer alone
            G.add_neuron(f"h{k}", activation="tanh", weights={f"h{k - 1}": weight})
        flow = cg.gradient_flow(cg.linearize(G), "h6")
        assert [level.depth for level in flow] == list(range(7))
        assert [level.nodes for level in flow] == [1] * 7
        assert [level.shut for level in flow[:6]] == [0.0, 0.0, 1.0, 0.0, 0.0, 0.0]
        assert math.isnan(flow[6].shut)
        assert flow[2].mean > 0.1
        assert flow[3].mean < 1e-8
        assert flow[3].log_mean == pytest.approx(math.log(flow[3].mean))

    def test_mean_and_extremes(self):
        G = nx.DiGraph()
        G.add_weighted_edges_from([("a", "y", 1.0), ("b", "y", -3.0), ("x", "a", 0.5), ("x", "y", 2.0)], "derivative")
        G.add_edge("apart", "q", derivative=7.0)
        assert [level[:5] for level in cg.gradient_flow(G, "y")] == [
            (0, 1, 1.0, 1.0, 1.0), (1, 2, pytest.approx(2.0), 1.0, 3.0), (2, 1, 2.5, 2.5, 2.5),
        ]  # fmt: skip

    def test_an_infinite_mean_has_a_logarithm(self):
        level = cg.gradient_flow(self.chain(2000, 10.0), 2000)[-1]
        assert level.mean == level.largest == math.inf
        assert level.log_mean == pytest.approx(2000 * math.log(10))


class TestErrors:
    def test_not_linearized(self):
        G = cg.ComputationalGraph()
        G.add_input("x", 2.0)
        G.add_neuron("h", activation="relu", weights={"x": 1.0})
        G.add_equation("J", "h^2")
        with pytest.raises(cg.MissingDerivativeError, match="edge 'h' -> 'J' has no 'derivative'"):
            cg.weight_gradients(G, "J")
        G.edges["h", "J"]["derivative"] = 1.0
        for function in (cg.weight_gradients, cg.gradient_factors):
            with pytest.raises(cg.MissingDerivativeError, match=r"^neuron 'h' has no 'gate'; run linearize\(G\)$"):
                function(G, "h")
        with pytest.raises(cg.MissingDerivativeError, match="neuron 'h' has no 'gate'"):
            cg.gates(G)
        G.nodes["h"]["gate"] = 1.0
        G.nodes["x"]["value"] = None
        with pytest.raises(cg.MissingDerivativeError, match="node 'x' has no 'value'"):
            cg.weight_gradients(G, "h")

    @pytest.mark.parametrize("seed", [None, "1", True, math.nan, math.inf])
    def test_seeds(self, seed):
        G = nx.DiGraph([("x", "y", {"derivative": 1.0})])
        with pytest.raises(
            cg.DerivativeError, match="^the derivative of the loss with respect to 'y' is .*; give it a finite number$"
        ):
            cg.loss_sensitivities(G, {"y": seed})
        with pytest.raises(cg.NodeNotFound):
            cg.loss_sensitivities(G, {"u": 1.0})

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (
                {"activation": "sigmod"},
                "neuron 'h' has the activation 'sigmod', which is not known; did you mean 'sigmoid'?",
            ),
            ({"activation": "foo"}, "not known; the activations are identity, sigmoid, tanh, relu, hard_tanh"),
            ({"weights": {"x_1": 1.0}}, "node 'h' uses 'x_1', which is not defined; did you mean 'x1'?"),
            ({"weights": {"x1": "1"}}, "the weight 'x1' -> 'h' has the value '1', which is not a number"),
            ({"bias": True}, "the bias of 'h' has the value True, which is not a number"),
        ],
    )
    def test_neurons(self, arguments, message):
        G = cg.ComputationalGraph()
        G.add_input("x1", 2.0)
        with pytest.raises(cg.InvalidNodeError) as error:
            G.add_neuron("h", **{"activation": "relu", "weights": {"x1": 1.0}, **arguments})
        assert message in str(error.value)
        assert "h" not in G

    def test_edges_by_hand(self):
        G = cg.ComputationalGraph()
        G.add_input("x", 2.0)
        G.add_input("z", 2.0)
        G.add_neuron("h", activation="relu", weights={"x": 1.0})
        G.add_edge("z", "h", weight=1.0)
        with pytest.raises(
            cg.InvalidNodeError,
            match=r"^the edges into 'h' are not those of its operands \(x\); add_equation and add_neuron set both$",
        ):
            cg.evaluate(G)
        G.remove_edge("z", "h")
        del G.edges["x", "h"]["weight"]
        with pytest.raises(cg.MissingValueError, match="^edge 'x' -> 'h' has no 'weight', and neuron 'h' needs it"):
            cg.evaluate(G)
        G.edges["x", "h"]["weight"] = 1.0
        G.add_edge("x", "z", weight=3.0)
        with pytest.raises(cg.CGraphError, match="edge 'x' -> 'z' has a weight, but 'z' is no neuron"):
            cg.linearize(G)

    def test_a_weighted_sum_that_overflows(self):
        G = cg.ComputationalGraph()
        G.add_input("x", 1e200)
        G.add_neuron("h", activation="tanh", weights={"x": 1e200})
        with pytest.raises(cg.EvaluationError, match="^neuron 'h': the weighted sum of its inputs overflows$"):
            cg.evaluate(G)
