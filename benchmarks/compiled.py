"""How fast compiled graphs are, beside what one would use instead: ``python benchmarks/compiled.py``.

Prints Markdown. Contenders take turns, so that whatever else the machine does meets all of them; a ratio is between
figures of one run. A figure is the median of several runs in time of the processor, if nothing else is said. Needs
numba, scipy, rustworkx, python-graphblas, casadi and torch.
"""

import argparse
import operator
import os
import resource
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
from measuring import machine, seconds, table
from scipy.sparse.linalg import spsolve_triangular

import cgraph as cg
from cgraph.algorithms.compiled import jit
from cgraph.algorithms.sweeps import reverse_sweep
from cgraph.model.graph import topological_order
from cgraph.model.linearized import edge_derivative, finished
from cgraph.training import trainers

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
    return dict(zip(G, finished({(i, t): S[i] for i in G}), strict=True))


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
    with numpy_only():
        for m in (m for m in sizes if m <= DICT_LIMIT):
            for layers in (10, 1000):
                width = max(m // layers // 10, 1)
                rng = np.random.default_rng(0)
                tails = np.repeat(np.arange(layers * width), 10)
                heads = (tails // width + 1) * width + rng.integers(0, width, len(tails))
                C = cg.CompiledGraph.from_edges(tails, heads, np.full(len(tails), 0.1))
                took = seconds({"reverse": lambda C=C: C.sensitivities(len(C) - 1)}, rounds=5)
                rows.append([f"{m:,} edges, {layers} layers", f"{took['reverse'] / m * 1e9:.1f}"])
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
    graphs = [_Elementary(n), _Network(neurons)]
    print("\n## Values and all gradients, milliseconds for one point\n")
    header = [
        "graph",
        "cgraph",
        "CasADi SX",
        "CasADi / cgraph",
        "all nodes returned",
        "without numba",
        "PyTorch, scalars",
    ]
    table(header, [_one_point(graph) for graph in graphs])
    print("\n## 64 points at once, milliseconds for each, shortest wall time of 15\n")
    header = ["graph", "one point", "CasADi, one point", "each of 64, one core", "all cores", "one point / each", "CasADi / each",
              "all nodes returned, one core", "all cores", "without numba"]  # fmt: skip
    table(header, [_many_points(graph) for graph in graphs])


class _Elementary:
    """A random graph of elementary operations: the value of J and the gradient by the inputs, as CasADi returns them."""

    def __init__(self, n):
        self.name = f"{n:,} elementary operations"
        self.G, self.loss, x, J = elementary(n)
        self.inputs = list(self.G.inputs)
        f = casadi.Function("f", [x], [J, casadi.gradient(J, x)])
        start = np.array([self.G.nodes[i]["value"] for i in self.G.inputs])
        self.rival = lambda: f(start)
        J_found, gradient = self.run(cg.compile_graph(self.G), {})
        assert np.isclose(J_found, f(start)[0].full().item())
        assert np.allclose(gradient, f(start)[1].full().ravel())

    def run(self, C, points):
        return C.value_and_gradient(self.loss, points, nodes=self.inputs)

    def run_all(self, C, points):
        return C.evaluate(points), C.gradient(self.loss)

    def torch(self):
        return None


class _Network:
    """A network of tanh neurons: J and its gradient by the weights."""

    def __init__(self, neurons):
        self.name = f"{neurons:,} tanh neurons of ten inputs"
        self.neurons = neurons
        self.G, symbols, J, *_ = network(neurons // 1000, 1000)
        C = cg.compile_graph(self.G)
        x, w = (casadi.vertcat(*(symbols[key] for key in keys)) for keys in (self.G.inputs, C.weights))
        f = casadi.Function("f", [x, w], [J, casadi.gradient(J, w)])
        inputs = np.array([self.G.nodes[i]["value"] for i in self.G.inputs])
        weights = np.array([self.G.edges[edge]["weight"] for edge in C.weights])
        self.rival = lambda: f(inputs, weights)
        assert np.allclose(self.run(C, {})[1], f(inputs, weights)[1].full().ravel())

    def run(self, C, points):
        return C.evaluate(points, nodes=["J"]), C.weight_gradients("J")

    def run_all(self, C, points):
        return C.evaluate(points), C.weight_gradients("J")

    def torch(self):
        *_, tensors, outputs = network(2, 1000)
        return seconds({"torch": lambda: torch_gradients(tensors, outputs)}, rounds=3)["torch"] / 2000 * self.neurons


def _one_point(graph):
    C = cg.compile_graph(graph.G)
    took = seconds(
        {
            "cgraph": lambda: graph.run(C, {}),
            "casadi": graph.rival,
            "all nodes": lambda: graph.run_all(C, {}),
        },
        rounds=15,
    )
    with numpy_only():
        took |= seconds({"numpy": lambda: graph.run(C, {})}, rounds=3)
    scalars = graph.torch()
    return [
        graph.name, f"{took['cgraph'] * 1e3:.2f}", f"{took['casadi'] * 1e3:.2f}", f"**{took['casadi'] / took['cgraph']:.1f}**",
        f"{took['all nodes'] * 1e3:.2f}", f"{took['numpy'] * 1e3:.1f}",
        f"{scalars * 1e3:.0f} ({scalars / took['cgraph']:.0f} x)" if scalars else "",
    ]  # fmt: skip


def _many_points(graph):
    points = {i: np.full(64, graph.G.nodes[i]["value"]) for i in graph.G.inputs}
    # A graph for one point and one for many: each keeps its arrays from one run to the next.
    C, many = cg.compile_graph(graph.G), cg.compile_graph(graph.G)
    took = seconds(
        {
            "one": lambda: graph.run(C, {}),
            "casadi": graph.rival,
            "alone": lambda: on_one_core(lambda: graph.run(many, points)),
            "cores": lambda: graph.run(many, points),
            "all nodes, alone": lambda: on_one_core(lambda: graph.run_all(many, points)),
            "all nodes": lambda: graph.run_all(many, points),
        },
        rounds=15,
        clock=time.perf_counter,
        figure=min,
    )
    with numpy_only():
        took |= seconds({"numpy": lambda: graph.run(many, points)}, rounds=3, clock=time.perf_counter, figure=min)
    each = {name: s if name in {"one", "casadi"} else s / 64 for name, s in took.items()}
    return [
        graph.name,
        *(f"{each[name] * 1e3:.2f}" for name in ("one", "casadi", "alone", "cores")),
        *(f"**{each[name] / each['cores']:.1f}**" for name in ("one", "casadi")),
        *(f"{each[name] * 1e3:.2f}" for name in ("all nodes, alone", "all nodes", "numpy")),
    ]


@contextmanager
def numpy_only():
    """Let nothing be computed by machine code for the length of a `with`."""
    with mock.patch.dict(sys.modules, {"numba": None}):
        jit.compiled.cache_clear()
        try:
            yield
        finally:
            jit.compiled.cache_clear()


def on_one_core(run):
    """Call `run` while the process may use one core."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        return run()
    finally:
        os.sched_setaffinity(0, allowed)


def descents():
    print("\n## Gradient descent, milliseconds for a pass over the examples\n")
    rows = []
    for layers, width, examples in ((3, 10, 100), (3, 50, 100), (10, 1000, 10)):
        G, *_, outputs = network(layers, width)
        data = {"x0": np.linspace(-1, 1, examples)}
        for batch in sorted({examples, 10, 1}, reverse=True):
            took = {}
            # A pass of the largest by dicts takes minutes.
            for name, passes in (("dicts", 1), ("tape", 10))[width > 100 :]:
                with mock.patch.object(trainers, "compiling_pays", lambda _, name=name: name == "tape"):
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
    machine("numpy", "scipy", "numba", "networkx", "rustworkx", "python-graphblas", "casadi", "torch")
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
