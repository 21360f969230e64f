"""Operations on arrays by their entries, where the value in the table compares or decomposes numbers.

What comes in are object arrays whose entries write down what is done to them: they have arithmetic, ``exp``, ``log``
and ``sqrt`` for NumPy, ``apply(operation, *others)``, ``number(value)``, and ``shared()`` for an entry that is used in
several places.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from cgraph.model.errors import CGraphError
from cgraph.model.operations.moved_entries import pad
from cgraph.model.operations.windows import conv_layout, conv_transpose_layout, pool_windows, window_places

__all__ = [
    "avg_pool_entries",
    "cholesky_entries",
    "conv_entries",
    "conv_transpose_entries",
    "cumsum_entries",
    "det_entries",
    "hinge_entries",
    "inv_entries",
    "largest_entries",
    "log_softmax_entries",
    "logdet_entries",
    "logsumexp_entries",
    "max_pool_entries",
    "norm_entries",
    "pad_entries",
    "smallest_entries",
    "softmax_cross_entropy_entries",
    "softmax_entries",
    "solve_entries",
    "sort_entries",
    "take_entries",
    "topk_entries",
]

LARGEST_DETERMINANT = 6
WIDEST = 20  # operands of a max

Entries = Any  # an object array, or one entry


def _each(operation: str, operands: int = 1) -> Any:
    """Return an elementary operation on each entry, with NumPy's broadcasting."""
    return np.frompyfunc(lambda entry, *others: entry.apply(operation, *others), operands, 1)


_shared = np.frompyfunc(lambda entry: entry.shared(), 1, 1)
_relu, _absolute = _each("relu"), _each("abs")
_smaller, _larger, _sum = _each("min", 2), _each("max", 2), _each("add", 2)


def _extreme(operation: str) -> Callable[..., Entries]:
    def of_line(line: Sequence[Any]) -> Any:
        while len(line) > 1:  # of equal ones the first, in any grouping that keeps the order
            groups = [line[k : k + WIDEST] for k in range(0, len(line), WIDEST)]
            line = [group[0].apply(operation, *group[1:]) if len(group) > 1 else group[0] for group in groups]
        return line[0]

    def formula(x: Entries, axis: int | None = None) -> Entries:
        lines = np.ravel(x) if axis is None else np.moveaxis(x, axis, -1)
        found = np.empty(lines.shape[:-1], object)
        for place in np.ndindex(found.shape):
            found[place] = of_line(lines[place].tolist())
        return found

    return formula


largest_entries, smallest_entries = _extreme("max"), _extreme("min")


def logsumexp_entries(x: Entries, axis: int = -1) -> Entries:
    """Return the logarithm of a sum of exponentials, shifted by the largest."""
    largest = _shared(largest_entries(x, axis))
    return largest + np.log(np.sum(np.exp(x - np.expand_dims(largest, axis)), axis))


def log_softmax_entries(x: Entries, axis: int = -1) -> Entries:
    """Return x less its logsumexp."""
    return x - np.expand_dims(_shared(logsumexp_entries(x, axis)), axis)


def hinge_entries(s: Entries, y: Entries) -> Entries:
    """Return the multi-class SVM loss."""
    of_label = _shared(np.sum(s * y, axis=-1, keepdims=True))
    return np.sum((1 - y) * _relu(s - of_label + 1), axis=-1)


def det_entries(A: Entries) -> Any:
    """Return the determinant; the minors of the last rows, by their columns, are computed once each."""
    n = len(A)
    if n > LARGEST_DETERMINANT:
        raise CGraphError(
            f"a determinant or inverse of {n} x {n} has too many products to be written in numbers; the limit is "
            f"{LARGEST_DETERMINANT} x {LARGEST_DETERMINANT}"
        )
    minors: dict[tuple[int, ...], Any] = {(c,): A[-1, c] for c in range(n)}
    for size in range(2, n + 1):
        below, row = minors, A[n - size]
        minors = {columns: _expanded(row, columns, below) for columns in combinations(range(n), size)}
    return minors[tuple(range(n))]


def _expanded(row: Entries, columns: tuple[int, ...], below: dict[tuple[int, ...], Any]) -> Any:
    """Return the minor of some columns by its first row and the minors below it."""
    terms: list[Any] = [row[c] * below[columns[:k] + columns[k + 1 :]].shared() for k, c in enumerate(columns)]
    return sum(terms[2::2], terms[0]) - sum(terms[3::2], terms[1])


def inv_entries(A: Entries) -> Entries:
    """Return the inverse by cofactors."""
    if len(A) == 1:
        return 1 / A
    det = det_entries(A).shared()
    inverse = np.empty_like(A)
    for i, j in np.ndindex(A.shape):
        cofactor = det_entries(np.delete(np.delete(A, j, 0), i, 1))
        inverse[i, j] = (-cofactor if (i + j) % 2 else cofactor) / det
    return inverse


def sort_entries(x: Entries, axis: int = -1) -> Entries:
    """Return sorted lines: neighbours change places until none has to; of equal ones the first stays first."""
    lines = np.array(np.moveaxis(x, axis, -1))
    for last in range(lines.shape[-1] - 1, 0, -1):
        for k in range(last):
            a, b = _shared(lines[..., k]), _shared(lines[..., k + 1])
            lines[..., k], lines[..., k + 1] = _smaller(a, b), _larger(b, a)
    return np.moveaxis(lines, -1, axis)


def cholesky_entries(A: Entries) -> Entries:
    """Return the lower triangular factor, column by column."""
    L = np.full_like(A, A[0, 0].number(0))
    for i in range(len(A)):
        for j in range(i + 1):
            rest = sum((-(L[i, k] * L[j, k]) for k in range(j)), A[i, j])
            L[i, j] = (np.sqrt([rest])[0] if i == j else rest / L[j, j]).shared()
    return L


def softmax_entries(x: Entries, axis: int = -1) -> Entries:
    """Return softmax as exp of its logarithm."""
    return np.exp(log_softmax_entries(x, axis))


def softmax_cross_entropy_entries(s: Entries, y: Entries) -> Entries:
    """Return the cross-entropy of softmax(s) and the label y."""
    return -np.sum(y * log_softmax_entries(s), axis=-1)


def norm_entries(x: Entries) -> Entries:
    """Return the Euclidean norm."""
    return np.sqrt(np.sum(x * x))


def solve_entries(A: Entries, b: Entries) -> Entries:
    """Return A^-1 b."""
    return _shared(inv_entries(A)) @ b


def logdet_entries(A: Entries) -> Entries:
    """Return ln |det A|."""
    return np.log(_absolute(np.array([det_entries(A)])))[0]


def pad_entries(x: Entries, **options: Any) -> Entries:
    """Return entries between zeros."""
    places = pad(np.arange(1, np.size(x) + 1).reshape(np.shape(x)), **options)
    zero = np.ravel(x)[0].number(0)
    return _picked(np.append(np.ravel(x), zero), places - 1)


def _picked(x: Entries, places: Any) -> Entries:
    """Return entries at places, one by one: NumPy would ask an entry for its length."""
    found = np.empty(np.shape(places), object)
    for place in np.ndindex(found.shape):
        found[place] = x[places[place]]
    return found[()]


def take_entries(x: Entries, places: Entries, axis: int = 0) -> Entries:
    """Return for each place a choice among all entries that could stand there: the last whose number it reaches."""
    lines = np.moveaxis(x, axis, 0)
    n = len(lines)
    chosen = np.empty((*np.shape(places), *lines.shape[1:]), object)
    for at in np.ndindex(np.shape(places)):
        place = _shared(places[at])
        for rest in np.ndindex(lines.shape[1:]):
            entry = lines[(0, *rest)]
            for k in range(1 - n, n):
                entry = place.apply("greater_equal", place.number(k)).apply("where", lines[(k, *rest)], entry)
            chosen[at + rest] = entry
    # The axes of the places take the place of the axis.
    first = axis % x.ndim
    moved = range(np.ndim(places))
    return np.moveaxis(chosen, list(moved), [first + k for k in moved])


def cumsum_entries(x: Entries, axis: int | None = None) -> Entries:
    """Return running sums, each the one before and an entry."""
    lines = np.array(np.ravel(x) if axis is None else np.moveaxis(x, axis, -1))
    for k in range(1, lines.shape[-1]):
        lines[..., k] = _sum(_shared(lines[..., k - 1]), lines[..., k])
    return lines if axis is None else np.moveaxis(lines, -1, axis)


def topk_entries(x: Entries, k: int = 1, axis: int = -1) -> Entries:
    """Return the last of the sorted entries, from the back."""
    lines = np.moveaxis(sort_entries(x, axis), axis, -1)
    return np.moveaxis(lines[..., : -k - 1 : -1], -1, axis)


# --- windows ------------------------------------------------------------------------------------------------------------


def conv_entries(x: Entries, w: Entries, **options: Any) -> Entries:
    """Return for each window the sum of products of kernel and entries below it; what the padding adds is left out."""
    layout, shape = conv_layout(np.shape(x), np.shape(w), **options)
    columns = layout.columns(np.arange(1, np.size(x) + 1).reshape(layout.image)) - 1
    kernels = np.reshape(w, (layout.groups, layout.kernel[0] // layout.groups, -1))
    terms: dict[Any, list[Any]] = {}
    for n, g, q, p in np.ndindex(columns.shape):
        if columns[n, g, q, p] >= 0:
            for r in range(kernels.shape[1]):
                terms.setdefault((n, g, r, p), []).append(kernels[g, r, q] * np.ravel(x)[columns[n, g, q, p]])
    whole = (layout.image[0], layout.groups, kernels.shape[1], columns.shape[-1])
    return _added_up(terms, whole, np.ravel(x)[0]).reshape(shape)


def conv_transpose_entries(x: Entries, w: Entries, **options: Any) -> Entries:
    """Return the sums of what each entry, times the kernel, puts around it."""
    layout, shape = conv_transpose_layout(np.shape(x), np.shape(w), **options)
    size = math.prod(layout.image)
    columns = layout.columns(np.arange(1, size + 1).reshape(layout.image)) - 1
    kernels = np.reshape(w, (layout.groups, layout.kernel[0] // layout.groups, -1))
    operand = layout.grouped(x)[0]
    terms: dict[Any, list[Any]] = {}
    for n, g, q, p in np.ndindex(columns.shape):
        if columns[n, g, q, p] >= 0:
            for r in range(kernels.shape[1]):
                terms.setdefault((columns[n, g, q, p],), []).append(kernels[g, r, q] * operand[n, g, r, p])
    return _added_up(terms, (size,), np.ravel(x)[0]).reshape(shape)


def _added_up(terms: Mapping[Any, list[Any]], shape: tuple[int, ...], any_entry: Any) -> Entries:
    """Return the sums of terms by their places; where there is none, 0."""
    found = np.empty(shape, object)
    for place in np.ndindex(shape):
        first, *others = terms.get(place) or [any_entry.number(0)]
        found[place] = sum(others, first)
    return found


def _below_windows(x: Entries, size: Any, **options: Any) -> tuple[list[list[Any]], Any]:
    """Return the entries below each window, without the padding, and the number of entries of a window."""
    windows = pool_windows(np.ndim(x), size, **options)
    d = len(windows.kernel)
    places = window_places(x, windows)
    lead, counts = places.shape[: -2 * d], places.shape[-d:]
    by_window = np.moveaxis(places.reshape(*lead, -1, *counts), len(lead), -1)
    entries = np.ravel(x)
    lines = [[entries[p] for p in by_window[place] if p >= 0] for place in np.ndindex(by_window.shape[:-1])]
    return lines, by_window.shape


def max_pool_entries(x: Entries, size: Any = 2, **options: Any) -> Entries:
    """Return the largest entry below each window."""
    lines, (*shape, _) = _below_windows(x, size, **options)
    found = np.empty(len(lines), object)
    for k, line in enumerate(lines):
        found[k] = largest_entries(np.array(line, object))[()]
    return found.reshape(shape)


def avg_pool_entries(x: Entries, size: Any = 2, **options: Any) -> Entries:
    """Return the sum of the entries below each window, divided by how many a window has."""
    lines, (*shape, count) = _below_windows(x, size, **options)
    found = np.empty(len(lines), object)
    for k, line in enumerate(lines):
        found[k] = (sum(line[1:], line[0]) if line else np.ravel(x)[0].number(0)) / count
    return found.reshape(shape)
