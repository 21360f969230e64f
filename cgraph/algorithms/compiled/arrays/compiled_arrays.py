"""What a compiled graph of arrays answers: values, gradients and Jacobians, by plans that are made once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, final

import networkx as nx
import numpy as np

from cgraph.algorithms import jacobians, sweeps
from cgraph.algorithms.compiled.arrays.programs import Program
from cgraph.algorithms.compiled.arrays.recording import Recorder
from cgraph.algorithms.compiled.arrays.steps import Shape
from cgraph.algorithms.gradients import loss_sensitivities, weight_gradients
from cgraph.model.errors import CGraphError, DerivativeError, EvaluationError, InvalidNodeError, NodeNotFound, shorten
from cgraph.model.evaluation import evaluate, is_computed, linearize, source_values, unlinearized
from cgraph.model.graph import ComputationalGraph, list_of_nodes, require_node
from cgraph.model.language.expressions import Apply
from cgraph.model.limits import limits_in_force, require_entries
from cgraph.model.operations.arrays import ARRAY_OPERATIONS
from cgraph.model.values import as_value, show_shape

__all__ = ["CompiledArrays", "holds_arrays"]

DTYPES = ("float64", "float32")


def holds_arrays(G: nx.DiGraph[Any]) -> bool:
    """Return whether equations or neurons stand between arrays, or make arrays of numbers."""
    expressions = (data["expression"] for _, data in G.nodes(data=True) if "expression" in data)
    operations = {step.operation for equation in expressions for step in equation.steps if isinstance(step, Apply)}
    holds = any(isinstance(value, np.ndarray) for _, value in G.nodes(data="value"))
    return not operations.isdisjoint(ARRAY_OPERATIONS) or (holds and any(is_computed(G, i) for i in G))


@final
class CompiledArrays:
    """A graph of equations between arrays and numbers, as plans of NumPy calls into kept arrays.

    `compile_graph` makes one. A plan is made at the first question of its kind, and again where an input has another
    shape, as a batch of another size has; all plans are kept.

    Parameters
    ----------
    G : ComputationalGraph
        Acyclic, of equations and neurons. Not modified, and not referred to later.
    dtype : {"float64", "float32"}
        Of all that is computed.

    Attributes
    ----------
    nodes : tuple
        The nodes, in the order of the graph.
    weights : tuple
        The weights: ``(i, j)`` on an edge, ``w`` in a node.

    Notes
    -----
    A plan is a list of calls: products of matrices through BLAS, elementary operations with ``out=``, slices and
    transposes as views that are made once. Arrays are written into again when nobody reads them any more. What leaves the
    range of numbers is noticed by the processor; the equations are then interpreted, which name node and operation.
    `value_and_gradient` may be called from several threads at once: each call has arrays of its own. The methods that ask about
    the last point do not know which thread it came from.

    Examples
    --------
    >>> from cgraph import compile_graph, from_equations
    >>> C = compile_graph(from_equations("h = W @ x; J = sum(h * h)", x=[1.0, 2.0], W=[[1.0, 0.0], [0.0, 3.0]]))
    >>> C.value_and_gradient("J", nodes=["x"])  # J = x1^2 + 9 x2^2
    (37.0, {'x': array([ 2., 36.])})
    """

    def __init__(self, G: ComputationalGraph, *, dtype: str = "float64") -> None:
        if str(dtype) not in DTYPES:
            raise CGraphError(f"dtype = {dtype!r}: a compiled graph of arrays computes in {' or '.join(DTYPES)}")
        self._graph = unlinearized(G)
        self._dtype = np.dtype(dtype)
        self.nodes: tuple[Any, ...] = tuple(G)
        values = source_values(self._graph)
        neurons = [j for j in G if "activation" in G.nodes[j]]
        on_edges = {(i, j): G.edges[i, j].get("weight") for j in neurons for i in G.nodes[j]["operands"]}
        self.weights: tuple[Any, ...] = (*on_edges, *G.weights)
        self._held = {key: value for key, value in (on_edges | values).items() if value is not None}
        self._arrays = {key: self._as_array(value) for key, value in self._held.items()}
        self._programs: dict[Any, tuple[Program, list[Any]]] = {}
        self._finite: dict[Any, Any] = {}
        self._last: dict[Any, Any] | None = None

    def __len__(self) -> int:
        return len(self.nodes)

    def __repr__(self) -> str:
        return f"<CompiledArrays of {len(self):,} nodes and {self._graph.number_of_edges():,} edges, {self._dtype}>"

    @property
    def number_of_edges(self) -> int:
        """How many edges there are."""
        return int(self._graph.number_of_edges())

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
        found = self._run(
            ("values", tuple(asked)),
            given,
            lambda recorder: [recorder.value(i) for i in asked],
            lambda y: [y[i] for i in asked],
            _arrays_to_write(out, asked),
        )
        self._last = given
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
        value, *gradient = self._run(
            ("gradient", t, tuple(asked)),
            given,
            lambda recorder: _value_and_gradient(recorder, t, asked),
            lambda y: self._interpreted_gradient(t, asked, y, given),
            [None, *_arrays_to_write(out, asked)],
        )
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

    def sensitivities(self, t: str) -> dict[Any, Any]:
        """Return S(i,t) of all nodes i: Jacobians, by one reverse sweep of all rows at once.

        Parameters
        ----------
        t : node
            The node that is differentiated.

        Returns
        -------
        dict
            As `cgraph.sensitivities`: numbers between numbers, else arrays of shape (size of y(t), size of y(i)).

        Raises
        ------
        CGraphError
            As `cgraph.sensitivities`.

        Notes
        -----
        At the point where `evaluate` was last, or at the values of the graph. Each product with a Jacobian is one of
        matrices, for all rows.

        Examples
        --------
        >>> from cgraph import compile_graph, from_equations
        >>> C = compile_graph(from_equations("y = x * x", x=[1.0, 2.0]))
        >>> C.sensitivities("y")["x"].tolist()
        [[2.0, 0.0], [0.0, 4.0]]
        """
        self._asked([t])
        given = self._where_last_given()
        asked = [i for i in self.nodes if self._has_value(i, given)]
        found = self._run(
            ("jacobians", t, tuple(asked)),
            given,
            lambda recorder: _jacobians(recorder, t, asked),
            lambda _: list(sweeps.sensitivities(self._linearized(given), t).values()),
            [None] * len(asked),
        )
        t_is_number = np.ndim(found[asked.index(t)]) == 1  # S(t,t) of an array has the axes of t twice
        return {
            i: float(S[0]) if t_is_number and S.ndim == 1 else S.reshape(len(S), -1)
            for i, S in zip(asked, found, strict=True)
        }

    def sensitivities_from(self, s: str) -> dict[Any, Any]:
        """Return S(s,i) of all nodes i: one forward sweep.

        Returns
        -------
        dict
            ``{i: S(s,i)}``, as `cgraph.sensitivities_from`.

        Raises
        ------
        CGraphError
            As `cgraph.sensitivities_from`.

        Notes
        -----
        Where `evaluate` was last, or at the values of the graph: the graph is linearized there, in float64, and
        `cgraph.sensitivities_from` goes through its structured Jacobians.

        Examples
        --------
        >>> from cgraph import compile_graph, from_equations
        >>> C = compile_graph(from_equations("y = x * x", x=[1.0, 2.0]))
        >>> C.sensitivities_from("x")["y"].tolist()
        [[2.0, 0.0], [0.0, 4.0]]
        """
        return sweeps.sensitivities_from(self._linearized(self._where_last_given()), s)

    def sensitivity(self, s: str, t: str) -> Any:
        """Return S(s,t), by the direction that costs less.

        Returns
        -------
        float or ndarray, shape (size of y(t), size of y(s))

        Raises
        ------
        CGraphError
            As `cgraph.sensitivity`.

        Notes
        -----
        Where `evaluate` was last, or at the values of the graph: the graph is linearized there, in float64, and
        `cgraph.sensitivity` goes through its structured Jacobians.

        Examples
        --------
        >>> from cgraph import compile_graph, from_equations
        >>> C = compile_graph(from_equations("y = x * x", x=[1.0, 2.0]))
        >>> C.sensitivity("x", "y").tolist()
        [[2.0, 0.0], [0.0, 4.0]]
        """
        return sweeps.sensitivity(self._linearized(self._where_last_given()), s, t)

    def jacobian(self, sources: Sequence[str], targets: Sequence[str]) -> Any:
        """Return the stacked Jacobian of targets with respect to sources.

        Returns
        -------
        ndarray, shape (sum of the sizes of targets, sum of the sizes of sources)

        Raises
        ------
        CGraphError
            As `cgraph.jacobian`.

        Notes
        -----
        Where `evaluate` was last, or at the values of the graph: the graph is linearized there, in float64, and
        `cgraph.jacobian` goes through its structured Jacobians.

        Examples
        --------
        >>> from cgraph import compile_graph, from_equations
        >>> C = compile_graph(from_equations("y = x * x", x=[1.0, 2.0]))
        >>> C.jacobian(["x"], ["y"]).tolist()
        [[2.0, 0.0], [0.0, 4.0]]
        """
        return jacobians.jacobian(self._linearized(self._where_last_given()), sources, targets)

    def edge_sensitivities(self, s: str, t: str) -> dict[Any, Any]:
        """Return S(s,i) z(i,j) S(j,t) of all edges.

        Returns
        -------
        dict
            ``{(i, j): what flows through the edge}``, as `cgraph.edge_sensitivities`.

        Raises
        ------
        CGraphError
            As `cgraph.edge_sensitivities`.

        Notes
        -----
        Where `evaluate` was last, or at the values of the graph: the graph is linearized there, in float64, and
        `cgraph.edge_sensitivities` goes through its structured Jacobians.

        Examples
        --------
        >>> from cgraph import compile_graph, from_equations
        >>> C = compile_graph(from_equations("y = x * x", x=[1.0, 2.0]))
        >>> C.edge_sensitivities("x", "y")["x", "y"].tolist()
        [[2.0, 0.0], [0.0, 4.0]]
        """
        return sweeps.edge_sensitivities(self._linearized(self._where_last_given()), s, t)

    # --- how a question is answered -------------------------------------------------------------------------------------

    def _run(
        self,
        question: Any,
        given: dict[Any, Any],
        record: Callable[[Recorder], list[int]],
        interpret: Callable[[dict[str, Any]], list[Any]],
        out: Sequence[Any],
    ) -> list[Any]:
        """Return what is asked, by the plan; where something leaves the range of numbers, by the interpreter."""
        program, shapes = self._planned(question, given, record, interpret)
        results = [
            np.empty(shape, self._dtype) if array is None else self._fitting(array, shape)
            for shape, array in zip(shapes, out, strict=True)
        ]
        try:
            with np.errstate(all="ignore", divide="raise", over="raise", invalid="raise"):
                program(list(given.values()), results)
            is_sound = all(map(_is_finite, results))
        except (FloatingPointError, ValueError):  # the latter of a singular matrix, or of a place that is none
            is_sound = False
        if not is_sound:
            found = self._interpreted(given, interpret)
            for array, value in zip(results, found, strict=True):
                np.copyto(array, np.reshape(value, array.shape), casting="same_kind")
        return [
            array if passed is not None or array.ndim else float(array)
            for array, passed in zip(results, out, strict=True)
        ]

    def _planned(
        self, question: Any, given: dict[Any, Any], record: Callable[[Recorder], list[int]], interpret: Any
    ) -> tuple[Program, list[Any]]:
        """Return the program of a question, made now or earlier for what is given in these shapes."""
        key = (question, tuple((i, value.shape) for i, value in given.items()))
        if (known := self._programs.get(key)) is None:
            try:
                with np.errstate(all="ignore"):
                    recorder = Recorder(self._graph, given)
                    results = record(recorder)
                    shapes = _shapes(recorder, question)
            except CGraphError:
                raise
            except Exception:
                self._interpreted(given, interpret)  # says what does not fit, in the words of the equation
                raise
            program = Program(recorder.steps, results, self._dtype)
            self._require_room(
                [step.shape for step in recorder.steps.steps], program.kept_bytes, shapes, given, interpret
            )
            known = self._programs[key] = (program, shapes)
        return known

    def _require_room(
        self, steps: Iterable[Shape], kept_bytes: int, results: Iterable[Shape], given: dict[Any, Any], interpret: Any
    ) -> None:
        """Raise `LimitError` where a plan would take more entries than the limits allow; nothing is allocated yet."""
        allowed = limits_in_force()
        largest = max(map(math.prod, steps))
        together = kept_bytes // self._dtype.itemsize + sum(map(math.prod, results))
        if largest > allowed.entries or together > allowed.total:
            self._interpreted(given, interpret)  # names the node
            require_entries(largest, "the largest array of a plan")
            require_entries(together, "all arrays of a plan")

    def _interpreted(self, given: Mapping[Any, Any], interpret: Callable[[dict[str, Any]], list[Any]]) -> list[Any]:
        return interpret(evaluate(self._at(given)))

    def _at(self, given: Mapping[Any, Any]) -> ComputationalGraph:
        """Return the graph with what is given on its nodes and edges."""
        G = self._graph.copy()
        for key, value in given.items():
            if isinstance(key, tuple) and key not in G.nodes:
                G.edges[key]["weight"] = float(value)
            else:
                G.nodes[key]["value"] = as_value(value)
        return G

    def _linearized(self, given: Mapping[Any, Any]) -> ComputationalGraph:
        return linearize(self._at(given))

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

    def _given(self, inputs: Mapping[Any, Any] | None, weights: Mapping[Any, Any] | None = None) -> dict[Any, Any]:
        """Return what is given as arrays: what the graph held, and what takes its place."""
        if not (isinstance(inputs, Mapping | None) and isinstance(weights, Mapping | None)):
            raise InvalidNodeError("inputs and weights are mappings, as in {'x': [1.0, 2.0]}")
        given = dict(self._arrays)
        for key, value in (inputs or {}).items():
            given[key] = self._input(key, value)
        for key, value in (weights or {}).items():
            if key not in self.weights:
                raise InvalidNodeError(f"{key!r} is no weight of this graph; its weights are in .weights")
            given[key] = self._input(key, value)
        return given

    def _input(self, key: Any, value: Any) -> Any:
        """Return a value that takes the place of what was held, as an array of finite numbers."""
        if self._finite.get(key) is value:  # seen, and nobody can have written to it
            return value
        if key not in self.weights:
            self._require_source(key)
        if type(value) is not np.ndarray or value.dtype.kind not in "iuf" or value.size == 0:
            try:
                value = as_value(value)
            except (TypeError, ValueError) as error:
                raise InvalidNodeError(f"{key!r} cannot be set to {shorten(repr(value))}, which {error}") from None
        array = self._as_array(value)
        if not _is_finite(array):
            raise EvaluationError(f"node {key!r} has the value {shorten(str(value))}, which is not finite")
        if array is value and not array.flags.writeable and array.base is None:
            self._finite[key] = array
        return array

    def _require_source(self, key: Any) -> None:
        """Raise what `evaluate` raises for a node that cannot be set."""
        role = self._graph.nodes[key].get("role") if key in self._graph else None
        if role not in {"input", "weight"}:
            source_values(self._graph, {key: 0.0})

    def _as_array(self, value: Any) -> Any:
        return np.ascontiguousarray(value, self._dtype) if np.ndim(value) else np.array(value, self._dtype)

    def _fitting(self, array: Any, shape: Any) -> Any:
        is_array = type(array) is np.ndarray and array.dtype == self._dtype and array.flags.c_contiguous
        if not (is_array and array.flags.writeable and array.shape == shape):
            raise CGraphError(
                f"out needs contiguous arrays of {self._dtype} that can be written to, this one of shape {shape}"
            )
        return array

    def _has_value(self, i: Any, given: Mapping[Any, Any]) -> bool:
        return i in given or is_computed(self._graph, i)

    def _asked(self, nodes: Iterable[str]) -> list[str]:
        asked = list_of_nodes(nodes)
        require_node(self._graph, *asked)
        return asked

    def _asked_keys(self, keys: Iterable[Any]) -> list[Any]:
        asked = list(keys) if not isinstance(keys, str) else list_of_nodes(keys)
        for key in asked:
            if key not in self._held and key not in self._graph:
                raise NodeNotFound(key, self.nodes)
        return asked

    def _where_last(self) -> tuple[dict[str, Any], dict[Any, Any]]:
        given = self._where_last_given()
        changed = {key: value for key, value in given.items() if value is not self._arrays.get(key)}
        nodes = {key: value for key, value in changed.items() if key in self._graph}
        return nodes, {key: value for key, value in changed.items() if key not in self._graph}

    def _where_last_given(self) -> dict[Any, Any]:
        return dict(self._arrays) if self._last is None else self._last


def _value_and_gradient(recorder: Recorder, t: str, asked: list[Any]) -> list[int]:
    value = recorder.value(t)
    if recorder.steps.shape(value):
        raise ValueError("the loss is no number")
    return [value, *recorder.reverse(t, asked).values()]


def _jacobians(recorder: Recorder, t: str, asked: list[Any]) -> list[int]:
    size = int(np.prod(recorder.steps.shape(recorder.value(t))))
    return list(recorder.reverse(t, asked, (size,)).values())


def _shapes(recorder: Recorder, question: Any) -> list[Any]:
    """Return the shapes of the results: those of the nodes, in Jacobians for each entry of t."""
    kind, *rest = question
    nodes = [recorder.steps.shape(recorder.value(i)) for i in rest[-1]]
    if kind == "jacobians":
        of_t = recorder.steps.shape(recorder.value(rest[0]))
        return [(int(np.prod(of_t)), *shape) for shape in nodes]
    return nodes if kind == "values" else [(), *nodes]


def _arrays_to_write(out: Mapping[Any, Any] | None, asked: list[Any]) -> list[Any]:
    """Return the arrays to write into, None where there is none."""
    if out is None:
        return [None] * len(asked)
    if not isinstance(out, Mapping) or any(key not in asked for key in out):
        raise CGraphError("out maps nodes that are asked for to arrays")
    return [out.get(key) for key in asked]


def _is_finite(array: Any) -> bool:
    """Whether all entries are finite; squares are added up first, as that is quick and finds what is not."""
    flat = array.reshape(-1)
    with np.errstate(all="ignore"):
        return bool(np.isfinite(flat @ flat)) or bool(np.isfinite(flat).all())
