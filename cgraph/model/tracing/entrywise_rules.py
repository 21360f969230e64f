"""Rules of the functions that work entry by entry, of conditions, and of checks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cgraph.model.operations.elementwise import OPERATIONS
from cgraph.model.tracing.recording import Refused
from cgraph.model.tracing.traced_arrays import apply, plain

__all__ = ["ENTRYWISE", "are_conditions"]

Rule = Callable[..., Any]

# What the rows of the table say.
_OPERATIONS = {getattr(np, function): name for name, row in OPERATIONS.items() for function in row.numpy}


def _operation(function: np.ufunc, name: str) -> Rule:
    """Return the rule of a function that is one operation of the tables."""

    def rule(*operands: Any) -> Any:
        _require_precision(function, operands)
        return apply(name, *operands)

    return rule


def _require_precision(function: np.ufunc, operands: Sequence[Any]) -> None:
    """Refuse what NumPy computes in half precision, as functions of conditions."""
    kinds = [np.asarray(plain(operand)).dtype for operand in operands]
    if any(kind.itemsize == 1 for kind in kinds):
        given = function.resolve_dtypes((*kinds, None))[-1]
        if given.kind == "f" and given.itemsize < np.float64().itemsize:
            raise Refused("of conditions is computed in half precision by NumPy", "write 1.0 * (x > 0)")


# --- conditions -------------------------------------------------------------------------------------------------------


def are_conditions(*operands: Any) -> bool:
    """Whether all operands are true or false: NumPy then has "or" for a sum and "and" for a product."""
    return all(np.asarray(plain(operand)).dtype == bool for operand in operands)


def _of_conditions(combine: Rule) -> Rule:
    """Return a rule for and, or, not: of conditions, which are 0 or 1 in a graph, and of nothing else."""

    def rule(*conditions: Any) -> Any:
        if not are_conditions(*conditions):
            raise Refused("of numbers cannot be followed", "compare them first, as in (x > 0) & (x < 1)")
        return combine(*conditions)

    return rule


def _and(a: Any, b: Any) -> Any:
    return apply("mul", a, b)


def _or(a: Any, b: Any) -> Any:
    return apply("max", a, b)


def _not(a: Any) -> Any:
    return apply("sub", 1.0, a)


def _xor(a: Any, b: Any) -> Any:
    return apply("abs", apply("sub", a, b))


def _add(a: Any, b: Any) -> Any:
    return _or(a, b) if are_conditions(a, b) else apply("add", a, b)


def _where(condition: Any, x: Any, y: Any) -> Any:
    shape = np.broadcast_shapes(np.shape(condition), np.shape(x), np.shape(y))
    if shape and np.ndim(condition) == 0:  # one condition for all entries
        condition = np.broadcast_to(condition, shape)
    return apply("where", condition, x, y)


def _select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = np.where(condition, choice, result)
    return result


def _isclose(a: Any, b: Any, rtol: float = 1e-05, atol: float = 1e-08) -> Any:
    return np.absolute(a - b) <= atol + rtol * np.absolute(b)


def _always(function: Rule) -> Rule:
    """Return the rule of a check whose answer is known: what a graph holds is real and finite."""
    return lambda x: function(plain(x))


# --- functions of other functions -------------------------------------------------------------------------------------


def _reciprocal(x: Any) -> Any:
    if np.asarray(plain(x)).dtype.kind != "f":
        raise Refused("of whole numbers leaves no fractions in NumPy", "write 1 / x")
    return apply("reciprocal", x)


def _exp2(x: Any) -> Any:
    _require_precision(np.exp2, (x,))
    return apply("pow", 2.0, x)


def _logaddexp(a: Any, b: Any) -> Any:
    _require_precision(np.logaddexp, (a, b))
    shape = np.broadcast_shapes(np.shape(a), np.shape(b))
    return apply("logsumexp", np.stack([np.broadcast_to(a, shape), np.broadcast_to(b, shape)]), axis=0)


def _logaddexp2(a: Any, b: Any) -> Any:
    _require_precision(np.logaddexp2, (a, b))
    return np.logaddexp(math.log(2) * a, math.log(2) * b) / math.log(2)


def _clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    low, high = (min if a_min is None else a_min), (max if a_max is None else a_max)
    above = a if low is None else np.maximum(a, low)
    return above if high is None else np.minimum(above, high)


def _scaled(function: np.ufunc, factor: float) -> Rule:
    def rule(x: Any) -> Any:
        _require_precision(function, (x,))
        return x * factor

    return rule


# --- rounding ---------------------------------------------------------------------------------------------------------


def _floor(x: Any) -> Any:
    return apply("floor", x)


def _ceil(x: Any) -> Any:
    return -_floor(-x)


def _trunc(x: Any) -> Any:
    return np.where(x < 0, _ceil(x), _floor(x))


def _rint(x: Any) -> Any:
    """Round to the nearest whole number, a half to the even one."""
    below = _floor(x)
    part = x - below
    is_odd = below - 2 * _floor(below / 2) > 0
    return below + ((part > 0.5) | ((part >= 0.5) & is_odd))


def _round(a: Any, decimals: int = 0) -> Any:
    return _rint(a) if decimals == 0 else _rint(a * 10.0**decimals) / 10.0**decimals


def _floor_divide(a: Any, b: Any) -> Any:
    return _floor(a / b)


def _mod(a: Any, b: Any) -> Any:
    return a - b * _floor(a / b)


def _fmod(a: Any, b: Any) -> Any:
    return a - b * _trunc(a / b)


ENTRYWISE: dict[Any, Rule] = {
    **{function: _operation(function, name) for function, name in _OPERATIONS.items()},
    np.add: _add,
    np.positive: lambda x: x,
    np.reciprocal: _reciprocal,
    np.exp2: _exp2,
    np.logaddexp: _logaddexp,
    np.logaddexp2: _logaddexp2,
    np.clip: _clip,
    **dict.fromkeys((np.deg2rad, np.radians), _scaled(np.deg2rad, math.pi / 180)),
    **dict.fromkeys((np.rad2deg, np.degrees), _scaled(np.rad2deg, 180 / math.pi)),
    # rounding
    np.floor: _floor,
    np.ceil: _ceil,
    np.trunc: _trunc,
    np.rint: _rint,
    np.round: _round,
    np.floor_divide: _floor_divide,
    np.mod: _mod,
    np.fmod: _fmod,
    # of real numbers
    **dict.fromkeys((np.conjugate, np.real, np.real_if_close, np.copy, np.nan_to_num), lambda a: a),
    np.imag: lambda val: np.zeros(np.shape(val)),
    np.angle: lambda z: np.where(z < 0, math.pi, 0.0),
    # conditions
    **dict.fromkeys((np.logical_and, np.bitwise_and), _of_conditions(_and)),
    **dict.fromkeys((np.logical_or, np.bitwise_or), _of_conditions(_or)),
    **dict.fromkeys((np.logical_xor, np.bitwise_xor), _of_conditions(_xor)),
    **dict.fromkeys((np.logical_not, np.invert), _of_conditions(_not)),
    np.where: _where,
    np.select: _select,
    # checks
    np.isclose: _isclose,
    np.allclose: lambda a, b, rtol=1e-05, atol=1e-08: np.all(np.isclose(a, b, rtol, atol)),
    **{
        check: _always(check)
        for check in (np.isfinite, np.isnan, np.isinf, np.isreal, np.iscomplex, np.isrealobj, np.iscomplexobj)
    },
}
