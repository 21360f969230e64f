"""MATH 565, lecture 26: loss-to-weight derivatives, by extra nodes for the weights and by Delta from the output."""

import sys
from math import cos, log, sin
from pathlib import Path

import cgraph as cg
from cgraph.testing import compare

G = cg.read_spec(Path(__file__).with_name("lecture26.yaml"))
L = cg.linearize(G)
S = cg.sensitivities(L, "10")
y1, y2, w1, w2, w3 = 1.2, 0.7, 0.5, -0.4, 1.3
y5 = w2 * y2 + w3 * y2
u = w1 * y1 + w2 * y2
y9 = sin(u) ** 2 + 1 + 2**y5

rows = [
    ("dy(10)/dy(9) = 1/y(9)", 1 / y9, L.edges["9", "10"]["derivative"]),
    ("S(5,9) = 2^y(5) ln 2", 2**y5 * log(2), cg.sensitivity(L, "5", "9")),
    ("dy(5)/dy(13) = 1", 1.0, L.edges["13", "5"]["derivative"]),
    ("dy(13)/dw3 = y(2)", y2, L.edges["w3", "13"]["derivative"]),
    ("dJ/dw3 = 2^y(5) ln 2 y(2) / y(9)", 2**y5 * log(2) * y2 / y9, S["w3"]),
    ("dJ/dw1 = 2 sin(u) cos(u) y(1) / y(9)", 2 * sin(u) * cos(u) * y1 / y9, S["w1"]),
    ("dJ/dw2, two ways", (2 * sin(u) * cos(u) + 2**y5 * log(2)) * y2 / y9, S["w2"]),
]

# The same without a node for the loss: Delta starts from dJ/dy(9).
gradient = cg.weight_gradients(L, {"9": 1 / y9})
rows += [(f"dJ/d{w} by Delta", S[w], gradient[w]) for w in ("w1", "w2", "w3")]

# One step of gradient descent.
trained = cg.gradient_descent(G, "10", rate=0.1, steps=1).graph
rows += [(f"{w} - 0.1 dJ/d{w}", G.nodes[w]["value"] - 0.1 * S[w], trained.nodes[w]["value"]) for w in gradient]
sys.exit(compare(rows))
