"""Operators of ONNX that put entries where whole numbers say, and that choose by size or length, written with NumPy.

Source: the operator schemas of ONNX, onnx.ai/onnx/operators.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from cgraph.frontends.onnx_values import Operator, UnsupportedError, integers
from cgraph.model.limits import require_entries

__all__ = ["SCATTER_OPERATORS"]

_REDUCTIONS = {b"add": np.add, b"mul": np.multiply, b"min": np.minimum, b"max": np.maximum}


def _scattered(x: Any, places: Any, updates: Any, reduction: bytes = b"none") -> Any:
    """Return `x` with updates at `places`, counted by rows; of several at one place the last holds, or all together."""
    flat, new = np.reshape(x, -1), np.reshape(updates, -1)
    places = np.ravel(places)
    if reduction == b"none":
        source = np.arange(flat.size)
        source[places] = flat.size + np.arange(places.size)
        return np.reshape(np.take(np.concatenate([flat, new]), source), np.shape(x))
    combine = _REDUCTIONS[reduction]
    for turn in _turns(places):
        source = np.arange(flat.size)
        source[places[turn]] = flat.size + turn
        others = {b"add": np.zeros(flat.size), b"mul": np.ones(flat.size)}.get(reduction, flat)
        flat = combine(flat, np.take(np.concatenate([others, new]), source))
    return np.reshape(flat, np.shape(x))


def _turns(places: Any) -> list[Any]:
    """Return the numbers of the updates in groups, in each of which no place comes twice."""
    order = np.argsort(places, kind="stable")
    alike = np.sort(places)
    first = np.searchsorted(alike, alike, side="left")
    turn = np.empty(places.size, int)
    turn[order] = np.arange(places.size) - first
    return [np.flatnonzero(turn == k) for k in range(turn.max(initial=-1) + 1)]


def _scatter_elements(x: Any, indices: Any, updates: Any, *, axis: int = 0, reduction: bytes = b"none") -> Any:
    wanted = np.asarray(integers(indices, "indices")).reshape(np.shape(indices)) % np.shape(x)[axis]
    places = list(np.indices(wanted.shape))
    places[axis] = wanted
    return _scattered(x, np.ravel_multi_index(tuple(places), np.shape(x)), updates, reduction)


def _scatter_nd(x: Any, indices: Any, updates: Any, *, reduction: bytes = b"none") -> Any:
    wanted = np.asarray(integers(indices, "indices")).reshape(np.shape(indices))
    numbers = np.arange(math.prod(np.shape(x))).reshape(np.shape(x))
    return _scattered(x, numbers[tuple(np.moveaxis(wanted, -1, 0))], updates, reduction)


def _tensor_scatter(x: Any, update: Any, write_indices: Any = None, *, axis: int = -2, mode: bytes = b"linear") -> Any:
    numbers = np.moveaxis(np.arange(math.prod(np.shape(x))).reshape(np.shape(x)), axis, 1)
    batch, length = numbers.shape[:2]
    steps = np.arange(np.shape(update)[axis])
    first = np.zeros(batch, int) if write_indices is None else np.array(integers(write_indices, "indices"))
    rows = first[:, None] + steps
    rows = rows % length if mode == b"circular" else rows
    if rows.max() >= length:
        raise UnsupportedError("it writes behind the end")
    places = np.moveaxis(numbers[np.arange(batch)[:, None], rows], 1, axis)
    return _scattered(x, places, update)


def _max_unpool(
    x: Any,
    indices: Any,
    output_shape: Any = None,
    *,
    kernel_shape: Sequence[int],
    pads: Any = None,
    strides: Any = None,
) -> Any:
    d = len(kernel_shape)
    pads, strides = pads or [0] * 2 * d, strides or [1] * d
    size = [
        (n - 1) * s - (p + q) + k
        for n, s, p, q, k in zip(np.shape(x)[2:], strides, pads[:d], pads[d:], kernel_shape, strict=True)
    ]
    shape = (*np.shape(x)[:2], *size)
    require_entries(math.prod(shape), "its result")
    y = _scattered(np.zeros(shape), integers(indices, "indices"), x)
    if output_shape is None:
        return y
    wanted = integers(output_shape, "shape")
    require_entries(math.prod(wanted), "its result")
    return np.pad(y, [(0, m - n) for m, n in zip(wanted, shape, strict=True)])


def _compress(x: Any, condition: Any, *, axis: int | None = None) -> Any:
    chosen = np.flatnonzero(integers(condition, "condition"))
    return np.take(np.reshape(x, -1) if axis is None else x, chosen, axis=axis or 0)


def _reverse_sequence(x: Any, lengths: Any, *, batch_axis: int = 1, time_axis: int = 0) -> Any:
    time = np.arange(np.shape(x)[time_axis])
    ends = np.array(integers(lengths, "lengths"))[:, None]
    order = np.where(time < ends, ends - 1 - time, time)  # examples x steps
    shape = [1] * np.ndim(x)
    shape[batch_axis], shape[time_axis] = order.shape
    order = np.reshape(order if batch_axis < time_axis else order.T, shape)
    return np.take_along_axis(x, np.broadcast_to(order, np.shape(x)), axis=time_axis)


def _top_k(x: Any, k: Any = None, *, axis: int = -1, largest: int = 1, **options: Any) -> Any:
    """Return the largest entries; their numbers, which have no derivative, are not known to a graph."""
    (count,) = integers(options.get("k", k), "k")
    ordered = np.moveaxis(np.sort(x, axis=axis), axis, 0)
    ordered = np.flip(ordered, 0) if largest else ordered
    return [np.moveaxis(ordered[:count], 0, axis)]


def _hardmax(x: Any, *, axis: int = -1) -> Any:
    """Return 1 at the largest entry, the first of those that are alike."""
    is_largest = np.where(x >= np.max(x, axis=axis, keepdims=True), 1.0, 0.0)
    return np.where(np.cumsum(is_largest, axis=axis) < 1.5, is_largest, 0.0)


SCATTER_OPERATORS: dict[str, Operator] = {
    "Scatter": _scatter_elements,
    "ScatterElements": _scatter_elements,
    "ScatterND": _scatter_nd,
    "TensorScatter": _tensor_scatter,
    "MaxUnpool": _max_unpool,
    "Compress": _compress,
    "ReverseSequence": _reverse_sequence,
    "TopK": _top_k,
    "Hardmax": _hardmax,
}
