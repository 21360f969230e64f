"""Compiled graphs in files: whole or not at all, and nothing believed that stands in them."""

import io
import json
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cgraph as cg
from cgraph.algorithms.compiled import npz

ARRAYS = {
    "format": np.array([1]),
    "nodes": np.arange(3, dtype=np.uint32),
    "sources": np.array([0, 1], np.uint32),
    "targets": np.array([1, 2], np.uint32),
    "derivatives": np.array([2.0, 5.0]),
}


def names(text):
    return np.frombuffer(text.encode(), np.uint8)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "graph.npz"


@pytest.mark.parametrize("nodes", [["y", "a", "x \N{GREEK SMALL LETTER ALPHA}"], [5, -7, "5"], range(3), range(9)])
def test_what_is_saved_comes_back(path, nodes):
    C = cg.CompiledGraph.from_edges([1, 2, 2, 2], [0, 0, 1, 1], [5.0, 3.0, 2.0, 1e-300], nodes=nodes)
    C.save(path)
    D = cg.CompiledGraph.load(str(path))
    assert list(D.nodes) == list(C.nodes)
    assert type(D.nodes) is type(C.nodes)
    np.testing.assert_array_equal(D.edge_sensitivities(nodes[2], nodes[0]), C.edge_sensitivities(nodes[2], nodes[0]))
    D.update([7.0, 3.0, 2.0, 0.0])
    assert D.sensitivity(nodes[2], nodes[0]) == 17.0


def test_nothing_but_the_file_is_left_behind(path):
    C = cg.CompiledGraph.from_edges([0], [1], [2.0])
    C.save(path)
    C.update([3.0])
    C.save(path)
    assert cg.CompiledGraph.load(path).sensitivity(0, 1) == 3.0
    assert [file.name for file in path.parent.iterdir()] == ["graph.npz"]


@pytest.mark.parametrize("failure", [OSError, KeyboardInterrupt])
def test_a_file_is_replaced_whole_or_not_at_all(path, monkeypatch, failure):
    C = cg.CompiledGraph.from_edges([0], [1], [2.0])
    C.save(path)
    before = path.read_bytes()

    def interrupted(file, **_):
        file.write(b"half")
        raise failure

    monkeypatch.setattr(npz.np, "savez", interrupted)
    with pytest.raises(failure):
        C.save(path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["graph.npz"]


@pytest.mark.parametrize("node", [("x", 1), 1.5, None, True, b"x"])
def test_names_that_a_file_cannot_hold_are_refused(path, node):
    C = cg.CompiledGraph.from_edges([0], [1], [2.0], nodes=["y", node])
    with pytest.raises(cg.ArchiveError, match="cannot be saved"):
        C.save(path)
    assert not path.exists()


def test_a_file_that_is_not_there(path):
    with pytest.raises(FileNotFoundError):
        cg.CompiledGraph.load(path)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"format": np.array([2])}, "format"),
        ({"format": np.array(1)}, "format"),
        ({"nodes": np.arange(2, dtype=np.uint32)}, "edge number 1 ends at node 2"),
        ({"nodes": np.arange(3.0)}, "names"),
        ({"nodes": names('["x", "y"]')}, "edge number 1 ends at node 2"),
        ({"nodes": names('["x", "y", "y"]')}, "two nodes"),
        ({"nodes": names('["x", "y", ["z"]]')}, "names"),
        ({"nodes": names('["x", "y", true]')}, "names"),
        ({"nodes": names('{"x": 1}')}, "names"),
        ({"nodes": names('["x", "y", "z"')}, "names"),
        ({"nodes": names("[" * 100_000)}, "names"),
        ({"nodes": names("[" + "9" * 10_000 + "]")}, "names"),
        ({"nodes": np.array([255, 254], np.uint8)}, "names"),
        ({"sources": np.array([0, 7], np.uint32)}, "edge number 1 begins at node 7"),
        ({"sources": np.array([0, -1])}, "edge number 1 begins at node -1"),
        ({"sources": np.array([0.0, 1.0])}, "whole number"),
        ({"sources": np.array([[0, 1]])}, "dimensions"),
        ({"targets": np.array([1], np.uint32)}, "1 targets"),
        ({"targets": np.array([1, 0], np.uint32)}, "cycle: "),
        ({"derivatives": np.array([2.0, np.nan])}, "edge 1 -> 2 holds nan"),
        ({"derivatives": np.array(["2", "5"])}, "real number"),
        ({"derivatives": np.array([2.0, None])}, "allow_pickle"),
        ({"surplus": np.array([1])}, "other arrays"),
    ],
)
def test_files_that_hold_nonsense_are_refused(path, changed, message):
    np.savez(path, **(ARRAYS | changed))
    with pytest.raises(cg.ArchiveError, match=message) as caught:
        cg.CompiledGraph.load(path)
    assert str(path) in str(caught.value)


def test_a_missing_array_is_refused(path):
    np.savez(path, **{name: array for name, array in ARRAYS.items() if name != "targets"})
    with pytest.raises(cg.ArchiveError, match="other arrays"):
        cg.CompiledGraph.load(path)


def test_a_compressed_file_is_refused(path):
    np.savez_compressed(path, **ARRAYS)
    with pytest.raises(cg.ArchiveError, match="compressed"):
        cg.CompiledGraph.load(path)


def test_an_array_that_claims_more_than_it_holds_is_refused(path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**15,)})
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in ARRAYS.items():
            content = io.BytesIO()
            np.save(content, array)
            archive.writestr(f"{name}.npy", header.getvalue() if name == "derivatives" else content.getvalue())
    with pytest.raises(cg.ArchiveError, match="damaged"):
        cg.CompiledGraph.load(path)


def test_an_array_that_holds_more_than_it_claims_is_refused(path):
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in ARRAYS.items():
            content = io.BytesIO()
            np.save(content, array)
            archive.writestr(f"{name}.npy", content.getvalue() + b"more")
    with pytest.raises(cg.ArchiveError, match="more bytes"):
        cg.CompiledGraph.load(path)


class Malicious:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was executed",))


@pytest.mark.parametrize(
    "content",
    [b"", b"PK", b"not a zip file", b"\x93NUMPY\x01\x00", json.dumps({"cgraph": 1}).encode(), pickle.dumps(Malicious())],
)  # fmt: skip
def test_other_files_are_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(cg.ArchiveError, match="is not a saved graph, or it is damaged"):
        cg.CompiledGraph.load(path)


def test_a_pickle_in_the_archive_is_not_executed(path):
    np.savez(path, **(ARRAYS | {"derivatives": np.array([Malicious(), Malicious()], object)}))
    with pytest.raises(cg.ArchiveError):
        cg.CompiledGraph.load(path)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "graph.npz"
    cg.CompiledGraph.from_edges([0, 1, 0], [1, 2, 2], [2.0, 5.0, 3.0], nodes=["x", "a", "y"]).save(path)
    return path.read_bytes(), path.with_name("damaged.npz")


@given(data=st.data())
def test_no_damage_goes_unnoticed_or_ends_in_another_error(saved, data):
    content, path = saved
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(damaged[: data.draw(st.integers(0, len(content)) | st.just(len(content)))])
    try:
        C = cg.CompiledGraph.load(path)
    except cg.ArchiveError:
        return
    # The bytes that changed were such as nobody reads: dates, for one.
    assert C.nodes == ("x", "a", "y")
    assert C.sensitivity("x", "y") == 13.0
