"""10-301/601, lecture 13, Case 2: the backward column of a one-hidden-layer network, then stochastic descent."""

import sys
from math import exp, log
from pathlib import Path

import cgraph as cg
from cgraph.testing import compare

G = cg.read_spec(Path(__file__).with_name("one_hidden_layer.yaml"))
alpha = [[0.1, 0.3, -0.2], [-0.3, -0.6, 0.8]]
beta = [0.2, 0.7, -1.1]


def sigmoid(a):
    return 1 / (1 + exp(-a))


def backward(x, target):
    """Return J and its derivatives, line by line as in the notes."""
    x = [1.0, *x]
    a = [sum(w * v for w, v in zip(row, x, strict=True)) for row in alpha]
    z = [1.0, *map(sigmoid, a)]
    b = sum(w * v for w, v in zip(beta, z, strict=True))
    y = sigmoid(b)
    J = target * log(y) + (1 - target) * log(1 - y)
    dJ_dy = target / y + (1 - target) / (y - 1)
    dJ_db = dJ_dy * exp(-b) / (exp(-b) + 1) ** 2
    dJ_dbeta = [dJ_db * v for v in z]
    dJ_dz = [dJ_db * w for w in beta]
    dJ_da = [dJ_dz[j + 1] * exp(-a[j]) / (exp(-a[j]) + 1) ** 2 for j in range(2)]
    dJ_dalpha = [[d * v for v in x] for d in dJ_da]
    dJ_dx = [sum(dJ_da[j] * alpha[j][i] for j in range(2)) for i in range(3)]
    return J, dJ_dy, dJ_db, dJ_dbeta, dJ_dz, dJ_da, dJ_dalpha, dJ_dx


L = cg.linearize(G)
D = cg.linearize(cg.decouple(G))  # a_j and b are the linear halves
S, T, gradient = cg.sensitivities(L, "J"), cg.sensitivities(D, "J"), cg.weight_gradients(L, "J")
J, dJ_dy, dJ_db, dJ_dbeta, dJ_dz, dJ_da, dJ_dalpha, dJ_dx = backward([0.9, -0.4], 1.0)
rows = [("J", J, L.nodes["J"]["value"]), ("dJ/dy", dJ_dy, S["y"]), ("dJ/db", dJ_db, T["y-"])]
rows += [(f"dJ/dbeta_{j}", dJ_dbeta[j], gradient[i, "y"]) for j, i in enumerate(("+1", "z1", "z2"))]
rows += [(f"dJ/dz_{j}", dJ_dz[j], S[f"z{j}"]) for j in (1, 2)]
rows += [(f"dJ/da_{j}", dJ_da[j - 1], T[f"z{j}-"]) for j in (1, 2)]
for j in (1, 2):
    rows += [(f"dJ/dalpha_{j}{k}", dJ_dalpha[j - 1][k], gradient[i, f"z{j}"]) for k, i in enumerate(("+1", "x1", "x2"))]
rows += [(f"dJ/dx_{i}", dJ_dx[i], S[f"x{i}"]) for i in (1, 2)]

# Algorithm 1 of the notes, one example at a time; J is to be made large, so the rate is negative here.
data = {"x1": [0.9, -1.0, 0.3, -0.2], "x2": [-0.4, 0.5, 0.8, -0.7], "target": [1.0, 0.0, 1.0, 0.0]}
result = cg.gradient_descent(G, "J", rate=-0.5, steps=3, data=data, batch=1)
gamma = 0.5
for _ in range(3):
    for x1, x2, target in zip(*data.values(), strict=True):
        *_, dJ_dbeta, _, _, dJ_dalpha, _ = backward([x1, x2], target)
        beta = [w + gamma * g for w, g in zip(beta, dJ_dbeta, strict=True)]
        alpha = [[w + gamma * g for w, g in zip(*row, strict=True)] for row in zip(alpha, dJ_dalpha, strict=True)]
trained = result.graph
rows += [
    (f"beta_{j} after 3 epochs", beta[j], trained.edges[i, "y"]["weight"]) for j, i in enumerate(("+1", "z1", "z2"))
]
rows += [("alpha_11 after 3 epochs", alpha[0][1], trained.edges["x1", "z1"]["weight"])]
mean = sum(backward(x, target)[0] for *x, target in zip(*data.values(), strict=True)) / 4
rows += [("mean J after 3 epochs", mean, result.history[-1])]
sys.exit(compare(rows))
