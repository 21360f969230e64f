"""Libraries that only pictures need, imported when a picture is drawn."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from cgraph.model.errors import ExtraMissingError

__all__ = ["drawing_library"]


def drawing_library(module: str) -> Any:
    """Return a module of the extra ``draw``.

    Raises
    ------
    ExtraMissingError
        If it is not installed; the message says what to install.
    """
    try:
        return import_module(module)
    except ImportError:
        library = module.partition(".")[0]
        raise ExtraMissingError(f"this needs {library}; pip install 'cgraph-sensitivity[draw]'") from None
