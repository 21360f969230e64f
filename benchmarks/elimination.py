"""Costs of elimination orders on the benchmark graphs, as Markdown tables.

python benchmarks/elimination.py [--evaluations 250000] [--seeds 10] [--tries 200] [--proof 2000] [--random 500 1000] [--only NAME ...]
python benchmarks/elimination.py --milp SECONDS [--only NAME ...]

Seconds are those of the processor, for one search; machine code is loaded before. With --milp there is one table instead: what
integer programming (HiGHS, by SciPy) proves within a time of graphs of up to 40 vertices, beside the exact search.
"""

import argparse
import json
import math
import random
import sys
import time
from pathlib import Path

import networkx as nx
from measuring import machine, table

import cgraph as cg
from cgraph.algorithms.elimination.elimination_graph import EliminationGraph
from cgraph.algorithms.elimination.faces import DualGraph

DATA = Path(__file__).parent.parent / "tests" / "data" / "elimination"
RULES = ("forward", "reverse", "markowitz", "relative_markowitz", "minimum_fill")
TASKS = {  # the cost published with the suite, and the cost to reach
    "RoeFlux_1d": (320, 295),
    "HumanHeartDipole": (148, 148),
    "PropaneCombustion": (88, 88),
    "random_g": (416, 409),
    "RobotArm_6DOF": (None, 221),
    "Helmholtz": (None, 33),
    "Hole": (None, 22),
    "Lighthouse": (None, 14),
    "Perceptron": (None, None),
    "Simple": (None, None),
    "RoeFlux_3d": (None, 549),
    "BlackScholes_Jacobian": (None, 232),
}
MOST_FOR_MILP = 40  # vertices


def read(name):
    """Return the graph of a task, and its inputs and outputs as keywords."""
    data = json.loads((DATA / f"{name}.json").read_text())
    L = nx.DiGraph()
    L.add_nodes_from(data["nodes"])
    for i, j, z, unit in data["edges"]:
        L.add_edge(i, j, derivative=z, unit=unit)
    return L, {"inputs": data["inputs"], "outputs": data["outputs"]}


def annealed(L, ends, cost, evaluations, seeds):
    """Return the cost of the annealed order for each seed, and the most seconds that a search took."""
    costs, most = [], 0.0
    for seed in seeds:
        before = time.process_time()
        order = cg.elimination_order(L, method="anneal", cost=cost, seed=seed, budget=evaluations, **ends)
        most = max(most, time.process_time() - before)
        costs.append(cg.elimination_cost(L, order, cost=cost, **ends))
    return costs, most


def proof(L, ends, cost, budget, best):
    """Return the least cost of all orders of vertices, or the two numbers between which it lies; `best` is known already."""
    try:
        order = cg.elimination_order(L, method="optimal", cost=cost, budget=budget, **ends)
        return f"{cg.elimination_cost(L, order, cost=cost, **ends)}, proven"
    except cg.SearchLimitError as error:
        return f"{error.lower} to {min(error.upper, best)}"


def by_edges(L, ends, cost, evaluations, seeds):
    """Return the fewest multiplications found with edges, each order performed, counted and checked against the sweeps."""
    found = []
    for seed in seeds:
        steps = cg.edge_elimination_order(L, cost=cost, seed=seed, budget=evaluations, **ends)
        result = cg.eliminate_edges(L, steps, cost=cost, **ends)
        cg.check_elimination(L, result, tolerance=1e-10)
        found.append(result.multiplications)
    return found


def by_milp(names, seconds):
    """Print what integer programming and the exact search prove."""
    sys.path.insert(0, str(DATA.parent.parent / "helpers"))
    from in_milp import Program  # noqa: PLC0415 - SciPy is needed for this table only

    rows = []
    for name in names:
        L, ends = read(name)
        vertices = len(cg.intermediates(L, **ends))
        if vertices > MOST_FOR_MILP:
            continue
        start = time.perf_counter()
        proven, found = Program(L, **ends).solve(seconds)
        took, start = time.perf_counter() - start, time.perf_counter()
        exact = proof(L, ends, "standard", None, math.inf)
        text = f"{found}, proven" if proven == found else f"{proven} to {found}"
        rows.append([name, vertices, text, f"{took:.1f}", exact, f"{time.perf_counter() - start:.1f}"])
    table(["task", "vertices", "integer programming", "seconds", "exact search", "seconds"], rows)


def random_graph(operations, seed=0):
    """Return the graph of random elementary operations, whose operands are among the last 30 names, and its ends."""
    chance, L = random.Random(seed), nx.DiGraph()
    names = [f"x{k}" for k in range(10)]
    L.add_nodes_from(names)
    for k in range(operations):
        for i in chance.sample(names[-30:], chance.choice((1, 2, 2))):
            L.add_edge(i, f"v{k}", derivative=chance.uniform(0.5, 2))
        names.append(f"v{k}")
    ends = {"inputs": names[:10], "outputs": names[-10:]}
    return cg.drop_useless(L, **ends), ends


def by_faces(L, ends, tries, seed=0):
    """Return the fewest multiplications found with faces, from the best order of vertices onwards.

    Every face has a rank: that of the node it passes, unless the search has given it another; the face of lowest rank is always
    the next. One try gives up to three faces another rank.
    """
    order = cg.elimination_order(L, method="anneal", seed=seed, **ends)
    rank, moves, chance = {j: n for n, j in enumerate(order)}, {}, random.Random(seed)
    least, steps = _by_faces(L, rank, moves, ends)
    for _ in range(tries):
        trial = dict(moves)
        for _ in range(chance.choice((1, 1, 2, 3))):
            trial[chance.choice(steps)] = chance.uniform(-1, len(rank))
        cost, taken = _by_faces(L, rank, trial, ends)
        if cost <= least:
            least, moves, steps = cost, trial, taken
    result = cg.eliminate_faces(L, steps, **ends)
    assert result.multiplications == least
    cg.check_elimination(L, result, tolerance=1e-10)
    return least


def _by_faces(L, rank, moves, ends):
    E = EliminationGraph(L, **ends, cost="standard", unit="unit", derivative="derivative")
    dual, steps = DualGraph(E), []
    while True:
        faces = [(moves.get((f, g), rank[f[-1]]), (f, g)) for f, after in dual.succ.items() for g in after]
        if not faces:
            return E.tally.multiplications, steps
        _, (f, g) = min(faces, key=lambda face: face[0])
        steps.append((f, g))
        dual.eliminate(f, g)


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--evaluations", type=int, default=250_000)
    parser.add_argument("--milp", type=float, metavar="SECONDS")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--tries", type=int, default=200)
    parser.add_argument("--proof", default="2000")
    parser.add_argument("--random", nargs="*", type=int, default=[500, 1_000])
    parser.add_argument("--only", nargs="*", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--cost", nargs="*", default=["standard", "unit"], choices=["standard", "unit"])
    arguments = parser.parse_args()
    machine("numpy", "numba", "scipy")
    if arguments.milp:
        by_milp(arguments.only, arguments.milp)
        return
    warm_up, ends = read("Lighthouse")
    cg.elimination_order(warm_up, method="anneal", **ends)
    print(f"\n{arguments.evaluations:,} evaluations for each seed.\n")
    missed, seeds, vertices = False, range(arguments.seeds), {}
    for cost in arguments.cost:
        rows = []
        for name in arguments.only:
            L, ends = read(name)
            published, goal = TASKS[name] if cost == "standard" else (None, None)
            found, most = annealed(L, ends, cost, arguments.evaluations, seeds)
            missed |= goal is not None and max(found) > goal
            bound = cg.elimination_bound(L, cost=cost, group=1, **ends)
            vertices[name, cost] = min(found)
            row = [name, *by_rules(L, ends, cost), published, min(found), max(found), f"{most:.2f}", bound]
            rows.append([*row, proof(L, ends, cost, arguments.proof, min(found))])
        table([f"{cost} cost", *RULES, "published", "anneal, best", "worst", "seconds", "Menger", "least of all"], rows)
    rows = []
    for name in arguments.only:
        L, ends = read(name)
        row = [name]
        for cost in arguments.cost:
            edges = by_edges(L, ends, cost, arguments.evaluations, seeds[:3])
            row += [vertices[name, cost], min(edges), max(edges)]
        # Of the perceptron there are thousands of faces: each try takes too long.
        rows.append([*row, by_faces(L, ends, arguments.tries) if name != "Perceptron" else None])
    header = [f"{cost}: {what}" for cost in arguments.cost for what in ("vertices", "edges, best", "worst")]
    table(["task", *header, "faces"], rows)
    rows = []
    for operations in arguments.random:
        L, ends = random_graph(operations)
        row = [f"{len(cg.intermediates(L, **ends)):,}", *by_rules(L, ends, "standard")]
        for factor in (1, 10):
            found, most = annealed(L, ends, "standard", factor * arguments.evaluations, seeds[:3])
            row += [min(found), max(found), f"{most:.1f}"]
        rows.append(row)
    header = [
        f"{factor * arguments.evaluations:,}: {what}" for factor in (1, 10) for what in ("best", "worst", "seconds")
    ]
    table(["vertices", *RULES, *header], rows)
    sys.exit(missed)


def by_rules(L, ends, cost):
    """Return what the order of each rule costs."""
    orders = (cg.elimination_order(L, method=rule, cost=cost, **ends) for rule in RULES)
    return [cg.elimination_cost(L, order, cost=cost, **ends) for order in orders]


if __name__ == "__main__":
    main()
