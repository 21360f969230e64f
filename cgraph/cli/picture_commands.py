"""The commands that make something to look at: pictures and pages."""

from __future__ import annotations

import argparse
import sys
import warnings

import cgraph as cg
from cgraph.cli.graph_source import UsageError, graph_of, linearized, usage, written
from cgraph.cli.output import write_output

__all__ = ["draw", "page"]

DONE = 0
NUMBERS = {"values", "derivatives", "sensitivities"}


def draw(arguments: argparse.Namespace) -> int:
    """Draw the graph, in the format of the file's suffix or of ``--format``."""
    if arguments.output == "-" and arguments.format is None:
        raise UsageError("give a file with -o, as in -o picture.svg; or a --format for standard output")
    if arguments.output == "-" and arguments.format in {"png", "pdf"}:
        raise UsageError(f"{arguments.format} is no text for standard output; give a file with -o")
    ends = {"s": arguments.s, "t": arguments.t}
    G, values = graph_of(arguments), dict(arguments.at)
    # A graph whose numbers are not to be seen need not have any.
    if arguments.show is None or NUMBERS & set(arguments.show) or any(ends.values()):
        G = usage(cg.linearize, G, values)
    options = {"show": arguments.show, "top": arguments.top, "plain_names": arguments.plain_names, **ends}
    if arguments.output == "-":
        print(usage(cg.draw, G, **options).written(arguments.format), end="")
        return DONE
    with warnings.catch_warnings(record=True, action="always") as said:
        written(arguments.output, cg.draw, G, arguments.output, format=arguments.format, **options)
    for warning in said:
        print(f"warning: {warning.message}", file=sys.stderr)
    return DONE


def page(arguments: argparse.Namespace) -> int:
    """Write a page that walks through both passes over the graph."""
    L = linearized(arguments)
    practice = {"exercise": True, "mistakes": cg.step_mistakes} if arguments.exercise else {}
    write_output(arguments.output, usage(cg.page, L, s=arguments.s, t=arguments.t, **practice))
    return DONE
