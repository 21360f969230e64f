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


def graph_of(f, point):
    """Trace a function; where it calls what NumPy does not have, by way of CasADi."""
    try:
        return cg.trace(lambda *x: f(library(np, atan2=np.arctan2), x), *point)
    except AttributeError:
        casadi = pytest.importorskip("casadi", reason="CasADi is an extra: pip install casadi")
    x = casadi.SX.sym("x", len(point))
    names = [name for name in FUNCTIONS if name != "abs"]
    m = SimpleNamespace(
        **{name: getattr(casadi, name) for name in names}, abs=casadi.fabs, atan2=casadi.atan2, erf=casadi.erf
    )
    return cg.from_casadi(casadi.Function("f", [x], [casadi.vertcat(*f(m, casadi.vertsplit(x)))]), point)


@pytest.mark.parametrize("order", ["auto", "forward", "reverse", "markowitz"])
@pytest.mark.parametrize("name", SUITE)
def test_jacobians_of_the_suite_are_those_of_jax(name, order):
    jax = pytest.importorskip("jax", reason="JAX is an optional oracle: pip install jax")
    f, point = SUITE[name]
    X = np.array(point) * np.random.default_rng(0).uniform(0.97, 1.03, (19, len(point)))
    with jax.enable_x64(True):
        m = library(jax.numpy, atan2=jax.numpy.arctan2, erf=jax.scipy.special.erf)
        expected = np.array(jax.vmap(jax.jacfwd(lambda x: jax.numpy.stack(f(m, list(x)))))(X))
    G = graph_of(f, point)
    prepared = cg.jacobian_function(G, list(G.inputs), list(G.outputs), order=order)
    for J, of_jax in zip((prepared(X[0])[1], *prepared(X)[1]), (expected[0], *expected), strict=True):
        np.testing.assert_allclose(J, of_jax, rtol=1e-12, atol=1e-15 * np.abs(of_jax).max())
