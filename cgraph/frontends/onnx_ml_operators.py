"""Operators of classical machine learning, ONNX's domain ai.onnx.ml, written with NumPy.

Source: the operator schemas of ONNX, github.com/onnx/onnx, docs/Operators-ml.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cgraph.frontends.onnx_operators import OPERATORS
from cgraph.frontends.onnx_values import UnsupportedError, integers

__all__ = ["ML_OPERATORS"]


def _transformed(scores: Any, post_transform: bytes) -> Any:
    match post_transform:
        case b"NONE":
            return scores
        case b"LOGISTIC":
            return OPERATORS["Sigmoid"](scores)
        case b"SOFTMAX":
            return OPERATORS["Softmax"](scores, axis=-1)
    raise UnsupportedError(f"its post_transform {post_transform.decode()} has no form in the language of equations")


def _scaler(x: Any, *, offset: Sequence[float], scale: Sequence[float]) -> Any:
    return (x - np.array(offset)) * np.array(scale)


def _normalizer(x: Any, *, norm: bytes = b"MAX") -> Any:
    match norm:
        case b"L1":
            return x / np.sum(np.abs(x), axis=-1, keepdims=True)
        case b"L2":
            return x / np.sqrt(np.sum(x * x, axis=-1, keepdims=True))
    return x / np.max(np.abs(x), axis=-1, keepdims=True)


def _linear_regressor(
    x: Any, *, coefficients: Sequence[float], intercepts: Sequence[float] = (0.0,), targets: int = 1,
    post_transform: bytes = b"NONE",
) -> Any:  # fmt: skip
    return _transformed(x @ np.reshape(coefficients, (targets, -1)).T + np.array(intercepts), post_transform)


def _linear_classifier(
    x: Any, *, coefficients: Sequence[float], intercepts: Sequence[float] = (0.0,), post_transform: bytes = b"NONE",
    **labels: Any,
) -> Any:  # fmt: skip
    """Return no label, which has no derivative, and the scores."""
    classes = max(len(labels.get("classlabels_ints", ())), len(labels.get("classlabels_strings", ())))
    rows = len(coefficients) // np.shape(x)[-1]
    if rows != classes:
        raise UnsupportedError("it has scores for fewer classes than labels")
    scores = x @ np.reshape(coefficients, (rows, -1)).T + np.array(intercepts)
    return None, _transformed(scores, post_transform)


def _svm_regressor(
    x: Any, *, coefficients: Sequence[float], kernel_type: bytes = b"LINEAR", kernel_params: Sequence[float] = (),
    n_supports: int = 0, one_class: int = 0, post_transform: bytes = b"NONE", rho: Sequence[float] = (0.0,),
    support_vectors: Sequence[float] = (),
) -> Any:  # fmt: skip
    if one_class:
        raise UnsupportedError("its result is a class")
    if not n_supports:  # a linear machine, kept as its weights
        return _transformed(x @ np.reshape(coefficients, (-1, 1)) + rho[0], post_transform)
    kernel = _kernel(x, np.reshape(support_vectors, (n_supports, -1)), kernel_type, kernel_params)
    return _transformed(kernel @ np.reshape(coefficients, (n_supports, 1)) + rho[0], post_transform)


def _kernel(x: Any, vectors: Any, kind: bytes, parameters: Sequence[float]) -> Any:
    """Return K(x, v) for every row x and every support vector v."""
    products = x @ vectors.T
    gamma, constant, degree = parameters or (1.0, 0.0, 1.0)
    match kind:
        case b"LINEAR":
            return products
        case b"POLY":
            return (gamma * products + constant) ** degree
        case b"SIGMOID":
            return np.tanh(gamma * products + constant)
    squares = np.sum(x * x, axis=-1, keepdims=True) + np.sum(vectors * vectors, axis=-1)
    return np.exp(-gamma * (squares - 2 * products))


def _array_feature_extractor(x: Any, indices: Any) -> Any:
    return np.take(np.atleast_2d(x), integers(indices, "indices"), axis=-1)


def _binarizer(x: Any, *, threshold: float = 0.0) -> Any:
    return np.where(x > threshold, 1.0, 0.0)


ML_OPERATORS: dict[str, Callable[..., Any]] = {
    "Scaler": _scaler,
    "ArrayFeatureExtractor": _array_feature_extractor,
    "Binarizer": _binarizer,
    "Normalizer": _normalizer,
    "LinearRegressor": _linear_regressor,
    "LinearClassifier": _linear_classifier,
    "SVMRegressor": _svm_regressor,
}
