"""MATH 565, lecture 27: dJ/dw_ij = S(j,J) Phi'(s_j) y(i), in the network as it is and in its decoupled form."""

import sys
from math import exp, tanh
from pathlib import Path

import cgraph as cg
from cgraph.testing import compare

G = cg.read_spec(Path(__file__).with_name("network.yaml"))
x1, x2 = 0.5, -1.0
h1 = 1 / (1 + exp(-(0.2 * x1 + 0.4 * x2 + 0.1)))
h2 = tanh(-0.7 * x1 + 0.3 * x2 - 0.2)
o = 1 / (1 + exp(-(1.1 * h1 - 0.6 * h2 + 0.25 * x1)))

gate = {"h1": h1 * (1 - h1), "h2": 1 - h2**2, "o": o * (1 - o)}
S = {"o": o - 1}
S["h1"] = S["o"] * gate["o"] * 1.1
S["h2"] = S["o"] * gate["o"] * -0.6
y = {"x1": x1, "x2": x2, "h1": h1, "h2": h2, "+1": 1.0}

L = cg.linearize(G)
rows = []
for (i, j), factors in cg.gradient_factors(L, "J").items():
    by_hand = (S[j], gate[j], y[i])
    rows += [(f"{i} -> {j}: {name}", e, g) for name, e, g in zip(factors._fields, by_hand, factors, strict=True)]
    rows.append((f"dJ/dw({i},{j})", S[j] * gate[j] * y[i], factors.product))

D = cg.linearize(cg.decouple(G))
for j in ("h1", "h2", "o"):
    rows.append((f"z({j}-,{j}+) is the gate alone", gate[j], D.edges[f"{j}-", f"{j}+"]["derivative"]))
    rows.append((f"S({j}-,J)", S[j] * gate[j], cg.sensitivity(D, f"{j}-", "J")))
rows.append(("z(x1,h1-) is the weight alone", 0.2, D.edges["x1", "h1-"]["derivative"]))
rows.append(("z(h1+,o-) is the weight alone", 1.1, D.edges["h1+", "o-"]["derivative"]))
decoupled, nodes = cg.weight_gradients(D, "J"), cg.sensitivities(cg.linearize(cg.weights_as_nodes(G)), "J")
rows.append(("dJ/dw(x1,h1) = S(h1-,J) y(x1)", S["h1"] * gate["h1"] * x1, decoupled["x1", "h1-"]))
rows.append(("dJ/dw(h1,o) from the weight's own node", S["o"] * gate["o"] * h1, nodes["w_h1_o"]))
sys.exit(compare(rows))
