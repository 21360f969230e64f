"""Marking a class: hostile files, variants, tables of answers, and what teachers import elsewhere."""

import csv
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

import cgraph as cg
from cgraph.cli import main
from cgraph.cli.exercise_commands import FEWEST_FOR_PROCESSES
from cgraph.exercises import class_marking
from cgraph.exercises.answers import read_answers
from cgraph.exercises.results import printable

QUIZ = Path(__file__).parent.parent.parent / "examples" / "cmu_10301" / "quiz.yaml"
EXERCISE = """\
title: Two paths
inputs: {x: 2.0, z: 3.0}
nodes: {a: x*z, y: a + x}
ask:
  - {id: a, y: a}
  - {id: d, d: y/x}
  - {id: f, formula: y/z}
  - {id: c, choice: [one, two], answer: A}
"""
RIGHT = {"a": 6, "d": 4, "f": "x", "c": "A"}


@pytest.fixture
def sheet(tmp_path):
    path = tmp_path / "exercise.yaml"
    path.write_text(EXERCISE, encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "answers"
    made.mkdir()
    return made


@pytest.fixture
def run(capsys):
    def command(*arguments):
        status = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        out.encode("utf-8")  # a report can be written to a file
        return status, out, err

    return command


def hand_in(folder, name, answers):
    (folder / name).write_text(json.dumps(answers), encoding="utf-8")


def rows_of(out):
    return {row["student"]: row for row in csv.DictReader(io.StringIO(out))}


def a_link(target):
    return lambda path: path.symlink_to(target)


def text(content):
    return lambda path: path.write_bytes(content if isinstance(content, bytes) else content.encode())


def a_socket(path):
    with socket.socket(socket.AF_UNIX) as made:
        here = Path.cwd()
        os.chdir(path.parent)  # the name of a socket may have 107 bytes
        try:
            made.bind(path.name)
        finally:
            os.chdir(here)


BOMB = "a0: &a0 [1,1]\n" + "".join(f"a{k}: &a{k} [*a{k - 1},*a{k - 1}]\n" for k in range(1, 40))
HUGE = "0x" + "F" * 4000
HOSTILE = [  # the name of a file, how it is made, and words of its row
    ("huge.yaml", text(f"student: {HUGE}\nanswers: {{a: 6}}"), "is no name of a student"),
    ("key.yaml", a_link("../key.yaml"), "a link that leaves the folder"),
    ("passwords.yaml", a_link("/etc/passwd"), "a link that leaves the folder"),
    ("absolute.json", a_link("/dev/zero"), "a link that leaves the folder"),
    ("dangling.yaml", a_link("nothing.yaml"), "a link to nothing"),
    ("circle.yaml", a_link("circle.yaml"), "a link to nothing"),
    ("pipe.yaml", os.mkfifo, "a pipe, not a file of answers"),
    ("socket.yaml", a_socket, "a socket, not a file of answers"),
    ("utf16.yaml", text("a: 6".encode("utf-16")), "UTF-16"),
    ("latin.yaml", text(b"a: \xe9"), "not UTF-8"),
    ("open.yaml", text("a: [1"), "not YAML"),
    ("open.json", text('{"a": '), "not JSON"),
    ("deep.json", text("[" * 100_000), "deep"),
    ("deep.yaml", text("[" * 5_000), "deep"),
    ("bomb.yaml", text(BOMB), "more than 1,000,000 parts"),
    ("long.csv", text("id,answer\na," + "9" * 300_000), "longer"),
    ("list.yaml", text("[1, 2]"), "answers must be a mapping"),
    ("number.toml", text("= 3"), "TOML"),
    ("cells.csv", text("id,answer\na,6,7\n"), "3 cells"),
    ("twice.csv", text("a,6\na,7\n"), "answered twice"),
    ("keys.yaml", text("a: 6\na: 7\n"), "twice"),
    ("override.yaml", text('student: "\\u202Egro"\nanswers: {a: 6}'), "is no name of a student"),
    ("escape.yaml", text('student: "\\e[2J"\nanswers: {a: 6}'), "is no name of a student"),
    ("long.yaml", text(f"student: {'n' * 300}\nanswers: {{a: 6}}"), "is no name of a student"),
    ("mapping.yaml", text("student: {a: 1}\nanswers: {a: 6}"), "is no name of a student"),
    ("beside.yaml", text("student: ann\nanswers: {a: 6}\nscore: 100"), "unknown key 'score'"),
    ("tag.yaml", text("a: !!python/object/apply:os.system ['id']"), "error"),
    ("empty.json", text(""), "error"),
    ("null.yaml", text(b"a: 6\0"), "error"),
    ("ann.yml", text("student: s001\nanswers: {a: 6}"), "2 files of one student: ann.yml, s001.yaml"),
]  # fmt: skip


class TestHostileFiles:
    @pytest.mark.parametrize(("name", "make", "words"), HOSTILE, ids=[name for name, *_ in HOSTILE])
    def test_each_is_a_row_that_says_what_is_wrong(self, run, sheet, folder, tmp_path, name, make, words):
        hand_in(tmp_path, "key.yaml", RIGHT)
        hand_in(folder, "s001.yaml", RIGHT)
        hand_in(folder, "s002.yaml", RIGHT)
        make(folder / name)
        status, out, err = run("grade", sheet, "--answers", folder, "--format", "json")
        reports = json.loads(out)["reports"]
        assert (status, err, len(reports)) == (1, "", 3)
        failed = [report for report in reports if report["error"] and words in report["error"]]
        assert failed, [report["error"] for report in reports]
        assert next(r for r in reports if r["student"] == "s002")["score"] == 4.0
        assert "root:" not in out

    def test_a_class_of_90_of_which_every_third_is_hostile(self, run, sheet, folder, tmp_path):
        hand_in(tmp_path, "key.yaml", RIGHT)
        hostile = iter([*HOSTILE[:-1], ("number.yaml", text("student: [1]\nanswers: {a: 6}"), "no name of a student")])
        for k in range(90):
            if k % 3:
                hand_in(folder, f"s{k:03}.yaml", {**RIGHT, "a": k})
            else:
                name, make, _ = next(hostile)
                make(folder / f"h{k:03}{Path(name).suffix}")
        for format in ("csv", "text", "junit", "json", "markdown", "moodle", "canvas"):
            jobs = [] if format == "csv" else ["--jobs", "1"]  # once in processes, which are as many as there are cores
            status, out, _ = run("grade", sheet, "--answers", folder, "--format", format, *jobs)
            assert status == 1
            assert "\x1b" not in out
            assert "\u202e" not in out
            if format == "csv":
                rows = rows_of(out).values()
                assert sum(row["error"] == "" for row in rows) == 60
                assert sum(row["error"] != "" and row["score"] == "0.00" for row in rows) == 30

    @pytest.mark.parametrize("id", ["a", "d", "f", "c"])
    @pytest.mark.parametrize("answer", [HUGE, f"[{HUGE}]", f"{{x: {HUGE}}}"])
    def test_a_huge_number_is_no_answer(self, run, sheet, folder, id, answer):
        (folder / "bob.yaml").write_text(f"{id}: {answer}", encoding="utf-8")
        status, out, _ = run("grade", sheet, "--answers", folder, "--format", "json")
        report = json.loads(out)["reports"][0]
        assert status == 1
        assert report["error"] is None
        assert next(item for item in report["items"] if item["id"] == id)["status"] == "unreadable"

    @pytest.mark.parametrize("format", ["text", "json", "csv", "junit", "markdown", "moodle", "canvas"])
    @pytest.mark.parametrize("name", [b"z\xff.yaml", b"z\x1b[31m.yaml", b"z\n=1.yaml", "z\u202egro.yaml".encode()])
    def test_a_name_that_cannot_be_printed(self, run, sheet, folder, tmp_path, name, format):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_text(json.dumps(RIGHT), encoding="utf-8")
        status, *_ = run("grade", sheet, "--answers", folder, "--format", format, "-o", tmp_path / "report")
        out = (tmp_path / "report").read_text(encoding="utf-8")
        assert status == 0
        assert "z\ufffd" in out
        assert not {"\x1b", "\u202e"} & set(out)

    def test_a_defect_of_cgraph_is_the_row_of_one_file(self, run, sheet, folder, monkeypatch):
        right = class_marking.grade

        def broken(exercise, answers, *, student=""):
            if student == "bob":
                raise KeyError("oh")
            return right(exercise, answers, student=student)

        monkeypatch.setattr(class_marking, "grade", broken)
        hand_in(folder, "ann.yaml", RIGHT)
        hand_in(folder, "bob.yaml", RIGHT)
        status, out, _ = run("grade", sheet, "--answers", folder, "--format", "csv")
        assert status == 1
        assert rows_of(out)["ann"]["score"] == "4.00"
        assert rows_of(out)["bob"]["error"].startswith("a mistake in cgraph itself, KeyError: 'oh'")

    def test_what_is_no_file_of_answers_is_named(self, run, sheet, folder):
        hand_in(folder, "ann.yaml", RIGHT)
        (folder / "b\x1b.txt").symlink_to("nothing")
        os.mkfifo(folder / "c.log")
        _, _, err = run("grade", sheet, "--answers", folder)
        assert err.startswith("cgraph: 2 files not marked: 'b\ufffd.txt', 'c.log'; answers are")

    def test_a_link_within_the_folder_is_followed(self, run, sheet, folder):
        (folder / "real").mkdir()
        hand_in(folder / "real", "x.yaml", RIGHT)
        (folder / "ann.yaml").symlink_to("real/x.yaml")
        assert run("grade", sheet, "--answers", folder)[0] == 0

    def test_the_graph_of_an_exercise_lies_beside_it(self, run, tmp_path, folder):
        (tmp_path / "secret.yaml").write_text("inputs: {x: 2.0}\nnodes: {y: x^2}", encoding="utf-8")
        (folder / "graph.yaml").symlink_to("../secret.yaml")
        (folder / "e.yaml").write_text("graph: graph.yaml\nask: [{id: a, d: y/x}]", encoding="utf-8")
        status, _, err = run("grade", folder / "e.yaml")
        assert status == 3
        assert "the link 'graph.yaml' leaves the folder" in err
        (folder / "e.yaml").write_text(f"graph: {'g' * 300}\nask: [{{id: a, d: y/x}}]", encoding="utf-8")
        assert "there is no file 'ggg" in run("grade", folder / "e.yaml")[2]

    @pytest.mark.parametrize("start", ["=", "+", "-", "@"])
    def test_no_cell_is_a_formula(self, run, sheet, folder, start):
        hand_in(folder, "x.yaml", {"student": f"{start}cmd()", "answers": RIGHT})
        for format in ("csv", "moodle", "canvas"):
            out = run("grade", sheet, "--answers", folder, "--format", format)[1]
            cells = [cell for row in csv.reader(io.StringIO(out)) for cell in row]
            assert f"'{start}cmd()" in cells
            assert not [cell for cell in cells if cell.startswith(start)]

    def test_printable(self):
        assert printable("a\tb\u2066c\ud800d é") == "a\ufffdb\ufffdc\ufffdd é"


class TestClasses:
    def test_averages_count_every_student(self, run, sheet, folder):
        hand_in(folder, "s10.yaml", RIGHT)
        hand_in(folder, "s9.yaml", {"a": 6, "d": 4})
        (folder / "s2.yaml").write_text("a: [", encoding="utf-8")
        out = run("grade", sheet, "--answers", folder)[1]
        assert out.startswith(
            "3 students, on average 2.00 of 4 points (1 that could not be marked counts as 0); "
            "least 0.00, quartiles 1.00, 2.00, 3.00, most 4.00\n"
        )
        assert out.index("\n  s2 ") < out.index("\n  s9 ") < out.index("\n  s10 ")
        assert "0 (1), 1 (1)" in out  # of f and c: one student earned nothing, one a point

    def test_two_files_of_one_student(self, run, sheet, folder):
        hand_in(folder, "1.json", {"student": "Ann", "answers": RIGHT})
        hand_in(folder, "2.json", {"student": "Ann", "answers": RIGHT})
        status, out, _ = run("grade", sheet, "--answers", folder, "--format", "json")
        assert status == 1
        assert {r["error"] for r in json.loads(out)["reports"]} == {"2 files of one student: 1.json, 2.json"}

    def test_a_table_of_the_class(self, run, sheet, tmp_path):
        table = tmp_path / "class.csv"
        table.write_text('student,a,d,f,c\nann,6,4,x,A\nbob,"6,0",5,,b\n', encoding="utf-8")
        status, out, _ = run("grade", sheet, "--answers", table, "--format", "csv")
        assert status == 1
        assert [(name, row["score"]) for name, row in rows_of(out).items()] == [("ann", "4.00"), ("bob", "1.00")]

    @pytest.mark.parametrize(
        ("rows", "message"),
        [
            ("ann,6\n", ":2:1: error: 2 cells; the header has 3"),
            ("ann,6,4\nann,6,4\n", ":3:1: error: 'ann' has two rows, in lines 2 and 3"),
            (",6,4\n", ":2:1: error: '' is no name of a student"),
        ],
    )
    def test_a_table_with_mistakes(self, run, sheet, tmp_path, rows, message):
        (tmp_path / "class.csv").write_text(f"student,a,d\n{rows}", encoding="utf-8")
        status, _, err = run("grade", sheet, "--answers", tmp_path / "class.csv")
        assert status == 3
        assert message in err

    def test_moodle_and_canvas(self, run, sheet, folder):
        hand_in(folder, "ann.yaml", {**RIGHT, "d": 5})
        (folder / "bob.yaml").write_text("a: [", encoding="utf-8")
        rows = list(csv.DictReader(io.StringIO(run("grade", sheet, "--answers", folder, "--format", "moodle")[1])))
        assert rows[0] == {"ID number": "ann", "Two paths": "3.00", "Two paths (feedback)": "not right: d"}
        assert (rows[1]["ID number"], rows[1]["Two paths"]) == ("bob", "")
        rows = list(csv.DictReader(io.StringIO(run("grade", sheet, "--answers", folder, "--format", "canvas")[1])))
        assert (rows[0]["Student"].strip(), rows[0]["Two paths"]) == ("Points Possible", "4.00")
        assert (rows[1]["SIS Login ID"], rows[1]["Two paths"]) == ("ann", "3.00")

    @pytest.mark.parametrize("width", [70, 80, 100])
    def test_a_report_as_wide_as_is_wished(self, run, sheet, folder, width):
        hand_in(folder, "ann.yaml", {"a": 7, "d": 3, "f": "x+1", "c": "B"})
        out = run("grade", sheet, "--answers", folder / "ann.yaml", "--width", width)[1]
        assert max(map(len, out.splitlines())) <= width
        assert "the path x -> y" in " ".join(out.split())


class TestTimeAndInterrupts:
    def test_a_file_that_takes_too_long_is_its_row(self, run, sheet, folder, monkeypatch):
        for name in ("ann.yaml", "ben.yaml", "cat.yaml"):
            hand_in(folder, name, RIGHT)

        def read(path):
            if path.name == "ben.yaml":
                time.sleep(10)
            return read_answers(path)

        monkeypatch.setattr(class_marking, "SECONDS_PER_FILE", 0.5)
        monkeypatch.setattr(class_marking, "read_answers", read)
        status, out, _ = run("grade", sheet, "--answers", folder, "--format", "csv")
        assert status == 1
        errors = {student: row["error"] for student, row in rows_of(out).items()}
        assert errors == {"ann": "", "ben": "it takes longer than 0.5 seconds", "cat": ""}

    @pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs groups of processes")
    @pytest.mark.parametrize("seconds", [0.7, 1.0, 1.3, 1.6])
    def test_an_interrupt_while_workers_start_is_one_line(self, sheet, folder, seconds):
        for k in range(FEWEST_FOR_PROCESSES):
            hand_in(folder, f"s{k:03}.yaml", RIGHT)
        command = [sys.executable, "-m", "cgraph", "grade", sheet, "--answers", folder, "--jobs", "4"]
        with subprocess.Popen(command, stdout=-1, stderr=-1, text=True, start_new_session=True) as grading:
            time.sleep(seconds)
            with suppress(ProcessLookupError):
                os.killpg(grading.pid, signal.SIGINT)
            _, err = grading.communicate(timeout=60)
        assert err in {"", "cgraph: error: interrupted\n"}
        assert grading.returncode in {0, 130, -signal.SIGINT}  # the last where Python begins, or ends


def answers_to(variant):
    """Return right answers to a variant of the quiz, by the graph that it holds."""
    return {"a": variant["inputs"]["x"] * variant["inputs"]["z"], "c": 2}


class TestVariants:
    def test_each_file_is_marked_against_the_variant_of_its_student(self, run, folder):
        for k in range(30):
            student = f"s{k:02}"
            hand_in(folder, f"{student}.json", answers_to(cg.vary(QUIZ, student)))
        hand_in(folder, "z.json", {"student": "ann", "answers": answers_to(cg.vary(QUIZ, "ann"))})
        status, out, _ = run("grade", QUIZ, "--answers", folder, "--format", "csv", "--jobs", "1")
        assert status == 1
        assert {(row["item a"], row["item c"], row["error"]) for row in rows_of(out).values()} == {("1.00", "1.00", "")}
        assert len(rows_of(out)) == 31

    def test_answers_to_the_exercise_itself_are_said_to_be(self, run, folder):
        hand_in(folder, "ada.json", {"a": 6})
        report = json.loads(run("grade", QUIZ, "--answers", folder / "ada.json", "--format", "json")[1])
        assert report["score"] == 1.0
        assert report["remark"] == "answers the exercise itself, not the student's variant; marked as such"

    @pytest.mark.parametrize(
        "answers", [{"a": 1}, {"student": "s02", "answers": answers_to(cg.vary(QUIZ, "s01"))}], ids=["file", "named"]
    )
    def test_the_variant_of_somebody_else(self, run, folder, tmp_path, answers):
        run("vary", QUIZ, "--student", "s01", "-o", tmp_path / "s01.yaml")
        hand_in(folder, "s02.json", answers)
        status, _, err = run("grade", tmp_path / "s01.yaml", "--answers", folder / "s02.json")
        assert status == 4
        assert "the answers are those of 's02', but the exercise is the variant of 's01'" in err
        status, out, _ = run("grade", tmp_path / "s01.yaml", "--answers", folder, "--format", "csv")
        assert status == 1
        assert "the variant of 's01'" in rows_of(out)["s02"]["error"]
