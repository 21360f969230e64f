"""What an exercise asks: numbers of the graph, a formula, or a choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from cgraph.exercises.parts import Entry, Part, Sensitivity
from cgraph.exercises.tolerances import Tolerance

__all__ = ["Choice", "FormulaAnswer", "Question"]


@dataclass(frozen=True)
class FormulaAnswer:
    """S(s,t) as a formula, compared at random points of the domains of the inputs and weights."""

    part: Sensitivity
    domains: Mapping[str, tuple[float, float]] = field(hash=False)

    def __str__(self) -> str:
        return f"a formula for {self.part}"


@dataclass(frozen=True)
class Choice:
    """One of several texts; `right` is its letter."""

    options: tuple[str, ...]
    right: str

    def __str__(self) -> str:
        return "a choice"


@dataclass(frozen=True)
class Question:
    """One item of an exercise.

    Attributes
    ----------
    id : str
        Under which answers are given.
    parts : dict
        The numbers that are asked for, under their labels; a single one has the label "".
    special : FormulaAnswer, Choice or None
        What is asked for instead of numbers.
    shape : tuple of int
        Of an array; () for a number, a table, a formula or a choice.
    tolerance : Tolerance
        How near each number must come.
    points : Fraction
        The points of a right answer; of several parts, each right one earns its share.
    answers : dict
        The right answers that the author gave, under the labels of the parts; empty if they follow from the graph.
    text, hint : str
        The question in the author's words, and a hint for a wrong answer.
    seals : dict
        In a sealed exercise, the hashes of right answers under the labels of the parts.
    """

    id: str
    parts: Mapping[str, Part]
    tolerance: Tolerance
    special: FormulaAnswer | Choice | None = None
    shape: tuple[int, ...] = ()
    points: Fraction = Fraction(1)
    answers: Mapping[str, Fraction] = field(default_factory=dict)
    text: str = ""
    hint: str = ""
    seals: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def asks(self) -> str:
        """What is asked for, in short."""
        if self.special is not None:
            return str(self.special)
        if set(self.parts) == {""}:
            return str(self.parts[""])
        first, *others = self.parts.values()
        if isinstance(first, Entry):
            return f"{first.whole}, {' x '.join(map(str, self.shape))}"
        return f"{first} to {others[-1]}" if others else str(first)
