"""Names and equations as LaTeX."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cgraph.model.language.expressions import Apply, Expression, Name, Number, write_step
from cgraph.model.operations.arrays import ATOM
from cgraph.model.operations.elementwise import row_of

__all__ = [
    "EDGE", "GREEK", "greek_letter", "is_long", "latex_array", "latex_document", "latex_expression", "latex_name",
    "latex_number", "latex_text",
]  # fmt: skip

GREEK = {
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "mu", "nu", "xi", "rho",
    "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Theta", "Xi", "Pi", "Sigma", "Phi",
    "Psi", "Omega",
}  # fmt: skip


def greek_letter(name: str) -> str:
    """Return the letter that one of `GREEK` names.

    Examples
    --------
    >>> greek_letter("theta"), greek_letter("Phi")
    ('θ', 'Φ')
    """
    return unicodedata.lookup(f"GREEK {'SMALL' if name.islower() else 'CAPITAL'} LETTER {name.upper()}")


_SPECIAL = {c: f"\\{c}" for c in "&%$#_{}"} | {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''",
}  # fmt: skip
_SPECIAL |= dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΧο", "ABEZHIKMNOPTXo", strict=True))  # LaTeX has no command for what looks Latin
_SPECIAL |= {
    c: rf"\ensuremath{{{command}}}"
    for c, command in {
        **{greek_letter(name): f"\\{name}" for name in GREEK | {"pi", "Upsilon"}}, "λ": r"\lambda", "Λ": r"\Lambda",
        "ς": r"\varsigma", **{c: f"_{{{k}}}" for k, c in enumerate("₀₁₂₃₄₅₆₇₈₉")}, "⁻": "^{-}", "⁺": "^{+}",
        "−": "-", "→": r"\to", "×": r"\times", "′": "'", "≤": r"\le", "≥": r"\ge", "∞": r"\infty",
    }.items()
}  # fmt: skip
# What the fonts of pdflatex have of Latin-1 and Latin Extended-A.
_LATIN = {chr(c) for c in range(0xA1, 0x17F)} - set("ĦħĸĿŀŉŦŧ\xad")
EDGE, MAX_SHOWN = 2, 10  # what is shown at each end of a long array, and how many entries do not make it one
_SIGNED = {"+", "-", "*"}  # of two signs one is in brackets
_DOCUMENT = r"""\documentclass{article}
\usepackage[utf8]{inputenc}
\usepackage{amsmath}
\usepackage[a4paper,landscape,margin=15mm]{geometry}
\begin{document}
\small\renewcommand{\arraystretch}{1.3}
%s
\end{document}"""


def latex_text(text: str) -> str:
    r"""Return `text` with everything that LaTeX would act upon escaped, and Greek and signs as commands.

    Letters that pdflatex does not have are shown by their number.

    Examples
    --------
    >>> latex_text("50% of $x_1$"), latex_text("θ₀ − 中")
    ('50\\% of \\$x\\_1\\$', '\\ensuremath{\\theta}\\ensuremath{_{0}} \\ensuremath{-} [U+4E2D]')
    """
    return "".join(_SPECIAL.get(c) or (c if " " <= c <= "~" or c in _LATIN else f"[U+{ord(c):04X}]") for c in text)


def latex_name(name: str) -> str:
    r"""Return a node's name for math mode: an index is lowered, Greek is Greek, a number is y_number.

    Examples
    --------
    >>> latex_name("x1"), latex_name("w_13"), latex_name("theta"), latex_name("5"), latex_name("loss"), latex_name("x_")
    ('x_{1}', 'w_{13}', '\\theta', 'y_{5}', '\\mathrm{loss}', '\\text{x\\_}')
    """
    if name.isascii() and name.isdigit():
        return f"y_{{{name}}}"
    if parts := re.fullmatch(r"([A-Za-z]+)(?:_?(\d+))?|([A-Za-z]+)_(\w+)", name):
        stem, index = (parts[1], parts[2]) if parts[1] else (parts[3], parts[4])
        base = f"\\{stem}" if stem in GREEK else stem if len(stem) == 1 else rf"\mathrm{{{stem}}}"
        return base + (f"_{{{latex_text(index)}}}" if index else "")
    return rf"\text{{{latex_text(name)}}}"


def latex_number(text: str) -> str:
    r"""Return a number that is written as `text` for math mode.

    Examples
    --------
    >>> latex_number("1e-07"), latex_number("2.5")
    ('1 \\cdot 10^{-7}', '2.5')
    """
    scientific = re.fullmatch(r"(-?[\d._]+)[eE]([-+]?\d+)", text)
    return rf"{scientific[1]} \cdot 10^{{{int(scientific[2])}}}" if scientific else text


def is_long(array: NDArray[Any]) -> bool:
    """Whether an array is shown by its ends."""
    return array.size > MAX_SHOWN and max(array.shape) > 2 * EDGE


def latex_array(array: NDArray[Any]) -> str:
    r"""Return an array for math mode: a matrix in brackets, a vector as a row transposed, more axes by their shape.

    Examples
    --------
    >>> latex_array(np.array([1.0, 0.5])), latex_array(np.zeros((4, 2, 3)))
    ('\\begin{bmatrix} 1 & 0.5 \\end{bmatrix}^T', '\\text{an array of shape } 4 \\times 2 \\times 3')
    """
    if array.ndim > 2:
        return r"\text{an array of shape } " + r" \times ".join(map(str, array.shape))
    shorten = is_long(array)
    rows = [
        _ends([latex_number(format(x + 0.0, ".6g")) for x in row], r"\cdots", shorten) for row in np.atleast_2d(array)
    ]
    rows = _ends(rows, [r"\vdots"] * len(rows[0]), shorten)
    body = r" \\ ".join(" & ".join(row) for row in rows)
    return rf"\begin{{bmatrix}} {body} \end{{bmatrix}}" + "^T" * (array.ndim == 1)


def _ends(parts: list[Any], dots: Any, shorten: bool) -> list[Any]:
    """Return the first and the last of many parts."""
    return [*parts[:EDGE], dots, *parts[-EDGE:]] if shorten and len(parts) > 2 * EDGE else parts


def latex_document(body: str) -> str:
    """Return a document for pdflatex that holds `body`."""
    return _DOCUMENT % body


def latex_expression(expression: Expression) -> str:
    r"""Return an equation's right-hand side for math mode.

    Examples
    --------
    >>> from cgraph.model.language.parsing import parse
    >>> latex_expression(parse("exp(a) + a/log(x1) - (b - 2)^2"))
    'e^{a} + \\frac{a}{\\ln(x_{1})} - (b - 2)^{2}'
    >>> latex_expression(parse("tanh(x @ W1.T + b1)[0]"))
    '(\\tanh(x \\, W_{1}^{T} + b_{1}))[0]'
    """
    written: list[tuple[str, float]] = []  # each step, and how tightly it binds
    for step in expression.steps:
        match step:
            case Name(name):
                written.append((latex_name(name), ATOM))
            case Number(_, text):
                written.append((rf"\{text}" if text == "pi" else latex_number(text), ATOM))
            case Apply("identity", operands):
                written.append(written[operands[0]])
            case Apply(operation, operands):
                row = row_of(operation)
                shown = [_bracketed(*written[o], operation, k) for k, o in enumerate(operands)]
                # A fraction keeps itself together; only a power of it needs brackets.
                binds = row.layout.binds if row.layout else row.precedence if row.infix else ATOM - 1
                written.append((row.latex.format(*shown, all=", ".join(shown), options=_options(step)), binds))
    return written[-1][0]


def _options(step: Apply) -> str:
    """Return what stands between the brackets of an index, or the options of an operation as its lower index."""
    if step.operation == "index":
        return write_step(step, ["x"])[1:].replace(":", "{:}")
    written = [(name.replace("_", r"\_"), str(value).replace("->", r" \to ")) for name, value in step.options]
    options = r",\, ".join(rf"\mathrm{{{name}}}\,{value}" for name, value in written)
    return f"_{{{options}}}" if options else ""


def _bracketed(text: str, precedence: float, operation: str, position: int) -> str:
    """Return an operand, in brackets where the operation would tear it apart."""
    outer = row_of(operation)
    match operation:
        case _ if outer.layout is not None:
            needs = precedence < outer.layout.operands[position]
        case _ if f"{{{{{{{position}}}}}}}" in outer.latex:
            needs = False  # the layout brackets it
        case _ if outer.latex.startswith("{0}^") and position == 0:
            needs = precedence < ATOM
        case "sub":
            needs = position == 1 and precedence <= outer.precedence
        case _:
            needs = bool(outer.infix) and precedence < outer.precedence
    is_signed = outer.layout.is_signed if outer.layout else outer.infix in _SIGNED
    needs = needs or (position == 1 and text.startswith("-") and is_signed)
    return f"({text})" if needs else text
