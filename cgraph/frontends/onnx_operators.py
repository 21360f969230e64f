"""What the operators of ONNX compute, written with NumPy: on traced arrays it becomes a graph of equations.

Source: the operator schemas of ONNX, onnx.ai/onnx/operators. Conventions of older opsets stand beside the new ones: what is
an input now was an attribute then.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cgraph.model.errors import CGraphError
from cgraph.model.evaluation import steps_of
from cgraph.model.language.parsing import parse
from cgraph.model.limits import require_entries
from cgraph.model.tracing.traced_arrays import TracedArray, apply

__all__ = ["BEFORE", "OPERATORS", "UnsupportedError"]

Operator = Callable[..., Any]

LEAST = -1e300  # the padding of a largest entry


class UnsupportedError(CGraphError):
    """An operator, or a use of one, that has no form in the language of equations."""


def _row(name: str) -> Operator:
    """Return the function of the tables of that name, on traced and on plain arrays."""

    def operation(x: Any) -> Any:
        if isinstance(x, TracedArray):
            return apply(name, x)
        return steps_of(parse(f"{name}(x)"), {"x": np.asarray(x, float)}, name)[-1]

    return operation


def _integers(x: Any, what: str) -> list[int]:
    """Return whole numbers that the model holds, such as axes; traced ones would change with the inputs."""
    if isinstance(x, TracedArray):
        raise UnsupportedError(f"it takes its {what} from values of the inputs")
    return [int(k) for k in np.asarray(x).ravel()]


# --- entry by entry -----------------------------------------------------------------------------------------------------


def _variadic(function: Operator) -> Operator:
    def operator(*x: Any) -> Any:
        result = x[0]
        for operand in x[1:]:
            result = function(result, operand)
        return result

    return operator


def _extremum(function: Operator, never: float) -> Operator:
    """Return the largest or the smallest entry; `never` is what it is never, and where a model begins to compare."""

    def operator(*x: Any) -> Any:
        compared = [
            operand for operand in x if isinstance(operand, TracedArray) or np.any(np.asarray(operand) != never)
        ]
        result = _variadic(function)(*(compared or x))
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
    return _prelu(x, _channels(slope, x) if np.ndim(slope) == 1 and np.ndim(x) > 1 else slope)


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


def _det(x: Any) -> Any:
    return np.linalg.det(x)


# --- sums and their like ------------------------------------------------------------------------------------------------


def _reduction(function: Operator) -> Operator:
    def operator(x: Any, axes: Any = None, *, keepdims: int = 1, noop_with_empty_axes: int = 0, **old: Any) -> Any:
        axes = old.get("axes", axes)
        if axes is None or np.size(axes) == 0:
            if noop_with_empty_axes:
                return function(x, (), True) if function is not _plain_sum else x
            axes = range(np.ndim(x))
        axis = tuple(
            k % max(np.ndim(x), 1) for k in _integers(axes if not isinstance(axes, range) else list(axes), "axes")
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


def plain_value(x: Any) -> Any:
    """Return the value of a traced array: for what cancels, as the largest entry in a softmax does."""
    return x.value if isinstance(x, TracedArray) else np.asarray(x)


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
    (k,) = _integers(axis, "axis")
    y = np.flip(x, k) if reverse else x
    total = np.cumsum(y, axis=k)
    total = total - y if exclusive else total
    return np.flip(total, k) if reverse else total


# --- normalization ------------------------------------------------------------------------------------------------------


def _channels(a: Any, x: Any) -> Any:
    """Return a vector with an entry for each channel, axis 1, in a shape that meets `x`."""
    return np.reshape(a, (-1,) + (1,) * (np.ndim(x) - 2))


def _standardized(x: Any, axes: tuple[int, ...], epsilon: float) -> Any:
    centred = x - np.mean(x, axis=axes, keepdims=True)
    return centred / np.sqrt(np.mean(centred * centred, axis=axes, keepdims=True) + epsilon)


def _batch_normalization(
    x: Any, scale: Any, bias: Any, mean: Any, var: Any, *, epsilon: float = 1e-5, training_mode: int = 0, **_: Any
) -> Any:
    if training_mode:
        raise UnsupportedError("it is in training mode")
    factor = _channels(scale, x) / np.sqrt(_channels(var, x) + epsilon)
    return (x - _channels(mean, x)) * factor + _channels(bias, x)


def _instance_normalization(x: Any, scale: Any, bias: Any, *, epsilon: float = 1e-5) -> Any:
    return _standardized(x, tuple(range(2, np.ndim(x))), epsilon) * _channels(scale, x) + _channels(bias, x)


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
    return np.reshape(y, np.shape(x)) * _channels(scale, x) + _channels(bias, x)


def _mean_variance_normalization(x: Any, *, axes: Sequence[int] = (0, 2, 3)) -> Any:
    return _standardized(x, tuple(axes), 1e-18)


# --- windows ------------------------------------------------------------------------------------------------------------


def _pads(
    size: Sequence[int], kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int],
    pads: Sequence[int] | None, auto_pad: bytes,
) -> list[tuple[int, int]]:  # fmt: skip
    """Return how many entries are added in front and behind, for each axis of space."""
    d = len(size)
    if auto_pad in {b"NOTSET", b""}:
        pads = pads or [0] * 2 * d
        return list(zip(pads[:d], pads[d:], strict=True))
    if auto_pad == b"VALID":
        return [(0, 0)] * d
    found = []
    for n, k, s, r in zip(size, kernel, strides, dilations, strict=True):
        total = max(0, (-(-n // s) - 1) * s + (k - 1) * r + 1 - n)
        first = total // 2 if auto_pad == b"SAME_UPPER" else total - total // 2
        found.append((first, total - first))
    return found


def _windows(x: Any, kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]) -> list[Any]:
    """Return for each place of the kernel the entries of `x` below it, in an array with the places of the window."""
    counts = [
        (n - (k - 1) * r - 1) // s + 1 for n, k, s, r in zip(np.shape(x)[2:], kernel, strides, dilations, strict=True)
    ]
    if min(counts) < 1:
        raise UnsupportedError("the window is larger than what it moves over")
    parts = []
    for place in itertools.product(*map(range, kernel)):
        cut = tuple(
            slice(p * r, p * r + (c - 1) * s + 1, s)
            for p, r, s, c in zip(place, dilations, strides, counts, strict=True)
        )
        parts.append(x[(slice(None), slice(None), *cut)])
    return parts


def _padded(x: Any, pads: Sequence[tuple[int, int]], value: float = 0.0) -> Any:
    if not any(map(any, pads)):
        return x
    return np.pad(x, [(0, 0), (0, 0), *pads], constant_values=value)


def _conv(
    x: Any, w: Any, b: Any = None, *, auto_pad: bytes = b"NOTSET", dilations: Any = None, group: int = 1,
    kernel_shape: Any = None, pads: Any = None, strides: Any = None,
) -> Any:  # fmt: skip
    """Convolve: one product of the kernel, as a matrix, with the windows, as columns."""
    del kernel_shape
    kernel = np.shape(w)[2:]
    d = len(kernel)
    strides, dilations = strides or [1] * d, dilations or [1] * d
    x = _padded(x, _pads(np.shape(x)[2:], kernel, strides, dilations, pads, auto_pad))
    heads, channels = np.shape(w)[0] // group, np.shape(w)[1]
    parts = _windows(x, kernel, strides, dilations)
    space = np.shape(parts[0])[2:]
    n, places = np.shape(x)[0], math.prod(kernel)
    columns = np.stack([np.reshape(part, (n, group, channels, -1)) for part in parts], axis=3)
    columns = np.reshape(columns, (n, group, channels * places, -1))
    y = np.reshape(w, (group, heads, channels * places)) @ columns
    y = np.reshape(y, (n, group * heads, *space))
    return y if b is None else y + _channels(b, y)


def _conv_transpose(
    x: Any, w: Any, b: Any = None, *, auto_pad: bytes = b"NOTSET", dilations: Any = None, group: int = 1,
    kernel_shape: Any = None, output_padding: Any = None, output_shape: Any = None, pads: Any = None, strides: Any = None,
) -> Any:  # fmt: skip
    """Convolve the input, with zeros between its entries, with the kernel turned round."""
    del kernel_shape
    kernel = np.shape(w)[2:]
    d = len(kernel)
    strides, dilations = strides or [1] * d, dilations or [1] * d
    extra = output_padding or [0] * d
    size = np.shape(x)[2:]
    full = [
        s * (n - 1) + e + (k - 1) * r + 1 for n, s, e, k, r in zip(size, strides, extra, kernel, dilations, strict=True)
    ]
    if output_shape is None and auto_pad in {b"SAME_UPPER", b"SAME_LOWER"}:
        output_shape = [n * s for n, s in zip(size, strides, strict=True)]
    if output_shape is not None:
        totals = [f - o for f, o in zip(full, output_shape, strict=True)]
        halves = [t // 2 if auto_pad == b"SAME_UPPER" else t - t // 2 for t in totals]
        before, after = halves, [t - h for t, h in zip(totals, halves, strict=True)]
    else:
        pads = pads or [0] * 2 * d
        before, after = pads[:d], pads[d:]
    for axis, s in enumerate(strides):
        x = _with_gaps(x, axis + 2, s)
    reach = [(k - 1) * r for k, r in zip(kernel, dilations, strict=True)]
    borders = [(f - p, f - q + e) for f, p, q, e in zip(reach, before, after, extra, strict=True)]
    x = _padded(x, [(max(p, 0), max(q, 0)) for p, q in borders])
    cut = tuple(slice(max(-p, 0), n - max(-q, 0)) for (p, q), n in zip(borders, np.shape(x)[2:], strict=True))
    x = x[(slice(None), slice(None), *cut)]
    turned = np.flip(w, tuple(range(2, d + 2)))
    channels, heads = np.shape(w)[0] // group, np.shape(w)[1]
    turned = np.reshape(turned, (group, channels, heads, *kernel))
    turned = np.reshape(np.swapaxes(turned, 1, 2), (group * heads, channels, *kernel))
    return _conv(x, turned, b, dilations=dilations, group=group)


def _with_gaps(x: Any, axis: int, step: int) -> Any:
    """Return `x` with ``step - 1`` zeros between entries along an axis."""
    if step == 1:
        return x
    shape = np.shape(x)
    apart = np.expand_dims(x, axis + 1)
    zeros = np.zeros((*shape[: axis + 1], step - 1, *shape[axis + 1 :]))
    spread = np.reshape(
        np.concatenate([apart, zeros], axis=axis + 1), (*shape[:axis], shape[axis] * step, *shape[axis + 1 :])
    )
    return spread[(slice(None),) * axis + (slice(0, (shape[axis] - 1) * step + 1),)]


def _rounded_up(size: Sequence[int], kernel: Any, strides: Any, dilations: Any, pads: Any) -> list[tuple[int, int]]:
    """Return the pads of a pool whose last window may begin within the padding in front of the end (``ceil_mode``)."""
    found = []
    for n, k, s, r, (p, q) in zip(size, kernel, strides, dilations, pads, strict=True):
        reach = (k - 1) * r + 1
        count = -(-(n + p + q - reach) // s) + 1
        if (count - 1) * s >= n + p:
            count -= 1
        found.append((p, max(q, (count - 1) * s + reach - n - p)))
    return found


def _pool(
    x: Any, kernel: Sequence[int], auto_pad: bytes, ceil_mode: int, dilations: Any, pads: Any, strides: Any, fill: float
) -> tuple[list[Any], Any]:
    """Return the windows of a pool, and the padding."""
    d = len(kernel)
    strides, dilations = strides or [1] * d, dilations or [1] * d
    size = np.shape(x)[2:]
    around = _pads(size, kernel, strides, dilations, pads, auto_pad)
    wide = _rounded_up(size, kernel, strides, dilations, around) if ceil_mode else around
    return _windows(_padded(x, wide, fill), kernel, strides, dilations), (around, wide, strides, dilations)


def _max_pool(
    x: Any, *, kernel_shape: Any, auto_pad: bytes = b"NOTSET", ceil_mode: int = 0, dilations: Any = None, pads: Any = None,
    storage_order: int = 0, strides: Any = None,
) -> Any:  # fmt: skip
    del storage_order
    parts, _ = _pool(x, kernel_shape, auto_pad, ceil_mode, dilations, pads, strides, LEAST)
    largest = _variadic(np.maximum)(*parts)
    if np.any(plain_value(largest) == LEAST):
        raise UnsupportedError("a window holds nothing but padding")
    return largest


def _average_pool(
    x: Any, *, kernel_shape: Any, auto_pad: bytes = b"NOTSET", ceil_mode: int = 0, count_include_pad: int = 0,
    dilations: Any = None, pads: Any = None, strides: Any = None,
) -> Any:  # fmt: skip
    parts, (around, wide, strides, dilations) = _pool(
        x, kernel_shape, auto_pad, ceil_mode, dilations, pads, strides, 0.0
    )
    counted = np.ones((1, 1, *np.shape(x)[2:]))
    if count_include_pad:
        counted = _padded(counted, around, 1.0)
        wide = [(0, w[1] - a[1]) for a, w in zip(around, wide, strict=True)]
    counts = sum(_windows(_padded(counted, wide), kernel_shape, strides, dilations))
    return _variadic(np.add)(*parts) / counts


def _lp_pool(
    x: Any, *, kernel_shape: Any, auto_pad: bytes = b"NOTSET", ceil_mode: int = 0, dilations: Any = None, p: int = 2,
    pads: Any = None, strides: Any = None,
) -> Any:  # fmt: skip
    parts, _ = _pool(np.abs(x) ** p, kernel_shape, auto_pad, ceil_mode, dilations, pads, strides, 0.0)
    return _variadic(np.add)(*parts) ** (1 / p)


def _space(x: Any) -> tuple[int, ...]:
    return tuple(range(2, np.ndim(x)))


def _global_lp_pool(x: Any, *, p: int = 2) -> Any:
    return np.sum(np.abs(x) ** p, axis=_space(x), keepdims=True) ** (1 / p)


def _local_response(x: Any, *, size: int, alpha: float = 1e-4, beta: float = 0.75, bias: float = 1.0) -> Any:
    channels = np.shape(x)[1]
    squares = x * x
    sums = []
    for c in range(channels):
        first, last = max(0, c - (size - 1) // 2), min(channels - 1, c + math.ceil((size - 1) / 2))
        sums.append(np.sum(squares[:, first : last + 1], axis=1))
    return x / (bias + alpha / size * np.stack(sums, axis=1)) ** beta


# --- shapes -------------------------------------------------------------------------------------------------------------


def _reshape(x: Any, shape: Any, *, allowzero: int = 0) -> Any:
    wanted = _integers(shape, "shape")
    return np.reshape(x, [n if n or allowzero else np.shape(x)[k] for k, n in enumerate(wanted)])


def _flatten(x: Any, *, axis: int = 1) -> Any:
    rows = math.prod(np.shape(x)[: axis if axis >= 0 else axis + np.ndim(x)])
    return np.reshape(x, (rows, -1))


def _transpose(x: Any, *, perm: Sequence[int] | None = None) -> Any:
    return np.transpose(x, perm)


def _squeeze(x: Any, axes: Any = None, **old: Any) -> Any:
    axes = old.get("axes", axes)
    return np.squeeze(x, None if axes is None else tuple(_integers(axes, "axes")))


def _unsqueeze(x: Any, axes: Any = None, **old: Any) -> Any:
    return np.expand_dims(x, tuple(_integers(old.get("axes", axes), "axes")))


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
    return np.split(x, np.cumsum(_integers(sizes, "sizes"))[:-1].tolist(), axis=axis)


def _slice(x: Any, starts: Any = None, ends: Any = None, axes: Any = None, steps: Any = None, **old: Any) -> Any:
    starts, ends = _integers(old.get("starts", starts), "starts"), _integers(old.get("ends", ends), "ends")
    axes = old.get("axes", axes)
    axes = list(range(len(starts))) if axes is None else _integers(axes, "axes")
    steps = [1] * len(starts) if steps is None else _integers(steps, "steps")
    key = [slice(None)] * np.ndim(x)
    for first, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        start, stop, _ = slice(first, end, step).indices(
            np.shape(x)[axis]
        )  # an end may be as large as an integer can be
        key[axis] = slice(start, None if stop < 0 else stop, step)
    return x[tuple(key)]


def _gather(x: Any, indices: Any, *, axis: int = 0) -> Any:
    wanted = np.asarray(_integers(indices, "indices"), dtype=int).reshape(np.shape(indices))
    return np.take(x, wanted, axis=axis)


def _gather_elements(x: Any, indices: Any, *, axis: int = 0) -> Any:
    wanted = np.asarray(_integers(indices, "indices")).reshape(np.shape(indices)) % np.shape(x)[axis]
    places = list(np.indices(wanted.shape))
    places[axis] = wanted
    return _at(x, np.ravel_multi_index(tuple(places), np.shape(x)))


def _gather_nd(x: Any, indices: Any, *, batch_dims: int = 0) -> Any:
    wanted = np.asarray(_integers(indices, "indices")).reshape(np.shape(indices))
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
    wanted = np.broadcast_shapes(np.shape(x), tuple(_integers(shape, "shape")))
    require_entries(math.prod(wanted), f"its result has the shape {wanted}")
    return np.broadcast_to(x, wanted)


def _tile(x: Any, repeats: Any) -> Any:
    times = _integers(repeats, "repeats")
    require_entries(math.prod(times) * np.size(plain_value(x)), f"its result repeats {times} times")
    return np.tile(x, times)


def _pad(
    x: Any, pads: Any = None, value: Any = None, axes: Any = None, *, mode: bytes = b"constant", **old: Any
) -> Any:
    widths = _integers(old.get("pads", pads), "pads")
    fill = old.get("value", 0.0 if value is None or np.size(plain_value(value)) == 0 else value)
    chosen = list(range(np.ndim(x))) if axes is None else _integers(axes, "axes")
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
        return np.pad(x, around, mode=mode.decode())  # type: ignore[call-overload]
    return np.pad(x, around, constant_values=float(plain_value(fill)))


def _constant_of_shape(shape: Any, *, value: Any = None) -> Any:
    wanted = _integers(shape, "shape")
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
    (diagonal,) = _integers(k, "k")
    n, m = np.shape(x)[-2:]
    kept = np.tri(n, m, diagonal - 1) == 0 if upper else np.tri(n, m, diagonal) == 1
    return np.where(kept, x, 0.0) if isinstance(x, TracedArray) else np.where(kept, x, np.zeros_like(x))


def _eye_like(x: Any, *, k: int = 0, **_: Any) -> Any:
    rows, columns = np.shape(x)
    return np.eye(rows, columns, k=k)


def _one_hot(indices: Any, depth: Any, values: Any, *, axis: int = -1) -> Any:
    (count,) = _integers(depth, "depth")
    wanted = np.asarray(_integers(indices, "indices")).reshape(np.shape(indices))
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


def _where(condition: Any, a: Any, b: Any) -> Any:
    return np.where(condition, a, b)


# --- losses -------------------------------------------------------------------------------------------------------------


def _negative_log_likelihood(
    x: Any, target: Any, weight: Any = None, *, ignore_index: int | None = None, reduction: bytes = b"mean"
) -> Any:
    labels = np.asarray(_integers(target, "labels")).reshape(np.shape(target))
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
    "Sum": _variadic(np.add),
    "Mean": lambda *x: _variadic(np.add)(*x) / len(x),
    "Greater": np.greater,
    "GreaterOrEqual": np.greater_equal,
    "Less": np.less,
    "LessOrEqual": np.less_equal,
    "Equal": np.equal,
    "And": np.logical_and,
    "Or": np.logical_or,
    "Xor": np.logical_xor,
    "Not": np.logical_not,
    "Where": _where,
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
    "Det": _det,
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
    "LRN": _local_response,
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "MaxPool": _max_pool,
    "AveragePool": _average_pool,
    "LpPool": _lp_pool,
    "GlobalAveragePool": lambda x: np.mean(x, axis=_space(x), keepdims=True),
    "GlobalMaxPool": lambda x: np.max(x, axis=_space(x), keepdims=True),
    "GlobalLpPool": _global_lp_pool,
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
