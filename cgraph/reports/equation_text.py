"""The equation of a node as text, that of a neuron with its weights."""

from __future__ import annotations

from cgraph.model.graph import ComputationalGraph
from cgraph.model.language.expressions import write_name
from cgraph.reports.tables import show_number

__all__ = ["equation_of", "weighted_sum"]


def equation_of(G: ComputationalGraph, j: str) -> str:
    """Return the equation of a node as text, that of a neuron with its weights; "" for a source."""
    data = G.nodes[j]
    if "activation" in data:
        return f"{data['activation']}({weighted_sum(G, j)})"
    return str(data["equation"]) if "equation" in data else ""


def weighted_sum(G: ComputationalGraph, j: str) -> str:
    """Return s(j), the sum of weights times nodes, as text."""
    terms = (f"{show_number(G.edges[i, j]['weight'])}*{write_name(i)}" for i in G.nodes[j]["operands"])
    return " + ".join(terms).replace("+ -", "- ") or "0"
