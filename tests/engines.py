"""The ways in which a compiled graph can be swept, each to be chosen for the length of a `with`."""

import sys
from contextlib import contextmanager
from types import SimpleNamespace
from unittest import mock

import pytest

from cgraph.algorithms.compiled import machine_code

# "loops" are the functions that numba compiles, run as the Python that they are.
ENGINES = ["numba", "loops", "numpy"]


@contextmanager
def using(engine):
    if engine == "numba":
        pytest.importorskip("numba", reason="numba is an extra")
        yield
        return
    numba = SimpleNamespace(njit=lambda **_: lambda loop: loop) if engine == "loops" else None
    with mock.patch.dict(sys.modules, {"numba": numba}):  # None: the import fails
        machine_code.compiled.cache_clear()
        try:
            yield
        finally:
            machine_code.compiled.cache_clear()
