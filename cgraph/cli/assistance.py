"""Commands that help editors and shells; they need no graph, and start without networkx and numpy."""

from __future__ import annotations

import argparse
from importlib.resources import files

from cgraph.cli.completion import completion_script

__all__ = ["completion", "schema"]


def schema(arguments: argparse.Namespace) -> int:  # noqa: ARG001 - every command takes them
    """Print the JSON Schema of a spec."""
    print(files("cgraph").joinpath("specs", "schema.json").read_text(encoding="utf-8").rstrip())
    return 0


def completion(arguments: argparse.Namespace) -> int:
    """Print the completion script of a shell."""
    print(completion_script(arguments.shell))
    return 0
