"""Arrays that stand in for NumPy's while a function is traced."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

__all__ = ["TracedArray", "apply", "plain"]

_JOIN = "NumPy's functions take traced arrays as they are; np.array([a, b]), np.stack and np.concatenate join them"


def apply(operation: str, *operands: Any, **options: Any) -> Any:
    """Apply an operation of the tables to arrays, one of them at least traced."""
    recording = next(operand.recording for operand in operands if isinstance(operand, TracedArray))
    return recording.apply(operation, operands, options)


def plain(argument: Any) -> Any:
    """Return an argument with the values in place of the traced arrays."""
    if isinstance(argument, TracedArray):
        return argument.value
    if isinstance(argument, list | tuple):
        return type(argument)(map(plain, argument))
    if isinstance(argument, dict):
        return {key: plain(value) for key, value in argument.items()}
    return argument


def traced_in(argument: Any) -> Iterator[TracedArray]:
    """Iterate over the traced arrays in an argument."""
    if isinstance(argument, TracedArray):
        yield argument
    elif isinstance(argument, list | tuple):
        for part in argument:
            yield from traced_in(part)


def _in_place(function: Any) -> Callable[[TracedArray, Any], Any]:
    def update(self: TracedArray, other: Any) -> Any:
        if self.ndim:  # another name of the array would see the change
            self._refuse("an array is changed in place", "write x = x + 1 instead of x += 1")
        return function(self, other)  # NumPy's numbers cannot be changed either

    return update


def _refusal(message: str, hint: str) -> Callable[..., NoReturn]:
    """Return the method that refuses to give away a value without its record."""

    def refuse(self: TracedArray, *_: Any, **__: Any) -> NoReturn:
        self._refuse(message, hint)

    return refuse


class TracedArray(NDArrayOperatorsMixin):
    """An array, or a number, that records what is done with it.

    It goes where an ndarray of floats goes: into operators, indices, NumPy's functions, its own methods. What does not
    go down in the record is refused.

    Parameters
    ----------
    recording : Recording
        Where it goes down.
    variable : Variable
        The node of the graph to be.
    value : ndarray or NumPy number
        What the function would hold here if it were not traced.
    """

    __slots__ = ("recording", "value", "variable")
    __hash__ = None  # type: ignore[assignment]  # as an ndarray

    def __init__(self, recording: Any, variable: Any, value: Any) -> None:
        self.recording, self.variable, self.value = recording, variable, value

    # --- what is known without a record -------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.value)

    @property
    def ndim(self) -> int:
        return np.ndim(self.value)

    @property
    def size(self) -> int:
        return np.size(self.value)

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.asarray(self.value).dtype

    def __len__(self) -> int:
        return len(self.value)

    def __repr__(self) -> str:
        return f"<traced {self.variable.name or 'array'}: {self.value}>"

    def __format__(self, spec: str) -> str:
        return format(self.value, spec)

    # --- what is recorded ---------------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__":
            self._refuse(f"np.{ufunc.__name__}.{method} cannot be followed", "write np.sum, np.max, np.outer")
        if options:
            self._refuse(f"np.{ufunc.__name__} with {', '.join(options)}= cannot be followed", "write y = f(x)")
        return self.recording.follow(ufunc, inputs, {})

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return self.recording.follow(function, args, kwargs)

    def __getitem__(self, key: Any) -> Any:
        if next(traced_in(key), None) is not None:
            self._refuse("what an index selects would depend on a traced value", "write np.where(condition, a, b)")
        return self.recording.follow(operator.getitem, (self, key), {})

    def __iter__(self) -> Iterator[Any]:
        return (self[k] for k in range(len(self)))

    @property
    def T(self) -> Any:  # noqa: N802 - as NumPy has it
        return np.transpose(self)

    @property
    def mT(self) -> Any:  # noqa: N802 - as NumPy has it
        return np.swapaxes(self, -1, -2)

    @property
    def real(self) -> Any:
        return self

    @property
    def imag(self) -> Any:
        return np.imag(self)

    def __copy__(self) -> Any:
        return self  # nothing changes it

    def __deepcopy__(self, memo: Any) -> Any:
        return self

    def transpose(self, *axes: Any) -> Any:
        return np.transpose(self, (axes[0] if len(axes) == 1 else axes) or None)

    def reshape(self, *shape: Any, **options: Any) -> Any:
        return np.reshape(self, shape[0] if len(shape) == 1 else shape, **options)

    def ravel(self, order: Any = "C") -> Any:
        return np.ravel(self, order=order)

    flatten = ravel

    def clip(self, min: Any = None, max: Any = None) -> Any:
        return np.clip(self, min, max)

    def astype(self, dtype: Any) -> Any:
        if np.dtype(dtype) != np.float64:
            self._refuse(f"{np.dtype(dtype)} cannot be followed", "a graph holds real numbers, float64")
        return TracedArray(self.recording, self.variable, np.float64(self.value))

    __iadd__, __isub__, __imul__ = _in_place(np.add), _in_place(np.subtract), _in_place(np.multiply)
    __itruediv__, __ipow__, __imatmul__ = _in_place(np.divide), _in_place(np.power), _in_place(np.matmul)

    def __getattr__(self, name: str) -> Any:
        """Return a method that calls the function of the same name, as ``x.sum(axis=0)`` calls ``np.sum``."""
        if name.startswith("_") or not hasattr(np.ndarray, name):
            raise AttributeError(f"a traced array has no attribute {name!r}")
        function = getattr(np, name, None)
        if function is None or not callable(getattr(np.ndarray, name)):
            self._refuse(f".{name} cannot be followed")
        return lambda *args, **kwargs: function(self, *args, **kwargs)

    # --- what would leave the record ----------------------------------------------------------------------------------

    def _refuse(self, message: str, hint: str = "") -> NoReturn:
        raise self.recording.error(message, hint) from None

    __bool__ = _refusal(
        "a branch on a traced value", "a graph holds for one side only: write np.where(condition, a, b)"
    )
    __float__ = _refusal(
        "a traced value as a plain number: by float(), a function of math, or as an entry of a plain array",
        "write np.exp(x) for math.exp(x); np.array([a, b]) makes an array of entries",
    )
    __int__ = __index__ = __round__ = __trunc__ = __floor__ = __ceil__ = _refusal(
        "a traced value as a whole number", "its derivative is 0 wherever it has one"
    )
    __complex__ = _refusal("a traced value as a complex number", "a graph holds real numbers")
    __array__ = _refusal(
        "a traced array as a plain one: by np.array(), np.asarray(), or in a function that calls it", _JOIN
    )
    __contains__ = _refusal("'in' on a traced array", "a graph holds for one answer only")
    item = tolist = _refusal("a traced array as plain numbers", _JOIN)

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        self._refuse(
            "an entry of a traced array is set",
            "build the array from its parts with np.array([a, b]), np.concatenate or np.where",
        )
