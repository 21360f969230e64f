"""Orders of edges by search: an order of vertices, with single edges eliminated before the turn of their vertex.

What is searched are lists of items. The item of a vertex eliminates what is left of it; that of an edge eliminates it at its front
or at its back, and does nothing where there is no such edge. Every order of edges can be written so. A trial changes one
item, and is replayed from the start: other than with vertices, what follows finds another pattern. The loops are plain Python,
and run as such, slowly, where numba is missing; sets are rows of words as in `search_loops`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import numpy as np

from cgraph.algorithms.compiled.jit import compiled
from cgraph.algorithms.elimination.elimination_graph import EliminationGraph
from cgraph.algorithms.elimination.eliminations import take_edge, take_edges_of
from cgraph.algorithms.elimination.patterns import Task
from cgraph.algorithms.elimination.search import Budget, Share, anneal_within, machine_code_pays, run_within
from cgraph.algorithms.elimination.search_loops import (
    COST,
    FREE,
    LEAST,
    MEAN_DISTANCE,
    ONE,
    PRED,
    SUCC,
    Numbers,
    Words,
    chance_after,
    count_bits,
    drawn,
    first_chance,
    fraction,
    has,
    lowest_bit,
    turn,
)  # fmt: skip

__all__ = ["VERTEX", "anneal_edges", "edge_steps"]

Item = tuple[int, int, int]

EVALUATIONS = 5_000
HOT, COLD = 0.2, 0.02  # the temperature, as in the search for an order of vertices; it starts from a good one
VERTICES_PER_SECOND = 5_000  # that Python eliminates on arrays of words, about
VERTEX, FRONT, BACK = 0, 1, 2  # kinds of items: (VERTEX, v, v), (FRONT, i, j), (BACK, i, j)
COUNT, BEST_COUNT = 3, 4  # what `state` holds besides: how many items there are, and in the best list
MOVED, INSERTED = (
    0.4,
    0.75,
)  # the part of the trials that move an item, and those that move or insert one; the rest take one out


def put(sets: Words, k: int, j: int, i: int, is_there: bool) -> None:
    """Put node `i` into the set ``sets[k, j]``, or take it out."""
    bit = ONE << np.uint64(i & 63)
    if is_there:
        sets[k, j, i >> 6] |= bit
    else:
        sets[k, j, i >> 6] &= ~bit


def put_edge(sets: Words, i: int, j: int, is_there: bool, is_free: bool) -> None:
    """Put edge (i, j) into the sets, or take it out."""
    put(sets, PRED, j, i, is_there)
    put(sets, SUCC, i, j, is_there)
    if len(sets) > FREE:
        put(sets, PRED + FREE, j, i, is_there and is_free)
        put(sets, SUCC + FREE, i, j, is_there and is_free)


def bypass(sets: Words, sizes: Numbers, i: int, j: int, k: int) -> Any:
    """Add the product of (i, j) and (j, k) to edge (i, k), and return what it costs."""
    is_new = not has(sets, SUCC, i, k)
    if len(sets) == FREE:
        put_edge(sets, i, k, True, False)
        return sizes[i] * sizes[j] * sizes[k]
    first, second = has(sets, SUCC + FREE, i, j), has(sets, SUCC + FREE, j, k)
    put_edge(sets, i, k, True, is_new and first and second)
    return np.int64(0) if first or second else sizes[i] * sizes[j] * sizes[k]


def remove_edges(sets: Words, side: int, v: int) -> None:
    """Take out the edges on one side of `v`."""
    for w in range(sets.shape[2]):
        rest = sets[side, v, w]
        while rest:
            u = (w << 6) + lowest_bit(rest)
            rest &= rest - ONE
            put_edge(sets, u if side == PRED else v, v if side == PRED else u, False, False)


def is_empty(sets: Words, side: int, v: int) -> bool:
    """Return whether no edge is on one side of `v`."""
    w = 0
    while w < sets.shape[2] and not sets[side, v, w]:
        w += 1
    return bool(w == sets.shape[2])


def eliminate_edge(sets: Words, sizes: Numbers, kind: int, i: int, j: int) -> Any:
    """Join edge (i, j) with those that follow it, or with those before it, and take it out; return the cost."""
    cost = np.int64(0)
    middle, side = (j, SUCC) if kind == FRONT else (i, PRED)
    for w in range(sets.shape[2]):
        rest = sets[side, middle, w]
        while rest:
            u = (w << 6) + lowest_bit(rest)
            rest &= rest - ONE
            cost += bypass(sets, sizes, i, j, u) if kind == FRONT else bypass(sets, sizes, u, i, j)
    put_edge(sets, i, j, False, False)
    for side in (PRED, SUCC):
        if is_empty(sets, side, middle):
            remove_edges(sets, 1 - side, middle)
    return cost


def eliminate_vertex(sets: Words, sizes: Numbers, v: int) -> Any:
    """Eliminate every edge into `v` at its front, and take `v` out; return the cost."""
    cost = np.int64(0)
    for w in range(sets.shape[2]):
        rest = sets[PRED, v, w]
        while rest:
            i = (w << 6) + lowest_bit(rest)
            rest &= rest - ONE
            cost += eliminate_edge(sets, sizes, FRONT, i, v)
    remove_edges(sets, SUCC, v)
    return cost


def run_items(sets: Words, sizes: Numbers, items: Numbers, first: int, last: int, total: Any, limit: float) -> Any:
    """Eliminate the items from `first` to before `last`, and return their cost and `total`; stop above `limit`."""
    for q in range(first, last):
        kind, i, j = items[q]
        if kind == VERTEX:
            total += eliminate_vertex(sets, sizes, i)
        elif has(sets, SUCC, i, j):
            total += eliminate_edge(sets, sizes, kind, i, j)
        if total > limit:
            break
    return total


def drawn_below(state: Numbers, n: int) -> int:
    """Return a random whole number from 0 to before `n`."""
    return min(int(drawn(state) * n), n - 1)


def drawn_neighbour(sets: Words, side: int, v: int, state: Numbers) -> Any:
    """Return one of the neighbours on one side of `v`, or -1 if there is none."""
    number = 0
    for w in range(sets.shape[2]):
        number += count_bits(sets[side, v, w])
    left = drawn_below(state, number) if number else -1
    for w in range(sets.shape[2]):
        rest = sets[side, v, w]
        while rest:
            if left == 0:
                return (w << 6) + lowest_bit(rest)
            left -= 1
            rest &= rest - ONE
    return -1


def insert_edge(sets: Words, items: Numbers, count: int, p: int, state: Numbers) -> bool:
    """Insert an edge of a later vertex at place `p`, where `sets` stand, if there is one; return whether there is."""
    kind, v, _ = items[p + drawn_below(state, count - p)]
    side = PRED if drawn(state) < 0.5 else SUCC
    u = drawn_neighbour(sets, side, v, state) if kind == VERTEX else -1
    if u < 0 or count == len(items):
        return False
    for q in range(count, p, -1):
        items[q] = items[q - 1]
    items[p, 0] = FRONT if side == PRED else BACK
    items[p, 1], items[p, 2] = (u, v) if side == PRED else (v, u)
    return True


def move_item(items: Numbers, count: int, state: Numbers) -> None:
    """Move an item some places on or back."""
    p = drawn_below(state, count)
    last = min(p + 1 + int(-math.log(drawn(state)) * MEAN_DISTANCE), count - 1)
    is_later = drawn(state) < 0.5
    for column in range(items.shape[1]):
        turn(items[:, column], p, last, is_later)


def remove_item(items: Numbers, count: int, state: Numbers) -> bool:
    """Take out an item at random, if it is one of an edge; return whether it was."""
    p = drawn_below(state, count)
    if items[p, 0] == VERTEX:
        return False
    for q in range(p, count - 1):
        items[q] = items[q + 1]
    return True


def anneal_items(
    start: Words, sizes: Numbers, items: Numbers, best: Numbers, state: Numbers,
    spent: int, until: int, limit: float, hot: float, cold: float
) -> int:  # fmt: skip
    """Make trials until `until` are made, or `limit`; change the `items`, the `best` ones and the `state`."""
    sets, trial = np.empty_like(start), np.empty_like(items)
    while spent < min(until, limit):
        T = hot * (cold / hot) ** (spent / limit)
        spent += 1
        count = state[COUNT]
        trial[:count] = items[:count]
        sets[:] = start
        what, p, cost = drawn(state), 0, np.int64(0)
        most = state[COST] - T * math.log(drawn(state))
        is_other = True
        if what < MOVED:
            move_item(trial, count, state)
        elif what < INSERTED:
            p = drawn_below(state, count)
            cost = run_items(sets, sizes, trial, 0, p, cost, most)
            is_other = insert_edge(sets, trial, count, p, state)
            count += is_other
        else:
            is_other = remove_item(trial, count, state)
            count -= is_other
        if is_other:
            cost = run_items(sets, sizes, trial, p, count, cost, most)
            if cost <= most:
                state[COST], state[COUNT] = cost, count
                items[:count] = trial[:count]
                if cost < state[LEAST]:
                    state[LEAST], state[BEST_COUNT] = cost, count
                    best[:count] = trial[:count]
    return spent


LOOPS = (anneal_items,)
CALLS = (
    chance_after, fraction, drawn, count_bits, lowest_bit, has, turn, put, put_edge, bypass, remove_edges, is_empty,
    eliminate_edge, eliminate_vertex, run_items, drawn_below, drawn_neighbour, insert_edge, move_item, remove_item,
)  # fmt: skip


@cache
def _loaded() -> Callable[..., int]:
    return compiled(LOOPS, CALLS)["anneal_items"]


def anneal_edges(task: Task) -> tuple[int, list[Item]]:
    """Return the cost of the best list of items found, and the list.

    Half of a time, or as many evaluations, goes into an order of vertices to begin with.
    """
    budget = Budget(task.budget, EVALUATIONS)
    half = f"{budget.limit / 2:.9f}s" if budget.in_seconds else int(budget.limit)
    order = anneal_within(task, Budget(half))
    cost, n = task.cost(order), len(order)
    if not cost:
        return cost, [(VERTEX, v, v) for v in order]
    items = np.zeros((2 * n, 3), np.int64)
    items[:n, 1] = items[:n, 2] = order
    best, sizes = items.copy(), np.array(task.pattern.sizes, np.int64)
    state = np.array([first_chance(task.seed), cost, cost, n, n])
    seconds = budget.limit if budget.in_seconds else budget.limit * n / VERTICES_PER_SECOND
    search = _loaded() if machine_code_pays(task, seconds, _loaded) else anneal_items
    temperatures = (HOT * cost / n, COLD * cost / n)
    with np.errstate(over="ignore"):  # the bits of a word are counted modulo 2^64
        run_within(Share(Budget(half)), search, (task.pattern.words(), sizes, items, best, state), temperatures)
    return int(state[LEAST]), [(int(kind), int(i), int(j)) for kind, i, j in best[: state[BEST_COUNT]]]


def edge_steps(E: EliminationGraph, items: Iterable[tuple[int, Any, Any]]) -> list[tuple[Any, Any, str]]:
    """Return the steps of `eliminate_edges` that the items, with nodes for numbers, stand for; `E` is used up."""
    steps: list[tuple[Any, Any, str]] = []
    for kind, i, j in items:
        if kind == VERTEX:
            steps += take_edges_of(E, i)
        elif j in E.succ.get(i, ()):
            steps.append((i, j, "front" if kind == FRONT else "back"))
            take_edge(E, *steps[-1])
    return steps
