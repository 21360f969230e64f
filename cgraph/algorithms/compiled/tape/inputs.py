"""The arguments of a tape: values of its sources at one point or at many, weights, and the nodes to return."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cgraph.algorithms.compiled.edge_arrays import Floats
from cgraph.model.errors import EvaluationError, InvalidNodeError, NodeNotFound
from cgraph.model.graph import list_of_nodes

__all__ = ["Points", "known_nodes", "points_of", "weight_values"]


@dataclass(frozen=True, eq=False)
class Points:
    """Where a tape is evaluated.

    Attributes
    ----------
    sources : list
        The inputs and weights in nodes that are set.
    values : ndarray of float64, shape (sources,) or (sources, points)
        What they are set to.
    number : int or None
        How many points there are; None for a single one.
    """

    sources: list[str]
    values: Floats
    number: int | None

    def in_blocks(self, width: int) -> Floats:
        """Return `values` as `Blocks` has rows of `width` points; those that fill up the last block are its last one."""
        if self.number in {None, 1}:
            return self.values.reshape(1, -1)
        more = -self.values.shape[1] % width
        padded = np.pad(self.values, ((0, 0), (0, more)), "edge") if more else self.values
        return padded.reshape(len(padded), -1, width).swapaxes(0, 1)


def points_of(inputs: Mapping[str, ArrayLike], roles: Mapping[str, str]) -> Points:
    """Return where `inputs` say that a graph of these roles is evaluated, or raise as `evaluate` does."""
    given = {i: _input_values(i, value, roles) for i, value in inputs.items()}
    lengths = {i: len(values) for i, values in given.items() if values.ndim}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{i!r} has {n}" for i, n in lengths.items())
        raise InvalidNodeError(f"the inputs are given at different numbers of points: {found}")
    number = next(iter(lengths.values()), None)
    values = np.empty((len(given), *(() if number is None else (number,))))
    for row, of_source in enumerate(given.values()):
        values[row] = of_source
    return Points(list(given), values, number)


def _input_values(i: str, value: ArrayLike, roles: Mapping[str, str]) -> NDArray[Any]:
    """Return what `i` is set to, a number or one for each point."""
    known_nodes([i], roles)
    role = roles[i]
    if role not in {"input", "weight"}:
        what = "a constant" if role == "constant" else "computed"
        raise InvalidNodeError(f"node {i!r} cannot be set: it is {what}; inputs and weights can")
    values = _floats(value)
    if values is None or values.ndim > 1:
        raise InvalidNodeError(f"{role} {i!r} cannot be set to {value!r}; give a number, or one for each point")
    if not np.isfinite(values).all():
        raise EvaluationError(f"node {i!r} has the value {values[~np.isfinite(values)][0]}, which is not finite")
    return values


def weight_values(values: ArrayLike, weights: tuple[Any, ...]) -> Floats:
    """Return the values of `weights` as an array, or raise as `evaluate` does."""
    w = _floats(values)
    if w is None or w.shape != (len(weights),):
        found = "no array of numbers" if w is None else f"numbers of shape {w.shape}"
        raise InvalidNodeError(f"the weights are {found}; give {len(weights)} numbers, in the order of .weights")
    if not np.isfinite(w).all():
        k = int(np.flatnonzero(~np.isfinite(w))[0])
        raise EvaluationError(f"weight {weights[k]!r} has the value {w[k]}, which is not finite")
    return w


def _floats(values: ArrayLike) -> Floats | None:
    """Return real numbers as an array, inf where they are too large for one; None for anything else."""
    try:
        array = np.asarray(float(values) if type(values) is int else values)
    except OverflowError:
        return np.array(math.inf)
    except ValueError:  # rows of different lengths
        return None
    if array.dtype.kind not in "iuf":
        return None
    if array.dtype != np.longdouble:
        return array.astype(np.float64)
    with np.errstate(over="ignore"):
        return array.astype(np.float64)


def known_nodes(nodes: Iterable[str], roles: Mapping[str, str]) -> list[str]:
    """Return `nodes` as a list, or raise `NodeNotFound` for one that has no role."""
    asked = list_of_nodes(nodes)
    for i in asked:
        if not isinstance(i, str) or i not in roles:  # what is no text may have no hash
            raise NodeNotFound(i, roles)
    return asked
