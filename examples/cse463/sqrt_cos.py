"""CSE463, section 5.6: the derivative (5.110) of (5.109), and the four paths that it is made of."""

import sys
from math import exp, sin, sqrt
from pathlib import Path

import cgraph as cg
from cgraph.testing import compare

G = cg.read_spec(Path(__file__).with_name("sqrt_cos.yaml"))
rows = []
for x in (-1.2, 0.0, 0.8):
    c = x**2 + exp(x**2)
    derivative = 2 * x * (1 / (2 * sqrt(c)) - sin(c)) * (1 + exp(x**2))
    rows.append((f"df/dx at {x:g}", derivative, cg.sensitivity(cg.linearize(G, {"x": x}), "x", "f")))
L = cg.linearize(G)
rows.append(("paths from x to f", 4, cg.count_paths(L, "x", "f")))
rows.append(("sum of their products", cg.sensitivity(L, "x", "f"), cg.path_sum(L, "x", "f")))
sys.exit(compare(rows))
