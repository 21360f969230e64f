"""Specs: read, write, read again."""

import io
import json
import os
import re
from importlib.resources import files
from pathlib import Path

import jsonschema
import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_properties import equation_graphs

import cgraph as cg
from cgraph.model.expressions import write_name
from cgraph.model.names import unusable
from cgraph.specs.reading import KEYS

EXAMPLES = sorted(Path(__file__).parent.parent.glob("examples/**/*.yaml"))
FORMATS = ["yaml", "json", "toml"]
SCHEMA = json.loads(files("cgraph.specs").joinpath("schema.json").read_text())


def read(text, format=None):
    return cg.read_spec(io.StringIO(text), format=format)


def written(G, format="yaml"):
    stream = io.StringIO()
    cg.write_spec(G, stream, format=format)
    return stream.getvalue()


def assert_same(G, H):
    assert nx.utils.graphs_equal(G, H)
    assert G.graph == H.graph
    assert G.outputs == H.outputs


QUIZ = {
    "yaml": "cgraph: 1\ntitle: Quiz\ninputs: {x: 2, z: 3.0}\nnodes:\n  y: exp(a) - 9\n  a: x * z\noutput: y\n",
    "json": '{"cgraph": 1, "title": "Quiz", "inputs": {"x": 2, "z": 3.0},\n'
            '\t"nodes": {"y": "exp(a) - 9", "a": "x * z"}, "output": "y"}',
    "toml": 'cgraph = 1\ntitle = "Quiz"\noutput = "y"\n[inputs]\nx = 2\nz = 3.0\n[nodes]\ny = "exp(a) - 9"\na = "x * z"\n',
}  # fmt: skip


@pytest.mark.parametrize("format", FORMATS)
def test_one_graph_in_three_formats(format):
    G = read(QUIZ[format], format)
    assert list(G) == ["x", "z", "y", "a"]  # the order of the file
    assert G.graph == {"title": "Quiz", "outputs": ["y"]}
    assert cg.evaluate(G)["a"] == 6.0
    assert_same(G, read(QUIZ["yaml"]))
    assert_same(G, read(written(G, format), format))


def test_suffix_and_stream(tmp_path):
    G = read(QUIZ["yaml"])
    for suffix in ("yaml", "yml", "json", "toml", "YAML"):
        path = tmp_path / f"quiz.{suffix}"
        cg.write_spec(G, path)
        assert_same(G, cg.read_spec(path))
        assert_same(G, cg.read_spec(str(path)))
    with (tmp_path / "quiz.yaml").open() as stream:
        assert_same(G, cg.read_spec(stream))
    assert_same(G, read(written(G, "json")))  # JSON is YAML


def test_what_yaml_makes_of_names_and_numbers():
    G = read("inputs: {9: 1e-3, 007: 0x10, yes: 5, 1.0: .5, 2024-01-01: 1, '+1': 1, null: 1_0}\nnodes: {y: 3, n: y(9)}")
    values = {"9": 0.001, "007": 16.0, "yes": 5.0, "1.0": 0.5, "2024-01-01": 1.0, "+1": 1.0, "null": 10.0}
    assert cg.evaluate(G) == {**values, "y": 3.0, "n": 0.001}
    assert_same(G, read(written(G)))


def test_given_derivatives_are_a_spec():
    G = read("edges: {x -> a: 3.0, a -> y: 0.5, 'x->y': 2}")
    assert cg.sensitivity(G, "x", "y") == 3.5
    assert (G.inputs, G.outputs) == (["x"], ["y"])
    for format in FORMATS:
        assert_same(G, read(written(G, format), format))


def test_given_derivatives_beside_equations():
    G = read("inputs: {x: 2.0}\nnodes: {a: x^2}\nedges: {a -> y: 0.5, y -> u: 3}")
    assert cg.sensitivity(cg.linearize(G), "x", "u") == 6.0
    assert_same(G, read(written(G)))


def test_what_a_spec_leaves_out_can_be_computed_again():
    G = read(QUIZ["yaml"])
    assert written(cg.linearize(G)) == written(G)


node_names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).filter(lambda n: not unusable(n))


@given(equation_graphs(), st.sampled_from(FORMATS))
def test_round_trip(G, format):
    assert_same(G, read(written(G, format), format))


@given(st.lists(node_names, min_size=2, max_size=4, unique=True), st.floats(allow_nan=False, allow_infinity=False),
       st.sampled_from(FORMATS), st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"])))  # fmt: skip
def test_round_trip_with_any_names_and_numbers(names, value, format, title):
    x, *others = names
    G = cg.ComputationalGraph(title=title) if title else cg.ComputationalGraph()
    G.add_input(x, value)
    for name in others:
        G.add_equation(name, f"2 * {write_name(x)}")
    assert_same(G, read(written(G, format), format))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_every_example_fits_the_schema_and_comes_back(path):
    G = cg.read_spec(path)
    for format in FORMATS:
        assert_same(G, read(written(G, format), format))
    jsonschema.validate(json.loads(written(G, "json")), SCHEMA)


def test_the_schema_knows_the_keys():
    assert set(SCHEMA["properties"]) == set(KEYS)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


class TestFiles:
    def test_a_file_is_written_whole_or_not_at_all(self, tmp_path, monkeypatch):
        path = tmp_path / "quiz.yaml"
        path.write_text("before")

        def fail(*_):
            raise OSError("disk full")

        monkeypatch.setattr(Path, "replace", fail)
        with pytest.raises(OSError, match="disk full"):
            cg.write_spec(read(QUIZ["yaml"]), path)
        assert path.read_text() == "before"
        assert [entry.name for entry in tmp_path.iterdir()] == ["quiz.yaml"]

    def test_mode_and_links_are_kept(self, tmp_path):
        path, link = tmp_path / "quiz.yaml", tmp_path / "link.yaml"
        path.write_text("before")
        path.chmod(0o640)
        link.symlink_to(path)
        cg.write_spec(read(QUIZ["yaml"]), link)
        assert link.is_symlink()
        assert path.stat().st_mode & 0o777 == 0o640
        assert_same(cg.read_spec(path), read(QUIZ["yaml"]))

    def test_a_pipe_is_written_to(self):
        reader, writer = os.pipe()
        cg.write_spec(read(QUIZ["yaml"]), f"/dev/fd/{writer}")
        os.close(writer)
        with os.fdopen(reader) as pipe:
            assert_same(read(pipe.read()), read(QUIZ["yaml"]))

    def test_what_cannot_be_written(self, tmp_path):
        G = cg.ComputationalGraph()
        G.add_input("x")
        with pytest.raises(cg.MissingValueError, match="^input 'x' has no value; a spec needs one$"):
            written(G)
        with pytest.raises(cg.MissingValueError, match="^edge 'x' -> 'y' has no derivative, and 'y' no equation"):
            written(cg.ComputationalGraph([("x", "y")]))
        G = cg.ComputationalGraph()
        G.add_node("alone")
        with pytest.raises(cg.MissingValueError, match="^node 'alone' has no value, no equation and no edge"):
            written(G)
        G = cg.ComputationalGraph([(1, 2, {"derivative": 1.0})])
        with pytest.raises(cg.InvalidNodeError, match="^a node's name is text, not 1; write '1'$"):
            written(G)
        with pytest.raises(cg.CGraphError, match="^there is no format 'xml'; the formats are yaml, json, toml$"):
            cg.write_spec(read(QUIZ["yaml"]), tmp_path / "x", format="xml")
        with pytest.raises(FileNotFoundError):
            cg.write_spec(read(QUIZ["yaml"]), tmp_path / "no" / "where.yaml")

    def test_reading_what_is_not_text(self, tmp_path):
        path = tmp_path / "bad.yaml"
        path.write_bytes(b"inputs:\n  x: \xff")
        with pytest.raises(cg.SpecError, match=re.escape("bad.yaml:2:6: error: not UTF-8 text: byte 14")):
            cg.read_spec(path)
        path.write_bytes(b"\xef\xbb\xbfinputs: {x: 1}\nnodes: {y: x}\n")
        assert cg.evaluate(cg.read_spec(path))["y"] == 1.0

    @pytest.mark.parametrize("suffix", ["yaml", "json"])
    def test_an_unknown_format_is_refused(self, tmp_path, suffix):
        message = "there is no format 'xml'; the formats are yaml, json, toml"
        path = tmp_path / f"graph.{suffix}"
        with pytest.raises(cg.CGraphError, match=message):
            cg.write_spec(cg.from_equations("y = x", x=1.0), path, format="xml")
        with pytest.raises(cg.CGraphError, match=message):
            cg.read_spec(path, format="xml")


class TestManyMistakes:
    TEXT = "inputs: {name: 1.0}\nnodes:\n" + "".join(f"  y{k}: nam + {k}\n" for k in range(1580))

    def test_the_first_hundred_are_shown(self):
        with pytest.raises(cg.SpecError) as refused:
            read(self.TEXT)
        assert len(refused.value.problems) == 1580
        assert str(refused.value).count("error:") == 100
        assert str(refused.value).endswith("\n... and 1,480 more")

    def test_a_name_is_suggested_for_the_first_twenty(self):
        with pytest.raises(cg.SpecError) as refused:
            read(self.TEXT)
        assert [bool(p.hint) for p in refused.value.problems] == [True] * 20 + [False] * 1560


def test_brackets_in_texts_and_comments_do_not_nest():
    text = "inputs: {x: 1}  # [0, 1\nnodes:\n" + "".join(f'  n{k}: x  # [{{\n  "[{k}": x\n' for k in range(300))
    assert len(read(text)) == 601
