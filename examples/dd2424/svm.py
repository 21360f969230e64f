"""DD2424, lecture 3: linear scores and the multi-class SVM loss, as one operation and as an equation."""

import sys

import numpy as np

import cgraph as cg
from cgraph.testing import compare

C, d, lam = 4, 3, 0.05
rng = np.random.default_rng(1)
x, y = rng.normal(size=d), np.array([0.0, 0.0, 1.0, 0.0])
W, b = rng.normal(size=(C, d)), rng.normal(size=C)


def graph(loss, scores="W @ x + b", **data):
    G = cg.ComputationalGraph()
    for name, value in data.items():
        G.add_input(name, value)
    G.add_weight("W", W)
    G.add_weight("b", b)
    G.add_equation("s", scores)
    G.add_equation("l", loss)
    G.add_equation("J", f"mean(l) + {lam}*sum(W^2)")
    return G


def by_hand(x, y):
    """Return l = sum over j other than the label u of max(0, s_j - s_u + 1), and dl/ds."""
    s, u = W @ x + b, int(y.argmax())
    margins = s - s[u] + 1
    margins[u] = 0.0  # the label's own term is left out
    g = (margins > 0).astype(float)
    g[u] = -g.sum()
    return np.maximum(margins, 0).sum(), g


l, g = by_hand(x, y)
L = cg.linearize(graph("hinge(s, y)", x=x, y=y))
# The same loss from elementary operations; the label's own term is always 1.
E = cg.linearize(graph("sum(max(0, s - y @ s + 1)) - 1", x=x, y=y))
rows = [(f"margins violated, of {C - 1}", 2, (g > 0).sum())]
for name, H in (("hinge", L), ("max(0, .)", E)):
    gradient = cg.weight_gradients(H, "J")
    rows += [
        (f"l, {name}", l, H.nodes["l"]["value"]),
        (f"dl/ds, {name}", g[None], H.edges["s", "l"]["derivative"]),
        (f"dJ/db = g, {name}", g, gradient["b"]),
        (f"dJ/dW = g^T x^T + 2 lambda W, {name}", np.outer(g, x) + 2 * lam * W, gradient["W"]),
    ]

n = 6
X, Y = rng.normal(size=(n, d)), np.eye(C)[rng.integers(0, C, n)]
batch = cg.weight_gradients(cg.linearize(graph("hinge(s, Y)", "X @ W.T + b", X=X, Y=Y)), "J")
g = np.array([by_hand(x, y)[1] for x, y in zip(X, Y, strict=True)])
rows += [
    ("dJ/dW of a mini-batch", g.T @ X / n + 2 * lam * W, batch["W"]),
    ("dJ/db of a mini-batch", g.mean(axis=0), batch["b"]),
]
sys.exit(compare(rows))
