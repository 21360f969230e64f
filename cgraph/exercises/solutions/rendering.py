"""A worked solution as text, Markdown, LaTeX and plain data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from cgraph.algorithms.exact import import_sympy, write_symbolic
from cgraph.exercises.solutions.records import Record
from cgraph.model.graph import BIAS, ComputationalGraph
from cgraph.model.language.expressions import write_name
from cgraph.model.language.parsing import parse, substitute
from cgraph.model.linearized import in_shape_of
from cgraph.model.operations.structured_jacobians import Jacobian
from cgraph.model.values import show_shape
from cgraph.reports.derivative_formulas import gate_formula, typeset
from cgraph.reports.equation_text import weighted_sum
from cgraph.reports.latex import latex_document, latex_name, latex_number
from cgraph.reports.tables import Formula, Table, show_number, to_latex, to_markdown, to_text
from cgraph.uncertainty.budget import UncertaintyBudget

__all__ = [
    "solution_data",
    "solution_document",
    "solution_latex",
    "solution_markdown",
    "solution_tables",
    "solution_text",
    "sum_name",
    "sum_to_show",
]

TERMS = 3  # of a sum that stand in one line


def solution_text(solution: Record, *, width: int | None = None) -> str:
    """Return the solution for a terminal of so many columns."""
    title = _title(solution).text
    tables = (to_text(table, width=width) for table in solution_tables(solution))
    return "\n\n".join([f"{title}\n{'=' * len(title)}", *tables])


def solution_markdown(solution: Record) -> str:
    """Return the solution in GitHub's Markdown."""
    return "\n\n".join([f"## {_title(solution).text}", *map(to_markdown, solution_tables(solution))])


def solution_latex(solution: Record) -> str:
    """Return the solution as LaTeX that stands in a document."""
    title = rf"\noindent $\displaystyle {_title(solution).latex}$\par\medskip"
    return "\n\n".join([title, *(to_latex(table) + "\n\\medskip" for table in solution_tables(solution))])


def solution_document(solution: Record) -> str:
    """Return the solution as a document for pdflatex."""
    return latex_document(solution_latex(solution))


def solution_tables(solution: Record) -> list[Table]:
    """Return the steps of the solution as tables, in the order in which they are worked."""
    s, t = solution.s, solution.t
    tables = [_forward(solution), *_gates(solution), _local(solution), _backward(solution)]
    if len(solution.steps) > 1:
        tables.append(_version_b(solution))
    tables += [*_paths(solution), *_gradients(solution), *_halves(solution), *_formulas(solution), *_budget(solution)]
    if (check := solution.check) and s is not None:
        S = solution.sensitivities[s]
        verdict = "they agree" if check.ok else "they DIFFER"
        both = f"S({s}, {t}) = {show_number(check.derivative)}, and by numerical differentiation {show_number(check.numerical)}"
        if np.ndim(S):
            both = f"S({s}, {t}) and its value by numerical differentiation differ in no entry by more than {check.error:.2g} of it"
        tables.append(Table((), (), f"Check: {both}: {verdict}"))
    return tables


def solution_data(solution: Record) -> dict[str, Any]:
    """Return the solution as plain data, for JSON; fractions and formulas are text."""
    L = solution.graph
    S = solution.sensitivities
    z = {(d.tail, d.head): d.value for d in solution.local}
    data: dict[str, Any] = {
        "from": solution.s,
        "to": solution.t,
        "sensitivity": solution.value,
        "forward": [
            {"node": name, "equation": equation or None, "numbers": numbers or None, "value": value}
            for name, equation, numbers, value in _forward_rows(solution)
        ],
        "local": [d._asdict() | {"formula": d.formula.text if d.formula else None} for d in solution.local],
        "backward": [
            {
                "node": i,
                "terms": [
                    {"successor": j, "downstream": S[j], "derivative": z[i, j], "product": p} for j, p in terms.items()
                ],
                "sensitivity": total,
            }
            for i, terms, total in solution.steps
        ],
        "increments": [step._asdict() for step in solution.increments],
        "path_count": solution.path_count,
        "paths": [
            {"path": list(path), "factors": list(factors), "product": product}
            for path, factors, product in solution.paths
        ],
        "neurons": [
            {"node": j, "preactivation": L.nodes[j]["preactivation"], "gate": L.nodes[j]["gate"]}
            for j in solution.order
            if "gate" in L.nodes[j]
        ],
        "gradients": [
            {"weight": f"{i} -> {j}", **factors._asdict(), "gradient": factors.product}
            for (i, j), factors in solution.gradients.items()
        ],
        "halves": [half._asdict() for half in solution.halves],
        "formulas": {i: write_symbolic(formula) for i, formula in solution.formulas.items()},
        "formula": None if solution.formula is None else write_symbolic(solution.formula),
        "budget": None if solution.budget is None else _budget_data(solution.budget, solution.t),
        "check": None
        if solution.check is None
        else {"numerical": solution.check.numerical, "error": solution.check.error, "ok": solution.check.ok},
    }
    plain: dict[str, Any] = _plain(data)
    return plain


def _plain(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _plain(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_plain(value) for value in data]
    if isinstance(data, np.ndarray | Jacobian):
        return np.asarray(data).tolist()
    return str(data) if isinstance(data, Fraction) else data


def _title(solution: Record) -> Formula:
    s, t = solution.s, solution.t
    if s is None:
        return Formula(f"S(i, {t}) for every node i", rf"S(i, {latex_name(t)}) \text{{ for every node }} i")
    names = (latex_name(s), latex_name(t))
    if solution.value is not None and np.ndim(solution.value):
        shape = _shape(solution.value)
        return Formula(f"S({s}, {t}) = d{t}/d{s}, {shape}", rf"S({names[0]}, {names[1]}) \text{{, }} {_times(shape)}")
    number = show_number(solution.value)
    return Formula(
        f"S({s}, {t}) = d{t}/d{s} = {number}",
        rf"S({names[0]}, {names[1]}) = \frac{{\partial {names[1]}}}{{\partial {names[0]}}} = {latex_number(number)}",
    )


def _forward(solution: Record) -> Table:
    rows = [
        (
            _name(name),
            typeset(equation, solution.graph.functions) if equation else "given",
            typeset(numbers, solution.graph.functions) if numbers else None,
            *([show_shape(value)] if _has_arrays(solution) else []),
            _cell(value),
        )
        for name, equation, numbers, value in _forward_rows(solution)
    ]
    shape = ["shape"] if _has_arrays(solution) else []
    return Table(("node", "equation", "with numbers", *shape, "value"), rows, "Forward pass")


def _has_arrays(solution: Record) -> bool:
    return any(isinstance(solution.graph.nodes[i].get("value"), np.ndarray) for i in solution.order)


def _forward_rows(solution: Record) -> Iterator[tuple[str, str, str, Any]]:
    """Iterate over node, equation, equation with numbers, value; of a neuron, first the weighted sum."""
    L = solution.graph
    for j in solution.order:
        data = L.nodes[j]
        value = data.get("value")
        if data.get("activation") == "identity":
            yield j, *_with_numbers(L, sum_to_show(L, j)), value
        elif "activation" in data:
            yield sum_name(j), *_with_numbers(L, sum_to_show(L, j)), data["preactivation"]
            of_sum = f"{data['activation']}({{}})"
            numbers = "" if isinstance(value, np.ndarray) else of_sum.format(_short(data["preactivation"]))
            yield j, of_sum.format(write_name(sum_name(j))), numbers, value
        elif "equation" in data:
            yield j, *_with_numbers(L, data["equation"]), value
        else:
            yield j, "", "", value


def sum_to_show(G: ComputationalGraph, j: str) -> str:
    """Return the weighted sum with a bias as a number alone."""
    return weighted_sum(G, j).replace(f"*{write_name(BIAS)}", "")


def sum_name(j: str) -> str:
    """Return how the weighted sum of a neuron is called in a solution."""
    return f"s_{j}"


def _with_numbers(L: ComputationalGraph, equation: str) -> tuple[str, str]:
    values = {i: L.nodes[i]["value"] for i in parse(equation, L.functions).operands}
    if any(np.ndim(value) for value in values.values()):
        return equation, ""
    return equation, substitute(equation, {i: _bracketed(value) for i, value in values.items()}, L.functions)


def _gates(solution: Record) -> Iterator[Table]:
    L = solution.graph
    rows = []
    for j in solution.order:
        data = L.nodes[j]
        if data.get("activation", "identity") != "identity" and np.ndim(data["gate"]) == 0:
            formula = gate_formula(data["activation"], float(data["preactivation"]), float(data["value"]), j)
            rows.append((_name(j), None if formula is None else typeset(str(formula)), data["gate"]))
    if rows:
        yield Table(("neuron", "Phi'(s)", "gate"), rows, "Gates")


def _local(solution: Record) -> Table:
    arrays = _has_arrays(solution)
    rows = [
        (_edge(d.tail, d.head), d.formula, *([_shape(d.value)] if arrays else []), _cell(d.value))
        for d in solution.local
    ]
    title = "Local derivatives z(i,j) = dy(j)/dy(i)"
    if arrays:
        title += ", a row for each entry of y(j), a column for each of y(i)"
    return Table(("edge", "formula", *["shape"] * arrays, "z(i,j)"), rows, title)


def _backward(solution: Record) -> Table:
    t = solution.t
    rows: list[tuple[Any, ...]] = []
    z = {(d.tail, d.head): d.value for d in solution.local}
    S = solution.sensitivities
    for i, terms, total in solution.steps:
        if not terms:
            start = Formula(*["1" if np.ndim(total) == 0 else "I"] * 2)
            rows.append((_name(i), "-", _joined([_sensitivity(i, t)]), start, _total(solution, i, total)))
            continue
        chunks = [list(terms)[k : k + TERMS] for k in range(0, len(terms), TERMS)]
        for k, heads in enumerate(chunks):
            more = k < len(chunks) - 1
            rows.append(
                (
                    _name(i) if k == 0 else "",
                    Formula(", ".join(heads), ", ".join(map(latex_name, heads))),
                    _joined([_term(i, j, t) for j in heads], more=more),
                    _joined([_numbers(S[j], z[i, j], first=j == heads[0]) for j in heads], more=more),
                    None if more else _total(solution, i, total),
                )
            )
    heads_of_columns = ("i", "successors j", f"sum of S(j,{t}) z(i,j)", "with numbers", f"S(i,{t})")
    return Table(heads_of_columns, rows, f"Backward pass from {t}")


def _version_b(solution: Record) -> Table:
    t = solution.t
    S = solution.sensitivities
    z = {(d.tail, d.head): d.value for d in solution.local}
    rows = []
    for j, i, term, total in solution.increments:
        grown, added = _sensitivity(i, t), _term(i, j, t)
        rows.append(
            (
                _name(j),
                Formula(f"{grown.text} += {added.text}", rf"{grown.latex} \mathrel{{+}}= {added.latex}"),
                _numbers(S[j], z[i, j]),
                _total(solution, i, term),
                _total(solution, i, total),
            )
        )
    title = f"The same by increments: every S(i,{t}) starts at 0, S({t},{t}) at 1, and each visit increments"
    return Table(("visit j", "increment", "with numbers", "adds", "sum so far"), rows, title)


def _paths(solution: Record) -> Iterator[Table]:
    if solution.s is None or not solution.paths:
        if solution.s is not None and solution.s != solution.t:
            yield Table((), (), f"No path leads from {solution.s} to {solution.t}, so S is 0")
        return
    s, t = solution.s, solution.t
    rows: list[tuple[Any, ...]] = [
        (
            Formula(" -> ".join(p.path), r" \to ".join(map(latex_name, p.path))),
            _factors(p.factors),
            _cell(p.product),
        )
        for p in solution.paths
    ]
    complete = len(rows) == solution.path_count
    if complete and len(rows) > 1:
        rows.append((Formula("sum", r"\text{sum}"), None, _cell(sum(p.product for p in solution.paths))))
    what = f"the {len(rows)} strongest of {solution.path_count:,}" if not complete else f"{solution.path_count}"
    yield Table(("path", "product of the z", "value"), rows, f"Paths from {s} to {t}: {what}")


def _gradients(solution: Record) -> Iterator[Table]:
    if solution.gradients:
        rows = [(_edge(i, j), *map(_cell, f), f.product) for (i, j), f in solution.gradients.items()]
        t = solution.t
        title = f"Weight gradients d{t}/dw_ij = S(j,{t}) Phi'(s_j) y(i)"
        yield Table(("edge", f"S(j,{t})", "gate", "y(i)", f"d{t}/dw"), rows, title)


def _halves(solution: Record) -> Iterator[Table]:
    if solution.halves:
        rows = [(_name(h.activation), _name(h.linear), *h[2:]) for h in solution.halves]
        t = solution.t
        heads = ("j+", "j-", f"S(j+,{t})", "gate", f"S(j-,{t})")
        yield Table(heads, rows, f"Decoupled neurons: S(j-,{t}) = S(j+,{t}) Phi'(s(j))")


def _formulas(solution: Record) -> Iterator[Table]:
    if solution.formulas:
        t = solution.t
        rows = [(_sensitivity(i, t), _symbolic(formula)) for i, formula in solution.formulas.items()]
        if solution.formula is not None and solution.s is not None:
            total = _sensitivity(solution.s, t)
            rows.append(
                (Formula(f"{total.text}, in full", rf"{total.latex} \text{{, in full}}"), _symbolic(solution.formula))
            )
        yield Table(("sensitivity", "formula"), rows, "As formulas")


def _budget(solution: Record) -> Iterator[Table]:
    """The components S(i,t) u(i) of the inputs that lead to t, and u(t) as the root of the sum of squares."""
    if (budget := solution.budget) is None:
        return
    t = solution.t
    rows: list[tuple[Any, ...]] = [(_name(i), _cell(c)) for i, c in budget.components[t].items() if np.any(c)]
    correlated = [(i, part) for i, part in budget.shares[t].items() if isinstance(i, tuple) and part]
    title = f"Uncertainty: u({t}) = {show_number(budget.standard[t])}, the root of the sum of the squared components"
    if correlated:
        title += f", and of {show_number(sum(part for _, part in correlated))} for the correlated pairs"
    yield Table(("i", f"S(i,{t}) u(i)"), rows, title)


def _budget_data(budget: UncertaintyBudget, t: str) -> dict[str, Any]:
    return {"standard": budget.standard[t], "components": budget.components[t]}


def _symbolic(formula: Any) -> Formula:
    sympy = import_sympy()
    symbols = {symbol: latex_name(symbol.name) for symbol in formula.free_symbols}
    return Formula(write_symbolic(formula), sympy.latex(formula, symbol_names=symbols))


def _cell(value: Any) -> Any:
    """Return a number as it is, and an array or Jacobian as an array."""
    return np.asarray(value) if np.ndim(value) else value


def _total(solution: Record, i: str, S: Any) -> Any:
    """Return S(i,t) as a cell; of a number t, in the shape of y(i)."""
    L = solution.graph
    if np.ndim(S) and np.ndim(L.nodes[solution.t].get("value", 0.0)) == 0 and np.shape(S)[0] == 1:
        return _cell(in_shape_of(L, i, np.asarray(S)))
    return _cell(S)


def _factors(factors: Sequence[Any]) -> Formula:
    """Return the product along a path; of matrices the shapes, the one nearest to s on the right."""
    if not any(np.ndim(z) for z in factors):
        return _multiplied(factors)
    shapes = [f"({_shape(z)})" for z in reversed(factors)]
    return Formula(" ".join(shapes), r"\,".join(map(_times, shapes)))


def _shape(value: Any) -> str:
    return " x ".join(map(str, np.shape(value))) or "1"


def _times(shape: str) -> str:
    return shape.replace("x", r"\times")


def _name(i: str) -> Formula:
    return Formula(i, latex_name(i))


def _edge(i: str, j: str) -> Formula:
    return Formula(f"{i} -> {j}", rf"{latex_name(i)} \to {latex_name(j)}")


def _sensitivity(i: str, t: str) -> Formula:
    return Formula(f"S({i},{t})", f"S({latex_name(i)}, {latex_name(t)})")


def _term(i: str, j: str, t: str) -> Formula:
    S = _sensitivity(j, t)
    return Formula(f"{S.text} z({i},{j})", rf"{S.latex}\, z({latex_name(i)}, {latex_name(j)})")


def _numbers(S: Any, z: Any, *, first: bool = True) -> Formula:
    """Return the product of two numbers, as it is written where a sum begins or goes on; of matrices, the shapes."""
    if np.ndim(S) or np.ndim(z):
        shapes = [f"({_shape(factor)})" for factor in (S, z)]
        return Formula(" ".join(shapes), r"\,".join(map(_times, shapes)))
    return _multiplied([S, z], first=first)


def _multiplied(factors: Sequence[Any], *, first: bool = True) -> Formula:
    """Return a product of numbers, the negative ones in brackets unless they begin."""
    text = [_short(z) if first and k == 0 else _bracketed(z) for k, z in enumerate(factors)]
    return Formula(" * ".join(text), r" \cdot ".join(map(_latex, text)))


def _joined(terms: list[Formula], *, more: bool = False) -> Formula:
    """Return a sum, ending in a plus if it goes on in the next line."""
    end = " +" if more else ""
    return Formula(" + ".join(term.text for term in terms) + end, " + ".join(term.latex for term in terms) + end)


def _short(value: Any) -> str:
    return str(value) if isinstance(value, int | Fraction) else f"{value + 0.0:.6g}"


def _bracketed(value: Any) -> str:
    text = _short(value)
    return f"({text})" if text.startswith("-") or "/" in text else text


def _latex(text: str) -> str:
    bare = text.strip("()")
    number = latex_number(bare)
    return f"({number})" if bare != text else number
