"""Reports of marking: items, their parts, and the mistakes that explain a wrong answer."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any, Literal

from cgraph.exercises.questions import Question
from cgraph.exercises.tolerances import Interval
from cgraph.model.errors import shorten

__all__ = [
    "GradeReport",
    "ItemResult",
    "Mistake",
    "PartResult",
    "Status",
    "printable",
    "rounded",
    "text_of",
    "unreadable",
]

Status = Literal["right", "wrong", "missing", "unreadable"]


@dataclass(frozen=True)
class Mistake:
    """What may have gone wrong.

    Attributes
    ----------
    kind : str
        The kind of mistake, a key of `MISTAKES` or "too few digits"; of two, joined by " and ".
    where : str
        Where to look.
    what : str
        What happened there.
    certain : bool
        Whether nothing else explains the answer, and it is a single mistake.
    """

    kind: str
    where: str
    what: str
    certain: bool


@dataclass(frozen=True)
class PartResult:
    """One number of an item.

    Attributes
    ----------
    label : str
        Which one; "" if there is only one.
    status : {"right", "wrong", "missing", "unreadable"}
        How it ended.
    given : str
        The answer as it was written.
    expected : Fraction or None
        The truth; None for a formula or a choice.
    accepted : Interval or None
        What the tolerance accepts.
    note : str
        Why an answer cannot be read, or what it follows from.
    mistakes : tuple of Mistake
        What explains a wrong answer.
    """

    label: str
    status: Status
    given: str = ""
    expected: Fraction | None = None
    accepted: Interval | None = None
    note: str = ""
    mistakes: tuple[Mistake, ...] = ()


@dataclass(frozen=True)
class ItemResult:
    """One question of the report: its parts, and the points as a fraction."""

    question: Question
    parts: tuple[PartResult, ...]

    @property
    def status(self) -> Status:
        """The status of all parts; wrong if they differ."""
        statuses = {part.status for part in self.parts}
        return statuses.pop() if len(statuses) == 1 else "wrong"

    @property
    def points(self) -> Fraction:
        """The share of the question's points that the right parts earn."""
        return self.question.points * Fraction(sum(p.status == "right" for p in self.parts), len(self.parts))


@dataclass(frozen=True)
class GradeReport:
    """The outcome of `grade`.

    Attributes
    ----------
    student : str
        Whose answers they are.
    items : tuple of ItemResult
        One for each question, in their order.
    unknown : tuple of str
        Ids that were answered but not asked.
    error : str
        Why nothing could be read, or "".
    remark : str
        What else is to be said of the answers as a whole.
    """

    student: str
    items: tuple[ItemResult, ...]
    unknown: tuple[str, ...] = ()
    error: str = ""
    remark: str = ""

    @property
    def points(self) -> Fraction:
        """The points earned, as an exact fraction."""
        return sum((item.points for item in self.items), Fraction(0))

    @property
    def possible(self) -> Fraction:
        """The points that could be earned."""
        return sum((item.question.points for item in self.items), Fraction(0))

    @property
    def score(self) -> Decimal:
        """The points earned, rounded once to two places."""
        return rounded(self.points)

    @property
    def ok(self) -> bool:
        """Whether everything is right."""
        return not self.error and all(item.status == "right" for item in self.items)

    def __getitem__(self, id: str) -> ItemResult:
        for item in self.items:
            if item.question.id == id:
                return item
        raise KeyError(id)


def rounded(points: Fraction) -> Decimal:
    """Return points to two decimal places, halves up."""
    exact = Decimal(points.numerator) / Decimal(points.denominator)
    return exact.quantize(Decimal("0.01"), ROUND_HALF_UP)


def unreadable(label: str, answer: Any, note: str, truth: Fraction | None = None) -> PartResult:
    """Return the result for what is not an answer."""
    return PartResult(label, "unreadable", shorten(text_of(answer)), truth, note=note)


def text_of(answer: Any) -> str:
    """Return an answer as text; Python writes no integer of more than 4,300 digits."""
    try:
        return str(answer)
    except ValueError:
        return "a number of more than 4,300 digits"


def printable(text: str) -> str:
    r"""Return `text` with a mark in place of control characters, halves of characters and changes of direction.

    Examples
    --------
    >>> printable("ann\x1b[31m") == "ann\ufffd[31m"
    True
    """
    return "".join(c if c.isprintable() else "\ufffd" for c in text)
