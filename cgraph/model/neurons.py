"""Neurons in two halves: the linear "j-", the weighted sum s(j), and the activation "j+", Phi(s(j))."""

from __future__ import annotations

from typing import Any, NamedTuple

import networkx as nx

from cgraph.model.language.expressions import Apply, Name
from cgraph.model.operations.elementwise import ACTIVATIONS

__all__ = ["LAYER_ACTIVATIONS", "Activated", "activated", "linear_halves"]

# What may stand over a layer: softmax mixes its entries, so that it has a Jacobian and no gate.
LAYER_ACTIVATIONS = (*ACTIVATIONS, "softmax")


class Activated(NamedTuple):
    """What a node is whose equation is an activation of another node."""

    activation: str
    operand: Any


def activated(G: nx.DiGraph[Any], j: Any) -> Activated | None:
    """Return Phi and i if the equation of `j` is Phi(y(i)), else None."""
    match getattr(G.nodes[j].get("expression"), "steps", None):
        case (Name(i), Apply(operation, _, ())) if operation in LAYER_ACTIVATIONS:
            return Activated(operation, i)
    return None


def linear_halves(G: nx.DiGraph[Any]) -> dict[str, str]:
    """Return ``{"j-": "j+"}`` for the decoupled neurons of `G`: nothing but "j+" reads "j-", and by an activation."""
    halves = {}
    for j in G:
        if isinstance(j, str) and j.endswith("+") and len(j) > 1:
            linear = f"{j[:-1]}-"
            if (found := activated(G, j)) and found.operand == linear and list(G.successors(linear)) == [j]:
                halves[linear] = j
    return halves
