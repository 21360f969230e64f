"""The ways in which a compiled graph can be swept, each to be chosen for the length of a `with`."""

import sys
from contextlib import contextmanager
from importlib.util import find_spec, module_from_spec
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest

from cgraph.algorithms.compiled import jit
from cgraph.algorithms.compiled.arrays import fused_loops, programs, runs

# "loops" are the functions that numba compiles, run as the Python that they are.
ENGINES = ["numba", "loops", "numpy"]


@contextmanager
def using(engine):
    if engine == "numba":
        pytest.importorskip("numba", reason="numba is an extra")
        yield
        return
    without = {"numba": None}  # the import fails
    if engine == "loops" and np.lib.NumpyVersion(np.__version__) < "2.0.0":
        pytest.skip("as Python, the loops need the sums of integers that NumPy 2 makes")
    if engine == "loops":  # vectors, which need numba, stay the text that they are
        as_python = SimpleNamespace(DISABLE_JIT=True)
        vectors = module_from_spec(find_spec(jit.VECTORS))
        without = {"numba": SimpleNamespace(njit=lambda **_: lambda loop: loop, config=as_python), jit.VECTORS: vectors}
    with mock.patch.dict(sys.modules, without):
        _forget()
        try:
            yield
        finally:
            _forget()


def _forget():
    """Let loops be made anew: machine code that Python calls without what numba leaves out for it would crash."""
    jit.compiled.cache_clear()
    jit._known.cache_clear()


@contextmanager
def fused_by_python():
    """Let loops of whatever length be fused at once, and run as Python, which takes no time to compile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(programs, "FEWEST_TO_FUSE", 0)
        patch.setattr(runs, "FEWEST_ENTRIES", 1)
        patch.setattr(programs, "machine_code", lambda loop, _: fused_loops._function(loop.source))
        patch.setattr(programs, "is_at_hand", lambda: True)
        yield
