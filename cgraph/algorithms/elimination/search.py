"""Orders by search: simulated annealing, which may be stopped at any time.

A search has two parts. In the first, each annealing starts from the best order by rule. In the second, each starts from two orders
found before: it follows one of them up to some place, and the other one from there on. `anneal_slowly` is the reference for one
annealing. `cgraph.algorithms.elimination.search_loops` is the same for machine code, and finds the same order for the same seed and
number of evaluations.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from cgraph.algorithms.compiled.jit import compiled, is_at_hand
from cgraph.algorithms.elimination.greedy import forward, markowitz, minimum_fill, relative_markowitz, reverse
from cgraph.algorithms.elimination.patterns import Pattern, Task, bits
from cgraph.algorithms.elimination.search_loops import (
    CALLS,
    CHANCE,
    FAR,
    FAR_DISTANCE,
    LOOPS,
    MEAN_DISTANCE,
    chance_after,
    first_chance,
    fraction,
)
from cgraph.model.errors import CGraphError

__all__ = [
    "Budget",
    "Chances",
    "Share",
    "anneal",
    "anneal_in_machine_code",
    "anneal_slowly",
    "anneal_within",
    "machine_code_pays",
    "run_within",
]

RULES = (markowitz, minimum_fill, relative_markowitz, reverse, forward)
EVALUATIONS = 250_000
# Temperatures, as a part of the mean cost of a vertex: the first one, the first one of an annealing from two orders, and the last one.
HOT, WARM, COLD = 1.6, 0.3, 0.02
# The first part: the most annealings, their part of the budget, and the least moves for each vertex in each of them.
SEARCHES, ALONE, MOVES_OF_VERTEX = 6, 0.6, 200
# The second part: the annealings, and the places at which two orders are crossed to find the best start of each.
MIXES, CROSSINGS = 24, 10
# About how many moves Python and machine code make in a second, and the seconds of Python from which loading numba pays.
MOVES_PER_SECOND, MOVES_IN_MACHINE_CODE, LEAST_TO_LOAD = 20_000, 300_000, 1.0
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


class Share:
    """The share of a budget that one annealing may use.

    Parameters
    ----------
    budget : Budget
        The budget of the whole search.
    until : float, default 1
        The part of `budget` that is used when the share is.
    """

    def __init__(self, budget: Budget, until: float = 1.0) -> None:
        self.budget, self.until = budget, until
        self.begin, self.before = budget.used(), budget.evaluations
        self.evaluations = math.ceil(until * budget.limit) - self.before  # there are so many, if it is no time

    @property
    def spent(self) -> int:
        """The evaluations made so far."""
        return self.budget.evaluations - self.before

    def used(self) -> float:
        """Return the fraction that is used."""
        if self.budget.in_seconds:
            used, share = self.budget.used() - self.begin, self.until - self.begin
        else:
            used, share = self.spent, self.evaluations
        return used / share if share > 0 else 1.0


def anneal(task: Task) -> list[int]:
    """Return the best order found by simulated annealing within the budget of `task`."""
    return anneal_within(task, Budget(task.budget, EVALUATIONS))


def anneal_within(task: Task, budget: Budget) -> list[int]:
    """Return the best order found within `budget`: by machine code, where it is at hand and the search is long."""
    start = min((rule(task) for rule in RULES), key=task.cost)
    cost, chances = task.cost(start), Chances(task.seed)
    if len(start) < 2 or not cost:
        return start
    seconds = budget.limit if budget.in_seconds else budget.limit / MOVES_PER_SECOND
    is_fast = machine_code_pays(task, seconds, _loaded)
    search, rate = (anneal_in_machine_code, MOVES_IN_MACHINE_CODE) if is_fast else (anneal_slowly, MOVES_PER_SECOND)
    hot, warm, cold = (T * cost / len(start) for T in (HOT, WARM, COLD))
    moves = budget.limit * rate if budget.in_seconds else budget.limit
    searches = max(1, min(SEARCHES, int(ALONE * moves / (MOVES_OF_VERTEX * len(start)))))
    alone = ALONE if searches > 1 else 1.0
    found = [
        search(task, start, chances, Share(budget, alone * (k + 1) / searches), (hot, cold)) for k in range(searches)
    ]
    for k in range(MIXES):
        if budget.used() < 1:
            one, other = _two(found, chances)
            mixed = _crossed(task, one, other, chances)
            share = Share(budget, alone + (1 - alone) * (k + 1) / MIXES)
            new = search(task, mixed, chances, share, (warm, cold))
            worse = max(one, other, key=task.cost)
            if task.cost(new) <= task.cost(worse):
                found[found.index(worse)] = new
    return min(found, key=task.cost)


def _two(found: list[list[int]], chances: Chances) -> tuple[list[int], list[int]]:
    """Return two of the orders, at random."""
    first, second = chances.below(len(found)), chances.below(len(found) - 1)
    return found[first], found[second + (second >= first)]


def _crossed(task: Task, one: list[int], other: list[int], chances: Chances) -> list[int]:
    """Return the first vertices of one order, and those that are left in the order of the other.

    Of several such orders it is the best that costs neither what the one nor what the other does.
    """
    begun, _ = shuffled(task.pattern, one, one, chances)
    crossed = []
    for _ in range(CROSSINGS):
        first = begun[: 1 + chances.below(len(one) - 1)]
        left = set(other).difference(first)
        crossed.append(first + [v for v in other if v in left])
    costs = [task.cost(order) for order in crossed]
    known = (task.cost(one), task.cost(other))
    new = [(cost, k) for k, cost in enumerate(costs) if cost not in known]
    return crossed[min(new)[1]] if new else one


@cache
def _loaded() -> Callable[..., int]:
    return compiled(LOOPS, CALLS)["anneal_passes"]


def machine_code_pays(task: Task, seconds: float, loader: Any) -> bool:
    """Return whether numba can, and should, do what would take Python so many seconds; `loader` was called if it is there."""
    fits = sum(task.pattern.sizes) <= LARGEST
    return fits and (seconds >= LEAST_TO_LOAD or loader.cache_info().currsize > 0) and is_at_hand()


def anneal_slowly(
    task: Task, start: list[int], chances: Chances, share: Share, temperatures: tuple[float, float]
) -> list[int]:
    """Return the best order found by simulated annealing [1]_ from `start`, within a share of a budget.

    A pass goes through the order with the pattern that is left before each place. A move puts the vertex at this place
    some places on, where the order costs least, or one from there to this place. Only what stands between changes its cost, since
    what comes after finds the same pattern; and nothing does, if no edge joins what moves to what it passes. A move that costs more
    is made with probability exp(-increase / T), and T falls geometrically with the budget used.

    References
    ----------
    .. [1] U. Naumann, "Cheaper Jacobians by simulated annealing", SIAM Journal on Optimization 13(3), 2002.
    """
    order, best, costs = list(start), list(start), _replay(task.pattern, start)
    cost = best_cost = sum(costs)
    hot, cold = temperatures
    while (used := share.used()) < 1:
        T = hot * (cold / hot) ** used
        pattern = task.pattern.copy()
        order, costs = shuffled(pattern, order, costs, chances)
        for p in range(len(order) - 1):
            if share.used() >= 1:
                break
            share.budget.evaluations += 1
            mean = FAR_DISTANCE if chances.drawn() < FAR else MEAN_DISTANCE
            part = slice(p, p + 2 + int(-math.log(chances.drawn()) * mean))
            is_later = chances.drawn() < 0.5
            vertices, before = order[part], costs[part]
            if _meets(pattern, vertices[0 if is_later else -1], vertices):
                put = _put_later if is_later else _put_earlier
                order[part], costs[part] = put(pattern, vertices, before, -T * math.log(chances.drawn()))
                cost += sum(costs[part]) - sum(before)
            else:
                order[part], costs[part] = _turned(vertices, is_later), _turned(before, is_later)
            if cost < best_cost:
                best, best_cost = order[:], cost
            pattern.eliminate(order[p])
    return best


def shuffled(pattern: Pattern, order: list[int], costs: list[int], chances: Chances) -> tuple[list[int], list[int]]:
    """Return a random postorder of the elimination tree [1]_ of an order, and the cost of each vertex, which is the same.

    The cost of a vertex depends on its descendants in this tree alone: the vertices that are eliminated before it and that a path
    through such vertices joins to it. So every order in which descendants come first costs the same. In a postorder, each subtree
    is a run of consecutive vertices, and a move within the run meets the vertices that matter.

    References
    ----------
    .. [1] J. W. H. Liu, "The role of elimination trees in sparse factorization", SIAM Journal on Matrix Analysis and Applications
       11(1), 1990.
    """
    below = _branches(pattern, order, chances)
    places: list[int] = []
    waiting = [(q, False) for q in reversed(below[len(order)])]
    while waiting:
        q, is_done = waiting.pop()
        if is_done:
            places.append(q)
        else:
            waiting.append((q, True))
            waiting += [(c, False) for c in reversed(below[q])]
    return [order[q] for q in places], [costs[q] for q in places]


def _branches(pattern: Pattern, order: list[int], chances: Chances) -> list[list[int]]:
    """Return for each place of the order the places right below it in the tree; for the place after the last, the roots."""
    n = len(order)
    place = {v: q for q, v in enumerate(order)}
    above, top = [n] * n, list(range(n))
    for q, v in enumerate(order):
        for u in bits(pattern.pred[v] | pattern.succ[v]):
            r = place.get(u, n)
            if r < q:
                while top[r] != r:
                    top[r] = top[top[r]]
                    r = top[r]
                if r != q:
                    top[r] = above[r] = q
    below: list[list[int]] = [[] for _ in range(n + 1)]
    for q in reversed(range(n)):
        branches = below[above[q]]
        branches.insert(0 if not branches or chances.drawn() < 0.5 else 1, q)
    return below


def _put_later(pattern: Pattern, vertices: list[int], costs: list[int], most: float) -> tuple[list[int], list[int]]:
    """Put the first vertex where they cost least, if that adds `most` at most; return the vertices and what each costs."""
    (v, *others), trial, found = vertices, pattern.copy(), None
    passed: list[int] = []
    change = -costs[0]
    for q, w in enumerate(others, 1):
        is_joined = (trial.pred[v] | trial.succ[v]) >> w & 1
        passed.append(trial.eliminate(w))
        change += passed[-1] - costs[q]
        if (is_joined or q == len(others)) and change + trial.cost(v) <= most:
            found, most = (q, trial.cost(v)), change + trial.cost(v)
    if found is None:
        return vertices, costs
    q, cost = found
    return [*others[:q], v, *others[q:]], [*passed[:q], cost, *costs[q + 1 :]]


def _put_earlier(pattern: Pattern, vertices: list[int], costs: list[int], most: float) -> tuple[list[int], list[int]]:
    """Put the last vertex first, if that adds `most` at most; return the vertices and what each costs."""
    moved = _turned(vertices, False)
    new = _replay(pattern, moved)
    return (moved, new) if sum(new) - sum(costs) <= most else (vertices, costs)


def anneal_in_machine_code(
    task: Task, start: list[int], chances: Chances, share: Share, temperatures: tuple[float, float]
) -> list[int]:
    """Do what `anneal_slowly` does."""
    each = _replay(task.pattern, start)
    sizes, order, costs = (np.array(numbers, np.int64) for numbers in (task.pattern.sizes, start, each))
    best, state = order.copy(), np.array([chances.state, sum(each), sum(each)])
    run_within(share, _loaded(), (task.pattern.words(), sizes, order, costs, best, state), temperatures)
    chances.state = int(state[CHANCE])
    found: list[int] = best.tolist()
    return found


def run_within(
    share: Share, search: Callable[..., int], arrays: tuple[Any, ...], temperatures: tuple[float, float]
) -> None:
    """Call ``search(*arrays, spent, until, limit, *temperatures)`` until the share is used; it returns what is spent then."""
    budget, start = share.budget, time.monotonic()
    search(*arrays, 0, 0, 1.0, *temperatures)  # the first call loads the machine code, or makes it
    budget.start += time.monotonic() - start
    while (used := share.used()) < 1:
        spent = share.spent
        limit, moves = float(share.evaluations), MOST_MOVES
        if budget.in_seconds:
            limit = spent / used if spent else math.inf  # so many moves will have been made in the end
            moves = min(MOST_MOVES, 1 + int(limit / PARTS)) if spent else FIRST_MOVES
        budget.evaluations = share.before + search(*arrays, spent, spent + moves, limit, *temperatures)


class Chances:
    """Random numbers between 0 and 1, as machine code draws them."""

    def __init__(self, seed: int) -> None:
        self.state = first_chance(seed)

    def drawn(self) -> float:
        """Return the next one."""
        self.state = chance_after(self.state)
        return fraction(self.state)

    def below(self, n: int) -> int:
        """Return a whole number from 0 to before `n`."""
        return min(int(self.drawn() * n), n - 1)


def _turned(numbers: list[int], is_later: bool) -> list[int]:
    """Return the numbers with the first put last, or the last put first."""
    return [*numbers[1:], numbers[0]] if is_later else [numbers[-1], *numbers[:-1]]


def _meets(pattern: Pattern, v: int, vertices: list[int]) -> bool:
    """Return whether an edge joins `v` to one of `vertices`."""
    neighbours = pattern.pred[v] | pattern.succ[v]
    return any(neighbours >> u & 1 for u in vertices)


def _replay(start: Pattern, vertices: list[int]) -> list[int]:
    """Return the cost of each of `vertices`."""
    pattern = start.copy()
    return [pattern.eliminate(v) for v in vertices]
