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
        If it is not installed, or is and cannot be imported; the message says what to do.
    """
    library = module.partition(".")[0]
    try:
        return import_module(module)
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError) and error.name == library:
            raise ExtraMissingError(f"this needs {library}; pip install 'cgraph-sensitivity[{extra}]'") from None
        reason: Exception = error
    except Exception as error:  # noqa: BLE001 - whatever a broken installation raises
        reason = error
    raise ExtraMissingError(f"this needs {library}, which is installed but cannot be imported: {reason}") from reason
