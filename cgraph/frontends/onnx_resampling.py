"""Operators of ONNX that read between the entries of an array: larger, smaller and bent pictures, written with NumPy.

Every axis has a matrix of weights, a row for each point that is read; the result is the product with all of them. Sizes
are constants, so that for a resized picture the matrices are, too. The points of a grid may depend on the inputs.

Source: the operator schemas of ONNX, onnx.ai/onnx/operators: Resize, Upsample, GridSample.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cgraph.frontends.onnx_values import Operator, UnsupportedError, integers
from cgraph.model.limits import require_entries
from cgraph.model.tracing.traced_arrays import TracedArray

__all__ = ["RESAMPLING_OPERATORS", "resize_10", "upsample_7"]

Kernel = Callable[[Any], Any]


# --- weights of a distance --------------------------------------------------------------------------------------------


def _hat(d: Any) -> Any:
    """Return the weight 1 - abs(d), or 0; between two entries of one slope the derivative at an entry is that slope."""
    return np.where((d >= 0) & (d < 1), 1 - d, np.where((d >= -1) & (d < 0), 1 + d, 0.0))


def _cubic(a: float) -> Kernel:
    """Return the kernel of R. G. Keys, Cubic convolution interpolation (1981), with the parameter `a`."""

    def kernel(d: Any) -> Any:
        d = np.abs(d)
        near = ((a + 2) * d - (a + 3)) * d * d + 1
        far = ((d - 5) * d + 8) * d * a - 4 * a
        return np.where(d <= 1, near, np.where(d < 2, far, 0.0))

    return kernel


# --- pictures of another size -----------------------------------------------------------------------------------------


def _points(mode: str, n: int, count: int, scale: float, roi: Sequence[float]) -> Any:
    """Return where the entries of an axis of `count` lie among the `n` of the array."""
    place = np.arange(count)
    length = scale * n
    match mode:
        case "half_pixel":
            return (place + 0.5) / scale - 0.5
        case "half_pixel_symmetric":
            return n / 2 * (1 - count / length) + (place + 0.5) / scale - 0.5
        case "pytorch_half_pixel":
            return (place + 0.5) / scale - 0.5 if length != 1 else np.full(count, -0.5)
        case "asymmetric":
            return place / scale
        case "align_corners":
            return place * (n - 1) / (length - 1) if length != 1 else np.zeros(count)
        case "tf_crop_and_resize":
            first, last = roi
            if length == 1:
                return np.full(count, (first + last) * (n - 1) / 2)
            return first * (n - 1) + place * (last - first) * (n - 1) / (length - 1)
    raise UnsupportedError(f"its coordinate_transformation_mode {mode!r} is not known")


def _nearest(points: Any, mode: bytes, n: int) -> Any:
    """Return the number of the entry that is read for each point."""
    whole = {
        b"round_prefer_floor": np.ceil(points - 0.5),
        b"round_prefer_ceil": np.floor(points + 0.5),
        b"floor": np.floor(points),
        b"ceil": np.ceil(points),
    }[mode]
    return np.clip(whole, 0, n - 1).astype(int)


def _weights(points: Any, kernel: Kernel, reach: float, n: int, scale: float, *, exclude_outside: bool) -> Any:
    """Return the matrix of weights, a row for each point; what is read outside is the entry at the edge, or nothing.

    A `scale` below 1 widens the kernel, so that no entry is passed over.
    """
    wide = math.ceil(reach / scale) + 1
    places = np.arange(-wide, n + wide)
    weights = kernel((points[:, None] - places) * scale)
    if exclude_outside:
        weights[:, (places < 0) | (places >= n)] = 0.0
    weights = weights / weights.sum(axis=1, keepdims=True)
    return weights @ np.eye(n)[np.clip(places, 0, n - 1)]


def _along(x: Any, axis: int, weights: Any) -> Any:
    return np.moveaxis(np.moveaxis(x, axis, -1) @ weights.T, -1, axis)


def _resize(
    x: Any, roi: Any = None, scales: Any = None, sizes: Any = None, *, antialias: int = 0, axes: Any = None,
    coordinate_transformation_mode: bytes = b"half_pixel", cubic_coeff_a: float = -0.75, exclude_outside: int = 0,
    extrapolation_value: float = 0.0, keep_aspect_ratio_policy: bytes = b"stretch", mode: bytes = b"nearest",
    nearest_mode: bytes = b"round_prefer_floor",
) -> Any:  # fmt: skip
    chosen = [k % np.ndim(x) for k in (range(np.ndim(x)) if axes is None else axes)]
    factors, counts = _sizes([np.shape(x)[k] for k in chosen], scales, sizes, keep_aspect_ratio_policy)
    where_from = coordinate_transformation_mode.decode()
    ends = np.array([[0.0] * len(chosen), [1.0] * len(chosen)])
    if where_from == "tf_crop_and_resize":
        ends = np.reshape(_constant(roi, "region"), (2, -1))
    kernel, reach = (_cubic(cubic_coeff_a), 2.0) if mode == b"cubic" else (_hat, 1.0)
    for axis, scale, count, (first, last) in zip(chosen, factors, counts, ends.T, strict=True):
        n = np.shape(x)[axis]
        if count == n and scale == 1 and (first, last) == (0, 1):
            continue
        require_entries(math.prod(np.shape(x)) // n * count, "its result")
        points = _points(where_from, n, count, scale, (first, last))
        if mode == b"nearest":
            x = np.take(x, _nearest(points, nearest_mode, n), axis=axis)
        else:
            narrow = min(scale, 1.0) if antialias else 1.0
            x = _along(x, axis, _weights(points, kernel, reach, n, narrow, exclude_outside=bool(exclude_outside)))
        is_outside = (points < 0) | (points > n - 1)
        if where_from == "tf_crop_and_resize" and is_outside.any():
            is_outside = np.reshape(is_outside, [-1 if k == axis else 1 for k in range(np.ndim(x))])
            x = np.where(np.broadcast_to(is_outside, np.shape(x)), extrapolation_value, x)
    return x


def _constant(x: Any, what: str) -> Any:
    if x is None or isinstance(x, TracedArray):
        raise UnsupportedError(f"it takes its {what} from values of the inputs")
    return np.asarray(x)


def _sizes(lengths: Sequence[int], scales: Any, sizes: Any, policy: bytes) -> tuple[list[float], list[int]]:
    """Return by how much the axes grow, and their new lengths."""
    if sizes is None or np.size(sizes) == 0:
        factors = [float(s) for s in _constant(scales, "scales").ravel()]
        return factors, [math.floor(n * s) for n, s in zip(lengths, factors, strict=True)]
    counts = integers(sizes, "sizes")
    factors = [count / n for count, n in zip(counts, lengths, strict=True)]
    if policy != b"stretch":
        factor = (min if policy == b"not_larger" else max)(factors)
        return [factor] * len(counts), [math.floor(factor * n + 0.5) for n in lengths]
    return factors, counts


def resize_10(x: Any, scales: Any, *, mode: bytes = b"nearest") -> Any:
    """Return the operator Resize of opset 10, and Upsample of opset 9."""
    return _resize(x, None, scales, mode=mode, coordinate_transformation_mode=b"asymmetric", nearest_mode=b"floor")


def upsample_7(x: Any, *, scales: Sequence[float], mode: bytes = b"nearest") -> Any:
    """Return the operator Upsample before opset 9."""
    return resize_10(x, np.array(scales), mode=mode)


# --- pictures read at the points of a grid ----------------------------------------------------------------------------


def _reflected(x: Any, low: float, high: float) -> Any:
    """Return points thrown back at both ends until they lie between them."""
    if low == high:
        return np.clip(x, low, high)
    turn = np.mod(x - low, 2 * (high - low))
    return low + np.minimum(turn, 2 * (high - low) - turn)


def _grid_sample(
    x: Any, grid: Any, *, align_corners: int = 0, mode: bytes = b"linear", padding_mode: bytes = b"zeros"
) -> Any:
    lengths = np.shape(x)[2:]
    points = np.shape(grid)[1:-1]
    require_entries(math.prod(np.shape(x)) // lengths[-1] * math.prod(points), "what it reads")
    batch, channels = np.shape(x)[:2]
    y = x
    for k, n in reversed(list(enumerate(lengths))):
        place = np.reshape(grid[..., len(lengths) - 1 - k], (batch, -1))  # the last axis comes first
        weights = _grid_weights(place, n, align_corners, mode, padding_mode)  # examples x points x n
        if n == lengths[-1] and k == len(lengths) - 1:
            rows = np.reshape(y, (batch, -1, n)) @ np.swapaxes(weights, 1, 2)
            y = np.reshape(rows, (batch, channels, *lengths[:-1], -1))
        else:
            weights = np.reshape(np.swapaxes(weights, 1, 2), (batch, *(1,) * (k + 1), n, -1))
            y = np.sum(y * weights, axis=-2)
    return np.reshape(y, (batch, channels, *points))


def _grid_weights(place: Any, n: int, align_corners: int, mode: bytes, padding_mode: bytes) -> Any:
    """Return the weights of the entries of one axis for points between -1 and 1."""
    x = (place + 1) / 2 * (n - 1) if align_corners else ((place + 1) * n - 1) / 2
    low, high = (0.0, n - 1.0) if align_corners else (-0.5, n - 0.5)
    x = np.rint(x) if mode == b"nearest" else x
    places = np.arange(-2, n + 2)
    entry = np.eye(n)[np.clip(places, 0, n - 1)]
    match padding_mode:
        case b"zeros":
            entry[(places < 0) | (places >= n)] = 0.0
        case b"border":
            x = np.clip(x, 0, n - 1)
        case b"reflection":
            x = _reflected(x, low, high)
            entry = np.eye(n)[_reflected(places, low, high).astype(int)]
    distance = np.expand_dims(x, -1) - places
    match mode:
        case b"nearest":
            weights = np.where(np.abs(distance) < 0.5, 1.0, 0.0)
        case b"cubic" | b"bicubic":
            weights = _cubic(-0.75)(distance)
        case _:
            weights = _hat(distance)
    return weights @ entry


RESAMPLING_OPERATORS: dict[str, Operator] = {
    "Resize": _resize,
    "Upsample": resize_10,
    "GridSample": _grid_sample,
}
