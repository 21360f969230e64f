"""The command `cgraph`. What is imported here decides how fast it starts."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module

from cgraph.cli.parser import build_parser

__all__ = ["main", "run"]

USAGE, BAD_SPEC, NOT_COMPUTABLE, INTERRUPTED = 2, 3, 4, 130


def run() -> None:
    """Run the command as a process: the console script's entry point."""
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `cgraph ... | head` ends as other tools do
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # Greek on an ASCII terminal
    sys.exit(main())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with `argv` and return its exit status."""
    arguments = build_parser().parse_args(argv)
    try:
        commands = import_module("cgraph.cli.commands")
        return int(getattr(commands, arguments.command)(arguments))
    except KeyboardInterrupt:
        _say("interrupted")
        return INTERRUPTED
    except Exception as error:
        if arguments.debug:
            raise
        return _report(error)


def _report(error: Exception) -> int:
    """Say what went wrong on stderr, and return the exit status that stands for it."""
    from cgraph.cli.commands import UsageError
    from cgraph.model.errors import CGraphError, EquationError, Problem, SpecError

    match error:
        case UsageError():
            _say(f"{error}")
            return USAGE
        case SpecError():
            print(_coloured(str(error)), file=sys.stderr)
            return NOT_COMPUTABLE if all(p.cyclic for p in error.problems) else BAD_SPEC
        case EquationError():
            problem = Problem(1, error.column + 1, error.message, error.hint, error.text)
            print(_coloured(problem.report("equation")), file=sys.stderr)
            return BAD_SPEC
        case CGraphError():
            _say(str(error))
            return NOT_COMPUTABLE
    _say(f"{type(error).__name__}: {error}; this is a mistake in cgraph itself, --debug shows where")
    return NOT_COMPUTABLE


def _say(message: str) -> None:
    print(_coloured(f"cgraph: error: {message}"), file=sys.stderr)


def _coloured(text: str) -> str:
    if os.environ.get("NO_COLOR") or not sys.stderr.isatty():
        return text
    return text.replace(" error: ", " \x1b[31merror:\x1b[0m ")
