"""A question in words: what is asked for, and how exact the answer must be."""

from __future__ import annotations

from cgraph.exercises.numbers import show_fraction
from cgraph.exercises.parts import Entry, PathCount, Phrase, node_formula
from cgraph.exercises.questions import Choice, FormulaAnswer, Question
from cgraph.exercises.tolerances import Tolerance

__all__ = ["asked", "exactness"]


def asked(q: Question, *, exact: bool = True) -> Phrase:
    """Return what a question asks for, as a sentence, perhaps with how exact the answer must be."""
    if isinstance(q.special, Choice):
        return ("Choose one of them.",)
    if isinstance(q.special, FormulaAnswer):
        return ("Give a formula for ", q.special.part.symbol, ".")
    first = next(iter(q.parts.values()))
    if isinstance(first, PathCount):
        return ("How many paths lead from ", node_formula(first.s), " to ", node_formula(first.t), "?")
    how = f", {exactness(q)}" if exact and exactness(q) else ""
    if isinstance(first, Entry):
        shape = " x ".join(map(str, q.shape))
        kind = "a list" if len(q.shape) == 1 else "an array"
        return (*first.whole.request, f"{how}. The answer is {kind} of {shape} numbers.")
    return (*(("Fill in the table",) if len(q.parts) > 1 else first.request), f"{how}.")


def exactness(q: Question) -> str:
    """Return how exact an answer must be, in words; "" where nothing is to be said."""
    return "" if q.special is not None or not q.parts else _exactness(q.tolerance)


def _exactness(tolerance: Tolerance) -> str:
    size = int(tolerance.size)
    match tolerance.kind:
        case "sf":
            return f"to {size} significant figure{'s' * (size != 1)}"
        case "dp":
            return f"to {size} decimal place{'s' * (size != 1)}"
        case "rel":
            return f"with a relative error of at most {show_fraction(tolerance.size)}"
        case "abs":
            return f"with an error of at most {show_fraction(tolerance.size)}"
        case "exact":
            return "exactly"
    return ""
