"""The computational graph: a networkx DiGraph whose nodes hold values, equations or weights."""

from __future__ import annotations

import math
import sys
from collections.abc import Hashable, Iterable, Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

import networkx as nx
from networkx.classes import reportviews

from cgraph.model.errors import CGraphError, CycleError, InvalidNodeError, NodeNotFound, nearest, shorten
from cgraph.model.language.expressions import Expression, Name
from cgraph.model.language.names import composed, unusable
from cgraph.model.language.parsing import parse, parse_assignments
from cgraph.model.operations.elementwise import ACTIVATIONS, name_of
from cgraph.model.rules.own_functions import definition_of
from cgraph.model.values import as_value, is_finite

if TYPE_CHECKING:
    _DiGraph = nx.DiGraph[Any]
else:
    _DiGraph = nx.DiGraph

__all__ = [
    "BIAS",
    "BIAS_RULE",
    "ComputationalGraph",
    "Node",
    "from_equations",
    "list_of_nodes",
    "require_node",
    "topological_order",
]

Node = Hashable
BIAS = "+1"  # the constant node whose weights are biases
BIAS_RULE = f"the node {BIAS!r}, whose weights are biases, is the constant 1 and nothing else"


class ComputationalGraph(_DiGraph):
    """A directed acyclic graph of variables, on which the functions of networkx work that read a graph.

    Nodes and edges hold parsed equations and structured Jacobians, too. `to_networkx` makes a plain graph, of text,
    numbers and arrays alone, for what writes graphs to files or gives nodes other names.

    A node has a ``role``: ``"input"``, ``"weight"``, ``"constant"`` (these hold a ``value``), ``"operation"``
    (these hold an ``equation``, its ``operands`` in order of appearance, and the parsed ``expression``) or
    ``"neuron"`` (these hold an ``activation`` and their ``operands``, and the edges into them a ``weight``). An edge
    (i, j) says that
    y(j) is computed from y(i). Edges may be added by hand with a ``derivative`` and nothing else; such nodes
    have no role.

    The graph is filled by `add_input`, `add_weight`, `add_constant`, `add_equation` and `add_neuron`; `linearize`
    returns the copy with a ``value`` on every node and a ``derivative`` on every edge that the algorithms read.

    Attributes
    ----------
    graph : dict
        ``title`` and ``outputs``, if given, stand here.

    Examples
    --------
    >>> G = ComputationalGraph()
    >>> G.add_input("x", 2.0)
    >>> G.add_weight("w", 0.5)
    >>> G.add_equation("y", "w * x^2 + x")
    >>> G.nodes["y"]["operands"]
    ('w', 'x', 'x')
    >>> list(G.edges)
    [('x', 'y'), ('w', 'y')]
    """

    # networkx keeps these views on the graph that they hold: such a ring, with the arrays on it, would stay in memory
    # until the garbage collector comes by. Made anew, a view takes a third of a microsecond.
    edges = out_edges = property(reportviews.OutEdgeView)
    in_edges = property(reportviews.InEdgeView)
    degree = property(reportviews.DiDegreeView)
    in_degree = property(reportviews.InDegreeView)
    out_degree = property(reportviews.OutDegreeView)

    def add_input(self, name: str, value: Any = None) -> None:
        """Add a variable that is given from outside.

        Parameters
        ----------
        name : str
            Any text without line breaks and ``->``; in equations, a name that is not an identifier is
            written ``y(5)`` or ``y("j-")``.
        value : number, array or nested lists, optional
            Its value, unless `evaluate` supplies one. An array is copied.

        Raises
        ------
        InvalidNodeError
            If the name is taken, or is a function, a constant or a Python keyword, or the value is no number.
        """
        self._add_source(name, "input", value)

    def add_weight(self, name: str, value: Any = None) -> None:
        """Add a parameter: a source like an input, which `weight_gradients` and descent look for."""
        self._add_source(name, "weight", value)

    def add_constant(self, name: str, value: Any) -> None:
        """Add a number with a name; unlike inputs and weights it cannot be overridden."""
        self._add_source(name, "constant", value)

    def add_equation(self, name: str, equation: str) -> None:
        """Add a node whose value is an equation in nodes that the graph already has.

        Parameters
        ----------
        name : str
            As in `add_input`.
        equation : str
            As read by `cgraph.model.language.parsing.parse`.

        Raises
        ------
        EquationError
            If the equation cannot be read.
        InvalidNodeError
            If the name is unusable or an operand is not in the graph; the nearest name is suggested.
        """
        self._require_new(name)
        if name == BIAS:
            raise InvalidNodeError(BIAS_RULE)
        if not isinstance(equation, str):
            raise InvalidNodeError(f"the equation of node {name!r} must be text, not {equation!r}")
        equation = composed(equation)
        expression = parse(equation, self.functions)
        self._require_defined(name, [step.name for step in undefined(expression, self)])
        self.add_node(name, role="operation", equation=equation, operands=expression.operands, expression=expression)
        self.add_edges_from((i, name) for i in dict.fromkeys(expression.operands))

    def add_function(self, head: str, equation: str) -> None:
        """Let the equations of the graph use a function of your own.

        Parameters
        ----------
        head : str
            Its name and its operands, as in ``"swish(x, b)"``.
        equation : str
            What it stands for: elementary operations on its operands, and functions that were added before.

        Raises
        ------
        EquationError
            If the equation cannot be read, calls the function itself, or uses what is no operand.
        InvalidNodeError
            If the name or an operand is unusable, or the name is that of a node or another function.

        See Also
        --------
        register_operation : the same for all graphs.

        Examples
        --------
        >>> G = ComputationalGraph()
        >>> G.add_function("swish(x, b)", "x * sigmoid(b * x)")
        >>> G.add_input("u", 1.0)
        >>> G.add_equation("v", "2 * swish(u, 0)")
        """
        definition = definition_of(head, equation, self.functions)
        name = name_of(definition)
        if name in self:
            raise InvalidNodeError(f"the function {name!r} has the name of a node")
        self.graph["functions"] = {**self.graph.get("functions", {}), name: definition}

    @property
    def functions(self) -> tuple[str, ...]:
        """The definitions of the functions of its own."""
        return tuple(self.graph.get("functions", {}).values())

    def add_neuron(
        self, name: str, *, activation: str, weights: Mapping[str, float], bias: float | None = None
    ) -> None:
        """Add a neuron: y(j) = Phi(s(j)), s(j) = sum of w_ij y(i).

        Parameters
        ----------
        name : str
            As in `add_input`.
        activation : str
            Phi, one of `ACTIVATIONS`.
        weights : dict
            ``{i: w_ij}`` for the nodes i that feed the neuron; they stand on the edges (i, j) as ``weight``.
        bias : float, optional
            The weight of an edge from the constant node ``"+1"``, which is added when it is first needed.

        Raises
        ------
        InvalidNodeError
            If the name is unusable, the activation unknown, a weight no number, or a node i not in the graph.

        Examples
        --------
        >>> G = ComputationalGraph()
        >>> G.add_input("x", 2.0)
        >>> G.add_neuron("h", activation="relu", weights={"x": 0.5}, bias=-0.25)
        >>> list(G.edges(data="weight"))
        [('x', 'h', 0.5), ('+1', 'h', -0.25)]
        """
        self._require_new(name)
        if activation not in ACTIVATIONS:
            hint = nearest(str(activation), ACTIVATIONS)
            raise InvalidNodeError(
                f"neuron {name!r} has the activation {activation!r}, which is not known; "
                + (f"did you mean {hint!r}?" if hint else f"the activations are {', '.join(ACTIVATIONS)}")
            )
        if not isinstance(weights, Mapping):
            raise InvalidNodeError(
                f"the weights of neuron {name!r} must be a mapping from nodes to numbers, not {weights!r}"
            )
        self._require_defined(name, [i for i in weights if i not in self])
        numbers = {i: _number(f"the weight {i!r} -> {name!r}", w) for i, w in weights.items()}
        if bias is not None:
            if BIAS in weights:
                raise InvalidNodeError(f"neuron {name!r} has its bias twice: as bias, and as the weight of {BIAS!r}")
            numbers[BIAS] = _number(f"the bias of {name!r}", bias)
            if "role" not in self.nodes.get(BIAS, {}):
                self.add_constant(BIAS, 1.0)
        self.add_node(name, role="neuron", activation=activation, operands=tuple(numbers))
        self.add_edges_from((i, name, {"weight": w}) for i, w in numbers.items())

    @property
    def inputs(self) -> list[str]:
        """The nodes that are given from outside: inputs, and sources that have no role."""
        return [i for i, d in self.nodes(data=True) if d.get("role", "" if self.pred[i] else "input") == "input"]

    @property
    def weights(self) -> list[str]:
        """The nodes with the role of a weight."""
        return [i for i, d in self.nodes(data=True) if d.get("role") == "weight"]

    @property
    def outputs(self) -> list[str]:
        """The nodes declared as outputs, or else the computed nodes that feed no other."""
        declared: list[str] = self.graph.get("outputs", [])
        require_node(self, *declared)
        computed = (i for i, d in self.nodes(data=True) if self.pred[i] or d.get("role") in {"operation", "neuron"})
        return declared or [i for i in computed if not self.succ[i]]

    def _repr_svg_(self) -> str | None:
        """Return a picture for notebooks, or None: without the extra ``draw``, or where there is a cycle."""
        package: Any = sys.modules[
            __name__.partition(".")[0]
        ]  # the model must not import pictures, which stand above it
        try:
            picture: str = package.draw(self)._repr_svg_()
        except CGraphError:
            return None
        return picture

    def _add_source(self, name: str, role: str, value: object) -> None:
        self._require_new(name)
        if name == BIAS and not (role == "constant" and isinstance(value, Real) and value == 1):
            raise InvalidNodeError(BIAS_RULE)
        self.add_node(name, role=role, value=None if value is None else _value(f"{role} {name!r}", value))

    def _require_new(self, name: object) -> None:
        if reason := unusable(name):
            raise InvalidNodeError(reason)
        if name in self.graph.get("functions", {}):
            raise InvalidNodeError(f"a node cannot be named {name!r}: {name!r} is a function")
        if "role" in self.nodes.get(name, {}):
            raise InvalidNodeError(f"node {name!r} is defined twice")

    def _require_defined(self, name: str, missing: Sequence[str]) -> None:
        for i in missing:
            hint = nearest(str(i), map(str, self))
            raise InvalidNodeError(
                f"node {name!r} uses {i!r}, which is not defined"
                + (f"; did you mean {hint!r}?" if hint else "; add it first, with add_input or add_equation")
            )


def from_equations(equations: str, /, **values: Any) -> ComputationalGraph:
    """Build a graph from one line of text.

    Parameters
    ----------
    equations : str
        ``"a = x*z; y = exp(a)"``, separated by semicolons or line ends, in any order.
    **values
        The inputs and their values, numbers or arrays.

    Returns
    -------
    ComputationalGraph
        The inputs first, then the equations in the order of the text.

    Raises
    ------
    EquationError, InvalidNodeError, CycleError
        As `ComputationalGraph.add_equation`; a name that is neither defined nor given is an error.

    Examples
    --------
    >>> G = from_equations("y = exp(a) + a/log(x); a = x*z", x=2.0, z=3.0)
    >>> list(G), G.inputs, G.outputs
    (['x', 'z', 'y', 'a'], ['x', 'z'], ['y'])
    """
    if not isinstance(equations, str):
        raise InvalidNodeError(f"equations must be text, as in 'a = x*z; y = exp(a)', not {equations!r}")
    G = ComputationalGraph()
    for name, value in values.items():
        G.add_input(name, value)
    pairs = parse_assignments(composed(equations))
    # The names stand in the graph before the equations do, so that the order of the text is free.
    G.add_nodes_from(name for name, _ in pairs)
    for name, equation in pairs:
        for step in undefined(parse(equation, G.functions), G):
            hint = nearest(step.name, map(str, G))
            raise InvalidNodeError(
                f"node {name!r} uses {step.name!r}, which has neither an equation nor a value; "
                + (f"did you mean {hint!r}?" if hint else f"give it one, as in {step.name}=1.0")
            )
        G.add_equation(name, equation)
    topological_order(G)
    return G


def undefined(expression: Expression, names: Iterable[object]) -> list[Name]:
    """Return the steps of `expression` that read a node which is not among `names`."""
    known = names if isinstance(names, nx.Graph | set | dict) else set(names)
    return [step for step in expression.steps if isinstance(step, Name) and step.name not in known]


def _value(what: str, value: object) -> Any:
    try:
        number = as_value(value)
    except (TypeError, ValueError) as error:
        raise InvalidNodeError(f"{what} has the value {shorten(repr(value))}, which {error}") from None
    if not is_finite(number):
        raise InvalidNodeError(f"{what} has the value {shorten(repr(value))}, which is not finite")
    return number


def _number(what: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise InvalidNodeError(f"{what} has the value {value!r}, which is not a number")
    if not math.isfinite(value):
        raise InvalidNodeError(f"{what} has the value {value!r}, which is not finite")
    return float(value)


def list_of_nodes(nodes: Iterable[Node]) -> list[Any]:
    """Return `nodes` as a list, or raise `CGraphError` if they are one name, whose letters would be looked up."""
    if isinstance(nodes, str) or not isinstance(nodes, Iterable):
        raise CGraphError(f"a list of nodes is needed; write [{nodes!r}]")
    return list(nodes)


def require_digraph(G: nx.DiGraph[Any]) -> None:
    """Raise `CGraphError` unless `G` is a networkx DiGraph with at most one edge from node to node."""
    if not isinstance(G, nx.DiGraph) or G.is_multigraph():
        raise CGraphError(
            f"a networkx.DiGraph is needed, not {type(G).__name__}; parallel edges become one edge "
            f"that holds the sum of their derivatives"
        )


def require_node(G: nx.DiGraph[Any], *nodes: Node) -> None:
    """Raise `NodeNotFound` unless every one of `nodes` is in `G`."""
    for node in nodes:
        if node not in G:
            raise NodeNotFound(node, G)


def topological_order(G: nx.DiGraph[Any]) -> list[Any]:
    """Return the nodes of `G`, in topological order.

    Raises
    ------
    CycleError
        With the nodes of one cycle, if there is no such order.

    Notes
    -----
    Kahn's algorithm, O(V + E).

    Examples
    --------
    >>> topological_order(nx.DiGraph([("a", "y"), ("x", "a")]))
    ['x', 'a', 'y']
    """
    try:
        return list(nx.topological_sort(G))
    except nx.NetworkXUnfeasible:
        cycle = [tail for tail, _ in nx.find_cycle(G)]
        raise CycleError([*cycle, cycle[0]]) from None
