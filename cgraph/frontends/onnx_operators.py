"""What the operators of ONNX compute, written with NumPy: on traced arrays it becomes a graph of equations.

Source: the operator schemas of ONNX, onnx.ai/onnx/operators. Conventions of older opsets stand beside the new ones: what is
an input now was an attribute then.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from cgraph.frontends.onnx_activations import ACTIVATIONS, prelu_by_channel
from cgraph.frontends.onnx_recurrent import RECURRENT_OPERATORS
from cgraph.frontends.onnx_resampling import RESAMPLING_OPERATORS, resize_10, upsample_7
from cgraph.frontends.onnx_scatters import SCATTER_OPERATORS
from cgraph.frontends.onnx_sequences import SEQUENCE_OPERATORS
from cgraph.frontends.onnx_shapes import SHAPE_OPERATORS
from cgraph.frontends.onnx_spectra import SPECTRUM_OPERATORS, dft_17
from cgraph.frontends.onnx_values import (
    Operator,
    UnsupportedError,
    channels_of,
    integers,
    is_masked,
    masked,
    plain_value,
    row_operator,
    variadic,
)
from cgraph.frontends.onnx_windows import WINDOW_OPERATORS
from cgraph.model.tracing.traced_arrays import TracedArray, apply

__all__ = ["BEFORE", "OPERATORS", "SHAPING"]

NEVER = 1e300  # what stands for a number that is none


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


def _with_masks(function: Operator) -> Operator:
    """Return an operator to whose plain operands minus infinity may belong, as masks of attention have it."""

    def operator(*x: Any, **attributes: Any) -> Any:
        is_traced = any(isinstance(operand, TracedArray) for operand in x)
        return function(*(map(masked, x) if is_traced else x), **attributes)

    return operator


def _equal(a: Any, b: Any) -> Any:
    """Compare; a computed number is minus infinity only where a mask is."""
    for x, other in ((a, b), (b, a)):
        if isinstance(x, TracedArray) and not isinstance(other, TracedArray) and np.all(np.isneginf(other)):
            shape = np.broadcast_shapes(np.shape(a), np.shape(b))
            return np.broadcast_to(is_masked(x), shape) if np.shape(x) != shape else is_masked(x)
    return np.equal(a, b)


def _is_nan(x: Any) -> Any:
    if not isinstance(x, TracedArray):
        return np.isnan(x)
    return np.greater(x, NEVER / 2) if np.any(x.value > NEVER / 2) else np.zeros(x.shape, bool)


def _is_inf(x: Any, *, detect_negative: int = 1, detect_positive: int = 1) -> Any:
    if not isinstance(x, TracedArray):
        return (np.isneginf(x) & bool(detect_negative)) | (np.isposinf(x) & bool(detect_positive))
    return is_masked(x) if detect_negative and np.any(is_masked(x.value)) else np.zeros(x.shape, bool)


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


def _dequantize(
    x: Any, scale: Any, zero: Any = None, *, axis: int = 1, block_size: int = 0, output_dtype: int = 0
) -> Any:  # fmt: skip
    """Return the numbers that whole numbers stand for: one scale for all, for each index of an axis, or for each block."""
    del output_dtype

    def widened(a: Any) -> Any:
        if block_size:
            return np.repeat(a, block_size, axis=axis)
        return a if np.ndim(a) == 0 else np.reshape(a, [-1 if k == axis % np.ndim(x) else 1 for k in range(np.ndim(x))])

    whole = np.asarray(x).astype(float)
    return (whole if zero is None else whole - widened(np.asarray(zero).astype(float))) * widened(scale)


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
    if not isinstance(x, TracedArray):
        return np.exp(_log_softmax(x, axis=axis))
    y = apply("softmax", x, axis=axis)
    is_nothing_left = is_masked(np.max(x.value, axis=axis, keepdims=True))
    if not is_nothing_left.any():
        return y
    return np.where(np.broadcast_to(is_nothing_left, x.shape), NEVER, y)  # 0 / 0, which is not to be used


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


def _cumulative(function: Operator) -> Operator:
    """Return a sum or product of the entries up to each; without its own if it is `exclusive`."""
    first = float(function is np.cumprod)

    def operator(x: Any, axis: Any, *, exclusive: int = 0, reverse: int = 0) -> Any:
        (k,) = integers(axis, "axis")
        line = np.moveaxis(x, k, 0)
        line = np.flip(line, 0) if reverse else line
        if exclusive:
            line = np.concatenate([np.full((1, *np.shape(line)[1:]), first), line[:-1]])
        total = function(line, axis=0)
        return np.moveaxis(np.flip(total, 0) if reverse else total, 0, k)

    return operator


# --- normalization ------------------------------------------------------------------------------------------------------


def _standardized(x: Any, axes: tuple[int, ...], epsilon: float, *, is_centred: bool = True) -> Any:
    return row_operator("layer_norm" if is_centred else "rms_norm")(x, epsilon, axis=axes if len(axes) > 1 else axes[0])


def _batch_normalization(
    x: Any, scale: Any, bias: Any, mean: Any, var: Any, *, epsilon: float = 1e-5, momentum: float = 0.9,
    outputs: int = 1, training_mode: int = 0,
) -> Any:  # fmt: skip
    """Return the normalized array; in training the mean and variance from then on, too."""
    if training_mode:
        axes = (0, *range(2, np.ndim(x)))
        now, spread = np.mean(x, axis=axes), np.var(x, axis=axes)
        then = [momentum * old + (1 - momentum) * new for old, new in ((mean, now), (var, spread))]
        normalized = row_operator("batch_norm")(x, epsilon)
        return [normalized * channels_of(scale, x) + channels_of(bias, x), *then]
    if outputs > 1:
        raise UnsupportedError("it has more outputs than one")
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
    return _standardized(x, axes, epsilon, is_centred=False) * scale


def _group_normalization(x: Any, scale: Any, bias: Any, *, num_groups: int, epsilon: float = 1e-5, **_: Any) -> Any:
    y = row_operator("group_norm")(x, epsilon, groups=num_groups)
    if np.size(plain_value(scale)) == num_groups != np.shape(x)[1]:  # before opset 21: one for each group
        each = np.shape(x)[1] // num_groups
        scale, bias = np.repeat(scale, each), np.repeat(bias, each)
    return y * channels_of(scale, x) + channels_of(bias, x)


def _mean_variance_normalization(x: Any, *, axes: Sequence[int] = (0, 2, 3)) -> Any:
    return _standardized(x, tuple(axes), 1e-18)


def _dropout(x: Any, ratio: Any = 0.5, training_mode: Any = False, **_: Any) -> Any:
    if np.any(plain_value(training_mode)) and (ratio is None or np.any(plain_value(ratio))):
        raise UnsupportedError("it is in training mode")
    return x, np.ones(np.shape(x), bool)


# --- losses -------------------------------------------------------------------------------------------------------------


def _negative_log_likelihood(
    x: Any, target: Any, weight: Any = None, *, ignore_index: int | None = None, reduction: bytes = b"mean"
) -> Any:
    labels = np.asarray(integers(target, "labels")).reshape(np.shape(target))
    is_class = np.moveaxis(np.arange(np.shape(x)[1]) == labels[..., None], -1, 1)
    if ignore_index is not None:
        is_class = is_class & np.expand_dims(labels != ignore_index, 1)
    chosen = np.where(is_class, 1.0, 0.0)
    chosen = chosen if weight is None else chosen * channels_of(weight, x)
    loss = -np.sum(x * chosen, axis=1)
    if reduction == b"none":
        return loss
    return np.sum(loss) if reduction == b"sum" else np.sum(loss) / np.sum(chosen)


def _softmax_cross_entropy(x: Any, labels: Any, weight: Any = None, **attributes: Any) -> Any:
    logarithms = _log_softmax(x, axis=1)
    return _negative_log_likelihood(logarithms, labels, weight, **attributes), logarithms


# --- the table ----------------------------------------------------------------------------------------------------------

OPERATORS: dict[str, Operator] = {
    **ACTIVATIONS,
    **SHAPE_OPERATORS,
    **WINDOW_OPERATORS,
    **RECURRENT_OPERATORS,
    **RESAMPLING_OPERATORS,
    **SCATTER_OPERATORS,
    **SPECTRUM_OPERATORS,
    **SEQUENCE_OPERATORS,
    **{name.capitalize(): getattr(np, name) for name in (
        "sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "log", "sqrt", "abs", "floor", "sign", "reciprocal",
    )},
    **{name.capitalize(): getattr(np, f"arc{name[1:]}") for name in ("asin", "acos", "atan", "asinh", "acosh", "atanh")},
    "Neg": np.negative,
    "Identity": lambda x: x,
    "Ceil": np.ceil,
    "Round": np.rint,
    "Add": _with_masks(_old_broadcast(np.add)),
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
    "IsNaN": _is_nan,
    "IsInf": _is_inf,
    "Less": np.less,
    "LessOrEqual": np.less_equal,
    "Equal": _equal,
    "And": np.logical_and,
    "Or": np.logical_or,
    "Xor": np.logical_xor,
    "Not": np.logical_not,
    "Where": _with_masks(np.where),
    "Clip": _with_masks(_clip),
    "Cast": _cast,
    "CastLike": _cast_like,
    "MatMul": np.matmul,
    "Gemm": _gemm,
    "DequantizeLinear": _dequantize,
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
    "CumSum": _cumulative(np.cumsum),
    "CumProd": _cumulative(np.cumprod),
    "BatchNormalization": _batch_normalization,
    "InstanceNormalization": _instance_normalization,
    "LayerNormalization": _layer_normalization,
    "RMSNormalization": _rms_normalization,
    "GroupNormalization": _group_normalization,
    "MeanVarianceNormalization": _mean_variance_normalization,
    "Dropout": _dropout,
    "NegativeLogLikelihoodLoss": _negative_log_likelihood,
    "SoftmaxCrossEntropyLoss": _softmax_cross_entropy,
}  # fmt: skip

# As they were before an opset: the name, the opset that changed them.
BEFORE: dict[str, tuple[int, Operator]] = {
    "Softmax": (13, _flattened(_softmax)),
    "LogSoftmax": (13, _flattened(_log_softmax)),
    "PRelu": (7, prelu_by_channel),
    "Resize": (11, resize_10),
    "Upsample": (9, upsample_7),
    "DFT": (20, dft_17),
}

# Operands that shapes follow from, and that are no nodes where nothing else reads them: their numbers in the list.
SHAPING: dict[str, set[int]] = {
    "Resize": {1, 2},
    "Upsample": {1},
    "OneHot": {0, 1},
    "Dropout": {1},
}
