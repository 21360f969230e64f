"""Mistakes in the factors: derivatives on edges, gates, and the three factors of a weight's gradient."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from cgraph.exercises.mistakes.possible_mistake import (
    Applied,
    PossibleMistake,
    applied,
    finite_or_none,
    with_derivatives,
    with_gates,
)
from cgraph.exercises.parts import (
    BeforeActivation,
    EdgeDerivative,
    Gate,
    Part,
    PathProduct,
    Sensitivity,
    WeightGradient,
)
from cgraph.model.evaluation import gate_of, is_computed
from cgraph.model.graph import ComputationalGraph
from cgraph.model.linearized import compose
from cgraph.model.operations.elementwise import ACTIVATIONS, OPERATIONS, name_of
from cgraph.model.operations.structured_jacobians import ScaledIdentity
from cgraph.model.rules.generate import functions_of, is_arithmetic

__all__ = [
    "activation_for_derivative",
    "before_the_activation",
    "derivative_at_output",
    "factor_left_out",
    "factor_twice",
    "gate_forgotten",
    "loss_derivative",
    "loss_factor",
    "rule_of_another",
    "sign_lost",
    "weight_for_upstream",
]

# Functions of one operand, and operations with a minus in the derivative with respect to the first or second operand.
FUNCTIONS = {name for name, row in OPERATIONS.items() if not row.infix and len(row.names) == 1}
CALLED = {name for name in FUNCTIONS if not is_arithmetic(name)}
# Activations whose derivative is a formula of the output alone: y (1 - y), 1 - y^2.
BY_OUTPUT = tuple(
    name
    for name in ACTIVATIONS
    if not OPERATIONS[name].kinks and set(re.findall("[a-z]+", OPERATIONS[name].derivatives[0])) == {"y"}
)
SIGNED = {
    p: tuple(name for name, row in OPERATIONS.items() if row.derivatives[p : p + 1] and row.derivatives[p][0] == "-")
    for p in (0, 1)
}


def factor_left_out(part: Part, L: ComputationalGraph) -> Iterator[PossibleMistake]:
    """A derivative on the way counts as 1; or a weight, or one of the three factors."""
    kind = "factor left out"
    for i, j in part.edges(L):
        if not isinstance(part, EdgeDerivative):
            change = with_derivatives({(i, j): _one})
            yield PossibleMistake(kind, _edge(i, j), f"the factor z({i},{j}) was left out", change)
        if "weight" in L.edges[i, j]:
            change = with_derivatives({(i, j): partial(_constant, L.nodes[j]["gate"])})
            yield PossibleMistake(kind, _edge(i, j), f"the weight of {_edge(i, j)} was left out", change)
    if isinstance(part, WeightGradient):
        where = f"the factors of {part}"
        yield PossibleMistake(
            kind, where, f"the upstream value y({part.i}) was left out", read=partial(_times, part, upstream=1.0)
        )
        if part.j != part.t:
            what = f"the downstream sensitivity S({part.j},{part.t}) was left out"
            yield PossibleMistake(kind, where, what, read=lambda M: M.nodes[part.j]["gate"] * M.nodes[part.i]["value"])


def factor_twice(part: Part, L: ComputationalGraph) -> Iterator[PossibleMistake]:
    """A derivative on the way was multiplied in twice."""
    kind = "factor twice"
    for i, j in part.edges(L):
        change = with_derivatives({(i, j): lambda z: compose(z, z)})
        yield PossibleMistake(kind, _edge(i, j), f"the factor z({i},{j}) was used twice", change)
    if isinstance(part, WeightGradient | BeforeActivation | Gate):
        j = part.node if isinstance(part, Gate) else part.j
        change = with_gates({j: L.nodes[j]["gate"] ** 2})
        yield PossibleMistake(kind, f"the gate of {j}", f"the gate of {j} was used twice", change)
    if isinstance(part, WeightGradient):
        y = L.nodes[part.i]["value"]
        what = f"the upstream value y({part.i}) was used twice"
        yield PossibleMistake(kind, f"the factors of {part}", what, read=partial(_times, part, upstream=y * y))


def sign_lost(part: Part, L: ComputationalGraph) -> Iterator[PossibleMistake]:
    """A minus is missing, or one too many."""
    kind = "sign lost"
    if part.is_count:
        return
    yield _opposite(part, L)
    S = part.of(L)
    for i, j in [] if isinstance(part, EdgeDerivative | PathProduct) else part.edges(L):
        change = with_derivatives({(i, j): lambda z: -z})
        if not np.allclose(part.of(change(L)), -S, rtol=1e-12, atol=0):  # an edge on every path turns the whole sign
            yield PossibleMistake(kind, _edge(i, j), f"the sign of z({i},{j}) was lost", change)
    for op in applied(part, L):
        for p, varies in enumerate(op.varies):
            if varies and op.operation in SIGNED.get(p, ()):
                what = f"the minus in the derivative of {name_of(op.operation)} at {op.node} was lost"
                yield PossibleMistake(kind, op.where, what, op.differentiated({p: -op.rule(p)}))


def _opposite(part: Part, L: ComputationalGraph) -> PossibleMistake:
    """Return the mistake that turns the whole sign: at the last edges, where the answer is a sum over paths."""
    kind, where, what = "sign lost", "the sign", "the sign is wrong"
    ends = part.ends
    into = [edge for edge in part.edges(L) if ends and edge[1] == ends[1]]
    if into:
        return PossibleMistake(kind, where, what, with_derivatives(dict.fromkeys(into, lambda z: -z)))
    return PossibleMistake(kind, where, what, read=lambda M: -part.of(M))


def activation_for_derivative(part: Part, L: ComputationalGraph) -> Iterator[PossibleMistake]:
    """Phi(s) stands where Phi'(s) should, or sin where cos should."""
    kind = "activation instead of its derivative"
    what = "the activation Phi(s) itself was used instead of its derivative"
    yield from _gate_mistakes(part, L, kind, what, lambda j: L.nodes[j]["value"])
    for op in _called(part, L):
        what = f"{name_of(op.operation)} itself was used instead of its derivative at {op.node}"
        yield PossibleMistake(kind, op.where, what, op.differentiated({0: op.value}))


def gate_forgotten(part: Part, L: ComputationalGraph) -> Iterator[PossibleMistake]:
    """The derivative of an activation counts as 1, or that of another function in an equation."""
    if not isinstance(part, Gate):
        mistakes = _gate_mistakes(part, L, "gate forgotten", "the gate Phi'(s) was left out", lambda _: 1.0)
        # Before an activation, its own gate left out is the derivative after it, which has a name.
        own = f"the gate of {part.j}" if isinstance(part, BeforeActivation) else ""
        yield from (mistake for mistake in mistakes if mistake.where != own)
    for op in _called(part, L):
        kind = "gate forgotten" if op.operation in ACTIVATIONS else "factor left out"
        what = f"the derivative of {name_of(op.operation)} was left out at {op.node}"
        yield PossibleMistake(kind, op.where, what, op.differentiated({0: 1.0}))


def rule_of_another(part: Part, L: ComputationalGraph) -> Iterator[PossibleMistake]:
    """The formula of another activation's derivative."""
    kind = "derivative of another activation"
    for name in BY_OUTPUT:
        for other in set(BY_OUTPUT) - {name}:
            what = f"the derivative of {other} was used instead of that of {name}"
            yield from _gate_mistakes(part, L, kind, what, partial(_gate_by, other, L, "value"), name)


def preactivation_for_output(part: Part, L: ComputationalGraph) -> Iterator[PossibleMistake]:
    """A derivative that is written by the output, as y(1 - y), with s in place of y."""
    kind = "pre-activation for output"
    for name in BY_OUTPUT:
        what = f"the derivative of {name} was computed with s instead of y"
        wrong = partial(_gate_by, name, L, "preactivation")
        yield from _gate_mistakes(part, L, kind, what, wrong, name)
    for op in applied(part, L):
        if op.operation in BY_OUTPUT:
            what = f"the derivative of {name_of(op.operation)} at {op.node} was computed with its operand instead of its value"
            change = op.differentiated({0: _by_output(op.operation, op.x[0])})
            yield PossibleMistake(kind, op.where, what, change)


def _gate_by(name: str, L: ComputationalGraph, attribute: str, j: str) -> Any:
    return _by_output(name, L.nodes[j][attribute])


def _by_output(name: str, y: Any) -> Any:
    """Return what a derivative written in terms of the output gives for `y`."""
    return functions_of(OPERATIONS[name]).derivatives[0](y, 0.0 * y)


def before_the_activation(part: Part, L: ComputationalGraph) -> Iterator[PossibleMistake]:
    """The derivative with respect to s(j), which textbooks call delta, instead of that with respect to y(j)."""
    if isinstance(part, Sensitivity) and part.s != part.t and "gate" in L.nodes[part.s]:
        what = f"the derivative with respect to s({part.s}), before the activation, was given"
        read = partial(_before_the_activation, part)
        yield PossibleMistake("derivative before the activation", f"the activation of {part.s}", what, read=read)


def after_the_activation(part: Part, _: ComputationalGraph) -> Iterator[PossibleMistake]:
    """The derivative with respect to y(j) instead of that with respect to s(j)."""
    if isinstance(part, BeforeActivation):
        what = f"the derivative with respect to y({part.j}), after the activation, was given"
        after = Sensitivity(part.j, part.t)
        yield PossibleMistake("derivative after the activation", f"the activation of {part.j}", what, read=after.of)


def _before_the_activation(part: Sensitivity, M: ComputationalGraph) -> Any:
    return part.of(M) * M.nodes[part.s]["gate"]


def derivative_at_output(part: Part, L: ComputationalGraph) -> Iterator[PossibleMistake]:
    """Phi' was evaluated at y(j) instead of at s(j), or a function's derivative at its value."""
    kind = "derivative at the output"
    what = "Phi' was evaluated at the output y instead of at the pre-activation s"
    yield from _gate_mistakes(part, L, kind, what, lambda j: _slope(L.nodes[j]["activation"], L.nodes[j]["value"], j))
    for op in _called(part, L):
        slope = finite_or_none(partial(_slope, op.operation, op.value, op.node))
        if slope is not None:
            what = f"the derivative of {name_of(op.operation)} at {op.node} was evaluated at its output"
            yield PossibleMistake(kind, op.where, what, op.differentiated({0: slope}))


def weight_for_upstream(part: Part, L: ComputationalGraph) -> Iterator[PossibleMistake]:
    """In dJ/dw_ij, w_ij or s(i) stands where y(i) should."""
    if isinstance(part, WeightGradient):
        i, j = part.i, part.j
        other = {f"the weight w({i},{j})": L.edges[i, j]["weight"]}
        if "preactivation" in L.nodes[i]:
            other[f"the pre-activation s({i})"] = L.nodes[i]["preactivation"]
        for name, number in other.items():
            what = f"{name} was used instead of the upstream activation y({i})"
            where = f"the upstream value of {_edge(i, j)}"
            yield PossibleMistake(
                "weight instead of upstream activation", where, what, read=partial(_times, part, upstream=number)
            )


def loss_derivative(part: Part, L: ComputationalGraph) -> Iterator[PossibleMistake]:
    """The sweep started with 1 at the nodes that the loss reads, so that the derivative of the loss is missing."""
    ends = part.ends
    if ends and ends[1] in L.outputs and "expression" in L.nodes[ends[1]]:
        into = [(i, t) for i, t in part.edges(L) if t == ends[1] and is_computed(L, i)]
        if into:
            what = f"the derivative of {ends[1]} by what it is computed from was left out"
            change = with_derivatives(dict.fromkeys(into, _one))
            yield PossibleMistake("loss derivative forgotten", f"the first step back from {ends[1]}", what, change)


def loss_factor(part: Part, L: ComputationalGraph) -> Iterator[PossibleMistake]:
    """A constant factor in the equation of the loss was lost in its derivative: the 1/2 of a square, the 1/n of a mean."""
    for op in applied(part, L):
        if op.node in L.outputs and op.operation in {"mul", "div"} and op.varies.count(True) == 1:
            p = op.varies.index(True)
            constant = f"{op.rule(p):.6g}"
            what = f"the factor {constant} in {op.node} was lost in its derivative"
            yield PossibleMistake("factor of the loss lost", op.where, what, op.differentiated({p: 1.0}))


def _gate_mistakes(
    part: Part, L: ComputationalGraph, kind: str, what: str, gate: Callable[[str], Any], only: str = ""
) -> Iterator[PossibleMistake]:
    """Yield the mistakes that put another gate in place of Phi', at one neuron and at all of them."""
    neurons = [j for j in part.heads(L) if L.nodes[j].get("activation", "identity") != "identity"]
    neurons = [j for j in neurons if np.ndim(L.nodes[j]["value"]) == 0 and only in {"", L.nodes[j]["activation"]}]
    wrong = {j: number for j in neurons if (number := finite_or_none(partial(gate, j))) is not None}
    for j, number in wrong.items():
        yield PossibleMistake(kind, f"the gate of {j}", f"{what} at {j}", with_gates({j: number}))
    if len(neurons) > 1 and len(wrong) == len(neurons):
        yield PossibleMistake(kind, "the gates", f"{what} at every neuron", with_gates(wrong))


def _called(part: Part, L: ComputationalGraph) -> Iterator[Applied]:
    return (op for op in applied(part, L) if op.operation in CALLED)


def _slope(function: str, y: Any, j: str) -> Any:
    """Return the derivative of a function at `y`."""
    rule = functions_of(OPERATIONS[function])
    if rule.inside is not None and not np.all(rule.inside(y)):
        raise ValueError(f"{function} is undefined at {y}")
    return gate_of(function, y, rule.value(y), j)


def _times(part: WeightGradient, M: ComputationalGraph, *, upstream: Any) -> Any:
    """Return the gradient with another upstream value."""
    H = M.copy()
    H.nodes[part.i]["value"] = upstream
    return part.of(H)


def _constant(number: Any, _: Any) -> Any:
    return number


def _one(z: Any) -> Any:
    """Return 1 in place of a derivative: the identity in place of a square matrix."""
    if np.ndim(z) == 0:
        return 1.0
    m, n = z.shape
    if m != n:
        raise ValueError("no identity has this shape")
    return ScaledIdentity(1.0, n)


def _edge(i: str, j: str) -> str:
    return f"the edge {i} -> {j}"
