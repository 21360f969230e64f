"""10-301/601, lecture 13: common vector derivatives, both layouts, and the question on the chain rule by shapes."""

import sys

import numpy as np

import cgraph as cg
from cgraph.testing import compare

x, b = np.array([2.0, -1.0, 0.5]), np.array([1.0, 4.0, -2.0])
B = np.array([[1.0, 2.0], [0.0, -1.0], [3.0, 0.5]])
symmetric = np.array([[2.0, 1.0, 0.0], [1.0, -3.0, 0.5], [0.0, 0.5, 1.0]])
square = np.array([[2.0, 1.0, 0.0], [4.0, -3.0, 0.5], [1.0, 0.0, 1.0]])


def gradient(equation, layout="denominator", **values):
    return cg.jacobian(cg.linearize(cg.from_equations(f"f = {equation}", **values)), ["x"], ["f"], layout=layout)


# Scalar beside vector. In denominator layout the gradient of a number is a column, of the shape of x.
rows = [
    ("b x -> b", [[3.0]], gradient("b*x", x=2.0, b=3.0)),
    ("x b -> b", [[3.0]], gradient("x*b", x=2.0, b=3.0)),
    ("x^2 -> 2x", [[4.0]], gradient("x^2", x=2.0)),
    ("b x^2 -> 2bx", [[12.0]], gradient("b*x^2", x=2.0, b=3.0)),
    ("x^T B -> B", B, gradient("x @ B", x=x, B=B)),
    ("x^T b -> b", b[:, None], gradient("x @ b", x=x, b=b)),
    ("x^T x -> 2x", 2 * x[:, None], gradient("x @ x", x=x)),
    ("x^T B x -> 2Bx, B symmetric", 2 * (symmetric @ x)[:, None], gradient("x @ B @ x", x=x, B=symmetric)),
    ("x^T B x -> (B + B^T)x, any B", ((square + square.T) @ x)[:, None], gradient("x @ B @ x", x=x, B=square)),
]
# Of y with M = 2 entries and x with P = 3, numerator layout has M x P and denominator layout P x M.
for equation, values in {"x @ B": {"B": B}, "x @ b": {"b": b}, "x @ x": {}}.items():
    column, row = gradient(equation, x=x, **values), gradient(equation, "numerator", x=x, **values)
    rows += [(f"{equation}: numerator layout is the transpose", column.T, row)]
rows += [("x^T B in numerator layout: M x P", [2, 3], gradient("x @ B", "numerator", x=x, B=B).shape)]

# Q1: y = g(u), u = h(x), denominator layout: dy/dx is P x 1, dy/du N x 1 and du/dx P x N.
P, N = 3, 2
L = cg.linearize(cg.from_equations("u = tanh(x @ B); y = squared_norm(u)", x=x, B=B))
dy_dx, dy_du, du_dx = (cg.jacobian(L, [s], [t], layout="denominator") for s, t in (("x", "y"), ("u", "y"), ("x", "u")))
answers = {
    "A. dy/du du/dx": lambda: dy_du @ du_dx,
    "B. dy/du^T du/dx": lambda: dy_du.T @ du_dx,
    "C. dy/du du/dx^T": lambda: dy_du @ du_dx.T,
    "D. dy/du^T du/dx^T": lambda: dy_du.T @ du_dx.T,
    "E. (dy/du du/dx)^T": lambda: (dy_du @ du_dx).T,
}


def shape(answer):
    try:
        return answer().shape
    except ValueError:  # the shapes of the factors do not fit
        return ()


fits = [shape(answer) == (P, 1) for answer in answers.values()]
rows += [(f"shape of {name}: {shape(answer) or 'none'}; {P} x 1", False, fit)
         for (name, answer), fit in zip(answers.items(), fits, strict=True)]  # fmt: skip
rows += [
    ("F. none of the above", True, not any(fits)),
    ("dy/dx = du/dx dy/du", dy_dx, du_dx @ dy_du),
]
sys.exit(compare(rows))
