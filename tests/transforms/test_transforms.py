"""Every transform leaves S as it was, its argument alone, and says where a node comes from."""

import copy
import io
import math

import networkx as nx
import pytest
from cases import CASES
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import networks
from random_graphs import equation_graphs
from surviving import SURVIVORS

import cgraph as cg


def structure(G):
    """Everything but origins, in an order of its own."""
    nodes = {i: {k: v for k, v in d.items() if k != "origin"} for i, d in G.nodes(data=True)}
    return nodes, {(i, j): d for i, j, d in G.edges(data=True)}, G.graph


def assert_sensitivities_agree(G, H, name):
    for t in G:
        if name(H, t) not in H:
            continue
        before, after = cg.sensitivities(G, t), cg.sensitivities(H, name(H, t))
        for i in G:
            if name(H, i) in H:
                assert after[name(H, i)] == pytest.approx(before[i], rel=1e-10, abs=1e-12), (i, t)


@pytest.mark.parametrize("transform", SURVIVORS, ids=lambda f: f.__name__)
@settings(max_examples=40)
@given(networks() | equation_graphs())
def test_sensitivities_are_preserved(transform, G):
    L = cg.linearize(G)
    before = copy.deepcopy(structure(L))
    H = transform(L)
    assert structure(L) == before
    assert all("origin" in data for _, data in H.nodes(data=True))
    assert_sensitivities_agree(L, H, SURVIVORS[transform])


@pytest.mark.parametrize("transform", [f for f in SURVIVORS if f is not cg.drop_zero_edges], ids=lambda f: f.__name__)
@settings(max_examples=40)
@given(networks() | equation_graphs())
def test_a_linearized_graph_stays_so_and_another_does_not_become_so(transform, G):
    H = transform(G)
    assert not any("derivative" in d for _, _, d in H.edges(data=True))
    L = cg.linearize(H)
    assert structure(transform(cg.linearize(G))) == structure(L)
    for i, y in cg.evaluate(G).items():
        survivor = SURVIVORS[transform](H, i)
        assert survivor not in H or L.nodes[survivor]["value"] == pytest.approx(y, rel=1e-12)


@pytest.mark.parametrize("transform", SURVIVORS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("format", ["yaml", "json", "toml"])
@settings(max_examples=20)
@given(data=st.data())
def test_the_result_can_be_written_and_read(transform, format, data):
    G = data.draw(networks() | equation_graphs())
    H = transform(cg.linearize(G) if transform is cg.drop_zero_edges else G)
    stream = io.StringIO()
    cg.write_spec(H, stream, format=format)
    stream.seek(0)
    again = cg.read_spec(stream, format=format)
    if (
        transform is cg.drop_zero_edges
    ):  # computed nodes keep values that a spec has no place for, edges that they are 1
        derivatives = {(i, j): {key: d[key] for key in d if key != "unit"} for i, j, d in H.edges(data=True)}
        assert dict(again.edges) == derivatives
    else:
        assert structure(again) == structure(H)


@given(networks())
def test_decouple_and_couple_are_inverse(G):
    assert structure(cg.couple(cg.decouple(G))) == structure(G)
    assert structure(cg.decouple(cg.decouple(G))) == structure(cg.decouple(G))


@given(networks() | equation_graphs())
def test_split_and_merge_are_inverse(G):
    assert structure(cg.merge_nodes(cg.split_nodes(G))) == structure(G)


@given(networks())
def test_decouple_and_weights_as_nodes_commute(G):
    one, other = cg.decouple(cg.weights_as_nodes(G)), cg.weights_as_nodes(cg.decouple(G))
    assert structure(one) == structure(other)
    assert dict(one.nodes(data="origin")) == dict(other.nodes(data="origin"))


@settings(max_examples=15)
@given(networks())
def test_any_two_transforms_compose(G):
    for first in SURVIVORS:
        for second in SURVIVORS:
            H = second(first(cg.linearize(G)))
            assert nx.is_directed_acyclic_graph(H)


@given(networks() | equation_graphs(), st.booleans())
def test_expanded_equations_are_elementary(G, share):
    H = cg.expand(G, share=share)
    for _, data in H.nodes(data=True):
        if "expression" in data:
            assert sum(data["expression"].varies) - len(data["operands"]) <= 1
    assert_sensitivities_agree(cg.linearize(G), cg.linearize(H), lambda _, i: i)


@given(networks() | equation_graphs(), st.data())
def test_restrict_keeps_what_lies_between(G, data):
    L = cg.linearize(G)
    s, t = (data.draw(st.sampled_from(list(G))) for _ in range(2))
    if not nx.has_path(G, s, t):
        with pytest.raises(cg.CGraphError, match="no path leads from"):
            cg.restrict(G, s, t)
        return
    H = cg.restrict(L, s, t)
    assert cg.sensitivity(H, s, t) == pytest.approx(cg.sensitivity(L, s, t), rel=1e-12)
    assert cg.count_paths(H, s, t) == cg.count_paths(L, s, t)
    assert H.nodes[s]["role"] in {"input", "weight", "constant"}
    between = {i for i in G if nx.has_path(G, s, i) and nx.has_path(G, i, t)}
    assert {i for i, role in H.nodes(data="role") if role != "constant" or i == s} == between
    assert set(H.successors(s)) == set(G.successors(s)) & between


class TestByHand:
    def network(self):
        G = cg.ComputationalGraph()
        G.add_input("x", 2.0)
        G.add_neuron("h", activation="tanh", weights={"x": 0.5}, bias=0.1)
        G.add_neuron("o", activation="identity", weights={"h": 3.0, "x": -1.0})
        G.add_equation("J", "(o - 1)^2 + h")
        return G

    def test_weights_as_nodes(self):
        H = cg.weights_as_nodes(self.network())
        assert {j: e for j, e in H.nodes(data="equation") if e} == {
            "h": "tanh(p_x_h + p_h)", "p_x_h": "w_x_h * x", "p_h": 'b_h * y("+1")', "o": "identity(p_h_o + p_x_o)",
            "p_h_o": "w_h_o * h", "p_x_o": "w_x_o * x", "J": "(o - 1)^2 + h",
        }  # fmt: skip
        assert H.weights == ["w_x_h", "b_h", "w_h_o", "w_x_o"]
        assert H.nodes["p_h"]["origin"] == H.nodes["b_h"]["origin"] == ("+1", "h")

    def test_decouple(self):
        L = cg.linearize(cg.decouple(self.network()))
        assert {j: e for j, e in L.nodes(data="equation") if e} == {
            "h+": 'tanh(y("h-"))', "o+": 'identity(y("o-"))', "J": '(y("o+") - 1)^2 + y("h+")',
        }  # fmt: skip
        h = L.nodes["h+"]["value"]
        assert L.edges["x", "h-"]["derivative"] == 0.5
        assert L.edges["h-", "h+"]["derivative"] == pytest.approx(1 - h * h)
        assert L.nodes["h-"]["origin"] == L.nodes["h+"]["origin"] == "h"
        assert cg.gates(L) == {"h+": pytest.approx(1 - h * h), "o+": 1.0}

    def test_decouple_an_equation(self):
        H = cg.decouple(
            cg.from_equations("y = sigmoid(w*x + b); u = relu(x)*relu(b); v = tanh(y)", w=1.0, x=2.0, b=0.5)
        )
        assert {j: e for j, e in H.nodes(data="equation") if e} == {
            "y-": "w*x + b", "y+": 'sigmoid(y("y-"))', "u": "relu(x)*relu(b)", "v-": 'y("y+")', "v+": 'tanh(y("v-"))',
        }  # fmt: skip

    def test_append_loss(self):
        G = cg.from_equations("y9 = 2*x; q = x", x=3.0)
        H = cg.append_loss(G, "ln(y9)", name="y10")
        assert H.outputs == ["y10"]
        assert "y10" not in G
        assert cg.sensitivity(cg.linearize(H), "x", "y10") == pytest.approx(1 / 3)
        with pytest.raises(cg.InvalidNodeError, match="node 'q' is defined twice"):
            cg.append_loss(G, "ln(y9)", name="q")
        with pytest.raises(cg.InvalidNodeError, match="node 'J' uses 'y_9', which is not defined; did you mean 'y9'?"):
            cg.append_loss(G, "ln(y_9)")

    def test_expand_the_textbook_graph(self):
        G = cg.from_equations("y = exp(x*z) + x*z/log(x)", x=2.0, z=3.0)
        apart, shared = cg.expand(G), cg.expand(G, share=True)
        assert {j: e for j, e in apart.nodes(data="equation") if e} == {
            "y": "y_2 + y_5", "y_1": "x * z", "y_2": "exp(y_1)", "y_3": "x * z", "y_4": "log(x)", "y_5": "y_3 / y_4",
        }  # fmt: skip
        assert list(shared.successors("y_1")) == ["y_2", "y_4"]
        assert {shared.nodes[f"y_{k}"]["origin"] for k in range(1, 5)} == {"y"}

    @pytest.mark.parametrize(
        ("equation", "expanded"),
        [
            ("x", {"y": "x"}), ("3", {"y": "3"}), ("2^3", {"y": "2 ^ 3"}), ("x^-1", {"y": "x ^ (-1)"}),
            ("-x*2", {"y": "y_1 * 2", "y_1": "-x"}), ("x + 2*pi", {"y": "x + (2 * pi)"}),
            ("max(x, 2, z)", {"y": "max(y_1, z)", "y_1": "max(x, 2)"}),
        ],
    )  # fmt: skip
    def test_expand_numbers_and_signs(self, equation, expanded):
        H = cg.expand(cg.from_equations(f"y = {equation}", x=2.0, z=3.0))
        assert {j: e for j, e in H.nodes(data="equation") if e} == expanded

    def test_share_across_equations(self):
        # a itself is not shared: S(a,b) is 0, and stays so.
        H = cg.expand(cg.from_equations("a = x*z; b = sin(z*x); c = cos(x*z)", x=2.0, z=3.0), share=True)
        assert {j: e for j, e in H.nodes(data="equation") if e} == {
            "a": "x * z", "b": "sin(b_1)", "b_1": "z * x", "c": "cos(b_1)",
        }  # fmt: skip

    def test_names_that_are_taken(self):
        G = cg.from_equations("y_1 = x; y = sin(x*x)", x=2.0)
        assert cg.expand(G).nodes["y_1_"]["equation"] == "x * x"
        G = self.network()
        G.add_input("h+", 1.0)
        with pytest.raises(cg.CGraphError, match=r"neuron 'h' cannot be decoupled: there is a node 'h\+' already"):
            cg.decouple(G)
        G = cg.decouple(self.network())
        G.add_input("h", 1.0)
        with pytest.raises(cg.CGraphError, match="the halves of 'h' cannot be joined: there is a node 'h' already"):
            cg.couple(G)
        G = cg.split_nodes(self.network())
        G.add_input("h", 1.0)
        with pytest.raises(cg.CGraphError, match="the ends of 'h' cannot be merged: there is a node 'h' already"):
            cg.merge_nodes(G)
        with pytest.raises(cg.CGraphError, match="'h' cannot be split: there is a node 'h.in' already"):
            cg.split_nodes(cg.from_equations('y("h.in") = x; h = x', x=1.0))

    def test_split_some_nodes(self):
        H = cg.split_nodes(cg.from_equations("a = x; y = a*a", x=3.0), ["a"])
        assert {j: e for j, e in H.nodes(data="equation") if e} == {
            "a.in": "x", "a.out": 'y("a.in")', "y": 'y("a.out")*y("a.out")',
        }  # fmt: skip
        with pytest.raises(cg.NodeNotFound):
            cg.split_nodes(H, ["q"])

    def test_fold_constants(self):
        G = cg.ComputationalGraph(outputs=["y", "tau"])
        G.add_constant("c", 2.0)
        G.add_input("x", 3.0)
        for name, equation in {"two": "1 + 1", "tau": "two*pi", "d": "c^3", "y": "d*x + c"}.items():
            G.add_equation(name, equation)
        H = cg.fold_constants(G)
        assert dict(H.nodes(data="role")) == {
            "c": "constant", "x": "input", "tau": "constant", "d": "operation", "y": "operation",
        }  # fmt: skip
        assert H.nodes["tau"]["value"] == 2 * math.pi

    def test_a_constant_that_is_read_elsewhere_keeps_its_sensitivities(self):
        G = cg.ComputationalGraph()
        G.add_constant("c", 2.0)
        G.add_input("x", 1.0)
        G.add_equation("y", "c + 1")
        G.add_equation("J", "c*x + y")
        assert cg.sensitivity(cg.linearize(cg.fold_constants(G)), "c", "J") == 2.0

    def test_an_output_that_is_folded_stays_one(self):
        G = cg.from_equations("a = 2; b = a^2; y = 3*x", x=1.0)
        H = cg.fold_constants(G)
        assert (H.nodes["b"]["role"], H.outputs) == ("constant", ["b", "y"]) == ("constant", G.outputs)

    def test_a_declared_output_that_no_edge_touches_is_a_constant(self):
        G = cg.from_equations("a = relu(x); y = 0*z; u = x", x=-1.0, z=2.0)
        G.graph["outputs"] = ["a", "y"]
        H = cg.drop_zero_edges(cg.linearize(G))
        assert (H.nodes["a"]["role"], H.nodes["a"]["value"]) == ("constant", 0.0)
        stream = io.StringIO()
        cg.write_spec(H, stream)
        stream.seek(0)
        assert cg.read_spec(stream).outputs == ["a", "y"]

    def test_drop_zero_edges(self):
        L = cg.linearize(cg.from_equations("a = relu(x); b = x*z; y = a + b", x=-1.0, z=3.0))
        H = cg.drop_zero_edges(L)
        assert ("x", "a") in L.edges
        assert ("x", "a") not in H.edges
        assert "a" in H
        assert "equation" not in H.nodes["y"]

    def test_drop_zero_edges_keeps_the_inputs_and_outputs(self):
        L = cg.linearize(cg.from_equations("a = relu(x); y = a + z; u = relu(x)", x=-1.0, z=3.0))
        H = cg.drop_zero_edges(L)
        assert (H.inputs, H.outputs) == (L.inputs, L.outputs) == (["x", "z"], ["y", "u"])
        assert (H.nodes["a"]["role"], H.nodes["a"]["value"]) == ("constant", 0.0)
        stream = io.StringIO()
        cg.write_spec(H, stream)
        stream.seek(0)
        again = cg.read_spec(stream)
        assert (again.inputs, again.outputs) == (["x", "z"], ["y", "u"])

    def test_split_nodes_keeps_the_outputs_beside_an_unused_input(self):
        G = cg.from_equations("y = 2*x", x=3.0, unused=1.0)
        assert cg.split_nodes(G).outputs == ["y.out"]
        assert "outputs" not in cg.merge_nodes(cg.split_nodes(G)).graph

    @pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
    def test_given_derivatives(self, case):
        G = cg.ComputationalGraph()
        G.add_nodes_from(map(str, case.graph))
        G.add_edges_from((str(i), str(j), {"derivative": d["derivative"]}) for i, j, d in case.graph.edges(data=True))
        s, t = str(case.s), str(case.t)
        for transform in (cg.weights_as_nodes, cg.decouple, cg.expand, cg.fold_constants, cg.drop_zero_edges):
            assert cg.sensitivity(transform(G), s, t) == pytest.approx(case.sensitivity)
        H = cg.split_nodes(G)
        assert cg.sensitivity(H, f"{s}.in", f"{t}.out") == pytest.approx(case.sensitivity)
        assert structure(cg.merge_nodes(H)) == structure(G)
        if case.paths:
            assert cg.sensitivity(cg.restrict(G, s, t), s, t) == pytest.approx(case.sensitivity)

    def test_a_node_of_given_derivatives_keeps_its_value(self):
        G = cg.ComputationalGraph()
        G.add_node("a", value=3.0)
        G.add_edge("x", "a", derivative=2.0)
        G.add_equation("y", "a^2")
        for transform in (cg.decouple, cg.expand, cg.weights_as_nodes, cg.scalarize, cg.layerwise):
            assert cg.sensitivity(cg.linearize(transform(G)), "x", "y") == 12.0

    def test_only_computational_graphs_and_no_cycles(self):
        for transform in SURVIVORS:
            if transform is not cg.drop_zero_edges:
                with pytest.raises(cg.CGraphError, match="a ComputationalGraph is needed, not DiGraph"):
                    transform(nx.DiGraph())
                with pytest.raises(cg.CycleError):
                    transform(cg.ComputationalGraph([("a", "b"), ("b", "a")]))
