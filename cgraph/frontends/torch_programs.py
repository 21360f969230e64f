"""From a PyTorch module or function to a linearized graph: its exported program, evaluated a node at a time."""

from __future__ import annotations

import operator
import re
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from cgraph.frontends.recorded_operations import UNSUPPORTED, MatrixFree, RecordedOperations
from cgraph.model.errors import CGraphError, shorten
from cgraph.model.graph import ComputationalGraph
from cgraph.model.optional import optional_library

__all__ = ["from_torch"]


def from_torch(module_or_function: Callable[..., Any], *args: Any) -> ComputationalGraph:
    """Return the linearized graph of a PyTorch module or function at a point.

    Parameters
    ----------
    module_or_function : torch.nn.Module or callable
        What ``torch.export`` takes. It is not modified: buffers such as running means stay as they are.
    *args
        Where it is linearized: tensors, and tuples, lists and dicts of them. The module's precision is that of the graph;
        ``module.double()`` gives 64 bits.

    Returns
    -------
    ComputationalGraph
        A node for each operation, with its ``value`` and the name of the ``operation``; on each edge the derivative of
        that operation alone: a float between numbers, otherwise a Jacobian that calls PyTorch for its products.
        Parameters have the role ``weight`` and their own names, ``layers.0.weight``, buffers the role ``constant``,
        arguments the role ``input`` and the names of the parameters of ``forward``. Operations are named by the module
        they stand in, ``layers.0.linear``. ``G.outputs`` lists the outputs.

    Raises
    ------
    CGraphError
        If ``torch.export`` refuses the program, as it does where Python branches on the value of a tensor.
    DerivativeError
        When a product is asked for that PyTorch itself refuses.
    ExtraMissingError
        If PyTorch is not installed.

    See Also
    --------
    weight_gradients : dJ/dw for every parameter, by its name, as ``.backward()`` gives it.
    edge_attributions : what replacing the message on an edge would change.
    from_jax : the same for JAX.

    Notes
    -----
    The program is made functional first, so that an operation in place is a node of its own and a view the same as a copy.
    Integers and flags, and what depends on no argument, parameter or buffer, are no nodes. Complex tensors are arrays of
    reals with a last axis of 2. Random operations, such as dropout while training, get a fixed seed each: the derivative is
    that of the mask which was drawn. Each product runs one operation and its ``torch.autograd.grad`` or
    ``torch.func.jvp``; nothing is kept between products but the operands.

    Examples
    --------
    >>> import torch
    >>> layer = torch.nn.Linear(2, 1)
    >>> L = from_torch(layer, torch.tensor([1.0, 2.0]))
    >>> list(L), L.weights, L.outputs
    (['weight', 'bias', 'input', 'linear'], ['weight', 'bias'], ['linear'])
    """
    torch = optional_library("torch", "torch")
    exported = _exported(torch, module_or_function, args)
    program = _Program(torch)
    with torch.no_grad():
        for node in exported.graph.nodes:
            program.run(exported, node, args)
    named = [program.env[name].node for name in exported.graph_signature.user_outputs if name in program.env]
    program.recorded.graph.graph["outputs"] = list(dict.fromkeys(name for name in named if name))
    return program.recorded.graph


class _Value(NamedTuple):
    """A value of the program, and the node that stands for it, if it is one of real numbers that may vary."""

    data: Any
    node: str | None


class _Call(NamedTuple):
    """An operation of the program: what it computes from tensors put in the places of nodes of the program."""

    operation: str
    outputs: Callable[[dict[str, Any]], Any]
    operands: dict[str, Any]  # {name in the program: data}
    varied: dict[str, list[str]]  # {node of the graph: the names that stand for it}


class _Program:
    """Evaluates the nodes of an exported program and records them."""

    def __init__(self, torch: Any) -> None:
        self.torch = torch
        self.recorded = RecordedOperations()
        self.env: dict[str, _Value] = {}
        self.calls: dict[str, _Call] = {}  # of several outputs, which `getitem` takes apart

    def run(self, exported: Any, node: Any, args: tuple[Any, ...]) -> None:
        match node.op:
            case "placeholder":
                self.env[node.name] = self._source(exported, node, args)
            case "get_attr":
                self.env[node.name] = _Value(_attribute(exported.graph_module, node.target), None)
            case "call_function" if node.target is operator.getitem and node.args[0].name in self.calls:
                source, k = node.args[0].name, node.args[1]
                self.env[node.name] = self._record(self.calls[source], node, self.env[source].data[k], k)
            case "call_function":
                call = self._call(node)
                data = call.outputs(call.operands)
                if isinstance(data, self.torch.Tensor):
                    self.env[node.name] = self._record(call, node, data, None)
                else:
                    self.env[node.name], self.calls[node.name] = _Value(data, None), call

    def _source(self, exported: Any, node: Any, args: tuple[Any, ...]) -> _Value:
        signature = exported.graph_signature
        name = signature.inputs_to_parameters.get(node.name)
        role = "weight" if name else "input"
        if not name and (name := signature.inputs_to_buffers.get(node.name)):
            role = "constant"
        if name:
            data = exported.state_dict.get(name, exported.constants.get(name))
        elif node.name in (given := [s.arg.name for s in signature.input_specs if s.kind.name == "USER_INPUT"]):
            leaves = self.torch.utils._pytree.tree_leaves((args, {}))  # noqa: SLF001 - the order of the inputs
            name, data = node.name, leaves[given.index(node.name)]
        else:  # a tensor that the program closes over
            return _Value(exported.constants[signature.inputs_to_lifted_tensor_constants[node.name]], None)
        if not self._is_real(data):
            return _Value(data, None)
        data = data.detach()
        return _Value(data, self.recorded.add_source(name, role, self._numbers(data)))

    def _call(self, node: Any) -> _Call:
        torch = self.torch
        operands = {source.name: self.env[source.name].data for source in node.all_input_nodes}
        varied: dict[str, list[str]] = {}
        for name in operands:
            if (of := self.env[name].node) is not None:
                varied.setdefault(of, []).append(name)
        seed = len(self.env) if torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ()) else None

        def outputs(values: dict[str, Any]) -> Any:
            arguments, options = torch.fx.map_arg((node.args, dict(node.kwargs)), lambda source: values[source.name])
            if seed is None:
                return node.target(*arguments, **options)
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                return node.target(*arguments, **options)

        return _Call(_operation(node), outputs, operands, varied)

    def _record(self, call: _Call, node: Any, data: Any, k: Any) -> _Value:
        """Return an output of a call, as a node if it is real and depends on one."""
        if not call.varied or not self._is_real(data):
            return _Value(data, None)
        Js = {i: self._jacobian(call, names, k, data) for i, names in call.varied.items()}
        stack = list(node.meta.get("nn_module_stack", {}).values())
        path = stack[-1][0] if stack else ""
        name = ".".join(filter(None, (path, call.operation + (f".{k}" if k else ""))))
        return _Value(data, self.recorded.add_operation(name, call.operation, self._numbers(data), Js))

    def _jacobian(self, call: _Call, names: list[str], k: Any, y: Any) -> MatrixFree:
        """Return the Jacobian of an output with respect to the operand that the program calls by `names`."""
        torch = self.torch
        point, reals = self._reals(call.operands[names[0]]), self._reals(y)
        is_complex = call.operands[names[0]].is_complex()

        def of_one(x: Any) -> Any:
            operand = torch.view_as_complex(x) if is_complex else x
            found = call.outputs({**call.operands, **dict.fromkeys(names, operand)})
            return self._reals(found if k is None else found[k])

        def pull(rows: Any) -> Any:
            rows = torch.as_tensor(np.array(rows), dtype=reals.dtype)
            with torch.enable_grad():
                x = point.clone().requires_grad_()
                output = of_one(x)
                if not output.requires_grad:  # it does not vary with x
                    return np.zeros((len(rows), *point.shape))
                return self._products(output, x, rows)

        def push(columns: Any) -> Any:
            columns = torch.as_tensor(np.array(columns), dtype=point.dtype)
            with _quiet():
                return np.stack([self._plain(torch.func.jvp(of_one, (point,), (column,))[1]) for column in columns])

        return MatrixFree(call.operation, tuple(reals.shape), tuple(point.shape), pull, push)

    def _products(self, output: Any, x: Any, rows: Any) -> Any:
        """Return the vector-Jacobian products of a stack of rows, at once unless the operation cannot be batched."""
        grad = self.torch.autograd.grad
        options = {"retain_graph": True, "materialize_grads": True}
        if len(rows) > 1:
            try:
                return self._plain(grad(output, x, rows, is_grads_batched=True, **options)[0])
            except UNSUPPORTED:
                pass
        return np.stack([self._plain(grad(output, x, row, **options)[0]) for row in rows])

    def _is_real(self, data: Any) -> bool:
        if not isinstance(data, self.torch.Tensor) or data.numel() == 0:
            return False
        return bool(data.is_floating_point() or data.is_complex())

    def _reals(self, data: Any) -> Any:
        return self.torch.view_as_real(data.resolve_conj()) if data.is_complex() else data

    def _numbers(self, data: Any) -> Any:
        return self._plain(self._reals(data))

    def _plain(self, data: Any) -> Any:
        return data.detach().to(self.torch.float64).cpu().numpy()


def _exported(torch: Any, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Return the exported program in its functional form."""
    module = function
    if not isinstance(function, torch.nn.Module):
        module = torch.nn.Module()
        module.forward = function
    try:
        with _quiet():
            copy = torch.ops.aten.copy.default  # what `copy_` becomes, which has no derivative
            return torch.export.export(module, args).run_decompositions({copy: _copied})
    except Exception as error:
        name = getattr(function, "__name__", type(function).__name__)
        reason = shorten(str(error).strip().split("\n")[0], 300)
        raise CGraphError(f"torch.export refuses {name}: {reason}") from error


def _copied(x: Any, source: Any, non_blocking: bool = False) -> Any:  # noqa: ARG001 - as PyTorch calls it
    """Return `source` in the place of `x`."""
    return source.to(x.dtype).expand(x.shape).clone()


def _quiet() -> Any:
    """Return a context in which PyTorch does not warn of its own parts."""
    return warnings.catch_warnings(action="ignore")


def _operation(node: Any) -> str:
    """Return the name of an operation without the marks of its variants: ``linear``, ``batch_norm``."""
    target = getattr(node.target, "overloadpacket", node.target)
    name = str(getattr(target, "__name__", target)).rpartition(".")[2]
    return re.sub(r"^_?(native_)?|_legit(_functional|_no_training)?$", "", name) or name


def _attribute(module: Any, path: str) -> Any:
    for part in path.split("."):
        module = getattr(module, part)
    return module
