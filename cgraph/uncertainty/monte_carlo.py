"""Propagation of distributions by random points: Supplement 1 to the GUM, on the compiled graph."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from cgraph.algorithms.compiled import compile_graph
from cgraph.algorithms.estimates import require_probability
from cgraph.model.errors import UncertaintyError
from cgraph.model.evaluation import unlinearized
from cgraph.model.graph import ComputationalGraph, Node
from cgraph.model.quantities import Correlation, Quantity
from cgraph.uncertainty.second_order import require_equations

__all__ = ["MonteCarlo", "monte_carlo"]

BLOCK = 10_000  # points between two looks at whether the results are stable (JCGM 101:2008, 7.9.4)
DIGITS = 2  # of the standard uncertainty, which must be stable
Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class MonteCarlo:
    """The distribution of the results, by random points.

    Attributes
    ----------
    targets : list of nodes
        The results.
    draws : ndarray, shape (targets, points)
        The value of every target at every point.
    stable : bool
        Whether two digits of every standard uncertainty, and the ends of every 95% interval, were stable before the
        points ran out.
    """

    targets: list[Any]
    draws: Floats
    stable: bool

    @property
    def samples(self) -> int:
        """How many points were drawn."""
        return int(self.draws.shape[1])

    @property
    def mean(self) -> dict[Any, float]:
        """``{t: mean of y(t)}``."""
        return dict(zip(self.targets, self.draws.mean(axis=1).tolist(), strict=True))

    @property
    def standard(self) -> dict[Any, float]:
        """``{t: standard deviation of y(t)}``."""
        return dict(zip(self.targets, self.draws.std(axis=1, ddof=1).tolist(), strict=True))

    @property
    def covariance(self) -> Floats:
        """The covariance matrix of the targets."""
        return np.atleast_2d(np.cov(self.draws))

    def interval(self, p: float = 0.95) -> dict[Any, tuple[float, float]]:
        """Return the probabilistically symmetric coverage interval of every target (JCGM 101:2008, 7.7)."""
        require_probability(p)
        low, high = np.quantile(self.draws, [(1 - p) / 2, (1 + p) / 2], axis=1).tolist()
        return dict(zip(self.targets, zip(low, high, strict=True), strict=True))

    def agrees(self, t: Node, value: float, standard: float, *, p: float = 0.95, digits: int = DIGITS) -> bool:
        """Whether the interval value -+ k standard of first order is validated (JCGM 101:2008, 8.1.3).

        Its ends must differ from those of `interval` by no more than half a unit in the last of `digits` digits of
        the standard uncertainty.
        """
        k = NormalDist().inv_cdf((1 + p) / 2)
        ends = self.interval(p)[t]
        differences = abs(value - k * standard - ends[0]), abs(value + k * standard - ends[1])
        return max(differences) <= tolerance(standard, digits)


def tolerance(standard: float, digits: int) -> float:
    """Return half a unit in the last of so many digits of a standard uncertainty.

    Examples
    --------
    >>> tolerance(0.0754, 1), tolerance(31.7, 2)
    (0.005, 0.5)
    """
    if not standard:
        return 0.0
    return 0.5 * float(f"1e{math.floor(math.log10(standard)) - digits + 1}")


def monte_carlo(
    L: Any,
    targets: list[Any],
    quantities: Mapping[Any, Quantity],
    R: Correlation,
    *,
    samples: int,
    seed: int,
) -> MonteCarlo:
    """Draw points until the results are stable, or `samples` are drawn.

    Raises
    ------
    UncertaintyError
        If there are fewer than two samples, the graph holds no equations, or nodes are correlated that are not normal.
    """
    G = require_equations(L, "random points")
    if isinstance(samples, bool) or not isinstance(samples, int) or samples < 2:
        raise UncertaintyError(f"samples = {samples!r}; at least 2 points are drawn, better 100,000")
    C = compile_graph(_with_inputs(G, quantities))
    random = np.random.default_rng(seed)
    draws = np.empty((len(targets), samples))
    drawn = 0
    summaries: list[Floats] = []
    while drawn < samples:
        size = min(BLOCK, samples - drawn)
        points = draw(quantities, R, _centres(G, quantities), size, random)
        draws[:, drawn : drawn + size] = C.evaluate(points, nodes=targets).reshape(len(targets), -1)
        if size > 1:
            summaries.append(_summary(draws[:, drawn : drawn + size]))
        drawn += size
        if _is_stable(summaries):
            return MonteCarlo(targets, draws[:, :drawn].copy(), stable=True)
    return MonteCarlo(targets, draws, stable=False)


def _with_inputs(G: ComputationalGraph, quantities: Mapping[Any, Quantity]) -> ComputationalGraph:
    """Return a copy of `G` in which what varies is an input: constants cannot be set."""
    H = unlinearized(G)
    for i in quantities:
        if np.ndim(H.nodes[i].get("value", 0.0)):
            raise UncertaintyError(f"random points are drawn for numbers; {i!r} is an array: take scalarize(G)")
        H.nodes[i]["role"] = "input"
    return H


def _centres(G: ComputationalGraph, quantities: Mapping[Any, Quantity]) -> dict[Any, float]:
    return {i: float(G.nodes[i]["value"]) for i in quantities}


def draw(
    quantities: Mapping[Any, Quantity],
    R: Correlation,
    centres: Mapping[Any, float],
    size: int,
    random: np.random.Generator,
) -> dict[Any, Floats]:
    """Return random values of every quantity: independent, or normal and correlated by Cholesky's factor of R."""
    points: dict[Any, Floats] = {}
    for nodes, matrix in R.groups:
        for i in nodes:
            if quantities[i].distribution != "normal":
                raise UncertaintyError(
                    f"{i!r} is {quantities[i].distribution} and correlated; random points are drawn of correlated "
                    f"quantities that are normal"
                )
        normal = _factor(matrix) @ random.standard_normal((len(nodes), size))
        points |= {i: centres[i] + quantities[i].standard * x for i, x in zip(nodes, normal, strict=True)}
    for i, q in quantities.items():
        if i not in points:
            points[i] = centres[i] + q.standard * _standardized(q, size, random)
    return points


def _factor(R: Floats) -> Floats:
    """Return a matrix A with A A^T = R: Cholesky's, or that of the eigenvectors where R is singular."""
    try:
        return np.asarray(np.linalg.cholesky(R), dtype=np.float64)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(R)
        return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)), dtype=np.float64)


def _standardized(q: Quantity, size: int, random: np.random.Generator) -> Floats:
    """Return random numbers of the distribution with standard deviation 1; of finite dof, of Student's t (6.4.9)."""
    match q.distribution:
        case "uniform":
            return random.uniform(-math.sqrt(3), math.sqrt(3), size)
        case "triangular":
            return random.triangular(-math.sqrt(6), 0.0, math.sqrt(6), size)
        case "arcsine":
            return math.sqrt(2) * np.sin(random.uniform(0.0, 2 * math.pi, size))
    return random.standard_normal(size) if math.isinf(q.dof) else random.standard_t(q.dof, size)


def _summary(block: Floats) -> Floats:
    """Return mean, standard deviation and the ends of the 95% interval of every target, shape (4, targets)."""
    return np.stack([block.mean(axis=1), block.std(axis=1, ddof=1), *np.quantile(block, [0.025, 0.975], axis=1)])


def _is_stable(summaries: list[Floats]) -> bool:
    """Whether twice the standard deviation of every average is below the tolerance (JCGM 101:2008, 7.9.4)."""
    if len(summaries) < 3:
        return False
    stacked = np.stack(summaries)
    spread = 2 * stacked.std(axis=0, ddof=1) / math.sqrt(len(summaries))
    limits = [tolerance(standard, DIGITS) for standard in stacked[:, 1].mean(axis=0).tolist()]
    return bool((spread <= np.array(limits)).all())
