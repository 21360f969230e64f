"""How many paths lead from some nodes to others and share no node: a maximum flow, one augmenting path at a time."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

__all__ = ["DisjointPaths"]

# A node v is passed from its entrance 2v to its exit 2v + 1, by as many paths as it has entries.
Place = int


class DisjointPaths:
    """Counts node-disjoint paths in one graph, from sets of nodes to the same ends.

    Parameters
    ----------
    heads : sequence or dict of lists of int
        The nodes that follow each node.
    sizes : list of int
        How many paths may pass through each node.
    ends : iterable of int
        Where paths end.

    Notes
    -----
    The method of Ford and Fulkerson with shortest augmenting paths [1]_; the number of paths is small here, that of the
    entries of the nodes from which they start.

    References
    ----------
    .. [1] J. Edmonds, R. M. Karp, "Theoretical improvements in algorithmic efficiency for network flow problems", Journal
       of the ACM 19(2), 1972.

    Examples
    --------
    >>> DisjointPaths([[2], [2], [3], []], [1, 1, 1, 1], [3]).count([0, 1])  # both lead through node 2
    1
    >>> DisjointPaths([[2], [3], [], []], [1, 1, 1, 1], [2, 3]).count([0, 1])
    2
    """

    def __init__(
        self, heads: Sequence[list[int]] | Mapping[int, list[int]], sizes: list[int], ends: Iterable[int]
    ) -> None:
        self.heads, self.sizes, self.given_ends = heads, sizes, frozenset(ends)
        self.largest = max(sizes, default=0)

    def count(self, first: Iterable[int], ends: Iterable[int] = ()) -> int:
        """Return the greatest number of disjoint paths that begin at `first`; they may end at `ends`, too."""
        first = list(first)
        self.ends = self.given_ends.union(ends)
        self.passing: dict[int, int] = defaultdict(int)  # paths through each node
        self.flow: dict[int, dict[int, int]] = defaultdict(dict)  # flow[w][v]: paths from v to w
        total, most = 0, sum(self.sizes[i] for i in first)
        while total < most and (places := self._augmenting(first)):
            total += self._augment(places)
        return total

    def _augmenting(self, first: list[int]) -> list[Place]:
        """Return the places along a path that adds to the flow, or nothing."""
        came_from: dict[Place, Place] = {2 * v: -1 for v in first}
        queue = deque(came_from)
        while queue:
            place = queue.popleft()
            v, at_exit = divmod(place, 2)
            if at_exit and v in self.ends:
                return _back(place, came_from)
            if at_exit:
                following = [2 * w for w in self.heads[v]]
                if self.passing[v]:
                    following.append(2 * v)  # a path through v may be led elsewhere
            else:
                following = [2 * u + 1 for u, paths in self.flow[v].items() if paths]
                if self.passing[v] < self.sizes[v]:
                    following.append(2 * v + 1)
            for other in following:
                if other not in came_from:
                    came_from[other] = place
                    queue.append(other)
        return []

    def _augment(self, places: list[Place]) -> int:
        """Lead as many paths as there is room for along the places, and return how many."""
        steps = list(pairwise(places))
        room = min(self._room(a, b) for a, b in steps)
        for a, b in steps:
            (v, leaving), (w, _) = divmod(a, 2), divmod(b, 2)
            if v == w:
                self.passing[v] += -room if leaving else room
            elif leaving:
                self.flow[w][v] = self.flow[w].get(v, 0) + room
            else:  # from the entrance of v back to the exit of w: the path from w to v is taken away
                self.flow[v][w] -= room
        return room

    def _room(self, a: Place, b: Place) -> int:
        (v, leaving), (w, _) = divmod(a, 2), divmod(b, 2)
        if v == w:
            return self.passing[v] if leaving else self.sizes[v] - self.passing[v]
        return self.largest if leaving else self.flow[v][w]


def _back(place: Place, came_from: dict[Place, Place]) -> list[Place]:
    places = [place]
    while came_from[places[-1]] >= 0:
        places.append(came_from[places[-1]])
    return places[::-1]
