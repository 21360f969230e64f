"""GUM H.2: from raw readings, reading by reading, and from the rounded means with their rounded correlations."""

import sys
from itertools import combinations
from pathlib import Path

import cgraph as cg
from cgraph.testing import compare

PRINTED = {"R": (127.732, 0.071), "X": (219.847, 0.295), "Z": (254.260, 0.236)}
CORRELATED = {("R", "X"): -0.588, ("R", "Z"): -0.485, ("X", "Z"): 0.993}
READINGS = {
    "V": [5.007, 4.994, 5.005, 4.990, 4.999],
    "I": [19.663e-3, 19.639e-3, 19.640e-3, 19.685e-3, 19.678e-3],
    "phi": [1.0456, 1.0438, 1.0468, 1.0428, 1.0433],
}

G = cg.read_spec(Path(__file__).with_name("impedance.yaml"))
b = cg.uncertainty_budget(cg.linearize(G), ["R", "X", "Z"])
rows = [(f"{t} from the means", value, round(b.value[t], 3)) for t, (value, _) in PRINTED.items()]
rows += [
    (f"r({s}, {t}) from the means", CORRELATED[s, t], round(float(b.correlation[a, c]), 3))
    for (a, s), (c, t) in combinations(enumerate("RXZ"), 2)
]

# The second approach: R, X and Z of each set of readings, and the means of these.
values = cg.compile_graph(G).evaluate(READINGS, nodes=["R", "X", "Z"])
found = cg.from_readings(dict(zip("RXZ", values, strict=True)))
for t, (value, u) in PRINTED.items():
    rows.append((f"{t} reading by reading", value, round(found.values[t], 3)))
    rows.append((f"u({t}) reading by reading", u, round(found.uncertainty[t]["standard"], 3)))
rows += [(f"r{pair} reading by reading", r, round(found.correlation[pair], 3)) for pair, r in CORRELATED.items()]

# From the rounded means, uncertainties and coefficients of table H.2, the last digits differ, as the GUM warns.
means = cg.linearize(G, {"V": 4.9990, "I": 19.6610e-3, "phi": 1.04446})
uncertainty = {"V": 0.0032, "I": 0.0095e-3, "phi": 0.00075}
rounded = cg.uncertainty_budget(
    means, ["R", "X", "Z"], uncertainty, {("V", "I"): -0.36, ("V", "phi"): 0.86, ("I", "phi"): -0.65}
)
rows += [
    (f"u({t}) from rounded means, within 0.001", 1, abs(rounded.standard[t] - u) <= 0.0015)
    for t, (_, u) in PRINTED.items()
]
sys.exit(compare(rows))
