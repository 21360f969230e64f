"""Random graphs of vectors and matrices over the tables of operations, for tests."""

import numpy as np
from hypothesis import strategies as st

import cgraph as cg
from cgraph.model.operations.arrays import ARRAY_OPERATIONS
from cgraph.model.operations.elementwise import OPERATIONS

# For every row of the table of array operations, equations with a and b in the shapes beside them.
ROWS = {
    "matmul": [("a @ b", (2, 3), (3, 2)), ("a @ b", (3,), (3, 2)), ("a @ b", (2, 3), (3,)), ("a @ b", (3,), (3,)),
               ("a @ b", (2, 2, 3), (3, 2)), ("tanh(a) @ exp(b)", (2, 2), (2, 2))],
    "dot": [("dot(a, b)", (3,), (3,)), ("dot(a*b, exp(b))", (2,), (2,))],
    "outer": [("outer(a, b)", (2,), (3,)), ("outer(sin(a), a*a)", (2,), (1,))],
    "einsum": [('einsum("ij,jk->ik", a, b)', (2, 3), (3, 2)), ('einsum("i,bij,b->", a, b, b[:, 0, 0])', (2,), (3, 2, 2)),
               ('einsum("ij,k->jk", tanh(a), b)', (2, 3), (2,)), ('einsum("ij->ji", a) * b', (2, 3), (2,))],
    "transpose": [("a.T * b", (2, 3), (3, 2)), ("transpose(a, 1, 2, 0) - b", (2, 1, 3), (1, 3, 2))],
    "trace": [("trace(a @ b)", (2, 3), (3, 2))],
    "det": [("det(a) * b", (n, n), ()) for n in range(1, 6)],
    "inv": [("inv(a) @ b", (n, n), (n,)) for n in range(1, 5)] + [("inv(a)[0, 1] + b", (3, 3), ())],
    "logdet": [("logdet(a) * b", (n, n), ()) for n in range(1, 4)],
    "solve": [("solve(a, b)", (n, n), (n,)) for n in range(1, 4)] + [("solve(a, b + 1)", (2, 2), (2, 3))],
    "cholesky": [("cholesky(a @ a.T + b)", (n, n), ()) for n in range(1, 4)],
    "sort": [("sort(a - b)", (4,), (4,)), ("sort(a, axis=0) * b", (3, 2), (2,))],
    "split": [("split(a * b, parts=3, part=1)", (6,), (6,)), ("split(a, part=1, axis=-1) @ b", (3, 4), (2,))],
    "repeat": [("repeat(a, repeats=3) * b", (2, 2), (12,)), ("repeat(a, axis=0) - repeat(b, repeats=(1, 3), axis=1)", (1, 4), (2, 2))],
    "expand_dims": [("expand_dims(a, axis=1) * b", (3,), (2,)), ("expand_dims(a, axis=(0, -1)) + b", (), (2, 1))],
    "squeeze": [("squeeze(a) * b", (1, 3, 1), (3,)), ("squeeze(a, axis=0) @ b", (1, 2, 3), (3,))],
    "take": [("take(a * a, floor(3 * b))", (3,), (2, 2)), ("take(a, floor(4 * b) - 2, axis=1)", (2, 2, 2), (3,))],
    "pad": [("pad(a, before=1, after=(0, 2)) @ b", (2, 3), (6,)), ("pad(a * b, after=2)", (), ()), ("pad(a, before=2) * pad(b, before=1, after=1)", (3,), (3,))],
    "topk": [("topk(a - b, k=2)", (4,), (4,)), ("topk(a, k=3, axis=0) * b", (3, 2), (2,))],
    "cumsum": [("cumsum(a) * b", (2, 2), (4,)), ("cumsum(a * b, axis=0)", (3, 2), (2,)), ("cumsum(a, axis=-1) @ b", (2, 3), (3,))],
    "conv": [("conv(a, b)", (2, 5), (3, 2, 2)), ("conv(a, b, stride=2, padding=(1, 0), dilation=(1, 2), groups=2)", (2, 4, 3), (2, 1, 2, 2)),
             ("conv(tanh(a), b * b, padding=2)", (3, 1, 2), (1, 1, 2))],
    "conv_transpose": [("conv_transpose(a, b)", (2, 3), (2, 3, 2)),
                       ("conv_transpose(a, b, stride=(2, 3), padding=1, output_padding=(1, 0), groups=2)", (2, 2, 2), (2, 1, 2, 3)),
                       ("conv_transpose(tanh(a), b, dilation=2)", (3, 1, 2), (1, 1, 2))],
    "max_pool": [("max_pool(a * b)", (6,), (6,)), ("max_pool(a, size=(2, 2), stride=1, padding=1) * b", (2, 3), ()),
                 ("max_pool(a, size=(1, 2), dilation=2) + b", (2, 2, 3), (2, 1))],
    "avg_pool": [("avg_pool(a * b)", (5,), (5,)), ("avg_pool(a, size=(2, 3), stride=(1, 2), padding=1) * b", (2, 3), (3, 2))],
    "layer_norm": [("layer_norm(a, 0.1) * b", (2, 3), (3,)), ("layer_norm(a @ a, b * b, axis=(0, 1))", (2, 2), ())],
    "rms_norm": [("rms_norm(a, 0.1) * b", (2, 3), (3,)), ("rms_norm(a, b, axis=0)", (3, 2), ())],
    "group_norm": [("group_norm(a, 0.1, groups=2) * b", (2, 4), (4,)), ("group_norm(a, b)", (1, 2, 2), ())],
    "batch_norm": [("batch_norm(a, 0.1) * b", (3, 2), (2,)), ("batch_norm(a, b)", (2, 2, 2), ())],
    "index": [("a[1] * b[0, 1]", (3,), (2, 2)), ("a[::2] + b[[0, 0], 1]", (3,), (2, 2)), ("(a + b)[1, :]", (2, 3), (3,))],
    "reshape": [("reshape(a*b, 3, -1)", (2, 3), (3,)), ("reshape(a, 1) + b", (), (2,))],
    "concatenate": [("concatenate(a, b)", (2,), (1,)), ("concatenate(a, b, a, axis=1)", (2, 1), (2, 2))],
    "stack": [("stack(a, b, 1)", (), ()), ("stack(a, b, axis=1)", (2,), (2,))],
    "sum": [("sum(a) + sum(b, axis=0)", (2,), (2, 3)), ("sum(a, axis=(0, 2)) * b", (2, 2, 2), (2,)), ("sum(a)*b", (), ())],
    "mean": [("mean(a) * mean(b, axis=1)", (2, 3), (2, 2)), ("mean(a)*b", (), ())],
    "prod": [("prod(a) + prod(b, axis=0)", (3,), (2, 3)), ("prod(a + b, axis=1)", (2, 3), ())],
    "largest": [("max(a) * max(b, axis=1)", (25,), (2, 3)), ("max(sin(a) + b)", (2, 2), (2,))],
    "smallest": [("min(a) * min(b, axis=0)", (3,), (2, 2))],
    "squared_norm": [("squared_norm(a - b)", (2, 2), (2,))],
    "norm": [("norm(a @ b)", (2, 2), (2,))],
    "softmax": [("softmax(a @ b)", (3, 2), (2,)), ("softmax(a, axis=0) * b", (2, 3), (3,))],
    "log_softmax": [("log_softmax(a) * b", (2, 3), (3,)), ("log_softmax(a + b, axis=0)", (2, 2), ())],
    "logsumexp": [("logsumexp(a - b)", (2, 3), (3,)), ("logsumexp(a, axis=0) * b", (2, 2), ())],
    "cross_entropy": [("cross_entropy(softmax(a), exp(b))", (2, 3), (3,))],
    "softmax_cross_entropy": [("softmax_cross_entropy(a, b)", (3,), (3,)), ("softmax_cross_entropy(a, b)", (2, 3), (3,))],
    "squared_error": [("squared_error(a, b)", (2, 3), (3,)), ("squared_error(a, b)", (), (3,))],
    "hinge": [("hinge(3*a, b)", (3,), (3,)), ("hinge(3*a, b*b)", (2, 3), (3,))],
}  # fmt: skip
assert ROWS.keys() == ARRAY_OPERATIONS.keys()

# Operands in (0.2, 0.9) suit every domain, after 1 is added where it says so.
_ABOVE_ONE = {"acosh"}


def elementwise_equation(name, operands):
    """Return the text of an elementwise operation on operands between 0 and 1."""
    row = OPERATIONS[name]
    operands = [f"({o} + 1)" if name in _ABOVE_ONE else o for o in operands]
    if row.infix:
        return f" {row.infix} ".join(operands) if len(operands) == 2 else row.infix + operands[0]
    return f"{name}({', '.join(operands)})"


def entries(shape, seed):
    """Return an array, or a number, with entries between 0.2 and 0.9 that are all different."""
    values = 0.2 + 0.7 * np.random.default_rng(seed).random(shape)
    return values if shape else float(values)


FORMS = [
    "tanh({m} @ {v})", "softmax({m} @ {v} + {n})", "sigmoid({v} * {w})", "{v} + {n}*{w}", "max({v}, {w})",
    "where({v} > {w}, {v}^2, {w} - {v})", "{v} @ {m}", "stack(norm(exp({v})), {n}, sum({w}))", "{m}[1] * {v}[::-1]",
    "{v} / (2 + {w}^2)", "concatenate({v}[:2], {w}[[1]])", "log_softmax({v})", "{n} - {v}", "exp(-{v}) * {m}[0, 1]",
    "inv({m} @ {m}.T + I) @ {v}",
]  # fmt: skip
ENDS = [
    "sum({v} * {w})", "softmax_cross_entropy({v}, {w})", "squared_error({v}, {w}) * {n}", "logsumexp({v} + {w})",
    "hinge({v}, {w})", "trace(outer({v}, {w}))", "det({m} + outer({v}, {w}))", "mean({m} @ {v})", "min({v})",
]  # fmt: skip


@st.composite
def vector_graphs(draw):
    """Numbers, vectors of 3 and 3 x 3 matrices, equations of one to five operations, and a loss."""
    seed = draw(st.integers(0, 2**16))
    G = cg.ComputationalGraph()
    names = {"v": ["v0", "v1"], "m": ["m0"], "n": ["n0"]}
    for k, (add, name) in enumerate(
        [(G.add_input, "v0"), (G.add_constant, "v1"), (G.add_weight, "m0"), (G.add_weight, "n0")]
    ):
        add(name, entries({"v": (3,), "m": (3, 3), "n": ()}[name[0]], seed + k))
    G.add_constant("I", np.eye(3))  # far from a singular matrix, where methods would differ by more than rounding

    def written(form):
        return form.format(**{kind: draw(st.sampled_from(names[kind])) for kind in "vmn"},
                           w=draw(st.sampled_from(names["v"])))  # fmt: skip

    for k in range(2, draw(st.integers(3, 6))):
        G.add_equation(f"v{k}", written(draw(st.sampled_from(FORMS))))
        names["v"].append(f"v{k}")
    G.add_equation("J", written(draw(st.sampled_from(ENDS))))
    return G


def one_example(seed, **equations):
    """Return a neuron layer h of an input x, a target t, a number c, weights v, and equations that read them."""
    rng = np.random.default_rng(seed)
    G = cg.ComputationalGraph()
    G.add_input("x", rng.normal(size=4))
    G.add_input("t", 0.5)
    G.add_input("c", 0.1)
    G.add_weight("A", rng.normal(size=(3, 4)))
    G.add_weight("v", rng.normal(size=3))
    for j, equation in {"h": "tanh(A @ x)", **equations}.items():
        G.add_equation(j, equation)
    return G
