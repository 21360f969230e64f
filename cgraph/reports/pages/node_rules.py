"""How a page computes a node, and how the derivatives into it are written: equations as steps that the script reads.

A step is {"node": k}, {"number": x, "text": ...}, or {"apply": name, "operands": [earlier steps]}; in the formula of a
derivative also {"sum": k}, the weighted sum of a neuron, and {"weight": e}, the weight of an edge.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import networkx as nx

from cgraph.model.evaluation import is_computed
from cgraph.model.language.expressions import Apply, Expression, Name, Number
from cgraph.model.language.parsing import parse
from cgraph.model.operations.elementwise import OPERATIONS, Operation
from cgraph.model.rules.differentiation import is_own
from cgraph.reports.derivative_formulas import derivative_formulas, gate_formula
from cgraph.reports.drawing.words import one_number, typeset_equation

__all__ = ["derivative_steps", "is_elementary", "node_rule", "own_rows"]

LONGEST_FORMULA = 500  # characters; of a longer one, the page says what is differentiated

Steps = list[dict[str, Any]]
Edge = tuple[Any, Any]


def is_elementary(G: nx.DiGraph[Any], j: Any) -> bool:
    """Whether the page can compute node `j`: a neuron, or an equation of elementary operations on numbers."""
    expression = G.nodes[j].get("expression")
    applied = [step.operation for step in expression.steps if isinstance(step, Apply)] if expression else []
    return is_computed(G, j) and all(operation in OPERATIONS for operation in applied)


def node_rule(
    G: nx.DiGraph[Any], j: Any, names: Mapping[Any, str], number: Mapping[Any, int], edge: Mapping[Edge, int]
) -> dict[str, Any]:
    """Return how the value of node `j` comes about."""
    data = G.nodes[j]
    rule: dict[str, Any] = {}
    if "equation" in data:
        rule["equation"] = typeset_equation(data["equation"], names, getattr(G, "functions", ()))
    if not is_elementary(G, j):
        return rule
    if "expression" in data:
        return rule | {"steps": _steps(data["expression"], {i: {"node": k} for i, k in number.items()})}
    edges = [edge[i, j] for i in data["operands"]]
    return {"equation": data["activation"], "neuron": {"activation": data["activation"], "edges": edges}}


def derivative_steps(
    G: nx.DiGraph[Any], j: Any, number: Mapping[Any, int], edge: Mapping[Edge, int]
) -> dict[Any, Steps]:
    """Return {i: the formula of z(i,j)} as steps, for what the page can compute; it holds at every point."""
    data = G.nodes[j]
    if not is_elementary(G, j) or data.get("value") is None:
        return {}
    value = {i: float(one_number(G.nodes[i]["value"])) for i in [j, *G.pred[j]]}
    names = {i: {"node": k} for i, k in number.items()}
    if "expression" in data:
        formulas = derivative_formulas(data["expression"], value, j, everywhere=True)
        return {i: _steps(parse(text), names) for i, text in formulas.items() if len(text) <= LONGEST_FORMULA}
    s = float(one_number(data["preactivation"]))
    gate = gate_formula(data["activation"], s, value[j], j, everywhere=True)
    steps = _steps(parse(str(gate)), {j: names[j], f"s_{j}": {"sum": number[j]}})
    last = len(steps) - 1
    return {
        i: [*steps, {"weight": edge[i, j]}, {"apply": "mul", "operands": [last, last + 1]}] for i in data["operands"]
    }


def own_rows(G: nx.DiGraph[Any]) -> dict[str, Operation]:
    """Return the rows of the functions of its own that the equations of `G` apply."""
    steps = [step for _, data in G.nodes(data=True) if "expression" in data for step in data["expression"].steps]
    applied = [step.operation for step in steps if isinstance(step, Apply) and is_own(step.operation)]
    return {operation: OPERATIONS[operation] for operation in applied}


def _steps(expression: Expression, names: Mapping[Any, dict[str, Any]]) -> Steps:
    steps: Steps = []
    for step in expression.steps:
        match step:
            case Name(name):
                steps.append(names[name])
            case Number(value, text):
                steps.append({"number": value, "text": text})
            case Apply(operation, operands):
                steps.append({"apply": operation, "operands": list(operands)})
    return steps
