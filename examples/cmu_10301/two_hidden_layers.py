"""10-301/601, lecture 13: every weight of a network with two hidden layers, by matrices and layer by layer."""

import sys
from pathlib import Path

import numpy as np

import cgraph as cg
from cgraph.testing import compare

G = cg.read_spec(Path(__file__).with_name("two_hidden_layers.yaml"))
x, target = np.array([1.0, -0.5, 0.25]), 0.0
W1, b1 = np.array([[0.4, -0.3, 0.2], [0.1, 0.6, -0.5]]), np.array([0.05, -0.1])
W2, b2 = np.array([[0.8, -0.9], [-0.2, 0.7]]), np.array([0.1, 0.3])
beta, beta0 = np.array([1.2, -0.4]), -0.2


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


z1 = sigmoid(W1 @ x + b1)
z2 = sigmoid(W2 @ z1 + b2)
y = sigmoid(beta @ z2 + beta0)
db = target - y  # dJ/dy * dy/db
dz2 = db * beta
da2 = dz2 * z2 * (1 - z2)
dz1 = da2 @ W2
da1 = dz1 * z1 * (1 - z1)

L = cg.linearize(G)
S, gradient = cg.sensitivities(L, "J"), cg.weight_gradients(L, "J")
rows = [("y", y, L.nodes["y"]["value"])]
rows += [(f"dJ/dz1_{j + 1}", dz1[j], S[f"h1_{j + 1}"]) for j in range(2)]
rows += [(f"dJ/dz2_{j + 1}", dz2[j], S[f"h2_{j + 1}"]) for j in range(2)]
rows += [(f"dJ/dx{i + 1}", (da1 @ W1)[i], S[f"x{i + 1}"]) for i in range(3)]
for j in range(2):
    rows += [(f"dJ/dalpha1_{i + 1}{j + 1}", da1[j] * x[i], gradient[f"x{i + 1}", f"h1_{j + 1}"]) for i in range(3)]
    rows += [(f"dJ/dalpha2_{i + 1}{j + 1}", da2[j] * z1[i], gradient[f"h1_{i + 1}", f"h2_{j + 1}"]) for i in range(2)]
    rows += [(f"dJ/db1_{j + 1}", da1[j], gradient["+1", f"h1_{j + 1}"])]
    rows += [(f"dJ/db2_{j + 1}", da2[j], gradient["+1", f"h2_{j + 1}"])]
    rows += [(f"dJ/dbeta_{j + 1}", db * z2[j], gradient[f"h2_{j + 1}", "y"])]
rows += [("dJ/dbeta_0", db, gradient["+1", "y"])]
sys.exit(compare(rows))
