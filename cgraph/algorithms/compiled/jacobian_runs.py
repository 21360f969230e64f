"""How the program of a Jacobian is run: written out as machine code of its own, or as a tape, step by step."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any, Protocol, final

import numpy as np

from cgraph.algorithms.compiled.edge_arrays import Floats, Index, whole_lines
from cgraph.algorithms.compiled.jacobian_programs import JacobianProgram
from cgraph.algorithms.compiled.jit import (
    can_compile,
    compiled,
    kept_in,
    link_rows,
    pointer,
    python_function,
    straight_program,
)
from cgraph.algorithms.compiled.simd import WIDTH
from cgraph.algorithms.compiled.straight_code import FUNCTIONS_OF_ROWS, Layout, run_straight, straight_code
from cgraph.algorithms.compiled.tape.batching import Blocks
from cgraph.algorithms.compiled.tape.elementary_functions import FUNCTIONS
from cgraph.algorithms.compiled.tape.numba_kernels import TAPE_CALLS
from cgraph.algorithms.compiled.tape.numba_rules import SOURCE
from cgraph.algorithms.compiled.threads import cores, for_each
from cgraph.model.errors import shorten

__all__ = ["Run", "run_of"]

# So many steps are written out: beyond, the compiler takes seconds, and the processor waits for the text of the program.
LONGEST = 20_000
# So many steps, at all points together, take so long that threads save more than they cost.
MANY = 2**22
_NO_WEIGHTS: Floats = np.empty(0)


# What takes the point or the points, what is given, values and Jacobian, and returns whether what it filled is finite.
Call = Callable[[Floats, Floats, Floats, Floats], bool]


class Run(Protocol):
    """A way to run the program of a Jacobian."""

    @property
    def at_one(self) -> Call:
        """What fills values and Jacobian, which is 0 before, at one point."""

    def at_many(self, x: Floats, given: Floats, values: Floats, jacobian: Floats) -> bool:
        """Fill a row of values and a Jacobian for each row of `x`; return whether what was filled is finite."""

    def bound(self, x: Floats, given: Floats, values: Floats, jacobian: Floats) -> Callable[[], bool]:
        """Return what does the same with these arrays; `x` is one point, or many."""


def run_of(accumulated: JacobianProgram, source_rows: Index, places: Index, size: int) -> Run:
    """Return the faster way of those there are; entry e goes to ``places[e]`` of a Jacobian of `size` numbers."""
    way = StraightRun if can_compile() and len(accumulated.recorded) <= LONGEST else TapeRun
    return way(accumulated, source_rows, places, size)


@final
class StraightRun:
    """The program written out as machine code, which is made when it is first needed.

    Parameters
    ----------
    accumulated : JacobianProgram
        The steps.
    source_rows : ndarray of int
        The row of each entry of x.
    places : ndarray of int
        The place of each entry in the flattened Jacobian.
    size : int
        How many places there are.
    """

    def __init__(self, accumulated: JacobianProgram, source_rows: Index, places: Index, size: int) -> None:
        a = accumulated
        named = set(a.rows.values())
        self._layout = Layout(
            program=a.program,
            recorded=a.recorded.tolist(),
            accumulated=a.before,
            numbers={k: x for k, x in enumerate(a.given.tolist()) if k not in named},
            sources=source_rows.tolist(),
            values=a.values.tolist(),
            entries=list(zip(places.tolist(), a.entries[2].tolist(), strict=True)),
            size=size,
        )
        self._arguments = accumulated, source_rows, places, size
        self._loop = compiled((run_straight,))["run_straight"]
        self._engines: list[Any] = []  # they keep the machine code

    @cached_property
    def _one(self) -> int | None:
        return self._compiled(1)

    @cached_property
    def _lanes(self) -> int | None:
        return None if self._one is None else self._compiled(WIDTH)

    def _compiled(self, width: int) -> int | None:
        """Return the address of the program for so many points at a time; None if it cannot be compiled, with a warning."""
        try:
            link_rows(FUNCTIONS_OF_ROWS, TAPE_CALLS, FUNCTIONS, SOURCE)
            engine, address = straight_program(straight_code(self._layout, width, pointer()), kept_in(self._loop))
        except Exception as error:  # noqa: BLE001 - of numba, of LLVM or of the system: there is no list of what they raise
            reason = shorten(f"{type(error).__name__}: {error}", 200)
            message = f"no machine code can be made of this Jacobian, and NumPy computes it step by step: {reason}"
            warnings.warn(message, RuntimeWarning, stacklevel=2)
            return None
        self._engines.append(engine)
        return address

    @cached_property
    def _by_numpy(self) -> TapeRun:
        """What runs the program where it cannot be compiled."""
        return TapeRun(*self._arguments, machine_code=False)

    def _table(self, one: int, lanes: int, *arrays: int) -> list[int]:
        """Return what `cgraph.algorithms.compiled.python_calls` reads of the programs."""
        layout = self._layout
        numbers = (len(layout.sources), len(layout.values), layout.size)
        return [one, lanes, *(8 * n for n in numbers), *arrays]

    @cached_property
    def at_one(self) -> Call:
        """Fill values and Jacobian at one point."""
        if self._one is None:
            return self._by_numpy.at_one
        return python_function("call_one", self._table(self._one, 0), self._engines)

    @cached_property
    def _at_some(self) -> Call:
        if self._one is None or self._lanes is None:
            return self._by_numpy.at_many
        return python_function("call_many", self._table(self._one, self._lanes), self._engines)

    def bound(self, x: Floats, given: Floats, values: Floats, jacobian: Floats) -> Callable[[], bool]:
        """Return a function of machine code that knows the arrays."""
        arrays = x, given, values, jacobian
        points = len(x) if x.ndim > 1 else 1
        lanes = self._lanes if points >= WIDTH else 0
        if self._one is None or lanes is None:
            return self._by_numpy.bound(*arrays)
        if points * len(self._layout.recorded) >= MANY:
            return partial(self.at_many, *arrays)
        table = self._table(self._one, lanes, *(array.ctypes.data for array in arrays), points)
        return python_function("call_bound", table, self._engines, arrays)

    def at_many(self, x: Floats, given: Floats, values: Floats, jacobian: Floats) -> bool:
        """Fill them at many points: `WIDTH` at a time, what is left over one by one; on all cores if it pays."""
        points, steps = len(x), len(self._layout.recorded)
        if points * steps < MANY or self._lanes is None:
            return self._at_some(x, given, values, jacobian)
        whole = points - points % WIDTH
        together = max(MANY // 2 // steps // WIDTH, 1) * WIDTH
        is_finite = []

        def fill(k: int) -> None:
            part = slice(k, min(k + together, whole))
            blocks = (part.stop - k) // WIDTH
            is_finite.append(self._loop(self._lanes, x[part], given, values[part], jacobian[part], blocks))

        for_each(fill, [(k,) for k in range(0, whole, together)], cores())
        if whole < points:
            is_finite.append(self._at_some(x[whole:], given, values[whole:], jacobian[whole:]))
        return all(is_finite)


@final
class TapeRun:
    """The program as a tape, which loops of machine code or of NumPy read; parameters as of `StraightRun`."""

    def __init__(
        self,
        accumulated: JacobianProgram,
        source_rows: Index,
        places: Index,
        size: int,
        *,
        machine_code: bool = True,
    ) -> None:
        self._blocks = partial(Blocks, accumulated.program, machine_code=machine_code)
        self._accumulated, self._source_rows, self._places, self._size = accumulated, source_rows, places, size
        self._asked = np.concatenate([accumulated.values, accumulated.entries[2]])
        self._one = self._blocks(None)
        self._free: list[Floats] = []

    def at_one(self, x: Floats, given: Floats, values: Floats, jacobian: Floats) -> bool:
        """Fill values and Jacobian at one point."""
        out = np.empty(len(self._asked))
        try:  # no two threads have the same rows
            y = self._free.pop()
        except IndexError:
            y = whole_lines(self._one.shape[1])
        y[: len(given)] = given
        answer_at, program = self._one.answer_at, self._accumulated.program
        with np.errstate(all="ignore"):  # what is not finite is told by the answer
            is_finite = answer_at(*program, _NO_WEIGHTS, self._source_rows, x, y, self._asked, out)
        self._free.append(y)
        self._take(out, values, jacobian)
        return bool(is_finite)

    def bound(self, x: Floats, given: Floats, values: Floats, jacobian: Floats) -> Callable[[], bool]:
        """Return `at_one` or `at_many` with these arrays."""
        return partial(self.at_one if x.ndim == 1 else self.at_many, x, given, values, jacobian)

    def at_many(self, x: Floats, given: Floats, values: Floats, jacobian: Floats) -> bool:
        """Fill them at many points, block by block."""
        points = len(x)
        blocks = self._blocks(points)
        results = blocks.results(len(self._asked))
        padded = np.pad(x, ((0, len(results) - points), (0, 0)), "edge").reshape(-1, blocks.width, x.shape[1])
        is_finite = []

        def fill(part: slice) -> None:
            y = whole_lines(*blocks.shape_of(part))
            y[:, : len(given)] = given if y.ndim == 2 else given[:, np.newaxis]
            at = padded[part]
            y[:, self._source_rows] = at[:, 0] if y.ndim == 2 else at.swapaxes(1, 2)
            blocks.fill(_NO_WEIGHTS, y)
            is_finite.append(blocks.copy(self._asked, y, results, part))

        blocks.for_each(fill)
        self._take(results[:points], values, jacobian)
        return all(is_finite)

    def _take(self, results: Floats, values: Floats, jacobian: Floats) -> None:
        """Copy values, and the entries to their places."""
        n = values.shape[-1]
        values[...] = results[..., :n]
        jacobian.reshape(*results.shape[:-1], self._size)[..., self._places] = results[..., n:]
