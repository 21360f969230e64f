"""Derivatives of equations as equations, from the rows of the table of operations."""

from __future__ import annotations

from functools import cache

from cgraph.model.language.expressions import Apply, Expression, Name
from cgraph.model.language.parsing import parse
from cgraph.model.language.terms import Term, number, terms_of
from cgraph.model.operations.elementwise import OPERATIONS, Operation

__all__ = ["derivatives_of", "is_own", "rules_of", "second_derivatives", "unfolded"]


def derivatives_of(expression: Expression) -> dict[str, Term]:
    """Return {i: the derivative of an equation with respect to i} for every name in it.

    Notes
    -----
    A reverse sweep over the steps of the equation, with terms in place of numbers.

    Examples
    --------
    >>> {i: str(z) for i, z in derivatives_of(parse("x * sigmoid(b * x)")).items()}["b"]
    'x * (sigmoid(b * x) * (1 - sigmoid(b * x))) * x'
    """
    v = terms_of(expression)
    S = [number(0)] * len(v)
    S[-1] = number(1)
    z = {i: number(0) for i in expression.operands}
    for k in reversed(range(len(v))):
        match expression.steps[k]:
            case Name(i):
                z[i] = z[i] + S[k]
            case Apply(operation, positions):
                row = OPERATIONS[operation]
                values = dict(zip(row.names, (v[o] for o in positions), strict=True)) | {"y": v[k]}
                for rule, o in zip(rules_of(row), positions, strict=True):
                    if expression.varies[o]:
                        S[o] = S[o] + S[k] * terms_of(rule, values)[-1]
    return z


@cache
def rules_of(row: Operation) -> tuple[Expression, ...]:
    """Return the derivatives of an operation with respect to its operands: those that the row has, or derived ones."""
    if row.derivatives:
        return tuple(map(parse, row.derivatives))
    z = derivatives_of(parse(row.value))
    return tuple(z.get(operand, number(0)).expression for operand in row.names)


@cache
def second_derivatives(row: Operation) -> tuple[tuple[Expression, ...], ...]:
    """Return d^2 y / (dx_k dx_l) of an operation, equations in its operands and its output ``y``.

    Examples
    --------
    >>> from cgraph.model.language.expressions import written
    >>> written(second_derivatives(OPERATIONS["tanh"])[0][0])[-1], written(second_derivatives(OPERATIONS["mul"])[0][1])[-1]
    ('-(2 * y) * (1 - y ^ 2)', '1')
    """
    rules = rules_of(row)
    second = []
    for rule in rules:
        z = derivatives_of(rule)
        through_y = z.get("y", number(0))
        # The rule reads the output as well: d/dx_l = its own derivative + that with respect to y, times dy/dx_l.
        second.append(tuple(
            (z.get(operand, number(0)) + through_y * terms_of(first)[-1]).expression
            for operand, first in zip(row.names, rules, strict=True)
        ))  # fmt: skip
    return tuple(second)


def unfolded(expression: Expression) -> Expression:
    """Return an equation with functions of one's own replaced by what they stand for."""
    if not any(isinstance(step, Apply) and is_own(step.operation) for step in expression.steps):
        return expression
    terms: list[Term] = []
    for step in expression.steps:
        operands = tuple(terms[o] for o in step.operands) if isinstance(step, Apply) else ()
        if isinstance(step, Apply) and is_own(step.operation):
            row = OPERATIONS[step.operation]
            values = dict(zip(row.names, operands, strict=True))
            terms.append(terms_of(unfolded(parse(row.value)), values)[-1])
        else:
            terms.append(Term(step, operands))
    return terms[-1].expression


def is_own(operation: str) -> bool:
    """Whether an operation is a function of one's own."""
    return operation in OPERATIONS and OPERATIONS[operation].is_own
