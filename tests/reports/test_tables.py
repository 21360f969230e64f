"""Tables as text: nothing is lost, and they are as wide as is wished, as far as that is possible."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cgraph as cg
from cgraph.reports.tables import Table, to_text

EXAMPLES = sorted(Path(__file__).parent.parent.parent.glob("examples/*/*.yaml"))
TEXTS = st.text("abc xyz_->", min_size=1, max_size=60).map(lambda text: " ".join(text.split()) or "a")
NUMBERS = st.floats(-1e6, 1e6, allow_subnormal=False) | st.integers(-1000, 1000)


@st.composite
def tables(draw):
    kinds = draw(st.lists(st.sampled_from([TEXTS, NUMBERS]), min_size=1, max_size=5))
    rows = draw(st.lists(st.tuples(*kinds), min_size=1, max_size=4))
    return Table([f"c{k}" for k in range(len(kinds))], rows, draw(TEXTS))


def letters(text):
    return sorted("".join(text.split()))


@given(tables(), st.integers(20, 120))
def test_a_table_fits_unless_numbers_do_not(table, width):
    lines = to_text(table, width=width).splitlines()
    fixed = [any(not isinstance(row[k], str) for row in table.rows) for k in range(len(table.columns))]
    least = sum((13 if number else 12) + 2 for number in fixed)  # -1.23457e-05, or a text of twelve letters
    if least <= width:
        assert max(map(len, lines)) <= width
    assert all(len(line) <= max(width, least) for line in lines)


@given(tables())
def test_a_wide_table_is_as_without_a_width(table):
    assert to_text(table, width=10_000) == to_text(table)


@given(tables(), st.integers(20, 120))
def test_no_text_is_lost(table, width):
    texts = Table(table.columns, [[cell for cell in row if isinstance(cell, str)] or ["a"] for row in table.rows])
    texts = Table(texts.columns[: len(texts.rows[0])], texts.rows, table.title)
    assert letters(to_text(texts, width=width)) == letters(to_text(texts))


def test_numbers_have_six_digits_where_ten_do_not_fit():
    table = Table(("node", "a", "b"), [("x", 1 / 3, 2 / 3)])
    assert to_text(table, width=34).splitlines()[1].split() == ["x", "0.3333333333", "0.6666666667"]
    assert to_text(table, width=33).splitlines()[1].split() == ["x", "0.333333", "0.666667"]


COMMANDS = ["show", "eval", "sensitivity", "paths --relative", "edges --relative", "effects --relative", "gradient --factors",
            "gates", "check", "eliminate", "budget", "solve"]  # fmt: skip


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_every_command_fits_eighty_columns(run, path):
    G = cg.read_spec(path)
    answered = 0
    for command in COMMANDS:
        name, *options = command.split()
        ends = ["--to", G.outputs[0]] if name == "solve" else []
        status, out, _ = run(name, path, *options, *ends, "--width", 80)
        if status == 0:
            answered += 1
            assert max(map(len, out.splitlines())) <= 80, command
    assert answered >= 9


def test_a_table_is_as_wide_as_the_terminal_and_whole_elsewhere(run, monkeypatch):
    spec = next(path for path in EXAMPLES if path.stem == "network")
    monkeypatch.setenv("COLUMNS", "70")
    assert max(map(len, run("solve", spec, "--to", "J")[1].splitlines())) > 100
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert max(map(len, run("solve", spec, "--to", "J")[1].splitlines())) <= 70


def test_heads_are_broken_where_they_are_the_widest():
    table = Table(("points (students)", "most frequent mistake"), [("0 (2), 1 (28)", "the sign is wrong")])
    lines = to_text(table, width=30).splitlines()
    assert max(map(len, lines)) <= 30
    assert [line.split() for line in lines[:2]] == [["points", "most", "frequent"], ["(students)", "mistake"]]
