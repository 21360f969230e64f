"""The equations of a graph as one straight-line program over arrays: the forward pass and all gradients.

Every row of the tape is one step of one equation, and the nodes' own rows stand among them. A sweep down the
tape computes all values, a sweep up it S(k,t) of a node t by every row k; both for many points at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any, NoReturn, final

import networkx as nx
import numpy as np
from numpy.typing import ArrayLike, NDArray

from cgraph.algorithms.kernels import Floats, compiled
from cgraph.algorithms.tape_kernels import OPCODES, TAPE_LOOPS
from cgraph.model.errors import EvaluationError, InvalidNodeError, MissingValueError, NodeNotFound
from cgraph.model.evaluation import local_derivatives, steps_of
from cgraph.model.expressions import Apply, Expression, Name, Number
from cgraph.model.graph import ComputationalGraph, topological_order

__all__ = ["Tape", "holds_equations"]


@final
class Tape:
    """The equations of a graph, each step of them a row.

    Parameters
    ----------
    G : ComputationalGraph
        Acyclic; every node holds a value or an equation.

    Notes
    -----
    Rows are appended in topological order. A number has a row of its own, and so has every node: one whose
    equation is a single name or number copies it, so that S by that node and S by what it copies stay apart.
    """

    def __init__(self, G: ComputationalGraph) -> None:
        self._roles = {i: str(role) for i, role in G.nodes(data="role")}
        self._expressions: dict[str, Expression] = {}
        self._rows: dict[str, int] = {}
        self._given: dict[int, float] = {}
        self._steps: list[tuple[int, int, int, bool]] = []  # opcode, two operands, whether it varies
        for j in topological_order(G):
            expression, value = G.nodes[j].get("expression"), G.nodes[j].get("value")
            if expression is None:
                self._rows[j] = self._append_given(np.nan if value is None else float(value), varies=True)
            else:
                self._expressions[j] = expression
                self._rows[j] = self._append_equation(expression)
        steps = np.array(self._steps, np.uint32).reshape(-1, 4).T
        self._program = (steps[0].astype(np.uint8), steps[1].copy(), steps[2].copy())
        self._flags = steps[3].astype(bool)
        self._node_rows = np.array([self._rows[i] for i in G], np.intp)
        self._given_rows = np.array(list(self._given), np.intp)
        self._defaults = np.array(list(self._given.values()), np.float64)[:, None]
        read = {i for e in self._expressions.values() for i in e.operands} - set(self._expressions)
        self._read = [i for i in G if i in read]
        self._read_rows = np.array([self._rows[i] for i in self._read], np.intp)
        # The values of all rows where `evaluate` was last, and at how many points.
        self._v: Floats | None = None
        self._points: int | None = None

    def evaluate(self, inputs: Mapping[str, ArrayLike] | None = None) -> Floats:
        """Return the values of all nodes, in the order of the graph; see `CompiledGraph.evaluate`."""
        given, points = self._given_values(inputs or {})
        v = np.empty((len(self._steps), 1 if points is None else points))
        v[self._given_rows] = self._defaults
        for i, values in given.items():
            v[self._rows[i]] = values
        self._require_values(v)
        with np.errstate(all="ignore"):
            wrong = _loops()["run_tape"](*self._program, v)
        if wrong >= 0:
            self._explain_value(int(wrong), v)
        self._v, self._points = v, points
        values = v[self._node_rows]
        return values[:, 0] if points is None else values

    def gradient(self, t: str) -> Floats:
        """Return S(i,t) of all nodes i at the last points; see `CompiledGraph.gradient`."""
        if self._v is None:
            raise EvaluationError("nothing has been evaluated yet; call evaluate before gradient")
        S = np.zeros_like(self._v)
        S[self._rows[t]] = 1.0
        with np.errstate(all="ignore"):
            _loops()["differentiate_tape"](*self._program, self._flags, self._v, S)
        by_nodes: Floats = S[self._node_rows] if self._points is not None else S[self._node_rows, 0]
        if not np.isfinite(by_nodes).all():
            self._explain_derivative(by_nodes, t, self._v)
        return by_nodes

    def _append(self, operation: str, first: int, second: int, *, varies: bool) -> int:
        self._steps.append((OPCODES[operation], first, second, varies))
        return len(self._steps) - 1

    def _append_given(self, value: float, *, varies: bool) -> int:
        row = self._append("given", 0, 0, varies=varies)
        self._given[row] = value
        return row

    def _append_equation(self, expression: Expression) -> int:
        """Append the steps of an equation and return the row of its result."""
        rows: list[int] = []
        # The last row is the node itself, by which others are differentiated even if it is a constant.
        for step, varies in zip(expression.steps, (*expression.varies[:-1], True), strict=True):
            match step:
                case Name(name=name):
                    rows.append(self._rows[name])
                case Number(value=value):
                    rows.append(self._append_given(value, varies=False))
                case Apply(operation=operation, operands=operands):
                    rows.append(self._append(operation, rows[operands[0]], rows[operands[-1]], varies=varies))
        if isinstance(step, Apply):
            return rows[-1]
        return self._append("identity", rows[-1], rows[-1], varies=True)

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

    def _require_values(self, v: Floats) -> None:
        missing = np.isnan(v[self._read_rows, 0])
        if missing.any():
            i = self._read[int(missing.argmax())]
            j = next(j for j, expression in self._expressions.items() if i in expression.operands)
            raise MissingValueError(f"node {i!r} has no value, and {j!r} needs it; give it one")

    def _explain_value(self, row: int, v: Floats) -> NoReturn:
        """Raise what `evaluate` raises at the first point where `row` is not finite."""
        node = next(j for j in self._expressions if self._rows[j] >= row)
        point = int(np.flatnonzero(~np.isfinite(v[row]))[0])
        with np.errstate(all="ignore"):
            steps_of(self._expressions[node], self._values_at(node, point, v), node)
        raise EvaluationError(f"node {node!r}: the value of its equation is not finite")

    def _explain_derivative(self, S: Floats, t: str, v: Floats) -> NoReturn:
        """Raise what `linearize` raises at the first point where `S` is not finite."""
        node, point = np.argwhere(~np.isfinite(S.reshape(len(S), -1)))[-1].tolist()
        for j, expression in self._expressions.items():
            local_derivatives(expression, self._values_at(j, point, v), j)
        raise EvaluationError(
            f"S({list(self._roles)[node]}, {t}) overflows: the product of the derivatives is too large"
        )

    def _values_at(self, node: str, point: int, v: Floats) -> dict[str, float]:
        return {i: v[self._rows[i], point].item() for i in self._expressions[node].operands}


def holds_equations(G: nx.DiGraph[Any]) -> bool:
    """Return whether equations of numbers tell the values of all nodes but the sources."""
    return any("expression" in data for _, data in G.nodes(data=True)) and all(
        "expression" in data or (not G.pred[i] and isinstance(data.get("value", 0.0), Real | None))
        for i, data in G.nodes(data=True)
    )


def _loops() -> Mapping[str, Callable[..., Any]]:
    """Return the loops over a tape, compiled if numba is there."""
    try:
        return compiled(TAPE_LOOPS)
    except ImportError:
        return {loop.__name__: loop for loop in TAPE_LOOPS}
