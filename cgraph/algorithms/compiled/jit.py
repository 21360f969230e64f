"""Loops turned into machine code by numba, which is imported here and nowhere else, and only when it is needed."""

from __future__ import annotations

import contextlib
import ctypes
import inspect
import math
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

from cgraph.algorithms.compiled import simd
from cgraph.algorithms.compiled.python_calls import CALLS, calls_code

__all__ = [
    "can_compile",
    "compiled",
    "is_at_hand",
    "is_loaded",
    "kept_in",
    "link_rows",
    "pointer",
    "python_function",
    "straight_program",
]

# Modules that teach numba: what vectors are, and how a straight program is called.
VECTORS = "cgraph.algorithms.compiled.simd_numba"
STRAIGHT = "cgraph.algorithms.compiled.straight_numba"
# What NumPy lacks stands in machine code for the functions of arrays of the same name.
FUNCTIONS_OF_NUMBERS = {"erf": math.erf, "erfc": math.erfc}
# 1 / 0 is inf, and reported as every other overflow is. What C or Python would call and does not is left out.
OPTIONS = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}

# How Python passes arguments to a function: METH_FASTCALL and METH_NOARGS of its header files.
_A_ROW_OF_ARGUMENTS, _NO_ARGUMENTS = 0x80, 0x4


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
    njit, known = import_module("numba").njit, _known(fused, calls)
    linked = [_linked(loop, known, (*fused, *calls), generated) for loop in loops]
    try:
        return {loop.__name__: _mending(njit(cache=True, **OPTIONS)(loop)) for loop in linked}
    except (OSError, RuntimeError):  # no texts on disk, or nowhere to keep the code
        return {loop.__name__: njit(**OPTIONS)(loop) for loop in linked}


@cache
def link_rows(
    name: str,
    calls: tuple[Callable[..., Any], ...],
    fused: tuple[Callable[..., Any], ...] = (),
    generated: str = "",
) -> None:
    """Let straight programs call ``values_of``, which is among `calls`, by a name; arguments as of `compiled`."""
    straight, njit = import_module(STRAIGHT), import_module("numba").njit
    options = {"nogil": True, "error_model": "numpy", "no_cpython_wrapper": True}
    linked = _linked(straight.fill_rows, _known(fused, calls), (*fused, *calls), generated)
    try:
        straight.link(_mending(njit(cache=True, **options)(linked)), name)
    except (OSError, RuntimeError):  # as above
        straight.link(njit(**options)(linked), name)


def straight_program(text: str, folder: str | None = None) -> tuple[Any, int]:
    """Return a program that `cgraph.algorithms.compiled.straight_code` wrote: what keeps it in memory, and its address.

    Its machine code is kept in `folder`, if one is given, for the next process.
    """
    program: tuple[Any, int] = import_module(STRAIGHT).machine_code(text, folder)
    return program


class _Table(np.ndarray[Any, np.dtype[np.int64]]):
    """The table of a straight program, to which the function of Python belongs that calls it; `kept` lives as long."""

    kept: tuple[Any, ...]


class _Method(ctypes.Structure):
    """A ``PyMethodDef``."""

    _fields_ = (
        ("name", ctypes.c_char_p), ("function", ctypes.c_void_p), ("flags", ctypes.c_int), ("doc", ctypes.c_char_p),
    )  # fmt: skip


def python_function(name: str, table: Sequence[int], *kept: Any) -> Callable[..., bool]:
    """Return a function of `cgraph.algorithms.compiled.python_calls` that Python can call.

    Parameters
    ----------
    name : str
        The function, one of `CALLS`.
    table : sequence of int
        The table of programs and arrays that the function reads.
    *kept
        Programs and arrays that must live as long as the function.
    """
    engine, methods = _python_calls()
    owner = np.array(table, np.int64).view(_Table)
    owner.kept = (engine, *kept)
    new = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p)
    function: Callable[..., bool] = new(("PyCFunction_NewEx", ctypes.pythonapi))(methods[name], owner, None)
    return function


@cache
def _python_calls() -> tuple[Any, Mapping[str, int]]:
    """Return what keeps the functions in memory, and the addresses of their definitions."""
    truth = ctypes.cast(ctypes.pythonapi.PyBool_FromLong, ctypes.c_void_p).value
    engine, _ = straight_program(calls_code(pointer(), truth or 0))
    methods = {}
    for name in CALLS:
        flags = _NO_ARGUMENTS if name == "call_bound" else _A_ROW_OF_ARGUMENTS
        method = _Method(name.encode(), engine.get_function_address(name), flags, None)
        # Python reads it when it takes a function apart, at its own end as well: it is never freed.
        ctypes.PYFUNCTYPE(None, ctypes.py_object)(("Py_IncRef", ctypes.pythonapi))(method)
        methods[name] = ctypes.addressof(method)
    return engine, methods


def pointer() -> str:
    """Return how the text of a straight program writes a pointer to numbers."""
    return str(import_module(STRAIGHT).POINTER)


@cache
def _known(
    fused: tuple[Callable[..., Any], ...], calls: tuple[Callable[..., Any], ...]
) -> dict[str, Callable[..., Any]]:
    """Return what loops call, by name, for numba; compiled once, whatever loops call it."""
    njit = import_module("numba").njit
    import_module(VECTORS)
    known: dict[str, Callable[..., Any]] = dict(FUNCTIONS_OF_NUMBERS)
    for functions, fastmath in ((fused, {"contract"}), (calls, False)):
        for call in functions:
            known[call.__name__] = njit(**OPTIONS, no_cpython_wrapper=True, fastmath=fastmath)(_knowing(known, call))
    return known


def _linked(
    loop: Callable[..., Any],
    known: Mapping[str, Callable[..., Any]],
    calls: Iterable[Callable[..., Any]],
    generated: str,
) -> FunctionType:
    """Return a loop that finds what it calls, under the name by which numba keeps its machine code on disk."""
    linked = _knowing(known, loop)
    linked.__qualname__ = f"{loop.__name__}_{_fingerprint(calls, generated)}"
    return linked


def _mending(dispatcher: Any) -> Any:
    """Return a loop of numba; where its machine code on disk is damaged, it is compiled again, with a warning."""
    kept = getattr(dispatcher, "_cache", None)  # numba has no other way to it
    if kept is None:  # NUMBA_DISABLE_JIT leaves the loop as it is
        return dispatcher
    load, save = kept.load_overload, kept.save_overload

    def load_overload(signature: Any, target: Any) -> Any:
        try:
            return load(signature, target)
        except Exception as error:  # noqa: BLE001 - whatever reading damaged bytes raises
            folder = kept.cache_path
            warnings.warn(f"damaged machine code in {folder} is compiled again: {error}", RuntimeWarning, stacklevel=2)
            kept.flush()
            return None

    def save_overload(signature: Any, compiled_loop: Any) -> None:
        with _one_at_a_time(kept.cache_path):
            save(signature, compiled_loop)

    kept.load_overload, kept.save_overload = load_overload, save_overload
    return dispatcher


@contextlib.contextmanager
def _one_at_a_time(folder: str) -> Iterator[None]:
    """Let one process after another write machine code to a folder, where the system can lock a file.

    Two that write at once may give two loops the same name, and a later process runs the wrong one (numba's issue 10128).
    """
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(ImportError, OSError):
            fcntl = import_module("fcntl")
            Path(folder).mkdir(parents=True, exist_ok=True)
            lock = stack.enter_context(Path(folder, "lock").open("w", encoding="utf-8"))
            fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed
        yield


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


def can_compile() -> bool:
    """Return whether there is machine code at all: numba is installed, and not told to leave Python as it is."""
    return is_at_hand() and not import_module("numba").config.DISABLE_JIT


def kept_in(loop: Callable[..., Any]) -> str | None:
    """Return the folder in which numba keeps the machine code of a loop; None if it keeps none."""
    kept = getattr(loop, "_cache", None)
    return getattr(kept, "cache_path", None)


def is_loaded() -> bool:
    """Return whether there is machine code already."""
    return compiled.cache_info().currsize > 0
