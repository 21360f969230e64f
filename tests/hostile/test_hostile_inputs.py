"""Files of a few kilobytes that stand for gigabytes or for hours: each ends in seconds, with a message that says why.

Every case runs in a process of its own that may take 1 GB of memory and 10 seconds of a processor; one that is killed, or
prints nothing, fails.
"""

import numpy as np
import pytest
from forked import run_command

GIGABYTE = 2**30
DOUBLED = "inputs: {n0: [1, 2]}\nnodes:\n"
DOUBLED += "".join(f"  n{i}: concatenate(n{i - 1}, n{i - 1})\n" for i in range(1, 32))
STACKED = DOUBLED.replace("concatenate(", "stack(")


def doubled(times, last):
    lines = (f"  x{i}: concatenate(x{i - 1}, x{i - 1})\n" for i in range(1, times + 1))
    return "inputs: {x0: [1, 2]}\nnodes:\n" + "".join(lines) + last


BROADCAST = doubled(19, "  J: sum(reshape(x19, 1048576, 1) + x19)\n")
OUTER = doubled(19, "  J: sum(outer(x19, x19))\n")
SOFTMAX = doubled(13, "  p: softmax(x13)\n")
MATRICES = doubled(16, "  a: reshape(x16[0:90000], 300, 300)\n  b: a @ a\n")
CHAIN = "inputs: {x0: 0.5}\nnodes:\n" + "".join(
    f"  x{i}: sin(x{i - 1}) * x{i - 1} + x{i - 1}^2\n" for i in range(1, 26)
)
DIAMONDS = "edges:\n" + "".join(
    f"  n{i} -> a{i}: 1.0\n  n{i} -> b{i}: 2.0\n  a{i} -> n{i + 1}: 1.0\n  b{i} -> n{i + 1}: 1.5\n" for i in range(20)
)


def layers(nodes):
    lines = (f"  v{i}: sin(v{i - 1}) * sin(v{i - 2}) + 0.1 * v{i - 3}\n" for i in range(3, nodes))
    return "inputs: {v0: 0.1, v1: 0.2, v2: 0.3}\nnodes:\n" + "".join(lines)


VARIED = (
    "inputs: {x: 2.0}\nnodes: {y: x - 2 + 0 * x}\nvary: {x: [1, 2, 1]}\nmagnitude: [1e9, 1e10]\nask: [{id: a, y: y}]\n"
)
TRAINED = "inputs: {x: 1.0}\nweights: {w: 0.5}\nnodes: {J: (w * x - 1)^2}\n"
ZEROS = "inputs: {x: {file: z.npz}}\nnodes: {y: 2 * x}\n"
HEX = "0x" + "F" * 4000
SHAPED = (
    "node 'n23': concatenate(n22, n22) has the shape (16777216,), 16,777,216 entries, more than the limit of 10,000,000"
)
WEIGHT = "weights: {w: 0.5}\nnodes"
DOUBLED_AND_TRAINED = DOUBLED.replace("nodes", WEIGHT) + "  J: w * sum(n31)\n"
DESCEND = ["descend", "--rate", "0.1", "--steps", "2"]
ALL = ["eval", "sensitivity", "paths", "check", "edges", "effects", "eliminate", "draw", "page", "solve", "show"]

# name: (file, text, arguments after the file, exit status, what stderr says)
CASES = {
    **{f"concatenate, {command}": ("s.yaml", DOUBLED, [command], 4, SHAPED) for command in ALL[:4]},
    "stack": ("s.yaml", STACKED, ["eval"], 4, "node 'n23': stack(n22, n22) has the shape (2, 2,"),
    "concatenate, scalarize": ("s.yaml", DOUBLED, ["transform", "scalarize"], 4, SHAPED),
    "concatenate, layerwise": ("s.yaml", DOUBLED, ["transform", "layerwise"], None, ""),
    "concatenate, page": ("s.yaml", DOUBLED, ["page", "-o", "p.html"], 4, SHAPED),
    "concatenate, draw": ("s.yaml", DOUBLED, ["draw", "-o", "p.svg"], None, ""),
    "concatenate, solve": ("s.yaml", DOUBLED, ["solve"], 4, SHAPED),
    "concatenate, gradient": ("s.yaml", DOUBLED, ["gradient"], 4, SHAPED),
    "broadcast": ("s.yaml", BROADCAST, ["eval"], 4, "has the shape (1048576, 1048576), 1,099,511,627,776 entries, more than"),
    "outer": ("s.yaml", OUTER, ["sensitivity"], 4, "outer(x19, x19) has the shape (1048576, 1048576)"),
    "concatenate, descend": ("s.yaml", DOUBLED_AND_TRAINED, DESCEND, 4, SHAPED),
    "broadcast, descend": ("s.yaml", BROADCAST.replace("nodes", WEIGHT), DESCEND, 4, "has the shape (1048576, 1048576), 1,099,511"),
    "dense Jacobian": (
        "s.yaml", SOFTMAX, ["sensitivity", "--from", "x13", "--to", "p"], 4,
        "or by fewer entries; --limit entries=N allows more",
    ),
    "scalarize": ("s.yaml", MATRICES, ["transform", "scalarize"], 4, "the graph of the entries would be too large"),
    "symbolic": (
        "s.yaml", CHAIN, ["solve", "--from", "x0", "--to", "x25", "--symbolic"], 4,
        "operations, written out; the limit is 20,000",
    ),
    "all paths": ("s.yaml", DIAMONDS, ["paths"], 4, "1,048,576 paths lead from 'n0' to 'n20', more than the limit of 1,000,000"),
    "top paths": (
        "s.yaml", DIAMONDS, ["paths", "--top", "999999999999"], 4, "1,048,576 paths lead from 'n0' to 'n20', more than the limit",
    ),
    "eliminate": ("s.yaml", layers(344), ["eliminate"], 0, ""),
    "optimal": ("s.yaml", layers(200), ["eliminate", "--method", "optimal", "--budget", "1s"], None, ""),
    "vary": ("s.yaml", VARIED, ["vary", "--student", "a"], 4, "none of 1,000 draws will do"),
    "data without an end": (
        "s.yaml", TRAINED, ["descend", "--rate", "0.1", "--steps", "5", "--data", "/dev/zero"], 4,
        "zero:1: a line of more than 1,000,000 characters",
    ),
    "npz": ("s.yaml", ZEROS, ["sensitivity"], 3, "'z.npz' is too large, 12,500,000 entries, more than the limit of 10,000,000"),
    "spec without an end": ("/dev/zero", None, ["eval"], 3, "not UTF-8 text, but UTF-16"),
    "integer, YAML": ("s.yaml", f"cgraph: {HEX}\ninputs: {{x: {HEX}}}\nnodes: {{y: x}}\noutput: {HEX}\n", ["eval"], 3, "0xFFF"),
    "integer, TOML": ("s.toml", f"[inputs]\nx = {HEX}\n[nodes]\ny = 'x'\n", ["eval"], 3, "a number is needed"),
    "quotes, YAML": ("s.yaml", 'x: "' + '\\"' * 50_000, ["eval"], 3, "a quote is not closed"),
    "quotes, TOML": ("s.toml", 'inputs = {x = true}\ntitle = "' + "a" * 50_000, ["eval"], 3, "not TOML"),
    "long text, TOML": ("s.toml", 'inputs = {x = true}\ntitle = "' + "a" * 50_000 + '"\n', ["eval"], 3, "input 'x' is true"),
    "dots, TOML": ("s.toml", "a." * 50_000 + "b = 1\n", ["eval"], 3, "nested more than 50 levels deep"),
    "brackets, JSON": ("s.json", '{"inputs": ' + "[" * 100_000, ["eval"], 3, "nested more than 50 levels deep"),
    "quotes, equation": (None, None, ["eval", "-e", 'y = "' + '\\"' * 50_000], 3, "an equation of 100,005 characters"),
    "brackets, equation": (None, None, ["eval", "-e", "y = " + "(" * 9_000], 3, "nested more than 100 levels deep"),
    "a limit of time": (
        "s.yaml", TRAINED, ["descend", "--rate", "1e-9", "--steps", "99999999", "--limit", "seconds=1"], 4,
        "it takes longer than 1 seconds",
    ),
    "a limit of entries": (None, None, ["eval", "-e", "y = outer(x, x)", "--at", "x=[1,2,3]", "--limit", "entries=8"], 4,
                           "node 'y': outer(x, x) has the shape (3, 3), 9 entries, more than the limit of 8; --limit entries=N allows more"),
    "no limit": (None, None, ["eval", "-e", "y = 2", "--limit", "entries=-1"], 2, "'entries=-1' is no limit"),
}  # fmt: skip


def run(arguments, folder):
    return run_command(arguments, folder, memory=GIGABYTE, seconds=10)


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_killed_and_nothing_is_silent(name, tmp_path):
    if name == "symbolic":
        pytest.importorskip("sympy", reason="formulas need the extra `symbolic`")
    file, text, arguments, status, message = CASES[name]
    if text is not None:
        (tmp_path / file).write_text(text)
    if "z.npz" in (text or ""):
        np.savez_compressed(tmp_path / "z.npz", a=np.zeros(12_500_000))
    spec = [] if file is None else [file]
    place = 2 if arguments[0] == "transform" else 1
    found = run([*arguments[:place], *spec, *arguments[place:]], tmp_path)
    assert "Traceback" not in found.stderr
    assert "mistake in cgraph" not in found.stderr
    assert found.returncode in ({0, 1, 2, 3, 4} if status is None else {status})
    assert message in found.stderr
    assert found.stdout or found.stderr or (tmp_path / "p.svg").exists()


def models():
    """Models of ONNX whose numbers, which are no nodes, double or are broadcast."""
    helper = pytest.importorskip("onnx").helper
    doubled = [helper.make_node("Concat", [f"n{k}"] * 2, [f"n{k + 1}"], axis=0) for k in range(40)]
    yield "doubled", [*doubled, helper.make_node("Identity", ["n40"], ["wide"])]
    broadcast = [
        helper.make_node("Unsqueeze", ["n19", "one"], ["column"]),
        helper.make_node("Add", ["n19", "column"], ["wide"]),
    ]
    yield "broadcast", [*doubled[:19], *broadcast]


@pytest.mark.parametrize("which", ["doubled", "broadcast"])
def test_a_hostile_model_is_refused(tmp_path, which):
    onnx = pytest.importorskip("onnx")
    helper, numbers = onnx.helper, onnx.TensorProto
    nodes = [
        *dict(models())[which],
        helper.make_node("Cast", ["wide"], ["f"], to=numbers.FLOAT),
        helper.make_node("Add", ["x", "f"], ["y"]),
    ]
    ends = [[helper.make_tensor_value_info(name, numbers.FLOAT, None)] for name in ("x", "y")]
    constants = [helper.make_tensor(name, numbers.INT64, [len(v)], v) for name, v in (("n0", [1, 2]), ("one", [1]))]
    onnx.save(helper.make_model(helper.make_graph(nodes, "g", *ends, constants)), tmp_path / "m.onnx")
    done = run(["eval", "m.onnx", "--at", "x=1"], tmp_path)
    assert done.returncode == 4
    assert "its result, " in done.stderr
    assert "entries" in done.stderr
