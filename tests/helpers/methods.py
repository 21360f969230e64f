"""Every way to compute S(s,t), under one signature."""

import networkx as nx
import numpy as np

import cgraph as cg


def inverse(G, s, t):
    """S = (I - Z)^-1, the whole of it, by a dense solve."""
    nodes = list(G)
    Z = nx.to_numpy_array(G, nodelist=nodes, weight="derivative", nonedge=0.0)
    return np.linalg.inv(np.eye(len(nodes)) - Z)[nodes.index(s), nodes.index(t)]


ALGORITHMS = {
    "sensitivities": lambda G, s, t: cg.sensitivities(G, t)[s],
    "sensitivities_from": lambda G, s, t: cg.sensitivities_from(G, s)[t],
    "sensitivity": cg.sensitivity,
    "path_sum": cg.path_sum,
    "top_paths": lambda G, s, t: sum(p for _, p in cg.top_paths(G, s, t, k=100)),
    "jacobian, by columns": lambda G, s, t: cg.jacobian(G, [s], [t, t])[1, 0],
    "jacobian, by rows": lambda G, s, t: cg.jacobian(G, [s, s], [t])[0, 1],
    "effects": lambda G, s, t: cg.effects(G, s, t).total,
    "direct and indirect": lambda G, s, t: sum(cg.effects(G, s, t)[:2]),
    "inverse": inverse,
}


SINGLE = {name: f for name, f in ALGORITHMS.items() if name != "inverse"} | {
    "edge_sensitivities": cg.edge_sensitivities, "paths": lambda G, s, t: list(cg.paths(G, s, t)),
}  # fmt: skip
