"""Uncertainty of results: budgets, standard errors of effects, screening of inputs."""

from cgraph.lazy import load_on_demand

load_on_demand(__name__)  # what the package exports stands in `__init__.pyi`
