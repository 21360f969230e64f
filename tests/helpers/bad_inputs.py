"""Mistakes as golden files: a command with what it must say, and beside it the file that it reads.

In `tests/specs/bad_input`, ``<case>.txt`` holds a command, its messages and its exit status; ``<case>.yaml`` (or .json,
.toml) is the file ``g.yaml`` that the command reads, or its standard input. A case without one reads `GRAPH`.

    python tests/helpers/bad_inputs.py            show how the messages differ from the files
    python tests/helpers/bad_inputs.py --write    write the messages of today into the files, for `git diff` to show
"""

import contextlib
import difflib
import io
import os
import re
import shlex
import sys
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from cgraph.cli import main
from cgraph.specs import yaml_documents

__all__ = ["Case", "cases", "outcome", "transcript"]

ROOT = Path(__file__).parents[1] / "specs" / "bad_input"
GRAPH = b"inputs: {x: 2.0, z: 3.0}\nweights: {w: 0.5}\nconstants: {c: 9.8}\nnodes: {a: w * x, y: a * z + c}\n"
# Inputs that are too long to keep.
LONG = {
    "equation-too-long": ("yaml", "inputs: {x: 2.0, z: 3.0}\nnodes:\n  y: x" + " + x" * 2500 + "\n"),
    "too-large": ("yaml", "# " + "x" * 2_000_000),
    "flow-too-deep": ("yaml", "title: " + "[" * 2000 + "\n"),
    "nested-maps": ("yaml", "title: " + "{a: " * 3000),
    "json-huge-integer": ("json", '{"inputs": {"x": 1' + "0" * 5000 + '},\n "nodes": {"y": "x"}}\n'),
    "json-deep": ("json", "[" * 100_000),
    "toml-huge-integer": ("toml", "[inputs]\nx = 1" + "0" * 5000 + "\n"),
}


@dataclass(frozen=True)
class Case:
    """A command, the file it reads, and what becomes of them."""

    path: Path  # of the golden file
    argv: list[str]
    content: bytes
    format: str

    @property
    def id(self) -> str:
        return self.path.stem


def cases(root=ROOT):
    """Return all cases of a folder, in the order of their names."""
    return [_read(path) for path in sorted(root.rglob("*.txt"))]


def _read(path):
    command = ""
    for line in path.read_bytes().decode().split("\n"):  # a quoted argument may go on in the next line
        command += line
        with contextlib.suppress(ValueError):
            argv = shlex.split(command.removeprefix("$ cgraph"))
            break
        command += "\n"
    for format in ("yaml", "json", "toml"):
        if (file := path.with_suffix(f".{format}")).exists():
            return Case(path, argv, file.read_bytes(), format)
    format, text = LONG.get(path.stem, ("yaml", GRAPH.decode()))
    return Case(path, argv, text.encode(), format)


def outcome(case):
    """Run a case in an empty folder; return its exit status, its output and its messages."""
    output, messages = io.StringIO(), io.StringIO()
    stdin = io.TextIOWrapper(io.BytesIO(case.content), encoding="utf-8")
    stdin.buffer.name = "<stdin>"
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.chdir(folder),
        patch.object(yaml_documents, "MAX_PARTS", 1000),  # a million takes seconds
        patch.object(sys, "stdin", stdin),
        warnings.catch_warnings(action="default"),
        patch.dict(os.environ, COLUMNS="100"),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(messages),
    ):
        Path(f"g.{case.format}").write_bytes(case.content)
        try:
            status = main(case.argv)
        except SystemExit as stop:  # argparse
            status = stop.code
    return status, output.getvalue(), messages.getvalue()


def transcript(case, status, messages):
    """Return what the golden file holds, without argparse's usage and quotes, which depend on the version of Python."""
    messages = re.sub(r"\Ausage: .*?\n(?=cgraph)", "", messages, flags=re.DOTALL)
    messages = re.sub(r"\(choose from .*?\)", lambda choices: choices[0].replace("'", ""), messages)
    return f"$ {shlex.join(['cgraph', *case.argv])}\n{messages}exit status {status}\n"


def _show_or_write(write):
    """Print how the messages of today differ from the golden files, or write them; return the number that differ."""
    changed = 0
    for case in cases():
        status, _, messages = outcome(case)
        old, new = case.path.read_bytes().decode(), transcript(case, status, messages)
        if old != new:
            changed += 1
            name = str(case.path.relative_to(ROOT))
            sys.stdout.writelines(difflib.unified_diff(old.splitlines(True), new.splitlines(True), name, name, n=1))
            if write:
                case.path.write_bytes(new.encode())
    sys.stdout.write(f"{changed} of {len(cases())} cases {'written' if write else 'differ'}\n")
    return changed


if __name__ == "__main__":
    sys.exit(_show_or_write("--write" in sys.argv[1:]) and "--write" not in sys.argv[1:])
