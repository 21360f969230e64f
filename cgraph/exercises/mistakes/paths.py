"""Mistakes in the sum over paths and in the product along one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

from cgraph.algorithms.paths import count_paths, paths
from cgraph.exercises.mistakes.possible_mistake import PossibleMistake, without_edges
from cgraph.exercises.parts import BeforeActivation, Part, PathCount, PathProduct, Sensitivity
from cgraph.model.graph import ComputationalGraph, topological_order
from cgraph.model.linearized import nodes_between

__all__ = ["MOST_PATHS", "combined_wrongly", "only_one_path", "overwritten", "path_left_out"]

MOST_PATHS = 100  # whose omission is tried


def path_left_out(part: Part, L: ComputationalGraph) -> Iterator[PossibleMistake]:
    """The product of one path is missing from the sum."""
    for along in _paths(part, L, fewest=2):
        what = f"the path {' -> '.join(along.path)} was left out of the sum"
        yield PossibleMistake("path left out", _where(along), what, read=partial(_without, part, along))


def only_one_path(part: Part, L: ComputationalGraph) -> Iterator[PossibleMistake]:
    """One path was counted; of two, that is the other one left out."""
    for along in _paths(part, L, fewest=3):
        what = f"only the path {' -> '.join(along.path)} was counted"
        yield PossibleMistake("only one path", _where(along), what, read=partial(_alone, part, along))


def overwritten(part: Part, L: ComputationalGraph) -> Iterator[PossibleMistake]:
    """At a node with several successors, a term overwrites the sum instead of being added."""
    between = part.nodes(L) if part.ends else []
    inside = set(between)
    branching = {i: [j for j in L.successors(i) if j in inside] for i in between}
    branching = {i: heads for i, heads in branching.items() if len(heads) > 1}
    for i, heads in branching.items():
        for kept in heads:
            what = f"at {i} the term through {kept} overwrote the sum instead of being added to it"
            change = without_edges((i, j) for j in heads if j != kept)
            yield PossibleMistake("overwritten", f"how the terms at {i} are added up", what, change)
    if len(branching) > 1:
        order = {j: k for k, j in enumerate(topological_order(L))}
        for which, choose in (("last", min), ("first", max)):  # a reverse sweep visits the earliest head last
            kept_at = {i: choose(heads, key=order.__getitem__) for i, heads in branching.items()}
            what = f"everywhere the {which} term was kept instead of the sum"
            change = without_edges((i, j) for i, heads in branching.items() for j in heads if j != kept_at[i])
            yield PossibleMistake("overwritten", "how the terms at a node are added up", what, change)


def combined_wrongly(part: Part, L: ComputationalGraph) -> Iterator[PossibleMistake]:
    """The factors of a path added, or the products of paths multiplied."""
    kind = "added or multiplied"
    if isinstance(part, PathProduct):
        what = "the factors along the path were added instead of multiplied"
        yield PossibleMistake(kind, "how a path's factors are combined", what, read=partial(_added, part))
    products = list(_paths(part, L, fewest=2))
    if products:
        what = "the products of the paths were multiplied instead of added"
        yield PossibleMistake(
            kind, "how the paths are combined", what, read=lambda M: math.prod(p.of(M) for p in products)
        )


def miscounted(part: Part, L: ComputationalGraph) -> Iterator[PossibleMistake]:
    """Edges or nodes were counted instead of paths."""
    if isinstance(part, PathCount):
        inside = set(nodes_between(L, part.s, part.t))
        counted = {
            f"the edges that leave {part.s} were counted": sum(j in inside for j in L.successors(part.s)),
            "the edges between the ends were counted": sum(i in inside and j in inside for i, j in L.edges),
            "the nodes between the ends were counted": len(inside),
        }
        for what, number in counted.items():
            yield PossibleMistake("something else counted", "what is counted", what, read=partial(_constant, number))


def _paths(part: Part, L: ComputationalGraph, fewest: int) -> Iterator[PathProduct]:
    ends = part.ends if isinstance(part, Sensitivity | BeforeActivation) else None
    if ends and fewest <= count_paths(L, *ends) <= MOST_PATHS:
        yield from (PathProduct(path) for path, _ in paths(L, *ends))


def _where(along: PathProduct) -> str:
    return f"the paths from {along.path[0]} to {along.path[-1]}"


def _without(part: Part, along: PathProduct, M: ComputationalGraph) -> Any:
    return part.of(M) - _alone(part, along, M)


def _alone(part: Part, along: PathProduct, M: ComputationalGraph) -> Any:
    """Return what one path adds to the sum: before an activation, its product by the gate."""
    return along.of(M) * (M.nodes[part.j]["gate"] if isinstance(part, BeforeActivation) else 1.0)


def _added(part: PathProduct, M: ComputationalGraph) -> float:
    return float(sum(M.edges[edge]["derivative"] for edge in part.edges(M)))


def _constant(number: float, _: ComputationalGraph) -> float:
    return number
