"""Processes that work for a command, and leave Ctrl-C to it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

__all__ = ["worker_processes"]


@contextmanager
def worker_processes(count: int) -> Iterator[ProcessPoolExecutor]:
    """Yield a pool of processes, all of them started, which never get Ctrl-C."""
    context = get_context("spawn")  # a fork would copy the threads of whatever library has been loaded
    with ProcessPoolExecutor(count, context) as pool:
        with _interrupts_later():
            for _ in range(count):
                pool.submit(os.getpid)  # none is idle yet, so that each starts a process
        yield pool


@contextmanager
def _interrupts_later() -> Iterator[None]:
    """Hold Ctrl-C back until the block ends; processes that start in the block never get it."""
    if not hasattr(signal, "pthread_sigmask") or threading.current_thread() is not threading.main_thread():
        yield
        return
    caught: list[int] = []  # the mask is that of this thread, and inherited; a signal may reach another one
    handler = signal.signal(signal.SIGINT, lambda number, _: caught.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if caught:
            signal.raise_signal(signal.SIGINT)
