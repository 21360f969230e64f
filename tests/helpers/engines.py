"""The ways in which a compiled graph can be swept, each to be chosen for the length of a `with`."""

import sys
from contextlib import contextmanager
from importlib.util import find_spec, module_from_spec
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest

from cgraph.algorithms.compiled import jit

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
        jit.compiled.cache_clear()
        try:
            yield
        finally:
            jit.compiled.cache_clear()
