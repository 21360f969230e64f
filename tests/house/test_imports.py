"""Imports point down, as docs/architecture.md says, and without a circle."""

import ast
import re
from pathlib import Path

import networkx as nx
import pytest

ROOT = Path(__file__).parent.parent.parent
PACKAGES = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"), re.MULTILINE)


def modules():
    """Return {name: file} of every module of the library."""
    files = (ROOT / "cgraph").rglob("*.py")
    return {".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file for file in files}


def imports():
    """Return the graph of all imports, also those within functions."""
    known = modules()
    G = nx.DiGraph()
    G.add_nodes_from(known)
    for module, file in known.items():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                named = [f"{node.module}.{alias.name}" for alias in node.names]
                G.add_edges_from((module, name if name in known else node.module) for name in named)
            elif isinstance(node, ast.Import):
                G.add_edges_from((module, alias.name) for alias in node.names)
    return G.subgraph(known)


@pytest.fixture(scope="module")
def graph():
    return imports()


def test_the_document_lists_every_package():
    assert sorted(PACKAGES) == sorted(file.parent.name for file in ROOT.glob("cgraph/*/__init__.py"))


def test_a_package_imports_only_those_below_it(graph):
    place = {package: k for k, package in enumerate(PACKAGES)}
    packages = {module: module.split(".")[1] for module in graph if module.count(".")}
    upward = [
        (module, used)
        for module, used in graph.edges
        if packages.get(module) in place
        and packages.get(used) in place
        and place[packages[used]] < place[packages[module]]
    ]
    assert graph.has_edge("cgraph.algorithms.sweeps", "cgraph.model.linearized")  # imports are seen
    assert not upward


def test_the_command_alone_imports_the_whole(graph):
    users = {module for module in graph.pred["cgraph"] if not module.startswith("cgraph.cli")}
    assert users <= {"cgraph.testing", "cgraph.__main__"}


def test_no_circle(graph):
    assert not [circle for circle in nx.strongly_connected_components(graph) if len(circle) > 1]
