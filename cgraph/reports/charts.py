"""Charts: the losses of a descent, the sensitivities by depth, the contributions of paths."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import networkx as nx

from cgraph.algorithms.diagnostics import FlowLevel
from cgraph.algorithms.paths import count_paths, top_paths
from cgraph.algorithms.sweeps import sensitivity
from cgraph.model.errors import DrawingError, show_count
from cgraph.model.files import write_whole
from cgraph.model.graph import Node
from cgraph.reports.drawing.palette import EDGES, PAPER
from cgraph.reports.drawing.words import show_quantity
from cgraph.reports.extras import drawing_library
from cgraph.training.descent import Descent

__all__ = ["flow_chart", "loss_chart", "path_chart"]

FORMATS = ("svg", "png", "pdf")
FIRST, SECOND = EDGES["positive"].stroke, EDGES["negative"].stroke
LOGARITHMIC = 100.0  # from what ratio of the largest to the smallest loss


def loss_chart(descent: Descent, output: str | os.PathLike[str] | None = None) -> Any:
    """Draw the losses of a descent, and of the held-out data if there are any.

    Parameters
    ----------
    descent : Descent
        What `gradient_descent` returns.
    output : path, optional
        Where the chart is written: SVG, PNG or PDF by its suffix.

    Returns
    -------
    matplotlib.figure.Figure
        With a logarithmic scale if the losses are positive and the largest is 100 times the smallest.

    Raises
    ------
    ExtraMissingError
        Without matplotlib (extra ``draw``).
    DrawingError
        If the suffix of `output` is that of no chart.

    Examples
    --------
    >>> from cgraph import ComputationalGraph, gradient_descent
    >>> G = ComputationalGraph()
    >>> G.add_weight("w", 3.0)
    >>> G.add_equation("J", "w^2")
    >>> figure = loss_chart(gradient_descent(G, "J", rate=0.25, steps=2))  # w is halved at every step
    >>> [float(loss) for loss in figure.axes[0].lines[0].get_ydata()]
    [9.0, 2.25, 0.5625]
    """
    figure = _figure()
    ax = figure.add_subplot(xlabel="step", ylabel="loss")
    ax.plot(descent.history, color=FIRST, label="training")
    if descent.validation:
        ax.plot(descent.validation, color=SECOND, linestyle="--", label="held out")
        ax.legend()
    losses = [*descent.history, *descent.validation]
    if min(losses) > 0 and max(losses) >= LOGARITHMIC * min(losses):
        ax.set_yscale("log")
    ax.grid(alpha=0.3)
    return _written(figure, output)


def flow_chart(levels: Sequence[FlowLevel], output: str | os.PathLike[str] | None = None) -> Any:
    """Draw how large the sensitivities are at each depth, and the share of gates that are shut.

    Parameters
    ----------
    levels : sequence of FlowLevel
        What `gradient_flow` returns.
    output
        As in `loss_chart`.

    Returns
    -------
    matplotlib.figure.Figure
        Above, the decimal logarithm of the mean ``|S(i,t)|`` (which no underflow reaches) and the range from the
        smallest to the largest; below, the share of shut gates. The inputs are on the left, t on the right.

    Raises
    ------
    CGraphError
        As `loss_chart`.

    Examples
    --------
    >>> from cgraph import from_equations, gradient_flow, linearize
    >>> L = linearize(from_equations("a = 0.1*x; y = 0.1*a", x=1.0))
    >>> figure = flow_chart(gradient_flow(L, "y"))
    >>> [round(float(size), 9) for size in figure.axes[0].lines[0].get_ydata()]  # S = 1, 1/10, 1/100
    [0.0, -1.0, -2.0]
    """
    figure = _figure()
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    depth = [level.depth for level in levels]
    above.plot(depth, [_decimal(level.log_mean) for level in levels], color=FIRST, marker="o", markersize=4)
    seen = [level for level in levels if level.smallest > 0 and math.isfinite(level.largest)]
    above.vlines(
        [level.depth for level in seen],
        [math.log10(level.smallest) for level in seen],
        [math.log10(level.largest) for level in seen],
        color=FIRST,
        alpha=0.35,
        linewidth=5,
    )
    above.set(ylabel="log₁₀ |S(i, t)|")
    above.grid(alpha=0.3)
    below.bar(depth, [0.0 if math.isnan(level.shut) else level.shut for level in levels], color=SECOND)
    below.set(xlabel="edges to t", ylabel="gates shut", ylim=(0, 1))
    below.invert_xaxis()
    below.xaxis.get_major_locator().set_params(integer=True)
    return _written(figure, output)


def path_chart(
    G: nx.DiGraph[Any],
    s: Node,
    t: Node,
    output: str | os.PathLike[str] | None = None,
    *,
    k: int = 50,
) -> Any:
    """Draw the products of the `k` strongest paths from `s` to `t`, the largest first.

    Parameters
    ----------
    G, s, t
        As in `top_paths`.
    output
        As in `loss_chart`.
    k : int, default 50
        How many paths.

    Returns
    -------
    matplotlib.figure.Figure
        A bar for each path, as high as ``|product|`` on a logarithmic scale, blue for a positive product and orange
        and hatched for a negative one.

    Raises
    ------
    DrawingError
        If no path from `s` to `t` has a product other than 0.
    CGraphError
        As `loss_chart` and `top_paths`.

    Examples
    --------
    >>> G = nx.DiGraph()
    >>> G.add_weighted_edges_from([("x", "a", 2.0), ("a", "y", -5.0), ("x", "y", 3.0)], "derivative")
    >>> [float(bar.get_height()) for bar in path_chart(G, "x", "y").axes[0].patches]
    [10.0, 3.0]
    """
    products = [product for _, product in top_paths(G, s, t, k) if product]
    if not products:
        raise DrawingError(f"no path from {s!r} to {t!r} has a product other than 0")
    figure = _figure()
    ax = figure.add_subplot(xlabel="paths, the strongest first", ylabel="|product|", yscale="log")
    colours = [FIRST if product > 0 else SECOND for product in products]
    hatches = ["" if product > 0 else "///" for product in products]
    ranks = range(1, len(products) + 1)
    ax.bar(ranks, [abs(p) for p in products], color=colours, hatch=hatches, edgecolor=PAPER.fill)
    ax.xaxis.get_major_locator().set_params(integer=True)
    number = count_paths(G, s, t)
    total = show_quantity(sensitivity(G, s, t))
    ax.set_title(_plain(f"S({s}, {t}) = {total}, the sum over {show_count(number)} path{'s' * (number != 1)}"))
    signs = [("positive", FIRST, ""), ("negative", SECOND, "///")]
    patch = drawing_library("matplotlib.patches").Patch
    ax.legend(handles=[patch(facecolor=c, hatch=h, edgecolor=PAPER.fill, label=sign) for sign, c, h in signs])
    return _written(figure, output)


def _figure() -> Any:
    return drawing_library("matplotlib.figure").Figure((6.4, 4.0), layout="constrained", dpi=150)


def _plain(text: str) -> str:
    """Return text in which nothing is mathematics to matplotlib."""
    return text.replace("$", r"\$")


def _decimal(logarithm: float) -> float:
    return logarithm / math.log(10) if math.isfinite(logarithm) else math.nan


def _written(figure: Any, output: str | os.PathLike[str] | None) -> Any:
    """Write the figure, the same bytes for the same chart, and return it."""
    if output is None:
        return figure
    format = Path(output).suffix.lower().removeprefix(".")
    if format not in FORMATS:
        raise DrawingError(
            f"the suffix of {os.fspath(output)!r} is that of no chart; the formats are {', '.join(FORMATS)}"
        )
    dates = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(format)
    stream = io.BytesIO()
    with drawing_library("matplotlib").rc_context({"svg.hashsalt": "cgraph", "svg.fonttype": "none"}):
        figure.savefig(stream, format=format, metadata=dates)
    write_whole(output, stream.getvalue())
    return figure
