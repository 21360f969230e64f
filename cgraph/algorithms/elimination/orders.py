"""Orders of elimination: chosen by rule, by search, or proven optimal.

Finding the cheapest order is NP-complete, so there are several methods, one row each in `METHODS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from copy import copy
from operator import itemgetter
from typing import Any

import networkx as nx

from cgraph.algorithms.elimination.bounds import LARGEST_GROUP, Bounds
from cgraph.algorithms.elimination.edge_search import anneal_edges, edge_steps
from cgraph.algorithms.elimination.elimination_graph import EliminationGraph, require_order
from cgraph.algorithms.elimination.greedy import chain, forward, markowitz, minimum_fill, relative_markowitz, reverse
from cgraph.algorithms.elimination.optimal import optimal
from cgraph.algorithms.elimination.patterns import Task
from cgraph.algorithms.elimination.search import anneal
from cgraph.model.errors import CGraphError
from cgraph.model.graph import Node
from cgraph.model.tasks import in_order

__all__ = ["METHODS", "edge_elimination_order", "elimination_bound", "elimination_cost", "elimination_order"]


def elimination_order(
    L: nx.DiGraph[Any],
    *,
    method: str = "markowitz",
    inputs: Iterable[Node] | None = None,
    outputs: Iterable[Node] | None = None,
    cost: str = "standard",
    seed: int = 0,
    budget: int | str | None = None,
    restarts: int = 1,
    executor: Executor | None = None,
    unit: str = "unit",
    derivative: str = "derivative",
) -> list[Any]:
    """Return an order in which to eliminate the nodes between `inputs` and `outputs`.

    Parameters
    ----------
    L, inputs, outputs, cost, unit, derivative
        As in `eliminate`. The numbers on the edges do not matter, only which edges there are.
    method : str, default "markowitz"
        - ``"forward"``: in topological order, one column of the Jacobian for each input
        - ``"reverse"``: heads before tails, one row for each output
        - ``"markowitz"``: always the node that is cheapest now [1]_
        - ``"relative_markowitz"``: the node whose cost now exceeds its cost at the very end the least
        - ``"minimum_fill"``: the node that adds the fewest edges; of these the cheapest
        - ``"chain"``: the matrix-chain recurrence; only if every node between has one edge in and one out
        - ``"anneal"``: simulated annealing of orders, starting from the best of the rules
        - ``"optimal"``: the least cost of all orders, proven
    seed : int, default 0
        For "anneal" and the start of "optimal". The same seed and number of evaluations give the same order.
    budget : int or str, optional
        For "anneal": a number of evaluations, 250,000 if not given, or a time such as ``"10s"``; after any budget
        there is a best order so far. For "optimal": a number of sets of nodes, 2,000 if not given, or a time.
    restarts : int, default 1
        For "anneal": how many searches there are, each with `budget`; their seeds are `seed`, `seed` + 1, and so on. The
        best order is returned, of equal ones that of the least seed.
    executor : concurrent.futures.Executor, optional
        Where the searches run beside each other: threads are enough for machine code, processes serve without.

    Returns
    -------
    list of nodes
        The `intermediates`. A tie goes to the node that stands first in `L`.

    Raises
    ------
    OrderError
        If `method` is "chain" and the graph is none.
    SearchLimitError
        If `method` is "optimal" and the budget is exhausted; the error holds the best order and the proven bounds.
    CGraphError
        As `eliminate`; or if there is no such method, cost model or budget, or no search at all; or if workers end before
        their searches are done.

    See Also
    --------
    elimination_cost : what an order costs.
    elimination_bound : what every order costs at least.

    Notes
    -----
    The rules take O(n^2) for n nodes between, the chain O(n^3), the exact search exponential time [2]_: the problem
    is NP-complete. With numba (extra ``fast``) long annealing runs as machine code, with the same result; loading it, once
    in a process, takes time on top of the budget.

    References
    ----------
    .. [1] A. Griewank, S. Reese, "On the calculation of Jacobian matrices by the Markowitz rule", in Automatic
       Differentiation of Algorithms: Theory, Implementation, and Application, SIAM 1991.
    .. [2] M. Bentert, A. Crane, P. G. Drange, Y. Mizutani, B. D. Sullivan, "Structural optimal Jacobian accumulation
       and minimum edge count are NP-complete under vertex elimination", arXiv 2506.17521, 2025.

    Examples
    --------
    Two inputs meet in a, and b spreads to two outputs:

    >>> L = nx.DiGraph([("x", "a"), ("z", "a"), ("a", "b"), ("b", "y"), ("b", "u")])
    >>> nx.set_edge_attributes(L, 1.5, "derivative")
    >>> order = elimination_order(L, method="optimal")
    >>> order, elimination_cost(L, order)  # 2*1 for a, then 2*2 for b
    (['a', 'b'], 6)
    """
    if method not in METHODS:
        raise CGraphError(f"there is no method {method!r}; choose one of: {', '.join(METHODS)}")
    E = EliminationGraph(L, inputs, outputs, cost=cost, unit=unit, derivative=derivative)
    task, seeds = Task(E, budget=budget), _seeds(seed, restarts)
    searches = ((METHODS[method], seed) for seed in (seeds if method == "anneal" else seeds[:1]))
    orders = in_order(executor, _found, searches, about=task)
    return [task.nodes[v] for v in min(orders, key=task.cost)]


def edge_elimination_order(
    L: nx.DiGraph[Any],
    *,
    inputs: Iterable[Node] | None = None,
    outputs: Iterable[Node] | None = None,
    cost: str = "standard",
    seed: int = 0,
    budget: int | str | None = None,
    restarts: int = 1,
    executor: Executor | None = None,
    unit: str = "unit",
    derivative: str = "derivative",
) -> list[tuple[Any, Any, str]]:
    """Return an order in which to eliminate edges, found by simulated annealing.

    Parameters
    ----------
    L, inputs, outputs, cost, unit, derivative
        As in `eliminate`.
    seed, restarts, executor
        As in `elimination_order`.
    budget : int or str, optional
        A number of evaluations, for each of two searches, 5,000 if not given; or a time such as ``"10s"`` for both.

    Returns
    -------
    list of (i, j, side)
        For `eliminate_edges`. It costs no more than the order of vertices that is found first.

    Raises
    ------
    CGraphError
        As `elimination_order`.

    Notes
    -----
    An evaluation replays the whole elimination: with numba (extra ``fast``) in microseconds, without it in milliseconds.
    Some graphs have cheaper orders of edges than of vertices [1]_.

    References
    ----------
    .. [1] U. Naumann, "Optimal accumulation of Jacobian matrices by elimination methods on the dual computational
       graph", Mathematical Programming 99(3), 2004.

    Examples
    --------
    >>> L = nx.DiGraph([("x", "a"), ("a", "b"), ("b", "y"), ("b", "u")])
    >>> nx.set_edge_attributes(L, 1.5, "derivative")
    >>> edge_elimination_order(L, budget=10)
    [('x', 'a', 'front'), ('x', 'b', 'front')]
    """
    E = EliminationGraph(L, inputs, outputs, cost=cost, unit=unit, derivative=derivative)
    task = Task(E, budget=budget)
    found = in_order(executor, _found, ((anneal_edges, seed) for seed in _seeds(seed, restarts)), about=task)
    _, items = min(found, key=itemgetter(0))
    return edge_steps(E, ((kind, task.nodes[i], task.nodes[j]) for kind, i, j in items))


def _found(task: Task, search: Callable[[Task], Any], seed: int) -> Any:
    """Return what a search finds with a seed; searches share `task`."""
    own = copy(task)
    own.seed = seed
    return search(own)


def _seeds(seed: int, restarts: int) -> range:
    if not isinstance(restarts, int) or restarts < 1:
        raise CGraphError(f"restarts={restarts!r} is no number of searches; give 1 or more")
    return range(seed, seed + restarts)


def elimination_cost(
    L: nx.DiGraph[Any],
    order: Sequence[Node],
    *,
    inputs: Iterable[Node] | None = None,
    outputs: Iterable[Node] | None = None,
    cost: str = "standard",
    unit: str = "unit",
    derivative: str = "derivative",
) -> int:
    """Return the multiplications that `eliminate` would perform, without performing them.

    Parameters
    ----------
    L, order, inputs, outputs, cost, unit, derivative
        As in `eliminate`.

    Returns
    -------
    int
        Of scalars; equal to ``eliminate(...).multiplications``.

    Raises
    ------
    CGraphError
        As `eliminate`.

    Notes
    -----
    One operation on a set of nodes for each edge that is met.

    Examples
    --------
    >>> L = nx.DiGraph([("x", "a"), ("z", "a"), ("a", "b"), ("b", "y")])
    >>> nx.set_edge_attributes(L, 1.5, "derivative")
    >>> elimination_cost(L, ["a", "b"]), elimination_cost(L, ["b", "a"])  # 2*1 + 2*1 and 1*1 + 2*1
    (4, 3)
    """
    E = EliminationGraph(L, inputs, outputs, cost=cost, unit=unit, derivative=derivative)
    require_order(E, order)
    task = Task(E)
    return task.cost(task.number[j] for j in order)


def elimination_bound(
    L: nx.DiGraph[Any],
    *,
    inputs: Iterable[Node] | None = None,
    outputs: Iterable[Node] | None = None,
    cost: str = "standard",
    group: int = LARGEST_GROUP,
    budget: int | str | None = None,
    unit: str = "unit",
    derivative: str = "derivative",
) -> int:
    """Return a number of multiplications that no order of vertices can undercut.

    Parameters
    ----------
    L, inputs, outputs, cost, unit, derivative
        As in `eliminate`.
    group : int, default 6
        How many nodes are looked at together at most. With 1 the bound is the sum, over the nodes v between, of the
        greatest number of node-disjoint paths from the inputs to v times that from v to the outputs.
    budget : int or str, optional
        A number of groups of nodes to try, 2,000 if not given, or a time such as ``"10s"``.

    Returns
    -------
    int
        An order that costs no more is optimal.

    Raises
    ------
    CGraphError
        As `eliminate`; or if `group` or `budget` is no such number.

    Notes
    -----
    Whenever v is eliminated, its predecessors separate it from the inputs and its successors from the outputs; by
    Menger's theorem there are at least as many of them as disjoint paths [1]_. In a group of nodes, which is joined
    where that raises the bound, every order is tried: edges lead past those that come before v, and paths begin and end
    at those that come after. Two maximum flows for each node of a group after each part of it, ``group * 2^group`` of them.
    The bound does not hold for orders of edges or faces.

    References
    ----------
    .. [1] K. Menger, "Zur allgemeinen Kurventheorie", Fundamenta Mathematicae 10, 1927.

    Examples
    --------
    >>> L = nx.DiGraph([("x", "a"), ("z", "a"), ("a", "b"), ("b", "y")])
    >>> nx.set_edge_attributes(L, 1.5, "derivative")
    >>> elimination_bound(L)  # 2*1 for a, 1*1 for b: both paths to b lead through a
    3
    """
    E = EliminationGraph(L, inputs, outputs, cost=cost, unit=unit, derivative=derivative)
    if not isinstance(group, int) or group < 1:
        raise CGraphError(f"group={group!r} is no number of nodes; give 1 or more")
    task = Task(E)
    return Bounds(task, group, budget).least(sum(1 << v for v in task.vertices))


METHODS: dict[str, Callable[[Task], list[int]]] = {
    "forward": forward,
    "reverse": reverse,
    "markowitz": markowitz,
    "relative_markowitz": relative_markowitz,
    "minimum_fill": minimum_fill,
    "chain": chain,
    "anneal": anneal,
    "optimal": optimal,
}
