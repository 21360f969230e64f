"""Models of ONNX: its own conformance cases, networks from PyTorch and scikit-learn, and files that are not to be trusted."""

import io
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

import cgraph as cg
from cgraph.cli import main
from cgraph.frontends.onnx_ml_operators import ML_OPERATORS
from cgraph.frontends.onnx_operators import OPERATORS
from cgraph.frontends.onnx_training import TRAINING_OPERATORS

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402 - once it is known to be there
from onnx_cases import conformance_cases  # noqa: E402 - once it is known to be there

FLOAT = TensorProto.FLOAT


def model(nodes, inputs, outputs, initializers=(), **options):
    ends = [[helper.make_tensor_value_info(i, FLOAT, shape) for i, shape in side.items()] for side in (inputs, outputs)]
    return helper.make_model(helper.make_graph(nodes, "g", *ends, list(initializers)), **options)


def tensor(name, array):
    return numpy_helper.from_array(np.asarray(array, np.float32), name)


def small():
    nodes = [helper.make_node("MatMul", ["x", "W"], ["s"], name="first"), helper.make_node("Relu", ["s"], ["h"])]
    return model(nodes, {"x": [1, 2]}, {"h": [1, 1]}, [tensor("W", [[2.0], [-1.0]])])


# --- ONNX's own cases -------------------------------------------------------------------------------------------------


def graph_of_case(name):
    """Return the graph of a case and its inputs; None if it is refused."""
    proto, inputs, *_ = conformance_cases()[name]
    feeds = dict(zip((info.name for info in proto.graph.input), inputs, strict=False))
    try:
        return cg.from_onnx(proto, feeds), feeds
    except cg.CGraphError:
        return None, feeds


def test_every_case_is_right_or_refused():
    right = []
    for name, (proto, _, outputs, rtol, atol) in conformance_cases().items():
        G, _ = graph_of_case(name)
        if G is None:
            continue
        y = cg.evaluate(G)
        for info, expected in zip(proto.graph.output, outputs, strict=True):
            if info.name in G.outputs and np.asarray(expected).dtype.kind == "f":
                near = max(rtol, 2.0**-9) if expected.dtype == np.float16 else rtol  # rounded to 11 bits
                np.testing.assert_allclose(y[info.name], expected, near, max(atol, 1e-6), err_msg=name)
                assert np.shape(y[info.name]) == np.shape(expected), name
        right.append(name)
    manual = (Path(__file__).parent.parent.parent / "docs" / "from_onnx.md").read_text(encoding="utf-8")
    if onnx.__version__.startswith(re.search(r"Of ONNX ([\d.]+)'s own cases", manual)[1]):
        counts = len(right), len(conformance_cases()) - len(right)
        assert "{:,} are right and {} are refused by name".format(*counts) in manual
    assert len(right) > 1300
    assert set(right) >= {
        "test_conv_with_strides_padding", "test_batchnorm_example", "test_gemm_all_attributes",
        "test_layer_normalization_3d_axis1_epsilon", "test_softmax_axis_0", "test_maxpool_2d_pads",
    }  # fmt: skip


SMALL = 40  # entries of the inputs


def small_cases():
    for name, (_, inputs, *_) in conformance_cases().items():
        if sum(array.size for array in inputs if array.dtype.kind == "f") <= SMALL and "expanded" not in name:
            yield name


def test_derivatives_are_those_of_central_differences():
    compared = 0
    for name in small_cases():
        G, _ = graph_of_case(name)
        if G is None or not G.inputs:
            continue
        y = cg.evaluate(G)
        if any(np.max(np.abs(y[s])) > 1e6 for s in G.inputs):  # what memory held; some cases are not initialized
            continue
        try:
            L = cg.linearize(G)
        except cg.EvaluationError:  # acosh at 1 has no finite derivative
            continue
        for s in G.inputs:
            t = G.outputs[0]
            J = np.reshape(cg.sensitivity(L, s, t), (np.size(y[t]), np.size(y[s])))
            for k in range(np.size(y[s])):
                near = [_difference(G, s, t, y[s], k, step) for step in (1e-6, -1e-6)]
                if np.allclose(*near, rtol=1e-3, atol=1e-4) and np.max(np.abs(near)) < 1e4:  # else a kink, or a jump
                    np.testing.assert_allclose(
                        J[:, k], np.mean(near, axis=0), rtol=1e-4, atol=1e-4, err_msg=f"{name} {s}"
                    )
                    compared += 1
    assert compared > 2000


def _difference(G, s, t, value, k, step):
    moved = np.array(value, float)
    moved.reshape(-1)[k] += step
    try:
        there = cg.evaluate(G, {s: moved})[t]
    except cg.EvaluationError:  # outside the domain
        return np.full(np.size(cg.evaluate(G)[t]), np.inf)
    return (np.ravel(there) - np.ravel(cg.evaluate(G)[t])) / step


def test_graphs_hold_at_points_where_they_were_not_made():
    """What depends on an input must not have become a constant."""
    from onnx.reference import ReferenceEvaluator

    compared = 0
    for name in small_cases():
        proto, *_ = conformance_cases()[name]
        G, feeds = graph_of_case(name)
        if G is None or not G.inputs:
            continue
        other = {i: (np.asarray(v) * 0.9 + 0.05).astype(v.dtype) if i in G.inputs else v for i, v in feeds.items()}
        try:
            with warnings.catch_warnings(action="ignore"):
                expected = ReferenceEvaluator(proto).run(None, other)
            found = cg.evaluate(G, {i: other[i] for i in G.inputs})
        except Exception:  # noqa: BLE001 - outside the domain, or not in ONNX's reference
            continue
        for info, value in zip(proto.graph.output, expected, strict=True):
            if info.name in G.outputs and np.isfinite(value).all():
                np.testing.assert_allclose(found[info.name], value, 1e-3, 1e-5, err_msg=name)
                compared += 1
    assert compared > 300


def test_the_manual_lists_every_operator():
    text = (Path(__file__).parent.parent.parent / "docs" / "from_onnx.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"`(\w+)`", text.partition("## Operators")[2]))
    refused, control = {"Unique"}, {"If", "Loop", "Scan"}
    composed = listed - refused - control - {*OPERATORS, *ML_OPERATORS, *TRAINING_OPERATORS, "Constant"}
    assert listed == {*OPERATORS, *ML_OPERATORS, *TRAINING_OPERATORS, *refused, *control, *composed, "Constant"}
    assert len(composed) == 8
    for name in composed:
        schema = next(s for s in onnx.defs.get_all_schemas() if s.name == name)
        assert schema.has_function or schema.has_context_dependent_function


def test_every_operator_has_a_case():
    """Each operator of the table stands in a case that is right."""
    seen = set()
    for name, (proto, *_) in conformance_cases().items():
        if set(operators := {node.op_type for node in proto.graph.node}) <= seen:
            continue
        if graph_of_case(name)[0] is not None:
            seen |= operators
    of_no_float = {
        "EyeLike",
        "OneHot",
        "Greater",
        "GreaterOrEqual",
        "LessOrEqual",
        "Xor",
        "Or",
        "And",
        "Not",
        "Size",
        "CastLike",
    }
    in_other_tests = {"Trilu", "GlobalLpPool", "SpaceToDepth", "IsNaN", "IsInf", "SequenceLength"}
    assert set(OPERATORS) - seen <= of_no_float | in_other_tests


@pytest.mark.parametrize(
    ("node", "shape"),
    [
        (helper.make_node("Trilu", ["x"], ["y"], upper=0), [3, 4]),
        (helper.make_node("Trilu", ["x"], ["y"]), [2, 3, 3]),
        (helper.make_node("SpaceToDepth", ["x"], ["y"], blocksize=2), [1, 2, 4, 6]),
        (helper.make_node("CastLike", ["x", "x"], ["y"]), [2]),
    ],
    ids=lambda value: getattr(value, "op_type", ""),
)
def test_operators_without_a_case(node, shape):
    from onnx.reference import ReferenceEvaluator

    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    proto = model([node], {"x": shape}, {"y": None})
    (expected,) = ReferenceEvaluator(proto).run(None, {"x": x})
    np.testing.assert_allclose(cg.evaluate(cg.from_onnx(proto, {"x": x}))["y"], expected, rtol=1e-5)


def test_a_global_norm():
    x = np.random.default_rng(0).normal(size=(1, 2, 3, 2))
    proto = model([helper.make_node("GlobalLpPool", ["x"], ["y"], p=3)], {"x": [1, 2, 3, 2]}, {"y": None})
    expected = np.sum(np.abs(x) ** 3, axis=(2, 3), keepdims=True) ** (1 / 3)
    np.testing.assert_allclose(cg.evaluate(cg.from_onnx(proto, {"x": x}))["y"], expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("operator", "expected"),
    [("Greater", [0, 1]), ("GreaterOrEqual", [1, 1]), ("Less", [0, 0]), ("LessOrEqual", [1, 0])],
)
def test_conditions(operator, expected):
    nodes = [helper.make_node(operator, ["x", "b"], ["c"]), helper.make_node("Where", ["c", "x", "b"], ["y"])]
    proto = model(nodes, {"x": [2]}, {"y": [2]}, [tensor("b", [1.0, 1.0])])
    G = cg.from_onnx(proto, {"x": [1.0, 5.0]})
    assert cg.sensitivity(cg.linearize(G), "x", "y").tolist() == np.diag(expected).tolist()


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_names_roles_and_derivatives_by_hand():
    G = cg.from_onnx(small(), {"x": [[3.0, 1.0]]})
    assert (G.inputs, G.weights, G.outputs) == (["x"], ["W"], ["h"])
    L = cg.linearize(G)
    assert L.nodes["h"]["value"].tolist() == [[5.0]]
    assert cg.sensitivity(L, "x", "h").tolist() == [[2.0, -1.0]]
    assert cg.weight_gradients(L, {"h": np.ones((1, 1))})["W"].tolist() == [[3.0], [1.0]]


def test_an_operator_of_older_opsets():
    node = helper.make_node("Softmax", ["x"], ["y"], axis=1)
    proto = model([node], {"x": [1, 2, 2]}, {"y": [1, 2, 2]}, opset_imports=[helper.make_opsetid("", 11)])
    y = cg.evaluate(cg.from_onnx(proto, {"x": np.zeros((1, 2, 2))}))["y"]
    np.testing.assert_allclose(y, np.full((1, 2, 2), 0.25))  # over all entries of an example, not along an axis


def test_functions_of_a_model_are_inlined():
    square = helper.make_function(
        "own", "Square", ["a"], ["b"], [helper.make_node("Mul", ["a", "a"], ["b"])], [helper.make_opsetid("", 17)]
    )
    proto = model(
        [helper.make_node("Square", ["x"], ["y"], domain="own")], {"x": [2]}, {"y": [2]}, functions=[square],
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("own", 1)],
    )  # fmt: skip
    G = cg.from_onnx(proto, {"x": [3.0, -2.0]})
    assert cg.evaluate(G)["y"].tolist() == [9.0, 4.0]


def calling(body):
    """Return a model whose functions call each other: ``{function: functions that it calls}``."""
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    functions = []
    for name, calls in body.items():
        names = ["a", *(f"v{k}" for k in range(len(calls) - 1)), "b"]
        nodes = [
            helper.make_node(f, [names[k]], [names[k + 1]], domain="" if f == "Neg" else "own")
            for k, f in enumerate(calls)
        ]
        functions.append(helper.make_function("own", name, ["a"], ["b"], nodes, opsets))
    first = helper.make_node(next(iter(body)), ["x"], ["y"], domain="own")
    return model([first], {"x": [2]}, {"y": [2]}, functions=functions, opset_imports=opsets)


def test_functions_that_double_or_call_themselves_are_refused_at_once():
    doubling = {f"f{k}": [f"f{k + 1}"] * 2 for k in range(40)} | {"f40": ["Neg"]}
    with pytest.raises(cg.CGraphError, match=f"a model of {2**40:,} nodes"):
        cg.from_onnx(calling(doubling), {"x": [1.0, 2.0]})
    with pytest.raises(cg.CGraphError, match="a function of the model calls itself"):
        cg.from_onnx(calling({"f": ["f", "Neg"]}), {"x": [1.0, 2.0]})
    few = calling({f"f{k}": [f"f{k + 1}"] * 2 for k in range(3)} | {"f3": ["Neg"]})
    assert cg.evaluate(cg.from_onnx(few, {"x": [1.0, 2.0]}))["y"].tolist() == [1.0, 2.0]


def test_an_end_as_large_as_an_integer_can_be():
    ends = [numpy_helper.from_array(np.array([k]), name) for name, k in (("first", 1), ("last", 2**63 - 1))]
    proto = model([helper.make_node("Slice", ["x", "first", "last"], ["y"])], {"x": [3]}, {"y": [2]}, ends)
    assert cg.evaluate(cg.from_onnx(proto, {"x": [1.0, 2.0, 3.0]}))["y"].tolist() == [2.0, 3.0]


def test_the_branch_that_shapes_decide_is_inlined():
    def branch(name, operator):
        end = helper.make_tensor_value_info(name, FLOAT, None)
        return helper.make_graph([helper.make_node(operator, ["x"], [name])], name, [], [end])

    nodes = [
        helper.make_node("Size", ["x"], ["n"]), helper.make_node("Equal", ["n", "two"], ["c"]),
        helper.make_node("If", ["c"], ["y"], then_branch=branch("a", "Exp"), else_branch=branch("b", "Neg")),
    ]  # fmt: skip
    proto = model(nodes, {"x": [None]}, {"y": [None]}, [numpy_helper.from_array(np.array(2), "two")])
    assert cg.evaluate(cg.from_onnx(proto, {"x": [0.0, 0.0]}))["y"].tolist() == [1.0, 1.0]
    assert cg.evaluate(cg.from_onnx(proto, {"x": [1.0, 2.0, 3.0]}))["y"].tolist() == [-1.0, -2.0, -3.0]
    nodes[1] = helper.make_node("Greater", ["x", "z"], ["c"])
    proto = model(nodes, {"x": [1]}, {"y": [1]}, [tensor("z", [0.0])])
    with pytest.raises(cg.CGraphError, match=r"\(If\) is not supported: its condition depends on values of the inputs"):
        cg.from_onnx(proto, {"x": [1.0]})


def test_where_a_model_begins_to_compare_is_no_number():
    proto = model(
        [helper.make_node("Max", ["x", "least"], ["y"])], {"x": [2]}, {"y": [2]}, [tensor("least", [-np.inf])]
    )
    G = cg.from_onnx(proto, {"x": [1.0, -2.0]})
    assert cg.evaluate(G)["y"].tolist() == [1.0, -2.0]
    assert cg.sensitivity(cg.linearize(G), "x", "y").tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_what_no_output_of_floats_needs_is_left_out():
    nodes = [helper.make_node("Neg", ["x"], ["y"]), helper.make_node("ArgMax", ["x"], ["label"])]
    label = helper.make_tensor_value_info("label", TensorProto.INT64, [1, 1])
    proto = model(nodes, {"x": [1, 2]}, {"y": [1, 2]})
    proto.graph.output.append(label)
    assert cg.from_onnx(proto, {"x": [[1.0, 2.0]]}).outputs == ["y"]


# --- other programs ---------------------------------------------------------------------------------------------------


def networks():
    torch = pytest.importorskip("torch")

    class Convolutional(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = torch.nn.Conv2d(1, 3, 3, padding=1, stride=2)
            self.norm = torch.nn.BatchNorm2d(3)
            self.pool = torch.nn.MaxPool2d(2)
            self.line = torch.nn.Linear(3 * 2 * 2, 2)

        def forward(self, x):
            return torch.log_softmax(self.line(self.pool(torch.relu(self.norm(self.conv(x)))).flatten(1)), 1)

    class Block(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = torch.nn.MultiheadAttention(8, 2, batch_first=True)
            self.norms = torch.nn.ModuleList(torch.nn.LayerNorm(8) for _ in range(2))
            self.line = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.GELU(), torch.nn.Linear(16, 8))

        def forward(self, x):
            n = self.norms[0](x)
            h = x + self.attention(n, n, n, need_weights=False)[0]
            return h + self.line(self.norms[1](h))

    def random(*shape):
        return torch.randn(*shape, dtype=torch.double)

    torch.manual_seed(0)
    yield Convolutional(), (random(2, 1, 8, 8),)
    yield Block(), (random(2, 5, 8),)
    yield torch.nn.GRUCell(3, 4), (random(2, 3), random(2, 4))


@pytest.mark.parametrize("which", range(3), ids=["convolutional", "transformer block", "GRU cell"])
def test_networks_of_pytorch_have_the_gradients_of_backward(which, tmp_path):
    torch = pytest.importorskip("torch")
    net, args = list(networks())[which]
    net = net.double().eval()
    with torch.no_grad():
        for array in (*net.parameters(), *(b for b in net.buffers() if b.is_floating_point())):
            array.copy_(torch.rand_like(array) + 0.1)  # the exporter joins arrays that are equal
    file = io.BytesIO()
    with warnings.catch_warnings(action="ignore"):
        torch.onnx.export(net, args, file, dynamo=False, opset_version=17, do_constant_folding=False)
    proto = onnx.ModelProto.FromString(file.getvalue())
    names = [info.name for info in proto.graph.input]
    G = cg.from_onnx(proto, dict(zip(names, (array.numpy() for array in args), strict=True)))
    y = net(*args)
    (y**2).sum().backward()
    L = cg.linearize(G)
    cg.write_spec(G, tmp_path / "net.json")
    H = cg.linearize(cg.read_spec(tmp_path / "net.json"))
    assert H.edges == L.edges
    assert all(np.array_equal(H.nodes[i]["value"], L.nodes[i]["value"]) for i in G)
    (output,) = G.outputs
    np.testing.assert_allclose(L.nodes[output]["value"], y.detach().numpy(), rtol=1e-9, atol=1e-12)
    S = cg.loss_sensitivities(L, {output: 2 * y.detach().numpy()})
    stored = {name for name, _ in net.named_parameters()} & set(G.weights)
    assert len(stored) >= 4
    for name, parameter in net.named_parameters():
        if name in stored:
            np.testing.assert_allclose(np.reshape(S[name], parameter.shape), parameter.grad, rtol=1e-9, atol=1e-9)


X = np.random.default_rng(0).normal(size=(60, 3))


def estimators():
    pytest.importorskip("sklearn")
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.svm import SVR

    network = {"hidden_layer_sizes": (4,), "activation": "tanh", "max_iter": 40, "random_state": 0}
    return {
        "linear": LinearRegression(),
        "network": MLPRegressor(**network),
        "rbf": SVR(),
        "polynomial": SVR(kernel="poly", degree=2),
        "logistic": LogisticRegression(),
        "three classes": LogisticRegression(),
        "classifier": MLPClassifier(**network),
    }


@pytest.mark.parametrize("name", ["linear", "network", "rbf", "polynomial", "logistic", "three classes", "classifier"])
def test_pipelines_of_scikit_learn(name):
    skl2onnx = pytest.importorskip("skl2onnx")
    pytest.importorskip("sklearn")
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    y = X[:, 0] - X[:, 1] ** 2
    is_classifier = name in {"logistic", "three classes", "classifier"}
    if is_classifier:
        y = np.digitize(y, np.quantile(y, [1 / 3, 2 / 3])) if name == "three classes" else (y > 0).astype(int)
    with warnings.catch_warnings(action="ignore"):
        pipeline = make_pipeline(StandardScaler(), estimators()[name]).fit(X, y)
        options = {id(pipeline): {"zipmap": False}} if is_classifier else None
        proto = skl2onnx.to_onnx(pipeline, X[:1], target_opset=17, options=options)
    G = cg.from_onnx(proto, {"X": X[:2]})
    predict = pipeline.predict_proba if is_classifier else pipeline.predict
    (output,) = G.outputs
    np.testing.assert_allclose(np.squeeze(cg.evaluate(G)[output]), predict(X[:2]), rtol=1e-5, atol=1e-6)
    J = np.reshape(cg.sensitivity(cg.linearize(G), "X", output), (-1, 6))
    for k in range(6):
        moved = X[:2].copy()
        moved.reshape(-1)[k] += 1e-6
        difference = (cg.evaluate(G, {"X": moved})[output] - cg.evaluate(G)[output]) / 1e-6
        np.testing.assert_allclose(J[:, k], np.ravel(difference), rtol=1e-3, atol=1e-5)


def test_trees_are_refused_with_the_operator():
    skl2onnx = pytest.importorskip("skl2onnx")
    pytest.importorskip("sklearn")
    from sklearn.ensemble import GradientBoostingRegressor

    proto = skl2onnx.to_onnx(GradientBoostingRegressor(n_estimators=3).fit(X, X[:, 0]), X[:1])
    with pytest.raises(
        cg.CGraphError, match=r"\(TreeEnsemble\w*\) is not supported: the operator of ai.onnx.ml has no form"
    ):
        cg.from_onnx(proto, {"X": X[:1]})


# --- the command ------------------------------------------------------------------------------------------------------


def test_a_model_stands_for_a_spec(tmp_path, capsys):
    onnx.save(small(), tmp_path / "m.onnx")
    np.save(tmp_path / "x.npy", [[3.0, 1.0]])
    (tmp_path / "row.csv").write_text("3,1\n4,1\n")
    for value in (tmp_path / "x.npy", "[[3, 1]]"):
        assert main(["sensitivity", str(tmp_path / "m.onnx"), "--at", f"x={value}", "--from", "x", "--to", "h"]) == 0
        assert "[[2, -1]]" in capsys.readouterr().out
    assert main(["eval", "-e", "y = sum(x)", "--at", f"x={tmp_path / 'row.csv'}"]) == 0
    assert "9" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["eval", "m.onnx"], 4, "input 'x' has no value"),
        (["eval", "m.onnx", "--at", "x=none.npy"], 2, "there is no file 'none.npy'"),
        (["eval", "m.onnx", "--at", "x=bad.npy"], 2, "'bad.npy' cannot be read: it does not begin as .npy files do"),
        (["eval", "none.onnx", "--at", "x=1"], 2, "cannot read 'none.onnx': No such file"),
        (["eval", "bad.onnx", "--at", "x=1"], 4, "is no model of ONNX"),
    ],
)
def test_what_goes_wrong_at_the_command_line(tmp_path, capsys, monkeypatch, arguments, status, message):
    monkeypatch.chdir(tmp_path)
    onnx.save(small(), "m.onnx")
    for name in ("bad.npy", "bad.onnx"):
        (tmp_path / name).write_bytes(b"\xff nonsense")
    assert main(arguments) == status
    assert message in capsys.readouterr().err


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([helper.make_node("Unique", ["x"], ["y"], name="l")], r"node 'l' \(Unique\) is not supported: the operator has no form"),
        ([helper.make_node("Foo", ["x"], ["y"], domain="me")], r"node 'y' \(Foo\) is not supported: the operator of me has no"),
        ([helper.make_node("Relu", ["missing"], ["y"])], r"node 'y' \(Relu\) cannot be computed: 'missing'"),
        ([helper.make_node("Reshape", ["x", "x"], ["y"])], r"\(Reshape\) is not supported: it takes its shape from values of the inputs"),
        ([helper.make_node("Log", ["x"], ["y"])], r"node 'y' \(Log\) is not supported: log\(-1\)"),
        ([helper.make_node("Dropout", ["x", "", "t"], ["y"])], r"\(Dropout\) .* training mode"),
    ],
)  # fmt: skip
def test_what_has_no_form_is_named(nodes, message):
    training = helper.make_tensor("t", TensorProto.BOOL, [], [True])
    with pytest.raises(cg.CGraphError, match=message):
        cg.from_onnx(model(nodes, {"x": [2]}, {"y": [2]}, [training]), {"x": [-1.0, 2.0]})


@pytest.mark.parametrize(
    ("inputs", "error", "message"),
    [
        ({}, cg.MissingValueError, r"input 'x' has no value; give inputs={'x': ...} of shape \(1, 2\)"),
        ({"y": [1.0]}, cg.CGraphError, "the model has no input 'y'; the inputs are 'x'"),
        ({"x": [[np.nan, 1.0]]}, cg.CGraphError, "input 'x' holds what is not finite"),
        ({"x": [["a", "b"]]}, cg.CGraphError, "input 'x' holds no real numbers"),
        ({"x": [[1.0, 2.0, 3.0]]}, cg.CGraphError, r"node 'first' \(MatMul\)"),
    ],
)
def test_inputs_that_do_not_fit(inputs, error, message):
    with pytest.raises(error, match=message):
        cg.from_onnx(small(), inputs)


def test_what_is_no_model(tmp_path):
    with pytest.raises(cg.CGraphError, match="a model of ONNX or the path of one is needed, not 3"):
        cg.from_onnx(3)
    for content in (b"", b"\x00\xff" * 50, b"hello world", small().SerializeToString()[:-20]):
        (tmp_path / "m.onnx").write_bytes(content)
        with pytest.raises(cg.CGraphError):
            cg.from_onnx(tmp_path / "m.onnx", {"x": [[1.0, 2.0]]})
    with pytest.raises(FileNotFoundError):
        cg.from_onnx(tmp_path / "none.onnx")


def test_a_tensor_that_claims_too_much_is_refused():
    proto = small()
    proto.graph.initializer[0].dims[:] = [2**40, 2**40]
    with pytest.raises(cg.LimitError, match="tensor 'W'"):
        cg.from_onnx(proto, {"x": [[1.0, 2.0]]})
    shape = numpy_helper.from_array(np.array([10**6, 10**6]), "n")
    nodes = [helper.make_node("ConstantOfShape", ["n"], ["z"]), helper.make_node("Add", ["x", "z"], ["y"])]
    with pytest.raises(cg.LimitError, match=r"\(ConstantOfShape\): its result has the shape"):
        cg.from_onnx(model(nodes, {"x": [2]}, {"y": [2]}, [shape]), {"x": [1.0, 2.0]})
    nodes = [helper.make_node("Expand", ["x", "n"], ["y"])]
    with pytest.raises(cg.LimitError, match=r"\(Expand\)"):
        cg.from_onnx(model(nodes, {"x": [1]}, {"y": [2]}, [shape]), {"x": [1.0]})


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "link", "missing", ""])
def test_weights_outside_of_the_folder_are_refused(tmp_path, location):
    (tmp_path / "secret").write_bytes(b"\0" * 64)
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "link").symlink_to("../secret")
    proto = small()
    W = proto.graph.initializer[0]
    W.ClearField("raw_data")
    W.data_location = TensorProto.EXTERNAL
    W.external_data.add(key="location", value=location)
    (folder / "m.onnx").write_bytes(proto.SerializeToString())
    with pytest.raises(cg.ArchiveError, match="tensor 'W' stands in .* no file below the folder of the model"):
        cg.from_onnx(folder / "m.onnx", {"x": [[1.0, 2.0]]})
    with pytest.raises(cg.ArchiveError, match="give the path of the model"):
        cg.from_onnx(proto, {"x": [[1.0, 2.0]]})


def test_weights_beside_the_model_are_read(tmp_path):
    proto = small()
    onnx.save(proto, tmp_path / "m.onnx", save_as_external_data=True, location="w.bin", size_threshold=0)
    G = cg.from_onnx(tmp_path / "m.onnx", {"x": [[3.0, 1.0]]})
    assert cg.evaluate(G)["h"].tolist() == [[5.0]]
    (tmp_path / "w.bin").write_bytes(b"\0\0")
    with pytest.raises(cg.ArchiveError, match="tensor 'W' is damaged"):
        cg.from_onnx(tmp_path / "m.onnx", {"x": [[3.0, 1.0]]})
