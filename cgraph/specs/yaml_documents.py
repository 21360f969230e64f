"""YAML as plain data; nothing is constructed but mappings, lists, texts, numbers, booleans and nulls."""

from __future__ import annotations

import re
import warnings
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from cgraph.model.errors import Problem, SpecError, shorten
from cgraph.specs.documents import Document, Path, Places, problem_at

__all__ = ["MAX_DEPTH", "TOO_DEEP", "parse_yaml"]

MAX_DEPTH = 50
MAX_PARTS = 1_000_000
TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep"

# The scanner's time grows with the square of the depth of flow collections, and it cannot be told a limit. This
# one is generous, for a bracket in a text may never be closed.
_MAX_FLOW = 200
_FLOW = re.compile(r"""(?P<skip>"(?:[^"\\]|\\.)*"|#.*)|(?P<open>[\[{])|(?P<close>[\]}])""")


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
    data = converter.convert(root, ()) if root is not None else None
    document = Document(name, lines, data, lambda: converter.places)
    document.problems = converter.problems
    if converter.has_tags:  # what stands under a tag is unknown: the reading ends here
        document.raise_problems()
    return document


def _compose(text: str, lines: list[str], name: str) -> Node | None:
    """Return YAML's tree of nodes, each with its mark, before anything is made of it."""
    try:
        _check_flow(text)
        with warnings.catch_warnings(action="ignore"):  # of an anchor that is used twice
            return YAML(typ="rt", pure=True).compose(text)  # type: ignore[no-any-return]
    except MarkedYAMLError as error:
        problem = _problem_of(error, lines)
    except ReaderError as error:
        line, column = _place(text, error.position)
        problem = problem_at(lines, line, column, f"not YAML: the character {chr(error.character)!r} is not allowed")
    except _TooDeepError as error:
        problem = problem_at(lines, *_place(text, error.position), TOO_DEEP)
    except RecursionError:
        problem = problem_at(lines, 0, 0, TOO_DEEP)
    except (YAMLError, ValueError, IndexError, AttributeError, TypeError, AssertionError) as error:
        # A directive that its reader stumbles over.
        problem = problem_at(lines, 0, 0, f"not YAML: {shorten(str(error))}")
    raise SpecError(name, [problem])


def _problem_of(error: MarkedYAMLError, lines: list[str]) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    at_the_end = not any(lines[line + 1 :]) and not lines[line][column:].strip()
    if at_the_end and error.context_mark:  # something began and does not end
        line, column = error.context_mark.line, error.context_mark.column
    message = ", ".join(filter(None, [error.context, error.problem])).replace("\n", " ")
    hint = "a tab cannot indent YAML; use spaces" if "'\\t'" in message else ""
    return problem_at(lines, line, column, f"not YAML: {message}", hint)


class _TooDeepError(Exception):
    def __init__(self, position: int) -> None:
        self.position = position


def _check_flow(text: str) -> None:
    depth = 0
    for token in _FLOW.finditer(text):
        depth = max(0, depth + (token.lastgroup == "open") - (token.lastgroup == "close"))
        if depth > _MAX_FLOW:
            raise _TooDeepError(token.start())


def _place(text: str, position: int) -> tuple[int, int]:
    """Return the line and the column, from 0, of the character at `position`."""
    *before, last = re.split(r"\r\n?|\n", text[:position])
    return len(before), len(last)


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
        self.parts = 0

    def convert(self, node: Any, path: Path) -> Any:
        self.places.values[path] = (node.start_mark.line, node.start_mark.column)
        self.parts += 1
        if len(path) > MAX_DEPTH or self.parts > MAX_PARTS:  # an alias may repeat, or hold, itself
            if self.parts <= MAX_PARTS + 1:
                self.problem(node, TOO_DEEP if len(path) > MAX_DEPTH else f"more than {MAX_PARTS:,} parts")
                self.parts = MAX_PARTS + 2
            return None
        tag = str(node.tag).removeprefix("tag:yaml.org,2002:")
        if tag not in _TAGS[type(node)]:
            written = tag if tag.startswith("!") else f"!!{tag}"
            self.problem(node, f"the tag {written} is not allowed", "a spec holds texts and numbers only")
            self.has_tags = True
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
            return read(text)
        except ValueError:
            continue
    return text
