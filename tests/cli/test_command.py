"""The command when all goes well: every command in every format, and the manners of a command-line tool."""

import csv
import dataclasses
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import cgraph as cg
from cgraph.cli import graph_commands, graph_source, main
from cgraph.cli.completion import _commands
from cgraph.cli.parser import FORMATS
from cgraph.model.operations.elementwise import OPERATIONS
from cgraph.specs.formats import parse_document

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
QUIZ = str(EXAMPLES / "cmu_10301" / "quiz.yaml")
NETWORK = str(EXAMPLES / "math565" / "network.yaml")
OTHERS = [
    "gradient",
    "gates",
    "transform",
    "descend",
    "eliminate",
    "solve",
    "grade",
    "sheet",
    "vary",
    "seal",
    "budget",
    "screen",
    "draw",
    "page",
    "schema",
    "completion",
]
COMMANDS = ["show", "eval", "sensitivity", "paths", "edges", "effects", "check"]
SPEC = "title: Two paths\ninputs: {x: 2.0}\nweights: {w: 3.0}\nnodes: {a: w * x, y: a * x}\n"


@pytest.fixture
def run(capsys):
    """Run the command in this process: what it prints, and its exit status."""

    def run(*argv, status=0):
        assert main(argv) == status
        output, messages = capsys.readouterr()
        assert not messages
        return output

    return run


def process(*argv, stdin="", env=None, python=("-m", "cgraph")):
    """Run the command, or another piece of Python, in a process of its own."""
    return subprocess.run(
        [sys.executable, *python, *argv],
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, **(env or {})},
        timeout=60,
        check=False,
    )


# Formats


@pytest.mark.parametrize("command", COMMANDS)
def test_json_says_its_version(run, command):
    data = json.loads(run(command, QUIZ, "--format", "json"))
    assert data["cgraph"] == 1
    assert len(data) > 1


@pytest.mark.parametrize("command", COMMANDS)
def test_csv_is_a_header_and_full_rows(run, command):
    header, *rows = csv.reader(io.StringIO(run(command, QUIZ, "--format", "csv")))
    assert rows
    assert all(header)
    assert {len(row) for row in rows} == {len(header)}


@pytest.mark.parametrize("command", COMMANDS)
def test_markdown_tables_are_rectangular(run, command):
    blocks = run(command, QUIZ, "--format", "markdown").split("\n\n")
    tables = [block.splitlines() for block in blocks if block.startswith("|")]
    assert tables
    for lines in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1
        assert re.fullmatch(r"\|( ---:? \|)+", lines[1])
        assert len(lines) > 2


@pytest.mark.parametrize("command", COMMANDS)
def test_latex_is_balanced(run, command):
    text = run(command, QUIZ, "--format", "latex")
    bare = re.sub(r"\\[\\{}$]", "", text)
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") > 0


@pytest.mark.parametrize("command", COMMANDS)
def test_text_is_aligned_and_without_trailing_spaces(run, command):
    lines = run(command, QUIZ).splitlines()
    assert lines == [line.rstrip() for line in lines]
    assert any(line.startswith("  ") for line in lines)


@pytest.mark.parametrize(
    ("argv", "header"),
    [
        (["sensitivity", "-e", "y = 1"], "from,to,sensitivity"),
        (["paths", "-e", "y = 1"], "from,to,path,product"),
        (["paths", "-e", "y = x", "--at", "x=1", "--from", "y", "--to", "x"], "from,to,path,product"),
        (["check", "-e", "y = 1"], "what,from,to,derivative,numerical,error,verdict"),
    ],
    ids=["sensitivity", "paths", "no path", "check"],
)
def test_csv_of_nothing_has_a_header(run, argv, header):
    assert run(*argv, "--format", "csv") == header + "\n"


@pytest.mark.parametrize("command", ["sensitivity", "paths"])
def test_a_small_number_in_a_latex_title_is_a_power_of_ten(run, command):
    text = run(command, "-e", "y = 1e-7*x", "--at", "x=1", "--from", "x", "--to", "y", "--format", "latex")
    assert r"S(x, y) = 1 \cdot 10^{-7}" in text


HOSTILE = r'y("a|b") = 1; y("50%_&#{") = 2*y("a|b"); y("*x*") = y("50%_&#{") + 1; y("$\\") = y("*x*")'


@pytest.mark.parametrize("command", ["show", "eval"])
def test_names_cannot_break_a_format(run, command):
    bare = re.sub(r"\\[\\{}$#%&_]", "", run(command, "-e", HOSTILE, "--format", "latex"))
    assert bare.count("{") == bare.count("}")
    assert not re.search("[%#]", bare)
    for line in run(command, "-e", HOSTILE, "--format", "markdown").splitlines():
        assert len(re.findall(r"(?<!\\)\|", line)) in {0, 3, 5}
    header, *rows = csv.reader(io.StringIO(run(command, "-e", HOSTILE, "--format", "csv")))
    assert {len(row) for row in rows} == {len(header)}


# Answers


def test_the_formats_agree(run):
    pairs = {
        (p["from"], p["to"]): p["sensitivity"]
        for p in json.loads(run("sensitivity", QUIZ, "--format", "json"))["sensitivities"]
    }
    rows = csv.DictReader(io.StringIO(run("sensitivity", QUIZ, "--format", "csv")))
    assert {(row["from"], row["to"]): float(row["sensitivity"]) for row in rows} == pairs
    L = cg.linearize(cg.read_spec(QUIZ))
    assert pairs == {(s, "y"): cg.sensitivity(L, s, "y") for s in "xz"}


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["--from", "x", "--to", "y"], {("x", "y"): 12.0}),
        (["--from", "x"], {("x", "x"): 1.0, ("x", "w"): 0.0, ("x", "a"): 3.0, ("x", "y"): 12.0}),
        (["--to", "y"], {("x", "y"): 12.0, ("w", "y"): 4.0, ("a", "y"): 2.0, ("y", "y"): 1.0}),
        ([], {("x", "y"): 12.0, ("w", "y"): 4.0}),
        (["--from", "y", "--to", "x"], {("y", "x"): 0.0}),
        (["--from", "x", "--to", "y", "--at", "x=1"], {("x", "y"): 6.0}),
        (["--from", "x", "--to", "y", "--at", "x=-1", "--at", "w=.5"], {("x", "y"): -1.0}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_sensitivities(run, tmp_path, argv, expected):
    (tmp_path / "g.yaml").write_text(SPEC, encoding="utf-8")
    records = json.loads(run("sensitivity", str(tmp_path / "g.yaml"), *argv, "--format", "json"))["sensitivities"]
    assert {(r["from"], r["to"]): r["sensitivity"] for r in records} == expected


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ([], "S(x, y) = 12, the sum over 2 paths\n  product  path\n        6  x -> a -> y\n        6  x -> y\n"),
        (
            ["--top", "1"],
            "S(x, y) = 12, the sum over 2 paths; the strongest:\n  product  path\n        6  x -> a -> y\n",
        ),
        (
            ["--top", "9"],
            "S(x, y) = 12, the sum over 2 paths\n  product  path\n        6  x -> a -> y\n        6  x -> y\n",
        ),
        (["--to", "w"], "S(x, w) = 0, for there is no path\n"),
        (["--to", "x"], "S(x, x) = 1, the sum over 1 path\n  product  path\n        1  x\n"),
    ],
    ids=["all", "top 1", "top 9", "no path", "itself"],
)
def test_paths(run, monkeypatch, argv, expected):
    monkeypatch.setattr("sys.stdin", io.StringIO(SPEC))
    assert run("paths", "-", "--from", "x", *(argv if "--to" in argv else ["--to", "y", *argv])) == expected


def test_a_spec_from_standard_input(run, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(SPEC))
    assert run("eval", "-", "--format", "csv") == "node,value\nx,2.0\nw,3.0\na,6.0\ny,12.0\n"


def test_equations_instead_of_a_spec(run):
    argv = ["eval", "-e", "y(2) = y(1)^2; b = y(2) + x", "--at", "1=3", "--at", "x=-1e-1", "--format", "csv"]
    assert run(*argv) == "node,value\n1,3.0\nx,-0.1\n2,9.0\nb,8.9\n"


@pytest.mark.parametrize("name", ["equations", "self", "values"])
def test_any_name_can_be_bound(run, name):
    assert run("eval", "-e", f"out = {name}^2", "--at", f"{name}=3", "--format", "csv").endswith("out,9.0\n")


@pytest.mark.parametrize(
    ("format_", "title"),
    [
        ("text", "50% of $x_1$: "),
        ("markdown", r"50% of \$x\_1\$: "),
        ("latex", r"\noindent 50\% of \$x\_1\$: "),
        ("json", '{\n  "cgraph": 1,\n  "title": "50% of $x_1$",'),
    ],
)
def test_a_title_stands_above(run, monkeypatch, format_, title):
    monkeypatch.setattr("sys.stdin", io.StringIO("title: 50% of $x_1$\ninputs: {x: 1}\nnodes: {y: x}\n"))
    assert run("show", "-", "--format", format_).startswith(title)


WRITING = {  # every command that has -o, and whether it prints the same without
    "transform": (["expand", QUIZ], True),
    "descend": ([NETWORK, "--rate", "2", "--steps", "3"], False),
    "eliminate": ([QUIZ], False),
    "grade": ([QUIZ], True),
    "sheet": ([QUIZ], True),
    "vary": ([QUIZ, "--student", "ada"], True),
    "seal": ([QUIZ], True),
    "draw": ([QUIZ, "--format", "dot"], True),
    "page": ([QUIZ], False),
}


def test_the_commands_that_write_are_known():
    options = {name: [o for action in sub._actions for o in action.option_strings] for name, sub in _commands().items()}
    assert WRITING.keys() == {name for name, found in options.items() if "-o" in found}


@pytest.mark.parametrize("command", WRITING)
def test_a_dash_after_o_is_standard_output(run, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    argv, is_default = WRITING[command]
    printed = run(command, *argv, "-o", "-")
    assert not list(tmp_path.iterdir())
    run(command, *argv, "-o", "out")
    assert (tmp_path / "out").read_text(encoding="utf-8") == printed
    if is_default:
        assert run(command, *argv) == printed


@pytest.mark.parametrize("command", ["descend", "eliminate"])
def test_a_dash_after_o_takes_the_place_of_what_is_printed(capsys, command):
    argv, _ = WRITING[command]
    assert main([command, *argv, "-o", "-", "--format", "json"]) == 2
    message = "cgraph: error: -o - takes the place of what --format json prints; give a file with -o\n"
    assert capsys.readouterr() == ("", message)


def test_descent_feeds_another_command(run, monkeypatch):
    trained = run("descend", NETWORK, "--rate", "2", "--steps", "3", "-o", "-")
    losses = run("descend", NETWORK, "--rate", "2", "--steps", "3", "--format", "csv").splitlines()
    monkeypatch.setattr("sys.stdin", io.StringIO(trained))
    step, loss, _ = losses[-1].split(",")
    assert step == "3"
    assert f"J,{loss}" in run("eval", "-", "--format", "csv").splitlines()


@pytest.mark.parametrize("format_", FORMATS)
def test_check_finds_a_planted_slope(run, monkeypatch, format_):
    wrong = dataclasses.replace(OPERATIONS["exp"], derivatives=("2*y",))
    monkeypatch.setitem(OPERATIONS, "exp", wrong)
    output = run("check", QUIZ, "--format", format_, status=1)
    assert "DIFFERS" in output
    if format_ == "json":
        assert json.loads(output)["ok"] is False
    if format_ == "text":
        assert output.startswith("3 of 6 derivatives differ\n")  # a -> y, S(x,y) and S(z,y)


def test_show_takes_values(run, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(SPEC))
    nodes = json.loads(run("show", "-", "--at", "x=7", "--format", "json"))["nodes"]
    assert {n["node"]: n["value"] for n in nodes} == {"x": 7.0, "w": 3.0, "a": None, "y": None}


def test_show_counts(run, tmp_path):
    (tmp_path / "g.yaml").write_text("inputs: {x: 2.0}", encoding="utf-8")
    assert run("show", str(tmp_path / "g.yaml")).startswith("1 node in the order of evaluation; outputs: none\n")
    assert run("show", "-e", "a = 2").startswith("1 node in the order of evaluation; outputs: a\n")
    assert "\n1 edge\n" in run("show", "-e", "a = 2; b = a")


# Manners

IMPORTS = """
import sys
from cgraph.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print(*sorted({"networkx", "numpy", "ruamel"} & set(sys.modules)), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "argv",
    [["--help"], ["--version"], ["paths", "--help"], ["completion", "bash"], ["completion", "fish"], ["schema"]],
    ids=" ".join,
)
def test_help_starts_without_the_libraries(argv):
    done = process(*argv, python=("-c", IMPORTS))
    assert (done.returncode, done.stderr) == (0, "\n")
    assert done.stdout


def test_the_module_is_the_command():
    done = process("eval", "-", stdin=SPEC)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("  y        12\n")


@pytest.mark.parametrize(
    "argv", [["--version"], ["completion", "zsh"], ["show", QUIZ]], ids=["version", "completion", "show"]
)
def test_the_module_ends_with_status_0(argv):
    assert process(*argv).returncode == 0


@pytest.mark.parametrize(
    ("argv", "status"),
    [(["show"], 2), (["eval", "-e", "y = 2x"], 3), (["eval", "-e", "y = 1/0"], 4)],
    ids=["usage", "spec", "domain"],
)
def test_the_module_ends_with_the_status_of_the_error(argv, status):
    done = process(*argv)
    assert (done.returncode, done.stdout) == (status, "")
    assert "error:" in done.stderr


def test_greek_on_an_ascii_terminal():
    done = process("eval", "-e", "α = 2", env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert (done.returncode, done.stdout, done.stderr) == (0, "  node  value\n  \\u03b1         2\n", "")


def test_the_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"cgraph {cg.__version__}\n"


@pytest.mark.parametrize(
    ("no_color", "tty", "coloured"), [(None, True, True), ("", True, True), ("1", True, False), (None, False, False)]
)
def test_colour_is_for_terminals(monkeypatch, capsys, no_color, tty, coloured):
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color is not None:
        monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: tty, raising=False)
    assert main(["eval", "-e", "y = 2x"]) == 3
    messages = capsys.readouterr().err
    assert ("\x1b[31merror:\x1b[0m an operator is missing" in messages) == coloured
    assert ("\x1b" in messages) == coloured


def test_colour_leaves_the_users_text_alone(monkeypatch, capsys):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert main(["eval", "-e", 'y = 2x + y("an error: of mine")']) == 3
    assert capsys.readouterr().err.count("\x1b[31m") == 1


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_a_closed_pipe_is_no_error():
    text = ";".join(f"x{k} = {k}" for k in range(5000))
    pipe = f'"{sys.executable}" -m cgraph eval -e "$1" | head -1'
    done = subprocess.run(["bash", "-c", pipe, "bash", text], capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.stderr) == ("  node   value\n", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("buffering", ["", "1"])
@pytest.mark.parametrize(
    "command",
    [["eval", "-e", "y = 2"], ["transform", "expand", "-e", "y = 2"], ["--help"], ["eval", "--help"], ["--version"]],
    ids=" ".join,
)
def test_a_full_disk_is_one_line(command, buffering):
    argv = [sys.executable, "-m", "cgraph", *command]
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(argv, stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
                              env={**os.environ, "PYTHONUNBUFFERED": buffering})  # fmt: skip
    assert done.stderr == "cgraph: error: cannot write the output: No space left on device\n"
    assert done.returncode == 2


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("eval -e 'y = 2' >&-", 0),
        ("transform expand -e 'y = 2' >&-", 0),
        ("eval -e 'y = 2' 2>&-", 0),
        ("eval -e 'y = 2x' 2>&-", 3),
        ("eval - <&-", 2),
    ],
    ids=["output", "output of a spec", "messages", "messages of an error", "input"],
)
def test_a_closed_stream_is_no_traceback(line, status):
    done = subprocess.run(["bash", "-c", f'"{sys.executable}" -m cgraph {line}'], capture_output=True, text=True,
                          check=False, timeout=60)  # fmt: skip
    assert "Traceback" not in done.stderr
    assert "mistake in cgraph itself" not in done.stderr
    assert done.returncode == status


def test_an_interrupt_is_no_traceback(monkeypatch, capsys):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(graph_commands, "show", interrupted)
    assert main(["show", QUIZ]) == 130
    assert capsys.readouterr() == ("", "cgraph: error: interrupted\n")


@pytest.mark.parametrize(
    ("argv", "error"),
    [
        (["show", "-e", "y = 2x"], cg.EquationError),
        (["eval", "-e", "y = 1/0"], cg.EvaluationError),
        (["show", "missing.yaml"], graph_source.UsageError),
    ],
    ids=["equation", "evaluation", "usage"],
)
def test_debug_raises_again(argv, error):
    with pytest.raises(error):
        main([*argv, "--debug"])


def test_a_mistake_of_cgraph_says_so(monkeypatch, capsys):
    def mistaken(_):
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(graph_commands, "show", mistaken)
    assert main(["show", QUIZ]) == 4
    assert capsys.readouterr().err == (
        "cgraph: error: ZeroDivisionError: oops; this is a mistake in cgraph itself, --debug shows where\n"
    )


# Completion


@pytest.mark.parametrize(
    ("shell", "option"),
    [
        pytest.param(shell, option, marks=pytest.mark.skipif(not shutil.which(shell), reason=f"needs {shell}"))
        for shell, option in [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")]
    ],
)
def test_the_shell_reads_its_completion_script(run, tmp_path, shell, option):
    script = tmp_path / "script"
    script.write_text(run("completion", shell), encoding="utf-8")
    subprocess.run([shell, option, script], check=True, timeout=60)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_knows_every_command_and_option(run, shell):
    script = run("completion", shell)
    dashes = "-l " if shell == "fish" else "--"
    for word in [*COMMANDS, *OTHERS, *FORMATS, f"{dashes}from", f"{dashes}top", f"{dashes}format"]:
        assert re.search(rf"(?<![\w-]){word}\b", script)


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["cgraph", "transform", "expand", "g.yaml", "--format", ""], {"yaml", "json", "toml"}),
        (["cgraph", "s"], {"show", "sensitivity", "schema", "screen", "sheet", "solve", "seal"}),
        (["cgraph", ""], {*COMMANDS, *OTHERS, "--help", "--version"}),
        (["cgraph", "--v"], {"--version"}),
        (["cgraph", "paths", "--t"], {"--to", "--top"}),
        (["cgraph", "show", "--t"], set()),
        (["cgraph", "show", "--format", ""], set(FORMATS)),
        (["cgraph", "show", "g.yaml", "--format", "m"], {"markdown"}),
        (["cgraph", "completion", "z"], {"zsh"}),
        (["cgraph", "show", "fil"], set()),  # and so bash completes file names
        (["cgraph", "show", ""], set()),
        (["cgraph", "show", "--format", "=", "j"], {"json"}),
        (["cgraph", "paths", "g.yaml", "--from", ""], set()),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bash_completes(run, words, expected):
    script = run("completion", "bash") + '\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _cgraph; echo "${COMPREPLY[@]}"'
    done = subprocess.run(
        ["bash", "-c", script, "bash", *words], capture_output=True, text=True, check=True, timeout=60
    )
    assert (set(done.stdout.split()), done.stderr) == (expected, "")


# The schema


@pytest.fixture(scope="module")
def validator():
    schema = json.loads((Path(cg.__file__).parent / "specs" / "schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_the_schema_is_printed(run, validator):
    assert json.loads(run("schema")) == validator.schema


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/*.yaml")), ids=lambda path: path.stem)
def test_every_example_fits_the_schema(validator, path):
    validator.validate(parse_document(path.read_text(encoding="utf-8"), "yaml", path.name).data)


GOOD = [
    {},
    {"cgraph": 1, "title": None, "inputs": None, "nodes": {"y": 2}},
    {
        "inputs": {"x": 1, "j-": -0.5},
        "weights": {"w": 1e-3},
        "constants": {"g": 9.81},
        "nodes": {"y": "x"},
        "output": "y",
    },
    {"edges": {"a -> b": 1.0, "b->c": 2}, "outputs": ["b", "c"]},
    {"inputs": {"1": 1.0}, "nodes": {"2": "y(1)^2"}, "output": 2},
]
BAD = {
    "a list": [],
    "a text": "x",
    "nothing": None,
    "an unknown key": {"input": {"x": 1.0}},
    "another version": {"cgraph": 2},
    "version true": {"cgraph": True},
    "a title that is a number": {"title": 3},
    "inputs in a list": {"inputs": ["x"]},
    "an input that is text": {"inputs": {"x": "two"}},
    "an input without value": {"inputs": {"x": None}},
    "an input that is true": {"inputs": {"x": True}},
    "a name with an arrow": {"inputs": {"a->b": 1.0}},
    "a name that is empty": {"inputs": {"": 1.0}},
    "a name that ends with a space": {"inputs": {"x ": 1.0}},
    "a name that is too long": {"inputs": {"x" * 201: 1.0}},
    "an equation that is a list": {"nodes": {"y": ["x"]}},
    "an equation that is true": {"nodes": {"y": True}},
    "an empty equation": {"nodes": {"y": ""}},
    "a blank equation": {"nodes": {"y": "  "}},
    "an equation that is too long": {"nodes": {"y": "1" + "+1" * 5000}},
    "an edge without arrow": {"edges": {"a b": 1.0}},
    "an edge without head": {"edges": {"a ->": 1.0}},
    "an edge without head but a space": {"edges": {"a -> ": 1.0}},
    "an edge that is text": {"edges": {"a -> b": "x"}},
    "output and outputs": {"nodes": {"y": 1}, "output": "y", "outputs": ["y"]},
    "an output that is a list": {"nodes": {"y": 1}, "output": ["y"]},
    "no outputs": {"nodes": {"y": 1}, "outputs": []},
    "an output twice": {"nodes": {"y": 1}, "outputs": ["y", "y"]},
    "a keyword as a name": {"inputs": {"lambda": 1.0}},
    "a function as a name": {"inputs": {"exp": 1.0}},
}


@pytest.mark.parametrize("spec", GOOD, ids=str)
def test_the_schema_accepts_what_is_read(validator, spec):
    validator.validate(spec)
    if spec:
        cg.read_spec(io.StringIO(json.dumps(spec)), format="json")


@pytest.mark.parametrize("spec", BAD.values(), ids=BAD)
def test_what_the_schema_rejects_is_not_read(validator, spec):
    with pytest.raises(cg.SpecError):
        cg.read_spec(io.StringIO(json.dumps(spec)), format="json")
    assert not validator.is_valid(spec)
