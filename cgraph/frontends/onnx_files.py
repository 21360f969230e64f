"""Files of ONNX and the numbers in them, which are not to be trusted: their size is judged before they are read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cgraph.model.errors import ArchiveError, CGraphError, shorten
from cgraph.model.limits import require_entries

__all__ = ["Tensors", "expanded_nodes", "loaded"]

MAX_BYTES = 2_000_000_000  # of a model; no message of protobuf is larger
MAX_DEPTH = 100  # of functions that call functions


def loaded(onnx: Any, path: Path) -> Any:
    """Return the model in a file, an `onnx.ModelProto`, its size judged first."""
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise ArchiveError(f"{path.name!r} has {size:,} bytes; a model may have {MAX_BYTES:,}")
    try:
        model = onnx.ModelProto.FromString(path.read_bytes())
    except Exception as error:  # noqa: BLE001 - protobuf has errors of several kinds
        raise ArchiveError(f"{path.name!r} is no model of ONNX, or it is damaged: {shorten(str(error))}") from None
    if not model.HasField("graph"):
        raise ArchiveError(f"{path.name!r} is no model of ONNX: it holds no graph")
    if not all(isinstance(text, str) for text in _texts(model)):
        raise ArchiveError(f"{path.name!r} is no model of ONNX, or it is damaged: a name in it is not UTF-8")
    return model


def _texts(model: Any) -> Iterator[Any]:
    """Iterate over the names in a model; protobuf gives bytes for one that is not UTF-8."""
    graph = model.graph
    for holder in (*graph.input, *graph.output, *graph.initializer):
        yield holder.name
    for initializer in graph.initializer:
        for entry in initializer.external_data:
            yield from (entry.key, entry.value)
    for node in graph.node:
        yield from (node.name, node.domain, node.op_type, *node.input, *node.output)
        yield from (attribute.name for attribute in node.attribute)
    yield from (entry.domain for entry in model.opset_import)


def expanded_nodes(model: Any) -> float:
    """Return how many nodes a model has when its functions are inlined; infinitely many if one calls itself."""
    functions = {(function.domain, function.name): function.node for function in model.functions}
    counts: dict[tuple[str, str], float] = {}

    def count(nodes: Any, depth: int) -> float:
        total: float = 0
        for node in nodes:
            key = (node.domain, node.op_type)
            if key in functions and key not in counts:
                counts[key] = math.inf
                counts[key] = count(functions[key], depth + 1) if depth < MAX_DEPTH else math.inf
            total += counts.get(key, 1)
        return total

    return count(model.graph.node, 0)


class Tensors:
    """Reads the numbers of a model.

    Parameters
    ----------
    onnx : module
    folder : Path or None
        Of the model, if it stands in a file; weights in other files lie below it.
    """

    def __init__(self, onnx: Any, folder: Path | None) -> None:
        self._onnx = onnx
        self._folder = folder

    def array(self, tensor: Any) -> Any:
        """Return the numbers of a tensor, its size judged first."""
        count = int(np.prod(list(tensor.dims), dtype=object)) if tensor.dims else 1
        require_entries(count, f"tensor {tensor.name!r}")
        onnx = self._onnx
        try:
            if tensor.data_location == onnx.TensorProto.EXTERNAL:
                return self._external(tensor)
            return onnx.numpy_helper.to_array(tensor)
        except CGraphError:
            raise
        except (ValueError, TypeError, OverflowError) as error:
            raise ArchiveError(f"tensor {tensor.name!r} is damaged: {shorten(str(error))}") from None

    def _external(self, tensor: Any) -> Any:
        """Return the numbers of a tensor that stand in another file, which lies below the folder of the model."""
        if self._folder is None:
            raise ArchiveError(f"tensor {tensor.name!r} stands in another file; give the path of the model")
        entries = {entry.key: entry.value for entry in tensor.external_data}
        path = (self._folder / entries.get("location", "")).resolve()
        if not path.is_relative_to(self._folder) or not path.is_file():
            raise ArchiveError(
                f"tensor {tensor.name!r} stands in {entries.get('location')!r}, no file below the folder of the model"
            )
        dtype = np.dtype(self._onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type))
        count, offset = int(np.prod(list(tensor.dims), dtype=np.int64)), int(entries.get("offset", 0))
        with path.open("rb") as file:
            file.seek(offset)
            raw = file.read(count * dtype.itemsize)
        return np.frombuffer(raw, dtype.newbyteorder("<"), count).reshape(tuple(tensor.dims))
