"""Derivatives that are +1 or -1 at every point, whatever the numbers: products with them need not be performed."""

from __future__ import annotations

from functools import cache, lru_cache

from cgraph.model.language.expressions import Apply, Expression, Name, Number
from cgraph.model.operations.elementwise import OPERATIONS, Operation
from cgraph.model.rules.differentiation import rules_of
from cgraph.model.rules.generate import functions_of

__all__ = ["unit_operands"]

_ANYWHERE = 0.5  # stands for operands that a derivative does not read


@lru_cache(maxsize=4096)
def unit_operands(expression: Expression) -> frozenset[str]:
    """Return the operands of an equation by which its derivative is +1 or -1 by structure.

    Notes
    -----
    The reverse sweep over the steps of the equation, in which only numbers are known: S(k) is None where it depends on the
    point.

    Examples
    --------
    >>> from cgraph.model.language.parsing import parse
    >>> sorted(unit_operands(parse("a - b + 2*c + d*e - 0.5*(2*f)")))
    ['a', 'b', 'f']
    """
    steps = expression.steps
    S: list[float | None] = [0.0] * len(steps)
    S[-1] = 1.0
    z: dict[str, float | None] = {}
    for k in reversed(range(len(steps))):
        match steps[k]:
            case Name(i):
                z[i] = _sum(z.get(i, 0.0), S[k])
            case Apply(operation, positions):
                for p, o in enumerate(positions):
                    if expression.varies[o]:
                        S[o] = _sum(S[o], _product(S[k], _slope(expression, operation, positions, p)))
    return frozenset(i for i, total in z.items() if total in (1.0, -1.0))


def _slope(expression: Expression, operation: str, positions: tuple[int, ...], p: int) -> float | None:
    """Return the derivative of a step with respect to operand `p`, if it is the same at every point."""
    row = OPERATIONS.get(operation)
    if row is None:
        return None
    read = _read(row)[p]
    numbers = []
    for name, o in zip(row.names, positions, strict=True):
        match expression.steps[o]:
            case Number(value):
                numbers.append(float(value))
            case _ if name in read:
                return None
            case _:
                numbers.append(_ANYWHERE)
    return None if "y" in read else float(functions_of(row).derivatives[p](_ANYWHERE, *numbers))


@cache
def _read(row: Operation) -> tuple[frozenset[str], ...]:
    """Return what each derivative of an operation reads: its operands, and its result `y`."""
    return tuple(frozenset(rule.operands) for rule in rules_of(row))


def _product(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a * b


def _sum(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a + b
