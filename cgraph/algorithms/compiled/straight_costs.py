"""What a product and a sum cost in a straight program on this machine: measured once, and kept beside its machine code."""

from __future__ import annotations

import contextlib
import json
import math
import platform
import time
from functools import cache
from itertools import combinations, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cgraph.algorithms.compiled.jit import can_compile, compiled, kept_in, pointer, straight_program
from cgraph.algorithms.compiled.straight_code import Layout, run_straight, straight_code
from cgraph.algorithms.compiled.tape.program import Recorder
from cgraph.model.files import write_whole

__all__ = ["Costs", "costs"]

STEPS = 2_000
SUMS = 16
SOURCES = 64  # of which two by two are multiplied
ROUNDS, CALLS = 20, 50


class Costs(NamedTuple):
    """Nanoseconds of a product, and what a sum adds that takes one up."""

    product: float
    addition: float

    def of(self, products: int, additions: int) -> float:
        """Return the nanoseconds of so many."""
        return self.product * products + self.addition * additions


COUNTED = Costs(1.0, 0.0)  # where there is no machine code, products are counted


@cache
def costs() -> Costs:
    """Return what was measured on this machine, now or by an earlier process."""
    if not can_compile():
        return COUNTED
    folder = kept_in(compiled((run_straight,))["run_straight"])
    path = None if folder is None else Path(folder) / f"cgraph_costs_{platform.machine()}_{platform.node()}.json"
    if path is not None and (found := _read(path)) is not None:
        return found
    try:
        measured = _measured()
    except Exception:  # noqa: BLE001 - where nothing can be compiled, the function itself says so
        return COUNTED
    if path is not None:
        with contextlib.suppress(OSError):  # then the next process measures again
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, json.dumps(measured._asdict()))
    return measured


def _read(path: Path) -> Costs | None:
    """Return what a file holds; None if there is none, or something else is in it."""
    try:
        product, addition = (float(json.loads(path.read_text())[name]) for name in Costs._fields)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    return Costs(product, addition) if 0 < product < math.inf and 0 <= addition < math.inf else None


def _measured() -> Costs:
    """Measure a program of products, and one in which each is added to a sum."""
    call, products, sums = _nanoseconds(0, adds=True), _nanoseconds(STEPS, adds=False), _nanoseconds(STEPS, adds=True)
    product = max(products - call, 1.0) / STEPS
    return Costs(product, max(sums - products, 0.0) / STEPS)


def _nanoseconds(products: int, *, adds: bool) -> float:
    """Return how long so many products take, of which every one in `SUMS` waits for the one before.

    With `adds`, it is added to a sum; else it multiplies it.
    """
    recorder = Recorder()
    x = [recorder.give(math.nan) for _ in range(SOURCES)]
    sums = x[:SUMS]
    for k, (i, j) in enumerate(islice(combinations(x, 2), products)):
        operands = [recorder.apply("mul", [i, j])] if adds else [j]
        sums[k % SUMS] = recorder.apply("add" if adds else "mul", [sums[k % SUMS], *operands])
    program, rank, _ = recorder.sorted()
    layout = Layout(program, rank.tolist(), SOURCES, {}, rank[x].tolist(), rank[sums].tolist(), [], 0)
    engine, address = straight_program(straight_code(layout, 1, pointer()))
    run, at, out, nothing = compiled((run_straight,))["run_straight"], np.ones(SOURCES), np.empty(SUMS), np.empty(0)
    least = math.inf
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(CALLS):
            run(address, at, nothing, out, nothing, 1)
        least = min(least, (time.perf_counter() - start) / CALLS)
    del engine
    return least * 1e9
