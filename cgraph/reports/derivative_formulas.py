"""Local derivatives as formulas: the rules of the table of operations, applied to formulas instead of numbers.

A `SumOfProducts` is a formula together with its number. The equations of the table, and the sweep over the steps of an
equation, run over these instead of numbers. Each operation writes its formula, and a rule that compares, such as that of
relu, compares the numbers. So the formula shown is the rule that computed the number.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from cgraph.model.evaluation import derivatives_of_steps, steps_of
from cgraph.model.language.expressions import Apply, Expression, Name, Number, write_name
from cgraph.model.language.parsing import parse
from cgraph.model.operations.arrays import ARRAY_OPERATIONS
from cgraph.model.operations.elementwise import ACTIVATIONS, CHOICE, CONSTANTS, OPERATIONS
from cgraph.model.rules.differentiation import rules_of, unfolded
from cgraph.model.rules.generate import functions_of, has_one_rule, is_arithmetic, is_piecewise
from cgraph.reports.latex import latex_expression, latex_name
from cgraph.reports.tables import Formula

__all__ = ["SumOfProducts", "array_formulas", "derivative_formulas", "gate_formula", "typeset"]

# A product: what is multiplied, each with its exponent, in alphabetical order. A factor is an atom: a name, a call or
# something in brackets.
Product = tuple[tuple[str, Fraction], ...]
LONGEST_DENOMINATOR = 1000
LARGEST_EXPONENT = 1000  # to which a coefficient is raised; beyond, the base stays in brackets
# Arithmetic, by its sign in equations; a minus of one operand is its own.
_ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "^": operator.pow}
_COMPARISONS = {">", "<", ">=", "<="}


class _Power(str):
    """A factor that is a power, and needs brackets to be raised to another."""

    __slots__ = ()


class SumOfProducts:
    """A number and the formula that it came from: a sum of products.

    A `cgraph.model.language.terms.Term` keeps an equation as it was built; this form is for reading: like terms are added,
    powers of one factor joined, and the number at the point chooses the branches of piecewise rules.

    Parameters
    ----------
    terms : dict
        ``{product: coefficient}``; the empty product is the constant term.
    value : float
        What the formula comes to.

    Examples
    --------
    >>> a, x = SumOfProducts.named("a", 6.0), SumOfProducts.named("x", 2.0)
    >>> str(3 * a * a / x - 1), (3 * a * a / x - 1).value
    ('3*a^2/x - 1', 53.0)
    """

    def __init__(self, terms: Mapping[Product, Fraction], value: float) -> None:
        self.terms = {product: c for product, c in terms.items() if c}
        self.value = value

    @classmethod
    def named(cls, text: str, value: float) -> SumOfProducts:
        """Return what is written `text`, a name or a call."""
        return cls({((text, Fraction(1)),): Fraction(1)}, value)

    @classmethod
    def of(cls, number: Any) -> SumOfProducts:
        """Return a number as a formula."""
        if isinstance(number, SumOfProducts):
            return number
        return cls({(): Fraction(number if isinstance(number, Fraction) else repr(float(number)))}, float(number))

    def __add__(self, other: Any) -> SumOfProducts:
        other = SumOfProducts.of(other)
        keys = dict.fromkeys([*self.terms, *other.terms])
        terms = {key: self.terms.get(key, Fraction(0)) + other.terms.get(key, Fraction(0)) for key in keys}
        return SumOfProducts(terms, self.value + other.value)

    def __neg__(self) -> SumOfProducts:
        return SumOfProducts({key: -c for key, c in self.terms.items()}, -self.value)

    def __sub__(self, other: Any) -> SumOfProducts:
        return self + -SumOfProducts.of(other)

    def __rsub__(self, other: Any) -> SumOfProducts:
        return SumOfProducts.of(other) + -self

    def __mul__(self, other: Any) -> SumOfProducts:
        other = SumOfProducts.of(other)
        if not self.terms or not other.terms:
            return SumOfProducts({}, 0.0)
        for sign, formula in ((self, other), (other, self)):
            if sign.terms == {(): 1}:
                return formula
            if sign.terms == {(): -1}:
                return -formula
        (left, a), (right, b) = self._product(), other._product()
        return SumOfProducts({_merged(left, right): a * b}, self.value * other.value)

    def __truediv__(self, other: Any) -> SumOfProducts:
        return self * SumOfProducts.of(other) ** -1

    def __rtruediv__(self, other: Any) -> SumOfProducts:
        return SumOfProducts.of(other) * self**-1

    def __pow__(self, exponent: Any) -> SumOfProducts:
        exponent = SumOfProducts.of(exponent)
        value = _powered(self.value, exponent.value)
        n = exponent.terms.get((), Fraction(0))
        if exponent.terms in ({}, {(): n}):
            product, c = self._product()
            if n.denominator == 1 and (c or n > 0) and abs(n) <= LARGEST_EXPONENT:
                return SumOfProducts({_merged(tuple((atom, e * n) for atom, e in product), ()): c**n}, value)
            return SumOfProducts({((self._atom(), n),): Fraction(1)}, value)
        return SumOfProducts.named(_Power(f"{self._atom()}^{exponent._atom()}"), value)

    def __rpow__(self, base: Any) -> SumOfProducts:
        return SumOfProducts.of(base) ** self

    def __radd__(self, other: Any) -> SumOfProducts:
        return SumOfProducts.of(other) + self

    __rmul__ = __mul__

    def __complex__(self) -> complex:
        return complex(self.value)

    def __eq__(self, other: object) -> bool:
        return self.terms == SumOfProducts.of(other).terms

    def __hash__(self) -> int:
        return hash(tuple(self.terms))

    def __gt__(self, other: Any) -> bool:
        return self.value > SumOfProducts.of(other).value

    def __ge__(self, other: Any) -> bool:
        return self.value >= SumOfProducts.of(other).value

    def __lt__(self, other: Any) -> bool:
        return self.value < SumOfProducts.of(other).value

    def __le__(self, other: Any) -> bool:
        return self.value <= SumOfProducts.of(other).value

    def __str__(self) -> str:
        atom = self._only_atom()
        text = ""
        if isinstance(atom, _Power):
            return atom
        if atom.startswith("("):
            return atom[1:-1]
        for product, c in self.terms.items():
            shown = _shown(product, abs(c))
            text += (" - " if c < 0 else " + ") + shown if text else "-" * (c < 0) + shown
        return text or "0"

    def times(self, number: str) -> str:
        """Return the product with a number, which stays as it is written."""
        formula = str(self) if len(self.terms) == 1 else f"({self})"
        return f"{formula}*{f'({number})' if number.startswith('-') else number}"

    @property
    def is_constant(self) -> bool:
        """Whether it is a number, with no name in it."""
        return self.terms.keys() <= {()}

    def _product(self) -> tuple[Product, Fraction]:
        """Return the formula as one product: a sum is a factor in brackets."""
        if len(self.terms) == 1:
            return next(iter(self.terms.items()))
        return (((f"({self})", Fraction(1)),), Fraction(1)) if self.terms else ((), Fraction(0))

    def _only_atom(self) -> str:
        """Return the factor that is the whole formula, or ""."""
        if list(self.terms.values()) == [1]:
            (product,) = self.terms
            if [e for _, e in product] == [1]:
                return product[0][0]
        return ""

    def _atom(self) -> str:
        atom, text = self._only_atom(), str(self)
        if atom and not isinstance(atom, _Power):
            return atom
        return text if text.isdecimal() else f"({text})"


def _powered(base: float, exponent: float) -> float:
    """Return a power, infinite or not a number where there is none."""
    with np.errstate(all="ignore"):
        return float(np.float64(base) ** np.float64(exponent))


def called(function: str, operands: list[SumOfProducts], value: float) -> SumOfProducts:
    """Return the call of a function."""
    return SumOfProducts.named(f"{function}({', '.join(map(str, operands))})", value)


def derivative_formulas(
    expression: Expression, y: Mapping[str, float], j: str, *, everywhere: bool = False
) -> dict[str, str]:
    """Return {i: the formula of dy(j)/dy(i)} for an equation.

    A rule that compares, as relu's does, gives the branch that holds at `y`; `everywhere` keeps its comparisons and choices
    in the formula, which then holds at every point.

    Examples
    --------
    >>> from cgraph.model.language.parsing import parse
    >>> derivative_formulas(parse("exp(a) + a/log(x) + sin(log(x))/a"), {"a": 6.0, "x": 2.0}, "y")["a"]
    'exp(a) + 1/log(x) - sin(log(x))/a^2'
    >>> derivative_formulas(parse("sigmoid(w*x)"), {"w": 6.0, "x": 2.0}, "h")
    {'w': 'h*x*(1 - h)', 'x': 'h*w*(1 - h)'}
    >>> derivative_formulas(parse("relu(w*x)"), {"w": 6.0, "x": 2.0}, "h", everywhere=True)["x"]
    'w*(h > 0)'
    """
    expression = unfolded(expression)
    numbers = steps_of(expression, y, j)
    v: list[SumOfProducts] = []
    for step, number in zip(expression.steps, numbers, strict=True):
        match step:
            case Name(name):
                v.append(SumOfProducts.named(write_name(name), float(number)))
            case Number(_, text):
                v.append(_number(float(number), text))
            case Apply(operation, operands):
                v.append(_applied(operation, [v[k] for k in operands], float(number)))
    match expression.steps[-1]:
        case Apply(operation, _) if operation in ACTIVATIONS and not is_arithmetic(operation):
            v[-1] = SumOfProducts.named(write_name(j), float(numbers[-1]))  # Phi' is known by the output
    rules = {
        (k, p): _rule(step.operation, p, v[k], [v[o] for o in step.operands], everywhere=everywhere)
        for k, step in enumerate(expression.steps)
        if isinstance(step, Apply)
        for p, o in enumerate(step.operands)
        if expression.varies[o]
    }
    return {i: str(SumOfProducts.of(z)) for i, z in derivatives_of_steps(expression, v, j, rules).items()}


def _number(value: float, text: str) -> SumOfProducts:
    return SumOfProducts.named(text, value) if text in CONSTANTS else SumOfProducts.of(value)


def _rule(
    operation: str, position: int, y: SumOfProducts, x: list[SumOfProducts], *, everywhere: bool
) -> SumOfProducts:
    """Return the derivative of an operation with respect to one of its operands, as the table has it."""
    row = OPERATIONS[operation]
    return _run(rules_of(row)[position], dict(zip(row.names, x, strict=True)) | {"y": y}, everywhere=everywhere)


def _run(equation: Expression, operands: Mapping[str, SumOfProducts], *, everywhere: bool) -> SumOfProducts:
    """Return what an equation of the table comes to; of a choice the branch that holds, or with `everywhere` both."""
    v: list[SumOfProducts] = []
    for step in equation.steps:
        match step:
            case Name(name):
                v.append(operands[name])
            case Number(value, text):
                v.append(_number(value, text))
            case Apply(operation, positions):
                x = [v[k] for k in positions]
                with np.errstate(all="ignore"):  # what a branch that does not hold comes to
                    value = float(functions_of(OPERATIONS[operation]).value(*(np.float64(o.value) for o in x)))
                v.append(_settled(operation, x, value, everywhere=everywhere))
    return v[-1]


def _settled(operation: str, x: list[SumOfProducts], value: float, *, everywhere: bool) -> SumOfProducts:
    """Return an operation of a rule, put together from the branches that hold; `everywhere`, from those that always do."""
    row = OPERATIONS[operation]
    settled = not everywhere or x[0].is_constant
    if row is CHOICE and settled:
        return x[1] if x[0].value else x[2]
    if row.infix in _COMPARISONS and not (everywhere and any(not operand.is_constant for operand in x)):
        return SumOfProducts.of(value)
    if (is_piecewise(operation) and not row.infix and not everywhere) or (row.plain and not row.value):
        return _run(parse(row.value or row.plain), dict(zip(row.names, x, strict=True)), everywhere=everywhere)
    return _applied(operation, x, value)


def _applied(operation: str, x: list[SumOfProducts], value: float) -> SumOfProducts:
    """Return an operation, put together from arithmetic if it is that."""
    row = OPERATIONS[operation]
    if row.infix in _ARITHMETIC:
        return _ARITHMETIC[row.infix](*x) if len(x) > 1 else -x[0]
    if row.infix in _COMPARISONS:
        return SumOfProducts.named(f"({f' {row.infix} '.join(map(str, x))})", value)
    if is_arithmetic(operation):
        return _run(parse(row.value), dict(zip(row.names, x, strict=True)), everywhere=True)
    return called(operation, x, value)


def array_formulas(expression: Expression, y: Mapping[str, Any], j: str) -> dict[str, Formula | None]:
    """Return {i: the formula of the Jacobian dy(j)/dy(i)}, for one operation on arrays or for elementwise equations.

    Examples
    --------
    >>> x, W = np.zeros(2), np.zeros((3, 2))
    >>> {i: formula.text for i, formula in array_formulas(parse("W @ x"), {"W": W, "x": x}, "s").items()}
    {'W': 'I (x) x^T', 'x': 'W'}
    >>> array_formulas(parse("tanh(s)"), {"s": np.zeros(3)}, "h")["s"].text
    'diag(1 - h^2)'
    """
    operations = [step.operation for step in expression.steps if isinstance(step, Apply)]
    match expression.steps:
        case (*before, Apply(operation, _)) if len(before) == len(expression.operands):  # names alone
            ranks = tuple(np.ndim(y[i]) for i in expression.operands)
            if operation in ARRAY_OPERATIONS and (rules := ARRAY_OPERATIONS[operation].formulas_for(ranks)):
                return _filled(rules, expression.operands, j)
    shape = np.shape(steps_of(expression, y, j)[-1])
    if len(operations) > 1 and operations[0] not in OPERATIONS and set(operations[1:]) == {"add"}:
        return _first_and_sum(expression, y, j, shape)
    if not all(operation in OPERATIONS and has_one_rule(operation) for operation in operations):
        return dict.fromkeys(expression.operands)  # where entries differ in their rule, one formula does not serve them
    entries = {i: float(np.ravel(y[i])[0]) for i in expression.operands}
    found = derivative_formulas(expression, entries, j)
    return {i: _diagonal(text, np.shape(y[i]), shape) for i, text in found.items()}


def _first_and_sum(
    expression: Expression, y: Mapping[str, Any], j: str, shape: tuple[int, ...]
) -> dict[str, Formula | None]:
    """Return the formulas of an operation on arrays to which something is added, as in ``W @ x + b``."""
    first = next(k for k, step in enumerate(expression.steps) if isinstance(step, Apply))
    found = array_formulas(Expression(expression.steps[: first + 1]), y, j)
    if len(set(expression.operands)) < len(expression.operands):
        return dict.fromkeys(expression.operands)
    added = {i: _diagonal("1", np.shape(y[i]), shape) for i in expression.operands if i not in found}
    return found | added


def _filled(rules: tuple[tuple[str, str], ...], operands: tuple[str, ...], j: str) -> dict[str, Formula | None]:
    if len(set(operands)) < len(operands):
        return dict.fromkeys(operands)  # the sum of two rules
    text, latex = [*map(write_name, operands)], [*map(latex_name, operands)]
    return {
        i: Formula(rule.format(*text, y=write_name(j)), in_latex.format(*latex, y=latex_name(j)))
        for i, (rule, in_latex) in zip(operands, rules, strict=False)
    }


def _diagonal(text: str | None, x: tuple[int, ...], y: tuple[int, ...]) -> Formula | None:
    """Return the Jacobian of an elementwise equation from the derivative of an entry."""
    if text is None:
        return None
    entry = typeset(text)
    if x == y == ():
        return entry
    if x == y:
        return Formula("I", "I") if text == "1" else Formula(f"diag({text})", rf"\operatorname{{diag}}({entry.latex})")
    return Formula(f"vec({text})", rf"\operatorname{{vec}}({entry.latex})") if x == () else None


def gate_formula(activation: str, s: float, y: float, j: str, *, everywhere: bool = False) -> SumOfProducts:
    """Return the formula of Phi'(s(j)), in terms of the output where the table has it so; ``s_j`` is s(j).

    `everywhere` is as in `derivative_formulas`.

    Examples
    --------
    >>> print(gate_formula("tanh", 0.5, 0.46, "h"), gate_formula("relu", 0.5, 0.5, "h"))
    1 - h^2 1
    """
    output, operand = SumOfProducts.named(write_name(j), y), SumOfProducts.named(write_name(f"s_{j}"), s)
    return _rule(activation, 0, output, [operand], everywhere=everywhere)


def typeset(text: str, functions: tuple[str, ...] = ()) -> Formula:
    """Return an equation's text as a cell of a table; `functions` are those of its graph."""
    return Formula(text, latex_expression(parse(text, functions)))


def _merged(left: Product, right: Product) -> Product:
    factors: dict[str, Fraction] = {}
    for atom, exponent in (*left, *right):
        factors[atom] = factors.get(atom, Fraction(0)) + exponent
    return tuple((atom, exponent) for atom, exponent in sorted(factors.items(), key=_rank) if exponent)


def _rank(factor: tuple[str, Fraction]) -> tuple[bool, str]:
    """Names stand before calls and brackets, and each in alphabetical order."""
    return not factor[0].isidentifier(), factor[0]


def _shown(product: Product, c: Fraction) -> str:
    """Return a positive coefficient times a product, as a fraction where there are divisors."""
    simple = c.denominator <= LONGEST_DENOMINATOR
    above = [_power(atom, e) for atom, e in product if e > 0]
    below = [_power(atom, -e) for atom, e in product if e < 0]
    if simple and c.denominator > 1:
        below.insert(0, str(c.denominator))
    if not simple or c.numerator != 1:
        above.insert(0, str(c.numerator) if simple else format(float(c), ".10g"))
    numerator = "*".join(above) or "1"
    if not below:
        return numerator
    return f"{numerator}/{below[0]}" if len(below) == 1 else f"{numerator}/({'*'.join(below)})"


def _power(atom: str, exponent: Fraction) -> str:
    if exponent == 1:
        return atom
    if isinstance(atom, _Power):
        atom = f"({atom})"
    return f"{atom}^{exponent}" if exponent.denominator == 1 else f"{atom}^({exponent})"
