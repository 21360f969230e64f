"""DD2424, lecture 3: the gradients of softmax, cross-entropy and regularisation, by the formulas of the lecture."""

import sys
from pathlib import Path

import numpy as np

import cgraph as cg
from cgraph.testing import compare

L = cg.linearize(cg.read_spec(Path(__file__).with_name("linear_classifier.toml")))
x, y = np.array([0.5, -1.0]), np.array([0.0, 1.0, 0.0])
W, b, decay = np.array([[0.2, 0.4], [-0.3, 0.1], [0.7, -0.5]]), np.array([0.1, 0.0, -0.2]), 0.1

s = W @ x + b
p = np.exp(s) / np.exp(s).sum()
g = -y / (y @ p) @ (np.diag(p) - np.outer(p, p))  # dl/dp dp/ds
gradients = cg.loss_sensitivities(L, {"J": 1})
expected = {
    "s": p - y, "W": np.outer(g, x) + 2 * decay * W, "b": g, "p": -y / (y @ p),
}  # fmt: skip
rows = [
    (f"dJ/d{node}{list(index)}", array[index], gradients[node][index])
    for node, array in expected.items()
    for index in np.ndindex(array.shape)
]
rows.append(("J", -np.log(p[1]) + decay * (W**2).sum(), L.nodes["J"]["value"]))
sys.exit(compare(rows))
