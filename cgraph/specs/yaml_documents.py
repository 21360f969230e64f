"""YAML as plain data: only mappings, lists, texts, numbers, booleans and nulls are constructed."""

from __future__ import annotations

import math
import re
import warnings
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from cgraph.model.errors import Problem, SpecError, shorten
from cgraph.specs.advice import instead_of_yaml
from cgraph.specs.documents import Document, Path, Places, problem_at

__all__ = ["MAX_DEPTH", "TOO_DEEP", "parse_yaml"]

MAX_DEPTH = 50
MAX_PARTS = 1_000_000
MOST_BITS = 14_000  # of a whole number
TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep"

# The scanner's time grows with the square of the depth of flow collections, and it cannot be told a limit. This
# one is generous, for a bracket in a text may never be closed.
_MAX_FLOW = 200
_FLOW = re.compile(r"""(?P<skip>"(?:[^"\\]|\\.)*+"?+|#.*)|(?P<open>[\[{])|(?P<close>[\]}])""")


def parse_yaml(text: str, name: str) -> Document:
    """Parse YAML 1.2.

    Raises
    ------
    SpecError
        If it is not well-formed, too deep or too large, or constructs anything by a tag.
    """
    lines = re.split(r"\r\n?|\n", text)
    converter = _Converter(lines)
    root = _compose(text, lines, name)
    if root is not None:
        _require_few_parts(root, lines, name)
    data = converter.convert(root, ()) if root is not None else None
    document = Document(name, lines, data, lambda: converter.places)
    document.problems = converter.problems
    if converter.has_tags:  # what stands under a tag is unknown: the reading ends here
        document.raise_problems()
    return document


def _compose(text: str, lines: list[str], name: str) -> Node | None:
    """Return YAML's tree of nodes, each with its mark, before anything is made of it."""
    position = _too_deep(text)
    message = TOO_DEEP
    if position is None:
        try:
            with warnings.catch_warnings(action="ignore"):  # of an anchor that is used twice
                return YAML(typ="safe", pure=True).compose(text)  # type: ignore[no-any-return]  # a node, or None
        except MarkedYAMLError as error:
            position = _position(error, text)
            message = f"not YAML: {', '.join(filter(None, [error.context, error.problem]))}".replace("\n", " ")
        except ReaderError as error:
            position = error.position
            message = f"not YAML: the character {chr(error.character)!r} is not allowed"
        except RecursionError:
            position = 0
        except (YAMLError, ValueError, IndexError, AttributeError, TypeError, AssertionError) as error:
            # A directive that its reader stumbles over.
            position, message = 0, f"not YAML: {shorten(str(error))}"
    raise SpecError(name, [problem_at(lines, *_place(text, position), message, instead_of_yaml(message))])


def _too_deep(text: str) -> int | None:
    """Return where flow collections nest too deep, if they do."""
    depth = 0
    for token in _FLOW.finditer(text):
        depth = max(0, depth + (token.lastgroup == "open") - (token.lastgroup == "close"))
        if depth > _MAX_FLOW:
            return token.start()
    return None


def _position(error: MarkedYAMLError, text: str) -> int:
    """Return where an error is: for one at the end of the text, where that began which does not end."""
    marks = [mark.index for mark in (error.problem_mark, error.context_mark) if mark]
    position = marks[0] if marks else 0
    return position if text[position:].strip() else min(marks, default=0)


def _place(text: str, position: int) -> tuple[int, int]:
    """Return the line and the column, from 0, of the character at `position`."""
    *before, last = re.split(r"\r\n?|\n", text[:position])
    return len(before), len(last)


def _require_few_parts(node: Node, lines: list[str], name: str) -> None:
    """Raise `SpecError` where aliases make a node too large: at the innermost that is."""
    counts: dict[int, float] = {}
    seen: set[int] = set()
    if _count_parts(node, counts) <= MAX_PARTS:
        return
    while id(node) not in seen:
        seen.add(id(node))
        node = next((part for part in _parts(node) if counts[id(part)] > MAX_PARTS), node)
    mark, endless = node.start_mark, counts[id(node)] == math.inf
    message = "it holds itself, by an alias" if endless else f"more than {MAX_PARTS:,} parts, aliases counted each time"
    raise SpecError(name, [problem_at(lines, mark.line, mark.column, message)])


def _count_parts(node: Node, counts: dict[int, float]) -> float:
    """Return how many parts `node` has, an alias counted each time; infinitely many if one holds itself."""
    if id(node) not in counts:
        counts[id(node)] = math.inf
        counts[id(node)] = 1 + sum(_count_parts(part, counts) for part in _parts(node))
    return counts[id(node)]


def _parts(node: Node) -> list[Node]:
    if isinstance(node, MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, SequenceNode) else []


# What YAML finds by itself; any other tag was written, and would construct something.
_TAGS = {
    ScalarNode: {"null", "bool", "int", "float", "str", "timestamp"},
    SequenceNode: {"seq"},
    MappingNode: {"map"},
}


class _Converter:
    """From YAML's nodes to plain data, collecting places and problems on the way."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.places = Places()
        self.problems: list[Problem] = []
        self.has_tags = False

    def convert(self, node: Any, path: Path) -> Any:
        self.places.values[path] = (node.start_mark.line, node.start_mark.column)
        if len(path) > MAX_DEPTH:
            self.problem(node, TOO_DEEP)
            return None
        tag = str(node.tag).removeprefix("tag:yaml.org,2002:")
        if tag not in _TAGS[type(node)]:
            self.refuse(node, tag)
            return None
        match node:
            case ScalarNode(value="") if tag == "null" and path in self.places.keys:
                self.places.values[path] = self.places.keys[path]  # nothing stands there; the next token may be far
                return None
            case ScalarNode():
                return _scalar(tag, str(node.value))
            case SequenceNode():
                return [self.convert(item, (*path, k)) for k, item in enumerate(node.value)]
            case MappingNode():
                return self.mapping(node, path)

    def mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self.problem(key, "a key must be one name")
                continue
            name = str(key.value)
            if name in data:
                first = self.places.keys[*path, name][0] + 1
                self.problem(key, f"{name!r} stands here twice, first in line {first}")
                continue
            self.places.keys[*path, name] = (key.start_mark.line, key.start_mark.column)
            data[name] = self.convert(value, (*path, name))
        return data

    def refuse(self, node: Any, tag: str) -> None:
        written = tag if tag.startswith("!") else f"!!{tag}"
        hint = "a spec holds texts and numbers only; a text that begins with ! stands in quotes"
        self.problem(node, f"the tag {written} is not allowed", hint)
        self.has_tags = True

    def problem(self, node: Any, message: str, hint: str = "") -> None:
        mark = node.start_mark
        self.problems.append(problem_at(self.lines, mark.line, mark.column, message, hint))


def _scalar(tag: str, text: str) -> Any:
    match tag:
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int" | "float":
            return _number(text)
    return text


def _number(text: str) -> int | float | str:
    for read in (
        lambda t: int(t, 0),
        int,
        float,
        lambda t: float(t.lower().replace(".inf", "inf").replace(".nan", "nan")),
    ):
        try:
            number = read(text)
        except ValueError:
            continue
        # Python reads hexadecimal numbers of any length, and prints none of more than 4,300 digits: it stays text.
        return text if isinstance(number, int) and number.bit_length() > MOST_BITS else number
    return text
