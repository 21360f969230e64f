"""Convolutions and pools of ONNX, which move a window over the axes behind examples and channels, written with NumPy."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from cgraph.frontends.onnx_values import LEAST, Operator, UnsupportedError, channels_of, integers, plain_value, variadic

__all__ = ["WINDOW_OPERATORS"]


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
    return y if b is None else y + channels_of(b, y)


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


def _col2im(
    x: Any, image_shape: Any, block_shape: Any, *, dilations: Any = None, pads: Any = None, strides: Any = None
) -> Any:  # fmt: skip
    """Add up the entries of windows where they lie on each other."""
    size, kernel = integers(image_shape, "shape"), integers(block_shape, "shape")
    d = len(size)
    strides, dilations, pads = strides or [1] * d, dilations or [1] * d, pads or [0] * 2 * d
    wide = [n + p + q for n, p, q in zip(size, pads[:d], pads[d:], strict=True)]
    counts = [(n - (k - 1) * r - 1) // s + 1 for n, k, r, s in zip(wide, kernel, dilations, strides, strict=True)]
    parts = np.reshape(x, (np.shape(x)[0], -1, math.prod(kernel), *counts))
    total: Any = 0.0
    for number, place in enumerate(itertools.product(*map(range, kernel))):
        part = parts[:, :, number]
        for axis, s in enumerate(strides):
            part = _with_gaps(part, axis + 2, s)
        before = [p * r for p, r in zip(place, dilations, strict=True)]
        after = [n - b - m for n, b, m in zip(wide, before, np.shape(part)[2:], strict=True)]
        total = total + _padded(part, list(zip(before, after, strict=True)))
    return total[(slice(None), slice(None), *(slice(p, p + n) for p, n in zip(pads, size, strict=False)))]


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
    largest = variadic(np.maximum)(*parts)
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
    return variadic(np.add)(*parts) / counts


def _lp_pool(
    x: Any, *, kernel_shape: Any, auto_pad: bytes = b"NOTSET", ceil_mode: int = 0, dilations: Any = None, p: int = 2,
    pads: Any = None, strides: Any = None,
) -> Any:  # fmt: skip
    parts, _ = _pool(np.abs(x) ** p, kernel_shape, auto_pad, ceil_mode, dilations, pads, strides, 0.0)
    return variadic(np.add)(*parts) ** (1 / p)


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


WINDOW_OPERATORS: dict[str, Operator] = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "MaxPool": _max_pool,
    "AveragePool": _average_pool,
    "LpPool": _lp_pool,
    "GlobalAveragePool": lambda x: np.mean(x, axis=_space(x), keepdims=True),
    "GlobalMaxPool": lambda x: np.max(x, axis=_space(x), keepdims=True),
    "GlobalLpPool": _global_lp_pool,
    "Col2Im": _col2im,
    "LRN": _local_response,
}
