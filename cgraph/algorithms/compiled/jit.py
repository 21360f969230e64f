"""Loops turned into machine code by numba, which is imported here and nowhere else, and only when it is needed."""

from __future__ import annotations

import inspect
import math
import warnings
import zlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import import_module
from types import FunctionType
from typing import Any

from cgraph.algorithms.compiled import simd

__all__ = ["compiled", "is_at_hand", "is_loaded"]

VECTORS = "cgraph.algorithms.compiled.simd_numba"
# What NumPy lacks stands in machine code for the functions of arrays of the same name.
FUNCTIONS_OF_NUMBERS = {"erf": math.erf, "erfc": math.erfc}

# 1 / 0 is inf, and reported as every other overflow is. What C or Python would call and does not is left out.
_OPTIONS = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}


@cache
def compiled(
    loops: tuple[Callable[..., Any], ...],
    calls: tuple[Callable[..., Any], ...] = (),
    fused: tuple[Callable[..., Any], ...] = (),
    generated: str = "",
) -> Mapping[str, Callable[..., Any]]:
    """Return loops as machine code, by name.

    Parameters
    ----------
    loops : tuple of functions
        The loops. Their machine code is kept on disk, until the text of a module changes that they or what they call
        stand in.
    calls : tuple of functions, optional
        What they call, and what that calls before it.
    fused : tuple of functions, optional
        What `calls` call, where a product may be added in one step, without being rounded before.
    generated : str, optional
        The text of those of them that stand in no module.

    Raises
    ------
    ImportError
        If numba is not installed, or does not work with this NumPy.
    """
    njit = import_module("numba").njit
    import_module(VECTORS)  # numba learns what vectors are
    known = _callees(calls, fused)
    linked = [_knowing(known, loop) for loop in loops]
    try:
        for loop in linked:
            loop.__qualname__ = (
                f"{loop.__name__}_{_fingerprint((*fused, *calls), generated)}"  # numba looks for it by this name
            )
        return {loop.__name__: _mending(njit(cache=True, **_OPTIONS)(loop)) for loop in linked}
    except (OSError, RuntimeError):  # no texts on disk, or nowhere to keep the code
        return {loop.__name__: njit(**_OPTIONS)(loop) for loop in linked}


@cache
def _callees(calls: tuple[Callable[..., Any], ...], fused: tuple[Callable[..., Any], ...]) -> Mapping[str, Any]:
    """Return what loops call, by name; compiled once, whatever loops call it."""
    njit = import_module("numba").njit
    known: dict[str, Callable[..., Any]] = dict(FUNCTIONS_OF_NUMBERS)
    for call in (*fused, *calls):
        fastmath = {"contract"} if call in fused else False
        known[call.__name__] = njit(**_OPTIONS, no_cpython_wrapper=True, fastmath=fastmath)(_knowing(known, call))
    return known


def _mending(dispatcher: Any) -> Any:
    """Return a loop of numba; where its machine code on disk is damaged, it is compiled again, with a warning."""
    kept = getattr(dispatcher, "_cache", None)  # numba has no other way to it
    if kept is None:  # NUMBA_DISABLE_JIT leaves the loop as it is
        return dispatcher
    load = kept.load_overload

    def load_overload(signature: Any, target: Any) -> Any:
        try:
            return load(signature, target)
        except Exception as error:  # noqa: BLE001 - whatever reading damaged bytes raises
            folder = kept.cache_path
            warnings.warn(f"damaged machine code in {folder} is compiled again: {error}", RuntimeWarning, stacklevel=2)
            kept.flush()
            return None

    kept.load_overload = load_overload
    return dispatcher


def _knowing(known: Mapping[str, Callable[..., Any]], function: Callable[..., Any]) -> FunctionType:
    """Return the function with `known` in place of what it finds under these names."""
    return FunctionType(
        function.__code__, {**function.__globals__, **known}, function.__name__, None, function.__closure__
    )


def _fingerprint(functions: Iterable[Callable[..., Any]], generated: str = "") -> str:
    """Return what tells the texts of functions and their modules, of what rows are, and of this one, from others."""
    modules = {__name__: None, simd.__name__: None, VECTORS: None} | {
        function.__module__: None for function in functions
    }
    texts = (inspect.getsource(import_module(module)) for module in modules)
    return f"{zlib.crc32(''.join([*texts, generated]).encode()):08x}"


def is_at_hand() -> bool:
    """Return whether numba can be imported."""
    try:
        import_module("numba")
    except ImportError:
        return False
    return True


def is_loaded() -> bool:
    """Return whether there is machine code already."""
    return compiled.cache_info().currsize > 0
