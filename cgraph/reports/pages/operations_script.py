"""The operations as a script: the table of operations, generated for the pages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from cgraph.model.operations.elementwise import OPERATIONS, Operation
from cgraph.model.rules.generate import TARGETS, Code, condition_of, partials, source_of, value_of

__all__ = ["operations_script"]

_SCRIPT = TARGETS["javascript"]


def operations_script(own: Iterable[str] = ()) -> str:
    """Return the text that defines OPERATIONS, as `operations.js` says; `own` are functions of the graph's own."""
    rows = OPERATIONS | {operation: OPERATIONS[operation] for operation in own}
    return "\n".join(["const OPERATIONS = {", *map(_entry, rows, rows.values()), "};"])


def _entry(name: str, row: Operation) -> str:
    names = {operand: f"x{k}" for k, operand in enumerate(row.names)}
    value = _function([*names.values()], value_of(row, _SCRIPT, names))
    derivatives = [_function(["y", *names.values()], source_of([z], _SCRIPT, names)) for z in partials(row)]
    parts = [value, f"[{', '.join(derivatives)}]"]
    if row.domain is not None:
        parts.append(_function([*names.values()], condition_of(row.domain[0], _SCRIPT, names)))
    key = json.dumps(name, ensure_ascii=False).replace("<", "\\u003c")
    return f"  {key}: [{', '.join(parts)}],"


def _function(names: Sequence[str], code: Code) -> str:
    if not code.lines:
        return f"({', '.join(names)}) => {code.results[0]}"
    return f"({', '.join(names)}) => {{ {' '.join(code.lines)} return {code.results[0]}; }}"
