"""Steps of training of ONNX, domain ai.onnx.preview.training, written with NumPy.

Source: the operator schemas of ONNX, onnx.ai/onnx/operators: Adagrad, Adam, Momentum.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cgraph.frontends.onnx_values import Operator, integers

__all__ = ["TRAINING_OPERATORS"]


def _of_each(step: Callable[..., tuple[Any, ...]], kinds: int) -> Operator:
    """Return the operator that takes a step for several arrays: first all of them, then all their gradients, and so on."""

    def operator(rate: Any, count: Any, *arrays: Any, **options: Any) -> list[Any]:
        (t,) = integers(count, "count of steps")
        n = len(arrays) // kinds
        results = [step(rate, t, *arrays[k::n], **options) for k in range(n)]
        return [part for parts in zip(*results, strict=True) for part in parts]

    return operator


def _momentum(
    r: Any, t: int, x: Any, g: Any, v: Any, *, alpha: float, beta: float, mode: bytes, norm_coefficient: float
) -> tuple[Any, ...]:
    g = norm_coefficient * x + g
    v = alpha * v + (beta if t > 0 else 1.0) * g
    return x - r * (g + alpha * v if mode == b"nesterov" else v), v


def _adagrad(
    r: Any, t: int, x: Any, g: Any, h: Any, *, decay_factor: float = 0.0, epsilon: float = 0.0,
    norm_coefficient: float = 0.0,
) -> tuple[Any, ...]:  # fmt: skip
    g = norm_coefficient * x + g
    h = h + g * g
    return x - r / (1 + t * decay_factor) * g / (np.sqrt(h) + epsilon), h


def _adam(
    r: Any, t: int, x: Any, g: Any, v: Any, h: Any, *, alpha: float = 0.9, beta: float = 0.999, epsilon: float = 0.0,
    norm_coefficient: float = 0.0, norm_coefficient_post: float = 0.0,
) -> tuple[Any, ...]:  # fmt: skip
    g = norm_coefficient * x + g
    v = alpha * v + (1 - alpha) * g
    h = beta * h + (1 - beta) * g * g
    rate = r * (np.sqrt(1 - beta**t) / (1 - alpha**t)) if t > 0 else r
    return (1 - norm_coefficient_post) * (x - rate * v / (np.sqrt(h) + epsilon)), v, h


TRAINING_OPERATORS: dict[str, Operator] = {
    "Momentum": _of_each(_momentum, 3),
    "Adagrad": _of_each(_adagrad, 3),
    "Adam": _of_each(_adam, 4),
}
