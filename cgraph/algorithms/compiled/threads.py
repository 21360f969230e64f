"""Independent parts of a computation, shared between the cores of the machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

__all__ = ["cores", "for_each"]


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def for_each(work: Callable[..., Any], parts: Sequence[tuple[Any, ...]], threads: int) -> None:
    """Call ``work(*part)`` for all parts, in as many threads.

    Parameters
    ----------
    work : function
        It gains from threads as far as it leaves the interpreter's lock.
    parts : sequence of tuples
        Arguments of independent calls.
    threads : int
        With one, or with one part, the calls are made one after the other in this thread.

    Raises
    ------
    BaseException
        What the first of the parts raises whose call fails, or KeyboardInterrupt. Calls that have begun are waited
        for, others are not made.
    """
    if min(threads, len(parts)) < 2:
        for part in parts:
            work(*part)
        return
    pool = ThreadPoolExecutor(min(threads, len(parts)))
    try:
        for _ in pool.map(lambda part: work(*part), parts):
            pass
    finally:
        pool.shutdown(cancel_futures=True)
