"""From a networkx graph to a compiled one: one walk over its adjacency."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

import networkx as nx
import numpy as np

from cgraph.algorithms.compiled.arrays import CompiledArrays, holds_arrays
from cgraph.algorithms.compiled.compiled_graph import CompiledGraph
from cgraph.algorithms.compiled.tape import Tape, holds_equations
from cgraph.model.errors import CGraphError, DerivativeError
from cgraph.model.graph import ComputationalGraph, Node
from cgraph.model.holding import held
from cgraph.model.linearized import edge_derivative, require_digraph
from cgraph.model.operations.structured_jacobians import Jacobian

__all__ = ["compile_floats", "compile_graph"]


def compile_graph(
    L: nx.DiGraph[Any], *, derivative: str = "derivative", hold: Mapping[str, Any] | None = None, dtype: str = "float64"
) -> Any:
    """Freeze a linearized graph, or the equations and neurons of one that is not, into arrays.

    Parameters
    ----------
    L : networkx.DiGraph
        Acyclic; edge (i, j) holds z(i,j) = dy(j)/dy(i), a real number. Or a ComputationalGraph of equations and
        neurons, whose edges hold no derivatives yet. Not modified, and not referred to later.
    derivative : str, default "derivative"
        The edge attribute that holds z.
    hold : dict, optional
        Values at which computed nodes of equations and neurons are held, as in `evaluate`.
    dtype : {"float64", "float32"}
        What a graph of arrays computes in.

    Returns
    -------
    CompiledGraph, or CompiledArrays for equations between arrays
        Its nodes and edges stand in the order of ``L.nodes`` and ``L.edges``. If the edges hold derivatives it
        answers what the linearized graph does; made of equations and neurons it has
        `CompiledGraph.evaluate`, `CompiledGraph.gradient`, `CompiledGraph.weight_gradients` and
        `CompiledGraph.value_and_gradient`.

    Raises
    ------
    MissingDerivativeError, DerivativeError
        If an edge holds no derivative, or one that is not a finite real number.
    CycleError
        If `L` has a cycle.

    See Also
    --------
    CompiledGraph.from_edges : the same from arrays, without networkx.

    Notes
    -----
    O(V + E), one walk over the adjacency; less than one of the sweeps over dicts.

    Examples
    --------
    >>> G = nx.DiGraph()
    >>> G.add_weighted_edges_from([("x", "a", 2.0), ("a", "y", 5.0), ("x", "y", 3.0)], "derivative")
    >>> C = compile_graph(G)
    >>> C.nodes, C.sensitivities("y")  # S(x,y) = 5*2 along x-a-y, plus 3 along x-y
    (('x', 'a', 'y'), array([13.,  5.,  1.]))
    """
    require_digraph(L)
    if hold:
        L = _held(L, hold, derivative)
    degrees, heads, values = _edges(L, derivative)
    if isinstance(L, ComputationalGraph) and all(z is None for z in values) and holds_arrays(L):
        return CompiledArrays(L, dtype=dtype)
    if dtype != "float64":
        raise CGraphError(f"dtype = {dtype!r}: a compiled graph of numbers computes in float64")
    if isinstance(L, ComputationalGraph) and all(z is None for z in values) and holds_equations(L):
        return _frozen(tuple(L), degrees, heads, None if values else values, Tape(L))  # no edge lacks its derivative
    if not _are_floats(values):
        z = edge_derivative(L, derivative)
        values = [_real(z(i, j), i, j, derivative) for i, j in L.edges]
    return _frozen(tuple(L), degrees, heads, values)


def _held(G: nx.DiGraph[Any], hold: Mapping[str, Any], derivative: str) -> ComputationalGraph:
    if not isinstance(G, ComputationalGraph) or any(z is not None for _, _, z in G.edges(data=derivative)):
        raise CGraphError("hold needs a graph of equations; of a linearized one it is linearize that takes hold")
    return held(G, hold)


def compile_floats(G: nx.DiGraph[Any], derivative: str, smallest: float) -> CompiledGraph | None:
    """Return `G` compiled; None if an edge holds something else than 0.0 and finite floats from `smallest` on."""
    degrees, heads, values = _edges(G, derivative)
    if not _are_floats(values):
        return None
    z = np.abs(np.array(values))
    if np.any((z < smallest) & (z != 0)):
        return None
    try:
        return _frozen(tuple(G), degrees, heads, values)
    except CGraphError:
        return None


def _edges(L: nx.DiGraph[Any], derivative: str) -> tuple[list[int], list[Any], list[Any]]:
    """Return how many edges leave each node, their heads, and what they hold: one walk over the adjacency."""
    degrees: list[int] = []
    heads: list[Any] = []
    data: list[dict[str, Any]] = []
    for _, row in L.adjacency():
        degrees.append(len(row))
        heads += row
        data += row.values()
    return degrees, heads, [attributes.get(derivative) for attributes in data]


def _are_floats(values: list[Any]) -> bool:
    return set(map(type, values)) <= {float}


def _frozen(
    nodes: tuple[Any, ...], degrees: list[int], heads: list[Any], values: list[float] | None, tape: Tape | None = None
) -> CompiledGraph:
    position = dict(zip(nodes, range(len(nodes)), strict=True))
    return CompiledGraph(
        nodes,
        np.repeat(np.arange(len(nodes), dtype=np.uint32), degrees),
        np.fromiter(map(position.__getitem__, heads), np.uint32, len(heads)),
        None if values is None else np.array(values, np.float64),
        tape,
    )


def _real(value: Any, i: Node, j: Node, derivative: str) -> float:
    try:
        if isinstance(value, Real):  # a Fraction, for one
            return float(value)
    except OverflowError:
        pass
    edge = f"edge {i!r} -> {j!r} holds"
    if isinstance(value, Jacobian):
        m, n = value.shape
        raise DerivativeError(
            f"{edge} a {m} x {n} Jacobian; a compiled graph holds numbers, which scalarize(G) makes of it"
        )
    raise DerivativeError(
        f"{edge} {value!r} as {derivative!r}; a compiled graph holds floats, "
        f"sensitivities(G, t) takes numbers of other types"
    )
