"""Arrays into their entries: every node a number, every equation one of numbers.

An equation on arrays is run as it stands, over arrays of `Piece`: NumPy moves, adds and multiplies the pieces as it
would numbers, and each operation of two pieces is a longer piece of text. What comes out at entry r is the
equation of entry r.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from cgraph.model.errors import CGraphError
from cgraph.model.evaluation import evaluate, steps_of
from cgraph.model.graph import ComputationalGraph
from cgraph.model.language.expressions import Apply, Expression, Name, Number, bracketed, write_name, write_step
from cgraph.model.linearized import edge_derivative, size_of
from cgraph.model.operations.arrays import ARRAY_OPERATIONS
from cgraph.model.operations.elementwise import OPERATIONS
from cgraph.model.operations.structured_jacobians import Jacobian
from cgraph.transforms.rebuilding import Builder, transform

__all__ = ["scalarize"]

MOST = 500_000  # entries and operations of two numbers
LONGEST, DEEPEST = 8_000, 50  # of a piece, so that the equation that it ends in can be read

# An object array of pieces, or one piece.
Pieces = Any


@transform
def scalarize(G: ComputationalGraph) -> ComputationalGraph:
    """Return the graph in which every node is a number: an array is split into its entries.

    Parameters
    ----------
    G : ComputationalGraph
        Not modified. Sources hold values: their shapes are needed.

    Returns
    -------
    ComputationalGraph
        Entry (1, 2) of the node W is the node ``W[1,2]``, in equations ``y("W[1,2]")``; its `origin` is that of W. Each
        has the equation of its entry. Intermediate results that are needed several times, and sums that are too long for one
        equation, are nodes ``h_1``, ``h_2``, ... with the origin of the node h in whose equation they stand. A neuron
        on arrays becomes a neuron for each entry, with the same weights. A given Jacobian becomes an edge for each
        entry that is not zero. Numbers, and equations of numbers alone, stay as they are.

    Raises
    ------
    MissingDerivativeError
        If an edge from or to an array holds neither an equation nor a Jacobian.
    CGraphError
        If there would be more than 500,000 entries and operations, a name such as ``W[1,2]`` is taken, or a
        determinant or inverse is larger than 6 x 6. As `evaluate`.

    See Also
    --------
    layerwise : the inverse on networks.

    Notes
    -----
    Entry (r, c) of a Jacobian S(i, j) of `G` is S(i[c], j[r]), both counted by rows. O(operations on entries): a graph
    of vectors is small because it does not write these down. Determinants are expanded by rows, inverses by
    cofactors; softmax is exp(x_i - ln sum exp(x_k)), shifted by the largest entry as in the table of operations.

    Examples
    --------
    >>> from cgraph import from_equations
    >>> H = scalarize(from_equations("y = tanh(W @ x)", W=[[1.0, 2.0]], x=[0.5, 0.25]))
    >>> list(H), H.nodes["y[0]"]["equation"]
    (['W[0,0]', 'W[0,1]', 'x[0]', 'x[1]', 'y[0]'], 'tanh(y("W[0,0]") * y("x[0]") + y("W[0,1]") * y("x[1]"))')
    """
    y = evaluate(G)
    shapes = {i: np.shape(y[i]) if i in y else _given_shape(G, i) for i in G}
    arrays = {i: shape for i, shape in shapes.items() if shape}
    if sum(int(np.prod(shape)) for shape in arrays.values()) > MOST or _operations(G, y) > MOST:
        raise _too_large()
    parts = {i: [f"{i}[{','.join(map(str, entry))}]" for entry in np.ndindex(shape)] for i, shape in arrays.items()}
    for i, names in parts.items():
        if taken := next((name for name in names if name in G), None):
            raise CGraphError(f"{i!r} cannot be split into its entries: there is a node {taken!r} already")
    build = Builder(G, parts=parts)
    entries = {i: np.array(names, object).reshape(arrays[i]) for i, names in parts.items()}
    writer = _Writer(build, {i: entries.get(i, i) for i in G})
    for j, data in G.nodes(data=True):
        match data.get("role"):
            case "operation":
                writer.write(j)
            case _ if not entries.keys() & {j, *G.predecessors(j)}:
                build.keep(j)
            case "neuron":
                _split_neuron(build, j, entries)
            case "input" | "weight" | "constant" as role:
                add = {"input": build.H.add_input, "weight": build.H.add_weight, "constant": build.H.add_constant}[role]
                for name, value in zip(parts[j], y[j].ravel().tolist(), strict=True):
                    add(name, value)
            case _:
                _split_given(build, j, y.get(j))
    return build.with_same_outputs()


def _given_shape(G: ComputationalGraph, i: str) -> tuple[int, ...]:
    """Return the shape of a node without a value, from the Jacobians on its edges."""
    size = size_of(G, i, "derivative")
    return () if size is None else (size,)


def _split_neuron(build: Builder, j: str, entries: dict[str, Any]) -> None:
    weights = build.weights(j)
    tails = {i: np.broadcast_to(np.asarray(entries.get(i, i), object), entries[j].shape).ravel() for i in weights}
    for k, name in enumerate(entries[j].ravel()):
        of_entry = {tails[i][k]: w for i, w in weights.items()}
        build.H.add_neuron(name, activation=build.G.nodes[j]["activation"], weights=of_entry)


def _split_given(build: Builder, j: str, value: Any) -> None:
    """Add the entries of a node that is known by its derivatives, and their edges."""
    if value is not None:
        for name, number in zip(build.parts[j], np.ravel(value).tolist(), strict=True):
            build.H.nodes[name]["value"] = number
    z = edge_derivative(build.G, "derivative")
    for i in build.G.predecessors(j):
        local = z(i, j)
        matrix = local.dense() if isinstance(local, Jacobian) else np.array([[local]])
        for r, c in np.argwhere(matrix).tolist():
            build.H.add_edge(build.parts[i][c], build.parts[j][r], derivative=float(matrix[r, c]))


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A piece of an equation, which is a number; NumPy's object arrays hold it.

    Parameters
    ----------
    writer : _Writer
        Where operations on it are written.
    text : str
        As it stands in an equation.
    operation : str
        The outermost one; "" for a name or a number.
    varies : bool
        Whether it depends on a node.
    depth : int
        How deep its text is nested.
    """

    writer: _Writer
    text: str
    operation: str = ""
    varies: bool = True
    depth: int = 0

    def __add__(self, other: Any) -> Piece:
        return self.writer.apply("add", self, other)

    def __sub__(self, other: Any) -> Piece:
        return self.writer.apply("sub", self, other)

    def __rsub__(self, other: Any) -> Piece:
        return self.writer.apply("sub", other, self)

    def __mul__(self, other: Any) -> Piece:
        return self.writer.apply("mul", self, other)

    def __truediv__(self, other: Any) -> Piece:
        return self.writer.apply("div", self, other)

    def __rtruediv__(self, other: Any) -> Piece:
        return self.writer.apply("div", other, self)

    def __neg__(self) -> Piece:
        return self.writer.apply("neg", self)

    # np.exp(x) of an object array calls x.exp() of each entry.
    def exp(self) -> Piece:
        return self.writer.apply("exp", self)

    def log(self) -> Piece:
        return self.writer.apply("log", self)

    def sqrt(self) -> Piece:
        return self.writer.apply("sqrt", self)

    def apply(self, operation: str, *others: Any) -> Piece:
        """Return an elementary operation on this piece and others."""
        return self.writer.apply(operation, self, *others)

    def number(self, value: int) -> Piece:
        """Return a piece that is a number."""
        return Piece(self.writer, str(value), varies=False)

    def shared(self) -> Piece:
        """Return what can stand in several places: a name or a number, for which this becomes a node."""
        return self.writer.node(self) if self.varies else self


class _Writer:
    """Writes equations of entries; `j` is the node whose equation is being written."""

    def __init__(self, build: Builder, entries: dict[str, Any]) -> None:
        self.build = build
        self.pieces = {
            i: _each(lambda name: Piece(self, write_name(name)))(names)
            for i, names in entries.items()
            if isinstance(i, str)
        }  # no equation reads a node with another name
        self.operations = 0
        self.j, self.intermediate = "", list[str]()

    def write(self, j: str) -> None:
        """Add the equations of the entries of `j`."""
        expression: Expression = self.build.G.nodes[j]["expression"]
        if all(isinstance(self.pieces[i], Piece) for i in expression.operands) and _is_of_numbers(expression):
            self.build.keep(j)
            return
        self.j, self.intermediate = j, []
        v: list[Pieces] = []
        for step in expression.steps:
            match step:
                case Name(name):
                    v.append(self.pieces[name])
                case Number(_, text):
                    v.append(Piece(self, text, varies=False))
                case Apply(operation, operands, options):
                    v.append(self._step(operation, [v[k] for k in operands], dict(options)))
        for name, piece in zip(self.build.parts[j], np.ravel(v[-1]), strict=True):
            self.build.H.add_equation(name, piece.text)
        for name in reversed(self.intermediate):  # an index may leave some without a reader
            if not self.build.H.succ[name]:
                self.build.H.remove_node(name)

    def _step(self, operation: str, x: list[Pieces], options: dict[str, Any]) -> Pieces:
        """Return the result of an operation on arrays of pieces."""
        if operation in OPERATIONS:
            size = np.broadcast(*x).size
            return _each(partial(self.apply, operation), len(x))(*(_shared(p) if np.size(p) < size else p for p in x))
        row = ARRAY_OPERATIONS[operation]
        x = [np.asarray(p if row.uses_each_once else _shared(p), object) for p in x]
        result = (row.entries or row.value)(*x, **options)
        return result.item() if isinstance(result, np.ndarray) and result.ndim == 0 else result

    def apply(self, operation: str, *operands: Any) -> Piece:
        """Return an operation on numbers, as a longer piece."""
        self.operations += 1
        if self.operations > MOST:
            raise _too_large()
        x = [p if isinstance(p, Piece) else Piece(self, str(int(p)), varies=False) for p in operands]
        x = [self.node(p) if p.depth >= DEEPEST else p for p in x]
        while sum(len(p.text) for p in x) > LONGEST and any(p.operation for p in x):
            longest = max((k for k, p in enumerate(x) if p.operation), key=lambda k: len(x[k].text))
            x[longest] = self.node(x[longest])
        texts = [bracketed(p.operation, p.text, operation, k) for k, p in enumerate(x)]
        # A long sum leans to the left and does not nest; brackets, functions and what stands to the right do.
        leans = OPERATIONS[operation].infix and len(x) == 2 and texts[0] == x[0].text
        depth = max(p.depth + (k > 0 or not leans) for k, p in enumerate(x))
        return Piece(self, write_step(Apply(operation, ()), texts), operation, any(p.varies for p in x), depth)

    def node(self, piece: Piece) -> Piece:
        """Return the name of a node that has the piece as its equation; a name or a number is no longer for it."""
        if not piece.operation:
            return piece
        name = self.build.fresh(f"{self.j}_{len(self.intermediate) + 1}")
        self.intermediate.append(name)
        self.build.declare(name, self.build.G.nodes[self.j]["origin"])
        self.build.H.add_equation(name, piece.text)
        return Piece(self, write_name(name))


def _operations(G: ComputationalGraph, y: Mapping[str, Any]) -> int:
    """Return how many operations on numbers the products of matrices in all equations take, before one is written."""
    total = 0
    for j, data in G.nodes(data=True):
        if "expression" in data and any(
            step.operation == "matmul" for step in data["expression"].steps if isinstance(step, Apply)
        ):
            v = steps_of(data["expression"], y, j)
            for step, value in zip(data["expression"].steps, v, strict=True):
                if isinstance(step, Apply) and step.operation == "matmul":
                    total += np.size(value) * np.shape(v[step.operands[0]])[-1]
    return total


def _is_of_numbers(expression: Expression) -> bool:
    return all(step.operation in OPERATIONS for step in expression.steps if isinstance(step, Apply))


def _each(function: Callable[..., Any], operands: int = 1) -> Any:
    """Return the function that applies `function` to each entry, with NumPy's broadcasting."""
    return np.frompyfunc(function, operands, 1)


def _too_large() -> CGraphError:
    return CGraphError(
        f"the graph of the entries would be too large: more than {MOST:,} entries and operations; scalarize a smaller one"
    )


_shared = _each(Piece.shared)
