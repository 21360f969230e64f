"""What a picture highlights between s and t: how much flows through each edge, or the strongest paths."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from numbers import Real
from typing import Any, NamedTuple

import networkx as nx

from cgraph.algorithms.sweeps import edge_sensitivities
from cgraph.model.graph import Node
from cgraph.reports.drawing.palette import PATHS
from cgraph.reports.drawing.words import Line, is_array, quotient, show_quantity
from cgraph.uncertainty.budget import uncertainty_budget

__all__ = ["PLAIN", "Stroke", "strokes_by_budget", "strokes_by_flow", "strokes_by_path"]

WIDEST = 4.0  # what the strongest edge is wider than a plain one
LONGEST = 30  # nodes of a path whose names are listed


class Stroke(NamedTuple):
    """How an edge is drawn: a row of the palette, and a width."""

    kind: str = "plain"
    width: float = 1.0


PLAIN = Stroke()
Strokes = dict[tuple[Any, Any], Stroke]


def strokes_by_flow(G: nx.DiGraph[Any], s: Node, t: Node, names: Mapping[Any, str]) -> tuple[Strokes, list[Line]]:
    """Return edges as thick as |S(s,i) z(i,j) S(j,t)|, in the colour of its sign, and a line that says so."""
    flow = edge_sensitivities(G, s, t)
    strongest = max(map(_magnitude, flow.values()), default=0.0)
    strokes = {}
    for edge, value in flow.items():
        share = _magnitude(value) / strongest if strongest else 0.0
        strokes[edge] = Stroke(_sign(value), 1 + WIDEST * share) if share else Stroke("off")
    thickness = f"thickness: share of {quotient(names[t], names[s])} that flows through the edge"
    if all(isinstance(value, Real) for value in flow.values()):
        return strokes, [Line("note", thickness), Line("note", "blue: positive; orange, dashed: negative")]
    return strokes, [Line("note", f"{thickness}, by its Frobenius norm")]


def strokes_by_budget(
    G: nx.DiGraph[Any], t: Node, names: Mapping[Any, str]
) -> tuple[Strokes, dict[tuple[Any, Any], float], list[Line]]:
    """Return edges as thick as the share of the variance of y(t) that passes through them, the shares, and two lines.

    The uncertainties are those that the spec states.
    """
    budget = uncertainty_budget(G, [t])
    variance = budget.standard[t] ** 2
    shares = {edge: part / variance if variance else 0.0 for edge, part in budget.by_edge(t).items()}
    strokes = dict.fromkeys(G.edges, Stroke("off"))
    strokes |= {edge: Stroke("plain", 1 + WIDEST * min(share, 1.0)) for edge, share in shares.items() if share}
    thickness = f"thickness: share of the variance of {names[t]} that passes through the edge"
    return (
        strokes,
        shares,
        [Line("note", f"u({names[t]}) = {show_quantity(budget.standard[t])}"), Line("note", thickness)],
    )


def strokes_by_path(
    G: nx.DiGraph[Any], paths: Sequence[tuple[tuple[Node, ...], Any]], asked: int, names: Mapping[Any, str]
) -> tuple[Strokes, list[Line]]:
    """Return each edge in the colour of the strongest of `paths` through it, and a line for each path."""
    strokes = dict.fromkeys(G.edges, Stroke("off"))
    notes = []
    for k, (path, product) in reversed(list(enumerate(paths, 1))):
        kind = f"path{k}" if k <= len(PATHS) else "plain"
        way = (
            " → ".join(names[i] for i in path)
            if len(path) <= LONGEST
            else f"{names[path[0]]} → … → {names[path[-1]]}, {len(path)} nodes"
        )
        size = f", norm {show_quantity(_magnitude(product))}" if is_array(product) else ""
        notes.append(Line(kind, f"path {k}: {way}, product {show_quantity(product)}{size}"))
        strokes |= dict.fromkeys(pairwise(path), Stroke(kind, 1 + WIDEST / k))
    left_out = [Line("note", f"only the {len(PATHS)} strongest paths have a colour")] * (asked > len(PATHS))
    return strokes, notes[::-1] + left_out


def _sign(value: Any) -> str:
    """Return the row of the palette for what flows through an edge; an array has no sign."""
    return "plain" if not isinstance(value, Real) else "negative" if value < 0 else "positive"


def _magnitude(value: Any) -> float:
    entries = value.ravel() if hasattr(value, "ravel") else [value]
    return math.hypot(*(abs(entry) for entry in entries))
