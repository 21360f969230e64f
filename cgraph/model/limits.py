"""Limits of a call: entries of one value, entries of all values together, seconds.

Specs, answers and files of data come from strangers, and a few lines can stand for more numbers than any machine holds. The
size of every value is known before it is computed; what would be too large is refused by name.
"""

from __future__ import annotations

import math
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

from cgraph.model.errors import CGraphError, LimitError

__all__ = ["Limits", "counting_entries", "limits", "limits_in_force", "require_entries", "require_time"]


@dataclass
class Limits:
    """What a call may take.

    Attributes
    ----------
    entries : int
        The most entries of one array, or of a Jacobian that is written out; 8 bytes each.
    total : int
        The most entries of all values of one evaluation together.
    seconds : float
        How long a call may take.
    spent : int
        Entries of the evaluation that runs.
    deadline : float
        When the time is up, on the clock of `time.monotonic`.
    is_counting : bool
        Whether an evaluation runs, whose entries are added up.
    """

    entries: int = 10_000_000
    total: int = 30_000_000
    seconds: float = math.inf
    spent: int = 0
    deadline: float = math.inf
    is_counting: bool = False


_IN_FORCE: ContextVar[Limits] = ContextVar("limits", default=Limits())  # noqa: B039 - nobody counts in it


def limits_in_force() -> Limits:
    """Return the limits of the code that asks."""
    return _IN_FORCE.get()


@contextmanager
def limits(*, entries: int | None = None, total: int | None = None, seconds: float | None = None) -> Iterator[Limits]:
    """Set other limits for the calls in a ``with`` block.

    Parameters
    ----------
    entries : int, optional
        The most entries of one array, or of a Jacobian that is written out, 8 bytes each; 10,000,000 at the beginning.
    total : int, optional
        The most entries of all values of one evaluation together; 30,000,000 at the beginning.
    seconds : float, optional
        How long the block may take; without it, as long as it takes.

    Yields
    ------
    Limits

    Raises
    ------
    LimitError
        In the block, where a limit is exceeded; the message names the node, the shape and the limit.
    CGraphError
        If a limit is not a positive number.

    Notes
    -----
    Time is measured by a timer in the main thread of a process, where the system has one; elsewhere long loops look at the
    clock themselves.

    Examples
    --------
    >>> from cgraph import evaluate, from_equations
    >>> G = from_equations("y = outer(x, x)", x=[1.0, 2.0, 3.0])
    >>> with limits(entries=8):
    ...     evaluate(G)
    Traceback (most recent call last):
        ...
    cgraph.model.errors.LimitError: node 'y': outer(x, x) has the shape (3, 3), 9 entries, more than the limit of 8; limits(entries=...) allows more
    """
    before = _IN_FORCE.get()
    chosen = {"entries": entries, "total": total, "seconds": seconds}
    for name, value in chosen.items():
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or not value > 0):
            raise CGraphError(f"the limit {name} must be a positive number, not {value!r}")
    now = replace(before, spent=0)
    for name, value in chosen.items():
        if value is not None:
            setattr(now, name, value)
    if seconds is not None:
        now.deadline = monotonic() + seconds
    if before.deadline < now.deadline:  # the time of the block around this one is up first
        now.seconds, now.deadline = before.seconds, before.deadline
    token = _IN_FORCE.set(now)
    try:
        with _timer(now, before.deadline):
            yield now
    finally:
        _IN_FORCE.reset(token)


AGAIN = 0.05  # seconds


class _TimeIsUp(BaseException):
    """Passes through whatever answers an error by trying something else."""


@contextmanager
def _timer(now: Limits, deadline_before: float) -> Iterator[None]:
    """Raise `LimitError` in the main thread when the time is up, whatever library runs then."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    if now.deadline == deadline_before or not hasattr(signal, "setitimer") or not in_main_thread:
        yield
        return

    def stop(*_: Any) -> None:
        if not _is_ending(sys.exc_info()[1]):
            raise _TimeIsUp

    before = signal.signal(signal.SIGALRM, stop)
    _ring_at(now.deadline)
    try:
        yield
    except BaseException as error:  # Python makes another one of what is raised while a class is made
        if _is_ending(error) and not isinstance(error, LimitError):
            raise _late(now) from None
        raise
    finally:
        _ring_at(math.inf)
        signal.signal(signal.SIGALRM, before)
        _ring_at(deadline_before)


def _is_ending(error: BaseException | None) -> bool:
    """Whether the time was up before, and what has to be cleaned up is at work."""
    while error is not None and not isinstance(error, _TimeIsUp):
        error = error.__context__
    return error is not None


def _ring_at(deadline: float) -> None:
    """Set the timer, which rings again and again: Python ignores what is raised in a callback or in ``__del__``."""
    first = 0 if deadline == math.inf else max(deadline - monotonic(), 1e-3)
    signal.setitimer(signal.ITIMER_REAL, first, AGAIN)


def _late(now: Limits) -> LimitError:
    return LimitError(f"it takes longer than {now.seconds:g} seconds", "seconds")


def require_time() -> None:
    """Raise `LimitError` if the time is up; long loops call it where no timer can be set."""
    now = _IN_FORCE.get()
    if now.deadline < math.inf and monotonic() > now.deadline:
        raise _late(now)


def require_entries(count: int, what: str) -> None:
    """Raise `LimitError` if an array of so many entries may not be made; `what` says which, and of what shape."""
    now = _IN_FORCE.get()
    if count > now.entries:
        raise LimitError(f"{what}, {count:,} entries, more than the limit of {now.entries:,}", "entries")
    if now.spent + count > now.total:
        together = f"{now.spent + count:,} entries with the values before it, more than the limit of {now.total:,}"
        raise LimitError(f"{what}, {together}", "total")


@contextmanager
def counting_entries() -> Iterator[Limits]:
    """Count the entries of one evaluation from 0, whatever others run before it, around it or in other threads."""
    now = _IN_FORCE.get()
    counting = Limits(now.entries, now.total, now.seconds, 0, now.deadline, is_counting=True)
    token = _IN_FORCE.set(counting)
    try:
        yield counting
    finally:
        _IN_FORCE.reset(token)
