"""A kind of question is a part and a row: added in a test, it is read, marked, explained, sealed, varied and printed."""

import io
import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest

import cgraph as cg
from cgraph.cli import main
from cgraph.exercises.parts import Part, Phrase, node_formula
from cgraph.exercises.reading import kinds
from cgraph.exercises.sheets.rendering import RENDERED
from cgraph.reports.tables import Formula

EXERCISE = """
title: How steep it gets
inputs: {x: 2.0}
nodes: {a: x^2, y: 3*a}
vary: {x: [1, 4, 0.5]}
ask:
  - {id: v, y: a}
  - {id: s, steepest: y, points: 2}
"""


@dataclass(frozen=True)
class Steepest(Part):
    """The largest absolute derivative on an edge that leads to t."""

    t: str

    def of(self, L):
        return max(abs(L.edges[edge]["derivative"]) for edge in L.in_edges(self.t))

    def __str__(self):
        return f"the steepest edge into {self.t}"

    @property
    def symbol(self):
        return Formula(f"max z(., {self.t})", rf"\max_i z(i, {node_formula(self.t).latex})")

    @property
    def request(self) -> Phrase:
        return ("Compute ", self.symbol, ", the steepest of all edges into ", node_formula(self.t))

    def edges(self, L):
        return list(L.in_edges(self.t))


def steepest(wording):
    """``steepest: y``."""
    return kinds.one(Steepest(wording.node(wording.text)))


@dataclass(frozen=True)
class InDegree(Part):
    """How many edges lead into a node."""

    is_count = True
    node: str

    def of(self, L):
        return L.in_degree(self.node)

    def __str__(self):
        return f"the number of edges into {self.node}"

    @property
    def symbol(self):
        return Formula("degree", r"\text{degree}")


def degree(wording):
    """``degree: y``."""
    return kinds.one(InDegree(wording.node(wording.text)))


@pytest.fixture(autouse=True)
def _kinds(monkeypatch):
    monkeypatch.setitem(kinds.KINDS, "steepest", kinds.Kind(steepest, "write steepest: y", "The steepest edge."))
    monkeypatch.setitem(kinds.KINDS, "degree", kinds.Kind(degree, "write degree: y", "The number of edges."))
    monkeypatch.setattr("cgraph.exercises.reading.ask.KEYS", ("steepest", "degree", *cg.exercises.reading.ask.KEYS))


@pytest.fixture
def exercise():
    return cg.read_exercise(io.StringIO(EXERCISE))


def test_it_is_read_and_its_mistakes_are_placed(exercise):
    assert exercise.questions[1].asks == "the steepest edge into y"
    with pytest.raises(cg.SpecError, match=r"no node 'q'"):
        cg.read_exercise(io.StringIO(EXERCISE.replace("steepest: y", "steepest: q")))


def test_it_is_marked_and_a_mistake_is_named(exercise):
    assert cg.grade(exercise, {"v": 4, "s": 3}).points == 3
    report = cg.grade(exercise, {"v": 4, "s": 3.5})
    assert report.points == 1
    wrong = cg.grade(exercise, {"v": 4, "s": -3}).items[1].parts[0]
    assert [mistake.kind for mistake in wrong.mistakes] == ["sign lost"]


def test_the_command_marks_it(tmp_path, capsys):
    (tmp_path / "exercise.yaml").write_text(EXERCISE)
    (tmp_path / "answers.yaml").write_text("answers: {v: 4, s: 3}")
    assert main(["grade", str(tmp_path / "exercise.yaml"), "--answers", str(tmp_path / "answers.yaml")]) == 0
    assert "3" in capsys.readouterr().out


@pytest.mark.parametrize("answers", [False, True])
@pytest.mark.parametrize("format", RENDERED)
def test_it_stands_on_sheets(exercise, format, answers):
    text = cg.sheet(exercise, answers=answers, format=format)
    assert "the steepest of all edges into" in text
    assert ("max z" in text) or (r"\max_i z(i, y)" in text)


def test_it_stands_in_a_blank_file(exercise):
    assert "the steepest edge into y" in cg.blank_answers(exercise)


def test_it_is_sealed_and_varied():
    sealed = cg.read_exercise(io.StringIO(str(cg.seal(io.StringIO(EXERCISE)))))
    assert cg.grade(sealed, {"v": 4, "s": 3}).points == Fraction(3)
    variant = cg.read_exercise(io.StringIO(str(cg.vary(io.StringIO(EXERCISE), "ada"))))
    x = variant.graph.nodes["x"]["value"]
    assert cg.grade(variant, {"v": x * x, "s": 3}).points == 3


def test_a_count_is_a_whole_number():
    text = EXERCISE.replace("{id: s, steepest: y, points: 2}", "{id: s, degree: y}\n  - {id: none, degree: x}")
    exercise = cg.read_exercise(io.StringIO(text))
    assert [item.status for item in cg.grade(exercise, {"v": 4, "s": 1, "none": 0}).items] == ["right"] * 3
    assert [item.status for item in cg.grade(exercise, {"v": 4, "s": 1.004, "none": 1e-9}).items[1:]] == ["wrong"] * 2
    sealed = cg.read_exercise(io.StringIO(str(cg.seal(io.StringIO(text)))))
    assert cg.grade(sealed, {"v": 4, "s": 1, "none": 0}).points == 3
    variant = cg.read_exercise(io.StringIO(str(cg.vary(io.StringIO(text), "ada"))))
    assert cg.grade(variant, {"s": 1, "none": 0}).points == 2


def test_the_schema_has_every_kind_twice(monkeypatch):
    monkeypatch.undo()
    schema = json.loads((Path(cg.__file__).parent / "specs" / "schema.json").read_text())
    question = schema["$defs"]["question"]
    assert {kind["required"][0] for kind in question["oneOf"]} == set(kinds.KINDS)
    assert set(kinds.KINDS) <= set(question["properties"])
