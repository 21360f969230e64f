"""Neurons gathered into layers: vectors of neurons, matrices of weights."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from cgraph.model.errors import CGraphError
from cgraph.model.evaluation import evaluate
from cgraph.model.graph import BIAS, ComputationalGraph, topological_order
from cgraph.model.language.expressions import Apply, Name, write_name
from cgraph.model.language.names import unusable
from cgraph.model.language.parsing import substitute
from cgraph.model.linearized import edge_derivative
from cgraph.model.operations.elementwise import ACTIVATIONS
from cgraph.model.operations.structured_jacobians import Jacobian
from cgraph.model.values import show_shape
from cgraph.transforms.rebuilding import Builder, origin_name, transform

__all__ = ["layerwise"]

BARE = ""  # no node: what a weight that stands alone in a sum is the weight of


class _Neuron(NamedTuple):
    """What a layer needs to know of a neuron."""

    activation: str
    weights: dict[str, float]  # by the nodes that are read; those of BIAS and BARE are biases
    parameters: tuple[str, ...] = ()  # the nodes that hold the weights, if they do not stand on edges


@transform
def layerwise(G: ComputationalGraph) -> ComputationalGraph:
    """Return the graph in which neurons are gathered into layers ``h = tanh(W_x_h @ x + b_h)``.

    Parameters
    ----------
    G : ComputationalGraph
        A network of numbers. Not modified. A neuron is what `add_neuron` adds, or an equation of the same form: an
        activation of a sum of products, each of a weight that nothing else reads and another node, and perhaps one
        such weight alone as the bias.

    Returns
    -------
    ComputationalGraph
        A layer is a vector of the neurons at one depth (the longest path from a source) with one activation, in the order of
        `G`. Inputs that neurons read are gathered by the depth of the first of these. Layer h reads each vector x
        through a matrix ``W_x_h``, one row for each neuron, and each other node c through a vector ``W_c_h``; its
        biases are ``b_h``. All these are weights; a connection or a bias that a neuron lacks is a weight of 0. A
        vector is named by what the names of its nodes begin with (h1 and h2 are ``h``), or else x1, h1, ... by depth.
        Everything else stays as it is; in equations a neuron is read as ``h[0]``, and an edge with a given derivative
        becomes one with a row. The `origin` of a vector is the list of its nodes, that of a weight matrix the pair of
        two such lists. A declared output becomes its vector.

    Raises
    ------
    CGraphError
        If a neuron works on arrays: it cannot be an entry of a layer. As `evaluate`.

    See Also
    --------
    scalarize : the inverse.

    Notes
    -----
    O(V + E), and the sizes of the matrices. z(x, h) = diag(Phi'(s)) W stays a product of the two. Nodes at one depth do not
    feed each other, so gathering them makes no cycle. If anything but neurons reads "+1", it remains, and the biases are
    multiplied by it.

    Values, S and dJ/dw of `G` are entries of those of the layers. `scalarize` of the layers has them as numbers again, with
    the weights in nodes and those of 0 among them; `layerwise` of that is the graph of layers itself, but for the
    spacing of equations, as long as no sum is too long for one equation.

    Examples
    --------
    >>> G = ComputationalGraph()
    >>> G.add_input("x1", 1.0)
    >>> G.add_input("x2", 2.0)
    >>> G.add_neuron("h1", activation="tanh", weights={"x1": 0.5, "x2": -0.5}, bias=0.1)
    >>> G.add_neuron("h2", activation="tanh", weights={"x2": 0.25})
    >>> G.add_equation("J", "h1^2 + h2^2")
    >>> H = layerwise(G)
    >>> {j: equation for j, equation in H.nodes(data="equation") if equation}
    {'h': 'tanh(W_x_h @ x + b_h)', 'J': 'h[0]^2 + h[1]^2'}
    >>> H.nodes["W_x_h"]["value"].tolist(), H.nodes["b_h"]["value"].tolist()
    ([[0.5, -0.5], [0.0, 0.25]], [0.1, 0.0])
    """
    y = evaluate(G)
    neurons = {j: neuron for j in G if (neuron := _neuron(G, j, y))}
    depth = _depths(G)
    feeds = {i: [j for j in G.successors(i) if j in neurons] for i in G}
    inputs = [i for i in G.inputs if feeds[i] and np.ndim(y[i]) == 0]
    gathered = [
        *_groups(inputs, lambda i: min(depth[j] for j in feeds[i]), lambda d: f"x{d}"),
        *_groups(neurons, lambda j: (depth[j], neurons[j].activation), lambda key: f"h{key[0]}"),
    ]
    vectors = _named(G, gathered)
    places = {i: (name, place) for name, members in vectors.items() for place, i in enumerate(members)}
    gone = {w for neuron in neurons.values() for w in neuron.parameters}
    if feeds.get(BIAS) and len(feeds[BIAS]) == len(G.succ[BIAS]) and BIAS not in G.graph.get("outputs", []):
        gone.add(BIAS)
    build = Builder(G, {i: name for i, (name, _) in places.items()}, parts=dict.fromkeys(gone, ()))
    for i in G:
        if i not in places and i not in gone:
            _keep(build, i, places, vectors)
    for name, members in vectors.items():
        build.declare(name, [G.nodes[i]["origin"] for i in members])
        if members[0] in neurons:
            _add_layer(build, name, [neurons[j] for j in members], places, vectors)
        else:
            build.H.add_input(name, [y[i] for i in members])
    return build.with_same_outputs()


def _neuron(G: ComputationalGraph, j: str, y: Mapping[str, Any]) -> _Neuron | None:
    """Return what node `j` is as a neuron, or None if it is none."""
    data = G.nodes[j]
    if data.get("role") == "neuron":
        if np.ndim(y[j]):
            raise CGraphError(
                f"neuron {j!r} is {show_shape(y[j])}, and the entries of a layer are numbers; scalarize(G) splits it"
            )
        return _Neuron(data["activation"], {i: G.edges[i, j]["weight"] for i in data["operands"]})
    if data.get("role") == "operation" and np.ndim(y[j]) == 0:
        return _written_as_neuron(G, j, data["expression"].steps)
    return None


def _written_as_neuron(G: ComputationalGraph, j: str, steps: Sequence[Any]) -> _Neuron | None:
    """Return the neuron whose equation is Phi(w1*x1 + w2*x2 + ... + b)."""

    def own(i: str) -> bool:
        is_weight = G.nodes[i].get("role") == "weight" and i not in G.graph.get("outputs", [])
        return is_weight and list(G.succ[i]) == [j] and G.nodes[j]["operands"].count(i) == 1

    match steps[-1]:
        case Apply(activation, (total,)) if activation in ACTIVATIONS:
            terms = [total]
        case _:
            return None
    parameter: dict[str, str] = {}  # the node that holds the weight, by the node that it is the weight of
    while terms:
        match steps[terms.pop()]:
            case Apply("add", (left, right)):
                terms += [right, left]
                continue
            case Apply("mul", (left, right)) if isinstance(steps[left], Name) and isinstance(steps[right], Name):
                w, i = steps[left].name, steps[right].name
                if not own(w):
                    w, i = i, w
            case Name(w):
                i = BARE
            case _:
                return None
        if not own(w) or i in parameter:
            return None
        parameter[i] = w
    if parameter.keys() == {BARE}:
        return None
    return _Neuron(activation, {i: G.nodes[w]["value"] for i, w in parameter.items()}, tuple(parameter.values()))


def _depths(G: ComputationalGraph) -> dict[str, int]:
    """Return the longest distance of every node from a source."""
    depth: dict[str, int] = {}
    for j in topological_order(G):
        depth[j] = max((depth[i] + 1 for i in G.predecessors(j)), default=0)
    return depth


def _groups(nodes: Iterable[str], key: Callable[[str], Any], name: Callable[[Any], str]) -> list[tuple[str, list[str]]]:
    """Return the nodes that share a key, with a name for those that their own names do not give one."""
    groups: dict[Any, list[str]] = {}
    for i in nodes:
        groups.setdefault(key(i), []).append(i)
    return [(_common(members) or name(k), members) for k, members in groups.items()]


def _common(members: Sequence[str]) -> str:
    """Return what the names begin with: h of h1 and h2, h1 of h1_1 and h1_2, h of h[0] and h[1]; "" if it is no name."""
    names = {i.partition("[")[0] for i in members}
    common = os.path.commonprefix(list(names))  # noqa: RUF071 - the letters of names, no paths
    if len(names) > 1:
        common = common.rstrip("0123456789").rstrip("_")
    return common if common.isidentifier() and not unusable(common) else ""


def _named(G: ComputationalGraph, gathered: Iterable[tuple[str, list[str]]]) -> dict[str, list[str]]:
    """Return the vectors by names that no other node has."""
    vectors: dict[str, list[str]] = {}
    for wanted, members in gathered:
        name = wanted
        while name in vectors or (name in G and name not in members):
            name += "_"
        vectors[name] = members
    return vectors


def _keep(build: Builder, j: str, places: Mapping[str, tuple[str, int]], vectors: Mapping[str, list[str]]) -> None:
    """Add a node that is not gathered, but may read what is."""
    G, data = build.G, build.G.nodes[j]
    gathered = [i for i in G.predecessors(j) if i in places]
    if data.get("role") == "operation":
        read = {i: "{}[{}]".format(*places[i]) for i in gathered}
        build.H.add_equation(j, substitute(data["equation"], read, build.G.functions))
        return
    z = edge_derivative(G, "derivative")
    columns = {i: z(i, j) for i in gathered}
    G.remove_edges_from([(i, j) for i in gathered])
    build.keep(j)
    rows: dict[str, Any] = {}
    for i, z_ij in columns.items():
        name, place = places[i]
        column = z_ij.dense()[:, 0] if isinstance(z_ij, Jacobian) else [z_ij]
        rows.setdefault(name, np.zeros((len(column), len(vectors[name]))))[:, place] = column
    build.H.add_edges_from((name, j, {"derivative": matrix}) for name, matrix in rows.items())


def _add_layer(
    build: Builder,
    h: str,
    neurons: Sequence[_Neuron],
    places: Mapping[str, tuple[str, int]],
    vectors: Mapping[str, list[str]],
) -> None:
    """Add the vector `h` of neurons that have one activation, and its weights."""
    weights: dict[str, Any] = {}
    for r, neuron in enumerate(neurons):
        for i, w in neuron.weights.items():
            x, c = places.get(i, (i, ...))
            columns = (len(vectors[x]),) if x in vectors else ()
            weights.setdefault(x, np.zeros((len(neurons), *columns)))[r, c] = w
    if BIAS in weights and BIAS not in build.H:
        weights[BARE] = weights.pop(BIAS) + weights.get(BARE, 0.0)
    bias = weights.pop(BARE, None if weights else np.zeros(len(neurons)))
    members = [origin_name(build.G, j) for j in vectors[h]]
    terms = []
    for i, W in weights.items():
        name = build.fresh(f"b_{h}" if i == BIAS else f"W_{i}_{h}")
        tails = [origin_name(build.G, k) for k in vectors.get(i, [i])]
        build.declare(name, (tails, members))
        build.H.add_weight(name, W)
        terms.append(f"{write_name(name)} {'@' if i in vectors else '*'} {write_name(i)}")
    if bias is not None:
        name = build.fresh(f"b_{h}")
        build.declare(name, ([BIAS], members))
        build.H.add_weight(name, bias)
        terms.append(name)
    build.H.add_equation(h, f"{neurons[0].activation}({' + '.join(terms)})")
