"""GraphML and GEXF, read and written by networkx."""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import networkx as nx
import numpy as np

from cgraph.frontends.edge_columns import DERIVATIVES
from cgraph.frontends.edge_table import EdgeTable
from cgraph.model.errors import ArchiveError, Problem, SpecError, shorten
from cgraph.specs.documents import problem_at
from cgraph.specs.formats import read_text

__all__ = ["read_xml_graph"]

MAX_CHARACTERS = 100_000_000
_READERS: dict[str, Callable[..., Any]] = {".graphml": nx.read_graphml, ".gexf": nx.read_gexf}
# What the readers raise at elements and values that make no sense to them.
_DAMAGE = (nx.NetworkXException, ValueError, LookupError, TypeError, AttributeError, RuntimeError)


def read_xml_graph(path: Path, derivative: str | None) -> EdgeTable:
    """Read a GraphML or GEXF file.

    Raises
    ------
    SpecError
        With line and column, if the XML is not well-formed or declares entities, which could stand for any amount of text.
    ArchiveError
        If the graph is undirected or has parallel edges, or an edge has no number.
    """
    graph = _parse(path)
    if not graph.is_directed() or graph.is_multigraph():
        what = "has parallel edges; add their derivatives up" if graph.is_directed() else "is undirected"
        raise ArchiveError(f"{str(path)!r}: the graph {what}")
    names = {i: str(i) for i in graph}
    position = dict(zip(graph, range(len(graph)), strict=True))
    edges = list(graph.edges(data=True))
    z = [_number(path, i, j, data, derivative) for i, j, data in edges]
    columns = dict.fromkeys(name for _, _, data in edges for name in data if name != "id")
    return EdgeTable(
        list(names.values()),
        np.array([position[i] for i, _, _ in edges], np.intp),
        np.array([position[j] for _, j, _ in edges], np.intp),
        np.array(z, np.float64),
        {name: [data.get(name) for _, _, data in edges] for name in columns},
        {names[i]: {k: v for k, v in data.items() if k != "label" or v != i} for i, data in graph.nodes(data=True)},
        {k: v for k, v in graph.graph.items() if k not in {"node_default", "edge_default", "mode"} and v},
    )


def _parse(path: Path) -> Any:
    name, text = read_text(path)
    if len(text) > MAX_CHARACTERS:
        raise ArchiveError(f"{name!r} is larger than {MAX_CHARACTERS // 10**6} MB; Parquet may hold more")
    if found := re.search(r"<!(DOCTYPE|ENTITY)", text):
        line = text.count("\n", 0, found.start()) + 1
        column = found.start() - (text.rfind("\n", 0, found.start()) + 1) + 1
        raise SpecError(name, [Problem(line, column, "a graph declares no document type and no entities")])
    try:
        with warnings.catch_warnings(action="ignore"):  # of keys without a type, whose values are text then
            return _READERS[path.suffix.lower()](io.BytesIO(_without_encoding(text).encode()))
    except ParseError as error:
        line, column = error.position
        message = f"not XML: {shorten(str(error))}"
        raise SpecError(name, [problem_at(text.split("\n"), line - 1, column, message)]) from None
    except _DAMAGE as error:
        kind = path.suffix.lower().removeprefix(".")
        raise ArchiveError(f"{name!r} is no {kind} file, or it is damaged: {shorten(str(error))}") from None


def _without_encoding(text: str) -> str:
    """Return XML that has been decoded already without what it says of its encoding."""
    return re.sub(r"^(\s*<\?xml[^>]*?)\s+encoding\s*=\s*(['\"]).*?\2", r"\1", text, count=1)


def _number(path: Path, i: Any, j: Any, data: dict[str, Any], derivative: str | None) -> float:
    names = DERIVATIVES if derivative is None else (derivative,)
    key = next((name for name in names if name in data), None)
    value = data.pop(key) if key is not None else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        found = (
            "no " + " or ".join(map(repr, names)) if key is None else f"{key} = {value!r}, which is no finite number"
        )
        raise ArchiveError(f"{str(path)!r}: edge {i!r} -> {j!r} has {found}")
    return float(value)
