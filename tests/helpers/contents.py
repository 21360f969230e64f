"""What a graph holds, in a form that can be compared."""

import numpy as np


def plain(value):
    """Return a value as it is, of an array its shape and every bit of it."""
    return (value.shape, value.tobytes()) if isinstance(value, np.ndarray) else value


def content(G):
    """Return all that nodes, edges and graph hold, in no order."""
    nodes = {i: {key: plain(value) for key, value in data.items()} for i, data in G.nodes(data=True)}
    edges = {(i, j): {key: plain(value) for key, value in data.items()} for i, j, data in G.edges(data=True)}
    return nodes, edges, G.graph
