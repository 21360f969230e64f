"""What a notebook shows of a pair of nodes: a report with picture and tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import networkx as nx

from cgraph.algorithms.engines import sensitivities
from cgraph.algorithms.paths import count_paths, top_paths
from cgraph.model.errors import ExtraMissingError, show_count
from cgraph.model.graph import Node
from cgraph.model.linearized import with_derivative
from cgraph.reports.drawing import Drawing, draw
from cgraph.reports.drawing.words import is_array, show_quantity
from cgraph.reports.tables import Table, show_number, to_html, to_text

__all__ = ["SensitivityReport", "sensitivity_report"]


@dataclass(frozen=True)
class SensitivityReport:
    """How s acts on t: a picture of what flows, and tables; a notebook shows both.

    Parameters
    ----------
    drawing : Drawing
        The picture.
    paths, nodes : Table
        The strongest paths with their products; S(i,t) of every node.
    """

    drawing: Drawing
    paths: Table
    nodes: Table

    def __str__(self) -> str:
        return f"{to_text(self.paths)}\n\n{to_text(self.nodes)}"

    def _repr_html_(self) -> str:
        try:
            picture = self.drawing._repr_svg_()
        except ExtraMissingError:  # the tables are worth something without
            picture = ""
        return f"<div>{picture}\n{to_html(self.paths)}\n{to_html(self.nodes)}</div>"


def sensitivity_report(
    G: nx.DiGraph[Any], s: Node, t: Node, *, top: int = 5, derivative: str = "derivative"
) -> SensitivityReport:
    """Return a picture and tables of how `s` acts on `t`.

    Parameters
    ----------
    G : networkx.DiGraph
        Linearized. Not modified.
    s, t : node
        Both ends.
    top : int, default 5
        How many of the strongest paths are listed.
    derivative : str, default "derivative"
        The edge attribute that holds dy(j)/dy(i).

    Returns
    -------
    SensitivityReport
        In a notebook, picture and tables; printed, the tables.

    Raises
    ------
    CGraphError
        As `sensitivities` and `top_paths`.

    Examples
    --------
    >>> from cgraph import from_equations, linearize
    >>> print(sensitivity_report(linearize(from_equations("a = 2*x; y = 5*a + 3*x", x=1.0)), "x", "y"))
    S(x, y) = 13, the sum over 2 paths
      product  path
           10  x -> a -> y
            3  x -> y
    <BLANKLINE>
    S(i, y) = dy(y)/dy(i)
      node  value  S(i, y)
      x         1       13
      a         2        5
      y        13        1
    """
    G = with_derivative(G, derivative)
    S = sensitivities(G, t)
    drawing = draw(G, s=s, t=t)
    number = count_paths(G, s, t)
    title = f"S({s}, {t}) = {show_number(_cell(S[s]))}, the sum over {show_count(number)} path{'s' * (number != 1)}"
    rows = [(_cell(product), " -> ".join(map(str, path))) for path, product in top_paths(G, s, t, top)]
    nodes = [(str(i), _cell(G.nodes[i].get("value")), _cell(S[i])) for i in G]
    heads = ("node", "value", f"S(i, {t})")
    return SensitivityReport(
        drawing, Table(("product", "path"), rows, title), Table(heads, nodes, f"S(i, {t}) = dy({t})/dy(i)")
    )


def _cell(value: Any) -> Any:
    """Return a number, or the shape of an array."""
    return show_quantity(value) if is_array(value) else value
