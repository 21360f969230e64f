"""Jacobians between arrays, stored by their structure: diagonal, Kronecker product, selection and others.

The Jacobian of y with respect to x is the matrix of dy_r/dx_c in numerator layout, one row for each entry of y and one column for
each entry of x; arrays are flattened by rows. Few of these matrices need to exist: a sweep asks for products, the
rows r @ J of a reverse sweep and the columns J @ c of a forward sweep, and each class knows how to form them from
what it holds. `dense()` writes the matrix out, on request only.

Source: DD2424, lecture 3 (the Jacobians of softmax, of Wx by vec(W), and of sums); MATH 565, lecture 26 (the later
derivative stands on the left).
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from cgraph.model.errors import LimitError
from cgraph.model.limits import limits_in_force

__all__ = [
    "Broadcast",
    "Dense",
    "Diagonal",
    "DiagonalPlusRankOne",
    "IdentityKronecker",
    "Jacobian",
    "KroneckerIdentity",
    "Product",
    "ScaledIdentity",
    "Selection",
    "Sum",
    "Transposed",
    "after",
    "chain",
    "elementwise",
    "plus",
    "require_room",
]


# An ndarray of floats; the products also take complex rows and columns.
Array = Any
Shape = tuple[int, ...]


class Jacobian:  # no ABC, of which isinstance takes ten times as long: a sweep asks at every edge
    """The m x n matrix of dy/dx, known by its products.

    ``rows @ J`` is a vector-Jacobian product and ``J @ columns`` a Jacobian-vector product, for one vector or a stack
    of them; both are arrays. ``J @ K`` of two Jacobians, the later derivative on the left, and ``J + K`` stay
    structured where a rule says so and are dense otherwise.

    Examples
    --------
    >>> J = Diagonal(np.array([2.0, 3.0]))
    >>> np.array([1.0, 10.0]) @ J, J.shape
    (array([ 2., 30.]), (2, 2))
    >>> J @ ScaledIdentity(10.0, 2)
    Diagonal(entries=array([20., 30.]))
    """

    __array_ufunc__ = None  # array @ J and array + J are ours, not NumPy's

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """The numbers of entries of y and of x."""

    @abstractmethod
    def vjp(self, rows: Array) -> Array:
        """Return rows @ J: (k, m) -> (k, n)."""

    @abstractmethod
    def jvp(self, columns: Array) -> Array:
        """Return J @ columns: (n, k) -> (m, k)."""

    def dense(self) -> Array:
        """Return the matrix, of shape (m, n)."""
        m, n = self.shape
        require_room(m, n)
        return 0.0 + (self.vjp(np.eye(m)) if m <= n else self.jvp(np.eye(n)))  # 0.0 + -0.0 is 0.0

    @property
    def T(self) -> Jacobian:  # noqa: N802 - as NumPy calls it
        """The transpose."""
        return Transposed(self)

    def __matmul__(self, earlier: Any) -> Any:
        if isinstance(earlier, Jacobian):
            _require_fit(self, earlier)
            if (structured := _composed(self, earlier)) is not None:
                return structured
            few_rows = self.shape[0] <= earlier.shape[1]
            return Dense(earlier.vjp(self.dense()) if few_rows else self.jvp(earlier.dense()))
        columns = np.asarray(earlier)
        _require_fit(self, columns)
        require_room(self.shape[0], columns.size // columns.shape[0])
        return self.jvp(columns) if columns.ndim == 2 else self.jvp(columns[:, None])[:, 0]

    def __rmatmul__(self, rows: Array) -> Array:
        rows = np.asarray(rows)
        _require_fit(rows, self)
        require_room(rows.size // rows.shape[-1], self.shape[1])
        return self.vjp(rows) if rows.ndim == 2 else self.vjp(rows[None])[0]

    def __add__(self, other: Any) -> Any:
        if isinstance(other, int) and other == 0:  # what a sum starts from
            return self
        if np.shape(other) != self.shape and (self.shape != (1, 1) or np.ndim(other)):  # a number is one of 1 x 1
            raise ValueError(f"Jacobians of shapes {self.shape} and {np.shape(other)} cannot be added")
        if not isinstance(other, Jacobian):  # rows that a sweep carries
            return self.dense() + other
        structured = _added(self, other)
        return Dense(self.dense() + other.dense()) if structured is None else structured

    __radd__ = __add__

    def __mul__(self, factor: Any) -> Jacobian:
        return self if type(factor) is int and factor == 1 else Product((ScaledIdentity(factor, self.shape[0]), self))

    def __rmul__(self, factor: Any) -> Jacobian:
        return self.__mul__(factor)

    def __neg__(self) -> Jacobian:
        return self * -1.0

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return self.dense() if dtype is None else self.dense().astype(dtype)


@final
@dataclass(frozen=True, eq=False)
class Dense(Jacobian):
    """A matrix written out, of shape (m, n)."""

    matrix: Array

    @property
    def shape(self) -> tuple[int, int]:
        return self.matrix.shape[0], self.matrix.shape[1]

    def vjp(self, rows: Array) -> Array:
        return rows @ self.matrix

    def jvp(self, columns: Array) -> Array:
        return self.matrix @ columns

    def dense(self) -> Array:
        return self.matrix

    def __mul__(self, factor: Any) -> Jacobian:
        return Dense(self.matrix * factor)


@final
@dataclass(frozen=True, eq=False)
class Diagonal(Jacobian):
    """diag(d), of an elementwise operation."""

    entries: Array

    @property
    def shape(self) -> tuple[int, int]:
        return self.entries.size, self.entries.size

    def vjp(self, rows: Array) -> Array:
        return rows * self.entries

    def jvp(self, columns: Array) -> Array:
        return self.entries[:, None] * columns

    @property
    def T(self) -> Jacobian:  # noqa: N802 - as NumPy calls it
        return self

    def __mul__(self, factor: Any) -> Jacobian:
        return Diagonal(self.entries * factor)


@final
@dataclass(frozen=True, eq=False)
class ScaledIdentity(Jacobian):
    """c I, of a sum, a product with a number, or a reshape."""

    factor: float
    size: int

    @property
    def shape(self) -> tuple[int, int]:
        return self.size, self.size

    def vjp(self, rows: Array) -> Array:
        return rows if self.factor == 1 else rows * self.factor

    def jvp(self, columns: Array) -> Array:
        return self.vjp(columns)

    @property
    def T(self) -> Jacobian:  # noqa: N802 - as NumPy calls it
        return self

    def __mul__(self, factor: Any) -> Jacobian:
        return ScaledIdentity(self.factor * factor, self.size)


@final
@dataclass(frozen=True, eq=False)
class Broadcast(Jacobian):
    """The matrix of ones and zeros that repeats an array of one shape to fill another; its transpose sums."""

    source: Shape
    target: Shape

    @property
    def shape(self) -> tuple[int, int]:
        return math.prod(self.target), math.prod(self.source)

    def vjp(self, rows: Array) -> Array:
        source = (1,) * (len(self.target) - len(self.source)) + self.source
        repeated = tuple(k + 1 for k, (n, m) in enumerate(zip(source, self.target, strict=True)) if n != m)
        return rows.reshape(-1, *self.target).sum(axis=repeated).reshape(len(rows), self.shape[1])

    def jvp(self, columns: Array) -> Array:
        k = columns.shape[1]
        return np.broadcast_to(columns.reshape(*self.source, k), (*self.target, k)).reshape(-1, k)


@final
@dataclass(frozen=True, eq=False)
class Selection(Jacobian):
    """The matrix of ones and zeros that takes entries out of an array: row r has its 1 in column ``index[r]``."""

    index: NDArray[np.intp]
    size: int

    @property
    def shape(self) -> tuple[int, int]:
        return self.index.size, self.size

    @cached_property
    def _takes_once(self) -> bool:
        return self.index.size == 0 or int(np.bincount(self.index, minlength=self.size).max()) <= 1

    def vjp(self, rows: Array) -> Array:
        taken = np.zeros((len(rows), self.size), dtype=rows.dtype)
        if self._takes_once:
            taken[:, self.index] = rows
        else:
            np.add.at(taken.T, self.index, rows.T)
        return taken

    def jvp(self, columns: Array) -> Array:
        return columns[self.index]


@final
@dataclass(frozen=True, eq=False)
class KroneckerIdentity(Jacobian):
    """A (x) I: the Jacobian of A X by X, where X has the shape `operand`; stacks of matrices are multiplied in pairs."""

    matrix: Array
    operand: Shape

    @property
    def shape(self) -> tuple[int, int]:
        *stack, q, r = self.operand
        return math.prod(stack) * self.matrix.shape[-2] * r, math.prod(stack) * q * r

    def vjp(self, rows: Array) -> Array:
        *stack, _, r = self.operand
        U = rows.reshape(len(rows), *stack, self.matrix.shape[-2], r)
        return _times(self.matrix.swapaxes(-1, -2), U).reshape(len(rows), self.shape[1])

    def jvp(self, columns: Array) -> Array:
        X = columns.T.reshape(-1, *self.operand)
        return (self.matrix @ X).reshape(columns.shape[1], self.shape[0]).T


@final
@dataclass(frozen=True, eq=False)
class IdentityKronecker(Jacobian):
    """I (x) B^T: the Jacobian of X B by X, where X has the shape `operand`; for B = x a column, I (x) x^T."""

    matrix: Array
    operand: Shape

    @property
    def shape(self) -> tuple[int, int]:
        *stack, p, q = self.operand
        return math.prod(stack) * p * self.matrix.shape[-1], math.prod(stack) * p * q

    def vjp(self, rows: Array) -> Array:
        *stack, p, _ = self.operand
        U = rows.reshape(len(rows), *stack, p, self.matrix.shape[-1])
        return _times(U, self.matrix.swapaxes(-1, -2)).reshape(len(rows), self.shape[1])

    def jvp(self, columns: Array) -> Array:
        X = columns.T.reshape(-1, *self.operand)
        return (X @ self.matrix).reshape(columns.shape[1], self.shape[0]).T


@final
@dataclass(frozen=True, eq=False)
class DiagonalPlusRankOne(Jacobian):
    """diag(d) + u v^T, a block for each row of `diagonal`, `left` and `right`, arrays of one shape (blocks, n).

    Softmax along the last axis has d = p, u = -p, v = p. Its rows and columns sum to 0, `centred`: a product then leaves
    out the entry of the largest p, whose 1 - p would have no digits.
    """

    diagonal: Array
    left: Array
    right: Array
    centred: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        return self.diagonal.size, self.diagonal.size

    def vjp(self, rows: Array) -> Array:
        R = rows.reshape(len(rows), *self.diagonal.shape)
        if self.centred:
            largest = self.diagonal.argmax(axis=-1)[np.newaxis, :, np.newaxis]
            R = R - np.take_along_axis(R, np.broadcast_to(largest, (len(R), *largest.shape[1:])), axis=-1)
        product = R * self.diagonal + (R * self.left).sum(axis=-1, keepdims=True) * self.right
        return product.reshape(rows.shape)

    def jvp(self, columns: Array) -> Array:
        return DiagonalPlusRankOne(self.diagonal, self.right, self.left, self.centred).vjp(columns.T).T


@final
@dataclass(frozen=True, eq=False)
class Transposed(Jacobian):
    """The transpose: of a broadcast a sum over axes, of a selection the part of a concatenation."""

    of: Jacobian

    @property
    def shape(self) -> tuple[int, int]:
        m, n = self.of.shape
        return n, m

    def vjp(self, rows: Array) -> Array:
        return self.of.jvp(rows.T).T

    def jvp(self, columns: Array) -> Array:
        return self.of.vjp(columns.T).T

    @property
    def T(self) -> Jacobian:  # noqa: N802 - as NumPy calls it
        return self.of


@final
@dataclass(frozen=True, eq=False)
class Product(Jacobian):
    """A product of Jacobians, the latest on the left, not multiplied out."""

    factors: tuple[Jacobian, ...]

    @property
    def shape(self) -> tuple[int, int]:
        return self.factors[0].shape[0], self.factors[-1].shape[1]

    def vjp(self, rows: Array) -> Array:
        for factor in self.factors:
            rows = factor.vjp(rows)
        return rows

    def jvp(self, columns: Array) -> Array:
        for factor in reversed(self.factors):
            columns = factor.jvp(columns)
        return columns

    def __mul__(self, factor: Any) -> Jacobian:
        first, *rest = self.factors  # scaled over and over it stays one product: nothing recurses over how often
        return Product((first * factor, *rest))


@final
@dataclass(frozen=True, eq=False)
class Sum(Jacobian):
    """A sum of Jacobians of one shape, not added up."""

    terms: tuple[Jacobian, ...]

    @property
    def shape(self) -> tuple[int, int]:
        return self.terms[0].shape

    def vjp(self, rows: Array) -> Array:
        return sum((term.vjp(rows) for term in self.terms[1:]), self.terms[0].vjp(rows))

    def jvp(self, columns: Array) -> Array:
        return sum((term.jvp(columns) for term in self.terms[1:]), self.terms[0].jvp(columns))


def require_room(m: int, n: int) -> None:
    """Raise `LimitError` if a matrix of m x n is too large to be written out."""
    most = limits_in_force().entries
    if m * n > most:
        raise LimitError(
            f"a Jacobian of {m:,} x {n:,} is too large to be written out, the limit is {most:,} entries; "
            f"differentiate a number, such as a sum or an entry, or by fewer entries",
            "entries",
        )


def chain(later: Jacobian, earlier: Jacobian) -> Jacobian:
    """Return later @ earlier, without multiplying matrices out."""
    structured = _composed(later, earlier)
    if structured is not None:
        return structured
    # One tuple, however long the chain: nothing recurses over its length.
    return Product(tuple(J for K in (later, earlier) for J in (K.factors if isinstance(K, Product) else (K,))))


def after(later: Any, earlier: Any) -> Any:
    """Return later @ earlier of two local derivatives, each a number or a Jacobian, as `chain` does."""
    if isinstance(later, Jacobian) and isinstance(earlier, Jacobian):
        return chain(later, earlier)
    return later * earlier  # a number scales what it meets: one side of it is a number too


def plus(first: Any, second: Any) -> Any:
    """Return the sum of two local derivatives, without adding matrices up."""
    if isinstance(first, Jacobian) and isinstance(second, Jacobian):
        structured = _added(first, second)
        if structured is not None:
            return structured
        return Sum(tuple(J for K in (first, second) for J in (K.terms if isinstance(K, Sum) else (K,))))
    return first + second


def elementwise(partial: Any, x: Shape, y: Shape) -> Any:
    """Return dy/dx of an elementwise operation from its partial derivatives, x being broadcast to the shape of y.

    `partial` is one number, or an array that broadcasts to `y`.
    """
    if not y:
        return partial
    size = math.prod(y)
    if not x:
        return Dense(_filling(partial, y).reshape(size, 1))
    scaled = ScaledIdentity(partial, size) if np.ndim(partial) == 0 else Diagonal(_filling(partial, y).ravel())
    return scaled if x == y else chain(scaled, Broadcast(x, y))


def _filling(numbers: Any, shape: Shape) -> Array:
    """Return numbers as floats, repeated to fill an array of this shape."""
    numbers = np.asarray(numbers, np.float64)
    return numbers if np.shape(numbers) == shape else np.broadcast_to(numbers, shape)


def _composed(later: Jacobian, earlier: Jacobian) -> Jacobian | None:
    """Return later @ earlier where it has a structure of its own."""
    match later, earlier:
        case ScaledIdentity(factor), _:
            return earlier if factor == 1 else earlier * factor
        case _, ScaledIdentity(factor):
            return later if factor == 1 else later * factor
        case Diagonal(d), Diagonal(e):
            return Diagonal(d * e)
        case Selection(index), Selection(earlier_index, size):
            return Selection(earlier_index[index], size)
    return None


def _added(first: Jacobian, second: Jacobian) -> Jacobian | None:
    """Return first + second where it has a structure of its own."""
    match first, second:
        case ScaledIdentity(a, size), ScaledIdentity(b):
            return ScaledIdentity(a + b, size)
        case Diagonal(d) | ScaledIdentity(d), Diagonal(e) | ScaledIdentity(e):
            return Diagonal(np.asarray(d + e))
    return None


def _require_fit(later: Jacobian | Array, earlier: Jacobian | Array) -> None:
    m, n = later.shape, earlier.shape
    if not (len(m) in {1, 2} and len(n) in {1, 2} and m[-1] == n[0]):
        raise ValueError(f"Jacobians of shapes {m} and {n} cannot be multiplied")


def _times(U: Array, V: Array) -> Array:
    """Return U @ V; a product of a column and a row is one of broadcasting, which NumPy does faster."""
    return U * V if U.shape[-1] == 1 else U @ V
