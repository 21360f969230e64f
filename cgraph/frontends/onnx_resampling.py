"""Operators of ONNX that read between the entries of an array: larger, smaller and bent pictures, written with NumPy.

Every axis has a matrix of weights, a row for each point that is read; the result is the product with all of them. Sizes
are constants, so that for a resized picture the matrices are, too. The points of a grid may depend on the inputs.

Source: the operator schemas of ONNX, onnx.ai/onnx/operators: Resize, Upsample, GridSample, DeformConv, RoiAlign.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cgraph.frontends.onnx_values import Operator, UnsupportedError, channels_of, integers
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
    require_entries(len(points) * (n + 2 * wide), "its matrix")
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
        if scale <= 0 or count < 1:
            raise UnsupportedError(f"the scale {scale:g} leaves nothing of {n} entries")
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
    lengths, points = np.shape(x)[2:], np.shape(grid)[1:-1]
    places = [np.reshape(grid[..., k], (np.shape(x)[0], -1)) for k in reversed(range(len(lengths)))]  # last axis first
    weights = [
        _grid_weights(place, n, align_corners, mode, padding_mode) for place, n in zip(places, lengths, strict=True)
    ]
    return np.reshape(_read(x, weights), (*np.shape(x)[:2], *points))


def _read(x: Any, weights: Sequence[Any]) -> Any:
    """Return what is read at the points of every example: examples x channels x points.

    `weights` are, for every axis of space, examples x points x length.
    """
    batch, channels, *lengths = np.shape(x)
    points = np.shape(weights[0])[1]
    require_entries(math.prod(np.shape(x)) // lengths[-1] * points, "what it reads")
    rows = np.reshape(x, (batch, -1, lengths[-1])) @ np.swapaxes(weights[-1], 1, 2)
    y = np.reshape(rows, (batch, channels, *lengths[:-1], points))
    for k in reversed(range(len(lengths) - 1)):
        along = np.reshape(np.swapaxes(weights[k], 1, 2), (batch, *(1,) * (k + 1), lengths[k], points))
        y = np.sum(y * along, axis=-2)
    return y


def _grid_weights(place: Any, n: int, align_corners: int, mode: bytes, padding_mode: bytes) -> Any:
    """Return the weights of the entries of one axis for points between -1 and 1."""
    x = (place + 1) / 2 * (n - 1) if align_corners else ((place + 1) * n - 1) / 2
    low, high = (0.0, n - 1.0) if align_corners else (-0.5, n - 0.5)
    x = np.rint(x) if mode == b"nearest" else x
    require_entries(math.prod(np.shape(place)) * (n + 4), "its matrix")
    places = np.arange(-2, n + 2)
    entry = np.eye(n)[np.clip(places, 0, n - 1)]
    match padding_mode:
        case b"zeros":
            entry[(places < 0) | (places >= n)] = 0.0
        case b"border":
            x = np.where((x < low) | (x > high), np.clip(x, 0, n - 1), x)  # within the outer pixels it stays
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


# --- windows that are bent, and parts of pictures ---------------------------------------------------------------------


def _deform_conv(
    x: Any, w: Any, offset: Any, b: Any = None, mask: Any = None, *, dilations: Any = None, group: int = 1,
    kernel_shape: Any = None, offset_group: int = 1, pads: Any = None, strides: Any = None,
) -> Any:  # fmt: skip
    """Convolve with a window each place of which is moved, between the entries, by what `offset` says.

    Source: J. Dai et al., Deformable convolutional networks (2017).
    """
    del kernel_shape
    kernel = np.shape(w)[2:]
    d = len(kernel)
    strides, dilations, pads = strides or [1] * d, dilations or [1] * d, pads or [0] * 2 * d
    batch, channels, *lengths = np.shape(x)
    out = np.shape(offset)[2:]
    moved = np.reshape(offset, (batch * offset_group, *kernel, d, *out))
    weights = []
    for k, n in enumerate(lengths):
        window = np.reshape(np.arange(kernel[k]) * dilations[k], [-1 if i == k else 1 for i in range(2 * d)])
        first = np.reshape(np.arange(out[k]) * strides[k] - pads[k], [-1 if i == d + k else 1 for i in range(2 * d)])
        place = np.reshape(moved[(slice(None),) * (d + 1) + (k,)] + (window + first), (batch * offset_group, -1))
        weights.append(_hat(np.expand_dims(place, -1) - np.arange(n)))
    read = _read(np.reshape(x, (batch * offset_group, channels // offset_group, *lengths)), weights)
    read = np.reshape(read, (batch, offset_group, channels // offset_group, math.prod(kernel), -1))
    if mask is not None:
        read = read * np.reshape(mask, (batch, offset_group, 1, math.prod(kernel), -1))
    columns = np.reshape(read, (batch, group, channels // group * math.prod(kernel), -1))
    heads = np.shape(w)[0]
    y = np.reshape(np.reshape(w, (group, heads // group, -1)) @ columns, (batch, heads, *out))
    return y if b is None else y + channels_of(b, y)


def _roi_align(
    x: Any, rois: Any, batch_indices: Any, *, coordinate_transformation_mode: bytes = b"half_pixel", mode: bytes = b"avg",
    output_height: int = 1, output_width: int = 1, sampling_ratio: int = 0, spatial_scale: float = 1.0,
) -> Any:  # fmt: skip
    """Return the mean over points in each part of a region, as a product from the left and from the right."""
    if mode != b"avg" or sampling_ratio < 1:
        raise UnsupportedError("it has a form for mode='avg' and a given sampling_ratio")
    of_pixels = coordinate_transformation_mode == b"half_pixel"
    ends = rois * spatial_scale - (0.5 if of_pixels else 0.0)
    sides = []
    for first, last, count, n in (
        (ends[:, 1], ends[:, 3], output_height, np.shape(x)[2]), (ends[:, 0], ends[:, 2], output_width, np.shape(x)[3])
    ):  # fmt: skip
        length = last - first
        length = length if of_pixels else np.maximum(length, 1.0)
        part = (np.arange(count * sampling_ratio) + 0.5) / (count * sampling_ratio)
        place = np.expand_dims(first, -1) + np.expand_dims(length, -1) * part
        inside = (place >= -1) & (place <= n)
        weights = _hat(np.expand_dims(np.clip(place, 0, n - 1), -1) - np.arange(n))
        weights = np.where(np.expand_dims(inside, -1), weights, 0.0)
        sides.append(np.mean(np.reshape(weights, (np.shape(rois)[0], count, sampling_ratio, n)), axis=2))
    height, width = (np.expand_dims(side, 1) for side in sides)  # regions x 1 x count x length
    pictures = np.take(x, np.array(integers(batch_indices, "indices")), axis=0)
    return height @ pictures @ np.swapaxes(width, -1, -2)


RESAMPLING_OPERATORS: dict[str, Operator] = {
    "Resize": _resize,
    "Upsample": resize_10,
    "GridSample": _grid_sample,
    "DeformConv": _deform_conv,
    "RoiAlign": _roi_align,
}
