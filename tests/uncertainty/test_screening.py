"""Screening by derivatives: closed forms, and SALib's Sobol indices below the bounds."""

import math

import numpy as np
import pytest

import cgraph as cg

PI = math.pi
ISHIGAMI = cg.from_equations("y = sin(a) + 7*sin(b)^2 + 0.1*c^4*sin(a)", a=0.0, b=0.0, c=0.0)
BOX = dict.fromkeys("abc", (-PI, PI))


def test_ishigami_by_the_closed_form():
    found = cg.screen(ISHIGAMI, "y", BOX, samples=2**13)
    by_hand = {"a": (1 + 0.2 * PI**4 / 5 + 0.01 * PI**8 / 9) / 2, "b": 49 / 2, "c": 0.08 * PI**6 / 7}
    assert [round(value, 2) for value in by_hand.values()] == [7.72, 24.5, 10.99]
    assert found.dgsm == pytest.approx(by_hand, rel=2e-3)
    total = {"a": 0.5576, "b": 0.4424, "c": 0.2437}  # Saltelli et al. 2008
    assert all(found.total_bound[i] >= total[i] for i in total)
    assert found.variance == pytest.approx(49 / 8 + 0.1 * PI**4 / 5 + 0.01 * PI**8 / 18 + 0.5, rel=1e-2)


def test_a_line_is_its_slopes():
    found = cg.screen(cg.from_equations("y = 3*a - 2*b", a=0.0, b=0.0), "y", {"a": (0, 2), "b": (1, 4)}, samples=64)
    assert found.dgsm == pytest.approx({"a": 9.0, "b": 4.0})
    assert found.morris_mean == pytest.approx({"a": 6.0, "b": -6.0})
    assert found.morris_size == pytest.approx({"a": 6.0, "b": 6.0})
    assert found.morris_deviation == pytest.approx({"a": 0.0, "b": 0.0}, abs=1e-6)
    assert found.dgsm_error == pytest.approx({"a": 0.0, "b": 0.0}, abs=1e-6)


def test_interactions_by_hand():
    G = cg.from_equations("y = a*b + 3*c + sin(a)", a=0.0, b=0.0, c=0.0)
    found = cg.screen(G, "y", dict.fromkeys("abc", (0, 1)), samples=64, interactions=True)
    assert found.interactions == pytest.approx({("a", "b"): 1.0, ("a", "c"): 0.0, ("b", "c"): 0.0}, abs=1e-9)
    ishigami = cg.screen(ISHIGAMI, "y", BOX, samples=4096, interactions=True).interactions
    assert ishigami["a", "c"] == pytest.approx(0.5 * 0.16 * PI**6 / 7, rel=0.02)  # the mean of (0.4 c^3 cos a)^2
    assert ishigami["a", "b"] == pytest.approx(0.0, abs=1e-9)
    assert cg.screen(G, "y", {"a": (0, 1)}, samples=16).interactions == {}


def test_g_function():
    """Sobol's g: the product of (|4x - 2| + a) / (1 + a), with known derivatives."""
    a = [0.0, 1.0, 4.5, 9.0]
    factors = " * ".join(f"((abs(4*x{k} - 2) + {c}) / {1 + c})" for k, c in enumerate(a))
    G = cg.from_equations(f"y = {factors}", **{f"x{k}": 0.3 for k in range(4)})
    found = cg.screen(G, "y", {f"x{k}": (0, 1) for k in range(4)}, samples=2**12)
    second = [1 + 1 / (3 * (1 + c) ** 2) for c in a]  # the mean square of each factor
    for k, c in enumerate(a):
        others = math.prod(m for j, m in enumerate(second) if j != k)
        assert found.dgsm[f"x{k}"] == pytest.approx(16 / (1 + c) ** 2 * others, rel=0.02)


def test_salib_within_its_confidence():
    pytest.importorskip("SALib", reason="an optional oracle: pip install SALib")
    from SALib.analyze import dgsm
    from SALib.sample import finite_diff

    problem = {"num_vars": 3, "names": list("abc"), "bounds": [[-PI, PI]] * 3}
    x = finite_diff.sample(problem, 2000, seed=1)
    y = np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    theirs = dgsm.analyze(problem, x, y, seed=1)
    ours = cg.screen(ISHIGAMI, "y", BOX, samples=4096).total_bound
    for name, value, confidence in zip("abc", theirs["dgsm"], theirs["dgsm_conf"], strict=True):
        assert abs(ours[name] - value) <= 2 * confidence + 0.05 * value


def test_an_input_without_a_range_keeps_its_value():
    G = cg.from_equations("y = a * b", a=1.0, b=5.0)
    assert cg.screen(G, "y", {"a": (0, 1)}, samples=16).dgsm == {"a": 25.0}


@pytest.mark.parametrize(
    ("ranges", "keywords", "message"),
    [
        ({}, {}, "no input has a range"),
        ({"a": (1, 1)}, {}, "the range of 'a' goes from 1 to 1"),
        ({"a": (0, math.inf)}, {}, "both finite"),
        ({"a": 3}, {}, "the range of 'a' must be a pair of numbers"),
        ({"a": ("0", 1)}, {}, "the range of 'a' must be a pair of numbers"),
        ({"q": (0, 1)}, {}, "no node 'q'"),
        ({"a": (0, 1)}, {"samples": 1}, "at least 2 points"),
        ({"a": (-1, 1)}, {}, "log"),
    ],
)
def test_bad_input(ranges, keywords, message):
    G = cg.from_equations("y = log(a)", a=1.0)
    with pytest.raises(cg.CGraphError, match=message):
        cg.screen(G, "y", ranges, **keywords)


def test_ten_thousand_inputs():
    names = [f"x{k}" for k in range(10_000)]
    terms = [
        " + ".join(f"{k % 7 + 1}*{name}" for k, name in enumerate(names[n : n + 100])) for n in range(0, 10_000, 100)
    ]
    equations = "; ".join(f"s{n} = {term}" for n, term in enumerate(terms))
    G = cg.from_equations(f"{equations}; y = {' + '.join(f's{n}' for n in range(100))}", **dict.fromkeys(names, 0.5))
    found = cg.screen(G, "y", dict.fromkeys(names, (0, 1)), samples=64)
    assert found.dgsm["x3"] == pytest.approx(16.0)
