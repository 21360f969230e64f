"""Mistakes with arrays: transposes, the order of matrices, sums for means, the factor 2 of squares."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial, reduce
from itertools import pairwise
from typing import Any

import numpy as np

from cgraph.algorithms.paths import count_paths, paths
from cgraph.exercises.mistakes.evaluation import operations_of, reevaluated, replaced
from cgraph.exercises.mistakes.paths import MOST_PATHS
from cgraph.exercises.mistakes.possible_mistake import PossibleMistake, applied, with_derivatives
from cgraph.exercises.parts import EdgeDerivative, Part, Sensitivity
from cgraph.model.graph import ComputationalGraph
from cgraph.model.linearized import compose
from cgraph.model.operations.arrays import ARRAY_OPERATIONS, ArrayOperation

__all__ = ["entry_by_entry", "factor_of_square", "sum_for_mean", "transposed", "wrong_order"]


def transposed(part: Part, L: ComputationalGraph) -> Iterator[PossibleMistake]:
    """The transpose of the answer, or of one of the matrices in it."""
    if isinstance(part, Sensitivity | EdgeDerivative) and np.ndim(part.of(L)) == 2:
        what = "the transpose was given"
        yield PossibleMistake("transpose given", "rows and columns", what, read=lambda M: part.of(M).T)
    for i, j in [] if isinstance(part, EdgeDerivative) else part.edges(L):
        if np.ndim(L.edges[i, j]["derivative"]) == 2:
            change = with_derivatives({(i, j): lambda z: z.T})
            what = f"the transpose of z({i},{j}) was used"
            yield PossibleMistake("transpose given", f"the edge {i} -> {j}", what, change)


def entry_by_entry(part: Part, L: ComputationalGraph) -> Iterator[PossibleMistake]:
    """A square Jacobian was taken entry by entry: its diagonal alone, as for softmax without the other classes."""
    for i, j in part.edges(L):
        z = np.asarray(L.edges[i, j]["derivative"])
        if z.ndim == 2 and z.shape[0] == z.shape[1] and np.any(z != np.diag(np.diag(z))):
            change = with_derivatives({(i, j): lambda z: np.diag(np.diag(np.asarray(z)))})
            what = f"the derivative of {j} with respect to {i} was taken entry by entry: its diagonal alone"
            yield PossibleMistake("diagonal alone", f"the edge {i} -> {j}", what, change)


def wrong_order(part: Part, L: ComputationalGraph) -> Iterator[PossibleMistake]:
    """The Jacobians along each path were multiplied with the one nearest to s on the left."""
    if isinstance(part, Sensitivity) and np.ndim(part.of(L)) and 1 <= count_paths(L, part.s, part.t) <= MOST_PATHS:
        what = "the matrices were multiplied in the wrong order"
        yield PossibleMistake("wrong order", "the order of the matrices", what, read=partial(_in_wrong_order, part))


def sum_for_mean(_: Part, L: ComputationalGraph) -> Iterator[PossibleMistake]:
    """A sum over the batch stands where the mean should, or the mean where the sum should."""
    for old, new in (("mean", "sum"), ("sum", "mean")):
        if any(old in operations_of(L, j) for j in L):
            change = partial(reevaluated, rewrite=partial(replaced, old=old, new=new))
            what = f"the {new} was taken instead of the {old}"
            yield PossibleMistake("sum instead of mean", f"the {old}", what, change)


def factor_of_square(part: Part, L: ComputationalGraph) -> Iterator[PossibleMistake]:
    """The factor 2 in the derivative of a squared norm was forgotten, as in a regulariser's."""
    for op in applied(part, L):
        row, x = ARRAY_OPERATIONS.get(op.operation), list(map(np.asarray, op.x))
        if row is not None and _has_factor_2(row):
            halves = {(op.k, p): row.jacobian(p, op.value, *x) * 0.5 for p in range(len(x))}
            what = f"the factor 2 in the derivative of {op.operation} at {op.node} was forgotten"
            yield PossibleMistake("factor of a square", op.where, what, op.with_local(halves))


def _has_factor_2(row: ArrayOperation) -> bool:
    """Whether the Jacobian with respect to each operand is written with a factor 2 before it."""
    formulas = [text for text, _ in row.formulas_for(())]
    return bool(formulas) and all(text.startswith("2 ") for text in formulas)


def _in_wrong_order(part: Sensitivity, L: ComputationalGraph) -> Any:
    products = []
    for path, _ in paths(L, part.s, part.t):
        products.append(np.asarray(reduce(compose, (L.edges[edge]["derivative"] for edge in pairwise(path)))))
    total = sum(products)
    return np.asarray(total).reshape(np.shape(part.of(L)))
