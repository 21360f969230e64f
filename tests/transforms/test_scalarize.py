"""A graph of arrays and the graph of their entries: the same numbers, entry by entry."""

import io

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from same_entries import assert_same_entries, names_of
from vectors import ROWS, elementwise_equation, entries, vector_graphs

import cgraph as cg
from cgraph.model.language.parsing import parse
from cgraph.model.operations.elementwise import OPERATIONS
from cgraph.model.operations.structured_jacobians import Diagonal
from cgraph.transforms import scalars


@pytest.mark.parametrize(("equation", "a", "b"), [case for cases in ROWS.values() for case in cases])
def test_every_array_operation(equation, a, b):
    assert_same_entries(cg.from_equations(f"y = {equation}", a=entries(a, 1), b=entries(b, 2)))


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("shapes", [[(2, 3), (3,), ()], [(2, 1), (1, 2), (2,)], [(), (2,), (2,)]], ids=str)
def test_every_elementwise_operation(name, shapes):
    row = OPERATIONS[name]
    values = dict(zip("abc", [entries(shape, k) for k, shape in enumerate(shapes)], strict=True))
    operands = [f"sin({i})" for i in "abc"][: len(row.derivatives)]
    read = {i: values[i] for i in "abc"[: len(row.derivatives)]}
    assert_same_entries(cg.from_equations(f"y = {elementwise_equation(name, operands)}", **read))


@settings(max_examples=60, deadline=None)
@given(vector_graphs())
def test_random_graphs(G):
    before = {i: dict(data) for i, data in G.nodes(data=True)}
    H = assert_same_entries(G)
    assert before == {i: dict(data) for i, data in G.nodes(data=True)}
    assert all(data["origin"] in G for _, data in H.nodes(data=True))
    entries = [name for i, y in cg.evaluate(G).items() for name in names_of(i, y)]
    assert list(H)[: len(entries)] == entries


@settings(max_examples=20, deadline=None)
@given(vector_graphs())
def test_gradients_of_weights_are_entries(G):
    before, after = (cg.weight_gradients(cg.linearize(H), "J") for H in (G, cg.scalarize(G)))
    for w, gradient in before.items():
        found = [after[name] for name in names_of(w, gradient)]
        np.testing.assert_allclose(found, np.ravel(gradient), rtol=1e-7, atol=1e-9)


@settings(max_examples=20, deadline=None)
@given(vector_graphs())
def test_a_linearized_graph_stays_so_and_numbers_stay_as_they_are(G):
    H, L = cg.scalarize(G), cg.scalarize(cg.linearize(G))
    assert not any("derivative" in data for _, _, data in H.edges(data=True))
    assert all(isinstance(data["derivative"], float) for _, _, data in L.edges(data=True))
    assert nx.utils.graphs_equal(cg.scalarize(H), H)
    stream = io.StringIO()
    cg.write_spec(H, stream)
    stream.seek(0)
    assert cg.evaluate(cg.read_spec(stream)) == cg.evaluate(H)


def equations(G):
    return {j: equation for j, equation in cg.scalarize(G).nodes(data="equation") if equation}


class TestByHand:
    def test_a_layer(self):
        G = cg.from_equations("h = tanh(W @ x + b)", W=[[1.0, 2.0], [3.0, 4.0]], x=[0.5, 0.25], b=[0.0, 1.0])
        assert equations(G) == {
            f"h[{r}]": f'tanh(y("W[{r},0]") * y("x[0]") + y("W[{r},1]") * y("x[1]") + y("b[{r}]"))' for r in range(2)
        }

    def test_the_two_layer_network_down_to_single_entries(self):
        # CSE463 (5.82): y = A1 sigma(A0 x); dy/dA1[0,k] = sigma_k, dy/dA0[k,l] = A1[0,k] sigma_k (1 - sigma_k) x_l.
        A0, A1, x = np.array([[0.5, -1.0], [2.0, 0.25]]), np.array([[3.0, -2.0]]), np.array([1.0, 2.0])
        L = cg.linearize(cg.scalarize(cg.from_equations("y = A1 @ sigmoid(A0 @ x)", A0=A0, A1=A1, x=x)))
        sigma = 1 / (1 + np.exp(-A0 @ x))
        S = cg.sensitivities(L, "y[0]")
        for k in range(2):
            assert S[f"A1[0,{k}]"] == pytest.approx(sigma[k])
            for i in range(2):
                assert S[f"A0[{k},{i}]"] == pytest.approx(A1[0, k] * sigma[k] * (1 - sigma[k]) * x[i])

    def test_brackets(self):
        G = cg.from_equations(
            "y = (a - (b - a))*(a/(b/a)) - -b^(a^2) + (b^a)^2 + ((a < b) < (b > a)) + (-a)^2 + stack(1, 2, 3)",
            a=[2.0, 0.5, 1.5], b=1.25,
        )  # fmt: skip
        assert equations(G)["y[0]"] == (
            '(y("a[0]") - (b - y("a[0]"))) * (y("a[0]") / (b / y("a[0]"))) - -b ^ (y_1) + (b ^ y("a[0]")) ^ 2 + '
            '((y("a[0]") < b) < (b > y("a[0]"))) + (-y("a[0]")) ^ 2 + 1'
        ).replace("y_1", 'y("a[0]") ^ 2')
        assert_same_entries(G)

    def test_what_is_needed_several_times_is_a_node(self):
        G = cg.from_equations("y = exp(x) @ A; u = (n + 1) * x", x=[1.0, 2.0], A=[[1.0, 2.0], [3.0, 4.0]], n=2.0)
        assert equations(G) == {
            "y_1": 'exp(y("x[0]"))', "y_2": 'exp(y("x[1]"))', "u_1": "n + 1",
            "y[0]": 'y_1 * y("A[0,0]") + y_2 * y("A[1,0]")', "y[1]": 'y_1 * y("A[0,1]") + y_2 * y("A[1,1]")',
            "u[0]": 'u_1 * y("x[0]")', "u[1]": 'u_1 * y("x[1]")',
        }  # fmt: skip
        assert cg.scalarize(G).nodes["y_1"]["origin"] == "y"

    def test_softmax(self):
        assert equations(cg.from_equations("p = softmax(s)", s=[1.0, 2.0])) == {
            "p_1": 'max(y("s[0]"), y("s[1]"))',
            "p_2": 'p_1 + log(exp(y("s[0]") - p_1) + exp(y("s[1]") - p_1))',
            "p[0]": 'exp(y("s[0]") - p_2)',
            "p[1]": 'exp(y("s[1]") - p_2)',
        }  # fmt: skip
        far = cg.scalarize(cg.from_equations("p = softmax(s)", s=[-1000.0, 1000.0]))
        assert (cg.evaluate(far)["p[0]"], cg.evaluate(far)["p[1]"]) == (0.0, 1.0)

    def test_determinant_and_inverse(self):
        A = [[2.0, 1.0], [3.0, 4.0]]
        found = equations(cg.from_equations("d = det(A); B = inv(A)", A=A))
        assert found["d"] == 'y("A[0,0]") * y("A[1,1]") - y("A[0,1]") * y("A[1,0]")'
        assert found["B[0,1]"] == '-y("A[0,1]") / B_1'
        H = cg.scalarize(cg.from_equations("d = det(A); B = inv(A)", A=np.diag([2.0, 3.0, 5.0, 7.0, 11.0, 13.0])))
        y = cg.evaluate(H)
        assert y["d"] == 30030
        assert y["B[5,5]"] == pytest.approx(1 / 13)

    def test_an_exponent_that_is_a_number_stays_one(self):
        # The derivative of x^2 by its exponent does not exist at x < 0.
        assert_same_entries(cg.from_equations("y = x^stack(2, 1 + 2) + x^(1 + 1)", x=[-1.0, -2.0]))

    def test_intermediate_results_that_an_index_leaves_out_are_no_nodes(self):
        H = cg.scalarize(cg.from_equations("y = log_softmax(A, axis=1)[0, 0] * exp(n)", A=np.ones((3, 2)), n=1.0))
        assert [i for i in H if i.startswith("y")] == ["y", "y_1", "y_4"]
        assert H.outputs == ["y"]

    def test_entries_that_nothing_reads_are_no_outputs(self):
        G = cg.from_equations("h = tanh(x); y = h[0]^2", x=[1.0, 2.0])
        assert cg.scalarize(G).outputs == ["y"]
        G.graph["outputs"] = ["h", "y"]
        assert cg.scalarize(G).outputs == ["h[0]", "h[1]", "y"]

    def test_equations_of_numbers_keep_their_text(self):
        G = cg.from_equations("y = x+x  *x; u = sum(x)", x=2.0)
        assert equations(G) == {"y": "x+x  *x", "u": "x"}

    def test_a_long_sum_is_split(self):
        n = 3000
        x = np.linspace(0.1, 1.0, n)
        G = cg.from_equations("y = x @ x + sum(x)", x=x)
        H = cg.scalarize(G)
        parts = [i for i in H if i.startswith("y_")]
        assert len(parts) > 10
        assert all(len(equation) < 10_000 for _, equation in H.nodes(data="equation") if equation)
        L = cg.linearize(H)
        assert L.nodes["y"]["value"] == pytest.approx(x @ x + x.sum())
        S = cg.sensitivities(L, "y")
        np.testing.assert_allclose([S[f"x[{k}]"] for k in range(n)], 2 * x + 1)

    def test_the_largest_of_many_is_the_first_of_equal_ones(self):
        x = np.ones(900)
        L = cg.linearize(cg.scalarize(cg.from_equations("y = max(x) + min(x)", x=x)))
        S = cg.sensitivities(L, "y")
        assert [S[f"x[{k}]"] for k in (0, 1, 899)] == [2.0, 0.0, 0.0]
        assert sum(S[f"x[{k}]"] for k in range(900)) == 2.0

    def test_deep_equations_are_split(self):
        equation = "x"
        for _ in range(90):
            equation = f"tanh({equation})"
        H = assert_same_entries(cg.from_equations(f"y = {equation} + {'-' * 40}x", x=[0.5, 1.0]))
        assert all(parse(equation) for _, equation in H.nodes(data="equation") if equation)

    def test_neurons_on_arrays(self):
        G = cg.ComputationalGraph()
        G.add_input("x", [[1.0], [2.0]])
        G.add_input("z", [3.0, 4.0, 5.0])
        G.add_input("c", 0.5)
        G.add_neuron("h", activation="tanh", weights={"x": 0.5, "z": -0.25, "c": 2.0}, bias=0.125)
        G.add_neuron("o", activation="relu", weights={"c": 1.0})
        G.add_equation("J", "sum(h^2) * o")
        H = assert_same_entries(G)
        assert dict(H.pred["h[1,2]"]) == {
            "x[1,0]": {"weight": 0.5}, "z[2]": {"weight": -0.25}, "c": {"weight": 2.0}, "+1": {"weight": 0.125},
        }  # fmt: skip
        before, after = (cg.weight_gradients(cg.linearize(g), "J") for g in (G, H))
        of_entries = [g for (i, j), g in after.items() if i == "c" and j != "o"]
        assert sum(of_entries) == pytest.approx(before["c", "h"])

    def test_given_jacobians(self):
        G = cg.ComputationalGraph()
        G.add_input("x", [[1.0, 2.0], [3.0, 4.0]])
        G.add_edge("x", "a", derivative=np.array([[1.0, 0.0, 2.0, 3.0], [0.0, 0.0, 4.0, 5.0]]))
        G.add_edge("a", "b", derivative=Diagonal(np.array([6.0, 7.0])))
        G.add_edge("b", "J", derivative=np.array([[8.0, 9.0]]))
        G.add_edge("u", "J", derivative=np.array([[2.0]]))
        G.add_edge("s", "t", derivative=10.0)
        H = cg.scalarize(G)
        assert {(i, j): z for i, j, z in H.edges(data="derivative")} == {
            ("x[0,0]", "a[0]"): 1.0, ("x[1,0]", "a[0]"): 2.0, ("x[1,1]", "a[0]"): 3.0, ("x[1,0]", "a[1]"): 4.0,
            ("x[1,1]", "a[1]"): 5.0, ("a[0]", "b[0]"): 6.0, ("a[1]", "b[1]"): 7.0, ("b[0]", "J[0]"): 8.0,
            ("b[1]", "J[0]"): 9.0, ("u[0]", "J[0]"): 2.0, ("s", "t"): 10.0,
        }  # fmt: skip
        S = cg.sensitivity(G, "x", "J")
        np.testing.assert_allclose(S, [[cg.sensitivity(H, f"x[{k},{c}]", "J[0]") for k in range(2) for c in range(2)]])
        assert H.nodes["x[1,0]"]["value"] == 3.0

    def test_a_node_of_given_derivatives_keeps_its_value(self):
        G = cg.ComputationalGraph()
        G.add_node("a", value=np.array([1.0, 2.0]))
        G.add_edge("q", "a", derivative=np.array([[3.0], [4.0]]))
        G.add_equation("y", "sum(a^2)")
        assert cg.evaluate(cg.scalarize(G))["y"] == 5.0


class TestBadInput:
    def test_names_that_are_taken(self):
        G = cg.from_equations('y = x[0] + y("x[1]")', x=[1.0, 2.0], **{"x[1]": 3.0})
        with pytest.raises(
            cg.CGraphError, match=r"^'x' cannot be split into its entries: there is a node 'x\[1\]' already$"
        ):
            cg.scalarize(G)
        G = cg.from_equations("y = exp(x) @ x; y_1 = 2*x", x=[1.0, 2.0])
        assert "y_2" in cg.scalarize(G)

    def test_a_name_that_is_too_long(self):
        name = "x" * 199
        with pytest.raises(cg.InvalidNodeError, match="a node's name of 202 characters is too long"):
            cg.scalarize(cg.from_equations(f"y = sum({name})", **{name: [1.0, 2.0]}))

    @pytest.mark.parametrize("equation", ["det(A)", "inv(A)"])
    def test_determinants_that_are_too_large(self, equation):
        G = cg.from_equations(f"y = {equation}", A=np.eye(8))
        with pytest.raises(
            cg.CGraphError, match="determinant or inverse of . x . has too many products .* limit is 6 x 6"
        ):
            cg.scalarize(G)

    def test_graphs_that_are_too_large(self, monkeypatch):
        monkeypatch.setattr(scalars, "MOST", 99)
        with pytest.raises(cg.CGraphError, match="more than 99 entries and operations; scalarize a smaller one"):
            cg.scalarize(cg.from_equations("y = x + 1", x=np.ones(50)))
        with pytest.raises(cg.CGraphError, match="more than 99 entries and operations; scalarize a smaller one"):
            cg.scalarize(cg.from_equations("y = sum(outer(x, x))", x=np.ones(10)))
        assert len(cg.scalarize(cg.from_equations("y = x + 1", x=np.ones(49)))) == 98

    def test_what_cannot_be_evaluated(self):
        G = cg.ComputationalGraph()
        G.add_input("x")
        G.add_equation("y", "x[0]")
        with pytest.raises(cg.MissingValueError, match="node 'x' has no value"):
            cg.scalarize(G)
        with pytest.raises(cg.EvaluationError, match="does not fit"):
            cg.scalarize(cg.from_equations("y = A @ x", A=np.ones((2, 3)), x=np.ones(2)))
        with pytest.raises(cg.EvaluationError, match="is undefined"):
            cg.scalarize(cg.from_equations("y = log(x)", x=[1.0, -1.0]))

    def test_edges_without_a_derivative(self):
        G = cg.ComputationalGraph()
        G.add_input("x", [1.0, 2.0])
        G.add_edge("x", "a")
        with pytest.raises(cg.MissingDerivativeError, match="edge 'x' -> 'a' has no 'derivative'"):
            cg.scalarize(G)

    def test_edges_that_disagree(self):
        G = cg.ComputationalGraph()
        G.add_edge("x", "a", derivative=np.ones((2, 3)))
        G.add_edge("x", "b", derivative=np.ones((2, 4)))
        with pytest.raises(cg.DerivativeError, match="edge 'x' -> 'b' holds a 2 x 4 Jacobian, but 'x' has 3 entries"):
            cg.scalarize(G)

    def test_only_computational_graphs_and_no_cycles(self):
        with pytest.raises(cg.CGraphError, match="a ComputationalGraph is needed, not DiGraph"):
            cg.scalarize(nx.DiGraph())
        with pytest.raises(cg.CycleError):
            cg.scalarize(cg.ComputationalGraph([("a", "b"), ("b", "a")]))
