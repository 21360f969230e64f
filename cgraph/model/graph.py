"""What a computational graph is: a networkx DiGraph whose nodes know how their value comes about."""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable, Iterable
from numbers import Real
from typing import TYPE_CHECKING, Any

import networkx as nx

from cgraph.model.errors import CycleError, InvalidNodeError, NodeNotFound, nearest
from cgraph.model.expressions import Expression, Name, parse, parse_assignments, reserved

if TYPE_CHECKING:
    _DiGraph = nx.DiGraph[Any]
else:
    _DiGraph = nx.DiGraph

__all__ = ["ComputationalGraph", "Node", "from_equations", "require_node", "topological_order"]

Node = Hashable
MAX_NAME = 200


class ComputationalGraph(_DiGraph):
    """A directed acyclic graph of variables; every networkx function works on it.

    A node has a ``role``: ``"input"``, ``"weight"``, ``"constant"`` (these hold a ``value``) or
    ``"operation"`` (these hold an ``equation``, its ``operands`` in order of appearance, and the parsed
    ``expression``). An edge (i, j) says that y(i) stands in the equation of j. Edges may be added by hand with a
    ``derivative`` and no equation at all; such nodes have no role.

    The graph is filled by `add_input`, `add_weight`, `add_constant` and `add_equation`; `linearize` returns the
    copy with a ``value`` on every node and a ``derivative`` on every edge that the algorithms read.

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

    def add_input(self, name: str, value: float | None = None) -> None:
        """Add a variable that is given from outside.

        Parameters
        ----------
        name : str
            Any text without line breaks and ``->``; in equations, a name that is not an identifier is
            written ``y(5)`` or ``y("j-")``.
        value : number, optional
            Its value, unless `evaluate` supplies one.

        Raises
        ------
        InvalidNodeError
            If the name is taken, or is a function, a constant or a Python keyword, or the value is no number.
        """
        self._add_source(name, "input", value)

    def add_weight(self, name: str, value: float | None = None) -> None:
        """Add a parameter: a source like an input, which `weight_gradients` and descent look for."""
        self._add_source(name, "weight", value)

    def add_constant(self, name: str, value: float) -> None:
        """Add a number with a name; unlike inputs and weights it cannot be overridden."""
        self._add_source(name, "constant", value)

    def add_equation(self, name: str, equation: str) -> None:
        """Add a node whose value is an equation in nodes that the graph already has.

        Parameters
        ----------
        name : str
            As in `add_input`.
        equation : str
            As read by `cgraph.model.expressions.parse`.

        Raises
        ------
        EquationError
            If the equation cannot be read.
        InvalidNodeError
            If the name is unusable or an operand is not in the graph; the nearest name is suggested.
        """
        self._require_new(name)
        expression = parse(equation)
        for step in undefined(expression, self):
            hint = nearest(step.name, map(str, self))
            raise InvalidNodeError(
                f"node {name!r} uses {step.name!r}, which is not defined"
                + (f"; did you mean {hint!r}?" if hint else "; add it first, with add_input or add_equation")
            )
        self.add_node(name, role="operation", equation=equation, operands=expression.operands, expression=expression)
        self.add_edges_from((i, name) for i in dict.fromkeys(expression.operands))

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
        return declared or [i for i in self if self.pred[i] and not self.succ[i]]

    def _add_source(self, name: str, role: str, value: object) -> None:
        self._require_new(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, Real)):
            raise InvalidNodeError(f"{role} {name!r} has the value {value!r}, which is not a number")
        self.add_node(name, role=role, value=float(value) if isinstance(value, Real) else None)

    def _require_new(self, name: object) -> None:
        if reason := unusable(name):
            raise InvalidNodeError(reason)
        if "role" in self.nodes.get(name, {}):
            raise InvalidNodeError(f"node {name!r} is defined twice")


def from_equations(equations: str, **values: float) -> ComputationalGraph:
    """Build a graph from one line of text.

    Parameters
    ----------
    equations : str
        ``"a = x*z; y = exp(a)"``, separated by semicolons or line ends, in any order.
    **values
        The inputs and their values.

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
    G = ComputationalGraph()
    for name, value in values.items():
        G.add_input(name, value)
    pairs = parse_assignments(equations)
    # The names stand in the graph before the equations do, so that the order of the text is free.
    G.add_nodes_from(name for name, _ in pairs)
    for name, equation in pairs:
        for step in undefined(parse(equation), G):
            raise InvalidNodeError(f"node {name!r} uses {step.name!r}, which has neither an equation nor a value")
        G.add_equation(name, equation)
    topological_order(G)
    return G


def undefined(expression: Expression, names: Iterable[object]) -> list[Name]:
    """Return the steps of `expression` that read a node which is not among `names`."""
    known = names if isinstance(names, nx.Graph | set | dict) else set(names)
    return [step for step in expression.steps if isinstance(step, Name) and step.name not in known]


def unusable(name: object) -> str:
    """Return why `name` cannot name a node, or "".

    Examples
    --------
    >>> unusable("h1"), unusable("a -> b")
    ('', "a node cannot be named 'a -> b': '->' separates the ends of an edge")
    """
    if not isinstance(name, str):
        return f"a node's name is text, not {name!r}; write {str(name)!r}"
    if reason := reserved(name):
        return f"a node cannot be named {name!r}: {reason}; for instance {name + '_'!r} would do"
    if not name or name != name.strip():
        return f"a node cannot be named {name!r}: it is empty, or begins or ends with a space"
    if len(name) > MAX_NAME:
        return f"a node's name of {len(name):,} characters is too long; the limit is {MAX_NAME}"
    if "->" in name:
        return f"a node cannot be named {name!r}: '->' separates the ends of an edge"
    if any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in name):
        return f"a node cannot be named {name!r}: it holds a control character"
    return ""


def require_node(G: nx.DiGraph[Any], *nodes: Node) -> None:
    """Raise `NodeNotFound` unless every one of `nodes` is in `G`."""
    for node in nodes:
        if node not in G:
            raise NodeNotFound(node, G)


def topological_order(G: nx.DiGraph[Any]) -> list[Any]:
    """Return the nodes of `G`, tails before heads.

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
