"""Fonts that have the letters of a picture, where text is drawn as shapes."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from functools import cache

from cgraph.reports.extras import drawing_library

__all__ = ["families"]

FIRST = "DejaVu Sans"  # matplotlib brings it along


def families(texts: Iterable[str]) -> list[str]:
    """Return the fonts that together have the letters of `texts`: matplotlib's own, and others of this machine if needed.

    Warns
    -----
    UserWarning
        If no font of this machine has a letter; it is then drawn as a box.

    Examples
    --------
    >>> families(["x", "θ₀ = −1"])
    ['DejaVu Sans']
    """
    letters = {ord(letter) for text in texts for letter in text if letter > " "}
    found, missing = _covering(frozenset(letters))
    if missing:
        shown = " ".join(chr(letter) for letter in sorted(missing)[:10])
        warnings.warn(
            f"no font of this machine has {shown}: boxes stand in the picture instead; install one that does, or write SVG",
            stacklevel=2,
        )
    return found


@cache
def _covering(letters: frozenset[int]) -> tuple[list[str], set[int]]:
    """Return the fonts to look into, one after the other, and the letters that none of them has."""
    manager, font = drawing_library("matplotlib.font_manager"), drawing_library("matplotlib.ft2font").FT2Font
    found, missing = [FIRST], letters - set(font(manager.findfont(FIRST)).get_charmap())
    for entry in manager.fontManager.ttflist if missing else ():
        if entry.name.startswith("Last Resort"):  # it has a box for everything
            continue
        has = missing & set(font(entry.fname).get_charmap())
        if has:
            found.append(entry.name)
            missing -= has
        if not missing:
            break
    return found, set(missing)
