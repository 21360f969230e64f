"""One copy of every module: a doctest of a single file would otherwise meet classes that the library does not know."""

import cgraph.algorithms
import cgraph.specs
import cgraph.transforms  # noqa: F401
