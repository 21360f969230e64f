"""Rules of sums, products, extremes and statistics along axes."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from cgraph.model.tracing.recording import Refused
from cgraph.model.tracing.traced_arrays import apply

__all__ = ["REDUCTIONS"]

Rule = Callable[..., Any]


def _axes(axis: Any) -> Any:
    return tuple(map(operator.index, axis)) if isinstance(axis, tuple) else operator.index(axis)


def _with_kept_axes(x: Any, y: Any, axis: Any, keepdims: bool) -> Any:
    return np.reshape(y, np.sum(np.empty(np.shape(x)), axis=axis, keepdims=True).shape) if keepdims else y


def _reduction(name: str) -> Rule:
    def rule(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        y = apply(name, a) if axis is None else apply(name, a, axis=_axes(axis))
        return _with_kept_axes(a, y, axis, keepdims)

    return rule


def _axis_by_axis(name: str) -> Rule:
    """Return the rule of a reduction whose operation takes one axis at a time."""

    def rule(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        if np.ndim(a) == 0:
            return a
        if axis is None:
            return _with_kept_axes(a, apply(name, a), axis, keepdims)
        y = a
        for k in sorted((k % a.ndim for k in (axis if isinstance(axis, tuple) else (axis,))), reverse=True):
            y = apply(name, y, axis=operator.index(k))
        return _with_kept_axes(a, y, axis, keepdims)

    return rule


def _of_truth(name: str) -> Rule:
    """Return the rule of all or any: the smallest or largest of entries that are 1 where they are not 0."""
    extreme = _axis_by_axis(name)

    def rule(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        return extreme(a if a.dtype == bool else apply("where", a, 1.0, 0.0), axis, keepdims=keepdims)

    return rule


def _count_nonzero(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return np.sum(apply("where", a, 1.0, 0.0), axis=axis, keepdims=keepdims)


# --- statistics -------------------------------------------------------------------------------------------------------


def _var(a: Any, axis: Any = None, *, ddof: float = 0, keepdims: bool = False) -> Any:
    squares = np.square(a - np.mean(a, axis=axis, keepdims=True))
    if ddof == 0:
        return np.mean(squares, axis=axis, keepdims=keepdims)
    total = np.sum(squares, axis=axis, keepdims=keepdims)
    return total / (np.size(a) / np.size(total) - ddof)


def _std(a: Any, axis: Any = None, *, ddof: float = 0, keepdims: bool = False) -> Any:
    return np.sqrt(_var(a, axis, ddof=ddof, keepdims=keepdims))


def _average(a: Any, axis: Any = None, weights: Any = None, *, keepdims: bool = False) -> Any:
    if weights is None:
        return np.mean(a, axis=axis, keepdims=keepdims)
    if np.shape(weights) != np.shape(a):
        if not isinstance(axis, int):
            raise Refused("with weights of another shape needs one axis", "write axis=0")
        weights = np.reshape(weights, [-1 if k == axis % np.ndim(a) else 1 for k in range(np.ndim(a))])
        weights = np.broadcast_to(weights, np.shape(a))
    total = np.sum(weights, axis=axis, keepdims=keepdims)
    return np.sum(a * weights, axis=axis, keepdims=keepdims) / total


def _cov(m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None) -> Any:
    X = _variables(m, rowvar)
    if y is not None:
        X = np.concatenate([X, _variables(y, rowvar)])
    if ddof is None:
        ddof = 0 if bias else 1
    centred = X - np.mean(X, axis=1, keepdims=True)
    C = centred @ centred.T / (X.shape[1] - ddof)
    return C[0, 0] if C.size == 1 else C


def _variables(m: Any, rowvar: bool) -> Any:
    """Return observations as a matrix with a row for each variable."""
    X = np.atleast_2d(m)
    return X if rowvar or np.ndim(m) < 2 else X.T


def _corrcoef(x: Any, y: Any = None, rowvar: bool = True) -> Any:
    C = np.atleast_2d(_cov(x, y, rowvar))
    if C.size == 1:
        return C[0, 0] / C[0, 0]
    deviations = np.sqrt(np.diagonal(C))
    return C / np.outer(deviations, deviations)


def _quantile(a: Any, q: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    """Interpolate between the two entries of the sorted array whose places enclose q."""
    if np.ndim(q):
        return np.stack([_quantile(a, part, axis, keepdims=keepdims) for part in q])
    line = np.ravel(a) if axis is None else np.moveaxis(a, axis, -1)
    ordered = np.sort(line, axis=-1)
    place = float(q) * (line.shape[-1] - 1)
    below = int(place)
    y = ordered[..., below]
    if place > below:
        y = y + (place - below) * (ordered[..., below + 1] - y)
    return _with_kept_axes(a, y, axis, keepdims)


def _median(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _quantile(a, 0.5, axis, keepdims=keepdims)


def _ptp(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


# --- along an axis ----------------------------------------------------------------------------------------------------


def _cumsum(a: Any, axis: int | None = None) -> Any:
    numbers = 1.0 * a if a.dtype == bool else a
    return apply(
        "cumsum",
        numbers if numbers.ndim else np.ravel(numbers),
        **({} if axis is None else {"axis": operator.index(axis)}),
    )


def _cumprod(a: Any, axis: int | None = None) -> Any:
    line = np.ravel(a) if axis is None else np.moveaxis(a, axis, 0)
    products = [line[0]]
    for part in line[1:]:
        products.append(products[-1] * part)
    return np.stack(products, axis=axis or 0)


def _diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    line = np.moveaxis(a, axis, -1)
    for _ in range(n):
        line = line[..., 1:] - line[..., :-1]
    return np.moveaxis(line, -1, axis)


def _sort(a: Any, axis: int | None = -1) -> Any:
    return apply("sort", np.ravel(a), axis=0) if axis is None else apply("sort", a, axis=operator.index(axis))


def _trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    line = np.moveaxis(y, axis, -1)
    widths = dx if x is None else np.diff(x)
    return np.sum(widths * (line[..., 1:] + line[..., :-1]) / 2.0, axis=-1)


def _interp(x: Any, xp: Any, fp: Any) -> Any:
    """Add up what each piece of the line has risen by: slope times the part of x that lies within the piece."""
    if np.any(np.diff(np.asarray(getattr(xp, "value", xp))) <= 0):
        raise Refused("of points that do not increase cannot be followed", "sort them first")
    slopes = np.diff(fp) / np.diff(xp)
    within = np.clip(np.expand_dims(x, -1), xp[:-1], xp[1:]) - xp[:-1]
    return fp[0] + np.sum(slopes * within, axis=-1)


REDUCTIONS: dict[Any, Rule] = {
    np.sum: _reduction("sum"),
    np.mean: _reduction("mean"),
    np.prod: _axis_by_axis("prod"),
    **dict.fromkeys((np.max, np.amax), _axis_by_axis("largest")),
    **dict.fromkeys((np.min, np.amin), _axis_by_axis("smallest")),
    np.all: _of_truth("smallest"),
    np.any: _of_truth("largest"),
    np.count_nonzero: _count_nonzero,
    np.ptp: _ptp,
    # statistics
    np.var: _var,
    np.std: _std,
    np.average: _average,
    np.cov: _cov,
    np.corrcoef: _corrcoef,
    np.median: _median,
    np.quantile: _quantile,
    np.percentile: lambda a, q, axis=None, *, keepdims=False: _quantile(a, np.divide(q, 100), axis, keepdims=keepdims),
    # along an axis
    np.cumsum: _cumsum,
    np.cumprod: _cumprod,
    np.diff: _diff,
    np.sort: _sort,
    getattr(np, "trapezoid" if hasattr(np, "trapezoid") else "trapz"): _trapezoid,  # its names since NumPy 2 and before
    np.interp: _interp,
}
