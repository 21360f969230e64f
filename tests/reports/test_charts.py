"""Charts: what they show is what the algorithms return."""

import math

import pytest

import cgraph as cg

pytest.importorskip("matplotlib")


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
    assert [float(bar.get_height()) for bar in bars] == [5.0, 3.0, 2.0]  # 0 has no place on a logarithmic scale
    assert [bar.get_hatch() or "" for bar in bars] == ["", "///", ""]
    assert ax.get_title() == "S(x, y) = 4, the sum over 4 paths"
    assert len(cg.path_chart(L, "x", "y", k=2).axes[0].patches) == 2
    with pytest.raises(cg.DrawingError, match="no path from 'x' to 'c' has a product other than 0"):
        cg.path_chart(L, "x", "c")


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
