"""Random graphs of arrays: every operation, on views of views of nodes, with broadcasting, numbers and neurons among them."""

import math

import numpy as np
from hypothesis import currently_in_test_context, note
from operation_shapes import case

import cgraph as cg
from cgraph.model.evaluation import steps_of
from cgraph.model.language.parsing import parse, substitute
from cgraph.model.operations.arrays import ARRAY_OPERATIONS
from cgraph.model.operations.elementwise import ACTIVATIONS, OPERATIONS

EVERY = [*OPERATIONS, *ARRAY_OPERATIONS]
MIXED = [*OPERATIONS, *ARRAY_OPERATIONS, *ARRAY_OPERATIONS, *ARRAY_OPERATIONS]  # most draws are operations on arrays
POSITIVE = {*OPERATIONS, "take", "cross_entropy", "norm", "prod"}  # whose operands are put between 0 and 1 first
SQUARE = {
    "det": "det(a + I{n})", "logdet": "logdet(a + 3 * I{n})", "inv": "inv(a + 3 * I{n})", "solve": "solve(a + 3 * I{n}, b)",
    "cholesky": "cholesky(a @ a.T + I{n})",
}  # fmt: skip
LARGEST = 5.0


def equation_of(rng, operation):
    """Return an equation in a, b and c, and the shapes that they have."""
    if operation in SQUARE:
        n = int(rng.integers(1, 4))
        return SQUARE[operation].format(n=n), [(n, n), [(n,), (n, 2)][rng.integers(2)]][: 1 + (operation == "solve")]
    if operation == "batch_norm":
        return "batch_norm(a, 0.3)", [tuple(rng.integers(1, 4, size=rng.integers(2, 5)).tolist())]
    return case(rng, operation)


def viewed(rng, text, shape):
    """Return a random view of an array, and its shape."""
    if not shape:
        return text, shape
    n = shape[0]
    match rng.integers(7):
        case 0:
            return f"({text}).T", shape[::-1]
        case 1:
            return f"({text})[::-1]", shape
        case 2 if n > 1:
            return f"({text})[1:]", (n - 1, *shape[1:])
        case 3:
            return f"reshape({text}, -1)", (math.prod(shape),)
        case 4 if len(shape) > 1:
            order = rng.permutation(len(shape)).tolist()
            return f"transpose({text}, {', '.join(map(str, order))})", tuple(shape[k] for k in order)
        case 5:
            return f"expand_dims({text}, axis=-1)", (*shape, 1)
        case 6 if len(shape) > 1:
            return f"({text})[:, {rng.integers(shape[1])}]", (n, *shape[2:])
    return text, shape


def shaped(rng, text, shape, wanted):
    """Return a view of an array in a shape: its entries one after the other, as often as it takes."""
    for _ in range(rng.integers(3)):
        text, shape = viewed(rng, text, shape)
    if shape == wanted:
        return text
    if shape == (math.prod(wanted),):
        return f"reshape({text}, {', '.join(map(str, wanted))})" if wanted else f"({text})[0]"
    size = math.prod(shape)
    places = [k % size for k in range(math.prod(wanted))]
    flat = f"reshape({text}, -1)"
    if not wanted:
        return f"{flat}[{rng.integers(size)}]"
    return f"reshape({flat}[{places if places != list(range(size)) else ':'}], {', '.join(map(str, wanted))})"


def new_equation(rng, operation, values):
    """Return an operation on views of nodes."""
    equation, shapes = equation_of(rng, operation)
    between = "sigmoid({})" if operation in POSITIVE else "tanh({})"
    operands = {}
    for name, shape in zip("abc", shapes, strict=False):
        node = str(rng.choice(list(values)))
        operands[name] = between.format(shaped(rng, node, np.shape(values[node]), shape))
    return substitute(equation, operands)


def random_graph(seed, operations=MIXED, count=6):
    """Return a graph of some equations, each a random operation, and J, a number that depends on all that ends in it."""
    rng = np.random.default_rng(seed)
    G = cg.ComputationalGraph()
    for k in range(1, 4):
        G.add_constant(f"I{k}", np.eye(k))
    values = {}
    for name, add in (
        ("x1", G.add_input),
        ("x2", G.add_input),
        ("w1", G.add_weight),
        ("w2", G.add_weight),
        ("k", G.add_input),
    ):
        shape = () if name == "k" else tuple(rng.integers(1, 4, size=rng.integers(0, 4)).tolist())
        values[name] = rng.normal(size=shape)[()]
        add(name, values[name])
    known = dict(values) | {f"I{k}": np.eye(k) for k in range(1, 4)}
    for k in range(count):
        j = f"y{k + 1}"
        if rng.random() < 0.1:
            i = str(rng.choice(list(values)))
            G.add_neuron(j, activation=str(rng.choice(ACTIVATIONS)), weights={i: rng.normal(), "k": rng.normal()})
        else:
            equation = new_equation(rng, str(rng.choice(operations)), values)
            with np.errstate(all="ignore"):
                size = np.max(np.abs(steps_of(parse(equation), known, j)[-1]))
            G.add_equation(j, equation if size < LARGEST else f"tanh({equation})")
        values[j] = known[j] = cg.evaluate(G)[j]
    ends = [i for i in values if not G.succ[i]]
    G.add_equation("J", " + ".join(f"mean(sin({i} + 1) * {0.5 + k})" for k, i in enumerate(ends)))
    if currently_in_test_context():
        shapes = {i: np.shape(value) for i, value in values.items()}
        note("; ".join([f"{j} = {equation}" for j, equation in G.nodes(data="equation") if equation]) + f" at {shapes}")
    return G
