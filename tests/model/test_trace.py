"""Functions written with NumPy, traced: every rule, every refusal, random programs."""

# ruff: noqa: ARG005, PLW0108, RET504 - the functions are there to be traced

import copy
import functools
import inspect
import math
import operator
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy import array
from traced_functions import CASES, REFUSED, ROUNDED, WITHOUT_JAX, A, C, X

import cgraph as cg
from cgraph.model.language.expressions import Apply
from cgraph.model.language.parsing import parse
from cgraph.model.tracing.followed_functions import RULES
from cgraph.model.tracing.recording import name_of


def ids(case):
    return getattr(case[0], "__name__", "")


def equations(G):
    return {j: equation for j, equation in G.nodes(data="equation") if equation}


def operations_in(equation):
    """How many operations on nodes stand in an equation; -2 is a number."""
    expression = parse(equation)
    return sum(
        varies and isinstance(step, Apply) for step, varies in zip(expression.steps, expression.varies, strict=True)
    )


def jacobians(G):
    return [cg.jacobian(cg.linearize(G), [i], G.outputs) for i in G.inputs]


def central_differences(function, arrays):
    for k, x in enumerate(arrays):
        columns = []
        for place in range(np.size(x)):
            h = np.zeros(np.size(x))
            h[place] = 1e-5
            h = h.reshape(np.shape(x))
            above, below = (function(*(a + d if i == k else a for i, a in enumerate(arrays))) for d in (h, -h))
            columns.append(np.ravel(above - below) / 2e-5)
        yield np.stack(columns, axis=1)


def test_every_rule_is_swept():
    assert {case[0] for case in CASES} | set(REFUSED) == set(RULES)


def test_the_manual_lists_every_rule():
    text = (Path(__file__).parent.parent.parent / "docs" / "tracing.md").read_text()
    names = {"indices" if rule is operator.getitem else name_of(rule).removeprefix("np.") for rule in RULES}
    names = {"trapezoid" if name == "trapz" else name for name in names}  # as NumPy 1 has it
    followed, _, refused = text.partition("## What is refused")
    listed = [
        set(re.findall(r"`([\w.]+)`", "".join(re.findall(r"^\|.*\|$", part, re.MULTILINE))))
        for part in (followed, refused)
    ]
    assert listed[0] == names - listed[1]
    assert {name_of(rule).removeprefix("np.") for rule in REFUSED} <= listed[1]


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_a_traced_function_has_the_value_and_the_derivatives_of_the_function(case):
    rule, function, arrays = case
    f = functools.partial(function, np)
    G = cg.trace(f, *arrays)
    value = cg.evaluate(G)[G.outputs[0]]
    if rule in ROUNDED:
        np.testing.assert_allclose(value, f(*arrays), rtol=1e-14, atol=1e-15)
    else:
        np.testing.assert_array_equal(value, f(*arrays))
    assert set(map(operations_in, equations(G).values())) <= {1}
    for ours, numerical in zip(jacobians(G), central_differences(f, arrays), strict=True):
        np.testing.assert_allclose(ours, numerical, rtol=1e-7, atol=1e-8)


def elsewhere(arrays):
    """Iterate over other arguments of the same shapes: entries in other places, and of the other sign or side of 1/2."""
    for move in (lambda x: x[::-1], lambda x: np.roll(x, 1), lambda x: 1 - x if np.all((x > 0) & (x < 1)) else -x):
        yield [move(np.ravel(x)).reshape(np.shape(x)) for x in arrays]


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_a_graph_has_the_values_of_its_function_at_points_it_was_not_traced_at(case):
    _, function, arrays = case
    f = functools.partial(function, np)
    G = cg.trace(f, *arrays)
    compared = 0
    for moved in elsewhere(arrays):
        try:
            with np.errstate(all="ignore"):
                expected = f(*moved)
        except np.linalg.LinAlgError:
            continue
        if np.all(np.isfinite(expected)):
            found = cg.evaluate(G, dict(zip(G.inputs, moved, strict=True)))[G.outputs[0]]
            np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12)
            compared += 1
    assert compared


@pytest.mark.parametrize("case", {case[0]: case for case in CASES if case[0] not in WITHOUT_JAX}.values(), ids=ids)
def test_a_traced_function_has_the_derivatives_of_jax(case):
    jax = pytest.importorskip("jax", reason="JAX is an optional oracle: pip install jax")
    _, function, arrays = case
    with jax.enable_x64(True):
        theirs = jax.jacobian(functools.partial(function, jax.numpy), tuple(range(len(arrays))))(*arrays)
    for x, ours, J in zip(arrays, jacobians(cg.trace(functools.partial(function, np), *arrays)), theirs, strict=True):
        np.testing.assert_allclose(ours, np.reshape(J, (-1, np.size(x))), rtol=1e-10, atol=1e-12)


# --- hand-computed --------------------------------------------------------------------------------------------------


def loss(x, W, b, scale=0.5):
    h = x
    for _ in range(2):
        h = np.tanh(W @ h + b)
    return scale * (h @ h)


def test_nodes_are_named_as_the_variables_are():
    G = cg.trace(loss, [1, 2], np.zeros((2, 2)), [0, 0], weights=("W", "b"))
    assert (G.inputs, G.weights, G.outputs, G.graph["title"]) == (["x"], ["W", "b"], ["y"], "loss")
    assert equations(G) == {
        "t1": "W @ x", "t2": "t1 + b", "h": "tanh(t2)",
        "t3": "W @ h", "t4": "t3 + b", "h_2": "tanh(t4)",
        "t5": "h_2 @ h_2", "y": "0.5 * t5",
    }  # fmt: skip


def test_an_exponential_of_linear_scores():
    G = cg.trace(lambda x, W: np.exp(x @ W).sum(), [1, 0], [[0, 0], [2, 3]], weights=["W"])
    L = cg.linearize(G)
    assert L.nodes["y"]["value"] == 2.0
    np.testing.assert_array_equal(cg.weight_gradients(L, "y")["W"], [[1, 1], [0, 0]])


def test_what_is_returned_last_has_the_name_of_its_variable():
    def f(x):
        total = x + 1
        return total

    assert cg.trace(f, 2.0).outputs == ["total"]


def test_variables_of_helpers_name_nodes_but_those_of_the_caller_come_first():
    def layer(v):
        e = np.exp(v)
        return e * 2

    def f(x):
        h = layer(x)
        return layer(h)

    assert equations(cg.trace(f, 0.0)) == {"e_": "exp(x)", "h": "e_ * 2", "e__2": "exp(h)", "y": "e__2 * 2"}


def test_a_variable_may_be_called_as_a_result_without_a_name_would_be():
    def f(x):
        t1 = x * 2
        c1 = (t1 + 1) * C
        c = c1 + 1
        return t1 * (c + 1)

    assert equations(cg.trace(f, 1.0)) == {
        "t1": "x * 2", "t2": "t1 + 1", "c1_": "t2 * c1", "c": "c1_ + 1", "t3": "c + 1", "y": "t1 * t3",
    }  # fmt: skip


def test_several_outputs_are_declared():
    assert cg.trace(lambda x: (x + 1, x * 2), 1.0).outputs == ["y1", "y2"]
    assert cg.trace(lambda x: [x, x + x], 1.0).outputs == ["x", "y2"]


def test_a_dict_names_the_outputs():
    def f(x):
        n = x * 2
        m = n + 1
        return {"n": m, "x": n, "same": m, "x_in": x}

    G = cg.trace(f, 3.0)
    assert G.outputs == ["n", "x_2", "same", "x_in"]
    assert equations(G) == {"x_2": "x * 2", "n": "x_2 + 1", "same": "identity(n)", "x_in": "identity(x)"}
    assert [cg.evaluate(G)[name] for name in G.outputs] == [7, 6, 7, 3]


@pytest.mark.parametrize(
    ("function", "equations"),
    [
        (lambda x: np.flip(x, 1), ["x[:, ::-1]"]),
        (lambda x: np.split(x, [5], axis=1)[1], ["x[:, 0:5]", "x[:, 5:20]"]),
        (lambda x: np.broadcast_to(x, (2, 3, 20)), ["reshape(x, 1, 3, 20)", "t1[[0, 0]]"]),
        (lambda x: np.resize(x, (2, 20)), ["x[:2, :]"]),
        (lambda x: np.roll(x, 1, axis=0)[:, ::5], ["x[[2, 0, 1]]", "t1[:, ::5]"]),
    ],
)
def test_axes_are_selected_from_one_by_one(function, equations):
    G = cg.trace(function, np.arange(60.0).reshape(3, 20))
    assert [equation for _, equation in G.nodes(data="equation") if equation] == equations


def test_a_list_that_no_equation_holds_is_a_constant():
    places = np.random.default_rng(0).integers(0, 60, 2500)
    x = np.random.default_rng(1).normal(size=(3, 20))
    G = cg.trace(lambda x: np.ravel(x)[places], x)
    assert "take(t1, c1, axis=0)" in dict(G.nodes(data="equation")).values()
    (y,) = G.outputs
    assert cg.evaluate(G)[y].tolist() == np.take(x, places).tolist()
    counts = np.zeros(60)
    np.add.at(counts, places, 1)
    assert np.ravel(cg.loss_sensitivities(cg.linearize(G), {y: np.ones(2500)})["x"]).tolist() == counts.tolist()


def test_plain_arrays_are_constants_once_and_numbers_stand_in_the_equation():
    G = cg.trace(lambda x: (x * C + C) * -2.0 + np.float64(0.25) - np.ones(3), X)
    assert equations(G) == {"t1": "x * c1", "t2": "t1 + c1", "t3": "t2 * (-2)", "t4": "t3 + 0.25", "y": "t4 - c2"}
    np.testing.assert_array_equal(G.nodes["c1"]["value"], C)


def test_a_negative_base_is_raised_as_a_whole():
    assert cg.evaluate(cg.trace(lambda x: (-2.0) ** x, 2.0))["y"] == 4.0


def test_a_list_of_arguments_and_defaults():
    def f(*xs, scale=2.0):
        return sum(xs) * scale

    G = cg.trace(f, 1.0, 2.0)
    assert (G.inputs, cg.evaluate(G)["y"]) == (["xs1", "xs2"], 6.0)


def test_callables_that_are_no_plain_functions():
    class Model:
        def __call__(self, x):
            return x * 2

        def score(self, x):
            return x * 3

    assert cg.evaluate(cg.trace(Model(), 2.0))["y"] == 4.0
    assert cg.evaluate(cg.trace(Model().score, 2.0))["y"] == 6.0
    assert cg.evaluate(cg.trace(functools.partial(loss, scale=1.0), [0.0], [[1.0]], [0.0]))["y"] == 0.0


@pytest.mark.skipif(not hasattr(np, "trapezoid"), reason="ufuncs say what their parameters are since NumPy 2")
def test_a_function_of_numpy_itself():
    assert cg.evaluate(cg.trace(np.exp, 0.0))["y"] == 1.0


def test_parameters_with_names_that_equations_need():
    G = cg.trace(lambda e, y: e * y, 2.0, 3.0, weights=["e"])
    assert (G.weights, G.inputs, G.outputs) == (["e_"], ["y"], ["y_2"])


def test_a_number_may_be_updated_in_place():
    def f(x):
        total = 0.0
        for k in range(3):
            total += x[k]
        total *= 2
        total -= 1
        total /= 2
        total **= 2
        return total

    G = cg.trace(f, [1.0, 2.0, 3.0])
    assert (G.outputs, cg.evaluate(G)["total_7"]) == (["total_7"], 30.25)


def test_what_is_known_of_a_traced_array():
    def f(x):
        assert (x.shape, x.ndim, x.size, len(x), x.dtype) == ((2, 3), 2, 6, 2, np.float64)
        assert (x > 0).dtype == bool
        assert f"{x.sum():.2f}" == "6.00"
        if not isinstance(x, np.ndarray):
            assert repr(x).startswith("<traced x: [[1.")
            assert repr(x * 2).startswith("<traced array: [[2.")
        rows = [row * 1.0 for row in x]
        return rows[0] + (x > 0).astype(float)[1] + x[1].astype(np.float64)

    np.testing.assert_array_equal(cg.evaluate(cg.trace(f, np.ones((2, 3))))["y"], [3, 3, 3])


def test_a_traced_function_leaves_its_arguments_alone():
    x = np.array([1.0, 2.0])
    cg.trace(lambda x: x * 2, x)
    assert x.flags.writeable


# --- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", REFUSED.values(), ids=[f.__name__ for f in REFUSED])
def test_what_has_no_row_is_refused_with_a_hint(function):
    with pytest.raises(cg.TraceError, match=r"traced_functions.py:\d+: np\.\w+.* cannot be followed; \w+") as caught:
        cg.trace(function, X)
    assert caught.value.hint


def in_place(x):
    y = x
    y += 1
    return x


def entry_set(x):
    y = x * 1
    y[0] = 2
    return y


def entry_of_a_plain_array_set(x):
    out = np.zeros(3)
    out[0] = x[0]
    return out


def row_of_a_plain_array_set(x):
    out = np.zeros((2, 3))
    out[0] = x
    return out


def plain_array_updated(x):
    out = np.zeros(3)
    out += x
    return out


def swallowed(x):
    try:
        return float(x[0]) * x
    except TypeError:
        return x


BAD = [
    (lambda x: x if x.sum() > 0 else -x, "branch", "np.where"),
    (lambda x: x if (x > 0).all() else -x, "branch", "np.where"),
    (lambda x: max(x[0], x[1]), "branch", "np.where"),
    (lambda x: float(x[0]) * x, "plain number", "np.exp"),
    (lambda x: math.exp(x[0]), "plain number", "np.exp"),
    (lambda x: int(x[0]) * x, "whole number", ""),
    (lambda x: round(x[0]) * x, "whole number", ""),
    (lambda x: x[[1, 2, 0][x[0]]], "whole number", ""),
    (lambda x: complex(x[0]) * x, "complex number", "real"),
    (lambda x: array([x[0], x[1]]), "plain one", "np.array"),
    (lambda x: np.sum([x[0], x[1]]), "plain one", "np.array"),
    (lambda x: np.array([x, x], dtype=np.float32), "np.array of float32", "float64"),
    (lambda x: np.array([x, x[:2]]), "does not fit", ""),
    (lambda x: np.random.default_rng(0).normal(x), "plain", ""),
    (lambda x: np.random.default_rng().normal(size=3) * x, "each time", "argument"),
    (lambda x: np.random.default_rng().normal() * x, "each time", "argument"),
    (lambda x: x * 1e-13 * np.random.default_rng().random(), "each time", "argument"),
    (lambda x: x + 1e-20 * np.random.default_rng().random(3), "each time", "argument"),
    (lambda x: x * (2.0 if isinstance(x, np.ndarray) else 3.0), "plain arrays", "isinstance"),
    (lambda x: x[0].item() * x, "plain numbers", ""),
    (lambda x: x.tolist(), "plain numbers", ""),
    (lambda x: 1.0 in x, "'in'", ""),
    (lambda x: x[x > 0], "index", "np.where"),
    (lambda x: C[x > 0], "plain one|whole number", ""),
    (lambda x: np.take(C, x), "plain one", ""),
    (lambda x: x.astype(int), "int64", "float64"),
    (lambda x: x.astype(np.float32), "float32", "float64"),
    (in_place, "in place", "x = x"),
    (entry_set, "entry", "np.array"),
    (entry_of_a_plain_array_set, "plain number", "np.array"),
    (row_of_a_plain_array_set, "plain one", "np.stack"),
    (plain_array_updated, "out=", "y = f"),
    (swallowed, "plain number", ""),
    (lambda x: np.exp(x, where=C > 0), "where=", ""),
    (lambda x: np.add.reduce(x), "np.add.reduce", "np.sum"),
    (lambda x: x.sum(dtype=float), "np.sum cannot be followed with these arguments", "dtype"),
    (lambda x: np.linalg.norm(x, 0), "order 0", ""),
    (lambda x: np.linalg.norm(x[:, None] * x, "nuc"), "order 'nuc'", ""),
    (lambda x: np.cross(x[:2], np.ones(2)), "other than 3", "formula"),
    (lambda x: np.interp(x, np.array([0.0, 0.0]), x[:2]), "do not increase", "sort"),
    (lambda x: np.average(x * A, axis=None, weights=x), "one axis", "axis=0"),
    (lambda x: np.pad(x, 1, mode="mean"), "mode='mean'", "edge"),
    (lambda x: np.pad(x, 1, mode="reflect", reflect_type="odd"), "reflect_type", "even"),
    (lambda x: np.einsum("ij->i", x), "np.einsum fails", "axes"),
    (lambda x: np.einsum("i,i", x), "np.einsum fails", "2 terms for 1"),
    (lambda x: np.linalg.solve(x, x), "a square matrix is needed", ""),
    (lambda x: np.linalg.cholesky(x * np.eye(3)), "positive definite", ""),
    (lambda x: np.linalg.norm(x[:, None] * x, 2), "order 2", ""),
    (lambda x: x & 1, "bitwise_and|of numbers", ""),
    (lambda x: ~x, "of numbers", "compare"),
    (lambda x: np.gradient(x), "np.gradient cannot be followed", "operation"),
    (lambda x: np.sinc(x) * 2, "cannot be followed|plain one", ""),
    (lambda x: x % 0, "undefined", ""),
    (lambda x: x.searchsorted(1.0), "searchsorted", ""),
    (lambda x: x.partition(1), "partition", ""),
    (lambda x: x * x.nbytes, ".nbytes cannot be followed", ""),
    (lambda x: x.byteswap(), ".byteswap cannot be followed", ""),
    (lambda x: np.tile(C, x), "np.tile by a traced value", "select"),
    (lambda x: np.exp(x > 0), "np.exp of conditions is computed in half precision", "1.0 *"),
    (lambda x: np.logaddexp(x > 0, x > 1), "half precision", "1.0 *"),
    (lambda x: np.rad2deg(x > 0), "half precision", "1.0 *"),
    (lambda x: np.reciprocal((x > 0).sum()), "np.reciprocal of whole numbers", "1 / x"),
    (lambda x: np.convolve(x > 0, x > 1), "np.convolve of conditions", "1.0 *"),
    (lambda x: np.einsum("i,i", x > 0, x > 1), "np.einsum of conditions", "1.0 *"),
    (lambda x: (x > 0) - (x > 1), "np.subtract fails", "boolean subtract"),
    (lambda x: x * 1j, "real numbers", ""),
    (lambda x: np.where(C > 0, x, -np.inf), "not finite", ""),
    (lambda x: x * np.array(["a", "b", "c"]), "real numbers|fails", ""),
    (lambda x: x[:0], "the result is empty", ""),
    (lambda x: x @ np.ones(2), "x @ c1 does not fit: x is a vector of 3, c1 is a vector of 2", ""),
    (lambda x: x + np.ones(2), r"x \+ c1 does not fit: x is a vector of 3, c1 is a vector of 2", ""),
    (lambda x: np.log(x - 5), r"log\(-4.7\) in entry \[0\] is undefined", ""),
    (lambda x: np.exp(x * 1000), "overflows", ""),
    (lambda x: x.reshape(2, 2), "np.reshape fails", "size 3"),
    (lambda x: x[5], "an index fails", "out of bounds"),
    (lambda x: np.stack([x, x[:2]]), "does not fit", ""),
    (lambda x: np.linalg.inv(x[:2] * np.ones((2, 2)) * 0), "the matrix is singular", ""),
    (lambda x: np.stack([x] * 4000), "characters", "several steps"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "message", "hint"), BAD, ids=[inspect.getsource(f)[:60].strip() for f, *_ in BAD])
def test_a_refusal_names_the_line_and_why(function, message, hint):
    with pytest.raises(cg.TraceError) as caught:
        cg.trace(function, X)
    error = caught.value
    assert re.search(message, error.message), error.message
    assert hint in error.hint
    if message != "plain arrays":
        lines, start = inspect.getsourcelines(function)
        assert error.file == __file__
        assert start <= error.line < start + len(lines)
        assert error.source == lines[error.line - start].strip()
        assert str(error).startswith(f"{__file__}:{error.line}: {error.message}")
        assert f"{error.line} | " in str(error)


def test_the_line_is_that_of_the_statement():
    first = inspect.getsourcelines(in_place)[1]
    with pytest.raises(cg.TraceError) as caught:
        cg.trace(in_place, X)
    assert (caught.value.line, caught.value.source) == (first + 2, "y += 1")


def test_a_library_that_asks_for_plain_arrays_is_reported_where_it_is_called():
    def f(x):
        y = x * 2
        return np.polyval(np.poly1d([1, 2]), np.random.default_rng(0).permutation(y))

    with pytest.raises(cg.TraceError) as caught:
        cg.trace(f, X)
    assert caught.value.source.startswith("return np.polyval")


@pytest.mark.parametrize(
    ("function", "arrays", "options", "message"),
    [
        (lambda x: None, [1.0], {}, "returns None"),
        (lambda x: {}, [1.0], {}, "returns nothing"),
        (lambda x: {1: x}, [1.0], {}, "the key 1"),
        (lambda x: [[x]], [1.0], {}, "returns"),
        (lambda x: 5.0, [1.0], {}, "'y' of <lambda> does not depend"),
        (lambda x: (x, np.ones(2)), [1.0], {}, "'y2' of <lambda> does not depend"),
        (lambda x: x, [], {}, "missing a required argument: 'x'"),
        (lambda x: x, [1, 2], {}, "too many"),
        (lambda x: x, ["a"], {}, "'x' is 'a', which is not a number"),
        (lambda x: x, [[[1], [2, 3]]], {}, "which is ragged"),
        (lambda x: x, [np.inf], {}, "not finite"),
        (lambda x: x, [np.zeros(0)], {}, "which is empty"),
        (lambda xs, W: xs, [1.0, 2.0], {"weights": ["w"]}, "the weight 'w' is no parameter"),
        (lambda xs, W=1: xs, [1.0], {"weights": ["W"]}, "its parameters are xs"),
        (iter, [1.0], {}, "does not say what its parameters are"),
    ],
)
def test_calls_that_cannot_be_traced(function, arrays, options, message):
    with pytest.raises(cg.TraceError, match=re.escape(message)):
        cg.trace(function, *arrays, **options)


def test_functions_that_only_other_libraries_have():
    cube = np.frompyfunc(lambda v: v**3, 1, 1)
    with pytest.raises(cg.TraceError, match=r"<lambda> \(vectorized\) cannot be followed"):
        cg.trace(lambda x: cube(x), X)


def test_an_array_of_another_trace_is_refused():
    kept = []

    def leak(x):
        kept.append(x)
        return x * 2

    cg.trace(leak, X)
    with pytest.raises(cg.TraceError, match="another trace"):
        cg.trace(lambda x: x * kept[0], X)


def test_an_error_of_the_function_itself_is_left_alone():
    with pytest.raises(KeyError, match="missing"):
        cg.trace(lambda x: x * {}["missing"], X)


def test_a_traced_array_has_no_attributes_that_arrays_have_not():
    with pytest.raises(AttributeError, match="no attribute 'sums'"):
        cg.trace(lambda x: x.sums(), X)
    assert cg.evaluate(cg.trace(lambda x: x * (2.0 if hasattr(x, "sums") else 3.0), 1.0))["y"] == 3.0


# --- random programs ------------------------------------------------------------------------------------------------

# Each makes a 2 x 2 matrix of two such, bounded, and takes complex numbers, for a complex step.
INSTRUCTIONS = [
    lambda a, b: a + b,
    lambda a, b: a - 2 * b,
    lambda a, b: np.sin(a) * b,
    lambda a, b: np.tanh(a @ b),
    lambda a, b: a / (2 + np.cos(b)),
    lambda a, b: np.exp(-np.square(a)),
    lambda a, b: a.T + b.mean(axis=0),
    lambda a, b: a[::-1] * b.sum(axis=1, keepdims=True) / 4,
    lambda a, b: np.stack([a[0], b[:, 1]]),
    lambda a, b: np.concatenate([a, b], axis=1)[:, [1, 2]],
    lambda a, b: np.sqrt(1.5 + np.sin(a)) - b[0],
    lambda a, b: np.outer(a[0], b[1]) / 3,
    lambda a, b: np.where(np.arange(2) > 0, a, np.arctan(b)),
    lambda a, b: np.reshape(a, 4)[None, :3].repeat(2, axis=0)[:, 1:] + b.trace() / 2,
    lambda a, b: np.linalg.inv(3 * np.eye(2) + np.tanh(a)) @ b,
]
PROGRAMS = st.lists(
    st.tuples(st.integers(0, len(INSTRUCTIONS) - 1), st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=8
)
MATRICES = st.lists(st.floats(-1.5, 1.5), min_size=4, max_size=4).map(lambda x: np.reshape(x, (2, 2)))


def run(program, a, b):
    made = [a, b]
    for instruction, first, second in program:
        made.append(INSTRUCTIONS[instruction](made[first % len(made)], made[second % len(made)]))
    return np.tanh(made[-1]).sum() + made[-1]


@given(PROGRAMS, MATRICES, MATRICES)
def test_random_programs_have_their_own_value_and_derivatives(program, a, b):
    f = functools.partial(run, program)
    G = cg.trace(f, a, b)
    np.testing.assert_array_equal(cg.evaluate(G)["y"], f(a, b))
    L = cg.linearize(G)
    for name in "ab":
        columns = []
        for place in range(4):
            step = np.zeros(4, complex)
            step[place] = 1e-30j
            moved = {"a": a, "b": b}
            moved[name] = moved[name] + step.reshape(2, 2)
            columns.append(np.imag(f(**moved)).ravel() / 1e-30)
        ours = cg.jacobian(L, [name], ["y"])
        np.testing.assert_allclose(ours, np.stack(columns, axis=1), rtol=1e-9, atol=1e-9 * (1 + abs(ours).max()))


def test_copies_of_a_traced_array_are_the_array():
    G = cg.trace(lambda x: copy.deepcopy(x) * copy.copy([x])[0] + copy.deepcopy([x])[0], X)
    assert equations(G) == {"t1": "x * x", "y": "t1 + x"}


def test_the_constructors_of_numpy_are_left_as_they_were():
    constructors = np.array, np.asarray
    cg.trace(lambda x: cg.evaluate(cg.trace(lambda y: np.array([y, y]), 1.0))["y"] + np.asarray([x, x]), 1.0)
    with pytest.raises(cg.TraceError):
        cg.trace(lambda x: np.array([x, x], dtype=int), 1.0)
    assert (np.array, np.asarray) == constructors


def test_halves_are_rounded_to_even_numbers():
    points = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.49999999999999994, 4503599627370497.0])
    G = cg.trace(lambda x: np.rint(x), points * 0.9)
    np.testing.assert_array_equal(cg.evaluate(G, {"x": points})["y"], np.rint(points))


def test_a_long_loop():
    def f(x):
        for _ in range(3000):
            x = x + 0.001 * np.sin(x)
        return x

    G = cg.trace(f, 1.0)
    assert G.number_of_nodes() == 9001
    assert cg.evaluate(G)[G.outputs[0]] == f(np.float64(1.0))
