"""Graphs frozen into arrays: the sweeps, the paths, the equations and the neurons of millions of edges."""

from cgraph.lazy import load_on_demand

load_on_demand(__name__)  # what the package exports stands in `__init__.pyi`
