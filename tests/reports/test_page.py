"""The page in a real browser: every step, other numbers, exercises, keys, and nothing but the file."""

import json
import math
import re
import shutil
from fractions import Fraction
from itertools import pairwise, product
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from nasty_names import NASTY, nasty_graph
from networks import networks
from random_graphs import equation_graphs

import cgraph as cg
from cgraph.exercises.diagnosis import Cell, diagnose
from cgraph.exercises.exercise import Exercise, truth_of
from cgraph.exercises.grade_reports import explain
from cgraph.exercises.numbers import read_number
from cgraph.exercises.parts import EdgeDerivative, PathProduct, Sensitivity, ValueOf, WeightGradient
from cgraph.exercises.tolerances import parse_tolerance
from cgraph.model.evaluation import steps_of
from cgraph.model.graph import topological_order
from cgraph.model.language.parsing import parse
from cgraph.model.operations.elementwise import FUNCTIONS, OPERATIONS, Operation
from cgraph.reports.drawing.picture import picture_of
from cgraph.reports.pages.pages import _data

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
EXAMPLES = sorted(Path(__file__).parent.parent.parent.glob("examples/*/*.yaml"))

pytest.importorskip("pygraphviz")
playwright = pytest.importorskip("playwright.sync_api")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here; Debian's package is `chromium`")


def quiz():
    return cg.from_equations("a = x*z; y = exp(a) + a/log(x) + sin(log(x))/a", x=2.0, z=3.0)


def network():
    return cg.read_spec(next(p for p in EXAMPLES if p.stem == "network"))


@pytest.fixture(scope="module")
def tabs():
    """The browser's tabs, as many as a test has needed at once: to open another takes longer than most tests."""
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context, opened = browser.new_context(), []

        def tab(k):
            if k == len(opened):
                opened.append(context.new_page())
                opened[k].set_default_timeout(20_000)
            return opened[k]

        yield tab
        browser.close()


@pytest.fixture
def show(tabs, tmp_path):
    """Open the page of a graph; at the end there must have been no error, no message and no other request."""
    used, heard, asked = [], [], []
    listeners = {
        "console": lambda message: heard.append(message.text),
        "pageerror": lambda error: heard.append(str(error)),
        "dialog": lambda dialog: heard.append(dialog.message),
        "request": lambda request: asked.append(request.url),
    }

    def show(G, *, edit=str, viewport=None, **options):
        path = tmp_path / f"page-{len(used)}.html"
        path.write_text(edit(cg.page(cg.linearize(G) if isinstance(G, cg.ComputationalGraph) else G, **options)))
        tab = tabs(len(used))
        used.append(tab)
        for event, listener in listeners.items():
            tab.on(event, listener)
        tab.set_viewport_size(viewport or {"width": 1200, "height": 900})
        tab.goto(path.as_uri())
        return tab

    yield show
    for tab in used:
        tab.evaluate("0")  # what it has to say, it has said then
        for event, listener in listeners.items():
            tab.remove_listener(event, listener)
        tab.emulate_media(media="null")
        tab.goto("about:blank")
    assert heard == []
    assert [url for url in asked if not re.fullmatch(r"file://.*/page-\d+\.html", url)] == []


def steps(tab):
    return int(tab.get_attribute("#slider", "max")) + 1


def end_of(tab, phase):
    tab.evaluate("phase => go(steps.findLastIndex(step => step.phase === phase))", phase)


def phase(tab):
    return tab.get_attribute("#phases [aria-pressed=true]", "data-phase")


def rows(tab):
    """Return {first cell: numbers in full, None where there is none} of the running table."""
    return {
        row[0]: row[1:]
        for row in tab.eval_on_selector_all(
            "#table tbody tr",
            "rows => rows.map(r => [r.cells[0].textContent,"
            " ...[...r.cells].slice(1).map(c => c.dataset.value === undefined ? null : Number(c.dataset.value))])",
        )
    }


def lit(tab, what):
    return set(tab.eval_on_selector_all(f".{what}.lit", "all => all.map(e => e.id)"))


def close(a, b):
    return abs(a - b) <= 1e-9 * max(1.0, abs(b))


# Without a browser


def test_the_file_fetches_nothing_and_runs_only_its_own_script():
    text = cg.page(cg.linearize(quiz()), s="x", t="y")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[1]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert re.findall(r"(?:src|href|url|import)\s*[=(]", text.replace("xmlns", "")) == []
    assert re.findall(r"https?:[^\"]*", text) == ["http://www.w3.org/2000/svg"]


def test_names_cannot_leave_their_place_in_the_file():
    text = cg.page(nasty_graph(NASTY))
    assert text.count("<script") == text.count("</script>") == 2
    assert "<script>alert" not in text
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[1])
    assert [node["name"] for node in data["nodes"]] == NASTY


@pytest.mark.parametrize(
    ("graph", "options", "message"),
    [
        (
            nx.DiGraph([(k, k + 1) for k in range(500)]),
            {},
            "this graph has 501 and 500, and between 0 and 500 lie 501 and 500: choose two nodes that are nearer",
        ),
        (nx.DiGraph(), {}, "a page needs edges, and this graph has none"),
        (quiz(), {}, "has no 'derivative'"),
        (cg.linearize(quiz()), {"s": "q"}, "no node 'q' in the graph"),
    ],
)
def test_what_no_page_can_show_is_said(graph, options, message):
    with pytest.raises(cg.CGraphError, match=message):
        cg.page(graph, **options)


@pytest.mark.parametrize(("bad", "what"), [(1j, "1j"), (np.ones((2, 3)), "2 x 3; scalarize")])
def test_a_page_shows_real_numbers(bad, what):
    G = nx.DiGraph()
    G.add_edge("x", "y", derivative=2.0)
    G.nodes["x"]["value"] = bad
    with pytest.raises(cg.DrawingError, match=f"a page shows graphs of .*numbers, and node 'x' holds {what}"):
        cg.page(G)


# The operations of the script


@needs_browser
@pytest.mark.parametrize("own", [True, False])
def test_a_page_computes_what_is_added_to_the_table(show, monkeypatch, own):
    head, equation = "ratio(x, b)", "x / (2 - x) + b * b"
    G = cg.ComputationalGraph()
    if own:
        G.add_function(head, equation)
    else:
        row = Operation("x b", equation, (), r"ratio({0}, {1})", domain=("x < 2", "an operand below 2"))
        monkeypatch.setitem(OPERATIONS, "ratio", row)
        monkeypatch.setattr("cgraph.model.language.parsing.FUNCTIONS", FUNCTIONS | {"ratio"})
        parse.cache_clear()
    G.add_input("u", 0.5)
    G.add_equation("h", "ratio(u, 3)")
    G.add_equation("y", "2 * ratio(h/10, 1) + u")
    tab = show(G)
    parse.cache_clear()
    for u in (0.5, 0.75, -1.0):
        L = cg.linearize(G, {"u": u})
        found = tab.evaluate("u => computed({ ...given, sources: [u, null, null] })", u)
        assert found["y"] == pytest.approx([L.nodes[i]["value"] for i in L], rel=1e-13)
        assert found["z"] == pytest.approx([z for *_, z in L.edges(data="derivative")], rel=1e-13)
    assert "2 · ratio(h / 10, 1) + u" in tab.evaluate("steps.map((step) => step.formula).join()").replace(
        "/", " / "
    ).replace("  ", " ")


@needs_browser
def test_every_operation_computes_as_the_library_does(show):
    tab = show(quiz())
    points = [-7.5, -3.0, -2.0, -1.0, -0.6, -0.1, 0.0, 0.1, 0.5, 0.99, 1.0, 1.7, 2.0, 3.0, 8.0]
    some = points[::2]  # of three operands, there are too many triples
    arity = {name: len(row.derivatives) for name, row in cg.OPERATIONS.items()}
    cases = [(name, x) for name, n in arity.items() for x in product(*[points if n < 3 else some] * n)]
    found = tab.evaluate(
        """cases => cases.map(([name, x]) => { try {
             const y = apply(name, x, data.operations);
             return [y, ...x.map((_, k) => { try { return differentiate(name, k, y, x) } catch { return null } })];
           } catch { return null } })""",
        cases,
    )
    for (name, x), numbers in zip(cases, found, strict=True):
        expected = engine(name, x)
        assert (numbers is None) == (expected is None), (name, x)
        for a, b in zip(numbers or [], expected or [], strict=True):
            assert (a is None) == (b is None), (name, x, numbers, expected)
            assert a is None or close(a, b), (name, x, numbers, expected)


def engine(name, x):
    """Return value and derivatives by the library, None for what it refuses."""
    names = ["a", "b", "c"][: len(x)]
    row = cg.OPERATIONS[name]
    text = f"{name}({', '.join(names)})"
    if row.infix:
        text = f" {row.infix} ".join(names) if len(x) > 1 else f"{row.infix}a"
    G = cg.from_equations(f"y = {text}", **dict(zip(names, x, strict=True)))
    try:
        y = cg.evaluate(G)["y"]
    except cg.EvaluationError:
        return None
    derivatives = []
    for k, operand in enumerate(names):
        # One operand at a time, so that what is not differentiable by one does not hide the other.
        others = {n: str(v) for n, v in zip(names, x, strict=True) if n != operand}
        single = text
        for n, v in others.items():
            single = re.sub(rf"\b{n}\b", f"({v})", single)
        try:
            L = cg.linearize(cg.from_equations(f"y = {single}", **{operand: x[k]}))
            derivatives.append(L.edges[operand, "y"]["derivative"])
        except cg.EvaluationError:
            derivatives.append(None)
    return [y, *derivatives]


@needs_browser
def test_random_graphs_have_the_numbers_of_the_library(show):
    tab = show(quiz())

    @settings(max_examples=60)
    @given(equation_graphs() | networks())
    def check(G):
        L = cg.linearize(G)
        s, t = L.inputs[0], L.outputs[0]
        found = tab.evaluate(
            """data => {
              const graph = prepared(data), w = data.edges.map(e => e.weight);
              const y = forwardPass(graph, data.nodes.map(n => n.value), w, data.operations);
              const { z } = localDerivatives(graph, y, w, data.operations);
              // The formulas hold at every point: at this one, and at another.
              const formulas = [0, 0.3].map((step) => {
                try {
                  const y = forwardPass(graph, data.nodes.map((n) => n.value === null ? null : 1.1 * n.value + step), w, data.operations);
                  const { z } = localDerivatives(graph, y, w, data.operations), number = leafNumber(graph, { y, w });
                  return graph.edges.map(({ formula }, e) => [z[e], formulaValues(formula, number).at(-1)]);
                } catch { return []; } // outside a domain
              });
              return { y, z, formulas: formulas.flat(), S: reverseSweep(graph, z, data.t), from: forwardSweep(graph, z, data.s),
                       count: strongestPaths(graph, z, data.s, data.t, 5).count };
            }""",
            page_data(L, s, t),
        )
        assert all(close(a, L.nodes[i]["value"]) for a, i in zip(found["y"], L, strict=True))
        assert all(close(a, z) for a, (*_, z) in zip(found["z"], L.edges(data="derivative"), strict=True))
        assert all(close(a, S) for a, S in zip(found["S"], cg.sensitivities(L, t).values(), strict=True))
        assert all(close(a, S) for a, S in zip(found["from"], cg.sensitivities_from(L, s).values(), strict=True))
        assert all(abs(a - b) <= 1e-8 * max(1.0, abs(a)) for a, b in found["formulas"])
        assert found["count"] == cg.count_paths(L, s, t)

    check()


@st.composite
def nested(draw, depth=3):
    """Signs, quotients, powers and choices, nested at random."""
    if depth == 0:
        return draw(st.sampled_from(["x", "z", "2", "0.5", "-3"]))
    left, right = draw(nested(depth - 1)), draw(nested(depth - 1))
    forms = ["-({0})", "({0}) - ({1})", "({0}) + ({1})", "({0})*({1})", "({0})/({1})", "({0})^2", "2^({0})", "({0})^({1})", "exp(-({0}))",
             "relu({0})", "max({0}, {1})", "abs({0})", "where({0} > {1}, {0}, {1})", "clip({0}, -1, 2)", "tanh({0})", "elu({0})"]  # fmt: skip
    return draw(st.sampled_from(forms)).format(left, right)


@st.composite
def nested_graphs(draw):
    G = cg.from_equations(f"u = {draw(nested())}; y = {draw(nested(2))} + 0*u*x*z", x=1.1, z=-0.7)
    try:
        cg.linearize(G)
    except cg.CGraphError:  # outside a domain, or too large
        reject()
    return G


@needs_browser
def test_what_is_written_can_be_read_back_and_is_what_it_says(show):
    """Equations and formulas of derivatives, read as equations: brackets and signs stand where they have to."""
    tab = show(quiz())
    plain = str.maketrans({"·": "*", "−": "-", "≥": ">=", "≤": "<="})

    @settings(max_examples=150)
    @given(equation_graphs() | nested_graphs())
    def check(G):
        L = cg.linearize(G)
        found = tab.evaluate(
            """data => {
              const graph = prepared(data), w = [], words = data.operations;
              const y = forwardPass(graph, data.nodes.map((n) => n.value), w, words), number = leafNumber(graph, { y, w });
              for (const node of graph.nodes) node.shown = node.name;
              const equations = graph.nodes.map((n) => (n.steps ? written(n.steps, words, leafName(graph)) : null));
              const put = graph.nodes.map((n) => (n.steps ? written(n.steps, words, (leaf) => show(number(leaf), 17)) : null));
              const formulas = graph.edges.map(({ formula }) =>
                formula ? written(formula, words, leafName(graph), formulaValues(formula, number)) : null);
              return { equations, put, formulas };
            }""",
            page_data(L, L.inputs[0], L.outputs[0]),
        )
        y = {i: data["value"] for i, data in L.nodes(data=True)}
        expected = [*y.values(), *y.values(), *(z for *_, z in L.edges(data="derivative"))]
        texts = [*found["equations"], *found["put"], *found["formulas"]]
        for text, value in zip(texts, expected, strict=True):
            if text is not None:
                assert steps_of(parse(text.translate(plain)), y, "q")[-1] == pytest.approx(value, rel=1e-7, abs=1e-8), (
                    text
                )

    check()


def page_data(L, s, t):
    """Return the data of a page, without the values that its script has to find."""
    data = _data(L, topological_order(L), picture_of(L), s, t)
    for node in data["nodes"]:
        if "steps" in node or "neuron" in node:
            node["value"] = None
    return json.loads(json.dumps(data))


# Steps


FORMS = {"as it is": lambda G: G, "expanded": cg.expand, "decoupled": cg.decouple}
STEP = """() => ({
  count: at("count").textContent, formula: at("formula").textContent, numbers: at("numbers").textContent,
  phase: document.querySelector("#phases [aria-pressed=true]").dataset.phase,
  lit: document.querySelectorAll(".node.lit").length,
})"""


@needs_browser
@pytest.mark.parametrize(
    ("stem", "form"),
    [(p.stem, "as it is") for p in EXAMPLES]
    + [("quiz", "expanded"), ("network", "expanded"), ("network", "decoupled")],
)
def test_every_step_of_every_example(show, stem, form):
    G = FORMS[form](cg.read_spec(next(p for p in EXAMPLES if p.stem == stem)))
    L = cg.linearize(G)
    s, t = L.inputs[0], L.outputs[0]
    tab = show(G, s=s, t=t)
    assert not tab.is_visible("#warning")
    last = steps(tab)
    forwards = []
    for _ in range(last):
        forwards.append(tab.evaluate(STEP))
        tab.keyboard.press("ArrowRight")
    assert [step["count"] for step in forwards] == [f"Step {k + 1} of {last}" for k in range(last)]
    phases = ["forward", "local", "backward", "paths"] + ["weights"] * bool(cg.weight_gradients(L, t))
    assert list(dict.fromkeys(step["phase"] for step in forwards)) == phases
    assert tab.is_visible("[data-phase=weights]") == ("weights" in phases)
    assert all(step["lit"] for step in forwards)
    for step in forwards:
        is_number = re.fullmatch(r"−?[\d.e−]+( / \d+)?", step["formula"].split(" = ")[-1])
        assert step["numbers"] or is_number or step["formula"].endswith("has found it")
    for step in reversed(forwards):
        assert tab.evaluate(STEP) == step
        tab.keyboard.press("ArrowLeft")
    compare_with_engine(tab, L, tab.evaluate("graph.nodes.map(node => node.shown)"), s, t)


def compare_with_engine(tab, L, names, s, t):
    """Compare what the tables show at the end of each phase with the engine."""
    shown = dict(zip(L, names, strict=True))
    S = cg.sensitivities(L, t)
    tab.click("[data-phase=paths]")
    tab.keyboard.press("ArrowLeft")
    table = rows(tab)
    for i in L:
        value, sensitivity = table[shown[i]]
        assert close(value, L.nodes[i]["value"])
        assert sensitivity is None or close(sensitivity, S[i])
        assert sensitivity is not None or S[i] == 0
    tab.click("[data-phase=backward]")
    tab.keyboard.press("ArrowLeft")
    table = rows(tab)
    for i, j, z in L.edges(data="derivative"):
        assert close(table[f"{shown[i]} → {shown[j]}"][0], z)
    end_of(tab, "paths")
    table = rows(tab)
    expected = {" → ".join(shown[i] for i in path): z for path, z in cg.paths(L, s, t)}
    assert table.keys() == expected.keys()
    assert all(close(table[path][0], z) for path, z in expected.items())
    assert close(list(table.values())[-1][1], S[s])
    if gradients := {edge: g for edge, g in cg.weight_gradients(L, t).items() if isinstance(edge, tuple)}:
        tab.keyboard.press("End")
        found = dict(tab.evaluate("steps.filter(step => step.key[0] === 'w').map(step => [step.edge, step.result])"))
        edges = list(L.edges)
        assert {edges[e] for e in found} == {(i, j) for i, j in gradients if j == t or cg.count_paths(L, j, t)}
        assert all(close(g, gradients[edges[e]]) for e, g in found.items())


@needs_browser
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_local_derivatives_have_the_formulas_of_the_worked_solution(show, path):
    G = cg.read_spec(path)
    solution = cg.solve(G, None, G.outputs[0])
    tab = show(G)
    found = tab.evaluate(
        """() => { graph.nodes.forEach((node) => { node.shown = /^\\d+$/.test(node.name) ? `y(${node.name})` : node.name; });
                   return Object.fromEntries(localSteps(graph, numbers, words).map((step) => [step.edge, step])); }"""
    )
    plain = str.maketrans({"·": "*", "−": "-", " ": None})
    edges = list(G.edges)
    for i, j, formula, value in solution.local:
        step = found[str(edges.index((i, j)))]
        weight = G.edges[i, j].get("weight")
        expected = formula.text if weight is None else re.sub(r"\*?\(?-?[\d.]+\)?$", "", formula.text) + f"*w({i},{j})"
        expected = expected.replace(f"w(+1,{j})", f"b({j})").removeprefix("*")
        assert step["formula"].partition(" = ")[2].translate(plain) == expected.translate(plain)
        assert close(step["result"], value)
        assert not re.search(
            r"[A-Za-z]", re.sub(r"e-\d|\b[a-z0-9]+\(", "", step["numbers"].partition(" = ")[2].translate(plain))
        )


@needs_browser
def test_what_is_lit_and_said_at_a_step(show):
    tab = show(quiz(), s="x", t="y")
    tab.click("[data-phase=local]")
    assert tab.inner_text("#title") == "The derivative of a with respect to x"
    assert tab.inner_text("#formula") == "z(x, a) = z"
    assert tab.inner_text("#numbers") == "z(x, a) = 3"
    assert (lit(tab, "node"), lit(tab, "edge")) == ({"node-0", "node-2"}, {"edge-0-2"})
    tab.click("[data-phase=backward]")
    tab.keyboard.press("End")
    tab.click("[data-phase=paths]")
    tab.keyboard.press("ArrowLeft")
    assert tab.inner_text("#formula") == "S(x, y) = S(a, y) z(x, a) + S(y, y) z(x, y)"
    assert tab.inner_text("#numbers") == "S(x, y) = 404.854 · 3 + 1 · (−6.18)"
    assert tab.inner_text("#result") == "= 1208.381215"
    assert (lit(tab, "node"), lit(tab, "edge")) == ({"node-0"}, {"edge-0-2", "edge-0-3"})
    assert tab.text_content("#node-0 .sensitivity") == "S = 1208"
    tab.keyboard.press("End")
    assert tab.inner_text("#result") == "= −6.180003701; S(x, y): 1208.381215 so far"


@needs_browser
def test_buttons_keys_and_slider_all_step(show):
    tab = show(quiz())
    for act in (
        lambda: tab.click("#next"), lambda: tab.keyboard.press("ArrowRight"), lambda: tab.keyboard.press("ArrowDown"),
    ):  # fmt: skip
        before = tab.input_value("#slider")
        act()
        assert int(tab.input_value("#slider")) == int(before) + 1
    tab.focus("#node-1")
    tab.keyboard.press(" ")
    assert tab.inner_text("#count").startswith("Step 5 ")
    tab.click("#previous")
    assert tab.inner_text("#count").startswith("Step 4 ")
    tab.fill("#slider", "7")
    assert tab.inner_text("#count").startswith("Step 8 ")
    assert tab.get_attribute("#slider", "aria-valuetext").startswith("step 8 of ")
    tab.click("#last")
    assert phase(tab) == "paths"
    tab.click("#first")
    tab.keyboard.press("ArrowLeft")
    assert tab.inner_text("#count").startswith("Step 1 ")


@needs_browser
def test_other_ends_are_chosen_and_everything_follows(show):
    L = cg.linearize(network())
    tab = show(network(), s="x1", t="J")
    nodes = list(L)
    for s, t in (("x2", "o"), ("h1", "J"), ("J", "x1"), ("o", "o")):
        tab.select_option("#source", str(nodes.index(s)))
        tab.select_option("#target", str(nodes.index(t)))
        S = cg.sensitivities(L, t)
        assert all(close(a, S[i]) for a, i in zip(tab.evaluate("numbers.S"), nodes, strict=True))
        if cg.count_paths(L, s, t):
            end_of(tab, "paths")
            assert phase(tab) == "paths"
            assert close(tab.evaluate("numbers.paths.reduce((sum, p) => sum + p.product, 0)"), S[s])
        else:
            assert tab.is_disabled("[data-phase=paths]")


def node_fields(tab, G):
    return {
        tab.evaluate("i => graph.nodes[i].name", i): i for i, _ in enumerate(G) if tab.query_selector(f"#field-{i}")
    }


@needs_browser
@pytest.mark.parametrize("graph", [quiz, network, lambda: cg.expand(quiz()), lambda: cg.weights_as_nodes(network())])
def test_changed_inputs_are_followed_by_everything(show, graph):
    G = graph()
    tab = show(G)
    fields = node_fields(tab, G)
    assert set(fields) == set(G.inputs + G.weights)
    tab.click("#inputs summary")
    changed = {}
    for name, i in fields.items():
        changed[name] = G.nodes[name]["value"] * 0.5 + 0.75
        tab.fill(f"#field-{i}", repr(changed[name]))
    L = cg.linearize(G, changed)
    t = tab.evaluate("graph.nodes[state.t].name")
    assert all(close(a, L.nodes[i]["value"]) for a, i in zip(tab.evaluate("numbers.y"), L, strict=True))
    assert all(close(a, z) for a, (*_, z) in zip(tab.evaluate("numbers.z"), L.edges(data="derivative"), strict=True))
    assert all(close(a, S) for a, S in zip(tab.evaluate("numbers.S"), cg.sensitivities(L, t).values(), strict=True))
    tab.keyboard.press("Tab")
    tab.click("#reset")
    assert all(close(a, y) for a, y in zip(tab.evaluate("numbers.y"), cg.evaluate(G).values(), strict=True))


def weight_fields(tab, L):
    """Return {(i, j): the number of its field} for the weights that can be changed."""
    return {edge: e for e, edge in enumerate(L.edges) if tab.query_selector(f"#weight-{e}")}


@needs_browser
@pytest.mark.parametrize("form", FORMS)
def test_weights_change_and_their_gradient_follows(show, form):
    G = FORMS[form](network())
    L = cg.linearize(G)
    tab = show(L, t="J")
    fields = weight_fields(tab, L)
    assert set(fields) == {edge for edge in cg.weight_gradients(L, "J") if isinstance(edge, tuple)}
    tab.click("#inputs summary")
    for k, ((i, j), e) in enumerate(fields.items()):
        G.edges[i, j]["weight"] = 0.3 - 0.17 * k
        tab.fill(f"#weight-{e}", repr(G.edges[i, j]["weight"]))
        gradients = cg.weight_gradients(cg.linearize(G), "J")
        found = tab.evaluate("numbers.gradient")
        assert all(
            abs(found[e] - gradients[edge]) <= 1e-9 * max(1.0, abs(gradients[edge])) for edge, e in fields.items()
        )
    S = cg.sensitivities(cg.linearize(G), "J")
    assert all(close(a, S[i]) for a, i in zip(tab.evaluate("numbers.S"), G, strict=True))
    tab.click("#reset")
    found = tab.evaluate("numbers.gradient")
    assert all(close(found[e], cg.weight_gradients(L, "J")[edge]) for edge, e in fields.items())
    assert tab.input_value(f"#weight-{fields[next(iter(fields))]}") == str(
        next(iter(L.edges(data="weight")))[2] or "0.2"
    )


@needs_browser
def test_the_three_factors_and_a_step_of_descent(show):
    G = network()
    tab = show(G, t="J")
    tab.click("[data-phase=weights]")
    assert tab.inner_text("#title") == "The derivative of J with respect to w(x₁, h₁)"
    assert tab.inner_text("#formula") == "dJ/dw(x₁, h₁) = S(h₁, J) · Φ′(s(h₁)) · x₁"
    assert tab.inner_text("#numbers") == "dJ/dw(x₁, h₁) = −0.0557776 · 0.247517 · 0.5"
    assert tab.inner_text("#result") == "= −0.006902945842"
    assert rows(tab)["w(x₁, h₁)"] == [0.2, pytest.approx(-0.006902945842)]
    tab.fill("#rate", "2")
    for steps_taken in (1, 2):
        tab.click("#descent button")
        descent = cg.gradient_descent(G, "J", 2.0, steps_taken)
        weights = tab.evaluate("state.weights")
        assert all(
            close(weights[k], w) for k, (*_, w) in enumerate(descent.graph.edges(data="weight")) if w is not None
        )
        before, after = (f"{J:.6g}" for J in descent.history[-2:])
        assert tab.inner_text("#descended") == f"J: {before} → {after}"
    tab.fill("#rate", "fast")
    tab.click("#descent button")
    assert tab.inner_text("#descended") == "The rate is a number, as in 0.1."
    assert tab.evaluate("state.weights") == weights


@needs_browser
def test_weights_that_are_nodes_descend_too(show):
    G = cg.weights_as_nodes(network())
    tab = show(G, t="J")
    tab.click("[data-phase=weights]")
    assert tab.inner_text("#title") == "Weights that are nodes"
    tab.click("#descent button")
    after = cg.gradient_descent(G, "J", 0.1, 1).graph
    found = tab.evaluate("state.sources")
    assert all(close(found[k], after.nodes[i]["value"]) for k, i in enumerate(G) if i in G.weights)


@needs_browser
def test_a_step_that_cannot_be_taken_changes_nothing(show):
    G = cg.ComputationalGraph()
    G.add_input("x", 1.0)
    G.add_neuron("h", activation="identity", weights={"x": 2.0})
    G.add_equation("J", "log(h)")
    tab = show(G)
    tab.click("[data-phase=weights]")
    tab.fill("#rate", "100")
    tab.click("#descent button")
    assert tab.inner_text("#descended") == (
        "node J: log(−48) is undefined; log takes a positive operand; the picture shows the numbers before"
    )
    assert tab.evaluate("state.weights")[0] == 2.0


@needs_browser
def test_a_mistyped_input_is_said_and_changes_nothing(show):
    tab = show(quiz())
    before = tab.evaluate("numbers.y")
    tab.click("#inputs summary")
    for typed, message in (
        ("-1", "node y: log(−1) is undefined; log takes a positive operand; the picture shows the numbers before"),
        ("two", "x: type a number; the picture shows the numbers before"),
        ("", "x: type a number; the picture shows the numbers before"),
        ("400", "node y: exp(1200) overflows; the picture shows the numbers before"),
    ):
        tab.fill("#field-0", typed)
        assert tab.inner_text("#mistake") == message
        assert tab.evaluate("numbers.y") == before
    tab.fill("#field-0", "2,5")
    assert tab.inner_text("#mistake") == ""
    assert tab.evaluate("numbers.y[0]") == 2.5


@needs_browser
def test_given_derivatives_can_be_walked_but_inputs_not_changed(show):
    G = nx.DiGraph()
    G.add_weighted_edges_from([("x", "a", 2.0), ("a", "y", 5.0), ("x", "y", 3.0)], "derivative")
    tab = show(G)
    tab.keyboard.press("End")
    assert close(tab.evaluate("numbers.S[0]"), 13.0)
    tab.click("#inputs summary")
    assert "The derivatives into a are given" in tab.inner_text("#refused")
    assert not tab.query_selector("#fields input")
    assert tab.is_disabled("[data-phase=forward]")


@needs_browser
def test_operations_on_arrays_can_be_walked_but_inputs_not_changed(show):
    G = cg.from_equations("a = 2*x; y = logsumexp(stack(a, x))", x=0.5)
    tab = show(G)
    tab.keyboard.press("End")
    S = cg.sensitivity(cg.linearize(G), "x", "y")
    assert close(tab.evaluate("numbers.S[0]"), S)
    assert tab.text_content("#refused") == "The equation of y has operations on arrays, which this page cannot compute."


@needs_browser
def test_layers_of_one_neuron_and_arrays_taken_apart_can_be_walked(show):
    layers = cg.layerwise(cg.read_spec(next(p for p in EXAMPLES if p.stem == "one_hidden_layer")))
    L = cg.linearize(cg.scalarize(layers))
    tab = show(L)
    tab.keyboard.press("End")
    t = tab.evaluate("graph.nodes[state.t].name")
    assert all(close(a, S) for a, S in zip(tab.evaluate("numbers.S"), cg.sensitivities(L, t).values(), strict=True))


@needs_browser
def test_pointing_at_a_node_tells_all_of_it(show):
    tab = show(quiz(), s="x", t="y")
    tab.hover("#node-2")
    told = "a, operation; x*z; value 6; S(a, y) = 404.8537396; S(x, a) = 3"
    assert tab.inner_text("#about") == told
    tab.click("#node-1")
    assert tab.inner_text("#about").startswith("z, input; value 3; ")
    tab.focus("#node-2")
    assert tab.inner_text("#about") == told == tab.get_attribute("#node-2", "aria-label")


# Exercises


@needs_browser
def test_an_exercise_hides_its_answers_and_checks_what_is_typed(show):
    tab = show(quiz(), s="x", t="y", exercise=True)
    for _ in range(2):
        tab.keyboard.press("ArrowRight")
    assert tab.inner_text("#title") == "The value of a"
    assert tab.text_content("#node-2 .value") == "?"
    assert rows(tab)["a"][0] is None
    assert tab.inner_text("#numbers") == tab.inner_text("#result") == ""
    assert "?" in tab.get_attribute("#node-2", "aria-label")
    tab.fill("#answer", "5")
    tab.keyboard.press("Enter")
    assert tab.inner_text("#verdict").startswith("5 is not right")
    assert tab.inner_text("#score") == "0 of 1 right at the first try"
    assert tab.inner_text("#hint") == "Hint 1 of 2"
    tab.click("#hint")
    assert tab.inner_text("#hints") == "It is computed from x = 2, z = 3."
    tab.click("#hint")
    assert tab.inner_text("#hints").endswith("\na = 2 · 3")
    assert tab.is_disabled("#hint")
    tab.fill("#answer", "6")
    tab.click("#check")
    assert tab.inner_text("#verdict") == "6 is right."
    assert tab.inner_text("#score") == "0 of 1 right at the first try"
    assert tab.inner_text("#result") == "= 6"
    assert tab.text_content("#node-2 .value") == "6"
    assert not tab.is_visible("#question")
    tab.click("#next")
    assert tab.inner_text("#verdict") == ""
    tab.fill("#answer", "412.191")
    tab.keyboard.press("Enter")
    assert tab.inner_text("#verdict") == "412.191 is right."
    assert tab.inner_text("#score") == "1 of 2 right at the first try"
    assert rows(tab)["y"][0] == pytest.approx(412.19145725)
    tab.keyboard.press("ArrowRight")
    tab.fill("#answer", "many")
    tab.click("#check")
    assert tab.inner_text("#verdict") == "many is not a number; write it as 0.25, −1e-3, 1/3 or 2*exp(1)."
    assert tab.get_attribute("#verdict", "class") == "unreadable"
    assert tab.inner_text("#score") == "1 of 2 right at the first try"
    tab.click("#reveal")
    assert tab.inner_text("#score") == "1 of 3 right at the first try"
    tab.keyboard.press("End")
    assert rows(tab)["x → a → y"] == [None, None]  # what was passed over stays hidden
    tab.uncheck("#exercise")
    assert rows(tab)["x → a → y"][0] == pytest.approx(1214.561218827846)


@needs_browser
@pytest.mark.parametrize(
    ("typed", "x", "right"),
    [("1208", 1208.38, True), ("1210", 1208.38, True), ("1220", 1208.38, False), ("-6.18", -6.18000370, True),
     ("6.18", -6.18000370, False), ("0", 0.0, True), ("1e-3", 0.0, False), ("0.00273", 0.0027306, True),
     ("−1/3", -0.333333333, True), ("1,25", 1.25, True), ("1.4495", 1.4445, True), ("995", 1000.0, True),
     ("994.9", 1000.0, False), ("abc", 1.0, None), ("1/0", 1.0, None), ("1e999", 1.0, None), ("", 1.0, None)],
)  # fmt: skip
def test_three_digits_are_enough(show, typed, x, right):
    found = "([text, x]) => { const typed = readNumber(text, words); return typed === null ? null : isRight(typed.value, x) }"
    assert show(quiz()).evaluate(found, [typed, x]) is right
    if right is not None:
        assert parse_tolerance("3sf").accepts(Fraction(repr(x)), read_number(typed).value) is right


TYPED = [
    "1.5", "-0", "+3", "5.", ".5", "1,25", "1e-3", "2.50e2", "1200", "0.00120", "−4", "1e400", "1e-400", "abc", "", "?", "1/3", "-1/3",
    "1/0", "1 / 4", "2^3^2", "-2^2", "2^-1", "2**3", "--3", "2*-3", "1,5*2", "(.5)", "-(1+2)", "0.45*(1-0.45)*0.2", "3·4", "2×3",
    "8/4/2", "8-4-2", "2-3*4^2", "exp(1)", "ln(2)/log10(2)", "2 exp(1)", "sqrt(2)/2", "sigmoid(-0.2)*(1-sigmoid(-0.2))", "pi/2", "π",
    "e^2", "EXP(1)", "2 3", "(1", "1)", "()", "1+", "*2", "exp", "exp 1", "exp()", "log(-1)", "3%", "1 000", "2(3)", "x", "nan", "inf",
    "constructor", "toString(1)", "exp(709)*exp(709)", "1e", "-sin(1)^2", "abs(-3)--2",
]  # fmt: skip


@needs_browser
def test_numbers_are_read_as_answers_are(show):
    tab = show(quiz())
    for text, found in zip(
        TYPED, tab.evaluate("texts => texts.map((text) => readNumber(text, words))", TYPED), strict=True
    ):
        try:
            given = read_number(text)
        except cg.CGraphError:
            assert found is None, text
            continue
        assert found is not None, text
        assert found["value"] == pytest.approx(float(given.value), rel=1e-14)
        assert found["digits"] == given.digits, text
        assert (found["half"] is None) == (given.half_unit is None), text
        assert given.half_unit is None or found["half"] == pytest.approx(float(given.half_unit))


@needs_browser
def test_a_mistake_is_named_on_the_page(show):
    tab = show(network(), s="x1", t="J", exercise=True, mistakes=cg.step_mistakes)
    tab.evaluate("go(steps.findIndex(step => step.key === 'S0'))")
    S = cg.sensitivity(cg.linearize(network()), "x1", "J")
    direct = 0.25 * 0.193427323 * -0.2621498855
    for typed, kind, said in (
        (f"{S - direct:.4g}", "wrong", "the path x1 -> o -> J was left out of the sum"),
        (f"{-S:.4g}", "wrong", "the sign is wrong"),
        ("17", "wrong", "try again, or ask for a hint or the answer"),
    ):
        tab.fill("#answer", typed)
        tab.click("#check")
        assert tab.inner_text("#verdict") == f"{typed} is not right: {said}."
        assert tab.get_attribute("#verdict", "class") == kind
    tab.fill("#answer", f"{S:.2g}")
    tab.click("#check")
    assert tab.inner_text("#verdict").endswith("is right as far as it goes; 3 significant figures are asked for.")
    tab.fill("#answer", f"{S:.3g}")
    tab.click("#check")
    assert tab.get_attribute("#verdict", "class") == "right"
    # With other numbers, what mistakes lead to is not known.
    tab.click("#inputs summary")
    tab.fill("#field-1", "0.5")
    tab.fill("#answer", f"{-tab.evaluate('numbers.S[0]'):.4g}")
    tab.click("#check")
    assert tab.inner_text("#verdict").endswith("is not right: try again, or ask for a hint or the answer.")


@needs_browser
@pytest.mark.parametrize("graph", [quiz, network], ids=["quiz", "network"])
def test_mistakes_are_named_as_grade_names_them(show, graph):
    """Every number that a mistake leads to, typed with three, four and six digits, at every step."""
    L = cg.linearize(graph())
    s, t = L.inputs[0], L.outputs[0]
    tab = show(L, s=s, t=t, exercise=True, mistakes=cg.step_mistakes)
    exercise, tolerance = Exercise(L, ()), parse_tolerance("3sf")
    nodes, edges = list(L), list(L.edges)
    parts = {f"y{nodes.index(j)}": ValueOf(j) for j in L if L.pred[j]}
    parts |= {f"z{e}": EdgeDerivative(*edge) for e, edge in enumerate(edges)}
    parts |= {f"S{nodes.index(i)}": Sensitivity(i, t) for i in L if i != t}
    parts |= {
        f"p{'-'.join(str(edges.index(e)) for e in pairwise(path))}": PathProduct(path) for path, _ in cg.paths(L, s, t)
    }
    parts |= {f"w{e}": WeightGradient(i, j, t) for e, (i, j) in enumerate(edges) if "weight" in L.edges[i, j]}
    assert set(tab.evaluate("Object.keys(data.mistakes.known)")) <= parts.keys()
    cases, expected = [], []
    for key, part in parts.items():
        truth = truth_of(part, L)
        accepted = tolerance.interval(truth)
        numbers = dict.fromkeys(
            [x for _, x in exercise.possible_mistakes(part)] + [x for _, x in exercise.pairs(part)][::97]
        )
        for x in [*numbers][:: max(1, len(numbers) // 12)]:
            for text in {f"{x:.3g}", f"{x:.4g}", f"{x:.6g}"}:
                given = read_number(text)
                if given.value not in accepted:
                    cases.append([key, text, float(truth)])
                    expected.append(diagnose(exercise, part, tolerance, [Cell((), truth, accepted, given)]))
    found = tab.evaluate(
        """cases => cases.map(([key, text, truth]) => { const typed = readNumber(text, words);
             return isShort(typed, truth) ? "few" : explained(typed, truth, data.mistakes.known[key] ?? [], data.mistakes) })""",
        cases,
    )
    assert len(cases) > 200
    for case, said, mistakes in zip(cases, found, expected, strict=True):
        few = [m.kind for m in mistakes] == ["too few digits"]
        assert said == ("few" if few else explain(mistakes) if mistakes else ""), (case, mistakes)


def test_too_few_digits_are_said_as_grade_says_it():
    found = diagnose(Exercise(quiz(), ()), ValueOf("a"), parse_tolerance("3sf"), [
        Cell((), Fraction("6.12"), parse_tolerance("3sf").interval(Fraction("6.12")), read_number("6.1"))
    ])  # fmt: skip
    assert f"is {found[0].what}." in cg.page(cg.linearize(quiz()), exercise=True)


def test_a_large_graph_has_no_mistakes_worked_out():
    L = cg.linearize(large())
    assert cg.step_mistakes(L, "v100", "v139", 5).known == {}


# Large graphs


def large():
    """5,000 nodes, of which 40 lie between v100 and v139; each of these reads the input beside."""
    G = cg.ComputationalGraph()
    G.add_input("x", 0.3)
    G.add_equation("v0", "sin(x)")
    for k in range(1, 4999):
        G.add_equation(f"v{k}", f"sin(v{k - 1}) + 0.1*x" if k % 3 else f"1.1*v{k - 1}")
    return G


@needs_browser
def test_a_page_of_a_large_graph_keeps_what_lies_between(show):
    G = large()
    L = cg.linearize(G)
    tab = show(L, s="v100", t="v139")
    assert tab.inner_text("#note") == (
        "40 of 5,000 nodes: those on paths from v100 to v139, and what their equations read besides, which is held constant."
    )
    names = tab.evaluate("graph.nodes.map(node => node.name)")
    assert sorted(names) == sorted([*(f"v{k}" for k in range(100, 140)), "x"])
    tab.keyboard.press("End")
    S = dict(zip(names, tab.evaluate("numbers.S"), strict=True))
    assert close(S["v100"], cg.sensitivity(L, "v100", "v139"))
    assert not tab.is_visible("#warning")
    tab.click("#inputs summary")
    tab.fill(f"#field-{names.index('v100')}", "0.7")
    H = cg.linearize(cg.restrict(L, "v100", "v139"), {"v100": 0.7})
    assert all(close(y, H.nodes[i]["value"]) for i, y in zip(names, tab.evaluate("numbers.y"), strict=True))


def test_a_large_graph_of_given_derivatives_is_restricted_too():
    G = nx.DiGraph()
    G.add_edges_from(((k, k + 1) for k in range(500)), derivative=2.0)
    assert "11 of 501 nodes: those on paths from 100 to 110." in cg.page(G, s=100, t=110)


# Manners


@needs_browser
def test_the_page_says_when_its_numbers_are_not_those_of_the_library(show):
    tab = show(quiz(), edit=lambda text: text.replace("404.853", "404.854"))
    assert tab.inner_text("#warning") == "The numbers of this page differ from those it was made with."


@needs_browser
def test_nasty_names_are_text_and_nothing_else(show):
    G = nasty_graph(NASTY)
    tab = show(G)
    assert tab.eval_on_selector_all("#source option", "all => all.map(o => o.textContent)") == [
        " ".join(name.split()) for name in NASTY
    ]
    tab.keyboard.press("End")
    tab.focus("#node-0")
    assert tab.inner_text("#about").startswith("<script>alert(1)</script>, input; ")
    assert tab.evaluate("document.scripts.length") == 2


@needs_browser
def test_roles_labels_and_live_regions(show):
    tab = show(quiz())
    assert tab.get_attribute("#now", "aria-live") == "polite"
    assert tab.eval_on_selector_all("button", "all => all.filter(b => !b.textContent.trim()).length") == 0
    unnamed = "all => all.filter(e => !e.labels.length && !e.getAttribute('aria-label')).map(e => e.id)"
    assert tab.eval_on_selector_all("input, select", unnamed) == []
    assert tab.get_attribute("html", "lang") == "en"
    assert tab.get_attribute("#picture svg", "role") == "group"  # the nodes inside are read one by one
    reached = set()
    for _ in range(30):
        tab.keyboard.press("Tab")
        reached.add(tab.evaluate("document.activeElement.id"))
    assert {"node-0", "node-3", "next", "slider", "source", "exercise"} <= reached


@needs_browser
def test_on_a_phone_nothing_is_wider_than_the_screen(show):
    tab = show(network(), viewport={"width": 360, "height": 740})
    tab.click("[data-phase=backward]")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    node, view = tab.locator("#node-6").bounding_box(), tab.locator("#picture").bounding_box()
    assert view["x"] <= node["x"] + node["width"] / 2 <= view["x"] + view["width"]  # J, where the sweep begins, is seen


@needs_browser
def test_on_a_wide_screen_picture_formula_and_table_stand_beside_each_other(show):
    for width, beside in ((1920, ["picture", "walk", "facts"]), (1280, ["walk", "facts"])):
        tab = show(network(), viewport={"width": width, "height": 1000})
        tab.click("[data-phase=backward]")
        boxes = [tab.locator(f"#{part}").bounding_box() for part in beside]
        assert all(a["x"] + a["width"] <= b["x"] for a, b in pairwise(boxes))
        assert max(box["y"] for box in boxes) < 1000 - 300
        assert tab.evaluate("document.documentElement.scrollWidth") <= width


@needs_browser
@pytest.mark.parametrize("width", [390, 1280, 1920])
@pytest.mark.parametrize("graph", [quiz, network, lambda: cg.decouple(network())], ids=["quiz", "network", "halves"])
def test_no_screen_cuts_anything_off(show, graph, width):
    tab = show(graph(), viewport={"width": width, "height": 900}, exercise=True)
    tab.click("#inputs summary")
    for name in tab.evaluate("[...new Set(steps.map(step => step.phase))]"):
        end_of(tab, name)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        assert tab.evaluate("at('rows').scrollWidth <= at('rows').clientWidth")
        assert tab.evaluate("at('walk').scrollWidth <= at('walk').clientWidth")
    if width > 390:  # the whole picture is seen
        assert tab.evaluate("at('picture').scrollWidth <= at('picture').clientWidth + 1")


@needs_browser
def test_columns_do_not_jump(show):
    tab = show(network(), viewport={"width": 1280, "height": 900})
    places = "() => ['walk', 'facts', 'rows'].map(id => { const b = at(id).getBoundingClientRect(); return [b.x, b.y, b.width] })"
    columns = "() => [...document.querySelectorAll('#table th')].map(th => th.getBoundingClientRect().x)"
    first, seen = tab.evaluate(places), {}
    for _ in range(steps(tab)):
        assert tab.evaluate(places) == first
        assert seen.setdefault(phase(tab), tab.evaluate(columns)) == tab.evaluate(columns)
        tab.keyboard.press("ArrowRight")


@needs_browser
def test_no_step_is_spent_on_the_constant(show):
    tab = show(network(), s="x1", t="J")
    titles = tab.evaluate("steps.map(step => step.title)")
    assert not [title for title in titles if "+1" in title]
    assert any("with respect to x₁" in title for title in titles)
    tab.select_option("#source", str(list(cg.linearize(network())).index("+1")))  # unless it is asked for
    assert "How +1 acts on J" in tab.evaluate("steps.map(step => step.title)")


@needs_browser
def test_paper_has_all_steps_and_no_buttons(show):
    tab = show(quiz())
    tab.emulate_media(media="print")
    tab.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert tab.locator("#all li").count() == steps(tab)
    assert "= 1208.381215" in tab.inner_text("#all")
    assert not tab.is_visible("#controls")
    assert "______" not in tab.inner_text("#all")
    tab.check("#exercise", force=True) if tab.is_visible("#exercise") else tab.evaluate("state.exercise = true")
    tab.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert "1208.381215" not in tab.inner_text("#all")


@needs_browser
def test_text_stays_inside_its_node_in_the_browser(show):
    tab = show(network())
    tab.evaluate("go(steps.length - 1)")
    outside = tab.evaluate(
        """() => [...document.querySelectorAll("g.node")].flatMap((g) => {
             const box = g.querySelector(".shape").getBoundingClientRect();
             return [...g.querySelectorAll("text")].filter((text) => text.textContent).filter((text) => {
               const own = text.getBoundingClientRect();
               return own.left < box.left || own.right > box.right || own.top < box.top - 2 || own.bottom > box.bottom + 2;
             }).map((text) => text.textContent);
           })"""
    )
    assert outside == []


@needs_browser
def test_a_graph_of_150_nodes_steps_without_lag(show):
    G = cg.ComputationalGraph()
    G.add_input("x", 0.3)
    names = ["x"]
    for k in range(149):
        before = names[max(0, k - 2)]
        G.add_equation(f"v{k}", f"sin({names[-1]}) + 0.5*{before}" if before != names[-1] else f"sin({names[-1]})")
        names.append(f"v{k}")
    tab = show(G)
    assert steps(tab) > 500
    tab.evaluate("go(steps.length - 1)")
    S = cg.sensitivities(cg.linearize(G), "v148")
    assert all(close(a, S[i]) for a, i in zip(tab.evaluate("numbers.S"), G, strict=True))
    milliseconds = tab.evaluate(
        """() => { const start = performance.now();
                   for (let k = 0; k < 100; k++) { go(k * 5); document.body.getBoundingClientRect(); }
                   return (performance.now() - start) / 100; }"""
    )
    assert milliseconds < 200  # a generous bound on a busy machine; 100 is what a hand feels
    assert math.isfinite(milliseconds)
