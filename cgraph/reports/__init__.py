"""Reports for people to read: tables, formulas, pictures, charts, pages."""

from cgraph.lazy import load_on_demand

load_on_demand(__name__)  # what the package exports stands in `__init__.pyi`
