"""Plans on random graphs of arrays: as the interpreter, as JAX, as PyTorch, in single precision, from threads, at new values, into out."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from array_graphs import EVERY, random_graph
from engines import fused_by_python
from hypothesis import given, settings
from hypothesis import strategies as st
from in_jax import value_and_gradient_in_jax
from in_torch import value_and_gradient_in_torch

import cgraph as cg
from cgraph.algorithms.compiled.arrays import programs, runs

seeds = st.integers(0, 2**40)


def close(found, expected, digits):
    """Compare ``{node: S}``; of the digits of the largest number, as sums are taken in other orders."""
    scale = max(1.0, *(float(np.max(np.abs(S))) for S in expected.values()))
    for i, S in expected.items():
        assert np.shape(found[i]) == np.shape(S), i
        np.testing.assert_allclose(found[i], S, rtol=0, atol=digits * scale, err_msg=str(i))


def compiled(G, **options):
    """Return a compiled graph whose plan answers all: nothing is left to the interpreter."""
    C = cg.compile_graph(G, **options)
    C._interpreted = None
    return C


def agree(C, G, inputs=None, digits=1e-12, **options):
    """Compare values, gradients and Jacobians of a plan with those of the interpreter."""
    L = cg.linearize(G, inputs)
    y = dict(L.nodes(data="value"))
    close(C.evaluate(inputs), y, digits)
    nodes = [i for i in L if L.nodes[i].get("role") != "constant"]
    value, gradient = C.value_and_gradient("J", inputs, nodes=nodes, **options)
    close({"J": value}, {"J": y["J"]}, digits)
    close(gradient, {i: S for i, S in cg.loss_sensitivities(L, "J").items() if i in nodes}, digits)
    return L, gradient


@settings(max_examples=60, deadline=None)
@given(seeds)
def test_random_graphs_are_as_interpreted(seed):
    G = random_graph(seed)
    C = compiled(G)
    L, _ = agree(C, G)
    t = max((i for i in L if i[0] == "y"), key=lambda i: np.size(L.nodes[i]["value"]))
    close(C.sensitivities(t), cg.sensitivities(L, t), 1e-12)
    close(C.sensitivities_from("w1"), cg.sensitivities_from(L, "w1"), 1e-12)


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_random_graphs_in_fused_runs(seed):
    G = random_graph(seed)
    with fused_by_python():
        agree(compiled(G), G)


@pytest.mark.parametrize("seed", range(3))
def test_random_graphs_in_machine_code(seed, monkeypatch):
    pytest.importorskip("numba", reason="numba is an extra")
    monkeypatch.setattr(programs, "FEWEST_TO_FUSE", 0)
    monkeypatch.setattr(runs, "FEWEST_ENTRIES", 1)
    G = random_graph(seed)
    agree(compiled(G), G)


@pytest.mark.parametrize("operation", EVERY)
def test_every_operation_in_graphs(operation):
    for seed in range(3):
        G = random_graph(seed, [operation, "add", "matmul", operation], count=4)
        agree(compiled(G), G)


@settings(max_examples=12, deadline=None)
@given(seeds)
def test_random_graphs_are_as_in_jax(seed):
    G = random_graph(seed)
    J, expected = value_and_gradient_in_jax(G, "J")
    value, gradient = compiled(G).value_and_gradient("J", nodes=list(expected))
    close({"J": value}, {"J": J}, 1e-9)
    close(gradient, expected, 1e-9)


@settings(max_examples=60, deadline=None)
@given(seeds)
def test_random_graphs_are_as_in_torch(seed):
    G = random_graph(seed)
    J, expected, values = value_and_gradient_in_torch(G, "J")
    C = compiled(G)
    close(C.evaluate(), values, 1e-9)
    value, gradient = C.value_and_gradient("J", nodes=list(expected))
    close({"J": value}, {"J": J}, 1e-9)
    close(gradient, expected, 1e-9)


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_random_graphs_in_single_precision(seed):
    G = random_graph(seed)
    agree(compiled(G, dtype="float32"), G, digits=1e-4)


def moved(G, seed):
    """Return other values of the inputs and weights in nodes."""
    rng = np.random.default_rng(seed)
    sources = [i for i in G if G.nodes[i].get("role") in {"input", "weight"}]
    return {i: (G.nodes[i]["value"] + rng.normal(size=np.shape(G.nodes[i]["value"])) / 10)[()] for i in sources}


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_at_new_values_from_four_threads_at_once(seed):
    G = random_graph(seed)
    C = compiled(G)
    points = [moved(G, k) for k in range(8)]
    sources = list(points[0])
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda inputs: C.value_and_gradient("J", inputs, nodes=sources), points * 4))
    for k, inputs in enumerate(points):
        expected = cg.loss_sensitivities(cg.linearize(G, inputs), "J")
        for value, gradient in found[k::8]:
            close(
                {"J": value, **gradient}, {"J": cg.evaluate(G, inputs)["J"], **{i: expected[i] for i in sources}}, 1e-12
            )


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_into_arrays_of_the_caller(seed):
    G = random_graph(seed)
    C = compiled(G)
    sources = list(moved(G, 0))
    out = {i: np.full(np.shape(G.nodes[i]["value"]), np.nan) for i in sources}
    _, kept = agree(C, G)
    before = {i: np.array(S) for i, S in kept.items()}
    inputs = moved(G, 1)
    _, gradient = C.value_and_gradient("J", inputs, nodes=sources, out=out)
    close(out, {i: S for i, S in cg.loss_sensitivities(cg.linearize(G, inputs), "J").items() if i in sources}, 1e-12)
    for i in sources:
        assert gradient[i] is out[i]
        np.testing.assert_array_equal(kept[i], before[i])  # a later call leaves what was given out as it is
    values = {i: np.full(np.shape(y), np.nan) for i, y in cg.evaluate(G).items()}
    found = C.evaluate(inputs, out=values)
    assert all(found[i] is values[i] for i in values)
    close(values, cg.evaluate(G, inputs), 1e-12)


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_at_kinks_and_ties(seed):
    """Of whole numbers many are equal, and many 0: what is refused is refused in the same words."""
    G, rng = random_graph(seed), np.random.default_rng(seed)
    sources = [i for i in G if G.nodes[i].get("role") in {"input", "weight"}]
    inputs = {i: rng.integers(-1, 2, size=np.shape(G.nodes[i]["value"])).astype(float)[()] for i in sources}
    refused = None
    try:
        cg.linearize(G, inputs)
    except cg.EvaluationError as error:
        refused = str(error)
    if refused is None:
        agree(cg.compile_graph(G), G, inputs)
    else:
        with pytest.raises(cg.EvaluationError) as by_plan:
            cg.compile_graph(G).value_and_gradient("J", inputs)
        assert str(by_plan.value) == refused


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_at_many_points(seed):
    """Values are those at each point, and gradients means; what has no form for many examples is said."""
    G, points = random_graph(seed), ["x1", "k"]
    moves = [moved(G, k) for k in range(3)]
    data = {i: np.stack([move[i] for move in moves]) for i in points}
    C = cg.compile_graph(G)
    try:
        values = C.evaluate(data, points=points)
        J, gradient = C.value_and_gradient("J", data, points=points, nodes=["w1", "w2"])
    except cg.CGraphError as error:
        assert "has no form for many examples" in str(error)  # noqa: PT017 - of most graphs there is no error
        return
    Ls = [cg.linearize(G, {i: move[i] for i in points}) for move in moves]
    for i, value in values.items():
        expected = np.stack([L.nodes[i]["value"] for L in Ls])
        close({i: value}, {i: expected if np.shape(value) == np.shape(expected) else expected[0]}, 1e-11)
    Ss = [cg.loss_sensitivities(L, "J") for L in Ls]
    close({"J": J}, {"J": np.mean([L.nodes["J"]["value"] for L in Ls])}, 1e-11)
    close(gradient, {w: np.mean([S[w] for S in Ss], axis=0) for w in gradient}, 1e-11)


LAYERS = [
    "{h} @ A{k}", "tanh({h})", "gelu({h}) + 0.1 * {h}", "softmax({h})", "layer_norm({h}, 0.1) * w + {h}", "rms_norm({h}, 0.1)",
    "batch_norm({h}, 0.1)", "max_pool({h}, size=3, stride=1, padding=1)",
    "squeeze(conv(expand_dims({h}, axis=1), K, padding=1), axis=1)", "avg_pool({h}, size=3, stride=1, padding=1)",
    "{h}[::-1] * {h}", "({h}.T + w[0]).T", "cumsum({h}, axis=0)", "{h} - mean({h}, axis=0)", "sort({h})", "concatenate({h}, {h}, axis=1)[:, 1:5]",
    "pad({h}, after=(0, 2))[:, 2:]", "where({h} > 0, {h}, w)", "{h} @ ({h}.T @ {h})", "topk({h}, k=4)",
]  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(LAYERS), min_size=1, max_size=5), st.lists(st.integers(1, 6), min_size=2, max_size=4))
def test_after_a_change_of_the_batch(layers, batches):
    rng = np.random.default_rng(len(layers))
    G = cg.ComputationalGraph()
    G.add_input("h0", rng.normal(size=(batches[0], 4)))
    G.add_weight("w", rng.normal(size=4))
    G.add_weight("K", rng.normal(size=(1, 1, 3)))
    for k, layer in enumerate(layers):
        if "A{k}" in layer:
            G.add_weight(f"A{k}", rng.normal(size=(4, 4)))
        G.add_equation(f"h{k + 1}", layer.format(h=f"h{k}", k=k))
    G.add_equation("J", f"mean(sin(h{len(layers)})) + sum(w) * sum(K)")
    C = compiled(G)
    for batch in (*batches, batches[0]):
        agree(C, G, {"h0": rng.normal(size=(batch, 4))})
