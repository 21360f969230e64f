"""Words of other languages, and what to write instead."""

from __future__ import annotations

__all__ = ["instead_of_character", "instead_of_function", "instead_of_keyword", "instead_of_operator"]

# Characters from other keyboards and from formatted text, under what to type instead.
_LOOKALIKES = {
    "*": "·×⋅∗∙•", "-": "−–—‐‑", "/": "÷∕⁄", "(": "{", ")": "}", '"': "“”„", "'": "‘’",
    "abs(...)": "|", "sqrt(...)": "√", "sum(...)": "∑",
}  # fmt: skip
_INSTEAD = {c: f"write {plain}" for plain, characters in _LOOKALIKES.items() for c in characters}
_INSTEAD |= {c: f"write ^{k}" for k, c in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
_INSTEAD |= {c: f"write {k}" for k, c in enumerate("₀₁₂₃₄₅₆₇₈₉")}
_INSTEAD |= {
    "½": "write 0.5",
    "¼": "write 0.25",
    "∞": "a finite number is needed",
    "≤": "write <=",
    "≥": "write >=",
    "%": "write a percentage as a number, as in 0.05; there is no remainder",
    "!": "there is no factorial and no 'not'; 1 - (a > 0) is 1 where a > 0 does not hold",
    "&": "write a product where both conditions must hold: (a > 0) * (b > 0)",
    "$": "write plain text, not LaTeX, as in x^2 / 2",
    "\\": "write plain text, not LaTeX, as in x^2 / 2",
    ";": "an equation stands on its own, without ';' at its end",
    "?": "write where(condition, a, b)",
    "∂": "derivatives are computed; an equation says the value only",
    "'": "write W.T for the transpose of W",
}

_OPERATORS = {
    "==": "numbers are compared by <, >, <= and >=",
    "!=": "numbers are compared by <, >, <= and >=",
    ":=": "write the right-hand side alone",
    "&&": "write a product where both conditions must hold: (a > 0) * (b > 0)",
    "||": "write max(a > 0, b > 0) where one of two conditions must hold",
}

_KEYWORDS = {
    "if": "write where(condition, a, b)",
    "else": "write where(condition, a, b)",
    "and": "write a product where both conditions must hold: (a > 0) * (b > 0)",
    "or": "write max(a > 0, b > 0) where one of two conditions must hold",
    "not": "1 - (a > 0) is 1 where a > 0 does not hold",
    "True": "write 1",
    "False": "write 0",
    "None": "write a number",
    "for": "write sum(x) for the sum over the entries of an array",
}

_FUNCTIONS = {
    "write a^b": ("pow", "power"),
    "write a^2": ("sqr",),
    "write where(condition, a, b)": ("if", "iif", "ifelse", "cond", "case", "piecewise"),
    "write a * (a > 0)": ("ramp", "pos"),
    "write a > 0, which is 1 or 0": ("heaviside", "step", "theta", "unit_step"),
    "write min(max(x, a), b)": ("clip", "clamp", "limit"),
    "write 1 / tan(x)": ("cot", "ctg", "cotan"),
    "write 1 / cos(x)": ("sec",),
    "write 1 / sin(x)": ("csc", "cosec"),
    "write atan(y / x), for x > 0": ("atan2", "arctan2"),
    "write x^(1/3), for x >= 0": ("cbrt", "root", "nthroot"),
    "write log(x) / log(b) for another base": ("logb", "log_b"),
    "write 1 - erf(x)": ("erfc",),
    "write log(p / (1 - p))": ("logit",),
    "write a - b * n with the n that you know; a remainder has no derivative": ("mod", "rem", "fmod"),
    "a step has no derivative; leave the value as it is": ("floor", "ceil", "round", "trunc", "int", "rint"),
    "a node has one value; give what varies as an input": ("random", "rand", "randn", "normal"),
    "derivatives are computed; an equation says the value only": ("diff", "grad", "deriv", "derivative", "d"),
    "write the product, as in 1 * 2 * 3": ("factorial", "fact"),
    "write tan(x)": ("tg",),
    "write atan(x)": ("arctg", "arctan"),
    "write asin(x)": ("arcsin",),
    "write acos(x)": ("arccos",),
    "write sinh(x)": ("sh",),
    "write cosh(x)": ("ch",),
    "write tanh(x)": ("th", "tgh"),
    "write log10(x)": ("lg",),
    "write log2(x)": ("ld", "lb"),
    "write sign(x)": ("sgn", "signum"),
    "write sigmoid(x)": ("sigm", "sig", "logistic", "logsig", "expit"),
    "write mean(x)": ("avg", "average"),
    "write x.T": ("transposed", "t"),
    "write inv(A)": ("inverse",),
}
_INSTEAD_OF_FUNCTION = {name: advice for advice, names in _FUNCTIONS.items() for name in names}


def instead_of_character(c: str) -> str:
    """Return what to write instead of a character that equations do not have, or "".

    Examples
    --------
    >>> instead_of_character("²"), instead_of_character("~")
    ('write ^2', '')
    """
    return _INSTEAD.get(c, "")


def instead_of_operator(operator: str) -> str:
    """Return what to write instead of an operator that other languages have."""
    return _OPERATORS[operator]


def instead_of_keyword(word: str) -> str:
    """Return what to write instead of a keyword of Python, or ""."""
    return _KEYWORDS.get(word, "")


def instead_of_function(name: str) -> str:
    """Return what to write instead of a function that other languages have, or "".

    Examples
    --------
    >>> instead_of_function("pow"), instead_of_function("IF"), instead_of_function("f")
    ('write a^b', 'write where(condition, a, b)', '')
    """
    return _INSTEAD_OF_FUNCTION.get(name.casefold(), "")
