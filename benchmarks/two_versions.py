"""Sweeps and tape of this version beside another one: ``python benchmarks/two_versions.py 16ecac5``.

The other version is a commit, checked out into a temporary folder. Both take turns, each turn in a process of its own;
a figure is the smallest of all turns, in time of the processor. Prints Markdown. Needs git and numba.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from measuring import machine, table

import cgraph as cg

ROOT = Path(__file__).parent.parent


def measurements():
    """Return {what: seconds} in the version that is imported."""
    found = {}

    def least(what, call, times):
        call()
        took = []
        for _ in range(times):
            start = time.process_time()
            call()
            took.append(time.process_time() - start)
        found[what] = min(took)

    rng = np.random.default_rng(0)
    m, degree = 1_000_000, 10
    tails = np.repeat(np.arange(m // degree), degree)
    z = rng.uniform(0.5, 1.5, (m // degree, degree))  # divided by the sum of a row, so that nothing overflows
    for shape, ahead in (("window of 1000", rng.integers(1, 1001, m)), ("nearly a chain", rng.integers(1, 4, m))):
        C = cg.CompiledGraph.from_edges(
            tails, np.minimum(tails + ahead, m // degree), (z / z.sum(axis=1, keepdims=True)).ravel()
        )
        t = len(C) - 1
        least(f"reverse sweep, 10^6 edges, {shape}", lambda C=C, t=t: C.sensitivities(t), 15)
        least(f"forward sweep, 10^6 edges, {shape}", lambda C=C: C.sensitivities_from(0), 15)
    G, weights = network(rng, layers=6, width=100)
    C = cg.compile_graph(G)
    point = {"x0": 0.5}
    least(f"tape, values of {weights:,} weights", lambda: C.evaluate(point), 30)
    least(f"tape, value and gradient of {weights:,} weights", lambda: C.value_and_gradient("J", point), 30)
    many = {"x0": np.linspace(-1, 1, 64)}
    least(f"tape, value and gradient of {weights:,} weights, 64 points", lambda: C.value_and_gradient("J", many), 5)
    H = elementary(rng, 20_000)
    D = cg.compile_graph(H)
    least(
        "tape, value and gradient of 20,000 elementary operations", lambda: D.value_and_gradient("y", {"x0": 0.4}), 30
    )
    L = cg.linearize(elementary(rng, 2_000))
    least("sweep over dicts, 2,000 nodes", lambda: cg.sensitivities(L, "y"), 10)
    least("linearize, 2,000 equations", lambda: cg.linearize(elementary(rng, 2_000)), 3)
    return found


def network(rng, layers, width):
    """Return a network of tanh neurons, and how many weights it has."""
    G = cg.ComputationalGraph()
    below = [f"x{k}" for k in range(10)]
    for x in below:
        G.add_input(x, 0.1)
    weights = 0
    for layer in range(layers):
        above = [f"h{layer}_{k}" for k in range(width)]
        for h in above:
            G.add_neuron(h, activation="tanh", weights={i: float(rng.normal()) / len(below) ** 0.5 for i in below})
            weights += len(below)
        below = above
    G.add_equation("J", " + ".join(f"{h}^2" for h in below))
    return G, weights


def elementary(rng, n):
    """Return a graph of n equations of one operation each."""
    G = cg.ComputationalGraph()
    names = [f"x{k}" for k in range(10)]
    for x in names:
        G.add_input(x, 0.3)
    for k in range(n - 1):
        a, b = (names[len(names) - 1 - int(back)] for back in rng.integers(0, 10, 2))
        form = ("sin({a})", "{a} * {b}", "{a} - {b}", "tanh({a})", "exp(-({a})^2)")[k % 5]
        names.append(f"v{k}")
        G.add_equation(names[-1], form.format(a=a, b=b))
    G.add_equation("y", f"{names[-1]} + {names[-2]}")
    return G


def run(checkout):
    environment = os.environ | {"PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, __file__, "--measure"], env=environment, capture_output=True, text=True, check=True, cwd="/"
    )
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("commit", nargs="?")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measurements()))
        return
    if not arguments.commit:
        parser.error("name the commit of the other version")
    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder) / "other"
        subprocess.run(
            ["git", "worktree", "add", "--detach", other, arguments.commit], cwd=ROOT, check=True, capture_output=True
        )
        try:
            turns = [(run(other), run(ROOT)) for _ in range(arguments.turns)]
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", other], cwd=ROOT, check=True)
    machine("numpy", "numba", "networkx")
    print(f"Smallest of {arguments.turns} turns, in time of the processor.")
    rows = []
    for what in turns[0][1]:
        before, now = (min(turn[k][what] for turn in turns) for k in range(2))
        rows.append([what, f"{before * 1e3:.3g}", f"{now * 1e3:.3g}", f"{now / before:.2f}"])
    table(["", f"{arguments.commit}, ms", "now, ms", "now / before"], rows)


if __name__ == "__main__":
    main()
