"""Orders by search: simulated annealing, which may be stopped at any time.

`anneal_slowly` is the search as it reads. `cgraph.algorithms.elimination.search_loops` is the same for machine code, and finds the
same order for the same seed and number of evaluations.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np

from cgraph.algorithms.compiled.jit import compiled, is_at_hand
from cgraph.algorithms.elimination.greedy import forward, markowitz, minimum_fill, relative_markowitz, reverse
from cgraph.algorithms.elimination.patterns import Pattern, Task
from cgraph.algorithms.elimination.search_loops import CALLS, LOOPS, MEAN_DISTANCE, chance_after, first_chance, fraction
from cgraph.model.errors import CGraphError

__all__ = [
    "Budget",
    "anneal",
    "anneal_in_machine_code",
    "anneal_slowly",
    "anneal_within",
    "machine_code_pays",
    "run_within",
]

RULES = (markowitz, minimum_fill, relative_markowitz, reverse, forward)
EVALUATIONS = 100_000
HOT, COLD = 0.7, 0.02  # the temperature at first and at last, as a part of what a vertex costs on average
# Python makes so many moves a second, about; numba is loaded for what would take Python so many seconds.
MOVES_PER_SECOND, LEAST_TO_LOAD = 30_000, 1.0
# Moves between two looks at the clock, or at Ctrl-C: the first time, of a budget of time one part in so many, at most.
FIRST_MOVES, PARTS, MOST_MOVES = 2_000, 50, 1_000_000
LARGEST = 2**20  # the sum of all sizes: costs stay below 2^63, numbers that machine code has


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

    def used(self) -> float:
        """Return the fraction of the budget that is used."""
        return (time.monotonic() - self.start if self.in_seconds else self.evaluations) / self.limit

    def spend(self) -> float:
        """Count one evaluation, and return the fraction of the budget that was used before it."""
        used = self.used()
        self.evaluations += 1
        return used


def anneal(task: Task) -> list[int]:
    """Return the best order found by simulated annealing within the budget of `task`."""
    return anneal_within(task, Budget(task.budget, EVALUATIONS))


def anneal_within(task: Task, budget: Budget) -> list[int]:
    """Return the best order found within `budget`: by machine code, where it is at hand and the search is long."""
    start = min((rule(task) for rule in RULES), key=task.cost)
    costs = _replay(task.pattern, start, math.inf) or []
    if len(start) < 2 or not sum(costs):
        return start
    seconds = budget.limit if budget.in_seconds else budget.limit / MOVES_PER_SECOND
    search = anneal_in_machine_code if machine_code_pays(task, seconds, _loaded) else anneal_slowly
    return search(task, start, costs, budget)


@cache
def _loaded() -> Callable[..., int]:
    return compiled(LOOPS, CALLS)["anneal_passes"]


def machine_code_pays(task: Task, seconds: float, loader: Any) -> bool:
    """Return whether numba can, and should, do what would take Python so many seconds; `loader` was called if it is there."""
    fits = sum(task.pattern.sizes) <= LARGEST
    return fits and (seconds >= LEAST_TO_LOAD or loader.cache_info().currsize > 0) and is_at_hand()


def anneal_slowly(task: Task, start: list[int], costs: list[int], budget: Budget) -> list[int]:
    """Return the best order found by simulated annealing [1]_, from one that costs `costs`, vertex by vertex.

    A pass goes through the order with the pattern that is left before each place. A move takes the vertex at this place
    some places on, or one from there to this place. Only what stands between changes its cost, since what comes after
    finds the same pattern; and nothing does, if no edge joins what moves to what it passes. A move that costs more is
    made with probability exp(-increase / T), and T falls geometrically with the budget used.

    References
    ----------
    .. [1] U. Naumann, "Cheaper Jacobians by simulated annealing", SIAM Journal on Optimization 13(3), 2002.
    """
    order, best, size = list(start), list(start), len(start)
    costs, cost = list(costs), sum(costs)
    best_cost, hot, cold = cost, HOT * cost / size, COLD * cost / size
    chance = _chances(task.seed)
    while (used := budget.used()) < 1:
        T = hot * (cold / hot) ** used
        pattern = task.pattern.copy()
        for p in range(size - 1):
            if budget.spend() >= 1:
                break
            distance = min(1 + int(-math.log(next(chance)) * MEAN_DISTANCE), size - 1 - p)
            is_later = next(chance) < 0.5
            part = slice(p, p + distance + 1)
            moved = _turned(order[part], is_later)
            if _meets(pattern, moved[-1] if is_later else moved[0], moved):
                old = sum(costs[part])
                new = _replay(pattern, moved, old - T * math.log(next(chance)))
                if new:
                    order[part], costs[part] = moved, new
                    cost += sum(new) - old
            else:
                order[part], costs[part] = moved, _turned(costs[part], is_later)
            if cost < best_cost:
                best, best_cost = order[:], cost
            pattern.eliminate(order[p])
    return best


def anneal_in_machine_code(task: Task, start: list[int], costs: list[int], budget: Budget) -> list[int]:
    """Do what `anneal_slowly` does."""
    sizes, order, each = (np.array(numbers, np.int64) for numbers in (task.pattern.sizes, start, costs))
    cost, best = sum(costs), order.copy()
    state = np.array([first_chance(task.seed), cost, cost])
    temperatures = (HOT * cost / len(start), COLD * cost / len(start))
    arrays = (task.pattern.words(), sizes, order, each, best, state)
    run_within(budget, _loaded(), arrays, temperatures)
    found: list[int] = best.tolist()
    return found


def run_within(
    budget: Budget, search: Callable[..., int], arrays: tuple[Any, ...], temperatures: tuple[float, float]
) -> None:
    """Call ``search(*arrays, spent, until, limit, *temperatures)`` until the budget is used; it returns what is spent then."""
    before = time.monotonic()
    search(*arrays, 0, 0, 1.0, *temperatures)  # the first call loads the machine code, or makes it
    budget.start += time.monotonic() - before
    while (used := budget.used()) < 1:
        spent = budget.evaluations
        limit, moves = float(budget.limit), MOST_MOVES
        if budget.in_seconds:
            limit = spent / used if spent else math.inf  # so many moves will have been made in the end
            moves = min(MOST_MOVES, 1 + int(limit / PARTS)) if spent else FIRST_MOVES
        budget.evaluations = search(*arrays, spent, spent + moves, limit, *temperatures)


def _chances(seed: int) -> Iterator[float]:
    """Iterate over random numbers between 0 and 1."""
    state = first_chance(seed)
    while True:
        state = chance_after(state)
        yield fraction(state)


def _turned(numbers: list[int], is_later: bool) -> list[int]:
    """Return the numbers with the first put last, or the last put first."""
    return [*numbers[1:], numbers[0]] if is_later else [numbers[-1], *numbers[:-1]]


def _meets(pattern: Pattern, v: int, vertices: list[int]) -> bool:
    """Return whether an edge joins `v` to one of `vertices`."""
    neighbours = pattern.pred[v] | pattern.succ[v]
    return any(neighbours >> u & 1 for u in vertices)


def _replay(start: Pattern, vertices: list[int], limit: float) -> list[int] | None:
    """Return the cost of each of `vertices`, or None if they cost more than `limit`."""
    pattern, costs, total = start.copy(), [], 0
    for v in vertices:
        costs.append(pattern.eliminate(v))
        total += costs[-1]
        if total > limit:
            return None
    return costs
