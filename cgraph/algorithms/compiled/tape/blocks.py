"""The points of a tape in blocks, which are swept one by one or on all cores."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, final

import numpy as np

from cgraph.algorithms.compiled.arrays import Floats, Index
from cgraph.algorithms.compiled.cores import cores, for_each
from cgraph.algorithms.compiled.lanes import WIDTH
from cgraph.algorithms.compiled.machine_code import compiled, is_at_hand
from cgraph.algorithms.compiled.tape.functions import FUNCTIONS
from cgraph.algorithms.compiled.tape.loops import TAPE_CALLS, TAPE_LOOPS
from cgraph.algorithms.compiled.tape.program import Program
from cgraph.algorithms.compiled.tape.runs import TAPE_RUNS

__all__ = ["Blocks"]

# From so many numbers on threads save more than the 0.1 to 0.2 ms that they cost.
MANY = 2**18


@final
class Blocks:
    """The loops over the rows of a tape, for some number of points: machine code if numba is there, else NumPy.

    Parameters
    ----------
    program : Program
        The steps of the tape.
    points : int or None
        How many points there are; None for a single one.

    Attributes
    ----------
    width : int
        How many points a block has.
    shape : tuple of int
        That of the rows of a block: ``(rows,)`` at a single point, else ``(rows, width)``.
    """

    def __init__(self, program: Program, points: int | None) -> None:
        self._program = program
        self._points = points
        has_numba = is_at_hand()
        self._loops = compiled(TAPE_LOOPS, TAPE_CALLS, FUNCTIONS) if has_numba else TAPE_RUNS
        self.width = 1 if points is None else WIDTH if has_numba else max(points, 1)
        self.shape = (len(program.first),) if points is None else (len(program.first), self.width)

    def __len__(self) -> int:
        return 1 if self._points is None else -(-self._points // self.width)

    def for_each(self, work: Callable[[int], None]) -> None:
        """Call `work` with the number of every block, on all cores if it pays."""

        def quietly(k: int) -> None:
            with np.errstate(all="ignore"):  # what is not finite is looked for where it matters
                work(k)

        is_large = len(self) * math.prod(self.shape) >= MANY
        for_each(quietly, [(k,) for k in range(len(self))], cores() if is_large else 1)

    def fill(self, on_terms: Floats, y: Floats) -> bool:
        """Fill the rows of a block that are not given; return whether all rows are finite."""
        return bool(self._run("run_tape", *self._program, on_terms, y))

    def differentiate(self, row: int, on_terms: Floats, y: Floats, S: Floats) -> None:
        """Fill S, the derivatives of a row by all rows."""
        S.fill(0.0)
        S[row] = 1.0
        self._run("differentiate_tape", *self._program, on_terms, y, S)

    def room(self, n: int) -> Floats:
        """Return room for `n` numbers at each point, which is filled block by block."""
        return np.empty((len(self) * self.width, n))

    def copy(self, rows: Index, y: Floats, out: Floats, k: int, column: int = 0) -> bool:
        """Copy rows of block k to `out`, from a column on; return whether all are finite."""
        return bool(self._run("copy_rows", rows, y, out, k * self.width, column))

    def multiply(self, rows: Index, others: Index, S: Floats, y: Floats, out: Floats, k: int) -> bool:
        """Copy products of rows of `S` and of `y` to `out`, as `copy`."""
        return bool(self._run("multiply_rows", rows, others, S, y, out, k * self.width))

    def filled(self, room: Floats) -> Floats:
        """Return what was filled point by point, the fastest way, as it is asked for: a row of points for each."""
        return room[0] if self._points is None else room.T[:, : self._points]

    def of(self, room: Floats, k: int) -> Floats:
        """Return what was filled from block k."""
        return room[k * self.width : (k + 1) * self.width]

    def _run(self, loop: str, *arguments: Any) -> Any:
        return self._loops[loop](*arguments)
