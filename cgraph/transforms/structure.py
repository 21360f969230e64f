"""Transforms of the structure alone: nodes as edges, parts of a graph, constants, and edges that carry nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import networkx as nx
import numpy as np

from cgraph.model.errors import CGraphError
from cgraph.model.evaluation import evaluate, is_computed
from cgraph.model.graph import ComputationalGraph, require_node, topological_order
from cgraph.model.language.expressions import write_name
from cgraph.model.linearized import edge_derivative, nodes_between, size_of
from cgraph.transforms.rebuilding import Builder, transform

Graph = TypeVar("Graph", bound="nx.DiGraph[Any]")

__all__ = ["drop_zero_edges", "fold_constants", "merge_nodes", "restrict", "split_nodes"]


@transform
def split_nodes(G: ComputationalGraph, nodes: Iterable[str] | None = None) -> ComputationalGraph:
    """Return the graph with nodes replaced by edges: what led into i leads into "i.in", what left i leaves "i.out".

    Parameters
    ----------
    G : ComputationalGraph
        Not modified.
    nodes : iterable of nodes, optional
        The nodes to split; by default all of them.

    Returns
    -------
    ComputationalGraph
        The edge ("i.in", "i.out") has the derivative 1, of an array the identity; the `origin` of both is i.

    Raises
    ------
    CGraphError
        If a node is not in `G`, a name is taken, or `G` has a cycle.

    See Also
    --------
    merge_nodes : the inverse.

    Notes
    -----
    O(V + E). The node-splitting of network flows, where a node's capacity becomes an edge's (MATH 565, lecture
    26).

    Examples
    --------
    >>> from cgraph import from_equations
    >>> list(split_nodes(from_equations("y = 2*x", x=3.0)).edges)
    [('x.out', 'y.in'), ('x.in', 'x.out'), ('y.in', 'y.out')]
    """
    chosen = list(G if nodes is None else nodes)
    require_node(G, *chosen)
    for taken in (f"{i}{end}" for i in chosen for end in (".in", ".out")):
        if taken in G:
            raise CGraphError(f"{taken.rpartition('.')[0]!r} cannot be split: there is a node {taken!r} already")
    build = Builder(G, {i: f"{i}.out" for i in chosen})
    for i in G:
        if i not in build.names:
            build.keep(i)
            continue
        entry = f"{i}.in"
        build.declare(entry, G.nodes[i]["origin"])
        build.keep_as(i, entry)
        if "role" in G.nodes[i]:
            build.H.add_equation(build.name(i), write_name(entry))
        else:
            size = size_of(G, i, "derivative")
            build.H.add_edge(entry, build.name(i), derivative=1.0 if size is None else np.eye(size))
    return build.with_same_outputs()


@transform
def merge_nodes(G: ComputationalGraph) -> ComputationalGraph:
    """Return the graph with the ends "i.in" and "i.out" merged to i: the inverse of `split_nodes`.

    Parameters
    ----------
    G : ComputationalGraph
        Not modified.

    Returns
    -------
    ComputationalGraph
        i stands wherever "i.out" did; its `origin` is that of "i.out".

    Raises
    ------
    CGraphError
        If a name i is taken, or `G` has a cycle.

    Notes
    -----
    O(V + E).

    Examples
    --------
    >>> from cgraph import from_equations
    >>> list(merge_nodes(split_nodes(from_equations("y = 2*x", x=3.0))).edges)
    [('x', 'y')]
    """
    pairs: dict[str, str] = {
        i: f"{i[:-4]}.in" for i in G if isinstance(i, str) and i.endswith(".out") and _is_copy_of(G, i, f"{i[:-4]}.in")
    }
    for whole in (i[:-4] for i in pairs):
        if whole in G:
            raise CGraphError(f"the ends of {whole!r} cannot be merged: there is a node {whole!r} already")
    entries = set(pairs.values())
    build = Builder(G, {i: i[:-4] for i in pairs}, parts=dict.fromkeys(entries, ()))
    for i in G:
        if i not in entries:
            build.keep_as(pairs.get(i) or i, build.name(i))
    outputs = build.H.graph.pop("outputs", None)
    if outputs not in (None, build.H.outputs):  # `split_nodes` declares them where an unused input became a sink
        build.H.graph["outputs"] = outputs
    return build.H


@transform
def restrict(G: ComputationalGraph, s: str, t: str) -> ComputationalGraph:
    """Return what lies between `s` and `t`.

    Parameters
    ----------
    G : ComputationalGraph
        Not modified.
    s, t : str
        Both ends.

    Returns
    -------
    ComputationalGraph
        The nodes on paths from `s` to `t`; a computed `s` becomes an input. Other nodes that their equations and
        neurons read become constants.

    Raises
    ------
    CGraphError
        If `s` or `t` is not in `G`, or no path leads from `s` to `t`; as `evaluate`, where values are needed.

    Notes
    -----
    O(V + E).

    Examples
    --------
    >>> from cgraph import from_equations
    >>> H = restrict(from_equations("a = x*z; b = z^2; y = a + b", x=2.0, z=3.0), "a", "y")
    >>> list(H.nodes(data="role"))
    [('a', 'input'), ('b', 'constant'), ('y', 'operation')]
    """
    require_node(G, s, t)
    between = set(nodes_between(G, s, t))
    if not between:
        raise CGraphError(f"no path leads from {s!r} to {t!r}, so nothing lies between them")
    computed = {j for j in between - {s} if is_computed(G, j)}
    fixed = {i for j in computed for i in G.predecessors(j)} - between
    y = evaluate(G) if computed or is_computed(G, s) else {}
    H = G.subgraph(between | fixed).copy()
    H.remove_edges_from([(i, j) for i, j in G.edges if j in fixed | {s} or (i in fixed and j not in computed)])
    H.graph["outputs"] = [t]
    if is_computed(G, s):
        _become(H, s, "input", y[s])
    for i in fixed:
        _become(H, i, "constant", y[i])
    return H


@transform
def fold_constants(G: ComputationalGraph) -> ComputationalGraph:
    """Return the graph with equations that read nothing but constants replaced by their values.

    Parameters
    ----------
    G : ComputationalGraph
        Not modified.

    Returns
    -------
    ComputationalGraph
        Such nodes are constants, and what they read is gone. An equation stays if a constant that it reads is
        read by another equation that stays, or is a declared output: their sensitivities would change. Neurons
        stay as they are: their weights are parameters.

    Raises
    ------
    CGraphError
        As `evaluate`.

    Notes
    -----
    O(V + E).

    Examples
    --------
    >>> G = ComputationalGraph()
    >>> G.add_constant("g", 9.81)
    >>> G.add_input("t", 2.0)
    >>> G.add_equation("half", "g/2")
    >>> G.add_equation("s", "half * t^2")
    >>> list(fold_constants(G).nodes(data="role"))
    [('t', 'input'), ('half', 'constant'), ('s', 'operation')]
    """
    folded = _foldable(G)
    y = evaluate(G) if folded else {}
    H = G.copy()
    H.remove_nodes_from([k for i in folded for k in G.predecessors(i)])
    for i in folded:
        if i in H:
            _become(H, i, "constant", y[i])
    return _with_outputs_of(G, H)


def drop_zero_edges(G: Graph, *, derivative: str = "derivative") -> Graph:
    """Return the linearized graph without the edges whose derivative is zero.

    Parameters
    ----------
    G : networkx.DiGraph
        Linearized. Not modified.
    derivative : str, default "derivative"
        The edge attribute that holds z.

    Returns
    -------
    networkx.DiGraph
        Of the type of `G`. A graph of given derivatives: an edge is zero at one point only, so there are no
        equations any more. Inputs and outputs stay; sources keep their values; a node that no edge leads into any
        more is a constant. An edge that holds a Jacobian goes if every entry is zero.

    Raises
    ------
    CGraphError
        If an edge holds no finite derivative.

    Notes
    -----
    O(V + E). Every S stays as it was.

    Examples
    --------
    >>> from cgraph import from_equations, linearize
    >>> L = linearize(from_equations("a = relu(x); y = a + z", x=-1.0, z=3.0))
    >>> list(drop_zero_edges(L).edges(data="derivative"))
    [('z', 'y', 1.0), ('a', 'y', 1.0)]
    """
    z = edge_derivative(G, derivative)
    H = type(G)(**G.graph)
    for i, data in G.nodes(data=True):
        kept = {key: data[key] for key in ("role", "value") if key in data and not is_computed(G, i)}
        H.add_node(i, **kept, origin=data.get("origin", i))
    for i, j, data in G.edges(data=True):
        if np.any(np.asarray(z(i, j)) != 0):
            H.add_edge(i, j, **{key: value for key, value in data.items() if key != "weight"})
    for i in G:
        if not H.pred[i] and (G.pred[i] or is_computed(G, i)):
            _become(H, i, "constant", G.nodes[i].get("value"))
    return _with_outputs_of(G, H)


def _with_outputs_of(G: Graph, H: Graph) -> Graph:
    """Return `H`, its outputs declared to be those of `G` where they would be others."""
    if isinstance(G, ComputationalGraph) and isinstance(H, ComputationalGraph) and H.outputs != G.outputs:
        H.graph["outputs"] = G.outputs
    return H


def _foldable(G: ComputationalGraph) -> set[str]:
    """Return the equations that can be folded with everything that they read."""
    fixed: set[str] = set()
    for i in topological_order(G):
        role = G.nodes[i].get("role")
        if role == "constant" or (role == "operation" and all(k in fixed for k in G.predecessors(i))):
            fixed.add(i)
    folded = {i for i in fixed if G.nodes[i]["role"] == "operation"}
    # If a node is read by what is not folded, or is a declared output, every equation that reads it has to stay.
    staying = [i for i in fixed if i in G.graph.get("outputs", []) or any(j not in folded for j in G.successors(i))]
    stays = set(staying)
    while staying:
        for j in folded.intersection(G.successors(staying.pop())):
            folded.discard(j)
            new = {j, *G.predecessors(j)} - stays  # j is an equation again, and reads these
            stays |= new
            staying += new
    return folded


def _become(H: nx.DiGraph[Any], i: str, role: str, value: Any) -> None:
    """Turn a node into a source that holds a value."""
    origin = H.nodes[i]["origin"]
    H.nodes[i].clear()
    H.nodes[i].update(role=role, value=value, origin=origin)


def _is_copy_of(G: ComputationalGraph, i: str, entry: str) -> bool:
    """Whether node `i` does nothing but pass on `entry`, which nothing else reads."""
    if list(G.predecessors(i)) != [entry] or list(G.successors(entry)) != [i]:
        return False
    if G.nodes[i].get("equation") == write_name(entry):
        return True
    z = G.edges[entry, i].get("derivative")
    size = size_of(G, i, "derivative")
    return z is not None and np.array_equal(z, 1.0 if size is None else np.eye(size))
