"""The kinds of questions: how the text under each key is read."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import networkx as nx
import numpy as np

from cgraph.exercises.parts import (
    BeforeActivation,
    EdgeDerivative,
    Gate,
    GradientStep,
    Part,
    PathCount,
    PathProduct,
    Sensitivity,
    StandardUncertainty,
    UncertaintyComponent,
    ValueOf,
    WeightGradient,
)
from cgraph.exercises.questions import Choice, FormulaAnswer
from cgraph.exercises.reading.wording import MistakeError, Wording, number_at, suggestion
from cgraph.model.errors import UncertaintyError
from cgraph.model.evaluation import is_computed
from cgraph.model.graph import topological_order
from cgraph.model.values import show_shape
from cgraph.uncertainty.budget import UncertaintyBudget, uncertainty_budget

__all__ = ["KINDS", "AskedFor"]

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class AskedFor(NamedTuple):
    """The parts of a question, or what is asked for instead, and the shape of an array."""

    parts: dict[str, Part]
    special: FormulaAnswer | Choice | None = None
    shape: tuple[int, ...] = ()


def one(part: Part) -> AskedFor:
    """Return what asks for one number, or for one array."""
    return AskedFor({"": part})


def value(wording: Wording) -> AskedFor:
    """``y: h1``."""
    return one(ValueOf(wording.node(wording.text)))


def derivatives(wording: Wording) -> AskedFor:
    """``d: J/x``, ``d: J/x1 -> h1``, ``d: J/[x1, x2]`` or ``d: [y1, y2]/[x1, x2]``."""
    above, below = _halves(wording)
    rows, columns = _listed(above), _listed(below)
    if rows is None and columns is None:
        return one(_derivative(wording, above, below))
    targets, sources = rows or [above], columns or [below]
    for listed in (targets, sources):
        if len(set(listed)) < len(listed):
            raise wording.mistake(f"a node stands twice in {wording.text!r}")
    cells = {(t, s): _derivative(wording, t, s) for t in targets for s in sources}
    if rows is not None and columns is not None:
        return AskedFor({f"{t},{s}": part for (t, s), part in cells.items()}, shape=(len(targets), len(sources)))
    return AskedFor({t if columns is None else s: part for (t, s), part in cells.items()}, shape=(len(cells),))


def edge_derivative(wording: Wording) -> AskedFor:
    """``z: x1 -> y3``."""
    return one(EdgeDerivative(*wording.edge(wording.text)))


def path_count(wording: Wording) -> AskedFor:
    """``paths: x -> y``."""
    return one(PathCount(*wording.ends(wording.text)))


def path_product(wording: Wording) -> AskedFor:
    """``path: x -> a -> y``."""
    path = tuple(wording.node(name) for name in wording.text.split("->"))
    for i, j in pairwise(path):
        wording.require_edge(i, j)
    if len(path) < 2:
        raise wording.mistake(f"{wording.text!r} is no path", wording.example)
    return one(PathProduct(path))


def delta(wording: Wording) -> AskedFor:
    """``delta: h1``, or before the activation ``delta: h1-``, perhaps with ``of: J``."""
    return one(_sensitivity(wording, wording.text, wording.target))


def gate(wording: Wording) -> AskedFor:
    """``gate: h1``."""
    j = wording.node(wording.text)
    if "activation" not in wording.G.nodes[j]:
        raise wording.mistake(f"node {j!r} is no neuron and has no gate")
    return one(Gate(j))


def step(wording: Wording) -> AskedFor:
    """``step: w_13`` or ``step: x1 -> h1``, with ``rate: 0.1`` and perhaps ``of: J``."""
    gradient = _gradient(wording, wording.text, wording.target)
    if np.ndim(loss := wording.L.nodes[gradient.t].get("value", 0.0)):
        raise wording.mistake(
            f"the loss {gradient.t!r} is {show_shape(loss)}; a loss is one number", "say which one with of: J"
        )
    if "rate" not in wording.entry:
        raise wording.mistake("a step of gradient descent needs its rate", "write rate: 0.1")
    return one(GradientStep(gradient, float(number_at(("rate",), wording.entry["rate"]))))


def uncertainty(wording: Wording) -> AskedFor:
    """``u: Z``."""
    t = wording.node(wording.text)
    _require_budget(wording, t)
    return one(StandardUncertainty(t))


def component(wording: Wording) -> AskedFor:
    """``component: Z/V``."""
    above, below = _halves(wording)
    t, i = wording.node(above), wording.node(below)
    if i not in _require_budget(wording, t).components[t]:
        raise wording.mistake(f"node {i!r} has no uncertainty", "state it under 'uncertainty'")
    return one(UncertaintyComponent(t, i))


def _require_budget(wording: Wording, t: str) -> UncertaintyBudget:
    try:
        return uncertainty_budget(wording.L, [t])
    except UncertaintyError as error:
        raise wording.mistake(str(error)) from None


def formula(wording: Wording) -> AskedFor:
    """``formula: J/x1``, perhaps with ``domain: {x1: [0.1, 2]}``."""
    above, below = _halves(wording)
    part = Sensitivity(wording.node(below), wording.node(above))
    if np.ndim(part.of(wording.L)):
        raise wording.mistake(f"{part} is an array; formulas are compared for numbers", "write d: instead")
    return AskedFor({}, FormulaAnswer(part, _domains(wording)))


def choice(wording: Wording) -> AskedFor:
    """``choice: [first, second]`` with ``answer: B``."""
    options = wording.entry["choice"]
    if not isinstance(options, list) or not 2 <= len(options) <= len(LETTERS):
        raise wording.mistake("a choice must be a list of 2 to 26 texts", wording.example)
    letters = LETTERS[: len(options)]
    right = "" if wording.is_sealed else str(wording.entry.get("answer", "")).strip().upper()
    if not wording.is_sealed and (len(right) != 1 or right not in letters):
        raise MistakeError(
            ("answer",), f"the answer of a choice must be one of the letters {letters}", "write answer: B"
        )
    return AskedFor({}, Choice(tuple(map(str, options)), right))


def table(wording: Wording) -> AskedFor:
    """``table: forward`` or ``table: backward``, perhaps with ``of: J``."""
    text, t = wording.text, wording.target
    leading = nx.ancestors(wording.G, t) | {t}
    order = [i for i in topological_order(wording.G) if i in leading]
    if text == "forward":
        return AskedFor({i: ValueOf(i) for i in order if is_computed(wording.G, i)})
    if text == "backward":
        role = wording.G.nodes(data="role")
        return AskedFor({i: Sensitivity(i, t) for i in reversed(order) if i != t and role[i] != "constant"})
    raise wording.mistake(f"there is no table {text!r}", wording.example)


class Kind(NamedTuple):
    """A kind of question: how it is read, and what a person writes.

    Parameters
    ----------
    read : callable
        Returns what is asked for.
    example : str
        What to write for one, shown where one cannot be read.
    description : str
        What it asks for, shown by editors (`docs/generated.py` writes it into the schema).
    schema : str
        The JSON Schema of what stands under the key.
    requires : tuple of str
        Keys of which one has to stand beside it.
    """

    read: Callable[[Wording], AskedFor]
    example: str
    description: str
    schema: str = '"$ref": "#/$defs/text"'
    requires: tuple[str, ...] = ()


KINDS = {
    "y": Kind(value, "write y: h1", "The value of a node."),
    "d": Kind(
        derivatives,
        "write d: J/x1, d: J/[x1, x2] or, for the weight of an edge, d: J/x1 -> h1",
        "A derivative: J/x1, J/[x1, x2], or J/x1 -> h1 for a weight.",
    ),
    "z": Kind(edge_derivative, "write z: x1 -> y3", "The derivative of an edge: x1 -> h1."),
    "paths": Kind(path_count, "write paths: x -> y", "The number of paths: x -> y."),
    "path": Kind(path_product, "write path: x -> a -> y", "The product along a path: x -> a -> y."),
    "delta": Kind(
        delta,
        "write delta: h1, or delta: h1- for the derivative before the activation",
        "Delta(i): the derivative of the loss with respect to a node; h- stands for the weighted sum of neuron h.",
    ),
    "gate": Kind(gate, "write gate: h1", "The gate of a neuron."),
    "step": Kind(
        step, "write step: w_13 and rate: 0.1", "A weight after one step of gradient descent.", requires=("rate",)
    ),
    "u": Kind(uncertainty, "write u: Z", "The standard uncertainty of a result."),
    "component": Kind(
        component, "write component: Z/V", "The component of an input in the uncertainty of a result: Z/V."
    ),
    "formula": Kind(formula, "write formula: J/x1", "A derivative as a formula: J/x1."),
    "choice": Kind(
        choice,
        "write choice: [first, second] and answer: A",
        "Texts, one of which is right.",
        schema=f'"type": "array", "minItems": 2, "maxItems": {len(LETTERS)}',
        requires=("answer", "seal"),
    ),
    "table": Kind(
        table,
        "write table: forward, or table: backward",
        "The pass as a table to be filled in.",
        schema='"enum": ["forward", "backward"]',
    ),
}


def _halves(wording: Wording) -> tuple[str, str]:
    """Split at the slash that stands between two names, or between lists of them."""
    text = wording.text
    halves = [(text[:k].strip(), text[k + 1 :].strip()) for k, c in enumerate(text) if c == "/"]
    if not halves:
        raise wording.mistake(f"{text!r} is no derivative", wording.example)
    known = [(t, s) for t, s in halves if t in wording.G or _listed(t) is not None]
    return (known or halves)[0]


def _listed(text: str) -> list[str] | None:
    if text.startswith("[") and text.endswith("]"):
        return [part.strip() for part in text[1:-1].split(",")]
    return None


def _sensitivity(wording: Wording, s: str, t: str) -> Sensitivity | BeforeActivation:
    """Return dy(t)/dy(s); of ``h-``, the half of neuron h before its activation, dy(t)/ds(h)."""
    s = s.strip()
    if s.endswith("-") and s not in wording.G and "activation" in wording.G.nodes.get(s[:-1], {}):
        return BeforeActivation(s[:-1], t)
    return Sensitivity(wording.node(s), t)


def _derivative(wording: Wording, t: str, s: str) -> Sensitivity | BeforeActivation | WeightGradient:
    """Return dy(t)/dy(s), or where `s` is an edge dy(t)/dw of its weight."""
    t = wording.node(t)
    if s in wording.G or "->" not in s:
        return _sensitivity(wording, s, t)
    i, j = wording.edge(s)
    if "weight" not in wording.G.edges[i, j]:
        raise wording.mistake(f"the edge {i} -> {j} has no weight to differentiate by")
    return WeightGradient(i, j, t)


def _gradient(wording: Wording, weight: str, t: str) -> Sensitivity | WeightGradient:
    """Return the derivative of `t` with respect to what a step of descent changes."""
    if weight not in wording.G and "->" in weight:
        i, j = wording.edge(weight)
        if "weight" not in wording.G.edges[i, j]:
            raise wording.mistake(f"the edge {i} -> {j} has no weight to update")
        return WeightGradient(i, j, t)
    node = wording.node(weight)
    if is_computed(wording.G, node) or wording.G.nodes[node].get("value") is None:
        raise wording.mistake(f"node {node!r} is computed, and cannot be updated")
    return Sensitivity(node, t)


def _domains(wording: Wording) -> dict[str, tuple[float, float]]:
    """Return the intervals of the inputs and weights: around their values, or as ``domain`` says."""
    domains = {}
    for i in [*wording.G.inputs, *wording.G.weights]:
        y = wording.G.nodes[i].get("value", 0.0)
        if np.ndim(y):
            continue  # an array keeps its value
        spread = max(abs(y) / 2, 0.5)
        domains[i] = (y - spread, y + spread)
    given = wording.entry.get("domain", {})
    if not isinstance(given, dict):
        raise MistakeError(("domain",), "'domain' must be a mapping from inputs to intervals", "domain: {x: [0.1, 2]}")
    for i, ends in given.items():
        if i not in domains:
            raise MistakeError(("domain", i), f"{i!r} is no input or weight", suggestion(i, domains))
        domains[i] = _interval(i, ends)
    return domains


def _interval(i: str, ends: object) -> tuple[float, float]:
    if not isinstance(ends, list) or len(ends) != 2:
        raise MistakeError(("domain", i), "an interval must have two ends", f"write {i}: [0.1, 2]")
    low, high = (float(number_at(("domain", i), end)) for end in ends)
    if not low < high:
        raise MistakeError(("domain", i), f"the interval from {low:g} to {high:g} is empty")
    return low, high
