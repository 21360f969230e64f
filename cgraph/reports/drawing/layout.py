"""The layout of a picture: boxes as large as their text, in columns from left to right, and the routes of edges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from cgraph.reports.drawing.columns import Link, Slot, columns_of, heights
from cgraph.reports.drawing.picture import Picture, PictureEdge
from cgraph.reports.drawing.routes import ARROW, Route, curve, ports
from cgraph.reports.drawing.sizes import (
    LEADING,
    NOTE_SIZE,
    TITLE_SIZE,
    Box,
    Point,
    arrow_half,
    balanced,
    label_height,
    label_width,
    node_sizes,
    outline_at,
)
from cgraph.reports.drawing.words import Line, text_width

__all__ = ["Layout", "lay_out"]

MARGIN = 14.0
LEAST_TEXT = 240.0  # the width that title and notes may have above and below a narrow picture
SLOT = 8.0  # the height at which an edge passes a column, without the breadth of its line
RUN = ARROW + 3.0  # before the boxes of a column every edge runs straight, so that none meets the arrowhead of another
NEAREST, FARTHEST, STEEPNESS = 22.0, 110.0, 0.5  # of two columns: points, and points for each point that an edge climbs


@dataclass(frozen=True)
class Layout:
    """A picture with a place for everything.

    The edge between the halves of a neuron has no route: it is the line at which they meet. `title` are
    the lines above, each with its middle; `notes` are the lines below, with their left ends.
    """

    picture: Picture
    width: float
    height: float
    nodes: Mapping[Any, Box]
    edges: Mapping[tuple[Any, Any], Route]
    title: Sequence[tuple[str, Point]]
    notes: Sequence[tuple[Line, Point]]


def lay_out(picture: Picture) -> Layout:
    """Return the layout of `picture`: left to right, the inputs in their order in the first column.

    Raises
    ------
    ExtraMissingError
        Without pygraphviz.
    """
    plan = _Plan(picture)
    boxes = plan.boxes()
    nodes = {}
    for i, box in boxes.items():
        left = box.x - box.width / 2
        for half in (i, picture.halves[i]) if i in picture.halves else (i,):
            width = plan.size[half][0]
            nodes[half] = box._replace(x=left + width / 2, width=width)
            left += width
    return _framed(picture, {n.node: nodes[n.node] for n in picture.nodes}, plan.routes(boxes))


class _Plan:
    """Columns, heights and distances; the halves of a neuron stand in it as one node, under the name of the first."""

    def __init__(self, picture: Picture) -> None:
        self.halves = picture.halves
        first_half = {j: i for i, j in self.halves.items()}
        unit = {n.node: first_half.get(n.node, n.node) for n in picture.nodes}
        self.kinds = {n.node: n.kind for n in picture.nodes}
        self.edges = [e for e in picture.edges if unit[e.tail] != unit[e.head]]
        self.size = node_sizes(picture, self.edges)
        links = [Link(unit[e.tail], unit[e.head], bool(e.lines)) for e in self.edges]
        self.columns = columns_of([i for i in unit if i == unit[i]], links, picture.first)
        self.y = heights(self.columns, self._rooms(), picture.first, _alike(links, unit, picture.first))
        self.meets = self._meets()
        self.sides = self._sides()

    def _nodes(self) -> Iterator[tuple[int, Any]]:
        return ((c, i) for c, members in self.columns.members.items() for i in members if not isinstance(i, Slot))

    def _width(self, i: Any) -> float:
        return self.size[i][0] + (self.size[self.halves[i]][0] if i in self.halves else 0.0)

    def _rooms(self) -> dict[Any, float]:
        """Return how high each node and slot is.

        A label stands above the middle of its slot. All slots of a column with labels are equally high: that keeps each
        label off the edge above.
        """
        room = {i: self.size[i][1] for _, i in self._nodes()}
        for c, members in self.columns.members.items():
            label = max((label_height(self.edges[k]) for k in self.columns.labelled(c)), default=0.0)
            for slot in members:
                if isinstance(slot, Slot):
                    room[slot] = SLOT + max(label, self.edges[slot.link].stroke.width)
        return room

    def _meets(self) -> dict[int, tuple[float, float]]:
        """Return the heights at which each edge leaves its tail and enters its head, near those of its slots."""
        chains, widths = self.columns.chains, [e.stroke.width for e in self.edges]
        leave: dict[int, float] = {}
        enter: dict[int, float] = {}
        for _, i in self._nodes():
            box = Box(0.0, self.y[i], 0.0, self.size[i][1])
            out = {k: self.y[chain[1]] for k, chain in enumerate(chains) if chain[0] == i}
            leave |= ports(out, {k: widths[k] / 2 + 2 for k in out}, box)
        for _, i in self._nodes():
            box = Box(0.0, self.y[i], 0.0, self.size[i][1])
            come = {k: leave[k] if len(chain) == 2 else self.y[chain[-2]]
                    for k, chain in enumerate(chains) if chain[-1] == i}  # fmt: skip
            enter |= ports(come, {k: arrow_half(widths[k]) + 0.5 for k in come}, box)
        return {k: (leave[k], enter[k]) for k in leave}

    def levels(self, k: int) -> list[float]:
        """Return the height of edge `k` in each of the columns that it touches."""
        leave, enter = self.meets[k]
        return [leave, *(self.y[slot] for slot in self.columns.chains[k][1:-1]), enter]

    def _sides(self) -> dict[int, tuple[float, float]]:
        """Return where each column begins and ends: columns are the farther apart, the steeper edges climb between."""
        climb: dict[int, float] = {}
        for k, _ in enumerate(self.edges):
            for c, (a, b) in zip(self.columns.touched(k)[1:], pairwise(self.levels(k)), strict=True):
                climb[c] = max(climb.get(c, 0.0), abs(a - b))
        sides: dict[int, tuple[float, float]] = {}
        x = 0.0
        for c, members in self.columns.members.items():
            labels = (label_width(self.edges[k]) for k in self.columns.labelled(c))
            width = max([*labels, *(self._width(i) for i in members if not isinstance(i, Slot))], default=0.0)
            run = RUN if c % 2 == 0 and sides else 0.0
            x += (min(max(NEAREST, STEEPNESS * climb.get(c, 0.0)), FARTHEST) if sides else 0.0) + run
            sides[c] = (x, x + width)
            x += width
        return sides

    def boxes(self) -> dict[Any, Box]:
        """Return the place of every node; the halves of a neuron are one box."""
        return {i: Box(sum(self.sides[c]) / 2, self.y[i], self._width(i), self.size[i][1]) for c, i in self._nodes()}

    def routes(self, boxes: Mapping[Any, Box]) -> dict[tuple[Any, Any], Route]:
        """Return the way of every edge."""
        return {(e.tail, e.head): self._route(k, e, boxes) for k, e in enumerate(self.edges)}

    def _route(self, k: int, e: PictureEdge, boxes: Mapping[Any, Box]) -> Route:
        columns, levels, (tail, *_, head) = self.columns.touched(k), self.levels(k), self.columns.chains[k]
        start, end = boxes[tail], boxes[head]
        begin = start.x + start.width / 2 - outline_at(self.kinds[e.tail], start, levels[0])
        tip = end.x - end.width / 2 + outline_at(self.kinds[e.head], end, levels[-1])
        stops = []
        for c, y in zip(columns, levels, strict=True):
            left, right = self.sides[c]
            stops.append(((left - RUN * (c % 2 == 0), y), (right, y)))
        stops[0] = ((begin, levels[0]), stops[0][1])
        stops[-1] = (stops[-1][0], (tip - ARROW, levels[-1]))
        label = None
        if (labelled := self.columns.labels.get(k)) is not None:
            above = label_height(e)
            label = Box(
                sum(self.sides[labelled]) / 2, levels[columns.index(labelled)] - above / 2, label_width(e), above
            )
        return Route(curve(stops), (tip, levels[-1]), label)


def _alike(links: Sequence[Link], unit: Mapping[Any, Any], first: Sequence[Any]) -> list[list[Any]]:
    """Return the groups of nodes with the same tails and heads, as the neurons of a layer have.

    The order of such nodes changes no crossing: it can be that of the graph.
    """
    ends: dict[Any, tuple[set[Any], set[Any]]] = {i: (set(), set()) for i in unit.values()}
    for link in links:
        ends[link.head][0].add(link.tail)
        ends[link.tail][1].add(link.head)
    groups: dict[Any, list[Any]] = {}
    for i, (tails, heads) in ends.items():
        if i not in first and (tails or heads):
            groups.setdefault((frozenset(tails), frozenset(heads)), []).append(i)
    return [group for group in groups.values() if len(group) > 1]


def _framed(picture: Picture, nodes: Mapping[Any, Box], routes: Mapping[tuple[Any, Any], Route]) -> Layout:
    """Return the layout with the title above and the notes below, moved to where its corner is (0, 0)."""
    boxes = [*nodes.values(), *(route.label for route in routes.values() if route.label)]
    points = [point for route in routes.values() for point in route.curve]
    left, right = _range(
        [b.x - b.width / 2 for b in boxes] + [b.x + b.width / 2 for b in boxes] + [x for x, _ in points]
    )
    top, bottom = _range(
        [b.y - b.height / 2 for b in boxes] + [b.y + b.height / 2 for b in boxes] + [y for _, y in points]
    )
    width = max(right - left, LEAST_TEXT * bool(picture.title or picture.notes))
    title = balanced(picture.title, width, TITLE_SIZE, bold=True) if picture.title else []
    notes = [Line(note.kind, line) for note in picture.notes for line in balanced(note.text, width, NOTE_SIZE)]
    width = max([width, *(text_width(line, TITLE_SIZE, bold=True) for line in title)]) + 2 * MARGIN
    head = len(title) * LEADING * TITLE_SIZE + MARGIN / 2 * bool(title) + MARGIN
    dx, dy = (width - (right - left)) / 2 - left, head - top
    base = bottom + dy
    lines = [(note, (MARGIN, base + MARGIN + k * LEADING * NOTE_SIZE)) for k, note in enumerate(notes, 1)]
    return Layout(
        picture,
        width,
        (lines[-1][1][1] if lines else base) + MARGIN,
        {i: box._replace(x=box.x + dx, y=box.y + dy) for i, box in nodes.items()},
        {edge: route.moved(dx, dy) for edge, route in routes.items()},
        [(line, (width / 2, MARGIN + k * LEADING * TITLE_SIZE - 4)) for k, line in enumerate(title, 1)],
        lines,
    )


def _range(numbers: Sequence[float]) -> tuple[float, float]:
    return min(numbers, default=0.0), max(numbers, default=0.0)
