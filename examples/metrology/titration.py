"""EURACHEM/CITAC A3: the concentration of hydrochloric acid, once and as the mean of three titrations."""

import sys
from math import sqrt
from pathlib import Path

import cgraph as cg
from cgraph.testing import compare

L = cg.linearize(cg.read_spec(Path(__file__).with_name("titration.yaml")))
b = cg.uncertainty_budget(L, ["c", "V_T1", "V_T2", "V_HCl", "m", "M"])
stated = L.graph["uncertainty"]["uncertainty"]
three = cg.uncertainty_budget(L, ["c"], stated | {"rep": 0.001 / sqrt(3)})
rows = [
    ("c, mol/L", 0.10139, round(b.value["c"], 5)),
    ("u(c), mol/L", 0.00018, round(b.standard["c"], 5)),
    ("u(c) of three titrations", 0.00016, round(three.standard["c"], 5)),
    ("u(V_T1), mL", 0.015, round(b.standard["V_T1"], 3)),
    ("u(V_T2), mL", 0.014, round(b.standard["V_T2"], 3)),
    ("u(V_HCl), mL", 0.011, round(b.standard["V_HCl"], 3)),
    ("u(M), g/mol", 0.0038, round(b.standard["M"], 4)),
]
sys.exit(compare(rows))
