"""From a graph to a spec."""

from __future__ import annotations

import io
import json
import os
import re
import zipfile
from pathlib import Path
from typing import IO, Any, TextIO

import numpy as np
from numpy.lib import format as npy
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from cgraph.model.errors import CGraphError, InvalidNodeError, MissingValueError, shorten
from cgraph.model.evaluation import is_computed
from cgraph.model.files import write_whole
from cgraph.model.graph import BIAS, ComputationalGraph, require_digraph
from cgraph.model.language.names import unusable
from cgraph.model.linearized import with_derivative
from cgraph.specs.formats import MAX_BYTES, format_to_write
from cgraph.specs.reading import SOURCES, UNPRINTABLE, VERSION
from cgraph.specs.uncertainty_section import plain_uncertainty

__all__ = ["spec_of", "to_json", "to_yaml", "write_spec"]

MAX_INLINE = 1000  # entries of an array that stands in the spec itself
MAX_ROW = 100  # characters of an array that stands on one line of YAML with its name


def write_spec(
    G: ComputationalGraph,
    target: str | os.PathLike[str] | TextIO,
    *,
    format: str | None = None,
    derivative: str = "derivative",
) -> None:
    """Write a graph as a spec; reading it gives the graph back.

    Parameters
    ----------
    G : ComputationalGraph
        Not modified. What a spec has no place for (values of computed nodes, derivatives that follow from an
        equation) is left out; it can be computed again. Arrays are written as nested lists, in a file those of more than
        `MAX_INLINE` entries beside it, in ``NAME.npz``: they belong together.
    target : path or text stream
        A file is written whole or not at all. A stream takes all arrays as lists.
    format : {"yaml", "json", "toml"}, optional
        By default what the file's suffix says; YAML if it has none.
    derivative : str, default "derivative"
        The edge attribute that holds dy(j)/dy(i).

    Raises
    ------
    MissingValueError
        If an input has no value, or an edge neither an equation nor a derivative.
    InvalidNodeError
        If the name of a node cannot stand in a spec.
    CGraphError
        If the spec would be larger than `read_spec` reads, or the suffix is that of something else, as .csv.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import sys
    >>> from cgraph import from_equations
    >>> write_spec(from_equations("y = x^2", x=2.0), sys.stdout)
    cgraph: 1
    inputs:
      x: 2.0
    nodes:
      y: x^2
    """
    format = format_to_write(str(target) if isinstance(target, str | os.PathLike) else "", format)
    path = Path(target) if isinstance(target, str | os.PathLike) else None
    beside = _Beside(f"{path.name}.npz") if path and path.suffix else None
    spec = spec_of(with_derivative(G, derivative), beside)
    text = {"yaml": to_yaml, "json": _to_json, "toml": _to_toml}[format](spec)
    if len(text) > MAX_BYTES[format]:
        advice = "" if format == "json" else "; JSON may be larger"
        raise CGraphError(
            f"a spec of {len(text) / 1e6:.3g} MB is larger than could be read again in {format.upper()}{advice}"
        )
    if path:
        if beside and beside.arrays:  # before the spec that names them
            write_whole(path.with_name(beside.file), beside.write)
        write_whole(path, text)
    elif hasattr(target, "write"):
        target.write(text)
    else:
        raise CGraphError(f"the path of a file or a stream is needed, not {shorten(repr(target))}")


class _Beside:
    """The arrays that stand in a file beside a spec."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.arrays: dict[str, Any] = {}

    def add(self, name: str, array: Any) -> dict[str, str]:
        """Take an array; return what the spec says instead."""
        self.arrays[name] = array
        return {"file": self.file, "name": name}

    def write(self, file: IO[bytes]) -> None:
        """Write an .npz file; `numpy.savez` knows no array that is called `file`."""
        with zipfile.ZipFile(file, "w") as archive:
            for name, array in self.arrays.items():
                with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                    npy.write_array(member, np.ascontiguousarray(array), allow_pickle=False)


def spec_of(G: ComputationalGraph, beside: _Beside | None = None) -> dict[str, Any]:
    """Return the spec of `G` as plain data; large arrays go to `beside`, if there is such a file."""
    require_digraph(G)
    spec: dict[str, Any] = {"cgraph": VERSION}
    if title := G.graph.get("title"):
        spec["title"] = _readable(title)
    if functions := G.graph.get("functions"):
        spec["functions"] = dict(definition.split(" = ", 1) for definition in functions.values())
    for section, role in SOURCES.items():
        spec[section] = {
            i: _value(i, d, beside)
            for i, d in G.nodes(data=True)
            if d.get("role") == role and not _is_known_by_edges(G, i)
        }
    spec["nodes"] = {j: d["equation"] for j, d in G.nodes(data=True) if "equation" in d}
    if neurons := {j: _neuron(G, j) for j, d in G.nodes(data=True) if d.get("role") == "neuron"}:
        spec["network"] = {"neurons": neurons}
    if any("bias" in neuron for neuron in neurons.values()):
        del spec["constants"][BIAS]  # a bias implies it
    spec["edges"] = {f"{i} -> {j}": _given(i, j, d, beside) for i, j, d in G.edges(data=True) if not is_computed(G, j)}
    if outputs := G.graph.get("outputs"):
        spec["outputs"] = list(outputs)
    spec |= plain_uncertainty(G)
    for i, d in G.nodes(data=True):
        if reason := unusable(i):
            raise InvalidNodeError(reason)
        if "role" not in d and not G.degree(i):
            raise MissingValueError(f"node {i!r} has no value, no equation and no edge; a spec has no place for it")
    return {key: content for key, content in spec.items() if content != {}}


def _readable(title: object) -> str:
    if not isinstance(title, str) or UNPRINTABLE.search(title):
        raise CGraphError(f"the title {title!r} is no text without control characters; a spec could not be read again")
    return title


def _value(i: str, data: dict[str, Any], beside: _Beside | None) -> Any:
    if data.get("value") is None:
        raise MissingValueError(f"{data['role']} {i!r} has no value; a spec needs one")
    return _plain(data["value"], i, beside)


def _is_known_by_edges(G: ComputationalGraph, i: str) -> bool:
    """Whether `i` is a constant without a value, as in a graph of given derivatives whose zeros were left out."""
    data = G.nodes[i]
    return data.get("role") == "constant" and data.get("value") is None and G.degree(i) > 0


def _plain(value: Any, name: str, beside: _Beside | None) -> Any:
    """Return a number as a float, and an array or a Jacobian as nested lists, or as the file that holds it."""
    array = np.asarray(value, dtype=float)
    return beside.add(name, array) if beside and array.size > MAX_INLINE else array.tolist()


def _neuron(G: ComputationalGraph, j: str) -> dict[str, Any]:
    weights = {i: float(G.edges[i, j]["weight"]) for i in G.nodes[j]["operands"]}
    bias = {"bias": weights.pop(BIAS)} if BIAS in weights else {}
    return {"activation": G.nodes[j]["activation"], "weights": weights, **bias}


def _given(i: str, j: str, data: dict[str, Any], beside: _Beside | None) -> Any:
    if data.get("derivative") is None:
        raise MissingValueError(f"edge {i!r} -> {j!r} has no derivative, and {j!r} no equation that it follows from")
    return _plain(data["derivative"], f"{i} -> {j}", beside)


def to_yaml(spec: dict[str, Any]) -> str:
    """Return a spec or an exercise as YAML."""
    stream = io.StringIO()
    yaml = YAML()
    yaml.width = 10**9  # an equation stays on its line, where a message can point into it
    yaml.dump({key: _laid_out(content) for key, content in spec.items()}, stream)
    return stream.getvalue()


def _laid_out(content: Any) -> Any:
    """Return a section of a spec with its arrays on one line, or, if they are long, on a line for each row."""
    if isinstance(content, dict) and content.keys() == {"file", "name"} and isinstance(content["file"], str):
        on_its_line = CommentedMap(content)
        on_its_line.fa.set_flow_style()
        return on_its_line
    if isinstance(content, dict):
        return {name: _laid_out(part) if isinstance(part, dict | list) else part for name, part in content.items()}
    if isinstance(content, list) and content and isinstance(content[0], list | float):
        if isinstance(content[0], list) and len(str(content)) > MAX_ROW:
            return [_laid_out(row) for row in content]
        on_one_line = CommentedSeq(content)
        on_one_line.fa.set_flow_style()
        return on_one_line
    return content


def _to_json(spec: dict[str, Any]) -> str:
    return to_json(spec) + "\n"


def to_json(data: dict[str, Any]) -> str:
    """Return `data` as JSON, indented, a list of numbers on one line."""
    # A line break stands between the parts of a list, and never inside a text.
    lists = re.compile(r"\[\n([-+\d.eE,\s]*)\]")
    text = json.dumps(data, indent=2, ensure_ascii=False)
    return lists.sub(lambda numbers: f"[{' '.join(numbers[1].split())}]", text)


def _to_toml(spec: dict[str, Any]) -> str:
    """Write TOML: single values first, then a table for each mapping.

    A JSON string is a TOML string and a JSON number a TOML number, so both are written by `json`.
    """
    plain = [f"{key} = {_inline(value)}" for key, value in spec.items() if not isinstance(value, dict)]
    tables = {key: table for key, table in spec.items() if isinstance(table, dict)}
    if "network" in tables:
        tables["network.neurons"] = tables.pop("network")["neurons"]
    for key, table in tables.items():
        plain += ["", f"[{key}]", *(f"{_inline(name)} = {_inline(value)}" for name, value in table.items())]
    return "\n".join(plain) + "\n"


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_inline(name)} = {_inline(item)}" for name, item in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)
