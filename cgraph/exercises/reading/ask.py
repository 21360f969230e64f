"""The section ``ask`` of an exercise: what every question says, of whatever kind it is."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np

from cgraph.exercises.entries import entries_of
from cgraph.exercises.numbers import UnreadableError
from cgraph.exercises.parts import Entry, Part
from cgraph.exercises.questions import Choice, FormulaAnswer, Question
from cgraph.exercises.reading.kinds import KINDS, AskedFor
from cgraph.exercises.reading.wording import MistakeError, Wording, number_at
from cgraph.exercises.tolerances import EXAMPLES, Tolerance, parse_tolerance
from cgraph.model.errors import CGraphError, nearest
from cgraph.model.evaluation import linearize
from cgraph.model.graph import ComputationalGraph
from cgraph.specs.documents import Document
from cgraph.specs.node_values import kind_of

__all__ = ["read_questions"]

MAX_QUESTIONS = 1000
MAX_PARTS = 10_000  # of one question
MAX_ENTRIES = 1000  # of an array
OPTIONS = ("id", "answer", "tolerance", "points", "hint", "text", "of", "rate", "domain", "seal")
KEYS = (*KINDS, *OPTIONS)


def read_questions(document: Document, G: ComputationalGraph) -> tuple[Question, ...]:
    """Return the questions about `G`; a mistake is recorded, and the reading goes on."""
    L = linearize(G)
    listed = document.data.get("ask")
    if not isinstance(listed, list) or not listed:
        document.report(
            ("ask",), f"'ask' must be a list of questions, not {kind_of(listed)}", "write ask: [{id: a, d: y/x}]"
        )
        return ()
    if len(listed) > MAX_QUESTIONS:
        document.report(("ask",), f"{len(listed):,} questions; the limit is {MAX_QUESTIONS:,}")
        return ()
    is_sealed = bool(document.data.get("sealed"))
    questions: list[Question] = []
    seen: dict[str, int] = {}
    for k, entry in enumerate(listed):
        try:
            kind = _kind(document, k, entry)
            id = _id(k, entry, seen)
            questions.append(_question(id, Wording(kind, KINDS[kind].example, entry, G, L, is_sealed)))
        except MistakeError as mistake:
            document.report(("ask", k, *mistake.path), mistake.message, mistake.hint)
    return tuple(questions)


def _kind(document: Document, k: int, entry: Any) -> str:
    """Return the key of what a question asks for; keys that are not known are recorded."""
    if not isinstance(entry, dict):
        raise MistakeError((), f"a question must be a mapping, not {kind_of(entry)}", "write {id: a, d: y/x}")
    for key in entry:
        if key not in KEYS:
            close = nearest(key, KEYS)
            hint = f"did you mean {close!r}?" if close else f"a question asks for one of {', '.join(KINDS)}"
            document.report(("ask", k, key), f"unknown key {key!r}", hint, at_key=True)
    kinds = [kind for kind in KINDS if kind in entry]
    if len(kinds) != 1:
        what = f"asks for {' and '.join(kinds)} at once" if kinds else "does not say what it asks for"
        raise MistakeError((), f"question {k + 1} {what}", f"write one of {', '.join(KINDS)}")
    return kinds[0]


def _id(k: int, entry: Mapping[str, Any], seen: dict[str, int]) -> str:
    id = entry.get("id")
    if isinstance(id, bool) or not isinstance(id, str | int) or not str(id).strip() or len(str(id)) > 100:
        raise MistakeError(("id",), f"question {k + 1} has no id", "write id: a")
    if (first := seen.setdefault(str(id), k)) != k:
        raise MistakeError(("id",), f"the id {str(id)!r} stands twice, first at question {first + 1}")
    return str(id)


def _question(id: str, wording: Wording) -> Question:
    try:
        parts, special, shape = _entries(KINDS[wording.kind].read(wording), wording.L)
    except CGraphError as error:  # the graph is fine, but what is asked for cannot be computed
        raise wording.mistake(str(error)) from None
    if len(parts) > MAX_PARTS:
        raise wording.mistake(f"{len(parts):,} numbers are asked for; the limit is {MAX_PARTS:,}")
    entry = wording.entry
    points = number_at(("points",), entry.get("points", 1))
    if points < 0:
        raise MistakeError(("points",), "points must not be negative")
    answers = {} if special else _answers(entry.get("answer"), parts, shape)
    default = "integer" if "" in parts and parts[""].is_count else "3sf"
    return Question(
        id, parts, _tolerance(entry.get("tolerance", default)), special, shape, points, answers,
        _text(entry, "text"), _text(entry, "hint"), _seals(wording, special, parts),
    )  # fmt: skip


def _entries(asked: AskedFor, L: ComputationalGraph) -> AskedFor:
    """Return the entries of a part that is an array, each a part of its own."""
    part = asked.parts.get("")
    if part is None or part.is_count:
        if any(np.ndim(other.of(L)) for other in asked.parts.values()):
            raise MistakeError((), "several numbers at once are asked for, of which some are arrays", "ask for one")
        return asked
    shape = np.shape(part.of(L))
    if prod(shape) > MAX_ENTRIES:
        raise MistakeError((), f"{part} has {prod(shape):,} entries; the limit is {MAX_ENTRIES:,}")
    if not shape or isinstance(part, Entry):
        return asked
    return AskedFor({",".join(map(str, index)): Entry(part, index) for index in np.ndindex(shape)}, shape=shape)


def _answers(given: Any, parts: Mapping[str, Part], shape: tuple[int, ...]) -> dict[str, Fraction]:
    if given is None:
        return {}
    if set(parts) == {""}:
        return {"": number_at(("answer",), given)}
    try:
        entries = entries_of(given, parts, shape)
    except UnreadableError as error:
        raise MistakeError(("answer",), str(error)) from None
    return {label: number_at(("answer",), entry) for label, entry in entries.items() if entry is not None}


def _tolerance(raw: Any) -> Tolerance:
    try:
        return parse_tolerance(str(raw))
    except ValueError as error:
        raise MistakeError(("tolerance",), str(error), f"for instance {EXAMPLES}") from None


def _text(entry: Mapping[str, Any], key: str) -> str:
    given = entry.get(key)
    if given is not None and not isinstance(given, str):
        raise MistakeError((key,), f"{key!r} must be a text, not {kind_of(given)}")
    return given or ""


def _seals(
    wording: Wording, special: FormulaAnswer | Choice | None, parts: Mapping[str, Part]
) -> dict[str, frozenset[str]]:
    """Return the hashes of a sealed question: a text of them, or for several numbers a text for each label."""
    labels = {""} if isinstance(special, Choice) else set(parts)
    given = wording.entry.get("seal")
    if not wording.is_sealed or not labels:
        if given is not None:
            raise MistakeError(("seal",), "a seal stands where nothing is sealed", "`cgraph seal` writes seals")
        return {}
    hashes = {"": given} if labels == {""} else given
    if not isinstance(hashes, dict) or hashes.keys() != labels or not all(isinstance(h, str) for h in hashes.values()):
        raise MistakeError(("seal",), "a sealed question needs hashes for each number", "`cgraph seal` writes them")
    return {label: frozenset(text.split()) for label, text in hashes.items()}
