"""Screening of inputs by derivatives at many points: derivative-based global measures, and Morris's means."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from numbers import Real
from typing import Any

import numpy as np

from cgraph.algorithms.compiled import CompiledGraph, compile_graph
from cgraph.model.errors import ExtraMissingError, UncertaintyError
from cgraph.model.graph import ComputationalGraph, Node, require_node

__all__ = ["Screening", "screen"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
MOST_ENTRIES = 20_000_000  # of the gradients that are kept at a time
STEP = 1e-5  # of the width of a range, for the differences of gradients


@dataclass(frozen=True)
class Screening:
    """What the gradients at points of a box say about every input i. Made by `screen`.

    Attributes
    ----------
    dgsm : dict
        ``{i: mean of (dy/di)^2}``, in units of y(t)^2 / y(i)^2.
    total_bound : dict
        ``{i: upper bound of Sobol's total index}``: dgsm (b - a)^2 / (pi^2 D), D being the variance of y(t).
    morris_mean, morris_deviation : dict
        Mean and standard deviation of the elementary effects (b - a) dy/di, in units of y(t); the mean of their sizes is
        `morris_size`.
    morris_size : dict
        ``{i: mean of |(b - a) dy/di|}``, Morris's mu*.
    mean, variance : float
        Of y(t) over the points.
    dgsm_error : dict
        ``{i: standard error of dgsm}``, as if the points were independent.
    samples : int
        How many points.
    interactions : dict
        ``{(i, j): mean of (d^2y/didj)^2}`` for each pair of inputs, if they were asked for; 0 where i and j add up.
    """

    dgsm: dict[Any, float]
    total_bound: dict[Any, float]
    morris_mean: dict[Any, float]
    morris_deviation: dict[Any, float]
    morris_size: dict[Any, float]
    dgsm_error: dict[Any, float]
    mean: float
    variance: float
    samples: int
    interactions: dict[tuple[Any, Any], float]


def screen(
    G: ComputationalGraph,
    t: str,
    ranges: Mapping[Any, tuple[float, float]],
    *,
    samples: int = 1024,
    seed: int = 0,
    interactions: bool = False,
) -> Screening:
    """Rank inputs by how much `t` depends on them within ranges, from one gradient at each point.

    Parameters
    ----------
    G : ComputationalGraph
        Equations over numbers. Not modified.
    t : node
        The result.
    ranges : dict
        ``{input: (a, b)}``; the inputs are uniform and independent. Inputs that are not named keep their values.
    samples : int, default 1024
        How many points; powers of two suit Sobol's sequence.
    seed : int, default 0
        Of the scrambling of the sequence.
    interactions : bool, default False
        Also compare the gradients on both sides of each point: two more for each input.

    Returns
    -------
    Screening

    Raises
    ------
    UncertaintyError
        If a range is empty or not finite, or there are fewer than two samples.
    EvaluationError
        If a value or derivative at a point of the box is not finite; the message names the point.
    ExtraMissingError
        If SciPy is not installed (extra ``uncertainty``).

    Notes
    -----
    Scrambled Sobol points and one reverse sweep of the compiled graph for each: O(samples (V + E)), whatever the number of
    inputs. The measures are those of Sobol and Kucherenko [1]_; the bound is their theorem for uniform inputs.

    References
    ----------
    .. [1] I. M. Sobol, S. Kucherenko, "Derivative based global sensitivity measures and their link with global sensitivity
       indices", Mathematics and Computers in Simulation 79(10), 2009.

    Examples
    --------
    >>> from cgraph import from_equations
    >>> found = screen(from_equations("y = 3*a + b^2", a=0.0, b=0.0), "y", {"a": (0, 1), "b": (0, 1)})
    >>> round(found.dgsm["a"], 6), round(found.dgsm["b"], 3)  # 9, and the mean of 4 b^2
    (9.0, 1.333)
    """
    require_node(G, t)
    box = {i: _range(i, ends) for i, ends in ranges.items()}
    if not box:
        raise UncertaintyError("no input has a range; give some, as in {'x': (0, 1)}")
    if isinstance(samples, bool) or not isinstance(samples, int) or samples < 2:
        raise UncertaintyError(f"samples = {samples!r}; at least 2 points are needed")
    C = compile_graph(G)
    low, high = (np.array([ends[k] for ends in box.values()]) for k in (0, 1))
    values, sums = [], np.zeros((4, len(box)))
    mixed = np.zeros((len(box), len(box)))
    for points in _sobol_blocks(len(box), samples, seed):
        x = low + points * (high - low)
        y, gradient = _value_and_gradient(C, t, list(box), x)
        values.append(y)
        sums += _moments(gradient)
        if interactions:
            mixed += _mixed_squares(C, t, list(box), x, low, high)
    pairs = combinations(range(len(box)), 2) if interactions else ()
    found = {(list(box)[a], list(box)[b]): float(mixed[a, b] / samples) for a, b in pairs}
    return _screening(list(box), high - low, np.concatenate(values), sums, found)


def _range(i: Node, ends: Any) -> tuple[float, float]:
    if not isinstance(ends, tuple | list) or len(ends) != 2 or not all(isinstance(end, Real) for end in ends):
        raise UncertaintyError(f"the range of {i!r} must be a pair of numbers, as in (0, 1), not {ends!r}")
    low, high = map(float, ends)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise UncertaintyError(
            f"the range of {i!r} goes from {low:g} to {high:g}; the first end must be the smaller, and both finite"
        )
    return low, high


def _sobol_blocks(dimension: int, samples: int, seed: int) -> Any:
    """Iterate over blocks of scrambled Sobol points of the unit cube, shape (points, dimension)."""
    try:
        from scipy.stats import qmc  # noqa: PLC0415 - an extra
    except ImportError:
        raise ExtraMissingError("screening needs SciPy: pip install 'cgraph-sensitivity[uncertainty]'") from None
    if dimension > qmc.Sobol.MAXDIM:
        raise UncertaintyError(f"{dimension:,} inputs have a range; Sobol's sequence has at most {qmc.Sobol.MAXDIM:,}")
    sequence = qmc.Sobol(dimension, seed=seed)
    block = max(1, MOST_ENTRIES // dimension)
    block = 2 ** (block.bit_length() - 1)  # the sequence is balanced in powers of two
    for start in range(0, samples, block):
        yield sequence.random(min(block, samples - start))


def _value_and_gradient(C: CompiledGraph, t: str, nodes: list[Any], x: Floats) -> tuple[Floats, Floats]:
    """Return y(t) and its derivatives by `nodes`, shapes (points,) and (nodes, points)."""
    y, gradient = C.value_and_gradient(t, dict(zip(nodes, x.T, strict=True)), nodes=nodes)
    return np.reshape(y, len(x)), np.reshape(gradient, (len(nodes), len(x)))


def _mixed_squares(C: CompiledGraph, t: str, nodes: list[Any], x: Floats, low: Floats, high: Floats) -> Floats:
    """Return the sums over points of (d^2y/didj)^2, by differences of the gradient within the box."""
    found = np.empty((len(nodes), len(nodes)))
    for j in range(len(nodes)):
        h = STEP * (high[j] - low[j])
        above, below = x.copy(), x.copy()
        above[:, j] = np.minimum(x[:, j] + h, high[j])
        below[:, j] = np.maximum(x[:, j] - h, low[j])
        gradients = [_value_and_gradient(C, t, nodes, side)[1] for side in (above, below)]
        second = (gradients[0] - gradients[1]) / (above[:, j] - below[:, j])
        found[:, j] = (second**2).sum(axis=1)
    return found


def _moments(gradient: Floats) -> Floats:
    """Return the sums over points of g, |g|, g^2 and g^4, for each input."""
    powers = (gradient, np.abs(gradient), gradient**2, gradient**4)
    return np.stack([power.sum(axis=1) for power in powers])


def _screening(
    nodes: list[Any], width: Floats, y: Floats, sums: Floats, interactions: dict[tuple[Any, Any], float]
) -> Screening:
    n = len(y)
    mean, size, square, fourth = sums / n
    variance = float(y.var(ddof=1))
    bound = square * width**2 / (math.pi**2 * variance) if variance else np.full(len(nodes), math.nan)
    deviation = width * np.sqrt(np.maximum(square - mean**2, 0.0) * n / (n - 1))
    columns = {
        "dgsm": square,
        "total_bound": bound,
        "morris_mean": width * mean,
        "morris_deviation": deviation,
        "morris_size": width * size,
        "dgsm_error": np.sqrt(np.maximum(fourth - square**2, 0.0) / n),
    }
    measures = {name: dict(zip(nodes, column.tolist(), strict=True)) for name, column in columns.items()}
    return Screening(**measures, mean=float(y.mean()), variance=variance, samples=n, interactions=interactions)
