"""Where a gradient vanishes: gates, sensitivities by depth, and magnitudes too small or too large for a float."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import networkx as nx
import numpy as np

from cgraph.algorithms.sweeps import reverse_sweep
from cgraph.model.errors import DerivativeError, MissingDerivativeError
from cgraph.model.evaluation import gate_of, steps_of
from cgraph.model.extended_range import ExtendedNumber, extended
from cgraph.model.graph import Node, require_node, topological_order
from cgraph.model.language.expressions import Apply, Expression
from cgraph.model.linearized import edge_derivative, node_sizes, size_of
from cgraph.model.neurons import activated, linear_halves
from cgraph.model.operations.elementwise import ACTIVATIONS
from cgraph.model.operations.structured_jacobians import Jacobian

__all__ = ["FlowLevel", "LogSensitivity", "gates", "gradient_flow", "log_sensitivities"]

SHUT = 0.01


class LogSensitivity(NamedTuple):
    """S as its sign (-1.0, 0.0 or 1.0) and log |S| (minus infinity for 0), of arrays entry by entry."""

    sign: Any
    log: Any


class FlowLevel(NamedTuple):
    """The nodes at one distance from t."""

    depth: int
    nodes: int
    mean: float  # of |S(i,t)|, as are the extremes
    smallest: float
    largest: float
    log_mean: float  # the logarithm of the mean, which no underflow reaches
    shut: float  # the share of the neurons here whose gate is shut; NaN where there are none


def gates(G: nx.DiGraph[Any], *, derivative: str = "derivative") -> dict[Any, Any]:
    """Return Phi'(s(j)) for every neuron, and for every node whose equation is an activation Phi of something.

    Parameters
    ----------
    G : ComputationalGraph
        Linearized. Not modified.
    derivative : str, default "derivative"
        The edge attribute that holds z.

    Returns
    -------
    dict
        ``{j: gate}``, of a layer an array with a gate for each entry. In a decoupled graph the gate stands at "j+", and
        "j-", which has none, is left out; so is a softmax, whose entries depend on each other.

    Raises
    ------
    CGraphError
        If a neuron or what an activation needs has no value, because `G` is not linearized.

    Notes
    -----
    Costs as much as evaluating the equations of these nodes (MATH 565, lecture 27).

    Examples
    --------
    >>> from cgraph import ComputationalGraph, linearize
    >>> G = ComputationalGraph()
    >>> G.add_input("x", 0.0)
    >>> G.add_neuron("h", activation="sigmoid", weights={"x": 1.0})
    >>> G.add_equation("y", "tanh(h)")
    >>> gates(linearize(G))["h"]  # 1/2 * (1 - 1/2)
    0.25
    >>> from cgraph import from_equations
    >>> gates(linearize(from_equations("h = relu(W @ x)", W=[[1.0, 2.0], [-3.0, 1.0]], x=[1.0, 1.0])))["h"]
    array([1., 0.])
    """
    z = edge_derivative(G, derivative)
    y = {i: value for i, value in G.nodes(data="value") if value is not None}
    linear = linear_halves(G)
    found = {}
    for j, data in G.nodes(data=True):
        if (half := activated(G, j)) and half.activation in ACTIVATIONS:
            found[j] = _in_shape(z(half.operand, j), data.get("value"))
        elif "activation" in data and j not in linear:
            if "gate" not in data:
                raise MissingDerivativeError(f"neuron {j!r} has no 'gate'; run linearize(G)")
            found[j] = _in_shape(data["gate"], data.get("value"))
        elif "expression" in data and (gate := _gate_written(data["expression"], y, j)) is not None:
            found[j] = _in_shape(gate, data.get("value"))
    return found


def _gate_written(expression: Expression, y: Mapping[str, Any], j: str) -> Any:
    """Return Phi'(s) of node `j`, whose equation is Phi(s), or None if it is another."""
    match expression.steps[-1]:
        case Apply(activation, (k,)) if activation in ACTIVATIONS:
            if missing := [i for i in expression.operands if i not in y]:
                raise MissingDerivativeError(f"node {missing[0]!r} has no 'value'; run linearize(G)")
            with np.errstate(all="ignore"):  # what is not finite, `linearize` has found
                v = steps_of(expression, y, j)
            return gate_of(activation, v[k], v[-1], j)
    return None


def _in_shape(gate: Any, value: Any) -> Any:
    """Return Phi' as a number, or as an array that has one for each entry of `value`."""
    if isinstance(gate, Jacobian):
        gate = np.ones(gate.shape[0]) @ gate  # of a diagonal matrix, the diagonal
    return (
        np.broadcast_to(np.ravel(gate) * 1.0, np.size(value)).reshape(np.shape(value))
        if np.ndim(value)
        else float(gate)
    )


def log_sensitivities(G: nx.DiGraph[Any], t: Node, *, derivative: str = "derivative") -> dict[Any, LogSensitivity]:
    """Return the sign and the logarithm of |S(i,t)| for every node i.

    Parameters
    ----------
    G, t, derivative
        As in `sensitivities`; the derivatives are real.

    Returns
    -------
    dict
        ``{i: (sign, log)}`` in the order of `G`; (0.0, -inf) where no path leads to `t`. Numbers, or where y(i) or y(t) is an
        array, arrays of shape (size of y(t), size of y(i)).

    Raises
    ------
    CGraphError
        As `sensitivities`, except that nothing overflows.

    Notes
    -----
    The reverse sweep, O(V + E), on numbers that carry an exponent of their own: products over very deep graphs
    neither underflow nor overflow.

    Examples
    --------
    >>> G = nx.DiGraph()
    >>> G.add_weighted_edges_from([("x", "a", 1e-300), ("a", "y", -1e-300)], "derivative")
    >>> sign, log = log_sensitivities(G, "y")["x"]  # -1e-600, which no float can hold
    >>> sign, round(log / math.log(10), 9)
    (-1.0, -600.0)
    """
    S, size = _extended_sensitivities(G, t, derivative), node_sizes(G, derivative)
    m = size(t)
    shapes = {i: () if m is None and size(i) is None else (m or 1, size(i) or 1) for i in G}
    return {i: _as_logarithm(S[i], shapes[i]) for i in G}


def gradient_flow(
    G: nx.DiGraph[Any], t: Node, *, shut: float = SHUT, derivative: str = "derivative"
) -> list[FlowLevel]:
    """Return how large the sensitivities are at each depth, which shows where a gradient vanishes.

    Parameters
    ----------
    G, t, derivative
        As in `sensitivities`.
    shut : float, default 0.01
        A gate with ``|Phi'(s(j))|`` of at most this is shut.

    Returns
    -------
    list of FlowLevel
        For each depth (the longest distance to `t`, in edges) the number of nodes, the mean, the smallest and
        the largest ``|S(i,t)|``, the logarithm of the mean, and the share of shut gates; of arrays every entry counts.
        Weights, constants and nodes that do not lead to `t` are left out.

    Raises
    ------
    CGraphError
        As `sensitivities` and `gates`.

    Notes
    -----
    O(V + E) (MATH 565, lecture 27: vanishing gradients).

    Examples
    --------
    >>> G = nx.DiGraph()
    >>> G.add_weighted_edges_from([("x", "a", 0.5), ("a", "y", 0.5)], "derivative")
    >>> [(level.depth, level.mean) for level in gradient_flow(G, "y")]
    [(0, 1.0), (1, 0.5), (2, 0.25)]
    """
    S = _extended_sensitivities(G, t, derivative)
    depth = {t: 0}
    for i in reversed(topological_order(G)):
        below = [depth[j] + 1 for j in G.successors(i) if j in depth]
        if below and i != t:
            depth[i] = max(below)
    gate = gates(G, derivative=derivative)
    levels: list[list[Any]] = [[] for _ in range(max(depth.values()) + 1)]
    for i, d in depth.items():
        if G.nodes[i].get("role") not in {"weight", "constant"}:
            levels[d].append(i)
    return [_level(d, [S[i] for i in nodes], [gate[i] for i in nodes if i in gate], shut)
            for d, nodes in enumerate(levels) if nodes]  # fmt: skip


def _level(depth: int, S: list[ExtendedNumber], gate: list[Any], shut: float) -> FlowLevel:
    sizes = [ExtendedNumber(abs(entry.mantissa), entry.exponent) for value in S for entry in value.entries()]
    mean = sum(sizes, extended(0.0)) * (1 / len(sizes))
    is_shut = [abs(g) <= shut for gate_of_node in gate for g in np.ravel(gate_of_node)]
    share = float(np.mean(is_shut)) if is_shut else math.nan
    smallest, largest = min(sizes, key=ExtendedNumber.log), max(sizes, key=ExtendedNumber.log)
    return FlowLevel(depth, len(S), float(mean), float(smallest), float(largest), mean.log(), share)


def _as_logarithm(S: ExtendedNumber, shape: tuple[int, ...]) -> LogSensitivity:
    """Return sign and logarithm, as numbers or as arrays of this shape, those of 0 where there is no path."""
    pairs = [(float(np.sign(entry.mantissa)), entry.log()) for entry in S.entries()]
    if not shape:
        return LogSensitivity(*pairs[0])
    signs, logarithms = (_filled(column, shape) for column in zip(*pairs, strict=True))
    return LogSensitivity(signs, logarithms)


def _filled(entries: Sequence[float], shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    return np.full(shape, entries[0]) if len(entries) == 1 else np.reshape(entries, shape)


def _extended_sensitivities(G: nx.DiGraph[Any], t: Node, derivative: str) -> dict[Any, ExtendedNumber]:
    z = edge_derivative(G, derivative)
    require_node(G, t)
    size = size_of(G, t, derivative)
    one = extended(1.0 if size is None else np.eye(size))
    S = reverse_sweep(G, topological_order(G), {t: one}, lambda i, j: extended(_real(z(i, j), i, j)))
    return {i: extended(value) for i, value in S.items()}


def _real(value: Any, i: Node, j: Node) -> Any:
    """Return the derivative of an edge, which has a sign and a size."""
    if isinstance(value, complex):
        raise DerivativeError(
            f"edge {i!r} -> {j!r} holds {value!r}; its sign and size are asked for: give it a real number"
        )
    return value
