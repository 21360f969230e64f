"""Orders by rule: one pass over the nodes, without going back."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import Any

from cgraph.algorithms.elimination.patterns import Pattern, Task, bits
from cgraph.model.errors import OrderError

__all__ = ["chain", "forward", "markowitz", "minimum_fill", "relative_markowitz", "reverse"]


def forward(task: Task) -> list[int]:
    """Eliminate in topological order: when a node's turn comes, its predecessors are all inputs."""
    return list(task.topological)


def reverse(task: Task) -> list[int]:
    """Eliminate in reverse topological order: when a node's turn comes, its successors are all outputs."""
    return task.topological[::-1]


def markowitz(task: Task) -> list[int]:
    """Take the node that is cheapest now."""
    return _greedy(task, lambda pattern, v: pattern.cost(v))


def relative_markowitz(task: Task) -> list[int]:
    """Take the node whose cost now exceeds its cost at the very end the least.

    At the end the predecessors of v are the inputs that reach it, its successors the outputs it reaches.
    """
    pattern = task.pattern
    from_sources = _reachable(task.topological, pattern.pred, task.sources)
    to_sinks = _reachable(task.topological[::-1], pattern.succ, task.sinks)
    at_the_end = {
        v: pattern.sizes[v] * pattern.weigh(from_sources[v]) * pattern.weigh(to_sinks[v]) for v in task.vertices
    }
    return _greedy(task, lambda pattern, v: pattern.cost(v) - at_the_end[v])


def minimum_fill(task: Task) -> list[int]:
    """Take the node that adds the fewest edges; of these the cheapest."""

    def rule(pattern: Pattern, v: int) -> tuple[int, int]:
        fill = sum((pattern.succ[v] & ~pattern.succ[i]).bit_count() for i in bits(pattern.pred[v]))
        return fill, pattern.cost(v)

    return _greedy(task, rule)


def chain(task: Task) -> list[int]:
    """Return the best order of every chain by C(i,k) = min over j between of C(i,j) + C(j,k) + n(k) n(j) n(i)."""
    pattern = task.pattern
    for v in task.vertices:
        if pattern.pred[v].bit_count() != 1 or pattern.succ[v].bit_count() != 1:
            raise OrderError(
                f"node {task.nodes[v]!r} has {pattern.pred[v].bit_count()} edges in and {pattern.succ[v].bit_count()} "
                f"out, in a chain it has one of each; take method='optimal' or 'anneal'"
            )
    order: list[int] = []
    for v in task.topological:
        i = pattern.pred[v].bit_length() - 1
        if i not in task.vertices:
            order += _bracketing(pattern, [i, *_run(pattern, v, set(task.vertices))])
    return order


def _greedy(task: Task, rule: Callable[[Pattern, int], Any]) -> list[int]:
    """Take always the vertex that the rule likes best; it sees the neighbours of a vertex, and theirs towards it."""
    pattern = task.pattern.copy()
    rated = {v: rule(pattern, v) for v in task.vertices}  # in the order of the graph, to which ties go
    order = []
    while rated:
        v = min(rated, key=rated.__getitem__)
        del rated[v]
        order.append(v)
        before, after = pattern.pred[v], pattern.succ[v]
        pattern.eliminate(v)
        changed = before | after
        for i in bits(before):
            changed |= pattern.succ[i]
        for k in bits(after):
            changed |= pattern.pred[k]
        for u in bits(changed):
            if u in rated:
                rated[u] = rule(pattern, u)
    return order


def _reachable(order: list[int], adjacent: list[int], ends: list[int]) -> dict[int, int]:
    """Return for each node of `order` the set of `ends` that it is joined to, through nodes earlier in it."""
    reached = {end: 1 << end for end in ends}
    for v in order:
        reached[v] = 0
        for i in bits(adjacent[v]):
            reached[v] |= reached.get(i, 0)
    return reached


def _run(pattern: Pattern, v: int, vertices: set[int]) -> list[int]:
    """Return `v` and what follows it, up to and with the end of its chain."""
    run = [v]
    while run[-1] in vertices:
        run.append(pattern.succ[run[-1]].bit_length() - 1)
    return run


def _bracketing(pattern: Pattern, nodes: list[int]) -> list[int]:
    """Return the inner nodes of a chain in the order of least cost."""
    n = [pattern.sizes[v] for v in nodes]
    charged = [0, *accumulate(int(pattern.charged(v)[0] != 0) for v in nodes[1:])]
    C = {(i, i + 1): 0 for i in range(len(nodes) - 1)}
    split = {}
    for length in range(2, len(nodes)):
        for i in range(len(nodes) - length):
            k = i + length

            def cost(j: int, i: int = i, k: int = k) -> int:
                # A product with a part of the chain whose edges are all free is free.
                is_charged = charged[i] < charged[j] < charged[k]
                return C[i, j] + C[j, k] + is_charged * n[k] * n[j] * n[i]

            split[i, k] = min(range(i + 1, k), key=cost)
            C[i, k] = cost(split[i, k])
    order, parts = [], [(0, len(nodes) - 1)]
    while parts:
        i, k = parts.pop()
        if k - i > 1:
            j = split[i, k]
            order.append(nodes[j])
            parts += [(i, j), (j, k)]
    return order[::-1]  # the outermost product comes last
