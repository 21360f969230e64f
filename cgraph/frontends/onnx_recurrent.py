"""Recurrent layers of ONNX, written out step by step with NumPy.

Source: the operator schemas of ONNX, onnx.ai/onnx/operators: RNN, GRU, LSTM.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from cgraph.frontends.onnx_activations import ACTIVATIONS
from cgraph.frontends.onnx_values import Operator, UnsupportedError, integers

__all__ = ["RECURRENT_OPERATORS"]

Function = Callable[[Any], Any]


# Each with the numbers that it takes, and what they are by default. The case of a name does not matter.
_ACTIVATIONS: dict[str, tuple[Operator, dict[str, float]]] = {
    "Relu": (ACTIVATIONS["Relu"], {}),
    "Tanh": (np.tanh, {}),
    "Sigmoid": (ACTIVATIONS["Sigmoid"], {}),
    "Softsign": (ACTIVATIONS["Softsign"], {}),
    "Softplus": (ACTIVATIONS["Softplus"], {}),
    "Affine": (lambda x, alpha, beta: alpha * x + beta, {"alpha": 1.0, "beta": 0.0}),
    "ScaledTanh": (lambda x, alpha, beta: alpha * np.tanh(beta * x), {"alpha": 1.0, "beta": 1.0}),
    "LeakyRelu": (ACTIVATIONS["LeakyRelu"], {"alpha": 0.01}),
    "ThresholdedRelu": (ACTIVATIONS["ThresholdedRelu"], {"alpha": 1.0}),
    "Elu": (ACTIVATIONS["Elu"], {"alpha": 1.0}),
    "HardSigmoid": (ACTIVATIONS["HardSigmoid"], {"alpha": 0.2, "beta": 0.5}),
}


class _Direction(NamedTuple):
    """What one direction of a layer has of its own."""

    r: Any  # recurrent weights, a row for each gate and unit
    r_bias: Any
    peepholes: Any
    functions: Sequence[Function]  # of the gates, clipped


def _functions(
    names: Sequence[bytes], alphas: Sequence[float], betas: Sequence[float], clip: float | None
) -> list[Function]:
    """Return activations with their numbers, which are taken in turn by those that have some."""
    known = {name.lower(): row for name, row in _ACTIVATIONS.items()}
    given = {"alpha": iter(alphas), "beta": iter(betas)}

    def bound(name: bytes) -> Function:
        if name.decode().lower() not in known:
            raise UnsupportedError(f"its activation {name.decode()!r} is not known")
        function, defaults = known[name.decode().lower()]
        numbers = {key: next(given[key], default) for key, default in defaults.items()}
        if clip is None:
            return lambda x: function(x, **numbers)
        return lambda x: function(np.clip(x, -clip, clip), **numbers)

    return [bound(name) for name in names]


# --- one step ---------------------------------------------------------------------------------------------------------


def _rnn_step(d: _Direction, x: Any, h: Any) -> tuple[Any, ...]:
    (f,) = d.functions
    return (f(x + h @ d.r.T + d.r_bias),)


def _gru_step(d: _Direction, x: Any, h: Any, *, linear_before_reset: int = 0) -> tuple[Any, ...]:
    f, g = d.functions
    n = np.shape(h)[-1]
    gates = x[:, : 2 * n] + h @ d.r[: 2 * n].T + d.r_bias[: 2 * n]
    z, r = f(gates[:, :n]), f(gates[:, n:])
    if linear_before_reset:
        new = g(x[:, 2 * n :] + r * (h @ d.r[2 * n :].T + d.r_bias[2 * n :]))
    else:
        new = g(x[:, 2 * n :] + (r * h) @ d.r[2 * n :].T + d.r_bias[2 * n :])
    return ((1 - z) * new + z * h,)


def _lstm_step(d: _Direction, x: Any, h: Any, c: Any, *, input_forget: int = 0) -> tuple[Any, ...]:
    f, g, output = d.functions
    n = np.shape(h)[-1]
    i, o, forget, cell = np.split(x + h @ d.r.T + d.r_bias, 4, axis=-1)
    if d.peepholes is not None:
        i, forget = i + d.peepholes[:n] * c, forget + d.peepholes[2 * n :] * c
    i = f(i)
    forget = 1 - i if input_forget else f(forget)
    c = forget * c + i * g(cell)
    if d.peepholes is not None:
        o = o + d.peepholes[n : 2 * n] * c
    return f(o) * output(c), c


# --- a sequence of steps ----------------------------------------------------------------------------------------------


def _sequence(
    step: Callable[..., tuple[Any, ...]], x: Any, states: Sequence[Any], lengths: Any, backwards: bool
) -> tuple[Any, Sequence[Any]]:
    """Return the outputs of all steps, and the states after the last.

    Behind the length of its sequence an example keeps its states, and its output is 0.
    """
    outputs = []
    order = range(np.shape(x)[0])
    for t in reversed(order) if backwards else order:
        new = step(x[t], *states)
        runs = None if lengths is None else (t < lengths)[:, None]
        if runs is None or runs.all():
            states, y = new, new[0]
        else:
            states = [np.where(runs, after, before) for after, before in zip(new, states, strict=True)]
            y = np.where(runs, new[0], np.zeros(np.shape(new[0])))
        outputs.append(y)
    return np.stack(outputs[::-1] if backwards else outputs), states


def _recurrent(
    step: Callable[..., tuple[Any, ...]], gates: int, states: int, defaults: Sequence[bytes], own: Sequence[str] = ()
) -> Operator:
    """Return the operator of a layer.

    Parameters
    ----------
    step : callable
        Of a direction, the products of weights and inputs, and the states before.
    gates, states : int
        How many a unit has.
    defaults : sequence of bytes
        The activations of one direction.
    own : sequence of str
        Attributes that `step` takes.
    """

    def operator(
        x: Any, w: Any, r: Any, b: Any = None, sequence_lens: Any = None, initial_h: Any = None, initial_c: Any = None,
        p: Any = None, *, activation_alpha: Sequence[float] = (), activation_beta: Sequence[float] = (),
        activations: Sequence[bytes] = (), clip: float | None = None, direction: bytes = b"forward",
        hidden_size: int | None = None, layout: int = 0, **options: int,
    ) -> list[Any]:  # fmt: skip
        del hidden_size  # as the weights have it
        if layout:  # examples first
            x = np.swapaxes(x, 0, 1)
            initial_h, initial_c = (None if s is None else np.swapaxes(s, 0, 1) for s in (initial_h, initial_c))
        examples, units = np.shape(x)[1], np.shape(r)[-1]
        known = {name: options.pop(name) for name in own if name in options}
        if options.keys() - {"output_sequence"}:  # of opsets before 7
            raise UnsupportedError(f"it has the attributes {', '.join(sorted(options))}")
        lengths = None if sequence_lens is None else np.array(integers(sequence_lens, "lengths"))
        backwards = {b"forward": [False], b"reverse": [True], b"bidirectional": [False, True]}[direction]
        functions = _functions(activations or list(defaults) * len(backwards), activation_alpha, activation_beta, clip)
        if len(functions) != len(defaults) * len(backwards):
            raise UnsupportedError(f"it names {len(functions)} activations")
        sides = []
        for k, turned in enumerate(backwards):
            bias = np.zeros(2 * gates * units) if b is None else b[k]
            d = _Direction(
                r[k], bias[gates * units :], None if p is None else p[k],
                functions[k * len(defaults) : (k + 1) * len(defaults)],
            )  # fmt: skip
            first = [np.zeros((examples, units)) if s is None else s[k] for s in (initial_h, initial_c)[:states]]

            def advance(*now: Any, d: _Direction = d) -> tuple[Any, ...]:
                return step(d, *now, **known)

            sides.append(_sequence(advance, x @ w[k].T + bias[: gates * units], first, lengths, turned))
        return list(_joined(sides, layout))

    return operator


def _joined(sides: Sequence[tuple[Any, Sequence[Any]]], layout: int) -> Iterator[Any]:
    """Iterate over the outputs of a layer: those of all steps, and each state at the end, with an axis of directions."""
    y = np.stack([outputs for outputs, _ in sides], axis=1)
    yield np.transpose(y, (2, 0, 1, 3)) if layout else y
    for states in zip(*(last for _, last in sides), strict=True):
        yield np.stack(states, axis=1 if layout else 0)


RECURRENT_OPERATORS: dict[str, Operator] = {
    "RNN": _recurrent(_rnn_step, 1, 1, [b"Tanh"]),
    "GRU": _recurrent(_gru_step, 3, 1, [b"Sigmoid", b"Tanh"], ["linear_before_reset"]),
    "LSTM": _recurrent(_lstm_step, 4, 2, [b"Sigmoid", b"Tanh", b"Tanh"], ["input_forget"]),
}
