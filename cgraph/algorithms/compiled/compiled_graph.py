"""A linearized graph frozen into arrays, for graphs of millions of edges.

The nodes are numbered in topological order and the edges sorted by tail (compressed sparse rows), so that

    S(t,t) = 1,      S(i,t) = sum over edges (i,j) of S(j,t) z(i,j)

is one pass over two arrays, from the row of t upwards. The sweeps over dicts stay the reference; their numbers
and these are the same to rounding.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Self, final

import numpy as np
from numpy.typing import ArrayLike

from cgraph.algorithms.compiled.edge_arrays import Floats, Index, node_names, real_numbers, require_ends, whole_numbers
from cgraph.algorithms.compiled.npz import array_of_names, names_of_array, read_arrays, write_arrays
from cgraph.algorithms.compiled.ordering import Layout
from cgraph.algorithms.compiled.program_queries import Equations
from cgraph.algorithms.compiled.sweep_queries import EdgeDerivatives
from cgraph.algorithms.compiled.tape import Tape
from cgraph.model.errors import ArchiveError, CGraphError

__all__ = ["CompiledGraph"]

_FORMAT = 1


@final
class CompiledGraph(EdgeDerivatives, Equations):
    """The arrays of a linearized graph and the questions they answer.

    `compile_graph`, `from_edges` and `load` make one. What is one number for each node comes as an array aligned
    with `nodes`, what is one number for each edge as an array aligned with the edges as they were given.

    Parameters
    ----------
    nodes : sequence of hashable
        The names of the nodes.
    tails, heads : ndarray of uint32, shape (edges,)
        The ends of the edges, as positions in `nodes`.
    derivatives : ndarray of float64, shape (edges,), or None
        The z of each edge, if they are known.
    tape : Tape, optional
        The equations, if there are any.

    Notes
    -----
    16 bytes for each edge at most (12 if the edges come sorted by tail), and 4 to 12 for each node. The sweeps
    are loops compiled by numba, if that is installed (extra ``fast``), and else NumPy operations on one level of
    the graph at a time, which are slow where a graph is deep.
    """

    def __init__(
        self,
        nodes: Sequence[Any],
        tails: Index,
        heads: Index,
        derivatives: Floats | None,
        tape: Tape | None = None,
    ) -> None:
        EdgeDerivatives.__init__(self, Layout(nodes, tails, heads), derivatives)
        Equations.__init__(self, tape)

    @classmethod
    def from_edges(
        cls, sources: ArrayLike, targets: ArrayLike, derivatives: ArrayLike, *, nodes: Sequence[Any] | None = None
    ) -> Self:
        """Make a compiled graph from three arrays.

        Parameters
        ----------
        sources, targets : array_like of int, shape (edges,)
            The tail and the head of each edge: positions in `nodes`.
        derivatives : array_like of float, shape (edges,)
            The derivative z of each edge.
        nodes : sequence of hashable, optional
            The names of the nodes; without it, the numbers 0 to the largest that occurs.

        Returns
        -------
        CompiledGraph
            Parallel edges stay apart: in S they add up, and paths are told apart by the edges they take.

        Raises
        ------
        CGraphError
            If the arrays differ in length, or hold something else than whole numbers from 0 and real numbers.
        DerivativeError
            If a derivative is not finite; the edge is named.
        InvalidNodeError
            If an edge ends where there is no node, or two nodes have one name.
        CycleError
            If there is a cycle.

        Notes
        -----
        O(V + E). If every edge leads from a smaller number to a larger one, the nodes keep their numbers.

        Examples
        --------
        >>> C = CompiledGraph.from_edges([0, 1, 0], [1, 2, 2], [2.0, 5.0, 3.0])
        >>> C.sensitivities(2)
        array([13.,  5.,  1.])
        >>> CompiledGraph.from_edges([0, 1], [2, 2], [4.0, 5.0], nodes=["x", "z", "y"]).sensitivity("z", "y")
        5.0
        """
        tails, heads = whole_numbers(sources, "sources"), whole_numbers(targets, "targets")
        z = real_numbers(derivatives, "derivatives")
        if not len(tails) == len(heads) == len(z):
            found = f"{len(tails)} sources, {len(heads)} targets and {len(z)} derivatives"
            raise CGraphError(f"{found} were given; an edge has one of each")
        names = node_names(nodes, 1 + max(int(ends.max()) if ends.size else -1 for ends in (tails, heads)))
        require_ends(tails, heads, len(names))
        return cls(names, tails.astype(np.uint32), heads.astype(np.uint32), z)

    def __len__(self) -> int:
        return len(self.nodes)

    def __repr__(self) -> str:
        return f"<CompiledGraph of {len(self):,} nodes and {self.number_of_edges:,} edges>"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the graph to a file, whole or not at all.

        Parameters
        ----------
        path : path-like
            Where; ``.npz`` is the usual ending. A file that is there is replaced when the new one is complete.

        Raises
        ------
        ArchiveError
            If a node is named by something else than text or a whole number, which the file could not hold.
        OSError
            If the file cannot be written.

        Notes
        -----
        An uncompressed ``.npz`` of the edges as they were given, 16 bytes each, and the names of the nodes.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> C = CompiledGraph.from_edges([0, 1], [1, 2], [2.0, 5.0])
        >>> with TemporaryDirectory() as folder:
        ...     C.save(f"{folder}/chain.npz")
        ...     CompiledGraph.load(f"{folder}/chain.npz").sensitivity(0, 2)
        10.0
        """
        tails, heads = self._layout.ends()
        write_arrays(
            path,
            {
                "format": np.array([_FORMAT]),
                "nodes": array_of_names(self.nodes),
                "sources": tails,
                "targets": heads,
                "derivatives": self._layout.as_given(self._z),
            },
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a graph that `save` wrote.

        Parameters
        ----------
        path : path-like
            The file. It is untrusted: nothing in it is executed, and nothing is taken from it unchecked.

        Returns
        -------
        CompiledGraph
            Made of the edges in the file as `from_edges` makes it.

        Raises
        ------
        ArchiveError
            If the file is damaged, or is no saved graph; the message says what was found.
        OSError
            If the file cannot be opened.

        Notes
        -----
        O(V + E).
        """
        arrays = read_arrays(path, {"format", "nodes", "sources", "targets", "derivatives"})
        try:
            if arrays["format"].tolist() != [_FORMAT]:
                raise ArchiveError(f"its format is {arrays['format'].tolist()!r}, not [{_FORMAT}]")
            nodes = names_of_array(arrays["nodes"])
            return cls.from_edges(arrays["sources"], arrays["targets"], arrays["derivatives"], nodes=nodes)
        except CGraphError as error:
            raise ArchiveError(f"{os.fspath(path)!r} is not a saved graph, or it is damaged: {error}") from error
