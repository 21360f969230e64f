"""Graphs of JAX functions: every derivative against jax.grad."""

import numpy as np
import pytest

import cgraph as cg

jax = pytest.importorskip("jax", reason="the extra jax")
jnp, lax = jax.numpy, jax.lax

A = np.array([[0.7, -0.4, 1.1], [0.2, 0.9, -0.6]])
SQUARE = np.array([[2.0, 0.3, -0.1], [0.4, 1.5, 0.2], [-0.3, 0.1, 1.2]])
V = np.array([0.5, -1.2, 0.8])


@pytest.fixture(autouse=True)
def _x64():
    with jax.enable_x64(True):
        yield


def scanned(v):
    def step(carry, x):
        carry = jnp.sin(carry) * x + 0.1
        return carry, carry**2

    last, all_of_them = lax.scan(step, 1.0, v)
    return last + jnp.sum(all_of_them)


def counted(v):
    return jnp.sum(lax.fori_loop(0, 4, lambda k, x: jnp.tanh(x) + k, v))


@jax.custom_vjp
def clipped(x):
    return x * 2


clipped.defvjp(lambda x: (x * 2, None), lambda _, g: (jnp.clip(g, -0.5, 0.5),))


@jax.custom_jvp
def log1pexp(x):
    return jnp.log1p(jnp.exp(x))


log1pexp.defjvp(lambda p, t: (log1pexp(p[0]), t[0] * jax.nn.sigmoid(p[0])))


def mlp(v):
    h = jax.nn.gelu(A @ v)
    return jnp.sum(jax.nn.softmax(h) * jnp.arange(2.0))


FUNCTIONS = {
    "polynomial": lambda v: v[0] ** 2 * v[1] + 3 * v[2],
    "the same operand twice": lambda v: jnp.sum(v * v),
    "matmul": lambda v: jnp.sum((A @ v) ** 2),
    "outer": lambda v: jnp.sum(jnp.outer(v, v) @ SQUARE),
    "elementary": lambda v: jnp.sum(jnp.exp(-(v**2)) * jnp.cos(v) / (1 + jnp.abs(v))),
    "softmax": lambda v: jax.nn.softmax(v)[1],
    "logsumexp": jax.nn.logsumexp,
    "norm": jnp.linalg.norm,
    "max and where": lambda v: jnp.max(v) + jnp.sum(jnp.where(v > 0, v, 0.1 * v)),
    "sort": lambda v: jnp.sort(v) @ jnp.arange(3.0),
    "cumsum": lambda v: jnp.prod(jnp.cumsum(v)),
    "indexing": lambda v: v[jnp.array([2, 0, 2])] @ jnp.array([1.0, 2.0, 3.0]),
    "at add": lambda v: jnp.sum(jnp.zeros(5).at[jnp.array([1, 1, 3])].add(v) ** 2),
    "concatenate and pad": lambda v: jnp.sum(jnp.pad(jnp.concatenate([v, v[::-1]]), 2) ** 3),
    "einsum": lambda v: jnp.einsum("i,ij,j->", v, SQUARE, v),
    "convolution": lambda v: jnp.sum(jnp.convolve(v, jnp.array([1.0, -2.0])) ** 2),
    "solve": lambda v: jnp.sum(jnp.linalg.solve(SQUARE, v)),
    "inverse of an outer product": lambda v: jnp.trace(jnp.linalg.inv(SQUARE + jnp.outer(v, v))),
    "cholesky": lambda v: jnp.sum(jnp.linalg.cholesky(SQUARE @ SQUARE.T + jnp.outer(v, v))),
    "eigenvalues": lambda v: jnp.linalg.eigvalsh(SQUARE + SQUARE.T + jnp.outer(v, v))[0],
    "determinant": lambda v: jnp.linalg.slogdet(SQUARE + jnp.diag(v**2))[1],
    "fft": lambda v: jnp.sum(jnp.abs(jnp.fft.fft(v)) ** 2 * jnp.arange(3.0)),
    "scan": scanned,
    "fori_loop": counted,
    "cond": lambda v: lax.cond(v[0] > 0, lambda u: jnp.sum(u**2), jnp.sum, v),
    "switch": lambda v: lax.switch(2, [jnp.sum, jnp.max, lambda u: jnp.sum(u**3)], v),
    "custom_vjp": lambda v: jnp.sum(clipped(v) ** 2),
    "custom_jvp": lambda v: jnp.sum(log1pexp(v)),
    "vmap": lambda v: jnp.sum(jax.vmap(lambda row: jnp.tanh(row @ v))(A)),
    "nested jit": jax.jit(lambda u: jax.jit(jnp.sin)(u) @ u),
    "checkpoint": jax.checkpoint(lambda u: jnp.sum(jnp.sin(jnp.sin(u)))),
    "stop_gradient": lambda v: jnp.sum(lax.stop_gradient(v) * v),
    "layers": mlp,
    "grad inside": lambda v: jnp.sum(jax.grad(lambda u: jnp.sum(u**3))(v) * v),
    "special functions": lambda v: jnp.sum(jax.scipy.special.erf(v) + jax.scipy.special.gammaln(v**2 + 1)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_gradient_is_that_of_jax(name):
    function = FUNCTIONS[name]
    L = cg.from_jax(function, V, names=["v"])
    (t,) = L.outputs
    expected = np.asarray(jax.grad(function)(V))
    assert cg.sensitivity(L, "v", t).ravel() == pytest.approx(expected, rel=1e-12, abs=1e-13)
    assert L.nodes[t]["value"] == pytest.approx(float(function(V)), rel=1e-12)


@pytest.mark.parametrize("name", ["softmax", "scan", "fft"])
def test_any_node_with_respect_to_any_other_both_ways(name):
    L = cg.from_jax(FUNCTIONS[name], V, names=["v"])
    (t,) = L.outputs
    S = cg.sensitivities(L, t)
    for i in L:
        for direction in ("forward", "reverse"):
            found = cg.sensitivity(L, i, t, direction=direction)
            assert np.ravel(found) == pytest.approx(np.ravel(S[i]), rel=1e-9, abs=1e-12)


def test_a_jacobian_of_jax():
    def function(v):
        return jnp.tanh(SQUARE @ v) * v

    L = cg.from_jax(function, V)
    expected = np.asarray(jax.jacobian(function)(V))
    for direction in ("forward", "reverse"):
        assert cg.sensitivity(L, "v", "function", direction=direction) == pytest.approx(expected, abs=1e-14)


def test_a_loop_that_jax_differentiates_forward_only_is_differentiated_by_its_matrix():
    def function(v):
        return jnp.sum(lax.while_loop(lambda x: jnp.sum(x) < 5, lambda x: 1.5 * x + 0.2 * x**2 + 1, v))

    with pytest.raises(ValueError, match="Reverse-mode"):
        jax.grad(function)(V)
    L = cg.from_jax(function, V)
    expected = jax.jacfwd(function)(V)
    assert cg.sensitivity(L, "v", "function").ravel() == pytest.approx(np.asarray(expected), rel=1e-12)
    assert "while" in {d.get("operation") for _, d in L.nodes(data=True)}


def test_a_rule_for_one_direction_serves_the_other():
    L = cg.from_jax(clipped, V, names=["v"])
    with pytest.raises(TypeError):
        jax.jvp(clipped, (V,), (V,))
    assert cg.sensitivity(L, "v", "clipped", direction="forward") == pytest.approx(0.5 * np.eye(3))


def test_what_cannot_be_differentiated_is_refused_by_its_name():
    def function(v):
        shape = jax.ShapeDtypeStruct((3,), v.dtype)
        return jnp.sum(jax.pure_callback(lambda x: np.asarray(x) * 2, shape, v))

    L = cg.from_jax(function, V)
    with pytest.raises(cg.DerivativeError, match="pure_callback cannot be differentiated"):
        cg.sensitivity(L, "v", "function")


def test_parameters_are_named_by_their_keys():
    def loss(params, x):
        with jax.named_scope("layer"):
            h = jnp.tanh(params["W"] @ x + params["b"])
        return {"loss": jnp.sum(h**2), "hidden": h, "count": jnp.sum(h > 0)}

    params = {"W": A, "b": np.array([0.1, -0.2])}
    L = cg.from_jax(loss, params, V, weights=["params"])
    assert L.weights == ["params.W", "params.b"]
    assert L.inputs == ["x"]
    assert L.outputs == ["hidden", "loss"]
    assert {"layer.dot_general", "layer.add"} <= set(L)
    gradients = cg.weight_gradients(L, "loss")
    expected = jax.grad(lambda p: loss(p, V)["loss"])(params)
    assert gradients["params.W"] == pytest.approx(np.asarray(expected["W"]), abs=1e-14)
    assert gradients["params.b"] == pytest.approx(np.asarray(expected["b"]), abs=1e-14)
    renamed = cg.from_jax(loss, params, V, names=["theta", "input"], weights=["theta.W"])
    assert (renamed.weights, renamed.inputs) == (["theta.W"], ["theta.b", "input"])


def test_integers_are_no_nodes():
    L = cg.from_jax(lambda v, k: v[k] * 2, V, 1)
    assert "k" not in L
    assert cg.sensitivity(L, "v", "output").tolist() == [[0.0, 2.0, 0.0]]


def test_between_numbers_a_derivative_is_a_float():
    L = cg.from_jax(lambda x, y: jnp.sin(x) * y, 0.5, 3.0)
    assert list(L) == ["x", "y", "sin_1", "output"]
    assert L.edges["x", "sin_1"]["derivative"] == pytest.approx(np.cos(0.5), abs=1e-16)
    assert all(type(z) is float for _, _, z in L.edges(data="derivative"))
    assert [path for path, _ in cg.paths(L, "x", "output")] == [("x", "sin_1", "output")]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: cg.from_jax(jnp.sum, V, names=["a", "b"]), "2 names were given for 1 arguments"),
        (lambda: cg.from_jax(lambda k: k + 1, 3), "no argument holds floats"),
        (lambda: cg.from_jax(lambda v: v, V, weights=["w"]), "there is no argument 'w'"),
    ],
)
def test_mistakes(call, words):
    with pytest.raises(cg.CGraphError, match=words):
        call()


def test_an_input_that_is_returned_is_an_output():
    L = cg.from_jax(lambda v: (v, 2 * v), V)
    assert L.outputs == ["v", "output.1"]


def test_values_of_a_graph_of_another_program_cannot_be_changed():
    L = cg.from_jax(lambda v: jnp.sum(v**2), V)
    with pytest.raises(cg.InvalidNodeError, match="'v' cannot be set"):
        cg.linearize(L, {"v": 2 * V})
