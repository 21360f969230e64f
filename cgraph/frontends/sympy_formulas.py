"""Formulas of sympy as graphs of equations, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cgraph.algorithms.exact import import_sympy, symbolic_values, weight_symbol
from cgraph.model.errors import CGraphError, InvalidNodeError, shorten
from cgraph.model.graph import BIAS, ComputationalGraph, topological_order
from cgraph.model.language.expressions import write_name
from cgraph.model.language.parsing import parse

__all__ = ["from_sympy", "to_sympy"]

# What sympy calls a function, and the language.
FUNCTIONS = {
    "Abs": "abs", "Max": "max", "Min": "min", "sign": "sign", "floor": "floor", "exp": "exp", "log": "log",
    "sin": "sin", "cos": "cos", "tan": "tan", "asin": "asin", "acos": "acos", "atan": "atan", "atan2": "atan2",
    "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "asinh": "asinh", "acosh": "acosh", "atanh": "atanh",
    "erf": "erf", "erfc": "erfc",
}  # fmt: skip
RELATIONS = {"StrictGreaterThan": ">", "StrictLessThan": "<", "GreaterThan": ">=", "LessThan": "<="}


def from_sympy(expressions: Mapping[str, Any], /, *, cse: bool = False, **values: Any) -> ComputationalGraph:
    """Return a graph of equations from formulas of sympy.

    Parameters
    ----------
    expressions : dict
        ``{node: formula}``. A symbol names a node of the mapping, or else an input.
    cse : bool, default False
        Whether common subexpressions become nodes of their own, ``t0``, ``t1``, ..., found by ``sympy.cse``.
    **values
        Values of inputs; those without one get it when the graph is evaluated.

    Returns
    -------
    ComputationalGraph
        The inputs in the order of their names, then the formulas.

    Raises
    ------
    InvalidNodeError
        If a formula holds what the language of equations does not have, which is named; or a value is given for what
        is no input.
    CycleError
        If formulas depend on each other in a circle.
    ExtraMissingError
        If sympy is not installed.

    See Also
    --------
    to_sympy : the way back.

    Examples
    --------
    >>> import sympy
    >>> x, z, a = sympy.symbols("x z a")
    >>> G = from_sympy({"a": x * z, "y": sympy.exp(a) + a / sympy.log(x)}, x=2.0, z=3.0)
    >>> [(j, G.nodes[j]["equation"]) for j in ("a", "y")]
    [('a', 'x*z'), ('y', 'a/log(x) + exp(a)')]
    """
    sympy = import_sympy()
    formulas = {str(name): sympy.sympify(formula) for name, formula in expressions.items()}
    if cse:
        taken = {symbol.name for formula in formulas.values() for symbol in formula.free_symbols} | set(formulas)
        fresh = (symbol for symbol in sympy.numbered_symbols("t") if symbol.name not in taken)
        shared, reduced = sympy.cse(list(formulas.values()), symbols=fresh)
        formulas = {s.name: f for s, f in shared} | dict(zip(formulas, reduced, strict=True))
    names = {symbol.name for formula in formulas.values() for symbol in formula.free_symbols}
    inputs = sorted(names - set(formulas))
    if unknown := sorted(set(values) - set(inputs)):
        raise InvalidNodeError(f"no formula reads {unknown[0]!r}; the inputs are {', '.join(inputs)}")
    G = ComputationalGraph()
    for name in inputs:
        G.add_input(name, values.get(name))
    G.add_nodes_from(formulas)  # so that the formulas may stand in any order
    for name, formula in formulas.items():
        G.add_equation(name, _written(name, formula))
    topological_order(G)
    return G


class _Equations:
    """What sympy's printer of text writes otherwise for equations; sums, products and their brackets are its own."""

    _print: Any

    def _print_Symbol(self, symbol: Any) -> str:  # noqa: N802 - sympy finds the methods by these names
        return write_name(symbol.name)

    def _print_Function(self, call: Any) -> str:  # noqa: N802 - the name that sympy calls
        function = FUNCTIONS.get(type(call).__name__) or self.emptyPrinter(call)
        return f"{function}({', '.join(map(self._print, call.args))})"

    _print_Max = _print_Min = _print_Abs = _print_sign = _print_floor = _print_Function  # noqa: N815 - the name that sympy calls

    def _print_Exp1(self, _: Any) -> str:  # noqa: N802 - the name that sympy calls
        return "e"

    def _print_Float(self, number: Any) -> str:  # noqa: N802 - the name that sympy calls
        return repr(float(number))

    def _print_Relational(self, relation: Any) -> str:  # noqa: N802 - the name that sympy calls
        sign = RELATIONS.get(type(relation).__name__) or self.emptyPrinter(relation)
        return f"({self._print(relation.lhs)} {sign} {self._print(relation.rhs)})"

    def _print_Piecewise(self, piecewise: Any) -> str:  # noqa: N802 - the name that sympy calls
        *pieces, (last, condition) = piecewise.args
        if condition != True:  # noqa: E712 - sympy's own true
            raise InvalidNodeError(f"{shorten(str(piecewise))} has no value outside its pieces; end them with True")
        text = str(self._print(last))
        for value, condition in reversed(pieces):
            text = f"where({self._print(condition)}, {self._print(value)}, {text})"
        return text

    def emptyPrinter(self, formula: Any) -> str:  # noqa: N802 - the name that sympy calls
        raise InvalidNodeError(f"equations have no {type(formula).__name__}, as in {shorten(str(formula))}")


def _written(name: str, formula: Any) -> str:
    """Return a formula as an equation."""
    printer = type("Printer", (_Equations, import_sympy().StrPrinter), {})()
    try:
        text = str(printer.doprint(formula)).replace("**", "^")
        for other in set(parse(text).operands) - {symbol.name for symbol in formula.free_symbols}:
            raise InvalidNodeError(f"equations have no {other}, as in {shorten(text)}")
    except CGraphError as error:
        raise InvalidNodeError(f"the formula of {name!r} cannot be written: {error}") from None
    return text


def to_sympy(G: ComputationalGraph) -> dict[str, Any]:
    """Return the equations of a graph as formulas of sympy.

    Parameters
    ----------
    G : ComputationalGraph
        Of equations and neurons of numbers. Not modified.

    Returns
    -------
    dict
        ``{j: formula}`` for every computed node, in the symbols of its operands, which are real. The weights of neurons
        stand in it as numbers.

    Raises
    ------
    CGraphError
        If an operation has no formula in sympy, as those of arrays.
    ExtraMissingError
        If sympy is not installed.

    See Also
    --------
    from_sympy : the way back.

    Examples
    --------
    >>> from cgraph import from_equations
    >>> to_sympy(from_equations("a = x*z; y = exp(a)/2", x=2.0, z=3.0))
    {'a': x*z, 'y': exp(a)/2}
    """
    values = symbolic_values(G)
    weights = {weight_symbol(i, j): w for i, j, w in G.edges(data="weight") if w is not None}
    weights[import_sympy().Symbol(BIAS, real=True)] = 1
    return {j: formula.xreplace(weights) for j, formula in values.items()}
