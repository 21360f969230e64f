"""What every algorithm asks of a linearized graph: the derivative on an edge, and what lies between two nodes."""

from __future__ import annotations

import cmath
from collections.abc import Callable
from typing import Any

import networkx as nx

from cgraph.model.errors import CGraphError, CycleError, DerivativeError, EvaluationError, MissingDerivativeError
from cgraph.model.graph import Node

__all__ = ["edge_derivative", "finite", "nodes_between", "require_digraph"]

# Floats, complex numbers, Fractions or symbols: whatever can be added and multiplied.
Scalar = Any


def edge_derivative(G: nx.DiGraph[Any], derivative: str) -> Callable[[Node, Node], Scalar]:
    """Return the function z with z(i, j) = dy(j)/dy(i), which refuses an edge that holds no finite derivative."""
    require_digraph(G)

    def z(i: Node, j: Node) -> Scalar:
        value = G.get_edge_data(i, j).get(derivative)
        if type(value) is float and abs(value) < cmath.inf:
            return value
        return _checked(value, i, j, G.get_edge_data(i, j), derivative)

    return z


def require_digraph(G: nx.DiGraph[Any]) -> None:
    """Raise `CGraphError` unless `G` is a networkx DiGraph with at most one edge from node to node."""
    if not isinstance(G, nx.DiGraph) or G.is_multigraph():
        raise CGraphError(
            f"a networkx.DiGraph is needed, not {type(G).__name__}; parallel edges become one edge "
            f"that holds the sum of their derivatives"
        )


def nodes_between(G: nx.DiGraph[Any], s: Node, t: Node) -> list[Any]:
    """Return the nodes on paths from `s` to `t`, tails before heads; none if there is no path.

    Raises
    ------
    CycleError
        If there is a cycle among them.

    Notes
    -----
    A search back from `t`, then one from `s` within what it found: O(V + E) of the ancestors of `t`, nothing of
    the rest of the graph is looked at.
    """
    leads_to_t = nx.ancestors(G, t) | {t}
    if s not in leads_to_t:
        return []
    finished: list[Any] = []
    is_finished = {s: False}
    branch = [(s, iter(G.successors(s)))]
    while branch:
        i, heads = branch[-1]
        for j in heads:
            if j not in leads_to_t or is_finished.get(j):
                continue
            if j in is_finished:
                cycle = [node for node, _ in branch]
                raise CycleError([*cycle[cycle.index(j) :], j])
            is_finished[j] = False
            branch.append((j, iter(G.successors(j))))
            break
        else:
            branch.pop()
            is_finished[i] = True
            finished.append(i)
    return finished[::-1]


def finite(values: dict[Any, Scalar], what: str = "S") -> list[Scalar]:
    """Return computed values, or raise `EvaluationError` for one that overflowed.

    A sweep starts from the integers 0 and 1, which leave Fractions and symbols exact. Beside those they stay as
    they are; otherwise they come out as floats.
    """
    exact = any(not isinstance(value, int | float | complex) for value in values.values())
    for nodes, value in values.items():
        if isinstance(value, float | complex) and not cmath.isfinite(value):
            where = ", ".join(map(str, nodes))
            raise EvaluationError(f"{what}({where}) overflows: the product of the derivatives exceeds 1.8e308")
    return [float(value) if type(value) is int and not exact else value for value in values.values()]


def _checked(value: object, i: Node, j: Node, data: dict[str, Any], derivative: str) -> Scalar:
    edge = f"edge {i!r} -> {j!r}"
    if value is None:
        has = ", ".join(map(repr, data)) or "no attributes"
        raise MissingDerivativeError(
            f"{edge} has no {derivative!r} (it has: {has}); run linearize(G), or pass derivative= the name of another "
            f"attribute"
        )
    if isinstance(value, bool | str | bytes) or not hasattr(value, "__mul__") or hasattr(value, "__len__"):
        raise DerivativeError(f"{edge} holds {value!r} as {derivative!r}; give it a number")
    if isinstance(value, complex):
        is_finite, value = cmath.isfinite(value), complex(value)
    elif isinstance(value, int | float) or hasattr(value, "dtype"):
        value = float(value)  # type: ignore[arg-type]  # numpy's scalars, whose overflow would only warn
        is_finite = cmath.isfinite(value)
    else:
        is_finite = bool(value == value)  # noqa: PLR0124 - Fractions and symbols are; Decimal("nan") is not
    if not is_finite:
        raise DerivativeError(f"{edge} holds {value!r} as {derivative!r}; give it a finite number")
    return value
