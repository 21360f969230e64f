"""Where everything stands: Graphviz's dot lays out boxes that are as large as their text; no text goes through it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from cgraph.model.errors import shorten
from cgraph.reports.drawing.picture import Picture, PictureEdge, PictureNode
from cgraph.reports.drawing.words import Line, text_width
from cgraph.reports.extras import drawing_library

__all__ = [
    "GAP",
    "LABEL_SIZE",
    "NOTE_SIZE",
    "TITLE_SIZE",
    "Box",
    "Layout",
    "Route",
    "label_lines",
    "lay_out",
    "node_lines",
]

# Lengths are in points, and y grows downwards.
SIZES = {"name": 15.0, "equation": 12.0, "value": 12.0, "sensitivity": 12.0, "gate": 11.0}
LABEL_SIZE, TITLE_SIZE, NOTE_SIZE = 11.0, 16.0, 11.0
LEADING = 1.25  # a line's height, in font sizes
PADDING, MARGIN = 7.0, 14.0
GAP = 3.0  # between the two outlines of a loss
LEAST_WIDTH, LEAST_HEIGHT = 40.0, 34.0
WEIGHT_SCALE = 0.8  # weights are small squares
LEAST_NOTE = 300.0  # the width that notes have in a narrow picture
MAX_NOTE = 300  # characters
INCH = 72.0  # in which Graphviz measures sizes


Point = tuple[float, float]


class Box(NamedTuple):
    """A rectangle by its middle and its size."""

    x: float
    y: float
    width: float
    height: float


class Route(NamedTuple):
    """The way of an edge: the points of a Bezier curve, the tip of its arrow, and the box of its label."""

    curve: tuple[Point, ...]
    tip: Point
    label: Box | None


@dataclass(frozen=True)
class Layout:
    """A picture with a place for everything.

    The edge between the halves of a neuron has no route: it is the line at which they meet. `title` is
    the middle of the line above; `notes` are the lines below, with their left ends.
    """

    picture: Picture
    width: float
    height: float
    nodes: Mapping[Any, Box]
    edges: Mapping[tuple[Any, Any], Route]
    title: Point
    notes: Sequence[tuple[Line, Point]]


def lay_out(picture: Picture) -> Layout:
    """Return the layout of `picture`: left to right, the inputs in their order in the first column.

    Raises
    ------
    ExtraMissingError
        Without pygraphviz.
    """
    sizes = _sizes(picture)
    A = drawing_library("pygraphviz").AGraph(directed=True, strict=True)
    A.graph_attr.update(rankdir="LR", nodesep="0.28", ranksep="0.45")
    A.node_attr.update(shape="box", fixedsize="true", label="")
    A.edge_attr.update(arrowsize="0.7")
    linear = {j: i for i, j in picture.halves.items()}  # the pair stands under the name of its first half
    key = {n.node: f"n{k}" for k, n in enumerate(picture.nodes)}
    key |= {j: key[i] for j, i in linear.items()}
    for n in picture.nodes:
        if n.node not in linear:
            width, height = sizes[n.node]
            width += sizes[picture.halves[n.node]][0] if n.node in picture.halves else 0
            A.add_node(key[n.node], width=f"{width / INCH:.4f}", height=f"{height / INCH:.4f}")
    for e in picture.edges:
        if key[e.tail] != key[e.head]:
            A.add_edge(key[e.tail], key[e.head], **({"label": _blank(*_label_size(e))} if e.lines else {}))
    _stack(A, [key[i] for i in picture.first], "min")
    # Graphviz loses the order of nodes that no edge holds: an unused input gets an edge that is not seen.
    tails = {e.tail for e in picture.edges}
    for i in picture.first if picture.edges else ():
        if i not in tails:
            A.add_edge(key[i], key[picture.edges[-1].head], style="invis")
    for alike in _alike(picture, key):
        _stack(A, alike, "same")
    A.layout("dot")
    return _placed(picture, sizes, key, A)


def _stack(A: Any, column: Sequence[str], rank: str) -> None:
    """Let nodes stand in one column, in this order."""
    # Only neighbours are tied: with more edges within a column Graphviz has been seen to crash.
    A.add_subgraph(column, rank=rank)
    for i, j in pairwise(column):
        A.add_edge(i, j, style="invis")


def _alike(picture: Picture, key: Mapping[Any, str]) -> list[list[str]]:
    """Return the groups of nodes with the same tails and heads, as the neurons of a layer have.

    The order of such nodes changes no crossing: it can be that of the graph.
    """
    ends: dict[str, tuple[set[str], set[str]]] = {key[n.node]: (set(), set()) for n in picture.nodes}
    for e in picture.edges:
        if key[e.tail] != key[e.head]:
            ends[key[e.head]][0].add(key[e.tail])
            ends[key[e.tail]][1].add(key[e.head])
    groups: dict[Any, list[str]] = {}
    first = {key[i] for i in picture.first}
    for i, (tails, heads) in ends.items():
        if i not in first and (tails or heads):
            groups.setdefault((frozenset(tails), frozenset(heads)), []).append(i)
    return [group for group in groups.values() if len(group) > 1]


def _sizes(picture: Picture) -> dict[Any, tuple[float, float]]:
    """Return the width and the height of every node; the halves of a neuron are equally high."""
    sizes = {n.node: _node_size(n) for n in picture.nodes}
    for i, j in picture.halves.items():
        height = max(sizes[i][1], sizes[j][1])
        sizes[i], sizes[j] = (sizes[i][0], height), (sizes[j][0], height)
    return sizes


def _node_size(n: PictureNode) -> tuple[float, float]:
    width = max((_line_width(n, line) for line in n.lines), default=0.0)
    height = sum(LEADING * font_size(n, line) for line in n.lines)
    if n.kind == "weight":
        side = max(width, height) + PADDING
        return side, side
    padding = PADDING + GAP * (n.kind == "loss")
    return max(width + 2 * padding, LEAST_WIDTH), max(height + 2 * padding, LEAST_HEIGHT)


def _line_width(n: PictureNode, line: Line) -> float:
    return text_width(line.text, font_size(n, line), bold=line.kind == "name")


def _label_size(e: PictureEdge) -> tuple[float, float]:
    """Return the room that a label takes, with a distance to its own edge, however thick that is."""
    width = max(text_width(line.text, LABEL_SIZE) for line in e.lines)
    return width + 4, LEADING * LABEL_SIZE * len(e.lines) + 1 + e.stroke.width


def _blank(width: float, height: float) -> str:
    """Return a label of that size, without any text, in Graphviz's HTML."""
    size = f'FIXEDSIZE="TRUE" WIDTH="{width:.0f}" HEIGHT="{height:.0f}"'
    return f'<<TABLE {size} BORDER="0" CELLBORDER="0" CELLPADDING="0" CELLSPACING="0"><TR><TD></TD></TR></TABLE>>'


def _placed(picture: Picture, sizes: Mapping[Any, tuple[float, float]], key: Mapping[Any, str], A: Any) -> Layout:
    """Return what Graphviz has found, turned to a y that grows downwards, with room for title and notes."""
    _, _, width, height = _numbers(A.graph_attr["bb"])
    whole = max(width, text_width(picture.title, TITLE_SIZE, bold=True), LEAST_NOTE * bool(picture.notes)) + 2 * MARGIN
    left, bottom = (whole - width) / 2, height + MARGIN + (LEADING * TITLE_SIZE + MARGIN / 2) * bool(picture.title)

    def point(text: str) -> Point:
        x, y = _numbers(text)
        return left + x, bottom - y

    nodes = {}
    for n in picture.nodes:
        x, y = point(A.get_node(key[n.node]).attr["pos"])
        nodes[n.node] = Box(x, y, *sizes[n.node])
    for i, j in picture.halves.items():
        (x, y, *_), first, second = nodes[i], sizes[i][0], sizes[j][0]
        nodes[i], nodes[j] = nodes[i]._replace(x=x - second / 2), nodes[j]._replace(x=x + first / 2, y=y)
    edges = {}
    for e in picture.edges:
        if key[e.tail] != key[e.head]:
            attr = A.get_edge(key[e.tail], key[e.head]).attr
            tip, *curve = map(point, attr["pos"].removeprefix("e,").split())
            label = Box(*point(attr["lp"]), *_label_size(e)) if e.lines else None
            edges[e.tail, e.head] = Route(tuple(curve), tip, label)
    wrapped = [line for note in picture.notes for line in _wrapped(note, whole - 2 * MARGIN)]
    lines = [(n, (MARGIN, bottom + MARGIN + k * LEADING * NOTE_SIZE)) for k, n in enumerate(wrapped, 1)]
    height = (lines[-1][1][1] if lines else bottom) + MARGIN
    return Layout(picture, whole, height, nodes, edges, (whole / 2, MARGIN + TITLE_SIZE), lines)


def node_lines(n: PictureNode, box: Box) -> Iterator[tuple[Line, float, Point]]:
    """Iterate over the lines of a node, each with its font size and the middle of its base."""
    y = box.y - sum(LEADING * font_size(n, line) for line in n.lines) / 2
    for line in n.lines:
        size = font_size(n, line)
        y += LEADING * size
        yield line, size, (box.x, y - 0.33 * size)


def label_lines(e: PictureEdge, route: Route) -> Iterator[tuple[Line, Point]]:
    """Iterate over the lines of an edge's label, each with the middle of its base."""
    if route.label:
        top = route.label.y - LEADING * LABEL_SIZE * len(e.lines) / 2
        for k, line in enumerate(e.lines, 1):
            yield line, (route.label.x, top + (k * LEADING - 0.33) * LABEL_SIZE)


def font_size(n: PictureNode, line: Line) -> float:
    """Return the font size of a line in a node."""
    return SIZES[line.kind] * (WEIGHT_SCALE if n.kind == "weight" else 1.0)


def _numbers(text: str) -> list[float]:
    return [float(number) for number in text.split(",")]


def _wrapped(note: Line, width: float) -> list[Line]:
    """Return a note in lines of at most that width, as far as words allow."""
    lines: list[str] = []
    for word in shorten(note.text, MAX_NOTE).split(" "):
        if lines and text_width(f"{lines[-1]} {word}", NOTE_SIZE) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return [Line(note.kind, line) for line in lines]
