"""Files with bytes changed, cut or doubled: a graph or a clear error, and nothing else."""

import gzip
import io
import json
from contextlib import suppress

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from node_link import node_link

import cgraph as cg

EDGES = [("x", "a", 2.0), ("a", "y", 5.0), ("x", "y", -3.0)]


def good():
    G = nx.DiGraph(title="t")
    for i, j, z in EDGES:
        G.add_edge(i, j, weight=z, kind="k", rank=1)
    G.nodes["x"].update(layer=1, label="l", on=True)
    graphml, gexf, npz = io.BytesIO(), io.BytesIO(), io.BytesIO()
    nx.write_graphml_xml(G, graphml)
    nx.write_gexf(G, gexf)
    np.savez_compressed(npz, row=[0, 1], col=[1, 2], data=[1.0, 2.0], shape=[3, 3], format=np.array(b"coo"))
    rows = "source,target,weight,kind\n" + "".join(f'{i},{j},{z},"k ""q"""\n' for i, j, z in EDGES)
    files = {
        ".csv": rows.encode(),
        ".json": json.dumps(node_link(G, edges="links")).encode(),
        ".graphml": graphml.getvalue(),
        ".gexf": gexf.getvalue(),
        ".npz": npz.getvalue(),
    }
    try:
        import pyarrow as pa
        import pyarrow.parquet
    except ImportError:
        return files
    parquet = io.BytesIO()
    pa.parquet.write_table(
        pa.table(dict(zip(("source", "target", "weight"), zip(*EDGES, strict=True), strict=True))), parquet
    )
    return files | {".parquet": parquet.getvalue()}


GOOD = good()
CHANGE = st.tuples(
    st.sampled_from(["byte", "cut", "double", "swap"]), st.floats(0, 1), st.floats(0, 1), st.integers(0, 255)
)


def damaged(content, changes):
    for kind, a, b, byte in changes:
        first, last = sorted((int(a * len(content)), int(b * len(content))))
        match kind:
            case "byte":
                content = content[:first] + bytes([byte]) + content[first + 1 :]
            case "cut":
                content = content[:first] + content[last:] if last - first < len(content) // 2 else content[:last]
            case "double":
                content = content[:last] + content[first:]
            case "swap":
                content = content[:first] + content[first:last][::-1] + content[last:]
    return content


@pytest.mark.parametrize("suffix", GOOD)
@settings(max_examples=150)
@given(changes=st.lists(CHANGE, min_size=1, max_size=3))
def test_a_damaged_file_is_a_graph_or_a_clear_error(tmp_path_factory, suffix, changes):
    path = tmp_path_factory.getbasetemp() / f"damaged{suffix}"
    path.write_bytes(damaged(GOOD[suffix], changes))
    for compiled in (True, False):
        with suppress(cg.CGraphError):
            G = cg.read_graph(path, compiled=compiled)
            assert np.isfinite(G.edge_arrays()[2] if compiled else [z for *_, z in G.edges(data="derivative")]).all()


def test_text_that_is_no_utf8_is_damage(tmp_path):
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = pa.table({"source": ["name"], "target": ["y"], "derivative": [1.0], "note": ["QQQQ"]})
    for file, text in (("ends", b"name"), ("notes", b"QQQQ")):
        parquet.write_table(table, path := tmp_path / f"{file}.parquet", use_dictionary=False, write_statistics=False)
        path.write_bytes(path.read_bytes().replace(text, b"\x80" * 4))
        with pytest.raises(cg.ArchiveError, match=rf"^'[^']*{file}.parquet' is .*damaged: .*string"):
            cg.read_graph(path)


def test_an_arrow_file_whose_text_reaches_past_its_bytes_is_damaged(tmp_path):
    pa, feather = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.feather")
    table = pa.table({"source": ["a" * 70, "b" * 7], "target": ["y", "y"], "derivative": [1.0, 2.0]})
    feather.write_feather(table, path := tmp_path / "edges.arrow", compression="uncompressed")
    content = path.read_bytes()
    begin = content.rindex(np.array([0, 70, 77], "<i4").tobytes(), 0, content.index(b"a" * 70))  # where the texts begin
    path.write_bytes(content[: begin + 4] + np.array([1 << 30], "<i4").tobytes() + content[begin + 8 :])
    with pytest.raises(cg.ArchiveError, match="edges.arrow' is damaged"):
        cg.store_graph(tmp_path / "stored", path)


@given(text=st.text(max_size=80))
def test_any_text_is_a_graph_or_a_clear_error(tmp_path_factory, text):
    for suffix in (".csv", ".json", ".graphml", ".gexf"):
        path = tmp_path_factory.getbasetemp() / f"text{suffix}"
        path.write_text(text, encoding="utf-8", errors="surrogatepass")
        with suppress(cg.CGraphError):
            cg.read_graph(path)


KEYS = ["nodes", "links", "edges", "id", "node_id", "source", "target", "weight", "activation", "qParams", "supernodes"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.sampled_from(["x", "y"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@given(
    data=st.dictionaries(
        st.sampled_from(KEYS), VALUES | st.lists(st.dictionaries(st.sampled_from(KEYS), VALUES)), max_size=5
    )
)
def test_any_json_is_an_attribution_graph_or_a_clear_error(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(data))
    for edges in ("share", "derivative"):
        with suppress(cg.CGraphError):
            cg.read_attribution_graph(path, edges)


def test_a_compressed_file_is_no_graph(tmp_path):
    (tmp_path / "edges.csv").write_bytes(gzip.compress(GOOD[".csv"]))
    with pytest.raises(cg.SpecError, match="not UTF-8"):
        cg.read_graph(tmp_path / "edges.csv")
