"""What the documents show is what the command prints."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from forked import run_command

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SETUP, TESTS = re.findall(r"```sh\n(.*?)\n```", README, re.DOTALL)
TUTORIAL = ROOT / "docs" / "tutorial.md"
CLASS = ROOT / "docs" / "class.md"


def sessions():
    """Return (command, output) for every `$ command` of a console block."""
    for document in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        if document in {TUTORIAL, CLASS}:  # whose commands build on each other
            continue
        for block in re.findall(r"```console\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL):
            for entry in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, _, output = entry.partition("\n")
                yield pytest.param(command, output, id=f"{document.stem}: {command[:50]}")


def run(command, folder=ROOT):
    """Return what a command prints; a shell is started where it takes one."""
    outside_quotes = re.sub(r"""'[^']*'|"[^"$`\\]*\"""", "", command)
    if command.startswith("cgraph ") and not re.search(r"[^\w ./,=:-]", outside_quotes):
        return run_command(shlex.split(command)[1:], folder, together=True).stdout
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    shell = subprocess.run(
        command, shell=True, cwd=folder, env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    return shell.stdout


@pytest.mark.parametrize(("command", "output"), list(sessions()))
def test_what_is_shown_is_what_is_printed(command, output):
    assert run(command) == output


def follow(document, folder, *, skipped=0):
    """Run the blocks of a document from top to bottom, in one folder."""
    blocks = re.findall(r"```(bash|console)\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)
    for kind, block in blocks[skipped:]:
        if kind == "bash":
            assert run(block, folder) == ""
            continue
        for entry in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = entry.partition("\n")
            assert run(command, folder) == output


def test_the_tutorial_is_followed_from_top_to_bottom(tmp_path):
    follow(TUTORIAL, tmp_path, skipped=1)  # the first one installs


def test_a_class_of_thirty_from_question_sheet_to_marks(tmp_path):
    pytest.importorskip("pygraphviz")
    pytest.importorskip("matplotlib")
    follow(CLASS, tmp_path)
    (typeset,) = re.findall(r"```sh\n(pdflatex.*?)\n```", CLASS.read_text(encoding="utf-8"))
    if (
        shutil.which("pdflatex")
        and not subprocess.run(["kpsewhich", "tikz.sty"], capture_output=True, check=False).returncode
    ):
        printed = run(typeset.replace("pdflatex", "pdflatex -interaction=nonstopmode -halt-on-error"), tmp_path)
        assert "Overfull \\hbox" not in printed
        assert len(re.findall("Output written on", printed)) == 2
    pandas = pytest.importorskip("pandas")
    marks = pandas.read_csv(tmp_path / "marks.csv")
    assert list(marks["student"]) == [f"s{k:02}" for k in range(1, 31)]
    assert marks["score"].sum() == 250
    assert marks.select_dtypes("number").shape[1] >= 7  # the score, and the points of six items


def test_the_first_command_prints_what_stands_below_it():
    (shown,) = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
    assert run(SETUP.split("&&")[-1].replace(".venv/bin/", "")) == shown


def test_the_commands_set_up_everything():
    assert SETUP.startswith("python3 -m venv .venv && .venv/bin/pip install -q . && ")
    assert TESTS.endswith(".venv/bin/python -m pytest -q -n auto")
