"""10-301/601, lecture 13, Differentiation Quiz #1: dy/dx and dy/dz, against the derivatives taken by hand."""

import sys
from math import cos, exp, log, sin
from pathlib import Path

import cgraph as cg
from cgraph.testing import compare

L = cg.linearize(cg.read_spec(Path(__file__).with_name("quiz.yaml")))
x, z = 2.0, 3.0
a = x * z
dy_da = exp(a) + 1 / log(x) - sin(log(x)) / a**2
dy_dx_alone = -a / (x * log(x) ** 2) + cos(log(x)) / (x * a)  # a held fast

paths = dict(cg.paths(L, "x", "y"))
sys.exit(
    compare(
        [
            ("dy/dx", dy_da * z + dy_dx_alone, cg.sensitivity(L, "x", "y")),
            ("dy/dz", dy_da * x, cg.sensitivity(L, "z", "y")),
            ("dy/dx to the nearest integer", 1208, round(cg.sensitivity(L, "x", "y"))),
            ("dy/dz to the nearest integer", 810, round(cg.sensitivity(L, "z", "y"))),
            ("along x -> a -> y", dy_da * z, paths["x", "a", "y"]),
            ("along x -> y", dy_dx_alone, paths["x", "y"]),
        ]
    )
)
