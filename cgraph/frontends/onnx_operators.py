"""What the operators of ONNX compute, written with NumPy: on traced arrays it becomes a graph of equations.

Source: the operator schemas of ONNX, onnx.ai/onnx/operators. Conventions of older opsets stand beside the new ones: what is
an input now was an attribute then.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from cgraph.frontends.onnx_values import Operator, UnsupportedError, channels_of, integers, plain_value, variadic
from cgraph.frontends.onnx_windows import WINDOW_OPERATORS
from cgraph.model.evaluation import steps_of
from cgraph.model.language.parsing import parse
from cgraph.model.limits import require_entries
from cgraph.model.tracing.traced_arrays import TracedArray, apply

__all__ = ["BEFORE", "OPERATORS"]


def _row(name: str) -> Operator:
    """Return the function of the tables of that name, on traced and on plain arrays."""

    def operation(x: Any) -> Any:
        if isinstance(x, TracedArray):
            return apply(name, x)
        return steps_of(parse(f"{name}(x)"), {"x": np.asarray(x, float)}, name)[-1]

    return operation


# --- entry by entry -----------------------------------------------------------------------------------------------------


def _extremum(function: Operator, never: float) -> Operator:
    """Return the largest or the smallest entry; `never` is what it is never, and where a model begins to compare."""

    def operator(*x: Any) -> Any:
        compared = [
            operand for operand in x if isinstance(operand, TracedArray) or np.any(np.asarray(operand) != never)
        ]
        result = variadic(function)(*(compared or x))
        shape = np.broadcast_shapes(*map(np.shape, x))
        return result if np.shape(result) == shape else np.broadcast_to(result, shape)

    return operator


def _old_broadcast(function: Operator) -> Operator:
    """Return a binary operator that takes the attributes `axis` and `broadcast` of opset 6."""

    def operator(a: Any, b: Any, *, axis: int | None = None, broadcast: int = 0) -> Any:
        if broadcast and axis is not None:
            b = np.reshape(b, np.shape(b) + (1,) * (np.ndim(a) - axis % np.ndim(a) - np.ndim(b)))
        return function(a, b)

    return operator


def _divide(a: Any, b: Any) -> Any:
    if _is_whole(a) and _is_whole(b):
        return np.trunc(np.asarray(a) / np.asarray(b)).astype(np.asarray(a).dtype)
    return a / b


def _is_whole(x: Any) -> bool:
    return not isinstance(x, TracedArray) and np.asarray(x).dtype.kind in "biu"


def _mod(a: Any, b: Any, *, fmod: int = 0) -> Any:
    return np.fmod(a, b) if fmod else np.mod(a, b)


def _clip(x: Any, low: Any = None, high: Any = None, *, min: Any = None, max: Any = None) -> Any:
    low, high = (min if low is None else low), (max if high is None else high)
    x = x if low is None else np.maximum(x, low)
    return x if high is None else np.minimum(x, high)


def _leaky_relu(x: Any, *, alpha: float = 0.01) -> Any:
    return np.where(x < 0, alpha * x, x)


def _prelu(x: Any, slope: Any) -> Any:
    return np.where(x < 0, slope * x, x)


def _prelu_by_channel(x: Any, slope: Any) -> Any:
    return _prelu(x, channels_of(slope, x) if np.ndim(slope) == 1 and np.ndim(x) > 1 else slope)


def _elu(x: Any, *, alpha: float = 1.0) -> Any:
    return np.where(x < 0, alpha * np.expm1(np.minimum(x, 0)), x)


def _celu(x: Any, *, alpha: float = 1.0) -> Any:
    return np.where(x < 0, alpha * np.expm1(np.minimum(x, 0) / alpha), x)


def _selu(x: Any, *, alpha: float = 1.67326319217681884765625, gamma: float = 1.05070102214813232421875) -> Any:
    return gamma * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _thresholded_relu(x: Any, *, alpha: float = 1.0) -> Any:
    return np.where(x > alpha, x, 0)


def _hard_sigmoid(x: Any, *, alpha: float = 0.2, beta: float = 0.5) -> Any:
    return np.maximum(0, np.minimum(1, alpha * x + beta))


def _hard_swish(x: Any) -> Any:
    return x * _hard_sigmoid(x, alpha=1 / 6)


def _swish(x: Any, *, alpha: float = 1.0) -> Any:
    return x * _row("sigmoid")(alpha * x)


def _shrink(x: Any, *, bias: float = 0.0, lambd: float = 0.5) -> Any:
    return np.where(x < -lambd, x + bias, np.where(x > lambd, x - bias, 0))


def _gelu(x: Any, *, approximate: bytes = b"none") -> Any:
    return _row("gelu_tanh" if approximate == b"tanh" else "gelu")(x)


def _cast(x: Any, *, to: int, **_: Any) -> Any:
    import onnx  # noqa: PLC0415 - whose models are read; it is loaded then

    dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(to))
    if not isinstance(x, TracedArray):
        return np.asarray(x).astype(float if dtype.kind == "f" else dtype)
    if dtype.kind == "b":
        return np.not_equal(x, 0)
    if dtype.kind != "f":
        raise UnsupportedError("it makes whole numbers of values that depend on the inputs")
    return x


def _cast_like(x: Any, like: Any) -> Any:
    if isinstance(x, TracedArray):
        return x
    return np.asarray(x).astype(float if isinstance(like, TracedArray) else np.asarray(like).dtype)


# --- matrices -----------------------------------------------------------------------------------------------------------


def _gemm(
    a: Any, b: Any, c: Any = None, *, alpha: float = 1.0, beta: float = 1.0, transA: int = 0, transB: int = 0, **_: Any
) -> Any:
    product = (a.T if transA else a) @ (b.T if transB else b)
    product = product if alpha == 1.0 else alpha * product
    if c is None or beta == 0.0:
        return product
    return product + (c if beta == 1.0 else beta * c)


def _einsum(*x: Any, equation: bytes) -> Any:
    return np.einsum(equation.decode(), *x)


# --- sums and their like ------------------------------------------------------------------------------------------------


def _reduction(function: Operator) -> Operator:
    def operator(x: Any, axes: Any = None, *, keepdims: int = 1, noop_with_empty_axes: int = 0, **old: Any) -> Any:
        axes = old.get("axes", axes)
        if axes is None or np.size(axes) == 0:
            if noop_with_empty_axes:
                return function(x, (), True) if function is not _plain_sum else x
            axes = range(np.ndim(x))
        axis = tuple(
            k % max(np.ndim(x), 1) for k in integers(axes if not isinstance(axes, range) else list(axes), "axes")
        )
        return function(x, None if len(axis) == np.ndim(x) else axis, bool(keepdims))

    return operator


def _plain_sum(x: Any, axis: Any, keepdims: bool) -> Any:
    return np.sum(x, axis=axis, keepdims=keepdims)


def _folded(function: Operator) -> Operator:
    return lambda x, axis, keepdims: function(x, axis=axis, keepdims=keepdims)


def _norm_1(x: Any, axis: Any, keepdims: bool) -> Any:
    return np.sum(np.abs(x), axis=axis, keepdims=keepdims)


def _norm_2(x: Any, axis: Any, keepdims: bool) -> Any:
    return np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims))


def _sum_of_squares(x: Any, axis: Any, keepdims: bool) -> Any:
    return np.sum(x * x, axis=axis, keepdims=keepdims)


def _log_sum(x: Any, axis: Any, keepdims: bool) -> Any:
    return np.log(np.sum(x, axis=axis, keepdims=keepdims))


def _log_sum_exp(x: Any, axis: Any, keepdims: bool) -> Any:
    top = np.max(plain_value(x), axis=axis, keepdims=True)
    shape = np.sum(plain_value(x), axis=axis, keepdims=keepdims).shape
    return np.log(np.sum(np.exp(x - top), axis=axis, keepdims=keepdims)) + np.reshape(top, shape)


def _softmax(x: Any, *, axis: int = -1) -> Any:
    return np.exp(_log_softmax(x, axis=axis)) if not isinstance(x, TracedArray) else apply("softmax", x, axis=axis)


def _log_softmax(x: Any, *, axis: int = -1) -> Any:
    if isinstance(x, TracedArray):
        return apply("log_softmax", x, axis=axis)
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


def _flattened(function: Operator) -> Operator:
    """Return softmax as opsets before 13 have it: over all axes from `axis` on."""

    def operator(x: Any, *, axis: int = 1) -> Any:
        rows = math.prod(np.shape(x)[: axis % np.ndim(x)]) if axis else 1
        return np.reshape(function(np.reshape(x, (rows, -1)), axis=1), np.shape(x))

    return operator


def _lp_normalization(x: Any, *, axis: int = -1, p: int = 2) -> Any:
    return x / (_norm_1 if p == 1 else _norm_2)(x, (axis,), True)


def _cumsum(x: Any, axis: Any, *, exclusive: int = 0, reverse: int = 0) -> Any:
    (k,) = integers(axis, "axis")
    y = np.flip(x, k) if reverse else x
    total = np.cumsum(y, axis=k)
    total = total - y if exclusive else total
    return np.flip(total, k) if reverse else total


# --- normalization ------------------------------------------------------------------------------------------------------


def _standardized(x: Any, axes: tuple[int, ...], epsilon: float) -> Any:
    centred = x - np.mean(x, axis=axes, keepdims=True)
    return centred / np.sqrt(np.mean(centred * centred, axis=axes, keepdims=True) + epsilon)


def _batch_normalization(
    x: Any, scale: Any, bias: Any, mean: Any, var: Any, *, epsilon: float = 1e-5, training_mode: int = 0, **_: Any
) -> Any:
    if training_mode:
        raise UnsupportedError("it is in training mode")
    factor = channels_of(scale, x) / np.sqrt(channels_of(var, x) + epsilon)
    return (x - channels_of(mean, x)) * factor + channels_of(bias, x)


def _instance_normalization(x: Any, scale: Any, bias: Any, *, epsilon: float = 1e-5) -> Any:
    return _standardized(x, tuple(range(2, np.ndim(x))), epsilon) * channels_of(scale, x) + channels_of(bias, x)


def _layer_normalization(
    x: Any, scale: Any, bias: Any = None, *, axis: int = -1, epsilon: float = 1e-5, **_: Any
) -> Any:
    y = _standardized(x, tuple(range(axis % np.ndim(x), np.ndim(x))), epsilon) * scale
    return y if bias is None else y + bias


def _rms_normalization(x: Any, scale: Any, *, axis: int = -1, epsilon: float = 1e-5, **_: Any) -> Any:
    axes = tuple(range(axis % np.ndim(x), np.ndim(x)))
    return x / np.sqrt(np.mean(x * x, axis=axes, keepdims=True) + epsilon) * scale


def _group_normalization(x: Any, scale: Any, bias: Any, *, num_groups: int, epsilon: float = 1e-5, **_: Any) -> Any:
    groups = np.reshape(x, (np.shape(x)[0], num_groups, -1))
    y = _standardized(groups, (2,), epsilon)
    if np.size(plain_value(scale)) == num_groups != np.shape(x)[1]:  # before opset 21: one for each group
        return np.reshape(y * np.reshape(scale, (1, -1, 1)) + np.reshape(bias, (1, -1, 1)), np.shape(x))
    return np.reshape(y, np.shape(x)) * channels_of(scale, x) + channels_of(bias, x)


def _mean_variance_normalization(x: Any, *, axes: Sequence[int] = (0, 2, 3)) -> Any:
    return _standardized(x, tuple(axes), 1e-18)


# --- shapes -------------------------------------------------------------------------------------------------------------


def _reshape(x: Any, shape: Any, *, allowzero: int = 0) -> Any:
    wanted = integers(shape, "shape")
    return np.reshape(x, [n if n or allowzero else np.shape(x)[k] for k, n in enumerate(wanted)])


def _flatten(x: Any, *, axis: int = 1) -> Any:
    rows = math.prod(np.shape(x)[: axis if axis >= 0 else axis + np.ndim(x)])
    return np.reshape(x, (rows, -1))


def _transpose(x: Any, *, perm: Sequence[int] | None = None) -> Any:
    return np.transpose(x, perm)


def _squeeze(x: Any, axes: Any = None, **old: Any) -> Any:
    axes = old.get("axes", axes)
    return np.squeeze(x, None if axes is None else tuple(integers(axes, "axes")))


def _unsqueeze(x: Any, axes: Any = None, **old: Any) -> Any:
    return np.expand_dims(x, tuple(integers(old.get("axes", axes), "axes")))


def _concat(*x: Any, axis: int = 1) -> Any:
    return np.concatenate([part for part in x if np.size(plain_value(part))] or x[:1], axis=axis)


def _split(
    x: Any, sizes: Any = None, *, axis: int = 0, num_outputs: int | None = None, outputs: int, **old: Any
) -> Any:
    sizes = old.get("split", sizes)
    n = np.shape(x)[axis]
    if sizes is None:
        each = -(-n // (num_outputs or outputs))
        sizes = [min(each, n - start) for start in range(0, n, each)]
    return np.split(x, np.cumsum(integers(sizes, "sizes"))[:-1].tolist(), axis=axis)


def _slice(x: Any, starts: Any = None, ends: Any = None, axes: Any = None, steps: Any = None, **old: Any) -> Any:
    starts, ends = integers(old.get("starts", starts), "starts"), integers(old.get("ends", ends), "ends")
    axes = old.get("axes", axes)
    axes = list(range(len(starts))) if axes is None else integers(axes, "axes")
    steps = [1] * len(starts) if steps is None else integers(steps, "steps")
    key = [slice(None)] * np.ndim(x)
    for first, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        start, stop, _ = slice(first, end, step).indices(
            np.shape(x)[axis]
        )  # an end may be as large as an integer can be
        key[axis] = slice(start, None if stop < 0 else stop, step)
    return x[tuple(key)]


def _gather(x: Any, indices: Any, *, axis: int = 0) -> Any:
    wanted = np.asarray(integers(indices, "indices"), dtype=int).reshape(np.shape(indices))
    return np.take(x, wanted, axis=axis)


def _gather_elements(x: Any, indices: Any, *, axis: int = 0) -> Any:
    wanted = np.asarray(integers(indices, "indices")).reshape(np.shape(indices)) % np.shape(x)[axis]
    places = list(np.indices(wanted.shape))
    places[axis] = wanted
    return _at(x, np.ravel_multi_index(tuple(places), np.shape(x)))


def _gather_nd(x: Any, indices: Any, *, batch_dims: int = 0) -> Any:
    wanted = np.asarray(integers(indices, "indices")).reshape(np.shape(indices))
    numbers = np.arange(np.size(plain_value(x))).reshape(np.shape(x))
    if not batch_dims:
        return _at(x, numbers[tuple(np.moveaxis(wanted, -1, 0))])
    batch = np.shape(x)[:batch_dims]
    flat = numbers.reshape(-1, *np.shape(x)[batch_dims:])
    rows = wanted.reshape(-1, *wanted.shape[batch_dims:])
    found = np.stack([part[tuple(np.moveaxis(row, -1, 0))] for part, row in zip(flat, rows, strict=True)])
    return _at(x, found.reshape(*batch, *found.shape[1:]))


def _at(x: Any, numbers: Any) -> Any:
    """Return the entries of `x`, counted by rows, with these numbers."""
    return np.reshape(np.take(np.reshape(x, -1), numbers.ravel()), numbers.shape)


def _expand(x: Any, shape: Any) -> Any:
    wanted = np.broadcast_shapes(np.shape(x), tuple(integers(shape, "shape")))
    require_entries(math.prod(wanted), f"its result has the shape {wanted}")
    return np.broadcast_to(x, wanted)


def _tile(x: Any, repeats: Any) -> Any:
    times = integers(repeats, "repeats")
    require_entries(math.prod(times) * np.size(plain_value(x)), f"its result repeats {times} times")
    return np.tile(x, times)


def _pad(
    x: Any, pads: Any = None, value: Any = None, axes: Any = None, *, mode: bytes = b"constant", **old: Any
) -> Any:
    widths = integers(old.get("pads", pads), "pads")
    fill = old.get("value", 0.0 if value is None or np.size(plain_value(value)) == 0 else value)
    chosen = list(range(np.ndim(x))) if axes is None else integers(axes, "axes")
    around = [(0, 0)] * np.ndim(x)
    for k, axis in enumerate(chosen):
        around[axis] = (widths[k], widths[k + len(chosen)])
    grown = math.prod(n + max(p, 0) + max(q, 0) for n, (p, q) in zip(np.shape(x), around, strict=True))
    require_entries(grown, "its result")
    cut = tuple(slice(max(-p, 0), n - max(-q, 0)) for n, (p, q) in zip(np.shape(x), around, strict=True))
    x = x[cut] if any(p < 0 or q < 0 for p, q in around) else x
    around = [(max(p, 0), max(q, 0)) for p, q in around]
    if not any(map(any, around)):
        return x
    if mode != b"constant":
        return np.pad(x, around, mode=mode.decode())  # type: ignore[call-overload]  # a name that NumPy knows, or its error
    return np.pad(x, around, constant_values=float(plain_value(fill)))


def _constant_of_shape(shape: Any, *, value: Any = None) -> Any:
    wanted = integers(shape, "shape")
    require_entries(math.prod(wanted), f"its result has the shape {tuple(wanted)}")
    return np.full(wanted, 0.0 if value is None else value.ravel()[0])


def _range(start: Any, limit: Any, delta: Any) -> Any:
    if any(isinstance(x, TracedArray) for x in (start, limit, delta)):
        raise UnsupportedError("its length depends on values of the inputs")
    first, last, step = (np.asarray(x).ravel()[0] for x in (start, limit, delta))
    count = max(0, math.ceil((last - first) / step))
    require_entries(count, "its result")
    return first + step * np.arange(count)


def _shape(x: Any, *, start: int = 0, end: int | None = None) -> Any:
    return np.array(np.shape(x)[start:end], dtype=np.int64)


def _size(x: Any) -> Any:
    return np.array(math.prod(np.shape(x)), dtype=np.int64)


def _trilu(x: Any, k: Any = 0, *, upper: int = 1) -> Any:
    (diagonal,) = integers(k, "k")
    n, m = np.shape(x)[-2:]
    kept = np.tri(n, m, diagonal - 1) == 0 if upper else np.tri(n, m, diagonal) == 1
    return np.where(kept, x, 0.0) if isinstance(x, TracedArray) else np.where(kept, x, np.zeros_like(x))


def _eye_like(x: Any, *, k: int = 0, **_: Any) -> Any:
    rows, columns = np.shape(x)
    return np.eye(rows, columns, k=k)


def _one_hot(indices: Any, depth: Any, values: Any, *, axis: int = -1) -> Any:
    (count,) = integers(depth, "depth")
    wanted = np.asarray(integers(indices, "indices")).reshape(np.shape(indices))
    require_entries(count * wanted.size, "its result")
    hot = np.moveaxis(np.arange(count) == (wanted % count)[..., None], -1, axis)
    low, high = np.asarray(plain_value(values)).ravel()
    return np.where(hot, high, low)


def _depth_to_space(x: Any, *, blocksize: int, mode: bytes = b"DCR") -> Any:
    n, c, h, w = np.shape(x)
    b = blocksize
    if mode == b"DCR":
        y = np.transpose(np.reshape(x, (n, b, b, c // b**2, h, w)), (0, 3, 4, 1, 5, 2))
    else:
        y = np.transpose(np.reshape(x, (n, c // b**2, b, b, h, w)), (0, 1, 4, 2, 5, 3))
    return np.reshape(y, (n, c // b**2, h * b, w * b))


def _space_to_depth(x: Any, *, blocksize: int, mode: bytes = b"DCR") -> Any:
    n, c, h, w = np.shape(x)
    b = blocksize
    order = (0, 3, 5, 1, 2, 4) if mode == b"DCR" else (0, 1, 3, 5, 2, 4)
    y = np.transpose(np.reshape(x, (n, c, h // b, b, w // b, b)), order)
    return np.reshape(y, (n, c * b**2, h // b, w // b))


def _dropout(x: Any, ratio: Any = 0.5, training_mode: Any = False, **_: Any) -> Any:
    del ratio
    if np.any(plain_value(training_mode)):
        raise UnsupportedError("it is in training mode")
    return x, np.ones(np.shape(x), bool)


# --- losses -------------------------------------------------------------------------------------------------------------


def _negative_log_likelihood(
    x: Any, target: Any, weight: Any = None, *, ignore_index: int | None = None, reduction: bytes = b"mean"
) -> Any:
    labels = np.asarray(integers(target, "labels")).reshape(np.shape(target))
    ignored = labels == ignore_index if ignore_index is not None else np.zeros(labels.shape, bool)
    safe = np.where(ignored, 0, labels)
    places = list(np.indices(labels.shape))
    picked = _at(x, np.ravel_multi_index((places[0], safe, *places[1:]), np.shape(x)))
    factor = np.where(ignored, 0.0, 1.0)
    if weight is not None:
        factor = np.take(weight, safe.ravel()).reshape(safe.shape) * factor
    loss = -picked * factor
    if reduction == b"none":
        return loss
    return np.sum(loss) if reduction == b"sum" else np.sum(loss) / np.sum(factor)


def _softmax_cross_entropy(x: Any, labels: Any, weight: Any = None, **attributes: Any) -> Any:
    logarithms = _log_softmax(x, axis=1)
    return _negative_log_likelihood(logarithms, labels, weight, **attributes), logarithms


# --- the table ----------------------------------------------------------------------------------------------------------

OPERATORS: dict[str, Operator] = {
    **WINDOW_OPERATORS,
    **{name.capitalize(): _row(name) for name in ("relu", "sigmoid", "softplus", "softsign", "mish", "erf")},
    **{name.capitalize(): getattr(np, name) for name in (
        "sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "log", "sqrt", "abs", "floor", "sign", "reciprocal",
    )},
    **{name.capitalize(): getattr(np, f"arc{name[1:]}") for name in ("asin", "acos", "atan", "asinh", "acosh", "atanh")},
    "Neg": np.negative,
    "Identity": lambda x: x,
    "Ceil": np.ceil,
    "Round": np.rint,
    "Add": _old_broadcast(np.add),
    "Sub": _old_broadcast(np.subtract),
    "Mul": _old_broadcast(np.multiply),
    "Div": _old_broadcast(_divide),
    "Pow": _old_broadcast(np.power),
    "Mod": _mod,
    "Max": _extremum(np.maximum, -np.inf),
    "Min": _extremum(np.minimum, np.inf),
    "Sum": variadic(np.add),
    "Mean": lambda *x: variadic(np.add)(*x) / len(x),
    "Greater": np.greater,
    "GreaterOrEqual": np.greater_equal,
    "Less": np.less,
    "LessOrEqual": np.less_equal,
    "Equal": np.equal,
    "And": np.logical_and,
    "Or": np.logical_or,
    "Xor": np.logical_xor,
    "Not": np.logical_not,
    "Where": np.where,
    "Clip": _clip,
    "LeakyRelu": _leaky_relu,
    "PRelu": _prelu,
    "Elu": _elu,
    "Celu": _celu,
    "Selu": _selu,
    "ThresholdedRelu": _thresholded_relu,
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _hard_swish,
    "Swish": _swish,
    "Shrink": _shrink,
    "Gelu": _gelu,
    "Cast": _cast,
    "CastLike": _cast_like,
    "MatMul": np.matmul,
    "Gemm": _gemm,
    "Einsum": _einsum,
    "Det": np.linalg.det,
    "ReduceSum": _reduction(_plain_sum),
    "ReduceMean": _reduction(_folded(np.mean)),
    "ReduceMax": _reduction(_folded(np.max)),
    "ReduceMin": _reduction(_folded(np.min)),
    "ReduceProd": _reduction(_folded(np.prod)),
    "ReduceL1": _reduction(_norm_1),
    "ReduceL2": _reduction(_norm_2),
    "ReduceSumSquare": _reduction(_sum_of_squares),
    "ReduceLogSum": _reduction(_log_sum),
    "ReduceLogSumExp": _reduction(_log_sum_exp),
    "Softmax": _softmax,
    "LogSoftmax": _log_softmax,
    "LpNormalization": _lp_normalization,
    "CumSum": _cumsum,
    "BatchNormalization": _batch_normalization,
    "InstanceNormalization": _instance_normalization,
    "LayerNormalization": _layer_normalization,
    "RMSNormalization": _rms_normalization,
    "GroupNormalization": _group_normalization,
    "MeanVarianceNormalization": _mean_variance_normalization,
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Transpose": _transpose,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Concat": _concat,
    "Split": _split,
    "Slice": _slice,
    "Gather": _gather,
    "GatherElements": _gather_elements,
    "GatherND": _gather_nd,
    "Expand": _expand,
    "Tile": _tile,
    "Pad": _pad,
    "ConstantOfShape": _constant_of_shape,
    "Range": _range,
    "Shape": _shape,
    "Size": _size,
    "Trilu": _trilu,
    "EyeLike": _eye_like,
    "OneHot": _one_hot,
    "DepthToSpace": _depth_to_space,
    "SpaceToDepth": _space_to_depth,
    "Dropout": _dropout,
    "NegativeLogLikelihoodLoss": _negative_log_likelihood,
    "SoftmaxCrossEntropyLoss": _softmax_cross_entropy,
}  # fmt: skip

# As they were before an opset: the name, the opset that changed them.
BEFORE: dict[str, tuple[int, Operator]] = {
    "Softmax": (13, _flattened(_softmax)),
    "LogSoftmax": (13, _flattened(_log_softmax)),
    "PRelu": (7, _prelu_by_channel),
}
