"""The polynomials that machine code computes in place of the functions of NumPy, over all their arguments."""

import numpy as np
import pytest
from engines import using

import cgraph as cg
from cgraph.algorithms.compiled.tape.elementary_functions import HUGE

SPECIAL = [0.0, 5e-324, 1e-310, 2.0**-1022, 1e-300, 1e-17, 1e-8, 0.3465, 0.3466, 0.5, 1.0, 2.0, 22.0, 30.0]
RANGES = {
    "exp": [(-745.2, 709.78), (-1.0, 1.0), (-1e-9, 1e-9), (-5000.0, -745.0)],
    "tanh": [(-25.0, 25.0), (-1.0, 1.0), (-1e-9, 1e-9), (-1e300, 1e300)],
    "log": [(0.0, 10.0), (0.5, 2.0), (1 - 1e-9, 1 + 1e-9), (0.0, 1e-307), (0.0, 1.7e308)],
    "sin": [(-7.0, 7.0), (-HUGE, HUGE), (-1e-9, 1e-9), (-1e9, 1e9), (-1e300, 1e300)],
    "cos": [(-7.0, 7.0), (-HUGE, HUGE), (-1e-9, 1e-9), (-1e9, 1e9), (-1e300, 1e300)],
}
DERIVATIVES = {"sin": np.cos, "cos": lambda x: -np.sin(x)}


def arguments(name, n):
    rng = np.random.default_rng(0)
    x = np.concatenate([*(rng.uniform(*bounds, n) for bounds in RANGES[name]), SPECIAL])
    if name == "log":
        return x[x > 0]
    if name in DERIVATIVES:  # near the zeros most digits cancel
        zeros = np.arange(-60_000, 60_000, 120_000 // n) * (np.pi / 2)
        x = np.concatenate([x, zeros, np.nextafter(zeros, 0)])
    x = rng.permutation(np.concatenate([x, -x]))
    return x[x < 709.78] if name == "exp" else x  # it overflows there


def units(y, exact):
    """Return the largest error, in units in the last place."""
    return float(np.max(np.abs(y - exact) / np.spacing(np.abs(exact).astype(float))))


@pytest.mark.parametrize("engine", ["numba", "loops"])
@pytest.mark.parametrize("name", RANGES)
def test_errors_are_a_few_units_in_the_last_place(engine, name):
    x = arguments(name, 20_000 if engine == "numba" else 100)
    if np.finfo(np.longdouble).precision <= np.finfo(float).precision:
        pytest.skip("there are no numbers of more digits to compare with")
    with using(engine):
        C = cg.compile_graph(cg.from_equations(f"y = {name}(x)", x=1.0))
        y = C.evaluate({"x": x})[1]
        assert units(y, getattr(np, name)(x.astype(np.longdouble))) < 3
        if name in DERIVATIVES:
            assert units(C.gradient("y")[0], DERIVATIVES[name](x.astype(np.longdouble))) < 3


@pytest.mark.parametrize("engine", ["numba", "loops"])
@pytest.mark.parametrize(
    ("text", "x", "message"),
    [
        ("y = exp(x)", 709.79, "overflows"), ("y = log(x)", 0.0, "undefined"), ("y = log(x)", -1e-320, "undefined"),
        ("y = 1/exp(x)", 1e9, "overflows"),
    ],
)  # fmt: skip
def test_what_has_no_value_is_refused(engine, text, x, message):
    with using(engine):
        C = cg.compile_graph(cg.from_equations(text, x=1.0))
        for inputs in (x, [1.0, x, 2.0]):
            with pytest.raises(cg.EvaluationError, match=message):
                C.evaluate({"x": inputs})


@pytest.mark.parametrize("engine", ["numba", "loops", "numpy"])
@pytest.mark.parametrize("points", [0, 1, 7, 8, 9, 16, 33])
def test_any_number_of_points(engine, points):
    x = np.linspace(-2, 2, points)
    with using(engine):
        C = cg.compile_graph(cg.from_equations("a = tanh(x)*w; y = a*a + x/w", x=1.0, w=3.0))
        y = C.evaluate({"x": x})
        assert y.shape == (4, points)
        np.testing.assert_allclose(y[3], 9 * np.tanh(x) ** 2 + x / 3, rtol=1e-14)
        np.testing.assert_allclose(C.gradient("y")[0], 18 * np.tanh(x) * (1 - np.tanh(x) ** 2) + 1 / 3, rtol=1e-13)
