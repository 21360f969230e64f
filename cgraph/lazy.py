"""Packages that load what is asked for, and nothing else.

What a package exports, and from which of its modules, stands in the `__init__.pyi` beside its `__init__.py`: type checkers
and editors read it there, and so does this module (as in scientific Python's SPEC 1).
"""

from __future__ import annotations

import ast
import sys
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["load_on_demand"]


class _LazyPackage(ModuleType):
    """A package whose public names are imported when they are first used."""

    @cached_property
    def _origins(self) -> dict[str, str]:
        """The module that each public name comes from."""
        stub = Path(str(self.__file__)).with_suffix(".pyi").read_text(encoding="utf-8")
        imports = [node for node in ast.parse(stub).body if isinstance(node, ast.ImportFrom)]
        return {alias.name: str(node.module) for node in imports for alias in node.names}

    @property
    def __all__(self) -> list[str]:
        return list(self._origins)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name not in self._origins:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        value = getattr(import_module(self._origins[name]), name)
        setattr(self, name, value)
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        # Python puts each module that is imported on its package: the function `paths` stays what `paths` is.
        if isinstance(value, ModuleType) and name in self._origins:
            value = getattr(value, name)
        super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._origins})


def load_on_demand(package: str) -> None:
    """Let the package of this name load what is asked for."""
    sys.modules[package].__class__ = _LazyPackage
