"""Where a function is nearly flat, its derivative keeps its digits: against mpmath with 400 digits."""

import numpy as np
import pytest

import cgraph as cg

mp = pytest.importorskip("mpmath", reason="mpmath is an optional oracle: pip install mpmath")
mp.mp.dps = 400

SLOPES = {
    "tanh": lambda x: 1 / mp.cosh(x) ** 2,
    "sigmoid": lambda x: mp.exp(-x) / (1 + mp.exp(-x)) ** 2,
    "elu": lambda x: mp.mpf(1) if x > 0 else mp.exp(x),
    "softplus": lambda x: 1 / (1 + mp.exp(-x)),
    "log_sigmoid": lambda x: 1 / (1 + mp.exp(x)),
}


@pytest.mark.parametrize("name", SLOPES)
@pytest.mark.parametrize(
    "x", [-300.0, -40.0, -20.0, -9.0, -7.9, -4.1, -3.9, -1.0, 0.5, 3.9, 4.1, 7.9, 9.0, 20.0, 40.0, 300.0]
)
def test_derivatives_far_out(name, x):
    G = cg.from_equations(f"y = {name}(x)", x=x)
    expected = float(SLOPES[name](mp.mpf(x)))
    assert cg.linearize(G).edges["x", "y"]["derivative"] == pytest.approx(expected, rel=1e-12, abs=0)
    C = cg.compile_graph(G)
    C.evaluate({"x": np.array([x, 0.1, x])})
    assert C.gradient("y", nodes=["x"])[0, [0, 2]] == pytest.approx([expected] * 2, rel=1e-12, abs=0)
    J = cg.linearize(G, {"x": np.array([x, 0.1])}).edges["x", "y"]["derivative"].dense()
    assert J[0, 0] == pytest.approx(expected, rel=1e-12, abs=0)


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
