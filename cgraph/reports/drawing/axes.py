"""A layout on matplotlib axes; PNG and PDF are made that way, in matplotlib's own font if that has all letters."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from typing import Any

from cgraph.reports.drawing.fonts import families
from cgraph.reports.drawing.layout import Layout
from cgraph.reports.drawing.outlines import Segment, arrow, edge_line, outlines, stacked
from cgraph.reports.drawing.palette import EDGES, FAINT, NODES, PAPER
from cgraph.reports.drawing.sizes import LABEL_SIZE, NOTE_SIZE, TITLE_SIZE, label_lines, node_lines
from cgraph.reports.extras import drawing_library

__all__ = ["draw_on", "to_image"]

POINTS, DPI = 72.0, 200
MAX_PIXELS = 20_000  # of a side


def to_image(layout: Layout, format: str) -> bytes:
    """Return the layout as ``"png"`` or ``"pdf"``."""
    width, height = layout.width / POINTS, layout.height / POINTS
    dpi = min(DPI, MAX_PIXELS / max(width, height))
    figure = drawing_library("matplotlib.figure").Figure((width, height), dpi=dpi)
    draw_on(figure.add_axes((0, 0, 1, 1)), layout)
    stream = io.BytesIO()
    dates = {"CreationDate": None} if format == "pdf" else {}  # the same picture is the same file
    figure.savefig(stream, format=format, facecolor=PAPER.fill, metadata=dates)
    return stream.getvalue()


def draw_on(ax: Any, layout: Layout) -> None:
    """Draw the layout on matplotlib axes; text grows with them."""
    ax.set(xlim=(0, layout.width), ylim=(layout.height, 0), aspect="equal")
    ax.set_axis_off()
    picture, add = layout.picture, _Canvas(ax, layout)
    for e in stacked(picture.edges):
        colour, width = EDGES[e.stroke.kind].stroke, 0.5 + e.stroke.width
        add.shape(edge_line(e, layout), colour, width, dashes=(7, 4) if e.stroke.kind == "negative" else ())
        if route := layout.edges.get((e.tail, e.head)):
            add.shape(arrow(route, e.stroke.width), "none", 0, fill=colour)
            for line, at in label_lines(e, route.label):
                add.text(line.text, at, LABEL_SIZE, alpha=FAINT if e.stroke.kind == "off" else 1.0)
    for n in picture.nodes:
        ink, alpha = NODES[n.kind], FAINT if "off" in n.marks else 1.0
        width = 3.0 if {"source", "target"} & set(n.marks) else 1.4
        dashes = (3, 3) if n.kind == "constant" or "shut" in n.marks else ()
        for shape in outlines(n, layout.nodes[n.node]):
            add.shape(shape, ink.stroke, width, fill=ink.fill, dashes=dashes, alpha=alpha)
        for line, size, at in node_lines(n, layout.nodes[n.node]):
            add.text(line.text, at, size, weight="bold" if line.kind == "name" else "normal", alpha=alpha)
    for title, at in layout.title:
        add.text(title, at, TITLE_SIZE, weight="bold")
    for note, at in layout.notes:
        add.text(note.text, at, NOTE_SIZE, to_the_right=True, color=EDGES.get(note.kind, PAPER).stroke)


def _texts(layout: Layout) -> Iterator[str]:
    picture = layout.picture
    yield from (line.text for n in picture.nodes for line in n.lines)
    yield from (line.text for e in picture.edges for line in e.lines)
    yield from (title for title, _ in layout.title)
    yield from (note.text for note, _ in layout.notes)


class _Canvas:
    """Axes on which shapes and text are drawn in the lengths of a layout."""

    def __init__(self, ax: Any, layout: Layout) -> None:
        self.ax = ax
        self.Path = drawing_library("matplotlib.path").Path
        self.PathPatch = drawing_library("matplotlib.patches").PathPatch
        self.TextPath = drawing_library("matplotlib.textpath").TextPath
        self.Font = drawing_library("matplotlib.font_manager").FontProperties
        self.families = families(_texts(layout))
        box = ax.get_window_extent()
        # Line widths are in points of the paper; everything else is in those of the layout.
        self.scale = min(box.width / layout.width, box.height / layout.height) * POINTS / ax.figure.dpi
        self.codes = {"M": [self.Path.MOVETO], "L": [self.Path.LINETO], "C": [self.Path.CURVE4] * 3}

    def shape(
        self, shape: list[Segment], stroke: str, width: float, *, fill: str = "none",
        dashes: tuple[float, ...] = (), alpha: float = 1.0,
    ) -> None:  # fmt: skip
        """Draw a shape; the lengths of dashes are absolute, as those of matplotlib are not."""
        points = [point for _, segment in shape for point in segment]
        codes = [code for letter, _ in shape for code in self.codes.get(letter, [])]
        if shape[-1][0] == "Z":
            points.append(points[0])
            codes.append(self.Path.CLOSEPOLY)
        style = (0, [dash / width for dash in dashes]) if dashes else "-"
        path = self.Path(points, codes)
        self.ax.add_patch(
            self.PathPatch(
                path, edgecolor=stroke, facecolor=fill, linewidth=width * self.scale, linestyle=style, alpha=alpha
            )
        )

    def text(
        self, text: str, at: tuple[float, float], size: float, *, weight: str = "normal",
        to_the_right: bool = False, **style: Any,
    ) -> None:  # fmt: skip
        """Draw text as shapes, so that it keeps its size beside the boxes."""
        if not text.strip():
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what no font has was said once, for the whole picture
            # A dollar sign would begin mathematics.
            font = self.Font(family=self.families, weight=weight)
            path = self.TextPath((0, 0), text.replace("$", r"\$"), size=size, prop=font)
        extent = path.get_extents()
        x = at[0] - (0.0 if to_the_right else extent.x0 + extent.width / 2)
        vertices = path.vertices * (1, -1) + (x, at[1])
        self.ax.add_patch(
            self.PathPatch(self.Path(vertices, path.codes), linewidth=0, **{"color": PAPER.stroke, **style})
        )
