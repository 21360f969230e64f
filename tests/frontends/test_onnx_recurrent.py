"""Recurrent layers of ONNX: PyTorch's own, and each option beside a loop that says what it means."""

import io
import warnings

import numpy as np
import pytest

import cgraph as cg

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402 - once it is known to be there

T, B, I, H = 4, 3, 2, 2  # steps, examples, inputs, units

# --- beside PyTorch ---------------------------------------------------------------------------------------------------


def graph_of(net, *args):
    """Return the graph of a network that PyTorch exports; it joins arrays that are equal, so that none may be."""
    torch = pytest.importorskip("torch")
    with torch.no_grad():
        for array in net.parameters():
            array.copy_(torch.randn_like(array) * 0.5)
    file = io.BytesIO()
    with warnings.catch_warnings(action="ignore"):
        torch.onnx.export(net, args, file, dynamo=False, opset_version=17, do_constant_folding=False)
    proto = onnx.ModelProto.FromString(file.getvalue())
    names = [info.name for info in proto.graph.input]
    values = [a.detach().numpy() for arg in args for a in (arg if isinstance(arg, tuple) else (arg,))]
    return cg.from_onnx(proto, dict(zip(names, values, strict=True)))


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize(
    "options", [{}, {"bidirectional": True}, {"num_layers": 2, "batch_first": True}, {"bias": False}], ids=str
)
def test_layers_of_pytorch_have_the_gradients_of_backward(kind, options):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    net = getattr(torch.nn, kind)(I, H, **options).double()
    x = torch.randn(B, T, I, dtype=torch.double, requires_grad=True)
    G = graph_of(net, x)
    y, last = net(x)
    outputs = (y, *(last if kind == "LSTM" else (last,)))
    sum((output**2).sum() for output in outputs).backward()
    L = cg.linearize(G)
    seeds = {name: 2 * output.detach().numpy() for name, output in zip(G.outputs, outputs, strict=True)}
    for name, seed in seeds.items():
        np.testing.assert_allclose(2 * L.nodes[name]["value"], seed, rtol=1e-12, atol=1e-14)
    S = cg.loss_sensitivities(L, seeds)
    np.testing.assert_allclose(np.reshape(S[G.inputs[0]], x.shape), x.grad, rtol=1e-9, atol=1e-12)
    assert set(G.weights) == {name for name, _ in net.named_parameters()}
    for name, parameter in net.named_parameters():
        np.testing.assert_allclose(np.reshape(S[name], parameter.shape), parameter.grad, rtol=1e-9, atol=1e-12)


def test_initial_states_are_inputs():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    net = torch.nn.LSTM(I, H).double()
    x, h, c = (
        torch.randn(*shape, dtype=torch.double, requires_grad=True) for shape in ((T, B, I), (1, B, H), (1, B, H))
    )
    G = graph_of(net, x, (h, c))
    y, _ = net(x, (h, c))
    y.sum().backward()
    S = cg.loss_sensitivities(cg.linearize(G), {G.outputs[0]: np.ones(y.shape)})
    for name, array in zip(G.inputs, (x, h, c), strict=True):
        np.testing.assert_allclose(np.reshape(S[name], array.shape), array.grad, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_shorter_sequences_are_those_that_pytorch_packs(kind):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    net = getattr(torch.nn, kind)(I, H, bidirectional=True).double()
    x, lengths = torch.randn(T, B, I, dtype=torch.double), [4, 1, 3]
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=False)
    y, last = net(packed)
    y, _ = torch.nn.utils.rnn.pad_packed_sequence(y)
    h = last[0] if kind == "LSTM" else last
    n = {"LSTM": [0, 3, 1, 2], "GRU": [1, 0, 2], "RNN": [0]}[kind]  # ONNX's order of PyTorch's gates

    def gates(name):
        return np.stack([
            np.concatenate([getattr(net, f"{name}_l0{side}").detach().numpy().reshape(len(n), H, -1)[k] for k in n])
            for side in ("", "_reverse")
        ])  # fmt: skip

    W, R = gates("weight_ih"), gates("weight_hh")
    b = np.concatenate([gates("bias_ih"), gates("bias_hh")], axis=1)[..., 0]
    options = {"linear_before_reset": 1} if kind == "GRU" else {}
    G = layer(kind, x.numpy(), W, R, B=b, sequence_lens=np.array(lengths), direction="bidirectional", **options)
    values = cg.evaluate(G)
    np.testing.assert_allclose(values["Y"], y.detach().numpy().reshape(T, B, 2, H).transpose(0, 2, 1, 3), rtol=1e-12)
    np.testing.assert_allclose(values["Y_h"], h.detach().numpy(), rtol=1e-12)
    assert cg.check_derivatives(G).ok


# --- option by option -------------------------------------------------------------------------------------------------

INPUTS = ["x", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P"]


def layer(kind, x, W, R, *, direction="forward", **options):
    """Return the graph of one layer; arrays are inputs of the operator, anything else an attribute."""
    arrays = {"x": x, "W": W, "R": R} | {k: options.pop(k) for k in INPUTS if k in options}
    present = [name if name in arrays else "" for name in INPUTS]
    while not present[-1]:
        present.pop()
    outputs = ["Y", "Y_h", "Y_c"][: 3 if kind == "LSTM" else 2]
    node = helper.make_node(kind, present, outputs, hidden_size=H, direction=direction, **options)
    weights = [
        numpy_helper.from_array(np.asarray(a, np.int32 if name == "sequence_lens" else float), name)
        for name, a in arrays.items()
        if name != "x"
    ]
    ends = [[helper.make_tensor_value_info(i, TensorProto.DOUBLE, None) for i in side] for side in (["x"], outputs)]
    return cg.from_onnx(helper.make_model(helper.make_graph([node], "g", *ends, weights)), {"x": x})


def arrays(gates, directions=1, seed=0):
    rng = np.random.default_rng(seed)
    shapes = ((T, B, I), (directions, gates * H, I), (directions, gates * H, H), (directions, 2 * gates * H))
    return [0.7 * rng.normal(size=shape) for shape in shapes]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(x, W, R, b, P, h, c, *, f=sigmoid, g=np.tanh, output=np.tanh, clip=np.inf, input_forget=False):
    """The equations of ONNX's schema, for one example and direction at a time."""
    cut = lambda s: np.clip(s, -clip, clip)  # noqa: E731 - as the schema has it
    Wi, Wo, Wf, Wc = np.split(W, 4)
    Ri, Ro, Rf, Rc = np.split(R, 4)
    bi, bo, bf, bc = np.split(b[: 4 * H] + b[4 * H :], 4)
    Pi, Po, Pf = np.split(P, 3)
    for x_t in x:
        i = f(cut(Wi @ x_t + Ri @ h + Pi * c + bi))
        forget = 1 - i if input_forget else f(cut(Wf @ x_t + Rf @ h + Pf * c + bf))
        new = g(cut(Wc @ x_t + Rc @ h + bc))
        c = forget * c + i * new
        h = f(cut(Wo @ x_t + Ro @ h + Po * c + bo)) * output(cut(c))
    return h, c


@pytest.mark.parametrize(
    ("options", "meaning"),
    [
        ({}, {}),
        ({"input_forget": 1}, {"input_forget": True}),
        ({"clip": 0.25}, {"clip": 0.25}),
        ({"activations": ["HardSigmoid", "Softsign", "Affine"], "activation_alpha": [0.25, 2.0], "activation_beta": [0.5, 1.0]},
         {"f": lambda s: np.clip(0.25 * s + 0.5, 0, 1), "g": lambda s: s / (1 + abs(s)), "output": lambda s: 2 * s + 1}),
    ],
)  # fmt: skip
def test_options_of_lstm(options, meaning):
    x, W, R, b = arrays(4)
    rng = np.random.default_rng(1)
    P, h, c = (rng.normal(size=shape) for shape in ((1, 3 * H), (1, B, H), (1, B, H)))
    G = layer("LSTM", x, W, R, B=b, P=P, initial_h=h, initial_c=c, **options)
    values = cg.evaluate(G)
    for k in range(B):
        expected = lstm(x[:, k], W[0], R[0], b[0], P[0], h[0, k], c[0, k], **meaning)
        np.testing.assert_allclose(values["Y_h"][0, k], expected[0], rtol=1e-12)
        np.testing.assert_allclose(values["Y_c"][0, k], expected[1], rtol=1e-12)
    np.testing.assert_allclose(values["Y"][-1], values["Y_h"])
    assert cg.check_derivatives(G).ok


@pytest.mark.parametrize("linear_before_reset", [0, 1])
def test_gru(linear_before_reset):
    x, W, R, b = arrays(3)
    G = layer("GRU", x, W, R, B=b, linear_before_reset=linear_before_reset)
    (Wz, Wr, Wh), (Rz, Rr, Rh) = np.split(W[0], 3), np.split(R[0], 3)
    bz, br, bh, cz, cr, ch = np.split(b[0], 6)
    h = np.zeros((B, H))
    for x_t in x:
        z, r = sigmoid(x_t @ Wz.T + h @ Rz.T + bz + cz), sigmoid(x_t @ Wr.T + h @ Rr.T + br + cr)
        reset = r * (h @ Rh.T + ch) if linear_before_reset else (r * h) @ Rh.T + ch
        h = (1 - z) * np.tanh(x_t @ Wh.T + reset + bh) + z * h
    np.testing.assert_allclose(cg.evaluate(G)["Y_h"][0], h, rtol=1e-12)
    assert cg.check_derivatives(G).ok


@pytest.mark.parametrize(
    ("name", "numbers", "function"),
    [
        ("Relu", {}, lambda s: np.maximum(s, 0)),
        ("Softplus", {}, lambda s: np.log1p(np.exp(s))),
        ("LeakyRelu", {}, lambda s: np.where(s < 0, 0.01 * s, s)),
        ("LeakyRelu", {"activation_alpha": [0.25]}, lambda s: np.where(s < 0, 0.25 * s, s)),
        ("ThresholdedRelu", {"activation_alpha": [0.125]}, lambda s: np.where(s > 0.125, s, 0)),
        ("ScaledTanh", {"activation_alpha": [2.0], "activation_beta": [0.5]}, lambda s: 2 * np.tanh(s / 2)),
        ("Elu", {"activation_alpha": [1.5]}, lambda s: np.where(s < 0, 1.5 * np.expm1(s), s)),
    ],
)
def test_activations(name, numbers, function):
    x, W, R, b = arrays(1, seed=3)
    h = np.zeros((B, H))
    for x_t in x:
        h = function(x_t @ W[0].T + h @ R[0].T + b[0, :H] + b[0, H:])
    G = layer("RNN", x, W, R, B=b, activations=[name], **numbers)
    np.testing.assert_allclose(cg.evaluate(G)["Y_h"][0], h, rtol=1e-12)
    assert cg.check_derivatives(G).ok


def test_each_direction_has_its_activation():
    x, W, R, _ = arrays(1, directions=2)
    values = cg.evaluate(layer("RNN", x, W, R, direction="bidirectional", activations=["Relu", "Tanh"]))
    alone = [
        cg.evaluate(layer("RNN", x, W[k : k + 1], R[k : k + 1], direction=direction, activations=[name]))
        for k, (direction, name) in enumerate([("forward", "Relu"), ("reverse", "Tanh")])
    ]
    np.testing.assert_array_equal(values["Y"], np.concatenate([a["Y"] for a in alone], axis=1))
    np.testing.assert_array_equal(values["Y_h"][1], alone[1]["Y"][0, 0])  # the last step backwards is the first


def test_a_layout_with_examples_first():
    x, W, R, b = arrays(3)
    first = cg.evaluate(layer("GRU", x.swapaxes(0, 1), W, R, B=b, layout=1))
    values = cg.evaluate(layer("GRU", x, W, R, B=b))
    np.testing.assert_array_equal(first["Y"], values["Y"].transpose(2, 0, 1, 3))
    np.testing.assert_array_equal(first["Y_h"], values["Y_h"].swapaxes(0, 1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"activations": ["Sine"]}, "its activation 'Sine' is not known"),
        ({"activations": ["Tanh", "Tanh"]}, "it names 2 activations"),
        ({"output_sequence": 1, "old": 1}, "it has the attributes old"),
    ],
)
def test_what_is_refused(options, message):
    x, W, R, _ = arrays(1)
    with pytest.raises(cg.CGraphError, match=rf"\(RNN\) is not supported: {message}"):
        layer("RNN", x, W, R, **options)
