"""The table of mistakes, and the numbers that they lead to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations as pairs_of
from itertools import islice
from typing import Any

import numpy as np

from cgraph.exercises.mistakes import arrays, equations, evaluation, factors, paths, readings
from cgraph.exercises.mistakes.possible_mistake import PossibleMistake, finite_or_none
from cgraph.exercises.parts import GradientStep, Part
from cgraph.model.graph import ComputationalGraph

__all__ = ["MISTAKES", "candidates", "combinations"]

MOST_PAIRS = 1500  # of mistakes that are tried together
Finder = Callable[[Part, ComputationalGraph], Iterator[PossibleMistake]]


def candidates(part: Part, L: ComputationalGraph) -> list[tuple[PossibleMistake, Any]]:
    """Return every mistake that `part` allows in the linearized graph `L`, with the number that it leads to.

    Examples
    --------
    >>> from cgraph import from_equations, linearize
    >>> from cgraph.exercises.parts import Sensitivity
    >>> L = linearize(from_equations("a = x*z; y = a + x", x=2.0, z=3.0))
    >>> [(mistake.what, number) for mistake, number in candidates(Sensitivity("x", "y"), L)][:2]
    [('the path x -> a -> y was left out of the sum', 1.0), ('the path x -> y was left out of the sum', 3.0)]
    """
    mistakes = (mistake for finder in MISTAKES.values() for mistake in finder(part, L))
    numbers = ((mistake, finite_or_none(partial(mistake.answer, part, L))) for mistake in mistakes)
    shape = np.shape(part.of(L))
    return [(mistake, number) for mistake, number in numbers if number is not None and np.shape(number) == shape]


def combinations(part: Part, L: ComputationalGraph) -> Iterator[tuple[tuple[PossibleMistake, PossibleMistake], Any]]:
    """Iterate over pairs of mistakes of the frequent kinds, with the number that both together lead to."""
    mistakes = [mistake for kind in FREQUENT for mistake in MISTAKES[kind](part, L)]
    shape = np.shape(part.of(L))
    mistakes.sort(key=lambda mistake: mistake.read is not None)  # who reads something else does so last
    for first, second in islice(((a, b) for a, b in pairs_of(mistakes, 2) if a.change and not a.read), MOST_PAIRS):
        number = finite_or_none(partial(_both, first, second, part, L))
        if number is not None and np.shape(number) == shape:
            yield (first, second), number


def descent_step(part: Part, L: ComputationalGraph) -> Iterator[PossibleMistake]:
    """A step in the wrong direction, without the rate, or alone; and every mistake of the gradient."""
    if not isinstance(part, GradientStep):
        return
    g, rate = part.gradient, part.rate
    wrong: dict[str, Callable[[ComputationalGraph], Any]] = {
        "the step went up the gradient instead of down": lambda M: part.weight(M) + rate * g.of(M),
        "the learning rate was used twice": lambda M: part.weight(M) - rate * rate * g.of(M),
        "the learning rate was left out": lambda M: part.weight(M) - g.of(M),
        "the step alone was given, not the new weight": lambda M: -rate * g.of(M),
        "the size of the step was given, not the new weight": lambda M: rate * g.of(M),
        "the gradient was given, not the new weight": g.of,
        "the weight was left as it was": part.weight,
    }
    for what, read in wrong.items():
        yield PossibleMistake("descent step", "the step w - rate dJ/dw", what, read=read)
    for finder in MISTAKES.values():
        for mistake in finder(g, L):
            yield mistake._replace(read=partial(_stepped, part, mistake.read or g.of))


def _stepped(part: GradientStep, gradient: Callable[[ComputationalGraph], Any], M: ComputationalGraph) -> Any:
    return part.weight(M) - part.rate * gradient(M)


def _both(first: PossibleMistake, second: PossibleMistake, part: Part, L: ComputationalGraph) -> Any:
    return second.answer(part, first.change(L) if first.change else L)


MISTAKES: dict[str, Finder] = {
    "path left out": paths.path_left_out,
    "only one path": paths.only_one_path,
    "overwritten": paths.overwritten,
    "added or multiplied": paths.combined_wrongly,
    "something else counted": paths.miscounted,
    "factor left out": factors.factor_left_out,
    "factor twice": factors.factor_twice,
    "sign lost": factors.sign_lost,
    "activation instead of its derivative": factors.activation_for_derivative,
    "derivative of another activation": factors.rule_of_another,
    "pre-activation for output": factors.preactivation_for_output,
    "derivative before the activation": factors.before_the_activation,
    "derivative after the activation": factors.after_the_activation,
    "gate forgotten": factors.gate_forgotten,
    "derivative at the output": factors.derivative_at_output,
    "weight instead of upstream activation": factors.weight_for_upstream,
    "loss derivative forgotten": factors.loss_derivative,
    "factor of the loss lost": factors.loss_factor,
    "inner derivative forgotten": equations.inner_derivative,
    "product rule": equations.product_rule,
    "power rule": equations.power_rule,
    "forward value": readings.forward_value,
    "activation forgotten": readings.activation_forgotten,
    "S(t,s) given": readings.inverse,
    "neighbour's number": readings.neighbour,
    "degrees for radians": evaluation.degrees,
    "log base": evaluation.log_base,
    "rounded too early": evaluation.rounded_early,
    "bias forgotten": evaluation.bias_forgotten,
    "transpose given": arrays.transposed,
    "diagonal alone": arrays.entry_by_entry,
    "wrong order": arrays.wrong_order,
    "sum instead of mean": arrays.sum_for_mean,
    "factor of a square": arrays.factor_of_square,
    "descent step": descent_step,
}
FREQUENT = (
    "sign lost", "path left out", "gate forgotten", "loss derivative forgotten", "inner derivative forgotten",
    "activation instead of its derivative", "derivative at the output", "factor left out",
)  # fmt: skip
