from cgraph.algorithms.compiled.arrays import CompiledArrays
from cgraph.algorithms.compiled.compiled_graph import CompiledGraph
from cgraph.algorithms.compiled.compiling import compile_floats, compile_graph

__all__ = ["CompiledArrays", "CompiledGraph", "compile_floats", "compile_graph"]
