"""An operation is one row: added as a row, or as a function of a spec's own, it works everywhere."""

import io
import re
import tokenize
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import cgraph as cg
from cgraph.algorithms.exact import linearize_exactly
from cgraph.model.language.parsing import parse
from cgraph.model.operations.elementwise import FUNCTIONS, OPERATIONS, Operation
from cgraph.model.rules.generate import functions_of
from cgraph.model.tracing.followed_functions import RULES
from cgraph.reports.latex import latex_expression

ROOT = Path(cg.__file__).parent

# y = x / (2 - x) + b^2, y' = 2 / (2 - x)^2
ROW = Operation(
    "x b", "x / (2 - x) + b * b", ("2 / (2 - x)^2", "2 * b"), r"\operatorname{{ratio}}({0}, {1})",
    domain=("x < 2", "an operand below 2"),
)  # fmt: skip
SPEC = """
functions:
  ratio(x, b): x / (2 - x) + b * b
inputs: {u: 0.5, w: 3.0}
nodes:
  h: ratio(u, w)
  y: 2 * ratio(h / 10, 1) + u
"""
VALUES = {"h": 0.5 / 1.5 + 9, "y": 0.0}
VALUES["y"] = 2 * (VALUES["h"] / (20 - VALUES["h"]) + 1) + 0.5


@pytest.fixture
def _row(monkeypatch):
    monkeypatch.setitem(OPERATIONS, "ratio", ROW)
    FUNCTIONS.add("ratio")
    parse.cache_clear()
    yield
    FUNCTIONS.discard("ratio")
    parse.cache_clear()


@pytest.fixture(params=["row", "function of a spec"])
def graph(request):
    """The same graph, with the operation from the table and with one of its own."""
    if request.param == "row":
        request.getfixturevalue("_row")
    text = SPEC if request.param != "row" else SPEC.replace("functions:\n  ratio(x, b): x / (2 - x) + b * b\n", "")
    return cg.read_spec(io.StringIO(text))


def slope(u):
    """dy/du, by hand."""
    dh = 2 / (2 - u) ** 2
    h = u / (2 - u) + 9
    return 2 * (2 / (2 - h / 10) ** 2) / 10 * dh + 1


def test_evaluate_linearize_and_check(graph):
    assert cg.evaluate(graph)["y"] == pytest.approx(VALUES["y"], rel=1e-14)
    L = cg.linearize(graph)
    assert cg.sensitivity(L, "u", "y") == pytest.approx(slope(0.5), rel=1e-14)
    assert cg.check_derivatives(L).ok


def test_compile_at_one_point_and_at_many(graph):
    C = cg.compile_graph(graph)
    assert C.evaluate(nodes=["y"])[0] == pytest.approx(VALUES["y"], rel=1e-14)
    assert C.gradient("y", nodes=["u"])[0] == pytest.approx(slope(0.5), rel=1e-13)
    u = np.linspace(-1, 1.5, 11)
    C.evaluate({"u": u})
    assert C.gradient("y", nodes=["u"])[0] == pytest.approx([slope(x) for x in u], rel=1e-13)


def test_arrays(graph):
    u = np.array([-1.0, 0.5, 1.5])
    L = cg.linearize(graph, {"u": u})
    assert np.diag(L.edges["u", "y"]["derivative"].dense()) == pytest.approx(np.ones(3))
    assert np.diag(cg.sensitivity(L, "u", "y")) == pytest.approx([slope(x) for x in u], rel=1e-13)


def test_scalarize_and_expand(graph):
    G = graph.copy()
    G.nodes["u"]["value"] = np.array([-1.0, 0.5])
    H = cg.scalarize(G)
    assert "ratio(" in H.nodes["h[1]"]["equation"]
    assert cg.sensitivity(cg.linearize(H), "u[1]", "y[1]") == pytest.approx(slope(0.5), rel=1e-13)
    E = cg.expand(graph)
    assert cg.sensitivity(cg.linearize(E), "u", "y") == pytest.approx(slope(0.5), rel=1e-13)
    is_own = "functions" in graph.graph
    assert is_own != any("ratio" in str(equation) for _, equation in E.nodes(data="equation"))


def test_fractions(graph):
    L = linearize_exactly(graph)
    assert L.nodes["h"]["value"] == Fraction(28, 3)
    assert L.edges["u", "h"]["derivative"] == Fraction(8, 9)


def test_formulas_and_solutions(graph):
    sympy = pytest.importorskip("sympy")
    solution = cg.solve(graph, "u", "y", symbolic=True)
    at = {sympy.Symbol("u", real=True): 0.5, sympy.Symbol("w", real=True): 3}
    assert float(solution.formula.evalf(subs=at)) == pytest.approx(slope(0.5), rel=1e-12)
    assert "ratio(u, w)" in str(cg.solve(graph, "u", "y"))


def test_latex(graph):
    assert latex_expression(graph.nodes["h"]["expression"]) == r"\operatorname{ratio}(u, w)"


def test_errors_name_it(graph):
    with pytest.raises(cg.EvaluationError, match=r"^node 'h': ratio\(2, 3\)"):
        cg.evaluate(graph, {"u": 2.0})


def test_what_is_written_can_be_read(graph, tmp_path):
    for suffix in ("yaml", "json", "toml"):
        cg.write_spec(graph, tmp_path / f"g.{suffix}")
        assert cg.evaluate(cg.read_spec(tmp_path / f"g.{suffix}")) == cg.evaluate(graph)


def test_transforms_keep_it(graph):
    for H in (cg.restrict(graph, "u", "y"), cg.fold_constants(graph), cg.merge_nodes(cg.split_nodes(graph))):
        assert cg.sensitivity(cg.linearize(H), "u", "y") == pytest.approx(slope(0.5), rel=1e-13)


def test_a_row_that_numpy_has_is_traced():
    # The rules of `trace` are read from the rows: every function that a row names is followed.
    named = {getattr(np, function) for row in OPERATIONS.values() for function in row.numpy}
    assert named <= set(RULES)
    assert len(named) > 40


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_second_derivatives(name):
    """Against central differences of the first ones, inside the domain and away from kinks."""
    row, points = OPERATIONS[name], {"acosh": [1.7], "binary_cross_entropy": [0.3, 0.6], "clip": [0.4, -1.1, 1.3]}
    rules = functions_of(row)
    x = points.get(name, [0.37, 0.81, -0.6][: len(row.names)])
    h = 1e-5
    for k, of_one in enumerate(rules.second_derivatives):
        for l, second in enumerate(of_one):
            ahead, behind = (
                rules.derivatives[k](rules.value(*moved), *moved)
                for moved in ([v + sign * h * (p == l) for p, v in enumerate(x)] for sign in (1, -1))
            )
            assert second(rules.value(*x), *x) == pytest.approx((ahead - behind) / (2 * h), rel=1e-6, abs=1e-8), (k, l)


# What may stand anywhere: names that are words of Python or of NumPy as well, or that the language reads in a way of its own.
COMMON = {"max", "min", "abs", "sign", "identity", "where", "square", "floor", "clip"}
# Where a primitive is computed for machine code or NumPy, or chosen for it, where the form of an operation on arrays is written, where names
# are translated or a function of NumPy is followed by another, and a kind of axis: each with the names that it needs.
SPELLED = {
    "algorithms/compiled/arrays/array_steps.py": {"exp", "log"},
    "algorithms/compiled/arrays/network_steps.py": {"sqrt"},
    "algorithms/compiled/arrays/runs.py": {"sqrt"},
    "algorithms/compiled/jit.py": {"erf", "erfc"},
    "algorithms/compiled/straight_code.py": {"reciprocal", "sqrt"},
    "algorithms/compiled/tape/elementary_functions.py": {"cos", "exp", "log", "log1p", "sin", "tanh"},
    "algorithms/compiled/tape/numba_rules.py": {"cos", "exp", "log", "sin", "tanh"},
    "model/language/foreign_words.py": {"atan2", "erfc"},
    "model/language/parsing.py": {"log"},
    "model/operations/batched_forms.py": {"sqrt"},
    "model/operations/entry_forms.py": {"relu"},
    "model/rules/numpy_functions.py": {"erf", "erfc", "hypot"},
    "model/tracing/entrywise_rules.py": {"reciprocal"},
    "reports/charts.py": {"log"},
    "transforms/scalars.py": {"exp", "log", "sqrt"},
}
# They translate the names of another language.
TRANSLATORS = {
    "frontends/numpy_source.py", "frontends/onnx_activations.py", "frontends/onnx_operators.py",
    "frontends/sympy_formulas.py",
}  # fmt: skip


def spelled_in(path, names):
    """The names that stand in a file as strings, alone or in a list of words."""
    if path.suffix == ".js":
        strings = re.findall(r"""(?<!\w)["'`]([\w ,]+)["'`]""", path.read_text("utf-8"))
    else:
        with tokenize.open(path) as file:
            tokens = [t.string for t in tokenize.generate_tokens(file.readline) if t.type == tokenize.STRING]
        strings = [re.sub(r"^\w*['\"]+|['\"]+$", "", token) for token in tokens]
    lists = [set(re.split(r"[\s,|]+", string.strip())) for string in strings]
    return set().union(*(words for words in lists if words <= names))


def test_no_name_of_an_operation_stands_outside_its_row():
    names = {name for name, row in OPERATIONS.items() if not row.infix} - COMMON
    rows = ROOT / "model" / "operations" / "elementwise.py"
    found = {
        path.relative_to(ROOT).as_posix(): spelled
        for path in sorted([*ROOT.rglob("*.py"), *ROOT.rglob("*.js")])
        if path != rows and (spelled := spelled_in(path, names))
    }
    assert {place: spelled for place, spelled in found.items() if place not in TRANSLATORS} == SPELLED


def test_a_name_in_a_string_or_in_a_list_of_words_is_found(tmp_path):
    path = tmp_path / "a.py"
    path.write_text("""a = "softplus"; b = "relu tanh".split(); c = "the tanh of x"\n""")
    assert spelled_in(path, set(OPERATIONS)) == {"softplus", "relu", "tanh"}
