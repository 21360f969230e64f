"""How names, numbers and equations are written in a picture, and how much room they take."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, pairwise
from numbers import Real
from typing import Any, NamedTuple

from cgraph.model.errors import shorten
from cgraph.model.language.parsing import substitute
from cgraph.model.operations.structured_jacobians import Jacobian
from cgraph.reports.latex import GREEK, greek_letter

__all__ = [
    "Line",
    "equation_lines",
    "is_array",
    "name_lines",
    "one_number",
    "quotient",
    "show_names",
    "show_quantity",
    "text_width",
    "typeset_equation",
]

_LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_HALVES = {"-": "⁻", "+": "⁺"}  # the halves of a decoupled neuron
# Advance widths in em, a little more than those of Helvetica, Verdana and DejaVu Sans.
_ADVANCES = {
    0.42: " .,:;'|!ijlfrtI()[]/\\`-⁻₀₁₂₃₄₅₆₇₈₉",
    0.66: 'abcdeghknopqsuvxyz0123456789"$*?_{}⁺',
    0.82: "ABCDEFGHJKLNOPQRSTUVXYZw&<>",
}
_ADVANCE = {character: em for em, characters in _ADVANCES.items() for character in characters}
_WIDEST = 1.05
MAX_EQUATION, MAX_NAME, MAX_LINE = 160, 100, 36  # characters
BOLD = 1.14  # how much wider bold letters are


class Line(NamedTuple):
    """A line of text: what it tells (``"name"``, ``"value"``, ...), and how."""

    kind: str
    text: str


def show_names(nodes: Iterable[Any]) -> dict[Any, str]:
    """Return how each node is named in a picture: an index is lowered, Greek is Greek, a number is y with an index.

    Where two nodes would then look the same, both stand there as they are.

    Examples
    --------
    >>> show_names(["x1", "theta_0", "9", "h1-", "loss", "w1", "w_1"])
    {'x1': 'x₁', 'theta_0': 'θ₀', '9': 'y₉', 'h1-': 'h₁⁻', 'loss': 'loss', 'w1': 'w1', 'w_1': 'w_1'}
    >>> show_names(["alpha_s", "h2_1+", "_", "x_"])
    {'alpha_s': 'α_s', 'h2_1+': 'h2_1⁺', '_': '_', 'x_': 'x_'}
    """
    shown = {i: _typeset(str(i)) for i in nodes}
    taken: dict[str, int] = {}
    for text in shown.values():
        taken[text] = taken.get(text, 0) + 1
    return {i: text if taken[text] == 1 else str(i) for i, text in shown.items()}


def _typeset(name: str) -> str:
    half = _HALVES.get(name[-1:], "") if len(name) > 1 else ""
    whole = name[:-1] if half else name
    if not re.fullmatch(r"\w+", whole):
        return name
    parts = re.fullmatch(r"([A-Za-z]*)(?:_?([0-9]+))?", whole)
    if not parts:
        return "_".join(map(_greek, whole.split("_"))) + half
    return _greek(parts[1] or "y") + (parts[2] or "").translate(_LOWERED) + half


def _greek(word: str) -> str:
    return greek_letter(word) if word in GREEK else word


def typeset_equation(equation: str, names: Mapping[Any, str], functions: tuple[str, ...] = ()) -> str:
    """Return an equation with its nodes named as `names` has them, on one line.

    Examples
    --------
    >>> typeset_equation("w_13 * y(5)", {"w_13": "w₁₃", "5": "y₅"})
    'w₁₃ * y₅'
    """
    return " ".join(substitute(equation, names, functions).split())


def equation_lines(text: str) -> list[str]:
    """Return an equation in lines that a box has room for, equally long as far as that is possible.

    Parentheses are broken only if what they hold is too long itself.

    Examples
    --------
    >>> equation_lines("target*log(y) + (1 - target)*log(1 - y)")
    ['target*log(y)', '+ (1 - target)*log(1 - y)']
    """
    text = shorten(text, MAX_EQUATION)
    depth = list(accumulate((letter in "([") - (letter in ")]") for letter in text))
    # Before an operator with spaces around it, after one without.
    places = [found.start() for found in re.finditer(r"(?<= )(?=[-+*/])|(?<=[+*/,])(?=[^\s*])", text)]
    for deepest in range(max(depth, default=0) + 1):
        cuts = [0, *(place for place in places if depth[place - 1] <= deepest), len(text)]
        pieces = [text[a:b] for a, b in pairwise(cuts)]
        if max(map(len, pieces)) <= MAX_LINE:
            break
    return _in_lines(pieces)


def name_lines(name: str) -> list[str]:
    """Return a name in lines that a box has room for; only long ones are broken, after a space or another separator.

    Examples
    --------
    >>> name_lines("token: Dallas"), name_lines("what a feature says of capitals of states")
    (['token: Dallas'], ['what a feature says', 'of capitals of states'])
    """
    return [name] if len(name) <= MAX_LINE else _in_lines(re.split(r"(?<=[ _.:/-])", shorten(name, MAX_NAME)))


def _in_lines(pieces: Sequence[str]) -> list[str]:
    """Return the pieces in as few lines as possible, equally long as far as that is possible."""
    lines = _filled(pieces, MAX_LINE)
    widths = range(-(-sum(map(len, pieces)) // len(lines)), MAX_LINE)
    return next((found for width in widths if len(found := _filled(pieces, width)) <= len(lines)), lines)


def _filled(pieces: Iterable[str], width: int) -> list[str]:
    """Return the pieces in lines of at most that many characters, as far as pieces allow."""
    lines = [""]
    for piece in pieces:
        if lines[-1] and len(lines[-1]) + len(piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return [line.strip() for line in lines]


def quotient(t: str, s: str) -> str:
    """Return how the derivative of a node with respect to another is written.

    Examples
    --------
    >>> quotient("y", "x₁"), quotient("logit: Austin", "x")
    ('dy/dx₁', 'd(logit: Austin)/d(x)')
    """
    plain = all(letter.isalnum() or letter in "_⁺⁻" for letter in t + s)
    return f"d{t}/d{s}" if plain else f"d({t})/d({s})"


def show_quantity(value: Any) -> str:
    """Return a number with four significant digits, or the shape of an array.

    Examples
    --------
    >>> import numpy as np
    >>> show_quantity(-1.0 / 3), show_quantity(np.zeros((4, 3))), show_quantity(np.zeros(3)), show_quantity(np.ones(1))
    ('−0.3333', '4 × 3', 'vector of 3', '1')
    """
    if is_array(value):
        return f"vector of {value.shape[0]}" if len(value.shape) == 1 else " × ".join(map(str, value.shape))
    value = one_number(value)
    return format(float(value) + 0.0, ".4g").replace("-", "−") if isinstance(value, Real) else str(value)


def is_array(value: Any) -> bool:
    """Whether a value, a derivative or a sensitivity is more than one number."""
    return math.prod(getattr(value, "shape", ())) != 1


def one_number(value: Any) -> Any:
    """Return what is not more than one number as that number, not as an array or a matrix of it."""
    value = value.dense() if isinstance(value, Jacobian) else value
    return value.item() if getattr(value, "shape", ()) else value


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Return the room that `text` takes at a font size, rather too much than too little."""
    return size * (BOLD if bold else 1.0) * sum(map(_advance, text))


def _advance(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    return _ADVANCE.get(character, 0.9 if character > "~" and character.islower() else _WIDEST)
