"""On random graphs of arrays, methods that share no code must agree."""

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from methods import SINGLE

import cgraph as cg
from cgraph.model.language.expressions import Apply, Name, Number
from cgraph.model.language.parsing import parse

try:
    import jax
    import jax.numpy as jnp
except ImportError:
    jax = None
else:
    jax.config.update("jax_enable_x64", val=True)
    jax.config.update("jax_disable_most_optimizations", val=True)

some = settings(max_examples=20)

# --- random graphs of equations ---------------------------------------------------------------------------------------------


def forms(a, b, shapes, inputs):  # noqa: C901 - a line or two for each kind of shape
    """Iterate over equations in the nodes `a` and `b` that fit their shapes; all stay inside their domains."""
    p, q = shapes[a], shapes[b]
    yield from (f"sin({a})", f"sigmoid({a})*2", f"softplus({a}) - 1", f"exp(0.5*{a})", f"{a}^2", f"-{a} + 3", f"{a}.T")
    yield from (
        f"sum({a})",
        f"mean({a})",
        f"squared_norm({a})",
        f"norm({a} + 2)",
        f"reshape({a}, -1)",
        f"atan({a})*{a}",
    )
    yield f"concatenate(reshape({b}, -1), reshape({a}, -1), reshape({b}, -1))"
    if fits(p, q):
        yield from (
            f"{a} + {b}",
            f"{a}*{b}",
            f"{a} - 2*{b}",
            f"{a}/(2 + {b}^2)",
            f"max({a}, {b} + 0.1234)",
            f"{a}*{b} + {a}",
        )
        yield from (f"where({a} > 0.0123, {a}*{b}, {b})", f"({a} < {b} + 0.0321)*{a}", f"(2 + {a}^2)^{b}")
    if p == q:
        yield from (f"stack({a}, {b})", f"stack({b}, {a}, {b}, axis=-1)")
    if p:
        yield from (f"{a}[-1]", f"{a}[::-1]", f"{a}[[0, -1, 0]]", f"softmax({a})", f"log_softmax({a}, axis=0)")
        yield from (
            f"sum({a}, axis=0)",
            f"mean({a}, axis=-1)",
            f"logsumexp({a})",
            f"logsumexp({a}, axis=0)",
            f"concatenate({a}, {a})",
        )
        if a in inputs:  # its entries are all different; a tie goes to the first here and is shared in JAX
            yield from (f"max({a})", f"min({a}, axis=0)")
        if q == p:
            yield from (f"softmax_cross_entropy({a}, softmax({b}))", f"cross_entropy(softmax({a}), softmax({b}))")
            yield from (
                f"hinge({a}, softmax({b}))",
                f"squared_error({a}, {b})",
                f"binary_cross_entropy(sigmoid({a}), softmax({b}))",
            )
    if len(p) > 1:
        yield from (
            f"{a}[:, 0]",
            f"{a}[0, :]",
            f"transpose({a}, {', '.join(map(str, [*range(1, len(p)), 0]))})",
        )
    if len(p) == 2 and p[0] == p[1]:
        yield from (f"det({a})", f"trace({a})", f"{a} @ {a}", f"inv(tanh({a})/{p[0]} + eye{p[0]})")
    if len(p) == len(q) == 1:
        yield f"outer({a}, {b})"
    if p and q and p[-1] == q[-min(2, len(q))] and fits(p[:-2], q[:-2]):
        yield f"{a} @ {b}"
    if len(p) == len(q) == 1 and p == q:
        yield f"dot({a}, {b})"


def fits(p, q):
    return all(m == n or 1 in {m, n} for m, n in zip(p[::-1], q[::-1], strict=False))


@st.composite
def vector_graphs(draw):
    """Several arrays, operations of both tables, operands that stand twice, several paths."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    G = cg.ComputationalGraph()
    for n in (1, 2, 3):
        G.add_constant(f"eye{n}", 2.0 * np.eye(n))
    n = draw(st.integers(1, 3))
    pool = [(), (n,), (n,), (n, n), (2, n), (n, 3), (2, n, 1), (1,)]
    inputs = [f"x{k}" for k in range(draw(st.integers(1, 3)))]
    names, shapes = list(inputs), {}
    for k, name in enumerate(inputs):
        value = rng.uniform(-1.5, 1.5, size=draw(st.sampled_from(pool)))
        (G.add_weight if k == 1 else G.add_input)(name, value)
        shapes[name] = np.shape(value)
    for k in range(draw(st.integers(1, 6))):
        a, b = (draw(st.sampled_from(names[-4:])) for _ in range(2))
        # tanh keeps the values of deep graphs near 1
        name, equation = f"v{k}", f"tanh({draw(st.sampled_from(list(forms(a, b, shapes, inputs))))})"
        G.add_equation(name, equation)
        value = cg.evaluate(G)[name]
        shapes[name] = np.shape(value)
        assert np.size(value) <= 1000
        names.append(name)
    used = [i for i in names if i not in inputs and not G.succ[i]]
    G.add_equation("J", " + ".join(f"sum({i}*{i})" for i in used))
    G.graph["outputs"] = ["J", names[-1]]
    return G


def as_matrix(S):
    return np.atleast_2d(np.asarray(S, dtype=float))


def by_paths(L, s, t):
    """The path-sum formula written out with matrices, the later derivative on the left."""
    total = np.zeros((np.size(L.nodes[t]["value"]), np.size(L.nodes[s]["value"])))
    for path in nx.all_simple_paths(L, s, t) if s != t else [(s,)]:
        product = np.eye(np.size(L.nodes[s]["value"]))
        for i, j in pairwise(path):
            product = as_matrix(L.edges[i, j]["derivative"]) @ product
        total += product
    return total


# S(s,t) by every way there is; what is added here takes part in the test below.
METHODS = {
    "reverse": lambda L, s, t: cg.sensitivity(L, s, t, direction="reverse"),
    "forward": lambda L, s, t: cg.sensitivity(L, s, t, direction="forward"),
    "sensitivity": cg.sensitivity,
    "sensitivities": lambda L, s, t: cg.sensitivities(L, t)[s],
    "sensitivities_from": lambda L, s, t: cg.sensitivities_from(L, s)[t],
    "path_sum": cg.path_sum,
    "effects": lambda L, s, t: cg.effects(L, s, t).total,
    "jacobian": lambda L, s, t: cg.jacobian(L, [s], [t]),
    "denominator layout": lambda L, s, t: cg.jacobian(L, [s], [t], layout="denominator").T,
    "elimination": lambda L, s, t: cg.jacobian(L, [s], [t], order="markowitz"),
}


def close(expected):
    return pytest.approx(expected, rel=1e-9, abs=1e-11)


@some
@given(vector_graphs())
def test_all_methods_agree(G):
    L = cg.linearize(G)
    assert all(np.array_equal(value, L.nodes[i]["value"]) for i, value in cg.evaluate(G).items())
    for i, j, z in L.edges(data="derivative"):
        is_number = np.ndim(L.nodes[i]["value"]) == np.ndim(L.nodes[j]["value"]) == 0
        assert type(z) is float if is_number else z.shape == tuple(np.size(L.nodes[k]["value"]) for k in (j, i))
    for s in [*L.inputs, *L.weights, "v0"]:
        for t in [*L.outputs, "x0"]:
            assume(cg.count_paths(L, s, t) < 200)
            expected = by_paths(L, s, t)
            is_number = np.ndim(L.nodes[s]["value"]) == np.ndim(L.nodes[t]["value"]) == 0
            for name, method in METHODS.items():
                S = method(L, s, t)
                assert type(S) is float if is_number and name not in MATRICES else S.dtype == np.float64, name
                assert as_matrix(S) == close(expected), (name, s, t)


MATRICES = {"jacobian", "denominator layout", "elimination"}


@some
@given(vector_graphs())
def test_numerical_differentiation_agrees(G):
    report = cg.check_derivatives(G, tolerance=1e-7)
    assert report, report.failures[0]
    assert {check.kind for check in report.checks} == {"edge", "pair"}


IN_JAX = {} if jax is None else {
    "add": jnp.add, "sub": jnp.subtract, "mul": jnp.multiply, "div": jnp.divide, "neg": jnp.negative, "pow": jnp.power,
    "sin": jnp.sin, "tanh": jnp.tanh, "exp": jnp.exp, "atan": jnp.arctan, "sigmoid": jax.nn.sigmoid, "softplus": jax.nn.softplus,
    "max": jnp.maximum, "where": lambda c, a, b: jnp.where(c != 0, a, b), "greater": lambda a, b: (a > b) * 1.0,
    "less": lambda a, b: (a < b) * 1.0, "binary_cross_entropy": lambda p, y: -y * jnp.log(p) - (1 - y) * jnp.log(1 - p),
    "matmul": jnp.matmul, "dot": jnp.dot, "outer": jnp.outer, "transpose": jnp.transpose, "trace": jnp.trace,
    "prod": jnp.prod, "sort": jnp.sort, "solve": jnp.linalg.solve, "logdet": lambda A: jnp.linalg.slogdet(A)[1],
    "cholesky": lambda A: jnp.linalg.cholesky(jnp.tril(A) + jnp.tril(A, -1).T, symmetrize_input=False),
    "det": jnp.linalg.det, "inv": jnp.linalg.inv, "reshape": jnp.reshape,
    "index": lambda x, key: x[tuple(slice(*k) if hasattr(k, "start") else jnp.array(k) if isinstance(k, tuple) else k for k in key)],
    "concatenate": lambda *x, axis=0: jnp.concatenate(x, axis), "stack": lambda *x, axis=0: jnp.stack(x, axis),
    "sum": jnp.sum, "mean": jnp.mean, "largest": jnp.max, "smallest": jnp.min, "squared_norm": lambda x: jnp.sum(x * x),
    "norm": lambda x: jnp.sqrt(jnp.sum(x * x)), "softmax": jax.nn.softmax, "log_softmax": jax.nn.log_softmax,
    "logsumexp": lambda x, axis=-1: jax.nn.logsumexp(x, axis), "cross_entropy": lambda p, y: -jnp.log(jnp.sum(p * y, -1)),
    "softmax_cross_entropy": lambda s, y: -jnp.sum(y * jax.nn.log_softmax(s), -1),
    "squared_error": lambda a, b: jnp.sum((a - b) ** 2, -1),
    "hinge": lambda s, y: jnp.sum((1 - y) * jnp.maximum(s - jnp.sum(s * y, -1, keepdims=True) + 1, 0), -1),
}  # fmt: skip


def in_jax(G, t):
    """Return y(t) as a function of the inputs and weights, in JAX."""

    def function(values):
        y = dict(G.nodes(data="value")) | values
        for j in nx.topological_sort(G):
            if "equation" not in G.nodes[j]:
                continue
            v = []
            for step in parse(G.nodes[j]["equation"]).steps:
                match step:
                    case Name(name):
                        v.append(y[name])
                    case Number(value):
                        v.append(value)
                    case Apply(operation, operands, options):
                        v.append(IN_JAX[operation](*[v[k] for k in operands], **dict(options)))
            y[j] = v[-1]
        return y[t]

    return function


@pytest.mark.skipif(jax is None, reason="JAX is an optional test dependency")
@settings(max_examples=3, deadline=None)
@given(vector_graphs())
def test_jax_agrees(G):
    L = cg.linearize(G)
    sources = {i: jnp.asarray(L.nodes[i]["value"]) for i in [*L.inputs, *L.weights]}
    t = L.outputs[-1]
    found = jax.jit(jax.jacrev(in_jax(G, t)))(sources)
    for s, expected in found.items():
        tensor = cg.jacobian(L, [s], [t], tensor=True)
        assert tensor.shape == expected.shape
        assert tensor == close(np.asarray(expected))


# --- what else is asked of such graphs ------------------------------------------------------------------------------------------


@some
@given(vector_graphs(), st.data())
def test_every_cut_carries_the_whole_sensitivity(G, data):
    L = cg.linearize(G)
    order = list(nx.topological_sort(L))
    s = data.draw(st.sampled_from([*L.inputs, *L.weights]))
    t = data.draw(st.sampled_from(L.outputs))
    flow = cg.edge_sensitivities(L, s, t)
    assert list(flow) == list(L.edges)
    S = cg.sensitivity(L, s, t)
    assert all(np.shape(z) == np.shape(S) for z in flow.values())
    if cg.count_paths(L, s, t):
        first = data.draw(st.integers(order.index(s) + 1, order.index(t)))
        cut = set(order[:first])
        assert sum(z for (i, j), z in flow.items() if i in cut and j not in cut) == close(S)


@some
@given(vector_graphs())
def test_effects_and_top_paths(G):
    L = cg.linearize(G)
    for t in L.outputs:
        for s in L.pred[t]:
            found = cg.effects(L, s, t)
            assert found.direct + found.indirect == close(found.total)
            direct = as_matrix(L.edges[s, t]["derivative"])
            assert as_matrix(found.direct) == close(direct)
        assume(cg.count_paths(L, "x0", t) < 200)
        every = dict(cg.paths(L, "x0", t))
        assert len(every) == cg.count_paths(L, "x0", t)
        norms = sorted((float(np.linalg.norm(product)) for product in every.values()), reverse=True)
        top = cg.top_paths(L, "x0", t, 3)
        assert [float(np.linalg.norm(product)) for _, product in top] == close(norms[:3])
        assert all(product == close(every[path]) for path, product in top)


@some
@given(vector_graphs(), st.data())
def test_losses_with_seeds_of_arrays(G, data):
    L = cg.linearize(G)
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    seeds = {
        t: rng.normal(size=np.shape(L.nodes[t]["value"])) for t in data.draw(st.sets(st.sampled_from([*L]), min_size=1))
    }
    Delta = cg.loss_sensitivities(L, seeds)
    for i in L:
        value = L.nodes[i]["value"]
        assert np.shape(Delta[i]) == np.shape(value)
        total = sum(np.ravel(seed) @ as_matrix(cg.sensitivity(L, i, t)) for t, seed in seeds.items())
        assert Delta[i] == close(np.reshape(total, np.shape(value))[()])


@some
@given(vector_graphs())
def test_gradients_have_the_shape_of_the_weight(G):
    L = cg.linearize(G)
    gradients = cg.weight_gradients(L, "J")
    assert list(gradients) == L.weights
    for w, gradient in gradients.items():
        assert np.shape(gradient) == np.shape(L.nodes[w]["value"])
        assert np.ravel(gradient) == close(np.ravel(cg.sensitivity(L, w, "J")))


@some
@given(vector_graphs())
def test_jacobians_of_several_nodes_are_put_together_from_those_of_each(G):
    L = cg.linearize(G)
    sources, targets = [*L.inputs, *L.weights], [*L.outputs, "v0"]
    blocks = [[as_matrix(cg.sensitivity(L, s, t)) for s in sources] for t in targets]
    assert cg.jacobian(L, sources, targets) == close(np.block(blocks))
    assert cg.jacobian(L, sources, targets, layout="denominator") == close(np.block(blocks).T)
    for s, t in [(s, t) for s in sources for t in targets]:
        y, x = (np.shape(L.nodes[i]["value"]) for i in (t, s))
        S = as_matrix(cg.sensitivity(L, s, t))
        assert cg.jacobian(L, [s], [t], tensor=True) == close(S.reshape(y + x))
        assert cg.jacobian(L, [s], [t], tensor=True, layout="denominator") == close(S.T.reshape(x + y))


# --- Jacobians given by hand --------------------------------------------------------------------------------------------------------


@st.composite
def matrix_dags(draw):
    """A DAG whose nodes have 1 to 3 entries and whose edges hold matrices; between two numbers sometimes a float."""
    n = draw(st.integers(2, 7))
    sizes = [draw(st.sampled_from([None, 1, 2, 3])) for _ in range(n)]
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    G = nx.DiGraph()
    G.add_nodes_from(range(n))
    for j in range(n):
        for i in range(j):
            if draw(st.booleans()):
                z = rng.integers(-3, 4, size=(sizes[j] or 1, sizes[i] or 1))
                G.add_edge(
                    i,
                    j,
                    derivative=float(z[0, 0])
                    if sizes[i] is sizes[j] is None
                    else z.astype(draw(st.sampled_from([int, float]))),
                )
    return G, sizes


@settings(max_examples=40)
@given(matrix_dags(), st.data())
def test_matrices_given_by_hand(graph, data):
    G, sizes = graph
    s, t = (data.draw(st.sampled_from(range(len(sizes)))) for _ in range(2))
    known = [i for i in (s, t) if not (G.pred[i] or G.succ[i])]
    if known:  # nothing says the size of a node without edges
        return
    m, n = sizes[t] or 1, sizes[s] or 1
    expected = np.zeros((m, n))
    for path in nx.all_simple_paths(G, s, t) if s != t else [(s,)]:
        product = np.eye(n)
        for i, j in pairwise(path):
            product = np.atleast_2d(G.edges[i, j]["derivative"]) @ product
        expected += product
    for name, method in METHODS.items():
        S = method(G, s, t)
        assert as_matrix(S).shape == (m, n), name
        assert np.array_equal(as_matrix(S), expected), name
    if not cg.count_paths(G, s, t):
        return
    assert as_matrix(sum(product for _, product in cg.paths(G, s, t))) == pytest.approx(expected)
    flow = cg.edge_sensitivities(G, s, t)
    if s != t:
        assert as_matrix(sum(z for (i, j), z in flow.items() if i == s)) == pytest.approx(expected)


@pytest.mark.parametrize("algorithm", SINGLE)
@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (np.ones((2, 1)), np.ones((1, 3)), ["'a'", "1 x 3", "2 entries"]),
        (np.ones((3, 2)), np.ones((1, 2)), ["'a'", "1 x 2", "3 entries"]),
        (np.ones((2, 1)), 4.0, ["'a'", "a number", "2 entries"]),
        (4.0, np.ones((1, 2)), ["'a'", "1 x 2", "1 entry"]),
    ],
)  # fmt: skip
def test_matrices_that_contradict_each_other_are_refused(algorithm, first, second, words):
    G = nx.DiGraph()
    G.add_edge("x", "a", derivative=first)
    G.add_edge("a", "y", derivative=second)
    with pytest.raises(cg.DerivativeError) as error:
        SINGLE[algorithm](G, "x", "y")
    assert all(word in str(error.value) for word in words), str(error.value)


@pytest.mark.parametrize("algorithm", SINGLE)
def test_a_matrix_that_contradicts_the_value_is_refused(algorithm):
    L = cg.linearize(cg.from_equations("a = 2*x; y = sum(a)", x=[1.0, 2.0]))
    L.edges["a", "y"]["derivative"] = np.ones((1, 3))
    with pytest.raises(cg.DerivativeError, match=r"'a'.*(1 x 3.*2 entries)"):
        SINGLE[algorithm](L, "x", "y")


def test_the_gates_of_an_activated_array():
    L = cg.linearize(cg.from_equations("s = 2*x; h = identity(s); r = relu(h)", x=[[1.0, 0.0], [-3.0, 0.5]]))
    found = cg.gates(L)
    assert {j: gate.tolist() for j, gate in found.items()} == {"h": [[1, 1], [1, 1]], "r": [[1, 0], [0, 1]]}


@pytest.mark.parametrize(
    "equation", ["x + c", "max(x, c)", "relu(x)", "relu(c)*x", "where(x > 0, c, x)", "max(x)", "x[0]"]
)
def test_jacobians_hold_floats(equation):
    L = cg.linearize(cg.from_equations(f"y = {equation}", x=[1.0, 2.0], c=1.0))
    for S in cg.sensitivities(L, "y").values():
        assert np.asarray(S).dtype == np.float64
