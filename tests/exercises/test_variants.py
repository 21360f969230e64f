"""Exercises with other numbers, and without answers."""

import io
import json
import re
from fractions import Fraction
from pathlib import Path

import jsonschema
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import cgraph as cg
from cgraph.cli import main
from cgraph.exercises.sealing import rounded_answer
from cgraph.exercises.tolerances import exponent_of, parse_tolerance
from cgraph.specs.writing import to_json, to_yaml

ROOT = Path(__file__).parent.parent.parent
QUIZ = ROOT / "examples" / "cmu_10301" / "quiz.yaml"
SCHEMA = json.loads((ROOT / "cgraph" / "specs" / "schema.json").read_text())
SQUARE = "inputs: {x: 2.0}\nnodes: {y: x^2}\nask: [{id: a, d: y/x, answer: 4}]\n"
LAYER = """\
inputs: {x: 2.0, z: 1.0}
weights: {W: [[1.0, 2.0], [3.0, 4.0]]}
nodes: {y: relu(x - 2) * z + sum(W)}
ask: [{id: a, d: y/x}]
salt: s
vary: {x: [0.1, 4, 0.1], z: [-1, 1, 0.25], W: [-0.9, 0.9, 0.3]}
"""


def vary(text, student="ada"):
    return cg.vary(io.StringIO(text), student)


def seal(text):
    return cg.seal(io.StringIO(text))


def read(data):
    return cg.read_exercise(io.StringIO(to_yaml(data)))


def grade(data, **answers):
    return cg.grade(read(data), answers)


def refused(text):
    with pytest.raises(cg.CGraphError) as caught:
        vary(text)
    return str(caught.value)


class TestDraws:
    @pytest.mark.parametrize(
        ("student", "x", "z", "W", "draw"),
        [
            ("ada", 2.9, 0.5, [[0.3, 0.6], [0.3, 0.3]], 0),
            ("ben", 3.5, -1.0, [[0.6, -0.6], [0.9, 0.6]], 0),
            ("Zoë", 2.1, -0.25, [[0.6, 0.6], [-0.3, 0.6]], 2),
        ],
    )
    def test_they_are_the_same_for_ever(self, student, x, z, W, draw):
        variant = vary(LAYER, student)
        assert (variant["inputs"], variant["weights"]) == ({"x": x, "z": z}, {"W": W})
        assert variant["variant"] == {"salt": "s", "student": student, "draw": draw}

    def test_line_ends_do_not_matter(self):
        assert vary(LAYER.replace("\n", " \r\n")) == vary(LAYER)

    def test_salt_and_text_do(self):
        drawn = [vary(text)["weights"] for text in (LAYER, LAYER.replace("salt: s", "salt: t"), LAYER + "# again\n")]
        assert drawn[0] != drawn[1] != drawn[2] != drawn[0]

    @given(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20))
    def test_they_stand_on_the_grid(self, student):
        variant = vary(LAYER, student)
        x, z, W = variant["inputs"]["x"], variant["inputs"]["z"], variant["weights"]["W"]
        assert x in [k / 10 for k in range(1, 41)]
        assert z in [k / 4 for k in range(-4, 5)]
        assert all(w in [3 * k / 10 for k in range(-3, 4)] for row in W for w in row)
        assert x >= 2.1  # where the answer is not 0, and the operand not near the kink

    def test_every_value_is_drawn_both_ends_included(self):
        text = SQUARE + "vary: {x: [0.5, 2.1, 0.5]}"
        assert {vary(text, f"s{k}")["inputs"]["x"] for k in range(60)} == {0.5, 1.0, 1.5, 2.0}

    def test_inputs_of_a_network(self):
        text = (
            "network:\n  inputs: {x1: 1.0}\n  neurons: {h: {activation: relu, weights: {x1: 2.0}}}\n"
            "ask: [{id: a, d: h/x1}]\nvary: {x1: [3, 5, 1]}"
        )
        variant = vary(text)
        assert variant["network"]["inputs"]["x1"] in {3.0, 4.0, 5.0}
        assert read(variant).graph.nodes["x1"]["value"] == variant["network"]["inputs"]["x1"]
        assert "an operand was too near a kink, in the last of these that of relu at node 'h'" in refused(
            text.replace("[3, 5, 1]", "[0, 0.02, 0.01]")
        )

    def test_the_graph_may_stand_beside(self, tmp_path):
        (tmp_path / "g.yaml").write_text("inputs: {x: 2.0}\nnodes: {y: x^2}\n")
        (tmp_path / "e.yaml").write_text("graph: g.yaml\nask: [{id: a, d: y/x}]\nvary: {x: [5, 9, 1]}\n")
        variant = cg.vary(tmp_path / "e.yaml", "ada")
        assert variant["inputs"]["x"] in {5, 6, 7, 8, 9}
        assert "graph" not in variant
        assert read(variant).truths["a"][""] == 2 * Fraction(variant["inputs"]["x"])


class TestFilters:
    @pytest.mark.parametrize(
        ("equation", "grid", "filter"),
        [
            ("log(x)", "[-3, -1, 1]", "the graph could not be evaluated, in the last of these because node 'y': log"),
            ("x + abs(x - 1)", "[0.96, 1.04, 0.01]", "an operand was too near a kink"),
            ("x + sign(x)", "[-0.04, 0.04, 0.01]", "an operand was too near a kink"),
            ("x + leaky_relu(x)", "[-0.04, 0.04, 0.01]", "an operand was too near a kink"),
            ("x + hard_tanh(x)", "[-1.04, -0.96, 0.01]", "an operand was too near a kink"),
            ("max(x, 2*x)", "[-0.04, 0.04, 0.01]", "an operand was too near a kink"),
            ("x + min(x, 1)", "[0.96, 1.04, 0.01]", "an operand was too near a kink"),
            ("exp(x)", "[10, 20, 1]", "an answer was not in the range of 0.001 to 10000 in size"),
            (
                "0*x",
                "[1, 2, 1]",
                "an answer was not in the range of 0.001 to 10000 in size, in the last of these dy/dx",
            ),
        ],
    )
    def test_each_refuses(self, equation, grid, filter):
        text = f"inputs: {{x: 2.0}}\nnodes: {{y: '{equation}'}}\nask: [{{id: a, d: y/x}}]\nvary: {{x: {grid}}}"
        message = refused(text)
        assert message.startswith(f"none of 1,000 draws will do; in 1,000 of them {filter}")

    def test_what_is_just_outside_the_margin_will_do(self):
        text = "inputs: {x: 2.0}\nnodes: {y: x + abs(x - 1)}\nask: [{id: a, d: y/x}]\nvary: {x: [1.05, 1.05, 1]}"
        assert vary(text)["inputs"]["x"] == 1.05

    def test_paths_of_equal_products(self):
        text = "inputs: {x: 2.0, w: 3.0}\nnodes: {a: 2*x, b: w*x, y: a + b}\nask: [{id: a, d: y/x}]\n"
        assert {vary(text + "vary: {w: [1, 3, 1]}", f"s{k}")["inputs"]["w"] for k in range(30)} == {1.0, 3.0}
        assert "two paths had the same product, in the last of these two from x to y" in refused(
            text + "vary: {w: [2, 2, 1]}"
        )

    def test_entries_of_arrays_and_very_many_paths_are_not_compared(self):
        text = "inputs: {x: [1.0, 2.0]}\nnodes: {a: 2*x, b: 2*x, y: sum(a + b)}\nask: [{id: a, d: y/x}]\n"
        assert vary(text + "vary: {x: [1, 2, 1]}")["variant"]["draw"] == 0
        doubling = "".join(f", a{k}: c{k - 1}, b{k}: c{k - 1}, c{k}: (a{k} + b{k}) / 2" for k in range(1, 11))
        text = f"inputs: {{x: 2.0}}\nnodes: {{c0: x{doubling}}}\nask: [{{id: a, d: c10/x}}]\nvary: {{x: [1, 2, 1]}}"
        assert vary(text)["variant"]["draw"] == 0  # 1,024 paths

    def test_a_range_of_sizes(self):
        text = "inputs: {x: 2.0}\nnodes: {y: x}\nask: [{id: a, y: y}]\nvary: {x: [-9, 9, 1]}\nmagnitude: "
        assert {abs(vary(text + "[4, 5]", f"s{k}")["inputs"]["x"]) for k in range(30)} == {4, 5}
        assert 0 in {vary(text + "[0, 1]", f"s{k}")["inputs"]["x"] for k in range(30)}

    def test_a_number_of_paths_is_of_any_size(self):
        text = "inputs: {x: 2.0}\nnodes: {y: x}\nask: [{id: a, paths: x -> y}]\nvary: {x: [1, 2, 1]}\nmagnitude: [4, 5]"
        assert vary(text)["variant"]["draw"] == 0


class TestVariants:
    def test_reading_it_again(self):
        variant = cg.vary(QUIZ, "ada")
        exercise = read(variant)
        assert [q.id for q in exercise.questions] == list("abcdefgh")
        assert not any(q.answers for q in exercise.questions)
        assert exercise.truths["a"][""] == Fraction(repr(variant["inputs"]["x"] * variant["inputs"]["z"]))
        assert exercise.questions[-1].special.right == "F"
        assert not {"vary", "salt", "magnitude"} & variant.keys()
        assert json.loads(to_json(variant)) == variant
        jsonschema.validate(variant, SCHEMA)

    def test_nothing_else_changes(self):
        text = LAYER.replace("z: [-1, 1, 0.25], ", "")
        assert vary(text)["inputs"]["z"] == 1.0
        assert vary(text)["nodes"] == {"y": "relu(x - 2) * z + sum(W)"}

    @pytest.mark.parametrize(
        ("declared", "message"),
        [
            ("", "1:1: error: the exercise does not say what varies"),
            ("vary: 3", "4:7: error: the exercise does not say what varies"),
            ("vary: {}", "4:7: error: the exercise does not say what varies"),
            ("vary: {y: [1, 2, 1]}", "4:8: error: 'y' stands neither under inputs nor under weights"),
            ("vary: {x: 3}", "4:11: error: 'x' must vary over a list of three numbers"),
            ("vary: {x: [1, 2]}", "4:11: error: 'x' must vary over a list of three numbers"),
            ("vary: {x: [1, 2, true]}", "4:11: error: 'x' must vary over a list of three numbers"),
            ("vary: {x: [1, 2, .nan]}", "4:11: error: 'x' must vary over a list of three numbers"),
            ("vary: {x: [1, .inf, 1]}", "4:11: error: 'x' must vary over a list of three numbers"),
            ("vary: {x: [1, 2, 0]}", "4:11: error: 'x' must vary upwards, in positive steps"),
            ("vary: {x: [2, 1, 1]}", "4:11: error: 'x' must vary upwards, in positive steps"),
            ("vary: {x: [0, 1, 1.0e-12]}", "4:11: error: 'x' takes 1,000,000,000,001 values; the limit is 1,000,000,000"),
            ("vary: {x: [1, 2, 1]}\nmagnitude: [2, 1]", "5:12: error: 'magnitude' must be the least and the largest size"),
            ("vary: {x: [1, 2, 1]}\nmagnitude: 7", "5:12: error: 'magnitude' must be the least and the largest size"),
            ("vary: {x: [1, 2, 1]}\nsalt: [1]", "5:7: error: the salt must be a word or a whole number"),
        ],
    )  # fmt: skip
    def test_bad_declarations(self, declared, message):
        assert message in refused(SQUARE + declared)

    @pytest.mark.parametrize("student", ["", "a\nb", "x" * 101, "\ud800"])
    def test_bad_names(self, student):
        with pytest.raises(cg.CGraphError, match="no name of a student"):
            vary(LAYER, student)


TOLERANCES = ["3sf", "1sf", "15sf", "2dp", "0dp", "rel 1e-3", "rel 0.05", "abs 1e-6", "abs 0.25", "exact", "integer"]


class TestSealing:
    def test_there_are_no_answers(self):
        sealed = cg.seal(QUIZ)
        assert not any("answer" in entry for entry in sealed["ask"])
        assert not re.search(r"1208|810", to_yaml({"ask": sealed["ask"]}))
        assert "vary" not in sealed
        assert ["seal" in entry for entry in sealed["ask"]] == [True] * 6 + [False, True]  # a formula has none
        jsonschema.validate(sealed, SCHEMA)
        assert cg.seal(QUIZ) == sealed

    def test_right_and_wrong_and_no_more(self):
        right = {"a": 6, "b": "-6,18", "c": 2, "d": 1208, "e": "810", "f": "3*404.85", "g": "exp(a)*x", "h": "f"}
        right["g"] = "(exp(x*z) + 1/log(x) - sin(log(x))/(x*z)^2) * x"
        assert grade(cg.seal(QUIZ), **right).ok
        wrong = {"a": 5, "b": -6.244, "c": 3, "d": 1214.6, "e": "809", "f": 1, "g": "exp(a)", "h": "A"}
        report = grade(cg.seal(QUIZ), **wrong)
        assert {item.status for item in report.items} == {"wrong"}
        parts = [part for item in report.items for part in item.parts]
        assert all((part.expected, part.accepted, part.mistakes) == (None, None, ()) for part in parts)

    def test_missing_and_unreadable(self):
        report = grade(cg.seal(QUIZ), a="six", h="Z")
        assert [report[id].status for id in "abh"] == ["unreadable", "missing", "unreadable"]

    def test_arrays_and_tables(self):
        text = "inputs: {x: 2.0, z: 3.0}\nnodes: {a: x*z, y: a + x}\nask: [{id: a, d: 'y/[x, z]'}, {id: b, table: forward}]"
        sealed = seal(text)
        report = grade(sealed, a=[4, 3], b={"a": 6, "y": 8})
        assert [item.points for item in report.items] == [Fraction(1, 2), 1]
        assert grade(sealed, a=[4])["a"].status == "unreadable"
        assert not grade(sealed, a=[2, 4]).items[0].points  # an entry's hash does for no other entry

    @given(
        st.sampled_from(TOLERANCES),
        st.integers(-(10**6), 10**6).filter(bool),
        st.integers(0, 4),
        st.fractions(-1, 1),
    )
    @example("abs 1e-6", 10**6, 0, Fraction(0))  # thirteen digits
    @example("abs 1e-6", 10**5, 0, Fraction(0))  # twelve
    def test_nothing_right_is_refused_and_little_else_accepted(self, tolerance, digits, places, where):
        truth = Fraction(digits, 10**places)
        if tolerance == "integer":
            truth = Fraction(digits)
        value = float(truth)
        sealed = seal(f"inputs: {{x: {value!r}}}\nnodes: {{y: x}}\nask: [{{id: a, y: y, tolerance: {tolerance}}}]")
        low, high = parse_tolerance(tolerance).interval(Fraction(repr(value)))
        middle, half = (low + high) / 2, (high - low) / 2
        if tolerance == "integer":
            assert [grade(sealed, a=truth + k).ok for k in (-1, 0, 1)] == [False, True, False]
            return
        assert grade(sealed, a=middle + where * half).ok
        if half >= Fraction(10) ** (exponent_of(truth) - 11):  # of what is finer, twelve digits are compared
            assert not grade(sealed, a=middle + half * Fraction(23, 10)).ok
            assert not grade(sealed, a=middle - half * Fraction(23, 10)).ok

    @pytest.mark.parametrize(
        ("tolerance", "value", "rounded"),
        [
            ("3sf", "1.44449", "1.444"), ("3sf", "9.9996", "10"), ("3sf", "-0.012345", "-0.01234"), ("2dp", "0.1235", "0.124"),
            ("2dp", "0", "0"), ("abs 0.25", "1.239", "1.24"), ("rel 1e-3", "12.3456", "12.346"), ("3sf", "1e-9", "0"),
            ("exact", "1.23456789012345", "1.23456789012"), ("integer", "1.5", "1.5"),
        ],
    )  # fmt: skip
    def test_rounding(self, tolerance, value, rounded):
        assert Fraction(rounded_answer(parse_tolerance(tolerance), Fraction(value))) == Fraction(rounded)

    def test_too_wide(self):
        with pytest.raises(cg.CGraphError, match="question 'a': with the tolerance rel 0.95 too many answers"):
            seal(SQUARE.replace("answer: 4", "tolerance: rel 0.95"))

    def test_once(self):
        with pytest.raises(cg.CGraphError, match="sealed already"):
            seal(to_yaml(seal(SQUARE)))

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("ask: [{id: a, d: y/x, seal: abc}]", "3:29: error: a seal stands where nothing is sealed"),
            ("ask: [{id: a, d: y/x}]\nsealed: s", "3:7: error: a sealed question needs hashes for each number"),
            ("ask: [{id: a, d: y/x, seal: [1]}]\nsealed: s", "3:29: error: a sealed question needs hashes"),
            ("ask: [{id: a, table: forward, seal: {x: b}}]\nsealed: s", "3:37: error: a sealed question needs hashes"),
            ("ask: [{id: a, formula: y/x, seal: b}]\nsealed: s", "3:35: error: a seal stands where nothing is sealed"),
            ("ask: [{id: a, d: y/x}]\nsealed: 3", "4:9: error: 'sealed' must be the salt of the hashes, not the number 3"),
        ],
    )  # fmt: skip
    def test_bad_seals(self, text, message):
        with pytest.raises(cg.SpecError) as caught:
            cg.read_exercise(io.StringIO("inputs: {x: 2.0}\nnodes: {y: x^2}\n" + text))
        assert message in str(caught.value)


class TestCommands:
    def test_from_variant_to_mark(self, tmp_path, capsys):
        variant, sealed, answers = (tmp_path / name for name in ("ada.json", "sealed.yaml", "answers.yaml"))
        assert main(["vary", str(QUIZ), "--student", "ada", "-o", str(variant)]) == 0
        assert json.loads(variant.read_text()) == cg.vary(QUIZ, "ada")
        assert main(["seal", str(variant), "-o", str(sealed)]) == 0
        truths = cg.read_exercise(variant).truths
        given = {id: float(truth[""]) for id, truth in truths.items() if truth}
        answers.write_text(json.dumps({"answers": given | {"g": "x*(exp(a) + 1/log(x) - sin(log(x))/a^2)", "h": "F"}}))
        for path in (variant, sealed):
            assert main(["grade", str(path), "--answers", str(answers)]) == 0
        assert main(["solve", str(variant), "--from", "x"]) == 0
        assert capsys.readouterr().err == ""

    def test_no_key_of_a_sealed_exercise(self, tmp_path, capsys):
        path = tmp_path / "sealed.yaml"
        assert main(["seal", str(QUIZ), "-o", str(path)]) == 0
        assert main(["grade", str(path)]) == 2
        assert capsys.readouterr().err == (
            "cgraph: error: a sealed exercise holds no answers; give yours with --answers\n"
        )

    def test_not_as_toml(self, capsys):
        assert main(["seal", str(QUIZ), "-o", "quiz.toml"]) == 2
        assert "written as YAML or JSON, not TOML" in capsys.readouterr().err
