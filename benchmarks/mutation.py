"""How many changes of one operator, constant or condition the tests notice: ``python benchmarks/mutation.py [options]``.

Needs cosmic-ray (``pip install cosmic-ray``). The tests of four packages run once with coverage, to learn which of them execute
which line. Then a sample of changes is made in a copy of the tree, one at a time. First some of the tests that execute the
line run, then all of its package, then all there are; a change that none of them notices is a survivor, printed with its line.
"""

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path

import coverage
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

ROOT = Path(__file__).parent.parent
PACKAGES = ("algorithms", "transforms", "model", "exercises")
LEFT_OUT = ("RemoveDecorator", "VariableReplacer", "VariableInserter", "ReplaceUnaryOperator_Delete")
FIRST = 40  # tests that execute the line
SECONDS = 3000


def operators():
    """Return the operators of cosmic-ray that change one operator, constant or condition."""
    return [get_operator(name)() for name in operator_names() if not any(word in name for word in LEFT_OUT)]


def run_tests(tree, tests):
    """Return whether all of the tests pass."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--no-header", *tests]
    environment = os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def covering_tests(tree):
    """Return {file: {line: tests that execute it}}."""
    report = tree / "contexts"
    command = [sys.executable, "-m", "pytest", "-q", "-n", "auto", "-p", "no:cacheprovider", "--cov=cgraph"]
    command += [
        "--cov-context=test",
        "--cov-report=",
        "--cov-fail-under=0",
        *(f"tests/{package}" for package in PACKAGES),
    ]
    environment = os.environ | {"PYTHONPATH": str(tree), "COVERAGE_FILE": str(report)}
    subprocess.run(command, cwd=tree, env=environment, check=False, stdout=subprocess.DEVNULL)
    data = coverage.CoverageData(str(report))
    data.read()
    found = {}
    for path in data.measured_files():
        lines = data.contexts_by_lineno(path)
        found[Path(path).relative_to(tree)] = {
            line: sorted({test.partition("|")[0] for test in tests if test}) for line, tests in lines.items()
        }
    return found


def meaning(code):
    """Return the syntax tree of a module without annotations and docstrings, which change nothing."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign):
            node.annotation = ast.Constant(None)
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value = ast.Constant(None)
    return ast.dump(tree)


def a_change(code, chooser):
    """Return a line and the text of a module that is changed there; None if nothing can be."""
    before, lines = meaning(code), code.splitlines()
    found = {}
    for operator in operators():
        occurrence = 0
        while (changed := mutate_code(code, operator, occurrence)) is not None:
            occurrence += 1
            try:
                same = meaning(changed) == before
            except SyntaxError:
                continue
            if not same:
                new = changed.splitlines()
                line = next((k for k, (a, b) in enumerate(zip(lines, new, strict=False)) if a != b), len(lines) - 1) + 1
                found.setdefault(line, []).append(changed)
    if not found:
        return None
    line = chooser.choice(sorted(found))
    return line, chooser.choice(found[line])


def survives(tree, path, line, changed, tests):
    """Return whether the tests pass although the module is changed."""
    original = (tree / path).read_text(encoding="utf-8")
    (tree / path).write_text(changed, encoding="utf-8")
    try:
        covering = tests.get(path, {}).get(line, [])
        first = random.Random(line).sample(covering, min(FIRST, len(covering)))
        rest = ([f"tests/{path.parts[1]}"], ["-n", "auto", "tests", "cgraph", "docs", "README.md"])
        return (not first or run_tests(tree, first)) and all(run_tests(tree, some) for some in rest)
    finally:
        (tree / path).write_text(original, encoding="utf-8")


def main():
    """Print the survivors and the share of changes that were noticed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--changes", type=int, default=100, help="how many (default: 100)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chooser = random.Random(options.seed)
    modules = sorted(
        path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / "cgraph" / package).rglob("*.py")
    )
    lengths = [len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in modules]
    made, noticed = Counter(), Counter()
    with tempfile.TemporaryDirectory() as folder, suppress(KeyboardInterrupt):  # the changes so far are a sample, too
        tree = Path(folder) / "tree"
        ignored = shutil.ignore_patterns(".git", ".ci", "__pycache__", ".venv", ".*_cache", ".hypothesis")
        shutil.copytree(ROOT, tree, ignore=ignored, symlinks=True)
        tests = covering_tests(tree)
        while made.total() < options.changes:
            (path,) = chooser.choices(modules, lengths)  # a long module has more to change
            before = (tree / path).read_text(encoding="utf-8")
            if (change := a_change(before, chooser)) is None:
                continue
            line, changed = change
            alive = survives(tree, path, line, changed, tests)
            made[path.parts[1]] += 1
            noticed[path.parts[1]] += not alive
            if alive:
                old, new = (text.splitlines()[line - 1].strip() for text in (before, changed))
                print(f"{path}:{line}: {old}  ->  {new}", flush=True)
    for package in made:
        print(f"{package}: {noticed[package]} of {made[package]} noticed, {noticed[package] / made[package]:.0%}")
    print(f"all: {noticed.total()} of {made.total()} noticed, {noticed.total() / made.total():.1%}")


if __name__ == "__main__":
    main()
