"""How fast vector graphs are, beside what one would use instead: ``python benchmarks/vectors.py``.

Values and all weight gradients of dense networks, of logistic regression and of a transformer block: a compiled graph, new
arrays and arrays that are given by ``out=``, linearize and weight_gradients, NumPy written by hand, PyTorch, and JAX
compiled by jit; one step of descent beside PyTorch's SGD; Jacobians. All compute in float64 on one thread. Machine code of
compiled graphs is made in their first call, in place of when it pays. Prints Markdown; every figure is the
best of several runs in time of the processor, the contenders taking turns. Needs jax;
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
from functools import partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
from measuring import machine, table
from measuring import seconds as seconds_by

import cgraph as cg
from cgraph.algorithms.compiled.arrays import programs

programs.FEWEST_TO_FUSE = 0  # as after some seconds of calls

try:
    import torch
except ImportError:
    torch = None


def own_copies(weights, *inputs):
    """Return copies, so that nobody finds in the cache what another has just read; JAX and PyTorch hold their own too."""
    return {w: value.copy() for w, value in weights.items()}, *(value.copy() for value in inputs)


def seconds(contenders, rounds):
    """Return the best time of each: other work on the machine only adds."""
    return seconds_by(contenders, rounds, figure=min)


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
    C = cg.compile_graph(G)
    kept = {w: np.empty_like(value) for w, value in weights.items()}
    found = {
        "compiled": lambda: C.value_and_gradient("J", nodes=C.weights),
        "compiled, `out=`": lambda: C.value_and_gradient("J", nodes=C.weights, out=kept),
        "interpreted": cgraph,
        "NumPy by hand": partial(by_hand, *own_copies(weights, X, Y)),
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
            [name, *(f"{s * 1e3:.2f}" for s in took.values()), f"**{took['compiled'] / took['NumPy by hand']:.2f}**"]
        )
    table(["network", *rivals, "compiled / NumPy"], rows)


EXAMPLES, FEATURES = 10_000, 100


def logistic_regression():
    """Return {name: function} for the mean binary cross-entropy of 10,000 examples and its gradient."""
    rng = np.random.default_rng(0)
    X, t = rng.normal(size=(EXAMPLES, FEATURES)), (rng.random(EXAMPLES) > 0.5) * 1.0
    w = rng.normal(size=FEATURES) / 10
    for array in (X, t, w):
        array.setflags(write=False)
    G = cg.ComputationalGraph()
    G.add_input("X", X)
    G.add_input("t", t)
    G.add_weight("w", w)
    G.add_equation("s", "X @ w")
    G.add_equation("J", "mean(softplus(s) - t * s)")
    C = cg.compile_graph(G)

    def by_hand(weights, X, t):
        s = X @ weights["w"]
        e = np.exp(-np.abs(s))
        J = np.mean(np.maximum(s, 0) + np.log1p(e) - t * s)
        p = np.where(s < 0, e, 1) / (1 + e)
        return J, {"w": X.T @ ((p - t) / EXAMPLES)}

    jitted = jax.jit(jax.value_and_grad(lambda w, X, t: jnp.mean(jax.nn.softplus(X @ w["w"]) - t * (X @ w["w"]))))
    on_device = jax.device_put(({"w": w}, X, t))
    found = {
        "compiled": lambda: C.value_and_gradient("J", nodes=["w"]),
        "NumPy by hand": partial(by_hand, *own_copies({"w": w}, X, t)),
        "JAX, jitted": lambda: jax.block_until_ready(jitted(*on_device)),
    }
    if torch is not None:
        W, given, labels = torch.tensor(w, requires_grad=True), torch.tensor(X), torch.tensor(t)

        def pytorch():
            J = torch.nn.functional.binary_cross_entropy_with_logits(given @ W, labels)
            return J.item(), {"w": torch.autograd.grad(J, [W])[0]}

        found["PyTorch"] = pytorch
    return found


BATCH, LENGTH, WIDTH, HEADS = 8, 64, 128, 4


def normalised_by_hand(x, g, c):
    """Return the unit form of x, its scale, and the normalised x."""
    centred = x - x.mean(-1, keepdims=True)
    s = np.sqrt((centred * centred).mean(-1, keepdims=True) + 1e-5)
    return centred / s, s, centred / s * g + c


def back_through_norm(S, unit, s, g):
    """Return what goes back to x, to g and to c."""
    along = (0, 1)
    S_unit = S * g
    mean, product = S_unit.mean(-1, keepdims=True), (S_unit * unit).mean(-1, keepdims=True)
    return (S_unit - mean - unit * product) / s, (S * unit).sum(along), S.sum(along)


def split(x):
    return x.reshape(BATCH, LENGTH, HEADS, WIDTH // HEADS).swapaxes(1, 2)


def join(x):
    return x.swapaxes(1, 2).reshape(BATCH * LENGTH, WIDTH)


def transformer_by_hand(w, X):
    """Return the mean square of a block's output and its gradients, as one writes them for this block and no other."""
    scale, flat = np.sqrt(WIDTH // HEADS), (BATCH * LENGTH, -1)
    unit1, s1, n1 = normalised_by_hand(X, w["g1"], w["c1"])
    q, k, v = (split(n1.reshape(flat) @ w[name]) for name in "QKV")
    P = np.exp((scores := q @ k.swapaxes(-1, -2) / scale) - scores.max(-1, keepdims=True))
    P /= P.sum(-1, keepdims=True)
    A = join(P @ v)
    R = X + (A @ w["O"]).reshape(X.shape)
    unit2, s2, n2 = normalised_by_hand(R, w["g2"], w["c2"])
    H = n2.reshape(flat) @ w["U"]
    t = np.tanh(np.sqrt(2 / np.pi) * (H + 0.044715 * H * H * H))
    F = 0.5 * H * (1 + t)
    Y = R + (F @ w["D"]).reshape(X.shape)
    S = 2 * Y / Y.size
    gradient = {"D": F.T @ S.reshape(flat)}
    slope = 0.5 * (1 + t) + 0.5 * H * (1 - t * t) * np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * H * H)
    S_H = (S.reshape(flat) @ w["D"].T) * slope
    gradient["U"] = n2.reshape(flat).T @ S_H
    S_R, gradient["g2"], gradient["c2"] = back_through_norm((S_H @ w["U"].T).reshape(X.shape), unit2, s2, w["g2"])
    S_R += S
    gradient["O"] = A.T @ S_R.reshape(flat)
    S_A = split((S_R.reshape(flat) @ w["O"].T).reshape(X.shape))
    S_P = S_A @ v.swapaxes(-1, -2)
    S_scores = P * (S_P - (S_P * P).sum(-1, keepdims=True)) / scale
    S_n1 = 0
    parts = {"Q": S_scores @ k, "K": S_scores.swapaxes(-1, -2) @ q, "V": P.swapaxes(-1, -2) @ S_A}
    for name, part in parts.items():
        gradient[name] = n1.reshape(flat).T @ join(part)
        S_n1 = S_n1 + join(part) @ w[name].T
    _, gradient["g1"], gradient["c1"] = back_through_norm(S_n1.reshape(X.shape), unit1, s1, w["g1"])
    return np.mean(Y * Y), gradient


def transformer_block():
    """Return {name: function} for the mean square of a block's output and the gradients of its weights."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(BATCH, LENGTH, WIDTH))
    shapes = {"Q": (WIDTH, WIDTH), "K": (WIDTH, WIDTH), "V": (WIDTH, WIDTH), "O": (WIDTH, WIDTH),
              "U": (WIDTH, 4 * WIDTH), "D": (4 * WIDTH, WIDTH)}  # fmt: skip
    weights = {w: rng.normal(size=shape) / np.sqrt(shape[0]) for w, shape in shapes.items()}
    weights |= {"g1": np.ones(WIDTH), "c1": np.zeros(WIDTH), "g2": np.ones(WIDTH), "c2": np.zeros(WIDTH)}
    for value in (X, *weights.values()):
        value.setflags(write=False)
    G = cg.ComputationalGraph()
    G.add_input("X", X)
    for name, value in weights.items():
        G.add_weight(name, value)

    def normalised(out, x, g, c):
        column = f"{BATCH}, {LENGTH}, 1"
        G.add_equation(f"{out}_c", f"{x} - reshape(mean({x}, axis=-1), {column})")
        G.add_equation(f"{out}_v", f"reshape(mean({out}_c * {out}_c, axis=-1), {column})")
        G.add_equation(out, f"{out}_c / sqrt({out}_v + 0.00001) * {g} + {c}")

    heads = f"{BATCH}, {LENGTH}, {HEADS}, {WIDTH // HEADS}"
    normalised("n1", "X", "g1", "c1")
    for name in "QKV":
        G.add_equation(name.lower(), f"transpose(reshape(n1 @ {name}, {heads}), 0, 2, 1, 3)")
    G.add_equation(
        "P", f"softmax(q @ transpose(k, 0, 1, 3, 2) / {np.sqrt(WIDTH // HEADS)!r})".replace("np.float64", "")
    )
    G.add_equation("A", f"reshape(transpose(P @ v, 0, 2, 1, 3), {BATCH}, {LENGTH}, {WIDTH})")
    G.add_equation("R", "X + A @ O")
    normalised("n2", "R", "g2", "c2")
    G.add_equation("Y", "R + gelu_tanh(n2 @ U) @ D")
    G.add_equation("J", "mean(Y * Y)")
    C = cg.compile_graph(G)

    def block(w, X, xp, softmax, gelu):
        def normalise(x, g, c):
            centred = x - x.mean(-1)[..., None]
            return centred / xp.sqrt((centred * centred).mean(-1)[..., None] + 1e-5) * g + c

        def split(x):
            return x.reshape(BATCH, LENGTH, HEADS, WIDTH // HEADS).swapaxes(1, 2)

        n = normalise(X, w["g1"], w["c1"])
        q, k, v = (split(n @ w[name]) for name in "QKV")
        P = softmax(q @ k.swapaxes(-1, -2) / (WIDTH // HEADS) ** 0.5)
        R = X + (P @ v).swapaxes(1, 2).reshape(BATCH, LENGTH, WIDTH) @ w["O"]
        Y = R + gelu(normalise(R, w["g2"], w["c2"]) @ w["U"]) @ w["D"]
        return (Y * Y).mean()

    jitted = jax.jit(jax.value_and_grad(lambda w, X: block(w, X, jnp, jax.nn.softmax, jax.nn.gelu)))
    on_device = jax.device_put((weights, X))
    found = {
        "compiled": lambda: C.value_and_gradient("J", nodes=C.weights),
        "NumPy by hand": partial(transformer_by_hand, *own_copies(weights, X)),
        "JAX, jitted": lambda: jax.block_until_ready(jitted(*on_device)),
    }
    if torch is not None:
        tensors, given = {w: torch.tensor(value, requires_grad=True) for w, value in weights.items()}, torch.tensor(X)

        def pytorch():
            J = block(
                tensors, given, torch, lambda x: torch.softmax(x, -1),
                lambda x: torch.nn.functional.gelu(x, approximate="tanh"),
            )  # fmt: skip
            return J.item(), dict(zip(tensors, torch.autograd.grad(J, list(tensors.values())), strict=True))

        found["PyTorch"] = pytorch
    return found


def others(rounds):
    print("\n## Values and all weight gradients of other models, milliseconds\n")
    names = ["compiled", "NumPy by hand", "JAX, jitted", "PyTorch"]
    rows = []
    for name, rivals in (
        (f"logistic regression, {EXAMPLES:,} x {FEATURES}", logistic_regression()),
        (f"transformer block, {BATCH} x {LENGTH} x {WIDTH}, {HEADS} heads", transformer_block()),
    ):
        J, gradient = rivals["JAX, jitted"]()
        for rival, run in rivals.items():
            J_found, gradient_found = run()
            assert np.isclose(J_found, J), rival
            assert all(np.allclose(gradient_found[w], gradient[w]) for w in gradient), rival
        took = seconds(rivals, rounds)
        rows.append([name, *(f"{took[n] * 1e3:.2f}" if n in took else "" for n in names)])
    table(["model", *names], rows)


def descent_step(rounds):
    """One step of plain descent on 784-128-10 at batch 64, the plan made before."""
    if torch is None:
        return
    print("\n## One step of descent, 784-128-10 at batch 64, milliseconds\n")
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

    took = seconds({"compiled": compiled, "PyTorch": pytorch}, rounds)
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
        for run in (lambda G=G: cg.linearize(G), lambda L=L: cg.weight_gradients(L, "J")):
            tracemalloc.start()
            run()
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        rows.append([name, *(f"{size / 1e6:.2f}" for size in (values, gradients, *peaks)),
                     f"{peaks[1] / (values + gradients):.2f}"])  # fmt: skip
    table(["network", "values", "weight gradients", "`linearize`, at most", "`weight_gradients`, at most",
           "the latter / (values + gradients)"], rows)  # fmt: skip


def memory_of_plans():
    print("\n## Memory of `value_and_gradient`, megabytes\n")
    rows = []
    for name, (widths, batch) in NETWORKS.items():
        weights, X, Y = numbers(widths, batch)
        C = cg.compile_graph(graph(weights, X, Y))
        C.value_and_gradient("J", nodes=C.weights)  # makes the plan
        given = sum(np.size(array) for array in (*weights.values(), X, Y)) * 8
        values = sum(np.size(value) for value in C.evaluate().values()) * 8
        gradients = sum(array.size for array in weights.values()) * 8
        C = cg.compile_graph(graph(weights, X, Y))
        tracemalloc.start()
        C.value_and_gradient("J", nodes=C.weights)
        peak = given + tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        sizes = (values, gradients, peak)
        rows.append([name, *(f"{size / 1e6:.2f}" for size in sizes), f"{peak / (values + gradients):.2f}"])
    table(["network", "values", "weight gradients", "at most", "the latter / (values + gradients)"], rows)


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
    others(rounds)
    descent_step(rounds)
    jacobians(rounds)
    parts(rounds)
    memory()
    memory_of_plans()


if __name__ == "__main__":
    main()
