"""Marking answers: right, wrong, missing or unreadable; what follows from an earlier mistake; and its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from typing import Any

from cgraph.exercises.diagnosis import Cell, diagnose
from cgraph.exercises.entries import as_written, entries_of
from cgraph.exercises.exercise import Exercise
from cgraph.exercises.follow_through import followed_through
from cgraph.exercises.formula_answers import mark_choice, mark_formula
from cgraph.exercises.numbers import Given, UnreadableError, read_number
from cgraph.exercises.parts import Entry, Part
from cgraph.exercises.questions import Choice, FormulaAnswer, Question
from cgraph.exercises.results import GradeReport, ItemResult, Mistake, PartResult, unreadable
from cgraph.exercises.sealing import opens, rounded_answer
from cgraph.exercises.tolerances import Interval
from cgraph.model.errors import CGraphError, shorten

__all__ = ["grade"]

NOTHING = {"", "?"}  # what people write who have no answer
DIAGONAL = "diagonal alone"


def grade(exercise: Exercise, answers: Mapping[str, Any], *, student: str = "") -> GradeReport:
    r"""Mark answers to an exercise.

    Parameters
    ----------
    exercise : Exercise
        From `read_exercise`. Not modified.
    answers : dict
        ``{id: answer}``: numbers, texts of numbers or formulas, lists for arrays, mappings for tables, letters.
    student : str, optional
        Stands in the report.

    Returns
    -------
    GradeReport
        ``.items``, ``.points``, ``.possible``, ``.score``; every item is right, wrong, missing or unreadable.

    Notes
    -----
    An answer that is wrong but follows from the student's own earlier answers is right, so that a mistake costs once.
    Other wrong answers are compared with what typical mistakes would give; the mistakes of a question are worked out once
    for an exercise. Points are exact fractions, rounded only in `GradeReport.score`.

    Examples
    --------
    >>> import io
    >>> from cgraph import read_exercise
    >>> text = "inputs: {x: 2.0, z: 3.0}\nnodes: {a: x*z, y: a + x}\nask: [{id: a, y: a}, {id: b, d: y/x}]"
    >>> report = grade(read_exercise(io.StringIO(text)), {"a": 6, "b": 3})
    >>> [(item.question.id, item.status) for item in report.items], report.score
    ([('a', 'right'), ('b', 'wrong')], Decimal('1.00'))
    >>> report["b"].parts[0].mistakes[0].what
    'the path x -> y was left out of the sum'
    """
    if not isinstance(answers, Mapping):
        raise CGraphError(f"answers must be a mapping from ids, as in {{'a': 1.5}}, not {shorten(repr(answers))}")
    named = {str(id): answer for id, answer in answers.items()}
    marking = _Marking(exercise)
    items = tuple(ItemResult(q, tuple(marking.question(q, named.get(q.id)))) for q in exercise.questions)
    known = {q.id for q in exercise.questions}
    return GradeReport(student, items, tuple(id for id in named if id not in known))


@dataclass
class _Marking:
    """Goes through the answers of one student, remembering the numbers that were given."""

    exercise: Exercise
    own: dict[Part, Fraction] = field(default_factory=dict)  # everything given so far
    wrong: list[Part] = field(default_factory=list)

    def question(self, q: Question, answer: Any) -> list[PartResult]:
        if isinstance(answer, str) and answer.strip() in NOTHING:
            answer = None
        match q.special:
            case Choice():
                return [self.choice(q, q.special, answer)]
            case FormulaAnswer():
                marked_formula = mark_formula(self.exercise.graph, q, q.special, answer)
                return [replace(marked_formula, mistakes=()) if self.exercise.sealed else marked_formula]
        if set(q.parts) == {""}:
            entries: Mapping[str, Any] = {"": answer}
        elif answer is None:
            entries = dict.fromkeys(q.parts)
        else:
            try:
                entries = entries_of(answer, q.parts, q.shape)
            except UnreadableError as error:
                return self.misshapen(q, answer, str(error))
        marked = [self.part(q, label, entry) for label, entry in entries.items()]
        return marked if self.exercise.sealed else self.explain(q, marked)

    def choice(self, q: Question, asked: Choice, answer: Any) -> PartResult:
        marked = mark_choice(asked, answer)
        if self.exercise.sealed and marked.status == "wrong":  # with an unknown right letter every one is
            return self.unsealed(q, "", marked.given, marked.given)
        return marked

    def unsealed(self, q: Question, label: str, given: str, rounded: str) -> PartResult:
        """Return right or wrong by the hashes of a sealed exercise alone; nothing is said of what is right."""
        return PartResult(label, "right" if opens(q, label, self.exercise.sealed, rounded) else "wrong", given)

    def part(self, q: Question, label: str, answer: Any) -> PartResult:
        if self.exercise.sealed:
            return self.sealed_part(q, label, answer)
        part, truth, accepted = q.parts[label], self.exercise.truths[q.id][label], self.accepted(q, label)
        result = partial(PartResult, label, expected=truth, accepted=accepted)
        if answer is None or (isinstance(answer, str) and answer.strip() == "?"):
            return result(status="missing")
        try:
            given = read_number(answer)
        except UnreadableError as error:
            return unreadable(label, answer, str(error), truth)
        right = q.tolerance.accepts(truth, given.value, computed=label not in q.answers)
        note = "" if right else self.follows(q, part, given)
        self.own[part] = given.value
        if not (right or note):
            self.wrong.append(part)
        return result(status="right" if right or note else "wrong", given=given.text, note=note)

    def sealed_part(self, q: Question, label: str, answer: Any) -> PartResult:
        if answer is None:
            return PartResult(label, "missing")
        try:
            given = read_number(answer)
        except UnreadableError as error:
            return unreadable(label, answer, str(error))
        return self.unsealed(q, label, given.text, rounded_answer(q.tolerance, given.value))

    def follows(self, q: Question, part: Part, given: Given) -> str:
        """Return what the answer follows from, if it is right given the student's own earlier numbers."""
        if not self.wrong:
            return ""
        # All numbers so far, the wrong ones, and each wrong one by itself.
        attempts = [list(self.own), self.wrong, *([p] for p in reversed(self.wrong))]
        for parts in dict.fromkeys(map(tuple, attempts)):
            believed = {p: self.own[p] for p in parts}
            try:
                truth = Fraction(repr(float(part.of(followed_through(self.exercise.graph, believed, part)))))
            except (CGraphError, ArithmeticError, ValueError):
                continue
            if q.tolerance.accepts(truth, given.value):
                return f"right with your own {', '.join(str(p) for p in believed if p in self.wrong)}"
        return ""

    def explain(self, q: Question, marked: list[PartResult]) -> list[PartResult]:
        """Add the mistakes that explain wrong numbers: to each part its own, to an array those of the whole."""
        wrong = [k for k, result in enumerate(marked) if result.status == "wrong"]
        for k in wrong:
            part = q.parts[marked[k].label]
            if isinstance(part, Entry):
                every = [self.cell(q, result) for result in marked if result.status in {"right", "wrong"}]
                some = [self.cell(q, marked[k]) for k in wrong]
                mistakes = self.named(q, part.whole, every) or self.named(q, part.whole, some)
                marked[wrong[0]] = replace(marked[wrong[0]], mistakes=mistakes)
                break
            marked[k] = replace(marked[k], mistakes=self.named(q, part, [self.cell(q, marked[k])]))
        return marked

    def named(self, q: Question, part: Part, cells: list[Cell]) -> tuple[Mistake, ...]:
        return diagnose(self.exercise, part, q.tolerance, cells)

    def cell(self, q: Question, result: PartResult) -> Cell:
        part = q.parts[result.label]
        index = part.index if isinstance(part, Entry) else ()
        truth = self.exercise.truths[q.id][result.label]
        return Cell(index, truth, self.accepted(q, result.label), read_number(result.given))

    def accepted(self, q: Question, label: str) -> Interval:
        return q.tolerance.interval(self.exercise.truths[q.id][label], computed=label not in q.answers)

    def misshapen(self, q: Question, answer: Any, why: str) -> list[PartResult]:
        """Return the results for an array of another shape: wrong with a name if its numbers are right, else unreadable."""
        if self.exercise.sealed:
            return [unreadable(label, answer, why) for label in q.parts]
        truths = self.exercise.truths[q.id]
        found, mistake = _reshaped(q, as_written(answer))
        try:
            given = {label: read_number(entry) for label, entry in found.items()}
        except UnreadableError:
            given = {}
        compared = given if mistake.kind != DIAGONAL else [label for label in given if len(set(label.split(","))) == 1]
        if not given or not all(q.tolerance.accepts(truths[label], given[label].value) for label in compared):
            return [unreadable(label, answer, why, truths[label]) for label in q.parts]
        results = [
            PartResult(label, "wrong", number.text, truths[label], self.accepted(q, label))
            for label, number in given.items()
        ]
        return [replace(results[0], mistakes=(mistake,)), *results[1:]]


def _reshaped(q: Question, answer: Any) -> tuple[dict[str, Any], Mistake]:
    """Return the entries of an array that was given in another shape, and the mistake in that; of any other, none."""
    rows_and_columns = partial(Mistake, where="rows and columns", certain=True)
    mistake = rows_and_columns("transpose given", what="the transpose was given")
    try:
        if len(q.shape) == 1 and isinstance(answer, list | tuple):
            rows = answer if len(answer) == 1 else [entry for (entry,) in answer]
            answer = rows[0] if len(answer) == 1 else rows
            what = f"a list of {q.shape[0]} numbers is asked for, not a column or a row"
            mistake = rows_and_columns("column or row given", what=what)
        elif _is_list_for_square(answer, q.shape):
            answer = [[x if i == k else "0" for k in range(len(answer))] for i, x in enumerate(answer)]
            what = f"the diagonal alone was given; a matrix of {len(answer)} x {len(answer)} is asked for"
            mistake = rows_and_columns(DIAGONAL, what=what)
        else:
            answer = [list(column) for column in zip(*answer, strict=True)]
        return entries_of(answer, q.parts, q.shape), mistake
    except (UnreadableError, TypeError, ValueError):
        return {}, mistake


def _is_list_for_square(answer: Any, shape: tuple[int, ...]) -> bool:
    if not isinstance(answer, list | tuple) or any(isinstance(x, list | tuple) for x in answer):
        return False
    return shape == (len(answer), len(answer))
