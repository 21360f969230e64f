"""Libraries that only pictures need, imported when a picture is drawn."""

from __future__ import annotations

from typing import Any

from cgraph.model.optional import optional_library

__all__ = ["drawing_library"]


def drawing_library(module: str) -> Any:
    """Return a module of the extra ``draw``, or raise `ExtraMissingError`."""
    return optional_library(module, "draw")
