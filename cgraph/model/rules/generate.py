"""From the rows of the table to code: functions of NumPy, machine code, scripts, formulas.

An equation becomes straight-line source text for a target. Operations that the target has are spelled as the row says;
others are replaced by their equations until only such are left. What is the same is computed once, what holds numbers
alone is computed here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, NamedTuple

from cgraph.model.language.expressions import Apply, Expression, Name, Number
from cgraph.model.language.parsing import parse
from cgraph.model.operations.arrays import ArrayOperation
from cgraph.model.operations.elementwise import CHOICE, OPERATIONS, POWER, PRODUCT, Operation
from cgraph.model.rules.differentiation import rules_of, second_derivatives
from cgraph.model.rules.numpy_functions import PRIMITIVES

__all__ = [
    "TARGETS",
    "Code",
    "Functions",
    "Target",
    "condition_of",
    "functions_of",
    "is_exact",
    "partials",
    "source_of",
    "value_of",
]


@dataclass(frozen=True)
class Target:
    """How a target writes what is no operation.

    Parameters
    ----------
    name : str
        What its spellings are called in ``Operation.spelled``.
    true : str
        A number as a condition, which holds where it is not 0.
    number : str
        A condition as a number, 1 or 0.
    assigned : str
        A result that is needed several times.
    fraction : str
        A number that is not whole.
    whole : bool
        Whether a whole number is written without a point.
    folds : bool
        Whether what holds numbers alone is computed beforehand.
    """

    name: str
    true: str
    number: str
    assigned: str = "{0} = {1}"
    fraction: str = "{0}"
    whole: bool = True
    folds: bool = True


TARGETS = {
    "numpy": Target("numpy", "({0}.real != 0)", "(1 * {0})"),
    "machine": Target("machine", "({0} != 0)", "(1.0 * {0})", whole=False),
    "javascript": Target("javascript", "({0} !== 0)", "({0} ? 1 : 0)", "const {0} = {1};"),
    "sympy": Target("sympy", "sympy.Ne({0}, 0)", "sympy.Piecewise((1, {0}), (0, True))", fraction="sympy.Rational('{0}')", folds=False),
}  # fmt: skip


_COMPARISONS = {">", "<", ">=", "<="}
_REAL_OF_NUMBER = re.compile(r"(\(-?[\d.e+-]+\))\.real\b")


class Code(NamedTuple):
    """Source text: the lines that come first, and the results."""

    lines: list[str]
    results: list[str]


def source_of(equations: Sequence[Expression], target: Target, names: Mapping[str, str] | None = None) -> Code:
    """Return equations as source text for a target; `names` says what their operands are called there.

    Examples
    --------
    >>> source_of([parse("x * sigmoid(x)")], TARGETS["machine"])
    Code(lines=[], results=['(x * (1 / (1 + exp(-x))))'])
    """
    writer = _Writer(target, dict(names or {}))
    results = [writer.add(equation) for equation in equations]
    return writer.code(results)


def condition_of(text: str, target: Target, names: Mapping[str, str] | None = None) -> Code:
    """Return a condition as source text that is true or false; `names` is as in `source_of`."""
    writer = _Writer(target, dict(names or {}))
    place = writer.add(parse(text))
    texts: dict[int, str] = {}
    lines = writer.code([place], texts).lines
    return Code(lines, [writer.condition(place, texts)])


@dataclass
class _Writer:
    """Numbers what is computed, so that the same is computed once; `key`s tell values from each other."""

    target: Target
    names: dict[str, str]
    keys: list[tuple[Any, ...]] = field(default_factory=list)
    places: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def place(self, *key: Any) -> int:
        if key not in self.places:
            self.places[key] = len(self.keys)
            self.keys.append(key)
        return self.places[key]

    def add(self, equation: Expression, operands: Mapping[str, int] | None = None) -> int:
        """Add an equation, whose operands stand at these places if they are not names, and return its place."""
        v: list[int] = []
        for k, step in enumerate(equation.steps):
            match step:
                case Name(name):
                    v.append(self.place("name", name) if operands is None else operands[name])
                case Number(value, text):
                    v.append(self.place("number", value, text))
                case Apply(operation, positions):
                    x = [v[position] for position in positions]
                    folded = self.target.folds and not equation.varies[k] and operands is None
                    row = OPERATIONS[operation]
                    v.append(self.constant(row, x) if folded else self.apply(row, x))
        return v[-1]

    def constant(self, row: Operation, x: list[int]) -> int:
        value = float(functions_of(row).value(*(self.keys[place][1] for place in x)))
        return self.place("number", value, repr(int(value) if value.is_integer() else value))

    def apply(self, row: Operation, x: list[int]) -> int:
        if row is POWER and self.keys[x[1]][:2] == ("number", 2.0) and self.target.name != "sympy":
            return self.apply(PRODUCT, [x[0], x[0]])
        if self.target.name in row.spelled:
            return self.place("apply", row, *x)
        body = row.plain if self.target.name == "sympy" and row.plain else row.value
        return self.add(parse(body), dict(zip(row.names, x, strict=True)))

    def code(self, results: list[int], texts: dict[int, str] | None = None) -> Code:
        """Return the text of what the results need, in order; `texts` is filled with that of each place."""
        needed, uses = set(results), Counter(results)
        for place in range(len(self.keys) - 1, -1, -1):
            if place in needed and self.keys[place][0] == "apply":
                needed.update(self.keys[place][2:])
                uses.update(self.keys[place][2:])
        lines: list[str] = []
        texts = {} if texts is None else texts
        for place in sorted(needed):
            texts[place] = text = self.text(place, texts)
            if uses[place] > 1 and self.keys[place][0] == "apply" and not _is_comparison(self.keys[place][1]):
                texts[place] = f"t{place}"
                lines.append(self.target.assigned.format(texts[place], text))
        return Code(lines, [texts[place] for place in results])

    def text(self, place: int, texts: Mapping[int, str]) -> str:
        what: Any
        rest: list[Any]
        kind, what, *rest = self.keys[place]
        if kind == "name":
            return str(self.names.get(what, what))
        if kind == "number":
            return self.number(what, rest[0])
        operands = [texts[o] for o in rest]
        if what is CHOICE:
            operands[0] = self.condition(rest[0], texts)
        elif _is_comparison(what):
            return self.target.number.format(f"({self.spelled(what, operands)})")
        return f"({self.spelled(what, operands)})"

    def condition(self, place: int, texts: Mapping[int, str]) -> str:
        kind, what, *rest = self.keys[place]
        if kind == "apply" and _is_comparison(what):
            return f"({self.spelled(what, [texts[o] for o in rest])})"
        return self.target.true.format(texts[place])

    def spelled(self, row: Operation, operands: list[str]) -> str:
        text = row.spelled[self.target.name].format(*operands)
        return _REAL_OF_NUMBER.sub(r"\1", text)

    def number(self, value: float, text: str) -> str:
        if self.target.name == "sympy" and text in {"pi", "e"}:
            return {"pi": "sympy.pi", "e": "sympy.E"}[text]
        if self.target.whole and float(value).is_integer() and abs(value) < 2**53:
            return f"({int(value)})"
        return f"({self.target.fraction.format(repr(float(value)))})"


def _is_comparison(row: Operation) -> bool:
    return row.infix in _COMPARISONS


class Functions:
    """A row as functions of Python: of the operands the value, of output and operands the derivatives.

    Each is made when it is first needed.
    """

    def __init__(self, row: Operation) -> None:
        self._row = row
        # Never the names of the operands, which may be those of something else in the code.
        self._names = {operand: f"x{k}" for k, operand in enumerate(row.names)}
        self._x = tuple(self._names.values())

    @cached_property
    def value(self) -> Any:
        """``value(*x)`` is the output y."""
        return _function(self._x, value_of(self._row, TARGETS["numpy"], self._names))

    @cached_property
    def derivatives(self) -> tuple[Any, ...]:
        """``derivatives[k](y, *x)`` is dy/dx_k."""
        operands = ("y", *self._x)
        near = [self._code(rule) for rule in rules_of(self._row)]
        if self._row.far is None:
            return tuple(_function(operands, code) for code in near)
        condition = condition_of(self._row.far[0], TARGETS["numpy"], self._names)
        form = self._code(parse(self._row.far[1]))
        # The other form is computed where somebody needs it, and only then.
        lines = [*near[0].lines, f"near = {near[0].results[0]}", *condition.lines, f"is_far = {condition.results[0]}",
                 "if is_far is False or not anywhere(is_far): return near", *form.lines]  # fmt: skip
        return (_function(operands, Code(lines, [f"where(is_far, {form.results[0]}, near)"])),)

    @cached_property
    def inside(self) -> Any:
        """``inside(*x)`` says whether real operands are in the domain; None if all are."""
        if self._row.domain is None:
            return None
        return _function(self._x, condition_of(self._row.domain[0], TARGETS["numpy"], self._names))

    @cached_property
    def second_derivatives(self) -> tuple[tuple[Any, ...], ...]:
        """``second_derivatives[k][l](y, *x)`` is d^2 y / (dx_k dx_l)."""
        operands = ("y", *self._x)
        return tuple(
            tuple(_function(operands, self._code(equation)) for equation in of_one)
            for of_one in second_derivatives(self._row)
        )

    def _code(self, equation: Expression) -> Code:
        return source_of([equation], TARGETS["numpy"], self._names)

    def in_sympy(self, sympy: Any) -> Any:
        """Return the function of formulas of sympy whose value is that of the operation, as people write it."""
        return _function(self._x, value_of(self._row, TARGETS["sympy"], self._names), {"sympy": sympy})

    @cached_property
    def kinks(self) -> tuple[Any, ...]:
        """Functions of the operands, one of which is 0 at every kink."""
        return tuple(_function(self._x, self._code(parse(text))) for text in self._row.kinks)


@cache
def functions_of(row: Operation | ArrayOperation) -> Any:
    """Return the functions of NumPy that a row stands for; a row of the table of arrays holds them itself.

    Examples
    --------
    >>> silu = functions_of(OPERATIONS["silu"])
    >>> float(silu.value(0.0)), float(silu.derivatives[0](0.0, 0.0))
    (0.0, 0.5)
    """
    return Functions(row) if isinstance(row, Operation) else row


def value_of(row: Operation, target: Target, names: Mapping[str, str] | None = None) -> Code:
    """Return the value of an operation as source text; `names` is as in `source_of`."""
    writer = _Writer(target, dict(names or {}))
    return writer.code([writer.apply(row, [writer.place("name", name) for name in row.names])])


def partials(row: Operation) -> tuple[Expression, ...]:
    """Return the derivatives as they are computed: where the form by the output has no digits left, by the other."""
    if row.far is None:
        return rules_of(row)
    condition, form = row.far
    return (parse(f"where({condition}, {form}, {row.derivatives[0]})"),)


def _function(names: Sequence[str], code: Code, known: Mapping[str, Any] = PRIMITIVES) -> Any:
    """Return the function of these names; the source is made of rows and numbers, never of a user's text."""
    body = "\n    ".join([*code.lines, f"return {code.results[0]}"])
    namespace = dict(known)
    exec(f"def function({', '.join(names)}):\n    {body}", namespace)  # noqa: S102 - generated above
    return namespace["function"]


@cache
def is_exact(operation: str) -> bool:
    """Whether an elementary operation and its derivatives give Fractions for Fractions.

    Examples
    --------
    >>> is_exact("hard_tanh"), is_exact("exp"), is_exact("leaky_relu")
    (True, False, False)
    """
    row = OPERATIONS[operation]
    if not row.value:
        return row.exact
    steps = [step for equation in (parse(row.value), *rules_of(row)) for step in equation.steps]
    return all(
        float(step.value).is_integer() if isinstance(step, Number) else is_exact(step.operation)
        for step in steps
        if not isinstance(step, Name)
    )


def is_arithmetic(operation: str) -> bool:
    """Whether a function is put together from sums, products, quotients and powers alone, as a square is.

    Examples
    --------
    >>> is_arithmetic("reciprocal"), is_arithmetic("relu"), is_arithmetic("exp")
    (True, False, False)
    """
    equation = OPERATIONS[operation].value
    steps = parse(equation).steps if equation else ()
    signs = {OPERATIONS[step.operation].infix for step in steps if isinstance(step, Apply)}
    return bool(steps) and signs <= {"+", "-", "*", "/", "^"}


@cache
def is_piecewise(operation: str) -> bool:
    """Whether an elementary operation is put together from arithmetic, comparisons and choices alone.

    Examples
    --------
    >>> is_piecewise("relu"), is_piecewise("softplus")
    (True, False)
    """
    row = OPERATIONS[operation]
    if not row.value:
        return bool(row.infix) or row is CHOICE
    return all(is_piecewise(step.operation) for step in parse(row.value).steps if isinstance(step, Apply))


@cache
def has_one_rule(operation: str) -> bool:
    """Whether one formula is the derivative of an elementary operation everywhere, for each of its operands.

    Examples
    --------
    >>> has_one_rule("tanh"), has_one_rule("relu"), has_one_rule("elu")
    (True, False, False)
    """
    row = OPERATIONS[operation]
    steps = [step for rule in rules_of(row) for step in rule.steps if isinstance(step, Apply)]
    return not row.kinks and row is not CHOICE and not any(_chooses(step.operation) for step in steps)


def _chooses(operation: str) -> bool:
    row = OPERATIONS[operation]
    return row is CHOICE or row.infix in _COMPARISONS or bool(row.kinks)
