"""Exercises: reading them, reading answers, marking, and the name of the mistake."""

import csv
import io
import json
import math
import re
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import SMOOTH, networks
from oracles import jax_gradients

import cgraph as cg
from cgraph.cli.exercise_commands import FEWEST_FOR_PROCESSES
from cgraph.exercises.mistakes import MISTAKES, candidates
from cgraph.exercises.numbers import UnreadableError, read_number
from cgraph.exercises.parts import (
    BeforeActivation,
    EdgeDerivative,
    Entry,
    Gate,
    GradientStep,
    PathCount,
    PathProduct,
    Sensitivity,
    ValueOf,
    WeightGradient,
)
from cgraph.exercises.questions import Question
from cgraph.exercises.tolerances import parse_tolerance
from cgraph.testing import assert_sensitivity

ROOT = Path(__file__).parent.parent.parent
QUIZ = ROOT / "examples" / "cmu_10301" / "quiz.yaml"
NETWORK = ROOT / "examples" / "math565" / "network.yaml"


def exercise(graph, *questions):
    return cg.read_exercise(io.StringIO(f"{graph}\nask:\n" + "\n".join(f"  - {{{q}}}" for q in questions)))


TWO_PATHS = "inputs: {x: 2.0, z: 3.0}\nnodes: {a: x*z, y: a + x}"


class TestNumbers:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("1.5", "3/2"), ("1,5", "3/2"), (".5", "1/2"), ("5.", "5"), ("-1/3", "-1/3"), ("+2", "2"), ("2.50e-1", "1/4"),
            (" 7 ", "7"), ("−3·2", "-6"), ("2^3", "8"), ("1,5*2", "3"), ("max(1,2)", "2"), ("--3", "3"), (3, "3"),
            (0.1, "1/10"), (Fraction(2, 7), "2/7"), (np.float64(0.25), "1/4"), (np.int64(4), "4"), ("0", "0"), ("-0.0", "0"),
            (Decimal("2.50"), "5/2"), (np.array(0.25), "1/4"),
        ],
    )  # fmt: skip
    def test_what_is_read(self, text, value):
        assert read_number(text).value == Fraction(value)

    def test_expressions(self):
        assert float(read_number("2^5 * ln(2)").value) == pytest.approx(32 * math.log(2), rel=1e-15)
        assert float(read_number("sin(pi/6)").value) == pytest.approx(0.5)

    def test_the_last_digit(self):
        assert read_number("1.20").half_unit == Fraction(1, 200)
        assert read_number("1.20").digits == 2  # zeros at the end tell little
        assert read_number("1203").digits == 4
        assert read_number("1/3").half_unit is None

    @pytest.mark.parametrize(
        ("answer", "why"),
        [
            ("", "the answer is empty"), ("   ", "the answer is empty"), (True, "true is not a number"),
            ([1], "a list is not a number"), ({"a": 1}, "a mapping is not a number"), (None, "a NoneType is not a number"),
            (float("nan"), "nan is not a finite number"), (float("inf"), "inf is not a finite number"),
            ("-Infinity", "-Infinity is not a finite number"), ("1e999", "1e999 is out of the range of numbers"),
            ("1e-99999", "1e-99999 is out of the range of numbers"),
            ("2^99999", "'2^99999' cannot be computed: 2 ^ 99999 overflows"),
            ("three", "'three' is a text; a number is asked for"), ("2*x", "'2*x' has the name 'x' in it; a number is asked for"),
            ("I think it is 3", "'I think it is 3' is not a number"), ("3 m", "'3 m' is not a number"),
            ("50%", "'50%' is not a number"), ("1.234,5", "'1.234,5' is not a number"),
            ("1/0", "'1/0' cannot be computed: 1 / 0 is undefined"), ("log(-1)", "'log(-1)' cannot be computed"),
            ("__import__('os')", "is not a number: there is no function '__import__'"), ("9" * 1001, "1,001 characters is too long"),
            ("(" * 200, "is not a number"), (10**400, "is out of the range of numbers"), ("x" * 999, "is a text"),
        ],
    )  # fmt: skip
    def test_what_is_unreadable(self, answer, why):
        with pytest.raises(UnreadableError, match=re.escape(why)):
            read_number(answer)


class TestTolerances:
    @pytest.mark.parametrize(
        ("tolerance", "truth", "right", "wrong"),
        [
            ("3sf", "1.4445", ["1.44", "1.4495", "1.4395", "1.4445"], ["1.43", "1.45", "1.44951", "-1.44"]),
            ("3sf", "0.00012345", ["0.000123", "1.23e-4", "0.00012395"], ["0.00012", "0.000124", "0"]),
            ("3sf", "9.996", ["10.0", "10.00", "9.996"], ["9.99", "10.01"]),
            ("1sf", "-25", ["-20", "-30", "-25"], ["-19.9", "25"]),
            ("2dp", "0.125", ["0.12", "0.13", "0.125"], ["0.14", "0.11"]),
            ("0dp", "2.5", ["2", "3"], ["1.9", "4"]),
            ("rel 1e-3", "1000", ["1001", "999"], ["1001.0001", "998.9"]),
            ("rel 0.1", "-1", ["-1.1", "-0.9"], ["-1.11", "1"]),
            ("abs 1e-6", "0", ["0", "1e-6", "-0.000001"], ["1.1e-6"]),
            ("abs 0.5", "3", ["2.5", "3.5"], ["3.51"]),
            ("exact", "1/3", ["1/3", "2/6", "0.3333333333333"], ["0.333", "0.33333"]),
            ("integer", "4", ["4", "4.0", "8/2"], ["4.5", "4.0000001", "5"]),
            ("3sf", "0", ["0", "-0.0", "1e-9"], ["1e-8", "0.001"]),
            ("rel 1e-3", "0", ["0", "1e-9"], ["1e-8"]),
            ("exact", "0", ["0", "1e-10"], ["1e-8"]),
        ],
    )  # fmt: skip
    def test_boundaries(self, tolerance, truth, right, wrong):
        parsed, truth = parse_tolerance(tolerance), Fraction(truth)
        for text in right:
            assert parsed.accepts(truth, read_number(text).value), text
        for text in wrong:
            assert not parsed.accepts(truth, read_number(text).value), text

    @given(st.floats(1e-9, 1e9), st.integers(1, 8), st.booleans())
    def test_what_is_rounded_rightly_is_right(self, truth, digits, negative):
        truth = -truth if negative else truth
        exact = Fraction(repr(truth))
        assert parse_tolerance(f"{digits}sf").accepts(exact, read_number(f"{truth:.{digits - 1}e}").value)
        assert parse_tolerance(f"{digits}dp").accepts(exact, read_number(f"{truth:.{digits}f}").value)
        for tolerance in ("rel 1e-12", "abs 1e-9", "exact"):
            assert parse_tolerance(tolerance).accepts(exact, read_number(repr(truth)).value)

    @given(st.floats(1e-6, 1e6), st.integers(1, 6))
    def test_more_than_half_a_unit_off_is_wrong(self, truth, digits):
        unit = 10.0 ** (Decimal(repr(truth)).adjusted() - digits + 1)
        tolerance = parse_tolerance(f"{digits}sf")
        assert not tolerance.accepts(Fraction(repr(truth)), Fraction(truth + 0.51 * unit))
        assert tolerance.accepts(Fraction(repr(truth)), Fraction(truth + 0.49 * unit))

    @pytest.mark.parametrize(
        "text", ["3", "sf", "0sf", "16sf", "3 figures", "rel", "rel 0", "rel -1", "rel nan", "abs x", ""]
    )
    def test_what_is_none(self, text):
        with pytest.raises(ValueError, match=r"write|1 to 15|a positive number"):
            parse_tolerance(text)

    def test_it_is_shown_as_it_is_written(self):
        for text in ("3sf", "2dp", "rel 0.001", "abs 1e-06", "exact", "integer"):
            assert str(parse_tolerance(text)) == text
        assert str(parse_tolerance("exact").interval(Fraction(1, 3))) == "0.3333333333"


class TestReading:
    def test_every_kind_of_question(self):
        L = cg.linearize(cg.read_spec(NETWORK))
        text = NETWORK.read_text(encoding="utf-8").split("source:")[0]
        asked = exercise(
            text, "id: a, y: h1", "id: b, d: J/x1", "id: c, z: x1 -> h1", "id: d, d: J/x1 -> h1", 'id: e, d: "J/[x1, x2]"',
            "id: f, paths: x1 -> J", "id: g, path: x1 -> o -> J", "id: h, delta: h1", "id: i, gate: h1",
            "id: j, step: x1 -> h1, rate: 0.5", 'id: k, d: "[h1, h2]/[x1, x2]"', "id: l, table: forward",
            "id: m, table: backward", "id: n, delta: h1, of: o",
        )  # fmt: skip
        gradient = cg.weight_gradients(L, "J")["x1", "h1"]
        S = cg.sensitivities(L, "J")
        expected = {
            "a": [L.nodes["h1"]["value"]], "b": [S["x1"]], "c": [L.edges["x1", "h1"]["derivative"]], "d": [gradient],
            "e": [S["x1"], S["x2"]], "f": [3], "g": [L.edges["x1", "o"]["derivative"] * S["o"]], "h": [S["h1"]],
            "i": [L.nodes["h1"]["gate"]], "j": [0.2 - 0.5 * gradient],
            "k": [L.edges[i, j]["derivative"] for j in ("h1", "h2") for i in ("x1", "x2")],
            "l": [L.nodes[i]["value"] for i in ("h1", "h2", "o", "J")],
            "m": [S[i] for i in ("o", "h2", "h1", "x2", "x1")], "n": [cg.sensitivity(L, "h1", "o")],
        }  # fmt: skip
        for id, numbers in expected.items():
            assert [float(v) for v in asked.truths[id].values()] == pytest.approx(numbers, rel=1e-12), id

    def test_a_file_beside_the_graph(self, tmp_path):
        (tmp_path / "g.yaml").write_text(TWO_PATHS, encoding="utf-8")
        (tmp_path / "e.yaml").write_text("graph: g.yaml\ntitle: T\nsource: S\nask: [{id: a, d: y/x}]", encoding="utf-8")
        asked = cg.read_exercise(tmp_path / "e.yaml")
        assert (asked.title, asked.source, asked.points) == ("T", "S", 1)
        assert asked.truths == {"a": {"": Fraction(4)}}

    @pytest.mark.parametrize(
        ("graph", "message"),
        [
            ("../g.yaml", "'graph' must be the name of a file beside this one"), ("/etc/passwd", "'graph' must be the name of a file"),
            ("no.yaml", "there is no file 'no.yaml' beside this one"), ("[1]", "'graph' must be the name of a file"),
        ],
    )  # fmt: skip
    def test_graphs_elsewhere(self, tmp_path, graph, message):
        (tmp_path / "e.yaml").write_text(f"graph: {graph}\nask: [{{id: a, d: y/x}}]", encoding="utf-8")
        with pytest.raises(cg.SpecError, match=message):
            cg.read_exercise(tmp_path / "e.yaml")
        with pytest.raises(cg.SpecError, match="standard input has no file beside it|'graph' must be the name"):
            cg.read_exercise(io.StringIO(f"graph: {graph if graph == 'no.yaml' else '[1]'}\nask: [{{id: a, d: y/x}}]"))

    def test_keys_beside_a_graph(self, tmp_path):
        (tmp_path / "g.yaml").write_text(TWO_PATHS, encoding="utf-8")
        (tmp_path / "e.yaml").write_text("graph: g.yaml\nnodes: {q: 2}\nask: [{id: a, d: y/x}]", encoding="utf-8")
        with pytest.raises(cg.SpecError, match="e.yaml:2:1: error: unknown key 'nodes' beside 'graph'"):
            cg.read_exercise(tmp_path / "e.yaml")

    @pytest.mark.parametrize(
        ("question", "place", "message"),
        [
            ("id: a, y: b", "4:16", "there is no node 'b' in the graph"),
            ("id: a, d: y", "4:16", "'y' is no derivative"),
            ("id: a, d: y/q", "4:16", "there is no node 'q' in the graph"),
            ("id: a, d: q/x", "4:16", "there is no node 'q' in the graph"),
            ("id: a, d: y/x -> y", "4:16", "the edge x -> y has no weight to differentiate by"),
            ("id: a, d: y/z -> y", "4:16", "there is no edge z -> y in the graph"),
            ("id: a, z: y -> x", "4:16", "there is no edge y -> x in the graph"),
            ("id: a, z: x", "4:16", "'x' does not name two nodes"),
            ("id: a, paths: x", "4:20", "'x' does not name two nodes"),
            ("id: a, path: x", "4:19", "'x' is no path"),
            ("id: a, path: x -> z", "4:19", "there is no edge x -> z in the graph"),
            ("id: a, gate: a", "4:19", "node 'a' is no neuron and has no gate"),
            ("id: a, step: x", "4:19", "a step of gradient descent needs its rate"),
            ("id: a, step: y, rate: 1", "4:19", "node 'y' is computed, and cannot be updated"),
            ("id: a, step: x -> y, rate: 1", "4:19", "the edge x -> y has no weight to update"),
            ("id: a, step: x, rate: fast", "4:28", "'fast' is a text; a number is asked for"),
            ("id: a, table: sideways", "4:20", "there is no table 'sideways'"),
            ("id: a, choice: [one], answer: A", "4:21", "a choice must be a list of 2 to 26 texts"),
            ("id: a, choice: one", "4:21", "a choice must be a list of 2 to 26 texts"),
            ("id: a, choice: [one, two], answer: C", "4:41", "the answer of a choice must be one of the letters AB"),
            ("id: a, choice: [one, two]", "4:5", "the answer of a choice must be one of the letters AB"),
            ("id: a, formula: y/x, domain: {q: [1, 2]}", "4:39", "'q' is no input or weight"),
            ("id: a, formula: y/x, domain: {x: [2, 1]}", "4:39", "the interval from 2 to 1 is empty"),
            ("id: a, formula: y/x, domain: {x: 2}", "4:39", "an interval must have two ends"),
            ("id: a, formula: y/x, answer: 2*z", "4:35", "the answer of question 'a' is not dy/dx: at x = "),
            ("id: a, formula: y/x, answer: z + q", "4:35", "the answer of question 'a' is not dy/dx: the graph has no node 'q'"),
            ("id: a, formula: y/x, answer: z +", "4:35", "the answer of question 'a' is not dy/dx: an operand is missing"),
            ("id: a, formula: y/x, domain: 2", "4:35", "'domain' must be a mapping from inputs to intervals"),
            ("id: a, d: y/x, tolerance: 3 sig", "4:32", "'3 sig' is not a tolerance; write 3sf"),
            ("id: a, d: y/x, points: -1", "4:29", "points must not be negative"),
            ("id: a, d: y/x, points: many", "4:29", "'many' is a text"),
            ("id: a, d: y/x, text: 3", "4:27", "'text' must be a text, not the number 3"),
            ("id: a, d: y/x, hnit: no", "4:20", "unknown key 'hnit'"),
            ("id: a, d: y/x, y: a", "4:5", "question 1 asks for y and d at once"),
            ("id: a", "4:5", "question 1 does not say what it asks for"),
            ("d: y/x", "4:5", "question 1 has no id"),
            ("id: [1], d: y/x", "4:10", "question 1 has no id"),
            ("id: a, d: [y, x]", "4:15", "'d' must be a text, not a list"),
            ("id: a, y: true", "4:15", "'y' must be a text, not true"),
            ("id: a, delta: a, of: q", "4:26", "there is no node 'q'"),
            ("id: a, d: y/x, answer: three", "4:29", "'three' is a text; a number is asked for"),
            ("id: a, d: y/x, answer: 5", "4:29", "the answer of question 'a' is 5, but the graph has dy/dx = 4"),
            ('id: a, d: "y/[x, z]", answer: [4, 9]', "4:36", "the answer of question 'a' at z is 9, but the graph has dy/dz = 2"),
            ('id: a, d: "y/[x, z]", answer: [4]', "4:36", "an array of shape 2 is asked for; 1 entries stand where 2 should"),
            ('id: a, d: "y/[x, x]"', "4:16", "a node stands twice in 'y/[x, x]'"),
            ("id: a, table: backward, answer: {q: 1}", "4:36", "the table has no row 'q'"),
            ("id: a, table: backward, answer: 3", "4:36", "a table is answered by a mapping"),
        ],
    )  # fmt: skip
    def test_mistakes_of_the_author(self, question, place, message):
        with pytest.raises(cg.SpecError) as error:
            exercise(TWO_PATHS, question)
        first = str(error.value).splitlines()[0]
        assert message in first
        line, column = place.split(":")
        assert first.startswith(f"<text>:{line}:"), first
        assert abs(int(first.split(":")[2]) - int(column)) <= 3, first

    def test_a_given_formula_that_is_right(self):
        assert exercise(TWO_PATHS, "id: a, formula: y/x, answer: z + 1").questions[0].id == "a"

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (TWO_PATHS, "'ask' must be a list of questions, not empty"), (f"{TWO_PATHS}\nask: 3", "not the number 3"),
            (f"{TWO_PATHS}\nask: []", "not empty"), (f"{TWO_PATHS}\nask: [3]", "a question must be a mapping, not the number 3"),
            ("[1, 2]", "a spec must be a mapping"), (f"{TWO_PATHS}\nask: [{{id: a, y: a}}, {{id: a, y: y}}]", "the id 'a' stands twice"),
            ("nodes: {y: 2*q}\nask: [{id: a, y: y}]", "node 'y' uses 'q'"),
            (f"{TWO_PATHS}\nask: [{', '.join(f'{{id: {k}, y: a}}' for k in range(1001))}]", "1,001 questions; the limit is 1,000"),
        ],
    )  # fmt: skip
    def test_no_exercise(self, text, message):
        with pytest.raises(cg.SpecError, match=re.escape(message)):
            cg.read_exercise(io.StringIO(text))

    def test_all_mistakes_at_once(self):
        with pytest.raises(cg.SpecError) as error:
            exercise(TWO_PATHS, "id: a, y: b", "id: b, d: q/x", "id: c, table: t")
        assert len(error.value.problems) == 3

    @pytest.mark.parametrize(
        ("question", "hint"),
        [
            ("id: a, y: q", "there are x, z, a, y"), ("id: a, y: xx", "did you mean 'x'?"),
            ("id: a, z: x -> z", ""), ("id: a, z: z -> y", "into it lead a, x"), ("id: a, z: y -> x", "x -> y is one"),
        ],
    )  # fmt: skip
    def test_hints_at_what_was_meant(self, question, hint):
        with pytest.raises(cg.SpecError) as error:
            exercise(TWO_PATHS, question)
        assert [problem.hint for problem in error.value.problems] == [hint]

    def test_several_outputs(self):
        with pytest.raises(cg.SpecError, match="the graph has 2 outputs"):
            exercise("inputs: {x: 1.0}\nnodes: {a: 2*x, b: 3*x}", "id: a, delta: x")

    def test_a_graph_that_cannot_be_evaluated(self):
        with pytest.raises(cg.EvaluationError, match=r"log\(-1\) is undefined"):
            exercise("inputs: {x: -1.0}\nnodes: {y: log(x)}", "id: a, y: y")

    def test_names_with_slashes(self):
        asked = exercise('inputs: {"a/b": 2.0}\nnodes: {"c/d": \'3*y("a/b")\'}', "id: q, d: c/d/a/b")
        assert asked.truths == {"q": {"": 3}}

    def test_arrays_in_a_spec(self):
        asked = cg.read_exercise(ROOT / "examples" / "dd2424" / "linear_classifier.toml")
        assert {q.id: q.shape for q in asked.questions} == {
            "s": (3,), "p": (3,), "z": (3, 3), "ds": (3,), "W": (3, 2), "b": (3,)
        }  # fmt: skip
        assert [str(part) for part in asked.questions[4].parts.values()][:2] == ["dJ/dW[0, 0]", "dJ/dW[0, 1]"]
        assert asked.questions[2].asks == "z(s,p), 3 x 3"
        given = exercise("inputs: {x: [1.0, 2.0]}\nnodes: {y: 3*x}", "id: a, y: y, answer: [3, 6]")
        assert given.truths == {"a": {"0": 3, "1": 6}}

    def test_arrays_that_are_too_large(self):
        entries = ", ".join(["1.0"] * 1001)
        with pytest.raises(cg.SpecError, match="has 1,001 entries; the limit is 1,000"):
            exercise(f"inputs: {{x: [{entries}]}}\nnodes: {{y: 2*x}}", "id: a, y: y")
        with pytest.raises(cg.SpecError, match="several numbers at once are asked for, of which some are arrays"):
            exercise("inputs: {x: [1.0, 2.0], z: 3.0}\nnodes: {y: sum(x)*z}", 'id: a, d: "y/[x, z]"')

    @pytest.mark.parametrize(
        ("question", "message"),
        [
            ("id: a, formula: y/x", "dy/dx is an array; formulas are compared for numbers"),
            ("id: a, d: y/i -> h", "the loss 'y' is a vector of 2; a loss is one number"),
            ("id: a, step: x, rate: 1", "the loss 'y' is a vector of 2; a loss is one number"),
            ("id: a, step: i -> h, of: y, rate: 1", "the loss 'y' is a vector of 2; a loss is one number"),
        ],
    )
    def test_what_arrays_cannot_be_asked(self, question, message):
        graph = """
inputs: {x: [1.0, 2.0]}
nodes: {y: h*x}
network:
  inputs: {i: 1.0}
  neurons: {h: {activation: tanh, weights: {i: 0.5}}}
"""
        with pytest.raises(cg.SpecError, match=re.escape(message)):
            exercise(graph, question)
        assert cg.grade(exercise(graph, "id: a, formula: h/i"), {"a": "0.5*(1 - h^2)"}).ok

    def test_a_spec_with_questions_is_a_spec(self):
        assert list(cg.read_spec(QUIZ)) == ["x", "z", "a", "y"]


class TestOracles:
    @settings(max_examples=25)
    @given(networks(SMOOTH))
    def test_right_answers_by_jax_are_right(self, G):
        for w, truth in jax_gradients(G).items():
            part = WeightGradient(*w, "J") if isinstance(w, tuple) else Sensitivity(w, "J")
            if abs(truth) < 1e-6:  # what cancels has no three figures
                continue
            for tolerance, text in {
                "3sf": f"{truth:.3g}", "2dp": f"{truth:.2f}", "rel 1e-3": f"{truth:.5g}", "abs 1e-6": f"{truth:.7f}",
                "rel 1e-9": repr(truth),
            }.items():  # fmt: skip
                asked = cg.Exercise(G, (Question("q", {"": part}, parse_tolerance(tolerance)),))
                assert cg.grade(asked, {"q": text}).ok, (part, tolerance, text, truth)

    def test_right_answers_by_sympy_are_right(self):
        sympy = pytest.importorskip("sympy")
        x, z = sympy.symbols("x z")
        a = x * z
        y = sympy.exp(a) + a / sympy.log(x) + sympy.sin(sympy.log(x)) / a
        asked = cg.read_exercise(QUIZ)
        at = {x: 2, z: 3}
        answers = {
            "b": str(float(y.diff(x).subs(at))),
            "e": str(y.diff(z).subs(at).evalf(6)),
            "g": str(y.diff(z)).replace("**", "^"),
        }
        report = cg.grade(asked, answers)
        assert report["e"].status == report["g"].status == "right"


class TestMarking:
    def test_every_item_ends_in_one_of_four_ways(self):
        asked = exercise(TWO_PATHS, "id: a, y: a", "id: b, d: y/x, points: 2", "id: c, d: y/z", "id: d, y: y")
        report = cg.grade(asked, {"a": "6,0", "b": 3, "d": "eight", "q": 1}, student="ada")
        assert [item.status for item in report.items] == ["right", "wrong", "missing", "unreadable"]
        assert (report.points, report.possible, report.score) == (1, 5, Decimal("1.00"))
        assert report.unknown == ("q",)
        assert not report.ok
        assert report["b"].parts[0].accepted == (
            Fraction("3.995") - 4 * Fraction(1, 10**12),
            Fraction("4.005") + 4 * Fraction(1, 10**12),
        )
        with pytest.raises(KeyError):
            report["nothing"]

    @pytest.mark.parametrize("nothing", [None, "", "  "])
    def test_missing(self, nothing):
        asked = exercise(
            TWO_PATHS,
            "id: a, y: a",
            'id: b, d: "y/[x, z]"',
            "id: c, table: forward",
            "id: d, choice: [p, q], answer: A",
            "id: e, formula: y/x",
        )
        assert {item.status for item in cg.grade(asked, dict.fromkeys("abcde", nothing)).items} == {"missing"}
        assert {item.status for item in cg.grade(asked, {}).items} == {"missing"}

    @pytest.mark.parametrize(
        "answer",
        [
            "prose, and more of it",
            float("nan"),
            float("inf"),
            10**400,
            "1e999",
            [[[1]]],
            {"a": {"b": 1}},
            True,
            "∞",
            b"6",
        ],
    )
    def test_unreadable(self, answer):
        asked = exercise(TWO_PATHS, "id: a, y: a")
        report = cg.grade(asked, {"a": answer})
        assert report["a"].status == "unreadable"
        assert report["a"].parts[0].note

    @pytest.mark.parametrize("answer", [3, "x", [1], [1, 2, 3], [[1, 2]], {"x": 1}])
    def test_arrays_of_another_shape(self, answer):
        report = cg.grade(exercise(TWO_PATHS, 'id: a, d: "y/[x, z]"'), {"a": answer})
        assert report["a"].status == "unreadable"
        assert "an array of shape 2 is asked for" in report["a"].parts[0].note

    def test_points_are_fractions_rounded_once(self):
        three = 'id: {0}, d: "y/[x, z, a]", points: 1'
        asked = exercise(TWO_PATHS, *(three.format(k) for k in "abc"))
        report = cg.grade(asked, {k: [4, 2, 7] for k in "abc"})
        assert [item.points for item in report.items] == [Fraction(2, 3)] * 3
        assert report.score == Decimal("2.00")  # not 0.67 * 3
        assert cg.grade(asked, {"a": [4, 2, 7]}).score == Decimal("0.67")

    def test_tables(self):
        asked = exercise(TWO_PATHS, "id: f, table: forward, points: 2", "id: b, table: backward, points: 3")
        report = cg.grade(asked, {"f": {"a": 6, "y": "8.0"}, "b": {"a": 1, "x": 4}})
        assert (report["f"].status, report["b"].status) == ("right", "wrong")
        assert [p.status for p in report["b"].parts] == ["right", "missing", "right"]
        assert report["b"].points == 2
        assert cg.grade(asked, {"f": {"q": 1}})["f"].status == "unreadable"

    def test_choices(self):
        asked = exercise(TWO_PATHS, "id: a, choice: [first  text, Second], answer: B")
        for answer, status in {"B": "right", "b": "right", "(b)": "right", "b.": "right", "second": "right", "A": "wrong",
                               "First text": "wrong", "C": "unreadable", "BB": "unreadable", 2: "unreadable"}.items():  # fmt: skip
            assert cg.grade(asked, {"a": answer})["a"].status == status, answer

    def test_the_authors_answer_is_the_truth(self):
        asked = exercise(
            "inputs: {x: 2.0}\nnodes: {y: exp(x)}",
            "id: a, y: y, answer: 7.39",
            "id: b, y: y, answer: exp(2), tolerance: exact",
        )
        assert [item.status for item in cg.grade(asked, {"a": 7.395, "b": "exp(2)"}).items] == ["right", "right"]
        assert [item.status for item in cg.grade(asked, {"a": 7.3951, "b": "7.389"}).items] == ["wrong", "wrong"]

    def test_a_truth_that_is_zero_but_for_rounding(self):
        asked = exercise(
            "inputs: {x: 0.1}\nnodes: {a: 3*x, b: -0.3*x, c: 10*b, y: a + c}", "id: a, d: y/x", "id: b, d: a/y"
        )
        assert cg.linearize(asked.graph)
        assert [item.status for item in cg.grade(asked, {"a": 0, "b": 0}).items] == ["right", "right"]
        assert cg.grade(asked, {"a": 3})["a"].status == "wrong"

    def test_a_small_truth_is_not_zero(self):
        asked = exercise("inputs: {x: 2.0}\nnodes: {y: 1e-14*x}", "id: a, d: y/x")
        assert cg.grade(asked, {"a": 0})["a"].status == "wrong"
        assert cg.grade(asked, {"a": "1e-14"})["a"].status == "right"

    def test_grading_changes_nothing(self):
        asked = cg.read_exercise(NETWORK)
        before = {i: dict(d) for i, d in asked.graph.nodes(data=True)}
        answers = {"h1": 0.5, "x1": 7}
        cg.grade(asked, answers)
        assert {i: dict(d) for i, d in asked.graph.nodes(data=True)} == before
        assert answers == {"h1": 0.5, "x1": 7}
        assert cg.grade(asked, answers) == cg.grade(asked, answers)


EVERY_KIND = exercise(
    "inputs: {x: 2.0, v: [1.0, 2.0]}\nnodes: {a: 3*x, y: a^2 + x, u: 2*v}", "id: a, y: a", "id: b, d: y/x", 'id: c, d: "y/[x, a]"',
    "id: d, table: forward, of: y", "id: e, formula: y/x", "id: f, choice: [p, q], answer: A", "id: g, z: v -> u",
    "id: h, paths: x -> y", "id: i, step: x, rate: 0.1, of: y",
)  # fmt: skip
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["1/3", "2,5", "x", "6*a + 1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "y", "q"]), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150)
@given(st.dictionaries(st.sampled_from("abcdefghi"), ANYTHING))
def test_whatever_is_handed_in_is_marked(answers):
    report = cg.grade(EVERY_KIND, answers)
    assert {item.status for item in report.items} <= {"right", "wrong", "missing", "unreadable"}
    assert 0 <= report.points <= report.possible


class TestFollowThrough:
    CHAIN = "inputs: {x: 2.0}\nnodes: {a: 3*x, b: a^2, y: b + a}"

    def test_a_value_goes_on(self):
        asked = exercise(self.CHAIN, "id: a, y: a", "id: b, y: b", "id: c, d: b/a", "id: d, d: y/x", "id: e, y: y")
        # a = 5 instead of 6: b = 25, db/da = 10, dy/dx = 3*(10 + 1), y = 30
        report = cg.grade(asked, {"a": 5, "b": 25, "c": 10, "d": 33, "e": 30})
        assert [item.status for item in report.items] == ["wrong", "right", "right", "right", "right"]
        assert report["b"].parts[0].note == "right with your own y(a)"
        assert report.score == 4

    def test_sensitivities_edges_and_gates_go_on(self):
        text = NETWORK.read_text(encoding="utf-8").split("source:")[0]
        asked = exercise(text, "id: a, gate: h1", "id: b, z: x1 -> h1", "id: c, d: J/h1", "id: d, d: J/x1 -> h1")
        S = cg.sensitivity(cg.linearize(asked.graph), "h1", "J")
        report = cg.grade(asked, {"a": 0.5, "b": 0.1, "c": f"{2 * S:.6g}", "d": f"{2 * S * 0.5 * 0.5:.6g}"})
        assert [item.status for item in report.items] == ["wrong", "right", "wrong", "right"]
        assert report["d"].parts[0].note.startswith("right with your own gate(h1), dJ/dh1")

    def test_an_edge_goes_on(self):
        asked = exercise(self.CHAIN, "id: a, z: a -> b", "id: b, d: y/x", "id: c, step: x, rate: 0.1")
        report = cg.grade(asked, {"a": 6, "b": 21, "c": -0.1})
        assert [item.status for item in report.items] == ["wrong", "right", "right"]

    def test_the_weight_of_an_edge_that_leaves_a_node_of_known_sensitivity(self):
        text = NETWORK.read_text(encoding="utf-8").split("source:")[0]
        asked = exercise(text, "id: a, d: J/o", "id: b, d: J/h1", "id: c, d: J/h1 -> o", "id: d, step: h1 -> o, rate: 0.5",
                         "id: e, paths: h1 -> J")  # fmt: skip
        L = cg.linearize(asked.graph)
        gradient = 2 * cg.weight_gradients(L, "J")["h1", "o"]  # with twice the right dJ/do
        answers = {"a": 2 * cg.sensitivity(L, "o", "J"), "b": 3, "c": gradient, "d": 1.1 - 0.5 * gradient, "e": 1}
        report = cg.grade(asked, {id: f"{float(value):.6g}" for id, value in answers.items()})
        assert [item.status for item in report.items] == ["wrong", "wrong", "right", "right", "right"]

    def test_what_comes_before_does_not_follow(self):
        asked = exercise(self.CHAIN, "id: b, y: b", "id: a, y: a")
        assert [item.status for item in cg.grade(asked, {"b": 25, "a": 5}).items] == ["wrong", "wrong"]

    def test_a_table_follows_itself(self):
        asked = exercise(self.CHAIN, "id: t, table: forward")
        report = cg.grade(asked, {"t": {"a": 5, "b": 25, "y": 30}})
        assert [p.status for p in report["t"].parts] == ["wrong", "right", "right"]

    def test_what_cannot_be_computed_does_not_follow(self):
        asked = exercise("inputs: {x: 2.0}\nnodes: {a: x - 1, y: log(a)}", "id: a, y: a", "id: b, y: y")
        report = cg.grade(asked, {"a": -3, "b": 5})
        assert [item.status for item in report.items] == ["wrong", "wrong"]


class TestFormulas:
    @pytest.mark.parametrize("answer", ["z + 1", "1 + a/x", "(z^2 + z)/z", "z - -1"])
    def test_other_ways_to_write_it(self, answer):
        assert cg.grade(exercise(TWO_PATHS, "id: a, formula: y/x"), {"a": answer}).ok

    @pytest.mark.parametrize("answer", ["z", "x + 1", "2*z", 4, "z + 1.0001", "log(-x^2)*0 + z + 1"])
    def test_wrong(self, answer):
        assert cg.grade(exercise(TWO_PATHS, "id: a, formula: y/x"), {"a": answer})["a"].status == "wrong"

    @pytest.mark.parametrize("answer", ["z +", "q + 1", True, [1], "import os", "lambda: 1", "z" * 20_000])
    def test_unreadable(self, answer):
        assert cg.grade(exercise(TWO_PATHS, "id: a, formula: y/x"), {"a": answer})["a"].status == "unreadable"

    def test_the_mistake_is_named(self):
        report = cg.grade(exercise(TWO_PATHS, "id: a, formula: y/x"), {"a": "-z - 1"})
        (mistake,) = report["a"].parts[0].mistakes
        assert (mistake.kind, mistake.certain) == ("sign lost", True)

    def test_outside_of_the_domain(self):
        graph = "inputs: {x: 2.0}\nnodes: {y: log(x)}"
        assert cg.grade(exercise(graph, "id: a, formula: y/x, domain: {x: [-1, 3]}"), {"a": "1/x"}).ok
        with pytest.raises(
            cg.SpecError, match="^<text>:4:5: error: question 'a': the graph cannot be evaluated in the domains"
        ):
            exercise(graph, "id: a, formula: y/x, domain: {x: [-3, -1]}")


# The graph, what is asked, the kind of mistake, the number by hand, and words that must be said.
CHAIN = "x: 2.0\nnodes: {a: x^3, y: sin(a)}"
SLIP_CASES = [
    (TWO_PATHS, Sensitivity("x", "y"), "path left out", 3.0, "the path x -> y was left out"),
    ("inputs: {x: 2.0}\nnodes: {a: 3*x, b: 5*x, y: a + b + x}", Sensitivity("x", "y"), "only one path", 5.0, "x -> b -> y"),
    ("inputs: {x: 2.0}\nnodes: {a: 3*x, b: 5*x, y: a + b + x}", Sensitivity("x", "y"), "overwritten", 3.0, "the term through a"),
    ("inputs: {x: 2.0}\nnodes: {a: 3*x, y: 7*a}", PathProduct(("x", "a", "y")), "added or multiplied", 10.0, "added instead"),
    (TWO_PATHS, PathCount("x", "y"), "something else counted", 3.0, "the edges between the ends"),
    ("inputs: {x: 2.0}\nnodes: {a: 3*x, y: 7*a}", Sensitivity("x", "y"), "factor left out", 7.0, "z(x,a) was left out"),
    ("inputs: {x: 2.0}\nnodes: {a: 3*x, y: 7*a}", Sensitivity("x", "y"), "factor twice", 63.0, "z(x,a) was used twice"),
    ("inputs: {x: 2.0}\nnodes: {a: 3*x, y: 7*a}", Sensitivity("x", "y"), "sign lost", -21.0, "the sign is wrong"),
    ("inputs: {x: 2.0}\nnodes: {y: cos(3*x)}", Sensitivity("x", "y"), "sign lost", 3 * math.sin(6), "the sign is wrong"),
    ("inputs: {x: 2.0}\nnodes: {y: sin(3*x)}", EdgeDerivative("x", "y"), "activation instead of its derivative", 3 * math.sin(6), "sin itself"),
    ("inputs: {x: 0.5}\nnodes: {y: tanh(3*x)}", EdgeDerivative("x", "y"), "gate forgotten", 3.0, "the derivative of tanh was left out"),
    ("inputs: {x: 1.0}\nnodes: {y: sin(3*x)}", EdgeDerivative("x", "y"), "derivative at the output", 3 * math.cos(math.sin(3)), "at its output"),
    ("inputs: {x: 2.0}\nnodes: {y: sin(3*x)}", EdgeDerivative("x", "y"), "inner derivative forgotten", math.cos(6), "in sin(...) at y"),
    ("inputs: {x: 2.0}\nnodes: {y: x*exp(x)}", EdgeDerivative("x", "y"), "product rule", 2 * math.exp(2), "the first term of the product rule"),
    ("inputs: {x: 2.0}\nnodes: {y: x^3}", EdgeDerivative("x", "y"), "power rule", 4.0, "the factor 3 of the power"),
    ("inputs: {x: 2.0}\nnodes: {y: x^3}", EdgeDerivative("x", "y"), "power rule", 24.0, "was not lowered"),
    ("inputs: {x: 2.0}\nnodes: {y: x^3}", Sensitivity("x", "y"), "forward value", 8.0, "the value y(y) was given"),
    ("inputs: {x: 2.0}\nnodes: {y: x^3}", Sensitivity("x", "y"), "S(t,s) given", 1 / 12, "dx/dy was given instead of dy/dx"),
    ("inputs: {x: 2.0}\nnodes: {y: x^3}", Sensitivity("x", "y"), "S(t,s) given", 0.0, "which is 0"),
    ("inputs: {x: 2.0, z: 5.0}\nnodes: {y: x*z}", Sensitivity("x", "y"), "neighbour's number", 2.0, "this is dy/dz, not dy/dx"),
    ("inputs: {x: 2.0}\nnodes: {y: sin(x)}", ValueOf("y"), "degrees for radians", math.sin(math.radians(2)), "degrees"),
    ("inputs: {x: 2.0}\nnodes: {y: sin(x)}", Sensitivity("x", "y"), "degrees for radians", math.cos(math.radians(2)), "degrees"),
    ("inputs: {x: 2.0}\nnodes: {y: ln(x)}", ValueOf("y"), "log base", math.log10(2), "the logarithm to base 10"),
    ("inputs: {x: 2.0}\nnodes: {y: 2^x}", Sensitivity("x", "y"), "log base", 4.0, "the logarithm of the base was forgotten"),
    ("inputs: {x: 2.0}\nnodes: {y: log10(x)}", Sensitivity("x", "y"), "log base", 0.5, "the logarithm of the base was forgotten"),
    ("inputs: {x: 3.0}\nnodes: {r: x - 1, J: 0.5*r^2}", Sensitivity("x", "J"), "factor of the loss lost", 4.0, "the factor 0.5 in J was lost"),
    ("inputs: {x: 3.0}\nnodes: {r: x^2, J: (r + x)/4}", Sensitivity("r", "J"), "factor of the loss lost", 1.0, "the factor 0.25 in J"),
    ("inputs: {x: 1.0}\nnodes: {a: x/3, y: 1000*a}", ValueOf("y"), "rounded too early", 300.0, "1 significant figures"),
]  # fmt: skip
NEURON = """
network:
  inputs: {x: 0.5, z: -1.0}
  neurons:
    h: {activation: tanh, weights: {x: 0.8, z: -0.4}, bias: 0.3}
    o: {activation: sigmoid, weights: {h: 1.5}}
  loss: (o - 1)^2
"""
S_H = 0.8 * 0.5 + 0.4 + 0.3
H = math.tanh(S_H)
O = 1 / (1 + math.exp(-1.5 * H))
S_O, GATE_O, GATE_H = 2 * (O - 1), O * (1 - O), 1 - H * H
H0 = math.tanh(0.8 * 0.5 + 0.4)
O0 = 1 / (1 + math.exp(-1.5 * H0))
NEURON_CASES = [
    (Gate("h"), "activation instead of its derivative", H, "Phi(s) itself"),
    (Gate("h"), "forward value", S_H, "the pre-activation s(h)"),
    (Gate("h"), "derivative at the output", 1 - math.tanh(H) ** 2, "at the output y"),
    (ValueOf("h"), "activation forgotten", S_H, "the activation was not applied"),
    (ValueOf("h"), "bias forgotten", H0, "the biases were forgotten"),
    (EdgeDerivative("x", "h"), "gate forgotten", 0.8, "the gate Phi'(s) was left out at h"),
    (EdgeDerivative("x", "h"), "factor left out", GATE_H, "the weight of the edge x -> h was left out"),
    (WeightGradient("x", "h", "J"), "weight instead of upstream activation", S_O * GATE_O * 1.5 * GATE_H * 0.8, "the weight w(x,h)"),
    (WeightGradient("h", "o", "J"), "weight instead of upstream activation", S_O * GATE_O * S_H, "the pre-activation s(h)"),
    (WeightGradient("x", "h", "J"), "factor left out", S_O * GATE_O * 1.5 * GATE_H, "the upstream value y(x) was left out"),
    (WeightGradient("x", "h", "J"), "factor left out", GATE_H * 0.5, "the downstream sensitivity S(h,J) was left out"),
    (WeightGradient("x", "h", "J"), "factor twice", S_O * GATE_O * 1.5 * GATE_H**2 * 0.5, "the gate of h was used twice"),
    (WeightGradient("x", "h", "J"), "factor twice", S_O * GATE_O * 1.5 * GATE_H * 0.25, "the upstream value y(x) was used twice"),
    (WeightGradient("x", "h", "J"), "gate forgotten", S_O * 1.5 * 0.5, "at every neuron"),
    (WeightGradient("x", "h", "J"), "loss derivative forgotten", GATE_O * 1.5 * GATE_H * 0.5, "the derivative of J"),
    (WeightGradient("x", "h", "J"), "neighbour's number", -S_O * GATE_O * 1.5 * GATE_H, "this is dJ/dw(z,h)"),
    (BeforeActivation("h", "J"), "derivative after the activation", S_O * GATE_O * 1.5, "with respect to y(h), after"),
    (BeforeActivation("h", "J"), "factor twice", S_O * GATE_O * 1.5 * GATE_H**2, "the gate of h was used twice"),
    (BeforeActivation("h", "J"), "activation instead of its derivative", S_O * GATE_O * 1.5 * H, "at h"),
    (BeforeActivation("h", "J"), "loss derivative forgotten", GATE_O * 1.5 * GATE_H, "the derivative of J"),
    (BeforeActivation("h", "J"), "forward value", S_H, "the pre-activation s(h) was given instead of dJ/ds(h)"),
    (BeforeActivation("h", "J"), "neighbour's number", S_O * GATE_O, "this is dJ/ds(o), not dJ/ds(h)"),
    (GradientStep(WeightGradient("h", "o", "J"), 0.5), "descent step", 1.5 + 0.5 * S_O * GATE_O * H, "went up the gradient"),
    (GradientStep(WeightGradient("h", "o", "J"), 0.5), "descent step", 1.5 - S_O * GATE_O * H, "the learning rate was left out"),
    (GradientStep(WeightGradient("h", "o", "J"), 0.5), "gate forgotten", 1.5 - 0.5 * S_O * H, "the gate Phi'(s) was left out at o"),
]  # fmt: skip


def named(G, part, answer, tolerance="3sf"):
    asked = cg.Exercise(G, (Question("q", {"": part}, parse_tolerance(tolerance)),))
    (result,) = cg.grade(asked, {"q": answer})["q"].parts
    assert result.status == "wrong"
    return result.mistakes


class TestMistakes:
    @pytest.mark.parametrize("case", SLIP_CASES, ids=lambda c: f"{c[2]}: {c[4]}")
    def test_by_hand(self, case):
        graph, part, kind, number, words = case
        mistakes = named(cg.read_spec(io.StringIO(graph)), part, f"{number:.6g}")
        assert any(m.kind == kind and words in m.what for m in mistakes), mistakes
        assert all(m.certain == (len(mistakes) == 1) for m in mistakes)

    @pytest.mark.parametrize("case", NEURON_CASES, ids=lambda c: f"{c[1]}: {c[3]}")
    def test_neurons_by_hand(self, case):
        part, kind, number, words = case
        mistakes = named(cg.read_spec(io.StringIO(NEURON)), part, f"{number:.6g}")
        assert any(m.kind == kind and words in m.what for m in mistakes), mistakes

    def test_every_row_of_the_table_is_tried(self):
        tried = {kind for _, _, kind, _, _ in SLIP_CASES} | {kind for _, kind, _, _ in NEURON_CASES}
        of_arrays = {"transpose given", "wrong order", "sum instead of mean", "factor of a square"}
        of_arrays |= {
            "derivative of another activation",
            "derivative before the activation",
            "derivative after the activation",
            "pre-activation for output",
            "diagonal alone",
        }  # test_more_mistakes
        for kind in MISTAKES:
            assert kind in of_arrays | tried, kind

    def test_the_manual_lists_every_kind_of_mistake(self):
        text = (Path(__file__).parents[2] / "docs" / "exercises.md").read_text(encoding="utf-8")
        (table,) = re.findall(r"\| mistake \| where, or what is meant \|\n\| --- \| --- \|\n((?:\|.*\n)+)", text)
        listed = {kind.strip() for row in table.splitlines() for kind in row.split("|")[1].split(", ")}
        assert listed - {"column or row given", "too few digits"} == set(MISTAKES)

    def test_two_at_once_are_said_with_less_certainty(self):
        G = cg.read_spec(io.StringIO("inputs: {x: 2.0}\nnodes: {a: 3*x, b: sin(5*x), y: a*b}"))
        # -(3 sin 10 + 6 cos 10): the sign, and the inner derivative of sin
        mistakes = named(G, Sensitivity("x", "y"), f"{-(3 * math.sin(10) + 6 * math.cos(10)):.6g}")
        assert "sign lost and inner derivative forgotten" in [m.kind for m in mistakes]
        assert not any(m.certain for m in mistakes)

    def test_what_nothing_explains(self):
        assert named(cg.read_spec(io.StringIO(TWO_PATHS)), Sensitivity("x", "y"), "771.5") == ()

    def test_what_is_near(self):
        (mistake,) = named(cg.from_equations("y = exp(x)", x=2.0), Sensitivity("x", "y"), "7.443")
        assert (mistake.kind, mistake.certain) == ("rounded too early", False)

    @given(networks(SMOOTH))
    def test_mistakes_are_finite_and_change_nothing(self, G):
        L = cg.linearize(G)
        before = {e: d["derivative"] for *e, d in ((i, j, d) for i, j, d in L.edges(data=True)) for e in [tuple(e)]}
        for mistake, number in candidates(Sensitivity(G.inputs[0], "J"), L):
            assert math.isfinite(number), mistake
            assert mistake.kind in MISTAKES
            assert mistake.where
            assert mistake.what
        assert {(i, j): d["derivative"] for i, j, d in L.edges(data=True)} == before


class TestArrays:
    @pytest.fixture
    def graph(self):
        G = cg.ComputationalGraph()
        G.add_input("X", [[1.0, 2.0], [0.5, -1.0], [3.0, 0.0]])
        G.add_input("y", [1.0, 0.0, -1.0])
        G.add_weight("w", [0.5, -0.25])
        G.add_input("A", [[1.0, 2.0], [0.0, -1.0]])
        G.add_input("B", [[0.5, 1.0], [3.0, 2.0]])
        G.add_input("v", [0.2, 0.4])
        for name, equation in {
            "r": "X @ w - y", "sq": "r^2", "l": "mean(sq)", "q": "squared_norm(w)", "J": "l + 0.1*q", "u": "A @ v", "t": "tanh(u)",
            "h": "B @ t",
        }.items():  # fmt: skip
            G.add_equation(name, equation)
        return G

    @staticmethod
    def asked(G, part, shape):
        parts = {",".join(str(k + 1) for k in index): Entry(part, index) for index in np.ndindex(shape)}
        return cg.Exercise(G, (Question("q", parts, parse_tolerance("3sf"), shape=shape),))

    def mistakes(self, G, part, answer):
        shape = np.shape(part.of(cg.linearize(G)))
        item = cg.grade(self.asked(G, part, shape), {"q": np.round(answer, 6).tolist()})["q"]
        assert item.status == "wrong"
        return [m.what for p in item.parts for m in p.mistakes]

    def test_gradients_by_hand(self, graph):
        X, w, y = (graph.nodes[i]["value"] for i in "Xwy")
        r = X @ w - y
        part = Sensitivity("w", "J")
        right = 2 * r @ X / 3 + 0.2 * w
        assert cg.grade(self.asked(graph, part, (2,)), {"q": right.round(4).tolist()}).ok
        assert "the sum was taken instead of the mean" in self.mistakes(graph, part, 2 * r @ X + 0.2 * w)
        assert "the path w -> q -> J was left out of the sum" in self.mistakes(graph, part, 2 * r @ X / 3)
        assert "the factor 2 in the derivative of squared_norm at q was forgotten" in self.mistakes(
            graph, part, 2 * r @ X / 3 + 0.1 * w
        )
        assert self.mistakes(graph, part, -right) == ["the sign is wrong"]

    def test_jacobians_by_hand(self, graph):
        A, B, v = (graph.nodes[i]["value"] for i in "ABv")
        D = np.diag(1 - np.tanh(A @ v) ** 2)
        part = Sensitivity("v", "h")
        assert cg.grade(self.asked(graph, part, (2, 2)), {"q": (B @ D @ A).tolist()}).ok
        assert self.mistakes(graph, part, (B @ D @ A).T) == ["the transpose was given"]
        assert self.mistakes(graph, part, A @ D @ B) == ["the matrices were multiplied in the wrong order"]
        assert "the transpose of z(v,u) was used" in self.mistakes(graph, part, B @ D @ A.T)
        assert "the derivative of tanh was left out at t" in self.mistakes(graph, part, B @ A)

    def test_one_wrong_entry(self, graph):
        right = np.array(Sensitivity("v", "h").of(cg.linearize(graph)))
        right[1, 0] *= -1
        item = cg.grade(self.asked(graph, Sensitivity("v", "h"), (2, 2)), {"q": right.tolist()})["q"]
        assert [p.status for p in item.parts] == ["right", "right", "wrong", "right"]
        assert [m.what for m in item.parts[2].mistakes] == ["the sign is wrong"]
        assert item.points == Fraction(3, 4)

    def test_the_transpose_of_a_matrix_that_is_not_square(self, graph):
        part = EdgeDerivative("w", "r")
        X = graph.nodes["X"]["value"]
        item = cg.grade(self.asked(graph, part, (3, 2)), {"q": X.T.tolist()})["q"]
        assert item.status == "wrong"
        assert item.parts[0].mistakes[0].what == "the transpose was given"
        assert cg.grade(self.asked(graph, part, (3, 2)), {"q": X.tolist()}).ok
        assert cg.grade(self.asked(graph, part, (3, 2)), {"q": (X.T + 1).tolist()})["q"].status == "unreadable"

    def test_own_values_go_on(self, graph):
        value = Question(
            "u", {str(k + 1): Entry(ValueOf("u"), (k,)) for k in range(2)}, parse_tolerance("3sf"), shape=(2,)
        )
        after = Question(
            "t", {str(k + 1): Entry(ValueOf("t"), (k,)) for k in range(2)}, parse_tolerance("3sf"), shape=(2,)
        )
        report = cg.grade(
            cg.Exercise(graph, (value, after)), {"u": [0.5, -0.4], "t": [math.tanh(0.5), math.tanh(-0.4)]}
        )
        assert [item.status for item in report.items] == ["wrong", "right"]


class TestAnswerFiles:
    @pytest.mark.parametrize("answers", [None, [6], "a: 6"])
    def test_answers_are_a_mapping(self, answers):
        with pytest.raises(cg.CGraphError, match="^answers must be a mapping from ids"):
            cg.grade(exercise(TWO_PATHS, "id: a, y: a"), answers)

    @pytest.mark.parametrize(
        ("name", "text", "answers"),
        [
            ("a.yaml", "a: 6\nb: 1/3", {"a": 6, "b": "1/3"}), ("a.json", '{"a": 6, "b": [1, 2]}', {"a": 6, "b": [1, 2]}),
            ("a.toml", 'a = 6\nb = "1/3"', {"a": 6, "b": "1/3"}), ("a.csv", 'id,answer\na,6\nb,"[1, 2]"\n\n', {"a": "6", "b": [1, 2]}),
            ("a.csv", "a,6\nb,1/3", {"a": "6", "b": "1/3"}), ("a.csv", "id;answer\na;6,5", {"a": "6,5"}),
            ("a.csv", "a,[1", {"a": "[1"}), ("a.csv", 'a,"{""x"": 1}"', {"a": {"x": 1}}), ("a.csv", "", {}),
        ],
    )  # fmt: skip
    def test_formats(self, tmp_path, name, text, answers):
        (tmp_path / name).write_text(text, encoding="utf-8")
        read = cg.read_answers(tmp_path / name)
        assert (read.student, read.answers) == ("a", answers)

    def test_the_student(self, tmp_path):
        (tmp_path / "f.yaml").write_text("student: Ada L.\nanswers: {a: 1}", encoding="utf-8")
        assert cg.read_answers(tmp_path / "f.yaml") == cg.Answers("Ada L.", {"a": 1})
        assert cg.read_answers(io.StringIO("a: 1")).student == ""

    @pytest.mark.parametrize(
        ("given", "student"), [("2026", "2026"), ("''", "f"), ("", "f"), ("Çağlar Ö.", "Çağlar Ö.")]
    )
    def test_names_of_students(self, tmp_path, given, student):
        (tmp_path / "f.yaml").write_text(f"student: {given}\nanswers: {{a: 1}}", encoding="utf-8")
        assert cg.read_answers(tmp_path / "f.yaml").student == student

    def test_what_else_stands_beside_answers_is_named(self):
        with pytest.raises(cg.SpecError) as caught:
            cg.read_answers(io.StringIO("studnt: ada\nanswers: {a: 1}\n3: x"))
        assert [(p.message, p.hint) for p in caught.value.problems] == [
            ("unknown key 'studnt' beside 'answers'", "did you mean 'student'?"),
            ("unknown key '3' beside 'answers'", "answers stand under 'answers'"),
        ]

    @pytest.mark.parametrize("given", [r'"\e[31mred"', r'"a\nb"', "[1]", "{a: 1}", "true", "x" * 101])
    def test_what_is_no_name_of_a_student(self, given):
        with pytest.raises(cg.SpecError, match="is no name of a student; 1 to 100 printable characters are"):
            cg.read_answers(io.StringIO(f"student: {given}\nanswers: {{a: 1}}"))

    @pytest.mark.parametrize(
        ("name", "text", "message"),
        [
            ("a.yaml", "just prose", "answers must be a mapping from ids, not the text 'just prose'"),
            ("a.yaml", "a: 1\na: 2", "'a' stands here twice"), ("a.yaml", "a: [", "not YAML"), ("a.json", "{", "not JSON"),
            ("a.yaml", "a: !!python/object:os.system x", "the tag"), ("a.csv", "a,1,2", "3 cells; a row is id,answer"),
            ("a.csv", "a,1\na,2", "'a' is answered twice"), ("a.yaml", "a: " + "1" * 300_000, "longer than 200,000 characters"),
            ("a.csv", "a,1\n" * 60_000, "longer than 200,000 characters"), ("a.yaml", "", "not empty"),
        ],
    )  # fmt: skip
    def test_mistakes(self, tmp_path, name, text, message):
        (tmp_path / name).write_text(text, encoding="utf-8")
        with pytest.raises(cg.SpecError, match=re.escape(message)):
            cg.read_answers(tmp_path / name)

    def test_not_text(self, tmp_path):
        (tmp_path / "a.csv").write_bytes(b"a,\xff\xfe")
        with pytest.raises(cg.SpecError, match="not UTF-8"):
            cg.read_answers(tmp_path / "a.csv")


# What Gradescope documents of results.json.
GRADESCOPE = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "score": {"type": "number"}, "execution_time": {"type": "number"}, "output": {"type": "string"},
        "output_format": {"enum": ["text", "html", "simple_format", "md", "ansi"]}, "test_output_format": {"type": "string"},
        "test_name_format": {"type": "string"}, "visibility": {"enum": ["hidden", "after_due_date", "after_published", "visible"]},
        "stdout_visibility": {"type": "string"}, "extra_data": {"type": "object"}, "leaderboard": {"type": "array"},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "score": {"type": "number"}, "max_score": {"type": "number"}, "status": {"enum": ["passed", "failed"]},
                    "name": {"type": "string"}, "name_format": {"type": "string"}, "number": {"type": "string"},
                    "output": {"type": "string"}, "output_format": {"enum": ["text", "html", "simple_format", "md", "ansi"]},
                    "tags": {"type": "array"}, "visibility": {"type": "string"}, "extra_data": {"type": "object"},
                },
            },
        },
    },
}  # fmt: skip
WRONG = "a: 6\nb: -6.18\nd: 1214.6\ne: no idea\nh: A\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "ada.yaml").write_text(WRONG, encoding="utf-8")
    (tmp_path / "ben.csv").write_text("id,answer\na,6\nc,2\n", encoding="utf-8")
    (tmp_path / "bad.yaml").write_text("a: [1\n", encoding="utf-8")
    (tmp_path / "eve.json").write_text('{"student": "Eve", "answers": {"a": NaN}}', encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not answers", encoding="utf-8")
    (tmp_path / "binary.toml").write_bytes(b"\xff\x00")
    return tmp_path


class TestCommand:
    def test_the_key(self, run):
        status, out, _ = run("grade", QUIZ)
        assert status == 0
        assert out.startswith("Differentiation quiz: 8 questions, 11 points\n")
        assert "1207.5 to 1208.5" in out
        assert run("grade", QUIZ, "--format", "markdown")[1].startswith("Differentiation quiz")
        assert run("grade", QUIZ, "--format", "json")[0] == 2

    def test_hints(self, run, folder):
        texts = {hints: run("grade", QUIZ, "--answers", folder / "ada.yaml", "--hints", hints) for hints in (0, 1, 2)}
        assert {status for status, _, _ in texts.values()} == {1}
        nothing, where, what = (texts[h][1] for h in (0, 1, 2))
        assert "look again" not in nothing
        assert "was left out" not in nothing
        assert "1207.5" not in nothing + where
        assert "x acts on y in two ways; look again at the paths from x to y" in where
        assert "was left out" not in where
        assert "the path x -> y was left out of the sum" in what
        assert "1207.5 to 1208.5" in what
        assert "ada: 3.00 of 11 points" in what

    def test_json(self, run, folder):
        data = json.loads(run("grade", QUIZ, "--answers", folder / "ada.yaml", "--format", "json")[1])
        assert (data["cgraph"], data["student"], data["score"], data["possible"]) == (1, "ada", 3.0, "11")
        item = next(item for item in data["items"] if item["id"] == "d")
        assert item["parts"][0]["accepted"] == [1207.5, 1208.5]
        assert item["parts"][0]["mistakes"][0]["kind"] == "path left out"
        quiet = json.loads(run("grade", QUIZ, "--answers", folder / "ada.yaml", "--format", "json", "--hints", "0")[1])
        assert "expected" not in json.dumps(quiet)

    def test_junit(self, run, folder):
        status, out, _ = run("grade", QUIZ, "--answers", folder, "--format", "junit")
        assert status == 1
        suites = {suite.get("name"): suite for suite in ET.fromstring(out)}
        assert list(suites) == ["ada", "bad", "ben", "binary", "Eve"]
        ada = suites["ada"]
        assert (ada.get("tests"), ada.get("failures"), ada.get("errors")) == ("8", "2", "4")
        assert len(ada.findall("testcase/failure")) == 2
        assert (
            suites["bad"]
            .find("testcase/error")
            .get("message")
            .endswith("not YAML: while parsing a flow sequence, expected ',' or ']', but got '<stream end>'")
        )

    def test_csv(self, run, folder):
        status, out, _ = run("grade", QUIZ, "--answers", folder, "--format", "csv")
        assert status == 1
        rows = {row["student"]: row for row in csv.DictReader(io.StringIO(out))}
        assert rows["ada"]["score"] == "3.00"
        assert rows["ben"]["item c"] == "1.00"
        assert "not YAML" in rows["bad"]["error"]
        assert "not UTF-8" in rows["binary"]["error"]

    def test_gradescope(self, run, folder, tmp_path):
        for hints in (0, 1, 2):
            run(
                "grade",
                QUIZ,
                "--answers",
                folder / "ada.yaml",
                "--format",
                "gradescope",
                "--hints",
                hints,
                "-o",
                tmp_path / "r.json",
            )
            results = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
            jsonschema.validate(results, GRADESCOPE)
            assert results["score"] == sum(test["score"] for test in results["tests"]) == 3.0
            assert {test["status"] for test in results["tests"]} == {"passed", "failed"}
        assert run("grade", QUIZ, "--answers", folder, "--format", "gradescope")[0] == 2

    def test_a_class(self, run, folder):
        status, out, _ = run("grade", QUIZ, "--answers", folder)
        assert status == 1
        assert "5 students, on average 1.00 of 11 points (2 that could not be marked count as 0)" in out
        assert "most frequent mistake" in out
        assert re.search(r"^  bad +0\.00 .*not YAML", out, re.MULTILINE)
        assert run("grade", QUIZ, "--answers", folder, "--format", "markdown")[1].count("|") > 50

    def test_many_processes_give_the_same(self, run, tmp_path):
        for k in range(FEWEST_FOR_PROCESSES):
            (tmp_path / f"s{k:02}.yaml").write_text(f"a: {k}\nd: 1208", encoding="utf-8")
        one = run("grade", QUIZ, "--answers", tmp_path, "--format", "csv", "--jobs", "1")
        assert one == run("grade", QUIZ, "--answers", tmp_path, "--format", "csv", "--jobs", "2")
        assert one[1].count("\n") == FEWEST_FOR_PROCESSES + 1

    def test_what_is_not_marked_is_named(self, run, tmp_path):
        (tmp_path / "a.yaml").write_text("a: 6", encoding="utf-8")
        (tmp_path / "b.docx").write_bytes(b"PK")
        (tmp_path / ".c.docx").write_bytes(b"PK")
        (tmp_path / "d.yaml").mkdir()
        status, out, err = run("grade", QUIZ, "--answers", tmp_path)
        assert status == 1
        assert out.startswith("1 student, on average 1.00 of 11 points\n")
        assert err == ("cgraph: 1 file not marked: 'b.docx'; answers are files of .csv, .json, .toml, .yaml, .yml\n")

    @pytest.mark.parametrize("format", ["text", "markdown"])
    def test_answers_do_not_move_the_cursor(self, run, tmp_path, format):
        (tmp_path / "a.yaml").write_text(r'{a: "6\e[31m", "b\e[2J": 3, g: "x\e]0;hi\a"}', encoding="utf-8")
        out = run("grade", QUIZ, "--answers", tmp_path / "a.yaml", "--format", format)[1]
        assert "6\ufffd" in out
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", out)

    def test_all_right(self, run, tmp_path):
        (tmp_path / "a.yaml").write_text("a: 6", encoding="utf-8")
        (tmp_path / "e.yaml").write_text(f"{TWO_PATHS}\nask: [{{id: a, y: a}}]", encoding="utf-8")
        assert run("grade", tmp_path / "e.yaml", "--answers", tmp_path / "a.yaml")[0] == 0

    @pytest.mark.parametrize(
        ("arguments", "status", "message"),
        [
            (["no.yaml"], 2, "cannot read 'no.yaml': No such file or directory"),
            ([str(QUIZ), "--answers", "no.yaml"], 2, "cannot read 'no.yaml'"),
            ([str(ROOT / "README.md")], 3, "error:"),
            ([str(QUIZ), "--answers", str(ROOT / "LICENSE")], 3, "error:"),
            ([str(QUIZ), "--answers", str(ROOT / "docs")], 2, "no answers in"),
            ([str(QUIZ), "--hints", "3"], 2, "invalid choice"),
            ([str(QUIZ), "-o", "/no/where.txt"], 2, "cannot write '/no/where.txt'"),
        ],
    )  # fmt: skip
    def test_mistakes(self, run, arguments, status, message):
        found, _, err = run("grade", *arguments)
        assert found == status
        assert message in err

    def test_answers_of_another_exercise(self, run, tmp_path):
        (tmp_path / "a.yaml").write_text("q1: 6\nq2: 7", encoding="utf-8")
        status, out, _ = run("grade", QUIZ, "--answers", tmp_path / "a.yaml")
        assert status == 1
        assert "not asked: q1, q2; is this the right file?" in out


class TestForTestSuites:
    def test_assert_sensitivity(self):
        G = cg.from_equations("a = x*z; y = a + x", x=2.0, z=3.0)
        assert_sensitivity(G, "x", "y", 4)
        assert_sensitivity(G, "x", "y", "8/2", tolerance="exact")
        assert_sensitivity(G, "x", "y", 6, inputs={"z": 5.0})
        with pytest.raises(
            AssertionError, match=re.escape("S(x, y) = 4, not 3 (3sf accepts 3.995 to 4.005): perhaps the path x -> y")
        ):
            assert_sensitivity(G, "x", "y", 3)
        with pytest.raises(AssertionError, match=re.escape("S(x, y) = 4, not 777 (abs 0.1 accepts 3.9 to 4.1)")):
            assert_sensitivity(G, "x", "y", 777, tolerance="abs 0.1")
        with pytest.raises(cg.CGraphError, match="'four' is a text"):
            assert_sensitivity(G, "x", "y", "four")
        with pytest.raises(cg.NodeNotFound):
            assert_sensitivity(G, "q", "y", 4)

    def test_every_exercise_of_the_examples(self):
        script = ROOT / "examples" / "verify_all.py"
        found = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
        assert found.returncode == 0, found.stdout + found.stderr
        assert "miss" not in found.stdout
