"""The loops over a tape, for machine code: down it for all values, up it for all derivatives.

Points come in blocks, of one point or of `WIDTH`, which are swept one after the other. Row k of a block holds the
value of one step, one number or one for each point; ``first[k]`` and ``second[k]`` are the earlier rows that it reads. Rows that follow each other, are the same operation and do not read each other are
a run, from ``bounds[r]`` to ``bounds[r + 1]``. A weighted sum reads any number of rows: ``operands[e]`` with
``weights[e]``, for e from ``first[k]`` to ``second[k]``.

Arithmetic is done row by row. For other operations the operands of a part of a run are gathered, so that one loop
without a branch computes all of them: the compiler makes it do several at once. A few numbers are not worth it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cgraph.algorithms.compiled.edge_arrays import Floats, Index
from cgraph.algorithms.compiled.simd import WIDTH, load, store
from cgraph.algorithms.compiled.tape.numba_rules import ADD, GIVEN, MUL, RULES, SUB, WEIGHTED_SUM, is_binary

__all__ = ["TAPE_CALLS", "TAPE_LOOPS"]

Loop = Callable[..., None]

GATHERED = 256  # numbers that are computed in one loop
FEW = 8  # numbers that are computed one after the other: a loop of their own takes longer to begin
EXPONENT = 0x7FF << 52  # its bits


def width_of(y: Floats) -> int:
    """Return how many numbers a row holds, which the compiler knows beforehand."""
    return 1 if y.ndim == 1 else WIDTH


def empty_rows(y: Floats) -> Floats:
    """Return zeros for the numbers of one loop, in rows like those of `y`."""
    return np.zeros(GATHERED) if y.ndim == 1 else np.zeros((GATHERED // WIDTH, WIDTH))


def continues(code: int, before: int) -> bool:
    """Return whether a run continues the one before it: arithmetic, done row by row, may read the row above."""
    return code == before and ADD <= code <= SUB


def add_to(S: Floats, k: int, row: Any) -> None:
    """Add to row k of S."""
    store(S, k, load(S, k) + row)


def add_fill(begin: int, end: int, first: Index, second: Index, y: Floats) -> None:
    """Fill the rows of a run of sums."""
    for k in range(begin, end):
        store(y, k, load(y, first[k]) + load(y, second[k]))


def sub_fill(begin: int, end: int, first: Index, second: Index, y: Floats) -> None:
    """Fill the rows of a run of differences."""
    for k in range(begin, end):
        store(y, k, load(y, first[k]) - load(y, second[k]))


def mul_fill(begin: int, end: int, first: Index, second: Index, y: Floats) -> None:
    """Fill the rows of a run of products."""
    for k in range(begin, end):
        store(y, k, load(y, first[k]) * load(y, second[k]))


def add_differentiate(begin: int, end: int, first: Index, second: Index, S: Floats) -> None:
    """Add what the rows of a run of sums contribute to the S of their operands."""
    for k in range(end - 1, begin - 1, -1):
        S_k = load(S, k)
        add_to(S, first[k], S_k)
        add_to(S, second[k], S_k)


def sub_differentiate(begin: int, end: int, first: Index, second: Index, S: Floats) -> None:
    """Add what the rows of a run of differences contribute."""
    for k in range(end - 1, begin - 1, -1):
        S_k = load(S, k)
        add_to(S, first[k], S_k)
        add_to(S, second[k], S_k * -1.0)


def mul_differentiate(begin: int, end: int, first: Index, second: Index, y: Floats, S: Floats) -> None:
    """Add what the rows of a run of products contribute."""
    for k in range(end - 1, begin - 1, -1):
        i, j, S_k = first[k], second[k], load(S, k)
        add_to(S, i, S_k * load(y, j))
        add_to(S, j, S_k * load(y, i))


def gather(rows: Index, begin: int, end: int, y: Floats, x: Floats) -> None:
    """Copy the rows that a part of a run reads."""
    for k in range(begin, end):
        store(x, k - begin, load(y, rows[k]))


def scatter(rows: Index, begin: int, end: int, z: Floats, S: Floats) -> None:
    """Add S(k,t) z(i,k), for the row i that each row k of a part of a run reads."""
    for k in range(begin, end):
        add_to(S, rows[k], load(S, k) * load(z, k - begin))


def add_up(begin: int, end: int, first: Index, second: Index, operands: Index, weights: Floats, y: Floats) -> None:
    """Fill the rows of a run of weighted sums."""
    for k in range(begin, end):
        s = load(y, operands[first[k]]) * weights[first[k]]
        for e in range(first[k] + 1, second[k]):
            s = s + load(y, operands[e]) * weights[e]
        store(y, k, s)


def hand_on(begin: int, end: int, first: Index, second: Index, operands: Index, weights: Floats, S: Floats) -> None:
    """Add what the rows of a run of weighted sums contribute to the S of their operands."""
    for k in range(begin, end):
        S_k = load(S, k)
        for e in range(first[k], second[k]):
            add_to(S, operands[e], S_k * weights[e])


def are_finite(y: Floats) -> bool:
    """Return whether no number is infinite or nan: then its exponent has every bit set."""
    bits = y.view(np.int64)
    infinite = 0
    for p in range(len(bits)):
        infinite += (bits[p] & EXPONENT) == EXPONENT
    return infinite == 0


def fill(  # noqa: C901 - each call of its own would count references to all arrays
    codes: Index, bounds: Index, first: Index, second: Index, operands: Index, weights: Floats, y: Floats
) -> None:
    """Fill the rows of a block that are not given."""
    numbers, width = y.reshape(-1), width_of(y)
    x, b = empty_rows(y), empty_rows(y)
    after = 0
    while after < len(codes):
        code, begin = codes[after], bounds[after]
        after += 1
        while after < len(codes) and continues(codes[after], code):
            after += 1
        end = bounds[after]
        if code == ADD:
            add_fill(begin, end, first, second, y)
        elif code == MUL:
            mul_fill(begin, end, first, second, y)
        elif code == SUB:
            sub_fill(begin, end, first, second, y)
        elif code == WEIGHTED_SUM:
            add_up(begin, end, first, second, operands, weights, y)
        elif code != GIVEN and width == 1 and end - begin <= FEW:
            for k in range(begin, end):
                numbers[k] = value(code, numbers[first[k]], numbers[second[k]])
        elif code != GIVEN:
            for part in range(begin, end, GATHERED // width):
                part_end = min(part + GATHERED // width, end)
                n = (part_end - part) * width
                gather(first, part, part_end, y, x)
                if is_binary(code):
                    gather(second, part, part_end, y, b)
                values_of(code, x.reshape(-1)[:n], b.reshape(-1)[:n], numbers[part * width : part_end * width])


def differentiate(  # noqa: C901, PLR0912 - as above
    codes: Index, bounds: Index, first: Index, second: Index, operands: Index, weights: Floats, y: Floats, S: Floats
) -> None:
    """Fill the rows of S in a block."""
    numbers, S_, width = y.reshape(-1), S.reshape(-1), width_of(y)
    x, b, z, z_b = empty_rows(y), empty_rows(y), empty_rows(y), empty_rows(y)
    r = len(codes)
    while r > 0:
        r -= 1
        code, end = codes[r], bounds[r + 1]
        while r > 0 and continues(code, codes[r - 1]):
            r -= 1
        begin = bounds[r]
        if code == ADD:
            add_differentiate(begin, end, first, second, S)
        elif code == MUL:
            mul_differentiate(begin, end, first, second, y, S)
        elif code == SUB:
            sub_differentiate(begin, end, first, second, S)
        elif code == WEIGHTED_SUM:
            hand_on(begin, end, first, second, operands, weights, S)
        elif code != GIVEN and width == 1 and end - begin <= FEW:
            for k in range(end - 1, begin - 1, -1):
                z_x, z_second = derivatives(code, numbers[first[k]], numbers[second[k]], numbers[k])
                S_[first[k]] += S_[k] * z_x
                if is_binary(code):
                    S_[second[k]] += S_[k] * z_second
        elif code != GIVEN:
            for part in range(begin, end, GATHERED // width):
                part_end = min(part + GATHERED // width, end)
                n = (part_end - part) * width
                gather(first, part, part_end, y, x)
                if is_binary(code):
                    gather(second, part, part_end, y, b)
                derivatives_of(
                    code, x.reshape(-1)[:n], b.reshape(-1)[:n], numbers[part * width : part_end * width],
                    z.reshape(-1)[:n], z_b.reshape(-1)[:n],
                )  # fmt: skip
                scatter(first, part, part_end, z, S)
                if is_binary(code):
                    scatter(second, part, part_end, z_b, S)


def run_tape(
    codes: Index, bounds: Index, first: Index, second: Index, operands: Index, weights: Floats, v: Floats
) -> bool:
    """Fill the rows of all blocks of `v` that are not given; return whether all are finite."""
    for block in range(len(v)):
        fill(codes, bounds, first, second, operands, weights, v[block])
    return are_finite(v.reshape(-1))


def differentiate_tape(
    codes: Index, bounds: Index, first: Index, second: Index, operands: Index, weights: Floats, v: Floats, S: Floats
) -> None:
    """Fill S, the derivatives of one row with respect to all rows; before, S is 1 at that row and 0 elsewhere."""
    for block in range(len(v)):
        differentiate(codes, bounds, first, second, operands, weights, v[block], S[block])


def copy_rows(rows: Index, v: Floats, out: Floats, point: int, column: int) -> bool:
    """Copy rows of `v` to `out`, which holds a row for each point, from there; return whether all are finite."""
    width = width_of(v[0])
    infinite = 0
    for block in range(len(v)):
        y, begin = v[block].reshape(-1), point + block * width
        for k in range(len(rows)):
            i = rows[k]
            difference = 0.0
            for p in range(width):
                y_p = y[i * width + p]
                out[begin + p, column + k] = y_p
                difference += y_p - y_p  # nan, if it is not finite
            infinite += difference != 0
    return infinite == 0


def multiply_rows(rows: Index, others: Index, S: Floats, v: Floats, out: Floats, point: int) -> bool:
    """Copy the products of rows of `S` and rows of `v` to `out`, as `copy_rows`."""
    width = width_of(v[0])
    infinite = 0
    for block in range(len(v)):
        S_, y, begin = S[block].reshape(-1), v[block].reshape(-1), point + block * width
        for k in range(len(rows)):
            i, j = rows[k], others[k]
            difference = 0.0
            for p in range(width):
                product = S_[i * width + p] * y[j * width + p]
                out[begin + p, k] = product
                difference += product - product
            infinite += difference != 0
    return infinite == 0


def answer_at(
    codes: Index, bounds: Index, first: Index, second: Index, operands: Index, weights: Floats,
    sources: Index, x: Floats, y: Floats, asked: Index, out: Floats,
) -> bool:  # fmt: skip
    """Set rows to `x`, fill the others, and copy those that are asked for: one point in one call."""
    for k in range(len(sources)):
        y[sources[k]] = x[k]
    fill(codes, bounds, first, second, operands, weights, y)
    for k in range(len(asked)):
        out[k] = y[asked[k]]
    return are_finite(out)


def gradient_at(
    codes: Index, bounds: Index, first: Index, second: Index, operands: Index, weights: Floats, given: Floats,
    sources: Index, x: Floats, y: Floats, S: Floats, t: int, asked: Index, out: Floats,
) -> bool:  # fmt: skip
    """Copy row `t` and its derivatives by those asked for, at one point in one call; return whether all is finite."""
    y[: len(given)] = given
    for k in range(len(sources)):
        y[sources[k]] = x[k]
    fill(codes, bounds, first, second, operands, weights, y)
    if not are_finite(y):
        return False
    S[:] = 0.0
    S[t] = 1.0
    differentiate(codes, bounds, first, second, operands, weights, y, S)
    out[0] = y[t]
    for k in range(len(asked)):
        out[k + 1] = S[asked[k]]
    return are_finite(out)


TAPE_LOOPS = (run_tape, differentiate_tape, copy_rows, multiply_rows, answer_at, gradient_at)
# What calls another stands after it.
TAPE_CALLS = (
    is_binary, *RULES, width_of, empty_rows, continues,
    add_to, add_fill, mul_fill, sub_fill, add_differentiate, mul_differentiate, sub_differentiate, gather, scatter,
    add_up, hand_on, fill, differentiate, are_finite,
)  # fmt: skip
value, derivatives, values_of, derivatives_of = *RULES[:2], *RULES[-2:]  # as `fill` and `differentiate` find them
