"""What does not fit is reported with the node, the operation in the words of the equation, and the shapes."""

import numpy as np
import pytest

import cgraph as cg
from cgraph.model.language.expressions import Apply
from cgraph.model.language.parsing import parse
from cgraph.model.operations.arrays import ARRAY_OPERATIONS
from cgraph.model.operations.elementwise import OPERATIONS

X, X2, W, T = [1.0, 2.0, 3.0], [0.5, 0.25], [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], np.full((4, 2, 3), 0.5)
NAMES = {"x": X, "u": X2, "W": W, "T": T, "c": 2.0}
SHOWN = {"x": "a vector of 3", "u": "a vector of 2", "W": "2 x 3", "T": "4 x 2 x 3", "c": "a number"}


def graph_of(equation):
    used = {step.name for step in parse(equation).steps if hasattr(step, "name")}
    return cg.from_equations(f"y = {equation}", **{i: NAMES[i] for i in NAMES if i in used})


# An equation whose shapes do not fit, and the operation in its words where that is not the whole equation.
MISFITS = [
    *[(f"{name}(x, u)" if not row.infix else f"x {row.infix} u", "")
      for name, row in OPERATIONS.items() if len(row.derivatives) == 2],
    ("where(x, u, 1)", ""), ("where(c, x, u)", ""), ("where(x, 1, u)", ""),
    *[(f"{name}(x, u, 1)", "") for name, row in OPERATIONS.items() if len(row.derivatives) == 3],
    ("W @ u", ""), ("x @ u", ""), ("c @ x", ""), ("x @ c", ""), ("W @ W", ""), ("x.T @ W", "x.T @ W"), ("T @ T", ""),
    ("dot(x, u)", ""), ("dot(W, x)", ""), ("dot(c, c)", ""), ("outer(W, x)", ""), ("outer(x, c)", ""),
    ('einsum("ij,jk->ik", W, W)', ""), ('einsum("i->", W)', ""), ('einsum("ij,i->j", W, x)', ""), ('einsum(",i->i", x, c)', ""),
    ("transpose(W, 0, 1, 2)", ""), ("transpose(W, 0, 0)", ""), ("transpose(x, 1)", ""), ("transpose(c, 0)", ""),
    ("trace(W)", ""), ("trace(x)", ""), ("det(W)", ""), ("det(c)", ""), ("inv(W)", ""), ("inv(T)", ""),
    ("logdet(W)", ""), ("logdet(c)", ""), ("cholesky(W)", ""), ("cholesky(x)", ""), ("solve(W, x)", ""), ("solve(outer(x, x), u)", ""),
    ("solve(W @ W.T, c)", ""), ("sort(c)", ""), ("sort(x, axis=1)", ""), ("sort(W, axis=(0, 1))", ""), ("prod(c)", ""),
    ("x[3]", ""), ("x[-4]", ""), ("x[0, 0]", ""), ("W[:, 3]", ""), ("W[2]", ""), ("x[[0, 3]]", ""), ("c[0]", ""), ("W[[0, 1], [0, 1, 2]]", ""),
    ("x[3:]", ""), ("x[2:1]", ""), ("sum(x[5:])", "x[5:]"),
    ("reshape(W, 4)", ""), ("reshape(W, -1, -1)", ""), ("reshape(W, 4, -1)", ""), ("reshape(c, 2)", ""),
    ("concatenate(x, W)", ""), ("concatenate(x, c)", ""), ("concatenate(W, W, axis=2)", ""), ("concatenate(W, T, axis=0)", ""),
    ("stack(x, u)", ""), ("stack(x, c)", ""), ("stack(x, x, axis=3)", ""),
    *[(f"{name}({x}, axis={axis})", "") for name in ("sum", "mean", "prod", "max", "min") for x, axis in (("x", 1), ("W", -3), ("c", 0), ("c", -1))],
    ("sum(x, axis=(0, 0))", ""), ("mean(W, axis=(0, 2))", ""), ("max(W, axis=(0, 1))", ""), ("max(c)", ""), ("min(c)", ""),
    *[(f"{name}({x})", "") for name in ("softmax", "log_softmax", "logsumexp")
      for x in ("c", "x, axis=1", "W, axis=-3", "W, axis=(0, 1)")],
    *[(f"{name}({pair})", "") for name in ("cross_entropy", "softmax_cross_entropy", "squared_error", "hinge")
      for pair in ("x, u", "W, u", "u, W")],
    ("prod(W, axis=(0, 1))", ""), ("cumsum(c)", ""), ("cumsum(x, axis=1)", ""), ("cumsum(W, axis=(0, 1))", ""),
    ("split(x, parts=2)", ""), ("split(x, part=3, parts=3)", ""), ("split(W, axis=2)", ""), ("split(c)", ""), ("split(W, parts=(1, 2))", ""),
    ("repeat(x, repeats=(1, 2))", ""), ("repeat(x, repeats=-1)", ""), ("repeat(x, axis=1)", ""), ("repeat(x, repeats=0)", ""), ("repeat(W, axis=(0, 1))", ""),
    ("expand_dims(x, axis=3)", ""), ("expand_dims(x, axis=(0, 0))", ""), ("squeeze(x, axis=0)", ""), ("squeeze(W, axis=2)", ""),
    ("take(x, 3 * c)", ""), ("take(x, u)", ""), ("take(W, c / c, axis=2)", ""), ("take(c, c)", ""), ("take(W, -2 * c)", ""), ("take(W, c - c, axis=(0, 1))", ""),
    ("pad(x, before=-1)", ""), ("pad(W, after=(1, 2, 3))", ""), ("pad(c, before=(1, 2))", ""),
    ("topk(x, k=4)", ""), ("topk(x, k=0)", ""), ("topk(c)", ""), ("topk(W, axis=2)", ""), ("topk(W, k=(1, 2))", ""),
    ("conv(x, T)", ""), ("conv(W, W)", ""), ("conv(c, x)", ""), ("conv(W, T, groups=2)", ""),
    ("conv(W, T, stride=0)", ""), ("conv(W, T, padding=-1)", ""), ("conv(W, T, dilation=(1, 1))", ""), ("conv(W, T, dilation=2)", ""),
    ("conv(W, T, groups=0)", ""), ("conv_transpose(W, W)", ""), ("conv_transpose(W, T)", ""), ("conv_transpose(T, x)", ""),
    ("conv_transpose(T, T, groups=2)", ""), ("conv_transpose(W, T[:2], output_padding=1)", ""), ("conv_transpose(W, T[:2], padding=4)", ""),
    ("max_pool(x, size=4)", ""), ("max_pool(x, size=(1, 1))", ""), ("max_pool(c)", ""), ("max_pool(x, size=0)", ""), ("max_pool(x, padding=2)", ""),
    ("max_pool(x, stride=(1, 2))", ""), ("avg_pool(x, size=4)", ""), ("avg_pool(W, padding=(1, 1, 1), size=(2, 2))", ""), ("avg_pool(c)", ""),
    *[(f"{name}({x})", "") for name in ("layer_norm", "rms_norm") for x in ("c, c", "x, x", "x, c, axis=1", "W, c, axis=(0, 0)")],
    *[(f"batch_norm({x})", "") for x in ("c, c", "x, c", "W, x")], *[(f"group_norm({x})", "") for x in ("c, c", "x, c", "W, x", "W, c, groups=2", "W, c, groups=0")],
    ("2*(W @ (u + 1))", "W @ (u + 1)"), ("exp(x) - tanh(u)^2", "exp(x) - tanh(u) ^ 2"),
]  # fmt: skip


def test_every_row_that_can_be_given_what_does_not_fit_is_here():
    tried = {step.operation for equation, _ in MISFITS for step in parse(equation).steps if isinstance(step, Apply)}
    one_operand = {name for name, row in OPERATIONS.items() if len(row.derivatives) == 1}
    assert set(ARRAY_OPERATIONS) | set(OPERATIONS) <= tried | one_operand | {"squared_norm", "norm"}


@pytest.mark.parametrize(("equation", "words"), MISFITS)
def test_shapes_that_do_not_fit(equation, words):
    G = graph_of(equation)
    words = words or equation
    for function in (cg.evaluate, cg.linearize):
        with pytest.raises(cg.EvaluationError) as error:
            function(G)
        message = str(error.value)
        assert message.startswith(f"node 'y': {words} does not fit: ")
        for name in {step.name for step in parse(words).steps if hasattr(step, "name")}:
            if f"{name} is " in message:
                assert f"{name} is {SHOWN[name]}" in message
        assert " is a " in message or " x " in message
        assert "numpy" not in message
        assert "\n" not in message


def test_both_shapes_are_named_once_each():
    with pytest.raises(cg.EvaluationError, match=r"^node 'y': W @ u does not fit: W is 2 x 3, u is a vector of 2$"):
        cg.evaluate(graph_of("W @ u"))
    with pytest.raises(cg.EvaluationError, match=r"^node 'y': W @ W does not fit: W is 2 x 3$"):
        cg.evaluate(graph_of("W @ W"))


@pytest.mark.parametrize(
    ("equation", "x", "message"),
    [
        ("log(x)", [1.0, 0.0], r"log(0) in entry [1] is undefined; log takes a positive operand"),
        ("sqrt(x)", [[1.0, 2.0], [3.0, -4.0]], "sqrt(-4) in entry [1, 1] is undefined"),
        ("2/x", [1.0, 0.0, 0.0], "2 / 0 in entry [1] is undefined"),
        ("outer(x, x)/x", [1.0, 0.0], "0 / 0 in entry [0, 1] is undefined"),
        ("x^0.5", [-1.0, 1.0], "(-1) ^ 0.5 in entry [0] is undefined"),
        ("exp(x)", [1.0, 2.0, 1000.0], "exp(1000) in entry [2] overflows"),
        ("x*x", [[1e200]], "1e+200 * 1e+200 in entry [0, 0] overflows"),
        ("sum(x)", [1e308, 1e308], "sum([1e+308, 1e+308]) overflows"),
        ("squared_norm(x)", [1e200], "squared_norm([1e+200]) overflows"),
        ("inv(x)", [[1.0, 2.0], [2.0, 4.0]], "inv([[1, 2], [2, 4]]) is undefined; the matrix is singular"),
        (
            "solve(x, x)",
            [[1.0, 2.0], [2.0, 4.0]],
            "solve([[1, 2], [2, 4]], [[1, 2], [2, 4]]) is undefined; the matrix is singular",
        ),
        ("logdet(x)", [[1.0, 2.0], [2.0, 4.0]], "logdet([[1, 2], [2, 4]]) is undefined"),
        (
            "cholesky(x)",
            [[1.0, 2.0], [2.0, 1.0]],
            "cholesky([[1, 2], [2, 1]]) is undefined; the matrix is not positive definite",
        ),
        ("prod(x)", [1e200, 1e200], "prod([1e+200, 1e+200]) overflows"),
        ("cross_entropy(x, x + 1)", [0.0, 0.0], "cross_entropy([0, 0], [1, 1]) is undefined"),
        ("binary_cross_entropy(x, 1)", [0.5, 0.0], "binary_cross_entropy(0, 1) in entry [1] is undefined"),
    ],
)
def test_values_outside_the_domain_name_the_entry(equation, x, message):
    with pytest.raises(cg.EvaluationError) as error:
        cg.evaluate(cg.from_equations(f"y = {equation}", x=x))
    assert str(error.value).startswith(f"node 'y': {message}")


@pytest.mark.parametrize(
    ("equation", "x", "message"),
    [
        ("sqrt(x)", [1.0, 0.0], "the derivative of sqrt(0) in entry [1] is not finite"),
        ("norm(x)", [0.0, 0.0], "the derivative of norm([0, 0]) is not finite"),
        (
            "cross_entropy(x, x + 1)",
            [1e-320, 0.0],
            "the derivative of cross_entropy([9.99989e-321, 0], [1, 1]) is not finite",
        ),
    ],
)
def test_derivatives_that_are_not_finite(equation, x, message):
    G = cg.from_equations(f"y = {equation}", x=x)
    assert np.isfinite(cg.evaluate(G)["y"]).all()
    with pytest.raises(cg.EvaluationError) as error:
        cg.linearize(G)
    assert str(error.value) == f"node 'y': {message}"


def test_a_result_that_no_memory_holds():
    G = cg.from_equations("y = sum(outer(x, x))", x=np.ones(3_000_000))
    message = r"^node 'y': outer\(x, x\) has the shape \(3000000, 3000000\), 9,000,000,000,000 entries, more than the limit of"
    with pytest.raises(cg.LimitError, match=message):
        cg.evaluate(G)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ([], "is empty"), ([[]], "is empty"), (np.zeros((0, 3)), "is empty"), ([1, [2, 3]], "is ragged"), ([[1, 2], [3]], "is ragged"),
        ([float("nan")], "is not finite"), ([[1.0, float("-inf")]], "is not finite"), ("2", "is not a number"), (["2"], "is not a number"),
        ([True, False], "is not a number"), (True, "is not a number"), ([1, None], "is not a number"), ([...], "is not a number"),
        ([1j], "is not a number"), (1j, "is not a number"), (np.array([1j]), "is not a number"), ({}, "is not a number"),
        ({1.0}, "is not a number"), (np.array(["a"]), "is not a number"), (np.array([1], dtype=object), "is not a number"),
        (10**400, "is not finite"), ([10**400], "is not a number"), (np.array("2020", dtype="M8[Y]"), "is not a number"),
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_array_of_numbers(value, why):
    G = cg.ComputationalGraph()
    for add in (G.add_input, G.add_weight, G.add_constant):
        with pytest.raises(cg.InvalidNodeError, match=rf"^\w+ 'x' has the value .*, which {why}"):
            add("x", value)
    G.add_input("x", 1.0)
    G.add_equation("y", "sum(x)")
    for function in (cg.evaluate, cg.linearize):
        with pytest.raises(cg.CGraphError, match=r"'x'.*, which is"):
            function(G, {"x": value})


class TestValues:
    def test_are_not_shared_with_the_user(self):
        mine = np.array([1.0, 2.0])
        fixed = mine.view()
        fixed.setflags(write=False)
        G = cg.from_equations("y = sum(x*z*w)", x=mine, z=fixed, w=1.0)
        L = cg.linearize(G, {"w": mine[::-1]})
        mine[:] = 7.0
        for H in (G, L):
            assert H.nodes["x"]["value"].tolist() == [1.0, 2.0]
            assert H.nodes["z"]["value"].tolist() == [1.0, 2.0]
        assert L.nodes["w"]["value"].tolist() == [2.0, 1.0]
        assert mine.flags.writeable

    def test_cannot_be_written_to(self):
        G = cg.from_equations("y = x.T; u = x[0]; v = reshape(x, -1) + 1; w = tanh(x)", x=[[1.0, 2.0], [3.0, 4.0]])
        y = cg.evaluate(G)
        L = cg.linearize(G)
        for i in y:
            for value in (y[i], L.nodes[i]["value"]):
                with pytest.raises(ValueError, match="read-only"):
                    value[0] = 5.0

    @pytest.mark.parametrize("dtype", [np.int8, np.uint64, np.float16, np.float32, ">f8"])
    def test_are_floats(self, dtype):
        y = cg.evaluate(cg.from_equations("y = x/2", x=np.array([1, 2], dtype=dtype)))
        assert y["x"].dtype == y["y"].dtype == np.dtype(float)
        assert y["y"].tolist() == [0.5, 1.0]

    @pytest.mark.parametrize("number", [np.float32(2), np.array(2.0), np.int64(2), np.array(2)])
    def test_of_no_axes_are_floats(self, number):
        y = cg.evaluate(cg.from_equations("y = sum(x)", x=number))
        assert {type(value) for value in y.values()} == {float}


@pytest.mark.parametrize("loss", ["cross_entropy(softmax(s), y)", "softmax_cross_entropy(s, y)", "hinge(s, y)"])
@pytest.mark.parametrize("label", [1, [1], [[1], [2]]])
def test_the_number_of_a_class_is_no_label(loss, label):
    G = cg.from_equations(f"l = {loss}", s=[[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]], y=label)
    with pytest.raises(
        cg.EvaluationError, match=r"does not fit: .* y is .*; the label must have a number for each class"
    ):
        cg.evaluate(G)


@pytest.mark.parametrize("equation", ["y = W' @ x", "y = W' @ x'", "y = (W*W)' @ x", "y = W[0]'"])
def test_a_prime_is_no_transpose(equation):
    with pytest.raises(cg.EquationError, match="write W.T for the transpose of W"):
        cg.from_equations(equation, W=[[1.0]], x=[1.0])
