"""From a file to an exercise, with every mistake of the file reported at once."""

from __future__ import annotations

import os
from pathlib import Path as FilePath
from typing import IO, Any

from cgraph.exercises.exercise import Exercise, truth_of
from cgraph.exercises.formula_answers import mark_formula
from cgraph.exercises.numbers import show_fraction
from cgraph.exercises.questions import FormulaAnswer, Question
from cgraph.exercises.reading.ask import read_questions
from cgraph.model.errors import CGraphError, shorten
from cgraph.model.graph import ComputationalGraph
from cgraph.specs.documents import Document
from cgraph.specs.node_values import kind_of
from cgraph.specs.reading import EXERCISE_KEYS, graph_of, read_document, read_spec

__all__ = ["exercise_of", "read_exercise", "with_graph"]


MOST_NAME = 255  # characters; no file has a longer one


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
    data = document.data
    if "graph" in data:
        _check_keys(document)
    questions = read_questions(document, G)
    title = data.get("title") or G.graph.get("title", "")
    sealed = data.get("sealed", "")
    if not isinstance(sealed, str):
        document.report(("sealed",), f"'sealed' must be the salt of the hashes, not {kind_of(sealed)}")
    document.raise_problems()
    exercise = Exercise(
        G, questions, str(title), str(data.get("source") or ""), str(sealed), _student_of(data.get("variant"))
    )
    _check_answers(document, exercise)
    document.raise_problems()
    return exercise


def _student_of(variant: Any) -> str:
    return str(variant.get("student", "")) if isinstance(variant, dict) else ""


def _graph(document: Document, source: Any) -> ComputationalGraph:
    data = document.data
    if not isinstance(data, dict) or "graph" not in data:
        return graph_of(document, source)
    name = data["graph"]
    if not isinstance(name, str) or name != FilePath(name).name:
        document.report(("graph",), "'graph' must be the name of a file beside this one", "write graph: quiz.yaml")
    elif not isinstance(source, str | os.PathLike):
        document.report(("graph",), "standard input has no file beside it", "put the graph and the questions together")
    elif len(name) > MOST_NAME or not (path := FilePath(source).with_name(name)).is_file():
        document.report(("graph",), f"there is no file {shorten(repr(name))} beside this one")
    elif not path.resolve().is_relative_to(FilePath(source).parent.resolve()):
        document.report(("graph",), f"the link {name!r} leaves the folder", "put the graph itself beside this file")
    else:
        return read_spec(path)
    return ComputationalGraph()


def with_graph(data: dict[str, Any], source: Any) -> dict[str, Any]:
    """Return the data of an exercise with the graph that it names put into it."""
    if "graph" not in data:
        return data
    graph = read_document(FilePath(source).with_name(data["graph"])).data
    return {key: part for key, part in (graph | data).items() if key != "graph"}


def _check_keys(document: Document) -> None:
    """Report what has no place beside the name of a graph."""
    known = {"cgraph", "graph", "title", "source", *EXERCISE_KEYS}
    for key in document.data:
        if key not in known:
            hint = "the graph stands in the other file"
            document.report((key,), f"unknown key {key!r} beside 'graph'", hint, at_key=True)


def _check_answers(document: Document, exercise: Exercise) -> None:
    """Report a given answer that the graph does not agree with, and an answer that it cannot compute."""
    for k, q in enumerate(exercise.questions):
        if isinstance(q.special, FormulaAnswer):
            _check_formula(document, exercise.graph, k, q, q.special)
        for label, part in q.parts.items():
            try:
                truth = truth_of(part, exercise.linearized)
            except CGraphError as error:
                document.report(("ask", k), f"question {q.id!r}: {error}")
                continue
            given = q.answers.get(label, truth)
            if not q.tolerance.accepts(given, truth, computed=True):
                at = f" at {label}" if label else ""
                document.report(
                    ("ask", k, "answer"),
                    f"the answer of question {q.id!r}{at} is {show_fraction(given)}, but the graph has {part} = "
                    f"{show_fraction(truth)}",
                    f"with the tolerance {q.tolerance}, {q.tolerance.interval(given)} would agree",
                )


def _check_formula(document: Document, G: ComputationalGraph, k: int, q: Question, asked: FormulaAnswer) -> None:
    """Report a given formula that would not be marked right itself, and domains in which none can be marked."""
    given = document.data["ask"][k].get("answer")
    try:
        marked = mark_formula(G, q, asked, "0" if given is None else given)
    except CGraphError as error:
        document.report(("ask", k), str(error))
        return
    if given is not None and marked.status != "right":
        document.report(("ask", k, "answer"), f"the answer of question {q.id!r} is not {asked.part}: {marked.note}")
