"""Libraries that only part of the package needs, imported when that part is used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from cgraph.model.errors import ExtraMissingError

__all__ = ["optional_library"]


def optional_library(module: str, extra: str) -> Any:
    """Return a module that belongs to an extra of this package.

    Raises
    ------
    ExtraMissingError
        If it is not installed; the message says what to install.
    """
    try:
        return import_module(module)
    except ImportError:
        library = module.partition(".")[0]
        raise ExtraMissingError(f"this needs {library}; pip install 'cgraph-sensitivity[{extra}]'") from None
