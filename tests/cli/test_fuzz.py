"""Damaged specs, random equations and random command lines: an error that is meant, or an answer, and nothing else.

With more examples, by hand: ``FUZZ_EXAMPLES=20000 pytest tests/test_fuzz.py``.
"""

import contextlib
import io
import random

import pytest
from contents import plain
from fuzzing import EXAMPLES
from hypothesis import example, given
from hypothesis import strategies as st

import cgraph as cg
from cgraph.cli import main
from cgraph.model.language import parsing
from cgraph.model.operations.elementwise import OPERATIONS

GOOD = [
    ("yaml", """\
cgraph: 1
title: A quiz
inputs: {x: 2.0, z: 3.0}
nodes:
  a: x * z
  y: exp(a/9) + a / log(x)
output: y
"""),
    ("yaml", """\
inputs:
  1: 2.0
  "j-": 1e-3
weights:
  w: -.5
constants: {g: 9.81}
nodes:
  2: y(1)^2 + w
  o: max(y(2), y("j-"), g)  # a comment
outputs: [2, o]
"""),
    ("yaml", """\
edges:
  x -> a: 3.0
  a -> y: 0.5
  x -> y: -1
"""),
    ("yaml", """\
inputs: &values {x: 1}
weights: {w: 0x1F}
nodes:
  y: |
    x +
    w
  z: >-
    y
    * 2
"""),
    ("json", """\
{
  "cgraph": 1,
  "inputs": {"x": 2.0},
  "nodes": {"y": "x^2 + 1e-3", "z": "y(\\"x\\")"},
  "output": "y"
}
"""),
    ("json", '{"title": "\\u03b1", "edges": {"a -> b": 1.5e0, "b -> c": -2}, "outputs": ["b", "c"]}'),
    ("toml", """\
cgraph = 1
title = "A quiz"
output = "y"

[inputs]
x = 2.0
"j-" = 1_000

[nodes]
a = "x^2"
y = \'\'\'a +
  y("j-")\'\'\'
"""),
    ("toml", """\
inputs = {x = 1.0}
nodes.y = 'x / 2'  # a comment
[edges]
"a -> b" = 0x10
"""),
    ("yaml", """\
inputs: {x: [1, -2.5], Y: {file: missing.csv}}
weights:
  W:
  - [1, 2]
  - [3, 4e0]
nodes: {s: W @ x, J: "sum(s[::2], axis=0) + W.T[0, 1]"}
"""),
    ("json", """\
{"inputs": {"x": [0.5, 1]},
 "network": {"vector": true, "layers": [{"activation": "tanh", "weights": [[1, 2]], "bias": [0.5]}], "loss": "sum(o)"},
 "edges": {"a -> b": [[1, 2], [3, 4]]}}
"""),
]  # fmt: skip
# What the formats and the language act upon stands beside plain and wild characters.
SIGNIFICANT = [
    *"{}[]()<>:;,.=-+*/^&!|%@`~#?$\\\"' \t\n\r0123456789eExyz_",
    "\0", "\x1b", "\x85", "\u2028", "\ufeff", "²", "·", "₁", "é", "\U0001f600", "\ud800", "!!", "<<: ", "---\n", "...\n",
    '"""', "'''", "[[", "]]", "->", ": ", "- ", "? ", "nan", ".inf", "null", "true", "~", "1e999", "&values", "*values",
    "!!int ", "!!float ", "!!python/name:os ", "%YAML 1.1\n", "1:30", "2024-01-01", "cgraph", "inputs", "nodes", "edges",
]  # fmt: skip
pieces = st.one_of(st.sampled_from(SIGNIFICANT), st.characters())

words = st.sampled_from(
    [*OPERATIONS, "ln", "pi", "e", "x", "y", "z", "y(", "y(5)", 'y("j-")', "x1", "1", "0.5", ".5", "1e-3", "1e999", "2j",
     "0x1F", "1_0", "+", "-", "*", "/", "^", "**", "//", "(", ")", ",", " ", "\n", "\t", ".", "=", '"', "'", "if", "lambda",
     "²", "·", "₁", "σ", "\u00a0", "\u200b", "\0", "\ud800", "f'", "__import__", "None", "True", "..."]
)  # fmt: skip
equations = st.one_of(st.lists(words, max_size=12).map("".join), st.lists(pieces, max_size=15).map("".join))


@st.composite
def well_formed(draw):
    """Return the text of an equation that follows the grammar, with whatever operands."""
    leaves = st.sampled_from(["x", "z", "y(5)", 'y("j-")', "0", "1", "2.5", "1e300", "pi", "e"])

    def combine(children):
        infix = st.tuples(children, st.sampled_from("+-*/^"), children).map(lambda t: f"({t[0]} {t[1]} {t[2]})")
        functions = st.sampled_from([name for name, row in OPERATIONS.items() if not row.infix])
        calls = functions.flatmap(
            lambda f: st.lists(
                children, min_size=len(OPERATIONS[f].derivatives), max_size=len(OPERATIONS[f].derivatives)
            ).map(lambda operands: f"{f}({', '.join(operands)})")
        )
        return st.one_of(infix, calls, children.map(lambda c: f"-{c}"))

    return draw(st.recursive(leaves, combine, max_leaves=12))


@st.composite
def damaged(draw):
    """Return a format and a spec of it in which characters and lines were removed, repeated, swapped or put in."""
    format_, text = draw(st.sampled_from(GOOD))
    chance = draw(st.randoms(use_true_random=False))
    for _ in range(draw(st.integers(1, 6))):
        parts = text.splitlines(keepends=True) if draw(st.booleans()) else list(text)
        damage(parts, chance, draw(pieces))
        text = "".join(parts)
    return format_, text


def damage(parts: list[str], chance: random.Random, new: str) -> None:
    here, there = (chance.randrange(len(parts)) if parts else 0 for _ in range(2))
    match chance.choice(["delete", "repeat", "swap", "insert", "cut"]) if parts else "insert":
        case "delete":
            del parts[here]
        case "repeat":
            parts.insert(there, parts[here])
        case "swap":
            parts[here], parts[there] = parts[there], parts[here]
        case "insert":
            parts.insert(here, new)
        case "cut":
            del parts[here:]


@EXAMPLES
@given(damaged())
@example(("yaml", "inputs: &a {x: 1}\nnodes: &a {y: x}\n"))
@example(("toml", "[inputs]\nx = " + "9" * 5000))
def test_a_damaged_spec_is_read_or_refused(spec):
    format_, text = spec
    with contextlib.suppress(cg.CGraphError):
        G = cg.read_spec(io.StringIO(text), format=format_)
        cg.linearize(G)


@EXAMPLES
@given(damaged())
@example(("json", '{"inputs": {"\x85x": 2.0},\n "nodes": {"y": "q"}}'))
def test_what_is_refused_is_refused_at_a_place_in_the_file(spec):
    format_, text = spec
    try:
        cg.read_spec(io.StringIO(text), format=format_)
    except cg.SpecError as refused:
        problems = refused.problems
    else:
        return
    for problem in problems:
        assert problem.message
        assert 1 <= problem.line <= len(text.splitlines()) + 1
        assert problem.column >= 1
        assert not problem.source or problem.column <= len(problem.source) + 1


@EXAMPLES
@given(damaged(), st.sampled_from(["yaml", "json", "toml"]))
@example(("json", r'{"title": "a\u0085b", "inputs": {"x": 1}}'), "yaml")
@example(("json", r'{"title": "a\u007fb", "inputs": {"x": 1}}'), "toml")
@example(("json", r'{"title": "a\u2028b", "inputs": {"\ufeff": 1}}'), "toml")
def test_what_is_read_is_the_same_after_writing(spec, other):
    format_, text = spec
    stream = io.StringIO()
    try:
        G = cg.read_spec(io.StringIO(text), format=format_)
        cg.write_spec(G, stream, format=other)
    except cg.CGraphError:
        return
    again = cg.read_spec(io.StringIO(stream.getvalue()), format=other)
    assert again.graph.get("title", "") == G.graph.get("title", "")
    for attribute in ("role", "equation", "value"):
        assert alike(again.nodes(data=attribute)) == alike(G.nodes(data=attribute))
    assert ends_and_derivatives(again) == ends_and_derivatives(G)


def alike(pairs):
    return {key: plain(value) for key, value in pairs}


def ends_and_derivatives(G):
    return alike(((i, j), z) for i, j, z in G.edges(data="derivative"))


@EXAMPLES
@given(equations)
@example("y(" + "9" * 5000 + ")")
@example("9" * 5000)
@example("-" * 5000 + "x")
@example("(" * 5000)
def test_random_text_is_an_equation_or_an_equation_error(text):
    try:
        evaluate(parsing.parse(text).operands, text)
    except cg.EquationError as refused:
        error = refused
    else:
        return
    assert error.message
    assert 0 <= error.column <= max(0, len(text) - 1)


@EXAMPLES
@given(well_formed(), st.floats(), st.floats(-3, 3))
def test_an_equation_has_finite_derivatives_or_an_error(text, x, z):
    evaluate(parsing.parse(text).operands, text, x, z)


def evaluate(operands, text, *values):
    """Linearize the graph of one equation: numbers that are finite, or a `CGraphError`."""
    G = cg.ComputationalGraph()
    values = (*values, 0.5)
    with contextlib.suppress(cg.CGraphError):
        for k, name in enumerate(dict.fromkeys(operands)):
            G.add_input(name, values[min(k, len(values) - 1)])
        G.add_equation("result", text)
        L = cg.linearize(G)
        numbers = [*dict(L.nodes(data="value")).values(), *(z for _, _, z in L.edges(data="derivative"))]
        assert all(type(number) is float and abs(number) < float("inf") for number in numbers)


arguments = st.one_of(
    st.sampled_from(
        ["show", "eval", "sensitivity", "paths", "check", "schema", "completion", "bash", "fish", "good.yaml", "good.json",
         "good.toml", "vector.json", "bad.yaml", "cyclic.yaml", "missing.yaml", ".", "-", "--", "-e", "y = x^2", "a = 1; b = a/0", "--at",
         "x=2", "x=[1, 2]", "x=[[1], 2", "x=[[1, 2], [3, 4]]", "x=0", "z=-1", "x=nan", "q=1", "y=1", "--at=x=1", "--from", "--to", "x", "y", "a", "q", "--top", "1", "0",
         "--format", "--format=json", "--format=csv", "text", "json", "csv", "markdown", "latex", "--help", "--version"]
    ),
    st.lists(pieces, max_size=4).map("".join),
)  # fmt: skip
FILES = {
    "good.yaml": GOOD[0][1],
    "good.json": GOOD[4][1],
    "good.toml": GOOD[6][1],
    "vector.json": GOOD[9][1],
    "bad.yaml": "nodes: {y: 2x, z: q}\n",
    "cyclic.yaml": "nodes: {a: b, b: a}\n",
}
commands = st.sampled_from(["show", "eval", "sensitivity", "paths", "check"])


def passable(argv):
    """Return `argv` without what no system passes to a process."""
    return [word.replace("\0", "").encode(errors="ignore").decode() for word in argv]


command_lines = st.one_of(
    st.lists(arguments, max_size=6),
    st.tuples(commands, st.sampled_from([*FILES, "-"]), st.lists(arguments, max_size=5)).map(
        lambda parts: [parts[0], parts[1], *parts[2]]
    ),
    st.tuples(commands, equations, st.lists(arguments, max_size=4)).map(
        lambda parts: [parts[0], "-e", f"y = {parts[1]}", *parts[2]]
    ),
).map(passable)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("fuzz")
    for name, text in FILES.items():
        (path / name).write_text(text, encoding="utf-8")
    return path


@EXAMPLES
@given(command_lines, st.sampled_from([text for _, text in GOOD]))
def test_a_random_command_line_ends_with_a_status(folder, argv, stdin):
    output, messages = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(folder),
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(messages),
    ):
        patch.setattr("sys.stdin", io.StringIO(stdin))
        try:
            status = main(argv)
        except SystemExit as exit_:  # argparse
            status = exit_.code or 0
    assert status in {0, 1, 2, 3, 4}
    assert "Traceback" not in messages.getvalue()
    assert "mistake in cgraph itself" not in messages.getvalue()
    assert bool(messages.getvalue()) == (status > 1)
