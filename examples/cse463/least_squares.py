"""CSE463, examples 5.9 and 5.11: df/dx = A of f = Ax, and the gradient of a least-squares loss."""

import sys

import numpy as np

import cgraph as cg
from cgraph.testing import compare

A, x = np.array([[1.0, 2.0, 0.0], [0.5, -1.0, 3.0]]), np.array([2.0, -1.0, 0.5])
L = cg.linearize(cg.from_equations("f = A @ x", A=A, x=x))
rows = [("df/dx = A (5.68)", A, cg.jacobian(L, ["x"], ["f"]))]

# N = 4 observations, D = 2 parameters.
Phi = np.array([[1.0, 0.5], [1.0, 1.5], [1.0, -2.0], [1.0, 3.0]])
y, theta = np.array([1.0, 2.5, -1.0, 2.0]), np.array([0.3, 0.8])
e = y - Phi @ theta
# In equations e is 2.718; the residual is called e_.
L = cg.linearize(cg.from_equations("e_ = y - Phi @ theta; L = squared_norm(e_)", y=y, Phi=Phi, theta=theta))
dL_de, de_dtheta = L.edges["e_", "L"]["derivative"], L.edges["theta", "e_"]["derivative"]
gradient = cg.sensitivity(L, "theta", "L")
rows += [
    ("dL/de = 2 e^T (5.81)", 2 * e[None], dL_de),
    ("de/dtheta = -Phi (5.82)", -Phi, de_dtheta),
    ("dL/dtheta = dL/de de/dtheta (5.79)", gradient, (dL_de @ de_dtheta).dense()),
    ("dL/dtheta = -2 e^T Phi (5.83)", -2 * e[None] @ Phi, gradient),
    ("dL/dtheta = -2 (y^T - theta^T Phi^T) Phi (5.83)", -2 * (y - theta @ Phi.T)[None] @ Phi, gradient),
]
rows += [
    (f"dL/dtheta[{k}] = sum over n (5.80)", sum(2 * e[n] * -Phi[n, k] for n in range(4)), gradient[0, k])
    for k in range(2)
]
# Without the chain rule: one equation (5.84).
product = cg.from_equations("L = (y - Phi @ theta) @ (y - Phi @ theta)", y=y, Phi=Phi, theta=theta)
rows += [("dL_2/dtheta (5.84)", gradient, cg.sensitivity(cg.linearize(product), "theta", "L"))]
# Where the gradient vanishes: the normal equations.
best = np.linalg.solve(Phi.T @ Phi, Phi.T @ y)
rows += [
    ("dL/dtheta at the least squares", [[0.0, 0.0]], cg.sensitivity(cg.linearize(L, {"theta": best}), "theta", "L"))
]
sys.exit(compare(rows))
