"""How a compiled graph of arrays answers a question: by a plan that is made once, or by the interpreter."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from cgraph.algorithms.compiled.arrays.programs import Program
from cgraph.algorithms.compiled.arrays.recording import Recorder
from cgraph.algorithms.compiled.arrays.steps import Shape
from cgraph.model.errors import CGraphError, EvaluationError, InvalidNodeError, LimitError, NodeNotFound, shorten
from cgraph.model.evaluation import evaluate, is_computed, linearize, source_values, unlinearized
from cgraph.model.graph import ComputationalGraph, list_of_nodes, require_node
from cgraph.model.limits import limits_in_force, require_entries
from cgraph.model.values import as_value

__all__ = ["Answers", "Question", "arrays_to_write"]

DTYPES = ("float64", "float32")


class Question(NamedTuple):
    """What is asked of a graph.

    Parameters
    ----------
    key : hashable
        What tells the question from others.
    record : callable
        ``record(recorder)`` writes the steps down and returns those of the results.
    interpret : callable
        ``interpret(y, given)`` returns the results by the interpreter, from the values of the nodes.
    is_structured : bool
        Whether the interpreter keeps Jacobians in their structure, so that it may answer where a plan has no room.
    apart : bool
        Whether the recorder keeps edges apart.
    """

    key: tuple[Any, ...]
    record: Callable[[Recorder], list[int]]
    interpret: Callable[[Mapping[str, Any], Mapping[Any, Any]], list[Any]]
    is_structured: bool = False
    apart: bool = False


class _Unplanned(Exception):  # no error: a plan cannot be made, and need not
    """The interpreter has found what there is no plan for."""

    def __init__(self, found: list[Any]) -> None:
        super().__init__()
        self.found = found


class Answers:
    """The equations, what is given in them, and the plans that were made so far.

    Parameters
    ----------
    G : ComputationalGraph
        Acyclic, of equations and neurons.
    dtype : {"float64", "float32"}
        Of all that is computed.
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
        self._programs: dict[Any, tuple[Program, list[Shape]]] = {}
        self._over: dict[Any, Self] = {}  # the same graph over many points
        self._finite: dict[Any, Any] = {}
        self._last: dict[Any, Any] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """What a copy has: nothing that was computed."""
        return self.__dict__ | {"_programs": {}, "_over": {}, "_finite": {}, "_last": None}

    # --- by a plan ------------------------------------------------------------------------------------------------------

    def _answer(self, question: Question, given: Mapping[Any, Any], out: Sequence[Any] | None = None) -> list[Any]:
        """Return what is asked, by the plan; where something leaves the range of numbers, by the interpreter."""
        try:
            program, shapes = self._planned(question, given)
        except _Unplanned as unplanned:
            return unplanned.found
        out = [None] * len(shapes) if out is None else out
        results = [
            program.result(k, shape) if array is None else self._fitting(array, shape)
            for k, (shape, array) in enumerate(zip(shapes, out, strict=True))
        ]
        if any(array is not None for array in out):
            _require_apart([array for array in out if array is not None], given)
        for k in program.zeros:
            if out[k] is not None:
                results[k].fill(0)
        try:
            with np.errstate(all="ignore", divide="raise", over="raise", invalid="raise"):
                program(list(given.values()), results)
            is_sound = all(_is_finite(array) for k, array in enumerate(results) if k not in program.zeros)
        except (FloatingPointError, ValueError):  # the latter of a singular matrix, or of a place that is none
            is_sound = False
        if not is_sound:
            self._copy(self._interpreted(question, given), results)
        return [
            array if passed is not None or array.ndim else float(array)
            for array, passed in zip(results, out, strict=True)
        ]

    def _copy(self, found: Sequence[Any], results: Sequence[Any]) -> None:
        """Copy what the interpreter has found in float64 to the results."""
        for array, value in zip(results, found, strict=True):
            with np.errstate(over="ignore"):
                np.copyto(array, np.reshape(value, array.shape), casting="same_kind")
            if not _is_finite(array):
                raise EvaluationError(f"a result is beyond the range of {self._dtype}; compile the graph in float64")

    def _planned(self, question: Question, given: Mapping[Any, Any]) -> tuple[Program, list[Shape]]:
        """Return the program of a question, made now or earlier for what is given in these shapes."""
        key = (question.key, tuple((i, value.shape) for i, value in given.items()))
        if (known := self._programs.get(key)) is None:
            try:
                with np.errstate(all="ignore"):
                    recorder = Recorder(self._graph, given, apart=question.apart)
                    results = question.record(recorder)
            except LimitError as error:
                raise self._unplanned(question, given, error) from None
            except CGraphError:
                raise
            except Exception as error:  # what does not fit is said in the words of the equation
                raise self._unplanned(question, given, error) from error
            steps = recorder.steps.steps
            program = Program(recorder.steps, results, self._dtype)
            shapes = [steps[x].shape for x in results]
            self._require_room([step.shape for step in steps], program.kept_bytes, shapes, question, given)
            known = self._programs[key] = (program, shapes)
        return known

    def _unplanned(self, question: Question, given: Mapping[Any, Any], error: Exception) -> Exception:
        """Return what to raise where no plan can be made; what the interpreter raises comes first."""
        found = self._interpreted(question, given)
        return _Unplanned(found) if question.is_structured else error

    def _require_room(
        self,
        steps: Iterable[Shape],
        kept_bytes: int,
        results: Iterable[Shape],
        question: Question,
        given: Mapping[Any, Any],
    ) -> None:
        """Raise `LimitError` where a plan would take more entries than the limits allow; nothing is allocated yet."""
        allowed = limits_in_force()
        largest = max(map(math.prod, steps))
        together = kept_bytes // self._dtype.itemsize + sum(map(math.prod, results))
        try:
            if largest > allowed.entries or together > allowed.total:
                require_entries(largest, "the largest array of a plan")
                require_entries(together, "all arrays of a plan")
        except LimitError as error:  # the interpreter names the node
            raise self._unplanned(question, given, error) from None

    # --- by the interpreter ---------------------------------------------------------------------------------------------

    def _interpreted(self, question: Question, given: Mapping[Any, Any]) -> list[Any]:
        return question.interpret(evaluate(self._at(given)), given)

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

    # --- what is given --------------------------------------------------------------------------------------------------

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
        if value is not None and self._finite.get(key) is value:  # seen, and nobody can have written to it
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
        if array is value and _is_fixed(array):
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

    def _remember(self, given: Mapping[Any, Any]) -> None:
        """Remember where `evaluate` was last; the caller may write to its arrays afterwards."""
        self._last = {
            key: array if array is self._arrays.get(key) or _is_fixed(array) else array.copy()
            for key, array in given.items()
        }

    def _where_last(self) -> tuple[dict[str, Any], dict[Any, Any]]:
        given = self._where_last_given()
        changed = {key: value for key, value in given.items() if value is not self._arrays.get(key)}
        nodes = {key: value for key, value in changed.items() if key in self._graph}
        return nodes, {key: value for key, value in changed.items() if key not in self._graph}

    def _where_last_given(self) -> dict[Any, Any]:
        return dict(self._arrays) if self._last is None else self._last


def arrays_to_write(out: Mapping[Any, Any] | None, asked: list[Any]) -> list[Any]:
    """Return the arrays to write into, None where there is none."""
    if out is None:
        return [None] * len(asked)
    if not isinstance(out, Mapping) or any(key not in asked for key in out):
        raise CGraphError("out maps nodes that are asked for to arrays")
    return [out.get(key) for key in asked]


def _require_apart(out: Sequence[Any], given: Mapping[Any, Any]) -> None:
    """Raise `CGraphError` if an array to write into is one that is read: it would be written to before it is read."""
    for key, value in given.items():
        if not _is_fixed(value) and any(np.may_share_memory(array, value) for array in out):
            raise CGraphError(f"an array of out shares its memory with what is given for {key!r}; give another one")


def _is_fixed(array: Any) -> bool:
    """Whether nobody can write to an array."""
    return not array.flags.writeable and array.base is None


def _is_finite(array: Any) -> bool:
    """Whether all entries are finite; squares are added up first, as that is quick and finds what is not."""
    flat = array.reshape(-1)
    with np.errstate(all="ignore"):
        return bool(np.isfinite(flat @ flat)) or bool(np.isfinite(flat).all())
