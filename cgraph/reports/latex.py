"""Names and equations as LaTeX."""

from __future__ import annotations

import re

from cgraph.model.expressions import Apply, Expression, Name, Number
from cgraph.model.operations import row_of

__all__ = ["latex_expression", "latex_name", "latex_number", "latex_text"]

_GREEK = {
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "mu", "nu", "xi", "rho",
    "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Theta", "Xi", "Pi", "Sigma", "Phi",
    "Psi", "Omega",
}  # fmt: skip
_SPECIAL = {c: f"\\{c}" for c in "&%$#_{}"} | {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}",
}  # fmt: skip
_ATOM = 9  # binds tighter than every operator


def latex_text(text: str) -> str:
    r"""Return `text` with everything that LaTeX would act upon escaped.

    Examples
    --------
    >>> latex_text("50% of $x_1$")
    '50\\% of \\$x\\_1\\$'
    """
    return "".join(_SPECIAL.get(c, c) for c in text)


def latex_name(name: str) -> str:
    r"""Return a node's name for math mode: an index is lowered, Greek is Greek, a number is y_number.

    Examples
    --------
    >>> latex_name("x1"), latex_name("w_13"), latex_name("theta"), latex_name("5"), latex_name("loss")
    ('x_{1}', 'w_{13}', '\\theta', 'y_{5}', '\\mathrm{loss}')
    """
    if name.isascii() and name.isdigit():
        return f"y_{{{name}}}"
    if parts := re.fullmatch(r"([A-Za-z]+?)_?(\d*)|([A-Za-z]+)_(\w+)", name):
        stem, index = (parts[1], parts[2]) if parts[1] else (parts[3], parts[4])
        base = f"\\{stem}" if stem in _GREEK else stem if len(stem) == 1 else rf"\mathrm{{{stem}}}"
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


def latex_expression(expression: Expression) -> str:
    r"""Return an equation's right-hand side for math mode.

    Examples
    --------
    >>> from cgraph.model.expressions import parse
    >>> latex_expression(parse("exp(a) + a/log(x1) - (b - 2)^2"))
    'e^{a} + \\frac{a}{\\ln(x_{1})} - (b - 2)^{2}'
    """
    written: list[tuple[str, int]] = []  # each step, and how tightly it binds
    for step in expression.steps:
        match step:
            case Name(name):
                written.append((latex_name(name), _ATOM))
            case Number(_, text):
                written.append((rf"\{text}" if text == "pi" else latex_number(text), _ATOM))
            case Apply(operation, operands):
                row = row_of(operation)
                shown = [_bracketed(*written[o], operation, k) for k, o in enumerate(operands)]
                # A fraction keeps itself together; only a power of it needs brackets.
                written.append(
                    (
                        row.latex.replace("{...}", ", ".join(shown)).format(*shown),
                        row.precedence if row.infix else _ATOM - 1,
                    )
                )
    return written[-1][0]


def _bracketed(text: str, precedence: int, operation: str, position: int) -> str:
    """Return an operand, in brackets where the operation would tear it apart."""
    outer = row_of(operation)
    match operation:
        case "div" | "exp" | "sqrt" | "reciprocal":
            needs = False  # the layout brackets it
        case "pow" | "square":
            needs = position == 0 and precedence < _ATOM
        case "sub":
            needs = position == 1 and precedence <= outer.precedence
        case _:
            needs = bool(outer.infix) and precedence < outer.precedence
    needs = needs or (position == 1 and text.startswith("-") and operation in {"add", "sub", "mul"})
    return f"({text})" if needs else text
