"""Graphs frozen into arrays: the sweeps, the paths, the equations and the neurons of millions of edges."""

from cgraph.algorithms.compiled.freezing import compile_graph, compile_if_it_pays
from cgraph.algorithms.compiled.graph import CompiledGraph

__all__ = ["CompiledGraph", "compile_graph", "compile_if_it_pays"]
