"""Which names a node can have."""

from __future__ import annotations

import keyword
import unicodedata

from cgraph.model.operations.elementwise import CONSTANTS, FUNCTIONS

__all__ = ["composed", "unusable"]

MAX_NAME = 200


def composed(text: str) -> str:
    """Return `text` with accents joined to their letters (Unicode's form NFC), as most keyboards type them."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def unusable(name: object) -> str:
    """Return why `name` cannot name a node, or "".

    Examples
    --------
    >>> unusable("h1"), unusable("a -> b")
    ('', "a node cannot be named 'a -> b': '->' separates the ends of an edge")
    """
    if not isinstance(name, str):
        return f"a node's name must be text, not {name!r}; write {str(name)!r}"
    if reason := _reserved(name):
        return f"a node cannot be named {name!r}: {reason}; for instance {name + '_'!r} would do"
    if not name or name != name.strip():
        return f"a node cannot be named {name!r}: it is empty, or begins or ends with a space"
    if len(name) > MAX_NAME:
        return f"a node's name of {len(name):,} characters is too long; the limit is {MAX_NAME}"
    if "->" in name:
        return f"a node cannot be named {name!r}: '->' separates the ends of an edge"
    if not unicodedata.is_normalized("NFC", name):
        composed = unicodedata.normalize("NFC", name)
        return f"a node cannot be named {name!r}: accents stand apart from their letters; write {composed!r}"
    if any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in name):
        return f"a node cannot be named {name!r}: it holds a control character"
    return ""


def _reserved(name: str) -> str:
    """Return why `name` cannot name a node in equations, or ""."""
    if name in FUNCTIONS:
        return f"{name!r} is a function"
    if name in CONSTANTS:
        return f"{name!r} is the number {CONSTANTS[name]:.6g}"
    return f"{name!r} is a Python keyword" if keyword.iskeyword(name) else ""
