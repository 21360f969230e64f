"""From the loss to the weights: Delta(i) = dJ/dy(i), and the three factors of dJ/dw_ij.

Delta(t_k) starts from dJ/dy(t_k), Delta(i) = sum over edges (i,j) of Delta(j) z(i,j), and for the weight of an edge
into neuron j, dJ/dw_ij = Delta(j) Phi'(s(j)) y(i).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, NamedTuple

import networkx as nx
import numpy as np

from cgraph.algorithms.sweeps import reverse_sweep
from cgraph.model.errors import DerivativeError, MissingDerivativeError
from cgraph.model.graph import Node, require_node, topological_order
from cgraph.model.linearized import (
    as_result,
    edge_derivative,
    finished,
    in_shape_of,
    node_sizes,
    require_digraph,
    size_of,
)
from cgraph.model.values import as_value, show_shape

__all__ = ["GradientFactors", "gradient_factors", "loss_sensitivities", "weight_gradients"]


class GradientFactors(NamedTuple):
    """The factors of dJ/dw_ij, in the order of the formula."""

    downstream: Any  # Delta(j) = S(j, J)
    gate: Any  # Phi'(s(j))
    upstream: Any  # y(i)

    @property
    def product(self) -> Any:
        """The gradient dJ/dw_ij; where the neuron works on arrays, summed over their entries."""
        terms = self.downstream * self.gate * self.upstream
        return float(np.sum(terms)) if isinstance(terms, np.ndarray) else terms


def loss_sensitivities(
    G: nx.DiGraph[Any], seeds: Node | Mapping[Any, Any], *, derivative: str = "derivative"
) -> dict[Any, Any]:
    """Return Delta(i) = dJ/dy(i) for every node i, from the loss or from its derivatives with respect to the outputs.

    Parameters
    ----------
    G : networkx.DiGraph
        Acyclic; edge (i, j) holds z(i,j). Not modified.
    seeds : node or dict
        The node of J, or ``{t_k: dJ/dy(t_k)}`` for the outputs that stand in the loss, in the shape of y(t_k); a node
        may be an output and feed another.
    derivative : str, default "derivative"
        The edge attribute that holds z.

    Returns
    -------
    dict
        ``{i: Delta(i)}`` in the order of `G`, each in the shape of y(i); flat where no value says the shape.

    Raises
    ------
    NodeNotFound
        If an output is not in `G`.
    DerivativeError
        If a seed is not a finite number for each entry of y(t_k), or a node of J is no number.
    CGraphError
        As `sensitivities`.

    Notes
    -----
    One reverse sweep, O(V + E), for any number of outputs (MATH 565, lecture 26).

    Examples
    --------
    >>> G = nx.DiGraph()
    >>> G.add_weighted_edges_from([("x", "o1", 2.0), ("x", "o2", 5.0)], "derivative")
    >>> loss_sensitivities(G, {"o1": 0.3, "o2": -1.0})  # 0.3*2 - 1*5
    {'x': -4.4, 'o1': 0.3, 'o2': -1.0}
    """
    require_digraph(G)
    seeds = _seeds(G, seeds)
    require_node(G, *seeds)
    Delta = _sweep(G, seeds, topological_order(G), derivative)
    return {i: Delta[i] for i in G}


def _sweep(G: nx.DiGraph[Any], seeds: Mapping[Any, Any], order: Sequence[Any], derivative: str) -> dict[Any, Any]:
    """Return Delta(i) of the nodes of `order`, in topological order: all, or all that some of them lead to."""
    rows = {t: _row(G, t, seed, derivative) for t, seed in seeds.items()}
    Delta = reverse_sweep(G, order, rows, edge_derivative(G, derivative))
    size = node_sizes(G, derivative)
    found = finished({(i,): as_result(S, size, i, None) for i, S in Delta.items()}, "Delta")
    return {i: in_shape_of(G, i, S) for i, S in zip(Delta, found, strict=True)}


def _from_weights(G: nx.DiGraph[Any]) -> list[Any]:
    """Return the weights, the neurons and all that they lead to, in topological order: what a loss depends on weights by."""
    reached: dict[Any, None] = {}
    for i in topological_order(G):
        if G.nodes[i].get("role") in {"weight", "neuron"} or any(k in reached for k in G.predecessors(i)):
            reached[i] = None
    return list(reached)


def _row(G: nx.DiGraph[Any], t: Node, seed: Any, derivative: str) -> Any:
    """Return dJ/dy(t) as a row, or as the number that it is."""
    size = size_of(G, t, derivative)
    if size is not None or isinstance(seed, np.ndarray | list):
        try:
            row = np.array(as_value(seed)).reshape(1, -1)  # a copy, as the seed stays the caller's
        except (TypeError, ValueError) as error:
            raise DerivativeError(
                f"the derivative of the loss with respect to {t!r} is {seed!r}, which {error}"
            ) from None
        if row.size != (size or 1) or not np.isfinite(row).all():
            what = f"holds {show_shape(seed)}; y({t}) has {size or 1} entries, and each needs a finite number"
            raise DerivativeError(f"the derivative of the loss with respect to {t!r} {what}")
        return row
    if isinstance(seed, bool | str | None) or (isinstance(seed, Real) and not math.isfinite(seed)):
        raise DerivativeError(f"the derivative of the loss with respect to {t!r} is {seed!r}; give it a finite number")
    return seed


def weight_gradients(
    G: nx.DiGraph[Any], loss: Node | Mapping[Any, float], *, derivative: str = "derivative"
) -> dict[Any, Any]:
    """Return dJ/dw for every weight, on an edge or in a node.

    Parameters
    ----------
    G : ComputationalGraph
        Linearized. Not modified.
    loss : node or dict
        The node of J, or seeds ``{t_k: dJ/dy(t_k)}`` as in `loss_sensitivities`.
    derivative : str, default "derivative"
        The edge attribute that holds z.

    Returns
    -------
    dict
        ``{(i, j): dJ/dw_ij}`` for the weighted edges into neurons, and ``{w: dJ/dw}`` for the nodes that are
        weights, in the weight's shape.

    Raises
    ------
    MissingDerivativeError
        If a neuron has no gate, because `G` is not linearized.
    CGraphError
        As `loss_sensitivities`.

    Notes
    -----
    One reverse sweep, over what depends on a weight, and one product for each weight, O(V + E) (MATH 565, lectures 26
    and 27).

    Examples
    --------
    >>> from cgraph import ComputationalGraph, linearize
    >>> G = ComputationalGraph()
    >>> G.add_input("x", 2.0)
    >>> G.add_neuron("h", activation="identity", weights={"x": 3.0}, bias=1.0)
    >>> G.add_equation("J", "h^2")
    >>> weight_gradients(linearize(G), "J")  # h = 7: dJ/dw = 2*7 * 1 * x
    {('x', 'h'): 28.0, ('+1', 'h'): 14.0}
    """
    require_digraph(G)
    seeds = _seeds(G, loss)
    require_node(G, *seeds)
    Delta = _sweep(G, seeds, _from_weights(G), derivative)
    on_edges = {edge: factors.product for edge, factors in _factors(G, Delta).items()}
    in_nodes = {w: Delta[w] for w, data in G.nodes(data=True) if data.get("role") == "weight"}
    return _finite_gradients(on_edges) | in_nodes


def gradient_factors(
    G: nx.DiGraph[Any], loss: Node | Mapping[Any, float], *, derivative: str = "derivative"
) -> dict[tuple[Any, Any], GradientFactors]:
    """Return the three factors of dJ/dw_ij for every weighted edge.

    Parameters
    ----------
    G, loss, derivative
        As in `weight_gradients`.

    Returns
    -------
    dict
        ``{(i, j): (downstream, gate, upstream)}``: the sensitivity S(j,J), the gate Phi'(s(j)) and the value
        y(i). A gradient that vanishes has a factor that does.

    Raises
    ------
    CGraphError
        As `weight_gradients`.

    Notes
    -----
    One reverse sweep, O(V + E) (MATH 565, lecture 27).

    Examples
    --------
    >>> from cgraph import ComputationalGraph, linearize
    >>> G = ComputationalGraph()
    >>> G.add_input("x", 2.0)
    >>> G.add_neuron("h", activation="relu", weights={"x": -3.0})  # s = -6: the gate is shut
    >>> gradient_factors(linearize(G), "h")
    {('x', 'h'): GradientFactors(downstream=1.0, gate=0.0, upstream=2.0)}
    """
    require_digraph(G)
    seeds = _seeds(G, loss)
    require_node(G, *seeds)
    return _factors(G, _sweep(G, seeds, _from_weights(G), derivative))


def _seeds(G: nx.DiGraph[Any], loss: Node | Mapping[Any, Any]) -> Mapping[Any, Any]:
    """Return the seeds of a loss: those given, or dJ/dJ = 1 of a node that is one number."""
    if isinstance(loss, Mapping):
        return loss
    require_node(G, loss)
    if np.ndim(G.nodes[loss].get("value", 0.0)):
        shape = show_shape(G.nodes[loss]["value"])
        raise DerivativeError(
            f"the loss {loss!r} is {shape}; a loss is one number, such as sum({loss}) or mean({loss})"
        )
    return {loss: 1}


def _finite_gradients(gradients: dict[Any, Any]) -> dict[Any, Any]:
    return dict(zip(gradients, finished({(w,): g for w, g in gradients.items()}, "gradient"), strict=True))


def _factors(G: nx.DiGraph[Any], Delta: Mapping[Any, Any]) -> dict[tuple[Any, Any], GradientFactors]:
    factors = {}
    for j, data in G.nodes(data=True):
        if "activation" not in data:
            continue
        for i in G.predecessors(j):
            if "gate" not in data or G.nodes[i].get("value") is None:
                missing = f"neuron {j!r} has no 'gate'" if "gate" not in data else f"node {i!r} has no 'value'"
                raise MissingDerivativeError(f"{missing}; run linearize(G)")
            factors[i, j] = GradientFactors(Delta[j], data["gate"], G.nodes[i]["value"])
    return factors
