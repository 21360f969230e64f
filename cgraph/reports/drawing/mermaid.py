"""A picture as Mermaid, which many sites draw from Markdown; no layout and no library is needed."""

from __future__ import annotations

from cgraph.reports.drawing.palette import EDGES, NODES
from cgraph.reports.drawing.picture import Picture, PictureNode
from cgraph.reports.drawing.words import Line

__all__ = ["to_mermaid"]

# What stands around the text of a node, and so is its shape.
BRACKETS = {"neuron": ("([", "])"), "weight": ("[", "]"), "constant": ("[", "]"), "loss": ("[[", "]]")}


def to_mermaid(picture: Picture) -> str:
    """Return the picture as a flowchart of Mermaid."""
    key = {n.node: f"n{k}" for k, n in enumerate(picture.nodes)}
    inside = {*picture.halves, *picture.halves.values()}
    node = {n.node: _node(n, key[n.node]) for n in picture.nodes}
    lines = ["flowchart LR", *(f"  {node[n.node]}" for n in picture.nodes if n.node not in inside)]
    for i, j in picture.halves.items():
        lines += [f'  subgraph {key[i]}_{key[j]}[" "]', f"    {node[i]}", f"    {node[j]}", "  end"]
    for e in picture.edges:
        label = f'|"{_label(e.lines)}"|' if e.lines else ""
        lines.append(f"  {key[e.tail]} -->{label} {key[e.head]}")
    for kind in dict.fromkeys(n.kind for n in picture.nodes):
        ink = NODES[kind]
        lines.append(f"  classDef {kind} fill:{ink.fill},stroke:{ink.stroke},color:#1a1a1a")
    for k, e in enumerate(picture.edges):
        if e.stroke.kind != "plain":
            dashes = ",stroke-dasharray:7 4" * (e.stroke.kind == "negative")
            width = f"{0.5 + e.stroke.width:.3g}px"
            lines.append(f"  linkStyle {k} stroke:{EDGES[e.stroke.kind].stroke},stroke-width:{width}{dashes}")
    if picture.notes:
        lines += [
            f'  notes["{_label(picture.notes)}"]:::notes',
            "  classDef notes fill:none,stroke:none,text-align:left",
        ]
    return "\n".join([*lines, ""])


def _node(n: PictureNode, key: str) -> str:
    left, right = BRACKETS.get(n.kind, ("(", ")"))
    return f'{key}{left}"{_label(n.lines)}"{right}:::{n.kind}'


def _label(lines: tuple[Line, ...]) -> str:
    return "<br/>".join(_escaped(line.text) for line in lines) or " "


def _escaped(text: str) -> str:
    """Return text with everything as a numbered entity that Mermaid or a browser could act upon."""
    return "".join(c if c.isalnum() or c in " .,=+−-→×" else f"#{ord(c)};" for c in text)
