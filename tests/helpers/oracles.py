"""Derivatives by libraries that share no code with cgraph."""

import networkx as nx
import pytest


def jax_gradients(G):
    """The whole graph as a JAX function of its weights."""
    jax = pytest.importorskip("jax", reason="JAX is an optional oracle: pip install jax")
    jnp = jax.numpy
    activations = {
        "identity": lambda s: s, "sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh, "softplus": jax.nn.softplus,
        "silu": jax.nn.silu, "gelu": lambda s: jax.nn.gelu(s, approximate=False), "elu": jax.nn.elu,
        "relu": lambda s: jnp.where(s > 0, s, 0.0), "leaky_relu": lambda s: jnp.where(s > 0, s, 0.01 * s),
        "hard_tanh": lambda s: jnp.where(jnp.abs(s) <= 1, s, jnp.sign(s)),
        "mish": jax.nn.mish, "softsign": jax.nn.soft_sign, "log_sigmoid": jax.nn.log_sigmoid, "gelu_tanh": jax.nn.gelu,
    }  # fmt: skip
    weights = {e: G.edges[e]["weight"] for e in G.edges if "weight" in G.edges[e]}
    weights |= {w: G.nodes[w]["value"] for w in G.weights}

    def loss(w):
        y = {}
        for j in nx.topological_sort(G):
            data = G.nodes[j]
            if data["role"] == "neuron":
                y[j] = activations[data["activation"]](sum(w[i, j] * y[i] for i in data["operands"]))
            elif data["role"] == "operation":
                y[j] = eval(data["equation"].replace("^", "**"), {"tanh": jnp.tanh}, y)
            else:
                y[j] = w.get(j, data["value"])
        return y["J"]

    with jax.enable_x64(True):
        values = [jnp.float64(value) for value in weights.values()]
        gradient = jax.grad(lambda values: loss(dict(zip(weights, values, strict=True))))(values)
        return dict(zip(weights, map(float, gradient), strict=True))
