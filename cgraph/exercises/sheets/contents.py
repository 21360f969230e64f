"""The contents of a sheet, in any format: the graph, the questions with room for answers, or the solution."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np

from cgraph.exercises.exercise import Exercise
from cgraph.exercises.numbers import show_fraction
from cgraph.exercises.parts import (
    BeforeActivation,
    EdgeDerivative,
    Entry,
    Gate,
    GradientStep,
    Part,
    PathCount,
    PathProduct,
    Phrase,
    Sensitivity,
    StandardUncertainty,
    UncertaintyComponent,
    WeightGradient,
    node_formula,
    path_formula,
)
from cgraph.exercises.questions import Choice, FormulaAnswer, Question
from cgraph.exercises.reading.kinds import LETTERS
from cgraph.exercises.sheets.wording import asked
from cgraph.exercises.solutions.rendering import solution_tables, sum_name, sum_to_show
from cgraph.exercises.solutions.solving import solve
from cgraph.model.errors import CGraphError
from cgraph.model.graph import BIAS, ComputationalGraph, topological_order
from cgraph.model.language.expressions import write_name
from cgraph.reports.derivative_formulas import typeset
from cgraph.reports.tables import Formula, Table

__all__ = ["Item", "Room", "Sheet", "sheet_of"]

BY_INCREMENTS = "visit j"  # the first column of the sweep that says the same again
Room = str  # "line" for a number, "lines" for a formula, "" for none


@dataclass(frozen=True)
class Item:
    """A question on a sheet.

    Attributes
    ----------
    heading : str
        Its id.
    points : str
        What it earns.
    text : str
        The author's words, or "".
    asks : tuple of str and Formula
        What is asked for.
    options : tuple of str
        Of a choice.
    tables : tuple of Table
        To be filled in, or the solution.
    room : {"", "line", "lines"}
        How much is left free for the answer.
    """

    heading: str
    points: str
    text: str
    asks: Phrase
    options: tuple[tuple[str, str], ...] = ()
    tables: tuple[Table, ...] = ()
    room: Room = ""


@dataclass(frozen=True)
class Sheet:
    """A sheet for students, or one of answers.

    Attributes
    ----------
    title, source, date, student : str
        What stands at its head; "" is left out, but for the student, whose name is then to be filled in.
    points : str
        What everything earns.
    of_answers : bool
        Whether it is the solution.
    given : tuple of Table
        The graph: what is given, and the equations.
    working : tuple of Table
        The forward and the backward pass, on a sheet of answers.
    items : tuple of Item
        The questions.
    graph : ComputationalGraph
        For a picture.
    """

    title: str
    source: str
    date: str
    student: str
    points: str
    of_answers: bool
    given: tuple[Table, ...]
    working: tuple[Table, ...]
    items: tuple[Item, ...]
    graph: ComputationalGraph


def sheet_of(exercise: Exercise, *, answers: bool, student: str = "", date: str = "") -> Sheet:
    """Return the sheet of an exercise: for students, or with the answers."""
    return Sheet(
        title=exercise.title or "Exercise",
        source=exercise.source,
        date=date,
        student=student or exercise.variant_of,
        points=_points(exercise.points),
        of_answers=answers,
        given=tuple(_given(exercise.graph)),
        working=tuple(_working(exercise)) if answers else (),
        items=tuple(_answered(exercise, q) if answers else _open(q) for q in exercise.questions),
        graph=exercise.graph,
    )


def _given(G: ComputationalGraph) -> Iterator[Table]:
    """Yield the tables of the values that are given, of the equations, and of derivatives in place of equations."""
    sources = [i for i in G if i != BIAS and not G.pred[i] and G.nodes[i].get("value") is not None]
    if sources:
        yield Table(("given", "value"), [(node_formula(i), _cell(G.nodes[i]["value"])) for i in sources], "Given")
    if G.functions:
        yield Table(("function",), [(definition,) for definition in G.functions], "Functions")
    equations = [row for j in topological_order(G) for row in _equations(G, j)]
    if equations:
        yield Table(("node", "equation"), equations, "Equations")
    edges = [
        (path_formula((i, j)), _cell(data["derivative"]))
        for i, j, data in G.edges(data=True)
        if "derivative" in data and not {"equation", "activation"} & G.nodes[j].keys()
    ]
    if edges:
        yield Table(("edge", "derivative"), edges, "Derivatives along the edges")


def _equations(G: ComputationalGraph, j: str) -> Iterator[tuple[Formula, Formula]]:
    data = G.nodes[j]
    if data.get("activation") == "identity":
        yield node_formula(j), typeset(sum_to_show(G, j), G.functions)
    elif "activation" in data:
        s = sum_name(j)
        yield node_formula(s), typeset(sum_to_show(G, j), G.functions)
        yield node_formula(j), typeset(f"{data['activation']}({write_name(s)})", G.functions)
    elif "equation" in data:
        yield node_formula(j), typeset(data["equation"], G.functions)


def _open(q: Question) -> Item:
    """Return a question with room for its answer."""
    asks = asked(q)
    match q.special:
        case Choice(options):
            return Item(q.id, _points(q.points), q.text, asks, tuple(zip(LETTERS, options, strict=False)), room="line")
        case FormulaAnswer():
            return Item(q.id, _points(q.points), q.text, asks, room="lines")
    first = next(iter(q.parts.values()))
    tables: tuple[Table, ...] = ()
    if len(q.parts) > 1 and not isinstance(first, Entry):
        blank = Formula("", r"\hspace{4cm}")
        tables = (Table(("", "answer"), [(part.symbol, blank) for part in q.parts.values()]),)
    return Item(q.id, _points(q.points), q.text, asks, (), tables, "" if tables else "lines" if q.shape else "line")


def _answered(exercise: Exercise, q: Question) -> Item:
    """Return a question with its answers, and with what is worked out for it alone."""
    match q.special:
        case Choice(options, right):
            text = options[LETTERS.index(right)]
            return Item(q.id, _points(q.points), q.text, (f"{right}: {text}",))
        case FormulaAnswer():
            return Item(q.id, _points(q.points), q.text, asked(q, exact=False), (), (_formula(exercise, q.special),))
    truths = exercise.truths[q.id]
    rows: list[tuple[Any, ...]] = []
    for label, part in q.parts.items():
        accepted = q.tolerance.interval(truths[label], computed=label not in q.answers)
        rows.append((part.symbol, float(show_fraction(truths[label])), str(accepted)))
    answers = Table(("", "answer", "accepted"), rows)
    first = next(iter(q.parts.values()))
    whole = first.whole if isinstance(first, Entry) else first
    own = tuple(_worked(exercise, whole)) if len(q.parts) == 1 or isinstance(first, Entry) else ()
    return Item(q.id, _points(q.points), q.text, asked(q, exact=False), (), (answers, *own))


def _working(exercise: Exercise) -> Iterator[Table]:
    """Yield the steps of both passes: once for each node that is differentiated, the forward pass but once."""
    seen = set()
    for t in _targets(exercise):
        for table in solution_tables(solve(exercise.graph, None, t)):
            rows = [row for row in table.rows if not _is_of_bias(row[0])]
            key = (table.title, tuple(map(str, rows)))
            if rows and table.columns[0] != BY_INCREMENTS and key not in seen:
                seen.add(key)
                yield Table(table.columns, rows if table.columns[-1] != f"d{t}/dw" else table.rows, table.title)


def _is_of_bias(cell: Any) -> bool:
    """Whether a row is about the constant +1, by which nothing is differentiated."""
    return isinstance(cell, Formula) and cell.text.partition(" ")[0] == BIAS


def _targets(exercise: Exercise) -> list[str]:
    """Return the nodes that are differentiated; without any, the outputs, whose values are asked for."""
    parts = [part for q in exercise.questions for part in q.parts.values()]
    parts += [q.special.part for q in exercise.questions if isinstance(q.special, FormulaAnswer)]
    inner = [part.whole if isinstance(part, Entry) else part for part in parts]
    inner = [part.gradient if isinstance(part, GradientStep) else part for part in inner]
    asked_of = (Sensitivity, BeforeActivation, WeightGradient, StandardUncertainty, UncertaintyComponent)
    return list(dict.fromkeys(part.t for part in inner if isinstance(part, asked_of))) or list(exercise.graph.outputs)


def _worked(exercise: Exercise, part: Part) -> Iterator[Table]:
    """Yield what the passes do not show: the paths of a sensitivity, the factors of a product, the step of descent."""
    L = exercise.linearized
    match part:
        case Sensitivity(s, t) | PathCount(s, t) if s != t and nx.has_path(L, s, t):
            steps = solution_tables(solve(exercise.graph, s, t))
            of_paths = (table for table in steps if table.columns[:1] == ("path",))
            yield from (table for table in of_paths if len(table.rows) > 1 or isinstance(part, PathCount))
        case PathProduct():
            rows: list[tuple[Any, ...]] = [
                (EdgeDerivative(i, j).symbol, _cell(L.edges[i, j]["derivative"])) for i, j in part.edges(L)
            ]
            yield Table(("factor", "value"), rows)
        case BeforeActivation(j, t):
            rows = [
                (
                    Formula(f"S({j},{t})", f"S({node_formula(j).latex}, {node_formula(t).latex})"),
                    _cell(Sensitivity(j, t).of(L)),
                ),
                (Gate(j).symbol, _cell(L.nodes[j]["gate"])),
            ]
            yield Table(("factor", "value"), rows)
        case GradientStep():
            old = _cell(part.weight(L))
            rows = [("old value", old), ("rate", part.rate), (part.gradient.symbol, _cell(part.gradient.of(L)))]
            yield Table(("", "value"), rows, "Old value minus rate times derivative")


def _formula(exercise: Exercise, asked_for: FormulaAnswer) -> Table:
    """Return one right formula where sympy can write it, and else its value here."""
    part = asked_for.part
    try:
        found = solve(exercise.graph, part.s, part.t, symbolic=True)
        rows = [row for table in solution_tables(found) if table.title == "As formulas" for row in table.rows[-1:]]
    except CGraphError:  # sympy is not installed, or the formula is too long
        rows = []
    rows.append((f"at the values given, {part} is", float(part.of(exercise.linearized))))
    return Table(("", "one right formula"), rows, "Whatever equals it is accepted")


def _cell(value: Any) -> Any:
    return np.asarray(value) if np.ndim(value) else float(value)


def _points(points: Any) -> str:
    return f"{points} point{'s' * (points != 1)}"
