"""Operations of networks as steps: convolutions, pools and normalised arrays, into arrays that are kept.

What a rule here leaves out, by returning None, goes through the row of the table.
"""

# ruff: noqa: ARG001 - the rules of one table take the same arguments

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from cgraph.algorithms.compiled.arrays.steps import Shape, Steps
from cgraph.model.operations.normalisations import BATCH, GROUPS, LAYER, MEAN_SQUARE, Normalisation
from cgraph.model.operations.windows import LargestBelow, Layout, Windows, conv_layout, pool_windows

__all__ = ["NETWORK_REVERSES", "NETWORK_VALUES"]

MOST_PLACES = 200  # of the window of a pool: each is a line of the plan
BLOCK = 2**17  # numbers in the columns of a block of a convolution: a megabyte, which the cache holds


def _written(index: tuple[Any, ...]) -> str:
    """Return the text of an index."""
    parts = ("..." if k is ... else f"{k.start or ''}:{k.stop or ''}:{k.step or ''}" if isinstance(k, slice) else str(k)
             for k in index)  # fmt: skip
    return f"[{', '.join(parts)}]"


# --- convolutions -------------------------------------------------------------------------------------------------------


class _Blocks:
    """The columns of a convolution, made for some examples at a time: those of all would leave the cache, and fill the memory.

    Parameters
    ----------
    layout : Layout
        How the kernel is laid over the images.

    Attributes
    ----------
    shape : tuple of int
        Of the array that the columns of one block are written into.
    """

    def __init__(self, layout: Layout) -> None:
        windows, counts = layout.windows, layout.counts
        each = (layout.image[1], *windows.kernel, *counts)
        self.shape = (max(1, min(layout.image[0], BLOCK // math.prod(each))), *each)
        self._matrices = (layout.groups, math.prod(layout.kernel[1:]), math.prod(counts))
        every = (slice(None),) * len(counts)
        self._parts = [((..., *place, *every), part) for place, part in windows.below(counts)]

    def value(self, y: Any, images: Any, kernels: Any, columns: Any) -> None:
        """Write kernels times columns."""
        for examples, block, matrices in self._of(images, columns):
            self._fill(block, images[examples])
            np.matmul(kernels, matrices, out=y[examples])

    def by_kernel(self, y: Any, S: Any, images: Any, columns: Any) -> None:
        """Write S times the columns, added up over the examples."""
        y.fill(0)
        for examples, block, matrices in self._of(images, columns):
            self._fill(block, images[examples])
            y += np.add.reduce(np.matmul(S[..., examples, :, :, :], matrices.swapaxes(-1, -2)), axis=-4)

    def by_image(self, y: Any, S: Any, kernels: Any, columns: Any) -> None:
        """Write the columns that kernels make of S, added up where windows overlap."""
        y.fill(0)
        for examples, block, matrices in self._of(y, columns):
            np.matmul(kernels.swapaxes(-1, -2), S[examples], out=matrices)
            images = y[examples]
            for place, part in self._parts:
                images[part] += block[place]

    def _of(self, images: Any, columns: Any) -> Iterator[tuple[slice, Any, Any]]:
        """Iterate over the blocks: which examples, and their columns, as they stand below the places and as matrices."""
        for start in range(0, len(images), len(columns)):
            block = columns[: len(images) - start]
            yield slice(start, start + len(block)), block, block.reshape(len(block), *self._matrices)

    def _fill(self, block: Any, images: Any) -> None:
        for place, part in self._parts:
            block[place] = images[part]


def _padded(steps: Steps, image: int, windows: Windows) -> int:
    """Append an array with zeros around it."""
    if not any(windows.padding):
        return image
    shape = windows.padded_shape(steps.shape(image))
    inside = _written(windows.inside(shape))
    return steps.compute(f"{{y}}.fill(0)\n{{y}}{inside} = {{0}}", (image,), shape)


def _images(steps: Steps, x: int, layout: Layout) -> int:
    return _padded(steps, steps.reshape(x, layout.image), layout.windows)


def _kernels(steps: Steps, w: int, layout: Layout) -> int:
    return steps.reshape(w, (layout.groups, layout.kernel[0] // layout.groups, math.prod(layout.kernel[1:])))


def _in_blocks(steps: Steps, how: Callable[..., None], x: tuple[int, int], blocks: _Blocks, shape: Shape) -> int:
    """Append what is computed block by block, into an array that is kept for the columns of one."""
    columns = steps.compute("", (), blocks.shape)
    return steps.compute(f"{steps.named(how)}({{y}}, {{0}}, {{1}}, {{2}})", (*x, columns), shape)


def _conv(steps: Steps, x: int, w: int, **options: Any) -> int:
    layout, shape = conv_layout(steps.shape(x), steps.shape(w), **options)
    blocks = _Blocks(layout)
    rows = (layout.image[0], layout.groups, layout.kernel[0] // layout.groups, math.prod(layout.counts))
    operands = _images(steps, x, layout), _kernels(steps, w, layout)
    return steps.reshape(_in_blocks(steps, blocks.value, operands, blocks, rows), shape)


def _conv_reverse(steps: Steps, k: int, S: int, y: int, x: list[int], lead: Shape, **options: Any) -> int:
    layout, shape = conv_layout(steps.shape(x[0]), steps.shape(x[1]), **options)
    blocks = _Blocks(layout)
    rows = (layout.groups, layout.kernel[0] // layout.groups, math.prod(layout.counts))
    S = steps.broadcast(S, (*lead, *shape))
    if k == 1:
        operands = steps.reshape(S, (*lead, layout.image[0], *rows)), _images(steps, x[0], layout)
        kernels = (*lead, *rows[:2], math.prod(layout.kernel[1:]))
        return steps.reshape(_in_blocks(steps, blocks.by_kernel, operands, blocks, kernels), (*lead, *layout.kernel))
    whole = (math.prod(lead) * layout.image[0], *layout.image[1:])  # each row of each example is an image
    operands = steps.reshape(S, (whole[0], *rows)), _kernels(steps, x[1], layout)
    padded = layout.windows.padded_shape(whole)
    images = _in_blocks(steps, blocks.by_image, operands, blocks, padded)
    if padded != whole:
        images = steps.view(images, f"{{0}}{_written(layout.windows.inside(padded))}", whole)
    return steps.reshape(images, (*lead, *steps.shape(x[0])))


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
