"""From a file to an exercise, with every mistake of the file reported at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from math import prod
from pathlib import Path as FilePath
from typing import IO, Any, NamedTuple

import networkx as nx
import numpy as np

from cgraph.exercises.exercise import Exercise, truth_of
from cgraph.exercises.formulas import mark_formula
from cgraph.exercises.numbers import UnreadableError, read_number, show_fraction
from cgraph.exercises.questions import (
    Choice,
    EdgeDerivative,
    Entry,
    FormulaOf,
    Gate,
    Part,
    PathCount,
    PathProduct,
    Question,
    Sensitivity,
    Updated,
    ValueOf,
    WeightGradient,
)
from cgraph.exercises.tolerances import EXAMPLES, Tolerance, parse_tolerance
from cgraph.model.errors import CGraphError, nearest
from cgraph.model.evaluation import is_computed, linearize
from cgraph.model.graph import ComputationalGraph, topological_order
from cgraph.specs.documents import Document, Path
from cgraph.specs.reading import EXERCISE_KEYS, graph_of, read_document, read_spec
from cgraph.specs.values import kind_of

__all__ = ["entries_of", "exercise_of", "read_exercise", "with_graph"]

MAX_QUESTIONS = 1000
MAX_PARTS = 10_000  # of one question
MAX_ENTRIES = 1000  # of an array
KINDS = ("y", "d", "z", "paths", "path", "delta", "gate", "step", "formula", "choice", "table")
OPTIONS = ("id", "answer", "tolerance", "points", "hint", "text", "of", "rate", "domain", "seal")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def read_exercise(source: str | os.PathLike[str] | IO[Any], *, format: str | None = None) -> Exercise:
    r"""Read an exercise: a spec with questions under ``ask``, or questions about the graph of a file beside it.

    Parameters
    ----------
    source : path or stream
        A file, or what has been opened already. A stream cannot name a ``graph`` beside it.
    format : {"yaml", "json", "toml"}, optional
        By default what the file's suffix says, else YAML.

    Returns
    -------
    Exercise
        The graph, and the questions in the order of the file.

    Raises
    ------
    SpecError
        With every mistake of the file; also where a given answer disagrees with the graph.
    CGraphError
        If the graph cannot be evaluated.
    OSError
        If a file cannot be opened.

    Notes
    -----
    The language is described in ``docs/exercises.md``. The file is data: nothing in it is executed or imported.

    Examples
    --------
    >>> import io
    >>> text = "inputs: {x: 3.0}\nnodes: {y: x^2}\nask: [{id: a, d: y/x, answer: 6}, {id: b, y: y}]"
    >>> exercise = read_exercise(io.StringIO(text))
    >>> [f"{q.id}: {q.asks}" for q in exercise.questions]
    ['a: dy/dx', 'b: y(y)']
    """
    return exercise_of(read_document(source, format=format), source)


def exercise_of(document: Document, source: str | os.PathLike[str] | IO[Any]) -> Exercise:
    """Return the exercise that a document holds. A graph beside it is named relative to its `source`."""
    G = _graph(document, source)
    document.raise_problems()
    exercise = _Reader(document, G).exercise()
    document.raise_problems()
    return exercise


def _graph(document: Document, source: Any) -> ComputationalGraph:
    data = document.data
    if not isinstance(data, dict) or "graph" not in data:
        return graph_of(document, source)
    name = data["graph"]
    if not isinstance(name, str) or name != FilePath(name).name:
        document.report(("graph",), "'graph' is the name of a file beside this one", "write graph: quiz.yaml")
    elif not isinstance(source, str | os.PathLike):
        document.report(("graph",), "standard input has no file beside it", "put the graph and the questions together")
    elif not (path := FilePath(source).with_name(name)).is_file():
        document.report(("graph",), f"there is no file {name!r} beside this one")
    else:
        return read_spec(path)
    return ComputationalGraph()


def with_graph(data: dict[str, Any], source: Any) -> dict[str, Any]:
    """Return the data of an exercise with the graph that it names put into it."""
    if "graph" not in data:
        return data
    graph = read_document(FilePath(source).with_name(data["graph"])).data
    return {key: part for key, part in (graph | data).items() if key != "graph"}


class _Reader:
    """Goes through the questions; a mistake is recorded and the reading goes on."""

    def __init__(self, document: Document, G: ComputationalGraph) -> None:
        self.document, self.G = document, G
        self.data: dict[str, Any] = document.data
        self.seen: dict[str, int] = {}
        self.linearized = linearize(G)

    def exercise(self) -> Exercise:
        if "graph" in self.data:
            for key in self.data.keys() - {"cgraph", "graph", "title", "source", *EXERCISE_KEYS}:
                hint = "the graph stands in the other file"
                self.document.report((key,), f"unknown key {key!r} beside 'graph'", hint, at_key=True)
        listed = self.data.get("ask")
        if not isinstance(listed, list) or not listed:
            hint = "write ask: [{id: a, d: y/x}]"
            self.document.report(("ask",), f"'ask' is a list of questions, not {kind_of(listed)}", hint)
            listed = []
        if len(listed) > MAX_QUESTIONS:
            self.document.report(("ask",), f"{len(listed):,} questions; the limit is {MAX_QUESTIONS:,}")
            listed = []
        questions = [q for k, entry in enumerate(listed) if (q := self.question(k, entry)) is not None]
        title = self.data.get("title") or self.G.graph.get("title", "")
        sealed = self.data.get("sealed", "")
        if not isinstance(sealed, str):
            self.document.report(("sealed",), f"'sealed' is the salt of the hashes, not {kind_of(sealed)}")
        exercise = Exercise(self.G, tuple(questions), str(title), str(self.data.get("source") or ""), str(sealed))
        if not self.document.problems:
            self.check_answers(exercise)
        return exercise

    def question(self, k: int, entry: Any) -> Question | None:
        if not isinstance(entry, dict):
            self.report((k,), f"a question is a mapping, not {kind_of(entry)}", "write {id: a, d: y/x}")
            return None
        for key in entry:
            if key not in (*KINDS, *OPTIONS):
                close = nearest(key, (*KINDS, *OPTIONS))
                hint = f"did you mean {close!r}?" if close else f"a question asks for one of {', '.join(KINDS)}"
                self.report((k, key), f"unknown key {key!r}", hint, at_key=True)
        kinds = [kind for kind in KINDS if kind in entry]
        if len(kinds) != 1:
            what = f"asks for {' and '.join(kinds)} at once" if kinds else "does not say what it asks for"
            self.report((k,), f"question {k + 1} {what}", f"write one of {', '.join(KINDS)}")
            return None
        (kind,) = kinds
        try:
            return self.read(k, entry, kind)
        except _MistakeError as mistake:
            self.report((k, *mistake.path), mistake.message, mistake.hint)
        except CGraphError as error:  # the graph is fine, but what is asked for cannot be computed
            self.report((k, kind), str(error))
        return None

    def read(self, k: int, entry: dict[str, Any], kind: str) -> Question:
        name = self.id(k, entry)
        parts, special, shape = self.entries(self.asked(kind, entry[kind], entry))
        if len(parts) > MAX_PARTS:
            raise _MistakeError((kind,), f"{len(parts):,} numbers are asked for; the limit is {MAX_PARTS:,}")
        points = self.number(entry.get("points", 1), ("points",))
        if points < 0:
            raise _MistakeError(("points",), "points are not negative")
        answers = {} if special else self.answers(entry.get("answer"), parts, shape)
        default = "integer" if isinstance(parts.get(""), PathCount) else "3sf"
        return Question(
            name, parts, self.tolerance(entry.get("tolerance", default)), special, shape, points, answers,
            self.text(entry, "text"), self.text(entry, "hint"), self.seals(entry, special, parts),
        )  # fmt: skip

    def id(self, k: int, entry: dict[str, Any]) -> str:
        name = entry.get("id")
        if isinstance(name, bool) or not isinstance(name, str | int) or not str(name).strip() or len(str(name)) > 100:
            raise _MistakeError(("id",), f"question {k + 1} has no id", "write id: a")
        if (first := self.seen.setdefault(str(name), k)) != k:
            raise _MistakeError(("id",), f"the id {str(name)!r} stands twice, first at question {first + 1}")
        return str(name)

    def asked(self, kind: str, what: Any, entry: dict[str, Any]) -> _Asked:
        """Return what a question of some kind asks for."""
        if kind == "choice":
            return _Asked({}, self.choice(what, entry))
        if isinstance(what, bool) or not isinstance(what, str | int):
            raise _MistakeError((kind,), f"{kind!r} is a text, not {kind_of(what)}", EXAMPLE[kind])
        readers: dict[str, Callable[[str, dict[str, Any]], _Asked]] = {
            "y": lambda text, _: _Asked({"": ValueOf(self.node(text, kind))}),
            "d": lambda text, _: self.derivatives(text),
            "z": lambda text, _: _Asked({"": EdgeDerivative(*self.edge(text, kind))}),
            "paths": lambda text, _: _Asked({"": PathCount(*self.ends(text, kind))}),
            "path": lambda text, _: _Asked({"": PathProduct(self.path(text))}),
            "delta": lambda text, entry: _Asked({"": Sensitivity(self.node(text, kind), self.target(entry))}),
            "gate": lambda text, _: _Asked({"": self.gate(text)}),
            "step": lambda text, entry: _Asked({"": self.step(text, entry)}),
            "formula": lambda text, entry: _Asked({}, self.formula(text, entry)),
            "table": lambda text, entry: _Asked(self.table(text, entry)),
        }
        return readers[kind](str(what), entry)

    def entries(self, asked: _Asked) -> _Asked:
        """Return the entries of a part that is an array, each a part of its own."""
        part = asked.parts.get("")
        if part is None or isinstance(part, PathCount):
            if any(np.ndim(other.of(self.linearized)) for other in asked.parts.values()):
                raise _MistakeError(
                    (), "several numbers at once are asked for, of which some are arrays", "ask for one"
                )
            return asked
        shape = np.shape(part.of(self.linearized))
        if prod(shape) > MAX_ENTRIES:
            raise _MistakeError((), f"{part} has {prod(shape):,} entries; the limit is {MAX_ENTRIES:,}")
        if not shape or isinstance(part, Entry):
            return asked
        return _Asked({",".join(map(str, index)): Entry(part, index) for index in np.ndindex(shape)}, None, shape)

    def gate(self, text: str) -> Gate:
        j = self.node(text, "gate")
        if "activation" not in self.G.nodes[j]:
            raise _MistakeError(("gate",), f"node {j!r} is no neuron and has no gate")
        return Gate(j)

    def derivatives(self, text: str) -> _Asked:
        """Read ``J/x``, ``J/[x1, x2]`` or ``[y1, y2]/[x1, x2]``."""
        above, below = self.split(text, "d")
        rows, columns = self.listed(above), self.listed(below)
        if rows is None and columns is None:
            return _Asked({"": self.derivative(above, below)})
        targets, sources = rows or [above], columns or [below]
        for listed in (targets, sources):
            if len(set(listed)) < len(listed):
                raise _MistakeError(("d",), f"a node stands twice in {text!r}")
        cells = {(t, s): self.derivative(t, s) for t in targets for s in sources}
        if rows is not None and columns is not None:
            return _Asked({f"{t},{s}": part for (t, s), part in cells.items()}, shape=(len(targets), len(sources)))
        return _Asked({t if columns is None else s: part for (t, s), part in cells.items()}, shape=(len(cells),))

    def split(self, text: str, kind: str) -> tuple[str, str]:
        """Split at the slash that stands between two names."""
        places = [k for k, c in enumerate(text) if c == "/"]
        halves = [(text[:k].strip(), text[k + 1 :].strip()) for k in places]
        known = [(t, s) for t, s in halves if t in self.G or self.listed(t) is not None]
        if not halves:
            raise _MistakeError((kind,), f"{text!r} is no derivative", EXAMPLE[kind])
        return (known or halves)[0]

    @staticmethod
    def listed(text: str) -> list[str] | None:
        if text.startswith("[") and text.endswith("]"):
            return [part.strip() for part in text[1:-1].split(",")]
        return None

    def derivative(self, t: str, s: str) -> Sensitivity | WeightGradient:
        t = self.node(t, "d")
        if s in self.G or "->" not in s:
            return Sensitivity(self.node(s, "d"), t)
        i, j = self.edge(s, "d")
        if "weight" not in self.G.edges[i, j]:
            raise _MistakeError(("d",), f"the edge {i} -> {j} has no weight to differentiate by")
        return WeightGradient(i, j, t)

    def step(self, text: str, entry: dict[str, Any]) -> Updated:
        part = self.derivative_of_weight(text, self.target(entry))
        if "rate" not in entry:
            raise _MistakeError(("step",), "a step of gradient descent needs its rate", "write rate: 0.1")
        return Updated(part, float(self.number(entry["rate"], ("rate",))))

    def derivative_of_weight(self, text: str, t: str) -> Sensitivity | WeightGradient:
        if text not in self.G and "->" in text:
            i, j = self.edge(text, "step")
            if "weight" in self.G.edges[i, j]:
                return WeightGradient(i, j, t)
            raise _MistakeError(("step",), f"the edge {i} -> {j} has no weight to update")
        node = self.node(text, "step")
        if is_computed(self.G, node) or self.G.nodes[node].get("value") is None:
            raise _MistakeError(("step",), f"node {node!r} is computed, and cannot be updated")
        return Sensitivity(node, t)

    def formula(self, text: str, entry: dict[str, Any]) -> FormulaOf:
        above, below = self.split(text, "formula")
        part = Sensitivity(self.node(below, "formula"), self.node(above, "formula"))
        if np.ndim(part.of(self.linearized)):
            raise _MistakeError(
                ("formula",), f"{part} is an array; formulas are compared for numbers", "write d: instead"
            )
        domains = {}
        for i in [*self.G.inputs, *self.G.weights]:
            value = self.G.nodes[i].get("value", 0.0)
            if np.ndim(value):
                continue  # an array keeps its value
            spread = max(abs(value) / 2, 0.5)
            domains[i] = (value - spread, value + spread)
        given = entry.get("domain", {})
        if not isinstance(given, dict):
            raise _MistakeError(("domain",), "'domain' is a mapping from inputs to intervals", "domain: {x: [0.1, 2]}")
        for i, ends in given.items():
            if i not in domains:
                raise _MistakeError(("domain", i), f"{i!r} is no input or weight", self.suggest(i, domains))
            if not isinstance(ends, list) or len(ends) != 2:
                raise _MistakeError(("domain", i), "an interval has two ends", f"write {i}: [0.1, 2]")
            low, high = (float(self.number(end, ("domain", i))) for end in ends)
            if not low < high:
                raise _MistakeError(("domain", i), f"the interval from {low:g} to {high:g} is empty")
            domains[i] = (low, high)
        return FormulaOf(part, domains)

    def choice(self, options: Any, entry: dict[str, Any]) -> Choice:
        if not isinstance(options, list) or not 2 <= len(options) <= len(LETTERS):
            raise _MistakeError(("choice",), "a choice is a list of 2 to 26 texts", EXAMPLE["choice"])
        letters = LETTERS[: len(options)]
        right = str(entry.get("answer", "")).strip().upper()
        if self.data.get("sealed"):
            return Choice(tuple(map(str, options)), "")
        if len(right) != 1 or right not in letters:
            raise _MistakeError(
                ("answer",), f"the answer of a choice is one of the letters {letters}", "write answer: B"
            )
        return Choice(tuple(map(str, options)), right)

    def table(self, text: str, entry: dict[str, Any]) -> dict[str, Part]:
        t = self.target(entry)
        leading = nx.ancestors(self.G, t) | {t}
        order = [i for i in topological_order(self.G) if i in leading]
        if text == "forward":
            return {i: ValueOf(i) for i in order if is_computed(self.G, i)}
        if text == "backward":
            return {
                i: Sensitivity(i, t) for i in reversed(order) if i != t and self.G.nodes[i].get("role") != "constant"
            }
        raise _MistakeError(("table",), f"there is no table {text!r}", "write table: forward, or table: backward")

    def target(self, entry: dict[str, Any]) -> str:
        """Return the node to differentiate: ``of``, or the only output."""
        if "of" in entry:
            return self.node(str(entry["of"]), "of")
        if len(self.G.outputs) != 1:
            raise _MistakeError((), f"the graph has {len(self.G.outputs)} outputs", "say which one with of: J")
        return self.G.outputs[0]

    def node(self, name: str, key: str) -> str:
        name = name.strip()
        if name not in self.G:
            raise _MistakeError((key,), f"there is no node {name!r} in the graph", self.suggest(name, self.G))
        return name

    def path(self, text: str) -> tuple[str, ...]:
        nodes = tuple(self.node(part, "path") for part in text.split("->"))
        for i, j in pairwise(nodes):
            self.require_edge(i, j, "path")
        if len(nodes) < 2:
            raise _MistakeError(("path",), f"{text!r} is no path", EXAMPLE["path"])
        return nodes

    def ends(self, text: str, kind: str) -> tuple[str, str]:
        tail, arrow, head = text.partition("->")
        if not arrow or "->" in head:
            raise _MistakeError((kind,), f"{text!r} does not name two nodes", EXAMPLE[kind])
        return self.node(tail, kind), self.node(head, kind)

    def edge(self, text: str, kind: str) -> tuple[str, str]:
        i, j = self.ends(text, kind)
        self.require_edge(i, j, kind)
        return i, j

    def require_edge(self, i: str, j: str, kind: str) -> None:
        if not self.G.has_edge(i, j):
            close = f"{j} -> {i} is one" if self.G.has_edge(j, i) else self.suggest(i, self.G.pred[j], "into it lead")
            raise _MistakeError((kind,), f"there is no edge {i} -> {j} in the graph", close)

    def answers(self, given: Any, parts: Mapping[str, Part], shape: tuple[int, ...]) -> dict[str, Fraction]:
        if given is None:
            return {}
        if set(parts) == {""}:
            return {"": self.number(given, ("answer",))}
        try:
            entries = entries_of(given, parts, shape)
        except UnreadableError as error:
            raise _MistakeError(("answer",), str(error)) from None
        return {label: self.number(value, ("answer",)) for label, value in entries.items() if value is not None}

    def seals(
        self, entry: dict[str, Any], special: FormulaOf | Choice | None, parts: Mapping[str, Part]
    ) -> dict[str, frozenset[str]]:
        """Return the hashes of a sealed question: a text of them, or for several numbers a text for each label."""
        labels = {""} if isinstance(special, Choice) else set(parts)
        given = entry.get("seal")
        if not self.data.get("sealed") or not labels:
            if given is not None:
                raise _MistakeError(("seal",), "a seal stands where nothing is sealed", "`cgraph seal` writes seals")
            return {}
        hashes = {"": given} if labels == {""} else given
        if (
            not isinstance(hashes, dict)
            or hashes.keys() != labels
            or not all(isinstance(h, str) for h in hashes.values())
        ):
            raise _MistakeError(("seal",), "a sealed question has hashes for each number", "`cgraph seal` writes them")
        return {label: frozenset(text.split()) for label, text in hashes.items()}

    def number(self, raw: Any, path: Path) -> Fraction:
        try:
            return read_number(raw).value
        except UnreadableError as error:
            raise _MistakeError(path, str(error)) from None

    def tolerance(self, raw: Any) -> Tolerance:
        try:
            return parse_tolerance(str(raw))
        except ValueError as error:
            raise _MistakeError(("tolerance",), str(error), f"for instance {EXAMPLES}") from None

    def text(self, entry: dict[str, Any], key: str) -> str:
        given = entry.get(key)
        if given is not None and not isinstance(given, str):
            raise _MistakeError((key,), f"{key!r} is a text, not {kind_of(given)}")
        return given or ""

    def check_answers(self, exercise: Exercise) -> None:
        """Report a given answer that the graph does not agree with, and an answer that it cannot compute."""
        index = {str(entry["id"]): k for k, entry in enumerate(self.data["ask"])}
        for q in exercise.questions:
            if isinstance(q.special, FormulaOf):
                self.check_formula(index[q.id], q, q.special)
            for label, part in q.parts.items():
                try:
                    truth = truth_of(part, exercise.linearized)
                except CGraphError as error:
                    self.report((index[q.id],), f"question {q.id!r}: {error}")
                    continue
                given = q.answers.get(label, truth)
                if not q.tolerance.accepts(given, truth, computed=True):
                    at = f" at {label}" if label else ""
                    self.report(
                        (index[q.id], "answer"),
                        f"the answer of question {q.id!r}{at} is {show_fraction(given)}, but the graph has {part} = "
                        f"{show_fraction(truth)}",
                        f"with the tolerance {q.tolerance}, {q.tolerance.interval(given)} would agree",
                    )

    def check_formula(self, k: int, q: Question, asked: FormulaOf) -> None:
        """Report a given formula that would not be marked right itself, and domains in which none can be marked."""
        given = self.data["ask"][k].get("answer")
        try:
            marked = mark_formula(self.G, q, asked, "0" if given is None else given)
        except CGraphError as error:
            self.report((k,), str(error))
            return
        if given is not None and marked.status != "right":
            self.report((k, "answer"), f"the answer of question {q.id!r} is not {asked.part}: {marked.note}")

    def report(self, path: Sequence[str | int], message: str, hint: str = "", *, at_key: bool = False) -> None:
        self.document.report(("ask", *path), message, hint, at_key=at_key)

    @staticmethod
    def suggest(name: str, names: Any, listing: str = "there are") -> str:
        close = nearest(name, map(str, names))
        shown = ", ".join(list(map(str, names))[:10])
        return f"did you mean {close!r}?" if close else f"{listing} {shown}" if shown else ""


class _Asked(NamedTuple):
    """The parts of a question, or what is asked for instead, and the shape of an array."""

    parts: dict[str, Part]
    special: FormulaOf | Choice | None = None
    shape: tuple[int, ...] = ()


class _MistakeError(Exception):
    def __init__(self, path: Path, message: str, hint: str = "") -> None:
        self.path, self.message, self.hint = path, message, hint
        super().__init__(message)


EXAMPLE = {
    "y": "write y: h1",
    "d": "write d: J/x1, d: J/[x1, x2] or, for the weight of an edge, d: J/x1 -> h1",
    "z": "write z: x1 -> y3",
    "paths": "write paths: x -> y",
    "path": "write path: x -> a -> y",
    "delta": "write delta: h1",
    "gate": "write gate: h1",
    "step": "write step: w_13 and rate: 0.1",
    "formula": "write formula: J/x1",
    "choice": "write choice: [first, second] and answer: A",
    "table": "write table: forward, or table: backward",
}


def entries_of(given: Any, parts: Mapping[str, Part], shape: tuple[int, ...]) -> dict[str, Any]:
    """Return {label: entry} of an array or a table, None where there is nothing.

    Raises
    ------
    UnreadableError
        If it is no array of that shape, or no mapping from the labels.
    """
    if shape:
        if hasattr(given, "tolist"):
            given = given.tolist()
        try:
            return dict(zip(parts, _flat(given, shape), strict=True))
        except _MisshapenError as error:
            shown = " x ".join(map(str, shape))
            raise UnreadableError(f"an array of shape {shown} is asked for; {error}") from None
    if not isinstance(given, Mapping):
        raise UnreadableError("a table is answered by a mapping from its nodes to numbers")
    if unknown := [str(label) for label in given if str(label) not in parts]:
        raise UnreadableError(f"the table has no row {unknown[0]!r}; its rows are {', '.join(parts)}")
    return dict.fromkeys(parts) | {str(label): value for label, value in given.items()}


class _MisshapenError(Exception):
    pass


def _flat(given: Any, shape: tuple[int, ...]) -> Iterator[Any]:
    if not isinstance(given, list | tuple):
        raise _MisshapenError(f"{'a text' if isinstance(given, str) else 'a number'} stands where a list should")
    if len(given) != shape[0]:
        raise _MisshapenError(f"{len(given)} entries stand where {shape[0]} should")
    for entry in given:
        yield from _flat(entry, shape[1:]) if shape[1:] else (entry,)
