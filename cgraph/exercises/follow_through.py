"""The graph in which a student's own answers hold: what follows from an earlier mistake."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from cgraph.exercises.parts import (
    BeforeActivation,
    EdgeDerivative,
    Entry,
    Gate,
    GradientStep,
    Part,
    Sensitivity,
    ValueOf,
    WeightGradient,
)
from cgraph.model.evaluation import linearized_from, source_values
from cgraph.model.graph import ComputationalGraph

__all__ = ["followed_through"]


def followed_through(G: ComputationalGraph, believed: Mapping[Part, Fraction], asked: Part) -> ComputationalGraph:
    """Return the linearized graph in which the numbers of some parts are what is believed.

    Believed values are carried forward, believed gates and edges stand on the graph, and a believed S(i,t) takes the
    place of all that lies between i and t, if `asked` is about the same t.
    """
    L = linearized_from(G, source_values(G), settle=partial(_believed_value, believed))
    numbers = {part: float(value) for part, value in believed.items()}
    for j, gate in ((part.node, v) for part, v in numbers.items() if isinstance(part, Gate)):
        _set_gate(L, j, gate)
    for part, z in numbers.items():
        if isinstance(part, EdgeDerivative):
            L.edges[part.i, part.j]["derivative"] = z
    inner = asked.whole if isinstance(asked, Entry) else asked
    inner = inner.gradient if isinstance(inner, GradientStep) else inner
    if isinstance(inner, Sensitivity | BeforeActivation | WeightGradient):
        for part, delta in numbers.items():
            if isinstance(part, BeforeActivation) and part.t == inner.t and part.j != _begins_at(inner):
                _set_gate(L, part.j, delta)  # times S(j,t), which is 1 now
                if part.j != part.t:
                    _shortcut(L, part.j, part.t, 1.0)
        for part, S in numbers.items():
            if (
                isinstance(part, Sensitivity)
                and part.t == inner.t
                and part.s not in {part.t, getattr(inner, "s", None)}
                and BeforeActivation(part.s, part.t) not in numbers
            ):
                _shortcut(L, part.s, part.t, S)
    return L


def _begins_at(part: Sensitivity | BeforeActivation | WeightGradient) -> str | None:
    """Return the node that a sweep for `part` ends at, whose own numbers do not stand for what is asked."""
    match part:
        case Sensitivity(s, _) | BeforeActivation(s, _):
            return s
    return None


def _set_gate(L: ComputationalGraph, j: str, gate: float) -> None:
    L.nodes[j]["gate"] = gate
    for i in L.predecessors(j):
        L.edges[i, j]["derivative"] = gate * L.edges[i, j]["weight"]


def _shortcut(L: ComputationalGraph, s: str, t: str, S: float) -> None:
    """Let S(s,t) be a number whatever lies between: the edges that leave s count for nothing, but one to t."""
    for j in L.successors(s):
        L.edges[s, j]["derivative"] = 0.0 * L.edges[s, j]["derivative"]
    L.add_edge(s, t, derivative=S)


def _believed_value(believed: Mapping[Part, Fraction], j: str, y: Any) -> Any:
    """Return what is believed of y(j), entry by entry where it is an array."""
    if np.ndim(y) == 0:
        return float(believed.get(ValueOf(j), y))
    array = np.array(y)
    for index in np.ndindex(array.shape):
        array[index] = float(believed.get(Entry(ValueOf(j), index), array[index]))
    return array
