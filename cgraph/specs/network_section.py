"""The section `network` of a spec: neurons by name, or layers as matrices of weights.

A layer is a neuron for each row of its weights, or, in a vector network, one node for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cgraph.model.graph import BIAS
from cgraph.model.operations.elementwise import ACTIVATIONS
from cgraph.specs.documents import Path
from cgraph.specs.node_values import Report, check_keys

__all__ = ["LOSS", "Layer", "Network", "Neuron", "read_network"]

LOSS = "J"
KEYS = ["inputs", "neurons", "layers", "loss", "vector"]
VECTOR_KEYS = ["inputs", "layers", "loss", "vector"]
NEURON_KEYS = ["activation", "weights", "bias"]
LAYER_KEYS = ["activation", "weights", "bias", "names"]
VECTOR_LAYER_KEYS = ["activation", "weights", "bias", "name"]
LAYER_EXAMPLE = "{activation: relu, weights: [[...]]}"


@dataclass(frozen=True)
class Neuron:
    """What a file says of a neuron, and where it says it."""

    name: str
    path: Path
    activation: Any
    activation_path: Path
    weights: Mapping[str, tuple[Any, Path]]
    bias: tuple[Any, Path] | None


@dataclass(frozen=True)
class Layer:
    """What a file says of a layer of a vector network, and where it says it."""

    number: int
    name: str
    path: Path
    feeding: str  # the node before it
    activation: Any
    weights: Any
    bias: Any

    @property
    def names(self) -> dict[str, Path]:
        """The nodes of the layer: its weights, its bias if it has one, and what it computes."""
        own = {f"W{self.number}": "weights"} | ({f"b{self.number}": "bias"} if self.bias is not None else {})
        return {name: (*self.path, key) for name, key in own.items()} | {self.name: (*self.path, "name")}


@dataclass(frozen=True)
class Network:
    """The declarations of a network: inputs with values, neurons or vector layers, and the loss."""

    inputs: Mapping[str, Any]
    neurons: tuple[Neuron, ...] = ()
    loss: Any = None
    layers: tuple[Layer, ...] = ()

    @property
    def uses_bias(self) -> bool:
        """Whether some neuron has a weight from the constant node "+1"."""
        return any(neuron.bias or BIAS in neuron.weights for neuron in self.neurons)


def read_network(content: Mapping[str, Any], inputs: list[str], report: Report) -> Network:
    """Read the section, reporting mistakes of shape; `inputs` are those of the other sections."""
    is_vector = content.get("vector", False)
    if not isinstance(is_vector, bool):
        report(("network", "vector"), "'vector' must be true or false", "write vector: true")
        is_vector = False
    check_keys(content, VECTOR_KEYS if is_vector else KEYS, ("network",), report)
    given = content.get("inputs")
    own = given if isinstance(given, dict) else {}
    feeding = list(own) or inputs
    if isinstance(given, list) and all(isinstance(i, str | int) for i in given):
        feeding = [str(i) for i in given]  # which of the other inputs feed the first layer
    elif given is not None and not isinstance(given, dict):
        report(("network", "inputs"), "'inputs' must be a mapping from names to values, or a list of names")
    if is_vector:
        layers = _vector_layers(content.get("layers"), feeding, report)
        return Network(own, loss=content.get("loss"), layers=tuple(layers))
    neurons = list(_layers(content.get("layers"), feeding, report))
    by_name = content.get("neurons")
    if isinstance(by_name, dict):
        neurons += [n for name, data in by_name.items() if (n := _neuron(name, data, report))]
    elif by_name is not None:
        report(("network", "neurons"), "'neurons' must be a mapping from names", "write neurons: {h1: {...}}")
    return Network(own, tuple(neurons), content.get("loss"))


def _neuron(name: str, data: Any, report: Report) -> Neuron | None:
    path: Path = ("network", "neurons", name)
    if not isinstance(data, dict):
        hint = f"write {name}: {{activation: sigmoid, weights: {{x: 0.5}}, bias: 0.1}}"
        report(path, f"neuron {name!r} must be a mapping with activation and weights", hint, at_key=True)
        return None
    check_keys(data, NEURON_KEYS, path, report)
    weights = data.get("weights")
    if weights is None and data.get("bias") is None:
        report(path, f"neuron {name!r} has no weights", "write weights: {x: 0.5}", at_key=True)
        return None
    if not isinstance(weights, dict | None):
        report((*path, "weights"), "'weights' must be a mapping from nodes to numbers", "write weights: {x: 0.5}")
        return None
    if "activation" not in data:
        report(path, f"neuron {name!r} has no activation", f"the activations are {', '.join(ACTIVATIONS)}", at_key=True)
        return None
    found = {str(i): (w, (*path, "weights", i)) for i, w in (weights or {}).items()}
    bias = None if data.get("bias") is None else (data["bias"], (*path, "bias"))
    return Neuron(name, path, data["activation"], (*path, "activation"), found, bias)


def _layers(layers: Any, feeding: list[str], report: Report) -> list[Neuron]:
    """Return the neurons of all layers; each layer feeds the next."""
    if layers is None:
        return []
    if not isinstance(layers, list):
        report(("network", "layers"), "'layers' is a list", f"write layers: [{LAYER_EXAMPLE}]")
        return []
    neurons: list[Neuron] = []
    for k, layer in enumerate(layers):
        found = _layer(layer, k, len(layers), feeding, report)
        if found is None:  # what follows could not be read without the names of this one
            break
        neurons += found
        feeding = [neuron.name for neuron in found]
    return neurons


def _vector_layers(layers: Any, feeding: list[str], report: Report) -> list[Layer]:
    """Return the layers of a vector network, each a node that feeds the next."""
    if not isinstance(layers, list) or not layers:
        report(("network", "layers"), "a vector network has layers", f"write layers: [{LAYER_EXAMPLE}]", at_key=True)
        return []
    if len(feeding) != 1:
        shown = f"here {', '.join(feeding)}" if feeding else "here none"
        report(("network", "inputs"), f"one node feeds a vector network, {shown}", "write inputs: [x]", at_key=True)
        return []
    read: list[Layer] = []
    before = feeding[0]
    for k, layer in enumerate(layers):
        path: Path = ("network", "layers", k)
        if not isinstance(layer, dict) or not {"activation", "weights"} <= layer.keys():
            report(path, f"layer {k + 1} must be a mapping with activation and weights", f"write {LAYER_EXAMPLE}")
            break  # what follows could not be read without it
        check_keys(layer, VECTOR_LAYER_KEYS, path, report)
        name = layer.get("name")
        if not isinstance(name, str | int | None) or isinstance(name, bool):
            report((*path, "name"), f"the name of layer {k + 1} is text", "write name: h")
            name = None
        by_custom = "o" if k == len(layers) - 1 else f"h{k + 1}"
        before, feeds = str(by_custom if name is None else name), before
        read.append(Layer(k + 1, before, path, feeds, layer["activation"], layer["weights"], layer.get("bias")))
    return read


def _layer(layer: Any, k: int, count: int, feeding: list[str], report: Report) -> list[Neuron] | None:
    path: Path = ("network", "layers", k)
    what = f"layer {k + 1}"
    if not isinstance(layer, dict) or "activation" not in layer:
        report(path, f"{what} must be a mapping with activation and weights", f"write {LAYER_EXAMPLE}")
        return None
    check_keys(layer, LAYER_KEYS, path, report)
    rows = _matrix(layer.get("weights"), (*path, "weights"), what, feeding, report)
    bias = layer.get("bias")
    if rows is not None and bias is not None and (not isinstance(bias, list) or len(bias) != len(rows)):
        report((*path, "bias"), f"the bias of {what} must be a list with a number for each neuron, here {len(rows)}")
        rows = None
    names = rows and _names(layer.get("names"), path, what, k, count, len(rows), report)
    if not rows or not names:
        return None
    return [
        Neuron(
            name=names[n],
            path=(*path, "weights", n),
            activation=layer["activation"],
            activation_path=(*path, "activation"),
            weights={i: (w, (*path, "weights", n, column)) for column, (i, w) in enumerate(zip(feeding, row, strict=True))},
            bias=None if bias is None else (bias[n], (*path, "bias", n)),
        )
        for n, row in enumerate(rows)
    ]  # fmt: skip


def _matrix(rows: Any, path: Path, what: str, feeding: list[str], report: Report) -> list[list[Any]] | None:
    """Return the weights if every row has one for each node that feeds the layer."""
    if not isinstance(rows, list) or not rows or not all(isinstance(row, list) for row in rows):
        report(
            path, f"the weights of {what} must be a list of rows, one for each neuron", "write weights: [[0.2, 0.4]]"
        )
        return None
    for n, row in enumerate(rows):
        if len(row) != len(feeding):
            shown = ", ".join(feeding[:8]) + ", ..." * (len(feeding) > 8)
            message = f"{what}, row {n + 1}: the number of weights is {len(row)}, that of nodes that feed it {len(feeding)} ({shown})"
            report((*path, n), message)
            return None
    return rows


def _names(names: Any, path: Path, what: str, k: int, count: int, n: int, report: Report) -> list[str] | None:
    """Return the names of the neurons of layer `k` of `count`, from a list, a pattern, or the custom of h and o."""
    if names is None:
        is_last, several_hidden = k == count - 1, count > 2
        names = ("o" if n == 1 else "o{neuron}") if is_last else "h{layer}_{neuron}" if several_hidden else "h{neuron}"
    if isinstance(names, list) and len(names) == n:
        return [str(name) for name in names]
    if isinstance(names, str) and ("{neuron}" in names or n == 1):
        return [names.replace("{layer}", str(k + 1)).replace("{neuron}", str(j + 1)) for j in range(n)]
    hint = 'write names: "h{neuron}", or a list'
    report(
        (*path, "names"), f"{what} has {n} neurons; 'names' is a pattern with {{neuron}}, or a list of {n} names", hint
    )
    return None
