"""The table of operations on whole arrays: products, reductions, selections, and the losses of classification.

Each row gives the value and, for every operand, the Jacobian in the structure it comes in; and how both are shown. As in the table of
elementary operations, every value also takes complex arrays, for a complex step; what compares, compares real parts.

Source: DD2424, lecture 3 (softmax, cross-entropy, the multi-class SVM loss, dz/dvec(W) = I (x) x^T); CSE463 (5.67),
(5.81) to (5.92). A tie in a maximum goes to the first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cgraph.model.operations import batched_forms as batched
from cgraph.model.operations import result_sizes as sizes
from cgraph.model.operations.entry_forms import (
    avg_pool_entries,
    cholesky_entries,
    conv_entries,
    conv_transpose_entries,
    cumsum_entries,
    det_entries,
    hinge_entries,
    inv_entries,
    largest_entries,
    log_softmax_entries,
    logdet_entries,
    logsumexp_entries,
    max_pool_entries,
    norm_entries,
    pad_entries,
    smallest_entries,
    softmax_cross_entropy_entries,
    softmax_entries,
    solve_entries,
    sort_entries,
    take_entries,
    topk_entries,
)
from cgraph.model.operations.index_sums import einsum, einsum_jacobian, einsum_size
from cgraph.model.operations.matrix_functions import (
    cholesky,
    cholesky_jacobian,
    logdet,
    logdet_jacobian,
    solve,
    solve_jacobian,
    square_matrix,
)
from cgraph.model.operations.moved_entries import (
    index,
    pad,
    pad_jacobian,
    placed,
    repeat,
    reshape,
    split,
    squeeze,
    take,
    take_jacobian,
    taken,
)
from cgraph.model.operations.normalisations import BATCH, GROUPS, LAYER, MEAN_SQUARE, POSITIVE_EPSILON
from cgraph.model.operations.ordered_entries import (
    cumsum,
    cumsum_jacobian,
    prod,
    prod_jacobian,
    sort,
    sort_jacobian,
    topk,
    topk_jacobian,
)
from cgraph.model.operations.structured_jacobians import (
    Broadcast,
    Dense,
    Diagonal,
    DiagonalPlusRankOne,
    IdentityKronecker,
    Jacobian,
    KroneckerIdentity,
    ScaledIdentity,
    Selection,
    Shape,
    chain,
)
from cgraph.model.operations.windows import (
    avg_pool,
    avg_pool_jacobian,
    conv,
    conv_jacobian,
    conv_transpose,
    conv_transpose_jacobian,
    max_pool,
    max_pool_jacobian,
)

__all__ = ["ARRAY_OPERATIONS", "ArrayOperation", "Layout"]

Array = Any  # an ndarray of floats, or of complex numbers
_SQUARED = 500  # a number of a larger exponent has no square among the floats


class Layout(NamedTuple):
    """How tightly the LaTeX of an operation binds, and how tightly each of its operands has to, else in brackets."""

    operands: tuple[float, ...]
    binds: float = 8.0
    is_signed: bool = False  # a minus before the second operand is in brackets, as it is in a product


# A formula of a Jacobian as text and as LaTeX; {0}, {1} are the operands and {y} is the output. Vectors are columns.
JacobianFormula = tuple[str, str]
ATOM = 9  # binds tighter than every operator


@dataclass(frozen=True, eq=False)
class ArrayOperation:
    """One operation on arrays.

    Parameters
    ----------
    value : callable
        ``value(*x, **options)`` is the output y.
    jacobian : callable
        ``jacobian(k, y, *x, **options)`` is dy/dx_k, a `Jacobian`.
    operands : int or None
        How many it takes; None for any number from one on.
    latex : str
        How it is typeset; ``{0}``, ``{1}`` stand for the operands, ``{all}`` for all of them, ``{options}`` for
        the options.
    options : dict
        The names of its options and their defaults: whole numbers, tuples of them, or a text.
    domain : (callable, str), optional
        ``inside(*x)`` says whether the operands are allowed, and the words say which ones are.
    infix, precedence
        As in `Operation`.
    layout : Layout, optional
        Where brackets are needed in LaTeX; without it, nowhere or as the infix says.
    formulas : tuple, or dict of tuples by the ranks of the operands
        For each operand the formula of the Jacobian, as text and as LaTeX, where there is one to show.
    entries : callable, optional
        ``entries(*x, **options)`` writes the output down entry by entry (`cgraph.model.operations.entry_forms`);
        without it `value` does.
    uses_each_once : bool
        Whether no entry of an operand stands in the output twice.
    batched : callable, optional
        What it is over many examples (`cgraph.model.operations.batched_forms`); without it, it has no form for many.
    shape : callable, optional
        ``shape(*shapes, **options)`` is the shape of the output by those of the operands; without it, the output has at
        most as many entries as the operands broadcast together.
    """

    value: Callable[..., Any]
    jacobian: Callable[..., Jacobian]
    operands: int | None
    latex: str
    options: Mapping[str, Any] = field(default_factory=dict)
    domain: tuple[Callable[..., Any], str] | None = None
    infix: str = ""
    precedence: int = 9
    layout: Layout | None = None
    formulas: tuple[JacobianFormula, ...] | Mapping[tuple[int, ...], tuple[JacobianFormula, ...]] = ()
    entries: Callable[..., Any] | None = None
    uses_each_once: bool = False
    batched: Callable[..., Any] | None = None
    shape: Callable[..., Shape] | None = None

    is_own = False

    def inside(self, *x: Any) -> Any:
        """Whether operands are allowed."""
        return self.domain is None or self.domain[0](*map(np.real, x))

    def formulas_for(self, ranks: tuple[int, ...]) -> tuple[JacobianFormula, ...]:
        """Return the formula of the Jacobian for each operand, for operands of these ranks; empty if there is none."""
        return self.formulas.get(ranks, ()) if isinstance(self.formulas, Mapping) else self.formulas


# --- products -------------------------------------------------------------------------------------------------------


def _as_matrices(a: Array, b: Array) -> tuple[Array, Array]:
    """Return the operands of ``a @ b`` as matrices, or stacks of them: a vector is a row before, a column after."""
    return (a[None] if np.ndim(a) == 1 else a), (b[:, None] if np.ndim(b) == 1 else b)


def _matmul_jacobian(k: int, y: Array, a: Array, b: Array) -> Jacobian:
    if a.ndim == b.ndim == 1:
        return Dense((b, a)[k][None])
    if k == 1 and (a.ndim, b.ndim) == (2, 1):
        return Dense(a)  # y = A x
    if k == 0 and (a.ndim, b.ndim) == (1, 2):
        return Dense(b.T)  # y = B^T x
    A, B = _as_matrices(a, b)
    stack = np.broadcast_shapes(A.shape[:-2], B.shape[:-2])
    operand = (*stack, *(A, B)[k].shape[-2:])
    J: Jacobian = IdentityKronecker(B, operand) if k == 0 else KroneckerIdentity(A, operand)
    # A stack that one matrix serves repeats that matrix.
    return J if operand == (A, B)[k].shape else chain(J, Broadcast((A, B)[k].shape, operand))


def _vectors(a: Array, b: Array) -> None:
    if np.ndim(a) != 1 or np.ndim(b) != 1:
        raise ValueError("two vectors are needed")


def _dot(a: Array, b: Array) -> Any:
    _vectors(a, b)
    return a @ b


def _outer(a: Array, b: Array) -> Array:
    _vectors(a, b)
    return a[:, None] * b


def _outer_jacobian(k: int, y: Array, a: Array, b: Array) -> Jacobian:
    return IdentityKronecker(b[None], (a.size, 1)) if k == 0 else KroneckerIdentity(a[:, None], (1, b.size))


# --- matrices -------------------------------------------------------------------------------------------------------


def _det_jacobian(k: int, y: Array, A: Array) -> Jacobian:
    # The matrix of cofactors, from A = U diag(s) V: it exists where the inverse does not.
    U, s, V = np.linalg.svd(A)
    others = np.array([math.prod(np.delete(s, i)) for i in range(len(s))])
    return Dense(np.linalg.det(U @ V) * ((U * others) @ V).reshape(1, -1))


def _inv_jacobian(k: int, y: Array, A: Array) -> Jacobian:
    # d(A^-1) = -A^-1 dA A^-1
    return chain(KroneckerIdentity(-y, A.shape), IdentityKronecker(y, A.shape))


# --- reductions -----------------------------------------------------------------------------------------------------


def _require_axes(x: Array, axis: Any) -> None:
    if axis is not None and np.ndim(x) == 0:  # of which NumPy sums over axes 0 and -1
        raise ValueError("a number has no axes")


def _sum(x: Array, axis: Any = None) -> Any:
    _require_axes(x, axis)
    return np.sum(x, axis)


def _kept(x: Array, axis: Any) -> Shape:
    """Return the shape of `x` with the axes that are summed over of length 1."""
    given = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = [a % x.ndim for a in given]
    return tuple(1 if a in axes else n for a, n in enumerate(x.shape))


def _sum_jacobian(k: int, y: Array, x: Array, axis: Any = None) -> Jacobian:
    return Broadcast(_kept(x, axis), x.shape).T


def _mean_jacobian(k: int, y: Array, x: Array, axis: Any = None) -> Jacobian:
    return chain(ScaledIdentity(np.size(y) / x.size, np.size(y)), _sum_jacobian(k, y, x, axis))


def _extreme_places(x: Array, axis: Any, arg: Any) -> NDArray[np.intp]:
    """Return the place in the flattened `x` of each extreme entry, the first of equal ones."""
    places = np.arange(x.size).reshape(x.shape)
    if axis is None:
        return np.asarray(places.ravel()[arg(np.real(x))])
    return np.take_along_axis(places, np.expand_dims(arg(np.real(x), axis=axis), axis), axis).squeeze(axis)


def _extreme(arg: Any) -> tuple[Callable[..., Any], Callable[..., Jacobian]]:
    def value(x: Array, axis: Any = None) -> Any:
        if np.ndim(x) == 0:
            raise ValueError("with one operand, it must be an array")
        if isinstance(axis, tuple):
            raise TypeError("one axis is needed")
        return np.ravel(x)[_extreme_places(np.asarray(x), axis, arg)]

    def jacobian(k: int, y: Array, x: Array, axis: Any = None) -> Jacobian:
        return Selection(_extreme_places(x, axis, arg).ravel(), x.size)

    return value, jacobian


def _norm(x: Array) -> Any:
    # Squares of entries beyond 1e154 overflow and those below 1e-154 vanish; a power of two rounds nothing.
    _, exponent = np.frexp(np.max(np.abs(np.real(x))))
    scale = 2.0**exponent if abs(exponent) > _SQUARED else 1.0
    return scale * np.sqrt(np.sum((x / scale) * (x / scale)))


def _norm_jacobian(k: int, y: Any, x: Array) -> Jacobian:
    return Dense(x.reshape(1, -1) / y)


# --- softmax and what belongs to it -----------------------------------------------------------------------------------


def _largest(x: Array, axis: int) -> Array:
    _require_axes(x, axis)
    if not isinstance(axis, int):
        raise TypeError("one axis is needed")
    return np.max(np.real(x), axis=axis, keepdims=True)


def _logsumexp(x: Array, axis: int = -1, keepdims: bool = False) -> Any:
    largest = _largest(x, axis)  # no exponential overflows
    total = largest + np.log(np.sum(np.exp(x - largest), axis=axis, keepdims=True))
    return total if keepdims else total.squeeze(axis)


def _log_softmax(x: Array, axis: int = -1) -> Array:
    return x - _logsumexp(x, axis, keepdims=True)


def _softmax(x: Array, axis: int = -1) -> Array:
    exponentials = np.exp(x - _largest(x, axis))
    return exponentials / np.sum(exponentials, axis=axis, keepdims=True)


def _along(axis: int, x: Array, d: Array, u: Array, v: Array, *, centred: bool = False) -> Jacobian:
    """Return the Jacobian with a block diag(d) + u v^T for each line of `x` along `axis`."""
    diagonal, left, right = (np.moveaxis(part, axis, -1).reshape(-1, x.shape[axis]) for part in (d, u, v))
    blocks = DiagonalPlusRankOne(diagonal, left, right, centred)
    if axis in {-1, x.ndim - 1}:
        return blocks
    to_lines = taken(x, lambda numbers: np.moveaxis(numbers, axis, -1))
    return chain(to_lines.T, chain(blocks, to_lines))


def _softmax_jacobian(k: int, p: Array, x: Array, axis: int = -1) -> Jacobian:
    return _along(axis, x, p, -p, p, centred=True)  # diag(p) - p p^T


def _log_softmax_jacobian(k: int, y: Array, x: Array, axis: int = -1) -> Jacobian:
    one = np.ones_like(x)
    return _along(axis, x, one, -one, np.exp(y))  # I - 1 p^T


def _logsumexp_jacobian(k: int, y: Array, x: Array, axis: int = -1) -> Jacobian:
    return _weighted_sum(_softmax(x, axis), axis)


# --- losses: sums over the last axis, so that the axes before it count examples -----------------------------------------


def _weighted_sum(weights: Array, axis: int = -1) -> Jacobian:
    """Return the Jacobian of the sum of weights * x along an axis."""
    return chain(Broadcast(_kept(weights, axis), weights.shape).T, Diagonal(weights.ravel()))


def _loss(by_first: Callable[..., Array], by_second: Callable[..., Array]) -> Callable[..., Jacobian]:
    """Return the Jacobian of a loss l(a, b) from its gradients, in the common shape of a and b."""

    def jacobian(k: int, y: Array, *x: Array) -> Jacobian:
        shape = np.broadcast_shapes(*map(np.shape, x))
        weights = np.broadcast_to((by_first, by_second)[k](*x), shape)
        by_entry: Jacobian = _weighted_sum(weights) if shape else Dense(weights.reshape(1, 1))
        return by_entry if x[k].shape == shape else chain(by_entry, Broadcast(x[k].shape, shape))

    return jacobian


def _last(terms: Array) -> Any:
    return np.sum(terms, axis=-1, keepdims=True) if np.ndim(terms) else terms


def _require_classes(a: Array, y: Array) -> None:
    # Broadcast, the number of a class would be a label for all classes, and the loss a number that means nothing.
    if np.shape(a)[-1:] != np.shape(y)[-1:]:
        raise ValueError("the label must have a number for each class, as [0, 1, 0] for the second of three")


def _likely(p: Array, y: Array) -> Any:
    _require_classes(p, y)
    return np.sum(y * p, axis=-1) > 0


def _cross_entropy(p: Array, y: Array) -> Any:
    return -np.log(np.sum(y * p, axis=-1))


def _softmax_cross_entropy(s: Array, y: Array) -> Any:
    _require_classes(s, y)
    return -np.sum(y * _log_softmax(s), axis=-1)


def _softmax_cross_entropy_by_score(s: Array, y: Array) -> Array:
    # p sum(y) - y; written so that 1 - p of the likeliest class, the sum of the others, keeps its digits
    p = _softmax(s)
    likeliest = np.expand_dims(p.argmax(axis=-1), -1)
    others, complement = p.copy(), 1 - p
    np.put_along_axis(others, likeliest, 0.0, axis=-1)
    np.put_along_axis(complement, likeliest, _last(others), axis=-1)
    return p * (_last(y) - y) - y * complement


def _squared_error(a: Array, b: Array) -> Any:
    return np.sum((a - b) * (a - b), axis=-1 if np.ndim(a) or np.ndim(b) else None)


def _margins(s: Array, y: Array) -> Array:
    return s - _last(s * y) + 1


def _hinge(s: Array, y: Array) -> Any:
    _require_classes(s, y)
    margins = _margins(s, y)
    return np.sum((1 - y) * np.where(np.real(margins) > 0, margins, 0), axis=-1)


def _violated(s: Array, y: Array) -> Array:
    return (1 - y) * (_margins(s, y) > 0)


def _hinge_by_label(s: Array, y: Array) -> Array:
    return -np.maximum(_margins(s, y), 0) - s * _last(_violated(s, y))


_max, _max_jacobian = _extreme(np.argmax)
_min, _min_jacobian = _extreme(np.argmin)
_AXIS = {"axis": None}
_LAST_AXIS = {"axis": -1}
_WINDOWS = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
_LIKELY = (_likely, "a label of positive probability")

# fmt: off
_PRODUCT_FORMULAS: dict[tuple[int, ...], tuple[JacobianFormula, ...]] = {  # by the ranks of the operands
    (2, 1): (("I (x) {1}^T", r"I \otimes {1}^T"), ("{0}", "{0}")),
    (1, 2): (("{1}^T", "{1}^T"), ("{0}^T (x) I", r"{0}^T \otimes I")),
    (2, 2): (("I (x) {1}^T", r"I \otimes {1}^T"), ("{0} (x) I", r"{0} \otimes I")),
    (1, 1): (("{1}^T", "{1}^T"), ("{0}^T", "{0}^T")),
}
ARRAY_OPERATIONS: dict[str, ArrayOperation] = {
    # products
    "matmul": ArrayOperation(np.matmul, _matmul_jacobian, 2, r"{0} \, {1}", infix="@", precedence=2,
        layout=Layout((2.5, 2.5), 2.5, is_signed=True), formulas=_PRODUCT_FORMULAS, batched=batched.product, shape=sizes.product),
    "dot": ArrayOperation(_dot, lambda k, y, a, b: Dense((b, a)[k][None]), 2, r"{0}^T {1}",
        layout=Layout((ATOM, 2), 2.0, is_signed=True), formulas=(("{1}^T", "{1}^T"), ("{0}^T", "{0}^T")),
        uses_each_once=True, batched=batched.product),
    "outer": ArrayOperation(_outer, _outer_jacobian, 2, r"{0} \, {1}^T",
        layout=Layout((2, ATOM), 2.0, is_signed=True), batched=batched.outer, shape=sizes.outer),
    "einsum": ArrayOperation(einsum, einsum_jacobian, None, r"\operatorname{{einsum}}{options}({all})", {"subscripts": ""},
        batched=batched.einsum, shape=einsum_size),
    # matrices
    "transpose": ArrayOperation(lambda x, axes=None: np.transpose(x, axes),
                                lambda k, y, x, axes=None: taken(x, lambda n: np.transpose(n, axes)), 1, "{0}^{{T{options}}}", {"axes": None},
        layout=Layout((ATOM,)), uses_each_once=True, batched=batched.transpose),
    "trace": ArrayOperation(lambda A: np.trace(square_matrix(A)), lambda k, y, A: Dense(np.eye(len(A)).reshape(1, -1)), 1,
                            r"\operatorname{{tr}}({0})",
        uses_each_once=True, batched=batched.trace),
    "det": ArrayOperation(lambda A: np.linalg.det(square_matrix(A)), _det_jacobian, 1, r"\det({0})",
        entries=det_entries),
    "inv": ArrayOperation(lambda A: np.linalg.inv(square_matrix(A)), _inv_jacobian, 1, "{0}^{{-1}}",
        layout=Layout((ATOM,)), entries=inv_entries),
    "logdet": ArrayOperation(logdet, logdet_jacobian, 1, r"\ln|\det({0})|",
        entries=logdet_entries),
    "solve": ArrayOperation(solve, solve_jacobian, 2, r"{0}^{{-1}} {1}",
        layout=Layout((ATOM, 2), 2.0), entries=solve_entries),
    "cholesky": ArrayOperation(cholesky, cholesky_jacobian, 1, r"\operatorname{{chol}}({0})",
        entries=cholesky_entries),
    # parts of arrays
    "index": ArrayOperation(index, lambda k, y, x, key: taken(x, lambda n: index(n, key)), 1, "{0}{options}", {"key": ()},
        layout=Layout((ATOM,)), uses_each_once=True, batched=batched.index, shape=sizes.indexed),
    "reshape": ArrayOperation(reshape, lambda k, y, x, shape: ScaledIdentity(1.0, x.size), 1,
                              r"\operatorname{{reshape}}{options}({0})", {"shape": ()},
        uses_each_once=True, batched=batched.reshape),
    "concatenate": ArrayOperation(lambda *x, axis=0: np.concatenate(x, axis),
                                  lambda k, y, *x, axis=0: placed(k, x, lambda parts: np.concatenate(parts, axis)), None,
                                  r"\operatorname{{concatenate}}{options}({all})", {"axis": 0},
        uses_each_once=True, batched=batched.joined, shape=sizes.concatenated),
    "stack": ArrayOperation(lambda *x, axis=0: np.stack(x, axis),
                            lambda k, y, *x, axis=0: placed(k, x, lambda parts: np.stack(parts, axis)), None,
                            r"\operatorname{{stack}}{options}({all})", {"axis": 0},
        uses_each_once=True, batched=batched.joined, shape=sizes.stacked),
    "split": ArrayOperation(split, lambda k, y, x, **options: taken(x, lambda n: split(n, **options)), 1,
                            r"\operatorname{{split}}{options}({0})", {"parts": 2, "part": 0, "axis": 0},
        uses_each_once=True, batched=batched.along_axis),
    "repeat": ArrayOperation(repeat, lambda k, y, x, **options: taken(x, lambda n: repeat(n, **options)), 1,
                             r"\operatorname{{repeat}}{options}({0})", {"repeats": 2, "axis": None},
        batched=batched.extreme, shape=sizes.repeated),
    "expand_dims": ArrayOperation(lambda x, axis=0: np.expand_dims(x, axis), lambda k, y, x, axis=0: ScaledIdentity(1.0, x.size), 1,
                                  r"\operatorname{{expand\_dims}}{options}({0})", {"axis": 0},
        uses_each_once=True, batched=batched.reshape),
    "squeeze": ArrayOperation(squeeze, lambda k, y, x, axis=None: ScaledIdentity(1.0, x.size), 1,
                              r"\operatorname{{squeeze}}{options}({0})", _AXIS,
        uses_each_once=True, batched=batched.reshape),
    "take": ArrayOperation(take, take_jacobian, 2, r"\operatorname{{take}}{options}({0}, {1})", {"axis": 0},
        entries=take_entries, batched=batched.take, shape=sizes.taken_at),
    "pad": ArrayOperation(pad, pad_jacobian, 1, r"\operatorname{{pad}}{options}({0})", {"before": 0, "after": 0},
        entries=pad_entries, uses_each_once=True, batched=batched.pad, shape=sizes.padded),
    "sort": ArrayOperation(sort, sort_jacobian, 1, r"\operatorname{{sort}}{options}({0})", _LAST_AXIS,
        entries=sort_entries, batched=batched.along_axis),
    "topk": ArrayOperation(topk, topk_jacobian, 1, r"\operatorname{{topk}}{options}({0})", {"k": 1, "axis": -1},
        entries=topk_entries, batched=batched.along_axis),
    # windows
    "conv": ArrayOperation(conv, conv_jacobian, 2, r"\operatorname{{conv}}{options}({0}, {1})", _WINDOWS,
        entries=conv_entries, batched=batched.windows, shape=sizes.columns_of_conv),
    "conv_transpose": ArrayOperation(conv_transpose, conv_transpose_jacobian, 2,
                                     r"\operatorname{{conv\_transpose}}{options}({0}, {1})", _WINDOWS | {"output_padding": 0},
        entries=conv_transpose_entries, batched=batched.windows, shape=sizes.columns_of_conv_transpose),
    "max_pool": ArrayOperation(max_pool, max_pool_jacobian, 1, r"\operatorname{{max\_pool}}{options}({0})",
                               {"size": 2, "stride": None, "padding": 0, "dilation": 1},
        entries=max_pool_entries, batched=batched.windows, shape=sizes.padded_for_pool),
    "avg_pool": ArrayOperation(avg_pool, avg_pool_jacobian, 1, r"\operatorname{{avg\_pool}}{options}({0})",
                               {"size": 2, "stride": None, "padding": 0},
        entries=avg_pool_entries, batched=batched.windows, shape=sizes.padded_for_pool),
    # reductions
    "sum": ArrayOperation(_sum, _sum_jacobian, 1, r"\textstyle\sum{options} {0}", _AXIS,
        layout=Layout((2,), 1.0), formulas=(("1^T", r"\mathbf{{1}}^T"),), uses_each_once=True,
        batched=batched.reduction),
    "mean": ArrayOperation(lambda x, axis=None: np.mean(x, axis), _mean_jacobian, 1, r"\operatorname{{mean}}{options}({0})", _AXIS,
        formulas=(("1^T/n", r"\tfrac{{1}}{{n}}\mathbf{{1}}^T"),), uses_each_once=True, batched=batched.reduction),
    "prod": ArrayOperation(prod, prod_jacobian, 1, r"\textstyle\prod{options} {0}", _AXIS,
        layout=Layout((2,), 1.0), uses_each_once=True, batched=batched.extreme),
    "cumsum": ArrayOperation(cumsum, cumsum_jacobian, 1, r"\operatorname{{cumsum}}{options}({0})", _AXIS,
        entries=cumsum_entries, batched=batched.extreme),
    "largest": ArrayOperation(_max, _max_jacobian, 1, r"\max{options}({0})", _AXIS,
        entries=largest_entries, uses_each_once=True, batched=batched.extreme),
    "smallest": ArrayOperation(_min, _min_jacobian, 1, r"\min{options}({0})", _AXIS,
        entries=smallest_entries, uses_each_once=True, batched=batched.extreme),
    "squared_norm": ArrayOperation(lambda x: np.sum(x * x), lambda k, y, x: Dense(2 * x.reshape(1, -1)), 1, r"\|{0}\|^2",
        formulas=(("2 {0}^T", "2 {0}^T"),), batched=batched.squared_norm),
    "norm": ArrayOperation(_norm, _norm_jacobian, 1, r"\|{0}\|",
        formulas=(("{0}^T/{y}", r"\tfrac{{1}}{{{y}}} {0}^T"),), entries=norm_entries, batched=batched.norm),
    # softmax
    "softmax": ArrayOperation(_softmax, _softmax_jacobian, 1, r"\operatorname{{softmax}}{options}({0})", _LAST_AXIS,
        formulas=(("diag({y}) - {y} {y}^T", r"\operatorname{{diag}}({y}) - {y} {y}^T"),), entries=softmax_entries,
        batched=batched.along_axis),
    "log_softmax": ArrayOperation(_log_softmax, _log_softmax_jacobian, 1, r"\ln\operatorname{{softmax}}{options}({0})", _LAST_AXIS,
        formulas=(("I - 1 exp({y})^T", r"I - \mathbf{{1}} (e^{{{y}}})^T"),), entries=log_softmax_entries,
        batched=batched.along_axis),
    "logsumexp": ArrayOperation(_logsumexp, _logsumexp_jacobian, 1, r"\operatorname{{logsumexp}}{options}({0})", _LAST_AXIS,
        entries=logsumexp_entries, batched=batched.along_axis),
    # normalised arrays
    "layer_norm": ArrayOperation(LAYER.value, LAYER.jacobian, 2, r"\operatorname{{layer\_norm}}{options}({0}, {1})", _LAST_AXIS,
        domain=POSITIVE_EPSILON,
        formulas={(1, 0): (("(I - (1 1^T + {y} {y}^T)/n)/sqrt(var({0}) + {1})",
                            r"\tfrac{{1}}{{\sqrt{{\operatorname{{var}}({0}) + {1}}}}} (I - \tfrac{{1}}{{n}}(\mathbf{{1}} \mathbf{{1}}^T + {y} {y}^T))"),
                           ("-{y}/(2 (var({0}) + {1}))", r"-\tfrac{{1}}{{2 (\operatorname{{var}}({0}) + {1})}} {y}"))},
        entries=LAYER.entries, batched=batched.normalised),
    "rms_norm": ArrayOperation(MEAN_SQUARE.value, MEAN_SQUARE.jacobian, 2, r"\operatorname{{rms\_norm}}{options}({0}, {1})", _LAST_AXIS,
        domain=POSITIVE_EPSILON,
        formulas={(1, 0): (("(I - {y} {y}^T/n)/sqrt(mean({0}^2) + {1})",
                            r"\tfrac{{1}}{{\sqrt{{\operatorname{{mean}}({0}^2) + {1}}}}} (I - \tfrac{{1}}{{n}} {y} {y}^T)"),
                           ("-{y}/(2 (mean({0}^2) + {1}))", r"-\tfrac{{1}}{{2 (\operatorname{{mean}}({0}^2) + {1})}} {y}"))},
        entries=MEAN_SQUARE.entries, batched=batched.normalised),
    "group_norm": ArrayOperation(GROUPS.value, GROUPS.jacobian, 2, r"\operatorname{{group\_norm}}{options}({0}, {1})", {"groups": 1},
        domain=POSITIVE_EPSILON, entries=GROUPS.entries, batched=batched.group_norm),
    "batch_norm": ArrayOperation(BATCH.value, BATCH.jacobian, 2, r"\operatorname{{batch\_norm}}({0}, {1})",
        domain=POSITIVE_EPSILON, entries=BATCH.entries),
    # losses
    "cross_entropy": ArrayOperation(_cross_entropy, _loss(lambda p, y: -y / _last(y * p), lambda p, y: -p / _last(y * p)), 2,
                                    r"-\ln({1}^T {0})", domain=_LIKELY,
        layout=Layout((2, ATOM), 1.0),
        formulas=(("-{1}^T/({1}^T {0})", r"-\frac{{1}}{{{1}^T {0}}} {1}^T"), ("-{0}^T/({1}^T {0})", r"-\frac{{1}}{{{1}^T {0}}} {0}^T")),
        uses_each_once=True, batched=batched.elementwise),
    "softmax_cross_entropy": ArrayOperation(
        _softmax_cross_entropy, _loss(_softmax_cross_entropy_by_score, lambda s, y: -_log_softmax(s)), 2,
        r"-{1}^T \ln\operatorname{{softmax}}({0})",
        layout=Layout((0, ATOM), 1.0),
        formulas=(("(softmax({0}) - {1})^T", r"(\operatorname{{softmax}}({0}) - {1})^T"), ("-log(softmax({0}))^T", r"-\ln(\operatorname{{softmax}}({0}))^T")),
        entries=softmax_cross_entropy_entries, batched=batched.elementwise),
    "squared_error": ArrayOperation(_squared_error, _loss(lambda a, b: 2 * (a - b), lambda a, b: 2 * (b - a)), 2,
                                    r"\|{0} - {1}\|^2",
        layout=Layout((0, 2), is_signed=True),
        formulas=(("2 ({0} - {1})^T", "2 ({0} - {1})^T"), ("2 ({1} - {0})^T", "2 ({1} - {0})^T")),
        batched=batched.squared_error),
    "hinge": ArrayOperation(_hinge, _loss(lambda s, y: _violated(s, y) - y * _last(_violated(s, y)), _hinge_by_label), 2,
                            r"\operatorname{{hinge}}({0}, {1})",
        entries=hinge_entries, batched=batched.elementwise),
}
# fmt: on
