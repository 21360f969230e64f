"""Runs of elementary operations: which steps of a plan are computed in one pass over their entries.

A run is open while steps may join it. It is computed before the first step that reads it and does not belong to it, so that
runs never wait for each other; what is read within the run alone has no array.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from cgraph.algorithms.compiled.arrays.steps import COMPUTED, REPEATED, VIEW, Shape, Step
from cgraph.algorithms.compiled.tape.elementary_functions import FUNCTIONS
from cgraph.model.operations.elementwise import OPERATIONS, POWER

__all__ = ["Run", "in_runs", "past_repeats"]

# What the compiler computes for several entries at once; the others are quicker in NumPy.
FUSED = {name for name, row in OPERATIONS.items() if row.infix and row is not POWER}
FUSED |= {function.__name__ for function in FUNCTIONS} & OPERATIONS.keys()
FUSED |= {"abs", "floor", "max", "min", "sign", "sqrt", "square", "where"}
MOST_STEPS = 60  # of a run: machine code for more takes long to make
FEWEST_ENTRIES = 2_000  # of the arrays of a run; below, calling it takes longer than it saves


@dataclass
class Run:
    """Steps that are computed together, in one pass over entries of one shape.

    Parameters
    ----------
    shape : tuple of int
        Of all of them.
    members : list of int
        The steps, in an order in which they can be computed.
    outputs : list of int
        Those that others read.
    """

    shape: Shape
    members: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)

    @property
    def work(self) -> int:
        """How many numbers are computed."""
        return len(self.members) * math.prod(self.shape)


def in_runs(steps: Sequence[Step], needed: Sequence[int], results: Collection[int]) -> list[int | Run]:
    """Return the needed steps in an order in which they can be computed, with runs in place of their members."""
    return _Fusing(steps, needed, results).order


class _Fusing:
    """Goes through the steps, and keeps the runs that are open."""

    def __init__(self, steps: Sequence[Step], needed: Sequence[int], results: Collection[int]) -> None:
        self.order: list[int | Run] = []
        self._steps = steps
        self._run_of: dict[int, Run] = {}  # of members of open runs
        self._waiting: set[int] = set()  # views that repeat entries, which a run reads past
        for x in needed:
            if self._is_repeated(x):
                self._waiting.add(x)
            elif self._may_run(x):
                self._join(x)
            else:
                self._emit(x)
        self._need(results)
        while self._run_of:
            self._close(next(iter(self._run_of.values())))
        self._find_outputs(results)

    def _is_repeated(self, x: int) -> bool:
        return self._steps[x].kind == VIEW and self._steps[x].text.startswith(REPEATED)

    def _may_run(self, x: int) -> bool:
        step = self._steps[x]
        if step.kind != COMPUTED or step.operation not in FUSED or math.prod(step.shape) < FEWEST_ENTRIES:
            return False
        return all(
            self._steps[self._past(o)].is_contiguous for o in step.operands
        )  # a loop would need a copy of others

    def _join(self, x: int) -> None:
        """Put a step into the run of its operands, or into a new one."""
        shape = self._steps[x].shape
        found = {id(run): run for o in self._steps[x].operands if (run := self._run_of.get(self._past(o)))}
        joined = Run(shape)
        for run in found.values():
            if run.shape == shape and len(joined.members) + len(run.members) < MOST_STEPS:
                joined.members += run.members
            else:
                self._close(run)
        joined.members.append(x)
        self._run_of |= dict.fromkeys(joined.members, joined)

    def _emit(self, x: int) -> None:
        self._need(self._steps[x].operands)
        self.order.append(x)

    def _need(self, steps: Iterable[int]) -> None:
        """Compute what is about to be read."""
        for o in steps:
            if o in self._waiting:
                self._waiting.remove(o)
                self._emit(o)
            elif o in self._run_of:
                self._close(self._run_of[o])

    def _close(self, run: Run) -> None:
        for x in run.members:
            del self._run_of[x]
        if len(run.members) == 1:
            self._emit(run.members[0])
            return
        run.members.sort()  # a step has a higher number than its operands
        self.order.append(run)

    def _find_outputs(self, results: Collection[int]) -> None:
        read = set(results)
        for item in self.order:
            members = item.members if isinstance(item, Run) else [item]
            for x in members:
                operands = self._steps[x].operands
                read.update(o for o in (operands if members == [x] else map(self._past, operands)) if o not in members)
        for item in self.order:
            if isinstance(item, Run):
                item.outputs = [x for x in item.members if x in read]

    def _past(self, x: int) -> int:
        return past_repeats(self._steps, x)


def past_repeats(steps: Sequence[Step], x: int) -> int:
    """Return what a view repeats; a run reads that."""
    while steps[x].kind == VIEW and steps[x].text.startswith(REPEATED):
        x = steps[x].operands[0]
    return x
