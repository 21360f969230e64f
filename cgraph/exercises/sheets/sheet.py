"""The sheet of an exercise."""

from __future__ import annotations

from cgraph.exercises.exercise import Exercise
from cgraph.exercises.sheets.contents import sheet_of
from cgraph.exercises.sheets.rendering import PAPERS, RENDERED
from cgraph.model.errors import CGraphError

__all__ = ["sheet"]


def sheet(
    exercise: Exercise,
    *,
    answers: bool = False,
    format: str = "text",
    student: str = "",
    date: str = "",
    picture: bool = False,
    paper: str = "a4",
) -> str:
    r"""Return the question sheet of an exercise, or the sheet with its solution.

    Parameters
    ----------
    exercise : Exercise
        From `read_exercise`. Not modified.
    answers : bool, default False
        Whether the sheet is the solution: the steps of both passes, every answer, and what is accepted.
    format : {"text", "markdown", "html", "latex"}, default "text"
        LaTeX is a document for pdflatex, HTML a page of its own; both are made for paper, upright.
    student, date : str, optional
        What stands at the head; without a student, there is a line for the name.
    picture : bool, default False
        Whether the graph is drawn too, in HTML and LaTeX (extra ``draw``) and in Markdown (as Mermaid).
    paper : {"a4", "letter"}, default "a4"
        The size of the paper, of HTML and LaTeX.

    Returns
    -------
    str
        The sheet.

    Raises
    ------
    CGraphError
        If the format or the paper is unknown, the format has no pictures, or the exercise is sealed and has no answers.
    ExtraMissingError
        If a picture needs a library that is not installed.

    Examples
    --------
    >>> import io
    >>> from cgraph import read_exercise
    >>> text = "title: A square\ninputs: {x: 3.0}\nnodes: {y: x^2}\nask: [{id: a, d: y/x}]"
    >>> print(sheet(read_exercise(io.StringIO(text))))
    A square
    ========
    <BLANKLINE>
    Name: ________________________________________
    In all: 1 point
    <BLANKLINE>
    Given
      given  value
      x          3
    <BLANKLINE>
    Equations
      node  equation
      y     x^2
    <BLANKLINE>
    a  (1 point)
    ------------
    <BLANKLINE>
    Compute dy/dx, to 3 significant figures.
    <BLANKLINE>
    ________________________________________
    <BLANKLINE>
    """
    if format not in RENDERED:
        raise CGraphError(f"a sheet is written as {', '.join(RENDERED)}, not {format!r}")
    if paper not in PAPERS:
        raise CGraphError(f"the paper is {' or '.join(PAPERS)}, not {paper!r}")
    if picture and format == "text":
        raise CGraphError("a text has no picture; take markdown, html or latex")
    if answers and exercise.sealed:
        raise CGraphError("a sealed exercise holds no answers; take the exercise itself")
    content = sheet_of(exercise, answers=answers, student=student, date=date)
    return RENDERED[format]([content], picture=picture, paper=paper)
