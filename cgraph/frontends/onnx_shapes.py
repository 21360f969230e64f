"""Operators of ONNX that move, select and join entries, or make arrays of shapes, written with NumPy.

Source: the operator schemas of ONNX, onnx.ai/onnx/operators. Conventions of older opsets stand beside the new ones: what is
an input now was an attribute then.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from cgraph.frontends.onnx_values import Operator, UnsupportedError, integers, masked, plain_value
from cgraph.model.limits import require_entries
from cgraph.model.tracing.traced_arrays import TracedArray

__all__ = ["SHAPE_OPERATORS"]


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
    x = tuple(
        part if isinstance(part, TracedArray) else np.atleast_1d(part) for part in x
    )  # models have numbers here, too
    parts = [part for part in x if np.size(plain_value(part))] or x[:1]
    if any(isinstance(part, TracedArray) for part in parts):
        parts = [masked(part) for part in parts]
    return np.concatenate(parts, axis=axis)


def _split(
    x: Any, sizes: Any = None, *, axis: int = 0, num_outputs: int | None = None, outputs: int, **old: Any
) -> Any:
    sizes = old.get("split", sizes)
    n = np.shape(x)[axis]
    if sizes is None:
        each = -(-n // (num_outputs or outputs))
        sizes = [min(each, n - start) for start in range(0, n, each)]
    before = (slice(None),) * (axis % np.ndim(x))
    ends = np.cumsum([0, *integers(sizes, "sizes")]).tolist()
    return [_part(x, (*before, slice(first, end))) for first, end in itertools.pairwise(ends)]


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
    return _part(x, tuple(key))


def _part(x: Any, key: tuple[slice, ...]) -> Any:
    """Return a part of an array; an empty one, which no graph holds, is plain."""
    shape = np.broadcast_to(0, np.shape(x))[key].shape if isinstance(x, TracedArray) else ()
    return np.zeros(shape) if 0 in shape else x[key]


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
    if isinstance(fill, TracedArray):
        is_added = np.pad(np.zeros(np.shape(x), bool), around, constant_values=True)
        return np.where(is_added, np.reshape(fill, ()), np.pad(x, around))
    fill = np.ravel(fill)[0]
    return np.pad(x, around, constant_values=float(masked(fill) if isinstance(x, TracedArray) else fill))


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
    wanted = np.where(wanted < 0, wanted + count, wanted)  # one that is still outside has no place
    hot = np.moveaxis(np.arange(count) == wanted[..., None], -1, axis)
    low, high = values[0], values[1]
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


SHAPE_OPERATORS: dict[str, Operator] = {
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
}
