"""Charts: what they show is what the algorithms return."""

import math
import re
import xml.etree.ElementTree as ET

import networkx as nx
import pytest

import cgraph as cg
from cgraph.reports.drawing.palette import EDGES

pytest.importorskip("matplotlib")
from matplotlib.colors import to_hex


def descent(**options):
    G = cg.ComputationalGraph()
    G.add_input("x", 1.0)
    G.add_weight("w", 3.0)
    G.add_equation("J", "(w*x)^2")
    return cg.gradient_descent(G, "J", rate=0.25, **options)


def curve(line):
    return [float(y) for y in line.get_ydata()]


def test_losses():
    result = descent(steps=4)
    (ax,) = cg.loss_chart(result).axes
    assert [curve(line) for line in ax.lines] == [result.history]
    assert ax.get_yscale() == "log"  # from 9 to 9/256
    assert cg.loss_chart(descent(steps=1)).axes[0].get_yscale() == "linear"


def test_losses_of_held_out_data():
    result = descent(steps=3, data={"x": [1.0, 0.5]}, validation={"x": [2.0]})
    (ax,) = cg.loss_chart(result).axes
    assert [curve(line) for line in ax.lines] == [result.history, result.validation]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["training", "held out"]


def deep(activation, layers=60):
    G = cg.ComputationalGraph()
    G.add_input("x", 1.0)
    for k in range(layers):
        G.add_neuron(f"h{k}", activation=activation, weights={f"h{k - 1}" if k else "x": 1e-6})
    return cg.gradient_flow(cg.linearize(G), f"h{layers - 1}")


def test_the_flow_is_drawn_where_floats_underflow():
    levels = deep("sigmoid")
    assert levels[-1].mean == 0.0  # 1e-360 and less
    above, below = cg.flow_chart(levels).axes
    assert curve(above.lines[0]) == pytest.approx([level.log_mean / math.log(10) for level in levels])
    assert curve(above.lines[0])[-1] < -380
    assert [bar.get_height() for bar in below.patches] == [0.0] * len(levels)
    assert below.xaxis_inverted()


def test_shut_gates_and_zeros_are_drawn():
    G = cg.ComputationalGraph()
    G.add_input("x", -1.0)
    G.add_neuron("h", activation="relu", weights={"x": 1.0})
    G.add_equation("y", "2*h")
    above, below = cg.flow_chart(cg.gradient_flow(cg.linearize(G), "y")).axes
    assert [bar.get_height() for bar in below.patches] == [0.0, 1.0, 0.0]
    sizes = curve(above.lines[0])
    assert sizes[:2] == pytest.approx([0.0, math.log10(2)])
    assert math.isnan(sizes[2])


def test_contributions_of_paths():
    L = cg.linearize(cg.from_equations("a = 2*x; b = -3*x; c = 0*x; y = a + b + c + 5*x", x=1.0))
    (ax,) = cg.path_chart(L, "x", "y").axes
    bars = ax.patches
    assert [float(bar.get_width()) for bar in bars] == [5.0, -3.0, 2.0]  # of 0 there is nothing to see
    assert [bar.get_hatch() or "" for bar in bars] == ["", "///", ""]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["x → y", "x → b → y", "x → a → y"]
    assert {float(bar.get_x()) for bar in bars} == {0.0}
    assert ax.get_xscale() == "linear"
    assert ax.figure.get_suptitle() == "S(x, y) = 4, the sum over 4 paths; the 3 strongest"
    assert len(cg.path_chart(L, "x", "y", k=2).axes[0].patches) == 2
    assert cg.path_chart(L, "x", "y", log=True).axes[0].get_xscale() == "symlog"
    with pytest.raises(cg.DrawingError, match="no path from 'x' to 'c' has a product other than 0"):
        cg.path_chart(L, "x", "c")


def test_charts_read_any_attribute():
    G = nx.DiGraph()
    G.add_weighted_edges_from([("x", "a", 2.0), ("a", "y", -5.0), ("x", "y", 3.0)], "slope")
    paths = cg.path_chart(G, "x", "y", derivative="slope")
    assert paths.get_suptitle() == "S(x, y) = −7, the sum over 2 paths"
    assert [float(bar.get_width()) for bar in paths.axes[0].patches] == [-10.0, 3.0]
    assert [float(bar.get_width()) for bar in cg.tornado_chart(G, "y", derivative="slope").axes[0].patches] == [-7.0]


def bars_in_pixels(figure):
    figure.draw_without_rendering()
    return [bar.get_window_extent() for bar in figure.axes[0].patches]


def test_lengths_can_be_compared_and_one_path_is_one_ordinary_bar():
    L = cg.linearize(cg.from_equations("a = 0.95*x; y = a + 0.5*x", x=1.0))
    strong, weak = bars_in_pixels(cg.path_chart(L, "x", "y"))
    assert weak.width / strong.width == pytest.approx(0.5 / 0.95)
    (alone,) = bars_in_pixels(cg.path_chart(L, "x", "a"))
    assert alone.height == pytest.approx(strong.height, rel=0.25)


LONG = "the_total_cost_of_everything_that_is_made_in_the_year_2026"


def long_budget_chart(L):
    return cg.budget_chart(cg.uncertainty_budget(L, [f"{LONG}_x"], {LONG: 0.1}), f"{LONG}_x")


@pytest.mark.parametrize(
    "chart",
    [lambda L: cg.path_chart(L, LONG, f"{LONG}_x"), lambda L: cg.tornado_chart(L, f"{LONG}_x"), long_budget_chart],
    ids=["paths", "tornado", "budget"],
)
def test_titles_and_names_fit(chart):
    L = cg.linearize(cg.from_equations(f"b = 2*{LONG}; {LONG}_x = 3*b + {LONG}", **{LONG: 1.0}))
    figure = chart(L)
    figure.draw_without_rendering()
    width, height = figure.bbox.size
    ax = figure.axes[0]
    low, high = ax.get_xlim()
    ticks = [label for label in ax.get_xticklabels() if low <= label.get_position()[0] <= high]
    texts = [figure._suptitle, ax.xaxis.label, *ax.get_yticklabels(), *ticks]
    assert len(ticks) >= 2
    for text in texts:
        box = text.get_window_extent()
        assert -1 <= box.x0, text.get_text()
        assert box.x1 <= width + 1, text.get_text()
        assert -1 <= box.y0, text.get_text()
        assert box.y1 <= height + 1, text.get_text()


def test_what_acts_most_stands_above():
    G = cg.ComputationalGraph()
    for name in "abc":
        G.add_input(name, 1.0)
    G.add_weight("w", 0.5)
    G.add_constant("k", 2.0)
    G.add_equation("y", "2*a - 5*b + 0*c + 3*k*w")
    L = cg.linearize(G)
    ax = cg.tornado_chart(L, "y").axes[0]
    assert [(label.get_text(), float(bar.get_width())) for label, bar in zip(ax.get_yticklabels(), ax.patches, strict=True)] == [
        ("w", 6.0), ("b", -5.0), ("a", 2.0),
    ]  # fmt: skip
    assert len(cg.tornado_chart(L, "y", k=1).axes[0].patches) == 1
    with pytest.raises(cg.DrawingError, match="no input has an effect on 'a'"):
        cg.tornado_chart(L, "a")
    with pytest.raises(cg.DrawingError, match=r"S\(x, y\) is an array of 1 × 2"):
        cg.tornado_chart(cg.linearize(cg.from_equations("y = sum(x)", x=[1.0, 2.0])), "y")


def test_the_components_of_a_budget_have_the_colours_of_their_signs():
    L = cg.linearize(cg.from_equations("y = 2*a - 5*b + 0*c", a=1.0, b=1.0, c=1.0))
    budget = cg.uncertainty_budget(L, ["y"], {"a": 0.1, "b": 0.1, "c": 0.1})
    figure = cg.budget_chart(budget, "y")
    ax = figure.axes[0]
    colours = [to_hex(bar.get_facecolor()) for bar in ax.patches]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["b", "a", "c"]
    assert colours[:2] == [EDGES["negative"].stroke, EDGES["positive"].stroke]
    assert figure.get_suptitle() == "u(y) = 0.5385: the components of the inputs"
    nothing = cg.budget_chart(cg.uncertainty_budget(L, ["y"], {"c": 0.1}), "y").axes[0]
    assert nothing.get_legend() is None


def test_where_nothing_is_shut_the_chart_says_so():
    _, below = cg.flow_chart(deep("sigmoid", layers=3)).axes
    assert [text.get_text() for text in below.texts] == ["gates shut: none"]


def test_the_legend_of_the_flow_is_in_words():
    above, _ = cg.flow_chart(deep("sigmoid", layers=3)).axes
    assert [text.get_text() for text in above.get_legend().get_texts()] == ["mean", "from the smallest to the largest"]


@pytest.mark.parametrize(
    "chart",
    [
        lambda L: cg.path_chart(L, "a", "y"),
        lambda L: cg.tornado_chart(L, "y"),
        lambda L: cg.flow_chart(cg.gradient_flow(L, "y")),
        lambda L: cg.budget_chart(cg.uncertainty_budget(L, ["y"], {"a": 0.1, "b": 0.1}), "y"),
        lambda _: cg.loss_chart(descent(steps=3, data={"x": [1.0, 0.5]}, validation={"x": [2.0]})),
    ],
    ids=["paths", "tornado", "flow", "budget", "losses"],
)
def test_a_legend_covers_nothing(chart):
    figure = chart(cg.linearize(cg.from_equations("h = 3*a; y = 2*a - 5*b + h", a=1.0, b=1.0)))
    figure.draw_without_rendering()
    ax = figure.axes[0]
    legend = ax.get_legend().get_window_extent()
    assert legend.y0 >= ax.get_window_extent().y1 - 1
    assert legend.y1 <= figure.bbox.height + 1
    if figure._suptitle:
        assert legend.y1 <= figure._suptitle.get_window_extent().y0 + 1


def test_a_chart_is_dark_on_dark_paper(tmp_path):
    L = cg.linearize(cg.from_equations("y = 2*x", x=1.0))
    cg.path_chart(L, "x", "y", tmp_path / "chart.svg")
    root = ET.parse(tmp_path / "chart.svg").getroot()
    style = root.find(".//{http://www.w3.org/2000/svg}style").text
    assert re.findall(r"prefers-color-scheme: dark\) { \.([\w-]+) ", style) == [root.get("class")]


def test_a_dollar_in_a_name_is_a_dollar(tmp_path):
    L = cg.linearize(cg.from_equations('y("$b$") = 2*y("$a_")', **{"$a_": 1.0}))
    path = tmp_path / "chart.svg"
    cg.path_chart(L, "$a_", "$b$", path)
    assert "S($a_, $b$) = 2, the sum over 1 path" in path.read_text()


@pytest.mark.parametrize(("suffix", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_the_same_chart_is_the_same_file(tmp_path, suffix, start):
    for name in ("one", "two"):
        cg.loss_chart(descent(steps=2), tmp_path / f"{name}.{suffix}")
    assert (tmp_path / f"one.{suffix}").read_bytes() == (tmp_path / f"two.{suffix}").read_bytes()
    assert (tmp_path / f"one.{suffix}").read_bytes().startswith(start)
