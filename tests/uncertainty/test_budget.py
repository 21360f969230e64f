"""Budgets: the GUM's numbers, identities on random graphs, and what is refused."""

import math
from itertools import pairwise
from types import SimpleNamespace

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_graphs import equation_graphs

import cgraph as cg


def gauge_block():
    """GUM H.1: the length of an end gauge, nm."""
    G = cg.from_equations(
        "l = ls + d - ls*(da*theta + alpha*dtheta); d = dbar + d1 + d2; theta = tbar + Delta",
        ls=50_000_623.0, dbar=215.0, d1=0.0, d2=0.0, da=0.0, tbar=-0.1, Delta=0.0, alpha=11.5e-6, dtheta=0.0,
    )  # fmt: skip
    uncertainty = {
        "ls": {"standard": 25, "dof": 18}, "dbar": {"standard": 5.8, "dof": 24}, "d1": {"standard": 3.9, "dof": 5},
        "d2": {"standard": 6.7, "dof": 8}, "da": {"uniform": 1e-6, "dof": 50}, "tbar": 0.2, "Delta": {"arcsine": 0.5},
        "alpha": {"uniform": 2e-6}, "dtheta": {"uniform": 0.05, "dof": 2},
    }  # fmt: skip
    return cg.linearize(G), uncertainty


READINGS = {  # GUM table H.2: volts, amperes, radians
    "V": [5.007, 4.994, 5.005, 4.990, 4.999],
    "I": [19.663e-3, 19.639e-3, 19.640e-3, 19.685e-3, 19.678e-3],
    "phi": [1.0456, 1.0438, 1.0468, 1.0428, 1.0433],
}
IMPEDANCE = "R = V / I * cos(phi); X = V / I * sin(phi); Z = V / I"


class TestGum:
    def test_gauge_block(self):
        L, uncertainty = gauge_block()
        b = cg.uncertainty_budget(L, ["l"], uncertainty)
        assert b.show("l") == "50000838(32)"
        sizes = sorted((abs(c) for c in b.components["l"].values() if c), reverse=True)
        assert [float(f"{c:.6g}") for c in sizes] == [25.0, 16.599, 6.7, 5.8, 3.9, 2.88679]
        assert math.floor(b.dof["l"]) == 16
        assert b.dof_is_sound["l"]
        half_width, factor = b.expanded(0.99)["l"]
        assert round(factor, 2) == 2.92
        assert half_width == pytest.approx(factor * b.standard["l"])
        assert round(cg.uncertainty_budget(L, ["l"], uncertainty, order=2).standard["l"]) == 34

    def test_impedance_from_raw_readings(self):
        found = cg.from_readings(READINGS)
        assert {pair: round(r, 2) for pair, r in found.correlation.items()} == {
            ("V", "I"): -0.36, ("V", "phi"): 0.86, ("I", "phi"): -0.65
        }  # fmt: skip
        G = cg.from_equations(IMPEDANCE, **found.values)
        b = cg.uncertainty_budget(cg.linearize(G), ["R", "X", "Z"], found.uncertainty, found.correlation)
        assert [round(b.value[t], 3) for t in "RXZ"] == [127.732, 219.847, 254.260]
        assert [b.standard[t] for t in "RXZ"] == pytest.approx([0.071, 0.295, 0.236], abs=1e-3)
        assert b.correlation[np.triu_indices(3, 1)].round(3).tolist() == [-0.588, -0.485, 0.993]
        assert b.dof["R"] == pytest.approx(4.0)  # five sets of readings
        assert b.dof_is_sound["R"]

    def test_impedance_reading_by_reading(self):
        """The second approach of H.2: R, X and Z from each set of readings, and the means of these."""
        values = cg.compile_graph(cg.from_equations(IMPEDANCE, V=1.0, I=1.0, phi=1.0)).evaluate(
            READINGS, nodes=[*"RXZ"]
        )
        found = cg.from_readings(dict(zip("RXZ", values, strict=True)))
        assert [round(found.values[t], 3) for t in "RXZ"] == [127.732, 219.847, 254.260]
        assert [round(found.uncertainty[t]["standard"], 3) for t in "RXZ"] == [0.071, 0.295, 0.236]
        assert [round(r, 3) for r in found.correlation.values()] == [-0.588, -0.485, 0.993]

    def test_mass_of_supplement_1(self):
        G = cg.from_equations(
            "dm = (m + d) * (1 + (a - 1.2) * (1/w - 1/r)) - 100000", m=1e5, d=1.234, a=1.2, w=8000.0, r=8000.0
        )
        uncertainty = {"m": 0.05, "d": 0.02, "a": {"uniform": 0.1}, "w": {"uniform": 1000.0}, "r": {"uniform": 50.0}}
        L = cg.linearize(G)
        assert round(cg.uncertainty_budget(L, ["dm"], uncertainty).standard["dm"], 4) == 0.0539
        b = cg.uncertainty_budget(L, ["dm"], uncertainty, order=2, samples=1_000_000)
        assert round(b.standard["dm"], 4) == 0.0750
        assert b.monte_carlo.stable
        assert b.monte_carlo.standard["dm"] == pytest.approx(0.0754, abs=5e-4)
        assert b.monte_carlo.interval()["dm"] == pytest.approx((1.0834, 1.3825), abs=3e-3)
        assert not b.monte_carlo.agrees("dm", 1.234, 0.0539)

    @pytest.mark.parametrize(
        ("uncertainty", "standard", "end"),
        [(1.0, 2.0, 3.92), ({"uniform": math.sqrt(3)}, 2.0, 3.88)],
        ids=["normal", "rectangular"],
    )
    def test_sums_of_supplement_1(self, uncertainty, standard, end):
        L = cg.linearize(cg.from_equations("y = a + b + c + d", a=0.0, b=0.0, c=0.0, d=0.0))
        found = cg.uncertainty_budget(L, ["y"], dict.fromkeys("abcd", uncertainty), samples=400_000).monte_carlo
        assert found.standard["y"] == pytest.approx(standard, abs=0.01)
        assert found.interval()["y"] == pytest.approx((-end, end), abs=0.03)


@st.composite
def uncertain(draw):
    G = draw(equation_graphs())
    u = {i: draw(st.floats(0.01, 2.0)) for i in G.inputs}
    A = np.array(draw(st.lists(st.floats(-1, 1), min_size=len(u) ** 2, max_size=len(u) ** 2))).reshape(len(u), len(u))
    M = A @ A.T + 0.1 * np.eye(len(u))
    scale = np.sqrt(np.diag(M))
    names = list(u)
    r = {(names[a], names[b]): float((M / np.outer(scale, scale))[a, b]) for a in range(len(u)) for b in range(a)}
    return cg.linearize(G), u, r


class TestIdentities:
    @given(uncertain())
    def test_the_law_of_propagation_as_a_product_of_matrices(self, drawn):
        L, u, r = drawn
        targets = L.outputs
        b = cg.uncertainty_budget(L, targets, u, r)
        J = cg.jacobian(L, list(u), targets)
        R = np.eye(len(u))
        for (i, j), value in r.items():
            a, c = list(u).index(i), list(u).index(j)
            R[a, c] = R[c, a] = value
        D = np.diag(list(u.values()))
        np.testing.assert_allclose(b.covariance, J @ D @ R @ D @ J.T, rtol=1e-9, atol=1e-14)
        for t in targets:
            assert sum(b.shares[t].values()) == pytest.approx(b.standard[t] ** 2, rel=1e-9, abs=1e-14)
            assert sum(b.by_group(t).values()) == pytest.approx(b.standard[t] ** 2, rel=1e-9, abs=1e-14)
            assert b.by_node(t).get(t, 0.0) == pytest.approx(b.standard[t] ** 2, rel=1e-9, abs=1e-14)

    @settings(max_examples=30)
    @given(uncertain())
    def test_paths_add_up_to_the_components(self, drawn):
        L, u, _ = drawn
        t = L.outputs[0]
        b = cg.uncertainty_budget(L, [t], u)
        total = dict.fromkeys(u, 0.0)
        sizes = []
        for path, component in b.by_path(t, 100_000):
            total[path[0]] += component
            sizes.append(abs(component))
        assert total == pytest.approx(b.components[t], rel=1e-9, abs=1e-13)
        assert all(a >= b or a < 1e-200 for a, b in pairwise(sizes))  # below, the floats have few digits

    @settings(max_examples=30)
    @given(uncertain())
    def test_edges_into_a_node_that_share_nothing_carry_its_variance(self, drawn):
        L, u, r = drawn
        t = L.outputs[0]
        b = cg.uncertainty_budget(L, [t], u, r)
        parts = b.by_edge(t)
        for i in u:
            out = [edge for edge in L.edges if edge[0] == i and edge in parts]
            if len(out) == 1:
                assert parts[out[0]] == pytest.approx(b.components[t][i] ** 2, rel=1e-9, abs=1e-14)

    @settings(max_examples=30)
    @given(uncertain())
    def test_a_compiled_graph_says_the_same(self, drawn):
        L, u, r = drawn
        b, c = (cg.uncertainty_budget(each, L.outputs, u, r) for each in (L, cg.compile_graph(L)))
        np.testing.assert_allclose(b.covariance, c.covariance, rtol=1e-12, atol=1e-15)
        assert b.components == c.components
        assert c.value == {}

    def test_arrays_are_their_entries(self):
        G = cg.from_equations("s = W @ x; J = squared_norm(s)", W=[[1, 2], [0, 1]], x=[1.0, -1.0])
        u = {"W": 0.5, "x": [0.1, 0.2]}
        b = cg.uncertainty_budget(cg.linearize(G), ["J"], u)
        H = cg.linearize(cg.scalarize(G))
        entries = {i: 0.5 if i[0] == "W" else 0.1 if i == "x[0]" else 0.2 for i in H.inputs}
        c = cg.uncertainty_budget(H, ["J"], entries)
        assert b.standard["J"] == pytest.approx(c.standard["J"], rel=1e-12)
        assert b.components["J"]["W"].ravel().tolist() == pytest.approx(list(c.components["J"].values())[:4])
        assert b.by_node("J")["s"] == pytest.approx(b.standard["J"] ** 2, rel=1e-12)
        carried = sum(component for path, component in b.by_path("J", 10) if path[0] == "x")
        assert carried.ravel() == pytest.approx(b.components["J"]["x"])


# The functions that the random graphs use, in the words of each package.
WITH_EXP = {
    "sigmoid": lambda exp, _: lambda x: 1 / (1 + exp(-x)),
    "softplus": lambda exp, log: lambda x: log(1 + exp(x)),
    "square": lambda *_: lambda x: x * x,
}


def evaluated(L, variables, module):
    """Return the values of all nodes as numbers of another package."""
    functions = {name: getattr(module, name) for name in ("sin", "cos", "tanh", "exp", "asinh")}
    functions["atan"] = module.atan
    functions |= {name: make(module.exp, module.log) for name, make in WITH_EXP.items()}
    y = dict(variables)
    for j in nx.topological_sort(L):
        if equation := L.nodes[j].get("equation"):
            y[j] = eval(equation.replace("^", "**"), functions, y)
    return y


def correlations(u, r):
    names = list(u)
    R = np.eye(len(names))
    for (i, j), value in r.items():
        R[names.index(i), names.index(j)] = R[names.index(j), names.index(i)] = value
    return R


@settings(max_examples=1000, deadline=None)
@given(uncertain())
def test_the_package_uncertainties_agrees_on_1000_graphs(drawn):
    package = pytest.importorskip("uncertainties", reason="an optional oracle: pip install uncertainties")
    from uncertainties import umath

    L, u, r = drawn
    D = np.diag(list(u.values()))
    values = [L.nodes[i]["value"] for i in u]
    variables = package.correlated_values(values, D @ correlations(u, r) @ D)
    y = evaluated(L, zip(u, variables, strict=True), umath)
    b = cg.uncertainty_budget(L, L.outputs, u, r)
    for t in L.outputs:
        assert b.standard[t] == pytest.approx(getattr(y[t], "s", 0.0), rel=1e-6, abs=1e-7)


@settings(max_examples=1000, deadline=None)
@given(uncertain())
def test_gtc_agrees_on_1000_graphs(drawn):
    gtc = pytest.importorskip("GTC", reason="an optional oracle: pip install GTC")
    L, u, r = drawn
    variables = {i: gtc.ureal(L.nodes[i]["value"], u[i], independent=False) for i in u}
    for (i, j), value in r.items():
        gtc.set_correlation(value, variables[i], variables[j])
    module = SimpleNamespace(
        **{name: getattr(gtc, name) for name in ("sin", "cos", "tanh", "exp", "asinh", "atan", "log")}
    )
    y = evaluated(L, variables, module)
    b = cg.uncertainty_budget(L, L.outputs, u, r)
    for t in L.outputs:
        assert b.standard[t] == pytest.approx(gtc.uncertainty(y[t]), rel=1e-6, abs=1e-9)


def test_groups():
    L = cg.linearize(cg.from_equations("y = a + 2*b + 3*c", a=0.0, b=0.0, c=0.0))
    b = cg.uncertainty_budget(
        L, ["y"], dict.fromkeys("abc", 1.0), {("a", "b"): 0.5, ("b", "c"): 0.25}, groups={"ab": ["a", "b"]}
    )
    assert b.by_group("y") == {"ab": 1 + 4 + 2 * 0.5 * 2, "c": 9.0, ("ab", "c"): 2 * 0.25 * 6}


def test_welch_satterthwaite_by_hand():
    L = cg.linearize(cg.from_equations("y = a + b", a=0.0, b=0.0))
    b = cg.uncertainty_budget(L, ["y"], {"a": {"standard": 1, "dof": 4}, "b": {"standard": 1, "dof": 4}})
    assert b.dof["y"] == pytest.approx(8.0)  # 4 / (1/4 + 1/4)
    assert b.expanded(0.95)["y"].factor == pytest.approx(2.306, abs=5e-4)  # t table, 8 degrees of freedom
    assert cg.uncertainty_budget(L, ["y"], {"a": 1.0}).dof["y"] == math.inf


def test_correlated_inputs_with_different_degrees_of_freedom():
    L = cg.linearize(cg.from_equations("y = a + b", a=0.0, b=0.0))
    b = cg.uncertainty_budget(L, ["y"], {"a": {"standard": 1, "dof": 4}, "b": 1.0}, {("a", "b"): 0.5})
    assert not b.dof_is_sound["y"]
    assert b.dof["y"] == pytest.approx(4.0)


def test_what_a_covariance_matrix_says():
    L = cg.linearize(cg.from_equations("y = a - b", a=0.0, b=0.0))
    given = {"nodes": ["a", "b"], "covariance": [[4.0, 3.0], [3.0, 9.0]]}
    assert cg.uncertainty_budget(L, ["y"], {}, given).standard["y"] == pytest.approx(math.sqrt(4 + 9 - 6))


def test_nothing_is_written_on_the_graph():
    L, uncertainty = gauge_block()
    before = {i: dict(data) for i, data in L.nodes(data=True)}, dict(L.graph)
    cg.uncertainty_budget(L, ["l"], uncertainty, order=2, samples=100)
    assert before == ({i: dict(data) for i, data in L.nodes(data=True)}, dict(L.graph))


def test_the_same_seed_gives_the_same_points():
    L, uncertainty = gauge_block()
    a, b, c = (
        cg.uncertainty_budget(L, ["l"], uncertainty, samples=100, seed=seed).monte_carlo.draws for seed in (0, 0, 1)
    )
    assert (a == b).all()
    assert (a != c).all()


@pytest.mark.parametrize("r", [0.9, 1.0, -1.0])
def test_correlated_points(r):
    L = cg.linearize(cg.from_equations("y = a - b", a=0.0, b=0.0))
    b = cg.uncertainty_budget(L, ["y", "a", "b"], {"a": 1.0, "b": 2.0}, {("a", "b"): r}, samples=50_000)
    np.testing.assert_allclose(b.monte_carlo.covariance, b.covariance, atol=0.15)


def test_student_t_of_few_degrees_of_freedom_is_wider():
    L = cg.linearize(cg.from_equations("y = a", a=0.0))
    found = cg.uncertainty_budget(L, ["y"], {"a": {"standard": 1, "dof": 3}}, samples=200_000).monte_carlo
    assert found.interval()["y"] == pytest.approx((-3.182, 3.182), abs=0.1)  # t table, 3 degrees of freedom


BAD = {
    "negative": ({"a": -1.0}, None, r"of 'a' is -1.0; it must not be negative"),
    "not finite": ({"a": math.inf}, None, r"of 'a' is inf; give a finite number"),
    "infinite width": ({"a": {"uniform": math.inf}}, None, r"half-width of 'a' is inf; give a finite number"),
    "text": ({"a": "much"}, None, r"of 'a' is 'much', which is not a number"),
    "percent": ({"a": "x%"}, None, r"of 'a' is 'x%'; write 1%"),
    "dof": ({"a": {"standard": 1, "dof": 0.5}}, None, r"degrees of freedom of 'a' are 0.5; they must be 1 or more"),
    "key": ({"a": {"unifrom": 1}}, None, r"of 'a' has the key 'unifrom', .* did you mean 'uniform'\?"),
    "two kinds": ({"a": {"uniform": 1, "arcsine": 1}}, None, r"not by uniform and arcsine"),
    "no kind": ({"a": {"dof": 3}}, None, r"not by none"),
    "coverage": ({"a": {"uniform": 1, "coverage": 2}}, None, r"coverage factor, which belongs to 'normal'"),
    "coverage 0": ({"a": {"normal": 1, "coverage": 0}}, None, r"coverage factor of 'a' is 0; it must be positive"),
    "unknown node": ({"q": 1.0}, None, r"no node 'q' in the graph"),
    "computed node": ({"s": 1.0}, None, r"node 's' is computed; uncertainties belong to inputs"),
    "no mapping": ((1.0,), None, r"uncertainties must be a mapping from nodes"),
    "none": ({}, None, r"no node has an uncertainty"),
    "shape": ({"a": [1.0, 2.0]}, None, "is a vector of 2 and its value a number"),
    "coefficient": ({"a": 1, "b": 1}, {("a", "b"): 1.5}, r"correlation of 'a' and 'b' is 1.5; it must lie between -1 and 1"),
    "certain node": ({"a": 1}, {("a", "b"): 0.5}, r"'b' has no uncertainty; give it one"),
    "itself": ({"a": 1}, {("a", "a"): 0.5}, r"'a' and 'a' is a node with itself"),
    "twice": ({"a": 1, "b": 1}, {("a", "b"): 0.5, ("b", "a"): 0.5}, r"given twice"),
    "no pair": ({"a": 1}, {"a": 0.5}, r"a correlation is that of a pair"),
    "triple": (
        {"a": 1, "b": 1, "c": 1}, {("a", "b"): 0.9, ("b", "c"): 0.9, ("a", "c"): -0.9},
        r"-0.9 of 'a' and 'c' contradict each other: no three quantities have them",
    ),
    "covariance": ({}, {"nodes": ["a"], "covariance": [[-1.0]]}, r"variance of 'a' is -1; it must not be negative"),
    "asymmetric": ({}, {"nodes": ["a", "b"], "covariance": [[1.0, 0.5], [0.2, 1.0]]}, r"a symmetric matrix of 2 x 2"),
    "twice uncertain": ({"a": 1.0}, {"nodes": ["a"], "covariance": [[1.0]]}, r"'a' is given twice"),
    "covariance keys": ({}, {"nodes": ["a"], "matrix": [[1.0]]}, r"a covariance matrix is given as"),
    "covariance text": ({}, {"nodes": ["a"], "covariance": [["x"]]}, r"something that is not a number"),
    "correlation list": ({"a": 1}, [1], r"correlations must be a mapping from pairs"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name):
    uncertainty, correlation, message = BAD[name]
    L = cg.linearize(cg.from_equations("s = a + b + c; y = 2*s", a=1.0, b=1.0, c=1.0))
    with pytest.raises(cg.CGraphError, match=message):
        cg.uncertainty_budget(L, ["y"], uncertainty, correlation)


def test_four_correlations_that_only_together_contradict_each_other():
    L = cg.linearize(cg.from_equations("y = a + b + c + d", a=0.0, b=0.0, c=0.0, d=0.0))
    r = dict.fromkeys([("a", "b"), ("a", "c"), ("a", "d"), ("b", "c"), ("b", "d"), ("c", "d")], -0.4)
    with pytest.raises(cg.UncertaintyError, match=r"the correlations of 'b', 'a', 'c', 'd' contradict each other"):
        cg.uncertainty_budget(L, ["y"], dict.fromkeys("abcd", 1.0), r)


def test_more_that_is_refused():
    L = cg.linearize(cg.from_equations("s = x * 2; y = sum(s)", x=[1.0, 2.0]))
    with pytest.raises(cg.UncertaintyError, match="'s' is an array; a budget is that of a number"):
        cg.uncertainty_budget(L, ["s"], {"x": 0.1})
    with pytest.raises(cg.UncertaintyError, match="'x' is an array: take scalarize"):
        cg.uncertainty_budget(L, ["y"], {"x": 0.1}, order=2)
    with pytest.raises(cg.UncertaintyError, match="'x' is an array: take scalarize"):
        cg.uncertainty_budget(L, ["y"], {"x": 0.1}, samples=10)
    with pytest.raises(cg.UncertaintyError, match="no order 3"):
        cg.uncertainty_budget(L, ["y"], {"x": 0.1}, order=3)
    with pytest.raises(cg.UncertaintyError, match="needs a target"):
        cg.uncertainty_budget(L, [], {"x": 0.1})
    with pytest.raises(cg.CGraphError, match=r"write \['y'\]"):
        cg.uncertainty_budget(L, "y", {"x": 0.1})
    L = cg.linearize(cg.from_equations("y = a + b", a=1.0, b=1.0))
    u = {"a": {"uniform": 1.0}, "b": 1.0}
    with pytest.raises(cg.UncertaintyError, match="'a' is uniform and correlated"):
        cg.uncertainty_budget(L, ["y"], u, {("a", "b"): 0.5}, samples=10)
    with pytest.raises(cg.UncertaintyError, match="independent inputs; 'a' and 'b' are correlated"):
        cg.uncertainty_budget(L, ["y"], u, {("a", "b"): 0.5}, order=2)
    with pytest.raises(cg.UncertaintyError, match="at least 2 points"):
        cg.uncertainty_budget(L, ["y"], u, samples=1)
    b = cg.uncertainty_budget(L, ["y"], u)
    with pytest.raises(cg.UncertaintyError, match="'a' is no target of this budget; the targets are 'y'"):
        b.by_path("a")
    with pytest.raises(cg.UncertaintyError, match="probability must lie between 0 and 1"):
        b.expanded(1.0)
    with pytest.raises(cg.UncertaintyError, match="'a' stands in two groups"):
        cg.uncertainty_budget(L, ["y"], u, groups={"p": ["a"], "q": ["a"]})
    with pytest.raises(cg.UncertaintyError, match="group 'p' names 'y', which has no uncertainty"):
        cg.uncertainty_budget(L, ["y"], u, groups={"p": ["y"]})
    C = cg.compile_graph(L)
    with pytest.raises(cg.UncertaintyError, match="a compiled graph answers by input"):
        cg.uncertainty_budget(C, ["y"], {"a": 1.0}).by_path("y")
    with pytest.raises(cg.NodeNotFound, match="no node 'q'"):
        cg.uncertainty_budget(C, ["y"], {"q": 1.0})
    given = nx.DiGraph()
    given.add_edge("x", "y", derivative=2.0)
    assert cg.uncertainty_budget(given, ["y"], {"x": 0.5}).standard["y"] == 1.0
    with pytest.raises(cg.UncertaintyError, match="this one holds derivatives only"):
        cg.uncertainty_budget(given, ["y"], {"x": 0.5}, samples=10)


@pytest.mark.parametrize("readings", [[1.0], [1.0, "x"], [1.0, math.nan], 3.0])
def test_readings_that_are_none(readings):
    with pytest.raises(cg.UncertaintyError, match="the readings of 'a'"):
        cg.from_readings({"a": readings})


@given(st.floats(1e-12, 1e12), st.floats(-1e9, 1e9), st.integers(1, 4))
def test_the_concise_form_says_the_value_within_half_a_digit(standard, value, digits):
    text = cg.concise(value, standard, digits=digits)
    number, _, rest = text.partition("(")
    bracket, _, exponent = rest.partition(")")
    power = float(f"1{exponent}") if exponent else 1.0
    last = power * 10.0 ** -len(number.partition(".")[2])
    assert abs(float(number) * power - value) <= 0.5 * last * (1 + 1e-6) + 1e-9 * abs(value)
    assert abs(int(bracket) * last - standard) <= 0.5 * last * (1 + 1e-6) + 1e-9 * standard
    assert len(bracket) == digits
