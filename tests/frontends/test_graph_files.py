"""Graphs in files of other programs: read, written, and refused with the place of the mistake."""

import io
import json
import sys
import zipfile
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from node_link import node_link

import cgraph as cg
from cgraph.frontends import edge_table

# S(x,y) = 2*5 along x-a-y, plus 3 along x-y
EDGES = "source,target,weight,kind,rank\nx,a,2.0,direct,1\na,y,5.0,direct,2\nx,y,3.0,,\n"
KINDS = [".csv", ".tsv", ".parquet", ".json", ".graphml", ".gexf"]


@pytest.fixture(params=["pyarrow", "csv"])
def engine(request, monkeypatch):
    """Read CSV both ways."""
    if request.param == "csv":
        monkeypatch.setitem(sys.modules, "pyarrow", None)
    else:
        pytest.importorskip("pyarrow")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "edges.csv"


def attributes(G):
    """Return what a graph holds, in a form that compares."""
    return dict(G.nodes(data=True)), {(i, j): d for i, j, d in G.edges(data=True)}


def mistakes(path, text, **options):
    path.write_text(text)
    with pytest.raises(cg.SpecError) as error:
        cg.read_graph(path, **options)
    return [(p.line, p.column, p.message) for p in error.value.problems]


@pytest.mark.usefixtures("engine")
def test_edges_in_csv_keep_their_attributes(path):
    path.write_text(EDGES)
    L = cg.read_graph(path)
    assert list(L) == ["x", "a", "y"]
    assert attributes(L)[1] == {
        ("x", "a"): {"derivative": 2.0, "kind": "direct", "rank": 1},
        ("x", "y"): {"derivative": 3.0},
        ("a", "y"): {"derivative": 5.0, "kind": "direct", "rank": 2},
    }
    assert cg.sensitivity(L, "x", "y") == 13.0
    assert cg.read_graph(path, compiled=True).sensitivity("x", "y") == 13.0


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_columns_are_found_by_name_whatever_separates_them(path, delimiter):
    rows = [["dydx", "head", "note", "tail"], ["0.5", "y", '"a, b; c"', "x 1"], ["-1e-3", "z", "", "y"]]
    path.write_text("\ufeff" + "".join(delimiter.join(row) + "\r\n" for row in rows), encoding="utf-8")
    L = cg.read_graph(path, "dydx")
    assert attributes(L)[1] == {
        ("x 1", "y"): {"derivative": 0.5, "note": "a, b; c"},
        ("y", "z"): {"derivative": -0.001},
    }


@pytest.mark.usefixtures("engine")
def test_mistakes_in_csv_stand_with_line_and_column(path):
    text = "source,target,weight\nx,a,2.0\nx,b,much\n,y,1\na,y,nan\n\na,z\nb,y,1,2\n"
    assert mistakes(path, text) == [
        (3, 5, "the weight of the edge is needed, and 'much' is not a finite number"),
        (4, 1, "the source of the edge is empty"),
        (5, 5, "the weight of the edge is needed, and 'nan' is not a finite number"),
        (7, 3, "2 cells, where the header names 3 columns"),
        (8, 5, "4 cells, where the header names 3 columns"),
    ]


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("", (1, 1), "the first line names the columns, and it is empty"),
        ("sources,target,weight\n", (1, 1), "did you mean 'sources'?"),
        ("source,target,size\n", (1, 1), "no column 'derivative' or 'weight'"),
        ("source,target,source,weight\nx,y,x,1\n", (1, 1), "two columns are called 'source'"),
        ("source,target,weight\nx,y,1\nx,z,2\nx,y,3\n", (4, 1), "edge 'x' -> 'y' stands twice"),
        ("source,target,weight\nx,y,1_0\n", (2, 5), "'1_0' is not a finite number"),
        ('source,target,weight\n"x,1",y,\n', (2, 9), "it is empty"),
    ],
)
def test_each_mistake_in_csv_has_a_place(path, text, place, words):
    (line, column, message), *rest = mistakes(path, text)
    assert (line, column) == place
    assert words in message
    assert not rest


@pytest.mark.usefixtures("engine")
def test_what_is_not_utf8_is_refused(path):
    path.write_bytes(b"source,target,weight\nx,\xff,1\n")
    with pytest.raises(cg.SpecError, match="not UTF-8"):
        cg.read_graph(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(cg.SpecError, match="not UTF-8"):
        cg.read_graph(path)


def test_reading_stops_at_a_hundred_mistakes(path):
    assert len(mistakes(path, "source,target,weight\n" + "x,y,no\n" * 1000)) == 100


@pytest.mark.usefixtures("engine")
@given(
    edges=st.dictionaries(
        st.tuples(st.integers(0, 8), st.integers(9, 12)), st.floats(-1e3, 1e3).map(lambda z: round(z, 6)), max_size=9
    )
)
def test_both_readers_give_the_same_graph(tmp_path_factory, edges):
    path = tmp_path_factory.mktemp("edges") / "edges.csv"
    path.write_text("source,target,derivative\n" + "".join(f"n{i},n{j},{z!r}\n" for (i, j), z in edges.items()))
    L = cg.read_graph(path)
    assert {(i, j): d["derivative"] for i, j, d in L.edges(data=True)} == {
        (f"n{i}", f"n{j}"): z for (i, j), z in edges.items()
    }
    assert all(L.pred[j][i] is L.succ[i][j] for i, j in L.edges)


@pytest.fixture(name="L")
def linearized(path):
    path.write_text(EDGES)
    L = cg.read_graph(path)
    L.nodes["x"].update(layer=0, label="a token")
    return L


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_read_again(tmp_path, L, kind):
    if kind == ".parquet":
        pytest.importorskip("pyarrow")
    tables = {"nodes": tmp_path / f"nodes{kind}"} if kind in {".csv", ".tsv", ".parquet"} else {}
    cg.write_graph(L, tmp_path / f"graph{kind}", **tables)
    copy = cg.read_graph(tmp_path / f"graph{kind}", **tables)
    nodes, edges = attributes(L)
    found_nodes, found_edges = attributes(copy)
    assert found_edges == edges
    if kind == ".gexf":  # it gives every node a label
        found_nodes = {i: {k: v for k, v in d.items() if k != "label" or v != i} for i, d in found_nodes.items()}
    assert found_nodes == nodes


@pytest.mark.parametrize("kind", KINDS)
def test_sensitivities_flows_and_paths_are_written_as_attributes(tmp_path, L, kind):
    if kind == ".parquet":
        pytest.importorskip("pyarrow")
    cg.write_graph(L, tmp_path / f"graph{kind}", s="x", t="y", top=1)
    copy = cg.read_graph(tmp_path / f"graph{kind}")
    # On nodes: S(x,y) = 13, S(a,y) = 5. The strongest path is x-a-y, 10; 3 flows beside it.
    assert {e: d["flow"] for e, d in attributes(copy)[1].items()} == {("x", "a"): 10, ("a", "y"): 10, ("x", "y"): 3}
    assert copy.edges["x", "a"]["path_product"] == copy.edges["a", "y"]["path_product"] == 10.0
    assert "path_product" not in copy.edges["x", "y"]
    if kind in {".json", ".graphml", ".gexf"}:
        assert {i: d["sensitivity"] for i, d in copy.nodes(data=True)} == {"x": 13.0, "a": 5.0, "y": 1.0}


def test_jacobians_are_written_as_lists(tmp_path):
    L = cg.linearize(cg.from_equations("s = W @ x; y = squared_norm(s)", W=[[1, 2], [0, 1]], x=[1, 1]))
    cg.write_graph(L, tmp_path / "graph.json", t="y")
    links = json.loads((tmp_path / "graph.json").read_text())["links"]
    assert next(d["derivative"] for d in links if d["source"] == "x") == [[1.0, 2.0], [0.0, 1.0]]
    cg.write_graph(L, tmp_path / "graph.graphml")
    assert "[[1.0, 2.0], [0.0, 1.0]]" in (tmp_path / "graph.graphml").read_text()
    with pytest.raises(cg.CGraphError, match="some edges hold a Jacobian"):
        cg.write_graph(L, tmp_path / "graph.npz")


@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
def test_matrices_of_scipy(tmp_path, form):
    sparse = pytest.importorskip("scipy.sparse")
    A = np.zeros((4, 4))
    A[0, 1], A[1, 2], A[0, 2] = 2.0, 5.0, 3.0
    sparse.save_npz(tmp_path / "A.npz", sparse.coo_matrix(A).asformat(form))
    L = cg.read_graph(tmp_path / "A.npz")
    assert list(L) == ["0", "1", "2", "3"]
    assert cg.sensitivity(L, "0", "2") == 13.0
    cg.write_graph(L, tmp_path / "B.npz")
    assert (sparse.load_npz(tmp_path / "B.npz").toarray() == A).all()


def test_attributes_that_the_library_uses_itself_get_an_underscore(path, tmp_path):
    path.write_text("source,target,derivative,weight\nx,y,2.0,7\n")
    (tmp_path / "nodes.csv").write_text("node,activation,role,value,layer\nx,3.5,hub,much,1\ny,,input,4,2\n")
    L = cg.read_graph(path, nodes=tmp_path / "nodes.csv")
    assert L.edges["x", "y"] == {"derivative": 2.0, "weight_": 7}
    assert dict(L.nodes["x"]) == {"activation_": 3.5, "role_": "hub", "value_": "much", "layer": 1}
    assert dict(L.nodes["y"]) == {"role": "input", "value_": "4", "layer": 2}
    assert cg.sensitivity(cg.linearize(L), "x", "y") == 2.0


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ("node,layer\nx,1,2\n", "nodes.csv:2:1: error: 3 cells"),
        ("key,layer\nx,1\n", "no column 'node' or 'id' or 'name'"),
    ],
)
def test_mistakes_in_a_table_of_nodes(path, tmp_path, nodes, words):
    path.write_text(EDGES)
    (tmp_path / "nodes.csv").write_text(nodes)
    with pytest.raises(cg.SpecError, match=words):
        cg.read_graph(path, nodes=tmp_path / "nodes.csv")


def test_whole_numbers_in_parquet_name_nodes(tmp_path):
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = {"source": [0, 10, 0], "target": [10, 2, 2], "weight": pa.array([2, 5, 3], pa.int8())}
    parquet.write_table(pa.table(table), tmp_path / "edges.parquet")
    for compiled in (True, False):
        C = cg.read_graph(tmp_path / "edges.parquet", compiled=compiled)
        assert list(C.nodes) == ["0", "10", "2"]
        assert (C.sensitivity("0", "2") if compiled else cg.sensitivity(C, "0", "2")) == 13.0


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"source": ["x"], "target": ["y"]}, "no column 'derivative' or 'weight'"),
        ({"source": ["x"], "target": ["y"], "weight": ["1"]}, "column 'weight' holds string; numbers are needed"),
        ({"source": ["x", None], "target": ["y", "z"], "weight": [1.0, 2.0]}, "row 2: an end of the edge is empty"),
        ({"source": ["x", "x"], "target": ["y", "z"], "weight": [1.0, None]}, "row 2: 'weight' is needed"),
        ({"source": [1.5], "target": [2.5], "weight": [1.0]}, "the ends of edges hold double"),
        ({"source": ["x", "x"], "target": ["y", "y"], "weight": [1.0, 2.0]}, "row 2: edge 'x' -> 'y' stands twice"),
    ],
)
def test_mistakes_in_parquet(tmp_path, columns, words):
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pa.table(columns), tmp_path / "edges.parquet")
    with pytest.raises(cg.ArchiveError, match=words):
        cg.read_graph(tmp_path / "edges.parquet")


def test_damaged_parquet_is_refused(tmp_path):
    pytest.importorskip("pyarrow")
    (tmp_path / "edges.parquet").write_bytes(b"PAR1" + b"\x00" * 100 + b"PAR1")
    with pytest.raises(cg.ArchiveError, match="is no Parquet file, or it is damaged"):
        cg.read_graph(tmp_path / "edges.parquet")


def test_a_missing_library_is_one_line_that_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "edges.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(cg.ExtraMissingError) as error:
        cg.read_graph(tmp_path / "edges.parquet")
    assert str(error.value) == "this needs pyarrow; pip install 'cgraph-sensitivity[scale]'"


def test_d3_numbers_the_nodes(tmp_path):
    graph = {
        "nodes": [{"name": "x", "group": 1}, {"name": "y"}],
        "links": [{"source": 0, "target": 1, "weight": 4, "type": "t"}],
    }
    (tmp_path / "graph.json").write_text(json.dumps(graph))
    L = cg.read_graph(tmp_path / "graph.json")
    assert attributes(L) == (
        {"x": {"group": 1}, "y": {}},
        {("x", "y"): {"derivative": 4.0, "type": "t"}},
    )


def test_what_networkx_writes_as_json_is_read(tmp_path):
    G = nx.DiGraph(title="a quiz")
    G.add_edge(1, 2, weight=0.5)
    (tmp_path / "graph.json").write_text(json.dumps(node_link(G, edges="edges")))
    L = cg.read_graph(tmp_path / "graph.json")
    assert attributes(L)[1] == {("1", "2"): {"derivative": 0.5}}
    assert L.graph == {"title": "a quiz"}


def test_mistakes_in_json_stand_with_line_and_column(tmp_path):
    text = """{"nodes": [{"id": "x"}, {"id": "x"}, {"key": 1}, {"id": "why"}],
 "links": [
  {"source": "x", "target": "wh", "weight": 1.0},
  {"source": "x", "target": "why", "weight": "big"},
  {"source": "x", "weight": 1.0},
  7,
  {"source": "x", "target": "why", "weight": 1e999}
 ]}"""
    found = mistakes(tmp_path / "graph.json", text)
    assert [(line, column) for line, column, _ in found] == [(1, 32), (1, 38), (3, 29), (5, 3), (6, 3)]
    assert [message for *_, message in found][2:] == [
        "there is no node 'wh'",
        "the link has no 'target'",
        "a link is an object with 'source' and 'target'",
    ]
    good = text.replace('"wh",', '"why",').replace('{"id": "x"}, {"id": "x"}, {"key": 1}', '{"id": "x"}')
    good = good.replace('{"source": "x", "weight": 1.0},\n  7,\n', "")
    assert [m[2] for m in mistakes(tmp_path / "graph.json", good)] == [
        "'big' is not a finite number",
        "inf is not a finite number",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "a graph in JSON is an object with a list of 'nodes'"),
        ('{"nodes": []}', "no list of 'links' or 'edges'"),
        ('{"directed": false, "nodes": [], "links": []}', "the graph is undirected"),
        ('{"nodes": [}', "not JSON"),
        ('{"nodes": [{"id": "x"}], "links": [{"source": "x", "target": "x"}]}', "the link has no 'derivative' or"),
        (
            '{"nodes": [{"id":"x"},{"id":"y"}], "links": ['
            + ",".join(['{"source":"x","target":"y","weight":1}'] * 2)
            + "]}",
            "edge 'x' -> 'y' stands twice",
        ),
        ("[" * 100_000, "nested"),
    ],
)
def test_json_that_is_no_graph(tmp_path, text, words):
    assert words in mistakes(tmp_path / "graph.json", text)[0][2]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<graphml", "not XML"),
        ("<graphml>\n", "2:1: error: not XML"),
        ('<!DOCTYPE g [<!ENTITY a "aaaa">]><g>&a;</g>', "declares no document type and no entities"),
        ("<g></g>", "is no graphml file, or it is damaged"),
        (
            (
                '<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph edgedefault="undirected">'
                '<node id="x"/><node id="y"/><edge source="x" target="y"/></graph></graphml>'
            ),
            "the graph is undirected",
        ),
        (
            (
                '<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph edgedefault="directed">'
                '<node id="x"/><node id="y"/><edge source="x" target="y"/></graph></graphml>'
            ),
            "edge 'x' -> 'y' has no 'derivative' or 'weight'",
        ),
    ],
)
def test_xml_that_is_no_graph(tmp_path, text, words):
    (tmp_path / "graph.graphml").write_text(text)
    with pytest.raises((cg.SpecError, cg.ArchiveError), match=words):
        cg.read_graph(tmp_path / "graph.graphml")


def test_xml_is_read_as_utf8_whatever_it_says(tmp_path, L):
    cg.write_graph(L, tmp_path / "graph.graphml")
    text = (tmp_path / "graph.graphml").read_text()
    (tmp_path / "graph.graphml").write_text(text.replace("encoding='utf-8'", 'encoding="u-f-8"'))
    assert "u-f-8" in (tmp_path / "graph.graphml").read_text()
    assert attributes(cg.read_graph(tmp_path / "graph.graphml"))[1] == attributes(L)[1]


def test_a_key_without_a_type_holds_text(tmp_path, L):
    cg.write_graph(L, tmp_path / "graph.graphml")
    text = (tmp_path / "graph.graphml").read_text()
    (tmp_path / "graph.graphml").write_text(text.replace('attr.type="double"', ""))
    with pytest.raises(cg.ArchiveError, match="derivative = '2.0', which is no finite number"):
        cg.read_graph(tmp_path / "graph.graphml")


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".pkl", ".joblib"])
def test_a_pickle_is_refused_with_the_reason(tmp_path, suffix):
    (tmp_path / f"graph{suffix}").write_bytes(b"\x80\x04.")
    with pytest.raises(cg.ArchiveError, match="is a pickle, and reading a pickle can run code"):
        cg.read_graph(tmp_path / f"graph{suffix}")


def test_a_matrix_of_objects_is_not_unpickled(tmp_path):
    np.savez(tmp_path / "A.npz", data=np.array([print], object), format=b"csr", shape=[1, 1])
    with pytest.raises(cg.ArchiveError, match="no matrix of scipy.sparse"):
        cg.read_graph(tmp_path / "A.npz")


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "changes",
    [
        {"shape": np.array([2, 3])},
        {"shape": np.array([2])},
        {"format": np.array(b"bsr")},
        {"indptr": np.array([0, 2, 1])},
        {"indptr": np.array([0, 1])},
        {"indices": np.array([0, 5])},
        {"indices": np.array([0.0, 1.0])},
        {"data": np.array([1.0])},
        {"data": np.array([1.0, np.nan])},
        {"data": np.array(["a", "b"])},
    ],
)
def test_damaged_matrices_are_refused(tmp_path, changes):
    good = {"shape": np.array([2, 2]), "format": np.array(b"csr"), "indptr": np.array([0, 2, 2])}
    good |= {"indices": np.array([0, 1]), "data": np.array([1.0, 2.0])}
    np.savez(tmp_path / "A.npz", **(good | changes))
    with pytest.raises(cg.ArchiveError):
        cg.read_graph(tmp_path / "A.npz")


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("cgraph.frontends.sparse_files.MAX_EDGES", 10_000)
    with zipfile.ZipFile(tmp_path / "A.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.npy", npy(np.zeros(1_000_000)))
    assert (tmp_path / "A.npz").stat().st_size < 20_000
    with pytest.raises(cg.ArchiveError, match="more than 10,000 entries"):
        cg.read_graph(tmp_path / "A.npz")


def test_a_header_that_promises_more_than_there_is(tmp_path):
    header = npy(np.zeros(3)).replace(b"(3,)", b"(9" + b"0" * 10 + b",)")
    with zipfile.ZipFile(tmp_path / "A.npz", "w") as archive:
        for name in ("data", "row", "col", "shape"):
            archive.writestr(f"{name}.npy", header)
    with pytest.raises(cg.ArchiveError, match="damaged"):
        cg.read_graph(tmp_path / "A.npz")


def test_too_many_edges_for_dicts(path, monkeypatch):
    path.write_text(EDGES)
    monkeypatch.setattr(edge_table, "MAX_DICT_EDGES", 2)
    with pytest.raises(cg.ArchiveError, match="compiled=True"):
        cg.read_graph(path)
    assert cg.read_graph(path, compiled=True).number_of_edges == 3


def test_a_cycle_is_refused_with_its_nodes(path):
    path.write_text("source,target,weight\nx,a,1\na,b,1\nb,a,1\nb,y,1\n")
    with pytest.raises(cg.CycleError, match="a -> b -> a|b -> a -> b"):
        cg.sensitivity(cg.read_graph(path), "x", "y")
    with pytest.raises(cg.CycleError, match="a -> b -> a|b -> a -> b"):
        cg.read_graph(path, compiled=True)


def test_parallel_edges_of_a_compiled_graph_stay_apart(path):
    path.write_text("source,target,weight\nx,y,1\nx,y,2\n")
    assert cg.read_graph(path, compiled=True).top_paths("x", "y") == [(("x", "y"), 2.0), (("x", "y"), 1.0)]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda L, folder: cg.write_graph(L, folder / "graph.docx"), "not as '.docx'"),
        (lambda _, folder: cg.read_graph(folder / "graph.docx"), "not from '.docx'"),
        (lambda L, folder: cg.write_graph(L, folder / "g.json", nodes=folder / "n.csv"), "nodes= is for CSV"),
        (lambda L, folder: cg.write_graph(L, folder / "g.json", top=3), "give both"),
        (lambda _, folder: cg.read_graph(folder / "edges.csv", nodes="n.csv", compiled=True), "not compiled"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path, L, call, words):
    (tmp_path / "graph.docx").touch()
    with pytest.raises(cg.CGraphError, match=words):
        call(L, tmp_path)


def test_a_plain_copy_holds_nothing_of_ours():
    G = cg.ComputationalGraph(title="quiz")
    G.add_input("x", [1.0, 2.0])
    G.add_equation("y", "sum(x)")
    G.add_edge("y", "z", derivative=Fraction(1, 2), note=object(), parts=(np.float64(1.5), {"k": [1]}), odd=[object()])
    N = cg.to_networkx(G)
    assert type(N) is nx.DiGraph
    assert N.graph == {"title": "quiz"}
    assert N.nodes["x"] == {"role": "input", "value": [1.0, 2.0]}
    assert N.nodes["y"] == {"role": "operation", "equation": "sum(x)"}
    assert N.edges["y", "z"] == {"derivative": 0.5, "parts": [1.5, {"k": [1]}]}
    json.dumps(node_link(N, edges="links"))


def test_the_command_takes_files_of_edges(run, path):
    path.write_text(EDGES)
    status, out, _ = run("paths", path, "--from", "x", "--to", "y", "--top", "20", "--format", "csv")
    assert (status, out) == (0, "from,to,path,product\nx,y,x -> a -> y,10.0\nx,y,x -> y,3.0\n\n".rstrip("\n") + "\n")
    for command in (["show", path], ["sensitivity", path], ["eval", path], ["draw", path, "--format", "dot"]):
        assert run(*command)[0] == 0
    path.write_text("source,target,weight\nx,y,much\n")
    status, _, err = run("sensitivity", path)
    assert status == 3
    assert f"{path}:2:5: error: the weight of the edge is needed" in err


def test_the_command_tells_specs_from_graphs_in_json(run, tmp_path):
    path = tmp_path / "graph.json"
    path.write_text('{"nodes": [{"id": "x"}, {"id": "y"}], "links": [{"source": "x", "target": "y", "weight": 2}]}')
    assert run("sensitivity", path, "--from", "x", "--to", "y")[1] == "S(x, y) = 2\n"
    path.write_text('{"inputs": {"x": 3}, "nodes": {"y": "x^2"}}')
    assert run("sensitivity", path, "--from", "x", "--to", "y")[1] == "S(x, y) = 6\n"
    assert run("sensitivity", tmp_path / "none.json")[0] == 2
    assert run("sensitivity", tmp_path / "none.pt")[0] == 2
