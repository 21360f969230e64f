"""The least cost of all orders, proven: dynamic programming over connected sets, pruned by a lower bound.

Let f(X) be the least cost of eliminating the set X of vertices and nothing else. If v comes last, the parts of X - v
that no edge joins are eliminated without knowing of each other:

    f(X) = min over v in X of  (cost of v after X - v)  +  sum over the parts C of X - v of f(C)

For a chain of Jacobians this is the matrix-chain recurrence.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NoReturn

from cgraph.algorithms.elimination.bounds import Bounds
from cgraph.algorithms.elimination.patterns import Task, bits
from cgraph.algorithms.elimination.search import Budget, anneal_within
from cgraph.model.errors import SearchLimitError

__all__ = ["optimal"]

SETS = 2_000
EVALUATIONS = 200  # for each vertex, of the annealing that comes first
LARGEST_PART = 300  # vertices: the search goes as deep as a part has vertices, and Python's stack does not


def optimal(task: Task) -> list[int]:
    """Return an order of least cost, or raise `SearchLimitError`.

    The annealed order is optimal in every part where it costs no more than the lower bound. Elsewhere the bound is
    raised, from what is proven to what remains possible, until it meets the cost of that order or of a better one.
    """
    # A time is shared with the search for the order to begin with, evaluations are not.
    timed = Budget(task.budget, SETS).in_seconds
    best = anneal_within(task, Budget(task.budget if timed else 1 + EVALUATIONS * len(task.vertices)))
    search = _Search(task, best)
    order = []
    for part in list(search.parts(search.everything)):
        found = [v for v in best if part >> v & 1]
        cost = task.cost(found)
        while part not in search.last and search.known(part) < cost:
            search.solve(part, search.known(part))
        order += search.order(part) if part in search.last else found
    return order


class _Search:
    """f(X) for the sets X met so far: exactly, or bounded from below."""

    def __init__(self, task: Task, best: list[int]) -> None:
        self.task, self.best = task, best
        self.budget = Budget(task.budget, SETS)
        self.everything = sum(1 << v for v in task.vertices)
        self.bounds = Bounds(task, budget=task.budget if self.budget.in_seconds else None)
        self.lower: dict[int, int] = {}  # what f(X) is at least
        self.last: dict[int, int] = {}  # the vertex that comes last in X, where `lower` is exact

    def solve(self, X: int, limit: int) -> int:
        """Return f(X) if it is at most `limit`, or else a number above `limit` that f(X) is not below."""
        if X in self.last or self.known(X) > limit:
            return self.known(X)
        if self.budget.spend() >= 1 or X.bit_count() > LARGEST_PART:
            self._give_up()
        least: float = math.inf
        for estimate, v, cost, parts in self._choices(X):
            # More may be known of the parts by now than when the choices were sorted.
            total = cost + sum(self.known(C) for C in parts)
            for C in parts:
                if total > limit:
                    break
                others = total - self.known(C)
                total = others + self.solve(C, limit - others)
            least = min(least, total)
            if estimate > limit:
                break  # what follows costs no less
            if total <= limit:
                self.last[X], limit = v, total - 1
        self.lower[X] = int(least)
        return int(least)

    def order(self, X: int) -> list[int]:
        """Return the order that f(X) stands for, once it is exact."""
        order, sets = [], [X]
        while sets:
            X = sets.pop()
            order.append(self.last[X])
            sets += self.parts(X & ~(1 << self.last[X]))
        return order[::-1]

    def known(self, X: int) -> int:
        """Return what is proven of f(X): at first, the bounds of its groups of vertices."""
        if X not in self.lower:
            self.lower[X] = self.bounds.least(X)
        return self.lower[X]

    def parts(self, X: int) -> Iterator[int]:
        """Iterate over the sets into which `X` falls apart where no edge joins them."""
        pattern = self.task.pattern
        while X:
            part = new = X & -X
            while new:
                joined = 0
                for v in bits(new):
                    joined |= pattern.pred[v] | pattern.succ[v]
                new = joined & X & ~part
                part |= new
            yield part
            X &= ~part

    def _choices(self, X: int) -> list[tuple[int, int, int, list[int]]]:
        """Return for each v in `X` what f(X) is at least if v comes last, v, its cost then, and the parts of X - v.

        The least comes first.
        """
        choices = []
        for v in bits(X):
            pattern, rest = self.task.pattern.copy(), X & ~(1 << v)
            for other in bits(rest):
                pattern.eliminate(other)
            parts = list(self.parts(rest))
            cost = pattern.cost(v)
            choices.append((cost + sum(self.known(C) for C in parts), v, cost, parts))
        return sorted(choices)

    def _give_up(self) -> NoReturn:
        lower = sum(self.known(part) for part in self.parts(self.everything))
        best = [self.task.nodes[v] for v in self.best]
        raise SearchLimitError(lower, self.task.cost(self.best), best, self.task.budget or f"{SETS:,} sets of nodes")
