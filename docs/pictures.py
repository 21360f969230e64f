"""The pictures of the documents: `python docs/pictures.py` writes those of the README; the site draws the gallery.

MkDocs loads this file as a hook: at each build it draws the gallery from the examples and lists the interface.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import networkx as nx

import cgraph as cg

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"


def _labelled(L: cg.ComputationalGraph) -> cg.ComputationalGraph:
    """Return an attribution graph with the words of its features as names."""
    words = {i: ("logit: " if d["feature_type"] == "logit" else "") + d["clerp"] for i, d in L.nodes(data=True)}
    H: cg.ComputationalGraph = nx.relabel_nodes(L, words)
    H.graph["outputs"] = [words[i] for i in L.outputs]
    return H


# The committed pictures: a name, a spec, what is done to it, and how it is drawn.
COMMITTED: dict[str, tuple[str, Callable[[Any], Any], dict[str, Any]]] = {
    "quiz": ("cmu_10301/quiz", cg.linearize, {"s": "x", "t": "y"}),
    "paths": ("cse463/sqrt_cos", cg.linearize, {"s": "x", "t": "f", "top": 2}),
    "attribution": (
        "attribution/capital.json",
        _labelled,
        {"s": "token: Dallas", "t": "logit: Austin", "show": ("names", "derivatives")},
    ),
    "halves": ("math565/network", lambda G: cg.decouple(cg.linearize(G)), {"t": "J"}),
}
PACKAGES = cg._PACKAGES  # noqa: SLF001 - the one list of them


def committed() -> Iterator[tuple[Path, cg.Drawing]]:
    """Iterate over the committed pictures and where they stand."""
    for name, (spec, transform, options) in COMMITTED.items():
        is_spec = not spec.endswith(".json")
        G = transform(
            cg.read_spec(EXAMPLES / f"{spec}.yaml") if is_spec else cg.read_attribution_graph(EXAMPLES / spec)
        )
        yield ROOT / "docs" / "pictures" / f"{name}.svg", cg.draw(G, **options)


def gallery() -> Iterator[tuple[str, str]]:
    """Iterate over the files of the gallery, each with its content: pictures, pages, and the page that shows them."""
    text = [
        "# Gallery",
        "",
        "Drawn from the examples when this site was built. A picture opens in full; each page walks through its graph.",
    ]
    for spec in sorted(EXAMPLES.glob("*/*.yaml")):
        G, name = cg.read_spec(spec), spec.stem
        L = cg.linearize(G)
        s, t = L.inputs[0], L.outputs[0]
        drawings = {
            f"what flows from {s} to {t}": cg.draw(L, s=s, t=t),
            f"the strongest paths from {s} to {t}": cg.draw(L, s=s, t=t, top=3),
            "equations": cg.draw(G, show=("names", "equations")),
        }
        if any(d.get("role") == "neuron" for _, d in G.nodes(data=True)):
            drawings["neurons in two halves"] = cg.draw(cg.decouple(L), t=t)
            drawings["weights as nodes"] = cg.draw(cg.weights_as_nodes(L), t=t)
        text += [
            "",
            f"## {L.graph.get('title', name)}",
            "",
            f"`{spec.relative_to(ROOT)}`; [walk through it]({name}.html).",
        ]
        yield f"gallery/{name}.html", cg.page(L, s=s, t=t)
        pictures = {what: str(drawing.written("svg")) for what, drawing in drawings.items()} | dict(charts(L, s, t))
        for k, (what, picture) in enumerate(pictures.items()):
            yield f"gallery/{name}-{k}.svg", picture
            text += ["", f"[![{what}]({name}-{k}.svg)]({name}-{k}.svg)", "", f"*{what[0].upper()}{what[1:]}.*"]
    yield "gallery/index.md", "\n".join([*text, ""])


def charts(L: Any, s: str, t: str) -> Iterator[tuple[str, str]]:
    """Iterate over the charts of a network: what each shows, and its SVG."""
    if not any("weight" in d for *_, d in L.edges(data=True)):
        return
    with TemporaryDirectory() as folder:
        path = Path(folder) / "chart.svg"
        cg.flow_chart(cg.gradient_flow(L, t), path)
        yield f"the size of the sensitivities of {t} by depth", path.read_text(encoding="utf-8")
        cg.tornado_chart(L, t, path)
        yield f"the inputs that act most on {t}", path.read_text(encoding="utf-8")
        cg.path_chart(L, s, t, path)
        yield f"the products of the paths from {s} to {t}", path.read_text(encoding="utf-8")
        if L.nodes[t]["value"] < 0:
            return  # a likelihood, which the notes climb
        cg.loss_chart(cg.gradient_descent(L, t, rate=0.5, steps=30), path)
        yield f"{t} in thirty steps of descent", path.read_text(encoding="utf-8")


def interface() -> Iterator[tuple[str, str]]:
    """Iterate over the pages of the interface: one for each package, from its docstrings, and the page that lists them."""
    index = ["# Interface", "", "Everything here is `cg.name` after `import cgraph as cg`."]
    for package in PACKAGES:
        module = getattr(cg, package)
        summary = (module.__doc__ or "").strip()
        names = [name for name in module.__all__ if _is_ours(module, name)]
        page = [f"# cgraph.{package}", "", summary]
        index += ["", f"## [cgraph.{package}]({package}.md)", "", summary, "", "| | |", "| --- | --- |"]
        for name in names:
            thing = getattr(module, name)
            page += ["", f"::: {getattr(thing, '__module__', module.__name__)}.{name}"]
            first = inspect.cleandoc(thing.__doc__ or "").split("\n\n")[0].replace("\n", " ").replace("|", "\\|")
            index.append(f"| [`{name}`]({package}.md#{thing.__module__}.{name}) | {first} |")
        yield f"interface/{package}.md", "\n".join([*page, ""])
    yield "interface/index.md", "\n".join([*index, ""])


def _is_ours(module: Any, name: str) -> bool:
    thing = getattr(module, name)
    return callable(thing) and getattr(thing, "__module__", module.__name__).startswith("cgraph")


def on_config(config: Any) -> Any:
    """List a page of the interface for each package in the navigation (a hook of MkDocs)."""
    packages = [{package.capitalize(): f"interface/{package}.md"} for package in PACKAGES]
    config["nav"][-1] = {"Interface": ["interface/index.md", *packages]}
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the gallery and the interface to the files of the site (a hook of MkDocs)."""
    from mkdocs.structure.files import File  # noqa: PLC0415 - only a build has it

    for path, content in [*gallery(), *interface()]:
        files.append(File.generated(config, path, content=content))
    return files


if __name__ == "__main__":
    for path, drawing in committed():
        path.write_text(str(drawing.written("svg")), encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
