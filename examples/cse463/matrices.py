"""CSE463, section 5.4: df/dA of f = Ax as a tensor, and the gradient of a matrix by a vector, both approaches."""

import sys

import numpy as np

import cgraph as cg
from cgraph.testing import compare

# Example 5.12: f = Ax, of M = 2 and N = 3.
A, x = np.array([[1.0, 2.0, 0.0], [0.5, -1.0, 3.0]]), np.array([2.0, -1.0, 0.5])
L = cg.linearize(cg.from_equations("f = A @ x", A=A, x=x))
tensor = cg.jacobian(L, ["A"], ["f"], tensor=True)
rows = [("axes of df/dA: M x (M x N) (5.86)", [2, 2, 3], tensor.shape)]
for i in range(2):
    rows += [(f"df_{i}/dA_{i}q = x_q (5.89)", x, tensor[i, i])]
    rows += [(f"df_{i}/dA_{k}: = 0^T (5.91)", np.zeros(3), tensor[i, k]) for k in range(2) if k != i]
    rows += [(f"df_{i}/dA, stacked (5.92)", np.outer(np.eye(2)[i], x), tensor[i])]

# The figure of section 5.4: a 4 x 2 matrix by a vector of 3. Here its entries are sin(u_i) v_j.
B = np.array([[0.5, -1.0, 2.0], [1.0, 0.0, 0.3], [-0.7, 0.4, 0.0], [0.2, 0.9, -1.1]])
D = np.array([[1.0, 2.0, -0.5], [0.0, -1.0, 0.6]])
x = np.array([0.4, -0.3, 0.9])
G = cg.from_equations("u = B @ x; v = D @ x; A = outer(sin(u), v); a = reshape(A, 8)", B=B, D=D, x=x)
L = cg.linearize(G)
# Approach 1: dA/dx_k is a 4 x 2 matrix; three of them are a tensor.
u, v = B @ x, D @ x
partial = [np.outer(np.cos(u) * B[:, k], v) + np.outer(np.sin(u), D[:, k]) for k in range(3)]
tensor = cg.jacobian(L, ["x"], ["A"], tensor=True)
rows += [("axes of dA/dx: 4 x 2 x 3", [4, 2, 3], tensor.shape)]
rows += [(f"dA/dx_{k}", partial[k], tensor[:, :, k]) for k in range(3)]
# Approach 2: flatten A to a vector of 8, differentiate, and bring the gradient into shape.
flat = cg.jacobian(L, ["x"], ["a"])
rows += [
    ("d vec(A)/dx is 8 x 3", np.stack([dA.ravel() for dA in partial], axis=1), flat),
    ("both approaches agree", tensor, flat.reshape(4, 2, 3)),
]
sys.exit(compare(rows))
