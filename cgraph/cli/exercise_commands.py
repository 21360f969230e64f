"""The commands for courses: worked solutions and grading."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cgraph as cg
from cgraph.cli.graph_source import UsageError, graph_of, only_output, read_named, usage, written
from cgraph.cli.output import VERSION, counted, width_of, write_output
from cgraph.cli.worker_processes import worker_processes
from cgraph.exercises.answers import no_name
from cgraph.exercises.class_marking import ClassMarker, guarded, marked, without_doubles
from cgraph.exercises.grade_reports import (
    canvas_records,
    class_table,
    gradescope_data,
    items_table,
    junit_xml,
    key_table,
    moodle_records,
    report_data,
    report_records,
    report_table,
    without_overrides,
)
from cgraph.exercises.solutions.rendering import solution_data, solution_document, solution_markdown, solution_text
from cgraph.exercises.submissions import SUFFIXES, Submission, read_class, submissions
from cgraph.reports.tables import to_csv, to_markdown, to_text
from cgraph.specs.writing import to_json, to_yaml

__all__ = ["grade", "seal", "solve", "vary"]

DONE, WRONG = 0, 1
FEWEST_FOR_PROCESSES = 50  # files; below, starting processes takes longer than it saves


def solve(arguments: argparse.Namespace) -> int:
    """Print the worked solution."""
    options = {"exact": arguments.exact, "symbolic": arguments.symbolic}
    G = graph_of(arguments)
    t = only_output(G, "the node with --to") if arguments.t is None else arguments.t
    solution = usage(cg.solve, G, arguments.s, t, dict(arguments.at), **options)
    if arguments.format == "json":
        print(_json(solution_data(solution)))
    else:
        render: dict[str, Callable[[cg.Solution], str]] = {
            "text": lambda found: solution_text(found, width=width_of(arguments)),
            "markdown": solution_markdown,
            "latex": solution_document,
        }
        print(render[arguments.format](solution))
    return DONE


def grade(arguments: argparse.Namespace) -> int:
    """Mark the answers of a file, or of every file in a folder; without answers, print the key."""
    marker = read_named(ClassMarker.read, arguments.exercise)
    if arguments.answers is None:
        if marker.exercise.sealed:
            raise UsageError("a sealed exercise holds no answers; give yours with --answers")
        if arguments.chart is not None:
            raise UsageError("a chart shows the points of a class; give its answers with --answers")
        write_output(arguments.output, _tables(arguments, [key_table(marker.exercise)]) + "\n")
        return DONE
    reports, many = _reports(marker, arguments)
    if arguments.chart is not None:
        if not many:
            raise UsageError("a chart shows a class; give --answers a folder, or a table of all students")
        written(arguments.chart, cg.class_chart, reports, arguments.chart)
    if reports[0].remark and not many:
        print(f"cgraph: {reports[0].student or 'this'} {reports[0].remark}", file=sys.stderr)
    text = _rendered(arguments, reports, marker.exercise.title, many=many)
    write_output(arguments.output, without_overrides(text) + "\n")
    return DONE if all(report.ok for report in reports) else WRONG


def _reports(marker: ClassMarker, arguments: argparse.Namespace) -> tuple[list[cg.GradeReport], bool]:
    """Return the reports on a folder, a table of a class or one file, and whether they may be many."""
    path = Path(arguments.answers)
    if path.is_dir():
        return _grade_folder(marker, path, arguments.jobs), True
    table = read_named(lambda name: read_class(Path(name)), arguments.answers) if arguments.answers != "-" else None
    if table is not None:
        return [guarded(one.student, partial(marker.mark, one)) for one in table], True
    return [marker.mark(read_named(cg.read_answers, arguments.answers))], False


def vary(arguments: argparse.Namespace) -> int:
    """Write the exercise with the numbers of a student."""
    if reason := no_name(arguments.student):
        raise UsageError(reason)
    return _edition(arguments, partial(cg.vary, student=arguments.student))


def seal(arguments: argparse.Namespace) -> int:
    """Write the exercise without its answers."""
    return _edition(arguments, cg.seal)


def _edition(arguments: argparse.Namespace, make: Callable[[Any], dict[str, Any]]) -> int:
    """Write another edition of an exercise, as YAML or JSON."""
    suffix = Path(arguments.output or "").suffix.lower()
    if suffix == ".toml":
        raise UsageError("an exercise is written as YAML or JSON, not TOML")
    data = read_named(make, arguments.exercise)
    text = to_json(data) if suffix == ".json" else to_yaml(data)
    write_output(arguments.output, text.rstrip("\n") + "\n")
    return DONE


def _grade_folder(marker: ClassMarker, folder: Path, jobs: int | None) -> list[cg.GradeReport]:
    files, others = submissions(folder)
    if not files:
        raise UsageError(f"no answers in {str(folder)!r}; they are files of {', '.join(SUFFIXES)}")
    if others:
        names = ", ".join(map(repr, others[:5])) + ", ..." * (len(others) > 5)
        print(
            f"cgraph: {counted(len(others), 'file')} not marked: {names}; answers are files of {', '.join(SUFFIXES)}",
            file=sys.stderr,
        )
    return without_doubles(files, _marked(marker, files, jobs or os.cpu_count() or 1))


def _marked(marker: ClassMarker, files: Sequence[Submission], jobs: int) -> list[cg.GradeReport]:
    if len(files) < FEWEST_FOR_PROCESSES or jobs == 1:
        return list(_counted(marked(marker, files, None), len(files)))
    with worker_processes(min(jobs, len(files))) as pool:
        return list(_counted(marked(marker, files, pool), len(files)))


def _counted(reports: Iterator[cg.GradeReport], total: int) -> Iterator[cg.GradeReport]:
    """Pass the reports on, counting them on a terminal."""
    shown = sys.stderr is not None and sys.stderr.isatty()
    for k, report in enumerate(reports, 1):
        if shown and (k % max(1, total // 100) == 0 or k == total):
            print(f"\r{k:,} of {total:,} graded", end="\n" if k == total else "", file=sys.stderr, flush=True)
        yield report


def _rendered(arguments: argparse.Namespace, reports: Sequence[cg.GradeReport], title: str, *, many: bool) -> str:
    hints = arguments.hints
    match arguments.format:
        case "json" if many:
            return _json({"reports": [report_data(report, hints) for report in reports]})
        case "json":
            return _json(report_data(reports[0], hints))
        case "csv":
            return to_csv(*report_records(reports))
        case "moodle":
            return to_csv(*moodle_records(reports, title))
        case "canvas":
            return to_csv(*canvas_records(reports, title))
        case "junit":
            return junit_xml(reports, hints)
        case "gradescope" if many:
            raise UsageError("Gradescope reads the results of one submission; give one file of answers")
        case "gradescope":
            return json.dumps(gradescope_data(reports[0], hints), indent=2, ensure_ascii=False)
    if many:
        return _tables(arguments, [class_table(reports), items_table(reports)])
    return _tables(arguments, [report_table(reports[0], hints)])


def _tables(arguments: argparse.Namespace, tables: Sequence[Any]) -> str:
    if arguments.format not in {"text", "markdown"}:
        raise UsageError(f"the key is printed as text or markdown; --format {arguments.format} needs --answers")
    render = partial(to_text, width=width_of(arguments)) if arguments.format == "text" else to_markdown
    return "\n\n".join(render(table) for table in tables)


def _json(data: dict[str, Any]) -> str:
    return json.dumps({"cgraph": VERSION, **data}, indent=2, ensure_ascii=False)
