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
    """Nanoseconds of a product, with the sum that takes it up if there is one, and of a sum that takes up none."""

    product: float
    addition: float

    def of(self, products: int, additions: int) -> float:
        """Return the nanoseconds of so many products and so many sums that take up none."""
        return self.product * products + self.addition * additions


COUNTED = Costs(1.0, 1.0)  # where nothing can be measured


@cache
def costs() -> Costs:
    """Return what was measured on this machine, now or by an earlier process."""
    if not can_compile():
        return COUNTED
    folder = kept_in(compiled((run_straight,))["run_straight"])
    path = None if folder is None else Path(folder) / f"cgraph_times_{platform.machine()}_{platform.node()}.json"
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
    """Measure programs of products, each of which a sum takes up, and of sums alone."""
    call, sums = (_nanoseconds(steps, multiplies=False) for steps in (0, STEPS))
    products = _nanoseconds(STEPS, multiplies=True)
    return Costs(*(max(measured - call, 1.0) / STEPS for measured in (products, sums)))


def _nanoseconds(steps: int, *, multiplies: bool) -> float:
    """Return how long so many sums take, or products that sums take up; one in `SUMS` waits for the one before."""
    recorder = Recorder()
    x = [recorder.give(math.nan) for _ in range(SOURCES)]
    sums = x[:SUMS]
    for k, (i, j) in enumerate(islice(combinations(x, 2), steps)):
        term = recorder.apply("mul", [i, j]) if multiplies else j
        sums[k % SUMS] = recorder.apply("add", [sums[k % SUMS], term])
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
