"""The text of an equation: checked token by token, then parsed by Python's grammar.

The tokens are checked first because Python's messages are about Python. What passes has only names, numbers,
operators, brackets, commas and colons in it, in an order that makes sense; the grammar settles the rest.
"""

from __future__ import annotations

import ast
import keyword
import re
import warnings

from cgraph.model.errors import EquationError
from cgraph.model.operations.elementwise import FUNCTIONS

__all__ = ["MAX_DEPTH", "SPLIT", "TOO_DEEP", "Source"]

MAX_LENGTH = 10_000
MAX_DEPTH = 100
TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep"
SPLIT = "split it into several nodes"
TRANSPOSE = "write W.T for the transpose of W"

# Characters from other keyboards and from formatted text, under what to type instead.
_LOOKALIKES = {
    "*": "·×⋅∗∙•", "-": "−–—‐‑", "/": "÷∕⁄", "(": "{", ")": "}", '"': "“”„", "'": "‘’",
    "abs(...)": "|", "sqrt(...)": "√",
}  # fmt: skip
_INSTEAD = {c: plain for plain, characters in _LOOKALIKES.items() for c in characters}
_INSTEAD |= {c: f"^{k}" for k, c in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")} | {c: str(k) for k, c in enumerate("₀₁₂₃₄₅₆₇₈₉")}

_TOKEN = re.compile(
    r"""
    (?P<quoted>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*') | (?P<unclosed>["'])
  | (?P<word>[^\W\d]\w*)
  | (?P<number>0[xXoObB]\w+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][-+]?\d+)?(?:[jJ]\b)?)
  | (?P<sign>[-+]) | (?P<infix>\*\*?|//?|\^|@|[<>]=?) | (?P<equals>=)
  | (?P<open>[(\[]) | (?P<close>[)\]]) | (?P<comma>,) | (?P<colon>:) | (?P<dot>\.) | (?P<space>\s+) | (?P<bad>.)
    """,
    re.VERBOSE,
)
# Which kinds of token can stand beside one another.
_WANTS_OPERAND = {"sign", "infix", "comma", "equals"}
_ENDS_OPERAND = {"word", "number", "close"}
_BEGINS_OPERAND = {"word", "number", "open"}
_CLOSES = {"(": ")", "[": "]"}


class Source:
    """A text checked and parsed by Python's grammar, able to say where in the text a node of the tree stands."""

    def __init__(self, text: str) -> None:
        self.text = text
        # "^" becomes "**", which has the precedence that "^" has on paper; each character of the source
        # remembers the column of the text that it came from.
        origins: list[tuple[str, int]] = []
        for token in _tokens(text):
            for column, c in enumerate(token.group(), token.start()):
                plain = "**" if c == "^" else " " if c.isspace() else c
                origins += [(piece, column) for piece in (c if token["quoted"] else plain)]
        self.source = "".join(c for c, _ in origins)
        self.columns = [column for _, column in origins]
        self.margin = len(self.source) - len(self.source.lstrip())
        self.tree = self._parsed()

    def column(self, offset: int) -> int:
        """Return the column of the text that a character of the parsed source came from."""
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
        """Return the error that points at `node`."""
        return EquationError(message, self.text, self.span(node)[0], hint)

    def _parsed(self) -> ast.expr:
        try:
            with warnings.catch_warnings(action="ignore"):  # '"a"(x)': Python warns, the whitelist refuses
                return ast.parse(self.source.lstrip(), mode="eval").body
        except SyntaxError as error:
            raise EquationError("cannot be read", self.text, self.column((error.offset or 1) - 1)) from None
        except (RecursionError, MemoryError, ValueError):
            raise EquationError("too long or too deeply nested", self.text, 0, SPLIT) from None


def _tokens(text: str) -> list[re.Match[str]]:
    """Return the tokens of `text`; the first that cannot stand where it stands is an error."""
    if len(text) > MAX_LENGTH:
        message = f"an equation of {len(text):,} characters; the limit is {MAX_LENGTH:,}"
        raise EquationError(message, text, 0, SPLIT)
    if not text.strip():
        raise EquationError("the equation is empty", text)
    if surrogate := re.search("[\ud800-\udfff]", text):  # Python cannot encode it
        raise _unexpected(text, surrogate.start())
    tokens = list(_TOKEN.finditer(text))
    before = None
    opened: list[re.Match[str]] = []
    for token in tokens:
        if token.lastgroup != "space":
            _check_token(before, token)
            ends_tuple = _ends_tuple(before, token, opened)
            _check_brackets(before, token, opened)
            if not ends_tuple:
                _check_pair(before, token)
            before = token
    _check_pair(before, None)
    if opened:
        raise _error(opened[-1], f"{_CLOSES[opened[-1].group()]!r} is missing")
    return tokens


def _ends_tuple(before: re.Match[str] | None, token: re.Match[str], opened: list[re.Match[str]]) -> bool:
    """Whether `token` closes the value of an option after a comma, as in ``axis=(0,)``."""
    if not (before and opened and before.lastgroup == "comma" and token.lastgroup == "close"):
        return False
    return token.string[: opened[-1].start()].rstrip().endswith("=")


def _check_token(before: re.Match[str] | None, token: re.Match[str]) -> None:
    """Refuse a token that can stand nowhere."""
    typed = token.group()
    match token.lastgroup:
        case "bad":
            raise _unexpected(token.string, token.start())
        case "word" if not typed.isidentifier():  # superscripts and the like, which Python has no place for
            offset = next(k for k in range(len(typed)) if not typed[: k + 1].isidentifier())
            raise _unexpected(token.string, token.start() + offset)
        case "word" if keyword.iskeyword(typed):
            message = f"{typed!r} is a Python keyword and cannot stand in an equation"
            raise _error(token, message, f"rename the node, for instance '{typed}_'")
        case "number" if re.fullmatch(r"0+[1-9]\d*", typed):
            raise _error(token, f"{typed} begins with a zero", f"write {typed.lstrip('0')}")
        case "unclosed":
            after_operand = before is not None and before.lastgroup in _ENDS_OPERAND
            raise _error(token, f"a closing {typed!r} is missing", TRANSPOSE if after_operand else "")


def _check_brackets(before: re.Match[str] | None, token: re.Match[str], opened: list[re.Match[str]]) -> None:
    """Keep the brackets that are open; refuse one that closes nothing or nests too deep, and what stands outside."""
    typed = token.group()
    within = opened[-1].group() if opened else ""
    match token.lastgroup:
        case "open":
            is_list = typed == "[" and (before is None or before.lastgroup not in {"word", "close"})
            if is_list and within != "[":
                hint = "a vector or matrix is an input or a constant of its own; stack(a, b) makes one of nodes"
                raise EquationError("unexpected character '['", token.string, token.start(), hint)
            opened.append(token)
            if len(opened) > MAX_DEPTH:
                raise _error(token, TOO_DEEP, SPLIT)
        case "close":
            if _CLOSES.get(within) != typed:
                raise _error(token, f"a {typed!r} has no {'(' if typed == ')' else '['!r}")
            opened.pop()
        case "comma" if not opened:
            hint = "the decimal sign is a point" if before and before.lastgroup == "number" else ""
            raise _error(token, "a comma separates the operands of a function", hint)
        case "colon" if within != "[":
            raise _unexpected(token.string, token.start())
        case "equals" if within != "(" or before is None or before.lastgroup != "word":
            message = f"unexpected character {typed!r}"
            raise _error(token, message, "write one equation for each node")


def _check_pair(before: re.Match[str] | None, token: re.Match[str] | None) -> None:
    """Refuse a token after another that it cannot follow; None is what stands before the text and after it."""
    left, right = (t.lastgroup if t else "end" for t in (before, token))
    is_call = left == "word" and token is not None and token.group() == "("
    is_index = left in {"word", "close"} and token is not None and token.group() == "["
    is_option = right == "equals"
    if before and left == "word" and before.group() in FUNCTIONS and not (is_call or is_option):
        name = before.group()
        raise _error(before, f"{name!r} is a function and needs operands", f"write {name}(...)")
    if (
        before
        and left in _WANTS_OPERAND
        and right in {"close", "comma", "colon", "end"}
        and (left, right) != ("comma", "colon")
    ):
        raise _error(before, "an operand is missing")
    if before and token and (before.group(), token.group()) == ("[", "]"):
        raise _error(token, "an index is missing", "write x[0] or x[:]")
    if token and left in {*_WANTS_OPERAND, "open", "colon", "end"} and right in {"infix", "equals"}:
        raise _error(token, "an operand is missing")
    if token and left in {*_WANTS_OPERAND, "open", "end"} and right == "comma":
        raise _error(token, "an operand is missing")
    if token and left in _ENDS_OPERAND and right == "quoted" and token.group().startswith("'"):
        raise _error(token, "a quote stands after an operand", TRANSPOSE)
    if token and left in _ENDS_OPERAND and right in _BEGINS_OPERAND and not (is_call or is_index):
        raise _error(token, "an operator is missing", "write * between the factors of a product")


def _unexpected(text: str, column: int) -> EquationError:
    c = text[column]
    return EquationError(f"unexpected character {c!r}", text, column, f"write {_INSTEAD[c]}" if c in _INSTEAD else "")


def _error(token: re.Match[str], message: str, hint: str = "") -> EquationError:
    return EquationError(message, token.string, token.start(), hint)
