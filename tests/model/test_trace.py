"""Functions written with NumPy, traced: every rule, every refusal, random programs."""

# ruff: noqa: ARG005, PLW0108, RET504 - the functions are there to be traced

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

import cgraph as cg
from cgraph.model.language.expressions import Apply
from cgraph.model.language.parsing import parse
from cgraph.model.tracing.numpy_functions import RULES
from cgraph.model.tracing.recording import name_of

X = np.array([0.3, -0.7, 1.9])
P = np.array([0.2, 0.5, 0.9])
A = np.array([[1.5, -0.4, 0.3], [0.2, 2.1, -0.6], [-0.9, 0.8, 1.7]])
B = np.array([[0.3, 1.2], [-0.5, 0.7], [2.2, -1.1]])
T = np.arange(24.0).reshape(2, 3, 4) / 7 - 1.3
C = np.array([2.0, -1.0, 0.5])

# What is swept: the function that has a rule, a function that uses it, its arguments. `np` is NumPy or jax.numpy.
CASES = [
    (np.add, lambda np, x, a: x + a + C + 2, (X, A)),
    (np.subtract, lambda np, x, a: 1 - (x - a) - C, (X, A)),
    (np.multiply, lambda np, x, a: -2 * x * a * 3.5e-7, (X, A)),
    (np.divide, lambda np, x, a: x / a / C, (X, A)),
    (np.negative, lambda np, x: -x, (X,)),
    (np.positive, lambda np, x: +x * 2, (X,)),
    (np.power, lambda np, x, p: np.power(p, x) + p**2 + x**-1 + 2**x + 0.5**x, (X, P)),
    (np.float_power, lambda np, p: np.float_power(p, 1.5), (P,)),
    *[(getattr(np, name), lambda np, x, name=name: getattr(np, name)(x), (X,))
      for name in ("square", "reciprocal", "exp", "sin", "cos", "tan", "arctan", "sinh", "cosh", "tanh", "arcsinh",
                   "absolute", "fabs", "exp2", "sign")],
    *[(getattr(np, name), lambda np, p, name=name: getattr(np, name)(p), (P,))
      for name in ("log", "log2", "log10", "sqrt", "arcsin", "arccos", "arctanh")],
    (np.arccosh, lambda np, p: np.arccosh(p + 1), (P,)),
    (np.conjugate, lambda np, x: x.conj() * 2, (X,)),
    (np.copy, lambda np, x: x.copy() * np.copy(x), (X,)),
    *[(getattr(np, name), lambda np, x, a, name=name: getattr(np, name)(x, a) + getattr(np, name)(x, -2.0), (X, A))
      for name in ("maximum", "minimum", "fmax", "fmin")],
    (np.greater, lambda np, x, a: (x > a) * x, (X, A)),
    (np.less, lambda np, x, a: np.where(x < 0.5, x, a), (X, A)),
    (np.greater_equal, lambda np, x, a: (1 - (x >= a)) * x, (X, A)),
    (np.less_equal, lambda np, x: (x <= 0.5).sum() * x, (X,)),
    (np.logical_and, lambda np, x: np.logical_and(x > 0, x < 1) * x, (X,)),
    (np.bitwise_and, lambda np, x: ((x > 0) & (C > 0)) * x, (X,)),
    (np.logical_or, lambda np, x: np.logical_or(x > 1, x < 0) * x, (X,)),
    (np.bitwise_or, lambda np, x: ((x > 1) | (x < 0)) * x, (X,)),
    (np.logical_not, lambda np, x: np.logical_not(x > 1) * x, (X,)),
    (np.invert, lambda np, x: ~(x > 1) * x, (X,)),
    (np.where, lambda np, x, a: np.where(C > 0, x, a) + np.where(x > 0, 1.0, x), (X, A)),
    (np.where, lambda np, x, a: np.where(x[0] > 0, x, a) + np.where(x[1] > 0, x, 1.0) + np.where(x > 0, 1.0, x), (X, A)),
    (np.where, lambda np, x, a: np.where(x[0] > x[1], x[1], 2.0) * np.where(True, x, a), (X, A)),
    (np.clip, lambda np, x: np.clip(x, -0.5, 1.0) + x.clip(0.0), (X,)),
    (np.clip, lambda np, x: np.clip(x, None, 1.0), (X,)),
    (np.logaddexp, lambda np, x, a: np.logaddexp(0.0, x) + np.logaddexp(x, a), (X, A)),
    (np.matmul, lambda np, x, a, b: x @ a @ b + (a @ b).T @ x, (X, A, B)),
    (np.matmul, lambda np, t, b: t.transpose(0, 2, 1) @ b, (T, B)),
    (np.dot, lambda np, x, a, b: x.dot(C) + np.dot(a, b) + np.dot(x, 2.0)[0], (X, A, B)),
    (np.inner, lambda np, x: np.inner(x, C) * x, (X,)),
    (np.vdot, lambda np, a: np.vdot(a, a), (A,)),
    (np.outer, lambda np, x, b: np.outer(x, b), (X, B)),
    (np.trace, lambda np, a: a.trace() + np.trace(a), (A,)),
    (np.linalg.det, lambda np, a: np.linalg.det(a), (A,)),
    (np.linalg.inv, lambda np, a: np.linalg.inv(a), (A,)),
    (np.linalg.norm, lambda np, x, a: np.linalg.norm(x) + np.linalg.norm(a, axis=1) + np.linalg.norm(x, 1), (X, A)),
    (np.linalg.norm, lambda np, x, a: np.linalg.norm(a, "fro") + np.linalg.norm(x, 2, keepdims=True), (X, A)),
    (np.linalg.norm, lambda np, a: np.linalg.norm(a, 1, axis=0) + np.linalg.norm(a, 2, 1), (A,)),
    *[(getattr(np, name), lambda np, t, name=name, how=how: getattr(np, name)(t, axis=how[0], keepdims=how[1]), (T,))
      for name in ("sum", "mean", "max", "min", "var", "std")
      for how in [(None, False), (1, False), (-1, True), ((0, 2), False), ((0, -1), True), (None, True)]],
    (np.amax, lambda np, t: np.amax(t, axis=1), (T,)),
    (np.amin, lambda np, t: np.amin(t), (T,)),
    (np.sum, lambda np, t: t.sum(0) + t.sum(axis=0), (T,)),
    (np.max, lambda np, t: t.max(keepdims=True) + t.min(1) + t.mean() + t.std() + t.var(), (T,)),
    # parts of arrays
    *[(operator.getitem, lambda np, t, key=key: t[key] * 2, (T,))
      for key in (0, -1, (1, 2, 3), np.s_[:, 1], np.s_[:, None, ::2], np.s_[..., -1], np.s_[::-1], np.s_[None], np.s_[:],
                  np.s_[..., None, :], np.s_[1, ..., 1:3], np.s_[:, np.array([2, 0, 0])], np.array([[0, 1], [1, 0]]),
                  (np.array([0, 1]), np.array([2, 0])), np.s_[np.array([0, 1]), :, np.array([3, 0])],
                  np.s_[np.array([0, 1]), None, np.array([2, 0])], np.s_[:, np.array([0, 1]), None, np.array([2, 0])], T > 0, np.s_[:, np.array([True, False, True])],
                  (np.array([[0], [1]]), np.array([2, 0])), np.int64(1), np.s_[np.int64(0) : np.int64(1)])],
    (operator.getitem, lambda np, p: p[np.arange(3), np.array([1, 0, 1])], (B,)),
    (operator.getitem, lambda np, x: x.sum()[None] * x[0][None, None], (X,)),
    (operator.getitem, lambda np, b: sum(row @ row for row in b), (B,)),
    (np.reshape, lambda np, t: t.reshape(4, 6) @ t.reshape((6, -1)), (T,)),
    (np.reshape, lambda np, t: np.reshape(t, (4, 6), order="F"), (T,)),
    (np.ravel, lambda np, t: t.ravel() * t.flatten() + np.ravel(t), (T,)),
    (np.squeeze, lambda np, x: np.squeeze(x[None, :, None]) + x[None].squeeze(0), (X,)),
    (np.squeeze, lambda np, x: np.squeeze(x[:1]) * x[None, 1:2].squeeze() + x[2:3].reshape(()), (X,)),
    (np.expand_dims, lambda np, x: np.expand_dims(x, (0, 2)), (X,)),
    (np.atleast_1d, lambda np, x: np.atleast_1d(x.sum()), (X,)),
    (np.atleast_2d, lambda np, x: np.atleast_2d(x), (X,)),
    (np.atleast_3d, lambda np, x: np.atleast_3d(x), (X,)),
    (np.flip, lambda np, t: np.flip(t, 1), (T,)),
    (np.flipud, lambda np, t: np.flipud(t), (T,)),
    (np.fliplr, lambda np, t: np.fliplr(t), (T,)),
    (np.roll, lambda np, t: np.roll(t, 2, axis=1), (T,)),
    (np.rot90, lambda np, b: np.rot90(b), (B,)),
    (np.repeat, lambda np, b: np.repeat(b, 2, axis=0) + b.repeat(2, axis=0), (B,)),
    (np.tile, lambda np, b: np.tile(b, (2, 1)), (B,)),
    (np.take, lambda np, b: np.take(b, np.array([2, 0]), axis=0), (B,)),
    (np.take, lambda np, b: np.take(b, 3) * b.take(-1) * np.take(b[0], 1), (B,)),
    (np.diagonal, lambda np, a: np.diagonal(a) * a.diagonal(1)[0], (A,)),
    (np.broadcast_to, lambda np, x: np.broadcast_to(x, (2, 3)), (X,)),
    (np.transpose, lambda np, b, t: t.transpose() @ b.T + np.transpose(t, (2, 1, 0)) @ b.transpose(1, 0), (B, T)),
    (np.transpose, lambda np, x, t: t.transpose((2, 0, 1)) @ x.T, (X, T)),
    (np.swapaxes, lambda np, t: t.swapaxes(0, 1) * 2, (T,)),
    (np.moveaxis, lambda np, t: np.moveaxis(t, 0, -1), (T,)),
    (np.concatenate, lambda np, a, b: np.concatenate([a, b, C[:, None]], axis=1), (A, B)),
    (np.concatenate, lambda np, a, b: np.concatenate((a, b), axis=None), (A, B)),
    (np.stack, lambda np, x: np.stack([x, C, x * x], axis=1) @ np.stack([x[0], 2.0, x[1]]), (X,)),
    (np.vstack, lambda np, x, a: np.vstack([x, a]), (X, A)),
    (np.hstack, lambda np, x, b: np.hstack([b, b * 2]).sum() * np.hstack([x, x[1]]), (X, B)),
    (np.column_stack, lambda np, x, b: np.column_stack([x, b]), (X, B)),
    (np.shape, lambda np, b: b.reshape(np.shape(b)[::-1]) * b.shape[0], (B,)),
    (np.ndim, lambda np, b: b * np.ndim(b) * b.ndim, (B,)),
    (np.size, lambda np, b: b / np.size(b) / b.size / len(b), (B,)),
    (np.expm1, lambda np, x: np.expm1(x), (X,)),
    (np.log1p, lambda np, x: np.log1p(abs(x)), (X,)),
    (np.hypot, lambda np, x: np.hypot(x, 2.0), (X,)),
    (np.arctan2, lambda np, x: np.arctan2(x, 2.0), (X,)),
    (np.zeros_like, lambda np, x: np.maximum(x, np.zeros_like(x)), (X,)),
    (np.ones_like, lambda np, x: np.ones_like(x) - x, (X,)),
]  # fmt: skip
REFUSED = {
    np.einsum: lambda x: np.einsum("i,i", x, x),
    np.linalg.solve: lambda x: np.linalg.solve(A, x),
    np.equal: lambda x: (x == 1) * x,
    np.not_equal: lambda x: (x != 1) * x,
    np.floor_divide: lambda x: x // 2,
    **{f: lambda x, f=f: f(x) for f in (
        np.prod, np.floor, np.ceil, np.rint, np.trunc, np.round, np.argmax, np.argmin, np.sort,
        np.argsort, np.nonzero)},
}  # fmt: skip
# Their rows compute the same in another way; everything else agrees to the last bit.
ROUNDED = {np.linalg.norm, np.logaddexp, np.exp2, np.power, np.float_power}


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
        np.testing.assert_allclose(value, f(*arrays), rtol=1e-15, atol=0)
    else:
        np.testing.assert_array_equal(value, f(*arrays))
    assert set(map(operations_in, equations(G).values())) <= {1}
    for ours, numerical in zip(jacobians(G), central_differences(f, arrays), strict=True):
        np.testing.assert_allclose(ours, numerical, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("case", {case[0]: case for case in CASES}.values(), ids=ids)
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
    with pytest.raises(cg.TraceError, match=r"test_trace.py:\d+: np\.\w+.* cannot be followed; \w+") as caught:
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
    (lambda x: x if (x > 0).all() else -x, "np.all cannot be followed", ""),
    (lambda x: max(x[0], x[1]), "branch", "np.where"),
    (lambda x: float(x[0]) * x, "plain number", "np.exp"),
    (lambda x: math.exp(x[0]), "plain number", "np.exp"),
    (lambda x: int(x[0]) * x, "whole number", ""),
    (lambda x: round(x[0]) * x, "whole number", ""),
    (lambda x: x[[1, 2, 0][x[0]]], "whole number", ""),
    (lambda x: complex(x[0]) * x, "complex number", "real"),
    (lambda x: np.array([x[0], x[1]]), "plain one", "np.stack"),
    (lambda x: np.asarray(x), "plain one", "np.stack"),
    (lambda x: np.sum([x[0], x[1]]), "plain one", "np.stack"),
    (lambda x: np.random.default_rng(0).normal(x), "plain", ""),
    (lambda x: np.random.default_rng().normal(size=3) * x, "each time", "argument"),
    (lambda x: np.random.default_rng().normal() * x, "each time", "argument"),
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
    (entry_set, "entry", "np.stack"),
    (entry_of_a_plain_array_set, "plain number", "np.stack"),
    (row_of_a_plain_array_set, "plain one", "np.stack"),
    (plain_array_updated, "out=", "y = f"),
    (swallowed, "plain number", ""),
    (lambda x: np.exp(x, where=C > 0), "where=", ""),
    (lambda x: np.add.reduce(x), "np.add.reduce", "np.sum"),
    (lambda x: x.sum(dtype=float), "np.sum cannot be followed with these arguments", "dtype"),
    (lambda x: np.dot(x, np.ones((2, 3, 2))), "two axes", "@"),
    (lambda x: np.inner(x, A), "matrices", "@"),
    (lambda x: np.linalg.norm(x, 3), "order 3", ""),
    (lambda x: np.linalg.norm(x[:, None] * x, 2), "order 2", ""),
    (lambda x: x & 1, "bitwise_and|of numbers", ""),
    (lambda x: ~x, "of numbers", "compare"),
    (lambda x: np.gradient(x), "np.gradient cannot be followed", "operation"),
    (lambda x: np.sinc(x) * 2, "cannot be followed|plain one", ""),
    (lambda x: x % 2, "np.remainder cannot be followed", ""),
    (lambda x: x.searchsorted(1.0), "searchsorted", ""),
    (lambda x: x.partition(1), "partition", ""),
    (lambda x: x * x.nbytes, ".nbytes cannot be followed", ""),
    (lambda x: x.byteswap(), ".byteswap cannot be followed", ""),
    (lambda x: np.tile(C, x), "np.tile by a traced value", "select"),
    (lambda x: (x > 0) + (x > 1), "np.add cannot be followed", "in NumPy"),
    (lambda x: x * 1j, "real numbers", ""),
    (lambda x: np.where(C > 0, x, -np.inf), "not finite", ""),
    (lambda x: x * np.array(["a", "b", "c"]), "real numbers|fails", ""),
    (lambda x: x[:0], "nothing is left of it", ""),
    (lambda x: x @ np.ones(2), "x @ c1 does not fit: x is a vector of 3, c1 is a vector of 2", ""),
    (lambda x: x + np.ones(2), r"x \+ c1 does not fit: x is a vector of 3, c1 is a vector of 2", ""),
    (lambda x: np.log(x - 5), r"log\(-4.7\) in entry \[0\] is undefined", ""),
    (lambda x: np.exp(x * 1000), "overflows", ""),
    (lambda x: x.reshape(2, 2), "np.reshape fails", "size 3"),
    (lambda x: x[5], "an index fails", "out of bounds"),
    (lambda x: np.stack([x, x[:2]]), "does not fit", ""),
    (lambda x: np.linalg.inv(x[:2] * np.ones((2, 2)) * 0), "the matrix is singular", ""),
    (lambda x: np.broadcast_to(x, (3000, 3)) * 1, "characters", "slices"),
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


def test_a_long_loop():
    def f(x):
        for _ in range(3000):
            x = x + 0.001 * np.sin(x)
        return x

    G = cg.trace(f, 1.0)
    assert G.number_of_nodes() == 9001
    assert cg.evaluate(G)[G.outputs[0]] == f(np.float64(1.0))
