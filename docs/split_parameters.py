"""An extension of griffe: parameters that share a line of a docstring get an entry each, with a type of their own.

Griffe gives all of them the annotation of the first.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

SECTION = re.compile(r"^(?:Parameters|Attributes)\n-+\n(?:(?:\S.*| +\S.*)?\n)*?(?=^\S.*\n-+\n|\Z)", re.MULTILINE)
SHARED = re.compile(r"^(\*{0,2}\w+(?:, \*{0,2}\w+)+)( : .*)?\n((?:[ ].*\n|\n(?=[ ]))*)", re.MULTILINE)


def split(docstring: str) -> str:
    """Return a docstring in which every parameter has an entry of its own."""
    return SECTION.sub(lambda section: SHARED.sub(_apart, section[0]), f"{docstring}\n")


def _apart(entry: re.Match[str]) -> str:
    names, type_, description = entry.groups()
    return "".join(f"{name}{type_ or ''}\n{description}" for name in names.split(", "))


class SplitParameters(griffe.Extension):
    """Split the parameters of every function and class before their docstrings are parsed."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of an object."""
        if obj.docstring and not obj.is_module:
            obj.docstring.value = split(obj.docstring.value).rstrip("\n")
