"""Estimated coefficients on edges, and what their covariance matrix says of functions of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import networkx as nx
import numpy as np

from cgraph.model.errors import UncertaintyError
from cgraph.model.graph import require_digraph

__all__ = ["Coefficients"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Edge = tuple[Any, Any]


class Coefficients:
    """Estimated numbers on edges, and their covariance matrix.

    Parameters
    ----------
    L : networkx.DiGraph
        Edge (i, j) holds the estimate.
    covariance : dict
        ``{"edges": [(i, j), ...], "matrix": [[...]]}``. Edges that are not named are known exactly.
    derivative : str
        The edge attribute.

    Raises
    ------
    UncertaintyError
        If an edge is not in the graph or named twice, or the matrix is no covariance matrix.
    """

    def __init__(self, L: nx.DiGraph[Any], covariance: Mapping[str, Any], derivative: str) -> None:
        require_digraph(L)
        if not isinstance(covariance, Mapping) or covariance.keys() != {"edges", "matrix"}:
            raise UncertaintyError(
                "a covariance of coefficients is given as {'edges': [(i, j), ...], 'matrix': [[...]]}"
            )
        self.edges: list[Edge] = [_edge(edge, L) for edge in covariance["edges"]]
        if len(set(self.edges)) < len(self.edges):
            twice = next(edge for edge in self.edges if self.edges.count(edge) > 1)
            raise UncertaintyError(f"the covariance names edge {twice[0]!r} -> {twice[1]!r} twice")
        self.matrix = _covariance_matrix(covariance["matrix"], self.edges)
        self.place = {edge: k for k, edge in enumerate(self.edges)}
        self.values = {(i, j): float(data[derivative]) for i, j, data in L.edges(data=True) if derivative in data}

    def standard_error(self, gradient: Floats) -> float:
        """Return the standard error of a function of the coefficients with this gradient: the delta method."""
        return math.sqrt(max(0.0, float(gradient @ self.matrix @ gradient)))

    def draws(self, number: int, seed: int) -> Floats:
        """Return random coefficients from their normal distribution, shape (number, edges)."""
        values, vectors = np.linalg.eigh(self.matrix)
        factor = vectors * np.sqrt(np.maximum(values, 0.0))
        centre = np.array([self.values[edge] for edge in self.edges])
        normal = np.random.default_rng(seed).standard_normal((number, len(self.edges)))
        return np.asarray(centre + normal @ factor.T)


def _edge(edge: Any, L: nx.DiGraph[Any]) -> Edge:
    parts = [part.strip() for part in edge.split("->")] if isinstance(edge, str) else edge
    if not isinstance(parts, list | tuple) or len(parts) != 2 or not L.has_edge(*parts):
        raise UncertaintyError(f"the covariance names {edge!r}, which is no edge of the graph")
    return parts[0], parts[1]


def _covariance_matrix(given: Any, edges: Sequence[Edge]) -> Floats:
    try:
        M = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise UncertaintyError("the covariance matrix holds something that is not a number") from None
    n = len(edges)
    if M.shape != (n, n) or not np.isfinite(M).all() or not np.allclose(M, M.T, rtol=1e-9, atol=0):
        raise UncertaintyError(
            f"the covariance matrix of {n} edges is a symmetric matrix of {n} x {n} finite numbers, not one of "
            f"{' x '.join(map(str, M.shape))}"
        )
    smallest = np.linalg.eigvalsh(M)[0] if n else 0.0
    if smallest < -1e-9 * max(np.trace(M), 1e-300):
        raise UncertaintyError(f"the covariance matrix has the eigenvalue {smallest:.3g}; a variance is not negative")
    return M
