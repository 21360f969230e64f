"""One HTML file with the picture, the library's numbers, and a script that steps through them."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.resources import files
from itertools import pairwise
from string import Template
from typing import Any, NamedTuple

import networkx as nx

from cgraph.algorithms.engines import sensitivities
from cgraph.model.errors import DrawingError
from cgraph.model.evaluation import is_computed
from cgraph.model.files import write_whole
from cgraph.model.graph import ComputationalGraph, Node, require_digraph, require_node, topological_order
from cgraph.model.linearized import edge_derivative, nodes_between, with_derivative
from cgraph.model.operations.elementwise import ALIASES, CONSTANTS, OPERATIONS, name_of
from cgraph.model.values import show_shape
from cgraph.reports.drawing.extent import MAX_EDGES, MAX_NODES, fits
from cgraph.reports.drawing.layout import lay_out
from cgraph.reports.drawing.picture import MAX_LABELS, Picture, picture_of
from cgraph.reports.drawing.svg import to_svg
from cgraph.reports.drawing.words import Line, is_array, one_number, show_names
from cgraph.reports.pages.node_rules import derivative_steps, is_elementary, node_rule, own_rows
from cgraph.reports.pages.operations_script import operations_script
from cgraph.transforms.structure import restrict

__all__ = ["StepMistakes", "page"]

ALL_PAIRS = 60  # nodes; of a larger graph, the file holds the sensitivities of one target
PATHS = 40  # as many of the strongest are walked
SCRIPTS = (
    "operations.js", "sweeps.js", "formulas.js", "steps.js", "answers.js", "page.js", "exercise.js", "changes.js", "start.js"
)  # fmt: skip
WIDEST = "−0.0004e−00"  # room for any number that the page may show


class StepMistakes(NamedTuple):
    """What typical mistakes lead to at the steps of a page.

    Attributes
    ----------
    known : dict
        Lists of (number, what happened), or of (number, what, what) for two mistakes together, under ("y", j) for the value of
        a node, ("z", i, j) for a local derivative, ("S", i) for a sensitivity, ("p", i, ..., t) for the product of a path and
        ("w", i, j) for the gradient of a weight.
    rounded : str
        What is said of an answer that is near the right one.
    limits : dict
        How "near" that is, relative to the truth; how many "digits" an answer has before two mistakes are taken for its cause;
        how many explanations are listed at "most".
    """

    known: Mapping[tuple[Any, ...], list[tuple[Any, ...]]]
    rounded: str
    limits: Mapping[str, float]


def page(
    G: nx.DiGraph[Any],
    output: str | os.PathLike[str] | None = None,
    *,
    s: Node | None = None,
    t: Node | None = None,
    exercise: bool = False,
    mistakes: Callable[[nx.DiGraph[Any], Any, Any, int], StepMistakes] | None = None,
    derivative: str = "derivative",
) -> str:
    """Return a page that walks through the forward pass, the local derivatives, the backward sweep, the paths and the weights.

    Parameters
    ----------
    G : networkx.DiGraph
        Linearized. Of a graph that is too large to be drawn node by node (see `draw`), the page shows what lies between
        `s` and `t`. Not modified.
    output : path, optional
        Where the page is written, whole or not at all.
    s, t : node, optional
        The ends of the question; by default the first input and the first output. The reader can choose others.
    exercise : bool, default False
        Whether each answer is hidden until it is asked for, or typed rightly to three significant digits.
    mistakes : callable, optional
        What finds the numbers that typical mistakes lead to: `step_mistakes`. The page then names the mistake behind a wrong
        answer, as long as inputs, weights and `t` are those that it was made with.
    derivative : str, default "derivative"
        The edge attribute that holds dy(j)/dy(i).

    Returns
    -------
    str
        One file of HTML that needs no network and no other file.

    Raises
    ------
    DrawingError
        If what lies between `s` and `t` is too large, the graph has no edge, or is not one of real numbers; `scalarize` takes arrays apart.
    ExtraMissingError
        Without pygraphviz (extra ``draw``).
    CGraphError
        As `sensitivities`.

    Notes
    -----
    The page computes by the same recurrence as `sensitivities`, so that inputs and weights can be changed, and a step of
    gradient descent taken; this
    needs a graph in which every node is an input, or follows by an equation or as a neuron. The file also holds the
    numbers of this library, for all pairs up to 60 nodes, and the page says so if its own differ.

    The answers of an exercise are in the file: it is for practice, not for examinations.

    Examples
    --------
    >>> from cgraph import from_equations, linearize
    >>> text = page(linearize(from_equations("a = x*z; y = a + x", x=2.0, z=3.0)), s="x", t="y")
    >>> text.startswith("<!DOCTYPE html>"), "http" in text.replace("http-equiv", "").replace("http://www.w3.org", "")
    (True, False)
    """
    require_digraph(G)
    G = with_derivative(G, derivative)
    if not G.number_of_edges():
        raise DrawingError("a page needs edges, and this graph has none")
    order = topological_order(G)
    s = next(i for i in [*getattr(G, "inputs", []), *order] if G.succ[i]) if s is None else s
    t = next((i for i in getattr(G, "outputs", []) if G.pred[i]), order[-1]) if t is None else t
    require_node(G, s, t)
    note = ""
    if not fits(G):
        G, note = _between(G, s, t)
        order = topological_order(G)
    picture = _quiet(picture_of(G), bool(G.number_of_edges() <= MAX_LABELS))
    data = _data(G, order, picture, s, t) | {"exercise": exercise}
    if mistakes is not None:
        data["mistakes"] = _numbered(mistakes(G, s, t, PATHS), G)
    text = _filled(picture.title or f"S({s}, {t})", note, to_svg(lay_out(replace(picture, title=""))), data)
    if output is not None:
        write_whole(output, text)
    return text


def _between(G: nx.DiGraph[Any], s: Node, t: Node) -> tuple[nx.DiGraph[Any], str]:
    """Return what lies between two nodes of a large graph, if a page can show it, and what is said of that."""
    H: nx.DiGraph[Any] = G.subgraph(nodes_between(G, s, t))
    if not H or not fits(H):
        raise DrawingError(
            f"a page shows at most {MAX_NODES} nodes and {MAX_EDGES} edges, less if edges cross many layers; this graph "
            f"has {len(G):,} and {G.number_of_edges():,}, and between {s!r} and {t!r} lie {len(H):,} and "
            f"{H.number_of_edges():,}: choose two nodes that are nearer to each other"
        )
    note = f"{len(H)} of {len(G):,} nodes: those on paths from {s} to {t}"
    if not isinstance(G, ComputationalGraph):
        return H, f"{note}."
    H = restrict(G, str(s), str(t))  # with what their equations read besides
    if not fits(H):
        raise DrawingError(f"the nodes between {s!r} and {t!r} read {len(H):,} nodes, more than a page shows")
    return H, f"{note}, and what their equations read besides, which is held constant."


def _quiet(picture: Picture, labelled: bool) -> Picture:
    """Return the picture with room for numbers, which the page fills in, and tooltips that give nothing away."""
    nodes = []
    for n in picture.nodes:
        lines = [line for line in n.lines if line.kind == "name"] + [Line("value", WIDEST)]
        if n.kind == "activation":
            lines.append(Line("gate", f"Φ′ = {WIDEST}"))
        nodes.append(replace(n, lines=(*lines, Line("sensitivity", f"S = {WIDEST}")), tooltip=str(n.node), marks=()))
    label = (Line("derivative", WIDEST),) if labelled else ()
    halves = picture.halves
    edges = [
        replace(e, lines=() if halves.get(e.tail) == e.head else label, tooltip=f"{e.tail} → {e.head}")
        for e in picture.edges
    ]
    return replace(picture, nodes=tuple(nodes), edges=tuple(edges), notes=())


def _data(G: nx.DiGraph[Any], order: list[Any], picture: Picture, s: Node, t: Node) -> dict[str, Any]:
    """Return what the script needs to know; nodes are numbered in the order of the graph."""
    number = {i: k for k, i in enumerate(G)}
    names = show_names(G)
    z = edge_derivative(G, "derivative")
    values = [_real(G.nodes[i].get("value"), f"node {i!r}") for i in G]
    edge = {pair: e for e, pair in enumerate(G.edges)}
    formulas = {j: derivative_steps(G, j, number, edge) for j in G}
    edges: list[dict[str, Any]] = []
    for i, j, attributes in G.edges(data=True):
        edges.append({"tail": number[i], "head": number[j], "z": _real(z(i, j), f"edge {i!r} -> {j!r}")})
        if i in formulas[j]:
            edges[-1]["formula"] = formulas[j][i]
        if "activation" in G.nodes[j] and is_elementary(G, j):
            edges[-1]["weight"] = float(attributes["weight"])
        if picture.halves.get(i) == j:
            edges[-1]["half"] = True
    nodes = []
    for n, value in zip(picture.nodes, values, strict=True):
        nodes.append({"name": str(n.node), "shown": names[n.node], "kind": n.kind, "value": value,
                      **node_rule(G, n.node, names, number, edge)})  # fmt: skip
    targets = list(G) if len(G) <= ALL_PAIRS else [t]
    return {
        "nodes": nodes, "edges": edges, "order": [number[i] for i in order], "s": number[s], "t": number[t],
        "values": values, "refused": _refusal(G), "most_paths": PATHS,
        "constants": CONSTANTS, "aliases": ALIASES,
        "sensitivities": {number[k]: [_real(S, f"S({i}, {k})") for i, S in sensitivities(G, k).items()] for k in targets},
        "operations": {name: {"name": name_of(name), "infix": row.infix, "precedence": row.precedence, "takes": row.domain[1] if row.domain else ""}
                       for name, row in {**OPERATIONS, **own_rows(G)}.items()},
    }  # fmt: skip


def _numbered(mistakes: StepMistakes, G: nx.DiGraph[Any]) -> dict[str, Any]:
    """Return mistakes under the keys of the script's steps, each text once."""
    number = {i: str(k) for k, i in enumerate(G)}
    edge = {pair: str(e) for e, pair in enumerate(G.edges)}
    names: dict[str, int] = {}
    known = {}
    for (kind, *nodes), candidates in mistakes.known.items():
        key = kind + (number[nodes[0]] if kind in "yS" else "-".join(edge[pair] for pair in pairwise(nodes)))
        known[key] = [
            (float(f"{x:.13g}"), *(names.setdefault(what, len(names)) for what in whats)) for x, *whats in candidates
        ]
    return {"known": known, "names": [*names], "rounded": mistakes.rounded, **mistakes.limits}


def _refusal(G: nx.DiGraph[Any]) -> str:
    """Return why inputs cannot be changed, or ""."""
    for j in G:
        if is_computed(G, j) and not is_elementary(G, j):
            return f"The equation of {j} has operations on arrays, which this page cannot compute."
        if G.pred[j] and not is_computed(G, j):
            return f"The derivatives into {j} are given, not computed: nothing would follow from other inputs."
    return ""


def _real(value: Any, what: str) -> float | None:
    if is_array(value):
        raise DrawingError(
            f"a page shows graphs of numbers, and {what} holds {show_shape(value)}; scalarize(G) makes it one"
        )
    if isinstance(value, complex):
        raise DrawingError(f"a page shows graphs of real numbers, and {what} holds {value}")
    return None if value is None else float(one_number(value))


def _filled(title: str, note: str, svg: str, data: dict[str, Any]) -> str:
    """Return the page: every part in its place, and a policy that lets nothing else run and nothing be fetched."""
    room = files("cgraph.reports.pages")
    css = room.joinpath("page.css").read_text(encoding="utf-8")
    parts = [
        operations_script(name for name in data["operations"] if name_of(name) != name),
        *(room.joinpath(name).read_text(encoding="utf-8") for name in SCRIPTS),
    ]
    script = "\n".join(['"use strict";', *parts])
    style = svg[svg.index("<style>") + len("<style>") : svg.index("</style>")]
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(css)} {_hash(style)}; "
        "base-uri 'none'; form-action 'none'"
    )
    # Within a script element only "<" could end it; written as an escape, it is the same JSON.
    written = json.dumps(data, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")
    return Template(room.joinpath("page.html").read_text(encoding="utf-8")).substitute(
        policy=policy, title=html.escape(title), note=html.escape(note), css=css, svg=svg, data=written, script=script
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
