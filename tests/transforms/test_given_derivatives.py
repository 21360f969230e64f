"""Graphs of given derivatives, and nodes with other names than text, through transforms and worked solutions."""

import numpy as np
import pytest

import cgraph as cg


def given(*edges):
    G = cg.ComputationalGraph()
    for i, j, z in edges:
        G.add_edge(i, j, derivative=z)
    return G


def test_a_node_that_lost_its_edges_is_no_input(tmp_path):
    G = given(("x", "a", 0.0), ("a", "y", 2.0), ("x", "y", 3.0))
    H = cg.drop_zero_edges(G)
    assert H.inputs == G.inputs == ["x"]
    assert list(H.edges) == [("x", "y"), ("a", "y")]
    cg.write_spec(H, tmp_path / "dropped.yaml")
    assert cg.sensitivity(cg.read_spec(tmp_path / "dropped.yaml"), "x", "y") == 3.0


def test_a_constant_without_a_value_or_an_edge_is_not_written(tmp_path):
    H = cg.drop_zero_edges(given(("x", "a", 0.0)))
    with pytest.raises(cg.MissingValueError, match="^constant 'a' has no value; a spec needs one$"):
        cg.write_spec(H, tmp_path / "dropped.yaml")


def test_nodes_named_by_whole_numbers():
    G = given((1, 2, 3.0), (2, 3, 5.0))
    G.nodes[1]["value"] = 2.0
    for transform in (cg.merge_nodes, cg.scalarize, cg.expand, cg.split_nodes, cg.drop_zero_edges):
        H = transform(G)
        ends = (1, 3) if 1 in H else ("1.in", "3.out")
        assert cg.sensitivity(H, *ends) == 15.0, transform.__name__
    split = given((1, 2, np.array([[3.0, 1.0]])))
    assert cg.sensitivity(cg.scalarize(split), "1[1]", "2[0]") == 1.0


def test_a_solution_of_a_node_by_itself():
    for G in (given(("x", "y", 3.0)), cg.from_equations("y = x^2", x=3.0)):
        solution = cg.solve(G, "x", "x")
        assert [(step.node, step.total) for step in solution.steps] == [("x", 1)]


@pytest.mark.parametrize("title", ["a\x01b", "bell\x07", "\x85", 5, ["x"]])
def test_a_title_that_could_not_be_read_again_is_not_written(title, tmp_path):
    G = cg.from_equations("y = x^2", x=1.0)
    G.graph["title"] = title
    with pytest.raises(cg.CGraphError, match="^the title .* is no text without control characters"):
        cg.write_spec(G, tmp_path / "titled.yaml")
    assert not (tmp_path / "titled.yaml").exists()


@pytest.mark.parametrize("ending", ["yaml", "json", "toml"])
def test_other_titles_are_read_again(ending, tmp_path):
    G = cg.from_equations("y = x^2", x=1.0)
    G.graph["title"] = "two\nlines,\ta tab, \u2028 and \U0001f600"
    cg.write_spec(G, tmp_path / f"titled.{ending}")
    assert cg.read_spec(tmp_path / f"titled.{ending}").graph["title"] == G.graph["title"]
