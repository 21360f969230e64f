"""Functions of a linearized graph: any networkx.DiGraph whose edges hold derivatives."""

from cgraph.algorithms.checks import Check, CheckReport, check_derivatives
from cgraph.algorithms.compiled import CompiledGraph, compile_graph
from cgraph.algorithms.effects import Effects, effects
from cgraph.algorithms.paths import count_paths, path_sum, paths, top_paths
from cgraph.algorithms.sweeps import edge_sensitivities, jacobian, sensitivities, sensitivities_from, sensitivity

__all__ = [
    "Check",
    "CheckReport",
    "CompiledGraph",
    "Effects",
    "check_derivatives",
    "compile_graph",
    "count_paths",
    "edge_sensitivities",
    "effects",
    "jacobian",
    "path_sum",
    "paths",
    "sensitivities",
    "sensitivities_from",
    "sensitivity",
    "top_paths",
]
