"""Graphs frozen into arrays: the sweeps, the paths, the equations and the neurons of millions of edges."""

from cgraph.algorithms.compiled.compiled_graph import CompiledGraph
from cgraph.algorithms.compiled.compiling import compile_graph, compile_if_it_pays

__all__ = ["CompiledGraph", "compile_graph", "compile_if_it_pays"]
