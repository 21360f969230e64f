"""Colours that survive print and colour blindness: the eight of M. Okabe and K. Ito (2008), and tints of them.

Blue and orange mean the sign of what flows through an edge, and nothing else. Colour never stands alone: a negative edge
is also dashed, a shut gate has a dashed outline, the loss a double one.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["EDGES", "FAINT", "NODES", "PAPER", "PATHS", "Ink"]


class Ink(NamedTuple):
    """A stroke and a fill (for text and lines: what they are drawn with, and on), on light and on dark paper."""

    stroke: str
    fill: str
    dark_stroke: str
    dark_fill: str


FAINT = 0.65  # how opaque it is what lies on no path; less, and its text is too pale to be read
# fmt: off
PAPER = Ink("#1a1a1a", "#ffffff", "#e8e8e8", "#17181c")
NODES = {
    "input":      Ink("#3a3a3a", "#e6e8ec", "#c8c8c8", "#34363d"),
    "weight":     Ink("#847800", "#fbf8d6", "#d9cc3c", "#35320c"),
    "constant":   Ink("#6b6b6b", "#eeeeee", "#a0a0a0", "#2b2c30"),
    "operation":  Ink("#3a3a3a", "#ffffff", "#c8c8c8", "#212228"),
    "neuron":     Ink("#007a59", "#d8f0e7", "#2fc49a", "#0d3329"),
    "linear":     Ink("#007a59", "#eef8f4", "#2fc49a", "#0a251e"),
    "activation": Ink("#007a59", "#d8f0e7", "#2fc49a", "#0d3329"),
    "loss":       Ink("#a34b7e", "#f8e4ef", "#cc79a7", "#3a1a2c"),
    "layer":      Ink("#3a3a3a", "#f4f4f4", "#c8c8c8", "#2b2c30"),
}
EDGES = {
    "plain":    Ink("#4a4a4a", "#ffffff", "#b4b4b4", "#17181c"),
    "positive": Ink("#0072b2", "#ffffff", "#56b4e9", "#17181c"),
    "negative": Ink("#d55e00", "#ffffff", "#ff9a4d", "#17181c"),
    "off":      Ink("#b9b9b9", "#ffffff", "#55575e", "#17181c"),
}
PATHS = (  # the strongest path first; blue and orange mean a sign, and nothing else
    Ink("#6a2a86", "#ffffff", "#c79be0", "#17181c"), Ink("#00875f", "#ffffff", "#2fc49a", "#17181c"),
    Ink("#b4528a", "#ffffff", "#e39cc2", "#17181c"), Ink("#7d7300", "#ffffff", "#d9cc3c", "#17181c"),
    Ink("#1a1a1a", "#ffffff", "#f2f2f2", "#17181c"),
)
# fmt: on
EDGES |= {f"path{k}": ink for k, ink in enumerate(PATHS, 1)}
