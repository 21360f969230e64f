"""The text of a straight program for LLVM: one instruction for each step, without a branch, at one point or at eight.

A loop over a tape reads for each step what to do and where its operands are. Where a program is short enough, it is
written out instead: the compiler keeps in registers what is read soon, and uses the place of what is not read again.

Sums, products and quotients are instructions. Other operations are called for as many steps as are ready at a time, as
the loops of the tape compute them: they wait until no instruction is ready. The elimination is written as it was recorded.
"""

from __future__ import annotations

import heapq
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from cgraph.algorithms.compiled.edge_arrays import Floats
from cgraph.algorithms.compiled.simd import WIDTH
from cgraph.algorithms.compiled.tape.numba_rules import ADD, GIVEN, MUL, OPCODES, SUB, is_binary
from cgraph.algorithms.compiled.tape.program import Program

__all__ = ["FUNCTIONS_OF_ROWS", "STRAIGHT", "Layout", "call_straight", "run_straight", "straight_code"]

STRAIGHT = "straight_program"
FUNCTIONS_OF_ROWS = "cgraph_functions_of_rows"
TOGETHER = 64  # numbers that are computed by one call, at most
FEW = 2  # numbers that are computed one after the other in a call

# The instructions of the operations that have one.
_INSTRUCTIONS = {
    OPCODES[name]: instruction
    for name, instruction in {
        "add": "fadd {T} {x}, {b}",
        "mul": "fmul {T} {x}, {b}",
        "sub": "fsub {T} {x}, {b}",
        "div": "fdiv {T} {x}, {b}",
        "neg": "fneg {T} {x}",
        "square": "fmul {T} {x}, {x}",
        "reciprocal": "fdiv {T} {one}, {x}",
        "sqrt": "call {T} @llvm.sqrt.{S}({T} {x})",
        "abs": "call {T} @llvm.fabs.{S}({T} {x})",
    }.items()
}
_IDENTITY = OPCODES["identity"]


@dataclass(frozen=True, eq=False)
class Layout:
    """Where the numbers of a straight program come from, and where they go.

    Attributes
    ----------
    program : Program
        The rows, without weighted sums.
    recorded : list of int
        The rows in the order in which they are written: a row after those that it reads.
    accumulated : int
        How many of them come before the products and sums of the elimination; a product of these is added at once.
    numbers : dict
        The rows that hold the same at all points, and what.
    sources : list of int
        The row of each entry of x.
    values : list of int
        The row of each value that is returned.
    entries : list of (int, int)
        Place in the Jacobian and row of each entry that is not 0 by structure.
    size : int
        How many places the Jacobian has.
    """

    program: Program
    recorded: list[int]
    accumulated: int
    numbers: dict[int, float]
    sources: list[int]
    values: list[int]
    entries: list[tuple[int, int]]
    size: int


def call_straight(address: int, x: Floats, given: Floats, values: Floats, jacobian: Floats, blocks: int) -> int:
    """Call the program at an address; `cgraph.algorithms.compiled.straight_numba` says how."""
    raise NotImplementedError


def run_straight(address: int, x: Floats, given: Floats, values: Floats, jacobian: Floats, blocks: int) -> int:
    """Fill values and Jacobian at as many blocks of points; return whether all are finite."""
    return call_straight(address, x, given, values, jacobian, blocks)


def straight_code(layout: Layout, width: int, pointer: str) -> str:
    """Return the text of a function of x, what is given, values, Jacobian and a number of blocks of `width` points.

    It returns 1 if all that it wrote is finite, else 0. `pointer` is how this LLVM writes a pointer to numbers.
    """
    return "\n".join(_Writer(layout, width, pointer).lines())


def _written_together(
    operands: Mapping[int, Iterable[int]], called: Mapping[int, int], most: int
) -> Iterator[list[int]]:
    """Iterate over rows in an order in which they can be written, those together that one call computes.

    An instruction is written as soon as what it reads is there; then a call, of the operation for which the most rows
    wait, as instructions alone bring no more of them.

    Parameters
    ----------
    operands : dict
        The rows, as they were recorded, and which of them each reads.
    called : dict
        Of rows that are no instruction, the operation.
    most : int
        How many rows a call computes.
    """
    place = {k: p for p, k in enumerate(operands)}
    missing = {k: len(set(rows)) for k, rows in operands.items()}
    readers: dict[int, list[int]] = {}
    for k, rows in operands.items():
        for i in set(rows):
            readers.setdefault(i, []).append(k)
    instructions: list[tuple[int, int]] = []  # a heap: the one that was recorded first
    waiting: dict[int, list[int]] = {}
    arrived = [k for k, count in missing.items() if not count]
    while arrived or instructions or waiting:
        for k in arrived:
            if k in called:
                waiting.setdefault(called[k], []).append(k)
            else:
                heapq.heappush(instructions, (place[k], k))
        written = [heapq.heappop(instructions)[1]] if instructions else _taken(waiting, most)
        yield written
        arrived = []
        for reader in (reader for k in written for reader in readers.get(k, ())):
            missing[reader] -= 1
            if not missing[reader]:
                arrived.append(reader)


def _taken(waiting: dict[int, list[int]], most: int) -> list[int]:
    """Take out rows of the operation for which the most wait."""
    code = max(waiting, key=lambda code: min(len(waiting[code]), most))
    rows = waiting.pop(code)
    if len(rows) > most:
        waiting[code] = rows[most:]
    return rows[:most]


@dataclass(eq=False)
class _Writer:
    layout: Layout
    width: int
    pointer: str
    _lines: list[str] = field(default_factory=list)
    _named: dict[int, str] = field(default_factory=dict)  # rows that are written
    _number: int = 0

    def __post_init__(self) -> None:
        program = self.layout.program
        self._codes: list[int] = np.repeat(program.codes, np.diff(program.bounds)).tolist()
        self._first: list[int] = program.first.tolist()
        self._second: list[int] = program.second.tolist()
        self._source = {row: k for k, row in enumerate(self.layout.sources)}
        self.T = "double" if self.width == 1 else f"<{self.width} x double>"
        self.S = "f64" if self.width == 1 else f"v{self.width}f64"

    def lines(self) -> Iterator[str]:
        """Iterate over the lines of the text."""
        P, T, S, layout = self.pointer, self.T, self.S, self.layout
        steps = len(layout.sources), len(layout.values), layout.size
        yield f"declare void @{FUNCTIONS_OF_ROWS}(i64, {P}, {P}, {P}, i64)"
        yield from (f"declare {T} @llvm.{name}.{S}({T})" for name in ("sqrt", "fabs"))
        yield f"declare {T} @llvm.fmuladd.{S}({T}, {T}, {T})"
        yield f"define i64 @{STRAIGHT}({P} %x0, {P} %given, {P} %values0, {P} %jacobian0, i64 %blocks) {{"
        yield "entry:"
        for buffer in ("fx", "fb", "fy"):
            yield f"  %{buffer}a = alloca [{TOGETHER} x double], align 64"
            array = "ptr" if P == "ptr" else f"[{TOGETHER} x double]*"
            yield f"  %{buffer} = bitcast {array} %{buffer}a to {P}"
        yield "  br label %block"
        yield "block:"
        yield "  %k = phi i64 [0, %entry], [%after, %block]"
        yield f"  %wrong = phi {T} [{self._constant(0.0)}, %entry], [%wrong_after, %block]"
        for name, numbers in zip(("x", "values", "jacobian"), steps, strict=True):
            yield f"  %{name}_at = mul i64 %k, {numbers * self.width}"
            yield f"  %{name} = getelementptr double, {P} %{name}0, i64 %{name}_at"
        self._body()
        yield from self._lines
        yield "  %after = add i64 %k, 1"
        yield "  %more = icmp ult i64 %after, %blocks"
        yield "  br i1 %more, label %block, label %exit"
        yield "exit:"
        wrong = "%wrong_after"
        if self.width > 1:
            for lane in range(self.width):
                yield f"  %lane{lane} = extractelement {T} %wrong_after, i32 {lane}"
            yield "  %sum1 = fadd double %lane0, %lane1"
            for lane in range(2, self.width):
                yield f"  %sum{lane} = fadd double %sum{lane - 1}, %lane{lane}"
            wrong = f"%sum{self.width - 1}"
        yield f"  %finite = fcmp oeq double {wrong}, 0.0"
        yield "  %result = zext i1 %finite to i64"
        yield "  ret i64 %result"
        yield "}"

    def _body(self) -> None:
        needed, fused = self._needed()
        recorded, begin = self.layout.recorded, self.layout.accumulated
        self._before([k for k in recorded[:begin] if k in needed])
        taken_up = set(fused.values())
        for k in recorded[begin:]:
            if k in needed and k not in taken_up:
                self._named[k] = self._given(k) if self._codes[k] == GIVEN else self._instruction(k, fused)
        self._write_out()

    def _before(self, rows: Sequence[int]) -> None:
        """Write values and local derivatives."""
        self._named |= {k: self._given(k) for k in rows if self._codes[k] == GIVEN}
        computed = [k for k in rows if k not in self._named]
        operands = {k: {i for i in self._operands(k) if i not in self._named} for k in computed}
        called = {k: code for k in computed if (code := self._codes[k]) not in _INSTRUCTIONS and code != _IDENTITY}
        for written in _written_together(operands, called, TOGETHER // self.width):
            if written[0] in called:
                self._call(called[written[0]], written)
            else:
                self._named[written[0]] = self._instruction(written[0], {})

    def _needed(self) -> tuple[set[int], dict[int, int]]:
        """Return the rows that something that is returned depends on, and the product that a row adds to another."""
        layout = self.layout
        reads = dict.fromkeys(layout.values, 2) | dict.fromkeys((row for _, row in layout.entries), 2)
        for k in reversed(layout.recorded):
            if k in reads and self._codes[k] != GIVEN:
                for i in (self._first[k], self._second[k])[: 1 + is_binary(self._codes[k])]:
                    reads[i] = reads.get(i, 0) + 1
        fused = {}
        eliminated = set(layout.recorded[layout.accumulated :])
        for k in layout.recorded[layout.accumulated :]:
            if k in reads and self._codes[k] in (ADD, SUB):
                for i in (self._second[k], self._first[k]):
                    if self._codes[i] == MUL and reads[i] == 1 and i in eliminated:
                        fused[k] = i
                        break
        return set(reads), fused

    def _operands(self, k: int) -> tuple[int, ...]:
        return (self._first[k], self._second[k]) if is_binary(self._codes[k]) else (self._first[k],)

    def _instruction(self, k: int, fused: dict[int, int]) -> str:
        code = self._codes[k]
        if code == _IDENTITY:
            return self._named[self._first[k]]
        product = fused.get(k)
        if product is not None:
            return self._product_and_sum(k, product)
        x, b = (self._named[i] for i in (self._first[k], self._second[k] if is_binary(code) else self._first[k]))
        return self._let(_INSTRUCTIONS[code].format(T=self.T, S=self.S, x=x, b=b, one=self._constant(1.0)))

    def _product_and_sum(self, k: int, product: int) -> str:
        """Return a + x b, a - x b or x b - a."""
        a = self._named[self._first[k] if self._second[k] == product else self._second[k]]
        x, b = self._named[self._first[product]], self._named[self._second[product]]
        T = self.T
        if self._codes[k] == SUB:
            if self._second[k] == product:
                x = self._let(f"fneg {T} {x}")
            else:
                a = self._let(f"fneg {T} {a}")
        return self._let(f"call {T} @llvm.fmuladd.{self.S}({T} {x}, {T} {b}, {T} {a})")

    def _given(self, k: int) -> str:
        if k in self.layout.numbers:
            return self._constant(self.layout.numbers[k])
        if k not in self._source:
            return self._broadcast(self._load("given", k))
        if self.width == 1:
            return self._load("x", self._source[k])
        n = len(self.layout.sources)
        return self._gathered([self._load("x", p * n + self._source[k]) for p in range(self.width)])

    def _call(self, code: int, rows: Sequence[int]) -> None:
        """Write rows of one operation as one call."""
        padded = list(rows)
        if self.width == 1 and len(rows) > FEW:
            padded += [rows[-1]] * (-len(rows) % WIDTH)  # whole vectors take less time than single numbers
        for buffer, operand in (("fx", self._first), ("fb", self._second))[: 1 + is_binary(code)]:
            operands = [self._named[operand[k]] for k in padded]
            if self.width == 1:
                for p in range(0, len(operands), WIDTH):
                    vector = operands[p : p + WIDTH]
                    self._store(self._gathered(vector), f"<{len(vector)} x double>", buffer, p)
            else:
                for p, x in enumerate(operands):
                    self._store(x, self.T, buffer, p)
        P, n = self.pointer, len(padded) * self.width
        self._lines.append(f"  call void @{FUNCTIONS_OF_ROWS}(i64 {code}, {P} %fx, {P} %fb, {P} %fy, i64 {n})")
        for p, k in enumerate(rows):
            self._named[k] = self._let(f"load {self.T}, {self._at('fy', p, self.T)}, align 8")

    def _store(self, row: str, T: str, buffer: str, p: int) -> None:
        self._lines.append(f"  store {T} {row}, {self._at(buffer, p, T)}, align 8")

    def _write_out(self) -> None:
        """Store what is returned, and add 0 times it to what is nan as soon as something is not finite."""
        layout, T = self.layout, self.T
        wrong = ["%wrong"] + [self._constant(0.0)] * 3
        outputs = [("values", k, row, len(layout.values)) for k, row in enumerate(layout.values)]
        outputs += [("jacobian", place, row, layout.size) for place, row in layout.entries]
        for e, (name, place, row, stride) in enumerate(outputs):
            value = self._named[row]
            zero = self._constant(0.0)
            wrong[e % 4] = self._let(f"call {T} @llvm.fmuladd.{self.S}({T} {value}, {T} {zero}, {T} {wrong[e % 4]})")
            if self.width == 1:
                self._put(value, name, place)
            else:
                for p in range(self.width):
                    self._put(self._let(f"extractelement {T} {value}, i32 {p}"), name, p * stride + place)
        first = self._let(f"fadd {T} {wrong[0]}, {wrong[1]}")
        second = self._let(f"fadd {T} {wrong[2]}, {wrong[3]}")
        self._lines.append(f"  %wrong_after = fadd {T} {first}, {second}")

    def _put(self, value: str, name: str, place: int) -> None:
        at = self._let(f"getelementptr double, {self.pointer} %{name}, i64 {place}")
        self._lines.append(f"  store double {value}, {self.pointer} {at}, align 8")

    def _load(self, name: str, place: int) -> str:
        at = self._let(f"getelementptr double, {self.pointer} %{name}, i64 {place}")
        return self._let(f"load double, {self.pointer} {at}, align 8")

    def _at(self, buffer: str, p: int, T: str) -> str:
        """Return the address of row `p` of a buffer, with its type."""
        P, of_rows = self.pointer, "ptr" if self.pointer == "ptr" else f"{T}*"
        at = self._let(f"getelementptr double, {P} %{buffer}, i64 {p * self.width}")
        return f"{of_rows} {self._let(f'bitcast {P} {at} to {of_rows}')}"

    def _broadcast(self, x: str) -> str:
        return x if self.width == 1 else self._gathered([x] * self.width)

    def _gathered(self, numbers: Sequence[str]) -> str:
        """Return numbers side by side."""
        T, row = f"<{len(numbers)} x double>", "undef"
        for p, x in enumerate(numbers):
            row = self._let(f"insertelement {T} {row}, double {x}, i32 {p}")
        return row

    def _constant(self, x: float) -> str:
        number = f"0x{struct.unpack('>Q', struct.pack('>d', x))[0]:016X}"
        return number if self.width == 1 else f"<{', '.join([f'double {number}'] * self.width)}>"

    def _let(self, instruction: str) -> str:
        self._number += 1
        self._lines.append(f"  %v{self._number} = {instruction}")
        return f"%v{self._number}"
