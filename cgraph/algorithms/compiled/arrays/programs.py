"""Steps as a program: which arrays they are written into, and the Python function that runs them.

An array whose last reader has run is written into again. Views of kept arrays are made once, with the arrays; what
depends on arrays of the caller is made in the call. A program that has computed much is written a second time, with runs of
elementary operations as machine code.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

import numpy as np

from cgraph.algorithms.compiled.arrays.fused_loops import Loop, machine_code
from cgraph.algorithms.compiled.arrays.runs import Run, in_runs
from cgraph.algorithms.compiled.arrays.steps import COMPUTED, GIVEN, NUMBER, VIEW, Shape, Step, Steps
from cgraph.algorithms.compiled.jit import is_at_hand
from cgraph.model.errors import shorten

__all__ = ["Program"]

_KNOWN = {"add_reduce": np.add.reduce, "maximum_reduce": np.maximum.reduce}
_ALIGNMENT = 64
# From how many numbers on, computed by elementary operations in all calls, machine code for them pays.
FEWEST_TO_FUSE = 1_000_000_000


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
        self._steps = steps
        self._results = list(results)
        self._dtype = np.dtype(dtype)
        self.zeros = {k for k, x in enumerate(self._results) if steps.is_zero(x)}
        self._needed = self._all_needed()
        self._code = _Code(steps, self._needed, self._results, self.zeros, self._dtype)
        order = in_runs(steps.steps, self._needed, self._results)
        # The order with runs, as long as it stands to be used.
        self._with_runs = order if any(isinstance(item, Run) for item in order) else None
        self._work, self._done = sum(item.work for item in order if isinstance(item, Run)), 0
        self._lock = Lock()

    def result(self, k: int, shape: Shape) -> Any:
        """Return an array for a result; one that is 0 whatever is given takes no memory until somebody writes to it."""
        return np.zeros(shape, self._dtype) if k in self.zeros else np.empty(shape, self._dtype)

    @property
    def kept_bytes(self) -> int:
        """How much memory the arrays of one call take."""
        return self._code.kept_bytes

    def __call__(self, given: Sequence[Any], results: Sequence[Any]) -> None:
        """Write the results into arrays, of the shapes of the results and contiguous; those of `zeros` are left alone."""
        if self._with_runs is not None:
            self._done += self._work
            if self._done > FEWEST_TO_FUSE and self._lock.acquire(blocking=False):
                try:
                    self._fuse()
                finally:
                    self._lock.release()
        self._code(given, results)

    def _fuse(self) -> None:
        """Write the program with runs as machine code, if numba is there; meanwhile other threads go on as before."""
        order, self._with_runs = self._with_runs, None
        if order is None or not is_at_hand():
            return
        try:
            self._code = _Code(self._steps, order, self._results, self.zeros, self._dtype)
        except Exception as error:  # noqa: BLE001 - of numba, of LLVM or of a compiler: there is no list of what they raise
            reason = shorten(f"{type(error).__name__}: {error}", 200)
            message = f"numba makes no machine code of these elementary operations, and NumPy computes them: {reason}"
            warnings.warn(message, RuntimeWarning, stacklevel=2)

    def _all_needed(self) -> list[int]:
        needed = set(self._results)
        for x in reversed(range(len(self._steps.steps))):
            if x in needed:
                needed.update(self._steps.steps[x].operands)
        return sorted(needed)


class _Code:
    """The steps in one order as a function of Python, and the arrays that it keeps.

    Parameters
    ----------
    steps, results, zeros, dtype
        As in `Program`.
    order : sequence of int and Run
        The steps that are needed.
    """

    def __init__(
        self, steps: Steps, order: Sequence[int | Run], results: Sequence[int], zeros: set[int], dtype: Any
    ) -> None:
        self._steps, self._order, self._results, self._zeros, self._dtype = steps.steps, order, results, zeros, dtype
        self._roots = self._all_roots()
        # A result that is computed is written into the caller's array at once; others are copied at the end.
        self._owned: dict[int, int] = {}
        for k, x in enumerate(results):
            if self._steps[x].kind == COMPUTED:
                self._owned.setdefault(x, k)
        self._loops = {id(item): Loop(self._steps, item) for item in order if isinstance(item, Run)}
        self._sizes: list[int] = []
        self._buffers = self._allocated()
        self._machine: dict[str, tuple[str, Loop]] = {}  # each loop by its text, and its name
        self.source = self._written()
        self.namespace: dict[str, Any] = {**vars(np), "dtype": dtype, **_KNOWN, **steps.functions}
        self.namespace |= {name: machine_code(loop, dtype) for name, loop in self._machine.values()}
        exec(compile(self.source, "<plan of a graph>", "exec"), self.namespace)  # noqa: S102 - of the table and of numbers
        self._free: list[Callable[..., None]] = []

    @property
    def kept_bytes(self) -> int:
        """How much memory the arrays of one call take."""
        return sum(self._sizes)

    def __call__(self, given: Sequence[Any], results: Sequence[Any]) -> None:
        """Write the results into arrays."""
        try:  # another thread may have taken the last one
            run = self._free.pop()
        except IndexError:
            run = self.namespace["make"]([np.empty(size + _ALIGNMENT, np.uint8) for size in self._sizes])
        try:
            run(given, results)
        finally:
            self._free.append(run)

    def _all_roots(self) -> dict[int, int]:
        """Return for each step the one whose array it shows."""
        roots: dict[int, int] = {}
        for item in self._order:
            for x in item.members if isinstance(item, Run) else [item]:
                step = self._steps[x]
                roots[x] = roots[step.operands[0]] if step.kind == VIEW else x
        return roots

    # --- arrays ---------------------------------------------------------------------------------------------------------

    def _operands(self, item: int | Run) -> Sequence[int]:
        """Return the steps whose arrays are read."""
        return self._loops[id(item)].arrays if isinstance(item, Run) else self._steps[item].operands

    def _allocated(self) -> dict[int, int]:
        """Return the array of each computed step, and note how large each must be."""
        last: dict[int, int] = {}
        for place, item in enumerate(self._order):
            for x in item.outputs if isinstance(item, Run) else [item]:
                last[self._roots[x]] = place
            for o in self._operands(item):
                last[self._roots[o]] = place
        for x in self._results:
            last[self._roots[x]] = len(self._order)
        buffers: dict[int, int] = {}
        free: list[int] = []
        for place, item in enumerate(self._order):
            written = item.outputs if isinstance(item, Run) else [item] if self._is_computed(item) else []
            if not written:
                continue
            roots = {self._roots[o] for o in self._operands(item)}
            ended = [buffers[r] for r in roots if r in buffers and last[r] == place]
            in_place = not isinstance(item, Run) and self._steps[item].in_place
            free += ended if in_place else []
            for x in written:
                if x not in self._owned:
                    buffers[x] = self._taken(free, math.prod(self._steps[x].shape) * self._dtype.itemsize)
            free += [buffers[x] for x in written if x in buffers and last[x] == place]  # what it raises is all
            free += [] if in_place else ended
        return buffers

    def _is_computed(self, x: int) -> bool:
        return self._steps[x].kind == COMPUTED

    def _taken(self, free: list[int], size: int) -> int:
        """Return an array that is free and just large enough, or a new one."""
        fitting = [b for b in free if size <= self._sizes[b] <= 2 * size + 64]
        if not fitting:
            self._sizes.append(size)
            return len(self._sizes) - 1
        best = min(reversed(fitting), key=self._sizes.__getitem__)
        free.remove(best)
        return best

    # --- text -----------------------------------------------------------------------------------------------------------

    def _written(self) -> str:
        """Return the text of the program: a function that makes views of arrays, and in it one that runs the steps."""
        self._once: list[str] = []
        self._always: list[str] = []
        self._text: dict[int, str] = {}
        self._flat: dict[int, str] = {}  # the names of arrays as loops read them
        steps = self._steps
        self._given = {self._roots[x] for x in self._roots if steps[x].kind == GIVEN}
        ranks = {x: k for k, x in enumerate(x for x, step in enumerate(steps) if step.kind == GIVEN)}
        for item in self._order:
            if isinstance(item, Run):
                self._write_run(item, self._loops[id(item)])
            elif steps[item].kind == GIVEN:
                self._text[item] = f"v{item}"
                self._always.append(f"v{item} = given[{ranks[item]}]")
            else:
                self._write_step(item, steps[item])
        for k, x in enumerate(self._results):
            if self._owned.get(x) != k and k not in self._zeros:
                self._always.append(f"copyto(results[{k}], {self._text[x]})")
        once, always = (f"    {line}" for line in self._once), (f"        {line}" for line in self._always)
        return "\n".join([
            _FUNCTIONS, "def make(raw):", *once, "    def run(given, results):", *always, "        return", "    return run", "",
        ])  # fmt: skip

    def _write_step(self, x: int, step: Step) -> None:
        if step.kind == NUMBER:
            self._text[x] = step.text
            return
        operands = [self._text[o] for o in step.operands]
        self._text[x] = f"v{x}"
        if step.kind == VIEW:
            operands = [f"array({o}, dtype)" if self._steps[k].kind == NUMBER else o
                        for o, k in zip(operands, step.operands, strict=True)]  # fmt: skip
            self._lines(x).append(f"v{x} = {step.text.format(*operands)}")
        else:
            self._write_array(x)
            self._always += step.text.format(*operands, y=f"v{x}").split("\n")

    def _write_run(self, run: Run, loop: Loop) -> None:
        """Write the call of a loop on flat arrays."""
        for x in run.outputs:
            self._text[x] = f"v{x}"
            self._write_array(x)
            self._lines(x).append(f"w{x} = v{x}.reshape(-1)")
        for o in loop.arrays:
            if o not in self._flat:
                self._flat[o] = f"r{o}"
                self._lines(o).append(f"r{o} = fixed({self._text[o]})")
        name, _ = self._machine.setdefault(loop.source, (f"loop{len(self._machine)}", loop))
        arrays = [*(self._flat[o] for o in loop.arrays), *(f"w{x}" for x in run.outputs)]
        arguments = [*map(str, loop.sizes), repr(float(np.finfo(self._dtype).max)), *loop.numbers, *arrays]
        self._always += [f"if {name}({', '.join(arguments)}):", f"    raise FloatingPointError({name!r})"]

    def _write_array(self, x: int) -> None:
        """Write where the array of a computed step comes from."""
        if x in self._owned:
            self._always.append(f"v{x} = results[{self._owned[x]}]")
        else:
            self._once.append(f"v{x} = array_of(raw[{self._buffers[x]}], {self._steps[x].shape})")

    def _lines(self, x: int) -> list[str]:
        """Return the lines in which a view of a step stands: once with its array, or in each call."""
        root = self._roots[x]
        return self._always if root in self._given or root in self._owned else self._once


_FUNCTIONS = f"""def array_of(raw, shape):
    start = -raw.ctypes.data % {_ALIGNMENT}
    return ndarray(shape, dtype, raw, start)
def fixed(array):
    flat = array.reshape(-1)
    flat.setflags(write=False)
    return flat
"""
