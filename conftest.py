"""What holds for all tests, in whichever process they run."""

import gc
import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

# One copy of every module: a doctest of a single file would otherwise meet classes that the library does not know.
import cgraph.algorithms
import cgraph.specs
import cgraph.transforms  # noqa: F401 - as said above
from cgraph.model.language.parsing import parse
from cgraph.model.operations.elementwise import FUNCTIONS, OPERATIONS

# Doctests that need an extra, which may not be installed.
EXTRAS = {
    "sympy": ["cgraph/algorithms/exact.py", "cgraph/frontends/sympy_formulas.py"],
    "griffe": ["docs/docstrings.py"],
    "casadi": ["cgraph/frontends/casadi_functions.py"],
    "onnx": ["cgraph/frontends/onnx_models.py", "docs/from_onnx.md"],
    "jax": ["cgraph/frontends/jax_functions.py", "docs/from_jax.md"],
    "torch": ["cgraph/frontends/torch_programs.py", "docs/from_pytorch.md"],
}
collect_ignore = [path for library, paths in EXTRAS.items() if not find_spec(library) for path in paths]

# With `-n`, what one worker has compiled serves the others.
if os.environ.get("PYTEST_XDIST_WORKER"):
    os.environ["NUMBA_CACHE_DIR"] = str(Path(__file__).parent / ".pytest_cache" / "numba")


def pytest_collection_finish() -> None:
    """Let the collector of garbage leave the modules and the thousands of tests alone: it took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 60)


@pytest.fixture(autouse=True)
def _own_operations_end_with_their_test() -> Iterator[None]:
    """Take out what a test or an example has registered: the table is one for the whole process."""
    known = set(OPERATIONS)
    yield
    for name in OPERATIONS.keys() - known:
        del OPERATIONS[name]
        FUNCTIONS.discard(name)
        parse.cache_clear()
