"""User-defined functions: of one graph, or registered for all."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from cgraph.model.errors import EquationError, InvalidNodeError
from cgraph.model.language.expressions import Apply, Expression, Name, written
from cgraph.model.language.names import unusable
from cgraph.model.language.parsing import parse
from cgraph.model.operations.elementwise import FUNCTIONS, OPERATIONS, Operation, defined, name_of
from cgraph.model.rules.differentiation import unfolded
from cgraph.model.rules.generate import functions_of

__all__ = ["adopt_operations", "definition_of", "register_operation", "registered_operations"]

_HEAD = re.compile(r"\s*([^\W\d]\w*)\s*\(([^()]*)\)\s*")
_TRIED = (-2.3, -0.7, 0.4, 1.6, 3.1)  # where a given derivative is compared with the derived one
_CLOSE = 1e-9
MOST_OPERATIONS = 500  # in a function, written out


def definition_of(head: str, equation: str, functions: tuple[str, ...] = ()) -> str:
    """Return the definition of a function, ``name(x, ...) = equation``; it says all, whatever it was built from.

    Parameters
    ----------
    head : str
        ``"swish(x, b)"``.
    equation : str
        Its value.
    functions : tuple of str, optional
        The definitions that the equation may use; they are put in.

    Examples
    --------
    >>> square = definition_of("sq(x)", "x * x")
    >>> definition_of("quartic(u)", "sq(sq(u + 1))", (square,))
    'quartic(u) = (u + 1) * (u + 1) * ((u + 1) * (u + 1))'
    """
    name, operands = _head_of(head, {*FUNCTIONS, *map(name_of, functions)})
    if not isinstance(equation, str):
        raise InvalidNodeError(f"the equation of function {name!r} must be text, not {equation!r}")
    # Its own name is known while it is read, so that a call of itself can be told from a mistake in typing.
    itself = f"{name}({', '.join(operands)}) = {operands[0]}"
    expression = parse(equation, (*functions, itself))
    for step in expression.steps:
        match step:
            case Name(operand, start) if operand not in operands:
                hint = f"it is a function of {', '.join(operands)}"
                raise EquationError(f"{operand!r} is no operand of {name}", equation, start, hint)
            case Apply(operation) if operation == itself:
                column = re.search(rf"\b{re.escape(name)}\s*\(", equation)
                raise EquationError(f"{name} calls itself", equation, column.start() if column else 0)
            case Apply(operation) if operation not in OPERATIONS:
                hint = "a function is put together from operations on numbers"
                raise EquationError(f"{name_of(operation)} works on whole arrays", equation, 0, hint)
    whole = unfolded(expression)
    if (operations := _applied(whole)) > MOST_OPERATIONS:  # functions that call functions grow fast
        raise EquationError(f"{name} stands for {operations:,} operations; the limit is {MOST_OPERATIONS}", equation)
    body = equation.strip() if whole is expression else written(whole)[-1]
    return f"{name}({', '.join(operands)}) = {' '.join(body.split())}"


def _applied(expression: Expression) -> int:
    """Return how many operations an equation has when it is written out, whatever its steps share."""
    counts: list[int] = []
    for step in expression.steps:
        counts.append(1 + sum(counts[k] for k in step.operands) if isinstance(step, Apply) else 0)
    return counts[-1]


def _head_of(head: str, known: Collection[str]) -> tuple[str, list[str]]:
    parts = _HEAD.fullmatch(head) if isinstance(head, str) else None
    if parts is None:
        raise InvalidNodeError(f"{head!r} is no function with its operands; write name(x, b)")
    name, operands = parts[1], [operand.strip() for operand in parts[2].split(",")]
    if name in known:
        raise InvalidNodeError(f"the function {name!r} is defined already")
    for word in (name, *operands):
        if not word.isidentifier():
            raise InvalidNodeError(f"{word!r} in {head!r} is no name; write name(x, b)")
        if reason := unusable(word):
            raise InvalidNodeError(reason.replace("a node cannot be named", "in a function nothing can be named"))
    if "y" in (name, *operands):
        raise InvalidNodeError("in a function nothing can be named 'y': that is its output, and y(5) the node 5")
    if len(set(operands)) < len(operands):
        raise InvalidNodeError(f"{head!r} names an operand twice")
    return name, operands


def register_operation(
    name: str, equation: str, *, operands: Sequence[str] | None = None, derivatives: Sequence[str] | None = None
) -> None:
    """Add an operation to the table, for all graphs.

    Parameters
    ----------
    name : str
        What it is called in equations.
    equation : str
        Its value: elementary operations on its operands.
    operands : sequence of str, optional
        By default the names in the equation, in the order in which they appear.
    derivatives : sequence of str, optional
        dy/dx_k for each operand, an equation in the operands and the output ``y``; by default they are derived.

    Raises
    ------
    EquationError, InvalidNodeError
        As `ComputationalGraph.add_function`; also if a derivative that is given differs from the derived one.

    See Also
    --------
    ComputationalGraph.add_function : for the equations of one graph, and of the spec it is written to.

    Notes
    -----
    The operation is known as long as the process runs. A derivative that is given is compared with the derived one
    where the operands are -2.3, -0.7, 0.4, 1.6 and 3.1, as far as both exist.

    Examples
    --------
    >>> from cgraph import from_equations, linearize
    >>> register_operation("cube_of_sum", "(u + v)^3", derivatives=["3*(u + v)^2", "3*(u + v)^2"])
    >>> L = linearize(from_equations("z = cube_of_sum(x, 1)", x=1.0))
    >>> L.nodes["z"]["value"], L.edges["x", "z"]["derivative"]
    (8.0, 12.0)
    """
    if not isinstance(name, str) or not isinstance(equation, str):
        raise InvalidNodeError("an operation must have a name and an equation, both of them text")
    names = list(operands) if operands is not None else list(dict.fromkeys(parse(equation).operands))
    if not names:
        raise InvalidNodeError(f"the equation of {name!r} has no operand")
    row = defined(definition_of(f"{name}({', '.join(names)})", equation))
    if derivatives is not None:
        row = _with_derivatives(name, row, list(derivatives))
    adopt_operations({name: row})


def registered_operations() -> dict[str, Operation]:
    """Return the rows that `register_operation` has added, for processes that work for this one."""
    return {name: row for name, row in OPERATIONS.items() if row.is_own}


def adopt_operations(rows: Mapping[str, Operation]) -> None:
    """Add rows to the table, as `registered_operations` returns them."""
    if new := {name: row for name, row in rows.items() if name not in OPERATIONS}:
        OPERATIONS.update(new)
        FUNCTIONS.update(new)
        parse.cache_clear()


def _with_derivatives(name: str, row: Operation, derivatives: list[str]) -> Operation:
    """Return the row with derivatives that are given, after comparing them with those that follow from its value."""
    if len(derivatives) != len(row.names):
        raise InvalidNodeError(f"{name} has {len(row.names)} operands, and {len(derivatives)} derivatives are given")
    given = Operation(row.operands, row.value, tuple(derivatives), row.latex, is_own=True)
    for text in derivatives:
        for step in parse(text).steps:
            if isinstance(step, Name) and step.name not in {*row.names, "y"}:
                raise EquationError(f"{step.name!r} is no operand of {name}", text, step.start)
            if isinstance(step, Apply) and step.operation not in OPERATIONS:
                raise EquationError(f"{step.operation} works on whole arrays", text)
    for x in itertools.islice(itertools.product(_TRIED, repeat=len(row.names)), 625):
        with np.errstate(all="ignore"):
            y = _number(functions_of(row).value, *x)
            for k, operand in enumerate(row.names):
                found = _number(functions_of(given).derivatives[k], y, *x)
                expected = _number(functions_of(row).derivatives[k], y, *x)
                if math.isfinite(found + expected) and abs(found - expected) > _CLOSE * max(1.0, abs(expected)):
                    at = ", ".join(f"{i}={value:g}" for i, value in zip(row.names, x, strict=True))
                    raise EquationError(
                        f"the derivative of {name} with respect to {operand} is {expected:.6g} at {at}, and not "
                        f"{found:.6g}", derivatives[k],
                    )  # fmt: skip
    return given


def _number(function: Callable[..., Any], *x: float) -> float:
    try:
        return float(function(*x))
    except (ArithmeticError, ValueError):
        return math.nan
