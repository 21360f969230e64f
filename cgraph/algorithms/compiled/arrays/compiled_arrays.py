"""A graph of arrays as plans: calls of NumPy, and machine code where that pays."""

from __future__ import annotations

from typing import Any, final

import networkx as nx
import numpy as np

from cgraph.algorithms.compiled.arrays.jacobian_queries import Jacobians
from cgraph.algorithms.compiled.arrays.value_queries import Values
from cgraph.model.evaluation import is_computed
from cgraph.model.language.expressions import Apply
from cgraph.model.operations.arrays import ARRAY_OPERATIONS

__all__ = ["CompiledArrays", "holds_arrays"]


def holds_arrays(G: nx.DiGraph[Any]) -> bool:
    """Return whether equations or neurons stand between arrays, or make arrays of numbers."""
    expressions = (data["expression"] for _, data in G.nodes(data=True) if "expression" in data)
    operations = {step.operation for equation in expressions for step in equation.steps if isinstance(step, Apply)}
    holds = any(isinstance(value, np.ndarray) for _, value in G.nodes(data="value"))
    return not operations.isdisjoint(ARRAY_OPERATIONS) or (holds and any(is_computed(G, i) for i in G))


@final
class CompiledArrays(Values, Jacobians):
    """A graph of equations between arrays and numbers, as plans of NumPy calls into kept arrays.

    `compile_graph` makes one. A plan is made at the first question of its kind, and again where an input has another
    shape, as a batch of another size has; all plans are kept.

    Parameters
    ----------
    G : ComputationalGraph
        Acyclic, of equations and neurons. Not modified, and not referred to later.
    dtype : {"float64", "float32"}
        Of all that is computed.

    Attributes
    ----------
    nodes : tuple
        The nodes, in the order of the graph.
    weights : tuple
        The weights: ``(i, j)`` on an edge, ``w`` in a node.

    Notes
    -----
    A plan is a list of calls: products of matrices through BLAS, elementary operations with ``out=``, slices and
    transposes as views that are made once. Where numba is installed, runs of elementary operations in a plan that has computed
    much become machine code, a pass for each. Arrays are written into again when nobody reads them any more. What leaves the
    range of numbers is noticed by the processor; the equations are then interpreted, which name node and operation.
    `value_and_gradient` may be called from several threads at once: each call has arrays of its own. The methods that ask about
    the last point do not know which thread it came from.

    Examples
    --------
    >>> from cgraph import compile_graph, from_equations
    >>> C = compile_graph(from_equations("h = W @ x; J = sum(h * h)", x=[1.0, 2.0], W=[[1.0, 0.0], [0.0, 3.0]]))
    >>> C.value_and_gradient("J", nodes=["x"])  # J = x1^2 + 9 x2^2
    (37.0, {'x': array([ 2., 36.])})
    """

    def __len__(self) -> int:
        return len(self.nodes)

    def __repr__(self) -> str:
        return f"<CompiledArrays of {len(self):,} nodes and {self._graph.number_of_edges():,} edges, {self._dtype}>"

    @property
    def number_of_edges(self) -> int:
        """How many edges there are."""
        return int(self._graph.number_of_edges())
