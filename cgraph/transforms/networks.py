"""Transforms of neural networks: weights and the loss as nodes, and neurons in two halves."""

from __future__ import annotations

import re

from cgraph.model.errors import CGraphError
from cgraph.model.graph import BIAS, ComputationalGraph
from cgraph.model.language.expressions import Apply, write_name
from cgraph.model.language.parsing import parse
from cgraph.model.neurons import LAYER_ACTIVATIONS, activated, linear_halves
from cgraph.transforms.rebuilding import Builder, origin_name, transform

__all__ = ["append_loss", "couple", "decouple", "weights_as_nodes"]


@transform
def weights_as_nodes(G: ComputationalGraph) -> ComputationalGraph:
    """Return the graph in which every weighted edge is a product with a weight that is a node.

    Parameters
    ----------
    G : ComputationalGraph
        Not modified.

    Returns
    -------
    ComputationalGraph
        In place of an edge (i, j) of weight w there are a node ``w_i_j`` with the role of a weight (``b_j`` for a
        bias), and a node ``p_i_j`` (``p_j``) with the equation w_i_j * y(i), which feeds j; j is the activation of
        the sum of these. The `origin` of both is the edge. Names that are taken get underscores.

    Raises
    ------
    CGraphError
        If `G` is not a ComputationalGraph, or has a cycle.

    Notes
    -----
    O(V + E) (MATH 565, lecture 26: y(11) = w1 y(1)). S from the node ``w_i_j`` to the loss is dJ/dw_ij.

    Examples
    --------
    >>> G = ComputationalGraph()
    >>> G.add_input("x", 2.0)
    >>> G.add_neuron("h", activation="tanh", weights={"x": 0.5}, bias=0.1)
    >>> H = weights_as_nodes(G)
    >>> {j: equation for j, equation in H.nodes(data="equation") if equation}
    {'h': 'tanh(p_x_h + p_h)', 'p_x_h': 'w_x_h * x', 'p_h': 'b_h * y("+1")'}
    >>> H.nodes["w_x_h"]
    {'origin': ('x', 'h'), 'role': 'weight', 'value': 0.5}
    """
    build = Builder(G)
    halves = linear_halves(G)
    for j, data in G.nodes(data=True):
        if data.get("role") != "neuron":
            build.keep(j)
            continue
        head, products = origin_name(G, j), []
        for i in data["operands"]:
            tail = origin_name(G, i)
            weight = build.fresh(f"b_{head}" if i == BIAS else f"w_{tail}_{head}")
            product = build.fresh(f"p_{head}" if i == BIAS else f"p_{tail}_{head}")
            build.declare(weight, (tail, head))
            build.declare(product, (tail, head))
            build.H.add_weight(weight, G.edges[i, j]["weight"])
            build.H.add_equation(product, f"{write_name(weight)} * {write_name(i)}")
            products.append(write_name(product))
        total = " + ".join(products) or "0"
        build.H.add_equation(j, total if j in halves else f"{data['activation']}({total})")
    return build.H


@transform
def append_loss(G: ComputationalGraph, equation: str, *, name: str = "J") -> ComputationalGraph:
    """Return the graph with the loss as a node, its only output.

    Parameters
    ----------
    G : ComputationalGraph
        Not modified.
    equation : str
        The loss, an equation in nodes of `G`.
    name : str, default "J"
        The name of its node.

    Returns
    -------
    ComputationalGraph
        With one more node.

    Raises
    ------
    CGraphError
        If the equation cannot be read or uses an unknown node, the name is taken, or `G` has a cycle.

    Notes
    -----
    MATH 565, lecture 26: y(10) = J(y(9)).

    Examples
    --------
    >>> from cgraph import from_equations, linearize, sensitivity
    >>> G = append_loss(from_equations("y9 = 2*x", x=3.0), "ln(y9)")
    >>> sensitivity(linearize(G), "y9", "J") * 6.0  # dJ/dy(9) = 1/y(9)
    1.0
    """
    G.add_equation(name, equation)
    G.nodes[name]["origin"] = name
    G.graph["outputs"] = [name]
    return G


@transform
def decouple(G: ComputationalGraph) -> ComputationalGraph:
    """Return the graph with every neuron j in two halves: "j-" is the weighted sum, "j+" the activation.

    Parameters
    ----------
    G : ComputationalGraph
        Not modified. Besides neurons, nodes are halved whose equation is an activation, as in
        ``sigmoid(w1*x1 + w2*x2)`` or the layers ``tanh(W @ x + b)`` and ``softmax(W @ x + b)``.

    Returns
    -------
    ComputationalGraph
        z(i, j-) = w_ij and z(j-, j+) = Phi'(s(j)); of a layer, W and diag(Phi'(s)). "j+" stands wherever j did; the
        `origin` of both is j.

    Raises
    ------
    CGraphError
        If a name "j-" or "j+" is taken, or `G` has a cycle.

    See Also
    --------
    couple : the inverse.

    Notes
    -----
    O(V + E) (MATH 565, lecture 27: decoupled formulation).

    Examples
    --------
    >>> G = ComputationalGraph()
    >>> G.add_input("x", 2.0)
    >>> G.add_neuron("h", activation="tanh", weights={"x": 0.5})
    >>> H = decouple(G)
    >>> list(H.edges), H.nodes["h+"]["equation"]
    ([('x', 'h-'), ('h-', 'h+')], 'tanh(y("h-"))')
    """
    halves = linear_halves(G)
    done = {*halves, *halves.values()}
    inner = {j: _inside(G.nodes[j]["equation"], G.functions) for j in G if "equation" in G.nodes[j] and j not in done}
    split = [j for j in G if inner.get(j) or ("activation" in G.nodes[j] and j not in done)]
    for taken in (f"{j}{sign}" for j in split for sign in "-+"):
        if taken in G:
            raise CGraphError(f"neuron {taken[:-1]!r} cannot be decoupled: there is a node {taken!r} already")
    build = Builder(G, {j: f"{j}+" for j in split})
    for j, data in G.nodes(data=True):
        if j not in build.names:
            build.keep(j)
            continue
        linear = f"{j}-"
        build.declare(linear, data["origin"])
        if found := inner.get(j):
            activation, argument = found
            build.H.add_equation(linear, build.renamed(argument))
        else:
            activation = data["activation"]
            build.H.add_neuron(linear, activation="identity", weights=build.weights(j))
        build.H.add_equation(build.name(j), f"{activation}({write_name(linear)})")
    return build.H


@transform
def couple(G: ComputationalGraph) -> ComputationalGraph:
    """Return the graph with the halves "j-" and "j+" joined to j: the inverse of `decouple`.

    Parameters
    ----------
    G : ComputationalGraph
        Not modified.

    Returns
    -------
    ComputationalGraph
        j stands wherever "j+" did; its `origin` is that of "j+". Halves are known by their names, and by
        nothing but "j+" reading "j-".

    Raises
    ------
    CGraphError
        If a name j is taken, or `G` has a cycle.

    Notes
    -----
    O(V + E) (MATH 565, lecture 27).

    Examples
    --------
    >>> G = ComputationalGraph()
    >>> G.add_input("x", 2.0)
    >>> G.add_neuron("h", activation="tanh", weights={"x": 0.5})
    >>> H = couple(decouple(G))
    >>> H.nodes["h"]["activation"], list(H.edges(data="weight"))
    ('tanh', [('x', 'h', 0.5)])
    """
    halves = linear_halves(G)
    for whole in (half[:-1] for half in halves):
        if whole in G:
            raise CGraphError(f"the halves of {whole!r} cannot be joined: there is a node {whole!r} already")
    linear = {plus: minus for minus, plus in halves.items()}
    build = Builder(G, {plus: plus[:-1] for plus in linear}, parts=dict.fromkeys(halves, ()))
    for j in G:
        if half := activated(G, j) if j in linear else None:
            data = G.nodes[half.operand]
            if data["role"] == "neuron":
                build.H.add_neuron(build.name(j), activation=half.activation, weights=build.weights(half.operand))
            else:
                build.H.add_equation(build.name(j), f"{half.activation}({build.renamed(data['equation'])})")
        elif j not in halves:
            build.keep(j)
    return build.H


def _inside(equation: str, functions: tuple[str, ...]) -> tuple[str, str] | None:
    """Return Phi and the text of its operand if the equation is Phi(...), else None."""
    match parse(equation, functions).steps[-1]:
        case Apply(operation, _, ()) if operation in LAYER_ACTIVATIONS:
            call = re.fullmatch(rf"\s*{operation}\s*\((.*)\)\s*", equation, re.DOTALL)
            return (operation, call[1]) if call else None
    return None
