"""Sheets as text, Markdown, HTML and LaTeX."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cgraph.exercises.parts import Phrase
from cgraph.exercises.sheets.contents import Item, Sheet
from cgraph.reports.drawing.drawings import draw
from cgraph.reports.drawing.svg import to_svg
from cgraph.reports.drawing.tikz import tikz_picture
from cgraph.reports.drawing.words import show_names
from cgraph.reports.latex import latex_text
from cgraph.reports.tables import Formula, Table, escape_markdown, to_html, to_latex, to_markdown, to_text

__all__ = ["PAPERS", "RENDERED", "sheets_html", "sheets_latex", "sheets_markdown", "sheets_text"]

PAPERS = ("a4", "letter")
ROWS = 30  # of a table that stand on one page
WIDTH = 80
LINE = "_" * 40
_PREAMBLE = r"""\documentclass[11pt,%(paper)spaper]{article}
\usepackage[utf8]{inputenc}
\usepackage[T1]{fontenc}
\IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}
\usepackage{amsmath}
\usepackage{graphicx}
\usepackage[%(paper)spaper,margin=20mm]{geometry}%(tikz)s
\setlength{\parindent}{0pt}
\setlength{\parskip}{4pt}
\renewcommand{\arraystretch}{1.25}
%% What is wider than the page is made as wide as the page.
\newsavebox{\fittedbox}
\newcommand{\fitted}[1]{\sbox{\fittedbox}{#1}%%
  \ifdim\wd\fittedbox>\linewidth\resizebox{\linewidth}{!}{\usebox{\fittedbox}}\else\usebox{\fittedbox}\fi}
%% A heading does not stand at the foot of a page without what it heads.
\newcommand{\heading}[1]{\par\vskip 0pt plus 3cm\penalty-100\vskip 0pt plus -3cm
  \vspace{10pt}\textbf{#1}\par\nopagebreak\vspace{2pt}}
\newcommand{\tabletitle}[1]{\par\vspace{6pt}#1\par\nopagebreak}
\begin{document}"""
_STYLE = """\
@page { size: %s portrait; margin: 20mm }
body { font: 16px/1.45 system-ui, sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem; color: #111; background: #fff }
section.sheet { break-after: page } section.sheet:last-child { break-after: auto }
h1 { font-size: 1.5rem; margin: 0 0 .2rem } h2 { font-size: 1.1rem; margin: 1.4rem 0 .3rem; break-after: avoid }
.question, table, svg { break-inside: avoid } .wide { overflow-x: auto }
table { border-collapse: collapse; margin: .6rem 0 } caption { text-align: left; padding: .2rem 0; break-after: avoid }
td, th { border: 1px solid #999; padding: .2rem .5rem; text-align: left } td[align=right] { text-align: right }
td:empty { min-width: 12rem } .line { border-bottom: 1px solid #111; height: 1.8rem; width: 16rem }
.lines { height: 6rem; border: 1px solid #999 } .name { margin: .6rem 0 } svg { max-width: 100%%; height: auto }
.points { float: right; font-weight: normal }"""


def sheets_text(sheets: Sequence[Sheet], **_: Any) -> str:
    """Return sheets for a terminal or a plain file, each with a form feed before the next."""
    return "\n\f\n".join("\n\n".join(_text_blocks(sheet)) + "\n" for sheet in sheets)


def _text_blocks(sheet: Sheet) -> Iterator[str]:
    yield f"{sheet.title}\n{'=' * len(sheet.title)}"
    yield "\n".join(_head(sheet))
    yield from (to_text(table, width=WIDTH) for table in (*sheet.given, *sheet.working))
    for item in sheet.items:
        heading = f"{item.heading}  ({item.points})"
        yield f"{heading}\n{'-' * len(heading)}"
        words = [*([item.text] if item.text else []), _plain(item.asks)]
        yield "\n".join(textwrap.fill(text, WIDTH) for text in words)
        if item.options:
            yield "\n".join(f"  {letter}  {option}" for letter, option in item.options)
        yield from (to_text(_with_lines(table), width=WIDTH) for table in item.tables)
        if item.room:
            yield "\n\n".join([LINE] * (3 if item.room == "lines" else 1))


def sheets_markdown(sheets: Sequence[Sheet], *, picture: bool = False, **_: Any) -> str:
    """Return sheets in GitHub's Markdown, the picture of the graph in Mermaid."""
    return "\n\n---\n\n".join("\n\n".join(_markdown_blocks(sheet, picture=picture)) + "\n" for sheet in sheets)


def _markdown_blocks(sheet: Sheet, *, picture: bool) -> Iterator[str]:
    yield f"# {escape_markdown(sheet.title)}"
    yield "  \n".join(map(escape_markdown, _head(sheet)))
    if picture:
        yield f"```mermaid\n{str(draw(sheet.graph).written('mermaid')).rstrip()}\n```"
    yield from map(to_markdown, (*sheet.given, *sheet.working))
    for item in sheet.items:
        yield f"## {escape_markdown(item.heading)} ({item.points})"
        yield from (escape_markdown(text) for text in (item.text, _plain(item.asks)) if text)
        if item.options:
            yield "\n".join(f"- {letter}: {escape_markdown(option)}" for letter, option in item.options)
        yield from map(to_markdown, item.tables)
        if item.room:
            yield escape_markdown(LINE)


def sheets_html(sheets: Sequence[Sheet], *, picture: bool = False, paper: str = PAPERS[0]) -> str:
    """Return sheets as one page of HTML that fetches nothing; printed, each begins a sheet of paper."""
    size = {"a4": "A4", "letter": "letter"}[paper]
    title = html.escape(sheets[0].title)
    sections = "\n".join(
        '<section class="sheet">\n' + "\n".join(_html_blocks(sheet, picture=picture)) + "\n</section>"
        for sheet in sheets
    )
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>\n{_STYLE % size}\n</style>\n</head>\n<body>\n{sections}\n</body>\n</html>\n"
    )


def _html_blocks(sheet: Sheet, *, picture: bool) -> Iterator[str]:
    typeset = _typesetter(sheet)
    yield f"<h1>{html.escape(sheet.title)}</h1>"
    yield '<p class="name">' + "<br>".join(map(html.escape, _head(sheet))) + "</p>"
    if picture:
        yield f'<div class="wide">{to_svg(draw(sheet.graph).layout)}</div>'
    yield from (_html_table(table, typeset) for table in (*sheet.given, *sheet.working))
    for item in sheet.items:
        yield '<div class="question">'
        yield f'<h2>{html.escape(item.heading)} <span class="points">{item.points}</span></h2>'
        if item.text:
            yield f"<p>{html.escape(item.text)}</p>"
        yield f"<p>{html.escape(_plain(item.asks, typeset))}</p>"
        if item.options:
            yield "<ul>" + "".join(f"<li>{letter}: {html.escape(text)}</li>" for letter, text in item.options) + "</ul>"
        yield from (_html_table(table, typeset) for table in item.tables)
        if item.room:
            yield f'<div class="{item.room}"></div>'
        yield "</div>"


def _html_table(table: Table, typeset: Callable[[str], str]) -> str:
    rows = [[Formula(typeset(c.text), c.latex) if isinstance(c, Formula) else c for c in row] for row in table.rows]
    return f'<div class="wide">{to_html(Table(table.columns, rows, table.title))}</div>'


def _typesetter(sheet: Sheet) -> Callable[[str], str]:
    """Return what writes the names of a text as in a picture: an index lowered, Greek as Greek."""
    shown = {i: text for i, text in show_names(sheet.graph).items() if text != i and not i.isdecimal()}
    if not shown:
        return str
    names = "|".join(sorted(map(re.escape, shown), key=len, reverse=True))
    pattern = re.compile(rf"(?<![A-Za-z0-9])(d|s_)?({names})(?![A-Za-z0-9_])")
    return lambda text: pattern.sub(lambda found: (found[1] or "") + shown[found[2]], text)


def sheets_latex(sheets: Sequence[Sheet], *, picture: bool = False, paper: str = PAPERS[0]) -> str:
    """Return sheets as one document for pdflatex, portrait; each begins a page with the number 1."""
    preamble = _PREAMBLE % {"paper": paper, "tikz": "\n\\usepackage{tikz}" * picture}
    bodies = ["\n".join(_latex_blocks(sheet, picture=picture)) for sheet in sheets]
    return "\n".join([preamble, "\n\\clearpage\\setcounter{page}{1}\n".join(bodies), r"\end{document}", ""])


def _latex_blocks(sheet: Sheet, *, picture: bool) -> Iterator[str]:
    yield rf"{{\Large\textbf{{{latex_text(sheet.title)}}}}}\par"
    yield from (rf"{latex_text(line)}\par" for line in _head(sheet, line=""))
    if not (sheet.student or sheet.of_answers):
        yield r"Name: \rule{7cm}{0.4pt}\par"
    if picture:
        drawn = tikz_picture(draw(sheet.graph).layout, colours=True)
        yield rf"\vspace{{6pt}}{{\fitted{{{drawn}}}}}\par"
    for table in (*sheet.given, *sheet.working):
        yield from _latex_table(table)
    for item in sheet.items:
        yield from _latex_item(item)


def _latex_item(item: Item) -> Iterator[str]:
    """Yield a question; one that fits on a page is not torn apart."""
    whole = sum(len(table.rows) for table in item.tables) <= ROWS
    yield rf"\heading{{{latex_text(item.heading)}\hfill\normalfont {latex_text(item.points)}}}"
    if whole:
        yield r"\begin{minipage}{\linewidth}\setlength{\parskip}{4pt}"
    if item.text:
        yield rf"{latex_text(item.text)}\par"
    yield (
        "".join(latex_text(part) if isinstance(part, str) else rf"$\displaystyle {part.latex}$" for part in item.asks)
        + r"\par"
    )
    yield from (rf"\quad {letter}\quad {latex_text(option)}\par" for letter, option in item.options)
    for table in item.tables:
        yield from _latex_table(table)
    if item.room:
        yield {"line": r"\vspace{14pt}\rule{7cm}{0.4pt}\par", "lines": r"\vspace{3cm}\strut\par"}[item.room]
    if whole:
        yield r"\end{minipage}\par"


def _latex_table(table: Table) -> Iterator[str]:
    """Yield a table, its title above, in pieces that fit on a page."""
    if table.title:
        title = table.title
        yield rf"\tabletitle{{{f'${title.latex}$' if isinstance(title, Formula) else latex_text(title)}}}"
    for k in range(0, len(table.rows), ROWS):
        yield rf"\fitted{{{to_latex(Table(table.columns, table.rows[k : k + ROWS])).strip()}}}\par"


def _head(sheet: Sheet, line: str = LINE) -> list[str]:
    """Return the lines below the title: whose sheet it is, where it comes from, when, and what it earns."""
    lines = ["Solution"] if sheet.of_answers else []
    if sheet.student:
        lines.append(f"Name: {sheet.student}")
    elif line and not sheet.of_answers:
        lines.append(f"Name: {line}")
    lines += [f"Source: {sheet.source}"] if sheet.source else []
    return [*lines, *([f"Date: {sheet.date}"] if sheet.date else []), f"In all: {sheet.points}"]


def _plain(phrase: Phrase, typeset: Callable[[str], str] = str) -> str:
    return "".join(part if isinstance(part, str) else typeset(part.text) for part in phrase)


def _with_lines(table: Table) -> Table:
    """Return a table for plain text, where an empty cell does not show."""
    blank = Formula("", r"\hspace{4cm}")
    return Table(
        table.columns, [[LINE[:20] if cell == blank else cell for cell in row] for row in table.rows], table.title
    )


RENDERED: dict[str, Callable[..., str]] = {
    "text": sheets_text,
    "markdown": sheets_markdown,
    "html": sheets_html,
    "latex": sheets_latex,
}
