"""Prepared functions: values and Jacobian, or value and gradient, at a new point by one call of machine code."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self, final

import networkx as nx
import numpy as np
from numpy.typing import ArrayLike, NDArray

from cgraph.algorithms.compiled.edge_arrays import Floats, Index
from cgraph.algorithms.compiled.jacobian_programs import JacobianProgram, accumulate
from cgraph.algorithms.compiled.jacobian_runs import run_of
from cgraph.algorithms.compiled.npz import read_arrays, write_arrays
from cgraph.algorithms.compiled.tape import holds_equations
from cgraph.algorithms.compiled.tape.numba_rules import ADD, GIVEN, MUL, OPCODES, SUB, WEIGHTED_SUM
from cgraph.algorithms.compiled.tape.program import Program
from cgraph.model.errors import ArchiveError, CGraphError, EvaluationError, InvalidNodeError, NodeNotFound
from cgraph.model.evaluation import is_computed
from cgraph.model.graph import ComputationalGraph, list_of_nodes, require_node

__all__ = ["GradientFunction", "JacobianFunction", "gradient_function", "jacobian_function"]

_FORMAT = 2
_OF_AN_ELIMINATION = [GIVEN, ADD, SUB, MUL, OPCODES["neg"]]
_ARRAYS = {
    "format", "codes", "bounds", "first", "second", "recorded", "given", "values", "entries", "names", "counts",
}  # fmt: skip


def jacobian_function(
    G: ComputationalGraph,
    sources: Iterable[Any],
    targets: Iterable[str],
    *,
    order: str | Sequence[int] = "auto",
    sparse: bool = False,
) -> JacobianFunction:
    """Prepare the function that returns the values of `targets` and their Jacobian at new points.

    Parameters
    ----------
    G : ComputationalGraph
        Equations and neurons on numbers. Not modified, and not referred to later.
    sources : iterable of nodes
        Inputs and weights, weights on edges by their ends ``(i, j)``: the columns of the Jacobian.
    targets : iterable of nodes
        Its rows.
    order : str or sequence of int, default "auto"
        In which order the steps between are eliminated: a method of `elimination_order`, an order that another
        function of the same graph holds as ``.order``, or "auto": the fastest of both sweeps and a short annealing, by
        nanoseconds that are measured once on each machine; of more than 1,000 steps the faster sweep, of more than 10,000
        forward or reverse by the numbers of columns and rows.
    sparse : bool, default False
        Whether the function returns the entries that are not 0 by structure alone.

    Returns
    -------
    JacobianFunction
        ``f(x)`` returns values and Jacobian.

    Raises
    ------
    NodeNotFound, InvalidNodeError
        If a source or a target is not in the graph, or a source is computed, or named twice.
    OrderError
        If `order` is not an order of the steps between.
    CGraphError
        If the graph holds no equations, or arrays, which `scalarize` makes numbers of; or there is no such method.

    See Also
    --------
    gradient_function : the same for one target.
    eliminate : the elimination of a linearized graph, with its numbers.

    Notes
    -----
    The forward pass, the local derivatives and the elimination are one straight program: what holds +1, -1 or 0 at every
    point is neither computed nor multiplied with. Up to 20,000 steps are compiled at the first call, as machine code of
    their own (extra ``fast``); longer programs are read step by step. Sources: A. Griewank, A. Walther, *Evaluating Derivatives*, 2nd
    edition, SIAM 2008, chapters 9 and 10.

    Examples
    --------
    >>> from cgraph import from_equations
    >>> G = from_equations("a = x*z; y = a + x; u = a^2", x=2.0, z=3.0)
    >>> f = jacobian_function(G, ["x", "z"], ["y", "u"])
    >>> f([2.0, 3.0])  # dy = (z + 1, x), du = 2a (z, x)
    (array([ 8., 36.]), array([[ 4.,  2.],
           [36., 24.]]))
    >>> values, J = f([[2.0, 3.0], [1.0, 1.0]])
    >>> values.shape, J.shape
    ((2, 2), (2, 2, 2))
    """
    ss, ts = list_of_nodes(sources), list_of_nodes(targets)
    if not isinstance(G, ComputationalGraph) or not holds_equations(G):
        raise CGraphError(
            "a graph of equations or neurons on numbers is needed, before linearize; scalarize(G) writes arrays out"
        )
    _require_sources(G, ss)
    require_node(G, *ts)
    return JacobianFunction(accumulate(G, ss, ts, order), ss, ts, sparse=sparse)


def gradient_function(
    G: ComputationalGraph, target: str, nodes: Iterable[Any] | None = None, *, order: str | Sequence[int] = "reverse"
) -> GradientFunction:
    """Prepare the function that returns the value of `target` and its gradient at new points.

    Parameters
    ----------
    G, order
        As in `jacobian_function`.
    target : node
        What is differentiated.
    nodes : iterable of nodes, optional
        By which inputs and weights; without it, by all inputs.

    Returns
    -------
    GradientFunction
        ``f(x)`` returns a value and a gradient aligned with `nodes`; with a leading axis, those of many points.

    Raises
    ------
    CGraphError
        As `jacobian_function`.

    Notes
    -----
    A Jacobian of one row: in reverse order each step is multiplied with once.

    Examples
    --------
    >>> from cgraph import from_equations
    >>> f = gradient_function(from_equations("y = x^2 * z", x=2.0, z=3.0), "y")
    >>> f([2.0, 3.0])  # 2xz, x^2
    (12.0, array([12.,  4.]))
    """
    sources = list_of_nodes(_inputs(G) if nodes is None else nodes)
    return GradientFunction(jacobian_function(G, sources, [target], order=order))


@final
class JacobianFunction:
    """Values and Jacobian at new points; `jacobian_function` and `load` make one.

    Parameters
    ----------
    accumulated : JacobianProgram
        The steps.
    sources, targets : list
        The columns and the rows.
    sparse : bool
        Whether entries alone are returned.

    Attributes
    ----------
    sources, targets : tuple
        The columns and the rows.
    order : tuple of int
        The steps in the order in which they are eliminated.
    multiplications, additions : int
        Those of the elimination at one point; what computes values and local derivatives comes on top.
    rows, columns : ndarray of int, shape (entries,)
        Where the entries are that are not 0 by structure, as ``scipy.sparse.coo_array`` takes them.
    """

    def __init__(
        self, accumulated: JacobianProgram, sources: Sequence[Any], targets: Sequence[str], *, sparse: bool = False
    ) -> None:
        self._accumulated, self._sparse = accumulated, sparse
        self.sources, self.targets, self.order = tuple(sources), tuple(targets), tuple(accumulated.order)
        self.multiplications, self.additions = accumulated.multiplications, accumulated.additions
        self.rows, self.columns = accumulated.entries[:2].astype(np.intp)
        entries, places = len(self.rows), self.rows * len(sources) + self.columns
        self._at = places
        self._shape = (entries,) if sparse else (len(targets), len(sources))
        self._shape_of_x, self._rows_of_J = (len(sources),), len(targets)
        self._new = np.empty if sparse or entries == len(targets) * len(sources) else np.zeros
        source_rows = np.array([accumulated.rows[s] for s in sources], np.uint32)
        order, size = (np.arange(entries), entries) if sparse else (places, len(targets) * len(sources))
        self._run = run_of(accumulated, source_rows, order, size)
        self._given = accumulated.given
        self._missing = [i for i, k in accumulated.rows.items() if np.isnan(accumulated.given[k]) and i not in sources]

    def __reduce__(self) -> tuple[Any, ...]:
        return _made, (self._accumulated, self.sources, self.targets, self._sparse)

    def __repr__(self) -> str:
        return (
            f"<JacobianFunction of {len(self.targets)} x {len(self.sources)}, {self.multiplications} multiplications>"
        )

    def __call__(self, x: ArrayLike, inputs: Mapping[Any, float] | None = None) -> tuple[Floats, Floats]:
        """Return the values of the targets and the Jacobian.

        Parameters
        ----------
        x : array_like of float, shape (sources,) or (points, sources)
            The point, or the points.
        inputs : dict, optional
            Other inputs and weights by name, numbers; else they are as they were in the graph.

        Returns
        -------
        values : ndarray of float64, shape (targets,) or (points, targets)
        J : ndarray of float64, shape (targets, sources) or (points, targets, sources)
            With ``sparse=True``, shape (entries,) or (points, entries): those at `rows` and `columns`.

        Raises
        ------
        InvalidNodeError
            If `x` has another shape or does not hold real numbers, or another input is missing or not a number.
        EvaluationError
            If a value or a derivative is not finite.
        """
        try:
            at = np.ascontiguousarray(x, np.float64)
        except (TypeError, ValueError) as error:
            raise InvalidNodeError(f"x must hold real numbers, a row of them for each point ({error})") from None
        given = self._given_with(inputs or {}) if inputs or self._missing else self._given
        if at.shape == self._shape_of_x:
            values, J = np.empty(self._rows_of_J), self._new(self._shape)
            if not self._run.at_one(at, given, values, J):
                self._explain(at, values, J)
            return values, J
        if at.ndim != 2 or at.shape[1:] != self._shape_of_x:
            n = len(self.sources)
            raise InvalidNodeError(f"x has shape {at.shape}; give ({n},), or (points, {n})")
        values, J = np.empty((len(at), self._rows_of_J)), self._new((len(at), *self._shape))
        if len(at) and not self._run.at_many(at, given, values, J):
            self._explain(at, values, J)
        return values, J

    def bind(
        self, x: Floats, values: Floats, J: Floats, inputs: Mapping[Any, float] | None = None
    ) -> Callable[[], bool]:
        """Return a function without arguments that reads `x` and fills `values` and `J`, for loops in real time.

        Parameters
        ----------
        x : ndarray of float64, shape (sources,) or (points, sources)
            Where the point, or the points, will stand when the function is called.
        values, J : ndarray of float64
            What it will fill, of the shapes that a call returns.
        inputs : dict, optional
            Other inputs and weights, now and for good.

        Returns
        -------
        callable
            It returns whether all numbers that it filled in are finite, and raises no error. It keeps the arrays alive.

        Raises
        ------
        InvalidNodeError
            If an array has another shape or type, or its numbers do not lie one after the other; or as a call.

        Notes
        -----
        A call takes no array apart and makes none: some 50 nanoseconds on top of the program. It keeps other threads of
        Python waiting, unless there are so many points that it shares them between the cores.

        Examples
        --------
        >>> from cgraph import from_equations
        >>> f = jacobian_function(from_equations("y = x^2 * z", x=2.0, z=3.0), ["x", "z"], ["y"])
        >>> x, values, J = np.array([2.0, 3.0]), np.empty(1), np.empty((1, 2))
        >>> run = f.bind(x, values, J)
        >>> run(), values, J  # 2xz, x^2
        (True, array([12.]), array([[12.,  4.]]))
        >>> x[0] = 1.0
        >>> run(), J
        (True, array([[6., 1.]]))
        """
        points = np.shape(x)[:1] if np.ndim(x) == 2 else ()
        shapes = {
            "x": (*points, *self._shape_of_x), "values": (*points, self._rows_of_J), "J": (*points, *self._shape),
        }  # fmt: skip
        for (name, shape), array in zip(shapes.items(), (x, values, J), strict=True):
            if not isinstance(array, np.ndarray) or array.dtype != np.float64 or array.shape != shape:
                raise InvalidNodeError(f"{name} is no array of float64 of shape {shape}; give np.empty({shape})")
            if not array.flags.c_contiguous or not (array.flags.writeable or array is x):
                raise InvalidNodeError(f"{name} is a part of another array, or read-only; give np.empty({shape})")
        J.fill(0.0)
        return self._run.bound(x, self._given_with(inputs or {}), values, J)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the function to a file, whole or not at all.

        Parameters
        ----------
        path : path-like
            Where; ``.npz`` is the usual ending.

        Raises
        ------
        OSError
            If the file cannot be written.

        Notes
        -----
        The program as arrays, without the graph: another process searches no order, and needs no equations. Machine code
        is not in the file, which is untrusted: that of the last 64 programs is kept beside numba's, for this machine.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> from cgraph import from_equations
        >>> with TemporaryDirectory() as folder:
        ...     jacobian_function(from_equations("y = x^2", x=2.0), ["x"], ["y"]).save(f"{folder}/f.npz")
        ...     JacobianFunction.load(f"{folder}/f.npz")([3.0])
        (array([9.]), array([[6.]]))
        """
        a = self._accumulated
        names = [list(OPCODES), self.sources, self.targets, list(a.rows.items()), a.order, self._sparse]
        write_arrays(path, {
            "format": np.array([_FORMAT]), "codes": a.program.codes, "bounds": a.program.bounds,
            "first": a.program.first, "second": a.program.second, "recorded": a.recorded, "given": a.given,
            "values": a.values, "entries": a.entries,
            "counts": np.array([a.multiplications, a.additions, a.before]),
            "names": np.frombuffer(json.dumps(names).encode(), np.uint8),
        })  # fmt: skip

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a function that `save` wrote.

        Parameters
        ----------
        path : path-like
            The file. It is untrusted: nothing in it is executed, and no row is read that is not there.

        Returns
        -------
        JacobianFunction
            The same function.

        Raises
        ------
        ArchiveError
            If the file is damaged, is no saved function, or another version of cgraph wrote it.
        OSError
            If the file cannot be opened.
        """
        arrays = read_arrays(path, _ARRAYS)
        try:
            accumulated, sources, targets, sparse = _checked(arrays)
            return cls(accumulated, sources, targets, sparse=sparse)
        except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
            raise ArchiveError(f"{os.fspath(path)!r} is not a saved function, or it is damaged: {error}") from error

    def _given_with(self, inputs: Mapping[Any, float]) -> Floats:
        """Return the values of the rows that are given, some of them replaced."""
        given, rows = self._accumulated.given.copy(), self._accumulated.rows
        for i, value in inputs.items():
            if i not in rows:
                raise NodeNotFound(i, rows)
            if i in self.sources:
                raise InvalidNodeError(f"{i!r} is a source; its value is in x, not in inputs")
            given[rows[i]] = value
        missing = [i for i in self._missing if i not in inputs]
        if missing:
            raise InvalidNodeError(f"input {missing[0]!r} has no value; give it, inputs={{{missing[0]!r}: ...}}")
        return given

    def _explain(self, x: Floats, values: Floats, J: Floats) -> None:
        """Raise for the first number that is not finite."""
        n = len(self.targets)
        entries = J.reshape(-1, math.prod(self._shape))
        results = np.hstack([values.reshape(-1, n), entries if self._sparse else entries[:, self._at]])
        point, k = np.argwhere(~np.isfinite(results))[0].tolist()
        what = f"node {self.targets[k]!r}" if k < n else (
            f"S({self.sources[self.columns[k - n]]}, {self.targets[self.rows[k - n]]})"
        )  # fmt: skip
        at = dict(zip(self.sources, x.reshape(-1, len(self.sources))[point].tolist(), strict=True))
        raise EvaluationError(f"{what} is {results[point, k]} at {at}; linearize(G, inputs) names the operation")


@final
class GradientFunction:
    """Value and gradient at new points; `gradient_function` makes one.

    Parameters
    ----------
    jacobian : JacobianFunction
        That of one target.

    Attributes
    ----------
    jacobian : JacobianFunction
        The same, with its counts and `save`.
    """

    def __init__(self, jacobian: JacobianFunction) -> None:
        self.jacobian = jacobian

    def __call__(self, x: ArrayLike, inputs: Mapping[Any, float] | None = None) -> tuple[Any, Floats]:
        """Return y(target) and its gradient; arguments and errors as of `JacobianFunction`."""
        values, J = self.jacobian(x, inputs)
        return (values.item(), J[0]) if values.ndim == 1 else (values[:, 0], J[:, 0])


def _made(
    accumulated: JacobianProgram, sources: Sequence[Any], targets: Sequence[str], sparse: bool
) -> JacobianFunction:
    """Return what a pickle holds."""
    return JacobianFunction(accumulated, sources, targets, sparse=sparse)


def _inputs(G: nx.DiGraph[Any]) -> list[Any]:
    return [i for i, data in G.nodes(data=True) if data.get("role") == "input"]


def _require_sources(G: ComputationalGraph, sources: Sequence[Any]) -> None:
    """Raise unless each source is an input, a weight, or a weight on an edge, and named once."""
    for k, s in enumerate(sources):
        if isinstance(s, tuple) and len(s) == 2 and G.has_edge(*s) and "weight" in G.edges[s]:
            pass
        else:
            require_node(G, s)
            if is_computed(G, s) or G.nodes[s].get("role") == "constant":
                what = "computed" if is_computed(G, s) else "a constant"
                raise InvalidNodeError(f"node {s!r} cannot be a source: it is {what}; inputs and weights can")
        if s in sources[:k]:
            raise InvalidNodeError(f"source {s!r} is named twice; name it once")


def _checked(arrays: Mapping[str, NDArray[Any]]) -> tuple[JacobianProgram, list[Any], list[Any], bool]:
    """Return what a file holds, or raise `ValueError`: the loops read only rows and operations that are there."""
    if arrays["format"].tolist() != [_FORMAT]:
        raise ValueError(f"its format is {arrays['format'].tolist()!r}, not [{_FORMAT}]")
    operations, sources, targets, rows, order, sparse = json.loads(arrays["names"].tobytes())
    if operations != list(OPCODES):
        raise ValueError("it was written with another table of operations; prepare it again")
    codes, given = arrays["codes"].astype(np.uint8), arrays["given"].astype(np.float64)
    bounds, first, second, recorded, values, entries = (
        arrays[name].astype(np.uint32) for name in ("bounds", "first", "second", "recorded", "values", "entries")
    )
    size, ends = len(first), bounds.astype(np.int64)
    parts = (codes, bounds, first, second, recorded, given, values)
    named = {_name(i): int(k) for i, k in rows}
    sources = [_name(s) for s in sources]
    if not (
        all(part.ndim == 1 for part in parts) and entries.ndim == 2 and len(entries) == 3
        and len(second) == size and len(bounds) == len(codes) + 1
        and ends[0] == 0 and ends[-1] == size and (np.diff(ends) > 0).all()
        and (codes < len(OPCODES)).all() and (codes != WEIGHTED_SUM).all()
        and len(given) == ends[1] and (codes[:1] == GIVEN).all() and (codes[1:] != GIVEN).all()
        and all((part < size).all() for part in (first, second, values, entries[2]))
        and _is_order(recorded, first, second, len(given))
        and (entries[0] < len(targets)).all() and (entries[1] < len(sources)).all() and len(values) == len(targets)
        and all(0 <= k < len(given) for k in named.values()) and len(set(sources)) == len(sources)
    ):  # fmt: skip
        raise ValueError("its arrays do not fit together")
    m, a, before = map(int, arrays["counts"])
    of_rows = np.repeat(codes, np.diff(ends))
    if not 0 <= before <= size or not np.isin(of_rows[recorded[before:]], _OF_AN_ELIMINATION).all():
        raise ValueError("its elimination holds other operations than products and sums")
    program = Program(codes, bounds, first, second, np.empty(0, np.uint32))
    accumulated = JacobianProgram(program, recorded, before, given, named, values, entries, list(order), m, a)
    return accumulated, sources, list(targets), bool(sparse)


def _is_order(recorded: Index, first: Index, second: Index, given: int) -> bool:
    """Return whether every row stands in an order once, after the rows that it reads, unless it is given."""
    if not np.array_equal(np.sort(recorded), np.arange(len(first))):
        return False
    place = np.argsort(recorded)
    return bool((np.maximum(place[first], place[second])[given:] < place[given:]).all())


def _name(name: Any) -> Any:
    """Return the name of a node, or of an edge, which JSON makes a list of."""
    return tuple(name) if isinstance(name, list) else name
