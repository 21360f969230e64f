"""The documents' pictures are current, and their links lead somewhere."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
GENERATED = {"gallery/index.md", "interface/index.md"}  # when the site is built

pytest.importorskip("pygraphviz")
spec = importlib.util.spec_from_file_location("pictures", ROOT / "docs" / "pictures.py")
pictures = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pictures)


def without_places(svg):
    """Return a picture without coordinates, which another version of Graphviz may choose otherwise."""
    return re.sub(r' (d|x|y|width|height|viewBox)="[^"]*"', "", svg)


@pytest.mark.parametrize(("path", "drawing"), list(pictures.committed()), ids=lambda value: getattr(value, "stem", ""))
def test_the_committed_pictures_show_what_the_library_computes(path, drawing):
    assert without_places(path.read_text(encoding="utf-8")) == without_places(drawing.written("svg"))


def test_every_picture_of_the_documents_is_drawn_by_the_command():
    shown = {
        (document.parent / path).resolve()
        for document in DOCUMENTS
        for path in re.findall(r"!\[.*?\]\((.*?pictures/.*?)\)", document.read_text(encoding="utf-8"))
    }
    assert shown == {path for path, _ in pictures.committed()}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    for link in re.findall(r"\]\((.*?)\)", document.read_text(encoding="utf-8")):
        target = link.partition("#")[0]
        assert link.startswith("http") or target in GENERATED or (document.parent / target).exists(), link


def test_the_gallery_shows_every_example():
    files = dict(pictures.gallery())
    specs = {path.stem for path in ROOT.glob("examples/*/*.yaml")}
    assert {Path(name).stem for name in files if name.endswith(".html")} == specs
    for name in re.findall(r"\(([^()\s]+)\)", files["gallery/index.md"]):
        assert not name.endswith((".svg", ".html")) or f"gallery/{name}" in files


def test_the_interface_lists_every_public_function():
    import cgraph as cg

    pages = dict(pictures.interface())
    text = "\n".join(pages.values())
    for name in dir(cg):
        assert not callable(getattr(cg, name)) or text.count(f".{name}\n") == 1, name
        assert not callable(getattr(cg, name)) or f"[`{name}`]" in pages["interface/index.md"], name


def docstrings():
    pytest.importorskip("griffe")
    spec = importlib.util.spec_from_file_location("docstrings", ROOT / "docs" / "docstrings.py")
    extension = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(extension)
    return extension


def test_references_and_what_else_to_see_are_lists():
    text = "A [1]_.\n\nSee Also\n--------\nf : one.\nC.g : two.\n\nReferences\n----------\n.. [1] B, 1963,\n   C.\n.. [2] D.\n"
    assert docstrings().listed(text) == (
        "A \\[1\\].\n\nSee Also\n--------\n- `f`: one.\n- `C.g`: two.\n\nReferences\n----------\n- \\[1\\] B, 1963,\n   C.\n"
        "- \\[2\\] D.\n"
    )


def test_parameters_that_share_a_line_are_split():
    text = "A.\n\nParameters\n----------\nG, s, *t\n    As in `f`.\n\nk : int\n    How many, of\n    all.\n\nReturns\n-------\na, b\n    Two."
    assert docstrings().split(text) == (
        "A.\n\nParameters\n----------\nG\n    As in `f`.\ns\n    As in `f`.\n*t\n    As in `f`.\n\nk : int\n    How many, of\n"
        "    all.\n\nReturns\n-------\na, b\n    Two.\n"
    )
