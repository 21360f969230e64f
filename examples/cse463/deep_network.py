"""CSE463, section 5.6.1: a network of K layers, and (5.115) to (5.118) by multiplying the Jacobians on its edges."""

import sys

import numpy as np

import cgraph as cg
from cgraph.testing import compare

WIDTHS = [3, 5, 4, 4, 2]  # of f_0 to f_K
ACTIVATIONS = ["tanh", "sigmoid", "softplus", "tanh"]
K = len(WIDTHS) - 1
rng = np.random.default_rng(3)

G = cg.ComputationalGraph()
G.add_input("f0", rng.normal(size=WIDTHS[0]))
G.add_input("y", rng.normal(size=WIDTHS[K]))
for i in range(1, K + 1):
    G.add_weight(f"A{i - 1}", rng.normal(size=(WIDTHS[i], WIDTHS[i - 1])))
    G.add_weight(f"b{i - 1}", rng.normal(size=WIDTHS[i]))
    G.add_equation(f"f{i}", f"{ACTIVATIONS[i - 1]}(A{i - 1} @ f{i - 1} + b{i - 1})")  # (5.113)
G.add_equation("L", f"squared_norm(y - f{K})")  # (5.114)
L = cg.linearize(G)


def local(i, j):
    return L.edges[i, j]["derivative"]


# The product so far, dL/df_(i+1): what (5.116) to (5.118) reuse from one layer to the next.
gradient = cg.weight_gradients(L, "L")
y, f_K = L.nodes["y"]["value"], L.nodes[f"f{K}"]["value"]
product = local(f"f{K}", "L")
rows = [("dL/df_K = -2 (y - f_K)^T", -2 * (y - f_K)[None], product)]
for i in reversed(range(K)):
    equation = {K - 1: "(5.115)", K - 2: "(5.116)", K - 3: "(5.117)"}.get(i, "(5.118)")
    for theta in (f"A{i}", f"b{i}"):
        dL_dtheta = (product @ local(theta, f"f{i + 1}")).dense()
        rows += [(f"dL/d{theta} {equation}", dL_dtheta.reshape(gradient[theta].shape), gradient[theta])]
    product = product @ local(f"f{i}", f"f{i + 1}")
rows += [("dL/df_0", product, cg.sensitivity(L, "f0", "L"))]

# The layers by hand, for the numbers on the edges: df_i/df_(i-1) = diag(sigma'(z_i)) A_(i-1), and against central differences.
slopes = {"tanh": lambda z: 1 - np.tanh(z) ** 2, "sigmoid": lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2,
          "softplus": lambda z: 1 / (1 + np.exp(-z))}  # fmt: skip
for i in range(1, K + 1):
    A, b, f = (L.nodes[name]["value"] for name in (f"A{i - 1}", f"b{i - 1}", f"f{i - 1}"))
    expected = np.diag(slopes[ACTIVATIONS[i - 1]](A @ f + b)) @ A
    rows += [(f"df_{i}/df_{i - 1} = diag(sigma') A_{i - 1}", expected, local(f"f{i - 1}", f"f{i}"))]
sys.exit(compare(rows))
