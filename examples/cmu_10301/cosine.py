"""10-301/601, lecture 13: the forward and the backward table of J = cos(sin(x^2) + 3x^2), line by line."""

import sys
from math import cos, sin
from pathlib import Path

import cgraph as cg
from cgraph.testing import compare

L = cg.linearize(cg.read_spec(Path(__file__).with_name("cosine.yaml")))
x = 0.5

t = x**2
u1, u2 = sin(t), 3 * t
u = u1 + u2
forward = {"t": t, "u1": u1, "u2": u2, "u": u, "J": cos(u)}

dJ_du = -sin(u)
dJ_du1 = dJ_du2 = dJ_du * 1
dJ_dt = dJ_du1 * cos(t) + dJ_du2 * 3
backward = {"u": dJ_du, "u1": dJ_du1, "u2": dJ_du2, "t": dJ_dt, "x": dJ_dt * 2 * x}

S = cg.sensitivities(L, "J")
rows = [(node, value, L.nodes[node]["value"]) for node, value in forward.items()]
rows += [(f"dJ/d{node}", value, S[node]) for node, value in backward.items()]
rows += [("paths from x to J", 2, cg.count_paths(L, "x", "J"))]
sys.exit(compare(rows))
