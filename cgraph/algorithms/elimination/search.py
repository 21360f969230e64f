"""Orders by search: simulated annealing, which may be stopped at any time."""

from __future__ import annotations

import math
import random
import re
import time

from cgraph.algorithms.elimination.greedy import forward, markowitz, minimum_fill, relative_markowitz, reverse
from cgraph.algorithms.elimination.patterns import Pattern, Task
from cgraph.model.errors import CGraphError

__all__ = ["Budget", "anneal", "anneal_within"]

RULES = (markowitz, minimum_fill, relative_markowitz, reverse, forward)
EVALUATIONS = 100_000
MEAN_DISTANCE = 10  # of a move, in places
HOT, COLD = 0.7, 0.05  # the temperature at first and at last, as a part of what a vertex costs on average


class Budget:
    """So many evaluations, or so much time.

    Parameters
    ----------
    budget : int, str or None
        A number of evaluations, a time such as ``"10s"`` or ``"2min"``, or None for `default`.
    default : int
        A number of evaluations.
    """

    def __init__(self, budget: int | str | None, default: int = EVALUATIONS) -> None:
        self.evaluations = 0
        given = re.fullmatch(r"(\d+\.?\d*|\.\d+) *(ms|s|min)|(\d+)", str(default if budget is None else budget).strip())
        if not given or isinstance(budget, bool | float):
            raise CGraphError(
                f"budget={budget!r} is no budget; give a whole number of evaluations, or a time like '10s'"
            )
        self.in_seconds = given[3] is None
        self.limit = float(given[1]) * {"ms": 0.001, "s": 1, "min": 60}[given[2]] if self.in_seconds else int(given[3])
        if self.limit <= 0:
            raise CGraphError(f"budget={budget!r} allows nothing; give a positive one")
        self.start = time.monotonic()

    def spend(self) -> float:
        """Count one evaluation, and return the fraction of the budget that was used before it."""
        used = time.monotonic() - self.start if self.in_seconds else self.evaluations
        self.evaluations += 1
        return used / self.limit


def anneal(task: Task) -> list[int]:
    """Return the best order found by simulated annealing within the budget of `task`."""
    return anneal_within(task, Budget(task.budget, EVALUATIONS))


def anneal_within(task: Task, budget: Budget) -> list[int]:
    """Return the best order found by simulated annealing [1]_.

    One move takes a vertex out of the order and puts it back some places on. Only what stands between its old and
    its new place changes its cost, and what comes after finds the same pattern; so a move is evaluated from the
    pattern before the first of these places, which is kept for every place. A move that costs more is made with
    probability exp(-increase / T), and T falls geometrically with the budget used.

    References
    ----------
    .. [1] U. Naumann, "Cheaper Jacobians by simulated annealing", SIAM Journal on Optimization 13(3), 2002.
    """
    chance = random.Random(task.seed)  # noqa: S311 - a search, no secret
    best = min((rule(task) for rule in RULES), key=task.cost)
    best_cost = cost = task.cost(best)
    order, size = list(best), len(best)
    if size < 2:
        return best
    patterns, costs = _replay(task.pattern, order, math.inf) or ([], [])
    while (used := budget.spend()) < 1:
        T = best_cost / size * HOT * (COLD / HOT) ** used
        i, distance = chance.randrange(size), 1 + int(chance.expovariate(1 / MEAN_DISTANCE))
        j = i + distance if chance.random() < 0.5 else i - distance
        if not 0 <= j < size:
            continue
        first, last = min(i, j), max(i, j)
        moved = [*order[i + 1 : j + 1], order[i]] if i < j else [order[i], *order[j:i]]
        old = sum(costs[first : last + 1])
        outcome = _replay(patterns[first], moved, old + T * chance.expovariate(1))
        if outcome:
            order[first : last + 1] = moved
            patterns[first : last + 1], costs[first : last + 1] = outcome
            cost += sum(outcome[1]) - old
            if cost < best_cost:
                best, best_cost = order[:], cost
    return best


def _replay(start: Pattern, vertices: list[int], limit: float) -> tuple[list[Pattern], list[int]] | None:
    """Return the pattern before and the cost of each of `vertices`, or None if they cost more than `limit`."""
    pattern, patterns, costs, total = start.copy(), [], [], 0
    for v in vertices:
        patterns.append(pattern.copy())
        costs.append(pattern.eliminate(v))
        total += costs[-1]
        if total > limit:
            return None
    return patterns, costs
