"""Pictures: where things stand, what stands out, every format, and names that would break them."""

import colorsys
import re
import subprocess
import xml.etree.ElementTree as ET
from itertools import combinations, pairwise
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from latex import needs_latex
from nasty_names import NASTY, nasty_graph
from networks import networks
from random_graphs import equation_graphs

import cgraph as cg
from cgraph.model import optional
from cgraph.reports.drawing import fonts
from cgraph.reports.drawing.extent import MAX_BANDS, MAX_EDGES, MAX_NODES, bands_of
from cgraph.reports.drawing.palette import EDGES, FAINT, NODES, PAPER
from cgraph.reports.drawing.picture import SHOWN, picture_of
from cgraph.reports.drawing.routes import ARROW
from cgraph.reports.drawing.sizes import LABEL_SIZE, SIZES, TITLE_SIZE, Box, arrow_half, node_lines
from cgraph.reports.drawing.words import equation_lines, show_names, text_width, typeset_equation

pygraphviz = pytest.importorskip("pygraphviz")
matplotlib = pytest.importorskip("matplotlib")

EXAMPLES = sorted(Path(__file__).parent.parent.parent.glob("examples/*/*.yaml"))
SVG = "{http://www.w3.org/2000/svg}"


def variants(G):
    """Return the graphs that a lecture would show of one spec: as it is, in halves, with weights as nodes."""
    L = cg.linearize(G)
    found = {"plain": L, "expanded": cg.expand(L)}
    if any(d.get("role") == "neuron" for _, d in L.nodes(data=True)):
        found |= {"decoupled": cg.decouple(L), "weights": cg.weights_as_nodes(L)}
    return found


def overlap(a, b, slack=0.5):
    return (
        abs(a.x - b.x) < (a.width + b.width) / 2 - slack and abs(a.y - b.y) < (a.height + b.height) / 2 - slack
    )  # what is rounded to a tenth of a point may seem to touch


def assert_nothing_overlaps(layout):
    pairs = {frozenset(pair) for pair in layout.picture.halves.items()}
    for (i, a), (j, b) in combinations(layout.nodes.items(), 2):
        assert not overlap(a, b), f"nodes {i} and {j}"
        assert frozenset((i, j)) not in pairs or abs(abs(a.x - b.x) - (a.width + b.width) / 2) < 0.1
    labels = texts_of_labels(layout)
    for edge, label in labels.items():
        assert [i for i, box in layout.nodes.items() if overlap(label, box)] == [], f"the label of {edge}"
    for (e, a), (f, b) in combinations(labels.items(), 2):
        assert not overlap(a, b), f"the labels of {e} and {f}"


def texts_of_labels(layout):
    """Return the box that the text of each label takes, whatever room the layout has given it."""
    boxes = {}
    for e in layout.picture.edges:
        route = layout.edges.get((e.tail, e.head))
        if route and route.label:
            width = max(text_width(line.text, LABEL_SIZE) for line in e.lines)
            boxes[e.tail, e.head] = route.label._replace(width=width, height=1.2 * LABEL_SIZE * len(e.lines))
    return boxes


def assert_in_order(layout):
    first = [layout.nodes[i] for i in layout.picture.first]
    assert all(a.y < b.y and abs(a.x - b.x) < 0.5 for a, b in pairwise(first))
    for i, j in layout.edges:
        assert layout.nodes[i].x < layout.nodes[j].x, f"{i} -> {j} leads to the left"


def assert_inside(layout):
    boxes = [*layout.nodes.values(), *(route.label for route in layout.edges.values() if route.label)]
    for box in boxes:
        assert box.width / 2 <= box.x <= layout.width - box.width / 2
        assert box.height / 2 <= box.y <= layout.height - box.height / 2


def labels_off_their_lines(layout):
    """Return the labels whose text is crossed by the line of their own edge."""
    crossed = []
    for edge, route in layout.edges.items():
        if route.label:
            text = route.label._replace(width=route.label.width - 6, height=route.label.height - 6)
            if any(
                abs(x - text.x) < text.width / 2 and abs(y - text.y) < text.height / 2 for x, y in bezier(route.curve)
            ):
                crossed.append(edge)
    return crossed


def bezier(curve):
    for k in range(0, len(curve) - 1, 3):
        p = np.array(curve[k : k + 4])
        for u in np.linspace(0, 1, max(12, int(np.ptp(p, axis=0).max() / 4))):
            yield (1 - u) ** 3 * p[0] + 3 * u * (1 - u) ** 2 * p[1] + 3 * u * u * (1 - u) * p[2] + u**3 * p[3]


def assert_edges_are_clear(layout):
    """Every edge swings from side to side, and passes neither node nor arrowhead nor the label of another."""
    ways = {edge: np.array(list(bezier(route.curve))) for edge, route in layout.edges.items()}
    width = {(e.tail, e.head): e.stroke.width for e in layout.picture.edges}
    heads = {edge: arrowhead(route, width[edge]) for edge, route in layout.edges.items()}
    labels = texts_of_labels(layout)
    for (i, j), way in ways.items():
        route, tail, head = layout.edges[i, j], layout.nodes[i], layout.nodes[j]
        assert np.all(np.diff(way[:, 0]) >= -1e-9), f"{i} -> {j} turns back"
        for k in range(0, len(route.curve) - 1, 3):  # every piece begins and ends horizontally
            (_, a), (_, b), (_, c), (_, d) = route.curve[k : k + 4]
            assert (a, c) == (b, d)
        assert -0.1 < tail.x + tail.width / 2 - way[0, 0] < 8, f"{i} -> {j} begins at the side of its tail"
        assert -0.1 < route.tip[0] - (head.x - head.width / 2) < 8, f"{i} -> {j} ends at the side of its head"
        assert abs(way[0, 1] - tail.y) < tail.height / 2
        assert abs(route.tip[1] - head.y) < head.height / 2
        for box in (box for n, box in layout.nodes.items() if n not in {i, j, layout.picture.halves.get(j)}):
            assert not passes(way, box, -0.5), f"{i} -> {j} passes a node"
        for other, box in heads.items():
            assert other == (i, j) or not passes(way, box, width[i, j] / 2 - 0.5), (
                f"{i} -> {j} passes the arrowhead of {other}"
            )
        for other, box in labels.items():
            if other != (i, j):
                assert not passes(way, box, width[i, j] / 2), f"{i} -> {j} passes the label of {other}"
                own = distance(ways[other], (box.x, box.y))
                assert distance(way, (box.x, box.y)) > 1.5 * own, f"the label of {other} is as near to {i} -> {j}"
    for edge, box in labels.items():
        assert distance(ways[edge], (box.x, box.y)) < box.height / 2 + width[edge] / 2 + 4, (
            f"the label of {edge} is far from it"
        )


def arrowhead(route, width):
    return Box(route.tip[0] - ARROW / 2, route.tip[1], ARROW, 2 * arrow_half(width))


def passes(way, box, beyond):
    return bool(
        np.any(
            (abs(way[:, 0] - box.x) < box.width / 2 + min(beyond, 0.0))
            & (abs(way[:, 1] - box.y) < box.height / 2 + beyond)
        )
    )


def distance(way, point):
    return np.min(np.hypot(*(way - point).T))


def assert_no_third_is_empty(layout):
    """From side to side and from top to bottom something stands in every third of the picture."""
    boxes = [*layout.nodes.values(), *(route.label for route in layout.edges.values() if route.label)]
    spans = [
        [(b.x - b.width / 2, b.x + b.width / 2) for b in boxes],
        [(b.y - b.height / 2, b.y + b.height / 2) for b in boxes],
    ]
    for route in layout.edges.values():
        for axis in (0, 1):
            places = [point[axis] for point in route.curve]
            spans[axis].append((min(places), max(places)))
    spans[1] += [(y - 12, y) for _, (_, y) in [*layout.title, *layout.notes]]
    for axis, length in ((0, layout.width), (1, layout.height)):
        end = 0.0
        for a, b in sorted([*spans[axis], (length, length)]):
            assert a - end < length / 3, f"empty from {end} to {a} of {length}"
            end = max(end, b)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
@pytest.mark.parametrize("show", [None, SHOWN[:2], ("names", "values", "derivatives", "weights", "equations")], ids=str)
def test_in_every_example_everything_has_its_own_place(path, show):
    for name, L in variants(cg.read_spec(path)).items():
        s, t = L.inputs[0], L.outputs[0]
        for ends in ({}, {"s": s, "t": t}, {"s": s, "t": t, "top": 3}):
            layout = cg.draw(L, show=show, **ends).layout
            assert_nothing_overlaps(layout)
            assert_in_order(layout)
            assert_inside(layout)
            assert labels_off_their_lines(layout) == [], name
            assert_edges_are_clear(layout)
            assert_no_third_is_empty(layout)
            assert layout.picture.first == tuple(L.inputs)


@settings(max_examples=60)
@given(equation_graphs() | networks())
def test_in_random_graphs_everything_has_its_own_place(G):
    for L in variants(G).values():
        layout = cg.draw(L, t=L.outputs[0]).layout
        assert_nothing_overlaps(layout)
        assert_in_order(layout)
        assert_inside(layout)


@settings(max_examples=200)
@given(networks(), st.booleans())
def test_in_random_networks_every_edge_and_label_is_clear(G, flows):
    L = cg.linearize(G)
    layout = cg.draw(L, s=L.inputs[0] if flows else None, t=L.outputs[0]).layout
    assert_nothing_overlaps(layout)
    assert_edges_are_clear(layout)
    assert_no_third_is_empty(layout)


@st.composite
def sparse_graphs(draw):
    """Inputs, weights and operations, some of them without any edge."""
    G = nx.DiGraph()
    names = [f"x{k}" for k in range(draw(st.integers(1, 5)))] + [f"w{k}" for k in range(draw(st.integers(0, 3)))]
    G.add_nodes_from((i, {"role": "input" if i.startswith("x") else "weight"}) for i in names)
    for k in range(draw(st.integers(1, 6))):
        G.add_node(f"v{k}", role="operation")
        tails = draw(st.lists(st.sampled_from(names), max_size=3, unique=True))
        G.add_edges_from(((i, f"v{k}") for i in tails), derivative=1.0)
        names.append(f"v{k}")
    return G


@settings(max_examples=100)
@given(sparse_graphs())
def test_what_is_not_used_has_its_place_too(G):
    layout = cg.draw(G).layout
    assert_nothing_overlaps(layout)
    assert_in_order(layout)
    assert_inside(layout)


def test_text_has_room():
    """Text in the font of PNG and PDF, which is as wide as any, fits the room that is reckoned for it."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    words = ["x₁", "S = −0.0001234", "exp(a) + a / log(x)", "= 404.9", "θ₀", "WIDE NAMES", "mmmmm", "h₁⁺", "Φ′ = 0.2475",
             "−6.18e−05", "target", "0.03436", "layers 0 to 3", "1,216 edges", "2_000", "αβγδεζηθικλμνξοπρστυφχψω"]  # fmt: skip
    for word in words:
        for size, weight in ((LABEL_SIZE, "normal"), (SIZES["name"], "bold")):
            path = TextPath((0, 0), word, size=size, prop=FontProperties(family="DejaVu Sans", weight=weight))
            assert path.get_extents().x1 <= text_width(word, size, bold=weight == "bold"), word


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_text_stays_inside_its_node(path):
    layout = cg.draw(cg.linearize(cg.read_spec(path))).layout
    for n in layout.picture.nodes:
        box = layout.nodes[n.node]
        for line, size, (x, y) in node_lines(n, box):
            assert x == box.x
            assert text_width(line.text, size) <= box.width
            assert box.y - box.height / 2 < y - size / 2
            assert y < box.y + box.height / 2


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_titles_have_no_widows_and_equations_are_whole(path):
    G = cg.read_spec(path)
    layout = cg.draw(G, show=("names", "equations")).layout
    title = [line for line, _ in layout.title]
    assert " ".join(title) == G.graph["title"]
    widths = [text_width(line, TITLE_SIZE, bold=True) for line in title]
    longest_word = max(text_width(word, TITLE_SIZE, bold=True) for word in G.graph["title"].split())
    assert max(widths) - min(widths) <= 2 * longest_word
    for n in layout.picture.nodes:
        lines = [line.text for line in n.lines if line.kind == "equation"]
        equation = G.nodes[n.node].get("equation")
        if equation:
            whole = typeset_equation(equation, show_names(G), G.functions)
            assert "".join(lines).replace(" ", "") == whole.replace(" ", "")
        assert all(len(line) <= 36 for line in lines)


def test_an_equation_without_spaces_is_broken_after_operators():
    text = "*".join(f"factor{k}" for k in range(9))
    lines = equation_lines(text)
    assert "".join(lines) == text
    assert all(line.endswith("*") for line in lines[:-1])
    assert max(map(len, lines)) <= 36
    assert equation_lines("2**x") == ["2**x"]
    assert equation_lines("l_s + d - l_s*(d_alpha*theta + alpha_s*d_theta)") == [
        "l_s + d - l_s*",
        "(d_alpha*theta + alpha_s*d_theta)",
    ]
    assert equation_lines(f"f({'a' * 20} + {'b' * 20})") == [f"f({'a' * 20}", f"+ {'b' * 20})"]
    assert " ... " in " ".join(equation_lines("+".join(["x"] * 1000)))


def test_an_edge_leaves_the_only_place_of_a_node_straight():
    """Many inputs, each with one edge into one node far away: the edges bend once, before that node."""
    G = cg.from_equations("b = 2*a; c = 3*b; y = c + p + q + r + s", a=1.0, p=1.0, q=1.0, r=1.0, s=1.0)
    layout = cg.draw(cg.linearize(G)).layout
    for i in "pqrs":
        levels = [y for _, y in layout.edges[i, "y"].curve]
        assert levels[0] == pytest.approx(layout.nodes[i].y, abs=0.5)
        assert sum(abs(b - a) > 0.5 for a, b in pairwise(levels)) <= 1


def brightness(colour):
    linear = [x / 12.92 if x <= 0.03928 else ((x + 0.055) / 1.055) ** 2.4 for x in colour]
    return float(np.dot((0.2126, 0.7152, 0.0722), linear))


def rgb(colour):
    return np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])


def contrast(a, b):
    dark, light = sorted((brightness(a), brightness(b)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("stroke", "fill"), [(0, 1), (2, 3)], ids=["light", "dark"])
def test_all_text_can_be_read(stroke, fill):
    """The contrast that the WCAG ask for (AA, 4.5 to 1), of faint text, too, and of lines that name a path."""
    text, paper = rgb(PAPER[stroke]), rgb(PAPER[fill])
    for ink in NODES.values():
        box = rgb(ink[fill])
        assert contrast(text, box) >= 4.5
        faint_text, faint_box = (FAINT * colour + (1 - FAINT) * paper for colour in (text, box))
        assert contrast(faint_text, faint_box) >= 4.5
    for kind, ink in EDGES.items():
        if kind.startswith("path"):
            assert contrast(rgb(ink[stroke]), paper) >= 4.5, kind


# What is shown


def quiz():
    return cg.linearize(cg.from_equations("a = x*z; y = exp(a) + a/log(x) + sin(log(x))/a", x=2.0, z=3.0))


def texts(picture):
    nodes = {n.node: [line.text for line in n.lines] for n in picture.nodes}
    return nodes, {(e.tail, e.head): [line.text for line in e.lines] for e in picture.edges}


def test_names_values_and_derivatives_are_those_of_the_graph():
    nodes, edges = texts(picture_of(quiz()))
    assert nodes == {"x": ["x", "2"], "z": ["z", "3"], "a": ["a", "6"], "y": ["y", "412.2"]}
    assert edges == {("x", "a"): ["3"], ("z", "a"): ["2"], ("a", "y"): ["404.9"], ("x", "y"): ["−6.18"]}


def test_what_is_asked_for_is_shown_and_nothing_else():
    nodes, edges = texts(picture_of(quiz(), show=["names", "equations"]))
    assert nodes["a"] == ["a", "x*z"]
    assert set(map(tuple, edges.values())) == {()}
    nodes, _ = texts(picture_of(quiz(), show=["sensitivities"], t="y"))
    assert nodes == {"x": ["S = 1208"], "z": ["S = 809.7"], "a": ["S = 404.9"], "y": ["S = 1"]}
    nodes, _ = texts(picture_of(quiz(), show=["names", "sensitivities"], s="x"))
    assert nodes["y"] == ["y", "S = 1208"]
    G = cg.read_spec(next(path for path in EXAMPLES if path.stem == "network"))
    assert texts(picture_of(G, show=["weights"]))[1]["x1", "h1"] == ["w = 0.2"]
    assert texts(picture_of(G))[1]["x1", "h1"] == ["w = 0.2"]  # not linearized: there is nothing else


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"show": ["name"]}, "a picture cannot show 'name'; did you mean 'names'?"),
        ({"show": ["smell"]}, "it can show names, equations"),
        ({"show": ["sensitivities"]}, "give t or s"),
        ({"top": 3}, "the strongest paths lead from a node s to a node t; give both"),
        ({"s": "nobody"}, "no node 'nobody' in the graph"),
        ({"output": "picture.bmp"}, "the suffix '.bmp' of 'picture.bmp' is not that of a picture; the formats are svg"),
        ({"output": "picture", "format": "gif"}, "there is no picture format 'gif'"),
        ({"output": "picture"}, "the suffix '' of 'picture' is not that of a picture"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_said(options, message):
    with pytest.raises(cg.CGraphError, match=re.escape(message)):
        cg.draw(quiz(), **options)


def test_numbers_that_are_not_there_are_not_made_up():
    G = cg.from_equations("y = 2*x", x=1.0)
    assert texts(picture_of(G)) == ({"x": ["x", "1"], "y": ["y"]}, {("x", "y"): []})
    with pytest.raises(cg.MissingValueError, match="node 'y' has no value to show; run linearize"):
        cg.draw(G, show=["values"])
    with pytest.raises(cg.MissingDerivativeError):
        cg.draw(G, show=["derivatives"])


def test_what_flows_through_an_edge_is_its_thickness_and_sign():
    L = quiz()
    flow = cg.edge_sensitivities(L, "x", "y")
    strokes = {(e.tail, e.head): e.stroke for e in picture_of(L, s="x", t="y").edges}
    assert strokes["x", "y"].kind == "negative"
    assert strokes["a", "y"].kind == strokes["x", "a"].kind == "positive"
    assert strokes["z", "a"] == ("off", 1.0)
    share = abs(flow["x", "y"] / flow["x", "a"])
    assert strokes["x", "y"].width - 1 == pytest.approx(share * (strokes["x", "a"].width - 1))
    assert [note.text for note in picture_of(L, s="x", t="y").notes[:2]] == [
        "thickness: share of dy/dx that flows through the edge",
        "blue: positive; orange, dashed: negative",
    ]
    marks = {n.node: n.marks for n in picture_of(L, s="x", t="y").nodes}
    assert marks == {"x": ("source",), "z": ("off",), "a": (), "y": ("target",)}


def test_the_strongest_paths_have_colours_of_their_own():
    L = cg.linearize(cg.read_spec(next(p for p in EXAMPLES if p.stem == "sqrt_cos")))
    best = cg.top_paths(L, "x", "f", k=2)
    picture = picture_of(L, s="x", t="f", top=2)
    strokes = {(e.tail, e.head): e.stroke.kind for e in picture.edges}
    assert {strokes[edge] for edge in pairwise(best[0][0])} == {"path1"}
    assert {strokes[edge] for edge in pairwise(best[1][0])} == {"path1", "path2"}
    assert strokes["a", "c"] == "off"
    assert [note.kind for note in picture.notes] == ["path1", "path2", "note"]
    assert picture.notes[0].text == "path 1: x → a → b → c → w → f, product −1.726"
    assert "only the 5 strongest" in picture_of(L, s="x", t="f", top=9).notes[-2].text


def test_kinds_marks_and_halves():
    G = cg.read_spec(next(p for p in EXAMPLES if p.stem == "network"))
    kinds = {n.node: n.kind for n in picture_of(cg.linearize(G)).nodes}
    assert kinds == {"x1": "input", "x2": "input", "+1": "constant", "h1": "neuron", "h2": "neuron", "o": "neuron",
                     "J": "loss"}  # fmt: skip
    D = picture_of(cg.decouple(cg.linearize(G)))
    assert D.halves == {"h1-": "h1+", "h2-": "h2+", "o-": "o+"}
    assert {n.node: n.kind for n in D.nodes}["h1-"] == "linear"
    assert "Φ′ = 0.2475" in texts(D)[0]["h1+"]
    W = picture_of(cg.linearize(cg.weights_as_nodes(G)))
    assert {n.kind for n in W.nodes if str(n.node).startswith("w_")} == {"weight"}
    boxes = cg.draw(cg.linearize(cg.weights_as_nodes(G))).layout.nodes
    for n in W.nodes:
        if n.kind == "weight":  # as large as its text, and a little more
            lines = [
                (text_width(line.text, size, bold=line.kind == "name"), size)
                for line, size, _ in node_lines(n, boxes[n.node])
            ]
            assert max(width for width, _ in lines) < boxes[n.node].width < max(width for width, _ in lines) + 12
            assert boxes[n.node].height < 1.25 * sum(size for _, size in lines) + 12


def test_the_neurons_of_a_layer_stand_in_their_order():
    G = cg.read_spec(next(p for p in EXAMPLES if p.stem == "two_hidden_layers"))
    for L, mark in ((cg.linearize(G), ""), (cg.decouple(cg.linearize(G)), "-")):
        boxes = cg.draw(L).layout.nodes
        for layer in ("h1", "h2"):
            above, below = boxes[f"{layer}_1{mark}"], boxes[f"{layer}_2{mark}"]
            assert above.y < below.y


def test_a_shut_gate_is_seen():
    G = cg.ComputationalGraph()
    G.add_input("x", -1.0)
    G.add_neuron("h", activation="relu", weights={"x": 1.0})
    G.add_neuron("o", activation="relu", weights={"x": -1.0})
    nodes = {n.node: n for n in picture_of(cg.linearize(G)).nodes}
    assert nodes["h"].marks == ("shut",)
    assert nodes["h"].lines[-1].text == "gate 0"
    assert nodes["o"].marks == ()


def test_any_digraph_can_be_drawn():
    G = nx.DiGraph()
    G.add_edge(("a", 1), 2, derivative=np.float64(3.0))
    G.add_edge(2, 2.5, derivative=-0.5)
    root = ET.fromstring(cg.draw(G, s=("a", 1), t=2)._repr_svg_())
    assert len(root.findall(f"{SVG}g")) == 5
    assert ET.fromstring(cg.draw(nx.DiGraph())._repr_svg_()).findall(f"{SVG}g") == []
    with pytest.raises(cg.CGraphError, match="DiGraph"):
        cg.draw(nx.Graph())


def test_arrays_show_their_shapes():
    G = cg.ComputationalGraph()
    G.add_input("x", np.array([1.0, 2.0, 3.0]))
    G.add_weight("W", np.full((4, 3), 0.1))
    G.add_equation("h", "relu(W @ x)")
    G.add_equation("m", "-h")
    G.add_equation("r", "relu(m)")  # every gate of it is shut
    G.add_equation("J", "sum(h^2)")
    L = cg.linearize(G)
    assert {n.node: n.marks for n in picture_of(L).nodes}["r"] == ("shut",)
    nodes, edges = texts(picture_of(L, s="x", t="J"))
    assert nodes["x"] == ["x", "vector of 3", "S = 1 × 3"]
    assert nodes["W"] == ["W", "4 × 3", "S = 1 × 12"]
    assert edges == {
        ("W", "h"): ["4 × 12"],
        ("x", "h"): ["4 × 3"],
        ("h", "J"): ["1 × 4"],
        ("h", "m"): ["4 × 4"],
        ("m", "r"): ["4 × 4"],
    }
    assert "Frobenius norm" in picture_of(L, s="x", t="J").notes[0].text
    kinds = {(e.tail, e.head): e.stroke.kind for e in picture_of(L, s="x", t="J").edges}
    assert kinds == {("W", "h"): "off", ("x", "h"): "plain", ("h", "J"): "plain", ("h", "m"): "off", ("m", "r"): "off"}
    norm = f"{np.linalg.norm(cg.top_paths(L, 'x', 'J', k=1)[0][1]):.4g}"
    assert f"product 1 × 3, norm {norm}" in picture_of(L, s="x", t="J", top=1).notes[0].text
    assert_nothing_overlaps(cg.draw(L, t="J").layout)
    assert "S(x, J) = 1 × 3, the sum over 1 path" in str(cg.sensitivity_report(L, "x", "J"))


def test_names_are_set_as_mathematics_unless_two_would_look_alike():
    assert show_names(["x", "x1", "x_1", "Phi_2", "h1-", "12", "loss"]) == {
        "x": "x", "x1": "x1", "x_1": "x_1", "Phi_2": "Φ₂", "h1-": "h₁⁻", "12": "y₁₂", "loss": "loss",
    }  # fmt: skip
    assert show_names(["h2_1-", "y-", "theta_mean", "d_alpha", "a-", "a b-"]) == {
        "h2_1-": "h2_1⁻", "y-": "y⁻", "theta_mean": "θ_mean", "d_alpha": "d_α", "a-": "a⁻", "a b-": "a b-",
    }  # fmt: skip


def test_a_name_of_several_words_has_parentheses_in_the_legend():
    G = nx.DiGraph()
    G.add_edge("token: x", "logit: y", derivative=1.0)
    assert "share of d(logit: y)/d(token: x)" in picture_of(G, s="token: x", t="logit: y").notes[0].text


# Large graphs


def chain(n):
    G = nx.DiGraph()
    G.add_edges_from(((k, k + 1) for k in range(n - 1)), derivative=1.0)
    return G


def test_a_large_graph_is_drawn_by_layers_and_says_so():
    G = chain(20_000)
    picture = picture_of(G)
    assert len(picture.nodes) <= MAX_BANDS
    assert "20,000 nodes and 19,999 edges" in picture.notes[0].text
    bands, between = bands_of(G)
    assert sum(band.nodes for band in bands) == 20_000
    assert set(between.values()) == {1}
    assert_in_order(cg.draw(G).layout)


def test_of_a_large_graph_the_part_between_two_nodes_is_drawn_if_it_is_small():
    G = chain(20_000)
    picture = picture_of(G, s=500, t=510)
    assert [n.node for n in picture.nodes] == list(range(500, 511))
    assert picture.notes[-1].text == "11 of 20,000 nodes: those on paths from 500 to 510"
    assert len(picture_of(G, s=0, t=19_999).nodes) <= MAX_BANDS
    wide = nx.DiGraph([(0, k) for k in range(1, 301)] + [(k, 301) for k in range(1, 301)])
    nx.set_edge_attributes(wide, 1.0, "derivative")
    picture = picture_of(wide, s=0, t=301)  # 302 nodes between them
    assert [n.lines[1].text for n in picture.nodes] == ["1 node", "300 nodes", "1 node"]
    assert [e.lines[0].text for e in picture.edges] == ["300 edges", "300 edges"]


def ladder(n):
    """Two ways from each rung to the next: 2 n + 1 nodes, and 2^n paths, of which the upper one is the strongest."""
    G = nx.DiGraph()
    for k in range(n):
        G.add_edge(f"r{k}", f"up{k}", derivative=2.0)
        G.add_edge(f"r{k}", f"r{k + 1}", derivative=1.0)
        G.add_edge(f"up{k}", f"r{k + 1}", derivative=-1.0)
    return G


def test_of_a_large_graph_the_strongest_paths_are_drawn_and_nothing_else():
    G = ladder(150)  # 301 nodes
    picture = picture_of(G, s="r0", t="r60", top=3)
    paths = [path for path, _ in cg.top_paths(G, "r0", "r60", k=3)]
    assert {n.node for n in picture.nodes} == {i for path in paths for i in path}
    assert {(e.tail, e.head) for e in picture.edges} == {edge for path in paths for edge in pairwise(path)}
    assert {e.stroke.kind for e in picture.edges} == {"path1", "path2", "path3"}
    assert picture.notes[-1].text == "121 of 301 nodes: those on the 3 strongest paths from r0 to r60"
    assert "path 1: r₀ → … → r₆₀, 121 nodes, product 1.153e+18" in picture.notes[0].text
    with pytest.raises(
        cg.DrawingError, match=r"the 200 strongest paths from 'r0' to 'r150' have .* ask for fewer paths"
    ):
        picture_of(G, s="r0", t="r150", top=200)


def test_of_long_paths_nodes_one_after_the_other_are_one():
    G = ladder(150)
    picture = picture_of(G, s="r0", t="r150", top=1)
    assert [[line.text for line in n.lines] for n in picture.nodes] == [
        ["r₀", "S = 1"], ["up₀ … up₁₄₉", "299 nodes"], ["r₁₅₀", "S = 1"],
    ]  # fmt: skip
    assert [(e.tail, e.head, e.lines[0].text, e.stroke.kind) for e in picture.edges] == [
        ("r0", "up0", "2", "path1"), ("up0", "r150", "−1", "path1"),
    ]  # fmt: skip
    assert picture.notes[-2].text == "301 of 301 nodes: those on the strongest path from r0 to r150"
    G.add_edge("r3", "aside", derivative=7.0)
    G.add_edge("aside", "r140", derivative=1e40)
    picture = picture_of(G, s="r0", t="r150", top=2)  # both begin on the way aside, and part after it
    drawn = nx.DiGraph((e.tail, e.head) for e in picture.edges)
    hidden = sum(int(n.lines[1].text.split()[0]) - 1 for n in picture.nodes if n.kind == "layer")
    paths = [path for path, _ in cg.top_paths(G, "r0", "r150", k=2)]
    assert len(drawn) + hidden == len({i for path in paths for i in path})
    assert_nothing_overlaps(cg.draw(G, s="r0", t="r150", top=2).layout)


def test_what_a_picture_of_a_large_graph_does_not_show_is_said():
    G = ladder(150)
    picture = picture_of(G, s="r0", t="r140", show=["names", "derivatives"])
    assert [note.text for note in picture.notes] == [
        "281 nodes and 420 edges between r0 and r140, by their distance from r0; with top=K, the K strongest paths are drawn",
        "not shown, for there are too many nodes: names, derivatives, sensitivities",
    ]
    assert "not shown, for there are too many nodes: sensitivities" in [
        note.text for note in picture_of(G, t="r9").notes
    ]
    assert len(picture_of(G).notes) == 1


def test_a_long_name_takes_several_lines():
    name = "the total cost of everything that is made in a year"
    G = nx.DiGraph([(name, "y")])
    nodes = texts(picture_of(G))[0]
    assert nodes == {name: ["the total cost of everything", "that is made in a year"], "y": ["y"]}
    assert texts(picture_of(nx.DiGraph([("x" * 200, "y")])))[0]["x" * 200][0].count("x") < 100
    assert_nothing_overlaps(cg.draw(G).layout)


def test_what_is_faint_runs_under_what_stands_out():
    L = cg.linearize(cg.read_spec(next(p for p in EXAMPLES if p.stem == "network")))
    root = ET.fromstring(cg.draw(L, s="x2", t="J")._repr_svg_())
    kinds = [g.get("class").split()[1] for g in root.findall(f"{SVG}g") if g.get("class").startswith("edge")]
    assert kinds == sorted(kinds, key=lambda kind: kind != "off")
    assert kinds[0] == "off" != kinds[-1]


def test_what_is_faint_is_faint_once():
    """Text of a node is within what is faint already; that of an edge is not."""
    root = ET.fromstring(cg.draw(quiz(), s="x", t="y")._repr_svg_())
    rules = re.findall(r"^([^{}\n]*) { opacity: (\S+) }", root.find(f"{SVG}style").text, re.MULTILINE)
    assert rules == [(".cgraph .node.off, .cgraph .edge.off text", str(FAINT))]


def test_names_stand_as_they_are_on_request():
    L = cg.linearize(cg.from_equations("y_1 = 2*x1", x1=1.0))
    assert [n.lines[0].text for n in picture_of(L).nodes] == ["x₁", "y₁"]
    assert [n.lines[0].text for n in picture_of(L, plain_names=True).nodes] == ["x1", "y_1"]


def test_blue_and_orange_mean_the_sign_and_nothing_else():
    signs = {EDGES[kind].stroke for kind in ("positive", "negative")} | {
        EDGES[kind].dark_stroke for kind in ("positive", "negative")
    }
    others = {kind: ink for kind, ink in [*EDGES.items(), *NODES.items()] if kind not in ("positive", "negative")}
    for kind, ink in others.items():
        for colour in ink:
            red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
            assert colour not in signs
            hue, *_ = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
            vivid = max(red, green, blue) - min(red, green, blue) > 40
            is_blue, is_orange = 0.53 < hue < 0.7, 0.02 < hue < 0.12
            assert not (vivid and (is_blue or is_orange)), f"{kind}: {colour}"


def test_many_labels_are_left_out_and_the_picture_says_so():
    G = nx.DiGraph([((0, a), (1, b)) for a in range(14) for b in range(14)])
    nx.set_edge_attributes(G, 1.0, "derivative")
    picture = picture_of(G)
    assert not any(e.lines for e in picture.edges)
    assert [note.text for note in picture.notes] == ["196 edges, without their labels"]
    assert all(e.lines for e in picture_of(G, show=["derivatives"]).edges)


def test_the_largest_graph_that_is_drawn_node_by_node_is_laid_out():
    chance = np.random.default_rng(1)
    G = nx.DiGraph()
    G.add_nodes_from(range(MAX_NODES))
    while G.number_of_edges() < MAX_EDGES:
        i, j = sorted(chance.choice(MAX_NODES, 2, replace=False).tolist())
        if 1 <= j // 10 - i // 10 <= 2:  # twenty layers of ten
            G.add_edge(i, j, derivative=1.0)
    assert len(cg.draw(G, show=["derivatives"]).layout.nodes) == MAX_NODES


def test_edges_across_many_layers_are_not_left_to_graphviz():
    G = nx.DiGraph(combinations(range(28), 2))  # 378 edges, which would take it half a minute
    nx.set_edge_attributes(G, 1.0, "derivative")
    assert "28 nodes and 378 edges" in picture_of(G).notes[0].text
    with pytest.raises(cg.DrawingError, match="less if edges cross many layers"):
        cg.page(G)


# Formats


def written(tmp_path, G, suffix, **options):
    path = tmp_path / f"picture.{suffix}"
    cg.draw(G, path, **options)
    return path.read_bytes()


def test_svg_has_ids_classes_and_tooltips_and_no_script(tmp_path):
    root = ET.fromstring(written(tmp_path, quiz(), "svg", s="x", t="y"))
    groups = {g.get("id"): g for g in root.findall(f"{SVG}g")}
    assert groups["node-0"].get("data-name") == "x"
    assert groups["node-0"].get("class") == "node input source"
    assert groups["edge-0-3"].get("class") == "edge negative"
    assert (groups["edge-0-3"].get("data-from"), groups["edge-0-3"].get("data-to")) == ("x", "y")
    assert groups["node-2"].find(f"{SVG}title").text == "a (operation)\nx*z\nvalue 6\nS(a, y) = 404.8537396"
    assert "prefers-color-scheme: dark" in root.find(f"{SVG}style").text
    assert {e.tag.removeprefix(SVG) for e in root.iter()} == {"svg", "style", "rect", "g", "title", "path", "text"}
    assert not [name for e in root.iter() for name in e.attrib if name.startswith("on") or "href" in name]


def test_what_xml_cannot_hold_is_replaced():
    svg = cg.draw(nasty_graph(["bell\x07", "half\ud800", "\uffff"]))._repr_svg_()
    names = [g.get("data-name") for g in ET.fromstring(svg).findall(f"{SVG}g") if "node" in g.get("class")]
    assert names == ["bell\ufffd", "half\ufffd", "\ufffd"]


def test_png_and_pdf_are_what_they_say_and_the_same_each_time(tmp_path):
    assert written(tmp_path, quiz(), "png").startswith(b"\x89PNG")
    pdf = written(tmp_path, quiz(), "pdf", t="y")
    assert pdf.startswith(b"%PDF")
    assert pdf == written(tmp_path, quiz(), "pdf", t="y")


def test_a_long_picture_is_a_png_that_can_be_opened(tmp_path):
    from matplotlib.image import imread

    G = chain(190)
    G.graph["title"] = "long " * 1000
    cg.draw(G, tmp_path / "picture.png")
    height, width, _ = imread(tmp_path / "picture.png").shape
    assert 10_000 < width <= 20_001
    assert height > 50


def test_on_axes():
    from matplotlib.figure import Figure

    ax = Figure().add_subplot()
    drawing = cg.draw(quiz(), ax=ax)
    assert ax.get_xlim() == (0, drawing.layout.width)
    texts_and_shapes = len(ax.patches)
    assert texts_and_shapes == 4 + 4 * 2 + 4 + 4 * 2  # nodes with two lines, edges with arrow, label


def test_a_letter_that_no_font_has_is_said(tmp_path, run):
    G = cg.from_equations('y("\U0001fbff") = 2*x', x=1.0)
    with pytest.warns(UserWarning, match="no font of this machine has \U0001fbff: boxes stand in the picture"):
        cg.draw(G, tmp_path / "picture.png")
    cg.write_spec(G, tmp_path / "spec.yaml")
    status, _, errors = run("draw", tmp_path / "spec.yaml", "-o", tmp_path / "picture.png")
    assert (status, errors.count("warning: no font of this machine has")) == (0, 1)
    cg.draw(G, tmp_path / "picture.svg")  # there the reader's fonts are used


def test_a_letter_that_another_font_has_is_drawn_in_it(monkeypatch):
    from matplotlib import font_manager

    two = [entry for entry in font_manager.fontManager.ttflist if entry.name in {"cmr10", "DejaVu Sans Mono"}]
    monkeypatch.setattr(fonts, "FIRST", "cmr10")  # it has no Cyrillic
    monkeypatch.setattr(font_manager.fontManager, "ttflist", sorted(two, key=lambda entry: entry.name, reverse=True))
    fonts._covering.cache_clear()
    assert fonts.families(["x", "ж"]) == ["cmr10", "DejaVu Sans Mono"]
    fonts._covering.cache_clear()


def test_a_picture_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "picture.svg"
    path.write_text("as it was")
    with pytest.raises(cg.MissingDerivativeError):
        cg.draw(cg.from_equations("y = x", x=1.0), path, t="y")
    assert path.read_text() == "as it was"
    assert [p.name for p in tmp_path.iterdir()] == ["picture.svg"]


@pytest.mark.parametrize("missing", ["pygraphviz", "matplotlib"])
def test_without_the_extra_the_text_formats_work_and_the_others_say_what_to_install(monkeypatch, missing):
    def refuse(module):
        if module.partition(".")[0] == missing:
            raise ModuleNotFoundError(module, name=missing)
        return __import__("importlib").import_module(module)

    monkeypatch.setattr(optional, "import_module", refuse)
    drawing = cg.draw(quiz(), s="x", t="y")
    assert drawing.written("dot").startswith("digraph {")
    assert drawing.written("mermaid").startswith("flowchart LR")
    with pytest.raises(cg.DrawingError, match="there is no picture format 'gif'"):
        drawing.written("gif")
    needy = ["svg", "tikz", "png"] if missing == "pygraphviz" else ["png", "pdf"]
    for format in needy:
        with pytest.raises(cg.ExtraMissingError, match=f"this needs {missing}; pip install 'cgraph-sensitivity.draw.'"):
            cg.draw(quiz()).written(format)
    assert (quiz()._repr_svg_() is None) == (missing == "pygraphviz")
    with pytest.raises(ImportError):
        cg.draw(quiz()).written(needy[-1])


def test_title_and_notes_stand_in_the_text_formats_too():
    L = cg.linearize(cg.read_spec(next(p for p in EXAMPLES if p.stem == "quiz")))
    drawing = cg.draw(L, s="x", t="y")
    notes = [note.text for note in drawing.picture.notes]
    assert len(notes) == 3
    A = pygraphviz.AGraph(string=drawing.written("dot"))
    assert A.graph_attr["label"] == r"Differentiation quiz\n" + "".join(rf"{note}\l" for note in notes)
    (line,) = [line for line in drawing.written("mermaid").splitlines() if line.startswith("  notes[")]
    text = re.sub(r"#(\d+);", lambda code: chr(int(code[1])), line.partition('"')[2].rpartition('"')[0])
    assert text.split("<br/>") == notes


def dot_labels(text):
    """Return what Graphviz reads: the labels of nodes and edges, escapes and entities resolved."""
    A = pygraphviz.AGraph(string=text)
    assert [n for n in A.nodes() if not re.fullmatch(r"n\d+", n)] == []
    return [n.attr["label"] for n in A.nodes()], A.number_of_edges()


def unescaped_dot(label):
    return re.sub(r"\\(.)", r"\1", label).replace("&amp;", "&")


def assert_right_everywhere(names):
    drawing = cg.draw(nasty_graph(names), s=names[0], t=names[-1])
    shown = show_names(names)
    root = ET.fromstring(drawing._repr_svg_())
    nodes = [g for g in root.findall(f"{SVG}g") if g.get("class").startswith("node")]
    assert [g.get("data-name") for g in nodes] == names
    assert [g.find(f"{SVG}text").text for g in nodes] == [shown[i] for i in names]
    assert {e.tag.removeprefix(SVG) for e in root.iter()} <= {"svg", "style", "rect", "g", "title", "path", "text"}
    labels, edges = dot_labels(drawing.written("dot"))
    assert [unescaped_dot(label.split("\\nS = ")[0]) for label in labels] == [shown[i] for i in names]
    assert edges == len(names) - 1
    mermaid = drawing.written("mermaid")
    found = re.findall(r'^  n\d+[(\[]+"(.*?)<br/>S = ', mermaid, re.MULTILINE)
    assert [re.sub(r"#(\d+);", lambda m: chr(int(m[1])), text) for text in found] == [shown[i] for i in names]
    for line in mermaid.splitlines()[1:]:
        assert re.fullmatch(r"  (n\d|notes|classDef|linkStyle).*", line)
        assert not re.search(r"[`$\\&]|<(?!br/>)", line)
    tikz = drawing.written("tikz")
    braces = tikz.replace(r"\{", "").replace(r"\}", "")
    assert braces.count("{") == braces.count("}")
    assert "\\input" not in tikz
    assert not re.search(r"(?<!\\)[$%#&]", tikz)


@pytest.mark.filterwarnings("ignore:no font of this machine has")
def test_nasty_names_are_right_in_every_format(tmp_path):
    assert_right_everywhere(NASTY)
    cg.draw(nasty_graph(NASTY), tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 10_000


@settings(max_examples=40)
@example(["0", "_"])
@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Cn", "Co"]), min_size=1, max_size=12)
        .map(str.strip)
        .filter(lambda name: name and "->" not in name and name == " ".join(name.split())),
        min_size=2,
        max_size=4,
        unique=True,
    )
)
def test_any_name_is_right_in_every_format(names):
    assert_right_everywhere(names)


@needs_latex("standalone.cls", "tikz.sty")
@pytest.mark.parametrize("what", ["nasty names", "latin", "halves"])
def test_tikz_compiles(tmp_path, what):
    if what == "halves":
        L = cg.decouple(cg.linearize(cg.read_spec(next(p for p in EXAMPLES if p.stem == "network"))))
        cg.draw(L, tmp_path / "picture.tex", s="x1", t="J")
    else:
        latin = ["".join(map(chr, range(start, start + 16))) for start in range(0xA1, 0x17F, 16)]
        greek = ["".join(map(chr, range(0x391, 0x3CA))).replace("\u03a2", "")]
        cg.draw(nasty_graph(NASTY if what == "nasty names" else latin + greek), tmp_path / "picture.tex")
    run = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "picture.tex"],
        cwd=tmp_path, capture_output=True, text=True, check=False, errors="replace",
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-1500:]
    assert "Missing character" not in (tmp_path / "picture.log").read_text(errors="replace")


# Notebooks


def test_a_graph_shows_itself_in_a_notebook():
    G = cg.from_equations("y = 2*x", x=1.0)
    assert ET.fromstring(G._repr_svg_()).tag == f"{SVG}svg"
    G.add_edge("y", "x")
    assert G._repr_svg_() is None  # a cycle has no layers


def test_a_report_shows_picture_and_tables():
    report = cg.sensitivity_report(quiz(), "x", "y", top=1)
    page = report._repr_html_()
    assert page.count("<svg") == 1
    assert page.count("<table>") == 2
    assert '<td align="right">1208.381215</td>' in page
    assert "1214.561219" in str(report)
    assert "6.180003701" not in str(report)


def test_a_report_escapes_names():
    G = nasty_graph(["<b>", "&"])
    page = cg.sensitivity_report(G, "<b>", "&")._repr_html_()
    assert "<b>" not in page
    assert "&lt;b&gt;" in page
