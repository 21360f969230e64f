"""Every row of both tables on numbers, vectors, matrices and stacks, against derivatives that know nothing of it."""

import math
from functools import partial

import numpy as np
import pytest
from dense_jacobians import matrix
from in_jax import in_jax
from in_torch import value_and_gradient_in_torch
from operation_values import VALUES

import cgraph as cg
from cgraph.model.language.expressions import Apply, Name
from cgraph.model.language.parsing import parse
from cgraph.model.operations.arrays import ARRAY_OPERATIONS
from cgraph.model.operations.elementwise import OPERATIONS, row_of
from cgraph.model.rules.generate import functions_of

try:
    import jax
    import jax.numpy as jnp
    import jax.scipy.special as jsp
except ImportError:
    jax = None
else:
    jax.config.update("jax_enable_x64", val=True)
    jax.config.update("jax_disable_most_optimizations", val=True)  # every case is compiled, and run once

# --- points: entries are all different, and away from kinks and ends of domains -------------------------------------------

RNG = np.random.default_rng(20)


def reals(*shape):
    return spread(shape, -2.1, 2.2)


def spread(shape, low, high):
    """Return numbers from low to high in random order, no two alike."""
    return RNG.permutation(np.linspace(low, high, math.prod(shape) + 2)[1:-1]).reshape(shape)[()]


DOMAINS = {
    **{name: [(0.2, 5.0)] for name in ("log", "log2", "log10", "sqrt", "reciprocal")},
    **{name: [(-0.95, 0.9)] for name in ("asin", "acos", "atanh")},
    "acosh": [(1.1, 4.0)],
    "log1p": [(-0.7, 5.0)],
    "clip": [(-2.1, 2.2), (-1.5, -0.6), (0.4, 1.3)],
    "div": [(-2.1, 2.2), (0.3, 2.0)],
    "pow": [(0.3, 2.0), (-2.1, 2.2)],
    "binary_cross_entropy": [(0.05, 0.95), (0.02, 0.98)],
}
DEFAULT = [(-2.1, 2.2), (-1.9321, 2.0457), (-1.7711, 1.9333)]
SHAPES = {
    1: [((),), ((3,),), ((2, 3),), ((4, 2, 3),)],
    2: [((), ()), ((3,), ()), ((), (2, 3)), ((3,), (3,)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((3,), (4, 2, 3)),
        ((4, 1, 3), (2, 1)), ((1,), (2, 3)), ((4, 2, 3), (4, 2, 3))],
    3: [((), (3,), (2, 3)), ((2, 3), (), (3,)), ((3,), (), ()), ((2, 3), (2, 3), (2, 3)), ((), (), (2, 1)),
        ((2, 1), (3,), (4, 1, 1))],
}  # fmt: skip


def elementwise_cases():
    for name, row in OPERATIONS.items():
        for shapes in SHAPES[len(row.derivatives)]:
            domains = DOMAINS.get(name, DEFAULT)
            x = [spread(shape, *domain) for shape, domain in zip(shapes, domains, strict=False)]
            operands = "abc"[: len(x)]
            call = f"{name}({', '.join(operands)})" if not row.infix else row.infix.join(operands.rjust(2))
            yield name, call.strip(), x


def labels(*shape):
    """Return labels with one 1 in every row."""
    return np.eye(shape[-1])[RNG.integers(0, shape[-1], size=shape[:-1])]


def soft(*shape):
    """Return rows of probabilities."""
    y = spread(shape, 0.1, 1.0)
    return y / y.sum(axis=-1, keepdims=True)


def positive(n):
    """Return a positive definite matrix; the entries above the diagonal are others, and are not read."""
    A = reals(n, n)
    return np.tril(A @ A.T + n * np.eye(n)) + np.triu(A, 1)


SINGULAR = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 0.5, -1.0]])  # rank 2: the cofactors are not all 0
MATMUL = [
    ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((1, 1), (1, 1)), ((1, 3), (3, 1)), ((2, 1), (1, 3)),
    ((3,), (4, 3, 2)), ((4, 2, 3), (3,)), ((4, 2, 3), (3, 2)), ((2, 3), (4, 3, 2)), ((4, 2, 3), (4, 3, 2)),
    ((1, 2, 3), (4, 3, 2)), ((4, 1, 2, 3), (2, 3, 1)), ((2, 1, 1, 3), (4, 3, 2)), ((5, 1), (1,)), ((1,), (1, 5)),
]  # fmt: skip
# Images, kernels and options: strides that do not divide, padding larger than the kernel, axes of length 1.
CONVOLUTIONS = [
    ((1, 1), (1, 1, 1), {}), ((2, 7), (3, 2, 3), {}), ((2, 7), (3, 2, 3), {"stride": 3}), ((2, 3), (3, 2, 2), {"padding": 5}),
    ((4, 2, 6), (2, 2, 2), {"dilation": 3, "stride": 2}), ((2, 4, 5), (4, 2, 2), {"groups": 2}), ((3, 5, 4), (3, 1, 2, 3), {"groups": 3, "padding": (0, 2)}),
    ((2, 3, 6, 5), (2, 3, 3, 2), {"stride": (2, 4), "padding": (4, 1), "dilation": (1, 2)}), ((2, 2, 1, 4, 2, 3), (4, 1, 2, 2, 1), {"stride": 2}),
    ((1, 2, 2), (1, 1, 2, 2), {}), ((1, 1, 1), (1, 1, 3, 3), {"padding": 1}),
]  # fmt: skip
TRANSPOSED = [
    ((1, 1), (1, 1, 1), {}), ((2, 4), (2, 3, 3), {}), ((2, 3), (2, 3, 2), {"stride": 4}), ((2, 5), (2, 3, 3), {"padding": 2, "dilation": 2}),
    ((2, 4, 3), (4, 2, 2), {"groups": 2, "stride": 3, "output_padding": 2}), ((3, 2, 3), (3, 1, 2, 3), {"groups": 3, "stride": (2, 1), "padding": (1, 0)}),
    ((2, 3, 2, 4), (3, 2, 3, 2), {"stride": (2, 3), "padding": (1, 0), "output_padding": (1, 2), "dilation": (2, 1)}),
]  # fmt: skip
POOLS = [
    ((2,), {}), ((5,), {}), ((7,), {"size": 3, "stride": 2, "padding": 1}), ((2, 3, 4), {"stride": 1}), ((5, 7), {"size": (2, 2), "stride": (3, 2)}),
    ((2, 4, 5), {"size": (2, 3), "stride": 1, "padding": (1, 2)}), ((3, 2), {"size": (1, 1)}), ((1, 4), {"size": 1, "stride": 3}),
]  # fmt: skip


def typed(options):
    return "".join(f", {name}={value}" for name, value in options.items())


def in_lax(x, w, stride=1, padding=0, dilation=1, groups=1, gaps=1, kernel="b"):
    """Return a convolution in JAX, with examples along one axis."""
    d = len(w) - 2
    stride, padding, dilation, gaps = (
        o if isinstance(o, tuple) else (o,) * d for o in (stride, padding, dilation, gaps)
    )
    pairs = [p if isinstance(p, tuple) else (p, p) for p in padding]
    image = f"a.reshape(-1, {', '.join(map(str, x[-d - 1 :]))})"
    call = (f"jax.lax.conv_general_dilated({image}, {kernel}, {stride}, {pairs}, lhs_dilation={gaps}, rhs_dilation={dilation}, "
            f"feature_group_count={groups})")  # fmt: skip
    return f"(lambda y: y.reshape(*a.shape[: {len(x) - d - 1}], *y.shape[1:]))({call})"


def transposed_in_lax(x, w, stride=1, padding=0, dilation=1, groups=1, output_padding=0):
    """Return a transposed convolution as one of the spread operand by the kernel turned round."""
    d = len(w) - 2
    stride, padding, dilation, extra = (
        o if isinstance(o, tuple) else (o,) * d for o in (stride, padding, dilation, output_padding)
    )
    pairs = tuple(
        (r * (k - 1) - p, r * (k - 1) - p + e) for k, p, r, e in zip(w[2:], padding, dilation, extra, strict=True)
    )
    turned = (f"jnp.flip(b, {tuple(range(2, d + 2))}).reshape({groups}, {w[0] // groups}, {w[1]}, *b.shape[2:])"
              f".swapaxes(1, 2).reshape({groups * w[1]}, {w[0] // groups}, *b.shape[2:])")  # fmt: skip
    return in_lax(x, w, 1, pairs, dilation, groups, gaps=stride, kernel=turned)


def pooled_in_lax(how, x, size=2, stride=None, padding=0, dilation=1):
    d = len(size) if isinstance(size, tuple) else 1
    size, stride, padding, dilation = (
        o if isinstance(o, tuple) else (o,) * d for o in (size, stride or size, padding, dilation)
    )
    ones = (1,) * (len(x) - d)
    pairs = [(0, 0)] * (len(x) - d) + [(p, p) for p in padding]
    return (
        f"jax.lax.reduce_window(a, {how}, {ones + size}, {ones + stride}, {pairs}, window_dilation={ones + dilation})"
    )


# An operation, its equation, the operands a and b, and what JAX calls it, if it has it.
ARRAY_CASES = [
    *[("matmul", "a @ b", [reals(*p), reals(*q)], "jnp.matmul(a, b)") for p, q in MATMUL],
    *[("dot", "dot(a, b)", [reals(n), reals(n)], "jnp.dot(a, b)") for n in (1, 4)],
    *[("outer", "outer(a, b)", [reals(m), reals(n)], "jnp.outer(a, b)") for m, n in ((1, 1), (2, 3), (4, 1))],
    *[("einsum", f'einsum("{subscripts}", {", ".join("abc"[: len(shapes)])})', [reals(*shape) for shape in shapes],
       f"jnp.einsum('{subscripts}', {', '.join('abc'[: len(shapes)])})") for subscripts, *shapes in [
        ("ij,jk->ik", (2, 3), (3, 4)), ("ij,jk->", (2, 1), (1, 2)), ("bqd,bkd->bqk", (2, 3, 2), (2, 1, 2)), ("i,j,k->kji", (2,), (1,), (3,)),
        ("ij->j", (2, 3)), ("->", ()), ("i,->i", (3,), ()), ("i,i->i", (3,), (3,)), ("ij,j,ik->k", (2, 2), (2,), (2, 3)), ("ijk->", (1, 2, 2)),
    ]],
    ("transpose", "a.T", [reals(2, 3)], "a.T"),
    ("transpose", "a.T", [reals(3)], "a.T"),
    ("transpose", "a.T", [2.0], "a"),
    ("transpose", "transpose(a)", [reals(4, 2, 3)], "a.T"),
    ("transpose", "transpose(a, 1, 2, 0)", [reals(4, 2, 3)], "jnp.transpose(a, (1, 2, 0))"),
    ("transpose", "transpose(a, axes=(-1, 0, 1))", [reals(4, 2, 3)], "jnp.transpose(a, (-1, 0, 1))"),
    *[("trace", "trace(a)", [reals(n, n)], "jnp.trace(a)") for n in (1, 3)],
    *[("det", "det(a)", [reals(n, n)], "jnp.linalg.det(a)") for n in (1, 2, 4)],
    ("det", "det(a)", [SINGULAR], None),
    ("det", "det(a)", [np.ones((3, 3))], None),
    ("det", "det(a)", [np.zeros((2, 2))], None),
    ("det", "det(a)", [np.zeros((1, 1))], None),
    *[("inv", "inv(a)", [reals(n, n) + 3 * np.eye(n)], "jnp.linalg.inv(a)") for n in (1, 2, 3)],
    *[("logdet", "logdet(a)", [reals(n, n)], "jnp.linalg.slogdet(a)[1]") for n in (1, 2, 4)],
    ("logdet", "logdet(a)", [-(reals(3, 3) ** 2) - np.eye(3)], "jnp.linalg.slogdet(a)[1]"),
    *[("solve", "solve(a, b)", [reals(n, n) + 3 * np.eye(n), reals(*shape)], "jnp.linalg.solve(a, b)")
      for n, shape in [(1, (1,)), (3, (3,)), (1, (1, 2)), (3, (3, 1)), (2, (2, 4))]],
    *[("cholesky", "cholesky(a)", [positive(n)], "jnp.linalg.cholesky(jnp.tril(a) + jnp.tril(a, -1).T, symmetrize_input=False)") for n in (1, 2, 4)],
    *[("sort", f"sort(a, axis={axis})", [reals(*shape)], f"jnp.sort(a, {axis})")
      for shape, axis in [((1,), 0), ((5,), -1), ((4, 3), 0), ((4, 3), 1), ((4, 2, 3), -2)]],
    *[("prod", f"prod(a{option})", [reals(*shape)], f"jnp.prod(a{option})")
      for shape, option in [((1,), ""), ((3,), ""), ((2, 3), ""), ((2, 3), ", axis=0"), ((4, 2, 3), ", axis=-2")]],
    *[("prod", "prod(a)", [x], None) for x in (np.array([2.0, 0.0, 3.0]), np.array([0.0, 0.0, 3.0]), np.zeros((2, 1)))],
    *[("split", f"split(a, parts={n}, part={k}, axis={axis})", [reals(*shape)], f"jnp.split(a, {n}, {axis})[{k}]")
      for shape, n, k, axis in [((4,), 2, 1, 0), ((3,), 3, 0, -1), ((2, 6), 3, 2, 1), ((2, 1, 3), 1, 0, -2)]],
    *[("repeat", f"repeat(a{option})", [reals(*shape)], f"jnp.repeat(a, {option[2:] if 'repeats' in option else '2' + option})")
      for shape, option in [((), ""), ((3,), ""), ((2, 3), ", axis=0"), ((2, 3), ", repeats=3, axis=-1"), ((4, 2, 3), "")]],
    ("repeat", "repeat(a, repeats=(0, 2, 1))", [reals(3)], "jnp.repeat(a, jnp.array([0, 2, 1]), total_repeat_length=3)"),
    *[("expand_dims", f"expand_dims(a, axis={axis})", [reals(*shape)], f"jnp.expand_dims(a, {axis})")
      for shape, axis in [((), 0), ((3,), 1), ((3,), -1), ((2, 3), "(0, -1)"), ((2, 3), 1)]],
    *[("squeeze", f"squeeze(a{option})", [reals(*shape)], f"jnp.squeeze(a{option})")
      for shape, option in [((), ""), ((1,), ""), ((1, 1), ", axis=(0, 1)"), ((1, 3, 1), ""), ((1, 3, 1), ", axis=-1")]],
    *[("take", f"take(a, b, axis={axis})", [reals(*shape), np.array(places, float)[()]], f"jnp.take(a, b.astype(int), axis={axis})")
      for shape, places, axis in [((3,), 1, 0), ((3,), [2, -1, 0, 2], 0), ((4, 3), [[3, 0], [0, 3]], 0), ((4, 2, 3), [1, 1, 0], 1),
                                  ((4, 2, 3), -1, -1), ((1,), [0], 0)]],
    *[("pad", f"pad(a, before={before}, after={after})", [reals(*shape)], f"jnp.pad(a, {pairs})")
      for shape, before, after, pairs in [((3,), 2, 0, "(2, 0)"), ((), 1, 1, "()"), ((2, 1), 1, 3, "((1, 3), (1, 3))"),
                                          ((2, 3), "(0, 4)", "(1, 0)", "((0, 1), (4, 0))"), ((1, 2, 1), 0, 0, "0")]],
    *[("topk", f"topk(a, k={k}, axis={axis})", [reals(*shape)], f"jnp.moveaxis(jax.lax.top_k(jnp.moveaxis(a, {axis}, -1), {k})[0], -1, {axis})")
      for shape, k, axis in [((1,), 1, 0), ((5,), 3, -1), ((4, 3), 4, 0), ((4, 2, 3), 2, 1)]],
    *[("cumsum", f"cumsum(a{option})", [reals(*shape)], f"jnp.cumsum(a{option})")
      for shape, option in [((1,), ""), ((4,), ""), ((2, 3), ""), ((2, 3), ", axis=0"), ((4, 2, 3), ", axis=-2"), ((3, 1), ", axis=1")]],
    *[("conv", f"conv(a, b{typed(options)})", [reals(*x), reals(*w)], in_lax(x, w, **options)) for x, w, options in CONVOLUTIONS],
    *[("conv_transpose", f"conv_transpose(a, b{typed(options)})", [reals(*x), reals(*w)], transposed_in_lax(x, w, **options))
      for x, w, options in TRANSPOSED],
    *[("max_pool", f"max_pool(a{typed(options)})", [reals(*x)], pooled_in_lax("-jnp.inf, jax.lax.max", x, **options)) for x, options in POOLS],
    *[("max_pool", f"max_pool(a{typed(options)})", [reals(*x)], None)  # JAX does not differentiate these
      for x, options in [((9,), {"size": 3, "dilation": 2}), ((2, 7, 5), {"size": (2, 3), "stride": 2, "padding": (1, 1), "dilation": (3, 1)})]],
    *[("avg_pool", f"avg_pool(a{typed(options)})", [reals(*x)],
       pooled_in_lax("0.0, jax.lax.add", x, **options) + f" / {np.prod(options.get('size', 2))}")
      for x, options in [*POOLS, ((3,), {"size": 2, "padding": 5})]],
    *[("layer_norm", f"layer_norm(a, b, axis={axis})", [reals(*shape), 0.3],
       f"(a - a.mean({axis}, keepdims=True)) / jnp.sqrt(a.var({axis}, keepdims=True) + b)")
      for shape, axis in [((3,), -1), ((1,), 0), ((2, 3), 0), ((4, 2, 3), (1, 2)), ((4, 2, 3), (-1, 0)), ((2, 1), 1)]],
    *[("rms_norm", f"rms_norm(a, b, axis={axis})", [reals(*shape), 0.3], f"a / jnp.sqrt((a * a).mean({axis}, keepdims=True) + b)")
      for shape, axis in [((3,), -1), ((1,), 0), ((2, 3), 0), ((4, 2, 3), (1, 2)), ((2, 1), 1)]],
    *[("batch_norm", "batch_norm(a, b)", [reals(*shape), 0.3],
       f"(a - a.mean({axes}, keepdims=True)) / jnp.sqrt(a.var({axes}, keepdims=True) + b)")
      for shape, axes in [((4, 3), (0,)), ((1, 2), (0,)), ((4, 2, 3), (0, 2)), ((2, 2, 1, 3), (0, 2, 3))]],
    *[("group_norm", f"group_norm(a, b, groups={groups})", [reals(*shape), 0.3],
       f"(lambda v: ((v - v.mean(2, keepdims=True)) / jnp.sqrt(v.var(2, keepdims=True) + b)).reshape(a.shape))(a.reshape({shape[0]}, {groups}, -1))")
      for shape, groups in [((2, 4), 2), ((1, 3), 1), ((1, 3), 3), ((2, 4, 3), 2), ((2, 2, 2, 2), 1)]],
    *[("index", f"a[{key}]", [reals(5)], f"a[{jkey or key}]") for key, jkey in [
        ("0", ""), ("-1", ""), ("1:3", ""), ("::2", ""), ("::-1", ""), (":", ""), ("-2:", ""),
        ("[0, 2, 0]", "jnp.array([0, 2, 0])"), ("[-1]", "jnp.array([-1])"),
    ]],
    *[("index", f"a[{key}]", [reals(4, 3)], f"a[{jkey or key}]") for key, jkey in [
        ("1", ""), ("1, 2", ""), ("1, :", ""), (":, -1", ""), ("::2, 1:", ""), ("[3, 0, 3]", "jnp.array([3, 0, 3])"),
        ("[0, 1], [2, 0]", "jnp.array([0, 1]), jnp.array([2, 0])"), (":, [2, 2]", ":, jnp.array([2, 2])"),
        ("[0, 1], 1", "jnp.array([0, 1]), 1"),
    ]],
    *[("index", f"a[{key}]", [reals(4, 2, 3)], f"a[{key}]") for key in ("0", "1, 1", "1, 1, 1", ":, 0", "1:3, ::-1, 0", "-1, :, 1:")],
    ("index", "a[1][0]", [reals(4, 2, 3)], "a[1][0]"),
    *[("reshape", f"reshape(a, {shape})", [reals(*old)], f"jnp.reshape(a, ({shape},))") for shape, old in [
        ("6", (2, 3)), ("3, 2", (2, 3)), ("-1", (4, 2, 3)), ("2, -1, 3", (4, 2, 3)), ("1, 1", (1,)), ("1", ()),
    ]],
    ("reshape", "reshape(a, (3, 2))", [reals(6)], "jnp.reshape(a, (3, 2))"),
    ("reshape", "reshape(a, shape=(3, 2))", [reals(6)], "jnp.reshape(a, (3, 2))"),
    ("concatenate", "concatenate(a)", [reals(3)], "a"),
    ("concatenate", "concatenate(a, b)", [reals(3), reals(2)], "jnp.concatenate([a, b])"),
    ("concatenate", "concatenate(a, b)", [reals(2, 3), reals(1, 3)], "jnp.concatenate([a, b])"),
    ("concatenate", "concatenate(a, b, axis=1)", [reals(2, 3), reals(2, 1)], "jnp.concatenate([a, b], 1)"),
    ("concatenate", "concatenate(a, b, axis=-2)", [reals(4, 2, 3), reals(4, 1, 3)], "jnp.concatenate([a, b], -2)"),
    ("stack", "stack(a)", [2.0], "jnp.stack([a])"),
    ("stack", "stack(a, b)", [2.0, 3.0], "jnp.stack([a, b])"),
    ("stack", "stack(a, b)", [reals(3), reals(3)], "jnp.stack([a, b])"),
    ("stack", "stack(a, b, axis=1)", [reals(2, 3), reals(2, 3)], "jnp.stack([a, b], 1)"),
    ("stack", "stack(a, b, axis=-1)", [reals(2, 3), reals(2, 3)], "jnp.stack([a, b], -1)"),
    *[(name, f"{typed}(a{option})", [reals(*shape)], f"jnp.{jax_name}(a{option})")
      for name, typed, jax_name in [("sum", "sum", "sum"), ("mean", "mean", "mean"), ("largest", "max", "max"), ("smallest", "min", "min")]
      for shape, option in [((3,), ""), ((1,), ""), ((2, 3), ""), ((2, 3), ", axis=0"), ((2, 3), ", axis=-1"),
                            ((4, 2, 3), ""), ((4, 2, 3), ", axis=1")]],
    *[(name, f"{name}(a, axis={axis})", [reals(4, 2, 3)], f"jnp.{name}(a, axis={axis})")
      for name in ("sum", "mean") for axis in ("(0, 1)", "(-1, 0)", "(0, 1, 2)")],
    *[(name, f"{name}(a)", [2.0], f"jnp.{name}(a)") for name in ("sum", "mean")],
    *[("squared_norm", "squared_norm(a)", [reals(*shape)], "jnp.sum(a * a)") for shape in SHAPES[2][3] + ((2, 3), ())],
    *[("norm", "norm(a)", [reals(*shape)], "jnp.sqrt(jnp.sum(a * a))") for shape in ((3,), (2, 3), (1,), ())],
    *[(name, f"{name}(a{option})", [reals(*shape)], f"{jax_name}(a{option})")
      for name, jax_name in [("softmax", "jax.nn.softmax"), ("log_softmax", "jax.nn.log_softmax"), ("logsumexp", "jsp.logsumexp")]
      for shape, option in [((3,), ", axis=-1"), ((1,), ", axis=0"), ((2, 3), ", axis=-1"), ((2, 3), ", axis=0"),
                            ((4, 2, 3), ", axis=1"), ((4, 2, 3), ", axis=2"), ((4, 2, 3), ", axis=-3")]],
    *[(name, f"{name}(a)", [s], None) for name in ("softmax", "log_softmax", "logsumexp")
      for s in (np.array([1000.0, 0.0, -1000.0]), np.array([[1000.0, 1000.0], [-1000.0, 2.0]]), reals(2, 3))],
    *[("cross_entropy", "cross_entropy(a, b)", [p, y], "-jnp.log(jnp.sum(a * b, axis=-1))") for p, y in [
        (soft(3), labels(3)), (soft(3), soft(3)), (soft(4, 3), labels(4, 3)), (soft(4, 2, 3), soft(4, 2, 3)),
        (soft(4, 3), labels(3)), (soft(3), labels(4, 3)), (soft(4, 1, 3), soft(2, 3)),
    ]],
    ("cross_entropy", "cross_entropy(a, b)", [0.3, 0.9], "-jnp.log(a * b)"),
    *[("softmax_cross_entropy", "softmax_cross_entropy(a, b)", [s, y], "-jnp.sum(b * jax.nn.log_softmax(a), axis=-1)") for s, y in [
        (reals(3), labels(3)), (reals(3), soft(3)), (reals(4, 3), labels(4, 3)), (reals(4, 2, 3), soft(4, 2, 3)),
        (reals(4, 3), labels(3)), (reals(3), labels(4, 3)), (reals(2), np.array([0.7, 0.9])),
        (np.array([1000.0, 0.0, -1000.0]), labels(3)), (np.array([-1000.0, 1000.0]), np.array([1.0, 0.0])),
    ]],
    *[("squared_error", "squared_error(a, b)", [reals(*p), reals(*q)], "jnp.sum((a - b)**2, axis=-1)") for p, q in [
        ((3,), (3,)), ((4, 3), (4, 3)), ((4, 3), (3,)), ((), (3,)), ((4, 2, 3), (2, 1)), ((3,), (1,)),
    ]],
    ("squared_error", "squared_error(a, b)", [2.0, 0.5], "(a - b)**2"),
    *[("hinge", "hinge(a, b)", [s, y], "jnp.sum((1 - b)*jnp.maximum(a - jnp.sum(a*b, -1, keepdims=True) + 1, 0), axis=-1)")
      for s, y in [(reals(3), labels(3)), (reals(4, 3), labels(4, 3)), (reals(4, 2, 3), labels(4, 2, 3)), (reals(4, 3), labels(3)),
                   (reals(3), labels(4, 3)), (reals(3), soft(3)), (10 * reals(3), labels(3))]],
]  # fmt: skip
CASES = [(name, equation, x) for name, equation, x, _ in ARRAY_CASES] + list(elementwise_cases())


def ident(case):
    return f"{case[1]} of {', '.join(str(np.shape(x)).replace(' ', '') for x in case[2])}"


def graph_of(equation, x):
    return cg.from_equations(f"y = {equation}", **dict(zip("abc", x, strict=False)))


def shaped(z, y, x):
    """Return the derivative on an edge as an array of shape (size of y, size of x), or a float."""
    if np.ndim(y) == np.ndim(x) == 0:
        assert type(z) is float
        return z
    assert z.shape == (np.size(y), np.size(x))
    M = z.dense()
    assert M == pytest.approx(matrix(z), rel=1e-14, abs=1e-14)
    return M


def test_every_row_has_a_case():
    assert {name for name, *_ in CASES} == set(ARRAY_OPERATIONS) | set(OPERATIONS)
    for name, equation, _ in CASES:  # and the case applies it
        assert name in {step.operation for step in parse(equation).steps if isinstance(step, Apply)}, equation


@pytest.mark.parametrize("case", CASES, ids=ident)
def test_every_jacobian_agrees_with_a_complex_step(case):
    name, equation, x = case
    steps = parse(equation).steps
    calls = [step for step in steps if isinstance(step, Apply)]
    G = graph_of(equation, x)
    L = cg.linearize(G)
    y = L.nodes["y"]["value"]

    def value(*operands):
        v = []
        read = iter(operands)
        for step in steps:
            done = next(read) if isinstance(step, Name) else functions_of(row_of(step.operation)).value(
                *[v[k] for k in step.operands], **dict(step.options))  # fmt: skip
            v.append(done)
        return v[-1]

    assert calls
    assert y == pytest.approx(np.asarray(value(*x))[()], rel=1e-15)
    for k, i in enumerate("abc"[: len(x)]):
        expected = np.stack([np.ravel(np.imag(value(*moved))) / 1e-30 for moved in steps_along(x, k)], axis=1)
        z = shaped(L.edges[i, "y"]["derivative"], y, x[k])
        assert z == pytest.approx(expected if np.ndim(z) else expected[0, 0], rel=1e-11, abs=1e-11), (name, i)


def steps_along(x, k):
    """Iterate over the operands with a complex step in each entry of the operand `k`."""
    for entry in range(np.size(x[k])):
        moved = np.array(x[k], dtype=complex)
        moved.reshape(-1)[entry] += 1e-30j
        yield [*x[:k], moved if moved.ndim else complex(moved), *x[k + 1 :]]


@pytest.mark.parametrize("case", [c for c in CASES if np.size(c[2][0]) < 4], ids=ident)
def test_every_jacobian_agrees_with_central_differences(case):
    operation, equation, x = case
    G = graph_of(equation, x)
    L = cg.linearize(G)
    y = L.nodes["y"]["value"]
    for i, operand in zip("abc", x, strict=False):
        if (operation, i) == ("take", "b"):  # places are whole numbers
            continue
        columns = [difference(partial(valued, G, i, operand), entry) for entry in range(np.size(operand))]
        z = shaped(L.edges[i, "y"]["derivative"], y, operand)
        assert np.reshape(z, (np.size(y), -1)) == pytest.approx(np.stack(columns, axis=1), rel=1e-6, abs=1e-6)


def valued(G, i, operand, entry, step):
    moved = np.array(operand)
    moved.reshape(-1)[entry] += step
    return np.ravel(cg.evaluate(G, {i: moved})["y"])


def difference(f, entry, h=1e-4):
    """Two central differences and one Richardson step."""
    wide, narrow = ((f(entry, d) - f(entry, -d)) / (2 * d) for d in (h, h / 2))
    return (4 * narrow - wide) / 3


# --- against JAX --------------------------------------------------------------------------------------------------------------

# Of every row the case with the most entries: JAX compiles each anew.
ELEMENTWISE = [(n, e, x, in_jax(n)) for n, e, x in elementwise_cases() if np.shape(x[0]) == (2, 3)]
BY_SIZE = sorted(ARRAY_CASES, key=lambda case: sum(map(np.size, case[2])))
JAX_CASES = list({case[0]: case for case in [*ELEMENTWISE, *BY_SIZE] if case[3]}.values())


@pytest.mark.skipif(jax is None, reason="JAX is an optional test dependency")
@pytest.mark.parametrize("case", JAX_CASES, ids=ident)
def test_every_jacobian_agrees_with_jax(case):
    _, equation, x, theirs = case
    function = eval(f"lambda {', '.join('abc'[: len(x)])}: {theirs}", {"jax": jax, "jnp": jnp, "jsp": jsp})
    L = cg.linearize(graph_of(equation, x))
    y = L.nodes["y"]["value"]
    operands = [np.asarray(operand, dtype=float) for operand in x]
    jacobians = jax.jacrev(function, argnums=tuple(range(len(x))))
    value, found = jax.jit(lambda *a: (function(*a), jacobians(*a)))(*operands)
    assert y == pytest.approx(np.asarray(value)[()], rel=1e-12, abs=1e-14)
    for i, operand, expected in zip("abc", x, found, strict=False):
        z = shaped(L.edges[i, "y"]["derivative"], y, operand)
        assert np.reshape(z, np.shape(y) + np.shape(operand)) == pytest.approx(
            np.asarray(expected), rel=1e-9, abs=1e-12
        )


# --- against PyTorch ----------------------------------------------------------------------------------------------------------


IN_TORCH = [case for case in CASES if case[2][0] is not SINGULAR]  # whose det PyTorch takes for flat


@pytest.mark.parametrize("case", IN_TORCH, ids=ident)
def test_every_case_agrees_with_torch(case):
    """On every shape, also of one entry, of strides that do not divide and of wide padding: interpreted and by a plan."""
    _, equation, x = case
    G = graph_of(equation, x)
    shape = np.shape(cg.evaluate(G)["y"])
    G.add_constant("R", np.random.default_rng(0).normal(size=shape)[()])
    G.add_equation("J", "sum(R * y)")
    J, expected, values = value_and_gradient_in_torch(G, "J")
    L = cg.linearize(G)
    assert L.nodes["y"]["value"] == pytest.approx(values["y"][()], rel=1e-12, abs=1e-14)
    found = [(L.nodes["J"]["value"], cg.loss_sensitivities(L, "J"))]
    if any(map(np.ndim, [*x, *values.values()])):
        C = cg.compile_graph(G)
        C._interpreted = None
        found.append(C.value_and_gradient("J", nodes=list(expected)))
    for value, gradient in found:
        assert value == pytest.approx(J, rel=1e-10, abs=1e-12)
        for i, S in expected.items():
            assert np.shape(gradient[i]) == S.shape
            assert gradient[i] == pytest.approx(S[()], rel=1e-9, abs=1e-12)


# --- worked by hand ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("equation", "x", "dense"),
    [
        ("max(a)", [1.0, 3.0, 3.0], [[0, 1, 0]]),
        ("min(a)", [1.0, 3.0, 1.0], [[1, 0, 0]]),
        ("max(a, axis=0)", [[1.0, 2.0], [1.0, 3.0]], [[1, 0, 0, 0], [0, 0, 0, 1]]),
        ("min(a, axis=1)", [[2.0, 2.0], [1.0, 0.0]], [[1, 0, 0, 0], [0, 0, 0, 1]]),
        ("max(a, 2)", [1.0, 2.0, 3.0], [[0, 0, 0], [0, 1, 0], [0, 0, 1]]),
        ("hinge(a, c)", [0.0, 1.0, 2.0], [[0, -1, 1]]),  # margins 0, 1, 2 beside the label: a margin of 0 costs nothing
        ("relu(a)", [0.0, 1.0], [[0, 0], [0, 1]]),
        ("softmax(a)", [0.0, math.log(3)], [[0.1875, -0.1875], [-0.1875, 0.1875]]),  # diag(p) - p p^T
        ("softmax(a)", [1000.0, 0.0], [[0, 0], [0, 0]]),
        ("log_softmax(a)", [1000.0, 0.0], [[0, 0], [-1, 1]]),
        ("logsumexp(a)", [-1000.0, 1000.0], [[0, 1]]),
        ("det(a)", [[0.0, 0.0], [0.0, 0.0]], [[0, 0, 0, 0]]),
        ("det(a)", [[1.0, 2.0], [2.0, 4.0]], [[4, -2, -2, 1]]),
        ("det(a)", [[0.0]], [[1]]),
        ("inv(a)", [[2.0]], [[-0.25]]),
        ("logdet(a)", [[2.0, 0.0], [0.0, -4.0]], [[0.5, 0, 0, -0.25]]),
        ("solve(a, c)", [[2.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 1.0]],  # x = (0, 1/4, 0): dx = -A^-1 dA x
         [[0, -0.125, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, -0.0625, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, -0.25, 0]]),
        ("cholesky(a)", [[4.0]], [[0.25]]),
        ("cholesky(a)", [[4.0, 0.0], [2.0, 2.0]],  # L = (2, 0), (1, 1)
         [[0.25, 0, 0, 0], [0, 0, 0, 0], [-0.125, 0, 0.5, 0], [0.125, 0, -0.5, 0.5]]),
        ("topk(a, k=2)", [3.0, 5.0, 5.0], [[0, 1, 0], [0, 0, 1]]),
        ("max_pool(a, size=3)", [1.0, 2.0, 2.0], [[0, 1, 0]]),
        ("avg_pool(a, size=2, stride=1)", [1.0, 2.0, 3.0], [[0.5, 0.5, 0], [0, 0.5, 0.5]]),
        ("conv(a, reshape(c, 1, 1, 3))", [[1.0, 2.0, 4.0]], [[0, 1, 0]]),  # c = (0, 1, 0)
        ("cumsum(a)", [5.0, 7.0], [[1, 0], [1, 1]]),
        ("pad(a, before=1)", [5.0], [[0], [1]]),
        ("layer_norm(a, 1)", [1.0, 1.0], [[0.5, -0.5], [-0.5, 0.5]]),  # variance 0: (I - 1 1^T/2) / 1
        ("rms_norm(a, 3)", [1.0, 1.0], [[0.4375, -0.0625], [-0.0625, 0.4375]]),  # y = (1, 1)/2: (I - y y^T/2) / 2
        ("sort(a)", [3.0, 1.0, 1.0], [[0, 1, 0], [0, 0, 1], [1, 0, 0]]),
        ("prod(a)", [2.0, 3.0, 4.0], [[12, 8, 6]]),
        ("prod(a)", [0.0, 3.0, 4.0], [[12, 0, 0]]),
        ("norm(a)", [3.0, 4.0], [[0.6, 0.8]]),
        ("a[[0, 0]]", [5.0, 6.0], [[1, 0], [1, 0]]),
        ("outer(a, a)", [2.0, 3.0], [[4, 0], [3, 2], [3, 2], [0, 6]]),
        ("a @ a", [2.0, 3.0], [[4, 6]]),
        ("a @ a.T", [[1.0, 2.0]], [[2, 4]]),
    ],
)  # fmt: skip
def test_by_hand(equation, x, dense):
    values = {"a": x} | ({"c": [0.0, 1.0, 0.0]} if "(c" in equation or "c)" in equation else {})
    L = cg.linearize(cg.from_equations(f"y = {equation}", **values))
    z = L.edges["a", "y"]["derivative"]
    assert np.asarray(z) == pytest.approx(np.array(dense, dtype=float), rel=1e-14, abs=1e-15)
    assert cg.check_derivatives(L)


def test_the_logarithm_of_a_determinant_that_is_too_small_for_a_number():
    L = cg.linearize(cg.from_equations("y = logdet(a)", a=1e-200 * np.eye(3)))
    assert L.nodes["y"]["value"] == pytest.approx(-600 * math.log(10))
    assert L.edges["a", "y"]["derivative"].dense() == pytest.approx(1e200 * np.eye(3).reshape(1, -1))


@pytest.mark.parametrize(("name", "point", "value"), VALUES)
def test_values_of_arrays_are_those_of_their_entries(name, point, value):
    row = OPERATIONS[name]
    x = [np.full((2, 1), float(number)) if k == 0 else np.full(3, float(number)) for k, number in enumerate(point)]
    found = functions_of(row).value(*x)
    assert found.shape == ((2, 1) if len(x) == 1 else (2, 3))
    assert found == pytest.approx(np.full(found.shape, float(value)), rel=1e-14)
