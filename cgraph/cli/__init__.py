"""The command `cgraph`. What is imported here decides how fast it starts."""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import Any

__all__ = ["main", "run"]

USAGE, BAD_SPEC, NOT_COMPUTABLE, INTERRUPTED = 2, 3, 4, 130


def run() -> None:
    """Run the command as a process: the console script's entry point."""
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `cgraph ... | head` ends as other tools do
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # the shell may have closed it
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # Greek on an ASCII terminal
    sys.exit(main())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with `argv` and return its exit status."""
    argv = sys.argv[1:] if argv is None else argv
    arguments = argparse.Namespace(debug=False)
    try:
        arguments = _parsed(argv)
        if arguments.command is None:
            return USAGE
        from cgraph.model.limits import limits

        allowed = {"seconds": arguments.seconds, **dict(getattr(arguments, "limit", []))}
        with warnings.catch_warnings(), limits(**allowed):
            warnings.showwarning = _show_warning
            status = int(getattr(import_module(arguments.module), arguments.command)(arguments))
        if sys.stdout is not None:
            sys.stdout.flush()
    except KeyboardInterrupt:
        return _fail(INTERRUPTED, "interrupted")
    except Exception as error:
        if arguments.debug:
            raise
        return _report(error, arguments)
    return status


def _parsed(argv: Sequence[str]) -> argparse.Namespace:
    """Return what the command line says; without a command, after its help."""
    from cgraph.cli.parser import build_parser  # here, where an interrupt is answered

    parser = build_parser(argv[0] if argv and not argv[0].startswith("-") else None)
    arguments, rest = parser.parse_known_args(argv)
    if arguments.command is None and not rest:
        parser.print_help(sys.stderr)
    elif len(rest) == 1 and not rest[0].startswith("-") and getattr(arguments, "spec", "") is None:
        arguments.spec = rest[0]  # argparse stops looking for a SPEC at an option that stands before it
    elif rest:
        getattr(arguments, "parser", parser).refuse_rest(rest)
    return arguments


def _report(error: Exception, arguments: argparse.Namespace) -> int:
    """Say what went wrong on stderr, and return the exit status that stands for it."""
    from cgraph.cli.graph_source import UsageError, placed
    from cgraph.model.errors import CGraphError, EquationError, InvalidNodeError, SpecError, TooManyPathsError

    match error:
        case UsageError():
            return _fail(USAGE, str(error))
        case OSError():  # of reading is a UsageError
            sys.stdout = None  # Python would flush it again at the end, and complain
            return _fail(USAGE, f"cannot write the output: {error.strerror or error}")
        case SpecError():
            _say(_as_typed(str(error)))
            return NOT_COMPUTABLE if all(p.cyclic for p in error.problems) else BAD_SPEC
        case EquationError():
            _say("\n".join(problem.report("equation") for problem in error.problems))
            return BAD_SPEC
        case InvalidNodeError():
            return _fail(BAD_SPEC, str(error))
        case TooManyPathsError():
            advice = "--top K lists the K strongest, and `cgraph sensitivity` sums them all"
            return _fail(NOT_COMPUTABLE, f"{error.fact}; {advice}")
        case CGraphError():
            if report := placed(error, arguments):
                _say(_as_typed(report))
                return NOT_COMPUTABLE
            return _fail(NOT_COMPUTABLE, str(error))
    return _fail(NOT_COMPUTABLE, _unforeseen(error))


def _unforeseen(error: Exception) -> str:
    """Return what to say of an error that cgraph did not raise."""
    if isinstance(error, MemoryError):
        return "there is not enough memory; arrays have to be smaller, or fewer"
    if isinstance(error, ImportError):
        return f"a library that this needs cannot be imported: {error}"
    return f"{type(error).__name__}: {error}; this is a mistake in cgraph itself, --debug shows where"


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: Any = None,  # noqa: ARG001 - Python's hook has it
    line: str | None = None,
) -> None:
    """Show what a spec may mean otherwise as it is; any other warning as Python does."""
    is_ours = category.__name__ == "SpecWarning"
    _say(str(message) if is_ours else warnings.formatwarning(message, category, filename, lineno, line).rstrip())


# What the library advises in Python, and how it is typed in a shell.
_TYPED = {
    r"restrict\(G, s, t\)": "`cgraph transform restrict --from S --to T`",
    r"scalarize\(G\)": "`cgraph transform scalarize`",
    r"give it one, as in (\S+)=1\.0": r"give it one, as in --at \1=1.0",
    r"take method='(\w+)'": r"take --method \1",
    r"allow more by budget=": "allow more by --budget",
    r"limits\((\w+)=\.\.\.\) allows more": r"--limit \1=N allows more",
    r"with derivative=": "with --derivative",
}


def _as_typed(message: str) -> str:
    for pattern, words in _TYPED.items():
        message = re.sub(pattern, words, message)
    return message


def _fail(status: int, message: str) -> int:
    _say(f"cgraph: error: {_as_typed(message)}")
    return status


def _say(text: str) -> None:
    """Print `text` on stderr, the word "error" of each message in red on a terminal."""
    if sys.stderr is None:
        return
    if sys.stderr.isatty() and not os.environ.get("NO_COLOR"):
        text = re.sub(r"^(cgraph|.*?:\d+:\d+): error: ", "\\1: \x1b[31merror:\x1b[0m ", text, flags=re.MULTILINE)
    print(text, file=sys.stderr)
