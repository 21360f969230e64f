"""Uncertainty in specs and at the shell: what is read, written, printed and refused."""

import csv
import io
import json
from pathlib import Path

import pytest

import cgraph as cg

EXAMPLES = Path(__file__).parent.parent.parent / "examples" / "metrology"
RESISTANCE = """\
inputs: {V: 10.0, I: 2.0}
nodes: {R: V / I}
uncertainty: {V: 3%, I: {uniform: 0.1, dof: 9}}
correlation: {V ~ I: 0.5}
units: {R: ohm}
"""


def read(text):
    return cg.read_spec(io.StringIO(text))


def test_what_a_spec_says_is_the_default():
    L = cg.linearize(read(RESISTANCE))
    by_spec = cg.uncertainty_budget(L, ["R"])
    by_hand = cg.uncertainty_budget(L, ["R"], {"V": 0.3, "I": {"uniform": 0.1, "dof": 9}}, {("V", "I"): 0.5})
    assert by_spec.standard == by_hand.standard
    assert by_spec.dof == by_hand.dof
    assert by_spec.show("R") == "5.00(15) ohm"
    assert cg.uncertainty_budget(L, ["R"], {"V": 0.3}, {}).standard["R"] == pytest.approx(0.15)


@pytest.mark.parametrize("format", ["yaml", "json", "toml"])
@pytest.mark.parametrize(
    "spec", sorted(p for p in EXAMPLES.iterdir() if p.suffix in {".yaml", ".toml"}), ids=lambda p: p.stem
)
def test_a_spec_is_written_and_read_back(spec, format):
    G = cg.read_spec(spec)
    stream = io.StringIO()
    cg.write_spec(G, stream, format=format)
    H = cg.read_spec(io.StringIO(stream.getvalue()), format=format)
    targets = [t for t in G.outputs if t != "s"]
    before, after = (cg.uncertainty_budget(cg.linearize(each), targets) for each in (G, H))
    assert before.standard == pytest.approx(after.standard, rel=1e-12)
    assert before.dof == pytest.approx(after.dof)
    assert H.graph.get("units") == G.graph.get("units")


def test_a_covariance_matrix_in_a_spec():
    text = "inputs: {a: 1, b: 2}\nnodes: {y: a - b}\n"
    G = read(text + "correlation: {nodes: [a, b], covariance: [[4, 3], [3, 9]]}\n")
    assert cg.uncertainty_budget(cg.linearize(G), ["y"]).standard["y"] ** 2 == pytest.approx(7.0)
    stream = io.StringIO()
    cg.write_spec(G, stream)
    H = read(stream.getvalue())
    assert cg.uncertainty_budget(cg.linearize(H), ["y"]).standard["y"] ** 2 == pytest.approx(7.0)


def test_the_uncertainty_survives_a_transform():
    L = cg.expand(cg.linearize(read(RESISTANCE)))
    assert cg.uncertainty_budget(L, ["R"]).standard["R"] == pytest.approx(0.14725, abs=1e-5)


BAD = {
    "inputs: {x: 1}\nnodes: {y: x}\nuncertainty: {x: -1}": (
        "<text>:3:18: error: the standard uncertainty of 'x' is -1; it must not be negative"
    ),
    "inputs: {x1: 1}\nnodes: {y: x1}\nuncertainty: {x_1: 1}": (
        "<text>:3:15: error: node 'x_1' is not defined\n"
        "    3 | uncertainty: {x_1: 1}\n      |               ^\n  hint: did you mean 'x1'?"
    ),
    "inputs: {x: 1}\nnodes: {y: x}\nuncertainty: {y: 1}": (
        "<text>:3:15: error: node 'y' is computed; uncertainties belong to inputs, weights and constants"
    ),
    "inputs: {x: 1}\nnodes: {y: x}\nunits: {y: 3}": (
        "<text>:3:12: error: the unit of 'y' must be text, as in mV, not 3"
    ),
    "readings: {x: [1]}\nnodes: {y: x}": (
        "<text>:1:15: error: the readings of 'x' must be a list of two or more finite numbers"
    ),
    "readings: {x: [1, 2]}\nnodes: {y: x}\nuncertainty: {x: 1}": (
        "<text>:3:15: error: the uncertainty of 'x' follows from its readings"
    ),
    "inputs: {x: 1, z: 1}\nnodes: {y: x + z}\nuncertainty: {x: 1, z: 1}\ncorrelation: {x ~ z: 1.5}": (
        "<text>:4:1: error: the correlation of 'x' and 'z' is 1.5; it must lie between -1 and 1"
    ),
    "inputs: {x: 1}\nnodes: {y: x}\nuncertainty: [1]": (
        "<text>:3:14: error: 'uncertainty' must be a mapping from names, not a list"
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", BAD)
def test_mistakes_in_a_spec_are_placed(text):
    with pytest.raises(cg.SpecError) as error:
        read(text)
    assert str(error.value).startswith(BAD[text])


def test_the_budget_by_input(run):
    status, out, err = run("budget", EXAMPLES / "gauge_block.yaml", "--probability", "0.99")
    assert (status, err) == (0, "")
    assert out.splitlines()[0] == "l = 50000838(32) nm; U = 92.5 with k = 2.92 for 99%; 16 effective degrees of freedom"
    assert ["l_s", "25", "62.3%"] in [line.split() for line in out.splitlines()]


@pytest.mark.parametrize("by", ["input", "group", "node", "edge", "path"])
@pytest.mark.parametrize("format", ["text", "json", "csv", "markdown", "latex"])
def test_every_part_in_every_format(run, by, format):
    status, out, err = run(
        "budget", EXAMPLES / "impedance.yaml", "--to", "Z", "--by", by, "--group", "electrical=V,I", "--format", format
    )
    assert (status, err) == (0, "")
    if format == "json":
        (data,) = json.loads(out)["budgets"]
        assert data["standard"] == pytest.approx(0.236, abs=1e-3)
        if by in {"input", "group"}:
            assert sum(row["share"] for row in data["rows"]) == pytest.approx(1.0)
    if format == "csv":
        rows = list(csv.DictReader(io.StringIO(out)))
        assert rows
        assert {row["to"] for row in rows} == {"Z"}


def test_random_points_and_second_order(run):
    status, out, _ = run(
        "budget", EXAMPLES / "gauge_block.yaml", "--order", "2", "--samples", "30000", "--format", "json"
    )
    assert status == 0
    (data,) = json.loads(out)["budgets"]
    assert data["standard"] == pytest.approx(33.8, abs=0.1)
    assert data["monte_carlo"]["standard"] == pytest.approx(35.3, abs=1)
    status, out, _ = run("budget", EXAMPLES / "gauge_block.yaml", "--order", "2", "--samples", "30000")
    assert "terms of second order add 140 to the variance; 30,000 random points: u = 3" in out
    status, out, _ = run("budget", "-e", "y = 2*x", "--at", "x=1", "--samples", "30000")
    assert status == 4


def test_the_chart(run, tmp_path):
    pytest.importorskip("matplotlib")
    status, _, err = run("budget", EXAMPLES / "cadmium.yaml", "--chart", tmp_path / "c.svg")
    assert (status, err) == (0, "")
    assert (tmp_path / "c.svg").read_text().startswith("<?xml")
    status, _, err = run("budget", EXAMPLES / "impedance.yaml", "--chart", tmp_path / "d.svg")
    assert status == 2
    assert "a chart shows the budget of one result; name it with --to" in err


def test_screening(run):
    arguments = ["screen", "-e", "y = 3*a - b", "--at", "a=0", "--at", "b=0", "--range", "a=0:1", "--range", "b=0:2"]
    status, out, err = run(*arguments, "--format", "json")
    assert (status, err) == (0, "")
    rows = json.loads(out)["inputs"]
    assert [row["input"] for row in rows] == ["a", "b"]
    assert [row["dgsm"] for row in rows] == pytest.approx([9.0, 1.0])
    status, out, _ = run(*arguments)
    assert out.startswith("y at 1,024 points: mean ")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["budget", "--by", "group"], 2, "--by group needs groups"),
        (["budget", "--by", "group", "--group", "V"], 2, "'V' is no group; write --group NAME=NODE,NODE"),
        (["budget", "--to", "q"], 2, "no node 'q' in the graph"),
        (["budget", "--probability", "2"], 4, "a coverage probability must lie between 0 and 1"),
        (["budget", "--group", "g=q"], 4, "group 'g' names 'q', which has no uncertainty"),
        (["screen", "--range", "V=1"], 2, "'V=1' is not X=A:B"),
        (["screen", "--range", "V=2:1"], 4, "the range of 'V' goes from 2 to 1"),
        (["screen", "--range", "q=1:2"], 2, "no node 'q' in the graph"),
    ],
)
def test_what_is_refused(run, tmp_path, arguments, status, message):
    spec = tmp_path / "r.yaml"
    spec.write_text(RESISTANCE)
    found, _, err = run(arguments[0], spec, *arguments[1:])
    assert found == status
    assert message in err


def test_a_picture_of_the_budget():
    L = cg.linearize(read(RESISTANCE))
    picture = cg.draw(L, t="R", show=("names", "budget")).picture
    assert {(e.tail, e.head): e.lines[0].text for e in picture.edges} == {("V", "R"): "104%", ("I", "R"): "96.1%"}
    assert [note.text for note in picture.notes] == [
        "u(R) = 0.1473", "thickness: share of the variance of R that passes through the edge"
    ]  # fmt: skip
    with pytest.raises(cg.DrawingError, match="the budget is that of one node t"):
        cg.draw(L, show=("budget",))
    certain = cg.draw(cg.linearize(cg.read_spec(EXAMPLES / "titration.yaml")), t="c", show=("budget",)).picture
    strokes = {(e.tail, e.head): e.stroke for e in certain.edges}
    assert strokes["m_net", "m"].kind == "off"
    assert strokes["rep", "c"].width == pytest.approx(1 + 4 * 0.3025, abs=1e-3)


COVARIANCE = "edges: [x -> m, m -> y, x -> y]\nmatrix: [[0.01, 0.002, 0], [0.002, 0.04, 0], [0, 0, 0.09]]\n"


def test_effects_with_a_covariance(run, tmp_path):
    (tmp_path / "m.yaml").write_text("edges: {x -> m: 0.5, m -> y: 2.0, x -> y: 0.25}\n")
    (tmp_path / "c.yaml").write_text(COVARIANCE)
    ends = ["effects", tmp_path / "m.yaml", "--from", "x", "--to", "y", "--covariance"]
    status, out, err = run(*ends, tmp_path / "c.yaml", "--format", "json")
    assert (status, err) == (0, "")
    rows = {row["effect"]: row for row in json.loads(out)["effects"]}
    assert list(rows) == ["direct", "indirect", "total", "x -> m -> y", "x -> y"]
    assert rows["indirect"]["standard_error"] == pytest.approx(0.054**0.5)
    assert rows["direct"]["low"] == pytest.approx(0.25 - 1.959964 * 0.3)
    status, _, err = run(*ends, tmp_path / "none.yaml")
    assert status == 2
    assert "cannot read" in err
    (tmp_path / "d.yaml").write_text("edges: [x -> q]\nmatrix: [[1]]\n")
    status, _, err = run(*ends, tmp_path / "d.yaml")
    assert status == 4
    assert "'x -> q', which is no edge of the graph" in err
    (tmp_path / "e.yaml").write_text("edges: [x -> m\n")
    status, _, err = run(*ends, tmp_path / "e.yaml")
    assert status == 3
    assert "e.yaml:1" in err or "e.yaml:2" in err
