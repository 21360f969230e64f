"""Windows that move over the last axes of an array: convolutions and pools.

A convolution y = conv(x, w) is linear in the image x and in the kernel w. Neither of its Jacobians is ever a matrix: the
entries below each window are columns, and the kernel multiplies them; spread out again, columns are added up where
windows overlap.

Source: V. Dumoulin, F. Visin, "A guide to convolution arithmetic for deep learning", 2016.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np

from cgraph.model.operations.moved_entries import each_axis
from cgraph.model.operations.structured_jacobians import Jacobian, ScaledIdentity, Shape, chain

__all__ = [
    "LargestBelow",
    "Layout",
    "Windows",
    "avg_pool",
    "avg_pool_jacobian",
    "conv",
    "conv_jacobian",
    "conv_layout",
    "conv_transpose",
    "conv_transpose_jacobian",
    "conv_transpose_layout",
    "max_pool",
    "max_pool_jacobian",
    "pool_windows",
    "window_places",
]  # fmt: skip

Array = Any  # an ndarray of floats, or of complex numbers


class Windows(NamedTuple):
    """How a window moves over the last axes: numbers for each of them."""

    kernel: Shape
    stride: Shape
    padding: Shape
    dilation: Shape

    def counts(self, space: Shape) -> Shape:
        """Return how many places of the window there are along each axis."""
        counts = tuple(
            (n + 2 * p - d * (k - 1) - 1) // s + 1
            for n, k, s, p, d in zip(space, self.kernel, self.stride, self.padding, self.dilation, strict=True)
        )
        if min(counts) < 1:
            raise ValueError("the window is larger than what it moves over")
        return counts

    def below(self, counts: Shape) -> Iterator[tuple[tuple[int, ...], tuple[Any, ...]]]:
        """Iterate over the places in the kernel, and the entries of the padded array that stand there, window by window."""
        for place in np.ndindex(self.kernel):
            parts = zip(place, self.dilation, self.stride, counts, strict=True)
            yield place, (..., *(slice(p * d, p * d + (c - 1) * s + 1, s) for p, d, s, c in parts))

    @property
    def are_apart(self) -> bool:
        """Whether no entry is below two windows."""
        return all(d * (k - 1) < s for k, s, d in zip(self.kernel, self.stride, self.dilation, strict=True))

    def padded(self, x: Array, fill: float = 0.0) -> Array:
        """Return `x` with entries around it along the axes that the window moves over."""
        if not any(self.padding):
            return x
        widths = [(0, 0)] * (np.ndim(x) - len(self.padding)) + [(p, p) for p in self.padding]
        return np.pad(x, widths, constant_values=fill)

    def columns(self, x: Array) -> Array:
        """Return the entries below all windows, of shape (..., kernel, counts)."""
        d = len(self.kernel)
        counts = self.counts(x.shape[-d:])
        image = self.padded(x)
        found = np.empty((*x.shape[:-d], *self.kernel, *counts), x.dtype)
        for place, part in self.below(counts):
            found[_at(place, d)] = image[part]
        return found

    def spread(self, columns: Array, space: Shape) -> Array:
        """Return the transpose of `columns`: what stands in the columns of an entry is added up."""
        d = len(self.kernel)
        lead, counts = columns.shape[: -2 * d], columns.shape[-d:]
        image = self.zeros((*lead, *space), columns.dtype)
        for place, part in self.below(counts):
            image[part] += columns[_at(place, d)]
        return self.cut(image)

    def zeros(self, shape: Shape, dtype: Any) -> Array:
        """Return a padded array of zeros."""
        return np.zeros(self.padded_shape(shape), dtype)

    def cut(self, image: Array) -> Array:
        """Return an array without its padding."""
        return image[self.inside(image.shape)]

    def padded_shape(self, shape: Shape) -> Shape:
        """Return the shape of an array with its padding."""
        d = len(self.padding)
        return (*shape[:-d], *(n + 2 * p for n, p in zip(shape[-d:], self.padding, strict=True)))

    def inside(self, padded: Shape) -> tuple[Any, ...]:
        """Return where in a padded array of this shape the array itself stands."""
        d = len(self.padding)
        return (..., *(slice(p, n - p) for n, p in zip(padded[-d:], self.padding, strict=True)))


def _at(place: tuple[int, ...], axes: int) -> tuple[Any, ...]:
    """Return the index of a place in the kernel, the axes of the windows behind it."""
    return (..., *place, *(slice(None),) * axes)


def _windows(kernel: Shape, stride: Any, padding: Any, dilation: Any) -> Windows:
    axes = len(kernel)
    return Windows(
        kernel,
        each_axis(stride, axes, "stride", 1),
        each_axis(padding, axes, "padding", 0),
        each_axis(dilation, axes, "dilation", 1),
    )


def window_places(x: Array, windows: Windows) -> Array:
    """Return the place in the flattened `x` of each entry below a window, -1 in the padding; (..., kernel, counts)."""
    return windows.columns(np.arange(1, x.size + 1).reshape(x.shape)) - 1


# --- convolution --------------------------------------------------------------------------------------------------------


class Layout(NamedTuple):
    """How a kernel is laid over an image of shape (examples, channels, space): in groups of channels, by windows."""

    windows: Windows
    groups: int
    image: Shape
    kernel: Shape

    @property
    def counts(self) -> Shape:
        """How many windows there are along each axis of space."""
        return self.windows.counts(self.image[2:])

    def convolved(self, x: Array, w: Array) -> Array:
        """Return kernels times the columns of images; both may have leading axes, of which those of w come first."""
        return self._as_matrices(w) @ self.columns(x)

    def columns(self, x: Array) -> Array:
        """Return images as columns, of shape (..., examples, groups, entries of a kernel, windows)."""
        lead = x.shape[: -len(self.image)]
        n = self.image[0]
        return self.windows.columns(x).reshape(*lead, n, self.groups, -1, math.prod(self.counts))

    def spread(self, results: Array, w: Array) -> Array:
        """Return the transpose of the convolution by the image: (..., examples, groups, results, windows) to images."""
        columns = self._as_matrices(w).swapaxes(-1, -2) @ results
        lead = columns.shape[:-4]
        shaped = columns.reshape(*lead, *self.image[:2], *self.windows.kernel, *self.counts)
        return self.windows.spread(shaped, self.image[2:])

    def grouped(self, results: Array) -> Array:
        """Return results with their groups, (..., examples, groups, results of a group, windows)."""
        return results.reshape(-1, self.image[0], self.groups, self.kernel[0] // self.groups, math.prod(self.counts))

    def against(self, results: Array, x: Array) -> Array:
        """Return the transpose of the convolution by the kernel: results times the columns of images, over all examples."""
        return (results @ self.columns(x).swapaxes(-1, -2)).sum(axis=-4)

    def _as_matrices(self, w: Array) -> Array:
        lead = w.shape[: -len(self.kernel)]
        return w.reshape(*lead, *((1,) if lead else ()), self.groups, self.kernel[0] // self.groups, -1)


def _require_kernel(x: Shape, w: Shape, groups: int, axis: int) -> int:
    """Return the number of axes of space; `axis` of the kernel stands for the channels of `x`."""
    d = len(w) - 2
    if d < 1 or len(x) < d + 1:
        raise ValueError("an image needs channels and axes of space, and a kernel another axis before them")
    if not isinstance(groups, int) or groups < 1:
        raise ValueError("groups must be a whole number of at least 1")
    takes = w[1] * groups if axis else w[0]
    if x[-d - 1] != takes or w[0] % groups:
        shares = f", and in {groups} groups" if groups > 1 else ""
        raise ValueError(f"there are {x[-d - 1]} channels, and the kernel takes {takes}{shares}")
    return d


def conv_layout(
    x: Shape, w: Shape, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> tuple[Layout, Shape]:
    """Return how a kernel is laid over images, and the shape of the result."""
    d = _require_kernel(x, w, groups, 1)
    *lead, channels = x[:-d]
    layout = Layout(_windows(w[2:], stride, padding, dilation), groups, (math.prod(lead), channels, *x[-d:]), w)
    return layout, (*lead, w[0], *layout.counts)


def conv(x: Array, w: Array, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1) -> Array:
    """Return images (..., channels, space) under kernels (results, channels of a group, space): (..., results, windows)."""
    layout, shape = conv_layout(np.shape(x), np.shape(w), stride, padding, dilation, groups)
    return layout.convolved(x.reshape(layout.image), w).reshape(shape)


def conv_jacobian(
    k: int, _: Array, x: Array, w: Array, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Jacobian:
    """Return the Jacobian with respect to the image, or to the kernel."""
    layout, _shape = conv_layout(x.shape, w.shape, stride, padding, dilation, groups)
    return ConvolutionByKernel(x.reshape(layout.image), layout) if k else ConvolutionByImage(w, layout)


@final
@dataclass(frozen=True, eq=False)
class ConvolutionByImage(Jacobian):
    """The Jacobian of a convolution with respect to the image."""

    kernel: Array
    layout: Layout

    @property
    def shape(self) -> tuple[int, int]:
        layout = self.layout
        return layout.image[0] * layout.kernel[0] * math.prod(layout.counts), math.prod(layout.image)

    def vjp(self, rows: Array) -> Array:
        return self.layout.spread(self.layout.grouped(rows), self.kernel).reshape(len(rows), -1)

    def jvp(self, columns: Array) -> Array:
        images = columns.T.reshape(-1, *self.layout.image)
        return self.layout.convolved(images, self.kernel).reshape(len(images), -1).T


@final
@dataclass(frozen=True, eq=False)
class ConvolutionByKernel(Jacobian):
    """The Jacobian of a convolution with respect to the kernel."""

    image: Array
    layout: Layout

    @property
    def shape(self) -> tuple[int, int]:
        layout = self.layout
        return layout.image[0] * layout.kernel[0] * math.prod(layout.counts), math.prod(layout.kernel)

    def vjp(self, rows: Array) -> Array:
        return self.layout.against(self.layout.grouped(rows), self.image).reshape(len(rows), -1)

    def jvp(self, columns: Array) -> Array:
        kernels = columns.T.reshape(-1, *self.layout.kernel)
        return self.layout.convolved(self.image, kernels).reshape(len(kernels), -1).T


# --- transposed convolution ---------------------------------------------------------------------------------------------


def conv_transpose_layout(
    x: Shape, w: Shape, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1, output_padding: Any = 0
) -> tuple[Layout, Shape]:
    """Return the layout of the convolution whose transpose it is, and the shape of the result: the image of that one."""
    d = _require_kernel(x, w, groups, 0)
    windows = _windows(w[2:], stride, padding, dilation)
    extra = each_axis(output_padding, d, "output_padding", 0)
    if any(e >= s for e, s in zip(extra, windows.stride, strict=True)):
        raise ValueError("output_padding must be less than the stride")
    space = tuple(
        (n - 1) * s - 2 * p + r * (k - 1) + 1 + e for n, k, s, p, r, e in zip(x[-d:], *windows, extra, strict=True)
    )
    if min(space) < 1:
        raise ValueError("the padding removes all of it")
    *lead, _channels = x[:-d]
    channels = w[1] * groups
    return Layout(windows, groups, (math.prod(lead), channels, *space), w), (*lead, channels, *space)


def conv_transpose(
    x: Array, w: Array, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1, output_padding: Any = 0
) -> Array:
    """Return (..., channels, space) under kernels (channels, results of a group, space): each entry spreads a kernel."""
    layout, shape = conv_transpose_layout(np.shape(x), np.shape(w), stride, padding, dilation, groups, output_padding)
    return layout.spread(layout.grouped(x)[0], w).reshape(shape)


def conv_transpose_jacobian(
    k: int, _: Array, x: Array, w: Array, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1,
    output_padding: Any = 0,
) -> Jacobian:  # fmt: skip
    """Return the Jacobian with respect to the operand, that of a convolution transposed; or to the kernel."""
    layout, _shape = conv_transpose_layout(x.shape, w.shape, stride, padding, dilation, groups, output_padding)
    return SpreadByKernel(layout.grouped(x)[0], layout) if k else ConvolutionByImage(w, layout).T


@final
@dataclass(frozen=True, eq=False)
class SpreadByKernel(Jacobian):
    """The Jacobian of a transposed convolution with respect to the kernel: (S under w) times x, rows S being images."""

    operand: Array
    layout: Layout

    @property
    def shape(self) -> tuple[int, int]:
        return math.prod(self.layout.image), math.prod(self.layout.kernel)

    def vjp(self, rows: Array) -> Array:
        images = rows.reshape(-1, *self.layout.image)
        return self.layout.against(self.operand, images).reshape(len(rows), -1)

    def jvp(self, columns: Array) -> Array:
        kernels = columns.T.reshape(-1, *self.layout.kernel)
        return self.layout.spread(self.operand, kernels).reshape(len(kernels), -1).T


# --- pools --------------------------------------------------------------------------------------------------------------


def pool_windows(rank: int, size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1) -> Windows:
    """Return the windows of a pool over the last axes, one for each number in `size`; they stand side by side by default."""
    kernel = size if isinstance(size, tuple) else (size,)
    if rank < len(kernel):
        raise ValueError(f"the window has {len(kernel)} axes")
    return _windows(each_axis(kernel, len(kernel), "size", 1), size if stride is None else stride, padding, dilation)


def max_pool(x: Array, size: Any = 2, stride: Any = None, padding: Any = 0, dilation: Any = 1) -> Any:
    """Return the largest entry below each window; padding is never the largest."""
    windows = pool_windows(np.ndim(x), size, stride, padding, dilation)
    image = windows.padded(x, -np.inf)
    first, *others = (image[part] for _, part in windows.below(windows.counts(np.shape(x)[-len(windows.kernel) :])))
    y = first.copy()
    for entries in others:
        y = np.where(np.real(entries) > np.real(y), entries, y)
    if any(windows.padding) and np.any(np.isneginf(np.real(y))):
        raise ValueError("a window holds nothing but padding")
    return y[()]


def max_pool_jacobian(
    _: int, y: Array, x: Array, size: Any = 2, stride: Any = None, padding: Any = 0, dilation: Any = 1
) -> Jacobian:
    """Return the selection of the largest entries, of equal ones the first."""
    return LargestBelow(pool_windows(np.ndim(x), size, stride, padding, dilation), x, np.asarray(y))


@final
@dataclass(frozen=True, eq=False)
class LargestBelow(Jacobian):
    """The selection of the largest entry of an array below each window, the first of equal ones."""

    windows: Windows
    operand: Array
    largest: Array

    @property
    def shape(self) -> tuple[int, int]:
        return self.largest.size, self.operand.size

    def _below(self) -> Iterator[tuple[tuple[Any, ...], Array]]:
        """Iterate over the entries below the windows, and whether each is the first that is the largest."""
        image = self.windows.padded(self.operand, -np.inf)
        is_open = np.ones(self.largest.shape, np.bool_)
        is_selected = np.empty_like(is_open)
        for _, part in self.windows.below(self.largest.shape[-len(self.windows.kernel) :]):
            np.equal(image[part], self.largest, out=is_selected)
            np.logical_and(is_selected, is_open, out=is_selected)
            np.logical_xor(is_selected, is_open, out=is_open)
            yield part, is_selected

    def vjp(self, rows: Array) -> Array:
        R = rows.reshape(len(rows), *self.largest.shape)
        image = self.windows.zeros((len(rows), *self.operand.shape), rows.dtype)
        self.spread_into(image, R)
        return self.windows.cut(image).reshape(len(rows), -1)

    def spread_into(self, image: Array, R: Array) -> None:
        """Add rows R, in the shape of the pool, to a padded array of zeros."""
        for part, is_selected in self._below():
            if self.windows.are_apart:  # nothing else has been added there
                np.multiply(R, is_selected, out=image[part])
            else:
                image[part] += R * is_selected

    def jvp(self, columns: Array) -> Array:
        image = self.windows.padded(columns.T.reshape(-1, *self.operand.shape))
        total = sum(image[part] * is_selected for part, is_selected in self._below())
        return np.reshape(total, (columns.shape[1], -1)).T


def avg_pool(x: Array, size: Any = 2, stride: Any = None, padding: Any = 0) -> Any:
    """Return the mean of the entries below each window; the padding counts, as zeros."""
    windows = pool_windows(np.ndim(x), size, stride, padding)
    counts = windows.counts(np.shape(x)[-len(windows.kernel) :])
    image = windows.padded(x)
    return sum(image[part] for _, part in windows.below(counts)) / math.prod(windows.kernel)


def avg_pool_jacobian(_: int, y: Array, x: Array, size: Any = 2, stride: Any = None, padding: Any = 0) -> Jacobian:
    """Return the Jacobian of sums below windows, divided by how many entries are below one."""
    windows = pool_windows(np.ndim(x), size, stride, padding)
    return chain(ScaledIdentity(1 / math.prod(windows.kernel), y.size), WindowSums(windows, x.shape))


@final
@dataclass(frozen=True, eq=False)
class WindowSums(Jacobian):
    """The matrix of ones and zeros that adds up what is below each window."""

    windows: Windows
    operand: Shape

    @property
    def _lead(self) -> Shape:
        return self.operand[: -len(self.windows.kernel)]

    @property
    def _space(self) -> Shape:
        return self.operand[-len(self.windows.kernel) :]

    @property
    def shape(self) -> tuple[int, int]:
        return math.prod((*self._lead, *self.windows.counts(self._space))), math.prod(self.operand)

    def vjp(self, rows: Array) -> Array:
        counts = self.windows.counts(self._space)
        ones = (1,) * len(counts)
        R = rows.reshape(len(rows), *self._lead, *ones, *counts)
        columns = np.broadcast_to(R, (len(rows), *self._lead, *self.windows.kernel, *counts))
        return self.windows.spread(columns, self._space).reshape(len(rows), -1)

    def jvp(self, columns: Array) -> Array:
        counts = self.windows.counts(self._space)
        image = self.windows.padded(columns.T.reshape(-1, *self.operand))
        total = sum(image[part] for _, part in self.windows.below(counts))
        return np.reshape(total, (columns.shape[1], -1)).T
