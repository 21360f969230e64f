"""The matrix of a structured Jacobian, by the definition of its class."""

import math

import numpy as np

from cgraph.model.operations.matrix_functions import CholeskyFactor
from cgraph.model.operations.structured_jacobians import (
    Broadcast,
    Dense,
    Diagonal,
    DiagonalPlusRankOne,
    IdentityKronecker,
    KroneckerIdentity,
    Product,
    ScaledIdentity,
    Selection,
    Sum,
    Transposed,
)


def matrix(J):  # noqa: C901 - a case for each class
    """Return the matrix of a Jacobian by the definition of its class."""
    match J:
        case Dense(M):
            return M
        case Diagonal(d):
            return np.diag(d)
        case ScaledIdentity(c, n):
            return c * np.eye(n)
        case Broadcast(source, target):
            return one_hot(np.broadcast_to(np.arange(math.prod(source)).reshape(source), target).ravel(), source)
        case Selection(index, n):
            return one_hot(index, (n,))
        case KroneckerIdentity(A, (*stack, _, r)):
            blocks = np.broadcast_to(A, (*stack, *A.shape[-2:])).reshape(-1, *A.shape[-2:])
            return block_diagonal([np.kron(block, np.eye(r)) for block in blocks])
        case IdentityKronecker(B, (*stack, p, _)):
            blocks = np.broadcast_to(B, (*stack, *B.shape[-2:])).reshape(-1, *B.shape[-2:])
            return block_diagonal([np.kron(np.eye(p), block.T) for block in blocks])
        case DiagonalPlusRankOne(d, u, v):
            return block_diagonal([np.diag(a) + np.outer(b, c) for a, b, c in zip(d, u, v, strict=True)])
        case CholeskyFactor(L):
            return cholesky_matrix(L)
        case Transposed(of):
            return matrix(of).T
        case Product(parts):
            return np.linalg.multi_dot(list(map(matrix, parts)))
        case Sum(terms):
            return sum(map(matrix, terms))


def cholesky_matrix(L):
    """Return the inverse of the map from dL to the lower triangle of dA = dL L^T + L dL^T."""
    lower = np.flatnonzero(np.tril(np.ones(L.shape)))
    changes = np.eye(L.size)[lower].reshape(-1, *L.shape)
    images = [(dL @ L.T + L @ dL.T).ravel()[lower] for dL in changes]
    M = np.zeros((L.size, L.size))
    M[np.ix_(lower, lower)] = np.linalg.inv(np.stack(images, axis=1))
    return M


def one_hot(index, shape):
    return np.eye(math.prod(shape))[index]


def block_diagonal(blocks):
    M = np.zeros(np.sum([block.shape for block in blocks], axis=0))
    row = column = 0
    for block in blocks:
        M[row : row + block.shape[0], column : column + block.shape[1]] = block
        row, column = row + block.shape[0], column + block.shape[1]
    return M
