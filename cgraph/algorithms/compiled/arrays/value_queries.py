"""Values of a compiled graph of arrays, and gradients of a number in the shape of each node."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any, NamedTuple, Self

import networkx as nx
import numpy as np

from cgraph.algorithms.compiled.arrays.answers import Answers, Question, arrays_to_write
from cgraph.algorithms.compiled.arrays.recording import Recorder
from cgraph.algorithms.gradients import loss_sensitivities, weight_gradients
from cgraph.model.batches import over_examples
from cgraph.model.errors import CGraphError, DerivativeError, EvaluationError
from cgraph.model.tasks import in_order
from cgraph.model.values import show_shape

__all__ = ["Values"]

_TOGETHER = 2**28  # entries times points of one task: some tenths of a second


class _Everywhere(NamedTuple):
    """A graph over many points, and what is the same at all of them: what tasks are about."""

    graph: Values
    inputs: dict[str, Any]
    weights: dict[Any, Any]


class Values(Answers):
    """Values and gradients of a compiled graph of arrays."""

    def evaluate(
        self,
        inputs: Mapping[str, Any] | None = None,
        *,
        weights: Mapping[Any, Any] | None = None,
        points: Iterable[str] | None = None,
        nodes: Iterable[str] | None = None,
        out: Mapping[str, Any] | None = None,
        executor: Executor | None = None,
    ) -> dict[str, Any]:
        """Return the values of nodes: the forward pass.

        Parameters
        ----------
        inputs : dict, optional
            Values for inputs and weights in nodes, in place of those that the graph held when it was compiled.
        weights : dict, optional
            Values for weights, on edges too: ``{w: value, (i, j): value}``.
        points : iterable of nodes, optional
            Those of the inputs that are given at many points, along a leading axis. Every node that depends on them has
            that axis before its own, as in `cgraph.minibatch`.
        nodes : iterable of nodes, optional
            Whose values are returned; without it, of all that have one.
        out : dict, optional
            ``{node: array}`` to write into, contiguous, of the shape of the value and of `dtype`; the same arrays are
            returned.
        executor : concurrent.futures.Executor, optional
            Who evaluates at many points: the graph is sent to the workers once, a task is a part of the points. The numbers do
            not depend on how many workers there are; those of a call without it may differ by rounding, as NumPy multiplies
            and adds larger arrays in another order.

        Returns
        -------
        dict
            ``{node: value}``, floats and arrays. They are the caller's: a later call does not change them.

        Raises
        ------
        CGraphError
            As `cgraph.evaluate`; if an array of `out` does not fit; with `points`, as `cgraph.minibatch`; and if workers end
            before their tasks are done.

        Notes
        -----
        One sweep over what the nodes depend on, for all points at once. The other methods ask about the last point, which
        a call with `points` leaves as it is.

        Examples
        --------
        >>> from cgraph import compile_graph, from_equations
        >>> C = compile_graph(from_equations("y = W @ x", x=[1.0, 2.0], W=[[1.0, 0.0], [0.0, 3.0]]))
        >>> C.evaluate({"x": [1.0, 1.0]}, nodes=["y"])
        {'y': array([1., 3.])}
        >>> C.evaluate({"x": [[1.0, 1.0], [0.0, 2.0]]}, points=["x"], nodes=["y"])["y"].tolist()
        [[1.0, 3.0], [0.0, 6.0]]
        """
        if points is not None:
            names = self._asked(points)
            over, inputs, weights = self._over_points(names, inputs, weights)
            if executor is None:
                return over.evaluate(inputs, weights=weights, nodes=nodes, out=out)
            asked = None if nodes is None else self._asked(nodes)
            _, parts = self._in_parts(executor, _values, _Everywhere(over, inputs, weights), names, asked)
            varies = self._varying(names)
            joined = {i: np.concatenate([y[i] for y in parts]) if i in varies else parts[0][i] for i in parts[0]}
            return self._written(joined, out)
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
        points: Iterable[str] | None = None,
        nodes: Iterable[Any] | None = None,
        out: Mapping[Any, Any] | None = None,
        executor: Executor | None = None,
    ) -> tuple[float, dict[Any, Any]]:
        """Return the value of a number `t` and its derivatives with respect to nodes or weights.

        Parameters
        ----------
        t : node
            The node that is differentiated, a number.
        inputs, weights, points : optional
            As of `evaluate`. At many points `t` is the mean over them, as in `cgraph.minibatch`: the gradient is the mean
            of the gradients at single points.
        nodes : iterable of nodes and weights, optional
            With respect to which; without it, to all nodes that have a value. Weights on edges are ``(i, j)``.
        out : dict, optional
            Arrays to write gradients into, as of `evaluate`.
        executor : concurrent.futures.Executor, optional
            As of `evaluate`; means over the points are added part by part.

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
        if points is not None:
            names, keys = self._asked(points), None if nodes is None else self._asked_keys(nodes)
            over, inputs, weights = self._over_points(names, inputs, weights, t)
            if executor is None:
                return over.value_and_gradient(t, inputs, weights=weights, nodes=keys, out=out)
            about = _Everywhere(over, inputs, weights)
            shares, parts = self._in_parts(executor, _value_and_gradient_of_part, about, names, t, keys)
            value = sum(share * mean for share, (mean, _) in zip(shares, parts, strict=True))
            joined = _mean_gradient(shares, [S for _, S in parts], self._varying(names) - {t})
            return value, self._written(joined, out)
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

    def _over_points(
        self,
        points: Iterable[str],
        inputs: Mapping[str, Any] | None,
        weights: Mapping[Any, Any] | None,
        *losses: str,
    ) -> tuple[Self, dict[str, Any], dict[Any, Any]]:
        """Return the compiled graph over many points, and what is given in it."""
        self._asked(losses)
        at_points = self._points(points, inputs)
        alike = {i: value for i, value in (inputs or {}).items() if i not in at_points}
        given = {key: value for key, value in self._given(alike, weights).items() if key not in at_points}
        one = {i: value[0] for i, value in at_points.items()}
        key = (losses, frozenset(one), *((i, np.shape(value)) for i, value in (one | given).items()))
        if key not in self._over:
            graph = over_examples(self._at(given), one, losses)
            self._over[key] = type(self)(graph, dtype=str(self._dtype))
        settable = {i: value for i, value in given.items() if self._graph.nodes.get(i, {}).get("role") != "constant"}
        nodes = {i: value for i, value in settable.items() if i in self._graph}
        return self._over[key], nodes | at_points, {w: value for w, value in settable.items() if w not in nodes}

    def _in_parts(
        self, executor: Executor, ask: Callable[..., Any], over: _Everywhere, points: list[str], *asked: Any
    ) -> tuple[list[float], list[Any]]:
        """Return the share that each part of the points has of them, and what is asked there, whichever worker computes it."""
        at = {i: over.inputs[i] for i in points}
        about = over._replace(inputs={i: value for i, value in over.inputs.items() if i not in at})
        number = len(at[points[0]])
        entries = len(self.nodes) + sum(map(np.size, self._arrays.values()))  # of a point, about
        size = max(1, _TOGETHER // entries)
        parts = [slice(k, min(k + size, number)) for k in range(0, number, size)]
        tasks = (({i: values[part] for i, values in at.items()}, *asked) for part in parts)
        try:
            found = list(in_order(executor, ask, tasks, about=about))
        except (EvaluationError, DerivativeError):
            ask(about, at, *asked)  # a single process may meet another error first
            raise
        return [(part.stop - part.start) / number for part in parts], found

    def _varying(self, points: Sequence[str]) -> set[str]:
        """Return the nodes that depend on what is given at many points."""
        return set(points).union(*(nx.descendants(self._graph, i) for i in points))

    def _written(self, found: dict[Any, Any], out: Mapping[Any, Any] | None) -> dict[Any, Any]:
        """Return what was found, in the arrays that it is to be written into."""
        for i, array in zip(found, arrays_to_write(out, list(found)), strict=True):
            if array is not None:
                self._fitting(array, np.shape(found[i]))[...] = found[i]
                found[i] = array
        return found

    def _points(self, points: Iterable[str], inputs: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the inputs that are given at many points, all at as many."""
        found = {i: self._input(i, (inputs or {}).get(i)) for i in self._asked(points)}
        lengths = {i: len(value) if value.ndim else 0 for i, value in found.items()}
        if not found or not all(lengths.values()) or len(set(lengths.values())) > 1:
            shown = ", ".join(f"{i!r} {show_shape(value)}" for i, value in found.items()) or "no inputs"
            raise CGraphError(f"inputs at many points need a leading axis of one length, at least 1 ({shown})")
        return found

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


def _values(about: _Everywhere, at: dict[str, Any], nodes: Iterable[str] | None) -> dict[str, Any]:
    """What a worker does for `evaluate`."""
    return about.graph.evaluate(about.inputs | at, weights=about.weights, nodes=nodes)


def _value_and_gradient_of_part(
    about: _Everywhere, at: dict[str, Any], t: str, nodes: list[Any] | None
) -> tuple[float, dict[Any, Any]]:
    """What a worker does for `value_and_gradient`."""
    return about.graph.value_and_gradient(t, about.inputs | at, weights=about.weights, nodes=nodes)


def _mean_gradient(shares: list[float], gradients: list[dict[Any, Any]], varies: set[str]) -> dict[Any, Any]:
    """Return the gradient of a mean over points from those of the means over parts of them."""
    found = {}
    for i in gradients[0]:
        terms = [share * gradient[i] for share, gradient in zip(shares, gradients, strict=True)]
        found[i] = np.concatenate(terms) if i in varies else sum(terms)
    return found


def _value_and_gradient(recorder: Recorder, t: str, asked: list[Any]) -> list[int]:
    value = recorder.value(t)
    if recorder.steps.shape(value):
        raise ValueError("the loss is no number")
    seeds = {recorder.nodes[t]: recorder.steps.number(1.0)}
    return [value, *recorder.reverse(seeds, [recorder.nodes[i] for i in asked])]
