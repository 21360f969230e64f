"""Every operation, and graphs of them, in JAX."""

import functools

import numpy as np
import pytest

from cgraph.model.graph import topological_order
from cgraph.model.language.expressions import Apply, Name, Number
from cgraph.model.operations.elementwise import OPERATIONS
from cgraph.model.operations.slices import Slice

try:
    import jax
    import jax.numpy as jnp
    import jax.scipy.special as jsp
except ImportError:
    jax = None

JAX_NAMES = {
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh",
    "max": "maximum", "min": "minimum", "mul": "multiply", "sub": "subtract", "div": "divide", "neg": "negative", "pow": "power",
    "atan2": "arctan2",
}  # fmt: skip
OWN = {
    "erf": "jsp.erf(a)", "erfc": "jsp.erfc(a)", "mish": "jax.nn.mish(a)", "softsign": "jax.nn.soft_sign(a)",
    "log_sigmoid": "jax.nn.log_sigmoid(a)", "gelu_tanh": "jax.nn.gelu(a)",
    "identity": "a", "sigmoid": "jax.nn.sigmoid(a)", "relu": "jax.nn.relu(a)", "softplus": "jax.nn.softplus(a)",
    "hard_tanh": "jax.nn.hard_tanh(a)", "leaky_relu": "jax.nn.leaky_relu(a)", "elu": "jax.nn.elu(a)",
    "gelu": "jax.nn.gelu(a, approximate=False)", "silu": "jax.nn.silu(a)", "where": "jnp.where(a != 0, b, c)",
    "greater": "(a > b) * 1.0", "less": "(a < b) * 1.0", "greater_equal": "(a >= b) * 1.0", "less_equal": "(a <= b) * 1.0",
    "binary_cross_entropy": "-b*jnp.log(a) - (1 - b)*jnp.log(1 - a)",
}  # fmt: skip


def in_jax(name):
    return OWN.get(name) or f"jnp.{JAX_NAMES.get(name, name)}({', '.join('abc'[: len(OPERATIONS[name].derivatives)])})"


def key_of(key):
    return tuple(
        slice(*part) if isinstance(part, Slice) else np.array(part) if isinstance(part, tuple) else part for part in key
    )


def pairs(*options):
    """Return options as one number for each axis of space."""
    d = max([len(o) for o in options if isinstance(o, tuple)], default=1)
    return [o if isinstance(o, tuple) else (o,) * d for o in options]


def conv(x, w, stride=1, padding=0, dilation=1, groups=1):
    d = w.ndim - 2
    stride, padding, dilation = (o if isinstance(o, tuple) else (o,) * d for o in (stride, padding, dilation))
    y = jax.lax.conv_general_dilated(
        x.reshape(-1, *x.shape[-d - 1 :]), w, stride, [(p, p) for p in padding], rhs_dilation=dilation,
        feature_group_count=groups,
    )  # fmt: skip
    return y.reshape(*x.shape[: -d - 1], *y.shape[1:])


def conv_transpose(x, w, output_padding=0, **options):
    """The transpose of a convolution, by JAX: that of the image."""
    d = w.ndim - 2
    s, p, r, e = (o if isinstance(o, tuple) else (o,) * d
                  for o in (options.get("stride", 1), options.get("padding", 0), options.get("dilation", 1), output_padding))  # fmt: skip
    size = [(n - 1) * s[k] - 2 * p[k] + r[k] * (w.shape[k + 2] - 1) + 1 + e[k] for k, n in enumerate(x.shape[-d:])]
    image = jnp.zeros((*x.shape[: -d - 1], w.shape[1] * options.get("groups", 1), *size))
    return jax.linear_transpose(lambda image: conv(image, w, **options), image)(x)[0]


def pool(x, start, combine, size=2, stride=None, padding=0, dilation=1):
    size = size if isinstance(size, tuple) else (size,)
    stride = size if stride is None else stride
    d = len(size)
    stride, padding, dilation = (o if isinstance(o, tuple) else (o,) * d for o in (stride, padding, dilation))
    ones = (1,) * (x.ndim - d)
    around = [(0, 0)] * (x.ndim - d) + [(p, p) for p in padding]
    return jax.lax.reduce_window(x, start, combine, ones + size, ones + stride, around, window_dilation=ones + dilation)


def normalised(x, epsilon, axis, *, is_centred=True):
    centred = x - x.mean(axis, keepdims=True) if is_centred else x
    return centred / jnp.sqrt((centred * centred).mean(axis, keepdims=True) + epsilon)


def group_norm(x, epsilon, groups=1):
    lines = x.reshape(x.shape[0], groups, -1)
    return normalised(lines, epsilon, 2).reshape(x.shape)


def topk(x, k=1, axis=-1):
    return jnp.moveaxis(jax.lax.top_k(jnp.moveaxis(x, axis, -1), k)[0], -1, axis)


def each(numbers, rank):
    return numbers if isinstance(numbers, tuple) else (numbers,) * rank


def pad(x, before=0, after=0):
    return jnp.pad(x, list(zip(each(before, x.ndim), each(after, x.ndim), strict=True)))


def cholesky(a):
    return jnp.linalg.cholesky(jnp.tril(a) + jnp.tril(a, -1).T, symmetrize_input=False)


def squared_error(a, b):
    return jnp.sum((a - b) ** 2, axis=-1) if a.ndim or b.ndim else (a - b) ** 2


def hinge(s, y):
    margins = s - jnp.sum(s * y, -1, keepdims=True) + 1
    return jnp.sum((1 - y) * jnp.maximum(margins, 0), axis=-1)


ARRAYS = {} if jax is None else {
    "matmul": jnp.matmul, "dot": jnp.dot, "outer": jnp.outer, "transpose": jnp.transpose, "trace": jnp.trace,
    "einsum": lambda *x, subscripts: jnp.einsum(subscripts, *x),
    "det": jnp.linalg.det, "inv": jnp.linalg.inv, "logdet": lambda a: jnp.linalg.slogdet(a)[1], "solve": jnp.linalg.solve,
    "cholesky": cholesky, "index": lambda x, key: x[key_of(key)], "reshape": jnp.reshape,
    "concatenate": lambda *x, axis=0: jnp.concatenate(x, axis), "stack": lambda *x, axis=0: jnp.stack(x, axis),
    "split": lambda x, parts=2, part=0, axis=0: jnp.split(x, parts, axis)[part],
    "repeat": lambda x, repeats=2, axis=None: jnp.repeat(x, np.array(repeats), axis, total_repeat_length=None if isinstance(repeats, int) else sum(repeats)),
    "expand_dims": lambda x, axis=0: jnp.expand_dims(x, axis), "squeeze": jnp.squeeze,
    "take": lambda x, i, axis=0: jnp.take(x, i.astype(int), axis), "pad": pad, "sort": lambda x, axis=-1: jnp.sort(x, axis),
    "topk": topk, "cumsum": jnp.cumsum, "sum": jnp.sum, "mean": jnp.mean, "prod": jnp.prod, "largest": jnp.max, "smallest": jnp.min,
    "squared_norm": lambda x: jnp.sum(x * x), "norm": lambda x: jnp.sqrt(jnp.sum(x * x)),
    "softmax": jax.nn.softmax, "log_softmax": jax.nn.log_softmax, "logsumexp": lambda x, axis=-1: jsp.logsumexp(x, axis),
    "conv": conv, "conv_transpose": conv_transpose,
    "max_pool": lambda x, **o: pool(x, -jnp.inf, jax.lax.max, **o),
    "avg_pool": lambda x, size=2, **o: pool(x, 0.0, jax.lax.add, size, **o) / np.prod(size),
    "layer_norm": lambda x, e, axis=-1: normalised(x, e, axis), "rms_norm": lambda x, e, axis=-1: normalised(x, e, axis, is_centred=False),
    "batch_norm": lambda x, e: normalised(x, e, (0, *range(2, x.ndim))), "group_norm": group_norm,
    "cross_entropy": lambda p, y: -jnp.log(jnp.sum(y * p, axis=-1)),
    "softmax_cross_entropy": lambda s, y: -jnp.sum(y * jax.nn.log_softmax(s), axis=-1),
    "squared_error": squared_error, "hinge": hinge,
}  # fmt: skip


@functools.cache
def function_in_jax(operation):
    if operation in ARRAYS:
        return ARRAYS[operation]
    names = ", ".join("abc"[: len(OPERATIONS[operation].names)])
    return eval(f"lambda {names}: {in_jax(operation)}", {"jax": jax, "jnp": jnp, "jsp": jsp})


def values_by(function_of, number, G, given):
    """Return the values of all nodes of a graph of equations and neurons, by functions of a library for its operations."""
    y = dict(given)
    for j in topological_order(G):
        data = G.nodes[j]
        if "expression" in data:
            v = []
            for step in data["expression"].steps:
                match step:
                    case Name(name):
                        v.append(y[name])
                    case Number(value):
                        v.append(number(value))
                    case Apply(operation, operands, options):
                        v.append(function_of(operation)(*[v[k] for k in operands], **dict(options)))
            y[j] = v[-1]
        elif "activation" in data:
            s = sum(G.edges[i, j]["weight"] * y[i] for i in data["operands"])
            y[j] = function_of(data["activation"])(s)
    return y


def value_and_gradient_in_jax(G, t):
    """Return y(t) and its derivatives with respect to all inputs and weights in nodes."""
    if jax is None:
        pytest.skip("JAX is an optional oracle: pip install jax")
    sources = [i for i in G if G.nodes[i].get("role") in {"input", "weight"}]
    with jax.enable_x64(True):
        held = {i: jnp.asarray(G.nodes[i]["value"], float) for i in G if G.nodes[i].get("value") is not None}
        at = {i: held[i] for i in sources}
        value, gradient = jax.value_and_grad(lambda given: values_by(function_in_jax, jnp.asarray, G, held | given)[t])(
            at
        )
        return float(value), {i: np.asarray(S) for i, S in gradient.items()}
