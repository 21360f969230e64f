"""The sweeps over one block of a stored graph: consecutive rows, whose heads are counted from the first of them.

`S` begins at the first row of the block and goes on to the last node of the graph. The functions are plain Python and run
as such, slowly, where numba is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cgraph.algorithms.compiled.edge_arrays import Floats, Index
from cgraph.algorithms.compiled.jit import compiled, is_at_hand
from cgraph.algorithms.compiled.simd import load, store

__all__ = ["loops"]


def reverse_block(indptr: Index, heads: Index, z: Floats, S: Floats) -> None:
    """Add to S(i,t) of every row i of the block the sum over its edges (i,j) of S(j,t) z(i,j)."""
    for back in range(1, len(indptr)):
        i = len(indptr) - 1 - back
        S_i = load(S, i)
        for k in range(indptr[i], indptr[i + 1]):
            S_i = S_i + load(S, heads[k]) * z[k]
        store(S, i, S_i)


def forward_block(indptr: Index, heads: Index, z: Floats, S: Floats) -> None:
    """Add z(i,j) S(s,i) to S(s,j), for every edge (i,j) of the block."""
    for i in range(len(indptr) - 1):
        S_i = load(S, i)
        for k in range(indptr[i], indptr[i + 1]):
            store(S, heads[k], load(S, heads[k]) + S_i * z[k])


_LOOPS = (reverse_block, forward_block)


def loops() -> Mapping[str, Callable[..., Any]]:
    """Return the two loops by name: as machine code, if numba is installed."""
    return compiled(_LOOPS) if is_at_hand() else {loop.__name__: loop for loop in _LOOPS}
