"""Derivatives on explicit computational graphs.

Legend, here and in every module: `G` a graph, `L` a linearized one; i, j nodes and (i, j) an edge; y(i) the value
of a node; z(i,j) = dy(j)/dy(i) the derivative on an edge; s, t the ends of a question; S(s,t) = dy(t)/dy(s).

    S(t,t) = 1,      S(i,t) = sum over edges (i,j) of S(j,t) z(i,j)
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.2.0"

if TYPE_CHECKING:
    from cgraph.algorithms import *
    from cgraph.exercises import *
    from cgraph.frontends import *
    from cgraph.model import *
    from cgraph.reports import *
    from cgraph.specs import *
    from cgraph.stored import *
    from cgraph.training import *
    from cgraph.transforms import *
    from cgraph.uncertainty import *

# Public names are found in their package when they are first used, so that the command starts without networkx.
_PACKAGES = (
    "model",
    "algorithms",
    "transforms",
    "training",
    "uncertainty",
    "specs",
    "frontends",
    "stored",
    "reports",
    "exercises",
)


def __getattr__(name: str) -> object:
    if name in _PACKAGES:
        return import_module(f"cgraph.{name}")
    if not name.startswith("_"):
        for package in _PACKAGES:
            module = import_module(f"cgraph.{package}")
            if name in module.__all__:
                globals()[name] = value = getattr(module, name)
                return value
    raise AttributeError(f"module 'cgraph' has no attribute {name!r}")


def __dir__() -> list[str]:
    return ["__version__", *(name for package in _PACKAGES for name in import_module(f"cgraph.{package}").__all__)]
