"""CSE463: a network of two layers, forward and backward, down to single entries of A1 and A0."""

import sys

import numpy as np

import cgraph as cg
from cgraph.testing import compare

rng = np.random.default_rng(2)
X, Y = rng.normal(size=3), np.array([0.2, 0.9])
A0, b0, A1, b1 = rng.normal(size=(4, 3)), rng.normal(size=4), rng.normal(size=(2, 4)), rng.normal(size=2)

G = cg.ComputationalGraph()
for name, value in {"f0": X, "Y": Y}.items():
    G.add_input(name, value)
for name, value in {"A0": A0, "b0": b0, "A1": A1, "b1": b1}.items():
    G.add_weight(name, value)
for name, equation in {
    "Z1": "A0 @ f0 + b0", "f1": "sigmoid(Z1)", "Z2": "A1 @ f1 + b1", "f2": "sigmoid(Z2)", "E": "squared_norm(f2 - Y)/2",
}.items():  # fmt: skip
    G.add_equation(name, equation)
L = cg.linearize(G)


def sigma(z):
    return 1 / (1 + np.exp(-z))


f1 = sigma(A0 @ X + b0)
f2 = sigma(A1 @ f1 + b1)
# Diagonal matrices of sigma'.
df2_dZ2, df1_dZ1 = np.diag(f2 * (1 - f2)), np.diag(f1 * (1 - f1))
e = f2 - Y
gradient = cg.weight_gradients(L, "E")
rows = [
    ("E", e @ e / 2, L.nodes["E"]["value"]),
    ("dE/df2 = (f2 - Y)^T", e[None], L.edges["f2", "E"]["derivative"]),
    ("df2/dZ2, a diagonal matrix of sigma'", df2_dZ2, L.edges["Z2", "f2"]["derivative"]),
    ("dZ2/db1 = I", np.eye(2), L.edges["b1", "Z2"]["derivative"]),
    ("dZ2/df1 = A1", A1, L.edges["f1", "Z2"]["derivative"]),
    ("df1/dZ1, a diagonal matrix of sigma'", df1_dZ1, L.edges["Z1", "f1"]["derivative"]),
    ("dE/db1", e @ df2_dZ2, gradient["b1"]),
    ("dE/db0", e @ df2_dZ2 @ A1 @ df1_dZ1, gradient["b0"]),
]


def unit(A, i, j):
    """Return dA/d alpha for alpha = A[i, j]: a matrix with a single 1."""
    dA = np.zeros_like(A)
    dA[i, j] = 1.0
    return dA


for i, j in np.ndindex(A1.shape):
    dZ2 = unit(A1, i, j) @ f1  # dZ2/d alpha = [dA1/d alpha] f1
    rows += [(f"dE/dalpha, alpha = A1[{i}, {j}]", e @ df2_dZ2 @ dZ2, gradient["A1"][i, j])]
for i, j in np.ndindex(A0.shape):
    dZ1 = unit(A0, i, j) @ X  # dZ1/d beta = [dA0/d beta] f0
    rows += [(f"dE/dbeta, beta = A0[{i}, {j}]", e @ df2_dZ2 @ A1 @ df1_dZ1 @ dZ1, gradient["A0"][i, j])]
sys.exit(compare(rows))
