"""Questions about the equations of a compiled graph: values, and gradients without derivatives on the edges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from typing import Any

from numpy.typing import ArrayLike

from cgraph.algorithms.compiled.edge_arrays import Floats
from cgraph.algorithms.compiled.tape import Tape
from cgraph.model.errors import EvaluationError

__all__ = ["Equations"]


class Equations:
    """The equations and neurons of a compiled graph, and the questions that they answer.

    Parameters
    ----------
    tape : Tape or None
        The equations, if there are any.
    """

    def __init__(self, tape: Tape | None) -> None:
        self._tape = tape

    @property
    def weights(self) -> tuple[Any, ...]:
        """The weights, named as by `cgraph.weight_gradients`: ``(i, j)`` on an edge, ``w`` in a node."""
        return self._given_tape().weights

    def evaluate(
        self,
        inputs: Mapping[str, ArrayLike] | None = None,
        *,
        weights: ArrayLike | None = None,
        nodes: Iterable[str] | None = None,
        executor: Executor | None = None,
    ) -> Floats:
        """Return the values of nodes: the forward pass, at one point or at many.

        Parameters
        ----------
        inputs : dict, optional
            Values for inputs and weights, in place of those that the graph held when it was compiled; arrays of
            one length for as many points, beside which a number holds at all of them.
        weights : array_like of float, shape (weights,), optional
            Aligned with `weights`; the same at all points.
        nodes : iterable of nodes, optional
            Whose values are returned, in this order; without it, all of `self.nodes`.
        executor : concurrent.futures.Executor, optional
            Who evaluates at many points: the equations are sent to the workers once, a task is a part of the points. What
            it returns does not depend on how many workers there are.

        Returns
        -------
        ndarray of float64, shape (nodes,) or (nodes, points)
            Aligned with the nodes that were asked for; NaN for a source without a value that no equation reads.

        Raises
        ------
        EvaluationError
            As `cgraph.evaluate`, or if the graph was not compiled from equations.
        CGraphError
            As `cgraph.evaluate`, or if workers end before their tasks are done.

        Notes
        -----
        One sweep over all steps of all equations, whatever is asked for. At many points of a large graph, returning
        all nodes takes longer than computing them. The derivatives on the edges, which the other questions are
        about, stay as they are. On one machine all cores are used anyway; an executor is for more than one. It keeps no values:
        a question about this point computes them again.

        Examples
        --------
        >>> from cgraph import compile_graph, from_equations
        >>> C = compile_graph(from_equations("a = x*z; y = a + x", x=2.0, z=3.0))
        >>> C.nodes, C.evaluate()
        (('x', 'z', 'a', 'y'), array([2., 3., 6., 8.]))
        >>> C.evaluate({"x": [1.0, 2.0]})[3]
        array([4., 8.])
        >>> C.evaluate({"x": [1.0, 2.0]}, nodes=["y"])
        array([[4., 8.]])
        """
        return self._given_tape().evaluate(inputs, weights, nodes, executor)

    def gradient(self, loss: str, *, nodes: Iterable[str] | None = None, executor: Executor | None = None) -> Floats:
        """Return the derivatives of `loss` with respect to nodes, inputs and weights among them, at the point of `evaluate`.

        Parameters
        ----------
        loss : node
            The node that is differentiated.
        nodes : iterable of nodes, optional
            By which, in this order; without it, by all of `self.nodes`.
        executor : concurrent.futures.Executor, optional
            As of `evaluate`; used if workers have evaluated there, too.

        Returns
        -------
        ndarray of float64, shape (nodes,) or (nodes, points)
            S(i,loss), aligned with the nodes that were asked for.

        Raises
        ------
        NodeNotFound
            If `loss`, or a node that is asked for, is not in the graph.
        EvaluationError
            If nothing has been evaluated, or a derivative that is asked for is not finite.

        See Also
        --------
        CompiledGraph.weight_gradients : the derivatives with respect to the weights, those on edges too.

        Notes
        -----
        One sweep back over all steps of all equations; no derivative of an edge is formed.

        Examples
        --------
        >>> from cgraph import compile_graph, from_equations
        >>> C = compile_graph(from_equations("a = x*z; y = a + x", x=2.0, z=3.0))
        >>> y = C.evaluate()
        >>> C.gradient("y")  # y = xz + x: z + 1, x, 1, 1
        array([4., 2., 1., 1.])
        >>> C.gradient("y", nodes=["z", "x"])
        array([2., 4.])
        """
        return self._given_tape().gradient(loss, nodes, executor)

    def value_and_gradient(
        self,
        loss: str,
        inputs: Mapping[str, ArrayLike] | None = None,
        *,
        weights: ArrayLike | None = None,
        nodes: Iterable[str] | None = None,
        executor: Executor | None = None,
    ) -> tuple[Floats, Floats]:
        """Return the value of `loss` and its derivatives with respect to nodes, at one point or at many.

        What `evaluate` and `gradient` return, in one pass over the points: of a large graph, eight of them at a time
        on each core go down all equations and back up, so that what they need stays in the cache, and is not kept.
        `gradient` still answers where `evaluate` was last.

        Parameters
        ----------
        loss : node
            The node that is differentiated.
        inputs, weights : optional
            As of `evaluate`.
        nodes : iterable of nodes, optional
            By which, as of `gradient`.
        executor : concurrent.futures.Executor, optional
            As of `evaluate`.

        Returns
        -------
        value : float64, or ndarray of float64, shape (points,)
            y(loss).
        gradient : ndarray of float64, shape (nodes,) or (nodes, points)
            S(i,loss), aligned with the nodes that were asked for.

        Raises
        ------
        CGraphError
            As `evaluate` and `gradient`, about the first points where something is wrong.

        Notes
        -----
        Several threads may ask at once; `evaluate` and `gradient` are for one at a time.

        Examples
        --------
        >>> from cgraph import compile_graph, from_equations
        >>> C = compile_graph(from_equations("a = x*z; y = a + x", x=2.0, z=3.0))
        >>> C.value_and_gradient("y", {"x": [1.0, 2.0]}, nodes=["x", "z"])  # y = xz + x: z + 1, x
        (array([4., 8.]), array([[4., 4.],
               [1., 2.]]))
        """
        return self._given_tape().value_and_gradient(loss, inputs, weights, nodes, executor)

    def weight_gradients(self, loss: str, *, executor: Executor | None = None) -> Floats:
        """Return the derivatives of `loss` with respect to the weights, on edges and in nodes, where `evaluate` was last.

        Parameters
        ----------
        loss : node
            The node that is differentiated.
        executor : concurrent.futures.Executor, optional
            As of `evaluate`; used if workers have evaluated there, too.

        Returns
        -------
        ndarray of float64, shape (weights,) or (weights, points)
            Aligned with `weights`: ``dict(zip(C.weights, C.weight_gradients(loss)))`` is what
            `cgraph.weight_gradients` returns.

        Raises
        ------
        CGraphError
            As `gradient`.

        Notes
        -----
        One sweep back, as `gradient`, and dJ/dw_ij = Delta_s(j) y(i) for each edge, with Delta_s(j) = dJ/ds(j).

        Examples
        --------
        >>> from cgraph import ComputationalGraph, compile_graph
        >>> G = ComputationalGraph()
        >>> G.add_input("x", 2.0)
        >>> G.add_neuron("h", activation="identity", weights={"x": 3.0}, bias=1.0)
        >>> G.add_equation("J", "h^2")
        >>> C = compile_graph(G)
        >>> y = C.evaluate()
        >>> C.weights, C.weight_gradients("J")  # h = 7: dJ/dw = 2*7 * x, 2*7 * 1
        ((('x', 'h'), ('+1', 'h')), array([28., 14.]))
        """
        return self._given_tape().weight_gradients(loss, executor)

    def _given_tape(self) -> Tape:
        if self._tape is None:
            raise EvaluationError("no equations were compiled; compile the graph of equations, before linearize")
        return self._tape
