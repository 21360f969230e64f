"""Worked solutions: the record is that of the sweep, and every format shows it."""

import io
import json
import re
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import SMOOTH, networks

import cgraph as cg
from cgraph.algorithms.exact import linearize_exactly, linearize_symbolically
from cgraph.cli import main
from cgraph.exercises.solutions.rendering import (
    solution_data,
    solution_document,
    solution_latex,
    solution_markdown,
    solution_text,
)
from cgraph.model.evaluation import local_derivatives, steps_of
from cgraph.model.language.parsing import parse
from cgraph.reports.derivative_formulas import array_formulas, derivative_formulas, gate_formula

EXAMPLES = sorted((Path(__file__).parent.parent.parent / "examples").glob("*/*.yaml"))
POINT = {"x": 1.5, "z": 2.5, "a": 0.7, "5": 0.3, "w-": -0.4}

# Equations, the operand, and the formula of the derivative by it.
FORMULAS = [
    ("x*z", "x", "z"),
    ("x*x", "x", "2*x"),
    ("x - 2*z", "z", "-2"),
    ("2*x + 0", "x", "2"),
    ("-x", "x", "-1"),
    ("1/x", "x", "-1/x^2"),
    ("x^2", "x", "2*x"),
    ("x^0.5", "x", "1/(2*x^(1/2))"),
    ("x^(-2)", "x", "-2/x^3"),
    ("square(x)", "x", "2*x"),
    ("reciprocal(x)", "x", "-1/x^2"),
    ("2^y(5)", "5", "2^y(5)*log(2)"),
    ("(2^x)^2*x", "x", "2*x*(2^x)^2*log(2) + (2^x)^2"),
    ("x^z", "x", "z*x^(z - 1)"),
    ("e^x", "x", "e^x*log(e)"),
    ("pi*x", "x", "pi"),
    ("(x + 1)/(x - 1)", "x", "1/(x - 1) - (x + 1)/(x - 1)^2"),
    ("exp(a) + a/log(x) + sin(log(x))/a", "a", "exp(a) + 1/log(x) - sin(log(x))/a^2"),
    ("sqrt(x)", "x", "1/(2*sqrt(x))"),
    ("cos(x)", "x", "-sin(x)"),
    ("tan(x)", "x", "1 + tan(x)^2"),
    ("sin(3*x)^2 + 1", "x", "6*cos(3*x)*sin(3*x)"),
    ("asinh(x)", "x", "1/sqrt(x^2 + 1)"),
    ("atanh(x/4)", "x", "1/(4*(1 + x/4)*(1 - x/4))"),
    ("0.5*(x - 1)^2", "x", "x - 1"),
    ("sigmoid(a*x)", "x", "a*n*(1 - n)"),
    ("tanh(x)", "x", "1 - n^2"),
    ('sigmoid(y("w-"))', "w-", "n*(1 - n)"),
    ("relu(x)", "x", "1"),
    ("hard_tanh(x)", "x", "0"),
    ("abs(a)", "a", "1"),
    ("max(x, z)", "x", "0"),
    ("log10(x)", "x", "1/(x*log(10))"),
    ("gelu(x)", "x", "erfc(-x/sqrt(2))/2 + x*exp(-x^2/2)/sqrt(2*pi)"),
]


class TestFormulas:
    @pytest.mark.parametrize(("equation", "operand", "formula"), FORMULAS, ids=[f[0] for f in FORMULAS])
    def test_a_formula_and_what_it_comes_to(self, equation, operand, formula):
        expression = parse(equation)
        assert derivative_formulas(expression, POINT, "n")[operand] == formula
        if formula is not None:
            at = {**POINT, "n": steps_of(expression, POINT, "n")[-1]}
            value = steps_of(parse(formula), at, "z")[-1]
            assert value == pytest.approx(local_derivatives(expression, POINT, "n")[operand], rel=1e-9)

    @pytest.mark.parametrize("activation", cg.ACTIVATIONS)
    def test_a_gate(self, activation):
        s = 0.4
        y = float(steps_of(parse(f"{activation}(x)"), {"x": s}, "h")[-1])
        formula = str(gate_formula(activation, s, y, "h"))
        value = steps_of(parse(formula), {"h": y, "s_h": s}, "gate")[-1]
        assert value == pytest.approx(local_derivatives(parse(f"{activation}(x)"), {"x": s}, "h")["x"], rel=1e-9)

    @pytest.mark.parametrize(
        ("equation", "formulas"),
        [
            ("W @ v", {"W": "I (x) v^T", "v": "W"}),
            ("v @ W.T", {"v": None, "W": None}),
            ("W @ v + b", {"W": "I (x) v^T", "v": "W", "b": "I"}),
            ("A @ B", {"A": "I (x) B^T", "B": "A (x) I"}),
            ("b @ W", {"b": "W^T", "W": "b^T (x) I"}),
            ("dot(b, c)", {"b": "c^T", "c": "b^T"}),
            ("b @ c", {"b": "c^T", "c": "b^T"}),
            ("sum(b)", {"b": "1^T"}),
            ("mean(b)", {"b": "1^T/n"}),
            ("softmax(b)", {"b": "diag(n) - n n^T"}),
            ("log_softmax(b)", {"b": "I - 1 exp(n)^T"}),
            ("softmax_cross_entropy(b, c)", {"b": "(softmax(b) - c)^T", "c": "-log(softmax(b))^T"}),
            ("squared_norm(W)", {"W": "2 W^T"}),
            ("norm(b)", {"b": "b^T/n"}),
            ("squared_error(b, c)", {"b": "2 (b - c)^T", "c": "2 (c - b)^T"}),
            ("dot(b, b)", {"b": None}),
            ("tanh(b)", {"b": "diag(1 - n^2)"}),
            ("b + c", {"b": "I", "c": "I"}),
            ("x*b", {"x": "vec(b)", "b": "diag(x)"}),
            ("relu(b)", {"b": None}),
            ("W + b.T", {"W": None, "b": None}),
        ],
    )
    def test_jacobians_in_words(self, equation, formulas):
        values = {"W": np.ones((3, 2)), "v": np.ones(2), "b": np.array([0.5, 1.0, 2.0]), "c": np.ones(3), "x": 2.0,
                  "A": np.ones((2, 3)), "B": np.ones((3, 2))}  # fmt: skip
        if equation == "W + b.T":
            values["b"] = np.ones((2, 1))
        found = array_formulas(parse(equation), values, "n")
        assert {i: f and f.text for i, f in found.items()} == formulas


class TestTheRecord:
    @given(networks(SMOOTH))
    def test_it_is_that_of_the_algorithms(self, G):
        L = cg.linearize(G)
        s = G.inputs[0]
        solution = cg.solve(G, s, "J")
        S = cg.sensitivities(L, "J")
        assert solution.value == pytest.approx(S[s], rel=1e-12, abs=1e-300)
        for step in solution.steps:
            assert step.total == pytest.approx(S[step.node], rel=1e-12, abs=1e-300)
        last = {i: total for _, i, _, total in solution.increments}
        for i, total in last.items():
            assert total == pytest.approx(solution.sensitivities[i], rel=1e-9, abs=1e-12)
        assert solution.path_count == cg.count_paths(L, s, "J")
        if len(solution.paths) == solution.path_count:
            products = [p.product for p in solution.paths]
            scale = sum(map(abs, products))
            assert sum(products) == pytest.approx(S[s], rel=1e-9, abs=1e-12 * scale)
        assert solution.check is None or solution.check.ok

    @given(networks())
    def test_every_format_is_written(self, G):
        solution = cg.solve(G, G.inputs[0], "J")
        assert str(solution) == solution_text(solution)
        assert solution._repr_markdown_() == solution_markdown(solution)
        assert solution._repr_latex_() == solution_latex(solution)
        json.dumps(solution_data(solution), allow_nan=False)

    def test_a_step_by_hand(self):
        solution = cg.solve(cg.from_equations("a = x*z; y = a*x", x=2.0, z=3.0), "x")
        assert solution.t == "y"
        assert [tuple(step) for step in solution.steps] == [
            ("y", {}, 1), ("a", {"y": 2.0}, 2.0), ("x", {"a": 6.0, "y": 6.0}, 12.0),
        ]  # fmt: skip
        assert [tuple(step) for step in solution.increments] == [
            ("y", "x", 6.0, 6.0), ("y", "a", 2.0, 2.0), ("a", "x", 6.0, 12.0),
        ] or [step.total for step in solution.increments][-1] == 12.0  # fmt: skip
        assert {p.path: p.product for p in solution.paths} == {("x", "a", "y"): 6.0, ("x", "y"): 6.0}
        assert (solution.check.numerical, solution.check.ok) == (pytest.approx(12.0), True)

    def test_all_nodes_no_path_and_itself(self):
        G = cg.from_equations("a = 2*x; b = 3*x; y = a*z", x=2.0, z=3.0)
        every = cg.solve(G, None, "y")
        assert every.value is None
        assert every.sensitivities == cg.sensitivities(cg.linearize(G), "y") | {} or set(every.sensitivities) == {
            "y",
            "a",
            "x",
            "z",
        }
        nothing = cg.solve(G, "b", "y")
        assert (nothing.value, nothing.steps, nothing.check) == (0.0, (), None)
        assert "No path leads from b to y, so S is 0" in str(nothing)
        itself = cg.solve(G, "y", "y")
        assert itself.value == 1

    def test_what_is_asked_for_must_be_there(self):
        G = cg.from_equations("a = 2*x; b = 3*x", x=2.0)
        with pytest.raises(cg.NodeNotFound):
            cg.solve(G, "q", "a")
        with pytest.raises(cg.CGraphError, match=r"the graph has 2 outputs \(a, b\); say which one is t"):
            cg.solve(G, "x")

    def test_given_derivatives(self):
        G = cg.read_spec(io.StringIO("edges: {x -> a: 3.0, a -> y: 0.5, x -> y: 2.0}"))
        solution = cg.solve(G, "x", "y")
        assert solution.value == 3.5
        assert solution.check is None
        assert "1 * 0.5" in str(solution)

    def test_many_paths(self):
        equations = "; ".join(f"a{k + 1} = a{k} + sin(a{k}); b{k + 1} = a{k + 1}*a{k + 1}" for k in range(8))
        G = cg.from_equations(
            equations.replace("a0", "x") + "; y = " + " + ".join(f"b{k}" for k in range(1, 9)) + " + x*a1*b1*b2*b3*b8",
            x=0.3,
        )
        solution = cg.solve(G, "x", "y")
        assert len(solution.paths) == 20 < solution.path_count or solution.path_count <= 20
        assert (
            f"Paths from x to y: the 20 strongest of {solution.path_count}" in str(solution)
            or solution.path_count <= 20
        )


class TestOtherNumbers:
    def test_fractions(self):
        G = cg.from_equations("a = x*z; y = a/(x+1) + a^2 + 0.1*x", x=0.5, z=3.0)
        solution = cg.solve(G, "x", exact=True)
        # 3/(x+1) - 3x/(x+1)^2 + 18x + 1/10 at 1/2
        assert solution.value == Fraction(3) / Fraction(3, 2) - Fraction(3, 2) / Fraction(9, 4) + 9 + Fraction(1, 10)
        assert "S(x, y) = dy/dx = 313/30" in str(solution)
        assert json.loads(json.dumps(solution_data(solution)))["sensitivity"] == "313/30"

    def test_networks_in_fractions(self):
        G = cg.ComputationalGraph()
        G.add_input("x", 0.1)
        G.add_neuron("h", activation="relu", weights={"x": 0.3}, bias=0.2)
        G.add_neuron("o", activation="identity", weights={"h": -0.7})
        G.add_equation("J", "(o - 1)^2")
        o = Fraction(-7, 10) * (Fraction(3, 100) + Fraction(2, 10))
        assert cg.solve(G, "x", exact=True).value == 2 * (o - 1) * Fraction(-7, 10) * Fraction(3, 10)

    @pytest.mark.parametrize(
        ("equations", "message"),
        [
            ("y = exp(x)", "node 'y': exp leaves the fractions"),
            ("y = pi*x", "node 'y': pi leaves the fractions"),
            ("y = x^0.5", "node 'y': a power by a fraction leaves the fractions"),
            ("y = 3^x", "node 'y': a power by a node leaves the fractions"),
            ("y = x^(2*x - 1)", "node 'y': a power by a node leaves the fractions"),
            ("y = x^99999", "node 'y': 2 ^ 99999 overflows"),
            ("y = (x/3)^1000000000", "node 'y': 0.666667 ^ 1e+09 has more than 4,000 digits as a fraction"),
            ("y = x^-1000000000", "node 'y': 2 ^ (-1e+09) has more than 4,000 digits as a fraction"),
            (
                "; ".join(["a0 = x/3", *(f"a{k + 1} = a{k}^2" for k in range(50))]),
                "has more than 4,000 digits as a fraction",
            ),
            (
                "; ".join(["a0 = x/3", *(f"a{k + 1} = a{k}*a{k}" for k in range(50))]),
                "has more than 4,000 digits as a fraction",
            ),
            ("a = x*1e300; y = a^3", "node 'y': 2e+300 ^ 3 overflows"),
            ("y = 1/(x - 2)", "node 'y': 1 / 0 is undefined; div takes a divisor other than 0"),
            ("y = (x - 2)^-1", "node 'y': 0 ^ (-1) is undefined; pow takes"),
        ],
    )
    def test_what_leaves_the_fractions(self, equations, message):
        with pytest.raises(cg.EvaluationError, match=re.escape(message)):
            cg.solve(cg.from_equations(equations, x=2.0), "x", exact=True)

    def test_sensitivities_of_too_many_digits(self):
        chain = (f"a{k + 1} = a{k}*1.23456789" for k in range(600))  # every value is 0
        L = linearize_exactly(cg.from_equations("; ".join(["a0 = x", *chain]), x=0.0))
        assert cg.sensitivity(L, "x", "a400") == Fraction("1.23456789") ** 400
        with pytest.raises(cg.EvaluationError, match=r"S\(x, a600\) has more than 4,000 digits as a fraction"):
            cg.sensitivities(L, "a600")
        with pytest.raises(
            cg.EvaluationError, match=r"product\(x, a0, a1, .{,40} \.\.\. .{,40}, a600\) has more than 4,000 digits"
        ):
            cg.path_sum(L, "x", "a600")

    def test_powers_by_numbers_stay_fractions(self):
        assert cg.solve(cg.from_equations("y = x^(2 + 1) - x^-1", x=2.0), "x", exact=True).value == 12 + Fraction(1, 4)

    def test_activations_and_arrays_leave_the_fractions(self):
        G = cg.ComputationalGraph()
        G.add_input("x", 2.0)
        G.add_neuron("h", activation="tanh", weights={"x": 0.5})
        with pytest.raises(cg.EvaluationError, match="node 'h': tanh leaves"):
            linearize_exactly(G)
        G = cg.ComputationalGraph()
        G.add_input("x", [1.0, 2.0])
        G.add_equation("y", "2*x")
        with pytest.raises(cg.EvaluationError, match="fractions are of numbers, and the graph has arrays"):
            linearize_exactly(G)

    @pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
    def test_symbols_agree_with_numbers(self, path):
        sympy = pytest.importorskip("sympy")
        G = cg.read_spec(path)
        s, t = (G.inputs + G.weights)[0], G.outputs[0]
        if any(np.ndim(G.nodes[i]["value"]) for i in G.inputs):
            with pytest.raises(cg.EvaluationError, match="formulas are of numbers, and the graph has arrays"):
                cg.solve(G, s, t, symbolic=True)
            return
        solution = cg.solve(G, s, t, symbolic=True)
        L = solution.graph
        at = {sympy.Symbol(i, real=True): d["value"] for i, d in L.nodes(data=True)}
        at |= {sympy.Symbol(f"w_{i}_{j}" if i != "+1" else f"b_{j}", real=True): d["weight"]
               for i, j, d in L.edges(data=True) if "weight" in d}  # fmt: skip
        for i, formula in solution.formulas.items():
            assert float(formula.evalf(subs=at)) == pytest.approx(float(solution.sensitivities[i]), rel=1e-9)
        assert float(solution.formula.evalf(subs=at)) == pytest.approx(float(solution.value), rel=1e-9)
        assert "in full" in str(solution)

    def test_every_operation_has_a_formula(self):
        sympy = pytest.importorskip("sympy")
        for operation, row in cg.OPERATIONS.items():
            if row.infix:
                continue
            names = ["x", "z", "u"][: len(row.derivatives)]
            G = cg.from_equations(
                f"y = {operation}({', '.join(names)})",
                **dict(zip(names, (0.3, 0.2, 0.7), strict=False)) if operation != "acosh" else {"x": 1.3},
            )
            z = linearize_symbolically(G).edges["x", "y"]["derivative"]
            at = {sympy.Symbol(i, real=True): G.nodes[i]["value"] for i in names}
            assert float(z.evalf(subs=at)) == pytest.approx(cg.linearize(G).edges["x", "y"]["derivative"], rel=1e-9), (
                operation
            )

    def test_formulas_need_equations(self):
        pytest.importorskip("sympy")
        G = cg.read_spec(io.StringIO("edges: {x -> y: 3.0}"))
        with pytest.raises(cg.CGraphError, match="edge 'x' -> 'y' holds a number; formulas need the equation of 'y'"):
            cg.solve(G, "x", "y", symbolic=True)

    def test_without_sympy(self, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "sympy", None)
        with pytest.raises(cg.CGraphError, match=r"install it with: pip install 'cgraph-sensitivity\[symbolic\]'"):
            cg.solve(cg.from_equations("y = x^2", x=2.0), "x", symbolic=True)


def vectors():
    G = cg.ComputationalGraph()
    G.add_input("x", [0.5, -1.0])
    G.add_input("y", [0.0, 1.0, 0.0])
    G.add_weight("W", [[0.2, 0.4], [-0.3, 0.1], [0.7, -0.5]])
    for name, equation in {
        "s": "W @ x", "h": "tanh(s)", "p": "softmax(h)", "l": "cross_entropy(p, y)", "r": "squared_norm(W)",
        "J": "l + 0.01*r",
    }.items():  # fmt: skip
        G.add_equation(name, equation)
    return G


class TestArrays:
    def test_the_record(self):
        G = vectors()
        solution = cg.solve(G, "W", "J")
        L = cg.linearize(G)
        assert np.allclose(np.asarray(solution.value), cg.sensitivity(L, "W", "J"), rtol=1e-14)
        assert solution.check.ok
        assert solution.check.error < 1e-12
        text = str(solution)
        assert "S(W, J) = dJ/dW, 1 x 6" in text
        assert "diag(p) - p p^T" in text
        assert "(1) (1 x 3) (3 x 3) (3 x 3) (3 x 6)" in text  # the Jacobian nearest to W on the right
        data = json.loads(json.dumps(solution_data(solution)))
        assert np.allclose(data["sensitivity"], cg.sensitivity(L, "W", "J"))

    def test_from_array_to_array(self):
        solution = cg.solve(vectors(), "x", "h")
        assert np.allclose(np.asarray(solution.value), cg.sensitivity(cg.linearize(vectors()), "x", "h"))
        assert "S(x, h) = dh/dx, 3 x 2" in str(solution)
        assert r"\begin{bmatrix}" in solution_latex(solution)

    def test_a_planted_error_is_found(self):
        G = vectors()
        L = cg.linearize(G)
        from cgraph.algorithms.checks import numerical_check

        S = cg.sensitivity(L, "x", "h")
        assert numerical_check(L, "x", "h", S).ok
        assert not numerical_check(L, "x", "h", S * 1.01).ok
        assert not numerical_check(cg.linearize(cg.from_equations("y = x^2", x=3.0)), "x", "y", 6.1).ok


class TestFormats:
    @pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
    def test_latex_compiles(self, path, tmp_path):
        G = cg.read_spec(path)
        s = (G.inputs + G.weights)[0]
        compile_latex(solution_document(cg.solve(G, s, G.outputs[0])), tmp_path)

    def test_latex_of_arrays_halves_symbols_and_odd_names(self, tmp_path):
        compile_latex(solution_document(cg.solve(vectors(), "W", "J")), tmp_path)
        network = cg.read_spec(next(p for p in EXAMPLES if p.stem == "network"))
        decoupled = cg.solve(cg.decouple(network), "x1", "J")
        assert [h.linear for h in decoupled.halves] == ["h1-", "h2-", "o-"]
        for half in decoupled.halves:
            assert half.downstream * half.gate == pytest.approx(half.total, rel=1e-15)
        compile_latex(solution_document(decoupled), tmp_path)
        G = cg.ComputationalGraph()
        for name in ("α", "50% & more_", 'quote"', "naïve", "漢", "a^b#$", "β_12", "Ω", "x<y>|{}~\\"):
            G.add_input(name, 0.5)
        from cgraph.model.language.expressions import write_name

        G.add_equation("y", " + ".join(f"sin({write_name(i)})" for i in G.inputs))
        compile_latex(solution_document(cg.solve(G, "α", "y")), tmp_path)
        pytest.importorskip("sympy")
        compile_latex(solution_document(cg.solve(network, "x1", "J", symbolic=True)), tmp_path)

    @pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
    def test_markdown_tables_are_whole(self, path):
        G = cg.read_spec(path)
        lines = solution_markdown(cg.solve(G, (G.inputs + G.weights)[0], G.outputs[0])).splitlines()
        tables = "\n".join(lines).split("\n\n")
        for block in tables:
            rows = [line for line in block.splitlines() if line.startswith("|")]
            columns = {len(re.findall(r"(?<!\\)\|", row)) for row in rows}
            assert len(columns) <= 1

    def test_the_command(self, capsys):
        path = str(next(p for p in EXAMPLES if p.stem == "quiz"))
        assert main(["solve", path, "--from", "x", "--format", "json"]) == 0
        data = json.loads(capsys.readouterr().out)
        assert data["cgraph"] == 1
        assert data["sensitivity"] == pytest.approx(1208.3812151266095)
        assert [row["node"] for row in data["backward"]] == ["y", "a", "x"]
        assert main(["solve", path, "--from", "x", "--at", "x=3", "--format", "markdown"]) == 0
        assert capsys.readouterr().out.startswith("## S(x, y) = dy/dx = ")
        assert main(["solve", path, "--from", "x", "--format", "latex"]) == 0
        assert capsys.readouterr().out.startswith(r"\documentclass{article}")
        assert main(["solve", path, "--from", "q"]) == 2
        assert "no node 'q' in the graph" in capsys.readouterr().err
        assert main(["solve", path, "--from", "x", "--exact"]) == 4
        assert main(["solve", "-e", "y = x/3", "--at", "x=1", "--from", "x", "--exact"]) == 0
        assert "S(x, y) = dy/dx = 1/3" in capsys.readouterr().out


def compile_latex(document, folder):
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    (folder / "s.tex").write_text(document, encoding="utf-8")
    run = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "s.tex"],
        cwd=folder, capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-2000:]


@st.composite
def nested(draw, depth=4):
    """Arithmetic, powers of powers and functions of a positive x, nested at random."""
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from(["x", "z", "2", "0.5", "x^z"]))
    left, right = draw(nested(depth - 1)), draw(nested(depth - 1))
    form = draw(st.sampled_from(["(({0})^({1}))", "({0}) + ({1})", "({0})*({1})", "({0})/({1})", "-({0})", "exp(-({0}))",
                                 "sqrt(({0})^2 + 1)", "tanh({0})", "(({0})^x)^2", "softplus({0}) - ({1})"]))  # fmt: skip
    return form.format(left, right)


@given(text=nested())
def test_a_formula_can_be_read_back_and_is_the_derivative(text):
    expression, at = parse(text), {"x": 1.1, "z": 0.7}
    try:
        expected = local_derivatives(expression, at, "y")
        found = derivative_formulas(expression, at, "y")
        at["y"] = steps_of(expression, at, "y")[-1]
        values = {i: steps_of(parse(formula), at, i)[-1] for i, formula in found.items()}
    except cg.EvaluationError:  # outside a domain, or too large
        return
    for i, value in values.items():
        assert value == pytest.approx(expected[i], rel=1e-6, abs=1e-9), (text, found[i])


def test_a_tower_of_powers_is_solved(capsys):
    assert main(["solve", "-e", "y = ((x^x)^x)^x", "--at", "x=1.1"]) == 0
    assert "((x^x)^x)^(x - 1)" in capsys.readouterr().out
