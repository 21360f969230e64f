"""A picture as DOT, the language of Graphviz; no layout and no library is needed."""

from __future__ import annotations

from cgraph.reports.drawing.palette import EDGES, NODES
from cgraph.reports.drawing.picture import Picture, PictureEdge, PictureNode
from cgraph.reports.drawing.words import Line

__all__ = ["to_dot"]

SHAPES = {"neuron": "ellipse"}
SMALL = {"fontsize": "11", "width": "0", "height": "0", "margin": '"0.06,0.04"'}  # weights, the size of their text
FAINT_TEXT = "#6a6a6a"  # of a node that lies on no path, dark enough to be read


def to_dot(picture: Picture) -> str:
    """Return the picture as a digraph for ``dot``."""
    key = {n.node: f"n{k}" for k, n in enumerate(picture.nodes)}
    lines = [
        "digraph {",
        f"  graph [rankdir=LR, fontname=Helvetica, labelloc=t, label={_heading(picture)}]",
        '  node [fontname=Helvetica, style="rounded,filled", shape=box]',
        "  edge [fontname=Helvetica, fontsize=11]",
        *(f"  {key[n.node]} [{_node(n)}]" for n in picture.nodes),
        *(f'  subgraph cluster_{key[i]} {{ style=rounded; label=""; {key[i]}; {key[j]} }}'
          for i, j in picture.halves.items()),
        *(f"  {key[e.tail]} -> {key[e.head]} [{_edge(e)}]" for e in picture.edges),
    ]  # fmt: skip
    if picture.first:
        order = " -> ".join(key[i] for i in picture.first)
        lines.append(f"  {{ rank=min; {order}{' [style=invis]' * (len(picture.first) > 1)} }}")
    return "\n".join([*lines, "}", ""])


def _heading(picture: Picture) -> str:
    """Return the title and, on lines of their own that begin at the left, the notes."""
    heading = _quoted(f"{picture.title}\n") if picture.notes and picture.title else _quoted(picture.title)
    notes = (_quoted(" ".join(note.text.split()))[1:-1] + r"\l" for note in picture.notes)
    return f'{heading[:-1]}{"".join(notes)}"'


def _node(n: PictureNode) -> str:
    ink = NODES[n.kind]
    style = "filled" if n.kind == "weight" else "rounded,filled"
    style += ",dashed" * (n.kind == "constant" or "shut" in n.marks)
    attributes = {
        "label": _label(n.lines), "tooltip": _quoted(n.tooltip), "shape": SHAPES.get(n.kind, "box"),
        "style": f'"{style}"', "color": f'"{ink.stroke}"', "fillcolor": f'"{ink.fill}"',
        "peripheries": "2" * (n.kind == "loss"), "penwidth": "3" * bool({"source", "target"} & set(n.marks)),
        "fontcolor": f'"{FAINT_TEXT}"' * ("off" in n.marks), **(SMALL if n.kind == "weight" else {}),
    }  # fmt: skip
    return _written(attributes)


def _edge(e: PictureEdge) -> str:
    attributes = {
        "label": _label(e.lines) if e.lines else "", "tooltip": _quoted(e.tooltip),
        "color": f'"{EDGES[e.stroke.kind].stroke}"', "penwidth": f"{0.5 + e.stroke.width:.3g}",
        "style": "dashed" * (e.stroke.kind == "negative"),
    }  # fmt: skip
    return _written(attributes)


def _written(attributes: dict[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in attributes.items() if value)


def _label(lines: tuple[Line, ...]) -> str:
    return _quoted("\n".join(line.text for line in lines))


def _quoted(text: str) -> str:
    """Return a string of DOT, in which nothing is an escape or an entity but a line break."""
    escaped = text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n") + '"'
