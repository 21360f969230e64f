from cgraph.frontends.attribution_graphs import read_attribution_graph
from cgraph.frontends.graph_files import read_graph
from cgraph.frontends.graph_writing import write_graph
from cgraph.frontends.jax_functions import from_jax
from cgraph.frontends.plain_graphs import to_networkx
from cgraph.frontends.torch_programs import from_torch

__all__ = ["from_jax", "from_torch", "read_attribution_graph", "read_graph", "to_networkx", "write_graph"]
