"""Windows, normalised arrays and lookups beside PyTorch: values and gradients, on strange shapes and options."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cgraph as cg
from cgraph.model.operations.arrays import ARRAY_OPERATIONS

torch = pytest.importorskip("torch", reason="the extra torch")
F = torch.nn.functional
sizes = st.integers(1, 3)


def numbers(draw, *shape):
    return np.random.default_rng(draw(st.integers(0, 2**16))).normal(size=shape)


def agrees(equation, theirs, *x, varying="ab"):
    """Compare the value, the row of a random sum and a column by each operand with PyTorch."""
    operands = dict(zip("ab", x, strict=False))
    G = cg.from_equations(f"y = {equation}", **operands)
    L = cg.linearize(G)
    tensors = {i: torch.tensor(value, dtype=torch.float64, requires_grad=i in varying) for i, value in operands.items()}
    y = theirs(*tensors.values())
    np.testing.assert_allclose(L.nodes["y"]["value"], y.detach().numpy(), rtol=1e-10, atol=1e-12)
    rng = np.random.default_rng(0)
    row = rng.normal(size=y.shape)
    y.backward(torch.tensor(row))
    for i in set(varying) & set(operands):
        J, gradient = L.edges[i, "y"]["derivative"], tensors[i].grad.numpy().ravel()
        np.testing.assert_allclose(row.ravel() @ J, gradient, rtol=1e-9, atol=1e-10)
        columns = rng.normal(size=(J.shape[1], 2))
        rows = rng.normal(size=(3, J.shape[0]))
        np.testing.assert_allclose(row.ravel() @ (J @ columns), gradient @ columns, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose((rows @ J) @ columns, rows @ (J @ columns), rtol=1e-9, atol=1e-9)


def drawn_options(draw, d, names):
    """Draw options as whole numbers, or as one for each axis."""
    found = {}
    for name, least, most in names:
        number = st.integers(least, most)
        found[name] = draw(st.one_of(number, st.tuples(*[number] * d) if d > 1 else number))
    return found


def typed(options):
    return "".join(f", {name}={value}" for name, value in options.items())


def reached(space, kernel, o):
    """Whether a window fits along each axis."""
    each = {k: v if isinstance(v, tuple) else (v,) * len(space) for k, v in o.items()}
    dilation = each.get("dilation", (1,) * len(space))
    return all(
        n + 2 * p >= r * (k - 1) + 1 for n, k, p, r in zip(space, kernel, each["padding"], dilation, strict=True)
    )


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_convolutions(data):
    draw = data.draw
    d, groups, p, q = draw(st.integers(1, 3)), draw(sizes), draw(sizes), draw(sizes)
    space, kernel = (tuple(draw(st.integers(1, most)) for _ in range(d)) for most in (6, 3))
    o = drawn_options(draw, d, [("stride", 1, 4), ("padding", 0, 5), ("dilation", 1, 3)])
    lead = draw(st.sampled_from([(), (1,), (3,)]))
    x, w = numbers(draw, *lead, groups * p, *space), numbers(draw, groups * q, p, *kernel)
    equation = f"conv(a, b{typed(o)}, groups={groups})"
    if not reached(space, kernel, o):
        with pytest.raises(cg.EvaluationError, match="does not fit: .*; the window is larger than what it moves over"):
            cg.evaluate(cg.from_equations(f"y = {equation}", a=x, b=w))
        return
    theirs = [F.conv1d, F.conv2d, F.conv3d][d - 1]
    agrees(equation, lambda a, b: theirs(a, b, groups=groups, **o), x, w)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_transposed_convolutions(data):
    draw = data.draw
    d, groups, p, q = draw(st.integers(1, 2)), draw(sizes), draw(sizes), draw(sizes)
    space, kernel = (tuple(draw(st.integers(1, 3)) for _ in range(d)) for _ in "xw")
    o = drawn_options(draw, d, [("stride", 1, 4), ("padding", 0, 2), ("dilation", 1, 3)])
    o["output_padding"] = draw(st.integers(0, min(np.atleast_1d(o["stride"])) - 1))
    x, w = numbers(draw, 2, groups * p, *space), numbers(draw, groups * p, q, *kernel)
    equation = f"conv_transpose(a, b{typed(o)}, groups={groups})"
    theirs = [F.conv_transpose1d, F.conv_transpose2d][d - 1]
    each = {k: np.broadcast_to(v, d) for k, v in o.items()}
    size = (np.array(space) - 1) * each["stride"] - 2 * each["padding"] + each["dilation"] * (np.array(kernel) - 1) + 1
    if min(size + each["output_padding"]) < 1:
        with pytest.raises(cg.EvaluationError, match="does not fit: .*; the padding removes all of it"):
            cg.evaluate(cg.from_equations(f"y = {equation}", a=x, b=w))
        return
    agrees(equation, lambda a, b: theirs(a, b, groups=groups, **o), x, w)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_pools(data):
    draw = data.draw
    d = draw(st.integers(1, 2))
    space, size = (tuple(draw(st.integers(1, most)) for _ in range(d)) for most in (7, 3))
    o = drawn_options(draw, d, [("stride", 1, 4), ("padding", 0, 1)])
    o["padding"] = tuple(min(p, k // 2) for p, k in zip(np.broadcast_to(o["padding"], d).tolist(), size, strict=True))
    x = numbers(draw, 2, 3, *space)
    shown = size if d > 1 else size[0]
    for name, theirs, dilation in (("max", [F.max_pool1d, F.max_pool2d], draw(st.integers(1, 2))),
                                   ("avg", [F.avg_pool1d, F.avg_pool2d], None)):  # fmt: skip
        given = o | ({"dilation": dilation} if dilation else {})
        if not reached(space, size, given):
            continue
        if name == "max" and not theirs[d - 1](torch.tensor(x), size, **given).isfinite().all():
            with pytest.raises(cg.EvaluationError, match="a window holds nothing but padding"):
                cg.evaluate(cg.from_equations(f"y = max_pool(a, size={shown}{typed(given)})", a=x))
        else:
            agrees(
                f"{name}_pool(a, size={shown}{typed(given)})", lambda a, f=theirs[d - 1], o=given: f(a, size, **o), x
            )


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_normalised_arrays(data):
    draw = data.draw
    shape = tuple(draw(st.integers(2, 4)) for _ in range(draw(st.integers(2, 4))))
    x, epsilon = numbers(draw, *shape), 10.0 ** draw(st.integers(-5, 0))
    behind = draw(st.integers(1, len(shape)))
    axes = tuple(range(-behind, 0)) if behind > 1 else -1
    agrees(f"layer_norm(a, {epsilon!r}, axis={axes})", lambda a: F.layer_norm(a, shape[-behind:], eps=epsilon), x)
    agrees(f"rms_norm(a, {epsilon!r}, axis={axes})", lambda a: F.rms_norm(a, shape[-behind:], eps=epsilon), x)
    agrees(f"batch_norm(a, {epsilon!r})", lambda a: F.batch_norm(a, None, None, training=True, eps=epsilon), x)
    groups = draw(st.sampled_from([n for n in range(1, shape[1] + 1) if shape[1] % n == 0]))
    agrees(f"group_norm(a, {epsilon!r}, groups={groups})", lambda a: F.group_norm(a, groups, eps=epsilon), x)


@pytest.mark.parametrize("places", [0.0, [2.0], [[1.0, 1.0], [0.0, 2.0]]])
def test_an_embedding(places):
    table = np.random.default_rng(1).normal(size=(3, 4))
    agrees("take(a, b)", lambda a, b: F.embedding(b.long(), a), table, np.array(places)[()], varying="a")


def test_a_table_of_places_has_derivative_zero():
    L = cg.linearize(cg.from_equations("y = take(W, i)", W=[[1.0, 2.0], [3.0, 4.0]], i=[1.0, 0.0, -1.0]))
    assert L.nodes["y"]["value"].tolist() == [[3, 4], [1, 2], [3, 4]]
    z = L.edges["i", "y"]["derivative"]
    assert z.shape == (6, 3)
    assert not z.dense().any()


def test_arrays_without_entries_are_refused_before_any_operation():
    for equation in ("conv(a, b)", "cumsum(a)", "pad(a, before=1)"):
        with pytest.raises(cg.CGraphError, match="is empty"):
            cg.from_equations(f"y = {equation}", a=np.zeros((0, 3)), b=np.ones((1, 1, 1)))
    for equation in ("repeat(a, repeats=0)", "repeat(a, repeats=(0, 0, 0))"):
        with pytest.raises(cg.EvaluationError, match="does not fit: a is a vector of 3; the result is empty"):
            cg.evaluate(cg.from_equations(f"y = {equation}", a=np.ones(3)))


@pytest.mark.parametrize(
    ("equation", "why"),
    [
        ("conv(x, w)", "there are 2 channels, and the kernel takes 3"),
        ("conv(x, w[:, :2], groups=2)", "there are 2 channels, and the kernel takes 4, and in 2 groups"),
        ("conv(x, x)", "an image needs channels and axes of space, and a kernel another axis before them"),
        ("conv(x, w[:, :2], padding=(1, 1))", "padding must be a whole number of at least 0, or 1 of them"),
        ("conv(x, w[:, :2], stride=0)", "stride must be a whole number of at least 1, or 1 of them"),
        ("max_pool(x, padding=2)", "a window holds nothing but padding"),
        ("conv_transpose(x, w[:2], output_padding=1)", "output_padding must be less than the stride"),
        ("group_norm(x, 1, groups=3)", "5 channels make no 3 groups of one size"),
        ("topk(x, k=6)", "there are 5 entries along this axis"),
        ("take(x, 2)", "places along this axis must be whole numbers from -2 to 1"),
        ("take(x, 0.5)", "places along this axis must be whole numbers from -2 to 1"),
        ("pad(x, before=(1, 2, 3))", "before must be a whole number of at least 0, or 2 of them"),
        ("split(x, part=2)", "there is no part 2 of 2, counted from 0"),
    ],
)
def test_what_does_not_fit_is_said_in_words(equation, why):
    values = {"x": np.ones((2, 5)), "w": np.ones((4, 3, 2))}
    G = cg.from_equations(
        f"y = {equation}",
        **{i: values[i] for i in "xw" if f"{i}," in equation or f"{i})" in equation or f"{i}[" in equation},
    )
    with pytest.raises(cg.EvaluationError) as error:
        cg.evaluate(G)
    assert str(error.value).startswith("node 'y': ")
    assert str(error.value).endswith(f"; {why}")


@pytest.mark.parametrize("name", ["layer_norm", "rms_norm", "batch_norm", "group_norm"])
@pytest.mark.parametrize("epsilon", [0.0, -0.1])  # variance and it are positive together
def test_what_is_added_to_a_variance_is_positive(name, epsilon):
    G = cg.from_equations(f"y = {name}(x, e1); J = sum(y)", x=[[1.0, 5.0, 9.0], [2.0, 0.0, 4.0]], e1=epsilon)
    expected = rf"^node 'y': {name}\(.*\) is undefined; {name} takes a positive number as its second operand"
    with pytest.raises(cg.EvaluationError, match=expected):
        cg.evaluate(G)
    C = cg.compile_graph(G)
    C.value_and_gradient("J", {"e1": 0.1})
    with pytest.raises(cg.EvaluationError, match=expected):
        C.value_and_gradient("J", {"e1": epsilon})


def test_a_convolution_is_never_a_matrix():
    x, w = np.ones((8, 3, 64, 64)), np.ones((4, 3, 3, 3))
    L = cg.linearize(cg.from_equations("y = conv(x, w, padding=1); J = sum(y)", x=x, w=w))
    assert L.edges["x", "y"]["derivative"].shape == (8 * 4 * 64 * 64, x.size)  # of which no memory holds the matrix
    S = cg.loss_sensitivities(L, "J")
    assert S["x"][0, 0, 1, 1] == 4 * 9  # every entry inside stands below nine places of four kernels
    assert S["w"][0, 0].tolist() == [[8 * 63 * 63, 8 * 63 * 64, 8 * 63 * 63], [8 * 64 * 63, 8 * 64 * 64, 8 * 64 * 63],
                                     [8 * 63 * 63, 8 * 63 * 64, 8 * 63 * 63]]  # fmt: skip


@pytest.mark.parametrize(
    "equation",
    [
        "conv(x, w, padding=1000000000, stride=1000000000)", "conv_transpose(x, w, stride=1000000000)",
        "max_pool(x, padding=1000000000, size=1000000000)", "avg_pool(x, padding=1000000000, stride=1000000000)",
        "pad(x, before=(0, 0, 1000000000))", "repeat(x, repeats=1000000000)", "take(x, 0 * repeat(w[0, 0, 0], repeats=1000000000))",
        'einsum("abc,def->abcdef", repeat(x, repeats=100, axis=0), repeat(repeat(w, repeats=1000, axis=0), repeats=1000, axis=1))',
    ],
)  # fmt: skip
def test_what_no_memory_holds_is_refused_before_it_is_made(equation):
    G = cg.from_equations(f"y = sum({equation})", x=np.ones((1, 1, 5)), w=np.ones((1, 1, 1)))
    tracemalloc.start()
    try:
        for function in (cg.evaluate, lambda G: cg.compile_graph(G).evaluate()):
            with pytest.raises(cg.LimitError, match="more than the limit"):
                function(G)
        assert tracemalloc.get_traced_memory()[1] < 1e9
    finally:
        tracemalloc.stop()


def test_a_kernel_of_many_places_in_a_plan():
    G = cg.from_equations("J = sum(conv(x, w)) + sum(max_pool(x, size=(15, 15)))", x=np.random.default_rng(0).normal(size=(1, 16, 16)),
                          w=np.random.default_rng(1).normal(size=(1, 1, 15, 15)))  # fmt: skip
    J, gradient = cg.compile_graph(G).value_and_gradient("J", nodes=["x", "w"])
    L = cg.linearize(G)
    assert J == pytest.approx(L.nodes["J"]["value"], rel=1e-12)
    for i, S in gradient.items():
        np.testing.assert_allclose(S, cg.loss_sensitivities(L, "J")[i], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["layer_norm", "rms_norm"])
def test_the_formulas_of_normalised_vectors_are_their_jacobians(name):
    values = {"x": np.array([1.0, 2.0, 4.0, -1.0]), "k": 0.3}
    L = cg.linearize(cg.from_equations(f"y = {name}(x, k)", **values))
    y = L.nodes["y"]["value"]
    known = {**values, "y": y, "n": 4, "I": np.eye(4), "var": np.var, "mean": np.mean, "sqrt": np.sqrt,
             "ones": np.ones((4, 4)), "yy": np.outer(y, y)}  # fmt: skip
    for (text, _), i in zip(ARRAY_OPERATIONS[name].formulas_for((1, 0)), "xk", strict=True):
        formula = text.format("x", "k", y="y").replace("1 1^T", "ones").replace("y y^T", "yy").replace("2 (", "2 * (")
        expected = eval(formula.replace("^", "**"), known)
        np.testing.assert_allclose(np.asarray(L.edges[i, "y"]["derivative"]), np.reshape(expected, (4, -1)), rtol=1e-12)


@pytest.mark.parametrize("equation", ["inv(A)", "solve(A, [1])", "logdet(A)", "cholesky(A)", "take(A, i)"])
def test_what_goes_wrong_at_new_values_of_a_plan_is_said_by_the_interpreter(equation):
    equation = equation.replace("[1]", "A[0]")
    G = cg.from_equations(f"y = {equation}; J = sum(y) + i + sum(A)", A=[[2.0, 0.0], [0.0, 3.0]], i=1.0)
    C = cg.compile_graph(G)
    assert C.value_and_gradient("J")[0] == pytest.approx(cg.evaluate(G)["J"])
    wrong = {"A": [[1.0, 2.0], [2.0, 4.0]]} if "i)" not in equation else {"i": 2.0}
    for function in (lambda: cg.evaluate(G, wrong), lambda: C.value_and_gradient("J", wrong)):
        with pytest.raises(
            cg.EvaluationError, match="is singular|not positive definite|is undefined|must be whole numbers"
        ):
            function()
