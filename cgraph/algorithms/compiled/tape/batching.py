"""The points of a tape in blocks, some of which at a time are swept, on all cores if it pays."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import final

import numpy as np

from cgraph.algorithms.compiled.edge_arrays import Floats, Index
from cgraph.algorithms.compiled.jit import compiled, is_at_hand
from cgraph.algorithms.compiled.simd import WIDTH
from cgraph.algorithms.compiled.tape.elementary_functions import FUNCTIONS
from cgraph.algorithms.compiled.tape.numba_kernels import TAPE_CALLS, TAPE_LOOPS
from cgraph.algorithms.compiled.tape.numba_rules import SOURCE
from cgraph.algorithms.compiled.tape.numpy_kernels import TAPE_RUNS
from cgraph.algorithms.compiled.tape.program import Program
from cgraph.algorithms.compiled.threads import cores, for_each

__all__ = ["Blocks"]

# So many numbers (rows times points) take so long that threads save more than the 0.1 to 0.2 ms that they cost.
MANY = 2**18
# So many do for NumPy, which takes the longer for each the fewer they are, but keeps them all.
MOST = 2**24


@final
class Blocks:
    """The loops over the rows of a tape, for some number of points: machine code if numba is there, else NumPy.

    Parameters
    ----------
    program : Program
        The steps of the tape.
    points : int or None
        How many points there are; None for a single one.
    machine_code : bool, default True
        Whether loops of machine code are taken where numba is there.

    Attributes
    ----------
    width : int
        How many points a block has.
    shape : tuple of int
        That of the rows of all blocks: ``(1, rows)`` for one point, else ``(blocks, rows, width)``.
    parts : list of slice
        The blocks that are swept at a time: as many as half of `MANY` numbers, or one that has more.
    """

    def __init__(self, program: Program, points: int | None, *, machine_code: bool = True) -> None:
        self._program = program
        self._points = points
        rows = len(program.first)
        if machine_code and is_at_hand():
            self._loops, width = compiled(TAPE_LOOPS, TAPE_CALLS, FUNCTIONS, SOURCE), WIDTH
        else:
            self._loops, width = TAPE_RUNS, max(min(points or 1, MOST // max(rows, 1)), 1)
        is_one = points is None or points == 1
        self.width = 1 if is_one else width
        blocks = 1 if points is None else -(-points // self.width)
        self.shape = (blocks, rows) if is_one else (blocks, rows, width)
        together = max(MANY // 2 // max(rows * self.width, 1), 1)
        self.parts = [slice(k, min(k + together, blocks)) for k in range(0, blocks, together)]

    def for_each(self, work: Callable[[slice], None]) -> None:
        """Call `work` with every part, on all cores if it pays."""

        def quietly(part: slice) -> None:
            with np.errstate(all="ignore"):  # what is not finite is looked for where it matters
                work(part)

        for_each(quietly, [(part,) for part in self.parts], cores() if math.prod(self.shape) >= MANY else 1)

    def shape_of(self, part: slice) -> tuple[int, ...]:
        """Return the shape of the rows of a part."""
        return (part.stop - part.start, *self.shape[1:])

    def fill(self, on_terms: Floats, y: Floats) -> bool:
        """Fill the rows of a part that are not given; return whether all rows are finite."""
        return bool(self._loops["run_tape"](*self._program, on_terms, y))

    @property
    def answer_at(self) -> Callable[..., bool]:
        """The loop that answers at one point in one call."""
        return self._loops["answer_at"]

    @property
    def gradient_at(self) -> Callable[..., bool]:
        """The loop that differentiates at one point in one call."""
        return self._loops["gradient_at"]

    def differentiate(self, row: int, on_terms: Floats, y: Floats, S: Floats) -> None:
        """Fill S, the derivatives of a row with respect to all rows."""
        S.fill(0.0)
        S[:, row] = 1.0
        self._loops["differentiate_tape"](*self._program, on_terms, y, S)

    def results(self, n: int) -> Floats:
        """Return an array for `n` numbers at each point of the blocks, which is filled part by part."""
        return np.empty((self.shape[0] * self.width, n))

    def copy(self, rows: Index, y: Floats, results: Floats, part: slice, column: int = 0) -> bool:
        """Copy rows of a part to `results`, from a column on; return whether all are finite."""
        return bool(self._loops["copy_rows"](rows, y, results, part.start * self.width, column))

    def multiply(self, rows: Index, others: Index, S: Floats, y: Floats, results: Floats, part: slice) -> bool:
        """Copy products of rows of `S` and of `y` to `results`, as `copy`."""
        return bool(self._loops["multiply_rows"](rows, others, S, y, results, part.start * self.width))

    def of_part(self, results: Floats, part: slice) -> Floats:
        """Return what a part was copied to."""
        return results[part.start * self.width : part.stop * self.width]

    def as_asked(self, results: Floats) -> Floats:
        """Return `results`, which hold a row for each point, with a row for each number, or those of a single point."""
        return results[0] if self._points is None else results.T[:, : self._points]
