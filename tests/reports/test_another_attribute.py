"""Derivatives under another name: the same picture, chart, report, page and spec as under their own."""

import io

import networkx as nx
import pytest

import cgraph as cg


def graph(name):
    """Return x -> a -> y beside x -> y, its derivatives under `name`, and others under "derivative"."""
    G = cg.ComputationalGraph()
    for i, value in {"x": 1.0, "a": 2.0, "y": 13.0}.items():
        G.add_node(i, value=value)
    for i, j, z in [("x", "a", 2.0), ("a", "y", 5.0), ("x", "y", 3.0)]:
        G.add_edge(i, j, **({"derivative": -4.0} | {name: z}))
    return G


def spec(G, **options):
    text = io.StringIO()
    cg.write_spec(G, text, **options)
    return text.getvalue()


def bars(chart):
    return [float(bar.get_width()) for bar in chart.axes[0].patches]


@pytest.mark.parametrize(
    "made",
    [
        lambda G, **o: cg.draw(G, s="x", t="y", **o).written("mermaid"),
        lambda G, **o: bars(cg.path_chart(G, "x", "y", **o)),
        lambda G, **o: bars(cg.tornado_chart(G, "y", **o)),
        lambda G, **o: str(cg.sensitivity_report(G, "x", "y", **o)),
        lambda G, **o: cg.page(G, s="x", t="y", **o),
        spec,
    ],
    ids=["draw", "path_chart", "tornado_chart", "sensitivity_report", "page", "write_spec"],
)
def test_what_is_made_of_them(made):
    G = graph("slope")
    assert made(G, derivative="slope") == made(graph("derivative"))
    assert made(G) != made(G, derivative="slope")
    assert nx.utils.edges_equal(G.edges(data=True), graph("slope").edges(data=True))
