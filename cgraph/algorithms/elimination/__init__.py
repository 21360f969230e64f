"""Jacobians by elimination: vertices, edges and faces, and the orders in which it costs least."""

from cgraph.algorithms.elimination.eliminations import (
    Elimination,
    as_edge_order,
    eliminate,
    eliminate_edges,
    intermediates,
)
from cgraph.algorithms.elimination.faces import as_face_order, eliminate_faces
from cgraph.algorithms.elimination.orders import (
    edge_elimination_order,
    elimination_bound,
    elimination_cost,
    elimination_order,
)
from cgraph.algorithms.elimination.simplify import drop_useless, merge_copies

__all__ = [
    "Elimination",
    "as_edge_order",
    "as_face_order",
    "drop_useless",
    "edge_elimination_order",
    "eliminate",
    "eliminate_edges",
    "eliminate_faces",
    "elimination_bound",
    "elimination_cost",
    "elimination_order",
    "intermediates",
    "merge_copies",
]
