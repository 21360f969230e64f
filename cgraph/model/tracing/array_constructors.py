"""NumPy's constructors of arrays, replaced during a call so that they accept traced arrays."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from cgraph.model.tracing.traced_arrays import traced_in

__all__ = ["taking_traced_arrays"]

_CONSTRUCTORS = {name: getattr(np, name) for name in ("array", "asarray", "asanyarray", "ascontiguousarray")}
_lock = threading.Lock()
_at_work = 0  # traces, in any thread


def _taking(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def construct(*args: Any, **kwargs: Any) -> Any:
        traced = next(traced_in((*args, *kwargs.values())), None)
        return function(*args, **kwargs) if traced is None else traced.recording.follow(function, args, kwargs)

    return construct


@contextmanager
def taking_traced_arrays() -> Iterator[None]:
    """Let ``np.array([x, y])`` and its like record traced arrays; of anything else they make what they always make.

    NEP 18 leaves these functions out, so they are replaced in the module for as long as a function is traced.
    """
    global _at_work  # noqa: PLW0603 - the module numpy is global as well
    with _lock:
        _at_work += 1
        if _at_work == 1:
            for name, function in _CONSTRUCTORS.items():
                setattr(np, name, _taking(function))
    try:
        yield
    finally:
        with _lock:
            _at_work -= 1
            if _at_work == 0:
                for name, function in _CONSTRUCTORS.items():
                    setattr(np, name, function)
