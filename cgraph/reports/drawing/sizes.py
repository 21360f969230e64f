"""How large text and boxes are, and where the lines of text stand in them; lengths are in points, y grows downwards."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from cgraph.model.errors import shorten
from cgraph.reports.drawing.picture import Picture, PictureEdge, PictureNode
from cgraph.reports.drawing.words import Line, text_width

__all__ = [
    "GAP",
    "INSET",
    "LABEL_SIZE",
    "LEADING",
    "NOTE_SIZE",
    "TITLE_SIZE",
    "Box",
    "Point",
    "arrow_half",
    "balanced",
    "corner_radius",
    "label_height",
    "label_lines",
    "label_width",
    "node_lines",
    "node_sizes",
    "outline_at",
    "wrapped",
]

SIZES = {"name": 15.0, "equation": 12.0, "value": 12.0, "sensitivity": 12.0, "gate": 11.0}
LABEL_SIZE, TITLE_SIZE, NOTE_SIZE = 11.0, 16.0, 11.0
LEADING = 1.25  # a line's height, in font sizes
PADDING = 7.0
GAP = 3.0  # between the two outlines of a loss
INSET = 5.0  # no edge meets a box nearer to its corner
LEAST_WIDTH, LEAST_HEIGHT = 40.0, 34.0
WEIGHT_SCALE, WEIGHT_PADDING = 0.8, 4.0  # weights are small
ROUND = {"input": 3.0, "weight": 0.0, "constant": 3.0, "neuron": 16.0, "linear": 16.0, "activation": 16.0}
ROUND_ELSE = 7.0
MAX_NOTE = 300  # characters

Point = tuple[float, float]


class Box(NamedTuple):
    """A rectangle by its middle and its size."""

    x: float
    y: float
    width: float
    height: float


def node_sizes(picture: Picture, edges: Sequence[PictureEdge]) -> dict[Any, tuple[float, float]]:
    """Return the width and the height of every node: room for its text, and for the arrowheads of `edges` at its side."""
    arrows: dict[Any, float] = {}
    for e in edges:
        arrows[e.head] = arrows.get(e.head, 2 * INSET) + 2 * arrow_half(e.stroke.width) + 1
    sizes = {n.node: _text_size(n) for n in picture.nodes}
    sizes = {i: (width, max(height, arrows.get(i, 0.0))) for i, (width, height) in sizes.items()}
    for i, j in picture.halves.items():
        height = max(sizes[i][1], sizes[j][1])
        sizes[i], sizes[j] = (sizes[i][0], height), (sizes[j][0], height)
    return sizes


def _text_size(n: PictureNode) -> tuple[float, float]:
    width = max((text_width(line.text, font_size(n, line), bold=line.kind == "name") for line in n.lines), default=0.0)
    height = sum(LEADING * font_size(n, line) for line in n.lines)
    if n.kind == "weight":
        return width + 2 * WEIGHT_PADDING, height + 2 * WEIGHT_PADDING
    padding = PADDING + GAP * (n.kind == "loss")
    return max(width + 2 * padding, LEAST_WIDTH), max(height + 2 * padding, LEAST_HEIGHT)


def arrow_half(width: float) -> float:
    """Return half the breadth of an arrowhead, broader on a broad edge."""
    return 3.5 + 0.6 * (width - 1)


def label_height(e: PictureEdge) -> float:
    """Return the room of an edge's label above the middle of its line, however thick that is; 0 without a label."""
    return LEADING * LABEL_SIZE * len(e.lines) + 1 + e.stroke.width / 2 if e.lines else 0.0


def label_width(e: PictureEdge) -> float:
    """Return the room of an edge's label from left to right."""
    return max((text_width(line.text, LABEL_SIZE) for line in e.lines), default=0.0) + 4


def node_lines(n: PictureNode, box: Box) -> Iterator[tuple[Line, float, Point]]:
    """Iterate over the lines of a node, each with its font size and the middle of its base."""
    y = box.y - sum(LEADING * font_size(n, line) for line in n.lines) / 2
    for line in n.lines:
        size = font_size(n, line)
        y += LEADING * size
        yield line, size, (box.x, y - 0.33 * size)


def label_lines(e: PictureEdge, label: Box | None) -> Iterator[tuple[Line, Point]]:
    """Iterate over the lines of an edge's label, each with the middle of its base."""
    if label:
        top = label.y - label.height / 2
        for k, line in enumerate(e.lines, 1):
            yield line, (label.x, top + (k * LEADING - 0.33) * LABEL_SIZE)


def font_size(n: PictureNode, line: Line) -> float:
    """Return the font size of a line in a node."""
    return SIZES[line.kind] * (WEIGHT_SCALE if n.kind == "weight" else 1.0)


def corner_radius(kind: str, box: Box) -> float:
    """Return how round the corners of a node are."""
    return min(ROUND.get(kind, ROUND_ELSE), box.height / 2, box.width / 2)


def outline_at(kind: str, box: Box, y: float) -> float:
    """Return how far the outline of a node stands back at a height near a rounded corner."""
    r = corner_radius(kind, box)
    beyond = abs(y - box.y) - (box.height / 2 - r)
    return r - math.sqrt(r * r - min(beyond, r) ** 2) if beyond > 0 else 0.0


def wrapped(text: str, width: float, size: float, *, bold: bool = False) -> list[str]:
    """Return text in lines of at most that width, as far as words allow."""
    lines: list[str] = []
    for word in shorten(text, MAX_NOTE).split(" "):
        if lines and text_width(f"{lines[-1]} {word}", size, bold=bold) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def balanced(text: str, width: float, size: float, *, bold: bool = False) -> list[str]:
    """Return the lines of `wrapped`, as equally long as words allow: a title whose last word stands alone is ugly.

    Examples
    --------
    >>> wrapped("one two three four", 85.0, 10.0), balanced("one two three four", 85.0, 10.0)
    (['one two three', 'four'], ['one two', 'three four'])
    """
    lines = wrapped(text, width, size, bold=bold)
    narrow = width / len(lines)
    while len(narrower := wrapped(text, narrow, size, bold=bold)) > len(lines):
        narrow += size / 2
    return narrower
