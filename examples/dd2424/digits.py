"""DD2424, lecture 3: softmax regression by gradient descent, on scikit-learn's images of digits.

Beside it stand the same descent written by hand, and scikit-learn's own minimum, where the gradient must vanish.
"""

import sys

import numpy as np

import cgraph as cg
from cgraph.testing import compare

try:
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression
except ImportError:
    print("skipped: the data are part of scikit-learn; pip install scikit-learn")
    sys.exit(0)

lam, rate, steps = 0.01, 0.5, 100
images, labels = load_digits(return_X_y=True)  # 1797 images of 8 x 8 points, from 0 to 16
X, Y = images / 16, np.eye(10)[labels]
order = np.random.default_rng(0).permutation(len(X))
learn, test = order[:1000], order[1000:]

G = cg.ComputationalGraph()
G.add_input("X", X[learn])
G.add_input("Y", Y[learn])
G.add_weight("W", np.zeros((10, 64)))
G.add_weight("b", np.zeros(10))
G.add_equation("S", "X @ W.T + b")
G.add_equation("l", "softmax_cross_entropy(S, Y)")
G.add_equation("J", f"mean(l) + {lam}*sum(W^2)")


def gradient(weights):
    """Return J and its gradient: forward, then one sweep back over all examples."""
    L = cg.linearize(G, weights)
    return L.nodes["J"]["value"], cg.weight_gradients(L, "J")


def by_hand(W, b):
    """Return dJ/dW = g^T x^T + 2 lambda W and dJ/db = g, g = p - y, for the mean over the examples."""
    P = np.exp(X[learn] @ W.T + b)
    g = (P / P.sum(axis=1, keepdims=True) - Y[learn]) / len(learn)
    return g.T @ X[learn] + 2 * lam * W, g.sum(axis=0)


weights = {"W": np.zeros((10, 64)), "b": np.zeros(10)}
W, b = weights.values()
losses = []
for _ in range(steps):
    J, dJ = gradient(weights)
    losses.append(J)
    weights = {name: value - rate * dJ[name] for name, value in weights.items()}
    W, b = (value - rate * d for value, d in zip((W, b), by_hand(W, b), strict=True))


def right(weights, chosen):
    """Return the fraction of images whose highest score is that of their label."""
    return np.mean((X[chosen] @ weights["W"].T + weights["b"]).argmax(axis=1) == labels[chosen])


# scikit-learn minimizes C * (sum of l) + |W|^2 / 2: for C = 1/(2 lambda n) a multiple of J.
minimum = LogisticRegression(C=1 / (2 * lam * len(learn)), tol=1e-7, max_iter=1000).fit(X[learn], labels[learn])
least, at_minimum = gradient({"W": minimum.coef_, "b": minimum.intercept_})
rows = [
    ("J at W = 0, b = 0: ln 10", np.log(10), losses[0]),
    ("W after the descent", W, weights["W"]),
    ("b after the descent", b, weights["b"]),
    ("J falls in every step", True, all(np.diff(losses) < 0)),
    ("more than 90 % of the other images are right", True, right(weights, test) > 0.9),
    ("J is above scikit-learn's minimum, by less than 0.02", True, 0 < losses[-1] - least < 0.02),
    ("the gradient by W vanishes at that minimum, to 1e-6", True, np.abs(at_minimum["W"]).max() < 1e-6),
    ("the gradient by b vanishes at that minimum, to 1e-6", True, np.abs(at_minimum["b"]).max() < 1e-6),
]
print(f"J = {losses[-1]:.4f}, {right(weights, learn):.1%} of the {len(learn)} images right, {right(weights, test):.1%} of "
      f"the other {len(test)}; at the minimum J = {least:.4f}")  # fmt: skip
sys.exit(compare(rows, tolerance=1e-10))
