"""Advice for common mistakes in a spec: what the author may have meant."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from cgraph.model.errors import EquationError, nearest
from cgraph.model.language.expressions import write_name
from cgraph.model.language.parsing import parse

__all__ = ["instead_of_key", "instead_of_text", "instead_of_yaml", "node_meant"]

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
# What else a section of a spec is called.
_SECTIONS = {
    "inputs": ("variables", "variable", "vars", "var", "values", "value", "given", "data", "parameter", "parameters",
               "params", "arguments"),
    "weights": ("w", "theta"),
    "constants": ("const", "consts"),
    "nodes": ("equations", "equation", "formulas", "formula", "functions", "function", "computed", "operations", "expressions",
              "vertices", "graph", "intermediates"),
    "edges": ("arcs", "links", "derivatives", "jacobians"),
    "output": ("target", "targets", "result", "results", "loss", "objective"),
    "title": ("name", "description"),
    "cgraph": ("version",),
    "network": ("neurons", "layers", "model", "nn"),
    "ask": ("questions", "question", "tasks"),
}  # fmt: skip
_SECTION_MEANT = {word: section for section, words in _SECTIONS.items() for word in words}
# What YAML's parser says, as a pattern, and what is mostly the reason.
_YAML = {
    r"'\\t'": "a tab cannot indent YAML; use spaces",
    r"character '[`@%]'": "a text that begins with this character stands in quotes",
    r"undefined alias": "a * at the beginning of a text means something else in YAML: put the text in quotes",
    r"scanning a block scalar": "| and > begin a text of several lines in YAML: put the equation in quotes, and write "
    "abs(x) for |x|",
    r"scanning a quoted scalar": "a quote is not closed",
    r"mapping values are not allowed": "the lines of a section begin in the same column, and each holds one 'name: value'",
    r"<block end>.*(<alias>|<scalar>|<anchor>|<tag>)": "quotes go around the whole equation, or around none of it",
    r"<block end>": "the lines of a section begin in the same column",
    r"flow (mapping|sequence).*(':'|'\?'|<stream end>|<scalar>)": "a bracket is not closed, or a comma is missing between "
    "two entries",
    r"another document": "a spec is one document: remove the line '---' in the middle",
    r"could not find expected ':'": "write a colon and a space between a name and its value",
}  # fmt: skip


def instead_of_key(key: str, keys: Iterable[str], content: object = None) -> str:
    """Return the question which of `keys` is meant, or all of them."""
    keys = list(keys)
    meant = _SECTION_MEANT.get(key.casefold())
    if close := meant if meant in keys else nearest(key, keys):
        return f"did you mean {close!r}?"
    if isinstance(content, int | float | str):  # no section is one
        return "indent the line if it belongs to the section above"
    return f"the keys are {', '.join(keys)}"


def node_meant(name: str, names: Iterable[str]) -> str:
    """Return the question which of the nodes is meant, or "" if none comes near.

    Examples
    --------
    >>> node_meant("x_1", ["x1"]), node_meant("y1", ["1", "2"])
    ("did you mean 'x1'?", 'write y(1) for the node of that name')
    """
    if name == "π":
        return "the number is written pi"
    names = names if isinstance(names, dict | set) else set(names)
    if (numbered := re.fullmatch(r"[^\W\d]_?(\d+)", name)) and numbered[1] in names:
        return f"write {write_name(numbered[1])} for the node of that name"
    close = nearest(name, names)
    shown = repr(close) if write_name(close) == close else write_name(close)
    return f"did you mean {shown}?" if close else ""


def instead_of_text(text: str) -> str:
    """Return what to write instead of a text where a number is needed.

    Examples
    --------
    >>> instead_of_text("5%"), instead_of_text("2.0 kg"), instead_of_text("a + b")
    ('write 0.05', 'write 2.0 alone; a unit may stand in the title', "a formula is an equation, and stands under 'nodes'")
    """
    text = text.strip()
    if re.fullmatch(_NUMBER, text):
        return f"write {text} without quotes"
    if found := re.fullmatch(rf"({_NUMBER})\s*%", text):
        return f"write {float(found[1]) / 100:.10g}"
    if found := re.fullmatch(r"([-+]?\d+)/(\d*[1-9]\d*)", text):
        return f"write {int(found[1][:300]) / int(found[2][:300]):.10g}"
    if re.fullmatch(r"[-+]?\d{1,3}([,' ]\d{3})+(\.\d+)?", text):
        return f"write {re.sub('[^-+.0-9]', '', text)}; the decimal sign is a point"
    if re.fullmatch(r"[-+]?[\d.]*,\d+", text):
        return f"the decimal sign is a point, as in {text.replace('.', '').replace(',', '.')}"
    if re.fullmatch(rf"({_NUMBER}\s+)+{_NUMBER}", text):
        return f"write commas between numbers, as in [{', '.join(text.split())}]"
    if len(text) == 1 and unicodedata.numeric(text, None) is not None:
        return f"write {unicodedata.numeric(text):.10g}"
    if found := re.fullmatch(rf"({_NUMBER})\s*[^\W\d_][\w/*^²³]*|[$€£]\s*({_NUMBER})", text):
        return f"write {found[1] or found[2]} alone; a unit may stand in the title"
    try:
        parse(text)
    except EquationError:
        return "write a number, as in 2.5"
    return "a formula is an equation, and stands under 'nodes'"


def instead_of_yaml(problem: str) -> str:
    """Return what is mostly the reason for what YAML's parser says, or ""."""
    return next((reason for pattern, reason in _YAML.items() if re.search(pattern, problem)), "")
