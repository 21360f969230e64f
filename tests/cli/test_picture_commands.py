"""The commands that draw: what they write, and what they refuse."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import cgraph as cg
from cgraph.cli import main
from cgraph.cli.parser import PICTURE_FORMATS, SHOWN
from cgraph.model import optional
from cgraph.reports.drawing import picture

pytest.importorskip("pygraphviz")
pytest.importorskip("matplotlib")

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
QUIZ = str(EXAMPLES / "cmu_10301" / "quiz.yaml")
NETWORK = str(EXAMPLES / "math565" / "network.yaml")
STARTS = {"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF", "tikz": b"\\documentclass", "dot": b"digraph {",
          "mermaid": b"flowchart LR"}  # fmt: skip
SUFFIXES = {"tikz": "tex", "mermaid": "mmd"}


@pytest.fixture
def run(capsys):
    def run(*argv, status=0):
        assert main(argv) == status
        return capsys.readouterr()

    return run


def test_the_parser_knows_what_the_library_knows():
    assert tuple(cg.DRAWING_FORMATS) == PICTURE_FORMATS
    assert picture.SHOWN == SHOWN


@pytest.mark.parametrize("format", PICTURE_FORMATS)
def test_the_suffix_tells_the_format(run, tmp_path, format):
    path = tmp_path / f"picture.{SUFFIXES.get(format, format)}"
    assert run("draw", QUIZ, "-o", str(path)) == ("", "")
    assert path.read_bytes().startswith(STARTS[format])
    other = tmp_path / "picture"
    run("draw", QUIZ, "-o", str(other), "--format", format)
    assert other.read_bytes().startswith(STARTS[format])


def test_text_goes_to_standard_output(run):
    assert run("draw", QUIZ, "--format", "svg").out.startswith("<svg")
    assert 'n2["a' not in run("draw", QUIZ, "--format", "mermaid", "--show", "names").out
    assert "x * z" in run("draw", QUIZ, "--format", "dot", "--show", "names, equations").out


def test_options_reach_the_picture(run):
    svg = ET.fromstring(run("draw", QUIZ, "--format", "svg", "--from", "x", "--to", "y", "--at", "x=3").out)
    text = "".join(svg.itertext())
    L = cg.linearize(cg.read_spec(QUIZ), {"x": 3.0})
    assert f"S = {cg.sensitivity(L, 'x', 'y'):.4g}" in text
    assert "path 2: x → y" in run("draw", QUIZ, "--format", "svg", "--from", "x", "--to", "y", "--top", "2").out


def test_names_alone_need_no_numbers(run):
    undefined = "y = log(x)"
    assert run("draw", "-e", undefined, "--at", "x=-1", "--format", "dot", "--show", "names,equations").out
    assert "log(-1) is undefined" in run("draw", "-e", undefined, "--at", "x=-1", "--format", "dot", status=4).err


@pytest.mark.parametrize(
    ("argv", "status", "message"),
    [
        (["draw", QUIZ], 2, "give a file with -o, as in -o picture.svg; or a --format for standard output"),
        (["draw", QUIZ, "--format", "png"], 2, "png is no text for standard output; give a file with -o"),
        (["draw", QUIZ, "-o", "x.bmp"], 2, "the suffix '.bmp' of 'x.bmp' is not that of a picture"),
        (["draw", QUIZ, "-o", "/nowhere/x.svg"], 2, "cannot write '/nowhere/x.svg': No such file"),
        (["draw", QUIZ, "--format", "svg", "--to", "q"], 2, "no node 'q' in the graph"),
        (["draw", QUIZ, "--format", "svg", "--show", "valeus"], 2, "did you mean 'values'?"),
        (["draw", QUIZ, "--format", "svg", "--top", "2"], 2, "give both"),
        (["draw", QUIZ, "--format", "svg", "--at", "a=2"], 2, "node 'a' cannot be set"),
        (["draw", "nothing.yaml", "--format", "svg"], 2, "cannot read 'nothing.yaml'"),
        (["draw", "-e", "y = 1 +", "--format", "svg"], 3, "error"),
        (["page", QUIZ, "-o", "/nowhere/x.html"], 2, "cannot write '/nowhere/x.html': No such file"),
        (["page", QUIZ, "-o", "x.html", "--from", "q"], 2, "no node 'q'"),
        (["page", "-e", "y = 2", "-o", "x.html"], 2, "a page needs edges"),
        (["paths", QUIZ, "--chart", "x.svg"], 2, "a chart shows the paths from one node to one other"),
        (["paths", QUIZ, "--from", "y", "--to", "x", "--chart", "x.svg"], 2, "no path from 'y' to 'x' has a product"),
        (
            ["sensitivity", QUIZ, "--from", "x", "--chart", "x.svg"],
            2,
            "a chart shows the sensitivities of one node to all",
        ),
        (["gates", NETWORK, "--chart", "x.tiff"], 2, "the suffix of 'x.tiff' is not that of a chart"),
        (["gates", NETWORK, "--chart", "/nowhere/x.svg"], 2, "cannot write '/nowhere/x.svg': No such file"),
    ],
    ids=lambda value: " ".join(Path(word).name for word in value) if isinstance(value, list) else "",
)
def test_what_cannot_be_drawn(run, tmp_path, monkeypatch, argv, status, message):
    monkeypatch.chdir(tmp_path)
    output, messages = run(*argv, status=status)
    assert message in messages
    assert "Traceback" not in messages
    assert list(tmp_path.iterdir()) == []
    assert output == ""


def test_without_the_extra_one_line_says_what_to_install(run, monkeypatch, tmp_path):
    def refuse(module):
        raise ModuleNotFoundError(module, name=module.partition(".")[0])

    monkeypatch.setattr(optional, "import_module", refuse)
    for argv in (
        ["draw", QUIZ, "-o", str(tmp_path / "x.svg")], ["page", QUIZ, "-o", str(tmp_path / "x.html")],
        ["gates", NETWORK, "--chart", str(tmp_path / "x.svg")],
    ):  # fmt: skip
        messages = run(*argv, status=4).err
        assert messages.count("\n") == 1
        assert "pip install 'cgraph-sensitivity[draw]'" in messages
    assert run("draw", QUIZ, "--format", "mermaid").out.startswith("flowchart LR")


def test_a_page_is_written(run, tmp_path):
    path = tmp_path / "page.html"
    assert run("page", QUIZ, "--to", "a", "--at", "x=1.5", "--exercise", "-o", str(path)) == ("", "")
    text = path.read_text()
    data = json.loads(text.partition('id="data">')[2].partition("</script>")[0])
    assert data["exercise"] is True
    assert [data["nodes"][data[end]]["name"] for end in "st"] == ["x", "a"]
    assert data["values"][0] == 1.5


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["descend", NETWORK, "--rate", "2", "--steps", "5"], ["step", "loss"]),
        (["gates", NETWORK], ["edges to t", "gates shut"]),
        (["paths", QUIZ, "--from", "x", "--to", "y", "--top", "1"], ["S(x, y) = 1208, the sum over 2 paths"]),
        (["sensitivity", QUIZ, "--to", "y"], ["what acts most on y", "S(i, y)"]),
    ],
)
def test_charts_are_drawn_beside_what_is_printed(run, tmp_path, argv, words):
    path = tmp_path / "chart.svg"
    printed = run(*argv).out
    assert run(*argv, "--chart", str(path)) == (printed, "")
    text = "".join(ET.fromstring(path.read_text()).itertext())
    assert all(word in text for word in words)
    again = tmp_path / "again.svg"
    run(*argv, "--chart", str(again))
    assert again.read_bytes() == path.read_bytes()


def test_drawing_libraries_are_loaded_only_to_draw():
    heavy = ("matplotlib", "pygraphviz")
    for argv in (["--version"], ["eval", QUIZ], ["draw", QUIZ, "--format", "dot"]):
        code = (
            "import sys\nfrom cgraph.cli import main\n"
            f"try: main({argv!r})\nexcept SystemExit: pass\nprint([m for m in {heavy!r} if m in sys.modules], file=sys.stderr)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
        assert done.stderr.strip() == "[]"
