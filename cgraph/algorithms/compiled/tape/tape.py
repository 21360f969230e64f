"""The equations and neurons of a graph as one program over arrays.

Every step of every equation is a row. A sweep down the rows gives all values, a sweep up it S(k,t) of a node t by every
row k; both for many points at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from copy import copy
from itertools import pairwise
from numbers import Real
from types import NoneType
from typing import Any, NamedTuple, final

import networkx as nx
import numpy as np
from numpy.typing import ArrayLike

from cgraph.algorithms.compiled.edge_arrays import Floats, Index, whole_lines
from cgraph.algorithms.compiled.simd import WIDTH
from cgraph.algorithms.compiled.tape.batching import Blocks
from cgraph.algorithms.compiled.tape.inputs import Points, known_nodes, points_of, weight_values
from cgraph.algorithms.compiled.tape.node_errors import Definitions
from cgraph.algorithms.compiled.tape.program import record
from cgraph.model.errors import EvaluationError
from cgraph.model.evaluation import is_computed
from cgraph.model.graph import ComputationalGraph
from cgraph.model.tasks import in_order

__all__ = ["Tape", "holds_equations"]

_TOGETHER = 2**24  # numbers, rows times points, of one task: about a tenth of a second


class _Weights(NamedTuple):
    """The weights, and those of the terms of the weighted sums."""

    values: Floats
    on_terms: Floats


class _Given(NamedTuple):
    """What blocks are filled from: rows that are set and their values, sources without value, and the weights."""

    rows: Index
    values: Floats
    unknown: list[str]
    unknown_rows: Index
    weights: _Weights


class _Evaluated(NamedTuple):
    """Where `evaluate` was last: the values of all rows of all blocks, and the weights."""

    y: Floats
    blocks: Blocks
    weights: _Weights


class _Question(NamedTuple):
    """What `value_and_gradient` was asked at one point, to be asked again at others: rows, and the loop that answers."""

    sources: Index
    row_of_t: int
    asked: Index
    answer: Callable[..., bool]


# So many questions are remembered.
QUESTIONS = 64


class _Elsewhere(NamedTuple):
    """Where `evaluate` was last, if workers have: they kept no values."""

    at: Points
    weights: ArrayLike | None


@final
class Tape:
    """The equations and neurons of a graph, each step of them a row.

    Parameters
    ----------
    G : ComputationalGraph
        Acyclic; every node holds a value or an equation, or is a neuron.

    Attributes
    ----------
    weights : tuple
        The weights: of edges by their ends, of nodes by their names.

    Notes
    -----
    A number has a row of its own, and so has every node: one whose equation is a single name or number copies it,
    so that S by that node and S by what it copies stay apart. A neuron has two, s(j) and Phi(s(j)).
    """

    def __init__(self, G: ComputationalGraph) -> None:
        self._roles = {i: str(role) for i, role in G.nodes(data="role")}
        self._recording = record(G)
        self._valueless = [i for i in G if not is_computed(G, i) and G.nodes[i].get("value") is None]
        self._definitions = Definitions(G, self._recording, self._valueless)
        self.weights = tuple(self._recording.weights)
        self._weights = self._with_terms(np.array(list(self._recording.weights.values())))
        self._nodes = tuple(G)
        self._node_rows = self._rows(G)
        self._weight_rows = self._rows(G.weights)
        self._last: _Evaluated | _Elsewhere | None = None
        # Arrays for the rows of parts, which nobody uses now.
        self._free: list[Floats] = []
        self._questions: dict[Any, _Question] = {}
        self._rows_of_one: list[Floats] = []  # as `_free`, for one point

    def __getstate__(self) -> dict[str, Any]:
        """What a copy has: nothing that was computed."""
        return self.__dict__ | {"_last": None, "_free": [], "_questions": {}, "_rows_of_one": []}

    def evaluate(
        self,
        inputs: Mapping[str, ArrayLike] | None = None,
        weights: ArrayLike | None = None,
        nodes: Iterable[str] | None = None,
        executor: Executor | None = None,
    ) -> Floats:
        """Return the values of nodes, all in the order of the graph if none are asked for; see `CompiledGraph`."""
        asked, rows = self._asked(nodes)
        if executor is not None and (at := self._many_points(inputs)):
            values = _of_all_points(len(asked), at)
            w = None if weights is None else np.array(weights)
            self._last = None
            for part, found in self._by_parts(executor, _values, at, w, asked):
                values[:, part] = found
            self._last = _Elsewhere(at, w)
            return values
        blocks, given = self._start(inputs, weights)
        values = blocks.results(len(rows))
        last, self._last = self._last, None
        kept = last.y if isinstance(last, _Evaluated) else None
        y = kept if kept is not None and kept.shape == blocks.shape else whole_lines(*blocks.shape)

        def fill(part: slice) -> None:
            self._fill(blocks, given, part, y[part])
            blocks.copy(rows, y[part], values, part)

        blocks.for_each(fill)
        self._last = _Evaluated(y, blocks, given.weights)
        if given.unknown:
            values[:, np.isin(asked, given.unknown)] = np.nan
        return blocks.as_asked(values)

    def gradient(self, t: str, nodes: Iterable[str] | None = None, executor: Executor | None = None) -> Floats:
        """Return S(i,t) of nodes i, all if none are asked for, at the last points; see `CompiledGraph.gradient`."""
        asked, rows = self._asked(nodes)
        if executor is not None and isinstance(self._last, _Elsewhere):
            known_nodes([t], self._roles)
            at, of_weights = self._last
            found = _of_all_points(len(asked), at)
            for part, of_part in self._by_parts(executor, _gradient, at, of_weights, t, asked):
                found[:, part] = of_part
            return found
        y, blocks, w = self._where_evaluated(t)
        gradient = blocks.results(len(rows))

        def differentiate(part: slice) -> None:
            with self._lent(blocks, part) as S:
                blocks.differentiate(self._recording.rows[t], w.on_terms, y[part], S)
                if not blocks.copy(rows, S, gradient, part):
                    of_part = blocks.of_part(gradient, part)
                    self._definitions.explain_derivative("S", of_part, asked, t, y[part], w.values)

        blocks.for_each(differentiate)
        return blocks.as_asked(gradient)

    def weight_gradients(self, t: str, executor: Executor | None = None) -> Floats:
        """Return the derivatives of `t` with respect to `weights`; see `CompiledGraph.weight_gradients`."""
        known_nodes([t], self._roles)
        if executor is not None and isinstance(self._last, _Elsewhere):
            at, of_weights = self._last
            gradient = _of_all_points(len(self.weights), at)
            for part, found in self._by_parts(executor, _weight_gradients, at, of_weights, t):
                gradient[:, part] = found
            return gradient
        y, blocks, w = self._where_evaluated(t)
        tails, heads = self._recording.tails, self._recording.heads
        gradient = blocks.results(len(self.weights))

        def differentiate(part: slice) -> None:
            with self._lent(blocks, part) as S:
                blocks.differentiate(self._recording.rows[t], w.on_terms, y[part], S)
                # On an edge S by s(j), times y(i); in a node S by the node.
                on_edges = blocks.multiply(heads, tails, S, y[part], gradient, part)
                in_nodes = blocks.copy(self._weight_rows, S, gradient, part, len(tails))
                if not (on_edges and in_nodes):
                    of_part = blocks.of_part(gradient, part)
                    self._definitions.explain_derivative("gradient", of_part, self.weights, t, y[part], w.values)

        blocks.for_each(differentiate)
        return blocks.as_asked(gradient)

    def value_and_gradient(
        self,
        t: str,
        inputs: Mapping[str, ArrayLike] | None = None,
        weights: ArrayLike | None = None,
        nodes: Iterable[str] | None = None,
        executor: Executor | None = None,
    ) -> tuple[Floats, Floats]:
        """Return y(t) and S(i,t) of nodes i; see `CompiledGraph.value_and_gradient`."""
        key = _key(t, inputs, weights, nodes)
        if key in self._questions and (answer := self._again(self._questions[key], inputs or {})) is not None:
            return answer[0], answer[1:]
        asked, rows = self._asked(nodes)
        _, row_of_t = self._asked([t])
        if executor is not None and (at := self._many_points(inputs)):
            values, gradients = _of_all_points(1, at)[0], _of_all_points(len(asked), at)
            for part, found in self._by_parts(executor, _value_and_gradient, at, weights, t, asked):
                values[part], gradients[:, part] = found
            return values, gradients
        blocks, given = self._start(inputs, weights)
        w = given.weights
        value, gradient = blocks.results(1), blocks.results(len(rows))

        def fill_and_differentiate(part: slice) -> None:
            with self._lent(blocks, part) as y, self._lent(blocks, part) as S:
                self._fill(blocks, given, part, y)
                blocks.copy(row_of_t, y, value, part)
                blocks.differentiate(row_of_t[0], w.on_terms, y, S)
                if not blocks.copy(rows, S, gradient, part):
                    of_part = blocks.of_part(gradient, part)
                    self._definitions.explain_derivative("S", of_part, asked, t, y, w.values)

        blocks.for_each(fill_and_differentiate)
        if t in given.unknown:
            value[:] = np.nan
        elif key is not None and len(blocks.shape) == 2 and len(self._questions) < QUESTIONS and not self._valueless:
            self._questions[key] = _Question(given.rows, int(row_of_t[0]), rows, blocks.gradient_at)
        return blocks.as_asked(value)[0], blocks.as_asked(gradient)

    def _again(self, question: _Question, inputs: Mapping[str, Any]) -> Floats | None:
        """Return value and gradient at one point; None where there are many, or where something is not finite."""
        try:
            x = np.fromiter(inputs.values(), np.float64, len(inputs))
        except (TypeError, ValueError, OverflowError):
            return None
        try:
            y, S = self._rows_of_one.pop(), self._rows_of_one.pop()
        except IndexError:
            y, S = (np.empty(len(self._recording.program.first)) for _ in range(2))
        sources, t, asked, answer_at = question
        out = np.empty(1 + len(asked))
        program, w, given = self._recording.program, self._weights.on_terms, self._recording.given
        is_finite = answer_at(*program, w, given, sources, x, y, S, t, asked, out)
        self._rows_of_one += [y, S]
        return out if is_finite else None

    def _start(self, inputs: Mapping[str, ArrayLike] | None, weights: ArrayLike | None) -> tuple[Blocks, _Given]:
        """Return the blocks of the points that `inputs` say, and what they are filled from."""
        at = points_of(inputs or {}, self._roles)
        w = self._weights if weights is None else self._with_terms(weight_values(weights, self.weights))
        blocks = Blocks(self._recording.program, at.number)
        unknown = self._without_value(at, w)
        return blocks, _Given(self._rows(at.sources), at.in_blocks(blocks.width), unknown, self._rows(unknown), w)

    def _fill(self, blocks: Blocks, given: _Given, part: slice, y: Floats) -> None:
        """Fill the rows of a part: those that are given first, then those that are computed."""
        numbers, in_nodes = self._recording.given, given.weights.values[len(self._recording.tails) :]
        if y.ndim == 3:  # at all points of a block alike
            numbers, in_nodes = numbers[:, np.newaxis], in_nodes[:, np.newaxis]
        y[:, : len(numbers)] = numbers
        y[:, self._weight_rows] = in_nodes
        y[:, given.rows] = given.values[part]
        y[:, given.unknown_rows] = 0.0
        if not blocks.fill(given.weights.on_terms, y):
            self._definitions.explain_value(y, given.weights.values)

    @contextmanager
    def _lent(self, blocks: Blocks, part: slice) -> Iterator[Floats]:
        """Lend an array for the rows of a part, which no other thread has."""
        shape = blocks.shape_of(part)
        try:  # it may be another thread's by the time one has looked
            array = self._free.pop()
        except IndexError:
            array = whole_lines(*shape)
        if array.shape != shape:
            array = whole_lines(*shape)
        yield array
        self._free.append(array)

    def _where_evaluated(self, t: str) -> _Evaluated:
        """Return where `evaluate` was last, for a question about `t`."""
        known_nodes([t], self._roles)
        if isinstance(self._last, _Elsewhere):
            at, weights = self._last
            self.evaluate(dict(zip(at.sources, at.values, strict=True)), weights, [])
        if not isinstance(self._last, _Evaluated):
            raise EvaluationError("nothing has been evaluated yet; call evaluate before gradient")
        return self._last

    def _many_points(self, inputs: Mapping[str, ArrayLike] | None) -> Points | None:
        """Return the points that `inputs` say, if they are many."""
        at = points_of(inputs or {}, self._roles)
        return at if at.number is not None and at.number > 1 else None

    def _by_parts(
        self, executor: Executor, function: Callable[..., Any], at: Points, *arguments: Any
    ) -> Iterator[tuple[slice, Any]]:
        """Yield parts of the points and what a function returns there, in order, whichever worker calls it."""
        parts = _parts(at.number or 1, len(self._recording.owners))
        inputs = (dict(zip(at.sources, at.values[:, part], strict=True)) for part in parts)
        tasks = ((of_part, *arguments) for of_part in inputs)
        yield from zip(parts, in_order(executor, function, tasks, about=self), strict=True)

    def _asked(self, nodes: Iterable[str] | None) -> tuple[Sequence[str], Index]:
        """Return the nodes that are asked for and their rows: those of the graph if nobody says."""
        if nodes is None:
            return self._nodes, self._node_rows
        asked = known_nodes(nodes, self._roles)
        return asked, self._rows(asked)

    def _rows(self, nodes: Iterable[str]) -> Index:
        return np.array([self._recording.rows[i] for i in nodes], np.uint32)

    def _with_terms(self, w: Floats) -> _Weights:
        return _Weights(w, w[self._recording.terms])

    def _without_value(self, at: Points, w: _Weights) -> list[str]:
        """Return the sources that have no value, or raise what `evaluate` raises if one of them is needed."""
        if not self._valueless:
            return []
        known, given = dict(zip(self.weights, w.values.tolist(), strict=True)), set(at.sources)
        unknown = [i for i in self._valueless if i not in given and np.isnan(known.get(i, np.nan))]
        for i in unknown:
            self._definitions.require_unread(i, w.values)
        return unknown


def _key(t: str, inputs: Any, weights: Any, nodes: Any) -> Any:
    """Return what tells a question at numbers from others; None where it is one that nobody remembers."""
    if (
        weights is None
        and type(inputs) in {dict, NoneType}
        and type(nodes) in {list, tuple, NoneType}
        and type(t) is str
    ):
        names, values = (tuple(inputs), inputs.values()) if inputs else ((), ())
        asked = None if nodes is None else tuple(nodes)
        if {*map(type, values)} <= {float, int, np.float64} and (asked is None or {*map(type, asked)} <= {str}):
            return t, names, asked
    return None


def _values(tape: Tape, inputs: dict[str, Floats], weights: ArrayLike | None, nodes: list[str]) -> Floats:
    """What a worker does for `evaluate`; threads share the tape, but for what it keeps of an evaluation."""
    return copy(tape).evaluate(inputs, weights, nodes)


def _value_and_gradient(
    tape: Tape, inputs: dict[str, Floats], weights: ArrayLike | None, t: str, nodes: list[str]
) -> tuple[Floats, Floats]:
    return copy(tape).value_and_gradient(t, inputs, weights, nodes)


def _gradient(tape: Tape, inputs: dict[str, Floats], weights: ArrayLike | None, t: str, nodes: list[str]) -> Floats:
    own = copy(tape)
    own.evaluate(inputs, weights, [])
    return own.gradient(t, nodes)


def _weight_gradients(tape: Tape, inputs: dict[str, Floats], weights: ArrayLike | None, t: str) -> Floats:
    own = copy(tape)
    own.evaluate(inputs, weights, [])
    return own.weight_gradients(t)


def _parts(points: int, rows: int) -> list[slice]:
    """Return the points of each task: whole blocks, and never a single point, whose loops round in another way."""
    size = max(_TOGETHER // rows // WIDTH, 1) * WIDTH
    begins = list(range(0, max(points - 1, 1), size))
    return [slice(begin, end) for begin, end in pairwise([*begins, points])]


def _of_all_points(n: int, at: Points) -> Floats:
    """Return an array for `n` numbers at each point, those of a point side by side."""
    return np.empty((at.number or 1, n)).T


def holds_equations(G: nx.DiGraph[Any]) -> bool:
    """Return whether equations and neurons tell the values of all nodes but the sources, which are numbers."""
    return any(is_computed(G, i) for i in G) and all(
        is_computed(G, i) or (not G.pred[i] and isinstance(data.get("value", 0.0), Real | None))
        for i, data in G.nodes(data=True)
    )
