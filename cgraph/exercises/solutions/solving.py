"""Worked solutions: the record of the forward pass, the sweep and the paths that lead to S(s,t)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np

from cgraph.algorithms.checks import Check, numerical_check
from cgraph.algorithms.exact import import_sympy, linearize_exactly, linearize_symbolically, symbolic_values
from cgraph.algorithms.gradients import gradient_factors
from cgraph.algorithms.paths import count_paths, paths, top_paths
from cgraph.algorithms.sweeps import increments, reverse_steps
from cgraph.exercises.solutions.records import Half, Increment, LocalDerivative, PathProduct, Record, Step
from cgraph.exercises.solutions.rendering import solution_latex, solution_markdown, solution_text
from cgraph.model.errors import CGraphError, LimitError, show_count
from cgraph.model.evaluation import is_computed, linearize
from cgraph.model.extended_range import in_floats
from cgraph.model.graph import ComputationalGraph, require_digraph, require_node, topological_order
from cgraph.model.linearized import edge_derivative, identity, nodes_between, size_of
from cgraph.model.neurons import linear_halves
from cgraph.reports.derivative_formulas import array_formulas, derivative_formulas, gate_formula, typeset
from cgraph.reports.tables import Formula, show_number
from cgraph.uncertainty.budget import UncertaintyBudget, uncertainty_budget

__all__ = ["Solution", "solve"]

MOST_OPERATIONS = 20_000  # of a formula
MOST_PATHS = 20  # that a solution lists; of more, the strongest


class Solution(Record):
    """A worked solution: the record of what was computed; printed, it is text, and in a notebook Markdown."""

    def __str__(self) -> str:
        return solution_text(self)

    def _repr_markdown_(self) -> str:
        return solution_markdown(self)

    def _repr_latex_(self) -> str:
        return solution_latex(self)


def solve(
    G: ComputationalGraph,
    s: str | None = None,
    t: str | None = None,
    inputs: Mapping[str, float] | None = None,
    *,
    exact: bool = False,
    symbolic: bool = False,
) -> Solution:
    """Return the worked solution of S(s,t), step by step.

    Parameters
    ----------
    G : ComputationalGraph
        Not modified.
    s : node, optional
        The node that is varied; without it, the sweep goes to every node.
    t : node, optional
        The node that is differentiated; by default the only output.
    inputs : dict, optional
        As in `evaluate`.
    exact : bool, default False
        Compute with fractions.
    symbolic : bool, default False
        Add S as formulas, by the same sweep over derivatives of sympy (extra ``symbolic``).

    Returns
    -------
    Solution
        The record; ``print`` it, or let a notebook show it.

    Raises
    ------
    NodeNotFound
        If `s` or `t` is not in `G`.
    EvaluationError
        If `exact` is asked for and an operation leaves the fractions.
    CGraphError
        As `linearize` and `sensitivities`; if there are several outputs and no `t`; if sympy is missing.

    Notes
    -----
    O(V + E) and the length of the paths shown. 10-301/601, lecture 13 (tables, versions A and B); MATH 565,
    lectures 26 and 27 (path sum, three factors, decoupled form).

    Examples
    --------
    >>> from cgraph import from_equations
    >>> solution = solve(from_equations("a = x*z; y = a*x", x=2.0, z=3.0), "x", "y")
    >>> for i, terms, total in solution.steps:
    ...     print(i, terms, total)
    y {} 1
    a {'y': 2.0} 2.0
    x {'a': 6.0, 'y': 6.0} 12.0
    """
    require_digraph(G)
    t = _target(G, t)
    require_node(G, *([] if s is None else [s]), t)
    L = linearize_exactly(G, inputs) if exact else linearize(G, inputs)
    order = _leading_to(L, t)
    swept = order if s is None else nodes_between(L, s, t)
    z = edge_derivative(L, "derivative")
    seeds = {t: identity(size_of(L, t, "derivative"))}
    steps = tuple(
        Step(i, {j: in_floats(term) for j, term in terms.items()}, in_floats(total))
        for i, terms, total in reverse_steps(L, swept, seeds, z)
    )
    S = {step.node: step.total for step in steps}
    count, listed = (0, ()) if s is None or s == t else _paths(L, s, t)
    neurons = {j for j in order if "activation" in L.nodes[j]}
    return Solution(
        graph=L,
        s=s,
        t=t,
        order=tuple(order),
        local=tuple(_local(L, swept)),
        steps=steps,
        increments=tuple(
            Increment(j, i, in_floats(term), in_floats(total)) for j, i, term, total in increments(L, swept, seeds, z)
        ),
        path_count=count,
        paths=listed,
        gradients={edge: f for edge, f in gradient_factors(L, t).items() if edge[1] in neurons} if neurons else {},
        halves=tuple(
            Half(minus, plus, S[plus], L.edges[minus, plus]["derivative"], S[minus])
            for minus, plus in linear_halves(L).items()
            if minus in S and plus in S
        ),
        check=_check(L, s, t, S, swept),
        budget=None if exact else _budget(L, t),
        **_symbolic(G, s, t, swept) if symbolic else {"formulas": {}},
    )


def _target(G: ComputationalGraph, t: str | None) -> str:
    if t is not None:
        return t
    if len(G.outputs) != 1:
        raise CGraphError(f"the graph has {len(G.outputs)} outputs ({', '.join(G.outputs)}); say which one is t")
    return G.outputs[0]


def _leading_to(G: ComputationalGraph, t: str) -> list[str]:
    leading = nx.ancestors(G, t) | {t}
    return [i for i in topological_order(G) if i in leading]


def _local(L: ComputationalGraph, swept: list[str]) -> list[LocalDerivative]:
    """Return z(i,j) with its formula for the edges among the nodes of the sweep, in the order of the heads."""
    found = []
    inside = set(swept)
    y = {i: data["value"] for i, data in L.nodes(data=True) if data.get("value") is not None}
    for j in swept:
        formulas = _formulas_into(L, j, y)
        found += [
            LocalDerivative(i, j, formulas.get(i), L.edges[i, j]["derivative"])
            for i in L.predecessors(j)
            if i in inside
        ]
    return found


def _formulas_into(L: ComputationalGraph, j: str, y: Mapping[str, Any]) -> Mapping[str, Formula | None]:
    """Return {i: the formula of z(i,j)}."""
    data = L.nodes[j]
    if any(np.ndim(y.get(i, 0.0)) for i in [j, *L.pred[j]]):
        return array_formulas(data["expression"], y, j) if "expression" in data else {}
    if "expression" in data:
        found = derivative_formulas(data["expression"], {i: float(y[i]) for i in L.pred[j]}, j)
        return {i: None if text is None else typeset(text) for i, text in found.items()}
    if "activation" in data:
        gate = gate_formula(data["activation"], float(data["preactivation"]), float(y[j]), j)
        weights = {i: show_number(L.edges[i, j]["weight"]) for i in L.pred[j]}
        return {i: None if gate is None else typeset(gate.times(w)) for i, w in weights.items()}
    return {}


def _paths(L: ComputationalGraph, s: str, t: str) -> tuple[int, tuple[PathProduct, ...]]:
    count = count_paths(L, s, t)
    listed = list(paths(L, s, t)) if count <= MOST_PATHS else top_paths(L, s, t, MOST_PATHS)
    factors = [tuple(L.edges[edge]["derivative"] for edge in pairwise(path)) for path, _ in listed]
    return count, tuple(PathProduct(path, z, product) for (path, product), z in zip(listed, factors, strict=True))


def _check(L: ComputationalGraph, s: str | None, t: str, S: Mapping[str, Any], swept: list[str]) -> Check | None:
    equations = all(is_computed(L, j) for j in swept[1:])
    if s is None or not swept or not equations or L.nodes[s].get("value") is None:
        return None  # where derivatives are given, there are no equations to compare them with
    return numerical_check(L, s, t, S[s])


def _budget(L: ComputationalGraph, t: str) -> UncertaintyBudget | None:
    stated = L.graph.get("uncertainty", {}).get("uncertainty")
    return uncertainty_budget(L, [t]) if stated and not np.ndim(L.nodes[t].get("value", 0.0)) else None


def _symbolic(G: ComputationalGraph, s: str | None, t: str, swept: list[str]) -> dict[str, Any]:
    """Return S(i,t) in the nodes, and S(s,t) in the inputs and weights."""
    sympy = import_sympy()
    _refuse_long_formulas(G, s, t)
    L = linearize_symbolically(G)
    formulas = {i: sympy.sympify(S) for i, _, S in reverse_steps(L, swept, {t: 1}, edge_derivative(L, "derivative"))}
    if s is None:
        return {"formulas": formulas}
    values = symbolic_values(G)
    formula = formulas.get(s, sympy.Integer(0))
    for j in reversed(topological_order(G)):
        if j in values and j != s:
            formula = formula.xreplace({sympy.Symbol(j, real=True): values[j]})
    return {"formulas": formulas, "formula": formula}


def _refuse_long_formulas(G: ComputationalGraph, s: str | None, t: str) -> None:
    """Raise `LimitError` if a formula would be too long, written out: sizes multiply along a chain of equations."""
    size = dict.fromkeys(G, 1)  # operations of y(j) in the inputs and weights
    for j in topological_order(G):
        operands = G.nodes[j].get("operands", ())
        steps = len(G.nodes[j]["expression"].steps) if "expression" in G.nodes[j] else 1 + len(operands)
        size[j] = steps + (sum(size[i] for i in operands) if s is not None else 0)
    terms = {t: 1}  # of S(i,t), written out in the nodes
    for i in reversed(_leading_to(G, t)):
        for k in G.predecessors(i):
            terms[k] = terms.get(k, 0) + terms[i] + size[i]
    longest = max([*terms.values(), size[t]])
    if longest > MOST_OPERATIONS:
        raise LimitError(
            f"the formula of the derivative of {t!r} has {show_count(longest)} operations, written out; the limit is "
            f"{MOST_OPERATIONS:,}"
        )
