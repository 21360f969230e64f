from cgraph.stored.stored_graph import StoredGraph, open_graph
from cgraph.stored.storing import store_graph

__all__ = ["StoredGraph", "open_graph", "store_graph"]
