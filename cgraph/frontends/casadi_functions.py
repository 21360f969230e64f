"""From a function of CasADi to a graph of equations, an instruction at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from cgraph.model.errors import CGraphError
from cgraph.model.graph import ComputationalGraph
from cgraph.model.language.expressions import write_name
from cgraph.model.language.names import unusable
from cgraph.model.optional import optional_library

__all__ = ["from_casadi"]

# An equation for each operation, in the places of its operands.
EQUATIONS = {
    "ASSIGN": "{0}", "ADD": "{0} + {1}", "SUB": "{0} - {1}", "MUL": "{0} * {1}", "DIV": "{0} / {1}", "NEG": "-{0}",
    "EXP": "exp({0})", "LOG": "log({0})", "POW": "{0} ^ {1}", "CONSTPOW": "{0} ^ {1}", "SQRT": "sqrt({0})",
    "SQ": "{0} ^ 2", "TWICE": "2 * {0}", "SIN": "sin({0})", "COS": "cos({0})", "TAN": "tan({0})", "ASIN": "asin({0})",
    "ACOS": "acos({0})", "ATAN": "atan({0})", "LT": "{0} < {1}", "LE": "{0} <= {1}", "FLOOR": "floor({0})",
    "FABS": "abs({0})", "SIGN": "sign({0})", "ERF": "erf({0})", "FMIN": "min({0}, {1})", "FMAX": "max({0}, {1})",
    "INV": "1 / {0}", "SINH": "sinh({0})", "COSH": "cosh({0})", "TANH": "tanh({0})", "ASINH": "asinh({0})",
    "ACOSH": "acosh({0})", "ATANH": "atanh({0})", "ATAN2": "atan2({0}, {1})", "LOG1P": "log1p({0})",
    "EXPM1": "expm1({0})", "HYPOT": "hypot({0}, {1})", "IF_ELSE_ZERO": "where({0}, {1}, 0)",
    "EQ": "({0} <= {1}) * ({0} >= {1})", "NE": "1 - ({0} <= {1}) * ({0} >= {1})", "NOT": "where({0}, 0, 1)",
    "AND": "where({0}, where({1}, 1, 0), 0)", "OR": "where({0}, 1, where({1}, 1, 0))",
}  # fmt: skip


def from_casadi(function: Any, *args: Any) -> ComputationalGraph:
    """Return the graph of equations of a CasADi function of SX.

    Parameters
    ----------
    function : casadi.Function
        Made of SX expressions.
    *args
        The values of its arguments, numbers or arrays, if they are known.

    Returns
    -------
    ComputationalGraph
        An input for each entry that is not structurally zero, ``x`` or ``x[0]``, counted by columns as CasADi does; a
        node for each operation, named after it; and the outputs by their names.

    Raises
    ------
    CGraphError
        If the function is not one of SX, has an operation that equations do not have, which is named, or arguments are
        not as many as it takes.
    ExtraMissingError
        If CasADi is not installed.

    Examples
    --------
    >>> import casadi
    >>> x = casadi.SX.sym("x", 2)
    >>> f = casadi.Function("f", [x], [x[0] * casadi.sin(x[1])], ["x"], ["y"])
    >>> list(from_casadi(f, [2.0, 0.5]))
    ['x[0]', 'x[1]', 'sin_1', 'mul_1', 'y']
    """
    casadi = optional_library("casadi", "casadi")
    if not isinstance(function, casadi.Function) or not function.is_a("SXFunction"):
        raise CGraphError("a casadi.Function of SX is needed; function.expand() makes one of MX where it can")
    if args and len(args) != function.n_in():
        raise CGraphError(f"{len(args)} values were given for {function.n_in()} arguments; give one for each, or none")
    return _Reader(casadi, function, args).graph()


class _Reader:
    """Goes through the instructions of a function, which work on numbered places."""

    def __init__(self, casadi: Any, function: Any, args: tuple[Any, ...]) -> None:
        self.function = function
        self.values = [np.ravel(np.asarray(_dense(value), float), order="F") for value in args]
        self.names_of = {getattr(casadi, f"OP_{name}"): name for name in EQUATIONS}
        self.kinds = {getattr(casadi, f"OP_{name}"): name for name in ("INPUT", "OUTPUT", "CONST")}
        self.all_names = {getattr(casadi, name): name for name in dir(casadi) if name.startswith("OP_")}
        self.G = ComputationalGraph()

    def graph(self) -> ComputationalGraph:
        """Return the graph."""
        f = self.function
        place: dict[int, str] = {}  # what stands at each place, as it is written in an equation
        outputs: dict[str, str] = {}
        for i in range(f.n_in()):
            for k in range(f.nnz_in(i)):
                name = self._entry(f.name_in(i), k, f.nnz_in(i))
                self.G.add_input(name, self._value(i, k))
        for k in range(f.n_instructions()):
            operands, results = f.instruction_input(k), f.instruction_output(k)
            match self.kinds.get(f.instruction_id(k)):
                case "INPUT":
                    i, entry = operands
                    place[results[0]] = write_name(self._entry(f.name_in(i), entry, f.nnz_in(i)))
                case "CONST":
                    place[results[0]] = f"({f.instruction_constant(k)!r})"
                case "OUTPUT":
                    i, entry = results
                    outputs[self._entry(f.name_out(i), entry, f.nnz_out(i))] = place[operands[0]]
                case _:
                    place[results[0]] = self._operation(f.instruction_id(k), [place[p] for p in operands])
        for name, text in outputs.items():
            self._name_output(name, text)
        self.G.graph["outputs"] = list(outputs)
        return self.G

    def _operation(self, code: int, operands: list[str]) -> str:
        if code not in self.names_of:
            raise CGraphError(
                f"CasADi's {self.all_names.get(code, code)} has no equation; it is not one of {', '.join(EQUATIONS)}"
            )
        operation = self.names_of[code]
        name = self._fresh(operation.lower())
        self.G.add_equation(name, EQUATIONS[operation].format(*operands))
        return write_name(name)

    def _name_output(self, name: str, text: str) -> None:
        if name in self.G:
            raise CGraphError(f"an input and an output are both called {name!r}; give the output another name")
        self.G.add_equation(name, text)

    def _value(self, i: int, k: int) -> float | None:
        if not self.values:
            return None
        function, given = self.function, self.values[i]
        if given.size != function.numel_in(i):
            raise CGraphError(
                f"{function.name_in(i)!r} has {function.numel_in(i)} entries, and {given.size} were given"
            )
        rows, columns = function.sparsity_in(i).get_triplet()
        return float(given[columns[k] * function.size1_in(i) + rows[k]])

    def _entry(self, name: str, k: int, count: int) -> str:
        name = f"{name}_" if unusable(name) else name
        return name if count == 1 else f"{name}[{k}]"

    def _fresh(self, name: str) -> str:
        number = 1
        while f"{name}_{number}" in self.G:
            number += 1
        return f"{name}_{number}"


def _dense(value: Any) -> Any:
    return value.full() if hasattr(value, "full") else value
