"""10-301/601, lecture 13, Case 1: every line of the backward column for logistic regression."""

import sys
from math import exp
from pathlib import Path

import cgraph as cg
from cgraph.testing import compare

G = cg.read_spec(Path(__file__).with_name("logistic.yaml"))
x = {"x0": 1.0, "x1": 0.5, "x2": -1.5}
theta = {"theta_0": 0.1, "theta_1": -0.4, "theta_2": 0.7}

rows = []
for target in (0.0, 1.0):
    S = cg.sensitivities(cg.linearize(G, {"target": target}), "J")
    a = sum(t * v for t, v in zip(theta.values(), x.values(), strict=True))
    y = 1 / (1 + exp(-a))
    dJ_dy = target / y + (1 - target) / (y - 1)
    dJ_da = dJ_dy * exp(-a) / (exp(-a) + 1) ** 2
    rows += [
        (f"dJ/dy for target {target:g}", dJ_dy, S["y"]),
        ("dJ/da", dJ_da, S["a"]),
        ("target - y", target - y, S["a"]),
    ]
    rows += [(f"dJ/d{t}", dJ_da * value, S[t]) for t, value in zip(theta, x.values(), strict=True)]
    rows += [(f"dJ/d{i}", dJ_da * value, S[i]) for i, value in zip(x, theta.values(), strict=True)]
sys.exit(compare(rows))
