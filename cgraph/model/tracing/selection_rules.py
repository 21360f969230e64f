"""Rules of the functions that move, select, join and split entries."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cgraph.model.operations.arrays import ARRAY_OPERATIONS
from cgraph.model.operations.slices import Slice
from cgraph.model.tracing.recording import Refused
from cgraph.model.tracing.traced_arrays import TracedArray, apply

__all__ = ["SELECTIONS"]

Rule = Callable[..., Any]

LONG = 1000  # entries of a list that equations hold
SHORT = 16  # entries of a list that is as easy to read as slices

# --- parts of arrays ----------------------------------------------------------------------------------------------------


def _positions(x: Any) -> Any:
    if not isinstance(x, TracedArray):
        raise Refused("by a traced value cannot be followed", "what it selects would depend on a traced value")
    return np.arange(x.size).reshape(x.shape)


def _moved(function: Rule) -> Rule:
    """Return the rule of a function that only moves entries: what it does to their numbers says where they go."""

    def rule(a: Any, *args: Any, **kwargs: Any) -> Any:
        return _selected(a, np.asarray(function(_positions(a), *args, **kwargs)))

    return rule


def _selected(x: Any, places: Any) -> Any:
    """Return the entries of the flattened `x` at `places`, in the shape of `places`."""
    if x.ndim and not places.ndim:
        return apply("index", x, key=tuple(int(k) for k in np.unravel_index(places, x.shape)))
    if not np.array_equal(places.ravel(), np.arange(x.size)):
        chosen = _chosen_by_axis(x.shape, places)
        if chosen is not None:
            return _of_axes(x, chosen)
        x = _of_axis(x if x.ndim == 1 else apply("reshape", x, shape=(-1,)), 0, places.ravel())
    return x if x.shape == places.shape else apply("reshape", x, shape=places.shape)


def _chosen_by_axis(shape: tuple[int, ...], places: Any) -> list[Any] | None:
    """Return which indices of each axis are chosen, if the other axes have no part in that."""
    if places.ndim != len(shape) or places.ndim < 2 or not places.size:
        return None
    chosen = []
    for axis, number in enumerate(np.unravel_index(places, shape)):
        along = np.moveaxis(number, axis, 0)
        chosen.append(along.reshape(len(along), -1)[:, 0])
    return chosen if np.array_equal(np.ravel_multi_index(np.ix_(*chosen), shape), places) else None


def _of_axes(x: Any, chosen: Sequence[Any]) -> Any:
    """Return these indices of each axis: what slices say at once, then a list for each axis that needs one."""
    slices = [_as_slice(indices, n) for indices, n in zip(chosen, x.shape, strict=True)]
    whole = Slice(None, None, None)
    if any(part not in {None, whole} for part in slices):
        x = apply("index", x, key=tuple(part or whole for part in slices))
    for axis, part in enumerate(slices):
        x = _of_axis(x, axis, chosen[axis]) if part is None else x
    return x


def _of_axis(x: Any, axis: int, indices: Any) -> Any:
    """Return these indices of one axis; a long list is a constant, not a part of the equation."""
    if len(indices) <= SHORT:
        return apply("index", x, key=(*[Slice(None, None, None)] * axis, tuple(indices.tolist())))
    part = _as_slice(indices, x.shape[axis])
    if part is not None:
        return apply("index", x, key=(*[Slice(None, None, None)] * axis, part))
    return apply("take", x, indices, axis=axis)


def _as_slice(indices: Any, n: int) -> Slice | None:
    """Return the slice of an axis of length `n` that chooses these indices, if there is one."""
    first, step = int(indices[0]), int(indices[1] - indices[0]) if len(indices) > 1 else 1
    stop = first + step * len(indices)
    if step == 0 or not np.array_equal(indices, np.arange(first, stop, step)):
        return None
    start = None if first == (0 if step > 0 else n - 1) else first
    return Slice(start, None if stop < 0 or stop >= n else stop, None if step == 1 else step)


def _permuted(function: Rule) -> Rule:
    """Return the rule of a function that permutes axes: the lengths of an array of 2 x 3 x ... say how."""

    def rule(a: Any, *args: Any, **kwargs: Any) -> Any:
        axes = tuple(n - 2 for n in function(np.broadcast_to(0, range(2, 2 + np.ndim(a))), *args, **kwargs).shape)
        if axes == tuple(range(np.ndim(a))):
            return a
        return apply("transpose", a) if axes == tuple(range(np.ndim(a)))[::-1] else apply("transpose", a, axes=axes)

    return rule


def _index(x: Any, key: Any) -> Any:
    places = np.asarray(_positions(x)[key])
    written = _written_key(key if isinstance(key, tuple) else (key,), x.ndim)
    found = ARRAY_OPERATIONS["index"].value(_positions(x), written) if x.ndim else _positions(x)
    is_long = any(isinstance(part, tuple) and len(part) > LONG for part in written)
    if is_long or not np.array_equal(np.ravel(found), places.ravel()):  # an index that equations have no word for
        return _selected(x, places)
    everything = all(part == Slice(None, None, None) for part in written)
    y = x if everything else apply("index", x, key=written)
    return y if y.shape == places.shape else apply("reshape", y, shape=places.shape)


def _written_key(key: tuple[Any, ...], ndim: int) -> tuple[Any, ...]:
    """Return an index as equations write it: numbers, slices and lists; a new axis is left to a reshape."""
    used = sum(np.ndim(part) if np.asarray(part).dtype == bool else 1
               for part in key if part is not None and part is not Ellipsis)  # fmt: skip
    parts: list[Any] = []
    for part in key:
        if part is Ellipsis:
            parts += [slice(None)] * (ndim - used)
        elif part is not None:
            parts += np.nonzero(part) if np.asarray(part).dtype == bool else [part]
    lists = [part for part in parts if np.ndim(part)]
    shape = np.broadcast_shapes(*map(np.shape, lists))
    return tuple(
        Slice(*(None if end is None else operator.index(end) for end in (part.start, part.stop, part.step)))
        if isinstance(part, slice)
        else tuple(np.broadcast_to(part, shape).ravel().tolist())
        if np.ndim(part)
        else operator.index(part)
        for part in parts
    )


def _concatenate(arrays: Sequence[Any], axis: Any = 0) -> Any:
    if axis is None:
        return _concatenate([np.ravel(a) for a in arrays])
    return apply("concatenate", *arrays, axis=operator.index(axis))


def _stack(arrays: Sequence[Any], axis: Any = 0) -> Any:
    return apply("stack", *arrays, axis=operator.index(axis))


def _vstack(tup: Sequence[Any], *, dtype: None = None, casting: str = "same_kind") -> Any:  # noqa: ARG001 - row_stack says them
    return _concatenate([np.atleast_2d(a) for a in tup])


def _hstack(tup: Sequence[Any]) -> Any:
    rows = [np.atleast_1d(a) for a in tup]
    return _concatenate(rows, axis=0 if rows[0].ndim == 1 else 1)


def _column_stack(tup: Sequence[Any]) -> Any:
    return _concatenate([a if np.ndim(a) > 1 else np.reshape(a, (-1, 1)) for a in tup], axis=1)


def _dstack(tup: Sequence[Any]) -> Any:
    return _concatenate([np.atleast_3d(a) for a in tup], axis=2)


def _append(arr: Any, values: Any, axis: Any = None) -> Any:
    return _concatenate([arr, values], axis)


def _array(object: Any, dtype: Any = None, **_: Any) -> Any:
    """Return nested lists of traced arrays as one: the lists become axes before those of the entries."""
    if dtype is not None and np.dtype(dtype) != np.float64:
        raise Refused(f"of {np.dtype(dtype)} cannot be followed", "a graph holds real numbers, float64")
    if not isinstance(object, list | tuple):
        return object
    return _stack([_array(part) for part in object])


def _split(function: Rule) -> Rule:
    """Return the rule of a function that cuts an array into parts."""

    def rule(ary: Any, *args: Any, **kwargs: Any) -> Any:
        return [_cut(ary, part) for part in function(_positions(ary), *args, **kwargs)]

    return rule


def _cut(x: Any, places: Any) -> Any:
    """Return a block of neighbouring entries, by slices."""
    if places.size == 0:
        return _selected(x, places)
    starts = np.unravel_index(places.flat[0], x.shape)
    return x[tuple(slice(k, k + n) if n < length else slice(None)
                   for k, n, length in zip(map(int, starts), places.shape, x.shape, strict=True))]  # fmt: skip


def _repeat(a: Any, repeats: Any, axis: Any = None) -> Any:
    counts = tuple(map(operator.index, repeats)) if np.ndim(repeats) else operator.index(repeats)
    return apply("repeat", a, repeats=counts, **({} if axis is None else {"axis": operator.index(axis)}))


def _take(a: Any, indices: Any, axis: Any = None, mode: Any = "raise") -> Any:
    """Look entries up at places that are known: one is an index, many are a constant."""
    if isinstance(indices, TracedArray):
        raise Refused("at traced places cannot be followed", "what it selects would depend on a traced value")
    if axis is None:
        a, axis = np.ravel(a), 0
    if np.ndim(indices) == 0:
        return _moved(np.take)(a, indices, axis, mode=mode)
    places = np.take(np.arange(np.shape(a)[axis]), indices, mode=mode)
    return apply("take", a, places, axis=operator.index(axis))


# --- fillings ---------------------------------------------------------------------------------------------------------


def _broadcast_to(array: Any, shape: Any) -> Any:
    """Return an array repeated along new axes and those of length 1."""
    own = (1,) * (len(shape) - np.ndim(array)) + np.shape(array)
    places = np.broadcast_to(_positions(array), shape)
    if places.size <= SHORT or not own:
        return _selected(array, places)
    widened = array if own == np.shape(array) else apply("reshape", array, shape=own)
    return _selected(widened, places)


def _broadcast_arrays(*args: Any) -> Any:
    shape = np.broadcast_shapes(*map(np.shape, args))
    return tuple(np.broadcast_to(a, shape) for a in args)


def _meshgrid(*xi: Any, indexing: str = "xy") -> Any:
    shape = [np.size(x) for x in xi]
    rank = len(xi)
    grids = [
        np.broadcast_to(np.reshape(x, [-1 if k == j else 1 for j in range(rank)]), shape) for k, x in enumerate(xi)
    ]
    return tuple(np.swapaxes(grid, 0, 1) if indexing == "xy" and rank > 1 else grid for grid in grids)


def _linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True) -> Any:
    steps = np.arange(num) / max(num - endpoint, 1)
    return start + np.reshape(steps, (num, *(1,) * max(np.ndim(start), np.ndim(stop)))) * (stop - start)


def _full_like(a: Any, fill_value: Any) -> Any:
    return np.broadcast_to(fill_value, np.shape(a))


def _diag(v: Any, k: int = 0) -> Any:
    if np.ndim(v) != 1:
        return np.diagonal(v, k)
    return np.pad(v, (max(-k, 0), max(k, 0)))[:, None] * np.eye(len(v) + abs(k), k=k)


def _triangle(part: Rule) -> Rule:
    """Return the rule of tril or triu: a product with zeros and ones."""
    return lambda m, k=0: m * part(np.ones(np.shape(m)), k)


def _pad(array: Any, pad_width: Any, mode: Any = "constant", **options: Any) -> Any:
    if not isinstance(mode, str) or mode in {"linear_ramp", "maximum", "mean", "median", "minimum", "empty"}:
        raise Refused(
            f"with mode={mode!r} cannot be followed", "the modes constant, edge, reflect, symmetric and wrap can"
        )
    if mode != "constant" or not isinstance(array, TracedArray):
        if options.get("reflect_type", "even") != "even":
            raise Refused("with reflect_type='odd' cannot be followed", "reflect_type='even' can")
        return _moved(np.pad)(array, pad_width, mode, **options)
    widths = np.broadcast_to(pad_width, (np.ndim(array), 2)).tolist()
    if not np.any(options.get("constant_values", 0.0)):
        front, behind = zip(*widths, strict=True) if widths else ((), ())
        return apply("pad", array, before=front, after=behind) if np.any(widths) else array
    fills = np.broadcast_to(options.get("constant_values", 0.0), (np.ndim(array), 2)).tolist()
    for axis, (ends, fill) in enumerate(zip(widths, fills, strict=True)):
        shape = np.shape(array)
        before, after = (np.full((*shape[:axis], n, *shape[axis + 1 :]), f) for n, f in zip(ends, fill, strict=True))
        parts = [part for part in (before, array, after) if np.size(part)]
        array = np.concatenate(parts, axis=axis) if len(parts) > 1 else array
    return array


# fmt: off
_MOVES = (
    np.reshape, np.ravel, np.squeeze, np.expand_dims, np.atleast_1d, np.atleast_2d, np.atleast_3d, np.flip, np.flipud,
    np.fliplr, np.roll, np.rot90, np.tile, np.take_along_axis, np.delete, np.resize, np.diagonal,
)
# fmt: on

SELECTIONS: dict[Any, Rule] = {
    operator.getitem: _index,
    **{function: _moved(function) for function in _MOVES},
    **{function: _permuted(function) for function in (np.transpose, np.swapaxes, np.moveaxis, np.rollaxis)},
    np.repeat: _repeat,
    np.take: _take,
    # joining
    **dict.fromkeys((np.array, np.asarray, np.asanyarray, np.ascontiguousarray), _array),
    np.concatenate: _concatenate,
    np.stack: _stack,
    np.vstack: _vstack,
    np.hstack: _hstack,
    np.dstack: _dstack,
    np.column_stack: _column_stack,
    np.append: _append,
    **{function: _split(function) for function in (np.split, np.array_split, np.hsplit, np.vsplit, np.dsplit)},
    # fillings
    np.broadcast_to: _broadcast_to,
    np.broadcast_arrays: _broadcast_arrays,
    np.meshgrid: _meshgrid,
    np.linspace: _linspace,
    np.full_like: _full_like,
    np.diag: _diag,
    np.tril: _triangle(np.tril),
    np.triu: _triangle(np.triu),
    np.pad: _pad,
}
