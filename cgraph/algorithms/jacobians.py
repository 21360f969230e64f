"""The matrix of S for several sources and targets, by sweeps or by elimination, and a comparison of both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import networkx as nx
import numpy as np

from cgraph.algorithms.elimination import Elimination, eliminate, elimination_order
from cgraph.algorithms.engines import compiled_if_it_pays, keeps_digits
from cgraph.algorithms.sweeps import forward_sweep, reverse_sweep, sensitivities_from
from cgraph.model.errors import CGraphError, EvaluationError
from cgraph.model.graph import Node, list_of_nodes, require_node, topological_order
from cgraph.model.linearized import as_result, edge_derivative, finished, identity, node_sizes, require_digraph, size_of
from cgraph.vocabulary import LAYOUTS

__all__ = ["check_elimination", "jacobian"]


def jacobian(
    G: nx.DiGraph[Any],
    sources: Sequence[Node],
    targets: Sequence[Node],
    *,
    order: str | Sequence[Node] | None = None,
    layout: str = "numerator",
    tensor: bool = False,
    derivative: str = "derivative",
) -> np.ndarray[Any, Any]:
    """Return the matrix of S(s,t), a row for each entry of the targets and a column for each entry of the sources.

    Parameters
    ----------
    G, derivative
        As in `sensitivities`.
    sources, targets : sequence of nodes
        The nodes that are varied, and the nodes whose values are differentiated.
    order : str or sequence of nodes, optional
        By elimination instead of sweeps: a method of `elimination_order`, or an order that it found before.
    layout : {"numerator", "denominator"}, default "numerator"
        Row t is the gradient of y(t); or column t is, the transpose.
    tensor : bool, default False
        Of one source and one target, the array with the axes of y(t) and then those of y(s), or the other way round
        in denominator layout.

    Returns
    -------
    ndarray, shape (m, n)
        m counts the entries of all targets and n those of all sources, one of a number; arrays are flattened by rows.
        Of floats, or of the number type of the edges.

    Raises
    ------
    CGraphError
        As `sensitivities`, or if a list of nodes is text, there is no such layout, or a tensor of several nodes is asked for.

    Notes
    -----
    One sweep of O(V + E) for each source, forward, if they have fewer entries than the targets, or else for each
    target, reverse, over what lies between sources and targets: only there an edge needs a derivative. With an `order`,
    as `eliminate`. The layouts are those of MATH 565, lecture 26, and 10-301/601,
    lecture 13; the tensor is that of CSE463 (section 5.4).

    Examples
    --------
    >>> G = nx.DiGraph()
    >>> G.add_weighted_edges_from([("x", "y", 3.0), ("x", "u", 2.0), ("z", "u", 7.0)], "derivative")
    >>> jacobian(G, ["x", "z"], ["y", "u"])
    array([[3., 0.],
           [2., 7.]])
    >>> from cgraph import from_equations, linearize
    >>> L = linearize(from_equations("f = A @ x", A=[[1, 2], [3, 4]], x=[5, 6]))
    >>> jacobian(L, ["A"], ["f"])  # I (x) x^T
    array([[5., 6., 0., 0.],
           [0., 0., 5., 6.]])
    >>> jacobian(L, ["A"], ["f"], tensor=True).shape  # df_i / dA_kl
    (2, 2, 2)
    """
    require_digraph(G)
    sources, targets = list_of_nodes(sources), list_of_nodes(targets)
    require_node(G, *sources, *targets)
    if layout not in LAYOUTS:
        raise CGraphError(f"there is no layout {layout!r}; the layouts are {' and '.join(LAYOUTS)}")
    if tensor and (len(sources), len(targets)) != (1, 1):
        raise CGraphError(f"a tensor is of one source and one target, not of {len(sources)} and {len(targets)}")
    S = _matrix(G, sources, targets, order, derivative)
    if tensor:
        shapes = [
            np.shape(G.nodes[i].get("value", np.empty(n))) for i, n in zip((*targets, *sources), S.shape, strict=True)
        ]
        if layout == "denominator":
            return S.T.reshape(shapes[1] + shapes[0])
        return S.reshape(shapes[0] + shapes[1])
    return S.T if layout == "denominator" else S


def _matrix(
    G: nx.DiGraph[Any],
    sources: Sequence[Node],
    targets: Sequence[Node],
    order: str | Sequence[Node] | None,
    derivative: str,
) -> np.ndarray[Any, Any]:
    """Return the matrix of `jacobian` in numerator layout."""
    if order is not None:
        rows = _by_elimination(G, sources, targets, order, derivative)
    else:
        C = compiled_if_it_pays(G, min(len(sources), len(targets)), derivative)
        if C is not None and keeps_digits(J := C.jacobian(sources, targets)):
            return J
        rows = _by_sweeps(G, sources, targets, derivative)
    if any(isinstance(S, np.ndarray) for row in rows for S in row):
        return np.block(rows)
    return np.array(rows).reshape(len(targets), len(sources))


def _by_sweeps(
    G: nx.DiGraph[Any], sources: Sequence[Node], targets: Sequence[Node], derivative: str
) -> list[list[Any]]:
    """Return the rows of the matrix: sweeps over what lies between sources and targets, in the direction with fewer entries."""
    z, size = edge_derivative(G, derivative), node_sizes(G, derivative)
    between = _between(G, set(sources), set(targets))
    if _entries(G, sources, derivative) < _entries(G, targets, derivative):
        from_s = {s: forward_sweep(G, between, {s: identity(size(s))}, z) for s in sources}
        found = {(s, t): S.get(t, 0) for s, S in from_s.items() for t in targets}
    else:
        to_t = {t: reverse_sweep(G, between, {t: identity(size(t))}, z) for t in targets}
        found = {(s, t): S.get(s, 0) for t, S in to_t.items() for s in sources}
    return _rows(found, sources, targets, size)


def _between(G: nx.DiGraph[Any], sources: set[Node], targets: set[Node]) -> list[Any]:
    """Return the nodes that depend on a source and lead to a target, in topological order."""
    order = topological_order(G)
    depends, leads = set(sources), set(targets)
    for i in order:
        if i in depends:
            depends.update(G.successors(i))
    for i in reversed(order):
        if i in leads:
            leads.update(G.predecessors(i))
    return [i for i in order if i in depends and i in leads]


def _rows(
    found: dict[tuple[Node, Node], Any], sources: Sequence[Node], targets: Sequence[Node], size: Callable[[Node], Any]
) -> list[list[Any]]:
    """Return ``{(s, t): S(s,t)}`` as rows, a number or a matrix for each pair."""
    results = finished({(s, t): as_result(S, size, s, t) for (s, t), S in found.items()})
    entries = dict(zip(found, results, strict=True))
    return [[entries[s, t] for s in sources] for t in targets]


def _by_elimination(
    G: nx.DiGraph[Any],
    sources: Sequence[Node],
    targets: Sequence[Node],
    order: str | Sequence[Node],
    derivative: str,
) -> list[list[Any]]:
    """Return the rows of the matrix, by elimination in this order or by this method."""
    if isinstance(order, str):
        order = elimination_order(G, method=order, inputs=sources, outputs=targets, derivative=derivative)
    S = eliminate(G, order, inputs=sources, outputs=targets, derivative=derivative).graph.adj
    size = node_sizes(G, derivative)
    found = {(s, t): S[s][t][derivative] if t in S[s] else 0 for t in targets for s in sources}
    found |= {(i, i): identity(size(i)) for i in sources if i in targets}
    return _rows(found, sources, targets, size)


def _entries(G: nx.DiGraph[Any], nodes: Sequence[Node], derivative: str) -> int:
    return sum(size_of(G, i, derivative) or 1 for i in nodes)


def check_elimination(
    L: nx.DiGraph[Any], result: Elimination, *, tolerance: float = 1e-9, derivative: str = "derivative"
) -> float:
    """Compare every S(i,o) of an elimination with the one that a sweep finds, and return the largest difference.

    Every order gives the same sums of products, but not in the same order of rounding: where large terms cancel, a
    bad order loses digits that the sweeps keep, or the other way round.

    Parameters
    ----------
    L : networkx.DiGraph
        What was eliminated, with numbers on its edges. Not modified.
    result : Elimination
        Of `eliminate`, `eliminate_edges` or `eliminate_faces`.
    tolerance : float, default 1e-9
        The largest difference allowed, relative to the larger of the two numbers.
    derivative : str, default "derivative"
        The edge attribute that holds z.

    Returns
    -------
    float
        The largest relative difference.

    Raises
    ------
    EvaluationError
        If it exceeds `tolerance`: the message names the worst pair.
    CGraphError
        As `sensitivities`; matrices on edges are not checked.

    Notes
    -----
    One forward sweep for each input, O(V + E).

    Examples
    --------
    >>> from cgraph import eliminate
    >>> L = nx.DiGraph()
    >>> L.add_weighted_edges_from([("x", "a", 2.0), ("a", "y", 5.0), ("x", "y", 3.0)], "derivative")
    >>> check_elimination(L, eliminate(L, ["a"]))
    0.0
    """
    worst, message = 0.0, ""
    sources = [i for i in result.graph if result.graph.succ[i]]
    for i in sources:
        by_sweep = sensitivities_from(L, i, derivative=derivative)
        for o, data in result.graph.succ[i].items():
            a, b = data[derivative], by_sweep[o]
            difference = float(np.max(abs(a - b)) / max(np.max(abs(a)), np.max(abs(b)))) if np.any(a != b) else 0.0
            if difference > worst:
                worst, message = difference, f"S({i}, {o}) is {a!r} by elimination and {b!r} by a sweep"
    if worst > tolerance:
        raise EvaluationError(f"{message}: large terms cancel; take another order, or Fractions for the derivatives")
    return worst
