from cgraph.frontends.attribution_graphs import read_attribution_graph
from cgraph.frontends.casadi_functions import from_casadi
from cgraph.frontends.graph_files import read_graph
from cgraph.frontends.graph_writing import write_graph
from cgraph.frontends.jax_functions import from_jax
from cgraph.frontends.numpy_source import to_numpy
from cgraph.frontends.onnx_models import from_onnx
from cgraph.frontends.plain_graphs import to_networkx
from cgraph.frontends.sympy_formulas import from_sympy, to_sympy
from cgraph.frontends.torch_programs import from_torch

__all__ = [
    "from_casadi",
    "from_jax",
    "from_onnx",
    "from_sympy",
    "from_torch",
    "read_attribution_graph",
    "read_graph",
    "to_networkx",
    "to_numpy",
    "to_sympy",
    "write_graph",
]
