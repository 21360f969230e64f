"""Networks of neurons on a tape give what the reference does: values, gradients, gradients by weights, errors."""

import numpy as np
import pytest
from engines import ENGINES, using
from hypothesis import assume, given
from hypothesis import strategies as st
from networks import networks
from random_graphs import equation_graphs

import cgraph as cg
from cgraph.algorithms.compiled.tape.batching import Blocks


def close(value):
    return pytest.approx(value, rel=1e-9, abs=1e-12)


def reference(G, inputs):
    """Return the values, the sensitivities of the last node and its gradient by the weights, node by node."""
    L, loss = cg.linearize(G, inputs), list(G)[-1]
    return [L.nodes[i]["value"] for i in L], list(cg.sensitivities(L, loss).values()), cg.weight_gradients(L, loss)


@pytest.mark.parametrize("engine", ENGINES)
@given(G=networks() | equation_graphs(), data=st.data())
def test_one_point_and_many_agree_with_the_reference(engine, G, data):
    inputs = [i for i in G.inputs if data.draw(st.booleans())]
    points = [{i: data.draw(st.floats(-2, 2)) for i in inputs} for _ in range(data.draw(st.integers(1, 9)))]
    try:
        expected = [reference(G, point) for point in points]
    except cg.EvaluationError:
        assume(False)
    loss = list(G)[-1]
    with using(engine):
        C = cg.compile_graph(G)
        found = [(C.evaluate(point), C.gradient(loss), C.weight_gradients(loss)) for point in points]
        for (y, S, gradient), (y_expected, S_expected, gradient_expected) in zip(found, expected, strict=True):
            assert y.tolist() == close(y_expected)
            assert S.tolist() == close(S_expected)
            assert dict(zip(C.weights, gradient.tolist(), strict=True)) == close(gradient_expected)
        if inputs:
            columns = {i: [point[i] for point in points] for i in inputs}
            at_once = C.evaluate(columns), C.gradient(loss), C.weight_gradients(loss)
            for many, ones in zip(at_once, zip(*found, strict=True), strict=True):
                np.testing.assert_allclose(many, np.transpose(ones), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
@given(G=networks(), data=st.data())
def test_new_weights(engine, G, data):
    with using(engine):
        C = cg.compile_graph(G)
        w = [data.draw(st.floats(-2, 2)) for _ in C.weights]
        H = G.copy()
        for key, value in zip(C.weights, w, strict=True):
            attributes, name = (H.edges[key], "weight") if isinstance(key, tuple) else (H.nodes[key], "value")
            attributes[name] = value
        try:
            expected = reference(H, {})
        except cg.EvaluationError:
            assume(False)
        assert C.evaluate(weights=w).tolist() == close(expected[0])
        loss = list(G)[-1]
        assert dict(zip(C.weights, C.weight_gradients(loss).tolist(), strict=True)) == close(expected[2])
        assert C.evaluate().tolist() == close(reference(G, {})[0])


def neuron(weight=2.0):
    G = cg.ComputationalGraph()
    G.add_input("x", 1.0)
    G.add_weight("w", 3.0)
    G.add_neuron("h", activation="identity", weights={"x": weight}, bias=0.5)
    G.add_equation("J", "w*h")
    return G


@pytest.mark.parametrize("engine", ENGINES)
def test_errors_are_those_of_the_reference(engine):
    G = neuron(1e200)
    with using(engine):
        C = cg.compile_graph(G)
        for x in (1e200, [1.0, 1e200]):
            with pytest.raises(cg.EvaluationError, match="neuron 'h': the weighted sum of its inputs overflows"):
                C.evaluate({"x": x})
        with pytest.raises(cg.EvaluationError, match="call evaluate before gradient"):
            C.weight_gradients("J")
        C.evaluate({"x": 1e100, "w": 1.0})
        assert C.weight_gradients("J").tolist() == close([1e100, 1.0, 1e300])
        C.evaluate({"x": 1e-200, "w": 1e200})
        with pytest.raises(cg.EvaluationError, match=r"S\(x, J\) overflows"):
            C.gradient("J")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_graph_without_a_value_somewhere(engine):
    G = neuron()
    G.nodes["x"]["value"] = None
    with using(engine):
        C = cg.compile_graph(G)
        with pytest.raises(cg.MissingValueError, match="node 'x' has no value, and neuron 'h' needs it"):
            C.evaluate()
        assert C.evaluate({"x": 2.0})[-1] == 13.5
        assert C.evaluate({"x": [2.0, 0.0]})[-1].tolist() == [13.5, 1.5]


def test_weights_that_do_not_fit_are_refused():
    C = cg.compile_graph(neuron())
    assert C.weights == (("x", "h"), ("+1", "h"), "w")
    for weights, message in [
        ([1.0], r"the weights are numbers of shape \(1,\); give 3 numbers, in the order of .weights"),
        (["a", "b", "c"], "the weights are no array of numbers; give 3 numbers"),
        ([[1.0], [2.0, 3.0], 4.0], "the weights are no array of numbers"),
        ([[1.0, 2.0, 3.0]], r"shape \(1, 3\)"),
    ]:
        with pytest.raises(cg.InvalidNodeError, match=message):
            C.evaluate(weights=weights)
    with pytest.raises(cg.EvaluationError, match=r"weight \('\+1', 'h'\) has the value nan, which is not finite"):
        C.evaluate(weights=[1.0, np.nan, 2.0])
    with pytest.raises(cg.EvaluationError, match=r"weight 'w' has the value inf, which is not finite"):
        C.evaluate(weights=np.array([1, 1, "1e400"], np.longdouble))
    with pytest.raises(cg.NodeNotFound):
        C.weight_gradients("q")
    with pytest.raises(cg.EvaluationError, match="no equations were compiled"):
        _ = cg.CompiledGraph.from_edges([0], [1], [2.0]).weights


def test_a_neuron_whose_edges_were_changed_by_hand_is_refused():
    G = neuron()
    del G.edges["x", "h"]["weight"]
    with pytest.raises(cg.MissingValueError, match="edge 'x' -> 'h' has no 'weight', and neuron 'h' needs it"):
        cg.compile_graph(G)
    G.remove_edge("x", "h")
    with pytest.raises(cg.InvalidNodeError, match="are not those of its operands"):
        cg.compile_graph(G)


def test_a_neuron_without_inputs():
    G = cg.ComputationalGraph()
    G.add_neuron("h", activation="sigmoid", weights={})
    G.add_neuron("y", activation="identity", weights={"h": 4.0})
    C = cg.compile_graph(G)
    assert C.evaluate().tolist() == [0.5, 2.0]
    assert C.weight_gradients("y").tolist() == [0.5]


def test_an_interrupted_evaluation_leaves_the_graph_whole(monkeypatch):
    C = cg.compile_graph(neuron())
    assert C.evaluate()[-1] == 7.5
    with monkeypatch.context() as patched:
        patched.setattr(Blocks, "fill", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            C.evaluate({"x": [2.0, 3.0]}, weights=[1.0, 1.0, 1.0])
    with pytest.raises(cg.EvaluationError, match="call evaluate before gradient"):
        C.gradient("J")
    assert C.evaluate()[-1] == 7.5
    assert C.weight_gradients("J").tolist() == [3.0, 3.0, 2.5]
