"""Graphs of arrays as a plan of NumPy calls into kept buffers: values, gradients and Jacobians."""

from cgraph.algorithms.compiled.arrays.compiled_arrays import CompiledArrays, holds_arrays

__all__ = ["CompiledArrays", "holds_arrays"]
