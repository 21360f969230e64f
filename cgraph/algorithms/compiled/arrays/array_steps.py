"""Operations on arrays as steps: their values, and their shares of a reverse and of a forward sweep.

Frequent operations have a rule of views and calls of NumPy here; all others go through the value and the structured
Jacobian of their row in the table. `lead` are axes before those of the array: the rows of a Jacobian that are swept
together backward, the columns that are swept together forward.
"""

# ruff: noqa: ARG001 - the rules of one table take the same arguments

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from cgraph.algorithms.compiled.arrays.network_steps import NETWORK_REVERSES, NETWORK_VALUES
from cgraph.algorithms.compiled.arrays.steps import Shape, Steps
from cgraph.model.operations.arrays import ARRAY_OPERATIONS, ArrayOperation
from cgraph.model.operations.slices import Slice

__all__ = ["forward_of_array_operation", "reverse_of_array_operation", "value_of_array_operation"]

Options = Mapping[str, Any]
ALL = Slice(None, None, None)


def value_of_array_operation(
    steps: Steps, operation: str, x: list[int], options: Options, sample: Callable[[], Any] | None
) -> int:
    """Append the value of an operation; `sample` gives a value of it, where its shape follows from no rule here."""
    if operation in VALUES and (found := VALUES[operation](steps, *x, **options)) is not None:
        return int(found)
    if sample is None:
        raise ValueError(f"{operation} has no rule here")
    row = ARRAY_OPERATIONS[operation]

    def value(*operands: Any) -> Any:
        if not np.all(row.inside(*operands)):
            raise FloatingPointError("an operand is outside the domain")
        return row.value(*operands, **options)

    return steps.call(value, x, np.shape(sample()))


def reverse_of_array_operation(
    steps: Steps, operation: str, k: int, S: int, y: int, x: list[int], options: Options, lead: Shape
) -> int:
    """Append the share of operand `k` in a reverse sweep: S dy/dx_k."""
    if operation in REVERSES and (share := REVERSES[operation](steps, k, S, y, x, lead, **options)) is not None:
        return int(share)
    return _by_jacobian(steps, ARRAY_OPERATIONS[operation], k, S, y, x, options, lead)


def forward_of_array_operation(
    steps: Steps, operation: str, k: int, S: int, y: int, x: list[int], options: Options, lead: Shape
) -> int:
    """Append the share of operand `k` in a forward sweep: dy/dx_k S."""
    if operation in FORWARDS and (share := FORWARDS[operation](steps, k, S, y, x, lead, **options)) is not None:
        return int(share)
    row, shape = ARRAY_OPERATIONS[operation], (*lead, *steps.shape(y))
    columns = math.prod(lead)

    def product(S: Any, y: Any, *operands: Any) -> Any:
        J = row.jacobian(k, y, *map(np.asarray, operands), **options)
        return J.jvp(np.reshape(S, (columns, -1)).T).T.reshape(shape)

    return steps.call(product, (S, y, *x), shape)


def _by_jacobian(
    steps: Steps, row: ArrayOperation, k: int, S: int, y: int, x: list[int], options: Options, lead: Shape
) -> int:
    shape = (*lead, *steps.shape(x[k]))
    rows = math.prod(lead)

    def product(S: Any, y: Any, *operands: Any) -> Any:
        J = row.jacobian(k, y, *map(np.asarray, operands), **options)
        return J.vjp(np.reshape(S, (rows, -1))).reshape(shape)

    return steps.call(product, (S, y, *x), shape)


# --- products ---------------------------------------------------------------------------------------------------------


def _as_matrices(steps: Steps, a: int, b: int) -> tuple[int, int]:
    """Return the operands of ``a @ b`` as matrices, or stacks of them: a vector is a row before, a column after."""
    (p, q) = steps.shape(a), steps.shape(b)
    if not (p and q):
        raise ValueError("a number is no matrix")
    return (steps.reshape(a, (1, *p)) if len(p) == 1 else a), (steps.reshape(b, (*q, 1)) if len(q) == 1 else b)


def _matmul(steps: Steps, a: int, b: int) -> int:
    A, B = _as_matrices(steps, a, b)
    Y = steps.matmul(A, B)
    *stack, p, r = steps.shape(Y)
    rows, columns = ((p,) if a == A else ()), ((r,) if b == B else ())
    return steps.reshape(Y, (*stack, *rows, *columns))


def _are_matrix_and_vector(steps: Steps, x: list[int]) -> bool:
    return [len(steps.shape(operand)) for operand in x] == [2, 1]


def _matmul_reverse(steps: Steps, k: int, S: int, y: int, x: list[int], lead: Shape) -> int:
    A, B = _as_matrices(steps, *x)
    if k == 1 and lead and _are_matrix_and_vector(steps, x):  # s^T A for every row s: S A
        return steps.reshape(
            steps.matmul(steps.reshape(S, (*lead, steps.shape(A)[0])), A), (*lead, *steps.shape(B)[:1])
        )
    stack = np.broadcast_shapes(steps.shape(A)[:-2], steps.shape(B)[:-2])
    S = steps.reshape(S, (*lead, *stack, steps.shape(A)[-2], steps.shape(B)[-1]))
    if k == 0:
        share = steps.matmul(S, steps.swap(B))
    elif not lead and steps.shape(B)[:-2] == () and stack and steps.steps[A].is_contiguous:
        # One matrix for a stack: the sum over the stack is a product with all rows below each other.
        rows = math.prod(steps.shape(A)[:-1])
        flat = steps.reshape(A, (rows, steps.shape(A)[-1]))
        share = steps.matmul(steps.swap(flat), steps.reshape(S, (rows, steps.shape(B)[-1])))
    else:
        share = steps.matmul(steps.swap(A), S)
    matrices = steps.unbroadcast(share, steps.shape((A, B)[k]), lead)
    return steps.reshape(matrices, (*lead, *steps.shape(x[k])))


def _matmul_forward(steps: Steps, k: int, S: int, y: int, x: list[int], lead: Shape) -> int:
    A, B = _as_matrices(steps, *x)
    operand = (A, B)[k]
    rank = max(len(steps.shape(A)), len(steps.shape(B)))
    if k == 1 and lead and _are_matrix_and_vector(steps, x):  # A s for every column s, as rows: S A^T
        return steps.reshape(steps.matmul(S, steps.swap(A)), (*lead, *steps.shape(y)))
    S = steps.aligned(steps.reshape(S, (*lead, *steps.shape(operand))), lead, rank)
    share = steps.matmul(S, B) if k == 0 else steps.matmul(A, S)
    return steps.reshape(share, (*lead, *steps.shape(y)))


# --- parts of arrays --------------------------------------------------------------------------------------------------


def _transpose(steps: Steps, x: int, axes: Any = None) -> int:
    order = tuple(range(len(steps.shape(x))))[::-1] if axes is None else tuple(a % len(steps.shape(x)) for a in axes)
    if sorted(order) != list(range(len(steps.shape(x)))):
        raise ValueError("these are not its axes")
    return steps.view(x, f"{{0}}.transpose({order})", tuple(steps.shape(x)[a] for a in order))


def _transpose_reverse(steps: Steps, k: int, S: int, y: int, x: list[int], lead: Shape, axes: Any = None) -> int:
    n = len(steps.shape(y))
    order = tuple(range(n))[::-1] if axes is None else tuple(a % n for a in axes)
    back = (*range(len(lead)), *(order.index(a) + len(lead) for a in range(n)))
    return _transpose(steps, S, back)


def _transpose_forward(steps: Steps, k: int, S: int, y: int, x: list[int], lead: Shape, axes: Any = None) -> int:
    n, start = len(steps.shape(y)), len(lead)
    order = range(n)[::-1] if axes is None else (a % n for a in axes)
    return _transpose(steps, S, (*range(start), *(a + start for a in order)))


def _reshape(steps: Steps, x: int, shape: Any) -> int:
    wanted = np.empty(steps.shape(x), np.bool_).reshape(shape).shape
    return steps.reshape(x, wanted)


def _reshape_reverse(steps: Steps, k: int, S: int, y: int, x: list[int], lead: Shape, shape: Any) -> int:
    return steps.reshape(S, (*lead, *steps.shape(x[0])))


def _reshape_forward(steps: Steps, k: int, S: int, y: int, x: list[int], lead: Shape, shape: Any) -> int:
    return steps.reshape(S, (*lead, *steps.shape(y)))


def _key(key: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(
        slice(*part) if isinstance(part, Slice) else list(part) if isinstance(part, tuple) else part for part in key
    )


def _index(steps: Steps, x: int, key: tuple[Any, ...]) -> int:
    if not steps.shape(x):
        raise ValueError("a number has no entries")
    places = _key(key)
    shape = np.broadcast_to(np.bool_(True), steps.shape(x))[places].shape
    if any(isinstance(part, list) for part in places):
        return steps.compute(f"copyto({{y}}, {{0}}[{places}])", (x,), shape)
    return steps.view(x, f"{{0}}[{(*places, ...)}]".replace("Ellipsis", "..."), shape)


def _index_reverse(steps: Steps, k: int, S: int, y: int, x: list[int], lead: Shape, key: tuple[Any, ...]) -> int | None:
    places = (*(slice(None) for _ in lead), *_key(key))
    if any(isinstance(part, list) for part in places):
        return None
    return steps.compute(f"{{y}}.fill(0)\n{{y}}[{places}] = {{0}}", (S,), (*lead, *steps.shape(x[0])))


def _index_forward(steps: Steps, k: int, S: int, y: int, x: list[int], lead: Shape, key: tuple[Any, ...]) -> int | None:
    if any(isinstance(part, list) for part in _key(key)):
        return None
    return _index(steps, S, (*(ALL for _ in lead), *key)) if lead else _index(steps, S, key)


def _concatenate(steps: Steps, *x: int, axis: int = 0) -> int:
    shapes = list(map(steps.shape, x))
    shape = np.concatenate([np.broadcast_to(np.bool_(True), shape) for shape in shapes], axis).shape
    places = "".join(f"{{{k}}}, " for k in range(len(x)))
    return steps.compute(f"concatenate(({places}), axis={axis}, out={{y}})", x, shape)


def _place_in_joined(steps: Steps, k: int, x: list[int], lead: Shape, axis: int) -> tuple[slice, ...]:
    axis %= len(steps.shape(x[k]))
    start = sum(steps.shape(operand)[axis] for operand in x[:k])
    return (*(slice(None),) * (len(lead) + axis), slice(start, start + steps.shape(x[k])[axis]))


def _concatenate_reverse(steps: Steps, k: int, S: int, y: int, x: list[int], lead: Shape, axis: int = 0) -> int:
    place = _place_in_joined(steps, k, x, lead, axis)
    return steps.view(S, f"{{0}}[{place}]", (*lead, *steps.shape(x[k])))


def _concatenate_forward(steps: Steps, k: int, S: int, y: int, x: list[int], lead: Shape, axis: int = 0) -> int:
    place = _place_in_joined(steps, k, x, lead, axis)
    return steps.compute(f"{{y}}.fill(0)\n{{y}}[{place}] = {{0}}", (S,), (*lead, *steps.shape(y)))


# --- reductions -------------------------------------------------------------------------------------------------------


def _axes(steps: Steps, x: int, axis: Any) -> tuple[int, ...]:
    rank = len(steps.shape(x))
    given = range(rank) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    if any(not -rank <= a < rank for a in given) or len({a % rank for a in given}) < len(given):
        raise ValueError("these are not its axes")
    return tuple(sorted(a % rank for a in given))


def _sum(steps: Steps, x: int, axis: Any = None) -> int:
    return steps.total(x, _axes(steps, x, axis))


def _mean(steps: Steps, x: int, axis: Any = None) -> int:
    y = steps.total(x, _axes(steps, x, axis))
    return steps.ufunc("divide", y, steps.number(_count(steps, x, y)))


def _count(steps: Steps, x: int, y: int) -> float:
    return math.prod(steps.shape(x)) / math.prod(steps.shape(y))


def _kept(steps: Steps, x: int, axes: tuple[int, ...]) -> Shape:
    return tuple(1 if a in axes else n for a, n in enumerate(steps.shape(x)))


def _sum_reverse(steps: Steps, k: int, S: int, y: int, x: list[int], lead: Shape, axis: Any = None) -> int:
    kept = _kept(steps, x[0], _axes(steps, x[0], axis))
    return steps.broadcast(steps.reshape(S, (*lead, *kept)), (*lead, *steps.shape(x[0])))


def _mean_reverse(steps: Steps, k: int, S: int, y: int, x: list[int], lead: Shape, axis: Any = None) -> int:
    scaled = steps.multiply(S, steps.number(1 / _count(steps, x[0], y)))
    return _sum_reverse(steps, k, scaled, y, x, lead, axis)


def _sum_forward(steps: Steps, k: int, S: int, y: int, x: list[int], lead: Shape, axis: Any = None) -> int:
    return steps.total(S, tuple(a + len(lead) for a in _axes(steps, x[0], axis)))


def _mean_forward(steps: Steps, k: int, S: int, y: int, x: list[int], lead: Shape, axis: Any = None) -> int:
    total = _sum_forward(steps, k, S, y, x, lead, axis)
    return steps.multiply(total, steps.number(1 / _count(steps, x[0], y)))


# --- softmax and what belongs to it -------------------------------------------------------------------------------------

SURE = 0.9  # from such a probability on, 1 - p is added up from the others, as the table of operations does


def _one_axis(steps: Steps, x: int, axis: Any) -> int:
    if type(axis) is not int:
        raise TypeError("one axis is needed")
    return _axes(steps, x, axis)[0]


def _exponentials(steps: Steps, x: int, axis: int) -> tuple[int, int, int]:
    """Append x less its largest entry along an axis, the exponentials of that, and their sum."""
    kept = _kept(steps, x, (axis,))
    largest = steps.compute(f"maximum_reduce({{0}}, axis={axis}, keepdims=True, out={{y}})", (x,), kept)
    less = steps.ufunc("subtract", x, largest)
    exponentials = steps.ufunc("exp", less)
    return less, exponentials, steps.total(exponentials, (axis,), keepdims=True)


def _softmax(steps: Steps, x: int, axis: int = -1) -> int:
    _, exponentials, total = _exponentials(steps, x, _one_axis(steps, x, axis))
    return steps.ufunc("divide", exponentials, total)


def _log_softmax(steps: Steps, x: int, axis: int = -1) -> int:
    less, _, total = _exponentials(steps, x, _one_axis(steps, x, axis))
    return steps.ufunc("subtract", less, steps.ufunc("log", total))


def _softmax_reverse(steps: Steps, k: int, S: int, y: int, x: list[int], lead: Shape, axis: int = -1) -> int:
    place = _one_axis(steps, x[0], axis) + len(lead)
    S = steps.broadcast(S, (*lead, *steps.shape(y)))
    mean = steps.total(steps.ufunc("multiply", S, y), (place,), keepdims=True)
    share = steps.ufunc("multiply", steps.ufunc("subtract", S, mean), y)
    jacobian = ARRAY_OPERATIONS["softmax"].jacobian
    rows = math.prod(lead)

    def mend(share: Any, S: Any, y: Any, x: Any) -> None:
        if y.max() > SURE:  # diag(p) - p p^T is symmetric: the same forward and backward
            share[...] = jacobian(0, y, x, axis=axis).vjp(np.reshape(S, (rows, -1))).reshape(share.shape)

    return steps.then(share, f"{steps.named(mend)}({{y}}, {{0}}, {{1}}, {{2}})", (S, y, x[0]))


def _log_softmax_reverse(steps: Steps, k: int, S: int, y: int, x: list[int], lead: Shape, axis: int = -1) -> int:
    place = _one_axis(steps, x[0], axis) + len(lead)
    S = steps.broadcast(S, (*lead, *steps.shape(y)))
    return steps.ufunc(
        "subtract", S, steps.ufunc("multiply", steps.total(S, (place,), keepdims=True), steps.ufunc("exp", y))
    )


def _log_softmax_forward(steps: Steps, k: int, S: int, y: int, x: list[int], lead: Shape, axis: int = -1) -> int:
    place = _one_axis(steps, x[0], axis) + len(lead)
    return steps.ufunc(
        "subtract", S, steps.total(steps.ufunc("multiply", S, steps.ufunc("exp", y)), (place,), keepdims=True)
    )


def _logsumexp(steps: Steps, x: int, axis: int = -1) -> int:
    place = _one_axis(steps, x, axis)
    total = _exponentials(steps, x, place)[2]
    largest = steps.compute(f"maximum_reduce({{0}}, axis={place}, keepdims=True, out={{y}})", (x,), steps.shape(total))
    left = tuple(n for a, n in enumerate(steps.shape(x)) if a != place)
    return steps.reshape(steps.ufunc("add", largest, steps.ufunc("log", total)), left)


def _logsumexp_reverse(steps: Steps, k: int, S: int, y: int, x: list[int], lead: Shape, axis: int = -1) -> int:
    kept = _kept(steps, x[0], (_one_axis(steps, x[0], axis),))
    return steps.multiply(steps.reshape(S, (*lead, *kept)), _softmax(steps, x[0], axis))


def _logsumexp_forward(steps: Steps, k: int, S: int, y: int, x: list[int], lead: Shape, axis: int = -1) -> int:
    place = _one_axis(steps, x[0], axis) + len(lead)
    return steps.total(steps.multiply(S, _softmax(steps, x[0], axis)), (place,))


# --- a loss of each example -------------------------------------------------------------------------------------------


def _softmax_cross_entropy(steps: Steps, s: int, label: int) -> int:
    if not steps.shape(s) or steps.shape(s)[-1:] != steps.shape(label)[-1:]:
        raise ValueError("the label must have a number for each class")
    terms = steps.ufunc("multiply", label, _log_softmax(steps, s))
    return steps.ufunc("negative", steps.total(terms, (len(steps.shape(terms)) - 1,)))


def _slope_of_cross_entropy(steps: Steps, k: int, y: int, s: int, label: int) -> int:
    """Append the derivative of each loss with respect to each score, p sum(label) - label, or to the label, -log p."""
    if k == 1:
        return steps.ufunc("negative", _log_softmax(steps, s))
    p = _softmax(steps, s)
    whole = np.broadcast_shapes(steps.shape(s), steps.shape(label))
    last = (len(steps.shape(label)) - 1,)
    scaled = steps.ufunc("multiply", p, steps.total(label, last, keepdims=True))
    share = steps.ufunc("subtract", scaled, label)
    jacobian = ARRAY_OPERATIONS["softmax_cross_entropy"].jacobian

    def mend(share: Any, p: Any, y: Any, s: Any, label: Any) -> None:
        if p.max() > SURE:
            rows = np.ones((1, math.prod(np.shape(y))))
            # Entry by entry of the losses, so that each keeps the share of its own scores.
            whole_s, whole_label = np.broadcast_to(s, whole), np.broadcast_to(label, whole)
            share[...] = jacobian(0, y, whole_s, whole_label).vjp(rows).reshape(whole)

    return steps.then(share, f"{steps.named(mend)}({{y}}, {{0}}, {{1}}, {{2}}, {{3}})", (p, y, s, label))


def _softmax_cross_entropy_reverse(steps: Steps, k: int, S: int, y: int, x: list[int], lead: Shape) -> int:
    whole = np.broadcast_shapes(*map(steps.shape, x))
    seeds = steps.reshape(steps.broadcast(S, (*lead, *steps.shape(y))), (*lead, *steps.shape(y), 1))
    share = steps.multiply(seeds, _slope_of_cross_entropy(steps, k, y, *x))
    return steps.unbroadcast(steps.broadcast(share, (*lead, *whole)), steps.shape(x[k]), lead)


def _softmax_cross_entropy_forward(steps: Steps, k: int, S: int, y: int, x: list[int], lead: Shape) -> int:
    whole = np.broadcast_shapes(*map(steps.shape, x))
    terms = steps.multiply(steps.aligned(S, lead, len(whole)), _slope_of_cross_entropy(steps, k, y, *x))
    return steps.total(steps.broadcast(terms, (*lead, *whole)), (len(lead) + len(whole) - 1,))


VALUES: dict[str, Callable[..., int | None]] = {
    **NETWORK_VALUES,
    "matmul": _matmul,
    "transpose": _transpose,
    "reshape": _reshape,
    "index": _index,
    "concatenate": _concatenate,
    "sum": _sum,
    "mean": _mean,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "logsumexp": _logsumexp,
    "softmax_cross_entropy": _softmax_cross_entropy,
}
REVERSES: dict[str, Callable[..., int | None]] = {
    **NETWORK_REVERSES,
    "matmul": _matmul_reverse,
    "transpose": _transpose_reverse,
    "reshape": _reshape_reverse,
    "index": _index_reverse,
    "concatenate": _concatenate_reverse,
    "sum": _sum_reverse,
    "mean": _mean_reverse,
    "softmax": _softmax_reverse,
    "log_softmax": _log_softmax_reverse,
    "logsumexp": _logsumexp_reverse,
    "softmax_cross_entropy": _softmax_cross_entropy_reverse,
}
FORWARDS: dict[str, Callable[..., int | None]] = {
    "matmul": _matmul_forward,
    "transpose": _transpose_forward,
    "reshape": _reshape_forward,
    "index": _index_forward,
    "concatenate": _concatenate_forward,
    "sum": _sum_forward,
    "mean": _mean_forward,
    "softmax": _softmax_reverse,
    "log_softmax": _log_softmax_forward,
    "logsumexp": _logsumexp_forward,
    "softmax_cross_entropy": _softmax_cross_entropy_forward,
}
