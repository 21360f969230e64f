"""Equations on a tape give the values and the gradients of the reference, whatever runs the tape."""

import math

import numpy as np
import pytest
from engines import ENGINES, using
from hypothesis import assume, given
from hypothesis import strategies as st

import cgraph as cg
from cgraph.algorithms.compiled.tape import batching


def close(value):
    return pytest.approx(value, rel=1e-9, abs=1e-12)


def written(name):
    """Return an equation in a and b, or in a, that is the one operation `name`; of a third operand it is 0.5."""
    row = cg.OPERATIONS[name]
    operands = ["a", "b", "0.5"][: len(row.names)]
    if row.infix:
        return f" {row.infix} ".join(operands) if len(operands) > 1 else row.infix + operands[0]
    return f"{name}({', '.join(operands)})"


def reference(G, inputs, loss):
    """Return the values and the gradient of `loss`, node by node."""
    L = cg.linearize(G, inputs)
    return [L.nodes[i]["value"] for i in L], list(cg.sensitivities(L, loss).values())


def test_arrays_are_not_compiled():
    with pytest.raises(
        cg.DerivativeError, match="^edge 'x' -> 'y' holds a 2 x 2 Jacobian; a compiled graph holds numbers"
    ):
        cg.compile_graph(cg.linearize(cg.from_equations("y = 2*x", x=[1.0, 2.0])))


def outcome(compute):
    """Return what is computed, or the text of the error."""
    try:
        return compute()
    except cg.EvaluationError as error:
        return str(error)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", cg.OPERATIONS)
def test_every_operation_and_its_derivatives(engine, name):
    G = cg.from_equations(f"y = {written(name)}; u = 2*y", a=0.0, b=0.0)
    grid = [-2.5, -1.0, -0.3, 0.0, 0.3, 1.0, 2.0, 3.5, 40.0]
    with using(engine):
        C = cg.compile_graph(G)
        for a in grid:
            for b in grid if len(cg.OPERATIONS[name].names) >= 2 else [1.0]:
                inputs = {"a": a, "b": b}
                expected = outcome(lambda: reference(G, inputs, "u"))  # noqa: B023 - called at once
                found = outcome(lambda: (C.evaluate(inputs).tolist(), C.gradient("u").tolist()))  # noqa: B023 - as above
                if isinstance(expected, str):
                    assert found == expected
                else:
                    assert found == (close(expected[0]), close(expected[1]))


@st.composite
def equations(draw):
    """A few equations in x, z and what was defined before."""
    names, lines = ["x", "z"], []
    for k in range(draw(st.integers(1, 6))):
        pick = st.sampled_from([*names, "2", "-0.5", "pi"])
        shape = draw(st.sampled_from(["{0}", "{0} + {1}*{2}", "sin({0})*{1} - {2}", "tanh({0} - {1})/(2 + {2}^2)",
                                      "max({0}, {1}) + relu({2})", "exp(-{0}^2) + {1}", "{0}*{0} + 3*{1}"]))  # fmt: skip
        lines.append(f"v{k} = " + shape.format(draw(pick), draw(pick), draw(pick)))
        names.append(f"v{k}")
    return "; ".join(lines), names


@pytest.mark.parametrize("engine", ENGINES)
@given(drawn=equations(), points=st.lists(st.tuples(*[st.floats(-3, 3)] * 2), min_size=1, max_size=3), data=st.data())
def test_random_equations_agree_with_the_reference(engine, drawn, points, data):
    text, names = drawn
    G = cg.from_equations(text, x=1.0, z=1.0)
    loss = data.draw(st.sampled_from(names))
    try:
        expected = [reference(G, {"x": x, "z": z}, loss) for x, z in points]
    except cg.EvaluationError:
        assume(False)
    with using(engine):
        C = cg.compile_graph(G)
        columns = dict(zip("xz", np.array(points).T, strict=True))
        values, gradient = C.evaluate(columns), C.gradient(loss)
        assert list(C.nodes) == list(G)
        assert values.shape == gradient.shape == (len(G), len(points))
        for k, (y, S) in enumerate(expected):
            assert values[:, k].tolist() == close(y)
            assert gradient[:, k].tolist() == close(S)
        assert C.evaluate(dict(zip("xz", points[0], strict=True))).tolist() == close(expected[0][0])


@pytest.mark.parametrize("engine", ENGINES)
@given(drawn=equations(), x=st.none() | st.lists(st.floats(-3, 3), max_size=20), data=st.data())
def test_what_is_asked_for_is_part_of_all(engine, drawn, x, data):
    text, names = drawn
    G = cg.from_equations(text, x=1.0, z=0.5)
    loss, *asked = data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=6))
    places = [list(G).index(i) for i in asked]
    inputs = {} if x is None else {"x": x}
    with using(engine):
        C = cg.compile_graph(G)
        try:
            values, gradient = C.evaluate(inputs), C.gradient(loss)
        except cg.EvaluationError:
            assume(False)
        np.testing.assert_array_equal(C.evaluate(inputs, nodes=asked), values[places])
        np.testing.assert_array_equal(C.gradient(loss, nodes=iter(asked)), gradient[places])
        of_loss, by_asked = C.value_and_gradient(loss, inputs, nodes=asked)
        np.testing.assert_array_equal(of_loss, values[list(G).index(loss)])
        np.testing.assert_array_equal(by_asked, gradient[places])
        np.testing.assert_array_equal(C.value_and_gradient(loss, inputs)[1], gradient)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_value_with_its_gradient_leaves_the_last_points(engine):
    with using(engine):
        C = cg.compile_graph(cg.from_equations("y = x^2", x=1.0))
        C.evaluate({"x": np.arange(10.0)})
        assert [a.tolist() for a in C.value_and_gradient("y", {"x": 5.0}, nodes=["x"])] == [25.0, [10.0]]
        assert [a.tolist() for a in C.value_and_gradient("y", {"x": [3.0, 4.0]})] == [
            [9.0, 16.0],
            [[6.0, 8.0], [1.0, 1.0]],
        ]
        assert C.gradient("y", nodes=["x"]).tolist() == [[2 * x for x in range(10)]]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_value_with_its_gradient_is_refused_as_they_are(engine):
    with using(engine):
        C = cg.compile_graph(cg.from_equations("a = sqrt(x); y = 1e300*a", x=1.0))
        for x, message in [
            (-1.0, r"node 'a': sqrt\(-1\) is undefined"),
            (0.0, r"node 'a': the derivative of sqrt\(0\) is not finite"),
            (1e-200, "overflows"),
        ]:
            for inputs in (x, [1.0, x]):
                with pytest.raises(cg.EvaluationError, match=message):
                    C.value_and_gradient("y", {"x": inputs})
        assert C.value_and_gradient("y", {"x": 0.0}, nodes=["a"])[1].tolist() == [1e300]  # S(x,y) is not asked for
        for refused in (lambda: C.value_and_gradient("q"), lambda: C.value_and_gradient("y", nodes=["q"])):
            with pytest.raises(cg.NodeNotFound, match="no node 'q'"):
                refused()


@pytest.mark.parametrize("engine", ENGINES)
def test_the_first_point_without_derivatives_is_named(engine):
    x = np.linspace(1.0, 2.0, 40)
    x[[11, 30]] = 1e-200, 0.0
    with using(engine):
        C = cg.compile_graph(cg.from_equations("a = sqrt(x); y = 1e300*a", x=1.0))
        C.evaluate({"x": x})
        for refused in (lambda: C.gradient("y"), lambda: C.value_and_gradient("y", {"x": x})):
            # The derivative exists at point 11, but is too large; at point 30 it does not exist.
            with pytest.raises(cg.EvaluationError, match=r"S\(x, y\) overflows"):
                refused()


@pytest.mark.parametrize("engine", ENGINES)
def test_many_points_of_a_small_graph_are_swept_together(engine, monkeypatch):
    parts = []
    for_each = batching.for_each
    monkeypatch.setattr(batching, "MANY", 2000)
    monkeypatch.setattr(batching, "for_each", lambda work, p, threads: (parts.append(p), for_each(work, p, threads)))
    x = np.random.default_rng(0).normal(size=1003)
    with using(engine):
        C = cg.compile_graph(cg.from_equations("a = x*z; y = a + sin(x)", x=1.0, z=0.5))
        values, gradient = C.evaluate({"x": x}), C.gradient("y")
        both = C.value_and_gradient("y", {"x": x}, nodes=["x"])
    np.testing.assert_allclose(values, [x, np.full(1003, 0.5), x / 2, x / 2 + np.sin(x)], rtol=1e-14)
    np.testing.assert_allclose(gradient, [0.5 + np.cos(x), x, np.ones(1003), np.ones(1003)], rtol=1e-13)
    np.testing.assert_array_equal(both[0], values[3])
    np.testing.assert_array_equal(both[1][0], gradient[0])
    # 5 rows of 8 points: 25 blocks are half of 2000 numbers; NumPy takes all points as one block.
    expected = [(0, 1)] if engine == "numpy" else [(k, min(k + 25, 126)) for k in range(0, 126, 25)]
    assert all([(part.start, part.stop) for (part,) in asked] == expected for asked in parts)
    assert len(parts) == 3


@pytest.mark.parametrize("engine", ENGINES)
def test_arrays_serve_again(engine):
    with using(engine):
        C = cg.compile_graph(cg.from_equations("y = sin(x)", x=1.0))
        tape = C._tape
        C.evaluate({"x": np.ones(20)})
        y = tape._last.y
        C.evaluate({"x": np.zeros(20)})
        assert tape._last.y is y
        for _ in range(3):
            C.gradient("y")
            C.value_and_gradient("y", {"x": np.ones(20)})
        assert len(tape._free) == 2


def test_numpy_takes_many_points_in_blocks(monkeypatch):
    monkeypatch.setattr(batching, "MOST", 40)
    x = np.arange(35.0)
    with using("numpy"):
        C = cg.compile_graph(cg.from_equations("y = x*x + x", x=1.0))  # 3 rows: 13 points are 39 numbers
        np.testing.assert_array_equal(C.evaluate({"x": x}), [x, x * x + x])
        assert C._tape._last.y.shape == (3, 3, 13)
        np.testing.assert_array_equal(C.gradient("y"), [2 * x + 1, np.ones(35)])
        np.testing.assert_array_equal(C.value_and_gradient("y", {"x": x})[1], C.gradient("y"))


def test_sources_that_nobody_reads_are_not_looked_for_at_every_call():
    G = cg.from_equations("y = x^2", x=1.0)
    for k in range(3):
        G.add_input(f"unused{k}")
    C = cg.compile_graph(G)
    assert C._tape._definitions._first_reader == {}
    np.testing.assert_array_equal(C.evaluate(nodes=["y", "unused1"]), [1.0, math.nan])


@pytest.mark.parametrize("engine", ENGINES)
def test_a_linearized_graph_without_edges_has_its_derivatives(engine):
    with using(engine):
        assert cg.compile_graph(cg.linearize(cg.from_equations("y = 2", x=1.0))).sensitivities("y").tolist() == [
            0.0,
            1.0,
        ]


def test_one_name_is_no_list_of_nodes():
    C = cg.compile_graph(cg.from_equations("ab = x^2", x=1.0))
    C.evaluate()
    for refused in (
        lambda: C.evaluate(nodes="ab"), lambda: C.gradient("ab", nodes="x"), lambda: C.value_and_gradient("ab", nodes="x"),
        lambda: cg.compile_graph(cg.linearize(cg.from_equations("ab = x^2", x=1.0))).jacobian("x", "ab"),
    ):  # fmt: skip
        with pytest.raises(cg.CGraphError, match=r"a list of nodes is needed; write \['(ab|x)'\]"):
            refused()
    with pytest.raises(cg.CGraphError, match=r"a list of nodes is needed; write \[5\]"):
        C.evaluate(nodes=5)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_node_that_copies_another_keeps_its_own_derivative(engine):
    with using(engine):
        C = cg.compile_graph(cg.from_equations("y = x; c = 3; t = y + x*c", x=2.0))
        assert C.evaluate().tolist() == [2.0, 2.0, 3.0, 8.0]
        assert C.gradient("t").tolist() == [4.0, 1.0, 2.0, 1.0]
        assert C.gradient("y").tolist() == [1.0, 1.0, 0.0, 0.0]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("text", "inputs", "message"),
    [
        ("a = log(x); y = 2*a", {"x": [1.0, 2.0, -1.0]}, r"node 'a': log\(-1\) is undefined"),
        ("a = 1/x; y = 2*a", {"x": [1.0, 0.0]}, "node 'a': 1 / 0 is undefined"),
        ("a = 3 + exp(x); y = 2*a", {"x": 1000.0}, r"node 'a': exp\(1000\) overflows"),
        ("a = x*x; y = relu(a)", {"x": 1e200}, "node 'a'"),
        ("y = x", {"x": math.nan}, "node 'x' has the value nan"),
        ("y = x", {"x": [1.0, math.inf]}, "node 'x' has the value inf"),
    ],
)
def test_values_that_do_not_exist_are_refused_as_by_the_reference(engine, text, inputs, message):
    with using(engine), pytest.raises(cg.EvaluationError, match=message):
        cg.compile_graph(cg.from_equations(text, x=1.0)).evaluate(inputs)


@pytest.mark.parametrize("engine", ENGINES)
def test_derivatives_that_do_not_exist_are_refused_as_by_the_reference(engine):
    with using(engine):
        C = cg.compile_graph(cg.from_equations("a = sqrt(x); y = 2*a", x=1.0))
        C.evaluate({"x": [4.0, 0.0]})
        with pytest.raises(cg.EvaluationError, match=r"node 'a': the derivative of sqrt\(0\) is not finite"):
            C.gradient("y")
        C = cg.compile_graph(cg.from_equations("a = 1e200*x; y = 1e200*a", x=1e-200))
        C.evaluate()
        with pytest.raises(cg.EvaluationError, match=r"S\(x, y\) overflows"):
            C.gradient("y")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("wrong", [0, 8, 19])
def test_the_point_that_is_wrong_is_found(engine, wrong):
    x = np.linspace(1.0, 2.0, 20)
    x[wrong] = 0.0
    with using(engine):
        C = cg.compile_graph(cg.from_equations("a = sqrt(x); y = 2*a", x=1.0))
        C.evaluate({"x": x})
        with pytest.raises(cg.EvaluationError, match=r"node 'a': the derivative of sqrt\(0\) is not finite"):
            C.gradient("y")
        x[wrong] = -1.0
        with pytest.raises(cg.EvaluationError, match=r"node 'a': sqrt\(-1\) is undefined"):
            C.evaluate({"x": x})


@pytest.mark.parametrize("engine", ENGINES)
def test_inputs_that_are_refused_leave_the_last_points(engine):
    with using(engine):
        C = cg.compile_graph(cg.from_equations("y = x^2", x=1.0))
        C.evaluate({"x": np.arange(10.0)})
        with pytest.raises(cg.InvalidNodeError):
            C.evaluate({"x": 1.0}, weights=[1.0])
        assert C.gradient("y")[0].tolist() == [2 * x for x in range(10)]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_missing_value_is_refused(engine):
    G = cg.ComputationalGraph()
    for name in ("x", "unused"):
        G.add_input(name)
    G.add_equation("y", "relu(x)")  # of nan, it would be 0
    with using(engine):
        C = cg.compile_graph(G)
        with pytest.raises(cg.MissingValueError, match="node 'x' has no value, and 'y' needs it"):
            C.evaluate()
        np.testing.assert_array_equal(C.evaluate({"x": 2.0}), [2.0, math.nan, 2.0])
        np.testing.assert_array_equal(C.evaluate({"x": 2.0}, nodes=["unused", "y"]), [math.nan, 2.0])
        assert [a.tolist() for a in C.value_and_gradient("y", {"x": [2.0, 3.0]}, nodes=["unused", "x"])] == [
            [2.0, 3.0], [[0.0, 0.0], [1.0, 1.0]],
        ]  # fmt: skip
        np.testing.assert_array_equal(C.value_and_gradient("unused", {"x": 2.0})[0], math.nan)


@pytest.mark.parametrize(
    ("inputs", "error", "message"),
    [
        ({"q": 1.0}, cg.NodeNotFound, "no node 'q'"),
        ({"y": 1.0}, cg.InvalidNodeError, "'y' cannot be set: it is computed"),
        ({"k": 1.0}, cg.InvalidNodeError, "'k' cannot be set: it is a constant"),
        ({"x": "1"}, cg.InvalidNodeError, "'x' cannot be set to '1'"),
        ({"x": True}, cg.InvalidNodeError, "'x' cannot be set to True"),
        ({"x": 1j}, cg.InvalidNodeError, "'x' cannot be set to 1j"),
        ({"x": [[1.0]]}, cg.InvalidNodeError, "give a number, or one for each point"),
        ({"x": [1.0, 2.0], "w": [1.0]}, cg.InvalidNodeError, "different numbers of points: 'x' has 2, 'w' has 1"),
        ({"x": [[1.0], [1.0, 2.0]]}, cg.InvalidNodeError, "give a number, or one for each point"),
        ({"x": [None, 1.0]}, cg.InvalidNodeError, "give a number, or one for each point"),
        ({"x": np.longdouble("1e400")}, cg.EvaluationError, "node 'x' has the value inf, which is not finite"),
        ({"x": 10**400}, cg.EvaluationError, "node 'x' has the value inf, which is not finite"),
        ({"x": [1.0, np.nan]}, cg.EvaluationError, "node 'x' has the value nan, which is not finite"),
    ],
)
def test_bad_inputs_are_refused(inputs, error, message):
    G = cg.ComputationalGraph()
    G.add_input("x", 1.0)
    G.add_weight("w", 2.0)
    G.add_constant("k", 3.0)
    G.add_equation("y", "w*x + k")
    C = cg.compile_graph(G)
    assert C.evaluate({"w": [1.0, 5.0]})[-1].tolist() == [4.0, 8.0]
    assert C.evaluate({"w": 10**30})[-1] == 1e30
    with pytest.raises(error, match=message):
        C.evaluate(inputs)


def test_questions_that_were_not_prepared_are_refused():
    G = cg.from_equations("y = x^2", x=3.0)
    C = cg.compile_graph(G)
    with pytest.raises(cg.EvaluationError, match="call evaluate before gradient"):
        C.gradient("y")
    with pytest.raises(cg.MissingDerivativeError, match="compile linearize"):
        C.sensitivities("y")
    for node in ("q", ["y"], 1, None):
        with pytest.raises(cg.NodeNotFound):
            C.gradient(node)
        with pytest.raises(cg.NodeNotFound):
            C.value_and_gradient("y", nodes=[node])
    assert C.count_paths("x", "y") == 1
    C.update([6.0])
    assert C.sensitivity("x", "y") == 6.0
    with pytest.raises(cg.EvaluationError, match="no equations were compiled"):
        cg.CompiledGraph.from_edges([0], [1], [2.0]).evaluate()


def test_a_linearized_graph_is_compiled_for_its_derivatives():
    C = cg.compile_graph(cg.linearize(cg.from_equations("a = x^2; y = 2*a", x=3.0)))
    assert C.sensitivity("x", "y") == 12.0
    with pytest.raises(cg.EvaluationError, match="before linearize"):
        C.evaluate()


def test_what_is_not_made_of_equations_alone_is_not_evaluated():
    G = cg.from_equations("y = x^2", x=3.0)
    G.add_edge("y", "u")  # u has no equation
    with pytest.raises(cg.MissingDerivativeError, match="'x' -> 'y' has no 'derivative'"):
        cg.compile_graph(G)


def test_a_deep_graph():
    n = 2000
    G = cg.ComputationalGraph()
    G.add_input("v0", 0.5)
    for k in range(n):
        G.add_equation(f"v{k + 1}", f"v{k}*1.001")
    C = cg.compile_graph(G)
    assert C.evaluate()[-1] == close(0.5 * 1.001**n)
    assert C.gradient(f"v{n}")[0] == close(1.001**n)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_question_asked_again_at_other_points(engine):
    """The second time, one loop answers."""
    text = "a = x*z; b = sin(a) + w; y = tanh(b)*exp(x); u = 1/(1/z)"
    G = cg.from_equations(text, x=0.0, z=1.0, w=0.5)
    with using(engine):
        C = cg.compile_graph(G)
        for x, z in [(0.3, 0.7), (1, np.float64(-0.4)), (-0.6, 2)]:
            expected = reference(G, {"x": x, "z": z}, "y")
            for nodes in (["z", "x", "b"], None):
                value, gradient = C.value_and_gradient("y", {"x": x, "z": z}, nodes=nodes)
                S = dict(zip(C.nodes, expected[1], strict=True))
                assert value == close(expected[0][C.nodes.index("y")])
                assert gradient.tolist() == [close(S[i]) for i in nodes or C.nodes]
        with np.errstate(all="ignore"), pytest.raises(cg.EvaluationError, match="node 'u': 1 / 0"):
            C.value_and_gradient("y", {"x": 1.0, "z": 0.0}, nodes=["z", "x", "b"])  # u = 1/inf would be 0
        with np.errstate(all="ignore"), pytest.raises(cg.EvaluationError, match="'x' has the value inf"):
            C.value_and_gradient("y", {"x": math.inf, "z": 1.0}, nodes=["z", "x", "b"])
        with pytest.raises(cg.InvalidNodeError, match="cannot be set to True"):
            C.value_and_gradient("y", {"x": True, "z": 1.0}, nodes=["z", "x", "b"])
        values, gradients = C.value_and_gradient("y", {"x": [1.0, 0.2], "z": 0.5}, nodes=["z", "x", "b"])
        for k, x in enumerate([1.0, 0.2]):
            value, gradient = C.value_and_gradient("y", {"x": x, "z": 0.5}, nodes=["z", "x", "b"])
            assert values[k] == close(value)
            assert gradients[:, k].tolist() == [close(S) for S in gradient]
        with pytest.raises(cg.NodeNotFound, match="q"):
            C.value_and_gradient("y", {"q": 1.0})
