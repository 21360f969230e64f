"""Jacobians at new points by prepared programs, against the sweeps over dicts, JAX and numbers from paper."""

import contextlib
import gc
import json
import os
import pickle
import weakref
from collections import defaultdict
from types import SimpleNamespace

import networkx as nx
import numpy as np
import pytest
from engines import ENGINES, using
from hypothesis import given, settings
from hypothesis import strategies as st
from random_graphs import equation_graphs
from straight_interpreter import interpret

import cgraph as cg
from cgraph.algorithms.compiled import jacobian_programs, jacobian_runs, straight_costs
from cgraph.algorithms.compiled.straight_code import straight_code
from cgraph.algorithms.compiled.tape.numba_rules import OPCODES, is_binary

ORDERS = ["forward", "reverse", "markowitz", "minimum_fill", "auto"]


def small():
    return cg.from_equations("a = x*z; y = a + x; u = a^2", x=2.0, z=3.0)


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=40)
@given(G=equation_graphs(), order=st.sampled_from(ORDERS), data=st.data())
def test_values_and_jacobian_are_those_of_the_sweeps(engine, G, order, data):
    sources = list(G.inputs)
    targets = [j for j in G if j not in sources]
    with using(engine):
        f = cg.jacobian_function(G, sources, targets, order=order)
        X = np.array(data.draw(st.lists(st.lists(st.floats(-1.5, 1.5), min_size=len(sources), max_size=len(sources)),
                                        min_size=1, max_size=9)))  # fmt: skip
        values, J = f(X)
        for k, x in enumerate(X):
            L = cg.linearize(G, dict(zip(sources, x.tolist(), strict=True)))
            expected = cg.jacobian(L, sources, targets)
            np.testing.assert_allclose(J[k], expected, rtol=1e-12, atol=1e-13)
            np.testing.assert_allclose(values[k], [L.nodes[t]["value"] for t in targets], rtol=1e-13, atol=1e-15)
            of_one = f(x)
            np.testing.assert_allclose(of_one[1], J[k], rtol=1e-13, atol=1e-15)


def test_what_is_one_by_structure_is_neither_computed_nor_multiplied_with():
    # da = (z, x); y = a + x: z + 1, x, without a product. u = a^2 = pow(a, 2): 2a times z and x.
    f = cg.jacobian_function(small(), ["x", "z"], ["y", "u"])
    values, J = f([2.0, 3.0])
    assert values.tolist() == [8.0, 36.0]
    assert J.tolist() == [[4.0, 2.0], [36.0, 24.0]]
    assert f.multiplications == 2
    assert f.additions == 1


def test_a_difference_carries_its_sign():
    G = cg.from_equations("a = x - z; b = z - a; y = a*b; w = -a - b", x=2.0, z=3.0)
    J = cg.jacobian_function(G, ["x", "z"], ["y", "w", "b"])([5.0, 1.0])[1]
    # a = x - z = 4, b = 2z - x = -3: dy = (b - a, 2a - b), w = -z
    assert J.tolist() == [[-7.0, 11.0], [0.0, -1.0], [-1.0, 2.0]]


def roe_like():
    lines = ["a = x*z; b = sin(a); c = exp(b) * w", "d = c - a*b; g = d / (1 + c^2); h = sqrt(1 + g^2) * tanh(d)"]
    return cg.from_equations("; ".join([*lines, "y1 = h*g; y2 = h + d; y3 = log(2 + h^2)"]), x=0.3, z=0.7, w=1.1)


@pytest.mark.parametrize("order", ORDERS)
def test_multiplications_are_those_of_the_order(order):
    G = roe_like()
    f = cg.jacobian_function(G, ["x", "z", "w"], ["y1", "y2", "y3"], order=order)
    same = cg.jacobian_function(G, ["x", "z", "w"], ["y1", "y2", "y3"], order=f.order)
    assert same.multiplications == f.multiplications
    # Apart from constants: every step is a node of the expanded graph, where +1 and -1 are marked by hand.
    L = cg.linearize(cg.expand(G))
    for i, j, z in L.edges(data="derivative"):
        L.edges[i, j]["unit"] = z in (1, -1) and L.nodes[j]["equation"].count("*") == 0
    if order in ("forward", "reverse"):
        plan = cg.elimination_order(L, method=order, inputs=["x", "z", "w"], outputs=["y1", "y2", "y3"])
        cost = cg.elimination_cost(L, plan, inputs=["x", "z", "w"], outputs=["y1", "y2", "y3"], cost="unit")
        assert f.multiplications == cost


@settings(max_examples=40)
@given(G=equation_graphs(), order=st.sampled_from(ORDERS))
def test_the_program_that_is_written_out_multiplies_as_often_as_the_plan_says(G, order):
    pytest.importorskip("numba", reason="numba is an extra")
    sources = list(G.inputs)
    targets = [j for j in G if j not in sources]
    f = cg.jacobian_function(G, sources, targets, order=order)
    layout = f._run._layout
    x = [0.3 + 0.2 * k for k in range(len(sources))]
    values, J = [0.0] * len(targets), [0.0] * layout.size
    given = f._accumulated.given.tolist()
    products = interpret(straight_code(layout, 1, "ptr"), x=x, given=given, values=values, jacobian=J)
    L = cg.linearize(G, dict(zip(sources, x, strict=True)))
    np.testing.assert_allclose(values, [L.nodes[t]["value"] for t in targets], rtol=1e-13)
    np.testing.assert_allclose(
        np.reshape(J, (len(targets), -1)), cg.jacobian(L, sources, targets), rtol=1e-11, atol=1e-13
    )
    assert products == f.multiplications + products_before(layout)


def test_what_is_zero_at_every_point_makes_no_product():
    # a = x - x has no derivative: of y = x z + a^2 z, products with that of a are not formed.
    G = cg.from_equations("a = x - x; b = a*z; y = tanh(x*z + b)", x=1.0, z=2.0)
    for order, products in (("forward", 2), ("reverse", 3)):
        f = cg.jacobian_function(G, ["x", "z"], ["y", "a"], order=order)
        assert f.multiplications == products
        J = f([0.5, 0.25])[1]
        gate = 1 - np.tanh(0.125) ** 2
        np.testing.assert_allclose(J, [[gate * 0.25, gate * 0.5], [0, 0]], rtol=1e-14)


def products_before(layout):
    """Return how many products values and local derivatives take, of those that something returned depends on."""
    program = layout.program
    codes = np.repeat(program.codes, np.diff(program.bounds)).tolist()
    needed = {*layout.values, *(row for _, row in layout.entries)}
    for k in reversed(layout.recorded):
        if k in needed and codes[k] != OPCODES["given"]:
            needed |= {int(program.first[k])} | ({int(program.second[k])} if is_binary(codes[k]) else set())
    before = [k for k in layout.recorded[: layout.accumulated] if k in needed]
    return sum(codes[k] in (OPCODES["mul"], OPCODES["square"]) for k in before)


@pytest.mark.parametrize(("width", "calls"), [(1, 4), (8, 12)])
def test_functions_that_can_wait_for_each_other_are_computed_by_one_call(width, calls):
    """20 sines, then 20 tanh of them, and their derivatives: 64 numbers at a time."""
    pytest.importorskip("numba", reason="numba is an extra")
    G = cg.from_equations(
        "; ".join(f"y{k} = tanh(3 * sin(x{k}))" for k in range(20)), **{f"x{k}": 0.1 for k in range(20)}
    )
    f = cg.jacobian_function(G, G.inputs, G.outputs)
    assert straight_code(f._run._layout, width, "ptr").count("  call void") == calls
    x = np.linspace(-1, 1, 20)
    slopes = 3 * np.cos(x) / np.cosh(3 * np.sin(x)) ** 2
    np.testing.assert_allclose(f(x)[1], np.diag(slopes), rtol=1e-13)
    np.testing.assert_allclose(f([x] * 9)[1][8], np.diag(slopes), rtol=1e-13)


@pytest.mark.parametrize("points", [1, 7, 8, 9, 27])
def test_points_that_fill_no_block_are_computed_too(points):
    f = cg.jacobian_function(roe_like(), ["x", "z", "w"], ["y1", "y2", "y3"])
    X = np.random.default_rng(points).uniform(-1, 1, (points, 3))
    values, J = f(X)
    for x, y, of_one in zip(X, values, J, strict=True):
        expected = f(x)
        np.testing.assert_allclose(y, expected[0], rtol=1e-14)
        np.testing.assert_allclose(of_one, expected[1], rtol=1e-13)


def test_points_on_several_cores(monkeypatch):
    monkeypatch.setattr(jacobian_runs, "MANY", 2**10)
    monkeypatch.setattr(jacobian_runs, "cores", lambda: 3)
    f = cg.jacobian_function(roe_like(), ["x", "z", "w"], ["y1", "y2", "y3"])
    X = np.random.default_rng(0).uniform(-1, 1, (203, 3))
    J = f(X)[1]
    assert np.allclose(J, [f(x)[1] for x in X], rtol=1e-13)
    X[100] = -np.inf
    with pytest.raises(cg.EvaluationError, match="at .'x': -inf"):
        f(X)


def test_a_program_that_is_too_long_to_be_written_out_runs_as_a_tape(monkeypatch):
    ends = ["x", "z", "w"], ["y1", "y2", "y3"]
    f = cg.jacobian_function(roe_like(), *ends)
    monkeypatch.setattr(jacobian_runs, "LONGEST", 10)
    tape = cg.jacobian_function(roe_like(), *ends)
    assert isinstance(tape._run, jacobian_runs.TapeRun)
    X = np.random.default_rng(0).uniform(-1, 1, (11, 3))
    for ours, of_tape in zip(f(X), tape(X), strict=True):
        np.testing.assert_allclose(ours, of_tape, rtol=1e-12)
    np.testing.assert_allclose(f(X[0])[1], tape(X[0])[1], rtol=1e-12)


def written(name, row):
    """Return an equation in a and b, or in a, that is the one operation `name`; of a third operand it is 0.5."""
    operands = ["a", "b", "0.5"][: len(row.names)]
    if row.infix:
        return f" {row.infix} ".join(operands) if len(operands) > 1 else row.infix + operands[0]
    return f"{name}({', '.join(operands)})"


@pytest.mark.parametrize("name", cg.OPERATIONS)
def test_every_operation_at_one_point_and_at_many(name):
    row = cg.OPERATIONS[name]
    G = cg.from_equations(f"y = {written(name, row)}; u = 2*y + a", a=0.0, b=0.0)
    sources = ["a", "b"][: len(row.names)]
    X = np.array([[0.3, 0.6], [0.7, 0.2], [0.45, 0.45]] * 3)[:, : len(sources)] + (name == "acosh")
    f = cg.jacobian_function(G, sources, ["u"])
    expected = [cg.jacobian(cg.linearize(G, dict(zip(sources, x, strict=True))), sources, ["u"]) for x in X]
    np.testing.assert_allclose(f(X)[1], expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose([f(x)[1] for x in X], expected, rtol=1e-12, atol=1e-14)


def test_costs_are_measured_once_and_kept(tmp_path, monkeypatch):
    pytest.importorskip("numba", reason="numba is an extra")
    monkeypatch.setattr(straight_costs, "kept_in", lambda _: tmp_path / "new")
    measured = straight_costs.costs.__wrapped__()
    assert measured.product > 0
    assert measured.addition >= 0
    monkeypatch.setattr(straight_costs, "_measured", lambda: straight_costs.Costs(7.0, 1.0))
    assert straight_costs.costs.__wrapped__() == measured
    (file,) = (tmp_path / "new").iterdir()
    for damaged in ("", "{}", '{"product": 0, "addition": 1}', '{"product": 1, "addition": Infinity}', "[" * 9999):
        file.write_text(damaged)
        assert straight_costs.costs.__wrapped__() == (7.0, 1.0)
        assert json.loads(file.read_text()) == {"product": 7.0, "addition": 1.0}


def instructions(f):
    """Return how many products a program's elimination makes, and how many sums that take up none."""
    body = straight_code(f._run._layout, 1, "ptr")
    before = products_before(f._run._layout)
    fused = body.count("@llvm.fmuladd") - 1 - len(f._run._layout.values) - len(f._run._layout.entries)
    return body.count("= fmul ") - before + fused, body.count("= fadd ") + body.count("= fsub ")


@pytest.mark.parametrize("order", ["forward", "reverse", "markowitz"])
def test_products_and_sums_that_are_counted_before_are_those_of_the_program(order):
    pytest.importorskip("numba", reason="numba is an extra")
    # Values and local derivatives of this graph are products alone, and two sums; the answer's check takes three.
    G = cg.from_equations("a = x*z; b = a*w; c = a + b; d = c*b; g = d + a; y = g*d; u = g*c", x=0.3, z=0.7, w=1.1)
    f = cg.jacobian_function(G, ["x", "z", "w"], ["y", "u"], order=order)
    recorder = jacobian_programs._Sharing()
    steps = jacobian_programs._record_values(recorder, G)
    ss, ts = [steps[s] for s in "xzw"], [steps[t] for t in "yu"]
    L = jacobian_programs._linearized(recorder, ss, ts)
    products, sums = jacobian_programs._instructions(L, f.order, {"inputs": ss, "outputs": ts})
    assert products == f.multiplications
    assert (products, sums + 2 + 3) == instructions(f)


def test_auto_takes_the_order_of_least_time(monkeypatch):
    """A sum that takes up no product counts as well."""
    G, ends = roe_like(), (["x", "z", "w"], ["y1", "y2", "y3"])
    fs = {order: cg.jacobian_function(G, *ends, order=order) for order in ("forward", "reverse")}
    for forward, reverse, faster in [((5, 0), (4, 2), "forward"), ((5, 0), (4, 0), "reverse")]:
        of_order = defaultdict(lambda: (9, 9), {fs["forward"].order: forward, fs["reverse"].order: reverse})
        monkeypatch.setattr(
            jacobian_programs, "_instructions", lambda _, order, __, known=of_order: known[tuple(order)]
        )
        monkeypatch.setattr(jacobian_programs, "costs", lambda: straight_costs.Costs(1.0, 1.0))
        assert cg.jacobian_function(G, *ends).order == fs[faster].order


def test_what_is_known_is_not_computed_again_for_derivatives():
    # d sin = cos, which is there; d cos = -sin, as well.
    G = cg.from_equations("s = sin(a); c = cos(a); y = s*c", a=0.5)
    program = cg.jacobian_function(G, ["a"], ["y"])._accumulated.program
    codes = np.repeat(program.codes, np.diff(program.bounds)).tolist()
    assert codes.count(OPCODES["sin"]) == codes.count(OPCODES["cos"]) == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_a_bound_function_reads_and_fills_its_arrays(engine):
    with using(engine):
        f = cg.jacobian_function(network(), ["x", ("x", "h")], ["J", "h"])
        x, values, J = np.empty(2), np.empty(2), np.full((2, 2), np.nan)
        run = f.bind(x, values, J, {"k": 1.5})
        for x[:] in ([0.3, 0.2], [-0.1, 0.4]):
            assert run() == 1
            expected = f(x, {"k": 1.5})
            assert np.array_equal(values, expected[0])
            assert np.array_equal(J, expected[1])
        x[0] = np.inf
        assert not run()
        del f
        gc.collect()
        x[:] = [-0.1, 0.4]
        assert run()
        assert np.array_equal(J, expected[1])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("points", [1, 7, 8, 19])
def test_a_bound_function_of_many_points(engine, points):
    with using(engine):
        f = cg.jacobian_function(network(), ["x", ("x", "h")], ["J", "h"])
        X, values, J = np.empty((points, 2)), np.empty((points, 2)), np.full((points, 2, 2), np.nan)
        run = f.bind(X, values, J)
        for seed in range(2):
            X[:] = np.random.default_rng(seed).uniform(-1, 1, (points, 2))
            assert run()
            expected = f(X)
            assert np.array_equal(values, expected[0])
            assert np.array_equal(J, expected[1])
            np.testing.assert_allclose(J[-1], f(X[-1])[1], rtol=1e-13)
        for bad in {0, points - 1}:
            X[:], X[bad, 0] = 0.5, np.nan
            assert not run()
    with pytest.raises(cg.InvalidNodeError, match=rf"J is no array of float64 of shape \({points}, 2, 2\)"):
        f.bind(X, values, np.empty((points + 1, 2, 2)))


def test_bound_points_that_are_shared_between_cores(monkeypatch):
    monkeypatch.setattr(jacobian_runs, "MANY", 2**10)
    f = cg.jacobian_function(roe_like(), ["x", "z", "w"], ["y1", "y2", "y3"])
    X = np.random.default_rng(0).uniform(-1, 1, (203, 3))
    values, J = np.empty((203, 3)), np.empty((203, 3, 3))
    assert f.bind(X, values, J)()
    assert np.allclose(J, [f(x)[1] for x in X], rtol=1e-13)


def test_functions_that_nobody_holds_are_freed():
    """A function of Python in machine code is taken apart before what it belongs to, whatever comes first."""
    f = cg.jacobian_function(small(), ["x", "z"], ["y"])
    x, values, J = np.array([2.0, 3.0]), np.empty(1), np.empty((1, 2))
    freed = []
    for _ in range(3):
        loop = SimpleNamespace(f=pickle.loads(pickle.dumps(f)), run=f.bind(x, values, J))
        loop.itself = loop
        loop.f(np.ones((9, 2)))
        loop.one = loop.f._run.at_one
        assert loop.run()
        weakref.finalize(loop.f, freed.append, None)
        del loop
    gc.collect()
    assert len(freed) == 3


def test_arrays_that_cannot_be_bound_are_named():
    f = cg.jacobian_function(small(), ["x", "z"], ["y", "u"])
    x, values, J = np.empty(2), np.empty(2), np.empty((2, 2))
    read_only = np.empty(2)
    read_only.flags.writeable = False
    for arrays, message in [
        (([1.0, 2.0], values, J), "x is no array of float64 of shape"),
        ((x, np.empty(2, np.float32), J), "values is no array of float64"),
        ((x, values, np.empty(4)), r"J is no array of float64 of shape \(2, 2\)"),
        ((x, values, J.T), "J is a part of another array"),
        ((x, read_only, J), "values is .* read-only"),
        ((np.empty(4)[::2], values, J), "x is a part"),
    ]:
        with pytest.raises(cg.InvalidNodeError, match=message):
            f.bind(*arrays)


def test_against_jax():
    jax = pytest.importorskip("jax", reason="JAX is an optional oracle: pip install jax")
    jnp = jax.numpy

    def by_jax(p):
        x, z, w = p
        a = x * z
        b = jnp.sin(a)
        c = jnp.exp(b) * w
        d = c - a * b
        e = d / (1 + c**2)
        h = jnp.sqrt(1 + e**2) * jnp.tanh(d)
        return jnp.stack([h * e, h + d, jnp.log(2 + h**2)])

    X = np.random.default_rng(0).uniform(-1, 1, (100, 3))
    with jax.enable_x64(True):
        expected = np.asarray(jax.vmap(jax.jacrev(by_jax))(X))
        values = np.asarray(jax.vmap(by_jax)(X))
    for order in ORDERS:
        y, J = cg.jacobian_function(roe_like(), ["x", "z", "w"], ["y1", "y2", "y3"], order=order)(X)
        np.testing.assert_allclose(y, values, rtol=1e-12)
        assert np.abs(J - expected).max() <= 1e-12 * np.abs(expected).max()


@pytest.mark.parametrize("s", [-30.0, -9.0, 9.0, 30.0])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "elu"])
def test_saturated_activations_keep_their_digits(activation, s):
    G = cg.from_equations(f"y = {activation}(x)", x=s)
    expected = cg.sensitivity(cg.linearize(G), "x", "y")
    J = cg.jacobian_function(G, ["x"], ["y"])([s])[1]
    np.testing.assert_allclose(J, [[expected]], rtol=1e-13)


def network():
    G = cg.ComputationalGraph()
    G.add_input("x", 0.5)
    G.add_input("k", 2.0)
    G.add_neuron("h", activation="tanh", weights={"x": 0.3, "k": -0.2}, bias=0.1)
    G.add_neuron("o", activation="sigmoid", weights={"h": 1.5, "x": 0.7})
    G.add_equation("J", "(o - 1)^2 * k")
    return G


def test_a_gradient_by_weights_on_edges():
    G = network()
    weights = [("x", "h"), ("k", "h"), ("h", "o"), ("x", "o")]
    expected = cg.weight_gradients(cg.linearize(G), "J")
    value, gradient = cg.gradient_function(G, "J", weights)([0.3, -0.2, 1.5, 0.7])
    assert value == pytest.approx(cg.evaluate(G)["J"], rel=1e-14)
    np.testing.assert_allclose(gradient, [expected[w] for w in weights], rtol=1e-13)
    values, gradients = cg.gradient_function(G, "J", weights)([[0.3, -0.2, 1.5, 0.7]] * 3)
    assert values.shape == (3,)
    np.testing.assert_allclose(gradients, [gradient] * 3, rtol=1e-14)


def test_weights_on_edges_by_name():
    f = cg.jacobian_function(network(), ["x"], ["J"])
    G = network()
    G.edges["h", "o"]["weight"] = -0.4
    expected = cg.jacobian_function(G, ["x"], ["J"])
    for x in ([0.3], [[0.3], [0.1]]):
        for ours, its in zip(f(x, {("h", "o"): -0.4}), expected(x), strict=True):
            np.testing.assert_allclose(ours, its, rtol=1e-15)


def test_other_inputs_by_name():
    f = cg.gradient_function(network(), "J", ["x"])
    expected = cg.sensitivity(cg.linearize(network(), {"x": 0.1, "k": 3.0}), "x", "J")
    assert f([0.1], {"k": 3.0})[1] == pytest.approx([expected], rel=1e-13)
    assert f([0.1])[1] != pytest.approx([expected], rel=1e-3)
    with pytest.raises(cg.NodeNotFound, match="kk"):
        f([0.1], {"kk": 3.0})
    with pytest.raises(cg.InvalidNodeError, match="is a source"):
        f([0.1], {"x": 3.0})
    G = cg.ComputationalGraph()
    G.add_input("x")
    G.add_input("z")
    G.add_equation("y", "x*z")
    f = cg.gradient_function(G, "y", ["x"])
    assert f([2.0], {"z": 3.0}) == (6.0, [3.0])
    with pytest.raises(cg.InvalidNodeError, match="'z' has no value"):
        f([1.0])


def test_sparse_entries_stand_where_they_say():
    G = cg.from_equations("a = x^2; y = sin(a); u = z*3; v = x*z", x=1.0, z=2.0)
    sparse = cg.jacobian_function(G, ["x", "z"], ["y", "u", "v"], sparse=True)
    J = cg.jacobian_function(G, ["x", "z"], ["y", "u", "v"])([0.4, 0.6])[1]
    entries = sparse([0.4, 0.6])[1]
    assert entries.shape == (4,)
    dense = np.zeros((3, 2))
    dense[sparse.rows, sparse.columns] = entries
    assert np.array_equal(dense, J)
    assert sparse([[0.4, 0.6]] * 5)[1].shape == (5, 4)


def test_a_target_that_is_a_source_and_one_that_reads_none():
    G = cg.from_equations("c = 2*k; y = x*c", x=1.0, k=3.0)
    values, J = cg.jacobian_function(G, ["x"], ["x", "c", "y"])([5.0])
    assert values.tolist() == [5.0, 6.0, 30.0]
    assert J.tolist() == [[1.0], [0.0], [6.0]]


def test_saved_and_loaded(tmp_path):
    f = cg.jacobian_function(network(), [("x", "h"), "x"], ["J", "h"])
    f.save(tmp_path / "f.npz")
    loaded = cg.JacobianFunction.load(tmp_path / "f.npz")
    assert (loaded.sources, loaded.targets, loaded.order) == (f.sources, f.targets, f.order)
    assert loaded.multiplications == f.multiplications
    for ours, its in zip(f([0.2, 0.3], {"k": 1.0}), loaded([0.2, 0.3], {"k": 1.0}), strict=True):
        assert np.array_equal(ours, its)


def test_a_pickled_function_computes_the_same():
    f = cg.jacobian_function(network(), [("x", "h"), "x"], ["J", "h"], sparse=True)
    f([0.2, 0.3])
    for ours, its in zip(f([0.2, 0.3]), pickle.loads(pickle.dumps(f))([0.2, 0.3]), strict=True):
        assert np.array_equal(ours, its)


def test_machine_code_of_a_program_is_kept_and_checked(tmp_path, monkeypatch):
    pytest.importorskip("numba", reason="numba is an extra")
    from cgraph.algorithms.compiled import straight_numba

    monkeypatch.setattr(jacobian_runs, "kept_in", lambda _: str(tmp_path))
    ends = ["x", "z", "w"], ["y1", "y2", "y3"]
    expected = cg.jacobian_function(roe_like(), *ends)([0.1, 0.2, 0.3])[1]
    (file,) = tmp_path.iterdir()
    content = file.read_bytes()
    monkeypatch.setattr(straight_numba, "_keep", lambda *_: pytest.fail("compiled again"))
    assert np.array_equal(cg.jacobian_function(roe_like(), *ends)([0.1, 0.2, 0.3])[1], expected)
    monkeypatch.undo()
    monkeypatch.setattr(jacobian_runs, "kept_in", lambda _: str(tmp_path))
    for damaged in (content[:-9], b"", content[:40] + b"x" + content[41:]):
        file.write_bytes(damaged)
        assert np.array_equal(cg.jacobian_function(roe_like(), *ends)([0.1, 0.2, 0.3])[1], expected)
        assert file.read_bytes() == content
    monkeypatch.setattr(straight_numba, "KEPT", 1)
    os.utime(file, (0, 0))
    cg.jacobian_function(small(), ["x", "z"], ["y"])([1.0, 2.0])
    assert len(list(tmp_path.iterdir())) == 1
    assert not file.exists()


@pytest.mark.parametrize(
    "broken", ["cgraph.algorithms.compiled.jacobian_runs.link_rows", "llvmlite.binding.parse_assembly"]
)
def test_what_cannot_be_compiled_is_computed_by_numpy(monkeypatch, broken):
    """The warning names the reason, once; numbers are the same, and what is not finite is told."""
    pytest.importorskip("numba", reason="numba is an extra")

    def fail(*_):
        raise RuntimeError("no such instruction")

    ends, X = (["x", "z", "w"], ["y1", "y2", "y3"]), np.random.default_rng(0).uniform(-1, 1, (19, 3))
    expected = cg.jacobian_function(roe_like(), *ends)(X)
    f = cg.jacobian_function(roe_like(), *ends)
    monkeypatch.setattr(jacobian_runs, "kept_in", lambda _: None)
    monkeypatch.setattr(broken, fail)
    with pytest.warns(RuntimeWarning, match="NumPy computes it step by step: RuntimeError: no such") as warnings:
        values, J = f(X)
    assert len(warnings) == 1
    np.testing.assert_allclose(values, expected[0], rtol=1e-13)
    np.testing.assert_allclose(J, expected[1], rtol=1e-11)
    np.testing.assert_allclose(f(X[0])[1], J[0], rtol=1e-13)
    for x, shape in ((X, (19,)), (X[0], ())):
        values, of_bound = np.empty((*shape, 3)), np.empty((*shape, 3, 3))
        assert f.bind(x, values, of_bound)()
        np.testing.assert_allclose(of_bound, J if shape else J[0], rtol=1e-13)
    with pytest.raises(cg.EvaluationError, match="inf"):
        f([np.inf, 1.0, 1.0])


@given(data=st.data())
def test_a_damaged_file_is_refused_or_harmless(tmp_path_factory, data):
    """Rows that are not there would be read from memory that is not ours."""
    from cgraph.algorithms.compiled import jacobian_functions
    from cgraph.algorithms.compiled.npz import read_arrays, write_arrays

    path = tmp_path_factory.mktemp("damaged") / "f.npz"
    cg.jacobian_function(small(), ["x", "z"], ["y", "u"]).save(path)
    arrays = {name: array.copy() for name, array in read_arrays(path, jacobian_functions._ARRAYS).items()}
    name = data.draw(st.sampled_from(["codes", "bounds", "first", "second", "recorded", "values", "entries", "counts"]))
    flat = arrays[name].reshape(-1)
    flat[data.draw(st.integers(0, len(flat) - 1))] = data.draw(st.sampled_from([0, 1, 7, 63, 255]))
    write_arrays(path, arrays)
    try:
        f = cg.JacobianFunction.load(path)
    except cg.ArchiveError:
        return
    with contextlib.suppress(cg.EvaluationError):
        f([1.0, 2.0])


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        ([1.0], cg.InvalidNodeError, r"x has shape \(1,\); give \(1?2?,?"),
        ([[[1.0, 2.0]]], cg.InvalidNodeError, "x has shape"),
        (["one", "two"], cg.InvalidNodeError, "x must hold real numbers.*'one'"),
        ([[1.0, 2.0], [3.0]], cg.InvalidNodeError, "x must hold real numbers, a row of them for each point"),
        ([-1.0, 1.0], cg.EvaluationError, r"node 'y' is nan at .*linearize"),
        ([0.0, 1.0], cg.EvaluationError, r"S\(x, y\) is inf"),
        ([[1.0, 1.0], [0.0, 1.0]], cg.EvaluationError, r"S\(x, y\) is inf at \{'x': 0.0"),
    ],
)
def test_what_cannot_be_computed_is_named(x, error, message):
    f = cg.jacobian_function(cg.from_equations("y = sqrt(x) + z", x=1.0, z=1.0), ["x", "z"], ["y"])
    with pytest.raises(error, match=message):
        f(x)


def test_what_cannot_be_prepared_is_named():
    G = small()
    for sources, targets, order, error, message in [
        (["a"], ["y"], "auto", cg.InvalidNodeError, "computed"),
        (["x", "x"], ["y"], "auto", cg.InvalidNodeError, "twice"),
        (["q"], ["y"], "auto", cg.NodeNotFound, "q"),
        (["x"], ["q"], "auto", cg.NodeNotFound, "q"),
        (["x"], ["y"], "quick", cg.CGraphError, "choose one of: auto"),
        (["x"], ["y"], [99], cg.NodeNotFound, "99"),
    ]:
        with pytest.raises(error, match=message):
            cg.jacobian_function(G, sources, targets, order=order)
    with pytest.raises(cg.CGraphError, match="before linearize"):
        cg.jacobian_function(nx.DiGraph([("x", "y")]), ["x"], ["y"])
