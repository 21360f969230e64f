"""The finest elimination: one face, one multiplication.

In the dual graph the edges of the linearized graph are the nodes, and a face (f, g) joins an edge f into a node to
an edge g out of it. Eliminating the face puts the product z(g) z(f) beside f and g: every predecessor of f now leads
there, and every successor of g follows. Where an edge with the same ends and the same neighbours stands already, the
product is added to that one. An edge whose last face on one side is gone, goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import networkx as nx

from cgraph.algorithms.elimination.elimination_graph import EliminationGraph, Partial, require_order
from cgraph.algorithms.elimination.eliminations import Elimination
from cgraph.model.errors import OrderError
from cgraph.model.graph import Node

__all__ = ["DualGraph", "as_face_order", "eliminate_faces"]

# An edge of the dual graph's nodes: the path it stands for, at first (i, j).
Path = tuple[Any, ...]


def eliminate_faces(
    L: nx.DiGraph[Any],
    order: Iterable[tuple[Path, Path]],
    *,
    inputs: Iterable[Node] | None = None,
    outputs: Iterable[Node] | None = None,
    cost: str = "standard",
    unit: str = "unit",
    derivative: str = "derivative",
) -> Elimination:
    """Return the Jacobian by eliminating faces.

    Parameters
    ----------
    L, inputs, outputs, cost, unit, derivative
        As in `eliminate`.
    order : iterable of (f, g)
        Two edges that follow each other, as tuples of nodes: ``((i, j), (j, k))``. Their product is called
        ``(i, j, k)``, and so on; added to an edge that is there, it takes that edge's name.

    Returns
    -------
    Elimination
        As `eliminate`.

    Raises
    ------
    OrderError
        If a face is not there when its turn comes, or faces are left at the end.
    CGraphError
        As `eliminate`.

    Notes
    -----
    A face costs one multiplication; faces of edges that lead nowhere are left out. Every elimination of vertices or
    edges is one of faces, and there are graphs on
    which faces alone reach the fewest multiplications [1]_.

    References
    ----------
    .. [1] U. Naumann, "Optimal accumulation of Jacobian matrices by elimination methods on the dual computational
       graph", Mathematical Programming 99(3), 2004.

    Examples
    --------
    >>> L = nx.DiGraph()
    >>> L.add_weighted_edges_from([("x", "a", 2.0), ("a", "b", 5.0), ("b", "y", 7.0)], "derivative")
    >>> result = eliminate_faces(L, [(("a", "b"), ("b", "y")), (("x", "a"), ("a", "b", "y"))])
    >>> list(result.graph.edges(data="derivative")), result.multiplications  # (7*5)*2
    ([('x', 'y', 70.0)], 2)
    """
    E = EliminationGraph(L, inputs, outputs, cost=cost, unit=unit, derivative=derivative)
    dual = DualGraph(E)
    for face in order:
        if not isinstance(face, tuple) or len(face) != 2 or not all(isinstance(path, tuple) for path in face):
            raise OrderError(f"{face!r} is no face, as in (('x', 'a'), ('a', 'y')); as_face_order makes them of nodes")
        dual.eliminate(*face)
    for f, after in dual.succ.items():
        for g in after:
            raise OrderError(f"the order ends before the face {f!r}, {g!r} is eliminated; append it")
    for f in dual.succ:
        if f[0] in E.inputs and f[-1] in E.outputs:
            E.put(f[0], f[-1], dual.partials[f])
    return Elimination(E.jacobian(derivative), E.tally.multiplications, E.tally.additions)


def as_face_order(
    L: nx.DiGraph[Any],
    order: Sequence[Node],
    *,
    inputs: Iterable[Node] | None = None,
    outputs: Iterable[Node] | None = None,
    derivative: str = "derivative",
) -> list[tuple[Path, Path]]:
    """Return the order of faces that does what `order` does with vertices.

    Parameters
    ----------
    L, order, inputs, outputs, derivative
        As in `eliminate`.

    Returns
    -------
    list of (f, g)
        For `eliminate_faces`: all faces at each node, when the node's turn comes.

    Raises
    ------
    CGraphError
        As `eliminate`.

    Examples
    --------
    >>> L = nx.DiGraph()
    >>> L.add_weighted_edges_from([("x", "a", 2.0), ("a", "b", 5.0), ("b", "y", 7.0)], "derivative")
    >>> as_face_order(L, ["b", "a"])
    [(('a', 'b'), ('b', 'y')), (('x', 'a'), ('a', 'b', 'y'))]
    """
    E = EliminationGraph(L, inputs, outputs, cost="standard", unit="unit", derivative=derivative)
    require_order(E, order)
    dual = DualGraph(E)
    faces = []
    for j in order:
        at_j = [(f, g) for f, after in dual.succ.items() if f[-1] == j for g in after]
        for f, g in at_j:
            dual.eliminate(f, g)
        faces += at_j
    return faces


class DualGraph:
    """The edges of an `EliminationGraph` as nodes, and its faces as edges."""

    def __init__(self, E: EliminationGraph) -> None:
        self.sources, self.sinks, self.tally = E.inputs, E.outputs, E.tally
        self.partials: dict[Path, Partial] = {(i, j): E.succ[i][j] for i in E.succ for j in E.succ[i]}
        # Dicts for sets, so that the order of everything is that of the graph.
        self.succ: dict[Path, dict[Path, None]] = {(i, j): {(j, k): None for k in E.succ[j]} for i, j in self.partials}
        self.pred: dict[Path, dict[Path, None]] = {(i, j): {(h, i): None for h in E.pred[i]} for i, j in self.partials}
        self.parallel: dict[tuple[Any, Any], list[Path]] = {f: [f] for f in self.partials}  # by their two ends
        self._settle(list(self.partials))

    def eliminate(self, f: Path, g: Path) -> None:
        """Replace the face (f, g) by the product of its edges."""
        if g not in self.succ.get(f, ()):
            raise OrderError(f"there is no face {f!r}, {g!r} to eliminate at this point; leave it out, or put it later")
        product = self.tally.product(self.partials[g], self.partials[f])
        twin = self._twin(f[0], g[-1], self.pred[f], self.succ[g])
        if twin:
            self.partials[twin] = self.tally.sum(self.partials[twin], product)
        else:
            self._add(f + g[1:], product, self.pred[f], self.succ[g])
        del self.succ[f][g], self.pred[g][f]
        self._settle([f, g, *self.pred[f], *self.succ[g]])

    def _add(self, h: Path, partial: Partial, before: dict[Path, None], after: dict[Path, None]) -> None:
        self.partials[h], self.pred[h], self.succ[h] = partial, dict(before), dict(after)
        self.parallel.setdefault((h[0], h[-1]), []).append(h)
        for e in before:
            self.succ[e][h] = None
        for e in after:
            self.pred[e][h] = None

    def _settle(self, changed: list[Path]) -> None:
        """Take out every edge that leads nowhere, and join those that have become equal in all but their value."""
        while changed:
            e = changed.pop()
            if e not in self.partials:
                continue
            dead = not (self.pred[e] or e[0] in self.sources) or not (self.succ[e] or e[-1] in self.sinks)
            twin = None if dead else self._twin(e[0], e[-1], self.pred[e], self.succ[e], other_than=e)
            if twin:
                self.partials[twin] = self.tally.sum(self.partials[twin], self.partials[e])
            if dead or twin:
                changed += [*self.pred[e], *self.succ[e]]
                self._remove(e)

    def _twin(
        self, i: Node, k: Node, before: dict[Path, None], after: dict[Path, None], *, other_than: Path | None = None
    ) -> Path | None:
        for e in self.parallel.get((i, k), ()):
            if e != other_than and self.pred[e].keys() == before.keys() and self.succ[e].keys() == after.keys():
                return e
        return None

    def _remove(self, e: Path) -> None:
        self.parallel[e[0], e[-1]].remove(e)
        del self.partials[e]
        for f in self.pred.pop(e):
            del self.succ[f][e]
        for g in self.succ.pop(e):
            del self.pred[g][e]
