"""The matrix of a structured Jacobian, by the definition of its class."""

import math

import numpy as np

from cgraph.model.operations.index_sums import IndexSum
from cgraph.model.operations.matrix_functions import CholeskyFactor
from cgraph.model.operations.normalisations import NormalisedGroups
from cgraph.model.operations.ordered_entries import RunningSums
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
from cgraph.model.operations.windows import (
    ConvolutionByImage,
    ConvolutionByKernel,
    LargestBelow,
    SpreadByKernel,
    WindowSums,
    window_places,
)


def matrix(J):  # noqa: C901, PLR0912 - a case for each class
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
        case RunningSums(shape, axis):
            return (
                np.array(
                    [
                        [same_but(i, j, (axis,)) and j[axis] <= i[axis] for j in np.ndindex(shape)]
                        for i in np.ndindex(shape)
                    ]
                )
                * 1.0
            )
        case NormalisedGroups(y, scale, axes, is_centred):
            n = math.prod(y.shape[a] for a in axes)
            s = np.broadcast_to(scale, y.shape)
            entry = lambda i, j: ((i == j) - same_but(i, j, axes) * (is_centred + y[i] * y[j]) / n) / s[i]  # noqa: E731 - one of several
            return np.array([[entry(i, j) for j in np.ndindex(y.shape)] for i in np.ndindex(y.shape)])
        case ConvolutionByImage(w, layout):
            return incidence(layout, "yx", w=w)
        case ConvolutionByKernel(x, layout):
            return incidence(layout, "yw", x=x)
        case SpreadByKernel(y, layout):
            return incidence(layout, "xw", y=y)
        case WindowSums(windows, operand):
            return window_sums(windows, operand[: -len(windows.kernel)], operand[-len(windows.kernel) :])
        case LargestBelow(windows, x, y):
            d = len(windows.kernel)
            places = window_places(x, windows)
            lines = np.moveaxis(places.reshape(*x.shape[:-d], -1, *y.shape[-d:]), x.ndim - d, -1).reshape(y.size, -1)
            entries = np.where(lines < 0, -np.inf, x.ravel()[lines])
            return one_hot(lines[range(y.size), entries.argmax(axis=1)], x.shape)
        case IndexSum(others, operand, output, sizes):
            lengths = [dict(sizes)[c] for c in operand]
            units = np.eye(math.prod(lengths)).reshape(*lengths, -1)
            terms = ",".join([*(letters for _, letters in others), operand + "Z"])
            M = np.einsum(f"{terms}->{output}Z", *(x for x, _ in others), units)
            return M.reshape(-1, units.shape[-1])
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


def same_but(i, j, axes):
    """Whether two places differ along these axes alone."""
    return all(a == b for k, (a, b) in enumerate(zip(i, j, strict=True)) if k not in axes)


def met(windows, space):
    """Iterate over the places of windows, of the kernel, and of the entry that stands there, where one does."""
    for count in np.ndindex(windows.counts(space)):
        for place in np.ndindex(windows.kernel):
            parts = zip(count, place, windows.stride, windows.padding, windows.dilation, strict=True)
            entry = tuple(c * s - p + k * d for c, k, s, p, d in parts)
            if all(0 <= e < n for e, n in zip(entry, space, strict=True)):
                yield count, place, entry


def incidence(layout, between, **third):
    """Return the derivative of sum y x w over what meets in a convolution by two of the three, the third given."""
    windows, groups, (n, _, *space), (results, channels, *_) = layout
    shapes = {"y": (n, results, *windows.counts(tuple(space))), "x": layout.image, "w": layout.kernel}
    M = np.zeros([*shapes[between[0]], *shapes[between[1]]])
    for count, place, entry in met(windows, tuple(space)):
        for example, r, c in np.ndindex(n, results, channels):
            group = r // (results // groups)
            at = {"y": (example, r, *count), "x": (example, group * channels + c, *entry), "w": (r, c, *place)}
            ((letter, given),) = third.items()
            M[at[between[0]] + at[between[1]]] += np.reshape(given, shapes[letter])[at[letter]]
    return M.reshape(math.prod(shapes[between[0]]), -1)


def window_sums(windows, lead, space):
    one = np.zeros((*windows.counts(space), *space))
    for count, _, entry in met(windows, space):
        one[count + entry] += 1
    return np.kron(np.eye(math.prod(lead)), one.reshape(math.prod(windows.counts(space)), -1))


def one_hot(index, shape):
    return np.eye(math.prod(shape))[index]


def block_diagonal(blocks):
    M = np.zeros(np.sum([block.shape for block in blocks], axis=0))
    row = column = 0
    for block in blocks:
        M[row : row + block.shape[0], column : column + block.shape[1]] = block
        row, column = row + block.shape[0], column + block.shape[1]
    return M
