"""A file of YAML, JSON or TOML as plain data, with the line and column of every part of it.

The file is untrusted. Nothing in it is constructed but mappings, lists, texts, numbers, booleans and nulls; size,
depth and number of parts have limits.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from cgraph.model.errors import Problem, SpecError, shorten

__all__ = ["FORMATS", "MAX_BYTES", "Document", "Path", "parse_document"]

# A part of a document is found by the keys and indices that lead to it.
Path = tuple[str | int, ...]

# ruamel.yaml takes some 12 seconds for each MB, json 10 milliseconds.
MAX_BYTES = {"yaml": 2_000_000, "json": 100_000_000, "toml": 10_000_000}
FORMATS = tuple(MAX_BYTES)
MAX_DEPTH = 50
MAX_PARTS = 1_000_000


@dataclass
class Places:
    """Line and column, from 0, of the keys and values of a document."""

    keys: dict[Path, tuple[int, int]] = field(default_factory=dict)
    values: dict[Path, tuple[int, int]] = field(default_factory=dict)


class Document:
    """What a file says, and where it says it.

    Attributes
    ----------
    name : str
        The file's name, for messages.
    data : dict, list, str, int, float, bool or None
        The content; every key of a mapping is the text that stands in the file.
    problems : list of Problem
        What is wrong so far.
    """

    def __init__(self, name: str, text: str, data: Any, find_places: Callable[[], Places]) -> None:
        self.name, self.text, self.data, self._find_places = name, text, data, find_places
        self.problems: list[Problem] = []

    @cached_property
    def places(self) -> Places:
        """Where everything stands; worked out when the first mistake is found."""
        return self._find_places()

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the file."""
        return self.text.splitlines()

    def report(
        self,
        path: Path,
        message: str,
        hint: str = "",
        *,
        at_key: bool = False,
        inside: tuple[str, int] = ("", 0),
        cyclic: bool = False,
    ) -> None:
        """Record a problem with the part at `path`; `inside` is a text that stands there and a column of it."""
        table = self.places.keys if at_key else self.places.values
        while path and path not in table:
            path = path[:-1]
        line, column = self._inside(*table.get(path, (0, 0)), *inside)
        self.problems.append(replace(problem_at(self.lines, line, column, message, hint), cyclic=cyclic))

    def raise_problems(self) -> None:
        """Raise `SpecError` if there are any."""
        if self.problems:
            raise SpecError(self.name, self.problems)

    def _inside(self, line: int, column: int, text: str, offset: int) -> tuple[int, int]:
        """Return the place of character `offset` of a scalar that begins at `line` and `column`."""
        row = text.count("\n", 0, offset)
        fragment = text.split("\n")[row]
        offset -= sum(len(part) + 1 for part in text.split("\n")[:row])
        # A block scalar begins on the line after its indicator; quotes stand before the text.
        for k in range(line, min(line + row + 2, len(self.lines))):
            found = self.lines[k].find(fragment, column if k == line else 0)
            if fragment and found >= 0:
                return k, found + offset
        return line, column


def parse_document(text: str, format: str, name: str) -> Document:  # noqa: A002 - the public word
    """Parse `text`.

    Raises
    ------
    SpecError
        If it is not well-formed, or larger or deeper than the limits.
    """
    if len(text) > MAX_BYTES[format]:
        advice = "" if format == "json" else "; JSON of the same shape may be larger"
        message = f"the file is larger than {MAX_BYTES[format] // 10**6} MB{advice}"
        raise SpecError(name, [problem_at([], 0, 0, message)])
    return {"yaml": _parse_yaml, "json": _parse_json, "toml": _parse_toml}[format](text, name)


def problem_at(lines: list[str], line: int, column: int, message: str, hint: str = "") -> Problem:
    """Return the problem at a line and column that count from 0."""
    return Problem(line + 1, column + 1, message, hint, lines[line] if line < len(lines) else "")


def _parse_yaml(text: str, name: str) -> Document:
    converter = _Converter(text)
    root = _compose(text, name)
    data = converter.convert(root, ()) if root is not None else None
    document = Document(name, text, data, lambda: converter.places)
    document.problems = converter.problems
    return document


def _parse_json(text: str, name: str) -> Document:
    duplicates = []

    def mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(data := dict(pairs)) < len(pairs):
            duplicates.append(data)
        return data

    lines = text.splitlines()
    try:
        data = json.loads(text, object_pairs_hook=mapping)
    except json.JSONDecodeError as error:
        raise SpecError(
            name, [problem_at(lines, error.lineno - 1, error.colno - 1, f"not JSON: {error.msg}")]
        ) from None
    except (RecursionError, ValueError):
        raise SpecError(name, [problem_at(lines, 0, 0, _TOO_DEEP)]) from None
    # JSON is YAML, except for tabs, which only YAML minds; the slow reader knows the places.
    as_yaml = text.replace("\t", " ")
    if duplicates:
        return _parse_yaml(as_yaml, name)
    return Document(name, text, data, lambda: _parse_yaml(as_yaml, name).places)


def _parse_toml(text: str, name: str) -> Document:
    lines = text.splitlines()
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"^(.*) \(at line (\d+), column (\d+)\)$", str(error))
        message, line, column = (at[1], int(at[2]) - 1, int(at[3]) - 1) if at else (str(error), len(lines) - 1, 0)
        raise SpecError(name, [problem_at(lines, line, column, f"not TOML: {message}")]) from None
    except RecursionError:
        raise SpecError(name, [problem_at(lines, 0, 0, _TOO_DEEP)]) from None
    return Document(name, text, data, lambda: _toml_places(lines))


_TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep"
_TOML_HEADER = re.compile(r"\s*\[\s*([\w-]+)\s*\]")
_TOML_PAIR = re.compile(r"""(?P<key>"[^"]*"|'[^']*'|[\w-]+)\s*=\s*""")


def _toml_places(lines: list[str]) -> Places:
    """Return the places of the keys that stand at the start of a line, and of those within an inline table."""
    places = Places()
    table: Path = ()
    for number, line in enumerate(lines):
        if header := _TOML_HEADER.match(line):
            table = (header[1],)
            places.keys[table] = places.values[table] = (number, header.start(1))
            continue
        outer: Path = table
        for pair in _TOML_PAIR.finditer(line):
            path = (*outer, pair["key"].strip("\"'"))
            places.keys[path], places.values[path] = (number, pair.start("key")), (number, pair.end())
            if line[pair.end() : pair.end() + 1] == "{":
                outer = path
    return places


def _compose(text: str, name: str) -> Any:
    """Return YAML's tree of nodes, each with its mark, before anything is made of it."""
    lines = text.splitlines()
    try:
        return YAML(typ="rt", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = ", ".join(filter(None, [error.context, error.problem])).replace("\n", " ")
        line, column = (mark.line, mark.column) if mark else (0, 0)
        hint = "a tab cannot indent YAML; use spaces" if "'\\t'" in message else ""
        raise SpecError(name, [problem_at(lines, line, column, f"not YAML: {message}", hint)]) from None
    except RecursionError:
        raise SpecError(name, [problem_at(lines, 0, 0, _TOO_DEEP)]) from None
    except (YAMLError, ValueError, IndexError, AttributeError, TypeError, AssertionError) as error:
        # A character that YAML forbids, or a directive that its reader stumbles over.
        raise SpecError(name, [problem_at(lines, 0, 0, f"not YAML: {shorten(str(error))}")]) from None


class _Converter:
    """From YAML's nodes to plain data, collecting places and problems on the way."""

    def __init__(self, text: str) -> None:
        self.lines = text.splitlines()
        self.places = Places()
        self.problems: list[Problem] = []
        self.parts = 0

    def convert(self, node: Any, path: Path) -> Any:
        self.places.values[path] = (node.start_mark.line, node.start_mark.column)
        self.parts += 1
        if len(path) > MAX_DEPTH or self.parts > MAX_PARTS:  # an alias may repeat, or hold, itself
            if self.parts <= MAX_PARTS + 1:
                self.problem(node, _TOO_DEEP if len(path) > MAX_DEPTH else f"more than {MAX_PARTS:,} parts")
                self.parts = MAX_PARTS + 2
            return None
        match node:
            case ScalarNode():
                return self.scalar(node)
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

    def scalar(self, node: ScalarNode) -> Any:
        text, kind = str(node.value), str(node.tag).removeprefix("tag:yaml.org,2002:")
        match kind:
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int" | "float":
                return _number(text)
            case "str" | "timestamp":
                return text
        self.problem(node, f"the tag {node.tag!s} is not allowed", "a spec holds texts and numbers only")
        return None

    def problem(self, node: Any, message: str, hint: str = "") -> None:
        mark = node.start_mark
        self.problems.append(problem_at(self.lines, mark.line, mark.column, message, hint))


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
