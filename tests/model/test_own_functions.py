"""Functions of one's own: what is refused, and what registered ones do."""

import io
import pickle

import pytest

import cgraph as cg
from cgraph.model.language.parsing import parse
from cgraph.model.operations.elementwise import FUNCTIONS, OPERATIONS


@pytest.fixture
def _table():
    """The table as it was before."""
    before = set(OPERATIONS)
    yield
    for name in set(OPERATIONS) - before:
        del OPERATIONS[name]
        FUNCTIONS.discard(name)
    parse.cache_clear()


@pytest.mark.parametrize(
    ("head", "equation", "message"),
    [
        ("f(x)", "f(x - 1) + 1", "f calls itself"),
        ("f(x)", "x + z", "'z' is no operand of f"),
        ("f(x)", "g(x)", "there is no function 'g'"),
        ("f(x)", "sum(x)", "sum works on whole arrays"),
        ("f(x)", "x +", "an operand is missing"),
        ("exp(x)", "x", "the function 'exp' is defined already"),
        ("h(x)", "x", "the function 'h' is defined already"),
        ("u(x)", "x", "the function 'u' has the name of a node"),
        ("f", "x", "'f' is no function with its operands"),
        ("f()", "1", "'' in 'f\\(\\)' is no name"),
        ("f(x, x)", "x", "names an operand twice"),
        ("f(y)", "y", "nothing can be named 'y'"),
        ("f(exp)", "2", "'exp' is a function"),
        ("lambda(x)", "x", "Python keyword"),
        ("f(x)", 3, "must be text, not 3"),
    ],
)
def test_what_is_refused(head, equation, message):
    G = cg.ComputationalGraph()
    G.add_function("h(x)", "2 * x")
    G.add_input("u", 1.0)
    with pytest.raises(cg.CGraphError, match=message):
        G.add_function(head, equation)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("functions:\n  f(x): f(x)\n", "g.yaml:2:9: error: function 'f(x)': f calls itself"),
        ("functions:\n  f(x): x + q\n", "g.yaml:2:13: error: function 'f(x)': 'q' is no operand of f"),
        ("functions:\n  f(x): 2*g(x)\n  g(x): x\n", "g.yaml:2:11: error: function 'f(x)': there is no function 'g'"),
        ("functions:\n  tanh(x): x\n", "g.yaml:2:3: error: the function 'tanh' is defined already"),
        ("functions:\n  f(x): 3\n", "g.yaml:2:9: error: the equation of function 'f(x)' must be text"),
        (
            "functions: {f(x): 2*x}\ninputs: {u: 1}\nnodes:\n  v: f(u, u)\n",
            "error: node 'v': f takes one operand, not 2",
        ),
        ("functions: {f(x): 2*x}\ninputs: {f: 1}\n", "g.yaml:1:13: error: the function 'f' has the name of a node"),
    ],
)
def test_a_spec_says_where(spec, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "g.yaml").write_text(spec)
    with pytest.raises(cg.SpecError) as error:
        cg.read_spec("g.yaml")
    assert message in str(error.value)


def test_functions_may_use_those_above_them():
    G = cg.read_spec(
        io.StringIO("functions:\n  f(x): x^2 + 1\n  g(x, b): f(x) * b\ninputs: {u: 3}\nnodes:\n  v: g(u, 2)")
    )
    L = cg.linearize(G)
    assert (L.nodes["v"]["value"], L.edges["u", "v"]["derivative"]) == (20, 12)
    assert cg.evaluate(pickle.loads(pickle.dumps(G))) == cg.evaluate(G)


def test_two_graphs_may_call_different_functions_by_one_name():
    values = []
    for body in ("2 * x", "3 * x"):
        G = cg.ComputationalGraph()
        G.add_function("f(x)", body)
        G.add_input("u", 1.0)
        G.add_equation("v", "f(u)")
        values.append(cg.evaluate(G)["v"])
    assert values == [2, 3]


def test_minibatches_keep_them():
    G = cg.ComputationalGraph()
    G.add_function("f(x)", "x * sigmoid(x)")
    G.add_input("x", [1.0, 2.0])
    G.add_weight("W", [[0.5, -1.0]])
    G.add_equation("J", "sum(f(W @ x))")
    H = cg.minibatch(G, {"x": [[1.0, 2.0], [0.0, 3.0]]})
    alone = [cg.evaluate(G, {"x": x})["J"] for x in ([1.0, 2.0], [0.0, 3.0])]
    assert cg.evaluate(H)["J"] == pytest.approx(sum(alone) / 2, rel=1e-14)


@pytest.mark.usefixtures("_table")
def test_a_registered_operation_works_in_every_graph():
    cg.register_operation("bent", "sqrt(x^2 + 1) - 1 + x")
    G = cg.from_equations("v = bent(2*u)", u=0.75)
    L = cg.linearize(G)
    assert L.nodes["v"]["value"] == pytest.approx(3.25**0.5 - 1 + 1.5, rel=1e-15)
    assert L.edges["u", "v"]["derivative"] == pytest.approx(2 * (1.5 / 3.25**0.5 + 1), rel=1e-15)
    assert cg.compile_graph(G).evaluate()[1] == pytest.approx(L.nodes["v"]["value"], rel=1e-14)
    assert cg.check_derivatives(L).ok


@pytest.mark.usefixtures("_table")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"equation": "x^3", "derivatives": ["2 * x^2"]}, "the derivative of new with respect to x is 15.87 at x=-2.3"),
        ({"equation": "x^3", "derivatives": []}, "new has 1 operands, and 0 derivatives are given"),
        ({"equation": "x^3", "derivatives": ["3 * q^2"]}, "'q' is no operand of new"),
        ({"equation": "2"}, "has no operand"),
        ({"equation": "new(x)"}, "there is no function 'new'"),
    ],
)
def test_what_cannot_be_registered(arguments, message):
    with pytest.raises(cg.CGraphError, match=message):
        cg.register_operation("new", **arguments)
    assert "new" not in set(OPERATIONS)


def test_functions_that_double_each_other_are_refused_before_they_are_written_out():
    lines = ["f0(x): x * x", *(f"f{k}(x): f{k - 1}(x) + f{k - 1}(x)" for k in range(1, 60))]
    # f0 is 1 operation, and each is twice the one before and 1: f8 is 2^9 - 1
    with pytest.raises(cg.SpecError, match="f8 stands for 511 operations; the limit is 500"):
        cg.read_spec(io.StringIO("functions:\n  " + "\n  ".join(lines)))
