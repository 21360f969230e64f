"""What every transform has in common: a graph is taken apart, and a new one is built by the same methods."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec

from cgraph.model.errors import CGraphError
from cgraph.model.evaluation import is_computed, linearize, unlinearized
from cgraph.model.graph import ComputationalGraph, topological_order
from cgraph.model.language.expressions import write_name
from cgraph.model.language.parsing import parse, substitute

__all__ = ["Builder", "origin_name", "transform"]

P = ParamSpec("P")
Transform = Callable[Concatenate[ComputationalGraph, P], ComputationalGraph]


def transform(function: Transform[P]) -> Transform[P]:
    """Make a function that builds a graph from a graph into a transform.

    The function sees a graph without anything that follows from the rest, every node of it with its `origin`. If
    the argument was linearized, so is the result.
    """

    @functools.wraps(function)
    def transformed(G: ComputationalGraph, /, *args: P.args, **kwargs: P.kwargs) -> ComputationalGraph:
        if not isinstance(G, ComputationalGraph):
            raise CGraphError(f"a ComputationalGraph is needed, not {type(G).__name__}; derivatives can be given there")
        topological_order(G)
        bare = unlinearized(G)
        for i, data in bare.nodes(data=True):
            data.setdefault("origin", i)
        H = function(bare, *args, **kwargs)
        return linearize(H) if _is_linearized(G) else H

    return transformed


class Builder:
    """A new graph, to which nodes of an old one are added as they are, renamed, or replaced.

    Parameters
    ----------
    G : ComputationalGraph
        The old graph.
    names : dict, optional
        New names for some nodes; wherever such a node is read, its new name stands.
    parts : dict, optional
        For nodes that are replaced by several, or by none, the names of what replaces them.
    """

    def __init__(
        self,
        G: ComputationalGraph,
        names: Mapping[str, str] | None = None,
        *,
        parts: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.G = G
        self.names = dict(names or {})
        self.parts = {i: [self.name(i)] for i in G} | dict(parts or {})
        self.H = ComputationalGraph(**G.graph)
        if "outputs" in G.graph:
            self.H.graph["outputs"] = self._parts_of(G.outputs)
        # Every name stands in the graph before it is used.
        self.H.add_nodes_from((name, {"origin": G.nodes[i]["origin"]}) for i in G for name in self.parts[i])

    def name(self, i: str) -> str:
        """Return the new name of `i`."""
        return self.names.get(i, i)

    def with_same_outputs(self) -> ComputationalGraph:
        """Return the new graph; where its sinks are not what replaces those of the old one, its outputs are declared."""
        outputs = self._parts_of(self.G.outputs)
        if set(self.H.outputs) != set(outputs):
            self.H.graph["outputs"] = outputs
        return self.H

    def _parts_of(self, nodes: Sequence[str]) -> list[str]:
        return list(dict.fromkeys(name for i in nodes for name in self.parts[i]))

    def fresh(self, name: str) -> str:
        """Return `name`, with underscores added until neither graph has such a node."""
        while name in self.H or name in self.G:
            name += "_"
        return name

    def renamed(self, equation: str) -> str:
        """Return an equation of the old graph as it stands in the new one."""
        read = {i for i in parse(equation, self.G.functions).operands if i in self.names}
        return substitute(equation, {i: write_name(self.names[i]) for i in read}, self.G.functions)

    def weights(self, j: str) -> dict[str, float]:
        """Return the weights into neuron `j`, by the new names of the nodes."""
        return {self.name(i): self.G.edges[i, j]["weight"] for i in self.G.nodes[j]["operands"]}

    def declare(self, name: str, origin: object) -> None:
        """Let a new node stand in the graph before it is defined."""
        self.H.add_node(name, origin=origin)

    def keep(self, i: str) -> None:
        """Add node `i` of the old graph with what leads into it."""
        self.keep_as(i, self.name(i))

    def keep_as(self, i: str, name: str) -> None:
        """Add node `i` of the old graph under another name."""
        data = self.G.nodes[i]
        match data.get("role"):
            case "input":
                self.H.add_input(name, data["value"])
            case "weight":
                self.H.add_weight(name, data["value"])
            case "constant":
                self.H.add_constant(name, data["value"])
            case "operation":
                self.H.add_equation(name, self.renamed(data["equation"]))
            case "neuron":
                self.H.add_neuron(name, activation=data["activation"], weights=self.weights(i))
            case _:
                if "value" in data:
                    self.H.nodes[name]["value"] = data["value"]
                for k in self.G.predecessors(i):
                    self.H.add_edge(self.name(k), name, **self.G.edges[k, i])


def _is_linearized(G: ComputationalGraph) -> bool:
    computed = [j for j in G if is_computed(G, j)]
    return bool(computed) and all("derivative" in d for j in computed for _, _, d in G.in_edges(j, data=True))


def origin_name(G: ComputationalGraph, i: str) -> str:
    """Return the name of the node that `i` comes from, or of `i` if it comes from an edge."""
    origin: Any = G.nodes[i]["origin"]
    return origin if isinstance(origin, str) else i
