"""MATH 565, lecture 27: a gradient that vanishes in twenty layers of sigmoid, and does not in the same of relu."""

import random
import sys
from math import log, sqrt

import cgraph as cg
from cgraph.reports.tables import Table, to_text
from cgraph.testing import compare

LAYERS, WIDTH = 20, 8


def network(activation):
    """Return a network with positive weights of mean sqrt(2)/WIDTH, the same for every activation."""
    chance = random.Random(1)
    G = cg.ComputationalGraph()
    layer = ["x"]
    G.add_input("x", 1.0)
    for k in range(1, LAYERS + 1):
        names = [f"h{k}_{n}" for n in range(WIDTH)]
        for name in names:
            G.add_neuron(
                name, activation=activation, weights={i: chance.uniform(0.5, 1.5) * sqrt(2) / len(layer) for i in layer}
            )
        layer = names
    G.add_equation("y", " + ".join(layer))
    return cg.linearize(G)


flows = {activation: cg.gradient_flow(network(activation), "y") for activation in ("sigmoid", "relu")}
table = [
    (depth, s.mean, f"{s.shut:.0%}", r.mean, f"{r.shut:.0%}")
    for depth, (s, r) in enumerate(zip(*flows.values(), strict=True))
    if 0 < depth <= LAYERS
]
print(to_text(Table(("layers from y", "sigmoid |S|", "gates shut", "relu |S|", "gates shut "), table)), end="\n\n")

first = {activation: flow[LAYERS] for activation, flow in flows.items()}
bound = 0.25**LAYERS * (1.5 * sqrt(2)) ** LAYERS * WIDTH  # every gate is at most 1/4
sys.exit(
    compare(
        [
            ("relu gates that are open", 1.0, 1.0 - max(level.shut for level in flows["relu"][1 : LAYERS + 1])),
            ("sigmoid |S| at the first layer stays under its bound", 1, first["sigmoid"].mean <= bound),
            ("relu |S| at the first layer is more than a million times that", 1,
             first["relu"].mean > 1e6 * first["sigmoid"].mean),
            ("the logarithm of the mean", log(first["sigmoid"].mean), first["sigmoid"].log_mean),
        ]
    )
)  # fmt: skip
