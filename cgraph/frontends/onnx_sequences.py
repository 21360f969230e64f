"""Operators of ONNX on sequences: lists of arrays, which are no nodes themselves.

Source: the operator schemas of ONNX, onnx.ai/onnx/operators. Each returns the list of its outputs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cgraph.frontends.onnx_values import Operator, UnsupportedError, integers

__all__ = ["SEQUENCE_OPERATORS"]

MAX_PARTS = 10_000


def _position(position: Any, default: int) -> int:
    return default if position is None else integers(position, "position")[0]


def _insert(sequence: list[Any], x: Any, position: Any = None) -> list[Any]:
    k = _position(position, len(sequence))
    k = k if k >= 0 else k + len(sequence)
    return [[*sequence[:k], x, *sequence[k:]]]


def _erase(sequence: list[Any], position: Any = None) -> list[Any]:
    k = _position(position, -1) % len(sequence)
    return [sequence[:k] + sequence[k + 1 :]]


def _joined(sequence: list[Any], *, axis: int, new_axis: int = 0) -> list[Any]:
    return [np.stack(sequence, axis=axis) if new_axis else np.concatenate(sequence, axis=axis)]


def _split(x: Any, lengths: Any = None, *, axis: int = 0, keepdims: int = 1) -> list[Any]:
    n = np.shape(x)[axis]
    if n > MAX_PARTS:
        raise UnsupportedError(f"it makes {n:,} parts of an axis; {MAX_PARTS:,} are the most")
    if lengths is None:
        parts = np.split(x, n, axis=axis)
        return [parts if keepdims else [np.squeeze(part, axis) for part in parts]]
    wanted = integers(lengths, "lengths")
    ends = list(range(wanted[0], n, wanted[0])) if np.ndim(lengths) == 0 else np.cumsum(wanted)[:-1].tolist()
    return [np.split(x, ends, axis=axis)]


SEQUENCE_OPERATORS: dict[str, Operator] = {
    "SequenceEmpty": lambda **_: [[]],
    "SequenceConstruct": lambda *x: [list(x)],
    "SequenceInsert": _insert,
    "SequenceErase": _erase,
    "SequenceAt": lambda sequence, position: [sequence[_position(position, 0)]],
    "SequenceLength": lambda sequence: [np.array(len(sequence))],
    "ConcatFromSequence": _joined,
    "SplitToSequence": _split,
}
