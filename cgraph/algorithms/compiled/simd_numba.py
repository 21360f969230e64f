"""Rows of lanes as vectors of the processor: a type of numba, its arithmetic, and how it is loaded and stored.

Only `cgraph.algorithms.compiled.jit` imports this module, as it needs numba.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, overload, register_model

from cgraph.algorithms.compiled.simd import WIDTH, entry, load, put, store

VECTOR = ir.VectorType(ir.DoubleType(), WIDTH)
ALIGNMENT = 8  # in bytes: arrays are aligned to their numbers, not always to their rows
# strict=False below: numba would compare annotations, which lambdas have none of.


class Lanes(types.Type):
    """The type of `WIDTH` numbers that are computed at once."""

    def __init__(self) -> None:
        super().__init__(name="Lanes")


LANES = Lanes()


@register_model(Lanes)
class LanesModel(models.PrimitiveModel):
    """What `Lanes` are to the compiler."""

    def __init__(self, manager: Any, frontend_type: Any) -> None:
        super().__init__(manager, frontend_type, VECTOR)


def broadcast(builder: ir.IRBuilder, x: ir.Value) -> ir.Value:
    """Return a vector that holds a number in every lane."""
    undefined, lane = ir.Constant(VECTOR, ir.Undefined), ir.IntType(32)
    first = builder.insert_element(undefined, x, lane(0))
    return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(lane, WIDTH), None))


def give_arithmetic(operation: Callable[..., Any], instruction: str) -> None:
    """Let `operation` take two vectors, or a vector and a number."""

    @intrinsic
    def compute(_: Any, a: Any, b: Any) -> Any:
        def generate(_: Any, builder: ir.IRBuilder, signature: Any, operands: Sequence[ir.Value]) -> ir.Value:
            pairs = zip(operands, signature.args, strict=True)
            vectors = (x if kind == LANES else broadcast(builder, x) for x, kind in pairs)
            return getattr(builder, instruction)(*vectors)

        return LANES(a, b), generate

    @overload(operation, strict=False)
    def take(a: Any, b: Any) -> Any:
        if LANES in (a, b) and {a, b} <= {LANES, types.float64}:
            return lambda a, b: compute(a, b)
        return None


for operation, instruction in ((operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul")):
    give_arithmetic(operation, instruction)


def has_rows(y: Any) -> bool:
    """Return whether an array has rows of numbers that lie one after the other."""
    return bool(y.dtype == types.float64 and (y.ndim == 1 or (y.ndim == 2 and y.layout == "C")))


def address(context: Any, builder: ir.IRBuilder, signature: Any, y: ir.Value, k: ir.Value) -> ir.Value:
    """Return where row k of `y` lies."""
    data = context.make_array(signature.args[0])(context, builder, y).data
    row = context.cast(builder, k, signature.args[1], types.intp)
    return builder.bitcast(builder.gep(data, [builder.mul(row, row.type(WIDTH))]), VECTOR.as_pointer())


@intrinsic
def load_vector(_: Any, y: Any, k: Any) -> Any:
    """Return a row as a vector."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, operands: Sequence[ir.Value]) -> ir.Value:
        return builder.load(address(context, builder, signature, *operands), align=ALIGNMENT)

    return LANES(y, k), generate


@intrinsic
def store_vector(_: Any, y: Any, k: Any, row: Any) -> Any:
    """Set a row to a vector."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, operands: Sequence[ir.Value]) -> ir.Value:
        y, k, row = operands
        builder.store(row, address(context, builder, signature, y, k), align=ALIGNMENT)
        return context.get_dummy_value()

    return types.void(y, k, row), generate


@overload(load, strict=False)
def load_of(y: Any, k: Any) -> Any:
    """Load a number from an array of one axis, a vector from one of two."""
    if not has_rows(y):
        return None
    return (lambda y, k: y[k]) if y.ndim == 1 else (lambda y, k: load_vector(y, k))


@overload(store, strict=False)
def store_of(y: Any, k: Any, row: Any) -> Any:
    """Store a number or a vector."""
    if not has_rows(y):
        return None
    if y.ndim == 1:

        def put(y: Any, k: Any, row: Any) -> None:
            y[k] = row

        return put
    return lambda y, k, row: store_vector(y, k, row)


# --- entries of arrays that do not overlap ----------------------------------------------------------------------------


def address_of_entry(context: Any, builder: ir.IRBuilder, signature: Any, x: ir.Value, k: ir.Value) -> ir.Value:
    """Return where entry k of `x` lies; k is not negative."""
    data = context.make_array(signature.args[0])(context, builder, x).data
    return builder.gep(data, [context.cast(builder, k, signature.args[1], types.intp)], inbounds=True)


@intrinsic
def fixed_entry(_: Any, x: Any, k: Any) -> Any:
    """Return an entry of an array that nobody writes to: without that the compiler would have to expect it of each store."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, operands: Sequence[ir.Value]) -> ir.Value:
        found = builder.load(address_of_entry(context, builder, signature, *operands))
        found.set_metadata("invariant.load", builder.module.add_metadata([]))
        return context.cast(builder, found, signature.args[0].dtype, types.float64)

    return types.float64(x, k), generate


@intrinsic
def set_entry(_: Any, y: Any, k: Any, value: Any) -> Any:
    """Set an entry of an array."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, operands: Sequence[ir.Value]) -> ir.Value:
        y, k, value = operands
        rounded = context.cast(builder, value, signature.args[2], signature.args[0].dtype)
        builder.store(rounded, address_of_entry(context, builder, signature, y, k))
        return context.get_dummy_value()

    return types.void(y, k, value), generate


@overload(entry, strict=False)
def entry_of(x: Any, k: Any) -> Any:
    """Read an entry."""
    return lambda x, k: fixed_entry(x, k)


@overload(put, strict=False)
def put_of(y: Any, k: Any, value: Any) -> Any:
    """Write an entry."""
    return lambda y, k, value: set_entry(y, k, value)
