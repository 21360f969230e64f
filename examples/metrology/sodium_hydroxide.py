"""EURACHEM/CITAC A2: the concentration of a solution of sodium hydroxide."""

import sys
from pathlib import Path

import cgraph as cg
from cgraph.testing import compare

L = cg.linearize(cg.read_spec(Path(__file__).with_name("sodium_hydroxide.yaml")))
b = cg.uncertainty_budget(L, ["c", "m", "M", "V"])
rows = [
    ("c, mol/L", 0.10214, round(b.value["c"], 5)),
    ("u(c), mol/L", 0.00010, round(b.standard["c"], 5)),
    ("m, g", 0.3888, b.value["m"]),
    ("u(m), g", 0.00012, round(b.standard["m"], 5)),  # the guide rounds 0.000087 * sqrt(2) up, to 0.00013
    ("M, g/mol", 204.2212, round(b.value["M"], 4)),
    ("u(M), g/mol", 0.0038, round(b.standard["M"], 4)),
    ("u(V), mL", 0.014, round(b.standard["V"], 3)),  # 0.013 in the guide, from rounded parts
]
sys.exit(compare(rows))
