"""Mistakes in differentiating an equation: the inner derivative, the rules for products and powers."""

from __future__ import annotations

from collections.abc import Iterator

from cgraph.exercises.mistakes.factors import FUNCTIONS
from cgraph.exercises.mistakes.possible_mistake import PossibleMistake, applied, finite_or_none
from cgraph.exercises.parts import Part
from cgraph.model.graph import ComputationalGraph
from cgraph.model.language.expressions import Apply
from cgraph.model.operations.elementwise import name_of

__all__ = ["inner_derivative", "power_rule", "product_rule"]


def inner_derivative(part: Part, L: ComputationalGraph) -> Iterator[PossibleMistake]:
    """In f(g(x)), g' was forgotten."""
    for op in applied(part, L):
        composed = op.varies[0] and isinstance(op.expression.steps[op.operands[0]], Apply)
        if composed and op.operation in {*FUNCTIONS, "pow"}:
            ones = {(g.k, p): g.derivative(p, 1.0) for g in op.inner() for p in range(len(g.operands))}
            what = f"the inner derivative in {name_of(op.operation)}(...) at {op.node} was forgotten"
            yield PossibleMistake("inner derivative forgotten", op.where, what, op.with_local(ones))
        if op.operation in {"pow", "square"} and op.varies[0] and op.k < len(op.v) - 1:
            what = f"the derivative of the power within the equation of {op.node} was forgotten"
            yield PossibleMistake("inner derivative forgotten", op.where, what, op.differentiated({0: 1.0}))


def product_rule(part: Part, L: ComputationalGraph) -> Iterator[PossibleMistake]:
    """One of the two terms in the derivative of a product or a quotient was left out."""
    for op in applied(part, L):
        if op.operation in {"mul", "div"} and all(op.varies):
            rule = "product" if op.operation == "mul" else "quotient"
            for p, term in enumerate(("first", "second")):
                what = f"the {term} term of the {rule} rule at {op.node} was left out"
                yield PossibleMistake("product rule", op.where, what, op.differentiated({p: 0.0}))


def power_rule(part: Part, L: ComputationalGraph) -> Iterator[PossibleMistake]:
    """The derivative of a power without its factor, or with the old exponent."""
    for op in applied(part, L):
        if op.operation == "square" or (op.operation == "pow" and op.varies == [True, False]):
            a, b = (*op.x, 2.0)[:2]
            lowered = finite_or_none(lambda a=a, b=b: a ** (b - 1))  # type: ignore[misc]  # numbers, bound now
            if lowered is not None:
                what = f"the factor {b:g} of the power at {op.node} was forgotten"
                yield PossibleMistake("power rule", op.where, what, op.differentiated({0: lowered}))
            what = f"the exponent of the power at {op.node} was not lowered"
            yield PossibleMistake("power rule", op.where, what, op.differentiated({0: b * op.value}))
