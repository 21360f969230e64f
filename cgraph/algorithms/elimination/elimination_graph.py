"""What every elimination works on: the edges that are left, and a count of what was multiplied and added.

Sources and sinks are never eliminated. An input that other nodes feed, or an output that feeds other nodes, lies
between others and is one of the nodes to eliminate; a copy of it, a `Terminal`, stays in its place as source or
sink, joined to it by an edge of derivative 1 that costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeGuard

import networkx as nx
import numpy as np

from cgraph.model.errors import CGraphError, DerivativeError, EvaluationError, NodeNotFound, OrderError
from cgraph.model.extended_range import in_floats
from cgraph.model.graph import Node, require_node, topological_order
from cgraph.model.linearized import compose, edge_derivative, require_digraph
from cgraph.model.operations.structured_jacobians import Jacobian

__all__ = [
    "COSTS",
    "EliminationGraph",
    "Partial",
    "Tally",
    "Terminal",
    "given_ends",
    "is_matrix",
    "require_order",
    "shape",
]

MOST_ENTRIES = 10_000_000
COSTS = {
    "standard": "every product is charged",
    "unit": "a product with a structural +1 or -1 is free",
}


@dataclass(frozen=True)
class Terminal:
    """The source or sink that stands for an input or output which is itself between other nodes."""

    node: Node
    kind: Literal["input", "output"]


class Partial(NamedTuple):
    """What an edge holds during an elimination: its derivative, and whether products with it are free."""

    value: Any
    free: bool = False


class Tally:
    """Sums and products of `Partial`, counted as operations on scalars."""

    def __init__(self) -> None:
        self.multiplications = 0
        self.additions = 0

    def product(self, later: Partial, earlier: Partial) -> Partial:
        """Return `later` times `earlier`; a structural +1 or -1 changes at most the sign, and is not charged."""
        if later.free:
            return earlier if later.value == 1 else Partial(-earlier.value, earlier.free)
        if earlier.free:
            return later if earlier.value == 1 else Partial(-later.value)
        (n, m), (_, k) = shape(later.value), shape(earlier.value)
        self.multiplications += n * m * k
        self.additions += n * (m - 1) * k
        if is_matrix(later.value) and is_matrix(earlier.value):
            return Partial(later.value @ earlier.value)
        if is_matrix(later.value) or is_matrix(earlier.value):
            return Partial(later.value * earlier.value)
        return Partial(compose(later.value, earlier.value))

    def sum(self, old: Partial, new: Partial) -> Partial:
        """Return `old` + `new`, which is no structural 1 whatever its terms are."""
        n, k = shape(old.value)
        self.additions += n * k
        return Partial(old.value + new.value)


class EliminationGraph:
    """A linearized graph on the way to its Jacobian.

    Parameters
    ----------
    L, inputs, outputs, cost, unit, derivative
        As in `eliminate`.

    Attributes
    ----------
    succ, pred : dict of dict
        ``succ[i][j]`` and ``pred[j][i]`` are the same `Partial`, z(i,j).
    inputs, outputs : dict
        From each source or sink of this graph to the node of `L` that it stands for.
    intermediates : list of nodes
        What has to be eliminated, in the order of `L`.
    topological : list of nodes
        The same, in topological order.
    sizes : dict
        The number of entries of every node: 1, or a dimension of the matrices on its edges.
    tally : Tally
        What has been done so far.
    """

    def __init__(
        self,
        L: nx.DiGraph[Any],
        inputs: Iterable[Node] | None,
        outputs: Iterable[Node] | None,
        *,
        cost: str,
        unit: str,
        derivative: str,
    ) -> None:
        if cost not in COSTS:
            raise CGraphError(f"there is no cost model {cost!r}; choose one of: {', '.join(COSTS)}")
        z = _local_derivative(L, derivative, unit if cost == "unit" else None)
        order = topological_order(L)
        given_inputs, given_outputs = given_ends(L, inputs, outputs)
        self.tally = Tally()
        self.succ: dict[Any, dict[Any, Partial]] = {i: {} for i in L}
        self.pred: dict[Any, dict[Any, Partial]] = {i: {} for i in L}
        for i, j in L.edges:
            self.put(i, j, z(i, j))
        self.sizes = _sizes(L, self.succ)
        self.inputs = {self._terminal(i, "input", L.pred[i] or i in given_outputs): i for i in given_inputs}
        self.outputs = {self._terminal(i, "output", L.succ[i] or i in given_inputs): i for i in given_outputs}
        self.intermediates = [i for i in L if i not in self.inputs and i not in self.outputs]
        self.topological = [i for i in order if i not in self.inputs and i not in self.outputs]

    def bypass(self, i: Node, j: Node, k: Node) -> None:
        """Add to z(i,k) what reaches k from i through j: z(i,k) += z(j,k) z(i,j)."""
        through_j = self.tally.product(self.succ[j][k], self.succ[i][j])
        old = self.succ[i].get(k)
        self.put(i, k, through_j if old is None else self.tally.sum(old, through_j))

    def remove_edge(self, i: Node, j: Node) -> None:
        """Take out one edge."""
        del self.succ[i][j], self.pred[j][i]

    def remove_node(self, j: Node) -> None:
        """Take out a node and its edges."""
        for i in self.pred.pop(j):
            del self.succ[i][j]
        for k in self.succ.pop(j):
            del self.pred[k][j]

    def jacobian(self, derivative: str) -> nx.DiGraph[Any]:
        """Return the graph whose edges lead from inputs to outputs, once every intermediate node is gone."""
        J: nx.DiGraph[Any] = nx.DiGraph()
        J.add_nodes_from([*self.inputs.values(), *self.outputs.values()])
        for source, i in self.inputs.items():
            for sink, partial in self.succ[source].items():
                if sink in self.outputs:  # or else a dead end, which edges and faces leave where it is
                    o = self.outputs[sink]
                    value = np.eye(n) if i == o and (n := self.sizes[i]) > 1 else _finite(partial.value, i, o)
                    J.add_edge(i, o, **{derivative: value})
        return J

    def put(self, i: Node, j: Node, partial: Partial) -> None:
        """Set z(i,j)."""
        self.succ[i][j] = self.pred[j][i] = partial

    def _terminal(self, i: Node, kind: Literal["input", "output"], between: object) -> Node:
        if not between:
            return i
        copy = Terminal(i, kind)
        self.succ[copy], self.pred[copy], self.sizes[copy] = {}, {}, self.sizes[i]
        i, j = (copy, i) if kind == "input" else (i, copy)
        self.put(i, j, Partial(1, free=True))
        return copy


def require_order(E: EliminationGraph, order: Sequence[Node]) -> None:
    """Raise `OrderError` unless `order` holds the intermediate nodes of `E`, each once."""
    if isinstance(order, str):
        raise OrderError(f"{order!r} is no order; find one by elimination_order(L, method={order!r})")
    waiting = dict.fromkeys(E.intermediates)
    for position, j in enumerate(order):
        if j in waiting:
            del waiting[j]
            continue
        if j not in E.succ:
            raise NodeNotFound(j, [i for i in E.succ if not isinstance(i, Terminal)])
        if j in E.inputs or j in E.outputs:
            raise OrderError(f"node {j!r} is an input or an output, which stays; take it out of the order")
        raise OrderError(f"node {j!r} stands twice in the order, the second time at position {position}; take one out")
    if waiting:
        first = ", ".join(map(repr, list(waiting)[:5])) + (", ..." if len(waiting) > 5 else "")
        raise OrderError(f"the order lacks {len(waiting)} of {len(E.intermediates)} intermediate nodes: {first}")


def is_matrix(value: object) -> TypeGuard[np.ndarray[Any, Any]]:
    """Whether a derivative is a matrix: its products are ``@``, the later one on the left."""
    return isinstance(value, np.ndarray)


def shape(value: Any) -> tuple[int, int]:
    """Return the shape of a derivative; a number is 1 x 1."""
    return value.shape if is_matrix(value) else (1, 1)


def given_ends(
    L: nx.DiGraph[Any], inputs: Iterable[Node] | None, outputs: Iterable[Node] | None
) -> tuple[dict[Any, None], dict[Any, None]]:
    """Return inputs and outputs without repetitions: the sources and the sinks of `L` where they are not given."""
    require_digraph(L)
    sources, sinks = [i for i in L if not L.pred[i]], [i for i in L if not L.succ[i]]
    return _given(L, inputs, "inputs", sources), _given(L, outputs, "outputs", sinks)


def _given(L: nx.DiGraph[Any], nodes: Iterable[Node] | None, what: str, default: list[Any]) -> dict[Any, None]:
    if isinstance(nodes, str):
        raise CGraphError(f"{what}={nodes!r} is one text, not a sequence of nodes; write {what}=[{nodes!r}]")
    chosen = dict.fromkeys(default if nodes is None else nodes)
    require_node(L, *chosen)
    return chosen


def _local_derivative(L: nx.DiGraph[Any], derivative: str, unit: str | None) -> Callable[[Node, Node], Partial]:
    """Return the function of an edge that reads its `Partial`, and refuses what is no finite number or matrix."""
    scalar = edge_derivative(L, derivative)

    def z(i: Node, j: Node) -> Partial:
        data = L.edges[i, j]
        value = data.get(derivative)
        if is_matrix(value) and value.ndim == 2 and not (value.size and np.isfinite(value).all()):
            raise DerivativeError(
                f"edge {i!r} -> {j!r} holds a matrix that is empty or not finite; correct {derivative!r}"
            )
        if not is_matrix(value) or value.dtype.kind in "iuf":
            value = _written_out(scalar(i, j), i, j)
        free = unit is not None and bool(data.get(unit))
        if free and (is_matrix(value) or value not in (1, -1)):
            raise DerivativeError(
                f"edge {i!r} -> {j!r} is marked {unit!r} and holds {value!r}; only +1 and -1 are free, remove the mark"
            )
        return Partial(value, free)

    return z


def _written_out(value: Any, i: Node, j: Node) -> Any:
    """Return a Jacobian as the matrix that an elimination multiplies."""
    if not isinstance(value, Jacobian):
        return value
    m, n = value.shape
    if m * n > MOST_ENTRIES:
        raise DerivativeError(
            f"edge {i!r} -> {j!r} holds a {m} x {n} Jacobian; an elimination writes it out, and the limit is "
            f"{MOST_ENTRIES:,} entries; sensitivities(L, t) multiply without"
        )
    return value.dense()


def _sizes(L: nx.DiGraph[Any], succ: dict[Any, dict[Any, Partial]]) -> dict[Any, int]:
    """Return the number of entries of every node, on which all edges at the node must agree."""
    sizes: dict[Any, int] = {}
    for i, j in L.edges:
        rows, columns = shape(succ[i][j].value)
        for node, size in ((i, columns), (j, rows)):
            if sizes.setdefault(node, size) != size:
                raise DerivativeError(
                    f"edge {i!r} -> {j!r} holds a {rows} x {columns} Jacobian, but {node!r} has {sizes[node]} entries "
                    f"by another edge; z(i,j) has a row for each entry of j and a column for each entry of i"
                )
    return {i: sizes.get(i, 1) for i in L}


def _finite(value: Any, i: Node, o: Node) -> Any:
    value = in_floats(value)
    if type(value) is int:  # the exact 1 between an input and an output that are the same node
        return float(value)
    if is_matrix(value):
        value = value.copy()  # an edge from input to output holds the matrix that stands on the graph
    if isinstance(value, float | complex | np.ndarray) and not np.isfinite(value).all():
        raise EvaluationError(f"S({i}, {o}) overflows: a product of the derivatives exceeds 1.8e308")
    return value
