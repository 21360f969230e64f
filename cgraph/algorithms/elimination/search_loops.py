"""The search for an order on words of 64 bits, for machine code: what `anneal_slowly` does, move for move.

``sets[PRED, j]`` and ``sets[SUCC, i]`` are the sets of `Pattern` as rows of words; where products with some edges are free,
``sets[PRED + FREE, j]`` and ``sets[SUCC + FREE, i]`` hold those edges. A trial changes the sets, keeps what the rows held that it
touches, and puts it back.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["CALLS", "LOOPS", "MEAN_DISTANCE", "chance_after", "first_chance", "fraction"]

Words = NDArray[np.uint64]
Numbers = NDArray[np.int64]
Scratch = tuple[Words, Numbers, Numbers]

MEAN_DISTANCE, FAR_DISTANCE = 10, 40  # of a move, in places
FAR = 0.15  # the part of the moves that lead far
PRED, SUCC, FREE = 0, 1, 2
CHANCE, COST, LEAST = 0, 1, 2  # what `state` holds: of the random numbers, the cost of the order and of the best one
PARENT, CHILD, SIBLING, TOP, OLD_ORDER, OLD_COSTS = 0, 1, 2, 3, 4, 5  # the rows of a tree; its columns are places
# What is mixed with a word has to be a word: with other integers numba makes floats of both.
ONE, TWO, FOUR, LAST = np.uint64(1), np.uint64(2), np.uint64(4), np.uint64(56)
PAIRS, FOURS, EIGHTS = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333), np.uint64(0x0F0F0F0F0F0F0F0F)
BYTES = np.uint64(0x0101010101010101)
# The generator of S. K. Park, K. W. Miller, "Random number generators: good ones are hard to find", Communications of the ACM
# 31(10), 1988, with the multiplier that they took later: the same integers in Python and in machine code.
MULTIPLIER, MODULUS = 48_271, 2_147_483_647


def first_chance(seed: int) -> int:
    """Return the state of the random numbers for a seed: not 0, and far from those of other small seeds."""
    return 1 + seed * 1_000_003 % (MODULUS - 1)


def chance_after(state: int) -> int:
    """Return the state of the random numbers that follows `state`."""
    return state * MULTIPLIER % MODULUS


def fraction(state: int) -> float:
    """Return the random number between 0 and 1 that a state stands for; it is neither."""
    return state / MODULUS


def drawn(state: Numbers) -> float:
    """Return the next random number between 0 and 1."""
    state[CHANCE] = chance_after(state[CHANCE])
    return fraction(state[CHANCE])


def count_bits(word: Any) -> Any:
    """Return how many bits of a word are set; compilers know the formula."""
    word = word - ((word >> ONE) & PAIRS)
    word = (word & FOURS) + ((word >> TWO) & FOURS)
    return np.int64((((word + (word >> FOUR)) & EIGHTS) * BYTES) >> LAST)


def lowest_bit(word: Any) -> Any:
    """Return the place of the lowest bit that is set."""
    return count_bits(~word & (word - ONE))


def has(sets: Words, k: int, j: int, i: int) -> bool:
    """Return whether node `i` is in the set ``sets[k, j]``."""
    return bool((sets[k, j, i >> 6] >> np.uint64(i & 63)) & ONE)


def copy_row(source: Words, target: Words, side: int, i: int) -> None:
    """Copy what stands on one side of a node."""
    for k in range(side, len(source), FREE):
        for w in range(source.shape[2]):
            target[k, i, w] = source[k, i, w]


def weigh(sets: Words, side: int, v: int, sizes: Numbers, is_uniform: bool) -> Any:
    """Return the sum of the sizes of the neighbours of `v` whose edges are charged."""
    total = np.int64(0)
    for w in range(sets.shape[2]):
        rest = sets[side, v, w]
        if len(sets) > FREE:
            rest &= ~sets[side + FREE, v, w]
        if is_uniform:
            total += count_bits(rest)
            continue
        while rest:
            total += sizes[(w << 6) + lowest_bit(rest)]
            rest &= rest - ONE
    return total


def keep(sets: Words, side: int, i: int, scratch: Scratch, trial: int) -> None:
    """Keep what stands in a row of `sets`, if it has not been kept in this trial."""
    kept, marks, touched = scratch
    if marks[side, i] == trial:
        return
    marks[side, i] = trial
    touched[0] += 1
    touched[touched[0]] = 2 * i + side
    copy_row(sets, kept, side, i)


def restore(sets: Words, scratch: Scratch) -> None:
    """Put back what was kept."""
    kept, _, touched = scratch
    for m in range(1, touched[0] + 1):
        copy_row(kept, sets, touched[m] & 1, touched[m] >> 1)
    touched[0] = 0


def join(sets: Words, side: int, i: int, v: int) -> None:
    """Give a neighbour of `v` the neighbours that `v` has on the other side, and take `v` from it."""
    bit = ONE << np.uint64(v & 63)
    if len(sets) > FREE:
        is_free = has(sets, 1 - side + FREE, v, i)
        for w in range(sets.shape[2]):
            free = sets[side + FREE, i, w] & ~sets[side, v, w]
            if is_free:
                free |= sets[side + FREE, v, w] & ~sets[side, i, w]
            sets[side + FREE, i, w] = free
        sets[side + FREE, i, v >> 6] &= ~bit
    for w in range(sets.shape[2]):
        sets[side, i, w] |= sets[side, v, w]
    sets[side, i, v >> 6] &= ~bit


def eliminate(sets: Words, sizes: Numbers, is_uniform: bool, v: int, scratch: Scratch, trial: int) -> Any:
    """Join every predecessor of `v` to every successor, take `v` out, and return the cost."""
    cost = sizes[v] * weigh(sets, PRED, v, sizes, is_uniform) * weigh(sets, SUCC, v, sizes, is_uniform)
    for side in range(FREE):
        for w in range(sets.shape[2]):
            rest = sets[1 - side, v, w]
            while rest:
                i = (w << 6) + lowest_bit(rest)
                rest &= rest - ONE
                keep(sets, side, i, scratch, trial)
                join(sets, side, i, v)
    return cost


def meets(sets: Words, v: int, order: Numbers, first: int, last: int) -> bool:
    """Return whether an edge joins `v` to what stands at the places from `first` to `last`."""
    q = first
    while q <= last and not has(sets, PRED, v, order[q]) and not has(sets, SUCC, v, order[q]):
        q += 1
    return q <= last


def turn(numbers: Numbers, first: int, last: int, is_later: bool) -> None:
    """Put what stands at place `first` at place `last`, or the other way round."""
    if is_later:
        moving = numbers[first]
        for q in range(first, last):
            numbers[q] = numbers[q + 1]
        numbers[last] = moving
    else:
        moving = numbers[last]
        for q in range(last, first, -1):
            numbers[q] = numbers[q - 1]
        numbers[first] = moving


def distance(state: Numbers) -> int:
    """Return how many places a move leads at most: some, or many."""
    mean = FAR_DISTANCE if drawn(state) < FAR else MEAN_DISTANCE
    return 1 + int(-math.log(drawn(state)) * mean)


def try_move(
    sets: Words, sizes: Numbers, is_uniform: bool, order: Numbers, costs: Numbers, new_costs: Numbers, p: int, state: Numbers,
    T: float, scratch: Scratch, trial: int
) -> bool:  # fmt: skip
    """Move the vertex at place `p` some places on, or one from there to `p`; return whether the order is the best so far."""
    last = min(p + distance(state), len(order) - 1)
    is_later = drawn(state) < 0.5
    if not meets(sets, order[p if is_later else last], order, p, last):
        turn(order, p, last, is_later)
        turn(costs, p, last, is_later)
        return False
    most = -T * math.log(drawn(state))
    if is_later:
        state[COST] += put_later(sets, sizes, is_uniform, order, costs, new_costs, p, last, most, scratch, trial)
    else:
        state[COST] += put_earlier(sets, sizes, is_uniform, order, costs, new_costs, p, last, most, scratch, trial)
    return bool(state[COST] < state[LEAST])


def put_later(
    sets: Words, sizes: Numbers, is_uniform: bool, order: Numbers, costs: Numbers, new_costs: Numbers, p: int, last: int,
    most: float, scratch: Scratch, trial: int
) -> Any:  # fmt: skip
    """Put the vertex at place `p` where the order costs least, up to place `last`, if that adds `most` at most; return what it adds."""
    v, place, change, least, cost = order[p], p, -costs[p], np.int64(0), np.int64(0)
    for q in range(p + 1, last + 1):
        is_joined = has(sets, PRED, v, order[q]) or has(sets, SUCC, v, order[q])
        new_costs[q] = eliminate(sets, sizes, is_uniform, order[q], scratch, trial)
        change += new_costs[q] - costs[q]
        if is_joined or q == last:
            now = sizes[v] * weigh(sets, PRED, v, sizes, is_uniform) * weigh(sets, SUCC, v, sizes, is_uniform)
            if change + now <= (most if place == p else least):
                place, least, cost = q, change + now, now
    restore(sets, scratch)
    if place > p:
        for q in range(p, place):
            order[q], costs[q] = order[q + 1], new_costs[q + 1]
        order[place], costs[place] = v, cost
    return least


def put_earlier(
    sets: Words, sizes: Numbers, is_uniform: bool, order: Numbers, costs: Numbers, new_costs: Numbers, p: int, last: int,
    most: float, scratch: Scratch, trial: int
) -> Any:  # fmt: skip
    """Put the vertex at place `last` at place `p`, if that adds `most` at most; return what it adds."""
    old, new = np.int64(0), np.int64(0)
    for q in range(p, last + 1):
        old += costs[q]
    turn(order, p, last, False)
    for q in range(p, last + 1):
        new_costs[q] = eliminate(sets, sizes, is_uniform, order[q], scratch, trial)
        new += new_costs[q]
        if new - old > most:
            break
    restore(sets, scratch)
    if new - old > most:
        turn(order, p, last, True)
        return np.int64(0)
    for q in range(p, last + 1):
        costs[q] = new_costs[q]
    return new - old


def grow_tree(sets: Words, order: Numbers, state: Numbers, tree: Numbers, place: Numbers) -> None:
    """Find the elimination tree of an order, with the children of each place in random order.

    The parent of a place is the first later one that an edge joins to it or to one of its descendants. Roots are the children of a
    place after the last.
    """
    n = len(order)
    for q in range(n):
        place[order[q]] = q
        tree[PARENT, q] = tree[TOP, q] = n
    for q in range(n):
        v = order[q]
        tree[TOP, q] = q
        for w in range(sets.shape[2]):
            rest = sets[PRED, v, w] | sets[SUCC, v, w]
            while rest:
                r = place[(w << 6) + lowest_bit(rest)]
                rest &= rest - ONE
                if 0 <= r < q:
                    while tree[TOP, r] != r:
                        tree[TOP, r] = tree[TOP, tree[TOP, r]]
                        r = tree[TOP, r]
                    if r != q:
                        tree[TOP, r] = tree[PARENT, r] = q
    tree[CHILD, :] = tree[SIBLING, :] = -1
    for q in range(n - 1, -1, -1):
        up = tree[PARENT, q]
        first = tree[CHILD, up]
        if first < 0 or drawn(state) < 0.5:
            tree[CHILD, up], tree[SIBLING, q] = q, first
        else:
            tree[SIBLING, q], tree[SIBLING, first] = tree[SIBLING, first], q


def shuffle(sets: Words, order: Numbers, costs: Numbers, state: Numbers, tree: Numbers, place: Numbers) -> None:
    """Turn an order into a random postorder of its elimination tree; the cost of every vertex is the same."""
    n = len(order)
    grow_tree(sets, order, state, tree, place)
    tree[OLD_ORDER, :n], tree[OLD_COSTS, :n] = order, costs
    m, q = 0, tree[CHILD, n]
    while q >= 0:
        while tree[CHILD, q] >= 0:
            q = tree[CHILD, q]
        while q < n:
            order[m], costs[m] = tree[OLD_ORDER, q], tree[OLD_COSTS, q]
            m += 1
            if tree[SIBLING, q] >= 0:
                break
            q = tree[PARENT, q]
        q = tree[SIBLING, q]


def anneal_passes(
    start: Words, sizes: Numbers, order: Numbers, costs: Numbers, best: Numbers, state: Numbers,
    spent: int, until: int, limit: float, hot: float, cold: float
) -> int:  # fmt: skip
    """Go through the order, a move at each place, until `until` moves are spent and a pass is at its end, or `limit` are.

    `order` and its `costs`, the `best` order and the `state` are changed; the number of moves spent is returned.
    """
    sets = np.empty_like(start)
    scratch = (np.empty_like(start), np.zeros((2, len(sizes)), np.int64), np.zeros(2 * len(sizes) + 1, np.int64))
    new_costs, tree, place = np.empty_like(costs), np.empty((6, len(order) + 1), np.int64), np.full(len(sizes), -1)
    is_uniform, trial = bool((sizes == 1).all()), 0
    while spent < min(until, limit):
        T = hot * (cold / hot) ** (spent / limit)
        shuffle(start, order, costs, state, tree, place)
        sets[:] = start
        for p in range(len(order) - 1):
            if spent >= limit:
                break
            spent += 1
            trial += 2
            if try_move(sets, sizes, is_uniform, order, costs, new_costs, p, state, T, scratch, trial):
                state[LEAST] = state[COST]
                best[:] = order
            eliminate(sets, sizes, is_uniform, order[p], scratch, trial + 1)
            scratch[2][0] = 0  # nothing of this is put back
    return spent


LOOPS = (anneal_passes,)
CALLS = (
    chance_after, fraction, drawn, count_bits, lowest_bit, has, copy_row, weigh, keep, restore, join, eliminate, meets, turn, distance,
    put_later, put_earlier, try_move, grow_tree, shuffle,
)  # fmt: skip
