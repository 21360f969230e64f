"""What typical mistakes lead to at the steps of a page, so that the page names them as marking does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

import networkx as nx
import numpy as np

from cgraph.algorithms.paths import top_paths
from cgraph.exercises.diagnosis import DIGITS_FOR_PAIRS, MOST_NAMED, NEAR, ROUNDED, key_of
from cgraph.exercises.exercise import truth_of
from cgraph.exercises.mistakes import PossibleMistake, candidates, combinations
from cgraph.exercises.parts import EdgeDerivative, Part, PathProduct, Sensitivity, ValueOf, WeightGradient
from cgraph.exercises.tolerances import parse_tolerance
from cgraph.model.graph import ComputationalGraph, Node
from cgraph.model.linearized import nodes_between
from cgraph.reports.pages import StepMistakes

__all__ = ["step_mistakes"]

MOST_EDGES = 100  # of a graph whose mistakes are worked out
MOST_EDGES_FOR_PAIRS = 25  # of one in which two mistakes are tried together
Candidates = Iterable[tuple[tuple[PossibleMistake, ...], float]]
TOLERANCE = parse_tolerance("3sf")  # of the answers that are typed in a page


def step_mistakes(L: nx.DiGraph[Any], s: Node, t: Node, paths: int) -> StepMistakes:
    """Return what typical mistakes lead to at the steps of a page from `s` to `t`.

    Parameters
    ----------
    L : ComputationalGraph
        Linearized. Not modified.
    s, t : node
        The ends.
    paths : int
        How many of the strongest paths are asked for.

    Returns
    -------
    StepMistakes
        For `page` to name the mistake behind a wrong answer, in the words of `grade`. Empty of a graph that is no
        `ComputationalGraph` or has more than 100 edges; pairs of mistakes are among them up to 25 edges.

    Notes
    -----
    Each candidate is an algorithm run on another graph, O(V + E), and there are some dozens for each step.

    Examples
    --------
    >>> from cgraph import from_equations, linearize
    >>> L = linearize(from_equations("a = x*z; y = a + x", x=2.0, z=3.0))
    >>> step_mistakes(L, "x", "y", 2).known["S", "x"][0]
    (1.0, 'the path x -> a -> y was left out of the sum')
    """
    known: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    if isinstance(L, ComputationalGraph) and L.number_of_edges() <= MOST_EDGES:
        for key, part in _parts(L, str(s), str(t), paths):
            if found := list(_numbers(part, L)):
                known[key] = found
    return StepMistakes(known, ROUNDED.what, {"near": float(NEAR), "digits": DIGITS_FOR_PAIRS, "most": MOST_NAMED})


def _parts(L: ComputationalGraph, s: str, t: str, paths: int) -> Iterator[tuple[tuple[Any, ...], Part]]:
    """Iterate over what a page asks for: values, local derivatives, sensitivities, products of paths, gradients."""
    yield from ((("y", j), ValueOf(j)) for j in L if L.pred[j] and L.nodes[j].get("value") is not None)
    yield from ((("z", i, j), EdgeDerivative(i, j)) for i, j in L.edges)
    leading = nx.ancestors(L, t)
    yield from ((("S", i), Sensitivity(i, t)) for i in L if i in leading)
    if nodes_between(L, s, t):
        yield from ((("p", *path), PathProduct(path)) for path, _ in top_paths(L, s, t, paths) if len(path) > 1)
    for i, j in L.edges:
        if "activation" in L.nodes[j] and j in {*leading, t}:
            yield ("w", i, j), WeightGradient(i, j, t)


def _numbers(part: Part, L: ComputationalGraph) -> Iterator[tuple[Any, ...]]:
    """Iterate over (number, what happened), or (number, what, what) of a pair, once for each mistake that shows."""
    if np.ndim(part.of(L)):
        return
    accepted = TOLERANCE.interval(truth_of(part, L))
    singles: Candidates = (((mistake,), number) for mistake, number in candidates(part, L))
    pairs: Candidates = combinations(part, L) if L.number_of_edges() <= MOST_EDGES_FOR_PAIRS else ()
    for several in (singles, pairs):
        seen = set()
        for mistakes, number in several:
            key = key_of(mistakes, [number])
            if Fraction(repr(number)) not in accepted and key not in seen:
                seen.add(key)
                yield number, *(mistake.what for mistake in mistakes)
