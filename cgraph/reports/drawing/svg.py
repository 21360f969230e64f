"""A layout as SVG: an id and classes for every node and edge, titles as tooltips, light and dark, no script."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from cgraph.reports.drawing.layout import Layout
from cgraph.reports.drawing.outlines import Segment, arrow, edge_line, outlines, stacked
from cgraph.reports.drawing.palette import EDGES, FAINT, NODES, PAPER
from cgraph.reports.drawing.picture import PictureEdge, PictureNode
from cgraph.reports.drawing.sizes import LABEL_SIZE, NOTE_SIZE, TITLE_SIZE, label_lines, node_lines

__all__ = ["to_svg"]

FONT = "Helvetica, Arial, 'DejaVu Sans', sans-serif"


def to_svg(layout: Layout) -> str:
    """Return the SVG of a layout.

    Nodes are groups ``<g id="node-0" class="node input" data-name="x">``, edges ``<g id="edge-0-1" class="edge
    positive" data-from="x" data-to="y">``, numbered in the order of the picture.
    """
    picture = layout.picture
    number = {n.node: k for k, n in enumerate(picture.nodes)}
    width, height = f"{layout.width:.0f}", f"{layout.height:.0f}"
    named = quoteattr(_clean(picture.title or "computational graph"))
    head = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" aria-label={named}'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="cgraph" {head}>',
        f"<style>{_style()}</style>",
        f'<rect class="paper" width="{width}" height="{height}"/>',
    ]
    lines += [_text(line, at, TITLE_SIZE, "title") for line, at in layout.title]
    for e in stacked(picture.edges):
        lines += _edge(e, layout, f"edge-{number[e.tail]}-{number[e.head]}")
    for n in picture.nodes:
        lines += _node(n, layout, f"node-{number[n.node]}")
    lines += [_text(note.text, at, NOTE_SIZE, f"note {note.kind}") for note, at in layout.notes]
    return "\n".join([*lines, "</svg>", ""])


def _node(n: PictureNode, layout: Layout, key: str) -> Iterator[str]:
    box = layout.nodes[n.node]
    classes = " ".join(["node", n.kind, *n.marks])
    yield f'<g id="{key}" class="{classes}" data-name={quoteattr(_clean(n.node))}>'
    yield f"<title>{escape(_clean(n.tooltip))}</title>"
    for kind, shape in zip(("shape", "inner"), outlines(n, box), strict=False):
        yield f'<path class="{kind}" d="{_path(shape)}"/>'
    for line, size, at in node_lines(n, box):
        yield _text(line.text, at, size, line.kind)
    yield "</g>"


def _edge(e: PictureEdge, layout: Layout, key: str) -> Iterator[str]:
    ends = f"data-from={quoteattr(_clean(e.tail))} data-to={quoteattr(_clean(e.head))}"
    yield f'<g id="{key}" class="edge {e.stroke.kind}" {ends}>'
    yield f"<title>{escape(_clean(e.tooltip))}</title>"
    yield f'<path class="line" stroke-width="{0.5 + e.stroke.width:.2f}" d="{_path(edge_line(e, layout))}"/>'
    if route := layout.edges.get((e.tail, e.head)):
        yield f'<path class="tip" d="{_path(arrow(route, e.stroke.width))}"/>'
        for line, at in label_lines(e, route.label):
            yield _text(line.text, at, LABEL_SIZE, line.kind)
    yield "</g>"


def _path(shape: list[Segment]) -> str:
    return "".join(letter + " ".join(f"{x:.1f} {y:.1f}" for x, y in points) for letter, points in shape)


def _text(text: str, at: tuple[float, float], size: float, kind: str) -> str:
    x, y = at
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" font-size="{size:g}">{escape(_clean(text))}</text>'


def _clean(text: Any) -> str:
    """Return text without what XML cannot hold."""
    return "".join(c if c >= " " or c in "\t\n" else "\ufffd" for c in str(text)).translate(_NOT_XML)


_NOT_XML = dict.fromkeys([*range(0xD800, 0xE000), 0xFFFE, 0xFFFF], "\ufffd")


def _style() -> str:
    """Return the rules that give every class its colours, for light paper and for dark."""
    light = "\n".join(_rules(0, 1))
    dark = "\n".join(_rules(2, 3))
    return f"""
.cgraph text {{ font-family: {FONT}; text-anchor: middle; stroke: none }}
.cgraph .note {{ text-anchor: start }}
.cgraph .title, .cgraph .name {{ font-weight: 600 }}
.cgraph .line, .cgraph .inner {{ fill: none }}
.cgraph .negative .line {{ stroke-dasharray: 7 4 }}
.cgraph .shape {{ stroke-width: 1.4 }}
.cgraph .source .shape, .cgraph .target .shape {{ stroke-width: 3 }}
.cgraph .constant .shape, .cgraph .shut .shape {{ stroke-dasharray: 3 3 }}
.cgraph .node.off, .cgraph .edge.off text {{ opacity: {FAINT} }}
{light}
@media (prefers-color-scheme: dark) {{
{dark}
}}
"""


def _rules(stroke: int, fill: int) -> Iterator[str]:
    yield f".cgraph .paper {{ fill: {PAPER[fill]} }}"
    yield f".cgraph text {{ fill: {PAPER[stroke]} }}"
    for kind, ink in NODES.items():
        yield f".cgraph .{kind} .shape {{ fill: {ink[fill]} }}"
        yield f".cgraph .{kind} .shape, .cgraph .{kind} .inner {{ stroke: {ink[stroke]} }}"
    for kind, ink in EDGES.items():
        yield f".cgraph .{kind} .line {{ stroke: {ink[stroke]} }}"
        yield f".cgraph .{kind} .tip, .cgraph .note.{kind} {{ fill: {ink[stroke]} }}"
