"""Reports on marked answers: text, Markdown, JSON, JUnit XML, CSV, and the results.json of Gradescope."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from statistics import quantiles
from typing import Any
from xml.etree import ElementTree as ET

from cgraph.exercises.exercise import Exercise
from cgraph.exercises.numbers import show_fraction
from cgraph.exercises.results import GradeReport, ItemResult, Mistake, PartResult, printable, rounded
from cgraph.exercises.submissions import natural
from cgraph.reports.tables import Table

__all__ = [
    "canvas_records",
    "class_table",
    "gradescope_data",
    "items_table",
    "junit_xml",
    "key_table",
    "moodle_records",
    "report_data",
    "report_records",
    "report_table",
    "without_overrides",
]

# Halves of characters, which no file can hold, and changes of the direction of writing, which can hide what is written.
_OVERRIDES = re.compile("[\ud800-\udfff\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def key_table(exercise: Exercise) -> Table:
    """Return the questions with their answers: what the author checks."""
    rows: list[tuple[str | None, ...]] = []
    for q in exercise.questions:
        truths = exercise.truths[q.id]
        for k, (label, part) in enumerate(q.parts.items()):
            points = _points(q.points) if k == 0 else None
            accepted = str(q.tolerance.interval(truths[label], computed=label not in q.answers))
            answer = show_fraction(truths[label])
            rows.append((_named(q.id, label), str(part), answer, str(q.tolerance), accepted, points))
        if q.special is not None:
            right = getattr(q.special, "right", None)
            rows.append((q.id, q.asks, right, None, None, _points(q.points)))
    questions = f"{len(exercise.questions)} question{'s' * (len(exercise.questions) != 1)}"
    columns = ("item", "asks for", "answer", "tolerance", "accepted", "points")
    title = exercise.title or "Exercise"
    return Table(columns, rows, f"{title}: {questions}, {_points(exercise.points)} points")


def report_table(report: GradeReport, hints: int) -> Table:
    """Return one student's report; `hints` is how much is told: 0 nothing, 1 where to look, 2 what it was."""
    if report.error:
        return Table((), (), f"{report.student}: cannot be read\n{report.error}")
    rows = []
    for item in report.items:
        for part in item.parts:
            share = f"{_points(item.points)} of {_points(item.question.points)}" if part is item.parts[0] else None
            row: list[str | None] = [_named(item.question.id, part.label), part.status, share, part.given or None]
            if hints >= 2:
                row.append(None if part.accepted is None else str(part.accepted))
            rows.append([*row, remark_on(item, part, hints) or None])
    columns = ["item", "status", "points", "given", *["accepted"] * (hints >= 2), "remark"]
    title = f"{report.student or 'Answers'}: {report.score} of {_points(report.possible)} points"
    if report.unknown:
        title += f"; {_unknown(report)}"
    return Table(columns, rows, title)


def class_table(reports: Sequence[GradeReport]) -> Table:
    """Return a row for each student, with the average and the quartiles of all of them above."""
    ids = _ids(reports)
    rows = []
    for report in _by_name(reports):
        cells = [_points(item.points) for item in report.items] or [""] * len(ids)
        rows.append((report.student, str(report.score), *cells, _first_line(report) or report.remark or None))
    return Table(("student", "points", *ids, "remark"), rows, _summary(reports))


def _summary(reports: Sequence[GradeReport]) -> str:
    """Return the average of all students; whose answers could not be read counts with 0 points, as in the rows."""
    points = [report.points for report in reports]
    possible = next((report.possible for report in reports if report.items), Fraction(0))
    failed = sum(bool(report.error) for report in reports)
    mean = rounded(sum(points, Fraction(0)) / len(points))
    title = f"{len(reports)} student{'s' * (len(reports) != 1)}, on average {mean} of {_points(possible)} points"
    if failed:
        title += f" ({failed} that could not be marked count{'s' * (failed == 1)} as 0)"
    if len(points) > 1:
        quartiles = ", ".join(str(rounded(q)) for q in quantiles(points, method="inclusive"))
        title += f"; least {rounded(min(points))}, quartiles {quartiles}, most {rounded(max(points))}"
    return title


def items_table(reports: Sequence[GradeReport]) -> Table:
    """Return how every item ended, how often which points were earned, and the mistake most often certain."""
    rows = []
    for k, first in enumerate(next((r.items for r in reports if r.items), ())):
        items = [report.items[k] for report in reports if report.items]
        count = Counter(item.status for item in items)
        earned = ", ".join(f"{_points(p)} ({n})" for p, n in sorted(Counter(item.points for item in items).items()))
        certain = Counter(m.what for item in items for p in item.parts for m in p.mistakes if m.certain)
        usual = ", ".join(f"{what} ({n})" for what, n in certain.most_common(1))
        statuses = (count[s] for s in ("right", "wrong", "missing", "unreadable"))
        rows.append((first.question.id, *statuses, earned, usual or None))
    heads = ("item", "right", "wrong", "missing", "unreadable", "points (students)", "most frequent mistake")
    return Table(heads, rows, "Items")


def _ids(reports: Sequence[GradeReport]) -> list[str]:
    return [item.question.id for item in next((r.items for r in reports if r.items), ())]


def _by_name(reports: Sequence[GradeReport]) -> list[GradeReport]:
    return sorted(reports, key=lambda report: natural(report.student))


def _first_line(report: GradeReport) -> str:
    return report.error.splitlines()[0] if report.error else ""


def remark_on(item: ItemResult, part: PartResult, hints: int) -> str:
    """Return what is said about a part."""
    if part.status == "unreadable" or part.note.startswith("right with"):
        return part.note
    if part.status != "wrong" or hints == 0:
        return ""
    said = [item.question.hint] if item.question.hint else []
    if hints == 1:
        places = list(dict.fromkeys(m.where for m in part.mistakes))
        said += [f"look again at {' or '.join(places)}"] if places else []
    else:
        said += [part.note] * bool(part.note) + [explain(part.mistakes)] * bool(part.mistakes)
    return "; ".join(said)


def explain(mistakes: Sequence[Mistake]) -> str:
    """Return what went wrong: plainly if it is certain, else as possibilities."""
    if len(mistakes) == 1 and mistakes[0].certain:
        return mistakes[0].what
    return f"perhaps {'; or '.join(m.what for m in mistakes)}"


def report_data(report: GradeReport, hints: int) -> dict[str, Any]:
    """Return the report as plain data."""
    return {
        "student": report.student,
        "points": str(report.points),
        "score": float(report.score),
        "possible": str(report.possible),
        "error": report.error or None,
        "remark": report.remark or None,
        "unknown": list(report.unknown),
        "items": [
            {
                "id": item.question.id,
                "asks": item.question.asks,
                "status": item.status,
                "points": str(item.points),
                "possible": str(item.question.points),
                "parts": [_part_data(item, part, hints) for part in item.parts],
            }
            for item in report.items
        ],
    }


def _part_data(item: ItemResult, part: PartResult, hints: int) -> dict[str, Any]:
    data: dict[str, Any] = {"label": part.label, "status": part.status, "given": part.given}
    if hints >= 2:
        data["expected"] = None if part.expected is None else float(part.expected)
        data["accepted"] = None if part.accepted is None else [float(end) for end in part.accepted]
        data["mistakes"] = [
            {"kind": m.kind, "where": m.where, "what": m.what, "certain": m.certain} for m in part.mistakes
        ]
    return data | {"remark": remark_on(item, part, hints)}


def report_records(reports: Sequence[GradeReport]) -> tuple[list[str], list[dict[str, Any]]]:
    """Return columns and rows for a spreadsheet: a row for each student, points rounded once."""
    records = []
    for report in _by_name(reports):
        record: dict[str, Any] = {"student": _for_spreadsheet(report.student), "score": report.score}
        record |= {f"item {item.question.id}": rounded(item.points) for item in report.items}
        records.append(record | {"error": _for_spreadsheet(_first_line(report) or report.remark) or None})
    return ["student", "score", *(f"item {id}" for id in _ids(reports)), "error"], records


def moodle_records(reports: Sequence[GradeReport], title: str) -> tuple[list[str], list[dict[str, Any]]]:
    """Return columns and rows that Moodle's gradebook imports; what could not be marked has no grade."""
    name = _for_spreadsheet(title or "Exercise")
    columns = ["ID number", name, f"{name} (feedback)"]
    return columns, [
        dict(zip(columns, (*_identity(report), _for_spreadsheet(_feedback(report)) or None), strict=True))
        for report in _by_name(reports)
    ]


def canvas_records(reports: Sequence[GradeReport], title: str) -> tuple[list[str], list[dict[str, Any]]]:
    """Return columns and rows that Canvas's gradebook imports; students are found by their login."""
    name = _for_spreadsheet(title or "Exercise")
    columns = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", name]
    possible = next((report.possible for report in reports if report.items), Fraction(0))
    rows = [{"Student": "Points Possible", name: rounded(possible)}]
    for report in _by_name(reports):
        student, score = _identity(report)
        rows.append({"Student": student, "SIS Login ID": student, name: score})
    return columns, rows


def _identity(report: GradeReport) -> tuple[str, Decimal | None]:
    return _for_spreadsheet(report.student), None if report.error else report.score


def _feedback(report: GradeReport) -> str:
    wrong = [item.question.id for item in report.items if item.status != "right"]
    return _first_line(report) or report.remark or (f"not right: {', '.join(wrong)}" if wrong else "")


def _for_spreadsheet(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: what begins like one gets an apostrophe before it."""
    plain = printable(text)
    return f"'{plain}" if text[:1] in {"=", "+", "-", "@", "\t", "\r", "\n"} else plain


def gradescope_data(report: GradeReport, hints: int) -> dict[str, Any]:
    """Return what Gradescope's autograder reads from results.json."""
    tests = [
        {
            "name": f"{item.question.id}: {item.question.asks}",
            "number": item.question.id,
            "score": float(rounded(item.points)),
            "max_score": float(rounded(item.question.points)),
            "status": "passed" if item.status == "right" else "failed",
            "output": _output(item, hints),
            "output_format": "text",
        }
        for item in report.items
    ]
    data: dict[str, Any] = {"score": float(report.score), "output_format": "text", "tests": tests}
    if report.error:
        data["output"] = report.error
    elif report.unknown:
        data["output"] = _unknown(report)
    return data


def _unknown(report: GradeReport) -> str:
    """Return what was answered but not asked."""
    nothing_fits = all(item.status == "missing" for item in report.items)
    return f"not asked: {', '.join(report.unknown)}" + "; is this the right file?" * nothing_fits


def _output(item: ItemResult, hints: int) -> str:
    lines = []
    for part in item.parts:
        remark = remark_on(item, part, hints)
        label = f"{part.label}: " if part.label else ""
        lines.append(f"{label}{part.status}{f' ({remark})' if remark else ''}")
    return "\n".join(lines)


def junit_xml(reports: Sequence[GradeReport], hints: int) -> str:
    """Return the reports as JUnit XML: a suite for each student, a case for each item."""
    root = ET.Element("testsuites")
    for report in reports:
        failed = sum(item.status == "wrong" for item in report.items)
        errors = sum(item.status in {"missing", "unreadable"} for item in report.items) + bool(report.error)
        suite = ET.SubElement(
            root, "testsuite", name=_clean(report.student or "answers"), tests=str(len(report.items) + bool(report.error)),
            failures=str(failed), errors=str(errors),
        )  # fmt: skip
        if report.error:
            case = ET.SubElement(suite, "testcase", name="answers", classname=_clean(report.student))
            ET.SubElement(case, "error", message=_clean(report.error.splitlines()[0])).text = _clean(report.error)
        for item in report.items:
            name = f"{item.question.id}: {item.question.asks}"
            case = ET.SubElement(suite, "testcase", name=_clean(name), classname=_clean(report.student))
            if item.status != "right":
                tag = "failure" if item.status == "wrong" else "error"
                ET.SubElement(case, tag, message=item.status).text = _clean(_output(item, hints))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode")


def without_overrides(text: str) -> str:
    """Return a report in which nothing that a student wrote changes the direction of writing."""
    return _OVERRIDES.sub("\ufffd", text)


def _clean(text: str) -> str:
    return _NOT_IN_XML.sub("\ufffd", text)


def _named(id: str, label: str) -> str:
    return f"{id} {label}" if label else id


def _points(points: Fraction) -> str:
    return str(points) if points.denominator in {1, 2, 3, 4, 5, 6, 8, 10} else str(rounded(points))
