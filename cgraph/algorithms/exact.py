"""Derivatives as fractions, and as formulas: the same sweeps over other numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from cgraph.model.errors import CGraphError, EvaluationError
from cgraph.model.evaluation import linearized_from, source_values
from cgraph.model.graph import ComputationalGraph
from cgraph.model.language.expressions import Apply, Expression, Name, Number, write_name
from cgraph.model.operations.elementwise import OPERATIONS, POWER, name_of
from cgraph.model.rules.generate import functions_of, is_exact

__all__ = ["import_sympy", "linearize_exactly", "linearize_symbolically", "symbolic_values", "write_symbolic"]

_ARRAYS = "are of numbers, and the graph has arrays; `scalarize` writes an equation for each entry"


def linearize_exactly(G: ComputationalGraph, inputs: Mapping[str, float] | None = None) -> ComputationalGraph:
    """Return the linearized graph with Fractions on nodes and edges.

    Parameters
    ----------
    G, inputs
        As in `linearize`. A number counts as the decimal that is written: 0.1 is 1/10.

    Returns
    -------
    ComputationalGraph
        The sweeps over it are exact.

    Raises
    ------
    EvaluationError
        If an operation leaves the fractions; its name and its node are told.

    Examples
    --------
    >>> from cgraph import from_equations, sensitivity
    >>> L = linearize_exactly(from_equations("y = x^2/(x + 1)", x=0.5))
    >>> sensitivity(L, "x", "y")  # (x^2 + 2x)/(x + 1)^2 = 1.25/2.25
    Fraction(5, 9)
    """
    H = G.copy()
    for j, data in H.nodes(data=True):
        if "expression" in data:
            steps = data["expression"].steps
            if _raises_to_a_node(steps):
                raise _leaves(j, "a power by a node")
            data["expression"] = Expression(tuple(_exact_step(step, j) for step in steps))
        elif "activation" in data and not is_exact(data["activation"]):
            raise _leaves(j, data["activation"])
    for _, _, data in H.edges(data=True):
        data.update({key: _fraction(data[key]) for key in ("weight", "derivative") if key in data})
    y = {i: _fraction(value) for i, value in source_values(G, inputs).items()}
    return linearized_from(H, y, settle=_exact, number=_fraction)


def _exact_step(step: Name | Number | Apply, j: str) -> Name | Number | Apply:
    match step:
        case Number(_, "pi" | "e" as text):
            raise _leaves(j, text)
        case Number(value, text):
            return Number(_fraction(value), text)  # type: ignore[arg-type]  # a number, if not a float
        case Apply(operation, _) if operation not in OPERATIONS or not is_exact(operation):
            raise _leaves(j, operation)
    return step


def _raises_to_a_node(steps: Sequence[Name | Number | Apply]) -> bool:
    """Whether the exponent of a power reads a node: its derivative by that is a logarithm."""
    reads: list[bool] = []
    for step in steps:
        if isinstance(step, Apply) and OPERATIONS.get(step.operation) is POWER and reads[step.operands[1]]:
            return True
        reads.append(isinstance(step, Name) or (isinstance(step, Apply) and any(reads[k] for k in step.operands)))
    return False


def _leaves(j: str, operation: str) -> EvaluationError:
    named = ", ".join(name for name, row in OPERATIONS.items() if not row.infix and is_exact(name))
    return EvaluationError(
        f"node {j!r}: {name_of(operation)} leaves the fractions; exact values are for + - * /, comparisons, powers by whole "
        f"numbers, {named}"
    )


def _exact(j: str, value: Any) -> Fraction:
    if isinstance(value, float) and not value.is_integer():
        raise _leaves(j, "a power by a fraction")
    return Fraction(value)


def _fraction(value: Any) -> Fraction:
    if np.ndim(value):
        raise EvaluationError(f"fractions {_ARRAYS}")
    return value if isinstance(value, Fraction) else Fraction(repr(float(value)))


def linearize_symbolically(G: ComputationalGraph) -> ComputationalGraph:
    """Return the graph with z(i,j) on its edges as formulas of sympy, in symbols named as the nodes.

    Raises
    ------
    CGraphError
        If sympy is not installed, there are arrays, or an edge holds a derivative without an equation.

    Notes
    -----
    The weight of an edge is the symbol ``w_i_j``, a bias ``b_j``.

    Examples
    --------
    >>> from cgraph import from_equations, sensitivity
    >>> L = linearize_symbolically(from_equations("a = x*z; y = exp(a)", x=2.0, z=3.0))
    >>> sensitivity(L, "x", "y")
    z*exp(a)
    """
    sympy = import_sympy()
    if any(np.ndim(data.get("value", 0.0)) for _, data in G.nodes(data=True)):
        raise EvaluationError(f"formulas {_ARRAYS}")
    values = symbolic_values(G)
    L = G.copy()
    for i, j, data in L.edges(data=True):
        if j not in values:
            raise CGraphError(f"edge {i!r} -> {j!r} holds a number; formulas need the equation of {j!r}")
        z = sympy.diff(values[j], sympy.Symbol(i, real=True))
        data["derivative"] = z.replace(sympy.Derivative, lambda *_: sympy.Integer(0))  # steps, whose slope sympy leaves
    return L


def symbolic_values(G: ComputationalGraph) -> dict[str, Any]:
    """Return {j: the formula of y(j) in the symbols of its operands} for every computed node."""
    sympy = import_sympy()
    values = {}
    for j, data in G.nodes(data=True):
        if "expression" in data:
            values[j] = _formula(data["expression"], j)
        elif "activation" in data:
            weighted = (weight_symbol(i, j) * sympy.Symbol(i, real=True) for i in data["operands"])
            values[j] = _call(data["activation"], [sum(weighted)], j)
    return values


def weight_symbol(i: str, j: str) -> Any:
    """Return the symbol of the weight of an edge into a neuron, ``w_i_j``, or of a bias, ``b_j``."""
    return import_sympy().Symbol(f"b_{j}" if i == "+1" else f"w_{i}_{j}", real=True)


def _formula(expression: Expression, j: str) -> Any:
    sympy = import_sympy()
    v: list[Any] = []
    for step in expression.steps:
        match step:
            case Name(name):
                v.append(sympy.Symbol(name, real=True))
            case Number(_, "pi"):
                v.append(sympy.pi)
            case Number(_, "e"):
                v.append(sympy.E)
            case Number(value, _):
                fraction = _fraction(value)
                v.append(sympy.Rational(fraction.numerator, fraction.denominator))
            case Apply(operation, operands):
                v.append(_call(operation, [v[k] for k in operands], j))
    return v[-1]


def _call(operation: str, x: list[Any], j: str) -> Any:
    row = OPERATIONS.get(operation)
    if row is None:
        raise CGraphError(f"node {j!r}: {operation} has no formula in sympy")
    return functions_of(row).in_sympy(import_sympy())(*x)


def import_sympy() -> Any:
    """Return the module sympy, or say what to install."""
    try:
        import sympy  # noqa: PLC0415 - an extra
    except ImportError:
        raise CGraphError("formulas need sympy; install it with: pip install 'cgraph-sensitivity[symbolic]'") from None
    return sympy


def write_symbolic(formula: Any) -> str:
    """Return a formula of sympy as text, a power as ``^`` and a node as it is written in an equation."""
    sympy = import_sympy()
    named = {symbol: sympy.Symbol(write_name(symbol.name)) for symbol in formula.free_symbols}
    return str(formula.xreplace(named)).replace("**", "^")
