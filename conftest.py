"""What holds for all tests, in whichever process they run."""

import os
from importlib.util import find_spec
from pathlib import Path

# One copy of every module: a doctest of a single file would otherwise meet classes that the library does not know.
import cgraph.algorithms
import cgraph.specs
import cgraph.transforms  # noqa: F401

# The doctests of formulas need the extra `symbolic`, what the documentation site adds to griffe the extra `docs`.
NEEDS = {"cgraph/algorithms/exact.py": "sympy", "docs/split_parameters.py": "griffe"}
collect_ignore = [path for path, module in NEEDS.items() if not find_spec(module)]

# With `-n`, each worker keeps its own machine code: numba does not lock the files (numba's issue 10128), and two workers
# that compile a function for different arrays can give both the same name.
if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    os.environ["NUMBA_CACHE_DIR"] = str(Path(__file__).parent / ".pytest_cache" / f"numba-{worker}")
