"""What a computational graph is, and how its values and local derivatives come about."""

from cgraph.lazy import load_on_demand

load_on_demand(__name__)  # what the package exports stands in `__init__.pyi`
