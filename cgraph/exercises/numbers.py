"""Numbers as students write them: decimals, fractions, expressions, a decimal comma."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from fractions import Fraction
from numbers import Rational, Real
from typing import Any, NamedTuple

import numpy as np

from cgraph.model.errors import CGraphError, EquationError, MissingValueError, shorten
from cgraph.model.evaluation import steps_of
from cgraph.model.language.parsing import parse

__all__ = ["Given", "UnreadableError", "read_number", "show_fraction"]

MAX_TEXT = 1000
MAX_EXPONENT = 300  # of ten; a float ends at 308
_DECIMAL = re.compile(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d{1,6})?")
_FRACTION = re.compile(r"([-+]?\d{1,100})\s*/\s*(\d{1,100})")
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)")
_TYPED = str.maketrans({"−": "-", "–": "-", "·": "*", "×": "*", "⋅": "*", "π": "pi"})


class UnreadableError(CGraphError, ValueError):
    """An answer is not a number; the message says why."""


class Given(NamedTuple):
    """A number as it was given.

    `half_unit` is half a unit of the last digit that was written, None where no digits say how exact it is;
    `digits` counts the significant ones before the zeros at its end, to which many wrong ways lead.
    """

    text: str
    value: Fraction
    half_unit: Fraction | None = None
    digits: int = 17


def read_number(raw: Any) -> Given:
    """Return the number that `raw` is or says.

    Parameters
    ----------
    raw : number or str
        A text may be a decimal with a point or a comma, a fraction, or an expression of numbers alone.

    Raises
    ------
    UnreadableError
        If it is anything else, not finite, or out of range.

    Examples
    --------
    >>> [str(read_number(text).value) for text in ("-1/3", "1,25", "2.50e-1")]
    ['-1/3', '5/4', '1/4']
    >>> float(read_number("2^5 * ln(2)").value)
    22.18070977791825
    """
    if isinstance(raw, np.ndarray) and raw.ndim == 0:
        raw = raw.item()
    if isinstance(raw, int) and abs(raw) >= 10**MAX_TEXT:  # Python itself refuses to write out more than 4,300 digits
        raise UnreadableError("the number is out of range")
    raw = str(raw) if isinstance(raw, Decimal) else raw
    if isinstance(raw, bool) or not isinstance(raw, str | Real):
        raise UnreadableError(f"{_kind(raw)} is not a number")
    if isinstance(raw, Rational) and not isinstance(raw, int):
        return Given(str(raw), Fraction(raw))
    text = (raw if isinstance(raw, str) else repr(raw if isinstance(raw, int) else float(raw))).strip()
    if not text:
        raise UnreadableError("the answer is empty")
    if len(text) > MAX_TEXT:
        raise UnreadableError(f"an answer of {len(text):,} characters is too long")
    plain = text.translate(_TYPED)
    if plain.strip("+-.").lower() in {"nan", "inf", "infinity", "∞"}:
        raise UnreadableError(f"{text} is not a finite number")
    if _DECIMAL.fullmatch(plain):
        return _decimal(text, plain.replace(",", "."))
    if (fraction := _FRACTION.fullmatch(plain)) and int(fraction[2]):
        return Given(text, Fraction(int(fraction[1]), int(fraction[2])))
    return _expression(text, plain)


def show_fraction(value: Fraction | float) -> str:
    """Return a number as a decimal with at most ten significant digits.

    Examples
    --------
    >>> show_fraction(Fraction(1, 3)), show_fraction(Fraction(2))
    ('0.3333333333', '2')
    """
    return f"{float(value) + 0.0:.10g}"


def _decimal(text: str, plain: str) -> Given:
    number = Decimal(plain)
    if number and abs(number.adjusted()) > MAX_EXPONENT:
        raise UnreadableError(f"{shorten(text)} is out of the range of numbers")
    exponent = number.as_tuple().exponent
    unit = Fraction(10) ** int(exponent)
    return Given(text, Fraction(number), unit / 2, len(number.normalize().as_tuple().digits))


def _expression(text: str, plain: str) -> Given:
    if not re.search(r"m(in|ax)\s*\(", plain):  # whose operands stand between commas
        plain = _DECIMAL_COMMA.sub(".", plain)
    try:
        expression = parse(plain)
        with np.errstate(all="ignore"):
            value = float(steps_of(expression, {}, "answer")[-1])
    except EquationError as error:
        raise UnreadableError(f"{shorten(text)!r} is not a number: {error.message}") from None
    except MissingValueError:
        name = expression.operands[0]
        reason = "is a text" if name == plain else f"has the name {name!r} in it"
        raise UnreadableError(f"{shorten(text)!r} {reason}; a number is asked for") from None
    except CGraphError as error:
        reason = str(error).removeprefix("node 'answer': ")
        raise UnreadableError(f"{shorten(text)!r} cannot be computed: {reason}") from None
    if not math.isfinite(value):
        raise UnreadableError(f"{shorten(text)!r} is not finite")
    return Given(text, Fraction(value))


def _kind(raw: Any) -> str:
    match raw:
        case bool():
            return str(raw).lower()
        case dict():
            return "a mapping"
        case list() | tuple():
            return "a list"
    return f"a {type(raw).__name__}"
