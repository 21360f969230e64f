"""What the documents show is what the command prints."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SETUP, TESTS = re.findall(r"```sh\n(.*?)\n```", README, re.DOTALL)
TUTORIAL = ROOT / "docs" / "tutorial.md"


def sessions():
    """Return (command, output) for every `$ command` of a console block."""
    for document in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        if document == TUTORIAL:  # whose commands build on each other
            continue
        for block in re.findall(r"```console\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL):
            for entry in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, _, output = entry.partition("\n")
                yield pytest.param(command, output, id=f"{document.stem}: {command[:50]}")


def run(command, folder=ROOT):
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    shell = subprocess.run(
        command, shell=True, cwd=folder, env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    return shell.stdout


@pytest.mark.parametrize(("command", "output"), list(sessions()))
def test_what_is_shown_is_what_is_printed(command, output):
    assert run(command) == output


def test_the_tutorial_is_followed_from_top_to_bottom(tmp_path):
    blocks = re.findall(r"```(bash|console)\n(.*?)```", TUTORIAL.read_text(encoding="utf-8"), re.DOTALL)
    for kind, block in blocks[1:]:  # the first one installs
        if kind == "bash":
            assert run(block, tmp_path) == ""
        for entry in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = entry.partition("\n")
            assert run(command, tmp_path) == output


def test_the_first_command_prints_what_stands_below_it():
    (shown,) = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
    assert run(SETUP.split("&&")[-1].replace(".venv/bin/", "")) == shown


def test_the_commands_set_up_everything():
    assert SETUP.startswith("python3 -m venv .venv && .venv/bin/pip install -q . && ")
    assert TESTS.endswith(".venv/bin/python -m pytest -q -n auto")
