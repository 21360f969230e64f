"""Direct, indirect and total effect, as in path analysis.

Where the edges hold estimates with a covariance matrix M, dS(s,t)/dz(i,j) = S(s,i) S(j,t) is the gradient g of a total
effect, and its variance g^T M g: the delta method.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import networkx as nx
import numpy as np

from cgraph.algorithms.coefficients import Coefficients
from cgraph.algorithms.estimates import Estimate
from cgraph.algorithms.sweeps import forward_sweep, reverse_sweep
from cgraph.model.graph import Node, require_node
from cgraph.model.linearized import as_result, compose, edge_derivative, finished, identity, node_sizes, nodes_between

__all__ = ["Effects", "effects"]


class Effects(NamedTuple):
    """How one node acts on another: ``total = direct + indirect``."""

    direct: Any
    indirect: Any
    total: Any


def effects(
    G: nx.DiGraph[Any],
    s: Node,
    t: Node,
    *,
    covariance: Mapping[str, Any] | None = None,
    bootstrap: int = 0,
    seed: int = 0,
    derivative: str = "derivative",
) -> Effects:
    """Return the direct, the indirect and the total effect of `s` on `t`.

    Parameters
    ----------
    G, s, t, derivative
        As in `sensitivity`.
    covariance : dict, optional
        ``{"edges": [(i, j), ...], "matrix": [[...]]}``, the covariance of estimated numbers on the edges; the numbers on
        other edges are exact.
    bootstrap : int, default 0
        With a covariance: the number of random sets of coefficients that are drawn from their normal distribution.
        Intervals are then percentiles.
    seed : int, default 0
        Of the random numbers.

    Returns
    -------
    Effects
        ``direct`` is z(s,t), 0.0 if there is no such edge; ``total`` is S(s,t); ``indirect`` is what reaches `t`
        through other nodes. The effect of a node on itself is direct, 1.0. With a covariance each is an `Estimate`, with
        ``.value``, ``.standard_error``, ``.z``, ``.p`` and ``.interval(p)``.

    Raises
    ------
    CGraphError
        As `sensitivity`.
    UncertaintyError
        If `covariance` is no covariance matrix of edges of `G`.

    Notes
    -----
    One sweep, O(V + E); with a covariance one from each end. On a graph whose edges hold path coefficients these are the
    effects of path analysis [1]_, and the standard errors those of the delta method [2]_.

    References
    ----------
    .. [1] S. Wright, "The method of path coefficients", Annals of Mathematical Statistics 5(3), 1934.
    .. [2] M. E. Sobel, "Asymptotic confidence intervals for indirect effects in structural equation models",
       Sociological Methodology 13, 1982.

    Examples
    --------
    >>> G = nx.DiGraph()
    >>> G.add_weighted_edges_from([("x", "a", 2.0), ("a", "y", 5.0), ("x", "y", 3.0)], "derivative")
    >>> effects(G, "x", "y")
    Effects(direct=3.0, indirect=10.0, total=13.0)
    >>> M = {"edges": [("x", "a"), ("x", "y")], "matrix": [[0.01, 0.0], [0.0, 0.04]]}
    >>> effects(G, "x", "y", covariance=M).indirect  # 5 * 0.1
    Estimate(value=10.0, standard_error=0.5, bootstrap=())
    """
    z, size = edge_derivative(G, derivative), node_sizes(G, derivative)
    require_node(G, s, t)
    found = _effects(G, s, t, z, size)
    if covariance is None:
        return found
    return _estimated(G, s, t, found, Coefficients(G, covariance, derivative), bootstrap, seed, derivative)


def _effects(G: nx.DiGraph[Any], s: Node, t: Node, z: Callable[..., Any], size: Callable[..., Any]) -> Effects:
    one = identity(size(t))
    S = reverse_sweep(G, nodes_between(G, s, t), {t: one}, z)
    direct = z(s, t) if G.has_edge(s, t) else one if s == t else 0
    # Summed by itself: total - direct would lose a small indirect effect beside a large direct one.
    indirect = sum(compose(S[j], z(s, j)) for j in G.successors(s) if j in S and j != t)
    found = {"direct": direct, "indirect": indirect, "total": S.get(s, 0)}
    return Effects(*finished({(name, s, t): as_result(value, size, s, t) for name, value in found.items()}, "effect"))


def _estimated(
    G: nx.DiGraph[Any],
    s: Node,
    t: Node,
    found: Effects,
    known: Coefficients,
    bootstrap: int,
    seed: int,
    derivative: str,
) -> Effects:
    """Return the effects with their standard errors, and with percentiles if so many `bootstrap` draws are asked for."""
    total = np.array(_gradient(G, s, t, known, derivative))
    direct = np.array([float(edge == (s, t)) for edge in known.edges])
    gradients = (direct, total - direct, total)
    draws: list[Sequence[float]] = [(), (), ()]
    if bootstrap:
        size = node_sizes(G, derivative)
        drawn = [_effects(G, s, t, _drawn(known, row), size) for row in known.draws(bootstrap, seed)]
        draws = [sorted(each) for each in zip(*drawn, strict=True)]
    return Effects(
        *(
            Estimate(float(value), known.standard_error(gradient), tuple(resampled))
            for value, gradient, resampled in zip(found, gradients, draws, strict=True)
        )
    )


def _gradient(G: nx.DiGraph[Any], s: Node, t: Node, known: Coefficients, derivative: str) -> list[float]:
    """Return dS(s,t)/dz(i,j) = S(s,i) S(j,t) for the estimated edges."""
    z = edge_derivative(G, derivative)
    between = nodes_between(G, s, t)
    from_s, to_t = forward_sweep(G, between, {s: 1}, z), reverse_sweep(G, between, {t: 1}, z)
    return [float(from_s.get(i, 0) * to_t.get(j, 0)) for i, j in known.edges]


def _drawn(known: Coefficients, row: Any) -> Callable[[Node, Node], float]:
    """Return z of one random set of coefficients."""
    values = known.values | dict(zip(known.edges, row.tolist(), strict=True))
    return lambda i, j: values[i, j]
