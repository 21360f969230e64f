"""The table of what can be followed: each NumPy function in operations of the tables.

A rule takes the arguments of the function. The simple ones apply one operation; others are written in NumPy, with
functions that have a rule. After each the result is compared with NumPy's.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from cgraph.model.operations.arrays import ARRAY_OPERATIONS, Slice
from cgraph.model.operations.elementwise import OPERATIONS
from cgraph.model.tracing.recording import Refused
from cgraph.model.tracing.traced_arrays import TracedArray, apply

__all__ = ["RULES"]

Rule = Callable[..., Any]

# --- entry by entry ---------------------------------------------------------------------------------------------------

# What the rows of the table say, and the one operation on arrays that NumPy counts among these.
_ELEMENTWISE = {getattr(np, function): name for name, row in OPERATIONS.items() for function in row.numpy} | {
    np.matmul: "matmul"
}


def _operation(name: str, operands: int) -> Rule:
    if operands == 1:
        return lambda x: apply(name, x)
    return lambda a, b: apply(name, a, b)


def _of_conditions(combine: Rule) -> Rule:
    """Return a rule for and, or, not: of conditions, which are 0 or 1 in a graph, and of nothing else."""

    def rule(*conditions: Any) -> Any:
        if any(np.asarray(getattr(c, "value", c)).dtype != bool for c in conditions):
            raise Refused("of numbers cannot be followed", "compare them first, as in (x > 0) & (x < 1)")
        return combine(*conditions)

    return rule


def _logaddexp(a: Any, b: Any) -> Any:
    shape = np.broadcast_shapes(np.shape(a), np.shape(b))
    return apply("logsumexp", np.stack([np.broadcast_to(a, shape), np.broadcast_to(b, shape)]), axis=0)


def _clip(a: Any, a_min: Any = None, a_max: Any = None) -> Any:
    above = a if a_min is None else np.maximum(a, a_min)
    return above if a_max is None else np.minimum(above, a_max)


def _where(condition: Any, x: Any, y: Any) -> Any:
    shape = np.broadcast_shapes(np.shape(condition), np.shape(x), np.shape(y))
    if shape and np.ndim(condition) == 0:  # one condition for all entries
        condition = np.broadcast_to(condition, shape)
    return apply("where", condition, x, y)


# --- products -----------------------------------------------------------------------------------------------------------


def _dot(a: Any, b: Any) -> Any:
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return a * b
    if np.ndim(a) == np.ndim(b) == 1:
        return apply("dot", a, b)
    if np.ndim(b) > 2:
        raise Refused("with more than two axes on the right cannot be followed", "write a @ b")
    return np.matmul(a, b)


def _inner(a: Any, b: Any) -> Any:
    if np.ndim(a) > 1 or np.ndim(b) > 1:
        raise Refused("of matrices cannot be followed", "write a @ b.T")
    return _dot(a, b)


def _outer(a: Any, b: Any) -> Any:
    return apply("outer", np.ravel(a), np.ravel(b))


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    of_vectors = np.ndim(x) == 1 or isinstance(axis, int)
    if ord == 1 and of_vectors:
        return np.sum(np.absolute(x), axis=axis, keepdims=keepdims)
    if not (ord is None or (ord == 2 and of_vectors) or (ord == "fro" and np.ndim(x) == 2)):
        raise Refused(f"of order {ord!r} cannot be followed", "the 2-norm of vectors and the Frobenius norm can")
    if axis is None and not keepdims:
        return apply("norm", x)
    return np.sqrt(np.sum(np.square(x), axis=axis, keepdims=keepdims))


# --- reductions ---------------------------------------------------------------------------------------------------------


def _axes(axis: Any) -> Any:
    return tuple(map(operator.index, axis)) if isinstance(axis, tuple) else operator.index(axis)


def _with_kept_axes(x: Any, y: Any, axis: Any, keepdims: bool) -> Any:
    return np.reshape(y, np.sum(np.empty(np.shape(x)), axis=axis, keepdims=True).shape) if keepdims else y


def _reduction(name: str) -> Rule:
    def rule(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        y = apply(name, a) if axis is None else apply(name, a, axis=_axes(axis))
        return _with_kept_axes(a, y, axis, keepdims)

    return rule


def _extreme(name: str) -> Rule:
    def rule(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        if axis is None:
            return _with_kept_axes(a, apply(name, a), axis, keepdims)
        y = a
        for k in sorted((k % a.ndim for k in (axis if isinstance(axis, tuple) else (axis,))), reverse=True):
            y = apply(name, y, axis=operator.index(k))
        return _with_kept_axes(a, y, axis, keepdims)

    return rule


def _var(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return np.mean(np.square(a - np.mean(a, axis=axis, keepdims=True)), axis=axis, keepdims=keepdims)


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
        flat = x if x.ndim == 1 else apply("reshape", x, shape=(-1,))
        x = apply("index", flat, key=(tuple(places.ravel().tolist()),))
    return x if x.shape == places.shape else apply("reshape", x, shape=places.shape)


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
    if not np.array_equal(np.ravel(found), places.ravel()):  # an index that equations have no word for
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


def _vstack(tup: Sequence[Any]) -> Any:
    return _concatenate([np.atleast_2d(a) for a in tup])


def _hstack(tup: Sequence[Any]) -> Any:
    rows = [np.atleast_1d(a) for a in tup]
    return _concatenate(rows, axis=0 if rows[0].ndim == 1 else 1)


def _column_stack(tup: Sequence[Any]) -> Any:
    return _concatenate([a if np.ndim(a) > 1 else np.reshape(a, (-1, 1)) for a in tup], axis=1)


# --- what is known without a record -------------------------------------------------------------------------------------


def _known(function: Rule) -> Rule:
    """Return the rule of a function of the shape alone."""
    return lambda a: function(a.value)


def _refused(hint: str) -> Rule:
    def rule(*_: Any, **__: Any) -> NoReturn:
        raise Refused("cannot be followed", hint)

    return rule


_FLAT = "its derivative is 0 wherever it has one"
_DATA = "its result is a choice that depends on traced values; np.max, np.min and np.where can be followed"

# fmt: off
_MOVES = (
    np.reshape, np.ravel, np.squeeze, np.expand_dims, np.atleast_1d, np.atleast_2d, np.atleast_3d, np.flip, np.flipud,
    np.fliplr, np.roll, np.rot90, np.repeat, np.tile, np.take, np.diagonal, np.broadcast_to,
)
# fmt: on

RULES: dict[Any, Rule] = {
    **{function: _operation(name, function.nin) for function, name in _ELEMENTWISE.items()},
    np.positive: lambda x: x,
    np.conjugate: lambda x: x,
    np.copy: lambda a: a,
    np.exp2: lambda x: apply("pow", 2.0, x),
    np.logaddexp: _logaddexp,
    np.logical_and: _of_conditions(lambda a, b: apply("mul", a, b)),
    np.bitwise_and: _of_conditions(lambda a, b: apply("mul", a, b)),
    np.logical_or: _of_conditions(lambda a, b: apply("max", a, b)),
    np.bitwise_or: _of_conditions(lambda a, b: apply("max", a, b)),
    np.logical_not: _of_conditions(lambda a: apply("sub", 1.0, a)),
    np.invert: _of_conditions(lambda a: apply("sub", 1.0, a)),
    np.clip: _clip,
    np.where: _where,
    # products and matrices
    np.dot: _dot,
    np.inner: _inner,
    np.vdot: lambda a, b: _dot(np.ravel(a), np.ravel(b)),
    np.outer: _outer,
    np.trace: lambda a: apply("trace", a),
    np.linalg.det: lambda a: apply("det", a),
    np.linalg.inv: lambda a: apply("inv", a),
    np.linalg.norm: _norm,
    # reductions
    np.sum: _reduction("sum"),
    np.mean: _reduction("mean"),
    **dict.fromkeys((np.max, np.amax), _extreme("largest")),
    **dict.fromkeys((np.min, np.amin), _extreme("smallest")),
    np.var: _var,
    np.std: lambda a, axis=None, *, keepdims=False: np.sqrt(_var(a, axis, keepdims=keepdims)),
    # parts of arrays
    operator.getitem: _index,
    **{function: _moved(function) for function in _MOVES},
    **{function: _permuted(function) for function in (np.transpose, np.swapaxes, np.moveaxis)},
    np.concatenate: _concatenate,
    np.stack: _stack,
    np.vstack: _vstack,
    np.hstack: _hstack,
    np.column_stack: _column_stack,
    # of the shape alone
    **{function: _known(function) for function in (np.shape, np.ndim, np.size, np.zeros_like, np.ones_like)},
    # refused with a hint
    np.einsum: _refused("write it with @, *, sum and transpose"),
    np.linalg.solve: _refused("write np.linalg.inv(A) @ b"),
    np.prod: _refused("multiply the entries: x[0] * x[1]"),
    np.equal: _refused("of computed numbers rounding decides; write np.where(abs(a - b) < 1e-9, ...)"),
    np.not_equal: _refused("of computed numbers rounding decides; write np.where(abs(a - b) >= 1e-9, ...)"),
    **dict.fromkeys((np.floor, np.ceil, np.rint, np.trunc, np.round, np.floor_divide), _refused(_FLAT)),
    **dict.fromkeys((np.argmax, np.argmin, np.sort, np.argsort, np.nonzero), _refused(_DATA)),
}
