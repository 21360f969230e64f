"""Convolutions and pools of ONNX, which move a window over the axes behind examples and channels, written with NumPy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from cgraph.frontends.onnx_values import (
    LEAST,
    Operator,
    UnsupportedError,
    channels_of,
    integers,
    plain_value,
    row_operator,
)
from cgraph.model.limits import require_entries

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


def _moved(
    strides: Any = 1, dilations: Any = 1, padding: Any = 0, groups: int = 1, output_padding: Any = 0
) -> dict[str, Any]:
    """Return the options of a row of the tables: one number where all axes have the same, none where it is the default."""
    given = {
        "stride": strides, "dilation": dilations, "padding": padding, "groups": groups, "output_padding": output_padding
    }  # fmt: skip
    options = {}
    for name, value in given.items():
        numbers = {value} if isinstance(value, int) else set(value)
        short = numbers.pop() if len(numbers) == 1 else tuple(value)
        if short != int(name in {"stride", "dilation", "groups"}):
            options[name] = short
    return options


def _even(pads: Sequence[tuple[int, int]]) -> list[int] | None:
    """Return the padding of each axis if it is the same in front and behind."""
    return [p for p, _ in pads] if all(p == q >= 0 for p, q in pads) else None


def _padded(x: Any, pads: Sequence[tuple[int, int]], value: float = 0.0) -> Any:
    if not any(map(any, pads)):
        return x
    return np.pad(x, [(0, 0), (0, 0), *pads], constant_values=value)


def _conv(
    x: Any, w: Any, b: Any = None, *, auto_pad: bytes = b"NOTSET", dilations: Any = None, group: int = 1,
    kernel_shape: Any = None, pads: Any = None, strides: Any = None,
) -> Any:  # fmt: skip
    del kernel_shape
    kernel = np.shape(w)[2:]
    d = len(kernel)
    strides, dilations = strides or [1] * d, dilations or [1] * d
    around = _pads(np.shape(x)[2:], kernel, strides, dilations, pads, auto_pad)
    padding = _even(around)
    if padding is None:
        x, padding = _padded(x, around), [0] * d
    y = row_operator("conv")(x, w, **_moved(strides, dilations, padding, group))
    return y if b is None else y + channels_of(b, y)


def _conv_transpose(
    x: Any, w: Any, b: Any = None, *, auto_pad: bytes = b"NOTSET", dilations: Any = None, group: int = 1,
    kernel_shape: Any = None, output_padding: Any = None, output_shape: Any = None, pads: Any = None, strides: Any = None,
) -> Any:  # fmt: skip
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
        around = [(h, t - h) for t, h in zip(totals, halves, strict=True)]
    else:
        pads = pads or [0] * 2 * d
        around = list(zip(pads[:d], pads[d:], strict=True))
    padding = _even(around)
    transposed = row_operator("conv_transpose")
    if padding is not None and all(e < s for e, s in zip(extra, strides, strict=True)):
        y = transposed(x, w, **_moved(strides, dilations, padding, group, extra))
    else:
        y = transposed(x, w, **_moved(strides, dilations, groups=group))
        y = _cut(y, [(p, q - e) for (p, q), e in zip(around, extra, strict=True)])
    return y if b is None else y + channels_of(b, y)


def _cut(x: Any, pads: Sequence[tuple[int, int]]) -> Any:
    """Return an array without what stands around it; where there is less than nothing, zeros are added."""
    x = _padded(x, [(max(-p, 0), max(-q, 0)) for p, q in pads])
    cut = tuple(slice(max(p, 0), n - max(q, 0)) for (p, q), n in zip(pads, np.shape(x)[2:], strict=True))
    return x[(slice(None), slice(None), *cut)]


def _col2im(
    x: Any, image_shape: Any, block_shape: Any, *, dilations: Any = None, pads: Any = None, strides: Any = None
) -> Any:
    """Add up the entries of windows where they lie on each other: each entry spreads a kernel with a single 1."""
    size, kernel = integers(image_shape, "shape"), integers(block_shape, "shape")
    d, places = len(size), math.prod(kernel)
    strides, dilations, pads = strides or [1] * d, dilations or [1] * d, pads or [0] * 2 * d
    around = list(zip(pads[:d], pads[d:], strict=True))
    wide = [n + p + q for n, (p, q) in zip(size, around, strict=True)]
    counts = [(n - (k - 1) * r - 1) // s + 1 for n, k, r, s in zip(wide, kernel, dilations, strides, strict=True)]
    parts = np.reshape(x, (np.shape(x)[0], -1, *counts))
    channels = np.shape(parts)[1] // places
    require_entries(channels * places**2, "its kernel")
    one = np.tile(np.reshape(np.eye(places), (places, 1, *kernel)), (channels, *(1,) * (d + 1)))
    y = row_operator("conv_transpose")(parts, one, **_moved(strides, dilations, groups=channels))
    rest = [n - m for n, m in zip(wide, np.shape(y)[2:], strict=True)]  # where no window reaches
    return _cut(y, [(p, q - r) for (p, q), r in zip(around, rest, strict=True)])


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


def _max_pool(
    x: Any, *, kernel_shape: Any, auto_pad: bytes = b"NOTSET", ceil_mode: int = 0, dilations: Any = None, pads: Any = None,
    storage_order: int = 0, strides: Any = None,
) -> Any:  # fmt: skip
    del storage_order
    _, wide, strides, dilations = _around(x, kernel_shape, auto_pad, ceil_mode, dilations, pads, strides)
    padding = _even(wide)
    if padding is None:
        x, padding = _padded(x, wide, LEAST), [0] * len(wide)
    largest = row_operator("max_pool")(x, size=tuple(kernel_shape), **_sides(strides, padding, dilations))
    if np.any(plain_value(largest) == LEAST):
        raise UnsupportedError("a window holds nothing but padding")
    return largest


def _around(
    x: Any, kernel: Sequence[int], auto_pad: bytes, ceil_mode: int, dilations: Any, pads: Any, strides: Any
) -> tuple[list[tuple[int, int]], list[tuple[int, int]], list[int], list[int]]:
    """Return the padding of a pool, with what its last windows reach beyond it, strides and dilations."""
    d = len(kernel)
    strides, dilations = strides or [1] * d, dilations or [1] * d
    size = np.shape(x)[2:]
    around = _pads(size, kernel, strides, dilations, pads, auto_pad)
    wide = _rounded_up(size, kernel, strides, dilations, around) if ceil_mode else around
    return around, wide, strides, dilations


def _sides(strides: Sequence[int], padding: Sequence[int], dilations: Sequence[int] = ()) -> dict[str, Any]:
    """Return the options of a pool; its stride always, which is the size of the window by default."""
    return _moved(1, dilations or 1, padding) | {"stride": tuple(strides)}


def _sums_below(x: Any, kernel: Sequence[int], strides: Any, dilations: Any, pads: Sequence[tuple[int, int]]) -> Any:
    """Return the sum of the entries below each window, padding being 0."""
    padding = _even(pads)
    if padding is None:
        x, padding = _padded(x, pads), [0] * len(pads)
    if all(r == 1 for r in dilations):
        return row_operator("avg_pool")(x, size=tuple(kernel), **_sides(strides, padding)) * math.prod(kernel)
    channels = np.shape(x)[1]
    ones = np.ones((channels, 1, *kernel))
    return row_operator("conv")(x, ones, **_moved(strides, dilations, padding, channels))


def _average_pool(
    x: Any, *, kernel_shape: Any, auto_pad: bytes = b"NOTSET", ceil_mode: int = 0, count_include_pad: int = 0,
    dilations: Any = None, pads: Any = None, strides: Any = None,
) -> Any:  # fmt: skip
    around, wide, strides, dilations = _around(x, kernel_shape, auto_pad, ceil_mode, dilations, pads, strides)
    counted = np.ones((1, 1, *np.shape(x)[2:]))
    beyond = wide
    if count_include_pad:
        counted = _padded(counted, around, 1.0)
        beyond = [(0, w[1] - a[1]) for a, w in zip(around, wide, strict=True)]
    counts = _sums_below(counted, kernel_shape, strides, dilations, beyond)
    sums = _sums_below(x, kernel_shape, strides, dilations, wide)
    return sums / (counts if np.any(counts != counts.flat[0]) else float(counts.flat[0]))


def _lp_pool(
    x: Any, *, kernel_shape: Any, auto_pad: bytes = b"NOTSET", ceil_mode: int = 0, dilations: Any = None, p: int = 2,
    pads: Any = None, strides: Any = None,
) -> Any:  # fmt: skip
    _, wide, strides, dilations = _around(x, kernel_shape, auto_pad, ceil_mode, dilations, pads, strides)
    return _sums_below(np.abs(x) ** p, kernel_shape, strides, dilations, wide) ** (1 / p)


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
