"""The text of an equation, read into a straight-line program.

An equation is itself a small computational graph. `parse` writes it down as steps, each a name, a number or an
operation on earlier steps; the last step is the result. The forward pass and the sweep for the local
derivatives (`cgraph.model.evaluation`) walk that list, so nothing recurses over the depth of an expression.

The text is untrusted. Python's `ast` reads it, a whitelist decides what may stand in it, and nothing of it is
ever executed.
"""

from __future__ import annotations

import ast
import json
import keyword
import math
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from cgraph.model.errors import EquationError, nearest, shorten
from cgraph.model.operations import ALIASES, CONSTANTS, OPERATIONS

__all__ = [
    "Apply",
    "Expression",
    "Name",
    "Number",
    "parse",
    "parse_assignments",
    "reserved",
    "substitute",
    "write_name",
]

MAX_LENGTH = 10_000
MAX_DEPTH = 100

FUNCTIONS = {name for name, row in OPERATIONS.items() if not row.infix} | set(ALIASES)
_BINARY = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow"}
_FOLDED = {"max", "min"}  # written with any number of operands, two at a time in the table

# Characters from other keyboards and from formatted text, and what to type instead.
_INSTEAD = {"·": "*", "×": "*", "⋅": "*", "−": "-", "–": "-", "÷": "/", "²": "^2", "³": "^3", "√": "sqrt(...)",
            "[": "(", "]": ")", "{": "(", "}": ")", "=": "one equation for each node"}  # fmt: skip
_TOKEN = re.compile(
    r"""(?P<quoted>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?P<word>[^\W\d]\w*)|(?P<plain>\d[\w.]*|[\s.,()+\-*/^])|(?P<bad>.)"""
)


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
    source = _Source(text)
    # Pre-order from the right; read backwards it is post-order from the left.
    preorder: list[tuple[Name | Number | str, int]] = []
    todo = [(source.tree, 0)]
    while todo:
        node, depth = todo.pop()
        if depth > MAX_DEPTH:
            raise source.error(f"nested more than {MAX_DEPTH} levels deep", node, "split it into several nodes")
        item, children = _read(node, source)
        preorder.append((item, len(children)))
        # A long sum leans to the left; only what stands to the right nests.
        nests = [depth + (k > 0 or not isinstance(node, ast.BinOp)) for k in range(len(children))]
        todo += zip(children, nests, strict=True)
    steps: list[Name | Number | Apply] = []
    results: list[int] = []
    for item, arity in reversed(preorder):
        operands = tuple(results[len(results) - arity :])
        del results[len(results) - arity :]
        results.append(len(steps))
        steps.append(Apply(item, operands) if isinstance(item, str) else item)
    return Expression(tuple(steps))


def parse_assignments(text: str) -> list[tuple[str, str]]:
    """Split ``"a = x*z; y = exp(a)"`` into pairs of name and equation, at semicolons and line ends.

    Examples
    --------
    >>> parse_assignments("a = x*z; y(10) = ln(a)")
    [('a', 'x*z'), ('10', 'ln(a)')]
    """
    pairs = []
    for part in re.split(r"[;\n]", text):
        if not part.strip():
            continue
        left, equals, right = part.partition("=")
        if not equals:
            raise EquationError("no '='", part.strip(), 0, "write name = equation, several of them with ';' between")
        target = parse(left).steps
        if not (len(target) == 1 and isinstance(target[0], Name)):
            raise EquationError("the left-hand side is not one name", left.strip(), 0, "write name = equation")
        pairs.append((target[0].name, right.strip()))
    return pairs


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


def reserved(name: str) -> str:
    """Return why `name` cannot name a node in equations, or "".

    Examples
    --------
    >>> reserved("exp")
    "'exp' is a function"
    >>> reserved("x")
    ''
    """
    if name in FUNCTIONS:
        return f"{name!r} is a function"
    if name in CONSTANTS:
        return f"{name!r} is the number {CONSTANTS[name]:.6g}"
    return f"{name!r} is a Python keyword" if keyword.iskeyword(name) else ""


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


class _Source:
    """A text checked and parsed by Python's grammar, able to say where in the text a node of the tree stands."""

    def __init__(self, text: str) -> None:
        self.text = text
        _check_characters(text)
        # "^" becomes "**", which has the precedence that "^" has on paper; each character of the source
        # remembers the column of the text that it came from.
        origins: list[tuple[str, int]] = []
        for token in _TOKEN.finditer(text):
            for column, c in enumerate(token.group(), token.start()):
                plain = "**" if c == "^" else " " if c.isspace() else c
                origins += [(piece, column) for piece in (c if token["quoted"] else plain)]
        self.source = "".join(c for c, _ in origins)
        self.columns = [column for _, column in origins]
        self.margin = len(self.source) - len(self.source.lstrip())
        try:
            with warnings.catch_warnings(action="ignore"):  # "2(x)": Python warns, the whitelist refuses
                self.tree = ast.parse(self.source.lstrip(), mode="eval").body
        except SyntaxError as error:
            raise EquationError(*_explain(text, self.column((error.offset or 1) - 1))) from None
        except (RecursionError, MemoryError, ValueError):
            raise EquationError("too long or too deeply nested", text, 0, "split it into several nodes") from None

    def column(self, offset: int) -> int:
        return self.columns[min(max(offset, 0) + self.margin, len(self.columns) - 1)]

    def span(self, node: ast.expr) -> tuple[int, int]:
        """Return the first column of `node` and the one after it, in characters (ast counts bytes)."""
        encoded = self.source.lstrip().encode()
        first, last = (len(encoded[:k].decode()) for k in (node.col_offset, node.end_col_offset or 0))
        return self.column(first), self.column(last - 1) + 1

    def segment(self, node: ast.expr) -> str:
        """Return the text of `node`, as it was typed (ast would normalize the letters of a name)."""
        start, stop = self.span(node)
        return self.text[start:stop]

    def error(self, message: str, node: ast.expr, hint: str = "") -> EquationError:
        return EquationError(message, self.text, self.span(node)[0], hint)


def _check_characters(text: str) -> None:
    if len(text) > MAX_LENGTH:
        message = f"an equation of {len(text):,} characters; the limit is {MAX_LENGTH:,}"
        raise EquationError(message, text, 0, "split it into several nodes")
    if not text.strip():
        raise EquationError("the equation is empty", text)
    for token in _TOKEN.finditer(text):
        word, bad, column = token["word"], token["bad"], token.start()
        if word and not word.isidentifier():  # superscripts and the like, which Python's grammar has no place for
            offset = next(k for k in range(len(word)) if not word[: k + 1].isidentifier())
            bad, column = word[offset], column + offset
        if bad:
            hint = f"write {_INSTEAD[bad]}" if bad in _INSTEAD else ""
            raise EquationError(f"unexpected character {bad!r}", text, column, hint)
        if word and keyword.iskeyword(word):
            message = f"{word!r} is a Python keyword and cannot stand in an equation"
            raise EquationError(message, text, column, f"rename the node, for instance '{word}_'")


def _explain(text: str, column: int) -> tuple[str, str, int, str]:
    """Return the arguments of an EquationError for text that Python's grammar refuses at `column`."""
    unquoted = re.sub(r"""["'].*?["']""", "", text)
    opened, closed = unquoted.count("("), unquoted.count(")")
    if opened != closed:
        missing = "')' is missing" if opened > closed else "a ')' has no '('"
        return missing, text, column, ""
    if product := re.search(r"\d\s*[^\W\d]|\)\s*[\w(]|\w\s+\w", text):
        return "cannot be read", text, product.start(), "write * between the factors of a product"
    return "cannot be read", text, column, ""


def _read(node: ast.expr, source: _Source) -> tuple[Name | Number | str, list[ast.expr]]:
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
            if name in FUNCTIONS:
                raise source.error(f"{name!r} is a function and needs operands", node, f"write {name}(...)")
            return (Number(CONSTANTS[name], name) if name in CONSTANTS else Name(name, *source.span(node))), []
        case ast.Call(func=ast.Attribute(attr=name)) if name in FUNCTIONS:
            raise source.error("a function stands by itself", node, f"write {name}(...)")
        case ast.Call():
            raise source.error("this is not a function", node, "write * between the factors of a product")
        case _:
            raise source.error(f"{source.segment(node)!r} is not arithmetic", node)


def _read_call(node: ast.Call, source: _Source) -> tuple[Name | str, list[ast.expr]]:
    typed = source.segment(node.func)
    name = ALIASES.get(typed, typed)
    if node.keywords or any(isinstance(x, ast.Starred) for x in node.args):
        raise source.error(f"{typed} takes plain operands only", node)
    if name == "y":
        return Name(_quoted_node(node, source), *source.span(node)), []
    if name not in FUNCTIONS:
        close = nearest(typed, sorted(FUNCTIONS))
        hint = f"did you mean {close!r}?" if close else f"for a product write {typed}*(...)"
        raise source.error(f"there is no function {typed!r}", node, hint)
    if name in _FOLDED and len(node.args) > 2:  # max(a, b, c) is max(max(a, b), c)
        rest = ast.copy_location(ast.Call(node.func, node.args[:-1], []), node)
        return name, [rest, node.args[-1]]
    arity = len(OPERATIONS[name].derivatives)
    if len(node.args) != arity:
        wanted = "two or more" if name in _FOLDED else ["no", "one", "two"][arity]
        raise source.error(f"{typed} takes {wanted} operand{'s' * (arity > 1)}, not {len(node.args)}", node)
    return name, node.args


def _quoted_node(node: ast.Call, source: _Source) -> str:
    """Return the node that ``y(5)`` or ``y("j-")`` names."""
    match node.args:
        case [ast.Constant(value=bool() | None)]:
            pass
        case [ast.Constant(value=int() | str() as name)]:
            return str(name)
    raise source.error("y(...) names a node by its number", node, 'write y(5), or y("name") for any other name')


def _read_number(node: ast.Constant, source: _Source) -> Number:
    typed = source.segment(node)
    try:
        value = float(node.value) if isinstance(node.value, int | float) else math.nan
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise source.error(f"{shorten(typed)} is not a finite number", node)
    return Number(value, typed)
