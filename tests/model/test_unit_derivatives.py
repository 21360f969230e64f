"""Derivatives that are +1 or -1 by structure: marks on edges, and what they save."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cgraph as cg
from cgraph.algorithms.exact import linearize_exactly
from cgraph.model.evaluation import unlinearized


def marked(text, **inputs):
    L = cg.linearize(cg.from_equations(text, **inputs))
    return {(i, j): L.edges[i, j]["derivative"] for i, j in L.edges if "unit" in L.edges[i, j]}


@pytest.mark.parametrize(
    ("equation", "units"),
    [
        ("x + z", {"x": 1, "z": 1}),
        ("x - z", {"x": 1, "z": -1}),
        ("-(x - z)", {"x": -1, "z": 1}),
        ("x - 3", {"x": 1}),
        ("0.5*(2*x) + z^2", {"x": 1}),
        ("x/1 - z*1", {"x": 1, "z": -1}),
        ("x*z", {}),
        ("x + x*z", {}),
        ("x + x - z", {"z": -1}),
        ("2*x - x + sin(z)", {"x": 1}),
        ("relu(x) + abs(z)", {}),
        ("x^1 + max(z, 0)", {}),
        ("sin(x) + z", {"z": 1}),
    ],
)
def test_what_is_marked(equation, units):
    assert marked(f"y = {equation}", x=1.0, z=1.0) == {(i, "y"): z for i, z in units.items()}


@given(
    st.lists(
        st.sampled_from(["x + z", "x - z", "x*z", "-x", "z + 2", "sin(x) - z", "x/2 + x/2"]), min_size=1, max_size=5
    )
)
def test_marks_hold_at_every_point_and_save_multiplications(equations):
    text, x = "", "x"
    for k, equation in enumerate(equations):
        text += f"v{k} = {equation.replace('x', x)}\n"
        x = f"v{k}"
    first, second = (cg.linearize(cg.from_equations(text, x=x0, z=z0)) for x0, z0 in ((0.3, 0.7), (-1.2, 0.4)))
    for i, j, data in first.edges(data=True):
        assert data.get("unit") == second.edges[i, j].get("unit")
        if "unit" in data:
            assert data["derivative"] == second.edges[i, j]["derivative"]
    order = cg.elimination_order(first)
    standard, unit = (cg.eliminate(first, order, cost=cost) for cost in ("standard", "unit"))
    assert unit.multiplications <= standard.multiplications
    cg.check_elimination(first, unit)


def test_arrays_and_neurons_are_not_marked():
    assert marked("y = sum(x + z)", x=[1.0, 2.0], z=[1.0, 1.0]) == {}
    G = cg.ComputationalGraph()
    G.add_input("x", 1.0)
    G.add_neuron("h", activation="identity", weights={"x": 1.0})
    assert "unit" not in cg.linearize(G).edges["x", "h"]


def test_a_mark_goes_with_the_derivative():
    G = cg.from_equations("a = x + z; y = a*x", x=1.0, z=2.0)
    L = cg.linearize(G)
    assert L.edges["x", "a"]["unit"] is True
    assert "unit" not in unlinearized(L).edges["x", "a"]
    assert linearize_exactly(G).edges["x", "a"] == {"derivative": Fraction(1), "unit": True}


def test_what_is_added_past_a_node_is_marked_no_longer():
    L = cg.linearize(cg.from_equations("a = x^2; y = a + x", x=3.0))
    assert L.edges["x", "y"]["unit"] is True
    H = cg.bypass(L, ["a"])
    assert dict(H.edges["x", "y"]) == {"derivative": 7.0}
    assert cg.elimination_order(H, cost="unit") == []


def test_counts_without_marks_in_the_data():
    L = cg.linearize(cg.from_equations("a = x - z; b = a + z; c = b*x; y = c - a", x=2.0, z=3.0))
    order = ["a", "b", "c"]
    assert (cg.elimination_cost(L, order), cg.elimination_cost(L, order, cost="unit")) == (8, 1)
    result = cg.eliminate(L, order, cost="unit")
    assert result.multiplications == 1
    cg.check_elimination(L, result)
