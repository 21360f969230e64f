"""Mistakes in what was given: another number of the graph than the one that was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice

from cgraph.algorithms.paths import paths
from cgraph.algorithms.sweeps import sensitivity
from cgraph.exercises.mistakes.paths import MOST_PATHS
from cgraph.exercises.mistakes.possible_mistake import PossibleMistake
from cgraph.exercises.parts import (
    BeforeActivation,
    EdgeDerivative,
    Gate,
    Part,
    PathCount,
    PathProduct,
    Sensitivity,
    ValueOf,
    WeightGradient,
)
from cgraph.model.graph import ComputationalGraph

__all__ = ["forward_value", "inverse", "neighbour"]


MOST_SOURCES = 20  # whose numbers are compared


def forward_value(part: Part, L: ComputationalGraph) -> Iterator[PossibleMistake]:
    """A value of the forward pass was given instead of a derivative, or a pre-activation."""
    nodes: tuple[str, ...] = ()
    match part:
        case Sensitivity(s, t) | EdgeDerivative(s, t) | WeightGradient(s, _, t):
            nodes = t, s
        case PathProduct(path):
            nodes = path[-1], path[0]
        case Gate(j) | BeforeActivation(j, _):
            what = f"the pre-activation s({j}) was given instead of {'the gate' if isinstance(part, Gate) else part}"
            yield PossibleMistake("forward value", f"node {j}", what, read=partial(_preactivation, j))
    for j in nodes:
        if L.nodes[j].get("value") is not None:
            what = f"the value y({j}) was given instead of the derivative"
            yield PossibleMistake("forward value", "what is asked for", what, read=ValueOf(j).of)


def activation_forgotten(part: Part, L: ComputationalGraph) -> Iterator[PossibleMistake]:
    """s(j) was given as the value of a neuron, instead of Phi(s(j))."""
    if isinstance(part, ValueOf) and L.nodes[part.node].get("activation", "identity") != "identity":
        j = part.node
        what = f"the pre-activation s({j}) was given; the activation was not applied"
        yield PossibleMistake("activation forgotten", f"the activation of {j}", what, read=partial(_preactivation, j))


def inverse(part: Part, _: ComputationalGraph) -> Iterator[PossibleMistake]:
    """The derivative the other way round: ds/dt for dt/ds."""
    kind, where = "S(t,s) given", "what is differentiated by what"
    match part:
        case Sensitivity(s, t) | EdgeDerivative(s, t):
            what = f"d{s}/d{t} was given instead of d{t}/d{s}"
            yield PossibleMistake(kind, where, what, read=lambda M: 1 / part.of(M))
    match part:
        case Sensitivity(s, t) if s != t:
            what = f"S({t},{s}), which is 0, was given instead of S({s},{t})"
            yield PossibleMistake(kind, where, what, read=lambda M: float(sensitivity(M, t, s)))


def neighbour(part: Part, L: ComputationalGraph) -> Iterator[PossibleMistake]:
    """The number of a node or edge nearby."""
    for other in dict.fromkeys(_neighbours(part, L)):
        if other != part:
            yield PossibleMistake(
                "neighbour's number", "which one is asked for", f"this is {other}, not {part}", read=other.of
            )


def _neighbours(part: Part, L: ComputationalGraph) -> Iterator[Part]:
    match part:
        case ValueOf(j):
            yield from (ValueOf(i) for i in _near(j, L) if L.nodes[i].get("value") is not None)
        case Sensitivity(s, t):
            yield from (Sensitivity(i, t) for i in [*_near(s, L), *_sources(L)])
            yield from (Sensitivity(s, i) for i in L.predecessors(t))
            yield from (EdgeDerivative(s, j) for j in L.successors(s))
        case BeforeActivation(j, t):
            yield from (BeforeActivation(i, t) for i in _near(j, L) if "gate" in L.nodes[i])
        case WeightGradient(i, j, t):
            beside = [(i, k) for k in _near(j, L) if L.has_edge(i, k)]
            edges = [*L.in_edges(j), *L.out_edges(i), *L.in_edges(i), *beside]
            yield from (WeightGradient(a, b, t) for a, b in edges if "weight" in L.edges[a, b])
            yield from (Sensitivity(j, t), Sensitivity(i, t))
        case EdgeDerivative(i, j):
            edges = [*L.in_edges(j), *L.out_edges(i), *L.in_edges(i), *L.out_edges(j)]
            yield from (EdgeDerivative(*edge) for edge in edges)
        case Gate():
            yield from (Gate(j) for j, data in L.nodes(data=True) if "gate" in data)
        case PathProduct(path):
            yield from (PathProduct(p) for p, _ in islice(paths(L, path[0], path[-1]), MOST_PATHS))
            yield Sensitivity(path[0], path[-1])
        case PathCount(s, t):
            yield from (PathCount(i, t) for i in _near(s, L))
            yield from (PathCount(s, i) for i in L.predecessors(t))


def _sources(L: ComputationalGraph) -> list[str]:
    return (L.inputs + L.weights)[:MOST_SOURCES]


def _near(j: str, L: ComputationalGraph) -> list[str]:
    """Return successors and predecessors of `j`, and what shares one with it."""
    beside = [i for k in L.successors(j) for i in L.predecessors(k)]
    beside += [i for k in L.predecessors(j) for i in L.successors(k)]
    return [i for i in dict.fromkeys([*L.successors(j), *L.predecessors(j), *beside]) if i != j]


def _preactivation(j: str, M: ComputationalGraph) -> float:
    return float(M.nodes[j]["preactivation"])
