"""Where a function is nearly flat, its derivative keeps its digits: against mpmath with 400 digits."""

import numpy as np
import pytest
from in_mpmath import exact, mp

import cgraph as cg
from cgraph.model.operations.elementwise import OPERATIONS

# Those of one operand: at points of their own, and as arrays. What has more operands, `test_digits.py` tests.
NAMES = [name for name, row in OPERATIONS.items() if len(row.derivatives) == 1 and not row.infix]
POINTS = [sign * x for x in (0.5, 1.1, 3.9, 4.1, 7.9, 9.3, 20.2, 40.1, 300.3) for sign in (1, -1)]


def slopes(name):
    """Return the derivative at every point at which there is one that a float can hold."""
    found = {}
    for x in POINTS:
        try:
            cg.linearize(cg.from_equations(f"y = {name}(x)", x=x))
        except cg.EvaluationError:  # out of its domain, or out of the floats
            continue
        slope = mp.diff(lambda z: exact(name, [z]), mp.mpf(x))
        if not 0 < abs(slope) < 1e-290:
            found[x] = float(slope)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_derivatives_far_out(name):
    expected = slopes(name)
    assert len(expected) >= 2
    x, S = (np.array([*numbers]) for numbers in (expected, expected.values()))
    G = cg.from_equations(f"y = {name}(x)", x=x[0])
    assert [cg.linearize(G, {"x": point}).edges["x", "y"]["derivative"] for point in x] == close(S)
    C = cg.compile_graph(G)
    C.evaluate({"x": x})
    assert C.gradient("y", nodes=["x"])[0] == close(S)
    assert np.diagonal(cg.linearize(G, {"x": x}).edges["x", "y"]["derivative"].dense()) == close(S)


def close(S):
    return pytest.approx(S, rel=1e-12, abs=0)


@pytest.fixture(autouse=True)
def _digits():
    with mp.workdps(400):
        yield


@pytest.mark.parametrize("scores", [(40.0, 0.0), (0.0, 40.0, 1.0), (3.0, -60.0, 2.0), (700.0, 0.0)])
def test_softmax(scores):
    exact = [mp.exp(mp.mpf(s)) for s in scores]
    p = [e / sum(exact) for e in exact]
    n = len(scores)
    J = [[float(p[i] * ((i == j) - p[j])) for j in range(n)] for i in range(n)]
    s = np.array(scores)
    z = cg.linearize(cg.from_equations("p = softmax(s)", s=s)).edges["s", "p"]["derivative"]
    assert z.dense() == pytest.approx(np.array(J), rel=1e-12, abs=0)
    assert z @ np.eye(n) == pytest.approx(np.array(J), rel=1e-12, abs=0)
    for label in range(n):
        L = cg.linearize(cg.from_equations("J = softmax_cross_entropy(s, t)", s=s, t=np.eye(n)[label]))
        expected = [float(p[i] - (i == label)) for i in range(n)]
        assert np.ravel(cg.sensitivity(L, "s", "J")) == pytest.approx(np.array(expected), rel=1e-12, abs=0)


def test_losses_of_what_is_nearly_certain():
    L = cg.linearize(cg.from_equations("J = binary_cross_entropy(p, 0)", p=1e-30))
    assert L.nodes["J"]["value"] == 1e-30
    assert L.edges["p", "J"]["derivative"] == 1


def test_log_sensitivities_of_a_deep_saturated_network():
    G = cg.ComputationalGraph()
    G.add_input("h0", 1.0)
    for k in range(200):
        G.add_neuron(f"h{k + 1}", activation="tanh", weights={f"h{k}": 9.0 + k / 100})
    L = cg.linearize(G)
    y, log_S = mp.mpf(1), mp.mpf(0)
    for k in range(200):
        s = y * (mp.mpf(9) + mp.mpf(L.edges[f"h{k}", f"h{k + 1}"]["weight"]) - 9)
        log_S += mp.log(L.edges[f"h{k}", f"h{k + 1}"]["weight"]) - 2 * mp.log(mp.cosh(s))
        y = mp.tanh(s)
    found = cg.log_sensitivities(L, f"h{200}")["h0"]
    log = found[1] if isinstance(found, tuple) else found
    assert log == pytest.approx(float(log_S), rel=1e-10)
