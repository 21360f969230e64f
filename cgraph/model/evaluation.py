"""The forward pass and the local derivatives: from equations to a linearized graph."""

from __future__ import annotations

import cmath
import math
import numbers
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import networkx as nx
import numpy as np

from cgraph.model.errors import EvaluationError, InvalidNodeError, LimitError, MissingValueError, shorten
from cgraph.model.graph import ComputationalGraph, require_digraph, require_node, topological_order
from cgraph.model.holding import held
from cgraph.model.language.expressions import Apply, Expression, Name, Number, write_step, written
from cgraph.model.language.parsing import parse
from cgraph.model.limits import counting_entries, limits_in_force, require_entries
from cgraph.model.operations.arrays import ARRAY_OPERATIONS
from cgraph.model.operations.elementwise import OPERATIONS, name_of, row_of
from cgraph.model.operations.structured_jacobians import Jacobian, ScaledIdentity, after, elementwise, plus
from cgraph.model.rules.generate import functions_of
from cgraph.model.rules.unit_derivatives import unit_operands
from cgraph.model.values import (
    TooLongError,
    as_computed,
    as_value,
    holds,
    is_finite,
    require_short,
    shape_of,
    show_shape,
    show_value,
)

__all__ = ["evaluate", "linearize"]

# How NumPy begins what it says of shapes; the message says it in the words of the equation.
_FROM_NUMPY = ("operands could not", "matmul", "shape mismatch", "all the input", "all input")


def evaluate(
    G: ComputationalGraph, inputs: Mapping[str, Any] | None = None, *, hold: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the value y(i) of every node: the forward pass.

    Parameters
    ----------
    G : ComputationalGraph
        Acyclic. Not modified.
    inputs : dict, optional
        Values for inputs and weights, in place of those that `G` holds: numbers or arrays.
    hold : dict, optional
        Values at which computed nodes are held, whatever their operands are; the nodes that depend on them follow.

    Returns
    -------
    dict
        ``{node: value}`` in the order of `G`, floats and arrays. Nodes that have neither equation nor value, as in
        graphs whose edges are given, are left out.

    Raises
    ------
    NodeNotFound, InvalidNodeError
        If `inputs` names a node that is not there, or one that is computed or constant.
    MissingValueError
        If an input that an equation needs has no value.
    EvaluationError
        If a value is outside an operation's domain, overflows, or is not a number, or the shapes of operands do not
        fit; the message names node, operation and operands.
    CycleError
        If `G` has a cycle.

    Notes
    -----
    O(V + E) for equations of bounded length. 10-301/601, lecture 13: visit the nodes in topological order.

    Examples
    --------
    >>> from cgraph import from_equations
    >>> G = from_equations("a = x*z; y = a + x", x=2.0, z=3.0)
    >>> evaluate(G)
    {'x': 2.0, 'z': 3.0, 'a': 6.0, 'y': 8.0}
    >>> evaluate(G, {"x": 1.0})["y"], evaluate(G, hold={"a": 10.0})["y"]
    (4.0, 12.0)
    """
    G = held(G, hold) if hold else G
    y = forward(G, source_values(G, inputs))
    return {i: as_computed(y[i]) for i in G if i in y}


def linearize(
    G: ComputationalGraph, inputs: Mapping[str, Any] | None = None, *, hold: Mapping[str, Any] | None = None
) -> ComputationalGraph:
    """Return a copy of `G` with ``value`` on every node and ``derivative`` z(i,j) = dy(j)/dy(i) on every edge.

    Parameters
    ----------
    G, inputs
        As in `evaluate`. A derivative that was given on an edge into a node without an equation is kept.
    hold : dict, optional
        As in `evaluate`. A node that is held is an input of the result: no edge leads into it.

    Returns
    -------
    ComputationalGraph
        What the algorithms read. Where y(i) or y(j) is an array, z(i,j) is a `Jacobian`, of shape (size of y(j), size
        of y(i)), in the structure that the operations have; ``.dense()`` writes it out. If node i stands several times
        in the equation of j, the edge holds the total: 2x for y = x*x. Where it is +1 or -1 at every point, as in sums, the
        edge also holds ``unit``, which is True. A neuron j also holds its ``preactivation`` s(j) and its ``gate`` Phi'(s(j)); the
        edges into it hold z(i,j) = Phi'(s(j)) w_ij (MATH 565, lecture 27, equation 1).

    Raises
    ------
    EvaluationError
        Also when a local derivative is not finite (sqrt at 0), which no number could stand for.
    CGraphError
        As `evaluate`.

    Notes
    -----
    Each equation is differentiated by a reverse sweep over its own steps, so its cost is a small multiple of
    evaluating it, however many operands it has [1]_.

    References
    ----------
    .. [1] A. Griewank, A. Walther, "Evaluating Derivatives", 2nd ed., SIAM 2008, ch. 3.

    Examples
    --------
    >>> from cgraph import from_equations
    >>> L = linearize(from_equations("y = x*x + 5*z", x=3.0, z=1.0))
    >>> L.edges["x", "y"]["derivative"], L.edges["z", "y"]["derivative"], L.nodes["y"]["value"]
    (6.0, 5.0, 14.0)
    """
    G = held(G, hold) if hold else G
    return linearized_from(G, source_values(G, inputs))


def linearized_from(
    G: ComputationalGraph,
    y: dict[str, Any],
    *,
    settle: Callable[[str, Any], Any] | None = None,
    number: Callable[[Any], Any] | None = None,
) -> ComputationalGraph:
    """Return the linearized copy of `G` from the values `y` of its sources, which are added to.

    ``settle(j, value)`` may put another value in the place of a computed one, from which the rest then follows, and
    `number` makes what is found into what stands on nodes and edges; by default floats, and arrays on nodes.
    """
    L = G.copy()
    # What numpy would warn of is checked, and named, step by step.
    with np.errstate(all="ignore"), counting_entries():
        for j in topological_order(G):
            try:
                _linearize_node(G, L, j, y, settle, number)
            except (EvaluationError, LimitError) as error:
                error.node = j
                raise
    return L


def _linearize_node(
    G: ComputationalGraph,
    L: ComputationalGraph,
    j: str,
    y: dict[str, Any],
    settle: Callable[[str, Any], Any] | None,
    number: Callable[[Any], Any] | None,
) -> None:
    """Write on `L` the value of node `j` and the derivatives on the edges into it."""
    of_edge, of_node = number or float, number or as_computed
    data = L.nodes[j]
    if data.get("role") != "neuron":
        _refuse_weights(G, j)
    if "expression" in data:
        require_operands(G, j)
        v = steps_of(data["expression"], y, j)
        y[j] = v[-1] = v[-1] if settle is None else settle(j, v[-1])
        units = unit_operands(data["expression"])
        for i, z in derivatives_of_steps(data["expression"], v, j).items():
            edge = L.get_edge_data(i, j)
            edge["derivative"] = z if isinstance(z, Jacobian) else of_edge(z)
            edge.pop("unit", None)
            if i in units and not isinstance(z, Jacobian) and z in (1, -1):
                edge["unit"] = True
    elif "activation" in data:
        s = preactivation(G, j, y)
        y[j] = _apply(Apply(data["activation"], (0,)), [s], j)
        y[j] = y[j] if settle is None else settle(j, y[j])
        gate = gate_of(data["activation"], s, y[j], j)
        data["preactivation"], data["gate"] = of_node(s), of_node(gate)
        for i in L.predecessors(j):
            edge = L.get_edge_data(i, j)
            z = elementwise(gate * edge["weight"], shape_of(y[i]), shape_of(y[j]))
            edge["derivative"] = z if isinstance(z, Jacobian) else of_edge(z)
    if j in y:
        data["value"] = of_node(y[j])


def _refuse_weights(G: ComputationalGraph, j: str) -> None:
    for i in G.predecessors(j):
        if "weight" in G.get_edge_data(i, j):
            raise InvalidNodeError(f"edge {i!r} -> {j!r} has a weight, but {j!r} is no neuron; use add_neuron")


def source_values(G: ComputationalGraph, inputs: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the values of the nodes without an equation, those of `inputs` taking precedence."""
    require_digraph(G)
    if not isinstance(inputs, Mapping | None):
        raise InvalidNodeError(f"values must be a mapping from nodes, as in {{'x': 2.0}}, not {shorten(repr(inputs))}")
    values = {
        i: _own_value(i, d["value"])
        for i, d in G.nodes(data=True)
        if not is_computed(G, i) and d.get("value") is not None
    }
    for i, value in (inputs or {}).items():
        require_node(G, i)
        role = G.nodes[i].get("role")
        if role not in {"input", "weight"}:
            what = {"constant": "a constant", "operation": "computed", "neuron": "computed"}.get(
                str(role), "known by its derivatives only"
            )
            raise InvalidNodeError(f"node {i!r} cannot be set: it is {what}; inputs and weights can")
        recorded = (j for j in G.successors(i) if not is_computed(G, j) and G.nodes[j].get("value") is not None)
        if (j := next(recorded, None)) is not None:
            raise InvalidNodeError(
                f"node {i!r} cannot be set: {j!r} depends on it without an equation: another program computed it, at one "
                f"point; make the graph again at the new point"
            )
        try:
            values[i] = as_value(value)
        except (TypeError, ValueError) as error:
            raise InvalidNodeError(f"{role} {i!r} cannot be set to {shorten(repr(value))}, which {error}") from None
    for i, value in values.items():
        if not is_finite(value):
            raise EvaluationError(f"node {i!r} has the value {shorten(str(value))}, which is not finite")
    return values


def _own_value(i: str, value: Any) -> Any:
    """Return what stands on a node as its value; numbers of any kind as they are."""
    if isinstance(value, numbers.Number):
        return value
    try:
        return as_value(value)
    except (TypeError, ValueError) as error:
        raise InvalidNodeError(f"node {i!r} has the value {shorten(repr(value))}, which {error}") from None


def unlinearized(G: ComputationalGraph) -> ComputationalGraph:
    """Return a copy of `G` without what `linearize` writes on it."""
    H = G.copy()
    for j, data in H.nodes(data=True):
        if is_computed(H, j):
            for follows in ("value", "preactivation", "gate"):
                data.pop(follows, None)
            for i in H.predecessors(j):
                for follows in ("derivative", "unit"):
                    H.edges[i, j].pop(follows, None)
    return H


def forward(G: ComputationalGraph, y: dict[str, Any], order: Sequence[str] | None = None) -> dict[str, Any]:
    """Return `y`, the values of the sources, with those of all computed nodes added.

    The values may be complex, with a perturbation in the imaginary part. A caller that
    sweeps often passes the `order` of the computed nodes.
    """
    if order is None:
        order = [j for j in topological_order(G) if is_computed(G, j)]
    # What numpy would warn of is checked, and named, step by step.
    with np.errstate(all="ignore"), counting_entries():
        for j in order:
            try:
                y[j] = value_of(G, j, y)
            except (EvaluationError, LimitError) as error:
                error.node = j
                raise
    return y


def is_computed(G: nx.DiGraph[Any], j: str) -> bool:
    """Whether the value of `j` follows from other nodes, by an equation or as a neuron's."""
    return "expression" in G.nodes[j] or "activation" in G.nodes[j]


def value_of(G: ComputationalGraph, j: str, y: Mapping[str, Any]) -> Any:
    """Return the value of a computed node from those of its operands."""
    data = G.nodes[j]
    if "expression" in data:
        require_operands(G, j)
        return steps_of(data["expression"], y, j)[-1]
    return _apply(Apply(data["activation"], (0,)), [preactivation(G, j, y)], j)


def require_operands(G: ComputationalGraph, j: str) -> None:
    """Raise `InvalidNodeError` if the edges into `j` are not those of its operands, as after an edit by hand."""
    operands = G.nodes[j]["operands"]
    if set(operands) != set(G.predecessors(j)):
        raise InvalidNodeError(
            f"the edges into {j!r} are not those of its operands ({', '.join(dict.fromkeys(operands))}); "
            f"add_equation and add_neuron set both"
        )


def preactivation(G: ComputationalGraph, j: str, y: Mapping[str, Any]) -> Any:
    """Return s(j), the sum of w_ij y(i) over the edges into neuron `j`."""
    s: Any = 0
    for i, w in weights_into(G, j):
        if i not in y:
            raise MissingValueError(f"node {i!r} has no value, and neuron {j!r} needs it; give it one")
        try:
            s = s + w * y[i]
        except ValueError:
            message = (
                f"neuron {j!r}: its inputs do not fit: {i!r} is {show_shape(y[i])}, those before it {show_shape(s)}"
            )
            raise EvaluationError(message) from None
    if not is_finite(s):
        raise EvaluationError(f"neuron {j!r}: the weighted sum of its inputs overflows")
    return s


def weights_into(G: ComputationalGraph, j: str) -> Iterator[tuple[str, Any]]:
    """Iterate over the operands i of neuron `j` and their weights w_ij."""
    require_operands(G, j)
    for i in G.nodes[j]["operands"]:
        w = G.get_edge_data(i, j).get("weight")
        if w is None:
            raise MissingValueError(f"edge {i!r} -> {j!r} has no 'weight', and neuron {j!r} needs it; give it one")
        yield i, w


def gate_of(activation: str, s: Any, y: Any, j: str) -> Any:
    """Return Phi'(s), from the output y where the table does so."""
    with np.errstate(all="ignore"):
        return _partial(Apply(activation, (0,)), 0, y, [s], j)


def steps_of(expression: Expression, y: Mapping[str, Any], node: str) -> list[Any]:
    """Return the value of every step of the equation of `node`."""
    v: list[Any] = []
    now = limits_in_force()
    spent = now.spent
    for step in expression.steps:
        match step:
            case Name(name):
                if name not in y:
                    raise MissingValueError(f"node {name!r} has no value, and {node!r} needs it; give it one")
                v.append(y[name])
            case Number(value):
                v.append(value)
            case Apply(_, operands):
                v.append(_apply(step, [v[k] for k in operands], node, expression))
                if now.is_counting:
                    now.spent += _entries(v[-1])
    if now.is_counting:
        now.spent = spent + _entries(v[-1])  # of the steps, the last alone is kept
    return v


def _entries(value: Any) -> int:
    """Return how many entries an array has; numbers are not counted."""
    return value.size if type(value) is np.ndarray else 0


def local_derivatives(expression: Expression, y: Mapping[str, Any], node: str) -> dict[str, Any]:
    """Return {i: dy(j)/dy(i)} for the operands i of the equation of j = `node`, summed over appearances."""
    with np.errstate(all="ignore"):
        return derivatives_of_steps(expression, steps_of(expression, y, node), node)


def derivatives_of_steps(
    expression: Expression, v: list[Any], node: str, given: Mapping[tuple[int, int], Any] | None = None
) -> dict[str, Any]:
    """Return {i: dy(j)/dy(i)} from the values of the steps: the reverse sweep over the equation of j = `node`.

    `given` holds {(k, p): number or Jacobian}, derivatives of step k with respect to its operand p in place of the
    table's.
    """
    given = given or {}
    z: dict[str, Any] = dict.fromkeys(expression.operands, 0)
    S: list[Any] = [0] * len(v)
    S[-1] = ScaledIdentity(1.0, v[-1].size) if shape_of(v[-1]) else 1
    for k in reversed(range(len(v))):
        match expression.steps[k]:
            case Name(name):
                z[name] = plus(S[k], z[name])  # formulas then stand in the order of the text
            case Apply(_, operands) as step:
                x = [v[i] for i in operands]
                for p, o in enumerate(operands):
                    # Nobody reads the derivative with respect to a number, and it need not exist: that of x^2
                    # with respect to its exponent does not at x < 0.
                    if expression.varies[o]:
                        local = given[k, p] if (k, p) in given else _local_derivative(step, p, v[k], x, node)
                        S[o] = plus(_between(v[-1], v[o], after(S[k], local)), S[o])
    for i, total in z.items():
        if not isinstance(total, Jacobian) and not cmath.isfinite(total):
            raise EvaluationError(f"edge {i!r} -> {node!r}: the derivative of the equation overflows")
    return z


def _apply(step: Apply, x: list[Any], node: str, expression: Expression | None = None) -> Any:
    row: Any = row_of(step.operation)
    rule = functions_of(row)
    if any(type(operand) is np.ndarray for operand in x) or step.operation in ARRAY_OPERATIONS:
        _require_room(step, x, node, expression)
    try:
        if row.domain is not None and not holds(inside := rule.inside(*x)):
            raise EvaluationError(
                f"node {node!r}: {_show(step, x, inside)} is undefined; {name_of(step.operation)} takes {row.domain[1]}"
            )
        if row.is_own and not any(isinstance(operand, Fraction) for operand in x):
            value = _own_value_of(row, step, x, node)
        else:
            value = rule.value(*x, **dict(step.options))
        require_short(value)
    except TooLongError as error:
        raise EvaluationError(f"node {node!r}: {_show(step, x, True)} {error}") from None
    except (OverflowError, ZeroDivisionError):
        value = cmath.inf
    except np.linalg.LinAlgError as error:
        why = "not positive definite" if "definite" in str(error) else "singular"
        raise EvaluationError(f"node {node!r}: {_show(step, x, True)} is undefined; the matrix is {why}") from None
    except (ValueError, TypeError, IndexError, MemoryError) as error:  # shapes that do not fit
        raise EvaluationError(f"node {node!r}: {_misfit(step, x, expression, error)}") from None
    if not is_finite(value):
        raise EvaluationError(f"node {node!r}: {_show(step, x, np.ndim(value) and np.isfinite(value))} overflows")
    if 0 in shape_of(value):
        raise EvaluationError(f"node {node!r}: {_misfit(step, x, expression, 'the result is empty')}")
    return value


def _require_room(step: Apply, x: list[Any], node: str, expression: Expression | None) -> None:
    """Raise `LimitError` before a result is computed that has too many entries."""
    shape = result_shape(step, [shape_of(operand) for operand in x])
    count = math.prod(shape)
    now = limits_in_force()
    if count > now.entries or now.spent + count > now.total:
        words = written(expression)[expression.steps.index(step)] if expression else write_step(step, ["s"] * len(x))
        require_entries(count, f"node {node!r}: {shorten(words)} has the shape {shape}")


def result_shape(step: Apply, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Return the shape of a result, or of the largest array on the way to it.

    Shapes that do not fit give that of the largest operand: the operation itself says what does not fit.

    Examples
    --------
    >>> result_shape(Apply("matmul", (0, 1)), [(2, 3), (3, 4)]), result_shape(Apply("add", (0, 1)), [(3, 1), (4,)])
    ((2, 4), (3, 4))
    """
    row = ARRAY_OPERATIONS.get(step.operation)
    try:
        if row is not None and row.shape is not None:
            return row.shape(*shapes, **dict(step.options))
        return np.broadcast_shapes(*shapes) if len(shapes) > 1 else shapes[0]
    except (ValueError, IndexError, TypeError, ZeroDivisionError):
        return max(shapes, key=math.prod)


def _own_value_of(row: Any, step: Apply, x: list[Any], node: str) -> Any:
    """Return the value of a function of one's own, step by step: what cannot be computed in it is named."""
    try:
        return steps_of(parse(row.value), dict(zip(row.names, x, strict=True)), node)[-1]
    except EvaluationError as error:
        reason = str(error).removeprefix(f"node {node!r}: ")
        raise EvaluationError(f"node {node!r}: {_show(step, x, True)}: {reason}") from None


def _local_derivative(step: Apply, position: int, y: Any, x: list[Any], node: str) -> Any:
    """Return dy/dx_k of an operation, by its operand k = `position`: a number between numbers, else a Jacobian."""
    if step.operation not in ARRAY_OPERATIONS:
        return elementwise(_partial(step, position, y, x, node), shape_of(x[position]), shape_of(y))
    try:
        with np.errstate(divide="raise", over="raise", invalid="raise"):
            J = ARRAY_OPERATIONS[step.operation].jacobian(position, y, *map(np.asarray, x), **dict(step.options))
    except FloatingPointError:
        message = f"node {node!r}: the derivative of {_show(step, x, True)} is not finite"
        raise EvaluationError(message) from None
    return _between(y, x[position], J)


def _between(y: Any, x: Any, z: Any) -> Any:
    """Return `z`, a derivative of y with respect to x; between numbers it is a number."""
    return float(z.dense()[0, 0]) if isinstance(z, Jacobian) and not (shape_of(y) or shape_of(x)) else z


def _partial(step: Apply, position: int, y: Any, x: list[Any], node: str) -> Any:
    """Return the partial derivative of an elementwise operation, one number or one for each entry."""
    try:
        z = functions_of(OPERATIONS[step.operation]).derivatives[position](y, *x)
    except (OverflowError, ZeroDivisionError):
        z = cmath.inf
    if not is_finite(z):
        raise EvaluationError(f"node {node!r}: the derivative of {_show(step, x, np.isfinite(z))} is not finite")
    return z


def _show(step: Apply, x: list[Any], fine: Any) -> str:
    """Return the operation with its operands put in, as in ``log(-1)``; of elementwise ones, where it is not `fine`."""
    where = ""
    if np.ndim(fine) and step.operation in OPERATIONS:
        shape = np.broadcast_shapes(np.shape(fine), *map(np.shape, x))
        entry = tuple(np.argwhere(~np.broadcast_to(np.asarray(fine, bool), shape))[0].tolist())
        where = f" in entry [{', '.join(map(str, entry))}]"
        x = [np.broadcast_to(operand, shape)[entry] for operand in x]
    operands = [show_value(operand) for operand in x]
    if row_of(step.operation).infix:
        operands = [f"({o})" if o.startswith("-") else o for o in operands]
    return write_step(step, operands) + where


def _misfit(step: Apply, x: list[Any], expression: Expression | None, error: object) -> str:
    """Return what does not fit, in the words of the equation and with the shapes of the operands."""
    words = written(expression) if expression else ["s"]
    operands = [words[k] for k in step.operands]
    said = (f"{word} is {show_shape(operand)}" for word, operand in zip(operands, x, strict=True))
    shapes = ", ".join(dict.fromkeys(said))
    reason = "" if str(error).startswith(_FROM_NUMPY) else f"; {error}"
    whole = words[expression.steps.index(step)] if expression else write_step(step, operands)
    return f"{whole} does not fit: {shapes}{reason}"
