"""Which engine answers: the sweeps over dicts, or the arrays of a compiled graph. It is decided here and nowhere else.

`sensitivities` and `sensitivities_from` are those of `cgraph.algorithms.sweeps`, with the same numbers. Compiling a graph
takes a fixed time and a share of a sweep; the first use of numba takes seconds. So what counts is for how many seconds the
sweeps over dicts would run.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

import networkx as nx
import numpy as np

from cgraph.algorithms import compiled, sweeps
from cgraph.algorithms.compiled.jit import is_at_hand, is_loaded
from cgraph.model.graph import Node, require_node
from cgraph.model.linearized import require_digraph

__all__ = [
    "SECONDS_PER_STEP",
    "compiled_if_it_pays",
    "compiling_pays",
    "keeps_digits",
    "sensitivities",
    "sensitivities_from",
]

# What a node or an edge takes over dicts, about: in one sweep, and in one step of descent (forward, derivatives, reverse).
SECONDS_PER_EDGE = 1e-6
SECONDS_PER_STEP = 1e-5
# From how many seconds over dicts compiling pays: if numba is loaded, and if it is not.
LEAST = 0.001
LEAST_TO_LOAD = 5.0
# In a product of a float below this a digit may be lost, which the sweeps over dicts keep.
SMALL = 1e-150


def compiling_pays(seconds: float) -> bool:
    """Return whether to compile for what would take so many seconds over dicts."""
    return seconds >= LEAST and (seconds >= LEAST_TO_LOAD or is_loaded()) and is_at_hand()


def compiled_if_it_pays(G: nx.DiGraph[Any], count: int, derivative: str) -> compiled.CompiledGraph | None:
    """Return `G` compiled if `count` sweeps take less time that way and find the same; otherwise None.

    What is wrong with a graph, the sweeps over dicts say.
    """
    require_digraph(G)
    if not compiling_pays(SECONDS_PER_EDGE * G.number_of_edges() * count):
        return None
    return compiled.compile_floats(G, derivative, SMALL)


@wraps(sweeps.sensitivities, assigned=["__doc__"])
def sensitivities(G: nx.DiGraph[Any], t: Node, *, derivative: str = "derivative") -> dict[Any, Any]:
    """Do what `sweeps.sensitivities` does, whose docstring takes the place of this one."""
    if (C := compiled_if_it_pays(G, 1, derivative)) is not None:
        require_node(G, t)
        if keeps_digits(S := C.sensitivities(t)):
            return dict(zip(G, S.tolist(), strict=True))
    return sweeps.sensitivities(G, t, derivative=derivative)


@wraps(sweeps.sensitivities_from, assigned=["__doc__"])
def sensitivities_from(G: nx.DiGraph[Any], s: Node, *, derivative: str = "derivative") -> dict[Any, Any]:
    """Do what `sweeps.sensitivities_from` does, whose docstring takes the place of this one."""
    if (C := compiled_if_it_pays(G, 1, derivative)) is not None:
        require_node(G, s)
        if keeps_digits(S := C.sensitivities_from(s)):
            return dict(zip(G, S.tolist(), strict=True))
    return sweeps.sensitivities_from(G, s, derivative=derivative)


def keeps_digits(S: np.ndarray[Any, Any]) -> bool:
    """Whether no S is so small that a product on the way may have left the range of floats."""
    return not np.any((np.abs(S) < SMALL) & (S != 0))
