"""A chart of a graded class: how many students earned how many points, in all and in each item."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from cgraph.exercises.numbers import show_fraction
from cgraph.exercises.results import GradeReport
from cgraph.model.errors import DrawingError
from cgraph.reports.charts import FIRST, _plain, _written
from cgraph.reports.extras import drawing_library

__all__ = ["class_chart"]

BINS = 10  # of a histogram
ACROSS = 3  # histograms beside each other
MOST_ITEMS = 59
WIDE, HIGH = 2.6, 2.0  # inches of one


def class_chart(reports: Sequence[GradeReport], output: str | os.PathLike[str] | None = None) -> Any:
    r"""Draw how the points of a class are spread: a histogram of the totals, and one for each item.

    Parameters
    ----------
    reports : sequence of GradeReport
        From `grade`, all of one exercise. Students whose answers could not be marked count with 0 points in the totals,
        as in the average, and are left out of the items.
    output
        As in `loss_chart`.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DrawingError
        If no report has items, or there are more than 59 of them.
    CGraphError
        As `loss_chart`.

    Examples
    --------
    >>> import io
    >>> from cgraph import grade, read_exercise
    >>> text = "inputs: {x: 2.0}\nnodes: {y: x^2}\nask: [{id: a, d: y/x}, {id: b, y: y, points: 2}]"
    >>> exercise = read_exercise(io.StringIO(text))
    >>> figure = class_chart([grade(exercise, {"a": 4}), grade(exercise, {"a": 4, "b": 4}), grade(exercise, {})])
    >>> [[int(bar.get_height()) for bar in ax.patches if bar.get_height()] for ax in figure.axes]
    [[1, 1, 1], [1, 2], [2, 1]]
    """
    first = next((report for report in reports if report.items), None)
    if first is None:
        raise DrawingError("nothing to draw: no answers could be marked")
    if len(first.items) > MOST_ITEMS:
        raise DrawingError(f"{len(first.items)} items are too many for a chart; the limit is {MOST_ITEMS}")
    spreads = [("all points", float(first.possible), [float(report.points) for report in reports])]
    for k, item in enumerate(first.items):
        earned = [float(report.items[k].points) for report in reports if report.items]
        spreads.append((item.question.id, float(item.question.points), earned))
    down = -(-len(spreads) // ACROSS)
    figure = drawing_library("matplotlib.figure").Figure(
        (ACROSS * WIDE, 0.6 + down * HIGH), layout="constrained", dpi=150
    )
    for k, (name, most, earned) in enumerate(spreads, 1):
        ax = figure.add_subplot(down, ACROSS, k, title=_plain(f"{name} (of {show_fraction(most)})"))
        ax.hist(earned, bins=BINS, range=(0, most or 1), color=FIRST, edgecolor="white")
        ax.yaxis.get_major_locator().set_params(integer=True)
        ax.set_ylabel("students" if k % ACROSS == 1 else "")
    figure.suptitle(f"{len(reports)} student{'s' * (len(reports) != 1)}")
    return _written(figure, output)
