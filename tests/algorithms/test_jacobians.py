"""A structured Jacobian equals its dense form under every operation of the interface."""

import math
import operator

import numpy as np
import pytest
from dense_jacobians import matrix, one_hot
from hypothesis import given, settings
from hypothesis import strategies as st

import cgraph as cg
from cgraph.model.operations import structured_jacobians
from cgraph.model.operations.structured_jacobians import (
    Broadcast,
    Dense,
    Diagonal,
    DiagonalPlusRankOne,
    IdentityKronecker,
    Jacobian,
    KroneckerIdentity,
    Product,
    ScaledIdentity,
    Selection,
    Sum,
    Transposed,
    after,
    chain,
    elementwise,
    plus,
)

CLASSES = [
    Dense, Diagonal, ScaledIdentity, Broadcast, Selection, KroneckerIdentity, IdentityKronecker, DiagonalPlusRankOne,
    Transposed, Product, Sum,
]  # fmt: skip
SIMPLE = CLASSES[:8]
each_class = pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
few = settings(max_examples=20)
for_pairs = settings(max_examples=3)


def test_every_class_is_here():
    classes = {kind for kind in Jacobian.__subclasses__() if kind.__module__ == Jacobian.__module__}
    assert classes == set(CLASSES)


# --- random Jacobians; their entries are whole numbers, so that every product below is exact ----------------------------


def numbers(draw, *shape):
    seed = draw(st.integers(0, 2**32 - 1))
    return np.random.default_rng(seed).integers(-4, 5, size=shape).astype(float)


def factors(draw, size, count):
    """Return a tuple of `count` numbers whose product is `size`."""
    found = []
    for _ in range(count - 1):
        found.append(draw(st.sampled_from([d for d in range(1, size + 1) if size % d == 0])))
        size //= found[-1]
    return (*found, size)


def build(draw, kind, rows=None, columns=None):  # noqa: C901, PLR0912 - a case for each class
    """Return a Jacobian of a class with the given number of rows, or of columns."""
    free = draw(st.integers(1, 4))
    given_size = rows or columns
    if kind is Dense:
        return Dense(numbers(draw, rows or free, columns or free))
    if kind is Diagonal:
        return Diagonal(numbers(draw, given_size))
    if kind is ScaledIdentity:
        return ScaledIdentity(float(draw(st.integers(-3, 3))), given_size)
    if kind is DiagonalPlusRankOne:
        shape = factors(draw, given_size, 2)
        return DiagonalPlusRankOne(*(numbers(draw, *shape) for _ in range(3)))
    if kind is Selection:
        size = columns or free
        index = draw(st.lists(st.integers(0, size - 1), min_size=rows or 1, max_size=rows or 4))
        return Selection(np.array(index, dtype=np.intp), size)
    if kind is Broadcast:
        if rows:
            target = factors(draw, rows, 3)
            source = tuple(draw(st.sampled_from([1, n])) for n in target)
        else:
            source = factors(draw, columns, 2)
            target = (free, *(draw(st.integers(1, 3)) if n == 1 else n for n in source))
        while source and source[0] == 1 and draw(st.booleans()):
            source = source[1:]
        return Broadcast(source, target)
    if kind is KroneckerIdentity:  # A of p x q by X of q x r
        stack, q_or_p, r = factors(draw, given_size, 3)
        p, q = (q_or_p, free) if rows else (free, q_or_p)
        shape = (stack, p, q) if draw(st.booleans()) else (p, q)
        return KroneckerIdentity(numbers(draw, *shape), (stack, q, r))
    if kind is IdentityKronecker:  # X of p x q by B of q x r
        stack, p, q_or_r = factors(draw, given_size, 3)
        q, r = (free, q_or_r) if rows else (q_or_r, free)
        shape = (stack, q, r) if draw(st.booleans()) else (q, r)
        return IdentityKronecker(numbers(draw, *shape), (stack, p, q))
    simple = draw(st.sampled_from(SIMPLE))
    if kind is Transposed:
        return Transposed(build(draw, simple, rows=columns, columns=rows))
    first = build(draw, simple, rows, columns)
    if kind is Product:
        other = build(
            draw, draw(st.sampled_from(SIMPLE)), *((first.shape[1], None) if rows else (None, first.shape[0]))
        )
        return Product((first, other) if rows else (other, first))
    return Sum((first, Dense(numbers(draw, *first.shape))))


def same(found, expected):
    """Whether a Jacobian, or an array, is exactly what it should be."""
    found = matrix(found) if isinstance(found, Jacobian) else found
    return found.shape == expected.shape and np.array_equal(found, expected)


# --- every operation -----------------------------------------------------------------------------------------------------


@each_class
@few
@given(st.data())
def test_shape_dense_and_transpose(kind, data):
    J = build(data.draw, kind, data.draw(st.integers(1, 12)))
    M = matrix(J)
    assert J.shape == M.shape
    assert same(J.dense(), M)
    assert same(np.asarray(J), M)
    assert np.asarray(J, dtype=np.float32).dtype == np.float32
    assert J.T.shape == M.T.shape
    assert same(J.T, M.T)
    assert same(J.T.dense(), M.T)
    assert same(J.T.T, M)


@each_class
@few
@given(st.data())
def test_products_with_vectors_and_stacks(kind, data):
    J = build(data.draw, kind, data.draw(st.integers(1, 12)))
    M = matrix(J)
    m, n = M.shape
    k = data.draw(st.integers(1, 3))
    for imaginary in (0, 1j):
        rows, columns = (numbers(data.draw, *s) + imaginary * numbers(data.draw, *s) for s in ((k, m), (n, k)))
        assert same(J.vjp(rows), rows @ M)
        assert same(rows @ J, rows @ M)
        assert same(rows[0] @ J, rows[0] @ M)
        assert same(J.jvp(columns), M @ columns)
        assert same(J @ columns, M @ columns)
        assert same(J @ columns[:, 0], M @ columns[:, 0])
        assert same(rows @ J.T.T @ columns, rows @ M @ columns)
        assert same(columns.T @ J.T, columns.T @ M.T)
        assert same(J.T @ rows.T, M.T @ rows.T)


@each_class
@for_pairs
@given(st.data())
def test_products_and_chains_of_every_pair_of_classes(kind, data):
    J = build(data.draw, kind, data.draw(st.integers(1, 8)))
    rows = numbers(data.draw, 2, J.shape[0])
    for earlier in CLASSES:
        K = build(data.draw, earlier, J.shape[1])
        M = matrix(J) @ matrix(K)
        for product in (J @ K, chain(J, K), after(J, K)):
            assert same(product, M)
            assert same(product.dense(), M)
            assert same(rows @ product, rows @ M)


@each_class
@for_pairs
@given(st.data())
def test_sums_of_every_pair_of_classes(kind, data):
    J = build(data.draw, kind, data.draw(st.integers(1, 8)))
    for other in CLASSES:
        K = build(data.draw, other, J.shape[0])
        if K.shape != J.shape:  # what has another width is brought to that of J
            K = chain(K, Dense(numbers(data.draw, K.shape[1], J.shape[1])))
        M = matrix(J) + matrix(K)
        for total in (J + K, plus(J, K), plus(plus(J, K), 0), plus(0, plus(J, K)), sum([J, K])):
            assert same(total, M)
            assert same(total.dense(), M)


@each_class
@few
@given(st.data())
def test_sums_with_arrays_and_with_the_zero_of_a_sum(kind, data):
    J = build(data.draw, kind, data.draw(st.integers(1, 8)))
    M = matrix(J)
    A = numbers(data.draw, *M.shape)
    assert J + 0 is J
    assert 0 + J is J
    assert same(J + A, M + A)
    assert same(A + J, M + A)
    if M.shape == (1, 1):
        assert same(J + 2.0, M + 2)


@each_class
@few
@given(st.data(), st.sampled_from([int, float, np.float64, np.int64]), st.integers(-3, 3))
def test_scaling(kind, data, number, factor):
    J = build(data.draw, kind, data.draw(st.integers(1, 8)))
    M, c = matrix(J), number(factor)
    for scaled in (J * c, c * J, after(J, c), after(c, J)):
        assert same(scaled, M * factor)
        assert same(scaled.dense(), M * factor)
    assert same(-J, -M)
    assert same((-J).T, -M.T)


@few
@given(st.data())
def test_elementwise_operations_with_broadcasting(data):
    y = tuple(data.draw(st.lists(st.integers(1, 3), max_size=3)))
    x = tuple(data.draw(st.sampled_from([1, n])) for n in y)[data.draw(st.integers(0, len(y))) :]
    shape = data.draw(st.sampled_from([(), x, y]))
    partial = numbers(data.draw, *shape)
    J = elementwise(partial if shape else float(partial), x, y)
    if not y:
        assert J == partial
        return
    repeat = one_hot(np.broadcast_to(np.arange(math.prod(x)).reshape(x), y).ravel(), x)
    assert same(J, np.diag(np.broadcast_to(partial, y).ravel()) @ repeat)
    assert same(J.dense(), matrix(J))


# --- what does not fit ---------------------------------------------------------------------------------------------------


@each_class
@for_pairs
@given(st.data())
def test_what_does_not_fit_is_refused_with_both_shapes(kind, data):
    J = build(data.draw, kind, data.draw(st.integers(1, 6)))
    for other in CLASSES:
        K = build(data.draw, other, data.draw(st.integers(1, 6).filter(lambda rows: rows != J.shape[1])))
        refused(operator.matmul, J, K, "multiplied")
        if J.shape != K.shape:
            refused(operator.add, J, K, "added")


@each_class
@few
@given(st.data())
def test_arrays_that_do_not_fit_are_refused_with_both_shapes(kind, data):
    J = build(data.draw, kind, data.draw(st.integers(1, 6)))
    m, n = J.shape
    for shape in [(m + 1,), (2, m + 1), (2, 1, m), (2 * m,) if m > 1 else (0,)]:
        refused(operator.matmul, np.ones(shape), J, "multiplied")
    for shape in [(n + 1,), (n + 1, 2), (2 * n, 2), (n, 1, 2)]:
        refused(operator.matmul, J, np.ones(shape), "multiplied")
    for other in [np.ones((m, n + 1)), np.ones((m + 1, n)), np.ones(n), *([1, 2.0] if m * n > 1 else [])]:
        refused(operator.add, J, other, "added")


def refused(operation, J, K, word):
    with pytest.raises(ValueError) as error:
        operation(J, K)
    shapes = [str(np.shape(J)), str(np.shape(K))]
    message = str(error.value)
    assert message.startswith("Jacobians of shapes ")
    assert message.endswith(f" cannot be {word}")
    assert all(shape in message for shape in shapes)


# --- structure -------------------------------------------------------------------------------------------------------------


D, E = Diagonal(np.array([2.0, 3.0])), Diagonal(np.array([5.0, 7.0]))
I3 = ScaledIdentity(3.0, 2)
TAKE = Selection(np.array([1, 0, 1]), 2)
REPEAT = Broadcast((1, 2), (3, 2))


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (D @ E, Diagonal), (D @ I3, Diagonal), (I3 @ D, Diagonal), (I3 @ I3, ScaledIdentity), (D + E, Diagonal),
        (D + I3, Diagonal), (I3 + D, Diagonal), (I3 + I3, ScaledIdentity), (D * 2.0, Diagonal), (-D, Diagonal),
        (2 * I3, ScaledIdentity), (D.T, Diagonal), (I3.T, ScaledIdentity), (TAKE @ Selection(np.array([2, 0]), 4), Selection),
        (ScaledIdentity(1.0, 3) @ TAKE, Selection), (TAKE @ ScaledIdentity(1.0, 2), Selection), (REPEAT.T.T, Broadcast),
        (TAKE.T, Transposed), (chain(TAKE, D), Product), (plus(TAKE, TAKE), Sum), (chain(D, E), Diagonal), (plus(D, E), Diagonal),
        (Dense(np.ones((2, 2))) * 2.0, Dense), (TAKE * 1, Selection), (elementwise(2.0, (2,), (2,)), ScaledIdentity),
        (elementwise(np.ones(2), (2,), (2,)), Diagonal), (elementwise(np.ones(2), (), (2,)), Dense),
        (elementwise(1.0, (2,), (3, 2)), Broadcast), (elementwise(2.0, (2,), (3, 2)), Product),
    ],
)  # fmt: skip
def test_structure_is_kept(found, kind):
    assert type(found) is kind


def test_products_and_sums_are_one_tuple_however_long():
    J = D
    for _ in range(3000):
        J = chain(plus(chain(TAKE.T, TAKE), J) if J is D else J, Dense(np.eye(2)))
    assert len(J.factors) == 3001
    assert same(J.dense(), matrix(chain(TAKE.T, TAKE)) + matrix(D))
    S = TAKE
    for _ in range(3000):
        S = plus(S, TAKE)
    assert len(S.terms) == 3001
    assert same(S.dense(), 3001 * matrix(TAKE))


def test_a_product_scaled_over_and_over_is_no_deep_recursion():
    equations = "".join(f"x{k} = -x{k - 1}; " for k in range(1, 3001))  # an even number of signs
    L = cg.linearize(cg.from_equations(f"{equations} t = x3000[0:2]", x0=[1.0, 2.0, 3.0]))
    assert cg.sensitivity(L, "x0", "t").tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]


@pytest.mark.parametrize("equation", ["+".join(["sum(x)"] * 1200), "+".join(["A@x"] * 2000), "x" + "@A" * 150])
def test_a_long_equation_is_no_deep_recursion(equation):
    A = [[0.6, 0.8], [-0.8, 0.6]]
    L = cg.linearize(cg.from_equations(f"y = {equation}", x=[1.0, 2.0], **({"A": A} if "A" in equation else {})))
    assert cg.sensitivity(L, "x", "y") == pytest.approx(
        {1200: np.full((1, 2), 1200.0), 2000: 2000 * np.array(A)}.get(
            equation.count("+") + 1, np.linalg.matrix_power(np.array(A).T, 150)
        )
    )


# --- a reverse sweep from a number carries one row ---------------------------------------------------------------------------


SWEPT = {
    "a network": "s = W1 @ x + b1; h = relu(s); u = W2 @ h + b2; p = softmax(u); l = cross_entropy(p, t);"
    "r = sum(W1^2) + sum(W2^2); J = l + 0.1*r",
    "a batch": "S = X @ W1.T + b1; H = tanh(S); U = H @ W2.T + b2; l = mean(softmax_cross_entropy(U, t));"
    "J = l + squared_norm(W1)",
    "everything": "a = exp(W1 @ x)[1:]*2; c = concatenate(a, x); d = outer(c, b1); f = stack(d, d^2);"
    "g = reshape(transpose(f, 2, 0, 1), 3, -1); k = log_softmax(g, axis=0); q = logsumexp(k*g) + max(g, axis=1);"
    "J = norm(q) + mean(where(q > 0, q, 0)) + trace(outer(q, q)) + dot(q, b1) + hinge(b2, t) + squared_error(b1, q)"
    "+ det(M) + sum(inv(M))",
}  # fmt: skip


@pytest.mark.parametrize("name", SWEPT)
def test_a_reverse_sweep_from_a_number_writes_no_jacobian_out(name, monkeypatch):
    rng = np.random.default_rng(4)
    values = {
        "x": rng.normal(size=5), "X": rng.normal(size=(4, 5)), "W1": rng.normal(size=(3, 5)), "b1": rng.normal(size=3),
        "W2": rng.normal(size=(2, 3)), "b2": rng.normal(size=2), "t": np.array([0.0, 1.0]), "M": rng.normal(size=(2, 2)),
    }  # fmt: skip
    equations = SWEPT[name]
    G = cg.from_equations(equations, **{i: v for i, v in values.items() if i in equations})
    L = cg.linearize(G)
    expected = {s: cg.sensitivity(L, s, "J", direction="forward") for s in L.inputs}
    for owner in (Jacobian, Dense):
        monkeypatch.setattr(owner, "dense", rows_only(owner.dense))
    again = cg.linearize(G)
    S, Delta = cg.sensitivities(again, "J"), cg.loss_sensitivities(again, {"J": 1.0})
    for s in L.inputs:
        assert S[s] == pytest.approx(expected[s], rel=1e-10)
        assert Delta[s] == pytest.approx(expected[s].reshape(np.shape(values[s])), rel=1e-10)
        assert cg.sensitivity(again, s, "J") == pytest.approx(expected[s], rel=1e-10)


def rows_only(dense):
    def guarded(J):
        assert J.shape[0] == 1, f"dense() of a Jacobian of shape {J.shape}"
        return dense(J)

    return guarded


def test_the_guard_finds_what_it_should(monkeypatch):
    monkeypatch.setattr(Jacobian, "dense", rows_only(Jacobian.dense))
    with pytest.raises(AssertionError, match=r"dense\(\) of a Jacobian of shape \(2, 3\)"):
        TAKE.T @ TAKE @ D


def test_everything_public_is_listed():
    assert set(structured_jacobians.__all__) == {kind.__name__ for kind in CLASSES} | {
        "Jacobian", "after", "chain", "elementwise", "plus", "require_room",
    }  # fmt: skip
