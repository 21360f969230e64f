"""The record of a function's operations on traced arrays, and the graph of that record."""

from __future__ import annotations

import linecache
import operator
import sys
import sysconfig
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from cgraph.model.errors import EvaluationError, TraceError, shorten
from cgraph.model.evaluation import steps_of
from cgraph.model.graph import ComputationalGraph
from cgraph.model.language.expressions import Apply, Expression, Name, Number, write_name, write_step
from cgraph.model.language.names import unusable
from cgraph.model.language.source import MAX_LENGTH
from cgraph.model.operations.elementwise import row_of
from cgraph.model.tracing.array_constructors import taking_traced_arrays
from cgraph.model.tracing.traced_arrays import TracedArray, plain
from cgraph.model.values import as_value, is_finite, show_value

__all__ = ["Recording", "Refused", "differ"]

Rules = Mapping[Any, Callable[..., Any]]

# Frames of these are not the user's: a mistake is reported where the user's code calls them.
_LIBRARIES = tuple(
    {sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib", "purelib", "platlib")}
    | {str(Path(np.__file__).parent), str(Path(__file__).parent)}
)
_CLOSE = 1e-9  # two ways to compute the same, as a norm, differ by their rounding


class Refused(Exception):
    """What is asked of a rule that it cannot do: why, and what to write instead."""

    def __init__(self, message: str, hint: str = "") -> None:
        self.message, self.hint = message, hint
        super().__init__(message)


class Place(NamedTuple):
    """A line of the user's code."""

    file: str
    line: int


@dataclass(eq=False)
class Variable:
    """A node of the graph to be: a source, or one operation on earlier variables and numbers."""

    role: str
    value: Any  # as `evaluate` would find it
    number: int  # from 1, in the order of the record
    place: Place | None = None
    name: str = ""
    step: Apply | None = None
    operands: tuple[Variable | float, ...] = ()

    @property
    def numbers(self) -> tuple[Any, ...]:
        """What the function brought along here: the entries of a constant, or the numbers among the operands."""
        if self.step is None:
            return np.shape(self.value), np.asarray(self.value).tobytes()
        return tuple(operand for operand in self.operands if not isinstance(operand, Variable))


class Recording:
    """What a function has done so far.

    Parameters
    ----------
    function : callable
        The function that is traced; lines of its file are reported.
    rules : dict
        ``{NumPy function: rule}``; a rule takes the same arguments and applies operations of the tables.
    """

    def __init__(self, function: Callable[..., Any], rules: Rules) -> None:
        self.rules = rules
        self.variables: list[Variable] = []
        self.refusal: TraceError | None = None
        self._file = getattr(getattr(function, "__code__", None), "co_filename", "")
        self._taken: set[str] = set()
        self._uses: Counter[str] = Counter()
        self._numbers: Counter[str] = Counter()
        self._constants: dict[tuple[Any, ...], Variable] = {}
        self._frames: dict[int, FrameType] = {}
        self._base: FrameType | None = None  # while the function runs, what called it

    def source(self, role: str, name: str, value: Any) -> TracedArray:
        """Add an input or a weight."""
        return self._add(role, value, name=self._fresh(name))

    def name(self, array: TracedArray, name: str) -> None:
        """Name the result of an operation, which has no name yet."""
        array.variable.name = self._fresh(name)

    def run(self, function: Callable[..., Any], args: Sequence[TracedArray]) -> Any:
        """Call the function; whatever it makes of an error of ours, the error is raised."""
        self._base = sys._getframe()  # noqa: SLF001 - the one way to know lines and variables
        try:
            with taking_traced_arrays():
                result = function(*args)
        except Exception:
            if self.refusal is None:
                raise
        finally:
            self._base = None
        if self.refusal is not None:
            raise self.refusal from None
        return result

    def apply(self, operation: str, operands: Sequence[Any], options: Mapping[str, Any]) -> TracedArray:
        """Add an operation of the tables on traced arrays, plain arrays and numbers."""
        self._name_locals()
        step = Apply(operation, tuple(range(len(operands))), tuple(sorted(options.items())))
        read = tuple(self._operand(operand) for operand in operands)
        value = self._value(step, read)
        if np.size(value) == 0:
            raise Refused("gives an empty array", "a graph holds none")
        return self._add("operation", as_value(value), place=self._place(), step=step, operands=read)

    def follow(self, function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Do what a NumPy function does, by its rule, and see that the result is the same."""
        called = name_of(function)
        if function not in self.rules:
            raise self.error(f"{called} cannot be followed", "no operation of the tables is like it")
        rule = self.rules[function]
        try:
            signature(rule).bind(*args, **kwargs)
        except TypeError as error:
            raise self.error(f"{called} cannot be followed with these arguments", str(error)) from None
        try:
            result = rule(*args, **kwargs)
            with np.errstate(all="ignore"):
                expected = function(*plain(args), **plain(kwargs))
        except Refused as refused:
            raise self.error(f"{called} {refused.message}", refused.hint) from None
        except TraceError:
            raise
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:  # as NumPy finds the arguments
            raise self.error(f"{called} fails", shorten(str(error), 200)) from None
        if isinstance(result, list | tuple):
            return type(result)(self._agreed(called, y, v) for y, v in zip(result, expected, strict=True))
        return self._agreed(called, result, expected)

    def _agreed(self, called: str, result: Any, expected: Any) -> Any:
        """Return a result as NumPy has it, once it is seen to be the same."""
        if not isinstance(result, TracedArray):
            return result
        if differ(result.value, expected):
            found = f"{show_value(expected)} in NumPy and {show_value(result.value)} in a graph"
            raise self.error(f"{called} cannot be followed", f"here it gives {found}")
        return TracedArray(self, result.variable, expected)

    def error(self, message: str, hint: str = "", place: Place | None = None) -> TraceError:
        """Return the error that names a line of the user's code: the one at work now, or `place`."""
        place = place or self._place()
        file, line = place or ("", 0)
        self.refusal = TraceError(message, hint, file, line, linecache.getline(file, line).strip())
        return self.refusal

    def keep_what_is_read(self, outputs: Iterable[TracedArray]) -> None:
        """Forget operations and constants that no output depends on."""
        needed = {y.variable for y in outputs}
        for variable in reversed(self.variables):
            if variable in needed:
                needed.update(operand for operand in variable.operands if isinstance(operand, Variable))
        self.variables = [v for v in self.variables if v in needed or v.role in {"input", "weight"}]

    def graph(self, outputs: Mapping[str, TracedArray], *, named: bool) -> ComputationalGraph:
        """Return the graph of what was recorded.

        Parameters
        ----------
        outputs : dict
            What the function returned.
        named : bool
            Whether the keys are the function's own names; else they are for what has no name yet.
        """
        self._name_locals()
        for frame in self._frames.values():  # the variables as they were when their function ended
            self._name_from(frame)
        self._frames.clear()
        declared: list[Variable] = []
        for name, y in outputs.items():
            variable = y.variable
            if named and variable.name != name:
                if variable.step is None or variable in declared:
                    variable = self.apply("identity", [y], {}).variable
                self._hand_over(name, variable)
            variable.name = variable.name or self._fresh(name)
            declared.append(variable)
        G = ComputationalGraph()
        for variable in self.variables:
            variable.name = variable.name or self._numbered("t")
            self._build(G, variable)
        G.graph["outputs"] = list(dict.fromkeys(variable.name for variable in declared))
        return G

    def _build(self, G: ComputationalGraph, variable: Variable) -> None:
        if variable.step is None:
            {"input": G.add_input, "weight": G.add_weight, "constant": G.add_constant}[variable.role](
                variable.name, variable.value
            )
            return
        infix = bool(row_of(variable.step.operation).infix)
        equation = write_step(variable.step, [_written(operand, infix=infix) for operand in variable.operands])
        if len(equation) > MAX_LENGTH:
            raise self.error(
                f"an equation of {len(equation):,} characters; the limit is {MAX_LENGTH:,}",
                "take several steps, so that each has fewer operands",
                variable.place,
            )
        G.add_equation(variable.name, equation)

    def _add(self, role: str, value: Any, **details: Any) -> TracedArray:
        variable = Variable(role, value, len(self.variables) + 1, **details)
        self.variables.append(variable)
        return TracedArray(self, variable, np.asarray(value)[()])

    # --- operands and values ----------------------------------------------------------------------------------------

    def _operand(self, operand: Any) -> Variable | float:
        if isinstance(operand, TracedArray):
            if operand.recording is not self:
                raise self.error("an array of another trace", "hand it in as an argument")
            variable: Variable = operand.variable
            return variable
        array = np.asarray(operand)
        if array.dtype.kind not in "biuf":
            raise Refused(f"has an operand that holds no real numbers: {shorten(repr(operand))}")
        value = as_value(array.astype(float))
        if not is_finite(value):
            raise Refused(f"has the operand {show_value(value)}, which is not finite", "a graph holds finite numbers")
        return self._constant(value) if array.ndim else value

    def _constant(self, value: Any) -> Variable:
        key = (value.shape, value.tobytes())
        if key not in self._constants:
            constant = self._add("constant", value, place=self._place(), name=self._numbered("c"))
            self._constants[key] = constant.variable
        return self._constants[key]

    def _value(self, step: Apply, operands: Sequence[Variable | float]) -> Any:
        """Return what the operation gives in a graph."""
        y: dict[str, Any] = {}
        leaves: list[Name | Number] = []
        for operand in operands:
            if isinstance(operand, Variable):
                label = operand.name or self._free(f"t{operand.number}")
                y[label] = operand.value
                leaves.append(Name(label, 0, 0))
            else:
                leaves.append(Number(operand, _written(operand, infix=True)))
        try:
            with np.errstate(all="ignore"):
                return steps_of(Expression((*leaves, step)), y, "")[-1]
        except EvaluationError as error:
            raise self.error(str(error).partition(": ")[2]) from None

    # --- names ------------------------------------------------------------------------------------------------------

    def _fresh(self, name: str) -> str:
        """Take a name: `name` itself, or the second and third value of it as name_2, name_3."""
        name = f"{name}_" if unusable(name) else name
        self._uses[name] += 1
        fresh = self._free(name if self._uses[name] == 1 else f"{name}_{self._uses[name]}")
        self._taken.add(fresh)
        return fresh

    def _hand_over(self, name: str, variable: Variable) -> None:
        """Give a variable the name of a local one that is another; an input keeps its name."""
        holder = next((v for v in self.variables if v.name == name), None)
        if holder is None or holder.step is None:
            variable.name = self._fresh(name)
        else:
            holder.name, variable.name = self._fresh(name), name

    def _numbered(self, letter: str) -> str:
        """Take the next free one of t1, t2, ...."""
        name = letter
        while name == letter or name in self._taken:
            self._numbers[letter] += 1
            name = f"{letter}{self._numbers[letter]}"
        self._taken.add(name)
        return name

    def _free(self, name: str) -> str:
        while name in self._taken:
            name += "_"
        return name

    def _name_locals(self) -> None:
        """Name the traced arrays after the local variables that hold them, those of the caller first."""
        for frame in reversed(list(self._user_frames())):
            self._frames[id(frame)] = frame
            self._name_from(frame)

    def _name_from(self, frame: FrameType) -> None:
        for name, held in frame.f_locals.items():
            is_new = isinstance(held, TracedArray) and held.recording is self and not held.variable.name
            if is_new and name.isidentifier():
                held.variable.name = self._fresh(name)

    # --- places -----------------------------------------------------------------------------------------------------

    def _user_frames(self) -> Iterator[FrameType]:
        """Iterate over the frames of the user's code that are at work, the innermost first."""
        frame: FrameType | None = sys._getframe() if self._base else None  # noqa: SLF001 - as above
        while frame is not None and frame is not self._base:
            file = frame.f_code.co_filename
            if file == self._file or not file.startswith(_LIBRARIES):
                yield frame
            frame = frame.f_back

    def _place(self) -> Place | None:
        frame = next(self._user_frames(), None)
        return Place(frame.f_code.co_filename, frame.f_lineno) if frame else None


def name_of(function: Any) -> str:
    """Return how a function is called in code, as in "np.linalg.norm".

    Examples
    --------
    >>> name_of(np.exp), name_of(np.linalg.norm)
    ('np.exp', 'np.linalg.norm')
    """
    if function is operator.getitem:
        return "an index"
    if isinstance(function, np.ufunc):  # it does not say where it is from
        return f"np.{function.__name__}" if hasattr(np, function.__name__) else function.__name__
    return f"{function.__module__.replace('numpy', 'np')}.{function.__name__}"


def differ(a: Any, b: Any) -> bool:
    """Whether two results are more than rounding apart."""
    return np.shape(a) != np.shape(b) or not np.allclose(a, b, rtol=_CLOSE, atol=1e-12)


def _written(operand: Variable | float, *, infix: bool) -> str:
    """Return an operand as it is written in an equation."""
    if isinstance(operand, Variable):
        return write_name(operand.name)
    text = str(int(operand)) if operand.is_integer() and abs(operand) < 1e15 else repr(operand)
    return f"({text})" if infix and text.startswith("-") else text
