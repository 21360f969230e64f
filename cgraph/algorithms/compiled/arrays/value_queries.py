"""What a compiled graph of arrays tells of numbers: values, and gradients of a number in the shape of each node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from cgraph.algorithms.compiled.arrays.answers import Answers, Question, arrays_to_write
from cgraph.algorithms.compiled.arrays.recording import Recorder
from cgraph.algorithms.gradients import loss_sensitivities, weight_gradients
from cgraph.model.errors import DerivativeError
from cgraph.model.values import show_shape

__all__ = ["Values"]


class Values(Answers):
    """Values and gradients of a compiled graph of arrays."""

    def evaluate(
        self,
        inputs: Mapping[str, Any] | None = None,
        *,
        weights: Mapping[Any, Any] | None = None,
        nodes: Iterable[str] | None = None,
        out: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the values of nodes: the forward pass.

        Parameters
        ----------
        inputs : dict, optional
            Values for inputs and weights in nodes, in place of those that the graph held when it was compiled.
        weights : dict, optional
            Values for weights, on edges too: ``{w: value, (i, j): value}``.
        nodes : iterable of nodes, optional
            Whose values are returned; without it, of all that have one.
        out : dict, optional
            ``{node: array}`` to write into, contiguous, of the shape of the value and of `dtype`; the same arrays are
            returned.

        Returns
        -------
        dict
            ``{node: value}``, floats and arrays. They are the caller's: a later call does not change them.

        Raises
        ------
        CGraphError
            As `cgraph.evaluate`; and if an array of `out` does not fit.

        Notes
        -----
        One sweep over what the nodes depend on.

        Examples
        --------
        >>> from cgraph import compile_graph, from_equations
        >>> C = compile_graph(from_equations("y = W @ x", x=[1.0, 2.0], W=[[1.0, 0.0], [0.0, 3.0]]))
        >>> C.evaluate({"x": [1.0, 1.0]}, nodes=["y"])
        {'y': array([1., 3.])}
        """
        given = self._given(inputs, weights)
        asked = self._asked(nodes) if nodes is not None else [i for i in self.nodes if self._has_value(i, given)]
        question = Question(
            ("values", tuple(asked)),
            lambda recorder: [recorder.value(i) for i in asked],
            lambda y, _: [y[i] for i in asked],
        )
        found = self._answer(question, given, arrays_to_write(out, asked))
        self._remember(given)
        return dict(zip(asked, found, strict=True))

    def value_and_gradient(
        self,
        t: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        weights: Mapping[Any, Any] | None = None,
        nodes: Iterable[Any] | None = None,
        out: Mapping[Any, Any] | None = None,
    ) -> tuple[float, dict[Any, Any]]:
        """Return the value of a number `t` and its derivatives with respect to nodes or weights.

        Parameters
        ----------
        t : node
            The node that is differentiated, a number.
        inputs, weights : dict, optional
            As of `evaluate`.
        nodes : iterable of nodes and weights, optional
            With respect to which; without it, to all nodes that have a value. Weights on edges are ``(i, j)``.
        out : dict, optional
            Arrays to write gradients into, as of `evaluate`.

        Returns
        -------
        value : float
            y(t).
        gradient : dict
            ``{node: S(node,t)}``, each in the shape of the node.

        Raises
        ------
        DerivativeError
            If `t` is an array.
        CGraphError
            As `evaluate`, and where a derivative is not finite.

        Notes
        -----
        A forward and a reverse sweep, over what lies between the nodes and `t`.

        Examples
        --------
        >>> from cgraph import compile_graph, from_equations
        >>> C = compile_graph(from_equations("J = sum(x * x)", x=[1.0, 2.0]))
        >>> C.value_and_gradient("J", {"x": [3.0, 4.0]})
        (25.0, {'x': array([6., 8.]), 'J': 1.0})
        """
        self._asked([t])
        given = self._given(inputs, weights)
        asked = self._asked_keys(nodes) if nodes is not None else [i for i in self.nodes if self._has_value(i, given)]
        question = Question(
            ("gradient", t, tuple(asked)),
            lambda recorder: _value_and_gradient(recorder, t, asked),
            lambda y, given: self._interpreted_gradient(t, asked, y, given),
        )
        value, *gradient = self._answer(question, given, [None, *arrays_to_write(out, asked)])
        return value, dict(zip(asked, gradient, strict=True))

    def gradient(self, t: str, *, nodes: Iterable[Any] | None = None) -> dict[Any, Any]:
        """Return the derivatives of a number `t` with respect to nodes, where `evaluate` was last or at the values of the graph.

        Parameters
        ----------
        t : node
            The node that is differentiated, a number.
        nodes : iterable of nodes, optional
            As of `value_and_gradient`.

        Returns
        -------
        dict
            ``{node: S(node,t)}``, each in the shape of the node.

        Raises
        ------
        CGraphError
            As `value_and_gradient`.

        Notes
        -----
        As `value_and_gradient`: values are computed again, as their arrays are not kept.

        Examples
        --------
        >>> from cgraph import compile_graph, from_equations
        >>> C = compile_graph(from_equations("J = sum(x * x)", x=[1.0, 2.0]))
        >>> C.gradient("J", nodes=["x"])
        {'x': array([2., 4.])}
        """
        inputs, weights = self._where_last()
        return self.value_and_gradient(t, inputs, weights=weights, nodes=nodes)[1]

    def weight_gradients(self, t: str) -> dict[Any, Any]:
        """Return the derivatives of a number `t` with respect to all weights.

        They are taken where `evaluate` was last, or at the values of the graph.

        Parameters
        ----------
        t : node
            The node that is differentiated, a number.

        Returns
        -------
        dict
            ``{w: dJ/dw}`` for weights in nodes, each in its shape, and ``{(i, j): dJ/dw_ij}`` on edges.

        Raises
        ------
        CGraphError
            As `value_and_gradient`.

        Notes
        -----
        As `gradient`.

        Examples
        --------
        >>> from cgraph import ComputationalGraph, compile_graph
        >>> G = ComputationalGraph()
        >>> G.add_input("x", [1.0, 2.0])
        >>> G.add_weight("w", [3.0, 4.0])
        >>> G.add_equation("J", "sum(w * x)")
        >>> compile_graph(G).weight_gradients("J")
        {'w': array([1., 2.])}
        """
        return self.gradient(t, nodes=self.weights)

    def _interpreted_gradient(
        self, t: str, asked: list[Any], y: Mapping[str, Any], given: Mapping[Any, Any]
    ) -> list[Any]:
        if np.ndim(y[t]):
            raise DerivativeError(
                f"the loss {t!r} is {show_shape(y[t])}; a loss is one number, such as sum({t}) or mean({t})"
            )
        L = self._linearized(given)
        S: dict[Any, Any] = loss_sensitivities(L, t)
        if any(key not in S for key in asked):
            S = S | weight_gradients(L, t)
        return [y[t], *(S[key] for key in asked)]


def _value_and_gradient(recorder: Recorder, t: str, asked: list[Any]) -> list[int]:
    value = recorder.value(t)
    if recorder.steps.shape(value):
        raise ValueError("the loss is no number")
    seeds = {recorder.nodes[t]: recorder.steps.number(1.0)}
    return [value, *recorder.reverse(seeds, [recorder.nodes[i] for i in asked])]
