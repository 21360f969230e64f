"""A graph from a Python function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from cgraph.model.errors import TraceError, nearest, shorten
from cgraph.model.graph import ComputationalGraph
from cgraph.model.tracing.followed_functions import RULES
from cgraph.model.tracing.recording import Recording, differ
from cgraph.model.tracing.traced_arrays import TracedArray
from cgraph.model.values import as_value, is_finite

__all__ = ["trace"]


def trace(function: Callable[..., Any], *arrays: Any, weights: Collection[str] = ()) -> ComputationalGraph:
    """Return the graph of what a Python function written with NumPy computes.

    Parameters
    ----------
    function : callable
        It takes numbers and arrays and returns one, or several in a tuple, list or dict. Parameters that are not
        given keep their defaults.
    *arrays : numbers, arrays or nested lists
        Its arguments. The graph is that of the function for these shapes.
    weights : collection of str
        The parameters that become weights; the others become inputs.

    Returns
    -------
    ComputationalGraph
        A node for every operation. Inputs are named as the parameters are (those of ``*xs`` ``xs1``, ``xs2``, ...),
        results as the local variables that hold them: the second value of a variable h is ``h_2``. Results without a
        name are ``t1``, ``t2``, ..., arrays that the function brings along are the constants ``c1``, ``c2``, ...; a
        name that equations need themselves, as e, gets an underscore. The outputs are what is returned: keys of a
        dict name them, and a result without a name is ``y``, or of several ``y1``, ``y2``, ....

    Raises
    ------
    TraceError
        If the function does what a graph does not hold, with the line and what to write instead: a branch on a traced
        value, ``float`` or ``np.array`` of one, an index that depends on one, a change in place, a function of NumPy
        that no operation of the tables is like, a value outside an operation's domain, random numbers.

    Notes
    -----
    The function is called three times: twice with arrays that record each operation by NumPy's protocols
    ``__array_ufunc__`` and ``__array_function__`` [1]_, and once with plain arrays. Both records must be the same, the
    result of each operation is compared with NumPy's, and the result of the whole with that of the plain call. While
    the function is at work, ``np.array`` and its like take traced arrays as well. Loops and branches that depend on shapes and plain numbers
    are followed as they run. Conditions are 1 or 0 in the graph. It is the evaluation trace of [2]_.

    References
    ----------
    .. [1] NEP 13 and NEP 18 of NumPy.
    .. [2] A. Griewank, A. Walther, "Evaluating Derivatives", 2nd ed., SIAM 2008, section 2.2.

    Examples
    --------
    >>> from cgraph import linearize, weight_gradients
    >>> def loss(x, W):
    ...     h = np.exp(x @ W)
    ...     return h.sum()
    >>> G = trace(loss, [1, 0], [[0, 0], [2, 3]], weights=["W"])
    >>> {j: equation for j, equation in G.nodes(data="equation") if equation}
    {'t1': 'x @ W', 'h': 'exp(t1)', 'y': 'sum(h)'}
    >>> weight_gradients(linearize(G), "y")["W"]  # x^T exp(x W), and x W = (0, 0)
    array([[1., 1.],
           [0., 0.]])
    """
    values = _arguments(function, arrays)
    for name in weights:
        if name not in values:
            close = nearest(name, values)
            raise TraceError(
                f"the weight {name!r} is no parameter of {_called(function)} that is given",
                f"did you mean {close!r}?" if close else f"its parameters are {', '.join(values)}",
            )
    recording, result = _recorded(function, values, weights)
    _require_steady(function, values, recording)
    outputs = _outputs(result, function)
    for name, y in outputs.items():
        if not isinstance(y, TracedArray):
            raise TraceError(f"the output {name!r} of {_called(function)} does not depend on its arguments")
    with np.errstate(all="ignore"):
        plain = _outputs(function(*(np.array(value)[()] for value in values.values())), function)
    if plain.keys() != outputs.keys() or any(differ(y.variable.value, plain[name]) for name, y in outputs.items()):
        raise TraceError(
            f"{_called(function)} gives something else with plain arrays than with the arrays that record it",
            "does it ask for a type, as isinstance(x, np.ndarray) does, or keep something from call to call?",
        )
    G = recording.graph(outputs, named=isinstance(result, Mapping))
    if (title := _called(function)).isidentifier():
        G.graph["title"] = title
    return G


def _arguments(function: Callable[..., Any], arrays: tuple[Any, ...]) -> dict[str, Any]:
    """Return ``{name: value}`` of the arguments, in their order."""
    try:
        parameters = inspect.signature(function).parameters.values()
        bound = inspect.signature(function).bind(*arrays).arguments
    except ValueError:
        raise TraceError(f"{_called(function)} does not say what its parameters are", "write a lambda of it") from None
    except TypeError as error:
        raise TraceError(f"{_called(function)} cannot be called with {len(arrays)} arrays: {error}") from None
    given: dict[str, Any] = {}
    for parameter in parameters:
        if parameter.kind is parameter.VAR_POSITIONAL:
            given |= {f"{parameter.name}{k}": value for k, value in enumerate(bound.get(parameter.name, ()), 1)}
        elif parameter.name in bound:
            given[parameter.name] = bound[parameter.name]
    return {name: _argument(name, value) for name, value in given.items()}


def _argument(name: str, value: Any) -> Any:
    try:
        value = as_value(value)
    except (TypeError, ValueError) as error:
        raise TraceError(f"the argument {name!r} is {shorten(repr(value))}, which {error}") from None
    if not is_finite(value):
        raise TraceError(f"the argument {name!r} holds a number that is not finite")
    return value


def _recorded(
    function: Callable[..., Any], values: Mapping[str, Any], weights: Collection[str]
) -> tuple[Recording, Any]:
    recording = Recording(function, RULES)
    traced = [recording.source("weight" if i in weights else "input", i, value) for i, value in values.items()]
    return recording, recording.run(function, traced)


def _outputs(result: Any, function: Callable[..., Any]) -> dict[str, Any]:
    """Return what the function gave as ``{name: result}``."""
    if isinstance(result, Mapping):
        outputs = dict(result)
    elif isinstance(result, list | tuple):
        outputs = {f"y{k}": y for k, y in enumerate(result, 1)}
    else:
        outputs = {"y": result}
    for name, y in outputs.items():
        if not isinstance(name, str):
            raise TraceError(f"{_called(function)} returns a dict with the key {name!r}", "a node's name is text")
        if not isinstance(y, TracedArray | np.ndarray | np.number | np.bool_ | float | int):
            raise TraceError(
                f"{_called(function)} returns {shorten(repr(y))} as {name!r}", "return an array, or several in a tuple"
            )
    if not outputs:
        raise TraceError(f"{_called(function)} returns nothing", "return an array, or several in a tuple")
    return outputs


def _require_steady(function: Callable[..., Any], values: Mapping[str, Any], first: Recording) -> None:
    """Record the function again, and see that it does the same with the same numbers."""
    second, _ = _recorded(function, values, ())
    for a, b in zip(first.variables, second.variables, strict=False):
        if a.step != b.step or a.numbers != b.numbers:
            raise first.error(
                "this gives another result each time it runs, as random numbers do",
                "draw them before and hand them in as an argument",
                a.place,
            )


def _called(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__name__", type(function).__name__))
