"""Functions written with NumPy that are traced: for every rule one that uses it, and arrays to call it with."""

# ruff: noqa: ARG005 - the functions are there to be traced

import operator

import numpy as np

X = np.array([0.3, -0.7, 1.9])
P = np.array([0.2, 0.5, 0.9])
A = np.array([[1.5, -0.4, 0.3], [0.2, 2.1, -0.6], [-0.9, 0.8, 1.7]])
B = np.array([[0.3, 1.2], [-0.5, 0.7], [2.2, -1.1]])
T = np.arange(24.0).reshape(2, 3, 4) / 7 - 1.3
C = np.array([2.0, -1.0, 0.5])


def trapezoid(np):
    return np.trapezoid if hasattr(np, "trapezoid") else np.trapz  # before NumPy 2


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
    (np.zeros_like, lambda np, x: np.maximum(x, np.zeros_like(x)), (X,)),
    (np.ones_like, lambda np, x: np.ones_like(x) - x, (X,)),
    # conditions: NumPy has "or" for their sum and "and" for their product
    (np.add, lambda np, x, a: ((x > 0) + (a > 0.25)) * x, (X, A)),
    (np.add, lambda np, x: (True + (x > 0)) * x + ((x < 1) + False), (X,)),
    (np.add, lambda np, x: ((x > 0) + (x < 1) + 1) * x, (X,)),
    (np.multiply, lambda np, x: ((x > 0) * (x < 1)) * x, (X,)),
    (np.matmul, lambda np, x, a: ((a > 0) @ (x > 0)) * x + ((a > 0) @ (a > 0)), (X, A)),
    (np.dot, lambda np, x, a: np.dot(x > 0, x < 1) * x + np.dot(a > 0, x > 0), (X, A)),
    (np.inner, lambda np, x: np.inner(x > 0, C > 0) * x, (X,)),
    (np.vdot, lambda np, x: np.vdot(x > 0, x < 1) * x, (X,)),
    (np.tensordot, lambda np, a: np.tensordot(a > 0, a < 1, 1) * a, (A,)),
    (np.sum, lambda np, x: ((x > 0) * (x > 0)).sum() * x + (x > 0).mean() + sum([x > 0, x < 1]), (X,)),
    (np.cumsum, lambda np, x: np.cumsum(x > 0) * x, (X,)),
    (np.prod, lambda np, x: np.prod(x > 0) * x, (X,)),
    (np.logical_xor, lambda np, x: np.logical_xor(x > 0, x < 1) * x, (X,)),
    (np.bitwise_xor, lambda np, x: ((x > 0) ^ (x < 1)) * x, (X,)),
    (np.all, lambda np, t: np.all(t > -0.5, axis=1) * t[:, 0] + (t > -2).all(), (T,)),
    (np.any, lambda np, t: np.any(t > 1, axis=(0, 2), keepdims=True) * t + np.any(np.where(t > 1, t, 0)), (T,)),
    (np.count_nonzero, lambda np, x: np.count_nonzero(x > 0) * x, (X,)),
    (np.isclose, lambda np, x: np.isclose(x, 0.3, atol=0.5) * x, (X,)),
    (np.allclose, lambda np, x: np.allclose(x, C) * x, (X,)),
    *[(getattr(np, name), lambda np, x, name=name: np.where(getattr(np, name)(x), x, 2 * x), (X,))
      for name in ("isnan", "isinf", "isfinite", "isreal", "iscomplex", "isrealobj", "iscomplexobj")],
    (np.select, lambda np, x: np.select([x > 1, x > 0], [x * x, 2 * x], -x), (X,)),
    # rounding
    *[(getattr(np, name), lambda np, x, a, name=name: getattr(np, name)(3.1 * x) * a + getattr(np, name)(3.1 * a), (X, A))
      for name in ("floor", "ceil", "trunc", "rint", "round")],
    (np.round, lambda np, x: np.round(1.04 * x, 1) * x + (9.1 * x).round(-1), (X,)),
    (np.mod, lambda np, x, a: x % a + np.mod(a, 0.77) + a % -0.37 + 2 % x, (X, A)),
    (np.fmod, lambda np, x, a: np.fmod(x, a) + np.fmod(a, -0.37), (X, A)),
    (np.floor_divide, lambda np, x, a: (x // a) * x + a // 0.77, (X, A)),
    # entry by entry
    (np.expm1, lambda np, x: np.expm1(x), (X,)),
    (np.log1p, lambda np, x: np.log1p(abs(x)), (X,)),
    (np.hypot, lambda np, x, a: np.hypot(x, 2.0) + np.hypot(x, a), (X, A)),
    (np.arctan2, lambda np, x, a: np.arctan2(x, 2.0) + np.arctan2(x, a), (X, A)),
    *[(getattr(np, name), lambda np, x, name=name: getattr(np, name)(x) * 0.5 + 1, (X,))
      for name in ("deg2rad", "rad2deg", "radians", "degrees", "real", "nan_to_num", "angle")],
    (np.imag, lambda np, x: np.imag(x) + x, (X,)),
    (np.real, lambda np, x: x.real * x + x.imag, (X,)),
    (np.real_if_close, lambda np, x: np.real_if_close(x) * x, (X,)),
    (np.logaddexp2, lambda np, x, a: np.logaddexp2(x, a), (X, A)),
    # arrays of traced values
    (np.array, lambda np, x: np.array([x[0], x[1] * 2, 3.0]) * np.array(x), (X,)),
    (np.array, lambda np, x: np.array([[x[0], 1.0], [x[1] * x[2], x[0]]]) @ np.array([x[0], x[1]]), (X,)),
    (np.array, lambda np, x: np.array([x, 2 * x]) + np.array([x, C], dtype=float), (X,)),
    (np.asarray, lambda np, x: np.asarray(x) * np.asarray([x[0], x[1], 1.0]), (X,)),
    (np.asanyarray, lambda np, x: np.asanyarray([x[0], x[1], 1.0]), (X,)),
    (np.ascontiguousarray, lambda np, x: np.ascontiguousarray([x[0], x[1], 1.0]), (X,)),
    # products
    *[(np.tensordot, lambda np, a, b, axes=axes: np.tensordot(a, b, axes), (p, q)) for p, q, axes in [
        (A, B, 1), (T, np.arange(24.0).reshape(4, 3, 2) / 9 - 1, ([1, 2], [1, 0])), (A, A, 2), (X, C, 0), (T, X, (1, 0)),
    ]],
    (np.dot, lambda np, t, a: np.dot(t, t.transpose(0, 2, 1)) + np.dot(a[0], t.transpose(0, 1, 2)).sum(), (T, A)),
    (np.inner, lambda np, a, x: np.inner(a, a) + np.inner(a, x) + np.inner(2.0, x), (A, X)),
    (np.kron, lambda np, a, b: np.kron(a, b), (A, B)),
    (np.kron, lambda np, x, b: np.kron(x, b), (X, B)),
    (np.cross, lambda np, a, x: np.cross(a, x) + np.cross(x, C), (A, X)),
    (np.cross, lambda np, a: np.cross(a, a * a, axis=0), (A,)),
    *[(np.convolve, lambda np, x, b, mode=mode: np.convolve(x, b[:2, 0], mode), (X, B)) for mode in ("full", "same", "valid")],
    (np.polyval, lambda np, x, p: np.polyval(x, p), (X, P)),
    *[(np.einsum, lambda np, *xs, text=text: np.einsum(text, *xs), xs) for text, xs in [
        ("ij,jk->ik", (A, B)), ("ij,jk", (A, B)), ("ii", (A,)), ("ii->i", (A,)), ("ij->ji", (B,)), ("ij->", (B,)), ("i,i", (X, C)),
        ("i,j->ij", (X, C)), ("ijk->k", (T,)), ("ij,ij->i", (A, A)), ("ijk,kl->ijl", (T, np.ones((4, 2)))), ("ijk,ijl->ikl", (T, T)),
        ("...j,j", (A, X)), ("...ij->...ji", (T,)), ("ij,jk,kl->il", (A, B, B.T)), ("i,i,i->i", (X, C, P)), ("iij->j", (T[:, :2],)),
        ("...ij,...jk->...ik", (T, np.ones((2, 4, 2)))), ("ij, j -> i", (A, X)), ("ik,k,jk->ij", (A, X, A)), ("i,->i", (X, np.array(2.0))),
    ]],
    # functions of matrices
    (np.linalg.solve, lambda np, a, x: np.linalg.solve(a, x), (A, X)),
    (np.linalg.solve, lambda np, a, b: np.linalg.solve(a, b), (A, B)),
    (np.linalg.solve, lambda np, a, b: np.linalg.solve(np.stack([a, 2 * a]), np.stack([b, b])), (A, B)),
    (np.linalg.cholesky, lambda np, a: np.linalg.cholesky(a @ a.T + np.eye(3)), (A,)),
    (np.linalg.slogdet, lambda np, a: np.linalg.slogdet(a)[1] * np.linalg.slogdet(-a)[0], (A,)),
    (np.linalg.det, lambda np, a: np.linalg.det(np.stack([a, a.T, 2 * a])), (A,)),
    (np.linalg.inv, lambda np, a: np.linalg.inv(np.stack([a, a.T])), (A,)),
    (np.linalg.matrix_power, lambda np, a: np.linalg.matrix_power(a, 3) + np.linalg.matrix_power(a, -1), (A,)),
    (np.linalg.matrix_power, lambda np, a: np.linalg.matrix_power(a, 0) * a, (A,)),
    (np.linalg.multi_dot, lambda np, a, b, x: np.linalg.multi_dot([x, a, b]), (A, B, X)),
    (np.trace, lambda np, t, b: np.trace(t, 1, 1, 2) * np.trace(b, offset=-1), (T, B)),
    *[(np.linalg.norm, lambda np, t, how=how: np.linalg.norm(t, how[0], how[1], how[2]), (np.sin(3 * T),)) for how in [
        (None, (0, 1), False), (3, 2, False), (np.inf, 0, True), (-np.inf, 1, False), (1, (0, 2), False), (-1, (1, 2), True),
        (np.inf, (1, 2), False), ("fro", (0, 1), True),
    ]],
    # reductions and statistics
    *[(np.prod, lambda np, b, axis=axis: np.prod(b, axis=axis), (B,)) for axis in (None, 0, 1)],
    (np.prod, lambda np, t: t.prod(axis=(0, 2), keepdims=True), (T,)),
    (np.ptp, lambda np, b: np.ptp(b, axis=0) * np.ptp(b), (B,)),
    *[(function, lambda np, t, name=function.__name__, options=options: getattr(np, name)(t, **options), (T,))
      for function in (np.var, np.std) for options in ({"ddof": 1}, {"axis": 1, "ddof": 1}, {"axis": (0, 2), "ddof": 2, "keepdims": True})],
    (np.average, lambda np, a, p: np.average(a, axis=0, weights=p) * np.average(p, weights=C + 3) + np.average(a), (A, P)),
    (np.cov, lambda np, a: np.cov(a) + np.cov(a, rowvar=False, bias=True), (A,)),
    (np.cov, lambda np, x, a: np.cov(x, a[0], ddof=0) * np.cov(x), (X, A)),
    (np.corrcoef, lambda np, a: np.corrcoef(a), (A,)),
    *[(np.median, lambda np, t, axis=axis: np.median(t, axis=axis), (T,)) for axis in (None, 0, 1)],
    (np.median, lambda np, t: np.median(t, axis=2, keepdims=True), (T,)),
    (np.quantile, lambda np, t: np.quantile(t, 0.3, axis=1) * np.quantile(t, 1.0), (T,)),
    (np.percentile, lambda np, t: np.percentile(t, np.array([10, 50]), axis=2), (T,)),
    *[(np.cumsum, lambda np, t, axis=axis: np.cumsum(t, axis=axis), (T,)) for axis in (None, 0, 1, -1)],
    *[(np.cumprod, lambda np, b, axis=axis: np.cumprod(b, axis=axis), (B,)) for axis in (None, 0, 1)],
    (np.diff, lambda np, t: np.diff(t) * np.diff(t, axis=-1) + np.diff(t, n=2, axis=1).sum(), (T,)),
    *[(np.sort, lambda np, b, axis=axis: np.sort(b, axis=axis), (B,)) for axis in (0, 1, None)],
    (trapezoid(np), lambda np, x, a: trapezoid(np)(a, axis=0, dx=0.5) * trapezoid(np)(x, P), (X, A)),
    (np.interp, lambda np, x, p: np.interp(x, np.array([-1.0, 0.0, 1.5]), p), (X, P)),
    # moves, joins and splits
    (np.diag, lambda np, x, a: np.diag(x) @ np.diag(np.diag(a)) + np.diag(np.diag(a, 1), -1), (X, A)),
    (np.tril, lambda np, a: np.tril(a) + np.tril(a, -1), (A,)),
    (np.triu, lambda np, t: np.triu(t, 1) * 2, (T,)),
    (np.dstack, lambda np, x, a: np.dstack([x, 2 * x]) + np.dstack([a, a]).sum(), (X, A)),
    (np.append, lambda np, x, b: np.append(b, b * 2, axis=1).sum() * np.append(x, b), (X, B)),
    (np.split, lambda np, t: np.split(t, 2, axis=2)[1] * np.split(t, [1, 3], axis=2)[1], (T,)),
    (np.array_split, lambda np, x: np.array_split(x, 2)[0], (X,)),
    (np.hsplit, lambda np, b: np.hsplit(b, 2)[1], (B,)),
    (np.vsplit, lambda np, b: np.vsplit(b, 3)[1], (B,)),
    (np.dsplit, lambda np, t: np.dsplit(t, 2)[1], (T,)),
    (np.full_like, lambda np, x: np.full_like(x, x[0]) * x, (X,)),
    (np.linspace, lambda np, x: np.linspace(x, 2.0, 4) + np.linspace(x[0], x[1], 4, endpoint=False)[:, None] + np.linspace(x, C, 1), (X,)),
    (np.vstack, lambda np, x: np.vstack([x, 2 * x]), (X,)),
    (np.einsum, lambda np, a, b: np.einsum(a, [0, 1], b, [1, 2], [0, 2]) + np.einsum(a, [0, 1], b, [1, 2]), (A, B)),
    (np.broadcast_arrays, lambda np, x, b: np.broadcast_arrays(x[:, None], b)[0] * b, (X, B)),
    (np.meshgrid, lambda np, x, p: np.meshgrid(x, p)[0] * np.meshgrid(x, p, indexing="ij")[1], (X, P)),
    *[(np.pad, lambda np, b, mode=mode: np.pad(b, ((1, 2), (0, 1)), mode=mode), (B,)) for mode in ("constant", "edge", "wrap", "reflect", "symmetric")],
    (np.pad, lambda np, x: np.pad(x, 2, constant_values=1.5), (X,)),
    (np.take_along_axis, lambda np, b: np.take_along_axis(b, np.array([[1], [0], [1]]), axis=1), (B,)),
    (np.delete, lambda np, b: np.delete(b, 1, axis=0), (B,)),
    (np.resize, lambda np, x: np.resize(x, (2, 2)), (X,)),
    (np.rollaxis, lambda np, t: np.rollaxis(t, 2), (T,)),
    (np.ravel, lambda np, t: t.ravel(order="F") * t.flatten("F") + t.ravel("C"), (T,)),
    *[(np.matmul, lambda np, t: t.mT @ t, (T,))] * hasattr(T, "mT"),  # since NumPy 2
]  # fmt: skip
REFUSED = {
    np.equal: lambda x: (x == 1) * x,
    np.not_equal: lambda x: (x != 1) * x,
    **{f: lambda x, f=f: f(x) for f in (np.argmax, np.argmin, np.argsort, np.nonzero)},
}  # fmt: skip
# Their rows compute the same in another way; everything else agrees to the last bit.
ROUNDED = {
    np.linalg.norm, np.logaddexp, np.logaddexp2, np.exp2, np.power, np.float_power, np.einsum, np.prod, np.cov, np.corrcoef,
    np.median, np.quantile, np.percentile, np.cumsum, np.linspace, np.interp, np.mod, np.fmod,
    np.dot, np.inner, np.vdot, np.tensordot, np.matmul, operator.matmul, # BLAS sums in an order of its own
}  # fmt: skip
WITHOUT_JAX = {np.asanyarray, np.ascontiguousarray, np.real_if_close}
