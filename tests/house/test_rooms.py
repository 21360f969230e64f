"""Packages load what is asked for, and each command what it uses."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import cgraph as cg

ROOT = Path(__file__).parent.parent.parent
QUIZ = ROOT / "examples" / "cmu_10301" / "quiz.yaml"
PACKAGES = sorted(path.parent.name for path in ROOT.glob("cgraph/*/__init__.pyi"))


@pytest.mark.parametrize("package", PACKAGES)
def test_what_a_stub_names_is_there(package):
    module = import_module(f"cgraph.{package}")
    assert module.__all__
    for name in module.__all__:
        assert getattr(module, name) is getattr(cg, name)
        assert name in dir(module)
    with pytest.raises(AttributeError, match=f"module 'cgraph.{package}' has no attribute 'nothing'"):
        module.nothing  # noqa: B018 - to read it is the test


def test_a_function_is_not_hidden_by_its_module():
    import_module("cgraph.algorithms.paths")
    import_module("cgraph.algorithms.effects")
    assert callable(cg.algorithms.paths)
    assert callable(cg.algorithms.effects)


def loaded(code):
    """Return the modules that are loaded after `code` in a process of its own."""
    shown = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print('LOADED', *sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(shown.stdout.split("LOADED")[-1].split())


def test_an_error_alone_needs_no_library():
    assert not {"networkx", "numpy"} & loaded("import cgraph.model.errors")


@pytest.mark.parametrize("command", ["eval", "paths", "check", "effects"])
def test_a_command_loads_no_package_that_it_does_not_use(command):
    modules = loaded(f"from cgraph.cli import main; main([{command!r}, {str(QUIZ)!r}])")
    unused = (
        "exercises.grading",
        "reports.drawing",
        "reports.charts",
        "model.tracing",
        "training.descent",
        "frontends",
    )
    assert not {m for m in modules if m.startswith(tuple(f"cgraph.{name}" for name in unused))}
