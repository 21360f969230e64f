"""The loops over a tape without numba: NumPy, one run of equal operations at a time, at all points at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from cgraph.algorithms.compiled.edge_arrays import Floats, Index, has_finite_sum
from cgraph.algorithms.compiled.tape.numba_rules import ADD as FIRST
from cgraph.algorithms.compiled.tape.numba_rules import GIVEN, ROWS, WEIGHTED_SUM, is_binary
from cgraph.model.rules.generate import functions_of

__all__ = ["TAPE_RUNS"]

_ROWS = tuple(ROWS.values())


def run_tape(
    codes: Index, bounds: Index, first: Index, second: Index, operands: Index, weights: Floats, v: Floats
) -> bool:
    """Fill the rows of all blocks of `v` that are not given; return whether all are finite."""
    for y in v:
        for code, rows in _runs(codes, bounds):
            i, j = first[rows], second[rows]
            if code == WEIGHTED_SUM:
                slots = slice(i[0], j[-1])
                y[rows] = np.add.reduceat(_times(y[operands[slots]], weights[slots]), i - i[0])
            else:
                y[rows] = _value(code, y[i], y[j])
    return has_finite_sum(v) or bool(np.isfinite(v).all())


def differentiate_tape(
    codes: Index, bounds: Index, first: Index, second: Index, operands: Index, weights: Floats, v: Floats, S: Floats
) -> None:
    """Fill S, the derivatives of one row with respect to all rows; before, S is 1 at that row and 0 elsewhere."""
    for y, S_ in zip(v, S, strict=True):
        for code, rows in reversed(list(_runs(codes, bounds))):
            i, j = first[rows], second[rows]
            if code == WEIGHTED_SUM:
                slots = slice(i[0], j[-1])
                np.add.at(S_, operands[slots], _times(np.repeat(S_[rows], j - i, axis=0), weights[slots]))
                continue
            x = (y[i], y[j]) if is_binary(code) else (y[i],)
            for k, derivative in zip((i, j), _rule(code).derivatives, strict=False):
                np.add.at(S_, k, S_[rows] * derivative(y[rows], *x))


def copy_rows(rows: Index, v: Floats, out: Floats, point: int, column: int) -> bool:
    """Copy rows of `v` to `out`, which holds a row for each point, from there; return whether all are finite."""
    copied = v[:, rows]
    if v.ndim == 3:  # a row for each point of each block
        copied = copied.swapaxes(1, 2).reshape(len(v) * v.shape[2], len(rows))
    out[point : point + len(copied), column : column + len(rows)] = copied
    return has_finite_sum(copied) or bool(np.isfinite(copied).all())


def multiply_rows(rows: Index, others: Index, S: Floats, v: Floats, out: Floats, point: int) -> bool:
    """Copy the products of rows of `S` and rows of `v` to `out`, as `copy_rows`."""
    return copy_rows(np.arange(len(rows)), S[:, rows] * v[:, others], out, point, 0)


def answer_at(
    codes: Index, bounds: Index, first: Index, second: Index, operands: Index, weights: Floats,
    sources: Index, x: Floats, y: Floats, asked: Index, out: Floats,
) -> bool:  # fmt: skip
    """Set rows to `x`, fill the others, and copy those that are asked for: one point in one call."""
    y[sources] = x
    with np.errstate(all="ignore"):
        run_tape(codes, bounds, first, second, operands, weights, y[np.newaxis])
    out[:] = y[asked]
    return bool(np.isfinite(out).all())


def gradient_at(
    codes: Index, bounds: Index, first: Index, second: Index, operands: Index, weights: Floats, given: Floats,
    sources: Index, x: Floats, y: Floats, S: Floats, t: int, asked: Index, out: Floats,
) -> bool:  # fmt: skip
    """Copy row `t` and its derivatives by those asked for, at one point in one call; return whether all is finite."""
    y[: len(given)] = given
    y[sources] = x
    S[:] = 0.0
    S[t] = 1.0
    with np.errstate(all="ignore"):
        is_finite = run_tape(codes, bounds, first, second, operands, weights, y[np.newaxis])
        differentiate_tape(codes, bounds, first, second, operands, weights, y[np.newaxis], S[np.newaxis])
    out[0], out[1:] = y[t], S[asked]
    return is_finite and bool(np.isfinite(out).all())


TAPE_RUNS = {
    loop.__name__: loop for loop in (run_tape, differentiate_tape, copy_rows, multiply_rows, answer_at, gradient_at)
}


def _runs(codes: Index, bounds: Index) -> Iterator[tuple[int, slice]]:
    """Iterate over the runs that are computed: the operation and the rows of each."""
    for code, begin, end in zip(codes.tolist(), bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        if code != GIVEN:
            yield code, slice(begin, end)


def _rule(code: int) -> Any:
    """Return the functions of the operation."""
    return functions_of(_ROWS[code - FIRST])


def _value(code: int, x: Floats, b: Floats) -> Any:
    """Return the value of an operation on x, or on x and b; nan outside its domain."""
    rule, operands = _rule(code), (x, b) if is_binary(code) else (x,)
    y = rule.value(*operands)
    return y if rule.inside is None else np.where(rule.inside(*operands), y, np.nan)


def _times(v: Floats, weights: Floats) -> Floats:
    """Return every row of `v` times its weight."""
    return (v.T * weights).T
