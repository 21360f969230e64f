"""An elimination that was recorded gives the Jacobian of other numbers."""

import networkx as nx
import numpy as np
import pytest
from cases import CASES
from elimination_graphs import read
from hypothesis import given
from hypothesis import strategies as st
from random_graphs import weighted_dags

import cgraph as cg


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_hand_computed_cases(case):
    C = cg.compile_graph(case.graph)
    assert C.jacobian([case.s], [case.t], order="markowitz")[0, 0] == pytest.approx(case.sensitivity)


@given(weighted_dags(st.floats(-3, 3)), st.data())
def test_new_numbers_on_the_same_structure(G, data):
    nodes = st.lists(st.sampled_from(sorted(G)), min_size=1, max_size=3, unique=True)
    sources, targets = data.draw(nodes), data.draw(nodes)
    method = data.draw(st.sampled_from(["forward", "reverse", "markowitz", "minimum_fill"]))
    C = cg.compile_graph(G)
    for _ in range(2):
        assert C.jacobian(sources, targets, order=method) == pytest.approx(cg.jacobian(G, sources, targets), abs=1e-12)
        z = [data.draw(st.floats(-3, 3)) for _ in G.edges]
        C.update(z)
        nx.set_edge_attributes(G, dict(zip(G.edges, z, strict=True)), "derivative")
    assert C.jacobian(sources, targets, order=method) == pytest.approx(cg.jacobian(G, sources, targets), abs=1e-12)


def test_the_steps_are_the_multiplications_of_the_order():
    L, ends, reference = read("Helmholtz")
    order = cg.elimination_order(L, method="optimal", **ends)
    C = cg.compile_graph(L)
    J = C.jacobian(ends["inputs"], ends["outputs"], order=order)
    assert J == pytest.approx(np.array(reference), rel=1e-12)
    (plan,) = C._plans.values()
    result = cg.eliminate(L, order, **ends)
    assert sum(is_product for is_product, _, _ in plan.steps) == result.multiplications == 33
    assert len(plan.steps) == result.multiplications + result.additions
    C.jacobian(ends["inputs"], ends["outputs"], order=order)
    assert list(C._plans.values()) == [plan]  # recorded once


def test_parallel_edges_add_up():
    C = cg.CompiledGraph.from_edges([0, 0, 1, 0], [1, 1, 2, 2], [2.0, 3.0, 5.0, 7.0])
    assert C.jacobian([0], [2], order=[1]).tolist() == [[32.0]]


def test_mistakes():
    C = cg.CompiledGraph.from_edges([0, 1], [1, 2], [1e200, 1e200])
    with pytest.raises(cg.EvaluationError, match="^the Jacobian overflows"):
        C.jacobian([0], [2], order="reverse")
    with pytest.raises(cg.OrderError):
        C.jacobian([0], [2], order=[])
    with pytest.raises(cg.CGraphError, match="there is no method 'fastest'"):
        C.jacobian([0], [2], order="fastest")
    with pytest.raises(cg.NodeNotFound):
        C.jacobian([9], [2], order="reverse")
