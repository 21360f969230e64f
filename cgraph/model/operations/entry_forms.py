"""Operations on arrays by their entries, where the value in the table compares or decomposes numbers.

What comes in are object arrays whose entries write down what is done to them: they have arithmetic, ``exp``, ``log``
and ``sqrt`` for NumPy, ``apply(operation, *others)``, ``number(value)``, and ``shared()`` for an entry that is used in
several places.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from cgraph.model.errors import CGraphError

__all__ = [
    "cholesky_entries",
    "det_entries",
    "hinge_entries",
    "inv_entries",
    "largest_entries",
    "log_softmax_entries",
    "logdet_entries",
    "logsumexp_entries",
    "norm_entries",
    "smallest_entries",
    "softmax_cross_entropy_entries",
    "softmax_entries",
    "solve_entries",
    "sort_entries",
]

LARGEST_DETERMINANT = 6
WIDEST = 20  # operands of a max

Entries = Any  # an object array, or one entry


def _each(operation: str, operands: int = 1) -> Any:
    """Return an elementary operation on each entry, with NumPy's broadcasting."""
    return np.frompyfunc(lambda entry, *others: entry.apply(operation, *others), operands, 1)


_shared = np.frompyfunc(lambda entry: entry.shared(), 1, 1)
_relu, _absolute = _each("relu"), _each("abs")
_smaller, _larger = _each("min", 2), _each("max", 2)


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
