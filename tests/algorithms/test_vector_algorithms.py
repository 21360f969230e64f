"""What the algorithms for numbers say of arrays: magnitudes by depth, logarithms, eliminations."""

import math

import networkx as nx
import numpy as np
import pytest

import cgraph as cg


def layered():
    """Return y = B tanh(A x), J = sum of squares of y, by hand-picked numbers."""
    return cg.linearize(
        cg.from_equations(
            "s = A @ x; h = tanh(s); y = B @ h; J = squared_norm(y)",
            A=[[1.0, 2.0], [0.5, -1.0], [0.0, 1.0]],
            B=[[1.0, 0.0, 2.0], [0.0, 3.0, 1.0]],
            x=[0.1, -0.2],
        )
    )


def test_logarithms_are_those_of_the_entries():
    L = layered()
    S = cg.sensitivities(L, "J")
    for i, (sign, log) in cg.log_sensitivities(L, "J").items():
        np.testing.assert_array_equal(sign, np.sign(S[i]))
        np.testing.assert_allclose(np.exp(log), np.abs(S[i]), rtol=1e-12)


def test_logarithms_reach_below_every_float():
    n = 60
    chain = "; ".join(f"h{k} = 1e-12 * (W @ h{k - 1})" for k in range(1, n + 1))
    L = cg.linearize(cg.from_equations(f"{chain}; J = sum(h{n})", h0=[1.0, 1.0], W=[[2.0, 0.0], [0.0, 4.0]]), {})
    sign, log = cg.log_sensitivities(L, "J")["h0"]
    # J = 1e-720 (2^60 h0[0] + 4^60 h0[1])
    np.testing.assert_allclose(log[0], n * np.log([2.0, 4.0]) - 12 * n * math.log(10), rtol=1e-12)
    assert sign.tolist() == [[1.0, 1.0]]
    assert cg.sensitivity(L, "h0", "J").tolist() == [[0.0, 0.0]]


def test_every_entry_counts_in_the_flow():
    L = layered()
    S = np.abs(cg.sensitivity(L, "s", "J")).ravel()
    level = next(level for level in cg.gradient_flow(L, "J") if level.depth == 3)
    assert (level.mean, level.smallest, level.largest) == pytest.approx((S.mean(), S.min(), S.max()))
    assert level.nodes == 1


@pytest.mark.parametrize("method", ["forward", "reverse", "markowitz", "optimal"])
def test_eliminations_multiply_matrices_in_their_order(method):
    L = layered()
    for sources, targets in [(["x"], ["J"]), (["A", "x"], ["y"]), (["x", "B", "s"], ["J", "y"])]:
        found = cg.jacobian(L, sources, targets, order=method)
        np.testing.assert_allclose(found, cg.jacobian(L, sources, targets), rtol=1e-12, atol=1e-12)


def test_an_elimination_without_a_path_has_zeros_of_the_right_shape():
    L = cg.linearize(cg.from_equations("y = 2 * x; u = 3 * z", x=[1.0, 2.0], z=[1.0, 2.0, 3.0]))
    found = cg.jacobian(L, ["x", "z"], ["y", "u"], order="markowitz")
    np.testing.assert_array_equal(found, np.diag([2.0, 2.0, 3.0, 3.0, 3.0]))


def test_an_elimination_on_arrays_is_checked_by_sweeps():
    L = layered()
    ends = {"inputs": ["x", "A"], "outputs": ["J"]}
    result = cg.eliminate(L, cg.elimination_order(L, method="reverse", **ends), **ends)
    assert cg.check_elimination(L, result) < 1e-12
    result.graph.edges["x", "J"]["derivative"] = np.array([[1.0, 2.0]])
    with pytest.raises(cg.EvaluationError, match=r"S\(x, J\) is .* by elimination and .* by a sweep"):
        cg.check_elimination(L, result)


def test_an_elimination_does_not_write_out_what_no_machine_should():
    L = cg.linearize(cg.from_equations("y = A @ B; J = sum(y)", A=np.ones((80, 80)), B=np.ones((80, 80))))
    with pytest.raises(cg.DerivativeError, match="6400 x 6400 Jacobian; an elimination writes it out"):
        cg.jacobian(L, ["A"], ["J"], order="reverse")
    np.testing.assert_array_equal(cg.jacobian(L, ["A"], ["J"]), np.full((1, 6400), 80.0))


def test_direct_and_indirect_effects_of_arrays():
    L = cg.linearize(cg.from_equations("a = 2 * x; y = a * x", x=[1.0, 3.0]))
    effects = cg.effects(L, "x", "y")
    np.testing.assert_array_equal(effects.direct, np.diag([2.0, 6.0]))
    np.testing.assert_array_equal(effects.indirect, np.diag([2.0, 6.0]))
    np.testing.assert_array_equal(effects.total, np.diag([4.0, 12.0]))


def test_jacobians_given_by_hand():
    G = nx.DiGraph()
    G.add_edge("x", "u", derivative=np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    G.add_edge("u", "t", derivative=np.array([[1, 0, 1]]))
    G.add_edge("x", "t", derivative=np.array([[10.0, 20.0]]))
    assert cg.sensitivity(G, "x", "t").tolist() == [[16.0, 28.0]]
    assert cg.sensitivity(G, "x", "t", direction="forward").tolist() == [[16.0, 28.0]]
    assert cg.path_sum(G, "x", "t").tolist() == [[16.0, 28.0]]
    assert cg.loss_sensitivities(G, {"t": 2.0})["x"].tolist() == [32.0, 56.0]
    assert [path for path, _ in cg.top_paths(G, "x", "t")] == [("x", "t"), ("x", "u", "t")]


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        (
            {("x", "u"): np.ones((3, 2)), ("u", "t"): np.ones((1, 2))},
            "'u' -> 't' holds a 1 x 2 Jacobian, but 'u' has 3",
        ),
        (
            {("x", "u"): np.ones((3, 2)), ("u", "t"): 2.0},
            "'u' -> 't' holds a number, but 'u' has 3 entries by edge 'x' ->",
        ),
        ({("x", "u"): 2.0, ("u", "t"): np.ones((1, 3))}, "'u' -> 't' holds a 1 x 3 Jacobian, but 'u' has 1 entry"),
    ],
)
def test_jacobians_that_do_not_fit_are_named(edges, message):
    G = nx.DiGraph()
    for edge, z in edges.items():
        G.add_edge(*edge, derivative=z)
    for question in (cg.sensitivity, cg.path_sum, cg.edge_sensitivities):
        with pytest.raises(cg.DerivativeError, match=message):
            question(G, "x", "t")


@pytest.mark.parametrize(
    ("seed", "message"),
    [
        (None, "is None"),
        ([1.0, 2.0], r"holds a vector of 2; y\(u\) has 3 entries"),
        ([1.0, 2.0, math.inf], "each needs a finite number"),
        ("abc", "which is not a number"),
        (1.0, "holds a number"),
    ],
)
def test_seeds_that_do_not_fit_are_named(seed, message):
    L = cg.linearize(cg.from_equations("u = 2 * x", x=[1.0, 2.0, 3.0]))
    with pytest.raises(cg.DerivativeError, match=message):
        cg.loss_sensitivities(L, {"u": seed})


def test_layouts_and_tensors():
    # CSE463, section 5.4: A is 4 x 2, x has 3 entries; dA/dx is a 4 x 2 x 3 tensor, or 8 x 3 when A is flattened.
    B = np.arange(24.0).reshape(8, 3)
    L = cg.linearize(cg.from_equations("A = reshape(B @ x, 4, 2)", B=B, x=[1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(cg.jacobian(L, ["x"], ["A"]), B)
    np.testing.assert_array_equal(cg.jacobian(L, ["x"], ["A"], tensor=True), B.reshape(4, 2, 3))
    np.testing.assert_array_equal(cg.jacobian(L, ["x"], ["A"], layout="denominator"), B.T)
    np.testing.assert_array_equal(cg.jacobian(L, ["x"], ["A"], layout="denominator", tensor=True), B.T.reshape(3, 4, 2))
    with pytest.raises(cg.CGraphError, match="^there is no layout 'row'"):
        cg.jacobian(L, ["x"], ["A"], layout="row")
    with pytest.raises(cg.CGraphError, match="^a tensor is of one source and one target, not of 2 and 1"):
        cg.jacobian(L, ["x", "B"], ["A"], tensor=True)


def test_the_cheaper_direction():
    L = cg.linearize(cg.from_equations("v = t * c; J = squared_norm(v)", t=2.0, c=[1.0, 2.0]))
    assert [cg.cheaper_direction(L, *ends) for ends in [("t", "v"), ("c", "J"), ("c", "v"), ("t", "J")]] == [
        "forward", "reverse", "reverse", "reverse",
    ]  # fmt: skip


def test_what_is_asked_for_by_a_wrong_word_is_refused():
    L = layered()
    with pytest.raises(cg.CGraphError, match="no direction 'back'; the directions are reverse and forward"):
        cg.sensitivity(L, "x", "y", direction="back")
    with pytest.raises(cg.CGraphError, match=r"a list of nodes is needed; write \['x'\]"):
        cg.jacobian(L, "x", ["y"])
    with pytest.raises(cg.CGraphError, match=r"a list of nodes is needed; write \['y'\]"):
        cg.jacobian(L, ["x"], "y")


def test_a_loss_is_a_node_or_its_derivatives():
    L = layered()
    by_node, by_seed = cg.loss_sensitivities(L, "J"), cg.loss_sensitivities(L, {"J": 1.0})
    for i in L:
        np.testing.assert_array_equal(by_node[i], by_seed[i])
    with pytest.raises(cg.DerivativeError, match="the loss 'y' is a vector of 2; a loss is one number"):
        cg.loss_sensitivities(L, "y")


@pytest.mark.parametrize(
    ("z", "message"),
    [
        ([[1.0, 2.0]], r"holds \[\[1.0, 2.0\]\] as 'derivative'; give it a matrix of floats, an ndarray"),
        (np.array([1.0, 2.0]), r"holds an array of shape \(2,\) as 'derivative'; give it a matrix"),
    ],
)
def test_what_is_no_matrix_is_named_as_what_it_is(z, message):
    G = nx.DiGraph()
    G.add_edge("x", "y", derivative=np.ones((1, 2)))
    G.add_edge("x", "t", derivative=z)
    G.add_edge("y", "t", derivative=1.0)
    for question in (cg.sensitivity, cg.path_sum, cg.edge_sensitivities):
        with pytest.raises(cg.DerivativeError, match=message):
            question(G, "x", "t")


def test_a_compiled_graph_holds_numbers():
    with pytest.raises(cg.DerivativeError, match=r"edge 'A' -> 's' holds a 3 x 6 Jacobian; .* scalarize"):
        cg.compile_graph(layered())
