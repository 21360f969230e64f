"""Mistakes in specs and on the command line: what is said, exactly, and with which exit status."""

import io
import re
from dataclasses import dataclass

import pytest

from cgraph.cli import main
from cgraph.specs import yaml_documents

GRAPH = "inputs: {x: 2.0, z: 3.0}\nweights: {w: 0.5}\nconstants: {c: 9.8}\nnodes: {a: w * x, y: a * z + c}\n"


@dataclass(frozen=True)
class Case:
    """A spec, a command line and what becomes of them."""

    id: str
    spec: str | bytes | None  # the file g.yaml, or standard input if `argv` reads it
    stderr: str  # without argparse's usage
    argv: list[str] | None = None  # by default: show the file
    status: int = 3
    format: str = "yaml"


def in_equation(text):
    """Return a spec whose third line is ``  y: text``."""
    return f"inputs: {{x: 2.0, z: 3.0}}\nnodes:\n  y: {text}\n"


CASES = [
    # names and nodes
    Case(
        "unknown-name-suggestion",
        """\
inputs: {x1: 2.0}
nodes:
  y: exp(x_1)
""",
        """\
g.yaml:3:10: error: node 'y' uses 'x_1', which is not defined
    3 |   y: exp(x_1)
      |          ^
  hint: did you mean 'x1'?
""",
    ),
    Case(
        "unknown-name-no-suggestion",
        """\
inputs: {x1: 2.0}
nodes:
  y: exp(weather)
""",
        """\
g.yaml:3:10: error: node 'y' uses 'weather', which is not defined
    3 |   y: exp(weather)
      |          ^
""",
    ),
    Case(
        "unknown-name-twice",
        """\
inputs: {x: 2.0}
nodes:
  y: q + x + q
""",
        """\
g.yaml:3:6: error: node 'y' uses 'q', which is not defined
    3 |   y: q + x + q
      |      ^
g.yaml:3:14: error: node 'y' uses 'q', which is not defined
    3 |   y: q + x + q
      |              ^
""",
    ),
    Case(
        "unknown-numbered-node",
        """\
inputs: {1: 2.0}
nodes:
  2: y(1) + y(3)
""",
        """\
g.yaml:3:13: error: node '2' uses '3', which is not defined
    3 |   2: y(1) + y(3)
      |             ^
""",
    ),
    Case(
        "unknown-quoted-node",
        """\
inputs: {j+: 2.0}
nodes:
  y: y("j-") + 1
""",
        """\
g.yaml:3:6: error: node 'y' uses 'j-', which is not defined
    3 |   y: y("j-") + 1
      |      ^
""",
    ),
    Case(
        "unknown-name-in-block-scalar",
        """\
inputs: {x: 2.0}
nodes:
  y: |
    x +
    q
""",
        """\
g.yaml:5:5: error: node 'y' uses 'q', which is not defined
    5 |     q
      |     ^
""",
    ),
    Case(
        "unknown-name-in-quotes",
        """\
inputs: {x: 2.0}
nodes:
  y: 'x + q'
""",
        """\
g.yaml:3:11: error: node 'y' uses 'q', which is not defined
    3 |   y: 'x + q'
      |           ^
""",
    ),
    Case(
        "twice-in-section",
        """\
inputs:
  x: 1.0
  x: 2.0
nodes: {y: x^2}
""",
        """\
g.yaml:3:3: error: 'x' stands here twice, first in line 2
    3 |   x: 2.0
      |   ^
""",
    ),
    Case(
        "twice-in-nodes",
        """\
inputs: {x: 1.0}
nodes:
  y: x^2
  y: x^3
""",
        """\
g.yaml:4:3: error: 'y' stands here twice, first in line 3
    4 |   y: x^3
      |   ^
""",
    ),
    Case(
        "twice-across-sections",
        """\
inputs: {x: 1.0}
weights: {x: 2.0}
nodes: {y: x^2}
""",
        """\
g.yaml:2:11: error: node 'x' is defined twice, first in line 1
    2 | weights: {x: 2.0}
      |           ^
""",
    ),
    Case(
        "input-and-node",
        """\
inputs: {x: 1.0}
nodes:
  x: 2
  y: x^2
""",
        """\
g.yaml:3:3: error: node 'x' is defined twice, first in line 1
    3 |   x: 2
      |   ^
""",
    ),
    Case(
        "twice-the-same-section",
        """\
inputs: {x: 1.0}
inputs: {z: 1.0}
nodes: {y: x^2}
""",
        """\
g.yaml:2:1: error: 'inputs' stands here twice, first in line 1
    2 | inputs: {z: 1.0}
      | ^
""",
    ),
    Case(
        "number-key-twice",
        """\
inputs: {1: 1.0, '1': 2.0}
nodes: {y: y(1)}
""",
        """\
g.yaml:1:18: error: '1' stands here twice, first in line 1
    1 | inputs: {1: 1.0, '1': 2.0}
      |                  ^
""",
    ),
    Case(
        "cycle",
        """\
inputs: {x: 1.0}
nodes:
  a: b + x
  b: c
  c: a
""",
        """\
g.yaml:3:3: error: the graph has a cycle: a -> c -> b -> a
    3 |   a: b + x
      |   ^
""",
        status=4,
    ),
    Case(
        "cycle-of-one",
        """\
inputs: {x: 1.0}
nodes:
  a: a + x
""",
        """\
g.yaml:3:3: error: the graph has a cycle: a -> a
    3 |   a: a + x
      |   ^
""",
        status=4,
    ),
    Case(
        "cycle-of-edges",
        """\
edges:
  a -> b: 1.0
  b -> a: 2.0
""",
        """\
g.yaml:2:3: error: the graph has a cycle: a -> b -> a
    2 |   a -> b: 1.0
      |   ^
""",
        status=4,
    ),
    Case(
        "edge-to-itself",
        """\
edges:
  a -> a: 1.0
""",
        """\
g.yaml:2:3: error: the graph has a cycle: a -> a
    2 |   a -> a: 1.0
      |   ^
""",
        status=4,
    ),
    Case(
        "cycle-and-another-mistake",
        """\
inputs: {x: 1.0}
nodes:
  a: b
  b: a
  c: q
""",
        """\
g.yaml:3:3: error: the graph has a cycle: a -> b -> a
    3 |   a: b
      |   ^
g.yaml:5:6: error: node 'c' uses 'q', which is not defined
    5 |   c: q
      |      ^
""",
    ),
    Case(
        "keyword-as-name",
        """\
inputs: {lambda: 1.0}
nodes: {y: 2}
""",
        """\
g.yaml:1:10: error: a node cannot be named 'lambda': 'lambda' is a Python keyword; for instance 'lambda_' would do
    1 | inputs: {lambda: 1.0}
      |          ^
""",
    ),
    Case(
        "keyword-in-equation",
        """\
inputs: {x: 1.0}
nodes:
  y: x if x else 2
""",
        """\
g.yaml:3:8: error: node 'y': 'if' is a Python keyword and cannot stand in an equation
    3 |   y: x if x else 2
      |        ^
  hint: rename the node, for instance 'if_'
""",
    ),
    Case(
        "function-as-name",
        """\
inputs: {exp: 1.0}
nodes: {y: 2}
""",
        """\
g.yaml:1:10: error: a node cannot be named 'exp': 'exp' is a function; for instance 'exp_' would do
    1 | inputs: {exp: 1.0}
      |          ^
""",
    ),
    Case(
        "constant-as-name",
        """\
inputs: {pi: 3.0}
nodes: {y: 2}
""",
        """\
g.yaml:1:10: error: a node cannot be named 'pi': 'pi' is the number 3.14159; for instance 'pi_' would do
    1 | inputs: {pi: 3.0}
      |          ^
""",
    ),
    Case(
        "e-as-node",
        """\
inputs: {x: 3.0}
nodes: {e: x^2}
""",
        """\
g.yaml:2:9: error: a node cannot be named 'e': 'e' is the number 2.71828; for instance 'e_' would do
    2 | nodes: {e: x^2}
      |         ^
""",
    ),
    Case(
        "alias-as-name",
        "nodes: {ln: 3}\n",
        """\
g.yaml:1:9: error: a node cannot be named 'ln': 'ln' is a function; for instance 'ln_' would do
    1 | nodes: {ln: 3}
      |         ^
""",
    ),
    Case(
        "empty-name",
        """\
inputs: {'': 3.0}
nodes: {y: 2}
""",
        """\
g.yaml:1:10: error: a node cannot be named '': it is empty, or begins or ends with a space
    1 | inputs: {'': 3.0}
      |          ^
""",
    ),
    Case(
        "name-with-space-at-end",
        """\
inputs: {'x ': 3.0}
nodes: {y: 2}
""",
        """\
g.yaml:1:10: error: a node cannot be named 'x ': it is empty, or begins or ends with a space
    1 | inputs: {'x ': 3.0}
      |          ^
""",
    ),
    Case(
        "name-with-arrow",
        """\
inputs: {'x->y': 3.0}
nodes: {y: 2}
""",
        """\
g.yaml:1:10: error: a node cannot be named 'x->y': '->' separates the ends of an edge
    1 | inputs: {'x->y': 3.0}
      |          ^
""",
    ),
    Case(
        "name-with-line-break",
        """\
inputs: {"x\\ny": 3.0}
nodes: {y: 2}
""",
        """\
g.yaml:1:10: error: a node cannot be named 'x\\ny': it holds a control character
    1 | inputs: {"x\\ny": 3.0}
      |          ^
""",
    ),
    Case(
        "name-too-long",
        "inputs: {" + "n" * 201 + ": 3.0}\nnodes: {y: 2}\n",
        """\
g.yaml:1:10: error: a node's name of 201 characters is too long; the limit is 200
    1 | inputs: {nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn
      |          ^
""",
    ),
    # equations
    Case(
        "product-without-sign",
        in_equation("2x"),
        """\
g.yaml:3:7: error: node 'y': an operator is missing
    3 |   y: 2x
      |       ^
  hint: write * between the factors of a product
""",
    ),
    Case(
        "product-of-names",
        in_equation("x z"),
        """\
g.yaml:3:8: error: node 'y': an operator is missing
    3 |   y: x z
      |        ^
  hint: write * between the factors of a product
""",
    ),
    Case(
        "product-of-brackets",
        in_equation("(x)(z)"),
        """\
g.yaml:3:9: error: node 'y': an operator is missing
    3 |   y: (x)(z)
      |         ^
  hint: write * between the factors of a product
""",
    ),
    Case(
        "number-before-bracket",
        in_equation("2(x + z)"),
        """\
g.yaml:3:7: error: node 'y': an operator is missing
    3 |   y: 2(x + z)
      |       ^
  hint: write * between the factors of a product
""",
    ),
    Case(
        "name-before-bracket",
        in_equation("x(z + 1)"),
        """\
g.yaml:3:6: error: node 'y': there is no function 'x'
    3 |   y: x(z + 1)
      |      ^
  hint: for a product write x*(...)
""",
    ),
    Case(
        "bracket-unclosed",
        in_equation("exp(x + z"),
        """\
g.yaml:3:9: error: node 'y': ')' is missing
    3 |   y: exp(x + z
      |         ^
""",
    ),
    Case(
        "bracket-cut-by-a-comma",
        "inputs: {x: 1, z: 2}\nnodes: {y: max(x, z), u: x}\n",
        """\
g.yaml:2:15: error: node 'y': ')' is missing
    2 | nodes: {y: max(x, z), u: x}
      |               ^
g.yaml:2:19: error: node 'z)' has no equation
    2 | nodes: {y: max(x, z), u: x}
      |                   ^
  hint: in braces a comma ends the equation: put it in quotes
""",
    ),
    Case(
        "decimal-comma",
        "inputs: {x: 2,5}\n",
        """\
g.yaml:1:15: error: input '5' has no value
    1 | inputs: {x: 2,5}
      |               ^
  hint: write 5: 1.0; the decimal sign is a point, as in 2.5
""",
    ),
    Case(
        "bracket-unclosed-inside",
        in_equation("(x + log(z) * 2"),
        """\
g.yaml:3:6: error: node 'y': ')' is missing
    3 |   y: (x + log(z) * 2
      |      ^
""",
    ),
    Case(
        "bracket-unopened",
        in_equation("exp(x)) + z"),
        """\
g.yaml:3:12: error: node 'y': a ')' has no '('
    3 |   y: exp(x)) + z
      |            ^
""",
    ),
    Case(
        "brackets-crossed",
        in_equation(")x + z("),
        """\
g.yaml:3:6: error: node 'y': a ')' has no '('
    3 |   y: )x + z(
      |      ^
""",
    ),
    Case(
        "unknown-function",
        in_equation("sigmiod(x)"),
        """\
g.yaml:3:6: error: node 'y': there is no function 'sigmiod'
    3 |   y: sigmiod(x)
      |      ^
  hint: did you mean 'sigmoid'?
""",
    ),
    Case(
        "unknown-function-far",
        in_equation("frobnicate(x)"),
        """\
g.yaml:3:6: error: node 'y': there is no function 'frobnicate'
    3 |   y: frobnicate(x)
      |      ^
  hint: for a product write frobnicate*(...)
""",
    ),
    Case(
        "too-many-operands",
        in_equation("exp(x, z)"),
        """\
g.yaml:3:6: error: node 'y': exp takes one operand, not 2
    3 |   y: exp(x, z)
      |      ^
""",
    ),
    Case(
        "too-few-operands",
        in_equation("x + exp()"),
        """\
g.yaml:3:10: error: node 'y': exp takes one operand, not 0
    3 |   y: x + exp()
      |          ^
""",
    ),
    Case(
        "max-of-one",
        in_equation("max(x)"),
        """\
cgraph: error: node 'y': max(x) does not fit: x is a number; of one operand, an array is needed
""",
        argv=["eval", "g.yaml"],
        status=4,
    ),
    Case(
        "max-of-none",
        in_equation("max()"),
        """\
g.yaml:3:6: error: node 'y': max takes two or more operands, not 0
    3 |   y: max()
      |      ^
""",
    ),
    Case(
        "function-without-operands",
        in_equation("x + exp"),
        """\
g.yaml:3:10: error: node 'y': 'exp' is a function and needs operands
    3 |   y: x + exp
      |          ^
  hint: write exp(...)
""",
    ),
    Case(
        "function-raised",
        in_equation("sin^2(x)"),
        """\
g.yaml:3:6: error: node 'y': 'sin' is a function and needs operands
    3 |   y: sin^2(x)
      |      ^
  hint: write sin(...)
""",
    ),
    Case(
        "keyword-operand",
        in_equation("log(x, base=2)"),
        """\
g.yaml:3:18: error: node 'y': log has no option 'base'
    3 |   y: log(x, base=2)
      |                  ^
""",
    ),
    Case(
        "starred-operand",
        in_equation("max(*x)"),
        """\
g.yaml:3:10: error: node 'y': an operand is missing
    3 |   y: max(*x)
      |          ^
""",
    ),
    Case(
        "attribute",
        in_equation("x.real"),
        """\
g.yaml:3:6: error: node 'y': 'x.real' is not arithmetic
    3 |   y: x.real
      |      ^
""",
    ),
    Case(
        "math-prefix",
        in_equation("math.exp(x)"),
        """\
g.yaml:3:6: error: node 'y': a function stands by itself
    3 |   y: math.exp(x)
      |      ^
  hint: write exp(...)
""",
    ),
    Case(
        "numpy-prefix",
        in_equation("np.foo(x)"),
        """\
g.yaml:3:6: error: node 'y': there is no function 'np.foo'
    3 |   y: np.foo(x)
      |      ^
""",
    ),
    Case(
        "comparisons-in-a-row",
        in_equation("'1 < x < z'"),
        """\
g.yaml:3:7: error: node 'y': one comparison at a time
    3 |   y: '1 < x < z'
      |       ^
  hint: write where(a < b, where(b < c, 1, 0), 0)
""",
    ),
    Case(
        "equals",
        in_equation("x = z"),
        """\
g.yaml:3:8: error: node 'y': unexpected character '='
    3 |   y: x = z
      |        ^
  hint: write one equation for each node
""",
    ),
    Case(
        "two-equals",
        in_equation("'x == z'"),
        """\
g.yaml:3:9: error: node 'y': unexpected character '='
    3 |   y: 'x == z'
      |         ^
  hint: write one equation for each node
""",
    ),
    Case(
        "walrus",
        in_equation("'(a := x)'"),
        """\
g.yaml:3:10: error: node 'y': unexpected character ':'
    3 |   y: '(a := x)'
      |          ^
""",
    ),
    Case(
        "colon",
        in_equation("'x : z'"),
        """\
g.yaml:3:9: error: node 'y': unexpected character ':'
    3 |   y: 'x : z'
      |         ^
""",
    ),
    Case(
        "square-brackets",
        in_equation("'[x]'"),
        """\
g.yaml:3:7: error: node 'y': unexpected character '['
    3 |   y: '[x]'
      |       ^
  hint: a vector or matrix is an input or a constant of its own; stack(a, b) makes one of nodes
""",
    ),
    Case(
        "braces",
        in_equation("'{x}'"),
        """\
g.yaml:3:7: error: node 'y': unexpected character '{'
    3 |   y: '{x}'
      |       ^
  hint: write (
""",
    ),
    Case(
        "quoted-only",
        in_equation("'\"x\"'"),
        """\
g.yaml:3:7: error: node 'y': "x" is not a number
    3 |   y: '"x"'
      |       ^
  hint: write y("x") for the node of that name
""",
    ),
    Case(
        "modulo",
        in_equation("x % z"),
        """\
g.yaml:3:8: error: node 'y': unexpected character '%'
    3 |   y: x % z
      |        ^
""",
    ),
    Case(
        "floor-division",
        in_equation("x // z"),
        """\
g.yaml:3:6: error: node 'y': 'x // z' is not arithmetic
    3 |   y: x // z
      |      ^
""",
    ),
    Case(
        "trailing-operator",
        in_equation("x +"),
        """\
g.yaml:3:8: error: node 'y': an operand is missing
    3 |   y: x +
      |        ^
""",
    ),
    Case(
        "leading-operator",
        in_equation("'* x'"),
        """\
g.yaml:3:7: error: node 'y': an operand is missing
    3 |   y: '* x'
      |       ^
""",
    ),
    Case(
        "two-operators",
        in_equation("x * / z"),
        """\
g.yaml:3:10: error: node 'y': an operand is missing
    3 |   y: x * / z
      |          ^
""",
    ),
    Case(
        "empty-brackets",
        in_equation("()"),
        """\
g.yaml:3:6: error: node 'y': '()' is not arithmetic
    3 |   y: ()
      |      ^
""",
    ),
    Case(
        "tuple",
        in_equation("x, z"),
        """\
g.yaml:3:7: error: node 'y': a comma separates the operands of a function
    3 |   y: x, z
      |       ^
""",
    ),
    Case(
        "semicolon",
        in_equation("x; z"),
        """\
g.yaml:3:7: error: node 'y': unexpected character ';'
    3 |   y: x; z
      |       ^
""",
    ),
    Case(
        "comma-decimal",
        in_equation("'2,5 * x'"),
        """\
g.yaml:3:8: error: node 'y': a comma separates the operands of a function
    3 |   y: '2,5 * x'
      |        ^
  hint: the decimal sign is a point
""",
    ),
    Case(
        "complex-number",
        in_equation("2j * x"),
        """\
g.yaml:3:6: error: node 'y': 2j is not a real number
    3 |   y: 2j * x
      |      ^
""",
    ),
    Case(
        "number-overflows",
        in_equation("1e999 * x"),
        """\
g.yaml:3:6: error: node 'y': 1e999 is not a finite number
    3 |   y: 1e999 * x
      |      ^
""",
    ),
    Case(
        "integer-overflows",
        in_equation("x * 1" + "0" * 400),
        """\
g.yaml:3:10: error: node 'y': 100000000000000000000000000000 ... 0000000000000000000000000 is not a finite number
    3 |   y: x * 1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000
      |          ^
""",
    ),
    Case(
        "leading-zero",
        in_equation("007 * x"),
        """\
g.yaml:3:6: error: node 'y': 007 begins with a zero
    3 |   y: 007 * x
      |      ^
  hint: write 7
""",
    ),
    Case(
        "two-points",
        in_equation("1.2.3 * x"),
        """\
g.yaml:3:9: error: node 'y': an operator is missing
    3 |   y: 1.2.3 * x
      |         ^
  hint: write * between the factors of a product
""",
    ),
    Case(
        "middle-dot",
        in_equation("x · z"),
        """\
g.yaml:3:8: error: node 'y': unexpected character '·'
    3 |   y: x · z
      |        ^
  hint: write *
""",
    ),
    Case(
        "times-sign",
        in_equation("2 × x"),
        """\
g.yaml:3:8: error: node 'y': unexpected character '×'
    3 |   y: 2 × x
      |        ^
  hint: write *
""",
    ),
    Case(
        "minus-sign",
        in_equation("x − z"),
        """\
g.yaml:3:8: error: node 'y': unexpected character '−'
    3 |   y: x − z
      |        ^
  hint: write -
""",
    ),
    Case(
        "en-dash",
        in_equation("x – z"),
        """\
g.yaml:3:8: error: node 'y': unexpected character '–'
    3 |   y: x – z
      |        ^
  hint: write -
""",
    ),
    Case(
        "superscript",
        in_equation("x²"),
        """\
g.yaml:3:7: error: node 'y': unexpected character '²'
    3 |   y: x²
      |       ^
  hint: write ^2
""",
    ),
    Case(
        "root-sign",
        in_equation("√x"),
        """\
g.yaml:3:6: error: node 'y': unexpected character '√'
    3 |   y: √x
      |      ^
  hint: write sqrt(...)
""",
    ),
    Case(
        "division-sign",
        in_equation("x ÷ z"),
        """\
g.yaml:3:8: error: node 'y': unexpected character '÷'
    3 |   y: x ÷ z
      |        ^
  hint: write /
""",
    ),
    Case(
        "absolute-bars",
        in_equation("'|x|'"),
        """\
g.yaml:3:7: error: node 'y': unexpected character '|'
    3 |   y: '|x|'
      |       ^
  hint: write abs(...)
""",
    ),
    Case(
        "curly-quotes",
        in_equation("y(“x”)"),
        """\
g.yaml:3:8: error: node 'y': unexpected character '“'
    3 |   y: y(“x”)
      |        ^
  hint: write "
""",
    ),
    Case(
        "greek-unknown",
        in_equation("α * x"),
        """\
g.yaml:3:6: error: node 'y' uses 'α', which is not defined
    3 |   y: α * x
      |      ^
""",
    ),
    Case(
        "invisible-space",
        in_equation("x\u200b + z"),
        "g.yaml:3:7: error: node 'y': unexpected character '\\u200b'\n    3 |   y: x\u200b + z\n      |       ^\n",
    ),
    Case(
        "exclamation",
        in_equation("x!"),
        """\
g.yaml:3:7: error: node 'y': unexpected character '!'
    3 |   y: x!
      |       ^
""",
    ),
    Case(
        "python-import",
        in_equation('__import__("os").system("ls")'),
        """\
g.yaml:3:6: error: node 'y': there is no function '__import__("os").system'
    3 |   y: __import__("os").system("ls")
      |      ^
""",
    ),
    Case(
        "python-lambda",
        in_equation("'(lambda: 0)()'"),
        """\
g.yaml:3:8: error: node 'y': 'lambda' is a Python keyword and cannot stand in an equation
    3 |   y: '(lambda: 0)()'
      |        ^
  hint: rename the node, for instance 'lambda_'
""",
    ),
    Case(
        "python-subscript",
        in_equation("x[0]"),
        """\
cgraph: error: node 'y': x[0] does not fit: x is a number; a number has no entries
""",
        argv=["eval", "g.yaml"],
        status=4,
    ),
    Case(
        "python-f-string",
        in_equation('f"{x}"'),
        """\
g.yaml:3:6: error: node 'y': 'f"{x}"' is not arithmetic
    3 |   y: f"{x}"
      |      ^
""",
    ),
    Case(
        "y-of-expression",
        in_equation("y(x + 1)"),
        """\
g.yaml:3:6: error: node 'y': y(...) names a node by its number
    3 |   y: y(x + 1)
      |      ^
  hint: write y(5), or y("name") for any other name
""",
    ),
    Case(
        "y-of-nothing",
        in_equation("y()"),
        """\
g.yaml:3:6: error: node 'y': y(...) names a node by its number
    3 |   y: y()
      |      ^
  hint: write y(5), or y("name") for any other name
""",
    ),
    Case(
        "y-of-float",
        in_equation("y(1.5)"),
        """\
g.yaml:3:6: error: node 'y': y(...) names a node by its number
    3 |   y: y(1.5)
      |      ^
  hint: write y(5), or y("name") for any other name
""",
    ),
    Case(
        "empty-equation",
        in_equation("''"),
        """\
g.yaml:3:6: error: node 'y': the equation is empty
    3 |   y: ''
      |      ^
""",
    ),
    Case(
        "blank-equation",
        in_equation("'  '"),
        """\
g.yaml:3:7: error: node 'y': the equation is empty
    3 |   y: '  '
      |       ^
""",
    ),
    Case(
        "equation-too-long",
        in_equation("x" + " + x" * 2500),
        """\
g.yaml:3:6: error: node 'y': an equation of 10,001 characters; the limit is 10,000
    3 |   y: x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x +
      |      ^
  hint: split it into several nodes
""",
    ),
    Case(
        "nested-too-deep",
        in_equation("exp(" * 120 + "x" + ")" * 120),
        """\
g.yaml:3:409: error: node 'y': nested more than 100 levels deep
    3 | (exp(exp(exp(exp(exp(exp(exp(exp(exp(exp(exp(exp(exp(exp(exp(exp(exp(exp(exp(exp(exp(exp(exp(exp(exp
      |                                                             ^
  hint: split it into several nodes
""",
    ),
    Case(
        "nested-past-python",
        in_equation("(" * 300 + "x" + ")" * 300),
        """\
g.yaml:3:106: error: node 'y': nested more than 100 levels deep
    3 | ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((
      |                                                             ^
  hint: split it into several nodes
""",
    ),
    Case(
        "powers-too-deep",
        in_equation("x" + "^x" * 150),
        """\
g.yaml:3:208: error: node 'y': nested more than 100 levels deep
    3 | x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^x^
      |                                                             ^
  hint: split it into several nodes
""",
    ),
    Case(
        "mistake-after-greek",
        in_equation("σ + 2"),
        """\
g.yaml:3:6: error: node 'y' uses 'σ', which is not defined
    3 |   y: σ + 2
      |      ^
""",
    ),
    Case(
        "pi-letter",
        in_equation("π * x"),
        """\
g.yaml:3:6: error: node 'y' uses 'π', which is not defined
    3 |   y: π * x
      |      ^
  hint: the number is written pi
""",
    ),
    Case(
        "asterisk-operator",
        in_equation("x ∗ z"),
        """\
g.yaml:3:8: error: node 'y': unexpected character '∗'
    3 |   y: x ∗ z
      |        ^
  hint: write *
""",
    ),
    Case(
        "em-dash",
        in_equation("x — z"),
        """\
g.yaml:3:8: error: node 'y': unexpected character '—'
    3 |   y: x — z
      |        ^
  hint: write -
""",
    ),
    Case(
        "hyphen",
        in_equation("x‐z"),
        """\
g.yaml:3:7: error: node 'y': unexpected character '‐'
    3 |   y: x‐z
      |       ^
  hint: write -
""",
    ),
    Case(
        "superscript-four",
        in_equation("x⁴"),
        """\
g.yaml:3:7: error: node 'y': unexpected character '⁴'
    3 |   y: x⁴
      |       ^
  hint: write ^4
""",
    ),
    Case(
        "subscript",
        in_equation("x₁ + 2"),
        """\
g.yaml:3:7: error: node 'y': unexpected character '₁'
    3 |   y: x₁ + 2
      |       ^
  hint: write 1
""",
    ),
    Case(
        "fraction-character",
        in_equation("½ * x"),
        """\
g.yaml:3:6: error: node 'y': unexpected character '½'
    3 |   y: ½ * x
      |      ^
""",
    ),
    Case(
        "infinity",
        in_equation("x + ∞"),
        """\
g.yaml:3:10: error: node 'y': unexpected character '∞'
    3 |   y: x + ∞
      |          ^
""",
    ),
    Case(
        "two-mistakes-in-one",
        in_equation("foo(x) + bar(z)"),
        """\
g.yaml:3:6: error: node 'y': there is no function 'foo'
    3 |   y: foo(x) + bar(z)
      |      ^
  hint: for a product write foo*(...)
""",
    ),
    Case(
        "ellipsis",
        in_equation("..."),
        """\
g.yaml:3:6: error: node 'y': ... is not a number
    3 |   y: ...
      |      ^
""",
    ),
    Case(
        "quote-unclosed",
        in_equation('y("x) + 2'),
        """\
g.yaml:3:8: error: node 'y': a closing '"' is missing
    3 |   y: y("x) + 2
      |        ^
""",
    ),
    Case(
        "two-powers",
        in_equation("x^^2"),
        """\
g.yaml:3:8: error: node 'y': an operand is missing
    3 |   y: x^^2
      |        ^
""",
    ),
    Case(
        "escaped-line-break",
        in_equation('"x +\\n  q"'),
        """\
g.yaml:3:14: error: node 'y' uses 'q', which is not defined
    3 |   y: "x +\\n  q"
      |              ^
""",
    ),
    Case(
        "no-break-space",
        in_equation("x\xa0+ q"),
        "g.yaml:3:10: error: node 'y' uses 'q', which is not defined\n    3 |   y: x\xa0+ q\n      |          ^\n",
    ),
    Case(
        "y-of-negative",
        in_equation("y(-1)"),
        """\
g.yaml:3:6: error: node 'y': y(...) names a node by its number
    3 |   y: y(-1)
      |      ^
  hint: write y(5), or y("name") for any other name
""",
    ),
    Case(
        "function-without-brackets",
        in_equation("sin x"),
        """\
g.yaml:3:6: error: node 'y': 'sin' is a function and needs operands
    3 |   y: sin x
      |      ^
  hint: write sin(...)
""",
    ),
    Case(
        "power-without-base",
        in_equation("exp(^x)"),
        """\
g.yaml:3:10: error: node 'y': an operand is missing
    3 |   y: exp(^x)
      |          ^
""",
    ),
    Case(
        "operand-missing-before-bracket",
        in_equation("exp(x +)"),
        """\
g.yaml:3:12: error: node 'y': an operand is missing
    3 |   y: exp(x +)
      |            ^
""",
    ),
    Case(
        "comma-trailing",
        in_equation("max(x, z,)"),
        """\
g.yaml:3:14: error: node 'y': an operand is missing
    3 |   y: max(x, z,)
      |              ^
""",
    ),
    Case(
        "function-as-operand",
        in_equation("x + sin*2"),
        """\
g.yaml:3:10: error: node 'y': 'sin' is a function and needs operands
    3 |   y: x + sin*2
      |          ^
  hint: write sin(...)
""",
    ),
    Case(
        "leftmost-of-nested",
        in_equation("exp(foo(x), bar(z))"),
        """\
g.yaml:3:6: error: node 'y': exp takes one operand, not 2
    3 |   y: exp(foo(x), bar(z))
      |      ^
""",
    ),
    Case(
        "other-quotes",
        in_equation("y(‘x’)"),
        """\
g.yaml:3:8: error: node 'y': unexpected character '‘'
    3 |   y: y(‘x’)
      |        ^
  hint: write '
""",
    ),
    Case(
        "power-of-ten-superscript",
        in_equation("10⁻³"),
        """\
g.yaml:3:8: error: node 'y': unexpected character '⁻'
    3 |   y: 10⁻³
      |        ^
""",
    ),
    # sections
    Case(
        "inputs-list",
        """\
inputs: [x, z]
nodes: {y: 2}
""",
        """\
g.yaml:1:9: error: 'inputs' is a mapping from names, not a list
    1 | inputs: [x, z]
      |         ^
  hint: write inputs: {name: ...}
""",
    ),
    Case(
        "inputs-text",
        """\
inputs: x
nodes: {y: 2}
""",
        """\
g.yaml:1:9: error: 'inputs' is a mapping from names, not the text 'x'
    1 | inputs: x
      |         ^
  hint: write inputs: {name: ...}
""",
    ),
    Case(
        "nodes-list",
        """\
inputs: {x: 2.0, z: 3.0}
nodes:
  - y: x
""",
        """\
g.yaml:3:3: error: 'nodes' is a mapping from names, not a list
    3 |   - y: x
      |   ^
  hint: write nodes: {name: ...}
""",
    ),
    Case(
        "nodes-text",
        """\
inputs: {x: 2.0, z: 3.0}
nodes: x * z
""",
        """\
g.yaml:2:8: error: 'nodes' is a mapping from names, not the text 'x * z'
    2 | nodes: x * z
      |        ^
  hint: write nodes: {name: ...}
""",
    ),
    Case(
        "edges-list",
        "edges: [a -> b]\n",
        """\
g.yaml:1:8: error: 'edges' is a mapping from names, not a list
    1 | edges: [a -> b]
      |        ^
  hint: write edges: {name: ...}
""",
    ),
    Case(
        "weights-number",
        """\
inputs: {x: 2.0, z: 3.0}
weights: 3
nodes: {y: x}
""",
        """\
g.yaml:2:10: error: 'weights' is a mapping from names, not the number 3
    2 | weights: 3
      |          ^
  hint: write weights: {name: ...}
""",
    ),
    Case(
        "constants-bool",
        """\
inputs: {x: 2.0, z: 3.0}
constants: true
nodes: {y: x}
""",
        """\
g.yaml:2:12: error: 'constants' is a mapping from names, not true
    2 | constants: true
      |            ^
  hint: write constants: {name: ...}
""",
    ),
    Case(
        "input-text",
        """\
inputs: {x: two}
nodes: {y: x}
""",
        """\
g.yaml:1:13: error: input 'x' is the text 'two'; a number is needed
    1 | inputs: {x: two}
      |             ^
  hint: a formula is an equation, and stands under 'nodes'
""",
    ),
    Case(
        "input-formula",
        """\
inputs: {x: 1/2}
nodes: {y: x}
""",
        """\
g.yaml:1:13: error: input 'x' is the text '1/2'; a number is needed
    1 | inputs: {x: 1/2}
      |             ^
  hint: a formula is an equation, and stands under 'nodes'
""",
    ),
    Case(
        "input-bool",
        """\
inputs: {x: true}
nodes: {y: x}
""",
        """\
g.yaml:1:13: error: input 'x' is true; a number is needed
    1 | inputs: {x: true}
      |             ^
""",
    ),
    Case(
        "input-list",
        """\
inputs: {x: [1, [2]]}
nodes: {y: x}
""",
        """\
g.yaml:1:17: error: entry [1] of input 'x' is a list; a number is needed
    1 | inputs: {x: [1, [2]]}
      |                 ^
""",
    ),
    Case(
        "input-mapping",
        """\
inputs: {x: {value: 1}}
nodes: {y: x}
""",
        """\
g.yaml:1:13: error: input 'x' is a mapping; a number, a list or {file: ...} is needed
    1 | inputs: {x: {value: 1}}
      |             ^
""",
    ),
    Case(
        "input-missing",
        """\
inputs:
  x:
nodes: {y: x}
""",
        """\
g.yaml:2:3: error: input 'x' has no value
    2 |   x:
      |   ^
  hint: write x: 1.0
""",
    ),
    Case(
        "weight-missing",
        """\
weights:
  w: ~
nodes: {y: w}
""",
        """\
g.yaml:2:3: error: weight 'w' has no value
    2 |   w: ~
      |   ^
  hint: write w: 1.0
""",
    ),
    Case(
        "constant-text",
        """\
constants: {g: fast}
nodes: {y: g}
""",
        """\
g.yaml:1:16: error: constant 'g' is the text 'fast'; a number is needed
    1 | constants: {g: fast}
      |                ^
  hint: a formula is an equation, and stands under 'nodes'
""",
    ),
    Case(
        "input-nan",
        """\
inputs: {x: .nan}
nodes: {y: x}
""",
        """\
g.yaml:1:13: error: input 'x' is nan; a finite number is needed
    1 | inputs: {x: .nan}
      |             ^
""",
    ),
    Case(
        "input-inf",
        """\
inputs: {x: -.inf}
nodes: {y: x}
""",
        """\
g.yaml:1:13: error: input 'x' is -inf; a finite number is needed
    1 | inputs: {x: -.inf}
      |             ^
""",
    ),
    Case(
        "input-overflows",
        """\
inputs: {x: 1e999}
nodes: {y: x}
""",
        """\
g.yaml:1:13: error: input 'x' is inf; a finite number is needed
    1 | inputs: {x: 1e999}
      |             ^
""",
    ),
    Case(
        "input-integer-overflows",
        "inputs: {x: 1" + "0" * 400 + "}\nnodes: {y: x}\n",
        """\
g.yaml:1:13: error: input 'x' is inf; a finite number is needed
    1 | inputs: {x: 1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000
      |             ^
""",
    ),
    Case(
        "equation-missing",
        """\
inputs: {x: 2.0, z: 3.0}
nodes:
  y:
""",
        """\
g.yaml:3:3: error: node 'y' has no equation
    3 |   y:
      |   ^
""",
    ),
    Case(
        "equation-list",
        in_equation("[x, z]"),
        """\
g.yaml:3:6: error: the equation of node 'y' is text, not a list
    3 |   y: [x, z]
      |      ^
""",
    ),
    Case(
        "equation-mapping",
        in_equation("{x: 1}"),
        """\
g.yaml:3:6: error: the equation of node 'y' is text, not a mapping
    3 |   y: {x: 1}
      |      ^
""",
    ),
    Case(
        "equation-bool",
        in_equation("true"),
        """\
g.yaml:3:6: error: the equation of node 'y' is text, not true
    3 |   y: true
      |      ^
""",
    ),
    Case(
        "equation-inf",
        in_equation(".inf"),
        """\
g.yaml:3:6: error: node 'y' is inf; a finite number is needed
    3 |   y: .inf
      |      ^
""",
    ),
    Case(
        "unknown-key-suggestion",
        """\
input: {x: 2.0}
nodes: {y: 2}
""",
        """\
g.yaml:1:1: error: unknown key 'input'
    1 | input: {x: 2.0}
      | ^
  hint: did you mean 'inputs'?
""",
    ),
    Case(
        "unknown-key-far",
        """\
inputs: {x: 2.0, z: 3.0}
colour: red
nodes: {y: x}
""",
        """\
g.yaml:2:1: error: unknown key 'colour'
    2 | colour: red
      | ^
  hint: the keys are cgraph, title, inputs, weights, constants, nodes, network, edges, output, outputs, source, ask, vary, magnitude, salt, variant, sealed
""",
    ),
    Case(
        "title-list",
        """\
title: [a]
inputs: {x: 2.0, z: 3.0}
nodes: {y: x}
""",
        """\
g.yaml:1:8: error: the title is text, not a list
    1 | title: [a]
      |        ^
""",
    ),
    Case(
        "version-2",
        """\
cgraph: 2
inputs: {x: 2.0, z: 3.0}
nodes: {y: x}
""",
        """\
g.yaml:1:9: error: version 2 of the language is not known
    1 | cgraph: 2
      |         ^
  hint: write cgraph: 1
""",
    ),
    Case(
        "version-text",
        """\
cgraph: one
inputs: {x: 2.0, z: 3.0}
nodes: {y: x}
""",
        """\
g.yaml:1:9: error: version 'one' of the language is not known
    1 | cgraph: one
      |         ^
  hint: write cgraph: 1
""",
    ),
    Case(
        "version-true",
        """\
cgraph: true
inputs: {x: 2.0, z: 3.0}
nodes: {y: x}
""",
        """\
g.yaml:1:9: error: version true of the language is not known
    1 | cgraph: true
      |         ^
  hint: write cgraph: 1
""",
    ),
    Case(
        "version-empty",
        """\
cgraph:
inputs: {x: 2.0, z: 3.0}
nodes: {y: x}
""",
        """\
g.yaml:1:1: error: 'cgraph' is empty
    1 | cgraph:
      | ^
  hint: write cgraph: 1
""",
    ),
    Case(
        "output-unknown",
        """\
inputs: {x: 2.0, z: 3.0}
nodes: {y1: x}
output: y_1
""",
        """\
g.yaml:3:9: error: output 'y_1' is not defined
    3 | output: y_1
      |         ^
  hint: did you mean 'y1'?
""",
    ),
    Case(
        "output-and-outputs",
        """\
inputs: {x: 2.0, z: 3.0}
nodes: {y: x}
output: y
outputs: [y]
""",
        """\
g.yaml:4:1: error: 'output' and 'outputs' both stand here
    4 | outputs: [y]
      | ^
  hint: keep one
""",
    ),
    Case(
        "output-list",
        """\
inputs: {x: 2.0, z: 3.0}
nodes: {y: x}
output: [y]
""",
        """\
g.yaml:3:9: error: an output is the name of a node, not a list
    3 | output: [y]
      |         ^
""",
    ),
    Case(
        "output-empty",
        """\
inputs: {x: 2.0, z: 3.0}
nodes: {y: x}
output:
""",
        """\
g.yaml:3:1: error: an output is the name of a node, not empty
    3 | output:
      | ^
""",
    ),
    Case(
        "output-float",
        """\
inputs: {x: 2.0, z: 3.0}
nodes: {y: x}
output: 1.5
""",
        """\
g.yaml:3:9: error: an output is the name of a node, not the number 1.5
    3 | output: 1.5
      |         ^
""",
    ),
    Case(
        "output-bool",
        """\
inputs: {x: 2.0, z: 3.0}
nodes: {y: x}
output: true
""",
        """\
g.yaml:3:9: error: an output is the name of a node, not true
    3 | output: true
      |         ^
""",
    ),
    Case(
        "outputs-text",
        """\
inputs: {x: 2.0, z: 3.0}
nodes: {y: x}
outputs: y
""",
        """\
g.yaml:3:10: error: 'outputs' is a list of names, not the text 'y'
    3 | outputs: y
      |          ^
  hint: write outputs: [y1, y2]
""",
    ),
    Case(
        "outputs-empty-list",
        """\
inputs: {x: 2.0, z: 3.0}
nodes: {y: x}
outputs: []
""",
        """\
g.yaml:3:10: error: 'outputs' is a list of names, not empty
    3 | outputs: []
      |          ^
  hint: write outputs: [y1, y2]
""",
    ),
    Case(
        "outputs-mapping",
        """\
inputs: {x: 2.0, z: 3.0}
nodes: {y: x}
outputs: {y: 1}
""",
        """\
g.yaml:3:10: error: 'outputs' is a list of names, not a mapping
    3 | outputs: {y: 1}
      |          ^
  hint: write outputs: [y1, y2]
""",
    ),
    Case(
        "outputs-unknown",
        """\
inputs: {x: 2.0, z: 3.0}
nodes: {y: x}
outputs:
  - y
  - q
""",
        """\
g.yaml:5:5: error: output 'q' is not defined
    5 |   - q
      |     ^
""",
    ),
    Case(
        "outputs-twice",
        """\
inputs: {x: 2.0, z: 3.0}
nodes: {y: x}
outputs: [y, y]
""",
        """\
g.yaml:3:14: error: output 'y' stands here twice
    3 | outputs: [y, y]
      |              ^
""",
    ),
    Case(
        "edge-without-arrow",
        """\
edges:
  a b: 1.0
""",
        """\
g.yaml:2:3: error: an edge is written 'x -> y'
    2 |   a b: 1.0
      |   ^
""",
    ),
    Case(
        "edge-without-tail",
        """\
edges:
  '-> b': 1.0
""",
        """\
g.yaml:2:3: error: a node cannot be named '': it is empty, or begins or ends with a space
    2 |   '-> b': 1.0
      |   ^
""",
    ),
    Case(
        "edge-without-head",
        """\
edges:
  'a ->': 1.0
""",
        """\
g.yaml:2:3: error: a node cannot be named '': it is empty, or begins or ends with a space
    2 |   'a ->': 1.0
      |   ^
""",
    ),
    Case(
        "edge-of-three",
        """\
edges:
  a -> b -> c: 1.0
""",
        """\
g.yaml:2:3: error: a node cannot be named 'b -> c': '->' separates the ends of an edge
    2 |   a -> b -> c: 1.0
      |   ^
""",
    ),
    Case(
        "edge-text",
        """\
edges:
  a -> b: x^2
""",
        """\
g.yaml:2:11: error: edge 'a -> b' is the text 'x^2'; a number is needed
    2 |   a -> b: x^2
      |           ^
  hint: a formula is an equation, and stands under 'nodes'
""",
    ),
    Case(
        "edge-empty",
        """\
edges:
  a -> b:
""",
        """\
g.yaml:2:3: error: edge 'a -> b' is empty; a number is needed
    2 |   a -> b:
      |   ^
""",
    ),
    Case(
        "edge-nan",
        """\
edges:
  a -> b: .nan
""",
        """\
g.yaml:2:11: error: edge 'a -> b' is nan; a finite number is needed
    2 |   a -> b: .nan
      |           ^
""",
    ),
    Case(
        "edge-twice-spaced",
        """\
edges:
  a -> b: 1.0
  a->b: 2.0
""",
        """\
g.yaml:3:3: error: edge 'a->b' stands here twice
    3 |   a->b: 2.0
      |   ^
""",
    ),
    Case(
        "edge-twice",
        """\
edges:
  a -> b: 1.0
  a -> b: 2.0
""",
        """\
g.yaml:3:3: error: 'a -> b' stands here twice, first in line 2
    3 |   a -> b: 2.0
      |   ^
""",
    ),
    Case(
        "edge-into-equation",
        """\
inputs: {x: 2.0, z: 3.0}
nodes: {y: x^2}
edges:
  x -> y: 4.0
""",
        """\
g.yaml:4:3: error: edge 'x -> y': its derivative follows from what 'y' computes
    4 |   x -> y: 4.0
      |   ^
  hint: remove this line, or 'y' from 'nodes'
""",
    ),
    Case(
        "edge-into-input",
        """\
inputs: {x: 2.0, z: 3.0}
edges:
  z -> x: 4.0
""",
        """\
g.yaml:3:3: error: edge 'z -> x' ends at 'x', whose value is given
    3 |   z -> x: 4.0
      |   ^
""",
    ),
    Case(
        "edge-from-function",
        """\
edges:
  exp -> b: 1.0
""",
        """\
g.yaml:2:3: error: a node cannot be named 'exp': 'exp' is a function; for instance 'exp_' would do
    2 |   exp -> b: 1.0
      |   ^
""",
    ),
    Case(
        "edges-in-arrow-style",
        """\
edges:
  a → b: 1.0
""",
        """\
g.yaml:2:3: error: an edge is written 'x -> y'
    2 |   a → b: 1.0
      |   ^
""",
    ),
    Case(
        "several",
        """\
inputs: {x: two, exp: 1.0}
wieghts: {w: 1.0}
nodes:
  a: 2x
  b: log(x, x)
  c: q + r
  a: x
output: d
""",
        """\
g.yaml:1:13: error: input 'x' is the text 'two'; a number is needed
    1 | inputs: {x: two, exp: 1.0}
      |             ^
  hint: a formula is an equation, and stands under 'nodes'
g.yaml:1:18: error: a node cannot be named 'exp': 'exp' is a function; for instance 'exp_' would do
    1 | inputs: {x: two, exp: 1.0}
      |                  ^
g.yaml:2:1: error: unknown key 'wieghts'
    2 | wieghts: {w: 1.0}
      | ^
  hint: did you mean 'weights'?
g.yaml:4:7: error: node 'a': an operator is missing
    4 |   a: 2x
      |       ^
  hint: write * between the factors of a product
g.yaml:5:6: error: node 'b': log takes one operand, not 2
    5 |   b: log(x, x)
      |      ^
g.yaml:6:6: error: node 'c' uses 'q', which is not defined
    6 |   c: q + r
      |      ^
g.yaml:6:10: error: node 'c' uses 'r', which is not defined
    6 |   c: q + r
      |          ^
g.yaml:7:3: error: 'a' stands here twice, first in line 4
    7 |   a: x
      |   ^
g.yaml:8:9: error: output 'd' is not defined
    8 | output: d
      |         ^
""",
    ),
    Case(
        "several-in-order-of-file",
        """\
output: d
nodes:
  a: q
inputs:
  x: two
""",
        """\
g.yaml:1:9: error: output 'd' is not defined
    1 | output: d
      |         ^
g.yaml:3:6: error: node 'a' uses 'q', which is not defined
    3 |   a: q
      |      ^
g.yaml:5:6: error: input 'x' is the text 'two'; a number is needed
    5 |   x: two
      |      ^
  hint: a formula is an equation, and stands under 'nodes'
""",
    ),
    # files: YAML, JSON, TOML
    Case(
        "empty",
        "",
        "g.yaml:1:1: error: a spec is a mapping, with keys such as 'inputs' and 'nodes'\n",
    ),
    Case(
        "only-comment",
        "# nothing here\n",
        """\
g.yaml:1:1: error: a spec is a mapping, with keys such as 'inputs' and 'nodes'
    1 | # nothing here
      | ^
""",
    ),
    Case(
        "list-document",
        """\
- x
- y
""",
        """\
g.yaml:1:1: error: a spec is a mapping, with keys such as 'inputs' and 'nodes'
    1 | - x
      | ^
""",
    ),
    Case(
        "text-document",
        "just words\n",
        """\
g.yaml:1:1: error: a spec is a mapping, with keys such as 'inputs' and 'nodes'
    1 | just words
      | ^
""",
    ),
    Case(
        "two-documents",
        """\
inputs: {x: 2.0, z: 3.0}
---
nodes: {y: 2}
""",
        """\
g.yaml:2:1: error: not YAML: expected a single document in the stream, but found another document
    2 | ---
      | ^
""",
    ),
    Case(
        "unclosed-brace",
        """\
inputs: {x: 2.0
nodes:
  y: x
""",
        """\
g.yaml:2:6: error: not YAML: while parsing a flow mapping, expected ',' or '}', but got ':'
    2 | nodes:
      |      ^
""",
    ),
    Case(
        "unclosed-quote",
        """\
inputs: {x: 2.0}
nodes:
  y: 'x
""",
        """\
g.yaml:3:6: error: not YAML: while scanning a quoted scalar, found unexpected end of stream
    3 |   y: 'x
      |      ^
""",
    ),
    Case(
        "bad-indent",
        """\
inputs:
  x: 1.0
 z: 2.0
""",
        """\
g.yaml:3:2: error: not YAML: while parsing a block mapping, expected <block end>, but found '<block mapping start>'
    3 |  z: 2.0
      |  ^
""",
    ),
    Case(
        "tab-indent",
        "inputs:\n\tx: 2.0\nnodes: {y: x}\n",
        """\
g.yaml:2:1: error: not YAML: while scanning for the next token, found character '\\t' that cannot start any token
    2 |  x: 2.0
      | ^
  hint: a tab cannot indent YAML; use spaces
""",
    ),
    Case(
        "colon-without-space",
        """\
inputs:
  x:2.0
nodes: {y: 2}
""",
        """\
g.yaml:2:3: error: 'inputs' is a mapping from names, not the text 'x:2.0'
    2 |   x:2.0
      |   ^
  hint: write a space after the colon
""",
    ),
    Case(
        "colon-in-value",
        """\
inputs: {x: 2.0}
nodes:
  y: a: b
""",
        """\
g.yaml:3:7: error: not YAML: mapping values are not allowed here
    3 |   y: a: b
      |       ^
""",
    ),
    Case(
        "star-equation",
        in_equation("*x + 1"),
        """\
g.yaml:3:6: error: not YAML: found undefined alias 'x'
    3 |   y: *x + 1
      |      ^
""",
    ),
    Case(
        "percent-first",
        in_equation("%x"),
        """\
g.yaml:3:6: error: not YAML: while scanning for the next token, found character '%' that cannot start any token
    3 |   y: %x
      |      ^
""",
    ),
    Case(
        "at-first",
        in_equation("@x"),
        """\
g.yaml:3:6: error: not YAML: while scanning for the next token, found character '@' that cannot start any token
    3 |   y: @x
      |      ^
""",
    ),
    Case(
        "alias-unknown",
        """\
inputs: {x: *a}
nodes: {y: x}
""",
        """\
g.yaml:1:13: error: not YAML: found undefined alias 'a'
    1 | inputs: {x: *a}
      |             ^
""",
    ),
    Case(
        "tag-python",
        """\
inputs: {x: !!python/object/apply:os.system ['ls']}
nodes: {y: x}
""",
        """\
g.yaml:1:13: error: the tag !!python/object/apply:os.system is not allowed
    1 | inputs: {x: !!python/object/apply:os.system ['ls']}
      |             ^
  hint: a spec holds texts and numbers only
""",
    ),
    Case(
        "tag-own",
        """\
inputs: {x: !secret 1}
nodes: {y: x}
""",
        """\
g.yaml:1:13: error: the tag !secret is not allowed
    1 | inputs: {x: !secret 1}
      |             ^
  hint: a spec holds texts and numbers only
""",
    ),
    Case(
        "tag-on-mapping",
        """\
inputs: !!python/object:os.x {x: 1.0}
nodes: {y: x}
""",
        """\
g.yaml:1:9: error: the tag !!python/object:os.x is not allowed
    1 | inputs: !!python/object:os.x {x: 1.0}
      |         ^
  hint: a spec holds texts and numbers only
""",
    ),
    Case(
        "tag-set",
        """\
inputs: !!set {x, z}
nodes: {y: x}
""",
        """\
g.yaml:1:9: error: the tag !!set is not allowed
    1 | inputs: !!set {x, z}
      |         ^
  hint: a spec holds texts and numbers only
""",
    ),
    Case(
        "tag-binary",
        """\
inputs: {x: !!binary aGVsbG8=}
nodes: {y: x}
""",
        """\
g.yaml:1:13: error: the tag !!binary is not allowed
    1 | inputs: {x: !!binary aGVsbG8=}
      |             ^
  hint: a spec holds texts and numbers only
""",
    ),
    Case(
        "billion-laughs",
        """\
title: x
a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]
inputs: [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]
""",
        """\
g.yaml:2:1: error: unknown key 'a'
    2 | a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
      | ^
  hint: the keys are cgraph, title, inputs, weights, constants, nodes, network, edges, output, outputs, source, ask, vary, magnitude, salt, variant, sealed
g.yaml:2:32: error: more than 1,000 parts
    2 | a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
      |                                ^
g.yaml:3:1: error: unknown key 'b'
    3 | b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]
      | ^
  hint: the keys are cgraph, title, inputs, weights, constants, nodes, network, edges, output, outputs, source, ask, vary, magnitude, salt, variant, sealed
g.yaml:4:1: error: unknown key 'c'
    4 | c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]
      | ^
  hint: the keys are cgraph, title, inputs, weights, constants, nodes, network, edges, output, outputs, source, ask, vary, magnitude, salt, variant, sealed
""",
    ),
    Case(
        "alias-of-itself",
        "title: &a [*a]\n",
        """\
g.yaml:1:8: error: nested more than 50 levels deep
    1 | title: &a [*a]
      |        ^
g.yaml:1:8: error: the title is text, not a list
    1 | title: &a [*a]
      |        ^
""",
    ),
    Case(
        "nested-51",
        "title: " + "[" * 60 + "]" * 60 + "\n",
        """\
g.yaml:1:8: error: the title is text, not a list
    1 | title: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
      |        ^
g.yaml:1:58: error: nested more than 50 levels deep
    1 | title: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
      |                                                          ^
""",
    ),
    Case(
        "key-is-list",
        """\
inputs:
  [x, z]: 1.0
nodes: {y: 2}
""",
        """\
g.yaml:2:3: error: a key must be one name
    2 |   [x, z]: 1.0
      |   ^
""",
    ),
    Case(
        "key-is-mapping",
        """\
? {a: 1}
: 2
""",
        """\
g.yaml:1:3: error: a key must be one name
    1 | ? {a: 1}
      |   ^
""",
    ),
    Case(
        "directive-unknown",
        """\
%YAML 3.0
---
inputs: {x: 1}
""",
        """\
g.yaml:1:1: error: not YAML: found incompatible YAML document (version 1.* is required)
    1 | %YAML 3.0
      | ^
""",
    ),
    Case(
        "not-utf-8",
        b"inputs: {x: 2.0}\nnodes:\n  y: \xe9 + x\n",
        "g.yaml:3:6: error: not UTF-8 text: byte 30\n",
    ),
    Case(
        "utf-16",
        b"\xff\xfei\x00n\x00p\x00u\x00t\x00s\x00:\x00 \x00{\x00x\x00:\x00 \x002\x00.\x000\x00}\x00\n\x00",
        "g.yaml:1:1: error: not UTF-8 text: byte 1\n",
    ),
    Case(
        "nul-character",
        "inputs: {x: 2.0}\nnodes: {y: x\x00}\n",
        """\
g.yaml:2:13: error: not YAML: the character '\\x00' is not allowed
    2 | nodes: {y: x�}
      |             ^
""",
    ),
    Case(
        "bell-character",
        "inputs: {x: 2.0}\nnodes: {y: x\x07}\n",
        """\
g.yaml:2:13: error: not YAML: the character '\\x07' is not allowed
    2 | nodes: {y: x�}
      |             ^
""",
    ),
    Case(
        "too-large",
        "# " + "x" * 2_000_000,
        "g.yaml:1:1: error: the file is larger than 2 MB; JSON of the same shape may be larger\n",
    ),
    Case(
        "sexagesimal",
        """\
inputs: {x: 1:30}
nodes: {y: x}
""",
        """\
g.yaml:1:13: error: input 'x' is the text '1:30'; a number is needed
    1 | inputs: {x: 1:30}
      |             ^
  hint: a formula is an equation, and stands under 'nodes'
""",
    ),
    Case(
        "date",
        """\
inputs: {x: 2024-01-01}
nodes: {y: x}
""",
        """\
g.yaml:1:13: error: input 'x' is the text '2024-01-01'; a number is needed
    1 | inputs: {x: 2024-01-01}
      |             ^
  hint: a formula is an equation, and stands under 'nodes'
""",
    ),
    Case(
        "yes-is-text",
        """\
inputs: {x: yes}
nodes: {y: x}
""",
        """\
g.yaml:1:13: error: input 'x' is the text 'yes'; a number is needed
    1 | inputs: {x: yes}
      |             ^
  hint: a formula is an equation, and stands under 'nodes'
""",
    ),
    Case(
        "crlf",
        "inputs: {x: 2.0}\r\nnodes:\r\n  y: exp(q)\r\n",
        """\
g.yaml:3:10: error: node 'y' uses 'q', which is not defined
    3 |   y: exp(q)
      |          ^
""",
    ),
    Case(
        "byte-order-mark",
        "\ufeffinputs: {x: 2.0}\nnodes: {y: q}\n",
        """\
g.yaml:2:12: error: node 'y' uses 'q', which is not defined
    2 | nodes: {y: q}
      |            ^
""",
    ),
    Case(
        "wide-line",
        "inputs: {x: 2.0}\nnodes: {y: '" + "x + " * 40 + "q'}\n",
        """\
g.yaml:2:173: error: node 'y' uses 'q', which is not defined
    2 | x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + q'}
      |                                                             ^
""",
    ),
    Case(
        "json-trailing-text",
        '{"inputs": {"x": 2.0}} x\n',
        """\
g.json:1:24: error: not JSON: Extra data
    1 | {"inputs": {"x": 2.0}} x
      |                        ^
""",
        format="json",
    ),
    Case(
        "json-unquoted",
        """\
{
  inputs: {"x": 2.0}
}
""",
        """\
g.json:2:3: error: not JSON: Expecting property name enclosed in double quotes
    2 |   inputs: {"x": 2.0}
      |   ^
""",
        format="json",
    ),
    Case(
        "json-missing-comma",
        """\
{
  "inputs": {"x": 2.0}
  "nodes": {}
}
""",
        """\
g.json:3:3: error: not JSON: Expecting ',' delimiter
    3 |   "nodes": {}
      |   ^
""",
        format="json",
    ),
    Case(
        "json-single-quotes",
        "{'inputs': 1}\n",
        """\
g.json:1:2: error: not JSON: Expecting property name enclosed in double quotes
    1 | {'inputs': 1}
      |  ^
""",
        format="json",
    ),
    Case(
        "json-nan",
        """\
{"inputs": {"x": NaN},
 "nodes": {"y": "x"}}
""",
        """\
g.json:1:18: error: input 'x' is nan; a finite number is needed
    1 | {"inputs": {"x": NaN},
      |                  ^
""",
        format="json",
    ),
    Case(
        "json-infinity",
        """\
{"inputs": {"x": Infinity},
 "nodes": {"y": "x"}}
""",
        """\
g.json:1:18: error: input 'x' is inf; a finite number is needed
    1 | {"inputs": {"x": Infinity},
      |                  ^
""",
        format="json",
    ),
    Case(
        "json-huge-integer",
        '{"inputs": {"x": 1' + "0" * 5000 + '},\n "nodes": {"y": "x"}}\n',
        """\
g.json:1:18: error: input 'x' is inf; a finite number is needed
    1 | {"inputs": {"x": 10000000000000000000000000000000000000000000000000000000000000000000000000000000000
      |                  ^
""",
        format="json",
    ),
    Case(
        "json-unknown-name",
        """\
{
  "inputs": {"x": 2.0},
  "nodes": {
    "y": "exp(q)"
  }
}
""",
        """\
g.json:4:15: error: node 'y' uses 'q', which is not defined
    4 |     "y": "exp(q)"
      |               ^
""",
        format="json",
    ),
    Case(
        "json-escaped-name",
        """\
{
  "inputs": {"x": 2.0},
  "nodes": {
    "y": "\\u0078 + q"
  }
}
""",
        """\
g.json:4:10: error: node 'y' uses 'q', which is not defined
    4 |     "y": "\\u0078 + q"
      |          ^
""",
        format="json",
    ),
    Case(
        "json-duplicate-key",
        """\
{
  "inputs": {"x": 2.0, "x": 3.0},
  "nodes": {"y": "x"}
}
""",
        """\
g.json:2:24: error: 'x' stands here twice, first in line 2
    2 |   "inputs": {"x": 2.0, "x": 3.0},
      |                        ^
""",
        format="json",
    ),
    Case(
        "json-tabs",
        '{\n\t"inputs": {"x": 2.0},\n\t"nodes": {"y": "q"}\n}\n',
        """\
g.json:3:18: error: node 'y' uses 'q', which is not defined
    3 |  "nodes": {"y": "q"}
      |                  ^
""",
        format="json",
    ),
    Case(
        "json-deep",
        "[" * 100_000,
        """\
g.json:1:1: error: nested more than 50 levels deep
    1 | [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[
      | ^
""",
        format="json",
    ),
    Case(
        "json-deep-closed",
        '{"title": ' + "[" * 100 + "]" * 100 + "}",
        """\
g.json:1:11: error: the title is text, not a list
    1 | {"title": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[
      |           ^
""",
        format="json",
    ),
    Case(
        "json-null-value",
        '{"inputs": {"x": null}, "nodes": {"y": "x"}}\n',
        """\
g.json:1:13: error: input 'x' has no value
    1 | {"inputs": {"x": null}, "nodes": {"y": "x"}}
      |             ^
  hint: write x: 1.0
""",
        format="json",
    ),
    Case(
        "json-bad-escape",
        '{"title": "\\q"}\n',
        """\
g.json:1:12: error: not JSON: Invalid \\escape
    1 | {"title": "\\q"}
      |            ^
""",
        format="json",
    ),
    Case(
        "json-lone-surrogate",
        '{"inputs": {"\\ud800": 1.0}}\n',
        """\
g.json:1:13: error: a node cannot be named '\\ud800': it holds a control character
    1 | {"inputs": {"\\ud800": 1.0}}
      |             ^
""",
        format="json",
    ),
    Case(
        "json-slash-escape",
        """\
{"inputs": {"x": 1.0},
 "nodes": {"y": "x \\/ q"}}
""",
        """\
g.json:2:17: error: node 'y' uses 'q', which is not defined
    2 |  "nodes": {"y": "x \\/ q"}}
      |                 ^
""",
        format="json",
    ),
    Case(
        "toml-no-value",
        "inputs =\n",
        """\
g.toml:1:9: error: not TOML: Invalid value
    1 | inputs =
      |         ^
""",
        format="toml",
    ),
    Case(
        "toml-bare-word",
        """\
[inputs]
x = two
""",
        """\
g.toml:2:5: error: not TOML: Invalid value
    2 | x = two
      |     ^
""",
        format="toml",
    ),
    Case(
        "toml-unclosed",
        """\
[inputs
x = 1.0
""",
        """\
g.toml:1:8: error: not TOML: Expected ']' at the end of a table declaration
    1 | [inputs
      |        ^
""",
        format="toml",
    ),
    Case(
        "toml-duplicate",
        """\
[inputs]
x = 1.0
x = 2.0
""",
        """\
g.toml:3:8: error: not TOML: Cannot overwrite a value
    3 | x = 2.0
      |        ^
""",
        format="toml",
    ),
    Case(
        "toml-unknown-name",
        """\
[inputs]
x1 = 1.0

[nodes]
y = "exp(x_1)"
""",
        """\
g.toml:5:10: error: node 'y' uses 'x_1', which is not defined
    5 | y = "exp(x_1)"
      |          ^
  hint: did you mean 'x1'?
""",
        format="toml",
    ),
    Case(
        "toml-inline-table",
        """\
inputs = {x = 1.0}
nodes = {a = "x", y = "q"}
""",
        """\
g.toml:2:24: error: node 'y' uses 'q', which is not defined
    2 | nodes = {a = "x", y = "q"}
      |                        ^
""",
        format="toml",
    ),
    Case(
        "toml-dotted-key",
        """\
inputs.x = 1.0
nodes.y = "q"
""",
        """\
g.toml:2:12: error: node 'y' uses 'q', which is not defined
    2 | nodes.y = "q"
      |            ^
""",
        format="toml",
    ),
    Case(
        "toml-text-value",
        """\
[inputs]
x = "two"
[nodes]
y = "x"
""",
        """\
g.toml:2:5: error: input 'x' is the text 'two'; a number is needed
    2 | x = "two"
      |     ^
  hint: a formula is an equation, and stands under 'nodes'
""",
        format="toml",
    ),
    Case(
        "toml-date",
        """\
[inputs]
x = 2024-01-01
[nodes]
y = "x"
""",
        """\
g.toml:2:5: error: input 'x' is a date; a number is needed
    2 | x = 2024-01-01
      |     ^
""",
        format="toml",
    ),
    Case(
        "toml-nan",
        """\
[inputs]
x = nan
[nodes]
y = "x"
""",
        """\
g.toml:2:5: error: input 'x' is nan; a finite number is needed
    2 | x = nan
      |     ^
""",
        format="toml",
    ),
    Case(
        "toml-unknown-key",
        """\
[input]
x = 1.0
""",
        """\
g.toml:1:2: error: unknown key 'input'
    1 | [input]
      |  ^
  hint: did you mean 'inputs'?
""",
        format="toml",
    ),
    Case(
        "toml-edge",
        """\
[edges]
"a -> b" = "x"
""",
        """\
g.toml:2:12: error: edge 'a -> b' is the text 'x'; a number is needed
    2 | "a -> b" = "x"
      |            ^
  hint: a formula is an equation, and stands under 'nodes'
""",
        format="toml",
    ),
    Case(
        "toml-subtable",
        """\
[inputs]
x = 1.0
[nodes.y]
a = "q"
""",
        """\
g.toml:3:8: error: the equation of node 'y' is text, not a mapping
    3 | [nodes.y]
      |        ^
""",
        format="toml",
    ),
    Case(
        "toml-multiline-string",
        """\
[inputs]
x = 1.0
[nodes]
y = \"\"\"
x +
q\"\"\"
""",
        """\
g.toml:6:1: error: node 'y' uses 'q', which is not defined
    6 | q\"\"\"
      | ^
""",
        format="toml",
    ),
    Case(
        "toml-equation-with-equals",
        """\
[inputs]
x = 1.0
[nodes]
y = "x = q"
z = "q"
""",
        """\
g.toml:4:8: error: node 'y': unexpected character '='
    4 | y = "x = q"
      |        ^
  hint: write one equation for each node
g.toml:5:6: error: node 'z' uses 'q', which is not defined
    5 | z = "q"
      |      ^
""",
        format="toml",
    ),
    Case(
        "toml-outputs-unknown",
        """\
outputs = ["y", "q"]
[inputs]
x = 1.0
[nodes]
y = "x"
""",
        """\
g.toml:1:17: error: output 'q' is not defined
    1 | outputs = ["y", "q"]
      |                 ^
""",
        format="toml",
    ),
    Case(
        "stdin-bad",
        """\
inputs: {x: 2.0, z: 3.0}
nodes: {y: q}
""",
        """\
<stdin>:2:12: error: node 'y' uses 'q', which is not defined
    2 | nodes: {y: q}
      |            ^
""",
        argv=["show", "-"],
    ),
    Case(
        "stdin-empty",
        "",
        "<stdin>:1:1: error: a spec is a mapping, with keys such as 'inputs' and 'nodes'\n",
        argv=["show", "-"],
    ),
    Case(
        "stdin-not-utf-8",
        b"inputs: {x: \xe9}\n",
        "<stdin>:1:13: error: not UTF-8 text: byte 13\n",
        argv=["show", "-"],
    ),
    Case(
        "json-line-separator",
        '{"title": "a\u2028b",\n "inputs": {"x": 1.0},\n "nodes": {"y": "q"}}\n',
        """\
g.json:3:18: error: node 'y' uses 'q', which is not defined
    3 |  "nodes": {"y": "q"}}
      |                  ^
""",
        format="json",
    ),
    Case(
        "json-line-separator-syntax",
        '{"title": "a\u2028b",\n "inputs": {"x": 1.0},\n nodes: 1}\n',
        """\
g.json:3:2: error: not JSON: Expecting property name enclosed in double quotes
    3 |  nodes: 1}
      |  ^
""",
        format="json",
    ),
    Case(
        "surrogate-in-equation",
        '{"inputs": {"x": 1.0}, "nodes": {"y": "y(\\"\\ud800\\")"}}\n',
        """\
g.json:1:39: error: node 'y': unexpected character '\\ud800'
    1 | {"inputs": {"x": 1.0}, "nodes": {"y": "y(\\"\\ud800\\")"}}
      |                                       ^
""",
        format="json",
    ),
    Case(
        "toml-line-separator",
        'title = "a\u2028b"\n[inputs]\nx = two\n',
        """\
g.toml:3:5: error: not TOML: Invalid value
    3 | x = two
      |     ^
""",
        format="toml",
    ),
    Case(
        "toml-huge-integer",
        "[inputs]\nx = 1" + "0" * 5000 + "\n",
        """\
g.toml:2:5: error: not TOML: an integer of more than 4,300 digits
    2 | x = 100000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000
      |     ^
""",
        format="toml",
    ),
    Case(
        "toml-impossible-date",
        """\
[inputs]
x = 2024-13-01
""",
        """\
g.toml:2:9: error: not TOML: Expected newline or end of document after a statement
    2 | x = 2024-13-01
      |         ^
""",
        format="toml",
    ),
    Case(
        "toml-crlf",
        "[inputs]\r\nx = two\r\n",
        """\
g.toml:2:5: error: not TOML: Invalid value
    2 | x = two
      |     ^
""",
        format="toml",
    ),
    Case(
        "toml-quoted-header",
        """\
[inputs]
x = 1.0
["nodes"]
y = "q"
""",
        """\
g.toml:4:6: error: node 'y' uses 'q', which is not defined
    4 | y = "q"
      |      ^
""",
        format="toml",
    ),
    Case(
        "anchor-twice",
        "inputs: &a {x: 1.0}\nnodes: &a {y: q}\n",
        """\
g.yaml:2:15: error: node 'y' uses 'q', which is not defined
    2 | nodes: &a {y: q}
      |               ^
""",
    ),
    Case(
        "title-control-character",
        'title: "a\\u0085b"\n',
        """\
g.yaml:1:8: error: the title holds a control character
    1 | title: "a\\u0085b"
      |        ^
""",
    ),
    Case(
        "title-surrogate",
        '{"title": "\\ud800"}',
        """\
g.json:1:11: error: the title holds a control character
    1 | {"title": "\\ud800"}
      |           ^
""",
        format="json",
    ),
    Case(
        "flow-too-deep",
        "title: " + "[" * 2000 + "\n",
        """\
g.yaml:1:208: error: nested more than 50 levels deep
    1 | [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[
      |                                                             ^
""",
    ),
    Case(
        "tag-of-a-list",
        "inputs: {x: 1.0}\noutputs: !!omap [y, 2x]\nnodes: {y: 2x}\n",
        """\
g.yaml:2:10: error: the tag !!omap is not allowed
    2 | outputs: !!omap [y, 2x]
      |          ^
  hint: a spec holds texts and numbers only
""",
    ),
    Case(
        "flow-unclosed",
        "inputs: {x: 1.0}\nnodes: {y: x\n",
        """\
g.yaml:2:8: error: not YAML: while parsing a flow mapping, expected ',' or '}', but got '<stream end>'
    2 | nodes: {y: x
      |        ^
""",
    ),
    Case(
        "json-mistake-deep-inside",
        '{"inputs": {"x": 1.0, "z": []},\r\n\t"nodes": {"y": "x", "a\\"b": "q"}, "outputs": ["y", "y"]}\n',
        """\
g.json:1:28: error: input 'z' is empty; a number is needed
    1 | {"inputs": {"x": 1.0, "z": []},
      |                            ^
g.json:2:31: error: node 'a"b' uses 'q', which is not defined
    2 |  "nodes": {"y": "x", "a\\"b": "q"}, "outputs": ["y", "y"]}
      |                               ^
g.json:2:53: error: output 'y' stands here twice
    2 |  "nodes": {"y": "x", "a\\"b": "q"}, "outputs": ["y", "y"]}
      |                                                     ^
""",
        format="json",
    ),
    Case(
        "json-forbidden-in-yaml",
        '{"nodes": {"y": "q"}, "title": "\x7f"}\n',
        """\
g.json:1:18: error: node 'y' uses 'q', which is not defined
    1 | {"nodes": {"y": "q"}, "title": "�"}
      |                  ^
g.json:1:32: error: the title holds a control character
    1 | {"nodes": {"y": "q"}, "title": "�"}
      |                                ^
""",
        format="json",
    ),
    Case(
        "toml-dotted-keys",
        'inputs.x = 1.0\nnodes."y" = "q"\n',
        """\
g.toml:2:14: error: node 'y' uses 'q', which is not defined
    2 | nodes."y" = "q"
      |              ^
""",
        format="toml",
    ),
    Case(
        "input-empty-at-the-end",
        "inputs:\n  x:\n\n\n",
        """\
g.yaml:2:3: error: input 'x' has no value
    2 |   x:
      |   ^
  hint: write x: 1.0
""",
    ),
    Case(
        "equation-nan",
        "nodes: {y: .nan}\n",
        """\
g.yaml:1:12: error: node 'y' is nan; a finite number is needed
    1 | nodes: {y: .nan}
      |            ^
""",
    ),
    Case(
        "lone-carriage-return",
        "inputs: {x: 1.0}\rnodes: {y: q}\r",
        """\
g.yaml:2:12: error: node 'y' uses 'q', which is not defined
    2 | nodes: {y: q}
      |            ^
""",
    ),
    Case(
        "quoted-number",
        "inputs: {x: '2.0'}\n",
        """\
g.yaml:1:13: error: input 'x' is the text '2.0'; a number is needed
    1 | inputs: {x: '2.0'}
      |             ^
  hint: a formula is an equation, and stands under 'nodes'
""",
    ),
    Case(
        "nested-maps",
        "title: " + "{a: " * 3000,
        """\
g.yaml:1:808: error: nested more than 50 levels deep
    1 | {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a:\x20
      |                                                             ^
""",
    ),
    # the command line
    Case(
        "no-command",
        GRAPH,
        "cgraph: error: the following arguments are required: COMMAND\n",
        argv=[],
        status=2,
    ),
    Case(
        "unknown-command",
        GRAPH,
        "cgraph: error: argument COMMAND: invalid choice: 'shwo' (choose from show, eval, sensitivity, paths, check, solve, grade, vary, seal, gradient, gates, transform, descend, eliminate, draw, page, schema, completion)\n",
        argv=["shwo", "g.yaml"],
        status=2,
    ),
    Case(
        "unknown-option",
        GRAPH,
        "cgraph: error: unrecognized arguments: --fast\n",
        argv=["show", "g.yaml", "--fast"],
        status=2,
    ),
    Case(
        "abbreviated-option",
        GRAPH,
        "cgraph: error: unrecognized arguments: --form json\n",
        argv=["show", "g.yaml", "--form", "json"],
        status=2,
    ),
    Case(
        "no-spec",
        GRAPH,
        "cgraph: error: give a SPEC, or equations with -e, one of the two\n",
        argv=["show"],
        status=2,
    ),
    Case(
        "spec-and-equations",
        GRAPH,
        "cgraph: error: give a SPEC, or equations with -e, one of the two\n",
        argv=["show", "g.yaml", "-e", "y = 2"],
        status=2,
    ),
    Case(
        "equations-without-text",
        GRAPH,
        "cgraph show: error: argument -e/--equations: expected one argument\n",
        argv=["show", "-e"],
        status=2,
    ),
    Case(
        "two-specs",
        GRAPH,
        "cgraph: error: unrecognized arguments: h.yaml\n",
        argv=["show", "g.yaml", "h.yaml"],
        status=2,
    ),
    Case(
        "missing-file",
        GRAPH,
        "cgraph: error: cannot read 'nowhere.yaml': No such file or directory\n",
        argv=["show", "nowhere.yaml"],
        status=2,
    ),
    Case(
        "directory",
        GRAPH,
        "cgraph: error: cannot read '.': Is a directory\n",
        argv=["show", "."],
        status=2,
    ),
    Case(
        "under-a-file",
        GRAPH,
        "cgraph: error: cannot read 'g.yaml/x': Not a directory\n",
        argv=["show", "g.yaml/x"],
        status=2,
    ),
    Case(
        "empty-file-name",
        GRAPH,
        "cgraph: error: cannot read '': Is a directory\n",
        argv=["show", ""],
        status=2,
    ),
    Case(
        "bad-format",
        GRAPH,
        "cgraph show: error: argument --format: invalid choice: 'xml' (choose from text, json, csv, markdown, latex)\n",
        argv=["show", "g.yaml", "--format", "xml"],
        status=2,
    ),
    Case(
        "format-without-value",
        GRAPH,
        "cgraph show: error: argument --format: expected one argument\n",
        argv=["show", "g.yaml", "--format"],
        status=2,
    ),
    Case(
        "at-without-number",
        GRAPH,
        "cgraph eval: error: argument --at: 'x' is not NAME=NUMBER, as in x=2.5\n",
        argv=["eval", "g.yaml", "--at", "x"],
        status=2,
    ),
    Case(
        "at-with-text",
        GRAPH,
        "cgraph eval: error: argument --at: 'x=two' is not NAME=NUMBER, as in x=2.5\n",
        argv=["eval", "g.yaml", "--at", "x=two"],
        status=2,
    ),
    Case(
        "at-without-name",
        GRAPH,
        "cgraph eval: error: argument --at: '=2' is not NAME=NUMBER, as in x=2.5\n",
        argv=["eval", "g.yaml", "--at", "=2"],
        status=2,
    ),
    Case(
        "at-formula",
        GRAPH,
        "cgraph eval: error: argument --at: 'x=1/2' is not NAME=NUMBER, as in x=2.5\n",
        argv=["eval", "g.yaml", "--at", "x=1/2"],
        status=2,
    ),
    Case(
        "at-empty",
        GRAPH,
        "cgraph eval: error: argument --at: '' is not NAME=NUMBER, as in x=2.5\n",
        argv=["eval", "g.yaml", "--at", ""],
        status=2,
    ),
    Case(
        "at-two-in-one",
        GRAPH,
        "cgraph: error: no node 'x=1,z' in the graph; there are x, z, w, c, a, y\n",
        argv=["eval", "g.yaml", "--at", "x=1,z=2"],
        status=2,
    ),
    Case(
        "at-nan",
        GRAPH,
        "cgraph eval: error: argument --at: 'x=nan' is not NAME=NUMBER, as in x=2.5\n",
        argv=["eval", "g.yaml", "--at", "x=nan"],
        status=2,
    ),
    Case(
        "at-inf",
        GRAPH,
        "cgraph eval: error: argument --at: 'x=inf' is not NAME=NUMBER, as in x=2.5\n",
        argv=["eval", "g.yaml", "--at", "x=inf"],
        status=2,
    ),
    Case(
        "at-overflow",
        GRAPH,
        "cgraph eval: error: argument --at: 'x=1e999' is not NAME=NUMBER, as in x=2.5\n",
        argv=["eval", "g.yaml", "--at", "x=1e999"],
        status=2,
    ),
    Case(
        "at-unknown",
        GRAPH,
        "cgraph: error: no node 'x1' in the graph; did you mean 'x'?\n",
        argv=["eval", "g.yaml", "--at", "x1=1"],
        status=2,
    ),
    Case(
        "at-computed",
        GRAPH,
        "cgraph: error: node 'a' cannot be set: it is computed; inputs and weights can\n",
        argv=["eval", "g.yaml", "--at", "a=1"],
        status=2,
    ),
    Case(
        "at-constant",
        GRAPH,
        "cgraph: error: node 'c' cannot be set: it is a constant; inputs and weights can\n",
        argv=["eval", "g.yaml", "--at", "c=1"],
        status=2,
    ),
    Case(
        "at-unknown-in-show",
        GRAPH,
        "cgraph: error: no node 'nobody' in the graph; there are x, z, w, c, a, y\n",
        argv=["show", "g.yaml", "--at", "nobody=1"],
        status=2,
    ),
    Case(
        "at-node-of-edges",
        "edges: {a -> b: 2.0}\n",
        "cgraph: error: node 'a' cannot be set: it is known by its derivatives only; inputs and weights can\n",
        argv=["sensitivity", "g.yaml", "--at", "a=1"],
        status=2,
    ),
    Case(
        "from-unknown",
        GRAPH,
        "cgraph: error: no node 'q' in the graph; there are x, z, w, c, a, y\n",
        argv=["sensitivity", "g.yaml", "--from", "q"],
        status=2,
    ),
    Case(
        "from-suggestion",
        GRAPH,
        "cgraph: error: no node 'x1' in the graph; did you mean 'x'?\n",
        argv=["sensitivity", "g.yaml", "--from", "x1", "--to", "y"],
        status=2,
    ),
    Case(
        "to-unknown",
        GRAPH,
        "cgraph: error: no node 'yy' in the graph; did you mean 'y'?\n",
        argv=["sensitivity", "g.yaml", "--to", "yy"],
        status=2,
    ),
    Case(
        "both-unknown",
        GRAPH,
        "cgraph: error: no node 'q' in the graph; there are x, z, w, c, a, y\n",
        argv=["paths", "g.yaml", "--from", "q", "--to", "r"],
        status=2,
    ),
    Case(
        "paths-from-unknown",
        GRAPH,
        "cgraph: error: no node 'q' in the graph; there are x, z, w, c, a, y\n",
        argv=["paths", "g.yaml", "--from", "q"],
        status=2,
    ),
    Case(
        "paths-to-unknown",
        GRAPH,
        "cgraph: error: no node 'q' in the graph; there are x, z, w, c, a, y\n",
        argv=["paths", "g.yaml", "--to", "q"],
        status=2,
    ),
    Case(
        "from-without-value",
        GRAPH,
        "cgraph paths: error: argument --from: expected one argument\n",
        argv=["paths", "g.yaml", "--from"],
        status=2,
    ),
    Case(
        "top-zero",
        GRAPH,
        "cgraph paths: error: argument --top: '0' is not a positive whole number, as in 5\n",
        argv=["paths", "g.yaml", "--top", "0"],
        status=2,
    ),
    Case(
        "top-negative",
        GRAPH,
        "cgraph paths: error: argument --top: '-1' is not a positive whole number, as in 5\n",
        argv=["paths", "g.yaml", "--top", "-1"],
        status=2,
    ),
    Case(
        "top-text",
        GRAPH,
        "cgraph paths: error: argument --top: 'many' is not a positive whole number, as in 5\n",
        argv=["paths", "g.yaml", "--top", "many"],
        status=2,
    ),
    Case(
        "top-float",
        GRAPH,
        "cgraph paths: error: argument --top: '1.5' is not a positive whole number, as in 5\n",
        argv=["paths", "g.yaml", "--top", "1.5"],
        status=2,
    ),
    Case(
        "top-superscript",
        GRAPH,
        "cgraph paths: error: argument --top: '²' is not a positive whole number, as in 5\n",
        argv=["paths", "g.yaml", "--top", "²"],
        status=2,
    ),
    Case(
        "top-for-show",
        GRAPH,
        "cgraph: error: unrecognized arguments: --top 1\n",
        argv=["show", "g.yaml", "--top", "1"],
        status=2,
    ),
    Case(
        "completion-unknown-shell",
        GRAPH,
        "cgraph completion: error: argument shell: invalid choice: 'powershell' (choose from bash, zsh, fish)\n",
        argv=["completion", "powershell"],
        status=2,
    ),
    Case(
        "completion-no-shell",
        GRAPH,
        "cgraph completion: error: the following arguments are required: shell\n",
        argv=["completion"],
        status=2,
    ),
    Case(
        "schema-with-spec",
        GRAPH,
        "cgraph: error: unrecognized arguments: g.yaml\n",
        argv=["schema", "g.yaml"],
        status=2,
    ),
    Case(
        "check-unknown-at",
        GRAPH,
        "cgraph: error: no node 'q' in the graph; there are x, z, w, c, a, y\n",
        argv=["check", "g.yaml", "--at", "q=1"],
        status=2,
    ),
    # equations on the command line
    Case(
        "e-no-equals",
        None,
        """\
equation:1:1: error: no '='
    1 | x^2
      | ^
  hint: write name = equation, several of them with ';' between
""",
        argv=["eval", "-e", "x^2"],
    ),
    Case(
        "e-second-no-equals",
        None,
        """\
equation:1:8: error: no '='
    1 | y = 2; x^2
      |        ^
  hint: write name = equation, several of them with ';' between
""",
        argv=["eval", "-e", "y = 2; x^2"],
    ),
    Case(
        "e-two-equals",
        None,
        """\
equation:1:7: error: unexpected character '='
    1 | y = x = 2
      |       ^
  hint: write one equation for each node
""",
        argv=["eval", "-e", "y = x = 2"],
    ),
    Case(
        "e-left-side-sum",
        None,
        """\
equation:1:1: error: the left-hand side is not one name
    1 | a + b = 2
      | ^
  hint: write name = equation
""",
        argv=["eval", "-e", "a + b = 2"],
    ),
    Case(
        "e-left-side-number",
        None,
        """\
equation:1:1: error: the left-hand side is not one name
    1 | 2 = y
      | ^
  hint: write name = equation
""",
        argv=["eval", "-e", "2 = y"],
    ),
    Case(
        "e-left-side-empty",
        None,
        """\
equation:1:1: error: the left-hand side is not one name
    1 | = 2
      | ^
  hint: write name = equation
""",
        argv=["eval", "-e", "= 2"],
    ),
    Case(
        "e-right-side-empty",
        None,
        """\
equation:1:3: error: the equation is empty
    1 | y =
      |   ^
""",
        argv=["eval", "-e", "y ="],
    ),
    Case(
        "e-second-right-side",
        None,
        """\
equation:1:13: error: an operator is missing
    1 | a = 2; y = 2a
      |             ^
  hint: write * between the factors of a product
""",
        argv=["eval", "-e", "a = 2; y = 2a"],
    ),
    Case(
        "e-second-unclosed",
        None,
        """\
equation:1:15: error: ')' is missing
    1 | a = 2; y = exp(a
      |               ^
""",
        argv=["eval", "-e", "a = 2; y = exp(a"],
    ),
    Case(
        "e-empty",
        None,
        "equation:1:1: error: the equation is empty\n",
        argv=["eval", "-e", ""],
    ),
    Case(
        "e-undefined",
        None,
        "cgraph: error: node 'y' uses 'x', which has neither an equation nor a value; give it one, as in x=1.0\n",
        argv=["eval", "-e", "y = x^2"],
    ),
    Case(
        "e-undefined-suggestion",
        None,
        "cgraph: error: node 'y' uses 'abd', which has neither an equation nor a value; did you mean 'abc'?\n",
        argv=["eval", "-e", "abc = 2; y = abd^2"],
    ),
    Case(
        "e-twice",
        None,
        "cgraph: error: node 'y' is defined twice\n",
        argv=["eval", "-e", "y = 2; y = 3"],
    ),
    Case(
        "e-at-computed",
        None,
        "cgraph: error: node 'y' cannot be set: it is computed; inputs and weights can\n",
        argv=["eval", "-e", "y = 2", "--at", "y=3"],
        status=2,
    ),
    Case(
        "e-at-function",
        None,
        "cgraph: error: a node cannot be named 'exp': 'exp' is a function; for instance 'exp_' would do\n",
        argv=["eval", "-e", "y = 2", "--at", "exp=3"],
        status=2,
    ),
    Case(
        "e-at-nan",
        None,
        "cgraph eval: error: argument --at: 'x=nan' is not NAME=NUMBER, as in x=2.5\n",
        argv=["eval", "-e", "y = x", "--at", "x=nan"],
        status=2,
    ),
    Case(
        "e-at-arrow",
        None,
        "cgraph: error: a node cannot be named 'a->b': '->' separates the ends of an edge\n",
        argv=["eval", "-e", "y = 2", "--at", "a->b=3"],
        status=2,
    ),
    Case(
        "e-function-as-name",
        None,
        """\
equation:1:1: error: a node cannot be named 'exp': 'exp' is a function; for instance 'exp_' would do
    1 | exp = 2
      | ^
""",
        argv=["eval", "-e", "exp = 2"],
    ),
    Case(
        "e-constant-as-name",
        None,
        """\
equation:1:1: error: a node cannot be named 'pi': 'pi' is the number 3.14159; for instance 'pi_' would do
    1 | pi = 2
      | ^
""",
        argv=["eval", "-e", "pi = 2"],
    ),
    Case(
        "e-keyword-as-name",
        None,
        """\
equation:1:1: error: a node cannot be named 'if': 'if' is a Python keyword; for instance 'if_' would do
    1 | if = 2
      | ^
""",
        argv=["eval", "-e", "if = 2"],
    ),
    Case(
        "e-cycle",
        None,
        "cgraph: error: the graph has a cycle: a -> b -> a\n",
        argv=["eval", "-e", "a = b; b = a"],
        status=4,
    ),
    Case(
        "e-self-loop",
        None,
        "cgraph: error: the graph has a cycle: a -> a\n",
        argv=["eval", "-e", "a = a + 1"],
        status=4,
    ),
    Case(
        "e-line-break",
        None,
        """\
equation:2:6: error: an operator is missing
    2 | y = 2a
      |      ^
  hint: write * between the factors of a product
""",
        argv=["eval", "-e", "a = 2\ny = 2a"],
    ),
    Case(
        "e-quoted-equals",
        None,
        """\
cgraph: error: node 'z' uses 'a;b', which has neither an equation nor a value; did you mean 'a=b'?
""",
        argv=["eval", "-e", 'y("a=b") = 2; z = y("a;b")'],
    ),
    Case(
        "e-only-separators",
        None,
        """\
equation:1:1: error: the equation is empty
    1 |  ;
      | ^
""",
        argv=["eval", "-e", " ;\n; "],
    ),
    Case(
        "e-quoted-unclosed",
        None,
        """\
equation:1:3: error: a closing '"' is missing
    1 | y("a = 2
      |   ^
""",
        argv=["eval", "-e", 'y("a = 2'],
    ),
    Case(
        "e-not-a-name",
        None,
        """\
cgraph: error: a node cannot be named 'a->b': '->' separates the ends of an edge
""",
        argv=["eval", "-e", 'y("a->b") = 2'],
    ),
    # what cannot be computed
    Case(
        "div-by-zero",
        None,
        "cgraph: error: node 'y': 1 / 0 is undefined; div takes a divisor other than 0\n",
        argv=["eval", "-e", "y = 1/x", "--at", "x=0"],
        status=4,
    ),
    Case(
        "reciprocal",
        None,
        "cgraph: error: node 'y': reciprocal(0) is undefined; reciprocal takes an operand other than 0\n",
        argv=["eval", "-e", "y = reciprocal(x)", "--at", "x=0"],
        status=4,
    ),
    Case(
        "log",
        None,
        "cgraph: error: node 'y': log(-1) is undefined; log takes a positive operand\n",
        argv=["eval", "-e", "y = log(x)", "--at", "x=-1"],
        status=4,
    ),
    Case(
        "ln-alias",
        None,
        "cgraph: error: node 'y': log(0) is undefined; log takes a positive operand\n",
        argv=["eval", "-e", "y = ln(x)", "--at", "x=0"],
        status=4,
    ),
    Case(
        "log2",
        None,
        "cgraph: error: node 'y': log2(0) is undefined; log2 takes a positive operand\n",
        argv=["eval", "-e", "y = log2(x)", "--at", "x=0"],
        status=4,
    ),
    Case(
        "log10",
        None,
        "cgraph: error: node 'y': log10(-2.5) is undefined; log10 takes a positive operand\n",
        argv=["eval", "-e", "y = log10(x)", "--at", "x=-2.5"],
        status=4,
    ),
    Case(
        "sqrt",
        None,
        "cgraph: error: node 'y': sqrt(-1) is undefined; sqrt takes an operand of at least 0\n",
        argv=["eval", "-e", "y = sqrt(x)", "--at", "x=-1"],
        status=4,
    ),
    Case(
        "asin",
        None,
        "cgraph: error: node 'y': asin(1.5) is undefined; asin takes an operand in [-1, 1]\n",
        argv=["eval", "-e", "y = asin(x)", "--at", "x=1.5"],
        status=4,
    ),
    Case(
        "acos",
        None,
        "cgraph: error: node 'y': acos(-2) is undefined; acos takes an operand in [-1, 1]\n",
        argv=["eval", "-e", "y = acos(x)", "--at", "x=-2"],
        status=4,
    ),
    Case(
        "acosh",
        None,
        "cgraph: error: node 'y': acosh(0.5) is undefined; acosh takes an operand of at least 1\n",
        argv=["eval", "-e", "y = acosh(x)", "--at", "x=0.5"],
        status=4,
    ),
    Case(
        "atanh",
        None,
        "cgraph: error: node 'y': atanh(1) is undefined; atanh takes an operand between -1 and 1, ends excluded\n",
        argv=["eval", "-e", "y = atanh(x)", "--at", "x=1"],
        status=4,
    ),
    Case(
        "pow-negative-base",
        None,
        "cgraph: error: node 'y': (-2) ^ 0.5 is undefined; pow takes a positive base, 0 to a power of at least 0, or a negative base to an integer power\n",
        argv=["eval", "-e", "y = x^0.5", "--at", "x=-2"],
        status=4,
    ),
    Case(
        "pow-zero-to-negative",
        None,
        "cgraph: error: node 'y': 0 ^ (-1) is undefined; pow takes a positive base, 0 to a power of at least 0, or a negative base to an integer power\n",
        argv=["eval", "-e", "y = x^(-1)", "--at", "x=0"],
        status=4,
    ),
    Case(
        "pow-overflow",
        None,
        "cgraph: error: node 'y': 10 ^ 1000 overflows\n",
        argv=["eval", "-e", "y = x^1000", "--at", "x=10"],
        status=4,
    ),
    Case(
        "exp-overflow",
        None,
        "cgraph: error: node 'y': exp(1000) overflows\n",
        argv=["eval", "-e", "y = exp(x)", "--at", "x=1000"],
        status=4,
    ),
    Case(
        "sinh-overflow",
        None,
        "cgraph: error: node 'y': sinh(1000) overflows\n",
        argv=["eval", "-e", "y = sinh(x)", "--at", "x=1000"],
        status=4,
    ),
    Case(
        "cosh-overflow",
        None,
        "cgraph: error: node 'y': cosh(-1000) overflows\n",
        argv=["eval", "-e", "y = cosh(x)", "--at", "x=-1000"],
        status=4,
    ),
    Case(
        "square-overflow",
        None,
        "cgraph: error: node 'y': square(1e+200) overflows\n",
        argv=["eval", "-e", "y = square(x)", "--at", "x=1e200"],
        status=4,
    ),
    Case(
        "mul-overflow",
        None,
        "cgraph: error: node 'y': 1e+200 * 1e+200 overflows\n",
        argv=["eval", "-e", "y = x*x", "--at", "x=1e200"],
        status=4,
    ),
    Case(
        "add-overflow",
        None,
        "cgraph: error: node 'y': 1.7e+308 + 1.7e+308 overflows\n",
        argv=["eval", "-e", "y = x+x", "--at", "x=1.7e308"],
        status=4,
    ),
    Case(
        "sub-overflow",
        None,
        "cgraph: error: node 'y': (-1.7e+308) - 1.7e+308 overflows\n",
        argv=["eval", "-e", "y = -x-x", "--at", "x=1.7e308"],
        status=4,
    ),
    Case(
        "div-overflow",
        None,
        "cgraph: error: node 'y': 1e+300 / 1e-300 overflows\n",
        argv=["eval", "-e", "y = x/1e-300", "--at", "x=1e300"],
        status=4,
    ),
    Case(
        "reciprocal-overflow",
        None,
        "cgraph: error: node 'y': reciprocal(1e-310) overflows\n",
        argv=["eval", "-e", "y = reciprocal(x)", "--at", "x=1e-310"],
        status=4,
    ),
    Case(
        "domain-inside",
        None,
        "cgraph: error: node 'y': log(-5) is undefined; log takes a positive operand\n",
        argv=["eval", "-e", "a = x^2; y = 1 + log(a - 9)/2", "--at", "x=2"],
        status=4,
    ),
    Case(
        "d-sqrt",
        None,
        "cgraph: error: node 'y': the derivative of sqrt(0) is not finite\n",
        argv=["sensitivity", "-e", "y = sqrt(x)", "--at", "x=0"],
        status=4,
    ),
    Case(
        "d-asin",
        None,
        "cgraph: error: node 'y': the derivative of asin(1) is not finite\n",
        argv=["sensitivity", "-e", "y = asin(x)", "--at", "x=1"],
        status=4,
    ),
    Case(
        "d-acos",
        None,
        "cgraph: error: node 'y': the derivative of acos(-1) is not finite\n",
        argv=["sensitivity", "-e", "y = acos(x)", "--at", "x=-1"],
        status=4,
    ),
    Case(
        "d-acosh",
        None,
        "cgraph: error: node 'y': the derivative of acosh(1) is not finite\n",
        argv=["sensitivity", "-e", "y = acosh(x)", "--at", "x=1"],
        status=4,
    ),
    Case(
        "d-pow",
        None,
        "cgraph: error: node 'y': the derivative of 0 ^ 0.5 is not finite\n",
        argv=["sensitivity", "-e", "y = x^0.5", "--at", "x=0"],
        status=4,
    ),
    Case(
        "d-log-tiny",
        None,
        "cgraph: error: node 'y': the derivative of log(9.99989e-321) is not finite\n",
        argv=["sensitivity", "-e", "y = log(x)", "--at", "x=1e-320"],
        status=4,
    ),
    Case(
        "d-pow-exponent",
        None,
        "cgraph: error: node 'y': the derivative of (-2) ^ 2 is not finite\n",
        argv=["sensitivity", "-e", "y = 2^x + (-2)^z", "--at", "x=1", "--at", "z=2"],
        status=4,
    ),
    Case(
        "d-pow-exponent-zero",
        None,
        "cgraph: error: node 'y': the derivative of 0 ^ 0 is not finite\n",
        argv=["sensitivity", "-e", "y = x^z", "--at", "x=0", "--at", "z=0"],
        status=4,
    ),
    Case(
        "d-div",
        None,
        "cgraph: error: node 'y': the derivative of 1 / 1e-200 is not finite\n",
        argv=["sensitivity", "-e", "y = 1/x", "--at", "x=1e-200"],
        status=4,
    ),
    Case(
        "d-edge-overflows",
        None,
        "cgraph: error: edge 'x' -> 'y': the derivative of the equation overflows\n",
        argv=["sensitivity", "-e", "y = sin(x*1e200)*1e200", "--at", "x=1"],
        status=4,
    ),
    Case(
        "s-overflows",
        None,
        "cgraph: error: S(x, d) overflows: the product of the derivatives exceeds 1.8e308\n",
        argv=["sensitivity", "-e", "a = 1e200*x; b = 1e-200*a; c=1e200*b;d = 1e200*c", "--at", "x=1e-300"],
        status=4,
    ),
    Case(
        "sum-overflows",
        None,
        "cgraph: error: S(x, y) overflows: the product of the derivatives exceeds 1.8e308\n",
        argv=["sensitivity", "-e", "a = 1e308*x; y = a + a", "--at", "x=1e-300"],
        status=4,
    ),
    Case(
        "edges-overflow",
        """\
edges:
  a -> b: 1.0e+200
  b -> c: 1.0e+200
""",
        "cgraph: error: S(a, c) overflows: the product of the derivatives exceeds 1.8e308\n",
        argv=["sensitivity", "g.yaml"],
        status=4,
    ),
    Case(
        "edges-overflow-paths",
        """\
edges:
  a -> b: 1.0e+200
  b -> c: 1.0e+200
""",
        "cgraph: error: S(a, c) overflows: the product of the derivatives exceeds 1.8e308\n",
        argv=["paths", "g.yaml", "--top", "1"],
        status=4,
    ),
    Case(
        "edges-eval",
        """\
edges:
  a -> b: 1.0
""",
        "cgraph: error: nothing to check: the graph gives derivatives but no equations to compare them with\n",
        argv=["check", "g.yaml"],
        status=4,
    ),
    Case(
        "edges-needed-value",
        """\
edges:
  a -> b: 1.0
nodes: {y: b^2}
""",
        """\
g.yaml:3:12: error: node 'y' uses 'b', which is not defined
    3 | nodes: {y: b^2}
      |            ^
""",
        argv=["eval", "g.yaml"],
    ),
    Case(
        "too-many-paths",
        "inputs: {x0: 1.0}\nnodes:\n"
        + "".join(f"  a{k}: x{k} + 1\n  b{k}: x{k} * 2\n  x{k + 1}: a{k} + b{k}\n" for k in range(20)),
        "cgraph: error: 1,048,576 paths lead from 'x0' to 'x20', more than the limit of 1,000,000; --top K lists the K strongest, and `cgraph sensitivity` sums them all\n",
        argv=["paths", "g.yaml"],
        status=4,
    ),
    Case(
        "cycle-eval",
        """\
inputs: {x: 1.0}
nodes:
  a: b + x
  b: a
""",
        """\
g.yaml:3:3: error: the graph has a cycle: a -> b -> a
    3 |   a: b + x
      |   ^
""",
        argv=["eval", "g.yaml"],
        status=4,
    ),
    Case(
        "cycle-long",
        "nodes:\n" + "".join(f"  n{k}: n{(k + 1) % 30}\n" for k in range(30)),
        """\
g.yaml:2:3: error: the graph has a cycle: n0 -> n29 -> n28 -> n27 -> n26 -> n25 -> ... -> n5 -> n4 -> n3 -> n2 -> n1 -> n0
    2 |   n0: n1
      |   ^
""",
        argv=["eval", "g.yaml"],
        status=4,
    ),
    # arrays
    Case(
        "array-ragged",
        """\
weights:
  W:
  - [1, 2]
  - [3]
nodes: {y: W}
""",
        """\
g.yaml:4:5: error: weight 'W' is ragged: the length of [1] is 1, that of [0] is 2
    4 |   - [3]
      |     ^
""",
    ),
    Case(
        "array-entry-json",
        '{"inputs": {"x": [[1, 2],\n  [3, "4"]]}, "nodes": {"y": "x"}}\n',
        """\
g.json:2:7: error: entry [1, 1] of input 'x' is the text '4'; a number is needed
    2 |   [3, "4"]]}, "nodes": {"y": "x"}}
      |       ^
  hint: a formula is an equation, and stands under 'nodes'
""",
        format="json",
    ),
    Case(
        "array-entry-toml",
        "[inputs]\nx = [\n  1.0,\n  inf,  # too large\n]\n[nodes]\ny = 'x'\n",
        """\
g.toml:4:3: error: entry [1] of input 'x' is inf; a finite number is needed
    4 |   inf,  # too large
      |   ^
""",
        format="toml",
    ),
    Case(
        "file-missing",
        """\
inputs: {x: {file: x.npy}}
nodes: {y: x}
""",
        """\
g.yaml:1:20: error: input 'x': there is no file 'x.npy' in the folder of the spec
    1 | inputs: {x: {file: x.npy}}
      |                    ^
""",
    ),
    Case(
        "file-outside",
        """\
inputs: {x: {file: ../x.npy}}
nodes: {y: x}
""",
        """\
g.yaml:1:20: error: input 'x': '../x.npy' is not allowed: a file lies in the folder of the spec, and is named relative to it
    1 | inputs: {x: {file: ../x.npy}}
      |                    ^
""",
    ),
    Case(
        "file-of-no-kind",
        """\
inputs: {x: {file: g.yaml}}
nodes: {y: x}
""",
        """\
g.yaml:1:20: error: input 'x': 'g.yaml' is of no kind that is read; the kinds are .npy, .npz and .csv
    1 | inputs: {x: {file: g.yaml}}
      |                    ^
""",
    ),
    Case(
        "jacobian-transposed",
        """\
edges:
  x -> a: [[1, 2, 3], [4, 5, 6]]
  a -> y: [[1, 2, 3]]
""",
        """\
g.yaml:3:3: error: edge 'a' -> 'y' holds a 1 x 3 Jacobian, but 'a' has 2 entries by edge 'x' -> 'a'; z(i,j) has a row for each entry of j and a column for each entry of i
    3 |   a -> y: [[1, 2, 3]]
      |   ^
""",
    ),
    Case(
        "vector-network-shapes",
        """\
inputs: {x: [1, 2]}
network:
  vector: true
  layers:
    - {activation: tanh, weights: [[1, 2], [3, 4], [5, 6]]}
    - {activation: relu, weights: [[1, 2]]}
""",
        """\
g.yaml:6:35: error: layer 2: number of weights in a row 2, of entries of 'h1' that feed it 3
    6 |     - {activation: relu, weights: [[1, 2]]}
      |                                   ^
""",
    ),
    Case(
        "shapes-of-an-equation",
        """\
inputs: {x: [1, 2]}
weights: {W: [[1, 2, 3]]}
nodes: {y: tanh(W @ x)}
""",
        "cgraph: error: node 'y': W @ x does not fit: W is 1 x 3, x is a vector of 2\n",
        argv=["eval", "g.yaml"],
        status=4,
    ),
    Case(
        "gradient-of-a-vector",
        """\
weights: {w: [1, 2]}
nodes: {y: w^2}
""",
        "cgraph: error: the loss 'y' is a vector of 2; a loss is one number, such as sum(y) or mean(y)\n",
        argv=["gradient", "g.yaml"],
        status=4,
    ),
    Case(
        "at-list",
        GRAPH,
        "cgraph eval: error: argument --at: 'x=[1, two]' is not NAME=LIST of numbers, as in 'x=[1, 2]'\n",
        argv=["eval", "g.yaml", "--at", "x=[1, two]"],
        status=2,
    ),
]


@pytest.fixture
def outcome(request, tmp_path, monkeypatch, capsys):
    """Run a case in an empty directory: the case, its exit status, its output and its messages."""
    case = request.param
    raw = case.spec.encode() if isinstance(case.spec, str) else case.spec
    argv = case.argv if case.argv is not None else ["show", f"g.{case.format}"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(yaml_documents, "MAX_PARTS", 1000)  # a million takes seconds
    if "-" in argv:
        stdin = io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8")
        stdin.buffer.name = "<stdin>"
        monkeypatch.setattr("sys.stdin", stdin)
    elif raw is not None:
        (tmp_path / f"g.{case.format}").write_bytes(raw)
    try:
        status = main(argv)
    except SystemExit as exit_:  # argparse
        status = exit_.code
    return case, status, *capsys.readouterr()


def as_every_python_says_it(messages):
    """Return `messages` without argparse's usage and the quotes about its choices, which depend on the version."""
    messages = re.sub(r"\Ausage: .*?\n(?=cgraph)", "", messages, flags=re.DOTALL)
    return re.sub(r"\(choose from .*?\)", lambda choices: choices[0].replace("'", ""), messages)


each_case = pytest.mark.parametrize("outcome", CASES, ids=lambda case: case.id, indirect=True)


@each_case
def test_a_mistake_is_named_exactly(outcome):
    case, status, _, messages = outcome
    assert (status, as_every_python_says_it(messages)) == (case.status, case.stderr)


@each_case
def test_a_mistake_prints_no_traceback_and_no_data(outcome):
    _, status, output, messages = outcome
    assert "Traceback" not in output + messages
    assert "mistake in cgraph itself" not in messages
    assert status in {2, 3, 4}
    assert not output


def test_ids_are_unique():
    assert len({case.id for case in CASES}) == len(CASES) >= 90
