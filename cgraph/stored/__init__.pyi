from cgraph.stored.pipeline import dask_jacobian
from cgraph.stored.stored_graph import StoredGraph, open_graph
from cgraph.stored.storing import store_graph

__all__ = ["StoredGraph", "dask_jacobian", "open_graph", "store_graph"]
