"""How fast compiled graphs are, beside what one would use instead: ``python benchmarks/compiled.py``.

Prints Markdown. Every figure is the median of several runs, the contenders taking turns, so that whatever else
the machine does meets all of them, in time of the processor; a ratio is between figures of one run. Needs numba, scipy, rustworkx,
python-graphblas, casadi and torch.
"""

import argparse
import importlib.metadata
import math
import operator
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from unittest import mock

import casadi
import graphblas
import networkx as nx
import numpy as np
import rustworkx
import scipy.sparse as sp
import torch
from scipy.sparse.linalg import spsolve_triangular

import cgraph as cg
from cgraph.algorithms import descent
from cgraph.algorithms.compiled import machine_code
from cgraph.algorithms.linearized import edge_derivative, finite
from cgraph.algorithms.sweeps import reverse_sweep
from cgraph.model.graph import topological_order

SHAPES = ["window of 1000", "anywhere ahead", "nearly a chain"]
DICT_LIMIT = 1_000_000  # a networkx graph of more edges does not fit beside the rest


def edges(shape, m, seed=0):
    """Return sources, targets and derivatives; row sums are 1, so that no sweep runs into zeros or overflow."""
    rng = np.random.default_rng(seed)
    degree = 2 if shape == "nearly a chain" else 10
    n = m // degree
    tails = np.repeat(np.arange(n), degree)
    if shape == "window of 1000":
        heads = tails + rng.integers(1, 1001, m)
    elif shape == "anywhere ahead":
        heads = tails + 1 + (rng.random(m) * (n - tails)).astype(np.int64)
    else:
        heads = tails + np.where(np.arange(m) % 2, rng.integers(2, 4, m), 1)
    z = rng.uniform(0.5, 1.5, (n, degree))
    return tails, np.minimum(heads, n), (z / z.sum(axis=1, keepdims=True)).ravel()


def digraph(shape, m):
    tails, heads, z = edges(shape, m)
    # What is parallel becomes one edge, so that there are a few less than m.
    G = nx.DiGraph()
    G.add_nodes_from(range(int(heads.max()) + 1))
    G.add_weighted_edges_from(zip(tails.tolist(), heads.tolist(), z.tolist(), strict=True), "derivative")
    return G


def dict_sweep(G, t):
    """Do what `cg.sensitivities` does where it does not compile the graph by itself."""
    z = edge_derivative(G, "derivative")
    S = reverse_sweep(G, topological_order(G), {t: 1}, z)
    return dict(zip(G, finite({(i, t): S[i] for i in G}), strict=True))


def seconds(contenders, rounds, clock=time.process_time):
    """Return {name: median processor time} of functions that take turns, after one turn to warm up."""
    times = {name: [] for name in contenders}
    for k in range(rounds + 1):
        for name, run in contenders.items():
            start = clock()
            run()
            if k:
                times[name].append(clock() - start)
    return {name: statistics.median(ts) for name, ts in times.items()}


def table(header, rows):
    print("\n| " + " | ".join(header) + " |")
    print("| " + " | ".join("---" if k == 0 else "---:" for k in range(len(header))) + " |")
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)
    print()


def machine():
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    versions = ["numpy", "scipy", "numba", "networkx", "rustworkx", "python-graphblas", "casadi", "torch"]
    print(f"{cpu[1] if cpu else platform.processor()}, {os.cpu_count()} cores (one used), {platform.system()};")
    print(f"load average {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores before the run;")
    print(f"Python {platform.python_version()}, " + ", ".join(f"{v} {importlib.metadata.version(v)}" for v in versions))


def sweeps(sizes):
    print("\n## One sweep, nanoseconds per edge\n")
    rows = []
    for m in sizes:
        for shape in SHAPES:
            tails, heads, z = edges(shape, m)
            C = cg.CompiledGraph.from_edges(tails, heads, z)
            n, t = len(C), len(C) - 1
            A = sp.csr_matrix((z, heads.astype(np.int32), np.searchsorted(tails, np.arange(n + 1))), (n, n))
            x, unit = np.ones(n), np.eye(1, n, t).ravel()
            contenders = {
                "product": lambda A=A, x=x: A @ x,
                "reverse": lambda C=C, t=t: C.sensitivities(t),
                "forward": lambda C=C: C.sensitivities_from(0),
            }
            took = seconds(contenders, rounds=11)
            M = graphblas.Matrix.from_coo(tails, heads, z, nrows=n, ncols=n, dup_op=graphblas.binary.plus)
            v = graphblas.Vector.from_dense(x)
            triangular = (sp.eye_array(n) - A).tocsr()
            slow = {
                "graphblas": lambda M=M, v=v: M.mxv(v, graphblas.semiring.plus_times).new(),
                "solve": lambda A=triangular, b=unit: spsolve_triangular(A, b, lower=False, unit_diagonal=True),
            }
            took |= seconds(slow, rounds=3)
            if m <= DICT_LIMIT:
                G = digraph(shape, m)
                took |= seconds({"dict": lambda G=G, t=t: dict_sweep(G, t)}, rounds=1)
            reverse = took["reverse"]
            rows.append(
                [
                    f"{m:,} edges, {shape}",
                    *(f"{took[name] / m * 1e9:.2f}" for name in ("product", "reverse", "forward")),
                    f"**{reverse / took['product']:.2f}**",
                    f"{took['graphblas'] / m * 1e9:.1f}",
                    *(
                        f"{took[k] / m * 1e9:.0f} ({took[k] / reverse:.0f} x)" if k in took else ""
                        for k in ("solve", "dict")
                    ),
                ]
            )
    table(
        ["graph", "SciPy product", "reverse", "forward", "reverse / product", "GraphBLAS product", "triangular solve", "dict sweep"],
        rows,
    )  # fmt: skip


def without_numba(sizes):
    print("\n## One reverse sweep without numba, nanoseconds per edge\n")
    rows = []
    with mock.patch.dict(sys.modules, {"numba": None}):
        machine_code.compiled.cache_clear()
        for m in (m for m in sizes if m <= DICT_LIMIT):
            for layers in (10, 1000):
                width = max(m // layers // 10, 1)
                rng = np.random.default_rng(0)
                tails = np.repeat(np.arange(layers * width), 10)
                heads = (tails // width + 1) * width + rng.integers(0, width, len(tails))
                C = cg.CompiledGraph.from_edges(tails, heads, np.full(len(tails), 0.1))
                took = seconds({"reverse": lambda C=C: C.sensitivities(len(C) - 1)}, rounds=5)
                rows.append([f"{m:,} edges, {layers} layers", f"{took['reverse'] / m * 1e9:.1f}"])
    machine_code.compiled.cache_clear()
    table(["graph", "reverse"], rows)


def construction(sizes):
    print("\n## Making a compiled graph, nanoseconds per edge\n")
    rows = []
    for m in sizes:
        tails, heads, z = edges("window of 1000", m)
        shuffled = np.random.default_rng(1).permutation(int(heads.max()) + 1)
        took = seconds(
            {
                "sorted": lambda a=tails, b=heads, z=z: cg.CompiledGraph.from_edges(a, b, z),
                "shuffled": lambda a=shuffled[tails], b=shuffled[heads], z=z: cg.CompiledGraph.from_edges(a, b, z),
            },
            rounds=3,
        )
        rows.append([f"{m:,} edges", *(f"{took[k] / m * 1e9:.0f}" for k in took)])
    table(["`from_edges`, window of 1000", "sorted", "nodes shuffled"], rows)
    G = digraph("window of 1000", min(max(sizes), DICT_LIMIT))
    m = G.number_of_edges()
    took = seconds(
        {
            "`compile_graph`": lambda: cg.compile_graph(G),
            "`to_scipy_sparse_array`": lambda: nx.to_scipy_sparse_array(G, weight="derivative"),
            "`rustworkx.networkx_converter`": lambda: rustworkx.networkx_converter(G),
        },
        rounds=3,
    )
    best = took["`compile_graph`"]
    rows = [[name, f"{s / m * 1e9:.0f}", f"{s / best:.1f}"] for name, s in took.items()]
    table([f"from networkx, {m:,} edges", "ns per edge", "ratio"], rows)


def by_itself(sizes):
    print("\n## One sweep over a networkx graph, nanoseconds per edge\n")
    start = "import cgraph as cg; cg.CompiledGraph.from_edges([2, 1], [1, 0], [1.0, 1.0]).sensitivities(0)"
    took = seconds(
        {
            "numba": lambda: subprocess.run([sys.executable, "-c", start], check=True),
            "networkx": lambda: subprocess.run([sys.executable, "-c", "import cgraph as cg; cg.sensitivities"], check=True),
        },
        rounds=3,
        clock=time.perf_counter,
    )  # fmt: skip
    print(f"The first use of numba in a process takes {took['numba'] - took['networkx']:.1f} s.")
    cg.CompiledGraph.from_edges([2, 1], [1, 0], [1.0, 1.0]).sensitivities(0)  # here it is in use
    rows = []
    for m in (10_000, *(m for m in sizes if m <= DICT_LIMIT)):
        G = digraph("window of 1000", m)
        t = len(G) - 1
        took = seconds(
            {"dict": lambda G=G, t=t: dict_sweep(G, t), "sensitivities": lambda G=G, t=t: cg.sensitivities(G, t)},
            rounds=3,
        )
        ratio = took["dict"] / took["sensitivities"]
        rows.append([f"{m:,} edges", *(f"{s / m * 1e9:.0f}" for s in took.values()), f"{ratio:.1f}"])
    table(["graph", "dict sweep", "`sensitivities`, which compiles it", "ratio"], rows)


def elementary(n):
    """Return equations of one operation each, all of which lead to J, for cgraph and for CasADi."""
    rng = np.random.default_rng(0)
    G = cg.ComputationalGraph()
    names = [f"x{k}" for k in range(100)]
    symbols = [casadi.SX.sym(name) for name in names]
    inputs = casadi.vertcat(*symbols)
    for name in names:
        G.add_input(name, rng.uniform(0.5, 1.5))
    rows = {
        "{} + {}": operator.add, "{} - {}": operator.sub, "{} * {}": operator.mul, "sin({})": lambda a, _: casadi.sin(a),
        "cos({})": lambda a, _: casadi.cos(a), "tanh({})": lambda a, _: casadi.tanh(a),
    }  # fmt: skip
    picks = rng.integers(0, len(rows), n)
    # Operands from anywhere before: with operands from nearby the graph is so deep that rounding grows to chaos.
    for k, (pick, where) in enumerate(zip(picks.tolist(), rng.random((n, 2)).tolist(), strict=True)):
        text, operation = list(rows.items())[pick]
        i, j = (int(u * len(names)) for u in where)
        G.add_equation(f"v{k}", text.format(names[i], names[j]))
        names.append(f"v{k}")
        symbols.append(operation(symbols[i], symbols[j]))
    ends = [k for k, name in enumerate(names) if not G.succ[name]]
    total = symbols[ends[0]]
    name = names[ends[0]]
    for k in ends[1:]:  # a sum of two at a time, as an equation has at most 10,000 characters
        total += symbols[k]
        G.add_equation(f"J{k}", f"{name} + {names[k]}")
        name = f"J{k}"
    return G, name, inputs, total


def network(layers, width):
    """Return a network of tanh neurons with ten inputs each, for cgraph, CasADi and PyTorch."""
    rng = np.random.default_rng(0)
    G = cg.ComputationalGraph()
    below = [f"x{k}" for k in range(width)]
    symbols, tensors = {}, {}
    for name in below:
        G.add_input(name, rng.uniform(-1, 1))
        symbols[name], tensors[name] = casadi.SX.sym(name), torch.tensor(G.nodes[name]["value"])
    for layer in range(layers):
        above = [f"h{layer}_{k}" for k in range(width)]
        for j in above:
            weights = {i: rng.normal() / 3 for i in rng.choice(below, 10, replace=False).tolist()}
            G.add_neuron(j, activation="tanh", weights=weights)
            for i, w in weights.items():
                symbols[i, j], tensors[i, j] = casadi.SX.sym(f"w_{i}_{j}"), torch.tensor(w, requires_grad=True)
            s, *terms = (symbols[i, j] * symbols[i] for i in weights)
            symbols[j] = casadi.tanh(sum(terms, s))
            tensors[j] = list(weights)  # computed when it is measured
        below = above
    G.add_equation("J", " + ".join(below))
    return G, symbols, sum((symbols[j] for j in below[1:]), symbols[below[0]]), tensors, below


def torch_gradients(tensors, outputs):
    """Compute the network neuron by neuron, as the graph does, and all gradients."""
    y = {}
    for j, tensor in tensors.items():
        y[j] = torch.tanh(sum(tensors[i, j] * y[i] for i in tensor)) if isinstance(tensor, list) else tensor
    sum(y[j] for j in outputs).backward()


def equations(n, neurons):
    print("\n## Values of all nodes and all gradients, milliseconds for one point\n")
    header = ["graph", "cgraph", "CasADi SX", "CasADi / cgraph", "each of 64 points", "one point / each of 64",
              "CasADi / each of 64", "64 points, one core / all", "without numba", "without, each of 64", "PyTorch, scalars"]  # fmt: skip
    table(header, [_elementary_row(n), _network_row(neurons)])


def _elementary_row(n):
    G, loss, x, J = elementary(n)
    f = casadi.Function("f", [x], [J, casadi.gradient(J, x)])
    start = np.array([G.nodes[i]["value"] for i in G.inputs])
    took = _timed(G, lambda C, inputs: (C.evaluate(inputs), C.gradient(loss)), lambda: f(start))
    C = cg.compile_graph(G)
    C.evaluate()
    assert np.allclose(C.gradient(loss)[:100], f(start)[1].full().ravel())
    return [f"{n:,} elementary operations", *_against(took), ""]


def _network_row(neurons):
    G, symbols, J, *_ = network(neurons // 1000, 1000)
    C = cg.compile_graph(G)
    given = casadi.vertcat(*(symbols[key] for key in [*G.inputs, *C.weights]))
    f = casadi.Function("f", [given], [J, casadi.gradient(J, given)])
    start = np.array([*(G.nodes[i]["value"] for i in G.inputs), *(G.edges[edge]["weight"] for edge in C.weights)])
    took = _timed(G, lambda C, inputs: (C.evaluate(inputs), C.weight_gradients("J")), lambda: f(start))
    C.evaluate()
    assert np.allclose(C.weight_gradients("J"), f(start)[1].full().ravel()[len(G.inputs) :])
    *_, tensors, outputs = network(2, 1000)
    per_neuron = seconds({"torch": lambda: torch_gradients(tensors, outputs)}, rounds=3)["torch"] / 2000
    ratio = per_neuron * neurons / took["cgraph"]
    return [
        f"{neurons:,} tanh neurons of ten inputs",
        *_against(took),
        f"{per_neuron * neurons * 1e3:.0f} ({ratio:.0f} x)",
    ]


def _timed(G, run, rival):
    """Return the times of ``run(C, inputs)`` for `G` compiled: one point, 64 of them, with numba and without."""
    points = {i: np.full(64, G.nodes[i]["value"]) for i in G.inputs}
    # A graph for one point and one for many: each keeps its arrays from one run to the next.
    C, many = cg.compile_graph(G), cg.compile_graph(G)
    took = seconds({"cgraph": lambda: run(C, {}), "casadi": rival}, rounds=11)
    with one_core():  # time of the processor is that of all threads
        took |= seconds({"batch": lambda: run(many, points)}, rounds=5)
    took["gain"] = _gain_of_cores(lambda: run(many, points))
    with mock.patch.dict(sys.modules, {"numba": None}):
        machine_code.compiled.cache_clear()
        took |= seconds({"numpy": lambda: run(C, {}), "numpy batch": lambda: run(many, points)}, rounds=3)
    machine_code.compiled.cache_clear()
    return took


@contextmanager
def one_core():
    """Let the process use one core for the length of a `with`."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def _gain_of_cores(run):
    """Return the ratio of the shortest wall times, of 25 rounds in turn: what else the machine does only adds to them."""

    def run_alone():
        with one_core():
            run()

    fewest = {run: math.inf, run_alone: math.inf}
    for _ in range(25):
        for contender, least in fewest.items():
            start = time.perf_counter()
            contender()
            fewest[contender] = min(least, time.perf_counter() - start)
    return fewest[run_alone] / fewest[run]


def _against(took):
    one, rival, each = took["cgraph"], took["casadi"], took["batch"] / 64
    return [
        f"{one * 1e3:.2f}", f"{rival * 1e3:.2f}", f"**{rival / one:.1f}**",
        f"{each * 1e3:.2f}", f"{one / each:.1f}", f"{rival / each:.1f}", f"{took['gain']:.2f}",
        f"{took['numpy'] * 1e3:.1f}", f"{took['numpy batch'] / 64 * 1e3:.1f}",
    ]  # fmt: skip


def descents():
    print("\n## Gradient descent, milliseconds for a pass over the examples\n")
    rows = []
    for layers, width, examples in ((3, 10, 100), (3, 50, 100), (10, 1000, 10)):
        G, *_, outputs = network(layers, width)
        data = {"x0": np.linspace(-1, 1, examples)}
        for batch in sorted({examples, 10, 1}, reverse=True):
            took = {}
            # A pass of the largest by dicts takes minutes.
            for name, fewest, passes in (("dicts", 10**18, 1), ("tape", 0, 10))[width > 100 :]:
                with mock.patch.multiple(descent, FEWEST_SWEPT=fewest, FEWEST_TO_LOAD=fewest):
                    run = partial(cg.gradient_descent, G, "J", 1e-4, data=data, batch=batch)
                    times = seconds({steps: partial(run, steps=steps) for steps in (0, passes)}, rounds=1)
                    took[name] = (times[passes] - times[0]) / passes
            label = f"{layers} layers of {len(outputs)} neurons, {examples} examples, batches of {batch}"
            by_dicts = (
                [f"{took['dicts'] * 1e3:.1f}", f"{took['dicts'] / took['tape']:.0f}"] if "dicts" in took else ["", ""]
            )
            rows.append([label, by_dicts[0], f"{took['tape'] * 1e3:.1f}", by_dicts[1]])
    table(["network", "sweeps over dicts", "tape", "ratio"], rows)


def questions(m):
    print("\n## Other questions\n")
    rows = []
    for shape in SHAPES:
        C = cg.CompiledGraph.from_edges(*edges(shape, m))
        t = len(C) - 1
        many = range(t - 63, t + 1)
        took = seconds(
            {
                "count": lambda C=C, t=t: C.count_paths(0, t),
                "top": lambda C=C, t=t: C.top_paths(0, t, 10),
                "flows": lambda C=C, t=t: C.edge_sensitivities(0, t),
                "jacobian": lambda C=C, many=many: C.jacobian(range(64), many),
            },
            rounds=3,
        )
        digits = int(C.count_paths(0, t).bit_length() * 0.30103) + 1
        rows.append([f"{m:,} edges, {shape}", f"{digits:,}", *(f"{s:.3f}" for s in took.values())])
    header = ["graph", "digits of the number of paths", "`count_paths`", "`top_paths`, ten", "`edge_sensitivities`"]
    table([*header, "`jacobian`, 64 x 64"], rows)


def memory(sizes):
    print("\n## Memory beyond the input arrays, bytes per edge\n")
    rows = []
    for m in (m for m in sizes if m >= 10**7):  # less does not show beside what the process reuses
        for shape in SHAPES:
            for order in ("sorted", "shuffled"):
                command = [sys.executable, __file__, "--memory-of", shape, order, str(m)]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                rows.append([f"{m:,} edges, {shape}, {order}", *done.stdout.split()])
    table(["graph", "held", "at most, while it is made", "at most, with one sweep"], rows)


def memory_of(shape, order, m):
    """Print the figures of one graph; in a process of its own, as a process only ever grows."""
    for _ in range(2):  # the kernels are there before anything is measured
        cg.CompiledGraph.from_edges([2, 1], [1, 0], [1.0, 1.0]).sensitivities(0)
    tails, heads, z = edges(shape, m)
    if order == "shuffled":
        shuffled = np.random.default_rng(1).permutation(int(heads.max()) + 1)
        tails, heads = shuffled[tails], shuffled[heads]
    page = os.sysconf("SC_PAGE_SIZE")

    def now():
        return int(Path("/proc/self/statm").read_text().split()[1]) * page

    def peak():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    # The peak so far may exceed what is in use now: fill it up, or it would hide what comes.
    filler = np.ones((peak() - now()) // 8) if peak() > now() else None
    before = now()
    C = cg.CompiledGraph.from_edges(tails, heads, z)
    made, held = peak() - before, now() - before
    C.sensitivities(len(C) - 1)
    swept = peak() - before
    del filler
    print(*(f"{figure / m:.0f}" for figure in (held, made, swept)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edges", type=int, nargs="+", default=[10**5, 10**6, 10**7], help="sizes of the graphs")
    parser.add_argument("--only-equations", action="store_true", help="leave out what is not evaluated")
    parser.add_argument("--memory-of", nargs=3, metavar=("SHAPE", "ORDER", "EDGES"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory_of:
        shape, order, m = arguments.memory_of
        memory_of(shape, order, int(m))
        return
    torch.set_num_threads(1)
    machine()
    if arguments.only_equations:
        equations(100_000, 20_000)
        descents()
        return
    sweeps(arguments.edges)
    without_numba(arguments.edges)
    construction(arguments.edges)
    by_itself(arguments.edges)
    questions(min(max(arguments.edges), DICT_LIMIT))
    equations(100_000, 20_000)
    descents()
    memory(arguments.edges)


if __name__ == "__main__":
    main()
