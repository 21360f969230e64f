"""MATH 565, lecture 27: the four activations by their outputs, and Lemma 14 on random networks."""

import random
import sys
from math import exp

import cgraph as cg
from cgraph.testing import compare

# Phi, and Phi' in terms of y = Phi(s) (of s for hard tanh, whose output does not tell).
ACTIVATIONS = {
    "sigmoid": (lambda s: 1 / (1 + exp(-s)), lambda _, y: y * (1 - y)),
    "tanh": (lambda s: (exp(2 * s) - 1) / (exp(2 * s) + 1), lambda _, y: 1 - y**2),
    "relu": (lambda s: max(s, 0.0), lambda _, y: float(y > 0)),
    "hard_tanh": (lambda s: max(min(s, 1.0), -1.0), lambda s, _: float(-1 <= s <= 1)),
}

rows = []
for name, (phi, slope) in ACTIVATIONS.items():
    for s in (-2.0, -1.0, -0.3, 0.0, 0.4, 1.0, 3.0):
        G = cg.ComputationalGraph()
        G.add_input("x", s)
        G.add_neuron("j", activation=name, weights={"x": 1.0})
        L = cg.linearize(G)
        rows.append((f"{name}({s:g})", phi(s), L.nodes["j"]["value"]))
        rows.append((f"{name}'({s:g})", slope(s, phi(s)), L.nodes["j"]["gate"]))

# Lemma 14: S(t,t) = 1, S(i,t) = sum over j in A(i) of S(j,t) z(i,j), with z(i,j) = Phi'(s(j)) w_ij.
chance = random.Random(27)
for trial in range(5):
    G = cg.ComputationalGraph()
    G.add_input("n0", chance.uniform(-1, 1))
    for j in range(1, 12):
        feeding = chance.sample(range(j), min(j, 3))
        weights = {f"n{i}": chance.uniform(-1.5, 1.5) for i in feeding}
        G.add_neuron(f"n{j}", activation=chance.choice(list(ACTIVATIONS)), weights=weights)
    L, t = cg.linearize(G), "n11"
    S = cg.sensitivities(L, t)
    rows.append((f"network {trial}: S(t,t)", 1.0, S[t]))
    for i in G:
        if i != t:
            terms = [S[j] * L.nodes[j]["gate"] * L.edges[i, j]["weight"] for j in G.successors(i)]
            rows.append((f"network {trial}: S({i},t)", sum(terms), S[i]))
    step = 1e-6
    ahead, behind = (cg.evaluate(G, {"n0": G.nodes["n0"]["value"] + d})[t] for d in (step, -step))
    rows.append((f"network {trial}: S(n0,t) by differences", (ahead - behind) / (2 * step), S["n0"]))
sys.exit(compare(rows, tolerance=1e-8))
