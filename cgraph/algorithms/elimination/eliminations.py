"""The Jacobian by elimination: vertices, edges or faces are taken out until only inputs and outputs are left.

    vertex j         z(i,k) += z(j,k) z(i,j)   for every predecessor i and every successor k of j; j goes
    edge, at front   z(i,k) += z(j,k) z(i,j)   for every successor k of j; (i,j) goes
    edge, at back    z(h,j) += z(i,j) z(h,i)   for every predecessor h of i; (i,j) goes

Choosing the order is apart from this: see `elimination_order`. Faces are in `cgraph.algorithms.elimination.faces`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx

from cgraph.algorithms.elimination.elimination_graph import EliminationGraph, require_order
from cgraph.model.errors import OrderError
from cgraph.model.graph import Node

__all__ = [
    "Elimination",
    "as_edge_order",
    "eliminate",
    "eliminate_edges",
    "intermediates",
    "take_edge",
    "take_edges_of",
]


@dataclass(frozen=True, eq=False)
class Elimination:
    """The outcome of an elimination.

    Attributes
    ----------
    graph : networkx.DiGraph
        The inputs and the outputs; edge (i, o) holds S(i,o), and there is no edge where no path leads from i to o.
        A node that is both has an edge to itself that holds 1.0, or the identity.
    multiplications, additions : int
        How many were performed, of scalars.
    """

    graph: nx.DiGraph[Any]
    multiplications: int
    additions: int


def intermediates(
    L: nx.DiGraph[Any],
    *,
    inputs: Iterable[Node] | None = None,
    outputs: Iterable[Node] | None = None,
    derivative: str = "derivative",
) -> list[Any]:
    """Return the nodes that an order has to hold, each once, in the order of `L`.

    Parameters
    ----------
    L, inputs, outputs, derivative
        As in `eliminate`.

    Returns
    -------
    list of nodes
        All but the inputs that no node feeds and the outputs that feed no node.

    Raises
    ------
    CGraphError
        As `eliminate`.

    Notes
    -----
    O(V + E). An input that is fed, or an output that feeds, is eliminated as far as others are concerned: paths
    no longer pass through it, and its own derivatives stay.

    Examples
    --------
    >>> L = nx.DiGraph()
    >>> L.add_weighted_edges_from([("x", "a", 2.0), ("a", "y", 5.0)], "derivative")
    >>> intermediates(L), intermediates(L, outputs=["a", "y"]), intermediates(L, outputs=["a"])
    (['a'], ['a'], ['a', 'y'])
    """
    E = EliminationGraph(L, inputs, outputs, cost="standard", unit="unit", derivative=derivative)
    return E.intermediates


def eliminate(
    L: nx.DiGraph[Any],
    order: Sequence[Node],
    *,
    inputs: Iterable[Node] | None = None,
    outputs: Iterable[Node] | None = None,
    cost: str = "standard",
    unit: str = "unit",
    derivative: str = "derivative",
) -> Elimination:
    """Return the Jacobian of `outputs` with respect to `inputs`, by eliminating vertices in `order`.

    Parameters
    ----------
    L : networkx.DiGraph
        Acyclic; edge (i, j) holds z(i,j) = dy(j)/dy(i): a number, or an array of shape (size of y(j), size of
        y(i)). Not modified.
    order : sequence of nodes
        The `intermediates`, each once; `elimination_order` finds a good one.
    inputs, outputs : iterable of nodes, optional
        The sources and the sinks of `L` if not given. They may overlap, and may lie between other nodes.
    cost : {"standard", "unit"}, default "standard"
        "unit" performs no multiplication by a structural +1 or -1, and counts none.
    unit : str, default "unit"
        The edge attribute that is true where z(i,j) is +1 or -1 at every point; read for ``cost="unit"`` alone.
    derivative : str, default "derivative"
        The edge attribute that holds z.

    Returns
    -------
    Elimination
        ``.graph``, whose edges hold the Jacobian, ``.multiplications`` and ``.additions``.

    Raises
    ------
    OrderError
        If `order` is not an order of the intermediate nodes.
    NodeNotFound, CycleError, DerivativeError, EvaluationError
        As `sensitivities`; DerivativeError also if matrices do not fit together, or a marked edge is not +1 or -1.

    See Also
    --------
    elimination_order : orders, by rule, by search or proven optimal.
    check_elimination : the result beside the sweeps.
    eliminate_edges, eliminate_faces : finer steps.

    Notes
    -----
    Eliminating j costs ``|pred(j)| * |succ(j)|`` multiplications, and as many additions less the new edges [1]_.
    Reverse and forward mode are the orders from the outputs and from the inputs.

    References
    ----------
    .. [1] A. Griewank, S. Reese, "On the calculation of Jacobian matrices by the Markowitz rule", in Automatic
       Differentiation of Algorithms: Theory, Implementation, and Application, SIAM 1991.

    Examples
    --------
    >>> L = nx.DiGraph()
    >>> L.add_weighted_edges_from([("x", "a", 2.0), ("a", "y", 5.0), ("a", "u", 7.0), ("x", "y", 3.0)], "derivative")
    >>> result = eliminate(L, ["a"])  # 5*2 + 3 and 7*2
    >>> list(result.graph.edges(data="derivative"))
    [('x', 'y', 13.0), ('x', 'u', 14.0)]
    >>> result.multiplications, result.additions
    (2, 1)
    """
    E = EliminationGraph(L, inputs, outputs, cost=cost, unit=unit, derivative=derivative)
    require_order(E, order)
    for j in order:
        for i in list(E.pred[j]):
            for k in E.succ[j]:
                E.bypass(i, j, k)
        E.remove_node(j)
    return Elimination(E.jacobian(derivative), E.tally.multiplications, E.tally.additions)


def eliminate_edges(
    L: nx.DiGraph[Any],
    order: Iterable[tuple[Node, Node, str]],
    *,
    inputs: Iterable[Node] | None = None,
    outputs: Iterable[Node] | None = None,
    cost: str = "standard",
    unit: str = "unit",
    derivative: str = "derivative",
) -> Elimination:
    """Return the Jacobian by eliminating edges, each at its front or at its back.

    Parameters
    ----------
    L, inputs, outputs, cost, unit, derivative
        As in `eliminate`.
    order : iterable of (i, j, side)
        ``side`` is "front": (i, j) is joined with every edge that leaves j; or "back": with every edge that enters
        i. The edge must be there when its turn comes; an edge may come back as fill-in and be eliminated again.

    Returns
    -------
    Elimination
        As `eliminate`.

    Raises
    ------
    OrderError
        If an edge is not there, cannot be eliminated on that side, or an intermediate node is left at the end.
    CGraphError
        As `eliminate`.

    Notes
    -----
    At the front (i, j) costs ``|succ(j)|`` multiplications, at the back ``|pred(i)|``. A node that has lost its
    last edge on one side goes with the others. Vertex elimination of j is the elimination of all edges into j at
    the front, or of all edges out of j at the back; some graphs have cheaper orders of edges than of vertices
    [1]_.

    References
    ----------
    .. [1] U. Naumann, "Optimal accumulation of Jacobian matrices by elimination methods on the dual computational
       graph", Mathematical Programming 99(3), 2004.

    Examples
    --------
    >>> L = nx.DiGraph()
    >>> L.add_weighted_edges_from([("x", "a", 2.0), ("a", "y", 5.0), ("a", "u", 7.0), ("x", "y", 3.0)], "derivative")
    >>> result = eliminate_edges(L, [("a", "y", "back"), ("x", "a", "front")])
    >>> list(result.graph.edges(data="derivative")), result.multiplications
    ([('x', 'y', 13.0), ('x', 'u', 14.0)], 2)
    """
    E = EliminationGraph(L, inputs, outputs, cost=cost, unit=unit, derivative=derivative)
    for i, j, side in map(_step, order):
        _require_step(E, i, j, side)
        take_edge(E, i, j, side)
    for j in E.intermediates:
        if E.pred.get(j) and E.succ.get(j):
            raise OrderError(f"the order ends before node {j!r} is eliminated; append its edges, front or back")
    return Elimination(E.jacobian(derivative), E.tally.multiplications, E.tally.additions)


def as_edge_order(
    L: nx.DiGraph[Any],
    order: Sequence[Node],
    *,
    inputs: Iterable[Node] | None = None,
    outputs: Iterable[Node] | None = None,
    derivative: str = "derivative",
) -> list[tuple[Any, Any, str]]:
    """Return the order of edges that does what `order` does with vertices.

    Parameters
    ----------
    L, order, inputs, outputs, derivative
        As in `eliminate`.

    Returns
    -------
    list of (i, j, side)
        For `eliminate_edges`: every edge into each node at its front, fill-in included, when the node's turn comes;
        the edges out of a node that nothing enters, at their back.

    Raises
    ------
    CGraphError
        As `eliminate`.

    Notes
    -----
    As `eliminate`, which it runs.

    Examples
    --------
    >>> L = nx.DiGraph()
    >>> L.add_weighted_edges_from([("x", "a", 2.0), ("a", "b", 5.0), ("b", "y", 7.0)], "derivative")
    >>> as_edge_order(L, ["a", "b"])
    [('x', 'a', 'front'), ('x', 'b', 'front')]
    """
    E = EliminationGraph(L, inputs, outputs, cost="standard", unit="unit", derivative=derivative)
    require_order(E, order)
    return [step for j in order for step in take_edges_of(E, j)]


def take_edges_of(E: EliminationGraph, j: Node) -> list[tuple[Any, Any, str]]:
    """Eliminate the edges into `j` at their front, or those out of it at their back, and return the steps."""
    steps: list[tuple[Any, Any, str]] = []
    # A node without predecessors goes when its edges do, at no cost.
    while j in E.pred and (E.pred[j] or E.succ[j]):
        steps.append((next(iter(E.pred[j])), j, "front") if E.pred[j] else (j, next(iter(E.succ[j])), "back"))
        take_edge(E, *steps[-1])
    return steps


def take_edge(E: EliminationGraph, i: Node, j: Node, side: str) -> None:
    """Join edge (i, j) with those that follow it, or with those before it, and take it out."""
    if side == "front":
        for k in E.succ[j]:
            E.bypass(i, j, k)
    else:
        for h in E.pred[i]:
            E.bypass(h, i, j)
    E.remove_edge(i, j)
    middle = j if side == "front" else i
    if not E.pred[middle] or not E.succ[middle]:
        E.remove_node(middle)


def _step(step: Any) -> tuple[Node, Node, str]:
    """Return a step of an order of edges; raise `OrderError` if it is none."""
    if isinstance(step, str) or not isinstance(step, Sequence) or len(step) != 3:
        raise OrderError(
            f"{step!r} is no edge with a side, as in ('a', 'y', 'front'); as_edge_order makes them of nodes"
        )
    i, j, side = step
    return i, j, side


def _require_step(E: EliminationGraph, i: Node, j: Node, side: str) -> None:
    """Raise `OrderError` unless edge (i, j) is there and a node that can go stands on that side of it."""
    if side not in ("front", "back"):
        raise OrderError(f"edge {i!r} -> {j!r} cannot be eliminated at {side!r}; write 'front' or 'back'")
    if j not in E.succ.get(i, ()):
        raise OrderError(f"there is no edge {i!r} -> {j!r} to eliminate at this point; leave it out, or put it later")
    end, terminals = (j, E.outputs) if side == "front" else (i, E.inputs)
    if end in terminals:
        other = "back" if side == "front" else "front"
        raise OrderError(f"edge {i!r} -> {j!r} has no {side}: {end!r} stays in the Jacobian; eliminate it at {other!r}")
