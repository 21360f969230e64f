"""The graph that the command line names."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import IO, Any

import cgraph as cg
from cgraph.model.holding import held
from cgraph.model.language.names import unusable
from cgraph.model.language.parsing import parse_assignments
from cgraph.specs.documents import Document
from cgraph.specs.reading import graph_of as graph_of_document
from cgraph.specs.reading import read_document

__all__ = [
    "UsageError",
    "chosen_pairs",
    "graph_of",
    "linearized",
    "only_output",
    "placed",
    "read_data",
    "read_named",
    "standard_input",
    "usage",
    "written",
]


class UsageError(Exception):
    """The command line is wrong in a way that argparse cannot see."""


def graph_of(arguments: argparse.Namespace) -> cg.ComputationalGraph:
    """Return the graph of the SPEC, or of the equations after ``-e``, its nodes held as ``--hold`` says."""
    if (arguments.spec is None) == (arguments.equations is None):
        raise UsageError("give a SPEC, or equations with -e, one of the two")
    at, hold = _bindings(arguments.at, "--at"), _bindings(arguments.hold, "--hold")
    arguments.at = list(at.items())
    if arguments.equations is not None:
        _refuse_derivative(arguments)
        G = _from_equations(arguments.equations, at)
    else:
        try:
            G = _from_file(arguments, at)
        except OSError as error:
            raise UsageError(f"cannot read {arguments.spec!r}: {error.strerror or error}") from None
    return usage(held, G, hold) if hold else G


def _bindings(given: list[tuple[str, Any]], option: str) -> dict[str, Any]:
    names = [name for name, _ in given]
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"{option} sets {repeated!r} twice")
    return {name: _array(value) if isinstance(value, Path) else value for name, value in given}


def _array(path: Path) -> Any:
    """Return the array of a file that the command line names."""
    from cgraph.specs.array_files import ArrayFiles

    try:
        return ArrayFiles(path.parent).read(path.name)
    except cg.CGraphError as error:
        raise UsageError(f"{path}: {error}") from None


def _from_file(arguments: argparse.Namespace, at: dict[str, Any]) -> cg.ComputationalGraph:
    """Return the graph of the SPEC: of a spec, of a file of edges, or of a model of ONNX at the inputs of ``--at``."""
    if _is_graph_file(arguments.spec):
        return cg.read_graph(arguments.spec, arguments.derivative)
    _refuse_derivative(arguments)
    if Path(arguments.spec).suffix.lower() == ".onnx":
        G = cg.from_onnx(arguments.spec, at)
        arguments.at = [
            (name, value) for name, value in at.items() if name in G
        ]  # what else there is are whole numbers
        return G
    return _from_spec(arguments)


def _refuse_derivative(arguments: argparse.Namespace) -> None:
    if arguments.derivative is not None:
        raise UsageError("--derivative names a column of a file of edges; this is none")


def chosen_pairs(L: cg.ComputationalGraph, arguments: argparse.Namespace) -> list[tuple[str, str]]:
    """Return the pairs of ends that ``--from`` and ``--to`` name: by default the inputs and weights, and the outputs."""
    return list(product(arguments.s or L.inputs + L.weights, arguments.t or L.outputs))


def _is_graph_file(path: str) -> bool:
    """Whether a file is a graph of another program, which JSON alone does not tell by its ending."""
    if path == "-" or Path(path).suffix.lower() in {".yaml", ".yml", ".toml"}:
        return False
    from cgraph.frontends.graph_files import is_graph_file

    return is_graph_file(path)


def _from_spec(arguments: argparse.Namespace) -> cg.ComputationalGraph:
    """Return the graph of a spec; its document is kept, for errors to be placed in it."""
    source = standard_input() if arguments.spec == "-" else arguments.spec
    document = read_document(source)
    arguments.document = document
    G = graph_of_document(document, source)
    document.raise_problems()
    return G


def placed(error: cg.CGraphError, arguments: argparse.Namespace) -> str:
    """Return the report of an error of a node with the line of the spec that defines it, or "" if none is known."""
    document: Document | None = getattr(arguments, "document", None)
    node = getattr(error, "node", None)
    if document is None or node not in document.defined:
        return ""
    path = document.defined[node]
    document.report(path, str(error), at_key=path in document.places.keys)
    return document.problems[-1].report(document.name)


def _from_equations(text: str, values: dict[str, Any]) -> cg.ComputationalGraph:
    computed = {name for name, _ in parse_assignments(text)}
    for name in values:
        if reason := unusable(name):
            raise UsageError(reason)
        if name in computed:
            raise UsageError(f"node {name!r} cannot be set: it is computed; inputs and weights can")
    G = cg.from_equations(text, **values)
    for name in values:
        if not G.succ[name]:
            raise UsageError(f"no equation uses {name!r}, which --at sets")
    return G


def read_data(path: str) -> Any:
    """Return what a file of YAML, JSON or TOML holds, as plain data."""
    from cgraph.specs.reading import read_document

    try:
        document = read_document(path)
    except OSError as error:
        raise UsageError(f"cannot read {path!r}: {error.strerror or error}") from None
    document.raise_problems()
    return document.data


def standard_input() -> IO[Any]:
    """Return standard input as a stream of bytes."""
    if sys.stdin is None:  # the shell closed it
        raise UsageError("cannot read '-': standard input is closed")
    # As bytes: what is not UTF-8 is then a mistake with a place.
    return getattr(sys.stdin, "buffer", sys.stdin)


def read_named(reader: Callable[[Any], Any], name: str) -> Any:
    """Return what `reader` makes of a file, or of standard input under the name ``-``."""
    try:
        return reader(standard_input() if name == "-" else name)
    except OSError as error:
        raise UsageError(f"cannot read {name!r}: {error.strerror or error}") from None


def only_output(G: cg.ComputationalGraph, wanted: str) -> str:
    """Return the output of `G`; if there are several, or none, the command line has to say what is `wanted`."""
    if len(G.outputs) == 1:
        return G.outputs[0]
    outputs = f"{len(G.outputs)} outputs ({', '.join(G.outputs)})" if G.outputs else "no outputs"
    raise UsageError(f"the graph has {outputs}; name {wanted}")


def linearized(arguments: argparse.Namespace) -> cg.ComputationalGraph:
    """Return the linearized graph, at the values of ``--at``."""
    L: cg.ComputationalGraph = usage(cg.linearize, graph_of(arguments), dict(arguments.at))
    return L


def usage(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Call `function`; a node that it does not know, or cannot set, was named on the command line."""
    try:
        return function(*arguments, **options)
    except (cg.NodeNotFound, cg.InvalidNodeError, cg.OrderError, cg.DrawingError, cg.FormatError) as error:
        raise UsageError(str(error)) from error


def written(path: str, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Call `function`, which writes a file at `path`."""
    try:
        return usage(function, *arguments, **options)
    except OSError as error:
        raise UsageError(f"cannot write {path!r}: {error.strerror or error}") from None
