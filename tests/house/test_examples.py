"""Every script of the examples passes, and would fail if a number were wrong."""

from pathlib import Path

import pytest
from forked import run_forked

from cgraph.testing import compare

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
SCRIPTS = sorted(EXAMPLES.glob("*/*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_the_script_finds_what_it_expects(script):
    run = run_forked([script], EXAMPLES)
    assert run.returncode == 0, run.stdout + run.stderr
    if run.stdout.startswith("skipped:"):
        pytest.skip(run.stdout)
    assert "  quantity " in run.stdout
    assert "miss" not in run.stdout


@pytest.mark.parametrize("script", sorted(EXAMPLES.glob("*.py")), ids=lambda p: p.stem)
def test_all_examples_together(script):
    run = run_forked([script], EXAMPLES)
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_spec_has_a_script():
    specs = {p.with_suffix("") for p in EXAMPLES.glob("*/*.yaml")}
    assert specs <= {p.with_suffix("") for p in SCRIPTS}


@pytest.mark.parametrize("obtained", [1.1, float("nan"), float("inf")])
def test_a_miss_is_a_failure(obtained, capsys):
    assert compare([("right", 1.0, 1.0), ("wrong", 1.0, obtained)]) == 1
    assert [line.endswith("<- miss") for line in capsys.readouterr().out.splitlines()] == [False, False, True]
    assert compare([]) == 1
    assert compare([("right", 1.0, 1.0)]) == 0


@pytest.mark.parametrize("obtained", [[1.0, 2.5], [1.0, float("nan")], [1.0], [[1.0, 2.0]], 1.0])
def test_every_entry_of_an_array_is_compared(obtained, capsys):
    assert compare([("right", [1.0, 2.0], [1.0, 2.0]), ("wrong", [1.0, 2.0], obtained)]) == 1
    assert [line.endswith("<- miss") for line in capsys.readouterr().out.splitlines()] == [False, False, True]


def test_of_an_array_the_worst_entry_is_shown(capsys):
    compare([("A", [[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [3.5, 4.0]])])
    assert capsys.readouterr().out.splitlines()[1].split() == [
        "A,",
        "[1,",
        "0]",
        "of",
        "2",
        "x",
        "2",
        "3",
        "3.5",
        "0.167",
        "<-",
        "miss",
    ]
