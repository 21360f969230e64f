"""How a tape is written: the steps of a graph one after the other, then sorted so that equal ones follow each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cgraph.algorithms.compiled.edge_arrays import Floats, Index
from cgraph.algorithms.compiled.tape.numba_rules import ADD, CHOSEN, GIVEN, OPCODES, OTHER, WEIGHTED_SUM
from cgraph.model.errors import CGraphError
from cgraph.model.evaluation import is_computed, require_operands, weights_into
from cgraph.model.graph import ComputationalGraph, topological_order
from cgraph.model.language.expressions import Apply, Expression, Name, Number
from cgraph.model.language.parsing import parse
from cgraph.model.operations.elementwise import CHOICE, OPERATIONS

__all__ = ["Program", "Recorder", "Recording", "record"]

_COPY = "identity"


class Program(NamedTuple):
    """What `run_tape` and `differentiate_tape` read; see `cgraph.algorithms.compiled.tape.numba_kernels`.

    Attributes
    ----------
    codes : ndarray of uint8, shape (runs,)
        The operation of each run.
    bounds : ndarray of uint32, shape (runs + 1,)
        Where each run begins.
    first, second : ndarray of uint32, shape (rows,)
        The rows that each row reads, or where the operands of a weighted sum begin and end.
    operands : ndarray of uint32, shape (terms of all weighted sums,)
        The rows that the weighted sums read.
    """

    codes: Index
    bounds: Index
    first: Index
    second: Index
    operands: Index


@dataclass(frozen=True, eq=False)
class Recording:
    """A program, and where the nodes and the weights of the graph stand in it.

    Attributes
    ----------
    program : Program
        The steps.
    rows : dict
        The row of each node, in topological order.
    owners : ndarray of int, shape (rows,)
        The node that each row belongs to, by its place in `rows`.
    given : ndarray of float64
        The values of the rows that are given, which are the first ones; nan where there is none.
    weights : dict
        The weights of the graph and their values: of edges by their ends, then of nodes by their names.
    terms : ndarray of int
        Of every term of a weighted sum, which of the weights it has.
    tails, heads : ndarray of uint32
        Of every weight on an edge (i, j), the rows of y(i) and of s(j).
    """

    program: Program
    rows: dict[str, int]
    owners: NDArray[np.intp]
    given: Floats
    weights: dict[Any, float]
    terms: NDArray[np.intp]
    tails: Index
    heads: Index


def record(G: ComputationalGraph) -> Recording:
    """Return the program of a graph whose nodes all hold a value or an equation, or are neurons."""
    recorder = Recorder()
    steps: dict[str, int] = {}
    sums: dict[str, int] = {}
    on_edges: dict[Any, float] = {}
    lengths = []
    for j in topological_order(G):
        data = G.nodes[j]
        if not is_computed(G, j):
            value = data.get("value")
            steps[j] = recorder.give(np.nan if value is None else float(value))
        elif "expression" in data:
            require_operands(G, j)
            steps[j] = _record_equation(recorder, steps, data["expression"])
        else:
            weights = dict(weights_into(G, j))
            sums[j] = recorder.add_up([steps[i] for i in weights])
            steps[j] = recorder.apply(data["activation"], [sums[j]])
            on_edges |= {(i, j): float(w) for i, w in weights.items()}
        lengths.append(len(recorder))
    program, rank, terms = recorder.sorted()
    owners = np.empty(len(rank), np.intp)
    owners[rank] = np.repeat(np.arange(len(lengths)), np.diff(lengths, prepend=0))
    # The terms were recorded in topological order; the weights are in that of the graph.
    edges = [(i, j) for j in G if j in sums for i in G.nodes[j]["operands"]]
    place = dict(zip(edges, range(len(edges)), strict=True))
    in_nodes = {w: np.nan if (value := G.nodes[w].get("value")) is None else float(value) for w in G.weights}
    return Recording(
        program=program,
        rows={i: int(rank[k]) for i, k in steps.items()},
        owners=owners,
        given=np.array(recorder.given),
        weights={edge: on_edges[edge] for edge in edges} | in_nodes,
        terms=np.array([place[edge] for edge in on_edges], np.intp)[terms],
        tails=rank[[steps[i] for i, _ in edges]].astype(np.uint32),
        heads=rank[[sums[j] for _, j in edges]].astype(np.uint32),
    )


def _record_equation(recorder: Recorder, steps: Mapping[str, int], expression: Expression) -> int:
    """Record the steps of an equation and return the last, the node's own."""
    last = recorder.record(expression, steps)
    return last if isinstance(expression.steps[-1], Apply) else recorder.apply(_COPY, [last])


class Recorder:
    """Steps in an order in which they can be computed; each is told by its number."""

    def __init__(self) -> None:
        self.steps: list[tuple[int, int, int]] = []  # opcode, two operands
        self._levels: list[int] = []  # the longest way from what is given
        self._terms: list[int] = []
        self.given: list[float] = []

    def __len__(self) -> int:
        return len(self.steps)

    def give(self, value: float) -> int:
        """Append a step whose value is known."""
        self.given.append(value)
        return self._append(GIVEN, 0, 0, 0)

    def record(self, expression: Expression, steps: Mapping[str, int]) -> int:
        """Append the steps of an equation in what `steps` names, and return the last."""
        done: list[int] = []
        for step in expression.steps:
            match step:
                case Name(name=name):
                    done.append(steps[name])
                case Number(value=value):
                    done.append(self.give(value))
                case Apply(operation=operation, operands=operands):
                    done.append(self.apply(operation, [done[k] for k in operands]))
        return done[-1]

    def apply(self, operation: str, x: Sequence[int]) -> int:
        """Append an operation; one on three steps or more by its equation, a choice as the sum of two halves."""
        if operation in OPCODES:
            level = 1 + max(self._levels[i] for i in x)
            return self._append(OPCODES[operation], x[0], x[-1], level)
        row = OPERATIONS.get(operation)
        if row is None:
            raise CGraphError(f"compiled graphs have no operation {operation!r}; evaluate and linearize do")
        if row is not CHOICE:
            return self.record(parse(row.value), dict(zip(row.names, x, strict=True)))
        condition, chosen, other = x
        first, second = self.apply(CHOSEN, [condition, chosen]), self.apply(OTHER, [condition, other])
        return self._append(ADD, first, second, 1 + max(self._levels[first], self._levels[second]))

    def add_up(self, operands: list[int]) -> int:
        """Append a weighted sum of steps."""
        if not operands:
            return self.give(0.0)
        begin = len(self._terms)
        self._terms += operands
        level = 1 + max(self._levels[i] for i in operands)
        return self._append(WEIGHTED_SUM, begin, len(self._terms), level)

    def sorted(self) -> tuple[Program, NDArray[np.intp], NDArray[np.intp]]:
        """Return the program, the row of each step in it, and which of the recorded terms its terms are.

        Notes
        -----
        Steps of one level do not read each other, so that they may be sorted by operation. Long runs spare the
        processor a guess for each step: on random graphs of arithmetic that is half of the time.
        """
        opcodes, first, second = np.array(self.steps, np.int64).reshape(-1, 3).T
        levels = np.array(self._levels)
        order = np.lexsort((opcodes, levels))
        rank = np.empty(len(order), np.intp)
        rank[order] = np.arange(len(order))
        opcodes, first, second = opcodes[order], first[order], second[order]
        sums = opcodes == WEIGHTED_SUM
        lengths = (second - first)[sums]
        ends = np.cumsum(lengths)
        terms = np.repeat(first[sums] - ends + lengths, lengths) + np.arange(len(self._terms))
        first, second = rank[np.where(sums, 0, first)], rank[np.where(sums, 0, second)]
        first[sums], second[sums] = ends - lengths, ends
        begins = np.flatnonzero(np.diff(opcodes, prepend=-1) | np.diff(levels[order], prepend=-1))
        operands = rank[np.array(self._terms, np.intp)[terms]]
        bounds = np.append(begins, len(order))
        parts = (bounds, first, second, operands)
        return Program(opcodes[begins].astype(np.uint8), *(part.astype(np.uint32) for part in parts)), rank, terms

    def _append(self, opcode: int, first: int, second: int, level: int) -> int:
        self.steps.append((opcode, first, second))
        self._levels.append(level)
        return len(self.steps) - 1
