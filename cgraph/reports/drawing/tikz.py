"""A layout as TikZ: a document of its own that pdflatex turns into a PDF of the size of the picture."""

from __future__ import annotations

from collections.abc import Iterator

from cgraph.reports.drawing.layout import Layout
from cgraph.reports.drawing.outlines import Segment, arrow, edge_line, outlines, stacked
from cgraph.reports.drawing.palette import EDGES, FAINT, NODES, PAPER, Ink
from cgraph.reports.drawing.sizes import LABEL_SIZE, NOTE_SIZE, TITLE_SIZE, label_lines, node_lines
from cgraph.reports.latex import latex_text

__all__ = ["tikz_picture", "to_tikz"]

PREAMBLE = r"""\documentclass[tikz]{standalone}
\usepackage[T1]{fontenc}
\IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}
\usepackage{amsmath}
\renewcommand{\familydefault}{\sfdefault}"""
BOLD = r", font=\bfseries"


def to_tikz(layout: Layout) -> str:
    """Return a LaTeX document with the layout as a tikzpicture."""
    return "\n".join([PREAMBLE, *_colours(), r"\begin{document}", tikz_picture(layout), r"\end{document}", ""])


def tikz_picture(layout: Layout, *, colours: bool = False) -> str:
    """Return the layout as a tikzpicture that stands in a document, perhaps with the colours that it needs."""
    return "\n".join(
        [
            *(_colours() if colours else ()),
            r"\begin{tikzpicture}[x=1bp, y=-1bp, every node/.style={inner sep=0, text=paper}]",
            rf"\path (0,0) rectangle ({layout.width:.1f},{layout.height:.1f});",
            *_lines(layout),
            r"\end{tikzpicture}",
        ]
    )


def _colours() -> Iterator[str]:
    colours = {"paper": PAPER, **{f"node{kind}": ink for kind, ink in NODES.items()}}
    colours |= {f"edge{kind}": ink for kind, ink in EDGES.items()}
    for name, ink in colours.items():
        yield from _define(name, ink)


def _define(name: str, ink: Ink) -> Iterator[str]:
    yield rf"\definecolor{{{name}}}{{HTML}}{{{ink.stroke[1:].upper()}}}"
    yield rf"\definecolor{{{name}fill}}{{HTML}}{{{ink.fill[1:].upper()}}}"


def _lines(layout: Layout) -> Iterator[str]:
    picture = layout.picture
    for title, at in layout.title:
        yield _text(title, at, TITLE_SIZE, f"base{BOLD}")
    for e in stacked(picture.edges):
        colour, dashes = f"edge{e.stroke.kind}", ", dashed" * (e.stroke.kind == "negative")
        yield rf"\draw[{colour}, line width={0.5 + e.stroke.width:.2f}bp{dashes}] {_path(edge_line(e, layout))};"
        if route := layout.edges.get((e.tail, e.head)):
            yield rf"\fill[{colour}] {_path(arrow(route, e.stroke.width))};"
            faint = f", opacity={FAINT}" * (e.stroke.kind == "off")
            for line, at in label_lines(e, route.label):
                yield _text(line.text, at, LABEL_SIZE, f"base{faint}")
    for n in picture.nodes:
        dashes = ", densely dashed" * (n.kind == "constant" or "shut" in n.marks)
        width = 3.0 if {"source", "target"} & set(n.marks) else 1.4
        faint = f", opacity={FAINT}" * ("off" in n.marks)
        style = f"draw=node{n.kind}, fill=node{n.kind}fill, line width={width}bp{dashes}{faint}"
        for shape in outlines(n, layout.nodes[n.node]):
            yield rf"\path[{style}] {_path(shape)};"
        for line, size, at in node_lines(n, layout.nodes[n.node]):
            yield _text(line.text, at, size, f"base{faint}{BOLD * (line.kind == 'name')}")
    for note, at in layout.notes:
        colour = f", text=edge{note.kind}" * (note.kind in EDGES)
        yield _text(note.text, at, NOTE_SIZE, f"base west{colour}")


def _text(text: str, at: tuple[float, float], size: float, anchor: str) -> str:
    font = rf"\fontsize{{{size:.1f}}}{{{size * 1.2:.1f}}}\selectfont"
    return rf"\node[anchor={anchor}] at ({at[0]:.1f},{at[1]:.1f}) {{{font} {latex_text(text)}}};"


def _path(shape: list[Segment]) -> str:
    """Return lines and curves as TikZ writes them."""
    written = {"M": "{0}", "L": " -- {0}", "C": " .. controls {0} and {1} .. {2}", "Z": " -- cycle"}
    return "".join(written[letter].format(*(f"({x:.1f},{y:.1f})" for x, y in points)) for letter, points in shape)
