"""The lists that follow from the table of operations are those that stand in the files."""

import runpy
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_the_lists_are_current():
    current = runpy.run_path(str(ROOT / "docs" / "generated.py"))["current"]
    for path, text in current().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is not current; run: python docs/generated.py"
