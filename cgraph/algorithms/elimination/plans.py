"""An elimination recorded once, and replayed with other numbers: what is left are its multiplications and additions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from cgraph.algorithms.elimination.eliminations import eliminate
from cgraph.algorithms.elimination.orders import elimination_order
from cgraph.model.errors import EvaluationError
from cgraph.model.graph import Node

__all__ = ["JacobianPlan"]

DERIVATIVE = "derivative"


@dataclass(frozen=True)
class _Slot:
    """A number that is known only when the plan is replayed; products and sums of slots are written down."""

    index: int
    steps: list[tuple[bool, int, int]]  # whether it is a product, and the slots of its operands
    edges: int

    def __mul__(self, other: _Slot) -> _Slot:
        return self._record(True, other)

    def __add__(self, other: _Slot) -> _Slot:
        return self._record(False, other)

    def _record(self, is_product: bool, other: _Slot) -> _Slot:
        self.steps.append((is_product, self.index, other.index))
        return _Slot(self.edges + len(self.steps) - 1, self.steps, self.edges)


class JacobianPlan:
    """The Jacobian of a structure, as a list of multiplications and additions.

    Parameters
    ----------
    edges : sequence of (i, j)
        The structure; parallel edges add up.
    sources, targets : sequence of nodes
        The columns and the rows of the Jacobian.
    order : str or sequence of nodes
        A method of `elimination_order`, or an order of the nodes between.
    nodes : sequence of nodes, optional
        All nodes, for an order that names some without edges.

    Attributes
    ----------
    order : list of nodes
        The order that the plan follows.
    steps : list of (bool, int, int)
        For each number that is computed, whether it is a product, and the positions of its operands; the numbers
        of the edges come first.

    Examples
    --------
    >>> plan = JacobianPlan([("x", "a"), ("a", "y"), ("x", "y")], ["x"], ["y"], "markowitz")
    >>> plan.jacobian(np.array([2.0, 5.0, 3.0]))  # 2*5 + 3
    array([[13.]])
    >>> plan.steps
    [(True, 1, 0), (False, 2, 3)]
    """

    def __init__(
        self,
        edges: Sequence[tuple[Any, Any]],
        sources: Sequence[Node],
        targets: Sequence[Node],
        order: str | Sequence[Node],
        nodes: Sequence[Node] = (),
    ) -> None:
        L: nx.DiGraph[Any] = nx.DiGraph()
        L.add_nodes_from([*nodes, *sources, *targets])
        self.steps: list[tuple[bool, int, int]] = []
        for k, (i, j) in enumerate(edges):
            z = _Slot(k, self.steps, len(edges))
            L.add_edge(i, j, **{DERIVATIVE: L.edges[i, j][DERIVATIVE] + z if L.has_edge(i, j) else z})
        if isinstance(order, str):
            order = elimination_order(L, method=order, inputs=sources, outputs=targets)
        self.order = list(order)
        S = eliminate(L, self.order, inputs=sources, outputs=targets).graph
        self._shape = (len(targets), len(sources))
        self._entries = [
            (row, column, S.edges[s, t][DERIVATIVE])
            for row, t in enumerate(targets)
            for column, s in enumerate(sources)
            if S.has_edge(s, t)
        ]

    def jacobian(self, derivatives: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the Jacobian for these numbers on the edges, in O(steps).

        Raises
        ------
        EvaluationError
            If an entry overflows.
        """
        z = derivatives.tolist()
        for is_product, a, b in self.steps:
            z.append(z[a] * z[b] if is_product else z[a] + z[b])
        J = np.zeros(self._shape)
        for row, column, entry in self._entries:
            J[row, column] = z[entry.index] if isinstance(entry, _Slot) else entry
        if not np.isfinite(J).all():
            raise EvaluationError("the Jacobian overflows: a product of the derivatives exceeds 1.8e308")
        return J
