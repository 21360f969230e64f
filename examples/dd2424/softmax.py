"""DD2424, lecture 3: linear scores, softmax, cross-entropy, regularisation: every Jacobian, then the mini-batch."""

import sys

import numpy as np

import cgraph as cg
from cgraph.testing import compare

C, d, lam = 3, 4, 0.1
rng = np.random.default_rng(0)
x, y = rng.normal(size=d), np.array([0.0, 1.0, 0.0])
W, b = rng.normal(size=(C, d)), rng.normal(size=C)


def graph(data, equations):
    """Return the graph of some data and the equations, with the weights W and b."""
    G = cg.ComputationalGraph()
    for name, value in data.items():
        G.add_input(name, value)
    G.add_weight("W", W)
    G.add_weight("b", b)
    G.add_constant("lam", lam)
    for name, equation in equations.items():
        G.add_equation(name, equation)
    return G


ONE_EXAMPLE = {
    "z": "W @ x", "s": "z + b", "p": "softmax(s)", "l": "cross_entropy(p, y)", "r": "sum(W^2)", "J": "l + lam*r",
}  # fmt: skip
L = cg.linearize(graph({"x": x, "y": y}, ONE_EXAMPLE))


def local(i, j):
    return L.edges[i, j]["derivative"]


# The Jacobians on the edges, in the order in which the lecture finds them.
p = np.exp(W @ x + b) / np.exp(W @ x + b).sum()
dl_dp, dp_ds = -y[None] / (y @ p), np.diag(p) - np.outer(p, p)
rows = [
    ("dJ/dr = lambda", lam, local("r", "J")),
    ("dr/dvec(W) = 2 vec(W)^T", 2 * W.reshape(1, -1), local("W", "r")),
    ("dJ/dl = 1", 1.0, local("l", "J")),
    ("dl/dp = -y^T / y^T p", dl_dp, local("p", "l")),
    ("dp/ds = diag(p) - p p^T", dp_ds, local("s", "p")),
    ("ds/db = I", np.eye(C), local("b", "s")),
    ("ds/dz = I", np.eye(C), local("z", "s")),
    ("dz/dvec(W) = I (x) x^T", np.kron(np.eye(C), x), local("W", "z")),
    ("dz/dx = W", W, local("x", "z")),
]

# The gradients, aggregated from J to the weights.
S = cg.sensitivities(L, "J")
g = dl_dp @ dp_ds
rows += [
    ("dJ/dp", dl_dp, S["p"]),
    ("dJ/ds = dJ/dp (diag(p) - p p^T)", g, S["s"]),
    ("dJ/ds = (p - y)^T", (p - y)[None], S["s"]),
    ("dJ/dz", g, S["z"]),
    ("dJ/db = g", g, S["b"]),
    ("dJ/dvec(W) = (g_1 x^T ... g_C x^T) + 2 lambda vec(W)^T", g @ np.kron(np.eye(C), x) + 2 * lam * W.reshape(1, -1), S["W"]),
    ("dJ/dvec(W), over the paths by z and by r", S["W"], cg.path_sum(L, "W", "J")),
    ("dJ/dW = g^T x^T + 2 lambda W", g.T @ x[None] + 2 * lam * W, cg.weight_gradients(L, "J")["W"]),
]  # fmt: skip

# The mini-batch: the mean over examples plus the regulariser once. One sweep, examples along the first axis.
n = 5
X, Y = rng.normal(size=(n, d)), np.eye(C)[rng.integers(0, C, n)]
BATCH = {
    "S": "X @ W.T + b", "P": "softmax(S)", "l": "cross_entropy(P, Y)", "r": "sum(W^2)", "J": "mean(l) + lam*r",
}  # fmt: skip
M = cg.linearize(graph({"X": X, "Y": Y}, BATCH))
at_once = cg.weight_gradients(M, "J")
one_by_one = [cg.linearize(L, {"x": x, "y": y}) for x, y in zip(X, Y, strict=True)]
gradients = [cg.weight_gradients(one, "J") for one in one_by_one]

# The lecture's algorithm: add up g^T x^T, divide by n, add the regulariser's gradient.
dL_dW, dL_db = np.zeros((C, d)), np.zeros(C)
for x, y in zip(X, Y, strict=True):
    p = np.exp(W @ x + b) / np.exp(W @ x + b).sum()
    g = -y / (y @ p) @ (np.diag(p) - np.outer(p, p))
    dL_db += g
    dL_dW += np.outer(g, x)
rows += [
    ("J of the batch", np.mean([one.nodes["J"]["value"] for one in one_by_one]), M.nodes["J"]["value"]),
    ("dJ/dW of the batch, by the lecture's loop", dL_dW / n + 2 * lam * W, at_once["W"]),
    ("dJ/db of the batch, by the lecture's loop", dL_db / n, at_once["b"]),
    ("dJ/dW of the batch, mean of single sweeps", np.mean([g["W"] for g in gradients], axis=0), at_once["W"]),
    ("dJ/db of the batch, mean of single sweeps", np.mean([g["b"] for g in gradients], axis=0), at_once["b"]),
]
sys.exit(compare(rows))
