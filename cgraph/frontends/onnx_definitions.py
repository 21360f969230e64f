"""Operators that ONNX itself defines by others: which nodes one stands for.

Source: the functions in the operator schemas, github.com/onnx/onnx, docs/IR.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cgraph.frontends.onnx_values import UnsupportedError
from cgraph.model.errors import shorten
from cgraph.model.tracing.traced_arrays import TracedArray

__all__ = ["definition_of"]


def definition_of(onnx: Any, node: Any, operands: Sequence[Any], opsets: Mapping[str, int]) -> Any:
    """Return the function that an operator stands for, an `onnx.FunctionProto`, and its attributes; None if there is none.

    Parameters
    ----------
    onnx : module
    node : onnx.NodeProto
    operands : list
        Traced arrays, plain arrays, None for what is left out; their kinds and shapes may decide what the function is.
    opsets : dict
        ``{domain: version}`` of the model.
    """
    version = opsets.get(node.domain, 0)
    if not onnx.defs.has(node.op_type, domain=node.domain, max_inclusive_version=version):
        return None
    schema = onnx.defs.get_schema(node.op_type, domain=node.domain, max_inclusive_version=version)
    whole = onnx.NodeProto()
    whole.CopyFrom(node)
    given = {attribute.name for attribute in node.attribute}
    whole.attribute.extend(
        a.default_value for name, a in schema.attributes.items() if name not in given and a.default_value.name
    )
    if not (schema.has_function or schema.has_context_dependent_function):
        return None
    if not schema.min_input <= len(operands) <= schema.max_input:
        raise UnsupportedError(f"it has {len(operands)} operands")
    try:
        text = _text_of(onnx, schema, version, whole, operands)
    except RuntimeError as error:
        raise UnsupportedError(f"ONNX has no definition for it: {shorten(str(error))}") from None
    if not text:
        raise UnsupportedError("ONNX has no definition for these operands and attributes")
    return onnx.FunctionProto.FromString(text), {attribute.name: attribute for attribute in whole.attribute}


def _text_of(onnx: Any, schema: Any, version: int, node: Any, operands: Sequence[Any]) -> bytes:
    """Return the function of a schema, as bytes."""
    if schema.has_function:
        return bytes(schema.get_function_with_opset_version(_newest(schema.function_opset_versions, version)))
    types = [_type_of(onnx, operand).SerializeToString() for operand in operands]
    newest = _newest(schema.context_dependent_function_opset_versions, version)
    return bytes(schema.get_context_dependent_function_with_opset_version(newest, node.SerializeToString(), types))


def _newest(versions: Sequence[int], most: int) -> int:
    return max((version for version in versions if version <= most), default=min(versions))


def _type_of(onnx: Any, operand: Any) -> Any:
    if operand is None:
        return onnx.TypeProto()
    is_float = isinstance(operand, TracedArray) or np.asarray(operand).dtype.kind == "f"
    kind = onnx.TensorProto.FLOAT if is_float else onnx.helper.np_dtype_to_tensor_dtype(np.asarray(operand).dtype)
    return onnx.helper.make_tensor_type_proto(kind, np.shape(operand))
