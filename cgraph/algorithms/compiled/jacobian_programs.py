"""A Jacobian as one tape: the steps of the equations, their derivatives, and the products and sums of an elimination.

The derivatives of an operation are equations of the language, so that they are recorded as the equations are; and an
elimination that multiplies and adds `Entry` in place of numbers records what it does. What comes out is a program like
that of the values alone, which the same loops run, at one point or at many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import networkx as nx
import numpy as np

from cgraph.algorithms.compiled.edge_arrays import Floats, Index
from cgraph.algorithms.compiled.jit import can_compile
from cgraph.algorithms.compiled.straight_costs import costs
from cgraph.algorithms.compiled.tape.numba_rules import ADD, GIVEN, MUL, ROWS, SUB, slope
from cgraph.algorithms.compiled.tape.program import Program, Recorder
from cgraph.algorithms.elimination.eliminations import eliminate, intermediates
from cgraph.algorithms.elimination.orders import METHODS, elimination_order
from cgraph.model.errors import CGraphError
from cgraph.model.evaluation import is_computed, require_operands, weights_into
from cgraph.model.graph import ComputationalGraph, topological_order
from cgraph.model.language.expressions import Apply, Expression, Number
from cgraph.model.operations.elementwise import Operation
from cgraph.model.rules.differentiation import rules_of
from cgraph.model.rules.generate import functions_of

__all__ = ["JacobianProgram", "accumulate"]

_OPERATIONS = tuple(ROWS.values())
_NAMES = {row: name for name, row in ROWS.items()}
# "auto" searches where there are at most so many steps between, so often.
SEARCHED = 1_000
COUNTED = 10_000  # of more, the products of the two sweeps are not counted
EVALUATIONS = 3_000
IN_MACHINE_CODE = 30_000


@dataclass(frozen=True, eq=False)
class JacobianProgram:
    """The program of a Jacobian, and where its numbers stand.

    Attributes
    ----------
    program : Program
        The steps.
    recorded : ndarray of uint32, shape (rows,)
        The rows in the order in which they were recorded, each after those that it reads.
    before : int
        How many of them were recorded before the elimination.
    given : ndarray of float64
        The values of the first rows; nan where there is none.
    rows : dict
        The row of every input, weight and constant, and of every weight on an edge by its ends.
    values : ndarray of uint32
        The rows of the targets.
    entries : ndarray of uint32, shape (3, entries)
        Target, source and row of each entry of the Jacobian that is not 0 by structure.
    order : list of int
        The steps in the order in which they were eliminated.
    multiplications, additions : int
        Those of the elimination.
    """

    program: Program
    recorded: Index
    before: int
    given: Floats
    rows: dict[Any, int]
    values: Index
    entries: Index
    order: list[int]
    multiplications: int
    additions: int


class _Sharing(Recorder):
    """Steps in which x^2 is the product that it stands for, and one that is there already serves derivatives too."""

    def __init__(self) -> None:
        super().__init__()
        self.shares = False  # set while local derivatives are recorded
        self._known: dict[Any, int] = {}

    def give(self, value: float) -> int:
        """Append a step whose value is known."""
        if not self.shares:
            return super().give(value)
        if value not in self._known:
            self._known[value] = super().give(value)
        return self._known[value]

    def apply(self, operation: str, x: Sequence[int]) -> int:
        """Append an operation."""
        key = (operation, *x)
        if not self.shares or key not in self._known:
            self._known[key] = super().apply(operation, x)
        return self._known[key]

    def record(self, expression: Expression, steps: Mapping[str, int]) -> int:
        """Append the steps of an equation, and return the last."""
        return super().record(Expression(tuple(_product(expression, step) for step in expression.steps)), steps)


def _product(expression: Expression, step: Any) -> Any:
    """Return a step, or the product in place of a square."""
    match step:
        case Apply(operation="pow", operands=(x, b)):
            match expression.steps[b]:
                case Number(value=2):
                    return Apply("mul", (x, x))
    return step


@dataclass(frozen=True)
class Entry:
    """A number that is known when the program runs: a step, with its sign; what is done with it is recorded."""

    recorder: Recorder
    step: int
    sign: int = 1

    def __neg__(self) -> Entry:
        return Entry(self.recorder, self.step, -self.sign)

    def __mul__(self, other: Entry | float) -> Entry:
        other = self._entry(other)
        return Entry(self.recorder, self.recorder.apply("mul", [self.step, other.step]), self.sign * other.sign)

    def __add__(self, other: Entry | float) -> Entry:
        other = self._entry(other)
        if self.sign == other.sign:
            return Entry(self.recorder, self.recorder.apply("add", [self.step, other.step]), self.sign)
        plus, minus = (self, other) if self.sign > 0 else (other, self)
        return Entry(self.recorder, self.recorder.apply("sub", [plus.step, minus.step]))

    __rmul__, __radd__ = __mul__, __add__

    def _entry(self, other: Entry | float) -> Entry:
        return other if isinstance(other, Entry) else Entry(self.recorder, self.recorder.give(float(other)))


def accumulate(
    G: ComputationalGraph, sources: Sequence[Any], targets: Sequence[str], order: str | Sequence[int]
) -> JacobianProgram:
    """Return the program of dy(targets)/dy(sources); `order` is as in `cgraph.jacobian_function`."""
    recorder = _Sharing()
    steps = _record_values(recorder, G)
    ss, ts = [steps[s] for s in sources], [steps[t] for t in targets]
    recorder.shares = True
    L = _linearized(recorder, ss, ts)
    recorder.shares = False
    order = _order(L, ss, ts, order)
    before = len(recorder)
    S = eliminate(L, order, inputs=ss, outputs=ts, cost="unit").graph
    opcodes = [opcode for opcode, _, _ in recorder.steps[before:]]
    entries = [
        (row, column, _step(recorder, S.edges[s, t]["derivative"]))
        for row, t in enumerate(ts)
        for column, s in enumerate(ss)
        if S.has_edge(s, t)
    ]
    program, rank, _ = recorder.sorted()
    rows, columns, of_entries = np.array(entries, np.intp).reshape(-1, 3).T
    return JacobianProgram(
        program=program,
        recorded=rank.astype(np.uint32),
        before=before,
        given=np.array(recorder.given),
        rows={i: int(rank[k]) for i, k in steps.items() if isinstance(i, tuple) or not is_computed(G, i)},
        values=rank[ts].astype(np.uint32),
        entries=np.array([rows, columns, rank[of_entries]]).astype(np.uint32),
        order=order,
        multiplications=opcodes.count(MUL),
        additions=opcodes.count(ADD) + opcodes.count(SUB),
    )


def _record_values(recorder: Recorder, G: ComputationalGraph) -> dict[Any, int]:
    """Record the forward pass, and return the step of each node and of each weight on an edge."""
    steps: dict[Any, int] = {}
    for j in topological_order(G):
        data = G.nodes[j]
        if not is_computed(G, j):
            value = data.get("value")
            steps[j] = recorder.give(np.nan if value is None else float(value))
        elif "expression" in data:
            require_operands(G, j)
            steps[j] = recorder.record(data["expression"], steps)
        else:
            terms = []
            for i, w in weights_into(G, j):
                steps[i, j] = recorder.give(float(w))
                terms.append(recorder.apply("mul", [steps[i, j], steps[i]]))
            s = terms[0] if terms else recorder.give(0.0)
            for term in terms[1:]:
                s = recorder.apply("add", [s, term])
            steps[j] = recorder.apply(data["activation"], [s])
    return steps


def _linearized(recorder: Recorder, sources: Iterable[int], targets: Iterable[int]) -> nx.DiGraph[Any]:
    """Return the graph of the steps between sources and targets, whose edges hold what their derivatives are."""
    computed = [step for step in enumerate(recorder.steps) if step[1][0] != GIVEN]
    operands = {k: dict.fromkeys((i, j)) for k, (_, i, j) in computed}
    reached, needed = set(sources), set(targets)
    for k, step in operands.items():
        if reached.intersection(step):
            reached.add(k)
    for k, step in reversed(operands.items()):
        if k in needed:
            needed.update(step)
    L: nx.DiGraph[Any] = nx.DiGraph()
    L.add_nodes_from(sorted({*sources, *targets}))
    for k, (opcode, first, second) in computed:
        if k not in reached or k not in needed:
            continue
        row = _OPERATIONS[opcode - ADD]
        values = dict(zip(row.names, (first, second), strict=False)) | {"y": k}
        for position, i in enumerate((first, second)[: len(row.names)]):
            if i in reached:
                _join(L, i, k, _derivative(recorder, row, position, values))
    _drop_loose_ends(L, set(sources), set(targets))
    return L


def _drop_loose_ends(L: nx.DiGraph[Any], sources: set[int], targets: set[int]) -> None:
    """Remove what is on no path from a source to a target: edges that are 0 at every point, as of x - x, are missing."""
    for k in sorted(set(L) - sources):
        if not L.pred[k]:
            L.remove_edges_from(list(L.out_edges(k)))
    for k in sorted(set(L) - targets, reverse=True):
        if not L.succ[k]:
            L.remove_edges_from(list(L.in_edges(k)))
    L.remove_nodes_from([k for k in set(L) - sources - targets if not L.pred[k]])


def _derivative(recorder: Recorder, row: Operation, position: int, values: dict[str, int]) -> Entry | int:
    """Return the derivative of an operation: 1, -1 or 0 where it is so at every point, else what was recorded for it."""
    rule = rules_of(row)[position]
    if not rule.operands:
        z = float(functions_of(row).derivatives[position](*[0.5] * (1 + len(row.names))))
        return int(z) if z in (-1, 0, 1) else Entry(recorder, recorder.give(z))
    if row.far is not None:
        return Entry(recorder, recorder.apply(slope(_NAMES[row]), [values[row.names[0]], values["y"]]))
    return Entry(recorder, recorder.record(rule, values))


def _join(L: nx.DiGraph[Any], i: int, k: int, z: Entry | int) -> None:
    """Add `z` to the derivative from i to k; what is 0 at every point makes no edge."""
    if L.has_edge(i, k):  # x - x: the sum of 1 and -1
        z = L.edges[i, k]["derivative"] + z
        L.remove_edge(i, k)
    if isinstance(z, Entry) or z != 0:
        L.add_edge(i, k, derivative=z, unit=z in (-1, 1))


def _order(L: nx.DiGraph[Any], sources: list[int], targets: list[int], order: str | Sequence[int]) -> list[int]:
    """Return an order of the steps between: given, by a method, or the cheapest of those that "auto" tries."""
    if not isinstance(order, str):
        return list(order)
    if order != "auto" and order not in METHODS:
        raise CGraphError(f"there is no method {order!r}; choose one of: auto, {', '.join(METHODS)}")
    ends: dict[str, Any] = {"inputs": sources, "outputs": targets}
    forward = sorted(intermediates(L, **ends))  # a step reads earlier ones alone
    sweeps = {"forward": forward, "reverse": forward[::-1]}
    if order in sweeps:
        return sweeps[order]
    if order != "auto":
        return elimination_order(L, method=order, cost="unit", **ends)
    if len(forward) > COUNTED:
        return sweeps["reverse" if len(targets) <= len(sources) else "forward"]
    tries = list(sweeps.values())
    if len(forward) <= SEARCHED:
        tries.append(
            elimination_order(
                L, method="anneal", cost="unit", budget=IN_MACHINE_CODE if can_compile() else EVALUATIONS, **ends
            )
        )
    nanoseconds = costs()
    return min(tries, key=lambda tried: nanoseconds.of(*_instructions(L, tried, ends)))


def _instructions(L: nx.DiGraph[Any], order: Sequence[int], ends: Mapping[str, Any]) -> tuple[int, int]:
    """Return how many products an order takes, and how many sums that take up no product."""
    recorder, structure = Recorder(), L.copy()
    for _, _, data in structure.edges(data=True):
        if not data["unit"]:
            data["derivative"] = Entry(recorder, recorder.give(np.nan))
    S = eliminate(structure, order, cost="unit", **ends).graph
    results = [data["derivative"].step for *_, data in S.edges(data=True) if isinstance(data["derivative"], Entry)]
    products = {k for k, (opcode, _, _) in enumerate(recorder.steps) if opcode == MUL}
    sums = [(i, j) for opcode, i, j in recorder.steps if opcode in (ADD, SUB)]
    reads = Counter([*results, *chain.from_iterable(step[1:] for step in recorder.steps if step[0] != GIVEN)])
    take_up = sum(any(i in products and reads[i] == 1 for i in operands) for operands in sums)
    return len(products), len(sums) - take_up


def _step(recorder: Recorder, S: Any) -> int:
    """Return the step of an entry of the Jacobian."""
    if not isinstance(S, Entry):
        return recorder.give(float(S))
    return S.step if S.sign > 0 else recorder.apply("neg", [S.step])
