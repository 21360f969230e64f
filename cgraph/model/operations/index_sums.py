"""Sums of products over indices, as `numpy.einsum` has them, by products of matrices.

Each operand has a letter for each of its axes. Two of them at a time are multiplied: common letters that are needed later
count matrices, the other common ones are summed over. The functions take whatever NumPy's functions take.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from cgraph.model.operations.structured_jacobians import Jacobian, Shape

__all__ = ["Terms", "contracted", "einsum", "einsum_jacobian", "einsum_size", "summed", "terms_of", "unreadable"]

Array = Any  # an ndarray of floats, or of complex numbers
Terms = tuple[Any, str]  # an array, and a letter for each of its axes
SUBSCRIPTS = re.compile(r"[A-Za-z]*(?:,[A-Za-z]*)*->[A-Za-z]*")
ROW = "*"  # the letter of rows or columns that are multiplied together


def terms_of(subscripts: str) -> tuple[list[str], str]:
    """Return the letters of each operand, and those of the result.

    Examples
    --------
    >>> terms_of("ij,jk->ik")
    (['ij', 'jk'], 'ik')
    """
    left, _, output = subscripts.partition("->")
    return left.split(","), output


def unreadable(subscripts: str, operands: int) -> str:
    """Return why subscripts are none, or "".

    Examples
    --------
    >>> unreadable("ij,jk->ik", 2), unreadable("ii->i", 1)
    ('', "a letter stands twice in 'ii'")
    """
    if not SUBSCRIPTS.fullmatch(subscripts):
        return "subscripts are letters, as in 'ij,jk->ik'"
    inputs, output = terms_of(subscripts)
    if len(inputs) != operands:
        return f"there are subscripts for {len(inputs)} operands, and {operands} operands"
    for term in (*inputs, output):
        if len(set(term)) < len(term):
            return f"a letter stands twice in {term!r}"
    if missing := set(output) - set("".join(inputs)):
        return f"{min(missing)!r} stands in no operand"
    return ""


def _sizes(inputs: Sequence[str], shapes: Sequence[Shape]) -> dict[str, int]:
    """Return the length of the axes of each letter."""
    sizes: dict[str, int] = {}
    for letters, shape in zip(inputs, shapes, strict=True):
        if len(letters) != len(shape):
            raise ValueError(f"{letters!r} stands for {len(letters)} axes")
        for letter, length in zip(letters, shape, strict=True):
            if sizes.setdefault(letter, length) != length:
                raise ValueError(f"{letter!r} stands for axes of {sizes[letter]} and {length}")
    return sizes


def einsum(*x: Array, subscripts: str) -> Any:
    """Return the sum of products that subscripts ask for."""
    inputs, output = terms_of(subscripts)
    _sizes(inputs, list(map(np.shape, x)))
    return _sum_of_products(list(zip(x, inputs, strict=True)), output)


def _sum_of_products(terms: list[Terms], output: str) -> Any:
    while len(terms) > 1:
        first, second, *others = terms
        needed = {letter for _, letters in others for letter in letters} | set(output)
        terms = [contracted(first, second, needed), *others]
    x, letters = summed(*terms[0], set(output))
    return np.transpose(x, [letters.index(letter) for letter in output])[()]


def einsum_size(*shapes: Shape, subscripts: str) -> Shape:
    """Return the shape of the result, or of the largest product on the way to it."""
    inputs, output = terms_of(subscripts)
    sizes = _sizes(inputs, shapes)
    found = [output]
    letters = set(inputs[0])
    for k in range(1, len(inputs)):
        letters = {c for c in letters | set(inputs[k]) if c in "".join((output, *inputs[k + 1 :]))}
        found.append("".join(letters))
    return max((tuple(sizes[c] for c in term) for term in found), key=math.prod)


def einsum_jacobian(k: int, _: Any, *x: Array, subscripts: str) -> Jacobian:
    """Return the Jacobian with respect to operand `k`, in which the sum is linear."""
    inputs, output = terms_of(subscripts)
    others = [(operand, letters) for j, (operand, letters) in enumerate(zip(x, inputs, strict=True)) if j != k]
    sizes = _sizes(inputs, list(map(np.shape, x)))
    return IndexSum(tuple(others), inputs[k], output, tuple(sizes.items()))


@final
@dataclass(frozen=True, eq=False)
class IndexSum(Jacobian):
    """The Jacobian of a sum of products by one of them, the others given."""

    others: tuple[Terms, ...]
    operand: str
    output: str
    sizes: tuple[tuple[str, int], ...]

    def _lengths(self, letters: str) -> Shape:
        sizes = dict(self.sizes)
        return tuple(sizes[c] for c in letters)

    @property
    def shape(self) -> tuple[int, int]:
        return math.prod(self._lengths(self.output)), math.prod(self._lengths(self.operand))

    def vjp(self, rows: Array) -> Array:
        R = rows.reshape(-1, *self._lengths(self.output))
        known = {*self.output, *"".join(letters for _, letters in self.others)}
        ones = [(np.ones(n), c) for c, n in self.sizes if c in self.operand and c not in known]  # what was summed alone
        found = _sum_of_products([(R, ROW + self.output), *self.others, *ones], ROW + self.operand)
        return np.reshape(found, (len(rows), -1))

    def jvp(self, columns: Array) -> Array:
        X = columns.T.reshape(-1, *self._lengths(self.operand))
        found = _sum_of_products([(X, ROW + self.operand), *self.others], ROW + self.output)
        return np.reshape(found, (len(X), -1)).T


# --- two at a time ----------------------------------------------------------------------------------------------------


def summed(x: Any, letters: str, needed: set[str]) -> Terms:
    """Sum over the axes that nothing else needs."""
    axes = tuple(k for k, letter in enumerate(letters) if letter not in needed)
    return (np.sum(x, axis=axes) if axes else x), "".join(c for c in letters if c in needed)


def contracted(first: Terms, second: Terms, needed: set[str]) -> Terms:
    """Return the product of two terms: common axes that are needed count matrices, the other common ones are summed."""
    (a, i), (b, j) = summed(*first, needed | set(second[1])), summed(*second, needed | set(first[1]))
    sizes: dict[str, int] = {}
    for letter, length in [*zip(i, np.shape(a), strict=True), *zip(j, np.shape(b), strict=True)]:
        sizes[letter] = max(length, sizes.get(letter, 1))
    a, b = (np.broadcast_to(x, [sizes[c] for c in letters]) if np.ndim(x) else x for x, letters in ((a, i), (b, j)))
    stack = [c for c in i if c in j and c in needed]
    inner = [c for c in i if c in j and c not in needed]
    rows, columns = [c for c in i if c not in j], [c for c in j if c not in i]
    if not inner:  # nothing but a product of entries
        return _aligned(a, i, stack + rows + columns) * _aligned(b, j, stack + rows + columns), "".join(
            stack + rows + columns
        )
    lengths = [math.prod(sizes[c] for c in group) for group in (rows, inner, columns)]
    A = np.reshape(np.transpose(a, [i.index(c) for c in stack + rows + inner]), [sizes[c] for c in stack] + lengths[:2])
    B = np.reshape(
        np.transpose(b, [j.index(c) for c in stack + inner + columns]), [sizes[c] for c in stack] + lengths[1:]
    )
    return np.reshape(A @ B, [sizes[c] for c in stack + rows + columns]), "".join(stack + rows + columns)


def _aligned(x: Any, letters: str, wanted: Sequence[str]) -> Any:
    """Return `x` with its axes in the order of `wanted`, and one of length 1 for each that it lacks."""
    own = [c for c in wanted if c in letters]
    lengths = [np.shape(x)[letters.index(c)] if c in letters else 1 for c in wanted]
    return np.reshape(np.transpose(x, [letters.index(c) for c in own]), lengths)
