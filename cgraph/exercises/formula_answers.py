"""Marking what is no number: formulas, compared at random points, and choices."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np

from cgraph.exercises.mistakes import candidates
from cgraph.exercises.questions import Choice, FormulaAnswer, Question
from cgraph.exercises.results import Mistake, PartResult, text_of, unreadable
from cgraph.model.errors import CGraphError, EquationError
from cgraph.model.evaluation import linearize, steps_of
from cgraph.model.graph import ComputationalGraph, undefined
from cgraph.model.language.expressions import Expression
from cgraph.model.language.parsing import parse

__all__ = ["mark_choice", "mark_formula", "with_products"]

POINTS = 20  # at which a formula is compared
MOST_TRIES = 1000  # to find them, where the graph is not defined everywhere
CLOSE = 1e-6  # relative to the derivative, and to 1e-6 where it is smaller
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def mark_choice(choice: Choice, answer: Any) -> PartResult:
    """Compare a letter, or the text behind it, with the right one."""
    if answer is None:
        return PartResult("", "missing")
    letters = LETTERS[: len(choice.options)]
    texts = {_plain(text): letter for letter, text in zip(letters, choice.options, strict=True)}
    given = _plain(text_of(answer)).strip("().")
    given = texts.get(_plain(text_of(answer)), given)
    if len(given) != 1 or given not in letters:
        return unreadable("", answer, f"the answer of a choice must be one of the letters {letters}")
    return PartResult("", "right" if given == choice.right else "wrong", given)


def _plain(text: str) -> str:
    return " ".join(text.split()).upper()


def with_products(text: str) -> str:
    """Return a formula with the signs of multiplication that people leave out.

    Examples
    --------
    >>> with_products("2(q-1)x + 3x1 - 1e-3"), with_products("log10(x)")
    ('2*(q-1)*x + 3*x1 - 1e-3', 'log10(x)')
    """
    text = re.sub(r"(?<![\w.])(\d+\.?\d*)(?![\d.]|[eE][-+]?\d)(?=\s*[A-Za-z_(])", r"\1*", text)
    return re.sub(r"\)(?=\s*[\w(])", ")*", text)


def mark_formula(G: ComputationalGraph, q: Question, asked: FormulaAnswer, answer: Any) -> PartResult:
    """Compare a formula with the derivative at random points, the same ones for everybody."""
    if answer is None:
        return PartResult("", "missing")
    if isinstance(answer, bool) or not isinstance(answer, str | int | float):
        return unreadable("", answer, "a formula is a text")
    try:
        expression = parse(with_products(text_of(answer)), G.functions)
    except EquationError as error:
        return unreadable("", answer, str(error))
    if names := undefined(expression, G):
        return unreadable("", answer, f"the graph has no node {names[0].name!r}")
    points = list(islice(_points(G, q, asked), POINTS))
    if not points:
        raise CGraphError(f"question {q.id!r}: the graph cannot be evaluated in the domains of the inputs")
    for point, L in points:
        truth = asked.part.of(L)
        where = ", ".join(f"{i} = {x:.4g}" for i, x in point.items())
        try:
            value = _value(expression, L)
        except CGraphError as error:
            return PartResult("", "wrong", text_of(answer), note=f"it cannot be computed at {where}: {error}")
        if not _equal(value, truth):
            note = f"at {where} it gives {value:.6g}, and the derivative is {truth:.6g}"
            named = _named(expression, asked, [L for _, L in points[:3]])
            return PartResult("", "wrong", text_of(answer), note=note, mistakes=named)
    return PartResult("", "right", text_of(answer))


def _points(
    G: ComputationalGraph, q: Question, asked: FormulaAnswer
) -> Iterator[tuple[Mapping[str, float], ComputationalGraph]]:
    """Iterate over points of the domains at which the graph is defined, with the graph linearized there."""
    chance = random.Random(f"{q.id}/{asked.part}")  # noqa: S311 - points, not secrets
    for _ in range(MOST_TRIES):
        point = {i: chance.uniform(*ends) for i, ends in asked.domains.items()}
        try:
            yield point, linearize(G, point)
        except CGraphError:
            continue


def _value(expression: Expression, L: ComputationalGraph) -> float:
    y = {i: data["value"] for i, data in L.nodes(data=True)}
    with np.errstate(all="ignore"):
        return float(np.real(steps_of(expression, y, "answer")[-1]))


def _equal(value: float, truth: float) -> bool:
    return abs(value - truth) <= CLOSE * max(abs(truth), CLOSE)


def _named(expression: Expression, asked: FormulaAnswer, graphs: list[ComputationalGraph]) -> tuple[Mistake, ...]:
    """Return the mistakes that give what the formula gives at every one of some points."""
    try:
        values = [_value(expression, L) for L in graphs]
    except CGraphError:
        return ()
    found = [
        {s.what: s for s, number in candidates(asked.part, L) if _equal(number, value)}
        for L, value in zip(graphs, values, strict=True)
    ]
    common = [mistake for what, mistake in found[0].items() if all(what in others for others in found[1:])]
    return tuple(Mistake(s.kind, s.where, s.what, len(common) == 1) for s in common)
