"""The terms of second order in the law of propagation of uncertainty."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from cgraph.algorithms.sweeps import sensitivities
from cgraph.model.errors import UncertaintyError
from cgraph.model.evaluation import linearize
from cgraph.model.graph import ComputationalGraph, Node
from cgraph.model.quantities import Quantity

__all__ = ["require_equations", "second_order_variance"]

STEP = 0.01  # in units of u(j): small beside what u(j) makes of a gradient, and large beside rounding


def second_order_variance(L: Any, t: Node, quantities: Mapping[Any, Quantity]) -> float:
    """Return what the second order adds to the variance of y(t), for independent inputs.

    Notes
    -----
    sum over i and j of (f_ij^2 / 2 + f_i f_ijj) u_i^2 u_j^2 (JCGM 100:2008, the note to 5.1.2), with the second and third
    derivatives as central differences of the gradient: two linearizations for each input.
    """
    G = require_equations(L, "terms of second order")
    for i, q in quantities.items():
        if np.ndim(q.standard) or np.ndim(G.nodes[i].get("value", 0.0)):
            raise UncertaintyError(f"terms of second order are those of numbers; {i!r} is an array: take scalarize(G)")
    u = np.array([q.standard for q in quantities.values()])
    gradient = _scaled_gradient(G, t, quantities, u)
    total = 0.0
    for j, u_j in zip(quantities, u, strict=True):
        if not u_j:
            continue
        above, below = (_scaled_gradient(_moved(G, j, sign * STEP * u_j), t, quantities, u) for sign in (1, -1))
        second = (above - below) / (2 * STEP)  # f_ij u_i u_j
        third = (above - 2 * gradient + below) / STEP**2  # f_ijj u_i u_j^2
        total += math.fsum(second**2 / 2 + gradient * third)
    return total


def require_equations(L: Any, what: str) -> ComputationalGraph:
    """Return the graph, or raise `UncertaintyError` if it cannot be evaluated again."""
    if not isinstance(L, ComputationalGraph):
        raise UncertaintyError(f"{what} need a graph of equations; this one holds derivatives only")
    return L


def _moved(G: ComputationalGraph, j: Node, step: float) -> ComputationalGraph:
    """Return a copy of `G` in which the source j, of whatever role, has another value."""
    H = G.copy()
    H.nodes[j]["value"] = H.nodes[j]["value"] + step
    return H


def _scaled_gradient(G: ComputationalGraph, t: Node, quantities: Mapping[Any, Quantity], u: Any) -> Any:
    """Return S(i,t) u(i) for every uncertain input i."""
    S = sensitivities(linearize(G), t)
    return np.array([S[i] for i in quantities]) * u
