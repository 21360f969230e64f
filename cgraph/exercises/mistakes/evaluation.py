"""Mistakes in the values: degrees, the base of a logarithm, rounding, biases."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from cgraph.exercises.mistakes.possible_mistake import PossibleMistake, applied
from cgraph.exercises.parts import Part, WeightGradient
from cgraph.model.evaluation import derivatives_of_steps, linearize, linearized_from, source_values, steps_of
from cgraph.model.graph import BIAS, ComputationalGraph
from cgraph.model.language.expressions import Apply, Expression, Name, Number
from cgraph.model.operations.elementwise import OPERATIONS
from cgraph.model.operations.structured_jacobians import elementwise
from cgraph.model.rules.generate import functions_of

__all__ = ["bias_forgotten", "degrees", "log_base", "operations_of", "reevaluated", "replaced", "rounded_early"]

ANGLES = {name for name, row in OPERATIONS.items() if row.of_angle}
LOGARITHMS = {name: row.logarithm for name, row in OPERATIONS.items() if row.logarithm}
NATURAL, *WITH_BASE = LOGARITHMS  # the table begins with the natural one
CONFUSED = (*((NATURAL, other) for other in WITH_BASE), *((other, NATURAL) for other in WITH_BASE))
DIGITS = (1, 2, 3)


def degrees(_: Part, L: ComputationalGraph) -> Iterator[PossibleMistake]:
    """Sines and cosines were taken of degrees."""
    if any(ANGLES & operations_of(L, j) for j in L):
        what = "the calculator took angles in degrees instead of radians"
        change = partial(reevaluated, rewrite=_in_degrees, given=_undifferentiated)
        yield PossibleMistake("degrees for radians", "sin, cos or tan", what, change)


def log_base(part: Part, L: ComputationalGraph) -> Iterator[PossibleMistake]:
    """The logarithm has another base, or its base was forgotten in the derivative."""
    where = "the base of the logarithm"
    for old, new in CONFUSED:
        if any(old in operations_of(L, j) for j in L):
            rewrite = partial(replaced, old=old, new=new)
            what = f"{LOGARITHMS[new]} was taken instead of {LOGARITHMS[old]}"
            yield PossibleMistake("log base", where, what, partial(reevaluated, rewrite=rewrite))
            as_before = partial(_as_of, old=old, new=new)
            change = partial(reevaluated, rewrite=rewrite, given=as_before)
            yield PossibleMistake("log base", where, f"{what}, in the values alone", change)
    for op in applied(part, L):
        factors = {}
        if op.operation in WITH_BASE:
            factors = {0: 1 / op.x[0]}
        elif op.operation == "pow" and op.varies == [False, True]:
            factors = {1: op.value}
        if factors:
            what = f"the factor with the logarithm of the base was forgotten in the derivative at {op.node}"
            yield PossibleMistake("log base", op.where, what, op.differentiated(factors))


def rounded_early(part: Part, _: ComputationalGraph) -> Iterator[PossibleMistake]:
    """Intermediate results were rounded to a few digits."""
    if not part.is_count:
        for unit, rounding in (("significant figures", _to_figures), ("decimal places", round)):
            for digits in DIGITS:
                for what, derivatives in (("values", False), ("values and derivatives", True)):
                    change = partial(_rounded, to=partial(_call, rounding, digits), derivatives=derivatives)
                    said = f"intermediate {what} were rounded to {digits} {unit}"
                    yield PossibleMistake("rounded too early", "rounding", said, change)


def bias_forgotten(part: Part, L: ComputationalGraph) -> Iterator[PossibleMistake]:
    """The weighted sums were taken without the biases."""
    if BIAS in L and L.out_degree(BIAS) and not (isinstance(part, WeightGradient) and part.i == BIAS):
        yield PossibleMistake("bias forgotten", "the weighted sums", "the biases were forgotten", _without_biases)


def _without_biases(L: ComputationalGraph) -> ComputationalGraph:
    H = L.copy()
    for j in H.successors(BIAS):
        H.edges[BIAS, j]["weight"] = 0.0
    return linearize(H)


def _rounded(L: ComputationalGraph, *, to: Callable[[float], float], derivatives: bool) -> ComputationalGraph:
    H = linearized_from(L, source_values(L), settle=lambda _, value: to(float(value)))
    for *_, data in H.edges(data=True) if derivatives else ():
        data["derivative"] = to(data["derivative"])
    return H


def _call(rounding: Callable[[float, int], float], digits: int, value: float) -> float:
    return rounding(value, digits)


def _to_figures(value: float, digits: int) -> float:
    return float(f"{value:.{digits - 1}e}")


_Given = Callable[[Expression, list[Any]], Mapping[tuple[int, int], Any]]


def reevaluated(
    L: ComputationalGraph, *, rewrite: Callable[[Expression], Expression], given: _Given | None = None
) -> ComputationalGraph:
    """Return the graph with other equations, evaluated anew; derivatives within them that are `given` are not theirs."""
    H = L.copy()
    for _, data in H.nodes(data=True):
        if "expression" in data:
            data["expression"] = rewrite(data["expression"])
    H = linearize(H)
    if given is None:
        return H
    y = {i: data["value"] for i, data in H.nodes(data=True) if data.get("value") is not None}
    for j, data in H.nodes(data=True):
        if "expression" in data:
            v = steps_of(data["expression"], y, j)
            for i, z in derivatives_of_steps(data["expression"], v, j, given(data["expression"], v)).items():
                H.edges[i, j]["derivative"] = z
    return H


def _as_of(e: Expression, v: list[Any], *, old: str, new: str) -> dict[tuple[int, int], Any]:
    """Return the derivatives of the logarithms by the rule of the right one."""
    rule = functions_of(OPERATIONS[old]).derivatives[0]
    given = {}
    for k, step in _applies(e):
        if step.operation == new:
            y, x = v[k], v[step.operands[0]]
            given[k, 0] = elementwise(rule(y, x), np.shape(x), np.shape(y))
    return given


def _undifferentiated(e: Expression, v: list[Any]) -> dict[tuple[int, int], Any]:
    """Return 1 for the steps that turn degrees to radians: who takes degrees does not differentiate them."""
    angles = [step.operands[0] for _, step in _applies(e) if step.operation in ANGLES]
    return {(k, 0): elementwise(1.0, np.shape(v[k]), np.shape(v[k])) for k in angles}


def replaced(expression: Expression, *, old: str, new: str) -> Expression:
    """Return the equation with one operation in place of another."""
    return Expression(
        tuple(
            Apply(new, s.operands, s.options) if isinstance(s, Apply) and s.operation == old else s
            for s in expression.steps
        )
    )


def _in_degrees(expression: Expression) -> Expression:
    """Return the equation with the operands of sin, cos and tan turned from degrees to radians."""
    steps: list[Name | Number | Apply] = []
    place: list[int] = []  # of each old step among the new ones
    for step in expression.steps:
        new = step
        if isinstance(step, Apply):
            operands = tuple(place[o] for o in step.operands)
            if step.operation in ANGLES:
                steps += [Number(math.pi / 180, "pi/180"), Apply("mul", (operands[0], len(steps)))]
                operands = (len(steps) - 1,)
            new = Apply(step.operation, operands, step.options)
        place.append(len(steps))
        steps.append(new)
    return Expression(tuple(steps))


def operations_of(L: ComputationalGraph, j: str) -> set[str]:
    """Return the operations in the equation of a node."""
    expression: Expression | None = L.nodes[j].get("expression")
    return {step.operation for _, step in _applies(expression)} if expression is not None else set()


def _applies(expression: Expression) -> Iterator[tuple[int, Apply]]:
    return ((k, step) for k, step in enumerate(expression.steps) if isinstance(step, Apply))
