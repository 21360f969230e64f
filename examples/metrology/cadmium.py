"""EURACHEM/CITAC A1: the concentration of a standard of cadmium."""

import sys
from pathlib import Path

import cgraph as cg
from cgraph.testing import compare

L = cg.linearize(cg.read_spec(Path(__file__).with_name("cadmium.yaml")))
b = cg.uncertainty_budget(L, ["c", "V"])
# The guide combines components that it has rounded: 0.0005, 0.000058 and 0.0007 of the value.
rounded = cg.uncertainty_budget(L, ["c"], {"m": "0.05%", "P": "0.0058%", "V_flask": "0.07%"})
rows = [
    ("c, mg/L", 1002.7, round(b.value["c"], 1)),
    ("u(V), mL", 0.07, round(b.standard["V"], 2)),
    ("u(m) / m", 0.0005, round(b.components["c"]["m"] / b.value["c"], 4)),
    ("u(P) / P", 0.000058, round(b.components["c"]["P"] / b.value["c"], 6)),
    ("u(c), mg/L, from the rounded components", 0.9, round(rounded.standard["c"], 1)),
    ("u(c), mg/L, 0.835 unrounded", 0.835, round(b.standard["c"], 3)),
]
sys.exit(compare(rows))
