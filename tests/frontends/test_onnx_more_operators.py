"""Operators of ONNX beside PyTorch's own, with derivatives, and by hand: pictures, spectra, attention, scatters, loops."""

import numpy as np
import pytest

import cgraph as cg

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402 - once it is known to be there

RNG = np.random.default_rng(5)
DOUBLE = TensorProto.DOUBLE


def graph_of(nodes, inputs, outputs=("y",), constants=None, opset=22, **options):
    """Return the graph of a model; constants keep their kind, as the indices of a scatter."""
    ends = [[helper.make_tensor_value_info(name, DOUBLE, None) for name in side] for side in (inputs, outputs)]
    weights = [numpy_helper.from_array(np.asarray(array), name) for name, array in (constants or {}).items()]
    graph = helper.make_graph(nodes, "g", *ends, weights)
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], **options)
    return cg.from_onnx(proto, inputs)


def assert_like_torch(G, function, *inputs):
    """Value and gradients of a random function of the result, by the names of the inputs in turn."""
    torch = pytest.importorskip("torch")
    tensors = [torch.tensor(array, requires_grad=True) for array in inputs]
    y = function(torch, *tensors)
    seed = np.random.default_rng(1).normal(size=tuple(y.shape))
    (y * torch.tensor(seed)).sum().backward()
    L = cg.linearize(G)
    np.testing.assert_allclose(L.nodes["y"]["value"], y.detach().numpy(), rtol=1e-9, atol=1e-12)
    S = cg.loss_sensitivities(L, {"y": seed})
    for name, tensor in zip(G.inputs, tensors, strict=True):
        np.testing.assert_allclose(np.reshape(S[name], tensor.shape), tensor.grad, rtol=1e-8, atol=1e-10)


# --- pictures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("shape", "size"), [((1, 2, 3, 4), (6, 5)), ((2, 1, 6, 5), (4, 2))])
@pytest.mark.parametrize(
    ("options", "meaning"),
    [
        ({"mode": "linear"}, {"mode": "bilinear"}),
        ({"mode": "linear", "antialias": 1, "exclude_outside": 1}, {"mode": "bilinear", "antialias": True}),
        ({"mode": "linear", "coordinate_transformation_mode": "align_corners"}, {"mode": "bilinear", "align_corners": True}),
        ({"mode": "cubic"}, {"mode": "bicubic"}),
        ({"mode": "cubic", "coordinate_transformation_mode": "align_corners"}, {"mode": "bicubic", "align_corners": True}),
        ({"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}, {"mode": "nearest"}),
    ],
)  # fmt: skip
def test_pictures_of_another_size(shape, size, options, meaning):
    x = RNG.normal(size=shape)
    node = helper.make_node("Resize", ["x", "", "", "n"], ["y"], **options)
    G = graph_of([node], {"x": x}, constants={"n": np.array([*shape[:2], *size])})
    assert_like_torch(G, lambda torch, x: torch.nn.functional.interpolate(x, size=size, **meaning), x)


def test_scales_are_no_nodes():
    node = helper.make_node("Resize", ["x", "", "s"], ["y"])
    G = graph_of([node], {"x": [[1.0, 2.0]]}, constants={"s": np.array([1.0, 2.0], np.float32)})
    assert (G.inputs, G.weights) == (["x"], [])
    assert cg.evaluate(G)["y"].tolist() == [[1.0, 1.0, 2.0, 2.0]]
    assert cg.sensitivity(cg.linearize(G), "x", "y").tolist() == [[1, 0], [1, 0], [0, 1], [0, 1]]
    node = helper.make_node("Upsample", ["x"], ["y"], scales=[1.0, 2.0])
    assert cg.evaluate(graph_of([node], {"x": [[1.0, 2.0]]}, opset=7))["y"].tolist() == [[1.0, 1.0, 2.0, 2.0]]


@pytest.mark.parametrize("align_corners", [0, 1])
@pytest.mark.parametrize("padding_mode", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["linear", "nearest", "cubic"])
def test_pictures_read_at_the_points_of_a_grid(mode, padding_mode, align_corners):
    reach = (
        1.0 if mode == "cubic" and padding_mode != "zeros" else 1.7
    )  # beyond, PyTorch moves no point back before it reads
    x, grid = RNG.normal(size=(2, 2, 3, 4)), RNG.uniform(-reach, reach, size=(2, 3, 2, 2))
    node = helper.make_node(
        "GridSample", ["x", "grid"], ["y"], mode=mode, padding_mode=padding_mode, align_corners=align_corners
    )
    options = {
        "mode": mode if mode == "nearest" else f"bi{mode}", "padding_mode": padding_mode, "align_corners": bool(align_corners)
    }  # fmt: skip
    G = graph_of([node], {"x": x, "grid": grid})
    assert_like_torch(G, lambda torch, *args: torch.nn.functional.grid_sample(*args, **options), x, grid)


def test_a_window_that_is_not_bent_is_a_convolution():
    x, w, b = RNG.normal(size=(2, 4, 5, 6)), RNG.normal(size=(4, 2, 3, 2)), RNG.normal(size=4)
    node = helper.make_node(
        "DeformConv", ["x", "w", "o", "b"], ["y"], group=2, offset_group=2, pads=[1, 0, 1, 0], strides=[2, 1]
    )
    G = graph_of([node], {"x": x, "w": w, "b": b}, constants={"o": np.zeros((2, 2 * 3 * 2 * 2, 3, 5), np.int64)})
    options = {"padding": (1, 0), "stride": (2, 1), "groups": 2}
    assert_like_torch(G, lambda torch, x, w, b: torch.nn.functional.conv2d(x, w, b, **options), x, w, b)


def test_a_window_that_is_bent_has_the_derivatives_of_central_differences():
    node = helper.make_node("DeformConv", ["x", "w", "o", "", "m"], ["y"])
    shapes = {"x": (1, 2, 4, 4), "w": (1, 2, 2, 2), "o": (1, 8, 3, 3), "m": (1, 4, 3, 3)}
    G = graph_of([node], {name: RNG.normal(size=shape) for name, shape in shapes.items()})
    assert cg.check_derivatives(G).ok


def test_means_of_regions():
    """A region of the picture f(h, w) = 10 h + w, between the pixels: the mean of a part is f at its middle."""
    x = np.reshape(10.0 * np.arange(6)[:, None] + np.arange(8), (1, 1, 6, 8))
    node = helper.make_node(
        "RoiAlign", ["x", "rois", "i"], ["y"], output_height=2, output_width=1, sampling_ratio=2,
        coordinate_transformation_mode="output_half_pixel",
    )  # fmt: skip
    G = graph_of([node], {"x": x, "rois": [[1.0, 0.5, 4.5, 3.1]]}, constants={"i": np.array([0])})
    L = cg.linearize(G)
    np.testing.assert_allclose(np.ravel(L.nodes["y"]["value"]), [10 * (0.5 + 0.65) + 2.75, 10 * (0.5 + 1.95) + 2.75])
    # the middle of a part moves with the ends: by (3/4, 1/4) and (1/4, 3/4) of them in height, half each in width
    np.testing.assert_allclose(cg.sensitivity(L, "rois", "y"), [[0.5, 7.5, 0.5, 2.5], [0.5, 2.5, 0.5, 7.5]])


# --- spectra ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inverse", [0, 1])
@pytest.mark.parametrize("length", [None, 4, 7])
def test_fourier_transforms(inverse, length):
    x = RNG.normal(size=(2, 5, 2))
    operands = ["x"] if length is None else ["x", "n"]
    node = helper.make_node("DFT", operands, ["y"], inverse=inverse)
    G = graph_of([node], {"x": x}, constants={} if length is None else {"n": np.array(length)})

    def transformed(torch, x):
        function = torch.fft.ifft if inverse else torch.fft.fft
        return torch.view_as_real(function(torch.view_as_complex(x), n=length, dim=1))

    assert_like_torch(G, transformed, x)


@pytest.mark.parametrize("length", ["", "n"])
def test_a_transform_of_real_numbers_and_back(length):
    x = RNG.normal(size=(3, 6, 1))
    nodes = [
        helper.make_node("DFT", ["x"], ["s"], onesided=1),
        helper.make_node("DFT", ["s", length], ["y"], inverse=1, onesided=1),
    ]
    G = graph_of(nodes, {"x": x}, ["s", "y"], {"n": np.array(6)})
    values = cg.evaluate(G)
    np.testing.assert_allclose(values["s"][..., 0] + 1j * values["s"][..., 1], np.fft.rfft(x[..., 0]), atol=1e-12)
    np.testing.assert_allclose(values["y"], x, atol=1e-12)
    np.testing.assert_allclose(cg.sensitivity(cg.linearize(G), "x", "y"), np.eye(18), atol=1e-12)


def test_short_transforms():
    x, window = RNG.normal(size=(2, 10, 1)), np.hanning(4)
    node = helper.make_node("STFT", ["x", "step", "window"], ["y"])
    G = graph_of([node], {"x": x}, constants={"step": np.array(3), "window": window})
    frames = np.stack([x[:, k : k + 4, 0] * window for k in (0, 3, 6)], axis=1)
    y = cg.evaluate(G)["y"]
    np.testing.assert_allclose(y[..., 0] + 1j * y[..., 1], np.fft.rfft(frames), atol=1e-12)
    assert cg.check_derivatives(G).ok


# --- attention --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("causal", [False, True])
def test_attention(causal):
    q, k, v = (RNG.normal(size=(2, 3, 4, 5)) for _ in range(3))
    node = helper.make_node("Attention", ["q", "k", "v"], ["y"], is_causal=int(causal))
    G = graph_of([node], {"q": q, "k": k, "v": v}, opset=23)
    assert_like_torch(
        G, lambda torch, *args: torch.nn.functional.scaled_dot_product_attention(*args, is_causal=causal), q, k, v
    )
    assert "y/QKAttnWeight" in G  # the steps of its definition are nodes


def test_what_a_mask_hides_has_no_part():
    mask = np.array([[0.0, -np.inf], [0.0, 0.0]])
    nodes = [helper.make_node("Add", ["x", "mask"], ["s"]), helper.make_node("Softmax", ["s"], ["y"])]
    G = graph_of(nodes, {"x": [[3.0, 1.0], [0.0, 0.0]]}, constants={"mask": mask})
    L = cg.linearize(G)
    assert L.nodes["y"]["value"].tolist() == [[1.0, 0.0], [0.5, 0.5]]
    assert cg.sensitivity(L, "x", "y")[:2].tolist() == [[0.0] * 4] * 2


def test_a_row_that_is_masked_whole_is_no_number():
    mask = np.full((1, 2), -np.inf)
    nodes = [helper.make_node("Add", ["x", "mask"], ["s"]), helper.make_node("Softmax", ["s"], ["p"])]
    message = "output '.' holds what is not finite, as a mask makes it"
    for last in (["s"], ["p"]):
        with pytest.raises(cg.CGraphError, match=message):
            graph_of(nodes, {"x": [[3.0, 1.0]]}, last, {"mask": mask})
    guard = [
        helper.make_node("IsNaN", ["p"], ["bad"]),
        helper.make_node("Where", ["bad", "zero", "p"], ["q"]),
        helper.make_node("Add", ["q", "x"], ["y"]),
    ]
    G = graph_of([*nodes, *guard], {"x": [[3.0, 1.0]]}, constants={"mask": mask, "zero": np.zeros(1)})
    assert cg.evaluate(G)["y"].tolist() == [[3.0, 1.0]]
    assert cg.sensitivity(cg.linearize(G), "x", "y").tolist() == np.eye(2).tolist()


# --- places -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reduction", "y", "of_x", "of_u"),
    [
        ("none", [1, 30, 3], [1, 0, 1], [0, 1]),
        ("add", [1, 52, 3], [1, 1, 1], [1, 1]),
        ("mul", [1, 1200, 3], [1, 600, 1], [60, 40]),
        ("max", [1, 30, 3], [1, 0, 1], [0, 1]),
        ("min", [1, 2, 3], [1, 1, 1], [0, 0]),
    ],
)
def test_several_updates_at_one_place(reduction, y, of_x, of_u):
    node = helper.make_node("ScatterElements", ["x", "i", "u"], ["y"], reduction=reduction)
    G = graph_of([node], {"x": [1.0, 2.0, 3.0], "u": [20.0, 30.0]}, constants={"i": np.array([1, 1])})
    L = cg.linearize(G)
    S = cg.loss_sensitivities(L, {"y": np.ones(3)})
    assert L.nodes["y"]["value"].tolist() == y
    assert (np.ravel(S["x"]).tolist(), np.ravel(S["u"]).tolist()) == (of_x, of_u)


def test_largest_entries():
    node = helper.make_node("TopK", ["x", "k"], ["y", "numbers"])
    G = graph_of([node], {"x": [1.0, 5.0, 3.0]}, constants={"k": np.array([2])})
    L = cg.linearize(G)
    assert L.nodes["y"]["value"].tolist() == [5.0, 3.0]
    assert cg.sensitivity(L, "x", "y").tolist() == [[0, 1, 0], [0, 0, 1]]
    nodes = [node, helper.make_node("Gather", ["x", "numbers"], ["z"])]
    with pytest.raises(cg.CGraphError, match=r"node 'z' \(Gather\) cannot be computed: 'numbers'"):
        graph_of(nodes, {"x": [1.0, 5.0, 3.0]}, ["z"], {"k": np.array([2])})


def moved(node, constants, x=((1.0, 2.0), (3.0, 4.0), (5.0, 6.0)), **inputs):
    """Return what an operator makes of an array, having seen that its derivative says where the entries went."""
    G = graph_of([node], {"x": np.array(x), **inputs}, constants=constants)
    L = cg.linearize(G)
    y = L.nodes["y"]["value"]
    parts = [np.reshape(cg.sensitivity(L, s, "y") @ np.ravel(L.nodes[s]["value"]), np.shape(y)) for s in G.inputs]
    np.testing.assert_array_equal(sum(parts), y)
    return y.tolist()


def test_sequences_turned_round():
    lengths = {"n": np.array([2, 3])}
    node = helper.make_node("ReverseSequence", ["x", "n"], ["y"])  # steps, then examples
    assert moved(node, lengths) == [[3, 6], [1, 4], [5, 2]]
    node = helper.make_node("ReverseSequence", ["x", "n"], ["y"], batch_axis=0, time_axis=1)
    assert moved(node, lengths, np.reshape(np.arange(8.0), (2, 4))) == [[1, 0, 2, 3], [6, 5, 4, 7]]


def test_entries_that_a_condition_chooses():
    chosen = {"c": np.array([False, True, True])}
    assert moved(helper.make_node("Compress", ["x", "c"], ["y"], axis=0), chosen) == [[3, 4], [5, 6]]
    assert moved(helper.make_node("Compress", ["x", "c"], ["y"]), chosen) == [2, 3]


@pytest.mark.parametrize(
    ("mode", "first", "expected"),
    [("linear", 1, [[1, 2], [7, 8], [9, 10]]), ("circular", 2, [[9, 10], [3, 4], [7, 8]])],
)
def test_rows_of_a_cache_are_replaced(mode, first, expected):
    node = helper.make_node("TensorScatter", ["x", "u", "i"], ["y"], mode=mode)
    x, u = np.reshape(np.arange(1.0, 7.0), (1, 3, 2)), np.reshape(np.arange(7.0, 11.0), (1, 2, 2))
    assert moved(node, {"i": np.array([first])}, x, u=u) == [expected]


def test_slices_are_scattered():
    node = helper.make_node("ScatterND", ["x", "i", "u"], ["y"])
    assert moved(node, {"i": np.array([[2], [0]])}, u=[[7.0, 8.0], [9.0, 10.0]]) == [[9, 10], [3, 4], [7, 8]]


def test_a_pool_is_undone():
    node = helper.make_node("MaxUnpool", ["x", "i", "n"], ["y"], kernel_shape=[2], strides=[2])
    constants = {"i": np.array([[[1, 2]]]), "n": np.array([1, 1, 5])}
    assert moved(node, constants, [[[7.0, 9.0]]]) == [[[0, 7, 9, 0, 0]]]
    node = helper.make_node("MaxUnpool", ["x", "i"], ["y"], kernel_shape=[3], pads=[1, 0])
    assert moved(node, {"i": np.array([[[1, 2]]])}, [[[7.0, 9.0]]]) == [[[0, 7, 9]]]


def test_the_first_of_largest_entries():
    node = helper.make_node("Hardmax", ["x"], ["y"], axis=0)
    G = graph_of([node], {"x": [[1.0, 5.0], [1.0, 4.0], [0.0, 5.0]]})
    assert cg.evaluate(G)["y"].tolist() == [[1, 1], [0, 0], [0, 0]]


def test_a_padding_that_is_an_input():
    node = helper.make_node("Pad", ["x", "n", "fill"], ["y"])
    G = graph_of([node], {"x": [1.0, 2.0], "fill": np.array(7.0)}, constants={"n": np.array([1, 2])})
    L = cg.linearize(G)
    assert L.nodes["y"]["value"].tolist() == [7.0, 1.0, 2.0, 7.0, 7.0]
    assert np.ravel(cg.sensitivity(L, "fill", "y")).tolist() == [1, 0, 0, 1, 1]


# --- loops ------------------------------------------------------------------------------------------------------------


def body(nodes, inputs, outputs):
    ends = [[helper.make_tensor_value_info(name, DOUBLE, None) for name in side] for side in (inputs, outputs)]
    return helper.make_graph(nodes, "body", *ends)


def test_a_scan_is_written_out():
    step = body(
        [helper.make_node("Mul", ["h", "w"], ["wh"]), helper.make_node("Add", ["wh", "x_t"], ["h_t"]), helper.make_node("Identity", ["h_t"], ["out"])],
        ["h", "x_t"], ["h_t", "out"],
    )  # fmt: skip
    node = helper.make_node("Scan", ["h0", "x"], ["last", "y"], num_scan_inputs=1, body=step)
    inputs = {"h0": np.array(1.0), "x": [1.0, 2.0, 3.0], "w": np.array(0.5)}
    G = graph_of([node], inputs, ["last", "y"])
    L = cg.linearize(G)
    assert L.nodes["y"]["value"].tolist() == [1.5, 2.75, 4.375]
    assert np.ravel(cg.sensitivity(L, "x", "last")).tolist() == [0.25, 0.5, 1.0]
    assert cg.sensitivity(L, "w", "last") == pytest.approx(2.75 + 0.5 * (1.5 + 0.5 * 1.0))  # h2 + w (h1 + w h0)


def looped(most, condition="go"):
    step = body([helper.make_node("Mul", ["h", "x"], ["new"])], ["k", "go", "h"], [condition, "new"])
    node = helper.make_node("Loop", ["n", "", "one"], ["y"], body=step)
    return graph_of([node], {"x": np.array(3.0)}, constants={"n": np.array(most), "one": np.array(1.0)})


def test_a_loop_is_written_out():
    G = looped(4)
    assert (cg.evaluate(G)["y"], cg.sensitivity(cg.linearize(G), "x", "y")) == (81.0, 4 * 27.0)
    with pytest.raises(cg.CGraphError, match=r"\(Loop\).*how often it runs depends on values of the inputs"):
        looped(4, condition="new")


def test_a_loop_without_an_end_is_refused(monkeypatch):
    monkeypatch.setattr("cgraph.frontends.onnx_models.MAX_NODES", 50)
    with pytest.raises(cg.CGraphError, match="loops make a model of more than 50 nodes"):
        looped(2**62)


def test_sequences_hold_nodes():
    nodes = [
        helper.make_node("SplitToSequence", ["x"], ["parts"], axis=0, keepdims=0),
        helper.make_node("SequenceErase", ["parts", "first"], ["rest"]),
        helper.make_node("SequenceInsert", ["rest", "x0", "first"], ["all"]),
        helper.make_node("ConcatFromSequence", ["all"], ["y"], axis=0, new_axis=1),
    ]
    G = graph_of(nodes, {"x": [1.0, 2.0], "x0": np.array(9.0)}, constants={"first": np.array(0)})
    assert cg.evaluate(G)["y"].tolist() == [9.0, 2.0]
    assert cg.sensitivity(cg.linearize(G), "x", "y").tolist() == [[0, 0], [0, 1]]


def test_normalization_in_training():
    x, scale, bias = RNG.normal(size=(4, 2, 3)), RNG.normal(size=2), RNG.normal(size=2)
    node = helper.make_node("BatchNormalization", ["x", "scale", "bias", "m", "v"], ["y", "m2", "v2"], training_mode=1)
    G = graph_of([node], {"x": x, "scale": scale, "bias": bias}, ["y", "m2", "v2"], {"m": np.zeros(2), "v": np.ones(2)})
    np.testing.assert_allclose(cg.evaluate(G)["m2"], 0.1 * x.mean(axis=(0, 2)), rtol=1e-6)
    np.testing.assert_allclose(cg.evaluate(G)["v2"], 0.9 + 0.1 * x.var(axis=(0, 2)), rtol=1e-6)
    assert_like_torch(
        G,
        lambda torch, x, scale, bias: torch.nn.functional.batch_norm(x, None, None, scale, bias, training=True),
        x, scale, bias,
    )  # fmt: skip


def test_dequantized_weights():
    node = helper.make_node("DequantizeLinear", ["w", "scale", "zero"], ["y"], axis=0)
    G = graph_of(
        [node], {"scale": [0.5, 2.0]}, constants={"w": np.array([[130], [125]], np.uint8), "zero": np.array([128, 120], np.uint8)}
    )  # fmt: skip
    L = cg.linearize(G)
    assert L.nodes["y"]["value"].tolist() == [[1.0], [10.0]]
    assert cg.sensitivity(L, "scale", "y").tolist() == [[2, 0], [0, 5]]


# --- what a hostile file asks for -------------------------------------------------------------------------------------


def constants_of(**arrays):
    return {name: np.asarray(array) for name, array in arrays.items()}


@pytest.mark.parametrize(
    ("nodes", "constants", "error", "message"),
    [
        ([helper.make_node("Add", ["a", "b"], ["c"])], constants_of(a=np.ones((10**4, 1), int), b=np.ones(10**4, int)),
         cg.LimitError, r"\(Add\): its result, 100,000,000 entries"),
        ([helper.make_node("MatMul", ["a", "b"], ["c"])], constants_of(a=np.ones((10**4, 1), int), b=np.ones((1, 10**4), int)),
         cg.LimitError, r"\(MatMul\): its result, 100,000,000 entries"),
        ([helper.make_node("Gather", ["a", "b"], ["c"])], constants_of(a=np.ones((1, 10**4), int), b=np.zeros(10**4, int)),
         cg.LimitError, r"\(Gather\): its result, 100,000,000 entries"),
        ([helper.make_node("Concat", ["a", "a"], ["a1"], axis=0), *(helper.make_node("Concat", [f"a{k}"] * 2, [f"a{k + 1}"], axis=0) for k in range(1, 40)),
          helper.make_node("Identity", ["a40"], ["c"])], constants_of(a=np.ones(2, int)),
         cg.LimitError, r"\(Concat\): its result, .* entries"),
        ([helper.make_node("Resize", ["x", "", "a"], ["c"], mode="linear", antialias=1)], constants_of(a=np.float32([1e-9])),
         cg.CGraphError, r"\(Resize\)"),
        ([helper.make_node("Attention", ["x"], ["c"])], {}, cg.CGraphError, r"\(Attention\) is not supported: it has 1 operands"),
        ([helper.make_node("Attention", ["x", "x", "x"], ["c"], scale="text")], {}, cg.CGraphError, r"\(Attention\)"),
        ([helper.make_node("Loop", ["a", "", "x"], ["c"], body=body([], ["k", "go", "h"], ["go", "h"]))], constants_of(a=2**62), cg.CGraphError,
         "loops make a model of more than"),
        ([helper.make_node("Scan", ["x"], ["c"], num_scan_inputs=7, body=body([], ["x_t"], ["x_t"]))], {}, cg.CGraphError, r"\(Scan\)"),
        ([helper.make_node("DFT", ["x2", "a"], ["c"])], constants_of(a=10**6), cg.LimitError, r"\(DFT\): its matrix"),
        ([helper.make_node("LSTM", ["x", "x", "x"], ["c"])], {}, cg.CGraphError, r"\(LSTM\)"),
    ],
)  # fmt: skip
def test_what_takes_too_much_is_refused(nodes, constants, error, message):
    nodes = [helper.make_node("Reshape", ["x", "two"], ["x2"]), *nodes]
    nodes += [helper.make_node("Cast", ["c"], ["d"], to=DOUBLE), helper.make_node("Add", ["x", "d"], ["y"])]
    with pytest.raises(error, match=message):
        graph_of(nodes, {"x": [1.0, 2.0]}, constants={"two": np.array([1, 2, 1]), **constants}, opset=23)
