"""The operations on a tape: each once for its value, once for its derivatives, generated from the table of operations.

Machine code needs a branch for each operation; `SOURCE` is its text. It branches on no number but where a row does, takes
the functions of `cgraph.algorithms.compiled.tape.elementary_functions` for those of NumPy, and gives inf or nan where a
value does not exist.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from cgraph.algorithms.compiled.tape import elementary_functions
from cgraph.algorithms.compiled.tape.elementary_functions import HUGE, LIMITED
from cgraph.model.language.expressions import written
from cgraph.model.language.parsing import parse
from cgraph.model.operations.elementwise import CHOICE, OPERATIONS, Operation
from cgraph.model.rules.differentiation import rules_of
from cgraph.model.rules.generate import TARGETS, Code, condition_of, source_of, value_of

__all__ = [
    "ADD",
    "CHOSEN",
    "GIVEN",
    "MUL",
    "OPCODES",
    "OTHER",
    "ROWS",
    "RULES",
    "SOURCE",
    "SUB",
    "WEIGHTED_SUM",
    "is_binary",
    "slope",
]  # fmt: skip

# A step of a tape reads two others at most: a choice of three operands is the sum of these, one of which is 0.
CHOSEN, OTHER = "chosen", "other"
_HALVES = {
    CHOSEN: Operation("c a", "where(c, a, 0)", ("0", "where(c, 1, 0)"), ""),
    OTHER: Operation("c a", "where(c, 0, a)", ("0", "where(c, 0, 1)"), ""),
}
_MACHINE = TARGETS["machine"]


def slope(name: str) -> str:
    """Return what the derivative of an operation is called, if it is one of its own: one that has a second form."""
    return f"{name}_slope"


def _slopes() -> dict[str, Operation]:
    """Return the derivatives by operand and output that have two forms, as operations: one step in place of a dozen."""
    return {
        slope(name): Operation(
            f"{row.names[0]} y",
            f"where({row.far[0]}, {row.far[1]}, {written(rules_of(row)[0])[-1]})",
            ("0", "0"),
            "",
            frequent=row.frequent,
        )
        for name, row in OPERATIONS.items()
        if row.far is not None
    }


def _in_order() -> dict[str, Operation]:
    """Return the rows of the tape: sums, products and differences first, what has two operands before what has one."""
    rows = {
        name: row
        for name, row in (OPERATIONS | _HALVES | _slopes()).items()
        if row is not CHOICE and len(row.names) <= 2 and not row.is_own  # the codes are the same in every process
    }
    rank = {"+": 0, "*": 1, "-": 2}
    return dict(sorted(rows.items(), key=lambda item: (-len(item[1].names), rank.get(item[1].infix, 3))))


ROWS = _in_order()
OPCODES = {name: code for code, name in enumerate(("given", "weighted_sum", *ROWS))}
GIVEN, WEIGHTED_SUM, ADD, MUL, SUB = range(5)
LAST_BINARY = max(OPCODES[name] for name, row in ROWS.items() if len(row.names) == 2)


def is_binary(code: int) -> bool:
    """Return whether the operation has two operands."""
    return ADD <= code <= LAST_BINARY


def _names(row: Operation) -> dict[str, str]:
    return dict(zip(row.names, "xb", strict=False))


def _value(row: Operation) -> Code:
    """Return the value of x, or of x and b; nan outside the domain of what is put together from other operations."""
    code = value_of(row, _MACHINE, _names(row))
    if row.domain is None or not row.value:
        return code
    inside = condition_of(row.domain[0], _MACHINE, _names(row))
    return Code([*inside.lines, *code.lines], [f"{code.results[0]} if {inside.results[0]} else np.nan"])


def _derivatives(row: Operation) -> Code:
    """Return dy/dx and dy/db, by the output where the row does so."""
    code = source_of(rules_of(row), _MACHINE, _names(row))
    return Code(code.lines, [*code.results, "0.0"][:2])


def _far(row: Operation) -> tuple[str, Code] | None:
    """Return the condition under which a derivative needs its other form, and that form."""
    if row.far is None:
        return None
    condition = condition_of(row.far[0], _MACHINE, _names(row))
    form = source_of([parse(row.far[1])], _MACHINE, _names(row))
    return condition.results[0], Code([*condition.lines, *form.lines], [*form.results, "0.0"])


def _precise(text: str) -> str:
    """Return source text in which what is fast for numbers of some size only is replaced by what is always right."""
    return re.sub(rf"(?<![\w.])({'|'.join(LIMITED)})\(", r"np.\1(", text)


def _ladder(head: str, codes: dict[str, Code]) -> Iterator[str]:
    """Generate a function with a branch for each operation."""
    yield head
    for name, code in codes.items():
        yield f"    if code == {OPCODES[name]}:  # {name}"
        yield from (f"        {_precise(line)}" for line in code.lines)
        yield f"        return {_precise(', '.join(code.results))}"
    yield "    return x" if "y)" not in head else "    return 0.0, 0.0"
    yield ""


def _with_far(row: Operation) -> Code:
    """Return the derivatives in whichever form has its digits."""
    code, far = _derivatives(row), _far(row)
    if far is None:
        return code
    condition, form = far
    lines = [*form.lines, *(line for line in code.lines if line not in form.lines)]
    return Code(lines, [f"({form.results[0]} if {condition} else {code.results[0]})", code.results[1]])


def _loop(head: str, reads: str, code: Code, writes: str, wrong: str) -> Iterator[str]:
    """Generate a loop over many numbers, in which the compiler chooses the operation beforehand.

    It counts the numbers for which it is `wrong`.
    """
    yield head
    yield from ["    wrong = 0"] * bool(wrong)
    yield "    for p in range(len(y_)):"
    yield f"        {reads}"
    yield from (f"        {line}" for line in code.lines)
    yield f"        {writes} = {', '.join(code.results)}"
    yield from [f"        wrong += {wrong}"] * bool(wrong)


def _mended(reads: str, wrong: str, code: Code, writes: str) -> Iterator[str]:
    """Generate a second loop, for those numbers alone."""
    yield "    if wrong > 0:"
    yield "        for p in range(len(y_)):"
    yield f"            {reads}"
    yield f"            if {wrong}:"
    yield from (f"                {line}" for line in code.lines)
    yield f"                {writes} = {', '.join(code.results)}"


def _loops(name: str, row: Operation) -> Iterator[str]:
    """Generate the loops of one operation: its values, its derivatives."""
    value, derivatives = _value(row), _derivatives(row)
    for head, reads, code, writes in (
        (f"def {name}_values(x_, b_, y_):", "x, b = x_[p], b_[p]", value, "y_[p]"),
        (f"def {name}_derivatives(x_, b_, y_, z_, z_b_):", "x, b, y = x_[p], b_[p], y_[p]", derivatives, "z_[p], z_b_[p]"),
    ):  # fmt: skip
        mended = _far(row) if code is derivatives else None
        precise = Code([_precise(line) for line in code.lines], [_precise(result) for result in code.results])
        if mended is None and precise != code:
            mended = f"abs(x) > {HUGE!r}", precise
        yield from _loop(head, reads, code, writes, mended[0] if mended else "")
        if mended is not None:
            yield from _mended(reads, mended[0], mended[1], writes)
        yield ""


def _dispatch(head: str, suffix: str, operands: str, otherwise: str) -> Iterator[str]:
    yield head
    for k, name in enumerate(FREQUENT):
        yield f"    {'elif' if k else 'if'} code == {OPCODES[name]}:"
        yield f"        {name}_{suffix}({operands})"
    yield "    else:"
    yield "        for p in range(len(y_)):"
    yield f"            {otherwise}"
    yield ""


FREQUENT = [name for name, row in ROWS.items() if row.frequent]
SOURCE = "\n".join([
    *_ladder("def value(code, x, b):", {name: _value(row) for name, row in ROWS.items()}),
    *_ladder("def derivatives(code, x, b, y):", {name: _with_far(row) for name, row in ROWS.items()}),
    *(line for name in FREQUENT for line in _loops(name, ROWS[name])),
    *_dispatch("def values_of(code, x_, b_, y_):", "values", "x_, b_, y_", "y_[p] = value(code, x_[p], b_[p])"),
    *_dispatch("def derivatives_of(code, x_, b_, y_, z_, z_b_):", "derivatives", "x_, b_, y_, z_, z_b_",
               "z_[p], z_b_[p] = derivatives(code, x_[p], b_[p], y_[p])"),
])  # fmt: skip


def _defined() -> tuple[Callable[..., Any], ...]:
    """Return the functions of `SOURCE`, in its order: what calls another stands after it."""
    namespace: dict[str, Any] = {"__name__": __name__, "np": np, "math": math}
    namespace |= {name: getattr(elementary_functions, name) for name in ("exp", "log", "sin", "cos", "tanh")}
    before = set(namespace)
    exec(compile(SOURCE, __file__, "exec"), namespace)  # noqa: S102 - generated above, from the table alone
    return tuple(function for name, function in namespace.items() if name not in before and callable(function))


RULES = _defined()
