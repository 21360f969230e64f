"""The operations as a script: the table of operations, generated for the pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence

from cgraph.model.language.expressions import Apply, written
from cgraph.model.operations.elementwise import OPERATIONS, Operation
from cgraph.model.rules.differentiation import rules_of
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
    rules = [json.dumps(rule, ensure_ascii=False) for rule in _rules(row)]
    parts = [value, f"[{', '.join(derivatives)}]", f"[{', '.join(rules)}]"]
    if row.domain is not None:
        parts.append(_function([*names.values()], condition_of(row.domain[0], _SCRIPT, names)))
    key = json.dumps(name, ensure_ascii=False).replace("<", "\\u003c")
    return f"  {key}: [{', '.join(parts)}],"


def _function(names: Sequence[str], code: Code) -> str:
    if not code.lines:
        return f"({', '.join(names)}) => {code.results[0]}"
    return f"({', '.join(names)}) => {{ {' '.join(code.lines)} return {code.results[0]}; }}"


def _rules(row: Operation) -> Iterator[str]:
    """Generate the derivatives as they are read: {y} is the output, {a}, {b}, {c} are the operands."""
    letters = dict(zip(row.names, "abc", strict=False)) | {"y": "y"}
    for rule in rules_of(row):
        text = written(rule)[-1]
        named = re.sub(
            r"\b[^\W\d]\w*\b", lambda word: f"{{{letters[word[0]]}}}" if word[0] in letters else word[0], text
        )
        last = rule.steps[-1]
        is_condition = isinstance(last, Apply) and OPERATIONS[last.operation].precedence == 0
        shown = named.replace("*", "·").replace("-", "−").replace(">=", "≥").replace("<=", "≤")
        yield f"[{shown}]" if is_condition else shown
