"""Which edges there are, without their numbers: what the cost of an order depends on.

Nodes are numbered, and sets of nodes are the bits of integers, so that a search can try some ten thousand orders a
second. After the nodes of a set X have been eliminated, in whatever order, there is an edge from i to k where a path
leads from i to k through X. The cost of eliminating v next is therefore a function of v and the set X alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import networkx as nx

from cgraph.algorithms.elimination_graph import EliminationGraph

__all__ = ["Pattern", "bits", "least_costs", "pattern_of"]


class Pattern:
    """The edges of an elimination graph as bitsets.

    Attributes
    ----------
    pred, succ : list of int
        Bit i of ``pred[j]`` and bit j of ``succ[i]`` are set if edge (i, j) is there. What stands at a node that
        has been eliminated means nothing.
    sizes : list of int
        The number of entries of each node.
    """

    __slots__ = ("pred", "sizes", "succ", "weigh")

    def __init__(self, pred: list[int], succ: list[int], sizes: list[int], weigh: Callable[[int], int]) -> None:
        self.pred, self.succ, self.sizes, self.weigh = pred, succ, sizes, weigh

    def copy(self) -> Pattern:
        """Return a pattern that can be eliminated in apart from this one."""
        return Pattern(self.pred[:], self.succ[:], self.sizes, self.weigh)

    def cost(self, v: int) -> int:
        """Return the multiplications that eliminating `v` costs: ``|pred(v)| * |succ(v)|``, weighed by sizes."""
        return self.sizes[v] * self.weigh(self.pred[v]) * self.weigh(self.succ[v])

    def eliminate(self, v: int) -> int:
        """Join every predecessor of `v` to every successor, take `v` out, and return the cost."""
        cost = self.cost(v)
        pred, succ = self.pred, self.succ
        before, after, others = pred[v], succ[v], ~(1 << v)
        # The loops of `bits`, written out: this is where a search spends its time.
        rest = before
        while rest:
            i = (rest & -rest).bit_length() - 1
            rest &= rest - 1
            succ[i] = (succ[i] | after) & others
        rest = after
        while rest:
            k = (rest & -rest).bit_length() - 1
            rest &= rest - 1
            pred[k] = (pred[k] | before) & others
        return cost

    def charged(self, v: int) -> tuple[int, int]:
        """Return the predecessors and successors of `v` whose edges are charged: here, all."""
        return self.pred[v], self.succ[v]


class UnitPattern(Pattern):
    """A pattern in which products with some edges are free: structural +1 and -1.

    An edge is free as long as it stands for a single path, all of whose edges are free; so this, too, depends on the
    set of eliminated nodes alone.
    """

    __slots__ = ("free_pred", "free_succ")

    def __init__(self, pattern: Pattern, free_pred: list[int], free_succ: list[int]) -> None:
        super().__init__(pattern.pred, pattern.succ, pattern.sizes, pattern.weigh)
        self.free_pred, self.free_succ = free_pred, free_succ

    def copy(self) -> UnitPattern:
        """Return a pattern that can be eliminated in apart from this one."""
        return UnitPattern(super().copy(), self.free_pred[:], self.free_succ[:])

    def charged(self, v: int) -> tuple[int, int]:
        """Return the predecessors and successors of `v` whose edges are charged."""
        return self.pred[v] & ~self.free_pred[v], self.succ[v] & ~self.free_succ[v]

    def cost(self, v: int) -> int:
        """Return the multiplications that eliminating `v` costs."""
        before, after = self.charged(v)
        return self.sizes[v] * self.weigh(before) * self.weigh(after)

    def eliminate(self, v: int) -> int:
        """Join every predecessor of `v` to every successor, take `v` out, and return the cost."""
        before, after, free_before, free_after = self.pred[v], self.succ[v], self.free_pred[v], self.free_succ[v]
        for i in bits(before):
            product_free = free_after & ~self.succ[i] if free_before >> i & 1 else 0
            self.free_succ[i] = self.free_succ[i] & ~after & ~(1 << v) | product_free
        for k in bits(after):
            product_free = free_before & ~self.pred[k] if free_after >> k & 1 else 0
            self.free_pred[k] = self.free_pred[k] & ~before & ~(1 << v) | product_free
        cost = self.cost(v)
        super().eliminate(v)
        return cost


def bits(mask: int) -> Iterator[int]:
    """Iterate over the elements of a set of small integers, the smallest first.

    Examples
    --------
    >>> list(bits(0b10110))
    [1, 2, 4]
    """
    while mask:
        yield (mask & -mask).bit_length() - 1
        mask &= mask - 1


def pattern_of(E: EliminationGraph) -> tuple[Pattern, dict[Any, int]]:
    """Return the pattern of `E`, and the number of each node; the numbers follow the order of the graph."""
    number = {i: n for n, i in enumerate(E.succ)}

    def masks(adjacent: dict[Any, dict[Any, Any]], *, free: bool) -> list[int]:
        return [sum(1 << number[j] for j, p in adjacent[i].items() if p.free or not free) for i in number]

    sizes = [E.sizes[i] for i in number]
    # One entry each: the weight of a set is the number of its elements.
    weigh = int.bit_count if max(sizes, default=1) == 1 else lambda mask: sum(sizes[i] for i in bits(mask))
    pattern = Pattern(masks(E.pred, free=False), masks(E.succ, free=False), sizes, weigh)
    free_pred = masks(E.pred, free=True)
    return UnitPattern(pattern, free_pred, masks(E.succ, free=True)) if any(free_pred) else pattern, number


def least_costs(pattern: Pattern, vertices: Iterable[int], sources: Iterable[int], sinks: Iterable[int]) -> dict[int, int]:
    """Return for each vertex a cost that no order can undercut.

    Notes
    -----
    Whenever v is eliminated, its predecessors separate it from the sources, so there are at least as many as there
    are paths from the sources to v that share no node (Menger). Of these at least those are charged whose path
    enters v by a charged edge, since an edge that stands for a path is free only if the whole path is. The same
    holds for successors and sinks, and the cost is at least the product. Two maximum flows for each vertex.
    """
    into, out_of = _flow_network(pattern.pred, pattern.sizes, sources), _flow_network(pattern.succ, pattern.sizes, sinks)
    costs = {}
    for v in vertices:
        before, after = pattern.charged(v)
        costs[v] = pattern.sizes[v] * _flow(into, before) * _flow(out_of, after)
    return costs


def _flow_network(adjacent: list[int], sizes: list[int], ends: Iterable[int]) -> nx.DiGraph[Any]:
    """Return the network in which every node lets through as much as it has entries, towards `ends`."""
    N: nx.DiGraph[Any] = nx.DiGraph()
    for i, size in enumerate(sizes):
        N.add_edge((i, "in"), (i, "out"), capacity=size)
        N.add_edges_from(((i, "out"), (j, "in")) for j in bits(adjacent[i]))
    N.add_edges_from(((i, "out"), "end") for i in ends)
    return N


def _flow(N: nx.DiGraph[Any], first: int) -> int:
    if not first or "end" not in N:
        return 0
    N.add_edges_from(("start", (i, "in")) for i in bits(first))
    flow: int = nx.maximum_flow_value(N, "start", "end")
    N.remove_node("start")
    return flow
