"""Course exercises: questions about a graph, marking, and mistakes that are named."""

from cgraph.lazy import load_on_demand

load_on_demand(__name__)  # what the package exports stands in `__init__.pyi`
