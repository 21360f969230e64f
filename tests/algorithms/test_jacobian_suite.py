"""Jacobians of functions of scientific computing, traced and prepared, against JAX."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import cgraph as cg

with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(str(Path(__file__).parent.parent.parent / "benchmarks"))
    from suite import SUITE

    sys.modules.pop("suite")

FUNCTIONS = ("sqrt", "exp", "log", "sin", "cos", "tan", "abs")


def library(module, **others):
    return SimpleNamespace(**{name: getattr(module, name) for name in FUNCTIONS}, **others)


@pytest.mark.parametrize("order", ["auto", "forward", "reverse", "markowitz"])
@pytest.mark.parametrize("name", [name for name in SUITE if name != "BlackScholes"])  # NumPy has no erf to trace
def test_jacobians_of_the_suite_are_those_of_jax(name, order):
    jax = pytest.importorskip("jax", reason="JAX is an optional oracle: pip install jax")
    f, point = SUITE[name]
    with jax.enable_x64(True):
        m = library(jax.numpy, atan2=jax.numpy.arctan2)
        expected = np.array(jax.jacfwd(lambda x: jax.numpy.stack(f(m, list(x))))(np.array(point)))
    G = cg.trace(lambda *x: f(library(np, atan2=np.arctan2), x), *point)
    prepared = cg.jacobian_function(G, list(G.inputs), list(G.outputs), order=order)
    X = np.tile(point, (9, 1))
    for J in (prepared(point)[1], *prepared(X)[1]):
        assert np.abs(J - expected).max() <= 1e-12 * np.abs(expected).max()
