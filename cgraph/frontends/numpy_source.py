"""A graph as the source of a Python function that needs NumPy alone."""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Iterator, Sequence
from typing import Any

import networkx as nx
import numpy as np

from cgraph.model.errors import CGraphError
from cgraph.model.evaluation import is_computed, steps_of
from cgraph.model.graph import BIAS, ComputationalGraph, require_node, topological_order
from cgraph.model.language.expressions import Apply, Expression, Name, Number
from cgraph.model.language.parsing import parse
from cgraph.model.operations.elementwise import OPERATIONS
from cgraph.model.rules.generate import TARGETS, partials, source_of
from cgraph.transforms import expand

__all__ = ["to_numpy"]

# What the rules call a function of their own, and NumPy; the last two stand in the source.
NUMPY = {"where": "np.where", "power": "np.power", "floor": "np.floor", "arctan2": "np.arctan2", "hypot": "np.hypot"}
DEFINED = {"erf": "erf = np.vectorize(math.erf)", "erfc": "erfc = np.vectorize(math.erfc)"}


def to_numpy(G: ComputationalGraph, t: str | None = None, *, name: str = "value_and_gradient") -> str:
    """Return the source of a Python function that computes y(t) and its gradient with NumPy alone.

    Parameters
    ----------
    G : ComputationalGraph
        Of equations and neurons between numbers. Not modified.
    t : node, optional
        The node that is differentiated; by default the only output.
    name : str
        What the function is called.

    Returns
    -------
    str
        A module with one function of the inputs and weights that lead to `t`, with the values of `G` as defaults. It
        returns y(t) and ``{i: S(i,t)}`` for them. The arguments may be arrays of one shape: many points at once.

    Raises
    ------
    CGraphError
        If there is not one output and `t` is not given, `name` is no name in Python, or a node is an array.

    Notes
    -----
    The graph is split into elementary operations first. The forward pass is a line for each; the reverse sweep adds
    S(j,t) z(i,j) to S(i,t), in the other order. What runs outside of a function's domain gives NaN, as NumPy has it,
    rather than an error.

    Examples
    --------
    >>> from cgraph import from_equations
    >>> print(to_numpy(from_equations("a = x*z; y = exp(a)", x=2.0, z=0.5)))
    import numpy as np
    <BLANKLINE>
    <BLANKLINE>
    def value_and_gradient(x=2.0, z=0.5):
        # the forward pass
        a = x * z
        y = np.exp(a)
        # the reverse sweep: S_i = dy/di
        S_y = 1.0
        S_a = S_y * y
        S_z = S_a * x
        S_x = S_a * z
        return y, {"x": S_x, "z": S_z}
    <BLANKLINE>
    """
    if t is None:
        if len(G.outputs) != 1:
            raise CGraphError(f"there are {len(G.outputs)} outputs ({', '.join(G.outputs)}); name one as t")
        (t,) = G.outputs
    require_node(G, t)
    if not name.isidentifier() or keyword.iskeyword(name):
        raise CGraphError(f"a function cannot be called {name!r} in Python")
    return _Source(G, t).text(name)


class _Source:
    """Writes the forward pass and the reverse sweep of the part of a graph that leads to `t`."""

    def __init__(self, G: ComputationalGraph, t: str) -> None:
        part = G.subgraph(nx.ancestors(G, t) | {t})
        for j, data in part.nodes(data=True):
            _require_numbers(part, j, data)
        self.G, self.t = expand(part), t
        self.order = topological_order(self.G)
        self.names = _identifiers(self.order)
        self.given = [i for i in self.order if self.G.nodes[i].get("role", "input") in {"input", "weight"}]
        self.terms: dict[str, list[str]] = {i: [] for i in self.order}

    def text(self, name: str) -> str:
        """Return the module."""
        forward = [line for j in self.order for line in self.forward(j)]
        backward = [line for j in reversed(self.order) for line in self.backward(j)]
        gradient = ", ".join(f"{i!r}: S_{self.names[i]}".replace("'", '"') for i in self.given)
        body = ["# the forward pass", *forward, "# the reverse sweep: S_i = dy/di", *backward]
        body.append(f"return {self.names[self.t]}, {{{gradient}}}")
        used = set(re.findall(r"\b(?:erf|erfc)\b(?=\()", "\n".join(body)))
        head = (
            ["import math", "", "import numpy as np", "", *(DEFINED[f] for f in sorted(used))]
            if used
            else ["import numpy as np"]
        )
        lines = "\n".join(f"    {line}" for line in body)
        return "\n".join(head) + f"\n\n\ndef {name}({self.parameters()}):\n{lines}\n"

    def parameters(self) -> str:
        values: dict[str, Any] = {i: self.G.nodes[i].get("value") for i in self.given}
        if None in values.values():
            return ", ".join(self.names[i] for i in self.given)
        return ", ".join(f"{self.names[i]}={float(value)!r}" for i, value in values.items())

    def forward(self, j: str) -> Iterator[str]:
        """Iterate over the lines that compute y(j)."""
        data, y = self.G.nodes[j], self.names[j]
        if "expression" in data:
            yield from self.assigned(y, data["expression"], self.names)
        elif "activation" in data:
            weighted = (f"({w!r}) * {self.names[i]}" if i != BIAS else f"({w!r})" for i, w in self.weights(j))
            yield f"s_{y} = {_tidy(' + '.join(weighted))}"
            yield from self.assigned(y, parse(f"{data['activation']}(s)"), {"s": f"s_{y}"})
        elif j not in self.given and j != BIAS:
            yield f"{y} = {float(data['value'])!r}"

    def backward(self, j: str) -> Iterator[str]:
        """Iterate over the lines that compute S(j,t), and note what its operands get from it."""
        y, data = self.names[j], self.G.nodes[j]
        if j == self.t:
            yield f"S_{y} = 1.0"
        elif data.get("role") == "constant":
            return
        else:
            yield f"S_{y} = {_tidy(' + '.join(self.terms[j]))}"
        if "expression" in data:
            yield from self.pass_on(f"S_{y}", y, data["expression"])
        elif "activation" in data:
            yield from self.gate(y, data["activation"])
            for i, w in self.weights(j):
                self.terms[i].append(f"S_s_{y} * ({w!r})")

    def weights(self, j: str) -> list[tuple[str, float]]:
        return [(i, float(self.G.edges[i, j]["weight"])) for i in self.G.nodes[j]["operands"]]

    def assigned(self, name: str, equation: Expression, names: dict[str, str]) -> Iterator[str]:
        code = source_of([equation], TARGETS["numpy"], names)
        yield from map(_tidy, code.lines)
        yield f"{name} = {_tidy(code.results[0])}"

    def pass_on(self, S: str, y: str, equation: Expression) -> Iterator[str]:
        """Note S(j,t) z(i,j) for the operands i of an elementary equation; iterate over the lines that z takes."""
        match equation.steps[-1]:
            case Name(i):
                self.terms[i].append(S)
            case Apply(operation, operands):
                row, steps = OPERATIONS[operation], equation.steps
                x = dict(zip(row.names, operands, strict=True))
                numbers = {name: _number(equation, o) for name, o in x.items() if not isinstance(steps[o], Name)}
                known = {"y": y} | {
                    name: self.names[step.name] for name, o in x.items() if isinstance(step := steps[o], Name)
                }
                for p, o in enumerate(operands):
                    if isinstance(operand := steps[o], Name):
                        code = source_of([_with_numbers(partials(row)[p], numbers)], TARGETS["numpy"], known)
                        z = code.results[0]
                        if code.lines:
                            yield from map(_tidy, code.lines)
                            yield f"z_{y}_{p} = {_tidy(z)}"
                            z = f"z_{y}_{p}"
                        self.terms[operand.name].append(_times(S, z))

    def gate(self, y: str, activation: str) -> Iterator[str]:
        """Iterate over the lines that pass S on to the weighted sum of a neuron."""
        row = OPERATIONS[activation]
        code = source_of([partials(row)[0]], TARGETS["numpy"], {"y": y, row.names[0]: f"s_{y}"})
        yield from map(_tidy, code.lines)
        yield f"S_s_{y} = {_tidy(_times(f'S_{y}', code.results[0]))}"


def _number(equation: Expression, o: int) -> float:
    """Return the value of a step that holds numbers alone."""
    # The other operands of an elementary equation are nodes, whose values do not matter to it.
    numbers = (Number(1.0, "1") if isinstance(step, Name) else step for step in equation.steps[: o + 1])
    return float(steps_of(Expression(tuple(numbers)), {}, "")[-1])


def _with_numbers(equation: Expression, numbers: dict[str, float]) -> Expression:
    """Return an equation with numbers in the place of some names."""
    return Expression(
        tuple(
            Number(numbers[step.name], repr(numbers[step.name]))
            if isinstance(step, Name) and step.name in numbers
            else step
            for step in equation.steps
        )
    )


class _Tidy(ast.NodeTransformer):
    """Calls NumPy by its names, and leaves out the real parts that a complex step needs."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        return node.value if node.attr == "real" else node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.parse(NUMPY[node.id], mode="eval").body if node.id in NUMPY else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if ast.unparse(node.func) != "np.power":
            return node
        # Whole numbers have no negative powers in NumPy.
        texts = [re.sub(r"^(-?\d+)$", r"\1.0", ast.unparse(argument)) for argument in node.args]
        return node.args[0] if texts[1] == "1.0" else ast.parse(f"np.power({', '.join(texts)})", mode="eval").body

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        is_one = isinstance(node.left, ast.Constant) and node.left.value == 1
        if isinstance(node.op, ast.Mult) and is_one and not isinstance(node.right, ast.Compare):
            return node.right
        return node


def _tidy(source: str) -> str:
    """Return a line of source without brackets that say nothing."""
    return ast.unparse(_Tidy().visit(ast.parse(source)))


def _times(S: str, z: str) -> str:
    return {"(1)": S, "(-1)": f"-{S}"}.get(z, f"{S} * ({z})")


def _require_numbers(G: ComputationalGraph, j: str, data: dict[str, Any]) -> None:
    if np.ndim(data.get("value", 0.0)) or any(
        isinstance(step, Apply) and step.operation not in OPERATIONS
        for step in getattr(data.get("expression"), "steps", ())
    ):
        raise CGraphError(f"node {j!r} is an array, and the source is one of numbers; scalarize(G) makes numbers of it")
    if G.pred[j] and not is_computed(G, j):
        raise CGraphError(f"node {j!r} has no equation, which the source needs")


def _identifiers(nodes: Sequence[str]) -> dict[str, str]:
    """Return a name in Python for each node, none of them one that the source uses itself."""
    found: dict[str, str] = {}
    used = {"np", "math", "erf", "erfc", *NUMPY}
    for i in nodes:
        name = re.sub(r"\W", "_", i, flags=re.ASCII)
        if not name.isidentifier() or keyword.iskeyword(name) or re.match(r"(t\d+$|[Ssz]_)", name):
            name = f"n_{name}"
        while name in used:
            name += "_"
        used.add(name)
        found[i] = name
    return found
