"""Lower bounds of the cost of all orders of vertices.

Whenever v is eliminated, its predecessors separate it from the sources, so there are at least as many as there are paths from
the sources to v that share no node (Menger). Of these at least those are charged whose path enters v by a charged edge,
since an edge that stands for a path is free only if the whole path is. The same holds for successors and sinks, and the cost
is at least the product.

That bounds v alone. Of a group of vertices some are eliminated before v, and edges lead past them; the others come after v, and
at these paths may begin and end as at sources and sinks. With c(v|B) for the bound of v, after the part B of its group,

    g(B) = min over v in B of  g(B - v) + c(v|B - v)

is at most what the vertices of B cost if the others of their group come later, whatever the vertices outside do. Every
vertex is in one group, and the bounds of the groups add up.
"""

from __future__ import annotations

from collections.abc import Iterator

from cgraph.algorithms.elimination.disjoint_paths import DisjointPaths
from cgraph.algorithms.elimination.patterns import Pattern, Task, bits
from cgraph.algorithms.elimination.search import Budget

__all__ = ["LARGEST_GROUP", "Bounds"]

LARGEST_GROUP = 6  # vertices
GROUPS = 2_000  # that are tried

# g of every part of a group; groups and parts are sets of vertices, as bits of integers.
Table = dict[int, int]


class Bounds:
    """Lower bounds of the cost of sets of vertices.

    Parameters
    ----------
    task : Task
        The vertices.
    largest : int
        How many vertices a group has at most.
    budget : int, str or None
        How many groups are tried, or for how long.

    Attributes
    ----------
    tables : dict
        ``{group: {part: g(part)}}``.
    """

    def __init__(self, task: Task, largest: int = LARGEST_GROUP, budget: int | str | None = None) -> None:
        self.task, self.largest = task, largest
        self._at_first = _Paths(task, task.pattern)
        self.tables = {1 << v: self._table(1 << v) for v in task.vertices}
        self._join_groups(Budget(budget, GROUPS))

    def least(self, X: int) -> int:
        """Return a number that eliminating the vertices of the set `X`, and nothing else, does not cost less than."""
        return sum(g[group & X] for group, g in self.tables.items())

    def _join_groups(self, budget: Budget) -> None:
        """Join two groups, time and again, where that raises the bound the most for each vertex in them."""
        joined: dict[tuple[int, int], Table] = {}
        new = list(self.tables)
        while True:
            for a in new:
                for b in self._near(a):
                    if (b, a) not in joined and budget.spend() < 1:
                        joined[a, b] = self._table(a | b)
            gains = {pair: self._gain(pair, g) for pair, g in joined.items()}
            joined = {pair: joined[pair] for pair, gain in gains.items() if gain > 0}
            if not joined:
                return
            a, b = max(joined, key=lambda pair: gains[pair] / (pair[0] | pair[1]).bit_count())
            self.tables[a | b] = joined[a, b]
            del self.tables[a], self.tables[b]
            joined = {pair: g for pair, g in joined.items() if a not in pair and b not in pair}
            new = [a | b]

    def _gain(self, pair: tuple[int, int], g: Table) -> int:
        a, b = pair
        return g[a | b] - self.tables[a][a] - self.tables[b][b]

    def _near(self, group: int) -> Iterator[int]:
        """Iterate over the groups that `group` may join: an edge joins them, or edges to the same node."""
        near = self._neighbours(self._neighbours(group) | group)
        for other in self.tables:
            if other != group and other & near and (other | group).bit_count() <= self.largest:
                yield other

    def _neighbours(self, nodes: int) -> int:
        pattern, found = self.task.pattern, 0
        for v in bits(nodes):
            found |= pattern.pred[v] | pattern.succ[v]
        return found

    def _table(self, group: int) -> Table:
        """Return g of every part of a group."""
        patterns, g = {0: self.task.pattern}, {0: 0}
        for _ in range(group.bit_count()):
            longer: dict[int, Pattern] = {}
            for B, pattern in patterns.items():
                paths = _Paths(self.task, pattern) if B else self._at_first
                for v in bits(group & ~B):
                    C = B | 1 << v
                    cost = g[B] + paths.least_cost(v, group & ~C)
                    g[C] = min(cost, g.get(C, cost))
                    if C not in longer:
                        longer[C] = pattern.copy()
                        longer[C].eliminate(v)
            patterns = longer
        return g


class _Paths:
    """Disjoint paths to vertices and on from them, in one pattern."""

    def __init__(self, task: Task, pattern: Pattern) -> None:
        self.pattern = pattern
        self.into, self.out_of = (
            DisjointPaths(_Elements(adjacent), pattern.sizes, ends)
            for adjacent, ends in ((pattern.pred, task.sources), (pattern.succ, task.sinks))
        )

    def least_cost(self, v: int, staying: int) -> int:
        """Return what `v` costs at least, whenever it is eliminated before the vertices of the set `staying`."""
        before, after = self.pattern.charged(v)
        ends = list(bits(staying))
        paths = self.into.count(bits(before), ends) * self.out_of.count(bits(after), ends)
        return self.pattern.sizes[v] * paths


class _Elements(dict[int, list[int]]):
    """The elements of sets, listed when they are first asked for."""

    def __init__(self, masks: list[int]) -> None:
        super().__init__()
        self.masks = masks

    def __missing__(self, v: int) -> list[int]:
        self[v] = list(bits(self.masks[v]))
        return self[v]
