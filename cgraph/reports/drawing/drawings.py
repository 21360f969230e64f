"""From a graph to a picture in any of the formats."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import networkx as nx

from cgraph.model.errors import DrawingError
from cgraph.model.files import write_whole
from cgraph.model.graph import Node
from cgraph.model.linearized import with_derivative
from cgraph.reports.drawing.axes import draw_on, to_image
from cgraph.reports.drawing.dot import to_dot
from cgraph.reports.drawing.layout import Layout, lay_out
from cgraph.reports.drawing.mermaid import to_mermaid
from cgraph.reports.drawing.picture import Picture, picture_of
from cgraph.reports.drawing.svg import to_svg
from cgraph.reports.drawing.tikz import to_tikz

__all__ = ["DRAWING_FORMATS", "Drawing", "draw", "drawing_format"]


@dataclass(frozen=True)
class Drawing:
    """A picture of a graph; a notebook shows it.

    Parameters
    ----------
    picture : Picture
        What is shown, as data.
    """

    picture: Picture

    @cached_property
    def layout(self) -> Layout:
        """Where everything stands (extra ``draw``)."""
        return lay_out(self.picture)

    def written(self, format: str) -> str | bytes:
        """Return the picture in one of `DRAWING_FORMATS`; PNG and PDF are bytes."""
        return DRAWING_FORMATS[drawing_format("", format)](self)

    def _repr_svg_(self) -> str:
        return to_svg(self.layout)


# DOT and Mermaid need neither a layout nor a library.
DRAWING_FORMATS: dict[str, Callable[[Drawing], str | bytes]] = {
    "svg": lambda drawing: to_svg(drawing.layout),
    "png": lambda drawing: to_image(drawing.layout, "png"),
    "pdf": lambda drawing: to_image(drawing.layout, "pdf"),
    "tikz": lambda drawing: to_tikz(drawing.layout),
    "dot": lambda drawing: to_dot(drawing.picture),
    "mermaid": lambda drawing: to_mermaid(drawing.picture),
}
SUFFIXES = {".gv": "dot", ".tex": "tikz", ".mmd": "mermaid"} | {f".{name}": name for name in DRAWING_FORMATS}


def draw(
    G: nx.DiGraph[Any],
    output: str | os.PathLike[str] | None = None,
    *,
    format: str | None = None,
    ax: Any = None,
    s: Node | None = None,
    t: Node | None = None,
    show: Collection[str] | None = None,
    top: int | None = None,
    plain_names: bool = False,
    derivative: str = "derivative",
) -> Drawing:
    """Draw a graph.

    Parameters
    ----------
    G : networkx.DiGraph
        Acyclic. Linearized, if values and derivatives are to be seen. Not modified.
    output : path, optional
        Where the picture is written, whole or not at all.
    format : str, optional
        One of ``"svg"``, ``"png"``, ``"pdf"``, ``"tikz"``, ``"dot"`` and ``"mermaid"``; by default the suffix of
        `output` tells.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.
    s, t : node, optional
        With `t`, every node shows S(i,t); with `s` alone, S(s,i). With both, the paths from `s` to `t` stand out:
        an edge is as thick as ``|S(s,i) z(i,j) S(j,t)|``, blue if that is positive, orange and dashed if it is
        negative.
    show : collection of str, optional
        What is written on nodes and edges, of ``"names"``, ``"equations"``, ``"values"``, ``"derivatives"``,
        ``"weights"``, ``"sensitivities"`` and ``"budget"``; by default names and the numbers that `G` holds. With
        ``"budget"`` an edge is as thick as the share of the variance of y(t) that passes through it, by the uncertainties
        that the spec states.
    top : int, optional
        With `s` and `t`: the strongest paths, each in a colour of its own, in place of what flows through the edges. Of a
        large graph nothing but these paths is drawn.
    plain_names : bool, default False
        Whether names stand there as they are: ``x1``, not x with the index 1.
    derivative : str, default "derivative"
        The edge attribute that holds dy(j)/dy(i).

    Returns
    -------
    Drawing
        A notebook shows it. ``.picture`` is what it shows, as data.

    Raises
    ------
    ExtraMissingError
        If pygraphviz or matplotlib is needed and not installed; DOT and Mermaid need neither.
    DrawingError
        If the format or something to be shown is unknown, `top` is given without `s` and `t`, or the strongest paths of a
        large graph have too many nodes themselves.
    CGraphError
        As `sensitivities`.

    Notes
    -----
    Left to right, the inputs in the first column in their order, each column in the order and at the heights that the dot
    program of Graphviz finds [1]_. Every edge leaves a box at its right side and enters one at its left; its label stands
    on its line. The halves of a decoupled neuron stand together, the loss has a double outline, a neuron whose gate is
    shut (at most 0.01) a dashed one. Blue and orange mean the sign of what flows, and nothing else. The colours are those
    of Okabe and Ito and shades of them, which colour-blind readers tell apart.

    Above 200 nodes or 400 edges, or 1,000 layers that the edges cross together, only the `top` paths are drawn (of long
    ones, nodes that follow one another on a single way as one box), or the part between `s` and `t` if it is small, or else
    one node for each band of layers; the picture says so, and names what was asked for and is not shown. The layout then
    takes seconds at most.

    References
    ----------
    .. [1] E. R. Gansner, E. Koutsofios, S. C. North, K.-P. Vo, "A technique for drawing directed graphs", IEEE
       Transactions on Software Engineering 19(3), 1993.

    Examples
    --------
    >>> from cgraph import from_equations, linearize
    >>> L = linearize(from_equations("a = x*z; y = a + x", x=2.0, z=3.0))
    >>> print(draw(L, s="x", t="y").written("mermaid").splitlines()[1])
      n0("x<br/>2<br/>S = 4"):::input
    """
    G = with_derivative(G, derivative)
    drawing = Drawing(picture_of(G, s=s, t=t, show=show, top=top, plain_names=plain_names))
    if output is not None:
        write_whole(output, drawing.written(drawing_format(output, format)))
    if ax is not None:
        draw_on(ax, drawing.layout)
    return drawing


def drawing_format(output: str | os.PathLike[str], format: str | None = None) -> str:
    """Return the format of a picture: the one given, or that of the suffix of its file.

    Raises
    ------
    DrawingError
        If it is not one of `DRAWING_FORMATS`.

    Examples
    --------
    >>> drawing_format("picture.tex")
    'tikz'
    """
    known = f"the formats are {', '.join(DRAWING_FORMATS)}"
    if format is not None:
        if format in DRAWING_FORMATS:
            return format
        raise DrawingError(f"there is no picture format {format!r}; {known}")
    suffix = Path(output).suffix
    if suffix.lower() in SUFFIXES:
        return SUFFIXES[suffix.lower()]
    raise DrawingError(f"the suffix {suffix!r} of {os.fspath(output)!r} is not that of a picture; {known}")
