"""The text of an equation, read into a straight-line program.

The text is untrusted: it is read token by token, what may stand in it is listed here, and nothing of it is ever
executed. What cannot be read is explained by `cgraph.model.language.source`.
"""

from __future__ import annotations

import ast
import keyword
import math
import re
import warnings
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cgraph.model.errors import EquationError, all_of, nearest, shorten
from cgraph.model.language.expressions import Apply, Expression, Name, Number
from cgraph.model.language.foreign_words import instead_of_function
from cgraph.model.language.names import composed, unusable
from cgraph.model.language.source import MAX_DEPTH, MAX_LENGTH, SPLIT, SURROGATE, TOKEN, TOO_DEEP, explain
from cgraph.model.operations.arrays import ArrayOperation
from cgraph.model.operations.elementwise import (
    ALIASES,
    CONSTANTS,
    FUNCTIONS,
    LISTED,
    OF_ONE_ARRAY,
    WORDED,
    name_of,
    row_of,
)
from cgraph.model.operations.index_sums import unreadable
from cgraph.model.operations.slices import Slice

__all__ = ["parse", "parse_assignments", "substitute"]

# How tightly the operators bind: a comparison least. What stands to the right of ^ is read first: 2^3^2 = 2^9.
_COMPARISON, _SUM, _PRODUCT, _SIGN, _POWER = 1, 2, 3, 4, 5
_INFIX = {
    "<": ("less", _COMPARISON), ">": ("greater", _COMPARISON),
    "<=": ("less_equal", _COMPARISON), ">=": ("greater_equal", _COMPARISON),
    "+": ("add", _SUM), "-": ("sub", _SUM),
    "*": ("mul", _PRODUCT), "/": ("div", _PRODUCT), "@": ("matmul", _PRODUCT), "//": ("", _PRODUCT),
    "^": ("pow", _POWER), "**": ("pow", _POWER),
}  # fmt: skip
_END = ("end", "", 0)
# The parts of a text between semicolons and line ends, and the sides of the first "=", none of them within quotes.
_QUOTED = r""" "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' """
# The same, where a quote that is never closed reaches to the end of its line: it is looked for once.
_QUOTED_OR_OPEN = r""" "(?:[^"\\\n]|\\.)*+"?+ | '(?:[^'\\\n]|\\.)*+'?+ """
_PART = re.compile(rf"(?: {_QUOTED_OR_OPEN} | [^;\n] )+", re.VERBOSE)
_ASSIGNMENT = re.compile(rf"(?P<left> (?> {_QUOTED} | [^=] )*? ) = (?P<right>.*)", re.VERBOSE | re.DOTALL)
_FOLDED = {"max", "min"}  # written with any number of operands, two at a time in the table


@lru_cache(maxsize=4096)
def parse(text: str, functions: tuple[str, ...] = ()) -> Expression:
    """Read the right-hand side of an equation.

    Parameters
    ----------
    text : str
        Arithmetic with ``+ - * / ^`` (or ``**``) and ``@``, brackets, the functions of the tables of operations,
        numbers, ``pi`` and ``e``, comparisons, indices ``x[0, :]`` and ``A.T``. ``y(5)`` is the node "5" and
        ``y("j-")`` the node "j-".
    functions : tuple of str, optional
        The definitions of functions of one's own, as in ``"swish(x, b) = x * sigmoid(b * x)"``.

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
    right. Operators are read by how tightly they bind (V. R. Pratt, "Top down operator precedence", 1973).

    Examples
    --------
    >>> parse("x * z").steps
    (Name(name='x', start=0, stop=1), Name(name='z', start=4, stop=5), Apply(operation='mul', operands=(0, 1), options=()))
    >>> parse("x*x + y(5)").operands
    ('x', 'x', '5')
    """
    if len(text) > MAX_LENGTH or (not text.isascii() and SURROGATE.search(text)):
        raise explain(text, EquationError("cannot be read", text))
    reader = _Reader(text, {name_of(definition): definition for definition in functions})
    try:
        reader.read_all()
    except _UnreadableError as error:
        raise explain(text, EquationError("cannot be read", text, error.position)) from None
    except EquationError as error:
        raise explain(text, error) from None
    if reader.mistakes:
        raise all_of(reader.mistakes, names=[step for step in reader.steps if isinstance(step, Name)])
    return Expression(tuple(reader.steps))


class _UnreadableError(Exception):
    """A token stands where it cannot stand."""

    def __init__(self, position: int) -> None:
        self.position = position


class _Reader:
    """Reads the tokens of a text from left to right into steps; each method returns the place of its result."""

    def __init__(self, text: str, own: Mapping[str, str]) -> None:
        self.text = text
        self.own = own
        found = TOKEN.finditer(text)
        self.tokens = [(m.lastgroup, m[0], m.start()) for m in found if m.lastgroup != "space"]
        self.tokens += [_END, _END]
        self.k = 0  # the token that is read next
        self.opened = 0  # brackets
        self.steps: list[Name | Number | Apply] = []
        self.mistakes: list[EquationError] = []

    def read_all(self) -> None:
        self.expression(0, 0)
        if self.tokens[self.k] is not _END:
            raise _UnreadableError(self.tokens[self.k][2])

    def expression(self, loosest: int, depth: int) -> int:
        """Read operands and the operators between them that bind tighter than `loosest`."""
        start = self.tokens[self.k][2]
        if depth > MAX_DEPTH:
            raise EquationError(TOO_DEEP, self.text, start, SPLIT)
        left = self.operand(depth)
        is_compared = False
        while True:
            typed = self.tokens[self.k][1]
            operation, binds = _INFIX.get(typed, ("", 0))
            if binds <= loosest:
                return left
            self.k += 1
            right = self.expression(binds - (binds == _POWER), depth + 1)
            if is_compared or not operation:
                left = self.refuse_operator(typed, start)
            else:
                left = self.apply(operation, (left, right))
            is_compared = binds == _COMPARISON

    def operand(self, depth: int) -> int:
        """Read a number, a node, a function, or what stands in brackets or behind a sign."""
        kind, typed, start = self.tokens[self.k]
        self.k += 1
        if kind == "word":
            is_call = self.tokens[self.k][1] == "("
            result = self.call(typed, start, depth) if is_call else self.name(typed, start)
        elif kind == "number":
            result = self.number(typed, start)
        elif typed == "(":
            result = self.bracket(start, depth)
        elif typed == "-":
            return self.apply("neg", (self.expression(_SIGN, depth + 1),))
        elif typed == "+":
            return self.expression(_SIGN, depth + 1)
        elif kind == "quoted":
            hint = f"write y({typed}) for the node of that name"
            return self.refuse(f"{shorten(typed)} is not a number", start, hint)
        else:
            raise _UnreadableError(start)
        while (mark := self.tokens[self.k][1]) == "." or (mark == "[" and kind != "number"):
            result = self.index(result, start) if mark == "[" else self.attribute(result, start)
            kind = "close"
        return result

    def name(self, typed: str, start: int) -> int:
        if typed in CONSTANTS:
            return self.add(Number(CONSTANTS[typed], typed))
        if typed in self.own:
            hint = f"write {typed}(...)"
            return self.refuse(f"{typed!r} is a function and needs operands", start, hint)
        if typed in FUNCTIONS or keyword.iskeyword(typed) or not typed.isidentifier():
            raise _UnreadableError(start)
        return self.add(Name(composed(typed), start, start + len(typed)))

    def number(self, typed: str, start: int) -> int:
        if typed[-1] in "jJ":
            return self.refuse(f"{shorten(typed)} is not a real number", start)
        try:
            value = float(typed) if typed[:2].lower() not in {"0x", "0o", "0b"} else float(int(typed, 0))
        except OverflowError:
            value = math.inf
        except ValueError:
            raise _UnreadableError(start) from None
        if not typed.isascii() or (typed[0] == "0" and value and re.fullmatch(r"[\d_]+", typed)):  # 007
            raise _UnreadableError(start)
        if not math.isfinite(value):
            return self.refuse(f"{shorten(typed)} is not a finite number", start)
        return self.add(Number(value, typed))

    def bracket(self, start: int, depth: int) -> int:
        self.open(start)
        if self.tokens[self.k][1] == ")":
            self.close(")")
            return self.refuse("'()' is not arithmetic", start)
        result = self.expression(0, depth)
        if self.tokens[self.k][1] == ",":
            while self.comma(")"):
                self.expression(0, depth + 1)
            result = self.refuse(f"{self.typed_from(start, ')')!r} is not arithmetic", start)
        self.close(")")
        return result

    def typed_from(self, start: int, closing: str) -> str:
        """Return the text from `start` to the bracket that comes next, shortened."""
        _, typed, stop = self.tokens[self.k]
        return shorten(self.text[start : stop + (typed == closing)])

    def open(self, start: int) -> None:
        self.opened += 1
        if self.opened > MAX_DEPTH:
            raise _UnreadableError(start)

    def comma(self, closing: str) -> bool:
        """Read a comma, if there is one; something has to follow it."""
        if self.tokens[self.k][1] != ",":
            return False
        self.k += 1
        if self.tokens[self.k][1] == closing:
            raise _UnreadableError(self.tokens[self.k][2])
        return True

    def close(self, bracket: str) -> None:
        if self.tokens[self.k][1] != bracket:
            raise _UnreadableError(self.tokens[self.k][2])
        self.k += 1
        self.opened -= 1

    def call(self, typed: str, start: int, depth: int) -> int:
        """Read a function and what stands in its brackets."""
        if keyword.iskeyword(typed) or not typed.isidentifier():
            raise _UnreadableError(start)
        self.open(self.tokens[self.k][2])
        self.k += 1
        if typed == "y":
            return self.quoted_node(start)
        name = ALIASES.get(typed, typed)
        arguments: list[int] = []
        listed: list[Any] = []
        options: dict[str, tuple[Any, int]] = {}
        words: dict[str, tuple[Any, int]] = {}
        while self.tokens[self.k][1] != ")":
            if self.tokens[self.k][0] == "word" and self.tokens[self.k + 1][1] == "=":
                self.option(options)
            elif name in WORDED and self.tokens[self.k][0] == "quoted" and not (arguments or words):
                _, text, column = self.tokens[self.k]
                words[WORDED[name]] = _unquoted(text).replace(" ", ""), column
                self.k += 1
            elif name in LISTED and arguments:
                listed.append(self.whole_numbers())
            elif options:
                raise EquationError("options stand behind the operands", self.text, self.tokens[self.k][2])
            else:
                arguments.append(self.expression(0, depth + 1))
            if not self.comma(")"):
                break
        self.close(")")
        try:
            return self.applied(name, typed, start, arguments, listed, words | options)
        except EquationError as error:
            return self.stand_in(error)

    def quoted_node(self, start: int) -> int:
        """Read the rest of ``y(5)`` or ``y("j-")``."""
        kind, typed, column = self.tokens[self.k]
        if self.tokens[self.k + 1][1] == ")" and (kind == "quoted" or (kind == "number" and typed.isdecimal())):
            if kind == "number" and (not typed.isascii() or (typed[0] == "0" and typed.strip("0"))):
                raise _UnreadableError(column)  # 007
            self.k += 1
            self.close(")")
            name = typed if kind == "number" else _unquoted(typed)
            return self.add(Name(composed(name), start, self.tokens[self.k - 1][2] + 1))
        message, hint = "y(...) names a node by its number", 'write y(5), or y("name") for any other name'
        raise EquationError(message, self.text, start, hint)

    def option(self, options: dict[str, tuple[Any, int]]) -> None:
        """Read ``axis=0``."""
        word = self.tokens[self.k][1]
        self.k += 2
        column = self.tokens[self.k][2]
        value = self.whole_numbers()
        if word in options:
            raise EquationError(f"{word} is given twice", self.text, column)
        if isinstance(value, tuple) and len(value) == 1:  # axis=(0,) is axis=0, as it is written
            value = value[0]
        options[word] = value, column

    def applied(
        self, name: str, typed: str, start: int, arguments: list[int], listed: list[Any],
        options: dict[str, tuple[Any, int]],
    ) -> int:  # fmt: skip
        """Append the operation that a function stands for, or raise why it cannot be applied."""
        name = self.own.get(name, name)
        if name not in FUNCTIONS and typed not in self.own:
            hint = _instead_of_function(typed, len(arguments))
            raise EquationError(f"there is no function {typed!r}", self.text, start, hint)
        if len(arguments) == 1:
            name = OF_ONE_ARRAY.get(name, name)
        row = row_of(name)
        known = row.options if isinstance(row, ArrayOperation) else {}
        for word, (_, column) in options.items():
            if word not in known:
                hint = f"its options: {', '.join(known) or 'none'}" if isinstance(row, ArrayOperation) else ""
                raise EquationError(f"{typed} has no option {word!r}", self.text, column, hint)
        if name in _FOLDED and len(arguments) > 2:
            return self.fold(name, arguments)
        values = {word: value for word, (value, _) in options.items()}
        if name in LISTED:
            self.add_listed(name, typed, listed, values)
        if name == "reshape" and not values:
            raise EquationError("reshape needs a shape", self.text, start, "write reshape(x, 2, 3)")
        if name in WORDED and (why := unreadable(values.get(WORDED[name], ""), len(arguments))):
            raise EquationError(f"{typed}: {why}", self.text, start, 'write einsum("ij,jk->ik", A, B)')
        self.require_operands(row, name, typed, start, len(arguments))
        return self.apply(name, tuple(arguments), tuple(sorted(values.items())))

    def add_listed(self, name: str, typed: str, listed: list[Any], values: dict[str, Any]) -> None:
        """Add the option that ``reshape(x, 2, 3)`` and ``transpose(x, 1, 0)`` list by position."""
        option = LISTED[name]
        if listed and (option in values or (len(listed) > 1 and not all(isinstance(n, int) for n in listed))):
            column = self.tokens[self.k - 2][2]
            raise EquationError(f"{typed} takes one {option}", self.text, column, f"write {typed}(x, 1, 0)")
        if listed:
            values[option] = listed[0] if isinstance(listed[0], tuple) else tuple(listed)
        elif isinstance(number := values.get(option), int):
            values[option] = (number,)

    def require_operands(self, row: Any, name: str, typed: str, start: int, given: int) -> None:
        hint = ""
        if isinstance(row, ArrayOperation):
            if row.operands is None and not given:
                raise EquationError(f"{typed} takes one or more operands, not 0", self.text, start)
            arity = given if row.operands is None else row.operands
            hint = "write axis=0 for an axis" if "axis" in row.options else ""
        else:
            arity = len(row.names)
        if given != arity:
            wanted = (
                "two or more" if name in _FOLDED else [*["no", "one", "two", "three"], *[str(arity)] * arity][arity]
            )
            if typed == "log" and given == 2:
                hint = "write log(x) / log(b) for another base"
            message = f"{typed} takes {wanted} operand{'s' * (arity > 1)}, not {given}"
            raise EquationError(message, self.text, start, hint)

    def index(self, operand: int, start: int) -> int:
        """Read ``[0, 1:3]`` behind an operand."""
        self.open(start)
        self.k += 1
        parts = [self.index_part()]
        while self.comma("]"):
            parts.append(self.index_part())
        self.close("]")
        return self.apply("index", (operand,), (("key", tuple(parts)),))

    def index_part(self) -> Any:
        start = self.tokens[self.k][2]
        ends: list[Any] = [None]
        while self.tokens[self.k][1] not in {",", "]"}:
            if self.tokens[self.k][1] == ":":
                ends.append(None)
                self.k += 1
            elif [typed for _, typed, _ in self.tokens[self.k : self.k + 2]] == ["(", ")"]:
                raise EquationError("an index is missing", self.text, start, "write x[0] or x[:]")
            else:
                ends[-1] = self.whole_numbers()
        if ends == [None]:
            raise EquationError("an index is missing", self.text, self.tokens[self.k][2], "write x[0] or x[:]")
        if len(ends) == 1:
            return ends[0]
        if len(ends) > 3 or ends[2:] == [0] or not all(isinstance(end, int | None) for end in ends):
            typed = shorten(self.text[start : self.tokens[self.k][2]].strip())
            raise EquationError(f"{typed!r} is not a slice", self.text, start, "write x[0:2] or x[::2]")
        return Slice(*[*ends, None][:3])

    def attribute(self, operand: int, start: int) -> int:
        """Read ``.T`` behind an operand."""
        _, word, column = self.tokens[self.k + 1]
        self.k += 2
        is_call = self.tokens[self.k][1] == "("
        if word == "T" and not is_call:
            return self.apply("transpose", (operand,))
        if is_call and word in FUNCTIONS:
            raise EquationError("a function stands by itself", self.text, start, f"write {word}(...)")
        typed = shorten(self.text[start : column + len(word)])
        if is_call:
            raise EquationError(f"there is no function {typed!r}", self.text, start)
        raise EquationError(f"{typed!r} is not arithmetic", self.text, start)

    def whole_numbers(self) -> Any:
        """Read a whole number as an int, or several in brackets as a tuple."""
        begin, start = self.k, self.tokens[self.k][2]
        closing = {"(": ")", "[": "]"}.get(self.tokens[self.k][1])
        self.k += bool(closing)
        numbers: list[Any] = []
        while (number := self.whole_number()) is not None:
            numbers.append(number)
            if not closing or self.tokens[self.k][1] != ",":
                break
            self.k += 1
        if closing and numbers and self.tokens[self.k][1] == closing:
            self.k += 1
            is_tuple = len(numbers) > 1 or closing == "]" or self.tokens[self.k - 2][1] == ","
            numbers = [tuple(numbers)] if is_tuple else numbers
        elif closing or not numbers or self.tokens[self.k][1] not in {",", ")", "]", ":"}:
            typed = self.argument_from(begin)
            hint = "write 0, or (0, 1) for several"
            raise EquationError(f"{typed!r} is not a whole number", self.text, start, hint)
        return numbers[0]

    def whole_number(self) -> int | None:
        sign = -1 if self.tokens[self.k][1] == "-" else 1
        kind, typed, _ = self.tokens[self.k + (sign < 0)]
        if kind != "number" or not re.fullmatch(r"[0-9_]+", typed) or len(typed) > 18:
            return None
        self.k += 1 + (sign < 0)
        return sign * int(typed)

    def argument_from(self, begin: int) -> str:
        """Return the text from a token to the end of the argument or index it stands in."""
        level = 0
        for k in range(begin, len(self.tokens)):
            kind, typed, stop = self.tokens[k]
            level += (kind == "open") - (kind == "close")
            if level < 0 or kind == "end" or (level == 0 and typed in {",", ":"}):
                return shorten(self.text[self.tokens[begin][2] : stop if kind != "end" else None].strip())
        return ""

    def refuse_operator(self, typed: str, start: int) -> int:
        if typed == "//":
            stop = self.tokens[self.k][2] if self.tokens[self.k] is not _END else None
            segment = shorten(self.text[start:stop].strip())
            return self.refuse(f"{segment!r} is not arithmetic", start, "write a / b; nothing divides whole numbers")
        return self.refuse("one comparison at a time", start, "write where(a < b, where(b < c, 1, 0), 0)")

    def refuse(self, message: str, column: int, hint: str = "") -> int:
        return self.stand_in(EquationError(message, self.text, column, hint))

    def stand_in(self, mistake: EquationError) -> int:
        """Keep a mistake, and go on with a number in its place."""
        self.mistakes.append(mistake)
        return self.add(Number(1.0, "1"))

    def fold(self, name: str, arguments: list[int]) -> int:
        """Append max(a, b, c) as max(max(a, b), c)."""
        first, *rest = arguments
        for operand in rest:
            first = self.apply(name, (first, operand))
        return first

    def apply(self, operation: str, operands: tuple[int, ...], options: tuple[tuple[str, Any], ...] = ()) -> int:
        return self.add(Apply(operation, operands, options))

    def add(self, step: Name | Number | Apply) -> int:
        self.steps.append(step)
        return len(self.steps) - 1


def _unquoted(typed: str) -> str:
    if "\\" not in typed:
        return typed[1:-1]
    with warnings.catch_warnings(action="ignore"):  # of a backslash before a letter that it means nothing before
        return str(ast.literal_eval(typed))


def _instead_of_function(typed: str, operands: int) -> str:
    if advice := instead_of_function(typed):
        return advice
    if close := nearest(typed, sorted(FUNCTIONS)):
        return f"did you mean {close!r}?"
    return f"for a product write {typed}*(...)" if operands == 1 else ""


def parse_assignments(text: str) -> list[tuple[str, str]]:
    """Split ``"a = x*z; y = exp(a)"`` into pairs of name and equation, at semicolons and line ends.

    Examples
    --------
    >>> parse_assignments("a = x*z; y(10) = ln(a)")
    [('a', 'x*z'), ('10', 'ln(a)')]
    """
    pairs, mistakes = [], list[EquationError]()
    for part in _PART.finditer(text):
        if part[0].strip():
            try:
                pairs.append(_read_assignment(part[0]))
            except EquationError as error:
                found = error.within(text, part.start())
                mistakes += [found, *found.others]
    if mistakes:
        raise all_of(mistakes)
    if not pairs:
        raise EquationError("the equation is empty", text)
    return pairs


def _read_assignment(text: str) -> tuple[str, str]:
    """Return the name and the equation of ``name = equation``."""
    indent = len(text) - len(text.lstrip())
    if len(text) > 2 * MAX_LENGTH:  # before it is looked at: an open quote is sought again and again
        message = f"an equation of {len(text):,} characters; the limit is {MAX_LENGTH:,}"
        raise EquationError(message, text, indent, SPLIT)
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


def substitute(text: str, replacements: Mapping[str, str], functions: tuple[str, ...] = ()) -> str:
    """Return an equation with the nodes in it replaced by other text, everything else as it was typed.

    Examples
    --------
    >>> substitute("exp(a) + a*b", {"a": 'y("a+")'})
    'exp(y("a+")) + y("a+")*b'
    """
    for step in reversed(parse(text, functions).steps):
        if isinstance(step, Name) and step.name in replacements:
            text = text[: step.start] + replacements[step.name] + text[step.stop :]
    return text
