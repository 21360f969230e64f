"""The calls of NumPy that autograd's own tests make, traced: values and gradients are compared with autograd's.

A row is a test of autograd (HIPS/autograd, tests/test_numpy.py, test_systematic.py, test_linalg.py, test_scalar_ops.py,
test_binary_ops.py), by its name there; the calls are written anew. Tests of complex numbers, of Fourier transforms and of
autograd's own containers are left out: a graph holds real arrays.
"""

# ruff: noqa: ARG005, N802 - the functions are there to be traced; R is what the rows are made of

import functools
import itertools
import operator

import numpy as np
import pytest

import cgraph as cg

RNG = np.random.default_rng(5)


def R(*shape):
    return RNG.normal(size=shape)


def positive(*shape):
    return RNG.uniform(0.3, 0.9, size=shape)


def definite(*shape):
    A = R(*shape)
    return A @ np.swapaxes(A, -1, -2) + 5 * np.eye(shape[-1])


def each(function, *arrays):
    """Return the calls of a function on each combination of arrays."""
    return [(function, chosen) for chosen in itertools.product(*arrays)]


def named(name, *arrays, **options):
    """Return the calls of NumPy's function of a name, with each combination of arrays and options."""
    choices = [dict(zip(options, values, strict=True)) for values in itertools.product(*options.values())]
    return [call for chosen in choices
            for call in each(lambda np, *x, chosen=chosen: find(np, name)(*x, **chosen), *arrays)]  # fmt: skip


def find(np, name):
    return functools.reduce(getattr, name.split("."), np)


def symmetric(function):
    """Return a function of a symmetric matrix as one of its lower triangle."""
    return lambda np, A: function(np, (np.tril(A) + np.swapaxes(np.tril(A), -1, -2)) / 2)


ANY, UNIT = [0.4, R(3), R(2, 3)], [0.4, positive(3), positive(2, 3)]
PAIRS = [0.7, positive(1), positive(3), positive(2, 1), positive(2, 3)]
STATISTICS = [R(3), R(3, 4), R(1, 3)]
TENSOR = R(3, 4, 2)

# fmt: off
TESTS = {
    # along axes
    **{name: named(name, STATISTICS, axis=[None, -1], keepdims=[True, False]) for name in ("max", "min", "sum", "mean", "prod", "var", "std", "all", "any")},
    **{f"{name}_ddof": named(name, STATISTICS, axis=[None], keepdims=[True, False], ddof=[0, 1]) for name in ("var", "std")},
    "sum_with_axis_tuple": named("sum", [TENSOR], axis=[(1, 2)]),
    "max_axis": named("max", [TENSOR], axis=[1]), "max_axis_keepdims": named("max", [TENSOR], axis=[1], keepdims=[True]),
    "min_axis": named("min", [TENSOR], axis=[1]), "min_axis_keepdims": named("min", [TENSOR], axis=[1], keepdims=[True]),
    "cumsum": named("cumsum", [R(4, 3)], axis=[0]), "cumsum_1d": named("cumsum", [R(5)]), "cumsum_no_axis": named("cumsum", [R(4, 3)]),
    "non_numpy_sum": each(lambda np, x, y: sum([x, y]), [R(2, 3)], [R(2, 3)]),
    # of one operand
    **{name: named(name, UNIT) for name in (
        "abs", "absolute", "fabs", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arctanh", "exp", "exp2",
        "expm1", "log", "log2", "log10", "log1p", "sqrt", "square", "reciprocal", "negative", "sign", "floor", "ceil", "deg2rad", "degrees", "rad2deg",
        "radians", "real", "real_if_close", "imag", "conj", "angle", "sinc", "nan_to_num")},
    "arccosh": each(lambda np, x: np.arccosh(x + 1), UNIT),
    # of two operands
    **{name: named(name, PAIRS, PAIRS) for name in (
        "add", "subtract", "multiply", "divide", "true_divide", "power", "logaddexp", "logaddexp2", "hypot", "arctan2")},
    **{name: named(name, PAIRS, [0.5, R(3), R(2, 3)]) for name in ("maximum", "minimum", "fmax", "fmin")},
    **{name: named(name, PAIRS, [-1.3, positive(3) + 1.1, R(2, 3) + 4]) for name in ("mod", "remainder")},
    **{f"op_{name}": each(lambda np, x, y, name=name: getattr(operator, name)(x, y), PAIRS, PAIRS)
       for name in ("add", "sub", "mul", "truediv", "pow")},
    "op_mod": each(lambda np, x, y: x % y, PAIRS, [1.3, -1.3]), "op_neg": each(lambda np, x: -x, PAIRS),
    "pow_const": each(lambda np, x: x**2 + x**3.0 + 2.0**x, PAIRS),
    "comparisons": each(lambda np, x: np.sum(x * (x > 0.5) + x * (x < 0.5) + x * (x >= 2)), UNIT),
    # products
    "dot": named("dot", [1.5, R(3), R(2, 3)], [0.3, R(3), R(3, 4)]),
    "dot_method": each(lambda np, x, y: np.dot(x[:2], x[2:]) + np.dot(y, 2.0)[0], [R(4)], [R(3)]),
    "outer": named("outer", [R(3)], [R(4)]), "inner": named("inner", [R(3), R(2, 3)], [R(3), R(4, 3)]),
    "matmul": [(lambda np, x, y: np.matmul(x, y), pair) for pair in [
        (R(3), R(3)), (R(2, 3), R(3)), (R(3), R(3, 2)), (R(2, 3), R(3, 4)), (R(5, 2, 3), R(3, 4)), (R(5, 2, 3), R(5, 3, 4)), (R(3), R(5, 3, 4))]],
    "tensordot_1": named("tensordot", [R(1, 3), R(2, 3, 2)], [R(3), R(3, 1), R(3, 4, 2)], axes=[[(1,), (0,)]]),
    "tensordot_2": named("tensordot", [R(3), R(3, 1), R(3, 4, 2)], [R(1, 3), R(2, 3, 2)], axes=[[(0,), (1,)]]),
    "tensordot_3": named("tensordot", [R(2, 3), R(2, 3, 4)], [R(1, 2, 3), R(2, 2, 3, 4)], axes=[[(0, 1), (1, 2)], [(1, 0), (2, 1)]]),
    "tensordot_4": named("tensordot", [R(2, 2), R(4, 2, 2)], [R(2, 2), R(2, 2, 4)], axes=[1, 2]),
    "tensordot_5": named("tensordot", [R(4)], [R(3)], axes=[0]),
    "kron": named("kron", [R(5), R(1, 5), R(5, 1), R(2, 3)], [R(7), R(1, 4), R(3, 2)]),
    "einsum_transpose": each(lambda np, x: np.einsum("ij->ji", x), [R(1, 1), R(4, 4), R(3, 4)]),
    "einsum_matmult": each(lambda np, x, y: np.einsum("ij,jk->ik", x, y), [R(2, 3)], [R(3, 4)]),
    "einsum_covsum": each(lambda np, x, y: np.einsum("ijk,lji->lki", x, y), [R(3, 4, 4)], [R(4, 4, 3)]),
    "einsum_ellipses": each(lambda np, x, y: np.einsum("...jk,...lj->...lk", x, y), [R(3, 4, 4)], [R(3, 4, 4), R(4, 4)]),
    "einsum_ellipses_tail": each(lambda np, x, y: np.einsum("jk...,lj...->lk...", x, y), [R(4, 4, 3)], [R(4, 4, 3)]),
    "einsum_ellipses_center": each(lambda np, x, y: np.einsum("j...k,lj...->lk...", x, y), [R(4, 3, 4)], [R(4, 4, 3)]),
    "einsum_three_args": each(lambda np, x, y, z: np.einsum("ijk,lji,lki->lki", x, y, z), [R(3, 4, 4)], [R(4, 4, 3)], [R(4, 4, 3)]),
    "einsum2_transpose": each(lambda np, x: np.einsum(x, (0, 1), (1, 0)), [R(3, 4)]),
    "einsum2_matmult": each(lambda np, x, y: np.einsum(x, (0, 1), y, (1, 2), (0, 2)), [R(2, 3)], [R(3, 4)]),
    "einsum2_three_args": each(lambda np, x, y: np.einsum(x, (0, 1, 2), y, (3, 1, 0), (3, 2, 0)), [R(3, 4, 4)], [R(4, 4, 3)]),
    "cross": each(lambda np, x, y: np.cross(x, y), [R(5, 3)], [R(5, 3)]),
    "cross_axes": each(lambda np, x, y: np.cross(x, y, axisa=0, axisb=-1, axisc=0), [R(3, 4)], [R(4, 3)]),
    # entries, shapes
    "index_ints": each(lambda np, x: x[2, 0, 1], [TENSOR]), "index_slice": each(lambda np, x: x[::-1, 2:4, :], [TENSOR]),
    "index_lists": each(lambda np, x: x[[0, 1, 2], :, :], [TENSOR]), "index_mixed": each(lambda np, x: x[1, 2:, [1, 0]], [TENSOR]),
    "vector_slice": each(lambda np, x: x[2:4], [R(5)]), "index_slice_fanout": each(lambda np, x: x[::-1, 2:4] + x[::-1, 1:3], [TENSOR]),
    "index_multiple_slices": each(lambda np, x: x[2:6][1:3], [R(7)]), "multi_index": each(lambda np, x: np.sum(x[[0, 0]]), [R(3)]),
    "multi_index2": each(lambda np, x: np.sum(x[[0, 1, 0]]), [R(3)]), "index_dot_slices": each(lambda np, x: np.dot(x[:2], x[2:]), [R(4)]),
    "advanced_indexing": each(lambda np, x: x[np.array([[0, 1], [2, 0]])] + x[np.array([True, False, True])][0], [R(3)]),
    "reshape_method": each(lambda np, x: x.reshape((12, 2)), [TENSOR]), "reshape_method_nolist": each(lambda np, x: x.reshape(12, 2), [TENSOR]),
    "reshape_call": each(lambda np, x: np.reshape(x, (12, 2)), [TENSOR]), "ravel_method": each(lambda np, x: x.ravel(), [TENSOR]),
    "ravel_call": named("ravel", [TENSOR]), "flatten_method": each(lambda np, x: x.flatten(), [TENSOR]),
    "flipud": named("flipud", [R(4, 3)]), "fliplr": named("fliplr", [R(4, 3)]), "rot90": named("rot90", [R(4, 3)]),
    "roll": named("roll", [R(4, 5)], shift=[2], axis=[1, None]),
    "transpose": named("transpose", [TENSOR], axes=[None, [0, 2, 1], [2, 0, 1], [1, 2, 0]]),
    "T": each(lambda np, x: x.T, [R(3, 2)]), "swapaxes": each(lambda np, x: np.swapaxes(x, 0, 2), [TENSOR]),
    "moveaxis": each(lambda np, x: np.moveaxis(x, 0, -1), [TENSOR]), "rollaxis": each(lambda np, x: np.rollaxis(x, 2), [TENSOR]),
    "squeeze_func": named("squeeze", [R(3, 1, 2)]), "squeeze_method": each(lambda np, x: x.squeeze(), [R(3, 1, 2)]),
    "expand_dims": named("expand_dims", [R(3, 1, 2)], axis=[2, 0]), "broadcast_to": each(lambda np, x: np.broadcast_to(x, (2, 3)), [R(1, 3), R(2, 1)]),
    "repeat": named("repeat", [R(3), R(3, 2)], repeats=[1, 2], axis=[0, None]), "tile": named("tile", [R(2, 3)], reps=[(2, 1), (2, 3)]),
    "diagonal_axes": each(lambda np, x: np.diagonal(x, axis1=-1, axis2=-2), [R(3, 4, 4)]),
    "diag": named("diag", [R(3), R(4, 4)], k=[-1, 0, 1]), "trace": named("trace", [R(5, 5), R(4, 5), R(5, 4)], offset=[-1, 0, 1]),
    "trace_extradims": named("trace", [R(4, 5, 2)], offset=[1]),
    "triu": named("triu", [R(5, 5), R(2, 3, 3)], k=[0, 2]), "tril": named("tril", [R(5, 5), R(2, 3, 3)], k=[0, 2]),
    "atleast_1d": named("atleast_1d", [1.2, R(1), R(1, 4)]), "atleast_2d": named("atleast_2d", [1.2, R(3), R(1, 4)]), "atleast_3d": named("atleast_3d", [1.2, R(3), R(1, 4)]),
    "sort": named("sort", [R(1), R(7)]), "partition": named("partition", [R(7), R(14)], kth=[0, 3, 6]),
    "select": each(lambda np, x: np.select([x < 0, x > 1], [x, x**2]), [R(6)]), "where": each(lambda np, x, y: np.where(R22 > 0, x, y), [R(2, 2)], [R(2, 2)]),
    "clip": named("clip", [R(5, 5)], a_min=[0.1], a_max=[1.1]), "diff": named("diff", [R(5, 5)], n=[1, 2], axis=[0, 1]), "gradient": named("gradient", [R(5)]),
    "pad": named("pad", [R(2, 3)], pad_width=[1, ((1, 0), (0, 2))], mode=["constant"]), "linspace": each(lambda np, x, y: np.linspace(x, y, 5), [1.2], [3.4, -3.4]),
    # joining and making
    "concatenate": each(lambda np, x, y: np.concatenate((x, y, x)), [R(2, 3)], [R(1, 3)]), "concatenate_axis_1": each(lambda np, x, y: np.concatenate((x, y), 1), [R(2, 3)], [R(2, 1)]),
    **{name: each(lambda np, x, y, name=name: find(np, name)([x, y]), [R(2, 3)], [R(2, 3)]) for name in ("stack", "vstack", "hstack", "column_stack", "dstack", "array")},
    "row_stack": each(lambda np, x, y: np.row_stack([x, y]), [R(3)], [R(3)]), "append": each(lambda np, x, y: np.append(x, y), [R(3)], [R(2, 2)]),
    "array_split": each(lambda np, x: np.concatenate(np.array_split(x, 3)[1:]), [R(7)]), "split": each(lambda np, x: np.split(x, 2, axis=1)[0], [R(3, 4)]),
    "vsplit": each(lambda np, x: np.vsplit(x, 2)[1], [R(4, 3)]), "hsplit": each(lambda np, x: np.hsplit(x, 2)[1], [R(4, 4)]), "dsplit": each(lambda np, x: np.dsplit(x, 2)[1], [R(2, 3, 4)]),
    "1d_array": each(lambda np, x: np.array([x, x * 1.0, x + 2.5]), [3.0]), "2d_array": each(lambda np, x: np.array([[x, x * 1.0], [x**2, x / 2.0]]), [3.0]),
    "array_fanout": each(lambda np, x: np.array([x, 2 * x]) + np.array([x, x + 1]), [3.0]), "array_from_scalar": each(lambda np, x: np.array(x) * 2, [3.0]),
    "array_from_arrays_2": each(lambda np, x: np.array([[2 * x, x + 1], [x, x]]), [R(3, 2)]), "len": each(lambda np, x: x * len(x), [R(3, 2)]),
    "r_basic": each(lambda np, x: np.r_[x], [R(3, 2)]), "r_double": each(lambda np, x: np.r_[x, x], [R(3, 2)]), "r_mixed": each(lambda np, x: np.r_[x, np.ones((1, 2)), x], [R(3, 2)]),
    "c_": each(lambda np, x: np.c_[x, x], [R(3, 2)]), "c_mixed": each(lambda np, x: np.c_[x, np.ones((3, 2)), x], [R(3, 2)]),
    "max_equal_values": each(lambda np, x: np.max(np.array([x, 0.5 * x])), [1.0]),
    "astype": each(lambda np, x: x.astype(float) * 2, [R(3)]), "cast_to_int": each(lambda np, x: x[:, :-1][np.int64(x[:, -1])], [np.array([[0.2, 1.0], [0.3, 0.0]])]),
    # of matrices
    "inv": named("linalg.inv", [R(4, 4) + 5 * np.eye(4)]), "inv_3d": named("linalg.inv", [R(2, 3, 3) + 5 * np.eye(3)]),
    "pinv": named("linalg.pinv", [R(3, 3) + 5 * np.eye(3)]),
    "solve_arg1": each(lambda np, a, b: np.linalg.solve(a, b), [R(4, 4) + 5 * np.eye(4)], [R(4, 3)]),
    "solve_arg1_1d": each(lambda np, a, b: np.linalg.solve(a, b), [R(4, 4) + 5 * np.eye(4)], [R(4)]),
    "solve_arg1_3d_3d": each(lambda np, a, b: np.linalg.solve(a, b), [R(2, 3, 3) + 5 * np.eye(3)], [R(2, 3, 2)]),
    "det": named("linalg.det", [R(4, 4)]), "det_3d": named("linalg.det", [R(3, 3, 3)]),
    "slogdet": each(lambda np, a: np.linalg.slogdet(a)[1] + np.linalg.slogdet(-a)[1], [R(4, 4)]),
    "slogdet_3d": each(lambda np, a: np.sum(np.linalg.slogdet(a)[1]), [definite(2, 3, 3)]),
    "vector_2norm": named("linalg.norm", [R(6)]), "frobenius_norm": named("linalg.norm", [R(3, 4)]), "frobenius_norm_reshape": each(lambda np, x: np.linalg.norm(x.reshape(3, 4), "fro"), [R(12)]),
    "vector_norm_ord": named("linalg.norm", [R(6)], ord=[2, 3, 4]), "norm_axis": named("linalg.norm", [R(3, 2, 4)], axis=[0, 1, 2]),
    "norm_nuclear": named("linalg.norm", [R(3, 4)], ord=["nuc"]), "norm_nuclear_axis": named("linalg.norm", [R(3, 4, 2)], ord=["nuc"], axis=[(0, 1)]),
    **{name: each(symmetric(lambda np, A, part=part: np.linalg.eigh(A)[part]), [definite(*shape)])
       for name, part, shape in [("eigvalh", 0, (4, 4)), ("eigh_vectors", 1, (4, 4)), ("eigvalh_broadcasting", 0, (2, 3, 3)), ("eigvalh_upper_broadcasting", 0, (2, 4, 4))]},
    "cholesky": each(symmetric(lambda np, A: np.linalg.cholesky(A)), [definite(4, 4)]), "cholesky_broadcast": each(symmetric(lambda np, A: np.linalg.cholesky(A)), [definite(2, 3, 3)]),
    "cholesky_reparameterization_trick": each(symmetric(lambda np, A: np.linalg.norm(np.dot(np.linalg.cholesky(A), np.arange(4.0)))), [definite(4, 4)]),
    **{f"svd_{name}": each(lambda np, A: np.linalg.svd(A, full_matrices=False)[1], [R(*shape)])
       for name, shape in [("wide_2d", (3, 5)), ("wide_3d", (2, 3, 5)), ("square_2d", (4, 4)), ("square_3d", (2, 4, 4)), ("tall_2d", (5, 3)), ("tall_3d", (2, 5, 3))]},
    **{f"svd_only_s_{name}": each(lambda np, A: np.linalg.svd(A, full_matrices=False, compute_uv=False), [R(*shape)]) for name, shape in [("2d", (5, 3)), ("3d", (2, 5, 3))]},
}
# fmt: on
R22 = np.array([[0.3, -1.2], [-0.4, 0.1]])

# What trace refuses, with a message that says so.
LEFT_OUT = {
    "imag", "sinc", "partition", "gradient", "cast_to_int", "r_basic", "r_double", "r_mixed", "c_", "c_mixed", "pinv",
    "norm_nuclear", "norm_nuclear_axis", "eigvalh", "eigh_vectors", "eigvalh_broadcasting", "eigvalh_upper_broadcasting",
    *(f"svd_{name}_{rank}" for name in ("wide", "square", "tall", "only_s") for rank in ("2d", "3d")),
}  # fmt: skip
SHARE = 0.85


def passes(autograd, calls):
    """Whether all calls of a test are followed, with the values and the gradients that autograd has."""
    for function, arrays in calls:
        try:
            G = cg.trace(functools.partial(function, np), *arrays)
        except cg.TraceError:
            return False
        theirs = functools.partial(function, autograd.numpy)
        L = cg.linearize(G)
        (t,) = G.outputs
        np.testing.assert_allclose(L.nodes[t]["value"], theirs(*arrays), rtol=1e-9, atol=1e-12)
        weights = np.cos(np.arange(np.size(L.nodes[t]["value"])))  # of the entries, for one gradient
        for k, (i, x) in enumerate(zip(G.inputs, arrays, strict=True)):
            loss = lambda *xs: autograd.numpy.sum(autograd.numpy.ravel(theirs(*xs)) * weights)  # noqa: B023, E731 - called in this turn
            ours = weights @ np.atleast_2d(cg.jacobian(L, [i], [t]))
            np.testing.assert_allclose(ours, np.ravel(autograd.grad(loss, k)(*arrays)), rtol=1e-7, atol=1e-9)
            assert np.size(ours) == np.size(x)
    return True


@pytest.mark.filterwarnings("ignore")
def test_the_calls_of_autograds_tests_are_followed_and_their_gradients_agree():
    autograd = pytest.importorskip("autograd", reason="autograd is an optional oracle: pip install autograd")
    refused = {name for name, calls in TESTS.items() if not passes(autograd, calls)}
    assert refused == LEFT_OUT
    assert len(TESTS) - len(refused) >= SHARE * len(TESTS)
