"""Arrays split into their entries: every node is a number.

An equation on arrays is run as it stands, over arrays of `Entry`: NumPy moves, adds and multiplies the entries as it
would numbers, and each operation on two entries is a larger `Term`. What comes out at entry r is the equation of entry r.
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
from cgraph.model.language.expressions import Apply, Expression, Name, Number, needs_brackets, write_name, write_step
from cgraph.model.language.terms import Term, applied, name
from cgraph.model.linearized import edge_derivative, size_of
from cgraph.model.operations.arrays import ARRAY_OPERATIONS
from cgraph.model.operations.elementwise import OPERATIONS
from cgraph.model.operations.structured_jacobians import Jacobian
from cgraph.transforms.rebuilding import Builder, transform

__all__ = ["scalarize"]

MOST = 500_000  # entries and operations of two numbers
LONGEST, DEEPEST = 8_000, 50  # characters and brackets in an entry, so that the equation that it ends in can be read

# An object array of entries, or one entry.
Entries = Any


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
    for k, entry in enumerate(entries[j].ravel()):
        of_entry = {tails[i][k]: w for i, w in weights.items()}
        build.H.add_neuron(entry, activation=build.G.nodes[j]["activation"], weights=of_entry)


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
class Entry:
    """An entry of an array as an equation; NumPy's object arrays hold it.

    Parameters
    ----------
    writer : _Writer
        Where operations on it are written.
    term : Term
        The equation.
    length : int
        How many characters it has, about.
    depth : int
        How deep its brackets nest.
    varies : bool
        Whether it depends on a node.
    """

    writer: _Writer
    term: Term
    length: int
    depth: int = 0
    varies: bool = True

    @property
    def operation(self) -> str:
        """The outermost operation; "" for a name or a number."""
        return self.term.step.operation if isinstance(self.term.step, Apply) else ""

    def __add__(self, other: Any) -> Entry:
        return self.writer.apply("add", self, other)

    def __sub__(self, other: Any) -> Entry:
        return self.writer.apply("sub", self, other)

    def __rsub__(self, other: Any) -> Entry:
        return self.writer.apply("sub", other, self)

    def __mul__(self, other: Any) -> Entry:
        return self.writer.apply("mul", self, other)

    def __truediv__(self, other: Any) -> Entry:
        return self.writer.apply("div", self, other)

    def __rtruediv__(self, other: Any) -> Entry:
        return self.writer.apply("div", other, self)

    def __neg__(self) -> Entry:
        return self.writer.apply("neg", self)

    # np.exp(x) of an object array calls x.exp() of each entry.
    def exp(self) -> Entry:
        return self.writer.apply("exp", self)

    def log(self) -> Entry:
        return self.writer.apply("log", self)

    def sqrt(self) -> Entry:
        return self.writer.apply("sqrt", self)

    def apply(self, operation: str, *others: Any) -> Entry:
        """Return an elementary operation on this entry and others."""
        return self.writer.apply(operation, self, *others)

    def number(self, value: int) -> Entry:
        """Return an entry that is a number."""
        return self.writer.number(Number(value, str(value)))

    def shared(self) -> Entry:
        """Return what can stand in several places: a name or a number, for which this becomes a node."""
        return self.writer.node(self) if self.varies else self


class _Writer:
    """Writes equations of entries; `j` is the node whose equation is being written."""

    def __init__(self, build: Builder, entries: dict[str, Any]) -> None:
        self.build = build
        self.entries = {
            i: _each(self.named)(names) for i, names in entries.items() if isinstance(i, str)
        }  # no equation reads a node with another name
        self.operations = 0
        self.j, self.intermediate = "", list[str]()

    def write(self, j: str) -> None:
        """Add the equations of the entries of `j`."""
        expression: Expression = self.build.G.nodes[j]["expression"]
        if all(isinstance(self.entries[i], Entry) for i in expression.operands) and _is_of_numbers(expression):
            self.build.keep(j)
            return
        self.j, self.intermediate = j, []
        v: list[Entries] = []
        for step in expression.steps:
            match step:
                case Name(i):
                    v.append(self.entries[i])
                case Number():
                    v.append(self.number(step))
                case Apply(operation, operands, options):
                    v.append(self._step(operation, [v[k] for k in operands], dict(options)))
        for part, entry in zip(self.build.parts[j], np.ravel(v[-1]), strict=True):
            self.build.H.add_equation(part, str(entry.term))
        for intermediate in reversed(self.intermediate):  # an index may leave some without a reader
            if not self.build.H.succ[intermediate]:
                self.build.H.remove_node(intermediate)

    def _step(self, operation: str, x: list[Entries], options: dict[str, Any]) -> Entries:
        """Return the result of an operation on arrays of entries."""
        if operation in OPERATIONS:
            size = np.broadcast(*x).size
            return _each(partial(self.apply, operation), len(x))(*(_shared(p) if np.size(p) < size else p for p in x))
        row = ARRAY_OPERATIONS[operation]
        x = [np.asarray(p if row.uses_each_once else _shared(p), object) for p in x]
        result = (row.entries or row.value)(*x, **options)
        return result.item() if isinstance(result, np.ndarray) and result.ndim == 0 else result

    def named(self, node: str) -> Entry:
        """Return an entry that reads a node."""
        return Entry(self, name(node), len(write_name(node)))

    def number(self, step: Number) -> Entry:
        """Return an entry that is a number."""
        return Entry(self, Term(step), len(step.text), varies=False)

    def apply(self, operation: str, *operands: Any) -> Entry:
        """Return an operation on numbers, as a larger entry."""
        self.operations += 1
        if self.operations > MOST:
            raise _too_large()
        x = [p if isinstance(p, Entry) else self.number(Number(int(p), str(int(p)))) for p in operands]
        x = [self.node(p) if p.depth >= DEEPEST else p for p in x]
        while sum(p.length for p in x) > LONGEST and any(p.operation for p in x):
            longest = max((k for k, p in enumerate(x) if p.operation), key=lambda k: x[k].length)
            x[longest] = self.node(x[longest])
        brackets = [bool(p.operation) and needs_brackets(p.operation, operation, k) for k, p in enumerate(x)]
        # A long sum leans to the left and does not nest; brackets, functions and what stands to the right do.
        leans = OPERATIONS[operation].infix and len(x) == 2 and not brackets[0]
        return Entry(
            self,
            applied(operation, *(p.term for p in x)),
            sum(p.length for p in x) + 2 * sum(brackets) + len(write_step(Apply(operation, ()), [""] * len(x))),
            max(p.depth + (k > 0 or not leans) for k, p in enumerate(x)),
            varies=any(p.varies for p in x),
        )

    def node(self, entry: Entry) -> Entry:
        """Return the name of a node that has the entry as its equation; a name or a number is no longer for it."""
        if not entry.operation:
            return entry
        intermediate = self.build.fresh(f"{self.j}_{len(self.intermediate) + 1}")
        self.intermediate.append(intermediate)
        self.build.declare(intermediate, self.build.G.nodes[self.j]["origin"])
        self.build.H.add_equation(intermediate, str(entry.term))
        return self.named(intermediate)


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


_shared = _each(Entry.shared)
