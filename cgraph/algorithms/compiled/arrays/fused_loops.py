"""A run of operations as one loop: its source, generated from the table of operations, and its machine code.

The loop reads arrays that are contiguous, each as far as it varies, and writes the outputs. It counts the entries for which a
result is not finite, or what would hide that it is not: the operand of a function or of a comparison, say. Where a derivative
needs its other form for some entry, all is computed a second time with both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np

from cgraph.algorithms.compiled.arrays.runs import Run, past_repeats
from cgraph.algorithms.compiled.arrays.steps import NUMBER, Shape, Step
from cgraph.algorithms.compiled.jit import compiled
from cgraph.algorithms.compiled.simd import entry, put
from cgraph.algorithms.compiled.tape.elementary_functions import FUNCTIONS, HUGE, LIMITED
from cgraph.model.language.parsing import parse
from cgraph.model.operations.elementwise import OPERATIONS, Operation
from cgraph.model.rules.generate import TARGETS, Code, condition_of, source_of, value_of

__all__ = ["Loop", "machine_code"]

_MACHINE = TARGETS["machine"]
_BY_VALUE = {"max", "min", "sign"}  # a choice is quicker than NumPy's function, which looks for nan
# What is not finite in an operand is not finite in the result, whatever the other operand is.
_PASSING = {"add", "sub", "mul", "neg", "square"}


class Loop:
    """The text of a run, and what it is called with.

    Parameters
    ----------
    steps : sequence of Step
        All steps of the plan.
    run : Run
        Those of the loop.

    Attributes
    ----------
    source : str
        The function ``run(sizes..., most, numbers..., arrays..., outputs...)``, which returns how many entries are wrong.
    sizes : list of int
        The axes of the loop, neighbours with the same pattern being one.
    numbers : list of str
        The numbers.
    arrays : list of int
        The steps that are read.
    outputs : int
        How many arrays are written.
    """

    def __init__(self, steps: Sequence[Step], run: Run) -> None:
        self._steps, self._run = steps, run
        self._names: dict[int, str] = {x: f"v{k}" for k, x in enumerate(run.members)}
        self.numbers: list[str] = []
        self.arrays: list[int] = []
        self.outputs = len(run.outputs)
        for x in run.members:
            for o in map(self._past, steps[x].operands):
                self._read(o)
        self.sizes, self._patterns = _merged(run.shape, [steps[x].shape for x in self.arrays])
        self.source = "\n".join(self._written())

    def _past(self, x: int) -> int:
        return past_repeats(self._steps, x)

    def _read(self, x: int) -> None:
        if x in self._names:
            return
        if self._steps[x].kind == NUMBER:
            self._names[x] = f"c{len(self.numbers)}"
            self.numbers.append(self._steps[x].text)
        else:
            self._names[x] = f"x{len(self.arrays)}"
            self.arrays.append(x)

    def _written(self) -> Iterator[str]:
        sizes = [f"n{k}" for k in range(len(self.sizes))]
        numbers = [f"c{k}" for k in range(len(self.numbers))]
        arrays = [f"a{k}" for k in range(len(self.arrays))]
        outputs = [f"y{k}" for k in range(len(self._run.outputs))]
        far = any(map(self._may_be_far, self._run.members))
        yield f"def run({', '.join([*sizes, 'most', *numbers, *arrays, *outputs])}):"
        yield "    wrong = 0"
        yield from ["    far = 0"] * far
        yield from self._loops("    ", is_near=True)
        if far:
            yield "    if far > 0:"
            yield "        wrong = 0"
            yield from self._loops("        ", is_near=False)
        yield "    return wrong"

    def _loops(self, indent: str, *, is_near: bool) -> Iterator[str]:
        """Generate the loops over all axes, around the body."""
        *outer, inner = range(len(self.sizes))
        for k in outer:
            yield f"{indent}for i{k} in range(n{k}):"
            indent += "    "
        yield f"{indent}o = {_offset(outer, inner, [True] * len(self.sizes))}"
        for k, pattern in enumerate(self._patterns):
            yield f"{indent}o{k} = {_offset(outer, inner, pattern)}"
            if not pattern[inner]:
                yield f"{indent}x{k} = entry(a{k}, o{k})"
        yield f"{indent}for i in range(n{inner}):"
        for k, pattern in enumerate(self._patterns):
            if pattern[inner]:
                yield f"{indent}    x{k} = entry(a{k}, o{k} + i)"
        for line in self._body(is_near=is_near):
            yield f"{indent}    {line}"

    def _body(self, *, is_near: bool) -> Iterator[str]:
        for x in self._run.members:
            step, name = self._steps[x], self._names[x]
            operands = [self._names[self._past(o)] for o in step.operands]
            code = _renamed(_value(step.operation), name, operands)
            lines = [*code.lines, f"{name} = {code.results[0]}"]
            yield from lines if is_near else map(_precise, lines)
            if step.operation in LIMITED and is_near:
                yield f"far += abs({operands[0]}) > {HUGE!r}"
            if step.far is not None:
                condition, form = (
                    _renamed(code, f"{name}_{k}", operands[-2:]) for k, code in enumerate(_other_form(step.far))
                )
                yield from condition.lines
                if is_near:
                    yield f"far += {condition.results[0]}"
                else:
                    yield from form.lines
                    yield f"{name} = {form.results[0]} if {condition.results[0]} else {name}"
        found = [f"(not (abs({self._names[x]}) <= most))" for x in self._run.members if self._is_checked(x)]
        yield f"wrong += {' | '.join(found)}"
        for k, x in enumerate(self._run.outputs):
            yield f"put(y{k}, o + i, {self._names[x]})"

    def _may_be_far(self, x: int) -> bool:
        return self._steps[x].far is not None or self._steps[x].operation in LIMITED

    def _is_checked(self, x: int) -> bool:
        """Return whether a value must be looked at: if others read it, or if what follows could hide that it is not finite."""
        readers = [self._steps[r] for r in self._run.members if x in map(self._past, self._steps[r].operands)]
        return x in self._run.outputs or any(step.operation not in _PASSING or step.far is not None for step in readers)


def machine_code(loop: Loop, dtype: Any) -> Callable[..., int]:
    """Return the function of a loop for arrays of a type, as machine code, which is kept on disk.

    It is made here, not in the first call: what keeps numba from making it is raised before anything is computed.
    """
    run = compiled((_function(loop.source),), (), FUNCTIONS, loop.source)["run"]
    read, written = np.zeros(1, dtype), np.zeros(1, dtype)
    read.setflags(write=False)
    numbers = [1.0] * (1 + len(loop.numbers))
    run(*[0] * len(loop.sizes), *numbers, *[read] * len(loop.arrays), *[written] * loop.outputs)  # of no entries
    return run


@cache
def _function(source: str) -> Callable[..., Any]:
    namespace: dict[str, Any] = {"__name__": __name__, "np": np, "entry": entry, "put": put}
    namespace |= {function.__name__: function for function in FUNCTIONS if function.__name__ in OPERATIONS}
    exec(compile(source, __file__, "exec"), namespace)  # noqa: S102 - generated here, from the table and from numbers of axes
    run: Callable[..., Any] = namespace["run"]
    return run


# --- from the table ---------------------------------------------------------------------------------------------------


@cache
def _value(operation: str) -> Code:
    """Return the value of an operation, whose operands are called x_0, x_1."""
    row = OPERATIONS[operation]
    names = {operand: f"x_{k}" for k, operand in enumerate(row.names)}
    code = source_of([parse(row.value)], _MACHINE, names) if operation in _BY_VALUE else value_of(row, _MACHINE, names)
    return Code(code.lines, [re.sub(r"np\.(log1p|abs)\(", r"\1(", code.results[0])])


@cache
def _other_form(row: Operation) -> tuple[Code, Code]:
    """Return where a derivative needs another form, and that form, of the output x_0 and the operand x_1."""
    condition, form = row.far or ("", "")
    names = {"y": "x_0", row.names[0]: "x_1"}
    return condition_of(condition, _MACHINE, names), source_of([parse(form)], _MACHINE, names)


def _renamed(code: Code, name: str, operands: Sequence[str]) -> Code:
    """Return code with the operands of a step, and names of its own for what stands between."""

    def rename(text: str) -> str:
        text = re.sub(r"\bx_(\d+)\b", lambda found: operands[int(found[1])], text)
        return re.sub(r"\bt(\d+)\b", rf"{name}_t\1", text)

    return Code([rename(line) for line in code.lines], [rename(text) for text in code.results])


def _precise(text: str) -> str:
    """Return text in which functions that are right for numbers of some size only are replaced by those of NumPy."""
    return re.sub(rf"(?<![\w.])({'|'.join(LIMITED)})\(", r"np.\1(", text)


# --- which entries ----------------------------------------------------------------------------------------------------


def _merged(shape: Shape, operands: Sequence[Shape]) -> tuple[list[int], list[list[bool]]]:
    """Return the axes of a loop, and for each operand along which of them it varies; neighbours that are alike are one."""
    aligned = [(1,) * (len(shape) - len(operand)) + operand for operand in operands]
    sizes: list[int] = []
    patterns: list[tuple[bool, ...]] = []
    for axis, n in enumerate(shape):
        pattern = tuple(operand[axis] == n for operand in aligned)
        if n == 1:
            continue
        if patterns and patterns[-1] == pattern:
            sizes[-1] *= n
        else:
            sizes.append(n)
            patterns.append(pattern)
    if not sizes:  # one entry
        return [1], [[True]] * len(operands)
    return sizes, [[pattern[k] for pattern in patterns] for k in range(len(operands))]


def _offset(outer: Sequence[int], inner: int, varies: Sequence[bool]) -> str:
    """Return where the entries of an operand begin, as text: by the axes along which it varies."""
    text = "0"
    for k in outer:
        if varies[k]:
            text = f"i{k}" if text == "0" else f"({text} * n{k} + i{k})"
    return f"{text} * n{inner}" if varies[inner] and text != "0" else text
