r"""The table of elementary operations: one row each, written in the language of equations.

A row says what an operation takes, what it gives and what its derivatives are, as equations in its operands; a
derivative may also use the output ``y``, as the activations of the notes do (sigmoid: y*(1 - y)). Everything else
follows from the rows (`cgraph.model.rules`): the functions of NumPy, the machine code of compiled graphs, the script of
the pages, formulas in sympy, second derivatives, the lists of the schema and the tables of the documentation. To add an
operation is to add a row::

    "softsign": Operation("x", "x / (1 + abs(x))", ("1 / (1 + abs(x))^2",), r"\operatorname{{softsign}}({0})", activation=True),

A row without an equation is a primitive, spelled for each target in ``spelled``; a row with an equation may be spelled as
well, where a target has a function of its own. A value takes floats, arrays, Fractions where its operations are exact,
and complex numbers whose imaginary part is a small perturbation, which is what a complex step needs: comparisons
therefore look at real parts.

Sources: MATH 565, lecture 27 (activations and their derivatives in terms of the output); at kinks the
conventions of the design hold: relu'(0) = abs'(0) = 0, hard tanh' = 1 at both ends, ties go to the first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cgraph.model.operations.arrays import ARRAY_OPERATIONS, ArrayOperation

__all__ = [
    "ACTIVATIONS",
    "ALIASES",
    "CHOICE",
    "CONSTANTS",
    "FUNCTIONS",
    "LISTED",
    "OF_ONE_ARRAY",
    "OPERATIONS",
    "POWER",
    "PRODUCT",
    "WORDED",
    "Operation",
    "name_of",
    "row_of",
]  # fmt: skip

CONSTANTS = {"pi": math.pi, "e": math.e}
ALIASES = {"ln": "log"}
OF_ONE_ARRAY = {"max": "largest", "min": "smallest"}  # what they stand for with a single operand
WORDED = {"einsum": "subscripts"}  # the option that is a text before the operands: einsum("ij,jk->ik", A, B)
LISTED = {"reshape": "shape", "transpose": "axes"}  # the option that may be listed: reshape(x, 2, 3)


@dataclass(frozen=True, eq=False)
class Operation:
    r"""One elementary operation.

    Parameters
    ----------
    operands : str
        The names of the operands, with a space between.
    value : str
        The output, an equation in the operands; "" for a primitive.
    derivatives : tuple of str
        One for each operand: dy/dx_k, an equation in the operands and the output ``y``; () if they are to be derived.
    latex : str
        How it is typeset; ``{0}``, ``{1}`` stand for the operands.
    domain : (str, str), optional
        A condition on the operands, and the words that say which ones are allowed.
    infix : str, optional
        The operator between the operands (before a single one); a function is written by its name.
    precedence : int
        How tightly the operator binds; a function binds tightest.
    far : (str, str), optional
        For one operand: a condition on it under which the derivative by the output has lost its digits, and the
        derivative to use there.
    plain : str, optional
        The value as people write it, for formulas; ``value`` may be written so that nothing overflows.
    spelled : dict, optional
        What the operation is called where a target has it: "numpy", "machine" (compiled graphs), "javascript",
        "sympy"; ``{0}``, ``{1}`` stand for the operands.
    exact : bool
        Of a primitive, whether it gives a Fraction for Fractions.
    kinks : tuple of str
        Equations in the operands; where one of them is 0, the operation has a kink or a jump.
    numpy : tuple of str
        The functions of NumPy that `trace` writes as this operation.
    activation : bool
        Whether a neuron may apply it to its weighted sum.
    frequent : bool
        Whether it occurs often: machine code then has a loop of its own for it.
    is_own : bool
        Whether a user defined it; `expand` replaces it by its equation, of which errors speak as well.
    of_angle : bool
        Whether its operand is an angle; a typical mistake is to take it in degrees.
    logarithm : str
        If it is a logarithm, its name in words.

    Examples
    --------
    >>> OPERATIONS["tanh"].derivatives, OPERATIONS["softplus"].derivatives
    (('1 - y^2',), ('sigmoid(x)',))
    """

    operands: str
    value: str
    derivatives: tuple[str, ...]
    latex: str
    domain: tuple[str, str] | None = None
    infix: str = ""
    precedence: int = 9
    far: tuple[str, str] | None = None
    plain: str = ""
    spelled: Mapping[str, str] = field(default_factory=dict)
    exact: bool = False
    kinks: tuple[str, ...] = ()
    numpy: tuple[str, ...] = ()
    activation: bool = False
    frequent: bool = False
    is_own: bool = False
    of_angle: bool = False
    logarithm: str = ""

    layout = None  # where LaTeX needs brackets, the infix says

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the operands."""
        return tuple(self.operands.split())


class Table(dict[str, Operation]):
    """Rows by the names of operations. A function that a graph defines has no row: it is looked up by its definition.

    Examples
    --------
    >>> row = OPERATIONS["swish(x, b) = x * sigmoid(b * x)"]
    >>> row.names, row.value, "swish" in OPERATIONS
    (('x', 'b'), 'x * sigmoid(b * x)', False)
    """

    def __missing__(self, definition: str) -> Operation:
        if "=" not in definition:
            raise KeyError(definition)
        return defined(definition)

    def __contains__(self, operation: object) -> bool:
        return super().__contains__(operation) or (isinstance(operation, str) and "(" in operation)

    def get(self, operation: str, default: Any = None) -> Any:
        return self[operation] if operation in self else default  # noqa: SIM401 - this is what it is


@cache
def defined(definition: str) -> Operation:
    """Return the row of a function that is defined by ``name(x, ...) = equation``."""
    head, _, body = definition.partition(" = ")
    function, _, operands = head.rstrip(")").partition("(")
    names = operands.replace(",", " ")
    places = ", ".join(f"{{{k}}}" for k in range(len(names.split())))
    shown = function.replace("_", r"\_")
    return Operation(names, body, (), rf"\operatorname{{{{{shown}}}}}({places})", is_own=True)


def name_of(operation: str) -> str:
    """Return what an operation is called in an equation.

    Examples
    --------
    >>> name_of("exp"), name_of("swish(x, b) = x * sigmoid(b * x)")
    ('exp', 'swish')
    """
    return operation.partition("(")[0]


def _everywhere(spelling: str) -> dict[str, str]:
    """Return the spelling that every target has, as that of arithmetic."""
    return dict.fromkeys(("numpy", "machine", "javascript", "sympy"), spelling)


def _called(name: str, numpy: str = "", javascript: str = "", machine: str = "") -> dict[str, str]:
    """Return the spellings of a function of one operand that every target has under some name."""
    numpy = f"np.{numpy or name}({{0}})"
    return {
        "numpy": numpy, "machine": machine or numpy, "javascript": f"Math.{javascript or name}({{0}})",
        "sympy": f"sympy.{name}({{0}})",
    }  # fmt: skip


def _compared(sign: str) -> dict[str, str]:
    return _everywhere(f"{{0}} {sign} {{1}}") | {"numpy": f"{{0}}.real {sign} {{1}}.real"}


_POSITIVE = ("x > 0", "a positive operand")
_UNIT = ("(x >= -1) * (x <= 1)", "an operand in [-1, 1]")
_PROBABILITY = (
    "(p >= 0) * (p <= 1) * ((p > 0) + (t >= 0) * (t <= 0)) * ((p < 1) + (t >= 1) * (t <= 1))",
    "a probability in (0, 1), or one that the label leaves possible",
)
_POWER = (
    "(a > 0) + (a >= 0) * (b >= 0) + (a < 0) * (floor(b) >= b)",
    "a positive base, 0 to a power of at least 0, or a negative base to an integer power",
)
_FLAT = ("0", "0")

# fmt: off
OPERATIONS = Table({
    # arithmetic
    "add": Operation("a b", "", ("1", "1"), "{0} + {1}", infix="+", precedence=1, spelled=_everywhere("{0} + {1}"), exact=True, numpy=("add",)),
    "sub": Operation("a b", "", ("1", "-1"), "{0} - {1}", infix="-", precedence=1, spelled=_everywhere("{0} - {1}"), exact=True, numpy=("subtract",)),
    "mul": Operation("a b", "", ("b", "a"), r"{0} \cdot {1}", infix="*", precedence=2, spelled=_everywhere("{0} * {1}"), exact=True, numpy=("multiply",)),
    "div": Operation("a b", "", ("1 / b", "-y / b"), r"\frac{{{0}}}{{{1}}}", domain=("b", "a divisor other than 0"),
                     infix="/", precedence=2, frequent=True, spelled=_everywhere("{0} / {1}"), exact=True, numpy=("divide",)),
    "neg": Operation("x", "", ("-1",), "-{0}", infix="-", precedence=3, spelled=_everywhere("-{0}"), frequent=True, exact=True, numpy=("negative",)),
    # a^0 is the constant 1, at a = 0 too; 0^b is the constant 0 for b > 0.
    "pow": Operation("a b", "", ("b * a^where(b, b - 1, 1)", "y * log(where(a, a, b > 0))"),
                     "{0}^{{{1}}}", domain=_POWER, infix="^", precedence=4, exact=True, numpy=("power", "float_power"),
                     spelled=_everywhere("{0} ** {1}") | {"numpy": "power({0}, {1})"}),
    "square": Operation("x", "x * x", ("2 * x",), "{0}^2", plain="x^2", frequent=True, numpy=("square",)),
    "reciprocal": Operation("x", "1 / x", ("-y^2",), r"\frac{{1}}{{{0}}}", domain=("x", "an operand other than 0"), numpy=("reciprocal",)),
    # exponentials and logarithms
    "exp": Operation("x", "", ("y",), "e^{{{0}}}", spelled=_called("exp", machine="exp({0})"), numpy=("exp",), frequent=True),
    "expm1": Operation("x", "", ("exp(x)",), "e^{{{0}}} - 1", spelled=_called("exp", "expm1", "expm1") | {"sympy": "sympy.exp({0}) - 1"}, numpy=("expm1",)),
    "log": Operation("x", "", ("1 / x",), r"\ln({0})", domain=_POSITIVE, spelled=_called("log", machine="log({0})"), numpy=("log",), frequent=True, logarithm="the natural logarithm"),
    "log1p": Operation("x", "", ("1 / (1 + x)",), r"\ln(1 + {0})", domain=("x > -1", "an operand above -1"),
                       spelled=_called("log", "log1p", "log1p") | {"sympy": "sympy.log(1 + {0})"}, numpy=("log1p",)),
    "log2": Operation("x", "", ("1 / (x * log(2))",), r"\log_2({0})", domain=_POSITIVE,
                      spelled=_called("log2") | {"sympy": "sympy.log({0}) / sympy.log(2)"}, numpy=("log2",), logarithm="the logarithm to base 2"),
    "log10": Operation("x", "", ("1 / (x * log(10))",), r"\log_{{10}}({0})", domain=_POSITIVE,
                       spelled=_called("log10") | {"sympy": "sympy.log({0}) / sympy.log(10)"}, numpy=("log10",), logarithm="the logarithm to base 10"),
    "sqrt": Operation("x", "", ("1 / (2 * y)",), r"\sqrt{{{0}}}", domain=("x >= 0", "an operand of at least 0"), spelled=_called("sqrt"), numpy=("sqrt",)),
    # trigonometric and hyperbolic functions and their inverses
    "sin": Operation("x", "", ("cos(x)",), r"\sin({0})", spelled=_called("sin", machine="sin({0})"), numpy=("sin",), frequent=True, of_angle=True),
    "cos": Operation("x", "", ("-sin(x)",), r"\cos({0})", spelled=_called("cos", machine="cos({0})"), numpy=("cos",), frequent=True, of_angle=True),
    "tan": Operation("x", "", ("1 + y^2",), r"\tan({0})", spelled=_called("tan"), numpy=("tan",), of_angle=True),
    "asin": Operation("x", "", ("1 / sqrt((1 - x) * (1 + x))",), r"\arcsin({0})", domain=_UNIT, spelled=_called("asin", "arcsin"), numpy=("arcsin",)),
    "acos": Operation("x", "", ("-1 / sqrt((1 - x) * (1 + x))",), r"\arccos({0})", domain=_UNIT, spelled=_called("acos", "arccos"), numpy=("arccos",)),
    "atan": Operation("x", "", ("1 / (1 + x^2)",), r"\arctan({0})", spelled=_called("atan", "arctan"), numpy=("arctan",)),
    "atan2": Operation("a b", "", ("b / (a^2 + b^2)", "-a / (a^2 + b^2)"), r"\operatorname{{atan2}}({0}, {1})", numpy=("arctan2",),
                       spelled={"numpy": "arctan2({0}, {1})", "machine": "np.arctan2({0}, {1})", "javascript": "Math.atan2({0}, {1})", "sympy": "sympy.atan2({0}, {1})"}),
    "hypot": Operation("a b", "", ("a / y", "b / y"), r"\sqrt{{({0})^2 + ({1})^2}}", plain="sqrt(a^2 + b^2)", numpy=("hypot",),
                       spelled={"numpy": "hypot({0}, {1})", "machine": "np.hypot({0}, {1})", "javascript": "Math.hypot({0}, {1})"}),
    "sinh": Operation("x", "", ("cosh(x)",), r"\sinh({0})", spelled=_called("sinh"), numpy=("sinh",)),
    "cosh": Operation("x", "", ("sinh(x)",), r"\cosh({0})", spelled=_called("cosh"), numpy=("cosh",)),
    "asinh": Operation("x", "", ("1 / hypot(x, 1)",), r"\operatorname{{arsinh}}({0})", spelled=_called("asinh", "arcsinh"), numpy=("arcsinh",)),
    "acosh": Operation("x", "", ("1 / (sqrt(x - 1) * sqrt(x + 1))",), r"\operatorname{{arcosh}}({0})",
                       domain=("x >= 1", "an operand of at least 1"), spelled=_called("acosh", "arccosh"), numpy=("arccosh",)),
    "atanh": Operation("x", "", ("1 / ((1 - x) * (1 + x))",), r"\operatorname{{artanh}}({0})", spelled=_called("atanh", "arctanh"),
                       domain=("(x > -1) * (x < 1)", "an operand between -1 and 1, ends excluded"), numpy=("arctanh",)),
    "erf": Operation("x", "", ("2 / sqrt(pi) * exp(-x^2)",), r"\operatorname{{erf}}({0})",
                     spelled=_everywhere("erf({0})") | {"sympy": "sympy.erf({0})"}),
    "erfc": Operation("x", "", ("-2 / sqrt(pi) * exp(-x^2)",), r"\operatorname{{erfc}}({0})",
                      spelled=_everywhere("erfc({0})") | {"sympy": "(1 - sympy.erf({0}))"}),
    # activations
    "identity": Operation("x", "x", ("1",), "{0}", activation=True),
    "sigmoid": Operation("x", "where(x < 0, exp(-max(x, -x)), 1) / (1 + exp(-max(x, -x)))", ("y * (1 - y)",), r"\sigma({0})",
                         far=("x > 8", "exp(-x) * y^2"), plain="1 / (1 + exp(-x))", spelled={"machine": "1 / (1 + exp(-{0}))"},
                         activation=True, frequent=True),  # in machine code exp may overflow: 1 / inf is 0
    "tanh": Operation("x", "", ("1 - y^2",), r"\tanh({0})", far=("x^2 > 16", "4 * exp(-2 * abs(x)) / (1 + exp(-2 * abs(x)))^2"),
                      spelled=_called("tanh", machine="tanh({0})"), numpy=("tanh",), activation=True, frequent=True),
    "relu": Operation("x", "where(x > 0, x, 0)", ("y > 0",), r"\operatorname{{relu}}({0})", kinks=("x",), activation=True, frequent=True,
                      spelled={"machine": "np.maximum({0}, 0.0)", "sympy": "sympy.Max({0}, 0)"}),
    "hard_tanh": Operation("x", "max(min(x, 1), -1)", ("(x >= -1) * (x <= 1)",), r"\operatorname{{hardtanh}}({0})",
                           kinks=("x - 1", "x + 1"), activation=True),
    "softplus": Operation("x", "max(x, 0) + log1p(exp(-max(x, -x)))", ("sigmoid(x)",), r"\operatorname{{softplus}}({0})",
                          plain="log(1 + exp(x))", activation=True),
    "leaky_relu": Operation("x", "where(x > 0, x, 0.01 * x)", ("where(x > 0, 1, 0.01)",), r"\operatorname{{lrelu}}({0})", kinks=("x",), activation=True),
    "elu": Operation("x", "where(x > 0, x, expm1(min(x, 0)))", ("where(x > 0, 1, y + 1)",), r"\operatorname{{elu}}({0})",
                     far=("x < -8", "exp(x)"), plain="where(x > 0, x, exp(x) - 1)", activation=True),
    "gelu": Operation("x", "x * erfc(-x / sqrt(2)) / 2", ("erfc(-x / sqrt(2)) / 2 + x * exp(-x^2 / 2) / sqrt(2 * pi)",),
                      r"\operatorname{{gelu}}({0})", plain="x * (1 + erf(x / sqrt(2))) / 2", activation=True),
    "gelu_tanh": Operation("x", "x * sigmoid(1.5957691216057308 * (x + 0.044715 * x * x * x))",  # 2 sqrt(2/pi)
                           ("sigmoid(1.5957691216057308 * (x + 0.044715 * x * x * x)) + y * sigmoid(-1.5957691216057308 * (x + 0.044715 * x * x * x)) * 1.5957691216057308 * (1 + 0.134145 * x^2)",),
                           r"\operatorname{{gelu_{{\tanh}}}}({0})", activation=True,
                           plain="x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) / 2"),
    "silu": Operation("x", "x * sigmoid(x)", ("sigmoid(x) + y * sigmoid(-x)",), r"\operatorname{{silu}}({0})", plain="x / (1 + exp(-x))", activation=True),
    "mish": Operation("x", "x * tanh(softplus(x))", ("tanh(softplus(x)) + x * (1 - tanh(softplus(x))^2) * sigmoid(x)",),
                      r"\operatorname{{mish}}({0})", activation=True),
    "log_sigmoid": Operation("x", "-softplus(-x)", ("sigmoid(-x)",), r"\ln\sigma({0})", plain="-log(1 + exp(-x))", activation=True),
    "softsign": Operation("x", "x / (1 + abs(x))", ("1 / (1 + abs(x))^2",), r"\operatorname{{softsign}}({0})", activation=True),
    # piecewise
    "abs": Operation("x", "sign(x) * x", ("sign(x)",), r"\left|{0}\right|", kinks=("x",), numpy=("absolute", "fabs"),
                     spelled={"machine": "np.abs({0})", "javascript": "Math.abs({0})", "sympy": "sympy.Abs({0})"}),
    "sign": Operation("x", "(x > 0) - (x < 0)", ("0",), r"\operatorname{{sign}}({0})", kinks=("x",), numpy=("sign",),
                      spelled={"machine": "np.sign({0})", "javascript": "Math.sign({0})", "sympy": "sympy.sign({0})"}),
    "floor": Operation("x", "", ("0",), r"\lfloor {0} \rfloor",
                       spelled={"numpy": "floor({0})", "machine": "np.floor({0})", "javascript": "Math.floor({0})", "sympy": "sympy.floor({0})"}, exact=True),
    "max": Operation("a b", "where(a >= b, a, b)", ("a >= b", "a < b"), r"\max({0}, {1})", kinks=("a - b",), numpy=("maximum", "fmax"),
                     spelled={"machine": "np.maximum({0}, {1})", "sympy": "sympy.Max({0}, {1})"}),
    "min": Operation("a b", "where(a <= b, a, b)", ("a <= b", "a > b"), r"\min({0}, {1})", kinks=("a - b",), numpy=("minimum", "fmin"),
                     spelled={"machine": "np.minimum({0}, {1})", "sympy": "sympy.Min({0}, {1})"}),
    "clip": Operation("x a b", "min(max(x, a), b)", ("(x >= a) * (x <= b)", "(x < a) * (a <= b)", "max(x, a) > b"),
                      r"\operatorname{{clip}}({0}, {1}, {2})", kinks=("x - a", "x - b")),
    "where": Operation("c a b", "", ("0", "where(c, 1, 0)", "where(c, 0, 1)"), r"\operatorname{{where}}({0}, {1}, {2})", exact=True,
                       spelled={"numpy": "where({0}, {1}, {2})", "machine": "{1} if {0} else {2}", "javascript": "{0} ? {1} : {2}",
                                "sympy": "sympy.Piecewise(({1}, {0}), ({2}, True))"}),
    # comparisons: 1 where it holds, 0 elsewhere
    "greater": Operation("a b", "", _FLAT, "{0} > {1}", infix=">", precedence=0, spelled=_compared(">"), exact=True, kinks=("a - b",), numpy=("greater",)),
    "less": Operation("a b", "", _FLAT, "{0} < {1}", infix="<", precedence=0, spelled=_compared("<"), exact=True, kinks=("a - b",), numpy=("less",)),
    "greater_equal": Operation("a b", "", _FLAT, r"{0} \ge {1}", infix=">=", precedence=0, spelled=_compared(">="), exact=True, kinks=("a - b",), numpy=("greater_equal",)),
    "less_equal": Operation("a b", "", _FLAT, r"{0} \le {1}", infix="<=", precedence=0, spelled=_compared("<="), exact=True, kinks=("a - b",), numpy=("less_equal",)),
    # losses: 0 log 0 is 0, as an outcome that is certain not to be costs nothing; where p is 0 the domain says that t is, too
    "binary_cross_entropy": Operation(
        "p t", "-t * log(where(p > 0, p, 1)) - (1 - t) * log1p(-where(p < 1, p, 0))",
        ("(1 - t) / where(p < 1, 1 - p, 1) - t / where(p > 0, p, 1)", "log1p(-p) - log(p)"),
        r"\operatorname{{bce}}({0}, {1})", domain=_PROBABILITY, plain="-t * log(p) - (1 - t) * log(1 - p)"),
})
# fmt: on

# What code for a target asks about: a choice reads a condition, and a square is a product.
CHOICE, POWER, PRODUCT = OPERATIONS["where"], OPERATIONS["pow"], OPERATIONS["mul"]

ACTIVATIONS = tuple(name for name, row in OPERATIONS.items() if row.activation)
# What is called by name in an equation; an index is written in brackets.
_UNNAMED = {"index", *OF_ONE_ARRAY.values()}
FUNCTIONS = {name for name, row in (OPERATIONS | ARRAY_OPERATIONS).items() if not row.infix} - _UNNAMED | set(ALIASES)


def row_of(operation: str) -> Operation | ArrayOperation:
    """Return the row of an operation, from the table of elementary ones or of those on arrays."""
    row = ARRAY_OPERATIONS.get(operation)
    return OPERATIONS[operation] if row is None else row
