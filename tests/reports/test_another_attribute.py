"""Derivatives under another name: the same picture, chart, report, page and spec as under their own."""

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

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


def written(G, **options):
    with TemporaryDirectory() as folder:
        cg.write_graph(G, Path(folder, "edges.csv"), s="x", t="y", top=1, **options)
        rows = csv.DictReader(Path(folder, "edges.csv").read_text(encoding="utf-8").splitlines())
        return [
            {name: row[name] for name in ("source", "target", "derivative", "flow", "path_product")} for row in rows
        ]


def bars(chart):
    return [chart.get_suptitle(), *(float(bar.get_width()) for bar in chart.axes[0].patches)]


@pytest.mark.parametrize(
    "made",
    [
        lambda G, **o: cg.draw(G, s="x", t="y", **o).written("mermaid"),
        lambda G, **o: bars(cg.path_chart(G, "x", "y", **o)),
        lambda G, **o: bars(cg.tornado_chart(G, "y", **o)),
        lambda G, **o: str(cg.sensitivity_report(G, "x", "y", **o)),
        lambda G, **o: cg.page(G, s="x", t="y", **o),
        spec,
        written,
    ],
    ids=["draw", "path_chart", "tornado_chart", "sensitivity_report", "page", "write_spec", "write_graph"],
)
def test_what_is_made_of_them(made):
    G = graph("slope")
    assert made(G, derivative="slope") == made(graph("derivative"))
    assert made(G) != made(G, derivative="slope")
    assert nx.utils.edges_equal(G.edges(data=True), graph("slope").edges(data=True))
