"""Elimination of vertices, edges and faces: the same Jacobian in every order."""

import random

import networkx as nx
import numpy as np
import pytest
from cases import CASES, digraph
from elimination_graphs import COSTS, matrix, read
from hypothesis import given
from hypothesis import strategies as st
from random_graphs import linearized_graphs

import cgraph as cg

ELIMINATIONS = {
    "vertices": cg.eliminate,
    "edges": lambda L, order, **ends: cg.eliminate_edges(L, cg.as_edge_order(L, order, **given_ends(ends)), **ends),
    "faces": lambda L, order, **ends: cg.eliminate_faces(L, cg.as_face_order(L, order, **given_ends(ends)), **ends),
}


def given_ends(keywords):
    return {name: value for name, value in keywords.items() if name in ("inputs", "outputs")}


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
@pytest.mark.parametrize("kind", ELIMINATIONS)
def test_every_elimination_gives_the_hand_computed_answer(kind, case):
    ends = {"inputs": [case.s], "outputs": [case.t]}
    order = cg.elimination_order(case.graph, **ends)
    result = ELIMINATIONS[kind](case.graph, order, **ends)
    assert matrix(result, [case.s], [case.t])[0, 0] == pytest.approx(case.sensitivity, abs=1e-12)


@given(linearized_graphs())
def test_any_order_equals_sweeps_and_path_sum_exactly(drawn):
    L, ends, order = drawn
    before = nx.DiGraph(L)
    for eliminate in ELIMINATIONS.values():
        for cost in ("standard", "unit"):
            result = eliminate(L, order, cost=cost, **ends)
            for i in ends["inputs"]:
                for o in ends["outputs"]:
                    S = result.graph.edges[i, o]["derivative"] if result.graph.has_edge(i, o) else 0
                    assert S == cg.sensitivity(L, i, o) == cg.path_sum(L, i, o)
    assert nx.utils.graphs_equal(L, before)


@given(linearized_graphs(), st.sampled_from(["standard", "unit"]))
def test_the_cost_of_an_order_is_what_elimination_performs(drawn, cost):
    L, ends, order = drawn
    claimed = cg.elimination_cost(L, order, cost=cost, **ends)
    result = cg.eliminate(L, order, cost=cost, **ends)
    assert result.multiplications == claimed
    assert result.additions <= cg.elimination_cost(L, order, **ends)
    assert cg.eliminate_edges(L, cg.as_edge_order(L, order, **ends), cost=cost, **ends).multiplications == claimed


@pytest.mark.parametrize("name", COSTS)
def test_every_order_of_a_benchmark_graph_gives_the_reference(name):
    L, ends, reference = read(name)
    shuffled = cg.intermediates(L, **ends)
    random.Random(0).shuffle(shuffled)
    methods = ("forward", "reverse", "markowitz", "relative_markowitz", "minimum_fill")
    for order in [shuffled, *(cg.elimination_order(L, method=m, **ends) for m in methods)]:
        for kind, eliminate in ELIMINATIONS.items():
            if name == "Perceptron" and kind == "faces":
                continue  # thousands of faces, one at a time
            for cost in ("standard", "unit"):
                result = eliminate(L, order, cost=cost, **ends)
                np.testing.assert_allclose(matrix(result, **ends), reference, rtol=1e-12, atol=1e-15)
                assert result.multiplications == cg.elimination_cost(L, order, cost=cost, **ends)


def test_counts_by_hand():
    # Two ways from x to y through a, b, and a second output: a costs 1*2, then b 1*1.
    L = digraph(("x", "a", 2.0), ("a", "b", 3.0), ("a", "u", 5.0), ("b", "y", 7.0), ("x", "y", 1.0))
    result = cg.eliminate(L, ["a", "b"])
    assert (result.multiplications, result.additions) == (3, 1)
    assert dict(result.graph.edges) == {
        ("x", "y"): {"derivative": 43.0},  # 2*3*7 + 1
        ("x", "u"): {"derivative": 10.0},
    }


def test_an_input_may_be_an_output_and_lie_between_others():
    L = digraph(("x", "a", 2.0), ("a", "y", 3.0))
    result = cg.eliminate(L, ["a"], inputs=["x", "a"], outputs=["a", "y"])
    assert matrix(result, ["x", "a"], ["a", "y"]).tolist() == [[2.0, 1.0], [6.0, 3.0]]
    assert result.multiplications == 1


def test_an_output_that_feeds_others_is_charged_once():
    # a before b: x-a-b 1*1, then b 1*1. The edge x-a stays for the output a and is not multiplied again.
    L = digraph(("x", "a", 2.0), ("a", "b", 3.0), ("b", "y", 5.0))
    assert cg.eliminate(L, ["a", "b"], outputs=["a", "y"]).multiplications == 2


def test_dead_ends_and_bystanders_cost_what_they_cost_and_change_nothing():
    L = digraph(("x", "a", 2.0), ("a", "y", 3.0), ("c", "a", 9.0), ("a", "dead", 9.0), ("p", "q", 9.0))
    order = cg.elimination_order(L, method="forward", inputs=["x"], outputs=["y"])
    result = cg.eliminate(L, order, inputs=["x"], outputs=["y"])
    assert dict(result.graph.edges) == {("x", "y"): {"derivative": 6.0}}


def test_an_isolated_node_is_its_own_jacobian():
    L = nx.DiGraph()
    L.add_node("x")
    assert cg.eliminate(L, ["x"]).graph.edges["x", "x"]["derivative"] == 1.0


def test_a_long_chain_does_not_recurse():
    L = nx.path_graph(5_000, create_using=nx.DiGraph)
    nx.set_edge_attributes(L, 1.0, "derivative")
    for method in ("forward", "reverse"):
        order = cg.elimination_order(L, method=method)
        assert cg.eliminate(L, order).graph.edges[0, 4_999]["derivative"] == 1.0
    assert cg.eliminate(L, order).multiplications == 4_998


def test_faces_in_an_order_of_ones_own():
    L = digraph(("x", "a", 2.0), ("w", "a", 3.0), ("a", "b", 5.0), ("b", "y", 7.0), ("b", "u", 11.0))
    faces = [(("x", "a"), ("a", "b")), (("w", "a"), ("a", "b"))]
    faces += [((s, "a", "b"), ("b", t)) for s in "xw" for t in "yu"]
    result = cg.eliminate_faces(L, faces)
    assert result.multiplications == 6
    assert matrix(result, ["x", "w"], ["y", "u"]).tolist() == [[70.0, 105.0], [110.0, 165.0]]


def test_edges_that_become_equal_in_the_dual_graph_are_added():
    # x-a-b and x-c-b are formed before the edges out of b: they meet there, and are one edge from then on.
    L = digraph(("x", "a", 2.0), ("x", "c", 3.0), ("a", "b", 5.0), ("c", "b", 7.0), ("b", "y", 11.0), ("b", "u", 13.0))
    faces = [(("x", "a"), ("a", "b")), (("x", "c"), ("c", "b"))]
    faces += [(("x", "a", "b"), ("b", t)) for t in "yu"]
    result = cg.eliminate_faces(L, faces)
    assert (result.multiplications, result.additions) == (4, 1)
    assert matrix(result, ["x"], ["y", "u"]).tolist() == [[341.0], [403.0]]  # (2*5 + 3*7) * 11 and * 13


def test_matrices_multiply_later_on_the_left_and_are_counted_by_shape():
    A, B, C = np.array([[1.0, 2.0]]), np.array([[3.0], [4.0], [5.0]]), np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 1.0]])
    L = digraph(("x", "a", A), ("a", "b", B), ("b", "y", C))  # sizes 2, 1, 3, 2
    for order, count in ((["a", "b"], 2 * 1 * 3 + 2 * 3 * 2), (["b", "a"], 1 * 3 * 2 + 2 * 1 * 2)):
        for eliminate in ELIMINATIONS.values():
            result = eliminate(L, order)
            np.testing.assert_array_equal(result.graph.edges["x", "y"]["derivative"], C @ B @ A)
            assert result.multiplications == count == cg.elimination_cost(L, order)
    assert cg.elimination_order(L, method="chain") == ["b", "a"] == cg.elimination_order(L, method="optimal")


def test_symbols_pass_through():
    sympy = pytest.importorskip("sympy")
    p, q, r = sympy.symbols("p q r")
    L = digraph(("x", "a", p), ("a", "y", q), ("x", "y", r))
    assert cg.eliminate(L, ["a"]).graph.edges["x", "y"]["derivative"] == p * q + r


def test_the_check_finds_a_planted_mistake_and_lost_digits():
    L = digraph(("x", "a", 2.0), ("a", "y", 5.0), ("x", "y", 3.0))
    result = cg.eliminate(L, ["a"])
    assert cg.check_elimination(L, result) == 0.0
    result.graph.edges["x", "y"]["derivative"] = 13.1
    with pytest.raises(cg.EvaluationError, match=r"S\(x, y\) is 13.1 by elimination and 13.0 by a sweep"):
        cg.check_elimination(L, result)
    # (1e16 + 1) - 1e16: in one order the 1 is lost.
    L = digraph(("x", "a", 1.0), ("a", "y", 1e16), ("x", "b", 1.0), ("b", "y", 1.0), ("x", "c", 1.0), ("c", "y", -1e16))
    outcomes = []
    for order in (["a", "b", "c"], ["a", "c", "b"]):
        result = cg.eliminate(L, order)
        try:
            outcomes.append(cg.check_elimination(L, result) <= 1e-9)
        except cg.EvaluationError:
            outcomes.append(False)
    assert sorted(outcomes) == [False, True]


@pytest.mark.parametrize("order", ["markowitz", "reverse", ["a"]])
def test_jacobian_by_elimination(order):
    L = digraph(("x", "a", 2.0), ("a", "y", 5.0), ("a", "u", 7.0), ("x", "y", 3.0))
    assert cg.jacobian(L, ["x"], ["y", "u"], order=order).tolist() == cg.jacobian(L, ["x"], ["y", "u"]).tolist()


def test_jacobian_repeats_what_is_asked_twice_and_is_zero_without_a_path():
    L = digraph(("x", "a", 2.0), ("a", "y", 5.0), ("p", "q", 1.0))
    order = cg.elimination_order(L, inputs=["x", "p"], outputs=["y"])
    assert cg.jacobian(L, ["x", "x", "p"], ["y"], order=order).tolist() == [[10.0, 10.0, 0.0]]


@given(linearized_graphs())
def test_simplification_leaves_the_jacobian(drawn):
    L, ends, _ = drawn
    for smaller in (
        cg.drop_zero_edges(L),
        cg.drop_useless(L, **ends),
        cg.merge_copies(L, **ends),
        cg.merge_copies(cg.drop_useless(cg.drop_zero_edges(L), **ends), **ends),
    ):
        assert set(smaller) <= set(L)
        for i in ends["inputs"]:
            for o in ends["outputs"]:
                assert cg.sensitivity(smaller, i, o) == cg.sensitivity(L, i, o)


def test_merging_adds_to_the_edge_that_is_there_and_keeps_attributes():
    L = digraph(("x", "a", 2.0), ("a", "b", 1.0), ("b", "y", 5.0), ("a", "y", 3.0), ("b", "u", -1.0))
    L.edges["a", "b"]["unit"] = L.edges["b", "u"]["unit"] = True
    merged = cg.merge_copies(L)
    assert dict(merged.edges["a", "y"]) == {"derivative": 8.0, "unit": False}
    assert dict(merged.edges["a", "u"]) == {"derivative": -1.0, "unit": True}


def graph():
    return digraph(("x", "a", 2.0), ("a", "b", 3.0), ("b", "y", 5.0))


BAD = {
    "an unknown node": (lambda: cg.eliminate(graph(), ["a", "bb"]), cg.NodeNotFound, "no node 'bb'.*did you mean 'b'"),
    "a node twice": (lambda: cg.eliminate(graph(), ["a", "a"]), cg.OrderError, "'a' stands twice.*position 1"),
    "a node missing": (lambda: cg.eliminate(graph(), ["a"]), cg.OrderError, "lacks 1 of 2 intermediate nodes: 'b'"),
    "an input": (lambda: cg.eliminate(graph(), ["x", "a", "b"]), cg.OrderError, "'x' is an input or an output"),
    "a method": (lambda: cg.eliminate(graph(), "reverse"), cg.OrderError, r"elimination_order\(L, method='reverse'\)"),
    "one text": (lambda: cg.eliminate(graph(), ["a", "b"], inputs="x"), cg.CGraphError, r"inputs=\['x'\]"),
    "an unknown input": (lambda: cg.intermediates(graph(), inputs=["xx"]), cg.NodeNotFound, "no node 'xx'"),
    "an unknown cost": (lambda: cg.elimination_order(graph(), cost="flops"), cg.CGraphError, "one of: standard, unit"),
    "an unknown method": (lambda: cg.elimination_order(graph(), method="best"), cg.CGraphError, "forward, reverse, mark"),
    "an unknown method of jacobian": (
        lambda: cg.jacobian(graph(), ["x"], ["y"], order="best"), cg.CGraphError, "forward, reverse, markowitz",
    ),
    "a bad budget": (
        lambda: cg.elimination_order(graph(), method="anneal", budget="soon"), cg.CGraphError, "time like '10s'",
    ),
    "a float budget": (lambda: cg.elimination_order(graph(), method="anneal", budget=1.5), cg.CGraphError, "1.5"),
    "no budget": (lambda: cg.elimination_order(graph(), method="anneal", budget=0), cg.CGraphError, "a positive one"),
    "nodes for edges": (lambda: cg.eliminate_edges(graph(), ["a", "b"]), cg.OrderError, "^'a' is no edge with a side"),
    "pairs for edges": (lambda: cg.eliminate_edges(graph(), [("x", "a")]), cg.OrderError, "as_edge_order makes them"),
    "numbers for edges": (lambda: cg.eliminate_edges(graph(), [1]), cg.OrderError, "^1 is no edge"),
    "nodes for faces": (lambda: cg.eliminate_faces(graph(), ["a", "b"]), cg.OrderError, "^'a' is no face"),
    "an edge for a face": (lambda: cg.eliminate_faces(graph(), [("x", "a")]), cg.OrderError, "as_face_order makes them"),
    "a missing derivative": (
        lambda: cg.eliminate(nx.DiGraph([("x", "y")]), []), cg.MissingDerivativeError, "'x' -> 'y' has no 'derivative'",
    ),
    "nan": (lambda: cg.eliminate(digraph(("x", "y", float("nan"))), []), cg.DerivativeError, "'x' -> 'y' holds nan"),
    "a cycle": (lambda: cg.eliminate(digraph(("a", "b", 1.0), ("b", "a", 1.0)), []), cg.CycleError, "a -> b -> a"),
    "a multigraph": (lambda: cg.eliminate(nx.MultiDiGraph(), []), cg.CGraphError, "networkx.DiGraph is needed"),
    "an overflow": (
        lambda: cg.eliminate(digraph(("x", "a", 1e200), ("a", "y", 1e200)), ["a"]), cg.EvaluationError, r"S\(x, y\)",
    ),
    "no chain": (
        lambda: cg.elimination_order(digraph(("x", "a", 1.0), ("z", "a", 1.0), ("a", "y", 1.0)), method="chain"),
        cg.OrderError, "node 'a' has 2 edges in and 1 out",
    ),
    "matrices that do not fit": (
        lambda: cg.eliminate(digraph(("x", "a", np.ones((2, 1))), ("a", "y", np.ones((1, 3)))), ["a"]),
        cg.DerivativeError, "'a' -> 'y' holds a 1 x 3 Jacobian, but 'a' has 2 entries",
    ),
    "a matrix with nan": (
        lambda: cg.eliminate(digraph(("x", "y", np.array([[np.nan]]))), []), cg.DerivativeError, "empty or not finite",
    ),
    "an edge that is not there": (
        lambda: cg.eliminate_edges(graph(), [("x", "b", "front")]), cg.OrderError, "there is no edge 'x' -> 'b'",
    ),
    "an edge with no front": (
        lambda: cg.eliminate_edges(graph(), [("b", "y", "front")]), cg.OrderError, "eliminate it at 'back'",
    ),
    "an edge with no back": (
        lambda: cg.eliminate_edges(graph(), [("x", "a", "back")]), cg.OrderError, "eliminate it at 'front'",
    ),
    "no side": (
        lambda: cg.eliminate_edges(graph(), [("x", "a", "left")]), cg.OrderError, "at 'left'; write 'front' or 'back'",
    ),
    "edges left": (
        lambda: cg.eliminate_edges(graph(), [("x", "a", "front")]), cg.OrderError, "before node 'b' is eliminated",
    ),
    "a face that is not there": (
        lambda: cg.eliminate_faces(graph(), [(("x", "a"), ("b", "y"))]), cg.OrderError, "there is no face",
    ),
    "faces left": (
        lambda: cg.eliminate_faces(graph(), [(("x", "a"), ("a", "b"))]), cg.OrderError, "the order ends before the face",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_by_name(name):
    call, error, message = BAD[name]
    with pytest.raises(error, match=message):
        call()


def test_a_marked_edge_that_is_not_one_is_refused():
    L = graph()
    L.edges["a", "b"]["unit"] = True
    assert cg.elimination_order(L) == ["a", "b"]  # under the standard cost the mark is not read
    with pytest.raises(cg.DerivativeError, match=r"'a' -> 'b' is marked 'unit' and holds 3\.0"):
        cg.elimination_order(L, cost="unit")
