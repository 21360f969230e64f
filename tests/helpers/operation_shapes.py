"""Equations of every operation in random shapes that suit it."""

import numpy as np
from vectors import elementwise_equation

from cgraph.model.operations.elementwise import OPERATIONS


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


def summed_over(rng, _):
    """Return einsum with random letters: of two or three operands, of which some letters stay."""
    lengths = {c: int(rng.integers(1, 4)) for c in "ijkl"}
    terms = ["".join(rng.permutation(list("ijkl"))[: rng.integers(0, 4)]) for _ in range(rng.integers(1, 4))]
    letters = sorted(set("".join(terms)))
    output = "".join(rng.permutation(letters)[: rng.integers(0, len(letters) + 1)]) if letters else ""
    operands = ", ".join("abc"[: len(terms)])
    return f'einsum("{",".join(terms)}->{output}", {operands})', [tuple(lengths[c] for c in term) for term in terms]


MAKERS = {
    "einsum": summed_over,
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
