"""Rules of products, sums over indices, and functions of matrices."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from cgraph.model.operations.index_sums import Terms, contracted, summed
from cgraph.model.tracing.entrywise_rules import are_conditions
from cgraph.model.tracing.recording import Refused
from cgraph.model.tracing.traced_arrays import apply

__all__ = ["PRODUCTS"]

Rule = Callable[..., Any]

# --- products of arrays -----------------------------------------------------------------------------------------------


def _of_numbers(*operands: Any) -> None:
    if are_conditions(*operands):
        raise Refused("of conditions cannot be followed", "NumPy has 'or' for their sum: write 1.0 * (x > 0)")


def _true_where_positive(product: Any, *operands: Any) -> Any:
    """Return a product; that of conditions is true where any term is."""
    return product > 0 if are_conditions(*operands) else product


def _matmul(a: Any, b: Any) -> Any:
    return _true_where_positive(apply("matmul", a, b), a, b)


def _dot(a: Any, b: Any) -> Any:
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return a * b
    if np.ndim(a) == np.ndim(b) == 1:
        return _true_where_positive(apply("dot", a, b), a, b)
    return np.matmul(a, b) if np.ndim(b) < 3 else np.tensordot(a, b, (-1, -2))


def _inner(a: Any, b: Any) -> Any:
    if np.ndim(a) < 2 and np.ndim(b) < 2:
        return _dot(a, b)
    return a * b if np.ndim(a) == 0 or np.ndim(b) == 0 else np.tensordot(a, b, (-1, -1))


def _vdot(a: Any, b: Any) -> Any:
    return _dot(np.ravel(a), np.ravel(b))


def _outer(a: Any, b: Any) -> Any:
    return apply("outer", np.ravel(a), np.ravel(b))


def _tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Bring the axes that are summed over together: then it is a product of two matrices."""
    if isinstance(axes, int):
        axes = tuple(range(-axes, 0)), tuple(range(axes))
    of_a, of_b = ([k % np.ndim(x) for k in np.atleast_1d(ks).tolist()] for x, ks in zip((a, b), axes, strict=True))
    kept_a, kept_b = ([k for k in range(np.ndim(x)) if k not in ks] for x, ks in ((a, of_a), (b, of_b)))
    shape = [np.shape(a)[k] for k in kept_a] + [np.shape(b)[k] for k in kept_b]
    summed = math.prod(np.shape(a)[k] for k in of_a)
    A = np.reshape(np.transpose(a, kept_a + of_a), (-1, summed))
    B = np.reshape(np.transpose(b, of_b + kept_b), (summed, -1))
    return np.reshape(np.matmul(A, B), shape)


def _kron(a: Any, b: Any) -> Any:
    rank = max(np.ndim(a), np.ndim(b))
    m, n = ((1,) * (rank - np.ndim(x)) + np.shape(x) for x in (a, b))
    A = np.reshape(a, [length for k in m for length in (k, 1)])
    B = np.reshape(b, [length for k in n for length in (1, k)])
    return np.reshape(A * B, [p * q for p, q in zip(m, n, strict=True)])


def _cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    a1, a2, a3 = _parts_of_three(a, axisa)
    b1, b2, b3 = _parts_of_three(b, axisb)
    return np.stack([a2 * b3 - a3 * b2, a3 * b1 - a1 * b3, a1 * b2 - a2 * b1], axis=axisc)


def _parts_of_three(x: Any, axis: int) -> list[Any]:
    if np.shape(x)[axis] != 3:
        raise Refused("of vectors of other than 3 entries cannot be followed", "write its formula")
    x = np.moveaxis(x, axis, -1)
    return [x[..., k] for k in range(3)]


def _convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """Sum the products a_i v_j with the same i + j, by a matrix of zeros and ones."""
    _of_numbers(a, v)
    m, n = np.size(a), np.size(v)
    places = np.add.outer(np.arange(m), np.arange(n)).ravel()
    full = np.ravel(np.outer(a, v)) @ np.eye(m + n - 1)[places]
    lost = {"full": 0, "same": min(m, n) - 1, "valid": 2 * (min(m, n) - 1)}[mode]
    kept = m + n - 1 - lost
    return full if mode == "full" else full[lost // 2 : lost // 2 + kept]


def _polyval(p: Any, x: Any) -> Any:
    y: Any = 0.0
    for coefficient in p:  # Horner
        y = y * x + coefficient
    return y


# --- einsum -----------------------------------------------------------------------------------------------------------


def _einsum(subscripts: Any, *operands: Any, optimize: Any = False) -> Any:  # noqa: ARG001 - the order changes nothing but the cost
    if not isinstance(subscripts, str):
        return _einsum(*_as_text(subscripts, *operands))
    _of_numbers(*operands)
    inputs, output = _explicit(subscripts.replace(" ", ""), operands)
    terms = [_diagonals(x, letters) for x, letters in zip(operands, inputs, strict=True)]
    while len(terms) > 1:
        first, second, *others = terms
        needed = {letter for _, letters in others for letter in letters} | set(output)
        terms = [contracted(first, second, needed), *others]
    x, letters = summed(*terms[0], set(output))
    return np.transpose(x, [letters.index(letter) for letter in output])


def _as_text(*given: Any) -> list[Any]:
    """Return the arguments of einsum with a list of axes after each operand as those with letters."""
    operands, lists = given[::2], given[1::2]
    if len(given) % 2:
        operands, lists = operands[:-1], (*lists, given[-1])
    words = ["".join("..." if axis is Ellipsis else chr(ord("A") + axis) for axis in axes) for axes in lists]
    text = ",".join(words[: len(operands)])
    return [f"{text}->{words[-1]}" if len(given) % 2 else text, *operands]


def _explicit(subscripts: str, operands: Sequence[Any]) -> tuple[list[str], str]:
    """Return a letter for each axis of each operand and of the result; what "..." stands for gets capitals of its own."""
    left, arrow, output = subscripts.partition("->")
    inputs = left.split(",")
    if len(inputs) != len(operands):
        raise ValueError(f"{len(inputs)} terms for {len(operands)} operands")
    free = [chr(code) for code in range(0x3B1, 0x3B1 + 40)]
    extra = [np.ndim(x) - len(term.replace("...", "")) for x, term in zip(operands, inputs, strict=True)]
    if any(n < 0 or (n > 0 and "..." not in term) for n, term in zip(extra, inputs, strict=True)):
        raise ValueError("an operand has not as many axes as its term has letters")
    most = max((n for n, term in zip(extra, inputs, strict=True) if "..." in term), default=0)
    inputs = [term.replace("...", "".join(free[most - n : most])) for n, term in zip(extra, inputs, strict=True)]
    if not arrow:
        once = sorted({c for c in "".join(inputs) if c.isascii() and "".join(inputs).count(c) == 1})
        output = "..." + "".join(once)
    return inputs, output.replace("...", "".join(free[:most]))


def _diagonals(x: Any, letters: str) -> Terms:
    """Take the diagonal of axes with the same letter."""
    while repeated := next((c for c in letters if letters.count(c) > 1), ""):
        i = letters.index(repeated)
        j = letters.index(repeated, i + 1)
        x = np.diagonal(x, axis1=i, axis2=j)
        letters = letters[:i] + letters[i + 1 : j] + letters[j + 1 :] + repeated
    return x, letters


# --- functions of matrices --------------------------------------------------------------------------------------------


def _of_each_matrix(rule: Rule) -> Rule:
    """Return the rule for a stack of matrices: each by itself, then stacked."""

    def of_each(*arrays: Any) -> Any:
        if np.ndim(arrays[0]) < 3:
            return rule(*arrays)
        return np.stack([of_each(*parts) for parts in zip(*arrays, strict=True)])

    return of_each


def _one(name: str) -> Rule:
    return _of_each_matrix(lambda a: apply(name, a))


def _solve(a: Any, b: Any) -> Any:
    if np.ndim(b) == 1 and np.ndim(a) > 2:
        b = np.broadcast_to(b, (*np.shape(a)[:-2], np.shape(b)[0]))[..., None]
        return _solve(a, b)[..., 0]
    stack = np.broadcast_shapes(np.shape(a)[:-2], np.shape(b)[:-2])
    if stack:
        a, b = (np.broadcast_to(x, (*stack, *np.shape(x)[-2:])) for x in (a, b))
    return _of_each_matrix(lambda a, b: apply("solve", a, b))(a, b)


def _slogdet(a: Any) -> Any:
    return np.sign(np.linalg.det(a)), _of_each_matrix(lambda a: apply("logdet", a))(a)


def _matrix_power(a: Any, n: int) -> Any:
    if n < 0:
        return _matrix_power(np.linalg.inv(a), -n)
    return reduce(np.matmul, [a] * n) if n else np.broadcast_to(np.eye(len(a)), np.shape(a))


def _trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    if np.ndim(a) == 2 and offset == 0 and np.shape(a)[0] == np.shape(a)[1]:
        return apply("trace", a)
    return np.sum(np.diagonal(a, offset, axis1, axis2), axis=-1)


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    if ord is None and axis is None and not keepdims:
        return apply("norm", x)
    rank = np.ndim(x) if axis is None else 1 if isinstance(axis, int) else len(axis)
    if ord is None or (ord == "fro" and rank == 2) or (ord == 2 and rank == 1):
        return np.sqrt(np.sum(np.square(x), axis=axis, keepdims=keepdims))
    if isinstance(ord, str) or (rank == 2 and abs(ord) == 2) or rank > 2 or ord == 0:
        raise Refused(f"of order {ord!r} cannot be followed", "the p-norms of vectors and the Frobenius norm can")
    if rank == 1:
        return _vector_norm(np.absolute(x), ord, axis, keepdims)
    return _matrix_norm(np.absolute(x), ord, axis or (0, 1), keepdims)


def _vector_norm(size: Any, p: float, axis: Any, keepdims: bool) -> Any:
    if math.isinf(p):
        return (np.max if p > 0 else np.min)(size, axis=axis, keepdims=keepdims)
    total = np.sum(size if p == 1 else size**p, axis=axis, keepdims=keepdims)
    return total if p == 1 else total ** (1 / p)


def _matrix_norm(size: Any, p: float, axis: tuple[int, int], keepdims: bool) -> Any:
    """Return the largest sum of a column, or of a row; the smallest where `p` is negative."""
    rows, columns = (k % np.ndim(size) for k in axis)
    summed, compared = (rows, columns) if abs(p) == 1 else (columns, rows)
    sums = np.sum(size, axis=summed, keepdims=True)
    y = (np.max if p > 0 else np.min)(sums, axis=compared, keepdims=True)
    return y if keepdims else np.squeeze(y, axis=(rows, columns))


PRODUCTS: dict[Any, Rule] = {
    np.matmul: _matmul,
    np.dot: _dot,
    np.inner: _inner,
    np.vdot: _vdot,
    np.outer: _outer,
    np.tensordot: _tensordot,
    np.kron: _kron,
    np.cross: _cross,
    np.convolve: _convolve,
    np.polyval: _polyval,
    np.einsum: _einsum,
    # of matrices
    np.trace: _trace,
    np.linalg.norm: _norm,
    np.linalg.det: _one("det"),
    np.linalg.inv: _one("inv"),
    np.linalg.cholesky: _one("cholesky"),
    np.linalg.solve: _solve,
    np.linalg.slogdet: _slogdet,
    np.linalg.matrix_power: lambda a, n: _matrix_power(a, operator.index(n)),
    np.linalg.multi_dot: lambda arrays: reduce(np.dot, arrays),
}
