"""The form of every operation over many examples: random shapes, against the mean of single evaluations."""

import numpy as np
import pytest
from vectors import elementwise_equation

import cgraph as cg
from cgraph.model.operations.arrays import ARRAY_OPERATIONS
from cgraph.model.operations.elementwise import OPERATIONS

CASES = 40  # of each operation
ONE_SERVES_ALL = {"conv", "conv_transpose", "take"}  # as their second operand
NO_FORM = {"det", "inv", "solve", "logdet", "cholesky", "batch_norm"}


def broadcasting(rng, count, *, same_last=False):
    """Return shapes that broadcast: a common shape of up to three axes, of which each operand has some."""
    whole = rng.integers(1, 4, size=rng.integers(1 if same_last else 0, 4))
    shapes = []
    for _ in range(count):
        kept = whole[rng.integers(0, len(whole) + (not same_last)) :]
        ones = rng.random(len(kept)) < 0.3
        if same_last:
            ones[-1] = False
        shapes.append(tuple(np.where(ones, 1, kept).tolist()))
    return shapes


def some_shape(rng, least=0, most=3):
    return tuple(rng.integers(1, 4, size=rng.integers(least, most + 1)).tolist())


def product_shapes(rng):
    stacks = broadcasting(rng, 2)
    p, q, r = rng.integers(1, 4, size=3).tolist()
    kinds = [
        [(*stacks[0], p, q), (*stacks[1], q, r)], [(q,), (*stacks[0], q, r)], [(*stacks[0], p, q), (q,)], [(q,), (q,)],
    ]  # fmt: skip
    return kinds[rng.integers(4)]


def some_axis(rng, shape, *, tuples=False):
    kinds = ["", "one"] + ["two"] * (tuples and len(shape) > 1)
    match rng.choice(kinds) if shape else "":
        case "one":
            return f", axis={rng.integers(-len(shape), len(shape))}"
        case "two":
            return f", axis={tuple(rng.choice(len(shape), 2, replace=False).tolist())}"
    return ""


def joined(rng, operation):
    count = int(rng.integers(1, 4))
    names = "abc"[:count]
    if operation == "stack":
        shape = some_shape(rng)
        axis = rng.integers(-len(shape) - 1, len(shape) + 1)
        return f"stack({', '.join(names)}, axis={axis})", [shape] * count
    shape = some_shape(rng, 1)
    axis = int(rng.integers(-len(shape), len(shape)))
    shapes = [list(shape) for _ in names]
    for other in shapes:
        other[axis] = int(rng.integers(1, 4))
    return f"concatenate({', '.join(names)}, axis={axis})", [tuple(other) for other in shapes]


def moved(rng, operation):
    shape = some_shape(rng, 0 if operation == "reshape" else 1)
    if operation == "reshape":
        new = (*shape[::-1], 1) if rng.random() < 0.5 else (-1,)
        return f"reshape(a, {', '.join(map(str, new))})", [shape]
    if operation == "transpose":
        axes = rng.permutation(len(shape)) - len(shape) * rng.integers(2)
        return f"transpose(a, {', '.join(map(str, axes))})" if rng.random() < 0.7 else "transpose(a)", [shape]
    parts = [":", "0", "-1", "[0, -1, 0]", "::-1", "[-1]"]
    key = [str(part) for part in rng.choice(parts, size=rng.integers(1, len(shape) + 1))]
    lists = [k for k, part in enumerate(key) if part[0] in "[0-" and not part.startswith("::")]
    if any("[" in part for part in key) and lists != list(range(lists[0], lists[-1] + 1)):
        return moved(rng, operation)
    if sum("[" in part for part in key) > 1:  # several lists go together entry by entry, and need one length
        key = [part.replace("[-1]", "[0, 0, 0]") for part in key]
    return f"a[{', '.join(key)}]", [shape]


def reduced(rng, operation):
    name = {"largest": "max", "smallest": "min"}.get(operation, operation)
    shape = some_shape(rng, 0 if operation in {"sum", "mean"} else 1)
    return f"{name}(a{some_axis(rng, shape, tuples=operation in {'sum', 'mean'})})", [shape]


def multiplied(rng, operation):
    n, m = rng.integers(1, 4, size=2).tolist()
    return f"{operation}(a, b)", [(n,), (m,) if operation == "outer" else (n,)]


def cut(rng, operation):
    shape = some_shape(rng, 1)
    axis = int(rng.integers(-len(shape), len(shape)))
    match operation:
        case "split":
            parts = int(rng.integers(1, 4))
            whole = tuple(n * parts if k == axis % len(shape) else n for k, n in enumerate(shape))
            return f"split(a, parts={parts}, part={rng.integers(parts)}, axis={axis})", [whole]
        case "topk":
            return f"topk(a, k={rng.integers(1, shape[axis] + 1)}, axis={axis})", [shape]
        case "repeat":
            kinds = ["", f", axis={axis}", f", repeats={tuple(range(1, shape[axis] + 1))}, axis={axis}"]
            return f"repeat(a{rng.choice(kinds)})", [shape]
        case "pad":
            before = tuple(rng.integers(0, 3, len(shape)).tolist()) if len(shape) > 1 else 1
            return f"pad(a, before={before}, after={rng.integers(0, 3)})", [shape]
        case "expand_dims":
            return f"expand_dims(a, axis={rng.choice([0, -1, len(shape), '(0, 2)'])})", [shape]
        case "squeeze":
            return "squeeze(a)" if rng.random() < 0.5 else "squeeze(a, axis=1)", [(shape[0], 1, *shape[1:])]


def windowed(rng, operation):
    axes = int(rng.integers(1, 3))
    space = tuple(rng.integers(2, 5, size=axes).tolist())
    lead = some_shape(rng, 0, 2)
    stride, padding = rng.integers(1, 3), rng.integers(0, 2)
    if operation in {"max_pool", "avg_pool"}:
        size = "(2, 2)" if axes == 2 else "2"
        return f"{operation}(a, size={size}, stride={stride}, padding={padding})", [(*lead, *space)]
    groups, p, q = rng.integers(1, 3, size=3).tolist()
    kernel = (q * groups, p) if operation == "conv" else (p * groups, q)
    options = f"stride={stride}, padding={padding}, groups={groups}"
    return f"{operation}(a, b, {options})", [(*lead, p * groups, *space), (*kernel, *(2,) * axes)]


def normalised(rng, operation):
    if operation == "group_norm":
        n, channels, *space = some_shape(rng, 2)
        return "group_norm(a, 0.3, groups=2)", [(n, 2 * channels, *space)]
    shape = some_shape(rng, 1)
    return f"{operation}(a, 0.3{some_axis(rng, shape, tuples=True)})", [shape]


def looked_up(rng, _):
    shape = (3,) * int(rng.integers(1, 4))
    return f"take(a, floor(3 * b), axis={rng.integers(-len(shape), len(shape))})", [shape, some_shape(rng)]


MAKERS = {
    **dict.fromkeys(["split", "topk", "repeat", "pad", "expand_dims", "squeeze"], cut),
    **dict.fromkeys(["conv", "conv_transpose", "max_pool", "avg_pool"], windowed),
    **dict.fromkeys(["layer_norm", "rms_norm", "group_norm"], normalised),
    "take": looked_up,
    **dict.fromkeys(
        ["cumsum", "sort", "prod", "sum", "mean", "largest", "smallest", "softmax", "log_softmax", "logsumexp"], reduced
    ),
    **dict.fromkeys(["reshape", "transpose", "index"], moved),
    **dict.fromkeys(["concatenate", "stack"], joined),
    **dict.fromkeys(["dot", "outer"], multiplied),
    "matmul": lambda rng, _: ("a @ b", product_shapes(rng)),
    "trace": lambda rng, _: ("trace(a)", [(int(rng.integers(1, 4)),) * 2]),
    **dict.fromkeys(["norm", "squared_norm"], lambda rng, operation: (f"{operation}(a)", [some_shape(rng)])),
    "squared_error": lambda rng, _: ("squared_error(a, b)", broadcasting(rng, 2)),
    **dict.fromkeys(
        ["cross_entropy", "softmax_cross_entropy", "hinge"],
        lambda rng, operation: (f"{operation}(a, b)", broadcasting(rng, 2, same_last=True)),
    ),
}


def case(rng, operation):
    """Return an equation in a, b, c that is this operation alone, and the shapes of its operands."""
    if operation not in OPERATIONS:
        return MAKERS[operation](rng, operation)
    names = list("abc"[: len(OPERATIONS[operation].derivatives)])
    return elementwise_equation(operation, names), broadcasting(rng, len(names))


@pytest.mark.parametrize("operation", sorted({*OPERATIONS, *ARRAY_OPERATIONS} - NO_FORM))
def test_a_batch_is_its_examples_one_by_one(operation):
    rng = np.random.default_rng(list(operation.encode()))
    for _ in range(CASES):
        equation, shapes = case(rng, operation)
        names = "abc"[: len(shapes)]
        free = [i for i in names if i != "b" or operation not in ONE_SERVES_ALL]
        varying = [i for i in free if rng.random() < 0.6] or [str(rng.choice(free))]
        n = int(rng.integers(1, 4))  # as long as an axis, now and then
        G = cg.ComputationalGraph()
        for i, shape in zip(names, shapes, strict=True):
            add = G.add_input if i in varying else G.add_weight
            add(i, rng.uniform(0.2, 0.9, size=shape)[()])
        G.add_equation("y", equation)
        G.add_equation("J", "sum(tanh(y)) * exp(sum(y) / 10)")
        data = {i: rng.uniform(0.2, 0.9, size=(n, *shapes[names.index(i)])) for i in varying}
        singles = [cg.linearize(G, {i: data[i][k] for i in varying}) for k in range(n)]
        L = cg.linearize(cg.minibatch(G, data))
        what = f"{equation} at {shapes}, {varying} of {n} examples: {L.nodes['y']['equation']}"
        y = np.stack([single.nodes["y"]["value"] for single in singles])
        np.testing.assert_allclose(L.nodes["y"]["value"], y, rtol=1e-12, err_msg=what)
        assert L.nodes["J"]["value"] == pytest.approx(np.mean([single.nodes["J"]["value"] for single in singles])), what
        gradients = [cg.weight_gradients(single, "J") for single in singles]
        for w, gradient in cg.weight_gradients(L, "J").items():
            mean = np.mean([single[w] for single in gradients], axis=0)
            np.testing.assert_allclose(gradient, mean, rtol=1e-10, atol=1e-14, err_msg=what)


def test_a_stack_of_matrices_by_hand():
    G = cg.from_equations("J = sum(W @ x)", W=np.arange(8.0).reshape(2, 2, 2), x=[0.0, 0.0])
    # the columns of W sum to 12 and 16: 12 + 32, and 36 - 64
    assert cg.evaluate(cg.minibatch(G, {"x": [[1, 2], [3, -4]]}))["J"] == (44 - 28) / 2


def test_the_squared_error_of_a_number_and_a_vector_by_hand():
    G = cg.from_equations("J = squared_error(k, x)", k=0.0, x=[1.0, 4.0])
    # k = 1: 0 + 9; k = 2: 1 + 4
    assert cg.evaluate(cg.minibatch(G, {"k": [1.0, 2.0]}))["J"] == 7.0


def test_words_of_each_example_are_looked_up_in_one_table():
    G = cg.from_equations("J = sum(take(W, words))", W=[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], words=[0.0, 0.0])
    # rows 0 and 2 are 3 and 11, row 1 twice is 14
    assert cg.evaluate(cg.minibatch(G, {"words": [[0, 2], [1, -2]]}))["J"] == (14 + 14) / 2


@pytest.mark.parametrize(
    ("equation", "varying"),
    [("conv(a, b)", "b"), ("conv_transpose(a, b)", "ab"), ("take(a[0], floor(b[0, 0]))", "ab"),
     ("take(a, floor(b[0, 0]), axis=1)", "b"), ("layer_norm(a, b[0, 0, 0])", "b"), ("batch_norm(a, 1)", "a")],
)  # fmt: skip
def test_what_has_no_form_for_many_examples_says_so(equation, varying):
    values = {"a": np.ones((2, 3)), "b": np.ones((2, 2, 2))}
    G = cg.from_equations(f"y = {equation}", **{i: values[i] for i in "ab" if i in equation.replace("take", "")})
    with pytest.raises(cg.CGraphError, match="^node 'y': .* no form for many examples"):
        cg.minibatch(G, {i: np.ones((4, *values[i].shape)) for i in varying})


def neuron_of_a_number_and_a_vector():
    G = cg.ComputationalGraph()
    G.add_input("x", 0.0)
    G.add_input("v", [1.0, 2.0])
    G.add_neuron("h", activation="identity", weights={"x": 2.0, "v": 0.5})
    G.add_equation("J", "squared_norm(h)")
    return G


def test_a_neuron_of_a_number_and_a_vector_is_refused():
    with pytest.raises(
        cg.CGraphError, match="^neuron 'h' reads 'x', a number, beside a vector of 2: this sum has no form"
    ):
        cg.minibatch(neuron_of_a_number_and_a_vector(), {"x": [1.0, 2.0]})


def test_a_neuron_of_arrays_of_one_rank_takes_a_batch():
    G = neuron_of_a_number_and_a_vector()
    # x = 1: h = (2.5, 2.5), then (3, 2)
    B = cg.minibatch(G, {"v": [[1.0, 1.0], [2.0, 0.0]]})
    assert cg.evaluate(B, {"x": 1.0})["J"] == (12.5 + 13.0) / 2


def test_an_output_that_feeds_another_has_no_mean():
    G = cg.from_equations("l = x^2; J = l^2", x=1.0)
    G.graph["outputs"] = ["l", "J"]
    with pytest.raises(cg.CGraphError, match="^'l' becomes the mean over the examples, but 'J' reads it"):
        cg.minibatch(G, {"x": [1.0, 2.0]})
