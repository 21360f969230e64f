"""What can go wrong, one class for each kind.

Every error is a `CGraphError` and, as a second base, the builtin that a caller would expect. A message names
the node or edge, what was found there, and what to do.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

__all__ = [
    "ArchiveError",
    "CGraphError",
    "CycleError",
    "DerivativeError",
    "DrawingError",
    "EquationError",
    "EvaluationError",
    "ExtraMissingError",
    "FormatError",
    "InvalidNodeError",
    "LimitError",
    "MissingDerivativeError",
    "MissingValueError",
    "NodeNotFound",
    "OrderError",
    "Problem",
    "SearchLimitError",
    "SpecError",
    "SpecWarning",
    "TooManyPathsError",
    "TraceError",
    "UncertaintyError",
    "all_of",
    "nearest",
    "shorten",
    "show_count",
]

MAX_REPORTS = 100  # problems that the message of a `SpecError` shows


class CGraphError(Exception):
    """Base of every error that cgraph raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        # By default an exception is copied by calling its class with the finished message, which most classes here
        # do not take: an error in a process pool would then break the pool.
        return _rebuilt, (type(self), self.args, self.__dict__)


def _rebuilt(kind: type[CGraphError], args: tuple[Any, ...], state: dict[str, Any]) -> CGraphError:
    """Return a copy of an error from its message and its attributes, without calling its own `__init__`."""
    error = kind.__new__(kind)
    super(CGraphError, error).__init__(*args)  # that of the builtin among the bases
    error.__dict__.update(state)
    return error


class NodeNotFound(CGraphError, LookupError):
    """A node was named that the graph does not have.

    Parameters
    ----------
    node : node
        The name that was asked for.
    nodes : iterable of nodes
        The nodes there are; the nearest of them is suggested, or else the first of them are listed.
    """

    def __init__(self, node: object, nodes: Iterable[object]) -> None:
        first = list(islice(nodes, 5000))
        names = [str(i) for i in first]
        if alike := [i for i in first if str(i) == str(node)]:  # 1 and "1" are two nodes
            hint = f"the node is the {_kind(alike[0])} {alike[0]!r}, not the {_kind(node)} {node!r}"
        elif near := nearest(str(node), names):
            hint = f"did you mean {first[names.index(near)]!r}?"
        else:
            hint = f"there are {_first(names)}"
        super().__init__(f"no node {node!r} in the graph" + (f"; {hint}" if names else ""))


class CycleError(CGraphError, ValueError):
    """The graph has a directed cycle, so no order of evaluation exists.

    Attributes
    ----------
    cycle : list of nodes
        The nodes along the cycle, the first of them again at the end.
    """

    def __init__(self, cycle: list[object]) -> None:
        self.cycle = cycle
        shown = cycle if len(cycle) <= 12 else [*cycle[:6], "...", *cycle[-6:]]
        super().__init__(f"the graph has a cycle: {' -> '.join(map(str, shown))}")


class InvalidNodeError(CGraphError, ValueError):
    """A node cannot be added: its name is taken or unusable, or an operand is not defined."""


class DerivativeError(CGraphError, ValueError):
    """An edge holds something that is not a finite derivative."""


class MissingDerivativeError(DerivativeError):
    """An edge holds no derivative; none is ever assumed."""


class MissingValueError(CGraphError, ValueError):
    """An input has no value."""


class EvaluationError(CGraphError, ArithmeticError):
    """A value lies outside an operation's domain, overflows or is not a number.

    Attributes
    ----------
    node : node or None
        The node that was being evaluated or differentiated.
    """

    node: object = None


class TooManyPathsError(CGraphError, ValueError):
    """More paths than the limit allows; they were counted, not enumerated.

    Attributes
    ----------
    count : int
        The exact number of paths.
    fact : str
        What is wrong, without the advice.
    """

    def __init__(self, s: object, t: object, count: int, limit: int) -> None:
        self.count = count
        self.fact = f"{show_count(count)} paths lead from {s!r} to {t!r}, more than the limit of {limit:,}"
        super().__init__(
            f"{self.fact}; sensitivity() sums them without listing, top_paths() finds the largest, limit= allows more"
        )


class LimitError(CGraphError, RuntimeError):
    """A call would take more memory or time than the limits allow.

    Attributes
    ----------
    fact : str
        The message without advice: what is too large or takes too long.
    limit : str
        Which limit it is, of "entries", "total" and "seconds": an argument of `limits`.
    node : node or None
        The node that was being evaluated.
    """

    node: object = None

    def __init__(self, message: str, limit: str = "") -> None:
        self.limit = limit
        advice = f"; limits({limit}=...) allows more" if limit else ""
        self.fact = message.removesuffix(advice)
        super().__init__(self.fact + advice)


class OrderError(CGraphError, ValueError):
    """An order of elimination leaves something out, names it twice, or names what cannot be eliminated."""


class SearchLimitError(CGraphError, RuntimeError):
    """An exact search reached its limit before it was done.

    Attributes
    ----------
    lower, upper : int
        What is proven all the same: the cheapest order costs at least `lower`; `order` costs `upper`.
    order : list of nodes
        The best order found.
    """

    def __init__(self, lower: int, upper: int, order: list[object], budget: object) -> None:
        self.lower, self.upper, self.order = lower, upper, order
        super().__init__(
            f"the graph is too large to prove an order optimal within the budget of {budget}: the least cost lies "
            f"between {lower:,} and {upper:,}; take method='anneal', or allow more by budget="
        )


class ArchiveError(CGraphError, ValueError):
    """A file is not a saved graph, or it is damaged, or a graph cannot be saved."""


class DrawingError(CGraphError, ValueError):
    """A picture, a chart or a page cannot be drawn as requested."""


class ExtraMissingError(CGraphError, ImportError):
    """An optional library that is needed is not installed."""


class UncertaintyError(CGraphError, ValueError):
    """An uncertainty, a correlation or a covariance is not valid."""


class FormatError(CGraphError, ValueError):
    """The format in which a file is to be read or written is unknown."""


class EquationError(CGraphError, ValueError):
    """An equation cannot be read.

    Attributes
    ----------
    message, hint : str
        What is wrong, and what to do about it; the hint may be empty.
    text : str
        The equation.
    column : int
        Where in `text` the mistake stands, from 0.
    others : tuple of EquationError
        The further mistakes of the equation, without `others` of their own.
    names : tuple
        The steps of the equation that name a node, as far as it could be read.
    """

    def __init__(
        self,
        message: str,
        text: str,
        column: int = 0,
        hint: str = "",
        *,
        others: Iterable[EquationError] = (),
        names: Iterable[Any] = (),
    ) -> None:
        self.message, self.text, self.column, self.hint = message, text, column, hint
        self.others, self.names = tuple(others), tuple(names)
        super().__init__(f"{message} in {shorten(text)!r} at column {column + 1}" + (f"; {hint}" if hint else ""))

    def within(self, text: str, start: int) -> EquationError:
        """Return the same error for the longer `text`, in which this one's begins at `start`."""
        others = [other.within(text, start) for other in self.others]
        return EquationError(self.message, text, start + self.column, self.hint, others=others, names=self.names)

    @property
    def problems(self) -> list[Problem]:
        """All mistakes of the equation as problems with line and column, to be reported."""
        return [error.problem for error in (self, *self.others)]

    @property
    def problem(self) -> Problem:
        """The first mistake as a problem."""
        *before, last = self.text[: self.column].split("\n")
        source = self.text.split("\n")[len(before)]
        return Problem(len(before) + 1, len(last) + 1, self.message, self.hint, source)


def all_of(errors: Sequence[EquationError], names: Iterable[Any] = ()) -> EquationError:
    """Return the first of the mistakes of an equation, with the others on it."""
    first, *others = sorted(errors, key=lambda error: error.column)
    return EquationError(first.message, first.text, first.column, first.hint, others=others, names=names)


class TraceError(CGraphError, TypeError):
    """A traced function does what a graph cannot express, such as a branch on a traced value.

    Attributes
    ----------
    message, hint : str
        What is wrong, and what to write instead; the hint may be empty.
    file : str
        The file of the function; empty if no line of it is to blame.
    line : int
        The line, from 1.
    source : str
        The text of the line, as far as it can be found.
    """

    def __init__(self, message: str, hint: str = "", file: str = "", line: int = 0, source: str = "") -> None:
        self.message, self.hint, self.file, self.line, self.source = message, hint, file, line, source
        where = f"{file}:{line}: " if file else ""
        shown = f"\n{line:>5} | {shorten(source, 100)}" if source else ""
        super().__init__(f"{where}{message}" + (f"; {hint}" if hint else "") + shown)


@dataclass(frozen=True)
class Problem:
    """One mistake in a spec: where it stands, what it is, and how to mend it."""

    line: int  # from 1
    column: int  # from 1
    message: str
    hint: str = ""
    source: str = ""  # the line of the file
    cyclic: bool = False  # the graph is well written, but cannot be computed

    def report(self, name: str, kind: str = "error") -> str:
        """Return the lines that show this problem in the file `name`, a caret under the place."""
        lines = [f"{name}:{self.line}:{self.column}: {kind}: {self.message}"]
        if self.source:
            # A long line is shown as the window around the caret, without what would move a terminal's cursor.
            start = max(0, self.column - 61)
            window = re.sub(r"[\x00-\x1f\x7f-\x9f]", "\ufffd", self.source[start : start + 100].replace("\t", " "))
            lines += [f"{self.line:>5} | {window}", f"      | {' ' * (self.column - 1 - start)}^"]
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)


class SpecError(CGraphError, ValueError):
    """A spec has mistakes; all of them are reported at once.

    Attributes
    ----------
    problems : tuple of Problem
        The mistakes in the order of the file.
    """

    def __init__(self, name: str, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.line, p.column)))
        reports = [p.report(name) for p in self.problems[:MAX_REPORTS]]
        if len(self.problems) > MAX_REPORTS:
            reports.append(f"... and {len(self.problems) - MAX_REPORTS:,} more")
        super().__init__("\n".join(reports))


class SpecWarning(UserWarning):
    """A spec can be read, but may mean something else than its author thinks."""


def nearest(name: str, names: Iterable[str]) -> str:
    """Return the one of `names` that looks most like `name`, or "" if none comes near.

    Examples
    --------
    >>> nearest("x_1", ["x1", "z"])
    'x1'
    >>> nearest("sigmoid", ["x1", "z"]), nearest("X", ["x", "z"])
    ('', 'x')
    """
    # difflib is quadratic in the length and linear in the number of names: bound both.
    candidates = [other for other, _ in zip(names, range(5000), strict=False) if len(other) <= 100]
    if same := [other for other in candidates if other.casefold() == name.casefold()]:
        return same[0]
    close = difflib.get_close_matches(name[:100], candidates, n=1)
    return close[0] if close else ""


def _kind(node: object) -> str:
    return {int: "integer", str: "text"}.get(type(node), type(node).__name__)


def _first(names: list[str], most: int = 10) -> str:
    return ", ".join(map(shorten, names[:most])) + ", ..." * (len(names) > most)


def show_count(count: int) -> str:
    """Return an exact count as text; past 45 digits, its power of ten.

    Examples
    --------
    >>> show_count(1234567), show_count(2**1000)
    ('1,234,567', 'about 10^301')
    """
    # Python refuses to print integers of more than 4,300 digits; path counts have them.
    return f"{count:,}" if count < 10**45 else f"about 10^{math.floor(math.log10(count))}"


def shorten(text: str, width: int = 60) -> str:
    """Return `text` on one line, cut in the middle when it is longer than `width`."""
    text = " ".join(text.split())
    return text if len(text) <= width else f"{text[: width // 2]} ... {text[-width // 2 + 5 :]}"
