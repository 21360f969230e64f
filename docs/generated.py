"""Write what follows from the tables of operations and questions into the files that list it: ``python docs/generated.py``.

The schema and the documentation hold these lists so that people and editors can read them; a test sees that they are
current.
"""

from __future__ import annotations

import json
import keyword
import re
import textwrap
from pathlib import Path

from cgraph.exercises.reading.kinds import KINDS, Kind
from cgraph.model.operations.elementwise import ACTIVATIONS, CONSTANTS, FUNCTIONS, OPERATIONS, Operation

ROOT = Path(__file__).parent.parent
SCHEMA, SPEC = ROOT / "cgraph" / "specs" / "schema.json", ROOT / "docs" / "spec.md"


def current() -> dict[Path, str]:
    """Return the files with their lists as the table has them."""
    schema, spec = SCHEMA.read_text(encoding="utf-8"), SPEC.read_text(encoding="utf-8")
    schema = _listed(schema, "activation", ACTIVATIONS)
    schema = _listed(schema, "reserved", sorted({*FUNCTIONS, *CONSTANTS, *keyword.kwlist}))
    schema = _with_kinds(schema)
    spec = _between(spec, "activations", textwrap.fill(f"The activations are {_in_words(ACTIVATIONS)}.", 120))
    rows = [_row(name, row) for name, row in OPERATIONS.items() if not row.infix]
    head = ["| function | is | derivatives, y is the output | takes |", "| --- | --- | --- | --- |"]
    return {SCHEMA: schema, SPEC: _between(spec, "functions", "\n".join([*head, *rows]))}


def _row(name: str, row: Operation) -> str:
    value = row.plain or row.value
    cells = [f"{name}({', '.join(row.names)})", value, ", ".join(row.derivatives)]
    texts = [f"`{cell}`" if cell else "" for cell in cells]
    return f"| {' | '.join([*texts, row.domain[1] if row.domain else ''])} |"


def _in_words(names: tuple[str, ...]) -> str:
    *first, last = (f"`{name}`" for name in names)
    return f"{', '.join(first)} and {last}"


def _between(text: str, what: str, generated: str) -> str:
    """Return the text with what stands between two comments replaced."""
    begin, end = f"<!-- {what}: written by docs/generated.py -->", f"<!-- end of {what} -->"
    pattern = re.compile(rf"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    return pattern.sub(lambda _: f"{begin}\n\n{generated}\n\n{end}", text, count=1)


def _listed(text: str, name: str, names: tuple[str, ...] | list[str]) -> str:
    """Return the schema with the list of a definition replaced."""
    quoted = textwrap.fill(", ".join(f'"{n}"' for n in names), 118, initial_indent=" " * 8, subsequent_indent=" " * 8)
    pattern = re.compile(rf'("{name}": \{{[^{{}}\[\]]*"enum": )\[[^\]]*\]')
    return pattern.sub(lambda found: f"{found[1]}[\n{quoted}\n      ]", text, count=1)


def _with_kinds(schema: str) -> str:
    """Return the schema with the kinds of questions: what each requires, and what stands under its key."""
    required = ",\n".join(f"        {_required(name, kind)}" for name, kind in KINDS.items())
    schema = re.sub(
        r'("required": \["id"\],\n      "oneOf": \[\n).*?(\n      \],)',
        rf"\g<1>{required}\g<2>",
        schema,
        flags=re.DOTALL,
    )
    keys = "\n".join(
        f'        "{name}": {{ {kind.schema}, "description": {json.dumps(kind.description)} }},'
        for name, kind in KINDS.items()
    )
    pattern = re.compile(r'("Under which answers are given." \},\n).*?(\n        "of": )', re.DOTALL)
    return pattern.sub(lambda found: f"{found[1]}{keys}{found[2]}", schema, count=1)


def _required(name: str, kind: Kind) -> str:
    if len(kind.requires) > 1:
        others = ", ".join(f'{{ "required": ["{key}"] }}' for key in kind.requires)
        return f'{{ "required": ["{name}"], "anyOf": [{others}] }}'
    return f'{{ "required": {json.dumps([name, *kind.requires])} }}'


if __name__ == "__main__":
    for path, text in current().items():
        path.write_text(text, encoding="utf-8")
