"""Errors of a tape: the definitions of its nodes, kept to raise the same errors as evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, final

import numpy as np

from cgraph.algorithms.compiled.edge_arrays import Floats
from cgraph.algorithms.compiled.tape.program import Recording
from cgraph.model.errors import EvaluationError
from cgraph.model.evaluation import gate_of, local_derivatives, preactivation, value_of
from cgraph.model.graph import ComputationalGraph

__all__ = ["Definitions"]

# What says how the value of a node comes about.
_DEFINING = ("expression", "activation", "operands")


@final
class Definitions:
    """The equations and activations of a graph beside its recording.

    Parameters
    ----------
    G : ComputationalGraph
        The graph.
    recording : Recording
        Its steps.
    valueless : list
        The sources without a value.
    """

    def __init__(self, G: ComputationalGraph, recording: Recording, valueless: list[str]) -> None:
        self._definitions = {
            j: {what: data[what] for what in _DEFINING if what in data} for j, data in G.nodes(data=True)
        }
        self._recording = recording
        place = {j: k for k, j in enumerate(G)}
        self._first_reader = {i: min(G.succ[i], key=place.__getitem__) for i in valueless if G.succ[i]}

    def require_unread(self, i: str, w: Floats) -> None:
        """Raise what `evaluate` raises if a value of `i`, a source without one, is needed."""
        if i in self._first_reader:
            j = self._first_reader[i]
            others = {k: 0.0 for k in _operands(self._definitions[j]) if k != i}
            value_of(self._alone(j, self._named(w)), j, others)

    def explain_value(self, y: Floats, w: Floats) -> NoReturn:
        """Raise what `evaluate` raises at the first point where a row is not finite."""
        y = _by_rows(y)
        wrong = ~np.isfinite(y)
        point = int(wrong.any(axis=0).argmax())
        node = list(self._recording.rows)[int(self._recording.owners[wrong[:, point]].min())]
        with np.errstate(all="ignore"):
            value_of(self._alone(node, self._named(w)), node, self._values_at(node, point, y))
        raise EvaluationError(f"node {node!r}: its value is not finite")

    def explain_derivative(self, what: str, S: Floats, of: Sequence[Any], t: str, y: Floats, w: Floats) -> None:
        """Raise what `linearize`, or `sensitivities`, raises at the first point where its row of `S` is not finite."""
        y = _by_rows(y)
        wrong = ~np.isfinite(S)
        if wrong.any():
            point = int(wrong.any(axis=1).argmax())
            weights = self._named(w)
            for j, definition in self._definitions.items():
                values = self._values_at(j, point, y)
                if "expression" in definition:
                    local_derivatives(definition["expression"], values, j)
                elif "activation" in definition:
                    s = preactivation(self._alone(j, weights), j, values)
                    gate_of(definition["activation"], s, values[j], j)
            k = int(np.flatnonzero(wrong[point])[-1])
            raise EvaluationError(f"{what}({of[k]}, {t}) overflows: the product of the derivatives is too large")

    def _values_at(self, j: str, point: int, y: Floats) -> dict[str, float]:
        """Return the values of `j` and its operands."""
        return {i: y[self._recording.rows[i], point].item() for i in (*_operands(self._definitions[j]), j)}

    def _named(self, w: Floats) -> dict[Any, float]:
        return dict(zip(self._recording.weights, w.tolist(), strict=True))

    def _alone(self, j: str, weights: Mapping[Any, float]) -> ComputationalGraph:
        """Return the graph of `j` and the edges into it, for the functions of the model."""
        G = ComputationalGraph()
        G.add_node(j, **self._definitions[j])
        G.add_edges_from((i, j, {"weight": weights.get((i, j))}) for i in _operands(self._definitions[j]))
        return G


def _by_rows(y: Floats) -> Floats:
    """Return the rows of blocks as one row each, of all points."""
    return y.T if y.ndim == 2 else y.swapaxes(0, 1).reshape(y.shape[1], -1)


def _operands(definition: Mapping[str, Any]) -> tuple[str, ...]:
    expression = definition.get("expression")
    operands: tuple[str, ...] = definition.get("operands", ()) if expression is None else expression.operands
    return operands
