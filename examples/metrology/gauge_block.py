"""GUM H.1: the length of an end gauge, its components, degrees of freedom and terms of second order."""

import sys
from math import floor
from pathlib import Path

import cgraph as cg
from cgraph.testing import compare

L = cg.linearize(cg.read_spec(Path(__file__).with_name("gauge_block.yaml")))
b = cg.uncertainty_budget(L, ["l"])
c = b.components["l"]
printed = {"l_s": 25.0, "d_theta": -16.599, "d_2": 6.7, "d_mean": 5.8, "d_1": 3.9, "d_alpha": 2.88679}
rows = [(f"component of {i}", value, float(f"{c[i]:.6g}")) for i, value in printed.items()]
rows += [(f"component of {i}", 0.0, c[i]) for i in ("alpha_s", "theta_mean", "Delta")]
rows += [
    ("l, nm", 50_000_838, round(b.value["l"])),
    ("u(l), nm", 32, round(b.standard["l"])),
    ("effective degrees of freedom", 16, floor(b.dof["l"])),
    ("coverage factor for 99%", 2.92, round(b.expanded(0.99)["l"].factor, 2)),
    ("u(l) with the second order", 34, round(cg.uncertainty_budget(L, ["l"], order=2).standard["l"])),
]
sys.exit(compare(rows))
