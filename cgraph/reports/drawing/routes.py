"""The ways of edges: from the side of one box to the side of another, each to a place of its own.

Within a column every edge runs straight, so that it passes neither box nor arrowhead; between two columns it swings
from its height in the one to its height in the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from cgraph.reports.drawing.sizes import INSET, Box, Point

__all__ = ["ARROW", "Route", "curve", "ports", "spread"]

ARROW = 8.0  # the length of an arrowhead


class Route(NamedTuple):
    """The way of an edge: the points of a Bezier curve, the tip of its arrow, and the box of its label."""

    curve: tuple[Point, ...]
    tip: Point
    label: Box | None

    def moved(self, dx: float, dy: float) -> Route:
        """Return the same way elsewhere."""
        label = self.label and self.label._replace(x=self.label.x + dx, y=self.label.y + dy)
        return Route(tuple((x + dx, y + dy) for x, y in self.curve), (self.tip[0] + dx, self.tip[1] + dy), label)


def spread(wanted: Sequence[float], halves: Sequence[float], lowest: float, highest: float) -> list[float]:
    """Return places as near as possible to those wanted, in their order, without overlap, between two ends.

    Parameters
    ----------
    wanted : sequence of float
        In ascending order.
    halves : sequence of float
        Half the room that each takes; less if there is not enough for all.
    lowest, highest : float
        Between them lies all the room.

    Notes
    -----
    The least squares under given distances, by pooling neighbours that want the same room (isotonic regression).

    Examples
    --------
    >>> spread([0.0, 1.0, 20.0], [5.0, 5.0, 5.0], -100.0, 100.0)
    [-4.5, 5.5, 20.0]
    >>> spread([0.0, 1.0], [5.0, 5.0], 0.0, 100.0)
    [5.0, 15.0]
    """
    room = 2 * sum(halves)
    scale = min(1.0, (highest - lowest) / room) if room else 1.0
    halves = [scale * half for half in halves]
    offsets = list(accumulate((a + b for a, b in pairwise(halves)), initial=0.0))
    pools: list[tuple[float, int]] = []  # the sum of what its members want, and their number
    for place, offset in zip(wanted, offsets, strict=True):
        total, count = place - offset, 1
        while pools and pools[-1][0] / pools[-1][1] > total / count:
            before = pools.pop()
            total, count = total + before[0], count + before[1]
        pools.append((total, count))
    places = [total / count for total, count in pools for _ in range(count)]
    least, most = lowest + halves[0], highest - halves[-1] - offsets[-1]
    return [min(max(place, least), most) + offset for place, offset in zip(places, offsets, strict=True)]


def curve(stops: Sequence[tuple[Point, Point]]) -> tuple[Point, ...]:
    """Return the Bezier curve through stops: straight along each, and with horizontal ends from one to the next.

    Parameters
    ----------
    stops : sequence of pairs of points
        For each column, where the edge enters it and where it leaves it, at one height.
    """
    points = [stops[0][0]]
    for enter, leave in stops:
        _go(points, enter)
        _go(points, leave)
    return tuple(points)


def _go(points: list[Point], end: Point) -> None:
    """Add a piece with horizontal ends; if it is straight and follows a straight one, that becomes longer."""
    if points[-1] == end:
        return
    (x, y), (u, v) = points[-1], end
    if len(points) >= 4 and {v} == {height for _, height in points[-4:]}:
        del points[-3:]
        x, y = points[-1]
    points += [((x + u) / 2, y), ((x + u) / 2, v), end]


def ports(places: Mapping[int, float], halves: Mapping[int, float], box: Box) -> dict[int, float]:
    """Return where each link meets the side of a box, from the heights at which they come or go."""
    if not places:
        return {}
    order = sorted(places, key=lambda k: places[k])
    top, bottom = box.y - box.height / 2 + INSET, box.y + box.height / 2 - INSET
    found = spread([places[k] for k in order], [halves[k] for k in order], top, bottom)
    return dict(zip(order, found, strict=True))
