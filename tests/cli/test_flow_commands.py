"""The commands of the analyst: edges, effects, elasticities, several ends, order, what if."""

import json
from pathlib import Path

import pytest

EQUATIONS = ["-e", "a = 2*x; b = -5*x; y = a + b + z", "--at", "x=1", "--at", "z=4"]


def data(run, *arguments):
    status, out, err = run(*arguments, "--format", "json")
    assert (status, err) == (0, "")
    return json.loads(out)


def test_edges_are_sorted_by_what_flows_through_them(run):
    edges = [*EQUATIONS, "--from", "x", "--to", "y"]
    flows = {(e["from"], e["to"]): e["flow"] for e in data(run, "edges", *edges)["edges"]}
    assert flows == {("x", "a"): 2.0, ("a", "y"): 2.0, ("x", "b"): -5.0, ("b", "y"): -5.0}
    order = {
        by: [e["flow"] for e in data(run, "edges", *edges, "--sort", by)["edges"]] for by in ("abs", "flow", "name")
    }
    assert order == {"abs": [-5.0, -5.0, 2.0, 2.0], "flow": [2.0, 2.0, -5.0, -5.0], "name": [2.0, -5.0, 2.0, -5.0]}
    assert len(data(run, "edges", *edges, "--top", "2")["edges"]) == 2
    _, out, _ = run("edges", *edges, "--top", "2")
    assert out.splitlines()[0] == "S(x, y) = -3, which flows through 4 edges; the 2 strongest:"
    _, out, _ = run("edges", *EQUATIONS, "--from", "y", "--to", "x")
    assert out == "S(y, x) = 0, for there is no path\n"


def test_edges_as_csv(run):
    _, out, _ = run("edges", *EQUATIONS, "--from", "z", "--format", "csv")
    assert out == "source,target,from,to,flow\nz,y,z,y,1.0\n"


def test_effects(run):
    assert data(run, "effects", *EQUATIONS)["effects"] == [
        {"from": "x", "to": "y", "direct": 0.0, "indirect": -3.0, "total": -3.0},
        {"from": "z", "to": "y", "direct": 1.0, "indirect": 0.0, "total": 1.0},
    ]


def test_several_ends_add_up(run):
    found = data(run, "sensitivity", *EQUATIONS, "--from", "x", "--from", "z", "--to", "a", "--to", "y")
    assert [(r["from"], r["to"], r["sensitivity"]) for r in found["sensitivities"]] == [
        ("x", "a", 2.0), ("x", "y", -3.0), ("z", "a", 0.0), ("z", "y", 1.0),
    ]  # fmt: skip
    assert [p["to"] for p in data(run, "paths", *EQUATIONS, "--from", "x", "--to", "a", "--to", "b")["pairs"]] == [
        "a",
        "b",
    ]
    assert len(data(run, "sensitivity", *EQUATIONS, "--to", "a", "--to", "y")["sensitivities"]) == 10


def test_relative_adds_elasticities(run):
    pair = data(run, "paths", *EQUATIONS, "--from", "x", "--relative")["pairs"][0]
    assert [(p["product"], p["elasticity"]) for p in pair["paths"]] == [(2.0, 2.0), (-5.0, -5.0)]
    _, out, _ = run("sensitivity", *EQUATIONS, "--from", "z", "--to", "y", "--relative")
    assert out == "S(z, y) = 1; elasticity 4\n"
    assert data(run, "effects", *EQUATIONS, "--from", "z", "--relative")["effects"][0]["elasticity"] == 4.0
    status, _, err = run("sensitivity", "-e", "y = x - x", "--at", "x=1", "--relative")
    assert status == 4
    assert err == "cgraph: error: node 'y' is 0, or has an entry of 0, and no change of it can be given in per cent\n"


def test_sensitivities_are_sorted_and_cut(run):
    to_y = [*EQUATIONS, "--to", "y"]
    by_size = data(run, "sensitivity", *to_y, "--sort", "abs")["sensitivities"]
    assert by_size[0]["from"] == "x"
    assert [r["from"] for r in data(run, "sensitivity", *to_y, "--sort", "name")["sensitivities"]] == list("abxyz")
    assert [r["from"] for r in data(run, "sensitivity", *to_y, "--top", "1")["sensitivities"]] == ["x"]


def test_a_held_node_is_an_input(run):
    values = {v["node"]: v["value"] for v in data(run, "eval", *EQUATIONS, "--hold", "a=10")["values"]}
    assert values == {"x": 1.0, "z": 4.0, "a": 10.0, "b": -5.0, "y": 9.0}
    _, out, _ = run("sensitivity", *EQUATIONS, "--hold", "a=10", "--from", "x", "--to", "y")
    assert out == "S(x, y) = -5\n"


def test_a_page_of_a_held_node(run, tmp_path):
    status, _, _ = run("page", *EQUATIONS, "--hold", "a=10", "-o", tmp_path / "page.html")
    assert status == 0
    assert "2*x" not in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--hold", "x=1"], "node 'x' cannot be held: it is no computed node but an input"),
        (["--hold", "q=1"], "no node 'q' in the graph"),
        (["--hold", "a=1", "--hold", "a=2"], "--hold sets 'a' twice"),
        (["--hold", "a"], "'a' is not NAME=NUMBER"),
    ],
)
def test_what_cannot_be_held(run, option, message):
    status, out, err = run("eval", *EQUATIONS, *option)
    assert (status, out) == (2, "")
    assert message in err


def test_no_command_prints_the_help(run):
    status, out, err = run()
    assert (status, out) == (2, "")
    assert err.startswith("usage: cgraph")
    assert "list the paths from node to node" in err


def test_the_help_is_as_wide_as_the_terminal(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    _, narrow, _ = run("sensitivity", "--help")
    monkeypatch.setenv("COLUMNS", "200")
    _, wide, _ = run("sensitivity", "--help")
    assert max(map(len, narrow.splitlines())) <= 80 < max(map(len, wide.splitlines())) <= 100


@pytest.fixture
def supply(tmp_path):
    path = tmp_path / "supply.csv"
    path.write_text("source,target,slope\nrain,crop,0.5\ncrop,price,-2\nrain,price,0.25\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("command", ["sensitivity", "paths", "edges", "effects"])
def test_a_file_of_edges_whose_numbers_have_a_name_of_their_own(run, supply, command):
    ends = ["--from", "rain", "--to", "price"]
    status, out, _ = run(command, supply, *ends, "--derivative", "slope")
    assert status == 0
    assert "-0.75" in out
    status, out, err = run(command, supply, *ends)
    assert (status, out) == (3, "")
    assert (
        "there is no column 'derivative' or 'weight' for the derivative; the columns are source, target, slope" in err
    )
    assert "name the right one with --derivative" in err


def test_a_drawing_a_chart_and_a_page_of_such_a_file(run, supply, tmp_path):
    pytest.importorskip("matplotlib")
    pytest.importorskip("pygraphviz")
    ends = ["--from", "rain", "--to", "price", "--derivative", "slope"]
    status, out, _ = run("draw", supply, *ends, "--format", "mermaid")
    assert (status, '"rain<br/>S = −0.75"' in out) == (0, True)
    assert run("paths", supply, *ends, "--chart", tmp_path / "chart.svg")[0] == 0
    assert run("page", supply, *ends, "-o", tmp_path / "page.html")[0] == 0
    assert run("draw", supply, *ends, "-o", tmp_path / "picture.svg")[0] == 0


@pytest.mark.parametrize("graph", [EQUATIONS, [Path(__file__).parent.parent.parent / "examples/dd2424/chain.yaml"]])
def test_what_has_no_columns_takes_no_name_of_one(run, graph):
    status, out, err = run("sensitivity", *graph, "--derivative", "slope")
    assert (status, out) == (2, "")
    assert "--derivative names a column of a file of edges; this is none" in err


def test_eval_of_a_graph_of_derivatives_says_why_it_prints_nothing(run, tmp_path):
    edges = tmp_path / "edges.csv"
    edges.write_text("source,target,derivative\na,b,2\n")
    message = "cgraph: no node has a value: the graph gives derivatives only\n"
    assert run("eval", edges, "--format", "csv") == (0, "node,value\n", message)


def test_a_missing_column_for_an_end(run, tmp_path):
    edges = tmp_path / "edges.csv"
    edges.write_text("quelle,ziel,derivative\na,b,2\n")
    status, _, err = run("show", edges)
    assert status == 3
    assert (
        "for the sources of the edges; the columns are quelle, ziel, derivative; rename the column that holds it" in err
    )


def test_a_decimal_comma_in_a_table_of_edges(run, tmp_path):
    edges = tmp_path / "edges.csv"
    edges.write_text("source;target;derivative\na;b;0,5\n")
    status, _, err = run("show", edges)
    assert status == 3
    assert "'0,5' is not a finite number; the decimal sign is a point" in err
