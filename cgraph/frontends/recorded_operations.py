"""What a framework has computed, operation by operation, as a linearized graph.

A node is the value of one operation, an edge the derivative of that operation alone with respect to one operand: the
framework's own products, called when they are asked for. Nothing is differentiated here.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from cgraph.model.errors import DerivativeError, shorten
from cgraph.model.graph import ComputationalGraph
from cgraph.model.language.names import MAX_NAME, unusable
from cgraph.model.operations.structured_jacobians import Array, Jacobian, Shape, require_room
from cgraph.model.values import as_value

__all__ = ["MatrixFree", "RecordedOperations"]

# What frameworks raise where an operation has a derivative in one direction only, or none.
UNSUPPORTED = (NotImplementedError, ValueError, TypeError, RuntimeError)


@final
@dataclass(frozen=True, eq=False)
class MatrixFree(Jacobian):
    """The Jacobian of one operation of a framework, known by its products.

    Parameters
    ----------
    operation : str
        Its name, for messages.
    y, x : tuple of int
        The shapes of the output and of the operand.
    pull, push : callable
        ``pull(rows)`` maps an array of shape (k, *y) to (k, *x), the vector-Jacobian products; ``push(columns)`` one of
        shape (k, *x) to (k, *y), the Jacobian-vector products.

    Notes
    -----
    Where the framework offers one direction only, as for its loops, the other one is made from the matrix.
    """

    operation: str
    y: Shape
    x: Shape
    pull: Callable[[Array], Array]
    push: Callable[[Array], Array]

    @property
    def shape(self) -> tuple[int, int]:
        return math.prod(self.y), math.prod(self.x)

    def vjp(self, rows: Array) -> Array:
        try:
            return self._pulled(rows)
        except UNSUPPORTED as error:
            n = self.shape[1]
            require_room(*self.shape)
            return rows @ self._or_refuse(lambda: self._pushed(np.eye(n)), error)

    def jvp(self, columns: Array) -> Array:
        try:
            return self._pushed(columns)
        except UNSUPPORTED as error:
            m = self.shape[0]
            require_room(*self.shape)
            return self._or_refuse(lambda: self._pulled(np.eye(m)), error) @ columns

    def _pulled(self, rows: Array) -> Array:
        return np.asarray(self.pull(rows.reshape(-1, *self.y)), np.float64).reshape(len(rows), self.shape[1])

    def _pushed(self, columns: Array) -> Array:
        k = columns.shape[1]
        return np.asarray(self.push(columns.T.reshape(-1, *self.x)), np.float64).reshape(k, self.shape[0]).T

    def _or_refuse(self, matrix: Callable[[], Array], first: Exception) -> Array:
        try:
            return matrix()
        except UNSUPPORTED:
            reason = shorten(str(first).split("\n")[0], 200)
            raise DerivativeError(f"{self.operation} cannot be differentiated: {reason}") from first


class RecordedOperations:
    """A linearized graph that grows by one operation at a time.

    Attributes
    ----------
    graph : ComputationalGraph
        What has been recorded.
    """

    def __init__(self) -> None:
        self.graph = ComputationalGraph()
        self._used: Counter[str] = Counter()

    def add_source(self, name: str, role: str, value: Any) -> str:
        """Add an input, weight or constant, and return the name that it got."""
        name = self._unique(name)
        self.graph.add_node(name, role=role, value=as_value(value))
        return name

    def add_operation(self, name: str, operation: str, value: Any, derivatives: Mapping[str, MatrixFree]) -> str:
        """Add the output of an operation with its derivatives with respect to the operands, and return its name."""
        name = self._unique(name)
        self.graph.add_node(name, operation=operation, value=as_value(value))
        for i, J in derivatives.items():
            z: Any = J if J.y or J.x else float(J.vjp(np.ones((1, 1)))[0, 0])
            self.graph.add_edge(i, name, derivative=z)
        return name

    def _unique(self, name: str) -> str:
        """Return `name`, numbered if it is taken or is a word of the language."""
        name = re.sub(r"\s+|->", "_", name)[: MAX_NAME - 10] or "value"
        self._used[name] += 1
        while True:
            number = self._used[name]
            candidate = name if number == 1 else f"{name}_{number}"
            if unusable(candidate):
                candidate = f"{name}_{number}"
            if candidate not in self.graph:
                return candidate
            self._used[name] += 1
