"""The text of a file in YAML, JSON or TOML, parsed into a document.

The file is untrusted: size, depth and number of parts have limits.
"""

from __future__ import annotations

import json
import os
import re
import unicodedata
from pathlib import Path as FilePath
from typing import IO, Any

from cgraph.model.errors import CGraphError, FormatError, Problem, SpecError, shorten
from cgraph.specs.documents import Document, Path, Places, problem_at
from cgraph.specs.yaml_documents import MOST_BITS, TOO_DEEP, parse_yaml

__all__ = ["format_of", "format_to_write", "parse_document", "read_text"]

# ruamel.yaml takes some 12 seconds for each MB, json 10 milliseconds.
MAX_BYTES = {"yaml": 2_000_000, "json": 100_000_000, "toml": 10_000_000}
SUFFIXES = {".yaml": "yaml", ".yml": "yaml", ".json": "json", ".toml": "toml"}


def format_of(suffix: str, format: str | None) -> str:
    """Return `format`, or if it is None what the suffix of the file says, else YAML.

    Raises
    ------
    FormatError
        If there is no such format.
    """
    format = format or SUFFIXES.get(suffix.lower(), "yaml")
    if format not in MAX_BYTES:
        raise FormatError(f"there is no format {format!r}; the formats are {', '.join(MAX_BYTES)}")
    return format


def format_to_write(path: str, format: str | None) -> str:
    """Return the format in which a spec is written to a file: `format`, or what the suffix says.

    Raises
    ------
    FormatError
        If the suffix is that of something else.
    """
    suffix = FilePath(path).suffix.lower()
    if format is None and suffix and suffix not in SUFFIXES:
        raise CGraphError(
            f"{path!r} has not the ending of a spec; use one of {', '.join(SUFFIXES)}, or name the format"
        )
    return format_of(suffix, format)


def read_text(source: str | os.PathLike[str] | IO[Any]) -> tuple[str, str]:
    """Return the name and the text of a file, or of a stream that has been opened already.

    Raises
    ------
    SpecError
        If it is not UTF-8.
    """
    limit = max(MAX_BYTES.values()) + 1
    if isinstance(source, str | os.PathLike):
        name = str(source)
        with FilePath(source).open("rb") as file:
            raw = file.read(limit)
    else:
        if not hasattr(source, "read"):
            raise CGraphError(f"the path of a file or a stream is needed, not {shorten(repr(source))}")
        name = getattr(source, "name", "<text>")
        raw = source.read(limit)
    return name, unicodedata.normalize("NFC", _decoded(raw, name) if isinstance(raw, bytes) else raw)


def _decoded(raw: bytes, name: str) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in raw[:2]:
        raise SpecError(name, [problem_at([], 0, 0, "not UTF-8 text, but UTF-16", "save the file as UTF-8")])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        *before, last = error.object[: error.start].decode().split("\n")
        message = f"not UTF-8 text: byte {error.start + 1}"
        problem = problem_at([], len(before), len(last), message, "save the file as UTF-8")
    raise SpecError(name, [problem])


def parse_document(text: str, format: str, name: str) -> Document:
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
    return {"yaml": parse_yaml, "json": _parse_json, "toml": _parse_toml}[format](text, name)


def _parse_json(text: str, name: str) -> Document:
    repeats = False

    def mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal repeats
        data = dict(pairs)
        repeats = repeats or len(data) < len(pairs)
        return data

    lines = re.split(r"\r?\n", text)
    try:
        data = json.loads(text, object_pairs_hook=mapping, parse_int=_integer)
    except json.JSONDecodeError as error:
        problem = problem_at(lines, error.lineno - 1, error.colno - 1, f"not JSON: {error.msg}")
        raise SpecError(name, [problem]) from None
    except RecursionError:
        raise SpecError(name, [problem_at(lines, 0, 0, TOO_DEEP)]) from None
    document = Document(name, lines, data, lambda: _json_places(lines)[0])
    if repeats:
        document.problems = _json_places(lines)[1]
    return document


def _integer(digits: str) -> float:
    """Return an integer, or infinity for one that is longer than Python reads."""
    try:
        return int(digits)
    except ValueError:
        return float(digits)


_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?+|[][{},:]|[^][{},:"\s]+')


def _json_places(lines: list[str]) -> tuple[Places, list[Problem]]:
    """Return the places of all keys and values of well-formed JSON, and the keys that stand twice in a mapping."""
    places, problems = Places(), []
    path: list[str | int] = []
    wants_key = False
    tokens = ((number, token) for number, line in enumerate(lines) for token in _JSON_TOKEN.finditer(line))
    for number, token in tokens:
        at = (number, token.start())
        match token.group():
            case "}" | "]":
                path.pop()
                wants_key = False
            case ":":
                wants_key = False
            case ",":
                wants_key = isinstance(path[-1], str)
                path[-1] = path[-1] if isinstance(path[-1], str) else path[-1] + 1
            case key if wants_key:
                path[-1] = json.loads(key)
                if first := places.keys.get(tuple(path)):
                    message = f"{path[-1]!r} stands here twice, first in line {first[0] + 1}"
                    problems.append(problem_at(lines, *at, message))
                places.keys[tuple(path)] = at
            case value:
                places.values[tuple(path)] = at
                if value in {"{", "["}:
                    path.append("" if value == "{" else 0)
                    wants_key = value == "{"
    return places, problems


def _parse_toml(text: str, name: str) -> Document:
    import tomllib

    lines = re.split(r"\r?\n", text)
    if deep := _TOML_TOO_DEEP.search(text):  # tomllib takes the square of the depth
        line = text.count("\n", 0, deep.start())
        raise SpecError(name, [problem_at(lines, line, 0, TOO_DEEP)])
    try:
        data = _without_long_integers(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"^(.*) \(at line (\d+), column (\d+)\)$", str(error))
        message, line, column = (at[1], int(at[2]) - 1, int(at[3]) - 1) if at else (str(error), len(lines) - 1, 0)
        problem = problem_at(lines, line, column, f"not TOML: {message}")
    except RecursionError:
        problem = problem_at(lines, 0, 0, TOO_DEEP)
    except ValueError:  # the only other one that Python raises: it reads no more than 4,300 digits
        places = ((k, found.start()) for k, line in enumerate(lines) if (found := _LONG_INTEGER.search(line)))
        problem = problem_at(lines, *next(places, (0, 0)), "not TOML: an integer of more than 4,300 digits")
    else:
        return Document(name, lines, data, lambda: _toml_places(lines))
    raise SpecError(name, [problem])


_TOML_TOO_DEEP = re.compile(r"""(?<![\w"'-])(?:[\w"'-]++\s*+\.\s*+){200}""")


def _without_long_integers(data: Any) -> Any:
    """Return the data with integers that Python does not print, as hexadecimal ones may be, as text."""
    if isinstance(data, dict):
        return {key: _without_long_integers(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_without_long_integers(value) for value in data]
    return hex(data) if isinstance(data, int) and data.bit_length() > MOST_BITS else data


_LONG_INTEGER = re.compile(r"\d(_?\d){4300}")
_TOML_KEY = r"""(?:"[^"]*"|'[^']*'|(?<![\w-])[\w-]++)"""
_TOML_KEYS = rf"(?P<keys>{_TOML_KEY}(?:\s*\.\s*{_TOML_KEY})*)"
_TOML_HEADER = re.compile(rf"\s*\[\s*{_TOML_KEYS}\s*\]")
_TOML_PAIR = re.compile(rf"{_TOML_KEYS}\s*=\s*")


def _toml_places(lines: list[str]) -> Places:
    """Return the places of headers, of the keys that stand at the start of a line, and of those in inline tables."""
    places = Places()
    table: Path = ()
    for number, line in enumerate(lines):
        if header := _TOML_HEADER.match(line):
            table = ()
            for key in re.finditer(_TOML_KEY, header["keys"]):
                table = (*table, key[0].strip("\"'"))
                at = (number, header.start("keys") + key.start())
                places.keys.setdefault(table, at)
                places.values.setdefault(table, at)
            continue
        outer = table
        for pair in _TOML_PAIR.finditer(line):
            path = (*outer, *(key.strip("\"'") for key in re.findall(_TOML_KEY, pair["keys"])))
            places.keys[path], places.values[path] = (number, pair.start("keys")), (number, pair.end())
            if line[pair.end() : pair.end() + 1] == "{":
                outer = path
            elif line[pair.end() : pair.end() + 1] == "[":
                places.values |= _entry_places(lines, number, pair.end(), path)
    return places


_TOML_TOKEN = re.compile(r"""\#.*|"(?:[^"\\]|\\.)*+"?+|'[^']*'|[][,]|[^][,"'\#\s]+""")


def _entry_places(lines: list[str], number: int, column: int, path: Path) -> dict[Path, tuple[int, int]]:
    """Return the places of the entries of the array that begins at a line and column, however many lines it takes."""
    places: dict[Path, tuple[int, int]] = {}
    index = [*path]
    for k in range(number, len(lines)):
        for token in _TOML_TOKEN.finditer(lines[k], column if k == number else 0):
            match token.group():
                case "]":
                    index.pop()
                    if len(index) == len(path):
                        return places
                case ",":
                    index[-1] = int(index[-1]) + 1
                case entry if not entry.startswith("#"):
                    places.setdefault(tuple(index), (k, token.start()))
                    index += [0] * (entry == "[")
    return places
