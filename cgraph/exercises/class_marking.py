"""Marking the files of a class: if a file cannot be marked, its report says why."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import IO, Any

from cgraph.exercises.answers import Answers, no_name, read_answers
from cgraph.exercises.exercise import Exercise
from cgraph.exercises.grading import grade
from cgraph.exercises.reading import exercise_of
from cgraph.exercises.results import GradeReport, printable
from cgraph.exercises.submissions import Submission, submissions
from cgraph.exercises.variants import Variants
from cgraph.model.errors import CGraphError, LimitError
from cgraph.model.limits import limits
from cgraph.model.tasks import in_order
from cgraph.specs.reading import read_document

__all__ = ["ClassMarker", "grade_class", "guarded", "marked", "without_doubles"]

SECONDS_PER_FILE = 20
_TOGETHER = 8  # files that a task marks: some tenths of a second


def grade_class(
    exercise: str | os.PathLike[str] | IO[Any], folder: str | os.PathLike[str], *, executor: Executor | None = None
) -> list[GradeReport]:
    r"""Mark every file of answers in a folder.

    Parameters
    ----------
    exercise : path or stream
        An exercise. If it has ``vary``, each file is marked against the variant of its student.
    folder : path-like
        Files of answers, as `read_answers` takes them; other files and hidden ones are passed over.
    executor : concurrent.futures.Executor, optional
        A pool of workers, on which the folder has the same path: the exercise is sent to them once, and each task is
        eight files.

    Returns
    -------
    list of GradeReport
        In the order of the names of the files, numbers by their size. If a file cannot be marked, its report says why.

    Raises
    ------
    SpecError
        With every mistake of the exercise.
    CGraphError
        If workers end before their tasks are done.
    OSError
        If the exercise or the folder cannot be opened.

    Notes
    -----
    A file may take 20 seconds, where the worker has a timer: in the main thread of a process.

    Examples
    --------
    >>> import io
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> quiz = "inputs: {x: 2.0}\nnodes: {y: x^3}\nask: [{id: a, d: y/x}]"
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "ada.yaml").write_text("a: 12"), Path(folder, "ben.yaml").write_text("a: 8")
    ...     [(report.student, report.ok) for report in grade_class(io.StringIO(quiz), folder)]
    [('ada', True), ('ben', False)]
    """
    marker = ClassMarker.read(exercise)
    files, _ = submissions(Path(folder).resolve())
    return without_doubles(files, list(marked(marker, files, executor)))


def marked(marker: ClassMarker, files: Sequence[Submission], executor: Executor | None) -> Iterator[GradeReport]:
    """Yield the report on each file, in order, whichever worker marks it."""
    tasks = ((files[k : k + _TOGETHER],) for k in range(0, len(files), _TOGETHER))
    return chain.from_iterable(in_order(executor, _reports, tasks, about=marker))


def _reports(marker: ClassMarker, files: Sequence[Submission]) -> list[GradeReport]:
    return [marker.mark_file(file) for file in files]


@dataclass(frozen=True)
class ClassMarker:
    """Marks the answers of each student: against the exercise, or against the student's own variant of it.

    Attributes
    ----------
    exercise : Exercise
        What was read.
    variants : Variants or None
        The numbers of each student, if the exercise has ``vary``.
    """

    exercise: Exercise
    variants: Variants | None = None

    @classmethod
    def read(cls, source: str | os.PathLike[str] | IO[Any]) -> ClassMarker:
        """Read an exercise; raises as `read_exercise` does."""
        document = read_document(source)
        exercise = exercise_of(document, source)
        varies = "vary" in document.data and not exercise.sealed
        return cls(exercise, Variants.of_document(document, source, exercise) if varies else None)

    def mark(self, handed_in: Answers) -> GradeReport:
        """Return the report on the answers of one student.

        Who has answered with the numbers of the exercise itself, not with those of the variant, earns points there;
        the report says so.

        Raises
        ------
        CGraphError
            If the exercise is the variant of somebody else, or no draw gives the student a variant.
        """
        student = handed_in.student
        if self.variants is None:
            report = grade(self.exercise, handed_in.answers, student=student)
            # The name of a file may be that of a student or not; right answers to a variant are those of its student.
            doubtful = handed_in.named or not report.ok
            if doubtful and student and self.exercise.variant_of not in {"", student}:
                raise _mismatch(student, self.exercise.variant_of)
            return report
        common = grade(self.exercise, handed_in.answers, student=student)
        if no_name(student):
            return replace(common, remark="names no student; marked with the numbers of the exercise itself")
        own = grade(self.variants.exercise_of(student), handed_in.answers, student=student)
        if common.points > own.points:
            return replace(common, remark="answers the exercise itself, not the student's variant; marked as such")
        return own

    def mark_file(self, submission: Submission) -> GradeReport:
        """Return the report on one file. What is wrong with the file, or in cgraph, stands in the report."""
        if submission.error:
            return GradeReport(submission.name, (), error=submission.error)
        return guarded(submission.name, lambda: self._mark_in_time(submission))

    def _mark_in_time(self, submission: Submission) -> GradeReport:
        with limits(seconds=SECONDS_PER_FILE):
            return self.mark(_read(submission))


def _mismatch(student: str, variant_of: str) -> CGraphError:
    return CGraphError(
        f"the answers are those of {student!r}, but the exercise is the variant of {variant_of!r}; "
        f"if they are {variant_of!r}'s, say so in the file with student: {variant_of}"
    )


def _read(submission: Submission) -> Answers:
    handed_in = read_answers(submission.path)
    return replace(handed_in, student=printable(handed_in.student))


def guarded(student: str, marked: Callable[[], GradeReport]) -> GradeReport:
    """Return a report, or one that says what went wrong: one student must not end the grading of a class."""
    try:
        return marked()
    except LimitError as error:
        reason = error.fact
    except CGraphError as error:
        reason = str(error)
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
    except Exception as error:  # noqa: BLE001 - a defect of cgraph, too, is the row of one file
        reason = f"a mistake in cgraph itself, {type(error).__name__}: {error}; please report it"
    return GradeReport(student, (), error="\n".join(map(printable, reason.splitlines())))


def without_doubles(files: Sequence[Submission], reports: Sequence[GradeReport]) -> list[GradeReport]:
    """Return the reports, with an error for each of several files of one student."""
    files_of = defaultdict(list)
    for file, report in zip(files, reports, strict=True):
        files_of[report.student].append(printable(file.path.name))
    return [
        GradeReport(report.student, (), error=f"{len(names)} files of one student: {', '.join(names)}")
        if len(names := files_of[report.student]) > 1
        else report
        for report in reports
    ]
