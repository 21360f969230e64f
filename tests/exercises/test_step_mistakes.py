"""What mistakes lead to at the steps of a page."""

from fractions import Fraction

import networkx as nx
import pytest
from hypothesis import given, settings
from networks import networks
from random_graphs import equation_graphs

import cgraph as cg
from cgraph.exercises.tolerances import parse_tolerance


def quiz():
    return cg.linearize(cg.from_equations("a = x*z; y = a + x", x=2.0, z=3.0))


def test_what_is_known_of_a_quiz():
    known = cg.step_mistakes(quiz(), "x", "y", 5).known
    assert {kind for kind, *_ in known} == {"y", "z", "S", "p"}
    assert ("S", "y") not in known  # dy/dy is 1
    # a = 6: x + z; z(x,a) = z = 3: the sign; S(x,y) = z + 1: a path left out; both paths, multiplied.
    assert (-3.0, "the sign is wrong") in known["z", "x", "a"]
    assert (3.0, "the path x -> y was left out of the sum") in known["S", "x"]
    assert (3.0, "the products of the paths were multiplied instead of added") in known["S", "x"]
    assert all(number != 4.0 for number, *_ in known["S", "x"])


def test_mistakes_of_weights():
    G = cg.ComputationalGraph()
    G.add_input("x", 2.0)
    G.add_neuron("h", activation="identity", weights={"x": 3.0}, bias=1.0)
    G.add_equation("J", "h^2")
    known = cg.step_mistakes(cg.linearize(G), "x", "J", 5).known
    # dJ/dw = 14 * 1 * 2
    assert (14.0, "the upstream value y(x) was left out") in known["w", "x", "h"]
    assert (42.0, "the weight w(x,h) was used instead of the upstream activation y(x)") in known["w", "x", "h"]
    assert ("w", "+1", "h") in known


def test_pairs_of_mistakes_are_worked_out_in_small_graphs_alone():
    assert any(len(mistakes) == 2 for _, *mistakes in cg.step_mistakes(quiz(), "x", "y", 5).known["S", "x"])
    G = cg.from_equations("; ".join(["v0 = sin(x)", *(f"v{k} = sin(v{k - 1}) + x" for k in range(1, 15))]), x=0.3)
    L = cg.linearize(G)
    assert L.number_of_edges() > 25
    known = cg.step_mistakes(L, "x", "v14", 5).known
    assert known
    assert all(len(mistakes) == 1 for of_one in known.values() for _, *mistakes in of_one)


def test_a_graph_that_is_no_computational_graph_has_none():
    G = nx.DiGraph()
    G.add_edge("x", "y", derivative=2.0)
    assert cg.step_mistakes(G, "x", "y", 5).known == {}


@pytest.mark.parametrize(
    "equations", ["y = logsumexp(stack(x, x))", "y = relu(x)", "y = max(x, 3)", "a = stack(x, 2*x); y = sum(a)"]
)
def test_any_operation(equations):
    cg.step_mistakes(cg.linearize(cg.from_equations(equations, x=0.5)), "x", "y", 5)


@settings(max_examples=15)
@given(equation_graphs() | networks())
def test_what_would_be_right_is_no_mistake(G):
    L = cg.linearize(G)
    s, t = L.inputs[0], L.outputs[0]
    tolerance = parse_tolerance("3sf")
    for (kind, *nodes), candidates in cg.step_mistakes(L, s, t, 5).known.items():
        if kind == "S":
            S = Fraction(repr(cg.sensitivity(L, nodes[0], t)))
            assert not any(tolerance.accepts(S, Fraction(repr(number))) for number, *_ in candidates if S)
