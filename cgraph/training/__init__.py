"""Training: gradient descent, mini-batches, and the tables of data they read."""

from cgraph.lazy import load_on_demand

load_on_demand(__name__)  # what the package exports stands in `__init__.pyi`
