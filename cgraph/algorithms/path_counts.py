"""Paths counted exactly, in integers of any length.

A count grows with the depth of a graph, and adding long integers edge by edge is quadratic in it. Where few nodes have
been reached by the paths so far, these nodes are a cut: every path goes through one of them. The counts up to the cut are
then laid aside, as a matrix (from each node of the cut before to each node of this one), and counting begins anew. The
product of the matrices, halves multiplied by halves, is the number of all paths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import add
from typing import Any

__all__ = ["count_in_order"]

LONG = 2000  # bits of a count from which it is laid aside
WIDEST = 8  # nodes of a cut; a product of wider matrices takes longer than it saves

Matrix = list[tuple[int, ...]]


def count_in_order(s: Any, t: Any, order: Iterable[Any], heads_of: Callable[[Any], Iterable[Any]]) -> int:
    """Return the number of paths from `s` to `t`.

    Parameters
    ----------
    s, t : node
        Both ends.
    order : iterable of nodes
        The nodes on paths from `s` to `t`, in topological order.
    heads_of : callable
        The heads of the edges that leave a node, among the nodes of `order`.

    Examples
    --------
    >>> heads = {"x": ["a", "y"], "a": ["y"]}
    >>> count_in_order("x", "y", ["x", "a", "y"], heads.get)
    2
    """
    matrices: list[Matrix] = []
    # For each node that paths have reached and not left: the number of paths to it from each node of the last cut.
    reached: dict[Any, tuple[int, ...]] = {s: (1,)}
    for i in order:
        if i == t:
            break
        if len(reached) <= WIDEST and max(reached[i]).bit_length() > LONG:
            matrices.append(list(zip(*reached.values(), strict=True)))
            reached = {j: _unit(k, len(reached)) for k, j in enumerate(reached)}
        paths_to_i = reached.pop(i)
        for j in heads_of(i):
            reached[j] = tuple(map(add, reached[j], paths_to_i)) if j in reached else paths_to_i
    last: Matrix = [(count,) for count in reached[t]]
    return _product_by_halves([*matrices, last])[0][0]


def _unit(k: int, size: int) -> tuple[int, ...]:
    return (0,) * k + (1,) + (0,) * (size - k - 1)


def _product_by_halves(matrices: list[Matrix]) -> Matrix:
    """Return the product of matrices of long integers: factors of equal length are multiplied quickest."""
    while len(matrices) > 1:
        pairs = [matrices[k : k + 2] for k in range(0, len(matrices), 2)]
        matrices = [_times(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
    return matrices[0]


def _times(A: Matrix, B: Matrix) -> Matrix:
    columns = list(zip(*B, strict=True))
    return [tuple(sum(a * b for a, b in zip(row, column, strict=True)) for column in columns) for row in A]
