"""Which edges there are, without their numbers: what the cost of an order depends on.

Nodes are numbered, and sets of nodes are the bits of integers, so that a search can try some ten thousand orders a
second. After the nodes of a set X have been eliminated, in whatever order, there is an edge from i to k where a path
leads from i to k through X. The cost of eliminating v next is therefore a function of v and the set X alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cgraph.algorithms.elimination.elimination_graph import EliminationGraph, Partial

__all__ = ["Pattern", "Task", "bits"]


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
        return self.sizes[v] * self.weigh(before) * self.weigh(after)

    def charged(self, v: int) -> tuple[int, int]:
        """Return the predecessors and successors of `v` whose edges are charged: here, all."""
        return self.pred[v], self.succ[v]

    def words(self) -> NDArray[np.uint64]:
        """Return the sets as words of 64 bits, shape (2, nodes, words): `pred`, then `succ`."""
        return _words(self.pred, self.succ)


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

    def words(self) -> NDArray[np.uint64]:
        """Return the sets as words of 64 bits, shape (4, nodes, words): `pred`, `succ`, `free_pred`, `free_succ`."""
        return _words(self.pred, self.succ, self.free_pred, self.free_succ)

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


def _sum_of_sizes(sizes: list[int], mask: int) -> int:
    return sum(sizes[i] for i in bits(mask))


def _words(*masks: list[int]) -> NDArray[np.uint64]:
    nodes = len(masks[0])
    words = -(-nodes // 64)
    text = b"".join(mask.to_bytes(8 * words, "little") for group in masks for mask in group)
    return np.frombuffer(text, "<u8").astype(np.uint64).reshape(len(masks), nodes, words)


class Task:
    """The search for an order: where it starts from, and how long it may take.

    Attributes
    ----------
    pattern : Pattern
        The edges before any elimination.
    nodes, number : list of nodes, dict
        The node of each number, in the order of the graph, and the number of each node.
    vertices, topological : list of int
        What has to be eliminated, in the order of the graph, and in topological order.
    sources, sinks : list of int
        What stands for inputs and outputs.
    seed : int
        Of the random numbers.
    budget : int, str or None
        As in `elimination_order`.
    """

    def __init__(self, E: EliminationGraph, *, seed: int = 0, budget: int | str | None = None) -> None:
        self.nodes = list(E.succ)
        self.number = {i: n for n, i in enumerate(self.nodes)}
        self.pattern = self._pattern(E)
        self.vertices = [self.number[i] for i in E.intermediates]
        self.topological = [self.number[i] for i in E.topological]
        self.sources = [self.number[i] for i in E.inputs]
        self.sinks = [self.number[i] for i in E.outputs]
        self.seed, self.budget = seed, budget

    def cost(self, order: Iterable[int]) -> int:
        """Return the multiplications of an order."""
        pattern = self.pattern.copy()
        return sum(pattern.eliminate(v) for v in order)

    def _pattern(self, E: EliminationGraph) -> Pattern:
        def masks(adjacent: dict[Any, dict[Any, Partial]], *, free_only: bool) -> list[int]:
            return [
                sum(1 << self.number[j] for j, partial in adjacent[i].items() if partial.free or not free_only)
                for i in self.nodes
            ]

        sizes = [E.sizes[i] for i in self.nodes]
        # If every node has one entry, the weight of a set is the number of its elements.
        weigh = int.bit_count if set(sizes) <= {1} else partial(_sum_of_sizes, sizes)
        pattern = Pattern(masks(E.pred, free_only=False), masks(E.succ, free_only=False), sizes, weigh)
        free_pred, free_succ = masks(E.pred, free_only=True), masks(E.succ, free_only=True)
        return UnitPattern(pattern, free_pred, free_succ) if any(free_pred) else pattern
