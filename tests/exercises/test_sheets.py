"""Sheets of exercises: what stands on them, in every format, for one reader and for a class."""

import csv
import io
import re
import subprocess

import pytest
from latex import needs_latex

import cgraph as cg
from cgraph.cli import main
from cgraph.exercises.sheets.contents import sheet_of
from cgraph.exercises.sheets.rendering import RENDERED, WIDTH

EVERYTHING = """\
title: "50% of $x_1$ & co."
source: a book
network:
  inputs: {x1: 0.5, x2: -1.0}
  neurons:
    h1: {activation: sigmoid, weights: {x1: 0.2, x2: 0.4}, bias: 0.1}
    o: {activation: identity, weights: {h1: 1.1, x2: 0.3}}
  loss: 0.5 * (o - 1)^2
ask:
- {id: a, y: h1, text: "The hidden_neuron's output"}
- {id: b, d: J/x1, tolerance: 2dp, points: 2}
- {id: c, d: J/x1 -> h1, tolerance: rel 1e-3}
- {id: d, z: x1 -> h1, tolerance: abs 1e-4}
- {id: e, gate: h1, tolerance: exact}
- {id: f, paths: x2 -> J}
- {id: g, path: x1 -> h1 -> o -> J}
- {id: h, delta: h1-}
- {id: i, step: x1 -> h1, rate: 0.1}
- {id: j, formula: J/o}
- {id: k, choice: [first, 50% of it], answer: B}
- {id: l, table: forward}
- {id: m, d: "J/[x1, x2]"}
"""
ARRAYS = """\
inputs: {X: [[1.0, 2.0], [0.5, -1.0]]}
weights: {w: [0.3, 0.4]}
nodes: {r: X @ w, J: squared_norm(r)}
ask: [{id: g, d: J/w}, {id: J, d: r/w}]
"""
EDGES = "inputs: {x: 1.0}\nedges: {x -> a: 3.0, a -> y: 0.5}\nask: [{id: a, d: y/x}]"
UNCERTAIN = (
    "inputs: {V: 10.0, I: 2.0}\nuncertainty: {V: 0.3, I: 0.08}\nnodes: {R: V/I}\n"
    "ask: [{id: a, u: R}, {id: b, component: R/V}]"
)
VARIED = (
    "title: Quiz\ninputs: {x: 2.0}\nnodes: {y: x^2}\nvary: {x: [1.0, 9.0, 0.5]}\nask: [{id: a, d: y/x}, {id: b, y: y}]"
)


def read(text):
    return cg.read_exercise(io.StringIO(text))


class TestStudents:
    def test_every_kind_of_question_in_words(self):
        text = " ".join(cg.sheet(read(EVERYTHING)).split())
        for words in (
            "50% of $x_1$ & co.",
            "Source: a book",
            "In all: 14 points",
            "s_h1 0.2*x1 + 0.4*x2 + 0.1",
            "h1 sigmoid(s_h1)",
            "J 0.5 * (o - 1)^2",
            "a (1 point)",
            "The hidden_neuron's output Compute the value h1, to 3 significant figures.",
            "Compute dJ/dx1, to 2 decimal places.",
            "Compute dJ/dw(x1,h1), the derivative with respect to the weight of the edge x1 -> h1, with a relative error of at most 0.001.",
            "Compute the local derivative z(x1,h1) of the edge x1 -> h1 alone, with an error of at most 0.0001.",
            "Compute Phi'(s(h1)), the derivative of the activation of h1, exactly.",
            "How many paths lead from x2 to J?",
            "Compute the product of the derivatives along the path x1 -> h1 -> o -> J, to 3",
            "Compute dJ/ds(h1), the derivative with respect to the weighted sum of h1, to",
            "Compute the value of w(x1,h1) after one step of gradient descent with the rate 0.1, downhill in J, to",
            "Give a formula for dJ/do.",
            "A first B 50% of it",
            "Fill in the table, to 3 significant figures. answer h1 ____",
        ):
            assert words in text, words

    def test_nothing_that_is_asked_for_is_said(self):
        """No answer stands on the sheet, however it is written."""
        exercise = read(EVERYTHING)
        answers = {f"{float(v):.3g}" for truths in exercise.truths.values() for v in truths.values()}
        for format in RENDERED:
            numbers = set(re.findall(r"-?\d+\.\d+", cg.sheet(exercise, format=format)))
            assert not {n for n in answers if "." in n} & numbers - {"0.3", "0.5"}

    def test_arrays(self):
        text = " ".join(cg.sheet(read(ARRAYS)).split())
        assert "Compute dJ/dw, to 3 significant figures. The answer is a list of 2 numbers." in text
        assert "Compute dr/dw, to 3 significant figures. The answer is an array of 2 x 2 numbers." in text
        assert "X [[1, 2], [0.5, -1]]" in text

    def test_derivatives_in_place_of_equations(self):
        text = cg.sheet(read(EDGES))
        assert "Derivatives along the edges\n  edge    derivative\n  x -> a           3\n  a -> y         0.5" in text
        assert "Equations" not in text

    def test_uncertainty(self):
        text = " ".join(cg.sheet(read(UNCERTAIN)).split())
        assert "Compute the standard uncertainty u(R) of R, to" in text
        assert "Compute the component S(V,R) u(V) that the uncertainty of V makes of that of R, to" in text

    def test_a_head_with_a_name_and_a_date(self):
        lines = cg.sheet(read(VARIED), student="ada", date="1 May").splitlines()
        assert lines[3:6] == ["Name: ada", "Date: 1 May", "In all: 2 points"]

    def test_functions_of_its_own(self):
        spec = "functions: {swish(x): x*sigmoid(x)}\ninputs: {x: 1.0}\nnodes: {y: swish(x)}\nask: [{id: a, y: y}]"
        assert "swish(x) = x*sigmoid(x)" in cg.sheet(read(spec)).replace(" * ", "*")


class TestAnswers:
    def test_each_answer_and_what_is_accepted(self):
        text = cg.sheet(read(VARIED), answers=True)
        assert "  dy/dx       4  3.995 to 4.005" in text
        assert "Name:" not in text
        assert text.splitlines()[3] == "Solution"

    def test_every_kind_of_question(self):
        exercise = read(EVERYTHING)
        text = cg.sheet(exercise, answers=True)
        for id, truths in exercise.truths.items():
            for value in truths.values():
                assert f"{float(value):.10g}" in text, id
        assert "B: 50% of it" in text
        assert "Old value minus rate times derivative" in text
        assert text.count("Forward pass") == 1

    def test_the_working_agrees_with_solve(self):
        exercise = read(EVERYTHING)
        text = cg.sheet(exercise, answers=True)
        backward = str(cg.solve(exercise.graph, None, "J")).split("Backward pass from J")[1].split("\n\n")[0]
        rows = [shown.split() for shown in text.partition("Backward pass")[2].splitlines() if shown.strip()]
        assert max(map(len, text.splitlines())) <= WIDTH
        for line in backward.splitlines()[2:]:
            node, *formula, value = line.split()
            if node != "+1":
                assert [row for row in rows if row[0] == node and row[-1] == value], line
                assert {*formula} <= {word for row in rows for word in row}, line

    def test_without_derivatives_the_values_are_worked_out(self):
        text = cg.sheet(read("inputs: {x: 3.0}\nnodes: {y: x^2}\nask: [{id: a, y: y}]"), answers=True)
        assert "y     x^2       3^2               9" in text

    def test_uncertainty_and_edges(self):
        assert "0.25" in cg.sheet(read(UNCERTAIN), answers=True)
        assert "dy/dx     1.5  1.495 to 1.505" in cg.sheet(read(EDGES), answers=True)

    def test_a_sealed_exercise_has_none(self):
        sealed = cg.read_exercise(io.StringIO(cg_yaml(cg.seal(io.StringIO(VARIED)))))
        with pytest.raises(cg.CGraphError, match="a sealed exercise holds no answers"):
            cg.sheet(sealed, answers=True)
        assert "Compute dy/dx" in cg.sheet(sealed)


def cg_yaml(data):
    from cgraph.specs.writing import to_yaml

    return to_yaml(data)


class TestFormats:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"format": "word"}, "a sheet is written as text, markdown, html, latex, not 'word'"),
            ({"paper": "a3"}, "the paper is a4 or letter, not 'a3'"),
            ({"picture": True}, "a text has no picture"),
        ],
    )
    def test_what_there_is_not(self, options, message):
        with pytest.raises(cg.CGraphError, match=message):
            cg.sheet(read(VARIED), **options)

    def test_html_is_escaped_and_fetches_nothing(self):
        page = cg.sheet(read(EVERYTHING.replace("a book", "<b>a book</b>")), format="html", paper="letter")
        assert "&lt;b&gt;a book" in page
        assert "<b>a" not in page
        assert "size: letter portrait" in page
        assert not re.search(r"(src|href)=|https?:|@import|url\(", page)

    def test_html_has_names_in_mathematics(self):
        page = cg.sheet(read(EVERYTHING), format="html")
        assert "dJ/dx₁" in page
        assert "dJ/dw(x₁,h₁)" in page
        assert "0.2*x₁ + 0.4*x₂ + 0.1" in page

    def test_markdown_escapes_the_words_of_the_author(self):
        text = cg.sheet(read(EVERYTHING), format="markdown", picture=True)
        assert text.startswith("# 50% of \\$x\\_1\\$ & co.\n")
        assert "The hidden\\_neuron's output" in text
        assert "```mermaid\n" in text

    def test_pictures(self):
        pytest.importorskip("pygraphviz")
        assert "<svg" in cg.sheet(read(EVERYTHING), format="html", picture=True)
        latex = cg.sheet(read(EVERYTHING), format="latex", picture=True)
        assert r"\usepackage{tikz}" in latex
        assert r"\begin{tikzpicture}" in latex

    @pytest.mark.parametrize("answers", [False, True])
    @pytest.mark.parametrize(
        "text", [EVERYTHING, ARRAYS, EDGES, UNCERTAIN], ids=["all", "arrays", "edges", "uncertain"]
    )
    @pytest.mark.parametrize("paper", ["a4", "letter"])
    @needs_latex("tikz.sty")
    def test_pdflatex_takes_it_and_nothing_is_too_wide(self, tmp_path, text, answers, paper):
        pytest.importorskip("pygraphviz")
        document = cg.sheet(read(text), answers=answers, format="latex", picture=True, paper=paper)
        assert f"{paper}paper" in document
        log = compiled(document, tmp_path)
        assert "Overfull \\hbox" not in log

    @needs_latex()
    def test_many_rows_are_on_several_pages(self, tmp_path):
        nodes = ", ".join(f"v{k}: v{k - 1} + {k}" if k else "v0: x" for k in range(100))
        exercise = read(f"inputs: {{x: 1.0}}\nnodes: {{{nodes}}}\nask: [{{id: a, table: forward}}]")
        log = compiled(cg.sheet(exercise, format="latex"), tmp_path)
        assert "Overfull \\vbox" not in log
        assert int(re.search(r"\((\d+) pages", log)[1]) > 3


def compiled(document, folder):
    (folder / "sheet.tex").write_text(document, encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "sheet.tex"],
        cwd=folder, capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    return done.stdout


class TestBlankAnswers:
    @pytest.mark.parametrize("format", ["yaml", "csv"])
    @pytest.mark.parametrize("text", [EVERYTHING, ARRAYS, EDGES])
    def test_as_it_is_every_answer_is_missing(self, tmp_path, text, format):
        exercise = read(text)
        path = tmp_path / f"ada.{format}"
        path.write_text(cg.blank_answers(exercise, student="ada", format=format), encoding="utf-8")
        handed_in = cg.read_answers(path)
        assert handed_in.student == "ada"
        report = cg.grade(exercise, handed_in.answers)
        assert {p.status for item in report.items for p in item.parts} == {"missing"}
        assert not report.unknown

    def test_names_that_yaml_would_take_for_something_else(self):
        exercise = read(
            'inputs: {x: 3.0}\nnodes: {y: x^2}\nask: [{id: "no", y: y}, {id: "1e3", y: y}, {id: "a: b", y: y}]'
        )
        blank = cg.blank_answers(exercise, student="null")
        assert '  "no":  # y(y)' in blank
        assert [str(id) for id in cg.read_answers(io.StringIO(blank)).answers] == ["no", "1e3", "a: b"]
        assert cg.read_answers(io.StringIO(blank)).student == "null"

    def test_a_name_is_not_needed(self):
        assert cg.blank_answers(read(VARIED)).startswith("student:\nanswers:\n")

    def test_another_format(self):
        with pytest.raises(ValueError, match="written as yaml or csv, not 'toml'"):
            cg.blank_answers(read(VARIED), format="toml")


@pytest.fixture
def quiz(tmp_path):
    path = tmp_path / "quiz.yaml"
    path.write_text(VARIED, encoding="utf-8")
    return path


def run(capsys, *argv, status=0):
    assert main(list(map(str, argv))) == status
    return capsys.readouterr()


class TestTheCommand:
    def test_one_document_for_a_class(self, capsys, quiz, tmp_path):
        (tmp_path / "roll.csv").write_text("group;student\n1;ada\n2;ben\n\n", encoding="utf-8")
        text = run(capsys, "sheet", quiz, "--class", tmp_path / "roll.csv").out
        first, second = text.split("\f")
        for sheet, student in ((first, "ada"), (second, "ben")):
            assert f"Name: {student}" in sheet
            assert f"  x      {cg.vary(quiz, student)['inputs']['x']:5g}" in sheet

    def test_latex_begins_a_page_for_each(self, capsys, quiz):
        text = run(capsys, "sheet", quiz, "--student", "ada", "--student", "ben", "--format", "latex").out
        assert text.count(r"\clearpage\setcounter{page}{1}") == 1
        assert text.count(r"\documentclass") == 1

    def test_a_folder_takes_a_file_for_each(self, capsys, quiz, tmp_path):
        (tmp_path / "roll.txt").write_text("ada\nben b\n", encoding="utf-8")
        for format, ending in (("yaml", "yaml"), ("latex", "tex"), ("text", "txt")):
            run(
                capsys,
                "sheet",
                quiz,
                "--class",
                tmp_path / "roll.txt",
                "--format",
                format,
                "-o",
                f"{tmp_path}/{format}/",
            )
            names = sorted(path.name for path in (tmp_path / format).iterdir())
            assert names == [f"ada.{ending}", f"ben b.{ending}"]
        graded = run(capsys, "grade", quiz, "--answers", tmp_path / "yaml", status=1).out
        assert "ben b" in graded

    def test_a_table_for_a_class(self, capsys, quiz):
        text = run(capsys, "sheet", quiz, "--student", "ada", "--student", "ben", "--format", "csv").out
        assert list(csv.reader(io.StringIO(text))) == [["student", "a", "b"], ["ada", "", ""], ["ben", "", ""]]

    def test_the_solution_of_each_variant(self, capsys, quiz):
        text = run(capsys, "sheet", quiz, "--student", "ada", "--for", "answers").out
        x = cg.vary(quiz, "ada")["inputs"]["x"]
        assert f"  dy/dx{2 * x:8g}" in text

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--student", "ada", "--student", "ada"], "the student 'ada' is named twice"),
            (["--student", "a\tb"], "is no name of a student"),
            (["--picture"], "text has no picture"),
            (["--format", "csv", "--for", "answers"], "csv is a file to be filled in"),
            (["--student", "a", "--student", "b", "--format", "yaml"], "answers of several students stand in one CSV"),
            (["--class", "nowhere.csv"], "cannot read 'nowhere.csv'"),
        ],
    )
    def test_what_does_not_go_together(self, capsys, quiz, options, message):
        assert message in run(capsys, "sheet", quiz, *options, status=2).err

    def test_a_folder_needs_students_who_can_name_files(self, capsys, quiz, tmp_path):
        assert "a folder takes a file for each student" in run(capsys, "sheet", quiz, "-o", tmp_path, status=2).err
        for name in ("../ada", ".ada", "a:b"):
            message = run(capsys, "sheet", quiz, "--student", name, "-o", f"{tmp_path}/new/", status=2).err
            assert "cannot name a file" in message
        assert not (tmp_path / "new").exists()

    def test_a_list_without_a_column_of_students(self, capsys, quiz, tmp_path):
        (tmp_path / "roll.csv").write_text("name,group\nada,1\n", encoding="utf-8")
        message = run(capsys, "sheet", quiz, "--class", tmp_path / "roll.csv", status=2).err
        assert "has no column 'student'" in message

    def test_a_sealed_exercise(self, capsys, quiz, tmp_path):
        run(capsys, "seal", quiz, "-o", tmp_path / "sealed.yaml")
        message = run(capsys, "sheet", tmp_path / "sealed.yaml", "--for", "answers", status=2).err
        assert "a sealed exercise holds no answers" in message


class TestChart:
    def test_of_a_class(self, capsys, quiz, tmp_path):
        pytest.importorskip("matplotlib")
        (tmp_path / "class.csv").write_text("student,a,b\nada,1,1\nben,2,2\n", encoding="utf-8")
        chart = tmp_path / "chart.svg"
        run(capsys, "grade", quiz, "--answers", tmp_path / "class.csv", "--chart", chart, status=1)
        assert chart.read_text(encoding="utf-8").startswith("<?xml")

    def test_points_in_all_and_in_each_item(self):
        pytest.importorskip("matplotlib")
        exercise = read(VARIED)  # x = 2: a is 4, b is 4
        reports = [cg.grade(exercise, answers) for answers in ({"a": 4, "b": 4}, {"a": 4, "b": 7}, {"a": 4}, {})]
        reports.append(cg.GradeReport("eve", (), error="cannot be read"))
        figure = cg.class_chart(reports)
        heights = [[int(bar.get_height()) for bar in ax.patches] for ax in figure.axes]
        assert heights == [[2, 0, 0, 0, 0, 2, 0, 0, 0, 1], [1, *[0] * 8, 3], [3, *[0] * 8, 1]]
        assert [ax.get_title() for ax in figure.axes] == ["all points (of 2)", "a (of 1)", "b (of 1)"]

    def test_there_must_be_something_to_draw(self):
        with pytest.raises(cg.DrawingError, match="no answers could be marked"):
            cg.class_chart([cg.GradeReport("eve", (), error="cannot be read")])

    def test_one_student_is_no_class(self, capsys, quiz, tmp_path):
        (tmp_path / "ada.yaml").write_text("a: 4\n", encoding="utf-8")
        for answers in (["--answers", tmp_path / "ada.yaml"], []):
            assert "a chart shows" in run(capsys, "grade", quiz, *answers, "--chart", "c.svg", status=2).err


def test_sheets_of_several_exercises_are_data():
    sheet = sheet_of(read(EVERYTHING), answers=False)
    assert [item.heading for item in sheet.items] == list("abcdefghijklm")
    assert {item.room for item in sheet.items} == {"", "line", "lines"}


def test_a_table_of_one_row_says_what_it_asks_for():
    assert read("inputs: {x: 3.0}\nnodes: {y: x^2}\nask: [{id: a, table: forward}]").questions[0].asks == "y(y)"
