"""Activations of ONNX, entry by entry, written with NumPy.

Source: the operator schemas of ONNX, onnx.ai/onnx/operators.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cgraph.frontends.onnx_values import Operator, channels_of
from cgraph.model.evaluation import steps_of
from cgraph.model.language.parsing import parse
from cgraph.model.tracing.traced_arrays import TracedArray, apply

__all__ = ["ACTIVATIONS", "prelu_by_channel"]


def _row(name: str) -> Operator:
    """Return the function of the tables of that name, on traced and on plain arrays."""

    def operation(x: Any) -> Any:
        if isinstance(x, TracedArray):
            return apply(name, x)
        return steps_of(parse(f"{name}(x)"), {"x": np.asarray(x, float)}, name)[-1]

    return operation


def _leaky_relu(x: Any, *, alpha: float = 0.01) -> Any:
    return np.where(x < 0, alpha * x, x)


def _prelu(x: Any, slope: Any) -> Any:
    return np.where(x < 0, slope * x, x)


def prelu_by_channel(x: Any, slope: Any) -> Any:
    """Return the operator PRelu as it was before opset 7: one slope for each channel."""
    return _prelu(x, channels_of(slope, x) if np.ndim(slope) == 1 and np.ndim(x) > 1 else slope)


def _elu(x: Any, *, alpha: float = 1.0) -> Any:
    return np.where(x < 0, alpha * np.expm1(np.minimum(x, 0)), x)


def _celu(x: Any, *, alpha: float = 1.0) -> Any:
    return np.where(x < 0, alpha * np.expm1(np.minimum(x, 0) / alpha), x)


def _selu(x: Any, *, alpha: float = 1.67326319217681884765625, gamma: float = 1.05070102214813232421875) -> Any:
    return gamma * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _thresholded_relu(x: Any, *, alpha: float = 1.0) -> Any:
    return np.where(x > alpha, x, 0)


def _hard_sigmoid(x: Any, *, alpha: float = 0.2, beta: float = 0.5) -> Any:
    return np.maximum(0, np.minimum(1, alpha * x + beta))


def _hard_swish(x: Any) -> Any:
    return x * _hard_sigmoid(x, alpha=1 / 6)


def _swish(x: Any, *, alpha: float = 1.0) -> Any:
    return x * _row("sigmoid")(alpha * x)


def _shrink(x: Any, *, bias: float = 0.0, lambd: float = 0.5) -> Any:
    return np.where(x < -lambd, x + bias, np.where(x > lambd, x - bias, 0))


def _gelu(x: Any, *, approximate: bytes = b"none") -> Any:
    return _row("gelu_tanh" if approximate == b"tanh" else "gelu")(x)


ACTIVATIONS: dict[str, Operator] = {
    **{name.capitalize(): _row(name) for name in ("relu", "sigmoid", "softplus", "softsign", "mish", "erf")},
    "LeakyRelu": _leaky_relu,
    "PRelu": _prelu,
    "Elu": _elu,
    "Celu": _celu,
    "Selu": _selu,
    "ThresholdedRelu": _thresholded_relu,
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _hard_swish,
    "Swish": _swish,
    "Shrink": _shrink,
    "Gelu": _gelu,
}
