"""Every operation, and graphs of them, in PyTorch, which computes at once: a case takes a millisecond."""

import functools

import numpy as np
import pytest
from in_jax import each, key_of, values_by

try:
    import torch
except ImportError:
    torch = None
else:
    F = torch.nn.functional


def all_axes(x, axis):
    return tuple(range(x.ndim)) if axis is None else axis


def in_shape(x, function, axis):
    return x.reshape(function(np.empty(x.shape), axis).shape)


def index(x, key):
    places = np.arange(x.numel()).reshape(x.shape)[key_of(key)]  # steps of PyTorch's slices are positive
    return x.reshape(-1)[torch.tensor(np.array(places))]


def repeat(x, repeats=2, axis=None):
    x, axis = (x.reshape(-1), 0) if axis is None else (x, axis)
    return torch.repeat_interleave(x, torch.tensor(repeats) if isinstance(repeats, tuple) else repeats, axis)


def take(x, places, axis=0):
    axis %= x.ndim
    found = x.movedim(axis, 0)[places.long()]
    return found.movedim(tuple(range(places.ndim)), tuple(range(axis, axis + places.ndim)))


def pad(x, before=0, after=0):
    widths = zip(reversed(each(before, x.ndim)), reversed(each(after, x.ndim)), strict=True)
    return F.pad(x, [n for pair in widths for n in pair])


def of_images(function, d, x):
    """Apply a function of a stack of images, with channels and `d` axes of space, to an array with any axes before them."""
    y = function(x.reshape(-1, *x.shape[-d - 1 :]))
    return y.reshape(*x.shape[: -d - 1], *y.shape[1:])


def conv(x, w, **options):
    d = w.ndim - 2
    return of_images(lambda x: [F.conv1d, F.conv2d, F.conv3d][d - 1](x, w, **options), d, x)


def conv_transpose(x, w, **options):
    d = w.ndim - 2
    convolve = [F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d][d - 1]
    return of_images(lambda x: convolve(x, w, **options), d, x)


def pool(kinds, fill, x, size=2, stride=None, padding=0, **dilation):
    """PyTorch pads by less than a window, so that it is padded here."""
    size = size if isinstance(size, tuple) else (size,)
    d = len(size)
    around = F.pad(x, [p for n in reversed(each(padding, d)) for p in (n, n)], value=fill)
    y = kinds[d - 1](
        around.reshape(1, -1, *around.shape[-d:]), size, stride=size if stride is None else stride, **dilation
    )
    return y.reshape(*x.shape[:-d], *y.shape[2:])


def normalised(x, epsilon, axis=-1, *, is_centred=True):
    centred = x - x.mean(axis, keepdim=True) if is_centred else x
    return centred / torch.sqrt((centred * centred).mean(axis, keepdim=True) + epsilon)


def hinge(s, y):
    margins = s - torch.sum(s * y, -1, keepdim=True) + 1
    return torch.sum((1 - y) * torch.relu(margins), dim=-1)


def binary_cross_entropy(p, y):
    return -y * torch.log(p) - (1 - y) * torch.log(1 - p)


FUNCTIONS = {} if torch is None else {
    "identity": lambda x: x, "hard_tanh": F.hardtanh, "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)),
    "leaky_relu": F.leaky_relu, "elu": F.elu, "gelu": F.gelu, "gelu_tanh": functools.partial(F.gelu, approximate="tanh"), "silu": F.silu,
    "mish": F.mish, "log_sigmoid": F.logsigmoid, "softsign": F.softsign, "max": torch.maximum, "min": torch.minimum,
    "where": lambda condition, a, b: torch.where(condition != 0, a, b), "binary_cross_entropy": binary_cross_entropy,
    "clip": lambda a, low, high: torch.minimum(torch.maximum(a, low), high),
    "greater": lambda a, b: (a > b).double(), "less": lambda a, b: (a < b).double(),
    "greater_equal": lambda a, b: (a >= b).double(), "less_equal": lambda a, b: (a <= b).double(),
    "einsum": lambda *x, subscripts: torch.einsum(subscripts, *x),
    "transpose": lambda x, axes=None: x.permute(tuple(range(x.ndim))[::-1] if axes is None else axes),
    "det": torch.linalg.det, "inv": torch.linalg.inv, "logdet": lambda a: torch.linalg.slogdet(a)[1],
    "solve": torch.linalg.solve, "cholesky": lambda a: torch.linalg.cholesky(torch.tril(a) + torch.tril(a, -1).T),
    "index": index, "repeat": repeat, "take": take, "pad": pad, "reshape": lambda x, shape: x.reshape(shape),
    "concatenate": lambda *x, axis=0: torch.cat(x, axis), "stack": lambda *x, axis=0: torch.stack(x, axis),
    "split": lambda x, parts=2, part=0, axis=0: torch.chunk(x, parts, axis)[part],
    "expand_dims": lambda x, axis=0: in_shape(x, np.expand_dims, axis), "squeeze": lambda x, axis=None: in_shape(x, np.squeeze, axis),
    "sort": lambda x, axis=-1: torch.sort(x, axis)[0], "topk": lambda x, k=1, axis=-1: torch.topk(x, k, axis)[0],
    "cumsum": lambda x, axis=None: torch.cumsum(x.reshape(-1) if axis is None else x, axis or 0),
    "sum": lambda x, axis=None: x.sum(all_axes(x, axis)), "mean": lambda x, axis=None: x.mean(all_axes(x, axis)),
    "prod": lambda x, axis=None: x.prod() if axis is None else x.prod(axis),
    "largest": lambda x, axis=None: x.amax(all_axes(x, axis)), "smallest": lambda x, axis=None: x.amin(all_axes(x, axis)),
    "squared_norm": lambda x: torch.sum(x * x), "norm": lambda x: torch.sqrt(torch.sum(x * x)),
    "softmax": lambda x, axis=-1: torch.softmax(x, axis), "log_softmax": lambda x, axis=-1: torch.log_softmax(x, axis),
    "logsumexp": lambda x, axis=-1: torch.logsumexp(x, axis), "conv": conv, "conv_transpose": conv_transpose,
    "max_pool": lambda x, **o: pool([F.max_pool1d, F.max_pool2d], -np.inf, x, **o),
    "avg_pool": lambda x, **o: pool([F.avg_pool1d, F.avg_pool2d], 0.0, x, **o),
    "layer_norm": normalised, "rms_norm": functools.partial(normalised, is_centred=False),
    "batch_norm": lambda x, e: normalised(x, e, (0, *range(2, x.ndim))),
    "group_norm": lambda x, e, groups=1: normalised(x.reshape(x.shape[0], groups, -1), e, 2).reshape(x.shape),
    "cross_entropy": lambda p, y: -torch.log(torch.sum(y * p, dim=-1)), "hinge": hinge,
    "softmax_cross_entropy": lambda s, y: -torch.sum(y * torch.log_softmax(s, -1), dim=-1),
    "squared_error": lambda a, b: torch.sum((a - b) ** 2, dim=-1) if a.ndim or b.ndim else (a - b) ** 2,
}  # fmt: skip


def function_in_torch(operation):
    return FUNCTIONS.get(operation) or getattr(torch, operation)


def value_and_gradient_in_torch(G, t):
    """Return y(t) and its derivatives with respect to all inputs and weights in nodes, and the values of all nodes."""
    if torch is None:
        pytest.skip("torch is an optional oracle: pip install torch")
    given = {
        i: torch.tensor(G.nodes[i]["value"], dtype=torch.float64) for i in G if G.nodes[i].get("value") is not None
    }
    sources = [i for i in G if G.nodes[i].get("role") in {"input", "weight"}]
    for i in sources:
        given[i].requires_grad_()
    y = values_by(function_in_torch, functools.partial(torch.tensor, dtype=torch.float64), G, given)
    total = y[t] + sum(0 * given[i].sum() for i in sources)  # so that it depends on all of them
    gradient = torch.autograd.grad(total, [given[i] for i in sources])
    values = {i: value.detach().numpy() for i, value in y.items()}
    return y[t].item(), {i: S.numpy() for i, S in zip(sources, gradient, strict=True)}, values
