"""Functions from graph to graph; every S between nodes that survive stays as it was."""

from cgraph.lazy import load_on_demand

load_on_demand(__name__)  # what the package exports stands in `__init__.pyi`
