"""From a spec to a graph, with every mistake of the file reported at once."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path as FilePath
from typing import IO, Any

import numpy as np

from cgraph.model.errors import CycleError, DerivativeError, EquationError, InvalidNodeError, nearest, shorten
from cgraph.model.graph import BIAS, BIAS_RULE, ComputationalGraph, topological_order, undefined
from cgraph.model.language.expressions import Expression, Name, Number, write_name
from cgraph.model.language.names import unusable
from cgraph.model.language.parsing import parse
from cgraph.model.linearized import size_of
from cgraph.model.neurons import LAYER_ACTIVATIONS
from cgraph.model.operations.elementwise import ACTIVATIONS
from cgraph.model.values import show_shape
from cgraph.specs.advice import instead_of_key, node_meant
from cgraph.specs.documents import Document, Path
from cgraph.specs.formats import format_of, parse_document, read_text
from cgraph.specs.network_section import LOSS, Layer, Network, Neuron, read_network
from cgraph.specs.node_values import Values, kind_of
from cgraph.specs.uncertainty_section import UNCERTAINTY_KEYS, add_uncertainty, read_means

__all__ = ["EXERCISE_KEYS", "graph_of", "read_document", "read_spec"]

VERSION = 1
SOURCES = {"inputs": "input", "weights": "weight", "constants": "constant"}
MAX_SUGGESTIONS = 20  # the search for a name that is near goes through all names
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
EXERCISE_KEYS = ("ask", "vary", "magnitude", "salt", "variant", "sealed")
KEYS = [
    "cgraph",
    "title",
    "functions",
    *SOURCES,
    "nodes",
    "network",
    "edges",
    "output",
    "outputs",
    "source",
    *UNCERTAINTY_KEYS,
    *EXERCISE_KEYS,
]


def read_spec(source: str | os.PathLike[str] | IO[Any], *, format: str | None = None) -> ComputationalGraph:
    r"""Read a graph spec.

    Parameters
    ----------
    source : path or stream
        A file, or what has been opened already, as text or as bytes.
    format : {"yaml", "json", "toml"}, optional
        By default what the file's suffix says, else YAML, of which JSON is a part.

    Returns
    -------
    ComputationalGraph
        Its nodes stand in the order of the file; ``G.graph`` holds title and outputs.

    Raises
    ------
    SpecError
        With every mistake of the file: line, column, what is wrong, a hint. Also for a file that is not UTF-8
        or too large, or names a file of numbers that cannot be read.
    OSError
        If the file cannot be opened.

    Notes
    -----
    The language is described in ``docs/spec.md``. The file is data: nothing in it is executed or imported. The files
    of numbers that it names lie in its folder, those that a stream names in the working directory.

    Examples
    --------
    >>> import io
    >>> G = read_spec(io.StringIO("inputs: {x: 2.0}\nnodes: {y: x^2}"))
    >>> G.nodes["y"]["equation"]
    'x^2'
    """
    document = read_document(source, format=format)
    G = graph_of(document, source)
    document.raise_problems()
    return G


def read_document(source: str | os.PathLike[str] | IO[Any], *, format: str | None = None) -> Document:
    """Parse a file or stream, by its suffix or as the format says."""
    suffix = FilePath(source).suffix if isinstance(source, str | os.PathLike) else ""
    format = format_of(suffix, format)
    name, text = read_text(source)
    return parse_document(text, format, name)


def graph_of(document: Document, source: str | os.PathLike[str] | IO[Any]) -> ComputationalGraph:
    """Return the graph of a spec; mistakes are recorded in the document. Files are named relative to its `source`."""
    path = FilePath(source) if isinstance(source, str | os.PathLike) else FilePath()
    reader = _Reader(document, path.parent)
    document.defined = reader.defined
    return reader.graph()


class _Reader:
    """Goes through a document section by section; a mistake is recorded and the reading goes on."""

    def __init__(self, document: Document, folder: FilePath) -> None:
        self.document = document
        self.report = document.report
        self.values = Values(document.report, folder)
        self.defined: dict[str, Path] = {}
        self.widths: dict[str, int] = {}  # of the layers of a vector network
        self.sized: dict[str, Path] = {}  # the nodes that edges give a size, and the last of these
        self.G = ComputationalGraph()

    def graph(self) -> ComputationalGraph:
        if not isinstance(self.document.data, dict):
            hint = "write inputs: {x: 2.0} and nodes: {y: x^2}; `cgraph eval -e` takes 'y = x^2' as it stands"
            self.report((), "a spec must be a mapping, with keys such as 'inputs' and 'nodes'", hint)
            return self.G
        self.check_keys()
        # All names stand in the graph, in the order of the file, before any is used: the file may use a name
        # before it defines it.
        for section in (*SOURCES, "readings", "nodes"):
            for name in self.section(section):
                self.define(name, (section, name))
        self.add_functions()
        network = self.define_network()
        self.numbered = {name for name in self.defined if name.isdecimal()}
        equations = self.section("nodes").values()
        self.writes_y = any(isinstance(e, str) and re.search(r"\by\s*\(", e) for e in equations)
        for section, role in SOURCES.items():
            for name, value in self.section(section).items():
                self.add_source(name, value, (section, name), role)
        for name, mean in read_means(self.section("readings"), self.report).items():
            self.add_source(name, mean, ("readings", name), "input")
        for name, equation in self.section("nodes").items():
            self.add_equation(name, equation, ("nodes", name))
        self.add_network(network)
        for edge, value in self.section("edges").items():
            self.add_edge(edge, value, ("edges", edge))
        self.check_jacobians()
        add_uncertainty(self.G, {key: self.section(key) for key in UNCERTAINTY_KEYS}, self.report)
        self.add_title()
        self.add_outputs()
        self.check_cycles()
        return self.G

    def check_keys(self) -> None:
        for key in self.document.data:
            if key not in KEYS:
                self.report(
                    (key,), f"unknown key {key!r}", instead_of_key(key, KEYS, self.document.data[key]), at_key=True
                )
        version = self.document.data.get("cgraph", VERSION)
        if version is None:
            self.report(("cgraph",), "'cgraph' is empty", f"write cgraph: {VERSION}")
        elif version != VERSION or isinstance(version, bool):
            shown = str(version).lower() if isinstance(version, bool) else repr(version)
            self.report(
                ("cgraph",), f"version {shorten(shown)} of the language is not known", f"write cgraph: {VERSION}"
            )

    def section(self, key: str) -> dict[str, Any]:
        content = self.document.data.get(key)
        if isinstance(content, dict):
            return content
        if content is not None and (key,) not in self.defined.values():
            hint = _instead_of_section(key, content)
            self.report((key,), f"{key!r} must be a mapping from names, not {kind_of(content)}", hint)
            self.document.data[key] = None  # said once
        return {}

    def define(self, name: str, path: Path) -> None:
        misplaced = name == BIAS and path not in {("constants", BIAS), ("network",)}
        if reason := unusable(name) or BIAS_RULE * misplaced:
            self.report(path, reason, at_key=True)
        elif name in self.defined:
            first = self.document.places.keys.get(self.defined[name], (0, 0))[0] + 1
            self.report(path, f"node {name!r} is defined twice, first in line {first}", at_key=True)
        else:
            self.defined[name] = path
            self.G.add_node(name)

    def add_functions(self) -> None:
        """Add the functions of the spec's own; each may use those above it."""
        for head, equation in self.section("functions").items():
            path = ("functions", head)
            if not isinstance(equation, str):
                self.report(path, f"the equation of function {head!r} must be text, not {kind_of(equation)}")
                continue
            try:
                self.G.add_function(head, equation)
            except EquationError as error:
                for mistake in (error, *error.others):
                    message = f"function {head!r}: {mistake.message}"
                    self.report(path, message, mistake.hint, inside=(equation, mistake.column))
            except InvalidNodeError as error:
                self.report(path, str(error), at_key=True)

    def add_source(self, name: str, value: object, path: Path, role: str) -> None:
        if value is None:
            hint = "; the decimal sign is a point, as in 2.5" * name.isdigit()  # {x: 2,5} has a key 5
            self.report(path, f"{role} {name!r} has no value", f"write {name}: 1.0{hint}", at_key=True)
        elif (found := self.values.value(value, path, f"{role} {name!r}")) is None or self.defined.get(name) != path:
            pass  # said already
        elif name == BIAS and (isinstance(found, np.ndarray) or found != 1):
            self.report(path, BIAS_RULE)
        else:
            add = {"input": self.G.add_input, "weight": self.G.add_weight, "constant": self.G.add_constant}[role]
            add(name, found)

    def add_equation(self, name: str, equation: object, path: Path) -> None:
        if isinstance(equation, int | float) and not isinstance(equation, bool):  # a bare number is an equation too
            if self.values.number(equation, path, f"node {name!r}") is None:
                return
            equation = str(equation)
        if equation is None:
            cut = name.count(")") > name.count("(")  # {y: max(a, b)} has a key b)
            hint = "in braces a comma ends the equation: put it in quotes" if cut else ""
            self.report(path, f"node {name!r} has no equation", hint, at_key=True)
            return
        if not isinstance(equation, str):
            hint = "braces make a mapping: write round brackets" if isinstance(equation, dict) else ""
            hint = (
                "a vector is an input or a constant; stack(a, b) makes one of nodes"
                if isinstance(equation, list)
                else hint
            )
            self.report(path, f"the equation of node {name!r} must be text, not {kind_of(equation)}", hint)
            return
        try:
            steps = undefined(parse(equation, self.G.functions), self.defined)
        except EquationError as error:
            for mistake in (error, *error.others):
                message = f"node {name!r}: {mistake.message}"
                self.report(path, message, mistake.hint, inside=(equation, mistake.column))
            self.report_undefined(name, undefined(Expression(error.names), self.defined), equation, path)
            return
        self.report_undefined(name, steps, equation, path)
        self.warn_of_numbers(name, equation, path)
        if not steps and self.defined.get(name) == path:
            self.G.add_equation(name, equation)

    def report_undefined(self, name: str, steps: Iterable[Name], equation: str, path: Path) -> None:
        for step in steps:
            message = f"node {name!r} uses {step.name!r}, which is not defined"
            hint = node_meant(step.name, self.defined) if len(self.document.problems) < MAX_SUGGESTIONS else ""
            self.report(path, message, hint, inside=(equation, step.start))

    def warn_of_numbers(self, name: str, equation: str, path: Path) -> None:
        """Warn of numbers that are also nodes: an author who never writes y(1) may mean the node by 1."""
        if not self.numbered or self.writes_y:
            return
        typed = [step.text for step in parse(equation).steps if isinstance(step, Number)]
        for number in dict.fromkeys(self.numbered.intersection(typed)):
            found = re.search(rf"(?<![\w.]){number}(?![\w.])", equation)
            message = f"node {name!r}: {number} is the number here, and there is a node of that name"
            inside = (equation, found.start() if found else 0)
            self.document.warn(path, message, f"write y({number}) for the node", inside=inside)

    def define_network(self) -> Network:
        network = read_network(self.section("network"), list(self.section("inputs")), self.report)
        for name in network.inputs:
            self.define(name, ("network", "inputs", name))
        for neuron in network.neurons:
            self.define(neuron.name, neuron.path)
        for layer in network.layers:
            for name, path in layer.names.items():
                self.define(name, path)
        if network.uses_bias and BIAS not in self.defined:
            self.define(BIAS, ("network",))
            self.G.add_constant(BIAS, 1.0)
        if network.loss is not None:
            self.define(LOSS, ("network", "loss"))
        return network

    def add_network(self, network: Network) -> None:
        for name, value in network.inputs.items():
            self.add_source(name, value, ("network", "inputs", name), "input")
        for neuron in network.neurons:
            self.add_neuron(neuron)
        for layer in network.layers:
            self.add_layer(layer)
        if network.loss is not None:
            self.add_equation(LOSS, network.loss, ("network", "loss"))

    def add_layer(self, layer: Layer) -> None:
        """Add a layer of a vector network: Phi(x @ W.T + b), for one example x or for a batch of them as rows."""
        what, names = f"layer {layer.number}", layer.names
        if layer.activation not in LAYER_ACTIVATIONS:
            hint = self.suggest(str(layer.activation), LAYER_ACTIVATIONS, "the activations are")
            message = f"{what} has the activation {layer.activation!r}, which is not known"
            self.report((*layer.path, "activation"), message, hint)
        found = {
            name: self.values.value(content, path, f"the {path[-1]} of {what}")
            for (name, path), content in zip(names.items(), (layer.weights, layer.bias), strict=False)
            if content is not None
        }
        if layer.feeding not in self.defined:
            message = f"{what} is fed by {layer.feeding!r}, which is not defined"
            self.report(("network", "inputs", 0), message, self.suggest(layer.feeding, self.defined))
            return
        if layer.activation not in LAYER_ACTIVATIONS or any(value is None for value in found.values()):
            return  # said already
        if not self.fits(layer, *found.values()) or any(self.defined.get(name) != path for name, path in names.items()):
            return
        for name, value in found.items():
            self.G.add_weight(name, value)
        W, *b = found
        terms = " + ".join([f"{write_name(layer.feeding)} @ {W}.T", *b])
        self.G.add_equation(layer.name, f"{layer.activation}({terms})")

    def fits(self, layer: Layer, weights: Any, bias: Any = None) -> bool:
        """Whether the shapes of a layer fit each other and the node before it; else report which one does not."""
        what = f"layer {layer.number}"
        if np.ndim(weights) != 2:
            message = f"the weights of {what} are {show_shape(weights)}; a matrix is needed, a row for each entry"
            self.report((*layer.path, "weights"), message, "write weights: [[0.2, 0.4]]")
            return False
        rows, columns = weights.shape
        before = self.G.nodes[layer.feeding].get("value", weights)
        shape = (self.widths[layer.feeding],) if layer.feeding in self.widths else np.shape(before)
        self.widths[layer.name] = rows
        if not shape:
            self.report(layer.path, f"{what}: {layer.feeding!r}, which feeds it, is a number; an array is needed")
        elif shape[-1] != columns:
            message = f"{what}: the length of a row of weights is {columns}, that of {layer.feeding!r}, which feeds it, {shape[-1]}"
            self.report((*layer.path, "weights"), message)
        elif bias is not None and np.shape(bias) != (rows,):
            needed = f"a list with a number for each row is needed, here {rows}"
            self.report((*layer.path, "bias"), f"the bias of {what} is {show_shape(bias)}; {needed}")
        else:
            return True
        return False

    def add_neuron(self, neuron: Neuron) -> None:
        what = f"neuron {neuron.name!r}"
        weights = dict(neuron.weights) | ({BIAS: neuron.bias} if neuron.bias else {})
        if neuron.bias and BIAS in neuron.weights:
            self.report(neuron.bias[1], f"{what} has its bias twice: here, and as the weight of {BIAS!r}", at_key=True)
        numbers = {
            i: self.values.number(w, path, f"the {'bias' if i == BIAS else f'weight of {i!r}'} in {what}")
            for i, (w, path) in weights.items()
        }
        for i, (_, path) in weights.items():
            if i not in self.defined:
                self.report(
                    path, f"{what} uses {i!r}, which is not defined", self.suggest(i, self.defined), at_key=True
                )
        if neuron.activation not in ACTIVATIONS:
            hint = self.suggest(str(neuron.activation), ACTIVATIONS, "the activations are")
            message = f"{what} has the activation {neuron.activation!r}, which is not known"
            self.report(neuron.activation_path, message, hint)
        elif self.defined.get(neuron.name) == neuron.path and self.G.nodes.keys() >= numbers.keys():
            known = {i: w for i, w in numbers.items() if w is not None}
            self.G.add_neuron(neuron.name, activation=neuron.activation, weights=known)

    def add_edge(self, edge: str, value: object, path: Path) -> None:
        tail, arrow, head = (part.strip() for part in edge.partition("->"))
        reason = "" if arrow else "an edge must be written 'x -> y'"
        reason = reason or unusable(tail) or unusable(head)
        if reason:
            self.report(path, reason, at_key=True)
        elif (section := self.defined.get(head, ("",))[0]) in {"nodes", "network"}:
            hint = f"remove this line, or {head!r} from {section!r}"
            self.report(path, f"edge {edge!r}: the derivative follows from how {head!r} is computed", hint, at_key=True)
        elif head in self.defined and self.defined[head][0] in SOURCES:
            self.report(path, f"edge {edge!r} ends at {head!r}, whose value is given", at_key=True)
        elif self.G.has_edge(tail, head):
            self.report(path, f"edge {edge!r} stands here twice", at_key=True)
        elif (z := self.values.value(value, path, f"edge {edge!r}")) is not None:
            if np.ndim(z) not in {0, 2}:
                message = f"edge {edge!r} holds {show_shape(z)}; a Jacobian is a matrix"
                hint = f"write a row for each entry of {head!r}, in it a number for each entry of {tail!r}"
                self.report(path, message, hint)
            else:
                self.G.add_edge(tail, head, derivative=z)
                if np.ndim(z) or np.ndim(self.G.nodes[tail].get("value", 0)) or {tail, head} & self.sized.keys():
                    self.sized |= {tail: path, head: path}

    def suggest(self, name: str, names: Iterable[str], otherwise: str = "") -> str:
        """Return the nearest of `names` as a question, or else all of them after the word `otherwise`."""
        if len(self.document.problems) >= MAX_SUGGESTIONS:
            return ""
        names = list(names)
        if close := nearest(name, names):
            return f"did you mean {close!r}?"
        return f"{otherwise} {', '.join(names)}" if otherwise else ""

    def check_jacobians(self) -> None:
        """Report nodes whose edges do not agree about their size, as when rows and columns are confused."""
        for node, path in self.sized.items():
            try:
                size_of(self.G, node, "derivative")
            except DerivativeError as error:
                self.report(path, str(error), at_key=True)

    def add_title(self) -> None:
        title = self.document.data.get("title")
        if isinstance(title, str) and UNPRINTABLE.search(title):
            self.report(("title",), "the title holds a control character")
        elif isinstance(title, str):
            self.G.graph["title"] = title
        elif title is not None:
            self.report(("title",), f"the title must be text, not {kind_of(title)}")

    def add_outputs(self) -> None:
        data = self.document.data
        if "output" in data and "outputs" in data:
            self.report(("outputs",), "'output' and 'outputs' both stand here", "keep one", at_key=True)
        elif "output" in data or "outputs" in data:
            key = "output" if "output" in data else "outputs"
            listed = [((key,), data[key])] if key == "output" else self.listed(key)
            outputs: list[str] = []
            for path, name in listed:
                if isinstance(name, bool) or not isinstance(name, str | int):
                    self.report(path, f"an output must be the name of a node, not {kind_of(name)}")
                elif str(name) not in self.G:
                    self.report(path, f"output {shorten(str(name))!r} is not defined", self.suggest(str(name), self.G))
                elif str(name) in outputs:
                    self.report(path, f"output {str(name)!r} stands here twice")
                else:
                    outputs.append(str(name))
            self.G.graph["outputs"] = outputs

    def listed(self, key: str) -> list[tuple[Path, object]]:
        names = self.document.data[key]
        if not isinstance(names, list) or not names:
            self.report((key,), f"{key!r} must be a list of names, not {kind_of(names)}", f"write {key}: [y1, y2]")
            return []
        return [((key, k), name) for k, name in enumerate(names)]

    def check_cycles(self) -> None:
        try:
            topological_order(self.G)
        except CycleError as error:
            path = self.defined.get(str(error.cycle[0]), ("edges", f"{error.cycle[0]} -> {error.cycle[1]}"))
            self.report(path, str(error), at_key=True, cyclic=True)


def _instead_of_section(key: str, content: object) -> str:
    if isinstance(content, str) and "=" in content:
        return "write 'name: value', with a colon and a space instead of '='"
    if isinstance(content, str) and ":" in content:
        return "write a space after the colon"
    if isinstance(content, list):
        return f"write {key}: {{name: ...}}, or 'name: value' in lines without '-'"
    return f"write {key}: {{name: ...}}"
