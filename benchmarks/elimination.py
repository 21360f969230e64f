"""Costs of elimination orders on the benchmark graphs, as Markdown tables.

python benchmarks/elimination.py [--budget 10s] [--seeds 10] [--tries 200] [--proof 60s] [--only NAME ...]
"""

import argparse
import json
import platform
import random
import sys
from pathlib import Path

import networkx as nx
from measuring import processor, table

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
    "Helmholtz": (None, 33),
    "Hole": (None, 22),
    "Lighthouse": (None, 14),
    "Perceptron": (None, None),
    "Simple": (None, None),
}


def read(name):
    """Return the graph of a task, and its inputs and outputs as keywords."""
    data = json.loads((DATA / f"{name}.json").read_text())
    L = nx.DiGraph()
    L.add_nodes_from(data["nodes"])
    for i, j, z, unit in data["edges"]:
        L.add_edge(i, j, derivative=z, unit=unit)
    return L, {"inputs": data["inputs"], "outputs": data["outputs"]}


def annealed(L, ends, cost, budget, seeds):
    """Return the cost of the annealed order for each seed."""
    orders = (cg.elimination_order(L, method="anneal", cost=cost, seed=seed, budget=budget, **ends) for seed in seeds)
    return [cg.elimination_cost(L, order, cost=cost, **ends) for order in orders]


def proof(L, ends, cost, budget):
    """Return the least cost of all orders of vertices, or the two numbers between which it lies."""
    try:
        order = cg.elimination_order(L, method="optimal", cost=cost, budget=budget, **ends)
        return f"{cg.elimination_cost(L, order, cost=cost, **ends)}, proven"
    except cg.SearchLimitError as error:
        return f"{error.lower} to {error.upper}"


def finer(L, ends, tries, seed=0):
    """Return the fewest multiplications found with edges and with faces, from the best order of vertices onwards.

    Every step, ``(i, j, side)`` or ``(f, g)``, has a rank: that of the node it passes, unless the search has given it
    another; the step of lowest rank is always the next. One try gives up to three steps another rank.
    """
    order = cg.elimination_order(L, method="anneal", seed=seed, budget=200_000, **ends)
    found = []
    for run, eliminate in ((_by_edges, cg.eliminate_edges), (_by_faces, cg.eliminate_faces)):
        least, steps = _descend(run, L, order, ends, tries, random.Random(seed))
        result = eliminate(L, steps, **ends)
        assert result.multiplications == least
        cg.check_elimination(L, result, tolerance=1e-10)
        found.append(least)
    return found


def _descend(run, L, order, ends, tries, chance):
    rank, moves = {j: n for n, j in enumerate(order)}, {}
    least, steps = run(L, rank, moves, ends)
    for _ in range(tries):
        trial = dict(moves)
        for _ in range(chance.choice((1, 1, 2, 3))):
            trial[chance.choice(steps)] = chance.uniform(-1, len(rank))
        cost, taken = run(L, rank, trial, ends)
        if cost <= least:
            least, moves, steps = cost, trial, taken
    return least, steps


def _by_edges(L, rank, moves, ends):
    E = EliminationGraph(L, **ends, cost="standard", unit="unit", derivative="derivative")
    steps = []
    while True:
        at_front = [(rank[j], (i, j, "front")) for j in rank for i in E.pred.get(j, ())]
        at_back = [(rank[i], (i, j, "back")) for i in rank for j in E.succ.get(i, ())]
        if not at_front and not at_back:
            return E.tally.multiplications, steps
        _, (i, j, side) = min(
            ((moves.get(step, r), step) for r, step in at_front + at_back), key=lambda choice: choice[0]
        )
        steps.append((i, j, side))
        middle = j if side == "front" else i
        for h, k in [(i, k) for k in E.succ[j]] if side == "front" else [(h, j) for h in E.pred[i]]:
            E.bypass(h, middle, k)
        E.remove_edge(i, j)
        if not E.pred[middle] or not E.succ[middle]:
            E.remove_node(middle)


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
    parser.add_argument("--budget", default="10s")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--tries", type=int, default=200)
    parser.add_argument("--proof", default="60s")
    parser.add_argument("--only", nargs="*", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--cost", nargs="*", default=["standard", "unit"], choices=["standard", "unit"])
    arguments = parser.parse_args()
    print(f"{processor()}, one core, Python {platform.python_version()}; {arguments.budget} for each seed.\n")
    missed = False
    for cost in arguments.cost:
        rows = []
        for name in arguments.only:
            L, ends = read(name)
            published, goal = TASKS[name] if cost == "standard" else (None, None)
            rules = [
                cg.elimination_cost(L, cg.elimination_order(L, method=rule, cost=cost, **ends), cost=cost, **ends)
                for rule in RULES
            ]
            found = annealed(L, ends, cost, arguments.budget, range(arguments.seeds))
            missed |= goal is not None and max(found) > goal
            bound = cg.elimination_bound(L, cost=cost, **ends)
            rows.append([name, *rules, published, min(found), max(found), bound, proof(L, ends, cost, arguments.proof)])
        table([f"{cost} cost", *RULES, "published", "anneal, best", "anneal, worst", "bound", "optimal"], rows)
    if arguments.tries:
        rows = []
        for name in arguments.only:
            if name == "Perceptron":  # thousands of faces: each try takes too long
                continue
            L, ends = read(name)
            rows.append([name, *finer(L, ends, arguments.tries)])
        table(["standard cost", "edges", "faces"], rows)
    sys.exit(missed)


if __name__ == "__main__":
    main()
