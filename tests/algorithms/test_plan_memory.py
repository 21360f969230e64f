"""How much memory a compiled graph of arrays takes: no more than values, gradients and a fifth, whatever the network."""

import math
import tracemalloc

import numpy as np
import pytest

import cgraph as cg

RNG = np.random.default_rng(0)


def graph(inputs, weights, equations):
    """Return a graph of random inputs and weights in these shapes, and of equations whose last is J."""
    G = cg.ComputationalGraph()
    for name, shape in inputs.items():
        G.add_input(name, RNG.normal(size=shape))
    for name, shape in weights.items():
        G.add_weight(name, RNG.normal(size=shape) / math.sqrt(shape[0]))
    for name, equation in equations.items():
        G.add_equation(name, equation)
    return G


def dense(layers=8, width=128, batch=64):
    shapes = {f"A{k}": (width, width) for k in range(layers)} | {f"b{k}": (width,) for k in range(layers)}
    equations = {f"h{k + 1}": f"tanh(h{k} @ A{k} + b{k})" for k in range(layers)}
    return graph(
        {"h0": (batch, width), "t": (width,)}, shapes, equations | {"J": f"mean(softmax_cross_entropy(h{layers}, t))"}
    )


def transformer(batch=4, length=32, width=64):
    heads = f"{batch}, {length}, 4, {width // 4}"
    equations = {
        "n": "layer_norm(X, 0.1) * g + c",
        **{name: f"transpose(reshape(n @ {name.upper()}, {heads}), 0, 2, 1, 3)" for name in "qkv"},
        "P": "softmax(q @ transpose(k, 0, 1, 3, 2) / 4)",
        "R": f"X + reshape(transpose(P @ v, 0, 2, 1, 3), {batch}, {length}, {width}) @ O",
        "Y": "R + gelu_tanh(layer_norm(R, 0.1) @ U) @ D",
        "J": "mean(Y * Y)",
    }
    square = dict.fromkeys("QKVO", (width, width))
    others = {"U": (width, 4 * width), "D": (4 * width, width), "g": (width,), "c": (width,)}
    return graph({"X": (batch, length, width)}, square | others, equations)


def convolutional(images=16, side=28):
    equations = {
        "h": "max_pool(relu(conv(X, K, padding=1) + b), size=(2, 2))",
        "g": "max_pool(relu(conv(h, L, padding=1) + c), size=(2, 2))",
        "J": f"mean(softmax_cross_entropy(reshape(g, {images}, -1) @ A, t))",
    }
    weights = {
        "K": (16, 1, 3, 3),
        "L": (32, 16, 3, 3),
        "b": (16, 1, 1),
        "c": (32, 1, 1),
        "A": (2 * side * side, 10),
    }
    return graph({"X": (images, 1, side, side), "t": (10,)}, weights, equations)


@pytest.mark.parametrize("network", [dense, transformer, convolutional])
def test_values_and_gradients_take_at_most_a_fifth_more_than_they_are(network):
    """Values are those of every operation in the equations; what is given counts, and the text of the plan does not."""
    G = network()
    C = cg.compile_graph(G)
    C.value_and_gradient("J", nodes=C.weights)
    ((program, _),) = C._programs.values()
    program._code._free.clear()  # the plan stays, its arrays are made anew
    tracemalloc.start()
    try:
        C.value_and_gradient("J", nodes=C.weights)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    given = sum(np.size(value) for _, value in G.nodes(data="value") if value is not None)
    values = sum(np.size(value) for value in cg.evaluate(cg.expand(G)).values())
    gradients = sum(np.size(G.nodes[w]["value"]) for w in C.weights)
    assert 8 * given + peak <= 1.2 * 8 * (values + gradients)
