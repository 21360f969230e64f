"""From a JAX function to a linearized graph: its jaxpr, evaluated an equation at a time."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from cgraph.frontends.recorded_operations import MatrixFree, RecordedOperations
from cgraph.model.errors import CGraphError
from cgraph.model.graph import ComputationalGraph, list_of_nodes
from cgraph.model.language.names import unusable
from cgraph.model.optional import optional_library

__all__ = ["from_jax"]

# Calls that do nothing but call; the equations of custom rules, loops and branches stay whole.
INLINED = {
    "jit": "jaxpr",
    "pjit": "jaxpr",
    "closed_call": "call_jaxpr",
    "core_call": "call_jaxpr",
    "checkpoint": "jaxpr",
}


def from_jax(
    function: Callable[..., Any], *args: Any, names: Sequence[str] | None = None, weights: Iterable[str] = ()
) -> ComputationalGraph:
    """Return the linearized graph of a JAX function at a point.

    Parameters
    ----------
    function : callable
        A function of arrays and of pytrees of arrays, as ``jax.grad`` takes it. It is called once, with tracers.
    *args
        Where it is linearized. Their precision is that of the graph: enable ``jax_enable_x64`` for 64 bits.
    names : sequence of str, optional
        The names of the arguments; by default those of the function's parameters. An entry of a pytree is named by the
        way to it: ``params.layer1.W``.
    weights : iterable of str, optional
        The arguments, or entries of them, that are weights; the others are inputs.

    Returns
    -------
    ComputationalGraph
        A node for each operation, with its ``value`` and the name of the ``operation``; on each edge the derivative of
        that operation alone: a float between numbers, otherwise a Jacobian that calls JAX for its products. Nodes are named
        by the scope (``jax.named_scope``) and the operation, ``attention.dot_general``; the outputs by the function, or by
        the keys under which it returns them, and ``G.outputs`` lists them.

    Raises
    ------
    CGraphError
        If `names` are not as many as arguments, a weight is not among them, or no argument holds floats.
    DerivativeError
        When a product is asked for that JAX itself refuses in both directions.
    ExtraMissingError
        If JAX is not installed.

    See Also
    --------
    trace : equations from a function of NumPy, which can be evaluated elsewhere.
    from_torch : the same for PyTorch.

    Notes
    -----
    Calls under ``jax.jit`` and ``jax.checkpoint`` are inlined. ``scan``, ``while``, ``cond`` and functions with rules of
    their own (``custom_jvp``, ``custom_vjp``) are one node each, differentiated as JAX does; a loop that JAX
    differentiates forward only is differentiated backward by its matrix. Integers and flags, and what depends on no
    argument, are no nodes. A complex array is an array of reals with a last axis of 2. As many operations as equations
    of the jaxpr; each product calls ``jax.vjp`` or ``jax.jvp`` of one of them.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> def loss(W, x):
    ...     return jnp.sum(jnp.tanh(W @ x))
    >>> L = from_jax(loss, jnp.ones((2, 3)), jnp.ones(3), weights=["W"])
    >>> list(L), L.weights, L.outputs
    (['W', 'x', 'dot_general', 'tanh_1', 'loss'], ['W'], ['loss'])
    """
    jax = optional_library("jax", "jax")
    leaves = _named_leaves(jax, function, args, names)
    is_weight = _weights_among(leaves, weights)
    jaxpr, shape = jax.make_jaxpr(function, return_shape=True)(*args)
    program = _Program(jax)
    sources = [program.source(name, role, leaf) for (name, leaf), role in zip(leaves, is_weight, strict=True)]
    if all(source.node is None for source in sources):
        raise CGraphError("no argument holds floats, and with respect to others there are no derivatives")
    program.outputs = dict(zip(jaxpr.jaxpr.outvars, _output_names(jax, function, shape), strict=True))
    found = program.run(jaxpr.jaxpr, jaxpr.consts, sources)
    program.recorded.graph.graph["outputs"] = list(dict.fromkeys(value.node for value in found if value.node))
    return program.recorded.graph


class _Value(NamedTuple):
    """A value of the jaxpr, and the node that stands for it, if it is one of real numbers that depends on an argument."""

    array: Any
    node: str | None


class _Program:
    """Evaluates a jaxpr and records its equations."""

    def __init__(self, jax: Any) -> None:
        self.jax = jax
        self.core = optional_library("jax.extend.core", "jax")
        self.recorded = RecordedOperations()
        self.outputs: dict[Any, str] = {}

    def source(self, name: str, role: str, leaf: Any) -> _Value:
        array = self.jax.numpy.asarray(leaf)
        if not _is_real(self.jax, array):
            return _Value(array, None)
        return _Value(array, self.recorded.add_source(name, role, _as_reals(self.jax, array)))

    def run(self, jaxpr: Any, constants: Sequence[Any], arguments: Sequence[_Value], scope: str = "") -> list[_Value]:
        """Return the outputs of a jaxpr."""
        env: dict[Any, _Value] = {var: _Value(c, None) for var, c in zip(jaxpr.constvars, constants, strict=True)}
        env |= dict(zip(jaxpr.invars, arguments, strict=True))

        def read(atom: Any) -> _Value:
            return _Value(atom.val, None) if isinstance(atom, self.core.Literal) else env[atom]

        for equation in jaxpr.eqns:
            inner = equation.params.get(INLINED.get(equation.primitive.name, ""))
            inside = _scope(scope, equation)
            if inner is None:
                operands = {var: env[var] for var in equation.invars if not isinstance(var, self.core.Literal)}
                env |= self._apply(jaxpr, equation, operands, inside)
                continue
            closed, consts = (inner.jaxpr, inner.consts) if hasattr(inner, "consts") else (inner, ())
            self._name_outputs(closed.outvars, equation.outvars)
            found = self.run(closed, consts, [read(atom) for atom in equation.invars], inside)
            env |= dict(zip(equation.outvars, found, strict=True))
        return [read(atom) for atom in jaxpr.outvars]

    def _name_outputs(self, inner: Sequence[Any], outer: Sequence[Any]) -> None:
        """Let the outputs of a call have the names of what it is assigned to."""
        for a, b in zip(inner, outer, strict=True):
            if b in self.outputs and not isinstance(a, self.core.Literal):
                self.outputs[a] = self.outputs[b]

    def _apply(self, jaxpr: Any, equation: Any, operands: dict[Any, _Value], scope: str) -> dict[Any, _Value]:
        """Return the outputs of one equation, recorded as nodes."""
        outvars = [var for var in equation.outvars if type(var).__name__ != "DropVar"]
        alone = jaxpr.replace(
            constvars=[], invars=list(operands), outvars=outvars, eqns=[equation], effects=equation.effects
        )
        function = self.core.jaxpr_as_fun(self.core.ClosedJaxpr(alone, ()))
        arrays = [operand.array for operand in operands.values()]
        points = {p: _as_reals(self.jax, array) for p, array in enumerate(arrays) if _is_real(self.jax, array)}

        def output(k: int, reals: dict[int, Any]) -> Any:
            found = {p: _from_reals(self.jax, x, arrays[p]) for p, x in reals.items()}
            return _as_reals(self.jax, function(*(found.get(p, array) for p, array in enumerate(arrays)))[k])

        places: dict[str, list[int]] = {}
        for p, operand in enumerate(operands.values()):
            if operand.node is not None:
                places.setdefault(operand.node, []).append(p)
        operation, found = _operation(equation), {}
        for k, (var, array) in enumerate(zip(outvars, function(*arrays), strict=True)):
            node = None
            if places and _is_real(self.jax, array):
                y, of_k = _as_reals(self.jax, array), partial(output, k)
                Js = {i: self._jacobian(operation, of_k, points, at, y) for i, at in places.items()}
                name = self.outputs.get(var) or ".".join(filter(None, (scope, operation)))
                node = self.recorded.add_operation(name, operation, y, Js)
            found[var] = _Value(array, node)
        return found

    def _jacobian(
        self, operation: str, output: Callable[..., Any], points: dict[int, Any], at: list[int], y: Any
    ) -> MatrixFree:
        """Return the Jacobian of one output with respect to the operand that stands at the places `at`.

        All real operands are differentiated together, the others then left aside: some rules of JAX expect it.
        """
        jax, jnp = self.jax, self.jax.numpy
        x = points[at[0]]

        def pull(rows: Any) -> Any:
            back = jax.vjp(output, points)[1]

            def product(row: Any) -> Any:
                (found,) = back(row)
                return sum(found[p] for p in at)

            return _mapped(jax, product, jnp.asarray(rows, y.dtype))

        def push(columns: Any) -> Any:
            def product(column: Any) -> Any:
                tangents = {p: column if p in at else jnp.zeros_like(point) for p, point in points.items()}
                return jax.jvp(output, (points,), (tangents,))[1]

            return _mapped(jax, product, jnp.asarray(columns, x.dtype))

        return MatrixFree(operation, y.shape, x.shape, pull, push)


def _mapped(jax: Any, function: Callable[[Any], Any], stack: Any) -> Any:
    """Return a function of one vector over a stack of them, at once unless an operation of it cannot be batched."""
    if len(stack) == 1:
        return np.asarray(function(stack[0]))[None]
    try:
        return jax.vmap(function)(stack)
    except NotImplementedError:
        return np.stack([np.asarray(function(part)) for part in stack])


def _is_real(jax: Any, array: Any) -> bool:
    dtype = getattr(array, "dtype", None)
    return dtype is not None and jax.numpy.issubdtype(dtype, jax.numpy.inexact) and np.size(array) > 0


def _as_reals(jax: Any, array: Any) -> Any:
    jnp = jax.numpy
    return jnp.stack([array.real, array.imag], -1) if jnp.iscomplexobj(array) else jnp.asarray(array)


def _from_reals(jax: Any, reals: Any, like: Any) -> Any:
    return jax.lax.complex(reals[..., 0], reals[..., 1]) if jax.numpy.iscomplexobj(like) else reals


def _operation(equation: Any) -> str:
    """Return the name of a primitive, and of a function with rules of its own that of the function."""
    name: str = equation.primitive.name
    if name.startswith(("custom_jvp", "custom_vjp")):
        info = getattr(getattr(equation.params.get("call_jaxpr"), "jaxpr", None), "debug_info", None)
        return str(getattr(info, "func_name", name))
    return name


def _scope(scope: str, equation: Any) -> str:
    inner = str(equation.source_info.name_stack).replace("/", ".")
    return ".".join(filter(None, (scope, inner)))


def _named_leaves(
    jax: Any, function: Callable[..., Any], args: tuple[Any, ...], names: Sequence[str] | None
) -> list[tuple[str, Any]]:
    """Return the arrays among the arguments and what each is called."""
    names = _parameters(function, len(args)) if names is None else list_of_nodes(names)
    if len(names) != len(args):
        raise CGraphError(f"{len(names)} names were given for {len(args)} arguments; give one for each")
    return [leaf for name, arg in zip(names, args, strict=True) for leaf in _paths(jax, name, arg)]


def _parameters(function: Callable[..., Any], count: int) -> list[str]:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    plain = [p.name for p in parameters if p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD}]
    return [*plain, *(f"argument_{k}" for k in range(len(plain), count))][:count]


def _paths(jax: Any, name: str, tree: Any) -> Iterator[tuple[str, Any]]:
    """Iterate over the leaves of a pytree and the names of the ways to them, as ``params.layer1.W``."""
    for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]:
        keys = (str(getattr(key, "key", getattr(key, "idx", getattr(key, "name", key)))) for key in path)
        yield ".".join(filter(None, (name, *keys))), leaf


def _weights_among(leaves: list[tuple[str, Any]], weights: Iterable[str]) -> list[str]:
    """Return the role of each leaf."""
    wanted = list_of_nodes(weights)
    roles = ["input"] * len(leaves)
    for weight in wanted:
        found = [k for k, (name, _) in enumerate(leaves) if name == weight or name.startswith(f"{weight}.")]
        if not found:
            raise CGraphError(f"there is no argument {weight!r}; there are {', '.join(name for name, _ in leaves)}")
        for k in found:
            roles[k] = "weight"
    return roles


def _output_names(jax: Any, function: Callable[..., Any], shape: Any) -> list[str]:
    """Return the names of the outputs: the function's, or the keys under which it returns them."""
    name = getattr(function, "__name__", "output")
    name = "output" if unusable(name) or name == "<lambda>" else name
    leaves = [path for path, _ in _paths(jax, "", shape)]
    return [name] if leaves == [""] else [path if not path[0].isdigit() else f"{name}.{path}" for path in leaves]
