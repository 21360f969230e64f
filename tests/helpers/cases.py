"""Hand-computed cases that every algorithm must get right."""

from dataclasses import dataclass
from typing import Any

import networkx as nx

import cgraph as cg


@dataclass(frozen=True)
class Case:
    """A linearized graph, a pair of nodes, and what can be worked out on paper."""

    name: str
    graph: nx.DiGraph
    s: Any
    t: Any
    sensitivity: float
    paths: dict[tuple, float]
    source: str


def digraph(*edges):
    G = nx.DiGraph()
    G.add_weighted_edges_from(edges, "derivative")
    return G


def linearized(equations, **values):
    return cg.linearize(cg.from_equations(equations, **values))


CASES = [
    Case("one edge", digraph(("x", "y", 4.0)), "x", "y", 4.0, {("x", "y"): 4.0}, "definition of z"),
    Case("itself", digraph(("x", "y", 4.0)), "x", "x", 1.0, {("x",): 1.0}, "S(t,t) = 1"),
    Case("against the arrow", digraph(("x", "y", 4.0)), "y", "x", 0.0, {}, "no path is 0"),
    Case(
        "chain", digraph(("x", "a", 2.0), ("a", "b", -3.0), ("b", "y", 0.5)), "x", "y", -3.0,
        {("x", "a", "b", "y"): -3.0}, "DD2424 lecture 3: the chain rule for chains",
    ),
    Case(
        "two paths", digraph(("x", "a", 2.0), ("a", "y", 5.0), ("x", "y", 3.0)), "x", "y", 13.0,
        {("x", "a", "y"): 10.0, ("x", "y"): 3.0}, "2*5 + 3",
    ),
    Case(
        "two paths that cancel", digraph(("x", "a", 2.0), ("a", "y", 3.0), ("x", "b", -6.0), ("b", "y", 1.0)),
        "x", "y", 0.0, {("x", "a", "y"): 6.0, ("x", "b", "y"): -6.0}, "2*3 - 6*1",
    ),
    Case(
        "three layers of two", digraph(
            ("x", "a1", 1.0), ("x", "a2", 2.0), ("a1", "b1", 3.0), ("a1", "b2", 4.0), ("a2", "b1", 5.0),
            ("a2", "b2", 6.0), ("b1", "y", 7.0), ("b2", "y", 8.0),
        ), "x", "y", 219.0,
        {("x", "a1", "b1", "y"): 21.0, ("x", "a1", "b2", "y"): 32.0, ("x", "a2", "b1", "y"): 70.0,
         ("x", "a2", "b2", "y"): 96.0}, "1*3*7 + 1*4*8 + 2*5*7 + 2*6*8",
    ),
    Case(
        "a dead end, a bystander and another component", digraph(
            ("x", "y", 3.0), ("x", "dead", 9.0), ("other", "y", 9.0), ("p", "q", 9.0),
        ), "x", "y", 3.0, {("x", "y"): 3.0}, "only x -> y counts",
    ),
    Case(
        "the target feeds another node", digraph(("x", "y", 3.0), ("y", "u", 5.0), ("x", "u", 7.0)), "x", "y", 3.0,
        {("x", "y"): 3.0}, "what follows t does not matter",
    ),
    Case("a zero on the way", digraph(("x", "a", 0.0), ("a", "y", 5.0), ("x", "y", 2.0)), "x", "y", 2.0,
         {("x", "a", "y"): 0.0, ("x", "y"): 2.0}, "0*5 + 2"),
    Case("a repeated operand", linearized("y = x*x*x", x=2.0), "x", "y", 12.0, {("x", "y"): 12.0}, "3 x^2 at 2"),
    Case(
        "sin(x^2) at 0", linearized("a = x^2; y = sin(a)", x=0.0), "x", "y", 0.0, {("x", "a", "y"): 0.0},
        "2x cos(x^2) at 0",
    ),
    Case(
        "numbered nodes", linearized("y(5) = 3*y(1); y(9) = y(5)^2 + y(1)", **{"1": 2.0}), "1", "9", 37.0,
        {("1", "5", "9"): 36.0, ("1", "9"): 1.0}, "y(9) = 9 y(1)^2 + y(1): 18*2 + 1",
    ),
]  # fmt: skip
