"""The checks of `.ci/run` can fail."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
RUN = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
spec = importlib.util.spec_from_file_location("skips", ROOT / ".ci" / "skips.py")
skips = importlib.util.module_from_spec(spec)
spec.loader.exec_module(skips)


def test_a_skip_is_explained_by_what_the_machine_lacks_or_is_an_error(tmp_path):
    (tmp_path / "test_skips.py").write_text(
        "import pytest\ndef test_a(): pytest.skip('needs zsh')\ndef test_b(): pytest.skip('there is no Chromium here')\n"
    )
    report = tmp_path / "tests.xml"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        f"--junitxml={report}",
        "--rootdir",
        tmp_path,
        tmp_path,
    ]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    found = list(skips.skipped(report))
    assert found == ["test_skips.test_a: needs zsh", "test_skips.test_b: there is no Chromium here"]
    assert skips.unexpected(found, {"zsh", "chromium"}) == []
    assert skips.unexpected(found, {"chromium"}) == found[:1]
    assert skips.unexpected(found, set()) == found


def test_the_site_is_built_strictly_and_not_quietly():
    (command,) = re.findall(r"^ *(mkdocs build.*?)(?= #|$)", RUN, re.MULTILINE)
    assert "--strict" in command
    assert "--quiet" not in command  # mkdocs counts the warnings that it prints


@pytest.mark.parametrize("line", ["[lost](lost.md)", "[lost](index.md#nowhere)", "[lost](../examples/cse463)"])
def test_a_link_that_leads_nowhere_stops_the_site(tmp_path, line):
    pytest.importorskip("mkdocs")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text(f"# Start\n\n{line}\n")
    validation = re.search(r"^validation:.*$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)[0]
    (tmp_path / "mkdocs.yml").write_text(f"site_name: x\n{validation}\n")
    command = [sys.executable, "-m", *re.findall(r"^ *(mkdocs build --strict)", RUN, re.MULTILINE)[0].split()]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 1, run.stderr
    assert "Aborted with 1 warnings in strict mode!" in run.stdout + run.stderr


def test_of_checks_that_run_at_the_same_time_one_that_fails_stops_everything():
    (side_by_side,) = re.findall(r"^side_by_side\(\) \{.*?^\}\n", RUN, re.MULTILINE | re.DOTALL)
    parts = (
        "set -eu\nprinted=$(mktemp -d)\ngood() { sleep 0.2; echo 1; }\nbad() { false; echo 2; }\nother() { echo 3; }\n"
    )
    run = subprocess.run(
        ["bash", "-c", f"{parts}{side_by_side}side_by_side good other\nside_by_side good bad other\necho 4"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert " ".join(run.stdout.split()) == "== good 1 == other 3 == good 1 == bad == other 3 failed: bad"
    assert run.returncode == 1


def test_the_checks_stop_at_the_first_that_fails():
    assert "\nset -euo pipefail\n" in RUN
    assert (
        shutil.which("bash") is None
        or subprocess.run(["bash", "-n", ROOT / ".ci" / "run"], check=False).returncode == 0
    )
