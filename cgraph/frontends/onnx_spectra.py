"""Fourier transforms of ONNX as products with matrices of cosines and sines, written with NumPy.

Source: the operator schemas of ONNX, onnx.ai/onnx/operators: DFT, STFT.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cgraph.frontends.onnx_values import Operator, integers
from cgraph.model.limits import require_entries

__all__ = ["SPECTRUM_OPERATORS", "dft_17"]


def _dft(x: Any, dft_length: Any = None, axis: Any = -2, *, inverse: int = 0, onesided: int = 0, **old: Any) -> Any:
    """Transform one axis; the last one holds real and imaginary part, or the real part alone."""
    (k,) = integers(old.get("axis", axis), "axis")
    signal = np.moveaxis(x, k, -2)
    given = np.shape(signal)[-2]
    n = 2 * (given - 1) if inverse and onesided else given
    n = n if dft_length is None else integers(dft_length, "length")[0]
    require_entries(n * n, "its matrix")
    used = min(given, n // 2 + 1 if inverse and onesided else n)
    angle = 2 * math.pi / n * (np.outer(np.arange(used), np.arange(n)) % n)  # a full turn less loses no digits
    cos, sin = np.cos(angle), (np.sin(angle) if inverse else -np.sin(angle))
    real = signal[..., :used, 0]
    imaginary = signal[..., :used, 1] if np.shape(x)[-1] == 2 else None
    if inverse and onesided:  # the other half is the conjugate of this one
        twice = np.where((np.arange(used) == 0) | (2 * np.arange(used) == n), 1.0, 2.0)[:, None]
        y = real @ (twice * cos / n)
        y = y if imaginary is None else y - imaginary @ (twice * sin / n)
        return np.moveaxis(np.expand_dims(y, -1), -2, k)
    factor = 1 / n if inverse else 1.0
    kept = n // 2 + 1 if onesided else n
    cos, sin = factor * cos[:, :kept], factor * sin[:, :kept]
    parts = [real @ cos, real @ sin]
    if imaginary is not None:
        parts = [parts[0] - imaginary @ sin, parts[1] + imaginary @ cos]
    return np.moveaxis(np.stack(parts, axis=-1), -2, k)


def dft_17(x: Any, dft_length: Any = None, *, axis: int = 1, **options: Any) -> Any:
    """Return the operator DFT before opset 20, whose axis is an attribute."""
    return _dft(x, dft_length, axis, **options)


def _stft(x: Any, frame_step: Any, window: Any = None, frame_length: Any = None, *, onesided: int = 1) -> Any:
    """Transform frames, one after the other, each weighted by the window."""
    (step,) = integers(frame_step, "step")
    samples = np.shape(x)[1]
    length = np.shape(window)[0] if window is not None else samples
    length = length if frame_length is None else integers(frame_length, "length")[0]
    starts = range(0, samples - length + 1, step)
    frames = np.stack([x[:, start : start + length] for start in starts], axis=1)
    frames = frames if window is None else frames * np.reshape(window, (1, 1, -1, 1))
    return _dft(frames, onesided=onesided)


SPECTRUM_OPERATORS: dict[str, Operator] = {"DFT": _dft, "STFT": _stft}
