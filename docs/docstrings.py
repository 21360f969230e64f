"""An extension of griffe: docstrings of numpydoc as it, and Markdown, read them.

Parameters that share a line get an entry each, with a type of their own: griffe gives all of them the annotation of the
first. References and what else to see become lists: griffe hands them to Markdown as they are.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

SECTION = re.compile(r"^(?:Parameters|Attributes)\n-+\n(?:(?:\S.*| +\S.*)?\n)*?(?=^\S.*\n-+\n|\Z)", re.MULTILINE)
SHARED = re.compile(r"^(\*{0,2}\w+(?:, \*{0,2}\w+)+)( : .*)?\n((?:[ ].*\n|\n(?=[ ]))*)", re.MULTILINE)
CITED, REFERENCE = re.compile(r"\[(\d+)\]_"), re.compile(r"^\.\. \[(\d+)\] ", re.MULTILINE)
SEE_ALSO = re.compile(r"(?<=^See Also\n--------\n)(?:\S.*\n)+", re.MULTILINE)


def split(docstring: str) -> str:
    """Return a docstring in which every parameter has an entry of its own."""
    return SECTION.sub(lambda section: SHARED.sub(_apart, section[0]), f"{docstring}\n")


def _apart(entry: re.Match[str]) -> str:
    names, type_, description = entry.groups()
    return "".join(f"{name}{type_ or ''}\n{description}" for name in names.split(", "))


def listed(docstring: str) -> str:
    """Return a docstring whose references are items of lists, as is what else to see."""
    docstring = REFERENCE.sub(r"- \\[\1\\] ", CITED.sub(r"\\[\1\\]", docstring))
    return SEE_ALSO.sub(lambda section: re.sub(r"^(\S+) :", r"- `\1`:", section[0], flags=re.MULTILINE), docstring)


class Docstrings(griffe.Extension):
    """Rewrite the docstrings of every function and class before they are parsed."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of an object."""
        if obj.docstring and not obj.is_module:
            obj.docstring.value = listed(split(obj.docstring.value)).rstrip("\n")
