"""Specs: read, write, read again."""

import io
import json
import os
import re
import unicodedata
from functools import partial
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
from contents import content
from hypothesis import given
from hypothesis import strategies as st
from random_graphs import equation_graphs

import cgraph as cg
from cgraph.model.language.expressions import write_name
from cgraph.model.language.names import unusable
from cgraph.specs.reading import KEYS

EXAMPLES = sorted(Path(__file__).parent.parent.parent.glob("examples/*/*.yaml"))
FORMATS = ["yaml", "json", "toml"]
SCHEMA = json.loads(files("cgraph.specs").joinpath("schema.json").read_text())


def read(text, format=None):
    return cg.read_spec(io.StringIO(text), format=format)


def written(G, format="yaml"):
    stream = io.StringIO()
    cg.write_spec(G, stream, format=format)
    return stream.getvalue()


def assert_same(G, H):
    assert content(G) == content(H)
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
    G = read("inputs: {9: 1e-3, 007: 0x10, yes: 5, 1.0: .5, 2024-01-01: 1, '+2': 1, null: 1_0}\nnodes: {y: 3, n: y(9)}")
    values = {"9": 0.001, "007": 16.0, "yes": 5.0, "1.0": 0.5, "2024-01-01": 1.0, "+2": 1.0, "null": 10.0}
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


NETWORK = """
inputs: {x1: 0.5, x2: -1.0, target: 1}
network:
  inputs: [x1, x2]
  layers:
    - {activation: tanh, weights: [[0.1, 0.2], [0.3, 0.4]], bias: [0, 1]}
    - {activation: relu, weights: [[0.5, 0.6], [0.7, 0.8]], names: "z{layer}{neuron}"}
    - {activation: sigmoid, weights: [[0.9, 1.0]]}
  neurons:
    extra: {activation: identity, weights: {o: 2, x1: -1}, bias: 0.5}
  loss: 0.5 * (o - target)^2 + extra
"""


class TestNetworks:
    def test_layers_become_neurons(self):
        G = read(NETWORK)
        weights = {(i, j): w for i, j, w in G.edges(data="weight") if w is not None}
        assert weights == {
            ("x1", "h1_1"): 0.1, ("x2", "h1_1"): 0.2, ("+1", "h1_1"): 0.0,
            ("x1", "h1_2"): 0.3, ("x2", "h1_2"): 0.4, ("+1", "h1_2"): 1.0,
            ("h1_1", "z21"): 0.5, ("h1_2", "z21"): 0.6, ("h1_1", "z22"): 0.7, ("h1_2", "z22"): 0.8,
            ("z21", "o"): 0.9, ("z22", "o"): 1.0, ("o", "extra"): 2.0, ("x1", "extra"): -1.0, ("+1", "extra"): 0.5,
        }  # fmt: skip
        assert G.outputs == ["J"]
        assert cg.check_derivatives(G)

    @pytest.mark.parametrize("format", FORMATS)
    def test_round_trip(self, format):
        assert_same(read(NETWORK), read(written(read(NETWORK), format), format))

    @pytest.mark.parametrize(
        ("layers", "names"),
        [
            ("[{activation: relu, weights: [[1]]}]", ["o"]),
            ("[{activation: relu, weights: [[1], [2]]}]", ["o1", "o2"]),
            ("[{activation: relu, weights: [[1], [2]]}, {activation: relu, weights: [[1, 2]]}]", ["h1", "h2", "o"]),
            ("[{activation: relu, weights: [[1]], names: y}]", ["y"]),
            ("[{activation: relu, weights: [[1], [2]], names: [9, b]}]", ["9", "b"]),
        ],
    )
    def test_names(self, layers, names):
        G = read(f"inputs: {{x: 1}}\nnetwork: {{layers: {layers}}}")
        assert [j for j, role in G.nodes(data="role") if role == "neuron"] == names

    def test_a_bias_needs_no_constant_and_may_have_one(self):
        neurons = "network: {neurons: {h: {activation: relu, weights: {x: 1}, bias: 2}}}"
        assert_same(read(f"inputs: {{x: 1}}\n{neurons}"), read(f"inputs: {{x: 1}}\nconstants: {{'+1': 1}}\n{neurons}"))

    @pytest.mark.parametrize(
        ("network", "place", "message", "hint"),
        [
            ("3", "2:10", "'network' must be a mapping from names, not the number 3", "write network: {name: ...}"),
            ("{nuerons: {}}", "2:11", "unknown key 'nuerons'", "did you mean 'neurons'?"),
            ("{inputs: 3}", "2:19", "'inputs' must be a mapping from names to values, or a list of names", ""),
            ("{neurons: [h]}", "2:20", "'neurons' must be a mapping from names", "write neurons: {h1: {...}}"),
            ("{neurons: {h: 3}}", "2:21", "neuron 'h' must be a mapping with activation and weights",
             "write h: {activation: sigmoid, weights: {x: 0.5}, bias: 0.1}"),
            ("{neurons: {h: {activation: relu}}}", "2:21", "neuron 'h' has no weights", "write weights: {x: 0.5}"),
            ("{neurons: {h: {weights: {x: 1}}}}", "2:21", "neuron 'h' has no activation",
             f"the activations are {', '.join(cg.ACTIVATIONS)}"),
            ("{neurons: {h: {activation: rellu, weights: {x: 1}}}}", "2:37",
             "neuron 'h' has the activation 'rellu', which is not known", "did you mean 'relu'?"),
            ("{neurons: {h: {activation: relu, weights: {x: a}}}}", "2:56",
             "the weight of 'x' in neuron 'h' is the text 'a'; a number is needed",
             "a formula is an equation, and stands under 'nodes'"),
            ("{neurons: {h: {activation: relu, weights: {xx: 1}}}}", "2:53", "neuron 'h' uses 'xx', which is not defined",
             "did you mean 'x'?"),
            ("{neurons: {h: {activation: relu, weights: {x: 1}, bias: b}}}", "2:66",
             "the bias in neuron 'h' is the text 'b'; a number is needed",
             "a formula is an equation, and stands under 'nodes'"),
            ("{neurons: {x: {activation: relu, weights: {x: 1}}}}", "2:21", "node 'x' is defined twice, first in line 1", ""),
            ("{neurons: {h: {activation: relu, weights: {x: 1}, wieght: 1}}}", "2:60", "unknown key 'wieght'",
             "did you mean 'weights'?"),
            ("{neurons: {h: {activation: relu, weights: {x: 1, +1: 3}, bias: 4}}}", "2:67",
             "neuron 'h' has its bias twice: here, and as the weight of '+1'", ""),
            ("{neurons: {+1: {activation: relu, weights: {x: 1}}}}", "2:21",
             "the node '+1', whose weights are biases, is the constant 1 and nothing else", ""),
            ("{neurons: {h: {activation: relu, weights: [1]}}}", "2:52", "'weights' must be a mapping from nodes to numbers",
             "write weights: {x: 0.5}"),
            ("{layers: {}}", "2:19", "'layers' is a list", "write layers: [{activation: relu, weights: [[...]]}]"),
            ("{layers: [3]}", "2:20", "layer 1 must be a mapping with activation and weights",
             "write {activation: relu, weights: [[...]]}"),
            ("{layers: [{activation: relu}]}", "2:20", "the weights of layer 1 must be a list of rows, one for each neuron",
             "write weights: [[0.2, 0.4]]"),
            ("{layers: [{activation: relu, weights: [[1], [2, 3]]}]}", "2:54",
             "layer 1, row 2: the number of weights is 2, that of nodes that feed it 1 (x)", ""),
            ("{layers: [{activation: relu, weights: [[1]], bias: [1, 2]}]}", "2:61",
             "the bias of layer 1 must be a list with a number for each neuron, here 1", ""),
            ("{layers: [{activation: relu, weights: [[1], [2]], names: h}]}", "2:67",
             "layer 1 has 2 neurons; 'names' is a pattern with {neuron}, or a list of 2 names",
             'write names: "h{neuron}", or a list'),
            ("{loss: x +}", "2:19", "node 'J': an operand is missing", None),
            ("{loss: o^2}", "2:17", "node 'J' uses 'o', which is not defined", ""),
        ],
    )  # fmt: skip
    def test_mistakes(self, network, place, message, hint):
        with pytest.raises(cg.SpecError) as error:
            read(f"inputs: {{x: 1}}\nnetwork: {network}")
        (problem,) = error.value.problems
        assert (f"{problem.line}:{problem.column}", problem.message) == (place, message)
        assert hint is None or problem.hint == hint

    def test_the_bias_node_is_the_constant_one(self):
        with pytest.raises(cg.SpecError, match="the node '\\+1', whose weights are biases, is the constant 1"):
            read("constants: {'+1': 5}\nnodes: {y: 2}")
        with pytest.raises(cg.SpecError, match="the node '\\+1', whose weights are biases, is the constant 1"):
            read("inputs: {'+1': 1}\nnodes: {y: 2}")
        G = cg.ComputationalGraph()
        for add in (
            G.add_input,
            G.add_weight,
            lambda n, _: G.add_constant(n, 2.0),
            lambda n, _: G.add_equation(n, "1"),
        ):
            with pytest.raises(cg.InvalidNodeError, match="the node '\\+1', whose weights are biases"):
                add("+1", 1.0)
        G.add_constant("+1", 1)
        with pytest.raises(cg.InvalidNodeError, match="neuron 'h' has its bias twice"):
            G.add_neuron("h", activation="relu", weights={"+1": 1.0}, bias=2.0)

    @pytest.mark.parametrize("neuron", ["{activation: relu, bias: 0}", "{activation: relu, weights: {}}"])
    def test_neurons_without_inputs(self, neuron):
        G = read(f"network: {{neurons: {{h: {neuron}}}}}")
        assert cg.evaluate(G)["h"] == 0.0
        assert_same(read(written(G)), G)

    def test_edges_into_a_neuron_follow_from_it(self):
        with pytest.raises(cg.SpecError, match="edge 'x -> h': the derivative follows from how 'h' is computed"):
            read("inputs: {x: 1}\nnetwork: {neurons: {h: {activation: relu, weights: {x: 1}}}}\nedges: {x -> h: 2}")


composed = partial(unicodedata.normalize, "NFC")  # as read_spec reads text
node_names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).filter(
    lambda n: n != "+1" and not unusable(n)
)


@given(equation_graphs(), st.sampled_from(FORMATS))
def test_round_trip(G, format):
    assert_same(G, read(written(G, format), format))


@pytest.mark.filterwarnings("ignore::cgraph.model.errors.SpecWarning")  # of a node that is named as a number
@given(st.lists(node_names, min_size=2, max_size=4, unique=True), st.floats(allow_nan=False, allow_infinity=False),
       st.sampled_from(FORMATS), st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"])).map(composed))  # fmt: skip
def test_round_trip_with_any_names_and_numbers(names, value, format, title):
    x, *others = names
    G = cg.ComputationalGraph(title=title) if title else cg.ComputationalGraph()
    G.add_input(x, value)
    for name in others:
        G.add_equation(name, f"2 * {write_name(x)}")
    assert_same(G, read(written(G, format), format))


def test_a_number_that_is_also_a_node_is_warned_of():
    with pytest.warns(cg.SpecWarning, match=r"(?s):1:43: warning: node '3': 2 is the number here.*write y\(2\)"):
        read("{inputs: {1: 2.0, 2: 3.0}, nodes: {3: x * 2, x: y1*3}}".replace("y1*3", "1.5"))


@pytest.mark.parametrize("equation", ["y(1) * 2", "x + 12", 'y("1") + 2', "x1 + x^3"])
def test_nobody_is_warned_who_names_nodes_by_y_or_uses_other_numbers(equation):
    assert read(f"{{inputs: {{1: 2.0, 2: 3.0, x: 1, x1: 2}}, nodes: {{y: '{equation}'}}}}").outputs == ["y"]


def test_a_decomposed_accent_is_no_other_node():
    G = read("inputs: {cafe\u0301: 2.0}\nnodes: {y: caf\u00e9^2}")
    assert list(G) == ["caf\u00e9", "y"]
    with pytest.raises(cg.InvalidNodeError, match="accents stand apart from their letters"):
        G.add_input("o\u0301", 1.0)
    G.add_equation("z", "2 * cafe\u0301")
    assert cg.evaluate(G)["z"] == 4.0


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_every_example_fits_the_schema_and_comes_back(path):
    G = cg.read_spec(path)
    for format in FORMATS:
        assert_same(G, read(written(G, format), format))
    jsonschema.validate(json.loads(written(G, "json")), SCHEMA)


def test_the_schema_knows_the_keys():
    assert set(SCHEMA["properties"]) == set(KEYS)
    assert SCHEMA["$defs"]["activation"]["enum"] == list(cg.ACTIVATIONS)
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
        with pytest.raises(cg.InvalidNodeError, match="^a node's name must be text, not 1; write '1'$"):
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
