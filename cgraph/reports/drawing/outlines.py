"""The shapes of a picture as lines and cubic curves, which SVG, matplotlib and TikZ all know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cgraph.reports.drawing.layout import Layout
from cgraph.reports.drawing.picture import PictureEdge, PictureNode
from cgraph.reports.drawing.routes import Route
from cgraph.reports.drawing.sizes import GAP, Box, Point, arrow_half, corner_radius

__all__ = ["Segment", "arrow", "edge_line", "outlines", "stacked"]

Segment = tuple[str, tuple[Point, ...]]  # "M" and "L" with one point, "C" with three, "Z" with none
CIRCLE = 0.5523  # where the control points of a quarter of a circle stand, in radii


def outlines(n: PictureNode, box: Box) -> list[list[Segment]]:
    """Return the outline of a node, and a second one within if it is the loss."""
    inner = Box(box.x, box.y, box.width - 2 * GAP, box.height - 2 * GAP)
    return [_rounded(n.kind, box)] + [_rounded(n.kind, inner)] * (n.kind == "loss")


def stacked(edges: Sequence[PictureEdge]) -> list[PictureEdge]:
    """Return edges from the lowest to the topmost: what is faint runs under what stands out, thin under thick."""
    return sorted(edges, key=lambda e: (e.stroke.kind != "off", e.stroke.width))


def edge_line(e: PictureEdge, layout: Layout) -> list[Segment]:
    """Return the line of an edge; that between the halves of a neuron is where they meet."""
    if (route := layout.edges.get((e.tail, e.head))) is None:
        x, y, width, height = layout.nodes[e.tail]
        return [("M", ((x + width / 2, y - height / 2),)), ("L", ((x + width / 2, y + height / 2),))]
    start, *rest = route.curve
    return [("M", (start,)), *(("C", tuple(rest[k : k + 3])) for k in range(0, len(rest), 3))]


def arrow(route: Route, width: float) -> list[Segment]:
    """Return the triangle from the end of a curve to the tip, broader on a broad edge."""
    (x0, y0), (x1, y1) = route.curve[-1], route.tip
    half = arrow_half(width) / (((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5 or 1.0)
    dx, dy = (y1 - y0) * half, (x0 - x1) * half
    return [("M", ((x1, y1),)), ("L", ((x0 + dx, y0 + dy),)), ("L", ((x0 - dx, y0 - dy),)), ("Z", ())]


def _rounded(kind: str, box: Box) -> list[Segment]:
    """Return a rectangle with rounded corners; half a neuron is rounded on its outside."""
    left, right = box.x - box.width / 2, box.x + box.width / 2
    top, bottom = box.y - box.height / 2, box.y + box.height / 2
    r = corner_radius(kind, box)
    a, b = (0.0 if kind == "activation" else r), (0.0 if kind == "linear" else r)
    # Clockwise: each corner with the radius and the directions in which the outline comes and goes.
    corners = [(right, top, b, (1, 0), (0, 1)), (right, bottom, b, (0, 1), (-1, 0)),
               (left, bottom, a, (-1, 0), (0, -1)), (left, top, a, (0, -1), (1, 0))]  # fmt: skip
    return [("M", ((left + a, top),)), *(segment for corner in corners for segment in _corner(*corner)), ("Z", ())]


def _corner(x: float, y: float, r: float, come: Point, go: Point) -> Iterator[Segment]:
    def at(direction: Point, distance: float) -> Point:
        return x + direction[0] * distance, y + direction[1] * distance

    yield "L", (at(come, -r),)
    if r:
        yield "C", (at(come, -r * (1 - CIRCLE)), at(go, r * (1 - CIRCLE)), at(go, r))
