"""Steps as a program: which arrays they are written into, and the Python function that runs them.

An array whose last reader has run is written into again. Views of kept arrays are made once, with the arrays; what
depends on arrays of the caller is made in the call.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cgraph.algorithms.compiled.arrays.steps import COMPUTED, GIVEN, NUMBER, VIEW, Shape, Steps

__all__ = ["Program"]

_KNOWN = {"add_reduce": np.add.reduce, "maximum_reduce": np.maximum.reduce}
_ALIGNMENT = 64


class Program:
    """A function from what is given to results, on arrays of its own.

    Parameters
    ----------
    steps : Steps
        Among them those of the results.
    results : sequence of int
        The steps that the caller gets.
    dtype : dtype
        Of all that is computed.

    Attributes
    ----------
    zeros : set of int
        The results that are 0, whatever is given.

    Notes
    -----
    Each call has arrays to itself: those of an earlier call that has ended, or new ones. So threads may call at once.
    """

    def __init__(self, steps: Steps, results: Sequence[int], dtype: Any) -> None:
        self._steps = steps.steps
        self._results = list(results)
        self._dtype = np.dtype(dtype)
        self.zeros = {k for k, x in enumerate(self._results) if steps.is_zero(x)}
        self._needed = self._all_needed()
        # A result that is computed is written into the caller's array at once; others are copied at the end.
        self._owned: dict[int, int] = {}
        for k, x in enumerate(self._results):
            if self._steps[x].kind == COMPUTED:
                self._owned.setdefault(x, k)
        self._roots = self._all_roots()
        self._sizes: list[int] = []
        self._buffers = self._allocated()
        self.source = self._written()
        namespace: dict[str, Any] = {**vars(np), "dtype": self._dtype, **_KNOWN, **steps.functions}
        exec(compile(self.source, "<plan of a graph>", "exec"), namespace)  # noqa: S102 - of the table and of numbers
        self._make = namespace["make"]
        self._free: list[Callable[..., None]] = []

    def result(self, k: int, shape: Shape) -> Any:
        """Return an array for a result; one that is 0 whatever is given takes no memory until somebody writes to it."""
        return np.zeros(shape, self._dtype) if k in self.zeros else np.empty(shape, self._dtype)

    @property
    def kept_bytes(self) -> int:
        """How much memory the arrays of one call take."""
        return sum(self._sizes)

    def __call__(self, given: Sequence[Any], results: Sequence[Any]) -> None:
        """Write the results into arrays, of the shapes of the results and contiguous; those of `zeros` are left alone."""
        try:  # another thread may have taken the last one
            run = self._free.pop()
        except IndexError:
            run = self._make([np.empty(size + _ALIGNMENT, np.uint8) for size in self._sizes])
        try:
            run(given, results)
        finally:
            self._free.append(run)

    def _all_needed(self) -> list[int]:
        needed = set(self._results)
        for x in reversed(range(len(self._steps))):
            if x in needed:
                needed.update(self._steps[x].operands)
        return sorted(needed)

    def _all_roots(self) -> dict[int, int]:
        """Return for each step the one whose array it shows."""
        roots: dict[int, int] = {}
        for x in self._needed:
            step = self._steps[x]
            roots[x] = roots[step.operands[0]] if step.kind == VIEW else x
        return roots

    def _allocated(self) -> dict[int, int]:
        """Return the array of each computed step, and note how large each must be."""
        last = {self._roots[x]: x for x in self._needed}
        for x in self._needed:
            for o in self._steps[x].operands:
                last[self._roots[o]] = max(last[self._roots[o]], x)
        for x in self._results:
            last[self._roots[x]] = len(self._steps)
        buffers: dict[int, int] = {}
        free: list[int] = []
        for x in self._needed:
            step = self._steps[x]
            if step.kind == COMPUTED:
                ended = [buffers[r] for r in {self._roots[o] for o in step.operands} if r in buffers and last[r] == x]
                free += ended if step.in_place else []
                if x not in self._owned:
                    buffers[x] = self._taken(free, math.prod(step.shape) * self._dtype.itemsize)
                    if last[x] == x:  # nobody reads it: what it raises is all
                        free.append(buffers[x])
                free += [] if step.in_place else ended
        return buffers

    def _taken(self, free: list[int], size: int) -> int:
        """Return an array that is free and just large enough, or a new one."""
        fitting = [b for b in free if size <= self._sizes[b] <= 2 * size + 64]
        if not fitting:
            self._sizes.append(size)
            return len(self._sizes) - 1
        best = min(reversed(fitting), key=self._sizes.__getitem__)
        free.remove(best)
        return best

    def _written(self) -> str:
        """Return the text of the program: a function that makes views of arrays, and in it one that runs the steps."""
        names: dict[int, str] = {}
        once, always = ["def make(raw):"], ["    def run(given, results):"]
        used = {self._roots[x] for x in self._needed if self._steps[x].kind == GIVEN}
        ranks = {x: k for k, x in enumerate(x for x, step in enumerate(self._steps) if step.kind == GIVEN)}
        for x in self._needed:
            step = self._steps[x]
            operands = [names[o] for o in step.operands]
            names[x] = step.text if step.kind == NUMBER else f"v{x}"
            if step.kind == GIVEN:
                always.append(f"        v{x} = given[{ranks[x]}]")
            elif step.kind == VIEW:
                root = self._roots[x]
                operands = [f"array({o}, dtype)" if self._steps[k].kind == NUMBER else o
                            for o, k in zip(operands, step.operands, strict=True)]  # fmt: skip
                lines, indent = (always, 8) if root in used or root in self._owned else (once, 4)
                lines.append(f"{' ' * indent}v{x} = {step.text.format(*operands)}")
            elif step.kind == COMPUTED:
                if x in self._owned:
                    always.append(f"        v{x} = results[{self._owned[x]}]")
                else:
                    once.append(f"    v{x} = array_of(raw[{self._buffers[x]}], {step.shape})")
                text = step.text.format(*operands, y=f"v{x}")
                always += [f"        {line}" for line in text.split("\n")]
        for k, x in enumerate(self._results):
            if self._owned.get(x) != k and k not in self.zeros:
                always.append(f"        copyto(results[{k}], {names[x]})")
        return "\n".join([_ARRAY_OF, *once, *always, "        return", "    return run", ""])


_ARRAY_OF = f"""def array_of(raw, shape):
    start = -raw.ctypes.data % {_ALIGNMENT}
    return ndarray(shape, dtype, raw, start)
"""
