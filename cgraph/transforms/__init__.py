"""Functions from graph to graph that keep every S between the remaining nodes."""

from cgraph.lazy import load_on_demand

load_on_demand(__name__)  # what the package exports stands in `__init__.pyi`
