"""Graphs as files for other programs: Gephi, Cytoscape, pandas, D3."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np

from cgraph.algorithms import edge_sensitivities, sensitivities, top_paths
from cgraph.frontends.plain_graphs import to_networkx
from cgraph.frontends.sparse_files import write_sparse
from cgraph.model.errors import ArchiveError, CGraphError
from cgraph.model.files import write_whole
from cgraph.model.graph import Node
from cgraph.model.linearized import with_derivative
from cgraph.model.optional import optional_library

__all__ = ["write_graph"]


def write_graph(
    L: nx.DiGraph[Any],
    path: str | os.PathLike[str],
    *,
    s: Node | None = None,
    t: Node | None = None,
    top: int = 0,
    nodes: str | os.PathLike[str] | None = None,
    derivative: str = "derivative",
) -> None:
    """Write a graph as a file that `read_graph` and other programs read, whole or not at all.

    Parameters
    ----------
    L : networkx.DiGraph
        Linearized. Not modified.
    path : path-like
        The suffix says the format, as in `read_graph`: ``.csv``, ``.tsv``, ``.parquet``, ``.json``, ``.graphml``,
        ``.gexf`` or ``.npz``, which keeps the derivatives alone.
    s, t : node, optional
        With `t`, each node gets the attribute ``sensitivity`` = S(i,t). With both, each edge gets ``flow``, what flows
        from s to t through it (`edge_sensitivities`).
    top : int, default 0
        With `s` and `t`: each edge on one of so many strongest paths gets ``path_product``, the product along the
        strongest path through it, and ``path_rank``, the rank of that path, from 1.
    nodes : path-like, optional
        For CSV and Parquet, which hold edges: a second file for the attributes of the nodes.
    derivative : str, default "derivative"
        The edge attribute that holds dy(j)/dy(i); in the file it is ``derivative``.

    Raises
    ------
    ArchiveError
        If the format is not known.
    CGraphError
        As `sensitivities`, `edge_sensitivities` and `top_paths`; if `top` is asked for without both ends; if the
        derivatives are Jacobians and the format holds numbers only.
    OSError
        If the file cannot be written.

    Notes
    -----
    O(V + E), the sweeps included. In GraphML, GEXF, CSV and Parquet, lists (arrays, Jacobians) are written as JSON text.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> G = nx.DiGraph()
    >>> G.add_weighted_edges_from([("x", "a", 2.0), ("a", "y", 5.0), ("x", "y", 3.0)], "derivative")
    >>> with TemporaryDirectory() as folder:
    ...     write_graph(G, f"{folder}/edges.csv", s="x", t="y", top=1)
    ...     print(Path(folder, "edges.csv").read_text())
    source,target,derivative,flow,path_product,path_rank
    x,a,2.0,10.0,10.0,1
    x,y,3.0,3.0,,
    a,y,5.0,10.0,10.0,1
    <BLANKLINE>
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _WRITERS:
        raise ArchiveError(f"graphs are written as {', '.join(_WRITERS)}, not as {suffix or str(path)!r}")
    if nodes is not None and suffix not in _TABLES:
        raise CGraphError("nodes= is for CSV and Parquet; the other formats hold the nodes beside the edges")
    L = with_derivative(L, derivative)
    N = to_networkx(L)
    _annotate(N, L, s, t, top)
    write_whole(path, _WRITERS[suffix](N))
    if nodes is not None:
        rows = ({"node": i, **data} for i, data in N.nodes(data=True))
        write_whole(nodes, _TABLES[Path(nodes).suffix.lower()](rows, ["node"]))


def _annotate(N: nx.DiGraph[Any], L: nx.DiGraph[Any], s: Node | None, t: Node | None, top: int) -> None:
    """Put sensitivities, flows and products of paths on the plain copy `N` of `L`."""
    if top and (s is None or t is None):
        raise CGraphError("paths lead from s to t; give both")
    if t is not None:
        nx.set_node_attributes(N, _numbers(sensitivities(L, t)), "sensitivity")
    if s is None or t is None:
        return
    nx.set_edge_attributes(N, _numbers(edge_sensitivities(L, s, t)), "flow")
    for rank, (path, product) in enumerate(top_paths(L, s, t, k=top), start=1):
        for edge in pairwise(path):
            N.edges[edge].setdefault("path_product", product)
            N.edges[edge].setdefault("path_rank", rank)


def _numbers(found: dict[Any, Any]) -> dict[Any, Any]:
    return {key: S.tolist() if isinstance(S, np.ndarray) else float(S) for key, S in found.items()}


def _as_csv(rows: Iterable[dict[str, Any]], first: list[str], delimiter: str = ",") -> str:
    rows = list(rows)
    columns = [*first, *dict.fromkeys(name for row in rows for name in row if name not in first)]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _as_text(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _as_parquet(rows: Iterable[dict[str, Any]], first: list[str]) -> bytes:
    pa, parquet = optional_library("pyarrow", "scale"), optional_library("pyarrow.parquet", "scale")
    rows = list(rows)
    columns = [*first, *dict.fromkeys(name for row in rows for name in row if name not in first)]
    buffer = io.BytesIO()
    data = {name: _one_type([_as_text(row.get(name)) for row in rows]) for name in columns}
    parquet.write_table(pa.table(data), buffer)
    return buffer.getvalue()


def _one_type(column: list[Any]) -> list[Any]:
    """Return a column of text, unless all that it holds is of one type."""
    if len({type(value) for value in column if value is not None}) <= 1:
        return column
    return [None if value is None else str(value) for value in column]


def _as_text(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def _edge_rows(N: nx.DiGraph[Any]) -> Iterable[dict[str, Any]]:
    return ({"source": i, "target": j, **data} for i, j, data in N.edges(data=True))


def _as_json(N: nx.DiGraph[Any]) -> str:
    data = {
        "directed": True,
        "multigraph": False,
        "graph": N.graph,
        "nodes": [{"id": i, **attributes} for i, attributes in N.nodes(data=True)],
        "links": list(_edge_rows(N)),
    }
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def _as_xml(write: Callable[..., None]) -> Callable[[nx.DiGraph[Any]], bytes]:
    def content(N: nx.DiGraph[Any]) -> bytes:
        flat: nx.DiGraph[Any] = nx.DiGraph(**{name: _as_text(value) for name, value in N.graph.items()})
        flat.add_nodes_from((i, {k: _as_text(v) for k, v in data.items()}) for i, data in N.nodes(data=True))
        flat.add_edges_from((i, j, {k: _as_text(v) for k, v in data.items()}) for i, j, data in N.edges(data=True))
        buffer = io.BytesIO()
        write(flat, buffer)
        return buffer.getvalue()

    return content


def _as_sparse(N: nx.DiGraph[Any]) -> bytes:
    position = dict(zip(N, range(len(N)), strict=True))
    z = [data.get("derivative") for _, _, data in N.edges(data=True)]
    if not all(isinstance(number, int | float) for number in z):
        raise CGraphError("a sparse matrix holds a number for each edge, and some edges hold a Jacobian or nothing")
    ends = np.array([[position[i], position[j]] for i, j in N.edges], np.int64).reshape(-1, 2)
    return write_sparse(len(N), ends[:, 0], ends[:, 1], np.array(z, np.float64))


_TABLES: dict[str, Callable[..., str | bytes]] = {
    ".csv": _as_csv,
    ".tsv": lambda rows, first: _as_csv(rows, first, "\t"),
    ".parquet": _as_parquet,
}
_WRITERS: dict[str, Callable[[nx.DiGraph[Any]], str | bytes]] = {
    ".csv": lambda N: _as_csv(_edge_rows(N), ["source", "target"]),
    ".tsv": lambda N: _as_csv(_edge_rows(N), ["source", "target"], "\t"),
    ".parquet": lambda N: _as_parquet(_edge_rows(N), ["source", "target"]),
    ".json": _as_json,
    ".graphml": _as_xml(nx.write_graphml_xml),
    ".gexf": _as_xml(nx.write_gexf),
    ".npz": _as_sparse,
}
