"""The tokens of an equation, and what is wrong with a text that cannot be read.

A text that the parser cannot read is looked at once more, token by token: which of them can stand nowhere, which
bracket is not closed, which two cannot stand beside one another.
"""

from __future__ import annotations

import keyword
import re

from cgraph.model.errors import EquationError, all_of
from cgraph.model.language.foreign_words import instead_of_character, instead_of_keyword, instead_of_operator
from cgraph.model.operations.elementwise import FUNCTIONS

__all__ = ["MAX_DEPTH", "MAX_LENGTH", "SPLIT", "SURROGATE", "TOKEN", "TOO_DEEP", "explain"]

MAX_LENGTH = 10_000
MAX_DEPTH = 100
TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep"
SPLIT = "split it into several nodes"
TRANSPOSE = "write W.T for the transpose of W"

TOKEN = re.compile(
    r"""
    (?P<word>[^\W\d]\w*)
  | (?P<number>0[xXoObB]\w+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][-+]?\d+)?(?:[jJ]\b)?)
  | (?P<foreign>==|!=|:=|&&|\|\|)
  | (?P<sign>[-+]) | (?P<infix>\*\*?|//?|\^|@|[<>]=?) | (?P<equals>=)
  | (?P<open>[(\[]) | (?P<close>[)\]]) | (?P<comma>,) | (?P<colon>:) | (?P<dot>\.)
  | (?P<quoted>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*') | (?P<unclosed>["'])
  | (?P<space>\s+) | (?P<bad>.)
    """,
    re.VERBOSE,
)
SURROGATE = re.compile("[\ud800-\udfff]")  # half a character, which no file can hold
# Which kinds of token can stand beside one another.
_WANTS_OPERAND = {"sign", "infix", "comma", "equals"}
_ENDS_OPERAND = {"word", "number", "close"}
_BEGINS_OPERAND = {"word", "number", "open"}
_POWER = re.compile(r"(\w+)\s*(\^|\*\*)\s*\d+\s*$")  # of a function, as in sin^2(x)
_CLOSES = {"(": ")", "[": "]"}


def explain(text: str, otherwise: EquationError) -> EquationError:
    """Return what is wrong with a text that cannot be read: all that its tokens tell, or else what was found so far."""
    if len(text) > MAX_LENGTH:
        message = f"an equation of {len(text):,} characters; the limit is {MAX_LENGTH:,}"
        return EquationError(message, text, 0, SPLIT)
    if not text.strip():
        return EquationError("the equation is empty", text)
    if surrogate := SURROGATE.search(text):
        return _unexpected(text, surrogate.start())
    mistakes = _mistakes([token for token in TOKEN.finditer(text) if token.lastgroup != "space"])
    return all_of(mistakes or [otherwise])


def _mistakes(tokens: list[re.Match[str]]) -> list[EquationError]:
    """Return what is wrong with the tokens, the same thing once; what follows a mistake is not held against it."""
    found: dict[str, EquationError] = {}
    opened: list[re.Match[str]] = []
    before, is_sound = None, True
    for token in tokens:
        try:
            _check_token(before, token)
            _check_brackets(before, token, opened)
            if is_sound:
                _check_pair(before, token)
            is_sound = True
        except EquationError as error:
            found.setdefault(error.message, error)
            is_sound = False
        before = token
    try:
        if is_sound:
            _check_pair(before, None)
    except EquationError as error:
        found.setdefault(error.message, error)
    if opened and not found:
        found[""] = _error(opened[-1], f"{_CLOSES[opened[-1].group()]!r} is missing")
    return list(found.values())


def _check_token(before: re.Match[str] | None, token: re.Match[str]) -> None:
    """Refuse a token that can stand nowhere."""
    typed = token.group()
    match token.lastgroup:
        case "bad":
            raise _unexpected(token.string, token.start())
        case "foreign":
            raise _error(token, f"unexpected {typed!r}", instead_of_operator(typed))
        case "word" if not typed.isidentifier():  # superscripts and the like, which Python has no place for
            offset = next(k for k in range(len(typed)) if not typed[: k + 1].isidentifier())
            raise _unexpected(token.string, token.start() + offset)
        case "word" if keyword.iskeyword(typed):
            message = f"{typed!r} is a Python keyword and cannot stand in an equation"
            raise _error(token, message, instead_of_keyword(typed) or f"rename the node, for instance '{typed}_'")
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
            opened.append(token)
            if is_list and within != "[":
                hint = "a vector or matrix is an input or a constant of its own; stack(a, b) makes one of nodes"
                raise EquationError("unexpected character '['", token.string, token.start(), hint)
            if len(opened) > MAX_DEPTH:
                raise _error(token, TOO_DEEP, SPLIT)
        case "close":
            if _CLOSES.get(within) != typed:
                raise _error(token, f"a {typed!r} has no {'(' if typed == ')' else '['!r}")
            opened.pop()
        case "comma" if not opened:
            raise _error(token, "a comma separates the operands of a function", _instead_of_comma(token))
        case "colon" if within != "[":
            raise _unexpected(token.string, token.start())
        case "equals" if within != "(" or before is None or before.lastgroup != "word":
            raise _error(token, f"unexpected character {typed!r}", _without_equals(token))


def _instead_of_comma(comma: re.Match[str]) -> str:
    left, right = comma.string[: comma.start()], comma.string[comma.end() :]
    if left[-1:].isdecimal() and right[:1].isdecimal():
        return "the decimal sign is a point"
    return "several equations are separated by ';'" if re.match(r"\s*\w+\s*=", right) else ""


def _without_equals(equals: re.Match[str]) -> str:
    left = equals.string[: equals.start()].strip()
    if not left or left.isidentifier():
        return f"write the right-hand side alone, without {left + ' =' if left else '='!r}"
    return "write one equation for each node"


def _check_pair(before: re.Match[str] | None, token: re.Match[str] | None) -> None:
    """Refuse a token after another that it cannot follow; None is what stands before the text and after it."""
    left, right = (t.lastgroup if t else "end" for t in (before, token))
    is_call = left == "word" and token is not None and token.group() == "("
    is_index = left in {"word", "close"} and token is not None and token.group() == "["
    is_option = right == "equals"
    if before and left == "word" and before.group() in FUNCTIONS and not (is_call or is_option):
        name = before.group()
        argument = token.group() if token and right in {"word", "number"} else "..."
        power = f"({argument})^2" if token and token.group() in {"^", "**"} else f"({argument})"
        raise _error(before, f"{name!r} is a function and needs operands", f"write {name}{power}")
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
    raised = _POWER.search(token.string[: token.start()]) if token and right == "open" else None
    is_power = raised and raised[1] in FUNCTIONS
    if (
        before
        and token
        and left in _ENDS_OPERAND
        and right in _BEGINS_OPERAND
        and not (is_call or is_index or is_power)
    ):
        raise _operator_missing(before, token)


def _operator_missing(before: re.Match[str], token: re.Match[str]) -> EquationError:
    left, right = before.group(), token.group()
    if before["number"] and token["number"] and right.startswith("."):
        return _error(token, "a number has one decimal point")
    is_plain = before.lastgroup != "close" and token.lastgroup != "open"
    factors = f"as in {left}*{right}" if is_plain and len(left) + len(right) < 40 else "as in (a + b)*(c + d)"
    return _error(token, "an operator is missing", f"write * between the factors of a product, {factors}")


def _unexpected(text: str, column: int) -> EquationError:
    c = text[column]
    return EquationError(f"unexpected character {c!r}", text, column, instead_of_character(c))


def _error(token: re.Match[str], message: str, hint: str = "") -> EquationError:
    return EquationError(message, token.string, token.start(), hint)
