"""The text of an equation, read into a straight-line program.

The text is untrusted. `cgraph.model.language.source` checks it, Python's `ast` reads it, a whitelist decides what may stand
in it, and nothing of it is ever executed.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from cgraph.model.errors import EquationError, nearest, shorten
from cgraph.model.language.expressions import Apply, Expression, Name, Number
from cgraph.model.language.names import unusable
from cgraph.model.language.source import MAX_DEPTH, SPLIT, TOO_DEEP, Source
from cgraph.model.operations.arrays import ArrayOperation, Slice
from cgraph.model.operations.elementwise import ALIASES, CONSTANTS, FUNCTIONS, LISTED, OF_ONE_ARRAY, row_of

__all__ = ["parse", "parse_assignments", "substitute"]

_BINARY = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow", ast.MatMult: "matmul",
    ast.Gt: "greater", ast.Lt: "less", ast.GtE: "greater_equal", ast.LtE: "less_equal",
}  # fmt: skip
# The parts of a text between semicolons and line ends, and the sides of the first "=", none of them within quotes.
_QUOTED = r""" "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' """
_PART = re.compile(rf"(?: {_QUOTED} | [^;\n] )+", re.VERBOSE)
_ASSIGNMENT = re.compile(rf"(?P<left> (?> {_QUOTED} | [^=] )*? ) = (?P<right>.*)", re.VERBOSE | re.DOTALL)
_FOLDED = {"max", "min"}  # written with any number of operands, two at a time in the table


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """Read the right-hand side of an equation.

    Parameters
    ----------
    text : str
        Arithmetic with ``+ - * / ^`` (or ``**``) and ``@``, brackets, the functions of the tables of operations,
        numbers, ``pi`` and ``e``, comparisons, indices ``x[0, :]`` and ``A.T``. ``y(5)`` is the node "5" and
        ``y("j-")`` the node "j-".

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
    (Name(name='x', start=0, stop=1), Name(name='z', start=4, stop=5), Apply(operation='mul', operands=(0, 1), options=()))
    >>> parse("x*x + y(5)").operands
    ('x', 'x', '5')
    """
    source = Source(text)
    steps: list[Name | Number | Apply] = []
    results: list[int] = []  # the steps that no later step has used yet
    todo: list[tuple[ast.expr, int] | _Pending] = [(source.tree, 0)]
    while todo:
        match todo.pop():
            case _Pending(call, arity):
                operands = results[-arity:]
                del results[-arity:]
                results.append(_apply(call, operands, steps))
            case node, depth:
                if depth > MAX_DEPTH:
                    raise source.error(TOO_DEEP, node, SPLIT)
                item, children = _read(node, source)
                if isinstance(item, _Call):
                    # A long sum leans to the left; only what stands to the right nests.
                    nests = [depth + (k > 0 or not isinstance(node, ast.BinOp)) for k in range(len(children))]
                    todo += [_Pending(item, len(children)), *reversed(list(zip(children, nests, strict=True)))]
                else:
                    results.append(len(steps))
                    steps.append(item)
    return Expression(tuple(steps))


class _Call(NamedTuple):
    """An operation and its options."""

    operation: str
    options: tuple[tuple[str, Any], ...] = ()


class _Pending(NamedTuple):
    """An operation that waits for its operands to be read."""

    call: _Call
    arity: int


def _apply(call: _Call, operands: list[int], steps: list[Name | Number | Apply]) -> int:
    """Append an operation to `steps` and return its place; max(a, b, c) is max(max(a, b), c)."""
    first, *rest = operands
    if call.operation not in _FOLDED:
        steps.append(Apply(call.operation, tuple(operands), call.options))
        return len(steps) - 1
    for operand in rest:
        steps.append(Apply(call.operation, (first, operand)))
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


def _read(node: ast.expr, source: Source) -> tuple[Name | Number | _Call, list[ast.expr]]:
    """Return what `node` is, a leaf or an operation, and its operands."""
    while isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd):
        node = node.operand
    match node:
        case ast.BinOp(left, op, right) | ast.Compare(left, [op], [right]) if type(op) in _BINARY:
            return _Call(_BINARY[type(op)]), [left, right]
        case ast.UnaryOp(op=ast.USub()):
            return _Call("neg"), [node.operand]
        case ast.Call(func=ast.Name()):
            return _read_call(node, source)
        case ast.Subscript():
            return _Call("index", (("key", _index_key(node.slice, source)),)), [node.value]
        case ast.Attribute(attr="T"):
            return _Call("transpose"), [node.value]
        case ast.Constant():
            return _read_number(node, source), []
        case ast.Name():
            name = source.segment(node)
            return (Number(CONSTANTS[name], name) if name in CONSTANTS else Name(name, *source.span(node))), []
        case _:
            raise _not_arithmetic(node, source)


def _not_arithmetic(node: ast.expr, source: Source) -> EquationError:
    match node:
        case ast.Call(func=ast.Attribute(attr=name)) if name in FUNCTIONS:
            return source.error("a function stands by itself", node, f"write {name}(...)")
        case ast.Call(func=function):
            return source.error(f"there is no function {shorten(source.segment(function))!r}", node)
        case ast.Compare():
            return source.error("one comparison at a time", node, "write where(a < b, where(b < c, 1, 0), 0)")
    return source.error(f"{shorten(source.segment(node))!r} is not arithmetic", node)


def _read_call(node: ast.Call, source: Source) -> tuple[Name | _Call, list[ast.expr]]:
    typed = source.segment(node.func)
    name = ALIASES.get(typed, typed)
    if name == "y":
        return Name(_quoted_node(node, source), *source.span(node)), []
    if name not in FUNCTIONS:
        close = nearest(typed, sorted(FUNCTIONS))
        hint = f"did you mean {close!r}?" if close else f"for a product write {typed}*(...)"
        raise source.error(f"there is no function {typed!r}", node, hint)
    if len(node.args) == 1:
        name = OF_ONE_ARRAY.get(name, name)
    row = row_of(name)
    if isinstance(row, ArrayOperation):
        return _read_array_call(node, source, name, typed, row)
    if node.keywords:
        raise source.error(f"{typed} has no option {node.keywords[0].arg!r}", node.keywords[0].value)
    if name in _FOLDED and len(node.args) > 2:
        return _Call(name), node.args
    _require_operands(node, source, typed, len(row.derivatives), "two or more" if name in _FOLDED else "")
    return _Call(name), node.args


def _read_array_call(
    node: ast.Call, source: Source, name: str, typed: str, row: ArrayOperation
) -> tuple[_Call, list[ast.expr]]:
    """Return an operation on arrays; `reshape(x, 2, 3)` and `transpose(x, 1, 0)` list their option by position."""
    args = node.args
    options: dict[str, Any] = {}
    for word in node.keywords:
        if word.arg is None or word.arg not in row.options:
            known = ", ".join(row.options) or "none"
            raise source.error(f"{typed} has no option {word.arg!r}", word.value, f"its options: {known}")
        if word.arg in options:
            raise source.error(f"{word.arg} is given twice", word.value)
        numbers = _whole_numbers(word.value, source)
        options[word.arg] = (
            numbers[0] if isinstance(numbers, tuple) and len(numbers) == 1 else numbers
        )  # as it is written
    if name in LISTED and len(args) > 1:
        args, listed = args[:1], args[1:]
        numbers = [_whole_numbers(number, source) for number in listed]
        if LISTED[name] in options or (len(numbers) > 1 and not all(isinstance(number, int) for number in numbers)):
            raise source.error(f"{typed} takes one {LISTED[name]}", listed[-1], f"write {typed}(x, 1, 0)")
        options[LISTED[name]] = numbers[0] if isinstance(numbers[0], tuple) else tuple(numbers)
    elif name in LISTED and isinstance(number := options.get(LISTED[name]), int):
        options[LISTED[name]] = (number,)
    if name == "reshape" and not options:
        raise source.error("reshape needs a shape", node, "write reshape(x, 2, 3)")
    if row.operands is None and not args:
        raise source.error(f"{typed} takes one or more operands, not 0", node)
    if row.operands is not None:
        hint = "write axis=0 for an axis" if "axis" in row.options else ""
        _require_operands(node, source, typed, row.operands, "", args, hint)
    return _Call(name, tuple(sorted(options.items()))), args


def _require_operands(
    node: ast.Call,
    source: Source,
    typed: str,
    arity: int,
    wanted: str,
    args: list[ast.expr] | None = None,
    hint: str = "",
) -> None:
    given = len(node.args if args is None else args)
    if given != arity:
        wanted = wanted or ["no", "one", "two", "three"][arity]
        raise source.error(f"{typed} takes {wanted} operand{'s' * (arity > 1)}, not {given}", node, hint)


def _whole_numbers(node: ast.expr, source: Source) -> Any:
    """Return a whole number as an int, or several in brackets as a tuple."""
    match node:
        case ast.Constant(value=int(number)) if not isinstance(number, bool):
            return number
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(number))):
            return -number
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            numbers = tuple(_whole_numbers(element, source) for element in elements)
            if all(isinstance(number, int) for number in numbers):
                return numbers
    raise source.error(
        f"{shorten(source.segment(node))!r} is not a whole number", node, "write 0, or (0, 1) for several"
    )


def _index_key(node: ast.expr, source: Source) -> tuple[Any, ...]:
    """Return what stands between the brackets of an index: numbers, slices, lists of numbers."""
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    if not parts:
        raise source.error("an index is missing", node, "write x[0] or x[:]")
    return tuple(_index_part(part, source) for part in parts)


def _index_part(part: ast.expr, source: Source) -> Any:
    if not isinstance(part, ast.Slice):
        return _whole_numbers(part, source)
    ends = [None if end is None else _whole_numbers(end, source) for end in (part.lower, part.upper, part.step)]
    if ends[2] == 0 or not all(isinstance(end, int | None) for end in ends):
        raise source.error(f"{shorten(source.segment(part))!r} is not a slice", part, "write x[0:2] or x[::2]")
    return Slice(*ends)


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
