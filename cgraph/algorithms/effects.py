"""Direct, indirect and total effect, as in path analysis."""

from __future__ import annotations

from typing import Any, NamedTuple

import networkx as nx

from cgraph.algorithms.sweeps import reverse_sweep
from cgraph.model.graph import Node, require_node
from cgraph.model.linearized import as_result, compose, edge_derivative, finished, identity, node_sizes, nodes_between

__all__ = ["Effects", "effects"]


class Effects(NamedTuple):
    """How one node acts on another: ``total = direct + indirect``."""

    direct: Any
    indirect: Any
    total: Any


def effects(G: nx.DiGraph[Any], s: Node, t: Node, *, derivative: str = "derivative") -> Effects:
    """Return the direct, the indirect and the total effect of `s` on `t`.

    Parameters
    ----------
    G, s, t, derivative
        As in `sensitivity`.

    Returns
    -------
    Effects
        ``direct`` is z(s,t), 0.0 if there is no such edge; ``total`` is S(s,t); ``indirect`` is what reaches `t`
        through other nodes. The effect of a node on itself is direct, 1.0.

    Raises
    ------
    CGraphError
        As `sensitivity`.

    Notes
    -----
    One sweep, O(V + E). On a graph whose edges hold path coefficients these are the effects of path
    analysis [1]_.

    References
    ----------
    .. [1] S. Wright, "The method of path coefficients", Annals of Mathematical Statistics 5(3), 1934.

    Examples
    --------
    >>> G = nx.DiGraph()
    >>> G.add_weighted_edges_from([("x", "a", 2.0), ("a", "y", 5.0), ("x", "y", 3.0)], "derivative")
    >>> effects(G, "x", "y")
    Effects(direct=3.0, indirect=10.0, total=13.0)
    """
    z, size = edge_derivative(G, derivative), node_sizes(G, derivative)
    require_node(G, s, t)
    one = identity(size(t))
    S = reverse_sweep(G, nodes_between(G, s, t), {t: one}, z)
    direct = z(s, t) if G.has_edge(s, t) else one if s == t else 0
    # Summed by itself: total - direct would lose a small indirect effect beside a large direct one.
    indirect = sum(compose(S[j], z(s, j)) for j in G.successors(s) if j in S and j != t)
    found = {"direct": direct, "indirect": indirect, "total": S.get(s, 0)}
    return Effects(*finished({(name, s, t): as_result(value, size, s, t) for name, value in found.items()}, "effect"))
