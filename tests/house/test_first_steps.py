"""A new reader follows the documents to the letter: in a fresh clone and environment, in one shell, page after page."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent.parent
BLOCK = re.compile(r"^```(sh|bash|console|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NOT_CLONED = shutil.ignore_patterns(
    ".git", ".venv", "venv", "site", ".*_cache", "__pycache__", ".hypothesis", "*.egg-info"
)
# PyTorch takes gigabytes from most registries; where it is installed, the page runs as a doctest like any other. The guide of
# a class is followed in a folder of its own, by `test_readme.py`: its commands have lines of input.
NOT_FOLLOWED = {"from_pytorch.md", "class.md"}
MARK = "=====first-steps====="


def pages():
    """Return the documents in the order in which a reader meets them: the README, then the site's navigation."""
    nav = YAML(typ="safe").load((ROOT / "mkdocs.yml").read_text(encoding="utf-8").replace("!!python/name:", ""))["nav"]
    found = [ROOT / "docs" / name for name in _leaves(nav)]
    return [
        ROOT / "README.md",
        *(path for path in found if path.exists() and path.name not in NOT_FOLLOWED),
    ]  # some pages are made when the site is built


def _leaves(entry):
    if isinstance(entry, str):
        return [entry]
    inner = entry.values() if isinstance(entry, dict) else entry
    return [leaf for each in inner for leaf in _leaves(each)]


def commands():
    """Return (page, command, expected output or None) for every command that the documents tell the reader to type."""
    found = []
    for page in pages():
        kinds = set()
        for kind, text in BLOCK.findall(page.read_text(encoding="utf-8")):
            kinds.add(kind)
            if kind == "console":
                entries = re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]
                found += [(page.name, *(entry.split("\n", 1))) for entry in entries]
            elif kind != "python":
                found += [(page.name, line, None) for line in text.splitlines()]
        if "python" in kinds:
            found.append((page.name, f"python -m doctest {page.relative_to(ROOT)}", None))
    return found


def complaints(found, output):
    """Compare what each command printed and returned with what the documents promise."""
    parts = re.split(rf"{MARK} (\d+)\n", output)
    results = list(zip(parts[::2], map(int, parts[1::2]), strict=False))
    assert len(results) == len(found), output[-2000:]
    for (page, command, expected), (printed, status) in zip(found, results, strict=True):
        if expected is not None and printed != expected:
            yield f"{page}: $ {command}\n{printed}"
        elif expected is None and status > ("cgraph grade" in command):  # its status is 1 if an answer is wrong
            yield f"{page}: $ {command} ends with status {status}\n{printed}"


def test_every_page_is_followed():
    assert {page.stem for page in pages()} >= {
        "README",
        "index",
        "analysts",
        "shell",
        "students",
        "teachers",
        "exercises",
    }
    assert len(commands()) > 40


def test_a_promise_that_is_not_kept_is_noticed():
    found = [("a.md", "echo 1", "1\n"), ("a.md", "echo 2", "1\n"), ("a.md", "false", None), ("a.md", "true", None)]
    output = f"1\n{MARK} 0\n2\n{MARK} 0\n{MARK} 1\n{MARK} 0\n"
    assert [text.split("\n")[0] for text in complaints(found, output)] == [
        "a.md: $ echo 2",
        "a.md: $ false ends with status 1",
    ]


@pytest.mark.skipif(
    "CGRAPH_FRESH" not in os.environ, reason="CGRAPH_FRESH=1 follows the documents in a new environment"
)
def test_the_documents_can_be_followed_in_a_fresh_environment(tmp_path):
    clone, tools = tmp_path / "clone", tmp_path / "bin"
    shutil.copytree(ROOT, clone, symlinks=True, ignore=NOT_CLONED)
    tools.mkdir()
    (tools / "python3").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (tools / "python3").chmod(0o755)
    found = commands()
    script = "\n".join(f"{{ {command}\n}} 2>&1 </dev/null; echo '{MARK}' $?" for _, command, _ in found)
    environment = {
        "PATH": f"{tools}:/usr/local/bin:/usr/bin:/bin",
        "HOME": os.environ.get("HOME", str(tmp_path)),
        "LC_ALL": "C.UTF-8",
        "PYTEST_ADDOPTS": "--collect-only -q",  # the tests themselves are run elsewhere
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_COMPILE": "0",  # do not compile: pip reads a 0 for the options whose name begins with "no"
        "PIP_ROOT_USER_ACTION": "ignore",
        "JAX_PLATFORMS": "cpu",
    } | {
        name: value
        for name, value in os.environ.items()
        if re.match(r"(PIP_|https?_proxy|SSL_|.*_CA_BUNDLE)", name, re.IGNORECASE)
    }
    shell = subprocess.run(
        ["bash", "-c", script], cwd=clone, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, check=False, timeout=1200,
    )  # fmt: skip
    assert list(complaints(found, shell.stdout)) == []
