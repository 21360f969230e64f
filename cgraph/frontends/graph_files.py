"""Files of graphs with numbers on their edges: which format a file has, and reading and writing it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal, overload

from cgraph.algorithms import CompiledGraph
from cgraph.frontends.csv_edges import read_csv_attributes, read_csv_edges
from cgraph.frontends.edge_table import EdgeTable, node_attributes
from cgraph.frontends.node_link import read_node_link
from cgraph.frontends.parquet_edges import read_parquet_attributes, read_parquet_edges
from cgraph.frontends.sparse_files import read_sparse
from cgraph.frontends.xml_graphs import read_xml_graph
from cgraph.model.errors import ArchiveError, CGraphError
from cgraph.model.graph import ComputationalGraph

__all__ = ["is_graph_file", "read_edge_table", "read_graph"]

MAX_BYTES = 20_000_000_000  # of a table; the other formats have limits of their own
COLUMNS = (".csv", ".tsv", ".parquet")
SUFFIXES = (*COLUMNS, ".json", ".graphml", ".gexf", ".npz")
PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".joblib")
_LIST_OF_NODES = re.compile(rb'"nodes"\s*:\s*\[')  # in a spec they are a mapping


@overload
def read_graph(
    path: str | os.PathLike[str],
    derivative: str | None = ...,
    *,
    nodes: str | os.PathLike[str] | None = ...,
    compiled: Literal[False] = ...,
) -> ComputationalGraph: ...
@overload
def read_graph(
    path: str | os.PathLike[str], derivative: str | None = ..., *, compiled: Literal[True]
) -> CompiledGraph: ...
def read_graph(
    path: str | os.PathLike[str],
    derivative: str | None = None,
    *,
    nodes: str | os.PathLike[str] | None = None,
    compiled: bool = False,
) -> ComputationalGraph | CompiledGraph:
    r"""Read a graph with a number on each edge, as other programs write it.

    Parameters
    ----------
    path : path-like
        The suffix says the format:

        - ``.csv``, ``.tsv``: a line for each edge below a line of column names. The columns ``source`` (or ``from``,
          ``tail``) and ``target`` (``to``, ``head``) hold the ends. Commas, semicolons, tabs and bars separate.
        - ``.parquet``: the same columns (extra ``scale``).
        - ``.json``: ``nodes`` and ``links`` (or ``edges``), as networkx and D3 write them.
        - ``.graphml``, ``.gexf``: directed graphs, as Gephi and Cytoscape write them.
        - ``.npz``: a matrix that ``scipy.sparse.save_npz`` wrote; entry (i, j) is z(i,j) of the edge from node i to
          node j, named by their numbers as text.
    derivative : str, optional
        The attribute or column that holds z(i,j) = dy(j)/dy(i); by default ``derivative``, or else ``weight``.
    nodes : path-like, optional
        For edges in CSV or Parquet: a second table with the attributes of the nodes, named by its column ``node``
        (or ``id``, ``name``).
    compiled : bool, default False
        Return a `CompiledGraph`, 16 bytes for each edge, for graphs of many millions of edges. It holds no attributes,
        and parallel edges stay apart.

    Returns
    -------
    ComputationalGraph or CompiledGraph
        The derivative stands on each edge as ``derivative``; all other attributes of graph, nodes and edges are kept
        under their names; one that the library uses itself, such as ``weight`` beside the derivative, gets an underscore.
        Nodes are named by text. The nodes of a table stand in the order in which they occur as
        tails, then as heads.

    Raises
    ------
    SpecError
        If a text file has mistakes: line, column and what is wrong, for up to a hundred of them.
    ArchiveError
        If a file is damaged, too large, or of no known format. Pickles are not read, because reading one runs code.
    ExtraMissingError
        If the format needs a library that is not installed.
    OSError
        If the file cannot be opened.

    See Also
    --------
    write_graph : the same formats, written.
    read_attribution_graph : attribution graphs, with their contributions made into derivatives.

    Notes
    -----
    O(V + E). The file is data: nothing in it is executed. A cycle is refused, with its nodes, by the first question
    that needs an order.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from cgraph import sensitivity
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "edges.csv")
    ...     _ = path.write_text("source,target,weight,kind\nx,a,2.0,direct\na,y,5.0,direct\nx,y,3.0,bypass\n")
    ...     L = read_graph(path)
    >>> L.edges["x", "y"], sensitivity(L, "x", "y")
    ({'derivative': 3.0, 'kind': 'bypass'}, 13.0)
    """
    table = read_edge_table(path, derivative, attributes=not compiled)
    if nodes is None:
        return table.as_compiled() if compiled else table.as_graph()
    if Path(path).suffix.lower() not in COLUMNS or compiled:
        raise CGraphError("nodes= adds attributes to the edges of a CSV or Parquet file, not compiled")
    return _with_attributes(table.as_graph(), Path(nodes))


def read_edge_table(path: str | os.PathLike[str], derivative: str | None, *, attributes: bool = True) -> EdgeTable:
    """Return the edges of a file in any of the formats; without `attributes` of what has columns, the ends and z alone."""
    path = Path(path)
    if path.stat().st_size > MAX_BYTES:
        raise ArchiveError(f"{str(path)!r} is larger than {MAX_BYTES // 10**9} GB")
    match path.suffix.lower():
        case ".csv" | ".tsv":
            return read_csv_edges(path, derivative, attributes=attributes)
        case ".parquet":
            return read_parquet_edges(path, derivative, attributes=attributes)
        case ".json":
            return read_node_link(path, derivative)
        case ".graphml" | ".gexf":
            return read_xml_graph(path, derivative)
        case ".npz":
            return read_sparse(path)
        case suffix if suffix in PICKLES:
            raise ArchiveError(
                f"{str(path)!r} is a pickle, and reading a pickle can run code; "
                f"export the graph as JSON, CSV or Parquet where it was made"
            )
        case suffix:
            raise ArchiveError(f"graphs are read from {', '.join(SUFFIXES)}, not from {suffix or str(path)!r}")


def is_graph_file(path: str | os.PathLike[str]) -> bool:
    """Whether `read_graph` reads a file, rather than `read_spec`.

    Raises
    ------
    OSError
        If a JSON file, whose content decides, cannot be opened.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".json":
        with Path(path).open("rb") as file:
            return _LIST_OF_NODES.search(file.read(200_000_000)) is not None
    return suffix in SUFFIXES or suffix in PICKLES


def _with_attributes(G: ComputationalGraph, path: Path) -> ComputationalGraph:
    read = read_parquet_attributes if path.suffix.lower() == ".parquet" else read_csv_attributes
    for i, attributes in read(path).items():
        G.add_node(i, **node_attributes(attributes))
    return G
