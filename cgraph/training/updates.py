"""From the gradient to the next weights: plain descent, with momentum, Adam.

Source: D. P. Kingma, J. Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1; B. T. Polyak, "Some methods of
speeding up the convergence of iteration methods", 1964, as PyTorch writes it: v <- m v + g, w <- w - rate v.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cgraph.model.errors import CGraphError
from cgraph.vocabulary import DESCENTS

__all__ = ["Update"]

MOMENTUM = 0.9
DECAY, DECAY_OF_SQUARES, SMALLEST_SCALE = 0.9, 0.999, 1e-8


class Update:
    """Turns gradients into weights, and remembers what the method needs of earlier gradients.

    Parameters
    ----------
    method : {"sgd", "momentum", "adam"}
    rate : float
        The learning rate.

    Examples
    --------
    >>> update = Update("momentum", 0.5)
    >>> update({"w": 3.0}, {"w": 2.0}), update({"w": 2.0}, {"w": 2.0})  # v = 2, then 0.9 * 2 + 2
    ({'w': 2.0}, {'w': 0.10000000000000009})
    """

    def __init__(self, method: str, rate: float) -> None:
        if method not in DESCENTS:
            raise CGraphError(f"method = {method!r}: it must be one of {', '.join(DESCENTS)}")
        self._step = {"sgd": self._plain, "momentum": self._with_momentum, "adam": self._adam}[method]
        self._rate = rate
        self._means: dict[Any, Any] = {}
        self._squares: dict[Any, Any] = {}
        self._count = 0

    def __call__(self, weights: Mapping[Any, Any], gradient: Mapping[Any, Any]) -> dict[Any, Any]:
        """Return the next weights, numbers or arrays."""
        self._count += 1
        with np.errstate(over="ignore", invalid="ignore"):  # the next sweep finds it
            return {w: value - self._step(w, gradient[w]) for w, value in weights.items()}

    def _plain(self, _: Any, g: Any) -> Any:
        return self._rate * g

    def _with_momentum(self, w: Any, g: Any) -> Any:
        self._means[w] = MOMENTUM * self._means[w] + g if w in self._means else g
        return self._rate * self._means[w]

    def _adam(self, w: Any, g: Any) -> Any:
        mean = self._means[w] = DECAY * self._means.get(w, 0.0) + (1 - DECAY) * g
        square = self._squares[w] = DECAY_OF_SQUARES * self._squares.get(w, 0.0) + (1 - DECAY_OF_SQUARES) * g * g
        scale = (square / (1 - DECAY_OF_SQUARES**self._count)) ** 0.5 + SMALLEST_SCALE
        return self._rate / (1 - DECAY**self._count) * mean / scale
