"""Functions of matrices by their factors: solutions of linear systems, Cholesky factors, log-determinants.

Source: M. B. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation",
2008, sections 2.3 and 2.2; I. Murray, "Differentiation of the Cholesky decomposition", 2016.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from cgraph.model.operations.structured_jacobians import (
    Dense,
    IdentityKronecker,
    Jacobian,
    KroneckerIdentity,
    chain,
)

__all__ = ["cholesky", "cholesky_jacobian", "logdet", "logdet_jacobian", "solve", "solve_jacobian", "square_matrix"]

Array = Any  # an ndarray of floats, or of complex numbers


def square_matrix(A: Array) -> Array:
    """Return `A` if it is a square matrix."""
    if np.ndim(A) != 2 or A.shape[0] != A.shape[1]:
        raise ValueError("a square matrix is needed")
    return A


def solve(A: Array, b: Array) -> Array:
    """Return the x with A x = b, for a vector b or a matrix whose columns are solved for."""
    if np.ndim(b) not in {1, 2}:
        raise ValueError("on the right a vector or a matrix is needed")
    return np.linalg.solve(square_matrix(A), b)


def solve_jacobian(k: int, x: Array, A: Array, b: Array) -> Jacobian:
    """Return the Jacobian of solve: A dx + dA x = db."""
    inverse = np.linalg.inv(A)
    columns = x.reshape(len(x), -1)
    if k == 1:
        return Dense(inverse) if b.ndim == 1 else KroneckerIdentity(inverse, b.shape)
    return chain(KroneckerIdentity(-inverse, columns.shape), IdentityKronecker(columns, A.shape))


def logdet(A: Array) -> Any:
    """Return ln |det A|, which does not overflow where the determinant does."""
    sign, size = np.linalg.slogdet(square_matrix(A))
    if sign == 0:
        raise np.linalg.LinAlgError("Singular matrix")
    # For a complex step: numpy gives |det|, and the angle beside it.
    return size + 1j * np.imag(np.log(sign * np.sign(np.real(sign)))) if np.iscomplexobj(A) else size


def logdet_jacobian(_: int, __: Any, A: Array) -> Jacobian:
    """Return the transpose of the inverse, as one row."""
    return Dense(np.linalg.inv(A).T.reshape(1, -1))


# --- Cholesky factors -------------------------------------------------------------------------------------------------


def cholesky(A: Array) -> Array:
    """Return the lower triangular L with L L^T = A; of A the triangle below the diagonal is read, as NumPy does.

    A complex step is carried by the derivative, as the factors of complex matrices are other ones.
    """
    L = np.linalg.cholesky(np.real(square_matrix(A)))
    if np.iscomplexobj(A):
        return L + 1j * CholeskyFactor(L).jvp(np.imag(A).reshape(-1, 1)).reshape(A.shape)
    return L


def cholesky_jacobian(_: int, L: Array, __: Array) -> Jacobian:
    """Return the Jacobian of the factor."""
    return CholeskyFactor(L)


@final
@dataclass(frozen=True, eq=False)
class CholeskyFactor(Jacobian):
    """The Jacobian of the Cholesky factor L: dL = L P(L^-1 dA L^-T), where P takes the lower triangle, half the diagonal."""

    factor: Array

    @property
    def shape(self) -> tuple[int, int]:
        return self.factor.size, self.factor.size

    @property
    def _half(self) -> Array:
        return np.tril(np.ones(self.factor.shape)) - 0.5 * np.eye(len(self.factor))

    def jvp(self, columns: Array) -> Array:
        n = len(self.factor)
        lower = np.tril(columns.T.reshape(-1, n, n))
        change = lower + np.tril(lower, -1).swapaxes(-1, -2)
        inverse = np.linalg.inv(self.factor)
        dL = self.factor @ (self._half * (inverse @ change @ inverse.T))
        return dL.reshape(-1, n * n).T

    def vjp(self, rows: Array) -> Array:
        n = len(self.factor)
        inverse = np.linalg.inv(self.factor)
        change = inverse.T @ (self._half * (self.factor.T @ rows.reshape(-1, n, n))) @ inverse
        lower = np.tril(change) + np.tril(change.swapaxes(-1, -2), -1)
        return lower.reshape(-1, n * n)
