"""Every algorithm over every hand-computed case, and what each does with graphs that are not as they should be."""

import pickle
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
from cases import CASES, digraph
from methods import ALGORITHMS, SINGLE

import cgraph as cg
from cgraph.model.operations.elementwise import OPERATIONS


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_gives_the_hand_computed_answer(algorithm, case):
    assert ALGORITHMS[algorithm](case.graph, case.s, case.t) == pytest.approx(case.sensitivity, abs=1e-12)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_the_paths_and_their_products(case):
    found = dict(cg.paths(case.graph, case.s, case.t))
    assert found == pytest.approx(case.paths)
    assert cg.count_paths(case.graph, case.s, case.t) == len(case.paths)
    strongest = cg.top_paths(case.graph, case.s, case.t, k=100)
    assert dict(strongest) == pytest.approx(case.paths)
    assert [abs(z) for _, z in strongest] == sorted((abs(z) for z in case.paths.values()), reverse=True)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_nothing_writes_on_the_graph(case):
    before = pickle.dumps((list(case.graph.nodes(data=True)), list(case.graph.edges(data=True)), case.graph.graph))
    for algorithm in ALGORITHMS.values():
        algorithm(case.graph, case.s, case.t)
    cg.edge_sensitivities(case.graph, case.s, case.t)
    after = pickle.dumps((list(case.graph.nodes(data=True)), list(case.graph.edges(data=True)), case.graph.graph))
    assert before == after


def test_results_are_floats_in_the_order_of_the_graph():
    G = digraph(("x", "a", 2), ("a", "y", np.float32(0.5)), ("y", "u", np.int64(3)))
    for S in (cg.sensitivities(G, "y"), cg.sensitivities_from(G, "x"), cg.edge_sensitivities(G, "x", "y")):
        assert {type(value) for value in S.values()} == {float}
    assert list(cg.sensitivities(G, "y")) == ["x", "a", "y", "u"]
    assert cg.sensitivities(G, "y") == {"x": 1.0, "a": 0.5, "y": 1.0, "u": 0.0}
    assert cg.sensitivities_from(G, "a") == {"x": 0.0, "a": 1.0, "y": 0.5, "u": 1.5}
    assert type(cg.sensitivity(G, "u", "x")) is float


def test_zero_and_one_stay_exact_beside_fractions():
    G = digraph(("x", "a", Fraction(1, 3)), ("x", "b", Fraction(1, 7)))
    S = cg.sensitivities(G, "a")
    assert S == {"x": Fraction(1, 3), "a": 1, "b": 0}
    assert not any(isinstance(value, float) for value in S.values())


def test_another_attribute_holds_the_derivative():
    G = nx.DiGraph()
    G.add_edge("x", "y", weight=2.0, derivative=3.0)
    assert cg.sensitivity(G, "x", "y", derivative="weight") == 2.0
    assert cg.sensitivities(G, "y", derivative="weight")["x"] == 2.0
    assert cg.sensitivities_from(G, "x", derivative="weight")["y"] == 2.0
    assert cg.jacobian(G, ["x"], ["y"], derivative="weight")[0, 0] == 2.0
    assert cg.path_sum(G, "x", "y", derivative="weight") == 2.0
    assert cg.top_paths(G, "x", "y", derivative="weight")[0][1] == 2.0
    assert cg.edge_sensitivities(G, "x", "y", derivative="weight") == {("x", "y"): 2.0}
    assert cg.effects(G, "x", "y", derivative="weight").direct == 2.0


def test_jacobian_layout():
    G = digraph(("x", "y", 2.0), ("z", "y", 3.0), ("x", "u", 5.0))
    assert cg.jacobian(G, ["x", "z", "y"], ["y", "u"]).tolist() == [[2.0, 3.0, 1.0], [5.0, 0.0, 0.0]]
    assert cg.jacobian(G, ["x"], ["y", "u"]).tolist() == [[2.0], [5.0]]
    assert cg.jacobian(G, [], ["y"]).shape == (1, 0)
    assert cg.jacobian(G, ["x", "z"], []).shape == (0, 2)


def test_effects_do_not_cancel():
    G = digraph(("x", "y", 1e20), ("x", "a", 1.0), ("a", "y", 1.0))
    assert cg.effects(G, "x", "y") == (1e20, 1.0, 1e20)
    assert cg.effects(G, "x", "x") == (1.0, 0.0, 1.0)
    assert cg.effects(G, "y", "x") == (0.0, 0.0, 0.0)


def chain(n):
    """Two ways of equal strength around every second node: 2^n paths, S = 1."""
    G = nx.DiGraph()
    for k in range(0, 2 * n, 2):
        G.add_weighted_edges_from([(k, k + 1, 0.5), (k + 1, k + 2, 1.0), (k, k + 2, 0.5)], "derivative")
    return G


def test_a_chain_of_20_000_nodes():
    n = 10_000
    G = chain(n)
    assert cg.sensitivity(G, 0, 2 * n) == 1.0
    assert cg.sensitivities(G, 2 * n)[0] == 1.0
    assert cg.sensitivities_from(G, 0)[2 * n] == 1.0
    assert cg.count_paths(G, 0, 2 * n) == 2**n
    assert len(cg.edge_sensitivities(G, 0, 2 * n)) == 3 * n
    ((path, product),) = cg.top_paths(G, 0, 2 * n, k=1)
    assert len(path) >= n + 1
    assert product == 0.0  # 2^-10000 is ranked rightly, but is no float
    line = nx.path_graph(20_000, create_using=nx.DiGraph)
    nx.set_edge_attributes(line, 1.0, "derivative")
    assert [len(path) for path, _ in cg.paths(line, 0, 19_999)] == [20_000]


def test_top_paths_among_more_than_10_to_the_30():
    G = chain(120)
    G.edges[10, 12]["derivative"] = 1.0
    G.edges[100, 101]["derivative"] = -0.75
    top = cg.top_paths(G, 0, 240, k=3)
    assert cg.count_paths(G, 0, 240) > 10**30
    assert [product * 2.0**119 for _, product in top[:2]] == [-1.5, -1.5]
    assert all(12 == path[path.index(10) + 1] and 101 in path for path, _ in top)
    assert len({path for path, _ in top}) == 3


def test_too_many_paths_are_counted_and_refused_at_the_call():
    G = chain(100)
    with pytest.raises(cg.TooManyPathsError, match=r"^1,267,650,600,228,229,401,496,703,205,376 paths lead") as error:
        cg.paths(G, 0, 200)
    assert error.value.count == 2**100
    with pytest.raises(cg.TooManyPathsError, match="more than the limit of 3;"):
        cg.path_sum(chain(2), 0, 4, limit=3)
    with pytest.raises(cg.TooManyPathsError, match=r"^about 10\^4515 paths"):
        cg.paths(chain(15_000), 0, 30_000)
    assert cg.path_sum(chain(2), 0, 4, limit=4) == cg.path_sum(chain(2), 0, 4, limit=None) == 1.0


def test_only_what_lies_between_is_looked_at():
    G = digraph(("x", "y", 2.0), ("y", "u", None), ("x", "dead", "no number"), ("p", "q", 1.0), ("q", "p", 1.0))
    assert cg.sensitivity(G, "x", "y") == 2.0
    assert cg.path_sum(G, "x", "y") == cg.top_paths(G, "x", "y")[0][1] == cg.effects(G, "x", "y").total == 2.0
    assert cg.edge_sensitivities(G, "x", "y")["x", "dead"] == 0.0


@pytest.mark.parametrize("algorithm", SINGLE)
@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (None, cg.MissingDerivativeError, r"^edge 'x' -> 'y' has no 'derivative' \(it has: 'derivative'\); run linea"),
        ("2", cg.DerivativeError, r"^edge 'x' -> 'y' holds '2' as 'derivative'; give it a number$"),
        (True, cg.DerivativeError, r"^edge 'x' -> 'y' holds True as 'derivative'; give it a number$"),
        ([2.0], cg.DerivativeError, r"^edge 'x' -> 'y' holds \[2.0\] as"),
        (np.ones(3), cg.DerivativeError, r"^edge 'x' -> 'y' holds an array of shape \(3,\)"),
        (np.array([[1.0, np.inf]]), cg.DerivativeError, r"^edge 'x' -> 'y' holds"),
        ({}, cg.DerivativeError, r"^edge 'x' -> 'y' holds {}"),
        (float("nan"), cg.DerivativeError, r"^edge 'x' -> 'y' holds nan as 'derivative'; give it a finite number$"),
        (float("-inf"), cg.DerivativeError, r"^edge 'x' -> 'y' holds -inf"),
        (complex("inf"), cg.DerivativeError, r"^edge 'x' -> 'y' holds \(inf"),
        (np.float32("nan"), cg.DerivativeError, r"^edge 'x' -> 'y' holds nan"),
        (Decimal("nan"), cg.DerivativeError, r"^edge 'x' -> 'y' holds Decimal\('NaN'\)"),
    ],
    ids=repr,
)
def test_an_edge_without_a_finite_derivative(algorithm, value, error, message):
    with pytest.raises(error, match=message):
        SINGLE[algorithm](digraph(("x", "y", value)), "x", "y")


def test_the_attributes_of_an_edge_without_derivative_are_named():
    G = nx.DiGraph([("x", "y", {"w": 1.0}), ("y", "u")])
    with pytest.raises(cg.MissingDerivativeError, match=r"edge 'x' -> 'y' has no 'derivative' \(it has: 'w'\)"):
        cg.sensitivity(G, "x", "y")
    with pytest.raises(cg.MissingDerivativeError, match=r"it has: no attributes"):
        cg.sensitivity(G, "y", "u")


@pytest.mark.parametrize("algorithm", SINGLE)
def test_unknown_nodes(algorithm):
    G = digraph(("x1", "y", 2.0))
    with pytest.raises(cg.NodeNotFound, match=r"^no node 'x_1' in the graph; did you mean 'x1'\?$"):
        SINGLE[algorithm](G, "x_1", "x_1")
    with pytest.raises(cg.NodeNotFound, match=r"^no node 7 in the graph; there are x1, y$"):
        SINGLE[algorithm](G, 7, 7)


@pytest.mark.parametrize("algorithm", SINGLE)
def test_cycles(algorithm):
    G = digraph(("x", "a", 1.0), ("a", "b", 1.0), ("b", "a", 1.0), ("b", "y", 1.0))
    with pytest.raises(cg.CycleError, match=r"^the graph has a cycle: (a -> b -> a|b -> a -> b)$") as error:
        SINGLE[algorithm](G, "x", "y")
    assert error.value.cycle[0] == error.value.cycle[-1]


def test_a_long_cycle_is_abbreviated():
    G = nx.cycle_graph(1000, create_using=nx.DiGraph)
    nx.set_edge_attributes(G, 1.0, "derivative")
    with pytest.raises(cg.CycleError, match=r"0 -> 1 -> 2 -> 3 -> 4 -> 5 -> \.\.\. -> 995 -> 996"):
        cg.sensitivities(G, 0)


@pytest.mark.parametrize("algorithm", SINGLE)
def test_an_overflow_is_an_error(algorithm):
    G = digraph(("x", "a", 1e200), ("a", "y", 1e200))
    with pytest.raises(cg.EvaluationError, match=r"overflows: the product of the derivatives exceeds 1.8e308$"):
        SINGLE[algorithm](G, "x", "y")


@pytest.mark.parametrize(
    "graph", [nx.Graph([(0, 1)]), nx.MultiDiGraph([(0, 1)]), {0: [1]}], ids=lambda g: type(g).__name__
)
@pytest.mark.parametrize("algorithm", [*SINGLE, "count_paths"])
def test_only_a_digraph_will_do(algorithm, graph):
    with pytest.raises(cg.CGraphError, match=r"^a networkx.DiGraph is needed, not (Graph|MultiDiGraph|dict); parallel"):
        {**SINGLE, "count_paths": cg.count_paths}[algorithm](graph, 0, 1)


@pytest.mark.parametrize("k", [-1, 1.5, "2", None])
def test_a_number_of_paths_that_is_none(k):
    with pytest.raises(cg.CGraphError, match=f"k = {k!r} paths"):
        cg.top_paths(digraph(("x", "y", 2.0)), "x", "y", k)


@pytest.mark.parametrize("function", [cg.log_sensitivities, cg.gradient_flow])
def test_complex_derivatives_have_no_sign(function):
    with pytest.raises(cg.DerivativeError, match="^edge 'x' -> 'y' holds 1j; its sign"):
        function(digraph(("x", "y", 1j)), "y")


class TestCheckDerivatives:
    def test_a_planted_wrong_edge_is_found_and_named(self):
        L = cg.linearize(cg.from_equations("a = sin(x); y = a*z", x=1.0, z=2.0))
        assert cg.check_derivatives(L)
        L.edges["x", "a"]["derivative"] += 1e-3
        report = cg.check_derivatives(L)
        assert not report
        assert {(c.kind, c.tail, c.head) for c in report.failures} == {("pair", "x", "y"), ("edge", "x", "a")}
        assert report.failures[0].error == pytest.approx(1e-3 / np.cos(1.0))

    def test_a_planted_wrong_row_is_found(self, monkeypatch):
        row = OPERATIONS["sin"]
        monkeypatch.setitem(OPERATIONS, "sin", replace(row, derivatives=("-cos(x)",)))
        assert not cg.check_derivatives(cg.from_equations("y = sin(x)", x=1.0))

    def test_new_inputs_are_linearized_anew(self):
        L = cg.linearize(cg.from_equations("y = x^2", x=1.0))
        report = cg.check_derivatives(L, {"x": 3.0})
        assert report
        assert report.checks[0].derivative == 6.0

    @pytest.mark.parametrize(
        "equation", ["erf(x)", "gelu(x)", "sqrt(z) + erf(x)", "erf(x)*sin(1000*z)", "log(z)*gelu(x)"]
    )
    @pytest.mark.parametrize("x", [-5.5, -2.0, -0.3, 0.0, 1.9, 2.1, 4.0])
    def test_the_step_is_sound_where_others_are_not(self, equation, x):
        report = cg.check_derivatives(cg.from_equations(f"y = {equation}", x=x, z=1e-5))
        assert report, report.failures

    @pytest.mark.parametrize("x", [1e-20, 1e-28, -3e-44, 1e-120])
    def test_the_step_is_small_beside_small_numbers(self, x):
        assert cg.check_derivatives(cg.from_equations("a = 1/x; y = sin(a*x) + x", x=x))
        report = cg.check_derivatives(cg.from_equations("y = sum(log(abs(x)))", x=[x, 1.0, 0.5]))
        assert report, report.failures
        L = cg.linearize(cg.from_equations("y = log(abs(x))", x=x))
        assert cg.check_derivatives(L)
        L.edges["x", "y"]["derivative"] *= 1.001
        assert not cg.check_derivatives(L)

    def test_a_saturated_softmax(self):
        G = cg.from_equations("p = softmax(s); J = cross_entropy(p, y)", s=[0.0, 100.0], y=[1.0, 0.0])
        report = cg.check_derivatives(G)
        assert report, report.failures

    def test_a_small_derivative_is_checked_too(self):
        L = cg.linearize(cg.from_equations("y = 1e-7*x", x=3.0))
        assert cg.check_derivatives(L)
        L.edges["x", "y"]["derivative"] = -5e-7
        assert not cg.check_derivatives(L)

    @pytest.mark.parametrize("size", [1.0, 1e8])
    def test_what_cancels_is_no_failure(self, size):
        equations = "a = sin(x); b = -tan(x)*cos(x); y = c*a + c*b"
        assert cg.check_derivatives(cg.from_equations(equations, x=0.7, c=size))

    def test_weights_on_edges_are_checked_against_the_loss(self):
        G = cg.ComputationalGraph()
        G.add_input("x", 2.0)
        G.add_neuron("h", activation="tanh", weights={"x": 0.3}, bias=0.1)
        G.add_equation("J", "h^2")
        L = cg.linearize(G)
        found = {(c.tail, c.head): c.derivative for c in cg.check_derivatives(L).checks if c.kind == "weight"}
        assert found == {(" -> ".join(w), "J"): g for w, g in cg.weight_gradients(L, "J").items()}
        L.nodes["h"]["gate"] = 0.5  # planted: the derivatives on the edges are right, the gradients are not
        assert {c.kind for c in cg.check_derivatives(L).failures} == {"weight"}

    def test_weights_are_sources_too(self):
        G = cg.ComputationalGraph()
        G.add_input("x", 2.0)
        G.add_weight("w", 3.0)
        G.add_equation("y", "w*x")
        pairs = [(c.tail, c.head, c.numerical) for c in cg.check_derivatives(G).checks if c.kind == "pair"]
        assert pairs == [("x", "y", 3.0), ("w", "y", 2.0)]

    def test_derivatives_put_on_the_edges_by_hand(self):
        G = cg.from_equations("a = x*z; y = a + x", x=1.0, z=2.0)
        by_hand = {("x", "a"): 2.0, ("z", "a"): 1.0, ("a", "y"): 1.0, ("x", "y"): 3.0}  # the last is 1
        nx.set_edge_attributes(G, by_hand, "derivative")
        found = [(c.kind, c.tail, c.head, c.derivative, c.numerical) for c in cg.check_derivatives(G).failures]
        assert found == [("edge", "x", "y", 3.0, 1.0), ("pair", "x", "y", 5.0, 3.0)]
        assert "value" not in G.nodes["y"]

    def test_derivatives_put_into_a_network_by_hand(self):
        G = cg.ComputationalGraph()
        G.add_input("x", 2.0)
        G.add_neuron("h", activation="tanh", weights={"x": 0.3})
        G.edges["x", "h"]["derivative"] = 0.3  # without the gate
        assert [(c.kind, c.tail, c.head) for c in cg.check_derivatives(G).failures] == [
            ("edge", "x", "h"), ("pair", "x", "h"),
        ]  # fmt: skip

    def test_an_output_that_reads_nothing(self):
        report = cg.check_derivatives(cg.from_equations("y = 2", x=1.0))
        assert [(c.kind, c.tail, c.head, c.derivative, c.ok) for c in report.checks] == [("pair", "x", "y", 0.0, True)]

    def test_nothing_to_check(self):
        G = cg.ComputationalGraph()
        G.add_edge("x", "y", derivative=2.0)
        with pytest.raises(cg.EvaluationError, match=r"^nothing to check"):
            cg.check_derivatives(G)


def test_no_path_keeps_the_shape_of_an_array_past_numbers():
    L = cg.linearize(cg.from_equations("u = sum(a); v = u / 2; y = 3 * b", a=[1, 2, 3, 4], b=[[1, 2], [3, 4]]))
    assert cg.sensitivities(L, "y")["a"].shape == (4, 4)
    assert cg.sensitivities_from(L, "a")["y"].shape == (4, 4)
