"""What every algorithm asks of a linearized graph: the derivative on an edge, and what lies between two nodes.

A derivative is a number between numbers and a `Jacobian` where a variable is an array. `compose` multiplies two of
them, the later one on the left; what a sweep has found a `settler` makes into floats and arrays when it is returned.
"""

from __future__ import annotations

import cmath
from collections.abc import Callable
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
)
from cgraph.model.graph import Node, require_digraph
from cgraph.model.operations.structured_jacobians import Dense, Jacobian, ScaledIdentity, require_room
from cgraph.model.values import TooLongError, is_finite, require_short

__all__ = [
    "compose",
    "edge_derivative",
    "finite",
    "identity",
    "in_shape_of",
    "nodes_between",
    "require_digraph",
    "settler",
    "size_of",
]

# Floats, complex numbers, Fractions or symbols: whatever can be added and multiplied.
Scalar = Any
# Named, because to write down a union takes longer than to look whether a value belongs to it.
MATRIX = Jacobian | np.ndarray
INEXACT = float | complex
NUMBER = INEXACT | int


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


def compose(later: Any, earlier: Any) -> Any:
    """Return later @ earlier of numbers and matrices; beside a matrix a number is one of 1 x 1."""
    if type(earlier) is float and type(later) is not int:  # a number scales whatever follows it
        return later * earlier
    if (type(later) is int and later == 0) or (type(earlier) is int and earlier == 0):
        return 0  # no path, whatever the shapes: 0.0 would be a matrix of 1 x 1 beside a Jacobian further on
    if not isinstance(later, MATRIX) and not isinstance(earlier, MATRIX):
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
    """Return the nodes on paths from `s` to `t`, tails before heads; none if there is no path.

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


def settler(G: nx.DiGraph[Any], derivative: str) -> Callable[..., list[Any]]:
    """Return the function that makes what a sweep has found into what is returned.

    ``settle({(i, ..., t): S}, what)`` gives a list of floats and of arrays of shape (size of y(t), size of y(i)). Of what
    flows from s to t, `ends` = (s, t) are the same for all keys; what is differentiated may be a `number` that is no
    node, as a loss is.
    """
    holds_arrays = any(isinstance(data.get("value"), np.ndarray) for _, data in G.nodes(data=True))
    sizes: dict[Any, int | None] = {}

    def size(i: Node) -> int | None:
        if i not in sizes:
            sizes[i] = size_of(G, i, derivative)
        return sizes[i]

    def is_array(key: tuple[Any, ...], S: Any) -> bool:
        # Where there is no path, only the edges elsewhere know the shape.
        return isinstance(S, MATRIX) or (type(S) is int and any(size(i) for i in (key[0], key[-1])))

    def settle(
        values: dict[tuple[Any, ...], Any],
        what: str = "S",
        *,
        ends: tuple[Any, Any] | None = None,
        number: bool = False,
    ) -> list[Any]:
        if not holds_arrays and not any(is_array(ends or key, S) for key, S in values.items()):
            return finite(values, what)
        found: list[Any] = []
        for key, S in values.items():
            s, t = ends or (key[0], key[-1])
            is_matrix = isinstance(S, np.ndarray) and S.size > 1  # of what has one entry the nodes say what it is
            found.append(S if is_matrix else _shaped(S, None if number else size(t), size(s)))
            if not is_finite(found[-1]):
                raise _overflow(key, what)
        return found

    return settle


def _shaped(S: Any, m: int | None, n: int | None) -> Any:
    if m is None and n is None:
        return float(np.asarray(S).reshape(-1)[0])
    # A number in the place of a matrix is 0 where there is no path, or the identity.
    if np.ndim(S):
        return np.asarray(S)
    require_room(m or 1, n or 1)
    return np.eye(m or 1, n or 1) * float(S)


def in_shape_of(G: nx.DiGraph[Any], i: Node, S: Any) -> Any:
    """Return a gradient by y(i), a number or a row, in the shape of y(i); flat where no value says the shape."""
    return S.reshape(getattr(G.nodes[i].get("value"), "shape", -1)) if isinstance(S, np.ndarray) else S


def _as_matrix(value: Any) -> Any:
    return value if isinstance(value, MATRIX) else np.array([[value * 1.0]])  # 0 and 1 are whole numbers


def _overflow(nodes: tuple[Any, ...], what: str) -> EvaluationError:
    return EvaluationError(f"{_of(nodes, what)} overflows: the product of the derivatives exceeds 1.8e308")


def _of(nodes: tuple[Any, ...], what: str) -> str:
    return f"{what}({shorten(', '.join(map(str, nodes)))})"


def finite(values: dict[Any, Scalar], what: str = "S") -> list[Scalar]:
    """Return computed values, or raise `EvaluationError` for one that overflowed, or a fraction of too many digits.

    A sweep starts from the integers 0 and 1, which leave Fractions and symbols exact. Beside those they stay as
    they are; otherwise they come out as floats.
    """
    exact = not all(isinstance(value, NUMBER) for value in values.values())
    for nodes, value in values.items():
        if isinstance(value, INEXACT) and not cmath.isfinite(value):
            raise _overflow(nodes, what)
        if exact:
            try:
                require_short(value)
            except TooLongError as error:
                raise EvaluationError(f"{_of(nodes, what)} {error}") from None
    return [float(value) if type(value) is int and not exact else value for value in values.values()]


def _checked(value: object, i: Node, j: Node, data: dict[str, Any], derivative: str) -> Scalar:
    edge = f"edge {i!r} -> {j!r}"
    if value is None:
        has = ", ".join(map(repr, data)) or "no attributes"
        raise MissingDerivativeError(
            f"{edge} has no {derivative!r} (it has: {has}); run linearize(G), or pass derivative= the name of another "
            f"attribute"
        )
    if isinstance(value, Jacobian):
        return value
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
    if isinstance(value, bool | str | bytes) or not hasattr(value, "__mul__") or hasattr(value, "__len__"):
        raise DerivativeError(f"{edge} holds {value!r} as {derivative!r}; give it a number")
    if isinstance(value, complex):
        is_finite, value = cmath.isfinite(value), complex(value)
    elif isinstance(value, int | float) or hasattr(value, "dtype"):
        value = float(value)  # type: ignore[arg-type]  # numpy's scalars, whose overflow would only warn
        is_finite = cmath.isfinite(value)
    else:
        is_finite = bool(value == value)  # noqa: PLR0124 - Fractions and symbols are; Decimal("nan") is not
    if not is_finite:
        raise DerivativeError(f"{edge} holds {value!r} as {derivative!r}; give it a finite number")
    return value
