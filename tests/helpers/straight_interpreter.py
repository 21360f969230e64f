"""The text of a straight program, run in Python an instruction at a time; its products are counted."""

import re

import numpy as np

from cgraph.algorithms.compiled.straight_code import TOGETHER
from cgraph.algorithms.compiled.tape.numba_rules import ROWS, is_binary
from cgraph.model.rules.generate import functions_of

ARITHMETIC = {
    "fadd": lambda a, b: a + b,
    "fsub": lambda a, b: a - b,
    "fmul": lambda a, b: a * b,
    "fdiv": lambda a, b: a / b,
}
_NAMES = list(ROWS.values())


def interpret(text, **arrays):
    """Fill `values` and `jacobian` from `x` and `given`, lists of numbers, at one point; return the number of products."""
    machine = Machine(arrays)
    body = text[text.index("%jacobian = ") : text.index("%wrong_after =")].splitlines()[1:-1]
    for line in map(str.strip, body):
        machine.run(line)
    return machine.products


class Machine:
    """What names hold: numbers, lists of numbers, or a list and a place in it."""

    def __init__(self, arrays):
        self.known = {f"%{name}": (array, 0) for name, array in arrays.items()}
        self.known |= {f"%f{name}": ([0.0] * TOGETHER, 0) for name in "xby"} | {"%wrong": 0.0}
        self.products = 0

    def number(self, text):
        return self.known[text] if text.startswith("%") else float(np.uint64(int(text, 16)).view(np.float64))

    def run(self, line):
        name, _, instruction = line.rpartition(" = ")
        words = instruction.replace(",", "").split()
        operands = [self.number(word) for word in re.findall(r"%\w+|\b0x\w+", instruction.split("@llvm.")[-1])]
        if words[0] in ARITHMETIC:
            self.products += words[0] == "fmul"
            self.known[name] = ARITHMETIC[words[0]](*operands)
        elif words[0] == "fneg":
            self.known[name] = -operands[0]
        elif words[0] == "getelementptr":
            self.known[name] = (operands[0][0], int(words[-1]))
        elif words[0] == "bitcast":
            self.known[name] = operands[0]
        elif words[0] == "load":
            array, place = operands[0]
            self.known[name] = array[place]
        elif words[0] == "insertelement":
            before = [] if "undef" in words else operands[0]
            self.known[name] = [*before, operands[-1]]
        elif words[0] == "store":
            stored, (array, place) = operands
            stored = stored if isinstance(stored, list) else [stored]
            array[place : place + len(stored)] = stored
        elif "@llvm.fmuladd.f64(double" in instruction:
            x, b, a = operands
            self.products += (
                b != 0 or "0x0000000000000000" not in instruction
            )  # 0 times what is returned: is it finite?
            self.known[name] = x * b + a
        elif "@llvm." in instruction:
            self.known[name] = float(getattr(np, re.search(r"@llvm\.(\w+)", instruction)[1])(operands[0]))
        else:
            self.call(*map(int, re.search(r"\(i64 (\d+),.* i64 (\d+)\)", line).groups()))

    def call(self, code, n):
        value = functions_of(_NAMES[code - 2]).value
        x, b, y = (self.known[buffer][0] for buffer in ("%fx", "%fb", "%fy"))
        y[:n] = [float(value(*ab[: 1 + is_binary(code)])) for ab in zip(x[:n], b[:n], strict=True)]
