"""The graph, its equations, and their evaluation."""

import copy
import pickle
from fractions import Fraction
from importlib import import_module

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cgraph as cg
from cgraph.model.language.expressions import Apply, Name, write_name
from cgraph.model.language.parsing import parse


def value(equation, **inputs):
    return cg.evaluate(cg.from_equations(f"y = {equation}", **inputs))["y"]


class TestEquations:
    @pytest.mark.parametrize(
        ("equation", "expected"),
        [
            ("2 + 3*4", 14), ("(2 + 3)*4", 20), ("2 - 3 - 4", -5), ("12/3/2", 2), ("2^3^2", 512), ("-2^2", -4),
            ("(-2)^2", 4), ("2^-1", 0.5), ("2**3", 8), ("+3", 3), ("--3", 3), ("-3 + 5", 2), ("1e-3", 0.001),
            (".5", 0.5), ("ln(e)", 1), ("log(e^2)", 2), ("sin(pi/2)", 1), ("max(1, 3, 2)", 3), ("min(3, 1, 2)", 1),
            ("  7 ", 7), ("2^ 3 - 1", 7),
        ],
    )  # fmt: skip
    def test_arithmetic(self, equation, expected):
        assert value(equation) == pytest.approx(expected, rel=1e-15)

    @given(st.floats(-5, 5), st.floats(0.1, 5), st.floats(0.5, 3))
    def test_a_caret_is_a_power_everywhere(self, a, b, c):
        text = "-a^2*b^3 + c^-2 - 2^c^2/-b^2"
        inputs = {"a": a, "b": b, "c": c}
        expected = eval(text.replace("^", "**"), {}, inputs)
        assert value(text, **inputs) == pytest.approx(expected, rel=1e-12)

    def test_every_appearance_is_an_operand(self):
        assert parse("x*x + z/x").operands == ("x", "x", "z", "x")

    def test_names_are_kept_as_typed(self):
        # Python's own parser would turn the micro sign into the Greek letter.
        assert parse("µ*µ + α_1 + y(10) + y('j-') + y").operands == ("µ", "µ", "α_1", "10", "j-", "y")

    def test_columns_count_characters_of_the_text(self):
        columns = [(step.start, step.stop) for step in parse("θ^2 + x^2*x").steps if isinstance(step, Name)]
        assert columns == [(0, 1), (6, 7), (10, 11)]

    def test_a_long_sum_is_not_deep(self):
        assert value("+".join(["x"] * 2000), x=0.5) == 1000.0

    @pytest.mark.parametrize("name", ["max", "min"])
    def test_many_operands_are_not_deep(self, name):
        assert value(f"{name}({', '.join(map(str, range(1000)))})") == {"max": 999, "min": 0}[name]

    def test_operands_stand_in_order(self):
        assert [step.operation for step in parse("max(x, -z, y(5))").steps if isinstance(step, Apply)] == [
            "neg", "max", "max",
        ]  # fmt: skip
        assert parse("max(x, -z, y(5))").operands == ("x", "z", "5")

    def test_line_breaks_are_spaces(self):
        assert parse("2 *\n\tx").operands == ("x",)

    def test_numbers_do_not_vary(self):
        expression = parse("2^3 * x^2")
        varying = [
            s.operation for s, v in zip(expression.steps, expression.varies, strict=True) if v and isinstance(s, Apply)
        ]
        assert varying == ["pow", "mul"]

    @pytest.mark.parametrize("name", ["x", "h1", "θ", "9", "007", "10" * 20, "j-", "+1", 'say "x"', "a b", "\\", "x'"])
    def test_every_name_can_be_written(self, name):
        assert parse(write_name(name)).operands == (name,)


class TestGraph:
    def test_what_a_node_holds(self):
        G = cg.ComputationalGraph()
        G.add_input("x", 2)
        G.add_weight("w", Fraction(1, 2))
        G.add_constant("c", np.float32(3))
        G.add_equation("y", "w*x + x + c")
        assert {k: v for k, v in G.nodes["y"].items() if k != "expression"} == {
            "role": "operation", "equation": "w*x + x + c", "operands": ("w", "x", "x", "c"),
        }  # fmt: skip
        assert [G.nodes[i]["value"] for i in "xwc"] == [2.0, 0.5, 3.0]
        assert {type(G.nodes[i]["value"]) for i in "xwc"} == {float}
        assert set(G.edges) == {("x", "y"), ("w", "y"), ("c", "y")}
        assert (G.inputs, G.weights, G.outputs) == (["x"], ["w"], ["y"])

    def test_declared_outputs_come_first(self):
        G = cg.from_equations("a = x; b = a; c = a", x=1.0)
        assert G.outputs == ["b", "c"]
        G.graph["outputs"] = ["a"]
        assert G.outputs == ["a"]

    def test_what_reads_nothing_is_computed_too(self):
        G = cg.from_equations("a = 2; b = x", x=1.0)
        G.add_constant("c", 1.0)
        assert (G.inputs, G.outputs) == (["x"], ["a", "b"])

    def test_a_graph_of_given_derivatives(self):
        G = cg.ComputationalGraph()
        G.add_edge("x", "y", derivative=2.0)
        assert (G.inputs, G.outputs) == (["x"], ["y"])
        assert cg.evaluate(G) == {}
        assert cg.sensitivity(cg.linearize(G), "x", "y") == 2.0

    def test_networkx_sees_a_digraph(self):
        G = cg.from_equations("a = x*z; y = exp(a) + x", x=2.0, z=3.0)
        assert nx.is_directed_acyclic_graph(G)
        assert nx.dag_longest_path_length(G) == 2
        assert type(G.copy()) is cg.ComputationalGraph
        assert type(G.subgraph(["x", "a"]).copy()) is cg.ComputationalGraph
        assert cg.evaluate(pickle.loads(pickle.dumps(G))) == cg.evaluate(copy.deepcopy(G)) == cg.evaluate(G)
        assert nx.utils.graphs_equal(G, G.copy())

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("", "is empty, or begins or ends with a space"), (" x", "is empty, or begins"), ("x ", "is empty, or"),
            ("a->b", "'->' separates the ends of an edge"), ("exp", "'exp' is a function; for instance 'exp_' would"),
            ("ln", "'ln' is a function"), ("e", "'e' is the number 2.71828"), ("pi", "'pi' is the number"),
            ("lambda", "'lambda' is a Python keyword; for instance 'lambda_'"), ("a\nb", "holds a control character"),
            ("\ud800", "holds a control character"), ("x" * 201, "of 201 characters is too long; the limit is 200"),
            (5, "a node's name must be text, not 5; write '5'"), (None, "a node's name must be text, not None"),
            ("taken", "node 'taken' is defined twice"),
        ],
    )  # fmt: skip
    def test_unusable_names(self, name, message):
        G = cg.ComputationalGraph()
        G.add_input("taken")
        for add in (G.add_input, G.add_weight, lambda n: G.add_constant(n, 1.0), lambda n: G.add_equation(n, "1")):
            with pytest.raises(cg.InvalidNodeError, match=message.replace("(", "\\(")):
                add(name)
        assert list(G) == ["taken"]

    @pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
    def test_values_that_are_not_finite(self, wrong):
        with pytest.raises(cg.InvalidNodeError, match="^input 'x' has the value (nan|inf), which is not finite$"):
            cg.ComputationalGraph().add_input("x", wrong)

    def test_graphs_edited_by_hand(self):
        G = cg.from_equations("y = x*z", x=2.0, z=3.0)
        H = G.copy()
        H.remove_edge("x", "y")
        for edited in (H, nx.relabel_nodes(G, {"x": "u"})):
            with pytest.raises(
                cg.InvalidNodeError, match=r"^the edges into 'y' are not those of its operands \(x, z\);"
            ):
                cg.linearize(edited)

    @pytest.mark.parametrize(
        ("wrong", "reason"),
        [
            ("2", "is not a number"), (True, "is not a number"), (1j, "is not a number"), ({}, "is not a number"),
            ([1.0, "2"], "is not a number"), ([[1.0], [1.0, 2.0]], "is ragged"), ([], "is empty"),
        ],
    )  # fmt: skip
    def test_values_that_are_no_numbers(self, wrong, reason):
        with pytest.raises(cg.InvalidNodeError, match=f"^input 'x' has the value .*, which {reason}"):
            cg.ComputationalGraph().add_input("x", wrong)
        with pytest.raises(cg.InvalidNodeError, match=f"^input 'x' cannot be set to .*, which {reason}"):
            cg.evaluate(cg.from_equations("y = x", x=1.0), {"x": wrong})

    def test_an_undefined_operand(self):
        G = cg.ComputationalGraph()
        G.add_input("x1", 2.0)
        with pytest.raises(
            cg.InvalidNodeError, match=r"^node 'y' uses 'x_1', which is not defined; did you mean 'x1'\?$"
        ):
            G.add_equation("y", "x_1")
        with pytest.raises(cg.InvalidNodeError, match=r"^node 'y' uses 'q', which is not defined; add it first"):
            G.add_equation("y", "q")
        assert list(G) == ["x1"]

    @pytest.mark.parametrize(
        ("text", "message"),
        [("x*2", "no '=' in"), ("a + b = 3", "the left-hand side is not one name"), ("y = x +", "an operand is missing"),
         ("2 = x", "the left-hand side is not one name")],
    )  # fmt: skip
    def test_from_equations_says_what_it_cannot_read(self, text, message):
        with pytest.raises(cg.EquationError, match=message):
            cg.from_equations(text, x=1.0)

    def test_from_equations_says_where(self):
        with pytest.raises(cg.EquationError) as refused:
            cg.from_equations("a = 1;\n y = 2a")
        assert (refused.value.column, refused.value.problem.line, refused.value.problem.column) == (13, 2, 7)

    def test_from_equations_in_any_order(self):
        G = cg.from_equations("\n y(9) = a^2;; a = x \n", x=3.0)
        assert cg.evaluate(G) == {"x": 3.0, "9": 9.0, "a": 3.0}
        with pytest.raises(cg.CycleError, match="the graph has a cycle: a -> a"):
            cg.from_equations("a = a + 1")
        with pytest.raises(cg.InvalidNodeError, match="'y' uses 'z', which has neither an equation nor a value"):
            cg.from_equations("y = z")


class TestEvaluation:
    def test_the_argument_is_not_modified(self):
        G = cg.from_equations("y = x^2", x=3.0)
        before = copy.deepcopy(G)
        assert cg.evaluate(G, {"x": 1.0}) == {"x": 1.0, "y": 1.0}
        L = cg.linearize(G, {"x": 1.0})
        assert nx.utils.graphs_equal(G, before)
        assert L.nodes["x"]["value"] == 1.0
        assert L.edges["x", "y"]["derivative"] == 2.0

    def test_values_are_python_floats(self):
        L = cg.linearize(cg.from_equations("a = exp(x); y = a*x", x=np.float64(1.0)))
        assert {type(v) for v in cg.evaluate(L).values()} == {float}
        assert {type(d["derivative"]) for _, _, d in L.edges(data=True)} == {float}

    def test_derivatives_that_were_given_are_kept(self):
        G = cg.from_equations("y = x^2", x=3.0)
        G.add_edge("y", "u", derivative=0.5)
        assert cg.sensitivity(cg.linearize(G), "x", "u") == 3.0

    @pytest.mark.parametrize(
        ("inputs", "error", "message"),
        [
            ({"q": 1.0}, cg.NodeNotFound, "^no node 'q' in the graph; there are x, c, y, p, r$"),
            ({"Y": 1.0}, cg.NodeNotFound, "^no node 'Y' in the graph; did you mean 'y'?"),
            ("x=1", cg.InvalidNodeError, "^values must be a mapping from nodes, as in {'x': 2.0}, not 'x=1'$"),
            ([("x", 1.0)], cg.InvalidNodeError, "^values must be a mapping from nodes"),
            ({"y": 1.0}, cg.InvalidNodeError, "^node 'y' cannot be set: it is computed; inputs and weights can$"),
            ({"c": 1.0}, cg.InvalidNodeError, "^node 'c' cannot be set: it is a constant"),
            ({"p": 1.0}, cg.InvalidNodeError, "^node 'p' cannot be set: it is known by its derivatives only"),
            ({"x": float("nan")}, cg.EvaluationError, "^node 'x' has the value nan, which is not finite$"),
            ({"x": float("inf")}, cg.EvaluationError, "^node 'x' has the value inf, which is not finite$"),
            ({}, cg.MissingValueError, "^node 'x' has no value, and 'y' needs it; give it one$"),
        ],
    )
    def test_wrong_inputs(self, inputs, error, message):
        G = cg.ComputationalGraph()
        G.add_input("x")
        G.add_constant("c", 2.0)
        G.add_equation("y", "c*x")
        G.add_edge("p", "r", derivative=1.0)
        for f in (cg.evaluate, cg.linearize):
            with pytest.raises(error, match=message):
                f(G, inputs)

    @pytest.mark.parametrize(
        "G", [None, "quiz.yaml", [("x", "y")], nx.Graph([("x", "y")]), nx.MultiDiGraph([("x", "y")])]
    )
    @pytest.mark.parametrize(
        "function",
        [cg.evaluate, cg.linearize, cg.check_derivatives, cg.solve, cg.page, lambda G: cg.write_spec(G, "g.yaml")],
    )
    def test_what_is_no_graph(self, function, G):
        with pytest.raises(cg.CGraphError, match=r"^a networkx.DiGraph is needed, not"):
            function(G)

    def test_a_value_put_on_a_node_by_hand(self):
        G = cg.from_equations("y = sum(x)", x=1.0)
        G.nodes["x"]["value"] = [1, 2]
        assert cg.evaluate(G)["y"] == 3.0
        G.nodes["x"]["value"] = "2"
        with pytest.raises(cg.InvalidNodeError, match="^node 'x' has the value '2', which is not a number$"):
            cg.evaluate(G)

    @pytest.mark.parametrize("equation", [None, 2, b"x", ["x"]])
    def test_equations_are_text(self, equation):
        G = cg.from_equations("y = x", x=1.0)
        with pytest.raises(cg.InvalidNodeError, match="^the equation of node 'u' must be text, not"):
            G.add_equation("u", equation)
        with pytest.raises(cg.InvalidNodeError, match="^equations must be text"):
            cg.from_equations(equation)

    def test_weights_are_a_mapping(self):
        G = cg.from_equations("y = x", x=1.0)
        with pytest.raises(cg.InvalidNodeError, match="^the weights of neuron 'h' must be a mapping"):
            G.add_neuron("h", activation="tanh", weights=["x"])

    def test_declared_outputs_that_are_not_there(self):
        G = cg.from_equations("y = x", x=1.0)
        G.graph["outputs"] = ["u"]
        with pytest.raises(cg.NodeNotFound, match="^no node 'u'"):
            cg.expand(G)

    def test_an_equation_of_a_thousand_operands_is_differentiated_in_one_sweep(self):
        names = [f"x{k}" for k in range(1000)]
        G = cg.from_equations("y = " + "+".join(f"{n}*{n}" for n in names), **dict.fromkeys(names, 0.5))
        L = cg.linearize(G)
        assert {d["derivative"] for _, _, d in L.edges(data=True)} == {1.0}

    def test_a_chain_of_10_000_equations(self):
        n = 10_000
        G = cg.ComputationalGraph()
        G.add_input("v0", 1.0)
        for k in range(n):
            G.add_equation(f"v{k + 1}", f"-v{k}")
        assert cg.sensitivity(cg.linearize(G), "v0", f"v{n}") == 1.0

    def test_errors_show_the_operation_with_its_operands(self):
        for equation, shown in [
            ("log(x)", "log(-2) is undefined; log takes a positive operand"),
            ("1/(x + 2)", "1 / 0 is undefined; div takes a divisor other than 0"),
            ("(x - 1)^0.5", "(-3) ^ 0.5 is undefined; pow takes a positive base"),
            ("exp(-x*1000)", "exp(2000) overflows"),
            ("1e308*(-x*10)", "1e+308 * 20 overflows"),
        ]:
            with pytest.raises(cg.EvaluationError) as error:
                value(equation, x=-2.0)
            assert str(error.value).startswith(f"node 'y': {shown}")


def test_one_base_and_a_builtin_beside_it():
    errors = [e for e in vars(cg.model.errors).values() if isinstance(e, type) and issubclass(e, cg.CGraphError)]
    for error in errors:
        assert error is cg.CGraphError or issubclass(
            error, LookupError | ValueError | ArithmeticError | RuntimeError | TypeError | ImportError
        )


def test_the_face_exports_what_the_rooms_do():
    rooms = [import_module(f"cgraph.{room}") for room in ("model", "algorithms", "transforms", "specs")]
    names = {name for room in rooms for name in room.__all__}
    assert names <= set(dir(cg))
    assert all(getattr(cg, name) for name in names)
    with pytest.raises(AttributeError, match="module 'cgraph' has no attribute 'sensitivty'"):
        _ = cg.sensitivty
