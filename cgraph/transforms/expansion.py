"""Equations split into elementary operations."""

from __future__ import annotations

from itertools import count
from typing import Any

from cgraph.model.graph import ComputationalGraph
from cgraph.model.language.expressions import Apply, Name, Number, write_name, write_step
from cgraph.model.language.expressions import written as written_whole
from cgraph.model.rules.differentiation import unfolded
from cgraph.transforms.rebuilding import Builder, transform

__all__ = ["expand"]

_COMMUTE = {"add", "mul"}


@transform
def expand(G: ComputationalGraph, *, share: bool = False) -> ComputationalGraph:
    """Return the graph in which every equation is one elementary operation.

    Parameters
    ----------
    G : ComputationalGraph
        Not modified. Neurons are left as they are; `weights_as_nodes` and `decouple` take them apart.
    share : bool, default False
        Whether intermediate results that are the same operation on the same operands become one node.

    Returns
    -------
    ComputationalGraph
        The intermediate results of the equation of j are nodes ``j_1``, ``j_2``, ... with the `origin` j; j itself
        is the last operation. Numbers stay where they stand.

    Raises
    ------
    CGraphError
        If `G` is not a ComputationalGraph, or has a cycle.

    Notes
    -----
    O(V + E) and the length of the equations. This is the evaluation trace of automatic differentiation [1]_.

    References
    ----------
    .. [1] A. Griewank, A. Walther, "Evaluating Derivatives", 2nd ed., SIAM 2008, section 2.2.

    Examples
    --------
    >>> from cgraph import from_equations
    >>> G = expand(from_equations("y = exp(x*z) + x*z/log(x)", x=2.0, z=3.0), share=True)
    >>> {j: equation for j, equation in G.nodes(data="equation") if equation}
    {'y': 'y_2 + y_4', 'y_1': 'x * z', 'y_2': 'exp(y_1)', 'y_3': 'log(x)', 'y_4': 'y_1 / y_3'}
    """
    build = Builder(G)
    known: dict[tuple[Any, ...], str] = {}
    for j, data in G.nodes(data=True):
        if data.get("role") == "operation":
            _expand_equation(build, j, known, share)
        else:
            build.keep(j)
    return build.H


def _expand_equation(build: Builder, j: str, known: dict[tuple[Any, ...], str], share: bool) -> None:
    """Add the equation of `j`, a node for each step; `known` says where an operation has been done already."""
    expression = unfolded(build.G.nodes[j]["expression"])
    *steps, last = expression.steps
    if not isinstance(last, Apply):
        build.H.add_equation(j, written_whole(expression)[-1])
        return
    number = count(1)
    written: list[str] = []  # how the result of each step is written in later ones
    for k, step in enumerate(steps):
        match step:
            case Name(name):
                written.append(write_name(name))
            case Number(_, text):
                written.append(text)
            case Apply() if not expression.varies[k]:
                written.append(f"({_elementary(step, written)[0]})")
            case Apply():
                equation, key = _elementary(step, written)
                if not share or key not in known:
                    name = build.fresh(f"{j}_{next(number)}")
                    build.declare(name, build.G.nodes[j]["origin"])
                    build.H.add_equation(name, equation)
                    known[key] = write_name(name)
                written.append(known[key])
    # j computes its result by itself: to read it from, or lend it to, another node of the old graph would
    # change the sensitivity of one to the other.
    build.H.add_equation(j, _elementary(last, written)[0])


def _elementary(step: Apply, written: list[str]) -> tuple[str, tuple[Any, ...]]:
    """Return an operation as it is written, and what tells it from others."""
    operands = [written[o] for o in step.operands]
    key = (step.operation, step.options, *(sorted(operands) if step.operation in _COMMUTE else operands))
    return write_step(step, operands), key
