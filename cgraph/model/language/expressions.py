"""Equations as straight-line programs, and how their steps are written.

An equation is itself a small computational graph: steps, each a name, a number or an operation on earlier steps; the
last step is the result. The forward pass and the sweep for the local derivatives (`cgraph.model.evaluation`) walk
that list, so nothing recurses over the depth of an expression. `cgraph.model.language.parsing` reads the text of an equation
into steps; the functions here write steps as text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from cgraph.model.operations.elementwise import LISTED, OF_ONE_ARRAY, WORDED, name_of, row_of
from cgraph.model.operations.slices import Slice

__all__ = ["Apply", "Expression", "Name", "Number", "needs_brackets", "write_name", "write_step", "written"]

_FUNCTION, _INDEX = 9, 10  # how tightly they bind


class Name(NamedTuple):
    """A step that reads the value of a node; `start` and `stop` are where in the text it is named."""

    name: str
    start: int
    stop: int


class Number(NamedTuple):
    """A step that is a constant; `text` is how it was written."""

    value: float
    text: str


class Apply(NamedTuple):
    """A step that applies a row of a table to earlier steps, with the options of operations on arrays."""

    operation: str
    operands: tuple[int, ...]
    options: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Expression:
    """A straight-line program: every step uses earlier steps, the last one is the result."""

    steps: tuple[Name | Number | Apply, ...]

    @cached_property
    def operands(self) -> tuple[str, ...]:
        """The nodes read, in order of appearance and as often as they appear."""
        return tuple(step.name for step in self.steps if isinstance(step, Name))

    @cached_property
    def varies(self) -> tuple[bool, ...]:
        """For each step, whether it depends on a node at all."""
        flags: list[bool] = []
        for step in self.steps:
            flags.append(isinstance(step, Name) or (isinstance(step, Apply) and any(flags[k] for k in step.operands)))
        return tuple(flags)


def write_name(name: str) -> str:
    """Return how `name` is written in an equation.

    Examples
    --------
    >>> write_name("x1"), write_name("9"), write_name("j-")
    ('x1', 'y(9)', 'y("j-")')
    """
    if name.isidentifier() and re.fullmatch(r"\w+", name):
        return name
    plain_number = name.isascii() and name.isdigit() and str(int(name[:19])) == name
    return f"y({name})" if plain_number else f"y({json.dumps(name, ensure_ascii=False)})"


def write_step(step: Apply, operands: Sequence[str]) -> str:
    """Return an operation as it is written in an equation, its operands written already.

    Examples
    --------
    >>> write_step(Apply("sum", (0,), (("axis", 1),)), ["x"])
    'sum(x, axis=1)'
    >>> write_step(Apply("index", (0,), (("key", (0, Slice(None, 2, None))),)), ["W"])
    'W[0, :2]'
    """
    row = row_of(step.operation)
    if row.infix:
        return f" {row.infix} ".join(operands) if len(operands) > 1 else row.infix + operands[0]
    if _is_postfix(step):
        before = f"({operands[0]})" if operands[0][0].isdigit() else operands[0]  # the point would be a decimal one
        key = dict(step.options).get("key", ())
        return f"{before}[{', '.join(map(_write_part, key))}]" if key else f"{before}.T"
    name = next((name for name, of_one in OF_ONE_ARRAY.items() if of_one == step.operation), name_of(step.operation))
    if step.operation in WORDED:
        return f"{name}({', '.join([json.dumps(text) for _, text in step.options] + list(operands))})"
    if step.operation in LISTED:
        options = [str(number) for _, numbers in step.options for number in numbers]
    else:
        options = [f"{option}={_write_option(value)}" for option, value in step.options]
    return f"{name}({', '.join([*operands, *options])})"


def _write_option(value: Any) -> str:
    return str(value[0] if isinstance(value, tuple) and len(value) == 1 else value)


def _write_part(part: Any) -> str:
    if isinstance(part, Slice):
        ends = ["" if end is None else str(end) for end in part]
        return ":".join(ends if part.step is not None else ends[:2])
    return str(list(part) if isinstance(part, tuple) else part)


def written(expression: Expression) -> list[str]:
    """Return every step as it is written in an equation, in brackets where it stands in a tighter operation.

    Examples
    --------
    >>> from cgraph.model.language.parsing import parse
    >>> written(parse("exp((a+b) * c)"))[-2:]
    ['(a + b) * c', 'exp((a + b) * c)']
    """
    texts: list[str] = []
    for step in expression.steps:
        match step:
            case Name(name):
                texts.append(write_name(name))
            case Number(_, text):
                texts.append(text)
            case Apply(operation, operands) as step:
                # An index binds to what stands before it; the brackets of a function keep everything together.
                binds = _INDEX if _is_postfix(step) else row_of(operation).precedence
                texts.append(write_step(step, [_bracketed(expression.steps[o], texts[o], binds, k > 0)
                                               for k, o in enumerate(operands)]))  # fmt: skip
    return texts


def _is_postfix(step: Apply) -> bool:
    """Whether an operation is written behind its operand, as x[0] and A.T are."""
    return step.operation == "index" or (step.operation == "transpose" and not step.options)


def _bracketed(step: Name | Number | Apply, text: str, binds: int, on_the_right: bool) -> str:
    """Return an operand, in brackets if it binds less tightly than the operation it stands in."""
    if isinstance(step, Number) and binds == _INDEX:
        return f"({text})"
    return f"({text})" if isinstance(step, Apply) and _is_looser(step.operation, binds, on_the_right) else text


def _is_looser(operation: str, binds: int, on_the_right: bool) -> bool:
    """Whether an operation needs brackets as an operand of one that binds so tightly."""
    if not row_of(operation).infix or binds == _FUNCTION:
        return False
    inner = row_of(operation).precedence
    # a - (b - c), but (a ^ b) ^ c; of comparisons there is one at a time.
    groups_left = binds != row_of("pow").precedence
    is_alone = inner == binds and (on_the_right or not groups_left or binds == row_of("less").precedence)
    return inner < binds or is_alone


def needs_brackets(inner: str, outer: str, position: int) -> bool:
    """Whether the operation `inner` stands in brackets as an operand of the operation `outer`.

    Examples
    --------
    >>> needs_brackets("add", "mul", 0), needs_brackets("add", "exp", 0), needs_brackets("sub", "sub", 1)
    (True, False, True)
    """
    return _is_looser(inner, row_of(outer).precedence, position > 0)
