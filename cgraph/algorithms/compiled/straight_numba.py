"""Straight programs as machine code: LLVM compiles their text, numba calls them with arrays.

Only `cgraph.algorithms.compiled.jit` imports this module, as it needs numba.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import carray, types
from numba.extending import intrinsic, overload

from cgraph.algorithms.compiled.straight_code import STRAIGHT, call_straight
from cgraph.model.files import write_whole

POINTER = "ptr" if llvm.llvm_version_info[0] >= 16 else "double*"
NUMBERS = types.CPointer(types.float64)
LEVEL = 1  # of what the compiler does: 2 takes twice as long, and the code is as fast
KEPT = 64  # programs on disk
SIGNATURE = types.void(types.int64, NUMBERS, NUMBERS, NUMBERS, types.int64)
LINKED: list[Any] = []


def machine_code(text: str, folder: str | None) -> tuple[Any, int]:
    """Return the engine that holds the straight program of a text, and its address; `folder` keeps machine code."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    cpu, features = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
    machine = llvm.Target.from_default_triple().create_target_machine(cpu=cpu, features=features, opt=LEVEL, jit=True)
    made_of = "\n".join([text, cpu, features, str(llvm.llvm_version_info), str(LEVEL)])
    path = None if folder is None else Path(folder) / f"straight_{hashlib.sha256(made_of.encode()).hexdigest()[:32]}.o"
    code = _kept(path)
    if code is None:
        module = llvm.parse_assembly(text)
        module.verify()
        code = machine.emit_object(module)
        _keep(path, code)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return engine, engine.get_function_address(STRAIGHT)


def _kept(path: Path | None) -> bytes | None:
    """Return the machine code in a file; None if there is none, or it is damaged."""
    try:
        content = b"" if path is None else path.read_bytes()
    except OSError:
        return None
    digest, code = content[:32], content[32:]
    return code if code and hashlib.sha256(code).digest() == digest else None


def _keep(path: Path | None, code: bytes) -> None:
    """Write machine code to a file beside that of numba, and remove what was written longest ago."""
    if path is None:
        return
    with contextlib.suppress(OSError):  # then the next process compiles again
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, hashlib.sha256(code).digest() + code)
        others = sorted(path.parent.glob("straight_*.o"), key=lambda other: other.stat().st_mtime)
        for other in others[:-KEPT]:
            other.unlink()


def fill_rows(code: int, x: Any, b: Any, y: Any, n: int) -> None:
    """Fill `n` numbers with the values of an operation; `cgraph.algorithms.compiled.jit` knows `values_of`."""
    values_of(code, carray(x, (n,)), carray(b, (n,)), carray(y, (n,)))  # type: ignore[name-defined]  # noqa: F821 - numba is given it


def link(dispatcher: Any, name: str) -> None:
    """Let straight programs call a function like `fill_rows` by a name."""
    dispatcher.compile(SIGNATURE)
    library, wrapper = attrgetter("library", "fndesc.llvm_cfunc_wrapper_name")(dispatcher.overloads[SIGNATURE.args])
    llvm.add_symbol(name, library.get_pointer_to_function(wrapper))
    LINKED.append(dispatcher)  # it stays


@intrinsic
def call_at(_: Any, address: Any, x: Any, given: Any, values: Any, jacobian: Any, blocks: Any) -> Any:
    """Call the straight program at an address with the numbers of four arrays."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, operands: Sequence[ir.Value]) -> ir.Value:
        word, number = ir.IntType(64), ir.DoubleType().as_pointer()
        pointers = [
            builder.bitcast(context.make_array(kind)(context, builder, array).data, number)
            for kind, array in zip(signature.args[1:5], operands[1:5], strict=True)
        ]
        kind = ir.FunctionType(word, [*(number for _ in pointers), word])
        function = builder.inttoptr(operands[0], kind.as_pointer())
        return builder.call(function, [*pointers, operands[5]])

    return types.int64(types.int64, x, given, values, jacobian, types.int64), generate


@overload(call_straight, strict=False)
def call_straight_of(address: Any, x: Any, given: Any, values: Any, jacobian: Any, blocks: Any) -> Any:
    """Take arrays of numbers that lie one after the other."""
    if not all(a.dtype == types.float64 and a.layout == "C" for a in (x, given, values, jacobian)):
        return None
    return lambda address, x, given, values, jacobian, blocks: call_at(address, x, given, values, jacobian, blocks)
