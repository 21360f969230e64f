"""Operations of networks as steps: convolutions, pools and normalised arrays, into arrays that are kept.

What a rule here leaves out, by returning None, goes through the row of the table.
"""

# ruff: noqa: ARG001 - the rules of one table take the same arguments

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from cgraph.algorithms.compiled.arrays.steps import Shape, Steps
from cgraph.model.operations.normalisations import BATCH, GROUPS, LAYER, MEAN_SQUARE, Normalisation
from cgraph.model.operations.windows import LargestBelow, Layout, Windows, conv_layout, pool_windows

__all__ = ["NETWORK_REVERSES", "NETWORK_VALUES"]

MOST_PLACES = 200  # of a kernel: each is a line of the plan


def _written(index: tuple[Any, ...]) -> str:
    """Return the text of an index."""
    parts = ("..." if k is ... else f"{k.start or ''}:{k.stop or ''}:{k.step or ''}" if isinstance(k, slice) else str(k)
             for k in index)  # fmt: skip
    return f"[{', '.join(parts)}]"


# --- convolutions -------------------------------------------------------------------------------------------------------


def _padded(steps: Steps, image: int, windows: Windows) -> int:
    """Append an array with zeros around it."""
    if not any(windows.padding):
        return image
    shape = windows.padded_shape(steps.shape(image))
    inside = _written(windows.inside(shape))
    return steps.compute(f"{{y}}.fill(0)\n{{y}}{inside} = {{0}}", (image,), shape)


def _columns(steps: Steps, x: int, layout: Layout) -> int:
    """Append the entries below all windows, of shape (examples, groups, entries of a kernel, windows)."""
    windows, counts = layout.windows, layout.counts
    image = _padded(steps, steps.reshape(x, layout.image), windows)
    every = (slice(None),) * len(counts)
    copied = [
        f"{{y}}{_written((..., *place, *every))} = {{0}}{_written(part)}" for place, part in windows.below(counts)
    ]
    below = steps.compute("\n".join(copied), (image,), (*layout.image[:2], *windows.kernel, *counts))
    return steps.reshape(below, (layout.image[0], layout.groups, _entries(layout), math.prod(counts)))


def _entries(layout: Layout) -> int:
    """Return how many entries a kernel of one result has."""
    return math.prod(layout.kernel[1:])


def _kernels(steps: Steps, w: int, layout: Layout) -> int:
    return steps.reshape(w, (layout.groups, layout.kernel[0] // layout.groups, _entries(layout)))


def _conv(steps: Steps, x: int, w: int, **options: Any) -> int | None:
    layout, shape = conv_layout(steps.shape(x), steps.shape(w), **options)
    if math.prod(layout.windows.kernel) > MOST_PLACES:
        return None
    return steps.reshape(steps.matmul(_kernels(steps, w, layout), _columns(steps, x, layout)), shape)


def _conv_reverse(steps: Steps, k: int, S: int, y: int, x: list[int], lead: Shape, **options: Any) -> int | None:
    layout, shape = conv_layout(steps.shape(x[0]), steps.shape(x[1]), **options)
    if math.prod(layout.windows.kernel) > MOST_PLACES:
        return None
    results = layout.kernel[0] // layout.groups
    rows = (*lead, layout.image[0], layout.groups, results, math.prod(layout.counts))
    S = steps.reshape(steps.broadcast(S, (*lead, *shape)), rows)
    if k == 1:
        products = steps.matmul(S, steps.swap(_columns(steps, x[0], layout)))
        return steps.reshape(steps.total(products, (len(lead),)), (*lead, *layout.kernel))
    columns = steps.matmul(steps.swap(_kernels(steps, x[1], layout)), S)
    below = steps.reshape(columns, (*lead, *layout.image[:2], *layout.windows.kernel, *layout.counts))
    return steps.reshape(_spread(steps, below, layout, lead), (*lead, *steps.shape(x[0])))


def _spread(steps: Steps, below: int, layout: Layout, lead: Shape) -> int:
    """Append the sum of what stands in the columns of each entry."""
    windows, counts = layout.windows, layout.counts
    whole = (*lead, *layout.image)
    shape = windows.padded_shape(whole)
    every = (slice(None),) * len(counts)
    added = [
        f"{{y}}{_written(part)} += {{0}}{_written((..., *place, *every))}" for place, part in windows.below(counts)
    ]
    image = steps.compute("\n".join(["{y}.fill(0)", *added]), (below,), shape)
    return image if shape == whole else steps.view(image, f"{{0}}{_written(windows.inside(shape))}", whole)


# --- pools --------------------------------------------------------------------------------------------------------------


def _max_pool(steps: Steps, x: int, size: Any = 2, **options: Any) -> int | None:
    shape = steps.shape(x)
    windows = pool_windows(len(shape), size, **options)
    if any(windows.padding) or math.prod(windows.kernel) > MOST_PLACES:
        return None
    counts = windows.counts(shape[-len(windows.kernel) :])
    whole = (*shape[: -len(windows.kernel)], *counts)
    first, *others = (steps.view(x, f"{{0}}{_written(part)}", whole) for _, part in windows.below(counts))
    for entries in others:
        first = steps.ufunc("maximum", first, entries)
    return first


def _max_pool_reverse(
    steps: Steps, k: int, S: int, y: int, x: list[int], lead: Shape, size: Any = 2, **options: Any
) -> int | None:
    windows = pool_windows(len(steps.shape(x[0])), size, **options)
    if any(windows.padding):
        return None

    def spread(found: Any, S: Any, y: Any, x: Any) -> None:
        LargestBelow(windows, x, y).spread_into(found, S)

    text = f"{{y}}.fill(0)\n{steps.named(spread)}({{y}}, {{0}}, {{1}}, {{2}})"
    S = steps.broadcast(S, (*lead, *steps.shape(y)))
    return steps.compute(text, (S, y, x[0]), (*lead, *steps.shape(x[0])))


# --- normalised arrays --------------------------------------------------------------------------------------------------


def _mean(steps: Steps, x: int, axes: tuple[int, ...]) -> int:
    count = math.prod(steps.shape(x)[a] for a in axes)
    return steps.ufunc("divide", steps.total(x, axes, keepdims=True), steps.number(count))


def _normalised(steps: Steps, rule: Normalisation, x: int, epsilon: int, options: Any) -> tuple[int, int, Any]:
    """Append an array in its groups, normalised; and the roots of their variances plus epsilon."""
    groups = rule.groups(steps.shape(x), **options)
    X = steps.reshape(x, groups.shape)
    if rule.is_centred:
        X = steps.ufunc("subtract", X, _mean(steps, X, groups.axes))
    variance = _mean(steps, steps.ufunc("multiply", X, X), groups.axes)
    scale = steps.ufunc("sqrt", steps.ufunc("add", variance, epsilon))
    return steps.ufunc("divide", X, scale), scale, groups


def _is_positive(steps: Steps, epsilon: int) -> bool:
    """Whether it is a positive number whatever the inputs are; else the table checks it."""
    value = steps.value(epsilon)
    return value is not None and value > 0


def _normalising(rule: Normalisation) -> tuple[Callable[..., int | None], Callable[..., int | None]]:
    def value(steps: Steps, x: int, epsilon: int, **options: Any) -> int | None:
        if not _is_positive(steps, epsilon):
            return None
        return steps.reshape(_normalised(steps, rule, x, epsilon, options)[0], steps.shape(x))

    def share(steps: Steps, k: int, S: int, y: int, x: list[int], lead: Shape, **options: Any) -> int | None:
        """Append (S - mean(S) - y mean(S y)) / scale, backward and forward: the Jacobian is symmetric."""
        if k == 1 or not _is_positive(steps, x[1]):
            return None
        Y, scale, groups = _normalised(steps, rule, x[0], x[1], options)
        axes = tuple(a + len(lead) for a in groups.axes)
        S = steps.reshape(steps.broadcast(S, (*lead, *steps.shape(y))), (*lead, *groups.shape))
        along = steps.ufunc("multiply", Y, _mean(steps, steps.ufunc("multiply", S, Y), axes))
        rest = steps.ufunc("subtract", S, along)
        if rule.is_centred:
            rest = steps.ufunc("subtract", rest, _mean(steps, S, axes))
        return steps.reshape(steps.ufunc("divide", rest, scale), (*lead, *steps.shape(x[0])))

    return value, share


_NORMALISING = {
    "layer_norm": _normalising(LAYER),
    "rms_norm": _normalising(MEAN_SQUARE),
    "group_norm": _normalising(GROUPS),
    "batch_norm": _normalising(BATCH),
}
NETWORK_VALUES: dict[str, Callable[..., int | None]] = {
    "conv": _conv,
    "max_pool": _max_pool,
    **{operation: value for operation, (value, _) in _NORMALISING.items()},
}
NETWORK_REVERSES: dict[str, Callable[..., int | None]] = {
    "conv": _conv_reverse,
    "max_pool": _max_pool_reverse,
    **{operation: share for operation, (_, share) in _NORMALISING.items()},
}
