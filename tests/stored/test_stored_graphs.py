"""Stored graphs answer as compiled graphs and as the sweeps over dicts; folders that are damaged are named."""

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import zlib
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from fractions import Fraction
from itertools import pairwise
from multiprocessing import get_context
from unittest import mock

import networkx as nx
import numpy as np
import pytest
from engines import ENGINES, using
from hypothesis import given, settings
from hypothesis import strategies as st

import cgraph as cg
from cgraph.stored import blocks, stored_graph, storing, windows
from cgraph.stored import folder as stored_folder

CHAIN = [([0, 1, 0], [1, 2, 2], [2.0, 5.0, 3.0])]


@st.composite
def edges_of_graphs(draw):
    """Return nodes, edges without a cycle in any order and numbering, parallel ones among them, and a size of blocks."""
    n = draw(st.integers(1, 9))
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    chosen = draw(st.lists(st.sampled_from(pairs), max_size=25)) if pairs else []
    number = draw(st.permutations(range(n)))
    z = [float(draw(st.integers(-4, 4))) for _ in chosen]
    names = draw(st.sampled_from([None, [f"n{i}" for i in range(n)]]))
    return n, [number[i] for i, _ in chosen], [number[j] for _, j in chosen], z, names, draw(st.integers(1, 30))


def in_blocks(tails, heads, z, size=4):
    return [(tails[k : k + size], heads[k : k + size], z[k : k + size]) for k in range(0, len(z), size)]


@settings(max_examples=80, deadline=None)
@given(edges_of_graphs())
def test_stored_compiled_and_dict_sweeps_agree(tmp_path_factory, case):
    n, tails, heads, z, names, block = case
    nodes = range(n) if names is None else names
    folder = tmp_path_factory.mktemp("graph") / "stored"
    D = cg.store_graph(folder, in_blocks(tails, heads, z), nodes, block=block)
    C = cg.CompiledGraph.from_edges(np.array(tails, int), np.array(heads, int), z, nodes=nodes)
    L = nx.DiGraph()
    L.add_nodes_from(nodes)
    for i, j, z_ij in zip(tails, heads, z, strict=True):  # parallel edges add up
        before = L.get_edge_data(nodes[i], nodes[j], {"derivative": 0.0})["derivative"]
        L.add_edge(nodes[i], nodes[j], derivative=before + z_ij)
    assert len(D) == n
    assert D.number_of_edges == len(z)
    for t in nodes:
        assert D.sensitivities(t).tolist() == C.sensitivities(t).tolist() == list(cg.sensitivities(L, t).values())
        assert D.sensitivities_from(t).tolist() == C.sensitivities_from(t).tolist()
    a, b = nodes[0], nodes[n - 1]
    for s, t in [(a, b), (b, a), (a, a)]:
        assert D.sensitivity(s, t) == C.sensitivity(s, t)
        assert D.count_paths(s, t) == C.count_paths(s, t)
        found, wanted = ([z for _, z in graph.top_paths(s, t, 50)] for graph in (D, C))  # ties in any order
        assert sorted(map(abs, found)) == sorted(map(abs, wanted))
        assert sorted(D.edge_sensitivities(s, t)) == sorted(C.edge_sensitivities(s, t))
    assert D.jacobian(nodes, nodes).tolist() == C.jacobian(nodes, nodes).tolist()
    assert D.jacobian(nodes[:1], nodes).tolist() == C.jacobian(nodes[:1], nodes).tolist()


@pytest.mark.parametrize("engine", ENGINES)
def test_the_loops_over_blocks_are_the_same_without_numba(tmp_path, engine):
    rng = np.random.default_rng(3)
    tails = rng.integers(0, 40, 200)
    edges = [(tails, tails + rng.integers(1, 9, 200), rng.integers(-3, 4, 200).astype(float))]
    C = cg.CompiledGraph.from_edges(*edges[0])  # swept by machine code
    nodes = range(len(C))
    to, of = ([ask(i).tolist() for i in nodes] for ask in (C.sensitivities, C.sensitivities_from))
    flow, paths = C.edge_sensitivities(0, nodes[-1]), C.count_paths(2, nodes[-2])
    with using(engine):
        D = cg.store_graph(tmp_path / "g", edges, block=17)
        assert [D.sensitivities(i).tolist() for i in nodes] == to
        assert [D.sensitivities_from(i).tolist() for i in nodes] == of
        assert D.jacobian(nodes[:11], nodes).tolist() == [row[:11] for row in to]
        assert D.jacobian(nodes, nodes[-11:]).tolist() == to[-11:]
        assert sorted(D.edge_sensitivities(0, nodes[-1])) == sorted(flow)
        assert D.count_paths(2, nodes[-2]) == paths
        assert D.sensitivities_from(0, out=tmp_path / "S.npy").tolist() == of[0]


def content(D):
    """Return what stands in a folder, byte by byte, but for the name of the part."""
    meta = json.loads((D.folder / "meta.json").read_bytes())
    assert set(meta["checksums"]) == set(files_of(D)), "files that nobody needs are left, or some are missing"
    return meta | {"part": None}, {name: path.read_bytes() for name, path in files_of(D).items()}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(1, 5)), max_size=40),
    st.integers(0, 40),
    st.sampled_from([None, 18, 25]),
    st.integers(1, 12),
    st.integers(1, 7),
    st.sampled_from([2, 5, 10**6]),
)
def test_blocks_are_the_same_with_and_without_a_spool(tmp_path_factory, pairs, turn, n, block, chunk, rows):
    folder = tmp_path_factory.mktemp("graph")
    edges = [(i, i + reach, float(k)) for k, (i, reach) in enumerate(pairs)]
    by_tail = sorted(edges, key=lambda edge: edge[0])
    # The edges of one tail stay in their order, and begin as sorted ones: what comes later goes over to the spool.
    turned = by_tail[:turn] + sorted(by_tail[turn:], key=lambda edge: -edge[0])
    nodes = None if n is None else range(n)
    graphs = []
    with mock.patch.multiple(storing, _CHUNK=chunk, _MOST_ROWS=rows):
        for name, given_edges in [("direct", by_tail), ("turned", turned), ("as given", edges)]:
            columns = [list(column) for column in zip(*given_edges, strict=True)] or [[], [], []]
            with mock.patch.object(storing, "_Spool", wraps=storing._Spool) as spool:
                graphs.append(cg.store_graph(folder / name, in_blocks(*columns), nodes, block=block))
            assert spool.called == any(before[0] > after[0] for before, after in pairwise(given_edges))
    direct, *others = map(content, graphs)
    assert all(other == direct for other in others)


def test_what_was_written_is_not_lost_when_an_edge_leads_back(tmp_path):
    tails, heads, z = np.arange(50), np.arange(1, 51), np.arange(2.0, 52.0)
    with mock.patch.object(storing, "_CHUNK", 10):
        D = cg.store_graph(tmp_path / "g", [(tails, heads, z), ([60], [0], [0.5])], block=7)
    found = {(int(i), int(j)): float(x) for block in D.edge_blocks() for i, j, x in zip(*block, strict=True)}
    assert found == {**{(k, k + 1): k + 2.0 for k in range(50)}, (60, 0): 0.5}
    assert D.sensitivity(60, 3) == 0.5 * 2.0 * 3.0 * 4.0
    assert "rank.npy" in content(D)[1]


def test_by_hand(tmp_path):
    D = cg.store_graph(tmp_path / "g", CHAIN, ["x", "a", "y"], block=1)
    assert D.sensitivities("y").tolist() == [13.0, 5.0, 1.0]
    assert D.jacobian(["x"], ["a", "y"]).tolist() == [[2.0], [13.0]]
    assert sorted(entry.name.split("-")[0] for entry in D.folder.iterdir()) == ["meta.json", "part"]
    assert "3 nodes and 3 edges" in repr(D)
    with pytest.raises(cg.NodeNotFound, match="no node 'z'"):
        D.sensitivities("z")


def test_edges_of_edge_blocks_store_the_same_graph(tmp_path):
    D = cg.store_graph(tmp_path / "g", [([2, 1, 2], [1, 0, 0], [2.0, 5.0, 3.0])], block=1)
    E = cg.store_graph(tmp_path / "h", D.edge_blocks())
    assert E.sensitivities(0).tolist() == D.sensitivities(0).tolist() == [1.0, 5.0, 13.0]
    tails, heads, flow = (np.concatenate(parts) for parts in zip(*D.edge_blocks(), strict=True))
    assert list(zip(tails, heads, flow, strict=True)) == [(2, 1, 2.0), (2, 0, 3.0), (1, 0, 5.0)]
    assert D.edge_sensitivities(2, 0, out=tmp_path / "flow.npy").tolist() == [10.0, 3.0, 10.0]
    assert np.load(tmp_path / "flow.npy").tolist() == [10.0, 3.0, 10.0]


def test_counts_past_the_floats_are_exact(tmp_path):
    tails, heads = (np.repeat(np.arange(70) + k, 2) for k in (0, 1))
    D = cg.store_graph(tmp_path / "g", [(tails, heads, np.ones(140))], block=7)
    assert D.count_paths(0, 70) == 2**70
    assert D.count_paths(0, 70) == Fraction(2) ** 70


def test_a_compiled_graph_and_files(tmp_path):
    C = cg.CompiledGraph.from_edges(*CHAIN[0], nodes=["x", "a", "y"])
    assert cg.store_graph(tmp_path / "g", C).sensitivity("x", "y") == 13.0
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = pa.table({"source": ["x", "a", "x"], "target": ["a", "y", "y"], "derivative": [2.0, 5.0, 3.0]})
    (tmp_path / "files").mkdir()
    parquet.write_table(table.slice(0, 2), tmp_path / "files" / "1.parquet")
    (tmp_path / "files" / "2.csv").write_text("source,target,derivative\nx,y,3.0\n")
    D = cg.store_graph(tmp_path / "h", tmp_path / "files")
    assert (D.sensitivity("x", "y"), list(D.nodes)) == (13.0, ["x", "a", "y"])
    parquet.write_table(pa.table({"source": [0, 1], "target": [1, 2], "weight": [2.0, 5.0]}), tmp_path / "n.parquet")
    assert cg.store_graph(tmp_path / "k", tmp_path / "n.parquet").sensitivities(2).tolist() == [10.0, 5.0, 1.0]
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    with pytest.raises(cg.ArchiveError, match="no column 'source'"):
        cg.store_graph(tmp_path / "l", tmp_path / "bad.csv")


@pytest.mark.parametrize(
    ("edges", "kind", "message"),
    [
        ([([0, 1], [1, 0], [1.0, 1.0])], cg.CycleError, "cycle"),
        ([([0], [1], [float("nan")])], cg.DerivativeError, "edge 0 -> 1 holds nan"),
        ([([0], [1], [1.0]), ([0], [-1], [1.0])], cg.InvalidNodeError, "ends at node -1"),
        ([([0], [1, 2], [1.0])], cg.CGraphError, "1 sources, 2 targets"),
        ([([0.5], [1], [1.0])], cg.CGraphError, "whole number"),
    ],
)
def test_bad_edges_leave_the_old_graph(tmp_path, edges, kind, message):
    cg.store_graph(tmp_path / "g", CHAIN)
    with pytest.raises(kind, match=message):
        cg.store_graph(tmp_path / "g", edges)
    assert cg.open_graph(tmp_path / "g").sensitivity(0, 2) == 13.0
    assert len(list((tmp_path / "g").iterdir())) == 2


def test_overflow_names_the_nodes(tmp_path):
    D = cg.store_graph(tmp_path / "g", [([0, 1], [1, 2], [1e200, 1e200])])
    with pytest.raises(cg.EvaluationError, match=r"S\(0, 2\) overflows"):
        D.sensitivities(2)
    with pytest.raises(cg.EvaluationError, match=r"S\(0, 2\) overflows"):
        D.jacobian([0], [1, 2])
    with pytest.raises(cg.EvaluationError, match="overflows"):
        D.edge_sensitivities(0, 2)


def test_update(tmp_path):
    D = cg.store_graph(tmp_path / "g", [([0, 0, 1], [1, 2, 2], [2.0, 3.0, 5.0])], block=1)
    for wrong in ([[1.0]], [[1.0, 2.0], [3.0, 4.0]], [[1.0, float("inf"), 1.0]]):
        with pytest.raises(cg.CGraphError):
            D.update(wrong)
    assert D.sensitivity(0, 2) == 13.0
    assert D.update([[1.0, 1.0], [4.0]]).sensitivities(2).tolist() == [5.0, 4.0, 1.0]
    with pytest.raises(cg.ArchiveError, match="open it again"):
        D.sensitivities(2)


def test_update_where_files_have_one_name_only(tmp_path):
    D = cg.store_graph(tmp_path / "g", CHAIN)
    with mock.patch("os.link", side_effect=OSError):
        assert D.update([[3.0, 3.0, 5.0]]).sensitivity(0, 2) == 18.0


def files_of(D):
    return {path.name: path for path in next(D.folder.glob("part-*")).iterdir()}


@pytest.mark.parametrize("name", ["indptr-1.npy", "heads-1.npy", "derivatives-1.npy"])
def test_a_damaged_block_is_named(tmp_path, name):
    D = cg.store_graph(tmp_path / "g", [([0, 0, 1, 1], [1, 2, 2, 3], [2.0, 3.0, 5.0, 1.0])], block=2)
    path = files_of(D)[name]
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole[:-8] + bytes([whole[-8] ^ 1]) + whole[-7:], b"", whole[:20]):
        path.write_bytes(damaged)
        with pytest.raises(cg.ArchiveError, match=name):
            cg.open_graph(D.folder).sensitivities(3)
    path.unlink()
    with pytest.raises(cg.ArchiveError, match=f"{name}.* is missing"):
        cg.open_graph(D.folder).sensitivities(3)


def test_a_file_that_is_changed_after_its_check_is_checked_again(tmp_path):
    D = cg.store_graph(tmp_path / "g", CHAIN, block=1)
    assert D.sensitivities(2).tolist() == [13.0, 5.0, 1.0]
    path = files_of(D)["derivatives-0.npy"]
    status, whole = path.stat(), path.read_bytes()
    path.write_bytes(whole[:-1] + b"\0")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    for ask in (lambda: D.sensitivities(2), lambda: D.jacobian([0], [2])):
        with pytest.raises(cg.ArchiveError, match=r"derivatives-0.npy.* is damaged"):
            ask()
    path.write_bytes(whole)
    assert D.sensitivities(2).tolist() == [13.0, 5.0, 1.0]


def test_a_block_is_read_ahead_unless_it_was_checked_just_now_or_is_mapped(tmp_path):
    D = cg.store_graph(tmp_path / "g", CHAIN, block=2)
    with mock.patch.object(blocks, "_read_ahead", wraps=blocks._read_ahead) as read:
        D.sensitivities(2)
        D.sensitivities(2)
        assert not read.called
        D._blocks.mapped.clear()
        D.sensitivities(2)
        names = [call.args[0].name for call in read.call_args_list]
    assert sorted(names) == sorted(f"{name}-{b}.npy" for name in ("heads", "derivatives") for b in range(2))


def test_a_graph_larger_than_memory_does_not_stay_mapped(tmp_path):
    with mock.patch.object(blocks, "_memory", return_value=0):
        D = cg.store_graph(tmp_path / "g", CHAIN, block=1)
    assert [D.sensitivities(2).tolist() for _ in range(2)] == [[13.0, 5.0, 1.0]] * 2
    assert not D._blocks.mapped
    kept = cg.open_graph(D.folder)
    kept.sensitivities(2)
    assert len(kept._blocks.mapped) == 3


def test_a_block_that_leads_further_than_the_window_is_not_swept(tmp_path):
    D = cg.store_graph(tmp_path / "g", CHAIN, block=1)
    D.sensitivities(2)
    # as it was before the files changed
    short = mock.patch.object(windows, "_tops", return_value={0: 2, 1: 2, 2: 3})
    with short, pytest.raises(cg.ArchiveError, match="block 1 of .* was changed while it was swept"):
        D.jacobian([0], [2])


def test_a_worker_believes_what_was_checked_as_long_as_the_files_are_the_same(tmp_path):
    D = cg.store_graph(tmp_path / "g", CHAIN, block=1)
    D.sensitivities(2)
    question = str(D.folder), D._meta.part, D._blocks.known, [2], np.array([0, 1]), False
    with mock.patch.object(blocks, "read_block", wraps=blocks.read_block) as read:
        assert windows.columns_by_a_worker(*question).tolist() == [[13.0], [5.0]]
    assert [call.kwargs["check"] for call in read.call_args_list] == [False, False, False]
    blocks.opened_blocks.cache_clear()
    path = files_of(D)["heads-0.npy"]
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    with pytest.raises(cg.ArchiveError, match=r"heads-0.npy.* is damaged"):
        windows.columns_by_a_worker(*question)


def test_a_worker_sweeps_no_other_graph_than_the_one_that_was_asked(tmp_path):
    D = cg.store_graph(tmp_path / "g", CHAIN)
    question = str(D.folder), D._meta.part, D._blocks.known, [2], np.array([0, 1]), False
    cg.store_graph(tmp_path / "g", [([0], [1], [7.0])])
    with pytest.raises(cg.ArchiveError, match=r"another graph was stored in .*g' while this one was swept; open it"):
        windows.columns_by_a_worker(*question)


def test_files_that_are_gone_are_not_kept_on_the_disk(tmp_path):
    D = cg.store_graph(tmp_path / "g", CHAIN, block=1)
    D.sensitivities(2)
    assert len(D._blocks.mapped) == 3
    files_of(D)["heads-0.npy"].unlink()
    with pytest.raises(cg.ArchiveError, match=r"heads-0.npy' is missing"):
        D.sensitivities(2)
    assert not D._blocks.mapped


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(0, 150), st.integers(1, 60), st.integers(0, 10**6), st.integers(1, 40))
def test_windows_of_rows_change_no_bit(tmp_path_factory, n, edges, block, seed, reach):
    rng = np.random.default_rng(seed)
    tails = np.sort(rng.integers(0, n, edges))
    heads = tails + 1 + (rng.random(edges) * np.minimum(reach, n + 2 - tails)).astype(int)
    folder = tmp_path_factory.mktemp("graph") / "g"
    with mock.patch.multiple(storing, _MOST_ROWS=max(1, n // 3)), mock.patch.object(blocks, "_MOST_MAPPED", 2):
        D = cg.store_graph(folder, [(tails, heads, rng.normal(size=edges))], range(n + 3), block=block)
        sources, targets = (rng.integers(0, n + 3, rng.integers(1, 20)).tolist() for _ in range(2))
        J = D.jacobian(sources, targets)
        if len(sources) < len(targets):
            assert J.tobytes() == np.array([D.sensitivities_from(s)[targets] for s in sources]).T.tobytes()
        else:
            assert J.tobytes() == np.array([D.sensitivities(t)[sources] for t in targets]).tobytes()
    assert len(D._blocks.mapped) <= 2


def test_another_version_and_no_graph(tmp_path):
    D = cg.store_graph(tmp_path / "g", CHAIN)
    meta = json.loads((D.folder / "meta.json").read_text())
    for change, message in [({"version": 2}, "version 2"), ({"format": "x"}, "format"), ({"nodes": -1}, "damaged"),
                            ({"firsts": [0, 2]}, "damaged"), ({"part": "../x"}, "damaged"), ({"edges": 9}, "damaged")]:  # fmt: skip
        (D.folder / "meta.json").write_text(json.dumps(meta | change))
        with pytest.raises(cg.ArchiveError, match=message):
            cg.open_graph(D.folder)
    with pytest.raises(FileNotFoundError):
        cg.open_graph(tmp_path / "nothing")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("Dear")
    with pytest.raises(cg.ArchiveError, match="other files"):
        cg.store_graph(tmp_path / "mine", CHAIN)


@pytest.mark.parametrize("rows", [1, 2, 2**14])
@pytest.mark.parametrize(
    ("name", "numbers", "message"),
    [
        ("heads", np.array([1, 2, 3_000_000], np.uint32), "later node"),
        ("heads", np.array([0, 2, 2], np.uint32), "later node"),
        ("heads", np.array([1, 2, 1], np.uint32), "later node"),
        ("heads", np.array([1, 2, 3], np.uint32), "later node"),
        ("derivatives", np.array([1.0, 2.0, np.inf]), "not finite"),
        ("derivatives", np.array([np.nan, 2.0, 1.0]), "not finite"),
        ("indptr", np.array([0, 2, 4, 3], np.uint64), "do not follow"),
        ("indptr", np.array([0, 2, 2, 2], np.uint64), "do not follow"),
    ],
)
def test_what_the_loops_must_not_see_is_refused(tmp_path, name, numbers, message, rows):
    D = cg.store_graph(tmp_path / "g", CHAIN)
    path = files_of(D)[f"{name}-0.npy"]
    np.save(path, numbers)
    meta = json.loads((D.folder / "meta.json").read_text())
    meta["checksums"][path.name] = zlib.crc32(path.read_bytes())
    (D.folder / "meta.json").write_text(json.dumps(meta))
    with mock.patch.object(stored_folder, "_ROWS", rows), pytest.raises(cg.ArchiveError, match=message):
        cg.open_graph(D.folder).sensitivities(2)


def test_resume_goes_on_after_the_last_block(tmp_path):
    n = 30
    D = cg.store_graph(tmp_path / "g", [(np.arange(n), np.arange(1, n + 1), np.full(n, 0.5))], block=3)
    whole, out = D.sensitivities(n), tmp_path / "S.npy"
    for stop in (3, 12, 27):

        def interrupt(swept, _, stop=stop):
            if swept >= stop:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            D.sensitivities(n, out=out, progress=interrupt)
        S = np.load(out, mmap_mode="r+")
        S[: n - stop] = 7.0  # what a block that was left half done may have written
        S.flush()
        seen = []
        again = cg.open_graph(D.folder).sensitivities(
            n, out=out, resume=True, progress=lambda *counts, seen=seen: seen.append(counts)
        )
        assert again.tolist() == whole.tolist()
        assert seen[-1][1] == n - stop
        assert not (tmp_path / "S.npy.progress").exists()
    with pytest.raises(cg.CGraphError, match="give out="):
        D.sensitivities(n, resume=True)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 25), st.integers(0, 80), st.integers(1, 30), st.integers(0, 10**6), st.booleans())
def test_a_forward_sweep_goes_on(tmp_path_factory, n, edges, block, seed, near):
    rng = np.random.default_rng(seed)
    tails = np.sort(rng.integers(0, n, edges))
    heads = tails + 1 + (rng.random(edges) * (3 if near else n - tails)).astype(int)
    folder = tmp_path_factory.mktemp("graph")
    D = cg.store_graph(folder / "g", [(tails, heads, rng.normal(size=edges))], range(n + 3), block=block)
    s, out, left = int(rng.integers(0, n)), folder / "S.npy", int(rng.integers(1, 9))
    whole = D.sensitivities_from(s)

    def interrupt(*_):
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt

    resume = False
    for _ in range(3):
        try:
            D.sensitivities_from(s, out=out, resume=resume, progress=interrupt)
        except KeyboardInterrupt:
            S = np.load(out, mmap_mode="r+")
            note = folder / "S.npy.progress"
            done = json.loads(note.read_bytes().partition(b"\n")[0])["place"] if note.exists() else n + 3
            S[done:] = 7.0  # what blocks that were left half done may have written
            S.flush()
            left, resume = 3, True
    seen = []
    again = cg.open_graph(D.folder).sensitivities_from(
        s, out=out, resume=resume, progress=lambda *counts: seen.append(counts)
    )
    assert again.tobytes() == np.load(out).tobytes() == whole.tobytes()
    assert not (folder / "S.npy.progress").exists()


def test_a_forward_sweep_of_near_heads_loses_no_block(tmp_path):
    n = 30
    D = cg.store_graph(tmp_path / "g", [(np.arange(n), np.arange(1, n + 1), np.full(n, 0.5))], block=3)

    def interrupt(swept, _):
        if swept >= 12:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        D.sensitivities_from(0, out=tmp_path / "S.npy", progress=interrupt)
    seen = []
    D.sensitivities_from(0, out=tmp_path / "S.npy", resume=True, progress=lambda *counts: seen.append(counts))
    assert seen[-1] == (n - 12, n - 12)


@pytest.mark.parametrize("note", [b"", b"{", b"[1]", b'{"place": 1}', b'{"part": 1}\n\0\0', None])
def test_a_note_that_says_nothing_begins_anew(tmp_path, note):
    D = cg.store_graph(tmp_path / "g", CHAIN)
    out = tmp_path / "S.npy"
    np.save(out, np.full(3, 7.0))
    if note is None:  # rows that the graph does not have
        note = json.dumps({"part": D._meta.part, "from": 0, "place": 3}).encode() + b"\n" + np.ones(9).tobytes()
    (tmp_path / "S.npy.progress").write_bytes(note)
    assert D.sensitivities_from(0, out=out, resume=True).tolist() == [1.0, 2.0, 13.0]
    (tmp_path / "S.npy.progress").write_bytes(note)
    assert D.sensitivities(2, out=out, resume=True).tolist() == [13.0, 5.0, 1.0]


def test_a_note_on_rows_within_a_block_begins_anew(tmp_path):
    D = cg.store_graph(tmp_path / "g", [(np.arange(9), np.arange(1, 10), np.full(9, 2.0))], block=3)
    out, note = tmp_path / "S.npy", tmp_path / "S.npy.progress"
    for place, pending, end in [(1, [7.0], 2.0**9), (3, [8.0], 2.0**9), (3, [1.0], 2.0**6)]:  # the last one is believed
        np.save(out, np.zeros(10))
        said = {"part": D._meta.part, "from": 0, "place": place}
        note.write_bytes(json.dumps(said).encode() + b"\n" + np.array(pending).tobytes())
        assert D.sensitivities_from(0, out=out, resume=True)[9] == end


@settings(max_examples=40, deadline=None)
@given(
    st.integers(2, 25), st.integers(1, 80), st.integers(1, 30), st.integers(0, 10**6), st.booleans(), st.integers(1, 9)
)
def test_sweeps_of_renumbered_nodes_go_to_files_and_go_on(tmp_path_factory, n, edges, block, seed, is_forward, nodes):
    rng = np.random.default_rng(seed)
    tails = rng.integers(0, n - 1, edges)
    heads = tails + 1 + (rng.random(edges) * (n - 1 - tails)).astype(int)
    number = rng.permutation(n)
    folder = tmp_path_factory.mktemp("graph")
    D = cg.store_graph(folder / "g", [(number[tails], number[heads], rng.normal(size=edges))], range(n), block=block)
    ask, node, out = D.sensitivities_from if is_forward else D.sensitivities, int(rng.integers(0, n)), folder / "S.npy"
    whole, left, seen = ask(node), int(rng.integers(0, 9)), []

    def interrupt(*_):
        if len(seen) >= left:
            raise KeyboardInterrupt
        seen.append(_)

    with mock.patch.object(stored_graph, "_NODES", nodes):
        with contextlib.suppress(KeyboardInterrupt):
            ask(node, out=out, progress=interrupt)
        assert ask(node, out=out, resume=True).tobytes() == np.load(out).tobytes() == whole.tobytes()
    assert sorted(entry.name for entry in folder.iterdir()) == ["S.npy", "g"]


@pytest.mark.parametrize("is_forward", [False, True])
def test_a_sweep_that_is_done_is_not_made_again_to_put_it_in_order(tmp_path, is_forward):
    n, seen = 30, []
    number = np.arange(n, -1, -1)
    D = cg.store_graph(tmp_path / "g", [(number[:-1], number[1:], np.full(n, 0.5))], block=3)
    ask, node, out = (
        (D.sensitivities_from, n, tmp_path / "S.npy") if is_forward else (D.sensitivities, 0, tmp_path / "S.npy")
    )
    whole = ask(node)
    stopped = mock.patch.object(stored_graph, "new_array", side_effect=KeyboardInterrupt)  # before S is put in order
    with stopped, pytest.raises(KeyboardInterrupt):
        ask(node, out=out)
    again = ask(node, out=out, resume=True, progress=lambda *counts: seen.append(counts))
    assert again.tobytes() == np.load(out).tobytes() == whole.tobytes()
    assert not seen
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["S.npy", "g"]


def test_what_cannot_be_resumed_is_said(tmp_path):
    D = cg.store_graph(tmp_path / "g", CHAIN)
    for ask in (D.sensitivities_from, lambda i, **options: D.jacobian([0], [i], **options)):
        with pytest.raises(cg.CGraphError, match="give out="):
            ask(0, resume=True)
    backwards = cg.store_graph(tmp_path / "h", [([1], [0], [2.0])])
    assert backwards.jacobian([1], [0], out=tmp_path / "J.npy").tolist() == [[2.0]]
    out, note = tmp_path / "J.npy", tmp_path / "J.npy.progress"
    question = hashlib.sha256(json.dumps([[0], [2]]).encode()).hexdigest()
    for damaged, message in [(b"xyz", "is damaged"), (out.read_bytes().replace(b"(1, 1)", b"(1,)  "), "no answer")]:
        out.write_bytes(damaged)
        note.write_text(json.dumps({"part": D._meta.part, "jacobian": question, "place": 0}))
        with pytest.raises(cg.ArchiveError, match=message):
            D.jacobian([0], [2], out=out, resume=True)


def large(folder, block=3000):
    """Return a stored graph of 40,000 edges that takes some time to sweep for many targets."""
    rng = np.random.default_rng(0)
    tails = np.sort(rng.integers(0, 4000, 40_000))
    heads = tails + rng.integers(1, 50, 40_000)
    return cg.store_graph(folder, [(tails, heads, rng.normal(size=40_000) * 0.3)], block=block)


@pytest.fixture
def small_tasks(monkeypatch):
    """Let every task be one group of eight, as on a large graph."""
    monkeypatch.setattr(stored_graph, "_TOGETHER", 1)


@pytest.mark.usefixtures("small_tasks")
@pytest.mark.parametrize("workers", [1, 3])
def test_workers_change_no_bit(tmp_path, workers):
    D = large(tmp_path / "g")
    targets = list(range(3900, 4000))
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        assert D.jacobian(range(200), targets, executor=pool).tobytes() == D.jacobian(range(200), targets).tobytes()
        with pytest.raises(cg.EvaluationError, match=r"S\(0, 2\)"):
            cg.store_graph(tmp_path / "h", [([0, 1], [1, 2], [1e200, 1e200])]).jacobian([0], [2], executor=pool)


class Killing(Executor):
    """A pool whose worker is killed with the third task."""

    def __init__(self, pool):
        self.pool, self.tasks = pool, 0

    def submit(self, function, /, *args, **options):
        self.tasks += 1
        if self.tasks == 3:
            return self.pool.submit(os.kill, self.pool.submit(os.getpid).result(), signal.SIGKILL)
        return self.pool.submit(function, *args, **options)


ASKING = """
import sys, cgraph as cg
from cgraph.stored import stored_graph, windows
folder, out = sys.argv[1:]
stored_graph._SECONDS, stored_graph._TOGETHER = 0.0, 1
swept = windows._swept
def slow(*task):
    print("group", flush=True)
    sys.stdin.readline()
    return swept(*task)
windows._swept = slow
cg.open_graph(folder).jacobian(range(*EXTENT), range(3950, 4000), out=out)
"""


@pytest.mark.parametrize("extent", [(0, 200), (3000, 3040)])  # in reverse, and forward
def test_a_jacobian_goes_on_after_a_kill(tmp_path, extent):
    D = large(tmp_path / "g")
    out, ends = tmp_path / "J.npy", (range(*extent), range(3950, 4000))
    wanted = D.jacobian(*ends)
    command = [sys.executable, "-c", ASKING.replace("EXTENT", str(extent)), str(D.folder), str(out)]
    with subprocess.Popen(command, stdin=-1, stdout=-1) as child:
        for _ in range(4):  # the fourth is asked for when three are done, and noted
            assert child.stdout.readline() == b"group\n"
            child.stdin.write(b"\n")
            child.stdin.flush()
        child.stdout.readline()
        child.kill()
    done = json.loads((tmp_path / "J.npy.progress").read_bytes())["place"]
    assert done == 32
    asked = []
    swept = windows._swept

    def counted(blocks, begins, *rest):
        asked.append(begins)
        return swept(blocks, begins, *rest)

    with mock.patch.object(windows, "_swept", counted):
        J = cg.open_graph(D.folder).jacobian(*ends, out=out, resume=True)
    assert J.tobytes() == np.load(out).tobytes() == wanted.tobytes()
    assert sum(map(len, asked)) == min(len(ends[0]), 50) - done
    assert not (tmp_path / "J.npy.progress").exists()
    with ThreadPoolExecutor(2) as threads:
        assert D.jacobian(*ends, out=out, executor=threads).tobytes() == wanted.tobytes()


@pytest.mark.usefixtures("small_tasks")
def test_a_worker_that_is_killed_is_an_error_of_ours(tmp_path):
    D = large(tmp_path / "g")
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        pytest.raises(cg.CGraphError, match="the workers ended"),
    ):
        D.jacobian(range(200), range(3900, 4000), executor=Killing(pool))
    assert np.isfinite(D.jacobian([0], [3999])).all()


def test_a_killed_run_leaves_the_old_graph(tmp_path):
    folder = tmp_path / "g"
    cg.store_graph(folder, CHAIN)
    code = f"""
import cgraph as cg, itertools, numpy as np
def edges():
    for k in itertools.count():
        print("block", flush=True)
        yield np.arange(1000) + 1000 * k, np.arange(1000) + 1000 * k + 1, np.ones(1000)
cg.store_graph({str(folder)!r}, edges())
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
        for _ in range(5):
            child.stdout.readline()
        child.kill()
        child.stdout.read()
    assert cg.open_graph(folder).sensitivity(0, 2) == 13.0
    assert len(list(folder.glob("part-*"))) == 2
    cg.store_graph(folder, CHAIN)
    assert len(list(folder.glob("part-*"))) == 1


def test_a_full_disk_leaves_the_old_graph(tmp_path):
    folder = tmp_path / "g"
    cg.store_graph(folder, CHAIN)
    code = f"""
import resource, signal, numpy as np, cgraph as cg
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    cg.store_graph({str(folder)!r}, [(np.arange(50_000), np.arange(50_000) + 1, np.ones(50_000))])
except OSError as error:
    print("refused", error.errno)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("refused")
    assert cg.open_graph(folder).sensitivity(0, 2) == 13.0
    assert len(list(folder.glob("part-*"))) == 1


def test_a_disk_that_fails_at_the_end_leaves_the_old_graph(tmp_path):
    cg.store_graph(tmp_path / "g", CHAIN)
    failing = mock.patch("os.fsync", side_effect=[None, None, OSError(5, "Input/output error"), None])
    with failing, pytest.raises(OSError, match="Input/output error"):
        cg.store_graph(tmp_path / "g", [([0], [1], [7.0])])
    assert cg.open_graph(tmp_path / "g").sensitivity(0, 2) == 13.0
    assert len(list((tmp_path / "g").glob("part-*"))) == 1


def test_two_writers_at_once_leave_one_whole_graph(tmp_path):
    code = (
        "import sys, cgraph as cg\nfor _ in range(20): cg.store_graph(sys.argv[1], [([0], [1], [float(sys.argv[2])])])"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "g"), z], stderr=subprocess.PIPE) for z in "23"
    ]
    deadline = time.monotonic() + 60
    errors = [writer.communicate(timeout=deadline - time.monotonic())[1].decode() for writer in writers]
    assert not any("Traceback" in e and "open it again" not in e for e in errors), errors
    assert cg.open_graph(tmp_path / "g").sensitivity(0, 1) in {2.0, 3.0}
