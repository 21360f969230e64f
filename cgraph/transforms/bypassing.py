"""Nodes removed from a linearized graph; the products through them go to edges that bypass them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import networkx as nx

from cgraph.model.errors import CGraphError
from cgraph.model.graph import Node, list_of_nodes, require_node
from cgraph.model.linearized import edge_derivative
from cgraph.model.operations.structured_jacobians import after, plus

__all__ = ["bypass"]


def bypass(L: nx.DiGraph[Any], nodes: Iterable[Node], *, derivative: str = "derivative") -> nx.DiGraph[Any]:
    """Return a linearized graph without some nodes, every S between the others unchanged.

    Parameters
    ----------
    L : networkx.DiGraph
        Linearized. Not modified.
    nodes : iterable of nodes
        The nodes to remove, such as the reshapes of an imported program, and its constants.
    derivative : str, default "derivative"
        The edge attribute that holds z.

    Returns
    -------
    networkx.DiGraph
        A copy without them. For every way i -> j -> k through a node j that is gone, z(i,k) has the product
        z(j,k) z(i,j) added to it; Jacobians are composed, not multiplied out.

    Raises
    ------
    CGraphError
        If a node is not in `L`, or is an input or a declared output.
    DerivativeError
        If an edge at one of them holds no finite derivative.

    See Also
    --------
    eliminate : down to inputs and outputs, with the multiplications counted.

    Notes
    -----
    Vertex elimination (A. Griewank, A. Walther, "Evaluating Derivatives", ch. 9): p q products for a node with p
    predecessors and q successors.

    Examples
    --------
    >>> G = nx.DiGraph()
    >>> G.add_weighted_edges_from([("x", "a", 2.0), ("a", "y", 5.0), ("x", "y", 3.0)], "derivative")
    >>> list(bypass(G, ["a"]).edges(data="derivative"))  # 3 + 5*2
    [('x', 'y', 13.0)]
    """
    gone = list_of_nodes(nodes)
    require_node(L, *gone)
    H = L.copy()
    for j in gone:
        if (not H.pred[j] and H.nodes[j].get("role") != "constant") or j in H.graph.get("outputs", []):
            raise CGraphError(f"node {j!r} is an {'output' if H.pred[j] else 'input'}; only what lies between can go")
        z = edge_derivative(H, derivative)
        for i in list(H.predecessors(j)):
            for k in list(H.successors(j)):
                product = after(z(j, k), z(i, j))
                new = plus(product, z(i, k)) if H.has_edge(i, k) else product
                H.add_edge(i, k, **{derivative: new})
                H.edges[i, k].pop("unit", None)  # a sum of products, which may be anything
        H.remove_node(j)
    return H
