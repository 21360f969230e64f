"""The commands that make something to look at: pictures and pages."""

from __future__ import annotations

import argparse
import sys

import cgraph as cg
from cgraph.cli.graphs import UsageError, graph_of, usage
from cgraph.model.errors import ExtraMissingError

__all__ = ["draw"]

DONE = 0
NUMBERS = {"values", "derivatives", "sensitivities"}


def draw(arguments: argparse.Namespace) -> int:
    """Draw the graph, in the format of the file's suffix or of ``--format``."""
    if arguments.output is None and arguments.format is None:
        raise UsageError("give a file with -o, as in -o picture.svg; or a --format for standard output")
    if arguments.output is None and arguments.format in {"png", "pdf"}:
        raise UsageError(f"{arguments.format} is no text for standard output; give a file with -o")
    ends = {"s": arguments.s, "t": arguments.t}
    G, values = graph_of(arguments), dict(arguments.at)
    # A graph whose numbers are not to be seen need not have any.
    if arguments.show is None or NUMBERS & set(arguments.show) or any(ends.values()):
        G = usage(cg.linearize, G, values)
    try:
        drawing = cg.draw(G, arguments.output, format=arguments.format, show=arguments.show, top=arguments.top, **ends)
    ...
    return DONE
