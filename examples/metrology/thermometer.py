"""GUM H.3: intercept and slope of a calibration line by least squares, and the correction at 30 degrees C."""

import sys
from pathlib import Path

import cgraph as cg
from cgraph.testing import compare

G = cg.read_spec(Path(__file__).with_name("thermometer.toml"))
L = cg.linearize(G)
s = L.nodes["s"]["value"]
b = cg.uncertainty_budget(L, ["y_1", "y_2", "b_30"], {"b": {"standard": s, "dof": 9}})
rows = [
    ("y_1", -0.1712, round(b.value["y_1"], 4)),
    ("u(y_1)", 0.0029, round(b.standard["y_1"], 4)),
    ("y_2", 0.00218, round(b.value["y_2"], 5)),
    ("u(y_2)", 0.00067, round(b.standard["y_2"], 5)),
    ("r(y_1, y_2)", -0.930, round(float(b.correlation[0, 1]), 3)),
    ("s", 0.0035, round(s, 4)),
    ("b at 30 degrees", -0.1494, round(b.value["b_30"], 4)),
    ("u(b at 30 degrees)", 0.0041, round(b.standard["b_30"], 4)),
]
sys.exit(compare(rows))
