"""Terms: equations that are built by operators, in Python, over the steps of the language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cgraph.model.language.expressions import Apply, Expression, Name, Number, written
from cgraph.model.operations.elementwise import CHOICE, OPERATIONS, row_of

__all__ = ["Term", "applied", "call", "name", "number", "terms_of"]

# The operation that an operator between two operands stands for; a minus before one is another.
_BETWEEN = {row.infix: operation for operation, row in OPERATIONS.items() if row.infix and len(row.names) == 2}
_MINUS = next(operation for operation, row in OPERATIONS.items() if row.infix and len(row.names) == 1)
_ARITHMETIC = {"+", "-", "*", "/", "^"}


@dataclass(frozen=True, eq=False)
class Term:
    """An equation, or part of one: a name, a number, or an operation on other terms.

    Arithmetic with 0 and 1 is done at once, so that what is built stays short.

    Parameters
    ----------
    step : Name, Number or Apply
        The last step; the operands of an `Apply` are those that follow, in order.
    operands : tuple of Term
        What it is applied to.

    Examples
    --------
    >>> x, b = name("x"), name("b")
    >>> str(x * call("sigmoid", b * x) + 0), str((x ^ 2) ^ -x), str(x > 1)
    ('x * sigmoid(b * x)', '(x ^ 2) ^ (-x)', 'x > 1')
    """

    step: Name | Number | Apply
    operands: tuple[Term, ...] = ()

    @cached_property
    def expression(self) -> Expression:
        """The steps; a term that stands in several places is one step."""
        steps: list[Name | Number | Apply] = []
        places: dict[int, int] = {}
        todo = [(self, False)]
        while todo:
            term, is_ready = todo.pop()
            if id(term) in places:
                continue
            if not is_ready and term.operands:
                todo.append((term, True))
                todo += [(operand, False) for operand in reversed(term.operands)]
                continue
            step = term.step
            if isinstance(step, Apply):
                step = Apply(step.operation, tuple(places[id(o)] for o in term.operands), step.options)
            places[id(term)] = len(steps)
            steps.append(step)
        return Expression(tuple(steps))

    @property
    def value(self) -> float | None:
        """The number that it is, or None."""
        return float(self.step.value) if isinstance(self.step, Number) else None

    def __str__(self) -> str:
        return written(self.expression)[-1]

    def __add__(self, other: Any) -> Term:
        return _between("+", self, other)

    def __radd__(self, other: Any) -> Term:
        return _between("+", other, self)

    def __sub__(self, other: Any) -> Term:
        return _between("-", self, other)

    def __rsub__(self, other: Any) -> Term:
        return _between("-", other, self)

    def __mul__(self, other: Any) -> Term:
        return _between("*", self, other)

    def __rmul__(self, other: Any) -> Term:
        return _between("*", other, self)

    def __truediv__(self, other: Any) -> Term:
        return _between("/", self, other)

    def __rtruediv__(self, other: Any) -> Term:
        return _between("/", other, self)

    def __xor__(self, other: Any) -> Term:
        return _between("^", self, other)

    __pow__ = __xor__

    def __gt__(self, other: Any) -> Term:
        return _between(">", self, other)

    def __lt__(self, other: Any) -> Term:
        return _between("<", self, other)

    def __ge__(self, other: Any) -> Term:
        return _between(">=", self, other)

    def __le__(self, other: Any) -> Term:
        return _between("<=", self, other)

    def __neg__(self) -> Term:
        if isinstance(self.step, Apply) and self.step.operation == _MINUS:
            return self.operands[0]
        return number(0) if self.value == 0 else Term(Apply(_MINUS, (0,)), (self,))


def name(node: str) -> Term:
    """Return the term that reads a node."""
    return Term(Name(node, 0, 0))


def number(value: float, text: str = "") -> Term:
    """Return a number; a negative one is a minus before its size, as equations write it."""
    if value < 0:
        return Term(Apply(_MINUS, (0,)), (number(-value),))
    short = repr(int(value)) if float(value).is_integer() and value < 2**53 else repr(float(value))
    return Term(Number(float(value), text or short))


def call(operation: str, *operands: Any, **options: Any) -> Term:
    """Return an operation, by its name in the table, on terms or numbers."""
    terms = tuple(map(_term, operands))
    if row_of(operation) is CHOICE and (condition := terms[0].value) is not None:
        return terms[1] if condition else terms[2]
    if operation in _BETWEEN.values() and row_of(operation).infix in _ARITHMETIC:
        return _between(row_of(operation).infix, *terms)
    if operation == _MINUS:
        return -terms[0]
    return applied(operation, *terms, **options)


def applied(operation: str, *operands: Term, **options: Any) -> Term:
    """Return an operation on terms as it stands: no arithmetic with 0 and 1 is done."""
    return Term(Apply(operation, tuple(range(len(operands))), tuple(sorted(options.items()))), operands)


def terms_of(expression: Expression, names: Mapping[str, Term] | None = None) -> list[Term]:
    """Return a term for each step of an equation, with terms in place of some names."""
    terms: list[Term] = []
    for step in expression.steps:
        match step:
            case Name(node):
                terms.append((names or {}).get(node) or Term(step))
            case Number():
                terms.append(Term(step))
            case Apply(operation, positions, options):
                terms.append(call(operation, *(terms[k] for k in positions), **dict(options)))
    return terms


def _term(operand: Any) -> Term:
    return operand if isinstance(operand, Term) else number(operand)


def _between(sign: str, left: Any, right: Any) -> Term:  # noqa: C901 - a case for each rule
    """Return an operator between two operands; a sum with 0 or a product with 1 is the other operand."""
    first, second = _term(left), _term(right)
    a, b = first.value, second.value
    match sign:
        case "+" if a == 0:
            return second
        case "+" | "-" if b == 0:
            return first
        case "-" if a == 0:
            return -second
        case "*" if a == 0 or b == 0:
            return number(0)
        case "*" if a == 1:
            return second
        case "*" | "/" | "^" if b == 1:
            return first
        case "*" if _is_minus_one(first):
            return -second
        case "*" if _is_minus_one(second):
            return -first
        case "/" if a == 0 and b != 0:
            return number(0)
        case "-" if a is not None and b is not None and a.is_integer() and b.is_integer():
            return number(a - b)
    return Term(Apply(_BETWEEN[sign], (0, 1)), (first, second))


def _is_minus_one(term: Term) -> bool:
    return isinstance(term.step, Apply) and term.step.operation == _MINUS and term.operands[0].value == 1
