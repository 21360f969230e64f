"""What each edge would change: the first-order effect of replacing what it carries by its value in another run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import networkx as nx
import numpy as np

from cgraph.algorithms.sweeps import reverse_steps
from cgraph.model.errors import CGraphError, EvaluationError, MissingValueError
from cgraph.model.evaluation import is_computed, linearize
from cgraph.model.graph import ComputationalGraph, Node, require_digraph, require_node, topological_order
from cgraph.model.linearized import edge_derivative, identity, size_of
from cgraph.model.values import as_value, is_finite, show_shape

__all__ = ["edge_attributions"]


def edge_attributions(
    L: nx.DiGraph[Any],
    t: Node,
    change: Mapping[Any, Any] | nx.DiGraph[Any],
    *,
    steps: int | None = None,
    derivative: str = "derivative",
) -> dict[tuple[Any, Any], float]:
    """Return S(j,t) z(i,j) (y'(i) - y(i)) for every edge (i, j): what replacing the message on it would change.

    Parameters
    ----------
    L : networkx.DiGraph
        Linearized, y(i) as ``value`` on the nodes. Not modified.
    t : node
        The node whose change is estimated; its value is one number.
    change : dict or networkx.DiGraph
        The other run: ``{i: y'(i)}``, as `evaluate` returns it, where nodes that are not named keep their value; or a
        linearized graph of the same nodes.
    steps : int, optional
        Take, in place of the derivatives at y, their mean over so many points on the straight line from the sources
        of y to those of y' (integrated gradients); every computed node of `L` must then have an equation.
    derivative : str, default "derivative"
        The edge attribute that holds z.

    Returns
    -------
    dict
        ``{(i, j): effect}`` for every edge in the order of `L`; 0.0 where no path leads on to `t`.

    Raises
    ------
    MissingValueError
        If a node whose edges count has no value, here or in the other run.
    CGraphError
        If `t` is no number, a value does not fit, `steps` is no positive number, or there are no equations to evaluate
        between the runs; otherwise as `sensitivities`.

    Notes
    -----
    One reverse sweep whatever the number of edges, and a product for each; with `steps`, one evaluation and one sweep for
    each step. On a linear graph the effect is exact: to patch one edge changes y(t) by it. The effects of the edges into
    a node add up to what its own change is worth to first order. Source: edge attribution patching (A. Syed, C. Rager,
    A. Conmy, "Attribution patching outperforms automated circuit discovery", 2023); integrated gradients (M.
    Sundararajan, A. Taly, Q. Yan, ICML 2017).

    Examples
    --------
    >>> from cgraph import from_equations
    >>> G = from_equations("a = 2*x; y = 3*a + x*z", x=1.0, z=4.0)
    >>> edge_attributions(linearize(G), "y", linearize(G, {"x": 2.0}))
    {('x', 'a'): 6.0, ('x', 'y'): 4.0, ('z', 'y'): 0.0, ('a', 'y'): 6.0}
    >>> edge_attributions(linearize(from_equations("y = x^2", x=1.0)), "y", {"x": 3.0}, steps=4)  # 9 - 1
    {('x', 'y'): 8.0}
    """
    require_digraph(L)
    require_node(L, t)
    if size_of(L, t, derivative) is not None:
        raise CGraphError(f"node {t!r} is an array; effects are computed for a number, such as a sum or an entry of it")
    other = _other_run(L, change)
    gradients = _gradients(L, t, derivative) if steps is None else _mean_gradients(L, t, other, steps)
    effects = {}
    for i, j in L.edges:
        g = gradients.get((i, j), 0)
        effects[i, j] = 0.0 if isinstance(g, int) else _finite(g @ _difference(L, i, other), i, j)
    return effects


def _gradients(L: nx.DiGraph[Any], t: Node, derivative: str) -> dict[tuple[Any, Any], Any]:
    """Return S(j,t) z(i,j) as a row for every edge that leads to `t`."""
    steps = reverse_steps(L, topological_order(L), {t: identity(None)}, edge_derivative(L, derivative))
    found = {(i, j): term for i, terms, _ in steps for j, term in terms.items()}
    return {edge: g if type(g) is int else np.asarray(g, float).reshape(-1) for edge, g in found.items()}


def _mean_gradients(L: nx.DiGraph[Any], t: Node, other: Mapping[Any, Any], steps: int) -> dict[tuple[Any, Any], Any]:
    """Return the mean of the rows over the middles of `steps` parts of the line between the sources of both runs."""
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise CGraphError(f"steps must be a positive whole number, not {steps!r}")
    sources = [i for i in L if not is_computed(L, i)]
    if not isinstance(L, ComputationalGraph) or any(L.pred[i] for i in sources):
        raise CGraphError(
            "steps= evaluates the graph between both runs, for which every computed node needs an equation"
        )
    varied = [i for i in sources if L.nodes[i].get("role") in {"input", "weight"}]
    total: dict[tuple[Any, Any], Any] = {}
    for k in range(steps):
        at = {i: np.asarray(_value(L, i)) + (k + 0.5) / steps * _difference(L, i, other, flat=False) for i in varied}
        for edge, g in _gradients(linearize(L, at), t, "derivative").items():
            total[edge] = total.get(edge, 0) + g
    return {edge: g if type(g) is int else g / steps for edge, g in total.items()}


def _other_run(L: nx.DiGraph[Any], change: Mapping[Any, Any] | nx.DiGraph[Any]) -> Mapping[Any, Any]:
    """Return {i: y'(i)} of the nodes that have another value."""
    if isinstance(change, nx.Graph):
        return {i: change.nodes[i]["value"] for i in L if i in change and change.nodes[i].get("value") is not None}
    if not isinstance(change, Mapping):
        raise CGraphError(f"the other run must be a mapping from nodes or a linearized graph, not {change!r}")
    require_node(L, *change)
    return change


def _difference(L: nx.DiGraph[Any], i: Node, other: Mapping[Any, Any], *, flat: bool = True) -> Any:
    """Return y'(i) - y(i), by default flat."""
    y = np.asarray(_value(L, i))
    if i not in other:
        return np.zeros(y.size if flat else y.shape)
    try:
        changed = np.asarray(as_value(other[i]))
    except (TypeError, ValueError) as error:
        raise CGraphError(f"node {i!r} cannot be changed to {other[i]!r}, which {error}") from None
    if changed.shape != y.shape:
        raise CGraphError(f"node {i!r} is {show_shape(y)}, and in the other run {show_shape(changed)}")
    return (changed - y).reshape(-1) if flat else changed - y


def _value(L: nx.DiGraph[Any], i: Node) -> Any:
    if (value := L.nodes[i].get("value")) is None:
        raise MissingValueError(
            f"node {i!r} has no value; an effect needs the values of both runs, linearize(G) gives them"
        )
    return value


def _finite(effect: Any, i: Node, j: Node) -> float:
    if not is_finite(float(effect)):
        raise EvaluationError(f"the effect of edge {i!r} -> {j!r} overflows")
    return float(effect)
