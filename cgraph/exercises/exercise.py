"""An exercise: a graph, questions about it, and the right answers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import networkx as nx
import numpy as np

from cgraph.algorithms.sweeps import sensitivity
from cgraph.exercises.mistakes import PossibleMistake, candidates, combinations
from cgraph.exercises.parts import Part, Sensitivity
from cgraph.exercises.questions import Question
from cgraph.exercises.tolerances import EXACT
from cgraph.model.evaluation import linearize
from cgraph.model.graph import ComputationalGraph
from cgraph.model.linearized import nodes_between

__all__ = ["Exercise", "truth_of"]


@dataclass(frozen=True)
class Exercise:
    """A graph and questions about it.

    Attributes
    ----------
    graph : ComputationalGraph
        With values for all inputs.
    questions : tuple of Question
        In the order of the file.
    title, source : str
        What it is called and where it comes from.
    sealed : str
        The salt of the hashes that answers are checked by, "" if the exercise is not sealed.
    variant_of : str
        The student whose numbers it has; "" if they are the numbers of the file.
    """

    graph: ComputationalGraph
    questions: tuple[Question, ...]
    title: str = ""
    source: str = ""
    sealed: str = ""
    variant_of: str = ""

    @cached_property
    def linearized(self) -> ComputationalGraph:
        """The graph with values and derivatives, from which the engine's own answers are read."""
        return linearize(self.graph)

    @cached_property
    def truths(self) -> dict[str, dict[str, Fraction]]:
        """{id: {label: the right number}}: the author's, or else the engine's."""
        L = self.linearized
        return {
            q.id: {label: q.answers.get(label, truth_of(part, L)) for label, part in q.parts.items()}
            for q in self.questions
        }

    def possible_mistakes(self, part: Part) -> list[tuple[PossibleMistake, Any]]:
        """Return every mistake that `part` allows with the number or array it leads to; worked out once."""
        if part not in self._possible:
            self._possible[part] = candidates(part, self.linearized)
        return self._possible[part]

    def pairs(self, part: Part) -> list[tuple[tuple[PossibleMistake, PossibleMistake], Any]]:
        """Return the pairs of frequent mistakes, likewise."""
        if part not in self._pairs:
            self._pairs[part] = list(combinations(part, self.linearized))
        return self._pairs[part]

    @cached_property
    def _possible(self) -> dict[Part, list[tuple[PossibleMistake, Any]]]:
        return {}

    @cached_property
    def _pairs(self) -> dict[Part, list[tuple[tuple[PossibleMistake, PossibleMistake], Any]]]:
        return {}

    @property
    def points(self) -> Fraction:
        """The points of all questions together."""
        return sum((q.points for q in self.questions), Fraction(0))


def truth_of(part: Part, L: ComputationalGraph) -> Fraction:
    """Return what a part comes to, as the decimal that a float is written as; 0 for what is 0 but for rounding."""
    value = part.of(L)
    if isinstance(part, Sensitivity) and not _has_arrays(L) and abs(value) <= EXACT * _size(part, L):
        return Fraction(0)
    return Fraction(repr(float(value)))


def _has_arrays(L: ComputationalGraph) -> bool:
    return any(isinstance(data.get("value"), np.ndarray) for _, data in L.nodes(data=True))


def _size(part: Sensitivity, L: ComputationalGraph) -> float:
    """Return the sum of the absolute products that a sensitivity is made of."""
    between = set(nodes_between(L, part.s, part.t))
    A: nx.DiGraph[Any] = nx.DiGraph()
    A.add_nodes_from([part.s, part.t])
    A.add_edges_from(
        (i, j, {"derivative": abs(d["derivative"])}) for i, j, d in L.edges(data=True) if {i, j} <= between
    )
    return float(sensitivity(A, part.s, part.t))
