"""How fast vector graphs are, beside what one would use instead: ``python benchmarks/vectors.py``.

Values and all weight gradients of dense networks: linearize and weight_gradients, NumPy written by hand for this
network, PyTorch, and JAX compiled by jit. All compute in float64 on one thread. Prints Markdown; every figure is the
median of several runs, the contenders taking turns, so that whatever else the machine does meets all of them. Needs jax;
PyTorch is measured if it is installed.
"""

import os

# One thread for all: read by NumPy's BLAS, by PyTorch and by JAX when they are imported.
os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
os.environ |= {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false", "JAX_ENABLE_X64": "1"}
os.environ |= {"JAX_PLATFORMS": "cpu"}

import argparse
import sys
import tracemalloc
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
from measuring import machine, seconds, table

import cgraph as cg

try:
    import torch
except ImportError:
    torch = None

NETWORKS = {
    "784-128-10, batch 1": ([784, 128, 10], 1),
    "784-128-10, batch 64": ([784, 128, 10], 64),
    "10 layers of 512, batch 64": ([512] * 11, 64),
}


def numbers(widths, batch):
    """Return the weights A_k and b_k, the examples X and their one-hot labels Y."""
    rng = np.random.default_rng(0)
    weights = {}
    for k, (n, m) in enumerate(pairwise(widths)):
        weights |= {f"A{k}": rng.normal(size=(n, m)) / np.sqrt(n), f"b{k}": rng.normal(size=m) / 10}
    for value in weights.values():
        value.setflags(write=False)  # so that cgraph need not copy them
    return weights, rng.normal(size=(batch, widths[0])), np.eye(widths[-1])[rng.integers(0, widths[-1], batch)]


def graph(weights, X, Y):
    """Return the network as a graph: h_k = tanh(h_(k-1) A_k + b_k), scores, and J, the mean cross-entropy."""
    G = cg.ComputationalGraph()
    G.add_input("h0", X)
    G.add_input("Y", Y)
    for name, value in weights.items():
        G.add_weight(name, value)
    last = len(weights) // 2 - 1
    for k in range(last):
        G.add_equation(f"h{k + 1}", f"tanh(h{k} @ A{k} + b{k})")
    G.add_equation("S", f"h{last} @ A{last} + b{last}")
    G.add_equation("J", "mean(softmax_cross_entropy(S, Y))")
    return G


def by_hand(weights, X, Y):
    """Return J and its gradients, as one writes them for this network and no other."""
    *layers, last = range(len(weights) // 2)
    h = [X]
    for k in layers:
        h.append(np.tanh(h[-1] @ weights[f"A{k}"] + weights[f"b{k}"]))
    S = h[-1] @ weights[f"A{last}"] + weights[f"b{last}"]
    largest = S.max(axis=1, keepdims=True)
    exps = np.exp(S - largest)
    total = exps.sum(axis=1, keepdims=True)
    J = np.mean(np.log(total) + largest - (S * Y).sum(axis=1, keepdims=True))
    g = (exps / total - Y) / len(X)
    gradient = {}
    for k in (last, *reversed(layers)):
        gradient[f"A{k}"], gradient[f"b{k}"] = h[k].T @ g, g.sum(axis=0)
        if k:
            g = (g @ weights[f"A{k}"].T) * (1 - h[k] ** 2)
    return J, gradient


def loss(weights, X, Y, tanh, cross_entropy):
    """Return J, for PyTorch and JAX."""
    h, last = X, len(weights) // 2 - 1
    for k in range(last):
        h = tanh(h @ weights[f"A{k}"] + weights[f"b{k}"])
    return cross_entropy(h @ weights[f"A{last}"] + weights[f"b{last}"], Y)


def contenders(weights, X, Y):
    """Return {name: function that computes J and all gradients}, which agree."""
    G = graph(weights, X, Y)

    def cgraph():
        L = cg.linearize(G, weights)
        return L.nodes["J"]["value"], cg.weight_gradients(L, "J")

    def mean_cross_entropy(S, Y):
        return -jnp.mean(jnp.sum(Y * jax.nn.log_softmax(S), axis=1))

    jitted = jax.jit(jax.value_and_grad(lambda w, X, Y: loss(w, X, Y, jnp.tanh, mean_cross_entropy)))
    on_device = jax.device_put((weights, X, Y))
    found = {
        "cgraph": cgraph,
        "NumPy by hand": lambda: by_hand(weights, X, Y),
        "JAX, jitted": lambda: jax.block_until_ready(jitted(*on_device)),
    }
    if torch is not None:
        tensors = {name: torch.tensor(value, requires_grad=True) for name, value in weights.items()}
        given = torch.tensor(X), torch.tensor(Y)

        def pytorch():
            J = loss(tensors, *given, torch.tanh, torch.nn.functional.cross_entropy)
            return J.item(), dict(zip(tensors, torch.autograd.grad(J, list(tensors.values())), strict=True))

        found["PyTorch"] = pytorch
    J, gradient = found["NumPy by hand"]()
    for name, run in found.items():
        J_found, gradient_found = run()
        assert np.isclose(J_found, J), name
        assert all(np.allclose(gradient_found[w], gradient[w]) for w in weights), name
    return found


def networks(rounds):
    print("\n## Values and all weight gradients of dense networks, milliseconds\n")
    rows = []
    for name, (widths, batch) in NETWORKS.items():
        rivals = contenders(*numbers(widths, batch))
        took = seconds(rivals, rounds)
        rows.append(
            [name, *(f"{s * 1e3:.2f}" for s in took.values()), f"**{took['cgraph'] / took['NumPy by hand']:.2f}**"]
        )
    table(["network", *rivals, "cgraph / NumPy"], rows)


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
        for run in (lambda G=G: cg.linearize(G), lambda L=L: cg.weight_gradients(L, "J")):
            tracemalloc.start()
            run()
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        rows.append([name, *(f"{size / 1e6:.2f}" for size in (values, gradients, *peaks)),
                     f"{peaks[1] / (values + gradients):.2f}"])  # fmt: skip
    table(["network", "values", "weight gradients", "`linearize`, at most", "`weight_gradients`, at most",
           "the latter / (values + gradients)"], rows)  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=25, help="runs of each contender")
    rounds = parser.parse_args().rounds
    if torch is None:
        print("PyTorch is not installed and not measured.", file=sys.stderr)
    else:
        torch.set_num_threads(1)
    machine("numpy", "networkx", "jax", *(["torch"] if torch else []))
    networks(rounds)
    parts(rounds)
    memory()


if __name__ == "__main__":
    main()
