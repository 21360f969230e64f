"""Edges that are given as arrays: they are checked, and an error names the edge that is wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cgraph.model.errors import CGraphError, DerivativeError, InvalidNodeError
from cgraph.model.values import is_masked

__all__ = [
    "Floats",
    "Index",
    "has_finite_sum",
    "node_names",
    "real_numbers",
    "require_ends",
    "require_finite",
    "whole_lines",
    "whole_numbers",
]

Floats = NDArray[np.float64]
Index = NDArray[Any]  # uint32, or uint64 where edges are more than that can number

_MOST_NODES = 2**32 - 1


def whole_numbers(values: ArrayLike, what: str) -> NDArray[Any]:
    """Return `values` as an array of integers, or raise `CGraphError`."""
    return _one_dimensional(values, what, "iu", "whole number")


def real_numbers(values: ArrayLike, what: str) -> Floats:
    """Return `values` as an array of floats, or raise `CGraphError`."""
    if is_masked(values):
        raise CGraphError(f"{what} are a masked array; fill it, as by values.filled(0.0)")
    with np.errstate(over="ignore"):  # a long double that becomes infinite is refused as such
        return _one_dimensional(values, what, "iuf", "real number").astype(np.float64, copy=False)


def node_names(nodes: Sequence[Any] | None, least: int) -> Sequence[Any]:
    """Return the names of nodes, ``range(least)`` if none are given, or raise `InvalidNodeError`."""
    if nodes is None:
        if least > _MOST_NODES:
            raise InvalidNodeError(
                f"node {least - 1} is more than {_MOST_NODES - 1}; number nodes without gaps, from 0"
            )
        return range(least)
    if isinstance(nodes, range) and nodes == range(len(nodes)):
        return nodes
    names = tuple(nodes.tolist() if isinstance(nodes, np.ndarray) else nodes)
    met = set()
    for name in names:
        try:
            if name in met:
                raise InvalidNodeError(f"two nodes are named {name!r}; give every node a name of its own")
            met.add(name)
        except TypeError:
            raise InvalidNodeError(f"a node cannot be named {name!r}, which is not hashable") from None
    return names


def require_ends(tails: NDArray[Any], heads: NDArray[Any], n: int) -> None:
    """Raise `InvalidNodeError` unless every edge begins and ends at one of `n` nodes."""
    for ends, verb in ((tails, "begins"), (heads, "ends")):
        outside = (ends < 0) | (ends >= n)
        if outside.any():
            e = _first(outside)
            raise InvalidNodeError(f"edge number {e} {verb} at node {ends[e]}; nodes are numbered 0 to {n - 1}")


def require_finite(z: Floats, edge: Callable[[int], tuple[Any, Any]]) -> None:
    """Raise `DerivativeError`, which names the ``edge(e)``, unless every ``z[e]`` is finite."""
    is_finite = np.isfinite(z)
    if not is_finite.all():
        e = _first(~is_finite)
        i, j = edge(e)
        raise DerivativeError(f"edge {i!r} -> {j!r} holds {float(z[e])!r} as its derivative; give it a finite number")


def whole_lines(*shape: int) -> Floats:
    """Allocate floats aligned to a cache line, so that no row of eight straddles two lines."""
    numbers = np.empty(math.prod(shape) + 7)
    begin = -numbers.ctypes.data // 8 % 8
    return numbers[begin : begin + math.prod(shape)].reshape(shape)


def has_finite_sum(S: Floats) -> bool:
    """Return whether the sum of `S` is finite, which shows in one pass that all of `S` is."""
    with np.errstate(all="ignore"):
        return math.isfinite(S.sum())


def _one_dimensional(values: ArrayLike, what: str, kinds: str, number: str) -> NDArray[Any]:
    try:
        array = np.asarray(values)
    except ValueError as error:  # rows of different lengths
        raise CGraphError(f"{what} are no array ({error}); give one {number} for each edge") from None
    if array.ndim != 1 or (array.size and array.dtype.kind not in kinds):
        found = f"an array of {array.dtype}" if array.ndim == 1 else f"an array of {array.ndim} dimensions"
        raise CGraphError(f"{what} are {found}; give one {number} for each edge")
    return array


def _first(flags: NDArray[np.bool_]) -> int:
    return int(flags.argmax())
