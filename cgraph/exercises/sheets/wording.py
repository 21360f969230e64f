"""A question in words: what is asked for, how exact the answer must be, and how it is written."""

from __future__ import annotations

from cgraph.exercises.numbers import show_fraction
from cgraph.exercises.questions import (
    BeforeActivation,
    Choice,
    EdgeDerivative,
    Entry,
    FormulaAnswer,
    Gate,
    GradientStep,
    Part,
    PathCount,
    PathProduct,
    Question,
    Sensitivity,
    StandardUncertainty,
    UncertaintyComponent,
    ValueOf,
    WeightGradient,
)
from cgraph.exercises.tolerances import Tolerance
from cgraph.reports.latex import latex_name
from cgraph.reports.tables import Formula

__all__ = ["Phrase", "arrow", "asked", "exactness", "name", "symbol"]

Phrase = tuple[str | Formula, ...]  # words, and formulas between them


def asked(q: Question, *, exact: bool = True) -> Phrase:
    """Return what a question asks for, as a sentence, perhaps with how exact the answer must be."""
    if isinstance(q.special, Choice):
        return ("Choose one of them.",)
    if isinstance(q.special, FormulaAnswer):
        return ("Give a formula for ", symbol(q.special.part), ".")
    first = next(iter(q.parts.values()))
    if isinstance(first, PathCount):
        return ("How many paths lead from ", name(first.s), " to ", name(first.t), "?")
    how = f", {exactness(q)}" if exact and exactness(q) else ""
    if isinstance(first, Entry):
        shape = " x ".join(map(str, q.shape))
        kind = "a list" if len(q.shape) == 1 else "an array"
        return (*_request(first.whole), f"{how}. The answer is {kind} of {shape} numbers.")
    return (*(("Fill in the table",) if len(q.parts) > 1 else _request(first)), f"{how}.")


def _request(part: Part) -> Phrase:
    it = symbol(part)
    match part:
        case ValueOf():
            return ("Compute the value ", it)
        case WeightGradient(i, j, _):
            return ("Compute ", it, ", the derivative with respect to the weight of the edge ", arrow((i, j)))
        case BeforeActivation(j, _):
            return ("Compute ", it, ", the derivative with respect to the weighted sum of ", name(j))
        case EdgeDerivative(i, j):
            return ("Compute the local derivative ", it, " of the edge ", arrow((i, j)), " alone")
        case Gate(j):
            return ("Compute ", it, ", the derivative of the activation of ", name(j))
        case PathProduct(path):
            return ("Compute the product of the derivatives along the path ", arrow(path))
        case GradientStep(gradient, rate):
            step = f" after one step of gradient descent with the rate {rate:g}, downhill in "
            return ("Compute the value of ", _weight(gradient), step, name(gradient.t))
        case StandardUncertainty(t):
            return ("Compute the standard uncertainty ", it, " of ", name(t))
        case UncertaintyComponent(t, i):
            return ("Compute the component ", it, " that the uncertainty of ", name(i), " makes of that of ", name(t))
    return ("Compute ", it)


def symbol(part: Part) -> Formula:
    """Return what a part is called in a formula."""
    match part:
        case ValueOf(j):
            return name(j)
        case Sensitivity() | BeforeActivation() | WeightGradient():
            return Formula(str(part), _quotient(part))
        case EdgeDerivative(i, j):
            return Formula(str(part), f"z({latex_name(i)}, {latex_name(j)})")
        case Gate(j):
            return Formula(f"Phi'(s({j}))", rf"\Phi'(s_{{{latex_name(j)}}})")
        case GradientStep(gradient, _):
            old = _weight(gradient)
            return Formula(f"new {old.text}", rf"{old.latex}^{{\mathrm{{new}}}}")
        case PathCount():
            return Formula("number of paths", r"\text{number of paths}")
        case PathProduct(path):
            return Formula("product", rf"\text{{product along }} {arrow(path).latex}")
        case StandardUncertainty() | UncertaintyComponent():
            return _uncertainty(part)
        case Entry(whole, index):
            of = symbol(whole)
            place = ", ".join(str(k + 1) for k in index)
            return Formula(f"{of.text}[{place}]", rf"\left({of.latex}\right)_{{{place}}}")
    raise TypeError(part)


def name(j: str) -> Formula:
    """Return the name of a node."""
    return Formula(j, latex_name(j))


def arrow(path: tuple[str, ...]) -> Formula:
    """Return a path."""
    return Formula(" -> ".join(path), r" \to ".join(map(latex_name, path)))


def _quotient(part: Sensitivity | BeforeActivation | WeightGradient) -> str:
    match part:
        case Sensitivity(s, _):
            below = latex_name(s)
        case BeforeActivation(j, _):
            below = f"s_{{{latex_name(j)}}}"
        case WeightGradient():
            below = _weight(part).latex
    return rf"\frac{{\partial {latex_name(part.t)}}}{{\partial {below}}}"


def _uncertainty(part: StandardUncertainty | UncertaintyComponent) -> Formula:
    t = part.t
    if isinstance(part, StandardUncertainty):
        return Formula(str(part), f"u({latex_name(t)})")
    i = part.i
    return Formula(f"S({i},{t}) u({i})", rf"S({latex_name(i)}, {latex_name(t)})\, u({latex_name(i)})")


def _weight(gradient: Sensitivity | WeightGradient) -> Formula:
    if isinstance(gradient, Sensitivity):
        return name(gradient.s)
    i, j = gradient.i, gradient.j
    return Formula(f"w({i},{j})", rf"w({latex_name(i)}, {latex_name(j)})")


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
