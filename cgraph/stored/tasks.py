"""Calls that may be made elsewhere: in other processes, or on other machines."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from typing import Any

from cgraph.model.errors import CGraphError

__all__ = ["in_order"]

_IN_FLIGHT = 64  # tasks that wait or run at a time; their results wait in this process


def in_order(
    executor: Executor | None, function: Callable[..., Any], tasks: Iterable[tuple[Any, ...]]
) -> Iterator[Any]:
    """Yield ``function(*task)`` for every task, in their order, whoever makes the calls.

    Parameters
    ----------
    executor : concurrent.futures.Executor or None
        Who makes the calls; None is this thread.
    function
        One that can be pickled, if the calls are made in other processes.
    tasks : iterable of tuples
        What names files and nodes, and holds no graph.

    Raises
    ------
    CGraphError
        What a call raises, or that the workers are gone.
    """
    if executor is None:
        for task in tasks:
            yield function(*task)
        return
    waiting: deque[Future[Any]] = deque()
    try:
        for task in tasks:
            waiting.append(executor.submit(function, *task))
            if len(waiting) >= _IN_FLIGHT:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenExecutor as error:
        raise CGraphError(
            f"a worker ended before its task was done ({error}); ask again, with a new executor"
        ) from error
    finally:
        for future in waiting:
            future.cancel()
