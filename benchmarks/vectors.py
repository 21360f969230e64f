"""How fast vector graphs are, beside what one would use instead: ``python benchmarks/vectors.py``.

Values and all weight gradients of dense networks, of logistic regression, of a transformer block and of a convolutional
network: a compiled graph, new arrays and arrays that are given by ``out=``, linearize and weight_gradients, NumPy written by
hand, PyTorch, and JAX compiled by jit; and one step of descent beside PyTorch's SGD. All compute in float64, on one thread
and then on two, each in a process of its own (``THREADS=1`` in the environment: on one alone). Prints Markdown; the contenders
take turns in an order that is drawn anew each time, so that whatever else the machine does meets all of them. Times of values
and gradients are the best in time of the processor, all threads together, and in wall time; machine code of compiled graphs is
made in their first call, as it else is after some seconds of calls. A step of descent is the best in wall time; other times are
medians in time of the processor. Needs jax;
PyTorch is measured if it is installed.
"""

import os
import sys

# How many threads: read by NumPy's BLAS, by PyTorch and by JAX when they are imported.
os.environ |= {"THREADS": os.environ.get("THREADS", "")}
os.environ |= dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), os.environ["THREADS"] or "1"
)
os.environ |= {"XLA_FLAGS": f"--xla_cpu_multi_thread_eigen={str(os.environ['THREADS'] == '2').lower()}"}
os.environ |= {"JAX_ENABLE_X64": "1", "JAX_PLATFORMS": "cpu"}

import argparse
import subprocess
import time
import tracemalloc

import numpy as np
from array_models import (
    BATCH,
    EXAMPLES,
    FEATURES,
    HEADS,
    IMAGES,
    LENGTH,
    NETWORKS,
    SIDE,
    WIDTH,
    contenders,
    convolutional_network,
    graph,
    logistic_regression,
    loss,
    numbers,
    torch,
    transformer_block,
)
from measuring import machine, seconds, table

import cgraph as cg
from cgraph.algorithms.compiled.arrays import programs

THREADS = int(os.environ["THREADS"] or 0)  # 0 in the process that starts one for each number of threads
NAMES = ["compiled", "compiled, `out=`", "interpreted", "NumPy by hand", "JAX, jitted", "PyTorch"]


def _threads():
    return "one thread" if THREADS == 1 else f"{THREADS} threads"


def models():
    """Iterate over the models: a name, and functions that compute the same value and gradients."""
    for name, (widths, batch) in NETWORKS.items():
        yield name, contenders(*numbers(widths, batch))
    yield f"logistic regression, {EXAMPLES:,} x {FEATURES}", logistic_regression()
    yield f"transformer block, {BATCH} x {LENGTH} x {WIDTH}, {HEADS} heads", transformer_block()
    yield f"two convolutions, {IMAGES} images of {SIDE} x {SIDE}", convolutional_network()


def values_and_gradients(rounds):
    """Print a table in time of the processor and one in wall time."""
    rows = {clock: [] for clock in (time.process_time, time.perf_counter)}
    for model, rivals in models():
        J, gradient = rivals["JAX, jitted"]()
        for rival, run in rivals.items():
            J_found, gradient_found = run()
            assert np.isclose(J_found, J), rival
            assert all(np.allclose(gradient_found[w], gradient[w]) for w in gradient), rival
        for clock, lines in rows.items():
            took = seconds(rivals, rounds, clock, min)
            others = min(took[name] for name in ("JAX, jitted", "PyTorch") if name in took)
            figures = [f"{took[n] * 1e3:.2f}" if n in took else None for n in NAMES]
            lines.append(
                [model, *figures, *(f"**{took['compiled'] / t:.2f}**" for t in (took["NumPy by hand"], others))]
            )
    for clock, what in zip(rows, ("processor time", "wall time"), strict=True):
        print(f"\n## Values and all weight gradients, {_threads()}, milliseconds of {what}, the best turns\n")
        table(["model", *NAMES, "compiled / NumPy", "compiled / faster of JAX and PyTorch"], rows[clock])


def descent_step(rounds):
    """One step of plain descent on 784-128-10 at batch 64, the plan made before."""
    if torch is None:
        return
    print(f"\n## One step of descent, 784-128-10 at batch 64, {_threads()}, milliseconds of wall time\n")
    weights, X, Y = numbers(*NETWORKS["784-128-10, batch 64"])
    C = cg.compile_graph(graph(weights, X, Y))
    now = {w: np.array(value) for w, value in weights.items()}
    kept = {w: np.empty_like(value) for w, value in weights.items()}
    tensors = {name: torch.tensor(value, requires_grad=True) for name, value in weights.items()}
    given = torch.tensor(X), torch.tensor(Y)
    sgd = torch.optim.SGD(list(tensors.values()), lr=0.01)

    def compiled():
        C.value_and_gradient("J", weights=now, nodes=C.weights, out=kept)
        for w in now:
            now[w] -= 0.01 * kept[w]

    def pytorch():
        sgd.zero_grad()
        loss(tensors, *given, torch.tanh, torch.nn.functional.cross_entropy).backward()
        sgd.step()

    # Wall time: in time of the processor, the threads of PyTorch that wait would be counted for both.
    took = seconds({"compiled": compiled, "PyTorch": pytorch}, 10 * rounds, time.perf_counter, min)
    table([*took], [[f"{s * 1e3:.2f}" for s in took.values()]])


def jacobians(rounds):
    """Jacobians of six layers of 64: by plans, and by linearizing and sweeping over structured Jacobians."""
    print("\n## Jacobians of six layers of 64, milliseconds\n")
    rng = np.random.default_rng(0)
    G = cg.ComputationalGraph()
    G.add_input("h0", rng.normal(size=64))
    for k in range(6):
        G.add_weight(f"W{k}", rng.normal(size=(64, 64)) / 8)
        G.add_weight(f"b{k}", rng.normal(size=64))
        G.add_equation(f"h{k + 1}", f"tanh(W{k} @ h{k} + b{k})")
    C = cg.compile_graph(G)
    rows = []
    for name, method, arguments in (
        ("`jacobian`, h6 by h0", "jacobian", (["h0"], ["h6"])),
        ("`sensitivities_from`, h0", "sensitivities_from", ("h0",)),
        ("`sensitivities`, h6", "sensitivities", ("h6",)),
        ("`edge_sensitivities`, b0 to h6", "edge_sensitivities", ("b0", "h6")),
    ):
        rivals = {
            "compiled": lambda m=method, a=arguments: getattr(C, m)(*a),
            "interpreted": lambda m=method, a=arguments: getattr(cg, m)(cg.linearize(G), *a),
        }
        rows.append([name, *(f"{s * 1e3:.2f}" for s in seconds(rivals, rounds).values())])
    table(["question", *rivals], rows)


def parts(rounds):
    print("\n## Where the time goes, milliseconds\n")
    rows = []
    for name, (widths, batch) in NETWORKS.items():
        weights, X, Y = numbers(widths, batch)
        G = graph(weights, X, Y)
        L = cg.linearize(G)
        small = graph(*numbers([2] * len(widths), 1))
        took = seconds(
            {
                "`evaluate`": lambda G=G: cg.evaluate(G),
                "`linearize`": lambda G=G: cg.linearize(G),
                "`weight_gradients`": lambda L=L: cg.weight_gradients(L, "J"),
                "all, layers of width 2": lambda small=small: cg.weight_gradients(cg.linearize(small), "J"),
            },
            rounds,
        )
        rows.append([name, *(f"{s * 1e3:.2f}" for s in took.values())])
    table(["network", *took], rows)


def memory():
    print("\n## Memory, megabytes\n")
    rows = []
    for name, (widths, batch) in NETWORKS.items():
        weights, X, Y = numbers(widths, batch)
        G = graph(weights, X, Y)
        L = cg.linearize(G)
        values = sum(np.size(value) for _, value in L.nodes(data="value")) * 8
        gradients = sum(value.size for value in weights.values()) * 8
        peaks = []
        C = cg.compile_graph(G)
        for run in (lambda G=G: cg.linearize(G), lambda L=L: cg.weight_gradients(L, "J"),
                    lambda C=C: C.value_and_gradient("J", nodes=C.weights)):  # fmt: skip
            tracemalloc.start()
            run()
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        rows.append([name, *(f"{size / 1e6:.2f}" for size in (values, gradients, *peaks)),
                     *(f"{peak / (values + gradients):.2f}" for peak in peaks[1:])])  # fmt: skip
    table(["network", "values", "weight gradients", "`linearize`, at most", "`weight_gradients`, at most",
           "compiled, first call, at most", "`weight_gradients` / (values + gradients)", "compiled / (values + gradients)"],
          rows)  # fmt: skip


def memory_of_plans():
    """What a call takes with arrays that are made anew, the plan made before, beside values of all operations and gradients."""
    print("\n## Memory of compiled graphs, megabytes\n")
    rows = []
    for name, rivals in models():
        call = rivals["compiled"]
        C = call.func.__self__
        call()
        for program, _ in C._programs.values():  # noqa: SLF001 - its arrays are let go, the plan stays
            program._code._free.clear()  # noqa: SLF001 - as above
        tracemalloc.start()
        gradient = call()[1]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        G = C._graph  # noqa: SLF001 - the model does not hand it out
        given = 8 * sum(np.size(value) for _, value in G.nodes(data="value") if value is not None)
        values = 8 * sum(np.size(value) for value in cg.evaluate(cg.expand(G)).values())
        gradients = 8 * sum(map(np.size, gradient.values()))
        figures = given, values, gradients, given + peak
        rows.append([name, *(f"{size / 1e6:.2f}" for size in figures), f"{(given + peak) / (values + gradients):.2f}"])
    table(["model", "given", "values of all operations, what is given among them", "weight gradients",
           "at most, with what is given", "at most / (values + gradients)"], rows)  # fmt: skip


def planning(rounds):
    """How long a plan takes: a compiled graph and its first call, less a call as it comes after."""
    print("\n## Planning, milliseconds\n")
    rows = []
    for name, (widths, batch) in NETWORKS.items():
        weights, X, Y = numbers(widths, batch)
        G = graph(weights, X, Y)
        C = cg.compile_graph(G)
        took = seconds(
            {
                "new": lambda G=G: cg.compile_graph(G).value_and_gradient("J", nodes=C.weights),  # noqa: B023 - called at once
                "again": lambda C=C: C.value_and_gradient("J", nodes=C.weights),
            },
            rounds,
        )
        rows.append([name, f"{(took['new'] - took['again']) * 1e3:.1f}"])
    table(["network", "planning"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=25, help="runs of each contender")
    rounds = parser.parse_args().rounds
    if not THREADS:
        for threads in ("1", "2"):
            subprocess.run([sys.executable, *sys.argv], env=os.environ | {"THREADS": threads}, check=True)
        return
    if torch is None:
        print("PyTorch is not installed and not measured.", file=sys.stderr)
    else:
        torch.set_num_threads(THREADS)
    machine("numpy", "networkx", "jax", *(["torch"] if torch else []))
    usual, programs.FEWEST_TO_FUSE = programs.FEWEST_TO_FUSE, 0  # machine code at once, as after some seconds of calls
    values_and_gradients(rounds)
    descent_step(rounds)
    programs.FEWEST_TO_FUSE = usual
    if THREADS == 1:
        jacobians(rounds)
        planning(rounds)
        parts(rounds)
        memory()
        memory_of_plans()


if __name__ == "__main__":
    main()
