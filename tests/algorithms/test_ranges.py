"""Numbers that leave the range of floats on the way, kinds of numbers that are none, results that belong to the caller."""

import math
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
from cases import digraph
from hypothesis import given, settings
from hypothesis import strategies as st
from random_graphs import weighted_dags
from vectors import vector_graphs

import cgraph as cg
from cgraph.algorithms import engines, sweeps
from cgraph.model.extended_range import ExtendedNumber, extended, in_floats

some = settings(max_examples=60, deadline=None)

# --- products that leave the range and come back -----------------------------------------------------------------------

VANISHING = [("x", "a", 1e-200), ("a", "b", 1e-200), ("b", "y", 1e300)]  # 1e-100
OVERFLOWING = [("x", "a", 1e200), ("a", "b", -1e200), ("b", "y", 1e-300)]  # -1e100
METHODS = {
    "sensitivity": cg.sensitivity,
    "sensitivity, forward": lambda G, s, t: cg.sensitivity(G, s, t, direction="forward"),
    "sensitivity, reverse": lambda G, s, t: cg.sensitivity(G, s, t, direction="reverse"),
    "path_sum": cg.path_sum,
    "paths": lambda G, s, t: next(cg.paths(G, s, t))[1],
    "top_paths": lambda G, s, t: cg.top_paths(G, s, t)[0][1],
    "top_paths, compiled": lambda G, s, t: cg.compile_graph(G).top_paths(s, t)[0][1],
    "effects": lambda G, s, t: cg.effects(G, s, t).indirect,
    "edge_sensitivities": lambda G, s, t: min(cg.edge_sensitivities(G, s, t).values()),
    "elimination": lambda G, s, t: cg.jacobian(G, [s], [t], order=["a", "b"]).item(),
    "elimination, the other way": lambda G, s, t: cg.jacobian(G, [s], [t], order=["b", "a"]).item(),
}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize(("edges", "expected"), [(VANISHING, 1e-100), (OVERFLOWING, -1e100)])
def test_a_product_that_leaves_the_floats_comes_back(method, edges, expected):
    G = digraph(*edges)
    assert method(G, "x", "y") == pytest.approx(expected, rel=1e-14)
    turned = digraph(*((j, i, z) for i, j, z in reversed(edges)))  # the same product from the other end
    assert method(turned, "y", "x") == pytest.approx(expected, rel=1e-14)


def test_sweeps_to_and_from_all_nodes_keep_what_comes_back():
    G = digraph(*VANISHING)
    assert cg.sensitivities_from(G, "x") == {"x": 1.0, "a": 1e-200, "b": 0.0, "y": pytest.approx(1e-100)}  # b: 1e-400
    assert cg.jacobian(G, ["x"], ["a", "y"]).ravel() == pytest.approx([1e-200, 1e-100], rel=1e-14)
    assert cg.loss_sensitivities(digraph(*((j, i, z) for i, j, z in VANISHING)), "x")["y"] == pytest.approx(1e-100)
    with pytest.raises(
        cg.EvaluationError, match=r"^S\(x, b\) overflows: the product of the derivatives exceeds 1.8e308$"
    ):
        cg.sensitivities_from(digraph(*OVERFLOWING), "x")


def test_a_subnormal_product_keeps_its_digits():
    G = digraph(("x", "a", 1.23456789e-160), ("a", "b", 1.1e-160), ("b", "y", 1e160))
    assert cg.sensitivity(G, "x", "y", direction="forward") == pytest.approx(1.23456789e-160 * 1.1, rel=1e-14)


@pytest.mark.parametrize("loaded", [True, False])
def test_large_graphs_are_compiled_only_where_no_digit_is_lost(monkeypatch, loaded):
    pytest.importorskip("numba", reason="numba is an extra, and without it nothing is compiled by itself")
    monkeypatch.setattr(engines, "LEAST", 0.0)
    monkeypatch.setattr(engines, "LEAST_TO_LOAD", 0.0)
    monkeypatch.setattr(engines, "is_loaded", lambda: loaded)
    for edges in (VANISHING, [("x", "a", 1e-100), ("a", "b", 1e-100), ("b", "c", 1e-140), ("c", "y", 1e240)]):
        G = digraph(*edges)
        assert cg.sensitivities_from(G, "x")["y"] == pytest.approx(1e-100, rel=1e-12)
        assert cg.jacobian(G, ["x"], ["y", "y"])[0, 0] == pytest.approx(1e-100, rel=1e-12)
        turned = digraph(*((j, i, z) for i, j, z in edges))
        assert cg.sensitivities(turned, "x")["y"] == pytest.approx(1e-100, rel=1e-12)


extreme = st.floats(-300, 300).map(lambda e: 10.0**e) | st.sampled_from([0.0, -1.0, 2.0])


@some
@given(weighted_dags(extreme))
def test_extreme_derivatives_give_what_fractions_give(G):
    exact = nx.DiGraph()
    exact.add_nodes_from(G)
    exact.add_edges_from((i, j, {"derivative": Fraction(z)}) for i, j, z in G.edges(data="derivative"))
    for s in G:
        for t in G:
            expected = cg.sensitivity(exact, s, t)
            if abs(expected) >= Fraction(1.7e308):
                with pytest.raises(cg.EvaluationError, match="overflows"):
                    cg.sensitivity(G, s, t)
                continue
            for direction in ("forward", "reverse"):
                S = cg.sensitivity(G, s, t, direction=direction)
                # where terms cancel, what is left is rounding of the largest
                largest = max((abs(float(p)) for _, p in cg.paths(exact, s, t)), default=0.0)
                assert abs(S - float(expected)) <= 1e-13 * max(abs(float(expected)), largest) + 5e-324


@some
@given(st.lists(st.floats(-1e300, 1e300), min_size=2, max_size=6))
def test_extended_numbers_compute_as_fractions_do(numbers):
    product, total = extended(1.0), extended(0.0)
    for number in numbers:
        product, total = product * number, total + number
    exact = math.prod(map(Fraction, numbers))
    if exact:
        log2 = math.log2(abs(exact.numerator)) - math.log2(exact.denominator)
        assert product.log() == pytest.approx(log2 * math.log(2), rel=1e-12, abs=1e-12)
    else:
        assert product.log() == -math.inf
    assert float(total) == pytest.approx(
        float(sum(map(Fraction, numbers))), rel=1e-12, abs=1e-12 * max(map(abs, numbers))
    )


def test_extended_numbers_beyond_the_floats():
    huge = extended(1e300) * 1e300
    assert (float(huge), float(-huge), float(extended(1e-300) * 1e-300)) == (math.inf, -math.inf, 0.0)
    assert float(huge * 1e-300) == pytest.approx(1e300)
    assert (in_floats(huge), in_floats("x")) == (math.inf, "x")
    assert float(2.0 * extended(3.0) + 1) == 7.0
    assert isinstance(1 * extended(3.0), ExtendedNumber)


# --- logarithms ---------------------------------------------------------------------------------------------------------


def test_a_dead_layer_has_logarithms():
    G = cg.from_equations("s = W @ x; h = relu(s); y = sum(h)", W=[[-1.0, -2.0], [-1.0, -1.0]], x=[1.0, 1.0])
    L = cg.linearize(G)
    found = cg.log_sensitivities(L, "y")
    assert found["x"].log.tolist() == [[-math.inf, -math.inf]]
    assert found["x"].sign.tolist() == [[0.0, 0.0]]
    assert found["h"].log.tolist() == [[0.0, 0.0]]
    flow = cg.gradient_flow(L, "y")
    assert [(level.mean, level.log_mean) for level in flow] == [
        (1.0, 0.0),
        (1.0, 0.0),
        (0.0, -math.inf),
        (0.0, -math.inf),
    ]


def test_entries_of_very_different_sizes_keep_their_logarithms():
    deep = "; ".join(f"v{k + 1} = D @ v{k}" for k in range(400))
    L = cg.linearize(cg.from_equations(deep, D=[[0.1, 0.0], [0.0, 1.0]], v0=[1.0, 1.0]))
    sign, log = cg.log_sensitivities(L, "v400")["v0"]
    assert log == pytest.approx(np.array([[-921.0340371976], [-math.inf], [-math.inf], [0.0]]).reshape(2, 2))
    assert sign.tolist() == [[1.0, 0.0], [0.0, 1.0]]


@some
@given(vector_graphs())
def test_logarithms_are_those_of_the_sensitivities(G):
    L = cg.linearize(G)
    for t in L.outputs:
        S = cg.sensitivities(L, t)
        for i, (sign, log) in cg.log_sensitivities(L, t).items():
            assert np.shape(sign) == np.shape(log) == np.shape(S[i])
            np.testing.assert_allclose(sign * np.exp(log), S[i], rtol=1e-9, atol=1e-12)  # where terms cancel, rounding
        for level in cg.gradient_flow(L, t):
            assert level.mean * (1 + 1e-12) >= level.smallest >= 0


# --- results belong to the caller ---------------------------------------------------------------------------------------


def arrays_of(result):
    """Iterate over the arrays in a result."""
    if isinstance(result, np.ndarray):
        yield result
    elif isinstance(result, dict):
        for value in result.values():
            yield from arrays_of(value)
    elif isinstance(result, list | tuple):
        for value in result:
            yield from arrays_of(value)
    elif isinstance(result, nx.Graph):
        yield from arrays_of([z for *_, z in result.edges(data="derivative")])


def vector_example():
    G = cg.from_equations("s = A @ x; p = s; q = s + p; J = sum(q)", A=[[1.0, 2.0], [3.0, 4.0]], x=[1.0, 1.0])
    L = cg.linearize(G)
    L.edges["s", "p"]["derivative"] = np.array([[1.0, 5.0], [0.0, 1.0]])  # a plain array on an edge
    return L


QUESTIONS = {
    "sensitivity": lambda L: cg.sensitivity(L, "x", "s"),
    "sensitivity over a plain array": lambda L: cg.sensitivity(L, "s", "p"),
    "sensitivities": lambda L: cg.sensitivities(L, "q"),
    "sensitivities of a number": lambda L: cg.sensitivities(L, "J"),
    "sensitivities_from": lambda L: cg.sensitivities_from(L, "x"),
    "paths": lambda L: list(cg.paths(L, "s", "q")),
    "top_paths": lambda L: cg.top_paths(L, "s", "q"),
    "path_sum": lambda L: cg.path_sum(L, "s", "p"),
    "effects": lambda L: cg.effects(L, "s", "q"),
    "edge_sensitivities": lambda L: cg.edge_sensitivities(L, "s", "q"),
    "jacobian": lambda L: cg.jacobian(L, ["s"], ["p"]),
    "eliminate": lambda L: cg.eliminate(L, ["s", "p", "q"], inputs=["A", "x"], outputs=["J"]).graph,
    "eliminate nothing": lambda L: cg.eliminate(L.subgraph(["s", "p"]), [], inputs=["s"], outputs=["p"]).graph,
    "loss_sensitivities": lambda L: cg.loss_sensitivities(L, "J"),
    "weight_gradients": lambda L: cg.weight_gradients(L, {"q": np.array([1.0, 2.0])}),
    "log_sensitivities": lambda L: cg.log_sensitivities(L, "q"),
}  # fmt: skip


def numbers_of(L):
    return [np.array(z) for *_, z in L.edges(data="derivative")] + [np.array(v) for _, v in L.nodes(data="value")]


@pytest.mark.parametrize("ask", QUESTIONS.values(), ids=QUESTIONS)
def test_what_is_returned_can_be_written_to(ask):
    L = vector_example()
    before, expected = numbers_of(L), [array.copy() for array in arrays_of(ask(L))]
    result = list(arrays_of(ask(L)))
    for array in result:
        np.multiply(array, 10.0, out=array)
    for array, right in zip(result, expected, strict=True):
        np.testing.assert_array_equal(array, 10.0 * right)  # multiplied once: no two of them share their memory
    for now, then in zip(numbers_of(L), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_a_seed_stays_the_callers():
    L, seed = vector_example(), np.array([1.0, 2.0])
    Delta = cg.loss_sensitivities(L, {"q": seed})
    Delta["q"] *= 10.0
    assert seed.tolist() == [1.0, 2.0]


# --- what is no number --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("z", "message"),
    [
        (10**400, "^edge 'x' -> 'y' holds about 10.400 as 'derivative'; give it a finite number$"),
        (-(10**5000), "^edge 'x' -> 'y' holds .* as 'derivative'; give it a finite number$"),
        (np.True_, "^edge 'x' -> 'y' holds (np.)?True_? as 'derivative'; give it a number$"),
        (True, "^edge 'x' -> 'y' holds True as 'derivative'; give it a number$"),
        (np.ma.array([[1.0, 2.0]], mask=[[0, 1]]), "^edge 'x' -> 'y' holds a masked array as 'derivative'; fill it"),
        (np.float64("inf"), "^edge 'x' -> 'y' holds inf as 'derivative'; give it a finite number$"),
        (complex("nan"), "^edge 'x' -> 'y' holds .*nan.* as 'derivative'; give it a finite number$"),
    ],
    ids=["too large", "too long to print", "a NumPy bool", "a bool", "masked", "inf", "a complex nan"],
)
def test_what_is_no_derivative(z, message):
    G = digraph(("x", "y", z))
    for ask in (cg.sensitivity, cg.path_sum):
        with pytest.raises(cg.DerivativeError, match=message):
            ask(G, "x", "y")


def test_masked_arrays_are_refused():
    masked = np.ma.array([1.0, 2.0], mask=[False, True])
    with pytest.raises(cg.InvalidNodeError, match="^input 'x' has the value .* which is a masked array; fill it"):
        cg.from_equations("y = sum(x)", x=masked)
    with pytest.raises(cg.InvalidNodeError, match="which is a masked array"):
        cg.evaluate(cg.from_equations("y = sum(x)", x=[1.0, 1.0]), {"x": masked})
    with pytest.raises(cg.CGraphError, match="^derivatives are a masked array; fill it, as by values.filled"):
        cg.CompiledGraph.from_edges([0, 1], [1, 2], masked)
    whole = np.ma.array([1.0, 2.0], mask=[False, False])
    assert cg.evaluate(cg.from_equations("y = sum(x)", x=whole))["y"] == 3.0


# --- engines ------------------------------------------------------------------------------------------------------------


@some
@given(weighted_dags(st.floats(-2, 2)))
def test_both_engines_find_the_same(G):
    for i in G:
        assert engines.sensitivities(G, t=i) == pytest.approx(sweeps.sensitivities(G, t=i))
        assert engines.sensitivities_from(G, s=i) == pytest.approx(sweeps.sensitivities_from(G, s=i))
    assert cg.sensitivities is engines.sensitivities
    assert cg.sensitivities.__doc__ == sweeps.sensitivities.__doc__


def test_a_sensitivity_looks_at_nothing_that_does_not_lead_to_t():
    class Watched(nx.DiGraph):
        def get_edge_data(self, i, j, default=None):
            assert j != "elsewhere", "an edge that does not lead to t was looked at"
            return super().get_edge_data(i, j, default)

    G = Watched()
    G.add_weighted_edges_from([("x", "a", 2.0), ("a", "y", 5.0), ("other", "elsewhere", None)], "derivative")

    class Unread(dict):
        def get(self, *_):
            raise AssertionError("a node that does not lead to t was looked at")

    G._node["elsewhere"] = Unread()
    assert cg.sensitivity(G, "x", "y") == 10.0


def test_an_order_with_a_node_without_edges():
    G = digraph(("x", "a", 2.0), ("a", "y", 5.0))
    G.add_node("alone")
    order = cg.intermediates(G, inputs=["x"], outputs=["y"])
    assert "alone" in order
    C = cg.compile_graph(G)
    assert C.jacobian(["x"], ["y"], order=order).tolist() == [[10.0]]
    assert C.jacobian(["x"], ["y"], order="markowitz").tolist() == [[10.0]]


@pytest.mark.parametrize("change", [lambda G: nx.relabel_nodes(G, {"x": "u"}), lambda G: G.remove_node("x") or G])
def test_a_graph_edited_by_hand_is_refused_alike(change):
    G = change(cg.from_equations("a = x*z; y = sin(a)", x=2.0, z=3.0))
    for compute in (cg.evaluate, cg.linearize, cg.compile_graph):
        with pytest.raises(cg.InvalidNodeError, match="^the edges into 'a' are not those of its operands"):
            compute(G)


# --- counts -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("joints", "wide"), [(1, 3), (5000, 2), (3000, 5)])
def test_a_count_of_many_digits_is_exact(joints, wide):
    G = nx.DiGraph()
    for k in range(joints):
        G.add_edges_from(edge for i in range(wide) for edge in ((k, (k, i)), ((k, i), k + 1)))
    assert cg.count_paths(G, 0, joints) == wide**joints
    numbered = nx.convert_node_labels_to_integers(G, label_attribute="was")
    place = {data["was"]: i for i, data in numbered.nodes(data=True)}
    C = cg.CompiledGraph.from_edges(*zip(*numbered.edges, strict=True), np.ones(G.number_of_edges()))
    assert C.count_paths(place[0], place[joints]) == wide**joints
    G.add_edge(0, joints)  # no node that all paths meet in
    assert cg.count_paths(G, 0, joints) == wide**joints + 1


# --- errors that a change of one operator would not have shown ------------------------------------------------------------


def test_seeds_of_the_wrong_size_are_named():
    L = vector_example()
    for seed in ([1.0], [1.0, 2.0, 3.0], [1.0, np.nan], [[1.0, 2.0, 3.0]], 1.0):
        with pytest.raises(
            cg.DerivativeError, match=r"^the derivative of the loss with respect to 'q' holds .*; y\(q\) has 2 entries"
        ):
            cg.loss_sensitivities(L, {"q": seed})
    assert cg.loss_sensitivities(L, {"q": [[1.0], [2.0]]})["q"].tolist() == [1.0, 2.0]
    with pytest.raises(
        cg.DerivativeError, match=r"^the derivative of the loss with respect to 'J' holds a vector of 2; y\(J\) has 1 "
    ):
        cg.loss_sensitivities(L, {"J": np.array([1.0, 2.0])})
    with pytest.raises(
        cg.DerivativeError, match="^the derivative of the loss with respect to 'q' is 'ab', which is not a number$"
    ):
        cg.loss_sensitivities(L, {"q": "ab"})


@pytest.mark.parametrize("ask", [cg.loss_sensitivities, cg.weight_gradients, cg.gradient_factors])
def test_a_loss_that_is_an_array_is_refused(ask):
    with pytest.raises(
        cg.DerivativeError, match=r"^the loss 'q' is a vector of 2; a loss is one number, such as sum\(q\)"
    ):
        ask(vector_example(), "q")
    with pytest.raises(cg.CGraphError, match="networkx.DiGraph is needed"):
        ask(nx.Graph([("x", "q")]), "q")


def test_the_difference_of_an_elimination_is_relative_to_the_larger_number():
    L = digraph(("x", "a", 2.0), ("a", "y", 5.0))
    result = cg.eliminate(L, ["a"])
    for wrong, expected in ((20.0, 0.5), (5.0, 0.5), (-10.0, 2.0), (0.0, 1.0)):
        result.graph.edges["x", "y"]["derivative"] = wrong
        assert cg.check_elimination(L, result, tolerance=3.0) == expected
        with pytest.raises(cg.EvaluationError, match=r"^S\(x, y\) is .* by elimination and 10.0 by a sweep"):
            cg.check_elimination(L, result)


def test_a_gate_at_the_threshold_is_shut():
    G = cg.ComputationalGraph()
    G.add_input("x", 0.0)
    G.add_neuron("h", activation="sigmoid", weights={"x": 1.0})  # its gate is 0.25
    L = cg.linearize(G)
    assert cg.gradient_flow(L, "h", shut=0.25)[0].shut == 1.0
    assert cg.gradient_flow(L, "h", shut=0.2499)[0].shut == 0.0
