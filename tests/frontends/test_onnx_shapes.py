"""Models of ONNX on strange shapes, beside onnx's reference evaluator, and files with one damaged byte."""

from contextlib import suppress

import numpy as np
import pytest

import cgraph as cg

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402 - once it is known to be there
from onnx.reference import ReferenceEvaluator  # noqa: E402 - once it is known to be there

RNG = np.random.default_rng(0)


def model_of(nodes, inputs, outputs, initializers=(), opset=17):
    infos = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, shape) for name, shape in inputs.items()]
    results = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, None) for name in outputs]
    weights = [numpy_helper.from_array(np.asarray(w), name) for name, w in dict(initializers).items()]
    graph = helper.make_graph(nodes, "test", infos, results, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def assert_as_reference(model, inputs):
    """The values of onnx's reference evaluator, and derivatives that central differences confirm."""
    G = cg.from_onnx(model, inputs=inputs)
    values = cg.evaluate(G)
    for name, wanted in zip(G.outputs, ReferenceEvaluator(model).run(None, inputs), strict=True):
        assert np.shape(values[name]) == wanted.shape
        np.testing.assert_allclose(values[name], wanted, rtol=1e-12, atol=1e-12)
    assert cg.check_derivatives(G).ok


@pytest.mark.parametrize(
    ("shape", "kernel", "attributes"),
    [
        ((2, 3, 7), (4, 3, 3), {"strides": [2], "pads": [1, 2]}),
        ((1, 4, 6), (6, 2, 2), {"group": 2, "dilations": [3]}),
        ((1, 2, 1), (1, 2, 3), {"pads": [4, 5], "strides": [3]}),
        ((2, 2, 5, 4), (3, 2, 2, 3), {"strides": [2, 3], "pads": [1, 0, 0, 2]}),
        ((1, 3, 4, 4), (3, 1, 3, 3), {"group": 3, "auto_pad": "SAME_UPPER", "strides": [2, 2]}),
        ((1, 1, 1, 1), (1, 1, 1, 1), {}),
    ],
)
def test_convolution_on_strange_shapes(shape, kernel, attributes):
    model = model_of(
        [helper.make_node("Conv", ["x", "W", "b"], ["y"], **attributes)],
        {"x": shape},
        ["y"],
        {"W": RNG.normal(size=kernel), "b": RNG.normal(size=kernel[0])},
    )
    assert_as_reference(model, {"x": RNG.normal(size=shape)})


@pytest.mark.parametrize("operator", ["MaxPool", "AveragePool"])
@pytest.mark.parametrize(
    "attributes",
    [
        {"kernel_shape": [2, 2], "strides": [2, 2]},
        {"kernel_shape": [3, 2], "strides": [2, 3], "pads": [1, 0, 2, 1]},
        {"kernel_shape": [1, 1]},
    ],
)
def test_pools_on_strange_shapes(operator, attributes):
    model = model_of([helper.make_node(operator, ["x"], ["y"], **attributes)], {"x": (2, 2, 5, 4)}, ["y"])
    assert_as_reference(model, {"x": RNG.normal(size=(2, 2, 5, 4))})


def test_average_pool_counts_no_padding_by_hand():
    node = helper.make_node("AveragePool", ["x"], ["y"], kernel_shape=[2], pads=[1, 1])
    G = cg.from_onnx(model_of([node], {"x": (1, 1, 2)}, ["y"]), inputs={"x": [[[2.0, 4.0]]]})
    assert cg.evaluate(G)["y"].tolist() == [[[2.0, 3.0, 4.0]]]
    np.testing.assert_array_equal(cg.sensitivity(cg.linearize(G), "x", "y"), [[1, 0], [0.5, 0.5], [0, 1]])


@pytest.mark.parametrize("opset", [7, 12, 13])
def test_softmax_of_old_opsets_flattens(opset):
    node = helper.make_node("Softmax", ["x"], ["y"], axis=1)
    model = model_of([node], {"x": (2, 2, 3)}, ["y"], opset=opset)
    x = RNG.normal(size=(2, 2, 3))
    total = cg.evaluate(cg.from_onnx(model, inputs={"x": x}))["y"].sum(axis=(1, 2) if opset < 13 else 1)
    np.testing.assert_allclose(total, np.ones_like(total))


def test_damaged_files_are_no_models(tmp_path):
    whole = model_of([helper.make_node("Exp", ["x"], ["y"])], {"x": (2,)}, ["y"]).SerializeToString()
    path = tmp_path / "m.onnx"
    for k in range(len(whole)):
        path.write_bytes(whole[:k] + bytes([whole[k] ^ 0xFF]) + whole[k + 1 :])
        with suppress(cg.CGraphError):
            cg.from_onnx(path, inputs={"x": [0.5, 0.5]})
