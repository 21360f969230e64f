"""DD2424, lecture 3: sin(x^2), and the chain rule for the composition of n functions."""

import sys
from itertools import pairwise
from math import cos, exp, prod, sin
from pathlib import Path

import cgraph as cg
from cgraph.testing import compare

L = cg.linearize(cg.read_spec(Path(__file__).with_name("chain.yaml")))
rows = [("d sin(x^2)/dx", 2 * 1.5 * cos(1.5**2), cg.sensitivity(L, "x", "h"))]

# y_j = f_j(y_(j-1)): each function beside its derivative.
functions = [("sin(%s)", sin, cos), ("exp(%s)", exp, exp), ("%s^2", lambda y: y * y, lambda y: 2 * y)]
n = 12
G = cg.ComputationalGraph()
G.add_input("y0", 0.3)
record, local = [0.3], []
for j in range(1, n + 1):
    equation, f, derivative = functions[j % 3]
    G.add_equation(f"y{j}", equation % f"y{j - 1}")
    local.append(derivative(record[-1]))
    record.append(f(record[-1]))

L = cg.linearize(G)
S = cg.sensitivities(L, f"y{n}")
rows += [(f"y{j}", y, L.nodes[f"y{j}"]["value"]) for j, y in enumerate(record)]
rows += [(f"dy{n}/dy{j}", prod(local[j:]), S[f"y{j}"]) for j in range(n + 1)]
rows += [
    (f"dy{n}/dy{j} by one more factor", S[f"y{k}"] * L.edges[f"y{j}", f"y{k}"]["derivative"], S[f"y{j}"])
    for j, k in pairwise(range(n + 1))
]
sys.exit(compare(rows))
