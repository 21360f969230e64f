"""Node-link JSON: a list of nodes and one of links, as networkx, D3 and circuit-tracer write it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from cgraph.frontends.edge_columns import DERIVATIVES, SOURCES, TARGETS
from cgraph.frontends.edge_table import EdgeTable
from cgraph.model.errors import Problem, SpecError, nearest, shorten
from cgraph.specs.documents import Document
from cgraph.specs.formats import parse_document, read_text

__all__ = ["NodeLink", "read_node_link"]

IDS = ("id", "node_id", "name")
MAX_PROBLEMS = 100


def read_node_link(path: Path, derivative: str | None) -> EdgeTable:
    """Read a node-link file.

    Raises
    ------
    SpecError
        With line and column of every mistake, up to a hundred.
    """
    return NodeLink(path).table(derivative)


class NodeLink:
    """A node-link document, taken apart.

    Attributes
    ----------
    document : Document
        The file.
    nodes : dict
        ``{name: attributes}``.
    links : list of (tail, head, attributes)
        In the order of the file.
    """

    def __init__(self, path: Path) -> None:
        name, text = read_text(path)
        self.document = parse_document(text, "json", name)
        self.document.raise_problems()
        data = self.document.data
        if not isinstance(data, dict) or not isinstance(data.get("nodes"), list):
            self._fail((), "a graph in JSON is an object with a list of 'nodes' and one of 'links'")
        self.key = "links" if "links" in data else "edges"
        if not isinstance(data.get(self.key), list):
            self._fail((), "there is no list of 'links' or 'edges' beside the nodes")
        if data.get("directed") is False:
            self._fail(("directed",), "the graph is undirected; the edges of a graph of derivatives have a direction")
        self.ids: list[str] = []
        self.nodes = self._nodes(data["nodes"])
        self.links = self._links(data[self.key])
        self.document.raise_problems()

    def table(self, derivative: str | None) -> EdgeTable:
        """Return the edges, with z from the attribute `derivative`."""
        z = [self._number(e, attributes, derivative) for e, (_, _, attributes) in enumerate(self.links)]
        self.document.raise_problems()
        position = dict(zip(self.nodes, range(len(self.nodes)), strict=True))
        names = dict.fromkeys(name for _, _, attributes in self.links for name in attributes)
        data = self.document.data
        return EdgeTable(
            list(self.nodes),
            np.array([position[i] for i, _, _ in self.links], np.intp),
            np.array([position[j] for _, j, _ in self.links], np.intp),
            np.array(z, np.float64),
            {name: [attributes.get(name) for _, _, attributes in self.links] for name in names},
            self.nodes,
            {**data["graph"]} if isinstance(data.get("graph"), dict) else {},
            mistake=self._mistake,
        )

    def _nodes(self, nodes: list[Any]) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for k, node in enumerate(nodes):
            key = next((key for key in IDS if isinstance(node, dict) and key in node), None)
            if key is None or isinstance(node[key], bool) or not isinstance(node[key], str | int) or node[key] == "":
                self._report(("nodes", k), f"a node is an object with a name under {', '.join(map(repr, IDS))}")
                continue
            name = str(node[key])
            if name in found:
                self._report(("nodes", k, key), f"two nodes are named {name!r}")
            found[name] = {attribute: value for attribute, value in node.items() if attribute not in {key, "id"}}
            self.ids.append(name)
        return found

    def _links(self, links: list[Any]) -> list[tuple[str, str, dict[str, Any]]]:
        found = []
        for e, link in enumerate(links):
            if not isinstance(link, dict):
                self._report((self.key, e), "a link is an object with 'source' and 'target'")
                continue
            ends = [self._end(e, link, names) for names in (SOURCES, TARGETS)]
            rest = {name: value for name, value in link.items() if name not in (*SOURCES, *TARGETS)}
            if ends[0] is not None and ends[1] is not None:
                found.append((ends[0], ends[1], rest))
        return found

    def _end(self, e: int, link: dict[str, Any], names: tuple[str, ...]) -> str | None:
        key = next((name for name in names if name in link), None)
        if key is None:
            self._report((self.key, e), f"the link has no {names[0]!r}")
            return None
        name, number = str(link[key]), link[key]
        if name in self.nodes:
            return name
        if type(number) is int and 0 <= number < len(self.ids):  # D3 numbers the nodes
            return self.ids[number]
        hint = nearest(name, self.nodes)
        suggestion = f"did you mean {hint!r}?" if hint else ""
        self._report((self.key, e, key), f"there is no node {shorten(name)!r}", suggestion)
        return None

    def _number(self, e: int, attributes: dict[str, Any], derivative: str | None) -> float:
        names = DERIVATIVES if derivative is None else (derivative,)
        key = next((name for name in names if name in attributes), None)
        if key is None:
            self._report((self.key, e), f"the link has no {' or '.join(map(repr, names))}")
            return math.nan
        value = attributes.pop(key)
        try:
            is_finite = not isinstance(value, bool | str) and math.isfinite(value)
        except (TypeError, OverflowError):
            is_finite = False
        if not is_finite:
            self._report((self.key, e, key), f"{shorten(repr(value))} is not a finite number")
            return math.nan
        return float(value)

    def _report(self, place: tuple[str | int, ...], message: str, hint: str = "") -> None:
        self.document.report(place, message, hint)
        if len(self.document.problems) >= MAX_PROBLEMS:
            self.document.raise_problems()

    def _fail(self, place: tuple[str | int, ...], message: str) -> None:
        self._report(place, message)
        self.document.raise_problems()

    def _mistake(self, e: int, message: str) -> SpecError:
        document = Document(self.document.name, self.document.lines, self.document.data, lambda: self.document.places)
        document.report((self.key, e), message)
        problems: list[Problem] = document.problems
        return SpecError(document.name, problems)
