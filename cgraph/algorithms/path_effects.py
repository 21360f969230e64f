"""Effects along single paths, with standard errors, on graphs whose edges hold estimated coefficients."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np

from cgraph.algorithms.coefficients import Coefficients
from cgraph.algorithms.estimates import Estimate
from cgraph.algorithms.paths import PATH_LIMIT, paths
from cgraph.model.errors import UncertaintyError
from cgraph.model.graph import Node, require_digraph

__all__ = ["PathEffect", "path_effects", "standardize"]

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class PathEffect(Estimate):
    """The effect along one path: the product of its coefficients, with its standard error.

    Attributes
    ----------
    path : tuple of nodes
        From s to t.
    """

    path: tuple[Any, ...] = ()

    @property
    def product(self) -> float:
        """The product of the coefficients along the path."""
        return self.value


def path_effects(
    L: nx.DiGraph[Any],
    s: Node,
    t: Node,
    *,
    covariance: Mapping[str, Any],
    bootstrap: int = 0,
    seed: int = 0,
    limit: int | None = PATH_LIMIT,
    derivative: str = "derivative",
) -> list[PathEffect]:
    """Return the effect of `s` on `t` along every path, each with its standard error.

    Parameters
    ----------
    L : networkx.DiGraph
        Acyclic; edge (i, j) holds an estimated coefficient. Not modified.
    s, t : node
        Both ends.
    covariance : dict
        ``{"edges": [(i, j), ...], "matrix": [[...]]}`` of the coefficients; those of other edges are exact.
    bootstrap : int, default 0
        The number of random sets of coefficients that are drawn from their normal distribution. `PathEffect.interval`
        then takes percentiles of the products: the Monte Carlo method of MacKinnon, Lockwood and Williams [2]_.
    seed : int, default 0
        Of the random numbers.
    limit : int or None
        The most paths, as in `paths`.
    derivative : str, default "derivative"
        The edge attribute that holds the coefficients.

    Returns
    -------
    list of PathEffect
        With ``.path``, ``.product``, ``.standard_error``, ``.z``, ``.p`` and ``.interval(p)``; the largest ``|product|``
        first.

    Raises
    ------
    UncertaintyError
        If `covariance` is no covariance matrix of edges of `L`.
    CGraphError
        As `paths`.

    Notes
    -----
    The delta method [1]_: the derivative of a product with respect to one of its coefficients is the product of the
    others.

    References
    ----------
    .. [1] M. E. Sobel, "Asymptotic confidence intervals for indirect effects in structural equation models",
       Sociological Methodology 13, 1982.
    .. [2] D. P. MacKinnon, C. M. Lockwood, J. Williams, "Confidence limits for the indirect effect", Multivariate Behavioral
       Research 39(1), 2004.

    Examples
    --------
    >>> L = nx.DiGraph()
    >>> L.add_weighted_edges_from([("x", "m", 2.0), ("m", "y", 4.0)], "derivative")
    >>> M = {"edges": [("x", "m"), ("m", "y")], "matrix": [[0.5625, 0.0], [0.0, 4.0]]}
    >>> (found,) = path_effects(L, "x", "y", covariance=M)
    >>> found.path, found.product, found.standard_error  # sqrt((4 * 0.75)^2 + (2 * 2)^2)
    (('x', 'm', 'y'), 8.0, 5.0)
    """
    coefficients = Coefficients(L, covariance, derivative)
    draws = coefficients.draws(bootstrap, seed) if bootstrap else None
    rows = [
        _path_effect(path, product, coefficients, draws)
        for path, product in paths(L, s, t, limit=limit, derivative=derivative)
    ]
    return sorted(rows, key=lambda row: -abs(row.value))


def _path_effect(path: tuple[Any, ...], product: Any, known: Coefficients, draws: Floats | None) -> PathEffect:
    edges = list(pairwise(path))
    gradient = np.zeros(len(known.edges))
    for edge in edges:
        if edge in known.place:
            gradient[known.place[edge]] = math.prod(known.values[other] for other in edges if other != edge)
    resampled: tuple[float, ...] = ()
    if draws is not None:
        columns = [draws[:, known.place[edge]] if edge in known.place else known.values[edge] for edge in edges]
        resampled = tuple(sorted((np.ones(len(draws)) * math.prod(columns)).tolist()))
    return PathEffect(float(product), known.standard_error(gradient), resampled, path)


def standardize(
    L: nx.DiGraph[Any], deviations: Mapping[Any, float], *, derivative: str = "derivative"
) -> nx.DiGraph[Any]:
    """Return a copy of `L` with standardized coefficients: z(i,j) sd(i) / sd(j).

    Parameters
    ----------
    L : networkx.DiGraph
        Edge (i, j) holds a coefficient.
    deviations : dict
        ``{node: standard deviation}`` of every node with an edge.
    derivative : str, default "derivative"
        The edge attribute.

    Returns
    -------
    networkx.DiGraph
        Effects on it are in standard deviations of t for one standard deviation of s.

    Raises
    ------
    UncertaintyError
        If a deviation is missing or not positive.

    Examples
    --------
    >>> L = nx.DiGraph()
    >>> L.add_edge("x", "y", derivative=3.0)
    >>> standardize(L, {"x": 2.0, "y": 12.0}).edges["x", "y"]["derivative"]
    0.5
    """
    require_digraph(L)
    H = L.copy()
    for i, j, data in H.edges(data=True):
        data[derivative] = data[derivative] * _deviation(i, deviations) / _deviation(j, deviations)
    return H


def _deviation(i: Node, deviations: Mapping[Any, float]) -> float:
    found = deviations.get(i)
    if found is None or not found > 0 or not math.isfinite(found):
        raise UncertaintyError(f"node {i!r} needs a standard deviation that is positive, not {found!r}")
    return float(found)
