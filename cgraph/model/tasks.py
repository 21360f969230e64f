"""Calls that may be made elsewhere: in threads, in other processes, or on other machines."""

from __future__ import annotations

import os
import pickle
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor
from contextlib import contextmanager, suppress
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from cgraph.model.errors import CGraphError
from cgraph.model.limits import Limits, limits, limits_in_force
from cgraph.model.rules.own_functions import adopt_operations, registered_operations

__all__ = ["in_order", "losses_named"]

_IN_FLIGHT = 64  # tasks that wait or run at a time; their results wait in this process


def in_order(
    executor: Executor | None, function: Callable[..., Any], tasks: Iterable[tuple[Any, ...]], *, about: Any = None
) -> Iterator[Any]:
    """Yield ``function(*task)`` for every task, in their order, whichever worker makes the calls.

    Parameters
    ----------
    executor : concurrent.futures.Executor or None
        Who makes the calls; None is this thread.
    function
        One that can be pickled, if the calls are made in other processes.
    tasks : iterable of tuples
        The arguments of each call, small ones. They are taken as there is room for them: 64 tasks wait or run at a time.
    about : object, optional
        What all calls are about, if it is too large for a task, such as a graph: ``function(about, *task)`` is called.

    Raises
    ------
    CGraphError
        What a call raises, or that the workers are gone.

    Notes
    -----
    Threads share `about`. Other processes read it from a file, once each, which is written to the folder for temporary
    files when the first task leaves this process, and removed in the end. To workers of Dask it is sent over the network, once.
    The limits in force hold for the calls too, and operations that were registered are known to them.
    """
    first = () if about is None else (about,)
    if executor is None:
        for task in tasks:
            yield function(*first, *task)
        return
    setting = limits_in_force(), registered_operations()
    submit, send = _ways_of(executor)
    waiting: deque[Any] = deque()
    try:
        with losses_named(), send(first) as sent:
            for task in tasks:
                waiting.append(_submitted(submit, function, setting, *sent, *task))
                if len(waiting) >= _IN_FLIGHT:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
    finally:
        with suppress(Exception):  # what is lost cannot be cancelled
            for future in waiting:
                future.cancel()


@contextmanager
def losses_named() -> Iterator[None]:
    """Raise a `CGraphError` where workers, or who speaks for them, are gone."""
    try:
        yield
    except (BrokenExecutor, CancelledError) as error:
        raise _lost(error) from error
    except Exception as error:
        if type(error).__module__.startswith("distributed."):
            raise _lost(error) from error
        raise


def _ways_of(executor: Executor) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return how tasks and large objects are sent to workers."""
    client: Any = getattr(executor, "_client", None)
    if not callable(getattr(executor, "submit", None)):
        raise CGraphError(f"executor= takes a pool such as concurrent.futures.ProcessPoolExecutor(2), not {executor!r}")
    if hasattr(client, "scatter"):
        if client.status != "running":
            raise _lost(ConnectionError(f"the client of Dask is {client.status}"))
        # The futures of Dask's executor would wait forever for a scheduler that is gone; those of its client do not.
        return partial(client.submit, **executor._kwargs), partial(_scattered, client)  # type: ignore[attr-defined]  # noqa: SLF001 - of Dask's executor
    return executor.submit, _sent


def _submitted(submit: Callable[..., Any], *call: Any) -> Any:
    try:
        return submit(_called, *call)
    except BrokenExecutor:
        raise
    except RuntimeError as error:
        raise CGraphError(f"the executor takes no tasks: {error}") from error


def _lost(error: Exception) -> CGraphError:
    said = " ".join(str(error).split())
    return CGraphError(
        f"the workers ended before their tasks were done ({said or type(error).__name__}); ask again, with a new executor"
    )


def _called(function: Callable[..., Any], setting: tuple[Limits, Any], *task: Any) -> Any:
    """Make a call as if it were made where it comes from."""
    allowed, operations = setting
    adopt_operations(operations)
    with limits(entries=allowed.entries, total=allowed.total):
        return function(*(one.get() if isinstance(one, _Shared | _File) else one for one in task))


@contextmanager
def _scattered(client: Any, things: tuple[Any, ...]) -> Iterator[list[Any]]:
    """Yield what stands for large objects in tasks of Dask; every worker has them."""
    try:
        yield client.scatter(list(things), broadcast=True, hash=False) if things else []
    except TimeoutError as error:
        raise _lost(error) from error


@contextmanager
def _sent(things: tuple[Any, ...]) -> Iterator[list[Any]]:
    """Yield what stands for large objects in tasks, as long as there are any."""
    shared = [_Shared(thing) for thing in things]
    try:
        yield shared
    finally:
        for one in shared:
            one.close()


class _Shared:
    """An object that tasks share: in this process itself, elsewhere a file of it."""

    def __init__(self, thing: Any) -> None:
        self._thing = thing
        self._path: str | None = None
        self._lock = threading.Lock()  # executors pickle in a thread of theirs

    def get(self) -> Any:
        return self._thing

    def __reduce__(self) -> tuple[Any, ...]:
        with self._lock:
            if self._path is None:
                self._path = _written(self._thing)
        return _File, (self._path,)

    def close(self) -> None:
        if self._path is not None:
            Path(self._path).unlink(missing_ok=True)


class _File:
    """The object in a file that the process which sends the tasks has written."""

    def __init__(self, path: str) -> None:
        self.path = path

    def get(self) -> Any:
        return _read(self.path)


def _written(thing: Any) -> str:
    """Write an object to a new file that nobody else may open."""
    number, path = tempfile.mkstemp(prefix="cgraph-")
    try:
        with os.fdopen(number, "wb") as file:
            pickle.dump(thing, file, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        Path(path).unlink()
        raise CGraphError(f"the data of the tasks cannot be sent to other processes: {error}") from error
    return path


@lru_cache(maxsize=1)
def _read(path: str) -> Any:
    """Return the object in a file, which is read once in each process."""
    try:
        with Path(path).open("rb") as file:
            return pickle.load(file)  # noqa: S301 - it comes from the process that the task comes from
    except OSError as error:
        raise CGraphError(
            f"a worker cannot read {path!r} ({error.strerror}); where workers run on other machines, let the "
            "environment variable TMPDIR name a folder that all of them see"
        ) from None
