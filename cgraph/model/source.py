"""The text of an equation: checked token by token, then parsed by Python's grammar.

The tokens are checked first because Python's messages are about Python. What passes has only names, numbers,
operators, brackets and commas in it, in an order that makes sense; the grammar settles the rest.
"""

from __future__ import annotations

import ast
import keyword
import re
import warnings

from cgraph.model.errors import EquationError
from cgraph.model.operations import FUNCTIONS

__all__ = ["MAX_DEPTH", "SPLIT", "TOO_DEEP", "Source"]

MAX_LENGTH = 10_000
MAX_DEPTH = 100
TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep"
SPLIT = "split it into several nodes"

# Characters from other keyboards and from formatted text, under what to type instead.
_LOOKALIKES = {
    "*": "·×⋅∗∙•", "-": "−–—‐‑", "/": "÷∕⁄", "(": "[{", ")": "]}", '"': "“”„", "'": "‘’",
    "abs(...)": "|", "sqrt(...)": "√", "one equation for each node": "=",
}  # fmt: skip
_INSTEAD = {c: plain for plain, characters in _LOOKALIKES.items() for c in characters}
_INSTEAD |= {c: f"^{k}" for k, c in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")} | {c: str(k) for k, c in enumerate("₀₁₂₃₄₅₆₇₈₉")}

_TOKEN = re.compile(
    r"""
    (?P<quoted>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*') | (?P<unclosed>["'])
  | (?P<word>[^\W\d]\w*)
  | (?P<number>0[xXoObB]\w+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][-+]?\d+)?(?:[jJ]\b)?)
  | (?P<sign>[-+]) | (?P<infix>\*\*?|//?|\^)
  | (?P<open>\() | (?P<close>\)) | (?P<comma>,) | (?P<dot>\.) | (?P<space>\s+) | (?P<bad>.)
    """,
    re.VERBOSE,
)
# Which kinds of token can stand beside one another.
_WANTS_OPERAND = {"sign", "infix", "comma"}
_ENDS_OPERAND = {"word", "number", "close"}
_BEGINS_OPERAND = {"word", "number", "open"}


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
            _check_token(token)
            _check_brackets(before, token, opened)
            _check_pair(before, token)
            before = token
    _check_pair(before, None)
    if opened:
        raise _error(opened[-1], "')' is missing")
    return tokens


def _check_token(token: re.Match[str]) -> None:
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
            raise _error(token, f"a closing {typed!r} is missing")


def _check_brackets(before: re.Match[str] | None, token: re.Match[str], opened: list[re.Match[str]]) -> None:
    """Keep the brackets that are open; refuse one that closes nothing or nests too deep, and a comma outside."""
    match token.lastgroup:
        case "open":
            opened.append(token)
            if len(opened) > MAX_DEPTH:
                raise _error(token, TOO_DEEP, SPLIT)
        case "close" if not opened:
            raise _error(token, "a ')' has no '('")
        case "close":
            opened.pop()
        case "comma" if not opened:
            hint = "the decimal sign is a point" if before and before.lastgroup == "number" else ""
            raise _error(token, "a comma separates the operands of a function", hint)


def _check_pair(before: re.Match[str] | None, token: re.Match[str] | None) -> None:
    """Refuse a token after another that it cannot follow; None is what stands before the text and after it."""
    left, right = (t.lastgroup if t else "end" for t in (before, token))
    if before and left == "word" and before.group() in FUNCTIONS and right != "open":
        name = before.group()
        raise _error(before, f"{name!r} is a function and needs operands", f"write {name}(...)")
    if before and left in _WANTS_OPERAND and right in {"close", "comma", "end"}:
        raise _error(before, "an operand is missing")
    if token and left in {*_WANTS_OPERAND, "open", "end"} and right in {"infix", "comma"}:
        raise _error(token, "an operand is missing")
    is_call = (left, right) == ("word", "open")
    if token and left in _ENDS_OPERAND and right in _BEGINS_OPERAND and not is_call:
        raise _error(token, "an operator is missing", "write * between the factors of a product")


def _unexpected(text: str, column: int) -> EquationError:
    c = text[column]
    return EquationError(f"unexpected character {c!r}", text, column, f"write {_INSTEAD[c]}" if c in _INSTEAD else "")


def _error(token: re.Match[str], message: str, hint: str = "") -> EquationError:
    return EquationError(message, token.string, token.start(), hint)
