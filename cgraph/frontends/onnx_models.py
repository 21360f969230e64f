"""Models of ONNX as graphs of equations.

Each operator is written with NumPy, in `onnx_operators` and the modules that its table is put together from; called on arrays
that record what is done with them, as `trace` has them, it becomes equations.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cgraph.frontends.onnx_definitions import definition_of
from cgraph.frontends.onnx_files import Tensors, expanded_nodes, loaded
from cgraph.frontends.onnx_ml_operators import ML_OPERATORS
from cgraph.frontends.onnx_operators import BEFORE, OPERATORS, SHAPING
from cgraph.frontends.onnx_training import TRAINING_OPERATORS
from cgraph.frontends.onnx_values import LEAST, Operator, UnsupportedError
from cgraph.model.errors import CGraphError, LimitError, MissingValueError, TraceError, nearest, shorten
from cgraph.model.graph import ComputationalGraph
from cgraph.model.limits import counting_entries, limits_in_force, require_entries, require_time
from cgraph.model.optional import optional_library
from cgraph.model.tracing.followed_functions import RULES
from cgraph.model.tracing.recording import Recording, Refused
from cgraph.model.tracing.traced_arrays import TracedArray
from cgraph.model.values import as_value, is_finite

__all__ = ["from_onnx"]

MAX_NODES = 200_000
MAX_DEPTH = 100  # of graphs within graphs
DOMAINS = {"", "ai.onnx"}
TABLES = {
    "": OPERATORS,
    "ai.onnx": OPERATORS,
    "ai.onnx.ml": ML_OPERATORS,
    "ai.onnx.preview.training": TRAINING_OPERATORS,
}
# Of opsets before 7, without a meaning since then.
OLD_ATTRIBUTES = {
    **dict.fromkeys(("Add", "Sub", "Mul", "Div", "Clip", "Relu"), ("consumed_inputs",)),
    "BatchNormalization": ("consumed_inputs", "is_test", "spatial"),
    "Dropout": ("consumed_inputs", "is_test"),
}


def from_onnx(model: Any, inputs: Mapping[str, Any] | None = None) -> ComputationalGraph:
    """Return a model of ONNX as a graph of equations.

    Parameters
    ----------
    model : path or onnx.ModelProto
        A file, or a model that has been loaded with its weights.
    inputs : dict, optional
        ``{input: value}``, numbers or arrays. The graph is that of the model for their shapes. An input of whole numbers
        or conditions, such as tokens, is part of the model and no node. An input that has no value here, and no value
        in the model, is missing; the error says which shape it has.

    Returns
    -------
    ComputationalGraph
        The values of ONNX keep their names. Initializers of floats with axes are weights, scalars are numbers. An operator
        that takes several operations is several nodes; the last one has the name. All numbers are float64. What no output
        of floats depends on, such as the label that a classifier chooses, is left out.

    Raises
    ------
    CGraphError
        If an operator, or a use of one, has no form in the language of equations; the message names node and operator.
        `MAX_NODES` nodes are the most.
    MissingValueError
        If an input has no value.
    ArchiveError
        If a file is no model, or is damaged, or keeps weights outside of its folder.
    ExtraMissingError
        If onnx is not installed.

    Notes
    -----
    Nothing of the model is executed but the operators of the table. Functions of the model are inlined, recurrent layers, scans
    and the loops that shapes and constants decide are written out, and operators that ONNX defines by others are those. Random
    numbers, strings, quantized arithmetic and whole numbers that depend on the inputs are refused.

    Examples
    --------
    >>> from onnx import TensorProto, helper
    >>> W = helper.make_tensor("W", TensorProto.FLOAT, [2, 1], [2.0, -1.0])
    >>> nodes = [helper.make_node("MatMul", ["x", "W"], ["s"]), helper.make_node("Relu", ["s"], ["h"])]
    >>> ends = [helper.make_tensor_value_info(i, TensorProto.FLOAT, [1, n]) for i, n in (("x", 2), ("h", 1))]
    >>> graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], [W])
    >>> G = from_onnx(helper.make_model(graph), {"x": [[3.0, 1.0]]})
    >>> [(j, G.nodes[j]["equation"]) for j in ("s", "h")], G.weights
    ([('s', 'x @ W'), ('h', 'relu(s)')], ['W'])
    >>> from cgraph import linearize, sensitivity
    >>> sensitivity(linearize(G), "W", "h")  # x, for s = 5 > 0
    array([[3., 1.]])
    """
    onnx = optional_library("onnx", "onnx")
    folder: Path | None = None
    if isinstance(model, str | os.PathLike):
        folder, model = Path(model).resolve().parent, loaded(onnx, Path(model))
    if not isinstance(model, onnx.ModelProto):
        raise CGraphError(f"a model of ONNX or the path of one is needed, not {shorten(repr(model), 60)}")
    return _Interpreter(onnx, model, folder).graph(dict(inputs or {}))


def _names_read(node: Any, depth: int = 0) -> set[str]:
    """Return the values that a node reads, those in its branches too."""
    names = set(node.input)
    for attribute in node.attribute:
        if attribute.HasField("g") and depth < MAX_DEPTH:
            names |= {info.name for info in attribute.g.output}
            names = names.union(*(_names_read(inner, depth + 1) for inner in attribute.g.node))
    return names


class _Interpreter:
    """Calls the operators of a model on arrays that record what is done with them."""

    def __init__(self, onnx: Any, model: Any, folder: Path | None) -> None:
        self.onnx = onnx
        self.tensors = Tensors(onnx, folder)
        if (count := expanded_nodes(model)) == math.inf:
            raise CGraphError("a function of the model calls itself")
        if count > MAX_NODES:
            raise CGraphError(f"a model of {count:,} nodes, its functions written out; the limit is {MAX_NODES:,}")
        if model.functions:
            model = optional_library("onnx.inliner", "onnx").inline_local_functions(model)
        self.model = model.graph
        self.opsets = {"" if o.domain in DOMAINS else o.domain: o.version for o in model.opset_import}
        self.computed = 0
        self.within = ""  # in the definition of an operator, what the names of its values begin with,
        self.renamed: dict[str, str] = {}  # how its outputs are called outside,
        self.attributes: dict[str, Any] = {}  # and its attributes
        self.recording = Recording(from_onnx, RULES)
        self.values: dict[str, Any] = {}

    def graph(self, inputs: Mapping[str, Any]) -> ComputationalGraph:
        """Return the graph of equations for these inputs."""
        self.shaping = self._names_of_shapes()
        self._read_inputs(inputs)
        self._read_initializers(inputs)

        with counting_entries(), np.errstate(all="ignore"):  # what is not finite is refused where it is needed
            for node in self._needed():
                self._compute(node)
        found = {info.name: self.values.get(info.name) for info in self.model.output}
        outputs = {name: value for name, value in found.items() if isinstance(value, TracedArray)}
        if not outputs:
            raise CGraphError("no output of the model is a number that depends on an input or a weight")
        for name, y in outputs.items():
            if np.any(np.abs(y.value) > -LEAST / 2):
                raise CGraphError(
                    f"output {name!r} holds what is not finite, as a mask makes it; a graph holds finite numbers"
                )
        self.recording.keep_what_is_read(outputs.values())
        return self.recording.graph(outputs, named=True)

    def _names_of_shapes(self) -> set[str]:
        """Return the values that shapes follow from, and nothing else: numbers of the model, no nodes."""
        shaping, others = set(), {info.name for info in self.model.output}
        for node in self.model.node:
            slots = SHAPING.get(node.op_type, set()) if node.domain in DOMAINS else set()
            read = {name for k, name in enumerate(node.input) if k in slots}
            shaping |= read
            others |= _names_read(node) - read
        return shaping - others

    def _needed(self) -> list[Any]:
        """Return the nodes that outputs of floats depend on: a label that a classifier chooses has no derivative."""
        needed = {info.name for info in self.model.output if self._is_float(info)}
        chosen = []
        for node in reversed(self.model.node):
            if needed & set(node.output):
                needed |= _names_read(node)
                chosen.append(node)
        return chosen[::-1]

    def _read_inputs(self, inputs: Mapping[str, Any]) -> None:
        stored = {tensor.name for tensor in self.model.initializer}
        declared = [info for info in self.model.input if info.name not in stored or info.name in inputs]
        names = [info.name for info in declared]
        for name in inputs:
            if name not in names:
                close = nearest(name, names)
                hint = f"; did you mean {close!r}?" if close else f"; the inputs are {', '.join(map(repr, names))}"
                raise CGraphError(f"the model has no input {name!r}{hint}")
        for info in declared:
            if info.name not in inputs:
                raise MissingValueError(
                    f"input {info.name!r} has no value; give inputs={{{info.name!r}: ...}}{_shape(info)}"
                )
            self._add(info.name, inputs[info.name], "input", self._is_float(info))

    def _is_float(self, info: Any) -> bool:
        kind = info.type.tensor_type.elem_type
        if not kind:
            return info.type.WhichOneof("value") in {None, "tensor_type"}
        return bool(np.dtype(self.onnx.helper.tensor_dtype_to_np_dtype(kind)).kind == "f")

    def _read_initializers(self, inputs: Mapping[str, Any]) -> None:
        read = {name for node in self._needed() for name in _names_read(node)}
        for tensor in self.model.initializer:
            if tensor.name in read and tensor.name not in inputs:
                self._add_weight(tensor)

    def _add_weight(self, tensor: Any) -> None:
        array = self.tensors.array(tensor)
        is_weight = array.dtype.kind == "f" and array.ndim > 0 and bool(np.isfinite(array).all())
        self._add(tensor.name, array, "weight", is_weight)

    def _add(self, name: str, value: Any, role: str, is_node: bool) -> None:
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            raise CGraphError(f"{role} {name!r} holds no real numbers")
        if role == "input" and array.dtype.kind == "f" and not is_finite(array):
            raise CGraphError(f"{role} {name!r} holds what is not finite; a graph holds finite numbers")
        if is_node and array.size and name not in self.shaping:
            self.values[name] = self.recording.source(role, name, as_value(array.astype(float)))
        else:
            self.values[name] = array.astype(float) if array.dtype.kind == "f" else array

    def _compute(self, node: Any) -> None:
        """Call the operator of a node, and name what it returns."""
        label = f"node {node.name or node.output[0]!r} ({node.op_type})"
        self._count(label)
        try:
            results = self._results(node)
            for name, result in zip(node.output, results, strict=False):
                if name:
                    self._keep(name, result)
        except UnsupportedError as error:
            raise CGraphError(f"{label} is not supported: {error}") from None
        except Refused as refused:
            raise CGraphError(f"{label} is not supported: it {refused.message}") from None
        except TraceError as error:
            raise CGraphError(
                f"{label} is not supported: {error.message}" + (f"; {error.hint}" if error.hint else "")
            ) from None
        except LimitError as error:
            raise LimitError(f"{label}: {error.fact}", error.limit) from None
        except CGraphError as error:
            raise CGraphError(f"{label}: {error}") from None
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise CGraphError(f"{label} cannot be computed: {shorten(str(error), 200)}") from None

    def _count(self, label: str) -> None:
        """Count a node, or a turn of a loop, whose body may have none."""
        self.computed += 1
        if self.computed > MAX_NODES:
            raise CGraphError(f"{label}: loops make a model of more than {MAX_NODES:,} nodes")
        require_time()

    def _results(self, node: Any) -> Sequence[Any]:
        if node.domain in DOMAINS and node.op_type in {"If", "Loop", "Scan"}:
            return {"If": self._branch, "Loop": self._loop, "Scan": self._scan}[node.op_type](node)
        operands = [self.values[name] if name else None for name in node.input]
        operator = self._operator(node)
        if operator is None and node.op_type != "Constant":
            if found := definition_of(self.onnx, node, operands, self.opsets):
                return self._definition(node, operands, *found)
            domain = f" of {node.domain}" if node.domain not in DOMAINS else ""
            raise UnsupportedError(f"the operator{domain} has no form in the language of equations")
        attributes = {a.name: self._attribute(a) for a in self._given(node)}
        if operator is None:  # a constant
            return [np.asarray(next(iter(attributes.values())))]
        while operands and operands[-1] is None:
            operands.pop()
        if node.op_type in {"Split", "BatchNormalization"}:
            attributes["outputs"] = len(list(filter(None, node.output)))
        for old in OLD_ATTRIBUTES.get(node.op_type, ()):
            attributes.pop(old, None)
        _require_room(node, operands, attributes)
        result = operator(*operands, **attributes)
        return result if isinstance(result, list | tuple) else [result]

    def _operator(self, node: Any) -> Operator | None:
        """Return the operator of a node, as it is in the opset of the model."""
        opset, before = BEFORE.get(node.op_type, (0, None)) if node.domain in DOMAINS else (0, None)
        if self.opsets.get("", 1) < opset:
            return before
        return TABLES.get(node.domain, {}).get(node.op_type)

    def _branch(self, node: Any) -> list[Any]:
        """Return what the branch of an `If` gives whose condition the model and the shapes decide."""
        condition = self.values[node.input[0]]
        if isinstance(condition, TracedArray):
            raise UnsupportedError("its condition depends on values of the inputs")
        wanted = "then_branch" if bool(np.all(condition)) else "else_branch"
        return self._body(_graph_of(node, wanted), [])

    def _loop(self, node: Any) -> list[Any]:
        """Return what a `Loop` gives, written out, if the model and the shapes decide how often it runs."""
        most, condition, *states = [self.values[name] if name else None for name in node.input]
        body = _graph_of(node, "body")
        collected: list[list[Any]] = [[] for _ in body.output[1 + len(states) :]]
        turn = 0
        while (most is None or turn < _decided(most)) and (condition is None or _decided(condition)):
            condition, *results = self._body(body, [np.array(turn), np.array(True), *states])
            states = results[: len(states)]
            for parts, part in zip(collected, results[len(states) :], strict=True):
                parts.append(part)
            turn += 1
        return [*states, *(_stacked(parts, 0) for parts in collected)]

    def _scan(self, node: Any) -> list[Any]:
        """Return what a `Scan` gives, written out: its inputs have a length."""
        if self.opsets.get("", 1) < 9:
            raise UnsupportedError("before opset 9 it has an axis of examples")
        options = {a.name: self._attribute(a) for a in node.attribute if a.name != "body"}
        body = _graph_of(node, "body")
        operands = [self.values[name] for name in node.input]
        split = len(operands) - options["num_scan_inputs"]
        if not 0 <= split < len(operands):
            raise UnsupportedError("it scans none of its inputs, or more than it has")
        states, scanned = operands[:split], operands[split:]
        axes = options.get("scan_input_axes") or [0] * len(scanned)
        backwards = options.get("scan_input_directions") or [0] * len(scanned)
        scanned = [np.moveaxis(x, axis, 0) for x, axis in zip(scanned, axes, strict=True)]
        scanned = [np.flip(x, 0) if turned else x for x, turned in zip(scanned, backwards, strict=True)]
        collected: list[list[Any]] = [[] for _ in body.output[split:]]
        for turn in range(np.shape(scanned[0])[0]):
            results = self._body(body, [*states, *(x[turn] for x in scanned)])
            states = results[:split]
            for parts, part in zip(collected, results[split:], strict=True):
                parts.append(part)
        axes = options.get("scan_output_axes") or [0] * len(collected)
        backwards = options.get("scan_output_directions") or [0] * len(collected)
        ordered = [parts[::-1] if turned else parts for parts, turned in zip(collected, backwards, strict=True)]
        return [*states, *(_stacked(parts, axis) for parts, axis in zip(ordered, axes, strict=True))]

    def _body(self, graph: Any, operands: Sequence[Any]) -> list[Any]:
        """Return what a graph within a node gives; it reads the values around it, and its names are its own."""
        self._count(f"graph {graph.name!r}")
        around = dict(self.values)
        for info, operand in zip(graph.input, operands, strict=True):
            self.values[info.name] = operand
        for tensor in graph.initializer:
            self._add_weight(tensor)
        for inner in graph.node:
            self._compute(inner)
        results = [self.values[info.name] for info in graph.output]
        self.values = around
        return results

    def _definition(self, node: Any, operands: Sequence[Any], function: Any, attributes: dict[str, Any]) -> list[Any]:
        """Return what an operator gives that ONNX defines by others."""
        outside = self.values, self.within, self.renamed, self.attributes
        self.values = {
            **self.values,
            **dict.fromkeys(function.input),
            **dict(zip(function.input, operands, strict=False)),
        }
        self.renamed = {
            inner: f"{self.within}{outer}" for inner, outer in zip(function.output, node.output, strict=False) if outer
        }
        self.within, self.attributes = f"{self.within}{node.output[0]}/", attributes
        try:
            for inner in function.node:
                self._compute(inner)
            return [self.values.get(name) for name in function.output]
        finally:
            self.values, self.within, self.renamed, self.attributes = outside

    def _given(self, node: Any) -> list[Any]:
        """Return the attributes of a node; in a definition some are those of the operator that it defines."""
        given = []
        for a in node.attribute:
            if not a.ref_attr_name:
                given.append(a)
            elif a.ref_attr_name in self.attributes:
                named = self.onnx.AttributeProto()
                named.CopyFrom(self.attributes[a.ref_attr_name])
                named.name = a.name
                given.append(named)
        return given

    def _attribute(self, attribute: Any) -> Any:
        if attribute.type == self.onnx.AttributeProto.TENSOR:
            array = self.tensors.array(attribute.t)
            return array.astype(float) if array.dtype.kind == "f" else array
        if attribute.type in {self.onnx.AttributeProto.GRAPH, self.onnx.AttributeProto.GRAPHS}:
            raise UnsupportedError("it holds a graph of its own")
        value = self.onnx.helper.get_attribute_value(attribute)
        return list(value) if isinstance(value, Sequence) and not isinstance(value, bytes) else value

    def _keep(self, name: str, result: Any) -> None:
        if isinstance(result, TracedArray):
            variable, name_outside = result.variable, self.renamed.get(name, f"{self.within}{name}")
            if variable.name != name_outside:
                if variable.name or variable.step is None:
                    result = self.recording.apply("identity", [result], {})
                self.recording.name(result, name_outside)
        elif result is not None and not isinstance(result, list) and np.asarray(result).dtype.kind not in "biuf":
            raise UnsupportedError("its result holds no real numbers")
        elif result is not None and not isinstance(result, list):
            limits_in_force().spent += np.size(result)
        self.values[name] = result


def _require_room(node: Any, operands: Sequence[Any], attributes: Mapping[str, Any]) -> None:
    """Raise `LimitError` before plain arrays make one that is too large; a recording sees to the traced ones."""
    shapes = [np.shape(x) for x in operands if x is not None and not isinstance(x, list)]
    if len(shapes) < 2 or any(isinstance(x, TracedArray) for x in operands):
        return
    first, second = map(math.prod, shapes[:2])
    match node.op_type:
        case "Concat":
            count = sum(map(math.prod, shapes))
        case "MatMul" | "Gemm" if shapes[0]:
            summed = shapes[0][0 if attributes.get("transA") else -1]
            count = first * second // max(summed, 1) ** 2
        case "Gather" if shapes[0]:
            count = second * first // max(shapes[0][attributes.get("axis", 0)], 1)
        case "Einsum":
            count = first * second
        case _:  # as they are broadcast, if they are
            lengths = itertools.zip_longest(*(reversed(shape) for shape in shapes), fillvalue=1)
            count = math.prod(map(max, lengths))
    require_entries(count, "its result")


def _graph_of(node: Any, name: str) -> Any:
    return next(attribute.g for attribute in node.attribute if attribute.name == name)


def _decided(x: Any) -> Any:
    """Return a number or a condition that the model and the shapes decide."""
    if isinstance(x, TracedArray):
        raise UnsupportedError("how often it runs depends on values of the inputs")
    return np.asarray(x).ravel()[0]


def _stacked(parts: Sequence[Any], axis: int) -> Any:
    if not parts:
        raise UnsupportedError("it never runs, and what it collects is empty")
    return np.stack(parts, axis=axis)


def _shape(info: Any) -> str:
    """Return in words which shape an input has."""
    dims: Iterator[str] = (
        d.dim_param or (str(d.dim_value) if d.HasField("dim_value") else "?") for d in info.type.tensor_type.shape.dim
    )
    shape = ", ".join(dims)
    return f" of shape ({shape})" if shape else ""
