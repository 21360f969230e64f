"""A graph of arrays and the graph of their entries: the same numbers, entry by entry."""

import numpy as np
import pytest
from hypothesis import given, settings
from networks import networks
from test_properties import equation_graphs
from test_transforms import structure
from vectors import ROWS, elementwise_equation, entries, vector_graphs

import cgraph as cg
from cgraph.model.operations import OPERATIONS


def names_of(i, value):
    """Return the names of the entries of node i, by rows."""
    if np.ndim(value) == 0:
        return [i]
    return [f"{i}[{','.join(map(str, entry))}]" for entry in np.ndindex(np.shape(value))]


def assert_same_entries(G, H=None):
    """Every value, every S and every gradient of `G` are those of the graph of its entries."""
    H = cg.scalarize(G) if H is None else H
    L, M = cg.linearize(G), cg.linearize(H)
    assert all(isinstance(data["value"], float) for _, data in M.nodes(data=True))
    names = {i: names_of(i, value) for i, value in L.nodes(data="value")}
    for i, value in L.nodes(data="value"):
        found = [M.nodes[name]["value"] for name in names[i]]
        np.testing.assert_allclose(found, np.ravel(value), rtol=1e-9, atol=1e-12)
    for t in L:
        S = cg.sensitivities(L, t)
        for r, name in enumerate(names[t]):
            of_entry = cg.sensitivities(M, name)
            for i in L:
                row = np.atleast_2d(S[i])[r]
                np.testing.assert_allclose([of_entry[c] for c in names[i]], row, rtol=1e-7, atol=1e-9, err_msg=f"S({i}, {t})")
    return H


@pytest.mark.parametrize(("equation", "a", "b"), [case for cases in ROWS.values() for case in cases])
def test_every_array_operation(equation, a, b):
    assert_same_entries(cg.from_equations(f"y = {equation}", a=entries(a, 1), b=entries(b, 2)))


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("shapes", [[(2, 3), (3,), ()], [(2, 1), (1, 2), (2,)], [(), (2,), (2,)]], ids=str)
def test_every_elementwise_operation(name, shapes):
    row = OPERATIONS[name]
    values = dict(zip("abc", [entries(shape, k) for k, shape in enumerate(shapes)], strict=True))
    operands = [f"sin({i})" for i in "abc"][: len(row.derivatives)]
    read = {i: values[i] for i in "abc"[: len(row.derivatives)]}
    assert_same_entries(cg.from_equations(f"y = {elementwise_equation(name, operands)}", **read))


@settings(max_examples=60, deadline=None)
@given(vector_graphs())
def test_random_graphs(G):
    assert_same_entries(G)
