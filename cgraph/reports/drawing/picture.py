"""What a picture shows, as data: which nodes and edges, the text on them, and what stands out.

Nothing here computes a derivative: the numbers are those of the graph and of the sweeps over it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import networkx as nx
import numpy as np

from cgraph.algorithms.diagnostics import SHUT, gates
from cgraph.algorithms.engines import sensitivities, sensitivities_from
from cgraph.algorithms.paths import top_paths
from cgraph.model.errors import DrawingError, MissingValueError, nearest, shorten, show_count
from cgraph.model.graph import Node, require_node
from cgraph.model.linearized import edge_derivative, nodes_between, require_digraph
from cgraph.model.neurons import linear_halves
from cgraph.reports.drawing.emphasis import PLAIN, Stroke, strokes_by_budget, strokes_by_flow, strokes_by_path
from cgraph.reports.drawing.extent import Extent, bands_of, extent_of
from cgraph.reports.drawing.words import Line, equation_lines, name_lines, show_names, show_quantity, typeset_equation
from cgraph.reports.tables import show_number
from cgraph.vocabulary import SHOWN

__all__ = ["SHOWN", "Picture", "PictureEdge", "PictureNode", "picture_of"]

MAX_LABELS = 150  # edges; more labels than that nobody reads
MAX_TITLE = 100  # characters
KINDS = ("input", "weight", "constant", "operation", "neuron")


@dataclass(frozen=True)
class PictureNode:
    """A node: what it is (a row of the palette), what is written in it, its tooltip, and what marks it."""

    node: Any
    kind: str
    lines: tuple[Line, ...]
    tooltip: str
    marks: tuple[str, ...] = ()  # of "source", "target", "shut", "off"


@dataclass(frozen=True)
class PictureEdge:
    """An edge: its ends, its label, its tooltip, and how it is drawn."""

    tail: Any
    head: Any
    lines: tuple[Line, ...]
    tooltip: str
    stroke: Stroke = PLAIN


@dataclass(frozen=True)
class Picture:
    """A picture before it is laid out.

    Parameters
    ----------
    title : str
        What stands above.
    nodes, edges
        In the order of the graph.
    first : tuple of nodes
        The inputs, which stand in one column, in this order.
    halves : dict
        ``{"j-": "j+"}``, drawn as halves of one neuron.
    notes : tuple of Line
        What stands below: what thickness and colours mean, and what was left out.
    """

    title: str
    nodes: tuple[PictureNode, ...]
    edges: tuple[PictureEdge, ...]
    first: tuple[Any, ...] = ()
    halves: Mapping[Any, Any] = field(default_factory=dict)
    notes: tuple[Line, ...] = ()


def picture_of(
    G: nx.DiGraph[Any],
    *,
    s: Node | None = None,
    t: Node | None = None,
    show: Collection[str] | None = None,
    top: int | None = None,
    plain_names: bool = False,
) -> Picture:
    """Return what a picture of `G` shows; the arguments are those of `draw`."""
    require_digraph(G)
    require_node(G, *(i for i in (s, t) if i is not None))
    chosen = _default(G, s, t) if show is None else _checked(G, show, s, t)
    if top is not None and (s is None or t is None):
        raise DrawingError("the strongest paths lead from a node s to a node t; give both")
    paths = [] if top is None else top_paths(G, s, t, top)
    extent = extent_of(G, s, t, [path for path, _ in paths])
    if extent is None:
        return _banded(G, s, t, show)
    names = {i: str(i) for i in extent.nodes} if plain_names else show_names(extent.nodes)
    strokes: Mapping[Any, Stroke] = {}
    shares: Mapping[Any, float] = {}
    notes: list[Line] = []
    if "budget" in chosen:
        strokes, shares, notes = strokes_by_budget(G, t, names)
    elif s is not None and t is not None:
        strokes, notes = strokes_by_flow(G, s, t, names) if top is None else strokes_by_path(G, paths, top, names)
    place = extent.place()
    edges = [(i, j) for i, j in extent.edges if place[i] != place[j]]
    if show is None and len(edges) > MAX_LABELS:
        chosen -= {"derivatives", "weights"}
        notes.append(Line("note", f"{len(edges)} edges, without their labels"))
    if "sensitivities" in chosen:
        what = f"of {names[t]} with respect to the node" if t is not None else f"of the node with respect to {names[s]}"
        notes.append(Line("note", f"S: the derivative {what}"))
    facts = _Facts(G, extent, s, t, chosen, strokes, shares, names)
    runs = {run[0]: _run(run, names) for run in extent.runs}
    return Picture(
        _title(G),
        tuple(runs[i] if i in runs else facts.node(i) for i in extent.nodes if place[i] == i),
        tuple(replace(facts.edge(i, j), tail=place[i], head=place[j]) for i, j in edges),
        tuple(i for i in extent.nodes if facts.kinds[i] == "input"),
        {i: j for i, j in facts.halves.items() if place[i] == i not in runs and place[j] == j not in runs},
        (*notes, *(Line("note", text) for text in extent.notes)),
    )


def _run(run: Sequence[Any], names: Mapping[Any, str]) -> PictureNode:
    """Return the node that stands for nodes one after the other."""
    ends = f"{names[run[0]]} … {names[run[-1]]}"
    return PictureNode(
        run[0], "layer", (Line("name", ends), Line("value", _count(len(run), "node"))), " → ".join(map(str, run))
    )


def _default(G: nx.DiGraph[Any], s: Node | None, t: Node | None) -> set[str]:
    """Return what is shown unless something else is asked for: the numbers that the graph holds."""
    chosen = {"names"}
    if any(d.get("value") is not None for _, d in G.nodes(data=True)):
        chosen.add("values")
    chosen.add("derivatives" if all("derivative" in d for *_, d in G.edges(data=True)) else "weights")
    return chosen | ({"sensitivities"} if s is not None or t is not None else set())


def _checked(G: nx.DiGraph[Any], show: Collection[str], s: Node | None, t: Node | None) -> set[str]:
    for word in show:
        if word not in SHOWN:
            hint = nearest(str(word), SHOWN)
            advice = f"did you mean {hint!r}?" if hint else f"it can show {', '.join(SHOWN)}"
            raise DrawingError(f"a picture cannot show {str(word)!r}; {advice}")
    if "sensitivities" in show and s is None and t is None:
        raise DrawingError("the sensitivities are those of one node t, or to one node s; give t or s")
    if "budget" in show and (t is None or s is not None):
        raise DrawingError("the budget is that of one node t, from all that is uncertain; give t, and no s")
    for j, data in G.nodes(data=True):
        if "values" in show and data.get("role") in KINDS and data.get("value") is None:
            raise MissingValueError(f"node {j!r} has no value to show; run linearize(G), or do not show values")
    return set(show)


class _Facts:
    """What is known of the nodes and edges that are drawn, and how it is written on them."""

    def __init__(
        self, G: nx.DiGraph[Any], extent: Extent, s: Any, t: Any, chosen: set[str], strokes: Mapping[Any, Stroke],
        shares: Mapping[Any, float], names: Mapping[Any, str],
    ) -> None:  # fmt: skip
        self.G, self.s, self.t, self.chosen, self.strokes, self.names = G, s, t, chosen, strokes, names
        self.shares = shares
        self.functions: tuple[str, ...] = getattr(G, "functions", ())
        self.S = sensitivities(G, t) if t is not None else sensitivities_from(G, s) if s is not None else {}
        self.z = edge_derivative(G, "derivative")
        self.gate = gates(G) if all("derivative" in d for *_, d in G.edges(data=True)) else {}
        drawn = set(extent.nodes)
        self.halves = {i: j for i, j in linear_halves(G).items() if i in drawn and j in drawn}
        self.kinds = {i: _kind(G, i) for i in extent.nodes} | dict.fromkeys(self.halves, "linear")
        self.kinds |= dict.fromkeys(self.halves.values(), "activation")
        self.kinds |= {i: "loss" for i in [_loss(G)] if i in drawn}
        self.on_paths = {i for edge, stroke in strokes.items() if stroke.kind != "off" for i in edge} | {s, t}

    def node(self, i: Any) -> PictureNode:
        """Return node `i` with the lines that were chosen."""
        data, kind, marks = self.G.nodes[i], self.kinds[i], []
        lines = [Line("name", line) for line in name_lines(self.names[i])] if "names" in self.chosen else []
        if "equations" in self.chosen and (text := _equation(data, self.names, self.functions)):
            lines += [Line("equation", line) for line in equation_lines(text)]
        if "values" in self.chosen and data.get("value") is not None:
            lines.append(Line("value", show_quantity(data["value"])))
        if i in self.gate and np.all(np.abs(self.gate[i]) <= SHUT):
            marks.append("shut")
            lines.append(Line("gate", f"gate {show_quantity(self.gate[i])}"))
        elif kind == "activation" and i in self.gate and "derivatives" in self.chosen:
            lines.append(Line("gate", f"Φ′ = {show_quantity(self.gate[i])}"))
        if "sensitivities" in self.chosen:
            lines.append(Line("sensitivity", f"S = {show_quantity(self.S[i])}"))
        marks += [mark for mark, end in (("source", self.s), ("target", self.t)) if end is not None and i == end]
        marks += ["off"] if self.strokes and i not in self.on_paths else []
        return PictureNode(i, kind, tuple(lines), self.node_tooltip(i), tuple(marks))

    def edge(self, i: Any, j: Any) -> PictureEdge:
        """Return edge (i, j) with the label that was chosen."""
        data, lines = self.G.edges[i, j], []
        if "weights" in self.chosen and data.get("weight") is not None:
            lines.append(Line("weight", f"w = {show_quantity(data['weight'])}"))
        if "derivatives" in self.chosen and self.halves.get(i) != j:
            lines.append(Line("derivative", show_quantity(self.z(i, j))))
        if (i, j) in self.shares:
            lines.append(Line("share", f"{100 * self.shares[i, j]:.3g}%"))
        return PictureEdge(i, j, tuple(lines), self.edge_tooltip(i, j), self.strokes.get((i, j), PLAIN))

    def node_tooltip(self, i: Any) -> str:
        """Return all that is known of node `i`, in full."""
        data = self.G.nodes[i]
        told = [f"{i} ({self.kinds[i]})", data.get("equation", ""), data.get("activation", "")]
        told += [f"{word} {_in_full(data[word])}" for word in ("value", "gate") if data.get(word) is not None]
        if self.S:
            s, t = (i, self.t) if self.t is not None else (self.s, i)
            told.append(f"S({s}, {t}) = {_in_full(self.S[i])}")
        return "\n".join(filter(None, told))

    def edge_tooltip(self, i: Any, j: Any) -> str:
        """Return all that is known of edge (i, j), in full."""
        data = self.G.edges[i, j]
        known = [f"{word} {_in_full(data[word])}" for word in ("weight", "derivative") if data.get(word) is not None]
        return "\n".join([f"{i} → {j}", *known])


def _title(G: nx.DiGraph[Any]) -> str:
    return shorten(str(G.graph.get("title", "")), MAX_TITLE)


def _kind(G: nx.DiGraph[Any], i: Any) -> str:
    role = G.nodes[i].get("role")
    return role if role in KINDS else "operation" if G.pred[i] else "input"


def _loss(G: nx.DiGraph[Any]) -> Any:
    """Return the only output of a graph with weights, if an equation computes it; or else None."""
    outputs = getattr(G, "outputs", [])
    weighted = getattr(G, "weights", []) or any("weight" in d for *_, d in G.edges(data=True))
    is_loss = len(outputs) == 1 and weighted and G.nodes[outputs[0]].get("role") == "operation"
    return outputs[0] if is_loss else None


def _equation(data: Mapping[str, Any], names: Mapping[Any, str], functions: tuple[str, ...]) -> str:
    return typeset_equation(data["equation"], names, functions) if "equation" in data else data.get("activation", "")


def _in_full(value: Any) -> str:
    return show_number(value) if isinstance(value, float) else show_quantity(value)


def _banded(G: nx.DiGraph[Any], s: Node | None, t: Node | None, show: Collection[str] | None) -> Picture:
    """Return a picture with one node for each band of layers, and say what was asked for and cannot be shown."""
    both = s is not None and t is not None
    shown = G.subgraph({*nodes_between(G, s, t), s, t}) if both else G
    bands, between = bands_of(shown)
    nodes = []
    for k, band in enumerate(bands):
        layers = f"layer {band.first}" if band.first == band.last else f"layers {band.first} to {band.last}"
        lines = (Line("name", layers), Line("value", _count(band.nodes, "node")))
        nodes.append(PictureNode(k, "layer", lines, f"{layers}: {lines[1].text}"))
    edges = [
        PictureEdge(a, b, (Line("derivative", _count(edges, "edge")),), f"{_count(edges, 'edge')}")
        for (a, b), edges in between.items()
    ]
    size = f"{_count(len(shown), 'node')} and {_count(shown.number_of_edges(), 'edge')}"
    if both:
        notes = [f"{size} between {s} and {t}, by their distance from {s}; with top=K, the K strongest paths are drawn"]
    else:
        notes = [
            f"{size}, by their distance from the inputs; with s and t, the part between them is drawn if it is small"
        ]
    missing = [*([] if show is None else show), *["sensitivities"] * (s is not None or t is not None)]
    if missing:
        notes.append(f"not shown, for there are too many nodes: {', '.join(dict.fromkeys(missing))}")
    return Picture(_title(G), tuple(nodes), tuple(edges), notes=tuple(Line("note", note) for note in notes))


def _count(count: int, what: str) -> str:
    return f"{show_count(count)} {what}{'s' * (count != 1)}"
