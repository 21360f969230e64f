"""The text of an equation, read into a straight-line program.

An equation is itself a small computational graph. `parse` writes it down as steps, each a name, a number or an
operation on earlier steps; the last step is the result. The forward pass and the sweep for the local
derivatives (`cgraph.model.evaluation`) walk that list, so nothing recurses over the depth of an expression.

The text is untrusted. `cgraph.model.source` checks it, Python's `ast` reads it, a whitelist decides what may stand
in it, and nothing of it is ever executed.
"""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from cgraph.model.errors import EquationError, nearest, shorten
from cgraph.model.names import unusable
from cgraph.model.operations import ALIASES, CONSTANTS, FUNCTIONS, OPERATIONS
from cgraph.model.source import MAX_DEPTH, SPLIT, TOO_DEEP, Source

__all__ = [
    "Apply",
    "Expression",
    "Name",
    "Number",
    "parse",
    "parse_assignments",
    "substitute",
    "write_name",
]

_BINARY = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow"}
# The parts of a text between semicolons and line ends, and the sides of the first "=", none of them within quotes.
_QUOTED = r""" "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' """
_PART = re.compile(rf"(?: {_QUOTED} | [^;\n] )+", re.VERBOSE)
_ASSIGNMENT = re.compile(rf"(?P<left> (?> {_QUOTED} | [^=] )*? ) = (?P<right>.*)", re.VERBOSE | re.DOTALL)
_FOLDED = {"max", "min"}  # written with any number of operands, two at a time in the table


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
    """A step that applies a row of the table to earlier steps."""

    operation: str
    operands: tuple[int, ...]


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


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """Read the right-hand side of an equation.

    Parameters
    ----------
    text : str
        Arithmetic with ``+ - * / ^`` (or ``**``), brackets, the functions of the table of operations, numbers,
        ``pi`` and ``e``. ``y(5)`` is the node "5" and ``y("j-")`` the node "j-".

    Returns
    -------
    Expression
        The steps of the computation.

    Raises
    ------
    EquationError
        With the column of the mistake; also when the text is longer than 10,000 characters or nested more
        than 100 levels deep.

    Notes
    -----
    Linear in the length of the text. ``^`` binds as ``**`` does: tighter than a sign before it, and from the
    right.

    Examples
    --------
    >>> parse("x * z").steps
    (Name(name='x', start=0, stop=1), Name(name='z', start=4, stop=5), Apply(operation='mul', operands=(0, 1)))
    >>> parse("x*x + y(5)").operands
    ('x', 'x', '5')
    """
    source = Source(text)
    steps: list[Name | Number | Apply] = []
    results: list[int] = []  # the steps that no later step has used yet
    todo: list[tuple[ast.expr, int] | _Pending] = [(source.tree, 0)]
    while todo:
        match todo.pop():
            case _Pending(operation, arity):
                operands = results[-arity:]
                del results[-arity:]
                results.append(_apply(operation, operands, steps))
            case node, depth:
                if depth > MAX_DEPTH:
                    raise source.error(TOO_DEEP, node, SPLIT)
                item, children = _read(node, source)
                if isinstance(item, str):
                    # A long sum leans to the left; only what stands to the right nests.
                    nests = [depth + (k > 0 or not isinstance(node, ast.BinOp)) for k in range(len(children))]
                    todo += [_Pending(item, len(children)), *reversed(list(zip(children, nests, strict=True)))]
                else:
                    results.append(len(steps))
                    steps.append(item)
    return Expression(tuple(steps))


class _Pending(NamedTuple):
    """An operation that waits for its operands to be read."""

    operation: str
    arity: int


def _apply(operation: str, operands: list[int], steps: list[Name | Number | Apply]) -> int:
    """Append an operation to `steps` and return its place; max(a, b, c) is max(max(a, b), c)."""
    if len(operands) == 1:
        steps.append(Apply(operation, (operands[0],)))
        return len(steps) - 1
    first, *rest = operands
    for operand in rest:
        steps.append(Apply(operation, (first, operand)))
        first = len(steps) - 1
    return first


def parse_assignments(text: str) -> list[tuple[str, str]]:
    """Split ``"a = x*z; y = exp(a)"`` into pairs of name and equation, at semicolons and line ends.

    Examples
    --------
    >>> parse_assignments("a = x*z; y(10) = ln(a)")
    [('a', 'x*z'), ('10', 'ln(a)')]
    """
    pairs = []
    for part in _PART.finditer(text):
        if part[0].strip():
            try:
                pairs.append(_read_assignment(part[0]))
            except EquationError as error:
                raise error.within(text, part.start()) from None
    if not pairs:
        raise EquationError("the equation is empty", text)
    return pairs


def _read_assignment(text: str) -> tuple[str, str]:
    """Return the name and the equation of ``name = equation``."""
    indent = len(text) - len(text.lstrip())
    parts = _ASSIGNMENT.fullmatch(text)
    if not parts:
        raise EquationError("no '='", text, indent, "write name = equation, several of them with ';' between")
    left, right = parts["left"].strip(), parts["right"].strip()
    if left.isidentifier() and (reason := unusable(left)):
        raise EquationError(reason, text, indent)
    target = parse(left).steps if left else ()
    if not (len(target) == 1 and isinstance(target[0], Name)):
        raise EquationError("the left-hand side is not one name", text, indent, "write name = equation")
    if not right:
        raise EquationError("the equation is empty", text, parts.end("left"))
    try:
        parse(right)
    except EquationError as error:
        raise error.within(text, text.index(right, parts.start("right"))) from None
    return target[0].name, right


def substitute(text: str, replacements: Mapping[str, str]) -> str:
    """Return an equation with the nodes in it replaced by other text, everything else as it was typed.

    Examples
    --------
    >>> substitute("exp(a) + a*b", {"a": 'y("a+")'})
    'exp(y("a+")) + y("a+")*b'
    """
    for step in reversed(parse(text).steps):
        if isinstance(step, Name) and step.name in replacements:
            text = text[: step.start] + replacements[step.name] + text[step.stop :]
    return text


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


def _read(node: ast.expr, source: Source) -> tuple[Name | Number | str, list[ast.expr]]:
    """Return what `node` is, a leaf or the name of an operation, and its operands."""
    while isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd):
        node = node.operand
    match node:
        case ast.BinOp(op=op) if type(op) in _BINARY:
            return _BINARY[type(op)], [node.left, node.right]
        case ast.UnaryOp(op=ast.USub()):
            return "neg", [node.operand]
        case ast.Call(func=ast.Name()):
            return _read_call(node, source)
        case ast.Constant():
            return _read_number(node, source), []
        case ast.Name():
            name = source.segment(node)
            return (Number(CONSTANTS[name], name) if name in CONSTANTS else Name(name, *source.span(node))), []
        case ast.Call(func=ast.Attribute(attr=name)) if name in FUNCTIONS:
            raise source.error("a function stands by itself", node, f"write {name}(...)")
        case ast.Call(func=function):
            raise source.error(f"there is no function {shorten(source.segment(function))!r}", node)
        case _:
            raise source.error(f"{shorten(source.segment(node))!r} is not arithmetic", node)


def _read_call(node: ast.Call, source: Source) -> tuple[Name | str, list[ast.expr]]:
    typed = source.segment(node.func)
    name = ALIASES.get(typed, typed)
    if name == "y":
        return Name(_quoted_node(node, source), *source.span(node)), []
    if name not in FUNCTIONS:
        close = nearest(typed, sorted(FUNCTIONS))
        hint = f"did you mean {close!r}?" if close else f"for a product write {typed}*(...)"
        raise source.error(f"there is no function {typed!r}", node, hint)
    if name in _FOLDED and len(node.args) > 2:
        return name, node.args
    arity = len(OPERATIONS[name].derivatives)
    if len(node.args) != arity:
        wanted = "two or more" if name in _FOLDED else ["no", "one", "two"][arity]
        raise source.error(f"{typed} takes {wanted} operand{'s' * (arity > 1)}, not {len(node.args)}", node)
    return name, node.args


def _quoted_node(node: ast.Call, source: Source) -> str:
    """Return the node that ``y(5)`` or ``y("j-")`` names."""
    match node.args:
        case [ast.Constant(value=str(name))]:
            return name
        case [ast.Constant(value=int()) as number] if source.segment(number).isdecimal():
            return source.segment(number)
    raise source.error("y(...) names a node by its number", node, 'write y(5), or y("name") for any other name')


def _read_number(node: ast.Constant, source: Source) -> Number:
    typed = shorten(source.segment(node))
    if isinstance(node.value, complex):
        raise source.error(f"{typed} is not a real number", node)
    if not isinstance(node.value, int | float):
        hint = f"write y({typed}) for the node of that name" if isinstance(node.value, str) else ""
        raise source.error(f"{typed} is not a number", node, hint)
    try:
        value = float(node.value)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise source.error(f"{typed} is not a finite number", node)
    return Number(value, source.segment(node))
