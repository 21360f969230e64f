"""Uncertainty: Monte Carlo of the gauge block, a million uncertain inputs, ten thousand inputs screened.

Run ``python benchmarks/uncertainty.py``; the package `uncertainties` is measured beside cgraph where it is installed.
"""

import time
from pathlib import Path
from unittest import mock

import numpy as np
from measuring import machine

import cgraph as cg

try:
    from uncertainties import ufloat
except ImportError:
    ufloat = None

GAUGE = Path(__file__).parent.parent / "examples" / "metrology" / "gauge_block.yaml"


def timed(what, work):
    start = time.perf_counter()
    found = work()
    print(f"  {what:<72} {time.perf_counter() - start:8.2f} s")
    return found


def gauge_block():
    L = cg.linearize(cg.read_spec(GAUGE))
    cg.uncertainty_budget(L, ["l"], samples=10_000)  # machine code
    found = timed(
        "H.1, until two digits are stable, at most 10^6 points", lambda: cg.uncertainty_budget(L, ["l"], samples=10**6)
    )
    print(f"    {found.monte_carlo.samples:,} points, u = {found.monte_carlo.standard['l']:.3g} nm")
    with mock.patch("cgraph.uncertainty.monte_carlo.DIGITS", 9):  # never stable
        timed("H.1, 10^6 points", lambda: cg.uncertainty_budget(L, ["l"], samples=10**6))


def many_inputs(n=1_000_000):
    C = cg.CompiledGraph.from_edges(np.arange(n), np.full(n, n), np.ones(n))
    C.sensitivities(n)  # machine code
    u = dict.fromkeys(range(n), 0.1)
    timed(f"{n:,} uncertain inputs of a compiled graph", lambda: cg.uncertainty_budget(C, [n], u))
    if ufloat is not None:
        few = 100_000

        def propagate():
            return sum(ufloat(1.0, 0.1) for _ in range(few)).s

        timed(f"{few:,} inputs with the package uncertainties", propagate)


def many_ranges(n=10_000, samples=1024):
    names = [f"x{k}" for k in range(n)]
    terms = [" + ".join(f"sin({name})" for name in names[k : k + 100]) for k in range(0, n, 100)]
    equations = "; ".join(f"s{k} = {term}" for k, term in enumerate(terms))
    G = cg.from_equations(
        f"{equations}; y = {' + '.join(f's{k}' for k in range(len(terms)))}", **dict.fromkeys(names, 0.5)
    )
    ranges = dict.fromkeys(names, (0.0, 1.0))
    cg.screen(G, "y", ranges, samples=2)  # machine code
    timed(f"{n:,} inputs screened by {samples:,} gradients", lambda: cg.screen(G, "y", ranges, samples=samples))


if __name__ == "__main__":
    machine()
    gauge_block()
    many_inputs()
    many_ranges()
