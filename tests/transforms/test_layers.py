"""Networks gathered into layers: the same numbers, entry by entry; halves and gates of layers."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from networks import networks
from same_entries import assert_same_entries

import cgraph as cg
from cgraph.model.language.expressions import written
from cgraph.model.language.parsing import parse
from cgraph.model.operations.structured_jacobians import Product


def places_of(G, H):
    """Return where each node of `G` is in `H`: a node, and the place of the entry."""
    places = {i: (i, 0) for i in G if i in H and H.nodes[i]["origin"] == i}
    for name, origin in H.nodes(data="origin"):
        if isinstance(origin, list):
            places |= {i: (name, place) for place, i in enumerate(origin)}
    return places


def gradients_by_edge(H, loss):
    """Return dJ/dw of the entries of the weight matrices and bias vectors, by the edge that each was."""
    found = {}
    for w, gradient in cg.weight_gradients(cg.linearize(H), loss).items():
        origin = H.nodes[w]["origin"]
        tails, heads = origin if isinstance(origin, tuple) else ([w], [None])
        rows = np.reshape(gradient, (len(heads), len(tails)))
        found |= {(i, j) if j else i: rows[r, c] for r, j in enumerate(heads) for c, i in enumerate(tails)}
    return found


def assert_gathered(G):
    """Every value, every S and every dJ/dw of `G` are entries of those of its layers."""
    H = cg.layerwise(G)
    L, M = cg.linearize(G), cg.linearize(H)
    places = places_of(G, H)
    assert set(G) - places.keys() <= {"+1"}
    for i, (name, place) in places.items():
        assert np.ravel(M.nodes[name]["value"])[place] == pytest.approx(L.nodes[i]["value"], rel=1e-10, abs=1e-12)
    for t in places:
        S, (u, r) = cg.sensitivities(L, t), places[t]
        T = cg.sensitivities(M, u)
        for i, (name, c) in places.items():
            assert np.atleast_2d(T[name])[r, c] == pytest.approx(S[i], rel=1e-9, abs=1e-11), (i, t)
    if "J" in G:
        by_edge = gradients_by_edge(H, "J")
        for w, gradient in cg.weight_gradients(L, "J").items():
            assert by_edge[w] == pytest.approx(gradient, rel=1e-9, abs=1e-11), w
    return H


def equations(H):
    return {j: equation for j, equation in H.nodes(data="equation") if equation}


def form(H):
    """Return everything but origins, with equations spaced in one way."""
    nodes = {}
    for i, data in H.nodes(data=True):
        equation = data.get("equation")
        value = data.get("value")
        nodes[i] = (data["role"], equation and written(parse(equation))[-1], np.asarray(value).tolist())
    return nodes, set(H.edges), H.graph


@settings(max_examples=60, deadline=None)
@given(networks())
def test_values_sensitivities_and_gradients_are_entries(G):
    before = nx.node_link_data(G)
    H = assert_gathered(G)
    assert nx.node_link_data(G) == before
    assert not any(role == "neuron" for _, role in H.nodes(data="role"))


@settings(max_examples=30, deadline=None)
@given(networks())
def test_layerwise_and_scalarize_are_inverse(G):
    H = cg.layerwise(G)
    apart = assert_same_entries(H)
    assert form(cg.layerwise(apart)) == form(H)
    # On the way back every node is a number again, with the values that it had.
    y, again = cg.evaluate(G), cg.evaluate(apart)
    for i, (name, place) in places_of(G, H).items():
        gathered = isinstance(H.nodes[name]["origin"], list)
        assert again[f"{name}[{place}]" if gathered else i] == pytest.approx(y[i], rel=1e-10, abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(networks())
def test_a_linearized_graph_stays_so_and_a_second_time_changes_nothing(G):
    L, H = cg.layerwise(cg.linearize(G)), cg.layerwise(G)
    assert all("derivative" in data for _, _, data in L.edges(data=True))
    assert not any("derivative" in data for _, _, data in H.edges(data=True))
    assert form(cg.layerwise(H)) == form(H)
    assert list(map(str, L.outputs)) == list(dict.fromkeys(places_of(G, H)[i][0] for i in G.outputs))


@settings(max_examples=20, deadline=None)
@given(networks())
def test_halves_and_weights_as_nodes_can_be_gathered_too(G):
    expected = cg.sensitivities(cg.linearize(G), "J")
    for before in (cg.decouple(G), cg.weights_as_nodes(G)):
        H = cg.layerwise(before)
        S = cg.sensitivities(cg.linearize(H), H.outputs[-1])
        for i in G.inputs:
            name, place = places_of(G, H)[i]
            assert np.ravel(S[name])[place] == pytest.approx(expected[i], rel=1e-9, abs=1e-11)


class TestByHand:
    def network(self):
        """h = tanh([[1, -1], [2, 0]] x + [0.5, 0]), o = [3, 1] h - x1."""
        G = cg.ComputationalGraph()
        G.add_input("x1", 1.0)
        G.add_input("x2", 1.5)
        G.add_neuron("h1", activation="tanh", weights={"x1": 1.0, "x2": -1.0}, bias=0.5)
        G.add_neuron("h2", activation="tanh", weights={"x1": 2.0})
        G.add_neuron("o", activation="identity", weights={"h1": 3.0, "h2": 1.0, "x1": -1.0})
        G.add_equation("J", "(o - 1)^2 + h2*x2")
        return G

    def test_two_layers_with_a_connection_that_skips_one(self):
        H = cg.layerwise(self.network())
        assert equations(H) == {
            "h": "tanh(W_x_h @ x + b_h)", "o": "identity(W_h_o @ h + W_x_o @ x)", "J": "(o[0] - 1)^2 + h[1]*x[1]",
        }  # fmt: skip
        weights = {w: H.nodes[w]["value"].tolist() for w in H.weights}
        assert weights == {
            "W_x_h": [[1.0, -1.0], [2.0, 0.0]], "b_h": [0.5, 0.0], "W_h_o": [[3.0, 1.0]], "W_x_o": [[-1.0, 0.0]],
        }  # fmt: skip
        assert H.nodes["x"]["value"].tolist() == [1.0, 1.5]
        assert "+1" not in H
        origins = dict(H.nodes(data="origin"))
        assert (origins["h"], origins["W_x_h"]) == (["h1", "h2"], (["x1", "x2"], ["h1", "h2"]))
        assert origins["b_h"] == (["+1"], ["h1", "h2"])

    def test_the_edge_into_a_layer_is_its_gate_times_its_matrix(self):
        L = cg.linearize(cg.layerwise(self.network()))
        gate = 1 - np.tanh([0.0, 2.0]) ** 2
        z = L.edges["x", "h"]["derivative"]
        assert isinstance(z, Product)
        np.testing.assert_allclose(z.dense(), np.diag(gate) @ [[1.0, -1.0], [2.0, 0.0]])

    def test_neurons_in_the_form_of_equations(self):
        G = cg.ComputationalGraph()
        for name, value in {"x1": 1.0, "x2": 2.0}.items():
            G.add_input(name, value)
        for name, value in {"w1": 0.5, "w2": -1.0, "b": 0.25, "v": 2.0, "u": 3.0, "q": 1.0}.items():
            G.add_weight(name, value)
        G.add_equation("h1", "sigmoid(x1*w1 + w2*x2 + b)")
        G.add_equation("h2", "sigmoid(v*x1)")
        G.add_equation("shared", "sigmoid(u*x1)")
        G.add_equation("J", "h1 + h2*shared + u + sigmoid(q)")
        H = assert_gathered_equations(G)
        assert equations(H) == {
            "h": "sigmoid(W_x_h @ x + b_h)", "shared": "sigmoid(u*x[0])", "J": "h[0] + h[1]*shared + u + sigmoid(q)",
        }  # fmt: skip
        assert H.nodes["W_x_h"]["value"].tolist() == [[0.5, -1.0], [2.0, 0.0]]
        assert H.nodes["b_h"]["value"].tolist() == [0.25, 0.0]

    @pytest.mark.parametrize(
        "equation",
        ["sigmoid(w*x) + 0", "sigmoid(w*x - b)", "sigmoid(w*x + w*z)", "sigmoid(w*x + b*x)", "sigmoid(w*x + 1)", "exp(w*x)",
         "sigmoid(w*x*z)", "sigmoid(w + b)", "sigmoid(w)", "sigmoid(x*z)", "sigmoid(w*x + 2*z)"],
    )  # fmt: skip
    def test_what_is_no_neuron_stays(self, equation):
        G = cg.ComputationalGraph()
        for name in "xz":
            G.add_input(name, 2.0)
        for name in "wb":
            G.add_weight(name, 0.5)
        G.add_equation("y", equation)
        assert form(cg.layerwise(G)) == form(G)

    def test_a_weight_that_is_an_output_stays_a_node(self):
        G = cg.ComputationalGraph(outputs=["y", "w"])
        G.add_input("x", 2.0)
        G.add_weight("w", 0.5)
        G.add_equation("y", "tanh(w*x)")
        H = cg.layerwise(G)
        assert (H.outputs, H.nodes["y"]["equation"]) == (["y", "w"], "tanh(w*x)")

    def test_constants_and_equations_feed_a_layer_as_numbers(self):
        G = cg.ComputationalGraph()
        G.add_constant("c", 2.0)
        G.add_input("x", 3.0)
        G.add_equation("d", "x^2")
        G.add_neuron("h1", activation="relu", weights={"c": 1.0, "d": 0.5})
        G.add_neuron("h2", activation="relu", weights={"d": -0.5})
        H = assert_gathered(G)
        assert H.nodes["h"]["equation"] == "relu(W_c_h * c + W_d_h * d)"
        assert H.nodes["W_c_h"]["value"].tolist() == [1.0, 0.0]

    def test_the_bias_node_stays_where_others_read_it(self):
        G = self.network()
        G.add_equation("K", 'o * y("+1")^2')
        H = cg.layerwise(G)
        assert H.nodes["h"]["equation"] == 'tanh(W_x_h @ x + b_h * y("+1"))'
        L, M = cg.linearize(G), cg.linearize(H)
        for t in "JK":
            assert cg.sensitivity(M, "+1", t) == pytest.approx(cg.sensitivity(L, "+1", t))

    def test_biases_of_both_forms_beside_a_bias_node_that_stays(self):
        G = cg.ComputationalGraph()
        G.add_input("x", 2.0)
        G.add_neuron("h1", activation="tanh", weights={"x": 0.5}, bias=0.25)
        G.add_weight("w", -0.5)
        G.add_weight("b", 0.125)
        G.add_equation("h2", "tanh(w*x + b)")
        G.add_equation("J", 'h1*h2*y("+1")')
        H = cg.layerwise(G)
        assert H.nodes["h"]["equation"] == 'tanh(W_x_h @ x + b_h * y("+1") + b_h_)'
        L, M = cg.linearize(G), cg.linearize(H)
        assert cg.sensitivity(M, "+1", "J") == pytest.approx(cg.sensitivity(L, "+1", "J"))

    def test_edges_with_given_derivatives(self):
        G = self.network()
        G.add_edge("h2", "g", derivative=5.0)
        G.add_edge("x1", "g", derivative=7.0)
        G.add_edge("h1", "g", derivative=2.0)
        G.add_edge("J", "g", derivative=3.0)
        G.add_edge("g", "k", derivative=2.0)
        H = cg.layerwise(G)
        assert H.edges["h", "g"]["derivative"].tolist() == [[2.0, 5.0]]
        assert H.edges["x", "g"]["derivative"].tolist() == [[7.0, 0.0]]
        S, T = cg.sensitivities(cg.linearize(G), "k"), cg.sensitivities(cg.linearize(H), "k")
        np.testing.assert_allclose(T["x"], [[S["x1"], S["x2"]]])
        np.testing.assert_allclose(T["h"], [[S["h1"], S["h2"]]])

    def test_a_given_jacobian_of_an_array_by_a_neuron(self):
        G = self.network()
        G.add_edge("h2", "g", derivative=np.array([[5.0], [6.0]]))
        H = cg.layerwise(G)
        assert H.edges["h", "g"]["derivative"].tolist() == [[0.0, 5.0], [0.0, 6.0]]

    def test_names(self):
        G = cg.ComputationalGraph(outputs=["b"])
        for name in ("1", "2", "z9"):
            G.add_input(name, 1.0)
        G.add_neuron("h1_1", activation="relu", weights={"1": 1.0, "2": 1.0})
        G.add_neuron("h1_2", activation="relu", weights={"2": 1.0})
        G.add_neuron("a", activation="sigmoid", weights={"h1_1": 1.0, "z9": 2.0})
        G.add_neuron("b", activation="sigmoid", weights={"h1_2": 1.0})
        G.add_neuron("e1", activation="relu", weights={"a": 1.0})
        G.add_neuron("e2", activation="relu", weights={"a": 1.0})
        G.add_equation("h2", "b^2")
        G.add_equation("h1", "h2^2")
        H = cg.layerwise(G)
        vectors = {i: origin for i, origin in H.nodes(data="origin") if isinstance(origin, list)}
        assert vectors == {
            "x1": ["1", "2"], "z9": ["z9"], "h1_": ["h1_1", "h1_2"], "h2_": ["a", "b"], "h3": ["e1", "e2"],
        }  # fmt: skip
        assert H.outputs == ["h2_"]

    def test_a_sink_beside_neurons_that_are_read_stays_an_output(self):
        G = cg.ComputationalGraph()
        G.add_input("x", 1.0)
        for name in ("h1", "h2"):
            G.add_neuron(name, activation="tanh", weights={"x": 0.5})
        G.add_equation("J", "h1^2")
        assert cg.layerwise(G).outputs == ["h", "J"]

    def test_neurons_without_inputs(self):
        G = cg.ComputationalGraph()
        G.add_neuron("h1", activation="sigmoid", weights={})
        G.add_neuron("h2", activation="sigmoid", weights={})
        H = cg.layerwise(G)
        assert H.nodes["h"]["equation"] == "sigmoid(b_h)"
        assert cg.evaluate(H)["h"].tolist() == [0.5, 0.5]

    def test_a_neuron_on_arrays_is_refused(self):
        G = cg.ComputationalGraph()
        G.add_input("x", [1.0, 2.0])
        G.add_neuron("h", activation="tanh", weights={"x": 0.5})
        with pytest.raises(
            cg.CGraphError, match="^neuron 'h' is a vector of 2, and the entries of a layer are numbers; sc"
        ):
            cg.layerwise(G)
        H = cg.layerwise(cg.scalarize(G))
        assert H.nodes["W_x_h"]["value"].tolist() == [[0.5, 0.0], [0.0, 0.5]]

    def test_bad_input(self):
        with pytest.raises(cg.CGraphError, match="a ComputationalGraph is needed, not DiGraph"):
            cg.layerwise(nx.DiGraph())
        with pytest.raises(cg.CycleError):
            cg.layerwise(cg.ComputationalGraph([("a", "b"), ("b", "a")]))
        G = cg.ComputationalGraph()
        G.add_input("x")
        G.add_neuron("h", activation="tanh", weights={"x": 0.5})
        with pytest.raises(cg.MissingValueError, match="node 'x' has no value, and neuron 'h' needs it"):
            cg.layerwise(G)


def assert_gathered_equations(G):
    """As `assert_gathered`, where weights are nodes: the values and S of what is not a weight."""
    H = cg.layerwise(G)
    L, M = cg.linearize(G), cg.linearize(H)
    places = places_of(G, H)
    for t in places:
        S, T = cg.sensitivities(L, t), cg.sensitivities(M, places[t][0])
        for i, (name, c) in places.items():
            assert np.atleast_2d(T[name])[places[t][1], c] == pytest.approx(S[i], rel=1e-12), (i, t)
    return H


class TestHalves:
    def layers(self):
        return cg.from_equations(
            "h = tanh(W @ x + b); p = softmax(V @ h); q = softmax(U @ h, axis=0); J = -log(p[0]) + sum(q^2)",
            W=[[1.0, 2.0], [0.5, -1.0]], x=[1.0, 0.25], b=[0.0, 0.5], V=[[1.0, 2.0], [3.0, -1.0]], U=[[1.0, 0.5]],
        )  # fmt: skip

    def test_decouple_and_couple(self):
        G = self.layers()
        L = cg.linearize(cg.decouple(G))
        assert equations(L) == {
            "h-": "W @ x + b", "h+": 'tanh(y("h-"))', "p-": 'V @ y("h+")', "p+": 'softmax(y("p-"))',
            "q": 'softmax(U @ y("h+"), axis=0)', "J": '-log(y("p+")[0]) + sum(q^2)',
        }  # fmt: skip
        np.testing.assert_allclose(L.edges["x", "h-"]["derivative"].dense(), [[1.0, 2.0], [0.5, -1.0]])
        gate = 1 - np.tanh([1.5, 0.75]) ** 2
        np.testing.assert_allclose(L.edges["h-", "h+"]["derivative"].dense(), np.diag(gate))
        p = L.nodes["p+"]["value"]
        np.testing.assert_allclose(L.edges["p-", "p+"]["derivative"].dense(), np.diag(p) - np.outer(p, p))
        assert equations(cg.couple(L)) == equations(G)

    def test_gates_are_arrays(self):
        L = cg.linearize(cg.decouple(self.layers()))
        found = cg.gates(L)
        assert list(found) == ["h+"]
        np.testing.assert_allclose(found["h+"], 1 - np.tanh([1.5, 0.75]) ** 2)
        assert found["h+"].shape == (2,)
        gate = cg.gates(cg.linearize(cg.from_equations("y = tanh(x); u = identity(z)", x=[[0.0, 1.0]], z=3.0)))
        np.testing.assert_allclose(gate["y"], 1 - np.tanh([[0.0, 1.0]]) ** 2)
        assert gate["u"] == 1.0

    def test_the_gate_of_a_neuron_on_arrays_has_its_shape(self):
        G = cg.ComputationalGraph()
        G.add_input("x", [1.0, -2.0])
        G.add_neuron("h", activation="relu", weights={"x": 0.5})
        G.add_neuron("o", activation="identity", weights={"h": 2.0})
        found = cg.gates(cg.linearize(G))
        assert {j: gate.tolist() for j, gate in found.items()} == {"h": [1.0, 0.0], "o": [1.0, 1.0]}

    def test_the_gate_of_a_neuron_on_a_matrix(self):
        G = cg.ComputationalGraph()
        G.add_input("x", [[1.0, -2.0], [0.0, 3.0]])
        G.add_neuron("h", activation="relu", weights={"x": 0.5})
        L = cg.linearize(G)
        assert cg.gates(L)["h"].tolist() == [[1.0, 0.0], [0.0, 1.0]]
        assert cg.gradient_flow(L, "h")[0].shut == 0.5

    def test_layers_have_gates_before_they_are_decoupled(self):
        L, D = cg.linearize(self.layers()), cg.linearize(cg.decouple(self.layers()))
        assert list(cg.gates(L)) == ["h"]
        np.testing.assert_array_equal(cg.gates(L)["h"], cg.gates(D)["h+"])

    def test_gates_need_values(self):
        with pytest.raises(cg.MissingDerivativeError, match="^node 's' has no 'value'; run linearize"):
            cg.gates(cg.from_equations("s = x^2; h = tanh(2*s)", x=1.0))

    def test_weights_as_nodes_of_a_neuron_on_arrays(self):
        G = cg.ComputationalGraph()
        G.add_input("x", [1.0, -2.0])
        G.add_input("c", 3.0)
        G.add_neuron("h", activation="tanh", weights={"x": 0.5, "c": 0.25}, bias=0.125)
        G.add_equation("J", "squared_norm(h)")
        H = cg.weights_as_nodes(G)
        assert H.nodes["h"]["equation"] == "tanh(p_x_h + p_c_h + p_h)"
        before, after = cg.weight_gradients(cg.linearize(G), "J"), cg.weight_gradients(cg.linearize(H), "J")
        assert {H.nodes[w]["origin"]: g for w, g in after.items()} == pytest.approx(before)
