from cgraph.algorithms.compiled.arrays import CompiledArrays
from cgraph.algorithms.compiled.compiled_graph import CompiledGraph
from cgraph.algorithms.compiled.compiling import compile_floats, compile_graph
from cgraph.algorithms.compiled.jacobian_functions import (
    GradientFunction,
    JacobianFunction,
    gradient_function,
    jacobian_function,
)

__all__ = [
    "CompiledArrays",
    "CompiledGraph",
    "GradientFunction",
    "JacobianFunction",
    "compile_floats",
    "compile_graph",
    "gradient_function",
    "jacobian_function",
]
