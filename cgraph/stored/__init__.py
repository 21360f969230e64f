"""Graphs on disk: stored as blocks of edges, swept without being held in memory."""

from cgraph.lazy import load_on_demand

load_on_demand(__name__)  # what the package exports stands in `__init__.pyi`
