"""Effects with standard errors: by hand, by simulation, and from fitted models."""

import math

import networkx as nx
import numpy as np
import pytest

import cgraph as cg


def mediation():
    L = nx.DiGraph()
    L.add_weighted_edges_from([("x", "m", 0.5), ("m", "y", 2.0), ("x", "y", 0.25)], "derivative")
    edges = [("x", "m"), ("m", "y"), ("x", "y")]
    return L, {"edges": edges, "matrix": [[0.01, 0.002, 0.0], [0.002, 0.04, 0.0], [0.0, 0.0, 0.09]]}


def test_sobel_by_hand():
    L, M = mediation()
    found = cg.effects(L, "x", "y", covariance=M)
    indirect = 2.0**2 * 0.01 + 0.5**2 * 0.04 + 2 * 2.0 * 0.5 * 0.002
    assert found.indirect.value == 1.0
    assert found.indirect.standard_error == pytest.approx(math.sqrt(indirect))
    assert found.direct.standard_error == pytest.approx(0.3)
    assert found.total.standard_error == pytest.approx(math.sqrt(indirect + 0.09))
    assert found.total.value == 1.25
    assert [row.path for row in cg.path_effects(L, "x", "y", covariance=M)] == [("x", "m", "y"), ("x", "y")]
    strongest = cg.path_effects(L, "x", "y", covariance=M)[0]
    assert strongest.standard_error == pytest.approx(found.indirect.standard_error)
    assert strongest.z == pytest.approx(1 / math.sqrt(indirect))
    low, high = strongest.interval(0.95)
    assert (low + high) / 2 == pytest.approx(1.0)
    assert high - low == pytest.approx(2 * 1.959964 * math.sqrt(indirect))


def test_the_delta_method_against_simulation():
    L, M = mediation()
    M["matrix"] = (np.array(M["matrix"]) / 100).tolist()  # so near that products are nearly linear
    found = cg.effects(L, "x", "y", covariance=M, bootstrap=4000, seed=1)
    for estimate in found:
        assert np.std(estimate.bootstrap) == pytest.approx(estimate.standard_error, rel=0.05)
        assert estimate.interval() == pytest.approx(
            cg.Estimate(estimate.value, estimate.standard_error).interval(), abs=0.1 * estimate.standard_error
        )
    path = cg.path_effects(L, "x", "y", covariance=M, bootstrap=4000, seed=1)[0]
    assert np.mean(path.bootstrap) == pytest.approx(path.product, abs=0.01)
    assert list(path.bootstrap) == sorted(path.bootstrap)


def test_the_gradient_of_a_total_effect_on_a_larger_graph():
    random = np.random.default_rng(3)
    L = nx.DiGraph()
    edges = [(i, j) for i in range(6) for j in range(i + 1, 6) if random.random() < 0.7]
    L.add_weighted_edges_from([(i, j, float(random.normal())) for i, j in edges], "derivative")
    for edge in edges:  # a variance of 1 on one edge alone shows |dS/dz|
        found = cg.effects(L, 0, 5, covariance={"edges": [edge], "matrix": [[1.0]]}).total.standard_error
        H = L.copy()
        H.edges[edge]["derivative"] += 1.0
        assert found == pytest.approx(abs(cg.sensitivity(H, 0, 5) - cg.sensitivity(L, 0, 5)), abs=1e-12)


def test_wrights_guinea_pigs():
    """S. Wright 1921: path coefficients of birth weight; the effects are sums of products."""
    L = nx.DiGraph()
    L.add_weighted_edges_from(
        [("size of litter", "gestation", -0.58), ("gestation", "weight", 0.35), ("size of litter", "weight", -0.33)],
        "derivative",
    )
    assert cg.effects(L, "size of litter", "weight").indirect == pytest.approx(-0.58 * 0.35)


def test_standardized():
    L, _ = mediation()
    H = cg.standardize(L, {"x": 2.0, "m": 1.0, "y": 4.0})
    assert cg.sensitivity(H, "x", "y") == pytest.approx(1.25 * 2 / 4)
    assert L.edges["x", "m"]["derivative"] == 0.5
    with pytest.raises(cg.UncertaintyError, match="node 'y' needs a standard deviation"):
        cg.standardize(L, {"x": 2.0, "m": 1.0})


@pytest.mark.parametrize(
    ("covariance", "message"),
    [
        ({"edges": [("x", "q")], "matrix": [[1.0]]}, "'x', 'q'.*which is no edge"),
        ({"edges": [("x", "m"), ("x", "m")], "matrix": np.eye(2)}, "names edge 'x' -> 'm' twice"),
        ({"edges": [("x", "m")], "matrix": [[-1.0]]}, "a variance is not negative"),
        ({"edges": [("x", "m")], "matrix": [[1.0, 2.0]]}, "a symmetric matrix of 1 x 1"),
        ({"edges": [("x", "m")], "matrix": "no"}, "something that is not a number"),
        ({"matrix": [[1.0]]}, "is given as"),
        ([[1.0]], "is given as"),
    ],
)
def test_bad_covariance(covariance, message):
    L, _ = mediation()
    with pytest.raises(cg.UncertaintyError, match=message):
        cg.path_effects(L, "x", "y", covariance=covariance)


def test_edges_may_be_written_as_in_a_spec():
    L, M = mediation()
    M["edges"] = ["x -> m", "m -> y", "x -> y"]
    assert cg.effects(L, "x", "y", covariance=M).direct.standard_error == pytest.approx(0.3)
