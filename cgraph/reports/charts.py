"""Charts: the losses of a descent, the sensitivities by depth, the products of paths, the largest sensitivities."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import networkx as nx

from cgraph.algorithms.diagnostics import FlowLevel
from cgraph.algorithms.engines import sensitivities
from cgraph.algorithms.paths import count_paths, top_paths
from cgraph.algorithms.sweeps import sensitivity
from cgraph.model.errors import DrawingError, shorten, show_count
from cgraph.model.files import write_whole
from cgraph.model.graph import Node
from cgraph.reports.drawing.fonts import families
from cgraph.reports.drawing.palette import EDGES, PAPER, PATHS
from cgraph.reports.drawing.sizes import balanced
from cgraph.reports.drawing.words import is_array, show_quantity, text_width
from cgraph.reports.extras import drawing_library
from cgraph.training.descent import Descent

__all__ = ["flow_chart", "loss_chart", "path_chart", "tornado_chart"]

FORMATS = ("svg", "png", "pdf")
FIRST, SECOND = PATHS[0].stroke, PATHS[1].stroke  # blue and orange mean a sign
POSITIVE, NEGATIVE = EDGES["positive"].stroke, EDGES["negative"].stroke
WIDTH, HEIGHT, POINTS = 6.4, 4.0, 72.0  # of a figure, in inches; points in an inch
MARGIN = 0.1  # inches around a figure
BAR, AROUND = 0.3, 1.5  # inches for each bar, and for title, legend and axis
# Where a legend stands: on top of the axes, where it covers nothing.
ABOVE: dict[str, Any] = {
    "loc": "lower right",
    "bbox_to_anchor": (1.0, 1.0),
    "ncols": 2,
    "frameon": False,
    "fontsize": "small",
}
TITLE, LABEL = 12.0, 10.0  # font sizes
# On dark paper light and dark change places; hues, and with them the signs, stay as they are.
DARK = b"@media (prefers-color-scheme: dark) { .cgraph-chart { filter: invert(0.91) hue-rotate(180deg) } }"
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
        ax.legend(**ABOVE)
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
        smallest to the largest; below, the share of shut gates, or a note that no gate is shut. The inputs are on the
        left, t on the right.

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
    depth = [level.depth for level in levels]
    shut = [0.0 if math.isnan(level.shut) else level.shut for level in levels]
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1) if any(shut) else (8, 1))
    means = [_decimal(level.log_mean) for level in levels]
    above.plot(depth, means, color=FIRST, marker="o", markersize=4, label="mean")
    seen = [level for level in levels if level.smallest > 0 and math.isfinite(level.largest)]
    above.vlines(
        [level.depth for level in seen],
        [math.log10(level.smallest) for level in seen],
        [math.log10(level.largest) for level in seen],
        color=FIRST,
        alpha=0.35,
        linewidth=5,
        label="from the smallest to the largest",
    )
    above.legend(**ABOVE)
    above.set(ylabel="log₁₀ |S(i, t)|")
    above.grid(alpha=0.3)
    below.bar(depth, shut, color=SECOND)
    below.set(xlabel="edges to t", ylabel="gates shut" if any(shut) else "", ylim=(0, 1))
    if not any(shut):
        below.set_yticks([])
        below.text(0.5, 0.5, "gates shut: none", transform=below.transAxes, ha="center", va="center")
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
    log: bool = False,
    derivative: str = "derivative",
) -> Any:
    """Draw the products of the `k` strongest paths from `s` to `t`, the largest above.

    Parameters
    ----------
    G, s, t
        As in `top_paths`.
    output
        As in `loss_chart`.
    k : int, default 50
        How many paths.
    log : bool, default False
        Whether the axis is a symmetric logarithmic one; else it is linear, and lengths can be compared.
    derivative : str, default "derivative"
        The edge attribute that holds dy(j)/dy(i).

    Returns
    -------
    matplotlib.figure.Figure
        A bar for each path, with its name, from zero to its product: to the right and blue for a positive product, to the
        left, orange and hatched for a negative one.

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
    >>> ax = path_chart(G, "x", "y").axes[0]
    >>> [(label.get_text(), float(bar.get_width())) for label, bar in zip(ax.get_yticklabels(), ax.patches)]
    [('x → a → y', -10.0), ('x → y', 3.0)]
    """
    found = [(path, product) for path, product in top_paths(G, s, t, k, derivative=derivative) if product]
    if not found:
        raise DrawingError(f"no path from {s!r} to {t!r} has a product other than 0")
    number = count_paths(G, s, t)
    total = show_quantity(sensitivity(G, s, t, derivative=derivative))
    title = f"S({s}, {t}) = {total}, the sum over {show_count(number)} path{'s' * (number != 1)}"
    if len(found) < number:
        title += f"; the {len(found)} strongest" if len(found) > 1 else "; the strongest"
    figure = _bars([(_way(path), product) for path, product in found], title, "product along the path")
    if log:
        figure.axes[0].set_xscale("symlog", linthresh=abs(found[-1][1]))
    return _written(figure, output)


def tornado_chart(
    G: nx.DiGraph[Any],
    t: Node,
    output: str | os.PathLike[str] | None = None,
    *,
    k: int = 20,
    derivative: str = "derivative",
) -> Any:
    """Draw the sensitivities of `t` to the inputs and weights, the largest above: a tornado.

    Parameters
    ----------
    G : networkx.DiGraph
        Linearized. Not modified.
    t : node
        The node whose value is differentiated.
    output
        As in `loss_chart`.
    k : int, default 20
        How many of the nodes that no edge enters.
    derivative : str, default "derivative"
        The edge attribute that holds dy(j)/dy(i).

    Returns
    -------
    matplotlib.figure.Figure
        A bar for each node, from zero to S(i, t): to the right and blue if `t` rises with it, to the left, orange and
        hatched if it falls.

    Raises
    ------
    DrawingError
        If a sensitivity is an array (`scalarize` makes its entries nodes), or all are 0.
    CGraphError
        As `loss_chart` and `sensitivities`.

    Examples
    --------
    >>> from cgraph import from_equations, linearize
    >>> ax = tornado_chart(linearize(from_equations("y = 2*a - 5*b + 0*c", a=1.0, b=1.0, c=1.0)), "y").axes[0]
    >>> [(label.get_text(), float(bar.get_width())) for label, bar in zip(ax.get_yticklabels(), ax.patches)]
    [('b', -5.0), ('a', 2.0)]
    """
    S = {i: value for i, value in sensitivities(G, t, derivative=derivative).items()
         if not G.pred[i] and i != t and G.nodes[i].get("role") != "constant"}  # fmt: skip
    for i, value in S.items():
        if is_array(value):
            raise DrawingError(
                f"S({i}, {t}) is an array of {show_quantity(value)}, not a number; scalarize(G) makes it numbers"
            )
    strongest = sorted((i for i in S if S[i]), key=lambda i: -abs(S[i]))[:k]
    if not strongest:
        raise DrawingError(f"no input has an effect on {t!r}: every S(i, {t}) is 0")
    title = f"what acts most on {t}: its derivatives by inputs and weights"
    return _written(_bars([(str(i), S[i]) for i in strongest], title, f"S(i, {t})"), output)


def _way(path: Sequence[Node]) -> str:
    """Return the name of a path, with its ends if it is long."""
    name = " → ".join(map(str, path))
    return name if _fits(name) else f"{path[0]} → … → {path[-1]} ({len(path)} nodes)"


def _fits(name: str) -> bool:
    return text_width(name, LABEL) <= 0.5 * WIDTH * POINTS


def _cut(name: str) -> str:
    """Return a name that takes at most half of the figure; the bars need the rest."""
    return next(short for length in range(len(name), 0, -1) if _fits(short := shorten(name, length)))


def _bars(rows: Sequence[tuple[str, float]], title: str, label: str) -> Any:
    """Return a figure with a horizontal bar for each named number, from zero, in the colour of its sign."""
    figure = _figure(AROUND + BAR * max(len(rows), 2))
    ax = figure.add_subplot(xlabel=_plain(_cut(label)))
    values, places = [float(value) for _, value in rows], range(len(rows))
    signs = [value > 0 for value in values]
    ax.barh(
        places, values, height=0.7, edgecolor=PAPER.fill,
        color=[POSITIVE if sign else NEGATIVE for sign in signs], hatch=["" if sign else "///" for sign in signs],
    )  # fmt: skip
    fonts = families([title, *(name for name, _ in rows)])
    ax.set_yticks(places, [_plain(_cut(name)) for name, _ in rows], fontfamily=fonts)
    ax.set_ylim(max(len(rows), 2) - 0.4, -0.6)  # the first above; one bar is not a wall
    ax.axvline(0, color=PAPER.stroke, linewidth=0.8)
    ax.margins(x=0.08)
    ax.locator_params(axis="x", nbins=6)
    ax.grid(axis="x", alpha=0.3)
    ax.set_axisbelow(True)
    lines = balanced(title, 0.9 * WIDTH * POINTS, TITLE)
    figure.suptitle(_plain("\n".join(lines)), fontsize=TITLE, fontfamily=fonts)
    kinds = [(1, "positive", POSITIVE, ""), (-1, "negative", NEGATIVE, "///")]
    patch = drawing_library("matplotlib.patches").Patch
    handles = [
        patch(facecolor=colour, hatch=hatch, edgecolor=PAPER.fill, label=word)
        for sign, word, colour, hatch in kinds
        if any(sign * value > 0 for value in values)
    ]
    if handles:
        ax.legend(handles=handles, **ABOVE)
    return figure


def _figure(height: float = HEIGHT) -> Any:
    figure = drawing_library("matplotlib.figure").Figure((WIDTH, height), layout="constrained", dpi=150)
    figure.get_layout_engine().set(w_pad=MARGIN, h_pad=MARGIN)
    return figure


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
            f"the suffix of {os.fspath(output)!r} is not that of a chart; the formats are {', '.join(FORMATS)}"
        )
    dates = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(format)
    stream = io.BytesIO()
    with drawing_library("matplotlib").rc_context({"svg.hashsalt": "cgraph", "svg.fonttype": "none"}):
        figure.savefig(stream, format=format, metadata=dates)
    content = stream.getvalue()
    if format == "svg":
        content = content.replace(b"<svg ", b'<svg class="cgraph-chart" ', 1).replace(
            b"</style>", DARK + b"</style>", 1
        )
    write_whole(output, content)
    return figure
