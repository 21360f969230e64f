"""Functions of a linearized graph: any networkx.DiGraph whose edges hold derivatives."""

from cgraph.lazy import load_on_demand

load_on_demand(__name__)  # what the package exports stands in `__init__.pyi`
