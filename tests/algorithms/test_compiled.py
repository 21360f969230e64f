"""A compiled graph gives the numbers of the reference, whatever sweeps over it."""

import subprocess
import sys
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
from cases import CASES, digraph
from engines import ENGINES, using
from hypothesis import given
from hypothesis import strategies as st

import cgraph as cg
from cgraph.algorithms import engines
from cgraph.algorithms.compiled.numpy_sweeps import Levels
from cgraph.algorithms.compiled.simd import WIDTH


@st.composite
def graphs(draw):
    """Acyclic graphs whose nodes and edges stand in any order; several components and lone nodes among them."""
    n = draw(st.integers(1, 9))
    names = draw(st.permutations([f"v{k}" for k in range(n)]))
    pairs = draw(st.lists(st.sampled_from([(i, j) for j in range(n) for i in range(j)]), unique=True)) if n > 1 else []
    z = st.floats(-4, 4, allow_subnormal=False) | st.sampled_from([0.0, 1.0, -1.0])
    G = nx.DiGraph()
    G.add_nodes_from(draw(st.permutations(names)))
    for i, j in pairs:
        G.add_edge(names[i], names[j], derivative=draw(z))
    return G


def close(value):
    return pytest.approx(value, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_the_hand_computed_cases(engine, case):
    with using(engine):
        C = cg.compile_graph(case.graph)
        at = list(C.nodes).index
        s, t = case.s, case.t
        assert C.sensitivity(s, t) == close(case.sensitivity)
        assert C.sensitivities(t)[at(s)] == close(case.sensitivity)
        assert C.sensitivities_from(s)[at(t)] == close(case.sensitivity)
        assert C.jacobian([s], [t, t])[1, 0] == close(case.sensitivity)
        assert C.jacobian([s, s], [t])[0, 1] == close(case.sensitivity)
        assert C.count_paths(s, t) == len(case.paths)
        assert dict(C.top_paths(s, t, k=100)) == close(case.paths)


@pytest.mark.parametrize("engine", ENGINES)
@given(G=graphs(), data=st.data())
def test_random_graphs_agree_with_the_reference(engine, G, data):
    s, t = data.draw(st.sampled_from(list(G))), data.draw(st.sampled_from(list(G)))
    with using(engine):
        C = cg.compile_graph(G)
        assert list(C.nodes) == list(G)
        assert dict(zip(C.nodes, C.sensitivities(t), strict=True)) == close(cg.sensitivities(G, t))
        assert dict(zip(C.nodes, C.sensitivities_from(s), strict=True)) == close(cg.sensitivities_from(G, s))
        assert C.sensitivity(s, t) == close(cg.sensitivity(G, s, t))
        assert dict(zip(G.edges, C.edge_sensitivities(s, t), strict=True)) == close(cg.edge_sensitivities(G, s, t))
        assert C.count_paths(s, t) == cg.count_paths(G, s, t)


@pytest.mark.parametrize("engine", ENGINES)
@given(G=graphs(), data=st.data())
def test_jacobians_agree_with_the_reference(engine, G, data):
    some = st.lists(st.sampled_from(list(G)), max_size=4)
    sources, targets = data.draw(some), data.draw(some)
    with using(engine):
        J = cg.compile_graph(G).jacobian(sources, targets)
    assert J.shape == (len(targets), len(sources))
    assert close(cg.jacobian(G, sources, targets)) == J


@pytest.mark.parametrize("engine", ENGINES)
@given(G=graphs(), data=st.data())
def test_the_strongest_paths_agree_with_the_reference(engine, G, data):
    s, t = data.draw(st.sampled_from(list(G))), data.draw(st.sampled_from(list(G)))
    k = data.draw(st.integers(0, 5))
    with using(engine):
        found = cg.compile_graph(G).top_paths(s, t, k)
    expected = cg.top_paths(G, s, t, k)
    # Paths of equal strength may change places.
    assert [abs(product) for _, product in found] == close([abs(product) for _, product in expected])
    products = dict(cg.paths(G, s, t))
    assert dict(found) == close({path: products[path] for path, _ in found})
    assert len(dict(found)) == len(found)


@pytest.mark.parametrize("engine", ENGINES)
@given(G=graphs(), data=st.data())
def test_new_numbers_on_the_same_structure(engine, G, data):
    new = data.draw(st.lists(st.floats(-4, 4), min_size=G.number_of_edges(), max_size=G.number_of_edges()))
    t = data.draw(st.sampled_from(list(G)))
    with using(engine):
        C = cg.compile_graph(G)
        before = C.sensitivities(t)
        C.update(new)
        for (i, j), z in zip(G.edges, new, strict=True):
            G.edges[i, j]["derivative"] = z
        assert dict(zip(C.nodes, C.sensitivities(t), strict=True)) == close(cg.sensitivities(G, t))
        assert before is not C.sensitivities(t)


@pytest.fixture
def always_compiled(monkeypatch):
    pytest.importorskip("numba", reason="numba is an extra, and without it nothing is compiled by itself")
    monkeypatch.setattr(engines, "LEAST", 0)
    monkeypatch.setattr(engines, "LEAST_TO_LOAD", 0)


@pytest.mark.usefixtures("always_compiled")
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_sweeps_over_dicts_that_are_compiled_by_themselves(case):
    G, s, t = case.graph, case.s, case.t
    for S in (cg.sensitivities(G, t)[s], cg.sensitivities_from(G, s)[t], cg.jacobian(G, [s], [t])[0, 0].item()):
        assert close(case.sensitivity) == S
        assert type(S) is float
    assert list(cg.sensitivities(G, t)) == list(G)


@pytest.mark.usefixtures("always_compiled")
def test_what_is_not_made_of_floats_stays_with_dicts():
    G = digraph(("x", "a", Fraction(1, 3)), ("a", "y", 1j))
    assert cg.sensitivities(G, "y")["x"] == 1j / 3
    assert cg.sensitivities_from(G, "x")["a"] == Fraction(1, 3)


@pytest.mark.usefixtures("always_compiled")
def test_what_is_wrong_is_said_as_without_compiling():
    with pytest.raises(cg.DerivativeError, match="'x' -> 'y' holds nan as 'derivative'"):
        cg.sensitivities(digraph(("x", "y", float("nan"))), "y")
    with pytest.raises(cg.EvaluationError, match=r"S\(x, y\) overflows"):
        cg.sensitivities(digraph(("x", "a", 1e200), ("a", "y", 1e200)), "y")


@pytest.mark.parametrize(("edges", "sweeps", "loaded", "pays"), [
    (999, 1, True, False), (1000, 1, True, True), (10, 100, True, True), (1000, 1, False, False), (5000, 1000, False, True),
])  # fmt: skip
def test_when_compiling_pays(monkeypatch, edges, sweeps, loaded, pays):
    pytest.importorskip("numba", reason="numba is an extra, and without it nothing is compiled by itself")
    monkeypatch.setattr(engines, "is_loaded", lambda: loaded)
    G = digraph(*((k, k + 1, 1.0) for k in range(edges)))
    assert (engines.compiled_if_it_pays(G, sweeps, "derivative") is not None) == pays


def test_nothing_is_compiled_by_itself_without_numba():
    with using("numpy"):
        G = digraph(*((k, k + 1, 1.0) for k in range(10_000)))
        assert engines.compiled_if_it_pays(G, 1000, "derivative") is None


@pytest.mark.parametrize("engine", ENGINES)
def test_a_jacobian_wider_than_one_pass(engine):
    rng = np.random.default_rng(1)
    wide = WIDTH + 3
    tails, heads = np.repeat(np.arange(wide), wide), wide + np.tile(np.arange(wide), wide)
    z = rng.normal(size=wide * wide)
    with using(engine):
        C = cg.CompiledGraph.from_edges(tails, heads, z)
        J = z.reshape(wide, wide).T
        np.testing.assert_array_equal(C.jacobian(range(wide), range(wide, 2 * wide)), J)
        np.testing.assert_array_equal(C.jacobian(range(wide - 1), range(wide, 2 * wide)), J[:, :-1])


@pytest.mark.parametrize("engine", ENGINES)
def test_parallel_edges_stay_apart_and_add_up(engine):
    with using(engine):
        C = cg.CompiledGraph.from_edges([1, 0, 0, 0], [2, 1, 1, 2], [5.0, 2.0, -4.0, 3.0])
        assert C.sensitivity(0, 2) == (2 - 4) * 5 + 3
        assert C.edge_sensitivities(0, 2).tolist() == [-10.0, 10.0, -20.0, 3.0]
        assert C.count_paths(0, 2) == 3
        assert C.top_paths(0, 2) == [((0, 1, 2), -20.0), ((0, 1, 2), 10.0), ((0, 2), 3.0)]


@pytest.mark.parametrize("engine", ENGINES)
def test_edges_in_any_order_are_answered_in_the_order_given(engine):
    with using(engine):
        C = cg.CompiledGraph.from_edges([1, 2, 2], [0, 0, 1], [5.0, 3.0, 2.0], nodes=["y", "a", "x"])
        assert C.sensitivities("y").tolist() == [1.0, 5.0, 13.0]
        assert C.edge_sensitivities("x", "y").tolist() == [10.0, 3.0, 10.0]
        C.update([7.0, 3.0, 2.0])
        assert C.sensitivity("x", "y") == 17.0
        assert repr(C) == "<CompiledGraph of 3 nodes and 3 edges>"
        assert len(C) == C.number_of_edges == 3


@pytest.mark.parametrize("engine", ENGINES)
def test_nodes_without_edges_and_no_nodes_at_all(engine):
    with using(engine):
        assert cg.compile_graph(nx.DiGraph()).nodes == ()
        assert cg.CompiledGraph.from_edges([], [], []).nodes == range(0)
        C = cg.CompiledGraph.from_edges([], [], [], nodes=range(3))
        assert C.sensitivities(1).tolist() == [0.0, 1.0, 0.0]
        assert C.count_paths(0, 2) == 0
        assert C.top_paths(0, 0) == [((0,), 1.0)]
        assert C.jacobian([], [0, 1]).shape == (2, 0)


@pytest.mark.parametrize("engine", ENGINES)
def test_paths_are_counted_exactly_beyond_what_floats_hold(engine):
    n = 1100  # steps with two ways each
    tails = np.repeat(np.arange(n), 2)
    with using(engine), np.errstate(over="ignore"):  # uncompiled loops warn when floats no longer hold the count
        C = cg.CompiledGraph.from_edges(tails, tails + 1, np.ones(2 * n))
        assert [C.count_paths(0, k) for k in (52, 53, 54, n)] == [2**52, 2**53, 2**54, 2**n]


@pytest.mark.parametrize("engine", ENGINES)
def test_depth_is_not_recursion(engine):
    n = 20_000
    with using(engine):
        C = cg.CompiledGraph.from_edges(np.arange(n)[::-1], np.arange(1, n + 1)[::-1], np.ones(n))
        assert C.sensitivity(0, n) == 1.0


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("edges", "cycle"),
    [
        ([("x", "x")], "x -> x"),
        ([("s", "a"), ("a", "b"), ("b", "c"), ("c", "a"), ("c", "t")], "a -> b -> c -> a"),
    ],
)
def test_cycles_are_printed(engine, edges, cycle):
    with using(engine), pytest.raises(cg.CycleError) as caught:
        cg.compile_graph(digraph(*((i, j, 1.0) for i, j in edges)))
    shown = str(caught.value).removeprefix("the graph has a cycle: ").split(" -> ")
    assert shown[0] == shown[-1]
    rotations = {tuple(shown[k:-1] + shown[:k]) for k in range(len(shown) - 1)}
    assert tuple(cycle.split(" -> ")[:-1]) in rotations


@pytest.mark.parametrize("engine", ["numba", "numpy"])
def test_overflow_is_refused_where_it_matters(engine):
    with using(engine):
        # x -> a -> b -> y, where S(x,b) overflows; and x -> p, which leads nowhere but to overflow
        C = cg.CompiledGraph.from_edges([0, 1, 2, 0, 4], [1, 2, 3, 4, 5], [1e200, 1e200, 1e-200, 1e200, 1e200])
        for ask in (
            lambda: C.sensitivities(2),
            lambda: C.sensitivities_from(0),
            lambda: C.sensitivity(0, 2),
            lambda: C.jacobian([0], [2]),
            lambda: C.edge_sensitivities(0, 3),
            lambda: C.top_paths(0, 2),
        ):
            with pytest.raises(
                cg.EvaluationError, match=r"\(0, 2\) overflows|product\(0, 1, 2\) overflows|flow\(2, 3\) overflows"
            ):
                ask()
        assert C.sensitivity(0, 3) == close(1e200)  # backwards, nothing overflows
        big = cg.CompiledGraph.from_edges([0, 1], [2, 2], [1.7e308, 1.7e308])
        assert big.sensitivities(2).tolist() == [1.7e308, 1.7e308, 1.0]  # finite, though their sum is not
        off_the_path = cg.CompiledGraph.from_edges([0, 0, 2], [1, 2, 3], [2.0, 1e200, 1e200])
        assert off_the_path.edge_sensitivities(0, 1).tolist() == [2.0, 0.0, 0.0]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_derivatives_that_are_not_finite_are_refused_with_their_edge(bad):
    with pytest.raises(cg.DerivativeError, match=r"edge 'a' -> 'y' holds .* finite"):
        cg.compile_graph(digraph(("x", "a", 1.0), ("a", "y", bad)))
    with pytest.raises(cg.DerivativeError, match=r"edge 2 -> 1 holds .* finite"):
        cg.CompiledGraph.from_edges([0, 2], [1, 1], [1.0, bad])
    C = cg.CompiledGraph.from_edges([1, 0], [2, 1], [2.0, 3.0], nodes=["x", "a", "y"])
    with pytest.raises(cg.DerivativeError, match=r"edge 'x' -> 'a' holds .* finite"):
        C.update([1.0, bad])
    assert C.sensitivity("x", "y") == 6.0  # as it was


def test_an_edge_without_a_derivative_is_refused():
    with pytest.raises(cg.MissingDerivativeError, match="'x' -> 'y' has no 'derivative'"):
        cg.compile_graph(nx.DiGraph([("x", "y")]))
    G = nx.DiGraph()
    G.add_edge("x", "y", weight=3.0)
    assert cg.compile_graph(G, derivative="weight").sensitivity("x", "y") == 3.0


def test_real_numbers_of_other_types_become_floats():
    G = digraph(("x", "a", 2), ("a", "b", Fraction(1, 4)), ("b", "y", np.float32(3)))
    assert cg.compile_graph(G).sensitivity("x", "y") == 1.5


@pytest.mark.parametrize("z", [1j, True, "2", np.ones((2, 2)), Fraction(10**400)])
def test_what_is_no_real_number_is_refused(z):
    with pytest.raises(cg.DerivativeError, match="'x' -> 'y' holds"):
        cg.compile_graph(digraph(("x", "y", z)))


def test_a_multigraph_is_refused():
    with pytest.raises(cg.CGraphError, match=r"networkx\.DiGraph is needed"):
        cg.compile_graph(nx.MultiDiGraph([("x", "y")]))


@pytest.mark.parametrize("node", [3, -1, "x", 1.0, None, [1]])
def test_unknown_numbers_are_refused(node):
    C = cg.CompiledGraph.from_edges([0, 1], [1, 2], [2.0, 5.0])
    for ask in (C.sensitivities, C.sensitivities_from, lambda i: C.jacobian([i], [0]), lambda i: C.top_paths(0, i)):
        with pytest.raises(cg.NodeNotFound, match="no node"):
            ask(node)


def test_unknown_names_are_refused_with_the_nearest():
    C = cg.compile_graph(digraph(("x1", "y", 2.0)))
    with pytest.raises(cg.NodeNotFound, match="did you mean 'x1'"):
        C.count_paths("x_1", "y")
    with pytest.raises(cg.NodeNotFound):
        C.edge_sensitivities("x1", 0)


def test_numbers_of_numpy_name_nodes():
    C = cg.CompiledGraph.from_edges(np.array([0], np.uint8), np.array([1], np.int64), np.array([3.0], np.float32))
    assert C.sensitivity(np.int64(0), np.uint8(1)) == 3.0
    assert cg.CompiledGraph.from_edges([0], [1], [3], nodes=np.array([7, 9])).sensitivity(7, 9) == 3.0


def test_a_negative_number_of_paths_is_refused():
    with pytest.raises(cg.CGraphError, match="k = -1"):
        cg.CompiledGraph.from_edges([0], [1], [1.0]).top_paths(0, 1, k=-1)


@pytest.mark.parametrize(
    ("sources", "targets", "derivatives", "nodes", "message"),
    [
        ([0], [1, 2], [1.0], None, "1 sources, 2 targets and 1 derivatives"),
        ([0], [1], [], None, "0 derivatives"),
        ([0.0], [1], [1.0], None, "sources are an array of float64"),
        ([True], [1], [1.0], None, "sources are an array of bool"),
        (["x"], ["y"], [1.0], None, "sources are an array of <U1"),
        ([0], [None], [1.0], None, "targets are an array of object"),
        ([[0]], [[1]], [[1.0]], None, "sources are an array of 2 dimensions"),
        (0, 1, 1.0, None, "sources are an array of 0 dimensions"),
        ([0], [1], ["1.0"], None, "derivatives are an array of <U3"),
        ([0], [1], [1j], None, "derivatives are an array of complex128"),
        ([0], [1], [True], None, "derivatives are an array of bool"),
        ([0], [1], [None], None, "derivatives are an array of object"),
        ([0, 1], [1, 2], [[1.0], [1.0, 2.0]], None, "derivatives are no array"),
        ([-1], [1], [1.0], None, "edge number 0 begins at node -1"),
        ([0, 0], [1, -5], [1.0, 1.0], None, "edge number 1 ends at node -5"),
        ([0], [2**32], [1.0], None, "number nodes without gaps"),
        ([0], [2**63], [1.0], None, "number nodes without gaps"),
        ([0], [2], [1.0], ["x", "y"], "edge number 0 ends at node 2; nodes are numbered 0 to 1"),
        ([0], [1], [1.0], range(1), "edge number 0 ends at node 1; nodes are numbered 0 to 0"),
        ([0], [1], [1.0], ["x", "x"], "two nodes are named 'x'"),
        ([0], [1], [1.0], [["x"], "y"], "not hashable"),
    ],
)  # fmt: skip
def test_bad_arrays_are_refused(sources, targets, derivatives, nodes, message):
    with pytest.raises(cg.CGraphError, match=message):
        cg.CompiledGraph.from_edges(sources, targets, derivatives, nodes=nodes)


@pytest.mark.parametrize(
    ("derivatives", "message"),
    [
        ([1.0], "1 derivatives were given for 2 edges"),
        ([1.0, 2.0, 3.0], "3 derivatives"),
        ([1.0, "2"], "derivatives are an array of <U"),
        ([[1.0, 2.0]], "2 dimensions"),
    ],
)
def test_bad_updates_are_refused_and_change_nothing(derivatives, message):
    C = cg.CompiledGraph.from_edges([0, 1], [1, 2], [2.0, 5.0])
    with pytest.raises(cg.CGraphError, match=message):
        C.update(derivatives)
    assert C.sensitivity(0, 2) == 10.0


def test_the_arrays_belong_to_the_graph():
    z = np.array([2.0, 5.0])
    C = cg.CompiledGraph.from_edges([0, 1], [1, 2], z)
    z[:] = 7.0
    assert C.sensitivity(0, 2) == 10.0
    C.update(z)
    z[:] = 1.0
    assert C.sensitivity(0, 2) == 49.0
    C.sensitivities(2)[:] = 0.0
    assert C.sensitivity(0, 2) == 49.0


def test_levels_are_found_in_any_topological_order():
    # 0 -> 2, 1 -> 3, 2 -> 3: nodes 0 and 1 at once, then 2, then 3
    rows = Levels(np.array([0, 1, 2, 3, 3], np.uint32), np.array([2, 3, 3], np.uint32))
    assert list(rows._bounds()) == [(0, 2), (2, 3), (3, 4)]


def test_numba_is_imported_only_when_it_is_needed():
    code = "import sys, cgraph; cgraph.compile_graph, cgraph.sensitivities; assert 'numba' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_loops_are_compiled_where_no_disk_keeps_them(monkeypatch):
    numba = pytest.importorskip("numba", reason="numba is an extra")
    from cgraph.algorithms.compiled import jit, numba_sweeps

    def njit(*, cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return compiler(**options)

    compiler = numba.njit
    monkeypatch.setattr(numba, "njit", njit)
    assert set(jit.compiled.__wrapped__(numba_sweeps.LOOPS)) == {loop.__name__ for loop in numba_sweeps.LOOPS}


def test_an_interrupted_update_changes_nothing(monkeypatch):
    C = cg.CompiledGraph.from_edges([1, 0], [2, 1], [5.0, 2.0])
    monkeypatch.setattr(C._layout, "in_rows", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        C.update([7.0, 7.0])
    assert C.sensitivity(0, 2) == 10.0


def test_machine_code_is_kept_under_the_text_of_all_it_calls(monkeypatch):
    pytest.importorskip("numba", reason="numba is an extra")
    from cgraph.algorithms.compiled import jit, simd, simd_numba
    from cgraph.algorithms.compiled.tape import elementary_functions

    before = jit._fingerprint([elementary_functions.exp])
    assert before == jit._fingerprint([elementary_functions.exp, elementary_functions.log])
    assert before != jit._fingerprint([elementary_functions.exp], "generated text")
    text_of = jit.inspect.getsource
    for changed in (elementary_functions, simd, jit, simd_numba):
        monkeypatch.setattr(
            jit.inspect,
            "getsource",
            lambda module, changed=changed: text_of(module) + "#" * (module is changed),
        )
        assert jit._fingerprint([elementary_functions.exp]) != before
