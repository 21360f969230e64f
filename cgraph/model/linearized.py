"""Basic access to a linearized graph: the derivative on an edge, and the nodes between two nodes.

A derivative is a number between numbers and a `Jacobian` where a variable is an array. `compose` multiplies two
derivatives, the later one on the left. A sweep computes with numbers and Jacobians; `as_result` turns what it has found
for a pair of nodes into the float or the array that is returned, and `finished` refuses what is not finite.
"""

from __future__ import annotations

import cmath
from collections.abc import Callable
from functools import cache
from math import isfinite
from typing import Any

import networkx as nx
import numpy as np

from cgraph.model.errors import (
    CycleError,
    DerivativeError,
    EvaluationError,
    MissingDerivativeError,
    shorten,
    show_count,
)
from cgraph.model.extended_range import ExtendedNumber, extended
from cgraph.model.graph import Node, require_digraph
from cgraph.model.operations.structured_jacobians import Dense, Jacobian, ScaledIdentity, require_room
from cgraph.model.values import TooLongError, is_finite, is_masked, require_short

__all__ = [
    "as_result",
    "compose",
    "edge_derivative",
    "finished",
    "identity",
    "in_shape_of",
    "node_sizes",
    "nodes_between",
    "overflow",
    "require_digraph",
    "size_of",
    "with_derivative",
]

# Floats, complex numbers, Fractions or symbols: whatever can be added and multiplied.
Scalar = Any
# Named, because to write down a union takes longer than to look whether a value belongs to it.
MATRIX = Jacobian | np.ndarray
INEXACT = float | complex | np.ndarray
ROUNDED = INEXACT | int | ExtendedNumber
SMALLEST, LARGEST = 2.3e-308, 1.7e308  # between these a float has all its digits


def edge_derivative(G: nx.DiGraph[Any], derivative: str) -> Callable[[Node, Node], Scalar]:
    """Return the function z with z(i, j) = dy(j)/dy(i), which refuses an edge that holds no finite derivative."""
    require_digraph(G)
    known: set[Any] = set()  # the nodes whose edges agree about their size

    def z(i: Node, j: Node) -> Scalar:
        value = G.get_edge_data(i, j).get(derivative)
        if type(value) is float and isfinite(value):
            return value
        value = _checked(value, i, j, G.get_edge_data(i, j), derivative)
        if isinstance(value, Jacobian):
            for k in {i, j} - known:
                size_of(G, k, derivative)
                known.add(k)
        return value

    return z


def with_derivative(G: Any, derivative: str) -> Any:
    """Return `G`, or if its derivatives stand under another name a copy with them under ``derivative``."""
    if derivative == "derivative":
        return G
    H = G.copy()
    for _, _, data in H.edges(data=True):
        data.pop("derivative", None)
        if derivative in data:
            data["derivative"] = data[derivative]
    return H


def compose(later: Any, earlier: Any) -> Any:
    """Return the derivative `later` times the derivative `earlier`: the chain rule, for numbers and for matrices.

    Beside a matrix a number is one of 1 x 1. A product of floats that leaves their range goes on as an
    `ExtendedNumber`, as the next factor may bring it back.
    """
    if type(later) is float and type(earlier) is float:
        product = later * earlier
        if SMALLEST < product < LARGEST or -LARGEST < product < -SMALLEST or later == 0 or earlier == 0:
            return product
        return extended(later) * earlier
    if (type(later) is int and later == 0) or (type(earlier) is int and earlier == 0):
        return 0  # no path, whatever the shapes: 0.0 would be a matrix of 1 x 1 beside a Jacobian further on
    if not isinstance(later, MATRIX) and not isinstance(earlier, MATRIX):
        return later * earlier
    if type(earlier) is float:  # a number scales a matrix, which keeps its structure
        return later * earlier
    return _as_matrix(later) @ _as_matrix(earlier)


def identity(size: int | None) -> Any:
    """Return dy/dy of a number (size None) or an array: what a sweep starts from."""
    return 1 if size is None else ScaledIdentity(1.0, size)


def size_of(G: nx.DiGraph[Any], i: Node, derivative: str) -> int | None:
    """Return the number of entries of y(i), or None of a number; its value and all edges at `i` must agree."""
    value = G.nodes[i].get("value")
    size: int | None = None if value is None else np.size(value)
    by: tuple[Any, Any] | None = None  # the edge that said so, or the value
    is_number = isinstance(value, int | float)
    edges = [((k, i), 0) for k in G.predecessors(i)] + [((i, k), 1) for k in G.successors(i)]
    for edge, axis in edges:
        z = G.get_edge_data(*edge).get(derivative)
        shape: tuple[int, ...] = getattr(z, "shape", ())
        is_matrix = len(shape) == 2
        if z is None or (
            not is_matrix and hasattr(z, "__len__")
        ):  # a list or vector is no derivative: `_checked` says so
            continue
        found = shape[axis] if is_matrix else 1
        if size is not None and size != found:
            holds = f"a {shape[0]} x {shape[1]} Jacobian" if is_matrix else "a number"
            entries = "1 entry" if size == 1 else f"{size} entries"
            known = "its value" if by is None else f"edge {by[0]!r} -> {by[1]!r}"
            raise DerivativeError(
                f"edge {edge[0]!r} -> {edge[1]!r} holds {holds}, but {i!r} has {entries} by {known}; z(i,j) has a row "
                f"for each entry of j and a column for each entry of i"
            )
        size, by = found, edge
        is_number = is_number or not is_matrix
    return None if is_number else size


def nodes_between(G: nx.DiGraph[Any], s: Node, t: Node) -> list[Any]:
    """Return the nodes on paths from `s` to `t`, in topological order; none if there is no path.

    Raises
    ------
    CycleError
        If there is a cycle among them.

    Notes
    -----
    A search back from `t`, then one from `s` within what it found: O(V + E) of the ancestors of `t`, nothing of
    the rest of the graph is looked at.
    """
    leads_to_t = nx.ancestors(G, t) | {t}
    if s not in leads_to_t:
        return []
    finished: list[Any] = []
    is_finished = {s: False}
    branch = [(s, iter(G.successors(s)))]
    while branch:
        i, heads = branch[-1]
        for j in heads:
            if j not in leads_to_t or is_finished.get(j):
                continue
            if j in is_finished:
                cycle = [node for node, _ in branch]
                raise CycleError([*cycle[cycle.index(j) :], j])
            is_finished[j] = False
            branch.append((j, iter(G.successors(j))))
            break
        else:
            branch.pop()
            is_finished[i] = True
            finished.append(i)
    return finished[::-1]


def node_sizes(G: nx.DiGraph[Any], derivative: str) -> Callable[[Node], int | None]:
    """Return the function that looks up `size_of` a node, once for each."""
    return cache(lambda i: size_of(G, i, derivative))


def as_result(S: Any, size: Callable[[Node], int | None], s: Node, t: Node | None) -> Any:
    """Return S(s,t) as it is handed out: a number, or an ndarray of shape (size of y(t), size of y(s)).

    `S` is the result of a sweep, `size` the function of `node_sizes`; `t` is None for a loss that is not a node.
    """
    if not isinstance(S, MATRIX) and (type(S) is not int or S != 0):
        return S
    if isinstance(S, np.ndarray) and S.size > 1:
        return S
    # Whether one entry is a number, the nodes say; and where there is no path, S is the integer 0 without a shape.
    m, n = None if t is None else size(t), size(s)
    if m is None and n is None:
        return S if type(S) is int else float(np.asarray(S).reshape(-1)[0])
    if isinstance(S, np.ndarray):
        return S
    require_room(m or 1, n or 1)
    if not isinstance(S, Jacobian):
        return np.zeros((m or 1, n or 1))
    return S.dense().copy() if isinstance(S, Dense) else S.dense()  # the matrix of a Dense may stand on an edge


def in_shape_of(G: nx.DiGraph[Any], i: Node, S: Any) -> Any:
    """Return a gradient with respect to y(i), a number or a row, in the shape of y(i); flat where no value says it."""
    return S.reshape(getattr(G.nodes[i].get("value"), "shape", -1)) if isinstance(S, np.ndarray) else S


def _as_matrix(value: Any) -> Any:
    return value if isinstance(value, MATRIX) else np.array([[float(value)]])


def finished(values: dict[tuple[Any, ...], Any], what: str = "S") -> list[Any]:
    """Return computed values to be handed out, in the order of the dict.

    A sweep starts from the integers 0 and 1, which leave Fractions and symbols exact. Beside those they stay as they
    are; otherwise they come out as floats. No two arrays share their memory.

    Raises
    ------
    EvaluationError
        If a value overflowed, or a Fraction has too many digits. Its key says between which nodes.
    """
    exact = not all(isinstance(value, ROUNDED) for value in values.values())
    holders: set[int] = set()
    results: list[Any] = []
    for nodes, value in values.items():
        if type(value) is float and isfinite(value):  # as most are
            results.append(value)
            continue
        result = _plain(value, exact, holders)
        if isinstance(result, INEXACT) and not is_finite(result):
            raise overflow(nodes, what)
        try:
            require_short(result)
        except TooLongError as error:
            raise EvaluationError(f"{_of(nodes, what)} {error}") from None
        results.append(result)
    return results


def _plain(value: Any, exact: bool, holders: set[int]) -> Any:
    if isinstance(value, np.ndarray):
        return _own(value, holders)
    if isinstance(value, ExtendedNumber) or (type(value) is int and not exact):
        return float(value)
    return value


def _own(S: np.ndarray[Any, Any], holders: set[int]) -> np.ndarray[Any, Any]:
    """Return `S`, or a copy of it if its memory belongs to one of `holders`, or cannot be written to."""
    holder: Any = S
    while isinstance(holder.base, np.ndarray):
        holder = holder.base
    if id(holder) in holders or not S.flags.writeable:
        return S.copy()
    holders.add(id(holder))
    return S


def overflow(nodes: tuple[Any, ...], what: str = "S") -> EvaluationError:
    """Return the error that says that S, or `what` else, overflows between these nodes."""
    return EvaluationError(f"{_of(nodes, what)} overflows: the product of the derivatives exceeds 1.8e308")


def _of(nodes: tuple[Any, ...], what: str) -> str:
    return f"{what}({shorten(', '.join(map(str, nodes)))})"


def _checked(value: object, i: Node, j: Node, data: dict[str, Any], derivative: str) -> Scalar:
    edge = f"edge {i!r} -> {j!r}"
    if value is None:
        has = ", ".join(map(repr, data)) or "no attributes"
        raise MissingDerivativeError(
            f"{edge} has no {derivative!r} (it has: {has}); run linearize(G), or name another "
            "attribute with derivative="
        )
    if isinstance(value, Jacobian):
        return value
    if is_masked(value):
        raise DerivativeError(f"{edge} holds a masked array as {derivative!r}; fill it, as by value.filled(0.0)")
    if isinstance(value, np.ndarray) and value.ndim == 2 and value.dtype.kind in "iuf":
        if not np.isfinite(value).all():
            raise DerivativeError(f"{edge} holds a Jacobian with an entry that is not finite")
        return Dense(np.asarray(value, dtype=float))
    if isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim):
        what = f"an array of shape {value.shape}" if isinstance(value, np.ndarray) else shorten(repr(value))
        raise DerivativeError(
            f"{edge} holds {what} as {derivative!r}; give it a matrix of floats, an ndarray with a row for each entry of "
            f"y({j}) and a column for each entry of y({i})"
        )
    if isinstance(value, bool | np.bool_ | str | bytes) or not hasattr(value, "__mul__") or hasattr(value, "__len__"):
        raise DerivativeError(f"{edge} holds {value!r} as {derivative!r}; give it a number")
    number = _as_finite(value)
    if number is None:
        raise DerivativeError(f"{edge} holds {_show(value)} as {derivative!r}; give it a finite number")
    return number


def _as_finite(value: Any) -> Scalar | None:
    """Return a number as float or complex, a Fraction or a symbol as it is; None if it is not finite."""
    if isinstance(value, complex):
        return complex(value) if cmath.isfinite(value) else None
    if isinstance(value, int | float) or hasattr(value, "dtype"):
        try:
            number = float(value)  # numpy's scalars, too, whose overflow would only warn
        except OverflowError:
            return None
        return number if isfinite(number) else None
    return value if value == value else None  # noqa: PLR0124 - Fractions and symbols are; Decimal("nan") is not


def _show(value: object) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    if type(value) is int:  # which Python does not print if it has more than 4,300 digits
        return "-" * (value < 0) + show_count(abs(value))
    return repr(value)
