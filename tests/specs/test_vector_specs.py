"""Specs that hold arrays: nested lists, files, Jacobians on edges, vector networks; every command on them."""

import contextlib
import csv
import io
import json
import os
import pickle
import random
import re
import struct
import warnings
import zipfile
from importlib.resources import files
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from contents import content, plain
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

import cgraph as cg
from cgraph.cli import main
from cgraph.cli.parser import FORMATS
from cgraph.model.language.parsing import parse
from cgraph.model.operations.elementwise import ALIASES, FUNCTIONS, row_of
from cgraph.reports.latex import latex_expression
from cgraph.specs import array_files

SPEC_FORMATS = ["yaml", "json", "toml"]
SCHEMA = json.loads(files("cgraph.specs").joinpath("schema.json").read_text())


def read(text, format=None):
    return cg.read_spec(io.StringIO(text), format=format)


def written(G, format="yaml"):
    stream = io.StringIO()
    cg.write_spec(G, stream, format=format)
    return stream.getvalue()


def mistakes(text, format="yaml"):
    with pytest.raises(cg.SpecError) as error:
        read(text, format)
    return [f"{p.line}:{p.column} {p.message}" + f" | {p.hint}" * bool(p.hint) for p in error.value.problems]


# Nested lists

LISTS = {
    "yaml": "inputs: {x: [1, -0.5]}\nweights:\n  W:\n  - [1, 2]\n  - [3, 4e0]\nconstants: {T: [[[1], [2]]]}\nnodes: {y: W @ x}\n",
    "json": '{"inputs": {"x": [1, -0.5]}, "weights": {"W": [[1, 2], [3, 4.0]]}, "constants": {"T": [[[1], [2]]]},'
            '"nodes": {"y": "W @ x"}}',
    "toml": 'inputs.x = [1, -0.5]\nweights.W = [[1, 2],\n [3, 4.0]]\nconstants.T = [[[1], [2]]]\nnodes.y = "W @ x"\n',
}  # fmt: skip


@pytest.mark.parametrize("format", SPEC_FORMATS)
def test_nested_lists_are_arrays(format):
    G = read(LISTS[format], format)
    assert {i: np.shape(v) for i, v in G.nodes(data="value") if v is not None} == {
        "x": (2,),
        "W": (2, 2),
        "T": (1, 2, 1),
    }
    assert cg.evaluate(G)["y"].tolist() == [0.0, 1.0]
    assert content(G) == content(read(LISTS["yaml"])) == content(read(written(G, format), format))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("[]", "1:13 input 'x' is empty; a number is needed"),
        ("[[], []]", "1:14 entry [0] of input 'x' is empty; a number is needed"),
        ("[[1, 2], [3]]", "1:22 input 'x' is ragged: the length of [1] is 1, that of [0] is 2"),
        ("[[1], [2], [3, 4]]", "1:24 input 'x' is ragged: the length of [2] is 2, that of [0] is 1"),
        ("[[[1, 2]], [[3, 4, 5]]]", "1:25 input 'x' is ragged: the length of [1, 0] is 3, that of [0, 0] is 2"),
        ("[[1, 2], 3]", "1:22 entry [1] of input 'x' is the number 3; a list is needed, as at the first"),
        ("[1, [2]]", "1:17 entry [1] of input 'x' is a list; a number is needed"),
        ("[1, two]", ("1:17 entry [1] of input 'x' is the text 'two'; a number is needed"
         " | a formula is an equation, and stands under 'nodes'")),
        ("[1, true]", "1:17 entry [1] of input 'x' is true; a number is needed"),
        ("[1, null]", "1:17 entry [1] of input 'x' is empty; a number is needed"),
        ("[1, {a: 1}]", "1:17 entry [1] of input 'x' is a mapping; a number is needed"),
        ("[[1, .nan]]", "1:18 entry [0, 1] of input 'x' is nan; a finite number is needed"),
        ("[[1, 2], [-.inf, 2]]", "1:23 entry [1, 0] of input 'x' is -inf; a finite number is needed"),
        ("[1, 1" + 400 * "0" + "]", "1:17 entry [1] of input 'x' is inf; a finite number is needed"),
        ("[" * 33 + "1" + "]" * 33, "1:45 input 'x' has more than 32 axes"),
        ("{value: 1}", "1:13 input 'x' is a mapping; a number, a list or {file: ...} is needed"),
    ],
)  # fmt: skip
def test_what_is_no_array(value, message):
    assert mistakes(f"inputs: {{x: {value}}}\nnodes: {{y: x}}")[0] == message


@pytest.mark.parametrize(
    ("format", "text", "place"),
    [
        ("yaml", "weights:\n  W:\n  - [1, 2]\n  - [3, q]\nnodes: {y: W}", "4:9"),
        ("json", '{"weights": {"W": [[1, 2],\n [3, "q"]]}, "nodes": {"y": "W"}}', "2:6"),
        ("toml", '[weights]\nW = [[1, 2], # ]]\n  ["]", 2], [3, "q"]]\n[nodes]\ny = "W"', "3:4"),
    ],
)
def test_the_place_of_a_bad_entry(format, text, place):
    assert mistakes(text, format)[0].startswith(f"{place} entry [1, ")


def test_every_bad_entry_is_named():
    found = mistakes("inputs: {x: [a, 1, b]}\nnodes: {y: x}")
    assert [message.partition(" | ")[0] for message in found] == [
        "1:14 entry [0] of input 'x' is the text 'a'; a number is needed",
        "1:20 entry [2] of input 'x' is the text 'b'; a number is needed",
    ]


def test_numbers_that_have_to_be_numbers():
    assert mistakes("constants: {'+1': [1]}\nnodes: {y: 2}") == [
        "1:19 the node '+1', whose weights are biases, is the constant 1 and nothing else"
    ]
    (message,) = mistakes("inputs: {x: 1}\nnetwork: {neurons: {h: {activation: relu, weights: {x: [1]}}}}")
    assert message == "2:56 the weight of 'x' in neuron 'h' is a list; a number is needed"


# Files


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "outside.npy").write_bytes(b"")
    folder = tmp_path / "specs"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def from_file(reference):
    return read(f"inputs: {{x: {reference}}}\nnodes: {{y: x}}").nodes["x"]["value"]


def refused(reference):
    (message,) = mistakes(f"inputs: {{x: {reference}}}\nnodes: {{y: x}}")
    return message


MATRIX = np.array([[1.0, 2.5, -3.0], [4.0, 5.0, 1e-300]])


class TestFiles:
    @pytest.mark.parametrize(
        "array",
        [MATRIX, np.asfortranarray(MATRIX), MATRIX.astype(">f8"), np.arange(6, dtype=np.uint8).reshape(1, 2, 3),
         np.array([1, -2], np.int64), np.array([0.5], np.float16), MATRIX[:, ::2]],
        ids=["plain", "by columns", "big endian", "bytes", "integers", "half", "strided"],
    )  # fmt: skip
    def test_npy(self, folder, array):
        np.save(folder / "a.npy", array)
        assert plain(from_file("{file: a.npy}")) == plain(np.ascontiguousarray(array, float))

    def test_a_number_in_a_file(self, folder):
        np.save(folder / "a.npy", np.float64(2.5))
        assert from_file("{file: a.npy}") == 2.5

    @pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
    def test_npz(self, folder, save):
        save(folder / "d.npz", W=MATRIX, b=np.arange(2.0))
        assert plain(from_file("{file: d.npz, name: W}")) == plain(MATRIX)
        save(folder / "one.npz", MATRIX)
        assert plain(from_file("{file: one.npz}")) == plain(MATRIX)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("a,b\n1,2\n3,4.5\n", [[1, 2], [3, 4.5]]),
            ("1,2\n3,4.5", [[1, 2], [3, 4.5]]),
            ("\ufeffx\n1\n\n2\n", [1, 2]),
            ("1\n2\n3\n", [1, 2, 3]),
            ("7\n", [7]),
            ("1,2,3\n", [[1, 2, 3]]),
            ('"1","2"\r\n"3","4"\r\n', [[1, 2], [3, 4]]),
        ],
    )
    def test_csv(self, folder, text, expected):
        (folder / "t.csv").write_text(text, encoding="utf-8", newline="")
        assert from_file("{file: t.csv}").tolist() == expected

    def test_a_file_is_beside_its_spec(self, folder, monkeypatch):
        (folder / "data").mkdir()
        np.save(folder / "data" / "W.npy", MATRIX)
        (folder / "net.yaml").write_text("weights: {W: {file: data/W.npy}}\nnodes: {y: squared_norm(W)}\n")
        monkeypatch.chdir(folder.parent)
        assert plain(cg.read_spec("specs/net.yaml").nodes["W"]["value"]) == plain(MATRIX)

    def test_files_in_every_place_of_a_value(self, folder):
        np.save(folder / "W.npy", np.eye(2))
        np.save(folder / "b.npy", np.ones(2))
        G = read("""
            constants: {C: {file: W.npy}}
            network:
              vector: true
              inputs: {x: {file: b.npy}}
              layers: [{activation: identity, weights: {file: W.npy}, bias: {file: b.npy}}]
        """)  # fmt: skip
        assert cg.evaluate(G)["o"].tolist() == [2.0, 2.0]
        assert read("edges: {x -> y: {file: W.npy}}").edges["x", "y"]["derivative"].tolist() == [[1, 0], [0, 1]]

    @pytest.mark.parametrize(
        "name",
        ["../outside.npy", "/etc/passwd", "a/../../outside.npy", "C:\\x.npy", "..\\outside.npy", "\\x.npy", "C:x.npy"],
    )
    @pytest.mark.usefixtures("folder")
    def test_nothing_outside_the_folder(self, name):
        message = refused(f"{{file: '{name}'}}")
        assert (
            message
            == f"1:20 input 'x': {name!r} is not allowed: a file lies in the folder of the spec, and is named relative to it"
        )

    def test_no_link_leads_out(self, folder):
        np.save(folder.parent / "secret.npy", MATRIX)
        (folder / "link.npy").symlink_to(folder.parent / "secret.npy")
        (folder / "round.npy").symlink_to(folder / "round.npy")
        (folder / "inside.npy").symlink_to(folder / "a.npy")
        np.save(folder / "a.npy", MATRIX)
        assert "1:20 input 'x': 'link.npy' leads elsewhere: a file lies" in refused("{file: link.npy}")
        assert "'round.npy'" in refused("{file: round.npy}")
        assert plain(from_file("{file: inside.npy}")) == plain(MATRIX)

    def test_what_is_no_file(self, folder):
        (folder / "d.npy").mkdir()
        os.mkfifo(folder / "pipe.npy")
        (folder / "a.txt").write_text("1")
        for name, message in {
            "no.npy": "1:20 input 'x': there is no file 'no.npy' in the folder of the spec",
            "d.npy": "1:20 input 'x': 'd.npy' is no file",
            "pipe.npy": "1:20 input 'x': 'pipe.npy' is no file",
            "a.txt": "1:20 input 'x': 'a.txt' is no file of numbers; its name must end in .npy, .npz or .csv",
        }.items():
            assert refused(f"{{file: {name}}}") == message
        assert "cannot be read: File name too long" in refused(f"{{file: {'a' * 300}.npy}}")
        assert "cannot be read: " in refused('{file: "a\\0b.npy"}')

    @pytest.mark.parametrize(
        ("reference", "message"),
        [
            ("{file: 3}", "1:20 input 'x': 'file' must be text, not the number 3 | write {file: weights.npy}"),
            ("{file: ''}", "1:20 input 'x': 'file' must be text, not the text '' | write {file: weights.npy}"),
            ("{file: null}", "1:20 input 'x': 'file' must be text, not empty | write {file: weights.npy}"),
            ("{file: a.npy, name: [b]}", "1:33 input 'x': 'name' must be text, not a list | write {file: weights.npy}"),
            ("{file: a.npy, name: b}", "1:33 input 'x': 'a.npy' holds one array, which has no name; only those in .npz files have"),
            ("{file: d.npz}", "1:20 input 'x': 'd.npz' holds 2 arrays; write name: with one of them; it holds W, bias"),
            ("{file: d.npz, name: V}", "1:33 input 'x': 'd.npz' holds no array 'V'; it holds W, bias"),
            ("{file: d.npz, name: bia}", "1:33 input 'x': 'd.npz' holds no array 'bia'; did you mean 'bias'?"),
        ],
    )  # fmt: skip
    def test_what_a_file_is_called(self, folder, reference, message):
        np.save(folder / "a.npy", MATRIX)
        np.savez(folder / "d.npz", W=MATRIX, bias=MATRIX)
        assert refused(reference) == message

    def test_unknown_keys(self, folder):
        np.save(folder / "a.npy", MATRIX)
        assert refused("{file: a.npy, nmae: b}") == "1:27 unknown key 'nmae' | did you mean 'name'?"

    @pytest.mark.parametrize(
        ("array", "message"),
        [
            (np.array([1, None]), "holds Python objects, which would be pickled; real numbers are needed"),
            (np.array([1j]), "holds complex numbers; real numbers are needed"),
            (np.array(["a"]), "holds text; real numbers are needed"),
            (np.array([b"a"]), "holds text; real numbers are needed"),
            (np.array([True]), "holds booleans; real numbers are needed"),
            (np.array(["2024-01-01"], "datetime64[D]"), "holds datetime64[D]; real numbers are needed"),
            (np.zeros(2, [("a", float)]), "holds [('a', '<f8')]; real numbers are needed"),
            (np.zeros(2, [("é€", float)]), "cannot be read: it holds a table with named columns"),
            (np.zeros((0, 3)), "is empty"),
        ],
        ids=["objects", "complex", "text", "bytes", "booleans", "dates", "table", "table with other names", "empty"],
    )
    def test_what_numbers_are_not(self, folder, array, message):
        with warnings.catch_warnings(action="ignore"):  # of names that an old NumPy would not read
            np.save(folder / "a.npy", array)
            np.savez(folder / "a.npz", a=array)
        assert refused("{file: a.npy}") == f"1:20 input 'x': 'a.npy' {message}"
        assert refused("{file: a.npz}") == f"1:20 input 'x': 'a.npz' {message}"

    def test_entries_are_finite(self, folder):
        np.save(folder / "a.npy", [[1, 2], [np.nan, np.inf]])
        assert refused("{file: a.npy}") == "1:20 input 'x': entry [1, 0] of 'a.npy' is nan; a finite number is needed"
        np.save(folder / "a.npy", np.array([1, 2**70]).astype(np.longdouble) ** 30)
        assert "entry [1] of 'a.npy' is inf" in refused("{file: a.npy}")

    def test_pickles_are_never_loaded(self, folder):
        class Evil:
            def __reduce__(self):
                return os.mkdir, (str(folder / "pwned"),)

        (folder / "a.npy").write_bytes(pickle.dumps(Evil()))
        assert "cannot be read: it does not begin as .npy files do" in refused("{file: a.npy}")
        np.save(folder / "a.npy", np.array([Evil()], dtype=object), allow_pickle=True)
        assert "Python objects, which would be pickled" in refused("{file: a.npy}")
        with zipfile.ZipFile(folder / "a.npz", "w") as archive:
            archive.writestr("a.npy", pickle.dumps(Evil()))
        assert "cannot be read" in refused("{file: a.npz}")
        assert not (folder / "pwned").exists()

    @pytest.mark.parametrize(
        ("good", "bad"),
        [(b"}", b" "), (b"'<f8'", b"',f8'"), (b"(", b"["), (b"'shape'", b"'sha\n''"), (b"False", b"F(lse")],
    )
    def test_damaged_headers(self, folder, good, bad):
        np.save(folder / "a.npy", MATRIX)
        whole = (folder / "a.npy").read_bytes()
        (folder / "a.npy").write_bytes(whole.replace(good, bad, 1))
        assert "'a.npy' cannot be read: " in refused("{file: a.npy}")

    def test_an_archive_of_nothing(self, folder):
        np.savez(folder / "a.npz")
        assert refused("{file: a.npz}") == "1:20 input 'x': 'a.npz' holds no arrays"

    def test_damaged_files(self, folder):
        np.save(folder / "a.npy", MATRIX)
        whole = (folder / "a.npy").read_bytes()
        for raw in (whole[:-1], whole + b"0"):
            (folder / "a.npy").write_bytes(raw)
            assert (
                refused("{file: a.npy}")
                == "1:20 input 'x': 'a.npy' cannot be read: it is damaged; its header says 6 entries"
            )
        for raw in (b"", b"PK", whole[:20], whole[:64]):
            (folder / "a.npy").write_bytes(raw)
            (folder / "a.npz").write_bytes(raw)
            assert "'a.npy' cannot be read: " in refused("{file: a.npy}")
            assert refused("{file: a.npz}") == "1:20 input 'x': 'a.npz' cannot be read: File is not a zip file"
        np.savez(folder / "a.npz", a=MATRIX)
        raw = bytearray((folder / "a.npz").read_bytes())
        raw[raw.index(struct.pack("<d", 2.5)) + 7] ^= 1
        (folder / "a.npz").write_bytes(raw)
        assert "'a.npz' cannot be read: Bad CRC-32" in refused("{file: a.npz}")

    def test_a_header_that_lies_costs_nothing(self, folder):
        header = np.lib.format.header_data_from_array_1_0(MATRIX) | {"shape": (10**6, 10**6)}
        for shape, message in (
            (
                (10**6, 10**6),
                "is too large: the files of a spec hold no more than 30,000,000 entries; limits(total=...) allows more",
            ),
            (
                (10**7, 2),
                "is too large, 20,000,000 entries, more than the limit of 10,000,000; limits(entries=...) allows more",
            ),
            ((10**6, 10), "cannot be read: it is damaged; its header says 10,000,000 entries"),
            ((True, 2), "cannot be read: its header is damaged"),
        ):
            with (folder / "a.npy").open("wb") as stream:
                np.lib.format.write_array_header_1_0(stream, header | {"shape": shape})
            assert refused("{file: a.npy}") == f"1:20 input 'x': 'a.npy' {message}"

    def test_the_files_of_a_spec_share_their_room(self, folder):
        np.save(folder / "a.npy", MATRIX)
        (folder / "t.csv").write_text("1,2,3\n4,5,6\n")
        for name in ("a.npy", "t.csv"):
            with cg.limits(total=10):
                (message,) = mistakes(f"inputs: {{x: {{file: {name}}}, z: {{file: {name}}}}}\nnodes: {{y: x}}")
            assert message == (
                f"1:38 input 'z': {name!r} is too large: the files of a spec hold no more than 10 entries; "
                f"limits(total=...) allows more"
            )

    def test_large_csv(self, folder, monkeypatch):
        monkeypatch.setattr(array_files, "MAX_CSV_BYTES", 4)
        (folder / "t.csv").write_text("1,2,3\n")
        assert refused("{file: t.csv}") == "1:20 input 'x': 't.csv' is larger than 0 MB; an .npy file may hold more"

    @pytest.mark.parametrize(
        ("raw", "message"),
        [
            (b"", "t.csv: no rows of numbers"),
            (b"a,b\n", "t.csv: no rows of numbers"),
            (b"a,b\n1,2\n3\n", "t.csv:3: 1 cells in the row, 2 in the header"),
            (b"1,2\n3,4,5\n", "t.csv:2: 3 cells in the row, 2 in the header"),
            (b"1,2\n3,x\n", "t.csv:2: column '2' holds 'x'; a finite number is needed"),
            (b"a,b\n3,\n", "t.csv:2: column 'b' holds ''; a finite number is needed"),
            (b"1,2\n3,nan\n", "t.csv:2: column '2' holds 'nan'; a finite number is needed"),
            (b"1\n\xff\n", "t.csv: not UTF-8 text: byte 3"),
            (b"1\n" + b"1" * 200_000, "t.csv:2: field larger than field limit (131072)"),
        ],
        ids=["nothing", "header", "short", "long", "text", "gap", "nan", "bytes", "field"],
    )
    def test_csv_that_is_no_matrix(self, folder, raw, message):
        (folder / "t.csv").write_bytes(raw)
        assert refused("{file: t.csv}") == f"1:20 input 'x': {message}"


def test_the_specs_of_the_manual_are_read(folder):
    np.savez(folder / "data.npz", labels=[0, 1], other=MATRIX)
    (folder / "table.csv").write_text("a,b\n1,2\n")
    (folder / "trained").mkdir()
    np.save(folder / "trained" / "V.npy", MATRIX)
    np.save(folder / "W2.npy", np.ones((2, 3)))
    manual = Path(__file__).parent.parent.parent / "docs" / "spec.md"
    specs = re.findall(r"```yaml\n(.*?)```", manual.read_text(encoding="utf-8"), re.DOTALL)
    graphs = [read(spec) for spec in specs]
    assert len(graphs) == 8
    for G in graphs:
        L = cg.linearize(G)
        for t in L.outputs:
            cg.sensitivities(L, t)
    short = next(G for G in graphs if "h1" in G and "W1" in G)
    assert {j: e for j, e in short.nodes(data="equation") if e} == {
        "h1": "tanh(x @ W1.T + b1)", "p": "softmax(h1 @ W2.T)", "J": "cross_entropy(p, target)",
    }  # fmt: skip


# Jacobians on edges


class TestJacobians:
    TEXT = "edges:\n  x -> a: [[1, 2], [3, 4], [5, 6]]\n  a -> y: [[1, 0, 2]]\n  x -> y: [[1, 1]]\n"

    def test_a_graph_of_jacobians(self):
        G = read(self.TEXT)
        assert cg.sensitivity(G, "x", "y").tolist() == [[12.0, 15.0]]  # (1 0 2) A + (1 1)
        for format in SPEC_FORMATS:
            assert content(read(written(G, format), format)) == content(G)

    @pytest.mark.parametrize(
        ("edges", "message"),
        [
            ("{x -> y: [1, 2]}", ("1:17 edge 'x -> y' holds a vector of 2; a Jacobian is a matrix"
             " | write a row for each entry of 'y', in it a number for each entry of 'x'")),
            ("{x -> y: [[[1]]]}", ("1:17 edge 'x -> y' holds 1 x 1 x 1; a Jacobian is a matrix"
             " | write a row for each entry of 'y', in it a number for each entry of 'x'")),
            ("{x -> y: [[1, 2], [3]]}", "1:26 edge 'x -> y' is ragged: the length of [1] is 1, that of [0] is 2"),
            ("{x -> a: [[1, 2, 3], [4, 5, 6]], a -> y: [[1, 2, 3]]}",
             ("1:41 edge 'a' -> 'y' holds a 1 x 3 Jacobian, but 'a' has 2 entries by edge 'x' -> 'a'; z(i,j) has a row for each "
             "entry of j and a column for each entry of i")),
            ("{x -> a: [[1], [2]], a -> y: 3}",
             ("1:29 edge 'a' -> 'y' holds a number, but 'a' has 2 entries by edge 'x' -> 'a'; z(i,j) has a row for each "
             "entry of j and a column for each entry of i")),
        ],
    )  # fmt: skip
    def test_mistakes(self, edges, message):
        assert mistakes(f"edges: {edges}") == [message]

    def test_an_array_beside_a_number(self):
        (message,) = mistakes("inputs: {x: [1, 2]}\nedges: {x -> y: 3}")
        assert message.startswith(
            "2:9 edge 'x' -> 'y' holds a number, but 'x' has 2 entries by its value; z(i,j) has a row"
        )


# Vector networks

NETWORK = """\
title: A vector network
inputs: {x: [0.5, -1.0], target: [0, 1]}
network:
  vector: true
  inputs: [x]
  layers:
    - {activation: tanh, weights: [[0.1, 0.2], [0.3, -0.4], [0.5, 0.6]], bias: [0, 1, -1]}
    - {activation: softmax, weights: [[1, 2, 3], [-1, 0.5, 0]]}
  loss: cross_entropy(o, target)
"""


class TestVectorNetworks:
    def test_a_layer_is_one_node(self):
        G = read(NETWORK)
        assert dict(G.nodes(data="equation")) == {
            "x": None, "target": None, "W1": None, "b1": None, "W2": None, "h1": "tanh(x @ W1.T + b1)",
            "o": "softmax(h1 @ W2.T)", "J": "cross_entropy(o, target)",
        }  # fmt: skip
        assert (G.inputs, G.weights, G.outputs) == (["x", "target"], ["W1", "b1", "W2"], ["J"])
        W1, W2 = np.array([[0.1, 0.2], [0.3, -0.4], [0.5, 0.6]]), np.array([[1, 2, 3], [-1, 0.5, 0]])
        s = W2 @ np.tanh(W1 @ [0.5, -1.0] + [0, 1, -1])
        p = np.exp(s) / np.exp(s).sum()
        y = cg.evaluate(G)
        assert y["o"] == pytest.approx(p)
        assert y["J"] == pytest.approx(-np.log(p[1]))
        assert cg.check_derivatives(G)

    def test_a_batch_is_the_leading_axis(self):
        G = read(NETWORK)
        rows = [[0.5, -1.0], [2.0, 3.0], [0.0, 0.1]]
        together = cg.evaluate(G, {"x": rows})["o"]
        assert together.shape == (3, 2)
        for row, o in zip(rows, together, strict=True):
            assert cg.evaluate(G, {"x": row})["o"] == pytest.approx(o)

    def test_like_the_network_of_neurons(self):
        layers = "[{activation: sigmoid, weights: [[0.3, -0.2], [-0.6, 0.8]], bias: [0.1, -0.3]}, {activation: identity, weights: [[0.7, -1.1]]}]"
        V = read(f"network: {{vector: true, inputs: {{x: [0.9, -0.4]}}, layers: {layers}, loss: 'squared_norm(o)'}}")
        G = read(f"network: {{inputs: {{x1: 0.9, x2: -0.4}}, layers: {layers}, loss: o^2}}")
        of_vectors = cg.weight_gradients(cg.linearize(V), "J")
        of_numbers = cg.weight_gradients(cg.linearize(G), "J")
        for r in range(2):
            assert of_vectors["b1"][r] == pytest.approx(of_numbers["+1", f"h{r + 1}"])
            assert of_vectors["W2"][0, r] == pytest.approx(of_numbers[f"h{r + 1}", "o"])
            for c in range(2):
                assert of_vectors["W1"][r, c] == pytest.approx(of_numbers[f"x{c + 1}", f"h{r + 1}"])

    @pytest.mark.parametrize("format", SPEC_FORMATS)
    def test_round_trip(self, format):
        G = read(NETWORK)
        assert content(read(written(G, format), format)) == content(G)

    def test_names(self):
        G = read(
            "network: {vector: true, inputs: {x: [1]}, layers: [{activation: relu, weights: [[1]], name: 9}, "
            "{activation: relu, weights: [[2]], name: z'}]}"
        )
        assert [(j, e) for j, e in G.nodes(data="equation") if e] == [
            ("9", "relu(x @ W1.T)"),
            ("z'", "relu(y(9) @ W2.T)"),
        ]

    def test_decoupling_is_natural(self):
        H = cg.decouple(read(NETWORK))
        assert H.nodes["h1-"]["equation"] == "x @ W1.T + b1"
        assert H.nodes["h1+"]["equation"] == 'tanh(y("h1-"))'
        L, D = cg.linearize(read(NETWORK)), cg.linearize(H)
        assert cg.sensitivity(D, "W1", "J") == pytest.approx(cg.sensitivity(L, "W1", "J"))

    def test_a_false_vector_is_none(self):
        G = read("inputs: {x: 1}\nnetwork: {vector: false, layers: [{activation: relu, weights: [[1]]}]}")
        assert G.nodes["o"]["role"] == "neuron"

    LAYER = "{activation: relu, weights: [[1, 2]]}"

    @pytest.mark.parametrize(
        ("network", "message"),
        [
            ("{vector: 3}", "2:19 'vector' must be true or false | write vector: true"),
            ("{vector: true}", "2:1 a vector network has layers | write layers: [{activation: relu, weights: [[...]]}]"),
            ("{vector: true, layers: {}}", "2:25 a vector network has layers | write layers: [{activation: relu, weights: [[...]]}]"),
            ("{vector: true, neurons: {}, layers: [LAYER]}", "2:25 unknown key 'neurons' | the keys are inputs, layers, loss, vector"),
            ("{vector: true, inputs: [x, z], layers: [LAYER]}", "2:25 one node feeds a vector network, here x, z | write inputs: [x]"),
            ("{vector: true, inputs: [], layers: [LAYER]}", "2:25 one node feeds a vector network, here none | write inputs: [x]"),
            ("{vector: true, layers: [3]}", ("2:34 layer 1 must be a mapping with activation and weights"
             " | write {activation: relu, weights: [[...]]}")),
            ("{vector: true, layers: [{activation: relu}]}", ("2:34 layer 1 must be a mapping with activation and weights"
             " | write {activation: relu, weights: [[...]]}")),
            ("{vector: true, layers: [{activation: rleu, weights: [[1, 2]]}]}",
             "2:47 layer 1 has the activation 'rleu', which is not known | did you mean 'relu'?"),
            ("{vector: true, layers: [{activation: relu, weights: [[1, 2]], names: h}]}",
             "2:72 unknown key 'names' | did you mean 'name'?"),
            ("{vector: true, layers: [{activation: relu, weights: [[1, 2]], name: [h]}]}",
             "2:78 the name of layer 1 is text | write name: h"),
            ("{vector: true, layers: [{activation: relu, weights: [1, 2]}]}",
             "2:62 the weights of layer 1 are a vector of 2; a matrix is needed, a row for each entry | write weights: [[0.2, 0.4]]"),
            ("{vector: true, layers: [{activation: relu, weights: 3}]}",
             "2:62 the weights of layer 1 are a number; a matrix is needed, a row for each entry | write weights: [[0.2, 0.4]]"),
            ("{vector: true, layers: [{activation: relu, weights: [[1, q]]}]}",
             ("2:67 entry [0, 1] of the weights of layer 1 is the text 'q'; a number is needed"
             " | a formula is an equation, and stands under 'nodes'")),
            ("{vector: true, layers: [{activation: relu, weights: [[1, 2, 3]]}]}",
             "2:62 layer 1: the length of a row of weights is 3, that of 'x', which feeds it, 2"),
            ("{vector: true, layers: [LAYER, LAYER]}", "2:101 layer 2: the length of a row of weights is 2, that of 'h1', which feeds it, 1"),
            ("{vector: true, layers: [{activation: relu, weights: [[1, 2]], bias: 3}]}",
             "2:78 the bias of layer 1 is a number; a list with a number for each row is needed, here 1"),
            ("{vector: true, layers: [{activation: relu, weights: [[1, 2]], bias: [3, 4]}]}",
             "2:78 the bias of layer 1 is a vector of 2; a list with a number for each row is needed, here 1"),
            ("{vector: true, layers: [{activation: relu, weights: [[1, 2]], name: x}]}", "2:72 node 'x' is defined twice, first in line 1"),
            ("{vector: true, inputs: {W1: [1, 2]}, layers: [LAYER]}", "2:75 node 'W1' is defined twice, first in line 2"),
            ("{vector: true, inputs: {n: 3}, layers: [{activation: relu, weights: [[1]]}]}",
             "2:50 layer 1: 'n', which feeds it, is a number; an array is needed"),
            ("{vector: true, inputs: [q], layers: [LAYER]}", "2:34 layer 1 is fed by 'q', which is not defined"),
        ],
    )  # fmt: skip
    def test_mistakes(self, network, message):
        text = f"inputs: {{x: [1, 2]}}\nnetwork: {network.replace('LAYER', self.LAYER)}"
        assert mistakes(text)[0] == message


# Round trips

numbers = st.floats(allow_nan=False, allow_infinity=False)
arrays = arrays_of.arrays(np.float64, arrays_of.array_shapes(max_dims=4, max_side=4), elements=numbers)


@given(st.lists(arrays | numbers, min_size=1, max_size=4), st.sampled_from(SPEC_FORMATS))
def test_arrays_come_back_bit_for_bit(values, format):
    G = cg.ComputationalGraph()
    for k, value in enumerate(values):
        (G.add_input, G.add_weight, G.add_constant)[k % 3](f"v{k}", value)
    G.add_equation("y", "v0[0]" if np.ndim(values[0]) else "v0")
    text = written(G, format)
    assert content(read(text, format)) == content(G)
    if format == "json":
        jsonschema.validate(json.loads(text), SCHEMA)


@pytest.mark.parametrize("format", SPEC_FORMATS)
def test_large_arrays_stand_beside_the_spec(tmp_path, format):
    G = cg.ComputationalGraph()
    names = ["x", "file", "/layer.0/W.npy", 'w "quoted" \u00e9', "C:\\W", "../up"]
    for k, name in enumerate(names):
        G.add_weight(name, np.random.default_rng(k).normal(size=(30, 40)))
    G.add_weight("short", np.ones(1000))
    G.add_equation("y", "x * short[0]")
    path = tmp_path / f"g.{format}"
    cg.write_spec(G, path)
    assert sorted(found.name for found in tmp_path.iterdir()) == [path.name, f"{path.name}.npz"]
    assert len(path.read_text(encoding="utf-8")) < 9000
    H = cg.read_spec(path)
    for name in (*names, "short"):
        assert H.nodes[name]["value"].tobytes() == G.nodes[name]["value"].tobytes()
    stream = io.StringIO()
    cg.write_spec(H, stream, format=format)  # a stream takes them all
    assert np.array_equal(
        cg.read_spec(io.StringIO(stream.getvalue()), format=format).nodes["x"]["value"], G.nodes["x"]["value"]
    )


def test_large_jacobians_stand_beside_the_spec(tmp_path):
    G = cg.ComputationalGraph()
    G.add_edge("x", "y", derivative=np.random.default_rng(0).normal(size=(50, 40)))
    cg.write_spec(G, tmp_path / "edges.yaml")
    assert "file: edges.yaml.npz, name: x -> y" in (tmp_path / "edges.yaml").read_text()
    H = cg.read_spec(tmp_path / "edges.yaml")
    assert np.array_equal(cg.sensitivity(H, "x", "y"), G.edges["x", "y"]["derivative"])


def test_a_spec_that_cannot_be_written_leaves_no_arrays(tmp_path):
    G = cg.ComputationalGraph()
    G.add_weight("W", np.ones(2000))
    G.add_input("x")
    with pytest.raises(cg.MissingValueError):
        cg.write_spec(G, tmp_path / "g.yaml")
    assert list(tmp_path.iterdir()) == []


@given(arrays_of.arrays(np.float64, st.tuples(st.integers(1, 3), st.integers(1, 30)), elements=numbers),
       st.sampled_from(SPEC_FORMATS))  # fmt: skip
def test_jacobians_come_back_bit_for_bit(z, format):
    G = cg.ComputationalGraph([("x", "y", {"derivative": z})])
    assert content(read(written(G, format), format)) == content(G)


def test_short_arrays_take_one_line_and_long_ones_a_line_for_each_row():
    G = cg.from_equations("y = x[0] + W[0, 0]", x=[1, 2], W=np.ones((2, 30)))
    rows = f"  - [{', '.join(['1.0'] * 30)}]\n"
    assert written(G) == f"cgraph: 1\ninputs:\n  x: [1.0, 2.0]\n  W:\n{2 * rows}nodes:\n  y: x[0] + W[0, 0]\n"


def test_json_has_lists_of_numbers_on_one_line_and_leaves_texts_alone():
    text = written(cg.from_equations('y = W[0,  1] + y("[1,  2]")', W=[[1, 2], [3, 4]], **{"[1,  2]": 5.0}), "json")
    assert '"W": [\n      [1.0, 2.0],\n      [3.0, 4.0]\n    ]' in text
    assert '"W[0,  1] + y(\\"[1,  2]\\")"' in text
    assert '"[1,  2]": 5.0' in text


def test_no_spec_is_written_that_could_not_be_read():
    G = cg.from_equations("y = x[0]", x=np.full(120_000, 1 / 3))
    with pytest.raises(
        cg.CGraphError, match=r"^a spec of 2\.\d* MB is larger than could be read again in YAML; JSON may be larger$"
    ):
        written(G)
    assert content(read(written(G, "json"), "json")) == content(G)


# The command

SPECS = {
    "network.yaml": NETWORK,
    "jacobians.yaml": TestJacobians.TEXT,
    "least_squares.json": '{"inputs": {"X": [[1, 2], [3, 4], [5, 6.5]], "y": [1, 2, 3]}, "weights": {"theta": [0.5, -0.5]},'
                          '"nodes": {"r": "y - X @ theta", "L": "squared_norm(r)"}}',
    "mixed.toml": '[inputs]\nt = 2.0\nv = [1.0, -2.0, 3.0]\n[weights]\nw = 0.5\n[nodes]\na = "relu(t * v)"\nb = "a[0] + w"\n'
                  'f = "stack(b, w * sum(a))"\ng = "where(v > 0, exp(v), 0.0)"\n',
    "large.yaml": f"inputs: {{x: {[0.5] * 20}}}\nweights: {{A: {[[0.25] * 20] * 3}, b: [1, 2, 3]}}\n"
                  "nodes: {y: A @ x + b, J: mean(y)}\noutput: J\n",
}  # fmt: skip
COMMANDS = ["show", "eval", "sensitivity", "paths", "check", "gradient", "gates", "eliminate"]
NOT_COMPUTABLE = {
    ("check", "jacobians.yaml"): (4, "nothing to check"),
    ("gradient", "jacobians.yaml"): (2, "the graph has no weights"),
    ("gradient", "mixed.toml"): (2, "name the loss with --of"),
    ("gates", "mixed.toml"): (2, "name the loss with --of"),
    ("gates", "jacobians.yaml"): None,
}


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in SPECS.items():
        (tmp_path / name).write_text(text)

    def run(*argv, status=0):
        assert main(argv) == status
        return capsys.readouterr()

    return run


def rectangular(format, text):
    """Whether a result is well-formed in its format."""
    match format:
        case "json":
            return json.loads(text)["cgraph"] == 1
        case "csv":
            header, *rows = csv.reader(io.StringIO(text))
            return all(header) and {len(row) for row in rows} <= {len(header)}
        case "latex":
            bare = re.sub(r"\\[\\{}$#%&_]", "", text)
            return bare.count("{") == bare.count("}") and text.count(r"\begin{bmatrix}") == text.count(r"\end{bmatrix}")
        case "markdown":
            tables = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
            return all(len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1 for lines in tables)
    return all(line == line.rstrip() for line in text.splitlines())


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_in_every_format(run, command, spec):
    status, message = NOT_COMPUTABLE.get((command, spec)) or (0, "")
    for format in FORMATS:
        out, err = run(command, spec, "--format", format, status=status)
        assert message in err
        assert "Jacobian(" not in out
        assert "array(" not in out
        assert status or rectangular(format, out)


class TestAnswers:
    def test_show_has_shapes(self, run):
        out, _ = run("show", "least_squares.json")
        assert out.splitlines()[:7] == [
            "5 nodes in the order of evaluation; outputs: L",
            "  node   role       equation         value                       shape",
            "  X      input                       [[1, 2], [3, 4], [5, 6.5]]  3 x 2",
            "  y      input                       [1, 2, 3]                   3",
            "  theta  weight                      [0.5, -0.5]                 2",
            "  r      operation  y - X @ theta                                3",
            "  L      operation  squared_norm(r)",
        ]
        nodes = json.loads(run("show", "least_squares.json", "--format", "json")[0])["nodes"]
        assert [node["shape"] for node in nodes] == [[3, 2], [3], [2], [3], []]
        rows = list(csv.DictReader(io.StringIO(run("show", "least_squares.json", "--format", "csv")[0])))
        assert rows[3] == {
            "node": "X",
            "role": "input",
            "equation": "",
            "index": "1 1",
            "value": "4.0",
            "shape": "3 x 2",
        }

    def test_show_of_a_graph_that_cannot_be_evaluated(self, run):
        out, _ = run("show", "-e", "y = A @ x", "--at", "A=[[1, 2]]", "--at", "x=[1, 2, 3]")
        assert "A     input                [[1, 2]]   1 x 2\n" in out

    def test_numbers_have_no_shapes(self, run):
        out, _ = run("show", "-e", "y = x", "--at", "x=1")
        assert "shape" not in out

    def test_eval(self, run):
        out, _ = run("eval", "mixed.toml", "--at", "v=[1, 2]", "--at", "t=3")
        assert out.splitlines() == [
            "  node  value", "  t     3", "  v     [1, 2]", "  w     0.5", "  a     [3, 6]", "  b     3.5", "  f     [3.5, 4.5]",
            "  g     [2.71828, 7.38906]",
        ]  # fmt: skip
        out, _ = run("eval", "mixed.toml", "--at", "v=[1, 2]", "--format", "csv")
        assert out.splitlines()[:4] == ["node,index,value", "t,,2.0", "v,0,1.0", "v,1,2.0"]

    def test_long_arrays_are_shown_by_their_ends(self, run):
        out, _ = run("eval", "large.yaml")
        assert "  x     [0.5, 0.5, ..., 0.5, 0.5] (20)" in out
        assert out.endswith("\n\nLong arrays are shown by their ends; --format json prints them whole.\n")
        assert "[0.25, 0.25, ..., 0.25, 0.25]" in out
        assert "ends" not in run("eval", "least_squares.json")[0]
        assert len(json.loads(run("eval", "large.yaml", "--format", "json")[0])["values"][0]["value"]) == 20
        latex = run("eval", "large.yaml", "--format", "latex")[0]
        assert r"\begin{bmatrix} 0.5 & 0.5 & \cdots & 0.5 & 0.5 \end{bmatrix}^T" in latex

    def test_sensitivity(self, run):
        # dL/dtheta = -2 r^T X with r = (1.5, 2.5, 3.75)
        out, _ = run("sensitivity", "least_squares.json", "--from", "theta", "--to", "L")
        assert out == "S(theta, L) = [[-55.5, -74.75]]\n"
        out, _ = run("sensitivity", "least_squares.json", "--from", "theta", "--to", "L", "--layout", "denominator")
        assert out == "S(theta, L) = [[-55.5], [-74.75]]\n"
        out, _ = run("sensitivity", "least_squares.json", "--from", "theta", "--to", "L", "--format", "latex")
        assert r"S(\theta, L) = \begin{bmatrix} -55.5 & -74.75 \end{bmatrix}" in out
        data = json.loads(
            run("sensitivity", "least_squares.json", "--from", "theta", "--to", "r", "--format", "json")[0]
        )
        assert data["sensitivities"] == [{"from": "theta", "to": "r", "sensitivity": [[-1, -2], [-3, -4], [-5, -6.5]]}]

    def test_which_sweep(self, run):
        _, err = run("sensitivity", "least_squares.json", "--from", "X", "--to", "L", "--verbose")
        assert err == "cgraph: a reverse sweep of 1 row; entries of 'L': 1, of 'X': 6\n"
        _, err = run("sensitivity", "least_squares.json", "--from", "theta", "--to", "r", "--verbose")
        assert err == "cgraph: a forward sweep of 2 columns; entries of 'r': 3, of 'theta': 2\n"

    @pytest.mark.parametrize("spec", SPECS)
    def test_all_pairs_are_blocks_of_the_jacobian(self, run, spec):
        G = cg.linearize(cg.read_spec(spec))
        data = json.loads(run("sensitivity", spec, "--format", "json")[0])["sensitivities"]
        assert len(data) == len(G.inputs + G.weights) * len(G.outputs)
        for record in data:
            S = cg.sensitivity(G, record["from"], record["to"])
            assert np.shape(record["sensitivity"]) == np.shape(S)
            assert np.asarray(record["sensitivity"]) == pytest.approx(S)

    def test_paths(self, run):
        assert run("paths", "jacobians.yaml")[0].splitlines() == [
            "S(x, y) = [[12, 15]], the sum over 2 paths", "  product     path", "  [[11, 14]]  x -> a -> y", "  [[1, 1]]    x -> y",
        ]  # fmt: skip
        assert (
            "the strongest:\n  product     path\n  [[11, 14]]  x -> a -> y"
            in run("paths", "jacobians.yaml", "--top", "1")[0]
        )
        out, _ = run("paths", "jacobians.yaml", "--format", "csv")
        assert out.splitlines() == [
            "from,to,path,index,product", "x,y,x -> a -> y,0 0,11.0", "x,y,x -> a -> y,0 1,14.0", "x,y,x -> y,0 0,1.0",
            "x,y,x -> y,0 1,1.0",
        ]  # fmt: skip

    def test_gradient(self, run):
        assert run("gradient", "least_squares.json")[0].splitlines() == [
            "  weight  value        dL/dw", "  theta   [0.5, -0.5]  [-55.5, -74.75]",
        ]  # fmt: skip
        out, _ = run("gradient", "large.yaml", "--format", "csv", "--factors")
        rows = list(csv.DictReader(io.StringIO(out)))
        assert [row["index"] for row in rows[:2]] == ["0 0", "0 1"]
        assert {float(row["gradient"]) for row in rows[:60]} == {0.5 / 3}

    def test_descend(self, run):
        out, _ = run(
            "descend", "least_squares.json", "--rate", "0.01", "--steps", "50", "--format", "json", "-o", "t.yaml"
        )
        data = json.loads(out)
        losses = [record["loss"] for record in data["losses"]]
        assert losses == sorted(losses, reverse=True)
        assert cg.read_spec("t.yaml").nodes["theta"]["value"].tolist() == data["weights"]["theta"]
        out, _ = run(
            "descend", "least_squares.json", "--rate", "0", "--steps", "1", "--at", "theta=[0, 0]", "--format", "json"
        )
        assert json.loads(out)["losses"][0]["loss"] == 14.0

    @pytest.mark.parametrize("format", SPEC_FORMATS)
    @pytest.mark.parametrize(
        "name", ["expand", "decouple", "fold_constants", "drop_zero_edges", "split_nodes", "split_nodes,merge_nodes", "weights_as_nodes"]
    )  # fmt: skip
    @pytest.mark.parametrize("spec", SPECS)
    def test_transforms_leave_every_sensitivity(self, run, spec, name, format):
        out, _ = run("transform", name, spec, "--format", format)
        L, H = cg.linearize(cg.read_spec(spec)), cg.linearize(read(out, format))
        split = name == "split_nodes"
        halves = {i for i in L if f"{i}+" in H}
        for s in L.inputs + L.weights:
            for t in L.outputs:
                S = cg.sensitivity(H, f"{s}.in" if split else s, f"{t}.out" if split else f"{t}+" if t in halves else t)
                assert np.asarray(S) == pytest.approx(np.asarray(cg.sensitivity(L, s, t)), rel=1e-12, abs=1e-14)

    def test_restrict(self, run):
        out, _ = run("transform", "restrict", "network.yaml", "--from", "h1", "--to", "o")
        H = read(out)
        assert [(i, H.nodes[i]["role"]) for i in H] == [("h1", "input"), ("W2", "constant"), ("o", "operation")]
        L = cg.linearize(read(NETWORK))
        assert cg.sensitivity(cg.linearize(H), "h1", "o") == pytest.approx(cg.sensitivity(L, "h1", "o"))


def test_share_knows_options_from_one_another():
    G = cg.from_equations("y = sum(A, axis=0)[0] * sum(A, axis=1)[0] + sum(A, axis=0)[1]", A=[[1, 2], [3, 4]])
    H = cg.expand(G, share=True)
    assert {j: e for j, e in H.nodes(data="equation") if e} == {
        "y": "y_5 + y_6", "y_1": "sum(A, axis=0)", "y_2": "y_1[0]", "y_3": "sum(A, axis=1)", "y_4": "y_3[0]",
        "y_5": "y_2 * y_4", "y_6": "y_1[1]",
    }  # fmt: skip
    assert cg.evaluate(H)["y"] == 4 * 3 + 6


def test_constants_fold_into_an_array():
    G = cg.ComputationalGraph()
    G.add_constant("A", [[1, 2], [3, 4]])
    G.add_input("x", [1, 1])
    G.add_equation("B", "A.T @ A")
    G.add_equation("y", "B @ x")
    H = cg.fold_constants(G)
    assert list(H.nodes(data="role")) == [("x", "input"), ("B", "constant"), ("y", "operation")]
    assert H.nodes["B"]["value"].tolist() == [[10, 14], [14, 20]]


def test_an_edge_goes_only_if_all_of_its_jacobian_is_zero():
    L = cg.linearize(cg.from_equations("a = relu(x); b = relu(-1 - z); y = sum(a) + sum(b)", x=[1, -1], z=[1, 2]))
    assert list(cg.drop_zero_edges(L).edges) == [("x", "a"), ("a", "y"), ("b", "y")]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("x=[1, ", "'x=[1, ' is not NAME=LIST of numbers, as in 'x=[1, 2]'"),
        ("x=[1, NaN]", "'x=[1, NaN]' is not NAME=LIST of numbers"),
        ("x=[1, 1e999]", "'x=[1, 1e999]' is not NAME=LIST of numbers"),
        ("x=[1, true]", "'x=[1, true]' is not NAME=LIST of numbers"),
        ('x=["1"]', "is not NAME=LIST of numbers"),
        ("x=" + "[" * 100_000, "is not NAME=LIST of numbers"),
        ("x=[]", "input 'x' cannot be set to [], which is empty"),
        ("x=[[1], [2, 3]]", "input 'x' cannot be set to [[1], [2, 3]], which is ragged: its rows differ in length"),
    ],
)  # fmt: skip
def test_what_at_refuses(capsys, tmp_path, option, message):
    (tmp_path / "g.yaml").write_text("inputs: {x: [1, 2]}\nnodes: {y: x}\n")
    try:
        status = main(["eval", str(tmp_path / "g.yaml"), "--at", option])
    except SystemExit as exit_:
        status = exit_.code
    out, err = capsys.readouterr()
    assert (status, out) == (2, "")
    assert message in err


def test_shapes_that_do_not_fit_are_said_in_the_words_of_the_equation(run):
    _, err = run("eval", "network.yaml", "--at", "x=[1, 2, 3]", status=4)
    assert err.startswith(
        "network.yaml:7:7: error: node 'h1': x @ W1.T does not fit: x is a vector of 3, W1.T is 2 x 3\n"
    )


# LaTeX


@pytest.mark.parametrize("name", sorted(FUNCTIONS - set(ALIASES) - {"reshape", "transpose"}))
def test_every_row_has_its_latex(name):
    row = row_of(name)
    arity = len(row.derivatives) if hasattr(row, "derivatives") else row.operands or 2
    operands = [f"a{k} + b{k}" for k in range(arity)]
    first = ['"i,i->i"'] if name == "einsum" else []
    text = latex_expression(parse(f"{name}({', '.join([*first, *operands])})"))
    assert text.count("{") == text.count("}")
    for k in range(arity):
        assert f"a_{{{k}}} + b_{{{k}}}" in text
    assert "options" not in text


@pytest.mark.parametrize(
    ("equation", "latex"),
    [
        ("x @ W1.T + b1", r"x \, W_{1}^{T} + b_{1}"),
        ("(a + b).T", "(a + b)^{T}"),
        ("inv(A).T @ x", r"(A^{-1})^{T} \, x"),
        ("transpose(x, 1, 0)", r"x^{T_{\mathrm{axes}\,(1, 0)}}"),
        ("reshape(x, 2, -1)", r"\operatorname{reshape}_{\mathrm{shape}\,(2, -1)}(x)"),
        ("x[0]", "x[0]"),
        ("W[1, :]", "W[1, {:}]"),
        ("(a*b)[::2]", r"(a \cdot b)[{:}{:}2]"),
        ("sum(x + y, axis=0)*2", r"(\textstyle\sum_{\mathrm{axis}\,0} (x + y)) \cdot 2"),
        ("sum(x*y) + 1", r"\textstyle\sum x \cdot y + 1"),
        ("max(x, axis=0)", r"\max_{\mathrm{axis}\,0}(x)"),
        ("stack(x1, x2, axis=1)", r"\operatorname{stack}_{\mathrm{axis}\,1}(x_{1}, x_{2})"),
        ("softmax(x, axis=0)", r"\operatorname{softmax}_{\mathrm{axis}\,0}(x)"),
        ("cross_entropy(p, a + b)", r"-\ln((a + b)^T p)"),
        ("-cross_entropy(p, y)", r"-(-\ln(y^T p))"),
        ("squared_error(a - b, c - d)", r"\|a - b - (c - d)\|^2"),
        ("dot(a + b, -c)", "(a + b)^T (-c)"),
        ("outer(a + b, c*d)", r"(a + b) \, (c \cdot d)^T"),
        ("a*(b @ c)", r"a \cdot b \, c"),
        ("(a*b) @ c", r"(a \cdot b) \, c"),
        ("A @ -x", r"A \, (-x)"),
        ("norm(x)^2", r"(\|x\|)^{2}"),
        ("identity(a + b)*c", r"(a + b) \cdot c"),
    ],
)  # fmt: skip
def test_latex_of_operations_on_arrays(equation, latex):
    assert latex_expression(parse(equation)) == latex


# Whatever stands in a spec

PIECES = [
    "[",
    "]",
    ",",
    ", ",
    "1",
    "-2.5",
    "1e999",
    ".nan",
    "'a'",
    "true",
    "null",
    "{",
    "}",
    "file: a.npy",
    "name: W",
    ": ",
    "\n",
    "- ",
]


@given(st.sampled_from([*SPECS.items(), ("lists.toml", LISTS["toml"])]), st.randoms(use_true_random=False), st.data())
def test_a_damaged_spec_is_read_or_refused(spec, rng: random.Random, data):
    name, text = spec
    for _ in range(rng.randint(1, 4)):
        start = rng.randrange(len(text))
        piece = data.draw(st.sampled_from(PIECES) | st.text(max_size=3))
        text = text[:start] + piece + text[start + rng.randint(0, 4) :]
    with contextlib.suppress(cg.CGraphError):
        G = read(text, name.rpartition(".")[2])
        L = cg.linearize(G)
        for t in L.outputs:
            for S in cg.sensitivities(L, t).values():
                assert np.isfinite(S).all()


leaves = st.one_of(st.integers(), st.floats(), st.booleans(), st.none(), st.text(max_size=3))
keys = st.sampled_from(["file", "name", "a"])
nested = st.deferred(lambda: leaves | st.lists(nested, max_size=3) | st.dictionaries(keys, nested, max_size=2))


@given(nested)
def test_any_value_is_an_array_or_refused(value):
    text = json.dumps({"inputs": {"x": value}, "nodes": {"y": "x"}})
    with contextlib.suppress(cg.SpecError):
        assert plain(np.asarray(read(text, "json").nodes["x"]["value"])) == plain(np.asarray(value, float))


@given(st.binary(max_size=200), st.sampled_from(["npy", "npz", "csv"]), st.booleans())
def test_any_bytes_are_an_array_or_refused(tmp_path_factory, raw, suffix, begins_well):
    folder = tmp_path_factory.mktemp("bytes", numbered=True)
    stream = io.BytesIO()
    np.save(stream, MATRIX)
    (folder / f"a.{suffix}").write_bytes((stream.getvalue()[:90] if begins_well else b"") + raw)
    (folder / "g.yaml").write_text(f"inputs: {{x: {{file: a.{suffix}}}}}\nnodes: {{y: x}}\n")
    with contextlib.suppress(cg.SpecError):
        assert np.isfinite(cg.read_spec(folder / "g.yaml").nodes["x"]["value"]).all()
