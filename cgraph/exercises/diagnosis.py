"""Diagnosis: which mistakes lead to the numbers that were given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from cgraph.exercises.exercise import Exercise
from cgraph.exercises.mistakes import PossibleMistake
from cgraph.exercises.numbers import Given
from cgraph.exercises.parts import Part
from cgraph.exercises.results import Mistake
from cgraph.exercises.tolerances import EXACT, Interval, Tolerance

__all__ = ["DIGITS_FOR_PAIRS", "MOST_NAMED", "NEAR", "ROUNDED", "Cell", "diagnose", "key_of"]

MOST_NAMED = 5  # possibilities that are listed
NEAR = Fraction(1, 50)  # of the truth: what rounding on the way may explain
DIGITS_FOR_PAIRS = 4  # that an answer must have before two mistakes are taken for its cause
ROUNDED = Mistake("rounded too early", "rounding", "intermediate results were rounded, for the number is near", False)


@dataclass(frozen=True)
class Cell:
    """A number that was given, and where it stands in the array that was asked for; () for a number."""

    index: tuple[int, ...]
    truth: Fraction
    accepted: Interval
    given: Given


def diagnose(exercise: Exercise, part: Part, tolerance: Tolerance, cells: Sequence[Cell]) -> tuple[Mistake, ...]:
    """Return what explains the numbers given for `part`: one mistake if exactly one fits, else several, else two together.

    A mistake of an array must fit every entry. One that leads to the digits that were written goes before one that
    leads to something within the tolerance.
    """
    if all(cell.given.value in cell.accepted or _too_short(cell) for cell in cells) and any(map(_too_short, cells)):
        return (_too_few_digits(tolerance),)
    singles = (((mistake,), value) for mistake, value in exercise.possible_mistakes(part))
    if fitting := _fitting(singles, tolerance, cells):
        return tuple(Mistake(s.kind, s.where, s.what, len(fitting) == 1) for (s,) in fitting[:MOST_NAMED])
    is_near = all(abs(cell.given.value - cell.truth) <= NEAR * abs(cell.truth) for cell in cells)
    found = [ROUNDED] if is_near else []
    if all(cell.given.digits >= DIGITS_FOR_PAIRS for cell in cells):
        found += [
            Mistake(f"{a.kind} and {b.kind}", f"{a.where}, and {b.where}", f"{a.what}, and {b.what}", certain=False)
            for a, b in _fitting(exercise.pairs(part), tolerance, cells)
        ]
    return tuple(found[:MOST_NAMED])


def _too_short(cell: Cell) -> bool:
    """Whether an answer is the truth, rounded to fewer digits than are asked for."""
    unit, value = cell.given.half_unit, cell.given.value
    return bool(value) and unit is not None and value not in cell.accepted and abs(value - cell.truth) <= unit


def _too_few_digits(tolerance: Tolerance) -> Mistake:
    asked = {"sf": "significant figure", "dp": "decimal place"}.get(tolerance.kind)
    count = int(tolerance.size)
    what = f"{count} {asked}{'s' * (count != 1)} are asked for" if asked else f"the tolerance is {tolerance}"
    return Mistake("too few digits", "the digits of the answer", f"right as far as it goes; {what}", certain=True)


def _fitting(
    candidates: Iterable[tuple[tuple[PossibleMistake, ...], Any]], tolerance: Tolerance, cells: Sequence[Cell]
) -> list[tuple[PossibleMistake, ...]]:
    fine: dict[Any, tuple[PossibleMistake, ...]] = {}
    coarse: dict[Any, tuple[PossibleMistake, ...]] = {}
    given = [float(cell.given.value) for cell in cells]
    for mistakes, value in candidates:
        found = _numbers(value, cells)
        if not found or not all(_comes_near(v, g, tolerance) for v, g in zip(found, given, strict=True)):
            continue  # most of them, at the price of floats
        numbers = [Fraction(repr(v)) for v in found]
        if all(number in cell.accepted for number, cell in zip(numbers, cells, strict=True)):
            continue  # a mistake that does not show
        key = key_of(mistakes, found)
        if all(_agrees(number, cell.given) for number, cell in zip(numbers, cells, strict=True)):
            fine.setdefault(key, mistakes)
        elif all(tolerance.accepts(n, c.given.value) for n, c in zip(numbers, cells, strict=True)):
            coarse.setdefault(key, mistakes)
    return list((fine or coarse).values())


def key_of(mistakes: Sequence[PossibleMistake], numbers: Iterable[float]) -> tuple[Any, ...]:
    """Return what mistakes are known by: several of one kind at one place that come to the same number are one."""
    return (*((mistake.kind, mistake.where) for mistake in mistakes), *(f"{v:.9g}" for v in numbers))


def _numbers(value: Any, cells: Sequence[Cell]) -> list[float]:
    """Return the numbers of a candidate in the cells; none if it has another shape."""
    if type(value) is float:
        return [value] if cells[0].index == () else []
    try:
        return [float(value[cell.index]) for cell in cells]
    except (IndexError, TypeError):
        return []


def _comes_near(value: float, given: float, tolerance: Tolerance) -> bool:
    return abs(value - given) <= max(tolerance.reach(value), abs(value) / 500)


def _agrees(value: Fraction, given: Given) -> bool:
    """Whether a number is the one given, to its last digit, and at least to a thousandth."""
    room = EXACT * abs(value) if given.half_unit is None else given.half_unit * Fraction(1001, 1000)
    return abs(value - given.value) <= min(room, abs(value) / 1000 + EXACT)
