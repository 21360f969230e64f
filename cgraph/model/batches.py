"""An equation over many examples at once: the same operations, with the examples along a leading axis.

Every value has its shape for one example; one that depends on the data has an axis of examples before it. Elementwise
operations align the axes behind that one, reductions and indices move by one axis, and a matrix that serves all
examples multiplies their vectors as rows. The equation that comes out is an equation like any other.

Source: DD2424, lecture 3 (gradient computations for a mini-batch).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cgraph.model.errors import CGraphError
from cgraph.model.evaluation import is_computed, source_values, steps_of, unlinearized, value_of
from cgraph.model.graph import ComputationalGraph, topological_order
from cgraph.model.language.expressions import Apply, Expression, Name
from cgraph.model.language.parsing import parse
from cgraph.model.language.terms import Term, applied, number
from cgraph.model.operations.arrays import ARRAY_OPERATIONS
from cgraph.model.operations.batched_forms import elementwise
from cgraph.model.operations.elementwise import OPERATIONS
from cgraph.model.operations.structured_jacobians import Shape
from cgraph.model.values import show_shape

__all__ = ["over_examples"]


def over_examples(G: ComputationalGraph, example: Mapping[str, Any], losses: Collection[str]) -> ComputationalGraph:
    """Return `G` with its equations over many examples; the values of the inputs that vary are left to be set.

    Parameters
    ----------
    G : ComputationalGraph
        Not modified.
    example : dict
        The inputs that differ from example to example, with the values of one of them.
    losses : collection of nodes
        Those that are one number for each example become the mean over the examples. Neurons work entry by entry and
        stay as they are.

    Raises
    ------
    CGraphError
        If an operation has no form for many examples (det, inv), naming node and operation.

    Notes
    -----
    O(V + E) and the length of the equations.
    """
    y = source_values(G, example)
    varies = dict.fromkeys(example, True)
    H = unlinearized(G)
    with np.errstate(all="ignore"):
        for j in topological_order(G):
            varies[j] = varies.get(j, False) or any(varies[i] for i in G.predecessors(j))
            if not is_computed(G, j):
                continue
            if not varies[j] or "activation" in G.nodes[j]:
                y[j] = value_of(G, j, y)
                _require_aligned(G, j, y, varies)
                continue
            v = steps_of(G.nodes[j]["expression"], y, j)
            y[j] = v[-1]
            equation = _over_examples(j, G.nodes[j]["expression"], v, varies)
            if j in losses and not np.ndim(y[j]):
                equation = f"mean({equation}, axis=0)"
                _require_last(G, j)
            expression = parse(equation, G.functions)
            H.nodes[j].update(equation=equation, expression=expression, operands=expression.operands)
    return H


def _require_aligned(G: ComputationalGraph, j: str, y: Mapping[str, Any], varies: Mapping[str, bool]) -> None:
    """Raise `CGraphError` if neuron `j` adds a number of each example to an array: a weighted sum cannot move axes."""
    if "activation" not in G.nodes[j]:
        return
    for i in G.predecessors(j):
        if varies[i] and np.ndim(y[i]) < np.ndim(y[j]):
            raise CGraphError(
                f"neuron {j!r} reads {i!r}, {show_shape(y[i])}, beside {show_shape(y[j])}: this sum has no form for many "
                f"examples; give its inputs one shape, or compute one at a time"
            )


def _require_last(G: ComputationalGraph, j: str) -> None:
    """Raise `CGraphError` if the mean loss `j` feeds another node, which needs the loss of each example."""
    for k in G.successors(j):
        raise CGraphError(
            f"{j!r} becomes the mean over the examples, but {k!r} reads it, and would need it of each example; declare "
            f"only the last of them as an output, or compute one at a time"
        )


@dataclass(frozen=True)
class _Batched:
    """A value over many examples.

    Parameters
    ----------
    term : Term
        The equation that it has; nothing is simplified, so that what a user wrote stays as it is.
    shape : tuple of int
        Its shape for one example.
    varies : bool
        Whether it differs from example to example.
    """

    term: Term
    shape: Shape
    varies: bool

    def apply(self, operation: str, *others: _Batched, **options: Any) -> _Batched:
        """Return an operation on it and others; the shape is that of the first operand."""
        return replace(self, term=applied(operation, self.term, *(x.term for x in others), **options))

    def number(self, value: int) -> _Batched:
        """Return a number."""
        return _Batched(number(value), (), False)

    def reshaped(self, shape: Shape) -> _Batched:
        """Return it with another shape for each example."""
        return replace(self, term=applied("reshape", self.term, shape=(-1, *shape)), shape=shape)


def _over_examples(j: str, expression: Expression, v: list[Any], varies: Mapping[str, bool]) -> str:
    """Return the equation of node `j` over many examples; `v` are the values of its steps for one."""
    new: list[_Batched] = []
    for step, value in zip(expression.steps, v, strict=True):
        shape = np.shape(value)
        if not isinstance(step, Apply):
            new.append(_Batched(Term(step), shape, isinstance(step, Name) and varies[step.name]))
            continue
        x = [new[o] for o in step.operands]
        if any(operand.varies for operand in x):
            new.append(_Batched(_batched(j, step, x, shape).term, shape, True))
        else:
            new.append(_Batched(x[0].apply(step.operation, *x[1:], **dict(step.options)).term, shape, False))
    return str(new[-1].term)


def _batched(j: str, step: Apply, x: list[_Batched], y: Shape) -> _Batched:
    """Return what `step` is over many examples, as its row says."""
    form = elementwise if step.operation in OPERATIONS else ARRAY_OPERATIONS[step.operation].batched
    if form is None:
        raise CGraphError(f"node {j!r}: {step.operation} has no form for many examples; compute one at a time")
    try:
        found: _Batched = form(step.operation, x, y, **dict(step.options))
    except CGraphError as error:
        raise CGraphError(f"node {j!r}: {error}") from None
    return found
