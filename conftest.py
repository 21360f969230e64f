"""One copy of every module: a doctest of a single file would otherwise meet classes that the library does not know."""

from importlib.util import find_spec

import cgraph.algorithms
import cgraph.specs
import cgraph.transforms  # noqa: F401

# The doctests of formulas need the extra `symbolic`.
collect_ignore = [] if find_spec("sympy") else ["cgraph/reports/exact.py"]
