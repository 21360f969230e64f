"""ONNX's own cases, as its package ships them: models of one operator with inputs and outputs."""

import warnings
from functools import cache
from pathlib import Path

import numpy as np


@cache
def conformance_cases():
    """Return {name: (model, inputs, outputs, rtol, atol)} for the cases whose inputs and outputs are numbers."""
    from onnx.backend.test.case.node import collect_testcases
    from onnx.backend.test.loader import load_model_tests

    found = {}
    with warnings.catch_warnings(action="ignore"):
        cases = collect_testcases(None)
    for case in cases:
        if case.model is not None and case.data_sets:
            inputs, outputs = case.data_sets[0]
            found[case.name] = (case.model, inputs, outputs, case.rtol, case.atol)
    for kind in ("simple", "pytorch-operator", "pytorch-converted"):
        for case in load_model_tests(kind=kind):
            if case.model_dir:
                found[f"{kind}: {case.name}"] = _stored(Path(case.model_dir), case)
    return {name: case for name, case in found.items() if _is_numeric(case)}


def _stored(folder, case):
    import onnx
    from onnx import numpy_helper

    model = onnx.load(folder / "model.onnx")
    sides = []
    for side in ("input", "output"):
        paths = sorted(
            (folder / "test_data_set_0").glob(f"{side}_*.pb"), key=lambda path: int(path.stem.split("_")[-1])
        )
        arrays = []
        for path in paths:
            try:
                arrays.append(numpy_helper.to_array(onnx.TensorProto.FromString(path.read_bytes())))
            except Exception:  # noqa: BLE001 - a sequence, or a text
                arrays.append("no array")
        sides.append(arrays)
    return (model, *sides, case.rtol, case.atol)


def _is_numeric(case):
    def is_float(value):
        return isinstance(value, np.ndarray | np.generic) and np.asarray(value).dtype.kind == "f"

    _model, inputs, outputs, *_ = case
    numbers = all(isinstance(value, np.ndarray | np.generic) for value in (*inputs, *outputs))
    return numbers and any(map(is_float, inputs)) and any(map(is_float, outputs))
