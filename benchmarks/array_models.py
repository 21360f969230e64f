"""Models as graphs of arrays, and the same models in NumPy by hand, in JAX and in PyTorch.

Each function returns {name: function} of contenders that compute the value of a loss and its gradients.
"""

from functools import partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np

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


def own_copies(weights, *inputs):
    """Return copies, so that nobody finds in the cache what another has just read; JAX and PyTorch hold their own too."""
    return {w: value.copy() for w, value in weights.items()}, *(value.copy() for value in inputs)


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


def compiled(G, weights):
    """Return the contenders that are ours: with new arrays for results, and into arrays that are given."""
    C = cg.compile_graph(G)
    kept = {w: np.empty_like(value) for w, value in weights.items()}
    return {
        "compiled": partial(C.value_and_gradient, "J", nodes=list(kept)),
        "compiled, `out=`": partial(C.value_and_gradient, "J", nodes=list(kept), out=kept),
    }


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
        **compiled(G, weights),
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

    def by_hand(weights, X, t):
        s = X @ weights["w"]
        e = np.exp(-np.abs(s))
        J = np.mean(np.maximum(s, 0) + np.log1p(e) - t * s)
        p = np.where(s < 0, e, 1) / (1 + e)
        return J, {"w": X.T @ ((p - t) / EXAMPLES)}

    jitted = jax.jit(jax.value_and_grad(lambda w, X, t: jnp.mean(jax.nn.softplus(X @ w["w"]) - t * (X @ w["w"]))))
    on_device = jax.device_put(({"w": w}, X, t))
    found = {
        **compiled(G, {"w": w}),
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

    heads = f"{BATCH}, {LENGTH}, {HEADS}, {WIDTH // HEADS}"
    G.add_equation("n1", "layer_norm(X, 1e-5) * g1 + c1")
    for name in "QKV":
        G.add_equation(name.lower(), f"transpose(reshape(n1 @ {name}, {heads}), 0, 2, 1, 3)")
    G.add_equation(
        "P", f"softmax(q @ transpose(k, 0, 1, 3, 2) / {np.sqrt(WIDTH // HEADS)!r})".replace("np.float64", "")
    )
    G.add_equation("A", f"reshape(transpose(P @ v, 0, 2, 1, 3), {BATCH}, {LENGTH}, {WIDTH})")
    G.add_equation("R", "X + A @ O")
    G.add_equation("n2", "layer_norm(R, 1e-5) * g2 + c2")
    G.add_equation("Y", "R + gelu_tanh(n2 @ U) @ D")
    G.add_equation("J", "mean(Y * Y)")

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
        **compiled(G, weights),
        "NumPy by hand": partial(block_by_hand, *own_copies(weights, X)),
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


def block_by_hand(w, X):
    """Return the mean square of a transformer block and its gradients."""
    root = np.sqrt(WIDTH // HEADS)

    def normalised(x, g, c):
        centred = x - x.mean(axis=-1, keepdims=True)
        scale = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + 1e-5)
        y = centred / scale
        return y, scale, y * g + c

    def back_through_norm(S, y, scale, g):
        """Return the gradients by what is normalised, by g and by c."""
        by_y = S * g
        mean = by_y.mean(axis=-1, keepdims=True) + y * (by_y * y).mean(axis=-1, keepdims=True)
        return (by_y - mean) / scale, (S * y).sum(axis=(0, 1)), S.sum(axis=(0, 1))

    def rows(x):
        return x.reshape(-1, x.shape[-1])

    def heads(x):
        return x.reshape(BATCH, LENGTH, HEADS, -1).swapaxes(1, 2)

    def together(x):
        return x.swapaxes(1, 2).reshape(BATCH, LENGTH, WIDTH)

    y1, scale1, n1 = normalised(X, w["g1"], w["c1"])
    q, k, v = (heads(n1 @ w[name]) for name in "QKV")
    scores = q @ k.swapaxes(-1, -2) / root
    P = np.exp(scores - scores.max(axis=-1, keepdims=True))
    P /= P.sum(axis=-1, keepdims=True)
    A = together(P @ v)
    R = X + A @ w["O"]
    y2, scale2, n2 = normalised(R, w["g2"], w["c2"])
    u = n2 @ w["U"]
    t = np.tanh(np.sqrt(2 / np.pi) * (u + 0.044715 * u * u * u))
    h = 0.5 * u * (1 + t)
    Y = R + h @ w["D"]

    gradient = {}
    S = 2 / Y.size * Y
    gradient["D"] = rows(h).T @ rows(S)
    slope = 0.5 * (1 + t) + 0.5 * u * (1 - t * t) * np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * u * u)
    S_u = (S @ w["D"].T) * slope
    gradient["U"] = rows(n2).T @ rows(S_u)
    by_R, gradient["g2"], gradient["c2"] = back_through_norm(S_u @ w["U"].T, y2, scale2, w["g2"])
    S = S + by_R
    gradient["O"] = rows(A).T @ rows(S)
    S_A = heads(S @ w["O"].T)
    S_P = S_A @ v.swapaxes(-1, -2)
    S_scores = P * (S_P - (S_P * P).sum(axis=-1, keepdims=True)) / root
    parts = {"Q": S_scores @ k, "K": S_scores.swapaxes(-1, -2) @ q, "V": P.swapaxes(-1, -2) @ S_A}
    S_n1 = 0.0
    for name, part in parts.items():
        joined = together(part)
        gradient[name] = rows(n1).T @ rows(joined)
        S_n1 = S_n1 + joined @ w[name].T
    _, gradient["g1"], gradient["c1"] = back_through_norm(S_n1, y1, scale1, w["g1"])
    return (Y * Y).mean(), gradient


IMAGES, SIDE, CLASSES = 64, 28, 10


def convolutional_network():
    """Return {name: function} for two convolutions with pools and a dense layer: the mean cross-entropy and its gradients."""
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(IMAGES, 1, SIDE, SIDE)), np.eye(CLASSES)[rng.integers(0, CLASSES, IMAGES)]
    shapes = {
        "K1": (16, 1, 3, 3),
        "b1": (16, 1, 1),
        "K2": (32, 16, 3, 3),
        "b2": (32, 1, 1),
        "A": (32 * 49, CLASSES),
        "c": (CLASSES,),
    }
    weights = {
        w: rng.normal(size=shape) / np.sqrt(np.prod(shape[1:]) if w[0] == "K" else shape[0])
        for w, shape in shapes.items()
    }
    for value in (X, Y, *weights.values()):
        value.setflags(write=False)
    G = cg.ComputationalGraph()
    G.add_input("X", X)
    G.add_input("Y", Y)
    for name, value in weights.items():
        G.add_weight(name, value)
    G.add_equation("h1", "max_pool(relu(conv(X, K1, padding=1) + b1), size=(2, 2))")
    G.add_equation("h2", "max_pool(relu(conv(h1, K2, padding=1) + b2), size=(2, 2))")
    G.add_equation("S", f"reshape(h2, {IMAGES}, -1) @ A + c")
    G.add_equation("J", "mean(softmax_cross_entropy(S, Y))")

    def loss(w, X, Y, conv, pool, relu, cross_entropy):
        h = pool(relu(conv(X, w["K1"]) + w["b1"]))
        h = pool(relu(conv(h, w["K2"]) + w["b2"]))
        return cross_entropy(h.reshape(IMAGES, -1) @ w["A"] + w["c"], Y)

    def conv_in_jax(x, k):
        return jax.lax.conv_general_dilated(x, k, (1, 1), "SAME")

    def pool_in_jax(x):
        return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")

    def mean_cross_entropy(S, Y):
        return -jnp.mean(jnp.sum(Y * jax.nn.log_softmax(S), axis=1))

    jitted = jax.jit(
        jax.value_and_grad(lambda w, X, Y: loss(w, X, Y, conv_in_jax, pool_in_jax, jax.nn.relu, mean_cross_entropy))
    )
    on_device = jax.device_put((weights, X, Y))
    found = {
        **compiled(G, weights),
        "NumPy by hand": partial(convolutions_by_hand, *own_copies(weights, X, Y)),
        "JAX, jitted": lambda: jax.block_until_ready(jitted(*on_device)),
    }
    if torch is not None:
        F = torch.nn.functional
        tensors = {w: torch.tensor(value, requires_grad=True) for w, value in weights.items()}
        given = torch.tensor(X), torch.tensor(Y)

        def pytorch():
            J = loss(
                tensors,
                *given,
                lambda x, k: F.conv2d(x, k, padding=1),
                lambda x: F.max_pool2d(x, 2),
                torch.relu,
                F.cross_entropy,
            )
            return J.item(), dict(zip(tensors, torch.autograd.grad(J, list(tensors.values())), strict=True))

        found["PyTorch"] = pytorch
    return found


def convolutions_by_hand(w, X, Y):
    """Return the loss and its gradients: columns below windows, and products of matrices."""

    def columns(x):
        around = np.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1)])
        below = np.lib.stride_tricks.sliding_window_view(around, (3, 3), (2, 3)).transpose(0, 1, 4, 5, 2, 3)
        return below.reshape(len(x), 9 * x.shape[1], -1)

    def layer(x, K, b):
        under = columns(x)
        a = (K.reshape(len(K), -1) @ under).reshape(len(x), len(K), *x.shape[2:]) + b
        blocks = (
            a.reshape(len(x), len(K), x.shape[2] // 2, 2, x.shape[3] // 2, 2)
            .transpose(0, 1, 2, 4, 3, 5)
            .reshape(len(x), len(K), -1, 4)
        )
        largest = blocks.argmax(-1)[..., None]
        h = np.take_along_axis(blocks, largest, -1)[..., 0]
        return under, largest, np.maximum(h, 0).reshape(len(x), len(K), x.shape[2] // 2, -1)

    def back(g, h, under, largest, K, side):
        n, results = h.shape[:2]
        spread = np.zeros((n, results, (side // 2) ** 2, 4))
        np.put_along_axis(spread, largest, (g * (h > 0)).reshape(n, results, -1, 1), -1)
        g = spread.reshape(n, results, side // 2, side // 2, 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(n, results, -1)
        return g, (g @ under.swapaxes(1, 2)).sum(0).reshape(K.shape), g.sum((0, 2)).reshape(-1, 1, 1)

    under1, largest1, h1 = layer(X, w["K1"], w["b1"])
    under2, largest2, h2 = layer(h1, w["K2"], w["b2"])
    flat = h2.reshape(len(X), -1)
    S = flat @ w["A"] + w["c"]
    largest = S.max(axis=1, keepdims=True)
    exps = np.exp(S - largest)
    total = exps.sum(axis=1, keepdims=True)
    J = np.mean(np.log(total) + largest - (S * Y).sum(axis=1, keepdims=True))
    g = (exps / total - Y) / len(X)
    gradient = {"A": flat.T @ g, "c": g.sum(axis=0)}
    g, gradient["K2"], gradient["b2"] = back((g @ w["A"].T).reshape(h2.shape), h2, under2, largest2, w["K2"], SIDE // 2)
    spread = (w["K2"].reshape(len(w["K2"]), -1).T @ g).reshape(len(X), 16, 3, 3, SIDE // 2, SIDE // 2)
    around = np.zeros((len(X), 16, SIDE // 2 + 2, SIDE // 2 + 2))
    for i, j in np.ndindex(3, 3):
        around[:, :, i : i + SIDE // 2, j : j + SIDE // 2] += spread[:, :, i, j]
    _, gradient["K1"], gradient["b1"] = back(around[:, :, 1:-1, 1:-1], h1, under1, largest1, w["K1"], SIDE)
    return J, gradient
