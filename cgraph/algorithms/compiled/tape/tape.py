"""The equations and neurons of a graph as one program over arrays: the forward pass and all gradients.

Every row of the tape is one step of one equation, or the weighted sum or the activation of a neuron; the nodes'
own rows stand among them. A sweep down the tape computes all values, a sweep up it S(k,t) of a node t by every
row k; both for many points at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Real
from typing import Any, NoReturn, final

import networkx as nx
import numpy as np
from numpy.typing import ArrayLike, NDArray

from cgraph.algorithms.compiled.arrays import Floats, has_finite_sum
from cgraph.algorithms.compiled.cores import cores, for_each
from cgraph.algorithms.compiled.lanes import WIDTH
from cgraph.algorithms.compiled.machine_code import compiled, is_at_hand
from cgraph.algorithms.compiled.tape.functions import FUNCTIONS
from cgraph.algorithms.compiled.tape.loops import TAPE_CALLS, TAPE_LOOPS
from cgraph.algorithms.compiled.tape.program import record
from cgraph.algorithms.compiled.tape.runs import TAPE_RUNS
from cgraph.model.errors import EvaluationError, InvalidNodeError, NodeNotFound
from cgraph.model.evaluation import gate_of, is_computed, local_derivatives, preactivation, value_of
from cgraph.model.graph import ComputationalGraph, list_of_nodes

__all__ = ["Tape", "holds_equations"]

# What says how the value of a node comes about.
_DEFINING = ("expression", "activation", "operands")


# From so many numbers on threads save more than the 0.1 to 0.2 ms that they cost.
MANY = 2**18


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
        self._definitions = {
            j: {what: data[what] for what in _DEFINING if what in data} for j, data in G.nodes(data=True)
        }
        self._recording = record(G)
        self.weights = tuple(self._recording.weights)
        self._default_weights = np.array(list(self._recording.weights.values()))
        # The weights of `evaluate`, and those of the terms of the weighted sums.
        self._w = self._default_weights
        self._on_terms = self._w[self._recording.terms]
        rows = self._recording.rows
        self._nodes = tuple(G)
        self._node_rows = np.array([rows[i] for i in G], np.uint32)
        self._weight_rows = np.array([rows[w] for w in G.weights], np.uint32)
        self._valueless = [i for i in G if not is_computed(G, i) and G.nodes[i].get("value") is None]
        # What runs over the tape, and the values of all rows where `evaluate` was last: blocks of points, one after
        # the other, shape (blocks, rows, points of a block); of a single point (1, rows).
        self._loops: Mapping[str, Callable[..., Any]] = {}
        self._v: Floats | None = None
        self._points: int | None = None
        # Room for S at a block of points, as many as there were threads.
        self._S: list[Floats] = []

    def evaluate(
        self,
        inputs: Mapping[str, ArrayLike] | None = None,
        weights: ArrayLike | None = None,
        nodes: Iterable[str] | None = None,
    ) -> Floats:
        """Return the values of nodes, all in the order of the graph if none are asked for; see `CompiledGraph`."""
        asked, rows = self._asked(nodes)
        given, points = self._given_values(inputs or {})
        w = self._default_weights if weights is None else self._weight_values(weights)
        if w is not self._w:
            self._w, self._on_terms = w, w[self._recording.terms]
        v = self._start(given, points)
        values = _room(v, len(rows))

        def fill(point: int, block: Floats) -> None:
            self._run("run_tape", *self._recording.program, self._on_terms, block)
            if not has_finite_sum(block) and not np.isfinite(block).all():
                self._explain_value(block)
            self._run("copy_rows", rows, block, values, point, 0)

        _for_each_block(v, fill)
        self._v, self._points = v, points
        unknown = set(self._without_value(given))
        values[:, [k for k, i in enumerate(asked) if i in unknown] if unknown else []] = np.nan
        return self._aligned(values)

    def gradient(self, t: str, nodes: Iterable[str] | None = None) -> Floats:
        """Return S(i,t) of nodes i, all if none are asked for, at the last points; see `CompiledGraph.gradient`."""
        v = self._values(t)
        asked, rows = self._asked(nodes)
        gradient = _room(v, len(rows))

        def copy(point: int, v: Floats, S: Floats) -> None:
            if not self._run("copy_rows", rows, S, gradient, point, 0):
                self._require_finite("S", gradient[point : point + v[0].size], asked, t, v)

        self._differentiate(t, v, copy)
        return self._aligned(gradient)

    def weight_gradients(self, t: str) -> Floats:
        """Return the derivatives of `t` by the `weights`; see `CompiledGraph.weight_gradients`."""
        v = self._values(t)
        gradient = _room(v, len(self.weights))
        tails, heads = self._recording.tails, self._recording.heads

        def multiply(point: int, v: Floats, S: Floats) -> None:
            # On an edge S by s(j), times y(i); in a node S by the node.
            on_edges = self._run("multiply_rows", heads, tails, S, v, gradient, point)
            in_nodes = self._run("copy_rows", self._weight_rows, S, gradient, point, len(tails))
            if not (on_edges and in_nodes):
                self._require_finite("gradient", gradient[point : point + v[0].size], self.weights, t, v)

        self._differentiate(t, v, multiply)
        return self._aligned(gradient)

    def _asked(self, nodes: Iterable[str] | None) -> tuple[Sequence[str], NDArray[np.uint32]]:
        """Return the nodes that are asked for and their rows: those of the graph if nobody says."""
        if nodes is None:
            return self._nodes, self._node_rows
        asked = list_of_nodes(nodes)
        for i in asked:
            if i not in self._roles:
                raise NodeNotFound(i, self._roles)
        return asked, np.array([self._recording.rows[i] for i in asked], np.uint32)

    def _values(self, t: str) -> Floats:
        """Return the values of all rows where `evaluate` was last, for a question about `t`."""
        if t not in self._roles:
            raise NodeNotFound(t, self._roles)
        if self._v is None:
            raise EvaluationError("nothing has been evaluated yet; call evaluate before gradient")
        return self._v

    def _differentiate(self, t: str, v: Floats, use: Callable[[int, Floats, Floats], None]) -> None:
        """Call `use` with every block of points: the first of them, the values of all rows, S of `t` by all rows."""

        def sweep(point: int, block: Floats) -> None:
            try:  # each thread takes one that no other holds
                S = self._S.pop()
            except IndexError:
                S = np.empty_like(block)
            if S.shape != block.shape:
                S = np.empty_like(block)
            S.fill(0.0)
            S[self._recording.rows[t]] = 1.0
            self._run("differentiate_tape", *self._recording.program, self._on_terms, block, S)
            use(point, block, S)
            self._S.append(S)

        _for_each_block(v, sweep)

    def _run(self, loop: str, *arguments: Any) -> Any:
        with np.errstate(all="ignore"):  # what is not finite is looked for where it matters
            return self._loops[loop](*arguments)

    def _start(self, given: Mapping[str, NDArray[Any]], points: int | None) -> Floats:
        """Return room for the values of all rows, those filled in that are known; that of the last ones if it fits."""
        self._loops, width = _loops(points)
        rows = len(self._recording.owners)
        shape = (1, rows) if points is None else (-(-points // width), rows, width)
        v = self._v if self._v is not None and self._v.shape == shape else np.empty(shape)
        self._v = None
        for block in v:
            # Transposed, one number for each row fits many points.
            block.T[..., : len(self._recording.given)] = self._recording.given
            block.T[..., self._weight_rows] = self._w[len(self._recording.tails) :]
        for i, values in given.items():
            # Points that fill up the last block are the last point again.
            in_blocks = (
                np.pad(values, (0, len(v) * width - len(values)), "edge").reshape(-1, width) if values.ndim else values
            )
            v[:, self._recording.rows[i]] = in_blocks
        for i in self._without_value(given):
            self._require_unread(i)
            v[:, self._recording.rows[i]] = 0.0
        return v

    def _aligned(self, numbers: Floats) -> Floats:
        """Return what was filled point by point, the fastest way, as it is asked for."""
        return numbers[0] if self._points is None else numbers.T[:, : self._points]

    def _given_values(self, inputs: Mapping[str, ArrayLike]) -> tuple[dict[str, NDArray[Any]], int | None]:
        """Return `inputs` as arrays, and at how many points they are given; None for a single one."""
        given = {i: self._input_values(i, value) for i, value in inputs.items()}
        lengths = {i: len(values) for i, values in given.items() if values.ndim}
        if len(set(lengths.values())) > 1:
            found = ", ".join(f"{i!r} has {n}" for i, n in lengths.items())
            raise InvalidNodeError(f"the inputs are given at different numbers of points: {found}")
        return given, next(iter(lengths.values()), None)

    def _input_values(self, i: str, value: ArrayLike) -> NDArray[Any]:
        """Return what `i` is set to, a number or one for each point, or raise as `evaluate` does."""
        if i not in self._roles:
            raise NodeNotFound(i, self._roles)
        role = self._roles[i]
        if role not in {"input", "weight"}:
            what = "a constant" if role == "constant" else "computed"
            raise InvalidNodeError(f"node {i!r} cannot be set: it is {what}; inputs and weights can")
        values = np.asarray(value)
        if values.ndim > 1 or values.dtype.kind not in "iuf":
            raise InvalidNodeError(f"{role} {i!r} cannot be set to {value!r}; give a number, or one for each point")
        if not np.isfinite(values).all():
            raise EvaluationError(f"node {i!r} has the value {values[~np.isfinite(values)][0]}, which is not finite")
        return values

    def _weight_values(self, weights: ArrayLike) -> Floats:
        """Return `weights` as an array, or raise as `evaluate` does."""
        values = np.asarray(weights)
        if values.shape != (len(self.weights),) or values.dtype.kind not in "iuf":
            raise InvalidNodeError(
                f"the weights are given as {values.dtype} of shape {values.shape}; give {len(self.weights)} numbers, "
                f"in the order of .weights"
            )
        if not np.isfinite(values).all():
            k = int(np.flatnonzero(~np.isfinite(values))[0])
            raise EvaluationError(f"weight {self.weights[k]!r} has the value {values[k]}, which is not finite")
        return values.astype(np.float64)

    def _without_value(self, given: Mapping[str, Any]) -> list[str]:
        """Return the sources that have no value."""
        known = self._weights() if self._valueless else {}
        return [i for i in self._valueless if i not in given and np.isnan(known.get(i, np.nan))]

    def _require_unread(self, i: str) -> None:
        """Raise what `evaluate` raises if a value of `i` is needed."""
        for j, definition in self._definitions.items():
            if i in _operands(definition):
                value_of(self._alone(j, self._weights()), j, {k: 0.0 for k in _operands(definition) if k != i})

    def _explain_value(self, v: Floats) -> NoReturn:
        """Raise what `evaluate` raises at the first point where a row is not finite."""
        wrong = ~np.isfinite(v.reshape(len(v), -1))
        point = int(wrong.any(axis=0).argmax())
        node = list(self._recording.rows)[int(self._recording.owners[wrong[:, point]].min())]
        with np.errstate(all="ignore"):
            value_of(self._alone(node, self._weights()), node, self._values_at(node, point, v))
        raise EvaluationError(f"node {node!r}: its value is not finite")

    def _require_finite(self, what: str, S: Floats, of: Sequence[Any], t: str, v: Floats) -> None:
        """Raise what `linearize` raises where `S`, a row for each point, is not finite, or what `sensitivities` does."""
        weights = self._weights()
        for point, k in np.argwhere(~np.isfinite(S))[-1:].tolist():
            for j, definition in self._definitions.items():
                y = self._values_at(j, point, v)
                if "expression" in definition:
                    local_derivatives(definition["expression"], y, j)
                elif "activation" in definition:
                    gate_of(definition["activation"], preactivation(self._alone(j, weights), j, y), y[j], j)
            raise EvaluationError(f"{what}({of[k]}, {t}) overflows: the product of the derivatives is too large")

    def _values_at(self, j: str, point: int, v: Floats) -> dict[str, float]:
        """Return the values of `j` and its operands."""
        v = v.reshape(len(v), -1)
        return {i: v[self._recording.rows[i], point].item() for i in (*_operands(self._definitions[j]), j)}

    def _weights(self) -> dict[Any, float]:
        return dict(zip(self.weights, self._w.tolist(), strict=True))

    def _alone(self, j: str, weights: Mapping[Any, float]) -> ComputationalGraph:
        """Return the graph of `j` and the edges into it, for the functions of the model."""
        G = ComputationalGraph()
        G.add_node(j, **self._definitions[j])
        G.add_edges_from((i, j, {"weight": weights.get((i, j))}) for i in _operands(self._definitions[j]))
        return G


def _room(v: Floats, n: int) -> Floats:
    """Return room for `n` numbers at each point of `v`, which is filled point by point."""
    return np.empty((v[:, 0].size, n))


def _for_each_block(v: Floats, work: Callable[[int, Floats], None]) -> None:
    """Call `work` with every block of points, the number of the first of them and the rows, on all cores if it pays."""
    blocks = [(k * block[0].size, block) for k, block in enumerate(v)]
    for_each(work, blocks, cores() if v.size >= MANY else 1)


def _operands(definition: Mapping[str, Any]) -> tuple[str, ...]:
    expression = definition.get("expression")
    operands: tuple[str, ...] = definition.get("operands", ()) if expression is None else expression.operands
    return operands


def holds_equations(G: nx.DiGraph[Any]) -> bool:
    """Return whether equations and neurons tell the values of all nodes but the sources, which are numbers."""
    return any(is_computed(G, i) for i in G) and all(
        is_computed(G, i) or (not G.pred[i] and isinstance(data.get("value", 0.0), Real | None))
        for i, data in G.nodes(data=True)
    )


def _loops(points: int | None) -> tuple[Mapping[str, Callable[..., Any]], int]:
    """Return the loops over a tape, compiled if numba is there, else of NumPy; and how many points a block has."""
    return (compiled(TAPE_LOOPS, TAPE_CALLS, FUNCTIONS), WIDTH) if is_at_hand() else (TAPE_RUNS, points or 1)
