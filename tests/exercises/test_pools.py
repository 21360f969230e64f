"""A class is graded, and its numbers are drawn, in a pool of workers as in one process."""

import json
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

import cgraph as cg

QUIZ = """
inputs: {x: 2.0, z: 3.0}
nodes: {a: x * z, y: a^2 + x}
output: y
ask: [{id: a, y: a}, {id: b, d: y/x}]
vary: {x: [0.5, 3.0, 0.5], z: [1.0, 4.0, 0.5]}
"""
STUDENTS = [f"s{k:02}" for k in range(21)]


@pytest.fixture(scope="module", params=[None, 2, "threads"])
def executor(request):
    if request.param is None:
        yield None
        return
    kind = ThreadPoolExecutor(3) if request.param == "threads" else None
    with kind or ProcessPoolExecutor(request.param, mp_context=get_context("spawn")) as pool:
        yield pool


@pytest.fixture
def quiz(tmp_path):
    path = tmp_path / "quiz.yaml"
    path.write_text(QUIZ)
    return path


def test_the_numbers_of_a_class(quiz, executor):
    drawn = cg.vary(quiz, STUDENTS, executor=executor)
    assert list(drawn) == STUDENTS
    assert drawn["s20"] == cg.vary(quiz, "s20")
    assert len({json.dumps(variant["inputs"]) for variant in drawn.values()}) > 5
    with pytest.raises(cg.CGraphError, match="is no name of a student"):
        cg.vary(quiz, ["ada", 3], executor=executor)
    assert cg.vary(quiz, []) == {}


def test_errors_of_draws_come_back(tmp_path, executor):
    quiz = tmp_path / "none.yaml"
    quiz.write_text(QUIZ + "magnitude: [1000000, 2000000]\n")
    with pytest.raises(cg.CGraphError, match="none of 1,000 draws"):
        cg.vary(quiz, ["ada", "ben"], executor=executor)


def test_a_folder_is_graded(quiz, tmp_path, executor, monkeypatch):
    folder = tmp_path / "answers"
    folder.mkdir()
    for student in STUDENTS:
        x, z = (cg.vary(quiz, student)["inputs"][i] for i in "xz")
        right = {"a": x * z, "b": 2 * x * z * z + 1}
        Path(folder, f"{student}.json").write_text(json.dumps(right | ({"b": 0} if student == "s07" else {})))
    Path(folder, "notes.txt").write_text("no answers")
    Path(folder, "t.yaml").write_text("a: [")
    monkeypatch.chdir(tmp_path)
    reports = cg.grade_class("quiz.yaml", "answers", executor=executor)
    assert [report.student for report in reports] == [*STUDENTS, "t"]
    assert [report.student for report in reports if not report.ok] == ["s07", "t"]
    assert "t.yaml:1" in reports[-1].error
    assert cg.grade_class(quiz, folder) == reports
