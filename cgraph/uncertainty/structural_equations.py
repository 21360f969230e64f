"""Fitted structural equation models, written in lavaan's language, as graphs of path coefficients."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import networkx as nx
import numpy as np

from cgraph.algorithms.estimates import Estimate
from cgraph.algorithms.sweeps import sensitivities
from cgraph.model.errors import CGraphError, UncertaintyError, nearest, shorten
from cgraph.model.evaluation import linearize
from cgraph.model.graph import from_equations, topological_order

__all__ = ["from_sem"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
MOST_TEXT = 100_000  # characters of a model
_NAME = r"[A-Za-z_.][A-Za-z0-9_.]*"
_TERM = re.compile(
    rf"(?:(?P<label>{_NAME})\s*\*\s*|(?P<fixed>[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?)\s*\*\s*)?(?P<name>{_NAME})$"
)
_OPERATORS = ("=~", "~~", ":=", "~")


@dataclass
class _Model:
    """What the lines of a model say."""

    parameters: dict[tuple[str, str], str | float] = field(
        default_factory=dict
    )  # edge: its parameter, or a fixed number
    covariances: list[tuple[str, str]] = field(default_factory=list)
    definitions: dict[str, str] = field(default_factory=dict)


def from_sem(
    model: str,
    estimates: Mapping[Any, float] | Any,
    covariance: Mapping[str, Any] | Any | None = None,
) -> nx.DiGraph[Any]:
    """Build the graph of a fitted structural equation model.

    Parameters
    ----------
    model : str
        In lavaan's language [1]_: regressions ``y ~ a*x + b*m``, latent variables ``f =~ x1 + x2``, covariances ``x ~~ z``,
        definitions ``ab := a*b``; a label stands before ``*``, a number there fixes the coefficient.
    estimates : dict or DataFrame
        ``{parameter: number}``, a parameter being a label, or ``"y~x"`` without spaces as lavaan names it. Or the table that
        semopy's ``inspect()`` returns, with columns lval, op, rval and Estimate.
    covariance : dict or DataFrame, optional
        Of the estimates: ``{"parameters": [...], "matrix": [[...]]}``, or a DataFrame whose index names the parameters, as
        lavaan's ``vcov()``. Parameters that it does not name are exact.

    Returns
    -------
    networkx.DiGraph
        Edge (x, y) holds the coefficient of x in the equation of y as ``derivative``, and its ``parameter``. In ``.graph``:
        ``covariance`` for `effects` and `path_effects`; ``defined``, an `Estimate` for each definition; ``covariances``, the
        pairs joined by ``~~``.

    Raises
    ------
    UncertaintyError
        If a line cannot be read, or a parameter has no estimate; the message names line or parameter.
    CycleError
        If variables depend on each other.

    Notes
    -----
    Standard errors are those of the delta method. A latent variable is a node like any other.

    References
    ----------
    .. [1] Y. Rosseel, "lavaan: An R package for structural equation modeling", Journal of Statistical Software 48(2), 2012.

    Examples
    --------
    >>> from cgraph import effects
    >>> L = from_sem("m ~ a*x; y ~ b*m + c*x; ab := a*b", {"a": 0.5, "b": 2.0, "c": 0.25},
    ...              {"parameters": ["a", "b"], "matrix": [[0.01, 0.0], [0.0, 0.04]]})
    >>> effects(L, "x", "y")
    Effects(direct=0.25, indirect=1.0, total=1.25)
    >>> round(L.graph["defined"]["ab"].standard_error, 6)  # sqrt((2 * 0.1)^2 + (0.5 * 0.2)^2)
    0.223607
    """
    read = _read(model)
    values = _estimates(estimates)
    L: nx.DiGraph[Any] = nx.DiGraph()
    for (x, y), parameter in read.parameters.items():
        L.add_edge(x, y, derivative=_value_of(parameter, x, y, values), parameter=parameter)
    topological_order(L)
    names, matrix = _covariance(covariance)
    L.graph["covariance"] = _of_edges(read, names, matrix)
    L.graph["defined"] = _defined(read, values, names, matrix)
    L.graph["covariances"] = read.covariances
    return L


def _read(model: str) -> _Model:
    if not isinstance(model, str) or len(model) > MOST_TEXT:
        raise UncertaintyError(f"a model is text of at most {MOST_TEXT:,} characters, as in 'y ~ a*x'")
    read = _Model()
    text = re.sub(r"[#!].*", "", model)
    for number, line in enumerate(text.splitlines(), 1):
        for statement in filter(None, map(str.strip, line.split(";"))):
            _read_statement(statement, number, read)
    if not read.parameters:
        raise UncertaintyError("the model has no regression; write one, as in 'y ~ a*x'")
    return read


def _read_statement(statement: str, number: int, read: _Model) -> None:
    operator = next((op for op in _OPERATORS if op in statement), None)
    if operator is None:
        raise UncertaintyError(
            f"line {number}: {shorten(statement)!r} has none of the operators {', '.join(_OPERATORS)}"
        )
    left, right = (part.strip() for part in statement.split(operator, 1))
    if operator == ":=":
        if not re.fullmatch(_NAME, left) or left in read.definitions:
            raise UncertaintyError(f"line {number}: {left!r} is no new name for a definition")
        read.definitions[left] = right
        return
    for target in map(str.strip, left.split("+")):
        if not re.fullmatch(_NAME, target):
            raise UncertaintyError(f"line {number}: {target!r} is no name of a variable")
        for term in map(str.strip, right.split("+")):
            _read_term(term, target, operator, number, read)


def _read_term(term: str, target: str, operator: str, number: int, read: _Model) -> None:
    if operator == "~" and term in {"1", "0"}:
        return  # an intercept has no effect
    found = _TERM.match(term)
    if found is None:
        raise UncertaintyError(f"line {number}: {shorten(term)!r} is no term; write x, label*x or 0.5*x")
    name = found["name"]
    if operator == "~~":
        read.covariances.append((target, name))
        return
    edge = (target, name) if operator == "=~" else (name, target)
    if edge in read.parameters:
        raise UncertaintyError(f"line {number}: {name!r} stands twice with {target!r}")
    read.parameters[edge] = float(found["fixed"]) if found["fixed"] else found["label"] or f"{target}{operator}{name}"


def _estimates(given: Any) -> dict[str, float]:
    """Return {parameter: number}, of a table by the names that lavaan gives parameters."""
    if hasattr(given, "columns"):
        rows = given.to_dict("records")
        # semopy writes a loading as a regression of the indicator.
        names = {(str(row["lval"]), str(row["op"]), str(row["rval"])): row["Estimate"] for row in rows}
        found = {f"{left}{op}{right}": value for (left, op, right), value in names.items()}
        return found | {f"{right}=~{left}": value for (left, op, right), value in names.items() if op == "~"}
    if not isinstance(given, Mapping):
        raise UncertaintyError("estimates must be a mapping from parameters to numbers, as in {'a': 0.5, 'y~x': 1.2}")
    return {re.sub(r"\s", "", str(name)): value for name, value in given.items()}


def _value_of(parameter: str | float, x: str, y: str, values: Mapping[str, float]) -> float:
    if isinstance(parameter, float):
        return parameter
    for name in (parameter, f"{y}~{x}", f"{x}=~{y}"):  # a table knows the place, not the label
        if name in values:
            value = values[name]
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise UncertaintyError(f"the estimate of {name!r} is {value!r}; give a finite number")
            return float(value)
    hint = nearest(parameter, values)
    near = f"did you mean {hint!r}?" if hint else "give it, or fix it by a number"
    raise UncertaintyError(f"the coefficient of {x!r} in {y!r} has no estimate {parameter!r}; {near}")


def _covariance(given: Any) -> tuple[list[str], Floats]:
    if given is None:
        return [], np.zeros((0, 0))
    if hasattr(given, "index") and hasattr(given, "to_numpy"):
        given = {"parameters": list(given.index), "matrix": given.to_numpy()}
    if not isinstance(given, Mapping) or given.keys() != {"parameters", "matrix"}:
        raise UncertaintyError("a covariance of estimates is given as {'parameters': [...], 'matrix': [[...]]}")
    names = [re.sub(r"\s", "", str(name)) for name in given["parameters"]]
    try:
        matrix = np.asarray(given["matrix"], dtype=float)
    except (TypeError, ValueError):
        raise UncertaintyError("the covariance matrix holds something that is not a number") from None
    if matrix.shape != (len(names), len(names)):
        raise UncertaintyError(
            f"{len(names)} parameters have a covariance matrix of {len(names)} x {len(names)} numbers"
        )
    return names, matrix


def _of_edges(read: _Model, names: list[str], matrix: Floats) -> dict[str, Any]:
    """Return the covariance of the coefficients on edges: two edges with one label are one parameter."""
    place = {name: k for k, name in enumerate(names)}
    edges = [(edge, place[p]) for edge, p in read.parameters.items() if isinstance(p, str) and p in place]
    chosen = [k for _, k in edges]
    return {"edges": [edge for edge, _ in edges], "matrix": matrix[np.ix_(chosen, chosen)]}


def _defined(read: _Model, values: Mapping[str, float], names: list[str], matrix: Floats) -> dict[str, Estimate]:
    """Return the definitions, which may use labels and each other, with their standard errors."""
    if not read.definitions:
        return {}
    labels = {
        p: _value_of(p, x, y, values)
        for (x, y), p in read.parameters.items()
        if isinstance(p, str) and p.isidentifier()
    }
    try:
        L = linearize(
            from_equations("; ".join(f"{name} = {text}" for name, text in read.definitions.items()), **labels)
        )
    except CGraphError as error:
        raise UncertaintyError(f"a definition cannot be computed: {error}") from None
    found = {}
    for name in read.definitions:
        S = sensitivities(L, name)
        gradient = np.array([S.get(parameter, 0.0) for parameter in names])
        variance = float(gradient @ matrix @ gradient)
        found[name] = Estimate(float(L.nodes[name]["value"]), math.sqrt(max(0.0, variance)))
    return found
