"""Graphs in the JSON of networkx, whatever its release calls the options."""

import inspect

import networkx as nx


def node_link(G, edges):
    """Return the data of `G`, its edges under the key `edges`; the option was called `link` before networkx 3.4."""
    option = "edges" if "edges" in inspect.signature(nx.node_link_data).parameters else "link"
    return nx.node_link_data(G, **{option: edges})
